"""The story of ``dupfind import``: what is missing, where it is to lie, and the copies.

scan > what is missing > each picture once > where to > (the user says yes) > copies > the result

:func:`plan_import` changes nothing and gives a value; :func:`carry_out` takes that value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from dupfind.acting import journal as journals
from dupfind.acting.drives import note_drives
from dupfind.acting.import_plan import (
    CopyOf,
    Needle,
    chosen,
    leaders_of,
    left_fragments,
    left_out,
    plan_items,
    with_numbers,
    with_trusted_folders,
)
from dupfind.acting.importing import Importer, names_below, open_destination, remove_left_overs
from dupfind.acting.journal import Journal
from dupfind.acting.layout import Layout, day_of_capture, is_trusted_folder
from dupfind.acting.places import free_bytes
from dupfind.acting.stopping import ShouldStop, never
from dupfind.answers.decisions import Decision
from dupfind.answers.import_ import Imported, ImportPlan
from dupfind.errors import ActingError, SettingsError, option_error
from dupfind.events import Listener
from dupfind.pipeline import Scanned, scan_run
from dupfind.run import MakeExecutor, Run
from dupfind.settings import Settings, make_settings, refuse_plans
from dupfind.sidecars.contents import MOST_BYTES, described, taken_seconds
from dupfind.sidecars.kinds import Kind, kind_of, owners_of
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.sources.mounts import read_mounts
from dupfind.sources.photo_managers import Managers, OnDisk
from dupfind.sources.roots import root_around, root_within
from dupfind.values import FileState, FileVerdict, Root, Side
from dupfind.version import __version__

_WINDOWS_KINDS = (
    "msdos",
    "vfat",
    "exfat",
    "fuse.exfat",
    "fuseblk",
    "ntfs",
    "ntfs3",
    "ntfs-3g",
    "cifs",
    "smb3",
    "smbfs",
)
"""Types of file systems that refuse what Windows refuses in names."""


class Destination(NamedTuple):
    """Where to import to."""

    given: str
    real: str
    is_windows: bool
    is_outside: bool = False
    """Whether it lies in no haystack that was named."""


def import_settings(to: str, haystack: Sequence[str], **options: Any) -> tuple[Settings, Destination]:  # noqa: ANN401
    """Check the options of an import; the destination becomes a haystack where it lies in none.

    ``options`` are those of :func:`dupfind.settings.make_settings`. Raises :class:`~dupfind.errors.SettingsError`.
    """
    if os.stat not in os.supports_dir_fd:
        raise SettingsError("this system cannot hold folders open, so that nothing lands elsewhere: nothing to do")
    given = to.rstrip(os.sep) or to
    real = os.path.realpath(given)
    settings = refuse_plans(make_settings(haystack=haystack, **options))
    _check_destination(given, real, settings.roots)
    around = root_around(real, [root for root in settings.roots if root.side is Side.HAYSTACK and not root.is_catalog])
    is_outside = around is None and real not in {root.real for root in settings.roots if root.side is Side.HAYSTACK}
    if is_outside:
        if os.path.isdir(real):
            settings = make_settings(haystack=[*haystack, given], **options)
    elif around is not None:
        parts = os.path.relpath(real, around.real).split(os.sep) if real != around.real else []
        wrong = [part for part in parts if not is_trusted_folder(part)]
        if wrong:
            raise option_error("--to", f"{given}: {wrong[0]} is a folder that no scan trusts as haystack")
    mount = read_mounts().around(real if os.path.isdir(real) else os.path.dirname(real))
    return settings, Destination(given, real, mount is not None and mount.kind in _WINDOWS_KINDS, is_outside)


def _check_destination(given: str, real: str, roots: Sequence[Root]) -> None:
    """Raise where a destination cannot be one."""
    if os.path.lexists(real) and not os.path.isdir(real):
        raise option_error("--to", f"{given}: not a folder")
    if not os.path.isdir(os.path.dirname(real)):
        raise option_error("--to", f"{given}: there is no folder that it could be made in")
    if reason := Managers().why_not_trusted(real):
        raise option_error("--to", f"{given}: {reason}")
    needles = [root for root in roots if root.side is Side.NEEDLES]
    mounts = read_mounts()
    if (around := root_around(os.path.join(real, "x"), needles, mounts)) is not None:
        raise option_error("--to", f"{given} lies in the needles {around.given}")
    if (root := root_within(real, needles, mounts)) is not None:
        raise option_error("--needles", f"{root.given} lies in the destination {given}")


def plan_import(
    settings: Settings,
    destination: Destination,
    layout: str = "keep",
    also: Collection[str] = (),
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    decisions: Sequence[Decision] = (),
) -> ImportPlan:
    """Find what is missing, and say where each file is to lie. Changes nothing.

    By the ``decisions`` of a person, what is there on their word, or not wanted, is not brought over. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    from dupfind.session import kept_for_the_run

    way = Layout(layout, is_windows=destination.is_windows)
    with kept_for_the_run(settings) as kept:
        run = Run(kept, listener, make_executor)
        scanned = scan_run(run, decisions or None)
        needles = needles_of(scanned)
        wanted = chosen(needles, also)
        leaders = leaders_of(wanted, needles)
        copies, captured = _each_once(run, wanted, leaders) if wanted else ({}, {})
    today = date.today()  # noqa: DTZ011 - folders are named after local days
    if way.is_dated:
        undated = [
            leader
            for leader in {leader.entry.path: leader for leader in leaders.values()}.values()
            if day_of_capture(captured.get(leader.entry.path), today) is None
        ]
        captured = {**captured, **takeout_times(needles, undated)}
    items, duplicates = plan_items(wanted, leaders, copies, captured, way, also, today)
    items = with_trusted_folders(items, destination.real, OnDisk())
    names = names_below(destination.real, sorted({item.folder for item in items}))
    return ImportPlan(
        __version__,
        destination.given,
        destination.real,
        layout,
        with_numbers(items, names),
        duplicates,
        left_out(needles, also),
        sum(needle.file.state is FileState.PRESENT for needle in needles),
        scanned.report.problems,
        free_bytes(destination.real),
        destination.is_outside,
        left_fragments(needles, also),
    )


def needles_of(scanned: Scanned) -> list[Needle]:
    """Return each needle of a scan with its verdict."""
    by_path: dict[str, FileVerdict] = {file.path: file for file in scanned.report.files}
    return [
        Needle(entry, by_path[path], below(entry.path), os.path.basename(tree.root.real))
        for tree in scanned.needles
        for shown, below in [(tree.root.shown, tree.root.below)]
        for entry in tree.entries
        if (path := shown(entry.path)) in by_path
    ]


def _each_once(
    run: Run, wanted: Sequence[Needle], leaders: Mapping[str, Needle]
) -> tuple[dict[str, CopyOf], dict[str, str | None]]:
    """Return which of the wanted are copies of others, and when the pictures among them were taken."""
    from dupfind.grouping.distinct import distinct
    from dupfind.session import with_reader

    shown = {needle.entry.path: needle.file.path for needle in wanted}
    entries = [needle.entry for needle in wanted]
    dated = list({leader.entry.path: leader.entry for leader in leaders.values()}.values())
    accept = run.settings.scan.accept
    each_once = with_reader(run, partial(distinct, wanted=entries, dated=dated, shown=shown.__getitem__, accept=accept))
    return {path: CopyOf(*copy) for path, copy in each_once.copies.items()}, each_once.captured


def takeout_times(needles: Iterable[Needle], undated: Collection[Needle]) -> dict[str, str]:
    """Return when those of the ``undated`` were taken that a Takeout says it of: EXIF's text, by the path of the entry.

    Only what lies in the same folder is read, of ``needles``, and only where its name and its title fit.
    """
    by_folder: dict[str, dict[str, Needle]] = {}
    for needle in undated:
        by_folder.setdefault(needle.folder, {})[needle.name] = needle
    times: dict[str, str] = {}
    for needle in needles:
        beside = by_folder.get(needle.folder)
        if beside is None or kind_of(needle.name) is not Kind.TAKEOUT:
            continue
        owners = owners_of(Kind.TAKEOUT, needle.name, beside)
        for owner, text in _times_in(needle, owners):
            times[beside[owner].entry.path] = text
    return times


def _times_in(needle: Needle, owners: list[str]) -> Iterator[tuple[str, str]]:
    """Yield those of the owners that a JSON is about, with when they were taken by the clock of this machine."""
    if not owners or needle.entry.size_bytes > MOST_BYTES or not needle.entry.can_be_read:
        return
    try:
        with open_entry(needle.entry) as file:
            content = file.read(MOST_BYTES + 1)
        seconds = taken_seconds(content)
        if seconds is None:
            return
        moment = datetime.fromtimestamp(seconds)  # noqa: DTZ006 - folders are named after local days
    except (OSError, ChangedError, ValueError, OverflowError):
        return
    for owner in described(Kind.TAKEOUT, content, owners):
        yield owner, f"{moment:%Y:%m:%d %H:%M:%S}"


def carry_out(
    plan: ImportPlan, listener: Listener | None = None, journal: str | None = None, should_stop: ShouldStop = never
) -> Imported:
    """Import what was planned. Raises :class:`~dupfind.errors.ActingError` where nothing could be begun."""
    began = time.monotonic()
    if not plan.items:
        return Imported(plan, [], None)
    free = free_bytes(plan.real)
    if free is not None and free < plan.size_bytes:
        raise ActingError(
            f"--to {plan.destination}: {plan.size_bytes:,} bytes are to be written, and {free:,} are free: "
            f"nothing was imported"
        )
    with journals.alone(), ExitStack() as stack:
        drives = note_drives([plan.real])
        about = {"to": plan.destination, "real": plan.real, "layout": plan.layout, "drives": drives}
        own = Journal.create("import", about, journal)
        stack.enter_context(own.telling())
        stopped: int | None = None
        try:
            with open_destination(plan, own) as root:
                left_overs = remove_left_overs(root, own)
                done = Importer(root, own, listener, should_stop).run(plan.items)
        finally:
            stopped, kept = should_stop(), own.kept
            own.close(stopped=stopped)
    return Imported(plan, done, kept, round(time.monotonic() - began, 3), stopped, left_overs)
