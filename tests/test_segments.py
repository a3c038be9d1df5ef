"""Segments of a JPEG: what is in them beside words about the picture."""

from __future__ import annotations

import base64
import struct

import pytest
from PIL import Image

from tests.helpers import jpegs
from tests.helpers.jpegs import jpeg, more, noise, preview, segment, with_segments, xmp
from tests.helpers.stamped import UNDEFINED, block

BULK = noise(60000)


def boxed(kind: bytes, content: bytes = BULK) -> list[bytes]:
    """A box in two segments of APP11 (ISO/IEC 18477-3, annex B)."""
    head = struct.pack(">I4s", len(content) + 8, kind)
    halves = content[:30000], content[30000:]
    return [segment(0xEB, b"JP\0\1" + struct.pack(">I", number) + head + half) for number, half in enumerate(halves, 1)]


def flashpix(name: str) -> list[bytes]:
    """A contents list with one stream of this name, and the stream (Exif 2.3, annex on FlashPix extensions)."""
    entry = struct.pack(">HIB", 1, 50000, 0) + name.encode("utf-16-le") + bytes(2)
    return [segment(0xE2, b"FPXR\0\0\1" + entry), segment(0xE2, b"FPXR\0\0\2" + bytes(6) + noise(50000))]


CREDENTIALS = struct.pack(">I4s", 40, b"jumd") + b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\3c2pa\0"
MORE = {
    "FLIR": ([segment(0xE1, b"FLIR\0" + bytes(900))], "temperatures"),
    "Parrot": ([segment(0xE1, b"PARROT\0II*\0" + bytes(900))], "temperatures"),
    "DJI": ([segment(0xE3, BULK), segment(0xE4, b"\xaa\x55\x12\x06" + bytes(99))], "temperatures"),
    "InfiRay": ([segment(0xE2, b"\0\0\0\1IJPEG\0" + bytes(99)), segment(0xE3, BULK)], "temperatures"),
    "sound": (flashpix("/Audio Stream000000"), "sound"),
    "FlashPix": (flashpix("/Anything"), "unknown data in FlashPix segments (51 kB)"),
    "JPEG XT": (boxed(b"RESI"), "a residual layer (HDR)"),
    "JPEG-HDR": ([segment(0xEB, b"HDR_RI ver=11\0" + noise(900) * 5)], "a residual layer (HDR)"),
    "C2PA": (boxed(b"jumb", CREDENTIALS + BULK), "content credentials (C2PA)"),
    "JUMBF": (boxed(b"jumb"), "JUMBF data"),
    "APP11": ([segment(0xEB, BULK)], "unknown data in APP11 segments (60 kB)"),
    "unknown": ([segment(0xE5, BULK), segment(0xE8, BULK)], "unknown data in APP5, APP8 segments (120 kB)"),
    "film": ([segment(0xE6, b"\0\0\0\x18ftypmp42" + BULK)], "a video"),
    "other picture": ([segment(0xE3, jpeg(2, (160, 120)))], "a second picture"),
    "behind a preview": ([segment(0xE3, preview() + noise(9000))], "unknown data in its segments (9 kB)"),
    "long comment": ([segment(0xFE, noise(65000))], "unknown data in its comments (65 kB)"),
    "many comments": ([segment(0xFE, noise(900))] * 5, "unknown data in its comments (5 kB)"),
    "like XMP": ([segment(0xE1, b"http://ns.example.com/\0" + BULK)], "unknown data in APP1 segments (61 kB)"),
    "comment": ([segment(0xFE, base64.b64encode(jpeg(2))[:60000])], "a second picture"),
    "depth": ([xmp("GDepth:Near='1'")], "a depth map"),
    "two": ([xmp("GDepth:Near='1' GImage:Mime='image/jpeg'")], "a depth map and a second picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_what_is_more(name: str) -> None:
    """Told by its identifier, by how it begins, or only by its size."""
    segments, expected = MORE[name]
    assert expected == more(with_segments(jpeg(), *segments))


LESS = {
    "Exif": [segment(0xE1, b"Exif\0\0" + block({0x9286: (UNDEFINED, noise(65000))}))],
    "profile": [segment(0xE2, b"ICC_PROFILE\0\1\2" + noise(60000)), segment(0xE2, b"ICC_PROFILE\0\2\2" + noise(60000))],
    "captions": [segment(0xED, b"Photoshop 3.0\0" + noise(65000))] * 3,
    "comment": [segment(0xFE, b"a lake in the morning, ice on it " * 100)],
    "empty comments": [segment(0xFE, bytes(60000)), segment(0xFE, b" " * 60000)],
    "GoPro": [segment(0xE6, b"GoPro\0" + noise(60000))],
    "DJI's notes": [segment(0xE7, b"DJI-DBG\0" + noise(60000))] * 2,
    "Ricoh": [segment(0xE5, b"RMETA\0" + noise(20000))],
    "Canon": [segment(0xE0, b"II\x1a\0\0\0HEAPJPGM" + noise(20000))],
    "small": [segment(0xE4, noise(2000)), segment(0xE9, noise(2000))],
    "slack": [segment(0xE4, b"NOTE\0" + bytes(60000))],
    "preview of Samsung": [segment(0xE2, preview())],
    "preview of HP": [segment(0xE3, preview((200, 150))[:6000]), segment(0xE4, preview((200, 150))[6000:])],
    "preview of BenQ": [segment(0xE2, b"QVGA\0" + preview())],
    "screen": flashpix("/Screen Nail"),
    "small box": [segment(0xEB, b"JP\0\1\0\0\0\1\0\0\x03\xe8jumb" + noise(1000))],
}  # fmt: skip


@pytest.mark.parametrize("name", LESS)
def test_what_is_no_more(name: str) -> None:
    """Words about the picture, profiles, previews, notes, and what was never written."""
    assert more(with_segments(jpeg(), *LESS[name])) is None


def test_the_bound_of_what_is_unknown() -> None:
    """Of all unknown segments together."""
    halves = noise(2048), noise(2048, 2)
    assert more(with_segments(jpeg(), *(segment(0xE4, half) for half in halves))) is None
    assert more(with_segments(jpeg(), *(segment(0xE4, half + b"x") for half in halves))) is not None


def test_a_preview_is_told_by_its_pixels() -> None:
    """The same bytes are a preview of one picture and something else within another."""
    inside = segment(0xE3, jpegs.saved(jpegs.photo(2).resize((160, 120), Image.Resampling.BOX)))
    assert more(with_segments(jpeg(2), inside)) is None
    assert "a second picture" == more(with_segments(jpeg(1), inside))
