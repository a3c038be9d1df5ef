"""How much memory there is, and how much of it a process may take.

The ceiling is the system's own limit on the memory that a process can write to (``RLIMIT_DATA``), which holds whatever
a decoder in C asks for. Linux alone counts all of it: macOS does not enforce its limits and Windows has none, so there
is no ceiling, and ``--max-pixels`` alone bounds what a picture costs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec

IS_HELD = sys.platform == "linux" and find_spec("resource") is not None
"""Whether this system has a limit that holds."""
LEAST_BYTES = 256 << 20
"""The least for one process: interpreter and decoders take 41 MB, a HEIC of 24 megapixels 175 more."""

_SHARE = 3, 4
_OTHERWISE_BYTES = 2 << 30
_MOST_BYTES_A_PIXEL = 32
"""The greediest of what was measured is WebP without loss and with transparency: 28.4. See docs/hostile.md."""
_FIXED_BYTES = 128 << 20
_NO_LIMIT = 1 << 60
"""What the first version of control groups says where there is none is nearly 2 to the 63."""


def usual_bytes() -> int:
    """Return what all decoding together may take by default: three quarters of what there is."""
    numerator, denominator = _SHARE
    return max(LEAST_BYTES, (machine_bytes() or _OTHERWISE_BYTES) * numerator // denominator)


def machine_bytes() -> int | None:
    """Return the memory of the machine, or of the container around this process where
    that has less; None where not known.
    """
    limits = list(_group_bytes())
    with suppress(AttributeError, ValueError, OSError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min((limit for limit in limits if 0 < limit < _NO_LIMIT), default=None)


def _group_bytes(groups: str = "/proc/self/cgroup", mount: str = "/sys/fs/cgroup") -> Iterator[int]:
    """Yield the limits of the control groups around this process, of either version, as far as they are to be seen."""
    with suppress(OSError, ValueError), open(groups, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            folder, name = (f"{mount}/memory", "memory.limit_in_bytes") if controllers else (mount, "memory.max")
            parts = [part for part in path.split("/") if part not in ("", "..")]
            for count in range(len(parts) + 1):
                with suppress(OSError, ValueError), open("/".join([folder, *parts[:count], name])) as file:
                    yield int(file.read())


@contextmanager
def held(most_bytes: int | None) -> Iterator[None]:
    """Let this process have no more than ``most_bytes`` to write to in the block; None for no ceiling.

    What is refused raises ``MemoryError`` in Python, and in C whatever the code there makes of it.
    """
    if most_bytes is None or not IS_HELD:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lower = [limit for limit in (soft, hard, most_bytes) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(lower), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def may_be_short(size_pixels: int) -> bool:
    """Tell whether a picture of this size may take more than this process can have,
    so that memory may be why it failed.
    """
    if not IS_HELD:
        return False
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return soft != resource.RLIM_INFINITY and _FIXED_BYTES + _MOST_BYTES_A_PIXEL * size_pixels > soft
