"""The cache between runs: info, prune, clear."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from dupfind.cache import cache_file, cache_upkeep
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.cache.cache_upkeep import CacheInfo, Pruned, clear, info, prune
from dupfind.errors import CacheError
from dupfind.values import Failure, FileEntry, Thumbnail

LATER_NS = time.time_ns() + 10**15  # days, however long the suite takes to come here


@pytest.fixture
def files(tmp_path: Path) -> list[FileEntry]:
    """Six files in two folders."""
    entries = []
    for name in ("a/1", "a/2", "a/3", "b/1", "b/2", "b/3"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        found = path.stat()
        entries.append(FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino))
    return entries


@pytest.fixture
def cache_path(tmp_path: Path, files: list[FileEntry]) -> str:
    """A cache that knows all files: a digest and a thumbnail of each, but of the last a failure."""
    path = str(tmp_path / "cache.sqlite")
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        for number, entry in enumerate(files):
            cache.keep_digest(entry, bytes([number]) * 32, LATER_NS)
            content = Thumbnail(bytes([number]) * 4096, 8, 8, "PNG", 1, None) if number < 5 else Failure("broken")
            picture = cache.keep_content(entry, content, LATER_NS)
            if isinstance(picture, PictureRef):
                cache.keep_hashes(picture.id, b"8 bytes.")
    return path


def known(path: str, entries: list[FileEntry]) -> list[bool]:
    """Which files a new run still knows."""
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        return [digest is not None for digest in cache.recall_digests(entries)]


def rows(path: str, table: str) -> int:
    """How many rows a table has."""
    connection = sqlite3.connect(path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def test_info_counts(cache_path: str) -> None:
    """What is held, by kind."""
    size_bytes = os.path.getsize(cache_path)
    assert CacheInfo(size_bytes, files=6, digests=6, thumbnails=5, failures=1, answers=0, snapshots=0) == info(
        cache_path
    )


def test_where_there_is_no_cache(tmp_path: Path) -> None:
    """Nothing to tell and nothing to do, and none is made."""
    path = str(tmp_path / "none.sqlite")
    assert (None, 0, Pruned(0, 0, 0, 0)) == (info(path), clear(path), prune(path, with_absent_folders=True))
    assert not os.path.lexists(path)


def test_prune_leaves_what_is_true(cache_path: str, files: list[FileEntry]) -> None:
    """All files are there and unchanged: nothing is dropped."""
    assert Pruned(0, 6, 0, 0) == prune(cache_path, with_absent_folders=True)
    assert all(known(cache_path, files))


def test_prune_drops_what_is_gone_or_has_changed(cache_path: str, files: list[FileEntry]) -> None:
    """With the rows go thumbnails and hashes that no file has any more; what is left is still known."""
    os.unlink(files[0].path)
    os.utime(files[1].path, ns=(0, 0))
    os.unlink(files[5].path)
    pruned = prune(cache_path, with_absent_folders=False)
    assert (3, 3, 0) == pruned[:3] if isinstance(pruned, tuple) else (pruned.removed, pruned.kept, pruned.away)
    assert [False, False, True, True, True, False] == known(cache_path, files)
    assert (3, 3, 3, 2) == tuple(rows(cache_path, table) for table in ("file", "picture", "hash", "folder"))


def test_prune_believes_that_an_absent_folder_comes_back(cache_path: str, files: list[FileEntry]) -> None:
    """A drive may be unplugged: its files are kept unless asked otherwise."""
    shutil.rmtree(os.path.dirname(files[0].path))
    assert Pruned(0, 3, 3, 0) == prune(cache_path, with_absent_folders=False)
    assert all(known(cache_path, files))
    pruned = prune(cache_path, with_absent_folders=True)
    assert (3, 3, 0) == (pruned.removed, pruned.kept, pruned.away)
    assert [False] * 3 + [True] * 3 == known(cache_path, files)
    assert 1 == rows(cache_path, "folder")


def test_prune_looks_at_files_without_holding_the_lock(
    cache_path: str, files: list[FileEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run writes meanwhile, and what it has learned of a file that has changed stays."""
    os.utime(files[1].path, ns=(0, 0))
    os.unlink(files[0].path)
    found = os.stat(files[1].path)
    changed = files[1]._replace(mtime_ns=0, ctime_ns=found.st_ctime_ns)
    true_state, asked = cache_upkeep._state, []

    def state(path: bytes) -> tuple[int, int, int] | None:
        if not asked:
            with Cache(cache_path, partial(Recipe, "recipe", "phash", "rules")) as other:
                other.keep_digest(changed, b"n" * 32, LATER_NS)
        asked.append(path)
        return true_state(path)

    monkeypatch.setattr(cache_upkeep, "_state", state)
    monkeypatch.setattr(cache_file, "_BUSY_SECONDS", 0.1)
    assert 1 == prune(cache_path, with_absent_folders=False).removed
    assert [False, True] == known(cache_path, [files[0], changed])


def test_clear_waits_for_a_write(cache_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a write leaves beside a file that has gone would be taken for the journal of the next one."""
    monkeypatch.setattr(cache_file, "_BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(cache_path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(CacheError, match="locked"):
            clear(cache_path)
        assert os.path.exists(cache_path)
        connection.execute("ROLLBACK")
    assert clear(cache_path) > 0


def test_prune_gives_space_back(tmp_path: Path) -> None:
    """The file gets smaller, by as much as is said."""
    path = str(tmp_path / "cache.sqlite")
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        for number in range(100):
            entry = FileEntry(str(tmp_path / f"gone{number}"), 1, 0, 0, 1 + number)
            cache.keep_content(entry, Thumbnail(bytes([number]) * 4096, 8, 8, "PNG", 1, None), LATER_NS)
    before_bytes = os.path.getsize(path)
    pruned = prune(path, with_absent_folders=False)
    assert (100, before_bytes - os.path.getsize(path)) == (pruned.removed, pruned.freed_bytes)
    assert pruned.freed_bytes > 100 * 4096


def test_a_thumbnail_shared_with_a_living_file_stays(tmp_path: Path, files: list[FileEntry]) -> None:
    """Two copies have one thumbnail; it lives as long as one of them."""
    path = str(tmp_path / "shared.sqlite")
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        contents = [cache.keep_content(e, Thumbnail(bytes(4096), 8, 8, "PNG", 1, None), LATER_NS) for e in files[:2]]
    os.unlink(files[0].path)
    prune(path, with_absent_folders=False)
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        (found,) = cache.recall_contents([files[1]])
        assert contents[1] == found.content
        assert 1 == len(cache.thumbnails([contents[1].id]))  # type: ignore[list-item]


def test_the_whole_of_a_living_file_stays(tmp_path: Path, files: list[FileEntry]) -> None:
    """A file read coarsely and then whole has two thumbnails; both live as long as it does."""
    path = str(tmp_path / "wholes.sqlite")
    whole = Thumbnail(bytes(4096), 8, 8, "JPEG", 1, None)
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        for entry in files[:2]:
            cache.keep_content(entry, dataclasses.replace(whole, is_coarse=True), LATER_NS)
            cache.keep_content(entry, dataclasses.replace(whole, width=len(entry.path)), LATER_NS, after_coarse=True)
    prune(path, with_absent_folders=False)
    with Cache(path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        for entry in files[:2]:
            ref = cache.recall_whole(entry)
            assert isinstance(ref, PictureRef)
            assert len(entry.path) == cache.thumbnails([ref.id])[ref.id].width
    for entry in files[:2]:
        os.unlink(entry.path)
    prune(path, with_absent_folders=False)
    assert 0 == rows(path, "picture")


def test_a_run_beside_prune_is_right(cache_path: str, files: list[FileEntry]) -> None:
    """A run that wrote to a folder before and after it was pruned away finds its files again."""
    shutil.rmtree(os.path.dirname(files[0].path))
    with Cache(cache_path, partial(Recipe, "recipe", "phash", "rules")) as cache:
        cache.keep_digest(files[0], b"1" * 32, LATER_NS)
        cache.flush()
        prune(cache_path, with_absent_folders=True)
        with Cache(cache_path, partial(Recipe, "recipe", "phash", "rules")) as other:
            other.keep_digest(files[0]._replace(path="/new/one", inode=7), b"2" * 32, LATER_NS)
        cache.keep_digest(files[0], b"1" * 32, LATER_NS)
    assert [True, True] == known(cache_path, [files[0], files[0]._replace(path="/new/one", inode=7)])


def test_clear_deletes_the_cache(cache_path: str) -> None:
    """With its journal; the bytes freed are told."""
    size_bytes = os.path.getsize(cache_path)
    assert size_bytes == clear(cache_path)
    assert [] == [name for name in os.listdir(os.path.dirname(cache_path)) if name.startswith("cache")]


@pytest.mark.parametrize("kind", ["text", "database", "directory", "symlink"])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, cache_path: str, kind: str) -> None:
    """A slip in ``--cache`` deletes, renames and changes nothing."""
    path = tmp_path / "mine"
    match kind:
        case "text":
            path.write_text("my only copy")
        case "database":
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE mail (text)")
            connection.commit()
            connection.close()
        case "directory":
            path.mkdir()
        case "symlink":
            path.symlink_to(cache_path)
    before = {name: name.read_bytes() for name in tmp_path.iterdir() if name.is_file()}
    for command in (info, clear, lambda it: prune(it, with_absent_folders=True)):
        with pytest.raises(CacheError, match="mine"):
            command(str(path))
    assert before == {name: name.read_bytes() for name in tmp_path.iterdir() if name.is_file()}
