"""The cache's file: what stands in its place, what damages it, and who else writes to it."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dupfind.cache import cache_file
from dupfind.cache.cache import Cache
from dupfind.cache.cache_file import DamagedError, UnusableError, translated
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.cache.cache_store import Store
from dupfind.errors import CacheLostError
from tests.helpers.cache_rows import DIGEST, NOW, digests, entry, fill, picture


def make_foreign(path: Path) -> None:
    """Somebody else's SQLite database."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mail (text)")
    connection.commit()
    connection.close()


def make_other_version(path: Path) -> None:
    """A cache of a later dupfind."""
    fill(path, 1)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 4711")
    connection.close()


def cut(path: Path) -> None:
    """A cache that lost its second half, as a full disk or a broken copy does."""
    fill(path)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def garble(path: Path) -> None:
    """A cache that has lost all but its first page."""
    fill(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        lambda path: path.write_bytes(b"\x89PNG of somebody"),
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64),
        lambda path: path.write_bytes(b"SQLite format 3\0"),
        make_foreign,
        make_other_version,
    ],
    ids=["cut", "garbage", "header and garbage", "header alone", "foreign", "other version"],
)
def test_what_is_no_cache_is_set_aside(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """It is renamed and never deleted, told in one line, and a new cache is begun; twice in a row too."""
    path = tmp_path / "cache.sqlite"
    for number, aside in enumerate(["cache.sqlite.set-aside", "cache.sqlite.set-aside.1"], 1):
        path.unlink(missing_ok=True)
        spoil(path)
        content = path.read_bytes()
        (warning,) = fill(path, 3)
        assert aside in warning
        assert content == (tmp_path / aside).read_bytes()
        assert [DIGEST] * 3 == digests(path, 3)
        assert number + 1 == len(list(tmp_path.iterdir()))


def test_damage_that_shows_while_reading(tmp_path: Path) -> None:
    """The run is told to start again, the damaged file is set aside whole, and the next try begins a new one."""
    path = tmp_path / "cache.sqlite"
    garble(path)
    content = path.read_bytes()
    with (
        pytest.raises(CacheLostError) as caught,
        Cache(str(path), partial(Recipe, "recipe", "phash", "rules")) as cache,
    ):
        list(cache.recall_contents([entry(number) for number in range(200)]))
    assert caught.value.is_gone
    assert content == (tmp_path / "cache.sqlite.set-aside").read_bytes()
    assert [] == fill(path, 3)
    assert [DIGEST] * 3 == digests(path, 3)


def test_damage_that_cannot_be_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged cache in a folder where nothing may be renamed is gone without, at the start and while reading."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    path = tmp_path / "cache.sqlite"
    garble(path)
    with (
        pytest.raises(CacheLostError) as caught,
        Cache(str(path), partial(Recipe, "recipe", "phash", "rules")) as cache,
    ):
        list(cache.recall_contents([entry(number) for number in range(200)]))
    assert not caught.value.is_gone
    path.write_bytes(b"garbage")
    (warning,) = fill(path, 3)
    assert "going on without" in warning


def in_its_place(kind: str, path: Path) -> None:
    """Put something that is no file where the cache should be."""
    match kind:
        case "directory":
            path.mkdir()
        case "symlink":
            make_foreign(path.with_name("target"))
            path.symlink_to(path.with_name("target"))
        case "dangling symlink":
            path.symlink_to("nowhere")
        case "named pipe":
            os.mkfifo(path)
        case "file for folder":
            path.parent.rmdir()
            path.parent.write_bytes(b"")


@pytest.mark.parametrize("kind", ["directory", "symlink", "dangling symlink", "named pipe", "file for folder"])
def test_what_cannot_be_a_cache_is_a_warning(tmp_path: Path, kind: str) -> None:
    """It stays as it is, a link is not followed, a pipe is not waited for, and the run has its answers."""
    path = tmp_path / "folder" / "cache.sqlite"
    path.parent.mkdir()
    in_its_place(kind, path)
    before = sorted(tmp_path.rglob("*"))
    (warning,) = fill(path, 3)
    assert "going on without" in warning
    assert [None] * 3 == digests(path, 3)
    assert before == sorted(tmp_path.rglob("*"))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EMFILE])
def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """No permission, a read-only or full disk: a warning that says so, and no failure."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(cache_file.os, "open", refuse)
    (warning,) = fill(tmp_path / "cache.sqlite", 3)
    assert os.strerror(number).lower() in warning


def test_a_cache_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It still serves; what is new is not kept, said once and not at every write."""
    path = tmp_path / "cache.sqlite"
    fill(path, 3)
    true_open = os.open

    def refuse_writing(path: str, flags: int, mode: int = 0o777, **options: Any) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise PermissionError(errno.EACCES, "Permission denied")
        return true_open(path, flags, mode, **options)

    monkeypatch.setattr(cache_file.os, "open", refuse_writing)
    warnings: list[str] = []
    with Cache(str(path), partial(Recipe, "recipe", "phash", "rules"), warn=warnings.append) as cache:
        moved = entry(1)._replace(path="/elsewhere")
        for _ in range(3):
            assert [DIGEST, None, DIGEST] == list(cache.recall_digests([entry(1), entry(7), moved]))
            content = cache.keep_content(entry(7), picture(7), NOW)
            cache.keep_digest(entry(7), DIGEST, NOW)
            assert isinstance(content, PictureRef)
            assert {content.id: picture(7)} == cache.thumbnails([content.id])
    assert ["read-only"] == [text.split(": ")[1].split()[-1] for text in warnings]
    monkeypatch.undo()
    assert [DIGEST] * 3 + [None] * 5 == digests(path, 8)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """Small pictures of private photos are in it."""
    path = tmp_path / "made" / "cache.sqlite"
    before = os.umask(0)
    try:
        fill(path, 1)
    finally:
        os.umask(before)
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))


def test_two_runs_in_one_process_take_turns(tmp_path: Path) -> None:
    """Both write, neither waits for the other's end, both are right."""
    path = tmp_path / "cache.sqlite"
    with (
        Cache(str(path), partial(Recipe, "recipe", "phash", "rules")) as one,
        Cache(str(path), partial(Recipe, "recipe", "dhash", "rules")) as other,
    ):
        for number in range(0, 40, 2):
            one.keep_digest(entry(number), DIGEST, NOW)
            one.keep_content(entry(number), picture(number % 5), NOW)
            one.flush()
            other.keep_content(entry(number), picture(number % 5), NOW)
            other.keep_digest(entry(number + 1), DIGEST, NOW)
            other.flush()
        assert [DIGEST] * 40 == list(one.recall_digests(entry(number) for number in range(40)))
        assert list(one.recall_contents([entry(0)])) == list(other.recall_contents([entry(0)]))
    assert [DIGEST] * 40 == digests(path, 40)


WRITER = """
import sys
from dupfind.cache import cache
from tests.helpers.cache_rows import fill
cache.MOST_ROWS = 20
from pathlib import Path
print(fill(Path(sys.argv[1]), 300, sys.argv[2]))
"""


@pytest.mark.slow
def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """From the making of the file on, nothing is lost and nobody is warned."""
    path = tmp_path / "cache.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, folder], stdout=subprocess.PIPE)
        for folder in ("/one", "/other", "/one")
    ]
    assert [b"[]\n"] * 3 == [writer.communicate(timeout=60)[0] for writer in writers]
    assert [DIGEST] * 600 == digests(path, 300, "/one") + digests(path, 300, "/other")
    with Cache(str(path), partial(Recipe, "recipe", "phash", "rules")) as cache:
        known = list(cache.recall_contents(entry(number, "/one") for number in range(300)))
        found = cache.thumbnails([one.content.id for one in known if isinstance(one.content, PictureRef)])
    assert [picture(number) for number in range(300)] == [found[one.content.id] for one in known]  # type: ignore[union-attr]


def test_a_cache_deleted_under_a_run(tmp_path: Path) -> None:
    """``cache clear`` beside a scan costs the scan its cache and nothing else."""
    path = tmp_path / "cache.sqlite"
    fill(path, 3)
    warnings: list[str] = []
    with Cache(str(path), partial(Recipe, "recipe", "phash", "rules"), warn=warnings.append) as cache:
        path.unlink()
        content = cache.keep_content(entry(9), picture(9), NOW)
        assert isinstance(content, PictureRef)
        assert {content.id: picture(9)} == cache.thumbnails([content.id])
    assert len(warnings) <= 1


@pytest.mark.parametrize(
    ("raised", "given"),
    [
        (sqlite3.OperationalError("disk I/O error"), UnusableError),
        (sqlite3.DatabaseError("malformed"), DamagedError),
        (ValueError("ours"), ValueError),
    ],
)
def test_errors_are_of_two_kinds(raised: Exception, given: type[Exception]) -> None:
    """What another moment may cure is unusable, the rest of SQLite's errors mean damage."""
    with pytest.raises(given, match=str(raised)), translated():
        raise raised


def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """An interrupt in the middle of a write leaves nothing half, and the store works on."""
    store, _ = Store.open(str(tmp_path / "cache.sqlite"))
    with pytest.raises(KeyboardInterrupt), store.transaction():  # noqa: PT012 - raising inside is the point
        store.set_digests([(entry(1), DIGEST)])
        raise KeyboardInterrupt
    assert {} == store.files_in("/photos", None)
    with store.transaction():
        store.set_digests([(entry(2), DIGEST)])
    assert [b"00002.jpg"] == list(store.files_in("/photos", None))
    store.close()


def test_what_is_kept_of_a_large_folder_is_not_read_whole(tmp_path: Path) -> None:
    """Marks of pictures take 4 to 8 kB each: a folder of a hundred thousand would fill the memory, at each question."""
    recipe = partial(Recipe, "recipe", "phash", "rules", fragments="parts")
    with Cache(str(tmp_path / "cache.sqlite"), recipe) as cache:
        for number in range(1200):
            cache.keep_fragments(entry(number), number.to_bytes(4) * 2000, NOW)
    asked = [entry(number) for number in range(3, 1200, 2)] + [entry(5000)]
    with Cache(str(tmp_path / "cache.sqlite"), recipe) as cache:
        assert [number.to_bytes(4) * 2000 for number in range(3, 1200, 2)] + [None] == list(
            cache.recall_fragments(asked)
        )
        tracemalloc.start()
        try:
            list(cache.recall_fragments(asked[:2]))
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
