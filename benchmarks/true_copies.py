"""Pairs of which nothing is lost when the needle goes: the same photo saved again, reduced, turned, in another format.

The edits of the row "copies" of :mod:`benchmarks.edits` come first, one by one; then chains of random strength. Kinds
whose witness is worse, but not by much, have no target: they show where `same` ends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from PIL import Image, ImageFilter, ImageOps

from benchmarks.edits import BICUBIC, BOX, LANCZOS, PLAIN_EDITS, Case, Edit, Source, encode, resized
from benchmarks.filters import log_uniform, noisy, toned
from benchmarks.kinds import COPIES, CURVES, Make, PairKind
from benchmarks.saving import decoded, jpeg, needle_file, saved
from fixtures import pictures

_BELOW = ("JPEG q35", "JPEG q25", "JPEG, six times at q80")
"""Edits of the row "copies" whose quality lies below 40, or whose losses add up: measured, without a target."""
_SMALLEST_SIDE = 128


def original(source: Source, dice: Random) -> bytes:
    """Return what a library would hold: the file as it is, or an export of high quality in some format."""
    if dice.random() < 0.5:
        return source.data
    return needle_file(source.image, dice.choice(("JPEG", "HEIF", "PNG", "WEBP", "AVIF")), dice)


def _as_edit(edit: Edit) -> Make:
    return lambda source, _: edit.make(source)


def _saved_again(kind: str, low: int, high: int, source: Source, dice: Random) -> Case:
    return Case(saved(source.image, kind, dice.randint(low, high)), original(source, dice))


def _without_loss(source: Source, dice: Random) -> Case:
    kind, options = dice.choice((("PNG", pictures.QUICKLY["PNG"]), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {})))
    return Case(encode(source.image, kind, **options), source.data)


def _chroma(source: Source, dice: Random) -> Case:
    """Colour halved on one side and in full on the other."""
    quality = dice.randint(75, 95)
    halved = dice.choice((0, 2))
    needle = encode(source.image, quality=quality, subsampling=halved, optimize=True)
    return Case(needle, encode(source.image, quality=dice.randint(quality, 97), subsampling=2 - halved))


def _progressive(source: Source, dice: Random) -> Case:
    needle = encode(source.image, quality=dice.randint(60, 92), progressive=True, optimize=True)
    return Case(needle, original(source, dice))


def _export_of_a_phone(source: Source, dice: Random) -> Case:
    """A photo that a phone keeps as HEIC, and the JPEG that it hands out."""
    heic = saved(source.image, "HEIF", dice.randint(70, 90))
    return Case(encode(decoded(heic), quality=dice.randint(90, 93)), heic)


def _original_of_a_phone(source: Source, dice: Random) -> Case:
    """The HEIC of a phone among the needles, and its export of high quality in the library."""
    heic = saved(source.image, "HEIF", dice.randint(45, 70))
    return Case(heic, encode(decoded(heic), quality=dice.randint(94, 97), subsampling=0))


def _reduced(low: float, high: float, source: Source, dice: Random) -> Case | None:
    small = resized(source.image, log_uniform(dice, low, high), dice.choice((LANCZOS, BICUBIC, BOX)))
    if min(small.size) < _SMALLEST_SIDE:
        return None
    kind = dice.choice(("JPEG", "JPEG", "WEBP", "PNG", "HEIF"))
    needle = jpeg(small, dice, 60, 95) if kind == "JPEG" else needle_file(small, kind, dice)
    return Case(needle, original(source, dice))


def web_copy(image: Image.Image, side: int, radius: float, percent: int, quality: int) -> bytes | None:
    """Reduce to ``side`` pixels and sharpen, as web sites do; None where the picture is no larger."""
    if max(image.size) < 1.3 * side or min(image.size) * side // max(image.size) < _SMALLEST_SIDE:
        return None
    small = image.copy()
    small.thumbnail((side, side), LANCZOS)
    return encode(small.filter(ImageFilter.UnsharpMask(radius, percent, 0)) if percent else small, quality=quality)


def _web_copy(source: Source, dice: Random) -> Case | None:
    longest = max(source.image.size)
    side = round(dice.uniform(0.25, 0.7) * longest)
    needle = web_copy(source.image, side, dice.uniform(0.5, 1.0), dice.randint(40, 90), dice.randint(60, 90))
    return None if needle is None else Case(needle, source.data)


def _chat_app(source: Source, dice: Random) -> Case | None:
    side = round(max(source.image.size) * dice.uniform(0.4, 0.75))
    needle = web_copy(source.image, side, 1, 0, dice.randint(55, 75))
    return None if needle is None else Case(needle, source.data)


def _turned(source: Source, dice: Random) -> Case:
    """Turned or tagged, and saved again."""
    tag = dice.choice((3, 6, 8))
    how = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[tag]
    stored = source.image.transpose(how)
    exif = pictures.exif(tag) if dice.random() < 0.5 else b""
    return Case(encode(stored, quality=dice.randint(60, 95), exif=exif), original(source, dice))


def _grey_of_grey(source: Source, dice: Random) -> Case:
    grey = source.image.convert("L")
    return Case(encode(grey, quality=dice.randint(50, 90)), encode(grey, quality=dice.randint(90, 96)))


def _of_high_iso(source: Source, dice: Random) -> Case:
    """A grainy photo of the night, and its copy of middling quality, in which some of the grain is gone."""
    grainy = noisy(toned(source.image, dice.uniform(0.5, 1.0)), dice.uniform(3, 9), dice)
    return Case(encode(grainy, quality=dice.randint(50, 88)), encode(grainy, quality=dice.randint(92, 97)))


def _two_exports(source: Source, dice: Random) -> Case:
    """Needle and witness were made of the same file by two programs; the witness is the better or as good."""
    low, high = sorted((dice.randint(75, 95), dice.randint(75, 95)))
    needle = encode(source.image, quality=low, subsampling=dice.choice((0, 2)))
    return Case(needle, encode(source.image, quality=min(high + 2, 97), subsampling=0, progressive=True))


def _worse_by_a_little(low: int, high: int, source: Source, dice: Random) -> Case:
    needle = encode(source.image, quality=dice.randint(93, 97))
    return Case(needle, encode(source.image, quality=dice.randint(low, high)))


def _sharpened(source: Source, dice: Random) -> Case:
    return Case(
        encode(source.image.filter(ImageFilter.UnsharpMask(dice.uniform(0.6, 1.2), dice.randint(30, 80), 0))),
        source.data,
    )


def _of_few_colours(source: Source, dice: Random) -> Case:
    few = source.image.quantize(dice.choice((128, 256)))
    return Case(encode(few, "PNG", compress_level=1), source.data)


def _clipped(source: Source, dice: Random) -> Case:
    """Contrast stretched at both ends: a tone edit that loses the extremes."""
    return Case(jpeg(ImageOps.autocontrast(source.image, cutoff=dice.uniform(0.2, 2)), dice), source.data)


def _chains() -> dict[str, Make]:
    again: dict[str, Make] = {
        f"{kind} q40-{high}": partial(_saved_again, kind, 40, high)
        for kind, high in (("JPEG", 95), ("WEBP", 95), ("HEIF", 90), ("AVIF", 90))
    }
    return {
        **again,
        "PNG, TIFF or BMP": _without_loss,
        "4:2:0 beside 4:4:4": _chroma,
        "progressive and optimised": _progressive,
        "q92 export beside its own HEIC": _export_of_a_phone,
        "HEIC beside its own export of q95": _original_of_a_phone,
        "reduced to 0.7 to 0.97": partial(_reduced, 0.7, 0.97),
        "reduced to 0.4 to 0.7": partial(_reduced, 0.4, 0.7),
        "reduced to 0.25 to 0.4": partial(_reduced, 0.25, 0.4),
        "web copy: reduced and sharpened": _web_copy,
        "chat app: reduced, q55-75": _chat_app,
        "turned or tagged": _turned,
        "grey of grey": _grey_of_grey,
        "high ISO, q50-88": _of_high_iso,
        "two exports": _two_exports,
    }


def _curves() -> dict[str, Make]:
    worse: dict[str, Make] = {
        f"needle q93-97, witness q{low}-{high}": partial(_worse_by_a_little, low, high)
        for low, high in ((88, 92), (80, 87), (70, 79), (60, 69), (50, 59), (40, 49), (30, 39))
    }
    edits: dict[str, Callable[[Source, Random], Case | None]] = {
        "needle sharpened": _sharpened,
        "needle of few colours": _of_few_colours,
        "needle with stretched contrast": _clipped,
    }
    return {**worse, **edits}


COPY_KINDS = (
    *(
        PairKind(f"edit: {edit.name}", CURVES if edit.name in _BELOW else COPIES, _as_edit(edit))
        for edit in PLAIN_EDITS
        if edit.row == "copies"
    ),
    *(PairKind(name, COPIES, make) for name, make in _chains().items()),
)
CURVE_KINDS = tuple(PairKind(name, CURVES, make) for name, make in _curves().items())
