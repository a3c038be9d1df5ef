"""The members of a TAR: its headers by :mod:`tarfile`, and its end looked at.

A TAR has no directory, and :mod:`tarfile` takes a header that is damaged for the end. So the end has to be there, and
nothing behind it.
"""

from __future__ import annotations

import re
import tarfile
from typing import IO

from dupfind.archives.contents import BrokenArchiveError, Contents, Member, Piece, Trouble, is_blank
from dupfind.archives.limits import MOST_EXTRA_BYTES, MOST_MEMBERS

_MOST_HEADER_BYTES = 1 << 20
"""A long name or a PAX header, which is read into memory."""
_BLOCK = tarfile.BLOCKSIZE
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
_MAGIC_AT, _MAGIC = 257, b"ustar"
_NAMING = frozenset({tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK})
_TELLING = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE})
"""Headers that are about the next one: with a long name, with records."""
_RECORD = re.compile(rb"([0-9]{1,20}) [^=]+=")
HEAD_BYTES = _BLOCK
_LATEST_SECONDS = 1 << 33
"""In the year 2242: a PAX header may say any number, and what keeps times keeps 64 bits of nanoseconds."""


def is_tar(head: bytes) -> bool:
    """Tell by its first block whether a file is a TAR: by its mark, or by the checksum of the first header."""
    if head[_MAGIC_AT:].startswith(_MAGIC):
        return True
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def is_end(head: bytes) -> bool:
    """Tell whether a TAR ends where it begins: it holds nothing."""
    return len(head) == _BLOCK and not head.strip(b"\0")


def list_tar(file: IO[bytes], start: int, size_bytes: int) -> Contents:
    """List the TAR that lies in an open file; raises :class:`BrokenArchiveError`, and what :mod:`tarfile` raises."""
    piece = Piece(file, start, size_bytes, _MOST_HEADER_BYTES)
    contents = Contents()
    plain: dict[str, Member] = {}
    end, count = 0, 0
    with tarfile.open(fileobj=piece, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]
        try:
            while (info := archive.next()) is not None:
                archive.members.clear()  # it would keep them all
                count += 1
                _refuse(info, count, is_onward=archive.offset > end)
                if reason := _why_more_than_told(piece, end, info):
                    contents.troubles.append(Trouble("", reason))
                end = archive.offset
                _take(info, start, size_bytes, plain, contents)
        except (tarfile.TarError, BrokenArchiveError, ValueError) as error:
            if not count:
                raise
            contents.troubles.append(Trouble("", f"it is broken at byte {archive.offset:,}: {error}"))
            return contents
        end = archive.offset
    # A TAR ends in blocks of zeros: cut off between two members it lacks nothing else.
    if size_bytes - end < _BLOCK:
        contents.troubles.append(Trouble("", "its end is missing: it may have been cut off"))
    elif not is_blank(piece, end, size_bytes):
        reason = f"it holds {size_bytes - end:,} bytes that belong to none of its members"
        contents.troubles.append(Trouble("", reason))
    return contents


def _refuse(info: tarfile.TarInfo, count: int, *, is_onward: bool) -> None:
    if not is_onward or info.size < 0:  # a crafted archive would be read for ever
        raise BrokenArchiveError("its headers lead backwards")
    if count > MOST_MEMBERS:
        raise BrokenArchiveError(f"it has more than {MOST_MEMBERS:,} members")


def _why_more_than_told(piece: Piece, start: int, info: tarfile.TarInfo) -> str | None:
    """Tell why the headers of a member, from ``start`` on, hold what nobody is told of; None where they do not."""
    place, payload_bytes = start, 0
    while place + _BLOCK < info.offset_data:
        piece.seek(place)
        header = tarfile.TarInfo.frombuf(piece.read(_BLOCK), "utf-8", "surrogateescape")
        if header.type not in _NAMING | _TELLING:
            break
        payload = piece.read(-(-header.size // _BLOCK) * _BLOCK)
        # Programs read a name up to its NUL; a photo may lie behind that.
        if header.type in _NAMING and b"\0" in payload.rstrip(b"\0"):
            return f"the header of {info.name} holds more than a name"
        if header.type in _TELLING and not _are_records(payload[: header.size], payload[header.size :]):
            return f"the header of {info.name} holds more than its records"
        payload_bytes += len(payload.rstrip(b"\0"))
        place += _BLOCK + len(payload)
    extra_bytes = payload_bytes - len(info.name.encode("utf-8", "surrogateescape"))
    if extra_bytes > MOST_EXTRA_BYTES:
        return f"the headers of {info.name} hold {extra_bytes:,} bytes beside its name"
    return None


def _are_records(payload: bytes, padding: bytes) -> bool:
    """Tell whether a PAX header holds whole records, and behind them zeros."""
    place = 0
    while match := _RECORD.match(payload, place):
        end = place + int(match[1])
        if not match.end() < end <= len(payload) or payload[end - 1 : end] != b"\n":
            return False
        place = end
    return not (payload[place:] + padding).strip(b"\0")


def _take(info: tarfile.TarInfo, start: int, size_bytes: int, plain: dict[str, Member], contents: Contents) -> None:
    """Take in what one header tells of; ``plain`` has, by name, the files before it."""
    reason = None
    if info.issparse():
        reason = "sparse file: not read"
    elif info.type in _FILES:
        # The tarfile module skips to the next header without a look at the data.
        if info.offset_data + info.size > size_bytes:
            reason = "it is cut off"
        else:
            when_ns = _modified_ns(info.mtime)
            member = Member(info.name, info.size, start + info.offset_data, info.size, modified_ns=when_ns)
            plain[info.name] = member
            contents.members.append(member)
    elif info.islnk():
        target = plain.get(info.linkname)
        if target is None:
            reason = "a link to a file that is not in the archive before it"
        else:
            contents.members.append(target._replace(name=info.name))
    elif info.issym():
        reason = "symbolic link: not followed"
    elif not info.isdir():
        reason = "not a regular file"
    if reason:
        contents.troubles.append(Trouble(info.name, reason))


def _modified_ns(mtime: float) -> int | None:
    """Return a time of a header in nanoseconds since 1970; None for none, and for what is no time: inf, nan, 1e300."""
    return int(mtime * 10**9) if 0 < mtime < _LATEST_SECONDS else None
