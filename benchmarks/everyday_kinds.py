"""Kinds of pairs as messengers, editors, old phones and broken transfers make them; a third of each is held out.

What the library's copy lacks here is neither a place that stands out nor detail that is gone everywhere: a coarse file
of another codec behind a fine JPEG, bands of light, colour that was turned for some hues only, rows that slipped. What
would not show makes no pair.
"""

from __future__ import annotations

import io
import math
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFile, JpegPresets

from benchmarks.drawing import font, random_date, stamped
from benchmarks.edits import BICUBIC, BOX, LANCZOS, Case, Source, encode, grey_difference, resized
from benchmarks.filters import (
    blurred_by,
    changed_where_it_shows,
    ellipse,
    noisy,
    random_box,
    scaled,
    shows,
    worst_blocks,
)
from benchmarks.kinds import COPIES, CURVES, LACKING, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import decoded, deep_png, jpeg, needle_file, saved
from benchmarks.smooth_kinds import Change, remapped
from fixtures import icc

_COARSE = {"HEIF": (8, 22), "WEBP": (4, 18), "AVIF": (8, 25)}
_COARSE_LEVELS = 3.0
"""Mean difference of the blocks of 1/64 of the width that differ most, a twentieth of them."""
_COLOR_LEVELS = 5.0
"""Levels of red, green or blue that a part of the picture has to differ by, in means of 8 x 8 pixels, to be seen."""
_MADE_UP_LEVELS = 5.0
_SEEN_LEVELS = 8.0
_COARSE_QUALITY = 45
"""Of a JPEG: what has lost less than that by breaking off is hardly worse than a usual copy."""
_SMALLEST_SIDE = 128


def _colors_apart(image: Image.Image, changed: Image.Image, share: float) -> float:
    """Return by how many levels that share of the picture's 8 x 8 pixels differs in red, green or blue, and more."""
    apart = [np.asarray(side.reduce(8), np.int16) for side in (image, changed)]
    return float(np.quantile(np.abs(apart[0] - apart[1]).max(-1), 1 - share))


def _other_codec_before(image: Image.Image, dice: Random) -> Image.Image | None:
    """A cloud's or a messenger's coarse copy that was saved well afterwards."""
    kind = dice.choice(tuple(_COARSE))
    changed = decoded(saved(image, kind, dice.randint(*_COARSE[kind])))
    return changed if shows(image, changed, _COARSE_LEVELS) else None


def _dotted(image: Image.Image, dice: Random) -> Image.Image:
    """256 colours, with dots: the library's JPEG was made of a GIF."""
    return image.quantize(256, dice.choice((Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE))).convert("RGB")


def _of_bits(bits: tuple[int, int, int], image: Image.Image, _: Random) -> Image.Image:
    """So many bits of red, green and blue, without dots, as old phones kept pictures."""
    table: list[int] = []
    for of_color in bits:
        most = 2**of_color - 1
        table += [round(round(level * most / 255) * 255 / most) for level in range(256)]
    return image.point(table)


def _split_toned(image: Image.Image, dice: Random) -> Image.Image | None:
    """Shadows of one tint and lights of the other, as filters of apps make them; the mean colour stays."""
    luma, blue, red = (np.asarray(plane, np.float32) for plane in image.convert("YCbCr").split())
    ramp = np.tanh((luma - float(np.median(luma))) / 50)
    ramp -= ramp.mean()
    angle, levels = dice.uniform(0, 2 * math.pi), dice.uniform(5, 10)
    moved = (blue + levels * math.cos(angle) * ramp, red + levels * math.sin(angle) * ramp)
    planes = [Image.fromarray(np.clip(plane + 0.5, 0, 255).astype(np.uint8)) for plane in (luma, *moved)]
    changed = Image.merge("YCbCr", planes).convert("RGB")
    return changed if _colors_apart(image, changed, 0.2) >= _COLOR_LEVELS else None


def _one_hue(image: Image.Image, dice: Random) -> Image.Image | None:
    """Leaves, a sky or skin shown in another hue: all pixels of a range of hues, and no others."""
    luma, *planes = image.convert("YCbCr").split()
    blue, red = (np.asarray(plane, np.float32) - 128 for plane in planes)
    strength = np.hypot(blue, red)
    rows, columns = np.nonzero(strength >= np.quantile(strength, 0.8))  # of what is colourful one pixel says which hue
    one = dice.randrange(rows.size)
    hues = np.arctan2(red, blue)
    apart = np.abs(np.angle(np.exp(1j * (hues - hues[rows[one], columns[one]]))))
    turn = dice.choice((-1, 1)) * np.radians(dice.uniform(15, 30)) * np.clip(1.4 - apart / 0.6, 0, 1)
    turned = blue * np.cos(turn) - red * np.sin(turn), blue * np.sin(turn) + red * np.cos(turn)
    moved = [Image.fromarray(np.clip(plane + 128.5, 0, 255).astype(np.uint8)) for plane in turned]
    changed = Image.merge("YCbCr", (luma, *moved)).convert("RGB")
    return changed if _colors_apart(image, changed, 0.05) >= 1.6 * _COLOR_LEVELS else None


def _flickering(image: Image.Image, dice: Random) -> Image.Image | None:
    """Bands of light and shade, as lamps that flicker leave them."""
    down = np.arange(image.height, dtype=np.float32)[:, None, None] / image.height
    bands = np.sin(2 * math.pi * (down * dice.uniform(2, 10) + dice.random()))
    pixels = np.asarray(image, np.float32) * (1 + np.float32(dice.uniform(0.025, 0.05)) * bands)
    changed = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    apart = grey_difference(image.reduce(8), changed.reduce(8))
    return changed if float(np.quantile(apart, 0.7)) >= 2 else None


def _made_up_texture(image: Image.Image, dice: Random) -> Image.Image | None:
    """Fine structure of a part made up anew, as programs that enlarge by guessing do: as crisp, and not what it was."""
    sigma = scaled(image, 10, 1.5)
    step = max(3, round(3 * sigma))

    def made_up(part: Image.Image) -> Image.Image:
        pixels, soft = np.asarray(part, np.float32), np.asarray(blurred_by(part, sigma), np.float32)
        fine = np.roll(pixels - soft, (dice.choice((-1, 1)) * step, dice.choice((-1, 1)) * step), (0, 1))
        return Image.fromarray(np.clip(soft + fine + 0.5, 0, 255).astype(np.uint8))

    return changed_where_it_shows(image, dice.uniform(0.01, 0.05), made_up, dice, least=_MADE_UP_LEVELS, is_soft=True)


def _half_seen(source: Source, dice: Random) -> Case | None:
    """Something of another picture shines through in a place: a passer-by of a long exposure, a pane of glass."""
    for _ in range(20):
        box = random_box(source.image, dice.uniform(0.005, 0.03), dice, dice.uniform(0.6, 1.5))
        before = source.image.crop(box)
        after = Image.blend(before, source.other.crop(box), dice.uniform(0.15, 0.35))
        if grey_difference(before, after).mean() >= _SEEN_LEVELS:
            changed = source.image.copy()
            changed.paste(after, box[:2], ellipse(before.size, 0.15))
            return Case(jpeg(source.image, dice), jpeg(changed, dice))
    return None


def _small_warp(image: Image.Image, dice: Random) -> Image.Image | None:
    """A mouth, an eye or a nose drawn otherwise, by little."""
    pixels = scaled(image, dice.uniform(8, 16), dice.uniform(1.2, 2.2))
    angle = dice.uniform(0, 2 * math.pi)

    def warped(part: Image.Image) -> Image.Image:
        down, right = np.mgrid[: part.height, : part.width].astype(np.float32)
        bump = np.sin(math.pi * (down + 0.5) / part.height) * np.sin(math.pi * (right + 0.5) / part.width)
        bump = np.asarray(pixels * bump**2, np.float32)
        return remapped(part, down + math.sin(angle) * bump, right + math.cos(angle) * bump)

    return changed_where_it_shows(image, dice.uniform(0.004, 0.015), warped, dice, least=4.0)


def _broken_off(source: Source, dice: Random) -> Case | None:
    """A progressive download that broke off, saved again by a program that does not mind."""
    whole = encode(source.image, quality=dice.randint(88, 95), progressive=True)
    is_mild, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        changed = decoded(whole[: round(len(whole) * dice.uniform(0.2, 0.7))])
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = is_mild
    full = decoded(whole)
    coarse = worst_blocks(full, decoded(encode(full, quality=_COARSE_QUALITY)), 0.95)
    return Case(whole, jpeg(changed, dice)) if worst_blocks(full, changed, 0.95) >= coarse else None


def _row_of_blocks(image: Image.Image, dice: Random) -> Image.Image | None:
    """A bit was lost: from one block on to the right edge, a row of blocks is lighter, darker or of another tint."""
    high = dice.choice((8, 16))
    top = dice.randrange(2, image.height // high - 2) * high
    left = round(image.width * dice.uniform(0.1, 0.8)) // high * high
    levels = np.array(dice.choice(((1, 1, 1), (1.4, -0.7, 0), (0, -0.35, 1.8)))) * dice.choice((-1, 1))
    pixels = np.asarray(image, np.float32).copy()
    pixels[top : top + high, left:] += levels * dice.uniform(6, 12)
    changed = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    box = left, top, image.width, top + high
    return changed if _colors_apart(image.crop(box), changed.crop(box), 0.5) >= _COLOR_LEVELS else None


def _background_paler(image: Image.Image, dice: Random) -> Image.Image | None:
    """Only the subject keeps its colour in full."""
    paler = Image.blend(image.convert("L").convert("RGB"), image, dice.uniform(0.5, 0.75))
    mask = Image.new("L", image.size)
    size = round(image.width * dice.uniform(0.4, 0.7)), round(image.height * dice.uniform(0.5, 0.8))
    place = (round(dice.random() * (image.width - size[0])), round(dice.random() * (image.height - size[1])))
    mask.paste(ellipse(size, 0.1), place)
    changed = Image.composite(image, paler, mask)
    return changed if _colors_apart(image, changed, 0.1) >= 1.6 * _COLOR_LEVELS else None


def _note(image: Image.Image, dice: Random) -> Image.Image | None:
    """A pencilled word on the print, which the library's copy was scanned before."""
    letters = font(max(14, round(image.width * dice.uniform(0.03, 0.05))))
    text = dice.choice(("Grandma 1954", "left: Anna", "summer at sea", "our first car", "no. 17"))
    for _ in range(20):
        layer = Image.new("L", image.size)
        place = dice.uniform(0.05, 0.6) * image.width, dice.uniform(0.05, 0.85) * image.height
        ImageDraw.Draw(layer).text(place, text, round(255 * dice.uniform(0.12, 0.25)), letters)
        box = layer.getbbox()
        if box is None:
            continue
        ink = (40, 40, 45) if np.asarray(image.crop(box).convert("L")).mean() > 110 else (225, 225, 220)
        noted = Image.composite(Image.new("RGB", image.size, ink), image, layer)
        ground = np.asarray(image.crop(box).convert("L"), np.float32)
        if grey_difference(image.crop(box), noted.crop(box)).max() >= 14 and ground.std() <= 14:
            return noted
    return None


def _noted(source: Source, dice: Random) -> Case | None:
    noted = _note(source.image, dice)
    return None if noted is None else Case(jpeg(noted, dice), jpeg(source.image, dice))


def _unstamped(source: Source, dice: Random) -> Case:
    """The camera's stamp was taken out of the library's copy; the needle has it."""
    needle = stamped(source.image, dice, random_date(dice), dice.uniform(0.018, 0.03))
    return Case(jpeg(needle, dice), jpeg(source.image, dice))


def _slipped(image: Image.Image, dice: Random) -> Image.Image | None:
    """A strip of rows slipped aside by a pixel or two while it was scanned or sent."""
    high = round(image.height * dice.uniform(0.03, 0.2))
    top = dice.randint(0, image.height - high)
    pixels = np.asarray(image).copy()
    far = dice.choice((-1, 1)) * max(1, round(scaled(image, dice.uniform(4, 10), 1)))
    pixels[top : top + high] = np.roll(pixels[top : top + high], far, 1)
    changed = Image.fromarray(pixels)
    box = 0, top, image.width, top + high
    return changed if grey_difference(image.crop(box), changed.crop(box)).mean() >= 4 else None


def _grain_laid_over(image: Image.Image, dice: Random) -> Image.Image:
    """A filter laid grain over it, as of a film."""
    return noisy(image, dice.uniform(7, 12), dice)


def _channel_full(image: Image.Image, dice: Random) -> Image.Image | None:
    """Strong colours of a flower or a dress have run into one: red, green or blue is full and tells nothing more."""
    bands = list(image.split())
    number = dice.randrange(3)
    levels = np.asarray(bands[number])
    most = int(np.quantile(levels, dice.uniform(0.85, 0.95)))
    bands[number] = bands[number].point([min(level, most) for level in range(256)])
    changed = Image.merge("RGB", bands)
    return changed if _colors_apart(image, changed, 0.02) >= 3 * _COLOR_LEVELS else None


def _red_soft(image: Image.Image, dice: Random) -> Image.Image | None:
    """A lens that draws one colour softer than the others."""
    red, green, blue = image.split()
    soft = blurred_by(red, scaled(image, dice.uniform(4, 8), dice.uniform(1.2, 2)))
    changed = Image.merge("RGB", (soft, green, blue))
    apart = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if float(np.quantile(apart, 0.95)) >= 12 else None


def _clouds_gone(image: Image.Image, dice: Random) -> Image.Image | None:
    """Soft structure of the sky or a wall evened out, at all scales of a fiftieth of the width and less."""
    sigma = image.width / dice.uniform(25, 50)
    high = round(image.height * dice.uniform(0.25, 0.45))
    top = dice.choice((0, image.height - high))
    part = image.crop((0, top, image.width, top + high))
    soft = blurred_by(part, sigma)
    if not 2.5 <= grey_difference(part, soft).mean() <= 12:
        return None
    mask = Image.new("L", part.size, 255)
    ramp = np.clip(np.linspace(0, 4, high), 0, 1) if top else np.clip(np.linspace(4, 0, high), 0, 1)
    mask = Image.fromarray(np.repeat((255 * ramp).astype(np.uint8)[:, None], part.width, 1))
    changed = image.copy()
    changed.paste(soft, (0, top), mask)
    return changed


def _any_of(changes: tuple[Change, ...], image: Image.Image, dice: Random) -> Image.Image | None:
    return dice.choice(changes)(image, dice)


_ANY: tuple[Change, ...] = (
    _split_toned, _one_hue, _flickering, _made_up_texture, _small_warp, _row_of_blocks, _background_paler, _slipped,
)  # fmt: skip


def _of_coarse(source: Source, dice: Random) -> Case | None:
    changed = _any_of(_ANY, source.image, dice)
    return None if changed is None else Case(encode(source.image, quality=dice.randint(55, 80)), jpeg(changed, dice))


def _of_reduced(source: Source, dice: Random) -> Case | None:
    changed = _any_of(_ANY, source.image, dice)
    small = resized(source.image, dice.uniform(0.5, 0.9), dice.choice((LANCZOS, BICUBIC, BOX)))
    return None if changed is None else Case(jpeg(small, dice, 75, 95), jpeg(changed, dice))


def _original(source: Source, dice: Random) -> bytes:
    return source.data if dice.random() < 0.5 else encode(source.image, quality=dice.randint(93, 97), subsampling=0)


def _gallery(kind: str, low: int, high: int, source: Source, dice: Random) -> Case | None:
    """Reduced by a gallery, which keeps modern formats."""
    small = resized(source.image, dice.uniform(0.3, 0.9), dice.choice((LANCZOS, BICUBIC, BOX)))
    if min(small.size) < _SMALLEST_SIDE:
        return None
    return Case(saved(small, kind, dice.randint(low, high)), _original(source, dice))


def _mailed(source: Source, dice: Random) -> Case | None:
    """A phone keeps HEIC; what it sends by mail is a JPEG, reduced."""
    heic = saved(source.image, "HEIF", dice.randint(55, 85))
    small = resized(decoded(heic), dice.uniform(0.3, 0.8), dice.choice((LANCZOS, BICUBIC)))
    if min(small.size) < _SMALLEST_SIDE:
        return None
    return Case(encode(small, quality=dice.randint(70, 90)), heic)


def _deep(source: Source, dice: Random) -> Case:
    """An editor's PNG with 16 bits a colour in the library, and a copy of it."""
    return Case(jpeg(source.image, dice, 60, 95), deep_png(source.image))


def _for_print(source: Source, dice: Random) -> Case:
    """Four inks, without a profile."""
    return Case(encode(source.image.convert("CMYK"), quality=dice.randint(85, 96)), _original(source, dice))


def _colour_repeated(source: Source, dice: Random) -> Case:
    """A decoder that repeats each value of halved colour, where others go gradually, then saved again."""
    witness = encode(source.image, quality=dice.randint(88, 96), subsampling=2)
    luma, *planes = decoded(witness).convert("YCbCr").split()
    repeated = [plane.reduce(2).resize(luma.size, Image.Resampling.NEAREST) for plane in planes]
    image = Image.merge("YCbCr", (luma, *repeated)).convert("RGB")
    kind = dice.choice(("PNG", "JPEG", "WEBP"))
    return Case(jpeg(image, dice, 80, 95) if kind == "JPEG" else needle_file(image, kind, dice), witness)


def _to_srgb(source: Source, dice: Random) -> Case:
    """A phone keeps the colours of its screen (Display P3), and hands them out as sRGB."""
    from PIL import ImageCms

    wide = icc.of_primaries(icc.DISPLAY_P3, 2.2)
    own, srgb = (ImageCms.getOpenProfile(io.BytesIO(profile)) for profile in (wide, icc.of_primaries(icc.SRGB, 2.2)))
    witness = encode(source.image, quality=dice.randint(92, 96), icc_profile=wide)
    shown = ImageCms.profileToProfile(decoded(witness), own, srgb)
    assert shown is not None
    return Case(encode(shown, quality=dice.randint(75, 93), icc_profile=None), witness)


def _again_and_again(source: Source, dice: Random) -> Case:
    """Opened and saved by one program two or three times, at one quality."""
    quality, image = dice.randint(80, 95), source.image
    for _ in range(dice.choice((1, 2))):
        image = decoded(encode(image, quality=quality))
    return Case(encode(image, quality=quality), source.data)


def _jxl(source: Source, dice: Random) -> Case:
    """Archived as JPEG XL."""
    import pillow_jxl  # noqa: F401 - registers the format

    return Case(encode(source.image, "JXL", quality=dice.randint(70, 95), effort=3), _original(source, dice))


def _cloud(source: Source, dice: Random) -> Case | None:
    """Reduced by a cloud that saves storage, with tables of its own, in several scans."""
    small = resized(source.image, dice.uniform(0.5, 0.95), dice.choice((LANCZOS, BICUBIC)))
    tables = [JpegPresets.presets[name]["quantization"] for name in ("web_very_high", "high", "web_high", "medium")]
    needle = encode(small, qtables=dice.choice(tables), subsampling=2, progressive=True, optimize=True)
    return Case(needle, source.data) if min(small.size) >= _SMALLEST_SIDE else None


def _turned_and_reduced(source: Source, dice: Random) -> Case | None:
    """Turned by hand on a phone, and sent reduced."""
    how = dice.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    small = resized(source.image.transpose(how), dice.uniform(0.35, 0.8), dice.choice((LANCZOS, BICUBIC, BOX)))
    return Case(encode(small, quality=dice.randint(60, 90)), source.data) if min(small.size) >= _SMALLEST_SIDE else None


_LACKING: dict[str, Make] = {
    "coarse HEIC, WebP or AVIF, then JPEG": changed_witness(_other_codec_before),
    "256 colours with dots, then JPEG": changed_witness(_dotted),
    "12 bits of colour": changed_witness(partial(_of_bits, (4, 4, 4))),
    "split toned": changed_witness(_split_toned),
    "one hue turned": changed_witness(_one_hue),
    "bands of a flickering lamp": changed_witness(_flickering),
    "texture made up": changed_witness(_made_up_texture),
    "something shines through in a place": _half_seen,
    "a small place warped": changed_witness(_small_warp),
    "progressive, broken off, saved again": _broken_off,
    "a row of blocks in another tone": changed_witness(_row_of_blocks),
    "background paler": changed_witness(_background_paler),
    "pencilled note lost": _noted,
    "coarse needle, one of these": _of_coarse,
    "reduced needle, one of these": _of_reduced,
}
_HELD_OUT: dict[str, Make] = {
    "held out: the camera's stamp taken out": _unstamped,
    "held out: rows slipped aside": changed_witness(_slipped),
    "held out: grain laid over": changed_witness(_grain_laid_over),
    "held out: a colour is full": changed_witness(_channel_full),
    "held out: red drawn softer": changed_witness(_red_soft),
    "held out: clouds gone": changed_witness(_clouds_gone),
}
_COPIES: dict[str, Make] = {
    "gallery: reduced, WebP q65-85": partial(_gallery, "WEBP", 65, 85),
    "gallery: reduced, AVIF q50-75": partial(_gallery, "AVIF", 50, 75),
    "gallery: reduced, HEIC q45-70": partial(_gallery, "HEIF", 45, 70),
    "mailed from a phone": _mailed,
    "copy of a PNG of 16 bits": _deep,
    "four inks": _for_print,
    "colour repeated, saved again": _colour_repeated,
    "saved two or three times by one program": _again_and_again,
}
_HELD_OUT_COPIES: dict[str, Make] = {
    "held out: JPEG XL q70-95": _jxl,
    "held out: cloud that saves storage": _cloud,
    "held out: turned and reduced": _turned_and_reduced,
}
_CURVES: dict[str, Make] = {
    "witness of 16 bits of colour": changed_witness(partial(_of_bits, (5, 6, 5))),
    "Display P3 made sRGB": _to_srgb,
}
EVERYDAY_KINDS = tuple(
    PairKind(name, group, make)
    for group, kinds in ((LACKING, _LACKING), (COPIES, _COPIES), (CURVES, _CURVES))
    for name, make in kinds.items()
)
HELD_OUT_EVERYDAY_KINDS = tuple(
    PairKind(name, group, make)
    for group, kinds in ((LACKING, _HELD_OUT), (COPIES, _HELD_OUT_COPIES))
    for name, make in kinds.items()
)
