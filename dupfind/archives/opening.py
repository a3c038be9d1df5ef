"""One archive to what it holds: which kind it is, unpacked where it has to be, and all ways in which it may fail."""

from __future__ import annotations

import struct
import tarfile
import zipfile
from typing import IO, NamedTuple

from dupfind.archives import tar_file, unpacking, zip_file
from dupfind.archives.contents import BrokenArchiveError, Contents, read_fully
from dupfind.archives.limits import LEAST_BOMB_BYTES, MOST_RATIO
from dupfind.archives.members import PENDING, MemberEntry, Place
from dupfind.archives.scratch import Scratch, Unpacked
from dupfind.errors import reason_of
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import FileEntry

_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,  # zipfile, of what it does not read
    tarfile.TarError,
    struct.error,
    ArithmeticError,
    LookupError,
    RuntimeError,  # and so recursion: headers that announce headers
    *unpacking.ERRORS,
)
"""What reading a damaged archive raises beside what is said in words for the user."""


class Opened(NamedTuple):
    """What an archive holds, and where."""

    contents: Contents
    """Offsets of members are counted from where the archive, or what it unpacks to, begins."""
    place: Place
    """Of its bytes; those of a member differ in offset, length, packing and checksum."""
    unpacked: Unpacked | None
    """What holds them, where it had to be unpacked, or lies in what had to."""
    unpacked_bytes: int | None
    """How many bytes it unpacks to; None where it is read where it lies."""


def open_archive(entry: FileEntry, scratch: Scratch) -> Opened:
    """List an archive; raises :class:`BrokenArchiveError` where that cannot be done, with the reason."""
    try:
        opened = _opened(entry, scratch)
        return _no_bomb(opened, entry.size_bytes)
    except ChangedError:
        raise BrokenArchiveError("changed while it was read") from None
    except BrokenArchiveError:
        raise
    except MemoryError:
        raise BrokenArchiveError("there is not enough memory to list it") from None
    except _BROKEN as error:
        is_of_system = isinstance(error, OSError) and error.errno is not None
        reason = reason_of(error) if is_of_system else str(error) or type(error).__name__  # type: ignore[arg-type]
        raise BrokenArchiveError(reason) from None


def opened_before(entry: FileEntry, contents: Contents, unpacked_bytes: int | None, scratch: Scratch) -> Opened:
    """Return an archive that was listed in an earlier run and is the same now; nothing is read."""
    if unpacked_bytes is not None:
        return Opened(contents, _pending(entry, scratch), Unpacked(entry, scratch, unpacked_bytes), unpacked_bytes)
    return Opened(contents, *_where_it_lies(entry, scratch), None)


def _no_bomb(opened: Opened, size_bytes: int) -> Opened:
    """Refuse an archive whose members are many times the archive, as hard links of a TAR may be."""
    unpacked_bytes = sum(member.size_bytes for member in opened.contents.members)
    # Photos hardly compress; a file that unpacks to so much more is a bomb or no archive of photos.
    if unpacked_bytes > max(LEAST_BOMB_BYTES, MOST_RATIO * size_bytes):
        raise BrokenArchiveError(f"it unpacks to {unpacked_bytes:,} bytes: more than {MOST_RATIO} times its size")
    return opened


def _opened(entry: FileEntry, scratch: Scratch) -> Opened:
    with open_entry(entry, is_buffered=False) as file:
        head = read_fully(file.read, tar_file.HEAD_BYTES)
        is_compressed = unpacking.kind_of(head) is not None
        if not is_compressed and not (isinstance(entry, MemberEntry) and entry.place.is_deflated):
            contents = _listed(file, head, 0, entry.size_bytes, entry.path)
            return Opened(contents, *_where_it_lies(entry, scratch), None)
    unpacked = Unpacked(entry, scratch)
    _, start, size_bytes = unpacked.unpack()
    contents = _listed_unpacked(entry, scratch, start, size_bytes, is_compressed=is_compressed)
    members = [member._replace(offset=member.offset - start) for member in contents.members]
    return Opened(Contents(members, contents.troubles), _pending(entry, scratch), unpacked, size_bytes)


def _listed_unpacked(
    entry: FileEntry, scratch: Scratch, start: int, size_bytes: int, *, is_compressed: bool
) -> Contents:
    """List what was unpacked into the scratch file."""
    with open(scratch.file.path, "rb", buffering=0) as file:
        file.seek(start)
        head = read_fully(file.read, tar_file.HEAD_BYTES)
        if not is_compressed:  # an archive in an archive, which was packed as any other member
            return _listed(file, head, start, size_bytes, entry.path)
        if not (tar_file.is_tar(head) or tar_file.is_end(head)):
            raise BrokenArchiveError("what is compressed in it is no TAR")
        return tar_file.list_tar(file, start, size_bytes)


def _listed(file: IO[bytes], head: bytes, start: int, size_bytes: int, path: str) -> Contents:
    """List what is no compressed TAR."""
    if head.startswith((zip_file.MAGIC, zip_file.EMPTY_MAGIC)):
        return zip_file.list_zip(file, start, size_bytes)
    if tar_file.is_tar(head):
        return tar_file.list_tar(file, start, size_bytes)
    if path.lower().endswith(".zip"):  # a program that unpacks itself, with its members behind it
        return zip_file.list_zip(file, start, size_bytes)
    if tar_file.is_end(head):
        return tar_file.list_tar(file, start, size_bytes)
    raise BrokenArchiveError("its content is that of no archive")


def _where_it_lies(entry: FileEntry, scratch: Scratch) -> tuple[Place, Unpacked | None]:
    """Return the place of an archive that is read where it lies: on disk, or in another archive."""
    if isinstance(entry, MemberEntry):
        return entry.place, entry.unpacked
    return Place(entry, None, 0, 0, is_deflated=False, crc=None, folder=scratch.folder), None


def _pending(entry: FileEntry, scratch: Scratch) -> Place:
    around = entry.place.archive if isinstance(entry, MemberEntry) else entry
    return Place(around, PENDING, 0, 0, is_deflated=False, crc=None, folder=scratch.folder)
