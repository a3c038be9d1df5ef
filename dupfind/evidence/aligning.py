"""Alignment of two pictures for a person who flips between them; no verdict rests on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dupfind.evidence import fingerprint
from dupfind.evidence.evidence import CHECK_BOUND_BITS
from dupfind.evidence.fingerprint import Pixels
from dupfind.pictures import borders
from dupfind.values import ORIENTATIONS, Thumbnail

CLEARLY_BITS = 16
"""Of 256: by how much a turned picture has to come nearer than the upright one."""
_MOST_BITS = 256


def orientation(needle: Thumbnail, witness: Thumbnail) -> int:
    """Find how to turn ``witness`` to lie on ``needle``, see :func:`dupfind.evidence.fingerprint.turn`; 0.6 ms.

    Both are taken with and without their frames. 0, which is upright, where no turn makes them alike.
    """
    hashes = [fingerprint.check_hash(view) for view in _views(needle)]
    nearest = [_MOST_BITS] * ORIENTATIONS
    for view in _views(witness):
        for index in range(ORIENTATIONS):
            turned = fingerprint.check_hash(np.ascontiguousarray(fingerprint.turn(view, index)))
            nearest[index] = min(nearest[index], *((turned ^ hash_).bit_count() for hash_ in hashes))
    best = min(range(ORIENTATIONS), key=nearest.__getitem__)
    return best if nearest[best] <= min(CHECK_BOUND_BITS, nearest[0] - CLEARLY_BITS) else 0


def _views(thumbnail: Thumbnail) -> Iterator[Pixels]:
    whole = fingerprint.pixels(thumbnail.pixels)
    yield whole
    if thumbnail.border:
        yield borders.inner(whole, thumbnail.border)
