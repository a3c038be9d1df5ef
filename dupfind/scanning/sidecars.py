"""Finds the sidecars among needles that are in doubt: files that describe others of their folder, all of them present.

A sidecar is read once the verdicts on files are known, as the walk listed it: what changed since is none. The owner has
to lie where the program that wrote the sidecar puts it, which is the same folder for all but Capture One.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, repeat
from operator import is_not, itemgetter

from dupfind.reasons import Reason, ReasonCode
from dupfind.sidecars.contents import MOST_BYTES, described
from dupfind.sidecars.kinds import Kind, kind_of, may_be_sidecars, owners_of
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import SETTLED, FileEntry, FileState, FileVerdict

_PATH, _STATE = (itemgetter(FileVerdict._fields.index(name)) for name in ("path", "state"))
_PRESENT = FileState.PRESENT
_OF_MANY = frozenset({Kind.ALBUM, Kind.PICASA, Kind.DESCRIPTIONS})
"""Kinds that describe a folder or many files of it."""
_SETTINGS = re.compile(r"(.*)/captureone/settings\d*", re.IGNORECASE | re.DOTALL)
"""Where Capture One keeps what it knows of the files of a folder: in a folder of a folder of it."""

Inside = Mapping[str, Mapping[str, FileVerdict]]
"""By folder, and by name, the verdicts on the files in it."""


def sidecars_of_present(entries: Sequence[FileEntry], files: Sequence[FileVerdict]) -> dict[str, Reason]:
    """Return the sidecars among ``files`` that are not settled and whose owners are all present, by their paths.

    ``entries`` are what the verdicts ``files`` are on, in the same order.
    """
    are_others = list(map(is_not, map(_STATE, files), repeat(_PRESENT)))
    others = list(compress(zip(entries, files, strict=True), are_others))
    paths = list(map(_PATH, compress(files, are_others)))
    doubtful = [
        (entry, file, kind)
        for entry, file in compress(others, may_be_sidecars(paths))
        if file.state not in SETTLED
        if (kind := kind_of(_split(file.path)[1])) is not None
    ]
    if not doubtful:
        return {}
    inside = _inside(files, {_folder_of_owners(kind, file.path) for _, file, kind in doubtful})
    reasons = {}
    for entry, file, kind in doubtful:
        if (owner := _owner(entry, file, kind, inside)) is not None:
            reasons[file.path] = Reason(ReasonCode.SIDECAR, (kind.value, owner))
    return reasons


def _owner(entry: FileEntry, file: FileVerdict, kind: Kind, inside: Inside) -> str | None:
    """Return the path of the file, or the folder, that a sidecar describes; None where it is none of present files."""
    folder = _folder_of_owners(kind, file.path)
    beside = inside.get(folder, {})
    candidates = owners_of(kind, _split(file.path)[1], beside)
    if not any(beside[name].state is FileState.PRESENT for name in candidates):
        return None
    content = _content(entry)
    owners = [] if content is None else described(kind, content, candidates)
    states = [beside[name].state for name in owners]
    if kind in _OF_MANY:
        return folder if FileState.PRESENT in states and all(state in SETTLED for state in states) else None
    is_all = bool(owners) and all(state is FileState.PRESENT for state in states)
    return beside[owners[0]].path if is_all else None


def _content(entry: FileEntry) -> bytes | None:
    """Read a small file; None where it cannot be read as it was listed."""
    if entry.size_bytes > MOST_BYTES:
        return None
    try:
        with open_entry(entry) as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ChangedError):
        return None


def _inside(files: Iterable[FileVerdict], folders: set[str]) -> Inside:
    inside: dict[str, dict[str, FileVerdict]] = {}
    for file in files:
        folder, name = _split(file.path)
        if folder in folders:
            inside.setdefault(folder, {})[name] = file
    return inside


def _folder_of_owners(kind: Kind, path: str) -> str:
    folder = _split(path)[0]
    settings = _SETTINGS.fullmatch(folder) if kind is Kind.CAPTURE_ONE else None
    return folder if settings is None else settings[1]


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition(os.sep)
    return folder, name
