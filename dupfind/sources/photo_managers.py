"""Recognises photo managers by how they lay out their folders, and says what of them proves nothing in a haystack.

What a manager makes of originals (thumbnails, previews, transcoded films) goes when the original goes, or whenever the
manager likes: it is no copy that somebody keeps. A folder that happens to be called ``thumbs`` or ``cache`` is an album
like any other, so a name alone tells only where nobody else gives it; else there has to be a mark beside or inside it.

Where only a manager's database knows what is in the trash, one warning a library says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from functools import cache, cached_property
from typing import NamedTuple, Protocol

from dupfind.sources.ignore import NOT_TRUSTED
from dupfind.sources.normal_form import folded
from dupfind.values import FileEntry


class Look(Protocol):
    """Looks at folders: at those of a disk, or at those that a list of paths tells of."""

    def holds(self, path: str) -> bool:
        """Tell whether there is anything at this path."""

    def names(self, folder: str) -> Collection[str]:
        """Return the names of all that lies directly in a folder; none where it cannot be looked into."""


class OnDisk:
    """Looks at the disk."""

    def holds(self, path: str) -> bool:
        """Tell whether there is anything at this path, a broken link too."""
        return os.path.lexists(path)

    def names(self, folder: str) -> Collection[str]:
        """Return the names in a folder."""
        try:
            return os.listdir(folder)
        except OSError:
            return ()


class InList:
    """Looks at what the paths of files tell of the folders around them, as for a catalog or an archive."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = paths

    def holds(self, path: str) -> bool:
        """Tell whether a file or a folder has this path."""
        folder, _, name = path.rpartition(os.sep)
        return name in self._inside.get(folder, ())

    def names(self, folder: str) -> Collection[str]:
        """Return the names in a folder."""
        return self._inside.get(folder, ())

    @cached_property
    def _inside(self) -> dict[str, set[str]]:
        """The names in each folder; made only once a name asks for a second look."""
        inside: dict[str, set[str]] = {}
        for path in self._paths:
            below = path
            while below:
                folder, _, name = below.rpartition(os.sep)
                names = inside.setdefault(folder, set())
                if name in names:
                    break
                names.add(name)
                below = folder
        return inside


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IS_UUID, _IS_PAIR = re.compile(_UUID), re.compile(r"[0-9a-f]{2}")

IMMICH_MARK, _PHOTOPRISM_MARK = ".immich", ".ppstorage"
_DATABASES = "database/Photos.sqlite", "PhotoData/Photos.sqlite"
_OLD_DATABASES = (
    "database/photos.db",
    "Database/apdb/Library.apdb",
    "database/apdb/Library.apdb",
    "Database/Library.apdb",
    "database/Library.apdb",
)
"""Of Photos up to version 4, iPhoto and Aperture: others have files of such names too, so originals lie beside them."""
_OLD_ORIGINALS = "Masters", "Originals"
_LIBRARY_ENDINGS = ".photoslibrary", ".photolibrary", ".migratedphotolibrary", ".aplibrary", ".migratedaplibrary"


def _always(_look: Look, _base: str, _way: str) -> bool:
    """Tell that the names say enough."""
    return True


def _has_immich_mark(look: Look, base: str, way: str) -> bool:
    """Tell whether the folder holds the file by which Immich knows its own."""
    return look.holds(os.path.join(base, way, IMMICH_MARK))


def _is_of_user(look: Look, base: str, way: str) -> bool:
    """Tell whether something in the folder of a user is filed as Immich does, by the first letters of its UUID."""
    names = [name.lower() for name in look.names(os.path.join(base, way))]
    return any(_IS_PAIR.fullmatch(name) or _IS_UUID.match(name) for name in names)


def _is_storage(look: Look, base: str, _way: str) -> bool:
    """Tell whether a folder is PhotoPrism's storage."""
    beside = ("sidecar", "config", os.path.join("cache", "thumbnails"))
    return look.holds(os.path.join(base, _PHOTOPRISM_MARK)) or all(
        look.holds(os.path.join(base, name)) for name in beside
    )


def _is_apple_library(look: Look, base: str, _way: str) -> bool:
    """Tell whether a folder is a library of Photos, iPhoto or Aperture, or an iPhone's."""
    if base.lower().endswith(_LIBRARY_ENDINGS):
        return True
    if any(look.holds(os.path.join(base, name)) for name in _DATABASES):
        return True
    has_originals = any(look.holds(os.path.join(base, name)) for name in _OLD_ORIGINALS)
    return has_originals and any(look.holds(os.path.join(base, name)) for name in _OLD_DATABASES)


class Made(NamedTuple):
    """Folders that a photo manager fills with what it made of originals."""

    manager: str
    """Who, with the versions by which the layout is known."""
    shown: str
    """The folders as the docs spell them."""
    ways: tuple[tuple[str, ...], ...]
    """The last names of the way to each, every name as a regular expression on lower case."""
    holds: str
    """What lies in it, for the note."""
    why: str
    """The signs in words, for the docs."""
    is_so: Callable[[Look, str, str], bool] = _always
    """Asked with the folder in which the way begins, and the way."""


_OF_IMMICH = "thumbs|encoded-video|profile"
MADE = (
    Made(
        "Immich 1.106 to 2",
        "`thumbs`, `encoded-video`, `profile`",
        ((_OF_IMMICH,),),
        "made by Immich",
        "holds the file `.immich`",
        _has_immich_mark,
    ),
    Made(
        "Immich 1.52 and later",
        "`thumbs/UUID`, `encoded-video/UUID`, `profile/UUID`",
        ((_OF_IMMICH, _UUID),),
        "made by Immich",
        "named by a UUID, and something in it begins with one, or is named by two digits of one (`0a`)",
        _is_of_user,
    ),
    Made(
        "PhotoPrism, builds since 2020",
        "`cache`, `sidecar` in its storage folder",
        (("cache|sidecar",),),
        "made by PhotoPrism",
        "beside the file `.ppstorage`, or beside `config`, `sidecar` and `cache/thumbnails`, all three",
        _is_storage,
    ),
    Made(
        "Lightroom Classic 3 to 14",
        "`* Previews.lrdata`, `* Smart Previews.lrdata`",
        ((r".*previews\.lrdata",),),
        "previews of Lightroom",
        "the name: nobody else gives it. `Mobile Downloads.lrdata` holds originals and is trusted",
    ),
    Made(
        "Lightroom Classic, synchronised",
        "`Mobile Downloads.lrdata/downloaded-smart-previews`",
        ((r".*\.lrdata", "downloaded-smart-previews"),),
        "previews of Lightroom",
        "the two names: the files in it are named as the originals are",
    ),
    Made(
        "Photos 5 and later",
        "`resources/derivatives`, `resources/cloudsharing`, `scopes`",
        (("resources", "derivatives"), ("resources", "cloudsharing"), ("scopes",)),
        "previews, or pictures of others, of a photo library",
        "in a photo library. `resources/renders`, which are edited versions in full size, are trusted",
        _is_apple_library,
    ),
    Made(
        "Photos 1 to 4, iPhoto 9, Aperture 3",
        "`resources/proxies/derivatives`, `Thumbnails`",
        (("resources", "proxies", "derivatives"), ("thumbnails",)),
        "previews of a photo library",
        "in a photo library. `Previews`, in which edited versions are, are trusted",
        _is_apple_library,
    ),
    Made(
        "iPhone, by cable (iOS 8 to 18)",
        "`PhotoData/Thumbnails`, `PhotoData/PhotoCloudSharingData`",
        (("photodata", "thumbnails|photocloudsharingdata"),),
        "previews, or pictures of others, of a photo library",
        "beside `PhotoData/Photos.sqlite`",
        _is_apple_library,
    ),
    Made(
        "Nextcloud 11 and later",
        "`appdata_*/preview`",
        ((r"appdata_[0-9a-z]+", "preview"),),
        "previews of Nextcloud",
        "the two names: the first ends in the ID of the server. The largest previews have 4,096 pixels",
    ),
    Made(
        "Plex",
        "`Cache/PhotoTranscoder`",
        (("cache", "phototranscoder"),),
        "made by Plex",
        "the two names: nobody else gives the second",
    ),
    Made(
        "Piwigo 2.4 and later",
        "`_data/i`",
        (("_data", "i"),),
        "made by Piwigo",
        "the two names",
    ),
    Made(
        "QNAP: Photo Station, QuMagie",
        "`@__thumb`",
        (("@__thumb",),),
        "thumbnails of QNAP",
        "the name: nobody else gives it",
    ),
)
"""The table. Origins: Immich's ``storage.core.ts`` and ``storage.service.ts``, PhotoPrism's ``config_storage.go``, what
backup scripts for Lightroom leave out, the constants of osxphotos."""


class _Rule(NamedTuple):
    made: Made
    names: tuple[re.Pattern[str], ...]


@cache
def _rules() -> list[_Rule]:
    # When first asked for, as few folders are called so: compiling the names takes a millisecond.
    return [_Rule(made, tuple(map(re.compile, way))) for made in MADE for way in made.ways]


_LAST_NAME = re.compile("|".join(f"(?:{way[-1]})" for made in MADE for way in made.ways))
"""What the last name of each is: of nearly all folders, one look at this is the only one."""


class MadeFiles(NamedTuple):
    """Files that a photo manager makes of originals, wherever their folder was put and whatever that is called."""

    manager: str
    shown: str
    """The files as the docs spell them."""
    name: re.Pattern[str]
    """The whole of their names, in lower case; the first group is what the folders around it are named by."""
    folders: tuple[slice, ...]
    """Which part of that the name of each folder around the file is, the outermost first."""


MADE_FILES = (
    MadeFiles(
        "Immich 1.91 to 2",
        "`0a/1b/0a1b....-preview.jpeg`, `_thumbnail.webp`, `-fullsize.jpeg`",
        re.compile(rf"({_UUID})[-_][a-z_-]*(?:preview|thumbnail|fullsize)[a-z_-]*\.(?:jpe?g|webp|png)"),
        (slice(0, 2), slice(2, 4)),
    ),
    MadeFiles(
        "PhotoPrism, builds since 2020",
        "`0/a/1/0a1...._720x720_fit.jpg`",
        re.compile(r"([0-9a-f]{40})_\d+x\d+_[a-z]+\.(?:jpe?g|png)"),
        (slice(0, 1), slice(1, 2), slice(2, 3)),
    ),
)
_FEWEST_LETTERS = 36
"""In the name of such a file: it begins with a UUID, or with a digest of 40 digits."""
_MOST_LETTERS = 2
"""Of the name of a folder in which such files lie."""

_MANAGED = {
    IMMICH_MARK: (
        "Immich keeps pictures here; those in its trash look like all others, since only its database knows: "
        "empty its trash, or take the server itself as haystack"
    ),
    _PHOTOPRISM_MARK: (
        "PhotoPrism keeps its index here; which pictures are in its archive only its database knows: "
        "they count as any others"
    ),
}
"""Files by which a library is known whose trash cannot be seen, and what is said of it."""
WARNINGS = frozenset(_MANAGED.values())
"""What is said of such a library, which leaves nothing of it out."""


class Managers:
    """The photo managers that are met on the way through a haystack.

    ``report`` is told once of each library of which only a database knows what is in the trash: where, and what.
    """

    def __init__(self, look: Look | None = None, report: Callable[[str, str], None] = lambda *_: None) -> None:
        self._look = look or OnDisk()
        self._report = report
        self._met: set[tuple[str, str]] = set()
        self._asked: set[str] = set()

    def has_asked(self, folder: str) -> bool:
        """Tell whether something in ``folder`` was looked at more closely, which its own times do not show."""
        return folder in self._asked

    def why_folder(self, folder: str, name: str) -> str | None:
        """Tell why what lies in the folder ``name`` in ``folder`` proves nothing; None where it may."""
        low = folded(name)
        if _LAST_NAME.fullmatch(low) is None:
            return None
        self._asked.add(folder)
        above = folder.split(os.sep)
        for made, names in _rules():
            begin = len(above) - len(names) + 1
            if begin < 0:
                continue
            way = [*above[begin:], name]
            if all(map(re.Pattern.fullmatch, names, map(folded, way))) and made.is_so(
                self._look, os.sep.join(above[:begin]) or os.sep * folder.startswith(os.sep), os.sep.join(way)
            ):
                return _why(made.holds)
        return None

    def why_file(self, folder: str, name: str) -> str | None:
        """Tell why a file proves nothing, to go by its name and those of the folders around it; None where it may."""
        above = folder.lower().split(os.sep)
        if len(above[-1]) > _MOST_LETTERS:
            return None
        for made in MADE_FILES:
            match = made.name.fullmatch(name.lower())
            if match and above[-len(made.folders) :] == [match[1][part] for part in made.folders]:
                return _why(f"made by {made.manager.split()[0].rstrip(',')}")
        return None

    def sift(self, folder: str, entries: list[FileEntry], leave_out: Callable[[str, str], None]) -> list[FileEntry]:
        """Return those of ``entries``, which lie in ``folder``, that no manager has made.

        ``leave_out`` is told of each other one, and why.
        """
        if len(folder) - folder.rfind(os.sep) - 1 > _MOST_LETTERS:
            return entries
        kept, shortest = [], len(folder) + 1 + _FEWEST_LETTERS
        for entry in entries:
            why = None if len(entry.path) < shortest else self.why_file(folder, entry.path.rpartition(os.sep)[2])
            if why is None:
                kept.append(entry)
            else:
                leave_out(entry.path, why)
        return kept

    def why_not_trusted(self, path: str, *, is_file: bool = False) -> str | None:
        """Tell why what is at ``path`` proves nothing, by all folders on the way to it; None where it may."""
        *above, last = path.split(os.sep)
        folders = above if is_file else [*above, last]
        for end in range(len(folders)):
            if folders[end] and (reason := self.why_folder(os.sep.join(folders[:end]), folders[end])):
                return reason
        return self.why_file(os.sep.join(above), last) if is_file else None

    def meet(self, folder: str, name: str) -> None:
        """Take in a file of a library that is managed, or any other."""
        if name not in _MANAGED:
            return
        base = os.path.dirname(folder) if name == IMMICH_MARK else folder  # Immich marks each of its folders
        if (base, name) not in self._met:
            self._met.add((base, name))
            self._report(base, _MANAGED[name])

    def around(self, path: str) -> None:
        """Take in the library that is around ``path``."""
        folder, below = path, ""
        while folder != below:
            for mark in _MANAGED:
                if self._look.holds(os.path.join(folder, mark)):
                    self.meet(folder, mark)
            folder, below = os.path.dirname(folder), folder


def _why(holds: str) -> str:
    return f"{holds}: {NOT_TRUSTED}"
