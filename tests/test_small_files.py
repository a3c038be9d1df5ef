"""Small files that are digested by the thousand, in processes that are forked for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dupfind import forking
from dupfind.pipeline import scan
from dupfind.pool import small_files, tasks
from dupfind.sources.entries import entry_of
from dupfind.values import FileEntry
from tests.helpers.ahead import needs_fork
from tests.helpers.processes import nobody_left
from tests.helpers.scans import answer, settings, states
from tests.helpers.shelf import settle

pytestmark = needs_fork


@pytest.fixture(autouse=True)
def _few_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A batch has two files; nothing that was forked outlives the test."""
    monkeypatch.setattr(small_files, "_BATCH_FILES", 2)
    with nobody_left():
        yield


def written(folder: Path, count: int) -> list[FileEntry]:
    """Files of 0, 1, 2 ... thousand bytes, as the walk would list them."""
    entries = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(bytes([number]) * number * 1000)
        entries.append(entry_of(str(path), path.stat()))
    return entries


def digested(entries: list[FileEntry], processes: int = 2) -> dict[int, bytes]:
    """What came, by the place of the file."""
    batches = small_files.digest_small(entries, processes)
    return {batch.first + place: digest for batch in batches for place, digest in enumerate(batch.digests)}


@pytest.mark.parametrize("processes", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_the_digests_are_those_of_the_usual_way(count: int, processes: int, tmp_path: Path) -> None:
    """Each file gets its own, however many processes share the work."""
    entries = written(tmp_path, count)
    usual = [outcome.result for outcome in tasks.read_digests(entries)]
    assert dict(enumerate(usual)) == digested(entries, processes)


def test_what_is_not_as_listed_gets_no_digest(tmp_path: Path) -> None:
    """A file that has changed, one that is gone, one that is no file any more, and one of another size."""
    entries = written(tmp_path, 6)
    entries[1] = entries[1]._replace(mtime_ns=1)
    os.unlink(entries[2].path)
    os.unlink(entries[3].path)
    os.mkdir(entries[3].path)
    entries[4] = entries[4]._replace(size_bytes=3999)
    assert [True, False, False, False, False, True] == [bool(digest) for _, digest in sorted(digested(entries).items())]


def test_a_process_that_dies_takes_only_its_own_answers_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a batch is no answer."""
    entries = written(tmp_path, 8)
    true = small_files._digest

    def dying(entry: FileEntry) -> bytes:
        if entry == entries[5]:
            os.kill(os.getpid(), signal.SIGKILL)
        return true(entry)

    monkeypatch.setattr(small_files, "_digest", dying)
    assert {0, 1, 2, 3, 6, 7} - {6, 7} <= set(digested(entries)) <= {0, 1, 2, 3, 6, 7}


def test_an_error_in_a_process_is_not_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends there, without a word and without closing what it shares with the parent."""

    def failing(_: FileEntry) -> bytes:
        raise ValueError

    monkeypatch.setattr(small_files, "_digest", failing)
    assert {} == digested(written(tmp_path, 4))


def test_a_stop_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that hang; a signal that a terminal sends to all is answered by the parent alone."""

    def hanging(_: FileEntry) -> bytes:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
        return b""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(small_files, "_digest", hanging)
    entries = written(tmp_path, 4)
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            digested(entries)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 30
    assert set() == signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM}


def test_who_asks_no_further_ends_the_processes(tmp_path: Path) -> None:
    """As the end of a run does."""
    with closing(small_files.digest_small(written(tmp_path, 8), 2)) as batches:
        assert next(batches).digests


def test_without_processes_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks reads it then."""

    def none_left() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", none_left)
    assert {} == digested(written(tmp_path, 4))


def test_time_is_told(tmp_path: Path) -> None:
    """The processor time of each process."""
    seconds: list[float] = []
    list(small_files.digest_small(written(tmp_path, 8), 2, seconds.append))
    assert 2 == len(seconds)
    assert all(second > 0 for second in seconds)


def test_a_scan_answers_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes while it is read is no proof, nor equal to anything else that does."""
    haystack, needles = tmp_path / "haystack", tmp_path / "needles"
    for folder in (haystack, needles):
        folder.mkdir()
        written(folder, 9)
    settle(tmp_path)
    true, changed = small_files.read_small, {str(needles / "4.jpg"), str(haystack / "4.jpg")}

    def read(entry: FileEntry) -> bytes | None:
        if entry.path in changed:
            os.utime(entry.path)
        return true(entry)

    usual = answer(scan(settings(haystack, needles)))
    forked: list[int] = []
    monkeypatch.setattr(small_files, "FEWEST", 1)
    monkeypatch.setattr(forking, "can_fork", lambda: not forked.append(len(forked)))
    assert usual == answer(scan(settings(haystack, needles)))
    monkeypatch.setattr(small_files, "read_small", read)
    monkeypatch.setattr("dupfind.pool.tasks.read_small", read)
    found = states(scan(settings(haystack, needles, workers=2)))
    assert [0, 1] == forked
    assert {"4.jpg": "unreadable", "0.jpg": "empty"}.items() <= found.items()
    assert {"present/identical"} == {found[f"{number}.jpg"] for number in (1, 2, 3, 5, 6, 7, 8)}
