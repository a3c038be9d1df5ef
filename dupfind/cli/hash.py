"""``dupfind hash``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import SettingsError
from dupfind.settings import DEFAULT_THRESHOLD_BITS, Format, make_settings

if TYPE_CHECKING:
    from dupfind.answers.hash import Hashed

_EPILOG = """\b
Examples:
  The hashes of some photos, as ImageHash computes them:
    dupfind hash --exact ~/Photos/2006/*.jpg
  Two hashes of 256 bits for a database:
    dupfind hash --algorithm phash --algorithm dhash --size 16 \\
      --format csv *.jpg
  Of a download, not yet kept:
    curl -s https://example.org/a.jpg | dupfind hash -

\b
Exit codes: 0 when every FILE has its hashes, 1 when not, 2 when one does not
exist (the others are hashed), or for wrong usage.
"""


@command("hash", epilog=_EPILOG, short_help="The perceptual hashes of pictures, a line a file.")
@click.argument("files", metavar="FILE...", nargs=-1, type=options.FILE)
@stacked(
    option(
        "--algorithm",
        "algorithms",
        type=click.Choice(list(DEFAULT_THRESHOLD_BITS)),
        multiple=True,
        help="Hash to print. Repeatable. [default: phash]",
    ),
    option(
        "--size",
        type=click.Choice(["8", "16"]),
        default="8",
        show_default=True,
        help="Side of the hash: 64 bits or 256.",
    ),
    option(
        "--exact",
        "is_exact",
        is_flag=True,
        help="From the picture at full size, bit for bit as ImageHash. [default: from the thumbnail]",
    ),
    options.output_format([choice.value for choice in Format]),
    options.files_from("Also those named there, a line each or ended by NUL; - is standard input."),
    option("-0", "--print0", is_flag=True, help="End lines with NUL and escape nothing in paths."),
    options.limits,
    options.cluster,
)
def hash_(
    *,
    files: tuple[str, ...],
    files_from: str | None,
    algorithms: tuple[str, ...],
    size: str,
    is_exact: bool,
    format_: str | None,
    print0: bool,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Print the perceptual hashes of pictures, a line a FILE.

    In hex as ImageHash writes it, then the path, in the order of the command line. FILE may be -, standard input.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    chosen = Format(format_ or Format.TABLE)
    if print0 and chosen not in (Format.TABLE, Format.PATHS):
        raise SettingsError(f"-0 is for lines with paths and does not go with --format {chosen}")
    names = given_files.names(files, files_from, "FILE...")
    settings = make_settings(**raw)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.answers.hash import AskedHashes
    from dupfind.commands import hashing
    from dupfind.report.hash import Renderer
    from dupfind.version import __version__

    asked = AskedHashes(tuple(dict.fromkeys(algorithms or ("phash",))), int(size), is_exact)
    console = streams.console(_wants_line(progress), quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    renderer = Renderer(asked, chosen, streams.screen(), __version__, print0=print0)

    def tell(hashed: Hashed) -> None:
        if hashed.error is not None:
            console.insist(f"{hashed.path}: {hashed.error}")
        if line := renderer.file(hashed):
            sink.write(line, None)

    with ExitStack() as stack:
        given = given_files.given(names, stack)
        sink.write(renderer.head(), None)
        are_complete = hashing.hash_files(settings, given, asked, tell, console)
    sink.write(renderer.tail(), None)
    console.times(settings.workers)
    return given_files.exit_code(given, is_complete=are_complete)


def _wants_line(progress: bool | None) -> bool | None:
    """Tell whether progress is wanted: not by itself where the answers come while it would be shown."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return False if progress is None and is_terminal else progress
