"""Data that no decoder shows in a TIFF of any packing, a BigTIFF, a BMP of runs, a JPEG 2000 and a JPEG XL."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from dupfind.pictures import hidden_data, jxl, tiff
from tests.helpers.image_data import photo
from tests.helpers.stamped import saved

HIDDEN = random.Random(3).randbytes(6000)  # noqa: S311 - no secret
MANY = 10**8
PLACES, LENGTHS = 273, 279


def hides(content: bytes) -> bool:
    """What is told of a file."""
    return hidden_data.hides_data(io.BytesIO(content), MANY)


def shown(content: bytes) -> bytes:
    """The pixels of a file."""
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


def page(height: int = 400) -> Image.Image:
    """A page of which the lower half is empty."""
    whole = Image.new("1", (300, height), 1)
    whole.paste(photo(4, (300, 200)).convert("1"))
    return whole


def as_big(content: bytes) -> bytes:
    """The same TIFF as a BigTIFF: Pillow writes none that is packed."""
    place = int.from_bytes(content[4:8], "little")
    more, sizes = 8, {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    entries = tiff.listing(content, place, "little").entries
    body = b"II+\0" + struct.pack("<HHQ", 8, 0, len(content) + more) + content[8:]
    directory, outside = struct.pack("<Q", len(entries)), b""
    behind_directory = len(body) + 8 + 20 * len(entries) + 8
    for tag, kind, start, stop in entries:
        value, size = content[start:stop], sizes[kind]
        if tag == PLACES:
            numbers = (int.from_bytes(value[at : at + size], "little") + more for at in range(0, len(value), size))
            kind, value, size = 16, b"".join(struct.pack("<Q", number) for number in numbers), 8  # noqa: PLW2901
        directory += struct.pack("<HHQ", tag, kind, len(value) // size)
        if len(value) <= 8:
            directory += value.ljust(8, b"\0")
        else:
            directory += struct.pack("<Q", behind_directory + len(outside))
            outside += value
    return body + directory + bytes(8) + outside


def with_last_strip(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The last strip of a TIFF or BigTIFF is another one, at the end of the file."""
    place = int.from_bytes(content[8:16] if tiff.is_big(content) else content[4:8], "little")
    entries = {entry.tag: entry for entry in tiff.listing(content, place, "little").entries}
    size = {3: 2, 4: 4, 16: 8}
    grown = bytearray(content)
    last = {tag: (entries[tag].stop - size[entries[tag].kind], entries[tag].stop) for tag in (PLACES, LENGTHS)}
    start, length = (int.from_bytes(content[slice(*last[tag])], "little") for tag in (PLACES, LENGTHS))
    strip = change(content[start : start + length])
    grown += bytes(len(grown) % 2)
    for tag, value in ((PLACES, len(grown)), (LENGTHS, len(strip))):
        grown[slice(*last[tag])] = value.to_bytes(last[tag][1] - last[tag][0], "little")
    return bytes(grown + strip)


def behind(strip: bytes) -> bytes:
    """Data behind what the pixels are made of."""
    return strip + HIDDEN


def in_a_comment(strip: bytes) -> bytes:
    """A segment with them, at the head of a JPEG."""
    return strip[:2] + b"\xff\xfe" + struct.pack(">H", len(HIDDEN) + 2) + HIDDEN + strip[2:]


PACKED = {
    "JPEG": (lambda: saved(photo(), "TIFF", compression="jpeg", quality=90), behind),
    "JPEG, a comment": (lambda: saved(photo(), "TIFF", compression="jpeg"), in_a_comment),
    "JPEG, gray": (lambda: saved(photo().convert("L"), "TIFF", compression="jpeg"), behind),
    "fax of group 3": (lambda: saved(page(), "TIFF", compression="group3"), behind),
    "fax of group 4": (lambda: saved(page(), "TIFF", compression="group4"), behind),
    "fax, rows alone": (lambda: saved(page(), "TIFF", compression="tiff_ccitt"), behind),
    "Zstandard": (lambda: saved(photo(), "TIFF", compression="zstd"), behind),
    "LZMA": (lambda: saved(photo(), "TIFF", compression="lzma"), behind),
    "LZW": (lambda: saved(photo(), "TIFF", compression="tiff_lzw"), behind),
    "not packed": (lambda: saved(photo(), "TIFF"), behind),
}


@pytest.mark.parametrize("is_big", [False, True], ids=["TIFF", "BigTIFF"])
@pytest.mark.parametrize(("make", "hide"), PACKED.values(), ids=PACKED)
def test_behind_a_strip(make: Callable[[], bytes], hide: Callable[[bytes], bytes], *, is_big: bool) -> None:
    """Whatever a strip is packed by, and however the file counts its places: the pixels are the same."""
    plain = as_big(make()) if is_big else make()
    assert tiff.is_big(plain) == is_big
    hiding = with_last_strip(plain, hide)
    assert shown(plain) == shown(hiding)
    assert not hides(plain)
    assert hides(hiding)


def test_beside_the_pages_of_a_big_tiff() -> None:
    """What no directory points to; zeros are slack."""
    plain = saved(photo(), "TIFF", big_tiff=True)
    assert list(tiff.loose_kinds(plain)) == []
    assert not hides(plain + bytes(9000))
    assert hides(plain + HIDDEN)
    assert list(tiff.loose_kinds(plain + HIDDEN)) == ["unknown data beside its pages (6 kB)"]


def test_broken_big_tiffs() -> None:
    """Places that lead outside, and numbers of more than 32 bits, raise nothing; what cannot be followed is more."""
    plain = saved(photo(), "TIFF", big_tiff=True)
    assert hides(plain[:8] + struct.pack("<Q", 1 << 60) + plain[16:])
    place = int.from_bytes(plain[8:16], "little")
    for entry in tiff.listing(plain, place, "little").entries:
        broken = bytearray(plain)
        broken[entry.start : entry.stop] = b"\xff" * (entry.stop - entry.start)
        hides(bytes(broken))


def runs(*, depth: int, behind_row: bytes = b"", behind_end: bytes = b"", end: bytes = b"\0\1") -> bytes:
    """A BMP of 40 x 30 pixels, packed by runs, each row one run and one stretch of plain values."""
    row = b"\x14\x77" + bytes([0, 20]) + bytes(range(20 * depth // 8)) + behind_row + b"\0\0"
    content = row * 30 + end + behind_end
    colours = bytes(4 * (1 << depth))
    start = 54 + len(colours)
    head = b"BM" + struct.pack("<IHHI", start + len(content), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", 40, 40, 30, 1, depth, 1 if depth == 8 else 2, len(content), 0, 0, 0, 0)
    return head + colours + content


@pytest.mark.parametrize("depth", [4, 8])
def test_a_bmp_of_runs(depth: int) -> None:
    """Behind the end, behind the last row without an end, in further rows, and in each row behind its last pixel."""
    plain = runs(depth=depth)
    assert not hides(plain)
    for hiding in (
        runs(depth=depth, behind_end=HIDDEN),
        runs(depth=depth, end=b"", behind_end=HIDDEN),
        runs(depth=depth, end=b"".join(bytes([20, byte, 0, 0]) for byte in HIDDEN[:3000]) + b"\0\1"),
        runs(depth=depth, behind_row=bytes(byte or 1 for byte in HIDDEN[:400])),
    ):
        assert shown(hiding) == shown(plain)
        assert hides(hiding)
    assert not hides(runs(depth=depth, behind_end=bytes(9000)))


@pytest.mark.parametrize("cut", [b"\0\2", b"\0\2\1"])
def test_a_bmp_of_runs_that_ends_in_a_step(cut: bytes) -> None:
    """All pixels are there, and the step that would lead on is cut off."""
    content = runs(depth=8, end=b"")[:-2] + cut
    assert shown(content) == shown(runs(depth=8))
    assert not hides(content)


def jpeg_2000(*, is_bare: bool = True, **options: object) -> bytes:
    """A picture as JPEG 2000."""
    return saved(photo(6, (240, 180)), "JPEG2000", no_jp2=is_bare, **options)


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a codestream."""
    return struct.pack(">HH", marker, len(content) + 2) + content


def in_main_header(marker: int) -> Callable[[bytes], bytes]:
    """A segment before the first tile-part."""

    def hide(content: bytes) -> bytes:
        place = content.index(b"\xff\x90\0\x0a")
        return content[:place] + segment(marker, HIDDEN) + content[place:]

    return hide


def in_tile_part(more: Callable[[int], bytes], *, is_behind: bool = False) -> Callable[[bytes], bytes]:
    """Something in the header of the last tile-part, or behind its packets; ``more`` takes how long these are."""

    def hide(content: bytes) -> bytes:
        place = content.rindex(b"\xff\x90\0\x0a")
        start = content.index(b"\xff\x93", place)
        length = struct.unpack(">I", content[place + 6 : place + 10])[0]
        stop = place + length
        added = more(stop - start - 2)
        head = content[: place + 6] + struct.pack(">I", length + len(added)) + content[place + 10 : start]
        data = content[start:stop]
        return head + (data + added if is_behind else added + data) + content[stop:]

    return hide


def in_tile(number: int, tiles: int) -> Callable[[bytes], bytes]:
    """Behind the packets of one of several tiles."""

    def hide(content: bytes) -> bytes:
        places = [place for place in range(len(content)) if content.startswith(b"\xff\x90\0\x0a", place)]
        assert len(places) == tiles
        place = places[number]
        length = struct.unpack(">I", content[place + 6 : place + 10])[0]
        head = content[: place + 6] + struct.pack(">I", length + 400) + content[place + 10 : place + length]
        return head + HIDDEN[:400] + content[place + length :]

    return hide


STREAMS: dict[str, tuple[Callable[[bytes], bytes], dict[str, object]]] = {
    "a comment": (in_main_header(0xFF64), {}),
    "lengths of packets": (in_tile_part(lambda _: segment(0xFF58, b"\0" + HIDDEN)), {}),
    "a comment of a tile": (in_tile_part(lambda _: segment(0xFF64, HIDDEN)), {}),
    "behind the packets": (in_tile_part(lambda _: HIDDEN[:400], is_behind=True), {}),
    "behind a tile's packets": (in_tile(1, 4), {"tile_size": (120, 90)}),
}


@pytest.mark.parametrize(("hide", "options"), STREAMS.values(), ids=STREAMS)
def test_within_a_codestream(hide: Callable[[bytes], bytes], options: dict[str, object]) -> None:
    """The decoder passes over it, wherever it lies."""
    plain = jpeg_2000(**options)
    hiding = hide(plain)
    assert shown(hiding) == shown(plain)
    assert not hides(plain)
    assert hides(hiding)


def test_true_lengths_of_packets() -> None:
    """However long, they say where packets lie."""

    def lengths(total: int) -> bytes:
        rest = total - 5000
        assert 0 < rest < 1 << 21
        last = bytes([rest >> 14 | 0x80, rest >> 7 & 0x7F | 0x80, rest & 0x7F])
        return segment(0xFF58, b"\0" + b"\1" * 5000 + last)

    plain = saved(photo(5, (160, 120)), "JPEG2000", no_jp2=True)
    assert not hides(in_tile_part(lengths)(plain))
    assert hides(in_tile_part(lambda total: lengths(total + 1))(plain))


def box(kind: bytes, content: bytes) -> bytes:
    """A box of ISO media."""
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (box(b"rreq", HIDDEN), True),
        (box(b"asoc", box(b"lbl ", b"words") + box(b"more", HIDDEN)), True),
        (box(b"asoc", box(b"lbl ", b"words")), False),
        (box(b"free", bytes(9000)), False),
    ],
)
def test_boxes_of_a_jpeg_2000(more: bytes, *, expected: bool) -> None:
    """Boxes that are known and hold more than what they are for, at any depth."""
    content = jpeg_2000(is_bare=False)
    place = content.index(b"jp2c") - 4
    sized = content[:place] + struct.pack(">I", len(content) - place) + content[place + 4 :]
    assert hides(sized[:place] + more + sized[place:]) is expected


@pytest.mark.skipif(not jxl.version(), reason="the extra dupfind[jxl] is not installed")
@pytest.mark.parametrize(("kind", "expected"), [(b"jxli", True), (b"jbrd", True), (b"xml ", False)])
def test_boxes_of_a_jxl(kind: bytes, *, expected: bool) -> None:
    """An index, and what makes a JPEG anew; what other boxes hold is looked at elsewhere."""
    import pillow_jxl  # noqa: F401 - registers it

    stream = saved(photo(), "JXL", use_container=False)
    start = jxl.CONTAINER + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    assert not hides(start + box(kind, HIDDEN[:900]) + box(b"jxlc", stream))
    assert hides(start + box(kind, HIDDEN) + box(b"jxlc", stream)) is expected
