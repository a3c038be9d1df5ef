"""``dupfind import``: the options, and nothing but the way from them to the copies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dupfind.answers.import_ import ALSO
from dupfind.cli import acting, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import ACTING, headed, option, stacked
from dupfind.errors import ExitCode, option_error
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format

if TYPE_CHECKING:
    from dupfind.answers.import_ import Imported, ImportPlan
    from dupfind.progress import Console

_EPILOG = """\b
Examples:
  What would be brought over, and where to?
    dupfind import --haystack ~/Photos --needles /media/old-disk \\
      --to ~/Photos/Import --dry-run
  Bring it over, into folders by month:
    dupfind import --haystack ~/Photos --needles /media/old-disk \\
      --to ~/Photos/Import --layout date
  Take that back:
    dupfind undo

\b
Exit codes: 0 when all that was planned is there, 1 when something is not,
2 when nothing could be done, 130 and 143 when it was stopped.
"""


@command("import", epilog=_EPILOG, short_help="Bring over what is missing in the collection.")
@stacked(
    options.haystack,
    options.needles,
    headed(
        ACTING,
        option(
            "--to",
            metavar="DIR",
            required=True,
            is_common=True,
            type=options.FOLDER,
            help="Where to copy to, in the haystack.",
        ),
        option(
            "--layout",
            is_common=True,
            metavar="LAYOUT",
            default="keep",
            show_default=True,
            help="keep: folders as they were; date: {year}/{year}-{month}/; or a template of {year}, {month}, {day}, "
            "{folder}, {root}, {name}, {stem}, {suffix}.",
        ),
        option(
            "--also",
            is_common=True,
            multiple=True,
            type=click.Choice(ALSO),
            help="Bring over similar needles too; or of these only fragments: crops, screenshots, pages of albums; "
            "better copies of what is there; or unreadable files. Repeatable.",
        ),
        option("--dry-run", is_flag=True, is_common=True, help="Print the plan and copy nothing."),
        option("--yes", is_flag=True, is_typed=True, is_common=True, help="Do not ask."),
    ),
    acting.journal,
    options.exclude("Leave out of both; such a needle is not imported."),
    options.archives,
    options.setting_aside,
    options.judging,
    options.fragments(),
    options.decisions(),
    acting.formats,
    options.output,
    options.limits,
)
def import_(
    *,
    to: str,
    layout: str,
    also: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    journal: str | None,
    decisions: str | None,
    haystack: tuple[str, ...],
    format_: str | None,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: the settings name and check it
) -> int:
    """Copy what is missing in the haystack from the needles to a folder of it.

    Each picture once, with its sidecars; no file there is ever replaced. Every copy is read back before it gets its
    name, and the journal of it lets dupfind undo take it back. The needles are only read.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    acting.refuse_without_consent(is_agreed=dry_run or yes, instead="--dry-run shows the plan")
    if dry_run and journal is not None:
        raise option_error("--dry-run", "writes no journal")
    from dupfind.acting.layout import Layout
    from dupfind.commands.importing import import_settings

    Layout(layout)
    settings, destination = import_settings(to, haystack, **raw)
    check_outputs({"--output": output, "--journal": journal}, settings.roots)
    refuse_overwriting({"--output": output}, {"--cache": settings.cache, "--decisions": decisions})
    acting.refuse_in_state({"--output": output})
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    from dupfind import output as sink
    from dupfind.commands import importing
    from dupfind.report import import_ as report

    format_chosen = Format(format_ or Format.TABLE)
    decided = acting.read_decisions(decisions)
    plan = importing.plan_import(settings, destination, layout, also, console, decisions=decided)
    console.problems(plan.problems)
    is_whole = not any(problem.is_gap for problem in plan.problems)
    if dry_run:
        sink.write(report.render(plan, format_chosen, streams.screen(output)), output)
        console.times(settings.workers)
        return ExitCode.ALL_PRESENT if is_whole else ExitCode.NOT_ALL_PRESENT
    if plan.items and not yes and not _is_agreed(plan):
        console.tell("nothing was imported")
        return ExitCode.NOT_ALL_PRESENT
    answer = _carried_out(plan, console, journal)
    render = partial(report.render, answer, format_chosen, streams.screen(output))
    acting.write_report(console, render, output, report.summary(answer))
    console.times(settings.workers)
    return acting.exit_code(console, answer, is_whole=is_whole)


def _is_agreed(plan: ImportPlan) -> bool:
    from dupfind.progress import write
    from dupfind.report import import_ as report

    write(report.render(plan, Format.TABLE, streams.screen()))
    return acting.agreed(f"Import {len(plan.items):,} files?")


def _carried_out(plan: ImportPlan, console: Console, journal: str | None) -> Imported:
    from dupfind.acting.stopping import after_this_file
    from dupfind.commands import importing

    with after_this_file() as should_stop:
        return importing.carry_out(plan, console, journal, should_stop)
