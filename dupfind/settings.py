"""Raw options to one validated value; everything that can be wrong with them is found here, before any work.

What the user named is looked at by :mod:`dupfind.sources.roots`, and nothing below it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dupfind import libraries
from dupfind.errors import SettingsError, error_of, option_error, reason_of
from dupfind.memory_limit import LEAST_BYTES
from dupfind.overwriting import check_outputs
from dupfind.reasons import ReasonCode
from dupfind.scheduler import Scheduler, make_scheduler
from dupfind.sources.bucket_roots import bucket_roots, without_buckets
from dupfind.sources.file_lists import NOTHING, Asked, Named, look_for
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import root_around, said_elsewhere
from dupfind.sources.servers import apart, server_roots
from dupfind.values import SETTLED, Archives, Evidence, FileState, FolderState, Root, ScanSettings, Side

DEFAULT_ALGORITHM = "phash"
DEFAULT_THRESHOLD_BITS = {"phash": 10, "dhash": 10, "ahash": 6, "whash": 8}
"""Radius of the search for each algorithm, in bits of the 64.

Measured on 395 photos: 99.9% of mild edits (re-encoded, resized, lighter, darker) lie within, and of crops by 5% and
turns by 2 degrees 96, 98, 95 and 97%. In a haystack of 395 other photos 1,000 needles meet 0, 36, 274 and 995 false
candidates in eight orientations (``dupfind calibrate``), each of which costs half a millisecond.
"""

MOST_THRESHOLD_BITS = 32
SORTS = ("size", "path", "missing")
BETTER = "better"
"""What ``--only`` takes besides verdicts: needles that are a better copy than the haystack's."""
SIDECARS = ("require", "ignore")
"""What is asked of sidecars whose owner is present, the default first."""
DEFAULT_TIMEOUT_SECONDS = 60.0
MOST_TIMEOUT_SECONDS = 1_000_000
"""Eleven days: the system's timers do not take any number, and infinity least of all."""
DEFAULT_MAX_PIXELS = 500_000_000
DEFAULT_HTML_PICTURES, MOST_HTML_PICTURES = 2_000, 20_000
_MOST_MEMORY_MIB = 1 << 30
CACHE_NAME = "cache-4.sqlite"


class Format(StrEnum):
    """How a report is rendered."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PATHS = "paths"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a scan goes by."""

    roots: tuple[Root, ...]
    scan: ScanSettings
    excludes: tuple[str, ...] = ()
    follow_symlinks: bool = False
    workers: int = 1
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_memory_bytes: int | None = None
    """None for what :func:`dupfind.memory_limit.usual_bytes` says."""
    scheduler: Scheduler | None = None
    """The cluster that reads files; None for this machine."""
    cache: str | None = None
    named: Named = NOTHING
    """What a list names besides the needles of ``roots``."""
    archives: Archives = Archives.NONE
    """Whose archives are looked into."""
    previews: bool = False
    """Whether haystack pictures are looked for by the previews in their files first."""
    warnings: tuple[str, ...] = field(default=())
    """What the user should know before the run; one line each."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What of the answer is wanted, and how."""

    format: Format = Format.TABLE
    files: bool = False
    folder_states: frozenset[FolderState] = frozenset(FolderState) - {FolderState.CONTAINED}
    file_states: frozenset[FileState] = frozenset(FileState).difference(SETTLED)
    is_filtered: bool = False
    """True when the user chose the verdicts or reasons; JSON is whole otherwise."""
    better: bool = False
    """Whether needles that are the better copy are listed too, whatever their verdicts."""
    reasons: frozenset[ReasonCode] = frozenset()
    """List only files with one of these; all where there are none."""
    sort: str | None = None
    """One of :data:`SORTS`; None for the order of the format."""
    again: tuple[str, ...] = ()
    """The command of this scan, without what decides how it is shown."""
    is_of_changes: bool = False
    print0: bool = False
    output: str | None = None
    save: str | None = None
    """Where the whole report is written as JSON, besides."""
    html: str | None = None
    """Where the page is written, besides."""
    html_pictures: int = DEFAULT_HTML_PICTURES


def make_settings(
    *,
    haystack: Sequence[str] | None = None,
    elsewhere: Sequence[str] = (),
    needles: Sequence[str] | None = None,
    listed: Sequence[str] | None = None,
    listed_haystack: Sequence[str] | None = None,
    called: str = "--haystack ",
    may_be_catalogs: bool = True,
    may_be_servers: bool = False,
    algorithm: str = DEFAULT_ALGORITHM,
    threshold_bits: int | None = None,
    accept: str = "same",
    rotations: bool = True,
    paranoid: bool = False,
    quick: bool = False,
    exclude: Sequence[str] = (),
    archives: str = "none",
    disregard: Sequence[str] = (),
    sidecars: str = SIDECARS[0],
    fragments: bool | None = False,
    previews: bool = False,
    follow_symlinks: bool = False,
    workers: int | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory_mib: int | None = None,
    scheduler: str | None = None,
    tls_ca: str | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    cache: str | None = None,
    no_cache: bool = False,
) -> Settings:
    """Check the options of a scan; raises :class:`~dupfind.errors.SettingsError` with one line for the user.

    ``needles`` is None for a command that has no needle folders, ``haystack`` too for one that is given single files;
    ``listed`` is what a list names as needles, ``listed_haystack`` what one names as haystack, None without one.
    ``elsewhere`` are catalogs of the haystack that list another drive than any needle lies on, by a person's word.
    ``fragments`` None looks for parts of pictures where the extra for it is there, the scan is not ``quick`` and not
    too many needles have no match.
    ``called`` stands before a haystack in errors, and ``may_be_catalogs`` and ``may_be_servers`` tell
    whether a catalog or a server may stand for it.
    """
    if quick and paranoid:
        raise option_error("--quick", "and --paranoid contradict each other")
    if archives not in {whose.value for whose in Archives}:
        raise SettingsError(f"unknown choice of archives: {archives}")
    said = [path for path in elsewhere if path not in (needles or ())]
    if said:
        haystack = [*(haystack or ()), *(path for path in said if path not in (haystack or ()))]
    given, servers, buckets = (haystack, needles), list[str](), _Buckets([], [])
    if haystack is not None:
        haystack, servers = apart(haystack)
    if may_be_servers:
        haystack, needles, buckets = _apart(haystack, needles)
    if servers and not may_be_servers:
        raise error_of(called, f"{servers[0]}: a server is asked by dupfind scan only")
    asked = Asked(
        haystack,
        needles,
        listed,
        listed_haystack,
        has_servers=bool(servers or buckets.haystack),
        has_buckets=bool(buckets.needles),
    )
    if sidecars not in SIDECARS:
        raise option_error("--sidecars", f"takes {' or '.join(SIDECARS)}, not {sidecars}")
    roots, named, haystack, needles = look_for(
        asked,
        called,
        Excludes(exclude),
        follow_symlinks=follow_symlinks,
        may_be_catalogs=may_be_catalogs,
        may_be_archives=archives != Archives.NONE,
    )
    on_disk, said_buckets = without_buckets(elsewhere)
    of_buckets = bucket_roots(buckets.haystack, buckets.needles, said_buckets)
    roots = (*said_elsewhere(roots, on_disk), *server_roots(servers), *of_buckets)
    _refuse_with_buckets(buckets, servers, roots)
    haystack = haystack if given[0] is None or not (servers or buckets.haystack) else tuple(given[0])
    needles = needles if given[1] is None or not buckets.needles else tuple(given[1])
    if paranoid and (planned := next((root for root in roots if root.is_plan), None)):
        raise option_error(
            "--paranoid", f"reads needles again, and those of the catalog {planned.given} cannot be read"
        )
    is_far = bool(buckets.haystack)
    threshold = _check_values(algorithm, threshold_bits, accept, timeout_seconds, max_pixels, workers)
    cache_path, warnings = (None, ()) if no_cache else _cache_path(cache, roots)
    return Settings(
        roots=roots,
        scan=ScanSettings(
            haystack,
            needles,
            algorithm,
            threshold,
            Evidence(accept),
            rotations=rotations,
            paranoid=paranoid,
            quick=quick,
            disregard=tuple(disregard),
            sidecars=sidecars,
            fragments=_are_fragments_sought(fragments, quick=quick, is_far=is_far),
            fragments_of_any=bool(fragments),
            lacks_fragments=fragments is None and not (quick or is_far or libraries.can_find_fragments()),
        ),
        excludes=tuple(exclude),
        follow_symlinks=follow_symlinks,
        workers=workers or _cores(),
        timeout_seconds=timeout_seconds,
        max_pixels=max_pixels,
        max_memory_bytes=_memory_bytes(max_memory_mib),
        scheduler=make_scheduler(scheduler, tls_ca, tls_cert, tls_key),
        cache=cache_path,
        named=named,
        archives=Archives(archives),
        previews=previews,
        warnings=warnings + _without_pictures(roots, paranoid=paranoid) + tuple(_within(roots)),
    )


def refuse_parts_of_copies(accept: Evidence, *, fragments: bool) -> None:
    """Raise where groups of copies are asked for parts of pictures, which only look alike."""
    if fragments and accept is not Evidence.SIMILAR:
        raise option_error("--fragments", "needs --accept similar: a part of a picture is no copy of it")


def _are_fragments_sought(wanted: bool | None, *, quick: bool, is_far: bool) -> bool:
    """Tell whether parts of pictures are looked for; raises where that was asked for and cannot be.

    With a haystack that ``is_far`` only where it was asked for: all of its pictures would be downloaded once more.
    """
    if wanted and quick:
        raise option_error("--fragments", "and --quick contradict each other")
    if wanted and not libraries.can_find_fragments():
        raise option_error("--fragments", "needs the extra dupfind[fragments], which is not installed")
    usual = libraries.can_find_fragments() and not (quick or is_far)
    return usual if wanted is None else wanted


class _Buckets(NamedTuple):
    """The buckets of each side, as they were spelt."""

    haystack: list[str]
    needles: list[str]


def _apart(
    haystack: Sequence[str] | None, needles: Sequence[str] | None
) -> tuple[list[str] | None, list[str] | None, _Buckets]:
    """Return the folders of each side, and the buckets."""
    folders, of_haystack = (None, []) if haystack is None else without_buckets(haystack)
    needle_folders, of_needles = (None, []) if needles is None else without_buckets(needles)
    return folders, needle_folders, _Buckets(of_haystack, of_needles)


def _refuse_with_buckets(buckets: _Buckets, servers: Sequence[str], roots: Sequence[Root]) -> None:
    """Refuse what nobody could tell from a bucket on the other side: whether the two are one."""
    if buckets.needles and servers:
        raise SettingsError(f"{servers[0]} does not go with needles in a bucket or on a server: copy them here first")
    across = {Side.HAYSTACK: buckets.needles, Side.NEEDLES: buckets.haystack}
    catalog = next((root for root in roots if root.is_catalog and across[root.side]), None)
    if catalog is not None:
        raise SettingsError(
            f"the catalog {catalog.given} does not go with a bucket or a server on the other side: "
            "it may list the very files"
        )


def refuse_plans(settings: Settings) -> Settings:
    """Return the settings of a command that acts on needles, or shows them; raises where they lie on a drive elsewhere.

    A catalog among the needles gives a plan, and nothing of it is here to be copied, moved or looked at.
    """
    planned = next((root for root in settings.roots if root.is_plan), None)
    if planned is not None:
        raise SettingsError(f"{planned.given} lists a drive that is not here: name the drive itself, not its catalog")
    return settings


def _check_values(
    algorithm: str,
    threshold_bits: int | None,
    accept: str,
    timeout_seconds: float,
    max_pixels: int,
    workers: int | None,
) -> int:
    """Check what needs no look at the disk; gives the threshold."""
    if algorithm not in DEFAULT_THRESHOLD_BITS:
        raise SettingsError(f"unknown algorithm: {algorithm}")
    if accept not in {grade.value for grade in Evidence}:
        raise SettingsError(f"unknown grade of evidence: {accept}")
    threshold = DEFAULT_THRESHOLD_BITS[algorithm] if threshold_bits is None else threshold_bits
    if not 0 <= threshold <= MOST_THRESHOLD_BITS:
        raise option_error("--threshold", f"takes 0 to {MOST_THRESHOLD_BITS} bits, not {threshold}")
    if not 0 < timeout_seconds <= MOST_TIMEOUT_SECONDS:
        raise option_error("--timeout", f"takes a number of seconds above 0, at most {MOST_TIMEOUT_SECONDS:,}")
    for option, number in (("--max-pixels", max_pixels), ("--workers", workers)):
        if number is not None and number < 1:
            raise option_error(option, f"takes a number above 0, not {number}")
    return threshold


def _memory_bytes(mib: int | None) -> int | None:
    least = LEAST_BYTES >> 20
    if mib is not None and not least <= mib <= _MOST_MEMORY_MIB:
        raise option_error("--max-memory", f"takes a number of MiB, {least} to {_MOST_MEMORY_MIB:,}, not {mib}")
    return None if mib is None else mib << 20


def make_report_settings(
    *,
    roots: Sequence[Root] = (),
    format_: str | None = None,
    files: bool = False,
    only: Sequence[str] = (),
    everything: bool = False,
    print0: bool = False,
    output: str | None = None,
    save: str | None = None,
    html: str | None = None,
    html_pictures: int | None = None,
    is_of_changes: bool = False,
    reasons: Sequence[str] = (),
    sort: str | None = None,
    again: Sequence[str] = (),
) -> ReportSettings:
    """Check the options of the report; raises :class:`~dupfind.errors.SettingsError`.

    ``is_of_changes`` is for a report of what has changed, also to the better.
    """
    if print0 and format_ not in (None, Format.PATHS):
        raise SettingsError(f"-0 prints paths and does not go with --format {format_}")
    if only and everything:
        raise option_error("--only", "and --all contradict each other")
    chosen = Format(format_ or (Format.PATHS if print0 else Format.TABLE))
    has_both = chosen in (Format.JSON, Format.JSONL)
    verdicts = {state.value for state in FileState} if files or has_both else set()
    verdicts |= set() if files and not has_both else {state.value for state in FolderState}
    codes = _codes(reasons)
    for verdict in only:
        if verdict == BETTER:
            continue
        if verdict not in verdicts:
            hint = "is a verdict on files: add --files" if not files else "is a verdict on folders: leave --files out"
            raise option_error("--only", f"{verdict} {hint}")
    check_outputs({"--output": output, "--save": save, "--html": html}, roots)
    if html is not None and any(root.is_plan for root in roots):
        raise option_error("--html", "does not go with needles of a catalog: there is nothing of them to be shown")
    most_pictures = check_html_pictures(html_pictures, html)
    settings = ReportSettings(
        chosen,
        files,
        is_filtered=bool(only or reasons),
        better=BETTER in only,
        reasons=codes,
        sort=sort,
        again=tuple(again),
        is_of_changes=is_of_changes,
        print0=print0,
        output=output,
        save=save,
        html=html,
        html_pictures=most_pictures,
    )
    if is_of_changes:  # files are told of too, where the verdict of their folder stays
        verdicts |= {state.value for state in FileState}
    if only or everything or has_both or is_of_changes or reasons:
        return _with_states(settings, only or sorted(verdicts))
    return settings


def _codes(names: Sequence[str]) -> frozenset[ReasonCode]:
    """Return the codes of these names; raises :class:`~dupfind.errors.SettingsError` for one that is none."""
    codes = [code.value for code in ReasonCode]
    for name in names:
        if name not in codes:
            from difflib import get_close_matches

            near = get_close_matches(name, codes, 1)
            hint = f"did you mean {near[0]}?" if near else "they are listed in docs/report.md"
            raise option_error("--reason", f"{name} is no reason code: {hint}")
    return frozenset(map(ReasonCode, names))


def check_html_pictures(number: int | None, html: str | None) -> int:
    """Return the number of files that have pictures in the page; raises :class:`~dupfind.errors.SettingsError`."""
    if number is None:
        return DEFAULT_HTML_PICTURES
    if html is None:
        raise option_error("--html-pictures", "goes with --html")
    if not 0 <= number <= MOST_HTML_PICTURES:
        raise option_error("--html-pictures", f"takes a number, 0 to {MOST_HTML_PICTURES:,}, not {number}")
    return number


def default_cache() -> str:
    """Return where the cache is when nobody says otherwise."""
    from platformdirs import user_cache_dir

    return os.path.join(user_cache_dir("dupfind", appauthor=False), CACHE_NAME)


def _with_states(settings: ReportSettings, names: Sequence[str]) -> ReportSettings:
    from dataclasses import replace

    return replace(
        settings,
        folder_states=frozenset(state for state in FolderState if state.value in names),
        file_states=frozenset(state for state in FileState if state.value in names),
    )


def _cache_path(given: str | None, roots: Sequence[Root]) -> tuple[str | None, tuple[str, ...]]:
    try:
        path = os.path.abspath(given) if given else default_cache()
    except OSError as error:  # the working directory is gone
        raise option_error("--cache", f"{given}: {reason_of(error)}") from error
    root = root_around(os.path.realpath(path), roots, read_mounts())
    if root is None:
        return path, ()
    if given:
        raise option_error("--cache", f"{given} lies under {root.given}, where dupfind never writes")
    return None, (
        f"the cache {path} lies under {root.given}, where dupfind never writes: going on without (--cache FILE helps)",
    )


def _within(roots: Sequence[Root]) -> Iterator[str]:
    """Yield a line for each root that lies in one of the other side, which it is left out of."""
    for root in roots:
        around = root_around(root.real, [opposite for opposite in roots if opposite.side is not root.side])
        if around is None or around.real == root.real or root.is_archive or root.is_catalog:
            continue
        if root.side is Side.NEEDLES:
            yield f"{root.given} lies in {around.given}: what is in it is looked for there, and is no haystack itself"
        else:
            yield f"{root.given} lies in {around.given}: what is in it is haystack, and is not looked for itself"


def _without_pictures(roots: Sequence[Root], *, paranoid: bool) -> tuple[str, ...]:
    why = "prove nothing with --paranoid, since they cannot be read again"
    return tuple(f"pictures of {root.given} {why}" for root in roots if paranoid and root.is_catalog)


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
