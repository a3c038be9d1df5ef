"""What a file holds more than the picture that is compared: a video, layers, another view, finer samples.

Such a needle is proved by its bytes only. Knows the outlines of the containers that Pillow opens: headers and small
parts are read where they lie, and only pictures within a JPEG are decoded, to tell a preview from another picture.
Broken structures never raise: in doubt there is more. Every loop over a file's parts is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO

from PIL import Image, JpegImagePlugin, MpoImagePlugin, TiffImagePlugin

from dupfind.pictures import (
    container_format,
    embedded,
    exif_extent,
    heif_data,
    kinds,
    png_texts,
    segments,
    tiff,
    trailers,
)
from dupfind.pictures.container_format import BEHIND, Part, Reader
from dupfind.pictures.embedded import Shown

_MOST_ENTRIES = 64
_MOST_WORDS_BYTES = 1 << 24
_EXIF_SEGMENT = b"Exif\0"
_EIGHT_BITS, _MOST_OF_EIGHT_BITS = 8, 255

_MPO_ENTRIES = 0xB002
_MPO_KINDS = (
    ("Multi-Frame Image (Panorama", "a part of a panorama"),
    ("Multi-Frame Image: (Disparity", "another view (stereo)"),
    ("Multi-Frame Image", "another view"),
    ("Large Thumbnail", trailers.PREVIEW),
)

_PNG_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND acTL bKGD CgBI cHRM cICP cLLI dSIG eXIf fcTL fdAT gAMA gIFg gIFt gIFx hIST iCCP iDOT "
    b"mDCV oFFs orNT pCAL pHYs sBIT sCAL sPLT sRGB sTER tIME tRNS vpAg caNv prVW".split()
)
"""Those of the specification and its extensions, of Apple, of ImageMagick: each a part of the picture or words about
it; and a preview by Fireworks."""
_FIREWORKS, _DRAWING_OF_FIREWORKS = frozenset({b"mkBF", b"mkBS", b"mkBT", b"mkTS"}), "a drawing (Fireworks)"
_GIF_XMP = b"XMP DataXMP"
_GIF_EXTENSIONS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0", _GIF_XMP, b"ICCRGBG1012", b"MGK8BIM0000", b"MGKIPTC0000"})
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})
_CREDENTIALS = frozenset({b"caBX", b"C2PA"})
_HEIF_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"free", b"skip"})
_REPEATABLE = frozenset({b"mdat", b"free", b"skip"})
_MOVIES = frozenset({b"moov", b"mpvd"})
_XMP_IDENTITY, _CREDENTIALS_IDENTITY, *_OTHER_IDENTITIES = map(
    bytes.fromhex,
    (
        "be7acfcb97a942e89c71999491e3afac",
        "d8fec3d61b0e483c92975828877ec481",
        "4a706754696666457869662d3e4a5032",
        "0537cdab9d0c4431a72afa561f2a113e",
        "33c7a4d2b81d4723a0baf1a3e097ad38",
        "b14bf8bd083d4b43a5ae8cd7d5a6ce03",
    ),
)
_EXIF_IDENTITIES = frozenset(_OTHER_IDENTITIES[:2])
_DESCRIPTIVE_IDENTITIES = frozenset({_XMP_IDENTITY, *_OTHER_IDENTITIES})
"""Of boxes that are named by a UUID (ExifTool's Jpeg2000.pm): XMP, Exif twice, IPTC, the place on a map."""
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:avc:2015:auxid:1")
_JXL_BOXES = frozenset(b"JXL |ftyp|jxll|jxlc|jxlp|jxli|jbrd|brob|Exif|xml |jhgm".split(b"|"))
_JPEG_2000_BOXES = frozenset(b"jP  |ftyp|jp2h|jp2c|jp2i|xml |rreq|uinf|free|res |jpch|jplh|asoc|lbl ".split(b"|"))


def more(image: Image.Image, file: IO[bytes]) -> str | None:
    """Return what ``file``, opened as ``image`` and not yet loaded, holds that a copy of its picture would lose.

    None where there is nothing. For all that Pillow opens but JPEG. The position of ``file`` is left as it was. Raises
    what reading raises.
    """
    place = file.tell()
    look = _LOOKS.get(image.format or "", _look_at_nothing)
    try:
        held = [kinds.DEEP] if is_deep(image.mode) else []
        return kinds.joined([*held, *_of_words(image), *look(image, file)])
    except (AttributeError, LookupError, TypeError, ValueError):  # what Pillow made of broken tags
        return kinds.UNCLEAR
    finally:
        file.seek(place)


def more_in_jpeg(
    image: JpegImagePlugin.JpegImageFile,
    file: IO[bytes],
    end: int,
    shown: Shown,
    late: Iterable[tuple[str, bytes]] = (),
) -> str | None:
    """Return the same for a JPEG or MPO, whose first picture ends at byte ``end`` of ``file`` and was decoded.

    ``late`` are the segments behind its first scan, where Pillow lists none.
    """
    applist = [*image.applist, *late]
    reader = Reader(file)
    has_trailer = end < reader.length
    describe = partial(trailers.of_bytes, shown=shown)
    held = segments.kinds_of(applist, describe, has_trailer=has_trailer)
    exif = [payload for name, payload in applist if name == "APP1" and payload.startswith(_EXIF_SEGMENT)]
    for block in exif_extent.joined(exif):
        held += exif_extent.kinds_of(block)
    if has_trailer:
        said = kinds.of_semantics(embedded.xmp_of(applist))
        held += trailers.of_trailer(reader, end, shown, _indexed(image, reader), said)
    return kinds.joined(held)


def more_in_jxl(image: Image.Image, file: IO[bytes], *, is_deep: bool) -> str | None:
    """Return the same for JPEG XL, opened as ``image``, whose header says whether it has more than 8 bits a sample."""
    reader = Reader(file)
    held = [kinds.DEEP] if is_deep else []
    if reader.at(4, 4) == b"JXL ":
        boxes = list(container_format.boxes(reader, 0, reader.length))
        held += [kinds.GAIN_MAP for box in boxes if box.kind == b"jhgm"]
        held += _of_unknown(reader, boxes, _JXL_BOXES)
        held += _of_words(image)
        packed = [reader.at(box.start + 8, 4) for box in boxes if box.kind == b"brob" and _may_hold_more(reader, box)]
        if len(set(packed)) < len(packed) or not all(_is_unpacked(image, kind) for kind in packed):
            held.append(kinds.UNCLEAR)
        for box in boxes:
            if box.kind == b"Exif":
                block = container_format.box_payload(reader, box)
                held += exif_extent.kinds_of(block[4 + int.from_bytes(block[:4], "big") :])
            elif box.kind == b"xml ":
                held += kinds.of_xmp(container_format.box_payload(reader, box))
    return kinds.joined(held)


def is_deep(mode: str) -> bool:
    """Tell whether Pillow's ``mode`` has more than 8 bits a sample, of which an 8-bit copy keeps but some tones."""
    return mode.startswith("I") or mode == "F"


def count_frames(image: Image.Image) -> int:
    """Return how many frames or pages are pictures of their own; an MPO's are previews or views, a PSD's are layers."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return tiff.count_pages(image)
    return 1 if image.format in ("JPEG", "MPO", "PSD") else int(getattr(image, "n_frames", 1))


def _of_words(image: Image.Image) -> Iterator[str]:
    """Look at the XMP and Exif that Pillow gives; of what stands behind the pixels it may know nothing yet."""
    xmp, exif = image.info.get("xmp"), image.info.get("exif")
    content = xmp.encode(errors="replace") if isinstance(xmp, str) else xmp
    if isinstance(content, bytes):
        yield from kinds.of_xmp(content)
    if isinstance(exif, bytes) and image.format != "TIFF":  # there it is made anew, with offsets of the file
        yield from exif_extent.kinds_of(exif)


def _may_hold_more(reader: Reader, box: Part) -> bool:
    """Tell whether a packed box is more than small notes; a few words of XMP say that there is more."""
    return reader.at(box.start + 8, 4) == b"xml " or box.stop - box.start > kinds.SMALL_BYTES


def _is_unpacked(image: Image.Image, kind: bytes) -> bool:
    """Tell whether the decoder of JPEG XL gives what a packed box of this kind holds."""
    return (kind == b"Exif" and "exif" in image.info) or (kind == b"xml " and "xmp" in image.info)


def _indexed(image: JpegImagePlugin.JpegImageFile, reader: Reader) -> dict[int, str]:
    """Return the kinds that an MPO's index gives to its further pictures, by where each begins."""
    if not isinstance(image, MpoImagePlugin.MpoImageFile):
        return {}
    base = container_format.mpo_base(reader)
    kinds_by_place = {}
    for entry in (image.mpinfo or {}).get(_MPO_ENTRIES, ())[1:_MOST_ENTRIES]:
        name = str(entry["Attribute"]["MPType"])
        kind = next((kind for start, kind in _MPO_KINDS if name.startswith(start)), None)
        if kind is not None:
            kinds_by_place[base + entry["DataOffset"]] = kind
    return kinds_by_place


def _look_at_nothing(_image: Image.Image, _file: IO[bytes]) -> Iterator[str]:
    """Yield nothing, for formats that hold nothing else."""
    return iter(())


def _look_at_psd(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of any layer, also one alone: a flattened picture has none; and channels beyond those that are shown."""
    reader = Reader(file)
    place = 26
    for _ in range(2):  # the colour table, the resources
        place += 4 + reader.number(place, 4)
    if place + 4 > reader.length:
        yield kinds.UNCLEAR
    elif reader.number(place, 4) and reader.number(place + 4, 4) and reader.number(place + 8, 2):
        yield kinds.LAYERS
    if reader.number(12, 2) > len(image.getbands()):
        yield kinds.CHANNELS


def _look_at_png(_image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of unknown chunks, texts that are drawings or data, something behind the end; more than 8 bits."""
    reader = Reader(file)
    if reader.number(24, 1) > _EIGHT_BITS:
        yield kinds.DEEP
    texts, chunks = [], []
    for chunk in container_format.png_chunks(reader):
        if chunk.kind in png_texts.CHUNKS:
            texts.append(chunk)
        elif chunk.kind == b"eXIf":
            yield from exif_extent.kinds_of(container_format.png_payload(reader, chunk)[:_MOST_WORDS_BYTES])
        elif chunk.kind in _FIREWORKS:
            yield _DRAWING_OF_FIREWORKS
        else:
            chunks.append(chunk)
    yield from png_texts.kinds_of(reader, texts)
    yield from _of_unknown(reader, chunks, _PNG_CHUNKS)


def _look_at_webp(_image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of unknown chunks, and what every chunk of words holds: the decoder gives the first of each kind only."""
    reader = Reader(file)
    chunks = list(container_format.riff_chunks(reader))
    for chunk in chunks:
        if chunk.kind == b"XMP ":
            yield from kinds.of_xmp(container_format.riff_payload(reader, chunk))
        elif chunk.kind == b"EXIF":
            yield from exif_extent.kinds_of(container_format.riff_payload(reader, chunk))
    yield from _of_unknown(reader, chunks, _WEBP_CHUNKS)


def _look_at_gif(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of extensions of unknown programs, and what is behind the end; of an animation the frames say enough."""
    reader = Reader(file)
    if int(getattr(image, "n_frames", 1)) > 1:
        return
    parts = list(container_format.gif_parts(reader))
    for part in parts:
        if part.kind == _GIF_XMP:
            yield from kinds.of_xmp(reader.at(part.start, part.stop - part.start))
    yield from _of_unknown(reader, map(_readable, parts), _GIF_EXTENSIONS)


def _readable(extension: Part) -> Part:
    """Return an extension of a GIF under a name that can be read, which its own need not be."""
    if extension.kind == BEHIND or extension.kind in _GIF_EXTENSIONS:
        return extension
    return extension._replace(kind=b"C2PA" if extension.kind.startswith(b"C2PA") else b"extension")


def _look_at_bmp(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    reader = Reader(file)
    return _of_unknown(reader, [Part(BEHIND, container_format.bmp_end(reader, image), reader.length)])


def _look_at_heif(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of movies, unknown boxes, a second file, auxiliary pictures but transparency; more than 8 bits, which
    Pillow drops.

    A sequence that Pillow counts the frames of has a movie box of its own.
    """
    reader = Reader(file)
    if container_format.heif_bits(reader) > _EIGHT_BITS:
        yield kinds.DEEP
    seen: set[bytes] = set()
    unknown = []
    for box in container_format.boxes(reader, 0, reader.length):
        is_own = box.kind == b"moov" and int(getattr(image, "n_frames", 1)) > 1
        if box.kind in _MOVIES and not is_own:
            yield kinds.VIDEO
        elif box.kind == b"ftyp" and seen:  # a second file, to the end
            yield kinds.of_start(reader.at(box.start, 16)) or kinds.UNCLEAR
            break
        elif box.kind in seen - _REPEATABLE:
            yield kinds.UNCLEAR
        elif box.kind in _HEIF_BOXES or is_own:
            seen.add(box.kind)
        else:
            unknown.append(box)
    yield from _of_unknown(reader, unknown)
    yield from _of_items(file)
    if container_format.heif_has_item(reader, b"tmap"):
        yield kinds.GAIN_MAP
    for urn in container_format.heif_auxiliaries(reader):
        if not urn.startswith(_ALPHA):
            yield kinds.of_auxiliary(urn) or "an auxiliary picture"


def _of_items(file: IO[bytes]) -> Iterator[str]:
    """Look at all XMP and Exif of HEIF, of which Pillow may give the first alone."""
    for is_xmp, content in heif_data.words(file):
        yield from kinds.of_xmp(content) if is_xmp else exif_extent.kinds_of(content)


def _look_at_ppm(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Tell of more than 8 bits, which Pillow tells its decoder as the largest value;
    a second picture behind the first.
    """
    codec, _, start, arguments = getattr(image, "tile", [("", None, 0, ())])[0]
    most = arguments[-1] if isinstance(arguments, tuple) and arguments else 0
    if isinstance(most, int) and most > _MOST_OF_EIGHT_BITS:
        yield kinds.DEEP
    elif codec == "raw" and image.mode in ("L", "RGB"):
        reader = Reader(file)
        end = start + image.width * image.height * len(image.getbands())
        yield from _of_unknown(reader, [Part(BEHIND, min(end, reader.length), reader.length)])


def _look_at_jpeg_2000(_image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    reader = Reader(file)
    if container_format.jpeg_2000_bits(reader) > _EIGHT_BITS:
        yield kinds.DEEP
    if reader.at(4, 4) == b"jP  ":
        boxes = list(container_format.boxes(reader, 0, reader.length))
        for box in boxes:
            if box.kind == b"xml ":
                yield from kinds.of_xmp(container_format.box_payload(reader, box))
        yield from _of_unknown(reader, boxes, _JPEG_2000_BOXES)


def _of_unknown(reader: Reader, candidates: Iterable[Part], named: frozenset[bytes] = frozenset()) -> Iterator[str]:
    """Yield what the parts are that are not ``named``, if together they are more than small notes or slack.

    From a part without a readable name on, the file is followed by what lies there.
    """
    size_bytes = 0
    names = []
    for part in candidates:
        if part.kind in named or part.stop <= part.start:
            continue
        if not part.kind.strip(b" ").isalnum():
            yield from trailers.of_trailer(reader, part.start, None, {}, [])
            break
        identity = reader.at(part.start + 8, 16) if part.kind == b"uuid" else b""
        if identity == _XMP_IDENTITY:
            yield from kinds.of_xmp(reader.at(part.start, part.stop - part.start))
        elif identity in _EXIF_IDENTITIES:
            yield from exif_extent.kinds_of(reader.at(part.start + 24, part.stop - part.start - 24))
        if identity in _DESCRIPTIVE_IDENTITIES:
            continue
        kind = kinds.CREDENTIALS if identity == _CREDENTIALS_IDENTITY else _of_name(reader, part)
        if kind is not None and part.stop - part.start > kinds.SMALL_BYTES:
            yield kind
        elif kind is None and (written_bytes := trailers.written_bytes(reader, part.start, part.stop)):
            size_bytes += written_bytes
            names.append(part.kind.decode("ascii"))
    if size_bytes > kinds.SMALL_BYTES:
        yield kinds.unknown(f"({', '.join(dict.fromkeys(names))})", size_bytes)


def _of_name(reader: Reader, part: Part) -> str | None:
    """Return the kind of a part by its name; None where that does not tell."""
    if part.kind in _CREDENTIALS:
        return kinds.CREDENTIALS
    if part.kind == b"jumb":
        return kinds.CREDENTIALS if b"c2pa" in reader.at(part.start, 64) else kinds.JUMBF
    return None


_LOOKS: dict[str, Callable[[Image.Image, IO[bytes]], Iterator[str]]] = {
    "PSD": _look_at_psd,
    "TIFF": tiff.kinds_of,
    "PNG": _look_at_png,
    "WEBP": _look_at_webp,
    "GIF": _look_at_gif,
    "BMP": _look_at_bmp,
    "DIB": _look_at_bmp,
    "HEIF": _look_at_heif,
    "AVIF": _look_at_heif,
    "PPM": _look_at_ppm,
    "JPEG2000": _look_at_jpeg_2000,
}
