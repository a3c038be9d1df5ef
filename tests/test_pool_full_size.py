"""Pairs of files compared at full size: at which size, how turned, and what comes of files that cannot be compared."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFilter

from dupfind.evidence import full_size
from dupfind.evidence.fingerprint import turn_back
from dupfind.pictures import decode, kinds
from dupfind.pool import tasks
from dupfind.pool.full_size import MOST_PIXELS, FullSizePair, compare_pairs, pair_of
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import FileEntry, Thumbnail
from fixtures import icc, pictures
from tests.helpers.details import grainy
from tests.helpers.entries import put
from tests.helpers.image_data import with_packed

SIZE = (320, 240)
PHOTO = pictures.photo(1, SIZE)
# As dupfind.evidence.fingerprint.turn counts: mirrored or not, by quarters.
TURNS = [None, *Image.Transpose]
ENTRY = FileEntry("/n", 1, 0, 0, 1)


def sized(width: int, height: int) -> Thumbnail:
    """A thumbnail of a PNG of this size."""
    return Thumbnail(bytes(4096), width, height, "PNG", 1, None)


@pytest.fixture
def pair(tmp_path: Path) -> FullSizePair:
    """A JPEG and the PNG that it was made of."""
    return pair_of(put(tmp_path / "n.jpg", PHOTO, quality=90), put(tmp_path / "h.png", PHOTO), 0)


@pytest.mark.parametrize(
    ("needle", "witness", "orientation", "size"),
    [
        ((400, 300), (400, 300), 0, (400, 300)),
        ((400, 300), (800, 600), 0, (400, 300)),
        ((410, 300), (400, 310), 0, (400, 300)),
        ((300, 400), (800, 600), 4, (400, 300)),
        ((300, 400), (800, 600), 7, (400, 300)),
    ],
)
def test_at_the_size_of_the_smaller(
    needle: tuple[int, int], witness: tuple[int, int], orientation: int, size: tuple[int, int]
) -> None:
    """As the witness lies."""
    assert size == pair_of((ENTRY, sized(*needle)), (ENTRY, sized(*witness)), orientation).size


def test_no_comparison_is_larger_than_memory_allows() -> None:
    """Both sides of a huge picture shrink alike."""
    width, height = pair_of((ENTRY, sized(20_000, 10_000)), (ENTRY, sized(20_000, 10_000)), 0).size
    assert 0.999 * MOST_PIXELS < width * height <= 1.001 * MOST_PIXELS
    assert width == pytest.approx(2 * height, abs=2)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("orientation", range(8))
def test_the_needle_is_turned_as_the_pair_says(tmp_path: Path, orientation: int) -> None:
    """In exactly one orientation a turned copy is the same; in every other one something is said against it."""
    turn = TURNS[orientation]
    turned = PHOTO if turn is None else PHOTO.transpose(turn)
    needle, witness = put(tmp_path / "n.png", turned), put(tmp_path / "h.png", PHOTO)
    found = compare_pairs([pair_of(needle, witness, number) for number in range(8)], 10**9, 60.0)
    assert 1 == sum(one.objection is None for one in found)


def test_many_pairs_of_one_witness(tmp_path: Path) -> None:
    """Each by itself, in their order."""
    witness = put(tmp_path / "h.png", PHOTO)
    needles = [put(tmp_path / "a.png", PHOTO), put(tmp_path / "b.png", pictures.photo(2, SIZE))]
    found = compare_pairs([pair_of(one, witness, 0) for one in (*needles, needles[0])], 10**9, 60.0)
    assert [True, False, True] == [one.objection is None for one in found]
    assert [True] * 3 == [one.is_lasting for one in found]


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("orientation", [0, 2, 5, 7])
@pytest.mark.parametrize("smaller", ["needle", "witness"])
def test_the_larger_one_is_reduced_as_the_smaller_one_was(tmp_path: Path, smaller: str, orientation: int) -> None:
    """However the needle is turned, and whichever kernel the copy before it had, of which the witness is kept."""
    large = grainy(7, (360, 260)).convert("L")
    pairs = []
    for number, kernel in enumerate((Image.Resampling.BOX, Image.Resampling.LANCZOS, Image.Resampling.HAMMING)):
        small = large.resize((328, 237), kernel)
        needle, witness = (small, large) if smaller == "needle" else (large, small)
        turned = Image.fromarray(np.ascontiguousarray(turn_back(np.asarray(needle), orientation)))
        name = "h.png" if smaller == "needle" else f"h{number}.png"
        pairs.append((put(tmp_path / f"{number}.png", turned), (tmp_path / name, witness)))
    put_once = {path: put(path, witness) for _, (path, witness) in pairs}
    found = compare_pairs([pair_of(needle, put_once[path], orientation) for needle, (path, _) in pairs], 10**9, 60.0)
    assert [None] * 3 == [compared.objection for compared in found]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("orientation", [0, 5])
@pytest.mark.parametrize("smaller", ["needle", "witness"])
def test_a_mark_is_seen_beside_a_picture_of_another_size(tmp_path: Path, smaller: str, orientation: int) -> None:
    """Reduced and sharpened, as none of our kernels does it: what that leaves would hide the mark without a fit."""
    large = grainy(7, (720, 520)).convert("L")
    marked = large.copy()
    marked.paste(large.crop((300, 200, 303, 212)).point(lambda level: level - 12), (300, 200))
    small = large.resize((648, 468) if smaller == "witness" else (360, 260), Image.Resampling.BICUBIC)
    small = small.filter(ImageFilter.UnsharpMask(1, 60, 0))
    codes = []
    for number, other in enumerate((large, marked)):
        needle, witness = (small, other) if smaller == "needle" else (other, small)
        turned = Image.fromarray(np.ascontiguousarray(turn_back(np.asarray(needle), orientation)))
        pair = put(tmp_path / f"n{number}.png", turned), put(tmp_path / f"h{number}.png", witness)
        (compared,) = compare_pairs([pair_of(*pair, orientation)], 10**9, 60.0)
        codes.append(None if compared.objection is None else compared.objection.code)
    assert [None, ReasonCode.PLACE] == codes


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_other_colours_of_the_same_numbers(tmp_path: Path, kind: str) -> None:
    """A witness that lost its profile, or has another one, shows other colours; what a needle lost, a witness has."""
    wide = icc.of_primaries(icc.DISPLAY_P3, 2.2)
    profiles = [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), wide]
    plain, tagged, other = (
        put(tmp_path / f"{number}.{kind}", PHOTO, icc_profile=profile) for number, profile in enumerate(profiles)
    )
    pairs = [(plain, tagged), (other, other), (plain, other), (other, plain), (tagged, other)]
    found = compare_pairs([pair_of(*pair, 0) for pair in pairs], 10**9, 60.0)
    codes = [None if one.objection is None else one.objection.code for one in found]
    assert [None, None, None, ReasonCode.COLOR_PROFILE, ReasonCode.COLOR_PROFILE] == codes


@pytest.mark.parametrize(
    ("names", "times", "code"),
    [
        (("IMG_1.jpg", "IMG_2.jpg"), ("12:00:00", "13:00:00"), ReasonCode.CAPTURE_TIME),
        (("IMG_1.jpg", "IMG_2.jpg"), ("12:00:00", "12:15:00"), ReasonCode.CAPTURE_TIME),
        (("IMG_1.jpg", "img_1.png"), ("12:00:00", "13:00:00"), None),
        (("IMG_1.jpg", "IMG_2.jpg"), ("12:00:00", "12:00:00"), None),
        (("IMG_1.jpg", "IMG_2.jpg"), ("12:00:00", None), None),
    ],
)
def test_quarters_of_an_hour_apart(
    tmp_path: Path, names: tuple[str, str], times: tuple[str | None, ...], code: ReasonCode | None
) -> None:
    """Another time zone only where both have one name: an interval timer takes a picture a quarter of an hour too."""
    sides = []
    for folder, name, time in zip(("n", "h"), names, times, strict=True):
        (tmp_path / folder).mkdir()
        entry, thumbnail = put(tmp_path / folder / name, PHOTO)
        sides.append((entry, replace(thumbnail, captured=None if time is None else f"2017:07:18 {time}")))
    (found,) = compare_pairs([pair_of(sides[0], sides[1], 0)], 10**9, 60.0)
    assert code == (None if found.objection is None else found.objection.code)


def not_compared(pair: FullSizePair, *, max_pixels: int = 10**9, timeout_seconds: float = 60.0) -> str:
    """Why these two could not be compared, which is not remembered."""
    (found,) = compare_pairs([pair], max_pixels, timeout_seconds)
    assert found.objection is not None
    assert (ReasonCode.NOT_COMPARED, False) == (found.objection.code, found.is_lasting)
    (why,) = found.objection.facts
    return str(why)


@pytest.mark.parametrize("side", ["needle", "witness"])
def test_a_file_that_was_changed_after_the_walk(pair: FullSizePair, side: str) -> None:
    """Nothing is said of files that nobody saw."""
    path = getattr(pair, side).path
    os.utime(path, ns=(1, 1))
    assert "changed" in not_compared(pair)
    os.unlink(path)
    assert not_compared(pair)


def test_a_damaged_file(tmp_path: Path, pair: FullSizePair) -> None:
    """Half a JPEG is not compared as if it were the whole."""
    data = Path(pair.needle.path).read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(data[: len(data) // 2])
    state = cut.stat()
    entry = FileEntry(str(cut), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    assert not_compared(pair._replace(needle=entry))


@pytest.mark.parametrize("side", ["needle", "witness"])
def test_data_behind_the_pixels_of_a_needle(tmp_path: Path, side: str) -> None:
    """A copy of the picture would lose them; what the witness holds besides is no loss."""
    sides = {name: put(tmp_path / f"{name}.png", PHOTO) for name in ("needle", "witness")}
    path = Path(sides[side][0].path)
    hiding = with_packed(path.read_bytes(), lambda packed: packed + b"hidden")
    path.write_bytes(hiding)
    state = path.stat()
    entry = FileEntry(str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    sides[side] = entry, sides[side][1]
    (compared,) = compare_pairs([pair_of(sides["needle"], sides["witness"], 0)], 10**9, 60.0)
    expected = Reason(ReasonCode.MORE_IN_FILE, (kinds.BEHIND_PIXELS,)) if side == "needle" else None
    assert compared.objection == expected
    assert compared.is_lasting


def test_too_many_pixels(pair: FullSizePair) -> None:
    """The limit of the run holds here too."""
    assert "pixels" in not_compared(pair, max_pixels=1000)


def test_too_long(pair: FullSizePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for thumbnails."""

    def read(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(decode, "read_full_size", read)
    assert tasks.timed_out(60.0).reason == not_compared(pair)


def test_short_memory_is_not_an_answer(pair: FullSizePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool tries again with more of it."""

    def read(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decode, "read_full_size", read)
    with pytest.raises(MemoryError):
        compare_pairs([pair], 10**9, 60.0)


def test_steps_are_asked_of_the_files(tmp_path: Path) -> None:
    """A posterised witness of a smaller needle, whose tones lie in steps at its own size only."""
    image = grainy(3, (480, 360))
    steps = image.point([min(255, level // 12 * 12 + 6) for level in range(256)] * 3)
    needle = put(tmp_path / "n.jpg", image.resize((300, 225)), quality=85)
    plain, witness = put(tmp_path / "p.jpg", image, quality=95), put(tmp_path / "w.jpg", steps, quality=95)
    found = compare_pairs([pair_of(needle, plain, 0), pair_of(needle, witness, 0)], 10**9, 60.0)
    assert [None, Reason(ReasonCode.FEWER_TONES)] == [compared.objection for compared in found]


def test_files_without_loss_are_known(tmp_path: Path) -> None:
    """Both have to be; a faint mark between two of them is seen, beside a JPEG it is not asked for."""
    marked = PHOTO.copy()
    marked.paste(tuple(level - 3 for level in marked.getpixel((99, 99))), (99, 99, 101, 101))
    png, other = put(tmp_path / "n.png", marked), put(tmp_path / "h.png", PHOTO)
    jpeg = put(tmp_path / "h.jpg", PHOTO, quality=95)
    compared, beside_jpeg = compare_pairs([pair_of(png, other, 0), pair_of(png, jpeg, 0)], 10**9, 60.0)
    assert compared.objection is not None
    assert compared.objection.code is ReasonCode.PLACE
    assert beside_jpeg.objection is None


def test_a_tiff_that_is_packed_with_loss(tmp_path: Path) -> None:
    """A photo on a white page, as JPEG within a TIFF: most of it is as it was, the rest is what the codec left."""
    page = Image.new("RGB", (640, 480), "white")
    page.paste(PHOTO.resize((320, 240)), (100, 80))
    png = put(tmp_path / "n.png", page)
    packed, plain = put(tmp_path / "h.tif", page, compression="jpeg"), put(tmp_path / "p.tif", page)
    pairs = [pair_of(png, packed, 0), pair_of(packed, png, 0), pair_of(png, plain, 0)]
    assert [None] * 3 == [compared.objection for compared in compare_pairs(pairs, 10**9, 60.0)]


def test_the_sampling_of_colour_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a JPEG by its header; a PNG has all of it; of other lossy formats it is not asked. Both sides count."""
    seen: list[bool] = []
    monkeypatch.setattr(full_size, "compare", lambda _ours, _theirs, facts, *_: seen.append(facts.has_full_color))
    full = put(tmp_path / "4.jpg", PHOTO, quality=90, subsampling=0)
    files = {
        put(tmp_path / "p.png", PHOTO): True,
        put(tmp_path / "g.jpg", PHOTO.convert("L"), quality=90): True,
        put(tmp_path / "t.tif", PHOTO, compression="jpeg"): False,
        put(tmp_path / "2.jpg", PHOTO, quality=90, subsampling=2): False,
        put(tmp_path / "1.jpg", PHOTO, quality=90, subsampling=1): False,
        put(tmp_path / "w.webp", PHOTO, quality=90): False,
    }
    for other, expected in files.items():
        compare_pairs([pair_of(full, other, 0), pair_of(other, full, 0)], 10**9, 60.0)
        assert seen == [expected, expected]
        seen.clear()


def few_colors(image: Image.Image) -> Image.Image:
    """``image`` in 256 colours, without dots: what is rare gets a colour that is far away."""
    return image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def with_berries(image: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    """Few small things in a colour that the rest of the picture has not."""
    berries = image.copy()
    for place in range(6):
        berries.paste(color, (30 + 45 * place, 60, 36 + 45 * place, 66))
    return berries


def test_a_gif_is_compared_in_its_own_colors(tmp_path: Path) -> None:
    """What its palette lacks did not change; what the witness shows otherwise did."""
    photo = with_berries(grainy(3, SIZE), (200, 40, 160))
    gif = put(tmp_path / "n.gif", few_colors(photo))
    other = put(tmp_path / "o.gif", few_colors(grainy(4, SIZE)))
    stamped = photo.copy()
    stamped.paste((250, 150, 20), (200, 180, 250, 190))
    witnesses = {
        "h.png": (photo, None),
        "h.jpg": (photo, None),
        "stamped.png": (stamped, ReasonCode.PLACE),
        "grey.png": (photo.convert("L").convert("RGB"), ReasonCode.COLOR_STRENGTH),
    }
    for name, (image, code) in witnesses.items():
        witness = put(tmp_path / name, image, quality=96)
        found = compare_pairs([pair_of(needle, witness, 0) for needle in (other, gif, gif)], 10**9, 60.0)
        codes = [None if compared.objection is None else compared.objection.code for compared in found]
        assert [code, code] == codes[1:]
        assert codes[0] is not None
