"""Names of what a file can hold beside its picture, and the marks by which each kind is known; pure.

The names complete the sentence "it also holds ...". Marks are those of the formats' specifications and of the tables
in ExifTool (JPEG.pm, Samsung.pm, XMP.pm).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from dupfind.pictures import descriptive

SMALL_BYTES = 4096
"""Data of an unknown kind counts from here on: what some phones and programs leave in every picture is no more."""

VIDEO, SOUND, SECOND_PICTURE = "a video", "sound", "a second picture"
GAIN_MAP, DEPTH, MATTE = "a gain map (HDR)", "a depth map", "a portrait matte"
TEMPERATURES, RESIDUE = "temperatures", "a residual layer (HDR)"
CREDENTIALS, JUMBF = "content credentials (C2PA)", "JUMBF data"
ARCHIVE, DOCUMENT, EMBEDDED = "an archive", "a document (PDF)", "data within its metadata"
DEEP, RAW, LAYERS, CHANNELS = "more than 8 bits a sample", "the sensor's data (RAW)", "layers", "further channels"
PROJECTION, DEVELOPING = "the projection of a panorama", "settings to develop it by (XMP)"
PAGES, UNCLEAR = "further pictures", "parts that could not be read"
BEHIND_PIXELS = "data behind its pixels"

_GOOGLE = b"ns.google.com/photos/1.0/"
_VIDEO_MARKS = (b"MotionPhoto", b"MicroVideo")
_XMP_MARKS = (
    (_GOOGLE + b"depthmap/", DEPTH), (b"GDepth:", DEPTH), (_GOOGLE + b"audio/", SOUND), (b"GAudio:", SOUND),
    (_GOOGLE + b"image/", SECOND_PICTURE), (b"GImage:", SECOND_PICTURE), (b"GPano:", PROJECTION),
)  # fmt: skip
"""Of depth, sound and pictures within XMP itself, and of how a panorama is shown. Base64 has none of their colons."""
_AUXILIARY_MARKS = (
    (b"hdrgainmap", GAIN_MAP), (b"hdr-gain-map", GAIN_MAP), (b"depthdata", DEPTH), (b"aux:disparity", DEPTH),
    (b"portraiteffectsmatte", MATTE), (b"segmentationmatte", "a matte"), (b"matte", "a matte"),
    (b"hevc:2015:auxid:2", DEPTH), (b"avc:2015:auxid:2", DEPTH), (b"auxiliary:depth", DEPTH), (b"depthmap", DEPTH),
)  # fmt: skip
"""In lower case: in the XMP of an auxiliary JPEG, or in the URN of an auxiliary picture of HEIF."""
_SEMANTIC = re.compile(rb"Item:Semantic\s*(?:=\s*[\"']|>\s*)(\w+)")
_SEMANTICS = {b"GainMap": GAIN_MAP, b"RecoveryMap": GAIN_MAP, b"Depth": DEPTH, b"MotionPhoto": VIDEO}

_STARTS = (
    (b"\xff\xd8\xff", SECOND_PICTURE), (b"\x89PNG\r\n\x1a\n", SECOND_PICTURE), (b"GIF8", SECOND_PICTURE),
    (b"II*\0", SECOND_PICTURE), (b"MM\0*", SECOND_PICTURE), (b"8BPS", LAYERS), (b"\x1aE\xdf\xa3", VIDEO),
    (b"ID3", SOUND), (b"OggS", SOUND), (b"fLaC", SOUND), (b"#!AMR", SOUND), (b"caff", SOUND), (b"PK\x03\x04", ARCHIVE),
    (b"Rar!", ARCHIVE), (b"7z\xbc\xaf\x27\x1c", ARCHIVE), (b"\x1f\x8b\x08", ARCHIVE), (b"%PDF-", DOCUMENT),
    (b"FFF\0", TEMPERATURES),
)  # fmt: skip
_RIFF = {b"WAVE": SOUND, b"AVI ": VIDEO, b"WEBP": SECOND_PICTURE}
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"avif")
_BOX_TYPE, _BOX_TYPE_END = 4, 8

_BASE64 = bytes(
    ord("a") if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "+/=") else ord(" ") for byte in range(256)
)
_SLACK_RUN_BYTES, _SLACK = 512, (0, 255)
_THUMBNAIL = b"xmpGImg:image"
"""The element in which Adobe's programs keep a small copy of the picture."""
_BASE64_STARTS = ((b"/9j/", SECOND_PICTURE), (b"iVBORw0KG", SECOND_PICTURE), (b"UklGR", SECOND_PICTURE))


def joined(kinds: Iterable[str]) -> str | None:
    """Return the kinds as they are told, each once; None where there are none."""
    return " and ".join(dict.fromkeys(kinds)) or None


def of_xmp(xmp: bytes, *, has_trailer: bool = True) -> Iterator[str]:
    """Yield what this XMP carries, or says of what follows the picture.

    A video always follows the picture: without a trailer the words are left over from a file that had one.
    """
    if has_trailer and any(mark in xmp for mark in _VIDEO_MARKS):
        yield VIDEO
    if descriptive.is_to_be_developed(xmp):
        yield DEVELOPING
    carried = [kind for mark, kind in _XMP_MARKS if mark in xmp]
    yield from carried or of_base64(xmp)


def of_base64(text: bytes) -> Iterator[str]:
    """Yield what a long run of base64 in ``text`` is, but for thumbnails of Adobe's programs."""
    if len(text) < SMALL_BYTES:
        return
    packed = text.replace(b"&#xA;", b"").translate(None, b" \t\r\n")
    classes, start = packed.translate(_BASE64), 0
    while (start := classes.find(b"a" * SMALL_BYTES, start)) >= 0:
        stop = classes.find(b" ", start)
        stop = len(packed) if stop < 0 else stop
        if not packed[max(0, start - 64) : start].rstrip(b"\"'>=").endswith(_THUMBNAIL):
            head = packed[start : start + 16]
            yield next((kind for mark, kind in _BASE64_STARTS if head.startswith(mark)), EMBEDDED)
        start = stop


def of_semantics(xmp: bytes) -> list[str]:
    """Return the kinds of what follows a picture, as far as the directory in its XMP tells (Android's container)."""
    return [_SEMANTICS[name] for name in _SEMANTIC.findall(xmp) if name in _SEMANTICS]


def of_auxiliary(words: bytes) -> str | None:
    """Return the kind of an auxiliary picture that is described by these words, XMP or a URN."""
    lower = words.lower()
    return next((kind for mark, kind in _AUXILIARY_MARKS if mark in lower), None)


def of_start(head: bytes) -> str | None:
    """Return the kind of a file that begins with ``head``, of 16 bytes; None where it is not known."""
    if head[_BOX_TYPE:_BOX_TYPE_END] == b"ftyp":
        return SECOND_PICTURE if head[8:12] in _PICTURE_BRANDS else VIDEO
    if head[_BOX_TYPE:_BOX_TYPE_END] in (b"moov", b"mdat", b"mpvd"):
        return VIDEO
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    return next((kind for mark, kind in _STARTS if head.startswith(mark)), None)


def written_bytes(content: bytes) -> int:
    """Return how many bytes of ``content`` are not slack: runs of zeros, or of 255, as long as a sector of a disk."""
    if len(content) < _SLACK_RUN_BYTES:
        return len(content)
    values = np.frombuffer(content, np.uint8)
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = np.concatenate(([0], changes)) if len(values) else changes
    lengths = np.diff(starts, append=len(values))
    is_slack = (lengths >= _SLACK_RUN_BYTES) & np.isin(values[starts], _SLACK)
    return len(values) - int(lengths[is_slack].sum())


def unknown(where: str, count_bytes: int) -> str:
    """Return the words for data of an unknown kind."""
    return f"unknown data {where} ({(count_bytes + 999) // 1000:,} kB)"
