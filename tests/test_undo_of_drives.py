"""Undo with drives that are unplugged, or others in their place: what was theirs stays as it is till they are back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dupfind.acting import drives
from dupfind.acting import journal as journals
from dupfind.acting.drives import Drive, Drives, note_drives
from dupfind.commands import undoing
from dupfind.errors import ActingError
from dupfind.sources.mounts import Mount, Mounts
from tests.helpers.acting import clean, contents, files_below, import_, undo
from tests.helpers.real_mounts import Rig, run
from tests.helpers.shelf import TreeBuilder

CARD = Drive("/media/card/old", "/media/card", "/old", "vfat", "/dev/sdb1", "1234-ABCD", 5, 0)


@pytest.mark.parametrize(
    ("now", "is_same"),
    [
        (CARD, True),
        (CARD._replace(source="/dev/sdc1", fsid=6, kind="exfat"), True),
        (CARD._replace(uuid="9999-0000"), False),
        (CARD._replace(point="/", inner="/media/card/old"), False),
        (CARD._replace(uuid=""), True),
        (CARD._replace(uuid="", source="/dev/sdc1"), False),
        (CARD._replace(uuid="", kind="ext4"), False),
        (CARD._replace(uuid="", fsid=6), False),
        (CARD._replace(uuid="", fsid=0), True),
    ],
    ids=["itself", "by its UUID", "another", "below the mount", "no UUID", "device", "type", "number", "no number"],
)
def test_whether_a_drive_is_the_one_that_was(now: Drive, is_same: bool) -> None:
    """By what it carries itself; by all else where that is not known."""
    assert is_same == CARD.is_same(now)


def test_inodes_tell_where_there_is_no_uuid() -> None:
    """Of the folder at the top."""
    was = CARD._replace(uuid="", inode=7)
    assert was.is_same(was._replace(inode=0))
    assert not was.is_same(was._replace(inode=8))


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """What tells the program that a device is mounted at ``card`` in the folder of the test, or none."""
    lines = (Mount(os.makedev(8, 200), "/", "/", "ext4", "/dev/sda1"),)

    def call(source: str | None) -> None:
        point = str(tmp_path / "card")
        more = () if source is None else (Mount(os.makedev(8, 201), "/", point, "ext4", source),)
        monkeypatch.setattr(drives, "read_mounts", lambda: Mounts(lines + more))

    call("/dev/sdb1")
    return call


@pytest.fixture
def trees(tree: TreeBuilder, homes: Path) -> tuple[Path, Path]:
    """A haystack, and needles on a card."""
    hay = tree("hay", {"a.txt": b"one", "b.txt": b"two"})
    return hay, tree("card/old", {"gone/a.txt": b"one", "gone/sub/b.txt": b"two", "stays/d.txt": b"nowhere else"})


@pytest.mark.parametrize("other", [None, "/dev/sdc1"], ids=["unplugged", "another"])
@pytest.mark.parametrize("is_trash", [True, False], ids=["trash", "folder"])
def test_nothing_is_put_where_a_drive_was(
    trees: tuple[Path, Path], homes: Path, plug: Callable[[str | None], None], other: str | None, is_trash: bool
) -> None:
    """Neither file nor folder; and all comes back when it is plugged in again."""
    hay, needles = trees
    out = homes / "out"
    out.mkdir()
    before = files_below(needles)
    clean(hay, needles, to=None if is_trash else out)
    after = files_below(homes)
    plug(other)
    foreseen, answer = undoing.undo(is_dry=True), undo()
    assert foreseen.files == answer.files
    assert {f"the drive that was at {homes}/card is not mounted"} == {file.reason for file in answer.files}
    kept = {path: data for path, data in files_below(homes).items() if not path.endswith(".journal")}
    assert kept == {path: data for path, data in after.items() if not path.endswith(".journal")}
    assert not (needles / "gone").exists()
    plug("/dev/sdb1")
    assert undo().is_complete
    assert before == files_below(needles)


def test_a_drive_that_was_mounted_over_what_was_moved(
    trees: tuple[Path, Path], homes: Path, plug: Callable[[str | None], None]
) -> None:
    """Of a run that knew of no drive there."""
    hay, needles = trees
    plug(None)
    clean(hay, needles)
    plug("/dev/sdb1")
    assert {f"another drive is mounted at {homes}/card since"} == {file.reason for file in undo().files}
    assert not (needles / "gone").exists()
    plug(None)
    assert undo().is_complete


def test_an_import_to_a_drive_that_was_unplugged(
    tree: TreeBuilder, homes: Path, plug: Callable[[str | None], None]
) -> None:
    """What it brought there is not called gone: it is taken back when the drive is there."""
    hay, needles = tree("card", {"a.txt": b"one"}), tree("old", {"b.txt": b"new"})
    import_(hay, needles, hay)
    hay.rename(homes / "away")
    hay.mkdir()
    plug(None)
    assert undo().has_done_nothing
    hay.rmdir()
    (homes / "away").rename(hay)
    plug("/dev/sdb1")
    assert undo().is_complete
    assert {"card/a.txt": b"one"} == files_below(hay)


def strip_drives(path: str) -> None:
    """Have a journal look as older versions wrote it."""
    head, *rest = Path(path).read_text().splitlines(keepends=True)
    record = json.loads(head)
    del record["drives"]
    Path(path).write_text(json.dumps(record) + "\n" + "".join(rest))


@pytest.mark.parametrize("device", ["its own", "another"])
def test_a_journal_of_an_older_version(trees: tuple[Path, Path], device: str) -> None:
    """It goes as it went; but no folder is made on another device than its files lay on."""
    hay, needles = trees
    answer = clean(hay, needles)
    assert answer.journal is not None
    strip_drives(answer.journal)
    if device == "another":
        text = Path(answer.journal).read_text()
        number = needles.stat().st_dev
        Path(answer.journal).write_text(text.replace(f'"state":[{number},', f'"state":[{number + 1},'))
        assert undo().has_done_nothing
        assert not (needles / "gone").exists()
    else:
        assert undo().is_complete


def test_what_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder, what is mounted below it, and what they lie on; a journal with less is none."""
    lines = (
        Mount(os.makedev(8, 200), "/", "/", "ext4", "/dev/sda1"),
        Mount(os.makedev(8, 201), "/", str(tmp_path / "x/card"), "ext4", "/dev/sdb1"),
    )
    monkeypatch.setattr(drives, "read_mounts", lambda: Mounts(lines))
    noted = Drives(note_drives([str(tmp_path)]))
    inner, outer = noted.of(str(tmp_path / "x/card/deep/a.txt")), noted.of(str(tmp_path / "x/a.txt"))
    assert inner is not None
    assert outer is not None
    assert (("/dev/sdb1", "/"), ("/dev/sda1", str(tmp_path))) == (
        (inner.source, inner.inner),
        (outer.source, outer.inner),
    )
    assert noted.of(str(tmp_path.parent)) is None
    assert noted.why_not(str(tmp_path / "x/a.txt")) is None
    more = Mount(os.makedev(8, 202), "/", str(tmp_path / "y"), "ext4", "/dev/sdc1")
    monkeypatch.setattr(drives, "read_mounts", lambda: Mounts((*lines, more)))
    assert f"another drive is mounted at {tmp_path}/y since" == noted.why_not(str(tmp_path / "y/a.txt"))
    assert noted.why_not(str(tmp_path / "x/a.txt")) is None


@pytest.mark.parametrize("odd", [1, [1], [{}], [{**CARD._asdict(), "fsid": "x"}], [{**CARD._asdict(), "place": 1}]])
def test_an_odd_note(trees: tuple[Path, Path], odd: object) -> None:
    """It makes a journal none."""
    answer = clean(*trees)
    assert answer.journal is not None
    head, *rest = Path(answer.journal).read_text().splitlines(keepends=True)
    Path(answer.journal).write_text(json.dumps({**json.loads(head), "drives": odd}) + "\n" + "".join(rest))
    with pytest.raises(ActingError, match="not a journal"):
        journals.read(answer.journal)


def test_without_a_table_of_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems without one tell at least where something is mounted."""
    monkeypatch.setattr(drives, "read_mounts", Mounts)
    noted = Drives(note_drives([str(tmp_path)]))
    assert noted.why_not(str(tmp_path / "a")) is None
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(tmp_path))
    assert noted.why_not(str(tmp_path / "a")) is not None


class Card:
    """Real file systems, one of which is mounted at a time."""

    def __init__(self, rig: Rig, point: Path) -> None:
        self._devices = [rig.loop(rig.image(f"{number}.img", 8, "mkfs.ext4", "-q")) for number in range(2)]
        self.point = point
        point.mkdir()

    def plug(self, number: int) -> None:
        """Mount one of the two."""
        run("mount", self._devices[number], self.point)

    def unplug(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", self.point], check=False, capture_output=True)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    """Two cards and a place for them."""
    rig = Rig(tmp_path)
    try:
        card = Card(rig, tmp_path / "card")
        try:
            yield card
        finally:
            card.unplug()
    finally:
        rig.close()


@pytest.mark.slow
@pytest.mark.parametrize("is_trash", [True, False], ids=["trash", "folder"])
def test_real_cards(tree: TreeBuilder, homes: Path, card: Card, is_trash: bool) -> None:
    """Unplugged, another one, and the one that was, under another number of its device."""
    hay = tree("hay", {"a.txt": b"one", "b.txt": b"two"})
    card.plug(0)
    needles = card.point / "old"
    shutil.copytree(tree("photos", {"gone/a.txt": b"one", "gone/sub/b.txt": b"two", "d.txt": b"only"}), needles)
    before = files_below(needles)
    out = homes / "out"
    out.mkdir()
    clean(hay, needles, to=None if is_trash else out)
    away = contents(out)
    card.unplug()
    assert undo().has_done_nothing
    assert ([], away) == (os.listdir(card.point), contents(out))
    card.plug(1)
    assert undo().has_done_nothing
    assert (["lost+found"], away) == (os.listdir(card.point), contents(out))
    card.unplug()
    card.plug(0)
    assert undo().is_complete
    assert before == files_below(needles)
