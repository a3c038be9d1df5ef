"""What no page of a TIFF accounts for: stacks behind one page, tags of programs, what was appended."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from dupfind.pictures import containers, tiff
from fixtures import pictures
from tests.helpers.scans import scan, states

SIZE = (320, 240)
NOISE = np.random.default_rng(7).bytes(20_000)


def saved(image: Image.Image, kind: str = "TIFF", **options: Any) -> bytes:
    """A file of this picture."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def with_tag(number: int, kind: int, value: bytes | str) -> bytes:
    """A TIFF with one more tag."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[number] = value
    tags.tagtype[number] = kind
    return saved(pictures.photo(1, SIZE), tiffinfo=tags)


def more(content: bytes) -> str | None:
    """What it is said to hold beside its picture, mapped or not."""
    file = io.BytesIO(content)
    with Image.open(file) as image:
        return containers.more(image, file)


PLAIN = saved(pictures.photo(1, SIZE))


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"compression": "tiff_lzw"}),
        ("RGB", {"compression": "jpeg"}),
        ("RGB", {"compression": "tiff_deflate", "icc_profile": NOISE}),
        ("1", {"compression": "group4"}),
        ("P", {}),
        ("RGBA", {"dpi": (300, 300), "description": "a lake", "software": "a program"}),
        ("CMYK", {}),
    ],
)
def test_what_programs_write_is_all_accounted_for(mode: str, options: dict[str, Any]) -> None:
    """Strips, palettes, profiles and words."""
    assert more(saved(pictures.photo(1, SIZE).convert(mode), **options)) is None


def test_many_strips_of_short_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row each, and big-endian."""
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 1)
    assert more(saved(pictures.photo(1, SIZE))) is None
    content = saved(Image.fromarray(np.frombuffer(NOISE, ">u2").reshape(100, 100)))
    assert content.startswith(b"MM")
    assert not list(tiff.loose_kinds(content))
    assert list(tiff.loose_kinds(content + NOISE))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PLAIN + NOISE, "unknown data beside its pages (20 kB)"),
        (PLAIN + bytes(100) + saved(pictures.photo(2, SIZE), "JPEG"), "a second picture"),
        (PLAIN + NOISE[:4000], None),
        (PLAIN + bytes(50_000), None),  # slack
        (with_tag(32932, 7, NOISE), "unknown data in tags (20 kB)"),  # annotations of Wang's viewer
        (with_tag(37679, 2, "words " * 1000), "unknown data in tags (7 kB)"),
        (with_tag(50839, 7, NOISE[:4000]), None),
        (with_tag(270, 2, "words " * 1000), None),
        (with_tag(33723, 7, NOISE), None),
    ],
)
def test_what_is_beside_the_pages(content: bytes, expected: str | None) -> None:
    """From 4,096 bytes on; words and slack are none."""
    assert expected == more(content)


def test_a_stack_behind_one_page(tmp_path: Path) -> None:
    """As ImageJ writes it: a JPEG of its first picture is no copy of it."""
    content = with_tag(270, 2, "ImageJ=1.53\nimages=2\nslices=2\n") + pictures.photo(2, SIZE).tobytes()
    for side in ("hay", "old"):
        (tmp_path / side).mkdir()
    (tmp_path / "hay" / "first.jpg").write_bytes(saved(pictures.photo(1, SIZE), "JPEG", quality=95))
    (tmp_path / "old" / "stack.tif").write_bytes(content)
    (tmp_path / "old" / "first.tif").write_bytes(PLAIN)
    found = states(scan(tmp_path / "hay", tmp_path / "old"))
    assert {"stack.tif": "similar/similar", "first.tif": "present/same"} == found


def test_broken_directories_never_raise() -> None:
    """What they fail to point to is loose; a circle ends."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        broken = bytearray(PLAIN[:8] + PLAIN[-200:])
        broken[4:8] = struct.pack("<I", int(rng.integers(len(broken))))
        broken[rng.integers(8, len(broken))] = int(rng.integers(256))
        list(tiff.loose_kinds(bytes(broken)))
    circle = b"II*\0" + struct.pack("<IHI", 8, 0, 8) + NOISE
    assert ["unknown data beside its pages (20 kB)"] == list(tiff.loose_kinds(circle))
