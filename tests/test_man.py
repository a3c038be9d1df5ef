"""The manual page: everything that the help says, in roff that its readers read without a complaint."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import click
import pytest

from docs import man
from dupfind.cli.main import dupfind
from tests.helpers.places import ROOT


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    yield name, command
    if isinstance(command, click.Group):
        for part, below in command.commands.items():
            yield from commands(f"{name} {part}", below)


def shown() -> str:
    """The page as a terminal shows it, on one line, without what groff draws with."""
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", "-rLL=10000n", man.FILE], capture_output=True, check=True
    )
    return " ".join(done.stdout.decode().split())


def test_it_is_what_the_help_says() -> None:
    """The file in the repository is the one that would be written now."""
    assert man.FILE.read_text() == man.page()
    assert f'.TH DUPFIND 1 "{man.DATE}" "dupfind {man.VERSION}"' in man.page().splitlines()[0]


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_every_command_and_option_is_there() -> None:
    """With its text, whatever roff would have made of its characters."""
    page = shown()
    for name, command in commands("dupfind", dupfind):
        assert name in page
        for option in (one for one in command.params if isinstance(one, click.Option)):
            record = option.get_help_record(click.Context(command))
            assert record is not None
            assert " ".join(" ".join(record).split()) in page
        for example in re.findall(r"^ +(dupfind .*[^\\])$", command.epilog or "", re.MULTILINE):
            assert " ".join(example.split()) in page


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_say() -> None:
    """With every warning on."""
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", man.FILE], capture_output=True, check=True)
    assert (b"", b"") == (done.stdout, done.stderr)


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_mandoc_has_nothing_to_say() -> None:
    """Not even about style."""
    done = subprocess.run(["mandoc", "-Tlint", man.FILE], capture_output=True, check=False)
    assert (0, b"") == (done.returncode, done.stdout)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".TH", "\\&.TH"),
        ("'quoted'", "\\(aqquoted\\(aq"),
        ("a\\b", "a\\eb"),
        ("--all", "\\-\\-all"),
        ("~/Photos", "\\(ti/Photos"),
        ("é", "\\[u00E9]"),
    ],
)
def test_escapes(text: str, expected: str) -> None:
    """What begins a line as a command does, and what roff takes for something else."""
    assert expected == man._text(text)


def test_the_wheel_brings_it() -> None:
    """To where man looks."""
    text = (ROOT / "pyproject.toml").read_text()
    assert '"docs/man/dupfind.1" = "share/man/man1/dupfind.1"' in text
