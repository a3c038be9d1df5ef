"""Members of archives as entries: each opens itself, in whatever process.

A member is a stretch of a file: of the archive, or of the scratch file where the archive had to be unpacked. What is
not compressed is read where it lies; what is compressed is unpacked when somebody reads beyond its beginning: in memory
where it is small, else in a temporary file without a name. With that its length, its checksum and the end of its
compressed data are checked, so that nothing is proved by a member that is damaged.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from dupfind.archives.contents import read_fully
from dupfind.archives.limits import FREE_SHARE, MOST_MEMORY_BYTES
from dupfind.archives.scratch import Scratch, ScratchFile
from dupfind.archives.unpacking import ERRORS, raw_inflater
from dupfind.digest import digest_of
from dupfind.sources.entries import ChangedError, StoredEntry, entry_now, open_entry
from dupfind.values import FileEntry

_HEAD_BYTES = 1 << 16
"""What is known of a member before it is unpacked whole: enough to tell that a film is no picture."""
_BLOCK_BYTES = 1 << 20
_NUMBER_BYTES = 8
_MOST_NUMBER = (1 << 63) - 1


class Place(NamedTuple):
    """Where the bytes of a member lie."""

    archive: FileEntry
    """The archive on disk; of an archive in an archive, the one around it."""
    scratch: ScratchFile | None
    """What holds the bytes instead of it."""
    offset: int
    stored_bytes: int
    is_deflated: bool
    crc: int | None
    folder: str | None
    """Where it may be unpacked if it is large; None where it may not."""


class MemberEntry(StoredEntry):
    """A file in an archive, as it was listed."""

    place: Place
    keeper: Scratch | None = None
    """Keeps the scratch file as long as this process knows the entry."""

    @classmethod
    def of(cls, path: str, size_bytes: int, place: Place, keeper: Scratch | None) -> MemberEntry:
        """Make the entry of a member: it has the times of its archive, and a number of its own."""
        archive = place.archive
        number = 0
        if archive.inode:
            below = path[len(archive.path) :]
            parts = repr((archive[1:], below, place.offset, place.crc)).encode("utf-8", "surrogateescape")
            number = int.from_bytes(digest_of([parts])[:_NUMBER_BYTES], "big") & _MOST_NUMBER or 1
        entry = cls(path, size_bytes, archive.mtime_ns, archive.ctime_ns, number)
        entry.place, entry.keeper = place, keeper
        return entry

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), tuple(self), self.place)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it; raises as :meth:`~dupfind.sources.entries.StoredEntry.open`, ``OSError`` where it is damaged."""
        with _opened(self.place) as file:
            member = _MemberFile(file, self.place, self.size_bytes)
            with member.as_file() as content:
                yield content

    def now(self) -> FileEntry | None:
        """Look at the archive again."""
        now = entry_now(self.place.archive, follow_symlinks=True)
        if now is None:
            return None
        if now == self.place.archive:
            return self
        return self._replace(mtime_ns=now.mtime_ns, ctime_ns=now.ctime_ns, inode=0)


def _remade(class_: type[MemberEntry], fields: tuple[Any, ...], place: Place) -> MemberEntry:
    entry = class_(*fields)
    entry.place = place
    return entry


@contextmanager
def _opened(place: Place) -> Iterator[IO[bytes]]:
    """Open the file that holds the bytes; it is the one that was listed before and after."""
    if place.scratch is None:
        with open_entry(place.archive, is_buffered=False) as file:
            yield file
        return
    _refuse_other(place.archive)
    with open(place.scratch.path, "rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        if (found.st_dev, found.st_ino) != (place.scratch.device, place.scratch.inode):
            raise ChangedError
        yield file
    _refuse_other(place.archive)


def _refuse_other(archive: FileEntry) -> None:
    if entry_now(archive, follow_symlinks=True) != archive:
        raise ChangedError


def damaged(reason: str) -> OSError:
    """Return the error of a member whose bytes are not what its archive says."""
    return OSError(errno.EIO, f"the archive is damaged: {reason}")


class _MemberFile(io.RawIOBase):
    """A member as a file that can seek: its beginning at once, the whole of it when more is wanted.

    Nobody gets to the end of it unchecked: whatever is read beyond the beginning comes from a whole that was checked.
    """

    def __init__(self, file: IO[bytes], place: Place, size_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._place = place
        self._size_bytes = size_bytes
        self._at = 0
        self._head = b"" if size_bytes <= _HEAD_BYTES else self._read_head()
        self._whole: IO[bytes] | None = None if self._head else self._unpacked()

    @contextmanager
    def as_file(self) -> Iterator[IO[bytes]]:
        """Give it as a file to read from, and close it."""
        try:
            if isinstance(self._whole, io.BytesIO):
                yield self._whole
            else:
                yield io.BufferedReader(self, _HEAD_BYTES)
        finally:
            if self._whole is not None:
                self._whole.close()
            self._file = self._whole = None  # type: ignore[assignment]  # whoever kept the reader reads nothing more

    def readable(self) -> bool:
        """Tell that it is."""
        return True

    def seekable(self) -> bool:
        """Tell that it is."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; nothing is unpacked for that."""
        place += (0, self._at, self._size_bytes)[whence]
        if place < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = place
        return place

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever takes bytes
        """Read up to as many bytes as there is room for."""
        view = memoryview(buffer).cast("B")
        count = min(len(view), max(0, self._size_bytes - self._at))
        if self._whole is None and self._at + count <= len(self._head):
            view[:count] = self._head[self._at : self._at + count]
        else:
            if self._whole is None:
                self._whole = self._unpacked()
            self._whole.seek(self._at)
            data = read_fully(self._whole.read, count)
            if len(data) != count:
                raise damaged("it is cut off")
            view[:count] = data
        self._at += count
        return count

    def _read_head(self) -> bytes:
        self._file.seek(self._place.offset)
        with _in_plain_words():
            if not self._place.is_deflated:
                return read_fully(self._file.read, min(_HEAD_BYTES, self._place.stored_bytes))
            return b"".join(_inflated(self._stored(), _HEAD_BYTES))[:_HEAD_BYTES]

    def _stored(self) -> Iterator[bytes]:
        """Yield the bytes as they lie in the file."""
        self._file.seek(self._place.offset)
        left_bytes = self._place.stored_bytes
        while left_bytes:
            data = self._file.read(min(_BLOCK_BYTES, left_bytes))
            if not data:
                raise damaged("it is cut off")
            left_bytes -= len(data)
            yield data

    def _unpacked(self) -> IO[bytes]:
        """Unpack it whole, and check it."""
        with _in_plain_words():
            blocks = self._stored()
            if self._place.is_deflated:
                blocks = _inflated(blocks, self._size_bytes)
            if self._size_bytes <= MOST_MEMORY_BYTES:
                return io.BytesIO(b"".join(self._checked(blocks)))
            if self._place.is_deflated:
                return self._spooled(blocks)
            for _ in self._checked(blocks) if self._place.crc is not None else ():
                pass
        return _Stretch(self._file, self._place.offset, self._size_bytes)  # type: ignore[return-value]

    def _spooled(self, blocks: Iterator[bytes]) -> IO[bytes]:
        """Unpack it into a temporary file that has no name."""
        folder = self._place.folder
        if folder is None:
            raise OSError(errno.ENOSPC, "it would have to be unpacked, and temporary files lie below what is compared")
        room = os.statvfs(folder) if hasattr(os, "statvfs") else None
        if room is not None and self._size_bytes > room.f_bavail * room.f_frsize * FREE_SHARE:
            raise OSError(errno.ENOSPC, f"there is no room to unpack it in {folder}")
        scratch = tempfile.TemporaryFile(prefix="dupfind-", dir=folder)  # noqa: SIM115 - closed with this file
        try:
            for block in self._checked(blocks):
                scratch.write(block)
            scratch.flush()
        except BaseException:
            scratch.close()
            raise
        return scratch

    def _checked(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass blocks on; raises ``OSError`` where their length or their checksum is not what was listed."""
        length_bytes = crc = 0
        for block in blocks:
            length_bytes += len(block)
            if length_bytes > self._size_bytes:
                raise damaged("it holds more than its directory says")
            if self._place.crc is not None:
                crc = zlib.crc32(block, crc)
            yield block
        if length_bytes != self._size_bytes:
            raise damaged("it holds less than its directory says")
        if self._place.crc is not None and crc != self._place.crc:
            raise damaged("the checksum is not that of its directory")


class _Stretch:
    """A part of an open file, read where it lies."""

    def __init__(self, file: IO[bytes], start: int, size_bytes: int) -> None:
        self._file = file
        self._start = start
        self._size_bytes = size_bytes
        self._at = 0

    def seek(self, place: int) -> int:
        """Go to a place."""
        self._at = place
        return place

    def read(self, count: int) -> bytes:
        """Read up to ``count`` bytes."""
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(count, self._size_bytes - self._at)))
        self._at += len(data)
        return data

    def close(self) -> None:
        """Leave the file to who opened it."""


def _inflated(blocks: Iterator[bytes], most_bytes: int) -> Iterator[bytes]:
    """Inflate; stops behind ``most_bytes``, and only where all has been read tells whether the end was the end."""
    stream = raw_inflater()
    length_bytes = 0
    for data in blocks:
        if stream.eof:
            raise damaged("bytes follow its compressed data")
        waiting = data
        while waiting or not (stream.needs_input or stream.eof):
            out = stream.decompress(waiting, _BLOCK_BYTES)
            waiting = b""
            length_bytes += len(out)
            yield out
            if length_bytes > most_bytes:
                return
    if stream.unused_data:
        raise damaged("bytes follow its compressed data")
    if not stream.eof:
        raise damaged("its compressed data has no end")


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Say of damaged data what the system would say of a damaged disk."""
    try:
        yield
    except OSError:
        raise
    except ERRORS:
        raise damaged("its compressed data cannot be unpacked") from None
