"""A sample of both sides, decoded first: whether few needles will have a candidate, for the order of the work.

No answer rests on it. A needle that has a candidate is measured, and to measure it with its decode saves the second
one; a needle that has none need not be measured at all. Which of them are many is not known before all is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dupfind.pictures import formats
from dupfind.pictures.decode import MOST_BARE_BYTES
from dupfind.reading import Pictures
from dupfind.run import Reading
from dupfind.values import FileEntry

STAGE = "decoding a sample"
_EVERY_NEEDLE, _MOST_NEEDLES = 4, 256
_EVERY_WITNESS = 8
_FEWEST_EXPECTED = 8.0
"""Needles of the sample that have a candidate in it where all needles have one: with fewer it would be chance."""
_FEW = 0.4
"""Share of the needles. Gray, one takes 1.6 ms, measured at once 3.7, first gray and then measured 5.3: at a share of
0.57 both ways take the same, and a sample is off by some."""


def few_have_candidates(
    needles: Sequence[FileEntry], haystack: Sequence[FileEntry], orientations: int, run: Reading
) -> bool:
    """Decode a sample, which the reader remembers, and tell whether few ``needles`` have a candidate in ``haystack``.

    False where it cannot be told: there are too few small pictures on either side.
    """
    small, candidates = _that_may_be_bare(needles), _that_may_be_bare(haystack)
    wanted, witnesses = small[:: max(_EVERY_NEEDLE, len(small) // _MOST_NEEDLES)], candidates[::_EVERY_WITNESS]
    if _expected(len(wanted), len(witnesses), len(candidates)) < _FEWEST_EXPECTED:
        return False
    reader = run.reader
    sampled = reader.sample(wanted, STAGE, orientations)
    witnesses_sampled = reader.sample(witnesses, STAGE, 1, bare=reader.bare(sampled, may_be_gray=True))
    expected = _expected(len(sampled.entries), len(witnesses_sampled.entries), len(candidates))
    matched = _with_candidates(sampled, witnesses_sampled, run.settings.scan.threshold_bits)
    return expected >= _FEWEST_EXPECTED / 2 and matched < _FEW * expected


def _that_may_be_bare(entries: Sequence[FileEntry]) -> list[FileEntry]:
    return [
        entry
        for entry in entries
        if entry.size_bytes <= MOST_BARE_BYTES and entry.can_be_read and formats.is_image_name(entry.path)
    ]


def _expected(needles: int, witnesses: int, haystack: int) -> float:
    """Return how many of so many needles have their one candidate among so many files of the haystack."""
    return needles * witnesses / max(1, haystack)


def _with_candidates(needles: Pictures, haystack: Pictures, threshold_bits: int) -> int:
    """Count the needles that are within the threshold of a picture, in any orientation; one needle at a time, since a
    haystack of a million gives a sample of 60,000.
    """
    upright = haystack.hashes[:, 0]
    return sum(bool((np.bitwise_count(upright ^ hashes[:, None]) <= threshold_bits).any()) for hashes in needles.hashes)
