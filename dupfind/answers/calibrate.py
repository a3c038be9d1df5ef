"""Answer of ``dupfind calibrate``, as values that reports render, and what follows from the counts; pure.

A **false candidate** is a picture within the threshold of a needle although it is another picture. It costs a
comparison and is then refused, so a threshold decides what is found and how long that takes, never what is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dupfind.settings import DEFAULT_THRESHOLD_BITS, MOST_THRESHOLD_BITS
from dupfind.values import Cataloged, Problem

NEEDLES = 1000
"""Expectations are for so many needles."""
MOST_FALSE_CANDIDATES = 1000.0
"""What 1,000 needles may meet at the suggested threshold: one each. To prepare the two sides of a comparison takes 0.9
ms, a quarter of what decoding a photo of 500 pixels takes and a fiftieth of what one of 12 megapixels does."""
COPIES_END_BITS = {"phash": 4, "dhash": 5, "ahash": 3, "whash": 6}
"""Within these lie 99.9% of 3,950 copies: 395 photos as JPEG q95 to q25, progressive, PNG, WebP, at a quarter to twice
the size."""
EDITS_END_BITS = {"phash": 14, "dhash": 17, "ahash": 17, "whash": 20}
"""Within these lie 99% of the 2,856 edits that the check hash lets pass, of 395 photos lighter, darker, cropped, turned
a little or framed; what lies farther off would not even be called similar."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The distances between different pictures by one algorithm."""

    algorithm: str
    counts: Sequence[int]
    """Pairs at each distance, 0 to 64 bits."""
    pictures: int
    """The size of the haystack that expectations are for."""

    @property
    def pairs(self) -> int:
        """Pairs compared that are not one picture twice."""
        return sum(self.counts)

    @property
    def default_bits(self) -> int:
        """The threshold that a scan takes when none is given."""
        return DEFAULT_THRESHOLD_BITS[self.algorithm]

    def false_candidates(self, threshold_bits: int) -> float:
        """Estimate how many candidates 1,000 needles would meet in a haystack of this collection's size.

        >>> Spread("phash", [0, 5, 95], pictures=20).false_candidates(1)
        1000.0
        """
        return NEEDLES * self.pictures * sum(self.counts[: threshold_bits + 1]) / self.pairs

    @property
    def suggested_bits(self) -> int:
        """The largest threshold at which a needle meets one false candidate at the most.

        Never below where copies end, since that would lose some, and never above where edits end, since what lies there
        would be refused.
        """
        floor, ceiling = COPIES_END_BITS[self.algorithm], EDITS_END_BITS[self.algorithm]
        affordable = [bits for bits in range(ceiling + 1) if self.false_candidates(bits) <= MOST_FALSE_CANDIDATES]
        return max([floor, *affordable])


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything that one run of ``dupfind calibrate`` has to say."""

    version: str
    folders: Sequence[str]
    """As the user spelt them."""
    rotations: bool
    pictures: int
    needles: int
    """Pictures that were compared with all others: every one, or a sample."""
    left_out: int
    """Pairs that are likely one picture twice."""
    spreads: Sequence[Spread]
    """By algorithm, in the order of the options."""
    problems: Sequence[Problem]
    catalogs: Sequence[Cataloged] = ()
    """What stood for folders that were not looked at."""

    @property
    def is_sample(self) -> bool:
        """True when not every pair was compared."""
        return self.needles < self.pictures

    @property
    def least(self) -> float:
        """The smallest expectation above zero that so many pairs can show."""
        return NEEDLES * self.pictures / self.spreads[0].pairs

    def spread(self, algorithm: str) -> Spread:
        """Return the distances by ``algorithm``."""
        return next(spread for spread in self.spreads if spread.algorithm == algorithm)


THRESHOLDS = range(MOST_THRESHOLD_BITS + 1)
"""Every threshold that a scan takes."""
