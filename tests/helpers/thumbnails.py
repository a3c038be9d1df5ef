"""Thumbnails to match, and what came of it."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from dupfind.evidence import fingerprint
from dupfind.values import Match, Thumbnail
from fixtures import pictures
from tests.helpers.scenes import Field, scene, shot


def thumbnail(seed: int, width: int = 640, height: int = 480, *, turned: int = 0, flat: bool = False) -> Thumbnail:
    """The thumbnail of a photo, turned as index ``turned`` says."""
    array = np.full((64, 64), seed, np.uint8) if flat else fingerprint.turn(np.asarray(_grey(seed)), turned)
    sides = (height, width) if turned >= 4 else (width, height)
    return Thumbnail(array.tobytes(), *sides, "JPEG", 1, None)


@cache
def _grey(seed: int) -> Image.Image:
    return pictures.photo(seed, (128, 96)).convert("L").resize((64, 64))


def marked(level: float) -> Field:
    """The scene with one tile lighter by ``level``."""
    values = scene()
    values[20:24, 48:52] += level
    return values


LIGHTER, DARKER, PLAIN = (shot(marked(level), 1000, 750) for level in (2.4, -2.5, 0.0))
"""Two frames that both pass for the plain one, and not for each other."""


def grades(matches: dict[str, Match]) -> dict[str, str]:
    """Grade and witness of each needle."""
    return {path: f"{match.evidence} {match.witness}" for path, match in sorted(matches.items())}


def coarse(seed: int, **changes: Any) -> Thumbnail:
    """The beginning of a photo."""
    return dataclasses.replace(thumbnail(seed), is_coarse=True, **changes)
