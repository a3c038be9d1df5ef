"""Whose cache it is: one that somebody else could have written says nothing, and nothing is written through links."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from dupfind.cache import cache_upkeep, permissions
from dupfind.cache.cache import Cache
from dupfind.cache.cache_file import CacheFile, UnusableError
from dupfind.cache.cache_schema import Recipe
from dupfind.errors import CacheError
from tests.helpers.cache_rows import DIGEST, NOW, digests, entry, fill

SOMEBODY = 4711
ME = os.geteuid()
IS_ROOT = ME == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")


def state(mode: int, owner: int = ME, group: int = 99_999) -> os.stat_result:
    """What the system says of a file."""
    return os.stat_result((mode, 1, 1, 1, owner, group, 0, 0, 0, 0))


def give_away(path: Path) -> None:
    """Make it somebody else's."""
    os.chown(path, SOMEBODY, SOMEBODY)


def share(path: Path) -> None:
    """Let everybody write to it."""
    path.chmod(path.stat().st_mode | 0o022)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (state(stat.S_IFREG | 0o600), None),
        (state(stat.S_IFREG | 0o644), None),
        (state(stat.S_IFREG | 0o600, SOMEBODY), "belongs to another user (4711)"),
        (state(stat.S_IFREG | 0o602), "may be written by others"),
        (state(stat.S_IFREG | 0o620), "may be written by others"),
        (state(stat.S_IFLNK | 0o777), "is not a regular file"),
        (state(stat.S_IFIFO | 0o600), "is not a regular file"),
    ],
)
def test_files(found: os.stat_result, reason: str | None) -> None:
    """Ours, and nobody else may write."""
    said = permissions.distrust_of_file(found)
    assert (said or "").startswith(reason or "")
    assert (said is None) == (reason is None)


@pytest.mark.parametrize(
    ("name", "members", "is_trusted"),
    [("me", [], True), ("me", ["me"], True), ("me", ["me", "you"], False), ("users", [], False), (None, [], False)],
)
def test_the_private_group_of_a_user(
    monkeypatch: pytest.MonkeyPatch, name: str | None, members: list[str], is_trusted: bool
) -> None:
    """Many systems give each user a group of the same name and let it write: nobody else is in it."""
    import grp
    import pwd

    def group_of(_: int) -> SimpleNamespace:
        if name is None:
            raise KeyError
        return SimpleNamespace(gr_name=name, gr_mem=members)

    monkeypatch.setattr(grp, "getgrgid", group_of)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me"))
    assert is_trusted == (permissions.distrust_of_file(state(stat.S_IFREG | 0o660)) is None)


def test_beyond_posix_nothing_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no owners to go by."""
    monkeypatch.delattr(os, "geteuid")
    assert permissions.distrust_of_file(state(stat.S_IFREG | 0o666, SOMEBODY)) is None
    assert permissions.distrust_of_place("/no/such/folder/cache.sqlite") is None


def plant_journal(path: Path) -> None:
    """What SQLite would take up as the end of a write that was killed."""
    path.with_name(path.name + "-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    give_away(path.with_name(path.name + "-journal"))


def plant_log(path: Path) -> None:
    """What SQLite would read instead of the file."""
    path.with_name(path.name + "-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(28))
    give_away(path.with_name(path.name + "-wal"))


def plant_link(path: Path) -> None:
    """A link to a file of ours, where the journal is made."""
    path.with_name("letter").write_bytes(b"my only copy")
    path.with_name(path.name + "-journal").symlink_to("letter")


DISTRUSTED: list[tuple[str, Callable[[Path], None], str, bool]] = [
    ("file of another", give_away, "it belongs to another user (4711)", True),
    ("file that others may write", share, "it may be written by others", False),
    ("folder of another", lambda path: give_away(path.parent), "its folder belongs to another user (4711)", True),
    ("folder that others may write", lambda path: share(path.parent), "others may write to its folder", False),
    ("journal of another", plant_journal, "there is cache.sqlite-journal beside it, and it belongs to", True),
    ("log of another", plant_log, "there is cache.sqlite-wal beside it, and it belongs to", True),
    ("link for a journal", plant_link, "there is cache.sqlite-journal beside it, and it is not a regular", False),
]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(spoil, reason, id=name, marks=[needs_root] * asks_root)
        for name, spoil, reason, asks_root in DISTRUSTED
    ],
)
def test_what_others_could_have_written_says_nothing(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """It is not read, not written, not set aside and not deleted; one warning says why, and the run goes on."""
    path = tmp_path / "folder" / "cache.sqlite"
    assert [] == fill(path, 3)
    spoil(path)
    before = {one.name: (one.read_bytes(), one.lstat().st_ino) for one in path.parent.iterdir()}
    warnings: list[str] = []
    with Cache(str(path), lambda: Recipe("recipe", "phash", "rules"), warn=warnings.append) as cache:
        assert [None] * 3 == list(cache.recall_digests(entry(number) for number in range(3)))
        cache.keep_digest(entry(7), DIGEST, NOW)
    (warning,) = warnings
    assert warning.startswith(f"{path}: cannot use the cache, going on without: {reason}")
    for command in (cache_upkeep.info, cache_upkeep.clear):
        with pytest.raises(CacheError, match=r"belongs to|others|regular"):
            command(str(path))
    with pytest.raises(UnusableError):
        CacheFile.open_existing(str(path))
    assert before == {one.name: (one.read_bytes(), one.lstat().st_ino) for one in path.parent.iterdir()}


def test_a_folder_for_everybody_s_temporary_files(tmp_path: Path) -> None:
    """Others may make files there, but touch none of ours: a cache of our own in it serves."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    path = folder / "cache.sqlite"
    assert [] == fill(path, 3)
    assert [DIGEST] * 3 == digests(path, 3)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_us_alone(tmp_path: Path) -> None:
    """Below a folder of everybody's, one that is not there yet is ours."""
    tmp_path.chmod(0o777)
    path = tmp_path / "dupfind" / "cache.sqlite"
    assert [] == fill(path, 3)
    assert [DIGEST] * 3 == digests(path, 3)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_the_journal_is_as_private_as_the_file(tmp_path: Path) -> None:
    """It holds old pages of it; whatever the umask."""
    path = tmp_path / "cache.sqlite"
    before = os.umask(0)
    try:
        fill(path, 3)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM file")
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
            connection.execute("ROLLBACK")
    finally:
        os.umask(before)
    assert {"cache.sqlite": 0o600, "cache.sqlite-journal": 0o600} == modes


def test_a_pipe_that_may_only_be_read_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe in its place, not writable for us, would block a reader for ever."""
    path = tmp_path / "cache.sqlite"
    os.mkfifo(path, 0o400)
    true_open = os.open

    def refuse_writing(path: str, flags: int, *more: int, **where: int | None) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise PermissionError(13, "Permission denied")
        return true_open(path, flags, *more, **where)

    monkeypatch.setattr(os, "open", refuse_writing)
    (warning,) = fill(path, 1)
    assert "it is not a regular file" in warning
