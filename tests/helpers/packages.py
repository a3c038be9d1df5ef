"""Packages built of a copy of the tree: nothing is written into the checkout while other tests read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SPARED = shutil.ignore_patterns("__pycache__", "_version.py")
BUILD = "build", "hatchling", "hatch_vcs"


def needs_build() -> None:
    """Skip where the tools are not installed."""
    for name in BUILD:
        pytest.importorskip(name, reason=f"{name}, which builds the packages, is not installed")


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what an sdist has to a folder without git."""
    folder.mkdir(parents=True)
    for name in (*PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"], "pyproject.toml", ".gitignore"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=SPARED)
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


def build(folder: Path, out: Path, **environment: str) -> dict[str, bytes]:
    """Build sdist and wheel with what is installed, and no network; gives them by name."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(folder)]
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SOURCE_DATE_EPOCH")}
    done = subprocess.run(command, capture_output=True, check=False, env={**alone, **environment}, text=True)
    assert 0 == done.returncode, done.stdout + done.stderr
    return {path.name: path.read_bytes() for path in out.iterdir()}
