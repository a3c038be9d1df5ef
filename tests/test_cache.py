"""The cache: what is a hit, what is never kept, and that a run's answers do not depend on it."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dupfind.cache.cache import UNKNOWN, Cache, Known
from dupfind.cache.cache_file import DamagedError, UnusableError
from dupfind.cache.cache_schema import COARSE as IS_COARSE
from dupfind.cache.cache_schema import DAMAGED, FRAMED, FileRow, Judged, Pair, PictureRef, Recipe, picture_id
from dupfind.cache.cache_store import Store
from dupfind.errors import CacheLostError, StoppedError
from dupfind.values import Evidence, Failure, FileEntry, Thumbnail

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
ENTRY = FileEntry("/photos/summer/a.jpg", 1000, NOW - 60 * SECOND, NOW - 50 * SECOND, 77)
DIGEST = b"d" * 32


def picture(seed: int = 0) -> Thumbnail:
    """A thumbnail unlike all others."""
    return Thumbnail(seed.to_bytes(4, "big") * 1024, 640, 480, "JPEG", 1, "2017:07:18 15:31:30")


class Caches:
    """Opens one file again and again, as the runs of a day do."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.warnings: list[str] = []

    def open(self, recipe: str = "recipe 1", algorithm: str = "phash 1", **options: Callable[[], float]) -> Cache:
        """One run's view."""
        return Cache(self.path, partial(Recipe, recipe, algorithm, "rules"), warn=self.warnings.append, **options)

    def known(self, entry: FileEntry, **options: str) -> tuple[bytes | None, Known]:
        """Digest and content, as a new run recalls them."""
        with self.open(**options) as cache:
            (digest,), (content,) = cache.recall_digests([entry]), cache.recall_contents([entry])
            return digest, content

    def keep(self, entry: FileEntry, content: Thumbnail | Failure, digest: bytes = DIGEST, read_ns: int = NOW) -> Known:
        """Keep both in a run of their own; gives what a later run is to recall."""
        with self.open() as cache:
            cache.keep_digest(entry, digest, read_ns)
            return Known(cache.keep_content(entry, content, read_ns), None)


@pytest.fixture
def caches(tmp_path: Path) -> Caches:
    """A cache file that is not there yet."""
    return Caches(tmp_path / "deep" / "cache.sqlite")


def test_what_was_kept_is_known_in_the_next_run(caches: Caches) -> None:
    """Digest, thumbnail with all its facts, and hashes come back."""
    known = caches.keep(ENTRY, picture(1))
    assert isinstance(known.content, PictureRef)
    with caches.open() as cache:
        cache.keep_hashes(known.content.id, b"8 bytes.")
    assert (DIGEST, Known(known.content, b"8 bytes.")) == caches.known(ENTRY)
    with caches.open() as cache:
        assert {known.content.id: picture(1)} == cache.thumbnails([known.content.id])
    assert [] == caches.warnings


@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns", "ctime_ns", "path"])
@pytest.mark.parametrize("step", [-1, 1])
def test_each_difference_alone_is_a_miss(caches: Caches, field: str, step: int) -> None:
    """A byte or a nanosecond more or less, and the file is read again; so is another file of the same times."""
    caches.keep(ENTRY, picture())
    value = f"/photos/summer/b{step}.jpg" if field == "path" else getattr(ENTRY, field) + step
    other = ENTRY._replace(**{field: value, "inode": 78 if field == "path" else ENTRY.inode})
    assert (None, UNKNOWN) == caches.known(other)


@pytest.mark.parametrize("inode", [1, 77, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_moved_file_is_known_and_then_kept_under_its_new_path(caches: Caches, inode: int) -> None:
    """A renamed folder costs nothing; afterwards it is known under both paths."""
    old, new = ENTRY._replace(inode=inode), ENTRY._replace(path="/elsewhere/z.jpg", inode=inode)
    known = caches.keep(old, picture())
    assert (DIGEST, known) == caches.known(new)
    assert (DIGEST, known) == caches.known(new)
    assert (DIGEST, known) == caches.known(old)


@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns", "ctime_ns", "inode"])
def test_another_file_is_not_taken_for_a_moved_one(caches: Caches, field: str) -> None:
    """A moved file is known by inode, size and both times together."""
    caches.keep(ENTRY, picture())
    moved = ENTRY._replace(path="/elsewhere/z.jpg", **{field: getattr(ENTRY, field) + 1})
    assert (None, UNKNOWN) == caches.known(moved)


@pytest.mark.parametrize("path", [ENTRY.path, "/elsewhere/z.jpg"])
def test_what_has_no_inode_is_not_kept(caches: Caches, path: str) -> None:
    """Inode 0 stands for a file system that makes them up, and keeps no time of change either; all files share it."""
    with caches.open() as cache:
        ref = cache.keep_content(ENTRY._replace(inode=0), picture(), NOW)
        cache.keep_digest(ENTRY._replace(inode=0), DIGEST, NOW)
        cache.keep_digests([ENTRY._replace(inode=0)], [DIGEST], NOW)
        assert isinstance(ref, PictureRef)
        assert {ref.id: picture()} == cache.thumbnails([ref.id])  # for this run
    assert (None, UNKNOWN) == caches.known(ENTRY._replace(inode=0, path=path))


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "is_kept"),
    [
        (NOW - 2 * SECOND, NOW - 2 * SECOND, True),
        (NOW - 2 * SECOND + 1, NOW - 9 * SECOND, False),
        (NOW - 9 * SECOND, NOW - 2 * SECOND + 1, False),
        (NOW, NOW, False),
        (NOW - 9 * SECOND, NOW + 1, False),
        (NOW + 9000 * SECOND, NOW - 9 * SECOND, True),
        (-(10**18), NOW - 9 * SECOND, True),
    ],
)
def test_racy_files_serve_this_run_only(caches: Caches, mtime_ns: int, ctime_ns: int, is_kept: bool) -> None:
    """Changed within two seconds before the reading, a file may change again with the same times; a camera's
    clock that runs ahead does not make it racy.
    """
    entry = ENTRY._replace(mtime_ns=mtime_ns, ctime_ns=ctime_ns)
    beside = [ENTRY._replace(path=f"/photos/beside {number}.jpg", inode=100 + number) for number in range(2)]
    with caches.open() as cache:
        cache.keep_digests([beside[0], entry, beside[1]], [b"0" * 32, DIGEST, b"1" * 32], NOW)
    assert [b"0" * 32, b"1" * 32] == [caches.known(each)[0] for each in beside]
    assert (DIGEST if is_kept else None) == caches.known(entry)[0]
    with caches.open() as cache:
        cache.keep_digest(entry, DIGEST, NOW)
        content = cache.keep_content(entry, picture(), NOW)
        assert isinstance(content, PictureRef)
        assert {content.id: picture()} == cache.thumbnails([content.id])
    assert ((DIGEST, Known(content, None)) if is_kept else (None, UNKNOWN)) == caches.known(entry)


@pytest.mark.parametrize("time_ns", [2**63, 2**64, -(2**63) - 1])
def test_times_that_no_column_holds(caches: Caches, time_ns: int) -> None:
    """A file dated in the year 2300, or 1600, is read in each run and disturbs nothing."""
    for entry in (ENTRY._replace(mtime_ns=time_ns), ENTRY._replace(mtime_ns=time_ns, path="/moved.jpg")):
        caches.keep(entry, picture())
        assert (None, UNKNOWN) == caches.known(entry)
    assert [] == caches.warnings


def test_recipe_and_algorithm_are_part_of_the_key(caches: Caches) -> None:
    """Another Pillow decodes anew but digests nothing; another algorithm hashes anew but decodes nothing."""
    known = caches.keep(ENTRY, picture())
    assert isinstance(known.content, PictureRef)
    with caches.open() as cache:
        cache.keep_hashes(known.content.id, b"8 bytes.")
    assert (DIGEST, UNKNOWN) == caches.known(ENTRY, recipe="recipe 2")
    assert (DIGEST, known) == caches.known(ENTRY, algorithm="dhash 1")
    with caches.open(recipe="recipe 2") as cache:
        cache.keep_content(ENTRY, picture(2), NOW)
    assert (DIGEST, UNKNOWN) == caches.known(ENTRY)
    assert caches.known(ENTRY, recipe="recipe 2")[1].content not in (None, known.content)


def test_a_changed_file_loses_what_was_known(caches: Caches) -> None:
    """Neither a new digest keeps the old thumbnail, nor a new thumbnail the old digest."""
    one, two = ENTRY._replace(mtime_ns=ENTRY.mtime_ns + 5), ENTRY._replace(mtime_ns=ENTRY.mtime_ns + 9)
    caches.keep(ENTRY, picture())
    with caches.open() as cache:
        cache.keep_digest(one, b"e" * 32, NOW)
    assert (b"e" * 32, UNKNOWN) == caches.known(one)
    with caches.open() as cache:
        content = cache.keep_content(two, picture(3), NOW)
    assert (None, Known(content, None)) == caches.known(two)
    assert (None, UNKNOWN) == caches.known(one)


@pytest.mark.parametrize("is_image", [True, False])
@pytest.mark.parametrize("lasting", [True, False])
def test_failures(caches: Caches, is_image: bool, lasting: bool) -> None:
    """A lasting failure is remembered with its reason; one that another try may cure is not."""
    failure = Failure("cannot be decoded: 'broken' \u2014 stream", is_image=is_image, lasting=lasting)
    assert caches.keep(ENTRY, failure) == (failure, None)
    assert (DIGEST, Known(failure, None) if lasting else UNKNOWN) == caches.known(ENTRY)


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"\xff\xfe", b"'; DROP TABLE file; --", b"a\nb", b"-rf"])
def test_any_name(caches: Caches, name: bytes) -> None:
    """Names are bytes; folders too."""
    entry = ENTRY._replace(path=os.fsdecode(b"/photos/\xe4" + name + b"/" + name))
    known = caches.keep(entry, picture())
    assert (DIGEST, known) == caches.known(entry)


def test_no_cache_gives_the_same_answers() -> None:
    """Without a file, thumbnails are at hand for the run and nothing is recalled."""
    with Cache(None, partial(Recipe, "recipe", "phash", "rules")) as cache:
        content = cache.keep_content(ENTRY, picture(4), NOW)
        assert isinstance(content, PictureRef)
        cache.keep_hashes(content, b"8 bytes.")
        cache.keep_digest(ENTRY, DIGEST, NOW)
        assert ([None] * 2, [UNKNOWN] * 2) == (
            list(cache.recall_digests([ENTRY] * 2)),
            list(cache.recall_contents([ENTRY] * 2)),
        )
        assert {content.id: picture(4)} == cache.thumbnails([content.id, content.id])


def test_written_every_few_seconds(caches: Caches) -> None:
    """A kill loses seconds of work, not more, and between two writes no lock is held."""
    now = 0.0
    entries = [ENTRY._replace(path=f"/photos/{number}", inode=1 + number) for number in range(6)]
    with caches.open(clock=lambda: now) as cache, caches.open() as reader:
        for entry in entries:
            cache.keep_digest(entry, DIGEST, NOW)
            now += 0.7
        assert [DIGEST] * 4 + [None] * 2 == list(reader.recall_digests(entries))


def test_written_where_it_is_full(caches: Caches, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little time has passed: what waits takes memory."""
    monkeypatch.setattr("dupfind.cache.cache.MOST_ROWS", 4)
    entries = [ENTRY._replace(path=f"/photos/{number}", inode=1 + number) for number in range(6)]
    with caches.open(clock=lambda: 0.0) as cache, caches.open() as reader:
        for entry in entries[:3]:
            cache.keep_digest(entry, DIGEST, NOW)
        assert [None] * 6 == list(reader.recall_digests(entries))
        for entry in entries[3:]:
            cache.keep_digest(entry, DIGEST, NOW)
        assert [DIGEST] * 4 + [None] * 2 == list(reader.recall_digests(entries))


@pytest.mark.parametrize("kind", ["parts", "fragments", "archives"])
def test_written_where_data_take_room(caches: Caches, kind: str) -> None:
    """A few rows may hold as much as all others: of a needle that shows a part of thousands of pictures, say."""
    data = bytes(3 << 20)
    entries = [ENTRY._replace(path=f"/photos/{number}", inode=1 + number) for number in range(5)]
    with caches.open(clock=lambda: 0.0) as cache, caches.open() as reader:
        for entry in entries:
            if kind == "archives":
                cache.keep_archive("recipe", entry, data, NOW)
            else:
                getattr(cache, f"keep_{kind}")(entry, data, NOW)
        recall = partial(reader.recall_archives, "recipe") if kind == "archives" else getattr(reader, f"recall_{kind}")
        assert [data] * 3 + [None] * 2 == list(recall(entries))


def test_a_new_cache_is_not_asked_file_by_file(caches: Caches, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows nothing; one that knows a single file is asked."""
    asked: list[str] = []
    files_in = Store.files_in

    def ask(store: Store, folder: str, *values: Any) -> dict[bytes, FileRow]:
        asked.append(folder)
        return files_in(store, folder, *values)

    monkeypatch.setattr(Store, "files_in", ask)
    with caches.open() as cache:
        assert [None, None] == list(cache.recall_digests([ENTRY, ENTRY]))
    assert [] == asked
    caches.keep(ENTRY, picture())
    with caches.open() as cache:
        assert [DIGEST] == list(cache.recall_digests([ENTRY]))
    assert ["/photos/summer"] == asked


def test_moved_files_count_as_rows(caches: Caches, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known under another path waits to be written as well."""
    caches.keep(ENTRY, picture())
    monkeypatch.setattr("dupfind.cache.cache.MOST_ROWS", 2)
    moved = ENTRY._replace(path="/elsewhere/a.jpg")
    with caches.open(clock=lambda: 0.0) as cache:
        assert [DIGEST] == list(cache.recall_digests([moved]))
        cache.keep_digest(ENTRY._replace(path="/b.jpg", inode=9), DIGEST, NOW)
        with closing(sqlite3.connect(caches.path)) as connection:
            assert (b"/elsewhere",) in connection.execute("SELECT path FROM folder").fetchall()


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit(), StoppedError(15)])
def test_written_at_the_end_however_it_ends(caches: Caches, error: BaseException) -> None:
    """What was read before Ctrl-C need not be read again."""
    with pytest.raises(type(error)), caches.open(clock=lambda: 0.0) as cache:  # noqa: PT012 - raising inside is the point
        cache.keep_digest(ENTRY, DIGEST, NOW)
        raise error
    assert caches.known(ENTRY)[0] == DIGEST


@pytest.mark.parametrize("error", [UnusableError("database or disk is full"), DamagedError("malformed")])
def test_a_disk_that_fills_up(caches: Caches, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """One warning; what was kept is found, what comes is held for the run; a damaged file is set aside at the end."""
    known = caches.keep(ENTRY, picture(1))
    caches.keep(ENTRY._replace(path="/gone", inode=3), picture(1))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Store, "set_contents", fail)
    ids = []
    with caches.open() as cache:
        list(cache.recall_digests([ENTRY._replace(path="/moved", inode=3)]))
        for number in range(5):
            entry = ENTRY._replace(path=f"/photos/{number}", inode=100 + number)
            cache.keep_digest(entry, DIGEST, NOW)
            ids.append(cache.keep_content(entry, picture(number + 1), NOW).id)
            cache.keep_hashes(ids[-1], b"8 bytes.")
            list(cache.recall_digests([ENTRY._replace(path="/moved", inode=3)]))
            assert picture(number + 1) == cache.thumbnails(ids)[ids[-1]]
        assert known == next(cache.recall_contents([ENTRY]))
    assert "going on without" in caches.warnings[0]
    assert ["set aside" in text for text in caches.warnings[1:]] == [True] * isinstance(error, DamagedError)
    monkeypatch.undo()
    assert (None, UNKNOWN) == caches.known(ENTRY._replace(path="/photos/0", inode=100))


def test_a_cloned_disk_is_not_a_moved_file(caches: Caches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block-wise clone repeats inode and times, also of what it could not copy: while both are there, it is read."""
    (tmp_path / "a.jpg").write_bytes(b"picture")
    (tmp_path / "clone").mkdir()
    os.link(tmp_path / "a.jpg", tmp_path / "clone" / "a.jpg")
    found = os.stat(tmp_path / "a.jpg")
    state = found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
    caches.keep(FileEntry(str(tmp_path / "a.jpg"), *state), picture(), read_ns=found.st_ctime_ns + 5 * SECOND)
    clone = FileEntry(str(tmp_path / "clone" / "a.jpg"), *state)

    def other_device(path: str) -> SimpleNamespace:
        size, mtime_ns, ctime_ns, _ = state
        device = 4711 if "/clone/" in path else 1
        return SimpleNamespace(st_dev=device, st_size=size, st_mtime_ns=mtime_ns, st_ctime_ns=ctime_ns)

    monkeypatch.setattr("dupfind.cache.cache_store._look", other_device)
    assert (None, UNKNOWN) == caches.known(clone)
    monkeypatch.undo()
    assert DIGEST == caches.known(clone)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": bytes(4096)},
        {"width": 641},
        {"height": 481},
        {"format": "PNG"},
        {"frames": 2},
        {"captured": None},
        {"chroma": bytes(128)},
        {"more": "a video"},
        {"quality": 90},
        {"data_bytes": 1},
        {"damage": "no end marker"},
        {"detail": 0.5},
        {"text": 0.5},
        {"border": bytes(8)},
        {"is_coarse": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_fact_makes_another_picture(change: dict[str, object]) -> None:
    """What is remembered of two pictures goes by their ids: nothing that a judgement looks at may be left out."""
    plain = picture(7)
    assert picture_id(plain) == picture_id(picture(7))
    assert picture_id(plain) != picture_id(dataclasses.replace(plain, **change))  # type: ignore[arg-type]


def test_the_facts_of_a_picture_are_all_there() -> None:
    """The test above names every one."""
    (mark,) = (one for one in test_every_fact_makes_another_picture.pytestmark if one.name == "parametrize")
    assert {one.name for one in dataclasses.fields(Thumbnail)} == {name for change in mark.args[1] for name in change}


@pytest.mark.parametrize(
    ("facts", "traits"),
    [
        ({}, 0),
        ({"is_coarse": True}, IS_COARSE),
        ({"damage": "no end marker"}, DAMAGED),
        ({"damage": ""}, DAMAGED),
        ({"border": bytes(8)}, FRAMED),
        ({"is_coarse": True, "damage": "cut", "border": b""}, IS_COARSE | DAMAGED | FRAMED),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_traits_are_told_by_the_id(facts: dict[str, Any], traits: int, seed: int) -> None:
    """Of a picture of this run or of an earlier one, stored or not, without a look at it."""
    assert traits == picture_id(dataclasses.replace(picture(seed), **facts)) & (IS_COARSE | DAMAGED | FRAMED)


def test_judgements_hold_for_their_rules_only(caches: Caches) -> None:
    """What older rules called the same is judged again by the new ones, and another orientation is another pair."""
    pair, judged = Pair(1, 2, 0), Judged(Evidence.SAME, None, is_last=True, closeness=0.4)
    one, other = (partial(Recipe, "recipe", "phash", f"rules {number}") for number in (1, 2))
    with Cache(caches.path, one) as cache:
        cache.keep_judgement(pair, judged)
    with Cache(caches.path, one) as cache:
        assert {pair: judged} == cache.judgements([1, 3])
        assert {} == cache.judgements([2])
    with Cache(caches.path, other) as cache:
        assert {} == cache.judgements([1])


def test_bit_rot_in_a_thumbnail_is_noticed(caches: Caches) -> None:
    """A thumbnail that is not what was stored proves nothing: the file is set aside and the run starts again."""
    known = caches.keep(ENTRY, picture(7))
    with closing(sqlite3.connect(caches.path)) as connection, connection:
        connection.execute("UPDATE picture SET pixels = zeroblob(4096)")
    with pytest.raises(CacheLostError) as caught, caches.open() as cache:
        cache.thumbnails([known.content.id])
    assert caught.value.is_gone


def test_thumbnails_that_were_pruned_meanwhile(caches: Caches) -> None:
    """When another process clears what this one counts on, the run starts again without the cache."""
    known = caches.keep(ENTRY, picture())
    with pytest.raises(CacheLostError) as caught, caches.open() as cache:
        cache.thumbnails([known.content.id, 4711])
    assert not caught.value.is_gone


STATES = st.builds(
    lambda file, *state: FileEntry(file[0], *state, file[1]),
    st.sampled_from([("/a/1", 11), ("/a/2", 12), ("/b/1", 13)]),
    st.integers(1, 2),
    st.sampled_from([NOW - 9 * SECOND, NOW - SECOND]),
    st.sampled_from([NOW - 9 * SECOND, NOW - 8 * SECOND]),
)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(STATES, st.sampled_from(["digest", "content", "reopen"]), st.integers(0, 9)), max_size=25))
def test_like_a_dictionary(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[FileEntry, str, int]]) -> None:
    """Whatever is kept in whatever order, recalled is what a dictionary by path and state would hold."""
    caches = Caches(tmp_path_factory.mktemp("model") / "cache.sqlite")
    model: dict[str, tuple[FileEntry, dict[str, object]]] = {}
    cache = caches.open()
    for entry, step, number in steps:
        value: object = bytes([number]) * 32
        if step == "reopen":
            cache.__exit__(None)
            cache = caches.open()
            continue
        if step == "digest":
            cache.keep_digest(entry, bytes([number]) * 32, NOW)
        else:
            value = cache.keep_content(entry, picture(number), NOW)
        if entry.mtime_ns < NOW - SECOND:
            held = model.get(entry.path)
            model[entry.path] = entry, {**(held[1] if held and held[0] == entry else {}), step: value}
        cache.flush()
    cache.__exit__(None)
    for entry, *_ in steps:
        held = model.get(entry.path)
        values = held[1] if held and held[0] == entry else {}
        assert (values.get("digest"), Known(values.get("content"), None)) == caches.known(entry)


COARSE = dataclasses.replace(picture(1), is_coarse=True)


def whole_of(caches: Caches, entry: FileEntry = ENTRY, **options: str) -> PictureRef | Failure | None:
    """What a new run recalls of reading a file whole."""
    with caches.open(**options) as cache:
        return cache.recall_whole(entry)


@pytest.mark.parametrize("content", [picture(2), Failure("cannot be decoded: broken data stream")])
def test_the_whole_is_kept_beside_the_beginning(caches: Caches, content: Thumbnail | Failure) -> None:
    """Both are recalled, whichever was kept first in this run, and the thumbnails of both."""
    known = caches.keep(ENTRY, COARSE)
    assert whole_of(caches) is None
    with caches.open() as cache:
        whole = cache.keep_content(ENTRY, content, NOW, after_coarse=True)
    assert (DIGEST, known) == caches.known(ENTRY)
    assert whole == whole_of(caches)
    with caches.open() as cache:
        for ref in (known.content, whole):
            if isinstance(ref, PictureRef):
                is_coarse = cache.thumbnails([ref.id])[ref.id].is_coarse
                assert is_coarse == (ref == known.content) == bool(ref.id & IS_COARSE)


def test_both_in_one_run(caches: Caches) -> None:
    """They are written together, the beginning first."""
    with caches.open() as cache:
        cache.keep_content(ENTRY, picture(2), NOW, after_coarse=True)
        cache.keep_content(ENTRY, COARSE, NOW)
    assert PictureRef(picture_id(picture(2)), COARSE.size_pixels) == whole_of(caches)


@pytest.mark.parametrize(
    "change", [{"size_bytes": 1}, {"mtime_ns": 1}, {"ctime_ns": 1}, {"inode": 78}, {"path": "/photos/summer/b"}]
)
def test_the_whole_of_another_file_is_not_known(caches: Caches, change: dict[str, Any]) -> None:
    """One that has changed, or has another name."""
    caches.keep(ENTRY, COARSE)
    with caches.open() as cache:
        cache.keep_content(ENTRY, picture(2), NOW, after_coarse=True)
    assert whole_of(caches, ENTRY._replace(**change)) is None


def test_the_whole_goes_with_the_beginning(caches: Caches) -> None:
    """Another recipe knows neither; who reads the beginning anew reads the whole anew."""
    caches.keep(ENTRY, COARSE)
    with caches.open() as cache:
        cache.keep_content(ENTRY, picture(2), NOW, after_coarse=True)
    assert whole_of(caches, recipe="recipe 2") is None
    caches.keep(ENTRY, COARSE)
    assert whole_of(caches) is None


def test_a_whole_that_is_not_kept(caches: Caches) -> None:
    """What was read of a racy file, or failed for the moment, serves this run only; without a file likewise."""
    caches.keep(ENTRY, COARSE)
    with caches.open() as cache:
        late = cache.keep_content(ENTRY, picture(2), ENTRY.ctime_ns + 1, after_coarse=True)
        assert isinstance(late, PictureRef)
        assert picture(2) == cache.thumbnails([late.id])[late.id]
        cache.keep_content(ENTRY, Failure("time", lasting=False), NOW, after_coarse=True)
    assert whole_of(caches) is None
    with Cache(None, partial(Recipe, "recipe", "phash", "rules")) as cache:
        cache.keep_content(ENTRY, COARSE, NOW)
        assert cache.recall_whole(ENTRY) is None


@pytest.mark.parametrize("what", ["digest", "content"])
def test_two_files_of_one_moment_change_places(caches: Caches, what: str) -> None:
    """Equal sizes and times, other inodes: what is known goes with the inode and not with the name."""
    other = ENTRY._replace(path="/photos/winter/a.jpg", inode=78)
    first, second = caches.keep(ENTRY, picture(1), b"1" * 32), caches.keep(other, picture(2), b"2" * 32)
    moved = [ENTRY._replace(inode=78), other._replace(inode=77)]
    with caches.open() as cache:
        if what == "digest":
            assert [b"2" * 32, b"1" * 32] == list(cache.recall_digests(moved))
        else:
            assert [second, first] == list(cache.recall_contents(moved))
    assert (b"2" * 32, second) == caches.known(moved[0])
    assert caches.known(moved[1]) in ((b"1" * 32, first), (None, UNKNOWN))  # the one may have taken the other's row


def test_another_file_of_that_moment_takes_the_name(caches: Caches) -> None:
    """One that was never seen: nothing is known of it, and what is then learned of it replaces what was there."""
    caches.keep(ENTRY, picture(1), b"1" * 32)
    stranger = ENTRY._replace(inode=99)
    assert (None, UNKNOWN) == caches.known(stranger)
    with caches.open() as cache:
        cache.keep_digest(stranger, b"9" * 32, NOW)
    assert (b"9" * 32, UNKNOWN) == caches.known(stranger)


def test_large_inodes_are_the_same_file(caches: Caches) -> None:
    """A system may use all 64 bits."""
    entry = ENTRY._replace(inode=(1 << 64) - 5)
    known = caches.keep(entry, picture(3), b"3" * 32)
    assert (b"3" * 32, known) == caches.known(entry)
