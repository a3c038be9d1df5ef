"""``dupfind find``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import named, options, streams
from dupfind.errors import ExitCode, SettingsError
from dupfind.overwriting import check_output, refuse_overwriting
from dupfind.settings import Format, make_settings

if TYPE_CHECKING:
    from dupfind.found import Answer
    from dupfind.progress import Console

_EPILOG = """\b
Examples:
  Was this upload seen before?
    dupfind find upload.jpg --haystack ~/Photos
  What in the collection looks like it, twenty of them?
    dupfind find upload.jpg --haystack ~/Photos -k 20
  Of a download, not yet kept:
    curl -s https://example.org/a.jpg | dupfind find - --haystack ~/Photos

\b
Exit codes: 0 when every IMAGE was seen before, 1 when not, 2 for wrong usage.
"""


@click.command(epilog=_EPILOG, short_help="Was this picture seen before? The nearest in the collection.")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=options.FILE)
@options.stacked(
    options.haystack,
    options.exclude("Leave out of the haystack."),
    options.follow_symlinks,
    options.accepted("Weakest evidence that IMAGE was seen before."),
    options.algorithm,
    options.threshold,
    options.rotations,
    click.option(
        "-k",
        "nearest",
        metavar="N",
        type=int,
        default=5,
        show_default=True,
        help="How many of the nearest haystack files to show.",
    ),
    click.option(
        "--rescan", is_flag=True, help="Look at every file of the haystack, not only at folders that have changed."
    ),
    options.output_format([one.value for one in Format]),
    click.option("-0", "--print0", is_flag=True, help="Print paths, each ended by NUL."),
    click.option("--output", metavar="FILE", type=options.FILE, help="Write the report there, whole or not at all."),
    options.limits,
)
def find(
    *,
    images: tuple[str, ...],
    nearest: int,
    rescan: bool,
    format_: str | None,
    print0: bool,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Find the haystack files nearest to each IMAGE: was it seen before?

    The best first: by grade, then by distance. IMAGE may be -, standard input. A file with the same bytes is found
    whatever it holds; an IMAGE that lies in the haystack is no witness of itself. With --threshold nothing farther
    away is shown; without it the nearest are, however far.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = Format(format_ or (Format.PATHS if print0 else Format.TABLE))
    if print0 and chosen is not Format.PATHS:
        raise SettingsError(f"-0 prints paths and does not go with --format {chosen}")
    if nearest < 1:
        raise SettingsError(f"-k takes a number above 0, not {nearest}")
    settings = make_settings(**raw)
    if output is not None:
        check_output(output, settings.roots)
        refuse_overwriting({"--output": output}, {"--cache": settings.cache})
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    with console.part("start-up"):
        from dupfind import finding
        from dupfind import output as sink
        from dupfind.report import find as report

    wanted = finding.wanted(nearest, raw["threshold_bits"], is_anew=rescan)
    with ExitStack() as stack:
        answer = finding.find_images(settings, named.given(images, stack), wanted, console)
    console.problems(answer.problems)
    _tell(answer, console, has_room=chosen not in (Format.CSV, Format.PATHS))
    with console.part("report", len(answer.sought)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if answer.are_all_seen else ExitCode.NOT_ALL_PRESENT


def _tell(answer: Answer, console: Console, *, has_room: bool) -> None:
    """Say which images could not be looked at, and, where the format has no room for it, which catalogues were."""
    from dupfind.progress import say
    from dupfind.report.text import catalogue_line, printable

    for sought in answer.sought:
        if sought.error is not None and not sought.is_seen:
            say(f"{printable(sought.path)}: {printable(sought.error)}")
    for one in () if has_room else answer.catalogues:
        console.tell(catalogue_line(one))
