"""What the EXIF block of an open picture says: how the camera was held, and when the shutter opened.

Knows Pillow's pictures and nothing of decoding, files or verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

_EXIF_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_FIRST_TRANSPOSED = 5  # EXIF orientations from here on exchange width and height
_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")

# What brings a stored picture upright, by EXIF orientation; 1 and everything invalid needs nothing.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LEFT_TO_RIGHT, _UPSIDE_DOWN = (2, 3, 7, 8), (3, 4, 6, 7)
"""The same in steps: exchange left and right, top and bottom, and then rows and columns."""


def facts(image: Image.Image) -> tuple[int, str | None]:
    """Return EXIF orientation and capture time, to be asked after the decode.

    The TIFF and HEIF decoders turn the picture themselves and then drop the tag. An EXIF block that cannot be read
    costs these facts and not the picture.
    """
    exif, orientation = _read(image)
    return orientation, None if exif is None else _captured(exif)


def orientation_of(image: Image.Image) -> int:
    """Return EXIF orientation alone: without the capture time, which takes 1 ms of a camera's file."""
    return _read(image)[1]


def _read(image: Image.Image) -> tuple[Image.Exif | None, int]:
    """Return the EXIF block of ``image`` and its orientation; None and upright where it cannot be read."""
    try:
        exif = image.getexif()
        orientation = exif.get(_EXIF_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - as many classes as in Image.open
        return None, 1
    return exif, orientation if isinstance(orientation, int) else 1


def captured_of_tiff(file: IO[bytes]) -> str | None:
    """Return the capture time in a file that begins as TIFF does, whatever else it is; None where it has none."""
    try:
        exif = Image.Exif()
        file.seek(0)
        exif.load_from_fp(file)
    except Exception:  # noqa: BLE001 - as above
        return None
    return _captured(exif)


def is_transposed(orientation: int) -> bool:
    """Return true where width and height of the stored picture are height and width of the upright one."""
    return _FIRST_TRANSPOSED <= orientation <= max(_UPRIGHT)


def upright(plane: Image.Image, orientation: int) -> Image.Image:
    """Return ``plane`` as the photographer saw it; an invalid ``orientation`` means that it is already."""
    turn = _UPRIGHT.get(orientation)
    return plane if turn is None else plane.transpose(turn)


def upright_array(plane: Image.Image, orientation: int) -> NDArray[np.uint8]:
    """Give ``plane``, in ``L``, upright as an array: (height, width).

    Its columns lie in the memory as rows do in others where the file holds it so: to turn 12 megapixels takes 11 ms.
    """
    values = _copied(plane.transpose(_UPRIGHT[2]) if orientation in _LEFT_TO_RIGHT else plane)
    if orientation in _UPSIDE_DOWN:
        values = values[::-1]
    return values.T if is_transposed(orientation) else values


def _copied(plane: Image.Image) -> NDArray[np.uint8]:
    """Copy ``plane``, in ``L``, to an array: once, where ``np.asarray`` copies three times.

    Pillow is given the memory of the array to paste into. A version that would not take it is found out.
    """
    values = np.empty((plane.height, plane.width), np.uint8)
    within = Image.frombuffer("L", plane.size, values, "raw", "L", 0, 1)
    within.readonly = 0
    last = plane.crop((plane.width - 1, plane.height - 1, plane.width, plane.height)).tobytes()[0]
    values[-1, -1] = 255 - last  # another level than that
    within.paste(plane)
    return values if values[-1, -1] == last else np.asarray(plane)


def stored_box(box: tuple[int, int, int, int], size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """Tell where ``box`` (left, top, right, bottom) of an upright picture lies in the stored one of this ``size``.

    ``size`` is the width and height as stored.
    """
    left, top, right, bottom = box
    if is_transposed(orientation):
        left, top, right, bottom = top, left, bottom, right
    if orientation in _UPSIDE_DOWN:
        top, bottom = size[1] - bottom, size[1] - top
    if orientation in _LEFT_TO_RIGHT:
        left, right = size[0] - right, size[0] - left
    return left, top, right, bottom


def _captured(exif: Image.Exif) -> str | None:
    """Return the capture time, without what else lies around it: ``Exif.get_ifd`` takes camera makers' notes apart."""
    try:
        place = exif.get(_EXIF_IFD)
        if not isinstance(place, int):
            return None
        shot = TiffImagePlugin.ImageFileDirectory_v2(exif.head)
        exif.fp.seek(place)
        shot.load(exif.fp)
        return _capture_time(shot)
    except Exception:  # noqa: BLE001 - as above
        return None


def _capture_time(shot: Mapping[int, Any]) -> str | None:
    """Return ``DateTimeOriginal`` with ``SubSecTimeOriginal`` and ``OffsetTimeOriginal``, as EXIF 2.31 writes them."""
    moment = _text(shot.get(0x9003))
    if len(moment) != len("2006:12:25 10:11:12") or not any(
        "1" <= digit <= "9" for digit in moment
    ):  # cameras without a clock write zeros
        return None
    fraction = _text(shot.get(0x9291))
    offset = _text(shot.get(0x9011))  # EXIF spells an unknown one with blanks: "   :  "
    return moment + (f".{fraction}" if fraction.isdigit() else "") + (offset if _OFFSET.fullmatch(offset) else "")


def _text(value: object) -> str:
    return value.strip(" \0\t\r\n") if isinstance(value, str) and value.isascii() else ""
