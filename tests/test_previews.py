"""Small pictures: upright, of every format that is decoded, bounded like a thumbnail, and every failure a value."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.answers.page import Preview
from dupfind.pool.previews import FULL_SIDE, SIDE, read_full_size, read_previews
from dupfind.settings import DEFAULT_MAX_PIXELS
from dupfind.sources.roots import named_file
from dupfind.values import Failure, FileEntry
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data


def entry(path: Path) -> FileEntry:
    """As the walk gives it."""
    return named_file(str(path)).entry


def read(path: Path, **options: Any) -> Preview | Failure:
    """The preview of one file."""
    values: dict[str, Any] = {"max_pixels": DEFAULT_MAX_PIXELS, "timeout_seconds": 60.0, **options}
    (found,) = read_previews([entry(path)], **values)
    return found


def image(preview: Preview | Failure) -> Image.Image:
    """What is to be seen of it."""
    assert isinstance(preview, Preview), preview
    with Image.open(io.BytesIO(preview.data)) as found:
        assert found.format == "WEBP"
        return found.convert("RGB")


def unlikeness(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other.resize(one.size), np.int16)).mean())


@pytest.mark.mostly_slow(fast=6)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif", "bmp"])
@pytest.mark.parametrize("size", [(640, 480), (300, 900), (200, 100)])
def test_it_shows_the_picture(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """Small, never larger than it is, in its colours, with the size of the whole."""
    photo = pictures.photo(3, size)
    pictures.save(photo, tmp_path / f"a.{suffix}")
    found = read(tmp_path / f"a.{suffix}")
    seen = image(found)
    assert isinstance(found, Preview)
    assert (found.width, found.height) == size
    scale = min(1, SIDE / max(size))
    assert seen.size == (round(size[0] * scale), round(size[1] * scale))
    assert unlikeness(seen, photo.convert("RGB")) < 8


@needs_shared_data("orientation")
def test_it_is_upright() -> None:
    """Nine ways to hold a camera, and one picture."""
    paths = sorted((SHARED_DATA / "orientation").glob("*.jpg"))
    groups = [[path for path in paths if path.name.startswith(name)] for name in {path.name[:4] for path in paths}]
    for group in groups:
        first, *others = [image(read(path)) for path in group]
        assert len(group) == 9
        assert all(unlikeness(first, other) < 5 for other in others)


@pytest.mark.slow
@needs_shared_data("formats")
def test_every_format() -> None:
    """What has a thumbnail has a preview."""
    from dupfind.pool.tasks import read_thumbnails
    from dupfind.values import Thumbnail

    entries = [entry(path) for path in sorted((SHARED_DATA / "formats").rglob("*")) if path.is_file()]
    thumbnails = read_thumbnails(entries, DEFAULT_MAX_PIXELS, 60.0)
    previews = read_previews(entries, DEFAULT_MAX_PIXELS, 60.0)
    compared = 0
    for thumbnail, preview in zip((one.result for one in thumbnails), previews, strict=True):
        assert isinstance(preview, Preview) == isinstance(thumbnail, Thumbnail)
        if isinstance(preview, Preview) and isinstance(thumbnail, Thumbnail):
            assert (preview.width, preview.height) == (thumbnail.width, thumbnail.height)
            assert preview.captured == thumbnail.captured
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray((np.arange(90_000) // 2).reshape(300, 300).astype(np.uint16)),
        Image.fromarray(np.linspace(0, 1, 90_000, dtype=np.float32).reshape(300, 300)),
        Image.new("CMYK", (300, 300), (0, 200, 200, 0)),
        Image.new("LA", (300, 300), (0, 0)),
        Image.new("1", (300, 300), 1),
    ],
    ids=lambda one: one.mode,
)
def test_every_mode(tmp_path: Path, picture: Image.Image) -> None:
    """Numbers of 16 bits and fractions are scaled, transparent pictures lie on grey."""
    picture.save(tmp_path / "a.tif")
    seen = np.asarray(image(read(tmp_path / "a.tif")))
    assert seen.shape == (SIDE, SIDE, 3)
    expected = {"CMYK": (255, 55, 55), "LA": (200, 200, 200), "1": (255, 255, 255)}.get(picture.mode)
    if expected:
        assert np.abs(seen.mean(axis=(0, 1)) - expected).max() < 25
    else:
        assert seen[-1].mean() > seen[0].mean() + 100


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    """Broken, too large, no picture, empty, gone or changed: a reason, and nothing else."""
    pictures.save(pictures.photo(1), tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "t.txt").write_bytes(b"text")
    (tmp_path / "e.jpg").write_bytes(b"")
    assert read(tmp_path / "cut.jpg") == Failure("cannot be decoded: image file is truncated")
    assert read(tmp_path / "e.jpg") == Failure("empty file", is_image=False)
    text = read(tmp_path / "t.txt")
    assert isinstance(text, Failure)
    assert not text.is_image
    large = read(tmp_path / "a.jpg", max_pixels=100)
    assert isinstance(large, Failure)
    assert "--max-pixels" in large.reason
    before = entry(tmp_path / "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(0, 0))
    (changed,) = read_previews([before], DEFAULT_MAX_PIXELS, 60.0)
    assert isinstance(changed, Failure)
    assert changed.reason == "changed while it was read"
    (tmp_path / "a.jpg").unlink()
    (gone,) = read_previews([before], DEFAULT_MAX_PIXELS, 60.0)
    assert isinstance(gone, Failure)
    assert "no such file" in gone.reason


@needs_shared_data("hostile")
def test_hostile_files_are_refused_or_shown() -> None:
    """Nothing but values comes of them."""
    paths = [path for path in sorted((SHARED_DATA / "hostile").rglob("*")) if path.is_file()]
    found = read_previews([entry(path) for path in paths[:60]], 50_000_000, 20.0)
    assert all(isinstance(one, Preview | Failure) for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "heic"])
def test_a_picture_at_full_size(tmp_path: Path, suffix: str) -> None:
    """In its own pixels, upright, as JPEG, also of what no browser shows; what is longer than they take is smaller."""
    photo = pictures.photo(3, (640, 480))
    options: dict[str, Any] = {}
    if suffix == "jpg":
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright
        options["exif"] = exif
    if suffix == "heic":
        import pillow_heif

        pillow_heif.from_pillow(photo.convert("RGB")).save(str(tmp_path / "a.heic"), quality=90)
    else:
        photo.convert("RGB").save(tmp_path / f"a.{suffix}", **options)
    (found,) = read_full_size([entry(tmp_path / f"a.{suffix}")], DEFAULT_MAX_PIXELS, 60.0)
    assert isinstance(found, Preview), found
    with Image.open(io.BytesIO(found.data)) as seen:
        upright = photo.convert("RGB").rotate(270, expand=True) if suffix == "jpg" else photo.convert("RGB")
        assert ("JPEG", upright.size, upright.size) == (seen.format, seen.size, (found.width, found.height))
        assert unlikeness(seen.convert("RGB"), upright) < 4


def test_a_picture_that_is_too_long_for_browsers(tmp_path: Path) -> None:
    """Is made smaller, and its size is told."""
    Image.new("L", (20_000, 10), 99).save(tmp_path / "long.png")
    (found,) = read_full_size([entry(tmp_path / "long.png")], DEFAULT_MAX_PIXELS, 60.0)
    assert isinstance(found, Preview)
    assert (found.width, found.height) == (20_000, 10)
    with Image.open(io.BytesIO(found.data)) as seen:
        assert (FULL_SIDE, 8) == seen.size
    (refused,) = read_full_size([entry(tmp_path / "long.png")], 1000, 60.0)
    assert isinstance(refused, Failure)
