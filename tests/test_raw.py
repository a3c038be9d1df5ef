"""Camera RAW: told by content, shown by preview or development, and a clear word where the extra is missing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from dupfind.errors import NoMemoryError, UndecodableError
from dupfind.evidence import evidence
from dupfind.evidence.fingerprint import check_hash, pixels
from dupfind.pictures import decode, raw
from dupfind.values import Evidence, Thumbnail
from fixtures import pictures
from fixtures.dng import dng
from tests.helpers.places import ROOT

has_extra = pytest.mark.skipif(not raw.version(), reason="the extra dupfind[raw] is not installed")
SIZE = (480, 360)


def read(content: bytes, name: str = "a.bin", max_pixels: int = 10**9) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), name, max_pixels)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this format."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bits_apart(one: Thumbnail, other: Thumbnail) -> int:
    """Of 256."""
    return (check_hash(pixels(one.pixels)) ^ check_hash(pixels(other.pixels))).bit_count()


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where LibRaw is not installed."""
    monkeypatch.setitem(sys.modules, "rawpy", None)


@pytest.mark.mostly_slow(fast=1)
@has_extra
@pytest.mark.parametrize("preview", [SIZE, (240, 180), (160, 120), None], ids=str)
def test_the_shot_is_seen(preview: tuple[int, int] | None) -> None:
    """By the preview where it is large enough, by a development where not; the size is that of the shot."""
    shot = pictures.photo(1, SIZE)
    found = read(dng(shot, preview and pictures.photo(2, preview)))
    assert (*SIZE, "RAW", 1, "the sensor's data (RAW)") == (
        found.width,
        found.height,
        found.format,
        found.frames,
        found.more,
    )
    is_preview_seen = preview is not None and preview >= (240, 180)
    seen = save(pictures.photo(2 if is_preview_seen else 1, SIZE), "PNG")
    assert bits_apart(read(seen), found) <= 32
    assert bits_apart(read(save(pictures.photo(1 if is_preview_seen else 2, SIZE), "PNG")), found) > 60


@has_extra
def test_a_preview_of_another_shape_is_not_taken() -> None:
    """It would be a crop."""
    shot = pictures.photo(1, SIZE)
    found = read(dng(shot, pictures.photo(2, (480, 270))))
    assert bits_apart(read(save(shot, "PNG")), found) <= 32


@pytest.mark.mostly_slow(fast=2)
@has_extra
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("has_preview", [False, True])
def test_it_is_upright(orientation: int, has_preview: bool) -> None:
    """However the camera was held."""
    upright = pictures.photo(3, SIZE if orientation in (1, 3) else SIZE[::-1])
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    found = read(dng(stored, stored if has_preview else None, orientation))
    assert upright.size == (found.width, found.height)
    assert bits_apart(read(save(upright, "PNG")), found) <= 32
    content = dng(stored, stored if has_preview else None, orientation)
    whole = decode.read_full_size(io.BytesIO(content), "a.bin", 10**9, upright.size).gray
    assert upright.size == whole.shape[::-1]
    assert np.corrcoef(whole.reshape(-1), np.asarray(upright.convert("L")).reshape(-1))[0, 1] > 0.9


@has_extra
def test_a_preview_that_the_camera_turned() -> None:
    """The shot lies on its side, the preview does not."""
    upright = pictures.photo(3, SIZE[::-1])
    found = read(dng(upright.transpose(Image.Transpose.ROTATE_90), upright, orientation=6))
    assert upright.size == (found.width, found.height)
    assert bits_apart(read(save(upright, "PNG")), found) <= 8


@has_extra
@pytest.mark.parametrize("has_preview", [False, True])
def test_capture_time(has_preview: bool) -> None:
    """From the header of the RAW file."""
    shot = pictures.photo(1, SIZE)
    found = read(dng(shot, shot if has_preview else None, captured="2017:07:18 15:31:30"))
    assert "2017:07:18 15:31:30" == found.captured
    assert read(dng(shot, shot if has_preview else None)).captured is None


@has_extra
def test_the_jpeg_of_a_shot_does_not_replace_it() -> None:
    """RAW may prove its JPEG; the JPEG is not the RAW file."""
    shot = pictures.photo(1, SIZE)
    of_raw = evidence.prepare(read(dng(shot, shot)))
    of_jpeg = evidence.prepare(read(save(shot, "JPEG", quality=92)))
    assert Evidence.SIMILAR is evidence.judge(of_raw, of_jpeg).evidence
    assert Evidence.SAME is evidence.judge(of_jpeg, of_raw).evidence


@has_extra
def test_a_damaged_preview_is_heard_of() -> None:
    """As that of any JPEG."""
    shot = pictures.photo(1, SIZE)
    content = dng(shot, shot)
    place = len(content) - 9000
    assert (read(content[:place] + bytes(64) + content[place + 64 :]).damage or "").startswith("its JPEG data")
    assert read(content).damage is None


@has_extra
def test_too_large() -> None:
    """By the size of the shot, before it is decoded; and no file that is far too long for one is read at all."""
    content = dng(pictures.photo(1, SIZE))
    with pytest.raises(UndecodableError, match="172,800 pixels are more than --max-pixels") as caught:
        read(content, max_pixels=172799)
    assert not caught.value.lasting

    class Endless(io.BytesIO):
        def seek(self, place: int, whence: int = 0) -> int:
            return raw.MOST_BYTES + 1 if whence == 2 else super().seek(place, whence)

    with pytest.raises(UndecodableError, match="too large to be camera RAW"):
        decode.read_thumbnail(Endless(b"an image of a disk"), "disk.raw", 10**9)


@has_extra
@pytest.mark.parametrize("share", [0.01, 0.2, 0.6, 0.95])
def test_cut_off(share: float) -> None:
    """No traceback, whatever is missing; half a sensor is not called a picture."""
    content = dng(pictures.photo(1, SIZE), pictures.photo(2, (160, 120)))
    with pytest.raises(UndecodableError):
        read(content[: int(len(content) * share)], "a.dng")


@has_extra
def test_what_libraw_cannot_read() -> None:
    """A camera that is too new: its small preview proves nothing."""
    with pytest.raises(UndecodableError, match="camera RAW of a kind that LibRaw cannot read: compared by bytes only"):
        read(save(pictures.photo(1), "TIFF"), "a.NEF")


@pytest.mark.usefixtures("without_extra")
@pytest.mark.parametrize("name", ["a.CR2", "/x/b.nef", "c.dng", "d.ARW", "e.raw"])
@pytest.mark.parametrize("content", [save(pictures.photo(1, (64, 48)), "TIFF"), b"unheard of" * 9], ids=["tiff", "?"])
def test_without_the_extra_by_name(name: str, content: bytes) -> None:
    """It says what to install, and is asked again once that may have been done."""
    with pytest.raises(UndecodableError, match=r"camera RAW: .* with its extra raw, dupfind looks at it") as caught:
        read(content, name)
    assert not caught.value.lasting


@pytest.mark.parametrize(("tag", "value", "is_raw"), [(50706, b"\1\4\0\0", True), (254, 1, True), (254, 0, False)])
@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_by_content(tag: int, value: Any, is_raw: bool) -> None:
    """A renamed DNG, and a TIFF that begins with a preview."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[tag] = 1 if tag == 50706 else 4
    tags[tag] = value
    content = save(pictures.photo(1, SIZE), "TIFF", tiffinfo=tags)
    if not is_raw:
        assert read(content, "a.tif").width == 480
        return
    with pytest.raises(UndecodableError, match="camera RAW"):
        read(content, "a.tif")


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_a_bare_sensor() -> None:
    """A DNG without a preview, of which Pillow knows nothing, under the name of a picture."""
    with pytest.raises(UndecodableError, match="camera RAW"):
        read(dng(pictures.photo(1, (64, 48))), "a.tif")


@pytest.mark.parametrize(
    "beginning",
    [b"II*\0\x10\0\0\0CR\2\0", b"IIRO\x08\0", b"IIU\0\x18\0", b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx "],
)
@pytest.mark.usefixtures("without_extra")
def test_beginnings_that_only_raw_has(beginning: bytes) -> None:
    """Whatever the name."""
    with pytest.raises(UndecodableError, match="camera RAW"):
        read(beginning.ljust(64, b"\0"), "a.bin")


@pytest.mark.usefixtures("without_extra")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_picture_under_the_name_of_raw(kind: str) -> None:
    """Content counts, where it is clear."""
    found = read(save(pictures.photo(1, (64, 48)), kind), "a.cr2")
    assert kind == found.format
    assert np.frombuffer(found.pixels, np.uint8).std() > 10


@pytest.mark.slow
@has_extra
def test_from_end_to_end(
    tree: Callable[..., Path], dupfind: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Without the extra the file is named with what to install; once it is there, the file is looked at."""
    shot = pictures.photo(1, SIZE)
    tree("hay", {"shot.jpg": shot, "copy.dng": dng(pictures.photo(2, SIZE))})
    tree("needles", {"a/shot.dng": dng(shot, shot), "a/copy.dng": dng(pictures.photo(2, SIZE))})
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "rawpy.py").write_text("raise ImportError")
    for name in ("shot.dng", "copy.dng"):
        os.utime(tmp_path / "needles" / "a" / name, (10**9, 10**9))
    time.sleep(2.1)  # what was written just now is not remembered anyway
    scan = ("scan", "--haystack", "hay", "--needles", "needles", "--format", "json")
    before = json.loads(dupfind(*scan, env={"PYTHONPATH": f"{tmp_path / 'absent'}:{ROOT}"}).stdout)
    after = json.loads(dupfind(*scan).stdout)
    states = [{Path(file["path"]).name: file["verdict"] for file in answer["files"]} for answer in (before, after)]
    assert [{"copy.dng": "present", "shot.dng": kind} for kind in ("unreadable", "similar")] == states
    reasons = [problem["reason"] for problem in before["problems"] if problem["path"].endswith("shot.dng")]
    assert ["camera RAW: compared by bytes only; installed with its extra raw, dupfind looks at it"] == reasons
    assert [] == after["problems"]


@has_extra
@pytest.mark.parametrize("cut_bytes", [1, 10, 1000, 5000])
def test_a_preview_that_is_cut_off_is_not_made_up(cut_bytes: int) -> None:
    """What LibRaw leaves unread is what lay in memory before: the end of the same preview, read whole just now."""
    content = dng(pictures.photo(1, (320, 240)), pictures.photo(1, (320, 240)))
    for _ in range(4):
        assert read(content).width == 320
        with pytest.raises(UndecodableError, match="it ends within its preview"):
            read(content[:-cut_bytes])


@has_extra
def test_too_little_memory_is_not_the_file_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """LibRaw says so in its own words."""
    import rawpy

    def refuse(*_: object) -> None:
        raise rawpy.LibRawUnsufficientMemoryError(b"Insufficient memory")

    monkeypatch.setattr(rawpy, "imread", refuse)
    with pytest.raises(NoMemoryError, match="not enough memory to decode it") as caught:
        read(dng(pictures.photo(1, (64, 48))))
    assert not caught.value.lasting
