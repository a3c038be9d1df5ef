"""Texts of a PNG: words about the picture, drawings, and other data."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest

from dupfind.pictures import decode
from tests.helpers.jpegs import jpeg, noise, photo
from tests.helpers.stamped import UNDEFINED, block

DRAWING = b"<mxfile><diagram>x</diagram></mxfile>"
EXIF = b"Exif\0\0" + block({0x9286: (UNDEFINED, noise(9000))})
DATA = base64.b64encode(noise(9000))


def text(kind: bytes, keyword: bytes, content: bytes) -> bytes:
    """A text chunk."""
    head = {b"tEXt": b"", b"zTXt": b"\0", b"iTXt": b"\0\0\0\0", b"iTXt+": b"\1\0\0\0"}[kind]
    body = keyword + b"\0" + head + (zlib.compress(content) if kind in (b"zTXt", b"iTXt+") else content)
    return struct.pack(">I", len(body)) + kind[:4] + body + struct.pack(">I", zlib.crc32(kind[:4] + body))


def more(*chunks: bytes) -> str | None:
    """What a PNG with these chunks holds beside its picture."""
    file = io.BytesIO()
    photo(1, (64, 48)).copy().save(file, "PNG")
    content = file.getvalue()
    return decode.read_thumbnail(io.BytesIO(content[:33] + b"".join(chunks) + content[33:]), "a.png", 10**9).more


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (text(b"tEXt", b"mxfile", DRAWING), "a drawing (draw.io)"),
        (text(b"zTXt", b"mxGraphModel", DRAWING), "a drawing (draw.io)"),
        (text(b"tEXt", b"application/vnd.excalidraw+json", b"{}"), "a drawing (Excalidraw)"),
        (text(b"iTXt", b"plantuml", b"@startuml"), "a drawing (PlantUML)"),
        (text(b"tEXt", b"chara", b"eyJ9"), "a character card"),
        (text(b"tEXt", b"workflow", b'{"nodes": 1}' * 400), 'unknown data in its text "workflow" (5 kB)'),
        (text(b"zTXt", b"workflow", b'{"nodes": 1}' * 400), 'unknown data in its text "workflow" (5 kB)'),
        (text(b"tEXt", b"Comment", base64.b64encode(jpeg(2))), "a second picture"),
        (text(b"zTXt", b"Comment", DATA), "data within its metadata"),
        (text(b"iTXt+", b"Description", DATA), "data within its metadata"),
    ],
)
def test_what_is_more(chunk: bytes, expected: str) -> None:
    """A drawing counts whatever its size, other data from 4 KiB on."""
    assert expected == more(chunk)


@pytest.mark.parametrize(
    "chunk",
    [
        text(b"tEXt", b"Comment", b"words, " * 9000),
        text(b"tEXt", b"Creation Time", b"2026"),
        text(b"tEXt", b"parameters", b"a cat, (best), " * 900),
        text(b"zTXt", b"Raw profile type exif", b"\nexif\n 9000\n" + EXIF.hex().encode()),
        text(b"tEXt", b"Raw profile type APP1", b"\napp1\n 9000\n" + EXIF.hex().encode()),
        text(b"tEXt", b"workflow", b"{}"),
        text(b"iTXt", b"XML:com.adobe.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b" " * 9000 + b"</x:xmpmeta>"),
        text(b"tEXt", b"date:create", b"2026-01-01" * 900),
    ],
)
def test_what_is_no_more(chunk: bytes) -> None:
    """Words about the picture, however long, and small texts of any name."""
    assert more(chunk) is None


def test_many_small_texts() -> None:
    """Count together."""
    chunks = [text(b"tEXt", b"name%d" % index, noise(1000)) for index in range(5)]
    assert more(*chunks[:3]) is None
    assert 'unknown data in its text "name0" (6 kB)' == more(*chunks)
