"""Shell completion, by click's scripts and our own main."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dupfind.cli.main import run

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("comp",), ["plain,compare", "plain,completion"]),
        (("compare", "--vis"), ["plain,--visual"]),
        (("compare", "--accept", "s"), ["plain,same", "plain,similar"]),
        (("hash", "--algorithm", ""), ["plain,phash", "plain,dhash", "plain,ahash", "plain,whash"]),
        (("hash", "holiday"), ["file,holiday"]),
        (("scan", "--haystack", "Pho"), ["dir,Pho"]),
        (("scan", "--output", "re"), ["file,re"]),
        (("cache", "pr"), ["plain,prune"]),
    ],
    ids=" ".join,
)
def test_what_is_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: list[str]
) -> None:
    """Commands, options, choices; files and folders are left to the shell."""
    monkeypatch.setenv("_DUPFIND_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(("dupfind", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    assert 0 == run([])
    shown = capsys.readouterr()
    assert (expected, "") == (shown.out.split(), shown.err)


def test_another_instruction_is_a_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """2 and a line."""
    monkeypatch.setenv("_DUPFIND_COMPLETE", "tcsh_source")
    assert 2 == run([])
    message = "dupfind: _DUPFIND_COMPLETE is bash_source, zsh_source or fish_source, not tcsh_source\n"
    assert ("", message) == capsys.readouterr()


def test_completing_is_light() -> None:
    """It is waited for at every tab."""
    code = (
        "import sys; from dupfind.cli.main import run; run([]); "
        "heavy = {'numpy', 'PIL', 'imagehash', 'rich', 'tqdm', 'sqlite3'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    environment = {"_DUPFIND_COMPLETE": "bash_complete", "COMP_WORDS": "dupfind compare --fo", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, check=True
    )
    assert (b"plain,--format\n", b"[]\n") == (done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_of_the_shell(dupfind: Run, tmp_path: Path, shell: str) -> None:
    """It names our variable and our command, and the shell can read it."""
    done = dupfind(env={"_DUPFIND_COMPLETE": f"{shell}_source"})
    assert (0, b"") == (done.returncode, done.stderr)
    assert f"_DUPFIND_COMPLETE={shell}_complete".encode() in done.stdout
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_bytes(done.stdout)
    assert 0 == subprocess.run([shell, "-n", script], check=False).returncode


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash(tmp_path: Path) -> None:
    """The real shell with the real script: what it would offer."""
    script = """
        PATH="$1:$PATH"
        eval "$(_DUPFIND_COMPLETE=bash_source dupfind)"
        offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _dupfind_completion dupfind
                  echo "${COMPREPLY[*]}"; }
        complete -p dupfind
        offer dupfind ha
        offer dupfind compare --format j
        offer dupfind scan --acc
    """
    binaries = tmp_path / "bin"
    binaries.mkdir()
    command = binaries / "dupfind"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dupfind "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(["bash", "-c", script, "bash", binaries], capture_output=True, check=True, timeout=60)
    lines = done.stdout.decode().splitlines()
    assert lines[0].endswith("-F _dupfind_completion dupfind")
    assert ["hash", "json jsonl", "--accept"] == lines[1:]
