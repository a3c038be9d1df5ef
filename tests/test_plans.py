"""Catalogs as needles: which drives to get out of the drawer. What is said is a plan, and nothing acts on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.catalog import catalogs, volumes
from dupfind.catalog.catalog_file import About, CatalogFile
from dupfind.catalog.same_file import Relation
from dupfind.errors import SettingsError
from dupfind.report import Screen, render
from dupfind.settings import make_report_settings, make_settings
from dupfind.values import Report
from fixtures import pictures
from tests.helpers import managed
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, collection, scanned, settle, verdicts
from tests.helpers.trees import build_tree

Dupfind = Callable[..., Any]


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive of every catalog is certainly another one than that of the haystack."""
    for module in ("catalog_source", "catalogs"):
        monkeypatch.setattr(f"dupfind.catalog.{module}.relation", lambda *_: Relation.OTHER)


def shown(report: Report, **options: Any) -> str:
    """A report as it is printed off a terminal."""
    return render(report, make_report_settings(**options), Screen()).decode()


def folders(report: Report, catalog: Path) -> dict[str, str]:
    """The verdict on each folder of a catalog."""
    return {one.path.removeprefix(str(catalog)).lstrip("/"): one.state.value for one in report.folders}


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_verdicts_of_a_drive_that_is_not_there(tree: TreeBuilder, tmp_path: Path) -> None:
    """Bytes are known; pictures look alike at most, since nobody can compare them."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    (drive / "2007").mkdir()
    (drive / "2007" / "n.txt").write_bytes(b"of 2007")
    cataloged(drive, catalog)
    haystack = tree("h", {"notes.txt": b"notes", "seven.txt": b"of 2007"})
    shutil.copy(drive / "2006" / "b.png", haystack / "b.png")
    pictures.photo(1, (240, 180)).save(haystack / "a.jpg", quality=95)
    shutil.rmtree(drive)
    report = scanned(haystack, catalog)
    expected = {
        "a.jpg": ("similar", "similar"),
        "b.png": ("present", "identical"),
        "p.jpg": ("missing", None),
        "notes.txt": ("present", "identical"),
        "n.txt": ("present", "identical"),
        "caf\udce9.txt": ("missing", None),
    }
    assert expected == verdicts(report)
    assert {"": "partial", "2006": "partial", "2007": "contained"} == folders(report, catalog)
    assert all(one.is_plan for one in report.folders)
    assert ["witness-listed-only"] == [
        reason.code.value for one in report.files for reason in one.reasons if one.path.endswith("a.jpg")
    ]
    quick = verdicts(scanned(haystack, catalog, quick=True))
    assert expected | {"a.jpg": ("present", "same")} == quick


@pytest.mark.usefixtures("apart")
def test_nothing_can_act_on_a_plan(tree: TreeBuilder, tmp_path: Path) -> None:
    """No path of it is printed for programs, no count calls it contained without the word, and no exit code says so."""
    drive, catalog = tree("drive", {"a/n.txt": b"notes", "b.txt": b"b"}), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    haystack, folder = tree("h", {"notes.txt": b"notes", "b.txt": b"b"}), tree("folder", {"x/n.txt": b"notes"})
    settings = make_settings(haystack=[str(haystack)], needles=[str(catalog), str(folder)], no_cache=True, workers=1)
    report = pipeline.scan(settings)
    assert {"contained"} == {one.state.value for one in report.folders}
    assert not report.is_complete
    assert f"{folder}\0" == shown(report, print0=True, only=["contained"])
    assert [f"{folder}/x/n.txt"] == shown(report, format_="paths", files=True, everything=True).splitlines()
    whole = json.loads(shown(report, format_="json"))
    assert {str(catalog): True, f"{catalog}/a": True, str(folder): False, f"{folder}/x": False} == {
        one["path"]: one["plan"] for one in whole["folders"]
    }
    counts = {"review": 0, "partial": 0, "missing": 0}
    assert whole["summary"]["folders"] == {"contained": 2, **counts}
    assert whole["summary"]["plan"] == {"contained": 2, **counts}
    assert ["needles"] == [one["side"] for one in whole["catalogues"]]
    rows = shown(report, format_="csv", everything=True).splitlines()
    assert {"contained (plan)", "contained"} == {row.split(",")[1] for row in rows[1:]}
    table = shown(report, everything=True)
    assert "contained (plan)" in table
    assert "by plan, every needle folder is contained" in table
    assert "1 folder can go, which frees 5 B (1 file)." in table
    assert "By plan, 1 folder of catalogs could go: scan the drive itself for that." in table
    assert "What is said of it is a plan: nobody looked at the drive" in table
    alone = pipeline.scan(make_settings(haystack=[str(haystack)], needles=[str(catalog)], no_cache=True, workers=1))
    assert "" == shown(alone, print0=True, only=["contained"])
    assert "--only contained" not in shown(alone)
    assert "plan" not in json.loads(shown(scanned(haystack, folder), format_="json"))["summary"]


def test_the_command(tree: TreeBuilder, tmp_path: Path, dupfind: Dupfind) -> None:
    """It ends with 1 however much is there, and refuses what needs the files themselves."""
    drive, haystack = tree("drive", {"n.txt": b"notes"}), tree("h", {"n.txt": b"notes"})
    catalog = tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    scan = "scan", "--haystack", str(haystack), "--needles", str(catalog), "--no-cache"
    done = dupfind(*scan, "--only", "contained", "-0")
    assert (1, b"") == (done.returncode, done.stdout)
    assert b"What is said of it is a plan" in done.stderr
    for option, why in (
        (("--paranoid",), b"--paranoid reads needles again"),
        (("--html", str(tmp_path / "page.html")), b"--html does not go with needles of a catalog"),
    ):
        done = dupfind(*scan, *option)
        assert 2 == done.returncode
        assert why in done.stderr
    done = dupfind("scan", "--haystack", str(catalog), "--needles", str(catalog), "--no-cache")
    assert 2 == done.returncode
    done = dupfind("scan", "--haystack", str(haystack), "--needles", str(drive / "n.txt"), "--no-cache")
    assert b"not a folder: single files go to" in done.stderr


@pytest.mark.usefixtures("apart")
def test_what_a_catalog_does_not_know_is_a_gap(tree: TreeBuilder, tmp_path: Path) -> None:
    """Hidden folders, trash, what managers made, links, exclusions, an indexing that was stopped."""
    files = {".hidden/x": b"x", "sub/Trash/y": b"y", "Old Previews.lrdata/z": b"z", "ok/n.txt": b"n", "sub/n.txt": b"n"}
    drive, catalog = tree("drive", {**files, "ex/a.tmp": b"t", "ex/n.txt": b"n"}), tmp_path / "drive.catalog"
    (drive / "ok2").mkdir()
    (drive / "ok2" / "n.txt").write_bytes(b"n")
    managed.write(drive / "ok2" / ".ppstorage", b"n")  # a warning, of which nothing is left out
    cataloged(drive, catalog)
    haystack = tree("h", {"n.txt": b"n"})
    report = scanned(haystack, catalog, exclude=["*.tmp"])
    expected = {"": "partial", "ok": "contained", "ok2": "contained", "sub": "partial", "ex": "partial"}
    assert expected == folders(report, catalog)
    gaps = {one.path.removeprefix(f"{catalog}/"): one.reason for one in report.problems if one.is_gap}
    assert {".hidden", "sub/Trash", "Old Previews.lrdata", "ex/a.tmp"} == gaps.keys()
    file = CatalogFile.for_writing(str(catalog))
    about = file.about()
    assert isinstance(about, About)
    with file.transaction():
        file.set_about(replace(about, is_complete=False))
    file.close()
    report = scanned(haystack, catalog)
    assert (str(catalog), "the catalog is not complete: its indexing was stopped") in [
        (one.path, one.reason) for one in report.problems if one.is_gap
    ]


def test_a_drive_is_not_contained_in_itself(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the drive itself nothing proves anything; where nobody knows, nothing that is alike does."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    with pytest.raises(SettingsError, match=f"--haystack {drive} is the folder that the catalog {catalog} lists"):
        scanned(drive, catalog)
    ears = Ears()
    report = scanned(tmp_path, catalog, ears)
    assert {("missing", None)} == set(verdicts(report).values())
    assert [
        f"{tmp_path}: 6 of its files left out: they lie, or may lie, on the drive that {catalog} lists"
    ] == ears.warnings
    (drive / "notes.txt").rename(drive / "renamed.txt")
    shutil.copy(drive / "renamed.txt", drive / "other.txt")
    (drive / "renamed.txt").unlink()
    assert ("missing", None) == verdicts(scanned(tmp_path, catalog))["notes.txt"]
    monkeypatch.setattr(volumes, "_text", lambda _: "")
    _alter_volumes(catalog)
    moved = drive.rename(tmp_path / "mounted elsewhere")
    assert {"2006/a.jpg", "2006/b.png", "2006/p.jpg"} <= {
        one.path.removeprefix(f"{catalog}/") for one in scanned(moved, catalog).files if one.state.value == "missing"
    }
    # Nobody knows, and something is there where the drive was listed: what has a name of it may have been written anew.
    build_tree(drive, {"2006/a.jpg": b"x"})
    copies = tree("copies", {"notes.txt": b"notes", "by another name.txt": b"cafe"})
    found = verdicts(scanned(copies, catalog))
    assert (("missing", None), ("present", "identical")) == (found["notes.txt"], found["caf\udce9.txt"])
    shutil.rmtree(drive)
    assert ("present", "identical") == verdicts(scanned(copies, catalog))["notes.txt"]


def _alter_volumes(catalog: Path) -> None:
    """Have a catalog know nothing of the drive that it lists."""
    file = CatalogFile.for_writing(str(catalog))
    about = file.about()
    assert about is not None
    with file.transaction():
        file.set_about(replace(about, volumes=(volumes.UNKNOWN_VOLUME,)))
    file.close()


@pytest.mark.slow
def test_two_catalogs(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One drive that was indexed twice proves nothing of itself; two drives do by their bytes."""
    drive = collection(tree)
    first, second, other = (tmp_path / f"{name}.catalog" for name in ("first", "second", "other"))
    cataloged(drive, first)
    cataloged(drive, second)
    cataloged(tree("two", {"n.txt": b"notes"}), other)
    assert {("missing", None)} == set(verdicts(scanned(second, first)).values())
    assert ("missing", None) == verdicts(scanned(other, first))["notes.txt"]  # one device, for all that is known
    monkeypatch.setattr(catalogs, "relation", lambda *_: Relation.OTHER)
    monkeypatch.setattr("dupfind.catalog.catalog_source.relation", lambda *_: Relation.OTHER)
    assert ("present", "identical") == verdicts(scanned(other, first))["notes.txt"]
    assert {("missing", None)} == set(verdicts(scanned(second, first)).values())


@pytest.mark.usefixtures("apart")
def test_a_list_of_what_is_set_aside_is_not_obeyed(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nobody can read it; and a catalog in a folder of needles is a file there, and a plan beside it."""
    drive, drawer = tree("drive", {".dupfindignore": b"*.txt\n", "n.txt": b"notes", "a/b": b"b"}), tmp_path / "drawer"
    drawer.mkdir()
    settle(drive)
    cataloged(drive, drawer / "c")
    settings = make_settings(
        haystack=[str(tree("h", {"b": b"b"}))], needles=[str(drawer), str(drawer / "c")], no_cache=True, workers=1
    )
    report = pipeline.scan(settings)
    states = {one.path.removeprefix(f"{drawer}/"): one.state.value for one in report.files}
    assert {"c": "missing", "c/.dupfindignore": "missing", "c/n.txt": "missing", "c/a/b": "present"} == states
    assert {"c": True, "c/a": True, str(drawer): False} == {
        one.path.removeprefix(f"{drawer}/"): one.is_plan for one in report.folders
    }


def test_only_catalogs_and_folders_are_needles(tree: TreeBuilder, tmp_path: Path) -> None:
    """Any other file is refused as before."""
    (tmp_path / "x.txt").write_bytes(b"x")
    with pytest.raises(SettingsError, match="not a folder: single files go to dupfind find"):
        make_settings(haystack=[str(tree("h", {}))], needles=[str(tmp_path / "x.txt")], no_cache=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [("import", "--to", "{there}", "--dry-run"), ("clean", "--trash"), ("review", "--no-browser")],
    ids=lambda words: words[0],
)
def test_nothing_acts_on_a_plan(tree: TreeBuilder, tmp_path: Path, dupfind: Dupfind, command: tuple[str, ...]) -> None:
    """Neither imports, nor cleans, nor shows pictures: the drive is not there."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    haystack = tree("h", {"notes.txt": b"notes"})
    name, *options = (word.format(there=tmp_path / "new") for word in command)
    ended = dupfind(name, "--haystack", haystack, "--needles", catalog, *options)
    assert ended.returncode == 2
    assert b"drive.catalog lists a drive that is not here: name the drive itself, not its catalog" in ended.stderr
