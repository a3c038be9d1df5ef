"""What dupfind hash prints: lines that sha256sum's readers know, and the other formats."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dupfind.answers.hash import AskedHashes, Hashed
from dupfind.report import Screen
from dupfind.report.hash import SCHEMA, Renderer
from dupfind.settings import Format

ASKED = AskedHashes(("phash", "dhash"), 8, is_exact=True)
GOOD = Hashed("a b.jpg", ("00ff", "1234"))
BAD = Hashed("no.jpg", (), "not a picture")
HOSTILE = ["back\\slash", "line\nbreak", "return\r", "esc\x1b[31m", os.fsdecode(b"bytes\xff"), "plain"]


def rendered(format_: Format, *answers: Hashed, screen: Screen | None = None, print0: bool = False) -> bytes:
    """Everything that is printed of these answers."""
    renderer = Renderer(ASKED, format_, screen or Screen(), "1.0", print0=print0)
    return b"".join([renderer.head(), *map(renderer.file, answers), renderer.tail()])


def test_lines() -> None:
    """The hashes in their order, two blanks, the path; nothing of what has none."""
    assert b"00ff 1234  a b.jpg\n" == rendered(Format.TABLE, GOOD, BAD)
    assert b"a b.jpg\n" == rendered(Format.PATHS, GOOD, BAD)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_hostile_names_are_escaped_as_sha256sum_does(tmp_path: Path) -> None:
    """To the byte, with and without NUL."""
    for name in HOSTILE:
        (tmp_path / name).write_bytes(b"")
    for options in ([], ["--zero"]):
        done = subprocess.run(["sha256sum", *options, *HOSTILE], cwd=tmp_path, capture_output=True, check=True)
        digest = hashlib.sha256().hexdigest()
        found = rendered(Format.TABLE, *(Hashed(name, (digest,)) for name in HOSTILE), print0=bool(options))
        assert done.stdout == found


def test_a_terminal_is_not_fooled() -> None:
    """Control characters are escaped, also where lines are not."""
    screen = Screen(is_terminal=True)
    for format_ in (Format.TABLE, Format.PATHS):
        shown = rendered(format_, *(Hashed(name, ("00", "11")) for name in HOSTILE), screen=screen)
        assert not {b"\x1b"[0], b"\r"[0]} & set(shown)
        assert len(HOSTILE) == shown.count(b"\n")


def test_print0_leaves_paths_as_they_are() -> None:
    """Also in a list of paths alone."""
    expected = b"".join(os.fsencode(name) + b"\0" for name in HOSTILE)
    assert expected == rendered(Format.PATHS, *(Hashed(name, ("00", "11")) for name in HOSTILE), print0=True)


def test_csv() -> None:
    """A column an algorithm; what failed has a line too, with its reason."""
    text = rendered(Format.CSV, GOOD, BAD, Hashed("=1+1", ("0", "1")), Hashed("a\rb", ("0", "1"))).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert ["path", "phash", "dhash", "error"] == rows[0]
    assert [["a b.jpg", "00ff", "1234", ""], ["no.jpg", "", "", "not a picture"]] == rows[1:3]
    assert ["'=1+1", "a\rb"] == [row[0] for row in rows[3:]]


def test_json() -> None:
    """One object with the schema and what was asked; hashes by their names."""
    whole = json.loads(rendered(Format.JSON, GOOD, BAD, Hashed(os.fsdecode(b"\xff"), ("0", "1"))))
    assert SCHEMA == whole["schema"]
    assert "1.0" == whole["dupfind"]
    assert {"algorithms": ["phash", "dhash"], "size": 8, "exact": True} == whole["settings"]
    assert {"path": "a b.jpg", "hashes": {"phash": "00ff", "dhash": "1234"}, "error": None} == whole["files"][0]
    assert {"path": "no.jpg", "hashes": None, "error": "not a picture"} == whole["files"][1]
    assert base64.b64encode(b"\xff").decode() == whole["files"][2]["path_bytes"]


def test_json_lines() -> None:
    """Each as soon as it is known."""
    renderer = Renderer(ASKED, Format.JSONL, Screen(), "1.0", print0=False)
    line = renderer.file(GOOD)
    assert {
        "type": "file",
        "path": "a b.jpg",
        "hashes": {"phash": "00ff", "dhash": "1234"},
        "error": None,
    } == json.loads(line)
    assert (b"", b"") == (renderer.head(), renderer.tail())
