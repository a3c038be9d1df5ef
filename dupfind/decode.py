"""One picture file to one :class:`~dupfind.values.Thumbnail`; the only module that lets Pillow decode.

It knows nothing of processes, caches or verdicts. A file is decoded once, as small as its decoder allows, and the
way down to 64 x 64 is the same for every format: an area average to at least 256 pixels (done by libjpeg inside
the decoder for JPEG, by ``Image.reduce`` for the others), then one resampling with the exact fractional box. Without
that box a scaled decode, which rounds its size up, shifts the picture and the hashes of two sizes of one photo drift
apart.
"""

from __future__ import annotations

import errno
import os
import re
import warnings
from typing import IO, Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    features,
)
from PIL import __version__ as pillow_version

from dupfind import formats
from dupfind.values import CHROMA_SIDE, NEUTRAL_CHROMA, THUMBNAIL_SIDE, Thumbnail

# Pillow registers a format when its module is imported; naming them here keeps `Image.init()`, which imports all
# of its sixty modules, out of every worker.
_PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    PsdImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
pillow_heif.register_heif_opener(thumbnails=False)

RECIPE = 1
"""Version of the way from file to thumbnail. Raise it with every change that can alter a pixel or a fact."""

_WORKING_SIDE = 4 * THUMBNAIL_SIDE
_BACKGROUND = (128, 128, 128)
_EXIF_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_MOTION_PHOTO_WORDS = (b"MotionPhoto", b"MicroVideo")
_JPEG_END = b"\xff\xd9"
_JPEG_TAIL_BYTES = 64
_TRAILER_BYTES = 4096
_FIRST_TRANSPOSED = 5  # EXIF orientations from here on exchange width and height
_TIFF_NEW_SUBFILE_TYPE = 254
_TIFF_DNG_VERSION = 50706
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


class NotAPictureError(Exception):
    """The content is no picture in a format that we decode."""


class UndecodableError(Exception):
    """A picture by content that gave no thumbnail; the text says why, in words for the user.

    ``lasting`` is False where other settings or more memory may help.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.lasting = lasting


def versions() -> str:
    """The versions of everything that can alter a thumbnail, for the cache's key."""
    jpeg = features.version("libjpeg_turbo") or features.version("jpg")
    return f"pillow {pillow_version}, jpeg {jpeg}, heif {pillow_heif.__version__}"


def read_thumbnail(file: IO[bytes], name: str, max_pixels: int) -> Thumbnail:
    """Decode the picture in ``file``, positioned at its start.

    ``name`` serves to recognise camera RAW. ``max_pixels`` refuses larger pictures by their header, before any
    memory is asked for. Raises :class:`NotAPictureError` or :class:`UndecodableError`, and nothing
    else whatever the bytes; a ``TimeoutError`` raised by the caller's alarm passes through.
    """
    if formats.is_raw_name(name):
        raise UndecodableError("camera RAW: compared by bytes only")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(file, max_pixels)
    except (NotAPictureError, UndecodableError, TimeoutError):
        raise
    except UnidentifiedImageError:
        raise NotAPictureError("not a picture in a known format") from None
    except MemoryError:
        raise UndecodableError("not enough memory to decode it", lasting=False) from None
    except OSError as error:
        # With an error number it is the disk that failed; a seek to where no file goes is the fault of the content.
        raise UndecodableError(_one_line(error), lasting=error.errno in (None, errno.EINVAL)) from None
    except Exception as error:  # noqa: BLE001 - Pillow raises nearly every class there is on hostile files
        raise UndecodableError(_one_line(error)) from None


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()).partition(" (")[0]  # Pillow adds "(15 bytes not processed)"
    return f"cannot be decoded: {text or type(error).__name__}"


def _read(file: IO[bytes], max_pixels: int) -> Thumbnail:
    Image.MAX_IMAGE_PIXELS = None  # refused below, by our own bound and with our own words
    with Image.open(file, formats=formats.DECODED) as image:
        width, height = image.size
        if refusal := formats.too_large(width * height, max_pixels):
            raise UndecodableError(refusal, lasting=False)
        _refuse_raw(image)
        frames = _frame_count(image)
        planes = _shrink(image)
        orientation, captured = _exif_facts(image)
        upright = _UPRIGHT.get(orientation)
        if upright is not None:
            planes = [plane.transpose(upright) for plane in planes]
            if orientation >= _FIRST_TRANSPOSED:
                width, height = height, width
        grey, *colour = planes
        chroma = b"".join(plane.tobytes() for plane in colour) or NEUTRAL_CHROMA
        has_more = _holds_more(image, file)
        return Thumbnail(grey.tobytes(), width, height, image.format or "", frames, captured, chroma, has_more)


def _refuse_raw(image: Image.Image) -> None:
    """Refuse camera RAW under another name: a TIFF whose first directory is a preview or that says it is DNG."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        if _TIFF_DNG_VERSION in tags or int(tags.get(_TIFF_NEW_SUBFILE_TYPE, 0)) & 1:
            raise UndecodableError("camera RAW: compared by bytes only")


def _frame_count(image: Image.Image) -> int:
    """Frames that are pictures of their own; an MPO's are previews of the first, a PSD's are layers."""
    return 1 if image.format in ("JPEG", "MPO", "PSD") else int(getattr(image, "n_frames", 1))


def _holds_more(image: Image.Image, file: IO[bytes]) -> bool:
    """Whether the file holds what a copy of its picture would lose: layers, or a video behind the picture.

    Google's motion photos say so in XMP; others are told by what follows the end of the JPEG. Small trailers, which
    some phones write behind every photo, do not count.
    """
    if image.format == "PSD":
        return int(getattr(image, "n_frames", 1)) > 1
    if image.format not in ("JPEG", "MPO"):
        return False
    if any(word in image.info.get("xmp", b"") for word in _MOTION_PHOTO_WORDS):
        return True
    if image.format == "MPO":
        return False  # more pictures follow the first by design, and they are previews of it
    file.seek(max(0, file.seek(0, os.SEEK_END) - _JPEG_TAIL_BYTES))
    if file.read().rstrip(b"\0\r\n ").endswith(_JPEG_END):
        return False  # the usual file, of which nothing more is read
    file.seek(0)
    data = file.read()
    end = data.find(_JPEG_END, _scan_start(data))
    return end >= 0 and len(data) - end > _TRAILER_BYTES


def _scan_start(jpeg: bytes) -> int:
    """Where the compressed picture begins, past the segments of the header and the thumbnail in one of them."""
    place = 2
    while jpeg[place : place + 1] == b"\xff" and jpeg[place + 1 : place + 2] != b"\xda" and place < len(jpeg) - 4:
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    return place


def _exif_facts(image: Image.Image) -> tuple[int, str | None]:
    """EXIF orientation and capture time, to be asked after the decode.

    The TIFF and HEIF decoders turn the picture themselves and then drop the tag. An EXIF block that cannot be read
    costs these facts and not the picture.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(_EXIF_ORIENTATION, 1)
        shot = exif.get_ifd(_EXIF_IFD)
    except Exception:  # noqa: BLE001 - as many classes as in Image.open
        return 1, None
    return orientation if isinstance(orientation, int) else 1, _capture_time(shot)


def _capture_time(shot: dict[int, Any]) -> str | None:
    """``DateTimeOriginal`` with ``SubSecTimeOriginal`` and ``OffsetTimeOriginal``, as EXIF 2.31 writes them."""
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


def _shrink(image: Image.Image) -> list[Image.Image]:
    """The picture as stored: 64 x 64 of luma, then 8 x 8 of Cb and of Cr where it has colour.

    Colour costs a twentieth of the decode and tells a colour photo from its black-and-white copy.
    """
    box: tuple[float, float, float, float] | None = None
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        drafted = image.draft("YCbCr", (_WORKING_SIDE, _WORKING_SIDE))
        box = drafted[1] if drafted else None
    image.load()
    working = _to_working_mode(image)
    width, height = working.size
    factors = max(1, width // _WORKING_SIDE), max(1, height // _WORKING_SIDE)
    if factors != (1, 1):
        left, top, right, bottom = box or (0, 0, width, height)
        working = working.reduce(factors)
        box = (left / factors[0], top / factors[1], right / factors[0], bottom / factors[1])
    luma, *chroma = (working.convert("YCbCr") if working.mode == "RGB" else working).split()
    small = luma.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, box=box)
    colour = [plane.resize((CHROMA_SIDE, CHROMA_SIDE), Image.Resampling.BOX, box=box) for plane in chroma]
    return [_to_eight_bits(small) if small.mode == "F" else small, *colour]


def _to_working_mode(image: Image.Image) -> Image.Image:
    """The picture in ``L``, ``YCbCr`` or ``RGB``, or in ``F`` where its values do not fit into 8 bits.

    ``convert("L")`` alone clips 16-bit and float pictures to white, drops alpha and so gives one grey to different
    pictures.
    """
    mode = image.mode
    if mode in ("L", "RGB", "YCbCr") and "transparency" not in image.info:
        return image
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_to_unit_range(np.asarray(image)))
    if mode == "LAB":
        return image.getchannel(0)
    if mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        return _composite(image.convert("RGBA"))
    return image.convert("L" if mode == "1" else "RGB")


def _to_unit_range(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values of any number type to 0 to 1, by the number of bits that they use.

    A fixed scale and not the range of the picture: the 8-bit copy of a 16-bit photo has to get the same grey levels.
    """
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    for bits in (1, 8, 10, 12, 14, 16):
        if low >= 0 and high <= 2**bits - 1:
            return finite / np.float32(2**bits - 1)
    return (finite - np.float32(low)) / np.float32((high - low) or 1.0)


def _to_eight_bits(small: Image.Image) -> Image.Image:
    return Image.fromarray(np.rint(np.asarray(small) * 255).clip(0, 255).astype(np.uint8))


def _composite(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha over mid-grey, on which both black and white drawings stay visible."""
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    background = Image.new("RGBA", image.size, (*_BACKGROUND, 255))
    return Image.alpha_composite(background, image).convert("RGB")
