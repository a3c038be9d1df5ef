"""Standard streams of a command: whether to show progress, and how wide the screen is."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from dupfind.errors import SettingsError, option_error, reason_of
from dupfind.private_folder import PrivateFolder
from dupfind.settings import Format

if TYPE_CHECKING:
    from dupfind.progress import Console
    from dupfind.progress_line import Step
    from dupfind.report import Screen
    from dupfind.values import Cataloged, Fetched, Served


COLOR = "dupfind.color"
"""Under which a command's context keeps what ``--color`` says."""


_TOLD = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
"""Where values come from that the next command needs to be told: the environment is there for it as well."""


_ELSEWHERE = {ParameterSource.ENVIRONMENT: "the environment", ParameterSource.DEFAULT_MAP: "config.toml"}


def refuse_contradiction(*, quiet: bool, verbose: bool) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for ``-q -v``."""
    if quiet and verbose:
        raise SettingsError("-q and -v contradict each other")


def chosen_format(format_: str | None, *, print0: bool, usual: Format = Format.TABLE) -> Format:
    """Choose the output format; raises :class:`~dupfind.errors.SettingsError` for ``-0`` with anything but paths."""
    chosen = Format(format_ or (Format.PATHS if print0 else usual))
    if print0 and chosen is not Format.PATHS:
        raise SettingsError(f"-0 prints paths and does not go with --format {chosen}")
    return chosen


def console(progress: bool | None, *, quiet: bool, verbose: bool, profile_stages: bool) -> Console:
    """Make the listener that writes to standard error as these options ask for.

    It begins with what makes more contained and nobody has typed.
    """
    from dupfind.progress import Console
    from dupfind.stopwatch import Stopwatch, since_start_seconds

    watch = None
    if profile_stages:
        watch = Stopwatch()
        watch.add("start-up", since_start_seconds())
    has_line = _wants_line(progress, quiet)
    made = Console(has_line=has_line, quiet=quiet, verbose=verbose, watch=watch, steps=_steps())
    for warning in _weakened():
        made.warn(warning)
    return made


def screen(output: str | None = None) -> Screen:
    """Describe where the answer will be seen: standard output, or the file ``output``."""
    import shutil  # brings every compressor there is

    from dupfind.report import Screen

    if output is not None or sys.stdout is None:
        return Screen(has_color=_wants_color())
    columns, encoding = shutil.get_terminal_size().columns, sys.stdout.encoding or "utf-8"
    return Screen(columns, sys.stdout.isatty(), encoding, has_color=_wants_color())


def _wants_color() -> bool | None:
    """Return what ``--color`` says, None where it leaves it to the screen."""
    context = click.get_current_context(silent=True)
    when = None if context is None else context.meta.get(COLOR)
    return {"always": True, "never": False}.get(when or "")


def tell_catalogs(console: Console, catalogs: Sequence[Cataloged], format_: Format) -> None:
    """Say which catalogs an answer rests on, where its format has no room for it."""
    from dupfind.report.text import catalog_line

    for catalog in catalogs if format_ in (Format.CSV, Format.PATHS) else ():
        console.tell(catalog_line(catalog))


def tell_servers(console: Console, servers: Sequence[Served], format_: Format) -> None:
    """Say which servers an answer rests on, likewise."""
    from dupfind.report.text import server_line

    for server in servers if format_ in (Format.CSV, Format.PATHS) else ():
        console.tell(server_line(server))


def tell_buckets(console: Console, buckets: Sequence[Fetched], format_: Format) -> None:
    """Say what went over the network, likewise."""
    from dupfind.report.text import bucket_line

    for bucket in buckets if format_ in (Format.CSV, Format.PATHS) else ():
        console.tell(bucket_line(bucket))


@contextmanager
def stdin_as_file() -> Iterator[str]:
    """Yield the path of a private file that holds what standard input gives, as long as the block.

    Decoders go back and forth in a file, which a pipe does not allow. What is a file already is taken as that file, so
    that it is not its own witness.
    """
    import shutil

    if sys.stdin is None or sys.stdin.closed:
        raise SettingsError("standard input is closed")
    if (redirected := _redirected()) is not None:
        yield redirected
        return
    with PrivateFolder() as folder:
        path = os.path.join(folder.path, "standard input")
        with open(path, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def _redirected() -> str | None:
    """Return the path of the file that standard input is, where it is one that nobody has read from yet."""
    try:
        state, number = os.fstat(sys.stdin.fileno()), sys.stdin.fileno()
        path = os.readlink(f"/proc/self/fd/{number}")
        is_whole = stat.S_ISREG(state.st_mode) and os.lseek(number, 0, os.SEEK_CUR) == 0
        return path if is_whole and os.path.samestat(state, os.stat(path)) else None
    except (OSError, ValueError):  # no such thing here, or removed since
        return None


def read_list(source: str) -> bytes:
    """Read a file, or standard input for ``-``; raises :class:`~dupfind.errors.SettingsError`."""
    if source == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise SettingsError("standard input is closed")
        return sys.stdin.buffer.read()
    try:
        with open(source, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise option_error("--files-from", f"{source}: {reason_of(error)}") from error


def _steps() -> tuple[Step, ...]:
    """Return the steps that the command which is running will take."""
    from dupfind.progress_line import steps_of

    context = click.get_current_context()
    command, params = context.info_name or "", context.params
    asked = {
        "copies": command == "import" and not params.get("dry_run"),
        "moves": bool(params.get("is_applied")),
        "page": command == "scan" and params.get("html") is not None,
    }
    return steps_of(command, [name for name, is_asked in asked.items() if is_asked])


def _wants_line(progress: bool | None, quiet: bool) -> bool:
    if progress is not None:
        return progress
    return not quiet and sys.stderr is not None and sys.stderr.isatty()


_WEAKENING: dict[str, tuple[object, ...]] = {
    "accept": ("same", "identical"),
    "quick": (False,),
    "sidecars": ("require",),
    "disregard": ((),),
    "decisions": (None,),
    "elsewhere": ((),),
}
"""What makes more of the needles count as present, by option, with the values that do not."""


def _weakened() -> Iterator[str]:
    """Yield a sentence for each option by which more is contained, and which nobody has typed."""
    context = click.get_current_context()
    for param in context.command.params:
        name = param.name or ""
        source, value = context.get_parameter_source(name), context.params.get(name)
        if name in _WEAKENING and source in _ELSEWHERE and value not in _WEAKENING[name]:
            words = value if isinstance(value, tuple) else () if value is True else (value,)
            yield f"{' '.join(map(str, (param.opts[0], *words)))} holds, by {_ELSEWHERE[source]}"


def command_again(without: Collection[str]) -> list[str]:
    """Return the command that is running, as its words, without the options of these names and without defaults.

    What ``config.toml`` gives is told: it may hold for this command alone.
    """
    context = click.get_current_context()
    words = ["dupfind", context.info_name or ""]
    for param in context.command.params:
        name = param.name or ""
        if not param.expose_value or name in without or context.get_parameter_source(name) not in _TOLD:
            continue
        value = context.params[name]
        if not isinstance(param, click.Option):  # needles without their option, of which only scan knows
            for folder in value:
                words += ["--needles", folder]
        elif param.is_flag:
            words += (param.opts if value else param.secondary_opts)[-1:]  # a flag that is off need not have a word
        else:
            for part in value if param.multiple else [value]:
                words += [param.opts[0], str(part)]
    return words
