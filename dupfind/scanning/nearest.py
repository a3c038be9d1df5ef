"""The haystack pictures nearest to a needle, each with the grade that a scan gives it: for `find`, `explain`, pages.

What a scan takes as the witness is decided by its own stages and only repeated here. The others are compared for the
sake of who wants to see them, and none is said to be better than what the scan chose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef
from dupfind.evidence import evidence, fingerprint
from dupfind.evidence.facts import Test
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.candidates import MOST_CANDIDATES
from dupfind.scanning.full_size import CompareFiles
from dupfind.search import hamming
from dupfind.values import Evidence, Failure, FileEntry, Match, ScanSettings, Thumbnail

LEAST_COMPARED = 32
"""How many of the nearest are compared by their pixels, 10 ms; those of the best grade come first, however few are
wanted."""
MOST_TIED = 1000
"""Most pictures more that are compared because they lie as far away as the last one; 0.3 s."""
_BATCH = 64
ReadWhole = Callable[[Sequence[FileEntry]], Mapping[str, "PictureRef | Failure"]]


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
    def rank(self) -> tuple[int, int, int, str]:
        """The better first, as a scan ranks its witnesses: by grade, distance, resolution, path."""
        grade = len(Evidence) if self.evidence is None else self.evidence.rank
        return grade, self.distance_bits, -self.size_pixels, self.entry.path


class Needle(NamedTuple):
    """What is looked for."""

    entry: FileEntry
    thumbnail: Thumbnail
    hashes: Sequence[int]
    """Those that it was searched by, upright first; the further orientations are made of its picture where wanted."""


class Nearest:
    """The pictures of a haystack, each by its position.

    ``compare`` compares files at full size. ``read_whole`` reads files of which only the beginning was read; without it
    such pictures are told as they are. ``orientations`` are those in which a needle is looked at.
    """

    def __init__(
        self,
        settings: ScanSettings,
        haystack: Pictures,
        cache: Cache,
        compare: CompareFiles,
        read_whole: ReadWhole | None,
        orientations: int,
    ) -> None:
        self._settings = settings
        self._haystack = haystack
        self._hashes = haystack.hashes[:, 0]
        self._refs = list(haystack.refs)
        self._positions = {entry.path: position for position, entry in enumerate(haystack.entries)}
        self._cache = cache
        self._compare = compare
        self._read_whole = read_whole
        self._orientations = orientations

    def candidates(self, needle: Needle, count: int, compared: int | None = None) -> list[int]:
        """Give the positions that are to be compared: the nearest by their hashes, and all within the threshold.

        The search is exact: every hash of the haystack is compared, however far away. ``compared`` is how many are
        looked at where that is to be fast.
        """
        hashes = np.array(self._all_hashes(needle), np.uint64)
        if compared is not None:
            return [*map(int, hamming.nearest(hashes, self._hashes, compared, compared))]
        distances = np.bitwise_count(self._hashes[:, None] ^ hashes).min(1) if len(self._hashes) else self._hashes
        within = min(int(np.count_nonzero(distances <= self._settings.threshold_bits)), MOST_CANDIDATES)
        wanted = max(count, LEAST_COMPARED, within)
        return [*map(int, hamming.nearest(hashes, self._hashes, wanted, wanted + MOST_TIED))]

    def best(self, needle: Needle, positions: Sequence[int], match: Match | None, count: int) -> list[Seen]:
        """Give the ``count`` best of the pictures at ``positions``, and of what a scan found.

        ``match`` is that, or a file with the same bytes, which is none of the pictures. Nothing is the same picture by
        its thumbnail alone, and nothing rests on a file of which only the beginning was read: there are none where the
        needle cannot be read whole although something rests on that.
        """
        best = self._best(needle, positions, match, count)
        if self._read_whole is None or not (needle.thumbnail.is_coarse and any(seen.evidence for seen in best)):
            return best
        whole = self._read_whole([needle.entry])[needle.entry.path]
        if isinstance(whole, Failure):
            return []
        thumbnail = self._cache.thumbnails([whole.id])[whole.id]
        return self._best(needle._replace(thumbnail=thumbnail), positions, match, count)

    def _best(self, needle: Needle, positions: Sequence[int], match: Match | None, count: int) -> list[Seen]:
        lies_at = None if match is None else self._positions.get(match.witness)
        views = self._views_of(needle)
        seen_at = {position: self._graded(seen, match) for position, seen in self._compare_all(positions, views)}
        if match is not None and lies_at is not None:
            seen_at[lies_at] = self._as_scanned(lies_at, views, match)
        proved = {lies_at}
        while True:
            chosen = sorted(seen_at, key=lambda position: seen_at[position].rank)[:count]
            coarse = [position for position in chosen if position != lies_at and self._is_coarse(seen_at, position)]
            unproved = [
                position for position in chosen if seen_at[position].grade is Evidence.SAME and position not in proved
            ]
            if coarse:
                self._read_again(coarse, seen_at, views, match)
            elif unproved:
                proved.update(unproved)
                seen_at |= self._at_full_size(needle, unproved, seen_at)
            else:
                return [seen_at[position] for position in chosen]

    def witness(self, needle: Needle, match: Match) -> Seen:
        """Give the picture that a scan chose, in the orientation in which it did, with the scan's own words."""
        views = self._views_of(needle)
        return self._as_scanned(self._positions[match.witness], views, match)

    def _views_of(self, needle: Needle) -> _Views:
        upright = evidence.prepare(needle.thumbnail)
        turned = [evidence.turned(upright, orientation) for orientation in range(self._orientations)]
        return _Views(turned, self._all_hashes(needle))

    def _all_hashes(self, needle: Needle) -> list[int]:
        given = list(needle.hashes[: self._orientations])
        if len(given) < self._orientations:
            pixels = fingerprint.pixels(needle.thumbnail.pixels)
            given += fingerprint.search_hashes(pixels, self._settings.algorithm, self._orientations)[len(given) :]
        return given

    def _is_coarse(self, seen_at: Mapping[int, Seen], position: int) -> bool:
        if self._read_whole is None or not seen_at[position].grade:
            return False
        id_ = self._refs[position].id
        return self._cache.thumbnails([id_])[id_].is_coarse

    def _read_again(
        self, positions: Sequence[int], seen_at: dict[int, Seen], views: _Views, match: Match | None
    ) -> None:
        """Put what reading these whole gives in the place of what was found; what cannot be read is left out."""
        assert self._read_whole is not None
        contents = self._read_whole([self._haystack.entries[position] for position in positions])
        for position in positions:
            content = contents[self._haystack.entries[position].path]
            del seen_at[position]
            if isinstance(content, PictureRef):
                self._refs[position] = content
                seen_at |= {at: self._graded(seen, match) for at, seen in self._compare_all([position], views)}

    def _at_full_size(self, needle: Needle, positions: Sequence[int], seen_at: Mapping[int, Seen]) -> dict[int, Seen]:
        """Give what these are once their files were compared with that of the needle."""
        thumbnails = self._cache.thumbnails(list({self._refs[position].id for position in positions}))
        pairs = {
            position: pair_of(
                (needle.entry, needle.thumbnail),
                (self._haystack.entries[position], thumbnails[self._refs[position].id]),
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

    def _compare_all(self, positions: Iterable[int], views: _Views) -> Iterable[tuple[int, Seen]]:
        """Yield each picture in the orientation in which it comes closest."""
        all_positions = list(positions)
        for start in range(0, len(all_positions), _BATCH):
            batch = all_positions[start : start + _BATCH]
            thumbnails = self._cache.thumbnails(list({self._refs[position].id for position in batch}))
            for position in batch:
                yield position, min(self._views(position, thumbnails[self._refs[position].id], views), key=_closest)

    def _views(self, position: int, thumbnail: Thumbnail, views: _Views) -> list[Seen]:
        """Give the picture at this position as each orientation of the needle sees it."""
        picture = evidence.prepare(thumbnail)
        hash_ = int(self._hashes[position])
        all_views = []
        for orientation, (turned, own) in enumerate(zip(views.turned, views.hashes, strict=True)):
            judged = evidence.judge(turned, picture, orientation, with_full_size=not self._settings.quick)
            all_views.append(
                Seen(
                    self._haystack.entries[position],
                    judged.evidence,
                    judged.reason,
                    judged.evidence,
                    (own ^ hash_).bit_count(),
                    (turned.check ^ picture.check).bit_count(),
                    orientation,
                    judged.tests,
                    self._refs[position].size_pixels,
                )
            )
        return all_views

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

    def _as_scanned(self, position: int, views: _Views, match: Match) -> Seen:
        id_ = self._refs[position].id
        all_views = self._views(position, self._cache.thumbnails([id_])[id_], views)
        fitting = [seen for seen in all_views if (seen.evidence, seen.distance_bits) == match[1:3]]
        seen = min(fitting or all_views, key=_closest)
        seen = seen._replace(evidence=match.evidence, grade=match.evidence, reason=match.reason)
        if fitting:
            return seen
        # A scan with its conflicts gives less than the pair alone would have.
        distance_bits = match.distance_bits or 0
        if any(view.distance_bits == distance_bits and view.grade for view in all_views):
            return seen
        return seen._replace(distance_bits=distance_bits, tests=(), is_found_otherwise=True)


class _Views(NamedTuple):
    """A needle in all orientations, prepared once."""

    turned: Sequence[evidence.Picture]
    hashes: Sequence[int]


def _closest(seen: Seen) -> tuple[int, int, int, int]:
    grade = len(Evidence) if seen.grade is None else seen.grade.rank
    return grade, seen.distance_bits, seen.check_bits, seen.orientation
