"""``dupfind sort``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import Any

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import ExitCode
from dupfind.overwriting import check_output, refuse_overwriting
from dupfind.settings import Format, make_settings
from dupfind.sources.roots import named_file

_EPILOG = """\b
Examples:
  Look through a collection, what is alike side by side:
    dupfind sort ~/Photos -0 | xargs -0 feh
  What is most like this picture?
    dupfind sort ~/Photos --like beach.jpg | head

\b
Exit codes: 0 when every picture has its place, 1 when something could not be
looked at, 2 for wrong usage.
"""


@command(epilog=_EPILOG, short_help="All pictures of a collection, those alike side by side.")
@options.collection
@stacked(
    option("--like", metavar="IMAGE", type=options.FILE, help="Sort by likeness to this picture instead."),
    options.files_from("Also the files and folders named there, a line each or ended by NUL; - is standard input."),
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.output_format([Format.PATHS.value, *(choice.value for choice in Format if choice is not Format.PATHS)]),
    options.output_paths,
    options.limits,
    options.cluster,
)
def sort(
    *,
    haystack: tuple[str, ...],
    files_from: str | None,
    like: str | None,
    format_: str | None,
    print0: bool,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Print the pictures below DIR in an order in which neighbours look alike.

    Bursts, copies and shots of one place come together, wherever they lie. What counts is where in a picture is what
    brightness and what colour; it says nothing of whether two are the same. DIR may be a catalog (dupfind index).
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = streams.chosen_format(format_, print0=print0, usual=Format.PATHS)
    given_files.require(haystack, files_from, "DIR...")
    settings = make_settings(haystack=haystack, listed_haystack=given_files.listed(files_from), called="", **raw)
    if output is not None:
        check_output(output, settings.roots)
        inputs = {"--cache": settings.cache, "--files-from": files_from}
        refuse_overwriting({"--output": output}, inputs, settings.named.files)
    target = None if like is None else named_file(like)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.report import sort as report
    from dupfind.sorting import sorting

    answer = sorting.sort(settings, target, console)
    console.problems(answer.problems)
    streams.tell_catalogs(console, answer.catalogs, chosen)
    with console.part("report", len(answer.pictures)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if answer.is_whole else ExitCode.NOT_ALL_PRESENT
