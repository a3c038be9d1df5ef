"""The pixels of an open JPEG, as small as its decoder gives them, and what speaks against trusting them.

A JPEG whose data is damaged decodes without an error: libjpeg warns and goes on, and Pillow does not pass the warning
on. So the pixels come through simplejpeg, the same libjpeg-turbo at the same speed, which fails at the first
warning; then Pillow decodes them, and what it refuses stays unreadable. Knows no thumbnails.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import IO, NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from dupfind.pictures.jpeg_stream import END, Stream, coarse, without_extras

WORKING_SIDE = 256
"""The decoder leaves at least this many pixels of each side, where the picture has them."""
GRAY_SIDE = 128
"""The same for pixels that only find: twice as many as the thumbnail has."""
MOST_SCANS = 100
"""Each scan costs a pass over the picture, and a hostile file has thousands. Above this the decoder is Pillow's, which
returns to Python now and then and so heeds the time limit."""

_FACTORS = (8, 4, 2, 1)  # the ones that libjpeg-turbo has fast transforms for
_HEADER_BYTES = 64 << 20
_COARSE_BYTES = 1 << 17
_COARSE_FACTOR = 8
_COARSE_FORMATS = "JPEG", "MPO"
_GRAY_MODES = "L", "RGB"
_LEAST_GRAY_QUALITY = 25
"""Below it much is cut off at black and white that a reduced decode keeps."""
_MOST_BYTES_A_PIXEL = 6  # noise at quality 100 takes 4.2
_MOST_TABLES = 256
_MOST_KEPT_BYTES = 64 << 20
"""Of memory for passing pictures: 16 megapixels."""
_NO_FACTOR = 9.0  # more than any: decode at full size
_UNABLE = (
    "tjDecompressHeader3(): Could not determine subsampling",
    "Unsupported",
    "Requested feature",
)
"""What simplejpeg says of files that are beyond it."""
_SHORT = ("Memory", "Insuf")
"""What it says where memory is short."""
_HARMLESS = ("Warning: unknown JFIF", "Unknown Adobe", "Corrupt JPEG data: bad ICC", "Invalid SOS parameters")
"""Warnings of libjpeg that are about the header and cost no pixel. It tells the first only: others may follow."""
_EXTRANEOUS = "extraneous bytes before marker "
_IN_HEADER = ("0xdb", "0xfe", "0xe")
"""Markers that headers hold: bytes to skip before them may have been left by a careless program."""

# Mean of the natural logarithms of the 64 steps for luma that the Independent JPEG Group's encoder takes at each
# quality from 1 to 100, from the table in annex K of ITU-T T.81.
_LUMA_STEPS = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip


Outline = Callable[[bytes], tuple[bytes, Stream]]
"""Gives the JPEG that a file begins with and what its markers tell, as :func:`dupfind.pictures.trailers.outline`."""


class Decoded(NamedTuple):
    """The pixels of a JPEG."""

    image: Image.Image
    """In ``L``, ``RGB``, ``CMYK`` or, where that was allowed, ``RGBX``, reduced by 8, 4, 2 or 1."""
    box: tuple[float, float, float, float]
    """The part of ``image`` that the picture takes: a reduced size is rounded up, the box is not."""
    warning: str | None
    """What the decoder complained of, in words for the user."""
    is_checked: bool = True
    """False where the decoder was one that does not complain, so that damage would not be known."""


class Gray(NamedTuple):
    """The brightness of a JPEG and nothing else."""

    levels: NDArray[np.uint8]
    """(height, width), reduced by 8, 4, 2 or 1."""
    box: tuple[float, float, float, float]
    """The part that the picture takes, as in :class:`Decoded`."""


def version() -> str:
    """Return the version of the decoder, for the cache's key."""
    return f"simplejpeg {simplejpeg.__version__}"


class _Memory(threading.local):
    """What passing pictures are decoded into, one after the other: each thread has its own."""

    pixels: NDArray[np.uint8] | None = None

    def of(self, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        """Return memory for a picture of this size in ``RGBX``; None for a large one, which gets its own."""
        size_bytes = 4 * size[0] * size[1]
        if self.pixels is None or self.pixels.size < size_bytes:
            self.pixels = None  # frees it first
            if size_bytes <= _MOST_KEPT_BYTES:
                self.pixels = np.empty(size_bytes, np.uint8)
        return self.pixels


_memory = _Memory()


def read_bytes(file: IO[bytes], size_pixels: int) -> tuple[bytes, int]:
    """Return the file from its start, or as much of it as a picture of this size
    can take, and the length of the file.
    """
    length_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    return file.read(min(length_bytes, _HEADER_BYTES + _MOST_BYTES_A_PIXEL * size_pixels)), length_bytes


def read_coarse(file: IO[bytes], image: JpegImagePlugin.JpegImageFile, outline: Outline) -> bytes | None:
    """Return the beginning of a progressive file, as a JPEG of its own that decodes to an eighth of the size.

    ``outline`` tells where the picture ends, and is asked where that is not the end of the file: what lies behind is
    left alone, be it a film or slack, but a picture that is cut short is to be seen. None where the whole file has to
    be read: a reduction by eight is not wanted, the file begins otherwise, or its outline is not sound.
    """
    if not image.info.get("progressive") or image.format not in _COARSE_FORMATS or _factor(image.size) < _COARSE_FACTOR:
        return None
    length_bytes = file.seek(-len(END), os.SEEK_END) + len(END)
    if file.read() != END or image.format != "JPEG":  # an MPO ends with the end of another picture
        whole, stream = outline(read_bytes(file, image.width * image.height)[0])
        return (coarse(whole) or None) if stream.end is not None and stream.damage is None else None
    wanted = _COARSE_BYTES
    while wanted < length_bytes:
        file.seek(0)
        thumbnail = coarse(file.read(wanted))
        if thumbnail is not None:
            return thumbnail or None
        wanted *= 2
    return None


def decode_coarse(image: JpegImagePlugin.JpegImageFile, data: bytes) -> Decoded | None:
    """Return the pixels of what :func:`read_coarse` gave, reduced by eight; None where the decoder complains."""
    pixels, _ = _decode_strictly(data, image.mode, image.size, _COARSE_FACTOR)
    width, height = image.size
    return Decoded(pixels, (0, 0, width / _COARSE_FACTOR, height / _COARSE_FACTOR), None) if pixels else None


def decode_gray(image: JpegImagePlugin.JpegImageFile, data: bytes, stream: Stream) -> Gray | None:
    """Return the brightness of ``image``, as in :func:`decode`, with :data:`GRAY_SIDE` pixels of each side at least.

    The decoder goes through all of the data, that of the colours as well, and so complains of what it complains of
    otherwise. None where it does, or where the file is of a kind that is better seen whole.
    """
    if stream.damage or stream.scans > MOST_SCANS or image.mode not in _GRAY_MODES:
        return None
    if (quality(image) or 0) < _LEAST_GRAY_QUALITY:
        return None
    factor = _factor(image.size, GRAY_SIDE)
    width, height = (math.ceil(side / factor) for side in image.size)
    levels, _ = _values(data, "GRAY", (width, height), factor)
    if levels is None or levels.shape[:2] != (height, width):
        return None
    return Gray(levels[..., 0], (0, 0, image.width / factor, image.height / factor))


def _factor(size: tuple[int, int], working_side: int = WORKING_SIDE) -> int:
    """Return by how much the decoder is to reduce a picture of this size."""
    return next(factor for factor in _FACTORS if min(size) >= factor * working_side or factor == 1)


def decode(
    image: JpegImagePlugin.JpegImageFile,
    data: bytes,
    stream: Stream,
    working_side: int = WORKING_SIDE,
    *,
    is_padded: bool = False,
    is_passing: bool = False,
) -> Decoded:
    """Return the pixels of ``image``, of which nothing but the header was read; ``data`` is the file's content.

    At least ``working_side`` pixels of each side are left, or all that there are. ``is_padded`` allows the mode
    ``RGBX``, which Pillow takes over without a copy, and ``is_passing`` that such a picture of up to 16 megapixels lies
    where the next one will: whoever asks for that is done with it before. Fresh memory from the system takes 5 ms of 12
    megapixels. Raises what Pillow raises where neither decoder can read it.
    """
    width, height = image.size
    factor = _factor(image.size, working_side)
    box = (0, 0, width / factor, height / factor)
    mode = "RGBX" if is_padded and image.mode == "RGB" else image.mode
    is_checked = stream.scans <= MOST_SCANS
    complaint = None
    memory = _memory.of(image.size) if is_passing and mode == "RGBX" and factor == 1 else None
    if is_checked:
        pixels, complaint = _decode_strictly(data, mode, image.size, factor, memory)
        if complaint is not None and _is_of_header(complaint):
            pixels, complaint = _decode_strictly(without_extras(data), mode, image.size, factor)
        if pixels is not None:
            return Decoded(pixels, box, None)
        if complaint is not None and complaint.startswith(_UNABLE):
            is_checked, complaint = False, None
    drafted = image.draft("RGB", (working_side, working_side))
    image.load()
    box = drafted[1] if drafted else (0, 0, *image.size)
    return Decoded(image, box, None if complaint is None else _in_words(complaint), is_checked)


def _decode_strictly(
    data: bytes, mode: str, size: tuple[int, int], factor: int, memory: NDArray[np.uint8] | None = None
) -> tuple[Image.Image | None, str | None]:
    """Return the pixels reduced by ``factor``, or what the decoder complained of; neither where it finds nothing
    wrong with a file of which Pillow knows better what the pixels mean. Raises ``MemoryError``.
    """
    width, height = (math.ceil(side / factor) for side in size)
    colours = {"L": "GRAY", "CMYK": "CMYK", "RGBX": "RGBX"}.get(mode, "RGB")
    values, complaint = _values(data, colours, (width, height), factor, memory)
    if values is None:
        return None, complaint
    if mode == "CMYK" or values.shape[:2] != (height, width):
        return None, None  # whether inks are stored inverted is for Pillow to tell
    if colours == "RGBX":
        return Image.frombuffer("RGBX", (width, height), values, "raw", "RGBX", 0, 1), None
    return Image.fromarray(values[..., 0] if colours == "GRAY" else values), None


def _values(
    data: bytes, colours: str, size: tuple[int, int], factor: int, memory: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8] | None, str | None]:
    """Return the pixels, (height, width, colours), or what the decoder complained of; ``size`` is the reduced one.

    They lie in ``memory``, where that is given.
    """
    least = _NO_FACTOR if factor == 1 else 1.0  # or a side of 7 pixels would be taken at 7/8, which is 7 too
    try:
        values = simplejpeg.decode_jpeg(
            data, colours, min_width=size[0], min_height=size[1], min_factor=least, buffer=memory, strict=True
        )
    except ValueError as error:
        if memory is not None:  # which is too small where this decoder takes the picture for a larger one
            return _values(data, colours, size, factor)
        complaint = str(error)
        if complaint.rpartition("(): ")[2].startswith(_SHORT):
            raise MemoryError from None
        return None, complaint
    return values, None


def _is_of_header(complaint: str) -> bool:
    """Tell whether it may be about the header alone."""
    _, _, marker = complaint.partition(_EXTRANEOUS)
    return complaint.startswith(_HARMLESS) or marker.startswith(_IN_HEADER)


def _in_words(complaint: str) -> str:
    text = complaint.removeprefix("Corrupt JPEG data: ").removeprefix("Warning: ")
    return text[:1].lower() + text[1:]


def quality(image: JpegImagePlugin.JpegImageFile) -> int | None:
    """Return the quality, 1 to 100, at which the Independent JPEG Group's encoder quantises luma most nearly as this
    file.

    Its tables are one table scaled, so tables are compared by the mean logarithm of their steps; a table of another
    make gets the quality that keeps as much on average. None without a table.
    """
    number = image.layer[0][3] if image.layer else 0
    steps = image.quantization.get(number)
    return _quality_of(tuple(steps)) if steps else None


@lru_cache(maxsize=_MOST_TABLES)
def _quality_of(steps: tuple[int, ...]) -> int:
    """Return the quality whose table is most nearly these ``steps``: 0.25 ms, and files of one program share theirs."""
    mean = _mean_logarithm(steps)
    return min(range(1, 101), key=lambda quality: (abs(_MEAN_LOGARITHMS[quality - 1] - mean), quality))


def _tables() -> list[list[int]]:
    """Return the encoder's table for luma at each quality from 1 to 100."""
    percents = np.array([5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)])  # noqa: PLR2004 - as libjpeg's jcparam.c has it
    steps = (percents[:, None] * _LUMA_STEPS + 50) // 100
    found: list[list[int]] = steps.clip(1, 255).tolist()
    return found


_LOGARITHMS = [math.log(max(1, step)) for step in range(256)]
"""Of steps of 8 bits. The means of all qualities are taken while each process of a run starts."""


def _mean_logarithm(steps: Sequence[int]) -> float:
    try:
        return sum(map(_LOGARITHMS.__getitem__, steps)) / len(steps)
    except IndexError:  # of 16 bits
        return sum(math.log(max(1, step)) for step in steps) / len(steps)


_MEAN_LOGARITHMS = [_mean_logarithm(table) for table in _tables()]
