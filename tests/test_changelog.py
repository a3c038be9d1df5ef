"""The changelog: ten lines on 1.0 for people, and fragments that are well named from then on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in CONFIG["type"]]
NAME = re.compile(rf"(\+[a-z0-9][a-z0-9-]*|[0-9]+)\.({'|'.join(KINDS)})(\.[0-9]+)?\.md")
MOST_LETTERS = 600


def faults(folder: Path) -> list[str]:
    """What is wrong with the fragments in a folder, a line each."""
    wrong = []
    for path in sorted(folder.iterdir()):
        if path.name in CONFIG["ignore"]:
            continue
        if not NAME.fullmatch(path.name):
            wrong.append(f"{path.name}: is not called +NAME or an issue's number, then {', '.join(KINDS)}, then md")
        elif not 10 < len(path.read_text().strip()) < MOST_LETTERS:
            wrong.append(f"{path.name}: one or two sentences")
    return wrong


def test_fragments_are_well_named() -> None:
    """Each has a kind that the configuration knows, or it would not be told of, and says something."""
    assert [] == faults(ROOT / "changes")


@pytest.mark.parametrize(
    ("name", "content", "is_good"),
    [
        ("+films.added.md", "Films of a new kind are read.", True),
        ("23.fixed.md", "A film is no longer missing.", True),
        ("23.fixed.1.md", "A film is no longer missing.", True),
        ("films.added.md", "Films of a new kind are read.", False),
        ("+films.new.md", "Films of a new kind are read.", False),
        ("+films.added.txt", "Films of a new kind are read.", False),
        ("+films.added.md", "\n", False),
    ],
)
def test_what_is_well_named(tmp_path: Path, name: str, content: str, *, is_good: bool) -> None:
    """A name that towncrier would pass over is a fault, and so is one that says nothing."""
    (tmp_path / name).write_text(content)
    (tmp_path / "README.md").write_text("how to")
    assert is_good == (faults(tmp_path) == [])


@pytest.mark.slow
def test_what_the_next_release_would_say(tmp_path: Path) -> None:
    """Fragments under their headings, above the releases before; then they are gone."""
    pytest.importorskip("towncrier", reason="towncrier is not installed")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "+films.added.md").write_text("Films of a new kind are read.\n")
    (tmp_path / "changes" / "23.fixed.md").write_text("A film is no longer missing.\n")
    command = [sys.executable, "-m", "towncrier", "build", "--version", "1.1.0", "--date", "2027-01-01", "--yes"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    lines = [line for line in (tmp_path / "CHANGELOG.md").read_text().splitlines() if line]
    start = lines.index("## 1.1.0 (2027-01-01)")
    assert [
        "### Added",
        "- Films of a new kind are read.",
        "### Fixed",
        "- A film is no longer missing. ([#23](https://github.com/dupfind/dupfind/issues/23))",
        "## 1.0.0",
    ] == lines[start + 1 : start + 6]
    assert CONFIG["start_string"].strip() == lines[start - 1]
    assert [] == list((tmp_path / "changes").iterdir())


def test_ten_lines_on_the_first_release() -> None:
    """What is new for people; the rest stands behind."""
    section = (ROOT / "CHANGELOG.md").read_text().partition("## 1.0.0\n")[2]
    first, _, rest = section.partition("### All of it")
    assert 10 == sum(line.startswith("- ") for line in first.splitlines())
    assert len(rest) > len(first)
