"""Formats: which names promise a picture, and which decoders are allowed."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.pictures import formats


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/IMG_0001.JPG", ".jpg"),
        ("IMG.jpg.png", ".png"),
        ("/a.jpg/file", ""),
        (".jpg", ""),
        ("/a/.jpg", ""),
        ("/a/..jpg", ".jpg"),
        ("a.", "."),
        ("", ""),
        ("a.jpg ", ".jpg "),
        ("a.jpg\n", ".jpg\n"),
        ("\udcff.JPG", ".jpg"),
    ],
)
def test_suffix(path: str, expected: str) -> None:
    """The last suffix of the name in lower case; a name that only begins with a dot has none."""
    assert expected == formats.suffix(path.replace("/", os.sep))


@pytest.mark.parametrize("name", "a.jpg a.JPEG b.HeIc c.png d.nef e.CR3 f.tiff g.jxl h.gif i.webp j.avif".split())
def test_image_names(name: str) -> None:
    """What a camera, a phone or a photo program writes promises a picture, in any case of letters."""
    assert formats.is_image_name(name)


@pytest.mark.parametrize("name", "a.txt a.mov a.mp4 a.pdf a.xmp jpg .jpg a.jpg.txt a.jpg~ a.aae a.eps".split())
def test_other_names(name: str) -> None:
    """Films, sidecars and documents promise none."""
    assert not formats.is_image_name(name)


@pytest.mark.parametrize(
    "path", "/a/b.jpg /a.jpg/b /a.jpg/.jpg /.jpg .jpg ..jpg /a/..jpg b.JPG jpg . a. /a.b/c".split()
)
def test_image_names_have_a_suffix_of_theirs(path: str) -> None:
    """Asked in another way than the suffix is, with the same answer."""
    path = path.replace("/", os.sep)
    assert (formats.suffix(path) in formats.IMAGE_SUFFIXES) == formats.is_image_name(path)


@given(st.lists(st.text("ab./jpgJPGheictx", max_size=9).map(lambda name: name.replace("/", os.sep))))
def test_many_names_are_told_as_each_by_itself(paths: list[str]) -> None:
    """Also where many end alike, and where what was learned of one serves for the next."""
    for _ in range(2):
        assert list(map(formats.is_image_name, paths)) == formats.are_image_names(paths)


def test_raw_names() -> None:
    """Camera RAW is a picture by name, and known as RAW; a JPEG is not."""
    names = ("a.NEF", "a.dng", "a.cr2", "a.arw", "a.jpg", "nef")
    assert [True, True, True, True, False, False] == [formats.is_raw_name(name) for name in names]
    assert formats.RAW_SUFFIXES < formats.IMAGE_SUFFIXES


def test_suffixes_are_written_as_they_are_compared() -> None:
    """An entry in upper case or without its dot would never match."""
    assert [] == [one for one in formats.IMAGE_SUFFIXES if one != one.lower() or not one.startswith(".")]


@pytest.mark.parametrize("refused", ["EPS", "TGA", "PDF", "HDF5", "WMF", "FITS", "MPEG"])
def test_dangerous_decoders_are_not_listed(refused: str) -> None:
    """Nothing that starts a program, has no signature or is no picture is ever opened."""
    assert refused not in formats.DECODED


def test_decoders_are_listed_once() -> None:
    """The list is a choice, so each entry stands there once and as Pillow spells it."""
    assert sorted(set(formats.DECODED)) == sorted(formats.DECODED)
    assert list(formats.DECODED) == [name.upper() for name in formats.DECODED]
