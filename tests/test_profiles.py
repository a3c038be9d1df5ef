"""What the numbers of a picture mean: where it is said, and how far apart two profiles show the same numbers."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from dupfind.pictures import profiles
from fixtures import icc, pictures

pillow_heif.register_heif_opener()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ADOBE_RGB, DISPLAY_P3 = icc.of_primaries(icc.ADOBE_RGB, 2.2), icc.of_primaries(icc.DISPLAY_P3, 2.2)
PHOTO = pictures.photo(1, (64, 48))
COLORS = np.asarray(PHOTO).reshape(-1, 3)


def said(data: bytes) -> bytes | None:
    """What a file says of its colours."""
    file = io.BytesIO(data)
    with Image.open(file) as image:
        image.load()
        return profiles.of_image(image, file)


def save(kind: str, image: Image.Image = PHOTO, **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", "GIF"])
def test_nothing_is_said(kind: str) -> None:
    """Which is sRGB."""
    assert said(save(kind)) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_profiles(kind: str) -> None:
    """As they are in the file."""
    assert ADOBE_RGB == said(save(kind, icc_profile=ADOBE_RGB))


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks."""
    data = save("PNG")
    inside = b"".join(
        struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
        for kind, payload in chunks
    )
    return data[:33] + inside + data[33:]


LINEAR = (b"gAMA", (100_000).to_bytes(4, "big"))
SRGB_GAMMA = (b"gAMA", (45_455).to_bytes(4, "big"))
WIDE = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))
IS_SRGB = (b"sRGB", b"\0")


@pytest.mark.parametrize("chunks", [(IS_SRGB,), (SRGB_GAMMA,), (IS_SRGB, LINEAR), ((b"cICP", b"\1\x0d\0\1"),)])
def test_sRGB_by_chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> None:  # noqa: N802 - its name
    """Said or not, it is one."""
    assert said(png_with(*chunks)) is None


@pytest.mark.parametrize("chunks", [(LINEAR,), (SRGB_GAMMA, WIDE), (WIDE,), (IS_SRGB, (b"cICP", b"\x09\x10\0\1"))])
def test_other_colours_by_chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    """Each is another one."""
    assert said(png_with(*chunks)) not in (None, said(png_with((b"gAMA", b"\0\0\0\1"))))


def test_code_points_hold_against_a_profile() -> None:
    """As an HDR screenshot has both."""
    data = save("PNG", icc_profile=ADOBE_RGB)
    payload = b"cICP\x09\x10\0\1"
    chunk = struct.pack(">I", 4) + payload + struct.pack(">I", zlib.crc32(payload))
    assert (ADOBE_RGB, b"\x09\x10") == (said(data), said(data[:33] + chunk + data[33:]))


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_code_points(kind: str) -> None:
    """Of a file without a profile: here those of Display P3."""
    data = save(kind)
    assert data.count(b"colrnclx\0\1") == 1
    assert said(data.replace(b"colrnclx\0\1", b"colrnclx\0\x0c")) == b"\x0c\x0d"


def test_inks_are_converted_already() -> None:
    """Their profile has been applied when they are compared."""
    assert said(save("JPEG", PHOTO.convert("CMYK"), icc_profile=ADOBE_RGB)) is None


@pytest.mark.parametrize(
    ("own", "other", "least", "most"),
    [
        (None, None, 0, 0),
        (ADOBE_RGB, ADOBE_RGB, 0, 0),
        (b"broken", b"broken", 0, 0),
        (None, SRGB, 0, 0.5),
        (None, icc.of_primaries(icc.SRGB, 2.2), 1, 8),
        (None, ADOBE_RGB, 5, 80),
        (SRGB, DISPLAY_P3, 5, 80),
        (ADOBE_RGB, DISPLAY_P3, 5, 80),
        (None, icc.of_primaries(icc.SRGB, 1.8), 10, 80),
        (None, icc.of_gray(1.0), 20, 200),
        (None, b"broken", math.inf, math.inf),
        (None, bytes(16) + b"RGB " + bytes(200), math.inf, math.inf),
        (None, b"\x0c\x0d", math.inf, math.inf),
    ],
)
def test_shown_apart(own: bytes | None, other: bytes | None, least: float, most: float) -> None:
    """In either order."""
    found = profiles.shown_apart(COLORS, own, other), profiles.shown_apart(COLORS, other, own)
    assert found[0] == found[1]
    assert least <= found[0] <= most


def test_swapped_primaries() -> None:
    """Red that is shown as blue, though every number is the same."""
    swapped = icc.of_primaries(icc.SRGB[::-1], 2.2)
    red = np.full((10, 3), (250, 10, 10), np.uint8)
    assert profiles.shown_apart(red, None, swapped) > 200
    gray = np.full((10, 3), 128, np.uint8)
    assert profiles.shown_apart(gray, None, swapped) < 2


def test_sample() -> None:
    """The colours of the picture, by its planes."""
    planes = [np.asarray(plane) for plane in PHOTO.convert("YCbCr").split()]
    small = np.stack([plane[::4, ::4] for plane in planes[1:]])
    sample = profiles.sample(planes[0], small).reshape(64, 64, 3)
    expected = np.asarray(PHOTO.resize((64, 64), Image.Resampling.BOX))
    assert np.abs(sample.astype(int) - expected).mean() < 8
    grays = profiles.sample(planes[0], None)
    assert ((4096, 3), True) == (grays.shape, bool((grays.min(1) == grays.max(1)).all()))
