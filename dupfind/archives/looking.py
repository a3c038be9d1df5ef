"""Looks into archives, one after the other, and again; loaded only where there are some."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby

from dupfind.archives import contents, names
from dupfind.archives.contents import BrokenArchiveError, Listed
from dupfind.archives.limits import MOST_DEPTH, MOST_FOLDERS, MOST_NAME_LETTERS
from dupfind.archives.members import MemberEntry
from dupfind.archives.opening import Opened, open_archive, opened_before
from dupfind.archives.scratch import Scratch, folder_for_large
from dupfind.sources.archive_names import is_archive_name
from dupfind.sources.entries import ChangedError, entry_now, open_entry
from dupfind.sources.listed_paths import is_junk_path, is_left_behind, why_path_excluded, why_path_not_trusted
from dupfind.sources.photo_managers import InList, Managers
from dupfind.sources.roots import root_around
from dupfind.sources.source import Listing
from dupfind.values import FileEntry, FolderId, Problem, ProblemCode, Root, Side, Tree, folder_of

ITSELF = "[archive]"
"""Stands for an archive among its members where something is wrong with all of it, so that its folder is in doubt."""


_SHOWN_LETTERS = 80


def archive_of(entry: FileEntry) -> FileEntry:
    """Return the archive on disk that a member lies in."""
    assert isinstance(entry, MemberEntry)
    return entry.place.archive


class ArchivesAgain:
    """The members of archives once more."""

    def __init__(self, tree: Tree, listing: Listing) -> None:
        self.problems = tree.problems
        self.seen: set[FolderId] = set()
        self._entries = tree.entries
        self._listing = listing
        self._states: dict[str, bool | None] = {}

    def folders(self) -> Iterator[tuple[str, list[FileEntry]]]:
        """Yield each folder with its entries, as far as their archive is there."""
        for folder, group in groupby(self._entries, key=lambda entry: folder_of(entry.path)):
            entries: list[FileEntry] = []
            for entry in group:
                is_same = self._is_same(archive_of(entry))
                if is_same is not None:
                    entries.append(entry if is_same else entry._replace(inode=-1))
            self._listing.count(len(entries))
            yield folder, entries

    def _is_same(self, archive: FileEntry) -> bool | None:
        """Tell whether an archive is what it was; None where it is gone."""
        if archive.path not in self._states:
            try:
                now = entry_now(archive, follow_symlinks=self._listing.rules.follow_symlinks)
            except OSError:
                now = None
            self._states[archive.path] = None if now is None else now == archive
        return self._states[archive.path]


class Lister:
    """Looks into archives, one after the other; gathers what they hold."""

    def __init__(self, root: Root, listing: Listing, shown: Callable[[str], str]) -> None:
        self.entries: list[FileEntry] = []
        self.problems: list[Problem] = []
        self.opened: list[FileEntry] = []
        self._root = root
        self._listing = listing
        self._shown = shown
        self._is_haystack = root.side is Side.HAYSTACK
        folder = folder_for_large()
        below = root_around(os.path.join(os.path.realpath(folder), "x"), listing.roots)
        self._scratch = Scratch(folder if below is None else None)
        self._twins: dict[int, list[FileEntry]] | None = None
        self._recalled: dict[str, Listed] = {}
        self._new: list[tuple[FileEntry, bytes, int]] = []

    def recall(self, archives: Sequence[FileEntry]) -> None:
        """Recall what is known of these from earlier runs; nothing where they could not be unpacked in this one."""
        if archives and self._scratch.folder is not None:
            recalled = self._listing.recall_archives(archives)
            self._recalled |= {path: contents.unpack_listed(data) for path, data in recalled.items()}

    def remember(self) -> None:
        """Keep what archives hold that were listed anew, for later runs."""
        if self._new:
            self._listing.keep_archives(self._new)

    def not_proved(self, archives: Sequence[FileEntry]) -> list[FileEntry]:
        """Return those that have no equal in the haystack; who has one is proved by it, whatever is in it."""
        if self._is_haystack or self._listing.digests is None:
            return list(archives)
        if self._twins is None:
            self._twins = {}
            for entry in chain.from_iterable(tree.entries for tree in self._listing.haystack):
                self._twins.setdefault(entry.size_bytes, []).append(entry)
        asked = [entry for entry in archives if entry.size_bytes in self._twins]
        twins = [twin for size in dict.fromkeys(entry.size_bytes for entry in asked) for twin in self._twins[size]]
        digests = self._listing.digests([*asked, *twins]) if asked else {}
        proofs = {digests[twin.path] for twin in twins}
        proved = {entry.path for entry in asked if isinstance(digests[entry.path], bytes)}
        proved &= {entry.path for entry in asked if digests[entry.path] in proofs}
        return [entry for entry in archives if entry.path not in proved]

    def look_into(self, archive: FileEntry, depth: int) -> bool:
        """List an archive; tells whether it could be. Where not, it stays a file, and is a problem."""
        listed_ns = time.time_ns()
        recalled = self._recalled.pop(archive.path, None)
        try:
            if recalled is None:
                opened = open_archive(archive, self._scratch)
            else:
                opened = opened_before(archive, recalled.contents, recalled.unpacked_bytes, self._scratch)
        except BrokenArchiveError as error:
            self._report(archive.path, f"the archive cannot be looked into: {error}")
            return False
        left_behind = LeftBehind({} if recalled is None else recalled.left_behind)
        problems_before = len(self.problems)
        entries = self._take(archive, opened, left_behind)
        if recalled is None:
            self._note(archive, opened, left_behind, listed_ns)
        if not opened.contents.members and not opened.contents.troubles:
            return False  # it holds nothing that could stand for it
        troubles = [(trouble.name, trouble.reason) for trouble in opened.contents.troubles]
        if not entries and not troubles and len(self.problems) == problems_before:
            return False
        if depth == 1:
            self.opened.append(archive)
        for name, reason in troubles:
            self._report_member(archive, names.below(name)[:MOST_NAME_LETTERS] if name else ITSELF, reason)
        inner = [entry for entry in entries if is_archive_name(entry.path)]
        folders = _folders(entries)
        self.recall(inner)
        start = len(self.entries)
        looked = {entry.path for entry in self.not_proved(inner) if self._look_deeper(entry, folders, depth + 1)}
        deeper, self.entries[start:] = self.entries[start:], []
        self.entries += [entry for entry in entries if entry.path not in looked]
        self.entries += deeper
        return True

    def _look_deeper(self, entry: FileEntry, folders: frozenset[str], depth: int) -> bool:
        """Look into an archive in an archive, which has these ``folders``."""
        if entry.path in folders:  # paths are keys: what is in the two would be mixed up
            self._report(entry.path, "an archive and a folder of one name: not looked into")
            return False
        if depth > MOST_DEPTH:
            self._report(entry.path, f"an archive in archives: looked into down to {MOST_DEPTH}")
            return False
        return self.look_into(entry, depth)

    def _note(self, archive: FileEntry, opened: Opened, left_behind: LeftBehind, listed_ns: int) -> None:
        """Note what is to be remembered of an archive that was listed at ``listed_ns``."""
        if left_behind.is_certain:
            data = contents.pack_listed(Listed(opened.contents, opened.unpacked_bytes, left_behind.answers))
            if data is not None:
                self._new.append((archive, data, listed_ns))

    def _take(self, archive: FileEntry, opened: Opened, left_behind: LeftBehind) -> list[FileEntry]:
        """Make entries of the members of an archive, those of a folder together."""
        unique = names.Unique()
        members = [(member, unique(names.below(member.name))) for member in opened.contents.members]
        left_behind.filled = frozenset(below.lower() for member, below in members if member.size_bytes)
        managers = Managers(InList([below.replace("/", os.sep) for _, below in members]))
        entries: list[FileEntry] = []
        for ordinal, (member, below) in enumerate(members):
            if len(below) > MOST_NAME_LETTERS or below.count("/") > MOST_FOLDERS:
                self._report_member(archive, ITSELF, f"a path of {len(below):,} letters: {below[:_SHOWN_LETTERS]} ...")
                continue
            place = opened.place._replace(
                offset=opened.place.offset + member.offset,
                stored_bytes=member.stored_bytes,
                is_deflated=member.is_deflated,
                crc=member.crc,
                modified_ns=member.modified_ns,
            )
            path = _path_below(archive, below)
            entry = MemberEntry.of(path, member.size_bytes, place, opened.unpacked, ordinal)
            if self._is_wanted(entry, archive, below, partial(left_behind, ordinal), managers):
                entries.append(entry)
        return sorted(entries, key=lambda entry: _in_order(entry.path))

    def _is_wanted(
        self,
        entry: MemberEntry,
        archive: FileEntry,
        below: str,
        looks_left_behind: Callable[[MemberEntry, str], bool],
        managers: Managers,
    ) -> bool:
        """Return False for what a walk would leave out, too: junk, what is excluded, what is not trusted.

        ``looks_left_behind`` looks at what is junk by its content; ``managers`` look at the names of all members.
        """
        if is_junk_path(below, is_haystack=self._is_haystack) or looks_left_behind(entry, below):
            return False
        reason, code = self._why_excluded(archive.path, below), ProblemCode.EXCLUDED
        if reason is None and self._is_haystack:
            code = ProblemCode.NOT_TRUSTED
            reason = why_path_not_trusted(below)
            reason = reason or managers.why_not_trusted(below.replace("/", os.sep), is_file=True)
        if reason is None:
            return True
        self._report(entry.path, reason, code, is_note=self._is_haystack)
        return False

    def _why_excluded(self, archive: str, below: str) -> str | None:
        excludes = self._listing.rules.excludes
        if not excludes:  # looking for the root asks the system
            return None
        root = root_around(archive, self._listing.roots)
        start = 0 if root is None else len(root.real)
        return why_path_excluded(below, excludes, archive[start:].lstrip("/"))

    def _report_member(self, archive: FileEntry, below: str, reason: str) -> None:
        self._report(_path_below(archive, below), reason)

    def _report(self, path: str, reason: str, code: ProblemCode | None = None, *, is_note: bool = False) -> None:
        self.problems.append(Problem(self._shown(path), self._root.side, "walk", reason, is_note, code))


def _path_below(archive: FileEntry, below: str) -> str:
    """Return the path of a member; a name that the system could not spell is spelt by its bytes in UTF-8."""
    below = os.fsdecode(below.encode("utf-8", "surrogateescape"))
    return f"{archive.path}{os.sep}{below.replace('/', os.sep)}"


def _in_order(path: str) -> tuple[list[str], str]:
    folder, _, name = path.rpartition(os.sep)
    return folder.split(os.sep), name


def _folders(entries: Iterable[FileEntry]) -> frozenset[str]:
    """Return the paths of all folders around these."""
    folders: set[str] = set()
    for folder in dict.fromkeys(folder_of(entry.path) for entry in entries):
        above = folder
        while above not in folders and above != folder_of(above):
            folders.add(above)
            above = folder_of(above)
    return frozenset(folders)


class LeftBehind:
    """Tells which members of an archive are what a system, a camera or a drive leaves behind, as in a folder.

    ``answers`` is what was found in an earlier run, and what is found in this one, by the number of the member.
    """

    def __init__(self, answers: dict[int, bool]) -> None:
        self.answers = answers
        self.filled: frozenset[str] = frozenset()
        """The names of all members that are not empty, in lower case."""
        self.is_certain = True
        """Whether everything could be read that was asked for."""
        self._has_looked = False

    def __call__(self, ordinal: int, entry: MemberEntry, below: str) -> bool:
        """Tell of one member; what took no look at its content is not kept."""
        if ordinal in self.answers:
            return self.answers[ordinal]
        self._has_looked = False
        is_left = is_left_behind(below, entry.size_bytes, self.filled, partial(self._head, entry))
        if self._has_looked:
            self.answers[ordinal] = is_left
        return is_left

    def _head(self, entry: MemberEntry, size_bytes: int) -> bytes:
        """Read so many bytes of a member; returns nothing where it cannot be read."""
        self._has_looked = True
        try:
            with open_entry(entry) as file:
                return file.read(size_bytes)
        except (OSError, ChangedError):
            self.is_certain = False
            return b""
