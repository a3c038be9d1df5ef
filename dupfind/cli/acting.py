"""What the commands that change files share: options, the question that is asked first, and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import click

from dupfind.cli import options
from dupfind.cli.options import ACTING, headed, option
from dupfind.errors import ExitCode, SettingsError, option_error
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import is_within

if TYPE_CHECKING:
    from dupfind.answers.decisions import Decision
    from dupfind.progress import Console

FORMATS = ("table", "json")

journal = headed(
    ACTING,
    option(
        "--journal",
        metavar="FILE",
        type=options.FILE,
        help="Write the journal there. [default: in the user's state folder]",
    ),
)
formats = options.output_format(FORMATS)


def read_decisions(path: str | None) -> tuple[Decision, ...]:
    """Read what a person has decided; nothing where no file is named."""
    if path is None:
        return ()
    from dupfind.scanning import decisions_file

    return decisions_file.read(path)


def refuse_in_state(outputs: Mapping[str, str | None]) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for a report that is to lie where the journals do."""
    from dupfind.acting.journal import state_folder

    folder, mounts = os.path.realpath(state_folder()), read_mounts()
    for name, output in outputs.items():
        if output is not None and is_within(os.path.realpath(output), folder, mounts):
            raise option_error(name, f"{output} lies in {folder}, where the journals are")


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
