"""Members of archives as entries: each opens itself, in whatever process.

A member is a stretch of a file: of the archive, or of the scratch file where the archive had to be unpacked. What is
not compressed is read where it lies; what is compressed is unpacked when somebody reads beyond its beginning: in memory
where it is small, else in a temporary file without a name. Whoever has read beyond the beginning has had length,
checksum and the end of the compressed data checked, so that nothing is proved by a member that is damaged.
"""

from __future__ import annotations

import errno
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from dupfind.archives.contents import read_fully
from dupfind.archives.limits import FREE_SHARE, MOST_MEMORY_BYTES
from dupfind.archives.scratch import ScratchFile, Unpacked
from dupfind.archives.unpacking import ERRORS, raw_inflater
from dupfind.digest import digest_of
from dupfind.sources.entries import ChangedError, StoredEntry, entry_now, open_entry
from dupfind.values import FileEntry

_RECIPE = 1
"""Version of the way from archives to members. Raise it with every change by which a path may mean another member."""
_HEAD_BYTES = 1 << 16
"""What is known of a member before it is unpacked whole: enough to tell that a film is no picture."""
_FIRST_BYTES = 1 << 18
"""Likewise of a compressed member, which is unpacked in pieces of this size."""
_BLOCK_BYTES = 1 << 20
_NUMBER_BYTES = 8
_MOST_NUMBER = (1 << 63) - 1

PENDING = ScratchFile("", 0, 0)
"""Stands for the scratch file in this program's own process, which knows what is to be unpacked into it."""


class Place(NamedTuple):
    """Where the bytes of a member lie."""

    archive: FileEntry
    """The archive on disk; of an archive in an archive, the one around it."""
    scratch: ScratchFile | None
    """What holds the bytes instead of it; :data:`PENDING` where that is to be unpacked."""
    offset: int
    """In what holds the bytes; as long as it is to be unpacked, in what it unpacks to."""
    stored_bytes: int
    is_deflated: bool
    crc: int | None
    folder: str | None
    """Where it may be unpacked if it is large; None where it may not."""
    modified_ns: int | None = None
    """When the member was changed, as its archive says; no part of what tells it from others."""


class MemberEntry(StoredEntry):
    """A file in an archive, as it was listed."""

    place: Place
    unpacked: Unpacked | None = None
    """What holds the bytes of one whose place is pending; only in this program's own process."""

    @classmethod
    def of(cls, path: str, size_bytes: int, place: Place, unpacked: Unpacked | None, ordinal: int) -> MemberEntry:
        """Make the entry of a member: it has the times of its archive, and a number of its own.

        ``ordinal`` tells it from the other members of its archive.
        """
        archive = place.archive
        number = 0
        if archive.inode:
            below = path[len(archive.path) :]
            parts = _RECIPE, archive[1:], below, ordinal, place.crc
            digest = digest_of([repr(parts).encode("utf-8", "surrogateescape")])
            number = int.from_bytes(digest[:_NUMBER_BYTES], "big") & _MOST_NUMBER or 1
        entry = cls(path, size_bytes, archive.mtime_ns, archive.ctime_ns, number)
        entry.place, entry.unpacked = place, unpacked
        return entry

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            place = self._unpacked_place()
        except (OSError, ChangedError):
            place = self.place  # who opens it there is told that it cannot be read
        return _remade, (type(self), tuple(self), place)

    def _unpacked_place(self) -> Place:
        """Return where it lies, once that is unpacked; raises ``OSError`` and :class:`ChangedError`."""
        if self.unpacked is None or self.place.scratch != PENDING:
            return self.place
        scratch, start = self.unpacked.place()
        return self.place._replace(scratch=scratch, offset=start + self.place.offset)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it; raises as :meth:`~dupfind.sources.entries.StoredEntry.open`, ``OSError`` where it is damaged."""
        place = self._place_to_open()
        with _opened(place) as file:
            kind = _Deflated if place.is_deflated else _Stored
            with io.BufferedReader(kind(file, place, self.size_bytes), _HEAD_BYTES) as content:
                yield content
                content.raw.finish()

    @property
    def is_only_here(self) -> bool:
        """Tell whether it lies in a scratch file, which is one of this machine, or will; or whether its archive is."""
        archive = self.place.archive
        return self.place.scratch is not None or (isinstance(archive, StoredEntry) and archive.is_only_here)

    @property
    def modified_ns(self) -> int | None:
        """Return when it was changed before it was packed; ``mtime_ns`` is that of the archive."""
        return self.place.modified_ns

    def blocks(self) -> Iterator[bytes]:
        """Yield all of its bytes in order; raises as :meth:`open`. Nothing of a compressed one is kept meanwhile."""
        place = self._place_to_open()
        if not place.is_deflated:
            yield from super().blocks()
            return
        with _opened(place) as file, _in_plain_words():
            yield from _checked(_inflated(_stored(file, place)), place, self.size_bytes)

    def _place_to_open(self) -> Place:
        place = self._unpacked_place()
        if place.scratch == PENDING:
            raise OSError(errno.EIO, "the archive around it cannot be unpacked")
        return place

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
        state = os.fstat(file.fileno())
        if (state.st_dev, state.st_ino) != (place.scratch.device, place.scratch.inode):
            raise ChangedError
        yield file
    _refuse_other(place.archive)


def _refuse_other(archive: FileEntry) -> None:
    # An archive that was written anew has another member at this place.
    if entry_now(archive, follow_symlinks=True) != archive:
        raise ChangedError


def damaged(reason: str) -> OSError:
    """Return the error of a member whose bytes are not what its archive says."""
    return OSError(errno.EIO, f"the archive is damaged: {reason}")


class _MemberFile(io.RawIOBase):
    """A member as a file that can seek; a subclass each for members that are compressed and that are not."""

    def __init__(self, file: IO[bytes], place: Place, size_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._place = place
        self._size_bytes = size_bytes
        self._at = 0
        self._damage: OSError | None = None
        """What was found to be wrong with it: whoever reads may have taken it for something else and gone on."""

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
        """Go to a place; nothing is read for that."""
        place += (0, self._at, self._size_bytes)[whence]
        if place < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = place
        return place

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever takes bytes
        """Read up to as many bytes as there is room for; raises ``OSError`` where the member is damaged."""
        view = memoryview(buffer).cast("B")
        count = min(len(view), max(0, self._size_bytes - self._at))
        if count:
            self._guarded(lambda: self._fill(view[:count]))
        self._at += count
        return count

    def finish(self) -> None:
        """Check what nobody has read, where more than the beginning was: proof may rest on it. Raises ``OSError``."""
        self._guarded(self._check_rest)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something; what it says of damage is said again from then on."""
        if self._damage is not None:
            raise self._damage
        try:
            work()
        except OSError as error:
            self._damage = error
            raise

    def _check_rest(self) -> None:
        """Check what nobody has read."""
        raise NotImplementedError

    def _fill(self, view: memoryview) -> None:
        """Give the bytes from here on."""
        raise NotImplementedError


class _Stored(_MemberFile):
    """A member that is not compressed, read where it lies; its checksum is made as it is read in order."""

    def __init__(self, file: IO[bytes], place: Place, size_bytes: int) -> None:
        super().__init__(file, place, size_bytes)
        self._crc = 0
        self._summed_bytes = 0
        """How much of it the checksum is of."""
        self._is_checked = place.crc is None

    def _check_rest(self) -> None:
        if self._summed_bytes > _HEAD_BYTES or self._size_bytes <= _HEAD_BYTES:
            self._check()

    def _fill(self, view: memoryview) -> None:
        end = self._at + len(view)
        if not self._is_checked and self._at > self._summed_bytes and end > _HEAD_BYTES:
            self._check()
        self._file.seek(self._place.offset + self._at)
        place = 0
        while place < len(view):
            count = self._file.readinto(view[place:])  # type: ignore[attr-defined]
            if not count:
                raise damaged("it is cut off")
            place += count
        if not self._is_checked and self._at <= self._summed_bytes < end:
            self._add(view[self._summed_bytes - self._at :])

    def _check(self) -> None:
        if not self._is_checked:
            for block in _stored(self._file, self._place, self._summed_bytes):
                self._add(block)
            self._add(b"")

    def _add(self, data: bytes | memoryview) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._summed_bytes += len(data)
        if self._summed_bytes == self._size_bytes:
            self._is_checked = True
            # The directory of the ZIP says what the member was when it was packed.
            if self._crc != self._place.crc:
                raise damaged("the checksum is not that of its directory")


class _Deflated(_MemberFile):
    """A compressed member: unpacked in memory as far as it is read, or, where it is large, as a whole on disk."""

    def __init__(self, file: IO[bytes], place: Place, size_bytes: int) -> None:
        super().__init__(file, place, size_bytes)
        self._blocks = self._inflated()
        self._unpacked = bytearray()
        self._scratch: IO[bytes] | None = None

    def close(self) -> None:
        """Give back what it was unpacked into."""
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None
        super().close()

    def _check_rest(self) -> None:
        if len(self._unpacked) > _FIRST_BYTES or self._size_bytes <= _FIRST_BYTES:
            self._unpack(self._size_bytes)

    def _fill(self, view: memoryview) -> None:
        end = self._at + len(view)
        if end > _FIRST_BYTES and self._size_bytes > MOST_MEMORY_BYTES:
            self._fill_from_disk(view)
            return
        self._unpack(end)
        with memoryview(self._unpacked) as unpacked:
            view[:] = unpacked[self._at : end]

    def _unpack(self, end: int) -> None:
        """Unpack up to ``end``; whoever comes to the end of the member has all of it checked."""
        with _in_plain_words():
            while len(self._unpacked) < end or end == self._size_bytes:
                block = next(self._blocks, None)
                if block is None:
                    return
                self._unpacked += block

    def _fill_from_disk(self, view: memoryview) -> None:
        if self._scratch is None:
            self._unpacked.clear()
            with _in_plain_words():
                self._scratch = self._spooled(self._inflated())
        self._scratch.seek(self._at)
        data = read_fully(self._scratch.read, len(view))
        if len(data) != len(view):
            raise damaged("it is cut off")
        view[:] = data

    def _spooled(self, blocks: Iterator[bytes]) -> IO[bytes]:
        """Put it into a temporary file that has no name."""
        folder = self._place.folder
        if folder is None:
            raise OSError(errno.ENOSPC, "it would have to be unpacked, and temporary files lie below what is compared")
        room = os.statvfs(folder) if hasattr(os, "statvfs") else None
        if room is not None and self._size_bytes > room.f_bavail * room.f_frsize * FREE_SHARE:
            raise OSError(errno.ENOSPC, f"there is no room to unpack it in {folder}")
        import tempfile

        scratch = tempfile.TemporaryFile(prefix="dupfind-", dir=folder)  # noqa: SIM115 - closed with this file
        try:
            for block in blocks:
                scratch.write(block)
            scratch.flush()
        except BaseException:
            scratch.close()
            raise
        return scratch

    def _inflated(self) -> Iterator[bytes]:
        return _checked(_inflated(_stored(self._file, self._place)), self._place, self._size_bytes)


def _stored(file: IO[bytes], place: Place, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes of a member as they lie in the file, from ``start`` on."""
    file.seek(place.offset + start)
    left_bytes = place.stored_bytes - start
    while left_bytes:
        data = file.read(min(_BLOCK_BYTES, left_bytes))
        if not data:
            raise damaged("it is cut off")
        left_bytes -= len(data)
        yield data


def _checked(blocks: Iterator[bytes], place: Place, size_bytes: int) -> Iterator[bytes]:
    """Pass blocks on; raises ``OSError`` where their length or their checksum is not what was listed."""
    length_bytes = crc = 0
    for block in blocks:
        length_bytes += len(block)
        if length_bytes > size_bytes:
            raise damaged("it holds more than its directory says")
        if place.crc is not None:
            crc = zlib.crc32(block, crc)
        yield block
    if length_bytes != size_bytes:
        raise damaged("it holds less than its directory says")
    if place.crc is not None and crc != place.crc:
        raise damaged("the checksum is not that of its directory")


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate; tells at the end whether the compressed data ends there, too."""
    stream = raw_inflater()
    for data in blocks:
        if stream.eof:
            raise damaged("bytes follow its compressed data")
        waiting = data
        while waiting or not (stream.needs_input or stream.eof):
            out = stream.decompress(waiting, _FIRST_BYTES)
            waiting = b""
            if out:
                yield out
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
