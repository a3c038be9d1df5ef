"""The cache under faults: killed at any moment, on a disk that is full or read-only, with eight runs at once.

A selection of what the programs of ``faults/`` do by the hundred.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from dupfind.cache.cache_file import CacheFile
from faults import common, crowd, disk, kills
from faults.broken_disk import Disk
from faults.common import ENVIRONMENT, Answer, Trees, integrity, run, verdicts
from tests.helpers.cache_rows import DIGEST, digests, fill
from tests.helpers.served import Order, Server

_FILL = """
import sys
from dupfind.cache import cache
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe
from dupfind.values import FileEntry, Thumbnail

NOW = 1_700_000_000_000_000_000
cache.MOST_ROWS = 20
with Cache(sys.argv[1], lambda: Recipe("recipe", "phash", "rules"), warn=print) as cache:
    for number in range(40):
        path = f"/photos/{number:05}.jpg"
        entry = FileEntry(path, 1000 + number, NOW - 10**11, NOW - 10**11, 1000 + number)
        cache.keep_digest(entry, b"d" * 32, NOW)
        pixels = number.to_bytes(4, "big") * 1024
        cache.keep_content(entry, Thumbnail(pixels, 640, 480, "JPEG", 1, None), NOW)
"""
"""What ``fill`` of the tests of the store does, in a process of its own and in several writes."""
needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None or sys.platform != "linux", reason="no C compiler, or no Linux, for a disk that breaks"
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, served: None) -> kills.Bench:
    """Trees that take half a second, and caches in several states."""
    made = kills.Bench(tmp_path_factory.mktemp("kills"), 2)
    made.make_starts()
    return made


@pytest.fixture(scope="module", autouse=True)
def served(server: Server) -> Iterator[None]:
    """Scans on a sound disk, of which only the answer counts, need not start themselves."""

    def answer(trees: Trees, *options: str, **environment: str) -> Answer:
        variables = {**os.environ, **environment}
        if not server.takes(variables):
            return common.run(trees, *options, **environment)
        began = time.monotonic()
        arguments = trees.command(*options)[3:]  # behind `python -m dupfind`
        done = server.run(Order(arguments, os.getcwd(), variables), None, 120)
        return Answer(done.returncode, verdicts(done.stdout), done.stderr.decode(), time.monotonic() - began)

    with pytest.MonkeyPatch.context() as patch:
        for module in (crowd, disk, kills, sys.modules[__name__]):
            patch.setattr(module, "run", answer)
        yield


def same(one: Answer, other: Answer) -> bool:
    """Whether two scans say the same."""
    return (one.code, one.verdicts) == (other.code, other.verdicts)


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False], ids=["whole group", "parent alone"])
@pytest.mark.parametrize(
    ("start", "moment_seconds"),
    [("cold", 0.4), ("half filled", 0.6), ("one file touched", 0.5), ("nothing changed", 0.2)],
)
def test_killed_at_a_moment(bench: kills.Bench, start: str, moment_seconds: float, *, whole_group: bool) -> None:
    """Whatever was at work: the next run is right, the cache is sound, no process is left."""
    tally = kills.Tally()
    bench.begin(start)
    _, lingered_seconds = bench.kill(moment_seconds, whole_group=whole_group)
    bench.judge(tally, start)
    assert [] == tally.wrong
    assert lingered_seconds < kills._PATIENCE_SECONDS


def fill_on(path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Fill a cache in a process of its own, in several writes."""
    command = [sys.executable, "-c", _FILL, path]
    return subprocess.run(command, env=ENVIRONMENT | environment, capture_output=True, check=False)


@pytest.mark.slow
@needs_compiler
def test_killed_in_the_midst_of_a_write(tmp_path: Path) -> None:
    """In every seventh call that makes, writes, flushes, cuts or deletes: whole writes are there, half ones are not."""
    breaking = Disk(tmp_path, "cache.sqlite")
    log = tmp_path / "log"
    fill_on(tmp_path / "whole" / "cache.sqlite", breaking.counting(log))
    calls = log.read_text().split()
    assert {"make", "write", "flush", "delete"} <= set(calls)
    journals, known = 0, []
    for call in range(2, len(calls), 7):
        path = tmp_path / str(call) / "cache.sqlite"
        done = fill_on(path, breaking.killing(call))
        assert -signal.SIGKILL == done.returncode
        journals += (path.parent / "cache.sqlite-journal").exists()
        assert "ok" == integrity(path)
        found = digests(path, 40)
        assert set(found) <= {DIGEST, None}
        known.append(sum(one is not None for one in found))
        assert [] == fill(path, 40)
        assert [DIGEST] * 40 == digests(path, 40)
        assert ["cache.sqlite"] == os.listdir(path.parent)
    assert known == sorted(known)  # the later the kill, the more is kept
    assert known[-1] > 20
    assert journals > 2


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("lasts", [True, False], ids=["from then on", "once"])
def test_a_disk_that_fails_in_a_write(tmp_path: Path, number: int, *, lasts: bool) -> None:
    """One warning that names the cache; what was written before is sound, the next run fills it."""
    breaking = Disk(tmp_path, "cache.sqlite")
    for call in range(1 + number % 5, 70, 16):
        path = tmp_path / str(call) / "cache.sqlite"
        done = fill_on(path, breaking.failing(call, number, lasts=lasts))
        assert (0, b"") == (done.returncode, done.stderr)
        warnings = done.stdout.decode().splitlines()
        assert len(warnings) <= 1
        assert all(line.startswith(f"{path}: ") for line in warnings)
        assert warnings or not lasts
        assert "ok" == integrity(path)
        assert [] == fill(path, 40)
        assert [DIGEST] * 40 == digests(path, 40)


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize(("call", "number"), [(8, errno.ENOSPC), (60, errno.EIO)])
def test_scans_on_a_disk_that_fails(bench: kills.Bench, tmp_path: Path, call: int, number: int) -> None:
    """The whole program, at some calls of a cold run: the answer and the exit code are the true ones."""
    wrong, warnings = disk.Bench(tmp_path, bench.trees, bench.true).fail(call, number, lasts=True)
    assert ([], 1) == (wrong, len(warnings))


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own, unmounted afterwards; skips where none may be mounted."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill_up(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("ab") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))


def assert_told(bench: kills.Bench, cache: Path, warning: str) -> None:
    """The true answer, and one warning of the cache."""
    found = run(bench.trees, "--cache", str(cache))
    assert same(bench.true, found)
    (line,) = [line for line in found.said.splitlines() if "warning" in line]
    assert line.startswith(f"dupfind: warning: {cache}: ")
    assert warning in line


@pytest.mark.slow
@pytest.mark.parametrize("size", ["8k", "64k"], ids=["nothing fits", "a part fits"])
def test_a_full_disk(bench: kills.Bench, tmp_path: Path, size: str) -> None:
    """A real one: the answer is right, the exit code the same; a report that was to go there is not written, 2."""
    with small_disk(tmp_path / "small", f"size={size},mode=755") as folder:
        assert_told(bench, folder / "cache.sqlite", "database or disk is full")
        old = folder / "old"
        fill_up(old)
        before = old.read_bytes()
        bench.begin("nothing changed")
        for option in ("--output", "--save"):
            command = bench.trees.command("--cache", str(bench.cache), "-q", option, str(old))
            done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
            assert (2, before) == (done.returncode, old.read_bytes())
            assert f"dupfind: {old}: no space left on device; the report was not written\n" == done.stderr.decode()
        assert {"old", "cache.sqlite"} >= set(os.listdir(folder))


@pytest.mark.slow
def test_a_read_only_file_system(bench: kills.Bench, tmp_path: Path) -> None:
    """A cache that was there serves; where there was none, none is made; a report cannot be written there."""
    with small_disk(tmp_path / "small", "size=8m,mode=755") as folder:
        cache = folder / "cache.sqlite"
        bench.begin("nothing changed")
        shutil.copy(bench.cache, cache)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        again = run(bench.trees, "--cache", str(cache), "-v")
        assert same(bench.true, again)
        assert "nothing has changed since an earlier run" in again.said
        found = run(bench.trees, "--cache", str(cache), "--accept", "similar", "-v")
        assert "decoding" not in found.said
        (line,) = [line for line in found.said.splitlines() if "warning" in line]
        assert line.endswith("the cache is read-only: what is new is not kept")
        assert_told(bench, folder / "other.sqlite", "read-only file system")
        command = bench.trees.command("--cache", str(bench.cache), "-q", "--output", str(folder / "r"))
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
        assert (2, b"") == (done.returncode, done.stdout)
        assert b"read-only file system" in done.stderr


@pytest.mark.slow
def test_a_limit_on_the_size_of_files(bench: kills.Bench, tmp_path: Path) -> None:
    """As a shell's ``ulimit -f``: a write that is refused, and no signal that kills."""
    cache = tmp_path / "cache.sqlite"
    done = subprocess.run(
        bench.trees.command("--cache", str(cache)),
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000)),
    )
    assert (bench.true.code, bench.true.verdicts) == (done.returncode, verdicts(done.stdout))
    said = done.stderr.decode()
    assert 1 == said.count("warning")
    assert f"warning: {cache}: cannot write the cache, going on without" in said
    assert "ok" == integrity(cache)


def test_no_more_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit that SQLite itself has for a file."""
    true_prepare = CacheFile._prepare

    def prepare(self: CacheFile) -> None:
        true_prepare(self)
        self.connection.execute("PRAGMA max_page_count = 40")

    monkeypatch.setattr(CacheFile, "_prepare", prepare)
    (warning,) = fill(tmp_path / "cache.sqlite", 200)
    assert "database or disk is full" in warning
    monkeypatch.undo()
    assert "ok" == integrity(tmp_path / "cache.sqlite")
    assert [None] * 200 == digests(tmp_path / "cache.sqlite", 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beside", "cold"), [("nothing", True), ("prune", False), ("clear", False)], ids=["cold", "prune", "clear"]
)
def test_eight_scans_at_once(bench: kills.Bench, tmp_path: Path, beside: str, *, cold: bool) -> None:
    """All eight are right, so is the one that follows, and the cache is sound."""
    group = crowd.Crowd(tmp_path, bench.trees, bench.true)
    if not cold:
        bench.begin("nothing changed")
        group.cache.parent.mkdir()
        shutil.copy(bench.cache, group.cache)
    wrong, warnings = group.round(beside, 0.8, cold=cold)
    assert [] == wrong
    assert beside == "clear" or warnings == 0


OTHERS = [
    ("PRAGMA user_version = 4", "set aside"),
    ("PRAGMA user_version = 6", "set aside"),
    ("PRAGMA application_id = 1", "set aside"),
    ("UPDATE label SET text = text || ', another Pillow' WHERE text LIKE '%Pillow%'", ""),
    ("UPDATE label SET text = text || '1'", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("statement", "told"), OTHERS, ids=[statement for statement, _ in OTHERS])
def test_a_cache_of_another_version(bench: kills.Bench, statement: str, told: str) -> None:
    """Set aside, or nothing of it taken but what holds for every version; the answer is the true one."""
    bench.begin("nothing changed")
    with closing(sqlite3.connect(bench.cache)) as connection, connection:
        connection.execute("DELETE FROM answer")
        connection.execute("DELETE FROM snapshot")
        connection.execute(statement)
    again = bench.scan()
    assert same(bench.true, again)
    assert (1 if told else 0) == again.said.count("warning")
    assert told in again.said
    assert "decoding haystack" in again.said
    assert "nothing has changed" in bench.scan().said


@pytest.mark.slow
def test_one_cache_for_all_algorithms(bench: kills.Bench) -> None:
    """Each finds its own hashes, and none decodes again."""
    bench.begin("nothing changed")
    for algorithm in ("dhash", "phash"):
        true = run(bench.trees, "--no-cache", "--algorithm", algorithm)
        found = run(bench.trees, "--cache", str(bench.cache), "--algorithm", algorithm, "-v")
        assert same(true, found)
        assert "decoding" not in found.said


_HOLD = """
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe
from dupfind.values import FileEntry, Thumbnail

with Cache(None, lambda: Recipe("recipe", "phash", "rules"), warn=print) as cache:
    made = {}
    for number in range(2000):
        thumbnail = Thumbnail(number.to_bytes(4, "big") * 1024, 640, 480, "JPEG", 1, None)
        ref = cache.keep_content(FileEntry(f"/photos/{number}", 1, 1, 1, 1), thumbnail, 0)
        made[ref.id] = thumbnail
    print(made == cache.thumbnails(list(made)))
"""


@pytest.mark.slow
def test_a_full_disk_for_temporary_files(tmp_path: Path) -> None:
    """What a run without a cache holds goes there, and stays in memory where it cannot."""
    with small_disk(tmp_path / "small", "size=64k,mode=755") as folder:
        environment = ENVIRONMENT | {"TMPDIR": str(folder)}
        done = subprocess.run([sys.executable, "-c", _HOLD], env=environment, capture_output=True, check=False)
        assert (0, b"True\n", b"") == (done.returncode, done.stdout, done.stderr)
