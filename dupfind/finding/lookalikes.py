"""The haystack pictures that one picture came nearest to, each with its grade, the best first.

What a scan would take as the witness is decided by its own stages and only repeated here; the others are compared for
the sake of who wants to see them, and none of them is said to be better than what the scan chose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from dupfind.answers.found import Near
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef
from dupfind.evidence import evidence
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.full_size import CompareFiles
from dupfind.values import Evidence, Failure, FileEntry, Match, ScanSettings, Thumbnail

_BATCH = 64
ReadWhole = Callable[[Sequence[FileEntry]], Mapping[str, PictureRef | Failure]]


class _View(NamedTuple):
    """A picture of the haystack as it is seen from the needle, in the orientation in which it comes closest."""

    rank: int
    distance_bits: int
    orientation: int
    evidence: Evidence | None
    reason: Reason | None


class Lookalikes:
    """The pictures of the haystack that were found for some needles.

    ``read_whole`` reads files of which only the beginning was read; ``shown`` spells paths as the user would;
    ``compare`` compares files at full size.
    """

    def __init__(
        self,
        settings: ScanSettings,
        haystack: Pictures,
        cache: Cache,
        read_whole: ReadWhole,
        shown: Callable[[str], str],
        compare: CompareFiles,
    ) -> None:
        self._compare_at_full_size = compare
        self._settings = settings
        self._cache = cache
        self._read_whole = read_whole
        self._shown = shown
        self._orientations: dict[str, int] = {}
        """How the needle of the last comparison was turned to meet each picture, by path."""
        hashes = haystack.hashes[:, 0].tolist()
        self._haystack = {
            entry.path: (entry, ref, hash_)
            for entry, ref, hash_ in zip(haystack.entries, haystack.refs, hashes, strict=True)
        }

    def nearest(
        self,
        ref: PictureRef,
        needle: FileEntry,
        hashes: Sequence[int],
        paths: Iterable[str],
        match: Match | None,
        count: int,
    ) -> list[Near]:
        """The ``count`` best of the haystack's pictures in ``paths``, for a needle of this thumbnail and these hashes.

        ``match`` is what a scan finds for it: the best of them, or a file with the same bytes, which is none of them.
        Gives none where the needle cannot be read whole although something rests on that.
        """
        thumbnail = self._cache.thumbnails([ref.id])[ref.id]
        nearest = self._nearest(needle, thumbnail, hashes, paths, match, count)
        if thumbnail.is_coarse and any(one.evidence for one in nearest):
            whole = self._read_whole([needle])[needle.path]
            if not isinstance(whole, PictureRef):
                return []
            whole_thumbnail = self._cache.thumbnails([whole.id])[whole.id]
            nearest = self._nearest(needle, whole_thumbnail, hashes, paths, match, count)
        return nearest

    def _nearest(
        self,
        entry_of_needle: FileEntry,
        thumbnail: Thumbnail,
        hashes: Sequence[int],
        paths: Iterable[str],
        match: Match | None,
        count: int,
    ) -> list[Near]:
        found = {}
        proved = {"" if match is None else match.witness}
        refs = {path: self._haystack[path][1] for path in paths if path in self._haystack}
        if match is not None and refs.pop(match.witness, None) is not None:
            is_witness = match.evidence.rank <= self._settings.accept.rank
            shown, entry = self._shown(match.witness), self._haystack[match.witness][0]
            found[match.witness] = Near(shown, match.evidence, match.distance_bits, match.reason, is_witness, entry)
        upright = evidence.prepare(thumbnail)
        turned = [evidence.turned(upright, orientation) for orientation in range(len(hashes))]
        found |= self._compare(refs, turned, hashes, match)
        while True:
            best = sorted(found, key=lambda path: _rank(found[path]))[:count]
            coarse = [path for path in best if path in refs and found[path].evidence and self._is_coarse(refs[path])]
            unproved = [path for path in best if found[path].evidence is Evidence.SAME and path not in proved]
            if not coarse and not unproved:
                return [found[path] for path in best]
            if not coarse:  # nothing is the same by its thumbnail alone
                for path, objection in self._objections((entry_of_needle, thumbnail), refs, unproved).items():
                    proved.add(path)
                    if objection is not None:
                        is_witness = Evidence.SIMILAR.rank <= self._settings.accept.rank and found[path].is_witness
                        found[path] = found[path]._replace(
                            evidence=Evidence.SIMILAR, reason=objection, is_witness=is_witness
                        )
                continue
            contents = self._read_whole([self._haystack[path][0] for path in coarse])
            for path in coarse:
                content = contents[path]
                del refs[path], found[path]
                if isinstance(content, PictureRef):
                    refs[path] = content
                    found |= self._compare({path: content}, turned, hashes, match)

    def _objections(
        self, needle: tuple[FileEntry, Thumbnail], refs: Mapping[str, PictureRef], paths: Sequence[str]
    ) -> dict[str, Reason | None]:
        """What comparisons at full size have against these pictures, by path."""
        thumbnails = self._cache.thumbnails(list({refs[path].id for path in paths}))
        pairs = {
            path: pair_of(needle, (self._haystack[path][0], thumbnails[refs[path].id]), self._orientations[path])
            for path in paths
        }
        outcomes = self._compare_at_full_size(list(pairs.values()))
        return {path: outcomes[pair] for path, pair in pairs.items()}

    def _is_coarse(self, ref: PictureRef) -> bool:
        return self._cache.thumbnails([ref.id])[ref.id].is_coarse

    def _compare(
        self,
        refs: Mapping[str, PictureRef],
        turned: Sequence[evidence.Picture],
        hashes: Sequence[int],
        match: Match | None,
    ) -> dict[str, Near]:
        """What each of these pictures is to the needle, by path."""
        found = {}
        paths = list(refs)
        for start in range(0, len(paths), _BATCH):
            some = paths[start : start + _BATCH]
            thumbnails = self._cache.thumbnails(list({refs[path].id for path in some}))
            for path in some:
                picture = evidence.prepare(thumbnails[refs[path].id])
                hash_ = self._haystack[path][2]
                view = min(
                    _view(needle, picture, needle_hash ^ hash_, orientation)
                    for orientation, (needle, needle_hash) in enumerate(zip(turned, hashes, strict=True))
                )
                self._orientations[path] = view.orientation
                found[path] = self._near(path, view, match)
        return found

    def _near(self, path: str, view: _View, match: Match | None) -> Near:
        """A picture that is no match, with no better grade than a scan would give it."""
        settings = self._settings
        grade, reason = view.evidence, view.reason
        is_within = view.distance_bits <= settings.threshold_bits
        if grade is Evidence.SAME and not is_within:
            grade, reason = Evidence.SIMILAR, Reason(ReasonCode.BEYOND_THRESHOLD, (view.distance_bits,))
        elif grade is Evidence.SAME and (match is None or match.evidence is Evidence.SIMILAR):
            reason = (match.reason if match else None) or Reason(ReasonCode.PASSED_OVER)
            grade = Evidence.SIMILAR
        is_witness = grade is not None and is_within and grade.rank <= settings.accept.rank
        return Near(self._shown(path), grade, view.distance_bits, reason, is_witness, self._haystack[path][0])


def _view(needle: evidence.Picture, witness: evidence.Picture, differing: int, orientation: int) -> _View:
    judgement = evidence.judge(needle, witness, orientation)
    rank = len(Evidence) if judgement.evidence is None else judgement.evidence.rank
    return _View(rank, differing.bit_count(), orientation, judgement.evidence, judgement.reason)


def _rank(near: Near) -> tuple[int, int, str]:
    """The better first."""
    rank = len(Evidence) if near.evidence is None else near.evidence.rank
    return rank, near.distance_bits or 0, near.path
