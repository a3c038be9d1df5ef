"""Catalogs as haystack: the answers are those of the folder, and nothing proves itself, wherever its drive is."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unicodedata import normalize

import pytest

from dupfind.answers.page import PageContents
from dupfind.catalog import catalogs, volumes
from dupfind.catalog.catalog_file import About, CatalogFile
from dupfind.catalog.same_file import Relation
from dupfind.errors import CatalogError, SettingsError
from dupfind.pictures import decode
from dupfind.pipeline import scan
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen, html, render
from dupfind.run import Run
from dupfind.settings import make_report_settings, make_settings
from dupfind.sources.entries import entry_of
from dupfind.values import FileEntry, Report, Root, Side
from fixtures import pictures
from tests.helpers.played_mounts import play
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, collection, scanned, settle, verdicts

PRESENT = ("present", "identical")
MISSING = ("missing", None)
NOT_COMPARED = ("similar", "similar")
"""A copy of a picture that is known from a catalog only."""
HERE = "the drive that it lists is here, and they are no longer where it lists them, or may be needles"
HERE_OR_NOT = "they may be needles themselves, on the drive that it lists"


def alter(catalog: Path, change: Callable[[About], About]) -> None:
    """Have a catalog say something else of itself."""
    file = CatalogFile.for_writing(str(catalog))
    about = file.about()
    assert about is not None
    with file.transaction():
        file.set_about(change(about))
    file.close()


def plain(report: Report, haystack: Path) -> list[tuple[object, ...]]:
    """All verdicts, with witnesses below the haystack."""
    prefix = f"{haystack}/"
    return [(*one[:5], (one.witness or "").removeprefix(prefix), *one[6:]) for one in report.files]


@pytest.mark.slow
@pytest.mark.usefixtures("unplugged")
def test_answers_are_those_of_the_folder(tree: TreeBuilder, tmp_path: Path) -> None:
    """By bytes, and by thumbnails where those are enough, with what could not be decoded; else copies look alike."""
    drive = collection(tree)
    (drive / "2006" / "broken.jpg").write_bytes((drive / "2006" / "a.jpg").read_bytes()[:3000])
    needles = tree("needles", {"notes.txt": b"notes", "new.txt": b"new", "c.png": pictures.photo(4, (240, 180))})
    shutil.copy(drive / "2006" / "b.png", needles / "b.png")
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    pictures.photo(3, (2800, 2100)).resize((600, 450)).save(needles / "p.jpg", progressive=True)
    pictures.photo(1, (240, 180)).rotate(90, expand=True).save(needles / "turned.jpg")
    catalog = tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    by_folder = scanned(drive, needles, quick=True)
    shutil.rmtree(drive)
    by_catalog = scanned(catalog, needles, quick=True)
    assert plain(by_folder, drive) == plain(by_catalog, catalog)
    assert by_folder.haystack == by_catalog.haystack
    assert {"same", "identical", None} == {one.evidence for one in by_catalog.files}
    assert [one.reason for one in by_folder.problems] == [one.reason for one in by_catalog.problems]
    assert () == by_folder.catalogs
    (told,) = by_catalog.catalogs
    assert (str(catalog), str(drive), 6, True) == (told.path, told.root, told.files, told.is_complete)
    assert 0 <= told.age_seconds < 600
    not_compared = {name: NOT_COMPARED for name, verdict in verdicts(by_catalog).items() if verdict[1] == "same"}
    assert {"a.jpg", "p.jpg", "turned.jpg"} == not_compared.keys()
    without_quick = scanned(catalog, needles)
    assert verdicts(by_catalog) | not_compared == verdicts(without_quick)
    reasons = {file.reasons for file in without_quick.files if file.state.value == "similar"}
    assert {(Reason(ReasonCode.LISTED),)} == reasons


@pytest.mark.slow
def test_witnesses_are_files_of_the_catalog(tree: TreeBuilder, tmp_path: Path) -> None:
    """Their paths begin with that of the catalog, which is a file: nothing on any disk has such a path."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("needles", {"n.txt": b"cafe"})
    (file,) = scanned(catalog, needles).files
    assert os.path.join(catalog, os.fsdecode(b"caf\xe9.txt")) == file.witness


def test_a_file_that_is_there_comes_first(tree: TreeBuilder, tmp_path: Path) -> None:
    """Of equals, that is taken which the last look can look at."""
    drive, catalog = collection(tree), tmp_path / "0.catalog"
    cataloged(drive, catalog)
    needles, hay = tree("needles", {"n.txt": b"notes"}), tree("z", {"z.txt": b"notes"})
    from dupfind.pipeline import scan
    from dupfind.settings import make_settings

    settings = make_settings(haystack=[str(catalog), str(hay)], needles=[str(needles)], no_cache=True)
    assert [str(hay / "z.txt")] == [one.witness for one in scan(settings).files]


def test_what_is_excluded_proves_nothing(tree: TreeBuilder, tmp_path: Path) -> None:
    """By the name of a file, of a folder above it, and by the path."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    for pattern, left in (("*.txt", 3), ("2006", 2), ("/2006/a.jpg", 4), ("*.gif", 5)):
        assert left == scanned(catalog, tree("needles", {"n": b"n"}), exclude=[pattern]).haystack.files


OWN = {
    "the folder itself": lambda drive: drive,
    "a folder in it": lambda drive: drive / "2006",
    "a folder around it": lambda drive: drive.parent,
    "renamed": lambda drive: drive.rename(drive.parent / "other name"),
}


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("layout", OWN)
@pytest.mark.parametrize("knows", ["uuid", "boot", "nothing"])
def test_a_drive_is_not_in_itself(
    layout: str, knows: str, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However its file system is known, or is not."""
    if knows == "uuid":
        device = tmp_path.stat().st_dev
        monkeypatch.setattr(volumes, "_uuids", lambda: {device: "1234"})
        monkeypatch.setattr(volumes, "mounted", lambda _: {device: ("ext4", "/dev/x")})
    elif knows == "nothing":
        monkeypatch.setattr(volumes, "_text", lambda _: "")
    drive, catalog = collection(tree, "around/drive"), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = OWN[layout](drive)
    ears = Ears()
    is_root = layout == "the folder itself" or (layout == "renamed" and knows != "nothing")
    if is_root:
        with pytest.raises(SettingsError, match="is the folder that the catalog"):
            scanned(catalog, needles)
        return
    report = scanned(catalog, needles, ears)
    assert {"missing"} == {one.state.value for one in report.files}
    count = 3 if layout == "a folder in it" else 5
    reason = f"{count} of its files left out: {HERE_OR_NOT if layout == 'renamed' else HERE}"
    assert f"{catalog}: {reason}" in ears.warnings
    assert (str(catalog), reason, True) in [(one.path, one.reason, one.is_note) for one in report.problems]


def test_moved_from_the_drive_to_the_needles(tree: TreeBuilder, tmp_path: Path) -> None:
    """What the catalog still lists is not there any more: it is what would be deleted."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("needles", {"copy.txt": b"notes"})
    (drive / "notes.txt").rename(needles / "moved.txt")
    (drive / "2006" / "a.jpg").rename(needles / "a.jpg")
    os.utime(needles / "a.jpg")
    with open(needles / "a.jpg", "ab") as file:  # changed in place, and still the same picture
        file.write(b"more")
    shutil.copy2(drive / "2006" / "b.png", needles / "b.png")
    expected = {"copy.txt": ("missing", None), "moved.txt": ("missing", None), "a.jpg": ("missing", None)}
    assert expected | {"b.png": PRESENT} == verdicts(scanned(catalog, needles))


def test_without_numbers_what_is_alike_is_the_same(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a card: its files are never their own witnesses, nor is a copy with name or time; others are."""
    device = tmp_path.stat().st_dev
    play(monkeypatch, tmp_path / "mounts", {tmp_path: "vfat"})
    monkeypatch.setattr(volumes, "mounted", lambda _: {device: ("vfat", "/dev/x")})
    drive, catalog = collection(tree), tmp_path / "card.catalog"
    cataloged(drive, catalog)
    mounted = tree("mounted elsewhere", {})
    drive.rename(mounted / "drive")
    assert {("missing", None)} == set(verdicts(scanned(catalog, mounted)).values())
    (mounted / "drive").rename(drive)
    needles = tree("needles", {"other name and time.txt": b"notes"})
    assert {"other name and time.txt": PRESENT} == verdicts(scanned(catalog, needles))
    os.utime(needles / "other name and time.txt", (1_500_003_601, 1_500_003_601))
    assert {"other name and time.txt": ("missing", None)} == verdicts(scanned(catalog, needles))


def rewrite(path: Path) -> None:
    """As tools do that write tags: another file with the same picture, under the same name."""
    new = path.with_name("new")
    new.write_bytes(path.read_bytes() + b"more")
    new.replace(path)


@pytest.mark.slow
@pytest.mark.parametrize("knows", ["boot", "nothing"])
@pytest.mark.parametrize("place", ["as listed", "renamed", "mounted elsewhere"])
def test_what_was_made_of_a_listed_file(
    place: str, knows: str, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under another number, and it is the only one there is: what it was made of proves nothing."""
    if knows == "nothing":
        monkeypatch.setattr(volumes, "_text", lambda _: "")
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    rewrite(drive / "2006" / "a.jpg")
    if place == "renamed":
        (drive / "2006" / "a.jpg").rename(drive / "2006" / "2006-01-01.jpg")
    elif place == "mounted elsewhere":
        drive = drive.rename(tmp_path / "elsewhere")
    needles = drive / "2006"
    assert {MISSING} == set(verdicts(scanned(catalog, needles)).values())


def test_a_link_in_the_place_of_a_file_is_not_the_file(tmp_path: Path) -> None:
    """The file itself may be a needle now."""
    listed, moved = tmp_path / "listed.jpg", tmp_path / "moved.jpg"
    listed.write_bytes(b"picture")
    entry = entry_of(str(listed), listed.stat())
    assert set() == catalogs.not_there([entry], str, (), are_numbered=True)
    listed.rename(moved)
    listed.symlink_to(moved)
    entry = entry_of(str(listed), moved.stat())  # what it would be taken for
    assert {str(listed)} == catalogs.not_there([entry], str, (), are_numbered=True)
    assert set() == catalogs.not_there([entry], str, [str(listed)], are_numbered=True)


@pytest.mark.parametrize("knows", ["boot", "nothing"])
def test_copied_on_the_drive_and_deleted(
    knows: str, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a move between two mounts of it does; what is where it was listed proves as ever."""
    if knows == "nothing":
        monkeypatch.setattr(volumes, "_text", lambda _: "")
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("drive/new", {"notes.txt": b"notes", "cafe.txt": b"cafe"})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    (drive / "notes.txt").unlink()
    ears = Ears()
    expected = {"notes.txt": MISSING, "cafe.txt": PRESENT, "a.jpg": NOT_COMPARED}
    assert expected == verdicts(scanned(catalog, needles, ears))
    assert f"{catalog}: 1 of its files left out: {HERE}" in ears.warnings


def test_an_excluded_needle_is_no_witness(tree: TreeBuilder, tmp_path: Path) -> None:
    """As in a folder: nothing below the needles is a witness, whatever was left out of them."""
    drive = tree("drive", {"DCIM/keep/a.txt": b"text", "DCIM/sub/b.txt": b"text", "c.txt": b"other"})
    settle(drive)
    catalog = tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    assert {"b.txt": MISSING} == verdicts(scanned(catalog, drive / "DCIM", exclude=["keep/a.txt"]))
    tree("drive", {"DCIM/sub/d.txt": b"other"})
    assert {"b.txt": MISSING, "d.txt": PRESENT} == verdicts(scanned(catalog, drive / "DCIM", exclude=["/keep"]))


def test_something_else_in_its_place(tree: TreeBuilder, tmp_path: Path) -> None:
    """A folder, a link to what was moved, other times, another size: it is not what was listed."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    for number in range(4):
        (drive / f"{number}.txt").write_bytes(b"text %d" % number)
    settle(drive)
    cataloged(drive, catalog)
    needles = tree("needles", {f"n{number}": b"text %d" % number for number in range(4)})
    assert {PRESENT} == set(verdicts(scanned(catalog, needles)).values())
    (drive / "0.txt").unlink()
    (drive / "0.txt").mkdir()
    (drive / "1.txt").rename(tmp_path / "moved")
    (drive / "1.txt").symlink_to(tmp_path / "moved")
    os.utime(drive / "2.txt")
    with open(drive / "3.txt", "ab") as file:
        file.write(b"more")
    os.utime(drive / "3.txt", ns=((drive / "notes.txt").stat().st_mtime_ns,) * 2)
    assert {MISSING} == set(verdicts(scanned(catalog, needles)).values())


@pytest.mark.slow
@pytest.mark.parametrize("root", ["gone", "empty", "there"])
def test_nobody_knows_which_drive(
    root: str, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the listed folder is not there to be looked at, its pictures prove nothing, and bytes do."""
    monkeypatch.setattr(volumes, "_text", lambda _: "")
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("needles", {"n.txt": b"notes"})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    if root != "there":
        drive.rename(tmp_path / "unplugged")
    if root == "empty":
        drive.mkdir()
    ears = Ears()
    is_there = root == "there"
    assert {"n.txt": PRESENT, "a.jpg": NOT_COMPARED if is_there else MISSING} == verdicts(
        scanned(catalog, needles, ears)
    )
    warning = (
        f"{catalog}: its pictures prove nothing, only equal bytes do: nothing tells its drive from that of the "
        f"needles, and {drive} is not there to be looked at. If it is another drive, say --elsewhere {catalog}"
    )
    assert is_there is (warning not in ears.warnings)
    from dupfind.commands.explain import explain
    from dupfind.settings import make_settings
    from dupfind.sources.roots import NamedFile, named_file

    settings = make_settings(haystack=[str(catalog)], no_cache=True, workers=1)
    (one,) = explain(settings, [NamedFile("a", named_file(str(needles / "a.jpg")).entry)], 1).explanations
    assert ("similar" if is_there else "missing") == one.verdict.state.value


@pytest.mark.slow
@pytest.mark.parametrize("is_gone", [True, False])
def test_another_drive_by_the_word_of_a_person(
    is_gone: bool, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is listed counts as with two UUIDs, whether its folder is there or not; every report says so."""
    monkeypatch.setattr(volumes, "_text", lambda _: "")
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("needles", {"n.txt": b"notes"})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    if is_gone:
        drive.rename(tmp_path / "unplugged")
    else:
        (drive / "notes.txt").unlink()  # what is listed counts, not what is there
    ears = Ears()
    settings = make_settings(haystack=[], elsewhere=[str(catalog)], needles=[str(needles)], no_cache=True, workers=2)
    report = scan(settings, ears)
    assert {"n.txt": PRESENT, "a.jpg": NOT_COMPARED} == verdicts(report)
    assert [] == ears.warnings
    assert (True,) == tuple(one.is_elsewhere for one in report.catalogs)
    for format_ in ("table", "json"):
        shown = render(report, make_report_settings(format_=format_, everything=True), Screen()).decode()
        assert ("by your word it is another drive" in shown.lower()) or '"is_elsewhere": true' in shown
    assert "By your word it is another drive" in html.render(report, PageContents()).decode()
    from dupfind.commands.explain import explain
    from dupfind.sources.roots import NamedFile, named_file

    asked = make_settings(haystack=[], elsewhere=[str(catalog)], no_cache=True, workers=1)
    (one,) = explain(asked, [NamedFile("a", named_file(str(needles / "a.jpg")).entry)], 1).explanations
    assert "similar" == one.verdict.state.value


def test_a_word_that_is_not_so(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive itself, mounted elsewhere, is not contained in itself whatever is said."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    options = {"haystack": [str(catalog)], "elsewhere": [str(catalog)], "no_cache": True, "workers": 1}
    with pytest.raises(
        SettingsError, match="needles lie on the drive that it lists, or on one that the system gives the same number"
    ):
        scan(make_settings(**options, needles=[str(tree("other", {"n.txt": b"notes"}))]))
    monkeypatch.setattr(volumes, "_text", lambda _: "")
    alter(catalog, lambda about: replace(about, volumes=(volumes.UNKNOWN_VOLUME._replace(kind="ext4"),)))
    drive.rename(tmp_path / "mounted elsewhere")
    ears = Ears()
    report = scan(make_settings(**options, needles=[str(tmp_path / "mounted elsewhere")]), ears)
    assert {MISSING} == set(verdicts(report).values())
    assert [f"{catalog}: 5 of its files left out: {HERE_OR_NOT}"] == ears.warnings
    second = tmp_path / "second.catalog"
    cataloged(tree("two", {"t.txt": b"t"}), second)
    said = make_settings(
        haystack=[str(second)], elsewhere=[str(catalog)], needles=[str(tree("n", {"t.txt": b"t"}))], no_cache=True
    )
    assert {str(second): False, str(catalog): True} == {
        root.given: root.is_elsewhere for root in said.roots if root.is_catalog
    }
    for path, why in ((drive.parent / "mounted elsewhere", "only a catalog"), (tmp_path / "none", "no such file")):
        with pytest.raises(SettingsError, match=why):
            make_settings(haystack=[], elsewhere=[str(path)], needles=[str(tmp_path)], no_cache=True)


def test_another_drive_in_its_place(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drives that say who they are: the numbers of the files, and where they are mounted, say nothing."""
    device = tmp_path.stat().st_dev
    known = {device: "drive 1"}
    monkeypatch.setattr(volumes, "_uuids", lambda: known)
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    known[device] = "drive 2"
    for path in drive.rglob("*.*"):
        path.chmod(0o600)  # another ctime, as a copy has
    report = scanned(catalog, drive)
    assert {PRESENT} == set(verdicts(report).values())
    alter(catalog, lambda about: replace(about, volumes=()))
    with pytest.raises(SettingsError, match="is the folder that the catalog"):
        scanned(catalog, drive)


def test_links_that_are_followed_may_lead_to_the_drive(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is not known any more that the needles lie elsewhere."""
    device = tmp_path.stat().st_dev
    known = {device: "drive 1"}
    monkeypatch.setattr(volumes, "_uuids", lambda: known)
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    known[device] = "drive 2"  # where the links lie
    needles = tree("needles", {})
    (drive / "notes.txt").chmod(0o600)
    (needles / "notes.txt").symlink_to(drive / "notes.txt")
    assert {("missing", None)} == set(verdicts(scanned(catalog, needles, follow_symlinks=True)).values())


def test_paranoid_needs_equal_bytes(tree: TreeBuilder, tmp_path: Path) -> None:
    """The needle is read again and its digest compared; pictures cannot be, so they prove nothing."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles = tree("needles", {"n.txt": b"notes"})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    assert {"n.txt": PRESENT, "a.jpg": ("present", "same")} == verdicts(scanned(catalog, needles, quick=True))
    ears = Ears()
    assert {"n.txt": PRESENT, "a.jpg": ("missing", None)} == verdicts(scanned(catalog, needles, ears, paranoid=True))
    assert [f"pictures of {catalog} prove nothing with --paranoid, since they cannot be read again"] == ears.warnings
    scanned(drive, needles, ears, paranoid=True)
    assert 1 == len(ears.warnings)


def test_paranoid_reads_the_needle_again(tree: TreeBuilder, tmp_path: Path) -> None:
    """A digest that the cache remembers wrongly does not pass."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    needles, cache = tree("needles", {"n.txt": b"notez"}), tmp_path / "own" / "cache.sqlite"
    settle(needles)
    scanned(catalog, needles, no_cache=False, cache=str(cache))
    from dupfind.cache.cache import Cache
    from dupfind.cache.cache_schema import Recipe
    from dupfind.digest import digest_of
    from dupfind.sources.roots import named_file

    with Cache(str(cache), lambda: Recipe("", "", "")) as kept:
        kept.keep_digest(named_file(str(needles / "n.txt")).entry, digest_of([b"notes"]), 1 << 62)
    assert {"n.txt": PRESENT} == verdicts(scanned(catalog, needles, no_cache=False, cache=str(cache)))
    report = scanned(catalog, needles, no_cache=False, cache=str(cache), paranoid=True)
    assert {"n.txt": ("missing", None)} == verdicts(report)
    assert "it no longer has the bytes that the catalog lists" in [one.reason for one in report.problems]


def test_other_thumbnails_are_refused(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    monkeypatch.setattr(decode, "RECIPE", decode.RECIPE + 1)
    with pytest.raises(CatalogError, match=r"another version of dupfind \(.*\): update it with dupfind index /.*drive"):
        scanned(catalog, tree("needles", {"n": b"n"}))
    cataloged(drive, catalog)
    assert scanned(catalog, tree("needles", {"n": b"notes"})).is_complete


def test_warnings(tree: TreeBuilder, tmp_path: Path) -> None:
    """Of a catalog that is not complete, and of other libraries."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    alter(catalog, lambda about: replace(about, is_complete=False, libraries={"Pillow": "1.0"}))
    ears = Ears()
    report = scanned(catalog, tree("needles", {"n": b"notes"}), ears)
    assert [False] == [one.is_complete for one in report.catalogs]
    assert [True, True] == [
        any(text in warning for warning in ears.warnings) for text in ("is not complete", "with other versions")
    ]


def test_one_that_says_nothing_of_itself(tree: TreeBuilder, tmp_path: Path) -> None:
    """Made, and stopped before anything was listed: it cannot be told what would be its own."""
    catalog = tmp_path / "drive.catalog"
    CatalogFile.for_writing(str(catalog)).close()
    with pytest.raises(CatalogError, match="stopped before it began"):
        scanned(catalog, tree("needles", {"n": b"n"}))


@pytest.mark.slow
@pytest.mark.usefixtures("unplugged")
@pytest.mark.parametrize("table", ["file", "content", "about", "picture"])
def test_damage_ends_the_run(table: str, tree: TreeBuilder, tmp_path: Path) -> None:
    """What SQLite cannot see as well: the seals of rows, what it says of itself, thumbnails."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    statement = {
        "file": "UPDATE file SET mtime_ns = mtime_ns + 1",
        "content": "UPDATE file SET picture = (SELECT max(picture) FROM file) WHERE picture IS NOT NULL",
        "about": "UPDATE about SET text = replace(text, 'true', 'null')",
        "picture": "UPDATE picture SET width = width + 1",
    }[table]
    with sqlite3.connect(catalog) as connection:
        connection.execute(statement)
    connection.close()
    needles = tree("needles", {"n.txt": b"notes"})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    pictures.photo(2, (240, 180)).save(needles / "b.jpg", quality=60)
    with pytest.raises(CatalogError, match="damaged"):
        scanned(catalog, needles)


def test_files_in_the_order_of_a_walk(tree: TreeBuilder, tmp_path: Path) -> None:
    """So that a tie ends as it does in a folder."""
    names = ["z", "a/b", "a/c/d", "a.b", "a-b/x"]
    drive = tree("drive", dict.fromkeys(names, b"x"))
    cataloged(drive, tmp_path / "c")
    from dupfind.pipeline import walk
    from dupfind.settings import make_settings

    by_folder, by_catalog = (
        walk(Run(make_settings(haystack=[str(path)], no_cache=True)))[1][0] for path in (drive, tmp_path / "c")
    )
    expected = [os.path.relpath(one.path, drive) for one in by_folder.entries]
    assert expected == [os.path.relpath(one.path, tmp_path / "c") for one in by_catalog.entries]


def test_a_single_needle_on_the_drive(tree: TreeBuilder, tmp_path: Path) -> None:
    """As one that is explained: what the catalog lists of it is left out, and nothing else."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    (drive / "notes.txt").rename(tmp_path / "moved.txt")
    from dupfind.pipeline import walk
    from dupfind.settings import make_settings
    from dupfind.sources.roots import named_file

    needle = named_file(str(tmp_path / "moved.txt")).entry
    (found,) = walk(Run(make_settings(haystack=[str(catalog)], no_cache=True)), [needle])[1]
    assert 4 == len(found.entries)
    assert str(catalog / "notes.txt") not in [entry.path for entry in found.entries]
    from dupfind.commands.explain import explain
    from dupfind.sources.roots import NamedFile

    settings = make_settings(haystack=[str(catalog)], no_cache=True, workers=1)
    answer = explain(settings, [NamedFile("moved.txt", needle)], 1)
    assert (["missing"], 1) == ([one.verdict.state.value for one in answer.explanations], len(answer.catalogs))
    gone = needle._replace(path=str(tmp_path / "gone"))
    (found,) = walk(Run(make_settings(haystack=[str(catalog)], no_cache=True)), [gone])[1]
    assert 4 == len(found.entries)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_needles_below_a_folder_are_known_in_either_unicode_form(form: str) -> None:
    """A path is typed in one form and was listed in the other."""
    typed, stored = (normalize(path, "/media/Málaga") for path in (form, "NFD"))
    entries = [FileEntry(f"/c/x/{name}", 1, 1, 1, 1) for name in ("in/a", "inside/b")]
    needles = [Root(Side.NEEDLES, "n", typed + "/in", (1, 1))]
    assert {"/c/x/in/a"} == catalogs.listed_below(entries, lambda path: stored + path[4:], needles)
    about = SimpleNamespace(root=stored, root_inode=0)
    root = Root(Side.HAYSTACK, "c", "/c/x", (1, 2), is_catalog=True)
    with pytest.raises(SettingsError, match="is the folder that the catalog c lists"):
        catalogs.refuse_own_root(root, about, [replace(needles[0], real=typed)], Relation.UNKNOWN)  # type: ignore[arg-type]
