"""Hashes of whole pictures: imagehash's own, bit for bit, whatever the format; and every failure a value."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from dupfind.pictures import jxl
from dupfind.pool.exact_hashes import exact_hashes, hash_originals
from dupfind.settings import DEFAULT_MAX_PIXELS
from dupfind.sources.roots import named_file
from dupfind.values import Failure, FileEntry
from fixtures import demo, pictures
from tests.helpers.hashes import TRUE
from tests.helpers.places import SHARED_DATA, needs_shared_data

SIZES = 8, 16


def entry(path: Path) -> FileEntry:
    """As the walk gives it."""
    return named_file(str(path)).entry


def hashed(path: Path, size: int = 8, **options: Any) -> tuple[str, ...] | Failure:
    """All four hashes of one file."""
    values: dict[str, Any] = {"max_pixels": DEFAULT_MAX_PIXELS, "timeout_seconds": 60.0, **options}
    (found,) = hash_originals([entry(path)], tuple(TRUE), size, **values)
    return found


def expected(path: Path, size: int) -> tuple[str, ...]:
    """What imagehash makes of the file."""
    pillow_heif.register_heif_opener()
    if jxl.version():
        from pillow_jxl import JpegXLImagePlugin  # noqa: F401 - registers itself
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            return tuple(str(function(image, hash_size=size)) for function in TRUE.values())


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_every_picture_of_the_demo(demo_trees: Path, size: int) -> None:
    """All algorithms; a broken picture is a failure here and an error there."""
    compared = 0
    for path in sorted([*demo_trees.glob(f"{demo.HAYSTACK}/**/*.*"), *demo_trees.glob(f"{demo.NEEDLES}/**/*.*")]):
        found = hashed(path, size)
        if isinstance(found, Failure):
            with pytest.raises(OSError):  # noqa: PT011 - Pillow's own, whichever
                expected(path, size)
        else:
            assert expected(path, size) == found
            compared += 1
    assert compared > 50


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("size", SIZES)
def test_every_mode(tmp_path: Path, mode: str, size: int) -> None:
    """Converted as imagehash does it, also where that loses nearly everything."""
    photo = pictures.photo(1, (90, 67))
    wide = np.asarray(photo.convert("L")).astype(np.uint16) * 3
    made = {"I;16": lambda: wide, "I": lambda: wide.astype(np.int32), "F": lambda: wide.astype(np.float32)}
    image = Image.fromarray(made[mode]()) if mode in made else photo.convert(mode)
    path = tmp_path / "a.tif"
    image.save(path)
    assert expected(path, size) == hashed(path, size)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_nothing_is_turned(tmp_path: Path, orientation: int) -> None:
    """Imagehash does not ask how the camera was held."""
    path = tmp_path / "a.jpg"
    photo = pictures.photo(2, (160, 120))
    photo.save(path, exif=pictures.exif(orientation))
    assert expected(path, 8) == hashed(path)
    photo.save(path)
    assert hashed(path) == expected(path, 8)


@pytest.mark.slow
@needs_shared_data("formats")
@pytest.mark.parametrize("size", SIZES)
def test_real_files_of_many_formats(size: int) -> None:
    """Whatever the collection holds, but for the largest; sequences by their first frame."""
    paths = [path for path in sorted((SHARED_DATA / "formats").iterdir()) if path.stat().st_size < 500_000]
    assert [] == [path.name for path in paths if expected(path, size) != hashed(path, size)]


def test_failures_are_values(tmp_path: Path) -> None:
    """Empty, no picture, cut off, too large, gone, changed: each says why, and the others have their hashes."""
    sound = tmp_path / "sound.jpg"
    pictures.save(pictures.photo(1, (160, 120)), sound)
    content = sound.read_bytes()
    made = {"empty.jpg": b"", "text.jpg": b"hello", "cut.jpg": content[: len(content) // 2], "bits.jxl": b"\xff\x0a"}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    entries = [entry(tmp_path / name) for name in (*made, "sound.jpg", "sound.jpg")]
    entries[-1] = entries[-1]._replace(mtime_ns=1)
    found = hash_originals(entries, ("phash",), 8, DEFAULT_MAX_PIXELS, 60.0)
    reasons = [one.reason if isinstance(one, Failure) else "" for one in found]
    assert "empty file" == reasons[0]
    assert "not a picture in a known format" == reasons[1]
    assert reasons[2].startswith("cannot be decoded: image file is truncated")
    assert reasons[3]
    assert ("", "changed while it was read") == (reasons[4], reasons[5])
    too_large = hashed(sound, max_pixels=160 * 120 - 1)
    assert Failure("19,200 pixels are more than --max-pixels allows", lasting=False) == too_large
    gone = entry(sound)
    os.unlink(sound)
    (lost,) = hash_originals([gone], ("phash",), 8, DEFAULT_MAX_PIXELS, 60.0)
    assert isinstance(lost, Failure)
    assert "cannot be read: no such file or directory" == lost.reason


def test_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that takes too long is stopped, and says so."""
    path = tmp_path / "a.png"
    pictures.save(pictures.photo(1, (160, 120)), path)

    def endless(*_: object) -> int:
        while True:
            pass

    monkeypatch.setattr("dupfind.pool.exact_hashes.fingerprint.exact_hash_of", endless)
    found = hashed(path, timeout_seconds=0.05)
    assert isinstance(found, Failure)
    assert "decoding took longer than 0.05 s (--timeout)" == found.reason


def test_the_order_of_the_algorithms() -> None:
    """As they were asked for."""
    file = io.BytesIO()
    photo = pictures.photo(3, (160, 120))
    photo.save(file, "PNG")
    for algorithms in (("whash", "phash"), ("phash", "whash")):
        file.seek(0)
        found = exact_hashes(file, algorithms, 8, DEFAULT_MAX_PIXELS)
        assert tuple(str(TRUE[name](photo)) for name in algorithms) == found
    assert imagehash.hex_to_hash(found[0]) == imagehash.phash(photo)
