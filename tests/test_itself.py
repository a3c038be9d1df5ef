"""One file under two names is one file; two files with the same bytes are two."""

from __future__ import annotations

import os
from pathlib import Path

from dupfind.files.itself import is_itself
from dupfind.files.roots import named_file
from dupfind.values import FileEntry


def test_names_of_one_file(tmp_path: Path) -> None:
    """The same path, a link, a path by a linked folder; not a copy, not a hard link under another name."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "copy").write_bytes(b"a")
    os.symlink(tmp_path / "a", tmp_path / "link")
    os.symlink(tmp_path, tmp_path / "folder")
    os.link(tmp_path / "a", tmp_path / "hard")
    first = named_file(str(tmp_path / "a")).entry
    entries = {
        name: named_file(str(tmp_path / name)).entry for name in ("a", "./a", "link", "folder/a", "copy", "hard")
    }
    assert {"a", "./a", "link", "folder/a"} == {name for name, one in entries.items() if is_itself(one, first)}


def test_what_is_gone_is_no_witness(tmp_path: Path) -> None:
    """In doubt it is the same file."""
    (tmp_path / "a").write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / "hard")
    first, hard = (named_file(str(tmp_path / name)).entry for name in ("a", "hard"))
    os.unlink(tmp_path / "hard")
    assert is_itself(hard, first)


def test_a_system_without_inodes(tmp_path: Path) -> None:
    """A file is known by its path."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"a")
    one, other = (named_file(str(tmp_path / name)).entry._replace(inode=0) for name in ("a", "b"))
    assert is_itself(one, one)
    assert not is_itself(other, one)


def test_the_same_name_is_itself_whatever_became_of_it(tmp_path: Path) -> None:
    """Walked once before and once after it was written to, or where there are no inodes: one file all the same."""
    path = str(tmp_path / "gone.jpg")
    before, after = FileEntry(path, 10, 1, 1, 5), FileEntry(path, 12, 2, 2, 6)
    assert is_itself(before, after)
    assert is_itself(before._replace(inode=0), before._replace(inode=0))
