"""Kinds of pairs beyond those that were reported: what else a library's copy may lack, and how else copies are made.

Bounds may be tuned on these; :mod:`benchmarks.held_out` has as many again that nothing is tuned on.
"""

from __future__ import annotations

import io
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter

from benchmarks.drawing import font
from benchmarks.edits import LANCZOS, Case, Source, encode, grey_difference, resized
from benchmarks.filters import (
    blurred_by,
    changed_share,
    changed_where_it_shows,
    ellipse,
    log_uniform,
    noisy,
    random_box,
    scaled,
    shows,
    smoothed,
    toned,
    worst_blocks,
)
from benchmarks.kinds import COPIES, CURVES, LACKING, STILL, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import decoded, jpeg
from benchmarks.still_camera import warped
from dupfind.pictures import profiles
from fixtures import icc, pictures

_SEEN_LEVELS = 5
"""Levels by which 5% of a picture's colours have to be shown otherwise for a person to see it."""


def _portrait(image: Image.Image, dice: Random) -> Image.Image | None:
    """Portrait mode: the background is blurred by software."""
    soft = blurred_by(image, scaled(image, log_uniform(dice, 4, 40), 0.8))
    mask = Image.new("L", image.size)
    width, height = round(image.width * dice.uniform(0.3, 0.5)), round(image.height * dice.uniform(0.6, 0.9))
    left = round(dice.uniform(0.2, 0.8) * (image.width - width))
    mask.paste(ellipse((width, height)), (left, image.height - height))
    changed = Image.composite(image, soft, mask)
    return changed if shows(image, changed, 2.5) else None


def _focus_stack(source: Source, dice: Random) -> Case | None:
    """Two frames of a focus stack: one is sharp on one side, one on the other."""
    image = source.image
    soft = blurred_by(image, scaled(image, log_uniform(dice, 2.5, 9), 0.8))
    ramp = Image.linear_gradient("L").rotate(dice.choice((0, 90, 180, 270))).resize(image.size)
    first, second = Image.composite(image, soft, ramp), Image.composite(soft, image, ramp)
    return Case(jpeg(first, dice), jpeg(second, dice)) if shows(first, second, 2.5) else None


def healed(image: Image.Image, dice: Random) -> Image.Image | None:
    """Something small was taken out by what stands beside it: a mole, a bird, a wire's end."""
    for _ in range(20):
        box = random_box(image, log_uniform(dice, 0.0008, 0.004), dice)
        width, height = box[2] - box[0], box[3] - box[1]
        step = dice.choice(((width, 0), (-width, 0), (0, height), (0, -height)))
        beside = box[0] + step[0], box[1] + step[1], box[2] + step[0], box[3] + step[1]
        if min(beside[:2]) < 0 or beside[2] > image.width or beside[3] > image.height:
            continue
        changed = image.copy()
        changed.paste(image.crop(beside), box[:2], ellipse((width, height), 0.08))
        if grey_difference(image.crop(box), changed.crop(box)).mean() >= 12:
            return changed
    return None


def _posterised(image: Image.Image, dice: Random) -> Image.Image:
    """Few levels in each colour: bands in skies and on skin."""
    step = dice.choice((10, 12, 16))
    return image.point([min(255, level // step * step + step // 2) for level in range(256)] * 3)


def _blown(image: Image.Image, dice: Random) -> Image.Image | None:
    """Highlights or shadows are gone for good: exposed too much or too little, then brought back."""
    factor = dice.uniform(1.12, 1.4)
    if dice.random() < 0.5:
        table = [round(min(255, level * factor) / factor) for level in range(256)]
    else:
        black = round(dice.uniform(22, 40))
        table = [max(level, black) for level in range(256)]
    changed = image.point(table * 3)
    return changed if worst_blocks(image, changed, 0.99) >= 8 else None


def _smeared_colour(image: Image.Image, dice: Random) -> Image.Image | None:
    """The colour was kept at a small fraction of the size: it runs over all edges."""
    luma, blue, red = image.convert("YCbCr").split()
    scale = dice.uniform(1 / 24, 1 / 12)
    planes = (resized(plane, scale).resize(image.size, Image.Resampling.BICUBIC) for plane in (blue, red))
    changed = Image.merge("YCbCr", (luma, *planes)).convert("RGB")
    moved = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if float(np.quantile(moved[::3, ::3], 0.95)) >= 12 else None


def _truncated(source: Source, dice: Random) -> Case | None:
    """The file broke off in the library: its last rows are grey."""
    whole = encode(source.image, quality=dice.randint(85, 95))
    with Image.open(io.BytesIO(whole)) as image:
        picture = image.convert("RGB")
    lost = max(8, round(picture.height * dice.uniform(0.02, 0.06)))
    grey = picture.copy()
    grey.paste((128, 128, 128), (0, picture.height - lost, picture.width, picture.height))
    return Case(whole, jpeg(grey, dice)) if shows(picture, grey, 0.0) else None


def _many_generations(source: Source, dice: Random) -> Case:
    """Edited and saved again and again: each time at q45 to q60, the grid of blocks moved."""
    image = source.image
    for _ in range(dice.randint(8, 12)):
        left, top = dice.randint(1, 7), dice.randint(1, 7)
        padded = Image.new("RGB", (image.width + 8, image.height + 8))
        padded.paste(image.resize(padded.size), (0, 0))
        padded.paste(image, (left, top))
        again = decoded(encode(padded, quality=dice.randint(40, 55)))
        image = again.crop((left, top, left + image.width, top + image.height))
    return Case(jpeg(source.image, dice, 92, 97), encode(image, quality=92))


def _faint_watermark(image: Image.Image, dice: Random) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    pen, size = ImageDraw.Draw(layer), image.width * dice.uniform(0.05, 0.09)
    for row in range(4):
        place = (row % 2 * image.width * 0.3 + image.width * 0.05, image.height * (0.1 + 0.25 * row))
        pen.text(place, "(c) sample photo", (255, 255, 255, dice.randint(28, 60)), font(max(12, round(size))))
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _cast(image: Image.Image, dice: Random) -> Image.Image:
    """Another white balance."""
    luma, blue, red = image.convert("YCbCr").split()
    by = dice.choice((-1, 1)) * dice.randint(6, 10)
    moved = blue.point(lambda level: level - by), red.point(lambda level: level + by)
    return Image.merge("YCbCr", (luma, *moved)).convert("RGB")


def _beautified(image: Image.Image, dice: Random) -> Image.Image | None:
    """Skin made smooth: texture is gone in a part of the picture, its edges are not."""
    radius = max(2, round(scaled(image, 8, 2)))
    return changed_where_it_shows(
        image, dice.uniform(0.03, 0.09), lambda part: smoothed(part, radius, 22), dice, least=2.5, is_soft=True
    )


def _every_second_row(image: Image.Image, _: Random) -> Image.Image | None:
    """A frame of an old film: half of the rows, each twice."""
    half = image.resize((image.width, image.height // 2), Image.Resampling.NEAREST)
    changed = half.resize(image.size, Image.Resampling.BILINEAR)
    return changed if shows(image, changed, 3) else None


def _starless(source: Source, dice: Random) -> Case:
    """A sky of the night; in the library the stars went with the noise."""
    night = toned(source.image, dice.uniform(0.15, 0.3))
    sky = noisy(night, dice.uniform(0.5, 1.5), dice)
    starry, size = sky.copy(), scaled(sky, 2.5, 0.7)
    pen = ImageDraw.Draw(starry)
    for _ in range(dice.randint(25, 80)):
        x, y, light = dice.random() * sky.width, dice.random() * sky.height * 0.7, dice.randint(110, 240)
        pen.ellipse((x - size, y - size, x + size, y + size), fill=(light, light, min(255, light + 15)))
    return Case(jpeg(starry, dice, 90, 97), jpeg(sky, dice, 90, 97))


def _changed_face(source: Source, dice: Random) -> Case | None:
    """The next shot of a group: one face is another, the rest stands still."""
    for _ in range(12):
        box = random_box(source.image, dice.uniform(0.006, 0.02), dice)
        part = warped(source.image.crop(box), scaled(source.image, dice.uniform(25, 60), dice.uniform(2, 4)), dice)
        moved = source.image.copy()
        moved.paste(part, box[:2])
        if changed_share(source.image, moved, 16) >= 0.001:
            return Case(jpeg(source.image, dice), jpeg(moved, dice))
    return None


def _lit_window(source: Source, dice: Random) -> Case | None:
    """A light went on: 0.06 to 0.3% of the area is brighter or of another colour."""
    tint = dice.choice(((255, 190, 90), (240, 40, 40), (60, 220, 90)))

    def lit(part: Image.Image) -> Image.Image:
        return Image.blend(part, Image.new("RGB", part.size, tint), 0.6)

    changed = changed_where_it_shows(source.image, dice.uniform(0.0008, 0.003), lit, dice, least=14, is_soft=True)
    return None if changed is None else Case(jpeg(source.image, dice), jpeg(changed, dice))


def _linear(source: Source, dice: Random) -> Case | None:
    """Reduced in linear light, as some programs do."""
    light = (np.asarray(source.image, np.float32) / 255) ** np.float32(2.2)
    scale = dice.uniform(0.4, 0.8)
    size = round(source.image.width * scale), round(source.image.height * scale)
    planes = [Image.fromarray(light[..., plane]).resize(size, Image.Resampling.BOX) for plane in range(3)]
    small = np.stack([np.asarray(plane) for plane in planes], -1)
    levels = np.clip(small, 0, 1) ** np.float32(1 / 2.2) * 255 + 0.5
    return Case(jpeg(Image.fromarray(levels.astype(np.uint8)), dice, 80, 95), source.data)


def _three_programs(source: Source, dice: Random) -> Case:
    """Handed on three times, each time saved in another format."""
    image = source.image
    for kind, options in (("JPEG", {}), ("WEBP", {"method": 1}), ("JPEG", {})):
        image = decoded(encode(image, kind, quality=dice.randint(82, 93), **options))
    return Case(encode(image, quality=dice.randint(75, 92)), source.data)


def _opaque(source: Source, _: Random) -> Case:
    """An editor's PNG with an alpha channel in which everything is opaque."""
    return Case(encode(source.image.convert("RGBA"), "PNG", **pictures.QUICKLY["PNG"]), source.data)


def _dim(source: Source, dice: Random) -> Case:
    """A dark photo and its copy."""
    dark = toned(source.image, dice.uniform(0.35, 0.6))
    return Case(encode(dark, quality=dice.randint(60, 90)), jpeg(dark, dice, 92, 97))


def _hazy(source: Source, dice: Random) -> Case:
    """A photo in fog, of little contrast, and its copy."""
    haze = Image.new("RGB", source.image.size, (190, 195, 200))
    hazy = Image.blend(source.image, haze, dice.uniform(0.4, 0.65))
    return Case(encode(hazy, quality=dice.randint(60, 90)), jpeg(hazy, dice, 92, 97))


def _smooth(source: Source, dice: Random) -> Case:
    """A photo without fine detail, out of focus altogether, and its copy."""
    soft = blurred_by(source.image, scaled(source.image, 12, 2))
    return Case(encode(soft, quality=dice.randint(55, 90)), jpeg(soft, dice, 92, 97))


def _chroma_halved_twice(source: Source, dice: Random) -> Case:
    """Colour at a quarter of the columns (4:2:2 of 4:2:0), with restart marks."""
    first = decoded(encode(source.image, quality=90, subsampling=2))
    return Case(encode(first, quality=dice.randint(80, 92), subsampling=1, restart_marker_rows=1), source.data)


def _sharper_reduction(source: Source, dice: Random) -> Case | None:
    """Reduced by a program that sharpens while it does, quality 85 and more."""
    small = resized(source.image, dice.uniform(0.3, 0.6), LANCZOS)
    if min(small.size) < 128:
        return None
    sharp = small.filter(ImageFilter.UnsharpMask(0.5, dice.randint(40, 80), 0))
    return Case(encode(sharp, quality=dice.randint(85, 95), subsampling=0), source.data)


def _other_profile(source: Source, dice: Random) -> Case | None:
    """The profile of a screen or a camera was left out, or another one was written over it; the numbers stayed."""
    wide = icc.of_primaries(dice.choice((icc.ADOBE_RGB, icc.DISPLAY_P3)), dice.choice((1.8, 2.2)))
    other: dict[str, Any] = dice.choice(({}, {"icc_profile": icc.of_primaries(icc.SRGB, 2.2)}))
    small = np.asarray(source.image.resize((64, 64), Image.Resampling.BOX)).reshape(-1, 3)
    if profiles.shown_apart(small, other.get("icc_profile"), wide) < _SEEN_LEVELS:
        return None
    needle = encode(source.image, quality=dice.randint(85, 95), icc_profile=wide)
    return Case(needle, encode(source.image, dice.choice(("PNG", "JPEG")), **other))


def _said_to_be_srgb(source: Source, dice: Random) -> Case:
    """A program has written a profile of sRGB where nothing was said, or left it out."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    case = [
        encode(source.image, quality=dice.randint(80, 95)),
        encode(source.image, "JPEG", quality=96, icc_profile=profile),
    ]
    dice.shuffle(case)
    return Case(*case)


_LACKING: dict[str, Make] = {
    "another profile": _other_profile,
    "portrait mode": changed_witness(_portrait),
    "focus stack": _focus_stack,
    "spot healed, 0.08 to 0.4%": changed_witness(healed),
    "posterised": changed_witness(_posterised),
    "highlights or shadows lost": changed_witness(_blown),
    "colour smeared": changed_witness(_smeared_colour),
    "last rows grey": _truncated,
    "saved ten times at q40-55": _many_generations,
    "faint watermark": changed_witness(_faint_watermark),
    "white balance": changed_witness(_cast),
    "skin smoothed": changed_witness(_beautified),
    "every second row": changed_witness(_every_second_row),
    "stars lost": _starless,
}
_STILL: dict[str, Make] = {"another face": _changed_face, "a light went on": _lit_window}
_COPIES: dict[str, Make] = {
    "handed on three times": _three_programs,
    "PNG with an opaque alpha": _opaque,
    "dark photo": _dim,
    "hazy photo": _hazy,
    "photo without detail": _smooth,
    "4:2:2 of 4:2:0": _chroma_halved_twice,
    "said to be sRGB": _said_to_be_srgb,
    "reduced, sharpened a little, q85 and more": _sharper_reduction,
}
_CURVES: dict[str, Make] = {"reduced in linear light": _linear}
OWN_KINDS = tuple(
    PairKind(name, group, make)
    for group, kinds in ((LACKING, _LACKING), (STILL, _STILL), (COPIES, _COPIES), (CURVES, _CURVES))
    for name, make in kinds.items()
)
