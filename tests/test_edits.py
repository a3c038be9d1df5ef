"""The edits of the accuracy benchmark: the same in every run, and each does what its name says."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks import changes, edits
from benchmarks.changes import EDITS
from benchmarks.edits import Case, Edit, Source
from benchmarks.targets import ROWS
from fixtures import pictures

BY_NAME = {edit.name: edit for edit in EDITS}


@pytest.fixture(scope="module")
def source() -> Source:
    """A made-up photo, as a JPEG file."""
    image = pictures.photo(4, (320, 240))
    return Source("photo 4.jpg", edits.encode(image, quality=92), image, pictures.photo(9, (320, 240)))


def opened(data: bytes) -> Image.Image:
    """The picture in these bytes, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def case_of(source: Source, name: str) -> Case:
    """One edit, which has to be possible."""
    case = BY_NAME[name].make(source)
    assert case is not None
    return case


def test_there_are_many_and_each_has_its_own_name() -> None:
    """At least forty edits, each in a row that says what is expected."""
    assert len(BY_NAME) == len(EDITS) >= 40
    assert {edit.row for edit in EDITS} <= set(ROWS)


@pytest.mark.mostly_slow(fast=25)
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_the_same_each_time(edit: Edit, source: Source) -> None:
    """Same photo, same bytes; the original is on one side, and the two sides are never one file."""
    once, again = edit.make(source), edit.make(source)
    assert once == again
    if once is None:
        # A quarter of 320 x 240 is below 64 pixels, and damage shows wherever it hits so small a file.
        assert edit.name in {"1/4 of the size", "64 bytes random, nothing shows"}
        return
    assert once.needle != once.witness
    assert (source.data in once) is not edit.name.startswith("grey of grey")


def test_sizes_are_what_the_names_say(source: Source) -> None:
    """Half is half, a crop of 5% takes 5%, a border of 5% adds 5% of the width at every side."""
    sizes = {
        "1/2 of the size": (160, 120),
        "crop by 5%": (304, 228),
        "white border of 5%": (352, 272),
        "turned by 90 degrees": (240, 320),
        "EXIF orientation 6": (240, 320),
        "stretched by 5%": (336, 240),
    }
    assert sizes == {name: opened(case_of(source, name).needle).size for name in sizes}
    assert (240, 180) == opened(case_of(source, "witness 3/4 of the size").witness).size


@pytest.mark.parametrize(("name", "share"), [("0.5% replaced by another photo", 0.005), ("2% replaced", 0.02)])
def test_what_is_replaced_shows_and_is_no_more_than_it_says(source: Source, name: str, share: float) -> None:
    """The difference lies in a square of the given share of the area and is 20 levels there on the average."""
    name = next(edit.name for edit in EDITS if edit.name.startswith(name))
    needle = opened(case_of(source, name).needle).convert("RGB")
    far = edits.grey_difference(source.image, needle) > 40
    down, across = np.nonzero(far)
    side = (share * source.image.width * source.image.height) ** 0.5
    assert max(np.ptp(down), np.ptp(across)) <= side + 1
    assert 10 < far.sum() <= side**2


def test_a_place_that_would_not_show_is_not_taken() -> None:
    """Of a flat picture and another of nearly its grey there is no case."""
    flat = Image.new("RGB", (200, 200), (100, 100, 100))
    source = Source("flat", b"", flat, Image.new("RGB", (200, 200), (110, 110, 110)))
    assert changes.replaced(source, 0.02, changes.from_another, "x") is None


@pytest.mark.parametrize("name", ["64 bytes zeroed", "64 bytes random", "64 bytes zeroed in the witness"])
def test_damage_shows(source: Source, name: str) -> None:
    """64 bytes and no more are others, and the decoded pictures differ in some block."""
    intact, damaged = sorted(case_of(source, name), key=lambda side: side != source.data)
    differ = [place for place, (one, other) in enumerate(zip(intact, damaged, strict=True)) if one != other]
    assert 0 < len(differ) <= changes.DAMAGED_BYTES
    assert differ[-1] - differ[0] < changes.DAMAGED_BYTES
    assert changes.shows(intact, damaged) is True
    assert changes.shows(intact, intact) is False


def test_damage_that_ends_the_decode_is_no_case(source: Source) -> None:
    """What Pillow refuses is not counted: dupfind would not call it a picture."""
    assert changes.shows(source.data, source.data[:200]) is None


def test_a_shift_continues_the_edge(source: Source) -> None:
    """Everything lies 2% further to the right."""
    moved = changes.shifted(source.image, 0.02)
    by = round(320 * 0.02)
    assert source.image.crop((0, 0, 320 - by, 240)).tobytes() == moved.crop((by, 0, 320, 240)).tobytes()
    assert source.image.size == moved.size
