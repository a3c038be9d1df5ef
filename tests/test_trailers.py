"""Trailers: what lies behind a picture's end, followed byte by byte."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from dupfind.errors import UndecodableError
from dupfind.pictures import decode, trailers
from tests.helpers import jpegs
from tests.helpers.jpegs import SIZE, jpeg, more, noise, photo, preview, segment, with_segments, xmp


def box(kind: bytes, body: bytes) -> bytes:
    """A box of ISO base media."""
    return struct.pack(">I", 8 + len(body)) + kind + body


FILM = box(b"ftyp", b"mp42" + bytes(4)) + box(b"mdat", noise(5000)) + box(b"moov", noise(100))
GAIN_MAP = with_segments(
    jpegs.saved(photo().convert("L").resize((80, 60))), xmp("hdrgm:Version='1.0' ns='hdr-gain-map/1.0/'")
)


def samsung(*blocks: tuple[bytes, bytes], has_directory: bool = True) -> bytes:
    """A trailer of these blocks, each a name and its content."""
    body, places = b"", []
    for name, content in blocks:
        places.append(len(body))
        body += b"\0\0\x30\x0a" + struct.pack("<I", len(name)) + name + content
    directory = b"SEFH" + struct.pack("<II", 106, len(blocks))
    for place, following in zip(places, [*places[1:], len(body)], strict=True):
        directory += b"\0\0\x30\x0a" + struct.pack("<II", len(body) - place, following - place)
    if not has_directory:
        directory = b"SEFH" + bytes(20)
    return body + directory + struct.pack("<I", len(directory)) + b"SEFT"


def letterboxed() -> bytes:
    """A preview of another shape: black above and below."""
    canvas = Image.new("RGB", (160, 160))
    canvas.paste(photo().resize((160, 120), Image.Resampling.BOX), (0, 20))
    return jpegs.saved(canvas)


MORE = {
    "film": (FILM, "a video"),
    "film behind padding": (bytes(700) + FILM, "a video"),
    "small film": (FILM[:300], "a video"),
    "Matroska": (b"\x1aE\xdf\xa3" + noise(900), "a video"),
    "sound": (b"RIFF\x10\x27\0\0WAVEfmt " + noise(900), "sound"),
    "AMR": (b"#!AMR\n" + noise(900), "sound"),
    "archive": (b"PK\x03\x04" + noise(900), "an archive"),
    "document": (b"%PDF-1.7\n" + noise(900), "a document (PDF)"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + noise(900), "a second picture"),
    "other picture": (jpeg(2, (160, 120)), "a second picture"),
    "as large": (jpeg(), "a second picture"),
    "gain map": (GAIN_MAP, "a gain map (HDR)"),
    "ISO gain map": (with_segments(preview(), segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0")), "a gain map (HDR)"),
    "depth": (with_segments(preview(), xmp("depthData:DepthDataVersion='1'")), "a depth map"),
    "matte": (with_segments(preview(), xmp("x='portraitEffectsMatte/1.0/'")), "a portrait matte"),
    "both": (preview() + GAIN_MAP + FILM, "a gain map (HDR) and a video"),
    "unknown": (noise(5000), "unknown data behind its end (5 kB)"),
    "mask": (b"".join(bytes([value]) * 300 for value in (0, 255)) * 20, "unknown data behind its end (12 kB)"),
    "unknown behind a preview": (preview() + noise(5000), "unknown data behind its end (5 kB)"),
    "motion": (samsung((b"MotionPhoto_Data", FILM)), "a video"),
    "motion, odd directory": (samsung((b"MotionPhoto_Data", FILM), has_directory=False), "a video"),
    "sound and shot": (samsung((b"SoundShot_000", noise(900))), "sound"),
    "panorama": (samsung((b"Interactive_Panorama_000", noise(900))), "a video"),
    "dual": (samsung((b"DualShot_1", jpeg(2))), "a second picture"),
    "depth of a phone": (samsung((b"DualShot_DepthMap_1", noise(900))), "a depth map"),
    "pen": (samsung((b"Handwriting_Data", noise(900))), "a drawing"),
    "by content": (samsung((b"New_Name", b"\0\0\0\x18ftypmp42" + noise(900))), "a video"),
    "unknown block": (samsung((b"New_Name", noise(70000))), "unknown data in the phone's trailer (71 kB)"),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_what_is_more(name: str) -> None:
    """Told by what it is."""
    behind, expected = MORE[name]
    assert expected == more(jpeg() + behind)


LESS = {
    "zeros": bytes(100_000),
    "ones": b"\xff" * 100_000,
    "ends": b"\xff\xd9" * 900 + bytes(9000),
    "sectors": bytes(5000) + b"written" * 99 + b"\xff" * 5000,
    "small": noise(4096),
    "preview": preview(),
    "larger preview behind slack": bytes(3000) + preview((240, 180)),
    "letterboxed": letterboxed(),
    "two previews": preview() + b"\xff\xd9\0\0" + preview((240, 180)) + bytes(9000),
    "preview behind a note": noise(900) + preview(),
    "notes of a phone": samsung(
        (b"Image_UTC_Data", b"1689171234567"), (b"MCC_Data", b"262"), (b"Camera_Info", noise(9000))
    ),
    "recipe": b"CANON OPTIONAL DATA\0" + struct.pack(">II", 0, 20000)[:8] + noise(20000)
    + b"CANON OPTIONAL DATA\0" + struct.pack(">I", 20000) + bytes(40),
}  # fmt: skip


@pytest.mark.parametrize("name", LESS)
def test_what_is_no_more(name: str) -> None:
    """Slack of old cameras, previews, notes, and what an editor would do with the picture."""
    assert more(jpeg() + LESS[name]) is None


def test_depth_that_only_the_directory_names() -> None:
    """Google's dynamic depth: a grey picture without words of its own."""
    directory = "".join(
        f"<Container:Item Item:Semantic='{name}' Item:Mime='image/jpeg'/>" for name in ("Primary", "Depth")
    )
    content = with_segments(jpeg(), xmp(f"/>{directory}<a"))
    assert "a depth map" == more(content + jpegs.saved(photo(3).convert("L").resize((80, 60))))
    assert more(content) is None


@pytest.mark.parametrize("words", ["GCamera:MotionPhoto='1'", "GCamera:MicroVideo='1'"])
def test_words_of_a_video_that_is_gone(words: str) -> None:
    """A program that saved the still kept them: a video lies behind its picture or nowhere."""
    content = with_segments(jpeg(), xmp(words))
    assert (None, "a video") == (more(content), more(content + noise(100)))


@pytest.mark.parametrize("has_directory", [True, False])
@pytest.mark.parametrize("progressive", [True, False])
def test_a_panorama_without_an_end(*, has_directory: bool, progressive: bool) -> None:
    """Samsung's lack the mark; the picture is whole, as the decoder finds."""
    file = io.BytesIO()
    photo().copy().save(file, "JPEG", quality=90, progressive=progressive)
    whole = file.getvalue()
    trailer = samsung((b"MotionPhoto_Data", FILM), has_directory=has_directory)
    found = decode.read_thumbnail(io.BytesIO(whole[:-2] + trailer), "a.jpg", 10**9)
    plain = decode.read_thumbnail(io.BytesIO(whole), "a.jpg", 10**9)
    assert ("a video", None, plain.pixels) == (found.more, found.damage, found.pixels)
    at_full_size = [
        decode.read_full_size(io.BytesIO(data), "a.jpg", 10**9, SIZE) for data in (whole[:-2] + trailer, whole)
    ]
    assert np.array_equal(*(one.gray for one in at_full_size))
    assert np.array_equal(*(one.color for one in at_full_size))
    assert "a video" == more(whole[:-2] + FILM)


def test_a_panorama_that_was_cut() -> None:
    """Half a picture before the trailer is damaged, whatever follows."""
    whole = jpeg()
    cut = whole[: len(whole) // 2] + samsung((b"MotionPhoto_Data", FILM))
    try:
        damage = decode.read_thumbnail(io.BytesIO(cut), "a.jpg", 10**9).damage
    except UndecodableError as error:
        damage = str(error)
    assert damage


def test_an_outline_is_left_alone() -> None:
    """Where the picture has an end, also before a trailer; and where nothing tells where it should have been."""
    whole = jpeg()
    for content in (whole, whole + samsung((b"MotionPhoto_Data", FILM)), whole[:-2], whole[:-2] + noise(9000)):
        found, stream = trailers.outline(content)
        assert (content, len(whole) if content.startswith(whole) else None) == (found, stream.end)
