"""``dupfind sort``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import Any

import click

from dupfind.cli import options, streams
from dupfind.errors import ExitCode, SettingsError
from dupfind.overwriting import check_output, refuse_overwriting
from dupfind.roots import named_file
from dupfind.settings import Format, make_settings

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


@click.command(epilog=_EPILOG, short_help="All pictures of a collection, those alike side by side.")
@click.argument("haystack", metavar="DIR...", nargs=-1, required=True, type=options.FOLDER)
@options.stacked(
    click.option("--like", metavar="IMAGE", type=options.FILE, help="Sort by likeness to this picture instead."),
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.output_format([Format.PATHS.value, *(one.value for one in Format if one is not Format.PATHS)]),
    click.option("-0", "--print0", is_flag=True, help="End each path by NUL."),
    click.option("--output", metavar="FILE", type=options.FILE, help="Write the report there, whole or not at all."),
    options.limits,
)
def sort(
    *,
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
    brightness and what colour; it says nothing of whether two are the same.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = Format(format_ or Format.PATHS)
    if print0 and chosen is not Format.PATHS:
        raise SettingsError(f"-0 prints paths and does not go with --format {chosen}")
    settings = make_settings(called="", **raw)
    if output is not None:
        check_output(output, settings.roots)
        refuse_overwriting({"--output": output}, {"--cache": settings.cache})
    target = None if like is None else named_file(like)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind import sorting
    from dupfind.report import sort as report

    answer = sorting.sort(settings, target, console)
    console.problems(answer.problems)
    with console.part("report", len(answer.pictures)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if answer.is_whole else ExitCode.NOT_ALL_PRESENT
