"""Where a file is to lie below the destination, and under which name. Pure: knows names and moments, and no files.

Whatever a template, a folder or a name of a stranger holds, what comes of it are plain names below the destination: no
``..``, no way that begins at the root, nothing that a system cannot store, nothing that a scan would not trust there.
"""

from __future__ import annotations

import re
import string
from datetime import date
from typing import NamedTuple

from dupfind.errors import SettingsError, option_error
from dupfind.sources import ignore
from dupfind.sources.normal_form import composed

LAYOUTS = {"keep": "{folder}/{name}", "date": "{year}/{year}-{month}/{name}"}
"""Templates that have a name."""
UNDATED = "undated"
FIELDS = ("year", "month", "day", "folder", "root", "name", "stem", "suffix")
_OF_DATES = frozenset({"year", "month", "day"})
MOST_NAME_BYTES = 255
_NUMBER_BYTES = len(" (9999)")
_FILES = " files"
_FIRST_YEAR = 1826
"""No photo is older."""
_FIRST_YEAR_OF_FILES = 1980
"""That of FAT begins there, and clocks of cameras that were never set show it."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any suffix."""
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')
_LIBRARY = re.compile(r"\.(photoslibrary|photolibrary|aplibrary|migratedphotolibrary)$", re.IGNORECASE)
_IN_NAME = (
    re.compile(r"(?<!\d)(\d{4})([01]\d)([0-3]\d)(?:[-_ T.]?[0-2]\d[0-5]\d(?:[0-5]\d)?\d{0,3})?(?!\d)"),
    re.compile(r"(?<!\d)(\d{4})[-_.]([01]\d)[-_.]([0-3]\d)(?!\d)"),
)
"""20170718_153130 as phones write it, and 2017-07-18."""


class Origin(NamedTuple):
    """What is known of a file that is to be laid out."""

    folder: tuple[str, ...]
    """The folders around it, below its root."""
    name: str
    root: str
    """The name of its root."""
    day: date | None


class Layout:
    """A template, checked; raises :class:`~dupfind.errors.SettingsError` where it is none.

    ``is_windows`` is for a file system that refuses the characters that Windows refuses.
    """

    def __init__(self, text: str, *, is_windows: bool = False) -> None:
        self.text = text
        self._is_windows = is_windows
        template = LAYOUTS.get(text, text)
        if "{" not in template:
            names = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise option_error("--layout", f"takes {', '.join(LAYOUTS)} or a template of {names}, not {text}")
        if template.startswith("/") or ".." in template.split("/") or "\0" in template:
            raise option_error("--layout", f"{text}: a template stays below the destination")
        fields = _fields_of(template)
        if not fields & {"name", "stem"}:
            template = template.rstrip("/") + "/{name}"
        elif not _fields_of(template.rpartition("/")[2]) & {"name", "stem"}:
            raise option_error("--layout", f"{text}: {{name}} or {{stem}} belongs behind the last slash")
        self._parts = [part for part in template.split("/") if part]
        self.is_dated = bool(fields & _OF_DATES)
        """Whether places depend on days."""

    def place(self, origin: Origin) -> tuple[tuple[str, ...], str]:
        """Return the folders and the name that a file is to have."""
        stem, suffix = split_name(origin.name)
        day = origin.day
        values = {
            "year": f"{day.year:04}" if day else "",
            "month": f"{day.month:02}" if day else "",
            "day": f"{day.day:02}" if day else "",
            "root": origin.root,
            "name": origin.name,
            "stem": stem,
            "suffix": suffix,
        }
        *folders, last = self._parts
        if self.is_dated and day is None:
            placed = [UNDATED]
        else:
            placed = [name for part in folders for name in self._filled(part, values, origin.folder)]
        names = self._filled(last, values, origin.folder)
        return tuple(self._safe_folder(name) for name in placed), self.safe_name(names[-1] if names else origin.name)

    @staticmethod
    def _filled(part: str, values: dict[str, str], folder: tuple[str, ...]) -> list[str]:
        """Fill in one part of the template; a folder may be several."""
        if part == "{folder}":
            return list(folder)
        name = part.format(**values, folder=" ".join(folder))
        return [name] if name else []

    def safe_name(self, name: str) -> str:
        """Return the name of a file as it can be stored, and trusted by a scan."""
        name = _plain(name, is_windows=self._is_windows)
        if ignore.why_file_not_trusted(name) or ignore.is_junk_file(name) or name.startswith("._"):
            name = "_" + name.lstrip(".")
        return shortened(name)

    def _safe_folder(self, name: str) -> str:
        name = _LIBRARY.sub(r"_\1", _plain(name, is_windows=self._is_windows))
        while not is_trusted_folder(name):
            name = "_" + name.lstrip(".") if name.startswith(".") else renamed_folder(name)
        return shortened(name, keeps_suffix=False)


def is_trusted_folder(name: str) -> bool:
    """Tell whether a scan would trust what lies in a folder of this name in a haystack."""
    return ignore.why_folder_not_trusted(name) is None and not ignore.is_junk_folder(name, is_haystack=True)


def renamed_folder(name: str) -> str:
    """Return another name for a folder that a scan would not trust under its own."""
    most_bytes = MOST_NAME_BYTES - _NUMBER_BYTES - len(_FILES)
    while _length_bytes(name) > most_bytes:
        name = name[:-1]
    return name + _FILES


def _fields_of(template: str) -> set[str]:
    """Return the fields of a template; raises :class:`SettingsError` for one that nobody knows."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise option_error("--layout", f"{template}: {str(error).lower()}") from None
    fields = set()
    for _, field, spec, conversion in parsed:
        if field is None:
            continue
        if field not in FIELDS or spec or conversion:
            allowed = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise SettingsError(f"--layout: {{{field}}} is none of {allowed}")
        fields.add(field)
    return fields


def _plain(name: str, *, is_windows: bool) -> str:
    """Return a name that leads nowhere else and that every system can store."""
    name = name.replace("/", "_").replace("\0", "_")
    if is_windows:
        name = _FORBIDDEN.sub("_", name)
    # These would lead out of the folder, or name it.
    if name in ("", ".", ".."):
        return "_"
    # Windows takes such a name for a device, with any ending.
    if _RESERVED.fullmatch(name):
        name = "_" + name
    # Windows drops dots and blanks at the end of a name without a word, so that two become one.
    return name[:-1] + "_" if name[-1] in ". " else name


def split_name(name: str) -> tuple[str, str]:
    """Part a name into stem and suffix with its dot; a dot at the beginning begins none.

    >>> split_name("a.b.jpg"), split_name(".profile")
    (('a.b', '.jpg'), ('.profile', ''))
    """
    stem, dot, last = name.rpartition(".")
    return (stem, dot + last) if stem.strip(".") else (name, "")


def shortened(name: str, most_bytes: int = MOST_NAME_BYTES - _NUMBER_BYTES, *, keeps_suffix: bool = True) -> str:
    """Cut a name to ``most_bytes``, by default so that it can be stored with a number behind it; its suffix stays."""
    if _length_bytes(name) <= most_bytes:
        return name
    stem, suffix = split_name(name) if keeps_suffix else (name, "")
    if _length_bytes(suffix) > most_bytes // 2:
        stem, suffix = name, ""
    while _length_bytes(stem + suffix) > most_bytes:
        stem = stem[:-1]
    return stem + suffix


def _length_bytes(name: str) -> int:
    """Return how long a name is on the disk."""
    return len(name.encode("utf-8", "surrogateescape"))


def day_of_capture(captured: str | None, today: date) -> date | None:
    """Return the day on which the shutter opened, by EXIF's text.

    >>> day_of_capture("2017:07:18 15:31:30.25+02:00", date(2026, 1, 1))
    datetime.date(2017, 7, 18)
    """
    if captured is None:
        return None
    return _day((captured[0:4], captured[5:7], captured[8:10]), _FIRST_YEAR, today)


def day_in_name(name: str, today: date) -> date | None:
    """Return the day that a name holds, as cameras and phones write it; None where there is no sensible one.

    >>> [day_in_name(name, date(2026, 1, 1)) for name in ("IMG_20170718_153130.jpg", "2021-02-03.jpg", "P2017.jpg")]
    [datetime.date(2017, 7, 18), datetime.date(2021, 2, 3), None]
    """
    for pattern in _IN_NAME:
        for match in pattern.finditer(name):
            year, month, day = match.groups()
            if (day_named := _day((year, month, day), _FIRST_YEAR_OF_FILES, today)) is not None:
                return day_named
    return None


def day_of_mtime(mtime_ns: int, today: date) -> date | None:
    """Return the local day of a time of modification; None for one that no clock that was set would give."""
    try:
        day = date.fromtimestamp(mtime_ns // 10**9)  # noqa: DTZ012 - folders are named after local days
    except (OverflowError, OSError, ValueError):
        return None
    return day if _FIRST_YEAR_OF_FILES < day.year <= today.year else None


def _day(parts: tuple[str, str, str], first_year: int, today: date) -> date | None:
    try:
        day = date(*map(int, parts))
    except ValueError:
        return None
    return day if first_year <= day.year <= today.year + 1 else None


def key(name: str) -> str:
    """Return what two names share that some file system takes for one: case and Unicode form do not count."""
    return composed(composed(name).casefold())
