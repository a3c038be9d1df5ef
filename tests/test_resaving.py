"""Whether one of two files is what saving the other one makes, to the last pixel."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dupfind.errors import UndecodableError
from dupfind.evidence import full_size
from dupfind.pictures.resaving import Saving, find_saving
from dupfind.pool.full_size import compare_pairs, pair_of
from dupfind.reasons import Reason, ReasonCode
from fixtures import pictures
from tests.helpers.entries import put

PHOTO = pictures.photo(3, (333, 251))


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> io.BytesIO:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file


def written(text: str) -> Image.Image:
    """A page with some lines in colours."""
    page = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(page)
    for row in range(12):
        pen.text((20, 12 + 30 * row), f"Line {row}: {text}", fill=("black", "red", "navy")[row % 3])
        pen.line((20, 28 + 30 * row, 500, 28 + 30 * row), fill="red")
    return page


@given(
    quality=st.integers(1, 100),
    subsampling=st.sampled_from([0, 1, 2]),
    progressive=st.booleans(),
    mode=st.sampled_from(["L", "RGB"]),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_what_was_saved_is_found(
    quality: int, subsampling: int, *, progressive: bool, mode: str, size: tuple[int, int]
) -> None:
    """Whatever the quality, the halving of colour and the size, either way round."""
    image = PHOTO.resize(size).convert(mode)
    made = saved(image, quality=quality, subsampling=subsampling, progressive=progressive)
    original = saved(image, "PNG")
    found = find_saving(made, original), find_saving(original, made)
    assert [True, False] == [saving is not None and saving.is_first_made for saving in found]
    assert {quality} == {saving.quality for saving in found if saving}


@pytest.mark.parametrize("place", [(0, 0), (17, 240), (166, 125), (332, 250)])
def test_a_single_other_pixel_is_seen(place: tuple[int, int]) -> None:
    """Wherever it lies: at last the whole picture is saved."""
    changed = PHOTO.copy()
    level = PHOTO.getpixel(place)
    assert isinstance(level, tuple)
    changed.putpixel(place, tuple((value + 128) % 256 for value in level))
    made = saved(PHOTO, quality=90)
    assert find_saving(made, saved(PHOTO, "PNG")) == Saving(is_first_made=True, quality=90)
    assert find_saving(made, saved(changed, "PNG")) is None


@pytest.mark.parametrize(
    "kind", ["saved twice", "black and white", "see-through", "16 bits", "another size", "no JPEG"]
)
def test_what_saving_does_not_make(kind: str) -> None:
    """What another step had a part in is not told of."""
    made, original = saved(PHOTO, quality=85), saved(PHOTO, "PNG")
    if kind == "saved twice":
        with Image.open(saved(PHOTO, quality=30)) as coarse:
            made = saved(coarse, quality=85)
    elif kind == "black and white":
        made = saved(PHOTO.convert("L"), quality=85)
    elif kind == "see-through":
        clear = PHOTO.convert("RGBA")
        clear.putalpha(Image.new("L", clear.size, 254))
        original = saved(clear, "PNG")
    elif kind == "16 bits":
        gray = PHOTO.convert("L")
        made = saved(gray, quality=85)
        original = saved(Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), "PNG")
    elif kind == "another size":  # what is outside of a picture is black as well
        whole = PHOTO.resize((320, 240)).convert("L")
        made, original = saved(whole, quality=85), saved(whole.crop((0, 0, 320, 256)), "PNG")
    else:
        made = saved(PHOTO, "WEBP", quality=85)
    assert find_saving(made, original) is None


@pytest.mark.parametrize(("turned", "is_found"), [((6, 6), True), ((1, 6), True), ((6, 1), False)])
def test_what_lies_on_its_side(turned: tuple[int, int], *, is_found: bool) -> None:
    """The copy may lie as its original does, or have been turned upright before it was saved."""
    of_made, of_original = turned
    with Image.open(saved(PHOTO, quality=95)) as original:
        stored = original.transpose(Image.Transpose.ROTATE_270) if turned == (1, 6) else original
        made = saved(stored, quality=80, exif=pictures.exif(of_made))
    source = saved(PHOTO, quality=95, exif=pictures.exif(of_original))
    assert (Saving(is_first_made=True, quality=80) if is_found else None) == find_saving(made, source)


def test_a_file_that_cannot_be_decoded() -> None:
    """Whoever asks hears why."""
    with pytest.raises(UndecodableError):
        find_saving(io.BytesIO(saved(PHOTO).getvalue()[:3000]), saved(PHOTO, "PNG"))


@pytest.mark.parametrize(
    ("needle", "witness", "code"),
    [
        ({"format": "PNG"}, {"quality": 80}, None),
        ({"quality": 12}, {"format": "PNG"}, None),
        ({"format": "PNG"}, {"quality": 40}, ReasonCode.BRIGHTNESS),
    ],
)
def test_pages_that_were_saved_again(
    tmp_path: Path, needle: dict[str, object], witness: dict[str, object], code: ReasonCode | None
) -> None:
    """Thin lines of strong red are smeared by halved colour, and nothing else has happened; a coarse copy has lost some
    of them.
    """
    page = written("the quick brown fox 0123456789")
    pair = pair_of(put(tmp_path / "n", page, **with_kind(needle)), put(tmp_path / "h", page, **with_kind(witness)), 0)
    (compared,) = compare_pairs([pair], 10**9, 60.0)
    assert (compared.objection and compared.objection.code) == code


def with_kind(options: dict[str, object]) -> dict[str, object]:
    """Options of Pillow, a JPEG where they do not say otherwise."""
    return {"format": "JPEG", **options}


@pytest.mark.parametrize("which", ["needle", "witness"])
def test_a_page_with_another_figure(tmp_path: Path, which: str) -> None:
    """It is no copy, although both were saved in the same way."""
    pages = {side: written("7" if side == which else "1") for side in ("needle", "witness")}
    pair = pair_of(put(tmp_path / "n.png", pages["needle"]), put(tmp_path / "h.jpg", pages["witness"], quality=90), 0)
    (compared,) = compare_pairs([pair], 10**9, 60.0)
    assert compared.objection is not None


def test_what_saving_explains() -> None:
    """All of a needle that was made of its witness; of a witness the noise of its JPEG, and that only if it is fine."""
    place, less = Reason(ReasonCode.PLACE), Reason(ReasonCode.LESS_DETAIL)
    explains = full_size.comes_of_saving
    assert [True, True] == [explains(objection, True, 3) for objection in (place, less)]
    assert [True, False, False] == [explains(place, False, 75), explains(place, False, 74), explains(less, False, 95)]
    assert not full_size.may_come_of_saving(Reason(ReasonCode.COLOR_PROFILE))
