"""The haystack pictures nearest to a needle, each with the grade that a scan gives it: for `find`, `explain`, pages.

What a scan takes as the witness is decided by :mod:`dupfind.matching.matcher` and only repeated here. The others are
compared for the sake of who wants to see them, and none is said to be better than what the scan chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.evidence import evidence, fingerprint
from dupfind.evidence.facts import Test
from dupfind.matching.candidates import MOST_TIED, compared
from dupfind.matching.decodes import ReadFull, Side, decode_fully
from dupfind.matching.full_size import CompareFiles
from dupfind.matching.rank import Rank, witness_rank
from dupfind.matching.views import Turned, View, best_view, views_of
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.search import hamming
from dupfind.values import Evidence, Failure, FileEntry, Match, ScanSettings, Thumbnail

_BATCH = 64


class Seen(NamedTuple):
    """One haystack picture as it is seen from a needle, in the orientation in which it comes closest."""

    entry: FileEntry
    evidence: Evidence | None
    """The grade that a scan gives it; None where the two are unlike."""
    reason: Reason | None
    """Why it is no stronger, or how the needle is turned; None when there is nothing to say."""
    grade: Evidence | None
    """What the pair alone is worth, whatever a scan was asked for: the threshold, rotations, other needles."""
    distance_bits: int
    """Of 64, by the algorithm that candidates are searched by."""
    check_bits: int
    """Of 256, the check hash."""
    orientation: int
    """How the needle is turned to meet it: index 0 to 7, EXIF orientation less one."""
    tests: tuple[Test, ...]
    size_pixels: int
    is_found_otherwise: bool = False
    """True where a scan found it without a frame, or by what damage left: the whole pictures are compared in vain."""

    @property
    def rank(self) -> Rank:
        """The better first, as a scan ranks its witnesses."""
        return witness_rank(self.evidence, self.distance_bits, self.size_pixels, self.entry.path)


class Needle(NamedTuple):
    """What is looked for."""

    entry: FileEntry
    thumbnail: Thumbnail
    hashes: Sequence[int]
    """Those that it was searched by, upright first; the further orientations are made of its picture where wanted."""


class Nearest:
    """The pictures of a haystack, each by its position.

    ``compare`` compares files at full size. ``read_full`` decodes in full what is a preview; without it previews are
    told as they are. ``orientations`` are those in which a needle is looked at.
    """

    def __init__(
        self,
        settings: ScanSettings,
        haystack: Pictures,
        cache: Cache,
        compare: CompareFiles,
        read_full: ReadFull | None,
        orientations: int,
    ) -> None:
        self._settings = settings
        self._haystack = Side(haystack)
        self._hashes = haystack.hashes[:, 0]
        self._positions = {entry.path: position for position, entry in enumerate(haystack.entries)}
        self._cache = cache
        self._compare = compare
        self._read_full = read_full
        self._orientations = orientations

    @property
    def has_pictures(self) -> bool:
        """Tell whether there is anything that could be near."""
        return bool(self._haystack.entries)

    def candidates(self, needle: Needle, count: int, most_compared: int | None = None) -> list[int]:
        """Give the positions that are to be compared: the nearest by their hashes, and all within the threshold.

        The search is exact: every hash of the haystack is compared, however far away. ``most_compared`` is how many are
        looked at where that is to be fast.
        """
        hashes = np.array(self._all_hashes(needle), np.uint64)
        if most_compared is not None:
            return [*map(int, hamming.nearest(hashes, self._hashes, most_compared, most_compared))]
        distances = np.bitwise_count(self._hashes[:, None] ^ hashes).min(1) if len(self._hashes) else self._hashes
        wanted = compared(count, int(np.count_nonzero(distances <= self._settings.threshold_bits)))
        return [*map(int, hamming.nearest(hashes, self._hashes, wanted, wanted + MOST_TIED))]

    def best(self, needle: Needle, positions: Sequence[int], match: Match | None, count: int) -> list[Seen]:
        """Give the ``count`` best of the pictures at ``positions``, and of what a scan found.

        ``match`` is that, or a file with the same bytes, which is none of the pictures. Nothing is the same picture by
        its thumbnail alone, and nothing rests on a preview: there are none where the needle cannot be decoded in full
        although something rests on that.
        """
        best = self._best(needle, positions, match, count)
        if self._read_full is None or not (needle.thumbnail.is_coarse and any(seen.evidence for seen in best)):
            return best
        full = self._read_full([needle.entry])[needle.entry.path]
        if isinstance(full, Failure):
            return []
        thumbnail = self._cache.thumbnails([full.id])[full.id]
        return self._best(needle._replace(thumbnail=thumbnail), positions, match, count)

    def witness(self, needle: Needle, match: Match) -> Seen:
        """Give the picture that a scan chose, in the orientation in which it did, with the scan's own words."""
        return self._as_scanned(self._positions[match.witness], self._turned(needle), match)

    def _best(self, needle: Needle, positions: Sequence[int], match: Match | None, count: int) -> list[Seen]:
        lies_at = None if match is None else self._positions.get(match.witness)
        turned = self._turned(needle)
        seen_at = self._compare_all(positions, turned, match)
        if match is not None and lies_at is not None:
            seen_at[lies_at] = self._as_scanned(lies_at, turned, match)
        proved = {lies_at}
        while True:
            chosen = sorted(seen_at, key=lambda position: seen_at[position].rank)[:count]
            previews = [
                position for position in chosen if position != lies_at and self._rests_on_preview(position, seen_at)
            ]
            unproved = [
                position for position in chosen if seen_at[position].grade is Evidence.SAME and position not in proved
            ]
            if previews:
                for position in previews:
                    del seen_at[position]
                seen_at |= self._compare_all(self._decoded(previews), turned, match)
            elif unproved:
                proved.update(unproved)
                seen_at |= self._at_full_size(needle, unproved, seen_at)
            else:
                return [seen_at[position] for position in chosen]

    def _rests_on_preview(self, position: int, seen_at: Mapping[int, Seen]) -> bool:
        return self._read_full is not None and bool(seen_at[position].grade) and self._haystack.is_preview(position)

    def _decoded(self, positions: Sequence[int]) -> list[int]:
        """Decode these in full, and return those that can be."""
        assert self._read_full is not None
        decode_fully(self._read_full, (self._haystack, positions))
        return [position for position in positions if not self._haystack.is_preview(position)]

    def _turned(self, needle: Needle) -> _Needle:
        return _Needle(Turned(needle.thumbnail), self._all_hashes(needle))

    def _all_hashes(self, needle: Needle) -> list[int]:
        given = list(needle.hashes[: self._orientations])
        if len(given) < self._orientations:
            pixels = fingerprint.pixels(needle.thumbnail.pixels)
            given += fingerprint.search_hashes(pixels, self._settings.algorithm, self._orientations)[len(given) :]
        return given

    def _at_full_size(self, needle: Needle, positions: Sequence[int], seen_at: Mapping[int, Seen]) -> dict[int, Seen]:
        """Give what these are once their files were compared with that of the needle."""
        refs = self._haystack.refs
        thumbnails = self._cache.thumbnails(list({refs[position].id for position in positions}))
        pairs = {
            position: pair_of(
                (needle.entry, needle.thumbnail),
                (self._haystack.entries[position], thumbnails[refs[position].id]),
                seen_at[position].orientation,
            )
            for position in positions
        }
        outcomes = self._compare(list(pairs.values()))
        objections = {position: outcomes[pair] for position, pair in pairs.items()}
        return {
            position: seen_at[position]._replace(evidence=Evidence.SIMILAR, grade=Evidence.SIMILAR, reason=objection)
            for position, objection in objections.items()
            if objection is not None
        }

    def _compare_all(self, positions: Iterable[int], needle: _Needle, match: Match | None) -> dict[int, Seen]:
        """Give each picture in its best view, at no better grade than a scan would give it."""
        seen_at: dict[int, Seen] = {}
        all_positions = list(positions)
        for start in range(0, len(all_positions), _BATCH):
            batch = all_positions[start : start + _BATCH]
            thumbnails = self._cache.thumbnails(list({self._haystack.refs[position].id for position in batch}))
            for position in batch:
                views = self._views(position, thumbnails[self._haystack.refs[position].id], needle)
                seen = self._seen(position, best_view(views, self._settings.threshold_bits))
                seen_at[position] = self._graded(seen, match)
        return seen_at

    def _views(self, position: int, thumbnail: Thumbnail, needle: _Needle) -> list[View]:
        """Give the picture at this position as each orientation of the needle sees it."""
        witness, hash_ = evidence.prepare(thumbnail), int(self._hashes[position])
        return [*views_of(*needle, witness, hash_, with_full_size=not self._settings.quick)]

    def _seen(self, position: int, view: View) -> Seen:
        judged = view.judgement
        return Seen(
            entry=self._haystack.entries[position],
            evidence=judged.evidence,
            reason=judged.reason,
            grade=judged.evidence,
            distance_bits=view.distance_bits,
            check_bits=view.check_bits,
            orientation=view.orientation,
            tests=judged.tests,
            size_pixels=self._haystack.refs[position].size_pixels,
        )

    def _graded(self, seen: Seen, match: Match | None) -> Seen:
        """Give a picture that is no match no better grade than a scan would give it."""
        if seen.evidence is not Evidence.SAME:
            return seen
        if seen.distance_bits > self._settings.threshold_bits:
            reason = Reason(ReasonCode.BEYOND_THRESHOLD, (seen.distance_bits,))
        elif match is None or match.evidence is Evidence.SIMILAR:
            reason = (match.reason if match else None) or Reason(ReasonCode.PASSED_OVER)
        else:
            return seen
        return seen._replace(evidence=Evidence.SIMILAR, reason=reason)

    def _as_scanned(self, position: int, needle: _Needle, match: Match) -> Seen:
        id_ = self._haystack.refs[position].id
        views = self._views(position, self._cache.thumbnails([id_])[id_], needle)
        fitting = [view for view in views if (view.grade, view.distance_bits) == match[1:3]]
        seen = self._seen(position, best_view(fitting or views, self._settings.threshold_bits))
        seen = seen._replace(evidence=match.evidence, grade=match.evidence, reason=match.reason)
        if fitting:
            return seen
        # A scan with its conflicts gives less than the pair alone would have.
        distance_bits = match.distance_bits or 0
        if any(view.distance_bits == distance_bits and view.grade for view in views):
            return seen
        return seen._replace(distance_bits=distance_bits, tests=(), is_found_otherwise=True)


class _Needle(NamedTuple):
    """A needle in all orientations, prepared once."""

    turned: Turned
    hashes: Sequence[int]
