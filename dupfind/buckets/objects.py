"""Objects as entries: each opens itself, in whatever process, and is read in ranges that grow.

Every range is asked for in the state that was listed (by tag, size and time), so what is read in several pieces is of
one state, or is not read at all.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import IO, Any, NamedTuple

from dupfind.buckets.store import TAGGED, State, Store
from dupfind.buckets.stores import store_of
from dupfind.errors import DupfindError
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import StoredEntry
from dupfind.values import FileEntry

_FIRST_BYTES, _MOST_BYTES = 1 << 15, 1 << 23
"""How much is asked for at first, which is where pictures have their previews, and at most, as somebody reads on."""
_NUMBER_BYTES = 8
_MOST_NUMBER = (1 << 63) - 1


class Place(NamedTuple):
    """Where an object is to be had; no key or password is in it."""

    address: Address
    counts: str
    """The folder where its requests are counted."""

    def store(self) -> Store:
        """Return this process's store; raises ``OSError``, so that one file fails."""
        try:
            return store_of(self.address, self.counts)
        except DupfindError as error:
            raise OSError(str(error)) from None


class ObjectEntry(StoredEntry):
    """An object, as it was listed."""

    place: Place
    key: str
    tag: str

    @classmethod
    def of(cls, path: str, key: str, state: State, place: Place) -> ObjectEntry:
        """Make the entry of an object.

        Its number is made of all that tells its states apart, and is 0, so that nothing is remembered of it, where a
        server says no more than a size and a time.
        """
        entry = cls(path, state.size_bytes, state.mtime_ns, state.mtime_ns, _number(place.address, key, state))
        entry.place, entry.key, entry.tag = place, key, state.tag
        return entry

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (tuple(self), self.place, self.key, self.tag)

    @property
    def state(self) -> State:
        """Return what was listed of it."""
        return State(self.size_bytes, self.mtime_ns, self.tag)

    @property
    def is_only_here(self) -> bool:
        """Tell that it is: keys and passwords are those of this machine, and so is the folder that counts."""
        return True

    @property
    def can_be_looked_into(self) -> bool:
        """Tell that it can, in ranges."""
        return True

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it; nothing is asked for before somebody reads."""
        with io.BufferedReader(_ObjectFile(self), _FIRST_BYTES) as file:
            yield file

    def blocks(self) -> Iterator[bytes]:
        """Yield all of its bytes, piece after piece."""
        store = self.place.store()
        for start in range(0, self.size_bytes, _MOST_BYTES):
            yield store.read(self.key, self.state, start, min(self.size_bytes, start + _MOST_BYTES))

    def now(self) -> FileEntry | None:
        """Ask for it again, without its content."""
        state = self.place.store().look(self.key)
        return None if state is None else ObjectEntry.of(self.path, self.key, state, self.place)


def _remade(fields: tuple[Any, ...], place: Place, key: str, tag: str) -> ObjectEntry:
    entry = ObjectEntry(*fields)
    entry.place, entry.key, entry.tag = place, key, tag
    return entry


def _number(address: Address, key: str, state: State) -> int:
    # Without all of these an object that was replaced cannot be told from the old one: nothing of it is remembered.
    if address.scheme not in TAGGED or not state.tag or not state.mtime_ns:
        return 0
    text = repr((address[:4], key, state)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=_NUMBER_BYTES).digest()) & _MOST_NUMBER or 1


class _ObjectFile(io.RawIOBase):
    """An object as a file that can seek; keeps the range that was read last."""

    def __init__(self, entry: ObjectEntry) -> None:
        super().__init__()
        self._entry = entry
        self._store = entry.place.store()
        self._at = 0
        self._start = 0
        self._content = b""
        self._window_bytes = _FIRST_BYTES

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
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._entry.size_bytes}[whence]
        if base + place < 0:
            raise OSError(22, "Invalid argument")
        self._at = base + place
        return self._at

    def readinto(self, target: Any) -> int:  # noqa: ANN401 - any buffer; typing has no word for it before 3.12
        """Read up to the end of the range that is here, or of the next one."""
        view = memoryview(target).cast("B")
        if self._at >= self._entry.size_bytes or not view:
            return 0
        if not self._start <= self._at < self._start + len(self._content):
            self._fetch(len(view))
        begin = self._at - self._start
        piece = self._content[begin : begin + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _fetch(self, wanted_bytes: int) -> None:
        """Ask for the range at the place; who reads on gets twice as much each time, who jumps little."""
        is_next = bool(self._content) and self._at == self._start + len(self._content)
        self._window_bytes = min(_MOST_BYTES, self._window_bytes * 2) if is_next else _FIRST_BYTES
        end = min(self._entry.size_bytes, self._at + max(self._window_bytes, min(wanted_bytes, _MOST_BYTES)))
        self._content = self._store.read(self._entry.key, self._entry.state, self._at, end)
        self._start = self._at
