"""Answer of ``dupfind compare``, as values that reports render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dupfind.evidence.facts import Test
from dupfind.reasons import Reason, never_proves
from dupfind.values import HASH_BITS, Evidence, Problem, ScanSettings, Thumbnail, grade_rank


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the files."""

    path: str
    """As it was given."""
    size_bytes: int | None
    """None where there is no such file."""
    thumbnail: Thumbnail | None
    """None where it has none, and then ``error`` says why, but of films that another proves."""
    hashes: Mapping[str, str]
    """By algorithm the 64-bit hash of the upright thumbnail, in hex as imagehash writes it; empty without one."""
    error: str | None = None
    is_film: bool = False
    """Whether it is a film or a sound, of which bytes and packets are compared."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What one file, the witness, says of the other, the needle."""

    evidence: Evidence | None
    """The grade; None where the two are unlike, or where one of them could not be looked at."""
    reason: Reason | None
    """Why it is no stronger, or how the needle is turned; None when there is nothing to say."""
    orientation: int = 0
    """How the needle is turned to meet the witness: index 0 to 7, EXIF orientation less one."""
    distances_bits: Mapping[str, int] | None = None
    """By algorithm, of 64, in that orientation; None where the pictures were not compared."""
    check_bits: int | None = None
    """Of 256, the check hash, likewise."""
    tests: tuple[Test, ...] = ()
    """In the order in which they count; where the check hash fails there are no others."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first file and one of the others."""

    first: Compared
    other: Compared
    first_by_other: Proof
    """Is the first proved by the other: could it go?"""
    other_by_first: Proof
    seen: tuple[bytes, bytes] | None = None
    """64 x 64 grey values of the first, turned to meet the other, and of the other; None without two pictures."""
    error: str | None = None
    """Why there is no answer."""

    @property
    def weaker(self) -> Proof:
        """The one of the two proofs that says less; what holds of a pair holds whichever of the two is deleted."""
        return max(self.first_by_other, self.other_by_first, key=lambda proof: grade_rank(proof.evidence))

    @property
    def evidence(self) -> Evidence | None:
        """The grade of the pair."""
        return self.weaker.evidence

    @property
    def reason(self) -> Reason | None:
        """Why it is no stronger."""
        return self.weaker.reason

    @property
    def better(self) -> Compared | None:
        """The better copy, which shows all that the other one shows: the other can go. None where each can, or none."""
        proves = [
            proof.evidence is not None and proof.evidence.rank <= Evidence.SAME.rank
            for proof in (self.other_by_first, self.first_by_other)
        ]
        if proves[0] is proves[1]:
            return None
        return self.first if proves[0] else self.other

    def score(self, algorithm: str) -> float | None:
        """Return ``1 - distance / 64``; 1.0 for identical bytes, None where the pictures were not compared."""
        if self.evidence is Evidence.IDENTICAL:
            return 1.0
        distances_bits = self.first_by_other.distances_bits
        return None if distances_bits is None else 1.0 - distances_bits[algorithm] / HASH_BITS

    def is_accepted(self, accept: Evidence) -> bool:
        """Tell whether the two are ``accept`` or better: each way, or one of them is the better copy of the picture.

        Never where no more than a part is the same, or where two films only look alike.
        """
        grade = self.evidence if self.better is None else Evidence.SAME
        return grade is not None and grade.rank <= accept.rank and not self._is_never_proved()

    def can_go(self, accept: Evidence) -> bool:
        """Tell whether the other one is proved by the first, at ``accept`` or better."""
        grade = self.other_by_first.evidence
        is_proved = self.error is None and grade is not None and grade.rank <= accept.rank
        return is_proved and not self._is_never_proved()

    def _is_never_proved(self) -> bool:
        return any(never_proves(proof.reason) for proof in (self.first_by_other, self.other_by_first))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Everything that one run of ``dupfind compare`` has to say."""

    version: str
    settings: ScanSettings
    files: Sequence[Compared]
    """In the order of the command line."""
    pairs: Sequence[Comparison]
    """The first file with each of the others."""
    problems: Sequence[Problem]
    """The files that could not be looked at."""

    @property
    def is_answered(self) -> bool:
        """True when every pair has an answer."""
        return all(pair.error is None for pair in self.pairs)

    @property
    def are_accepted(self) -> bool:
        """True when every pair is at ``--accept`` or better."""
        return all(pair.is_accepted(self.settings.accept) for pair in self.pairs)
