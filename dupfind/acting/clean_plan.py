"""The verdicts of a scan to what could go, and what stays; looks at the disk only for what lies in such a folder."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dupfind.acting.listing import Listed, NotListedError, list_folder, state_of
from dupfind.answers.clean import Claimed, Left, Thing, Unit
from dupfind.errors import reason_of
from dupfind.matching.same_image_data import REASON
from dupfind.values import (
    Evidence,
    FileEntry,
    FileState,
    FileVerdict,
    FolderId,
    FolderState,
    FolderVerdict,
    Match,
    Root,
    Tree,
)

GOES_ALONG = (FileState.EMPTY, FileState.UNWANTED)
"""Verdicts on files that go with their folder and need no proof."""


class Scan(NamedTuple):
    """What of a scan decides."""

    needles: Sequence[Tree]
    files: Mapping[str, FileVerdict]
    """By path as reported."""
    matches: Mapping[str, Match]
    """By path on disk."""
    haystack: Mapping[str, FileEntry]
    """Likewise."""
    more_witnesses: Mapping[str, Sequence[FileEntry]]
    """By path of a witness, further files with its bytes, each on a device of its own; where they were asked for."""
    witnesses: int
    roots: Collection[FolderId]
    mount_points: Collection[str] = ()


class _StaysError(Exception):
    """A unit stays; the text says why."""


class Planner:
    """Makes units of what is contained; gathers what stays in ``left``."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self.left: list[Left] = []
        self._shown: dict[str, str] = {}
        """By path on disk, how each needle is reported."""
        self._entries: dict[str, FileEntry] = {}
        self._roots: list[Root] = []
        opened: set[str] = set()
        for tree in scan.needles:
            opened |= tree.opened
            if tree.root.real != os.sep:
                self._roots.append(tree.root)
            shown = tree.root.shown
            for entry in tree.entries:
                self._shown[entry.path] = shown(entry.path)
                self._entries[entry.path] = entry
        self._archives: dict[str, list[FileEntry]] = {path: [] for path in opened}
        for entry in self._entries.values() if opened else ():
            for archive in _around(entry.path):
                if archive in self._archives and not entry.is_on_disk:
                    self._archives[archive].append(entry)
        self._paths = sorted(path for path, entry in self._entries.items() if entry.is_on_disk)

    def folders(self, verdicts: Iterable[FolderVerdict]) -> list[Unit]:
        """Return the topmost folders that are contained, as units; of where a drive is mounted, what lies in it."""
        units = []
        inner: dict[str, list[FolderVerdict]] = {}
        verdicts = list(verdicts)
        for verdict in verdicts:
            inner.setdefault(os.path.dirname(verdict.path), []).append(verdict)
        for verdict in verdicts:
            if verdict.state is not FolderState.CONTAINED:
                if verdict.is_shown:
                    self.left.append(Left(verdict.path, _counts(verdict)))
            elif verdict.is_shown and not verdict.is_in_archive:
                units += self._whole_or_parts(verdict, inner)
        return units

    def _whole_or_parts(self, verdict: FolderVerdict, inner: Mapping[str, Sequence[FolderVerdict]]) -> list[Unit]:
        """Return a folder as one unit; where a drive is mounted at or in it, its folders and files, each as one.

        A mount point cannot be moved, and neither does a rename go from one drive to another.
        """
        try:
            real = self._real(verdict.path)[0]
        except _StaysError:
            real = ""
        if real in self._archives or not self._is_divided(real):
            return self._try(verdict.path, self._folder)
        units = []
        for folder in inner.get(verdict.path, ()):
            if not folder.is_in_archive:
                units += self._whole_or_parts(folder, inner)
        for path in self._directly_in(real):
            shown = self._shown[path]
            if self._scan.files[shown].state is FileState.PRESENT:
                units += self._try(shown, self._file)
            else:
                self.left.append(Left(shown, "it needs no proof, and the folder around it is where a drive is mounted"))
        return units

    def _is_divided(self, real: str) -> bool:
        """Tell whether a drive is mounted at a folder, or somewhere in it."""
        prefix = real.rstrip(os.sep) + os.sep
        is_point = real in self._scan.mount_points or any(point.startswith(prefix) for point in self._scan.mount_points)
        return bool(real) and (is_point or os.path.ismount(real))

    def _directly_in(self, real: str) -> Iterator[str]:
        """Yield the files that lie in a folder itself, archives that were looked into left out."""
        prefix = real.rstrip(os.sep) + os.sep
        for place in range(bisect_left(self._paths, prefix), len(self._paths)):
            path = self._paths[place]
            if not path.startswith(prefix):
                break
            if os.sep not in path[len(prefix) :]:
                yield path

    def single_files(self, files: Iterable[FileVerdict], folders: Iterable[FolderVerdict]) -> list[Unit]:
        """Return the files that are present, each as a unit; those in archives go with their archive only.

        An archive goes only where its own verdict is "contained": what was skipped in it is no file of the scan.
        """
        real = {shown: path for path, shown in self._shown.items()}
        units = []
        for file in files:
            entry = self._entries[real[file.path]]
            if not entry.is_on_disk:
                continue
            if file.state is FileState.PRESENT:
                units += self._try(file.path, self._file)
            elif file.state not in GOES_ALONG:
                self.left.append(Left(file.path, file.state.value))
        for verdict in folders:
            if not verdict.is_in_archive and self._is_archive(verdict.path):
                # What was skipped in an archive is no file of the scan, so that its files say too little.
                if verdict.state is FolderState.CONTAINED:
                    units += self._try(verdict.path, self._file)
                else:
                    self.left.append(Left(verdict.path, _counts(verdict)))
        return units

    def _is_archive(self, shown: str) -> bool:
        try:
            return self._real(shown)[0] in self._archives
        except _StaysError:
            return False

    def _try(self, path: str, make: Callable[[str, str, Root], Unit]) -> list[Unit]:
        try:
            real, root = self._real(path)
            return [make(path, real, root)]
        except (_StaysError, NotListedError) as error:
            self.left.append(Left(path, str(error)))
        except OSError as error:
            self.left.append(Left(path, reason_of(error)))
        return []

    def _real(self, shown: str) -> tuple[str, Root]:
        """Return the path on disk of what is reported as ``shown``, and the root that it lies in."""
        around = [
            root for root in self._roots if shown == root.given or shown.startswith(root.given.rstrip(os.sep) + os.sep)
        ]
        if not around:
            raise _StaysError("nobody knows which root it lies in")
        root = max(around, key=lambda root: len(root.given))
        below = shown[len(root.given.rstrip(os.sep)) + 1 :]
        return (os.path.join(root.real, below) if below else root.real), root

    def _file(self, path: str, real: str, root: Root) -> Unit:
        """Make a unit of a file, or of an archive, whose parts are all proved."""
        state = os.lstat(real)
        members = len(self._archives[real]) if real in self._archives else None
        thing = Thing((), state_of(state), self._claims(real), members=members)
        if not thing.claims:
            raise _StaysError("nothing proves it")
        return Unit(path, real, os.path.dirname(real) if real == root.real else root.real, state.st_dev, (thing,), ())

    def _folder(self, path: str, real: str, root: Root) -> Unit:
        """Make a unit of a folder with all that lies in it; an archive is a folder to a scan, and a file here."""
        if real in self._archives:
            return self._file(path, real, root)
        listed = list_folder(real, self._scan.roots)
        things = [self._thing(real, below, state) for below, state in listed.states.items()]
        self._check_complete(real, listed)
        return Unit(path, real, root.real, listed.device, tuple(things), tuple(listed.folders))

    def _check_complete(self, real: str, listed: Listed) -> None:
        """Raise where a scan has listed what does not lie in the folder, so that something has changed."""
        prefix = real + os.sep
        for place in range(bisect_left(self._paths, prefix), len(self._paths)):
            path = self._paths[place]
            if not path.startswith(prefix):
                break
            if tuple(path[len(prefix) :].split(os.sep)) not in listed.states:
                raise _StaysError(f"{path} is gone")

    def _thing(self, folder: str, below: tuple[str, ...], state: tuple[int, ...]) -> Thing:
        path = os.path.join(folder, *below)
        if path in self._archives:
            # Of no claims all that is in it is empty or not wanted.
            return Thing(below, state, self._claims(path), members=len(self._archives[path]))
        entry = self._entries.get(path)
        if entry is None:
            return Thing(below, state, is_listed=False)
        if (entry.size_bytes, entry.mtime_ns, entry.ctime_ns) != state[2:5]:
            raise _StaysError(f"{path} changed")
        return Thing(below, state, self._claims(path))

    def _claims(self, path: str) -> tuple[Claimed, ...]:
        """Return what is proved again of a file, or of all in an archive. Raises :class:`_StaysError`."""
        entries = self._archives[path] if path in self._archives else [self._entries[path]]
        claims = []
        for entry in entries:
            verdict = self._scan.files[self._shown[entry.path]]
            if verdict.state in GOES_ALONG:
                continue
            match = self._scan.matches.get(entry.path)
            if verdict.state is not FileState.PRESENT or match is None or match.evidence is Evidence.SIMILAR:
                raise _StaysError(f"{verdict.path} is not proved")
            claims.append(Claimed(entry, self._witnesses(verdict, match), match.evidence, match.reason == REASON))
        return tuple(claims)

    def _witnesses(self, verdict: FileVerdict, match: Match) -> tuple[FileEntry, ...]:
        witness = self._scan.haystack.get(match.witness)
        if witness is None or not (witness.is_on_disk and witness.can_be_read):
            raise _StaysError(f"the witness of {verdict.path} is only listed, or in an archive: it cannot be held open")
        needle = os.lstat(path) if os.path.lexists(path := self._real(verdict.path)[0]) else None
        held = os.lstat(witness.path)
        if needle is not None and os.path.samestat(needle, held):
            raise _StaysError(f"{verdict.path} is a hard link of its witness")
        more = self._scan.more_witnesses.get(witness.path, ())
        if 1 + len(more) < self._scan.witnesses:
            raise _StaysError(
                f"{verdict.path} lies on {1 + len(more)} of {self._scan.witnesses} devices of the haystack"
            )
        return witness, *more[: self._scan.witnesses - 1]


def _counts(verdict: FolderVerdict) -> str:
    """Say why a folder is not contained."""
    numbers = {
        "missing": verdict.missing,
        "similar": verdict.similar,
        "unreadable": verdict.unreadable,
        "skipped": verdict.skipped,
    }
    return f"{verdict.state}: " + ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)


def _around(path: str) -> list[str]:
    parts = path.split(os.sep)
    return [os.sep.join(parts[:end]) for end in range(2, len(parts))]
