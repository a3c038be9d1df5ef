"""Kinds: what XMP, URNs and the first bytes of a file tell."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.pictures import kinds
from tests.helpers.jpegs import jpeg, noise, preview

PICTURE = base64.b64encode(jpeg(2))
DATA = base64.b64encode(noise(9000))


@pytest.mark.parametrize(
    ("xmp", "expected"),
    [
        (b"<x:Data>" + PICTURE + b"</x:Data>", ["a second picture"]),
        (b"<x Data='" + DATA + b"'/>", ["data within its metadata"]),
        (b"<x Data='" + DATA[:4000] + b"'/>", []),
        (
            b"<x Data='" + b"\n".join(DATA[at : at + 76] for at in range(0, 9000, 76)) + b"'/>",
            ["data within its metadata"],
        ),
        (
            b"<x Data='" + b"&#xA;".join(DATA[at : at + 76] for at in range(0, 9000, 76)) + b"'/>",
            ["data within its metadata"],
        ),
        (b"<xmpGImg:image>" + PICTURE + b"</xmpGImg:image>", []),
        (b"<xmpGImg:image>" + PICTURE + b"</xmpGImg:image><x>" + DATA + b"</x>", ["data within its metadata"]),
        (b"<GDepth:Data>" + PICTURE + b"</GDepth:Data>", ["a depth map"]),
        (b"<crs:Table_1='" + bytes(range(33, 126)) * 200 + b"'/>", []),
        (b"<?xpacket?>" + b" " * 9000, []),
        (b"<dc:title>" + b"words, and words. " * 900 + b"</dc:title>", []),
    ],
    ids=["picture", "data", "small", "lines", "entities", "thumbnail", "both", "named", "table", "padding", "words"],
)
def test_what_lies_within_xmp(xmp: bytes, expected: list[str]) -> None:
    """A long run of base64 is no word about the picture, but for thumbnails of it."""
    assert expected == list(kinds.of_xmp(xmp))


@given(st.binary(max_size=200), st.integers(0, 9000), st.binary(max_size=200))
def test_any_bytes_as_xmp(before: bytes, length: int, behind: bytes) -> None:
    """Nothing raises, whatever lies around a run."""
    list(kinds.of_xmp(before + b"A" * length + behind))


@pytest.mark.parametrize(
    ("urn", "expected"),
    [
        (b"urn:com:apple:photo:2020:aux:hdrgainmap", "a gain map (HDR)"),
        (b"urn:mpeg:hevc:2015:auxid:2", "a depth map"),
        (b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", "a depth map"),
        (b"urn:com:apple:photo:2018:aux:portraiteffectsmatte", "a portrait matte"),
        (b"urn:com:apple:photo:2019:aux:semanticskinmatte", "a matte"),
        (b"urn:com:somebody:else", None),
    ],
)
def test_auxiliary_pictures(urn: bytes, expected: str | None) -> None:
    """By what HEIF calls them."""
    assert expected == kinds.of_auxiliary(urn)


def test_starts() -> None:
    """A picture of ISO media is no film; what is not known has no kind."""
    assert "a second picture" == kinds.of_start(b"\0\0\0\x18ftypheic" + bytes(4))
    assert "a video" == kinds.of_start(b"\0\0\0\x18ftypqt  " + bytes(4))
    assert "a second picture" == kinds.of_start(preview()[:16])
    assert kinds.of_start(b"RIFF\0\0\0\0ABCD") is None
    assert kinds.of_start(b"") is None


@given(st.lists(st.tuples(st.sampled_from([0, 255, 7]), st.integers(1, 1200)), max_size=6))
def test_written_bytes(runs: list[tuple[int, int]]) -> None:
    """Against the obvious count, of runs that were joined where they are of one value."""
    joined: list[list[int]] = []
    for value, length in runs:
        if joined and joined[-1][0] == value:
            joined[-1][1] += length
        else:
            joined.append([value, length])
    expected = sum(length for value, length in joined if length < 512 or value == 7)
    assert expected == kinds.written_bytes(b"".join(bytes([value]) * length for value, length in runs))


def test_how_kinds_are_told() -> None:
    """Each once, in their order."""
    assert "sound and a video" == kinds.joined(["sound", "a video", "sound"])
    assert kinds.joined([]) is None
    assert "unknown data (abcd) (1,235 kB)" == kinds.unknown("(abcd)", 1_234_001)
