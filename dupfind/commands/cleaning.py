"""The story of ``dupfind clean``: what is contained, proved once more file by file, and moved away.

scan > what could go > (--apply) > each file and its witness read again > moves > the result

:func:`plan_clean` changes nothing and gives a value; :func:`carry_out` takes that value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, NamedTuple

from dupfind.acting import journal as journals
from dupfind.acting.clean_plan import Planner, Scan
from dupfind.acting.cleaning import Cleaner
from dupfind.acting.drives import note_drives
from dupfind.acting.journal import Journal
from dupfind.acting.places import Folder, can_rename, free_bytes
from dupfind.acting.stopping import ShouldStop, never
from dupfind.acting.targets import Target, ToFolder, ToTrash
from dupfind.acting.transfer import remove_left_overs
from dupfind.acting.trash import trashes
from dupfind.answers.clean import Cleaned, CleanPlan, Left, Unit
from dupfind.answers.decisions import Decision, Ruling
from dupfind.errors import ActingError, SettingsError, option_error, reason_of
from dupfind.events import Listener, Silence, Within
from dupfind.pipeline import Scanned, scan_run
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.settings import Settings, make_settings, refuse_plans
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import is_within, root_around, root_within
from dupfind.sources.source import Rules
from dupfind.sources.trash_names import is_trash_folder
from dupfind.sources.walk import Walk
from dupfind.values import Evidence, FileEntry, FolderId, Match, Root, Side, is_below
from dupfind.version import __version__

_IN_MEMORY = ("tmpfs", "ramfs")
"""Types of file systems that are gone when the computer is switched off."""
_MOST_WITNESSES = 16
_WORDS = {0: "none", 1: "one", 2: "two", 3: "three", 4: "four"}


class Away(NamedTuple):
    """Where what goes goes to: a folder, or the trash where there is none."""

    given: str | None = None
    real: str | None = None


def clean_settings(move_to: str | None, **options: Any) -> tuple[Settings, Away]:  # noqa: ANN401 - passed on
    """Check the options of a clean; ``options`` are those of :func:`dupfind.settings.make_settings`.

    Raises :class:`~dupfind.errors.SettingsError`.
    """
    settings = refuse_plans(make_settings(**options))
    if settings.scan.quick:
        raise option_error("--quick", "is nothing to clean by")
    if settings.scan.accept is Evidence.SIMILAR:
        raise option_error("--accept", "similar is nothing to clean by: what only looks alike is no copy")
    if not can_rename():
        raise SettingsError("this system cannot rename without the risk of replacing a file (renameat2): nothing to do")
    if os.stat not in os.supports_dir_fd:
        raise SettingsError("this system cannot hold folders open, so that nothing is taken elsewhere: nothing to do")
    _refuse_trash(settings.roots)
    if move_to is None:
        return settings, Away()
    given = move_to.rstrip(os.sep) or move_to
    real = os.path.realpath(given)
    if not os.path.isdir(real):
        raise option_error("--move-to", f"{given}: there is no such folder")
    mounts = read_mounts()
    if (around := root_around(os.path.join(real, "x"), settings.roots, mounts)) is not None:
        raise option_error("--move-to", f"{given} lies in {around.given}")
    if (root := root_within(real, settings.roots, mounts)) is not None:
        raise SettingsError(f"{root.given} lies in --move-to {given}")
    if is_within(real, state := os.path.realpath(journals.state_folder()), mounts):
        raise option_error("--move-to", f"{given} lies in {state}, where the journals are")
    return settings, Away(given, real)


def check_witnesses(witnesses: int) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for a number of witnesses that nobody can mean."""
    if not 1 <= witnesses <= _MOST_WITNESSES:
        raise option_error("--witnesses", f"takes a number, 1 to {_MOST_WITNESSES}, not {witnesses}")


def _refuse_trash(roots: Sequence[Root]) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for a haystack in a trash, as a walk of what is around it would."""
    for root in roots:
        if root.side is Side.HAYSTACK and any(map(is_trash_folder, root.real.split(os.sep))):
            raise SettingsError(f"{root.given} lies in a trash, which may be emptied: it is nothing to clean by")


def plan_clean(
    settings: Settings,
    away: Away = Away(),  # noqa: B008 - a constant
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    *,
    are_files: bool = False,
    witnesses: int = 1,
    decisions: Sequence[Decision] = (),
) -> CleanPlan:
    """Find what could go: folders that are contained, or files that are present. Changes nothing.

    Of the ``decisions`` of a person those count that part a needle from a witness; no word makes up for a proof.
    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    _check_witnesses(settings, witnesses)
    run = Run(settings, listener, make_executor)
    run.recalls_findings = False  # what goes is looked into in this very run
    splits = [decision for decision in decisions if decision.ruling is Ruling.DIFFERENT]
    scanned = scan_run(run, splits or None)
    planner = Planner(_scan(run, scanned, witnesses))
    report = scanned.report
    units = planner.single_files(report.files, report.folders) if are_files else planner.folders(report.folders)
    units, out = _without_trash(units) if away.real is None else _without_memory(units, away)
    return CleanPlan(
        __version__,
        settings.scan.needles,
        away.given,
        away.real,
        units,
        [*planner.left, *out],
        report.problems,
        are_files,
        witnesses,
        _device_of(away),
        None if away.real is None else free_bytes(away.real),
    )


def _check_witnesses(settings: Settings, witnesses: int) -> None:
    """Raise where the haystack cannot hold as many witnesses, each on a device of its own, as are asked for."""
    if witnesses == 1:
        return
    roots = [root for root in settings.roots if root.side is Side.HAYSTACK and not root.is_catalog]
    devices = set()
    for root in roots:
        with suppress(OSError):
            devices.add(os.stat(root.real).st_dev)
    points = [line.point for line in read_mounts().lines]
    has_mounts = any(is_below(point, root.real) and point != root.real for point in points for root in roots)
    if len(devices) < witnesses and not (has_mounts and len(roots) >= witnesses):
        wanted, there = (_WORDS.get(number, str(number)) for number in (witnesses, len(devices)))
        raise option_error(
            "--witnesses", f"{witnesses} needs haystack folders on {wanted} devices; yours lie on {there}"
        )


def _without_trash(units: Sequence[Unit]) -> tuple[list[Unit], list[Left]]:
    """Return the units that are not in the trash by now, and those that are, which stay."""
    kept, left = [], []
    for unit in units:
        try:
            places = trashes(os.path.dirname(unit.real) or os.sep)
        except OSError:  # told when its turn comes
            places = []
        if any(is_below(unit.real, place) for place in places):
            left.append(Left(unit.path, "it lies in the trash already"))
        else:
            kept.append(unit)
    return kept, left


def _without_memory(units: Sequence[Unit], away: Away) -> tuple[list[Unit], list[Left]]:
    """Return the units that can be moved, and those of which the only copy beside the witness would lie in memory."""
    mount = None if away.real is None else read_mounts().around(away.real)
    if mount is None or mount.kind not in _IN_MEMORY:
        return list(units), []
    device = _device_of(away)
    reason = f"{away.given} lies in memory, and what is copied there is gone when the computer is switched off"
    left = [Left(unit.path, reason) for unit in units if unit.device != device]
    return [unit for unit in units if unit.device == device], left


def _device_of(away: Away) -> int | None:
    """Return the device of the folder to move to; None for the trash. Raises :class:`ActingError`."""
    if away.real is None:
        return None
    try:
        return os.stat(away.real).st_dev
    except OSError as error:
        raise ActingError(f"--move-to {away.given}: {reason_of(error)}; nothing was moved") from error


def _scan(run: Run, scanned: Scanned, witnesses: int) -> Scan:
    """Return what of a scan decides."""
    haystack = {entry.path: entry for tree in scanned.haystack for entry in tree.entries}
    more: Mapping[str, Sequence[FileEntry]] = {}
    if witnesses > 1:
        from dupfind.session import with_reader

        more = with_reader(run, lambda reading: _more_witnesses(reading, scanned, haystack))
    return Scan(
        scanned.needles,
        {file.path: file for file in scanned.report.files},
        scanned.matches,
        haystack,
        more,
        witnesses,
        frozenset(root.identity for root in run.settings.roots),
        frozenset(line.point for line in read_mounts().lines),
    )


def _more_witnesses(run: Reading, scanned: Scanned, haystack: Mapping[str, FileEntry]) -> dict[str, list[FileEntry]]:
    """Find further copies of each witness, in other roots of the haystack and on other devices, each on its own."""
    matches: Collection[Match] = scanned.matches.values()
    proving = [haystack[path] for path in dict.fromkeys(match.witness for match in matches) if path in haystack]
    sizes = {entry.size_bytes for entry in proving}
    near = [
        entry for entry in haystack.values() if entry.size_bytes in sizes and entry.is_on_disk and entry.can_be_read
    ]
    digests = run.reader.digests(near)
    equal: dict[tuple[int, bytes], list[FileEntry]] = {}
    for entry in near:
        if isinstance(digest := digests[entry.path], bytes):
            equal.setdefault((entry.size_bytes, digest), []).append(entry)
    roots = [root for root in run.settings.roots if root.side is Side.HAYSTACK and not root.is_catalog]
    more: dict[str, list[FileEntry]] = {}
    for witness in proving:
        of_witness = digests.get(witness.path)
        if not isinstance(of_witness, bytes):
            continue
        seen = {_where(witness, roots)}
        for entry in equal[witness.size_bytes, of_witness]:
            where = _where(entry, roots)
            if where is not None and not any(
                where[0] == root or where[1] == device for root, device in filter(None, seen)
            ):
                seen.add(where)
                more.setdefault(witness.path, []).append(entry)
    return more


def _where(entry: FileEntry, roots: Sequence[Root]) -> tuple[str, int] | None:
    """Return the root and the device of a file; None where it cannot be looked at."""
    root = max(
        (root for root in roots if is_below(entry.path, root.real)), key=lambda root: len(root.real), default=None
    )
    try:
        return None if root is None else (root.real, os.lstat(entry.path).st_dev)
    except OSError:
        return None


def carry_out(
    plan: CleanPlan,
    settings: Settings,
    listener: Listener | None = None,
    journal: str | None = None,
    should_stop: ShouldStop = never,
    make_executor: MakeExecutor | None = None,
) -> Cleaned:
    """Move what was planned, after each file was proved again. Raises :class:`~dupfind.errors.DupfindError`."""
    from dupfind.session import with_reader

    began = time.monotonic()
    if not plan.units:
        return Cleaned(plan, [], None)
    _check_room(plan)
    with journals.alone(), ExitStack() as stack:
        target: Target = ToTrash()
        if plan.real is not None:
            try:
                target = ToFolder(stack.enter_context(Folder.open(plan.real)))
            except OSError as error:
                raise ActingError(f"--move-to {plan.to}: {reason_of(error)}; nothing was moved") from error
        about = {"needles": list(plan.needles), "to": plan.to, "drives": note_drives(_places(plan, settings))}
        own = Journal.create("clean", about, journal)
        if plan.copied:
            remove_left_overs(own)
        stack.enter_context(own.telling())
        stopped = None
        try:
            # The cache remembers what was read before; proofs are made past it, and nothing of it is asked for.
            run = Run(replace(settings, cache=None), Within(listener or Silence()), make_executor)
            cleaner = _cleaner(plan, settings, target, own, listener, should_stop)
            gone = with_reader(run, lambda reading: cleaner(reading).run())
        finally:
            stopped, kept = should_stop(), own.kept
            own.close(stopped=stopped)
    return Cleaned(plan, gone, kept, round(time.monotonic() - began, 3), stopped)


def _places(plan: CleanPlan, settings: Settings) -> Iterator[str]:
    """Yield the folders that a clean takes from or brings to."""
    for root in settings.roots:
        if root.side is Side.NEEDLES and not root.is_catalog:
            yield root.real
            with suppress(OSError):
                yield from trashes(root.real)
    if plan.real is not None:
        yield plan.real


def _check_room(plan: CleanPlan) -> None:
    """Raise where what is copied to another file system has no room there."""
    free = None if plan.real is None else free_bytes(plan.real)
    if free is not None and free < plan.copied_bytes:
        raise ActingError(
            f"--move-to {plan.to}: {plan.copied_bytes:,} bytes are to be copied there, and {free:,} are free: "
            f"nothing was moved"
        )


def _cleaner(
    plan: CleanPlan,
    settings: Settings,
    target: Target,
    own: Journal,
    listener: Listener | None,
    should_stop: ShouldStop,
) -> Callable[[Reading], Cleaner]:
    """Return a function from what reads files to what moves them."""
    from dupfind.matching.reverify import Claim, Look, reverify, reverify_all

    roots: Collection[FolderId] = frozenset(root.identity for root in settings.roots)

    def relist(unit: Unit) -> Collection[str] | None:
        state = os.lstat(unit.real)
        root = Root(Side.NEEDLES, unit.path, unit.real, (state.st_dev, state.st_ino))
        walk = Walk(root, Rules(Excludes(settings.excludes), mounts=read_mounts()), (), frozenset())
        entries = walk.run().entries
        return None if walk.problems else {entry.path for entry in entries}

    def make(reading: Reading) -> Cleaner:
        def prove(claim: Claim) -> Look:
            if claim.evidence is Evidence.IDENTICAL:  # nothing is decoded, so no other process is needed
                return reverify([claim], settings.max_pixels, settings.timeout_seconds)[0]
            return next(look for _, look in reverify_all(reading, [claim]))

        return Cleaner(plan, target, own, prove, relist, roots, listener, should_stop)

    return make
