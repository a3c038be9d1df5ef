"""Reading: what is known is not read again, and answers stand in the order of the questions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe, is_bare, is_gray
from dupfind.events import Silence
from dupfind.evidence.fingerprint import pixels, search_hashes
from dupfind.pool import tasks
from dupfind.pool.full_size import Compared, FullSizePair
from dupfind.pool.workers import Pool
from dupfind.reading import Measured, Pictures, Reader
from dupfind.settings import make_settings
from dupfind.values import Failure, FileEntry
from fixtures import pictures
from tests.helpers.executors import Counting


class Desk:
    """Some files, and readers of them that share a cache file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = str(folder / "cache" / "cache.sqlite")
        photos = folder / "photos"
        for number in range(5):
            pictures.save(pictures.photo(number, (96, 72)), photos / f"{number}.jpg")
        (photos / "2.jpg").write_bytes(b"no picture")
        (photos / "6.jpg").write_bytes((photos / "4.jpg").read_bytes())
        self.entries = [self.entry(path) for path in sorted(photos.iterdir())]

    def entry(self, path: Path) -> FileEntry:
        """What the walk would see of a file that is an hour old."""
        found = path.stat()
        return FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    @contextmanager
    def reader(
        self, algorithm: str = "phash", culprit: str | None = None, *, cached: bool = True
    ) -> Iterator[tuple[Reader, Counting]]:
        """One run's reader, and the executor that it works on."""
        settings = make_settings(
            haystack=[str(self.folder / "photos")],
            needles=[str(self.folder / "cache")],
            algorithm=algorithm,
            no_cache=True,
        )
        executor = Counting(culprit)
        path = self.cache if cached else None
        with Pool(1, lambda: executor) as pool, Cache(path, partial(Recipe, "recipe", algorithm, "rules")) as cache:
            yield Reader(settings, pool, cache, Silence()), executor

    def pictures(self, orientations: int = 1, **options: Any) -> tuple[Pictures, tuple[int, int, int]]:
        """The pictures by a run of its own, and what it cost."""
        with self.reader(**options) as (reader, executor):
            return reader.pictures(self.entries, "decoding", orientations), executor.counts()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Six files; the clock runs an hour ahead, so that they are not racy."""
    true = tasks.time.time_ns
    monkeypatch.setattr(tasks.time, "time_ns", lambda: true() + 3600 * 10**9)
    (tmp_path / "cache").mkdir()
    return Desk(tmp_path)


def names(entries: list[FileEntry]) -> list[str]:
    """File names alone."""
    return [os.path.basename(entry.path) for entry in entries]


def test_pictures_stand_in_the_files_order(desk: Desk) -> None:
    """Ids and hashes row by row, failures by path; two files with one picture share an id."""
    found, counts = desk.pictures(8)
    assert ["0.jpg", "1.jpg", "3.jpg", "4.jpg", "6.jpg"] == names(found.entries)
    assert (5, 8) == found.hashes.shape
    assert np.dtype(np.uint64) == found.hashes.dtype
    assert found.refs[3] == found.refs[4]
    assert 4 == len(set(found.refs))
    assert (0, 6, 0) == counts
    assert {desk.entries[2].path: Failure("not a picture in a known format", is_image=False)} == found.failures


def test_hashes_are_those_of_the_thumbnails(desk: Desk) -> None:
    """Each row is what the fingerprint of its picture is."""
    found, _ = desk.pictures(8)
    with Cache(desk.cache, partial(Recipe, "recipe", "phash", "rules")) as cache:
        thumbnails = cache.thumbnails([ref.id for ref in found.refs])
    for row, (id_, _) in zip(found.hashes, found.refs, strict=True):
        assert search_hashes(pixels(thumbnails[id_].pixels), "phash", 8) == tuple(map(int, row))


@pytest.mark.parametrize("cached", [True, False])
def test_what_is_known_is_not_read_again(desk: Desk, cached: bool) -> None:
    """A second run decodes, digests and hashes nothing; without a cache it gives the same, read anew."""
    first, counts = desk.pictures(8)
    second, again = desk.pictures(8, cached=cached)
    assert (counts, (0, 0, 0) if cached else counts) == ((0, 6, 0), again)
    assert (first.entries, first.refs, first.failures) == (second.entries, second.refs, second.failures)
    assert np.array_equal(first.hashes, second.hashes)
    for expected in (6, 0 if cached else 6):
        with desk.reader(cached=cached) as (reader, executor):
            digests = reader.digests(desk.entries)
        assert (expected, 0, 0) == executor.counts()
        assert [entry.path for entry in desk.entries] == sorted(digests)
        assert digests[desk.entries[4].path] == digests[desk.entries[5].path]


def test_a_changed_file_alone_is_read_again(desk: Desk) -> None:
    """The others are known."""
    desk.pictures()
    path = Path(desk.entries[1].path)
    pictures.save(pictures.photo(77, (96, 72)), path)
    desk.entries[1] = desk.entry(path)
    with desk.reader() as (reader, executor):
        found = reader.pictures(desk.entries, "decoding", 1)
    assert {"read_thumbnails": ["1.jpg"]} == executor.done
    assert 5 == len(found.entries)


def test_another_algorithm_decodes_nothing(desk: Desk) -> None:
    """Hashes are made anew from the thumbnails; the way back costs nothing at all."""
    one, _ = desk.pictures()
    other, counts = desk.pictures(algorithm="dhash")
    assert (0, 0, 4) == counts
    assert one.refs == other.refs
    assert not np.array_equal(one.hashes, other.hashes)
    back, counts = desk.pictures()
    assert (0, 0, 0) == counts
    assert np.array_equal(one.hashes, back.hashes)


def test_haystack_files_that_become_needles(desk: Desk) -> None:
    """Eight orientations are hashed where one was kept, without decoding; one is the first of the eight."""
    upright, _ = desk.pictures(1)
    turned, counts = desk.pictures(8)
    assert (0, 0, 4) == counts
    assert ((5, 1), (5, 8)) == (upright.hashes.shape, turned.hashes.shape)
    assert np.array_equal(upright.hashes, turned.hashes[:, :1])
    again, counts = desk.pictures(1)
    assert ((0, 0, 0), (5, 1)) == (counts, again.hashes.shape)
    assert np.array_equal(upright.hashes, again.hashes)


@pytest.mark.parametrize("culprit", ["0.jpg", "3.jpg", "6.jpg"])
def test_a_file_that_kills_its_reader(desk: Desk, culprit: str) -> None:
    """It is a failure of this run, alone, and is tried again in the next."""
    found, _ = desk.pictures(culprit=culprit)
    (failure,) = [failure for path, failure in found.failures.items() if path.endswith(culprit)]
    assert ("the process that read it died", False, False) == (failure.reason, failure.lasting, failure.is_image)
    assert 4 == len(found.entries)
    found, counts = desk.pictures()
    assert 1 == counts[1]
    assert 5 == len(found.entries)
    with desk.reader(culprit=culprit) as (reader, _):
        digests = reader.digests(desk.entries)
    assert ["digest"] == [digest.stage for digest in digests.values() if isinstance(digest, Failure)]


def test_a_vanished_file_is_a_failure_of_this_run(desk: Desk) -> None:
    """Neither its thumbnail nor its digest is made up, and the failure is not kept."""
    content = Path(desk.entries[0].path).read_bytes()
    os.rename(desk.entries[0].path, desk.folder / "away")
    with desk.reader() as (reader, _):
        assert isinstance(reader.digests(desk.entries)[desk.entries[0].path], Failure)
        assert 4 == len(reader.pictures(desk.entries, "decoding", 1).entries)
    Path(desk.entries[0].path).write_bytes(content)
    desk.entries[0] = desk.entry(Path(desk.entries[0].path))
    assert 5 == len(desk.pictures()[0].entries)


def test_nothing_to_read(desk: Desk) -> None:
    """No files, no pictures, no work."""
    desk.entries = []
    found, counts = desk.pictures(8)
    assert ([], [], (0, 8), {}, (0, 0, 0)) == (found.entries, found.refs, found.hashes.shape, found.failures, counts)
    with desk.reader() as (reader, _):
        assert {} == reader.digests([])


class Comparing(Executor):
    """Finds every pair the same, and keeps the pairs that it was handed."""

    def __init__(self) -> None:
        self.pairs: list[FullSizePair] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Compare nothing."""
        future: Future[Any] = Future()
        self.pairs += args[0]
        future.set_result(([Compared(None, 0)] * len(args[0]), 0.0, 0.0))
        return future


def test_needles_of_one_witness_go_to_one_process(desk: Desk) -> None:
    """So that it is decoded once, however large they are and in whichever order they come."""
    witnesses = [FileEntry(f"/h/{number}", 4 << 20, 0, 0, number) for number in range(4)]
    pairs = [
        FullSizePair(FileEntry(f"/n/{number}", 4 << 20, 0, 0, 9), witness, 0, (9, 9), 1.0, None, None, (None, None))
        for number in range(12)
        for witness in witnesses
    ]
    made: list[Comparing] = []

    def make() -> Executor:
        made.append(Comparing())
        return made[-1]

    settings = make_settings(haystack=[str(desk.folder)], needles=[str(desk.folder / "cache")], no_cache=True)
    with Pool(2, make) as pool, Cache(None, partial(Recipe, "recipe", "phash", "rules")) as cache:
        assert dict.fromkeys(pairs) == Reader(settings, pool, cache, Silence()).compare_at_full_size(pairs)
    runs = [[witness.path for witness, _ in groupby(one.pairs, lambda pair: pair.witness)] for one in made]
    assert [["/h/0", "/h/2"], ["/h/1", "/h/3"]] == runs


def test_who_does_not_allow_bare_pictures_is_given_none(desk: Desk) -> None:
    """Neither where they are read now nor where an earlier run has left them; measured, they are kept."""
    whole, _ = desk.pictures()
    os.unlink(desk.cache)
    with desk.reader() as (reader, _):
        left = reader.pictures(desk.entries, "decoding", 1, bare=reader.bare())
    assert all(is_bare(ref.id) for ref in left.refs)
    assert whole.hashes.tolist() == left.hashes.tolist()
    for read in (5, 0):
        found, counts = desk.pictures()
        assert (whole.refs, read) == (found.refs, counts[1])
        assert whole.hashes.tolist() == found.hashes.tolist()


def test_what_is_near_a_needle_is_measured_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it need not be decoded twice; of more needles than can be sent none is asked for."""
    for most, expected in ((8, ["0.jpg"]), (7, [])):
        monkeypatch.setattr("dupfind.reading._MOST_SENT_HASHES", most)
        with desk.reader(cached=False) as (reader, _):
            needle = reader.pictures(desk.entries[:1], "decoding", 8, bare=reader.bare())
            near = reader.pictures(desk.entries, "decoding", 1, bare=reader.bare(needle))
            measured = [entry for entry, ref in zip(near.entries, near.refs, strict=True) if not is_bare(ref.id)]
            assert expected == names(measured)


def test_what_is_near_a_mirrored_needle_only_is_bare_and_not_gray(desk: Desk) -> None:
    """Its pixels are all that will be asked for, and those have to be exact."""
    with desk.reader(cached=False) as (reader, _):
        needle = reader.pictures(desk.entries[:1], "decoding", 8, bare=reader.bare())
        for upright, mirrored, expected in ((0, 1, (False, False)), (1, 0, (True, False)), (1, 3, (True, True))):
            order = [upright, mirrored, 4, 4, 4, 4, 4, 4]  # where the hashes of the picture itself are to stand
            turned = dataclasses.replace(needle, hashes=needle.hashes[:, order])
            near = reader.pictures(desk.entries[:1], "decoding", 1, bare=reader.bare(turned, may_be_gray=True))
            assert expected == (is_bare(near.refs[0].id), is_gray(near.refs[0].id))


def test_measuring_takes_the_place_of_what_was_bare(desk: Desk) -> None:
    """A later run is given the measured ones at once."""
    with desk.reader() as (reader, _):
        bare = reader.pictures(desk.entries, "decoding", 1, bare=reader.bare())
        measured = reader.measured(bare.entries, 1)
    with desk.reader() as (reader, executor):
        found = reader.pictures(desk.entries, "decoding", 1, bare=reader.bare())
        refs = [picture.ref for picture in measured.values() if isinstance(picture, Measured)]
        assert (0, refs) == (executor.counts()[1], found.refs)
        assert bare.hashes.tolist() == found.hashes.tolist()
