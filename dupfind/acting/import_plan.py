"""The verdicts of a scan to what is to be brought over, and where to. Pure: asks nobody.

Each picture once: of copies among the needles the best is taken. What belongs to a picture (its sidecars, the film of a
Live Photo, the RAW twin) lies where that lies, and shares the number that it gets where a name is taken.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from dupfind.acting.layout import (
    Layout,
    Origin,
    day_in_name,
    day_of_capture,
    day_of_mtime,
    key,
    renamed_folder,
    split_name,
)
from dupfind.answers.import_ import Duplicate, Item, Why, numbered
from dupfind.reasons import BETTER_NEEDLE, is_fragment
from dupfind.sidecars.kinds import kind_of, owners_of
from dupfind.sidecars.one_shot import pairs_of
from dupfind.sources.photo_managers import InList, Look, Managers
from dupfind.values import SETTLED, Evidence, FileEntry, FileState, FileVerdict


class Needle(NamedTuple):
    """A needle with its verdict, and where it lies."""

    entry: FileEntry
    file: FileVerdict
    below: str
    """Its path below its root."""
    root: str
    """The name of its root."""

    @property
    def folder(self) -> str:
        """Return the folder around it, as reported."""
        return self.file.path.rpartition(os.sep)[0]

    @property
    def name(self) -> str:
        """Return its name."""
        return self.file.path.rpartition(os.sep)[2]


class CopyOf(NamedTuple):
    """The best of the files that hold one picture, for one of the others."""

    path: str
    """Of the entry."""
    evidence: Evidence


def why_wanted(file: FileVerdict, also: Collection[str]) -> Why | None:
    """Tell why a file is to be brought over; None where it is not."""
    if file.state is FileState.MISSING:
        return Why.MISSING
    is_better = file.witness is not None and any(reason.code in BETTER_NEEDLE for reason in file.reasons)
    if Why.BETTER in also and is_better and file.state in (FileState.SIMILAR, FileState.PRESENT):
        return Why.BETTER
    if Why.SIMILAR in also and file.state is FileState.SIMILAR:
        return Why.SIMILAR
    if Why.FRAGMENT in also and _is_fragment(file):
        return Why.FRAGMENT
    if Why.UNREADABLE in also and file.state is FileState.UNREADABLE:
        return Why.UNREADABLE
    return None


def _is_fragment(file: FileVerdict) -> bool:
    """Tell whether a file shows a part of a picture of the haystack, or several such pictures."""
    return file.state is FileState.SIMILAR and any(map(is_fragment, file.reasons[:1]))


def chosen(needles: Iterable[Needle], also: Collection[str]) -> list[Needle]:
    """Return the needles that are to be brought over, or copies of them."""
    return [needle for needle in needles if why_wanted(needle.file, also) is not None]


def left_out(needles: Iterable[Needle], also: Collection[str]) -> dict[str, int]:
    """Count what is neither present nor to be brought over, by its verdict."""
    states = (needle.file.state for needle in needles if why_wanted(needle.file, also) is None)
    return dict(Counter(state.value for state in states if state not in SETTLED))


def left_fragments(needles: Iterable[Needle], also: Collection[str]) -> int:
    """Count what shows parts of pictures and is not to be brought over."""
    return sum(_is_fragment(needle.file) and why_wanted(needle.file, also) is None for needle in needles)


def leaders_of(wanted: Sequence[Needle], needles: Sequence[Needle]) -> dict[str, Needle]:
    """Return, by the path of each wanted needle as reported, the one that it goes with: its owner, its twin, or itself.

    That one may be present already, and not wanted itself.
    """
    folders = {needle.folder for needle in wanted}
    inside: dict[str, dict[str, Needle]] = {folder: {} for folder in folders}
    for needle in needles:
        if needle.folder in inside:
            inside[needle.folder][needle.name] = needle
    pairs = pairs_of([needle.file for needle in wanted], [needle.file for needle in needles])
    by_path = {needle.file.path: needle for needles_ in inside.values() for needle in needles_.values()}
    leaders = {}
    for needle in wanted:
        leader = _owner(needle, inside[needle.folder]) or needle
        pair = pairs.get(leader.file.path)
        if pair is not None and not pair.is_first:
            leader = by_path.get(pair.other.path, leader)
        leaders[needle.file.path] = leader
    return leaders


def _owner(needle: Needle, beside: Mapping[str, Needle]) -> Needle | None:
    """Return the picture that a needle describes by its name; None where that is none, or no single one."""
    kind = kind_of(needle.name)
    if kind is None:
        return None
    owners = owners_of(kind, needle.name, beside)
    stem = key(split_name(needle.name)[0])
    near = [name for name in owners if stem.startswith(key(split_name(name)[0]))]
    return beside[min(near)] if near else None


def day_of(needles: Iterable[Needle], captured: Mapping[str, str | None], today: date) -> date | None:
    """Return the day of files that belong together: by capture time, then by name, then by time of modification.

    That of a member of an archive is what the archive says of it.
    """
    needles = list(needles)
    moments = (day_of_capture(captured.get(needle.entry.path), today) for needle in needles)
    names = (day_in_name(needle.name, today) for needle in needles)
    changes = (needle.entry.modified_ns for needle in needles)
    times = (day_of_mtime(modified_ns, today) for modified_ns in changes if modified_ns is not None)
    return next((day for days in (moments, names, times) for day in days if day is not None), None)


def plan_items(
    wanted: Sequence[Needle],
    leaders: Mapping[str, Needle],
    copies: Mapping[str, CopyOf],
    captured: Mapping[str, str | None],
    layout: Layout,
    also: Collection[str],
    today: date,
) -> tuple[list[Item], list[Duplicate]]:
    """Return what is to be brought over, in the order of the needles, and what is a copy of that.

    ``copies`` has, by the path of an entry, the best of the files that it is a copy of.
    """
    by_entry = {needle.entry.path: needle for needle in (*wanted, *leaders.values())}
    duplicates = []
    groups: dict[str, list[Needle]] = {}
    for needle in wanted:
        copy = copies.get(needle.entry.path)
        if copy is not None:
            duplicates.append(Duplicate(needle.file.path, by_entry[copy.path].file.path, copy.evidence))
            continue
        leader = leaders[needle.file.path]
        best = copies.get(leader.entry.path)
        if best is not None:  # a sidecar of a copy goes with the file that is taken
            leader = leaders.get(by_entry[best.path].file.path, by_entry[best.path])
        groups.setdefault(leader.file.path, []).append(needle)
    items = []
    leaders_by_path = {needle.file.path: needle for needle in by_entry.values()}
    for number, (path, members) in enumerate(groups.items()):
        leader = leaders_by_path[path]
        day = day_of([leader, *(needle for needle in members if needle is not leader)], captured, today)
        items += [_item(needle, leader, leaders[needle.file.path], number, day, layout, also) for needle in members]
    places = {needle.file.path: place for place, needle in enumerate(wanted)}
    return sorted(items, key=lambda item: places[item.path]), duplicates


def _item(
    needle: Needle,
    leader: Needle,
    own_leader: Needle,
    group: int,
    day: date | None,
    layout: Layout,
    also: Collection[str],
) -> Item:
    """Lay out one file beside its leader; ``own_leader`` is the one that it lay beside."""
    stem, own_stem = split_name(leader.name)[0], split_name(own_leader.name)[0]
    is_named_after = needle.name.startswith(own_stem)
    name = stem + needle.name[len(own_stem) :] if is_named_after else needle.name
    folder, _ = layout.place(_origin(leader, leader.name, day))
    _, name = layout.place(_origin(leader, name, day))
    _, leading = layout.place(_origin(leader, leader.name, day))
    shift = len(split_name(leading)[0]) if is_named_after else len(split_name(name)[0])
    why = why_wanted(needle.file, also)
    assert why is not None
    return Item(needle.file.path, needle.entry, why, folder, name, group, min(shift, len(name)))


def _origin(leader: Needle, name: str, day: date | None) -> Origin:
    folders = tuple(leader.below.split(os.sep)[:-1])
    return Origin(folders, name, leader.root, day)


class _Afterwards:
    """What lies at the destination when all has been brought over."""

    def __init__(self, there: Look, coming: Look) -> None:
        self._looks = there, coming

    def holds(self, path: str) -> bool:
        """Tell whether there is anything at this path."""
        return any(look.holds(path) for look in self._looks)

    def names(self, folder: str) -> Collection[str]:
        """Return the names in a folder."""
        return [name for look in self._looks for name in look.names(folder)]


def with_trusted_folders(items: Sequence[Item], real: str, there: Look) -> list[Item]:
    """Rename folders of which a scan would say that a photo manager has filled them: what lies there proves nothing.

    ``there`` looks at what lies at the destination ``real``; the marks of a manager may lie there, or come as well.
    """
    items, base = list(items), real.rstrip(os.sep)
    while True:
        paths = [os.sep.join((base, *item.folder, item.plain)) for item in items]
        managers = Managers(_Afterwards(there, InList(paths)))
        wrong = {
            parts for parts in _folders_of(items) if managers.why_folder(os.sep.join((base, *parts[:-1])), parts[-1])
        }
        wrong |= {
            item.folder
            for item in items
            if managers.why_file(os.sep.join((base, *item.folder)), item.plain) is not None
        }
        if not wrong:
            return items
        items = [item._replace(folder=_renamed(item.folder, wrong)) for item in items]


def _folders_of(items: Iterable[Item]) -> set[tuple[str, ...]]:
    return {folder[:depth] for folder in {item.folder for item in items} for depth in range(1, len(folder) + 1)}


def _renamed(folder: tuple[str, ...], wrong: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    if not folder and folder in wrong:  # the destination itself keeps its name
        return ("files",)
    return tuple(renamed_folder(name) if folder[: at + 1] in wrong else name for at, name in enumerate(folder))


def with_numbers(items: Sequence[Item], taken: Mapping[tuple[str, ...], Collection[str]]) -> list[Item]:
    """Give a number to files whose names are taken, in their folder or by one another.

    ``taken`` has the names in folders of the destination; case and Unicode form do not count, since some file systems
    take such names for one.
    """
    used: dict[tuple[str, ...], set[str]] = {}
    for folder, names in taken.items():
        used.setdefault(_folder_key(folder), set()).update(map(key, names))
    groups: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(item.group, []).append(place)
    placed = list(items)
    reached: dict[tuple[object, ...], int] = {}
    """By the names of a group, the number that the last one of such names got: those below stay taken."""
    for places in groups.values():
        members = [items[place] for place in places]
        names_of = tuple((_folder_key(item.folder), key(item.plain), item.shift) for item in members)
        number = reached.get(names_of, 1)
        while any(
            key(numbered(item.plain, number, item.shift)) in used.setdefault(_folder_key(item.folder), set())
            for item in members
        ):
            number += 1
        reached[names_of] = number
        for place, item in zip(places, members, strict=True):
            names, own = used[_folder_key(item.folder)], number
            while key(numbered(item.plain, own, item.shift)) in names:  # two of the group may have one name
                own += 1
            names.add(key(numbered(item.plain, own, item.shift)))
            placed[place] = item._replace(number=own)
    return placed


def _folder_key(folder: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(key, folder))
