"""A haystack as find sees it: rows that were known, rows that were read, and what is no longer there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from dupfind.cache.cache_schema import PictureRef
from dupfind.cache.snapshot import OTHER, PICTURE, UNSETTLED, FolderRow, Inner, Known, make_rows, pack, unpack
from dupfind.finding.collection import NO_PICTURE, Collection
from dupfind.finding.incremental_walk import Visited
from dupfind.reading import Pictures
from dupfind.run import Reading, Run
from dupfind.settings import make_settings
from dupfind.sources.entries import entry_of
from dupfind.values import Failure, FileEntry

TEXT = Failure("not a picture", is_image=False)
LATE = Failure("took too long", is_image=False, lasting=False)


class Reader:
    """Says that the hash of a picture is the number in its name; other names fail."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def pictures(self, entries: Sequence[FileEntry], _: str, orientations: int) -> Pictures:
        """As the real one, in one orientation."""
        names = [Path(entry.path).stem for entry in entries]
        self.read += names
        good = [place for place, name in enumerate(names) if name.isdigit()]
        failures = {
            entries[place].path: LATE if name == "late" else TEXT
            for place, name in enumerate(names)
            if place not in good
        }
        hashes = np.array([int(names[place]) for place in good], np.uint64).reshape(-1, orientations)
        return Pictures(
            [entries[place] for place in good],
            [PictureRef(8 * int(names[place]), 1) for place in good],
            hashes,
            failures,
        )


class World:
    """Two folders; the first is known, the second was read, or any other way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reader = Reader()
        for name in ("a/1.jpg", "a/late.jpg", "a/2.jpg", "a/notes.txt", "b/4.jpg", "b/8.jpg"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(name.encode())

    def entries(self, folder: str) -> list[FileEntry]:
        """The files in a folder."""
        return [entry_of(str(path), path.stat()) for path in sorted((self.root / folder).iterdir())]

    def row(self, folder: str, number: int) -> FolderRow:
        """The folder, known."""
        return FolderRow(str(self.root / folder), number, (1, number), (1, 1), len(self.entries(folder)))

    def known(self) -> Known:
        """What is remembered of both."""
        entries = [*self.entries("a"), *self.entries("b")]
        pictures = self.reader.pictures(entries, "", 1)
        refs = {
            one.path: (ref, hash_)
            for one, ref, hash_ in zip(pictures.entries, pictures.refs, pictures.hashes[:, 0].tolist(), strict=True)
        }
        kinds = [
            PICTURE if one.path in refs else UNSETTLED if pictures.failures[one.path] is LATE else OTHER
            for one in entries
        ]
        rows = make_rows(
            entries,
            [refs.get(one.path, (None, 0))[0] for one in entries],
            [refs.get(one.path, (None, 0))[1] for one in entries],
            kinds,
        )
        parts = dict(
            pack([self.row("a", -1), self.row("b", 0)], rows, Inner(np.array([0, 5]), np.array([3, 9], np.uint64)), {})
        )
        self.reader.read.clear()
        return unpack(parts.__getitem__)

    def collection(self, known: Known | None, *read: str) -> Collection:
        """Where these folders were read and the others are as they were."""
        visited = [
            Visited(
                self.row(name, number - 1), None if name in read else number, self.entries(name) if name in read else ()
            )
            for number, name in enumerate(("a", "b"))
        ]
        settings = make_settings(haystack=[str(self.root)], no_cache=True)
        return Collection(Reading(Run(settings), cast("Any", self.reader), cast("Any", None)), known, visited)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two folders."""
    return World(tmp_path)


def paths(collection: Collection, rows: Sequence[int]) -> list[str]:
    """The names of the files of these rows."""
    found, _ = collection.look(rows)
    return [Path(found[row].entry.path).name for row in rows if row in found]


WAYS: list[tuple[str, ...]] = [("a", "b"), ("a",), ("b",), ()]


@pytest.mark.parametrize("read", WAYS, ids=str)
def test_it_is_the_same_however_it_was_learned(world: World, read: tuple[str, ...]) -> None:
    """Files, their order, distances, sizes; what is known is not read."""
    collection = world.collection(world.known() if len(read) < 2 else None, *read)
    collection.read_pictures()
    assert (6, 4) == (collection.files, collection.pictures)
    order = collection.order()
    assert ["1.jpg", "2.jpg", "late.jpg", "notes.txt", "4.jpg", "8.jpg"] == paths(collection, order.tolist())
    distances = collection.distances_bits(np.array([0, 2], np.uint64))[order].tolist()
    assert [1, 0, NO_PICTURE, NO_PICTURE, 1, 1] == distances
    same = collection.same_size({len("a/1.jpg")})
    assert {"1.jpg", "2.jpg", "4.jpg", "8.jpg"} == set(paths(collection, same))
    assert "late" in world.reader.read
    assert ("1" in world.reader.read, "4" in world.reader.read) == ("a" in read, "b" in read)
    assert {"late.jpg"} <= {Path(path).name for path in collection.failed()}


@pytest.mark.parametrize("read", WAYS, ids=str)
def test_what_is_kept_of_it_is_all_of_it(world: World, read: tuple[str, ...]) -> None:
    """Rows and folders, whichever way each was learned, in the order of the walk."""
    collection = world.collection(world.known() if len(read) < 2 else None, *read)
    collection.read_pictures()
    rows, folders, _ = collection.rows()
    order = collection.order()
    kept = rows.taken(order)
    assert [b"1.jpg", b"2.jpg", b"late.jpg", b"notes.txt", b"4.jpg", b"8.jpg"] == list(kept.names)
    assert [0, 0, 0, 0, 1, 1] == folders[order].tolist()
    assert [1, 2, 0, 0, 4, 8] == kept.hashes.tolist()
    assert [PICTURE, PICTURE, UNSETTLED, OTHER, PICTURE, PICTURE] == kept.kinds.tolist()


@pytest.mark.parametrize("is_known", [True, False])
def test_what_has_changed_or_gone_is_struck_out(world: World, is_known: bool) -> None:
    """And entered anew where it is still there, in its place."""
    collection = world.collection(world.known() if is_known else None, *(() if is_known else ("a", "b")))
    collection.read_pictures()
    order = collection.order().tolist()
    (world.root / "a" / "1.jpg").write_bytes(b"something longer")
    (world.root / "b" / "4.jpg").unlink()
    (world.root / "b" / "8.jpg").unlink()
    (world.root / "b" / "8.jpg").mkdir()
    found, are_sound = collection.look(order)
    assert not are_sound
    assert ["2.jpg", "late.jpg", "notes.txt"] == [Path(one.entry.path).name for one in found.values()]
    assert [PictureRef(16, 1), None, None] == [one.ref for one in found.values()]
    world.reader.read.clear()
    collection.read_pictures()
    assert ["1"] == world.reader.read
    assert ["1.jpg", "2.jpg", "late.jpg", "notes.txt"] == paths(collection, collection.order().tolist())
    assert (4, 2) == (collection.files, collection.pictures)
    assert 2 == sum(bits != NO_PICTURE for bits in collection.distances_bits(np.zeros(1, np.uint64)))


def test_frames_of_known_rows(world: World) -> None:
    """Their hashes without frames are searched too, as long as the files are there."""
    collection = world.collection(world.known(), "b")
    collection.read_pictures()
    distances = collection.inner_distances_bits(np.array([1], np.uint64))
    assert {0: 1} == {row: int(bits) for row, bits in enumerate(distances) if bits != NO_PICTURE}


def test_news(world: World) -> None:
    """What was learned that lasts, or lost."""
    collection = world.collection(world.known())
    collection.read_pictures()
    assert 1 == collection.news  # the row of what was looked at again
    collection = world.collection(world.known(), "a")
    collection.read_pictures()
    assert 4 == collection.news
