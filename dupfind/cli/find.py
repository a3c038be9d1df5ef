"""``dupfind find``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import named, options, streams
from dupfind.errors import ExitCode, SettingsError
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format, check_html_pictures, make_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dupfind.finding import Wanted
    from dupfind.found import Answer
    from dupfind.progress import Console
    from dupfind.settings import Settings

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
    options.html("Write a page for a browser there too, with pictures."),
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
    html: str | None,
    html_pictures: int | None,
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
    check_outputs({"--output": output, "--html": html}, settings.roots)
    read = {f"IMAGE {path}": path for path in images if path != named.STDIN}
    refuse_overwriting({"--output": output, "--html": html}, {"--cache": settings.cache, **read})
    most = check_html_pictures(html_pictures, html)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    with console.part("start-up"):
        from dupfind import finding
        from dupfind import output as sink
        from dupfind.report import find as report

    wanted = finding.wanted(nearest, raw["threshold_bits"], is_anew=rescan)
    answer, page = _find(settings, images, wanted, None if html is None else most, console)
    console.problems(answer.problems)
    _tell(answer, console, has_room=chosen not in (Format.CSV, Format.PATHS))
    with console.part("report", len(answer.sought)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
        if page is not None:
            sink.write(page, html)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if answer.are_all_seen else ExitCode.NOT_ALL_PRESENT


def _find(
    settings: Settings, images: Sequence[str], wanted: Wanted, pictures: int | None, console: Console
) -> tuple[Answer, bytes | None]:
    """The answer, and a page with up to so many ``pictures`` where there is to be one."""
    from dupfind import finding

    with ExitStack() as stack:
        given = named.given(images, stack)
        if pictures is None:
            return finding.find_images(settings, given, wanted, console), None
        from dupfind.report import html_find
        from dupfind.session import kept_for_the_run
        from dupfind.showing import look_at_found

        kept = stack.enter_context(kept_for_the_run(settings))
        answer = finding.find_images(kept, given, wanted, console)
        seen = look_at_found(kept, answer, given, pictures, console)
    with console.part("report", len(answer.sought)):
        return answer, html_find.render(answer, seen)


def _tell(answer: Answer, console: Console, *, has_room: bool) -> None:
    """Say which images could not be looked at, and, where the format has no room for it, which catalogues were."""
    from dupfind.progress import say
    from dupfind.report.text import catalogue_line, printable

    for sought in answer.sought:
        if sought.error is not None and not sought.is_seen:
            say(f"{printable(sought.path)}: {printable(sought.error)}")
    for one in () if has_room else answer.catalogues:
        console.tell(catalogue_line(one))
