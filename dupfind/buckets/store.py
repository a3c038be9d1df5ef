"""What a bucket or a server of files is to the rest of this package: it lists, tells of one object, reads a part of it.

A store lives in one process and serves all of its threads. Everything that it does is bounded: how long a server may
say nothing, how long an answer may take, how often something is tried again. It reads keys and passwords where its
protocol keeps them, and tells nobody of them.
"""

from __future__ import annotations

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from dupfind.errors import ServerError
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import ChangedError
from dupfind.sources.separate_systems import is_this_machine

T = TypeVar("T")

TRIES, PAUSE_SECONDS, MOST_PAUSE_SECONDS = 5, 0.25, 20.0
"""How often something is asked, how long is waited before the second time, twice as long before each further one."""
MOST_FAILURES = 10
"""How many times in a row, in one process, no answer may come before nothing is asked any more."""
CONNECT_SECONDS, SILENCE_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 120.0
"""How long a server may take to be reached, may say nothing, and may take for one answer."""
MOST_LISTED, MOST_LISTING_SECONDS = 10_000_000, 24 * 3600.0
"""How many objects and folders one listing may have, which takes some gigabytes of memory, and how long it may take."""
MOST_ANSWER_BYTES = 16 << 20
"""Of an answer that is no content of an object: a page of a thousand names of the greatest length has 4 MB."""
LEAST_BYTES_A_SECOND = 50_000
"""What is slower for long has failed."""
CONNECTIONS = 16
"""How many requests are under way at once, at most, where many objects are looked at."""
TAGGED = frozenset({"s3"})
"""Schemes whose listings have all that tells two states of an object apart, so that what was read may be remembered."""
MOST_SIZE_BYTES = (1 << 63) - 1
"""What no file of any system exceeds, and no column of the cache."""
NO_ACCESS = "access denied"
CUT_SHORT = "its answer ended before its end"


class State(NamedTuple):
    """What a store says of an object, as far as it tells two states of it apart."""

    size_bytes: int
    mtime_ns: int
    """When it was stored, or changed; 0 where nobody says so."""
    tag: str = ""
    """Its ETag, which is no proof of what is in it; empty where there is none that tells any two states apart."""


def size_of(digits: str) -> int | None:
    """Return a size in bytes that a server writes in digits; None where no file can have it.

    >>> size_of("12"), size_of(""), size_of("-1"), size_of("9" * 5000)
    (12, None, None, None)
    """
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(MOST_SIZE_BYTES))
    return int(digits) if is_number and int(digits) <= MOST_SIZE_BYTES else None


def ns_of(seconds: float) -> int:
    """Return a time since 1970 in whole seconds as nanoseconds; 0, as where nobody says so, for one that no file has.

    >>> ns_of(1.5), ns_of(253402300799.0)
    (1000000000, 0)
    """
    mtime_ns = int(seconds) * 10**9
    return mtime_ns if abs(mtime_ns) <= MOST_SIZE_BYTES else 0


class Listed(NamedTuple):
    """One object of a listing."""

    key: str
    """Its whole name, as the store spells it."""
    state: State


class Trouble(NamedTuple):
    """What a listing has of something that is no object that could be read, such as a folder that is denied."""

    key: str
    reason: str


class GaveUpError(OSError):
    """Something was asked for as often, or for as long, as can be, and no answer came."""


class EndlessError(OSError):
    """An answer came, and went on for longer than any answer of its kind does."""


class AgainError(Exception):
    """Something went wrong on the way, and may go well when it is asked for again."""


class Part(NamedTuple):
    """A part of an object that is asked for, and until when."""

    start: int
    end: int
    deadline: float
    """By ``time.monotonic``."""

    def left(self, content: bytearray) -> int:
        """Return how many bytes are still to come."""
        return self.end - self.start - len(content)

    def seconds(self) -> float:
        """Return how much time is left."""
        return max(0.0, self.deadline - time.monotonic())

    def refuse_late(self) -> None:
        """Raise ``OSError`` where it has taken too long."""
        if time.monotonic() > self.deadline:
            raise GaveUpError("reading it takes too long")


class Bounds:
    """Counts what a listing gives: a server may go on for ever, with names and folders that are always new."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._left = MOST_LISTED
        self._deadline = time.monotonic() + MOST_LISTING_SECONDS

    def count(self) -> None:
        """Count one more; raises :class:`~dupfind.errors.ServerError` where it is one too many, or too late."""
        self._left -= 1
        if self._left < 0:
            raise ServerError(self._words(f"it has more than {MOST_LISTED:,} objects and folders"))
        if time.monotonic() > self._deadline:
            raise ServerError(self._words(f"that takes more than {MOST_LISTING_SECONDS / 3600:g} hours"))

    def _words(self, what: str) -> str:
        return f"{self._url} cannot be listed: {what}, or has no end: name folders of it instead"


def within_bounds(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks of an answer that is no content of an object; raises ``EndlessError`` where it is too long."""
    left_bytes, deadline = MOST_ANSWER_BYTES, time.monotonic() + ANSWER_SECONDS
    for block in blocks:
        left_bytes -= len(block)
        if left_bytes < 0 or time.monotonic() > deadline:
            raise EndlessError("an answer that is too long, or takes too long")
        yield block


class Store(ABC):
    """One bucket or server; ``count`` is told of each request, and of each byte that came."""

    def __init__(self, address: Address, count: Callable[[int, int], None]) -> None:
        self.address = address
        self.count = count
        self._failures = 0
        """How many times in a row no answer has come."""

    @property
    def host(self) -> str:
        """The name or the address of the machine that is asked."""
        return self.address.host

    @property
    def is_here(self) -> bool:
        """Tell whether it is this machine, whose disks it may show."""
        host = self.host.casefold()
        return is_this_machine(host) or any(map(is_this_machine, _addresses_of(host)))

    @property
    def prefix(self) -> str:
        """What the keys of all that is at and below the folder begin with, up to the slash behind it."""
        return f"{self.address.folder}/" if self.address.folder else ""

    def ask(self, ask: Callable[[], T]) -> T:
        """Return what ``ask`` gives, asked several times where that may help; raises ``OSError`` where it does not."""
        for tries in range(1, TRIES + 1):
            try:
                return ask()
            except AgainError as error:
                if tries == TRIES:
                    raise GaveUpError(str(error)) from None
                time.sleep(pause_seconds(tries))
        raise AssertionError

    @abstractmethod
    def list(self) -> Iterator[Listed | Trouble]:
        """Yield everything at and below the folder of the address.

        Raises :class:`~dupfind.errors.ServerError` where the listing is not whole, or has no end that could be waited
        for (:class:`Bounds`): nothing can be said then.
        """

    def look(self, key: str) -> State | None:
        """Tell what is there now; None where nothing is. Raises ``OSError``."""
        return self._unless_gone(lambda: self.look_at(key))

    @abstractmethod
    def look_at(self, key: str) -> State | None:
        """Tell likewise."""

    def _unless_gone(self, ask: Callable[[], T]) -> T:
        """Return what ``ask`` gives; a server that has given no answer for long is not waited for any more.

        Each silence takes minutes, and there may be a hundred thousand objects.
        """
        if self._failures >= MOST_FAILURES:
            raise OSError(f"the server has failed {MOST_FAILURES} times in a row, and is not asked any more")
        try:
            answer = ask()
        except GaveUpError:
            self._failures += 1
            raise
        except (OSError, ChangedError):
            self._failures = 0
            raise
        self._failures = 0
        return answer

    def read(self, key: str, state: State, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``, all of them, of the object in this very state.

        What breaks off is asked for again from there on. Raises :class:`~dupfind.sources.entries.ChangedError` where it
        is in another state, ``OSError`` else.
        """
        return self._unless_gone(lambda: self._read(key, state, start, end))

    def _read(self, key: str, state: State, start: int, end: int) -> bytes:
        content = bytearray()
        part = Part(start, end, time.monotonic() + ANSWER_SECONDS + (end - start) / LEAST_BYTES_A_SECOND)
        tries = 0
        while part.left(content) > 0:
            before, failure = len(content), CUT_SHORT
            try:
                self.read_on(key, state, content, part)
            except AgainError as error:
                failure = str(error)
            tries = 0 if len(content) > before else tries + 1
            if part.left(content) > 0:
                if tries == TRIES:
                    raise GaveUpError(failure)
                part.refuse_late()
                time.sleep(pause_seconds(tries or 1))
        return bytes(content)

    @abstractmethod
    def read_on(self, key: str, state: State, content: bytearray, part: Part) -> None:
        """Add to ``content``, which begins where ``part`` does, what one answer gives of the rest; no byte beyond.

        Raises :class:`AgainError` where asking again may help, ``ChangedError`` and ``OSError`` as :meth:`read`.
        """

    @abstractmethod
    def close(self) -> None:
        """Close what is open."""


def _addresses_of(host: str) -> set[str]:
    """Return the addresses that a name has here: ``photos.home`` may be this machine by its table of hosts."""
    try:
        return {str(place[0]) for *_, place in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return set()


def pause_seconds(tries: int) -> float:
    """Return how long to wait after so many tries that failed.

    >>> pause_seconds(1), pause_seconds(3), pause_seconds(99)
    (0.25, 1.0, 20.0)
    """
    return min(MOST_PAUSE_SECONDS, PAUSE_SECONDS * 2.0 ** min(tries - 1, 10))
