"""``dupfind calibrate``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import Any

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import ExitCode
from dupfind.overwriting import check_output, refuse_overwriting
from dupfind.settings import make_settings

_EPILOG = """\b
Examples:
  Which threshold suits my collection?
    dupfind calibrate ~/Photos
  The same as a picture:
    dupfind calibrate ~/Photos --plot thresholds.png

\b
Exit codes: 0 with an answer, 2 without: wrong usage, fewer than two pictures.
"""


@command(epilog=_EPILOG, short_help="Which threshold suits your own pictures?")
@options.collection
@stacked(
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.hash_algorithm("Hash that the suggestion is for; the table has them all."),
    options.rotations,
    options.output_format(["table", "json"]),
    option("--plot", metavar="FILE", type=options.FILE, help="Draw the false candidates there, as a PNG."),
    options.limits,
    options.cluster,
)
def calibrate(
    *,
    haystack: tuple[str, ...],
    format_: str | None,
    plot: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Tell which threshold suits your own pictures.

    Compares every picture below DIR with every other one, by each algorithm, and counts how many a needle would meet
    within each threshold although they are other pictures. Those cost time and are refused in the end, so
    a threshold decides how much is found and how long it takes, never what is proved. DIR may be a catalog.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    given_files.require(haystack, None, "DIR...")
    settings = make_settings(haystack=haystack, called="", **raw)
    if plot is not None:
        check_output(plot, settings.roots, "--plot")
        refuse_overwriting({"--plot": plot}, {"--cache": settings.cache})
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.commands import calibrate as calibrating
    from dupfind.report import calibrate as report

    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    answer = calibrating.calibrate(settings, console)
    console.problems(answer.problems)
    algorithm = settings.scan.algorithm
    with console.part("report"):
        if plot is not None:
            from dupfind.report import plot as drawing

            sink.write(drawing.render(answer), plot)
        if format_ == "json":
            sink.write(report.render_json(answer, algorithm), None)
        else:
            sink.write(report.render(answer, algorithm, streams.screen(), verbose=verbose), None)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT
