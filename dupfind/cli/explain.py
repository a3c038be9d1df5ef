"""``dupfind explain``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from dupfind.cli import options, streams
from dupfind.cli.command import command
from dupfind.cli.options import stacked
from dupfind.errors import ExitCode, SettingsError
from dupfind.settings import make_settings
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import NamedFile, named_file

_EPILOG = """\b
Examples:
  Why is this picture not present?
    dupfind explain --haystack ~/Photos ~/Backup/IMG_0415.JPG
  What else in the collection looks like it?
    dupfind explain --haystack ~/Photos -k 20 ~/Photos/2006/tree.jpg

\b
Exit codes: 0 when every NEEDLE is present, 1 when not, 2 when one does not
exist (the others are explained), or for wrong usage.
"""


@command(epilog=_EPILOG, short_help="Why is this file present, or why not?")
@click.argument("needles", metavar="NEEDLE...", nargs=-1, required=True, type=options.FILE)
@stacked(
    options.haystack,
    options.elsewhere(),
    options.exclude("Leave out of the haystack."),
    options.judging,
    options.quick,
    options.fragments(", but for --quick"),
    options.nearest("How many of the nearest haystack pictures to show."),
    options.output_format(["table", "json"]),
    options.limits,
    options.cluster,
)
def explain(
    *,
    needles: tuple[str, ...],
    nearest: int,
    format_: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Tell why a file is present or not, with every test of its witness.

    For a NEEDLE that is present: the file that proves it, and how each test of the pair came out. For the others: the
    nearest pictures of the haystack, the test that each failed, and the option that would accept it. The verdict is the
    one that a scan with the same options gives. A NEEDLE that lies in the haystack never proves itself.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    if nearest < 1:
        raise SettingsError(f"-k takes a number above 0, not {nearest}")
    settings = make_settings(**raw)
    files, errors = _look_up(needles)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.commands import explain as explaining
    from dupfind.progress import say
    from dupfind.report import explain as report
    from dupfind.report.text import printable

    for error in errors if files else errors[:-1]:
        say(printable(str(error)))
    if not files:
        raise errors[-1]
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    answer = explaining.explain(settings, files, nearest, console)
    console.problems(answer.problems)
    with console.part("report", len(needles)):
        sink.write(report.render_json(answer) if format_ == "json" else report.render(answer, streams.screen()), None)
    console.times(settings.workers)
    if errors:
        return ExitCode.NO_VERDICT
    return ExitCode.ALL_PRESENT if answer.is_complete else ExitCode.NOT_ALL_PRESENT


def _look_up(needles: Sequence[str]) -> tuple[list[NamedFile], list[SettingsError]]:
    """Return the files that were named, each once, and why other names have no file."""
    files: dict[str, NamedFile] = {}
    errors = []
    mounts = read_mounts()
    for needle in needles:
        try:
            file = named_file(needle, mounts)
        except SettingsError as error:
            errors.append(error)
        else:
            files.setdefault(file.entry.path, file)
    return list(files.values()), errors
