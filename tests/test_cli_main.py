"""The group of commands: its version."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib import metadata
from platform import python_version

from dupfind import __version__
from dupfind.cli.main import dupfind as group

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_no_summary_is_cut_off(dupfind: Run) -> None:
    """Each command has one that fits on a line of 80 columns."""
    done = dupfind("--help", env={"COLUMNS": "80"})
    lines = done.stdout.decode().split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert len(group.commands) == len(lines)
    assert not [line for line in lines if line.endswith("...") or line.startswith("   ")]


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
