"""A world that moves: each kind of change, at each seam between walk and report, to needles and to what proves them.

The stages tell where they are, and the saboteur listens; no stage knows of it.
"""

from __future__ import annotations

import io
import os
import resource  # noqa: F401 - who is nobody may not load what is loaded when it is needed
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from dupfind import libraries, pipeline
from dupfind.events import Advance, Silence
from dupfind.report.reasons import sentences
from dupfind.sources import entries
from dupfind.values import FileState, FolderState, Report
from fixtures import pictures
from tests.helpers.scans import scan, settings, states
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]

SIDES = ("hay", "needles")
FOLDERS = {"hay": "hay/album", "needles": "needles/backup"}
FILES = {"hay": ("film.mov", "photo.png"), "needles": ("film.mov", "photo.jpg")}
FILM = b"film" * 300


class Scene(NamedTuple):
    """What a fault is done to."""

    top: Path
    folder: Path
    """The folder of the victims: below the haystack or below the needles."""
    files: tuple[Path, ...]
    other: Path
    """The root of the other side."""


Fault = Callable[[Scene], None]
FAULTS: dict[str, Fault] = {}


def fault(make: Fault) -> Fault:
    """Enter a kind of fault under its name."""
    FAULTS[make.__name__] = make
    return make


def each(change: Callable[[Path], None]) -> Fault:
    """The same to each victim."""

    def change_all(scene: Scene) -> None:
        for file in scene.files:
            change(file)

    change_all.__name__ = change.__name__
    return fault(change_all)


def other_bytes(file: Path) -> bytes:
    """As many as the file has, and not the same."""
    return bytes(255 - byte for byte in file.read_bytes())


@each
def vanish(file: Path) -> None:
    """Deleted."""
    file.unlink()


@each
def truncate(file: Path) -> None:
    """Cut to a half."""
    os.truncate(file, file.stat().st_size // 2)


@each
def grow(file: Path) -> None:
    """Something is written behind it."""
    with file.open("ab") as end:
        end.write(b"more")


@each
def rewrite(file: Path) -> None:
    """Other bytes in the same file, as many of them, and the old time put back."""
    times, content = file.stat(), other_bytes(file)
    with file.open("r+b") as same:
        same.write(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@each
def replace(file: Path) -> None:
    """Another file of the same size and time is moved over it."""
    times, other = file.stat(), file.with_name("other.tmp")
    other.write_bytes(other_bytes(file))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)


@each
def become_a_link(file: Path) -> None:
    """Moved elsewhere, and a link left that leads to it."""
    elsewhere = file.parents[2] / f"moved {file.name}"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


@each
def become_a_folder(file: Path) -> None:
    """A folder of that name."""
    file.unlink()
    file.mkdir()


@each
def become_a_pipe(file: Path) -> None:
    """A named pipe, which nobody writes to: who opens it may wait for ever."""
    file.unlink()
    os.mkfifo(file)


@each
def lose_permission(file: Path) -> None:
    """Nobody may read it any more."""
    file.chmod(0)


@fault
def lose_the_folders_permission(scene: Scene) -> None:
    """Nobody may look into the folder any more."""
    scene.folder.chmod(0)


@fault
def rename_folder(scene: Scene) -> None:
    """The folder has another name."""
    scene.folder.rename(scene.folder.with_name("renamed"))


@fault
def leave_a_link(scene: Scene) -> None:
    """The folder is moved out of both trees, and a link left that leads to it."""
    scene.folder.rename(scene.top / "moved")
    scene.folder.symlink_to(scene.top / "moved")


@fault
def move_to_the_other_side(scene: Scene) -> None:
    """The folder is moved below the other root, and a link left that leads to it."""
    scene.folder.rename(scene.other / "moved")
    scene.folder.symlink_to(scene.other / "moved")


@fault
def replace_folder(scene: Scene) -> None:
    """A folder of the same name with other files of the same names and sizes."""
    others = {file.name: other_bytes(file) for file in scene.files}
    shutil.rmtree(scene.folder)
    build_tree(scene.folder, others)


class Saboteur(Silence):
    """A listener that does its deed once, when the run comes to a certain place."""

    def __init__(self, place: str, deed: Callable[[], None]) -> None:
        self._place = place
        self._deed = deed
        self.has_struck = False
        self.work = ""
        """What the workers are at."""

    def come_to(self, place: str) -> None:
        """Strike where this is the place."""
        if place == self._place and not self.has_struck:
            self.has_struck = True
            self._deed()

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Come to its begin, to each thing done in it, and to its end."""
        self.come_to(f"before {name}")
        yield lambda items: self.come_to(f"within {name}") if items else None
        self.come_to(f"after {name}")

    @contextmanager
    def part(self, name: str, items: int = 0) -> Iterator[None]:
        """Likewise."""
        with self.stage(name, items):
            yield

    def warn(self, text: str) -> None:
        """Nothing is wrong but for the fault."""
        pytest.fail(text)


class Hands(Executor):
    """Work is done at once; the saboteur comes by before and after each piece of it."""

    def __init__(self, saboteur: Saboteur) -> None:
        self._saboteur = saboteur

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Run ``fn``."""
        future: Future[Any] = Future()
        kind = "".join(name for name in ("digest", "thumbnail", "look") if name in repr(fn))
        self._saboteur.work = kind
        self._saboteur.come_to(f"before a worker's {kind}")
        future.set_result(fn(*args, **options))
        self._saboteur.come_to(f"after a worker's {kind}")
        return future


SEAMS = [
    "within walking",  # the needles' root is walked, the rest is not
    "after walking",
    "before comparing bytes",
    "before a worker's digest",
    "while it is open for digest",
    "after a worker's digest",
    "after comparing bytes",
    "before decoding needles",
    "before a worker's thumbnail",
    "while it is open for thumbnail",
    "after a worker's thumbnail",
    "after decoding needles",
    "before decoding haystack",
    "after decoding haystack",
    "before matching",
    "after matching",
    "before evidence",
    "after evidence",
    "before looking again",
]


def wrecked(scene: Scene, kind: str, seam: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Report:
    """The report of a scan in which this happened there."""
    saboteur = Saboteur(seam, as_before(lambda: FAULTS[kind](scene)))
    real = entries._open_without_blocking

    def open_(path: str, flags: int) -> int:
        handle = real(path, flags)
        if Path(path) in scene.files:
            saboteur.come_to(f"while it is open for {saboteur.work}")
        return handle

    monkeypatch.setattr(entries, "_open_without_blocking", open_)
    arguments = settings(scene.top / "hay", scene.top / "needles", **options)
    with as_nobody():
        report = pipeline.scan(arguments, saboteur, lambda: Hands(saboteur))
    assert saboteur.has_struck
    return report


NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, to whom no permission is ever lost."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def as_before(deed: Callable[[], None]) -> Callable[[], None]:
    """The deed, done by who runs the tests."""
    user = os.geteuid()

    def do() -> None:
        now = os.geteuid()
        os.seteuid(user)
        deed()
        os.seteuid(now)

    return do


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Everything that a scan imports on its way is imported, by who may read it."""
    top = tmp_path_factory.mktemp("ready")
    make_scene(top, "hay")
    for options in ({"no_cache": True}, {"cache": str(top / "cache.sqlite")}, {"no_cache": True, "paranoid": True}):
        scan(top / "hay", top / "needles", **options)
    libraries.installed()


@pytest.fixture
def ground(tmp_path: Path, ready: None) -> Iterator[Path]:
    """A folder of the test's own that anybody may look into."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: S103 - nothing in it is secret
        yield Path(name)


@cache
def contents(side: str) -> dict[str, bytes]:
    """A film, and a photo in one of two formats."""
    file = io.BytesIO()
    pictures.photo(1, (160, 120)).save(file, "PNG" if side == "hay" else "JPEG")
    return dict(zip(FILES[side], (FILM, file.getvalue()), strict=True))


def make_scene(top: Path, side: str) -> Scene:
    """A film and a photo with a copy each, and the side whose are the victims."""
    for one in SIDES:
        build_tree(top / FOLDERS[one], contents(one))
    folder = top / FOLDERS[side]
    (other,) = set(SIDES) - {side}
    return Scene(top, folder, tuple(folder / name for name in FILES[side]), top / other)


def check(report: Report, scene: Scene) -> None:
    """Nothing is present but what a new scan of what lies there now finds present as well."""
    present = {one.path for one in report.files if one.state is FileState.PRESENT}
    if present:
        with as_nobody():
            again = scan(scene.top / "hay", scene.top / "needles")
        assert present <= {one.path for one in again.files if one.state is FileState.PRESENT}
        assert report.is_complete <= again.is_complete
    contained = [one.path for one in report.folders if one.state is FolderState.CONTAINED]
    assert not contained or present


def test_without_a_fault(ground: Path) -> None:
    """All is found, by bytes and by picture, in a run that comes by every seam."""
    scene, passed = make_scene(ground, "hay"), set()
    saboteur = Saboteur("", lambda: None)
    saboteur.come_to = passed.add  # type: ignore[method-assign]
    report = pipeline.scan(settings(ground / "hay", ground / "needles"), saboteur, lambda: Hands(saboteur))
    assert {"film.mov": "present/identical", "photo.jpg": "present/same"} == states(report)
    assert set(SEAMS) - {seam for seam in SEAMS if seam.startswith("while")} <= passed
    assert report.is_complete
    check(report, scene)


@pytest.mark.mostly_slow(fast=59)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("kind", FAULTS)
def test_what_changes_is_neither_present_nor_a_proof(
    ground: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seam: str, side: str
) -> None:
    """Wherever it strikes; only what is walked after the fault is found where and as it is by then."""
    scene = make_scene(ground, side)
    report = wrecked(scene, kind, seam, monkeypatch)
    check(report, scene)
    assert (kind, seam, side) == ("rename_folder", "within walking", "hay") or not report.is_complete


@pytest.mark.mostly_slow(fast=9)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", FAULTS)
def test_an_answer_from_memory_is_looked_at_again_as_well(
    ground: Path, monkeypatch: pytest.MonkeyPatch, kind: str, side: str
) -> None:
    """Nothing had changed when the trees were walked; then it does."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    monkeypatch.setattr("dupfind.cache.result_cache._RACY_NS", 0)
    scene = make_scene(ground, side)
    cache = ground / "cache" / "cache.sqlite"
    cache.parent.mkdir()
    if os.geteuid() == 0:
        os.chown(cache.parent, NOBODY, NOBODY)  # who scans has to own it
    with as_nobody():
        assert scan(ground / "hay", ground / "needles", cache=str(cache)).is_complete
    report = wrecked(scene, kind, "before nothing has changed since an earlier run", monkeypatch, cache=str(cache))
    check(report, scene)
    assert not report.is_complete
    assert {"film.mov": "missing", "photo.jpg": "missing"} == states(report)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_a_witness_that_goes_while_the_needles_are_looked_at_again(
    ground: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """They come first, so that what is moved to them from the haystack is missed there."""
    scene = make_scene(ground, "hay")
    report = wrecked(scene, kind, "within looking again", monkeypatch)
    check(report, scene)
    assert not report.is_complete


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rewrite", "vanish", "move_to_the_other_side"])
@pytest.mark.parametrize("seam", ["before looking again", "after walking"])
def test_a_paranoid_run_is_no_less_careful(ground: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seam: str) -> None:
    """What it has read again is looked at once more all the same."""
    for side in SIDES:
        scene = make_scene(ground / side, side)
        report = wrecked(scene, kind, seam, monkeypatch, paranoid=True)
        check(report, scene)
        assert not report.is_complete


CAME = {
    "a file": {"new.jpg": b"new"},
    "a folder with a file": {"new/new.jpg": b"new"},
    "a copy of what is there": {"copy of film.mov": FILM},
}


@pytest.mark.mostly_slow(fast=14)
@pytest.mark.parametrize("what", CAME)
@pytest.mark.parametrize("seam", [seam for seam in SEAMS if seam != "within walking"])
def test_what_comes_among_the_needles_is_a_gap(
    ground: Path, monkeypatch: pytest.MonkeyPatch, seam: str, what: str
) -> None:
    """Who deletes the folder would delete it as well, and nobody has looked at it."""
    scene = make_scene(ground, "needles")
    monkeypatch.setitem(FAULTS, "come", lambda scene: build_tree(scene.folder, CAME[what]))  # type: ignore[arg-type]
    report = wrecked(scene, "come", seam, monkeypatch)
    assert {"film.mov": "present/identical", "photo.jpg": "present/same"} == states(report)
    assert FolderState.CONTAINED not in {one.state for one in report.folders}
    (name,) = CAME[what]
    assert [(str(scene.folder / name), "came while dupfind ran: not looked at")] == [
        (one.path, one.reason) for one in report.problems
    ]
    assert not report.is_complete


def test_a_link_that_comes_is_a_gap_and_junk_is_none(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of the walk; a system that shows a folder leaves its junk there."""
    scene = make_scene(ground, "needles")
    monkeypatch.setitem(FAULTS, "junk", lambda scene: build_tree(scene.folder, {"Thumbs.db": b""}))  # type: ignore[arg-type]
    assert wrecked(scene, "junk", "after matching", monkeypatch).is_complete
    monkeypatch.setitem(FAULTS, "link", lambda scene: (scene.folder / "link").symlink_to("film.mov"))
    report = wrecked(scene, "link", "after matching", monkeypatch)
    assert ["symbolic link: not followed"] == [one.reason for one in report.problems]
    assert not report.is_complete


def test_what_happened_is_told(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for the witness, as the user spells it, and one for the needle that it leaves without."""
    scene = make_scene(ground, "hay")
    report = wrecked(scene, "vanish", "before looking again", monkeypatch)
    gone = "changed while dupfind ran: no such file or directory"
    witnesses = [(str(file), "haystack", "last look", gone) for file in scene.files]
    needles = [
        (str(ground / FOLDERS["needles"] / name), "needles", "last look", f"its witness {gone}")
        for name in FILES["needles"]
    ]
    assert sorted(witnesses + needles) == sorted((one.path, one.side, one.stage, one.reason) for one in report.problems)
    assert {f"its witness {gone}"} == {sentences(one.reasons) for one in report.files}
    assert ["image", "other"] == sorted(one.kind for one in report.files)
    assert (2, 1, 0) == (report.haystack.files, report.haystack.images, report.haystack.unreadable)


def test_an_empty_root_that_fills_is_not_all_present(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was there to be looked for, and then there was."""
    scene = make_scene(ground, "needles")
    shutil.rmtree(scene.folder)
    monkeypatch.setitem(FAULTS, "come", lambda scene: build_tree(scene.folder, {"new.jpg": b"new"}))  # type: ignore[arg-type]
    assert not wrecked(scene, "come", "after walking", monkeypatch).is_complete


@pytest.mark.parametrize("is_folder", [False, True])
def test_followed_links_that_are_turned(ground: Path, monkeypatch: pytest.MonkeyPatch, *, is_folder: bool) -> None:
    """What a link of the haystack led to is moved among the needles, and the link after it: its own witness."""
    make_scene(ground, "needles")
    shutil.move(ground / FOLDERS["hay"], ground / "attic")
    link = ground / "hay" / "link"
    link.symlink_to(ground / "attic" if is_folder else ground / "attic" / "film.mov")
    scene = Scene(ground, ground / "attic", (), ground / "needles")

    def turn(scene: Scene) -> None:
        link.unlink()
        moved = scene.folder.rename(scene.other / "moved")
        link.symlink_to(moved if is_folder else moved / "film.mov")

    monkeypatch.setitem(FAULTS, "turn", turn)
    monkeypatch.setitem(FAULTS, "nothing", lambda _: None)
    for kind, expected in (("nothing", "present/identical"), ("turn", "missing")):
        report = wrecked(scene, kind, "before looking again", monkeypatch, follow_symlinks=True)
        assert expected == states(report)["film.mov"]
    assert any("it lies among the needles now" in one.reason for one in report.problems)
