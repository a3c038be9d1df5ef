"""What people and programs do to photos: each edit makes a needle of encoded bytes, and sometimes its witness too.

An edit is a function of a :class:`Source` and gives a :class:`Case`, or None where it cannot be made of that photo.
The same photo gives the same bytes in every run with the same libraries. Changes of a part of the picture, damage and
worse witnesses are in :mod:`benchmarks.changes`; what is expected of each row in :mod:`benchmarks.targets`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from fixtures import pictures

LANCZOS, BICUBIC, BOX = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX
TINY = 64
"""Side in pixels below which dupfind proves nothing by pixels; what an edit brings below is a row of its own."""


@dataclass(frozen=True, slots=True)
class Source:
    """One photo, ready to be edited."""

    name: str
    data: bytes
    """The file as it is; the witness of most edits."""
    image: Image.Image
    """RGB, upright."""
    other: Image.Image
    """Another photo, RGB, of the same size: what is pasted in comes from it."""

    def dice(self, edit: str) -> Random:
        """Chance that depends on the photo and the edit and on nothing else."""
        return Random(f"{edit} {self.name}")  # noqa: S311 - chance for pictures


class Case(NamedTuple):
    """One needle and its witness."""

    needle: bytes
    witness: bytes


Maker = Callable[[Source], Case | None]


class Edit(NamedTuple):
    """A named way to make a case of a photo."""

    name: str
    row: str
    """The row of :data:`benchmarks.targets.ROWS` that it belongs to."""
    make: Maker
    is_for_large: bool = True
    """False for what adds nothing on pictures of 12 megapixels but minutes."""


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401 - passed on to Pillow
    """``image`` as a file; JPEG at quality 90 where nothing else is said."""
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 90} | options if kind == "JPEG" else options))
    return out.getvalue()


def resized(image: Image.Image, scale: float, how: Image.Resampling = LANCZOS) -> Image.Image:
    """``image`` with both sides times ``scale``, at least one pixel."""
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), how)


def cropped(image: Image.Image, fraction: float) -> Image.Image:
    """``image`` without ``fraction`` of its width and of its height, half of it at either side."""
    right, down = image.width * fraction / 2, image.height * fraction / 2
    return image.crop((round(right), round(down), round(image.width - right), round(image.height - down)))


def framed(image: Image.Image, fraction: float, colour: str) -> Image.Image:
    """``image`` with a frame of ``fraction`` of its width at every side."""
    return ImageOps.expand(image, max(1, round(image.width * fraction)), colour)


def _saved(kind: str, **options: Any) -> Maker:  # noqa: ANN401
    return lambda source: Case(encode(source.image, kind, **options), source.data)


def _changed(change: Callable[[Image.Image], Image.Image], **options: Any) -> Maker:  # noqa: ANN401
    """Saved as JPEG after ``change``."""
    return lambda source: Case(encode(change(source.image), **options), source.data)


def _made_small(scale: float, *, tiny: bool = False, how: Image.Resampling = LANCZOS, **options: Any) -> Maker:  # noqa: ANN401
    """Reduced; ``tiny`` takes only the photos that end below ``TINY``, without it only the others are taken."""

    def make(source: Source) -> Case | None:
        small = resized(source.image, scale, how)
        if (min(small.size) < TINY) is not tiny:
            return None
        return Case(encode(small, **options), source.data)

    return make


def _saved_often(source: Source) -> Case:
    image = source.image
    for _ in range(5):
        image = Image.open(io.BytesIO(encode(image, quality=80)))
    return Case(encode(image, quality=80), source.data)


def _grey(scale: float, quality: int, source: Source) -> Case | None:
    """A black-and-white photo and its copy."""
    grey = source.image.convert("L")
    small = resized(grey, scale)
    return Case(encode(small, quality=quality), encode(grey, quality=95)) if min(small.size) >= TINY else None


def _turned(how: Image.Transpose, source: Source) -> Case:
    return Case(encode(source.image.transpose(how)), source.data)


_STORED_AS = {  # how a picture is stored so that its EXIF orientation brings it upright again
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def _tagged(orientation: int, source: Source) -> Case:
    stored = source.image.transpose(_STORED_AS[orientation])
    return Case(encode(stored, exif=pictures.exif(orientation)), source.data)


def _gamma(image: Image.Image, exponent: float) -> Image.Image:
    return image.point([round(255 * (level / 255) ** exponent) for level in range(256)] * 3)


def _sepia(image: Image.Image) -> Image.Image:
    return ImageOps.colorize(image.convert("L"), "#140c00", "#ffeec8")


def _cast(image: Image.Image, blue: int, red: int) -> Image.Image:
    """Cb and Cr moved by that many levels: the light of a lamp, or another white balance."""
    luma, chroma_blue, chroma_red = image.convert("YCbCr").split()
    moved = chroma_blue.point(lambda level: level + blue), chroma_red.point(lambda level: level + red)
    return Image.merge("YCbCr", (luma, *moved)).convert("RGB")


def _sharpened(image: Image.Image) -> Image.Image:
    return ImageEnhance.Sharpness(image).enhance(2)


def blurred(image: Image.Image, fraction: float) -> Image.Image:
    """``image`` under a Gaussian whose sigma is ``fraction`` of the width."""
    return image.filter(ImageFilter.GaussianBlur(image.width * fraction))


def written(
    image: Image.Image, text: str, place: tuple[float, float], height: float, ink: tuple[int, ...]
) -> Image.Image:
    """``image`` with ``text`` at ``place``, a share of width and height; ``height`` is a share of the height."""
    layer = Image.new("RGBA", image.size)
    font = ImageFont.load_default(max(8, round(image.height * height)))
    ImageDraw.Draw(layer).text((image.width * place[0], image.height * place[1]), text, ink, font)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _rotated(degrees: float, image: Image.Image) -> Image.Image:
    return image.rotate(degrees, BICUBIC)


def _on_a_phone(source: Source) -> Case:
    """The screen of a phone that shows the photo in full width on black, between two rows of symbols."""
    screen = Image.new("RGB", (720, 1560), "black")
    width, height = source.image.size
    scale = min(720 / width, 1260 / height)
    shown = resized(source.image, scale, BICUBIC)
    screen.paste(shown, ((720 - shown.width) // 2, (1560 - shown.height) // 2))
    pen, font = ImageDraw.Draw(screen), ImageFont.load_default(30)
    pen.text((34, 20), "18:42", "white", font)
    for across in (100, 274, 446, 620):
        pen.ellipse((across - 20, 1466, across + 20, 1506), outline="white", width=3)
    return Case(encode(screen, "PNG", compress_level=1), source.data)


def _in_a_window(source: Source) -> Case:
    """The window of a picture viewer: a bar above, the photo, a line of text below."""
    width, height = source.image.size
    bar = max(12, height // 20)
    window = Image.new("RGB", (width + 2, height + 2 * bar + 2), (226, 226, 230))
    window.paste(source.image, (1, bar + 1))
    pen, font = ImageDraw.Draw(window), ImageFont.load_default(bar * 0.6)
    pen.text((bar, bar * 0.1), "Pictures", "black", font)
    pen.text((bar, height + bar * 1.1), "12 of 340     100%", "black", font)
    return Case(encode(window, "PNG", compress_level=1), source.data)


def _stretched(image: Image.Image) -> Image.Image:
    return image.resize((round(image.width * 1.05), image.height), LANCZOS)


_ROTATE = Image.Transpose
_COPIES: tuple[tuple[str, Maker], ...] = (
    *((f"JPEG q{quality}", _saved("JPEG", quality=quality)) for quality in (95, 85, 75, 50, 35, 25)),
    ("JPEG q85, progressive", _saved("JPEG", quality=85, progressive=True)),
    ("JPEG q90, colour in full", _saved("JPEG", quality=90, subsampling=0)),
    ("JPEG, six times at q80", _saved_often),
    ("WebP q80", _saved("WEBP", quality=80, method=2)),
    ("PNG", _saved("PNG", compress_level=1)),
    ("TIFF", _saved("TIFF")),
    ("BMP", _saved("BMP")),
    ("0.95 of the size", _made_small(0.95)),
    ("3/4 of the size", _made_small(0.75, quality=85)),
    ("1/2 of the size", _made_small(0.5)),
    ("1/2 of the size, by averages", _made_small(0.5, how=BOX, quality=75)),
    ("1/3 of the size", _made_small(1 / 3)),
    ("1/4 of the size", _made_small(0.25)),
    ("chat app: 0.6 of the size, q60", _made_small(0.6, quality=60)),
    ("grey of grey, q75", partial(_grey, 1.0, 75)),
    ("grey of grey, 1/2 of the size", partial(_grey, 0.5, 90)),
    ("turned by 90 degrees", partial(_turned, _ROTATE.ROTATE_90)),
    ("turned by 180 degrees", partial(_turned, _ROTATE.ROTATE_180)),
    ("turned by 270 degrees", partial(_turned, _ROTATE.ROTATE_270)),
    *((f"EXIF orientation {tag}", partial(_tagged, tag)) for tag in _STORED_AS),
)
_SLOW_COPIES: tuple[tuple[str, Maker], ...] = (
    ("WebP without loss", _saved("WEBP", lossless=True, quality=10, method=0)),
    ("GIF", _saved("GIF")),
    ("AVIF q70", _saved("AVIF", quality=70, speed=10)),
    ("HEIC q80", _saved("HEIF", quality=80, enc_params={"preset": "ultrafast"})),
    ("JPEG 2000 at 40 dB", _saved("JPEG2000", quality_mode="dB", quality_layers=[40])),
)
_EDITED: tuple[tuple[str, Callable[[Image.Image], Image.Image]], ...] = (
    ("darker by 0.9", lambda image: ImageEnhance.Brightness(image).enhance(0.9)),
    ("darker by 0.75", lambda image: ImageEnhance.Brightness(image).enhance(0.75)),
    ("lighter by 1.1", lambda image: ImageEnhance.Brightness(image).enhance(1.1)),
    ("lighter by 1.25", lambda image: ImageEnhance.Brightness(image).enhance(1.25)),
    ("contrast 0.8", lambda image: ImageEnhance.Contrast(image).enhance(0.8)),
    ("contrast 1.2", lambda image: ImageEnhance.Contrast(image).enhance(1.2)),
    ("gamma 0.8", partial(_gamma, exponent=0.8)),
    ("gamma 1.25", partial(_gamma, exponent=1.25)),
    ("automatic contrast", partial(ImageOps.autocontrast, cutoff=1)),
    ("black and white", lambda image: image.convert("L")),
    ("sepia", _sepia),
    ("colours 0.6", lambda image: ImageEnhance.Color(image).enhance(0.6)),
    ("colours 1.4", lambda image: ImageEnhance.Color(image).enhance(1.4)),
    ("warmer by 12 levels", partial(_cast, blue=-12, red=12)),
    ("sharpened", _sharpened),
    ("blurred by 0.2% of the width", partial(blurred, fraction=0.002)),
    ("watermark in a corner", partial(
        written, text="(c) 2019 J. Doe", place=(0.6, 0.9), height=0.06, ink=(255, 255, 255, 150))),
    ("watermark across", partial(written, text="PROOF", place=(0.1, 0.3), height=0.3, ink=(255, 255, 255, 60))),
    ("date stamp", partial(written, text="'06 12 25", place=(0.72, 0.92), height=0.045, ink=(255, 140, 20, 255))),
    ("crop by 1%", partial(cropped, fraction=0.01)),
    ("crop by 2%", partial(cropped, fraction=0.02)),
    ("white border of 1%", partial(framed, fraction=0.01, colour="white")),
    ("white border of 2%", partial(framed, fraction=0.02, colour="white")),
    ("black border of 2%", partial(framed, fraction=0.02, colour="black")),
    ("turned by 1 degree", partial(_rotated, 1)),
)  # fmt: skip
_CUT: tuple[tuple[str, Callable[[Image.Image], Image.Image]], ...] = (
    ("crop by 5%", partial(cropped, fraction=0.05)),
    ("white border of 5%", partial(framed, fraction=0.05, colour="white")),
    ("black border of 5%", partial(framed, fraction=0.05, colour="black")),
    ("turned by 2 degrees", partial(_rotated, 2)),
)
_OTHERS: tuple[tuple[str, Maker], ...] = (
    ("JPEG q15", _saved("JPEG", quality=15)),
    ("JPEG q10", _saved("JPEG", quality=10)),
    ("1/4 of the size, below 64 pixels", _made_small(0.25, tiny=True)),
    ("1/10 of the size", _changed(partial(resized, scale=0.1))),
    ("mirrored", _changed(ImageOps.mirror)),
    ("stretched by 5%", _changed(_stretched)),
    ("crop by 10%", _changed(partial(cropped, fraction=0.1))),
    ("screenshot of a phone", _on_a_phone),
    ("screenshot of a window", _in_a_window),
)

PLAIN_EDITS: tuple[Edit, ...] = (
    *(Edit(name, "copies", make) for name, make in _COPIES),
    *(Edit(name, "copies", make, is_for_large=False) for name, make in _SLOW_COPIES),
    *(Edit(name, "edited", _changed(change)) for name, change in _EDITED),
    *(Edit(name, "cut", _changed(change)) for name, change in _CUT),
    *(Edit(name, "others", make) for name, make in _OTHERS),
)


def grey_difference(one: Image.Image, other: Image.Image) -> np.ndarray:
    """Absolute difference of the grey levels of two pictures of one size, (height, width)."""
    return np.abs(np.asarray(one.convert("L"), np.int16) - np.asarray(other.convert("L"), np.int16))
