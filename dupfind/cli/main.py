"""The group of commands, and how every way out of a command becomes an exit code of the contract.

click has exit codes of its own: 1 for an abort, for Ctrl-C and for a closed pipe. 1 means "not all present" here,
so its ``main`` is not used.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence

import click

from dupfind import __version__
from dupfind.cli.cache import cache
from dupfind.cli.calibrate import calibrate
from dupfind.cli.explain import explain
from dupfind.cli.groups import groups
from dupfind.cli.scan import scan
from dupfind.cli.sort import sort
from dupfind.errors import DupfindError, ExitCode
from dupfind.output import discard_stdout
from dupfind.progress import say
from dupfind.report.text import printable

_EPILOG = """\b
Exit codes:
  0   every needle file is present
  1   at least one is not, or something could not be looked at
  2   no verdict: wrong usage, no such folder, report not written
  130, 143, 141   interrupted, terminated, reader of the output gone
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, message="%(prog)s %(version)s", prog_name="dupfind")
def dupfind() -> None:
    """Which folders of an old backup still hold something that is not in your photo collection?

    The folders to check are the needles, the collection is the haystack. Nothing in either is ever written,
    moved or deleted.

    \b
      dupfind scan --haystack ~/Photos --needles /media/old-disk
    """


dupfind.add_command(scan)
dupfind.add_command(explain)
dupfind.add_command(calibrate)
dupfind.add_command(groups)
dupfind.add_command(sort)
dupfind.add_command(cache)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code; what goes wrong is one line on standard error."""
    try:
        try:
            with dupfind.make_context("dupfind", list(arguments)) as context:
                code = dupfind.invoke(context)
        except click.exceptions.Exit as error:
            code = error.exit_code
        if sys.stdout is not None:
            sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - a bug must not end as Python's 1, which means "not all present"
        return _exit_code(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return int(code or ExitCode.ALL_PRESENT)


def _exit_code(error: Exception) -> int:
    """Say what went wrong, and give the exit code that it leads to."""
    match error:
        case click.ClickException():
            error.show()
            return ExitCode.NO_VERDICT
        case click.Abort():
            return ExitCode.INTERRUPTED
        case DupfindError():
            say(printable(str(error)))
            return error.exit_code
        case BrokenPipeError():
            discard_stdout()
            return ExitCode.OUTPUT_CLOSED
        case OSError() if error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
            discard_stdout()
            say((error.strerror or str(error)).lower())
            return ExitCode.NO_VERDICT
        case _:
            traceback.print_exception(error)
            say("this is a bug in dupfind; there is no verdict")
            return ExitCode.NO_VERDICT
