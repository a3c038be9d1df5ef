"""Count of the facts in the metadata of picture files: EXIF, GPS, IPTC, XMP. Nothing is decoded.

Runs in workers. What cannot be read holds none: the number only breaks ties.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import IO

from PIL import Image

from dupfind.pictures import decode, formats
from dupfind.pool.tasks import opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import FileEntry

_BLOCKS = (0x8769, 0x8825, 0xA005)
"""EXIF's own block, GPS, interoperability."""
_OTHERS = frozenset({"xmp", "XML:com.adobe.xmp", "photoshop", "icc_profile", "comment"})
"""Under what names Pillow keeps what is no EXIF; each counts as one fact."""


def count_tags(entries: Sequence[FileEntry], timeout_seconds: float) -> list[int]:
    """Return for each file the number of facts in its metadata."""
    assert decode.RECIPE  # whose import makes Pillow know HEIC
    Image.MAX_IMAGE_PIXELS = None  # nothing is decoded, whatever its size
    counts = []
    with TimeLimit(timeout_seconds) as limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in entries:
            try:
                with limit.each(), opened(entry, "metadata") as file:
                    counts.append(_count(file))
            except Exception:  # noqa: BLE001 - Pillow raises nearly every class there is on hostile files
                counts.append(0)
    return counts


def _count(file: IO[bytes]) -> int:
    with Image.open(file, formats=formats.DECODED) as image:
        exif = image.getexif()
        return len(exif) + sum(len(exif.get_ifd(block)) for block in _BLOCKS) + len(image.info.keys() & _OTHERS)
