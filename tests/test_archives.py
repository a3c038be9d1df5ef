"""Archives among the needles: folders of the report, whose files are proved like any other."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dupfind import pipeline
from dupfind.archives import limits
from dupfind.archives.members import MemberEntry
from dupfind.archives.opening import Opened, open_archive
from dupfind.archives.scratch import Scratch
from dupfind.pool import tasks
from dupfind.run import Run
from dupfind.sources.entries import ChangedError, entry_now, open_entry
from dupfind.sources.mounts import NO_MOUNTS
from dupfind.values import FileEntry, Report, Side
from fixtures import pictures
from tests.helpers.archives import PACKERS, special, tarred, zipped
from tests.helpers.scans import answer, one_thread, scan, settings
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]
Dupfind = Callable[..., "subprocess.CompletedProcess[bytes]"]


def saved(seed: int, quality: int = 92) -> bytes:
    """A photo as a JPEG."""
    out = io.BytesIO()
    pictures.photo(seed, (640, 480)).save(out, "JPEG", quality=quality)
    return out.getvalue()


HAY = {"2006/a.jpg": saved(1), "2006/b.jpg": saved(2, 98), "notes.txt": b"words", "more.txt": b"more words"}
CLOSED = {"Takeout/a.jpg": HAY["2006/a.jpg"], "Takeout/Sub/b again.jpg": saved(2, 85), "notes.txt": b"words"}
OPEN = {**CLOSED, "Takeout/new.jpg": saved(9), "Takeout/Sub/other.txt": b"sword"}


@pytest.fixture(scope="module")
def hay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection."""
    return build_tree(tmp_path_factory.mktemp("hay"), HAY)


def look(hay: Path, needles: Path, archives: str = "needles", **options: Any) -> Report:
    """Scan with archives."""
    return scan(hay, needles, archives=archives, **options)


def folders(report: Report) -> dict[str, str]:
    """The verdict on each folder, by its path below the needles."""
    root = min((folder.path for folder in report.folders), key=len)
    return {folder.path[len(root) :].lstrip("/"): folder.state.value for folder in report.folders}


def gaps(report: Report) -> list[tuple[str, str]]:
    """What was skipped among the needles, by name, and why."""
    return [(os.path.basename(problem.path), problem.reason) for problem in report.problems if problem.is_gap]


@pytest.mark.parametrize("kind", [kind for kind in PACKERS if kind in {"deflated.zip", "tar.gz"}])
def test_pictures(hay: Path, tmp_path: Path, kind: str) -> None:
    """An archive answers as the folder that it was made of, file by file, pictures and all."""
    packed = build_tree(tmp_path / "packed", {f"x.{kind}": PACKERS[kind](OPEN)})
    plain = build_tree(tmp_path / "plain", {f"x.{kind}/{name}": data for name, data in OPEN.items()})
    told = [answer(look(hay, folder)).replace(folder.name.encode(), b"n") for folder in (packed, plain)]
    reports = [json.loads(text) for text in told]
    for report in reports:
        report["files"].sort(key=lambda file: file["path"])
    assert reports[0] == reports[1]
    states = {os.path.basename(file["path"]): file["verdict"] for file in reports[0]["files"]}
    assert states["b again.jpg"] == states["a.jpg"] == "present"
    assert states["new.jpg"] == states["other.txt"] == "missing"


@pytest.mark.parametrize("kind", PACKERS)
def test_closed_and_open(tree: TreeBuilder, kind: str) -> None:
    """Every kind is contained where all of it is there, and not where one file is not."""
    hay = tree("h", {"a": b"1" * 70_000, "b": b"2"})
    files = {"d/a": b"1" * 70_000, "b": b"2"}
    report = look(hay, tree("n", {f"x.{kind}": PACKERS[kind](files), "b": b"2"}))
    assert {"": "contained", f"x.{kind}": "contained", f"x.{kind}/d": "contained"} == folders(report)
    assert report.is_complete
    report = look(hay, tree("m", {f"x.{kind}": PACKERS[kind]({**files, "d/c": b"3"}), "b": b"2"}))
    assert {"": "partial", f"x.{kind}": "partial", f"x.{kind}/d": "partial"} == folders(report)
    assert not report.is_complete


NAMES = st.sampled_from(["a", "b.txt", "c/d", "c/e.txt", "c/f/g", "h/i j", "ü/ñ", ".hidden/x", "._k", "Thumbs.db"])
CONTENTS = st.sampled_from([b"", b"1", b"22", b"2222", b"\0\5\x16\7resource", b"z" * 70_000, os.urandom(0) + bytes(99)])
TREES = st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=6)


@pytest.mark.slow
@given(files=TREES, hay_files=st.lists(CONTENTS, max_size=5), kind=st.sampled_from(sorted(PACKERS)))
@example({"a": b"1", "b.txt": b""}, [b"1"], "zip")
def test_as_the_same_files_in_a_folder(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], hay_files: list[bytes], kind: str
) -> None:
    """Whatever is packed, however it is packed: the verdicts are those of the folder."""
    base = tmp_path_factory.mktemp("t")
    hay = build_tree(base / "hay", {"keep": b"0", **{str(number): data for number, data in enumerate(hay_files)}})
    packed = build_tree(base / "packed", {f"x.{kind}": PACKERS[kind](files)})
    plain = build_tree(base / "plain", {f"x.{kind}/{name}": data for name, data in files.items()})
    one, other = look(hay, packed), look(hay, plain)
    if not other.files:  # nothing but junk: an archive that holds nothing stays a file
        assert ["missing"] == [file.state.value for file in one.files]
        return
    assert folders(one) == folders(other)
    verdicts = [
        sorted((file.path[len(str(folder)) :], file.state, file.witness) for file in report.files)
        for report, folder in ((one, packed), (other, plain))
    ]
    assert verdicts[0] == verdicts[1]


def test_an_equal_archive_proves_it(tree: TreeBuilder) -> None:
    """At once, whatever is in it: it is not even opened, and so may be encrypted or broken."""
    broken = zipped({"new": b"3"})[:-9]
    report = look(tree("h", {"old/x.zip": broken}), tree("n", {"y.zip": broken}))
    assert [("y.zip", "present")] == [(os.path.basename(file.path), file.state.value) for file in report.files]
    assert {"": "contained"} == folders(report)
    report = look(tree("h", {"old/x.zip": broken[:-1] + b"?"}), tree("n", {"y.zip": broken}))
    assert {"": "missing"} == folders(report)
    assert gaps(report)


def test_archives_in_archives(tree: TreeBuilder) -> None:
    """Two deep they are folders; deeper they are files, and a problem."""
    hay, inner = tree("h", {"a": b"1"}), zipped({"a": b"1"}, zipfile.ZIP_DEFLATED)
    for number, pack in enumerate(PACKERS.values()):
        report = look(
            hay, tree(f"n{number}", {"x.zip": pack({"d/in.zip": inner, "d/in.tar.gz": tarred({"a": b"1"}, "gz")})})
        )
        assert set(folders(report).values()) == {"contained"}
        assert {"in.zip", "in.tar.gz"} == {Path(file.path).parent.name for file in report.files}
    report = look(hay, tree("deep", {"x.zip": zipped({"1.zip": zipped({"2.zip": inner})})}))
    assert {"missing"} == set(folders(report).values())
    assert [("2.zip", "an archive in archives: looked into down to 2")] == gaps(report)
    report = look(tree("h2", {"a": inner}), tree("whole", {"x.zip": zipped({"1.zip": zipped({"2.zip": inner})})}))
    assert {"contained"} == set(folders(report).values())


def test_inner_archive_and_folder_of_one_name(tree: TreeBuilder) -> None:
    """Paths are keys: what is in the two would be taken for one file."""
    files = {"in.zip": zipped({"a": b"1"}), "in.zip/a": b"2"}
    report = look(tree("h", {"a": b"2"}), tree("n", {"x.zip": zipped(files)}))
    assert "contained" not in {folders(report)[""], folders(report)["x.zip"]}
    assert [("in.zip", "an archive and a folder of one name: not looked into")] == gaps(report)


def test_whose_archives(tree: TreeBuilder) -> None:
    """The haystack's are looked into only where that is asked for; nobody's where not."""
    hay, needles = (
        tree("h", {"x.zip": zipped({"a": b"1", ".trash/b": b"22"})}),
        tree("n", {"y.tar": tarred({"a": b"1"})}),
    )
    plain = tree("p", {"a": b"1", "b": b"22"})
    assert {"": "missing", "y.tar": "missing"} == folders(look(hay, needles))
    assert {"": "contained", "y.tar": "contained"} == folders(look(hay, needles, "both"))
    assert {"": "missing"} == folders(look(hay, needles, "none"))
    report = look(hay, plain, "both")
    assert {"": "partial"} == folders(report)
    witnesses = {os.path.basename(file.path): file.witness for file in report.files}
    assert {"a": str(hay / "x.zip/a"), "b": None} == witnesses


def test_nothing_proves_itself(tree: TreeBuilder) -> None:
    """The archive that is the needles proves nothing where it lies in the haystack, as a whole or by its members."""
    hay = tree("h", {"x.zip": zipped({"a": b"1"}), "c": b"2"})
    os.link(hay / "x.zip", hay / "y.zip")
    for archives in ("needles", "both"):
        report = look(hay, hay / "x.zip", archives)
        states = {folder.state.value for folder in report.folders}
        # A hard link of another name is another file, as everywhere: it stays when the needle is deleted.
        assert states == {"contained"}
        assert {str(hay / "y.zip")} >= {file.witness for file in report.files if file.witness}
    os.unlink(hay / "y.zip")
    for archives in ("needles", "both"):
        assert {"missing"} == {folder.state.value for folder in look(hay, hay / "x.zip", archives).folders}


def test_nothing_proves_itself_where_mounts_are_unknown(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As beyond Linux: the archive that was named is known by its path, also where it has a hard link."""
    monkeypatch.setattr("dupfind.run.read_mounts", lambda: NO_MOUNTS)
    hay = tree("h", {"x.zip": zipped({"a": b"1"}), "c": b"2"})
    os.link(hay / "x.zip", hay.parent / "elsewhere.zip")
    assert {"missing"} == {folder.state.value for folder in look(hay, hay / "x.zip").folders}


def test_an_archive_that_changes_before_it_is_opened(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not what was listed, and is not looked into."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"x.zip": zipped({"a": b"1"})})

    def touch_and_open(entry: FileEntry, scratch: Scratch) -> Opened:
        os.utime(entry.path, (1, 1))
        return open_archive(entry, scratch)

    monkeypatch.setattr("dupfind.archives.looking.open_archive", touch_and_open)
    report = look(hay, needles)
    assert {"": "missing"} == folders(report)
    assert ("x.zip", "the archive cannot be looked into: changed while it was read") in gaps(report)


def test_an_archive_as_needles(dupfind: Dupfind, tree: TreeBuilder) -> None:
    """It may be named in the place of a folder, whether it can be opened or not."""
    tree("h", {"a": b"1"})
    tree("n", {"x.zip": zipped({"d/a": b"1"}), "y.zip": b"PK\3\4", "z.txt": b""})
    done = dupfind("scan", "--haystack", "h", "--needles", "n/x.zip", "--only", "contained", "--format", "paths")
    assert (b"n/x.zip\n", 0) == (done.stdout, done.returncode)
    done = dupfind("scan", "--haystack", "h", "--needles", "n/y.zip", "--all", "--files", "--format", "paths")
    assert (b"n/y.zip\n", 1) == (done.stdout, done.returncode)
    assert b"cannot be looked into" in done.stderr
    done = dupfind("scan", "--haystack", "h", "--needles", "n/x.zip", "--archives", "none")
    assert (2, b"not a folder" in done.stderr) == (done.returncode, True)
    done = dupfind("scan", "--haystack", "h", "--needles", "n/z.txt")
    assert 2 == done.returncode


def test_a_named_archive_with_an_equal(dupfind: Dupfind, tree: TreeBuilder) -> None:
    """It is a folder of its name with one file in it: itself."""
    data = zipped({"d/a": b"1"})
    tree("h", {"whole.zip": data})
    tree("n", {"x.zip": data})
    done = dupfind("scan", "--haystack", "h", "--needles", "n/x.zip", "--only", "contained", "--format", "paths")
    assert (b"n/x.zip\n", 0) == (done.stdout, done.returncode)


def test_excluded_and_junk(tree: TreeBuilder) -> None:
    """As in a folder: what is excluded is a gap, what systems leave behind is nothing."""
    apple = b"\0\5\x16\7\0\2\0\0" + bytes(18)
    store, thumbnail = b"\0\0\0\1Bud1", "@eaDir/a/SYNOFILE_THUMB_M.jpg"
    files = {"a": b"1", "skip/b": b"1", "__MACOSX/._a": apple, ".DS_Store": store, thumbnail: b"4"}
    hay = tree("h", {"a": b"1"})
    needles = tree("n", {"x.zip": zipped(files, zipfile.ZIP_DEFLATED)})
    assert {"contained"} == set(folders(look(hay, needles)).values())
    report = look(hay, needles, exclude=["skip"])
    assert [("b", "excluded by --exclude skip")] == gaps(report)
    assert "partial" == folders(report)["x.zip"]
    photo = b"\xff\xd8\xff\xe0" + bytes(99)
    for name in ("._b", ".DS_Store", "Thumbs.db", "desktop.ini", ".nomedia", "@eaDir/IMG_1.jpg", "@eaDir/a/IMG_1.jpg"):
        report = look(hay, tree(f"m {name.replace('/', ' ')}", {"x.zip": zipped({**files, name: photo})}))
        assert "partial" == folders(report)["x.zip"], name
    report = look(hay, tree("r", {"x.zip": zipped({**files, "._b": apple[:4] + photo})}))
    assert "partial" == folders(report)["x.zip"]


def test_what_a_drive_keeps_in_an_archive_of_the_haystack_proves_nothing(tree: TreeBuilder) -> None:
    """As in a folder: nobody looks into its folder."""
    needles = tree("n", {"a": b"1"})
    hay = tree("h", {"x.zip": zipped({"@eaDir/a": b"1"})})
    assert "missing" == folders(look(hay, needles, archives="both"))[""]


def test_left_overs(tree: TreeBuilder) -> None:
    """As in a folder, by name, folder, content and companion: a preview without its film may be all that there is."""
    thumbnail = saved(7)
    film = {"a.mov": b"a film", "a.thm": thumbnail}
    assert {"contained"} == set(folders(look(tree("h", film), tree("n", {"x.zip": zipped(film)}))).values())
    hay = tree("i", {"a.mov": b"a film"})
    assert {"contained"} == set(folders(look(hay, tree("m", {"x.zip": zipped(film)}))).values())
    empty = {"a.mov": b"", "a.thm": thumbnail}
    assert "missing" == folders(look(hay, tree("o", {"x.zip": zipped(empty)})))["x.zip"]
    elsewhere = {"a.mov": b"a film", "b/a.thm": thumbnail}
    assert "missing" == folders(look(hay, tree("p", {"x.zip": zipped(elsewhere)})))["x.zip/b"]
    blocked = {"a.mov": b"a film", "b/.nomedia": b"", "c/.nomedia": b"my diary\n" * 600}
    assert "missing" == folders(look(hay, tree("q", {"x.zip": zipped(blocked)})))["x.zip/c"]


def test_sidecars_and_empty_members(tree: TreeBuilder) -> None:
    """They are told in an archive as in a folder, by their content."""
    titled = json.dumps({"title": "a.jpg", "photoTakenTime": {"timestamp": "1"}}).encode()
    other = json.dumps({"title": "b.jpg", "photoTakenTime": {"timestamp": "1"}}).encode()
    hay = tree("h", {"a.jpg": HAY["2006/a.jpg"]})
    needles = tree("n", {"x.zip": zipped({"a.jpg": HAY["2006/a.jpg"], "a.jpg.json": titled, "empty.txt": b""})})
    assert "partial" == folders(look(hay, needles))["x.zip"]
    report = look(hay, needles, sidecars="ignore")
    assert {"contained"} == set(folders(report).values())
    assert ["present", "unwanted", "empty"] == [file.state.value for file in report.files]
    needles = tree("m", {"x.tar.gz": tarred({"a.jpg": HAY["2006/a.jpg"], "a.jpg.json": other}, "gz")})
    assert "partial" == folders(look(hay, needles, sidecars="ignore"))["x.tar.gz"]


def test_a_photo_library_in_an_archive_of_the_haystack(tree: TreeBuilder) -> None:
    """Nobody reads its trash there, so it proves nothing."""
    needles = tree("n", {"a.txt": b"1"})
    for name, verdict in (("Old.photoslibrary/originals/a.txt", "missing"), ("Old photos/a.txt", "contained")):
        hay = tree(verdict, {"lib.zip": zipped({name: b"1"})})
        assert {verdict} == set(folders(look(hay, needles, "both")).values())


def test_special_files_of_a_tar(tree: TreeBuilder) -> None:
    """They are told of and not followed; a hard link is the file that it links to."""
    hay = tree("h", {"a": b"1"})
    kinds = {
        "link": (tarfile.SYMTYPE, "symbolic link: not followed"),
        "pipe": (tarfile.FIFOTYPE, "not a regular file"),
        "disk": (tarfile.BLKTYPE, "not a regular file"),
        "tty": (tarfile.CHRTYPE, "not a regular file"),
        "odd": (b"Q", "not a regular file"),
        "far": (tarfile.LNKTYPE, "a link to a file that is not in the archive before it"),
    }
    for name, (type_, reason) in kinds.items():
        report = look(
            hay, tree(f"n-{name}", {"x.tar": tarred({"a": b"1"}, more=[special(name, type_, "/etc/passwd")])})
        )
        assert {"": "partial", "x.tar": "partial"} == folders(report)
        assert [(name, reason)] == gaps(report)
    report = look(hay, tree("hard", {"x.tar": tarred({"a": b"1"}, more=[special("d/b", tarfile.LNKTYPE, "a")])}))
    assert {"": "contained", "x.tar": "contained", "x.tar/d": "contained"} == folders(report)


@pytest.mark.slow
def test_the_page_shows_members(hay: Path, tmp_path: Path, dupfind: Dupfind) -> None:
    """Also those that lie in the scratch file of a solid archive."""
    needles = build_tree(
        tmp_path / "n", {"x.tar.gz": tarred({"new.jpg": saved(9)}, "gz"), "y.zip": zipped({"k.jpg": saved(8)})}
    )
    page = tmp_path / "page.html"
    done = dupfind("scan", "--haystack", str(hay), "--needles", str(needles), "--html", str(page), "-q", "--no-cache")
    assert 1 == done.returncode
    text = page.read_text()
    assert "x.tar.gz/new.jpg" in text
    assert 2 <= text.count("data:image/webp;base64,") or 2 <= text.count("UklGR")


@pytest.mark.slow
def test_paranoid_reads_members_again(hay: Path, tmp_path: Path) -> None:
    """Equal bytes, equal image data and pictures at full size."""
    needles = build_tree(
        tmp_path / "n", {"x.zip": zipped(CLOSED, zipfile.ZIP_DEFLATED), "y.tar.gz": tarred(CLOSED, "gz")}
    )
    assert {"contained"} == set(folders(look(hay, needles, paranoid=True)).values())


def test_members_are_remembered(hay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the archive's identity and the member: nothing is read again, also where the archive was renamed."""
    needles = build_tree(tmp_path / "n", {"x.zip": zipped(OPEN, zipfile.ZIP_DEFLATED), "y.tar": tarred(OPEN)})
    old = 1_500_000_000
    for path in needles.iterdir():
        os.utime(path, (old, old))
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    monkeypatch.setattr("dupfind.cache.result_cache.ResultCache.recall", lambda _: None)
    cache = str(tmp_path / "cache.sqlite")
    read: list[str] = []
    real = MemberEntry.open

    def counted(entry: MemberEntry) -> Any:
        read.append(entry.path)
        return real(entry)

    monkeypatch.setattr(MemberEntry, "open", counted)
    first = look(hay, needles, cache=cache)
    assert {os.path.basename(path) for path in read} >= {"a.jpg", "b again.jpg", "new.jpg"}
    read.clear()
    assert answer(first) == answer(look(hay, needles, cache=cache))
    assert [] == read


CHANGES: Mapping[str, Callable[[Path], object]] = {
    "gone": os.unlink,
    "touched": lambda path: os.utime(path, (1, 1)),
    "a folder now": lambda path: (os.unlink(path), build_tree(path, {"a": b"1"})),
    "a link now": lambda path: (os.rename(path, f"{path}.old"), os.symlink(f"{path}.old", path)),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_the_final_check(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, name: str, side: Side, kind: str) -> None:
    """What an archive held neither counts nor proves where the archive is not any more what was listed."""
    packed, plain = {f"x.{kind}": PACKERS[kind]({"a": b"1"})}, {"a": b"1"}
    hay = tree("h", packed if side is Side.HAYSTACK else plain)
    needles = tree("n", packed if side is Side.NEEDLES else plain)
    real = pipeline.find_matches

    def find_and_change(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        CHANGES[name]((needles if side is Side.NEEDLES else hay) / f"x.{kind}")
        return findings

    assert "contained" == folders(look(hay, needles, "both"))[""]
    monkeypatch.setattr(pipeline, "find_matches", find_and_change)
    report = look(hay, needles, "both")
    assert "contained" not in folders(report).values()


def entries(hay: Path, needles: Path) -> list[MemberEntry]:
    """The members among needles."""
    run = Run(settings(hay, needles, archives="needles"), make_executor=one_thread)
    trees, _ = pipeline.walk(run)
    return [entry for tree in trees for entry in tree.entries if isinstance(entry, MemberEntry)]


@pytest.mark.parametrize("kind", PACKERS)
def test_an_entry_opens_itself(tree: TreeBuilder, kind: str) -> None:
    """In another process, under another name; seeks as a file does, and sees that its archive is another one."""
    data = bytes(range(256)) * 1000
    found = entries(
        tree("h", {"a": b""}), tree("n", {f"x.{kind}": PACKERS[kind]({"small": b"12345", "d/large": data})})
    )
    small, large = sorted(found, key=lambda entry: entry.size_bytes)
    assert len(pickle.dumps(large)) < 700
    for entry in (pickle.loads(pickle.dumps(large)), large._replace(path="elsewhere")):  # noqa: S301 - our own
        with open_entry(entry) as file:
            assert data[:7] == file.read(7)
            assert len(data) == file.seek(0, os.SEEK_END)
            assert b"" == file.read(5)
            file.seek(-4, os.SEEK_CUR)
            assert data[-4:] == file.read()
            file.seek(65_530)
            assert data[65_530:65_600] == file.read(70)
            file.seek(0)
            assert data == file.read()
    assert small == entry_now(small, follow_symlinks=False)
    assert small.inode not in (0, large.inode)
    archive = small.place.archive.path
    with pytest.raises(ChangedError), open_entry(small):
        os.utime(archive, (5, 5))
    with pytest.raises(ChangedError), open_entry(small):
        pass
    assert small != entry_now(small, follow_symlinks=False)
    os.unlink(archive)
    with pytest.raises(FileNotFoundError):
        entry_now(small, follow_symlinks=False)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_large_members(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, method: int) -> None:
    """What does not fit into memory is read where it lies, or unpacked into a file without a name."""
    monkeypatch.setattr("dupfind.archives.members.MOST_MEMORY_BYTES", 100_000)
    data = bytes(range(256)) * 2000
    hay, needles = tree("h", {"a": data}), tree("n", {"x.zip": zipped({"b": data}, method)})
    assert {"contained"} == set(folders(look(hay, needles)).values())
    (entry,) = entries(hay, needles)
    homeless = entry._replace(path="x")
    homeless.place = entry.place._replace(folder=None)
    assert isinstance(tasks.read_digests([homeless])[0].result, bytes)  # in order, and nothing has to be kept
    with ExitStack() as stack:
        if method == zipfile.ZIP_DEFLATED:
            reason = "temporary files lie below what is compared"
            stack.enter_context(pytest.raises(OSError, match=reason))
        with open_entry(homeless) as file:
            file.seek(300_000)
            assert data[300_000:300_010] == file.read(10)


def test_nothing_is_left_behind(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither while a run goes on nor after it; and nothing is unpacked below what is compared."""
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr("tempfile.tempdir", None)
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"x.tar.gz": tarred({"a": b"1"}, "gz")})
    assert {"contained"} == set(folders(look(hay, needles)).values())
    assert [] == list(room.iterdir())
    monkeypatch.setenv("TMPDIR", str(needles))
    monkeypatch.setattr("tempfile.tempdir", None)
    report = look(hay, needles)
    assert ["x.tar.gz"] == [name for name, _ in gaps(report)]
    assert {"": "missing"} == folders(report)
    assert ["x.tar.gz"] == os.listdir(needles)


def test_other_commands_take_archives_for_files(dupfind: Dupfind, tree: TreeBuilder) -> None:
    """They look into none."""
    data = zipped({"a": b"1"})
    tree("h", {"x.zip": data, "y.zip": data})
    assert 0 == dupfind("find", "h/x.zip", "--haystack", "h", "--no-cache").returncode
    done = dupfind("groups", "h", "--format", "paths", "--no-cache")
    assert (0, b"h/x.zip") == (done.returncode, done.stdout.strip()[:7]) or done.returncode in (0, 1)


def test_an_unnumbered_archive(tree: TreeBuilder) -> None:
    """Where a file system keeps no numbers nothing is remembered of a member either."""
    (entry,) = entries(tree("h", {"a": b""}), tree("n", {"x.zip": zipped({"a": b"1"})}))
    archive = FileEntry(*entry.place.archive[:4], 0)
    assert 0 == MemberEntry.of(entry.path, 1, entry.place._replace(archive=archive), None, 0).inode


def test_limits_are_in_order() -> None:
    """None is so small that a backup of photos would meet it."""
    assert limits.MOST_DEPTH == 2
    assert limits.MOST_RATIO > 20
    assert limits.MOST_SCRATCH_BYTES > limits.MOST_MEMORY_BYTES
