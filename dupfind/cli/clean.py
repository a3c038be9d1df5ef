"""``dupfind clean``: the options, and nothing but the way from them to what is moved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dupfind.cli import acting, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import ACTING, headed, option, stacked
from dupfind.errors import ExitCode, SettingsError, option_error
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format

if TYPE_CHECKING:
    from dupfind.answers.clean import Cleaned, CleanPlan
    from dupfind.progress import Console
    from dupfind.settings import Settings

_EPILOG = """\b
Examples:
  What could go, and what stays?
    dupfind clean --haystack ~/Photos --needles ~/Backup --trash
  Put it into the trash:
    dupfind clean --haystack ~/Photos --needles ~/Backup --trash --apply
  Only what two drives of the collection hold:
    dupfind clean --haystack ~/Photos --haystack /media/copy \\
      --needles ~/Backup --witnesses 2 --trash --apply
  Take that back:
    dupfind undo

\b
Exit codes: 0 when all that can go went, or would, 1 when something did not,
2 when nothing could be done, 130 and 143 when it was stopped.
"""


@command(epilog=_EPILOG, short_help="Move away what is contained, after a second proof.")
@stacked(
    options.haystack,
    options.needles,
    headed(
        ACTING,
        option(
            "--trash", is_flag=True, is_common=True, rivals=["move_to"], help="Move it to the trash of its own drive."
        ),
        option(
            "--move-to",
            rivals=["trash"],
            metavar="DIR",
            type=options.FOLDER,
            is_common=True,
            help="Move it there; to another drive by copies that are read back.",
        ),
        option(
            "--apply",
            "is_applied",
            is_flag=True,
            is_common=True,
            is_typed=True,
            help="Do it. [default: print what would go]",
        ),
        option("--dry-run", is_flag=True, help="Print what would go: the default."),
        option(
            "--files", is_flag=True, is_common=True, help="Move single files that are present, not only whole folders."
        ),
        option(
            "--witnesses",
            metavar="N",
            type=int,
            default=1,
            show_default=True,
            help="Number of haystack roots, each on another device, that have to hold each file.",
        ),
    ),
    acting.journal,
    options.exclude("Leave out of both; such a needle is not present."),
    options.archives,
    options.sidecars,
    options.disregard(is_typed=True),
    options.judging,
    options.fragments(),
    options.decisions(is_typed=True),
    acting.formats,
    options.output,
    options.limits,
)
def clean(
    *,
    trash: bool,
    move_to: str | None,
    is_applied: bool,
    dry_run: bool,
    files: bool,
    witnesses: int,
    journal: str | None,
    decisions: str | None,
    format_: str | None,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: the settings name and check it
) -> int:
    """Move folders of needles that are contained to the trash, or to another folder.

    Without --apply it only says what would go. With it, each file and its witness in the haystack are read once more,
    both held open, right before the file is moved; where one fails, its folder stays whole. Nothing is deleted, and the
    journal lets dupfind undo take it back. The haystack is only read.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    if trash and move_to is not None:
        raise option_error("--trash", "and --move-to contradict each other")
    if not trash and move_to is None:
        raise SettingsError("either --trash or --move-to DIR is needed")
    if dry_run and is_applied:
        raise option_error("--dry-run", "and --apply contradict each other")
    if journal is not None and not is_applied:
        raise option_error("--journal", "goes with --apply")
    from dupfind.commands.cleaning import check_witnesses, clean_settings

    check_witnesses(witnesses)
    settings, away = clean_settings(move_to, **raw)
    check_outputs({"--output": output, "--journal": journal}, settings.roots)
    refuse_overwriting({"--output": output}, {"--cache": settings.cache, "--decisions": decisions})
    acting.refuse_in_state({"--output": output})
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    from dupfind import output as sink
    from dupfind.commands import cleaning
    from dupfind.report import clean as report

    decided = acting.read_decisions(decisions)
    plan = cleaning.plan_clean(settings, away, console, are_files=files, witnesses=witnesses, decisions=decided)
    console.problems(plan.problems)
    format_chosen = Format(format_ or Format.TABLE)
    if not is_applied:
        sink.write(report.render(plan, format_chosen, streams.screen(output)), output)
        console.times(settings.workers)
        return ExitCode.ALL_PRESENT
    answer = _applied(plan, settings, console, journal)
    render = partial(report.render, answer, format_chosen, streams.screen(output))
    acting.write_report(console, render, output, report.summary(answer))
    console.times(settings.workers)
    return acting.exit_code(console, answer)


def _applied(plan: CleanPlan, settings: Settings, console: Console, journal: str | None) -> Cleaned:
    from dupfind.acting.stopping import after_this_file
    from dupfind.commands import cleaning

    with after_this_file() as should_stop:
        return cleaning.carry_out(plan, settings, console, journal, should_stop)
