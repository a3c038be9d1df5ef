"""What the application segments of a JPEG hold beside its picture, by their identifiers (ExifTool's JPEG.pm); pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from dupfind.pictures import embedded, kinds

Describe = Callable[[bytes], "list[str]"]
"""Tells the kinds of what a stretch of bytes holds; none of previews of the picture."""

_FLASHPIX = b"FPXR\0"
_XMP = embedded.XMP, embedded.EXTENDED_XMP
_DESCRIPTIVE: dict[str, tuple[bytes, ...]] = {
    "APP0": (b"JFIF\0", b"JFXX\0", b"AVI1", b"Ocad"),
    "APP1": (b"Exif\0", b"QVCI\0"),
    "APP2": (b"ICC_PROFILE\0", b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"),
    "APP3": (b"Meta\0\0", b"META\0\0", b"Exif\0\0", b"Stim\0", b"_JPSJPS_"),
    "APP4": (b"SCALADO\0",),
    "APP5": (b"RMETA\0", b"ssuniqueid\0"),
    "APP6": (b"EPPIM\0", b"NTIF\0", b"TDHD\x01\0\0\0", b"GoPro\0"),
    "APP7": (b"PENTAX \0", b"HUAWEI\0\0", b"\x1aQualcomm Camera Attributes", b"DJI-DBG\0"),
    "APP8": (b"SPIFF\0",),
    "APP9": (b"Media Jukebox\0",),
    "APP10": (b"UNICODE\0",),
    "APP11": (),
    "APP12": (b"Ducky",),
    "APP13": (b"Photoshop 3.0\0", b"Adobe_Photoshop2.5", b"Adobe_CM"),
    "APP14": (b"Adobe",),
    "APP15": (b"Q ",),
}
"""Words about the picture, thumbnails of it, paths, profiles: however long, nothing that a copy of it has to have."""
_COMMENT, _CANON, _CANON_PLACE = "COM", b"HEAPJPGM", 6
_HEAT = ((b"FLIR\0", "APP1"), (b"PARROT\0", "APP1"), (b"DTAT\0", "APP6"))
_HEAT_PARAMETERS = (b"\xaa\x55\x12\x06", b"DJI", b"DTAT\0")
_INFIRAY, _INFIRAY_PLACE = b"IJPEG\0", 4
_PREVIEW_HEADS = (b"", b"QVGA\0", b"BGTH")
_JPEG_START = b"\xff\xd8\xff"

_BOX_PLACE, _CONTENT_PLACE = 8, 16
"""Of APP11: its mark, two numbers, then the length and the type of the box that it carries a part of."""
_CREDENTIALS = b"c2pa"
_AUDIO, _SCREEN = "Audio".encode("utf-16-le"), "Screen".encode("utf-16-le")


class _Segment(NamedTuple):
    name: str
    payload: bytes


def kinds_of(applist: Iterable[tuple[str, bytes]], describe: Describe, *, has_trailer: bool) -> list[str]:
    """Return what the segments before the first scan hold, as Pillow lists them.

    ``has_trailer`` tells whether anything follows the picture, which XMP may speak of.
    """
    held: list[str] = []
    unnamed: list[_Segment] = []
    comments: list[bytes] = []
    xmp: list[tuple[str, bytes]] = []
    for name, payload in applist:
        if name == _COMMENT:
            comments.append(payload)
        elif payload.startswith(_XMP):
            xmp.append((name, payload))
        elif not payload.startswith(_DESCRIPTIVE[name]) and payload[_CANON_PLACE:][: len(_CANON)] != _CANON:
            unnamed.append(_Segment(name, payload))
    held += _of_comments(comments)
    held += kinds.of_xmp(embedded.xmp_of(xmp), has_trailer=has_trailer) if xmp else ()
    return [*held, *_of_rest(unnamed, describe)] if unnamed else held


def _of_comments(comments: Iterable[bytes]) -> list[str]:
    """Return what the comments are, if together they are too long for words about the picture."""
    content = b"".join(comments)
    if len(content) <= kinds.SMALL_BYTES:  # nearly always, and counting takes 0.1 ms
        return []
    size_bytes = kinds.written_bytes(content.strip())
    if size_bytes <= kinds.SMALL_BYTES:
        return []
    return list(kinds.of_base64(content)) or [kinds.unknown("in its comments", size_bytes)]


def _of_rest(segments: Sequence[_Segment], describe: Describe) -> Iterator[str]:
    """Yield what segments are that are not merely descriptive."""
    if any(name == app and payload.startswith(mark) for name, payload in segments for mark, app in _HEAT):
        yield kinds.TEMPERATURES
        return
    if _size_bytes(segments) <= kinds.SMALL_BYTES:
        return
    if any(payload[_INFIRAY_PLACE:].startswith(_INFIRAY) for name, payload in segments if name == "APP2"):
        yield kinds.TEMPERATURES
        return
    flashpix = [segment for segment in segments if segment.payload.startswith(_FLASHPIX)]
    boxed = [segment for segment in segments if segment.name == "APP11"]
    unnamed = [segment for segment in segments if segment not in flashpix and segment not in boxed]
    yield from _of_flashpix(flashpix)
    yield from _of_boxes(boxed)
    yield from _of_unnamed(unnamed, describe)


def _size_bytes(segments: Iterable[_Segment]) -> int:
    """Return how many bytes of the segments are not slack."""
    return sum(kinds.written_bytes(segment.payload) for segment in segments)


def _of_flashpix(segments: Sequence[_Segment]) -> Iterator[str]:
    """Yield what FlashPix streams are, by their names: sound, or a smaller picture for screens, which is none."""
    size_bytes = _size_bytes(segments)
    if size_bytes <= kinds.SMALL_BYTES:
        return
    names = b"".join(segment.payload for segment in segments if len(segment.payload) <= kinds.SMALL_BYTES)
    if _AUDIO in names:
        yield kinds.SOUND
    elif _SCREEN not in names:
        yield kinds.unknown("in FlashPix segments", size_bytes)


def _of_boxes(segments: Sequence[_Segment]) -> Iterator[str]:
    """Yield what APP11 carries: JPEG XT (ISO/IEC 18477-3), JPEG-HDR, JUMBF (ISO/IEC 19566-5)."""
    if any(segment.payload.startswith(b"HDR_RI ") for segment in segments):
        yield kinds.RESIDUE
    elif (size_bytes := _size_bytes(segments)) > kinds.SMALL_BYTES:
        types = {
            segment.payload[_BOX_PLACE + 4 : _CONTENT_PLACE]
            for segment in segments
            if segment.payload.startswith(b"JP")
        }
        if b"jumb" in types:
            head = b"".join(segment.payload[:256] for segment in segments)
            yield kinds.CREDENTIALS if _CREDENTIALS in head else kinds.JUMBF
        elif types:
            yield kinds.RESIDUE
        else:
            yield kinds.unknown("in APP11 segments", size_bytes)


def _of_unnamed(segments: Sequence[_Segment], describe: Describe) -> Iterator[str]:
    """Yield what is in segments without a known identifier, of which a preview may take several."""
    size_bytes = _size_bytes(segments)
    if size_bytes <= kinds.SMALL_BYTES:
        return
    content = b"".join(segment.payload for segment in segments)
    head = next((len(head) for head in _PREVIEW_HEADS if content.startswith(head + _JPEG_START)), None)
    if any(segment.payload.startswith(_HEAT_PARAMETERS) for segment in segments):
        yield kinds.TEMPERATURES
    elif head is not None:
        yield from describe(content[head:])
    else:
        names = ", ".join(dict.fromkeys(segment.name for segment in segments))
        yield kinds.of_start(content[:16]) or kinds.unknown(f"in {names} segments", size_bytes)
