"""Which libraries have a part in what is found of pictures, told without loading them.

A wheel brings the C libraries that it was built with and leaves a folder with its name and version beside it. So where
Pillow came as one, these folders say what loading it all would say, in a hundredth of the time.
"""

from __future__ import annotations

import os
import re
from importlib.util import find_spec

_DISTRIBUTIONS = re.compile(
    r"(imagehash|numpy|pillow|pillow_heif|pillow_jxl_plugin|pywavelets|rawpy|scipy|simplejpeg)-[^-]+\.dist-info",
    re.IGNORECASE,
)
_BUNDLED = {"pillow.libs", "pillow_heif.libs"}
"""Where wheels for Linux keep their C libraries: a build without them uses the system's, which change on their own."""


_MODULES = ("PIL", "imagehash", "numpy", "pillow_heif", "pillow_jxl", "pywt", "rawpy", "scipy", "simplejpeg")


def installed() -> str | None:
    """The distributions and when each was installed, in one text; None where that would not tell everything."""
    specs = [find_spec(name) for name in _MODULES]
    origins = {os.path.dirname(os.path.dirname(spec.origin)) for spec in specs if spec and spec.origin}
    if len(origins) != 1:
        return None
    (folder,) = origins
    try:
        names = sorted(os.listdir(folder))
        found = [name for name in names if _DISTRIBUTIONS.fullmatch(name)]
        states = [os.stat(os.path.join(folder, name)) for name in found]
    except OSError:
        return None
    if not _BUNDLED.issubset(names):
        return None
    return repr([folder, *((name, state.st_mtime_ns) for name, state in zip(found, states, strict=True))])
