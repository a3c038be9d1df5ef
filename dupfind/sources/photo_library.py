"""Finds photo libraries in the haystack, and the pictures that lie in their trash.

Photos, iPhoto and Aperture leave a picture where it is when it is deleted. Only the library's database tells, for 30
days or until the trash is emptied. What is on its way out proves nothing, and neither does what is named after it: its
preview, its edited version, the film of a Live Photo. Where the trash cannot be read, nothing in a library is trusted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dupfind.sources.ignore import NOT_TRUSTED
from dupfind.sources.normal_form import folded
from dupfind.values import FileEntry

_DATABASES = (
    "database/Photos.sqlite",  # Photos since version 5
    "database/photos.db",  # Photos 2 to 4; a later one keeps it beside its own
    "Database/apdb/Library.apdb",  # iPhoto 9, Aperture 3
    "database/apdb/Library.apdb",
    "Database/Library.apdb",  # Photos 1
    "database/Library.apdb",
    "PhotoData/Photos.sqlite",  # the folder Media of an iPhone, beside DCIM
    "Library6.iPhoto",  # iPhoto up to 8, whose trash nothing here can read
    "iPhotoMain.db",
)
"""Where libraries keep their databases, the newest first."""
_OF_OTHERS_TOO = ("photos.db", ".apdb")
"""How databases end that other programs might have as well."""

_ENDINGS = (".photoslibrary", ".photolibrary", ".migratedphotolibrary", ".aplibrary", ".migratedaplibrary")
"""How folders that are libraries are named, in lower case: Photos, iPhoto, and Aperture."""
_MARKS = frozenset({"database", "photodata", "originals"})
"""Names of folders, in lower case, beside which the pictures of a library may lie, whatever it is called."""

_IN_TRASH = f"in the trash of a photo library: {NOT_TRUSTED}"
_UNKNOWN = f"in a photo library whose trash cannot be read: {NOT_TRUSTED}"
_CUT = re.compile(r"[._]")

_Folders = tuple[str, ...]


def why_packed_library_not_trusted(folders: Sequence[str]) -> str | None:
    """Tell why what lies below these folders of an archive proves nothing: in one of a library nobody reads the trash.

    >>> why_packed_library_not_trusted(["2019", "My.photoslibrary", "originals"]) is None
    False
    """
    return _UNKNOWN if any(folded(folder).endswith(_ENDINGS) for folder in folders) else None


@dataclass(frozen=True, slots=True)
class Library:
    """One library, as far as it is trusted."""

    base: str
    """The folder that it is, as it was met."""
    trashed: Mapping[_Folders, frozenset[str]] = field(default_factory=dict)
    """By the last folders of the way to a picture in the trash, its name without the ending; all folded."""
    problem: str | None = None
    """Why its trash cannot be read; None where it can."""

    def reasons(self, folder: str, entries: Sequence[FileEntry]) -> Iterator[str | None]:
        """Tell of each of ``entries``, which lie in ``folder``, why it proves nothing; None where it may."""
        way = tuple(map(folded, folder[len(self.base) :].strip(os.sep).split(os.sep)))
        is_below = any(_is_named_after(self._trashed_in(way[:end]), name) for end, name in enumerate(way))
        if is_below or self.problem is not None:
            yield from [_UNKNOWN if self.problem is not None else _IN_TRASH] * len(entries)
            return
        here = self._trashed_in(way)
        for entry in entries:
            name = folded(entry.path[len(folder) :].lstrip(os.sep)) if here else ""
            yield _IN_TRASH if _is_named_after(here, name) else None

    def _trashed_in(self, way: _Folders) -> frozenset[str]:
        """Return the names of those pictures in the trash whose own folders are the last of ``way``."""
        depths = {len(folders) for folders in self.trashed}
        return frozenset().union(*(self.trashed.get(way[len(way) - depth :], ()) for depth in depths))


def _is_named_after(pictures: frozenset[str], name: str) -> bool:
    """Tell whether something is named as one of ``pictures``, or after it: ``A/UUID_1_105_c.jpeg``."""
    if not pictures:
        return False
    stems = {name, *(name[: cut.start()] for cut in _CUT.finditer(name))}
    return not pictures.isdisjoint(stems)


def is_mark(name: str) -> bool:
    """Tell whether the folder around one of this name may be a library."""
    return name.lower() in _MARKS


class Libraries:
    """The photo libraries that were met, each read once.

    ``report`` is told of each that cannot be trusted at all: where it is, and why.
    """

    def __init__(self, report: Callable[[str, str], None] = lambda *_: None) -> None:
        self._report = report
        self._met: dict[str, Library | None] = {}
        self._libraries: list[Library] = []

    def __bool__(self) -> bool:
        """Tell whether a library was met."""
        return bool(self._libraries)

    def meet(self, folder: str) -> Library | None:
        """Look whether ``folder`` is a library, and read what is in its trash."""
        if folder not in self._met:
            library = self._met[folder] = _library_at(folder)
            if library is not None:
                self._libraries.append(library)
                if library.problem is not None:
                    why = f"photo library whose trash cannot be read ({library.problem}): {NOT_TRUSTED}"
                    self._report(folder, why)
        return self._met[folder]

    def enter(self, folder: str) -> None:
        """Look at a folder that is named as a library, whatever is left in it."""
        if folder.lower().endswith(_ENDINGS):
            self.meet(folder)

    def around(self, path: str) -> Library | None:
        """Return the innermost library that is ``path`` or holds it, wherever that is."""
        folder, below = path, ""
        while folder != below:
            if (library := self.meet(folder)) is not None:
                return library
            folder, below = os.path.dirname(folder), folder
        return None

    def holding(self, folder: str) -> Library | None:
        """Return the innermost library that is ``folder`` or holds it, of those that were met."""
        way = folder + os.sep
        holders = (library for library in self._libraries if way.startswith(library.base.rstrip(os.sep) + os.sep))
        return max(holders, key=lambda library: len(library.base), default=None)

    def sift(self, folder: str, entries: list[FileEntry], leave_out: Callable[[str, str], None]) -> list[FileEntry]:
        """Return those of ``entries``, which lie in ``folder``, that are in no trash.

        ``leave_out`` is told of each other one, and why; of a library that is not trusted at all, ``report`` was.
        """
        library = self.holding(folder)
        if library is None:
            return entries
        kept = []
        for entry, why in zip(entries, library.reasons(folder, entries), strict=True):
            if why is None:
                kept.append(entry)
            elif library.problem is None:
                leave_out(entry.path, why)
        return kept

    def why_not_trusted(self, real: str) -> str | None:
        """Tell why what a link or a list names can prove nothing; None where it may."""
        library = self.around(os.path.dirname(real))
        if library is None or not (library.problem or library.trashed):
            return None
        if os.path.isdir(real):
            return f"left out: inside a photo library, which has to be looked at as a whole: {NOT_TRUSTED}"
        (reason,) = library.reasons(os.path.dirname(real), [FileEntry(real, 0, 0, 0, 0)])
        return reason


def _library_at(folder: str) -> Library | None:
    is_named_so = folder.lower().endswith(_ENDINGS)
    database = next((path for name in _DATABASES if os.path.lexists(path := os.path.join(folder, name))), None)
    if database is None:
        return Library(folder, problem="its database is missing") if is_named_so else None
    from dupfind.sources.trashed_photos import LibraryError, UnknownTablesError, trashed_in  # brings SQLite

    try:
        paths = trashed_in(database)
    except LibraryError as error:
        if isinstance(error, UnknownTablesError) and database.endswith(_OF_OTHERS_TOO) and not is_named_so:
            return None
        return Library(folder, problem=str(error))
    trashed: dict[_Folders, set[str]] = {}
    for path in paths:
        *folders, name = [folded(part) for part in path.split("/") if part]
        trashed.setdefault(tuple(folders), set()).add(name.rpartition(".")[0] or name)
    return Library(folder, {folders: frozenset(names) for folders, names in trashed.items()})
