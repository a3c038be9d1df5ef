"""Raw options to one validated value; everything that can be wrong with them is found here, before any work.

Looks at the roots and at nothing below them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from dupfind.errors import SettingsError
from dupfind.ignore import is_junk_folder
from dupfind.values import Evidence, FileState, FolderId, FolderState, Root, ScanSettings, Side

DEFAULT_THRESHOLD_BITS = {"phash": 8, "dhash": 10, "ahash": 5, "whash": 6}
"""Radius of the search for each algorithm, in bits of the 64.

Measured on 395 photos: 99.9% of mild edits (re-encoded, resized, lighter, darker) lie within; of the worst kind of
edit 99.5%, with aHash 97.7%. Of a million unrelated pairs 0, 0, 129 and 154 lie within.
"""

MOST_THRESHOLD_BITS = 32
DEFAULT_TIMEOUT_SECONDS = 60.0
MOST_TIMEOUT_SECONDS = 1_000_000
"""Eleven days: the system's timers do not take any number, and infinity least of all."""
DEFAULT_MAX_PIXELS = 500_000_000
CACHE_NAME = "cache-2.sqlite"


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
    cache: str | None = None
    warnings: tuple[str, ...] = field(default=())
    """What the user should know before the run; one line each."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What of the answer is wanted, and how."""

    format: Format = Format.TABLE
    files: bool = False
    folder_states: frozenset[FolderState] = frozenset(FolderState) - {FolderState.CONTAINED}
    file_states: frozenset[FileState] = frozenset(FileState) - {FileState.PRESENT}
    is_filtered: bool = False
    """True when the user chose the verdicts; JSON is whole otherwise."""
    print0: bool = False
    output: str | None = None


def make_settings(
    *,
    haystack: Sequence[str],
    needles: Sequence[str],
    algorithm: str = "phash",
    threshold_bits: int | None = None,
    accept: str = "same",
    rotations: bool = True,
    exclude: Sequence[str] = (),
    follow_symlinks: bool = False,
    workers: int | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    cache: str | None = None,
    no_cache: bool = False,
) -> Settings:
    """Check the options of a scan; raises :class:`~dupfind.errors.SettingsError` with one line for the user."""
    roots = _roots(haystack, Side.HAYSTACK) + _roots(needles, Side.NEEDLES)
    _refuse_same_root(roots)
    roots = _without_inner(roots)
    threshold = _check_values(algorithm, threshold_bits, accept, timeout_seconds, max_pixels, workers)
    cache_path, warnings = (None, ()) if no_cache else _cache_path(cache, roots)
    return Settings(
        roots=roots,
        scan=ScanSettings(
            haystack=tuple(haystack),
            needles=tuple(needles),
            algorithm=algorithm,
            threshold_bits=threshold,
            accept=Evidence(accept),
            rotations=rotations,
        ),
        excludes=tuple(exclude),
        follow_symlinks=follow_symlinks,
        workers=workers or _cores(),
        timeout_seconds=timeout_seconds,
        max_pixels=max_pixels,
        cache=cache_path,
        warnings=warnings,
    )


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
        raise SettingsError(f"--threshold takes 0 to {MOST_THRESHOLD_BITS} bits, not {threshold}")
    if not 0 < timeout_seconds <= MOST_TIMEOUT_SECONDS:
        raise SettingsError(f"--timeout takes a number of seconds above 0, at most {MOST_TIMEOUT_SECONDS:,}")
    for option, number in (("--max-pixels", max_pixels), ("--workers", workers)):
        if number is not None and number < 1:
            raise SettingsError(f"{option} takes a number above 0, not {number}")
    return threshold


def make_report_settings(
    *,
    roots: Sequence[Root] = (),
    format_: str | None = None,
    files: bool = False,
    only: Sequence[str] = (),
    everything: bool = False,
    print0: bool = False,
    output: str | None = None,
) -> ReportSettings:
    """Check the options of the report; raises :class:`~dupfind.errors.SettingsError`."""
    if print0 and format_ not in (None, Format.PATHS):
        raise SettingsError(f"-0 prints paths and does not go with --format {format_}")
    if only and everything:
        raise SettingsError("--only and --all contradict each other")
    chosen = Format(format_ or (Format.PATHS if print0 else Format.TABLE))
    has_both = chosen in (Format.JSON, Format.JSONL)
    known = {state.value for state in FileState} if files or has_both else set()
    known |= set() if files and not has_both else {state.value for state in FolderState}
    for verdict in only:
        if verdict not in known:
            hint = "is a verdict on files: add --files" if not files else "is a verdict on folders: leave --files out"
            raise SettingsError(f"--only {verdict} {hint}")
    if output is not None:
        _check_output(output, roots)
    settings = ReportSettings(format=chosen, files=files, is_filtered=bool(only), print0=print0, output=output)
    if only or everything or has_both:
        return _with_states(settings, only or sorted(known))
    return settings


def _check_output(output: str, roots: Sequence[Root]) -> None:
    """Find what is wrong with ``--output`` before the work, not after it."""
    real = os.path.realpath(output)
    if root := _root_around(real, roots):
        raise SettingsError(f"--output {output} lies under {root.given}, where dupfind never writes")
    if not output or os.path.isdir(real):
        raise SettingsError(f"--output {output}: not a file")
    if not os.path.isdir(os.path.dirname(real)):
        raise SettingsError(f"--output {output}: there is no such folder")


def default_cache() -> str:
    """Where the cache is when nobody says otherwise."""
    from platformdirs import user_cache_dir

    return os.path.join(user_cache_dir("dupfind", appauthor=False), CACHE_NAME)


def _with_states(settings: ReportSettings, names: Sequence[str]) -> ReportSettings:
    from dataclasses import replace

    return replace(
        settings,
        folder_states=frozenset(state for state in FolderState if state.value in names),
        file_states=frozenset(state for state in FileState if state.value in names),
    )


def _roots(given: Sequence[str], side: Side) -> tuple[Root, ...]:
    if not given:
        raise SettingsError(f"--{side} is needed: the folder to {'search in' if side == 'haystack' else 'look for'}")
    roots: dict[tuple[int, int], Root] = {}
    for path in given:
        root = _root(path, side)
        roots.setdefault(root.identity, root)
    return tuple(roots.values())


def _root(given: str, side: Side) -> Root:
    if not given:  # realpath takes it for the working directory, and reports would call that "/"
        raise SettingsError(f"--{side} is given an empty path")
    try:
        real = os.path.realpath(given, strict=True)
        found = os.stat(real)
        if not os.path.isdir(real):
            raise SettingsError(f"--{side} {given}: not a folder")
        os.scandir(real).close()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SettingsError(f"--{side} {given}: {reason}") from error
    return Root(side, given.rstrip(os.sep) or os.sep, real, (found.st_dev, found.st_ino))


def _without_inner(roots: tuple[Root, ...]) -> tuple[Root, ...]:
    """Drop a needles root inside another: its files are counted there, once.

    Not where the walk of the outer one would not come: a haystack lies between, or a folder that counts as junk.
    """

    def is_inner(root: Root) -> bool:
        around = [other for other in roots if root is not other and is_below(root.real, other.real)]
        if not around:
            return False
        nearest = max(around, key=lambda other: len(other.real))
        way = root.real[len(nearest.real) :].split(os.sep)
        return nearest.side is Side.NEEDLES and not any(map(is_junk_folder, way))

    return tuple(root for root in roots if root.side is Side.HAYSTACK or not is_inner(root))


def _refuse_same_root(roots: Sequence[Root]) -> None:
    haystack = {root.identity: root for root in roots if root.side is Side.HAYSTACK}
    for root in roots:
        if root.side is Side.NEEDLES and root.identity in haystack:
            other = haystack[root.identity].given
            raise SettingsError(f"--needles {root.given} and --haystack {other} are the same folder")


def _cache_path(given: str | None, roots: Sequence[Root]) -> tuple[str | None, tuple[str, ...]]:
    path = os.path.abspath(given) if given else default_cache()
    root = _root_around(os.path.realpath(path), roots)
    if root is None:
        return path, ()
    if given:
        raise SettingsError(f"--cache {given} lies under {root.given}, where dupfind never writes")
    return None, (
        f"the cache {path} lies under {root.given}, where dupfind never writes: going on without (--cache FILE helps)",
    )


def _root_around(real_path: str, roots: Sequence[Root]) -> Root | None:
    """The root that ``real_path`` lies below: by its path or, through a bind mount, by device and inode."""
    by_path = next((root for root in roots if is_below(real_path, root.real)), None)
    return by_path or _root_by_identity(os.path.dirname(real_path), {root.identity: root for root in roots})


def _root_by_identity(folder: str, roots: Mapping[FolderId, Root]) -> Root | None:
    while True:
        with suppress(OSError):  # a folder that is not there yet is no root
            found = os.stat(folder)
            if (found.st_dev, found.st_ino) in roots:
                return roots[found.st_dev, found.st_ino]
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)


def is_below(path: str, folder: str) -> bool:
    """True when ``path`` is ``folder`` or lies below it; both absolute and without symbolic links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
