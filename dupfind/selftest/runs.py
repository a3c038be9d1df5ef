"""Whole runs of the program on made-up folders: a small scan, one that is killed and begun again, one without room.

Each is a process of its own, as a user would start it, in a scratch folder that goes with the check; nothing else is
written, and the user's own configuration and cache are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.answers.selftest import Check, Outcome

VERDICTS = {
    "needles/kept/copy.png": ("present", "identical"),
    "needles/kept/again.jpg": ("present", "same"),
    "needles/kept/notes.txt": ("present", "identical"),
    "needles/new/other.png": ("missing", None),
    "needles/new/broken.jpg": ("unreadable", None),
    "needles/new/notes.txt": ("missing", None),
}
"""What a scan has to say of the files that :func:`make_trees` makes: verdict and grade."""
FOLDERS = {"needles": "partial", "needles/kept": "contained", "needles/new": "missing"}
MISSING = 1
"""Exit code where a needle is missing; the tests hold it to :class:`dupfind.errors.ExitCode`."""
_NO_ANSWER = 2
_MORE_PICTURES = 24
"""Further pictures, so that a run has something to be killed in."""
_PATIENCE_SECONDS = 120.0
_MOST_FILE_BYTES = 2048
"""What a file may have where the disk is to be full: less than a report or a cache."""
_ROOTS = "scan", "--haystack", "haystack", "needles"
_NO_CONFIG = "config.toml"
"""An empty one in place of the user's."""
_OLD = b"the report of yesterday"
_WITHOUT_ROOM = (
    "import resource, runpy, sys; "
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({_MOST_FILE_BYTES}, {_MOST_FILE_BYTES})); "
    "runpy.run_module('dupfind', run_name='__main__', alter_sys=True)"
)


class _Answer(NamedTuple):
    """What one run said."""

    code: int
    files: dict[str, tuple[str, str | None]]
    folders: dict[str, str]
    said: str

    @property
    def fault(self) -> str | None:
        """What is wrong with it, None where it is as it has to be."""
        if self.code != MISSING:
            return f"exit code {self.code}, not {MISSING}; {self.said}"
        for name, expected in VERDICTS.items():
            verdict, grade = self.files.get(name, ("no verdict", None))
            if (verdict, grade) != expected:
                return f"{name} is {verdict} ({grade or 'no evidence'}), not {expected[0]} ({expected[1] or 'none'})"
        for name, state in FOLDERS.items():
            if self.folders.get(name) != state:
                return f"{name} is {self.folders.get(name)}, not {state}"
        return None


def make_trees(folder: str) -> None:
    """Make a haystack and needles below ``folder``; what a scan has to say of them is in :data:`VERDICTS`."""
    from PIL import Image

    os.close(os.open(os.path.join(folder, _NO_CONFIG), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    for name in ("haystack", "needles/kept", "needles/new"):
        os.makedirs(os.path.join(folder, name))
    first, second, third = (Image.fromarray(scene(seed)) for seed in (2, 3, 4))
    for name in ("haystack/first.png", "needles/kept/copy.png"):
        first.save(os.path.join(folder, name))
    second.save(os.path.join(folder, "haystack/second.png"))
    second.save(os.path.join(folder, "needles/kept/again.jpg"), quality=90, subsampling=0)
    third.save(os.path.join(folder, "needles/new/other.png"))
    for number in range(_MORE_PICTURES):
        Image.fromarray(scene(100 + number)).save(os.path.join(folder, f"haystack/more {number}.jpg"))
    whole = os.path.join(folder, "haystack/more 0.jpg")
    with open(whole, "rb") as file, open(os.path.join(folder, "needles/new/broken.jpg"), "wb") as broken:
        broken.write(file.read(700))
    for name, text in (("haystack", b"kept"), ("needles/kept", b"kept"), ("needles/new", b"new")):
        with open(os.path.join(folder, name, "notes.txt"), "wb") as file:
            file.write(text)


def check_scan(folder: str) -> Check:
    """Scan the trees in ``folder``: each file and folder has the verdict that it has to have."""
    return _judged("a small scan", _scan(folder, "--no-cache"))


def check_kill(folder: str) -> Check:
    """Kill a scan in its midst and begin it again with the cache that it left."""
    name, cache = "a scan that is killed and begun again", os.path.join(folder, "killed.sqlite")
    # A file handle and no pipe: workers would hold a pipe open when their parent is gone.
    with open(os.path.join(folder, "killed.json"), "wb") as out:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            _command(["--cache", cache]), cwd=folder, env=_environment(folder), stdout=out, stderr=subprocess.DEVNULL
        )
        try:
            end = time.monotonic() + _PATIENCE_SECONDS
            while process.poll() is None and not os.path.exists(cache) and time.monotonic() < end:
                time.sleep(0.002)
            has_ended = process.poll() is not None  # its exit code tells nothing on Windows, where a kill gives 1
        finally:  # also where the check itself is stopped
            process.kill()
            process.wait()
    if has_ended:
        return Check(name, Outcome.NOT_TRIED, "it ended before it could be killed")
    return _judged(name, _scan(folder, "--cache", cache))


def check_full_disk(folder: str) -> Check:
    """Scan where files cannot grow: the answer is right without its cache, and an older report stays whole."""
    name = "a disk without room"
    if find_spec("resource") is None:
        return Check(name, Outcome.NOT_TRIED, "this system has no limit on the size of files to stand for it")
    answer = _scan(folder, "--cache", os.path.join(folder, "full.sqlite"), is_without_room=True)
    if answer.fault is not None or "warning" not in answer.said:
        return Check(name, Outcome.FAILED, answer.fault or "no warning that the cache cannot be kept")
    report = os.path.join(folder, "report.json")
    with open(report, "wb") as file:
        file.write(_OLD)
    answer = _scan(folder, "--no-cache", "--output", report, is_without_room=True)
    with open(report, "rb") as file:
        is_whole = file.read() == _OLD
    if answer.code != _NO_ANSWER:
        return Check(name, Outcome.FAILED, f"exit code {answer.code} where the report could not be written, not 2")
    return Check(name, Outcome.OK) if is_whole else Check(name, Outcome.FAILED, "half a report in place of the old one")


def _judged(name: str, answer: _Answer) -> Check:
    return Check(name, Outcome.OK if answer.fault is None else Outcome.FAILED, answer.fault or "")


def _scan(folder: str, *options: str, is_without_room: bool = False) -> _Answer:
    try:
        done = subprocess.run(  # noqa: S603 - likewise
            _command(options, is_without_room=is_without_room),
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _Answer(_NO_ANSWER, {}, {}, f"it did not end within {_PATIENCE_SECONDS:g} s")
    said = done.stderr.decode("utf-8", "replace").strip().replace("\n", "; ")
    try:
        report = json.loads(done.stdout) if done.stdout else {"files": [], "folders": []}
        # On Windows paths have backslashes.
        files = {_plain(file["path"]): (file["verdict"], file["evidence"]) for file in report["files"]}
        folders = {_plain(each["path"]): each["verdict"] for each in report["folders"]}
    except (ValueError, KeyError) as error:
        return _Answer(done.returncode, {}, {}, f"its JSON is none: {error}")
    return _Answer(done.returncode, files, folders, said)


def _plain(path: str) -> str:
    return path.replace(os.sep, "/")


def _command(options: Sequence[str], *, is_without_room: bool = False) -> list[str]:
    program = ["-c", _WITHOUT_ROOM] if is_without_room else ["-m", "dupfind"]
    return [sys.executable, *program, *_ROOTS, "--format", "json", "--no-progress", "--workers", "2", *options]


def _environment(folder: str) -> dict[str, str]:
    """Return the environment of a run: this program, wherever it lies, and none of the user's own settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DUPFIND_")}
    above_the_package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = [above_the_package, *filter(None, [environment.get("PYTHONPATH")])]
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(paths),
        "DUPFIND_CONFIG": os.path.join(folder, _NO_CONFIG),
    }


WIDTH, HEIGHT = 192, 144
_PARTS = 10
_DISCS = 7


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Draw a picture of its own for each ``seed``: soft waves with discs before them; shape (height, width, 3)."""
    dice = _dice(seed)
    across, down = np.arange(width, dtype=np.int64)[None, :], np.arange(height, dtype=np.int64)[:, None]
    planes = np.zeros((3, height, width), np.int64)
    for part in range(_PARTS):
        weight = 256 // (part + 2)
        slope, lean, start = (next(dice) % (24 + 24 * part) - 12 - 12 * part for _ in range(3))
        wave = _triangle(across * slope * 480 // width + down * lean * 360 // height + start * 97)
        shares = np.array([weight + next(dice) % 32 for _ in planes])
        planes += wave * shares[:, None, None]
    low, high = planes.min(), planes.max()
    planes = (planes - low) * 255 // (high - low)
    for _ in range(_DISCS):
        x, y, radius = next(dice) % width, next(dice) % height, width // 24 + next(dice) % (width // 8)
        inside = (across - x) ** 2 + (down - y) ** 2 < radius**2
        for plane in planes:
            level = next(dice) % 256
            plane[inside] = (plane[inside] + 3 * level) // 4
    return np.ascontiguousarray(planes.transpose(1, 2, 0).astype(np.uint8))


def _triangle(phase: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a wave between 0 and 4096 of this phase, whose length is 8192."""
    return np.abs(phase % 8192 - 4096)


def _dice(seed: int) -> Iterator[int]:
    """Yield numbers of 31 bits without end, by the minimal standard generator of Park and Miller."""
    state = (seed * 7919 + 104729) % 2147483647 or 1
    while True:
        state = state * 48271 % 2147483647
        yield state >> 4
