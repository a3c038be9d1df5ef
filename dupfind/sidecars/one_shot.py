"""Two files of one shot: RAW and JPEG, or the picture and the film of a Live Photo. For the eye only; pure.

Names alone tell, since nothing rests on it: each half keeps its own verdict and its own proof.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dupfind.pictures.formats import RAW_SUFFIXES, suffix
from dupfind.values import FileVerdict

RAW_AND_JPEG, LIVE_PHOTO = "RAW+JPEG", "Live Photo"
_STILLS = frozenset({".jpg", ".jpeg", ".heic", ".heif", ".hif"})
_FILMS = frozenset({".mov", ".mp4"})


class Pair(NamedTuple):
    """A file that is a half of a pair."""

    kind: str
    other: FileVerdict
    """The verdict on the other half."""
    is_first: bool
    """Whether this half stands for the pair: the RAW file, or the picture of a Live Photo."""


def pairs_of(chosen: Iterable[FileVerdict], files: Iterable[FileVerdict]) -> Mapping[str, Pair]:
    """Return, by path, the pairs of which at least one half is among ``chosen``; ``files`` are all that there are.

    Where three files have one name nobody knows who belongs to whom.
    """
    wanted = {_key(file.path) for file in chosen}
    halves: dict[str, list[FileVerdict]] = {}
    for file in files:
        key = _key(file.path)
        if key in wanted and _role(file) is not None:
            halves.setdefault(key, []).append(file)
    pairs = {}
    for both in halves.values():
        kind = _kind(both)
        if kind is not None:
            leading = RAW_SUFFIXES if kind == RAW_AND_JPEG else _STILLS
            first, second = sorted(both, key=lambda file: _role(file) is not leading)
            pairs[first.path] = Pair(kind, second, is_first=True)
            pairs[second.path] = Pair(kind, first, is_first=False)
    return pairs


def _kind(files: list[FileVerdict]) -> str | None:
    roles = [_role(file) for file in files]
    if len(files) != 2 or _STILLS not in roles:  # noqa: PLR2004 - a pair
        return None
    if RAW_SUFFIXES in roles:
        return RAW_AND_JPEG
    return LIVE_PHOTO if _FILMS in roles else None


def _role(file: FileVerdict) -> frozenset[str] | None:
    last = suffix(file.path)
    return next((role for role in (RAW_SUFFIXES, _STILLS, _FILMS) if last in role), None)


def _key(path: str) -> str:
    folder, sep, name = path.rpartition(os.sep)
    return folder + sep + name.rpartition(".")[0].lower()
