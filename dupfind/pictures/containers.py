"""Whether a file holds more than the picture that is compared: a video, layers, another view, finer samples.

Such a needle is proved by its bytes only. Knows the outlines of the containers that Pillow opens, and decodes nothing:
headers and small parts are read where they lie. Broken structures never raise: in doubt there is more. Every loop over
a file's parts is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, Literal

from PIL import Image, JpegImagePlugin, MpoImagePlugin, TiffImagePlugin

from dupfind.pictures import parts
from dupfind.pictures.parts import BEHIND, Part, Reader

SMALL_BYTES = 4096
"""What some phones and programs write behind every picture is no more than this."""

_MOST_ENTRIES = 64
_ZERO_BLOCK_BYTES, _MOST_ZERO_BLOCKS = 1 << 16, 256
_EIGHT_BITS, _MOST_OF_EIGHT_BITS = 8, 255

_WORDS = (
    b"MotionPhoto", b"MicroVideo", b"ns.google.com/photos/1.0/image/", b"ns.google.com/photos/1.0/audio/",
    b"ns.google.com/photos/1.0/depthmap/", b"GImage:", b"GAudio:", b"GDepth:",
)  # fmt: skip
"""Of XMP: Google's motion photos, and pictures, sound and depth that lie within XMP itself. What GCamera's gain maps
say is not among them. With their colons, the last three cannot be found in the base64 of another."""
_LONGEST_WORD = max(map(len, _WORDS))

_MPO_ENTRIES = 0xB002
_MPO_OTHER_VIEW, _MPO_PREVIEW = "Multi-Frame Image", "Large Thumbnail"
"""The other eye, another angle, a part of a panorama; and previews. Gain maps are of no kind, and small."""

_BITS_PER_SAMPLE, _SUB_IFDS, _PHOTOSHOP_LAYERS = 258, 330, 37724
_BIG_TIFF = 43

_PNG_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND acTL bKGD caBX CgBI cHRM cICP cLLI dSIG eXIf fcTL fdAT gAMA gIFg gIFt gIFx hIST iCCP iDOT "
    b"iTXt mDCV oFFs orNT pCAL pHYs sBIT sCAL sPLT sRGB sTER tEXt tIME tRNS vpAg zTXt caNv".split()
)
"""Those of the specification and its extensions, of Apple, of ImageMagick, and the Content Credentials: each a part of
the picture or words about it."""
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})
_HEIF_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"free", b"skip"})
_REPEATABLE = frozenset({b"mdat", b"free", b"skip"})
_MOVIES = frozenset({b"moov", b"mpvd"})
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:avc:2015:auxid:1")


def holds_more(image: Image.Image, file: IO[bytes]) -> bool:
    """Whether ``file``, opened as ``image`` and not yet loaded, holds what a copy of its picture would lose.

    For all that Pillow opens but JPEG. The position of ``file`` is left as it was. Raises what reading raises.
    """
    place = file.tell()
    look = _LOOKS.get(image.format or "", _look_at_nothing)
    try:
        return is_deep(image.mode) or _has_words(image.info.get("xmp")) or look(image, file)
    except (AttributeError, LookupError, TypeError, ValueError):  # what Pillow made of broken tags
        return True
    finally:
        file.seek(place)


def jpeg_holds_more(image: JpegImagePlugin.JpegImageFile, file: IO[bytes], end: int) -> bool:
    """The same for a JPEG or MPO, whose first picture ends at byte ``end`` of ``file``."""
    reader = Reader(file)
    if _has_words(image.info.get("xmp")) or _has_words_in_segments(reader) or parts.jpeg_has_heat(reader):
        return True
    pictures = [Part(b"", 0, end)]
    if isinstance(image, MpoImagePlugin.MpoImageFile):
        entries = (image.mpinfo or {}).get(_MPO_ENTRIES, ())
        base = parts.mpo_base(reader)
        if len(entries) > _MOST_ENTRIES or any(not _is_preview(entry, reader, base, image.width) for entry in entries):
            return True
        pictures += [_place_of(entry, base) for entry in entries[1:]]
    return _are_content(reader, _between(pictures, reader.length))


def is_deep(mode: str) -> bool:
    """Whether Pillow's ``mode`` has more than 8 bits a sample, of which an 8-bit copy keeps but some tones."""
    return mode.startswith("I") or mode == "F"


def _has_words(xmp: object) -> bool:
    content = xmp.encode(errors="replace") if isinstance(xmp, str) else xmp
    return isinstance(content, bytes) and any(word in content for word in _WORDS)


def _has_words_in_segments(reader: Reader) -> bool:
    """Whether the XMP of a JPEG, which may be cut into many segments, has one of the words."""
    tail = b""
    for content in parts.jpeg_xmp(reader):
        if _has_words(tail + content):
            return True
        tail = content[-_LONGEST_WORD:]
    return False


def _is_preview(entry: dict[str, Any], reader: Reader, base: int, width: int) -> bool:
    """Whether a picture of an MPO's index is the first, or a preview or gain map of it."""
    kind = str(entry["Attribute"]["MPType"])
    if kind.startswith(_MPO_OTHER_VIEW):
        return False
    if not entry["DataOffset"] or kind.startswith(_MPO_PREVIEW):
        return True
    return 0 < 2 * parts.jpeg_width(reader, base + entry["DataOffset"]) <= width


def _place_of(entry: dict[str, Any], base: int) -> Part:
    start = base + entry["DataOffset"]
    return Part(b"", start, start + entry["Size"])


def _between(known: Iterable[Part], length: int) -> list[Part]:
    """What no part covers of a file of this length."""
    found, place = [], 0
    for part in sorted(known, key=lambda part: part.start):
        if part.start > place:
            found.append(Part(BEHIND, place, min(part.start, length)))
        place = max(place, part.stop)
    if place < length:
        found.append(Part(BEHIND, place, length))
    return found


def _are_content(reader: Reader, found: Iterable[Part]) -> bool:
    """Whether these parts are more than a small trailer, and not padding."""
    found = list(found)
    if sum(part.stop - part.start for part in found) <= SMALL_BYTES:
        return False
    blocks = 0
    for part in found:
        for place in range(part.start, part.stop, _ZERO_BLOCK_BYTES):
            blocks += 1
            if blocks > _MOST_ZERO_BLOCKS:
                return True
            if reader.at(place, min(_ZERO_BLOCK_BYTES, part.stop - place)).strip(b"\0"):
                return True
    return False


def _look_at_nothing(_image: Image.Image, _file: IO[bytes]) -> bool:
    """For formats that hold nothing else."""
    return False


def _look_at_psd(_image: Image.Image, file: IO[bytes]) -> bool:
    """Any layer, also one alone: a flattened picture has none."""
    reader = Reader(file)
    place = 26
    for _ in range(2):  # the colour table, the resources
        place += 4 + reader.number(place, 4)
    if place + 4 > reader.length:
        return True
    return bool(reader.number(place, 4) and reader.number(place + 4, 4) and reader.number(place + 8, 2))


def _look_at_tiff(image: Image.Image, file: IO[bytes]) -> bool:
    """Photoshop's layers, further pictures below the page that are not marked as reduced, more than 8 bits."""
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    bits = tags.get(_BITS_PER_SAMPLE, ())
    if max(bits if isinstance(bits, tuple) else (bits,), default=1) > _EIGHT_BITS or _PHOTOSHOP_LAYERS in tags:
        return True
    if _SUB_IFDS not in tags:
        return False
    reader = Reader(file)
    order: Literal["big", "little"] = "little" if reader.at(0, 2) == b"II" else "big"
    places = tags[_SUB_IFDS]
    places = places if isinstance(places, tuple) else (places,)
    is_readable = len(places) <= _MOST_ENTRIES and int.from_bytes(reader.at(2, 2), order) != _BIG_TIFF
    return not (is_readable and all(parts.is_reduced_ifd(reader, int(place), order) for place in places))


def _look_at_png(_image: Image.Image, file: IO[bytes]) -> bool:
    """Unknown chunks, as Fireworks keeps its layers in, or something behind the end; more than 8 bits."""
    reader = Reader(file)
    depth = reader.number(24, 1)
    return depth > _EIGHT_BITS or _has_unknown(reader, parts.png_chunks(reader), _PNG_CHUNKS)


def _look_at_webp(_image: Image.Image, file: IO[bytes]) -> bool:
    reader = Reader(file)
    return _has_unknown(reader, parts.riff_chunks(reader), _WEBP_CHUNKS)


def _look_at_gif(image: Image.Image, file: IO[bytes]) -> bool:
    """What is behind the end; of an animation the frames say enough."""
    reader = Reader(file)
    if int(getattr(image, "n_frames", 1)) > 1:
        return False
    return _are_content(reader, [Part(BEHIND, parts.gif_end(reader), reader.length)])


def _look_at_bmp(image: Image.Image, file: IO[bytes]) -> bool:
    reader = Reader(file)
    return _are_content(reader, [Part(BEHIND, parts.bmp_end(reader, image), reader.length)])


def _look_at_heif(image: Image.Image, file: IO[bytes]) -> bool:
    """Movies, unknown boxes, a second file behind the first, depth maps and other auxiliary pictures but transparency.

    A sequence that Pillow counts the frames of has a movie box of its own.
    """
    reader = Reader(file)
    seen: set[bytes] = set()
    unknown = []
    for box in parts.boxes(reader, 0, reader.length):
        is_own = box.kind == b"moov" and int(getattr(image, "n_frames", 1)) > 1
        if box.kind in seen - _REPEATABLE or (box.kind in _MOVIES and not is_own):
            return True
        if box.kind in _HEIF_BOXES or is_own:
            seen.add(box.kind)
        else:
            unknown.append(box)
    return _are_content(reader, unknown) or any(not kind.startswith(_ALPHA) for kind in parts.heif_auxiliaries(reader))


def _look_at_ppm(image: Image.Image, _file: IO[bytes]) -> bool:
    """More than 8 bits, which Pillow tells its decoder as the largest value."""
    arguments = getattr(image, "tile", [(None, None, None, ())])[0][3]
    most = arguments[-1] if isinstance(arguments, tuple) and arguments else 0
    return isinstance(most, int) and most > _MOST_OF_EIGHT_BITS


def _look_at_jpeg_2000(_image: Image.Image, file: IO[bytes]) -> bool:
    return parts.jpeg_2000_bits(Reader(file)) > _EIGHT_BITS


def _has_unknown(reader: Reader, found: Iterable[Part], known: frozenset[bytes]) -> bool:
    return _are_content(reader, (part for part in found if part.kind not in known))


_LOOKS = {
    "PSD": _look_at_psd,
    "TIFF": _look_at_tiff,
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
