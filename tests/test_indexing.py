"""Making catalogs and bringing them up to date."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from dupfind import session
from dupfind.answers.index import Indexed
from dupfind.cache.cache_schema import Recipe
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.commands import indexing
from dupfind.errors import CatalogError, StoppedError
from dupfind.events import Silence
from dupfind.pool import tasks
from dupfind.values import FileEntry
from fixtures import pictures
from tests.helpers.played_mounts import play
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, collection, scanned, settle, verdicts
from tests.helpers.trees import build_tree


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once, though these were made a moment ago."""
    monkeypatch.setattr(indexing, "RACY_NS", 0)


def done(answer: Indexed) -> tuple[int, int, int, int]:
    """Files in the catalog, read, kept, gone."""
    return answer.files, answer.read, answer.kept, answer.gone


def complete(catalog: Path) -> bool:
    """Whether it says that it is complete."""
    file = CatalogFile.for_reading(str(catalog))
    about = file.about()
    file.close()
    assert about is not None
    return about.is_complete


def test_what_a_new_one_holds(tree: TreeBuilder, tmp_path: Path) -> None:
    """Every file, every picture, and what it is itself; for nobody else to read."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    before = {path: path.stat().st_atime_ns for path in drive.rglob("*") if path.is_dir()}
    answer = cataloged(drive, catalog)
    assert (5, 5, 0, 0) == done(answer)
    assert (True, 3, 0, True) == (answer.is_new, answer.pictures, answer.unread, answer.is_whole)
    assert catalog.stat().st_size == answer.size_bytes
    assert 0o600 == catalog.stat().st_mode & 0o777
    assert [] == [path for path in tmp_path.iterdir() if path.name not in ("drive", "drive.catalog")]
    assert {"a.jpg", "b.png", "p.jpg"} == {path.name for path in (drive / "2006").iterdir()}
    assert before.keys() == {path for path in drive.rglob("*") if path.is_dir()}


def test_an_update_reads_only_what_changed(tree: TreeBuilder, tmp_path: Path) -> None:
    """New files, changed ones, gone ones; what a moved file held is read again, under its new name only."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    ears = Ears()
    answer = cataloged(drive, catalog, ears)
    assert (5, 0, 5, 0) == done(answer)
    assert not answer.is_new
    assert "indexing" not in ears.stages
    (drive / "new.txt").write_bytes(b"new")
    (drive / "notes.txt").write_bytes(b"other")
    (drive / "2006" / "b.png").unlink()
    (drive / "2006" / "a.jpg").rename(drive / "moved.jpg")
    assert (5, 3, 2, 2) == done(cataloged(drive, catalog))
    needles = tree("needles", {"1": b"notes", "2": b"other", "3": b"new", "4.png": pictures.photo(2, (240, 180))})
    states = {name: state for name, (state, _) in verdicts(scanned(catalog, needles)).items()}
    assert {"1": "missing", "2": "present", "3": "present", "4.png": "missing"} == states
    with sqlite3.connect(catalog) as connection:
        assert (3,) == connection.execute("SELECT count(*) FROM picture").fetchone()  # one of them twice: coarse, whole


def test_the_same_drive_mounted_elsewhere(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing is read again, and from now on it is there."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    drive.rename(tmp_path / "elsewhere")
    assert (5, 0, 5, 0) == done(cataloged(tmp_path / "elsewhere", catalog))
    (told,) = scanned(catalog, tree("needles", {"n": b"n"})).catalogs
    assert str(tmp_path / "elsewhere") == told.root


def test_racy_files_are_read_again(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was changed just now may be changed once more without a trace."""
    monkeypatch.setattr(indexing, "RACY_NS", 2_000_000_000)
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    state = (drive / "notes.txt").stat()
    (drive / "notes.txt").write_bytes(b"NOTES")
    os.utime(drive / "notes.txt", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (5, 5, 0, 0) == done(cataloged(drive, catalog))
    assert ("present", "identical") == verdicts(scanned(catalog, tree("needles", {"n": b"NOTES"})))["n"]


def test_where_there_are_no_inodes_everything_is_read_again(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file on a card that was edited and got its old time back is not told from the old one."""
    play(monkeypatch, tmp_path / "mounts", {tmp_path: "vfat"})
    drive, catalog = collection(tree), tmp_path / "card.catalog"
    cataloged(drive, catalog)
    assert (5, 5, 0, 0) == done(cataloged(drive, catalog))


def test_thumbnails_of_other_decoders_are_made_again(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of an earlier version are not mixed with today's."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    hashes = session.recipe("phash", Silence()).hashes
    monkeypatch.setattr(indexing, "recipe", lambda *_: Recipe("6, another pillow", hashes, "rules"))
    assert (5, 5, 0, 0) == done(cataloged(drive, catalog))
    assert (5, 0, 5, 0) == done(cataloged(drive, catalog))


@pytest.mark.slow
@pytest.mark.parametrize("stop", [KeyboardInterrupt(), StoppedError(15), OSError("no")])
def test_stopped_and_gone_on_with(
    stop: BaseException, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stays, nothing of it is read again, and until the end it says that it is not complete."""
    monkeypatch.setattr(indexing, "_BATCH_FILES", 2)
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    true, calls = indexing._look, 0

    def look(batch: Sequence[FileEntry], *others: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise stop
        return true(batch, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(indexing, "_look", look)
    with pytest.raises((type(stop), CatalogError)):
        cataloged(drive, catalog)
    assert not complete(catalog)
    ears = Ears()
    needles = tree("needles", {"1": b"notes", "2": b"cafe"})
    report = scanned(catalog, needles, ears)
    assert 4 == report.haystack.files
    assert any("is not complete" in warning for warning in ears.warnings)
    assert (5, 1, 4, 0) == done(cataloged(drive, catalog))
    assert complete(catalog)


def test_a_stopped_update_lists_nothing_that_is_gone(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went or changed is dropped before anything is read."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    (drive / "notes.txt").write_bytes(b"other")
    (drive / os.fsdecode(b"caf\xe9.txt")).unlink()

    def look(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(indexing, "_look", look)
    with pytest.raises(KeyboardInterrupt):
        cataloged(drive, catalog)
    report = scanned(catalog, tree("needles", {"1": b"notes", "2": b"cafe"}))
    assert {"1": ("missing", None), "2": ("missing", None)} == verdicts(report)
    assert 3 == report.haystack.files


def test_a_mount_point_without_its_drive_empties_nothing(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing that is listed is there: an error, and the catalog as it was. The same folder may be emptied."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    cataloged(drive, catalog)
    before = catalog.read_bytes()
    drive.rename(tmp_path / "away")
    for contents in ({}, {"other.txt": b"other"}):
        build_tree(drive, contents)
        with pytest.raises(CatalogError, match=r"nothing of what it lists \(/.*/drive\) is there"):
            cataloged(drive, catalog)
    assert before == catalog.read_bytes()
    shutil.rmtree(drive)
    (tmp_path / "away").rename(drive)
    for path in [*drive.glob("*.txt"), *drive.glob("2006/*")]:
        path.unlink()
    assert (0, 0, 0, 5) == done(cataloged(drive, catalog))
    assert (0, 0, 0, 0) == done(cataloged(drive, catalog))


def test_files_that_cannot_be_read(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told of, then and when the catalog serves; they prove nothing and are tried again each time."""
    drive, catalog = collection(tree), tmp_path / "drive.catalog"
    true = tasks.read_digests

    def failing(entries: Sequence[FileEntry]) -> list[tasks.Outcome]:
        failure = tasks.unreadable(PermissionError(13, "Permission denied"), "digest")
        outcomes = zip(entries, true(entries), strict=True)
        return [one._replace(result=failure) if entry.path.endswith("a.jpg") else one for entry, one in outcomes]

    monkeypatch.setattr(tasks, "read_digests", failing)
    answer = cataloged(drive, catalog)
    reason = "cannot be read: permission denied"
    assert (1, False, [(f"{drive}/2006/a.jpg", "digest", reason)]) == (
        answer.unread,
        answer.is_whole,
        [(one.path, one.stage, one.reason) for one in answer.problems],
    )
    needles = tree("needles", {})
    shutil.copy(drive / "2006" / "a.jpg", needles / "copy.jpg")
    report = scanned(catalog, needles)
    assert {"copy.jpg": ("missing", None)} == verdicts(report)
    assert (f"{catalog}/2006/a.jpg", reason) in [(one.path, one.reason) for one in report.problems]
    assert (5, 1, 4, 0) == done(cataloged(drive, catalog))
    monkeypatch.setattr(tasks, "read_digests", true)
    assert (5, 1, 4, 0) == done(cataloged(drive, catalog))
    assert {"copy.jpg": ("present", "identical")} == verdicts(scanned(catalog, needles))


def test_pictures_that_cannot_be_decoded(tree: TreeBuilder, tmp_path: Path) -> None:
    """By content or by name, as a scan has it: told of each time and counted apart from the pictures."""
    whole = pictures.photo(1, (240, 180))
    drive = tree(
        "drive", {"a.txt": b"a", "broken.jpg": b"\xff\xd8\xff\xe0" + b"0" * 64, "no.png": b"no", "b.png": whole}
    )
    settle(drive)
    for _ in range(2):
        answer = cataloged(drive, tmp_path / "c")
        assert [(f"{drive}/broken.jpg", "thumbnail", False), (f"{drive}/no.png", "thumbnail", False)] == [
            (one.path, one.stage, one.is_note) for one in answer.problems
        ]
        assert (4, 1, 2, False) == (answer.files, answer.pictures, answer.unread, answer.is_whole)


def test_a_picture_that_cannot_be_decoded_whole(tree: TreeBuilder, tmp_path: Path) -> None:
    """Its first scan is not all of it: it is unreadable as in a scan, and no picture besides."""
    drive = tree("drive", {})
    pictures.photo(3, (2800, 2100)).save(drive / "p.jpg", progressive=True, quality=90)
    data = (drive / "p.jpg").read_bytes()
    (drive / "p.jpg").write_bytes(data[: len(data) // 2])
    settle(drive)
    answer = cataloged(drive, tmp_path / "c")
    report = scanned(drive, tree("n", {"x.png": pictures.photo(3, (280, 210))}))
    assert 1 == answer.pictures + answer.unread
    assert [one.path for one in report.problems] == [one.path for one in answer.problems]


def test_what_the_walk_met_is_told_with_the_answers(tree: TreeBuilder, tmp_path: Path) -> None:
    """As if the folder had been walked: links, hidden folders."""
    drive = tree("drive", {"a.txt": b"a", ".hidden/b.txt": b"b"})
    (drive / "link").symlink_to("a.txt")
    answer = cataloged(drive, tmp_path / "c")
    assert not answer.is_whole
    told = [(one.path, one.reason, one.is_note) for one in scanned(tmp_path / "c", tree("n", {"a": b"a"})).problems]
    met = [(one.path.replace(str(drive), str(tmp_path / "c")), one.reason, one.is_note) for one in answer.problems]
    assert sorted(met) == sorted(told)
    assert 2 == len(told)


def test_times_that_no_column_holds(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a file is left out, with a problem."""
    drive = tree("drive", {"a.txt": b"a", "b.txt": b"b"})
    settle(drive)
    monkeypatch.setattr(indexing, "fits", lambda entry: "a.txt" not in entry.path)
    answer = cataloged(drive, tmp_path / "c")
    assert (1, 1, 0, 0) == done(answer)
    assert [f"{drive}/a.txt"] == [one.path for one in answer.problems]


def test_links_that_are_followed(tree: TreeBuilder, tmp_path: Path) -> None:
    """Where they lead nobody knows any more."""
    drive = tree("drive", {"a.txt": b"a"})
    cataloged(drive, tmp_path / "c", follow_symlinks=True, exclude=["*.tmp"])
    file = CatalogFile.for_reading(str(tmp_path / "c"))
    about = file.about()
    file.close()
    assert about is not None
    assert (True, ("*.tmp",), 0) == (about.follow_symlinks, about.excludes, about.volumes[-1].device)
