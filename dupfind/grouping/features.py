"""What grouping keeps of a picture while it is compared with others: facts and hashes, no pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache import Cache
from dupfind.evidence import capture_times, evidence, fingerprint
from dupfind.matching.borders import inner_pixels
from dupfind.values import Thumbnail

Words = NDArray[np.uint64]

_BATCH = 512
_CHECK_BYTES, _CHECK_WORDS = 32, 4


class Sketch(NamedTuple):
    """One picture."""

    id: int
    """Of its thumbnail."""
    facts: Thumbnail
    """Without its planes."""
    is_weak: bool
    """True where it shows too little to be proved by anything but its bytes."""
    moment: capture_times.Moment | None
    noise: float
    check: int


def sketches(cache: Cache, ids: Sequence[int]) -> dict[int, Sketch]:
    """The sketches of these thumbnails; 0.4 ms each."""
    by_id = {}
    for start in range(0, len(ids), _BATCH):
        for id_, thumbnail in cache.thumbnails(ids[start : start + _BATCH]).items():
            picture = evidence.prepare(thumbnail)
            facts = dataclasses.replace(thumbnail, pixels=b"", chroma=b"")
            is_weak = evidence.shows_too_little(picture, with_full_size=True) is not None
            by_id[id_] = Sketch(id_, facts, is_weak, picture.moment, picture.noise, picture.check)
    return by_id


def words(check_hashes: Iterable[int]) -> Words:
    """Check hashes as four words each, the highest bits first: (hashes, 4)."""
    data = b"".join(check.to_bytes(_CHECK_BYTES, "big") for check in check_hashes)
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, _CHECK_WORDS)


def checks(cache: Cache, asked: Sequence[tuple[int, bool]], orientations: int) -> Words:
    """The check hashes of these pictures, each named by its id and whether its frame is left out; 50 us each.

    Shape (pictures, orientations, 4).
    """
    rows = []
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        thumbnails = cache.thumbnails(sorted({id_ for id_, _ in batch}))
        for id_, is_inner in batch:
            seen = inner_pixels(thumbnails[id_]) if is_inner else fingerprint.pixels(thumbnails[id_].pixels)
            turned = (np.ascontiguousarray(fingerprint.turn(seen, turn)) for turn in range(orientations))
            rows.append(words(map(fingerprint.check_hash, turned)))
    return np.stack(rows) if rows else np.empty((0, orientations, _CHECK_WORDS), np.uint64)
