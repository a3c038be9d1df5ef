"""The trash: notes as the specification has them, names that are free, and no folder of somebody else's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from dupfind.acting import trash
from dupfind.acting.trash import Trash, forget
from dupfind.errors import ActingError
from tests.helpers.places import SECOND_DEVICE


def test_a_note_says_where_it_was(homes: Path) -> None:
    """Bytes are percent-encoded; the name is that of the file, or the next that is free."""
    path = str(homes / os.fsdecode(b"a b\xff%.jpg"))
    own = Trash(str(homes))
    claim = own.claim(path)
    lines = Path(claim.info).read_text().splitlines()
    assert ("[Trash Info]", f"Path={homes}/a%20b%FF%25.jpg") == tuple(lines[:2])
    assert lines[2].startswith("DeletionDate=20")
    assert "a b 2" == own.claim(str(homes / "a b")).name or own.claim(str(homes / "a b")).name.startswith("a b")
    assert os.path.join(claim.files, claim.name).endswith(os.fsdecode(b"files/a b\xff%.jpg"))
    assert 0o700 == os.stat(claim.files).st_mode & 0o777


@pytest.mark.parametrize("name", ["x" * 255, "x" * 251 + ".jpg", "\u00e9" * 127 + "x"])
def test_long_names(homes: Path, name: str) -> None:
    """The note has a suffix, for which there has to be room, and a number as well; it keeps the whole path."""
    own = Trash(str(homes))
    claims = [own.claim(f"/x/{name}") for _ in range(3)]
    assert 3 == len({claim.name for claim in claims})
    for claim in claims:
        Path(claim.files, claim.name).write_bytes(b"a photo")
        assert len(os.fsencode(os.path.basename(claim.info))) <= 255
        assert os.path.splitext(name)[1] == os.path.splitext(claim.name)[1]
        assert f"Path=/x/{quote(name)}\n" in Path(claim.info).read_text()


def test_two_claims_never_share_a_name(homes: Path) -> None:
    """The note takes it, before anything lies there; what lies there without a note keeps it as well."""
    own = Trash(str(homes))
    (homes / "data" / "Trash" / "files" / "a.jpg").write_bytes(b"without a note")
    names = [own.claim("/x/a.jpg").name for _ in range(3)]
    assert ["a 2.jpg", "a 3.jpg", "a 4.jpg"] == names


def test_notes_go_with_what_they_are_of(homes: Path) -> None:
    """Only a note of nothing is removed, and only a note."""
    own = Trash(str(homes))
    claim = own.claim("/x/a.jpg")
    Path(claim.files, claim.name).write_bytes(b"a photo")
    own.give_back(claim)
    forget(claim.info)
    assert Path(claim.info).exists()
    Path(claim.files, claim.name).unlink()
    other = homes / "info" / "photo.trashinfo.jpg"
    other.parent.mkdir()
    other.write_bytes(b"a photo")
    forget(str(other))
    forget(claim.info)
    assert (False, True) == (Path(claim.info).exists(), other.exists())


@pytest.mark.parametrize("what", ["a link", "a file"])
def test_a_trash_that_is_none(homes: Path, what: str) -> None:
    """Nothing is thrown where a link leads."""
    (homes / "data").mkdir()
    (homes / "elsewhere").mkdir()
    if what == "a link":
        (homes / "data" / "Trash").symlink_to(homes / "elsewhere")
    else:
        (homes / "data" / "Trash").write_bytes(b"")
    with pytest.raises(ActingError, match="no trash"):
        Trash(str(homes))
    assert [] == list((homes / "elsewhere").iterdir())


def test_a_trash_of_somebody_else(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it could take out what was thrown in."""
    (homes / "data" / "Trash").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ActingError, match="no trash"):
        Trash(str(homes))


def test_the_trash_of_another_drive(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its top: the shared one where it is safe, else one of our own; the note has the way from there."""
    drive = homes / "drive"
    (drive / "photos").mkdir(parents=True)
    monkeypatch.setattr(trash, "_home_trash", lambda _: None)
    monkeypatch.setattr(trash, "_top_of", lambda *_: str(drive))
    own = Trash(str(drive / "photos"))
    claim = own.claim(str(drive / "photos" / "a.jpg"))
    assert str(drive / f".Trash-{os.getuid()}" / "files") == claim.files
    assert "Path=photos/a.jpg" in Path(claim.info).read_text()
    (drive / ".Trash").mkdir()
    assert f".Trash-{os.getuid()}" in Trash(str(drive)).path  # not sticky: anybody could take it away
    (drive / ".Trash").chmod(0o1777)
    assert str(drive / ".Trash" / str(os.getuid())) == Trash(str(drive)).path


@pytest.mark.skipif(not os.access(SECOND_DEVICE, os.W_OK), reason="there is no second file system here")
def test_the_top_of_a_file_system() -> None:
    """The topmost folder with the same device."""
    device = os.stat(SECOND_DEVICE).st_dev
    if os.stat("/dev").st_dev == device:
        pytest.skip("there is no second file system here")
    assert str(SECOND_DEVICE) == trash._top_of(str(SECOND_DEVICE), device)


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems(homes: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    """Have another trash, which is not known here."""
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(ActingError, match="freedesktop"):
        Trash(str(homes))
