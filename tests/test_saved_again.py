"""A witness that is saved as its needle was: what that explains, and what it must not."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from dupfind.errors import UndecodableError
from dupfind.evidence import full_size
from dupfind.evidence.full_size import Facts
from dupfind.evidence.pixels import Pixels
from dupfind.pictures import decode
from dupfind.pool import full_size as pool_full_size
from dupfind.pool import tasks
from dupfind.pool.full_size import compare_pairs, pair_of
from dupfind.reasons import ReasonCode
from dupfind.sources.entries import entry_of
from dupfind.values import Thumbnail
from fixtures import pictures
from tests.helpers.details import grainy

SIZE = 480, 360
MOST_PIXELS = 10**9
QUALITY = 85
AS_THE_NEEDLE = {"quality": QUALITY, "subsampling": 2}


def flowers(*, taken: int = 0) -> Image.Image:
    """A photo with spots in the strongest colours, which a JPEG with halved colour smears; the first ones ``taken``."""
    image, chance = grainy(1, SIZE), np.random.default_rng(1)
    pen = ImageDraw.Draw(image)
    for number in range(60):
        x, y, radius = int(chance.integers(0, SIZE[0])), int(chance.integers(0, SIZE[1])), int(chance.integers(3, 14))
        color = [(255, 0, 0), (0, 0, 255), (255, 0, 255), (0, 255, 0), (255, 255, 0)][number % 5]
        if number >= taken:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return image


def saved(image: Image.Image, times: int, **options: object) -> bytes:
    """``image`` saved so often, as JPEG where nothing else is said."""
    data = b""
    for _ in range(times):
        out = io.BytesIO()
        image.save(out, "JPEG", **{**AS_THE_NEEDLE, **options})
        data = out.getvalue()
        image = Image.open(io.BytesIO(data)).convert(image.mode)
    return data


def pixels_of(data: bytes) -> Pixels:
    """What is compared of a file."""
    with Image.open(io.BytesIO(data)) as image:
        size = ImageOps.exif_transpose(image).size
    read = decode.read_full_size(io.BytesIO(data), "a", MOST_PIXELS, size)
    return Pixels(read.gray, read.color)


def as_png(image: Image.Image) -> bytes:
    """The file of a picture that nothing was done to."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def again(needle: bytes, witness: bytes, times: int = 1) -> decode.FullSize | None:
    """The witness, saved as the needle was."""
    return decode.read_saved_again(io.BytesIO(witness), "w", MOST_PIXELS, io.BytesIO(needle), times)


@pytest.mark.parametrize("times", [1, 2])
def test_as_the_needle_was(times: int) -> None:
    """By its tables and its sampling of colour, so often: the same pixels as if a program had done it."""
    image = flowers()
    for options in ({}, {"subsampling": 0}, {"quality": 60, "subsampling": 1}):
        found = again(saved(grainy(3, SIZE), 1, **options), as_png(image), times)
        expected = pixels_of(saved(image, times, **options))
        assert found is not None
        assert found.color is not None
        assert expected.color is not None
        assert np.array_equal(found.gray, expected.gray)
        assert np.array_equal(found.color, expected.color)


def test_of_gray() -> None:
    """A gray needle has one table."""
    image = grainy(1, SIZE).convert("L")
    found = again(saved(grainy(3, SIZE).convert("L"), 1), as_png(image))
    assert found is not None
    assert found.color is None
    expected = io.BytesIO()
    image.save(expected, "JPEG", quality=QUALITY)
    assert np.array_equal(found.gray, pixels_of(expected.getvalue()).gray)


@pytest.mark.parametrize("tag", [1, 3, 6])
def test_as_the_files_lie(tag: int) -> None:
    """Blocks lie as in the needle's file: a witness that is turned by its tag is saved so, or upright."""
    image = flowers()
    lying = {1: image, 3: image.transpose(Image.Transpose.ROTATE_180), 6: image.transpose(Image.Transpose.ROTATE_90)}
    witness = saved(lying[tag], 1, quality=100, subsampling=0, exif=pictures.exif(tag))
    for needle in (saved(lying[tag], 1, exif=pictures.exif(tag)), saved(image, 1)):
        found = again(needle, witness)
        assert found is not None
        ours = pixels_of(needle).gray.astype(np.int64)
        left, whole = (float(((ours - other) ** 2).mean()) for other in (found.gray, pixels_of(witness).gray))
        assert left < 0.3 * whole


def test_what_cannot_be_told() -> None:
    """A needle that is no JPEG, one that is stored otherwise or has four inks, and a witness whose numbers are deep."""
    image = flowers()
    jpeg, png = saved(image, 1), as_png(image)
    assert again(png, png) is None
    assert again(saved(image.resize((240, 180)), 1), png) is None
    turned = saved(image.transpose(Image.Transpose.ROTATE_90), 1, exif=pictures.exif(6))
    assert again(turned, png) is None
    assert again(saved(image.convert("CMYK"), 1), png) is None
    deep = io.BytesIO()
    Image.fromarray(np.asarray(image.convert("L"), np.float32)).save(deep, "TIFF")
    assert again(jpeg, deep.getvalue()) is None
    assert again(jpeg, png) is not None


def test_a_damaged_witness() -> None:
    """Nothing is made of it."""
    image = flowers()
    jpeg = saved(image, 1)
    damaged = bytearray(saved(image, 1, quality=95))
    damaged[len(damaged) // 2 :] = bytes(200)
    with pytest.raises(UndecodableError):
        again(jpeg, bytes(damaged))


def verdict(folder: Path, needle: bytes, witness: bytes) -> ReasonCode | None:
    """What a scan would say of the two files."""
    sides = []
    for name, data in (("n.jpg", needle), ("h.png", witness)):
        (folder / name).write_bytes(data)
        entry = entry_of(str(folder / name), os.stat(folder / name))
        (outcome,) = tasks.read_thumbnails([entry], MOST_PIXELS, 60.0, may_be_coarse=False)
        assert isinstance(outcome.result, Thumbnail)
        sides.append((entry, outcome.result))
    (compared,) = compare_pairs([pair_of(sides[0], sides[1], 0)], MOST_PIXELS, 60.0)
    return compared.objection and compared.objection.code


def test_saved_twice_by_one_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strong colours come out otherwise in a few places, and that is why."""
    needle, witness = saved(flowers(), 2), as_png(flowers())
    assert verdict(tmp_path, needle, witness) is None
    monkeypatch.setattr(pool_full_size, "MOST_SAVED_PIXELS", SIZE[0] * SIZE[1] - 1)
    assert verdict(tmp_path, needle, witness) in (ReasonCode.PLACE, ReasonCode.COLOR)


@pytest.mark.parametrize("taken", [1, 2, 5])
def test_what_the_witness_lacks_is_no_work_of_a_codec(tmp_path: Path, taken: int) -> None:
    """Beside places that a codec explains there are spots that the witness has not."""
    assert verdict(tmp_path, saved(flowers(), 2), as_png(flowers(taken=taken))) is not None


FACTS = Facts(quality=QUALITY)


def compared(needle: bytes, witness: bytes, saved_again: Pixels | None, facts: Facts = FACTS) -> tuple[bool, int]:
    """Whether the witness passes where that is what it becomes, and how often that was asked for."""
    asked = []

    def give(times: int) -> Pixels | None:
        asked.append(times)
        return saved_again

    reason = full_size.compare(pixels_of(needle), pixels_of(witness), facts, saved_again=give)
    return reason is None, len(asked)


def test_it_is_asked_for_only_where_it_may_explain() -> None:
    """Not where nothing differs, where something else or too much does, or beside a needle of unknown tables."""
    image, needle = flowers(), saved(flowers(), 2)
    itself = pixels_of(needle)
    assert compared(needle, as_png(image), itself) == (True, 1)
    assert compared(needle, as_png(image), None)[0] is False
    assert compared(needle, saved(image, 1), itself) == (True, 0)
    for facts in (Facts(quality=None), Facts(quality=QUALITY, scale=1.002)):
        assert compared(needle, as_png(image), itself, facts) == (False, 0)
    assert compared(needle, as_png(image.point(lambda level: round(level * 0.9))), itself) == (False, 0)
    ImageDraw.Draw(image).ellipse((237, 297, 243, 303), "white")
    assert compared(needle, as_png(image), itself) == (False, 0)


def test_what_comes_no_nearer_explains_nothing() -> None:
    """Noise all over hides places that differ, since they count by what is usual; and other pixels are none of both."""
    needle, witness = saved(flowers(), 2), as_png(flowers())
    pixels = pixels_of(witness)
    noise = np.random.default_rng(1).normal(0, 12, pixels.gray.shape)
    noisy = pixels._replace(
        gray=(pixels.gray + noise).round().clip(0, 255).astype(np.uint8), color=pixels_of(needle).color
    )
    assert compared(needle, witness, noisy)[0] is False
    assert compared(needle, witness, pixels_of(needle)._replace(color=None))[0] is False
    assert compared(needle, witness, pixels_of(saved(flowers().resize((240, 180)), 1)))[0] is False


def test_a_place_that_is_left_is_not_explained() -> None:
    """All but one place comes out as in the needle."""
    needle, witness = saved(flowers(), 2), as_png(flowers())
    pixels = pixels_of(needle)
    gray = pixels.gray.copy()
    gray[100:116, 200:216] ^= 16
    assert compared(needle, witness, pixels._replace(gray=gray))[0] is False
