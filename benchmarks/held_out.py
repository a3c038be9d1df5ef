"""Kinds of pairs that nothing is tuned on: whoever chooses a bound has not looked at them.

They are measured at the end, and their shares are reported beside those of the kinds that bounds were chosen by. What
they hold is of the same sort: a witness that lacks something, frames of one place, pages, and true copies.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.edits import BOX, Case, Source, encode, grey_difference, resized
from benchmarks.filters import (
    blurred_by,
    changed_share,
    changed_where_it_shows,
    ellipse,
    enlarged,
    log_uniform,
    mosaic,
    noisy,
    random_box,
    scaled,
    shows,
    toned,
)
from benchmarks.held_out_pages import HELD_OUT_PAGE_KINDS
from benchmarks.kinds import COPIES, LACKING, STILL, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import decoded, jpeg
from benchmarks.still_camera import sampled
from fixtures import pictures


def _disc_blur(image: Image.Image, radius: int) -> Image.Image:
    """Blur as a lens out of focus does: the mean of a disc."""
    pixels, total, count = np.asarray(image, np.uint8), np.zeros((*image.size[::-1], 3), np.uint32), 0
    for down in range(-radius, radius + 1):
        for across in range(-radius, radius + 1):
            if across * across + down * down <= radius * radius + 0.5:
                total += np.roll(pixels, (down, across), (0, 1))
                count += 1
    return Image.fromarray((total // count).astype(np.uint8))


def _lens_out_of_focus(image: Image.Image, dice: Random) -> Image.Image | None:
    radius = round(scaled(image, dice.uniform(3, 6), 1))
    share = dice.uniform(0.06, 0.25)
    return changed_where_it_shows(image, share, lambda part: _disc_blur(part, radius), dice, least=1.8, is_soft=True)


def _two_censored(image: Image.Image, dice: Random) -> Image.Image | None:
    """Two small places, such as a plate and a face, made unreadable."""
    for _ in range(2):
        blocks, share = dice.randint(5, 9), dice.uniform(0.004, 0.015)
        changed = changed_where_it_shows(image, share, lambda part, count=blocks: mosaic(part, count), dice, least=7)  # type: ignore[misc]
        if changed is None:
            return None
        image = changed
    return image


def _blacked_out(image: Image.Image, dice: Random) -> Image.Image | None:
    """A line of writing or a pair of eyes covered by a bar."""
    for _ in range(20):
        box = random_box(image, dice.uniform(0.0015, 0.006), dice, dice.uniform(3, 6))
        bar = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), dice.choice(((12, 12, 12), (240, 240, 240))))
        if grey_difference(image.crop(box), bar).mean() >= 25:
            changed = image.copy()
            changed.paste(bar, box)
            return changed
    return None


def _wires_removed(source: Source, dice: Random) -> Case:
    """Thin wires before the sky, and the picture from which they were taken out."""
    wired, pen_width = source.image.copy(), scaled(source.image, 4, 1)
    pen = ImageDraw.Draw(wired)
    for _ in range(dice.randint(1, 3)):
        left, right = dice.uniform(0.1, 0.6) * wired.height, dice.uniform(0.1, 0.6) * wired.height
        pen.line((0, left, wired.width, right), fill=(28, 26, 26), width=max(1, round(pen_width)))
    return Case(jpeg(wired, dice), jpeg(source.image, dice))


def _vertical_detail_lost(image: Image.Image, dice: Random) -> Image.Image | None:
    """Squeezed in one direction and stretched again, as old video was."""
    narrow = image.resize((round(image.width * dice.uniform(0.35, 0.5)), image.height), BOX)
    changed = narrow.resize(image.size, Image.Resampling.BICUBIC)
    return changed if shows(image, changed, 3.5) else None


def _from_a_third(image: Image.Image, dice: Random) -> Image.Image | None:
    """Enlarged from a third, with grain put over it so that it looks sharp."""
    soft = enlarged(image, dice.uniform(0.28, 0.38), Image.Resampling.BICUBIC)
    return noisy(soft, dice.uniform(3, 6), dice) if shows(image, soft, 4) else None


def _compressed_before(source: Source, dice: Random) -> Case:
    """Out of a poor WebP or JPEG, kept without loss since."""
    kind = dice.choice(("WEBP", "JPEG"))
    low = encode(source.image, kind, quality=dice.randint(10, 18))
    return Case(
        encode(source.image, quality=dice.randint(92, 97)), encode(decoded(low), "PNG", **pictures.QUICKLY["PNG"])
    )


def _old_phone(source: Source, dice: Random) -> Case:
    """Reduced, saved poorly, and brought back to the old size."""
    small = decoded(encode(resized(source.image, dice.uniform(0.55, 0.8)), quality=dice.randint(35, 60)))
    return Case(jpeg(source.image, dice, 90, 97), jpeg(small.resize(source.image.size), dice, 90, 96))


def _faded(image: Image.Image, dice: Random) -> Image.Image | None:
    """An old print, scanned: colours have turned and blacks are grey."""
    red, green, blue = image.split()
    black = dice.randint(22, 45)
    faded = [
        plane.point([round(black + level * (goal - black) / 255) for level in range(256)])
        for plane, goal in ((red, 250), (green, dice.randint(215, 235)), (blue, dice.randint(190, 220)))
    ]
    return Image.merge("RGB", faded)


def _dirty(image: Image.Image, dice: Random) -> Image.Image:
    """Scratches and dust on the scan of the library."""
    changed, pen_width = image.copy(), max(1, round(scaled(image, 3, 1)))
    pen = ImageDraw.Draw(changed)
    for _ in range(dice.randint(3, 8)):
        x, y = dice.random() * image.width, dice.random() * image.height
        length = image.width * dice.uniform(0.04, 0.15)
        pen.line((x, y, x + length, y + length * dice.uniform(-1, 1)), fill=(235, 232, 226), width=pen_width)
    return changed


def _heavy_vignette(image: Image.Image, dice: Random) -> Image.Image:
    """Corners darkened by an app."""
    light = Image.radial_gradient("L").resize(image.size)
    strength = dice.uniform(0.35, 0.7)
    table = [round(255 * (1 - strength * (level / 255) ** 2)) for level in range(256)]
    factor = np.asarray(light.point(table), np.float32)[..., None] / 255
    return Image.fromarray((np.asarray(image, np.float32) * factor).astype(np.uint8))


def _blink(source: Source, dice: Random) -> Case | None:
    """The next shot of the same pose: two spots of the size of eyes are others, 0.05% of the area or more."""
    moved = source.image.copy()
    across, down = dice.uniform(0.25, 0.65), dice.uniform(0.25, 0.7)
    width, height = round(moved.width * 0.03), round(moved.width * 0.016)
    for step in (0.0, 0.06):
        left, top = round((across + step) * moved.width), round(down * moved.height)
        lid = moved.crop((left, top, left + width, top + height)).resize((1, 1), BOX).getpixel((0, 0))
        shade = tuple(round(level * 0.55) for level in lid)  # type: ignore[union-attr]
        moved.paste(shade, (left, top), ellipse((width, height), 0.1))
    if changed_share(source.image, moved, 16) < 0.0005:
        return None
    return Case(jpeg(source.image, dice, 85, 95), jpeg(moved, dice, 85, 95))


def _walked_on(source: Source, dice: Random) -> Case | None:
    """Somebody far away walked on: a dark figure of 0.05 to 0.3% of the area at two places."""
    share = log_uniform(dice, 0.0005, 0.003)
    height = round((share * 2.8 * source.image.width * source.image.height) ** 0.5)
    width = max(3, round(height / 2.8))
    frames, left = [], dice.randint(0, source.image.width - 3 * width)
    top = dice.randint(source.image.height // 3, source.image.height - height)
    for step in (0.0, dice.uniform(0.6, 2)):
        frame = source.image.copy()
        frame.paste((45, 40, 60), (round(left + step * width), top), ellipse((width, height), 0.08))
        frames.append(noisy(frame, 1.2, dice))
    if changed_share(source.image, frames[0], 30) < 0.0003:
        return None
    return Case(jpeg(frames[0], dice, 80, 92), jpeg(frames[1], dice, 80, 92))


def _leaves(source: Source, dice: Random) -> Case | None:
    """Wind: a quarter of the picture is displaced by one to three pixels here and there."""
    image = source.image
    down, across = np.mgrid[0 : image.height, 0 : image.width].astype(np.float32)
    reach = scaled(image, dice.uniform(10, 20), 1.5)
    wave = np.sin(across / image.width * 40 + dice.uniform(0, 6)) * np.sin(down / image.height * 31)
    inside = ((across / image.width - dice.uniform(0.2, 0.8)) ** 2 + (down / image.height - 0.4) ** 2) < 0.08
    moved = sampled(image, across + reach * wave * inside, down + 0.6 * reach * wave * inside)
    if changed_share(image, moved, 16) < 0.005:
        return None
    return Case(jpeg(image, dice, 85, 95), jpeg(moved, dice, 85, 95))


def _archive(source: Source, dice: Random) -> Case:
    """AVIF or HEIC of a program that saves space, of a JPEG that stays."""
    kind = dice.choice(("AVIF", "HEIF"))
    options: dict[str, Any] = {"speed": 10} if kind == "AVIF" else {"enc_params": {"preset": "ultrafast"}}
    small = resized(source.image, dice.uniform(0.55, 1.0)) if min(source.image.size) > 300 else source.image
    return Case(encode(small, kind, quality=dice.randint(45, 75), **options), source.data)


def _odd_size(source: Source, dice: Random) -> Case | None:
    """Reduced to an odd number of pixels, so that the shape is not quite the same."""
    width = round(source.image.width * dice.uniform(0.35, 0.95)) | 1
    height = round(source.image.height * width / source.image.width) + dice.choice((0, 0, 1))
    if min(width, height) < 128:
        return None
    small = source.image.resize((width, height), dice.choice((Image.Resampling.LANCZOS, BOX, Image.Resampling.BICUBIC)))
    return Case(jpeg(small, dice, 65, 95), source.data)


def _mirror_tagged(source: Source, dice: Random) -> Case:
    """Stored mirrored, with the tag that mirrors it back."""
    stored = source.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Case(encode(stored, quality=dice.randint(75, 95), exif=pictures.exif(2)), source.data)


def _grainy_reduction(source: Source, dice: Random) -> Case:
    """A grainy scan and its reduction, which has less grain."""
    grainy = noisy(source.image, dice.uniform(4, 10), dice)
    small = resized(grainy, dice.uniform(0.45, 0.8))
    return Case(encode(small, quality=dice.randint(70, 92)), encode(grainy, quality=dice.randint(90, 96)))


def _handed_on_reduced(source: Source, dice: Random) -> Case:
    """Two messengers, one after the other: reduced by each, q70 to 85."""
    first = decoded(encode(resized(source.image, dice.uniform(0.75, 0.9)), quality=dice.randint(72, 85)))
    return Case(encode(resized(first, dice.uniform(0.75, 0.95)), quality=dice.randint(70, 85)), source.data)


def _copy_of_soft(source: Source, dice: Random) -> Case:
    """A photo of the night that is soft and dim, and its copy in WebP."""
    soft = blurred_by(toned(source.image, dice.uniform(0.45, 0.8)), scaled(source.image, 4, 0.8))
    return Case(encode(soft, "WEBP", quality=dice.randint(65, 90), method=1), jpeg(soft, dice, 90, 96))


_LACKING: dict[str, Make] = {
    "held out: lens out of focus": changed_witness(_lens_out_of_focus),
    "held out: two places pixelated": changed_witness(_two_censored),
    "held out: a bar over it": changed_witness(_blacked_out),
    "held out: wires removed": _wires_removed,
    "held out: squeezed and stretched": changed_witness(_vertical_detail_lost),
    "held out: enlarged from a third, grain over it": changed_witness(_from_a_third),
    "held out: poor file kept as PNG": _compressed_before,
    "held out: small poor file enlarged": _old_phone,
    "held out: faded": changed_witness(_faded),
    "held out: scratches": changed_witness(_dirty),
    "held out: vignette": changed_witness(_heavy_vignette),
}
_STILL: dict[str, Make] = {
    "held out: eyes shut": _blink,
    "held out: somebody walked on": _walked_on,
    "held out: leaves in the wind": _leaves,
}
_COPIES: dict[str, Make] = {
    "held out: archived as AVIF or HEIC": _archive,
    "held out: odd size": _odd_size,
    "held out: mirrored and tagged": _mirror_tagged,
    "held out: grainy, reduced": _grainy_reduction,
    "held out: two messengers": _handed_on_reduced,
    "held out: soft and dim, WebP": _copy_of_soft,
}
HELD_OUT_KINDS = (
    *(PairKind(name, LACKING, make) for name, make in _LACKING.items()),
    *HELD_OUT_PAGE_KINDS,
    *(PairKind(name, STILL, make) for name, make in _STILL.items()),
    *(PairKind(name, COPIES, make) for name, make in _COPIES.items()),
)
