"""Folders held open: nothing is replaced, nothing lands elsewhere, and no file of others is ever removed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dupfind.acting import places
from dupfind.acting.places import Folder, NoSafeRenameError, Temporary, rename, temporary_name


@pytest.fixture(params=["renameat2", "link"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the call of Linux, and as on a system without."""
    if request.param == "link":
        monkeypatch.setattr(places, "_renameat2", lambda *_: errno.EINVAL)
    return str(request.param)


def test_a_name_that_is_taken_is_not_given(tmp_path: Path, way: str) -> None:
    """Not even in the moment in which somebody takes it."""
    with Folder.open(str(tmp_path)) as folder:
        target = Temporary(folder, temporary_name())
        os.write(target.handle, b"copy")
        (tmp_path / "a").write_bytes(b"a photo")
        with pytest.raises(FileExistsError):
            target.publish("a")
        target.publish("b")
        target.close()
    assert {"a": b"a photo", "b": b"copy"} == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_what_has_no_name_yet_is_gone_at_the_end(tmp_path: Path) -> None:
    """And only that: what came in its place is somebody's."""
    with Folder.open(str(tmp_path)) as folder:
        Temporary(folder, "x.part").close()
        assert [] == list(tmp_path.iterdir())
        target = Temporary(folder, "x.part")
        os.unlink(tmp_path / "x.part")
        (tmp_path / "x.part").write_bytes(b"a photo")
        target.close()
    assert b"a photo" == (tmp_path / "x.part").read_bytes()


def test_a_temporary_file_is_a_new_one(tmp_path: Path) -> None:
    """Never one that is there, nor what a link leads to."""
    (tmp_path / "photo").write_bytes(b"a photo")
    (tmp_path / "x.part").symlink_to("nowhere")
    with Folder.open(str(tmp_path)) as folder:
        for name in ("photo", "x.part"):
            with pytest.raises(FileExistsError):
                Temporary(folder, name)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_system_without_a_safe_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT behind FUSE has neither; what is not our own is never linked and unlinked."""
    monkeypatch.setattr(places, "_renameat2", lambda *_: errno.EINVAL)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no links")

    (tmp_path / "photo").write_bytes(b"a photo")
    with Folder.open(str(tmp_path)) as folder:
        with pytest.raises(NoSafeRenameError):
            rename(folder, "photo", folder, "b")
        monkeypatch.setattr(os, "link", refuse)
        target = Temporary(folder, "x.part")
        with pytest.raises(NoSafeRenameError, match="hard links"):
            target.publish("b")
        target.close()
    assert ["photo"] == os.listdir(tmp_path)


def test_no_link_is_gone_through(tmp_path: Path) -> None:
    """On no part of the way, and for no file."""
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "file").write_bytes(b"1")
    (tmp_path / "real" / "filelink").symlink_to("file")
    os.mkfifo(tmp_path / "real" / "pipe")
    for path in ("link", "link/sub"):
        with pytest.raises(OSError, match=r"(Not a directory|symbolic links)"):
            Folder.open(str(tmp_path / path))
    with Folder.open(str(tmp_path)) as folder:
        with pytest.raises(OSError, match=r"(Not a directory|symbolic links)"):
            folder.below(["link", "sub"])
        with folder.below(["real"]) as real:
            for name in ("filelink", "pipe", "sub"):
                with pytest.raises(OSError, match=r"."):
                    real.open_file(name)


def test_a_folder_that_was_replaced_is_seen(tmp_path: Path) -> None:
    """By its path, which leads elsewhere."""
    path = tmp_path / "dest"
    path.mkdir()
    with Folder.open(str(path)) as folder:
        assert folder.is_where_it_was()
        path.rename(tmp_path / "moved")
        assert not folder.is_where_it_was()
        path.mkdir()
        assert not folder.is_where_it_was()


def test_left_overs(tmp_path: Path) -> None:
    """Only what has such a name is removed, and only a file."""
    name = temporary_name()
    (tmp_path / name).write_bytes(b"half")
    (tmp_path / "photo.part").write_bytes(b"a photo")
    other = temporary_name()
    (tmp_path / other).symlink_to("photo.part")
    with Folder.open(str(tmp_path)) as folder:
        assert places.remove_left_over(folder, name)
        assert not places.remove_left_over(folder, name)
        assert not places.remove_left_over(folder, "photo.part")
        assert not places.remove_left_over(folder, other)
    assert {"photo.part", other} == set(os.listdir(tmp_path))
