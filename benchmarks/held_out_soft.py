"""More kinds that nothing is tuned on: what makes a picture, or a part of it, softer, and copies as fine as they come.

Made after the bounds for the finest detail, for strong marks and for clean needles were chosen, to see what they hold.
"""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageFilter, JpegPresets

from benchmarks.edits import Case, Source, encode
from benchmarks.filters import blurred_by, changed_where_it_shows, enlarged, scaled, shows
from benchmarks.kinds import COPIES, LACKING, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import decoded, jpeg, saved

_SOFTER_LEVELS = 3.0
"""As for the kinds that bounds were chosen by: mean difference of the blocks that differ most."""


def _surface_blurred(image: Image.Image, dice: Random) -> Image.Image | None:
    """Go over a part with a median, as tools that smooth surfaces do: texture goes and edges stay."""
    side = max(3, round(scaled(image, dice.uniform(24, 48), 3)) | 1)
    share = dice.uniform(0.06, 0.2)
    return changed_where_it_shows(
        image, share, lambda part: part.filter(ImageFilter.MedianFilter(side)), dice, least=1.8, is_soft=True
    )


def _noise_shrunk(image: Image.Image, dice: Random) -> Image.Image | None:
    """Shrink what is fine and faint, as noise reduction by wavelets does."""
    pixels = np.asarray(image, np.float32)
    base = np.asarray(blurred_by(image, scaled(image, 6, 1.1)), np.float32)
    fine, least = pixels - base, dice.uniform(8, 14)
    shrunk = np.sign(fine) * np.maximum(np.abs(fine) - least, 0)
    changed = Image.fromarray(np.clip(base + shrunk + 0.5, 0, 255).astype(np.uint8))
    return changed if shows(image, changed, _SOFTER_LEVELS) else None


def _oversharpened(image: Image.Image, dice: Random) -> Image.Image | None:
    """Enlarged from less than half, evenly, and sharpened until it looks crisp."""
    soft = enlarged(image, dice.uniform(0.4, 0.55), Image.Resampling.BILINEAR)
    changed = soft.filter(ImageFilter.UnsharpMask(dice.uniform(1.5, 3), dice.randint(90, 180), 2))
    return changed if shows(image, changed, _SOFTER_LEVELS) else None


def _one_side_out_of_focus(image: Image.Image, dice: Random) -> Image.Image | None:
    """A lens that is not centred: sharp on one side, and softer and softer towards the other."""
    soft = blurred_by(image, scaled(image, dice.uniform(4, 8), dice.uniform(0.8, 1.2)))
    ramp = Image.linear_gradient("L")
    for _ in range(dice.randint(0, 3)):
        ramp = ramp.transpose(Image.Transpose.ROTATE_90)
    changed = Image.composite(soft, image, ramp.resize(image.size))
    return changed if shows(image, changed, _SOFTER_LEVELS) else None


def _other_tables(source: Source, dice: Random) -> Case:
    """Two exports of a photo by programs with quantisation tables of their own."""
    tables = [JpegPresets.presets[name]["quantization"] for name in ("web_very_high", "high", "web_high")]
    needle = encode(source.image, qtables=dice.choice(tables), subsampling=dice.choice((0, 2)))
    return Case(needle, encode(source.image, quality=98, subsampling=0))


def _turned_export(source: Source, dice: Random) -> Case:
    """Turned by hand and saved well: blocks lie otherwise where a side is no multiple of eight."""
    how = dice.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    return Case(jpeg(source.image.transpose(how), dice, 85, 95), source.data)


def _export_of_webp(source: Source, dice: Random) -> Case:
    """A photo that a phone keeps as WebP or AVIF, and the good JPEG that it hands out."""
    kept = saved(source.image, dice.choice(("WEBP", "AVIF")), dice.randint(75, 92))
    return Case(jpeg(decoded(kept), dice, 85, 95), kept)


_LACKING: dict[str, Make] = {
    "held out: surface blurred": changed_witness(_surface_blurred),
    "held out: noise shrunk": changed_witness(_noise_shrunk),
    "held out: enlarged, oversharpened": changed_witness(_oversharpened),
    "held out: one side out of focus": changed_witness(_one_side_out_of_focus),
}
_COPIES: dict[str, Make] = {
    "held out: other quantisation tables": _other_tables,
    "held out: turned, saved well": _turned_export,
    "held out: JPEG of a WebP or AVIF": _export_of_webp,
}
HELD_OUT_SOFT_KINDS = (
    *(PairKind(name, LACKING, make) for name, make in _LACKING.items()),
    *(PairKind(name, COPIES, make) for name, make in _COPIES.items()),
)
