"""Answer of ``dupfind find``, as values that reports render; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dupfind.reasons import Reason, is_fragment
from dupfind.values import HASH_BITS, Cataloged, Evidence, FileEntry, Problem, ScanSettings


class NearFile(NamedTuple):
    """One file of the haystack that a picture was found to be near to."""

    path: str
    """The root as the user gave it joined with the rest."""
    evidence: Evidence | None
    """How strongly it speaks for the picture; None where the two are unlike."""
    distance_bits: int | None
    """Of the two 64-bit hashes, in the orientation in which they come closest; None where bytes or parts were compared.
    """
    reason: Reason | None
    """Why it is no stronger, or how the picture differs (turned); None when there is nothing to say."""
    is_witness: bool
    """True when it is at ``--accept`` or better, and within the threshold."""
    entry: FileEntry | None = None
    """The file as it was when it was compared."""

    @property
    def score(self) -> float | None:
        """``1 - distance / 64``; 1.0 for identical bytes, None where only a part is the same."""
        return None if is_fragment(self.reason) else 1.0 - (self.distance_bits or 0) / HASH_BITS


FILMS_BY_BYTES = "films and sounds are found by their bytes only"
"""What is said of a film instead of that it is no picture."""
NO_SAME_FILM = "no other film or sound has its bytes or its packets"
"""Likewise, where its packets were compared."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The answer for one picture."""

    path: str
    """As it was given; ``-`` for standard input."""
    nearest: Sequence[NearFile] = ()
    """The best first: by grade, then by distance, then by path."""
    itself: Sequence[str] = ()
    """Where the file itself lies in the haystack, which proves nothing."""
    error: str | None = None
    """Why it could not be looked at; copies of its bytes may have been found all the same."""

    @property
    def witnesses(self) -> list[NearFile]:
        """Those that show that the picture was seen before."""
        return [near for near in self.nearest if near.is_witness]

    @property
    def is_seen(self) -> bool:
        """True when there is a witness."""
        return any(near.is_witness for near in self.nearest)


@dataclass(frozen=True, slots=True)
class FindResult:
    """Everything that one run of ``dupfind find`` has to say."""

    version: str
    settings: ScanSettings
    nearest: int
    """How many were asked for, for each picture."""
    sought: Sequence[Sought]
    """In the order of the command line."""
    files: int | None
    """Of the haystack; None where no image was there to be looked for."""
    pictures: int | None
    """How many of them are; None where none was asked for."""
    problems: Sequence[Problem]
    """Of the haystack."""
    catalogs: Sequence[Cataloged] = ()
    """What the answer rests on that nobody has looked at."""
    most_bits: int = HASH_BITS
    """Nothing farther away is told; with all bits there is no such bound."""

    @property
    def are_all_seen(self) -> bool:
        """True when every picture has a witness."""
        return all(image.is_seen for image in self.sought)
