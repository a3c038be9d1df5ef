"""Answer of ``dupfind explain``, as values that reports render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dupfind.evidence.facts import Test
from dupfind.reasons import Reason
from dupfind.values import SETTLED, Cataloged, Evidence, FileVerdict, Problem, ProblemCode, ScanSettings


@dataclass(frozen=True, slots=True)
class Advice:
    """What would make a witness of a haystack picture."""

    options: tuple[str, ...] = ()
    """The options that, all together, would; empty where none would."""
    obstacle: Reason | None = None
    """Why no option would; None where some would."""


@dataclass(frozen=True, slots=True)
class NearPicture:
    """One haystack picture as seen from a needle, in the orientation in which it comes closest."""

    path: str
    """As the user would spell it."""
    distance_bits: int
    """Of 64, by the algorithm that candidates are searched by."""
    check_bits: int
    """Of 256, the check hash."""
    orientation: int
    """How the needle is turned to meet it: index 0 to 7, EXIF orientation less one."""
    evidence: Evidence | None
    reason: Reason | None
    tests: tuple[Test, ...]
    """In the order in which they count; where the check hash fails there are no others."""
    advice: Advice

    @property
    def failed(self) -> Test | None:
        """The first test that failed; None where all passed."""
        return next((test for test in self.tests if not test.passed), None)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one needle has its verdict."""

    verdict: FileVerdict
    """The one that a scan would give."""
    orientation: int | None
    """Of the needle against its witness; None where there is none or bytes were compared."""
    tests: tuple[Test, ...]
    """Of the witness; empty where there is none or bytes were compared."""
    nearest: tuple[NearPicture, ...]
    """The nearest haystack pictures, the best first; empty for what is present or no picture."""
    advice: Advice | None
    """What would make the needle present; None where it is."""
    itself: tuple[str, ...] = ()
    """Where the needle itself lies in the haystack; it was not taken for its own witness."""


@dataclass(frozen=True, slots=True)
class ExplainResult:
    """Everything that one run of ``dupfind explain`` has to say."""

    version: str
    settings: ScanSettings
    explanations: Sequence[Explanation]
    problems: Sequence[Problem]
    """Of the haystack."""
    catalogs: tuple[Cataloged, ...] = ()

    @property
    def not_trusted(self) -> int:
        """How many folders and files of the haystack prove nothing because of their names: hidden, trash."""
        return sum(problem.code is ProblemCode.NOT_TRUSTED for problem in self.problems)

    @property
    def is_complete(self) -> bool:
        """True when every needle is present, or empty."""
        return all(explanation.verdict.state in SETTLED for explanation in self.explanations)
