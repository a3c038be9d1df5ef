"""One archive to what it holds: which kind it is, unpacked where it has to be, and all ways in which it may fail."""

from __future__ import annotations

import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from dupfind.archives import tar_file, unpacking, zip_file
from dupfind.archives.contents import BrokenArchiveError, Contents, read_fully
from dupfind.archives.limits import LEAST_BOMB_BYTES, MOST_RATIO
from dupfind.archives.members import MemberEntry, Place
from dupfind.archives.scratch import Scratch
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
    place: Place
    """Of its bytes; those of a member differ in offset, length, packing and checksum."""
    keeper: Scratch | None


def open_archive(entry: FileEntry, scratch: Scratch) -> Opened:
    """List an archive; raises :class:`BrokenArchiveError` where that cannot be done, with the reason."""
    try:
        with open_entry(entry, is_buffered=False) as file:
            opened = _opened(entry, file, scratch)
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


def _no_bomb(opened: Opened, size_bytes: int) -> Opened:
    """Refuse an archive whose members are many times the archive, as hard links of a TAR may be."""
    unpacked_bytes = sum(member.size_bytes for member in opened.contents.members)
    if unpacked_bytes > max(LEAST_BOMB_BYTES, MOST_RATIO * size_bytes):
        raise BrokenArchiveError(f"it unpacks to {unpacked_bytes:,} bytes: more than {MOST_RATIO} times its size")
    return opened


def _opened(entry: FileEntry, file: IO[bytes], scratch: Scratch) -> Opened:
    head = read_fully(file.read, tar_file.HEAD_BYTES)
    file.seek(0)
    kind = unpacking.kind_of(head)
    if kind is not None:
        most_bytes = max(LEAST_BOMB_BYTES, MOST_RATIO * entry.size_bytes)
        start, size_bytes = scratch.add(unpacking.unpack(file, entry.size_bytes, kind), most_bytes)
        return _of_tar(_around(entry), start, size_bytes, scratch)
    if isinstance(entry, MemberEntry):
        return _inner(entry, file, head, scratch)
    place = Place(entry, None, 0, 0, is_deflated=False, crc=None, folder=scratch.folder)
    return Opened(_listed(file, head, 0, entry.size_bytes, entry.path), place, None)


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


def _inner(entry: MemberEntry, file: IO[bytes], head: bytes, scratch: Scratch) -> Opened:
    """List an archive in an archive: where it lies, or in the scratch file where it is packed."""
    place = entry.place
    if place.is_deflated:
        start, size_bytes = scratch.add(_blocks(file), entry.size_bytes)
        return _in_scratch(_around(entry), start, size_bytes, head, scratch, entry.path)
    contents = _listed(file, head, 0, entry.size_bytes, entry.path)
    moved = [member._replace(offset=place.offset + member.offset) for member in contents.members]
    return Opened(Contents(moved, contents.troubles), place, entry.keeper)


def _around(entry: FileEntry) -> FileEntry:
    """Return the archive on disk."""
    return entry.place.archive if isinstance(entry, MemberEntry) else entry


def _of_tar(archive: FileEntry, start: int, size_bytes: int, scratch: Scratch) -> Opened:
    with open(scratch.file.path, "rb", buffering=0) as file:
        file.seek(start)
        head = read_fully(file.read, tar_file.HEAD_BYTES)
        if not (tar_file.is_tar(head) or tar_file.is_end(head)):
            raise BrokenArchiveError("what is compressed in it is no TAR")
        contents = tar_file.list_tar(file, start, size_bytes)
    return Opened(contents, _scratched(archive, scratch), scratch)


def _in_scratch(archive: FileEntry, start: int, size_bytes: int, head: bytes, scratch: Scratch, path: str) -> Opened:
    with open(scratch.file.path, "rb", buffering=0) as file:
        contents = _listed(file, head, start, size_bytes, path)
    return Opened(contents, _scratched(archive, scratch), scratch)


def _scratched(archive: FileEntry, scratch: Scratch) -> Place:
    return Place(archive, scratch.file, 0, 0, is_deflated=False, crc=None, folder=scratch.folder)


_BLOCK_BYTES = 1 << 20


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK_BYTES):
        yield block
