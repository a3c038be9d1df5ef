"""Which formats are decoded and which names promise a picture. Data and pure functions; opens nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from operator import itemgetter

DECODED = (
    "JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "DIB", "JPEG2000", "PSD", "PPM",
)  # fmt: skip
"""Pillow's names of the formats that are opened; everything else is refused unseen. MPO is opened as JPEG.

The list keeps out what starts another program (EPS runs Ghostscript), what has no signature and so takes any bytes
for a picture (TGA), and what is no picture (PDF, HDF5, video).
"""

MOST_BARE_BYTES = 1 << 18
"""Length up to which a JPEG may be bare. What is measured beside the pixels takes 2 ms of a core at every size, and a
second decode, where something rests on the file, 2.5 ms at this length and 19 for 12 megapixels."""

RAW_SUFFIXES = frozenset(
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .k25 .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw "
    ".rw2 .rwl .sr2 .srf .srw .x3f".split()
)
"""Camera RAW; most of them are TIFF by their first bytes."""

_RAW_BEGINNINGS = (
    b"II*\0\x10\0\0\0CR", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM",
    b"II\x1a\0\0\0HEAPCCDR",
)  # fmt: skip
_CR3_BRAND = b"ftypcrx "
_PLAIN_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"8BPS")

IMAGE_SUFFIXES = RAW_SUFFIXES | frozenset(
    ".apng .avif .avifs .bmp .dib .gif .heic .heics .heif .hif .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx "
    ".jxl .mpo .pbm .pcx .pgm .png .pnm .ppm .psb .psd .tga .tif .tiff .webp .xcf".split()
)
"""Suffixes of names that promise a picture, in lower case."""
PREVIEW_SUFFIXES = frozenset(".heic .heif .hif .jfif .jpe .jpeg .jpg .mpo".split())
"""Suffixes of pictures that may carry a small one, in lower case."""
FILM_SUFFIXES = frozenset(".3g2 .3gp .avi .insv .lrv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .webm .wmv".split())
"""Suffixes of films, in lower case."""
SOUND_SUFFIXES = frozenset(".aac .aif .aiff .flac .m4a .m4b .mka .mp3 .oga .ogg .opus .wav .wma".split())
"""Suffixes of sounds, in lower case."""
_FILM_AND_SOUND_SUFFIXES = FILM_SUFFIXES | SOUND_SUFFIXES
_IMAGE_ENDINGS = frozenset(one[1:] for one in IMAGE_SUFFIXES)
_NO_STEM = ("", os.sep)
_USUAL_ENDINGS = frozenset(form for one in IMAGE_SUFFIXES if len(one) == len(".jpg") for form in (one, one.upper()))
_TAIL = itemgetter(slice(-len("x.jpg"), None))
_known_tails: dict[str, bool] = {}
"""What names promise that end in these letters: one, and a suffix of three."""
_MOST_TAILS = 4096


def suffix(path: str) -> str:
    """Return the last suffix of ``path`` in lower case, with its dot; empty where there is none.

    >>> suffix("/a/IMG_0001.JPG"), suffix("/a.b/.hidden")
    ('.jpg', '')
    """
    stem, dot, last = path.rpartition(os.sep)[2].rpartition(".")
    return dot + last.lower() if stem else ""


def too_large(size_pixels: int, max_pixels: int) -> str | None:
    """Tell why a picture of this many pixels is refused; None when it is not."""
    return f"{size_pixels:,} pixels are more than --max-pixels allows" if size_pixels > max_pixels else None


def is_image_name(path: str) -> bool:
    """Return true when the name alone promises a picture: :func:`suffix` is one of theirs, asked in half the time."""
    if path[-4:] in _USUAL_ENDINGS:  # as nearly all are written
        return path[-5:-4] not in _NO_STEM
    stem, _, last = path.rpartition(".")
    return last.lower() in _IMAGE_ENDINGS and stem[-1:] not in _NO_STEM


def are_image_names(paths: Sequence[str]) -> list[bool]:
    """Return :func:`is_image_name` of each path, in a quarter of the time: names by the hundred thousand end alike."""
    tails = list(map(_TAIL, paths))
    known = list(map(_known_tails.get, tails))
    if None not in known:
        return known  # type: ignore[return-value]  # as it says
    return [
        _is_image_name_with(tail, path) if is_image is None else is_image
        for tail, path, is_image in zip(tails, paths, known, strict=True)
    ]


def _is_image_name_with(tail: str, path: str) -> bool:
    """Answer for ``path``, which ends in ``tail``, and remember it where the tail alone decides."""
    is_image = is_image_name(path)
    # What stands before the suffix, and all of the suffix, are there.
    if tail[1:].rfind(".") == 0 and len(_known_tails) < _MOST_TAILS:
        _known_tails[tail] = is_image
    return is_image


def is_film_name(path: str) -> bool:
    """Return true when the name alone promises a film or a sound."""
    return suffix(path) in _FILM_AND_SOUND_SUFFIXES


def is_raw_name(path: str) -> bool:
    """Return true when the name is that of a camera RAW file."""
    return suffix(path) in RAW_SUFFIXES


def is_raw_content(head: bytes) -> bool:
    """Return true when no file but camera RAW begins so; ``head`` is at least 16 bytes."""
    return head.startswith(_RAW_BEGINNINGS) or head[4:12] == _CR3_BRAND


def is_plain_content(head: bytes) -> bool:
    """Return true when a file that begins so is a common picture, whatever its name says."""
    return head.startswith(_PLAIN_BEGINNINGS)
