"""Single files as they were named on the command line, standard input among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from dupfind.cli import streams
from dupfind.errors import ExitCode, SettingsError
from dupfind.sources.file_lists import names_in
from dupfind.sources.left_overs import is_junk
from dupfind.sources.mounts import Mounts, read_mounts
from dupfind.sources.roots import named_file

if TYPE_CHECKING:
    from dupfind.answers.hash import Given

STDIN = "-"


def listed(files_from: str | None) -> list[str] | None:
    """Read the list that an option names, None without it; raises :class:`~dupfind.errors.SettingsError`."""
    return None if files_from is None else names_in(streams.read_list(files_from))


def require(arguments: Sequence[str], files_from: str | None, called: str) -> None:
    """Refuse to go on where neither an argument nor a list names anything, as click says it."""
    if not arguments and files_from is None:
        raise click.UsageError(f"Missing argument '{called}'.", click.get_current_context())


def without_junk(names: Iterable[str]) -> list[str]:
    """Leave out of a list the names of junk that systems leave behind, as a walk skips it."""
    return [name for name in names if not is_junk(name)]


def names(files: Sequence[str], files_from: str | None, called: str) -> list[str]:
    """Look up what was named, by arguments and then by a list."""
    _refuse_nothing_or_all(files, files_from, called)
    return [*files, *(listed(files_from) or ())]


def given_and_listed(files: Sequence[str], files_from: str | None, stack: ExitStack) -> list[Given]:
    """Look up what was named, by arguments and then by a list: of that each file
    once, by its first name, and no junk.
    """
    _refuse_nothing_or_all(files, files_from, "IMAGE...")
    mounts = read_mounts()
    files_given = given(files, stack, mounts)
    paths = {listed_file.file.entry.path for listed_file in files_given if listed_file.file is not None}
    for listed_file in given(without_junk(dict.fromkeys(listed(files_from) or ())), stack, mounts):
        path = None if listed_file.file is None else listed_file.file.entry.path
        if path is None or path not in paths:
            files_given.append(listed_file)
        if path is not None:
            paths.add(path)
    return files_given


def _refuse_nothing_or_all(files: Sequence[str], files_from: str | None, called: str) -> None:
    """Refuse likewise where standard input is to be a picture and a list."""
    require(files, files_from, called)
    if files_from == STDIN and STDIN in files:
        raise SettingsError("standard input cannot be a picture and a list")


def given(files: Sequence[str], stack: ExitStack, mounts: Mounts | None = None) -> list[Given]:
    """Look up what was named; a lost file costs its own line only. ``stack`` holds what standard input gave."""
    from dupfind.answers.hash import Given

    answers = []
    stdin: str | None = None
    mounts = read_mounts() if mounts is None else mounts
    for path in files:
        try:
            if path == STDIN:
                stdin = stdin or stack.enter_context(streams.stdin_as_file())
            answers.append(Given(path, named_file(path if path != STDIN else stdin or path, mounts)))
        except SettingsError as error:
            answers.append(Given(path, None, error.cause))
    return answers


def exit_code(files: Iterable[Given], *, is_complete: bool) -> ExitCode:
    """Return the exit code of a command that answers each file alone: 2 where a name has no file.

    Whatever the answer for the others is: otherwise a script would take a slip in a name for the answer "not seen".
    """
    if any(file.file is None for file in files):
        return ExitCode.NO_VERDICT
    return ExitCode.ALL_PRESENT if is_complete else ExitCode.NOT_ALL_PRESENT
