"""dupfind: which needle folders still hold something that is not in the haystack?

What the commands do can be done from Python too: see :mod:`dupfind.api`, whose functions are found here.
"""

from __future__ import annotations

from dupfind.version import __version__

TYPE_CHECKING = False  # typing's own takes 10 ms to load, in which a signal would still be answered by a traceback
if TYPE_CHECKING:
    from dupfind.api import (
        clean,
        compare,
        decide,
        describe,
        explain,
        find,
        groups,
        import_,
        index,
        read_decisions,
        scan,
        to_json,
        undo,
        write_decisions,
    )

__all__ = [
    "__version__",
    "clean",
    "compare",
    "decide",
    "describe",
    "explain",
    "find",
    "groups",
    "import_",
    "index",
    "read_decisions",
    "scan",
    "to_json",
    "undo",
    "write_decisions",
]


def __getattr__(name: str) -> object:
    """Load a function of the interface when it is first asked for: the command line starts without them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dupfind import api

    return getattr(api, name)
