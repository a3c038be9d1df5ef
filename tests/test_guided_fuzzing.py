"""Fuzzing by coverage: the files for OSS-Fuzz and the Makefile know each target, and a short run finds nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import parsers
from tests.helpers.places import ROOT

NAMES = [name.replace(" ", "-") for name in parsers.TARGETS]


def test_every_target_is_built() -> None:
    """By OSS-Fuzz, and here."""
    script = (ROOT / "fuzz" / "oss_fuzz" / "build.sh").read_text()
    loops = re.findall(r"^for target in (.+); do$", script, re.MULTILINE)
    assert [[name.replace("-", "_") for name in NAMES]] * 2 == [loop.split() for loop in loops]
    (loop,) = re.findall(r"^\tfor target in (.+); do", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert NAMES == loop.split()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_short_run(tmp_path: Path, name: str) -> None:
    """It begins with the samples, goes on from there, and nothing breaks."""
    pytest.importorskip("atheris", reason="atheris (the group fuzz) is not installed")
    corpus = tmp_path / "corpus"
    options = "-runs=60", "-seed=1", "-verbosity=0", f"-artifact_prefix={tmp_path}/"
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.guided", name, str(corpus), *options],
        cwd=ROOT, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-2000:]
    assert len(list(corpus.iterdir())) > 10
    assert [corpus] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_target_that_is_none() -> None:
    """One line."""
    pytest.importorskip("atheris", reason="atheris (the group fuzz) is not installed")
    command = [sys.executable, "-m", "fuzz.guided", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert (1, "") == (done.returncode, done.stdout)
    assert "no target nonsense; there are jpeg-stream" in done.stderr
