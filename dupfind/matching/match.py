"""The match of each needle, found as a scan finds it: `scan`, `find` and `explain` ask here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dupfind.answers.findings import Remains
from dupfind.cache.cache import Cache
from dupfind.events import Listener
from dupfind.matching import near_gray
from dupfind.matching.borders import Borders
from dupfind.matching.damaged import match_damaged
from dupfind.matching.decodes import MOST_ROUNDS, Decodes
from dupfind.matching.full_size import CompareFiles, FullSize
from dupfind.matching.matcher import Matcher
from dupfind.matching.same_image_data import find_same_image_data
from dupfind.reading import Pictures
from dupfind.run import Reading
from dupfind.values import Evidence, Failure, Match, ScanSettings

Claims = Sequence[tuple[str, str]]
"""Paths of needles and of witnesses that they have claimed beside those that their matches name. Whoever would claim
one of them too may have to do with such a needle."""


class Found(NamedTuple):
    """What is found of needles among pictures of the haystack."""

    matches: dict[str, Match]
    """By the path of the needle."""
    remains: dict[str, Remains]
    """What is known of damaged needles without a match, by path."""
    claims: Claims


class Matched(NamedTuple):
    """What matching needles with pictures of the haystack gave."""

    decodes: Decodes
    failures: Mapping[str, Failure]
    """By path, files of the haystack that gave no picture."""
    matches: dict[str, Match]
    """By the path of the needle."""
    remains: dict[str, Remains]
    claims: Claims
    unseen: int = 0
    """How many pictures of the haystack were not decoded. Where there are any, every needle is proved."""


def match_pictures(
    run: Reading,
    decodes: Decodes,
    split: Mapping[str, frozenset[str]] | None = None,
    compare: CompareFiles | None = None,
) -> Found:
    """Match needles with pictures of the haystack.

    ``split`` are, by the path of a needle, files of the haystack that prove nothing of it. ``compare``
    compares files at full size, where the reader does not.
    """
    scan, reader, listener = run.settings.scan, run.reader, run.listener
    near_gray.measure_near(run, decodes)
    with listener.part("look up", len(decodes.needles.entries)):
        proven = find_same_image_data(decodes, run, split)
    # They are matched all the same: they have a claim to their witness, which then is no other needle's.
    full_size = None if scan.quick else FullSize(decodes, run.cache, compare or reader.compare_at_full_size, proven)
    with listener.stage("matching", len(decodes.needles.entries)) as advance:
        matcher = Matcher(decodes, scan.threshold_bits, run.cache, listener, split, reader.map_pairs, full_size)
        matches = matcher.match(advance)
    lookalikes: dict[str, Match] = {}
    remains: dict[str, Remains] = {}
    for _ in range(MOST_ROUNDS):
        near_gray.measure_likely(run, decodes, matches)
        lookalikes, remains = match_otherwise(*decodes.pictures(), matches, scan, run.cache, listener, split)
        previews = decodes.previews(lookalikes)
        if not previews:
            break
        decodes.read(previews)
    else:  # nothing rests on a preview
        lookalikes, remains, decodes.is_bounded = {}, {}, True
    claimed = ((path, matches.get(path)) for path in proven)
    hidden = [
        (path, match.witness)
        for path, match in claimed
        if match is not None and match.evidence is Evidence.SAME and match.witness != proven[path].witness
    ]
    left = {path: rest for path, rest in remains.items() if path not in proven}
    return Found(matches | lookalikes | proven, left, [*matcher.lost_claims(), *hidden])


def match_otherwise(
    needles: Pictures,
    haystack: Pictures,
    matches: Mapping[str, Match],
    scan: ScanSettings,
    cache: Cache,
    listener: Listener,
    split: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Remains]]:
    """Match needles without a match when frames are left out, or by what damage left of them; `similar` at most."""
    with listener.part("evidence"):
        lookalikes = Borders(needles, haystack, scan, cache, listener, split).match(matches)
    by_rest, remains = match_damaged(needles, haystack, {**matches, **lookalikes}, cache, listener, scan.algorithm)
    return lookalikes | by_rest, remains
