"""What the user named to what can be worked on: folders to roots, single files to entries.

Looks at what was named, at the folders around it, and at nothing below.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from dupfind.errors import SettingsError, error_of, option_error, reason_of
from dupfind.sources.archive_names import is_archive_name
from dupfind.sources.bucket_roots import refuse_bucket
from dupfind.sources.catalog_head import NO_CATALOG, why_no_catalog
from dupfind.sources.ignore import is_junk_folder
from dupfind.sources.mounts import Mounts, read_mounts
from dupfind.values import FileEntry, FolderId, Root, Side, is_below

_LIKE_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
_ADDRESSES = "; an address begins with s3://, sftp://, https:// or immich://"
_FOR_FILES = ": single files go to dupfind find, to dupfind explain, or into a list for --files-from"


class NamedFile(NamedTuple):
    """A single file that the user named."""

    given: str
    entry: FileEntry


def make_roots(
    haystack: Sequence[str],
    needles: Sequence[str],
    *,
    may_lack_needles: bool = False,
    may_lack_haystack: bool = False,
    may_be_archives: bool = False,
) -> tuple[Root, ...]:
    """Return the roots of a scan, each once; raises :class:`~dupfind.errors.SettingsError`.

    ``may_be_archives`` tells whether needles may be an archive in the place of a folder.
    """
    roots = haystack_roots(haystack) if haystack or not may_lack_haystack else ()
    if needles or not may_lack_needles:
        roots += _roots(needles, Side.NEEDLES, "--needles ", may_be_archives=may_be_archives)
    _refuse_same_root(roots, read_mounts())  # after a look inside each, which is what makes an automount come
    return _without_inner(roots)


def haystack_roots(
    haystack: Sequence[str], called: str = "--haystack ", *, may_be_catalogs: bool = True
) -> tuple[Root, ...]:
    """Return the roots of a command that has no needle folders; ``called`` stands before a path in errors."""
    return _roots(haystack, Side.HAYSTACK, called, may_be_catalogs=may_be_catalogs)


def said_elsewhere(roots: Sequence[Root], elsewhere: Iterable[str]) -> tuple[Root, ...]:
    """Return ``roots``, with the word of a person on the catalogs that are named ``elsewhere``.

    Raises :class:`~dupfind.errors.SettingsError` where one is no catalog.
    """
    named = {os.path.realpath(path): path for path in elsewhere}
    for real, path in named.items():
        if not any(root.is_catalog and root.real == real for root in roots):
            raise option_error(
                "--elsewhere", f"{path}: only a catalog can list another drive (dupfind index makes one)"
            )
    return tuple(replace(root, is_elsewhere=True) if root.real in named else root for root in roots)


def named_file(given: str, mounts: Mounts | None = None) -> NamedFile:
    """Return a single file that the user named, links followed; raises :class:`~dupfind.errors.SettingsError`.

    ``mounts`` is the table of mounts, which is read once for many files; None reads it for this one.
    """
    refuse_bucket(given)
    if not given:  # realpath takes it for the working directory
        raise SettingsError("an empty path is no file")
    try:
        real = os.path.realpath(given, strict=True)
        found = os.stat(real)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{given}: {reason_of(error)}", cause=reason_of(error)) from error
    if stat.S_ISDIR(found.st_mode):
        cause = "is a folder: name its files here, or ask dupfind scan about the whole of it"
        raise SettingsError(f"{given} {cause}", cause=cause)
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"{given}: not a regular file", cause="not a regular file")
    forgetful = (read_mounts() if mounts is None else mounts).forgetful
    inode = 0 if found.st_dev in forgetful else found.st_ino  # as a walk enters it
    return NamedFile(given, FileEntry(real, found.st_size, found.st_mtime_ns, found.st_ctime_ns, inode))


def named_files(given: Iterable[str], mounts: Mounts | None = None) -> list[NamedFile]:
    """Return what :func:`named_file` gives for each, by one reading of the table of mounts."""
    mounts = read_mounts() if mounts is None else mounts
    return [named_file(path, mounts) for path in given]


def _roots(
    given: Sequence[str], side: Side, called: str, *, may_be_catalogs: bool = True, may_be_archives: bool = False
) -> tuple[Root, ...]:
    if not given:
        if side is Side.NEEDLES:
            raise option_error("--needles", "is needed: the folder to look for (or --files-from: a list of names)")
        raise option_error("--haystack", "is needed: the folder to search in")
    roots: dict[tuple[int, int], Root] = {}
    for path in given:
        root = _root(path, side, called, may_be_catalog=may_be_catalogs, may_be_archive=may_be_archives)
        roots.setdefault(root.identity, root)
    return tuple(roots.values())


def _root(given: str, side: Side, called: str, *, may_be_catalog: bool, may_be_archive: bool) -> Root:
    refuse_bucket(given)
    if not given:  # realpath takes it for the working directory, and reports would call that "/"
        raise (
            option_error(f"--{side}", "is given an empty path")
            if called
            else SettingsError("an empty path is no folder")
        )
    try:
        real = os.path.realpath(given, strict=True)
        if not os.path.isdir(real):
            if may_be_archive and os.path.isfile(real) and is_archive_name(real):
                found = os.lstat(real)
                return Root(side, given, real, (found.st_dev, found.st_ino), is_archive=True)
            if may_be_catalog and os.path.isfile(real) and (catalog := _catalog(given, real, side, called)):
                return catalog
            raise error_of(called, f"{given}: not a folder{_FOR_FILES if side is Side.NEEDLES else ''}")
        os.scandir(real).close()
        found = os.lstat(real)  # after a look inside, which is what makes an automount come
    except (OSError, ValueError) as error:
        is_nearly_one = isinstance(error, FileNotFoundError) and _LIKE_ADDRESS.match(given)
        raise error_of(called, f"{given}: {reason_of(error)}{_ADDRESSES if is_nearly_one else ''}") from error
    return Root(side, _spelled(given, real), real, (found.st_dev, found.st_ino))


def _spelled(given: str, real: str) -> str:
    """Return how the user spells a folder, without separators at its end; a drive of Windows keeps its own.

    ``E:`` alone is wherever somebody is on that drive, so it is spelt out.
    """
    if os.altsep:
        given = given.replace(os.altsep, os.sep)
    drive, rest = os.path.splitdrive(given)
    return drive + (rest.rstrip(os.sep) or os.sep) if rest or not drive else real


def _catalog(given: str, real: str, side: Side, called: str) -> Root | None:
    """Put a catalog in the place of the folder that it lists. Nothing can lie below a file, so no path means two.

    None for another file. Raises :class:`~dupfind.errors.SettingsError` where it is a catalog that cannot be read.
    """
    if (reason := why_no_catalog(real)) is not None:
        if reason == NO_CATALOG:
            return None
        raise error_of(called, f"{given}: {reason}")
    found = os.lstat(real)
    return Root(side, given, real, (found.st_dev, found.st_ino), is_catalog=True)


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

    return tuple(root for root in roots if root.side is Side.HAYSTACK or root.is_catalog or not is_inner(root))


def ids_of(root: Root, mounts: Mounts) -> tuple[FolderId, ...]:
    """Return all that the directory of a root is known by: its number and, where numbers do not last, its place."""
    place = mounts.folder_id(root.real, root.identity[0])
    return (root.identity,) if place is None else (root.identity, place)


def _refuse_same_root(roots: Sequence[Root], mounts: Mounts) -> None:
    haystack = {number: root for root in roots if root.side is Side.HAYSTACK for number in ids_of(root, mounts)}
    for root in roots:
        same = [haystack[number] for number in ids_of(root, mounts) if number in haystack]
        if root.side is Side.NEEDLES and same:
            other = same[0].given
            if root.identity[1] == 0 and root.real != same[0].real:
                raise SettingsError(
                    f"--needles {root.given} and --haystack {other} lie on a file system that numbers no folders: "
                    "nobody can tell whether they are the same one"
                )
            raise option_error("--needles", f"{root.given} and --haystack {other} are the same folder")


def root_around(real_path: str, roots: Sequence[Root], mounts: Mounts | None = None) -> Root | None:
    """Return the root that ``real_path`` lies below: by its path or, through a bind mount, by device and inode.

    With ``mounts`` also by its place on its file system: a bind mount may show a folder from within a root.
    """
    by_path = next((root for root in roots if is_below(real_path, root.real)), None)
    around = by_path or _root_by_identity(os.path.dirname(real_path), {root.identity: root for root in roots})
    if around is not None or mounts is None or (place := mounts.place(real_path)) is None:
        return around
    return next((root for root in roots if _holds(mounts.place(root.real), place)), None)


def root_within(real_folder: str, roots: Sequence[Root], mounts: Mounts) -> Root | None:
    """Return the root that is ``real_folder`` or lies below it, compared as :func:`is_within` does."""
    return next((root for root in roots if is_within(root.real, real_folder, mounts)), None)


def is_within(real_path: str, real_folder: str, mounts: Mounts) -> bool:
    """Tell whether a path is ``real_folder`` or lies below it, compared as :func:`root_around` does."""
    identity = (0, 0)
    with suppress(OSError):  # a folder that is not there yet holds nothing
        found = os.stat(real_folder)
        identity = found.st_dev, found.st_ino
    folder = Root(Side.HAYSTACK, real_folder, real_folder, identity)
    return root_around(os.path.join(real_path, "x"), [folder], mounts) is not None


def _holds(folder: tuple[object, str] | None, place: tuple[object, str]) -> bool:
    return folder is not None and folder[0] == place[0] and is_below(place[1], folder[1])


def _root_by_identity(folder: str, roots: Mapping[FolderId, Root]) -> Root | None:
    while True:
        with suppress(OSError):  # a folder that is not there yet is no root
            found = os.stat(folder)
            if (found.st_dev, found.st_ino) in roots:
                return roots[found.st_dev, found.st_ino]
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)


def spelling(roots: Sequence[Root]) -> Callable[[str], str]:
    """Return a function from a path to how the user would spell it, by the innermost root around it."""
    if len(roots) == 1:
        return roots[0].shown
    inner_first = sorted(roots, key=lambda root: -len(root.real))
    spellings = [(root.real, root.shown) for root in inner_first]
    return lambda path: next(shown(path) for real, shown in spellings if is_below(path, real))
