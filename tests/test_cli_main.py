"""The group of commands: its version, and what it says to words in the wrong order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from platform import python_version

import pytest

from dupfind import __version__
from dupfind.cli.main import dupfind as group
from dupfind.cli.main import run
from dupfind.errors import ExitCode

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_no_summary_is_cut_off(dupfind: Run) -> None:
    """Each command has one that fits on a line of 80 columns."""
    done = dupfind("--help", env={"COLUMNS": "80"})
    lines = done.stdout.decode().split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert len(group.commands) == len(lines)
    assert not [line for line in lines if line.endswith("...") or line.startswith("   ")]


def test_commands_are_made_when_they_are_asked_for() -> None:
    """All options of all commands take longer than a small scan has; each command is the one of its name."""
    code = (
        "import sys; from dupfind.cli.main import dupfind; assert 'find' in dupfind.commands; "
        "assert dupfind.commands['scan'].name == 'scan'; "
        "print(sorted(name for name in sys.modules if name in ('dupfind.cli.find', 'dupfind.cli.scan')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"['dupfind.cli.scan']" == done.stdout.strip()
    assert list(group.commands) == [command.name for command in group.commands.values()]
    assert "no such" not in group.commands


def test_version(dupfind: Run) -> None:
    """Ours on the first line, for scripts; below it what decides hashes, by the names under which it is installed."""
    done = dupfind("--version")
    first, *lines = done.stdout.decode().splitlines()
    assert (0, b"", f"dupfind {__version__}") == (done.returncode, done.stderr, first)
    shown = dict(line.split(" ", 1) for line in lines)
    assert python_version() == shown.pop("Python")
    assert {"Pillow", "simplejpeg", "pillow-heif", "ImageHash", "numpy", "scipy", "PyWavelets"} <= shown.keys()
    for name, version in shown.items():
        if version != "not installed":
            assert metadata.version(name) == version


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--html", "page.html", "scan"], "'--html' stands behind the command: dupfind scan --html ..."),
        (["--apply", "clean"], "'--apply' stands behind the command: dupfind clean --apply ..."),
        (["--haystack", "a", "b"], "'--haystack' needs a command before it: dupfind scan --haystack ..."),
        (["--html", "page.html", "hash"], "No such option '--html'."),  # which no word order would mend
        (["--haystak", "a"], "No such option '--haystak'."),
        (["{folder}"], "{folder} is a folder; to check it: dupfind scan --haystack DIR {folder}"),
        (["{folder}/none"], "No such command '{folder}/none'."),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_words_in_the_wrong_order(
    words: list[str], told: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Whoever knows the words but not their order is told the order."""
    assert run([word.format(folder=tmp_path) for word in words]) == ExitCode.NO_VERDICT
    assert f"Error: {told.format(folder=tmp_path)}" in capsysbinary.readouterr().err.decode()
