"""Cleans to another file system: no name is taken away before a copy of the file was read back there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dupfind.acting import copying, places, transfer
from dupfind.acting.cleaning import Cleaner
from dupfind.acting.journal import Journal
from dupfind.acting.listing import state_of
from dupfind.acting.places import Folder, give_up, temporary_name
from dupfind.answers.clean import Cleaned, Fate
from dupfind.commands import undoing
from dupfind.errors import ActingError
from dupfind.report import Screen
from dupfind.report import clean as report
from dupfind.settings import Format
from dupfind.sources.mounts import Mount, Mounts
from tests.helpers.acting import carry_out_clean, clean, contents, files_below, once, plan_clean, records, undo
from tests.helpers.places import on_second_device
from tests.helpers.real_mounts import kind_of
from tests.helpers.shelf import TreeBuilder
from tests.helpers.trees import build_tree, own_homes


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What is cleaned lies on another file system, with journals and all; gives that folder."""
    with on_second_device(tmp_path) as folder:
        for name, value in own_homes(folder).items():
            monkeypatch.setenv(name, value)
        yield folder


@pytest.fixture
def tree(homes: Path) -> TreeBuilder:
    """Builds trees there."""
    return lambda name, contents: build_tree(homes / name, contents)


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """The folder to move to, on the disk."""
    folder = tmp_path / "far"
    folder.mkdir()
    return folder


def attributed(path: Path, name: str, value: bytes) -> None:
    """Give a file an attribute of the user's; skips where the file system takes none."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"{path} takes no attributes: {error.strerror}")


@pytest.fixture
def trees(tree: TreeBuilder, homes: Path) -> tuple[Path, Path]:
    """A haystack, and needles with a contained folder beside one that is not."""
    hay = tree("hay", {"a.txt": b"one", "b.txt": b"two", "c.txt": b"three"})
    needles = tree(
        "old",
        {
            "gone/a.txt": b"one", "gone/sub/b.txt": b"two", "gone/sub/empty.txt": b"", "gone/.nomedia": b"",
            "stays/c.txt": b"three", "stays/d.txt": b"nowhere else",
        },
    )  # fmt: skip
    return hay, needles


def reasons(answer: Cleaned) -> list[str]:
    """Why units stay."""
    return [gone.reason or "" for gone in answer.gone if gone.fate is not Fate.MOVED]


def below(*folders: Path) -> dict[str, bytes]:
    """Every file, by its path from the folder that was named."""
    return {path.partition("/")[2]: data for path, data in files_below(*folders).items()}


GONE = {"gone/a.txt": b"one", "gone/sub/b.txt": b"two", "gone/sub/empty.txt": b"", "gone/.nomedia": b""}


def test_a_folder_goes_to_another_drive_and_back(trees: tuple[Path, Path], far: Path, homes: Path) -> None:
    """With its modes, times and attributes; the plan says that it is copied."""
    hay, needles = trees
    file = needles / "gone/sub/b.txt"
    attributed(file, "user.rating", b"5")
    file.chmod(0o640)
    os.utime(file, ns=(10**18, 10**18 + 5))
    (needles / "gone/sub").chmod(0o750)
    attributed(needles / "gone/sub", "user.label", b"red")
    os.utime(needles / "gone/sub", ns=(10**18, 10**18))
    plan = plan_clean(hay, needles, to=far)
    assert ([str(needles / "gone")], 6) == ([unit.path for unit in plan[0].copied], plan[0].copied_bytes)
    answer = carry_out_clean(plan)
    assert ([], True) == (reasons(answer), answer.is_complete)
    screen = Screen(100, is_terminal=False, encoding="utf-8")
    planned, told = (report.render(value, Format.TABLE, screen).decode() for value in (plan[0], answer))
    assert "each file is copied, read back, and only then removed there" in " ".join(planned.split())
    assert "4 files were copied to another drive, read back, and only then removed." in told
    assert {f"old/{path}": data for path, data in GONE.items()} == below(far)
    assert {"stays/c.txt", "stays/d.txt"} == set(below(needles))
    assert not (needles / "gone").exists()

    def check(top: Path) -> None:
        state = (top / "gone/sub/b.txt").stat()
        assert (0o640, 10**18 + 5) == (stat.S_IMODE(state.st_mode), state.st_mtime_ns)
        assert b"5" == os.getxattr(top / "gone/sub/b.txt", "user.rating")
        folder = (top / "gone/sub").stat()
        assert (0o750, 10**18) == (stat.S_IMODE(folder.st_mode), folder.st_mtime_ns)
        assert b"red" == os.getxattr(top / "gone/sub", "user.label")

    check(far / "old")
    back = undo()
    assert back.is_complete
    assert GONE.keys() <= below(needles).keys()
    check(needles)
    assert [] == os.listdir(far)
    with pytest.raises(ActingError, match="nothing to undo"):
        undo()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_owners_are_kept(trees: tuple[Path, Path], far: Path) -> None:
    """Of files and of folders, both ways."""
    hay, needles = trees
    for path in ("gone", "gone/sub", "gone/sub/b.txt"):
        os.chown(needles / path, 12345, 54321)
    clean(hay, needles, to=far)
    owners = [os.stat(far / "old" / path)[4:6] for path in ("gone", "gone/sub", "gone/sub/b.txt", "gone/a.txt")]
    assert [(12345, 54321)] * 3 + [(0, 0)] == owners
    assert undo().is_complete
    owners = [os.stat(needles / path)[4:6] for path in ("gone", "gone/sub", "gone/sub/b.txt", "gone/a.txt")]
    assert [(12345, 54321)] * 3 + [(0, 0)] == owners


def test_what_is_not_kept_is_told(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT, which has neither owners, modes nor attributes; an undo has them from the journal."""
    hay, needles = trees
    attributed(needles / "gone/a.txt", "user.rating", b"5")
    (needles / "gone/a.txt").chmod(0o600)
    usual = os.setxattr, os.chmod

    def refused(file: Any, *arguments: Any) -> None:
        if isinstance(file, int) and os.fstat(file).st_dev == os.stat(far).st_dev:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        usual[0 if len(arguments) == 2 else 1](file, *arguments)

    monkeypatch.setattr(os, "setxattr", refused)
    monkeypatch.setattr(os, "chmod", refused)
    (answer,) = clean(hay, needles, to=far).gone
    assert Fate.MOVED is answer.fate
    assert "1 file: extended attributes were not kept: user.rating" in answer.notes
    assert "1 file: the mode was not kept" in answer.notes
    assert undo().is_complete
    assert b"5" == os.getxattr(needles / "gone/a.txt", "user.rating")
    assert 0o600 == stat.S_IMODE((needles / "gone/a.txt").stat().st_mode)


def test_hard_links_among_the_needles(tree: TreeBuilder, homes: Path, far: Path) -> None:
    """Giving up the one sets the time of change of the other."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("old", {"x/b.txt": b"one"})
    os.link(needles / "x/b.txt", needles / "x/c.txt")
    assert clean(hay, needles, to=far).is_complete
    assert {"old/x/b.txt": b"one", "old/x/c.txt": b"one"} == below(far) or {"old/x/b.txt", "old/x/c.txt"} == {
        path.partition("/")[2] for path in files_below(far)
    }
    assert undo().is_complete
    assert {"x/b.txt": b"one", "x/c.txt": b"one"} == below(needles)


def test_no_file_goes_before_all_are_copied(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drive that is unplugged midway leaves the folder as it was."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    usual, seen = copying._read_back, []

    def unplugged(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 3:
            raise OSError(errno.EIO, "Input/output error")
        return usual(*arguments)

    monkeypatch.setattr(copying, "_read_back", unplugged)
    answer = carry_out_clean(plan)
    assert "cannot be written: input/output error" in reasons(answer)[0]
    assert GONE.keys() <= below(needles).keys()
    assert [] == list(files_below(far))


def test_a_copy_that_reads_back_otherwise(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given up for it."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    usual = copying._read_back
    monkeypatch.setattr(copying, "_read_back", lambda *arguments: (bytes(32), *usual(*arguments)[1:]))
    assert "the copy, read back, has other bytes" in reasons(carry_out_clean(plan))[0]
    assert GONE.keys() <= below(needles).keys()
    assert [] == list(files_below(far))


Change = Callable[[Path, Path, Path], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "needle edited": (lambda hay, old, far: (old / "gone/sub/b.txt").write_bytes(b"TWO"), "it changed"),
    "needle replaced": (lambda hay, old, far: replaced(old / "gone/sub/b.txt"), "it changed"),
    "needle gone": (lambda hay, old, far: (old / "gone/sub/b.txt").unlink(), "no such file"),
    "copy edited": (lambda hay, old, far: (far / "old/gone/sub/b.txt").write_bytes(b"TWO"), "its copy changed"),
    "copy gone": (lambda hay, old, far: (far / "old/gone/sub/b.txt").unlink(), "its copy is gone"),
    "witness edited": (lambda hay, old, far: (hay / "b.txt").write_bytes(b"TWO"), "its witness"),
    "witness gone": (lambda hay, old, far: (hay / "b.txt").unlink(), "its witness"),
}


def replaced(file: Path) -> None:
    """Another file comes in the place of one."""
    file.rename(file.with_name("was"))
    file.write_bytes(b"new")


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_the_copy_and_the_removal(
    trees: tuple[Path, Path], homes: Path, far: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It stays, and so does all of its folder; what a person did in that moment is untouched."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    change, reason = CHANGES[name]
    let_go = Cleaner._let_go
    seen: dict[str, Any] = {}

    def late(self: Any, *arguments: Any) -> None:
        change(hay, needles, far)
        seen.update(before=contents(homes), names=set(below(needles)))
        let_go(self, *arguments)

    monkeypatch.setattr(Cleaner, "_let_go", late)
    answer = carry_out_clean(plan)
    assert reason in reasons(answer)[0]
    assert seen["before"] <= contents(homes, far)
    assert seen["names"] <= set(below(needles))
    if name == "needle gone":  # by whomever: its copy is what there is, and the folder stays whole
        assert b"two" == (needles / "gone/sub/b.txt").read_bytes()


@pytest.mark.parametrize("why", ["just written", "on FAT"])
def test_a_change_that_shows_in_no_time(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """The clock of FAT has two seconds, and it keeps no time of change: the bytes are read once more then."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    file = needles / "gone/sub/b.txt"
    coarse = state_of(file.stat())
    let_go, usual = Cleaner._let_go, places.state_of
    if why == "on FAT":
        card = Mounts((Mount(os.stat(needles).st_dev, "/", str(needles), "vfat", "/dev/x"),))
        monkeypatch.setattr(transfer, "read_mounts", lambda: card)
        monkeypatch.setattr(transfer, "is_racy", lambda *_: False)

    def late(self: Any, *arguments: Any) -> None:
        file.write_bytes(b"TWO")
        monkeypatch.setattr(places, "state_of", lambda state: coarse if state.st_ino == coarse[1] else usual(state))
        let_go(self, *arguments)

    monkeypatch.setattr(Cleaner, "_let_go", late)
    assert "it has other bytes than its copy" in reasons(carry_out_clean(plan))[0]
    assert b"TWO" == file.read_bytes()


def test_a_file_that_is_open_for_writing(trees: tuple[Path, Path], far: Path) -> None:
    """Who writes to it now has not yet changed its time, perhaps."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    with (needles / "gone/sub/b.txt").open("ab"):
        answer = carry_out_clean(plan)
    assert "another program has it open for writing" in reasons(answer)[0]
    assert GONE == {path: data for path, data in below(needles).items() if path in GONE}


def test_another_file_that_comes_in_the_last_moment(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what is parked, and gets its name back."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    park, swap = places._park, once(lambda: replaced(needles / "gone/a.txt"))

    def late(folder: Folder, name: str, parked: str) -> None:
        if name == "a.txt":
            swap()
        park(folder, name, parked)

    monkeypatch.setattr(places, "_park", late)
    assert "another file came in its place" in reasons(carry_out_clean(plan))[0]
    assert b"new" == (needles / "gone/a.txt").read_bytes()
    assert b"one" == (needles / "gone/was").read_bytes()


def test_each_removal_is_noted_down_before_it_is_made(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With where the copy lies, and the name by chance."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    park, noted = places._park, []

    def look(folder: Folder, name: str, parked: str) -> None:
        noted.append([step for step in records() if step.get("parked") == parked and "copy" in step])
        park(folder, name, parked)

    monkeypatch.setattr(places, "_park", look)
    assert carry_out_clean(plan).is_complete
    assert [1, 1, 1, 1] == [len(steps) for steps in noted]


def test_no_room(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is known before the first copy."""
    from dupfind.commands import cleaning as story

    hay, needles = trees
    monkeypatch.setattr(story, "free_bytes", lambda _: 5)
    with pytest.raises(ActingError, match=r"6 bytes are to be copied there, and 5 are free: nothing was moved"):
        carry_out_clean(plan_clean(hay, needles, to=far))
    assert [] == os.listdir(far)


def test_a_full_disk_ends_the_run(tree: TreeBuilder, homes: Path, far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else would have room either."""
    hay = tree("hay", {"a": b"one", "b": b"two"})
    needles = tree("old", {"x/a": b"one", "y/b": b"two", "z/c": b"no"})
    plan = plan_clean(hay, needles, to=far)

    write = os.write

    def full(handle: int, data: bytes) -> int:
        if os.fstat(handle).st_dev == os.stat(far).st_dev:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    answer = carry_out_clean(plan)
    assert [Fate.REFUSED, Fate.NOT_DONE] == [gone.fate for gone in answer.gone]
    assert {"x/a", "y/b", "z/c"} == set(below(needles))


def no_safe_rename(device: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system as FUSE's exFAT has it: renames replace, and there are no hard links."""
    usual, link = places._renameat2, os.link

    def renamed(source: int, name: str, target: int, new_name: str, flags: int = 1) -> int:
        if os.fstat(target).st_dev == device and flags:
            return errno.EINVAL
        return usual(source, name, target, new_name, flags)

    def linked(*arguments: Any, **options: Any) -> None:
        if os.fstat(options["dst_dir_fd"]).st_dev == device:
            raise OSError(errno.EPERM, "Operation not permitted")
        link(*arguments, **options)

    monkeypatch.setattr(places, "_renameat2", renamed)
    monkeypatch.setattr(os, "link", linked)


def test_a_card_that_can_only_rename_over(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is cleaned all the same to another drive, and gets its files back: a name is taken by making the file."""
    hay, needles = trees
    no_safe_rename(os.stat(needles).st_dev, monkeypatch)
    assert "without the risk" in reasons(clean(hay, needles))[0]
    assert clean(hay, needles, to=far).is_complete
    assert not (needles / "gone").exists()
    assert undo().is_complete
    assert GONE.items() <= below(needles).items()
    assert [] == os.listdir(far)


@pytest.mark.parametrize(
    ("begun", "half", "is_ours"),
    [("b.txt", b"tw", True), ("b.txt", b"xx", False), ("b.txt", b"two more", False), ("a.txt", b"tw", False)],
    ids=["ours", "other bytes", "longer", "of somebody else"],
)
def test_an_undo_to_such_a_card_that_was_killed(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch, begun: str, half: bytes, is_ours: bool
) -> None:
    """Leaves half a file under its final name; the next undo knows it by the journal and its bytes."""
    hay, needles = trees
    no_safe_rename(os.stat(needles).st_dev, monkeypatch)
    clean(hay, needles, to=far)
    journal = next(iter((Path(os.environ["XDG_STATE_HOME"]) / "dupfind/journals").glob("*.journal")))
    with journal.open("a") as file:
        for step in records():
            if str(step.get("source", "")).endswith(begun):
                file.write(f'{{"step": {step["step"]}, "undo_in_place": true}}\n')
    (needles / "gone/sub").mkdir(parents=True)
    (needles / "gone/sub/b.txt").write_bytes(half)
    answer = undo()
    assert (b"two" if is_ours else half) == (needles / "gone/sub/b.txt").read_bytes()
    assert ([] if is_ours else ["its old name is taken"]) == [
        file.reason for file in answer.files if not file.is_undone
    ]
    assert (is_ours, b"one") == (not list(far.rglob("b.txt")), (needles / "gone/a.txt").read_bytes())


def test_a_drive_that_can_only_rename_over(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gets nothing: what comes there takes its name by a rename."""
    hay, needles = trees
    no_safe_rename(os.stat(far).st_dev, monkeypatch)
    answer = clean(hay, needles, to=far)
    assert "neither renameat2 nor hard links" in reasons(answer)[0]
    assert GONE.keys() <= below(needles).keys()
    assert [] == list(files_below(far))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda old, far: replaced_back(old), "its old name is taken"),
        (lambda old, far: (far / "old/gone/a.txt").write_bytes(b"ONE"), "it was changed since"),
        (lambda old, far: same_time(far / "old/gone/a.txt"), "it was changed since"),
        (lambda old, far: (far / "old/gone/a.txt").unlink(), "it is not there any more"),
    ],
    ids=["taken", "changed", "changed in the same moment", "gone"],
)
def test_undo_leaves_what_it_must(
    trees: tuple[Path, Path], far: Path, change: Callable[[Path, Path], object], reason: str
) -> None:
    """And does all else."""
    hay, needles = trees
    clean(hay, needles, to=far)
    change(needles, far)
    before = contents(needles, far)
    foreseen = undoing.undo(is_dry=True)
    assert (before, True) == (contents(needles, far), foreseen.is_plan)
    answer = undo()
    assert foreseen.files == answer.files or reason == "it was changed since"  # its bytes are not read before
    assert [reason] == [file.reason for file in answer.files if not file.is_undone]
    assert before <= contents(needles, far)
    assert b"two" == (needles / "gone/sub/b.txt").read_bytes()


def replaced_back(old: Path) -> None:
    """Somebody puts another file where one lay."""
    (old / "gone").mkdir()
    (old / "gone/a.txt").write_bytes(b"somebody's")


def same_time(file: Path) -> None:
    """Other bytes, with the time that the file had."""
    state = file.stat()
    file.write_bytes(b"ONE")
    os.utime(file, ns=(state.st_mtime_ns, state.st_mtime_ns))


def test_undo_after_the_folder_was_removed(trees: tuple[Path, Path], far: Path) -> None:
    """What was in it is gone, which is told; should it come back, its journal can be named."""
    hay, needles = trees
    journal = clean(hay, needles, to=far).journal
    far.rename(far.with_name(far.name + "-away"))
    try:
        answer = undo()
        assert answer.has_done_nothing
        assert {"it is not there any more"} == {file.reason for file in answer.files}
        with pytest.raises(ActingError, match="nothing to undo"):
            undo()
    finally:
        far.with_name(far.name + "-away").rename(far)
    assert undo(journal).is_complete
    assert GONE.items() <= below(needles).items()


def test_a_copy_that_is_the_file_itself_stays(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both paths lead to one file by then, dropping the copy would drop it."""
    hay, needles = trees
    clean(hay, needles, to=far)
    (needles / "gone").mkdir()
    (needles / "gone/a.txt").write_bytes(b"one")
    monkeypatch.setattr(transfer.SameFile, "is_itself", lambda *_: True)
    answer = undo()
    assert ["it and its copy may be the same file, reached by another way"] == [
        file.reason for file in answer.files if not file.is_undone
    ]
    assert b"one" == (far / "old/gone/a.txt").read_bytes()


def test_what_is_no_file_cannot_go_there(trees: tuple[Path, Path], far: Path) -> None:
    """A pipe or a link has no bytes of its own that could be read back."""
    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    unit = plan[0].units[0]
    (needles / "gone/.nomedia").unlink()
    (needles / "gone/.nomedia").symlink_to("nowhere")
    state = state_of((needles / "gone/.nomedia").lstat())
    things = tuple(thing._replace(state=state) if thing.below == (".nomedia",) else thing for thing in unit.things)
    plan[0].units[:] = [unit._replace(things=things)]  # type: ignore[index]
    assert [Fate.REFUSED] == [gone.fate for gone in carry_out_clean(plan).gone]
    assert (needles / "gone/.nomedia").is_symlink()


def test_giving_up(tmp_path: Path) -> None:
    """Only a file in the state that was named, under a name by chance, and with what the caller confirms."""
    file = tmp_path / "a"
    file.write_bytes(b"one")
    state = state_of(file.stat())
    with Folder.open(str(tmp_path)) as folder:
        with pytest.raises(OSError, match="not a name by chance"):
            give_up(folder, "a", state, "b")
        with pytest.raises(OSError, match="it changed"):
            give_up(folder, "a", (*state[:3], 5, *state[4:]), temporary_name())

        def refuse(handle: int) -> None:
            raise OSError(errno.ESTALE, f"no: {os.read(handle, 9)!r}")

        with pytest.raises(OSError, match="no: b'one'"):
            give_up(folder, "a", state, temporary_name(), refuse)
        assert ["a"] == os.listdir(tmp_path)
        give_up(folder, "a", state, temporary_name())
    assert [] == os.listdir(tmp_path)


def test_a_removal_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file gets its name back."""
    (tmp_path / "a").write_bytes(b"one")

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "unlink", broken)
    with Folder.open(str(tmp_path)) as folder, pytest.raises(OSError, match="Input/output error"):
        give_up(folder, "a", state_of((tmp_path / "a").stat()), temporary_name())
    assert b"one" == (tmp_path / "a").read_bytes()


def test_a_journal_that_cannot_be_written(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is copied, and nothing given up, that cannot be noted down."""
    hay, needles = trees
    for call in ("begin", "add"):
        plan = plan_clean(hay, needles, to=far)
        usual = getattr(Journal, call)

        def full(self: Journal, what: Any, _usual: Any = usual, **facts: Any) -> Any:
            if what == transfer.DO or "parked" in facts:
                raise OSError(errno.ENOSPC, "No space left on device")
            return _usual(self, what, **facts)

        monkeypatch.setattr(Journal, call, full)
        assert "no space left on device" in reasons(carry_out_clean(plan))[0]
        monkeypatch.setattr(Journal, call, usual)
        assert GONE.items() <= below(needles).items()
        assert [] == list(files_below(far))


def test_the_next_run_removes_what_a_killed_one_left(trees: tuple[Path, Path], far: Path) -> None:
    """By its journal, and only what has the name by chance; whose run still goes on is left alone."""
    hay, needles = trees
    (far / "old").mkdir()
    names = [temporary_name(), temporary_name()]
    for name in (*names, "photo"):
        (far / "old" / name).write_bytes(b"half")
    for temporary in (names[0], "photo"):
        journal = Journal.create("clean", {})
        journal.begin(transfer.DO, source="/none/a", target=str(far / "old/a"), temporary=temporary, state=[1, 2, 3, 4])
        journal.close()
    running = Journal.create("clean", {})
    running.begin(transfer.DO, source="/none/a", target=str(far / "old/a"), temporary=names[1], state=[1, 2, 3, 4])
    assert clean(hay, needles, to=far).is_complete
    running.close()
    assert {names[1], "photo"} == set(os.listdir(far / "old"))


def test_nothing_is_moved_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be gone when the computer is switched off; a rename within memory loses nothing more."""
    for name, value in own_homes(tmp_path).items():
        monkeypatch.setenv(name, value)
    with on_second_device(tmp_path) as memory:
        if kind_of(memory) != "tmpfs":
            pytest.skip("the second file system here is a disk")
        hay, needles = build_tree(tmp_path / "hay", {"a": b"1"}), build_tree(tmp_path / "old", {"x/a": b"1"})
        plan, _ = plan_clean(hay, needles, to=memory)
        assert ([], True) == (list(plan.units), "lies in memory" in plan.left[-1].reason)
        (memory / "away").mkdir()
        near = build_tree(memory / "old", {"x/a": b"1"})
        assert 1 == len(plan_clean(hay, near, to=memory / "away")[0].units)


def test_a_share_that_gives_no_lease(trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says nothing of other programs: there the server refuses it."""
    import fcntl

    hay, needles = trees
    plan = plan_clean(hay, needles, to=far)
    usual = fcntl.fcntl

    def refused(handle: Any, command: int, *arguments: Any) -> Any:
        if command == fcntl.F_SETLEASE:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return usual(handle, command, *arguments)

    monkeypatch.setattr(fcntl, "fcntl", refused)
    assert "open for writing" in reasons(carry_out_clean(plan))[0]
    share = Mounts((Mount(1, "/", str(needles), "nfs4", "nas:/x"),))
    monkeypatch.setattr(places, "read_mounts", lambda: share)
    assert carry_out_clean(plan_clean(hay, needles, to=far)).is_complete


@pytest.mark.parametrize("can_rename", [True, False])
def test_a_parked_file_is_not_called_gone(
    trees: tuple[Path, Path], far: Path, monkeypatch: pytest.MonkeyPatch, can_rename: bool
) -> None:
    """A kill may leave it under its name by chance: it gets its own back, or is told of where a rename may replace."""
    hay, needles = trees
    clean(hay, needles, to=far)
    step = next(step for step in records() if str(step.get("source", "")).endswith("b.txt"))
    (needles / "gone/sub").mkdir(parents=True)
    parked = needles / "gone/sub" / step["parked"]
    parked.write_bytes(b"two")
    (far / "old/gone/sub/b.txt").unlink()
    if not can_rename:
        no_safe_rename(os.stat(needles).st_dev, monkeypatch)
    left = [file.reason or "" for file in undo().files if not file.is_undone]
    if can_rename:
        assert ([], b"two") == (left, (needles / "gone/sub/b.txt").read_bytes())
    else:
        assert ([f"it lies in {parked.parent} as {parked.name}, and cannot get its name back"], b"two") == (
            left,
            parked.read_bytes(),
        )


def test_a_parked_file_gets_its_name_back_without_the_other_drive(trees: tuple[Path, Path], far: Path) -> None:
    """A kill left it so, and then the drive was unplugged."""
    hay, needles = trees
    clean(hay, needles, to=far)
    journal = next(iter((Path(os.environ["XDG_STATE_HOME"]) / "dupfind/journals").glob("*.journal")))
    step = next(step for step in records() if str(step.get("source", "")).endswith("b.txt"))
    lines = [line for line in journal.read_text().splitlines() if f'"step":{step["step"]},"done"' not in line]
    journal.write_text("\n".join(lines) + "\n")
    (needles / "gone/sub").mkdir(parents=True)
    (needles / "gone/sub" / step["parked"]).write_bytes(b"two")
    far.rename(far.with_name("unplugged"))
    undo()
    assert ["b.txt"] == os.listdir(needles / "gone/sub")
