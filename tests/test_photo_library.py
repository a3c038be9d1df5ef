"""Pictures in the trash of a photo library prove nothing, and nothing does where the trash cannot be read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from unicodedata import normalize

import pytest

from dupfind.settings import make_settings
from dupfind.sources.file_lists import look_up
from dupfind.sources.ignore import Excludes
from dupfind.sources.photo_library import Libraries
from dupfind.sources.source import Rules
from dupfind.values import Side, Tree
from tests.helpers import photo_libraries as made
from tests.helpers.walking import walk_all

TreeBuilder = Callable[[str, Mapping[str, object]], Path]

IN_TRASH = "in the trash of a photo library: not trusted as haystack"
UUID, GONE = "0A1B2C3D-0000-4000-8000-000000000001", "0A1B2C3D-0000-4000-8000-000000000002"


@pytest.fixture
def needles(tmp_path: Path) -> Path:
    """A folder to search for."""
    (tmp_path / "n").mkdir()
    return tmp_path / "n"


def walk(haystack: Path, needles: Path, *, follow: bool = False, exclude: tuple[str, ...] = ()) -> Tree:
    """The haystack's tree."""
    settings = make_settings(haystack=[str(haystack)], needles=[str(needles)], no_cache=True)
    _, (tree,) = walk_all(settings.roots, Rules(Excludes(exclude), follow))
    return tree


def names(tree: Tree) -> list[str]:
    """The pictures of a tree by their names alone."""
    return sorted(os.path.basename(entry.path) for entry in tree.entries if "sqlite" not in entry.path)


def reasons(tree: Tree) -> dict[str, str]:
    """The problems of a tree by the names of their files."""
    return {os.path.basename(problem.path): problem.reason for problem in tree.problems}


@pytest.mark.parametrize("name", ["P.photoslibrary", "Renamed", "PHOTOS.PHOTOSLIBRARY"])
@pytest.mark.parametrize("table", ["ZASSET", "ZGENERICASSET"])
def test_what_is_in_the_trash_proves_nothing(tmp_path: Path, needles: Path, name: str, table: str) -> None:
    """A library is known by its database, whatever it is called, with either table."""
    made.photo_library(tmp_path / "h" / name, {f"{UUID}.jpeg": 0, f"{GONE}.heic": 1}, table=table)
    tree = walk(tmp_path / "h", needles)
    assert ([f"{UUID}.jpeg"], {f"{GONE}.heic": IN_TRASH}) == (names(tree), reasons(tree))
    assert all(problem.is_note for problem in tree.problems)


@pytest.mark.parametrize("below", ["", "originals", "originals/A"])
def test_a_root_inside_a_library_is_judged_by_it(tmp_path: Path, needles: Path, below: str) -> None:
    """The database lies above what was named."""
    library = made.photo_library(tmp_path / "P.photoslibrary", {"K.jpeg": 0, "G.jpeg": 1})
    assert ["K.jpeg"] == names(walk(library / below, needles))


def test_what_is_named_after_a_picture_in_the_trash_is_in_it(tmp_path: Path, needles: Path) -> None:
    """Its film, its edited version; not what only begins alike. Derivatives prove nothing whose ever they are."""
    library = made.photo_library(tmp_path / "h" / "P.photoslibrary", {f"{UUID}.heic": 0, f"{GONE}.heic": 1})
    kept = [f"{GONE}0.heic", f"x{GONE}.heic"]
    for name in (f"{GONE}_3.mov", f"{UUID}_3.mov", f"{GONE}.aae", *kept):
        (library / "originals" / "A" / name).write_bytes(b"1")
    for folder in ("resources/renders/A", "resources/derivatives/A", "resources/derivatives/masters/A"):
        (library / folder).mkdir(parents=True)
        for uuid in (GONE, UUID):
            (library / folder / f"{uuid}_1_201_a.jpeg").write_bytes(b"1")
    expected = [f"{UUID}_1_201_a.jpeg", f"{UUID}.heic", f"{UUID}_3.mov", *kept]
    assert sorted(expected) == names(walk(tmp_path / "h", needles))


def test_another_folder_of_the_library_may_have_the_name(tmp_path: Path, needles: Path) -> None:
    """``A/1.jpeg`` in the trash says nothing of ``B/1.jpeg``; a name without a folder does of both."""
    library = tmp_path / "h" / "P.photoslibrary"
    for folder in "AB":
        (library / "originals" / folder).mkdir(parents=True)
        (library / "originals" / folder / "1.jpeg").write_bytes(b"1")
    made.photos(library / "database" / "Photos.sqlite", [("A", "1.jpeg", 1), ("B", "1.jpeg", 0)]).close()
    assert [str(library / "originals/B/1.jpeg")] == [
        entry.path for entry in walk(tmp_path / "h", needles).entries if "sqlite" not in entry.path
    ]
    (library / "database" / "Photos.sqlite").unlink()
    made.photos(library / "database" / "Photos.sqlite", [(None, "1.jpeg", 1)]).close()
    assert [] == names(walk(tmp_path / "h", needles))


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_names_count_in_any_form_and_case(tmp_path: Path, needles: Path, stored: str) -> None:
    """A library that was copied to another system has its names in another form than its database."""
    library = made.photo_library(tmp_path / "h" / "P.photoslibrary", {normalize(stored, "Málaga.jpeg"): 0})
    (library / "database" / "Photos.sqlite").unlink()
    made.photos(library / "database" / "Photos.sqlite", [("a", normalize("NFC", "MÁLAGA.JPEG"), 1)]).close()
    assert [] == names(walk(tmp_path / "h", needles))


@pytest.mark.parametrize("database", ["database/photos.db", "Database/apdb/Library.apdb", "Database/Library.apdb"])
def test_older_libraries_have_their_trash_too(tmp_path: Path, needles: Path, database: str) -> None:
    """Masters lie in folders of days, previews in the same folders beside them; masters come before the database."""
    library = tmp_path / "h" / "Any name"
    for top in ("Masters", "Previews"):
        for name in ("kept.jpg", "gone.jpg"):
            path = library / top / "2014" / "05" / "01" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
    masters = [("k", "2014/05/01/kept.jpg", 0), ("g", "2014/05/01/gone.jpg", 0)]
    made.iphoto(library / database, masters, [("k", None, 0), ("g", None, 1)])
    trusted = [name for name in names(walk(tmp_path / "h", needles)) if name.endswith("jpg")]
    assert ["kept.jpg", "kept.jpg"] == trusted


def test_the_pictures_of_an_iphone(tmp_path: Path, needles: Path) -> None:
    """Copied with its database, a phone has its trash in DCIM, with films and edited versions."""
    phone = tmp_path / "h" / "Media"
    paths = ["DCIM/100APPLE/IMG_0001.HEIC", "DCIM/100APPLE/IMG_0001.MOV", "DCIM/100APPLE/IMG_0010.HEIC"]
    paths += [f"PhotoData/Mutations/DCIM/100APPLE/IMG_00{n}/Adjustments/FullSizeRender.jpg" for n in ("01", "10")]
    for path in paths:
        (phone / path).parent.mkdir(parents=True, exist_ok=True)
        (phone / path).write_bytes(b"1")
    rows = [("DCIM/100APPLE", "IMG_0001.HEIC", 1), ("DCIM/100APPLE", "IMG_0010.HEIC", 0)]
    made.photos(phone / "PhotoData" / "Photos.sqlite", rows).close()
    trusted = [entry.path for entry in walk(tmp_path / "h", needles).entries if "sqlite" not in entry.path]
    assert [str(phone / paths[2]), str(phone / paths[4])] == trusted


def broken(library: Path, how: str) -> None:
    """Take away what tells of the trash."""
    database = library / "database" / "Photos.sqlite"
    if how == "no database":
        database.unlink()
    elif how == "no folder":
        database.unlink()
        database.parent.rmdir()
    elif how == "damaged":
        database.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    else:
        database.unlink()
        made.photos(database, [], table="ZLATER").close()


@pytest.mark.parametrize("how", ["no database", "no folder", "damaged", "other tables"])
@pytest.mark.parametrize("below", ["", "P.photoslibrary", "P.photoslibrary/originals"])
def test_nothing_is_trusted_where_the_trash_cannot_be_read(tmp_path: Path, needles: Path, how: str, below: str) -> None:
    """One problem says so, and why; what lies beside the library is trusted."""
    library = made.photo_library(tmp_path / "h" / "P.photoslibrary", {"K.jpeg": 0})
    (tmp_path / "h" / "b.jpg").write_bytes(b"1")
    broken(library, how)
    tree = walk(tmp_path / "h" / below, needles)
    assert (names(tree), len(tree.problems)) == ([] if below else ["b.jpg"], 1)
    (problem,) = tree.problems
    assert problem.reason.startswith("photo library whose trash cannot be read (its ") or how == "damaged"
    assert not problem.is_note
    assert problem.path == str(library / ("originals" if "originals" in below else ""))


@pytest.mark.parametrize("name", ["P.photoslibrary", "iPhoto Library.photolibrary", "A.APLIBRARY"])
def test_a_library_is_known_by_its_name_alone(tmp_path: Path, needles: Path, name: str) -> None:
    """Where nothing but pictures is left of it."""
    (tmp_path / "h" / name / "Masters").mkdir(parents=True)
    (tmp_path / "h" / name / "Masters" / "a.jpg").write_bytes(b"1")
    tree = walk(tmp_path / "h", needles)
    assert ([], 1) == (names(tree), len(tree.problems))


def test_old_libraries_of_iphoto_are_not_trusted(tmp_path: Path, needles: Path) -> None:
    """What their trash holds nothing here can read."""
    library = tmp_path / "h" / "iPhoto Library"
    (library / "Originals").mkdir(parents=True)
    (library / "Originals" / "a.jpg").write_bytes(b"1")
    (library / "Library6.iPhoto").write_bytes(b"no database")
    assert "a.jpg" not in names(walk(tmp_path / "h", needles))


@pytest.mark.parametrize("name", ["database/photos.db", "Database/Library.apdb", "database/other.sqlite"])
def test_other_programs_have_such_folders_too(tmp_path: Path, needles: Path, name: str) -> None:
    """A database of other tables makes no library of a folder that is not called one."""
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "a.jpg").write_bytes(b"1")
    made.photos(tmp_path / "h" / name, [], table="NOTES").close()
    trusted = {os.path.basename(entry.path) for entry in walk(tmp_path / "h", needles).entries}
    assert {"a.jpg", os.path.basename(name)} == trusted


def test_excluding_the_database_does_not_help(tmp_path: Path, needles: Path) -> None:
    """The trash is asked for all the same."""
    made.photo_library(tmp_path / "h" / "Renamed", {"K.jpeg": 0, "G.jpeg": 1})
    for pattern in ("database", "*.sqlite"):
        assert ["K.jpeg"] == names(walk(tmp_path / "h", needles, exclude=(pattern,)))


def test_the_trash_of_a_library_among_needles_is_searched(tmp_path: Path) -> None:
    """Who deletes the library deletes what is in its trash."""
    made.photo_library(tmp_path / "n" / "P.photoslibrary", {"K.jpeg": 0, "G.jpeg": 1})
    (tmp_path / "h").mkdir()
    settings = make_settings(haystack=[str(tmp_path / "h")], needles=[str(tmp_path / "n")], no_cache=True)
    (tree,), _ = walk_all(settings.roots, Rules(Excludes(())))
    assert (["G.jpeg", "K.jpeg"], []) == (names(tree), tree.problems)


def test_a_library_behind_a_link(tmp_path: Path, needles: Path) -> None:
    """The library itself may be linked to; a link into it leads past its database, and a link to a file is judged."""
    library = made.photo_library(tmp_path / "P.photoslibrary", {"K.jpeg": 0, "G.jpeg": 1})
    (tmp_path / "h").mkdir()
    link = tmp_path / "h" / "link"
    for target, expected in {
        "": ["K.jpeg"], "originals": [], "originals/A": [], "originals/A/K.jpeg": ["link"], "originals/A/G.jpeg": [],
    }.items():  # fmt: skip
        link.symlink_to(library / target)
        assert expected == names(walk(tmp_path / "h", needles, follow=True))
        link.unlink()


def test_a_library_without_trash_is_trusted_through_links(tmp_path: Path, needles: Path) -> None:
    """There is nothing in it that could prove something wrongly."""
    library = made.photo_library(tmp_path / "P.photoslibrary", {"K.jpeg": 0})
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "link").symlink_to(library / "originals")
    assert ["K.jpeg"] == names(walk(tmp_path / "h", needles, follow=True))


def test_lists_of_a_collection_are_judged_likewise(tmp_path: Path) -> None:
    """Who writes a list with find names what is in the trash of a library as well."""
    library = made.photo_library(tmp_path / "P.photoslibrary", {"K.jpeg": 0, "G.jpeg": 1})
    paths = [str(library / "originals" / "A" / name) for name in ("K.jpeg", "G.jpeg")]
    listed = look_up(paths, Excludes(()), Side.HAYSTACK, follow_symlinks=False)
    assert ([paths[0]], [(paths[1], IN_TRASH)]) == (
        [file.given for file in listed.files], [(problem.path, problem.reason) for problem in listed.problems],
    )  # fmt: skip
    assert 2 == len(look_up(paths, Excludes(()), Side.NEEDLES, follow_symlinks=False).files)


def test_each_library_is_read_once(tmp_path: Path, needles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files it has, and by whatever sign it is met."""
    made.photo_library(tmp_path / "h" / "P.photoslibrary", {f"{number}.jpeg": number % 2 for number in range(20)})
    from dupfind.sources import trashed_photos

    calls, real = [], trashed_photos.trashed_in
    monkeypatch.setattr(trashed_photos, "trashed_in", lambda path: (calls.append(path), real(path))[1])
    assert 10 == len(names(walk(tmp_path / "h", needles)))
    assert 1 == len(calls)


def test_no_library_no_cost(tmp_path: Path) -> None:
    """Where none was met nothing is sifted."""
    libraries = Libraries()
    assert libraries.around(str(tmp_path)) is None
    assert not libraries


def test_a_run_sees_what_was_deleted_since(
    tmp_path: Path, dupfind: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    """An answer from memory is none of a library whose trash has changed, though none of its pictures has."""
    library = made.photo_library(tmp_path / "h" / "P.photoslibrary", {"K.txt": 0, "G.txt": 0})
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "G.txt").write_bytes(b"G.txt")

    def scan() -> int:
        return dupfind("scan", "--haystack", "h", "--needles", "n").returncode

    assert 0 == scan()
    (library / "database" / "Photos.sqlite").unlink()
    made.photos(library / "database" / "Photos.sqlite", [("A", "K.txt", 0), ("A", "G.txt", 1)]).close()
    assert 1 == scan()


def test_a_problem_is_told_in_one_line(
    tmp_path: Path, dupfind: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    """With the library and the cause; the run goes on."""
    library = made.photo_library(tmp_path / "h" / "P.photoslibrary", {"K.txt": 0})
    (library / "database" / "Photos.sqlite").unlink()
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "K.txt").write_bytes(b"K.txt")
    done = dupfind("scan", "--haystack", "h", "--needles", "n")
    line = (
        b"dupfind: h/P.photoslibrary: photo library whose trash cannot be read (its database is missing): "
        b"not trusted as haystack"
    )
    assert (1, line) == (done.returncode, done.stderr.strip())
