"""Which libraries have a part in what is found of pictures, told without loading them.

A wheel brings the C libraries that it was built with and leaves a folder with its name and version beside it. So where
Pillow came as one, these folders say what loading it all would say, in a hundredth of the time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec

_DISTRIBUTIONS = re.compile(
    r"(av|imagehash|numpy|opencv[a-z_]*|pillow|pillow_heif|pillow_jxl_plugin|pywavelets|rawpy|scipy|simplejpeg)-[^-]+\.dist-info",
    re.IGNORECASE,
)
_OF_FFMPEG = re.compile("lib(avcodec|avformat|avutil)[-.]")
_BUNDLED = {"pillow.libs", "pillow_heif.libs"}
"""Where wheels for Linux keep their C libraries: a build without them uses the system's, which change on their own."""


_MODULES = (
    "PIL",
    "av",
    "cv2",
    "imagehash",
    "numpy",
    "pillow_heif",
    "pillow_jxl",
    "pywt",
    "rawpy",
    "scipy",
    "simplejpeg",
)


def installed() -> str | None:
    """Tell the distributions and when each was installed, in one text; None where that would not tell everything."""
    specs = [find_spec(name) for name in _MODULES]
    origins = {os.path.dirname(os.path.dirname(spec.origin)) for spec in specs if spec and spec.origin}
    if len(origins) != 1:
        return None
    (folder,) = origins
    try:
        names = sorted(os.listdir(folder))
        distributions = [name for name in names if _DISTRIBUTIONS.fullmatch(name)]
        states = [os.stat(os.path.join(folder, name)) for name in distributions]
    except OSError:
        return None
    if not _BUNDLED.issubset(names):
        return None
    return repr([folder, *((name, state.st_mtime_ns) for name, state in zip(distributions, states, strict=True))])


_TOLD = {
    "Pillow": "PIL",
    "simplejpeg": "simplejpeg",
    "pillow-heif": "pillow_heif",
    "pillow-jxl-plugin": "pillow_jxl",
    "rawpy": "rawpy",
    "ImageHash": "imagehash",
    "numpy": "numpy",
    "PyWavelets": "pywt",
    "scipy": "scipy",
}
"""The distributions that have a part in hashes, and a module of each: what decodes first, then what computes."""


def versions() -> Iterator[tuple[str, str | None]]:
    """Yield the name and version of each library that has a part in hashes; None where it is not installed.

    Each wheel brings its own C libraries, so that its version says theirs too.
    """
    for name, module in _TOLD.items():
        yield name, version_of(name, module)


def version_of(name: str, module: str) -> str | None:
    """Return the version of the distribution ``name`` that brings ``module``; None where it is not installed."""
    spec = find_spec(module)
    return None if spec is None or not spec.origin else _version(name, os.path.dirname(spec.origin))


_OF_EXTRAS = {
    "botocore": "s3",
    "asyncssh": "sftp",
    "httpx": "webdav",
    "starlette": "review",
    "uvicorn": "review",
    "distributed": "cluster",
}
"""The distributions that extras bring and that have no part in hashes, with the extra of each."""


def versions_of_extras() -> Iterator[tuple[str, str, str | None]]:
    """Yield what extras bring beside decoders: its name, the extra and its version; None where it is not installed."""
    of_fragments = fragment_library()  # of the system's own the version is known to itself only
    has_wheel = can_find_fragments() and not of_fragments.startswith("OpenCV")
    version = of_fragments.rpartition(" ")[2] if has_wheel else "the system's own"
    yield "OpenCV", "fragments", version if can_find_fragments() else None
    for name, extra in _OF_EXTRAS.items():
        spec = find_spec(name)
        yield name, extra, None if spec is None or not spec.origin else _version(name, os.path.dirname(spec.origin))


def can_read_films() -> bool:
    """Tell whether the extra `dupfind[video]` is there."""
    return find_spec("av") is not None


def can_find_fragments() -> bool:
    """Tell whether the extra `dupfind[fragments]` is there."""
    return find_spec("cv2") is not None


def fragment_library() -> str:
    """Name the distribution of OpenCV and its version, without loading it; a system's own is told by when it came."""
    spec = find_spec("cv2")
    if spec is None or not spec.origin:
        return "no OpenCV"
    names = _versions_in(os.path.dirname(os.path.dirname(spec.origin)))
    wheels = [f"{name} {version}" for name, version in sorted(names.items()) if name.startswith("opencv")]
    return ", ".join(wheels) or f"OpenCV {os.stat(spec.origin).st_mtime_ns}"


def version_for_films() -> tuple[str, str | None]:
    """Return the name and version of what reads films, as :func:`versions` does of what decodes pictures."""
    spec = find_spec("av")
    return "av", None if spec is None or not spec.origin else _version("av", os.path.dirname(spec.origin))


def film_libraries() -> str:
    """Name PyAV and the libraries of FFmpeg that its wheel brought, with their versions, without loading them.

    Of a PyAV that uses the system's own libraries only its version and when it was installed is told.
    """
    spec = find_spec("av")
    if spec is None or not spec.origin:
        return "no PyAV"
    package = os.path.dirname(spec.origin)
    names: list[str] = []
    for folder in (os.path.join(os.path.dirname(package), "av.libs"), os.path.join(package, ".dylibs")):
        with suppress(OSError):
            names += sorted(name for name in os.listdir(folder) if _OF_FFMPEG.match(name))
    return f"PyAV {_version('av', package)}, {', '.join(names) or os.stat(spec.origin).st_mtime_ns}"


def _version(name: str, package: str) -> str | None:
    """Return the version of the distribution ``name``, whose module lies in the folder ``package``."""
    version = _versions_in(os.path.dirname(package)).get(name.lower().replace("-", "_"))
    if version is not None:
        return version
    from importlib import metadata  # reads every file that may tell; costs as much as all the rest of a start

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def _versions_in(folder: str) -> dict[str, str]:
    """Return the versions of the distributions beside the packages in ``folder``, by normalised name."""
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    parts = (name.removesuffix(".dist-info").rpartition("-") for name in names if name.endswith(".dist-info"))
    return {re.sub(r"[-_.]+", "_", name).lower(): version for name, _, version in parts}
