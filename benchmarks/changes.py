"""Edits after which the needle holds what its witness does not: a part replaced, moved, damaged, or lost detail.

`same` is wrong for all of them, for somebody would delete the better file. A change counts only where it shows: a part
that is replaced differs by ``SHOWS_LEVELS`` on the average, damage by ``DAMAGE_LEVELS`` over some block of 16 x 16.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial
from random import Random

from PIL import Image, ImageFilter

from benchmarks.edits import (
    BICUBIC,
    LANCZOS,
    PLAIN_EDITS,
    Case,
    Edit,
    Source,
    blurred,
    encode,
    grey_difference,
    resized,
)

SHOWS_LEVELS = 20
"""Mean absolute difference in grey levels between a part and what replaces it."""
DAMAGE_LEVELS = 10
"""The same over the 16 x 16 block that damage changed most."""
DAMAGED_BYTES = 64
_BLOCK = 16
_ATTEMPTS = 24

_Filler = Callable[[Source, tuple[int, int, int, int], Random], Image.Image]


def from_another(source: Source, box: tuple[int, int, int, int], _: Random) -> Image.Image:
    """The same place of another photo."""
    return source.other.crop(box)


def _from_elsewhere(source: Source, box: tuple[int, int, int, int], dice: Random) -> Image.Image:
    """Another place of the same photo: what a clone stamp does."""
    width, height = box[2] - box[0], box[3] - box[1]
    left, top = dice.randint(0, source.image.width - width), dice.randint(0, source.image.height - height)
    return source.image.crop((left, top, left + width, top + height))


def _wiped(source: Source, box: tuple[int, int, int, int], _: Random) -> Image.Image:
    """What is around it, smeared over it: something was taken out."""
    width, height = box[2] - box[0], box[3] - box[1]
    around = source.image.crop((box[0] - width, box[1] - height, box[2] + width, box[3] + height))
    return around.filter(ImageFilter.GaussianBlur(width)).crop((width, height, 2 * width, 2 * height))


def replaced(source: Source, fraction: float, fill: _Filler, edit: str) -> Image.Image | None:
    """The photo with a random square of ``fraction`` of its area replaced; None where no place tried would show it."""
    dice = source.dice(edit)
    side = max(2, round(math.sqrt(fraction * source.image.width * source.image.height)))
    if side >= min(source.image.size):
        return None
    for _ in range(_ATTEMPTS):
        left, top = dice.randint(0, source.image.width - side), dice.randint(0, source.image.height - side)
        box = left, top, left + side, top + side
        part = fill(source, box, dice)
        if grey_difference(source.image.crop(box), part).mean() >= SHOWS_LEVELS:
            changed = source.image.copy()
            changed.paste(part, box)
            return changed
    return None


def _local(name: str, row: str, fraction: float, fill: _Filler, quality: int = 95, scale: float = 1.0) -> Edit:
    def make(source: Source) -> Case | None:
        changed = replaced(source, fraction, fill, name)
        if changed is None:
            return None
        return Case(encode(resized(changed, scale) if scale != 1 else changed, quality=quality), source.data)

    return Edit(name, row, make)


def shifted(image: Image.Image, fraction: float) -> Image.Image:
    """``image`` moved to the right by ``fraction`` of its width; its left edge is continued."""
    by = max(1, round(image.width * fraction))
    moved = image.copy()
    moved.paste(image.crop((0, 0, 1, image.height)).resize((by, image.height)), (0, 0))
    moved.paste(image.crop((0, 0, image.width - by, image.height)), (by, 0))
    return moved


def _shift(fraction: float, source: Source) -> Case:
    return Case(encode(shifted(source.image, fraction), quality=95), source.data)


def _jpeg_of(source: Source) -> bytes:
    return source.data if source.data.startswith(b"\xff\xd8") else encode(source.image, quality=92)


def _damage(jpeg: bytes, dice: Random, *, zeros: bool) -> bytes:
    """``jpeg`` with 64 bytes of its compressed picture zeroed, or replaced by others."""
    start, end = jpeg.rfind(b"\xff\xda") + 14, len(jpeg) - DAMAGED_BYTES - 2
    place = dice.randint(start, max(start, end))
    junk = bytes(DAMAGED_BYTES) if zeros else bytes(dice.randrange(255) for _ in range(DAMAGED_BYTES))
    return jpeg[:place] + junk + jpeg[place + DAMAGED_BYTES :]


def shows(intact: bytes, damaged: bytes) -> bool | None:
    """Whether damage shows when both are decoded in full; None where the damaged one no longer decodes."""
    try:
        one, other = (Image.open(io.BytesIO(data)).convert("L") for data in (intact, damaged))
    except (OSError, SyntaxError):
        return None
    difference = grey_difference(one, other)
    rows, columns = difference.shape[0] // _BLOCK * _BLOCK, difference.shape[1] // _BLOCK * _BLOCK
    blocks = difference[:rows, :columns].reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    return bool(blocks.mean((1, 3)).max() >= DAMAGE_LEVELS)


def _damaged(name: str, row: str, *, zeros: bool, shown: bool = True, witness: bool = False) -> Edit:
    """Damage that shows, or with ``shown`` False the first attempts' damage that does not."""

    def make(source: Source) -> Case | None:
        intact, dice = _jpeg_of(source), source.dice(name)
        for _ in range(8):
            damaged = _damage(intact, dice, zeros=zeros)
            if damaged != intact and shows(intact, damaged) is shown:
                return Case(intact, damaged) if witness else Case(damaged, intact)
        return None

    return Edit(name, row, make)


def _smaller_witness(name: str, scale: float) -> Edit:
    return Edit(name, "smaller", lambda source: Case(source.data, encode(resized(source.image, scale))))


def _preview(source: Source) -> Case | None:
    """Only a preview of 160 pixels, as cameras and photo managers make them."""
    scale = 160 / max(source.image.size)
    return Case(source.data, encode(resized(source.image, scale))) if scale < 0.85 else None


def _enlarged(source: Source, scale: float) -> Case | None:
    """The witness has all the pixels of the needle and shows what ``scale`` of the size can show."""
    small = resized(source.image, scale)
    return Case(source.data, encode(small.resize(source.image.size, BICUBIC)))


def _enlarged_needle(source: Source) -> Case:
    return Case(encode(source.image.resize((source.image.width * 2, source.image.height * 2), LANCZOS)), source.data)


def _worse(name: str, make: Callable[[Image.Image], bytes]) -> Edit:
    return Edit(name, "worse", lambda source: Case(source.data, make(source.image)))


CHANGES: tuple[Edit, ...] = (
    _local("0.1% replaced by another photo", "small changes", 0.001, from_another),
    _local("0.25% replaced by another photo", "small changes", 0.0025, from_another),
    _local("0.5% replaced by another photo", "half a percent", 0.005, from_another),
    _local("0.5% replaced by another place", "half a percent", 0.005, _from_elsewhere),
    _local("0.5% wiped out", "half a percent", 0.005, _wiped),
    _local("0.5% replaced, q75", "half a percent", 0.005, from_another, quality=75),
    _local("0.5% replaced, 1/2 of the size", "half a percent", 0.005, from_another, scale=0.5),
    _local("2% replaced by another photo", "two percent", 0.02, from_another),
    _local("2% replaced by another place", "two percent", 0.02, _from_elsewhere),
    Edit("shift by 1%", "small changes", partial(_shift, 0.01)),
    Edit("shift by 2%", "shift", partial(_shift, 0.02)),
    _damaged("64 bytes zeroed", "damage", zeros=True),
    _damaged("64 bytes random", "damage", zeros=False),
    _damaged("64 bytes zeroed in the witness", "damage", zeros=True, witness=True),
    _damaged("64 bytes random, nothing shows", "small changes", zeros=False, shown=False),
    _smaller_witness("witness 0.85 of the size", 0.85),
    _smaller_witness("witness 3/4 of the size", 0.75),
    _smaller_witness("witness 1/2 of the size", 0.5),
    _smaller_witness("witness 1/4 of the size", 0.25),
    Edit("witness a preview of 160 pixels", "smaller", _preview),
    Edit("needle enlarged to twice the size", "smaller", _enlarged_needle),
    _worse("witness q25", lambda image: encode(image, quality=25)),
    _worse("witness q10", lambda image: encode(image, quality=10)),
    _worse("witness blurred by 0.4% of the width", lambda image: encode(blurred(image, 0.004))),
    _worse("witness of 64 colours", lambda image: encode(image.quantize(64), "PNG", compress_level=1)),
    Edit("witness enlarged from 1/2", "worse", partial(_enlarged, scale=0.5)),
    Edit("witness enlarged from 1/4", "worse", partial(_enlarged, scale=0.25)),
)  # fmt: skip

EDITS: tuple[Edit, ...] = (*PLAIN_EDITS, *CHANGES)
"""Every edit, in the order of the tables."""
