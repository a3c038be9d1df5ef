"""``dupfind groups``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import stacked
from dupfind.errors import ExitCode
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format, check_html_pictures, make_settings, refuse_parts_of_copies
from dupfind.values import Evidence

if TYPE_CHECKING:
    from dupfind.answers.groups import GroupsResult
    from dupfind.progress import Console
    from dupfind.settings import Settings

_EPILOG = """\b
Examples:
  What do I have more than once?
    dupfind groups ~/Photos
  Exact copies only, of any file, without decoding anything:
    dupfind groups ~/Photos --accept identical
  Bursts and edits too, the best of each first:
    dupfind groups ~/Photos --accept similar
  Crops, screenshots and pages of albums too, with what they show:
    dupfind groups ~/Photos --accept similar --fragments

\b
Levels: identical (same bytes), same (one picture in other sizes, formats and
qualities too), similar (what looks alike too: bursts, crops, edits).

\b
Exit codes: 0 when there is no group, 1 when there is one or something could
not be looked at, 2 for wrong usage.
"""


@command(epilog=_EPILOG, short_help="Which files of a collection belong together, and the best.")
@options.collection
@stacked(
    options.files_from("Also the files and folders named there, a line each or ended by NUL; - is standard input."),
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.accepted("Weakest evidence that holds a group together.", old_names=["--level"]),
    options.algorithm,
    options.threshold,
    options.rotations,
    options.fragments_in_groups,
    options.output_format([choice.value for choice in Format]),
    options.output_paths,
    options.html("Write a page for a browser there too, with pictures."),
    options.limits,
    options.cluster,
)
def groups(
    *,
    haystack: tuple[str, ...],
    files_from: str | None,
    accept: str,
    format_: str | None,
    print0: bool,
    output: str | None,
    html: str | None,
    html_pictures: int | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Find files below DIR that belong together, and name the best of each group.

    The best has most pixels, then a capture time, then a lossless format, then most metadata, then it is the oldest,
    then it has the shortest path. With --accept same every other member is a copy of it and no better. Nothing is
    deleted: what becomes of them is up to you. DIR may be a catalog (dupfind index).
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = streams.chosen_format(format_, print0=print0)
    given_files.require(haystack, files_from, "DIR...")
    refuse_parts_of_copies(Evidence(accept), fragments=raw["fragments"])
    settings = make_settings(haystack=haystack, listed_haystack=given_files.listed(files_from), called="", **raw)
    check_outputs({"--output": output, "--html": html}, settings.roots)
    inputs = {"--cache": settings.cache, "--files-from": files_from}
    refuse_overwriting({"--output": output, "--html": html}, inputs, settings.named.files)
    most = check_html_pictures(html_pictures, html)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.grouping import grouping
    from dupfind.report import groups as report

    answer = grouping.groups(settings, Evidence(accept), console)
    page = None if html is None else _page(answer, settings, most, console)
    console.problems(answer.problems)
    if not answer.files:
        console.warn("there are no files to look at")
    streams.tell_catalogs(console, answer.catalogs, chosen)
    with console.part("report", len(answer.groups)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
        if page is not None:
            sink.write(page, html)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if answer.is_clean else ExitCode.NOT_ALL_PRESENT


def _page(answer: GroupsResult, settings: Settings, pictures: int, console: Console) -> bytes:
    """Render the page for a browser."""
    from dupfind.answers.page import most_doubtful_members
    from dupfind.commands.showing import look_at
    from dupfind.report import html_groups

    seen = look_at(settings, most_doubtful_members(answer.groups, pictures), console)
    with console.part("report", len(answer.groups)):
        return html_groups.render(answer, seen)
