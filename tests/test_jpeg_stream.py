"""The outline of a JPEG: where its picture begins and ends, and what no encoder writes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.pictures.jpeg_stream import END, Segment, _segments, coarse, inspect, without_extras
from fixtures import pictures
from tests.helpers.encodings import ENCODINGS, jpeg, with_zeros

SCAN = 0xDA


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_a_sound_file(options: dict[str, Any]) -> None:
    """Nothing is wrong, and the picture ends where the file ends, whatever lies before it and behind it."""
    exif = b"Exif\0\0" + b"\xff\xd9\xff\xda" * 300 + bytes(600)
    plain, content = jpeg(**options), jpeg(exif=exif, **options)
    found = inspect(content)
    assert (None, len(content)) == (found.damage, found.end)
    assert b"\xff\xda" == content[found.scan_start : found.scan_start + 2]
    assert len(plain) - inspect(plain).scan_start == len(content) - found.scan_start
    assert (found.scans > 1) == ("progressive" in options)
    assert found == inspect(content + b"\xff\xd9 and a video\xff\xd9")


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_the_end_is_missing(options: dict[str, Any]) -> None:
    """Cut anywhere behind the header."""
    content = jpeg(**options)
    start = inspect(content).scan_start
    for place in (start + 20, (start + len(content)) // 2, len(content) - 2, len(content) - 1):
        found = inspect(content[:place])
        assert ("no end marker", None, start) == (found.damage, found.end, found.scan_start)


@pytest.mark.parametrize("options", [ENCODINGS["baseline"], ENCODINGS["restarts"]], ids=["baseline", "restarts"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_run_of_zeros(options: dict[str, Any], share: float) -> None:
    """What a lost sector leaves; with the tables that most files share no picture has such a run."""
    content = jpeg(**options)
    start = inspect(content).scan_start
    damaged = with_zeros(content, int(start + 14 + share * (len(content) - start - 100)))
    assert "a run of zeros within the picture" == inspect(damaged).damage


@pytest.mark.slow
@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_even_pictures_may_be_zeros(options: dict[str, Any], level: int, mode: str) -> None:
    """A black picture under optimised tables is one long run of zeros."""
    image = Image.new("L", (1600, 1200), level).convert(mode)
    assert inspect(jpeg(image, **options)).damage is None


@pytest.mark.slow
@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("quality", [20, 50, 75, 90, 100])
def test_patterns_may_hold_zeros(options: dict[str, Any], quality: int) -> None:
    """Dots in every block: each block is the same, and so are the bits of each."""
    tile = Image.new("L", (8, 8))
    tile.putpixel((3, 3), 60)
    image = Image.new("L", (512, 512))
    for place in range(0, 512 * 64, 8):
        image.paste(tile, (place % 512, place // 512 * 8))
    assert inspect(jpeg(image, quality=quality, **options)).damage is None


def test_a_marker_where_none_belongs() -> None:
    """Behind the first scan there are tables, scans and the end."""
    content = jpeg()
    middle = (inspect(content).scan_start + len(content)) // 2
    damaged = content[:middle] + b"\xff\x9f\0\2" + content[middle + 4 :]
    assert "marker 0x9f within the picture" == inspect(damaged).damage


def scans_of(content: bytes) -> list[Segment]:
    """The scans of a sound file."""
    return [segment for segment in _segments(content) if segment.marker == SCAN]


def test_scans_are_missing() -> None:
    """Whichever of the refining scans is left out: what remains ends well, and shows less than there was."""
    content = jpeg(progressive=True)
    scans = scans_of(content)
    missing = "the scans that refine it are missing"
    for first in range(1, len(scans)):
        assert missing == inspect(content[: scans[first].place] + END).damage
    left_out = [content[: one.place] + content[one.data.stop :] for one in scans]
    assert [missing] * len(scans) == [inspect(one).damage for one in left_out]


def test_a_component_is_missing() -> None:
    """One that the header promises and no scan brings."""
    content = bytearray(jpeg())
    scan = scans_of(bytes(content))[0]
    content[scan.place + 5] = 99  # no such component
    assert "the scans that refine it are missing" == inspect(bytes(content)).damage


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    """Whatever follows the first two bytes, there is an answer, and it lies within the file."""
    found = inspect(b"\xff\xd8" + content)
    assert found.scan_start <= len(content) + 2
    assert found.end is None or 4 <= found.end <= len(content) + 2


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=6))
def test_altered_files(changes: list[tuple[int, int]]) -> None:
    """Likewise for what is nearly a JPEG."""
    content = bytearray(SMALL)
    for place, value in changes:
        content[2 + place % (len(content) - 2)] = value
    found = inspect(bytes(content))
    assert found.scan_start <= len(content)
    assert found.end is None or found.end <= len(content)


SMALL = jpeg(pictures.photo(2, (32, 24)), progressive=True)


COARSE = {name: options for name, options in ENCODINGS.items() if "progressive" in options}


@pytest.mark.parametrize("options", COARSE.values(), ids=COARSE)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_the_beginning_of_a_progressive_file(options: dict[str, Any], mode: str) -> None:
    """Its first scan, closed: a JPEG of the same size, an eighth of which is that of the whole but for one level."""
    content = jpeg(pictures.photo(1, (640, 480)).convert(mode), **options)
    found = coarse(content)
    assert found
    first = next(segment for segment in _segments(content) if segment.marker == SCAN)
    assert first.data.stop + len(END) == len(found)
    assert content[first.place : first.data.stop] + END == found[first.place :]
    whole, beginning = (Image.open(io.BytesIO(one)) for one in (content, found))
    assert whole.size == beginning.size
    for one in (whole, beginning):
        one.draft("L", (80, 60))
    assert (80, 60) == whole.size == beginning.size
    if mode != "CMYK":
        apart = np.abs(np.asarray(whole.convert("L"), int) - np.asarray(beginning.convert("L"), int))
        assert apart.mean() < 1
        assert np.percentile(apart, 99) <= 3


@pytest.mark.parametrize("options", COARSE.values(), ids=COARSE)
def test_a_beginning_too_short(options: dict[str, Any]) -> None:
    """Every byte up to the marker behind the first scan is needed, and no byte behind it changes anything."""
    content = jpeg(pictures.photo(1, (64, 48)), **options)
    whole = coarse(content)
    assert whole
    enough = len(whole) - len(END)
    for length in range(len(content)):
        assert (whole if length >= enough + 2 else None) == coarse(content[:length])


def test_beginnings_that_are_none() -> None:
    """Baseline files, progressive ones that begin otherwise, and what is no JPEG at all or has no picture."""
    content = jpeg(progressive=True)
    scan = content.index(b"\xff\xda")
    for behind, value in ((11, 1), (12, 5), (13, 0x10)):  # three components: first and last coefficient, precision
        changed = bytearray(content)
        assert 3 == changed[scan + 4]
        changed[scan + behind] = value
        assert b"" == coarse(bytes(changed))
    assert (b"", b"", None) == (coarse(jpeg()), coarse(b"\xff\xd8\xff\xd9"), coarse(b"\xff\xd8"))
    assert coarse(b"no picture" * 100) is None
    assert b"" == coarse(b"\xff\xd8\xff\xda\x00\x02" + bytes(9) + END)


def test_a_scan_for_each_component() -> None:
    """Some encoders write the means of each component in a scan of its own: the beginning goes to the last of them."""
    content = jpeg(pictures.photo(1, (64, 48)).convert("L"), progressive=True)
    frame = content.index(b"\xff\xc2")
    scan = next(segment for segment in _segments(content) if segment.marker == SCAN)
    components = b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    tables = content[frame + 2 + int.from_bytes(content[frame + 2 : frame + 4], "big") : scan.place]
    header = content[: frame + 2] + b"\x00\x11" + content[frame + 4 : frame + 9] + components + tables
    one = content[scan.place : scan.data.stop]
    scans = [one[:5] + bytes([number]) + one[6:] for number in (1, 2, 3)]
    three, two = header + b"".join(scans), header + scans[0] + scans[2]
    found = coarse(three + scans[0] + END)
    assert found
    assert (len(three), three[scan.place :] + END) == (len(found) - 2, found[scan.place :])
    assert b"" == coarse(two + END)
    with Image.open(io.BytesIO(found)) as image:
        image.load()


@given(st.binary(max_size=300), st.integers(0, 4000))
def test_any_bytes_have_no_beginning_that_raises(noise: bytes, place: int) -> None:
    """Whatever stands in the file."""
    content = jpeg(pictures.photo(1, (64, 48)), progressive=True)
    place %= len(content)
    coarse(content[:place] + noise + content[place + len(noise) :])
    coarse(b"\xff\xd8" + noise)


def test_libjpeg_is_kept_from_smoothing() -> None:
    """One step of each table is zero in the beginning, of 8 bits or of 16, and nothing else differs."""
    content = jpeg(progressive=True, qtables=[[300] * 64, [20] * 64])
    found = coarse(content)
    assert found
    changed = [place for place, (one, other) in enumerate(zip(content, found[:-2], strict=False)) if one != other]
    assert 0 not in [content[place] for place in changed]
    assert {0} == {found[place] for place in changed}
    tables = [segment for segment in _segments(content) if segment.marker == 0xDB]
    firsts = []
    for table in tables:
        at = table.place + 4
        while at < table.place + 4 + len(table.payload):
            wide = 1 + (content[at] >> 4)
            firsts += range(at + 1 + wide, at + 1 + 2 * wide)
            at += 1 + 64 * wide
    assert set(changed) <= set(firsts)
    assert all(found[place] == 0 for place in firsts)


def test_a_scan_without_a_header() -> None:
    """Behind a sound one: it is left as it is, and nothing is read beyond it."""
    content = jpeg()
    place = next(segment.place for segment in _segments(content) if segment.marker == SCAN)
    assert content[:place] in without_extras(content)
    odd = content[: -len(END)] + b"\xff\xda\0\2" + END
    assert without_extras(odd).endswith(b"\xff\xda\0\2" + END)
