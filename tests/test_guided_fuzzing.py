"""Fuzzing by coverage: each target is a program for OSS-Fuzz, and a short run finds nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import parsers, texts
from tests.helpers.places import ROOT

NAMES = [*parsers.TARGETS, *texts.TARGETS]


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fuzz.guided", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)


@pytest.mark.slow
def test_every_target_is_built(tmp_path: Path) -> None:
    """The script of OSS-Fuzz builds a program a target, with a corpus; what builds and packs is stood in for."""
    for name in ("dupfind", "tests", "fixtures", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "fuzz", tmp_path / "fuzz")
    tools, out = tmp_path / "tools", tmp_path / "out"
    out.mkdir()
    tools.mkdir()
    for name, script in {"pip3": "", "compile_python_fuzzer": 'cp "$1" "$OUT"', "zip": 'ls . > "$3"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o700)
    (tools / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tools / "python3").chmod(0o700)
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "OUT": str(out)}
    script = ROOT / "fuzz" / "oss_fuzz" / "build.sh"
    done = subprocess.run(["bash", "-eu", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert 0 == done.returncode, done.stderr[-2000:]
    labels = [name.replace(" ", "_") for name in NAMES]
    built = [f"fuzz_{label}{end}" for label in labels for end in (".py", "_seed_corpus.zip")]
    assert sorted(built) == sorted(path.name for path in out.iterdir())
    assert all(path.stat().st_size for path in out.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jpeg stream", "mounts"])
def test_a_short_run(tmp_path: Path, name: str) -> None:
    """It begins with the samples, goes on from there, and nothing breaks."""
    pytest.importorskip("atheris", reason="atheris (the group fuzz) is not installed")
    done = _run("--seconds", "2", "--only", name, "--keep", tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr[-2000:]
    assert "nothing wrong" in done.stdout
    assert [name.replace(" ", "_")] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.slow
def test_a_target_that_is_none() -> None:
    """One line with those that there are."""
    done = _run("--only", "nonsense")
    assert (2, "") == (done.returncode, done.stdout)
    assert "no target has nonsense in its name; there are jpeg stream" in done.stderr
