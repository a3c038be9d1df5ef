"""The haystack pictures nearest to one needle, each compared with it in every orientation.

Knows no verdicts. The search is exact: every hash of the haystack is compared, however far away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from dupfind.answers.explanation import Advice, Near
from dupfind.cache.cache import Cache
from dupfind.evidence import evidence, fingerprint
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.search import hamming
from dupfind.settings import MOST_THRESHOLD_BITS
from dupfind.values import ORIENTATIONS, Evidence, FileEntry, Match, ScanSettings, Thumbnail

ObjectTo = Callable[[FileEntry, Thumbnail, int], "Reason | None"]
NOT_ASKED = Reason(ReasonCode.ONLY_THUMBNAILS)

LEAST_COMPARED = 100
"""How many of the nearest are compared by their pixels; those of the best grade come first, however few are wanted."""
_MOST_TIED = 1000
"""Most pictures compared where many lie equally far away; 0.6 s."""
_BATCH = 64


class Neighbours:
    """One needle, with the ``hashes`` that it was searched by, before the haystack's pictures.

    ``read_whole`` gives the whole thumbnail of a file of which the pictures have a coarse one, None where it has none;
    ``shown`` spells paths as the user would. ``object_to`` tells what a comparison at full size has against a file of
    the haystack with this thumbnail, for the needle in this orientation.
    """

    def __init__(
        self,
        settings: ScanSettings,
        needle: Thumbnail,
        hashes: Sequence[int],
        haystack: Pictures,
        cache: Cache,
        read_whole: Callable[[FileEntry], Thumbnail | None],
        shown: Callable[[str], str],
        object_to: ObjectTo = lambda *_: NOT_ASKED,
    ) -> None:
        upright = evidence.prepare(needle)
        self._settings = settings
        self._turned = [evidence.turned(upright, orientation) for orientation in range(ORIENTATIONS)]
        self._hashes = np.array(fingerprint.search_hashes(upright.surface.pixels, settings.algorithm), np.uint64)
        self._hashes[: len(hashes)] = hashes
        self._haystack = haystack
        self._cache = cache
        self._read_whole = read_whole
        self._shown = shown
        self._object_to = object_to
        self._proved: set[str] = set()
        """Paths of the pictures that were compared at full size."""

    def nearest(self, count: int, witness: Near | None, compared: int | None = None) -> list[Near]:
        """The ``count`` best by grade, then distance, then check hash; ``witness`` is one of those to choose from.

        ``compared`` is how many are compared by their pixels where that is to be fast.
        """
        hashes = self._haystack.hashes[:, 0]
        least, most = (compared, compared) if compared else (max(count, LEAST_COMPARED), count + _MOST_TIED)
        positions = hamming.nearest(self._hashes, hashes, least, most).tolist()
        by_path = {
            views[0].path: (position, min(views, key=_rank))
            for position, views in zip(positions, self._compare(positions), strict=True)
        }
        best = {path: near for path, (_, near) in by_path.items()}
        if witness is not None:
            best[witness.path] = witness
        while True:  # what is the same by its thumbnail is compared whole, as far as it would be shown
            nearest = sorted(best.values(), key=_rank)[:count]
            unproved = [near for near in nearest if near.evidence is Evidence.SAME and near is not witness]
            unproved = [near for near in unproved if near.path not in self._proved]
            if not unproved:
                return nearest
            for near in unproved:
                best[near.path] = self._at_full_size(by_path[near.path][0], near)

    def _at_full_size(self, position: int, near: Near) -> Near:
        """A picture that is the same by its thumbnail, with what a comparison at full size says."""
        entry, id_ = self._haystack.entries[position], self._haystack.refs[position].id
        thumbnail = self._cache.thumbnails([id_])[id_]
        objection = self._object_to(entry, thumbnail, near.orientation)
        self._proved.add(near.path)
        if objection is None:
            return near
        advice = self._advise(Evidence.SIMILAR, near.distance_bits, near.orientation, objection)
        return replace(near, evidence=Evidence.SIMILAR, reason=objection, advice=advice)

    def witness(self, match: Match) -> Near:
        """The haystack picture that the scan chose, in the orientation in which it did, with the scan's own words."""
        paths = (entry.path for entry in self._haystack.entries)
        position = next(index for index, path in enumerate(paths) if path == match.witness)
        (views,) = self._compare([position])
        scanned = match.evidence, match.distance_bits
        chosen = [one for one in views if (one.evidence, one.distance_bits) == scanned]
        near = min(chosen or views, key=_rank)
        if not chosen:  # found by other means than the whole picture: without a frame, or by what damage left of it
            near = replace(near, distance_bits=match.distance_bits or 0, tests=())
        # The scan found it, whatever the distance of the whole pictures and however that comes closest.
        distance_bits, orientation = (near.distance_bits, near.orientation) if chosen else (0, 0)
        advice = self._advise(match.evidence, distance_bits, orientation, match.reason)
        return replace(near, evidence=match.evidence, reason=match.reason, advice=advice)

    def _compare(self, positions: Sequence[int]) -> Iterator[list[Near]]:
        """Each of these haystack pictures against the needle in its eight orientations."""
        for start in range(0, len(positions), _BATCH):
            batch = positions[start : start + _BATCH]
            ids = [self._haystack.refs[position].id for position in batch]
            thumbnails = self._cache.thumbnails(list(dict.fromkeys(ids)))
            for position, id_ in zip(batch, ids, strict=True):
                views = self._views(position, thumbnails[id_])
                if thumbnails[id_].is_coarse and any(view.evidence for view in views):
                    whole = self._read_whole(self._haystack.entries[position])
                    views = self._views(position, whole) if whole else views
                yield views

    def _views(self, position: int, thumbnail: Thumbnail) -> list[Near]:
        picture = evidence.prepare(thumbnail)
        return [self._view(position, picture, orientation) for orientation in range(ORIENTATIONS)]

    def _view(self, position: int, picture: evidence.Picture, orientation: int) -> Near:
        needle = self._turned[orientation]
        judgement = evidence.judge(needle, picture, orientation, with_full_size=not self._settings.quick)
        distance_bits = int(self._hashes[orientation] ^ self._haystack.hashes[position, 0]).bit_count()
        return Near(
            path=self._shown(self._haystack.entries[position].path),
            distance_bits=distance_bits,
            check_bits=(needle.check ^ picture.check).bit_count(),
            orientation=orientation,
            evidence=judgement.evidence,
            reason=judgement.reason,
            tests=judgement.tests,
            advice=self._advise(judgement.evidence, distance_bits, orientation, judgement.reason),
        )

    def _advise(self, grade: Evidence | None, distance_bits: int, orientation: int, reason: Reason | None) -> Advice:
        """The options by which a scan would have taken this picture as proof."""
        settings = self._settings
        if grade is None:
            return Advice(obstacle=reason or Reason(ReasonCode.UNLIKE))
        if distance_bits > MOST_THRESHOLD_BITS:
            return Advice(obstacle=Reason(ReasonCode.THRESHOLD_ENDS, (MOST_THRESHOLD_BITS, distance_bits)))
        options = []
        if orientation and not settings.rotations:
            options.append("--rotations")
        if distance_bits > settings.threshold_bits:
            options.append(f"--threshold {distance_bits}")
        if grade.rank > settings.accept.rank:
            options.append(f"--accept {grade}")
        return Advice(tuple(options), None if options else Reason(ReasonCode.OTHERS_FIRST))


def _rank(near: Near) -> tuple[int, int, int, int]:
    """The better first; of equals the order of the walk decides."""
    rank = near.evidence.rank if near.evidence is not None else len(Evidence)
    return rank, near.distance_bits, near.check_bits, near.orientation
