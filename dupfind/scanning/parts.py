"""Whether needles without any match are looked for as parts of pictures; what looks is loaded only then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from dupfind.answers.findings import Findings
from dupfind.run import Reading
from dupfind.values import FileEntry, Match, ScanSettings

MOST_NEEDLES = 20_000
"""What 20,000 needles are searched by takes 260 MB."""
MOST_PAIRS = 100_000_000
"""Needles times pictures of the haystack, 1,000 among 100,000 for example. To be searched for these take some four
minutes of a core, as 197 among 4,096 take 2 s, and half a second each to be compared with what shares a few keypoints
with them by chance."""

SizesOf = Callable[[Collection[int]], Mapping[int, int]]
"""Tells how many pixels the haystack's pictures at these positions have."""


def are_too_many(scan: ScanSettings, needles: int, pictures: int) -> bool:
    """Tell whether parts of so many needles among so many pictures are looked for only where somebody asks for it."""
    return not scan.fragments_of_any and (needles > MOST_NEEDLES or needles * pictures > MOST_PAIRS)


def are_left_out(scan: ScanSettings, findings: Findings) -> bool:
    """Tell whether parts were not looked for, since there were too many needles without a match."""
    unmatched = len(findings.pictures - findings.matches.keys())
    return scan.fragments and are_too_many(scan, unmatched, findings.haystack_pictures or 0)


def match_parts(
    run: Reading,
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    pictures: int,
    sizes_of: SizesOf,
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Match]:
    """Match needles without any match by parts of the haystack's pictures, by path.

    ``pictures`` is how many the haystack has, of which ``haystack`` are known.
    """
    scan = run.settings.scan
    if not scan.fragments or not needles or are_too_many(scan, len(needles), pictures):
        return {}
    return _matched(run, needles, haystack, sizes_of, split)


def _matched(
    run: Reading,
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    sizes_of: SizesOf,
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Match]:
    from dupfind.matching.fragments import match_fragments

    return match_fragments(run, needles, haystack, sizes_of, split)


def with_parts(
    findings: Findings, needles: Sequence[FileEntry], haystack: Sequence[FileEntry], run: Reading
) -> Findings:
    """Add what parts of pictures show to findings on all files, in which nothing else is left to be found.

    What is known of the haystack's pictures comes from the cache.
    """
    scan, unmatched = run.settings.scan, findings.pictures - findings.matches.keys()
    if not scan.fragments or not unmatched or are_left_out(scan, findings):
        return findings
    pictures = [entry for entry in haystack if entry.has_comparable_picture and entry.path not in findings.failures]

    def sizes_of(places: Collection[int]) -> dict[int, int]:
        at = {pictures[place].path: place for place in places}
        run.cache.flush()  # so that nothing that was read is read again
        wanted = [pictures[place] for place in sorted(places)]
        known = run.reader.pictures(wanted, "decoding haystack", 1, bare=run.reader.bare(may_be_gray=True))
        run.reader.passing.update(known.failures)  # they could be read before
        return {at[entry.path]: ref.size_pixels for entry, ref in zip(known.entries, known.refs, strict=True)}

    left = [entry for entry in needles if entry.path in unmatched]
    parts = _matched(run, left, pictures, sizes_of)
    return replace(findings, matches={**findings.matches, **parts}) if parts else findings
