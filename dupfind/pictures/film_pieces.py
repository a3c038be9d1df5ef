"""What counts of a film beside its packets, in pieces for a digest: bytes, and stretches of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from dupfind.pictures.container_format import Reader
from dupfind.pictures.film_packets import BrokenError

_BLOCK_BYTES = 1 << 20
_MOST_WORDS_BYTES = 1 << 16


class FilmReader(Reader):
    """A film, and how many bytes of it were taken for words: in many of them anything might hide."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._words_bytes = 0

    def leave_out(self, size_bytes: int) -> None:
        """Count words that are left out; raises where they are more than any program writes."""
        self._words_bytes += size_bytes
        if self._words_bytes > _MOST_WORDS_BYTES:
            raise BrokenError


class Span(NamedTuple):
    """A stretch of the file."""

    start: int
    stop: int

    def blocks(self, reader: Reader) -> Iterator[bytes]:
        """Yield what stands there, in blocks."""
        for place in range(self.start, self.stop, _BLOCK_BYTES):
            yield reader.at(place, min(_BLOCK_BYTES, self.stop - place))


Piece = bytes | Span


def marked(reader: Reader, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """Yield the bytes of each piece behind its length, so that no two rows of pieces have one row of bytes."""
    for piece in pieces:
        if isinstance(piece, Span):
            yield (piece.stop - piece.start).to_bytes(8, "big")
            yield from piece.blocks(reader)
        else:
            yield len(piece).to_bytes(8, "big")
            yield piece


def gaps(spans: Iterable[Span], covered: Iterable[Span]) -> Iterator[Span]:
    """Yield the parts of ``spans`` that are ``covered`` by none of the others; both are sorted by their starts.

    >>> list(gaps([Span(0, 10), Span(20, 30)], [Span(0, 4), Span(6, 22), Span(25, 26)]))
    [Span(start=4, stop=6), Span(start=22, stop=25), Span(start=26, stop=30)]
    """
    pending = iter(covered)
    part = next(pending, None)
    for start, stop in spans:
        place = start
        while place < stop:
            while part is not None and part.stop <= place:
                part = next(pending, None)
            if part is None or part.start >= stop:
                yield Span(place, stop)
                break
            if part.start > place:
                yield Span(place, part.start)
            place = part.stop
