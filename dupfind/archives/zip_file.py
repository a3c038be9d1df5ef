"""The members of a ZIP: its directory by :mod:`zipfile`, and every byte of the file accounted for.

A ZIP says what it holds twice, in the directory at its end and before each member, and may hold what neither says.
Whoever unpacks it may go by either. So both have to agree, members may not overlap, and what lies beside them, and is
not zero, is reported: a person who deletes the archive deletes that, too.
"""

from __future__ import annotations

import stat
import struct
import time
import zipfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from dupfind.archives import names, unpacking
from dupfind.archives.contents import BrokenArchiveError, Contents, Member, Piece, Trouble, is_blank
from dupfind.archives.limits import (
    MOST_EXTRA_BYTES,
    MOST_MEMBERS,
    MOST_READ_BYTES,
    MOST_SCRATCH_BYTES,
)

MAGIC = b"PK\x03\x04"
EMPTY_MAGIC = b"PK\x05\x06"
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_END_64, _LOCATOR_64 = struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")
_DIRECTORY_ENTRY_BYTES = 46
_MOST_TAIL_BYTES = _END_64.size + _LOCATOR_64.size + _END.size + (1 << 16)
_MOST_EMPTY_BYTES = 64
_ENCRYPTED, _HAS_DESCRIPTOR, _IS_UTF8 = 0x2041, 0x8, 0x800
_AES = 99
_METHODS = {
    1: "shrink", 6: "implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 20: "Zstandard", 93: "Zstandard", 95: "XZ",
    98: "PPMd",
}  # fmt: skip
_UNIX_HOSTS = frozenset({3, 19})
_IN_EXTRA, _IN_EXTRA_SHORT = 0xFFFFFFFF, 0xFFFF
_ZIP64_FIELD = 1
_FIRST_YEAR = 1980
_DESCRIPTORS = "<4sIII", "<4sIQQ", "<III", "<IQQ"
"""CRC and both sizes behind a member, with a mark or without, of 32 bits or of 64."""
_DESCRIPTOR_MARK = b"PK\x07\x08"


def list_zip(file: IO[bytes], start: int, size_bytes: int) -> Contents:
    """List the ZIP that lies in an open file; raises :class:`BrokenArchiveError`, and what :mod:`zipfile` raises."""
    piece = Piece(file, start, size_bytes, MOST_READ_BYTES)
    with _opened(piece) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise BrokenArchiveError(f"it has {len(infos):,} members: more than {MOST_MEMBERS:,}")
        contents = Contents()
        extents = []
        for info in infos:
            extent, reason = _look_at(piece, info)
            extents.append(extent)
            name = names.zip_name(_raw_name(info), info.flag_bits, info.create_system)
            reason = reason or _why_not_a_file(info, name) or _why_not_unpacked(info)
            reason = reason or _why_not_empty(piece, info, extent.data)
            if reason:
                contents.troubles.append(Trouble(name, reason))
            elif not name.endswith("/"):
                is_deflated = info.compress_type == zipfile.ZIP_DEFLATED
                place = start + extent.data
                member = Member(name, info.file_size, place, info.compress_size, is_deflated=is_deflated, crc=info.CRC)
                contents.members.append(member._replace(modified_ns=_modified_ns(info)))
        end = _tail(piece, archive.start_dir, infos, size_bytes)
        beside = _beside(piece, sorted(extents), archive.start_dir)
    contents.troubles.extend(Trouble("", reason) for reason in (*end, *beside))
    return contents


def _modified_ns(info: zipfile.ZipInfo) -> int | None:
    """Return when a member was changed; a ZIP has the local time of whoever packed it, 1980 for none."""
    if info.date_time[0] <= _FIRST_YEAR:
        return None
    try:
        return int(time.mktime((*info.date_time, 0, 0, -1))) * 10**9
    except (OverflowError, ValueError):
        return None


def _opened(piece: Piece) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(piece)
    except UnicodeDecodeError:
        raise BrokenArchiveError("a name in its directory is not UTF-8, as it says") from None
    except zipfile.BadZipFile as error:
        reason = "it has no directory where it ends: broken, cut off, or no ZIP"
        raise BrokenArchiveError(reason if "not a zip file" in str(error) else str(error)) from None


class _Extent(NamedTuple):
    """The stretch of a file that a member takes."""

    start: int
    data: int
    end: int
    descriptors: tuple[bytes, ...]
    """What may lie behind it."""


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _IS_UTF8 else "cp437")


def _why_not_a_file(info: zipfile.ZipInfo, name: str) -> str | None:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode) if info.create_system in _UNIX_HOSTS else 0
    if kind == stat.S_IFLNK:
        return "symbolic link: not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "not a regular file"
    if name.endswith("/") and (info.file_size or info.compress_size > 2):  # noqa: PLR2004 - nothing, deflated
        return "a folder that holds bytes"
    return None


def _why_not_unpacked(info: zipfile.ZipInfo) -> str | None:
    # Nobody can tell what is in it.
    if info.flag_bits & _ENCRYPTED or info.compress_type == _AES:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
        return f"compressed in a way that is not read ({method})"
    is_stored = info.compress_type == zipfile.ZIP_STORED
    if is_stored and info.file_size != info.compress_size:
        return "its directory gives two sizes"
    if not is_stored and info.file_size > MOST_SCRATCH_BYTES:
        return f"it unpacks to {info.file_size:,} bytes: more than {MOST_SCRATCH_BYTES:,}"
    if len(info.extra) > MOST_EXTRA_BYTES or len(info.comment) > MOST_EXTRA_BYTES:
        return "its directory holds more of it than a name and times"
    return None


def _why_not_empty(piece: Piece, info: zipfile.ZipInfo, data: int) -> str | None:
    """Tell why a member that is said to be empty may not be; who knows that nothing is in it does not read it."""
    if info.file_size or (info.compress_type == zipfile.ZIP_STORED and not info.CRC):
        return None
    piece.seek(data)
    packed = piece.read(min(info.compress_size, _MOST_EMPTY_BYTES))
    stream = unpacking.raw_inflater()
    try:
        is_empty = not stream.decompress(packed, 1) and stream.eof and not stream.unused_data and not info.CRC
    except unpacking.ERRORS:
        is_empty = False
    return None if is_empty and len(packed) == info.compress_size else "it is not empty, as its directory says"


def _look_at(piece: Piece, info: zipfile.ZipInfo) -> tuple[_Extent, str | None]:
    """Return where a member lies, and what its own header says otherwise than the directory."""
    start = info.header_offset
    if start < 0:
        raise BrokenArchiveError("its directory names places before its beginning")
    piece.seek(start)
    head = piece.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(MAGIC):
        raise BrokenArchiveError("its directory names places where no member begins")
    _, _, flags, method, _, _, *numbers, name_bytes, extra_bytes = _LOCAL.unpack(head)
    name_and_extra = piece.read(name_bytes + extra_bytes)
    name, extra = name_and_extra[:name_bytes], name_and_extra[name_bytes:]
    data = start + _LOCAL.size + name_bytes + extra_bytes
    listed = [info.CRC, info.compress_size, info.file_size]
    said = _with_zip64(numbers, extra)
    has_descriptor = bool(flags & _HAS_DESCRIPTOR)
    descriptors = tuple(_descriptors(*listed)) if has_descriptor else ()
    extent = _Extent(start, data, data + info.compress_size, descriptors)
    agrees = (
        name == _raw_name(info)
        and method == info.compress_type
        and not (flags ^ info.flag_bits) & (_ENCRYPTED | _HAS_DESCRIPTOR | _IS_UTF8)
        and (said == listed or (has_descriptor and not any(said)))
        and len(extra) <= MOST_EXTRA_BYTES
    )
    # Programs go by one of the two or by the other, and so unpack other files.
    return extent, None if agrees else "its own header and the directory say different things"


def _with_zip64(numbers: list[int], extra: bytes) -> list[int]:
    """Return CRC, packed and unpacked size of a local header; sizes beyond 32 bits stand in an extra field."""
    crc, packed, unpacked = numbers
    if _IN_EXTRA not in (packed, unpacked):
        return numbers
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == _ZIP64_FIELD and length >= 16 and place + 20 <= len(extra):  # noqa: PLR2004 - two of 64 bits
            unpacked_64, packed_64 = struct.unpack_from("<QQ", extra, place + 4)
            return [
                crc,
                packed_64 if packed == _IN_EXTRA else packed,
                unpacked_64 if unpacked == _IN_EXTRA else unpacked,
            ]
        place += 4 + length
    return numbers


def _descriptors(crc: int, packed: int, unpacked: int) -> Iterator[bytes]:
    """Give the bytes that may follow a member whose header was written before its size was known."""
    for form in _DESCRIPTORS:
        if "Q" in form or max(packed, unpacked) < _IN_EXTRA:
            mark = (_DESCRIPTOR_MARK,) if "s" in form else ()
            yield struct.pack(form, *mark, crc, packed, unpacked)


def _beside(piece: Piece, extents: list[_Extent], directory: int) -> Iterator[str]:
    """Tell of the bytes before the directory that belong to no member."""
    place = unlisted = 0
    starts = [*(extent.start for extent in extents), directory]
    for extent, following in zip(extents, starts[1:], strict=True):
        unlisted += _unlisted(piece, place, extent.start)
        place = extent.end
        if extent.descriptors:
            piece.seek(place)
            behind = piece.read(max(map(len, extent.descriptors)))
            fitting = [text for text in extent.descriptors if behind.startswith(text)]
            place += max(map(len, fitting), default=0)
        # Two members that share bytes are how a bomb is made, and one may hide behind the other.
        if place > following:
            raise BrokenArchiveError("its members overlap")
    unlisted += _unlisted(piece, place, directory)
    if unlisted:
        yield f"it holds {unlisted:,} bytes that its directory does not list"


def _unlisted(piece: Piece, start: int, end: int) -> int:
    return 0 if start >= end or is_blank(piece, start, end) else end - start


def _tail(piece: Piece, start: int, infos: list[zipfile.ZipInfo], size_bytes: int) -> Iterator[str]:
    """Tell what is wrong with what lies from the directory to the end of the file; nothing where all is as it should.

    The directory ends where the entries do that were read; then come its own ends, and nothing else.
    """
    entries_bytes = sum(
        _DIRECTORY_ENTRY_BYTES + len(_raw_name(info)) + len(info.extra) + len(info.comment) for info in infos
    )
    place = start + entries_bytes
    if size_bytes - place > _MOST_TAIL_BYTES:
        yield f"it holds {size_bytes - place:,} bytes behind its directory"
        return
    piece.seek(place)
    tail = piece.read(size_bytes - place)
    count: int | None = None
    if tail.startswith(b"PK\x06\x06") and len(tail) >= _END_64.size + _LOCATOR_64.size:
        fields = _END_64.unpack_from(tail)
        if fields[1] != _END_64.size - 12 or tail[_END_64.size :][:4] != b"PK\x06\x07":
            yield "its end is not as the format has it"
            return
        count = fields[7]
        tail = tail[_END_64.size + _LOCATOR_64.size :]
    if len(tail) < _END.size or not tail.startswith(EMPTY_MAGIC):
        yield "its directory does not end where its entries do"
        return
    *_, here, _, _, comment_bytes = _END.unpack_from(tail)
    if count is None or here != _IN_EXTRA_SHORT:
        count = here
    if count != len(infos):
        yield f"its directory counts {count:,} members and lists {len(infos):,}"
    if len(tail) != _END.size + comment_bytes:
        yield "bytes follow its end"
    elif comment_bytes > MOST_EXTRA_BYTES or b"\0" in tail[_END.size :]:
        yield f"its comment holds {comment_bytes:,} bytes"
