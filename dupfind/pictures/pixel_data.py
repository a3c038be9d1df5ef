"""Image data by decoded pixels, for what Pillow decodes without loss of depth: of GIF, BMP and WebP, and for others.

All pictures of 8 bits or less count as red, green, blue and alpha, upright, so that grey, palettes and an alpha channel
without transparency make no difference. Beside the pixels count the size, the frames as they are shown, how long and
how often, the background, the profile, and every part of the file that is not known to be words about the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, Image, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from dupfind.digest import Piece
from dupfind.errors import UndecodableError
from dupfind.pictures import container_format, descriptive, exif, exif_extent, formats
from dupfind.pictures.container_format import BEHIND, Reader

# Named so that Pillow knows the formats.
_PLUGINS = (BmpImagePlugin, GifImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
_FORMATS = ("BMP", "GIF", "PNG", "TIFF", "WEBP")
_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
_AS_THEY_ARE = frozenset({"CMYK"})
_SHOWN_FOR, _SHOWN_TIMES, _BACKGROUND = "duration", "loop", "background"
_EXIF_HEAD = b"Exif\0\0"

_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})

_BMP_ALPHA, _BMP_DEPTH_PLACE, _BMP_WITH_COLOURS_BYTES = "RGBA", 28, 108
_BMP_UNUSED_BITS = 32
_BMP_PLAIN_COLOURS = (b"BGRs", b" niW")
"""sRGB, and the colours of Windows, which are the same."""

_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21
_GIF_CONTROL, _GIF_COMMENT, _GIF_APPLICATION = 0xF9, 0xFE, 0xFF
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_GIF_XMP = b"XMP DataXMP"
_MOST_BLOCKS = 1 << 20


def of_gif(file: IO[bytes], max_pixels: int) -> Iterator[Piece] | None:
    """Return what counts of a GIF; None where its blocks cannot be followed to the end."""
    reader = Reader(file)
    end = next(part.start for part in container_format.gif_parts(reader) if part.kind == BEHIND)
    extensions = list(_gif_extensions(reader, end))
    return of_pixels(file, max_pixels, [*extensions, *_behind(reader, end)])


def of_webp(file: IO[bytes], max_pixels: int) -> Iterator[Piece] | None:
    """Return what counts of a WebP."""
    reader = Reader(file)
    counting: list[bytes] = []
    for part in container_format.riff_chunks(reader):
        payload = reader.at(part.start + 8, reader.number(part.start + 4, 4, "little")) if part.kind != BEHIND else b""
        if part.kind == BEHIND:
            counting += _behind(reader, part.start)
        elif part.kind == b"EXIF":
            counting += exif_pieces(payload)
        elif part.kind == b"XMP ":
            counting += xmp_pieces(payload)
        elif part.kind not in _WEBP_PICTURE:
            counting += [part.kind, payload]
    return of_pixels(file, max_pixels, counting)


def of_bmp(file: IO[bytes], max_pixels: int) -> Iterator[Piece] | None:
    """Return what counts of a BMP; None for one with bits or colours that Pillow leaves out."""
    reader = Reader(file)
    with opened(file, max_pixels) as image:
        end, mode = container_format.bmp_end(reader, image), image.mode
    is_whole = reader.number(_BMP_DEPTH_PLACE, 2, "little") != _BMP_UNUSED_BITS or mode == _BMP_ALPHA
    has_colours = reader.number(14, 4, "little") >= _BMP_WITH_COLOURS_BYTES
    if not is_whole or (has_colours and reader.at(70, 4) not in _BMP_PLAIN_COLOURS):
        return None
    return of_pixels(file, max_pixels, list(_behind(reader, end)))


def opened(file: IO[bytes], max_pixels: int, decoded: tuple[str, ...] = _FORMATS) -> Image.Image:
    """Open the picture in ``file``, which is of one of the formats ``decoded``, within the bound."""
    Image.MAX_IMAGE_PIXELS = None  # refused here, by our own bound and with our own words
    file.seek(0)
    image = Image.open(file, formats=decoded)
    if refusal := formats.too_large(image.width * image.height, max_pixels):
        raise UndecodableError(refusal, lasting=False)
    return image


def of_pixels(file: IO[bytes], max_pixels: int, beside: Iterable[bytes]) -> Iterator[Piece] | None:
    """Return the pixels of all frames of ``file`` and ``beside``; None where Pillow's mode holds less than the file."""
    image = opened(file, max_pixels)
    if image.mode not in _EIGHT_BITS | _AS_THEY_ARE:
        with image:  # closing it would close the caller's file, too
            return None
    return _of_pixels(image, max_pixels, beside)


def _of_pixels(image: Image.Image, max_pixels: int, beside: Iterable[bytes]) -> Iterator[Piece]:
    with image:
        yield from _all_frames(image, max_pixels, beside)


def _all_frames(image: Image.Image, max_pixels: int, beside: Iterable[bytes]) -> Iterator[Piece]:
    frames = int(getattr(image, "n_frames", 1))
    profile = image.info.get("icc_profile") or b""
    yield from _measured([b"pixels", b"%d frames" % frames, profile, *beside])
    for number in range(frames):
        if number:
            image.seek(number)
            if refusal := formats.too_large(image.width * image.height, max_pixels):
                raise UndecodableError(refusal, lasting=False)
        image.load()
        yield from _measured([_how_shown(image, frames), *_pixels(image)])


def _how_shown(image: Image.Image, frames: int) -> bytes:
    """Return how long a frame is shown and how often the film; nothing for a still picture."""
    if frames == 1:
        return b""
    info = image.info
    told = [info.get(name) for name in (_SHOWN_FOR, _SHOWN_TIMES)]
    shade = info.get(_BACKGROUND) if image.format == "WEBP" else None  # that of a GIF is shown by no viewer
    is_apart = info.get("default_image", False)
    return repr((float(told[0] or 0), told[1], shade, is_apart)).encode()


def _pixels(image: Image.Image) -> Iterator[Piece]:
    """Yield the mode, the size and the pixels of a frame that is loaded."""
    orientation = exif.orientation_of(image)
    if image.mode in _EIGHT_BITS:
        whole = image.convert("RGBA")
    elif image.mode in _AS_THEY_ARE:
        whole = image
    else:
        raise UndecodableError(f"a frame of another kind: {image.mode}")
    upright = exif.upright(whole, orientation)
    yield b"%s %d x %d" % (upright.mode.encode(), *upright.size)
    yield np.ascontiguousarray(np.asarray(upright)).data.cast("B")


def exif_pieces(payload: bytes) -> list[bytes]:
    """Return what counts of an EXIF block but its orientation, by which the pixels are turned."""
    facts = descriptive.read_exif(payload.removeprefix(_EXIF_HEAD))
    if facts is None:
        return [b"Exif", payload]
    counting = [*facts.counting, *exif_extent.counting(payload)]
    return [b"Exif", *counting] if counting else []


def xmp_pieces(packet: bytes) -> list[bytes]:
    """Return what counts of XMP."""
    return [b"XMP", packet] if descriptive.xmp_counts(packet) else []


def _measured(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield each piece behind its length, so that no two rows of pieces give one row of bytes."""
    for piece in pieces:
        yield len(piece).to_bytes(8, "big")
        yield piece


def _behind(reader: Reader, end: int) -> Iterator[bytes]:
    """Yield what follows the end of a picture."""
    if end < reader.length:
        yield b"behind"
        yield reader.at(end, reader.length - end)


def _gif_extensions(reader: Reader, end: int) -> Iterator[bytes]:
    """Yield the extensions of a GIF but for what Pillow shows and what only describes."""
    flags = reader.number(10, 1)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_BLOCKS):
        kind, label = reader.number(place, 1), reader.number(place + 1, 1)
        if place >= end or kind not in (_GIF_EXTENSION, _GIF_IMAGE):
            return
        flags = reader.number(place + 9, 1) if kind == _GIF_IMAGE else 0
        start = place + (2 if kind == _GIF_EXTENSION else 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
        place = start
        while place < end and (length := reader.number(place, 1)):
            place += 1 + length
        place += 1
        if kind == _GIF_EXTENSION and label != _GIF_CONTROL:
            yield from _counting_of_extension(label, reader.at(start, place - start))


def _counting_of_extension(label: int, content: bytes) -> list[bytes]:
    name, behind = content[1:12], content[12:]
    is_plain = label == _GIF_COMMENT or (label == _GIF_APPLICATION and name in _GIF_LOOPS)
    if label == _GIF_APPLICATION and name == _GIF_XMP:  # its packet is not cut into blocks; 258 bytes close it
        packet = behind[: behind.rfind(b">") + 1]
        return [b"XMP", packet] if descriptive.xmp_counts(packet) else []
    return [] if is_plain and not descriptive.text_counts(content) else [bytes([label]), content]
