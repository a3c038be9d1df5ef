"""The small picture that a camera keeps in the file of the large one, read without the rest of the file.

It tells which files to decode first, and nothing else: programs that edit leave old ones, so that it may be of another
picture. JPEG has it in the second directory of its Exif, HEIC as an item; both lie in the first 64 kB or so.
"""

from __future__ import annotations

import io
import re
from typing import IO, NamedTuple

from PIL import ExifTags, JpegImagePlugin

from dupfind.pictures import color_modes, decode, exif, heif_data, jpeg, trailers

RECIPE = 1
"""Version of the way from file to preview. Raise it with every change that can alter a pixel or a fact."""
_LONGER_SIDE, _SHORTER_SIDE, _MOST_SIDE = 120, 64, 2048
"""Fewest pixels of the two sides, and most, of a preview that is looked at."""
_SHAPE_BOUND = 0.01
"""Share by which the shape of a preview may differ from that of its picture: others were cropped, or have bars."""
_EDITORS = re.compile(
    r"photoshop|lightroom|adobe|gimp|picasa|snapseed|acdsee|paint|pixelmator|affinity|darktable|rawtherapee|capture one"
    r"|irfanview|xnview|faststone|photoscape|luminar|dxo|digikam|krita|aperture|photo ?studio|photoimpact|viewer",
    re.IGNORECASE,
)
"""Software that alters pictures; the others that sign pictures are cameras."""
_SOFTWARE, _PLACE, _LENGTH = 0x0131, 0x0201, 0x0202
_JPEG, _HEIF = b"\xff\xd8\xff", b"ftyp"


class EmbeddedPreview(NamedTuple):
    """What a file shows in small, and says of its picture."""

    pixels: bytes
    """64 x 64 grey values, as those of a :class:`~dupfind.values.Thumbnail`."""
    size_pixels: int
    """Of the picture, not of the preview."""
    captured: str | None
    """As in a thumbnail."""


def read_preview(file: IO[bytes]) -> EmbeddedPreview | None:
    """Read the preview in ``file``; None where it has none that can be trusted to be of its picture.

    What is broken has none, whatever the bytes. Raises ``OSError``, ``MemoryError``, and the ``TimeoutError`` of the
    caller's alarm.
    """
    head = file.read(12)
    try:
        if head.startswith(_JPEG):
            file.seek(0)
            return _of_jpeg(file)
        return _of_heif(file) if head[4:8] == _HEIF else None
    except (OSError, MemoryError) as error:
        # Pillow raises OSError of its own for what is broken; those of the system have a number.
        if isinstance(error, (MemoryError, TimeoutError)) or error.errno is not None:
            raise
        return None
    except Exception:  # noqa: BLE001 - Pillow raises nearly every class there is
        return None


def _of_jpeg(file: IO[bytes]) -> EmbeddedPreview | None:
    with JpegImagePlugin.JpegImageFile(file) as image:
        block, size = image.info.get("exif", b""), image.size
        tags = image.getexif()
        if _EDITORS.search(str(tags.get(_SOFTWARE, ""))):
            return None
        second = tags.get_ifd(ExifTags.IFD.IFD1)
        start, length_bytes = len(b"Exif\0\0") + int(second[_PLACE]), int(second[_LENGTH])
        data = block[start : start + length_bytes]
        if len(data) != length_bytes:
            return None
        orientation, captured = exif.facts(image)
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as small:
        if not _may_be_of(small.size, size):
            return None
        data, stream = trailers.outline(data)
        decoded = jpeg.decode(small, data, stream)
        if decoded.warning or stream.damage:
            return None
        grey = color_modes.shrink_gray(decoded.image, decoded.box).grey
    return EmbeddedPreview(exif.upright(grey, orientation).tobytes(), size[0] * size[1], captured)


def _of_heif(file: IO[bytes]) -> EmbeddedPreview | None:
    """Let the decoder see the description of the items and the smaller copies; it never asks for anything else."""
    described = heif_data.with_smaller_copies(file)
    if described is None:
        return None
    (width, height), small, block = decode.smaller_copy_of_heif(io.BytesIO(described), _may_be_of)
    if small is None:
        return None
    captured = exif.captured_of_tiff(io.BytesIO(block.removeprefix(b"Exif\0\0")))
    return EmbeddedPreview(color_modes.shrink(small).grey.tobytes(), width * height, captured)


def _may_be_of(preview: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Tell whether a preview of this size is large enough, and of the shape of the picture."""
    shorter, longer = sorted(preview)
    if longer < _LONGER_SIDE or shorter < _SHORTER_SIDE or longer > _MOST_SIDE or longer >= max(picture):
        return False
    return abs(preview[0] * picture[1] / (preview[1] * picture[0]) - 1) <= _SHAPE_BOUND
