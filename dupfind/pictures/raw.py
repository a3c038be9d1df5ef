"""Camera RAW: told by its content, shown by its preview or by a half-size development, by the extra ``dupfind[raw]``.

What Pillow can open of such a file is a small preview, which proves nothing of the shot. LibRaw finds the large one
that most cameras put in, and can do without. Loads LibRaw only when such a file is met.
"""

from __future__ import annotations

import io
import os
from typing import IO, NamedTuple

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from dupfind import libraries
from dupfind.errors import UndecodableError, missing_extra
from dupfind.pictures import formats

MOST_BYTES = 512 << 20
"""Of a file; 150 megapixels of 16 bits are 300 MB, and images of disks are called ".raw" too."""

_TIFF_MAGIC = (b"II*\0", b"MM\0*")
_NEW_SUBFILE_TYPE, _PHOTOMETRIC, _DNG_VERSION = 254, 262, 50706
_IS_SMALLER_VERSION = 1
_SENSOR = {32803, 34892}
"""Photometric interpretations of DNG: a colour filter array, linear RAW."""
_EXIF_OF_FLIP = {3: 3, 5: 8, 6: 6}
"""How the camera was held, from LibRaw's numbers to EXIF's; 0 is upright."""
_COMPARED_BYTES = 4096
"""Of the end of a preview: at its beginning, LibRaw puts EXIF in where there is none."""
_SHAPE_BOUND = 0.02
"""Share by which the shapes of preview and shot may differ: borders of the sensor, and not another format."""


class Shot(NamedTuple):
    """A camera RAW file, opened."""

    width: int
    """Of the whole shot, upright, in pixels."""
    height: int
    preview: bytes | None
    """A JPEG of at least half the width and half the height; None where there is none."""
    developed: Image.Image | None
    """Half the size, upright, where there is no such preview."""
    orientation: int
    """EXIF's number for how the preview is stored."""


def is_raw(file: IO[bytes], name: str) -> bool:
    """Tell whether ``file`` is camera RAW, by its content or, where that tells nothing, by its name."""
    file.seek(0)
    head = file.read(32)
    file.seek(0)
    if formats.is_raw_content(head):
        return True
    if head.startswith(_TIFF_MAGIC):
        return formats.is_raw_name(name) or _is_raw_tiff(file)
    return formats.is_raw_name(name) and not formats.is_plain_content(head)


def _is_raw_tiff(file: IO[bytes]) -> bool:
    """Tell whether a TIFF says it is DNG, begins with a preview, or holds what a sensor saw."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        kind, photometric = tags.get(_NEW_SUBFILE_TYPE, 0), tags.get(_PHOTOMETRIC)
    except Exception:  # noqa: BLE001 - as many classes as in Image.open, which will tell of them
        return False
    finally:
        file.seek(0)
    is_preview = isinstance(kind, int) and bool(kind & _IS_SMALLER_VERSION)
    return _DNG_VERSION in tags or is_preview or photometric in _SENSOR


def version() -> str:
    """Return the version of the decoder, for the cache's key; empty where it is not installed."""
    return libraries.version_of("rawpy", "rawpy") or ""


def read(file: IO[bytes], max_pixels: int) -> Shot:
    """Open the shot in ``file``. Raises :class:`UndecodableError`, also where the extra is missing."""
    try:
        import rawpy
    except ImportError:
        raise missing_extra("camera RAW", "raw") from None
    if file.seek(0, os.SEEK_END) > MOST_BYTES:
        raise UndecodableError("too large to be camera RAW: compared by bytes only")
    file.seek(0)
    data = file.read()
    try:
        with rawpy.imread(io.BytesIO(data)) as shot:
            sizes = shot.sizes
            if refusal := formats.too_large(sizes.width * sizes.height, max_pixels):
                raise UndecodableError(refusal, lasting=False)
            turn = _EXIF_OF_FLIP.get(sizes.flip, 1)
            is_on_its_side = turn in (6, 8)
            width, height = (sizes.height, sizes.width) if is_on_its_side else (sizes.width, sizes.height)
            preview = _preview(shot, data)
            if preview and (orientation := _fits(preview, (width, height), turn)):
                return Shot(width, height, preview, None, orientation)
            pixels = shot.postprocess(half_size=True, use_camera_wb=True)
            return Shot(width, height, None, Image.fromarray(pixels), 1)
    except rawpy.LibRawFileUnsupportedError:
        raise UndecodableError("camera RAW of a kind that LibRaw cannot read: compared by bytes only") from None
    except rawpy.LibRawUnsufficientMemoryError:
        raise MemoryError from None
    except rawpy.LibRawError as error:
        text = error.args[0].decode("ascii", "replace") if error.args and isinstance(error.args[0], bytes) else error
        raise UndecodableError(f"cannot be decoded: {text}") from None


def _preview(shot: object, data: bytes) -> bytes | None:
    """Return the largest JPEG inside, if there is one. ``data`` is the file: what lies behind its end LibRaw leaves
    as it was in memory, where a whole preview of the file before may lie.
    """
    import rawpy

    assert isinstance(shot, rawpy.RawPy)
    try:
        thumbnail = shot.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if not isinstance(thumbnail.data, bytes):
        return None
    if thumbnail.data[-_COMPARED_BYTES:] not in data:
        raise UndecodableError("cannot be decoded: it ends within its preview")
    return thumbnail.data


def _fits(preview: bytes, size: tuple[int, int], turn: int) -> int | None:
    """Return EXIF's number for how ``preview`` is stored, if it shows the whole
    shot, upright of ``size``, well enough.
    """
    try:
        with Image.open(io.BytesIO(preview), formats=("JPEG",)) as image:
            stored = image.size
    except UnidentifiedImageError:
        return None
    for orientation in dict.fromkeys((turn, 1)):  # some cameras turn the preview and not the shot
        width, height = stored[::-1] if orientation in (6, 8) else stored
        shape = width * size[1] / (height * size[0])
        if abs(shape - 1) <= _SHAPE_BOUND and 2 * width >= size[0] and 2 * height >= size[1]:
            return orientation
    return None
