"""A run to which the system gives too little of something: one line and exit code 2, and never "not all present"."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dupfind import forking
from dupfind.cli import main, room
from dupfind.cli.main import run
from dupfind.errors import ExitCode
from fixtures import pictures
from tests.helpers.stamped import saved

resource = pytest.importorskip("resource", reason="this system has no limits")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
FILES = "dupfind: too many files are open: the system allows no more (ulimit -n); there is no verdict\n"
MEMORY = "dupfind: not enough memory (ulimit -v, or of the machine); there is no verdict\n"


def lowered(limit: int, value: int) -> Callable[[], None]:
    """What gives the process so much and no more."""
    return lambda: resource.setrlimit(limit, (value, value))


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """A haystack and needles, of which one is not in it."""
    folders = tmp_path / "hay", tmp_path / "old"
    for folder, seeds in zip(folders, ((1, 2, 3), (2, 4)), strict=True):
        folder.mkdir()
        for seed in seeds:
            (folder / f"{seed}.jpg").write_bytes(saved(pictures.photo(seed, (160, 120)), "JPEG", quality=70 + seed))
    return folders


@pytest.mark.parametrize("count", [7, *(pytest.param(count, marks=pytest.mark.slow) for count in (9, 11, 13))])
def test_few_open_files(dupfind: Run, trees: tuple[Path, Path], count: int) -> None:
    """As many as are enough give the answer, and fewer one line."""
    hay, old = trees
    done = dupfind(
        "scan", "--haystack", hay, "--needles", old, "--no-cache", preexec_fn=lowered(resource.RLIMIT_NOFILE, count)
    )
    if done.returncode != ExitCode.NOT_ALL_PRESENT:
        assert (ExitCode.NO_VERDICT, b"") == (done.returncode, done.stdout)
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith("dupfind: ")
        assert "too many" in line


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is tried where nothing forks")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_no_room_for_numpy(dupfind: Run, trees: tuple[Path, Path], limit: str) -> None:
    """OpenBLAS would end the program with 1, as if something were missing."""
    hay, old = trees
    bytes_ = {"RLIMIT_AS": 100_000 << 10, "RLIMIT_DATA": 20 << 20}[limit]
    done = dupfind("scan", "--haystack", hay, "--needles", old, preexec_fn=lowered(getattr(resource, limit), bytes_))
    assert (ExitCode.NO_VERDICT, b"") == (done.returncode, done.stdout)
    (line,) = done.stderr.decode().splitlines()
    assert "ulimit -v" in line


def test_room_is_asked_for_only_where_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would cost each run a process; and who cannot fork is believed."""
    asked: list[object] = []
    monkeypatch.setattr(forking, "can_fork", lambda: bool(asked.append(1)))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    room.refuse_too_little_memory()
    assert not asked
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 40,) * 2)
    room.refuse_too_little_memory()
    assert asked


def test_room_that_there_is(dupfind: Run, trees: tuple[Path, Path]) -> None:
    """A limit that is wide enough changes nothing, and what reads no pictures is not asked."""
    hay, old = trees
    wide, narrow = lowered(resource.RLIMIT_AS, 8 << 30), lowered(resource.RLIMIT_AS, 90_000 << 10)
    assert dupfind("scan", "--haystack", hay, "--needles", old, preexec_fn=wide).returncode == 1
    assert dupfind("config", preexec_fn=narrow).returncode == 0


def raised(error: BaseException, cause: BaseException | None = None) -> Exception:
    """An error that came of another one."""
    error.__cause__ = cause
    assert isinstance(error, Exception)
    return error


SHORTAGES = {
    "a file": (OSError(errno.EMFILE, "Too many open files", "table.py"), FILES),
    "the whole system": (OSError(errno.ENFILE, "Too many open files in system"), FILES),
    "a library": (ImportError("x.so: cannot open shared object file: Too many open files"), FILES),
    "memory": (MemoryError(), MEMORY),
    "no memory for a file": (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
    "a library that is not mapped": (ImportError("x.so: failed to map segment from shared object"), MEMORY),
    "the cause of another": (raised(RuntimeError("x"), ImportError("failed to map segment")), MEMORY),
}


@pytest.mark.parametrize(("error", "line"), SHORTAGES.values(), ids=SHORTAGES)
def test_words_of_a_shortage(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it was met, it is no bug."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(main.dupfind, "make_context", fail)
    assert run(["scan"]) == ExitCode.NO_VERDICT
    assert capsys.readouterr().err == line


def test_other_errors_are_bugs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A module that is not there, say."""
    error = ImportError("no module named x")
    error.__context__ = ValueError("y")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(main.dupfind, "make_context", fail)
    assert run(["scan"]) == ExitCode.NO_VERDICT
    assert "this is a bug in dupfind" in capsys.readouterr().err
