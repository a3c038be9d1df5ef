"""What photo managers make of originals proves nothing; originals do, and so does what only looks like a manager's."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.sources.file_lists import look_up
from dupfind.sources.ignore import NOT_TRUSTED, Excludes
from dupfind.sources.photo_managers import MADE, InList, Managers, OnDisk
from dupfind.values import Report, Side
from tests.helpers import managed, photo_libraries
from tests.helpers.managed import ASSET, SHA, USER, write
from tests.helpers.scans import scan, states
from tests.helpers.shelf import cataloged
from tests.helpers.trees import build_tree

Layout = Callable[[Path], dict[str, Path]]


def immich_before_marks(base: Path) -> dict[str, Path]:
    """Without ``.immich``."""
    return managed.immich(base, is_marked=False)


def photoprism_without_mark(base: Path) -> dict[str, Path]:
    """Without ``.ppstorage``."""
    return managed.photoprism(base, is_marked=False)


def photos_renamed(base: Path) -> dict[str, Path]:
    """A library that is named like any other folder, with the database of Photos 4."""
    return managed.photos(base, "database/photos.db")


LAYOUTS: tuple[tuple[Layout, frozenset[str]], ...] = (
    (managed.immich, frozenset({"upload", "library"})),
    (immich_before_marks, frozenset({"upload", "library"})),
    (managed.photoprism, frozenset({"original"})),
    (photoprism_without_mark, frozenset({"original"})),
    (managed.lightroom, frozenset({"original", "mobile"})),
    (managed.photos, frozenset({"original", "old original", "edited"})),
    (photos_renamed, frozenset({"original", "old original", "edited"})),
)
"""Each layout with the names of what is kept in it; all else is made of that."""


def made_of(base: Path, paths: Iterable[Path]) -> set[Path]:
    """Those of some files that managers made, by what a look at the disk tells."""
    managers = Managers()
    return {path for path in paths if managers.why_not_trusted(str(path), is_file=True)} if base else set()


@pytest.mark.parametrize(("layout", "kept"), LAYOUTS)
def test_what_is_made_is_told_from_originals(tmp_path: Path, layout: Layout, kept: frozenset[str]) -> None:
    """By a look at the disk, and by a list of all that is there."""
    files = layout(tmp_path / "base")
    assert kept == files.keys() - {name for name, path in files.items() if path in made_of(tmp_path, files.values())}
    listed = Managers(InList([str(path) for path in tmp_path.rglob("*") if path.is_file()]))
    for name, path in files.items():
        assert (name in kept) == (listed.why_not_trusted(str(path), is_file=True) is None), name


@pytest.mark.parametrize(("layout", "kept"), [one for one in LAYOUTS if one[0] not in (managed.photos, photos_renamed)])
def test_a_copy_of_what_is_made_is_missing(tmp_path: Path, layout: Layout, kept: frozenset[str]) -> None:
    """A haystack closes what its originals are, and nothing that it only made; a note says where and why."""
    files = layout(tmp_path / "h")
    for name, path in files.items():
        write(tmp_path / "n" / name / path.name, path.read_bytes())
    report = scan(tmp_path / "h", tmp_path / "n")
    assert {name: name in kept for name in files} == by_folder(report)
    assert kept == {os.path.basename(one.path) for one in report.folders if one.state.value == "contained"}
    notes = [one.reason for one in report.problems if one.is_note]
    assert notes
    assert all(reason.endswith(NOT_TRUSTED) for reason in notes)


def test_photo_libraries_and_a_telephone(tmp_path: Path) -> None:
    """With databases that can be read: originals and edited versions close folders, what is made of them does not."""
    kept, gone = "0A1B2C3D-0000-4000-8000-000000000001", "0A1B2C3D-0000-4000-8000-000000000002"
    library = photo_libraries.photo_library(tmp_path / "h" / "P.photoslibrary", {f"{kept}.heic": 0, f"{gone}.heic": 1})
    for folder in ("renders", "derivatives", "derivatives/masters"):
        name = f"{kept}_{folder.replace('/', '-')}.jpeg"
        write(library / "resources" / folder / "0" / name)
    write(library / "scopes" / "syndication" / "originals" / "0" / "shared.jpeg")
    phone = tmp_path / "h" / "iPhone"
    photo_libraries.photos(phone / "PhotoData" / "Photos.sqlite", [("DCIM/100APPLE", "IMG_1.HEIC", 0)]).close()
    write(phone / "DCIM" / "100APPLE" / "IMG_1.HEIC")
    write(phone / "PhotoData" / "Thumbnails" / "V2" / "5003.JPG")
    write(phone / "PhotoData" / "PhotoCloudSharingData" / "1" / "IMG_9.JPG")
    for path in sorted((tmp_path / "h").rglob("*.*")):
        if path.is_file() and path.suffix != ".sqlite":
            write(tmp_path / "n" / path.name, path.read_bytes())
    report = scan(tmp_path / "h", tmp_path / "n")
    there = {name for name, is_there in by_name(report).items() if is_there}
    assert {f"{kept}.heic", f"{kept}_renders.jpeg", "IMG_1.HEIC"} == there
    assert {f"{gone}.heic", "shared.jpeg", "5003.JPG", "IMG_9.JPG"} < by_name(report).keys() - there


def test_among_needles_everything_is_searched(tmp_path: Path) -> None:
    """A backup of a library is looked through as a whole."""
    files = managed.immich(tmp_path / "n")
    write(tmp_path / "h" / "mark", b"1718000000000")
    for path in files.values():
        write(tmp_path / "h" / "flat" / path.name)
    report = scan(tmp_path / "h", tmp_path / "n")
    assert {"present/identical"} == set(states(report).values())
    assert len(files) + 6 == len(report.files)


LOOKALIKES: tuple[dict[str, bytes], ...] = (
    {"upload/a.jpg": b"a", "library/b.jpg": b"b", "thumbs/c.jpg": b"c", "encoded-video/d.mp4": b"d", "profile/e": b"e"},
    {"thumbs/2024/a.jpg": b"a", "upload/.immich": b"1", f"thumbs/{ASSET}.jpg": b"b"},
    {f"thumbs/{USER}/holiday/a.jpg": b"a", f"upload/{USER}/0a/1b/b.jpg": b"b"},
    {"cache/a.jpg": b"a", "sidecar/b.jpg": b"b", "storage/sidecar/c.jpg": b"c", "storage/cache/d.jpg": b"d"},
    {"sidecar/a.jpg": b"a", "config/b.jpg": b"b", "cache/c.jpg": b"c"},
    {"resources/derivatives/a.jpg": b"a", "scopes/b.jpg": b"b", "Thumbnails/c.jpg": b"c", "resources/d.jpg": b"d"},
    {"database/photos.db": b"a", "Thumbnails/b.jpg": b"b"},
    {"Previews/a.jpg": b"a", "Smart Previews/b.jpg": b"b", "downloaded-smart-previews/c.jpg": b"c", "x.lrdata/d": b"d"},
    {"0a/1b/IMG_0a1b-preview.jpeg": b"a", f"0a/1c/{ASSET}-preview.jpeg": b"b", f"x/{ASSET}_thumbnail.webp": b"c"},
    {f"5/e/1/{SHA}_720x720_fit.jpg": b"a", f"5/e/0/{SHA}.jpg": b"b"},
    {"thumb/a.jpg": b"a", "@thumb/b.jpg": b"b"},
)
"""Folders of people: each has a name, or some of the names, that a manager gives."""


@pytest.mark.parametrize("files", LOOKALIKES)
def test_a_folder_that_only_looks_like_a_manager_is_trusted(tmp_path: Path, files: Mapping[str, bytes]) -> None:
    """An album is no library for its name."""
    build_tree(tmp_path / "h", files)
    build_tree(tmp_path / "n", {name: content for name, content in files.items() if not name.endswith(".immich")})
    report = scan(tmp_path / "h", tmp_path / "n")
    assert {"contained"} == {folder.state.value for folder in report.folders}


def test_made_files_are_known_wherever_they_were_put(tmp_path: Path) -> None:
    """A volume for thumbnails is called what its owner likes; a backup of it has no marks."""
    immich = write(tmp_path / "h" / "ssd" / "0a" / "1b" / f"{ASSET}_thumbnail.webp")
    prism = write(tmp_path / "h" / "ssd" / "5" / "e" / "0" / f"{SHA.upper()}_500x500_center.jpg")
    kept = write(tmp_path / "h" / "ssd" / "0a" / "1b" / f"{ASSET}.jpg")
    for path in (immich, prism, kept):
        write(tmp_path / "n" / path.name)
    report = scan(tmp_path / "h", tmp_path / "n")
    assert {immich.name: False, prism.name: False, kept.name: True} == by_name(report)
    assert {"made by Immich", "made by PhotoPrism"} == {
        one.reason.partition(":")[0] for one in report.problems if one.is_note
    }


@pytest.mark.parametrize("below", ["thumbs", f"thumbs/{USER}", f"thumbs/{USER}/0a/1b"])
def test_a_root_inside_what_is_made_proves_nothing(tmp_path: Path, below: str) -> None:
    """Nor does it where it is named itself, and a line says so."""
    face = managed.immich(tmp_path / "base")["face"]
    write(tmp_path / "n" / face.name)
    report = scan(tmp_path / "base" / below, tmp_path / "n")
    assert {face.name: False} == by_name(report)
    assert f"made by Immich: {NOT_TRUSTED}" in [one.reason for one in report.problems if not one.is_note]


def test_links_and_lists_lead_to_nothing_that_is_made(tmp_path: Path) -> None:
    """What a link or a list names is judged where it lies."""
    files = managed.immich(tmp_path / "base")
    (tmp_path / "h").mkdir()
    for name, path in files.items():
        (tmp_path / "h" / name).symlink_to(path)
    (tmp_path / "h" / "all").symlink_to(tmp_path / "base" / "thumbs")
    for path in files.values():
        write(tmp_path / "n" / path.parents[3].name / path.name, path.read_bytes())
    report = scan(tmp_path / "h", tmp_path / "n", follow_symlinks=True)
    assert 2 == sum(one.witness is not None for one in report.files)
    named = look_up([str(files["face"]), str(files["upload"])], Excludes([]), Side.HAYSTACK, follow_symlinks=False)
    assert [str(files["upload"])] == [one.given for one in named.files]
    named = look_up([str(files["face"])], Excludes([]), Side.NEEDLES, follow_symlinks=False)
    assert [str(files["face"])] == [one.given for one in named.files]


def test_in_an_archive_and_in_an_older_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that these list tell the same; a catalog may have been made before any of this was known."""
    files = managed.immich(tmp_path / "base") | managed.lightroom(tmp_path / "base" / "lr")
    files = {name: files[name] for name in ("upload", "face", "film", "smart")}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((tmp_path / "base").rglob("*")):
            archive.write(path, path.relative_to(tmp_path / "base"))
    write(tmp_path / "h" / "all.zip", packed.getvalue())
    for name, path in files.items():
        write(tmp_path / "n" / name / path.name, path.read_bytes())
    expected = {name: name == "upload" for name in files}
    assert expected == by_folder(scan(tmp_path / "h", tmp_path / "n", archives="both"))
    with monkeypatch.context() as before:
        before.setattr(Managers, "why_folder", lambda *_: None)
        cataloged(tmp_path / "base", tmp_path / "drive.catalog")
        assert {True} == set(by_folder(scan(tmp_path / "drive.catalog", tmp_path / "n")).values())
    report = scan(tmp_path / "drive.catalog", tmp_path / "n")
    assert expected == by_folder(report)
    assert any(one.path.endswith(f"thumbs/{USER}/0a/1b") and NOT_TRUSTED in one.reason for one in report.problems)


def by_folder(report: Report) -> dict[str, bool]:
    """Whether each file is present, by the name of its folder."""
    return {os.path.basename(os.path.dirname(one.path)): one.state.value == "present" for one in report.files}


def by_name(report: Report) -> dict[str, bool]:
    """The same by the names of the files."""
    return {os.path.basename(one.path): one.state.value == "present" for one in report.files}


def test_one_warning_a_library_whose_trash_nobody_sees(tmp_path: Path) -> None:
    """Immich and PhotoPrism tell their databases alone; also where a part of the library is named."""
    managed.immich(tmp_path / "h" / "one")
    managed.immich(tmp_path / "h" / "two")
    managed.photoprism(tmp_path / "h" / "prism")
    write(tmp_path / "n" / "x")
    warned = [one for one in scan(tmp_path / "h", tmp_path / "n").problems if "only its database knows" in one.reason]
    assert [tmp_path / "h" / name for name in ("one", "prism/storage", "two")] == [Path(one.path) for one in warned]
    assert not any(one.is_note for one in warned)
    inside = tmp_path / "h" / "one" / "library" / "admin"
    (problem,) = scan(inside, tmp_path / "n").problems
    assert (str(inside), True) == (problem.path, "only its database knows" in problem.reason)


def test_a_photo_in_the_trash_of_digikam_proves_nothing(tmp_path: Path) -> None:
    """``.dtrash`` lies in each album root; ``@eaDir`` has previews under the photos' own names."""
    build_tree(
        tmp_path / "h",
        {
            ".dtrash/files/a.jpg": b"a",
            ".dtrash/info/a.dtrashinfo": b"{}",
            "@eaDir/b.jpg/SYNOPHOTO_THUMB_XL.jpg": b"b",
            "#recycle/c.jpg": b"c",
            "digikam4.db": b"SQLite",
            "2024/kept.jpg": b"kept",
        },
    )
    build_tree(tmp_path / "n", {"a.jpg": b"a", "b.jpg": b"b", "c.jpg": b"c", "kept.jpg": b"kept"})
    there = by_name(scan(tmp_path / "h", tmp_path / "n"))
    assert {"a.jpg": False, "b.jpg": False, "c.jpg": False, "kept.jpg": True} == there


def test_every_row_of_the_table_is_met() -> None:
    """A row that no layout of these tests has would be a row that nobody tries."""
    shown = {made.manager.split()[0].rstrip(",:") for made in MADE}
    assert {*("Immich", "PhotoPrism", "Lightroom", "Photos", "iPhone", "QNAP", "Nextcloud", "Plex", "Piwigo")} == shown


@pytest.mark.parametrize(
    "made",
    [
        "appdata_oc4x1a2b/preview/a/b/c/1234/500-386-max.jpg",
        "Cache/PhotoTranscoder/00/0a.jpg",
        "_data/i/upload/2024/a-me.jpg",
    ],
)
def test_what_a_server_makes_of_a_picture_proves_nothing(tmp_path: Path, made: str) -> None:
    """Nextcloud's largest preview has the size of a photo; an album of such a last name stays one."""
    build_tree(tmp_path / "h", {made: b"a", "preview/b.jpg": b"b", "i/c.jpg": b"c", "PhotoTranscoder/d.jpg": b"d"})
    build_tree(tmp_path / "n", {"a.jpg": b"a", "b.jpg": b"b", "c.jpg": b"c", "d.jpg": b"d"})
    assert {"a.jpg": False, "b.jpg": True, "c.jpg": True, "d.jpg": True} == by_name(
        scan(tmp_path / "h", tmp_path / "n")
    )


def test_qnap_and_an_iphone(tmp_path: Path) -> None:
    """The folder of thumbnails, by its name alone; that of a telephone, beside its database."""
    managers = Managers()
    write(tmp_path / "PhotoData" / "Photos.sqlite")
    assert managers.why_folder(str(tmp_path / "any"), "@__thumb") == f"thumbnails of QNAP: {NOT_TRUSTED}"
    assert managers.why_folder(str(tmp_path / "PhotoData"), "Thumbnails")
    assert managers.why_folder(str(tmp_path / "PhotoData"), "PhotoCloudSharingData")
    assert managers.why_folder(str(tmp_path / "PhotoData"), "Mutations") is None


@given(st.lists(st.lists(st.sampled_from(["a", "b", "thumbs", ".immich", USER, "0a"]), min_size=1, max_size=4)))
def test_a_list_answers_as_the_disk_would(ways: list[list[str]]) -> None:
    """A list of paths and the folders that they lie in are one to whoever asks."""
    paths = ["/".join(way) for way in ways]
    folders = {"/".join(way[:end]) for way in ways for end in range(len(way))}
    look = InList(paths)
    for folder in folders | set(paths):
        inside = {
            path[len(folder) :].lstrip("/").split("/")[0] if folder else path.split("/")[0]
            for path in paths
            if not folder or path.startswith(folder + "/")
        }
        assert inside == set(look.names(folder))
        assert not folder or look.holds(folder)


def test_a_folder_that_cannot_be_read_has_no_names(tmp_path: Path) -> None:
    """It is reported by the walk; here it is no sign."""
    assert () == OnDisk().names(str(tmp_path / "none"))
