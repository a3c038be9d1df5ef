"""The help: in two lengths, under headings, of a command by name; the script for a shell; colours."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from dupfind.cli.main import dupfind as group

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[..., Path]
HEADINGS = ["What", "Judging", "Output", "Speed and limits", "General"]


def sections(text: str) -> dict[str, list[str]]:
    """Return the options below each heading of a help text."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][a-z ]+:", line):
            heading = line[:-1]
            found[heading] = []
        elif heading and (name := re.match(r"  (?:-\w, )?(--?[\w-]+)", line)):
            found[heading].append(name[1])
    return found


def test_all_options_are_under_headings(dupfind: Run) -> None:
    """In the order in which a person thinks of them."""
    shown = sections(dupfind("scan", "--help").stdout.decode())
    assert HEADINGS == list(shown)
    assert {"--haystack", "--needles", "--exclude", "--archives"} <= set(shown["What"])
    assert {"--accept", "--threshold", "--quick", "--decisions"} <= set(shown["Judging"])
    assert {"--format", "--files", "--color", "--quiet", "--profile-stages"} <= set(shown["Output"])
    assert {"--workers", "--cache", "--no-cache"} <= set(shown["Speed and limits"])
    assert ["--profile", "-h", "--help"] == shown["General"]


def test_the_short_help_is_short(dupfind: Run) -> None:
    """What is used most, examples, and how to see the rest: on one screen and a half."""
    whole, brief = (dupfind("scan", option).stdout.decode() for option in ("--help", "-h"))
    assert 3 * len(brief.splitlines()) < 2 * len(whole.splitlines())
    options = [name for names in sections(brief).values() for name in names]
    assert {"--haystack", "--needles", "--files", "--format"} <= set(options)
    assert "--max-pixels" not in options
    number = sum(map(len, sections(whole).values()))
    assert f"dupfind scan --help shows all {number} options." in brief
    assert "Examples:" in brief


@pytest.mark.parametrize("name", [name for name in group.commands if name != "scan"])
def test_buckets_are_told_of_where_they_can_be_used(name: str) -> None:
    """That is in a scan."""
    told = " ".join(option.help or "" for option in group.commands[name].params if isinstance(option, click.Option))
    assert not re.search("bucket|s3:|sftp:|https:|immich:", told)


@pytest.mark.parametrize("name", ["undo", "completion", "config"])
def test_few_options_are_all_shown(dupfind: Run, name: str) -> None:
    """Two lengths would be one too many."""
    whole, brief = (sections(dupfind(name, option).stdout.decode()) for option in ("--help", "-h"))
    assert whole == brief


def test_no_line_is_wider_than_the_screen() -> None:
    """Of any command, on 80 columns: what click does not fill has to be short."""
    context = click.Context(group, info_name="dupfind", terminal_width=80, help_option_names=["-h", "--help"])
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        shown = command.get_help(click.Context(command, info_name=name, parent=context, terminal_width=80))
        assert [] == [line for line in shown.splitlines() if len(line) > 80], name


def test_help_by_name(dupfind: Run) -> None:
    """As git has it; of the program, of a command, of one within another."""
    assert dupfind("help").stdout == dupfind("--help").stdout
    assert dupfind("help", "scan").stdout == dupfind("scan", "--help").stdout
    assert dupfind("help", "cache", "prune").stdout == dupfind("cache", "prune", "--help").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [(("scna",), b"No such command 'scna'"), (("scan", "x"), b"dupfind scan has no commands of its own")],
)
def test_help_of_nothing(dupfind: Run, words: tuple[str, ...], message: bytes) -> None:
    """A mistake like any other."""
    done = dupfind("help", *words)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(dupfind: Run, shell: str) -> None:
    """The same that click's variable gives."""
    done = dupfind("completion", shell)
    assert (0, b"") == (done.returncode, done.stderr)
    by_variable = dupfind(env={"_DUPFIND_COMPLETE": f"{shell}_source"})
    assert done.stdout.strip() == by_variable.stdout.strip()
    assert f"{shell}_complete".encode() in done.stdout


def test_a_shell_is_asked_for_on_one_line(dupfind: Run) -> None:
    """With the choices."""
    done = dupfind("completion")
    assert 2 == done.returncode
    assert done.stderr.decode().splitlines()[-1].endswith("Choose from: bash, zsh, fish")


def test_short_version(dupfind: Run) -> None:
    """-V, as most tools have it."""
    assert dupfind("-V").stdout == dupfind("--version").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "env", "has_color"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        ((), {"DUPFIND_COLOR": "always"}, True),
    ],
)
def test_colours(
    dupfind: Run, tree: TreeBuilder, options: tuple[str, ...], env: dict[str, str], has_color: bool
) -> None:
    """The option first, then NO_COLOR, then FORCE_COLOR; else where it is a terminal."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"b.txt": b"2"})
    done = dupfind("scan", "--haystack", "hay", "needles", *options, env={"NO_COLOR": "", "COLORTERM": "", **env})
    assert 1 == done.returncode
    assert has_color == (b"\x1b[31m" in done.stdout)
    plain = re.sub(rb"\x1b\[[\d;]*m", b"", done.stdout)
    assert b"missing" in plain
