"""Private folders: gone with their run, however it ends; nobody else's is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dupfind import private_folder, session
from dupfind.private_folder import PrivateFolder, left_behind, remove_left_behind
from dupfind.run import Run as OneRun
from tests.helpers.scans import settings

pytest.importorskip("fcntl", reason="without locks of POSIX nothing is ever removed that another run has left")

_RUN = """
import sys
from dupfind.private_folder import PrivateFolder
folder = PrivateFolder()
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def run(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run that has a private folder with something in it."""
    command = [sys.executable, "-c", _RUN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        (folder / "deep").mkdir()
        (folder / "deep" / "cache.sqlite").write_bytes(b"x")
        yield process, folder
        process.kill()


def killed(run: tuple[subprocess.Popen[str], Path]) -> Path:
    """The folder that a run leaves which is killed."""
    process, folder = run
    process.kill()
    assert -signal.SIGKILL == process.wait()
    assert (folder / "deep" / "cache.sqlite").exists()
    return folder


def sweep(place: Path, *spared: str) -> None:
    """What each run does."""
    remove_left_behind(left_behind(str(place)), spared)


def test_it_goes_with_its_run(place: Path) -> None:
    """At the end of the block, and when it is forgotten."""
    with PrivateFolder("x-") as folder:
        Path(folder.path, "file").write_bytes(b"1")
        assert 0o700 == os.stat(folder.path).st_mode & 0o777
        sweep(place)
        assert Path(folder.path, "file").exists(), "not by another run, and not by this one"
    other = PrivateFolder()
    Path(other.path, "link").symlink_to(place)
    del other
    assert [] == os.listdir(place)


def test_what_a_killed_run_left_is_removed(place: Path, run: tuple[subprocess.Popen[str], Path]) -> None:
    """As soon as it is gone, and no earlier; what links in it point to stays."""
    kept = place.parent / "kept"
    kept.mkdir()
    (kept / "photo.jpg").write_bytes(b"p")
    (run[1] / "link").symlink_to(kept)
    (run[1] / "deep" / "link").symlink_to(kept / "photo.jpg")
    sweep(place)
    assert (run[1] / "deep" / "cache.sqlite").exists()
    folder = killed(run)
    sweep(place)
    assert not folder.exists()
    assert ["photo.jpg"] == os.listdir(kept)


def test_what_is_nobodys_leftover_stays(
    place: Path, run: tuple[subprocess.Popen[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders without our lock, open to others, of other users, behind a link; and whatever holds a root."""
    (place / "dupfind-photos").mkdir(mode=0o700)
    (place / "dupfind-file").write_bytes(b"x")
    folder = killed(run)
    (place / "dupfind-link").symlink_to(folder)
    before = set(os.listdir(place))
    sweep(place, str(folder / "deep"))
    sweep(place, str(folder))
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        sweep(place)
    folder.chmod(0o755)
    sweep(place)
    folder.chmod(0o700)
    assert before == set(os.listdir(place))
    (folder / "run.lock").rename(folder / "lock")
    (folder / "run.lock").symlink_to("lock")
    sweep(place)
    assert before == set(os.listdir(place)), "a lock that is a link is none of ours"
    (folder / "run.lock").unlink()
    (folder / "lock").rename(folder / "run.lock")
    sweep(place)
    assert before - {folder.name} == set(os.listdir(place))


@pytest.mark.parametrize("below", ["", "dupfind-x/photos", None])
def test_nothing_is_removed_below_a_root(
    place: Path, run: tuple[subprocess.Popen[str], Path], below: str | None, tmp_path: Path
) -> None:
    """Also where temporary files lie in the haystack, or a folder that was left behind holds needles."""
    folder = killed(run)
    (tmp_path / "needles").mkdir()
    hay = tmp_path / "hay" if below is None else place if not below else folder / "deep"
    hay.mkdir(exist_ok=True)
    session._remove_left_behind(OneRun(settings(hay, tmp_path / "needles")))
    assert folder.exists() is (below is not None)


def test_a_removal_that_is_cut_off_is_ended_by_the_next(
    place: Path, run: tuple[subprocess.Popen[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock goes last."""
    folder = killed(run)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda path, **_: None)
        private_folder._remove(str(folder), None)
    assert (folder / "run.lock").exists()
    sweep(place)
    assert [] == os.listdir(place)


@pytest.mark.slow
def test_a_scan_that_is_killed(place: Path, tmp_path: Path) -> None:
    """The next one, with a cache, takes away what it has left."""
    for name in ("hay", "needles"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_bytes(b"one")
    os.mkfifo(tmp_path / "list")
    command = [sys.executable, "-m", "dupfind", "find", "--haystack", str(tmp_path / "hay"), "-", "--no-cache"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        while not any(os.path.exists(os.path.join(folder, "run.lock")) for folder in left_behind(str(place))):
            assert process.poll() is None
        process.kill()
    assert left_behind(str(place))
    scan = ["scan", "--haystack", str(tmp_path / "hay"), str(tmp_path / "needles"), "--cache", str(tmp_path / "c")]
    subprocess.run([sys.executable, "-m", "dupfind", *scan], check=True, capture_output=True)
    assert [] == left_behind(str(place))
