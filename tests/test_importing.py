"""Imports: what is missing is there afterwards, byte for byte, whatever happens meanwhile, and nothing is replaced."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dupfind.acting import copying, importing, listing, places
from dupfind.acting import journal as journals
from dupfind.acting.places import Folder, Temporary
from dupfind.answers.import_ import Fate
from dupfind.commands import importing as story
from dupfind.commands import undoing
from dupfind.errors import ActingError, SettingsError
from fixtures import pictures
from tests.helpers.acting import (
    carry_out_clean,
    clean,
    contents,
    files_below,
    import_,
    once,
    plan_clean,
    plan_import,
    records,
    undo,
)
from tests.helpers.archives import tarred, zipped
from tests.helpers.played_mounts import Played, play
from tests.helpers.scans import scan, states
from tests.helpers.shelf import TreeBuilder


@pytest.fixture
def trees(tree: TreeBuilder, homes: Path) -> tuple[Path, Path]:
    """A haystack and needles of which some are missing: texts, that nothing has to be decoded."""
    hay = tree("hay", {"a.txt": b"known"})
    needles = tree("old", {"a.txt": b"known", "b.txt": b"new", "sub/c.txt": b"other", "sub/d.txt": b"new"})
    return hay, needles


def fates(answer: Any) -> dict[str, Fate]:
    """What became of each file."""
    return {os.path.basename(one.item.path): one.fate for one in answer.done}


def test_what_is_missing_is_there_afterwards(trees: tuple[Path, Path]) -> None:
    """A scan calls it present by identical bytes, and a second import has nothing to do."""
    hay, needles = trees
    before = files_below(needles)
    answer = import_(hay, needles, hay / "in")
    assert {"b.txt": Fate.IMPORTED, "c.txt": Fate.IMPORTED} == fates(answer)
    assert ["d.txt"] == [os.path.basename(one.path) for one in answer.plan.duplicates]
    assert {"present/identical"} == set(states(scan(hay, needles)).values())
    assert {"hay/a.txt": b"known", "hay/in/b.txt": b"new", "hay/in/sub/c.txt": b"other"} == files_below(hay)
    assert before == files_below(needles)
    assert [] == import_(hay, needles, hay / "in").done
    assert answer.is_complete


def test_pictures(tree: TreeBuilder, homes: Path) -> None:
    """By capture time, each once, the best of copies, sidecars with it; the scan afterwards needs no second look."""
    photo = pictures.photo(3, (320, 240))
    stamp = pictures.exif(captured="2013:05:06 10:11:12")
    needles = tree("old", {"x/small.jpg": photo.resize((160, 120)), "y/big.txt": b"1", "y/big.xmp": b"<x/>"})
    (needles / "y").mkdir(exist_ok=True)
    photo.save(needles / "y" / "big.jpg", quality=92, exif=stamp)
    hay = tree("hay", {"a.txt": b"known"})
    answer = import_(hay, needles, hay / "in", layout="date")
    told = {os.path.basename(one.item.path): one.target for one in answer.done}
    assert "2013/2013-05/big.jpg" == told["big.jpg"]
    assert "2013/2013-05/big.xmp" == told["big.xmp"]
    assert "small.jpg" not in told
    assert (needles / "y" / "big.jpg").read_bytes() == (hay / "in" / "2013/2013-05/big.jpg").read_bytes()
    assert {"present"} == {state.partition("/")[0] for state in states(scan(hay, needles)).values()}
    assert [] == import_(hay, needles, hay / "in", layout="date").done


def test_what_else_is_asked_for(tree: TreeBuilder, homes: Path) -> None:
    """Unreadable and similar files are left, and told, unless they are asked for."""
    hay = tree("hay", {"small.jpg": pictures.photo(4, (160, 120))})
    needles = tree("old", {"large.jpg": pictures.photo(4, (640, 480)), "broken.jpg": b"\xff\xd8\xff\xe0 no picture"})
    plan = plan_import(hay, needles, hay / "in")
    assert ({"similar": 1, "unreadable": 1}, []) == (plan.left, list(plan.items))
    for also, names in ((("better",), {"large.jpg"}), (("similar", "unreadable"), {"large.jpg", "broken.jpg"})):
        plan = plan_import(hay, needles, hay / "in", also=also)
        assert names == {item.name for item in plan.items}


def test_times_attributes_and_mode(trees: tuple[Path, Path]) -> None:
    """Kept as far as the file system does."""
    hay, needles = trees
    os.utime(needles / "b.txt", ns=(10**18, 10**18 + 7))
    has_attributes = True
    try:
        os.setxattr(needles / "b.txt", "user.rating", b"5")
    except OSError:
        has_attributes = False
    import_(hay, needles, hay / "in")
    assert 10**18 + 7 == (hay / "in/b.txt").stat().st_mtime_ns
    if has_attributes:
        assert b"5" == os.getxattr(hay / "in/b.txt", "user.rating")


def test_a_name_that_is_taken_gets_a_number(trees: tuple[Path, Path]) -> None:
    """Also where it is taken between the plan and the copy, and in the very last moment; nothing is replaced."""
    hay, needles = trees
    (hay / "in" / "sub").mkdir(parents=True)
    (hay / "in" / "b.txt").write_bytes(b"somebody's")
    plan = plan_import(hay, needles, hay / "in")
    (hay / "in" / "sub" / "C.TXT").write_bytes(b"came later")
    answer = story.carry_out(plan)
    assert {"b (2).txt", "sub/c (2).txt"} == {one.target for one in answer.done}
    found = files_below(hay)
    assert (b"somebody's", b"came later") == (found["hay/in/b.txt"], found["hay/in/sub/C.TXT"])
    assert (b"new", b"other") == (found["hay/in/b (2).txt"], found["hay/in/sub/c (2).txt"])


def test_a_name_that_is_taken_at_the_last_moment(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the name: the next number."""
    hay, needles = trees
    publish = Temporary.publish

    def late(self: Temporary, name: str) -> None:
        if name == "b.txt":
            (hay / "in" / "b.txt").write_bytes(b"somebody's")
        publish(self, name)

    monkeypatch.setattr(Temporary, "publish", late)
    answer = import_(hay, needles, hay / "in")
    assert "b (2).txt" in {one.target for one in answer.done}
    assert b"somebody's" == (hay / "in" / "b.txt").read_bytes()


def test_what_lies_there_already_is_left(trees: tuple[Path, Path]) -> None:
    """The same bytes under the name: another copy would only be in the way."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    (hay / "in").mkdir()
    (hay / "in" / "b.txt").write_bytes(b"new")
    assert {"b.txt": Fate.THERE, "c.txt": Fate.IMPORTED} == fates(story.carry_out(plan))
    assert {"b.txt", "sub"} == set(os.listdir(hay / "in"))


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"NEW"),
        lambda file: file.write_bytes(b"longer than it was"),
        lambda file: file.unlink(),
        lambda file: (file.unlink(), file.symlink_to("sub/c.txt")),
        lambda file: (file.unlink(), os.mkfifo(file)),
    ],
    ids=["other bytes", "longer", "gone", "a link", "a pipe"],
)
def test_a_needle_that_changed_since_the_plan(trees: tuple[Path, Path], change: Callable[[Path], object]) -> None:
    """Is not brought over, and the others are."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    change(needles / "b.txt")
    answer = story.carry_out(plan)
    assert {"b.txt": Fate.FAILED, "c.txt": Fate.IMPORTED} == fates(answer)
    assert {"hay/a.txt", "hay/in/sub/c.txt"} == set(files_below(hay))
    assert not answer.is_complete


def test_a_needle_that_changes_while_it_is_copied(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its copy is of no state that it ever had: removed again."""
    hay, needles = trees
    write = copying._write

    def slow(*arguments: Any) -> Any:
        done = write(*arguments)
        with (needles / "b.txt").open("r+b") as file:
            file.write(b"N")
        return done

    monkeypatch.setattr(copying, "_write", slow)
    answer = import_(hay, needles, hay / "in")
    assert (Fate.FAILED, "it changed while it was copied") == (answer.done[0].fate, answer.done[0].reason)
    assert "hay/in/b.txt" not in files_below(hay)


def test_the_identity_is_the_same_before_and_after(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Device and number too, which a listing knows nothing of."""
    hay, needles = trees
    numbers = iter(range(100))
    monkeypatch.setattr(copying, "_identity", lambda *_: (next(numbers),))
    assert {Fate.FAILED} == {one.fate for one in import_(hay, needles, hay / "in").done}
    assert ["hay/a.txt"] == list(files_below(hay))


def test_a_disk_that_gives_back_other_bytes(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is read back from the disk, and is none then."""
    hay, needles = trees
    read_back = copying._read_back

    def rotten(target: Temporary, folder: Folder) -> Any:
        os.pwrite(target.handle, b"X", 1)
        return read_back(target, folder)

    monkeypatch.setattr(copying, "_read_back", rotten)
    answer = import_(hay, needles, hay / "in")
    assert all("read back" in (one.reason or "") for one in answer.done)
    assert ["hay/a.txt"] == list(files_below(hay))


def test_another_file_in_the_place_of_the_copy(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back is what was written, not what somebody put under its name."""
    hay, needles = trees
    read_back = copying._read_back

    def replaced(target: Temporary, folder: Folder) -> Any:
        path = hay / "in" / target.name
        if path.exists():
            path.rename(hay / "elsewhere")
            path.write_bytes(b"new")
        return read_back(target, folder)

    monkeypatch.setattr(copying, "_read_back", replaced)
    answer = import_(hay, needles, hay / "in")
    assert Fate.FAILED is answer.done[0].fate
    assert "hay/in/b.txt" not in files_below(hay)


@pytest.mark.parametrize("name", ["_write", "_set_times", "_read_back"])
def test_a_full_disk(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """At any moment: nothing half done, the rest is not begun, and the same command goes on when there is room."""
    hay, needles = trees
    with monkeypatch.context() as broken:
        broken.setattr(copying, name, full)
        answer = import_(hay, needles, hay / "in")
    assert {Fate.NOT_DONE} == set(fates(answer).values())
    assert ["hay/a.txt"] == list(files_below(hay))
    assert answer.has_done_nothing
    assert import_(hay, needles, hay / "in").is_complete


def full(*_: object, **__: object) -> None:
    """Fail as a full disk does."""
    raise copying._cannot_write(OSError(errno.ENOSPC, "No space left on device"))


def test_room_is_asked_for_before(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun that cannot be finished."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    monkeypatch.setattr(story, "free_bytes", lambda _: 3)
    with pytest.raises(ActingError, match="8 bytes are to be written, and 3 are free"):
        story.carry_out(plan)
    assert ["hay/a.txt"] == list(files_below(hay))


def test_a_link_below_the_destination(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Leads nowhere: what would land elsewhere is not brought over."""
    hay, needles = trees
    outside = tmp_path / "outside"
    outside.mkdir()
    (hay / "in").mkdir()
    (hay / "in" / "sub").symlink_to(outside)
    answer = import_(hay, needles, hay / "in")
    assert {"b.txt": Fate.IMPORTED, "c.txt": Fate.FAILED} == fates(answer)
    assert [] == os.listdir(outside)


def test_a_destination_that_is_replaced(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Unplugged, moved, or another one in its place: no further file is begun, and nothing lands in the other one."""
    hay, needles = trees
    (hay / "in").mkdir()

    def replace() -> None:
        (hay / "in").rename(hay / "moved")
        (hay / "in").mkdir()

    swap = once(replace)
    copy = importing.copy

    def copied(*arguments: Any) -> Any:
        swap()
        return copy(*arguments)

    monkeypatch.setattr(importing, "copy", copied)
    answer = import_(hay, needles, hay / "in")
    assert {"b.txt": Fate.IMPORTED, "c.txt": Fate.NOT_DONE} == fates(answer)
    assert "replaced" in (answer.done[-1].reason or "")
    assert ({"b.txt"}, set()) == (set(os.listdir(hay / "moved")), set(os.listdir(hay / "in")))


def test_a_link_to_the_destination_that_is_turned(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder above the destination that becomes a link leads nowhere else."""
    hay, needles = trees
    (hay / "deep" / "in").mkdir(parents=True)
    plan = plan_import(hay, needles, hay / "deep" / "in")
    (tmp_path / "outside" / "in").mkdir(parents=True)
    (hay / "deep").rename(hay / "was")
    (hay / "deep").symlink_to(tmp_path / "outside")
    with pytest.raises(ActingError, match="nothing was imported"):
        story.carry_out(plan)
    assert [] == os.listdir(tmp_path / "outside" / "in")


def test_a_destination_that_cannot_be_made(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was done, so that nobody is told to take it back."""

    def refuse(_folder: Folder, _name: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    monkeypatch.setattr(Folder, "make", refuse)
    with pytest.raises(ActingError, match=r"in: permission denied; nothing was imported$"):
        story.carry_out(plan)


def test_a_journal_that_cannot_be_written(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be noted down is not done: no file gets its name."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    add = importing.Journal.add

    def broken(self: Any, step: int, **facts: Any) -> None:
        if "name" in facts:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, step, **facts)

    monkeypatch.setattr(importing.Journal, "add", broken)
    answer = story.carry_out(plan)
    assert {Fate.NOT_DONE} == {one.fate for one in answer.done}
    assert ["hay/a.txt"] == list(files_below(hay))


def test_each_name_is_noted_down_before_it_is_given(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an undo finds what a kill has left."""
    hay, needles = trees
    noted = []
    publish = Temporary.publish

    def look(self: Temporary, name: str) -> None:
        noted.append([step for step in records() if step.get("name") == name and "digest" in step])
        publish(self, name)

    monkeypatch.setattr(Temporary, "publish", look)
    import_(hay, needles, hay / "in")
    assert [1, 1] == [len(steps) for steps in noted]


@pytest.mark.parametrize(("place", "reason"), [("/old/x", "lies in the needles"), ("/", "lies in the destination")])
def test_a_destination_is_known_through_another_mount(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch, place: str, reason: str
) -> None:
    """Of a mount that shows a folder of the needles, or what is around them, only its place tells."""
    hay, needles, to = tree("hay", {"a": b"one"}), tree("old", {"x/a": b"one"}), tree("to", {"other": b""})
    shown = {hay: "/hay", needles: "/old", to: "/elsewhere"}
    play(monkeypatch, homes / "mounts", {folder: Played("ext4", inner=inner) for folder, inner in shown.items()})
    import_(hay, needles, to)
    play(monkeypatch, homes / "mounts", {f: Played("ext4", inner=i) for f, i in (shown | {to: place}).items()})
    with pytest.raises(SettingsError, match=reason):
        import_(hay, needles, to)


@pytest.mark.parametrize(
    ("to", "needles", "reason"),
    [
        ("old/in", ["old"], "lies in the needles old"),
        ("old", ["old"], "lies in the needles old"),
        ("hay", ["hay/sub"], "lies in the destination hay"),
        ("around", ["around/old"], "lies in the destination around"),
        ("hay/.hidden", ["old"], "no scan trusts"),
        ("hay/Foo Previews.lrdata", ["old"], "previews of Lightroom"),
        ("Foo Previews.lrdata", ["old"], "previews of Lightroom"),
        ("hay/a.txt", ["old"], "not a folder"),
        ("hay/no/in", ["old"], "no folder that it could be made in"),
    ],
)
def test_destinations_that_are_none(
    trees: tuple[Path, Path], tree: TreeBuilder, tmp_path: Path, to: str, needles: list[str], reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Needles in the destination, and the reverse, would be both; what no scan trusts would be missing for ever."""
    tree("hay/sub", {"x": b"1"})
    tree("around/old", {"x": b"1"})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=reason):
        story.import_settings(to, ["hay"], needles=needles, no_cache=True)


def test_the_destination_becomes_a_haystack(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Where it lies in none: a second import finds what the first one brought."""
    hay, needles = trees
    assert import_(hay, needles, tmp_path / "new").is_complete
    assert [] == list(plan_import(hay, needles, tmp_path / "new").items)


def test_a_haystack_that_is_read_only_is_only_read(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Nothing is written but at the destination."""
    hay, needles = trees
    before = {path: listing.state_of(path.stat()) for folder in (hay, needles) for path in (folder, *folder.rglob("*"))}
    import_(hay, needles, tmp_path / "new")
    assert before == {path: listing.state_of(path.stat()) for path in before}


def test_archives(tree: TreeBuilder, homes: Path) -> None:
    """What is in them is brought over as files."""
    hay = tree("hay", {"a.txt": b"known"})
    packed = {"a.txt": b"known", "in/b.txt": b"new"}
    needles = tree("old", {"old.zip": zipped(packed), "x/old.tar.gz": tarred({**packed, "c.txt": b"more"}, "gz")})
    import_(hay, needles, hay / "in")
    assert {
        "hay/a.txt": b"known",
        "hay/in/old.zip/in/b.txt": b"new",
        "hay/in/x/old.tar.gz/c.txt": b"more",
    } == files_below(hay)


def test_an_archive_that_is_named(tree: TreeBuilder, homes: Path) -> None:
    """As needles itself."""
    hay = tree("hay", {"a.txt": b"known"})
    needles = tree("old", {"old.zip": zipped({"a.txt": b"known", "in/b.txt": b"new"})})
    import_(hay, needles / "old.zip", hay / "in")
    assert b"new" in files_below(hay / "in").values()
    assert [] == import_(hay, needles / "old.zip", hay / "in").done


@pytest.mark.parametrize("whose", ["needles", "destination"])
def test_a_drive_that_vanishes(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    """While it is read or written: nothing half is left, and when it is back the same command goes on."""
    hay, needles = trees
    gone = OSError(errno.ENODEV, "No such device")

    def unplugged(*_: object) -> None:
        raise copying._cannot_write(gone) if whose == "destination" else gone

    with monkeypatch.context() as drive:
        drive.setattr(copying, "_write", unplugged)
        answer = import_(hay, needles, hay / "in")
    assert {Fate.FAILED if whose == "needles" else Fate.NOT_DONE} == set(fates(answer).values())
    assert (True, ["hay/a.txt"]) == (answer.has_done_nothing, list(files_below(hay)))
    assert import_(hay, needles, hay / "in").is_complete


def test_folders_that_no_scan_trusts(tree: TreeBuilder, homes: Path) -> None:
    """Are brought over under names that it does: else all would be missing again."""
    hay = tree("hay", {"a.txt": b"known"})
    needles = tree("old", {".hidden/b.txt": b"1", "Trash/c.txt": b"2", "A.photoslibrary/originals/d.txt": b"3"})
    import_(hay, needles, hay / "in")
    assert {"present/identical"} == set(states(scan(hay, needles)).values())
    assert [] == import_(hay, needles, hay / "in").done


def test_folders_that_a_photo_manager_fills(tree: TreeBuilder, homes: Path) -> None:
    """Are renamed too, by their names and by marks that come with them or lie there."""
    hay = tree("hay", {"a.txt": b"known", "in/.ppstorage": b"x", "in/cache/z.txt": b"z"})
    uuid = "0a1b2c3d-0000-4000-8000-000000000000"
    needles = tree(
        "old",
        {
            "Cat Previews.lrdata/b.jpg": pictures.photo(1), "@__thumb/c.txt": b"2",
            f"0a/1b/{uuid}-preview.jpeg": pictures.photo(2),
            "0a/1b/beside.txt": b"4", "pp/config/c.yml": b"5", "pp/cache/thumbnails/d.txt": b"6",
            "pp/sidecar/g.yml": b"9",
            "cache/e.txt": b"7", "album/thumbs/f.txt": b"8",
        },
    )  # fmt: skip
    answer = import_(hay, needles, hay / "in")
    assert {"present/identical"} == set(states(scan(hay, needles)).values())
    told = {os.path.basename(one.item.path): one.target for one in answer.done}
    assert ("album/thumbs/f.txt", "pp/cache files/thumbnails/d.txt") == (told["f.txt"], told["d.txt"])
    assert ("0a/1b files/beside.txt", f"0a/1b files/{uuid}-preview.jpeg") == (
        told["beside.txt"],
        told[f"{uuid}-preview.jpeg"],
    )
    assert [] == import_(hay, needles, hay / "in").done


def test_what_a_killed_run_has_left(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary file, that no scan trusts, and that the next run removes: by the journal of a run that is over."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    with monkeypatch.context() as broken:
        broken.setattr(importing, "copy", _die)
        broken.setattr(Temporary, "close", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            story.carry_out(plan)
    (left,) = os.listdir(hay / "in")
    assert places.is_temporary_name(left)
    (hay / "in" / left).write_bytes(b"new")
    assert "missing" == states(scan(hay, needles))["b.txt"]
    somebody = hay / "in" / places.temporary_name()
    somebody.write_bytes(b"not ours")
    answer = import_(hay, needles, hay / "in")
    assert (1, True) == (answer.left_overs, answer.is_complete)
    assert not (hay / "in" / left).exists()
    assert b"not ours" == somebody.read_bytes()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_left_overs_of_a_run_that_goes_on_stay(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are its own."""
    hay, needles = trees
    test_plan = plan_import(hay, needles, hay / "in")
    name = places.temporary_name()
    other = importing.Journal.create("import", {"real": str(hay / "in")})
    other.begin("copy", folder=[], temporary=name)
    (hay / "in").mkdir()
    (hay / "in" / name).write_bytes(b"half")
    assert 0 == story.carry_out(test_plan).left_overs
    assert (hay / "in" / name).exists()
    other.close()


def test_stopping(trees: tuple[Path, Path]) -> None:
    """After the current file; the same command goes on."""
    hay, needles = trees
    plan = plan_import(hay, needles, hay / "in")
    asked = iter([None, 2, 2, 2])
    answer = story.carry_out(plan, should_stop=lambda: next(asked))
    assert ({"b.txt": Fate.IMPORTED, "c.txt": Fate.NOT_DONE}, 2) == (fates(answer), answer.stopped)
    assert {"c.txt": Fate.IMPORTED} == fates(import_(hay, needles, hay / "in"))


def test_undo(trees: tuple[Path, Path], homes: Path) -> None:
    """What was imported goes to the trash, the folders that were made go, and all is as it was."""
    hay, needles = trees
    before = files_below(hay)
    import_(hay, needles, hay / "in")
    answer = undo()
    assert answer.is_complete
    assert before == files_below(hay)
    assert not (hay / "in").exists()
    assert {b"new", b"other"} == {path.read_bytes() for path in (homes / "data" / "Trash" / "files").iterdir()}
    with pytest.raises(ActingError, match="nothing to undo"):
        undo()


@pytest.mark.parametrize(
    "change",
    [
        shutil.rmtree,
        lambda old: (old / "b.txt").unlink(),
        lambda old: (old / "b.txt").write_bytes(b"NEW"),
        lambda old: (old / "b.txt").write_bytes(b"longer"),
        lambda old: ((old / "b.txt").unlink(), os.link(old.parent / "hay/in/b.txt", old / "b.txt")),
        lambda old: ((old / "b.txt").unlink(), (old / "b.txt").symlink_to(old.parent / "hay/in/b.txt")),
    ],
    ids=["all gone", "gone", "other bytes", "other size", "the copy itself", "a link to the copy"],
)
def test_undo_leaves_the_only_copy(trees: tuple[Path, Path], change: Callable[[Path], object]) -> None:
    """Whoever has deleted the old disk after the import would find all of it in the trash."""
    hay, needles = trees
    import_(hay, needles, hay / "in")
    change(needles)
    foreseen, answer = undoing.undo(is_dry=True), undo()
    left = {file.path: file.reason for file in answer.files if not file.is_undone}
    assert left == {file.path: file.reason for file in foreseen.files if not file.is_undone}
    assert {"what it was copied from is not there any more: this may be the only copy"} == set(left.values())
    assert str(hay / "in/b.txt") in left
    assert b"new" == (hay / "in/b.txt").read_bytes()
    assert needles.exists() == (str(hay / "in/sub/c.txt") not in left)


@pytest.mark.parametrize("is_there", [True, False])
def test_undo_of_what_came_from_an_archive(tree: TreeBuilder, homes: Path, is_there: bool) -> None:
    """It stays where the archive is not there, or was changed."""
    hay, needles = tree("hay", {"a.txt": b"known"}), tree("old", {"old.zip": zipped({"in/b.txt": b"new"})})
    import_(hay, needles, hay / "in")
    if not is_there:
        (needles / "old.zip").write_bytes(zipped({"in/b.txt": b"NEW"}))
    assert is_there == undo().is_complete
    assert is_there == (b"new" not in contents(hay))


def test_undo_of_a_journal_that_knows_no_origin(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an older version: by the path that was told."""
    hay, needles = trees
    with monkeypatch.context() as patch:
        patch.setattr("dupfind.acting.importing._origin", lambda _: {})
        import_(hay, needles, hay / "in")
    (needles / "b.txt").unlink()
    assert [False, True] == [file.is_undone for file in undo().files]


def test_undo_leaves_what_a_clean_rests_on(trees: tuple[Path, Path], homes: Path) -> None:
    """Else both would lie in the trash, and whoever empties it has neither."""
    hay, needles = trees
    journal = import_(hay, needles, hay / "in").journal
    clean(hay, needles)
    assert not needles.exists()
    answer = undo(journal)
    assert {"what a later clean moved away rests on it: undo that first"} == {file.reason for file in answer.files}
    assert {"hay/in/b.txt", "hay/in/sub/c.txt"} <= set(files_below(hay))
    assert undo().is_complete  # the clean
    assert undo(journal).is_complete
    assert {"hay/a.txt": b"known"} == files_below(hay)


@pytest.mark.parametrize("journal_lies", ["there", "elsewhere", "nowhere"])
def test_undo_knows_of_a_clean_whose_journal_lies_elsewhere(
    trees: tuple[Path, Path], homes: Path, tmp_path: Path, journal_lies: str
) -> None:
    """Where ``--journal FILE`` has put it; and where it cannot be read, nobody knows what rests on the import."""
    hay, needles = trees
    journal = import_(hay, needles, hay / "in").journal
    own = tmp_path / "own.journal"
    carry_out_clean(plan_clean(hay, needles), journal=str(own))
    if journal_lies == "there":
        assert {"what a later clean moved away rests on it: undo that first"} == {
            file.reason for file in undo(journal).files
        }
    else:
        moved = own.rename(tmp_path / "b.journal")
        if journal_lies == "nowhere":
            own.write_bytes(b"something else")
            own.chmod(0o600)
        with pytest.raises(ActingError, match=r"own.journal of a clean cannot be read"):
            undo(journal)
        moved.replace(own)
    assert {"hay/in/b.txt", "hay/in/sub/c.txt"} <= set(files_below(hay))
    assert undo(str(own)).is_complete
    own.unlink()
    assert undo(journal).is_complete


@pytest.mark.parametrize("how", ["garbage", "empty", "open to others"])
def test_undo_knows_of_a_clean_whose_journal_cannot_be_read(trees: tuple[Path, Path], how: str) -> None:
    """Nobody knows what rests on the import then; and it is told."""
    hay, needles = trees
    import_(hay, needles, hay / "in")
    own = clean(hay, needles).journal
    assert own is not None
    content, mode = Path(own).read_bytes(), 0o666 if how == "open to others" else 0o600
    Path(own).write_bytes({"garbage": b"\0" * 100, "empty": b""}.get(how, content))
    Path(own).chmod(mode)
    for is_dry in (True, False):
        with pytest.raises(ActingError, match="of a clean cannot be read"):
            undoing.undo(is_dry=is_dry)
    assert {"hay/in/b.txt", "hay/in/sub/c.txt"} <= set(files_below(hay))
    assert [own] == undoing.list_journals().unreadable
    Path(own).write_bytes(content)
    Path(own).chmod(0o600)
    assert undo().command == "clean"
    assert undo().is_complete


def test_undo_of_a_clean_tells_of_one_that_cannot_be_read(tree: TreeBuilder, homes: Path) -> None:
    """The run before is taken back, which throws nothing away."""
    hay = tree("hay", {"a.txt": b"known"})
    clean(hay, tree("old", {"x/a.txt": b"known", "b.txt": b"only"}))
    own = clean(hay, tree("more", {"x/a.txt": b"known", "b.txt": b"only"})).journal
    assert own is not None
    Path(own).chmod(0o666)
    answer = undo()
    assert answer.is_complete
    assert [f"{own}: the journal of a clean, which cannot be read"] == answer.notes
    with pytest.raises(ActingError, match=r"nothing to undo.*of a clean, cannot be read"):
        undo()


def by_other_ways(homes: Path, change: Callable[[str], str]) -> None:
    """Have the journal of the last clean name its witnesses in another way."""
    path = Path(next(journals.journals()).path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line.update({"witnesses": [change(way) for way in line["witnesses"]]} if "witnesses" in line else {})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("way", ["a link", "nowhere", "another mount"])
def test_undo_knows_what_a_clean_rests_on_by_any_path(
    trees: tuple[Path, Path], homes: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way the witness was reached; and where it cannot be looked at."""
    hay, needles = trees
    journal = import_(hay, needles, hay / "in").journal
    clean(hay, needles)
    shutil.copytree(needles.parent / "hay/in", needles)  # so that what was copied is there
    for number, path in enumerate(sorted((hay / "in").rglob("*.txt"))):
        if way == "a link":
            os.link(path, homes / f"{number}{path.name}")
        elif way == "another mount":
            shutil.copy2(path, homes / f"{number}{path.name}")
    if way == "another mount":
        monkeypatch.setattr("dupfind.acting.undoing.SameFile.is_itself", lambda *_: True)
    ways = {"b.txt": homes / "0b.txt", "c.txt": homes / "1c.txt"}
    by_other_ways(homes, lambda path: str(ways.get(os.path.basename(path), path)))
    reasons = {file.reason or "" for file in undo(journal).files}
    text = (
        "what a later clean moved away may rest on it, since"
        if way == "nowhere"
        else "what a later clean moved away rests on it"
    )
    assert all(reason.startswith(text) for reason in reasons)
    assert {"hay/in/b.txt", "hay/in/sub/c.txt"} <= set(files_below(hay))


def test_a_clean_before_the_import_does_not_rest_on_it(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its witness is gone by now."""
    hay = tree("hay", {"a.txt": b"known"})
    clean(hay, tree("old", {"x/a.txt": b"known", "b.txt": b"only"}))
    before = Path(next(journals.journals()).path)
    before.write_text(re.sub(r'"started":"20\d\d', '"started":"1999', before.read_text()))
    journal = import_(hay, homes / "old", hay / "in").journal
    (hay / "a.txt").unlink()
    assert undo(journal).is_complete


def test_undo_goes_on_where_something_is_gone_for_ever(trees: tuple[Path, Path]) -> None:
    """A copy that was deleted, or its folder, keeps nobody from taking back the run before."""
    hay, needles = trees
    import_(hay, needles / "sub", hay / "in")
    (needles / "e.txt").write_bytes(b"one more")
    import_(hay, needles, hay / "in")
    (hay / "in" / "e.txt").unlink()
    assert undo().has_done_nothing
    assert undo().is_complete
    assert {"hay/a.txt": b"known"} == files_below(hay)


def test_undo_goes_on_where_the_destination_is_gone(tree: TreeBuilder, homes: Path) -> None:
    """The whole of it was deleted: there is nothing that could be taken back."""
    hay, needles = tree("hay", {"a.txt": b"known"}), tree("old", {"b.txt": b"new"})
    first = import_(hay, needles, hay / "in").journal
    import_(tree("hay2", {"a.txt": b"known"}), needles, homes / "hay2/in")
    shutil.rmtree(homes / "hay2/in")
    answer = undo()
    assert ({"it is not there any more"}, first) == ({file.reason for file in answer.files}, answer.earlier)
    assert (True, first) == ((again := undo()).is_complete, again.journal)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"edited"),
        lambda file: (file.write_bytes(b"NEW"), os.utime(file, ns=(10**18, 10**18))),
        lambda file: os.utime(file, ns=(5, 5)),
        lambda file: (file.unlink(), file.symlink_to("x")),
        lambda file: file.unlink(),
    ],
    ids=["edited", "other bytes", "another time", "a link", "gone"],
)
def test_undo_leaves_what_was_changed(trees: tuple[Path, Path], change: Callable[[Path], object]) -> None:
    """Somebody may have worked on it; the others are taken back, and it can be run again."""
    hay, needles = trees
    os.utime(needles / "b.txt", ns=(10**18, 10**18))
    import_(hay, needles, hay / "in")
    change(hay / "in" / "b.txt")
    left = os.path.lexists(hay / "in" / "b.txt")
    answer = undo()
    assert [False, True] == [file.is_undone for file in answer.files]
    assert left == os.path.lexists(hay / "in" / "b.txt")
    assert not (hay / "in" / "sub").exists()
    again = undo(answer.journal)
    assert (1, 1) == (again.before, len(again.files))
