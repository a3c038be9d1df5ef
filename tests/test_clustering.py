"""Pictures to stacks and rows: coarse pictures are read whole, order does not matter, and the best is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dupfind.cache.cache_schema import PictureRef
from dupfind.grouping.best_of import Rival
from dupfind.grouping.clustering import OF_ANOTHER, Clusterer, Row, Stack
from dupfind.pool.full_size import FullSizePair
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.run import Reading, Run
from dupfind.settings import Settings
from dupfind.values import Evidence, Failure, FileEntry, ScanSettings, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot
from tests.helpers.thumbnails import coarse, thumbnail

LESS = Reason(ReasonCode.LESS_DETAIL, (AT_FULL_SIZE,))
BROKEN = Failure("cannot be decoded: broken data stream")


class FakeReader:
    """Whole pictures and tags from tables."""

    def __init__(
        self,
        desk: Desk,
        wholes: Mapping[str, Thumbnail | Failure],
        tags: Mapping[str, int],
        objections: Mapping[str, Reason],
        pairs: Mapping[tuple[str, str], Reason],
    ) -> None:
        self._pairs = pairs
        """By the paths of needle and witness."""
        self._objections = objections
        """By the path of the needle."""
        self.compared: list[tuple[str, str, int]] = []
        self._desk = desk
        self._wholes = wholes
        self._tags = tags
        self.read: list[str] = []
        self.counted: list[str] = []

    def full_decodes(self, entries: Sequence[FileEntry]) -> dict[str, PictureRef | Failure]:
        """As the real one."""
        self.read += [entry.path for entry in entries]
        return {entry.path: self._desk.cache.keep_content(entry, self._wholes[entry.path], 0) for entry in entries}

    def compare_at_full_size(self, pairs: Sequence[FullSizePair]) -> dict[FullSizePair, Reason | None]:
        """Likewise."""
        self.compared += [(pair.needle.path, pair.witness.path, pair.orientation) for pair in pairs]
        return {
            pair: self._objections.get(pair.needle.path) or self._pairs.get((pair.needle.path, pair.witness.path))
            for pair in pairs
        }

    def count_tags(self, entries: Sequence[FileEntry]) -> dict[str, int]:
        """Likewise."""
        self.counted += [entry.path for entry in entries]
        return {entry.path: self._tags.get(entry.path, 0) for entry in entries}


class Collection:
    """Thumbnails by path, gathered."""

    def __init__(self, desk: Desk, thumbnails: Mapping[str, Thumbnail], **given: Any) -> None:
        pictures = desk.pictures(thumbnails, 8)
        self.paths = list(thumbnails)
        self.reader = FakeReader(
            desk, given.get("wholes", {}), given.get("tags", {}), given.get("objections", {}), given.get("pairs", {})
        )
        options = Settings((), ScanSettings((), (), "phash", 10, Evidence.SAME, rotations=True))
        self.clusterer = Clusterer(
            Reading(Run(options), self.reader, desk.cache),  # type: ignore[arg-type]
            pictures,
            lambda position: Rival(pictures.entries[position].path, 0),
        )

    def name(self, stack: Stack) -> list[str]:
        """The paths of a stack, the best first."""
        return [self.paths[position] for position in stack.positions]

    def stacks(self) -> list[list[str]]:
        """Those of all stacks, in a fixed order."""
        return sorted(map(self.name, self.clusterer.stacks()))

    def rows(self) -> list[Row]:
        """Rows, by the path of their best."""
        return sorted(self.clusterer.rows(self.clusterer.stacks()), key=lambda row: self.name(row.stacks[0]))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def test_every_picture_is_in_one_stack(desk: Desk) -> None:
    """Those that stand alone too."""
    some = Collection(desk, {"a": thumbnail(1, 160, 120), "b": thumbnail(2), "c": thumbnail(1)})
    assert [["b"], ["c", "a"]] == some.stacks()
    assert [] == Collection(desk, {}).stacks()


def test_coarse_pictures_are_read_whole_before_they_are_compared(desk: Desk) -> None:
    """Only those that another lies near to; what shows then counts."""
    thumbnails = {"a": coarse(1), "b": thumbnail(1), "c": coarse(2), "d": coarse(3), "e": coarse(3)}
    wholes = {"a": thumbnail(1), "d": thumbnail(3), "e": thumbnail(4)}
    some = Collection(desk, thumbnails, wholes=wholes)
    assert [["a", "b"], ["c"], ["d"], ["e"]] == some.stacks()
    assert ["a", "d", "e"] == some.reader.read


def test_what_cannot_be_read_whole_belongs_to_nothing(desk: Desk) -> None:
    """It is a failure, and in no stack, not even in one of its own."""
    some = Collection(desk, {"a": coarse(1), "b": thumbnail(1)}, wholes={"a": BROKEN})
    assert [["b"]] == some.stacks()
    assert {"a": BROKEN} == some.clusterer.failures


def test_coarse_stacks_are_read_whole_before_they_make_a_row(desk: Desk) -> None:
    """A mirrored picture is near at `similar` only: it is read then, and again nothing rests on what is coarse."""
    thumbnails = {"a": coarse(1), "b": thumbnail(1, turned=1), "c": coarse(2), "d": thumbnail(2, turned=1)}
    some = Collection(desk, thumbnails, wholes={"a": thumbnail(1), "c": BROKEN})
    rows = some.rows()
    assert [[["a"], ["b"]], [["d"]]] == [[some.name(stack) for stack in row.stacks] for row in rows]
    assert [Reason(ReasonCode.MIRRORED)] == [tie.reason for tie in rows[0].ties]
    assert ["a", "c"] == some.reader.read


def test_damaged_ones_are_never_the_best(desk: Desk) -> None:
    """However many pixels they have."""
    some = Collection(desk, {"a": thumbnail(1, 6400, 4800), "b": thumbnail(1)})
    damaged = Collection(desk, {"a": shot(scene(1), 8000, 6000, damage="cut"), "b": shot(scene(1))})
    assert [["a", "b"]] == some.stacks()
    (row,) = damaged.rows()
    assert [["b"], ["a"]] == [damaged.name(stack) for stack in row.stacks]


def test_tags_are_counted_only_where_they_decide(desk: Desk) -> None:
    """Between members of one size and alike in what is known of their capture times."""
    told = {"captured": "2017:07:18 15:31:30"}
    thumbnails = {
        "a": shot(scene(1)),
        "b": shot(scene(1), quality=90),
        "c": shot(scene(1), 3800, 2850),
        "d": shot(scene(2)),
        "e": shot(scene(2), 3800, 2850),
        "f": shot(scene(3)),
        "g": shot(scene(3), **told),
    }
    some = Collection(desk, thumbnails, tags={"b": 7})
    assert [["b", "a", "c"], ["d", "e"], ["g", "f"]] == some.stacks()
    assert ["a", "b"] == sorted(some.reader.counted)


def test_the_same_and_not_in_the_stack(desk: Desk) -> None:
    """What passes for the best one's copy and not for another copy's is similar, and the reason says so."""
    base = scene(3, texture=8)
    left, right = base.copy(), base.copy()
    left[8:24, 8:24] += 1
    right[8:24, 8:24] -= 1
    frames = {name: shot(one, 640, 480, quality=50) for name, one in zip("abc", (base, left, right), strict=True)}
    some = Collection(desk, frames)
    (row,) = some.rows()
    assert [2, 1] == [len(stack.positions) for stack in row.stacks]
    assert [OF_ANOTHER] == [tie.reason for tie in row.ties]


def test_what_differs_at_full_size_leaves_its_stack(desk: Desk) -> None:
    """Each member is compared with the best, turned as it lies; who differs stands beside it and says why."""
    thumbnails = {"a": thumbnail(1, 640, 480), "b": thumbnail(1, 320, 240), "c": thumbnail(1, 160, 120, turned=5)}
    collection = Collection(desk, thumbnails, objections={"b": LESS})
    (row,) = collection.rows()
    assert [["a", "c"], ["b"]] == [collection.name(stack) for stack in row.stacks]
    assert [(Evidence.SIMILAR, LESS)] == [(tie.evidence, tie.reason) for tie in row.ties]
    compared = {needle: (witness, orientation) for needle, witness, orientation in collection.reader.compared}
    assert {"b": "a", "c": "a"} == {needle: witness for needle, (witness, _) in compared.items()}
    assert (True, True) == (compared["b"][1] == 0, compared["c"][1] != 0)


def test_those_that_leave_a_stack_together_stay_together(desk: Desk) -> None:
    """A large one that holds less than its copies is beside them, and they are one picture."""
    thumbnails = {"a": thumbnail(1, 1280, 960), "b": thumbnail(1, 640, 480), "c": thumbnail(1, 320, 240)}
    differs = {("b", "a"): LESS, ("c", "a"): LESS}
    collection = Collection(desk, thumbnails, pairs=differs)
    assert [["a"], ["b", "c"]] == collection.stacks()


def test_of_a_stack_of_two_both_are_alone(desk: Desk) -> None:
    """Nothing is lost where all members leave."""
    collection = Collection(
        desk,
        {"a": thumbnail(1, 640, 480), "b": thumbnail(1)},
        objections={"b": Reason(ReasonCode.PLACE, (AT_FULL_SIZE, "near the top"))},
    )
    assert [["a"], ["b"]] == collection.stacks()


@pytest.mark.slow
@settings(max_examples=20)
@given(st.permutations(range(9)))
def test_the_order_of_the_pictures_does_not_matter(order: list[int]) -> None:
    """Copies of three scenes, small ones, mirrored ones and series: the same rows of the same stacks, in any order."""
    made = {
        **{f"a{width}": thumbnail(1, width, width * 3 // 4) for width in (640, 620, 160)},
        "am": thumbnail(1, turned=1),
        "b": thumbnail(2),
        "bt": thumbnail(2, turned=5),
        **{f"s{step}": shot(scene(6) + (scene(7) - scene(6)) * step / 5, 640, 480) for step in (0, 1, 2)},
    }
    desk = Desk()
    with desk.cache:
        some = Collection(desk, {list(made)[place]: made[list(made)[place]] for place in order})
        found = [[some.name(stack) for stack in row.stacks] for row in some.rows()]
    assert [["am"], ["a640", "a620", "a160"]] == found[0]
    assert [["b", "bt"]] == found[1]
    assert {"s0", "s1", "s2"} == {name for row in found[2:] for stack in row for name in stack}
    assert EXPECTED.setdefault("rows", found) == found


EXPECTED: dict[str, list[list[list[str]]]] = {}


@pytest.mark.slow
def test_many_equal_blank_pages(desk: Desk) -> None:
    """Thousands of them, no two with the same bytes: none is proved, they make one row, and it takes seconds."""
    dice = np.random.default_rng(1)
    pages = {}
    for number in range(600):
        pixels = np.full((64, 64), 250, np.uint8)
        pixels[dice.integers(0, 64), dice.integers(0, 64)] = 249 - number % 7
        pages[f"{number:04}"] = Thumbnail(pixels.tobytes(), 640, 480 + number, "JPEG", 1, None)
    some = Collection(desk, pages)
    stacks = some.clusterer.stacks()
    assert 600 == len(stacks)
    rows = some.clusterer.rows(stacks)
    assert 600 == sum(len(row.stacks) for row in rows)
    assert max(len(row.stacks) for row in rows) > 1


def test_pictures_and_their_facts(desk: Desk) -> None:
    """What stands alone in its row is described when it is to be shown."""
    some = Collection(desk, {"a": thumbnail(1), "b": thumbnail(2)})
    rows = some.rows()
    assert {} == some.clusterer.facts
    some.clusterer.describe(rows)
    assert {0, 1} == some.clusterer.facts.keys()
    assert (640, 480, b"") == (
        some.clusterer.facts[0].width,
        some.clusterer.facts[0].height,
        some.clusterer.facts[0].pixels,
    )
