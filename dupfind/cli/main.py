"""The group of commands, and how every way out of a command becomes an exit code of the contract.

click has exit codes of its own: 1 for an abort, for Ctrl-C and for a closed pipe. 1 means "not all present" here,
so its ``main`` is not used.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from dupfind.cli.command import Group, Lazy
from dupfind.cli.help import COMPLETE
from dupfind.errors import DupfindError, ExitCode, OutputClosedError, OutputError, StoppedError, reason_of
from dupfind.output import discard_stdout
from dupfind.progress import say, write
from dupfind.report.text import printable
from dupfind.version import __version__

_EPILOG = """\b
Exit codes:
  0   every needle file is present; what acts has done all of it
  1   at least one is not, or something could not be looked at or done
  2   no verdict: wrong usage, no such folder, report not written
  130, 143, 141   interrupted, terminated, reader of the output gone
"""


def _show_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    """Print the version, and of everything outside this program that decides what hash a picture has."""
    if not is_asked or context.resilient_parsing:
        return
    from platform import python_version

    from dupfind import libraries

    click.echo(f"dupfind {__version__}")
    click.echo(f"Python {python_version()}")
    for name, version in (*libraries.versions(), libraries.version_for_films()):
        click.echo(f"{name} {version or 'not installed'}")
    context.exit()


_NO_MEMORY = ("failed to map segment", "cannot allocate memory", "cannot apply additional memory protection")
"""What the loader of libraries says where memory is short, in lower case."""
_COMMANDS = (
    *("scan", "review", "import", "clean", "undo"),
    *("find", "explain", "compare", "groups", "sort"),
    *("index", "hash", "calibrate", "cache", "config", "selftest", "doctor", "completion", "help"),
)
"""In the order in which the help lists them."""
_MODULES = {"config": "config_command", "import": "import_", "completion": "help"}
"""Of commands whose modules are not called as they are."""
_FUNCTIONS = {"import": "import_", "hash": "hash_", "help": "help_"}
"""Likewise: names that Python has a use for."""


def _command(name: str) -> click.Command:
    module = import_module(f"dupfind.cli.{_MODULES.get(name, name)}")
    command: click.Command = getattr(module, _FUNCTIONS.get(name, name))
    return command


@click.group(
    cls=Group,
    commands=Lazy(_COMMANDS, _command),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, and those of the libraries that decide hashes.",
)
def dupfind() -> None:
    """Which folders of an old backup still hold something that is not in your photo collection?

    The folders to check are the needles, the collection is the haystack. Questions change nothing in either. Two
    commands act, import and clean, and undo takes back what they did. Files are moved, never deleted.

    \b
      dupfind scan --haystack ~/Photos /media/old-disk
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code; what goes wrong is one line on standard error."""
    try:
        try:
            if COMPLETE in os.environ:
                return _complete(os.environ[COMPLETE])
            with dupfind.make_context("dupfind", list(arguments)) as context:
                code = dupfind.invoke(context)
        except click.exceptions.Exit as error:
            code = error.exit_code
            if sys.stdout is None:  # help, or the version
                raise OutputError("standard output is closed") from None
        if sys.stdout is not None:
            sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - a bug must not end as Python's 1, which means "not all present"
        if (stopped := _stop_behind(error)) is not None:
            raise stopped from None
        return _exit_code(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return int(code or ExitCode.ALL_PRESENT)


def _stop_behind(error: BaseException | None) -> StoppedError | None:
    """Return the stop during which ``error`` was raised: what a signal has cut short may be closed with an error."""
    while error is not None and not isinstance(error, StoppedError):
        error = error.__context__
    return error


def _shortage_behind(error: BaseException | None) -> str | None:
    """Tell what the system had too little of where ``error`` came of that; None for any other error.

    A module that cannot be opened, and a library that cannot be mapped, come of it as well as what is said outright.
    """
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        words = str(error).lower() if isinstance(error, ImportError) else ""
        if number in (errno.EMFILE, errno.ENFILE) or os.strerror(errno.EMFILE).lower() in words:
            return "too many files are open: the system allows no more (ulimit -n)"
        if isinstance(error, MemoryError) or number == errno.ENOMEM or any(said in words for said in _NO_MEMORY):
            return "not enough memory (ulimit -v, or of the machine)"
        error = error.__cause__ or error.__context__
    return None


def _show(error: click.ClickException) -> None:
    """Print a mistake in the arguments, which may be names of files, as click does but for what a terminal obeys."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx is not None:
        write(f"{error.ctx.get_help()}\n".encode(encoding, "backslashreplace"))
        return
    message = error.format_message()
    if isinstance(error, click.MissingParameter):  # which has a line for each choice
        message = " ".join(message.split())
    lines = []
    if isinstance(error, click.UsageError) and error.ctx is not None:
        lines = [error.ctx.get_usage(), f"Try '{error.ctx.command_path} --help' for help.", ""]
        if message.startswith("Got unexpected extra argument"):
            message += ": folders are named with --haystack DIR and --needles DIR"
    text = "\n".join([*lines, f"Error: {printable(message)}", ""])
    write(text.encode(encoding, "backslashreplace"))


def _complete(instruction: str) -> int:
    """Print what a shell asks for, as click's own ``main`` does: ``bash_source``, ``bash_complete`` and the like."""
    from click.shell_completion import shell_complete

    if shell_complete(dupfind, {}, "dupfind", COMPLETE, instruction):
        say(printable(f"{COMPLETE} is bash_source, zsh_source or fish_source, not {instruction}"))
        return ExitCode.NO_VERDICT
    sys.stdout.flush()
    return ExitCode.ALL_PRESENT


def _exit_code(error: Exception) -> int:
    """Say what went wrong, and give the exit code that it leads to."""
    match error:
        case click.ClickException():
            _show(error)
            return ExitCode.NO_VERDICT
        case click.Abort():
            return ExitCode.INTERRUPTED
        case DupfindError():
            if not isinstance(error, OutputClosedError):  # nobody is told, as by any other program of a pipe
                say(printable(str(error)))
            return error.exit_code
        case BrokenPipeError():
            discard_stdout()
            return ExitCode.OUTPUT_CLOSED
        case OSError() if error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
            discard_stdout()
            say(reason_of(error))
        case _ if shortage := _shortage_behind(error):
            say(f"{shortage}; there is no verdict")
        case _:
            import traceback  # brings tokenize, for what should not happen

            if sys.stderr is not None:  # or it would go to standard output
                with suppress(OSError, ValueError):
                    traceback.print_exception(error)
            say("this is a bug in dupfind; there is no verdict")
    return ExitCode.NO_VERDICT
