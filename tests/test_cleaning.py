"""Cleans: what goes is proved while it is held open, a folder goes whole or stays whole, nothing is ever deleted."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dupfind.acting import cleaning, places
from dupfind.acting.cleaning import Cleaner
from dupfind.acting.held import HeldEntry
from dupfind.acting.journal import Journal, state_folder
from dupfind.acting.listing import NotListedError, list_folder
from dupfind.acting.places import Folder
from dupfind.acting.targets import ToFolder
from dupfind.answers.clean import Cleaned, CleanPlan, Fate
from dupfind.commands import cleaning as story
from dupfind.commands import undoing
from dupfind.errors import ActingError, NoProcessError, SettingsError
from dupfind.matching import reverify
from dupfind.report import Screen
from dupfind.report import clean as report
from dupfind.settings import Format, Settings
from dupfind.sources.entries import ChangedError, entry_of
from dupfind.sources.mounts import Mount, Mounts
from dupfind.sources.same_file import SameFile
from fixtures import pictures
from tests.helpers.acting import (
    carry_out_clean,
    clean,
    contents,
    files_below,
    once,
    plan_clean,
    records,
    undo,
)
from tests.helpers.archives import tarred, zipped
from tests.helpers.places import SECOND_DEVICE
from tests.helpers.played_mounts import Played, play
from tests.helpers.scans import one_thread
from tests.helpers.shelf import TreeBuilder
from tests.helpers.steps import KILLED, killed_in_step


@pytest.fixture
def trees(tree: TreeBuilder, homes: Path) -> tuple[Path, Path]:
    """A haystack, and needles with a contained folder beside one that is not."""
    hay = tree("hay", {"a.txt": b"one", "b.txt": b"two", "c.txt": b"three"})
    needles = tree(
        "old",
        {
            "gone/a.txt": b"one", "gone/sub/b.txt": b"two", "gone/.DS_Store": b"", "gone/sub/empty.txt": b"",
            "stays/c.txt": b"three", "stays/d.txt": b"nowhere else",
        },
    )  # fmt: skip
    (needles / "gone" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(100))
    return hay, needles


def reasons(answer: Cleaned) -> list[str]:
    """Why units stay."""
    return [one.reason or "" for one in answer.gone if one.fate is not Fate.MOVED]


def test_what_is_contained_goes(trees: tuple[Path, Path], homes: Path) -> None:
    """With its junk and its empty files, to the trash, and nothing else does; an undo puts all of it back."""
    hay, needles = trees
    (needles / "gone" / "sub").chmod(0o750)
    os.utime(needles / "gone" / "sub", ns=(10**18, 10**18))
    before, all_before = files_below(hay, needles), contents(homes)
    answer = clean(hay, needles)
    assert ([Fate.MOVED], True) == ([one.fate for one in answer.gone], answer.is_complete)
    assert {"old/stays/c.txt", "old/stays/d.txt"} == set(files_below(needles))
    assert not (needles / "gone").exists()
    trash = homes / "data" / "Trash"
    found = files_below(trash / "files")
    assert {"files/gone/a.txt", "files/gone/sub/b.txt", "files/gone/.DS_Store", "files/gone/sub/empty.txt"} == set(
        found
    )
    assert f"Path={needles}/gone\n" in (trash / "info" / "gone.trashinfo").read_text()
    assert (0o750, 10**18) == (
        (trash / "files/gone/sub").stat().st_mode & 0o777,
        (trash / "files/gone/sub").stat().st_mtime_ns,
    )
    assert all_before <= contents(homes)
    back = undo()
    assert back.is_complete
    assert before == files_below(hay, needles)
    assert (0o750, 10**18) == ((needles / "gone/sub").stat().st_mode & 0o777, (needles / "gone/sub").stat().st_mtime_ns)
    assert [] == [*(trash / "files").iterdir(), *(trash / "info").iterdir()]


def test_a_plan_changes_nothing(trees: tuple[Path, Path], homes: Path) -> None:
    """And says what could go, and why the rest stays."""
    hay, needles = trees
    before = files_below(hay, needles)
    plan, _ = plan_clean(hay, needles)
    assert [(str(needles / "gone"), 4, 2)] == [(unit.path, len(unit.things), unit.proved) for unit in plan.units]
    assert [(str(needles / "stays"), "partial: 1 missing")] == [tuple(left) for left in plan.left]
    assert before == files_below(hay, needles)
    assert not (homes / "state").exists()


def test_single_files(trees: tuple[Path, Path]) -> None:
    """With --files each goes by itself, and its folder stays."""
    hay, needles = trees
    answer = clean(hay, needles, are_files=True)
    assert 3 == len(answer.moved)
    assert {"old/gone/.DS_Store", "old/gone/sub/empty.txt", "old/stays/d.txt"} == set(files_below(needles))
    assert undo().is_complete


def test_another_folder(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Each root gets a new folder there, in which all lies as it lay; nothing that is there is touched."""
    hay, needles = trees
    to = tmp_path / "away"
    (to / "old").mkdir(parents=True)
    (to / "old" / "photo").write_bytes(b"somebody's")
    before = files_below(needles)
    answer = clean(hay, needles, to=to)
    assert [str(to / "old (2)" / "gone")] == [one.target for one in answer.gone]
    assert {"old/photo", "old (2)/gone/a.txt", "old (2)/gone/sub/b.txt", "old (2)/gone/.DS_Store",
            "old (2)/gone/sub/empty.txt"} == {path.partition("/")[2] for path in files_below(to)}  # fmt: skip
    assert undo().is_complete
    assert before == files_below(needles)
    assert ["old"] == os.listdir(to)


def test_a_whole_root(tree: TreeBuilder, homes: Path, tmp_path: Path) -> None:
    """Is a folder like any other."""
    hay, needles = tree("hay", {"a": b"1"}), tree("old", {"x/a": b"1"})
    (tmp_path / "away").mkdir()
    clean(hay, needles, to=tmp_path / "away")
    assert {"away/old/x/a": b"1"} == files_below(tmp_path / "away")
    assert not needles.exists()
    assert undo().is_complete
    assert {"old/x/a": b"1"} == files_below(needles)


@pytest.mark.slow
def test_pictures(tree: TreeBuilder, homes: Path) -> None:
    """The same picture in another quality, and the same image data with other metadata, are decoded again."""
    photo = pictures.photo(5, (480, 360))
    hay = tree("hay", {"a.txt": b"1"})
    needles = tree("old", {"b.txt": b"2"})
    (needles / "b.txt").unlink()
    photo.save(hay / "a.jpg", quality=95)
    photo.save(needles / "a.jpg", quality=80)
    other = pictures.photo(6, (480, 360))
    other.save(hay / "b.jpg", quality=90)
    other.save(needles / "b.jpg", quality=90, exif=pictures.exif(captured="2013:05:06 10:11:12"))
    answer = clean(hay, needles)
    assert [Fate.MOVED] == [one.fate for one in answer.gone]
    assert undo().is_complete


def test_archives(tree: TreeBuilder, homes: Path) -> None:
    """One whose files are all in the haystack goes as the file that it is."""
    hay = tree("hay", {"a": b"one", "b": b"two"})
    packed = {"a": b"one", "in/b": b"two"}
    needles = tree(
        "old",
        {"x/y.zip": zipped(packed), "y/y.tar.gz": tarred(packed, "gz"), "z.zip": zipped({"a": b"one", "c": b"3"})},
    )
    answer = clean(hay, needles)
    assert [Fate.MOVED, Fate.MOVED] == [one.fate for one in answer.gone]
    assert ["old/z.zip"] == list(files_below(needles))
    assert undo().is_complete


def test_an_archive_of_which_something_was_skipped_stays(tree: TreeBuilder, homes: Path) -> None:
    """Nobody has looked at what is excluded: with --files too it goes only where a scan calls it contained."""
    hay = tree("hay", {"a": b"one", "b": b"two"})
    whole, partly = {"a": b"one", "in/b": b"two"}, {"a": b"one", "diary.doc": b"nowhere else"}
    needles = tree(
        "old", {"whole.zip": zipped(whole), "partly.zip": zipped(partly), "partly.tar": tarred(partly), "x/n.txt": b"n"}
    )
    answer = clean(hay, needles, are_files=True, exclude=["*.doc"])
    assert ["whole.zip"] == [os.path.basename(one.unit.path) for one in answer.moved]
    assert {"old/partly.zip", "old/partly.tar", "old/x/n.txt"} == set(files_below(needles))
    assert {"partial: 1 skipped", "missing"} == {left.reason for left in answer.plan.left}


def linked(file: Path, to: Path) -> None:
    """A link comes in the place of a file."""
    file.unlink()
    file.symlink_to(to)


def moved_behind_a_link(folder: Path, to: Path) -> None:
    """A folder is moved, and a link to it left in its place."""
    folder.rename(to)
    folder.symlink_to(to)


def piped(file: Path) -> None:
    """A pipe comes in the place of a file."""
    file.unlink()
    os.mkfifo(file)


def hard_linked(file: Path, to: Path) -> None:
    """A hard link of another file comes in the place of a file."""
    file.unlink()
    os.link(to, file)


B = "gone/sub/b.txt"
SEAMS: dict[str, Callable[[Path, Path], object]] = {
    "needle edited": lambda hay, old: (old / B).write_bytes(b"TWO"),
    "needle longer": lambda hay, old: (old / B).write_bytes(b"two and more"),
    "needle touched": lambda hay, old: os.utime(old / B, ns=(5, 5)),
    "needle gone": lambda hay, old: (old / B).unlink(),
    "needle a link": lambda hay, old: linked(old / B, hay / "b.txt"),
    "needle a pipe": lambda hay, old: piped(old / B),
    "witness edited": lambda hay, old: (hay / "b.txt").write_bytes(b"TWO"),
    "witness touched": lambda hay, old: os.utime(hay / "b.txt", ns=(5, 5)),
    "witness gone": lambda hay, old: (hay / "b.txt").unlink(),
    "witness a link": lambda hay, old: linked(hay / "b.txt", old / B),
    "witness linked to the needle": lambda hay, old: hard_linked(hay / "b.txt", old / B),
    "folder of the witness a link": lambda hay, old: moved_behind_a_link(hay, hay.with_name("was")),
    "something came": lambda hay, old: (old / "gone/sub/new.jpg").write_bytes(b"a photo"),
    "junk came": lambda hay, old: (old / "gone/sub/.nomedia").write_bytes(b""),
    "a folder came": lambda hay, old: (old / "gone/sub/new").mkdir(),
    "the folder is a link": lambda hay, old: moved_behind_a_link(old / "gone", old / "was"),
    "an inner folder is a link": lambda hay, old: moved_behind_a_link(old / "gone/sub", old / "was"),
    "an empty file is no longer": lambda hay, old: (old / "gone/sub/empty.txt").write_bytes(b"text"),
    "junk edited": lambda hay, old: (old / "gone/.DS_Store").write_bytes(b"a photo"),
}
Change = Callable[[Path, Path], object]


@pytest.mark.slow
@pytest.mark.parametrize("change", SEAMS.values(), ids=SEAMS)
def test_what_changes_between_the_plan_and_the_move(trees: tuple[Path, Path], homes: Path, change: Change) -> None:
    """Whatever it is, the folder stays whole, and nothing is lost."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    change(hay, needles)
    before, names = contents(homes), sorted(os.walk(needles))
    answer = carry_out_clean(plan)
    assert [Fate.REFUSED] == [one.fate for one in answer.gone]
    assert before == contents(homes)
    assert [walked[:1] for walked in names] == [walked[:1] for walked in sorted(os.walk(needles))]
    assert [set(walked[2]) for walked in names] == [set(walked[2]) for walked in sorted(os.walk(needles))]


IN_THE_FOLDER = [name for name in SEAMS if name.startswith(("needle", "witness", "an empty", "junk edited"))]


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_THE_FOLDER)
def test_what_changes_after_the_first_move(
    trees: tuple[Path, Path], homes: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What has moved of the folder by then is moved back."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    move = Cleaner._move
    late: list[Callable[..., None]] = [once(lambda: SEAMS[name](hay, needles))]
    seen: dict[str, Any] = {}

    def moved(self: Any, *arguments: Any) -> int:
        number = move(self, *arguments)
        late[0]()
        seen.setdefault("before", contents(homes))
        return number

    monkeypatch.setattr(Cleaner, "_move", moved)
    answer = carry_out_clean(plan)
    assert [Fate.REFUSED] == [one.fate for one in answer.gone]
    assert (needles / "gone" / "a.txt").read_bytes() == b"one"
    assert seen["before"] == contents(homes)
    assert [] == list((homes / "data" / "Trash" / "files").iterdir())


@pytest.mark.parametrize("whose", ["needle", "witness"])
@pytest.mark.parametrize("when", ["while it is proved", "after it was proved"])
def test_what_changes_while_it_is_proved(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch, whose: str, when: str
) -> None:
    """Both are looked at before and after the proof, by what is held open and by name; nothing has moved by then."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("old", {"gone/a.txt": b"one"})
    plan = plan_clean(hay, needles)
    file = needles / "gone/a.txt" if whose == "needle" else hay / "a.txt"

    def replace() -> None:
        file.rename(file.with_name("was"))
        file.write_bytes(b"ONE")

    compare, prove, swap = reverify._is_equal, Cleaner._prove_by, once(replace)

    def compared(*arguments: Any) -> bool:
        if when == "while it is proved":
            swap()
        return compare(*arguments)

    def proved(*arguments: Any) -> None:
        prove(*arguments)
        swap()

    monkeypatch.setattr(Cleaner, "_prove_by", proved)
    monkeypatch.setattr(reverify, "_is_equal", compared)
    answer = carry_out_clean(plan)
    assert [Fate.REFUSED] == [one.fate for one in answer.gone]
    assert b"ONE" == file.read_bytes()
    assert [] == [step for step in records() if step["do"] == "move"]


def test_a_witness_that_goes_right_after_the_move(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once more; the needle is moved back."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    check = Cleaner._check_moved

    def late(self: Any, *arguments: Any) -> None:
        check(self, *arguments)
        (hay / "a.txt").unlink(missing_ok=True)

    monkeypatch.setattr(Cleaner, "_check_moved", late)
    answer = carry_out_clean(plan)
    assert "its witness" in reasons(answer)[0]
    assert "before all of it had gone" not in reasons(answer)[0]  # at once, with most of it still to go
    assert b"one" == (needles / "gone/a.txt").read_bytes()


def test_another_file_at_the_new_place(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in the place of the needle in the last moment is moved back, and nothing else is touched."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    rename = cleaning.rename

    def replace() -> None:
        (needles / "gone/a.txt").rename(needles / "was")
        (needles / "gone/a.txt").write_bytes(b"a photo")

    swap = once(replace)

    def late(*arguments: Any) -> None:
        swap()
        rename(*arguments)

    monkeypatch.setattr(cleaning, "rename", late)
    answer = carry_out_clean(plan)
    assert "another file came in its place" in reasons(answer)[0]
    assert (b"a photo", b"one") == ((needles / "gone/a.txt").read_bytes(), (needles / "was").read_bytes())


def test_hard_links_of_the_witness_stay(tree: TreeBuilder, homes: Path) -> None:
    """They save nothing: whoever edits the one edits the other."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("old", {"x/b.txt": b"2"})
    (needles / "x/b.txt").unlink()
    os.link(hay / "a.txt", needles / "x" / "b.txt")
    plan, _ = plan_clean(hay, needles)
    assert ([], "hard link of its witness") == (
        list(plan.units),
        plan.left[0].reason[-len("hard link of its witness") :],
    )


def test_hard_links_among_the_needles_go_together(tree: TreeBuilder, homes: Path) -> None:
    """Moving the one sets the time of change of the other."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("old", {"x/b.txt": b"one"})
    os.link(needles / "x/b.txt", needles / "x" / "c.txt")
    assert clean(hay, needles).is_complete
    assert undo().is_complete


def test_what_was_moved_proves_nothing(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that has become a link of what went is none, whatever the plan says."""
    hay, needles = trees
    plan = plan_clean(hay, needles, are_files=True)
    cleaners: list[Cleaner] = []
    unit = Cleaner._clean

    def note(self: Cleaner, *arguments: Any) -> Any:
        found = os.stat(hay / "b.txt")
        self._moved[found.st_dev, found.st_ino] = 0
        cleaners.append(self)
        return unit(self, *arguments)

    monkeypatch.setattr(Cleaner, "_clean", note)
    answer = carry_out_clean(plan)
    assert ["has been moved in this run"] == [reason[-26:] for reason in reasons(answer)]
    assert (needles / "gone/sub/b.txt").exists()


def with_witness(plan: tuple[CleanPlan, Settings], name: str, witness: Path) -> tuple[CleanPlan, Settings]:
    """A plan in which another file, as it is now, is to prove the needle of this name."""
    entry = entry_of(str(witness), witness.stat())
    things = [
        thing._replace(claims=(thing.claims[0]._replace(witnesses=(entry,)),)) if thing.below[-1] == name else thing
        for thing in plan[0].units[0].things
    ]
    return replace(plan[0], units=[plan[0].units[0]._replace(things=tuple(things))]), plan[1]


def test_what_goes_itself_is_no_witness(trees: tuple[Path, Path]) -> None:
    """Two folders that prove each other would both go."""
    hay, needles = trees
    answer = carry_out_clean(with_witness(plan_clean(hay, needles), "a.txt", needles / "gone/sub/b.txt"))
    assert "is about to go itself" in reasons(answer)[0]


def test_a_hard_link_is_no_witness(trees: tuple[Path, Path]) -> None:
    """Whatever the plan says of it."""
    hay, needles = trees
    (hay / "a.txt").unlink()
    os.link(needles / "gone/a.txt", hay / "a.txt")
    (hay / "0.txt").write_bytes(b"one")  # the first by name is the witness of the plan
    plan = plan_clean(hay, needles)
    answer = carry_out_clean(with_witness(plan, "a.txt", hay / "a.txt"))
    assert "is the same file: a hard link" in reasons(answer)[0]


def test_a_witness_in_another_state_is_not_even_read(trees: tuple[Path, Path]) -> None:
    """It has to be what was listed."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    os.utime(hay / "b.txt", ns=(5, 5))
    assert "changed since it was looked at" in reasons(carry_out_clean(plan))[0]


def test_a_file_by_another_mount_is_no_witness(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a scan, asked once more of the two that are held open."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    monkeypatch.setattr(cleaning.SameFile, "is_itself", lambda *_: True)
    answer = carry_out_clean(plan)
    assert "may be the same file" in reasons(answer)[0]


def test_a_proof_that_falls(tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only looks alike when it is read again stays."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("old", {"x/b.txt": b"one"})
    plan = plan_clean(hay, needles)
    for look in (
        reverify.Look(None, None, failure="its witness no longer has the same bytes"),
        reverify.Look(str(hay / "a.txt"), reverify.Evidence.SIMILAR),
        reverify.Look("another", reverify.Evidence.IDENTICAL),
    ):
        monkeypatch.setattr(reverify, "reverify", lambda *_, look=look: [look])
        assert [Fate.REFUSED] == [one.fate for one in carry_out_clean(plan).gone]
    assert (needles / "x/b.txt").exists()


def test_what_is_held_is_what_is_read(tmp_path: Path) -> None:
    """Whatever lies under its name, also in another process; and a change is seen."""
    import pickle

    file = tmp_path / "a"
    file.write_bytes(b"one")
    entry = entry_of(str(file), file.stat())
    with file.open("rb") as held:
        again = pickle.loads(pickle.dumps(HeldEntry.of(entry, held.fileno())))  # noqa: S301 - our own
        assert (str(file), again) == (again.path, again.now())
        file.rename(tmp_path / "b")
        file.write_bytes(b"two")
        moved = HeldEntry.of(entry_of(str(file), os.fstat(held.fileno())), held.fileno())
        with moved.open() as read:
            assert b"one" == read.read()
        (tmp_path / "b").write_bytes(b"ONE")
        with pytest.raises(ChangedError), moved.open():
            pass


def test_names_at_the_new_place_are_free(trees: tuple[Path, Path], homes: Path) -> None:
    """What lies in the trash already stays there."""
    hay, needles = trees
    files = homes / "data" / "Trash" / "files"
    files.mkdir(parents=True)
    (homes / "data" / "Trash").chmod(0o700)
    (files / "gone").write_bytes(b"thrown away before")
    answer = clean(hay, needles)
    assert [str(files / "gone 2")] == [one.target for one in answer.gone]
    assert b"thrown away before" == (files / "gone").read_bytes()


def test_long_names_go(tree: TreeBuilder, homes: Path) -> None:
    """Whole folders and single files."""
    name = "x" * 251 + ".jpg"
    hay, needles = tree("hay", {"a": b"1"}), tree("old", {f"{name}/{name}": b"1", "b": b"2"})
    for are_files in (False, True):
        assert clean(hay, needles, are_files=are_files).is_complete
        assert {"old/b"} == set(files_below(needles))
        assert undo().is_complete
        assert {f"old/{name}/{name}", "old/b"} == set(files_below(needles))


def test_what_is_in_the_trash_stays_there(tree: TreeBuilder, homes: Path) -> None:
    """Its files are needles like any other, and have gone by then."""
    hay, needles = tree("hay", {"a": b"1"}), tree("old", {"x/a": b"1"})
    clean(hay, needles)
    plan, _ = plan_clean(hay, homes / "data/Trash/files")
    assert ([], ["it lies in the trash already"]) == (list(plan.units), [left.reason for left in plan.left])


def mounted(monkeypatch: pytest.MonkeyPatch, *points: Path) -> None:
    """Have the table of mounts say that drives are mounted there, too."""
    usual = story.read_mounts()
    lines = tuple(Mount(1, "/", str(point), "ext4", "/dev/x") for point in points)
    monkeypatch.setattr(story, "read_mounts", lambda: replace(usual, lines=(*usual.lines, *lines)))


def test_a_drive_goes_folder_by_folder(tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is mounted nothing can be moved; what lies in it can."""
    packed = zipped({"a": b"1"})
    hay = tree("hay", {"a": b"1", "b": b"2"})
    card = tree("card", {"DCIM/x/a": b"1", "b": b"2", "MISC/b": b"2", "MISC/empty": b"", "empty": b"", "a.zip": packed})
    mounted(monkeypatch, card)
    plan = plan_clean(hay, card)
    assert {"DCIM", "MISC", "a.zip", "b"} == {os.path.relpath(unit.path, card) for unit in plan[0].units}
    assert [str(card / "empty")] == [left.path for left in plan[0].left]
    assert carry_out_clean(plan).is_complete
    assert {"card/empty"} == set(files_below(card))
    assert undo().is_complete
    assert {"card/DCIM/x/a", "card/b", "card/MISC/b", "card/MISC/empty", "card/empty", "card/a.zip"} == set(
        files_below(card)
    )


def test_a_drive_in_a_folder(tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts its folder: what lies beside it goes, and what lies in it, each by itself."""
    hay = tree("hay", {"a": b"1", "b": b"2"})
    old = tree("old", {"x/near/a": b"1", "x/card/DCIM/b": b"2", "x/a": b"1", "y/a": b"1", "z": b"nowhere else"})
    mounted(monkeypatch, old / "x/card")
    plan, _ = plan_clean(hay, old)
    assert {"x/near", "x/card/DCIM", "x/a", "y"} == {os.path.relpath(unit.path, old) for unit in plan.units}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_folders_keep_their_owner(trees: tuple[Path, Path], homes: Path) -> None:
    """And their attributes, in the trash and when they are made again."""
    hay, needles = trees
    os.chown(needles / "gone/sub", 12345, 54321)
    os.setxattr(needles / "gone/sub", "user.label", b"red")
    clean(hay, needles)
    assert undo().notes == []
    state = (needles / "gone/sub").stat()
    assert (12345, 54321, b"red") == (state.st_uid, state.st_gid, os.getxattr(needles / "gone/sub", "user.label"))


def test_what_folders_cannot_keep_is_told(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As who is not root cannot give them to somebody else."""
    hay, needles = trees
    os.setxattr(needles / "gone/sub", "user.label", b"red")

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "setxattr", refused)
    assert [("1 folder: extended attributes were not kept: user.label",)] == [
        gone.notes for gone in clean(hay, needles).gone
    ]
    assert [f"the folder {needles / 'gone/sub'}: extended attributes were not kept: user.label"] == list(undo().notes)


def test_the_trash_and_the_journal_stay_where_they_are(tree: TreeBuilder, homes: Path) -> None:
    """Needles may be a whole home: neither goes into itself."""
    hay = tree("hay", {"a": b"one"})
    tree("data/Trash/files/x", {"a": b"one"})
    for folder in ("data/Trash", "data/Trash/files", "data/Trash/info"):
        (homes / folder).mkdir(exist_ok=True)
        (homes / folder).chmod(0o700)
    answer = clean(hay, homes / "data")
    assert "the trash lies in it, or it lies in the trash" in reasons(answer)[0]
    needles = tree("old", {"x/a": b"one"})
    answer = carry_out_clean(plan_clean(hay, needles), journal=str(needles / "x" / "own.journal"))
    assert [Fate.REFUSED] == [one.fate for one in answer.gone]
    assert (needles / "x" / "a").exists()


def test_a_file_system_that_cannot_rename_safely(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is moved there."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    before = files_below(needles)
    monkeypatch.setattr(places, "_renameat2", lambda *_: errno.EINVAL)
    answer = carry_out_clean(plan)
    assert "without the risk" in reasons(answer)[0]
    assert before == files_below(needles)


def test_another_file_system_is_refused(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A trash is never on another one; the rename says so too. See test_transfer.py for --move-to."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    monkeypatch.setattr(places, "_renameat2", lambda *_: errno.EXDEV)
    answer = carry_out_clean(plan)
    assert "cannot be moved" in reasons(answer)[0]
    assert (needles / "gone/a.txt").exists()


def test_a_witness_that_goes_before_all_of_it_has_gone(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many files hours lie between the first and the last: all of them are moved back."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    remove = Cleaner._check_witnesses

    def late(self: Any) -> None:
        (hay / "a.txt").unlink()
        remove(self)

    monkeypatch.setattr(Cleaner, "_check_witnesses", late)
    answer = carry_out_clean(plan)
    assert "changed or went before all of it had gone" in reasons(answer)[0]
    assert b"one" == (needles / "gone/a.txt").read_bytes()


def test_what_cannot_be_moved_back_is_told_of(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it lies now, and what takes it back."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    monkeypatch.setattr(Cleaner, "_check_witnesses", lambda _: (_ for _ in ()).throw(OSError("gone")))
    monkeypatch.setattr(Cleaner, "_move_back", lambda *_: False)
    answer = carry_out_clean(plan)
    assert reasons(answer)[0].startswith("gone; not all of it could be moved back from")
    assert answer.gone[0].is_torn
    assert b"Nothing was moved" not in report.render(answer, Format.TABLE, Screen())
    assert reasons(answer)[0].split("dupfind undo ")[1].endswith(".journal")


def test_what_lies_where_it_was_is_not_called_moved(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all of it could be moved back, and only the journal could not be told."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    before = files_below(needles)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Cleaner, "_check_witnesses", fail)
    monkeypatch.setattr(Journal, "undone", fail)
    answer = carry_out_clean(plan)
    assert before == files_below(needles)
    assert reasons(answer)[0].startswith("no space left on device; all of it lies where it was")
    assert not answer.gone[0].is_torn


def test_a_journal_that_is_deleted_meanwhile(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes that could not be taken back, and nobody is told that it could."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    before = files_below(needles)
    begin = Journal.begin

    def deleted(self: Journal, do: str, **facts: Any) -> int:
        if do == "move":
            Path(self.path).unlink(missing_ok=True)
        return begin(self, do, **facts)

    monkeypatch.setattr(Journal, "begin", deleted)
    answer = carry_out_clean(plan)
    assert (before, None) == (files_below(needles), answer.journal)
    assert ["the journal cannot be written: the journal was deleted"] == reasons(answer)[:1]


def test_one_file_that_two_mounts_show_is_one_witness(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the numbers of their devices say."""
    import tempfile

    hay, needles = tree("hay", {"a": b"one"}), tree("old", {"x/a": b"one"})
    if not os.access(SECOND_DEVICE, os.W_OK) or os.stat(SECOND_DEVICE).st_dev == os.stat(hay).st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=SECOND_DEVICE) as name:
        other = Path(name) / "a"
        other.write_bytes(b"one")
        plan = plan_clean([hay, Path(name)], needles, witnesses=2)
        both = {str(hay / "a"), str(other)}
        is_itself = SameFile.is_itself

        def shown_twice(self: Any, entry: Any, needle: Any) -> bool:
            return {entry.path, needle.path} == both or is_itself(self, entry, needle)

        monkeypatch.setattr(SameFile, "is_itself", shown_twice)
        answer = carry_out_clean(plan)
    assert "its witnesses lie on 1 devices" in reasons(answer)[0]


def test_witnesses_on_several_devices(tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One disk is one witness, however many copies it holds."""
    import tempfile

    hay, needles = tree("hay", {"a": b"one", "a copy": b"one"}), tree("old", {"x/a": b"one"})
    second = tree("second", {"a": b"one"})
    with monkeypatch.context() as patched:  # and not `undo`: the homes stay the test's own
        patched.setattr(story, "read_mounts", Mounts)
        with pytest.raises(
            SettingsError, match="--witnesses 2 needs haystack folders on two devices; yours lie on one"
        ):
            plan_clean([hay, second], needles, witnesses=2)
        mounted = Mounts((Mount(1, "/", str(second / "drive"), "ext4", "/dev/x"),))
        patched.setattr(story, "read_mounts", lambda: mounted)
        plan, _ = plan_clean([hay, second], needles, witnesses=2)
    assert ([], True) == (list(plan.units), "1 of 2 devices" in plan.left[0].reason)
    if not os.access(SECOND_DEVICE, os.W_OK) or os.stat(SECOND_DEVICE).st_dev == os.stat(hay).st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=SECOND_DEVICE) as name:
        third = Path(name)
        (third / "b").write_bytes(b"one")
        plan = plan_clean([hay, third], needles, witnesses=2)
        assert [2] == [
            len(claim.witnesses) for unit in plan[0].units for thing in unit.things for claim in thing.claims
        ]
        (third / "b").write_bytes(b"two")
        assert [Fate.REFUSED] == [one.fate for one in carry_out_clean(plan).gone]
        (third / "b").write_bytes(b"one")
        assert carry_out_clean(plan_clean([hay, third], needles, witnesses=2)).is_complete


def test_a_folder_to_move_to_that_vanishes(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """While the plan is made: nothing was moved, in words."""
    hay, needles = trees
    (tmp_path / "away").mkdir()
    options = {"haystack": [str(hay)], "needles": [str(needles)], "no_cache": True, "workers": 1}
    settings, away = story.clean_settings(str(tmp_path / "away"), **options)
    (tmp_path / "away").rmdir()
    with pytest.raises(ActingError, match="nothing was moved"):
        story.plan_clean(settings, away, make_executor=one_thread)


def test_folders_are_let_go_of_where_a_step_fails(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Else a run over many units is out of them soon."""
    hay, needles = trees
    (tmp_path / "away").mkdir()
    unit = next(iter(plan_clean(hay, needles, to=tmp_path / "away")[0].units))
    unit = unit._replace(real=os.path.join(unit.root, "no", "x"))
    journal = Journal.create("clean", {})
    with Folder.open(str(tmp_path / "away")) as folder:
        target = ToFolder(folder)
        target.spot(unit, journal).folder.close()
        (tmp_path / "away/old/no").rmdir()
        (tmp_path / "away/old/no").write_bytes(b"somebody's")
        opened = len(os.listdir("/proc/self/fd"))
        with pytest.raises(OSError, match="Not a directory"):
            target.spot(unit, journal)
        assert opened == len(os.listdir("/proc/self/fd"))
    journal.close()


def test_a_root_within_a_folder(tree: TreeBuilder, homes: Path) -> None:
    """A haystack among the needles does not go with them."""
    needles = tree("old", {"x/a": b"one", "x/keep/a": b"one"})
    plan, _ = plan_clean(needles / "x" / "keep", needles)
    assert ([], True) == (list(plan.units), "1 skipped" in plan.left[-1].reason)
    identity = os.stat(needles / "x" / "keep")
    with pytest.raises(NotListedError, match="is a root of its own"):
        list_folder(str(needles / "x"), {(identity.st_dev, identity.st_ino)})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"accept": "similar"}, "nothing to clean by"),
        ({"quick": True}, "nothing to clean by"),
        ({"to": "old/x"}, "lies in"),
        ({"to": "hay"}, "lies in"),
        ({"to": "."}, "lies in --move-to"),
        ({"to": "none"}, "there is no such folder"),
    ],
)
def test_mistakes(
    tree: TreeBuilder, homes: Path, options: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work."""
    monkeypatch.chdir(homes)
    hay, needles = tree("hay", {"a": b"one"}), tree("old", {"x/a": b"one"})
    with pytest.raises(SettingsError, match=reason):
        plan_clean(hay, needles, **options)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/hay/2010", "lies in"),
        ("/old/x", "lies in"),
        ("/", "lies in --move-to"),
        ("/state/dupfind/journals", "where the journals are"),
        ("/elsewhere", None),
        ("/hay2", None),
    ],
)
def test_a_folder_to_move_to_is_known_through_another_mount(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch, place: str, reason: str | None
) -> None:
    """What it shows is told by its place on the file system: neither its path nor a number gives it away."""
    hay, needles, away = tree("hay", {"a": b"one"}), tree("old", {"x/a": b"one"}), tree("away", {"other": b""})
    journals = Path(state_folder())
    journals.mkdir(parents=True)
    shown = {hay: "/hay", needles: "/old", journals: "/state/dupfind/journals", away: place}
    play(monkeypatch, homes / "mounts", {folder: Played("ext4", inner=inner) for folder, inner in shown.items()})
    if reason is None:
        assert 1 == len(plan_clean(hay, needles, to=away)[0].units)
        return
    with pytest.raises(SettingsError, match=reason):
        plan_clean(hay, needles, to=away)


def test_stopping(trees: tuple[Path, Path], homes: Path) -> None:
    """In the midst of a folder: what was moved of it is moved back."""
    hay, needles = trees
    before = files_below(needles)
    plan = plan_clean(hay, needles)
    asked = iter([None, None])
    answer = carry_out_clean(plan, should_stop=lambda: next(asked, 15))
    assert ([Fate.NOT_DONE], 15) == ([one.fate for one in answer.gone], answer.stopped)
    assert before == files_below(needles)


def test_each_move_is_noted_down_before_it_is_made(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an undo finds it, whenever the run is killed."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    rename, noted = cleaning.rename, []

    def look(around: places.Folder, name: str, *arguments: Any) -> None:
        noted.append([step for step in records() if step.get("source") == os.path.join(around.path, name)])
        rename(around, name, *arguments)

    monkeypatch.setattr(cleaning, "rename", look)
    carry_out_clean(plan)
    assert [1, 1, 1, 1] == [len(steps) for steps in noted]


def test_processes_that_cannot_be_started(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """End no run without a word on what has gone by then, and begin none anew."""
    hay, needles = trees
    plan = plan_clean(hay, needles, are_files=True)
    real, calls = reverify.reverify, []

    def no_process(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise NoProcessError("no process could be started")
        return real(*arguments)

    monkeypatch.setattr(reverify, "reverify", no_process)
    assert [Fate.MOVED, Fate.REFUSED, Fate.MOVED] == [one.fate for one in carry_out_clean(plan).gone]
    assert undo().is_complete


@pytest.mark.parametrize("place", ["_is_equal", "_forget"])
def test_a_drive_that_vanishes(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """While the proof is read: the folder stays whole."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    before = files_below(needles)

    def unplugged(*_: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(reverify, place, unplugged)
    answer = carry_out_clean(plan)
    assert [Fate.REFUSED] == [one.fate for one in answer.gone]
    assert before == files_below(needles)


def test_a_journal_that_cannot_be_written(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is moved that cannot be noted down."""
    hay, needles = trees
    plan = plan_clean(hay, needles)
    before = files_below(needles)
    begin = Journal.begin

    def full(self: Journal, do: str, **facts: Any) -> int:
        if do == "move":
            raise OSError(errno.ENOSPC, "No space left on device")
        return begin(self, do, **facts)

    monkeypatch.setattr(Journal, "begin", full)
    answer = carry_out_clean(plan)
    assert "the journal cannot be written" in reasons(answer)[0]
    assert before == files_below(needles)


@pytest.mark.parametrize("what", ["taken", "changed", "gone"])
def test_undo_leaves_what_it_must(trees: tuple[Path, Path], homes: Path, what: str) -> None:
    """Where the old name is taken, or what was moved was changed since; and can be run again."""
    hay, needles = trees
    clean(hay, needles)
    thrown = homes / "data/Trash/files/gone/a.txt"
    if what == "taken":
        (needles / "gone").mkdir()
        (needles / "gone/a.txt").write_bytes(b"somebody's")
    elif what == "changed":
        thrown.write_bytes(b"edited")
    else:
        thrown.unlink()
    before = files_below(homes)
    foreseen = undoing.undo(is_dry=True)
    assert before == files_below(homes)
    answer = undo()
    assert foreseen.files == answer.files
    assert [str(thrown)] == [file.path for file in answer.files if not file.is_undone]
    assert b"two" == (needles / "gone/sub/b.txt").read_bytes()
    if what == "taken":
        assert b"somebody's" == (needles / "gone/a.txt").read_bytes()
        (needles / "gone/a.txt").unlink()
        assert undo().is_complete
        assert b"one" == (needles / "gone/a.txt").read_bytes()


def test_undo_goes_on_where_the_trash_was_emptied(trees: tuple[Path, Path], homes: Path) -> None:
    """What is gone is gone: the run before is the next that is taken back."""
    hay, needles = trees
    clean(hay, needles)
    (needles / "stays/d.txt").unlink()
    clean(hay, needles)
    shutil.rmtree(homes / "data/Trash/files/old")
    assert undo().has_done_nothing
    assert {"old/gone/a.txt", "old/gone/sub/b.txt"} & set(files_below(needles)) == set()
    assert undo().is_complete
    assert b"one" == (needles / "gone/a.txt").read_bytes()


@pytest.mark.parametrize("is_trash", [True, False])
def test_undo_where_the_folder_around_is_gone(trees: tuple[Path, Path], homes: Path, is_trash: bool) -> None:
    """It is that which is named, and not what was moved, which is there."""
    hay, needles = trees
    out = homes / "out"
    out.mkdir()
    clean(hay, needles, to=None if is_trash else out)
    shutil.rmtree(needles)
    foreseen, answer = undoing.undo(is_dry=True), undo()
    assert foreseen.files == answer.files
    text = f"the folder {needles} in which it was is not there any more: make it, then undo again"
    assert {text} == {file.reason for file in answer.files}
    needles.mkdir()
    assert undo().is_complete
    assert {"old/gone/a.txt", "old/gone/sub/b.txt"} <= set(files_below(needles))


def test_undo_where_the_folder_that_took_it_is_gone(trees: tuple[Path, Path], homes: Path) -> None:
    """It keeps nobody from taking back the run before, which is named."""
    hay, needles = trees
    out = homes / "out"
    out.mkdir()
    first = clean(hay, needles).journal
    (needles / "stays/d.txt").unlink()
    clean(hay, needles, to=out)
    shutil.rmtree(out)
    answer = undo()
    assert ({"it is not there any more"}, first) == ({file.reason for file in answer.files}, answer.earlier)
    needles.mkdir(exist_ok=True)
    again = undo()
    assert (True, first, None) == (again.is_complete, again.journal, again.earlier)


def folder_marks(*folders: Path) -> list[tuple[int, int]]:
    """Mode and time of folders."""
    return [(folder.stat().st_mode, folder.stat().st_mtime_ns) for folder in folders]


def test_folders_of_an_undo_that_was_killed(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one gives them what they had."""
    hay, needles = trees
    folders = needles / "gone/sub", needles / "gone"
    for folder in folders:
        folder.chmod(0o751)
        os.utime(folder, ns=(10**18, 10**18))
    before = folder_marks(*folders)
    clean(hay, needles)
    with monkeypatch.context() as patch:
        patch.setattr("dupfind.acting.undoing.give_marks", lambda *_: os._exit(KILLED))
        assert killed_in_step(1000, undo)
    assert before != folder_marks(*folders)
    answer = undo()
    assert answer.is_complete
    assert before == folder_marks(*folders)
    with pytest.raises(ActingError, match="nothing to undo"):
        undo()


def test_folders_that_are_gone_since_an_undo_was_killed(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They keep nobody from taking back the run before."""
    hay, needles = trees
    clean(hay, needles)
    with monkeypatch.context() as patch:
        patch.setattr("dupfind.acting.undoing.give_marks", lambda *_: os._exit(KILLED))
        assert killed_in_step(1000, undo)
    shutil.rmtree(needles)
    assert [] == undo().files
    with pytest.raises(ActingError, match="nothing to undo"):
        undo()


@pytest.mark.slow
def test_an_undo_that_is_killed_anywhere(tree: TreeBuilder, homes: Path) -> None:
    """In each of its steps: the next one finishes it."""
    hay = tree("hay", {"a.txt": b"one", "b.txt": b"two"})
    step, was_killed = 0, True
    while was_killed:
        step += 1
        needles = tree(f"old{step}", {"gone/a.txt": b"one", "gone/sub/b.txt": b"two", "stays.txt": b"only"})
        folders = needles / "gone/sub", needles / "gone"
        for folder in folders:
            folder.chmod(0o751)
            os.utime(folder, ns=(10**18, 10**18))
        before = files_below(needles), folder_marks(*folders)
        clean(hay, needles)
        was_killed = killed_in_step(step, undo)
        if was_killed:
            with suppress(ActingError):  # nothing was left to do
                assert undo().is_complete
        assert before == (files_below(needles), folder_marks(*folders)), step
    assert step > 10


def test_undo_goes_through_no_link(trees: tuple[Path, Path], homes: Path) -> None:
    """What was put in the place of a folder since leads nowhere."""
    hay, needles = trees
    clean(hay, needles)
    (homes / "outside").mkdir()
    needles.rename(homes / "was")
    needles.symlink_to(homes / "outside")
    assert not undo().is_complete
    assert [] == os.listdir(homes / "outside")


def test_two_runs_at_once(trees: tuple[Path, Path]) -> None:
    """The second one does nothing."""
    from dupfind.acting import journal as journals

    hay, needles = trees
    plan = plan_clean(hay, needles)
    with journals.alone(), pytest.raises(ActingError, match="another run"):
        carry_out_clean(plan)
    assert (needles / "gone/a.txt").exists()
