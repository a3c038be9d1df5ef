"""Frames of a camera that does not move: something small in them does, and no capture time tells them apart.

Real frames lie beside the project with the share of each pair that visibly changed. The others are made of photos: an
object of a given share of the area is put down at two places, or a person shifts a little, under fresh noise.
"""

from __future__ import annotations

import csv
from functools import lru_cache, partial
from random import Random

import numpy as np
from PIL import Image

from benchmarks.common import SHARED_DATA
from benchmarks.edits import LANCZOS, Case, Source, encode, grey_difference
from benchmarks.filters import changed_share, ellipse, log_uniform, noisy, random_box, scaled
from benchmarks.kinds import CURVES, STILL, PairKind

LEAST_MOVED = 0.0005
"""From this share of the area on two frames are not the same picture."""
_FAINTEST_OBJECT, _BOLDEST_OBJECT = 12.0, 30.0
"""Least mean difference in grey levels between an object and what it stands on: a bird on a roof, a red car on snow."""
_PERSON_MOVED = 0.005


@lru_cache(maxsize=1)
def _real_pairs() -> dict[tuple[str, str], float]:
    table = SHARED_DATA / "siblings" / "moved.tsv"
    if not table.exists():
        return {}
    with table.open(newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return {(row["frame_a"], row["frame_b"]): float(row["moved_fraction"]) for row in rows}


def _real_frames(low: float, high: float, _: Source, dice: Random) -> Case | None:
    """Two real frames, either the needle, as files or saved again: cameras write each frame once."""
    pairs = [pair for pair, moved in _real_pairs().items() if low <= moved < high]
    if not pairs:
        return None
    names = dice.choice(pairs)
    first, second = ((SHARED_DATA / "siblings" / name).read_bytes() for name in names)
    return Case(first, second) if dice.random() < 0.5 else Case(second, first)


def _background(source: Source, dice: Random) -> Image.Image:
    """Return the scene as every frame sees it, without the noise."""
    return source.image if dice.random() < 0.7 else source.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _frames(first: Image.Image, second: Image.Image, dice: Random) -> Case:
    """Save two frames as one camera does: the same quality, fresh noise each."""
    grain, quality = dice.uniform(0, 2.2), dice.randint(78, 95)
    return Case(
        encode(noisy(first, grain, dice) if grain > 0.4 else first, quality=quality),
        encode(noisy(second, grain, dice) if grain > 0.4 else second, quality=quality),
    )


def _object(source: Source, dice: Random, share: float) -> tuple[Image.Image, Image.Image]:
    """Cut an object out of the other photo, with the mask of its outline."""
    aspect = dice.uniform(0.45, 2.2)
    width, height = (box := random_box(source.image, share, dice, aspect))[2] - box[0], box[3] - box[1]
    origin = source.other if dice.random() < 0.5 else source.image
    spread = random_box(origin, min(0.2, share * 6), dice, aspect)
    return origin.crop(spread).resize((width, height), LANCZOS), ellipse((width, height), 0.06)


def _put_down(
    scene: Image.Image, thing: tuple[Image.Image, Image.Image], dice: Random, near: tuple[int, int] | None = None
) -> tuple[Image.Image, tuple[int, int]] | None:
    """Return the scene with the object at a place where it shows, and that place; ``near`` is where it was before."""
    part, mask = thing
    least = dice.uniform(_FAINTEST_OBJECT, _BOLDEST_OBJECT)
    for _ in range(25):
        left = dice.randint(0, max(0, scene.width - part.width))
        top = dice.randint(scene.height // 6, max(scene.height // 6, scene.height - part.height))
        if near is not None:
            left, top = (round(place + part.width * dice.uniform(-1.2, 1.2)) for place in near)
        under = scene.crop((left, top, left + part.width, top + part.height))
        if grey_difference(under, part).mean() >= least:
            frame = scene.copy()
            frame.paste(part, (left, top), mask)
            return frame, (left, top)
    return None


def moved_object(low: float, high: float, source: Source, dice: Random) -> Case | None:
    """An object that covers half the changed share stands at two places, or comes and goes."""
    scene, share = _background(source, dice), log_uniform(dice, low, high)
    comes_and_goes = dice.random() < 0.4
    thing = _object(source, dice, 1.35 * share * (1.0 if comes_and_goes else 0.5))
    first = _put_down(scene, thing, dice)
    if first is None:
        return None
    near = first[1] if dice.random() < 0.5 else None
    second = (scene, first[1]) if comes_and_goes else _put_down(scene, thing, dice, near)
    if second is None or changed_share(first[0], second[0]) < 0.6 * low:
        return None
    return _frames(first[0], second[0], dice)


def swaying_person(source: Source, dice: Random) -> Case | None:
    """Somebody stands before the camera and has moved by some pixels: a soft piece of the scene is warped."""
    scene = _background(source, dice)
    for _ in range(12):
        box = random_box(scene, dice.uniform(0.04, 0.15), dice, dice.uniform(0.35, 0.8))
        reach = scaled(scene, dice.uniform(12, 70), dice.uniform(1.5, 6))
        part = warped(scene.crop(box), reach, dice)
        moved = scene.copy()
        moved.paste(part, box[:2])
        if _PERSON_MOVED <= changed_share(scene, moved, 16) <= 10 * _PERSON_MOVED:
            return _frames(scene, moved, dice)
    return None


def warped(part: Image.Image, reach: float, dice: Random) -> Image.Image:
    """Displace the middle of ``part`` by up to ``reach`` pixels and its edge by none."""
    down, across = np.mgrid[0 : part.height, 0 : part.width].astype(np.float32)
    fall = np.clip(1 - ((across / part.width * 2 - 1) ** 2 + (down / part.height * 2 - 1) ** 2), 0, 1) ** 0.7
    direction = dice.uniform(0, 2 * np.pi)
    across = across - np.float32(reach * np.cos(direction)) * fall
    down = down - np.float32(0.5 * reach * np.sin(direction)) * fall
    return sampled(part, across, down)


def sampled(image: Image.Image, across: np.ndarray, down: np.ndarray) -> Image.Image:
    """Return the picture seen at these places, between pixels by the four around; its edge is continued."""
    pixels = np.asarray(image, np.float32)
    across = np.clip(across, 0, pixels.shape[1] - 1.001)
    down = np.clip(down, 0, pixels.shape[0] - 1.001)
    left, top = across.astype(np.int32), down.astype(np.int32)
    right, bottom = np.minimum(left + 1, pixels.shape[1] - 1), np.minimum(top + 1, pixels.shape[0] - 1)
    x, y = (across - left)[..., None], (down - top)[..., None]
    upper = pixels[top, left] * (1 - x) + pixels[top, right] * x
    lower = pixels[bottom, left] * (1 - x) + pixels[bottom, right] * x
    return Image.fromarray(np.clip(upper * (1 - y) + lower * y + 0.5, 0, 255).astype(np.uint8))


STILL_KINDS = (
    PairKind("real frames, 0.05 to 0.5% moved", STILL, partial(_real_frames, LEAST_MOVED, 0.005), has_own_size=True),
    PairKind("real frames, 0.5% or more moved", STILL, partial(_real_frames, 0.005, 2.0), has_own_size=True),
    PairKind("object moved, 0.05 to 0.1%", STILL, partial(moved_object, 0.0005, 0.001)),
    PairKind("object moved, 0.1 to 0.5%", STILL, partial(moved_object, 0.001, 0.005)),
    PairKind("person standing, moved a little", STILL, swaying_person),
    PairKind("real frames, nothing moved", CURVES, partial(_real_frames, 0.0, 0.00001), has_own_size=True),
    PairKind("object moved, 0.02 to 0.05%", CURVES, partial(moved_object, 0.0002, 0.0005)),
)
