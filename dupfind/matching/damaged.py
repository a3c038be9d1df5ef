"""Match damaged images by their intact part; the hash of a damaged image is meaningless.

Of smooth pictures the hash is no good to search by either: what they look like is told, and proves nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.answers.findings import Remains
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import is_damaged, is_gray
from dupfind.events import Advance, Listener
from dupfind.evidence import differences, fingerprint, partial_match
from dupfind.evidence.fingerprint import pixels
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, Match, Thumbnail

_BATCH = 2048
_COMPARED = 8
"""Haystack pictures compared row by row for each needle, the likeliest first."""
LEAST_INTACT = 0.25
"""Share of the picture that has to be the same for the needle to be `similar`."""


_LEAST_LIKELY = 0.8
"""Correlation below which nothing is said to look like the needle."""


class _Likely(NamedTuple):
    likeness: float
    picture: int
    """Position among the haystack's pictures."""


class _Intact(NamedTuple):
    share: float
    picture: int


def match_damaged(
    needles: Pictures,
    haystack: Pictures,
    matches: Mapping[str, Match],
    cache: Cache,
    listener: Listener,
    algorithm: str | None = None,
) -> tuple[dict[str, Match], dict[str, Remains]]:
    """Return for each damaged needle without a match: a match by its intact part, or what else can be said of it; by
    path.

    Where the ``algorithm`` of the search is given, smooth needles without a match are told of as well.
    """
    lost, smooth = _without_hash(needles, matches, cache, algorithm)
    if not lost:
        return {}, {}
    thumbnails = cache.thumbnails(sorted({needles.refs[position].id for position in lost}))
    with listener.stage("looking at damaged needles", len(haystack.entries)) as advance:
        likely = _likely(thumbnails, haystack, cache, advance)
    by_rest: dict[str, Match] = {}
    remains_of: dict[str, Remains] = {}
    for position in lost:
        path, id_ = needles.entries[position].path, needles.refs[position].id
        damage = (is_damaged(id_) and thumbnails[id_].damage) or ""
        intact = None if position in smooth else _most_intact(thumbnails[id_], likely[id_], haystack, cache)
        if intact is not None and intact.share >= LEAST_INTACT:
            distance_bits = int(needles.hashes[position, 0] ^ haystack.hashes[intact.picture, 0]).bit_count()
            why = intact_reason(damage, intact.share)
            by_rest[path] = Match(haystack.entries[intact.picture].path, Evidence.SIMILAR, distance_bits, why)
        else:
            best = max(likely[id_], default=None)
            is_like = best is not None and best.likeness >= _LEAST_LIKELY
            nearest = haystack.entries[best.picture].path if best is not None and is_like else None
            remains_of[path] = Remains(damage, nearest)
    return by_rest, remains_of


def likeliest_gray(
    needles: Pictures, haystack: Pictures, matches: Mapping[str, Match], cache: Cache, algorithm: str
) -> list[int]:
    """Return the positions of gray pictures among those that are likeliest for the needles of :func:`match_damaged`.

    Twice as many as are compared: by the pixels of the whole file a picture may change its place among them.
    """
    lost, _ = _without_hash(needles, matches, cache, algorithm)
    if not lost:
        return []
    thumbnails = cache.thumbnails(sorted({needles.refs[position].id for position in lost}))
    likely = _likely(thumbnails, haystack, cache, lambda _: None, 2 * _COMPARED)
    pictures = {candidate.picture for candidates in likely.values() for candidate in candidates}
    return sorted(picture for picture in pictures if is_gray(haystack.refs[picture].id))


def _without_hash(
    needles: Pictures, matches: Mapping[str, Match], cache: Cache, algorithm: str | None
) -> tuple[list[int], set[int]]:
    """Return the positions of needles without a match whose hash is no good to search by, and of the smooth ones."""
    missing = [position for position, entry in enumerate(needles.entries) if entry.path not in matches]
    smooth = _smooth(needles, missing, cache, algorithm) if algorithm is not None else set()
    return [place for place in missing if is_damaged(needles.refs[place].id) or place in smooth], smooth


def _smooth(needles: Pictures, positions: Sequence[int], cache: Cache, algorithm: str) -> set[int]:
    """Return those of the undamaged needles at ``positions`` whose hash changes with every compression."""
    sound = {position: needles.refs[position].id for position in positions}
    ids = smooth_among(list(sound.values()), cache, algorithm)
    return {position for position, id_ in sound.items() if id_ in ids}


def smooth_among(ids: Iterable[int], cache: Cache, algorithm: str) -> set[int]:
    """Return those of these thumbnails, by id, that are undamaged and whose hash changes with every compression.

    None that is gray does: only what is rough was left gray (:func:`~dupfind.evidence.fingerprint.may_search_gray`).
    """
    known = cache.steady.setdefault(algorithm, {})
    sound = {id_ for id_ in ids if not is_damaged(id_) and not is_gray(id_)}
    unknown = sorted(sound - known.keys())
    for start in range(0, len(unknown), _BATCH):
        batch = unknown[start : start + _BATCH]
        thumbnails = cache.thumbnails(batch)
        pictures = np.stack([pixels(thumbnails[id_].pixels) for id_ in batch])
        known.update(zip(batch, fingerprint.are_steady(pictures, algorithm).tolist(), strict=True))
    return {id_ for id_ in sound if not known[id_]}


def intact_reason(damage: str, share: float) -> Reason:
    """Give the reason of a damaged needle of which this share is the same as its witness."""
    return Reason(ReasonCode.PARTLY_INTACT, (damage, round(share, 4)))


def _likely(
    needles: Mapping[int, Thumbnail], haystack: Pictures, cache: Cache, advance: Advance, most: int = _COMPARED
) -> dict[int, list[_Likely]]:
    """Return the haystack pictures that are likeliest for each needle, by the id of its thumbnail."""
    ids = ([ref.id for ref in haystack.refs[start : start + _BATCH]] for start in range(0, len(haystack.refs), _BATCH))
    return _likeliest(needles, ids, cache.thumbnails, advance, most)


def likeliest(
    needles: Mapping[int, Thumbnail],
    ids: Sequence[int],
    thumbnails: Callable[[Sequence[int]], Mapping[int, Thumbnail]],
) -> set[int]:
    """Return the positions among ``ids`` of all pictures that are compared with one of these needles, by parts."""
    batches = (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
    likely = _likeliest(needles, batches, thumbnails, lambda _: None)
    return {candidate.picture for candidates in likely.values() for candidate in candidates}


def _likeliest(
    needles: Mapping[int, Thumbnail],
    batches: Iterable[Sequence[int]],
    read: Callable[[Sequence[int]], Mapping[int, Thumbnail]],
    advance: Advance,
    most: int = _COMPARED,
) -> dict[int, list[_Likely]]:
    """Return the likeliest pictures for each needle, by the id of its thumbnail; ``batches`` are ids of theirs."""
    likely: dict[int, list[_Likely]] = {id_: [] for id_ in needles}
    damaged = np.stack([pixels(thumbnail.pixels) for thumbnail in needles.values()])
    first = 0
    for ids in batches:
        thumbnails = read(list(dict.fromkeys(ids)))
        theirs = np.stack([pixels(thumbnails[id_].pixels) for id_ in ids])
        for id_, scores in zip(needles, partial_match.likeness(damaged, theirs), strict=True):
            best = np.argsort(-scores, kind="stable")[:most].tolist()
            candidates = [_Likely(float(scores[index]), first + index) for index in best]
            likely[id_] = heapq.nlargest(most, likely[id_] + candidates, key=lambda candidate: candidate.likeness)
        first += len(ids)
        advance(len(ids))
    return likely


def _most_intact(needle: Thumbnail, likely: list[_Likely], haystack: Pictures, cache: Cache) -> _Intact | None:
    """Return the haystack picture of which the largest part is still there."""
    damaged = differences.surface(pixels(needle.pixels))
    ids = [haystack.refs[candidate.picture].id for candidate in likely]
    thumbnails = cache.thumbnails(list(dict.fromkeys(ids)))
    compared = [
        _Intact(partial_match.intact(damaged, differences.surface(pixels(thumbnails[id_].pixels))), candidate.picture)
        for candidate, id_ in zip(likely, ids, strict=True)
    ]
    return max(compared, key=lambda candidate: candidate.share, default=None)
