"""Hashes: those of imagehash bit for bit, and turned as EXIF turns."""

from __future__ import annotations

import io

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from dupfind.evidence.fingerprint import (
    SIZES,
    STEADY_BITS,
    are_steady,
    as_hex,
    check_hash,
    check_hashes,
    exact_hash_of,
    hash_of,
    packed_hashes,
    pixels,
    search_hash,
    search_hashes,
    search_hashes_of,
    turn,
    turn_back,
)
from dupfind.values import FIRST_TRANSPOSED, MIRRORED, ORIENTATIONS
from fixtures import pictures
from tests.helpers.hashes import TRUE

TO_UPRIGHT = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
"""What Pillow's ``exif_transpose`` does for orientations 1 to 8."""
TURNS = pytest.mark.parametrize("orientation", range(ORIENTATIONS))
PICTURES = arrays(np.uint8, (64, 64), elements=st.integers(0, 255))


def thumbnail(seed: int) -> Image.Image:
    """A picture of 64 x 64 grey pixels."""
    return pictures.photo(seed, (256, 192)).convert("L").resize((64, 64), Image.Resampling.LANCZOS)


@TURNS
def test_turning_is_pillow_s(orientation: int) -> None:
    """Index k does what EXIF orientation k + 1 asks a viewer to do."""
    image = thumbnail(1)
    how = TO_UPRIGHT[orientation]
    expected = np.asarray(image if how is None else image.transpose(how))
    assert np.array_equal(expected, turn(np.asarray(image), orientation))


@TURNS
def test_what_is_mirrored_and_transposed(orientation: int) -> None:
    """The constants that the reasons are made of agree with what turning does."""
    corner = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    turned = turn(corner, orientation)
    assert (turned.shape == (3, 2)) is (orientation >= FIRST_TRANSPOSED)
    clockwise = [turned[0, 0], turned[0, -1], turned[-1, -1], turned[-1, 0]]
    start = clockwise.index(1)
    assert (clockwise[start:] + clockwise[:start] != [1, 3, 6, 4]) is (orientation in MIRRORED)


@given(PICTURES)
def test_turning_loses_nothing(picture: np.ndarray) -> None:
    """Every orientation has one that undoes it."""
    undone = (0, 1, 2, 3, 4, 7, 6, 5)
    assert all(np.array_equal(picture, turn(turn(picture, one), other)) for one, other in enumerate(undone))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", TRUE)
@pytest.mark.parametrize("seed", range(8))
def test_search_hashes_are_imagehash_s(algorithm: str, seed: int) -> None:
    """Anybody can check them: the same number, the same hex."""
    image = thumbnail(seed)
    expected = TRUE[algorithm](image)
    found = search_hash(np.asarray(image), algorithm)
    assert (int(str(expected), 16), str(expected)) == (found, f"{found:016x}")


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("algorithm", TRUE)
@given(picture=PICTURES)
def test_any_picture_has_hashes(algorithm: str, picture: np.ndarray) -> None:
    """64 bits of every picture, flat ones too; pHash up to coefficients that lie on the median."""
    found = search_hash(picture, algorithm)
    assert 0 <= found < 2**64
    expected = int(str(TRUE[algorithm](Image.fromarray(picture))), 16)
    assert (found ^ expected).bit_count() <= (64 if len(np.unique(picture)) < 9 else 2) * (algorithm == "phash")


@pytest.mark.parametrize("algorithm", TRUE)
@pytest.mark.parametrize("orientations", [1, 8])
def test_search_hashes_stand_in_the_order_of_their_index(algorithm: str, orientations: int) -> None:
    """The first is the upright one; each is the hash of the turned picture."""
    picture = np.asarray(thumbnail(2))
    expected = [search_hash(np.ascontiguousarray(turn(picture, index)), algorithm) for index in range(orientations)]
    assert tuple(expected) == search_hashes(picture, algorithm, orientations)
    assert orientations == len(set(expected))


@pytest.mark.slow
@given(arrays(np.uint8, st.tuples(st.integers(0, 3), st.just(64), st.just(64)), elements=st.integers(0, 255)))
def test_turned_pictures_are_hashed_as_if_alone(found: np.ndarray) -> None:
    """Many pictures in many orientations, which are not turned one by one."""
    expected = [[search_hash(np.ascontiguousarray(turn(one, index)), "phash") for index in range(8)] for one in found]
    for orientations in (1, 2, 5, 8):
        hashes = search_hashes_of(found, "phash", orientations)
        assert ((len(found), orientations), np.uint64) == (hashes.shape, hashes.dtype)
        assert [row[:orientations] for row in expected] == hashes.tolist()


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("algorithm", TRUE)
def test_packed_hashes_of_many(algorithm: str) -> None:
    """More than are hashed together, in their order; of none there are none."""
    greys = np.random.default_rng(5).integers(0, 256, (130, 64, 64), np.uint8)
    packed = packed_hashes([grey.tobytes() for grey in greys], algorithm, 2)
    expected = [search_hashes(grey, algorithm, 2) for grey in greys]
    assert expected == [(int.from_bytes(row[:8], "big"), int.from_bytes(row[8:], "big")) for row in packed]
    assert [] == packed_hashes([], algorithm, 2)


@pytest.mark.parametrize("seed", range(8))
def test_check_hash_is_imagehash_s(seed: int) -> None:
    """256 bits of pHash, the first bit highest."""
    image = thumbnail(seed)
    assert int(str(imagehash.phash(image, hash_size=16)), 16) == check_hash(np.asarray(image))


def test_check_hashes_of_many() -> None:
    """As of each alone, more than are hashed together, in their order; of none there are none."""
    smooth = [np.asarray(thumbnail(seed)) for seed in range(6)] + [np.full((64, 64), 128, np.uint8)]
    noise = np.random.default_rng(6).integers(0, 256, (123, 64, 64), np.uint8)
    pictures = [*smooth, *noise, *(turn(picture, 5) for picture in smooth)]
    assert [check_hash(np.ascontiguousarray(picture)) for picture in pictures] == check_hashes(pictures)
    assert [] == check_hashes([])


def test_check_hash_keeps_pictures_apart() -> None:
    """Unrelated pictures are far from each other, a slightly darker copy is not."""
    hashes = [check_hash(np.asarray(thumbnail(seed))) for seed in range(8)]
    distances = [(one ^ other).bit_count() for i, one in enumerate(hashes) for other in hashes[:i]]
    assert min(distances) > 64
    darker = np.asarray(thumbnail(0)) // 4 * 3
    assert (hashes[0] ^ check_hash(darker.astype(np.uint8))).bit_count() <= 24


def test_pixels_are_rows() -> None:
    """The bytes of a thumbnail, row by row."""
    found = pixels(bytes(range(64)) + bytes(63 * 64))
    assert ((64, 64), 63, 0) == (found.shape, found[0, 63], found[1, 0])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", TRUE)
def test_both_sizes_are_imagehash_s(algorithm: str, size: int) -> None:
    """From a thumbnail and from a whole picture, in the hex that imagehash writes and reads."""
    for seed in range(4):
        image = thumbnail(seed)
        expected = TRUE[algorithm](image, hash_size=size)
        text = as_hex(hash_of(np.asarray(image), algorithm, size), size)
        assert (str(expected), expected) == (text, imagehash.hex_to_hash(text))
        whole = pictures.photo(seed, (160, 120))
        assert str(TRUE[algorithm](whole, hash_size=size)) == as_hex(exact_hash_of(whole, algorithm, size), size)


def test_leading_zeros_are_written() -> None:
    """As many digits as the hash has, whatever its value."""
    assert (16, 64) == (len(as_hex(0, 8)), len(as_hex(0, 16)))


def test_steady_hashes() -> None:
    """Those of slopes are not, whose copy at another quality is far away; those of photos and flat ones of few bits."""
    rows, columns = np.mgrid[0:600, 0:800]
    slopes = (128 + (rows / 600 - 0.5) * 90 + (columns / 800 - 0.5) * 90, 255 - np.hypot(rows - 300, columns - 400) / 2)
    for values in slopes:
        image = Image.fromarray(values.astype(np.uint8))
        copies = [small(reopened(image, quality)) for quality in (92, 60)]
        assert [False, False] == are_steady(np.stack(copies), "phash").tolist()
        assert (search_hash(copies[0], "phash") ^ search_hash(copies[1], "phash")).bit_count() > STEADY_BITS
    photos = np.stack([small(pictures.photo(seed, (320, 240))) for seed in range(8)])
    for algorithm in TRUE:
        assert are_steady(photos, algorithm).all()


def small(image: Image.Image) -> np.ndarray:
    """The thumbnail of a picture, near enough."""
    return np.asarray(image.convert("L").resize((64, 64), Image.Resampling.LANCZOS))


def reopened(image: Image.Image, quality: int) -> Image.Image:
    """The picture after a JPEG of this quality."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.mark.parametrize("orientation", range(8))
def test_turned_back(orientation: int) -> None:
    """Each orientation is undone, of planes too."""
    planes = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(planes, turn_back(turn(planes, orientation), orientation))
