"""One picture file to one :class:`~dupfind.values.Thumbnail`; the only module that lets Pillow decode.

It knows nothing of processes, caches or verdicts. A file is decoded once, as small as its decoder allows, and the
way down to 64 x 64 is the same for every format: to at least 256 pixels inside the decoder for JPEG, to at least 512
by an area average for the others, then one resampling with the exact fractional box. Without that box a scaled
decode, which rounds its size up, shifts the picture and the hashes of two sizes of one photo drift apart.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, NamedTuple

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
    WebPImagePlugin,
    features,
)
from PIL import __version__ as pillow_version

from dupfind.errors import UndecodableError
from dupfind.pictures import (
    borders,
    color_modes,
    container_format,
    containers,
    decode_errors,
    exif,
    formats,
    jpeg,
    jpeg_2000,
    jpeg_stream,
    jxl,
    kinds,
    profiles,
    raw,
    texture,
    trailers,
)
from dupfind.pictures.container_format import Reader
from dupfind.pictures.embedded import Shown
from dupfind.pictures.formats import MOST_BARE_BYTES
from dupfind.pictures.resampling import Box
from dupfind.values import GRAY_ONLY, NEUTRAL_CHROMA, UNMEASURED, Thumbnail

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

RECIPE = 14
"""Version of the way from file to thumbnail. Raise it with every change that can alter a pixel or a fact."""
COLOR_CELL, COLOR_CELL_OF_LARGE, _MOST_FINE_PIXELS = 2, 4, 1 << 21
"""Pixels a side that one value of colour stands for in a comparison at full size, and up to how many pixels the first
holds: a figure of a large picture is larger, and the finer ones take 25 ms more for 12 megapixels."""


class Way(NamedTuple):
    """How a picture is reduced."""

    kernel: Image.Resampling
    in_light: bool = False
    """Whether amounts of light are averaged and not the numbers that stand for them (IEC 61966-2-1)."""
    by_whole: bool = False
    """Whether each pixel is the mean of a whole number of pixels a side, the last ones of what there is."""


KERNELS = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC,
    Image.Resampling.NEAREST,
)
"""What programs reduce pictures with. Browsers and phones take averages (``BOX``), some take every so many pixels."""
WAYS = (
    *(Way(kernel) for kernel in KERNELS),
    *(Way(kernel, in_light=True) for kernel in (Image.Resampling.LANCZOS, Image.Resampling.BOX)),
)
"""The same, and two of light, which take longer."""
_BY_WHOLE = Way(Image.Resampling.BOX, by_whole=True)
"""Asked for where a size was rounded up: by half a pixel, which the others spread over the whole picture."""
_TILE_SIDE, _TILES_ACROSS, _TILES_DOWN = 128, 3, 2
_MOST_LOBES = 3
"""How far Lanczos reaches, in pixels of the smaller picture."""
_REDUCED_MODES = "L", "RGB"
_HEAD_BYTES = 32
_MOST_COPIES = 8
_LOSSLESS_FORMATS = frozenset({"PNG", "BMP", "DIB", "TIFF", "PPM", "GIF", "PSD"})
_LOSSY_PACKINGS = frozenset({"jpeg", "tiff_jpeg", "webp"})
"""Of pages of a TIFF, as Pillow calls them: JPEG, that of the old kind, WebP (which may be without loss)."""


def versions() -> str:
    """Return the versions of everything that can alter a thumbnail, for the cache's key."""
    libjpeg = features.version("libjpeg_turbo") or features.version("jpg")
    plugged_in = f"{jpeg.version()}, heif {pillow_heif.__version__}, jxl {jxl.version()}, raw {raw.version()}"
    return f"pillow {pillow_version}, jpeg {libjpeg}, {plugged_in}"


def read_thumbnail(
    file: IO[bytes],
    name: str,
    max_pixels: int,
    *,
    may_be_coarse: bool = False,
    may_be_bare: MayBeBare | None = None,
    may_be_gray: MayBeBare | None = None,
) -> Thumbnail:
    """Decode the picture in ``file``, positioned at its start.

    ``name`` serves to recognise camera RAW where its content is that of any TIFF. ``max_pixels`` refuses larger
    pictures by their header, before any memory is asked for. ``may_be_coarse`` allows to read no more than the first
    scan of a progressive JPEG, a twentieth of the file, or a JPEG 2000 at a part of its size: enough to find by, and
    no evidence. ``may_be_bare`` allows to take no more than the pixels of a small sound JPEG without a frame, which are
    those of the whole thumbnail, in half the time; ``may_be_gray``, which is asked first, to take pixels that are only
    nearly those, in a third. Raises the errors of :mod:`dupfind.pictures.decode_errors`, and
    nothing else whatever the bytes; a ``TimeoutError`` raised by the caller's alarm passes through.
    """
    with in_plain_words(file):
        return _read(file, name, max_pixels, may_be_coarse, _Less(may_be_bare, may_be_gray))


class FullSize(NamedTuple):
    """A picture as it is compared at full size, upright."""

    gray: NDArray[np.uint8]
    """(height, width); its columns lie in the memory as rows do in others where the file holds it turned."""
    color: NDArray[np.uint8] | None
    """(2, height, width) of Cb and Cr, each side a half, or a quarter; None where the picture has no colour."""
    has_palette: bool
    """Whether the file has 256 colours at most."""
    profile: bytes | None = None
    """What its colours mean, as in :func:`dupfind.pictures.profiles.of_image`."""
    way: Way | None = None
    """How it was resampled, and below by which tiles that was picked; None where it kept its size."""
    tiles: Tiles | None = None
    tones: NDArray[np.int64] | None = None
    """How many pixels have each of 256 tones, by colour and before anything was resampled, as in
    :mod:`dupfind.evidence.steps`."""
    has_full_color: bool = False
    """Whether the file keeps a value of colour for each pixel; False also where that is not known."""
    is_lossless: bool = False
    """Whether the file keeps every pixel as it was; False also where that is not known."""
    palette: bytes | None = None
    """The colours that a picture with a palette shows, RGB, 3 bytes each; None without, or of more than 256."""
    recolored: tuple[NDArray[np.uint8], NDArray[np.uint8] | None] | None = None
    """``gray`` and ``color`` in the palette that was asked for, each pixel in the nearest colour of it."""


class Tiles(NamedTuple):
    """Parts of a picture, upright, resampled in each of several ways."""

    boxes: list[tuple[int, int, int, int]]
    """Left, top, right, bottom of each, in the new size."""
    versions: dict[Way, list[NDArray[np.uint8]]]
    """By way, each tile as (height, width)."""


MayBeBare = Callable[[bytes], bool]
"""Tells of the pixels of a thumbnail whether they are all that will be asked for."""


class _Less(NamedTuple):
    """What may be taken of a small JPEG in place of all that is measured, and of which one."""

    may_be_bare: MayBeBare | None = None
    may_be_gray: MayBeBare | None = None


Pick = Callable[[Tiles], Way]
"""Tells how a picture is to be resampled."""


def read_full_size(
    file: IO[bytes],
    name: str,
    max_pixels: int,
    size: tuple[int, int],
    pick: Pick | None = None,
    palette: bytes | None = None,
) -> FullSize:
    """Decode the picture in ``file`` whole.

    ``size`` is the width and height, upright, that it is resampled to where it has another one, in the way that
    ``pick`` takes by some tiles, or by the kernel of Lanczos. Where it keeps its size it is also shown in ``palette``,
    as of :class:`FullSize`. Otherwise as :func:`read_thumbnail`, but that a damaged
    JPEG is an :class:`UndecodableError`. A JPEG of 12 megapixels takes 0.08 s and 100 MB.
    """
    with in_plain_words(file):
        return _read_full_size(file, name, max_pixels, _Target(size, pick, palette))


def in_plain_words(file: IO[bytes]) -> AbstractContextManager[None]:
    """Raise the errors of :mod:`dupfind.pictures.decode_errors`, and no others, in the block that decodes ``file``."""
    return decode_errors.in_plain_words(partial(_size_pixels, file))


def _size_pixels(file: IO[bytes]) -> int:
    """Return what the header promises; 0 where it cannot be read."""
    with suppress(Exception):  # as many classes as below
        file.seek(0)
        head = file.read(_HEAD_BYTES)
        if jxl.is_jxl(head):
            header = jxl.read_header(file)
            return header.width * header.height
        if size_pixels := math.prod(
            container_format.webp_size(head)
        ):  # Pillow makes its decoder where it opens the file
            return size_pixels
        file.seek(0)
        with Image.open(file, formats=formats.DECODED) as image:
            return image.width * image.height
    return 0


def _read(file: IO[bytes], name: str, max_pixels: int, may_be_coarse: bool, less: _Less) -> Thumbnail:
    Image.MAX_IMAGE_PIXELS = None  # refused below, by our own bound and with our own words
    if raw.is_raw(file, name):
        return _read_raw(file, max_pixels)
    if jxl.is_jxl(file.read(16)):
        return _read_jxl(file, max_pixels)
    file.seek(0)
    with Image.open(file, formats=formats.DECODED) as image:
        width, height = image.size
        refuse_too_large(width, height, max_pixels)
        frames = containers.count_frames(image)
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            look = (may_be_coarse and _look_coarsely(image, file)) or _look_at_jpeg(image, file, less)
        elif may_be_coarse and (reduced := _look_at_reduced(image, file)):
            look = reduced
        else:
            more = containers.more(image, file)
            image.load()
            look = _Look(color_modes.shrink(image), _length_bytes(file), more=more)
        return _thumbnail(look, (width, height), image.format or "", frames, *exif.facts(image))


def refuse_too_large(width: int, height: int, max_pixels: int) -> None:
    """Raise :class:`UndecodableError` for a picture of more pixels."""
    if refusal := formats.too_large(width * height, max_pixels):
        raise UndecodableError(refusal, lasting=False)


@dataclass(frozen=True, slots=True)
class _Look:
    """The planes of a picture as stored, and what its file says; the facts as in a thumbnail."""

    shrunk: color_modes.Shrunk
    data_bytes: int
    quality: int | None = None
    damage: str | None = None
    more: str | None = None
    is_coarse: bool = False
    bare: str | None = None
    """Why nothing can be judged by it, where only pixels were taken; as the damage of the thumbnail."""


def _thumbnail(
    look: _Look, size: tuple[int, int], kind: str, frames: int, orientation: int, captured: str | None
) -> Thumbnail:
    """Make the thumbnail of what was seen; ``size`` is that of the picture as stored, ``kind`` its format."""
    width, height = size[::-1] if exif.is_transposed(orientation) else size
    shrunk = look.shrunk
    if look.bare:
        pixels = exif.upright(shrunk.grey, orientation).tobytes()
        return Thumbnail(pixels, width, height, kind, frames, captured, damage=look.bare, is_coarse=True)
    plane = color_modes.texture_plane(shrunk, orientation)
    return Thumbnail(
        pixels=exif.upright(shrunk.grey, orientation).tobytes(),
        width=width,
        height=height,
        format=kind,
        frames=frames,
        captured=captured,
        chroma=b"".join(exif.upright(plane, orientation).tobytes() for plane in shrunk.colour) or NEUTRAL_CHROMA,
        more=look.more,
        quality=look.quality,
        data_bytes=look.data_bytes,
        damage=look.damage,
        detail=round(texture.detail(plane), 3),
        text=round(texture.text(plane), 4),
        border=borders.find(plane),
        is_coarse=look.is_coarse,
    )


def _look_coarsely(image: JpegImagePlugin.JpegImageFile, file: IO[bytes]) -> _Look | None:
    data = jpeg.read_coarse(file, image, trailers.outline)
    decoded = jpeg.decode_coarse(image, data) if data else None
    if decoded is None:
        return None
    shrunk = color_modes.shrink(decoded.image, decoded.box)
    return _Look(shrunk, _length_bytes(file), jpeg.quality(image), is_coarse=True)


def _look_at_reduced(image: Image.Image, file: IO[bytes]) -> _Look | None:
    """Decode a JPEG 2000 no larger than it has to be; None where it is no such file, or has to be decoded whole."""
    if not isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile) or image.mode not in _REDUCED_MODES:
        return None
    place = file.tell()
    reduced = jpeg_2000.reduced(Reader(file), image.size, color_modes.REDUCED_SIDE)
    try:
        return _reduced(file, reduced) if reduced else None
    except TimeoutError:
        raise
    except OSError:  # a tile that has fewer levels than the header says, or damage, which the whole decode tells
        return None
    finally:
        file.seek(place)


def _reduced(file: IO[bytes], reduced: jpeg_2000.Reduced) -> _Look:
    file.seek(0)
    with Image.open(file, formats=("JPEG2000",)) as image:
        assert isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile)
        image.reduce = reduced.levels
        image.load()
        image.reduce = 0  # or it hides the method of this name
        return _Look(color_modes.shrink(image, reduced.box), _length_bytes(file), is_coarse=True)


def _look_at_jpeg(image: JpegImagePlugin.JpegImageFile, file: IO[bytes], less: _Less) -> _Look:
    data, length_bytes = jpeg.read_bytes(file, image.width * image.height)
    data, stream = trailers.outline(data)
    is_small = length_bytes <= MOST_BARE_BYTES and image.format == "JPEG"
    if is_small and less.may_be_gray:
        gray = jpeg.decode_gray(image, data, stream)
        small = None if gray is None else color_modes.thumbnail_of_gray(*gray)
        if gray is not None and small is not None and not color_modes.may_have_border_in_gray(*gray):
            grey = Image.fromarray(small)
            if less.may_be_gray(exif.upright(grey, exif.orientation_of(image)).tobytes()):
                return _Look(color_modes.Shrunk(grey, (), grey, gray.box, grey), 0, bare=GRAY_ONLY)
    decoded = jpeg.decode(image, data, stream, is_padded=True)
    damage = _damage(decoded, stream)
    shrunk = color_modes.shrink_gray(decoded.image, decoded.box)
    # Damage and frames count for pictures that nothing resembles, too.
    if less.may_be_bare and is_small and damage is None and not color_modes.may_have_border(shrunk):
        upright = exif.upright(shrunk.grey, exif.orientation_of(image))
        if less.may_be_bare(upright.tobytes()):
            return _Look(shrunk, 0, bare=UNMEASURED)
    end = length_bytes if stream.end is None else stream.end
    shown = Shown(decoded.image, decoded.box, *image.size)
    return _Look(
        color_modes.with_color(shrunk),
        max(0, end - stream.scan_start) // (color_modes.INK_FACTOR if image.mode == "CMYK" else 1),
        jpeg.quality(image),
        damage,
        containers.more_in_jpeg(image, file, end, shown, stream.late),
    )


def _damage(decoded: jpeg.Decoded, stream: jpeg_stream.Stream) -> str | None:
    """Return what speaks against the data of a JPEG, in words for the user."""
    if damage := decoded.warning or stream.damage:
        return f"its JPEG data is damaged: {damage}"
    return None if decoded.is_checked else "it is a JPEG of a rare kind, which cannot be checked for damage"


def _read_raw(file: IO[bytes], max_pixels: int) -> Thumbnail:
    """Tell that camera RAW always holds more than what can be seen of it."""
    shot = raw.read(file, max_pixels)
    captured = exif.captured_of_tiff(file)
    damage = None
    if shot.developed is not None:
        shrunk = color_modes.shrink(shot.developed)
    else:
        preview = io.BytesIO(shot.preview or b"")
        with Image.open(preview, formats=("JPEG",)) as image:
            assert isinstance(image, JpegImagePlugin.JpegImageFile)
            captured = captured or exif.facts(image)[1]
            look = _look_at_jpeg(image, preview, _Less())
            shrunk, damage = look.shrunk, look.damage
    size = (shot.height, shot.width) if exif.is_transposed(shot.orientation) else (shot.width, shot.height)
    look = _Look(shrunk, _length_bytes(file), damage=damage, more=kinds.RAW)
    return _thumbnail(look, size, "RAW", 1, shot.orientation, captured)


def _read_jxl(file: IO[bytes], max_pixels: int) -> Thumbnail:
    header = jxl.read_header(file)
    refuse_too_large(header.width, header.height, max_pixels)
    with jxl.open_image(file) as image:
        image.load()
        orientation, captured = exif.facts(image)
        more = containers.more_in_jxl(image, file, is_deep=header.is_deep)
        look = _Look(color_modes.shrink(image), _length_bytes(file), more=more)
        frames = 2 if header.is_animated else 1  # how many is not told, and does not matter
        stored = 1 if jxl.is_stored_upright(image) else orientation
        return _thumbnail(look, image.size, "JXL", frames, stored, captured)


def smaller_copy_of_heif(
    file: IO[bytes], may_be: Callable[[tuple[int, int], tuple[int, int]], bool]
) -> tuple[tuple[int, int], Image.Image | None, bytes]:
    """Return the width and height of a HEIC, its smallest copy within the file, and its EXIF.

    ``may_be`` tells of the sizes of a copy and of the picture whether it is wanted; None where none is. Nothing else
    is decoded. Raises whatever the decoder raises.
    """
    opened = pillow_heif.open_heif(file)
    main = opened[opened.primary_index]
    copies: list[pillow_heif.HeifThumbnail] = []
    with suppress(IndexError):  # how many there are is not told
        copies.extend(map(main.get_thumbnail, range(_MOST_COPIES)))
    fitting = [copy for copy in copies if may_be(copy.size, main.size)]
    smallest = min(fitting, key=lambda copy: copy.size).to_pillow() if fitting else None
    block = main.info.get("exif")
    return main.size, smallest, block if isinstance(block, bytes) else b""


class _Target(NamedTuple):
    """What a picture is resampled to."""

    size: tuple[int, int]
    """Width and height, upright."""
    pick: Pick | None
    palette: bytes | None = None


def _read_full_size(file: IO[bytes], name: str, max_pixels: int, target: _Target) -> FullSize:
    Image.MAX_IMAGE_PIXELS = None  # as above
    if raw.is_raw(file, name):
        shot = raw.read(file, max_pixels)
        if shot.developed is not None:
            return _full_size(shot.developed, target, 1)
        preview = io.BytesIO(shot.preview or b"")
        with Image.open(preview, formats=("JPEG",)) as image:
            return _full_size_of_jpeg(image, preview, target, shot.orientation)
    if jxl.is_jxl(file.read(16)):
        header = jxl.read_header(file)
        refuse_too_large(header.width, header.height, max_pixels)
        with jxl.open_image(file) as image:
            image.load()
            orientation = 1 if jxl.is_stored_upright(image) else exif.orientation_of(image)
            return _full_size(image, target, orientation, profile=profiles.of_image(image, file))
    file.seek(0)
    with Image.open(file, formats=formats.DECODED) as image:
        refuse_too_large(*image.size, max_pixels)
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            return _full_size_of_jpeg(image, file, target, exif.orientation_of(image))
        has_palette = image.mode == "P"
        image.load()
        profile = profiles.of_image(image, file)
        read = _full_size(image, target, exif.orientation_of(image), has_palette=has_palette, profile=profile)
        is_lossless = image.format in _LOSSLESS_FORMATS and image.info.get("compression") not in _LOSSY_PACKINGS
        return read._replace(has_full_color=is_lossless, is_lossless=is_lossless)


def _full_size_of_jpeg(
    image: JpegImagePlugin.JpegImageFile | Image.Image, file: IO[bytes], target: _Target, orientation: int
) -> FullSize:
    """Return ``image``, which was opened from ``file``."""
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    data, _ = jpeg.read_bytes(file, image.width * image.height)
    data, stream = trailers.outline(data)
    decoded = jpeg.decode(image, data, stream, working_side=max(image.size), is_padded=True, is_passing=True)
    if damage := _damage(decoded, stream):
        raise UndecodableError(damage)
    sampling = {(across, down) for _, across, down, _ in image.layer}
    profile = profiles.of_image(image, file)
    read = _full_size(decoded.image, target, orientation, profile=profile)
    return read._replace(has_full_color=len(sampling) == 1)


def _full_size(
    image: Image.Image,
    target: _Target,
    orientation: int,
    *,
    has_palette: bool = False,
    profile: bytes | None = None,
) -> FullSize:
    """Return ``image`` upright, as ``target`` says.

    Gray is made of RGB in every format: the luma of a JPEG has what strong colours lose on the way to RGB, and its PNG
    has not.
    """
    stored = target.size[::-1] if exif.is_transposed(orientation) else target.size
    working = color_modes.to_working_mode(image)
    tones = color_modes.tones(working)
    luma = color_modes.luma_of(working)
    tiles, way = None, Way(Image.Resampling.LANCZOS)
    if target.pick is not None and luma.size != stored:
        tiles = _tiles(luma, target.size, orientation)
        way = target.pick(tiles)
    if way.in_light:
        working = color_modes.reduced_in_light(working, stored, way.kernel)
        luma = color_modes.luma_of(working)
    elif factor := way.by_whole and _whole_factor(luma.size, stored):
        luma = luma.reduce(factor)
    gray = exif.upright_array(color_modes.gray(luma, stored, way.kernel), orientation)
    if way.kernel is Image.Resampling.NEAREST:  # whose colours are not those of averages
        working = working.resize(stored, way.kernel)
    cell = COLOR_CELL if math.prod(stored) <= _MOST_FINE_PIXELS else COLOR_CELL_OF_LARGE
    color = _color(working, stored, cell, orientation)
    read = FullSize(gray, color, has_palette, profile, None if tiles is None else way, tiles, tones)
    if has_palette:
        return read._replace(palette=color_modes.palette_of(working))
    if target.palette is None or luma.size != stored:
        return read
    few = color_modes.in_palette(working, target.palette)
    few_gray = exif.upright_array(color_modes.gray(color_modes.luma_of(few), stored, way.kernel), orientation)
    return read._replace(recolored=(few_gray, _color(few, stored, cell, orientation)))


def _color(working: Image.Image, stored: tuple[int, int], cell: int, orientation: int) -> NDArray[np.uint8] | None:
    planes = color_modes.color(working, stored, cell)
    return np.stack([exif.upright_array(plane, orientation) for plane in planes]) if planes else None


def _tiles(luma: Image.Image, size: tuple[int, int], orientation: int) -> Tiles:
    """Resample parts of ``luma``, as stored, to what they are in an upright picture of this ``size``."""
    boxes = list(_tile_boxes(*size))
    stored = size[::-1] if exif.is_transposed(orientation) else size
    across, down = luma.width / stored[0], luma.height / stored[1]
    versions: dict[Way, list[NDArray[np.uint8]]] = {way: [] for way in WAYS}
    # Which pixel the nearest one is depends on rounding, and a part of the picture rounds otherwise.
    wholes = {Way(Image.Resampling.NEAREST): color_modes.gray(luma, stored, Image.Resampling.NEAREST)}
    if factor := _whole_factor(luma.size, stored):
        wholes[_BY_WHOLE] = color_modes.gray(luma.reduce(factor), stored, Image.Resampling.BOX)
        versions[_BY_WHOLE] = []
    for box in boxes:
        left, top, right, bottom = exif.stored_box(box, stored, orientation)
        part, source = _around(luma, (left * across, top * down, right * across, bottom * down))
        for way, tiles in versions.items():
            size_of_tile = right - left, bottom - top
            if way in wholes:
                tile = wholes[way].crop((left, top, right, bottom))
            elif way.in_light:
                tile = color_modes.reduced_in_light(part, size_of_tile, way.kernel, source)
            else:
                tile = color_modes.gray(part, size_of_tile, way.kernel, source)
            tiles.append(exif.upright_array(tile, orientation))
    return Tiles(boxes, versions)


def _whole_factor(size: tuple[int, int], smaller: tuple[int, int]) -> int | None:
    """Return how many pixels a side make one of the ``smaller`` size, where that was rounded up; None otherwise."""
    factor = round(size[0] / smaller[0])
    rounded_up = tuple(-(-side // factor) for side in size) if factor > 1 else None
    return factor if smaller == rounded_up and size != (smaller[0] * factor, smaller[1] * factor) else None


def _around(luma: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """Cut ``box`` and what the widest kernel takes beside it out of ``luma``; gives the part and the box in it."""
    left, top, right, bottom = box
    margin = _MOST_LOBES * max(1.0, (right - left) / _TILE_SIDE, (bottom - top) / _TILE_SIDE) + 1
    first = max(0, int(left - margin)), max(0, int(top - margin))
    end = min(luma.width, math.ceil(right + margin)), min(luma.height, math.ceil(bottom + margin))
    if (*first, *end) == (0, 0, *luma.size):
        return luma, box
    return luma.crop((*first, *end)), (left - first[0], top - first[1], right - first[0], bottom - first[1])


def _tile_boxes(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Spread tiles over a picture of this size; one that is small is one tile."""
    if width * height <= _TILES_ACROSS * _TILES_DOWN * _TILE_SIDE**2:
        yield 0, 0, width, height
        return
    wide, high = min(_TILE_SIDE, width), min(_TILE_SIDE, height)
    for row in range(_TILES_DOWN):
        for column in range(_TILES_ACROSS):
            left = (width - wide) * (2 * column + 1) // (2 * _TILES_ACROSS)
            top = (height - high) * (2 * row + 1) // (2 * _TILES_DOWN)
            yield left, top, left + wide, top + high


def _length_bytes(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)
