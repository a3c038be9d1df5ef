"""Which names are junk, trash or excluded. Pure: it judges names, never looks at a file.

What is junk is in the table of :mod:`dupfind.sources.junk_names`; what needs a look at the file as well, in
:mod:`dupfind.sources.left_overs`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import translate

from dupfind.sources import junk_names
from dupfind.sources.normal_form import composed, folded, slashed
from dupfind.sources.trash_names import is_trash_folder, is_trashed_file

SNAPSHOT_FOLDERS = frozenset({
    "#snapshot",
    "@recently-snapshot",
    "~snapshot",
})  # fmt: skip
"""Names of folders, in lower case, in which network drives show the past of the same files until it is pruned."""

NOT_TRUSTED = "not trusted as haystack"
"""How every reason ends by which a name keeps what bears it from proving anything."""

UNFINISHED_PREFIX, UNFINISHED_SUFFIX = ".dupfind-", ".part"
"""How the names of files begin and end that dupfind has not finished."""

EXCLUDED = "excluded by --exclude"
"""How every reason begins by which a pattern of the user leaves something out; the pattern follows."""


_JUNK_FILES = junk_names.FILES
_SUSPECTS = junk_names.FILES | junk_names.GUARDED_NAMES


def are_common_files(names: Sequence[str]) -> bool:
    """Tell whether files of these names are neither junk nor in the trash, by one cheap look at all names of a folder.

    That holds in folders that do not :func:`may_hold_left_overs`. Nearly all folders hold no other files.

    >>> are_common_files(["IMG_0001.JPG", "b"]), are_common_files(["b", ".hidden"]), are_common_files(["Thumbs.db"])
    (True, False, False)
    """
    low = "\0".join(names).lower()  # no name holds a NUL
    return "\0." not in "\0" + low and _SUSPECTS.isdisjoint(low.split("\0"))


def is_common_file(name: str) -> bool:
    """Tell the same of a single file."""
    return are_common_files((name,))


def may_hold_left_overs(folder: str, names: Iterable[str]) -> bool:
    """Tell whether files of these ``names`` in a ``folder`` at this path may be junk by what else is true of them.

    Asked once a folder, of all names together: a look at the end of each takes a tenth of the time of a walk.
    """
    above, _, name = folder.lower().rpartition(os.sep)
    if name in junk_names.GUARDED_FOLDERS or above.rpartition(os.sep)[2] in junk_names.SEARCHED_FOLDERS:
        return True
    return junk_names.GUARDED_SUFFIX + "\0" in "\0".join((*names, "")).lower()


def is_junk_file(name: str) -> bool:
    """Tell whether a file is ignored on both sides by its name alone."""
    return name.lower() in _JUNK_FILES


def may_be_appledouble(name: str) -> bool:
    """Tell whether a file is named as AppleDouble names what it keeps; only its content can confirm it."""
    return name.startswith("._")


def is_junk_folder(name: str, *, is_haystack: bool = False) -> bool:
    """Return True for a folder that is ignored on both sides, or on the side of the haystack."""
    low = name.lower()
    return low in junk_names.FOLDERS or (is_haystack and low in junk_names.SEARCHED_FOLDERS)


def why_folder_not_trusted(name: str) -> str | None:
    """Tell why a folder of the haystack can prove nothing; None when it can."""
    if name.startswith(".") and why_folder_fleeting(name) is None:
        return f"hidden folder: {NOT_TRUSTED}"
    return why_folder_fleeting(name)


def why_folder_fleeting(name: str) -> str | None:
    """Tell why what is in a folder will not stay, to go by the folder's name; None when it may."""
    if is_trash_folder(name):
        return f"trash folder: {NOT_TRUSTED}"
    if folded(name) in SNAPSHOT_FOLDERS:
        return f"snapshot folder: {NOT_TRUSTED}"
    return None


def why_file_not_trusted(name: str) -> str | None:
    """Tell why a file of the haystack can prove nothing, to go by its name; None when it can."""
    if is_unfinished(name):
        return f"an unfinished copy of dupfind: {NOT_TRUSTED}"
    return f"in the trash: {NOT_TRUSTED}" if is_trashed_file(name) else None


def is_unfinished(name: str) -> bool:
    """Tell whether a file is one that dupfind has not finished writing: a copy of an import that was killed."""
    return name.startswith(UNFINISHED_PREFIX) and name.endswith(UNFINISHED_SUFFIX)


class Excludes:
    """The user's ``--exclude`` patterns, or those of another ``option``, and which have matched something so far.

    A pattern without a slash is matched with the name of each file and folder; one with a slash with the path below
    the root. ``*`` matches slashes too, ``[...]`` and ``?`` as in a shell. Case counts, the Unicode form does not.

    >>> Excludes(["*.tmp", "/2006/raw"]).matching("2006/raw", "raw")
    '/2006/raw'
    """

    def __init__(self, patterns: Sequence[str], option: str = "--exclude") -> None:
        self._option = option
        self._patterns = tuple(
            (pattern, "/" in pattern.strip("/") or pattern.startswith("/"), _compiled(pattern)) for pattern in patterns
        )
        self._unmatched = dict.fromkeys(pattern for pattern in patterns if not _is_about_junk(pattern))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    @property
    def matched(self) -> frozenset[str]:
        """The patterns that have matched something; those that name junk, which is left out unasked, among them."""
        return frozenset(pattern for pattern, *_ in self._patterns) - self._unmatched.keys()

    def warnings(self, elsewhere: Collection[str] = ()) -> list[str]:
        """Return a warning for each pattern that has matched nothing, here or ``elsewhere``, by the end of a walk."""
        return [
            f"{self._option} {pattern}: nothing that was looked at matches it (case counts)"
            for pattern in self._unmatched
            if pattern not in elsewhere
        ]

    def matching(self, below_root: str, name: str) -> str | None:
        """Return the first pattern that matches, or None. ``below_root`` is the path without the root."""
        below_root, name = composed(slashed(below_root)).lstrip("/"), composed(name)
        first = None
        for pattern, is_path, regex in self._patterns:
            if (first is None or pattern in self._unmatched) and regex.match(below_root if is_path else name):
                self._unmatched.pop(pattern, None)
                first = pattern if first is None else first
        if first is not None:
            for pattern in [pattern for pattern in self._unmatched if _leads_through(pattern, below_root)]:
                del self._unmatched[pattern]
        return first


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(composed(pattern.strip("/"))))


def _leads_through(pattern: str, folder: str) -> bool:
    """Tell whether a pattern is about something in ``folder``, in which nobody looks once it is excluded itself."""
    *folders, _ = pattern.strip("/").split("/")
    return any(_compiled("/".join(folders[:end])).match(folder) for end in range(1, len(folders) + 1))


def _is_about_junk(pattern: str) -> bool:
    """Tell whether a pattern names something that is junk on both sides anyway."""
    last = pattern.strip("/").rpartition("/")[2].lower()
    if not any(map(str.isalpha, last)) and last != "._*":
        return False  # "*" is about everything
    regex = _compiled(last)
    return any(map(regex.match, (*junk_names.FILES, *junk_names.FOLDERS, *junk_names.EXAMPLES, "._junk")))
