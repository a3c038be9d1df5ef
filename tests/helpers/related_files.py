"""Files of every kind that have to do with each other: copies in all sizes and shapes, and what is none."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image, ImageOps

from dupfind.pictures.jpeg_stream import END
from fixtures import pictures
from tests.helpers.archives import zipped
from tests.helpers.sidecar_contents import xmp

SIZE = (96, 72)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """The picture as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 88, **options})
    return out.getvalue()


def hurt(data: bytes) -> bytes:
    """Zeros in the place of some bytes, as a bad sector leaves them."""
    start = len(data) * 3 // 10
    return data[:start] + bytes(200) + data[start + 200 :]


@cache
def contents() -> dict[str, bytes]:
    """Files of every kind that have to do with each other: copies in all sizes and shapes, and what is none."""
    made: dict[str, bytes] = {"text": b"words", "text of that size": b"sword", "empty": b"", "sidecar": xmp()}
    for seed in range(1, 4):
        picture = pictures.photo(seed, SIZE)
        made |= {
            f"{seed} large": jpeg(pictures.photo(seed, (480, 360)), quality=92),
            f"{seed}": jpeg(picture),
            f"{seed} again": jpeg(picture, quality=60),
            f"{seed} at noon": jpeg(picture, quality=86, exif=pictures.exif(1, "2006:12:25 12:00:00")),
            f"{seed} later": jpeg(picture, quality=87, exif=pictures.exif(1, "2006:12:25 12:00:09")),
            f"{seed} later, again": jpeg(picture, quality=50, exif=pictures.exif(1, "2006:12:25 12:00:09")),
            f"{seed} by another clock": jpeg(picture, quality=86, exif=pictures.exif(1, "2009:01:05 15:31:10")),
            f"{seed} turned": jpeg(picture.transpose(Image.Transpose.ROTATE_90)),
            f"{seed} small": jpeg(picture.resize((93, 70)), quality=50),
            f"{seed} small turned": jpeg(picture.transpose(Image.Transpose.ROTATE_90).resize((70, 93)), quality=50),
            f"{seed} beneath another": jpeg(Image.blend(picture, pictures.photo(seed % 3 + 1, SIZE), 0.2)),
            f"{seed} framed": jpeg(ImageOps.expand(picture, 9, "white")),
            f"{seed} framed otherwise": jpeg(ImageOps.expand(picture, 14, "black")),
            f"{seed} lighter": jpeg(picture.point(lambda value: min(255, int(value * 1.15)))),
            f"{seed} patched": jpeg(pictures.with_patch(picture, seed, 0.05)),
            f"{seed} progressive": jpeg(pictures.photo(seed, (640, 520)), progressive=True),
            f"{seed} framed, progressive": jpeg(
                ImageOps.expand(pictures.photo(seed, (640, 520)), 60), progressive=True
            ),
            f"{seed} cut": jpeg(pictures.photo(seed, (640, 520)), progressive=True)[:-1500] + END,
            f"{seed} damaged": hurt(jpeg(pictures.photo(seed, (480, 360)))),
        }
    made["no picture"] = b"\xff\xd8\xff\xe0 no picture"
    made["gray"] = jpeg(Image.new("RGB", SIZE, "gray"))
    made["archive"] = zipped({"a.jpg": made["1"], "b/c.txt": b"words", "b/d.jpg": made["2 again"]})
    made["film"] = b"\0\0\0\x18ftypqt  " + bytes(400)
    return made


ENDINGS = {"text": "txt", "text of that size": "txt", "sidecar": "jpg.xmp", "archive": "zip", "film": "mov"}
"""Of files that are called like no picture."""
