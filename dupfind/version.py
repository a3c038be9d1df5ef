"""The version of this program, for all that writes it down; the package's front hands it out as ``__version__``."""

from __future__ import annotations

try:
    from dupfind._version import version as __version__
except ImportError:  # a checkout in which nothing was built or installed
    __version__ = "1.0.0.dev0"

__all__ = ["__version__"]
