"""What the commands that change files share: options, the question that is asked first, and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import click

from dupfind.cli import options
from dupfind.errors import ExitCode, SettingsError
from dupfind.settings import SIDECARS
from dupfind.sources.roots import is_below
from dupfind.values import Archives

if TYPE_CHECKING:
    from dupfind.answers.decisions import Decision
    from dupfind.progress import Console

FORMATS = ("table", "json")

journal = click.option(
    "--journal",
    metavar="FILE",
    type=options.FILE,
    help="Write the journal there. [default: in the user's state folder]",
)
decisions = click.option(
    "--decisions",
    metavar="FILE",
    type=options.FILE,
    help="Go by what you have decided in dupfind review, or in the page of --html and exported from there.",
)
formats = options.output_format(FORMATS)
needles = click.option(
    "--needles", metavar="DIR", multiple=True, type=options.FOLDER, help="What to check. Repeatable."
)
output = click.option(
    "--output", metavar="FILE", type=options.FILE, help="Write the report there, whole or not at all."
)
setting_aside = options.stacked(
    click.option(
        "--sidecars",
        type=click.Choice(SIDECARS),
        default=SIDECARS[0],
        show_default=True,
        help="Whether a file that only describes a present one (XMP, AAE, Takeout's JSON) has to be present too.",
    ),
    click.option(
        "--disregard", metavar="GLOB", multiple=True, help="Set such needles aside. Repeatable. Also .dupfindignore."
    ),
)
archives = click.option(
    "--archives",
    type=click.Choice([whose.value for whose in Archives]),
    default=Archives.NEEDLES.value,
    show_default=True,
    help="Look into ZIP and TAR files, as into folders: those among the needles, both sides' or none.",
)
judging = options.stacked(options.accept, options.algorithm, options.threshold, options.rotations)
"""As for a scan, but that links are never followed: what acts goes through none."""


def read_decisions(path: str | None) -> tuple[Decision, ...]:
    """Read what a person has decided; nothing where no file is named."""
    if path is None:
        return ()
    from dupfind.scanning import decisions_file

    return decisions_file.read(path)


def refuse_in_state(outputs: Mapping[str, str | None]) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for a report that is to lie where the journals do."""
    from dupfind.acting.journal import state_folder

    folder = os.path.realpath(state_folder())
    for option, output in outputs.items():
        if output is not None and is_below(os.path.realpath(output), folder):
            raise SettingsError(f"{option} {output} lies in {folder}, where the journals are")


def refuse_without_consent(*, is_agreed: bool, instead: str) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` where nobody can be asked, before any work."""
    if not is_agreed and not has_terminal():
        raise SettingsError(f"there is no terminal to ask on: --yes goes on without asking, {instead}")


def has_terminal() -> bool:
    """Tell whether a person can be asked."""
    return all(stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stderr))


def agreed(question: str) -> bool:
    """Ask on standard error, once; no is what an empty line means."""
    return click.confirm(question, default=False, err=True)


def write_report(console: Console, render: Callable[[], bytes], output: str | None, done: str) -> None:
    """Write the report of a run that acted; where it cannot be written, say on standard error what was ``done``.

    Also where nobody wants to be told anything else: files lie elsewhere by now.
    """
    from dupfind import output as sink

    try:
        sink.write(render(), output)
    except BaseException:
        console.insist(done)
        raise


class Acted(Protocol):
    """What came of a run that acts."""

    @property
    def stopped(self) -> int | None:
        """The number of the signal that stopped it."""

    @property
    def is_complete(self) -> bool:
        """Whether all was done."""

    @property
    def has_done_nothing(self) -> bool:
        """Whether there was something to do, and none of it could be done."""


def exit_code(console: Console, answer: Acted, *, is_whole: bool = True) -> int:
    """Return the exit code of a run that acted; says that it was stopped. ``is_whole``: nothing was skipped."""
    if answer.stopped is not None:
        console.tell("stopped after the current file; the journal is whole")
        return 128 + answer.stopped
    if answer.has_done_nothing:
        return ExitCode.NO_VERDICT
    return ExitCode.ALL_PRESENT if answer.is_complete and is_whole else ExitCode.NOT_ALL_PRESENT
