"""``dupfind undo``: the options, and nothing but the way from them to what is taken back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from dupfind.cli import acting, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import ExitCode, option_error
from dupfind.settings import Format

if TYPE_CHECKING:
    from dupfind.answers.undo import Undone
    from dupfind.progress import Console

_EPILOG = """\b
Examples:
  Take back the last import or clean:
    dupfind undo
  What would it do?
    dupfind undo --dry-run
  What could be taken back?
    dupfind undo --list

\b
Exit codes: 0 when all was taken back, or could be, 1 when something was left
as it is, 2 when nothing could be, 130 and 143 when it was stopped.
"""


@command(epilog=_EPILOG, short_help="Take back an import or a clean, by its journal.")
@click.argument("journal", metavar="[JOURNAL]", required=False, type=options.FILE)
@stacked(
    option(
        "--list",
        "is_list",
        is_flag=True,
        is_common=True,
        help="List the journals, the newest first, and change nothing.",
    ),
    option("--dry-run", is_flag=True, is_common=True, help="Print what would be taken back, and change nothing."),
    acting.formats,
    options.output,
    options.progress,
    options.quiet,
    options.verbose,
)
def undo(
    *,
    journal: str | None,
    is_list: bool,
    dry_run: bool,
    format_: str | None,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Put back what the last import or clean did, or the one that JOURNAL is of.

    What was moved is moved back where its old name is free, what was copied goes to the trash; nothing is replaced or
    deleted. What was changed since is left as it is and reported. It can be run again.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    if is_list and journal is not None:
        raise option_error("--list", "names all journals and takes none")
    if is_list and dry_run:
        raise option_error("--list", "and --dry-run contradict each other")
    from dupfind.overwriting import check_outputs, refuse_overwriting

    check_outputs({"--output": output}, ())
    refuse_overwriting({"--output": output}, {"JOURNAL": journal})
    acting.refuse_in_state({"--output": output})
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=False)
    from dupfind import output as sink
    from dupfind.commands import undoing
    from dupfind.report import undo as report

    format_chosen, screen = Format(format_ or Format.TABLE), streams.screen(output)
    if is_list:
        sink.write(report.render(undoing.list_journals(), format_chosen, screen), output)
        return ExitCode.ALL_PRESENT
    answer = _undone(journal, console, is_dry=dry_run)
    render = partial(report.render, answer, format_chosen, screen)
    acting.write_report(console, render, output, report.summary(answer))
    return acting.exit_code(console, answer)


def _undone(journal: str | None, console: Console, *, is_dry: bool) -> Undone:
    from dupfind.acting.stopping import after_this_file
    from dupfind.commands import undoing

    with after_this_file() as should_stop:
        return undoing.undo(journal, console, should_stop, is_dry=is_dry)
