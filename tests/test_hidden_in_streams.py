"""Data between the parts of what pixels are packed in, in what decoders pass over, and beyond what a page shows."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

import pillow_heif
import pytest
from PIL import Image

from dupfind.pictures import hidden_data, jpeg_stream
from tests.helpers.image_data import photo
from tests.helpers.stamped import digest, saved

pillow_heif.register_heif_opener()

HIDDEN = random.Random(7).randbytes(6000).replace(b"\0\0", b"\1\1")  # noqa: S311 - no secret
MANY = 10**8
SIZE = (96, 80)
BYTES_OF_KIND = {3: 2, 4: 4}


def hides(content: bytes) -> bool:
    """What is told of a file."""
    return hidden_data.hides_data(io.BytesIO(content), MANY)


def shown(content: bytes) -> bytes:
    """The pixels of a file."""
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


def tiff_of(strips: list[bytes], *more: tuple[int, int, int, int], packing: int = 8, rows: int = 80) -> bytes:
    """A TIFF of these strips, and of more entries: tag, kind, count and value."""
    body, places = bytearray(b"II*\0\0\0\0\0"), []
    for strip in strips:
        places.append(len(body))
        body += strip
    width, height = SIZE
    tags = {256: [width], 257: [height], 258: [8] * 3, 259: [packing], 262: [2], 277: [3], 278: [rows]}
    tags |= {273: places, 279: [len(strip) for strip in strips]}
    entries = list(more)
    for tag, values in tags.items():
        entries.append((tag, 4, len(values), values[0] if len(values) == 1 else len(body)))
        body += b"" if len(values) == 1 else struct.pack(f"<{len(values)}I", *values)
    struct.pack_into("<I", body, 4, len(body))
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return bytes(body) + struct.pack("<H", len(entries)) + directory + bytes(4)


def rows_of(image: Image.Image) -> list[bytes]:
    """Each row of a picture, not packed."""
    width = 3 * image.width
    return [image.tobytes()[start : start + width] for start in range(0, width * image.height, width)]


UNKNOWN_KIND, OUTSIDE = (65000, 99, 1000, 8), (65001, 7, 1000, 0x7FFFFFFF)


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("entry", [UNKNOWN_KIND, OUTSIDE], ids=["a kind that is not known", "a place outside"])
@pytest.mark.parametrize("packing", [1, 8], ids=["not packed", "Deflate"])
def test_a_tiff_with_a_broken_tag(entry: tuple[int, int, int, int], packing: int) -> None:
    """Decoders pass over the tag, and so does the look behind the strip."""
    pixels = photo(1, SIZE).tobytes()
    strip = pixels if packing == 1 else zlib.compress(pixels)
    plain, hiding = (tiff_of([strip + more], entry, packing=packing) for more in (b"", HIDDEN))
    assert shown(plain) == shown(hiding)
    assert not hides(plain)
    assert hides(hiding)


def test_a_tiff_whose_pages_cannot_be_followed() -> None:
    """It may hold anything."""
    assert hides(b"II*\0\xff\xff\xff\xff")


def test_strips_and_tiles_that_a_tiff_does_not_show() -> None:
    """Another picture, soundly packed, behind the strips or tiles that make up the page."""
    strip, other = (zlib.compress(photo(seed, SIZE).tobytes()) for seed in (1, 2))
    assert not hides(tiff_of([strip]))
    assert hides(tiff_of([strip, other]))
    assert digest(tiff_of([strip, other])) is None
    tiled = saved(photo(1, (160, 128)), "TIFF", compression="tiff_adobe_deflate", tile=(64, 64))
    assert not hides(tiled)


def test_a_tiff_of_planes() -> None:
    """Each plane has strips of its own, which are all shown."""
    planes = [zlib.compress(band.tobytes()) for band in photo(1, SIZE).split()]
    assert not hides(tiff_of(planes, (284, 3, 1, 2)))


def test_behind_each_of_many_strips() -> None:
    """Little behind each of eighty strips is much."""
    rows = [zlib.compress(row) for row in rows_of(photo(1, SIZE))]
    plain = tiff_of(rows, rows=1)
    hiding = tiff_of([row + HIDDEN[:200] for row in rows], rows=1)
    assert shown(plain) == shown(hiding)
    assert not hides(plain)
    assert hides(hiding)


def steps(content: bytes) -> bytes:
    """Tables of steps that no component takes."""
    tables = b"".join(b"\3" + bytes(byte or 1 for byte in content[at : at + 64]) for at in range(0, 5952, 64))
    return b"\xff\xdb" + struct.pack(">H", len(tables) + 2) + tables


def codes(content: bytes) -> bytes:
    """Tables of Huffman's codes, of which each replaces the one before."""
    tables = b"".join(b"\x10" + bytes(15) + b"\xc8" + content[at : at + 200] for at in range(0, 6000, 200))
    return b"\xff\xc4" + struct.pack(">H", len(tables) + 2) + tables


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("tables", [steps(HIDDEN), codes(HIDDEN)], ids=["steps", "codes"])
def test_tables_that_no_scan_takes(tables: bytes, *, progressive: bool) -> None:
    """Replaced before a scan takes them, or never taken."""
    plain = saved(photo(), "JPEG", quality=90, progressive=progressive)
    place = plain.index(b"\xff\xdb")
    hiding = plain[:place] + tables + plain[place:]
    assert shown(plain) == shown(hiding)
    assert jpeg_stream.unused_bytes(plain) == 0
    assert jpeg_stream.unused_bytes(hiding) > len(HIDDEN) * 0.9
    assert hides(hiding)
    assert not hides(plain)
    never_taken = plain[:place] + b"\xff\xdb\0\x43\3" + b"\1" * 64 + plain[place:]
    assert jpeg_stream.unused_bytes(never_taken) == 65


def test_conditioning_that_no_scan_takes() -> None:
    """Of arithmetic coding, in a file that has none."""
    plain = saved(photo(), "JPEG")
    pairs = b"".join(bytes([at % 4, byte & 0x7F]) for at, byte in enumerate(HIDDEN))
    place = plain.index(b"\xff\xdb")
    assert hides(plain[:place] + b"\xff\xcc" + struct.pack(">H", len(pairs) + 2) + pairs + plain[place:])


def vp8(webp: bytes, change: Callable[[bytes, int], bytes]) -> bytes:
    """A WebP whose frame went through ``change``, which takes the length of the first partition as well."""
    length = struct.unpack("<I", webp[16:20])[0]
    frame = webp[20 : 20 + length]
    changed = change(frame, int.from_bytes(frame[:3], "little") >> 5)
    body = b"WEBPVP8 " + struct.pack("<I", len(changed)) + changed + bytes(len(changed) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def behind_first(frame: bytes, first: int) -> bytes:
    """Behind the first partition, which is said to be longer."""
    tag = int.from_bytes(frame[:3], "little") + (len(HIDDEN) << 5)
    return tag.to_bytes(3, "little") + frame[3 : 10 + first] + HIDDEN + frame[10 + first :]


def test_between_the_partitions_of_a_webp() -> None:
    """The first one holds how each block is made, and may be longer than that."""
    plain = saved(photo(3, (400, 300)), "WEBP", quality=90)
    hiding = vp8(plain, behind_first)
    assert shown(plain) == shown(hiding)
    assert vp8(plain, lambda frame, _: frame) == plain
    assert not hides(plain)
    assert hides(hiding)


def in_item(still: bytes, more: bytes, *, is_first: bool = False) -> bytes:
    """A still of one item, which ends the file, with more within its item."""
    place = still.rindex(b"mdat") - 4
    length = len(still) - place - 8
    at = still.rindex(struct.pack(">I", length), 0, place)
    head = still[:at] + struct.pack(">I", length + len(more)) + still[at + 4 : place]
    item = more + still[place + 8 :] if is_first else still[place + 8 :] + more
    return head + struct.pack(">I", len(item) + 8) + b"mdat" + item


def unit_of_hevc(kind: int, content: bytes = HIDDEN, layer: int = 0) -> bytes:
    """A unit, behind its length."""
    unit = bytes([kind << 1, layer << 3 | 1]) + b"\x04" + content + b"\x80"
    return struct.pack(">I", len(unit)) + unit


def unit_of_av1(kind: int, content: bytes = HIDDEN) -> bytes:
    """A unit that says how long it is."""
    length = len(content) + 2
    return bytes([kind << 3 | 2, length & 127 | 128, length >> 7]) + b"\x04" + content + b"\x80"


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("kind", [38, 39, 45, 50], ids=["filling", "words", "reserved", "free"])
def test_units_of_a_heic(kind: int, *, is_first: bool) -> None:
    """The decoder passes over them; short ones and repeated ones are settings of an encoder."""
    plain = saved(photo(), "HEIF", quality=80)
    hiding = in_item(plain, unit_of_hevc(kind), is_first=is_first)
    assert shown(plain) == shown(hiding)
    assert not hides(plain)
    assert hides(hiding)
    assert not hides(in_item(plain, unit_of_hevc(kind, HIDDEN[:900]) * 9, is_first=is_first))


def test_another_picture_in_an_item() -> None:
    """A second one, and one of another layer, in the item of the first; and a unit that does not end."""
    plain = saved(photo(), "HEIF", quality=80)
    first = unit_of_hevc(20, b"\xff" + HIDDEN).replace(b"\x04\xff", b"\x84\xff", 1)
    assert hides(in_item(plain, first * 2))
    assert hides(in_item(plain, unit_of_hevc(20, layer=1)))
    assert not hides(in_item(plain, unit_of_hevc(20)))
    assert hides(in_item(plain, struct.pack(">I", 1 << 20) + HIDDEN))
    still = saved(photo(), "AVIF", quality=80)
    assert hides(in_item(still, unit_of_av1(6) * 2))
    assert hides(in_item(still, (unit_of_av1(3, b"") + unit_of_av1(4)) * 2))


@pytest.mark.parametrize("kind", [5, 9, 15], ids=["words", "reserved", "filling"])
def test_units_of_an_avif(kind: int) -> None:
    """The decoder passes over them."""
    plain = saved(photo(), "AVIF", quality=80)
    hiding = in_item(plain, unit_of_av1(kind))
    assert shown(plain) == shown(hiding)
    assert not hides(plain)
    assert hides(hiding)
    assert not hides(in_item(plain, unit_of_av1(kind, HIDDEN[:900])))
