"""``dupfind scan``: the options, and nothing but the way from them to the report."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import options
from dupfind.errors import ExitCode, SettingsError
from dupfind.settings import (
    DEFAULT_MAX_PIXELS,
    DEFAULT_THRESHOLD_BITS,
    DEFAULT_TIMEOUT_SECONDS,
    Format,
    make_report_settings,
    make_settings,
)
from dupfind.values import Evidence, FileState, FolderState

if TYPE_CHECKING:
    from dupfind.report import Screen

_VERDICTS = list(dict.fromkeys([*(one.value for one in FolderState), *(one.value for one in FileState)]))
_DEFAULTS = ", ".join(f"{name} {bits}" for name, bits in DEFAULT_THRESHOLD_BITS.items())
_EPILOG = """\b
Examples:
  What is not in my collection yet?
    dupfind scan --haystack ~/Photos --needles /media/old-disk
  Which files are they?
    dupfind scan --haystack ~/Photos --needles /media/old-disk --files
  Bring the missing ones over:
    dupfind scan --haystack ~/Photos --needles ~/Backup \\
      --only missing --files -0 | rsync -a --from0 --files-from=- / ~/Import
  Put what is safely contained into the trash:
    dupfind scan --haystack ~/Photos --needles ~/Backup \\
      --only contained -0 | xargs -0 trash

\b
Verdicts on folders: contained (delete it without fear), review (look at
the similar ones), partial (some files are not there), missing (none is).
Verdicts on files: present, similar, missing, unreadable.
"""

_what = options.stacked(
    click.option("--haystack", metavar="DIR", multiple=True, type=options.FOLDER, help="The collection. Repeatable."),
    click.option("--needles", metavar="DIR", multiple=True, type=options.FOLDER, help="What to check. Repeatable."),
    click.option("--exclude", metavar="GLOB", multiple=True, help="Leave out of both; such a needle is not present."),
    click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links. [default: report them]"),
)
_how = options.stacked(
    click.option(
        "--accept",
        type=click.Choice([grade.value for grade in Evidence]),
        default=Evidence.SAME.value,
        show_default=True,
        help="Weakest evidence that makes a file present.",
    ),
    click.option(
        "--algorithm",
        type=click.Choice(list(DEFAULT_THRESHOLD_BITS)),
        default="phash",
        show_default=True,
        help="Hash that candidates are found by.",
    ),
    click.option(
        "--threshold",
        "threshold_bits",
        metavar="BITS",
        type=int,
        help=f"Most bits of 64 in which candidates differ, 0 to 32. [default: {_DEFAULTS}]",
    ),
    click.option(
        "--rotations/--no-rotations", default=True, show_default=True, help="Find turned and mirrored copies too."
    ),
)
_output = options.stacked(
    click.option(
        "--format", "format_", type=click.Choice([one.value for one in Format]), help="How to print. [default: table]"
    ),
    click.option("--files", is_flag=True, help="Report files instead of folders."),
    click.option(
        "--only",
        metavar="VERDICT",
        multiple=True,
        type=click.Choice(_VERDICTS),
        help="Keep only this verdict. Repeatable. [default: all but contained, present]",
    ),
    click.option("--all", "everything", is_flag=True, help="List what is contained or present as well."),
    click.option("-0", "--print0", is_flag=True, help="Print paths, each ended by NUL."),
    click.option("--output", metavar="FILE", type=options.FILE, help="Write the report there, whole or not at all."),
)
_limits = options.stacked(
    click.option("--workers", metavar="N", type=int, help="Processes. [default: one a core]"),
    click.option(
        "--timeout",
        "timeout_seconds",
        metavar="SECONDS",
        type=float,
        default=DEFAULT_TIMEOUT_SECONDS,
        show_default=True,
        help="Longest that decoding one image may take.",
    ),
    click.option(
        "--max-pixels",
        metavar="N",
        type=int,
        default=DEFAULT_MAX_PIXELS,
        show_default=True,
        help="Refuse larger images.",
    ),
    options.cache_file,
    click.option("--no-cache", is_flag=True, help="Read everything anew and keep nothing."),
    options.progress,
    options.quiet,
    options.verbose,
)


@click.command(epilog=_EPILOG)
@options.stacked(_what, _how, _output, _limits)
def scan(
    *,
    format_: str | None,
    files: bool,
    only: tuple[str, ...],
    everything: bool,
    print0: bool,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Tell which needle folders still hold something that is not in the haystack.

    A file counts as present when the haystack has the same bytes, or the same picture (re-encoded, in another format,
    turned) at no smaller size. A folder is contained when every file in it is present. When in doubt, it is not.
    """
    if quiet and verbose:
        raise SettingsError("-q and -v contradict each other")
    settings = make_settings(**raw)
    report_settings = make_report_settings(
        roots=settings.roots,
        format_=format_,
        files=files,
        only=only,
        everything=everything,
        print0=print0,
        output=output,
    )
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind import pipeline
    from dupfind.progress import Console
    from dupfind.report import render

    console = Console(bars=_wants_bars(progress, quiet), quiet=quiet, verbose=verbose)
    report = pipeline.scan(settings, console)
    console.problems(report.problems)
    if not report.files:
        console.warn("there are no files among the needles; is their drive mounted?")
    sink.write(render(report, report_settings, _screen(output)), output)
    if output is not None and sys.stderr is not None and sys.stderr.isatty():
        console.tell(f"the report is in {output}")
    return ExitCode.ALL_PRESENT if report.is_complete else ExitCode.NOT_ALL_PRESENT


def _wants_bars(progress: bool | None, quiet: bool) -> bool:
    if progress is not None:
        return progress
    return not quiet and sys.stderr is not None and sys.stderr.isatty()


def _screen(output: str | None) -> Screen:
    from dupfind.report import Screen

    if output is not None or sys.stdout is None:
        return Screen()
    return Screen(shutil.get_terminal_size().columns, sys.stdout.isatty(), sys.stdout.encoding or "utf-8")
