"""Matches and problems to the verdicts on files and folders; pure.

This is where "contained" is said, so each rule is written out once and nothing is inferred: a folder is contained
when every file below it is present, not wanted or empty, and nothing below it was skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby, repeat
from operator import itemgetter, methodcaller, or_

from dupfind.pictures import formats
from dupfind.reasons import Reason, ReasonCode, is_fragment, listed, never_proves, spelled
from dupfind.values import (
    FILM_FRAMES,
    LAST_LOOK,
    SECOND_LOOK,
    Evidence,
    Failure,
    FileEntry,
    FileState,
    FileVerdict,
    FolderState,
    FolderVerdict,
    Kind,
    Match,
    OwnCounts,
    Problem,
    Root,
    Side,
    folder_of,
    is_below,
)

_PATH, _SIZE, _STATE = (itemgetter(FileVerdict._fields.index(name)) for name in ("path", "size_bytes", "state"))
_ENTRY_SIZE = itemgetter(FileEntry._fields.index("size_bytes"))
_FIRST = itemgetter(0)
# A run asks for these by the hundred thousand, and the members of an enumeration are slow to be looked up.
_IDENTICAL = Evidence.IDENTICAL
_PRESENT, _SIMILAR, _MISSING = FileState.PRESENT, FileState.SIMILAR, FileState.MISSING
_IMAGE, _OTHER = Kind
_KINDS = {True: _IMAGE, False: _OTHER}
_new = tuple.__new__
"""Makes a named tuple of a tuple in half the time."""


def judge_file(
    path: str,
    entry: FileEntry,
    match: Match | None,
    failure: Failure | None,
    accept: Evidence,
    *,
    has_picture: bool,
    note: Reason | None = None,
    spell: Callable[[str], str] | None = None,
) -> FileVerdict:
    """Return the verdict on one needle.

    ``path`` is what the report shows, and ``spell`` makes that of the path of its witness. ``failure`` says why the
    file gave no digest or no thumbnail, ``has_picture`` that it gave a thumbnail, ``note`` what can be said of a
    picture that has no match.
    """
    # A needle proved by its bytes was never decoded, whatever the cache may know, so its name alone says what it is.
    is_image = has_picture or formats.is_image_name(path) or (failure is not None and failure.is_image)
    kind = _IMAGE if is_image else _OTHER
    if match is not None:
        witness, evidence, distance_bits, reason = match
        state = _PRESENT if evidence is _IDENTICAL or evidence.rank <= accept.rank else _SIMILAR
        shown = witness if spell is None else spell(witness)
        reasons: tuple[Reason, ...] = ()
        if reason is not None:
            reasons = listed(spelled(reason, spell) if spell is not None and is_fragment(reason) else reason)
            if never_proves(reason):  # whatever is accepted
                state = _SIMILAR
        return _new(FileVerdict, (path, kind, state, entry.size_bytes, evidence, shown, distance_bits, reasons))
    # It was opened, and gave no byte: a size of nothing alone is what some file systems say of what they do not know.
    if entry.size_bytes == 0 and failure is None:
        return FileVerdict(path, kind, FileState.EMPTY, 0, None, None, None, (Reason(ReasonCode.EMPTY),))
    # What falls when it is looked at again was read before, and the witness may be at fault: missing, not unreadable.
    if failure is not None and is_image and failure.stage not in (SECOND_LOOK, LAST_LOOK):
        reason = Reason(ReasonCode.UNREADABLE, (failure.reason,))
        return FileVerdict(path, kind, FileState.UNREADABLE, entry.size_bytes, None, None, None, (reason,))
    if failure is not None and (not failure.lasting or failure.stage == FILM_FRAMES):
        note = Reason(ReasonCode.NOT_READ, (failure.reason,))
    return FileVerdict(
        path, kind, FileState.MISSING, entry.size_bytes, None, None, None, () if note is None else (note,)
    )


def judge_alike(
    paths: Sequence[str],
    entries: Sequence[FileEntry],
    matches: Sequence[Match | None],
    accept: Evidence,
    *,
    have_pictures: Sequence[bool],
    spell: Callable[[str], str] | None = None,
) -> list[FileVerdict] | None:
    """Return the verdicts on needles by judging the first of them; None where the others may have another verdict.

    Each is what :func:`judge_file` gives, whose arguments these are, of needles without a failure and a note. What it
    says rests on the kind of the file and on what is the same of all here: nothing was found of any, and none is empty;
    or the matches say the same of each but for its witness and its distance.
    """
    first, count = matches[0], len(matches)
    witnesses: Iterable[str | None] = repeat(None)
    distances: Iterable[int | None] = repeat(None)
    if first is None:
        if any(matches) or not all(map(_ENTRY_SIZE, entries)):
            return None
    else:
        if not all(matches):
            return None
        found, evidences, distances, reasons = zip(*matches, strict=True)
        if evidences.count(first.evidence) != count or reasons.count(first.reason) != count:
            return None
        witnesses = found if spell in (None, str) else map(spell, found)
    judged = judge_file(paths[0], entries[0], first, None, accept, has_picture=have_pictures[0], spell=spell)
    are_images: Iterable[bool] = repeat(True)
    if not all(have_pictures):
        are_images = map(or_, have_pictures, formats.are_image_names(paths))
    rows = zip(
        paths,
        map(_KINDS.__getitem__, are_images),
        repeat(judged.state),
        map(_ENTRY_SIZE, entries),
        repeat(judged.evidence),
        witnesses,
        distances,
        repeat(judged.reasons),
    )
    return list(map(_new, repeat(FileVerdict), rows))


def on_word(file: FileVerdict, *, is_same: bool, day: str) -> FileVerdict:
    """Return the verdict on a needle about which a person has decided on this
    ``day``: that it is there, or not wanted.
    """
    if is_same:
        return file._replace(state=_PRESENT)
    return file._replace(state=FileState.UNWANTED, reasons=(Reason(ReasonCode.UNWANTED_ON_YOUR_WORD, (day,)),))


def on_split(file: FileVerdict, reason: Reason) -> FileVerdict:
    """Return the verdict on a needle of which a person has said that it differs from a
    witness; ``reason`` says from which.
    """
    return file._replace(reasons=(*file.reasons, reason))


@dataclass(slots=True)
class _Folder:
    """What has been counted of one folder."""

    parent: str | None
    present: int = 0
    similar: int = 0
    missing: int = 0
    unreadable: int = 0
    skipped: int = 0
    unwanted: int = 0
    set_aside: int = 0
    empty: int = 0
    decided: int = 0
    size_bytes: int = 0
    bytes_not_present: int = 0
    holds_doubt: bool = False
    """True when something directly inside, not in a subfolder, keeps the folder from being contained."""
    children: list[str] = field(default_factory=list)

    def add(self, folder: _Folder) -> None:
        self.present += folder.present
        self.similar += folder.similar
        self.missing += folder.missing
        self.unreadable += folder.unreadable
        self.skipped += folder.skipped
        self.unwanted += folder.unwanted
        self.set_aside += folder.set_aside
        self.empty += folder.empty
        self.decided += folder.decided
        self.size_bytes += folder.size_bytes
        self.bytes_not_present += folder.bytes_not_present

    @property
    def state(self) -> FolderState:
        holds_more = self.missing + self.unreadable + self.skipped > 0
        if self.present + self.similar == 0 and (holds_more or not self.unwanted + self.empty):
            return FolderState.MISSING
        if holds_more:
            return FolderState.PARTIAL
        return FolderState.REVIEW if self.similar else FolderState.CONTAINED


def judge_folders(
    files: Sequence[FileVerdict],
    problems: Iterable[Problem],
    roots: Sequence[Root],
    decided: Collection[str] = (),
    opened: Collection[str] = (),
) -> list[FolderVerdict]:
    """Return the verdicts on all folders with a file below them, or with something that was skipped; sorted by path.

    ``is_shown`` marks those that tables and path lists name: the top-most folder where a whole subtree shares its
    verdict, and each folder of a mixed subtree that itself holds a file that is not present. All others only repeat
    what their subfolders say. ``decided`` are the paths of files whose verdict rests on the word of a person,
    ``opened`` those of archives that were looked into.
    """
    needle_roots = {root.given for root in roots if root.side is Side.NEEDLES}
    folders: dict[str, _Folder] = {}
    archives = frozenset(root.given for root in roots if root.is_archive)
    for parent, inside in _by_parent(files, archives):
        folder = folders.get(parent) or _make(parent, needle_roots, folders)
        _count_all(folder, inside)
    for path in decided:
        _folder_of(path, needle_roots, folders).decided += 1
    for problem in problems:
        if problem.is_gap:
            for folder in _folders_around_gap(problem.path, needle_roots, folders):
                folder.skipped += 1
                folder.holds_doubt = True
    plans = tuple(root.given for root in roots if root.is_plan)
    verdicts = _roll_up(folders, opened)
    if not plans:
        return verdicts
    return [replace(verdict, is_plan=any(is_below(verdict.path, plan) for plan in plans)) for verdict in verdicts]


def _folders_around_gap(path: str, roots: set[str], folders: dict[str, _Folder]) -> list[_Folder]:
    """Return the folder that something skipped lies in; the root itself where a root is what could not be read.

    Where one root is reached by a link inside another, ``path`` may mean the root or the link: both are in doubt then.
    """
    if path not in roots:
        return [_folder_of(path, roots, folders)]
    around = [_make(path, roots, folders)]
    if any(path != root and is_below(path, root) for root in roots):
        around.append(_folder_of(path, roots, folders))
    return around


def _count_all(folder: _Folder, inside: Sequence[FileVerdict]) -> None:
    """Count the files that lie directly in a folder: nearly always all are present, or all are missing."""
    size_bytes, states = sum(map(_SIZE, inside)), list(map(_STATE, inside))
    folder.size_bytes += size_bytes
    present = states.count(_PRESENT)
    folder.present += present
    if states.count(_MISSING) == len(inside):
        folder.missing += len(inside)
        folder.bytes_not_present += size_bytes
        folder.holds_doubt = True
    elif present < len(inside):
        for file in inside:
            if file.state is not _PRESENT:
                _count(folder, file)


def _count(folder: _Folder, file: FileVerdict) -> None:
    """Count a file that is not present."""
    if file.state is FileState.UNWANTED:
        folder.unwanted += 1
        folder.set_aside += all(reason.code is not ReasonCode.UNWANTED_ON_YOUR_WORD for reason in file.reasons)
        return
    if file.state is FileState.EMPTY:
        folder.empty += 1
        return
    folder.bytes_not_present += file.size_bytes
    match file.state:
        case FileState.SIMILAR:
            folder.similar += 1
        case FileState.MISSING:
            folder.missing += 1
        case _:
            folder.unreadable += 1
    folder.holds_doubt = True


def _by_parent(files: Sequence[FileVerdict], archives: Collection[str]) -> Iterator[tuple[str, Sequence[FileVerdict]]]:
    """Yield each folder with the files in it, as far as they stand next to each other."""
    if archives or os.sep != "/":  # Windows has a second separator, so that one does not tell where a name begins
        for parent, grouped in groupby(files, partial(_parent_in, archives)):
            yield parent, list(grouped)
        return
    start, split = 0, methodcaller("rpartition", "/")
    # No line of Python runs for each file. How a folder is called, `folder_of` knows.
    for _, alike in groupby(map(_FIRST, map(split, map(_PATH, files)))):
        end = start + len(list(alike))
        yield folder_of(files[start].path), files[start:end]
        start = end


def _parent_in(archives: Collection[str], file: FileVerdict) -> str:
    """Return the folder around a file; an archive that was named as needles is the
    only file of a folder of its name.
    """
    return file.path if file.path in archives else folder_of(file.path)


def _folder_of(path: str, roots: set[str], folders: dict[str, _Folder]) -> _Folder:
    return _make(folder_of(path), roots, folders)


def _make(path: str, roots: set[str], folders: dict[str, _Folder]) -> _Folder:
    """Return the folder at ``path``; makes it, and the folders above it up to its root."""
    wanted = []
    while path not in folders:
        wanted.append(path)
        above = folder_of(path)
        if path in roots or path == above:  # a way up that meets no root has to end as well
            break
        path = above
    for new in reversed(wanted):
        above = folder_of(new)
        parent = None if new in roots or new == above else above
        folders[new] = _Folder(parent)
        if parent is not None:
            folders[parent].children.append(new)
    return folders[wanted[0]] if wanted else folders[path]


def _roll_up(folders: dict[str, _Folder], opened: Collection[str]) -> list[FolderVerdict]:
    own = {
        path: OwnCounts(*(getattr(folder, name) for name in OwnCounts._fields))
        for path, folder in folders.items()
        if folder.children
    }
    # Folders are made after the folders above them, so the reverse order meets every child before its parent.
    for folder in reversed(folders.values()):
        if folder.parent is not None:
            folders[folder.parent].add(folder)
    is_uniform: dict[str, bool] = {}
    for path, folder in reversed(folders.items()):
        is_uniform[path] = all(is_uniform[child] and folders[child].state is folder.state for child in folder.children)
    archives = set(opened)
    for path, folder in folders.items() if archives else ():
        if folder.parent in archives:
            archives.add(path)
    inside = archives.difference(opened) if archives else archives
    return [
        FolderVerdict(
            path=path,
            state=folder.state,
            present=folder.present,
            similar=folder.similar,
            missing=folder.missing,
            unreadable=folder.unreadable,
            skipped=folder.skipped,
            bytes_not_present=folder.bytes_not_present,
            is_shown=_is_shown(path, folder, is_uniform),
            unwanted=folder.unwanted,
            decided=folder.decided,
            set_aside=folder.set_aside,
            empty=folder.empty,
            size_bytes=folder.size_bytes,
            own=None if is_uniform[path] else own[path],
            is_in_archive=path in inside,
        )
        for path, folder in sorted(folders.items())
    ]


def _is_shown(path: str, folder: _Folder, is_uniform: dict[str, bool]) -> bool:
    if is_uniform[path]:
        return folder.parent is None or not is_uniform[folder.parent]
    return folder.holds_doubt
