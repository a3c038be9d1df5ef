"""Cleans of a real memory card, with the file systems that this machine can mount; what it cannot is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dupfind.answers.clean import Fate
from tests.helpers.acting import clean, files_below, undo
from tests.helpers.real_mounts import Rig, kind_of
from tests.helpers.shelf import TreeBuilder
from tests.helpers.trees import build_tree

CARD = {"DCIM/100/a.jpg": b"one", "DCIM/100/b.jpg": b"two", "DCIM/101/c.jpg": b"three"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """What mounts, and undoes it whatever happens."""
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.close()


def below(folder: Path) -> dict[str, bytes]:
    """Every file, by its path below a folder; what a drive keeps for itself left out."""
    return {
        path.partition("/")[2]: data
        for path, data in files_below(folder).items()
        if "/.Trash" not in path and "lost+found" not in path
    }


@pytest.fixture
def exfat(rig: Rig) -> Path:
    """A card with exFAT by FUSE: it can rename over only, has no hard links, no owners and no modes."""
    return rig.exfat(rig.loop(rig.image("card.img", 16, "mkfs.exfat")), "card")


@pytest.fixture
def ext4(rig: Rig) -> Path:
    """A drive with a file system of Linux."""
    image = rig.image("drive.img", 16, "mkfs.ext4", "-q", "-O", "^has_journal")
    return rig.mount("drive", rig.loop(image))


def test_a_card_with_exfat_is_cleaned_to_another_drive(
    exfat: Path, tree: TreeBuilder, homes: Path, tmp_path: Path
) -> None:
    """And gets everything back."""
    assert "fuseblk" == kind_of(exfat)
    hay = tree("hay", dict(enumerate_names(CARD)))
    build_tree(exfat, CARD)
    (tmp_path / "away").mkdir()
    answer = clean(hay, exfat / "DCIM", to=tmp_path / "away")
    assert [Fate.MOVED] == [gone.fate for gone in answer.gone], answer.gone
    assert {} == below(exfat)
    assert {f"DCIM/{path[5:]}": data for path, data in CARD.items()} == below(tmp_path / "away")
    assert undo().is_complete
    assert CARD == below(exfat)
    assert {} == below(tmp_path / "away")


def enumerate_names(contents: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The same contents under other names."""
    for number, content in enumerate(contents.values()):
        yield f"{number}.jpg", content


def test_nothing_is_moved_to_a_card_with_exfat(exfat: Path, tree: TreeBuilder, homes: Path) -> None:
    """By FUSE a name is given there only by what may replace another file."""
    hay, old = tree("hay", dict(enumerate_names(CARD))), tree("old", CARD)
    (exfat / "away").mkdir()
    answer = clean(hay, old, to=exfat / "away")
    assert ["neither renameat2 nor hard links" in (gone.reason or "") for gone in answer.gone] == [True]
    assert CARD == below(old)
    assert {} == below(exfat)


@pytest.mark.parametrize("way", ["trash", "move"])
def test_a_drive_is_cleaned(ext4: Path, tree: TreeBuilder, homes: Path, tmp_path: Path, way: str) -> None:
    """To its own trash by a rename, to another drive by copies."""
    hay = tree("hay", dict(enumerate_names(CARD)))
    build_tree(ext4, CARD)
    (tmp_path / "away").mkdir()
    answer = clean(hay, ext4 / "DCIM", **({} if way == "trash" else {"to": tmp_path / "away"}))
    assert [Fate.MOVED] == [gone.fate for gone in answer.gone], answer.gone
    assert {} == below(ext4)
    if way == "trash":
        assert (ext4 / f".Trash-{os.getuid()}/files/DCIM/100/a.jpg").is_file()
    assert undo().is_complete
    assert CARD == below(ext4)


def test_a_whole_drive_as_needles(ext4: Path, tree: TreeBuilder, homes: Path) -> None:
    """Its folders go to the trash on it, and the next run has nothing to do."""
    hay = tree("hay", dict(enumerate_names(CARD)))
    build_tree(ext4, {**CARD, "c.jpg": b"three"})
    answer = clean(hay, ext4)
    assert {"DCIM", "c.jpg"} == {gone.unit.path.rpartition("/")[2] for gone in answer.moved}
    assert answer.is_complete
    assert {} == below(ext4)
    again = clean(hay, ext4)
    assert ([], ["it lies in the trash already"]) == (list(again.gone), [left.reason for left in again.plan.left])
    assert undo().is_complete
    assert {**CARD, "c.jpg": b"three"} == below(ext4)
