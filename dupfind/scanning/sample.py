"""A sample of both sides, decoded first: how many needles will have a candidate, for the order of the work.

No answer rests on it. A needle that has a candidate is measured, and to measure it with its decode saves the second
one; one whose candidates are mirrored is judged by its pixels alone; a needle that has none needs no more than nearly
these. Which of them are many is not known before all is decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from dupfind.pictures import formats
from dupfind.pool.tasks import Bare
from dupfind.reading import Pictures
from dupfind.run import Reading
from dupfind.search.blocks import Hashes
from dupfind.values import MIRRORED, FileEntry

STAGE = "decoding a sample"
_EVERY_NEEDLE, _MOST_NEEDLES = 6, 256
_EVERY_WITNESS = 7
"""Both sides often have the same pictures in the same order. Where the two steps share no factor, as many needles of a
sample meet their own picture as of all; with equal ones all did, or none, by where the two begin."""
_FEWEST_EXPECTED = 8.0
"""Needles of the sample that have a candidate in it where all needles have one: with fewer it would be chance."""
_FEW = 0.4
"""Share of the needles. Gray, one takes 1.6 ms, measured at once 3.7, first gray and then measured 5.3: at a share of
0.57 both ways take the same, and a sample is off by some."""
_FEW_TO_MEASURE = 0.3
"""The same of bare pictures, which take 2.3 ms: at a share of 0.38 both ways take the same."""


def needed_by_sample(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    orientations: int,
    run: Reading,
    known: Hashes | None = None,
) -> Bare | None:
    """Decode a sample, which the reader remembers, and tell what of ``needles`` is to be decoded at first.

    ``known`` are search hashes of more pictures of the haystack, of which likewise a sample is looked at.

    Gray ones where few have a candidate in ``haystack``, bare ones where few have one that is not mirrored. None,
    which is everything, where many have one, or where it cannot be told: there are too few small pictures on either
    side.
    """
    small, candidates = _that_may_be_bare(needles), _that_may_be_bare(haystack)
    wanted, witnesses = small[:: _step(len(small))], candidates[::_EVERY_WITNESS]
    known = np.empty(0, np.uint64) if known is None else known
    files, known_sampled = len(candidates) + len(known), known[::_EVERY_WITNESS]
    if _expected(len(wanted), len(witnesses) + len(known_sampled), files) < _FEWEST_EXPECTED:
        return None
    reader = run.reader
    sampled = reader.sample(wanted, STAGE, orientations, bare=reader.bare())
    witnesses_sampled = reader.sample(witnesses, STAGE, 1, bare=reader.bare(sampled))
    upright = np.concatenate([witnesses_sampled.hashes[:, 0], known_sampled])
    expected = _expected(len(sampled.entries), len(upright), files)
    if expected < _FEWEST_EXPECTED / 2:
        return None
    threshold_bits = run.settings.scan.threshold_bits
    if _with_candidates(sampled, upright, range(orientations), threshold_bits) < _FEW * expected:
        return reader.bare(may_be_gray=True)
    judged = [turn for turn in range(orientations) if turn not in MIRRORED]
    if _with_candidates(sampled, upright, judged, threshold_bits) < _FEW_TO_MEASURE * expected:
        return reader.bare()
    return None


def _step(needles: int) -> int:
    """Return every how many-th of so many needles is taken."""
    step = max(_EVERY_NEEDLE, needles // _MOST_NEEDLES)
    return step + (step % _EVERY_WITNESS == 0 and _EVERY_WITNESS > 1)


def _that_may_be_bare(entries: Sequence[FileEntry]) -> list[FileEntry]:
    return [
        entry
        for entry in entries
        if entry.size_bytes <= formats.MOST_BARE_BYTES and entry.can_be_read and formats.is_image_name(entry.path)
    ]


def _expected(needles: int, witnesses: int, haystack: int) -> float:
    """Return how many of so many needles have their one candidate among so many files of the haystack."""
    return needles * witnesses / max(1, haystack)


def _with_candidates(needles: Pictures, upright: Hashes, turns: Collection[int], threshold_bits: int) -> int:
    """Count the needles that are within the threshold of one of these hashes, in one of these orientations.

    One needle at a time, since a haystack of a million gives a sample of 140,000.
    """
    turned = needles.hashes[:, list(turns)]
    return sum(bool((np.bitwise_count(upright ^ hashes[:, None]) <= threshold_bits).any()) for hashes in turned)
