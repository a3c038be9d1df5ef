"""``dupfind find``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import SettingsError
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format, check_html_pictures, make_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dupfind.answers.find import FindResult
    from dupfind.answers.hash import Given
    from dupfind.finding.finding import Wanted
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
Exit codes: 0 when every IMAGE was seen before, 1 when not, 2 when one does
not exist (the others are answered), or for wrong usage.
"""


@command(epilog=_EPILOG, short_help="Was this picture seen before? The nearest in the collection.")
@click.argument("images", metavar="IMAGE...", nargs=-1, type=options.FILE)
@stacked(
    options.haystack,
    options.files_from("Also the pictures named there, a line each or ended by NUL; - is standard input."),
    options.exclude("Leave out of the haystack."),
    options.follow_symlinks,
    options.accepted("Weakest evidence that IMAGE was seen before."),
    options.algorithm,
    options.threshold,
    options.rotations,
    options.nearest("How many of the nearest haystack files to show."),
    options.fragments_too,
    option("--rescan", is_flag=True, help="Look at every file of the haystack, not only at folders that have changed."),
    options.output_format([choice.value for choice in Format]),
    options.output_paths,
    options.html("Write a page for a browser there too, with pictures."),
    options.limits,
    options.cluster,
)
def find(
    *,
    images: tuple[str, ...],
    files_from: str | None,
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
    chosen = streams.chosen_format(format_, print0=print0)
    if nearest < 1:
        raise SettingsError(f"-k takes a number above 0, not {nearest}")
    settings = make_settings(**raw)
    most = check_html_pictures(html_pictures, html)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    # Heavy imports wait until every option has been checked.
    with console.part("start-up"):
        from dupfind import output as sink
        from dupfind.finding import finding
        from dupfind.report import find as report

    wanted = finding.wanted(nearest, raw["threshold_bits"], is_anew=rescan)
    with ExitStack() as stack:
        given = given_files.given_and_listed(images, files_from, stack)
        outputs = {"--output": output, "--html": html}
        check_outputs(outputs, settings.roots)
        asked_for = [image.file for image in given if image.file is not None]
        refuse_overwriting(outputs, {"--cache": settings.cache, "--files-from": files_from}, asked_for)
        answer, page = _find(settings, given, wanted, None if html is None else most, console)
    console.problems(answer.problems)
    _tell_lost(answer, console)
    streams.tell_catalogs(console, answer.catalogs, chosen)
    with console.part("report", len(answer.sought)):
        sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
        if page is not None:
            sink.write(page, html)
    console.times(settings.workers)
    return given_files.exit_code(given, is_complete=answer.are_all_seen)


def _find(
    settings: Settings, given: Sequence[Given], wanted: Wanted, pictures: int | None, console: Console
) -> tuple[FindResult, bytes | None]:
    """Return the answer, and a page with up to so many ``pictures`` where there is to be one."""
    from dupfind.finding import finding

    if pictures is None:
        return finding.find_images(settings, given, wanted, console), None
    from dupfind.commands.showing import look_at_found
    from dupfind.report import html_find
    from dupfind.session import kept_for_the_run

    with kept_for_the_run(settings) as kept:
        answer = finding.find_images(kept, given, wanted, console)
        seen = look_at_found(kept, answer, given, pictures, console)
    with console.part("report", len(answer.sought)):
        return answer, html_find.render(answer, seen)


def _tell_lost(answer: FindResult, console: Console) -> None:
    """Say which images could not be looked at, or that there are none."""
    for sought in answer.sought:
        if sought.error is not None and not sought.is_seen:
            console.insist(f"{sought.path}: {sought.error}")
    if not answer.sought:
        console.warn("the list names no pictures")
