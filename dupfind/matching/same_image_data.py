"""Needles whose image data equal those of a haystack picture: one picture, whatever the metadata of the two files say.

No test on pixels and no fact counts against equal image data: not text, flatness, size, further frames, what else
lies in the files, nor other capture times; several needles may have one witness. Digests are made only of pictures
whose thumbnails and facts agree with those of a picture on the other side, each file once, so that large families of
flat or blank pictures cost no more than reading them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import COARSE, DAMAGED, PictureRef
from dupfind.matching.decodes import Decodes, Side
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.search.blocks import Hashes
from dupfind.values import Evidence, Match, Thumbnail

REASON = Reason(ReasonCode.SAME_IMAGE_DATA)
_BATCH = 1024
_JPEG = ("JPEG", "MPO")
_DIGESTED = frozenset({*_JPEG, "PNG", "TIFF", "BMP", "GIF", "WEBP", "HEIF", "AVIF", "JXL"})
"""Formats, as thumbnails name them, that have digests of image data."""


def find_same_image_data(
    decodes: Decodes,
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Match]:
    """Return the matches of needles whose image data haystack pictures have, by path; the lowest path is the witness.

    ``split`` are, by the path of a needle, files that prove nothing of it.
    """
    pairs = _pairs(decodes, run, split or {})
    if not pairs:
        return {}
    decodes.read(pairs.items())  # what was read coarsely may be damaged behind its beginning
    return {
        decodes.needles.entries[needle].path: Match(decodes.haystack.entries[witness].path, Evidence.SAME, 0, REASON)
        for needle, witness in pairs.items()
        if all(map(_is_sound, (decodes.needles.refs[needle], decodes.haystack.refs[witness])))
    }


def key_of(thumbnail: Thumbnail) -> tuple[object, ...] | None:
    """Return what two pictures of equal image data have in common beside these; None for a format without digests."""
    if thumbnail.format not in _DIGESTED:
        return None
    stored: tuple[object, ...] = ()
    if thumbnail.format in _JPEG:  # the others may be conversions of each other
        stored = thumbnail.format, thumbnail.quality, 0 if thumbnail.is_coarse else thumbnail.data_bytes
    shown = thumbnail.pixels, thumbnail.chroma, thumbnail.width, thumbnail.height, thumbnail.frames
    return (*shown, thumbnail.is_coarse, *stored)


def _pairs(
    decodes: Decodes,
    run: Reading,
    split: Mapping[str, frozenset[str]],
) -> dict[int, int]:
    """Return the positions of needles and of their witnesses."""
    sides = decodes.needles, decodes.haystack
    needles, haystack = (side.hashes[:, 0] for side in sides)
    places = [_places(*hashes) for hashes in ((needles, haystack), (haystack, needles))]
    decodes.measure(*places)
    for number, side in enumerate(sides):
        places[number] = [
            place for place in places[number] if side.entries[place].can_be_read and place not in side.lost
        ]
    if not all(places):
        return {}
    keys = [dict(_keys(side, positions, run.cache)) for side, positions in zip(sides, places, strict=True)]
    common = set(keys[0].values()) & set(keys[1].values())
    if not common:  # what digests are made by takes as long to load as the decoders
        return {}
    alike = [[place for place, key in of_side.items() if key in common] for of_side in keys]
    entries = [side.entries[place] for side, positions in zip(sides, alike, strict=True) for place in positions]
    digests = run.reader.image_data(entries)
    witnesses: dict[bytes, list[int]] = defaultdict(list)
    for place in sorted(alike[1], key=lambda place: decodes.haystack.entries[place].path):
        if digest := digests.get(decodes.haystack.entries[place].path):
            witnesses[digest].append(place)
    pairs = {}
    for place in alike[0]:
        path = decodes.needles.entries[place].path
        refused = split.get(path, ())
        candidates = witnesses.get(digests.get(path, b""), ())
        chosen = next(
            (position for position in candidates if decodes.haystack.entries[position].path not in refused), None
        )
        if chosen is not None:
            pairs[place] = chosen
    return pairs


def _places(hashes: Hashes, others: Hashes) -> list[int]:
    """Return where ``hashes`` are among ``others``. For its own way numpy loads its masked arrays, 7 ms."""
    if not len(others):
        return []
    ordered = np.sort(others)
    nearest = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return list(np.flatnonzero(ordered[nearest] == hashes).tolist())


def _is_sound(ref: PictureRef) -> bool:
    """Tell whether a picture was read whole, without a complaint."""
    return not ref.id & (COARSE | DAMAGED)


def _keys(pictures: Side, positions: Sequence[int], cache: Cache) -> Iterator[tuple[int, int]]:
    """Yield the hash of the key of each picture that has one, by its position."""
    for start in range(0, len(positions), _BATCH):
        batch = positions[start : start + _BATCH]
        thumbnails = cache.thumbnails([pictures.refs[position].id for position in batch])
        for position in batch:
            key = key_of(thumbnails[pictures.refs[position].id])
            if key is not None:
                yield position, hash(key)
