"""``dupfind review``: the options, and nothing but the way from them to the page."""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dupfind.cli import given_files, options, streams
from dupfind.cli.command import command
from dupfind.cli.options import ACTING, JUDGING, headed, option, stacked
from dupfind.errors import ExitCode, SettingsError, StoppedError, option_error
from dupfind.overwriting import refuse_overwriting
from dupfind.settings import make_settings, refuse_plans

if TYPE_CHECKING:
    from dupfind.commands.cleaning import Away
    from dupfind.commands.importing import Destination
    from dupfind.progress import Console
    from dupfind.reviewing.acts import Means
    from dupfind.settings import Settings
    from dupfind.values import Report

_EPILOG = """\b
Examples:
  Look at what is in doubt, and decide:
    dupfind review --haystack ~/Photos --needles /media/old-disk
  Look, decide, import and clean, all from the page:
    dupfind review --haystack ~/Photos --needles ~/Backup \\
      --to ~/Photos/Import --trash
  Keep the decisions beside the backup's other papers:
    dupfind review --haystack ~/Photos --needles ~/Backup \\
      --decisions ~/backup.json
  On a machine without a screen, by a tunnel (ssh -L 8765:127.0.0.1:8765):
    dupfind review --haystack ~/Photos --needles ~/Backup \\
      --port 8765 --no-browser

\b
Exit codes, when the page ends it or nobody was there for long: 0 when every
needle file is present or not wanted by then, 1 when not. 130 after Ctrl-C.
"""
_NEEDED = ("starlette", "uvicorn")
_MOST_PORT = 65_535
_MOST_IDLE_MINUTES = 10_000
_SERVING = "The page"
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


@command(epilog=_EPILOG, short_help="Look at what is in doubt in the browser, and decide.")
@stacked(
    options.haystack,
    options.needles,
    options.compared,
    options.fragments(", but for --quick"),
    headed(
        JUDGING,
        option(
            "--decisions",
            metavar="FILE",
            type=options.FILE,
            help="File of the decisions: read at the beginning, written with each one. [default: one file for these "
            "folders, among the user's data]",
        ),
    ),
    headed(
        _SERVING,
        option(
            "--browser/--no-browser",
            default=True,
            show_default=True,
            help="Open the page in the browser; needs a display.",
        ),
        option("--port", metavar="N", type=int, default=0, help="Port of 127.0.0.1. [default: any that is free]"),
        option(
            "--idle-minutes",
            metavar="N",
            type=float,
            default=30,
            show_default=True,
            help="End when the page was not used for so long.",
        ),
    ),
    headed(
        ACTING,
        option(
            "--to",
            metavar="DIR",
            is_common=True,
            type=options.FOLDER,
            help="Let the page import what is missing, as dupfind import --to.",
        ),
        option("--layout", metavar="LAYOUT", help="As of dupfind import. [default: keep]"),
        option(
            "--trash",
            is_flag=True,
            is_common=True,
            help="Let the page move away what is contained, as dupfind clean --trash.",
        ),
        option(
            "--move-to",
            metavar="DIR",
            is_common=True,
            type=options.FOLDER,
            help="The same, to a folder: dupfind clean --move-to.",
        ),
    ),
    options.limits,
)
def review(
    *,
    files_from: str | None,
    decisions: str | None,
    browser: bool,
    port: int,
    idle_minutes: float,
    to: str | None,
    layout: str | None,
    trash: bool,
    move_to: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: the settings name and check it
) -> int:
    """Scan, and serve the page of scan --html on this machine: look, decide, and see at once what can go.

    Decisions are kept as they are made. Pictures are made when they are looked at, so that any number of files opens
    at once. Only the browser of this machine can open the page, by the address that is printed. Looking and deciding
    change nothing below the folders; with --to, --trash or --move-to the page also imports and cleans, after it has
    shown the plan.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    _check(port, idle_minutes)
    listed = given_files.listed(files_from)
    acts = _acts(raw, to, layout, trash=trash, move_to=move_to, is_listed=listed is not None)
    make = partial(make_settings, listed=listed, **raw) if acts is None else acts.settings
    settings = refuse_plans(make())
    from dupfind.reviewing.decisions_store import open_store

    store = open_store(decisions, raw["haystack"], raw["needles"], settings.roots)
    read = {"--files-from": files_from, "--cache": settings.cache}
    refuse_overwriting({"--decisions": store.path}, read, settings.named.files)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    from dupfind.reviewing.acts import NOTHING
    from dupfind.reviewing.run_review import review as serve

    def scanned_is(report: Report) -> None:
        console.problems(report.problems)
        if not report.files:
            console.warn("there are no files among the needles; is their drive mounted?")

    try:
        is_complete = serve(
            make,
            store,
            console,
            port=port,
            idle_seconds=60 * idle_minutes,
            scanned_is=scanned_is,
            served_at=lambda address: _tell(address, store.path, console, is_opened=browser),
            means=NOTHING if acts is None else acts.means(),
        )
    except StoppedError:
        _tell_kept(store.path, console)
        raise
    _tell_kept(store.path, console)
    console.times(settings.workers)
    return ExitCode.ALL_PRESENT if is_complete else ExitCode.NOT_ALL_PRESENT


class _Acts:
    """What the page may do, and what is scanned for it; each asks the disk anew."""

    def __init__(
        self, raw: dict[str, Any], to: str | None, layout: str, move_to: str | None, *, is_cleaning: bool
    ) -> None:
        self._all = raw
        self._to = to
        self._layout = layout
        self._move_to = move_to
        self._is_cleaning = is_cleaning
        self._is_begun = False

    @property
    def _raw(self) -> dict[str, Any]:
        """The options; a root of needles that went as a whole is none any more, as long as there are others."""
        there = [path for path in self._all["needles"] if os.path.lexists(path)]
        return {**self._all, "needles": there} if there and self._is_begun else self._all

    def settings(self) -> Settings:
        """Return what to scan: a folder to import to is a haystack, once it is there."""
        return make_settings(**self._raw) if self._to is None else self._importing()[0]

    def _importing(self) -> tuple[Settings, Destination]:
        from dupfind.commands.importing import import_settings

        assert self._to is not None
        return import_settings(self._to, **self._raw)

    def _cleaning(self) -> tuple[Settings, Away]:
        from dupfind.commands.cleaning import clean_settings

        return clean_settings(self._move_to, **{**self._raw, "haystack": self.settings().scan.haystack})

    def means(self) -> Means:
        """Return what the page may do; raises :class:`~dupfind.errors.SettingsError` where it could not."""
        from dupfind.acting.layout import Layout
        from dupfind.reviewing.acts import Means

        Layout(self._layout)
        if self._is_cleaning:
            self._cleaning()
        self._is_begun = True
        return Means(
            None if self._to is None else self._importing, self._layout, self._cleaning if self._is_cleaning else None
        )


def _acts(
    raw: dict[str, Any], to: str | None, layout: str | None, *, trash: bool, move_to: str | None, is_listed: bool
) -> _Acts | None:
    """Return what the page may do beside looking; None for nothing."""
    if layout is not None and to is None:
        raise option_error("--layout", "goes with --to")
    if trash and move_to is not None:
        raise option_error("--trash", "and --move-to contradict each other")
    if to is None and not trash and move_to is None:
        return None
    if raw["follow_symlinks"] or is_listed:
        option = "--files-from" if is_listed else "--follow-symlinks"
        raise option_error(option, "does not go with --to, --trash and --move-to")
    return _Acts(raw, to, layout or "keep", move_to, is_cleaning=trash or move_to is not None)


def _check(port: int, idle_minutes: float) -> None:
    if not all(map(find_spec, _NEEDED)):
        raise SettingsError("review needs Starlette and uvicorn: install dupfind with its extra review")
    if not 0 <= port <= _MOST_PORT:
        raise option_error("--port", f"takes a number, 0 to {_MOST_PORT}, not {port}")
    if not 0 < idle_minutes <= _MOST_IDLE_MINUTES:
        raise option_error("--idle-minutes", f"takes a number above 0, at most {_MOST_IDLE_MINUTES:,}")


def _tell(address: str, decisions: str, console: Console, *, is_opened: bool) -> None:
    """Print the address, which is the answer of this command, and open it."""
    from dupfind import output as sink

    sink.write(f"{address}\n".encode(), None)
    if is_opened and _has_display():
        import webbrowser

        webbrowser.open(address)
    if sys.stderr is not None and sys.stderr.isatty():
        console.tell(f"the page is served on this machine until Ctrl-C; decisions are kept in {decisions}")


def _tell_kept(decisions: str, console: Console) -> None:
    if os.path.exists(decisions):
        console.tell(f"decisions are kept in {decisions}")


def _has_display() -> bool:
    """Tell whether there is a screen for a browser: one in the terminal would take that from the run."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, _DISPLAYS))
