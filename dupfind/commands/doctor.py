"""The story of ``dupfind doctor``: what of this machine and this installation has a part in how a run goes.

Made to be pasted into a report of a bug: no path, no name of a file, of a user or of a machine, and no value of an
option is in it.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress

from dupfind import libraries, memory_limit
from dupfind.answers.doctor import Diagnosed, Fact, Section
from dupfind.cache import cache_upkeep, permissions
from dupfind.cache.cache_file import engine_version
from dupfind.errors import CacheError, reason_of
from dupfind.events import Silence
from dupfind.session import memory_bytes, recipe
from dupfind.settings import Settings
from dupfind.version import __version__

_MIB = 1 << 20
_FEW_FILES = 256
"""Open files below which a run with many workers may end early: each takes two, and decoders some more."""
_FEW_FREE_BYTES = 512 << 20
"""Room for temporary files below which archives cannot be unpacked."""
_PREFIX = "DUPFIND_"


def diagnose(settings: Settings, cache: str, configured: Sequence[str] | None, encoding: str) -> Diagnosed:
    """Look at everything and change nothing.

    ``cache`` is where the cache is, ``configured`` the names of the options that ``config.toml`` sets, None where there
    is none, ``encoding`` that of standard output.
    """
    return Diagnosed(
        (
            Section("Versions", tuple(_versions())),
            Section("Limits", tuple(_limits(settings))),
            Section("Cache", tuple(_cache(cache))),
            Section("Settings", tuple(_settings(configured, encoding))),
        )
    )


def _versions() -> Iterator[Fact]:
    yield Fact("dupfind", __version__)
    yield Fact("Python", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Fact("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Fact("SQLite", engine_version())
    extras = {"pillow-jxl-plugin": "jxl", "rawpy": "raw", "av": "video"}
    for name, version in (*libraries.versions(), libraries.version_for_films()):
        if version is None and name not in extras:
            yield Fact(name, "not installed", "dupfind cannot work without it: install dupfind again")
        else:
            yield Fact(name, version or f"not installed (extra {extras[name]})")
    for name, extra, version in libraries.versions_of_extras():
        yield Fact(name, version or f"not installed (extra {extra})")


def _limits(settings: Settings) -> Iterator[Fact]:
    yield Fact("workers", f"{settings.workers} of {os.cpu_count() or 'unknown'} cores")
    machine_bytes = memory_limit.machine_bytes()
    yield Fact("memory", "not known" if machine_bytes is None else _mib(machine_bytes))
    yield Fact("memory for decoding", _mib(memory_bytes(settings)), _shortage(settings))
    yield Fact("memory limit of a worker", "held by the system" if memory_limit.IS_HELD else "none on this system")
    yield Fact("workers start by", "fork of a server" if hasattr(os, "fork") else "a fresh interpreter each")
    has_timer = hasattr(signal, "setitimer")
    yield Fact("time limit of a picture", "ends the decode" if has_timer else "ends the worker")
    yield from _system_limits()
    with suppress(OSError):
        free_bytes = _free_bytes(tempfile.gettempdir())
        is_short = free_bytes is not None and free_bytes < _FEW_FREE_BYTES
        advice = "archives may not fit: free some, or set TMPDIR to another folder" if is_short else None
        yield Fact("room for temporary files", "not known" if free_bytes is None else _mib(free_bytes), advice)


def _shortage(settings: Settings) -> str | None:
    if memory_bytes(settings) // settings.workers >= memory_limit.LEAST_BYTES:
        return None
    return f"less than {_mib(memory_limit.LEAST_BYTES)} a worker: large pictures are read one at a time; use --workers"


def _system_limits() -> Iterator[Fact]:
    """Yield the limits that the system sets each process; none on Windows."""
    try:
        import resource
    except ImportError:
        yield Fact("limits of the system", "none to be seen on this system")
        return
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_low = files != resource.RLIM_INFINITY and files < _FEW_FILES
    yield Fact("open files", _limit(files), "too few for many workers: ulimit -n 1024" if is_low else None)
    size_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    is_held = size_bytes != resource.RLIM_INFINITY
    yield Fact("size of a file", _limit(size_bytes), "a cache or report may not fit: ulimit -f" if is_held else None)


def _limit(number: int) -> str:
    import resource

    return "unlimited" if number == resource.RLIM_INFINITY else f"{number:,}"


def _free_bytes(folder: str) -> int | None:
    if not hasattr(os, "statvfs"):
        return None
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _cache(path: str) -> Iterator[Fact]:
    clear = "dupfind cache clear begins a new one"
    try:
        content = cache_upkeep.info(path)
        if content is None:
            yield Fact("state", "none yet")
            return
        checked = cache_upkeep.check(path, recipe("phash", Silence()).thumbnails)
    except CacheError as error:
        yield Fact("state", "cannot be used", f"{_without(str(error), path)}; {clear}, or --cache names another")
        return
    assert checked is not None, "it was there a moment ago, or it would have been an error"
    yield Fact("state", "whole" if checked.is_whole else "damaged", None if checked.is_whole else clear)
    yield Fact("size", _mib(content.size_bytes))
    yield Fact("files", f"{content.files:,}, {content.digests:,} with a digest")
    yield Fact("thumbnails", f"{content.thumbnails:,}, {content.failures:,} unreadable pictures")
    again = "" if checked.current == checked.decoded else "; the others are decoded once more"
    yield Fact("pictures read by these decoders", f"{checked.current:,} of {checked.decoded:,}{again}")
    yield Fact("answers and snapshots", f"{content.answers:,} and {content.snapshots:,}")
    yield _trust(path)


def _trust(path: str) -> Fact:
    try:
        reason = permissions.distrust_of_file(os.lstat(path)) or permissions.distrust_of_place(path)
    except OSError as error:
        reason = reason_of(error)
    return Fact("trusted", "yes" if reason is None else "no", None if reason is None else _without(reason, path))


def _without(text: str, path: str) -> str:
    """Take the cache's path and its folder out of a message."""
    return text.removeprefix(f"{path}: ").replace(path, "the cache").replace(os.path.dirname(path), "its folder")


def _settings(configured: Sequence[str] | None, encoding: str) -> Iterator[Fact]:
    yield Fact("config.toml", "none" if configured is None else f"sets {', '.join(configured) or 'nothing'}")
    names = sorted(name for name in os.environ if name.startswith(_PREFIX))
    yield Fact("environment", ", ".join(names) or "sets nothing")
    yield Fact("names of files", f"{sys.getfilesystemencoding()} ({sys.getfilesystemencodeerrors()})")
    yield Fact("output", encoding)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:,.1f} MiB" if size_bytes < 10 * _MIB else f"{size_bytes // _MIB:,} MiB"
