"""``dupfind scan``: the options, and nothing but the way from them to the report."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import OUTPUT, headed, option, stacked
from dupfind.errors import ExitCode
from dupfind.overwriting import refuse_overwriting
from dupfind.settings import BETTER, SORTS, Format, ReportSettings, make_report_settings, make_settings
from dupfind.values import FileState, FolderState, Report, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dupfind.answers.changes import Baseline
    from dupfind.answers.decisions import Decision
    from dupfind.progress import Console
    from dupfind.settings import Settings

_VERDICTS = list(dict.fromkeys([*(state.value for state in FolderState), *(state.value for state in FileState)]))
_EPILOG = """\b
Examples:
  What is not in my collection yet?
    dupfind scan --haystack ~/Photos --needles /media/old-disk
  Which files are they?
    dupfind scan --haystack ~/Photos --needles /media/old-disk --files
  Bring the missing ones over:
    dupfind import --haystack ~/Photos --needles ~/Backup --to ~/Photos/New
  Put what is safely contained into the trash:
    dupfind clean --haystack ~/Photos --needles ~/Backup --trash --apply

\b
Verdicts on folders: contained (delete it without fear), review (look at
the similar ones), partial (some files are not there), missing (none is).
Verdicts on files: present, similar, missing, unreadable.
"""

_output = headed(
    OUTPUT,
    options.output_format([choice.value for choice in Format]),
    option("--files", is_flag=True, is_common=True, help="Report files instead of folders."),
    option(
        "--only",
        is_common=True,
        metavar="VERDICT",
        multiple=True,
        type=click.Choice([*_VERDICTS, BETTER]),
        help="Keep only this verdict; better: needles that are the better copy. Repeatable. "
        "[default: all but contained, present]",
    ),
    option("--reason", "reasons", metavar="CODE", multiple=True, help="List only files with it. Repeatable."),
    option(
        "--sort",
        is_common=True,
        type=click.Choice(SORTS),
        help="Order of what is listed: largest first, by path, most missing first. [default: by path]",
    ),
    option("--all", "everything", is_flag=True, is_common=True, help="List what is contained or present as well."),
    options.output_paths,
    options.html("Write a page for a browser there too, with pictures of what is in doubt."),
    option(
        "--save", metavar="FILE", is_common=True, type=options.FILE, help="Write the whole report there too, as JSON."
    ),
    option(
        "--baseline",
        metavar="FILE",
        type=options.FILE,
        help="Report only what has another verdict than in this report, written with --save.",
    ),
)

_OF_REPORT = "format_", "everything", "print0", "output", "save", "html", "html_pictures", "reasons", "sort"
"""Options that the settings of the report take as they are."""
_OF_THIS_RUN = (
    *("files", "only", "baseline", "progress", "quiet", "verbose", "profile_stages"),
    *("workers", "timeout_seconds", "max_memory_mib", "previews"),
)
"""Options that no further command needs to give the same answer."""


_LEFT_TO_THE_SYSTEM: list[object] = []
"""Taking apart the values of a scan takes a twentieth of a run in which nothing has changed; when the process ends the
system takes them back whole."""
_MOST_LEFT = 500_000
"""Files of which the values, some 250 bytes each, are not in the way of the report."""


@command(epilog=_EPILOG, short_help="Which folders of a backup hold what is not in the collection?")
@stacked(
    options.sides_of_scan,
    options.compared,
    options.fragments(", but for --quick and a haystack in a bucket"),
    options.elsewhere("; or a bucket that holds no file of the other side"),
    options.decisions(),
    _output,
    options.limits,
    options.previews,
    options.cluster,
    options.needles_as_arguments,
)
def scan(
    *,
    files_from: str | None,
    files: bool,
    only: tuple[str, ...],
    decisions: str | None,
    baseline: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: the settings name and check it
) -> int:
    """Tell which needle folders still hold something that is not in the haystack.

    A file counts as present when the haystack has the same bytes, or the same picture (re-encoded, in another format,
    turned) at no smaller size. A folder is contained when every file in it is present. When in doubt, it is not.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    of_report = {name: raw.pop(name) for name in _OF_REPORT}
    settings = make_settings(listed=given_files.listed(files_from), may_be_servers=True, **raw)
    asks_for_folders = any(verdict in set(FolderState) - set(FileState) for verdict in only)
    asks_for_files = BETTER in only or bool(of_report["reasons"])
    report_settings = make_report_settings(
        roots=settings.roots,
        # Files that are named one by one have no folder that could be told of.
        files=files or asks_for_files or (bool(settings.named.files) and not asks_for_folders),
        only=only,
        again=streams.command_again({*_OF_REPORT, *_OF_THIS_RUN}),
        is_of_changes=baseline is not None,
        **of_report,
    )
    read = {"--decisions": decisions, "--files-from": files_from, "--baseline": baseline, "--cache": settings.cache}
    refuse_overwriting(
        {"--output": report_settings.output, "--save": report_settings.save, "--html": report_settings.html},
        read,
        settings.named.files,
    )
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    before = _read_baseline(baseline)
    report, page = _scan(settings, report_settings, _read_decisions(decisions), console)
    console.problems(report.problems)
    if not report.files:
        console.warn(f"there are no files among the needles; {_hint(report, Side.NEEDLES)}")
    elif not (
        report.haystack.files or report.servers or any(problem.side is Side.HAYSTACK for problem in report.problems)
    ):
        console.warn(f"there are no files in the haystack; {_hint(report, Side.HAYSTACK)}")
    with console.part("report", len(report.files)):
        has_changed = _write(report, report_settings, before, console)
        if page is not None:
            _write_page(page, report_settings, console)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if report.is_complete and not has_changed else ExitCode.NOT_ALL_PRESENT


def _hint(report: Report, side: Side) -> str:
    """Ask what may be the cause where a side is empty."""
    whose = "its" if side is Side.HAYSTACK else "their"
    is_elsewhere = any(bucket.side is side for bucket in report.buckets)
    return f"is {whose} name right?" if is_elsewhere else f"is {whose} drive mounted?"


def _scan(
    settings: Settings, report_settings: ReportSettings, decisions: Sequence[Decision] | None, console: Console
) -> tuple[Report, bytes | None]:
    """Return the answer, and the page where there is to be one."""
    # Heavy imports wait until every option has been checked.
    from dupfind import pipeline, report

    if report_settings.html is None:
        load = partial(report.load, report_settings.format)
        scanned = pipeline.scan_trees(settings, console, decisions=decisions, meanwhile=load)
        if sum(len(tree.entries) for tree in (*scanned.needles, *scanned.haystack)) <= _MOST_LEFT:
            _LEFT_TO_THE_SYSTEM.append(scanned)
        return scanned.report, None
    from dupfind.commands.showing import show
    from dupfind.report import html
    from dupfind.session import kept_for_the_run

    with kept_for_the_run(settings) as kept:
        scanned = pipeline.scan_trees(kept, console, decisions=decisions, may_be_bare=False)
        trees, most = (scanned.needles, scanned.haystack), report_settings.html_pictures
        seen = show(kept, scanned.report, trees, most, console, split=scanned.split, decided=scanned.words)
    with console.part("report", len(scanned.report.files)):
        return scanned.report, html.render(scanned.report, seen, scanned.words, decisions or (), report_settings.again)


def _write_page(page: bytes, settings: ReportSettings, console: Console) -> None:
    from dupfind import output as sink

    sink.write(page, settings.html)
    if sys.stderr is not None and sys.stderr.isatty():
        console.tell(f"the page is in {settings.html}")


def _read_decisions(path: str | None) -> tuple[Decision, ...] | None:
    if path is None:
        return None
    from dupfind.scanning import decisions_file

    return decisions_file.read(path)


def _read_baseline(path: str | None) -> Baseline | None:
    if path is None:
        return None
    from dupfind import baseline

    return baseline.read(path)


def _write(report: Report, settings: ReportSettings, before: Baseline | None, console: Console) -> bool:
    """Write what was asked for, first what somebody waits for; returns whether anything differs from ``before``."""
    from dupfind import output as sink
    from dupfind.answers.changes import changes
    from dupfind.report import render
    from dupfind.report.text import moment, other_settings

    since = None if before is None else changes(report, before)
    sink.write(render(report, settings, streams.screen(settings.output), since), settings.output)
    streams.tell_catalogs(console, report.catalogs, settings.format)
    streams.tell_servers(console, report.servers, settings.format)
    streams.tell_buckets(console, report.buckets, settings.format)
    if settings.save is not None:
        whole = make_report_settings(format_=Format.JSON)
        sink.write(render(report, whole, streams.screen(settings.save)), settings.save)
    if since is not None and since.other_settings and not (since and settings.format is Format.TABLE):
        console.warn(f"the {other_settings(since)}")  # the table has this line itself: -q must not hide it in a mail
    if since is not None and not since:
        console.tell(f"nothing has changed since the report of {moment(since.since)}")
    if settings.output is not None and sys.stderr is not None and sys.stderr.isatty():
        console.tell(f"the report is in {settings.output}")
    return bool(since)
