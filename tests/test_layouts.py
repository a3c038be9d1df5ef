"""Never its own witness: how needles and haystack can lie to each other, and what is to be said of each layout.

One table, each row with its expected answer. What only the kernel can make (bind mounts) is made in a name space of the
test's own, and skipped with its reason where that is not allowed. A file system that takes spellings for one another
is played by one that is asked under other names.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dupfind import pipeline
from dupfind.errors import SettingsError
from dupfind.settings import make_settings
from dupfind.sources import roots
from dupfind.sources.ignore import Excludes
from dupfind.sources.source import Rules
from dupfind.sources.walk import Walk
from dupfind.values import FolderState, Side
from tests.helpers.scans import one_thread

A, B = b"a picture", b"another one"
E_ACUTE, E_AND_ACUTE = "\u00e9.jpg", "e\u0301.jpg"


class Link(NamedTuple):
    """A symbolic link."""

    target: str


class Hard(NamedTuple):
    """A hard link."""

    target: str


@dataclass(frozen=True)
class Layout:
    """Files and links, the roots as they are given, and the answer."""

    files: Mapping[str, bytes | Link | Hard]
    haystack: tuple[str, ...] = ("hay",)
    needles: tuple[str, ...] = ("n",)
    expected: Mapping[str, str] = field(default_factory=dict)
    """Each needle as it is reported, with its verdict."""
    contained: frozenset[str] = frozenset()
    """The folders that may be deleted."""
    follow: bool = False
    mounts: tuple[tuple[str, str], ...] = ()
    """What is bound to where."""
    error: str | None = None


def present(*paths: str) -> dict[str, str]:
    """All of them are."""
    return dict.fromkeys(paths, "present")


def missing(*paths: str) -> dict[str, str]:
    """All of them are."""
    return dict.fromkeys(paths, "missing")


def both(*folders: str) -> frozenset[str]:
    """Contained folders."""
    return frozenset(folders)


SAME = "are the same folder"
NESTED = {"hay/keep/a": A, "hay/n/a": A, "hay/n/b": B}
AROUND = {"n/a": A, "n/s/a": A, "n/hay/a": A}

LAYOUTS = {
    "beside": Layout({"hay/a": A, "n/a": A, "n/b": B}, expected={**present("n/a"), **missing("n/b")}),
    "beside, with one name as the other's beginning": Layout(
        {"hay/a": A, "hay2/a": A}, needles=("hay2",), expected=present("hay2/a"), contained=both("hay2")
    ),
    "the needles by a link": Layout(
        {"hay/a": A, "real/a": A, "n": Link("real")}, expected=present("n/a"), contained=both("n")
    ),
    "the haystack by a link": Layout(
        {"real/a": A, "n/a": A, "hay": Link("real")}, expected=present("n/a"), contained=both("n")
    ),
    "behind a folder that is a link": Layout(
        {"hay/a": A, "real/n/a": A, "up": Link("real")},
        needles=("up/n",),
        expected=present("up/n/a"),
        contained=both("up/n"),
    ),
    "dots in the way": Layout(
        {"hay/a": A, "n/a": A},
        haystack=("n/../hay/.",),
        needles=("./hay/../n",),
        expected=present("./hay/../n/a"),
        contained=both("./hay/../n"),
    ),
    "slashes at the end": Layout(
        {"hay/a": A, "n/a": A}, ("hay//",), ("n///",), expected=present("n/a"), contained=both("n")
    ),
    "needles inside": Layout(NESTED, needles=("hay/n",), expected={**present("hay/n/a"), **missing("hay/n/b")}),
    "needles inside, by a link": Layout({**NESTED, "n": Link("hay/n")}, expected={**present("n/a"), **missing("n/b")}),
    "needles inside, and nothing else": Layout({"hay/n/a": A}, needles=("hay/n",), expected=missing("hay/n/a")),
    "needles inside, followed to by a link beside them": Layout(
        {"hay/n/a": A, "hay/other": Link("n")}, needles=("hay/n",), expected=missing("hay/n/a"), follow=True
    ),
    "haystack inside": Layout(AROUND, ("n/hay",), expected=present("n/a", "n/s/a"), contained=both("n/s")),
    "haystack inside, by a link": Layout(
        {**AROUND, "hay": Link("n/hay")}, expected=present("n/a", "n/s/a"), contained=both("n/s")
    ),
    "equal": Layout({"n/a": A}, ("n",), error=SAME),
    "equal, by a link": Layout({"n/a": A, "hay": Link("n")}, error=SAME),
    "equal, by dots": Layout({"n/a": A, "o/a": A}, ("o/../n/",), error=SAME),
    "equal, by a link further up": Layout({"real/n/a": A, "up": Link("real")}, ("up/n",), ("real/n",), error=SAME),
    "equal, as one of many": Layout({"n/a": A, "hay/a": A, "o/a": A}, ("hay", "n"), ("o", "n"), error=SAME),
    "hard links across": Layout({"hay/a": A, "n/a": Hard("hay/a")}, expected=present("n/a"), contained=both("n")),
    "hard links among the needles": Layout({"n/a": A, "n/b": Hard("n/a"), "hay/b": B}, expected=missing("n/a", "n/b")),
    "a needle that links to the haystack": Layout(
        {"hay/a": A, "n/a": Link("../hay/a"), "n/b": A}, expected=present("n/b")
    ),
    "a needle that links to the haystack, followed": Layout(
        {"hay/a": A, "n/a": Link("../hay/a"), "n/b": B}, expected=missing("n/a", "n/b"), follow=True
    ),
    "a link of the haystack to a needle": Layout({"n/a": A, "hay/a": Link("../n/a")}, expected=missing("n/a")),
    "a link of the haystack to a needle, followed": Layout(
        {"n/a": A, "hay/a": Link("../n/a")}, expected=missing("n/a"), follow=True
    ),
    "a link of the haystack to the needles, followed": Layout(
        {"n/a": A, "n/s/b": B, "hay/x": Link("../n"), "hay/y": Link("../n/s")},
        expected=missing("n/a", "n/s/b"),
        follow=True,
    ),
    "a link of the needles to the haystack, followed": Layout(
        {"hay/a": A, "n/a": A, "n/x": Link("../hay")}, expected=present("n/a"), follow=True
    ),
    "links in a circle, followed": Layout(
        {"hay/a": A, "hay/x": Link("."), "n/s/a": A, "n/s/y": Link("..")}, expected=present("n/s/a"), follow=True
    ),
    "a root given twice": Layout(
        {"hay/a": A, "n/a": A}, ("hay", "hay/"), ("n", "./n"), expected=present("n/a"), contained=both("n")
    ),
    "needles inside needles": Layout(
        {"hay/a": A, "n/a": A, "n/s/a": A},
        needles=("n/s", "n"),
        expected=present("n/a", "n/s/a"),
        contained=both("n", "n/s"),
    ),
    "a haystack inside another": Layout(
        {"hay/a": A, "hay/s/b": B, "n/a": A, "n/b": B},
        ("hay", "hay/s"),
        expected=present("n/a", "n/b"),
        contained=both("n"),
    ),
    "needles inside a haystack inside needles": Layout(
        {"n/a": A, "n/hay/a": A, "n/hay/m/a": A, "n/hay/m/b": B},
        ("n/hay",),
        ("n", "n/hay/m"),
        expected={**present("n/a", "n/hay/m/a"), **missing("n/hay/m/b")},
    ),
    "names in two forms": Layout(
        {f"hay/{E_ACUTE}": A, f"n/{E_AND_ACUTE}": A}, expected=present(f"n/{E_AND_ACUTE}"), contained=both("n")
    ),
    "names in two forms, both among the needles": Layout(
        {f"hay/{E_ACUTE}": A, f"n/{E_AND_ACUTE}": A, f"n/{E_ACUTE}": B},
        expected={**present(f"n/{E_AND_ACUTE}"), f"n/{E_ACUTE}": "unreadable"},
    ),
    "names in either case": Layout(
        {"hay/IMG.JPG": A, "n/img.jpg": A}, expected=present("n/img.jpg"), contained=both("n")
    ),
    "the needles mounted in the haystack": Layout(
        {"n/a": A, "n/s/a": A, "hay/m/x": B}, mounts=(("n", "hay/m"),), expected=missing("n/a", "n/s/a")
    ),
    "a folder of the needles mounted in the haystack": Layout(
        {"n/s/a": A, "n/a": A, "hay/m/x": B}, mounts=(("n/s", "hay/m"),), expected=missing("n/a", "n/s/a")
    ),
    "a needle mounted over a file of the haystack": Layout(
        {"n/a": A, "hay/a": B}, mounts=(("n/a", "hay/a"),), expected=missing("n/a")
    ),
    "the haystack mounted in the needles": Layout(
        {"n/a": A, "n/m/x": B, "n/s/a": A, "hay/a": A},
        mounts=(("hay", "n/m"),),
        expected=present("n/a", "n/s/a"),
        contained=both("n/s"),
    ),
    "a folder of the haystack mounted in the needles": Layout(
        {"n/m/x": B, "hay/s/a": A}, mounts=(("hay/s", "n/m"),), expected=missing("n/m/a")
    ),
    "equal, by a mount": Layout({"n/a": A, "hay/x": B}, mounts=(("n", "hay"),), error=SAME),
    "the needles mounted around the haystack": Layout(
        {"n/a": A, "n/hay/a": A, "m/x": B}, ("m/hay",), mounts=(("n", "m"),), expected=present("n/a")
    ),
}


def build(layout: Layout) -> None:
    """Make the files in the working directory; links come when all else is there."""
    for path, content in sorted(layout.files.items(), key=lambda item: not isinstance(item[1], bytes)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            Path(path).write_bytes(content)
        elif isinstance(content, Link):
            Path(path).symlink_to(content.target)
        else:
            os.link(content.target, path)


def verdict(layout: Layout) -> tuple[Mapping[str, str], frozenset[str], bool] | str:
    """The files' verdicts, the folders that are contained, whether all is present; or the error."""
    try:
        settings = make_settings(
            haystack=layout.haystack, needles=layout.needles, follow_symlinks=layout.follow, no_cache=True
        )
    except SettingsError as error:
        return str(error)
    report = pipeline.scan(settings, make_executor=one_thread)
    contained = frozenset(one.path for one in report.folders if one.state is FolderState.CONTAINED)
    files = {one.path: one.state.value for one in report.files}
    assert len(files) == len(report.files)
    return files, contained, report.is_complete


@cache
def why_no_mounts() -> str | None:
    """Why this user may not mount anything; None where that is allowed."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    done = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    return done.stderr.decode().strip() or "not allowed" if done.returncode else None


def mounted(layout: Layout) -> tuple[Mapping[str, str], frozenset[str], bool] | str:
    """The same as :func:`verdict` where the mounts are."""
    shell = " && ".join([*(f"mount --bind '{source}' '{target}'" for source, target in layout.mounts), 'exec "$@"'])
    sides = [("--haystack", one) for one in layout.haystack] + [("--needles", one) for one in layout.needles]
    scan = [sys.executable, "-m", "dupfind", "scan", *(word for side in sides for word in side), "--no-cache"]
    command = ["unshare", "-rm", "sh", "-c", shell, "sh", *scan, "--format", "json", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        return done.stderr.decode()
    report = json.loads(done.stdout)
    contained = frozenset(one["path"] for one in report["folders"] if one["verdict"] == "contained")
    return {one["path"]: one["verdict"] for one in report["files"]}, contained, done.returncode == 0


@pytest.mark.mostly_slow(fast=12)
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each with its answer; the run is complete where every folder is contained."""
    layout = LAYOUTS[name]
    if layout.mounts and (why := why_no_mounts()):
        pytest.skip(f"bind mounts are not allowed here: {why}")
    monkeypatch.chdir(tmp_path)
    build(layout)
    found = mounted(layout) if layout.mounts else verdict(layout)
    if layout.error is not None:
        assert isinstance(found, str)
        assert layout.error in found
        return
    assert not isinstance(found, str), found
    files, contained, is_complete = found
    assert (layout.expected, layout.contained) == (files, contained)
    assert is_complete == ({one.rstrip("/") for one in layout.needles} & contained != set())


def fold(path: str) -> str:
    """What a file system that is blind to case and to the forms of Unicode looks for."""
    return unicodedata.normalize("NFC", path).casefold()


class Item:
    """An entry of a folder, under the name of the folder by which it was asked for."""

    def __init__(self, item: os.DirEntry[str], folder: str) -> None:
        self._item = item
        self.name, self.path = item.name, os.path.join(folder, item.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._item, name)


@pytest.fixture
def blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system finds what is spelt otherwise, below the test's own folder, and gives it back as it was spelt."""
    top = str(tmp_path)

    def actual(path: Any) -> Any:
        """Where the file of this path is."""
        if not isinstance(path, str) or not os.path.abspath(path).startswith(top + os.sep):
            return path
        found = top
        for part in os.path.abspath(path)[len(top) + 1 :].split(os.sep):
            is_folder = stat.S_ISDIR(plain["lstat"](found).st_mode)
            names = {fold(name): name for name in listdir(found)} if is_folder else {}
            found = os.path.join(found, names.get(fold(part), part))
        return found

    plain: dict[str, Any] = {name: getattr(os, name) for name in ("stat", "lstat", "open", "readlink")}
    listdir, scandir = os.listdir, os.scandir

    class Listing:
        """A folder, listed."""

        def __init__(self, folder: str) -> None:
            with scandir(actual(folder)) as items:
                self._items = [Item(item, folder) for item in items]

        def __enter__(self) -> list[Item]:
            return self._items

        def __exit__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            """Nothing is open."""

    def patched(name: str) -> Callable[..., Any]:
        return lambda path, *arguments, **options: plain[name](
            path if options.get("dir_fd") is not None else actual(path), *arguments, **options
        )

    for name in plain:
        monkeypatch.setattr(os, name, patched(name))
    monkeypatch.setattr(os, "scandir", Listing)
    monkeypatch.setattr(os, "supports_dir_fd", os.supports_dir_fd | {os.stat})
    monkeypatch.setattr(os, "supports_follow_symlinks", os.supports_follow_symlinks | {os.stat})


BLIND = {
    "equal but for case": Layout({"n/a": A}, ("N",), error=SAME),
    "equal but for the form": Layout({"\u00e9/a": A}, ("\u00e9",), ("e\u0301",), error=SAME),
    "needles inside, in another case": Layout({"hay/n/a": A}, needles=("HAY/N",), expected=missing("HAY/N/a")),
    "needles inside, in another form": Layout(
        {"hay/\u00e9/a": A, "hay/b/a": A},
        needles=("hay/e\u0301",),
        expected=present("hay/e\u0301/a"),
        contained=both("hay/e\u0301"),
    ),
    "haystack inside, in another case": Layout(
        AROUND, ("N/Hay",), expected=present("n/a", "n/s/a"), contained=both("n/s")
    ),
    "a root given twice, in another case": Layout(
        {"hay/a": A, "n/a": A}, ("hay", "Hay"), ("n", "N"), expected=present("n/a"), contained=both("n")
    ),
    "needles inside needles, in another case": Layout(
        {"hay/a": A, "n/a": A, "n/s/a": A, "n/s/b": B},
        needles=("N/S", "n"),
        expected={**present("N/S/a", "n/a"), **missing("N/S/b")},
    ),
}


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("name", BLIND)
def test_layouts_by_other_spellings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Where several spellings lead to one folder, its device and inode tell."""
    layout = BLIND[name]
    monkeypatch.chdir(tmp_path)
    build(layout)
    found = verdict(layout)
    if layout.error is not None:
        assert layout.error in found
        return
    assert not isinstance(found, str), found
    assert (layout.expected, layout.contained) == found[:2]


@pytest.mark.parametrize("side", ["hay", "n"])
@pytest.mark.parametrize("replacement", ["a link to the other side", "a copy of the other side"])
def test_a_root_that_is_replaced_before_it_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str, replacement: str
) -> None:
    """What stands in its place may be the other side itself: it is not looked into."""
    monkeypatch.chdir(tmp_path)
    build(Layout({"hay/a": A, "n/a": A}))
    settings = make_settings(haystack=["hay"], needles=["n"], no_cache=True)
    other = "n" if side == "hay" else "hay"
    os.rename(side, "away")
    if replacement.startswith("a link"):
        os.symlink(other, side)
    else:
        shutil.copytree(other, side)
    report = pipeline.scan(settings, make_executor=one_thread)
    assert ["missing"] * (side == "hay") == [one.state for one in report.files]
    assert not any(one.state is FolderState.CONTAINED for one in report.folders)
    assert not report.is_complete or side == "hay"
    assert (side, "cannot read the folder: another one came in its place") in {
        (one.path, one.reason) for one in report.problems
    }


def test_the_root_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies below "/" is spelt as it is, and needles inside it are left out of it."""
    monkeypatch.chdir(tmp_path)
    build(Layout({"n/a": A}))
    settings = make_settings(haystack=["/"], needles=["n"], no_cache=True)
    top, needles = settings.roots
    assert ("/", "/", Side.HAYSTACK) == (top.given, top.real, top.side)
    assert "/etc/x" == top.shown("/etc/x") == roots.spelling([top, needles])("/etc/x")
    assert roots.is_below("/etc", "/")
    folder, files = next(Walk(top, Rules(Excludes(())), settings.roots, frozenset()).folders())
    assert "/" == folder
    assert all(entry.path.count("/") == 1 for entry in files)
    for given in (["/"], ["/."], ["//"]):
        with pytest.raises(SettingsError, match=SAME):
            make_settings(haystack=given, needles=["/"], no_cache=True)


@pytest.mark.slow
def test_a_needle_below_the_root_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a walk from "/" but the way to the test's own folder is excluded."""
    monkeypatch.chdir(tmp_path)
    build(Layout({"hay/a": A, "n/a": A, "n/b": B}))
    top = tmp_path.resolve()
    beside = [path / name for path in top.parents for name in os.listdir(path) if not top.is_relative_to(path / name)]
    excludes = [glob.escape(str(path)) for path in beside]
    settings = make_settings(haystack=["/"], needles=["n"], no_cache=True, exclude=excludes)
    report = pipeline.scan(settings, make_executor=one_thread)
    assert {"n/a": "present", "n/b": "missing"} == {one.path: one.state.value for one in report.files}
    assert str(top / "hay" / "a") == report.files[0].witness
