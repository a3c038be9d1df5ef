"""``dupfind compare``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import ExitCode, SettingsError, option_error
from dupfind.settings import Format, make_settings
from dupfind.sources.mounts import Mounts, read_mounts
from dupfind.sources.roots import NamedFile, named_file
from dupfind.sources.same_file import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\b
Examples:
  Are these two the same picture?
    dupfind compare ~/Photos/2006/tree.jpg ~/Backup/IMG_0415.JPG
  See what differs:
    dupfind compare --visual a.jpg b.jpg
  Which of these files could go, where the first one stays?
    dupfind compare best.jpg *.jpg --format paths

\b
Exit codes: 0 when every other FILE is at --accept to the first, 1 when not,
2 when one cannot be looked at, or for wrong usage.
"""


@command(epilog=_EPILOG, short_help="Are these pictures the same, and what differs?")
@click.argument("files", metavar="A B [C...]", nargs=-1, type=options.FILE)
@stacked(
    options.files_from("Also those named there, a line each or ended by NUL; - is standard input."),
    options.accepted("Weakest grade at which the exit code is 0."),
    options.hash_algorithm("Hash that the score is by."),
    options.rotations,
    options.fragments(),
    option("--visual", is_flag=True, help="Draw both pictures and their difference."),
    options.output_format([choice.value for choice in Format]),
    option("-0", "--print0", is_flag=True, help="Print paths, each ended by NUL."),
    options.limits,
    options.cluster,
)
def compare(
    *,
    files: tuple[str, ...],
    files_from: str | None,
    visual: bool,
    format_: str | None,
    print0: bool,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Tell whether pictures are the same: A against each of the others.

    Prints their hashes, how far apart they are, the grade of each pair and every test that led to it, both ways: a
    large picture proves its small copy, and not the other way round. It also says which is the better copy.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = _format(format_, visual=visual, print0=print0)
    given_files.require(files, None, "A B [C...]")  # a list names what A is compared with
    names = [*files, *given_files.without_junk(given_files.listed(files_from) or ())]
    settings = make_settings(**raw)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    named_files, lost = _look_up(names, read_mounts())
    chosen_files, left_out = apart(named_files, read_mounts())  # looking at them may have made an automount come
    for duplicate in left_out:
        console.warn(f"{duplicate.given} is {files[0]} itself and proves nothing: left out")
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.commands import comparing
    from dupfind.report import compare as report

    answer = comparing.with_lost(comparing.compare_files(settings, chosen_files, console), lost, names)
    console.problems(answer.problems)
    with console.part("report", len(answer.pairs)):
        sink.write(report.render(answer, chosen, streams.screen(), visual=visual, print0=print0), None)
    console.times(settings.workers)
    if not answer.is_answered:
        return ExitCode.NO_VERDICT
    return ExitCode.ALL_PRESENT if answer.are_accepted else ExitCode.NOT_ALL_PRESENT


def _look_up(files: Sequence[str], mounts: Mounts) -> tuple[list[NamedFile], dict[str, str]]:
    """Look up the names, and say why one could not be had: but for the first, that costs its own pair only.

    Raises :class:`~dupfind.errors.SettingsError` where nothing is left to compare.
    """
    named_files, errors = [named_file(files[0], mounts)], {}
    for path in files[1:]:
        try:
            named_files.append(named_file(path, mounts))
        except SettingsError as error:
            errors[path] = error
    if errors and len(named_files) == 1:
        raise next(iter(errors.values()))
    return named_files, {path: error.cause for path, error in errors.items()}


def _format(format_: str | None, *, visual: bool, print0: bool) -> Format:
    """Choose the output format; raises :class:`~dupfind.errors.SettingsError` for
    options that contradict each other.
    """
    chosen = streams.chosen_format(format_, print0=print0)
    if visual and chosen is not Format.TABLE:
        raise option_error("--visual", f"draws into a table and does not go with --format {chosen}")
    return chosen
