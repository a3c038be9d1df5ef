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
import warnings
from typing import IO, NamedTuple

import pillow_heif
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

from dupfind import exif, formats, jpeg, jpeg_stream, modes, texture
from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.values import NEUTRAL_CHROMA, Thumbnail

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

RECIPE = 2
"""Version of the way from file to thumbnail. Raise it with every change that can alter a pixel or a fact."""

_MOTION_PHOTO_WORDS = (b"MotionPhoto", b"MicroVideo")
_TRAILER_BYTES = 4096
_TIFF_NEW_SUBFILE_TYPE = 254
_TIFF_DNG_VERSION = 50706


def versions() -> str:
    """The versions of everything that can alter a thumbnail, for the cache's key."""
    libjpeg = features.version("libjpeg_turbo") or features.version("jpg")
    return f"pillow {pillow_version}, jpeg {libjpeg}, {jpeg.version()}, heif {pillow_heif.__version__}"


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
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            shrunk, file_facts = _read_jpeg(image, file)
        else:
            image.load()
            shrunk, file_facts = modes.shrink(image), _FileFacts(None, _length(file), None, _has_layers(image))
        orientation, captured = exif.facts(image)
        if exif.is_transposed(orientation):
            width, height = height, width
        plane = modes.texture_plane(shrunk)
        return Thumbnail(
            pixels=exif.upright(shrunk.grey, orientation).tobytes(),
            width=width,
            height=height,
            format=image.format or "",
            frames=frames,
            captured=captured,
            chroma=b"".join(exif.upright(plane, orientation).tobytes() for plane in shrunk.colour) or NEUTRAL_CHROMA,
            has_more=file_facts.has_more,
            quality=file_facts.quality,
            data_bytes=file_facts.data_bytes,
            damage=file_facts.damage,
            detail=round(texture.detail(plane), 3),
            text=round(texture.text(plane), 4),
        )


class _FileFacts(NamedTuple):
    """What a file says of itself besides its picture, as in :class:`~dupfind.values.Thumbnail`."""

    quality: int | None
    data_bytes: int
    damage: str | None
    has_more: bool


def _read_jpeg(image: JpegImagePlugin.JpegImageFile, file: IO[bytes]) -> tuple[modes.Shrunk, _FileFacts]:
    quality = jpeg.quality(image)
    data, length_bytes = jpeg.read_bytes(file, image.width * image.height)
    stream = jpeg_stream.inspect(data)
    decoded = jpeg.decode(image, data, stream)
    damage = decoded.warning or stream.damage
    end = length_bytes if stream.end is None else stream.end
    facts = _FileFacts(
        quality=quality,
        data_bytes=max(0, end - stream.scan_start),
        damage=f"its JPEG data is damaged: {damage}" if damage else None,
        has_more=_has_video(image, data[end:], length_bytes - end),
    )
    return modes.shrink(decoded.image, decoded.box), facts


def _refuse_raw(image: Image.Image) -> None:
    """Refuse camera RAW under another name: a TIFF whose first directory is a preview or that says it is DNG."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        if _TIFF_DNG_VERSION in tags or int(tags.get(_TIFF_NEW_SUBFILE_TYPE, 0)) & 1:
            raise UndecodableError("camera RAW: compared by bytes only")


def _frame_count(image: Image.Image) -> int:
    """Frames that are pictures of their own; an MPO's are previews of the first, a PSD's are layers."""
    return 1 if image.format in ("JPEG", "MPO", "PSD") else int(getattr(image, "n_frames", 1))


def _length(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _has_layers(image: Image.Image) -> bool:
    return image.format == "PSD" and int(getattr(image, "n_frames", 1)) > 1


def _has_video(image: Image.Image, trailer: bytes, trailer_bytes: int) -> bool:
    """Whether a video lies behind the picture.

    Google's motion photos say so in XMP; others are told by what follows the end of the JPEG. Small trailers, which
    some phones write behind every photo, and padding do not count.
    """
    if any(word in image.info.get("xmp", b"") for word in _MOTION_PHOTO_WORDS):
        return True
    if image.format == "MPO":
        return False  # more pictures follow the first by design, and they are previews of it
    return trailer_bytes > _TRAILER_BYTES and bool(trailer.strip(b"\0"))
