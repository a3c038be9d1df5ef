"""Shards of a folder: each file in one of them, and all of them together what one machine would have written down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.catalog.catalog_file import CatalogFile
from dupfind.catalog.shards import Shard
from dupfind.errors import SettingsError
from fixtures import pictures
from tests.helpers.shelf import TreeBuilder

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
_TIMES = ("started", "elapsed_seconds", "updated", "age_seconds")


@given(parts=st.integers(1, 50), path=st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_each_file_is_in_one_shard(parts: int, path: str) -> None:
    """With all others of its folder, whichever form its letters have."""
    path = os.fsdecode(path.encode("utf-8", "surrogateescape" if path.isascii() else "ignore"))
    holders = [number for number in range(1, parts + 1) if Shard(number, parts).holds(path)]
    assert 1 == len(holders)
    shard = Shard(holders[0], parts)
    assert shard.holds(path.rpartition("/")[0] + "/beside" if "/" in path else "beside")
    assert shard.holds(normalize("NFD", path))


def test_shards_are_the_same_for_ever() -> None:
    """Machines with other versions work together, and a shard is brought up to date, not made anew."""
    paths = ["a.jpg", "2006/a.jpg", "2006/b.jpg", "2006/07/a.jpg", "Müll/a.jpg", "x/y/z/a.jpg"]
    assert [2, 3, 3, 2, 3, 2] == [next(n for n in (1, 2, 3) if Shard(n, 3).holds(path)) for path in paths]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "1/10001", "-1/2", "1/2/3", "a/b", "1 /2"])
def test_what_is_no_shard(text: str) -> None:
    """One clear line."""
    with pytest.raises(SettingsError, match="--shard takes I/N"):
        Shard.parsed(text)


@pytest.fixture
def drive(tree: TreeBuilder) -> Path:
    """Twenty folders with pictures, copies among them, a broken one, text, and a name that is no text."""
    contents: dict[str, Any] = {}
    for number in range(20):
        folder = f"f{number % 7}/g{number}"
        contents[f"{folder}/a.png"] = pictures.photo(number % 9, (160, 120))
        contents[f"{folder}/n.txt"] = f"note {number % 5}".encode()
    contents["f1/broken.jpg"] = b"\xff\xd8\xff\xe0 broken"
    contents["top.txt"] = b"top"
    folder = tree("drive", contents)
    Path(os.fsdecode(os.fsencode(folder) + b"/f2/\xff.txt")).write_bytes(b"odd")
    return folder


def shards(dupfind: Run, parts: int, *options: str) -> list[str]:
    """Index each shard; gives their catalogs."""
    names = []
    for number in range(1, parts + 1):
        names.append(f"{number}.cat")
        done = dupfind("index", "drive", "--shard", f"{number}/{parts}", "--catalog", names[-1], *options)
        assert done.returncode in (0, 1), done.stderr
    return names


def answers(dupfind: Run, catalog: str) -> list[Any]:
    """What every command that takes a catalog says with this one, without the times of the run."""
    found = []
    for words in (
        ("scan", "--haystack", catalog, "--needles", "needles", "--all", "--quick"),
        ("scan", "--haystack", catalog, "--needles", "needles"),
        ("find", "needles/p.jpg", "--haystack", catalog),
        ("groups", catalog),
    ):
        done = dupfind(*words, "--format", "json")
        assert done.returncode in (0, 1), done.stderr
        found.append((without_times(json.loads(done.stdout)), done.stderr))
    return found


def without_times(value: object) -> object:
    """Leave out when it was."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in _TIMES}
    return [without_times(part) for part in value] if isinstance(value, list) else value


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("parts", [2, 1, 3, 8])
def test_merged_shards_answer_as_one_index(
    dupfind: Run, tree: TreeBuilder, drive: Path, tmp_path: Path, parts: int
) -> None:
    """Whatever their number, and in whatever order they are named."""
    tree("needles", {"p.jpg": pictures.photo(3, (160, 120)), "n.txt": b"note 2", "new.txt": b"new"})
    shutil.copytree(drive / "f3", tmp_path / "needles" / "f3")
    assert 1 == dupfind("index", "drive", "--catalog", "c").returncode
    expected = answers(dupfind, "c")
    (tmp_path / "c").unlink()
    done = dupfind("index", "--merge", "c", *reversed(shards(dupfind, parts)))
    assert (1, b"") == (done.returncode, done.stderr[:0]), "the broken picture is told of"
    assert expected == answers(dupfind, "c")
    checked = dupfind("index", "--check", "c", "drive")
    assert b"lists what is in drive" in checked.stdout


@pytest.mark.slow
def test_shards_as_they_are_prove_what_the_whole_proves(dupfind: Run, drive: Path, tree: TreeBuilder) -> None:
    """Several catalogs are a haystack; so nothing has to be merged."""
    tree("needles", {"n.txt": b"note 2", "t.txt": b"top", "new.txt": b"new"})
    names = shards(dupfind, 2)
    haystack = [word for name in names for word in ("--haystack", name)]
    files = json.loads(dupfind("scan", *haystack, "--needles", "needles", "--format", "json").stdout)["files"]
    assert {"n.txt": "present", "t.txt": "present", "new.txt": "missing"} == {
        os.path.basename(file["path"]): file["verdict"] for file in files
    }


@pytest.mark.slow
@pytest.mark.usefixtures("drive")
def test_a_shard_is_brought_up_to_date(dupfind: Run, tmp_path: Path) -> None:
    """Only its own files; as another shard it is refused, and so is a catalog of everything."""
    names = shards(dupfind, 2)
    folder = next(
        path
        for path in sorted((tmp_path / "drive").rglob("g*"))
        if Shard(1, 2).holds(f"{path.relative_to(tmp_path / 'drive')}/x")
    )
    (folder / "new.txt").write_bytes(b"new")
    again = [
        dupfind("index", "drive", "--shard", f"{n}/2", "--catalog", name) for n, name in ((1, names[0]), (2, names[1]))
    ]
    new = [json.loads(dupfind("index", "--check", name, "--format", "json").stdout)["summary"]["new"] for name in names]
    assert [0, 0] == new
    assert all(done.returncode in (0, 1) for done in again)
    for words in (
        ("--shard", "2/2", "--catalog", names[0]),
        ("--catalog", names[0]),
        ("--shard", "1/3", "--catalog", names[0]),
    ):
        done = dupfind("index", "drive", *words)
        assert (2, b"") == (done.returncode, done.stdout)
        assert b"1.cat lists shard 1/2 of " in done.stderr


def _refused(dupfind: Run, words: Sequence[str]) -> str:
    done = dupfind("index", *words)
    assert (2, b"") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    return done.stderr.decode()


@pytest.mark.usefixtures("drive")
def test_what_does_not_make_one_whole_is_refused(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """A shard that is missing would be photos that no catalog knows; nothing is written."""
    one, two = shards(dupfind, 2)
    tree("other", {"a.txt": b"1"})
    dupfind("index", "other", "--shard", "2/2", "--catalog", "other.cat")
    dupfind("index", "drive", "--shard", "2/2", "--catalog", "excluded.cat", "--exclude", "*.txt")
    dupfind("index", "drive", "--shard", "2/3", "--catalog", "of3.cat")
    dupfind("index", "drive", "--catalog", "whole.cat")
    (tmp_path / "notes.txt").write_bytes(b"notes")
    for catalogs, message in (
        ([one], "shard 2/2 is not among them"),
        ([two], "shard 1/2 is not among them"),
        ([one, one], "1.cat and 1.cat are both shard 1/2"),
        ([one, "other.cat"], "other.cat lists another folder than 1.cat"),
        ([one, "excluded.cat"], "excluded.cat left other files out than 1.cat"),
        ([one, "of3.cat"], "of3.cat is one of another number of shards than 1.cat (3, not 2)"),
        ([one, "whole.cat"], "whole.cat is no shard"),
        ([one, "notes.txt"], "notes.txt: not a catalog of dupfind"),
        ([one, "none.cat"], "none.cat: no such file or directory"),
        ([], "takes the catalogs of all shards"),
    ):
        assert message in _refused(dupfind, ["--merge", "all.cat", *catalogs])
    assert "notes.txt: not a catalog of dupfind: it is left as it is" in _refused(
        dupfind, ["--merge", "notes.txt", one, two]
    )
    dupfind("index", "other", "--catalog", "drawer.cat")
    kept = (tmp_path / "drawer.cat").read_bytes()
    assert f"drawer.cat lists {tmp_path / 'other'}, and not {tmp_path / 'drive'}: it is left as it is" in _refused(
        dupfind, ["--merge", "drawer.cat", one, two]
    )
    assert kept == (tmp_path / "drawer.cat").read_bytes()
    assert "would replace what catalog 1.cat reads" in _refused(dupfind, ["--merge", one, one, two])
    assert "--shard goes with --catalog" in _refused(dupfind, ["--merge", "all.cat", "--shard", "1/2", one, two])
    assert "one of --catalog FILE, --check FILE and --merge FILE" in _refused(dupfind, ["drive"])
    assert "one DIR is indexed at a time" in _refused(dupfind, ["drive", "other", "--catalog", "x"])
    assert not (tmp_path / "all.cat").exists()
    assert b"notes" == (tmp_path / "notes.txt").read_bytes()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".dupfind-")]


@pytest.mark.slow
@pytest.mark.usefixtures("drive")
def test_a_shard_that_was_stopped_is_refused(dupfind: Run, tmp_path: Path) -> None:
    """It does not list all that is its own."""
    one, two = shards(dupfind, 2)
    with opened(tmp_path / two) as file, file.transaction():
        about = file.about()
        assert about is not None
        file.set_about(replace(about, is_complete=False))
    assert "2.cat: its indexing has not come to its end" in _refused(dupfind, ["--merge", "all.cat", one, two])
    with opened(tmp_path / two) as file, file.transaction():
        file.set_about(about)
        file.connection.execute("UPDATE folder SET path = CAST('elsewhere/' || path AS BLOB)")
    assert "is not of shard 2/2" in _refused(dupfind, ["--merge", "all.cat", one, two])


@contextmanager
def opened(path: Path) -> Iterator[CatalogFile]:
    """Open a catalog for a block."""
    file = CatalogFile.for_writing(str(path))
    try:
        yield file
    finally:
        file.close()


@pytest.mark.usefixtures("drive")
def test_a_shard_as_needles_never_stands_for_the_drive(dupfind: Run, tree: TreeBuilder) -> None:
    """What the other shards list is nowhere seen; the plan says so."""
    tree("hay", {f"{number}.txt": f"note {number}".encode() for number in range(5)} | {"top.txt": b"top"})
    names = shards(dupfind, 2, "--exclude", "*.png", "--exclude", "*.jpg", "--exclude", "*\udcff*")
    for name in names:
        done = dupfind("scan", "--haystack", "hay", "--needles", name, "--format", "json", "--all")
        whole = json.loads(done.stdout)
        assert 1 == done.returncode
        assert "contained" != next(one["verdict"] for one in whole["folders"] if one["path"] == name)
        assert any("lists shard" in one["reason"] for one in whole["problems"])
