"""A root to its files and problems, in a fixed order; reads directories, and of files what tells junk and trash only.

Files of a folder come in the order of their names, then its subfolders in the order of theirs. Symbolic links are
reported and not followed unless asked for. Everything but junk that is skipped among the needles is a problem,
because a folder with a gap is never contained (who deletes it would delete the gap as well); what is skipped in
the haystack merely proves nothing and is a note.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from dupfind.errors import reason_of
from dupfind.sources.entries import HAS_HANDLES, entry_of, is_same_folder, not_as_listed, open_folder, without_inode
from dupfind.sources.ignore import (
    EXCLUDED,
    are_common_files,
    is_common_file,
    is_junk_file,
    is_junk_folder,
    may_be_appledouble,
    may_hold_left_overs,
    why_file_not_trusted,
    why_folder_fleeting,
    why_folder_not_trusted,
)
from dupfind.sources.left_overs import LeftOvers, is_appledouble
from dupfind.sources.look_ahead import Look, LookAhead, Subfolder, looks_below
from dupfind.sources.photo_library import Libraries, is_mark
from dupfind.sources.photo_managers import Managers
from dupfind.sources.roots import ids_of
from dupfind.sources.source import Rules, from_the_end
from dupfind.values import FileEntry, FolderId, Problem, ProblemCode, Root, Side, Tree, is_below

_PATH = itemgetter(FileEntry._fields.index("path"))
_NAME = attrgetter("name")


class Walk:
    """One walk of one root: what it may not enter, and what it has gathered so far.

    ``foreign`` are the directories that were walked among the needles. ``before`` are the files that an earlier walk of
    these needles gave: a folder that holds them as they were, and nothing else, is not sifted again. ``ahead`` looks at
    folders in a second process where there are many, of this walk and of ``later`` roots.
    """

    def __init__(
        self,
        root: Root,
        rules: Rules,
        roots: Sequence[Root],
        foreign: frozenset[FolderId],
        count: Callable[[int], None] = lambda _: None,
        before: Sequence[FileEntry] = (),
        ahead: LookAhead | None = None,
        later: Sequence[str] = (),
    ) -> None:
        self.problems: list[Problem] = []
        self.seen: set[FolderId] = set(ids_of(root, rules.mounts))
        """Every directory that was looked into so far, the root among them."""
        self.state: os.stat_result | None = None
        """Of the folder that was read last, as it was after its names were."""
        self._root = root
        self._rules = rules
        unseen = [unmet for unmet in roots if self.seen.isdisjoint(ids_of(unmet, rules.mounts))]
        self._other_roots = frozenset(number for unmet in unseen for number in ids_of(unmet, rules.mounts))
        self._needle_roots = tuple(unmet.real for unmet in roots if unmet.side is Side.NEEDLES)
        self._foreign = foreign
        self._has_excludes = bool(rules.excludes)
        self._is_haystack = root.side is Side.HAYSTACK
        self._count = count
        self._before = before
        self._passed = 0
        """How many of those files lie in folders that were walked again."""
        self._ahead = LookAhead() if ahead is None else ahead
        self._later = later
        self._entries: list[FileEntry] = []
        self._libraries = Libraries(partial(self._report_library, code=ProblemCode.NOT_TRUSTED))
        self._behind_links = Libraries()
        self._managers = Managers(report=self._report_library)
        self._why_nothing: str | None = None
        """Why nothing of the whole root proves anything; None where it may."""
        if self._is_haystack:
            self._libraries.around(root.real)
            self._managers.around(root.real)
            self._why_nothing = self._managers.why_not_trusted(root.real)

    def run(self) -> Tree:
        """Walk to the end."""
        entries: list[FileEntry] = []
        for _, files in self.folders():
            entries += files
        return Tree(self._root, entries, self.problems, frozenset(self.seen))

    def folders(self) -> Iterator[tuple[str, list[FileEntry]]]:
        """Walk one folder after the other; returns the path of each and its files."""
        pending = [(self._root.real, self._root.identity)]
        if self._before:
            look_again(self._before, self._ahead)
        try:
            yield from self._folders(pending)
        finally:
            if self._before:  # what is told holds for these files alone
                self._ahead.end()

    def _folders(self, pending: list[tuple[str, FolderId]]) -> Iterator[tuple[str, list[FileEntry]]]:
        """Walk what is ``pending``, and what lies below it."""
        files = 0
        while pending:
            folder, identity = pending.pop()
            self._entries = []
            pending.extend(reversed(self._read_folder(folder, identity)))
            self._count(len(self._entries))
            files += len(self._entries)
            if not (self._before or self._has_excludes):  # what a pattern leaves out may be large
                self._ahead.begin(partial(self._looks_ahead, pending), files)
            yield folder, self._entries

    def _looks_ahead(self, pending: Sequence[tuple[str, FolderId]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Look at everything that is still to be walked, from the end."""
        return looks_below([*(path for path, _ in reversed(pending)), *self._later])

    def _read_folder(self, folder: str, identity: FolderId) -> list[tuple[str, FolderId]]:
        """Take in the files of ``folder``; returns the subfolders to enter, in order."""
        handle = self.state = None
        if self._before and self._is_as_before(folder, identity):
            return []
        if self._why_nothing is not None:
            self._report(folder, self._why_nothing, ProblemCode.NOT_TRUSTED)
            return []
        if self._is_haystack:
            self._libraries.enter(folder)
        try:
            told = None if self._before else self._ahead.told(folder)
            if told is not None and (look := Look(*told)).identity == identity:
                subfolders = self._take_look(folder, look)
                self._sift(folder, identity)
                return subfolders
            with os.scandir(folder) as scanned:
                items = sorted(scanned, key=_NAME)
            handle = open_folder(folder) if HAS_HANDLES else None
            state = os.stat(folder) if handle is None else os.fstat(handle)
            found_identity = state.st_dev, state.st_ino
            if found_identity == identity or self._may_enter_instead(folder, found_identity, identity):
                self.state = state if found_identity == identity else None
                subfolders = self._take_all(folder, items, handle)
                self._sift(folder, found_identity)
                return subfolders
        except OSError as error:
            self._report(folder, f"cannot read the folder: {reason_of(error)}")
        finally:
            if handle is not None:
                os.close(handle)
        return []

    def _sift(self, folder: str, identity: FolderId) -> None:
        """Leave out of the files of a folder what its neighbours, or a library around it, say proves nothing."""
        if identity[0] in self._rules.forgetful:
            self._entries = list(map(without_inode, self._entries))
        if self._libraries:
            self._entries = self._libraries.sift(folder, self._entries, self._leave_out_untrusted)
        if self._is_haystack:
            self._entries = self._managers.sift(folder, self._entries, self._leave_out_untrusted)

    def _take_look(self, folder: str, look: Look) -> list[tuple[str, FolderId]]:
        """Take in the files of a folder that was looked at ahead; returns the subfolders to enter."""
        self._entries = look.entries(folder)
        return [
            (item.path, identity)
            for item in look.subfolders(folder)
            if (identity := self._may_enter_met(item)) is not None
        ]

    def _may_enter_met(self, item: os.DirEntry[str] | Subfolder) -> FolderId | None:
        try:
            return self._may_enter(item)
        except OSError as error:
            self._report(item.path, f"cannot be looked at: {reason_of(error)}")
            return None

    def _is_as_before(self, folder: str, identity: FolderId) -> bool:
        """Take in a folder that holds the files of the earlier walk and nothing else; False where it may not.

        What was decided of each file rests on its name, its folder, and its and its neighbours' content: all as they
        were, so it need not be decided again, and the values of the earlier walk serve again.
        """
        before, start = self._before, self._passed
        met = self._ahead.told(folder)
        if met is None or met[0] != start:
            try:
                met = _as_before(folder, before, start) if HAS_HANDLES else None
            except OSError:
                met = None  # told of by the walk that follows
        if met is not None and met[1] == identity:
            self._passed = met[2]
            self._entries = list(before[start : self._passed])
            return True
        own = os.path.join(folder, "")
        while start < len(before) and before[start].path.rpartition(os.sep)[0] + os.sep == own:
            start += 1
        self._passed = start
        return False

    def _take_all(
        self, folder: str, items: Sequence[os.DirEntry[str]], handle: int | None
    ) -> list[tuple[str, FolderId]]:
        """Take in the files among ``items`` of ``folder``; returns the subfolders to enter.

        Files are looked at from the ``handle`` of their folder: the way to it need not be gone for each of them, which
        saves a sixth of the walk.
        """
        subfolders = []
        stat, take = os.stat, self._entries.append
        names = list(map(_NAME, items))
        is_plain = not self._has_excludes and not may_hold_left_overs(folder, names)
        are_common = is_plain and are_common_files(names)
        left_overs = LeftOvers(folder, names, handle)
        for item in items:
            try:
                if item.is_file(follow_symlinks=False):
                    name = item.name
                    if are_common or (is_plain and is_common_file(name)) or self._is_wanted(item, handle, left_overs):
                        where = item.path if handle is None else name
                        take(entry_of(item.path, stat(where, dir_fd=handle, follow_symlinks=False)))
                elif item.is_symlink() and not self._may_follow(item):
                    continue
                elif item.is_file():
                    if self._is_wanted(item, handle, left_overs):
                        state = item.stat()
                        entry = entry_of(item.path, state)
                        take(without_inode(entry) if state.st_dev in self._rules.forgetful else entry)
                elif not item.is_dir():
                    self._take_special(item)
                elif identity := self._may_enter(item):
                    subfolders.append((item.path, identity))
            except OSError as error:
                self._report(item.path, f"cannot be looked at: {reason_of(error)}")
        return subfolders

    def _is_wanted(self, item: os.DirEntry[str], handle: int | None, left_overs: LeftOvers) -> bool:
        """Return False for a file that is junk, excluded, or in the haystack's trash."""
        if is_junk_file(item.name):
            return False
        if may_be_appledouble(item.name) and is_appledouble(item.path if handle is None else item.name, handle):
            return False
        if left_overs.include(item.name):
            return False
        if self._is_excluded(item):
            return False
        if self._is_haystack:
            self._managers.meet(os.path.dirname(item.path), item.name)
            if why := why_file_not_trusted(item.name):
                self._leave_out_untrusted(item.path, why)
                return False
        return True

    def _take_special(self, item: os.DirEntry[str]) -> None:
        """Report a pipe, a socket or a device, which is never opened."""
        if not is_junk_file(item.name) and not self._is_excluded(item):
            self._report(item.path, "not a regular file", ProblemCode.NOT_REGULAR)

    def _may_enter(self, item: os.DirEntry[str] | Subfolder) -> FolderId | None:
        """Return who the directory is, where it is to be walked."""
        if self._is_haystack and is_mark(item.name):
            self._libraries.meet(os.path.dirname(item.path))
        state = item.stat(follow_symlinks=self._rules.follow_symlinks)
        if state.st_ino == 0:  # Windows: a directory listing has no inodes there, a second look has
            state = os.stat(item.path)
        identity = (state.st_dev, state.st_ino)
        numbers = self._ids(item.path, identity)
        if not self._other_roots.isdisjoint(numbers):  # asked before the name is: a root may be called like junk
            self._leave_out(item.path, "left out: it is a root of its own")
            return None
        if is_junk_folder(item.name, is_haystack=self._is_haystack) or self._is_excluded(item):
            return None
        if self._is_haystack and (why := self._why_not_trusted(item)):
            self._leave_out_untrusted(item.path, why)
            return None
        return identity if self._is_new(item.path, identity) else None

    def _why_not_trusted(self, item: os.DirEntry[str] | Subfolder) -> str | None:
        """Tell why a folder of the haystack can prove nothing."""
        return why_folder_not_trusted(item.name) or self._managers.why_folder(os.path.dirname(item.path), item.name)

    def _may_enter_instead(self, folder: str, identity: FolderId, before: FolderId) -> bool:
        """Tell whether to walk what came in the place of a folder after it was met, as ``before``.

        An automount does so when it is first looked into, and so does a folder whose number did not last. A link, or
        what now stands where a root was, may lead to the other side, which would prove itself.
        """
        is_root = folder == self._root.real and not is_same_folder(identity, self._root.identity, self._rules.forgetful)
        if is_root or (not self._rules.follow_symlinks and os.path.islink(folder)):
            self._report(folder, "cannot read the folder: another one came in its place")
            return False
        if not self._other_roots.isdisjoint(self._ids(folder, identity)):
            self._leave_out(folder, "left out: it is a root of its own")
            return False
        return self._is_new(folder, identity, was_met=is_same_folder(identity, before, self._rules.forgetful))

    def _is_new(self, folder: str, identity: FolderId, *, was_met: bool = False) -> bool:
        """Tell whether a directory was walked on neither side; it is from now on.

        ``was_met`` is for one that only has another number than when it was met, so that its place is known already.
        """
        numbers = self._ids(folder, identity)
        if not self._foreign.isdisjoint(numbers):
            self._leave_out(folder, "left out: the same folder is among the needles")
            return False
        if not self.seen.isdisjoint(numbers[:1] if was_met else numbers):
            self._leave_out(folder, "left out: already visited by another way", ProblemCode.VISITED)
            return False
        self.seen.update(numbers)
        return True

    def _ids(self, folder: str, identity: FolderId) -> tuple[FolderId, ...]:
        """Return all that a directory is known by: its number and, where numbers do not last, its place."""
        if identity[0] not in self._rules.forgetful:
            return (identity,)
        real = os.path.realpath(folder) if self._rules.follow_symlinks else folder
        place = self._rules.mounts.folder_id(real, identity[0])
        return (identity,) if place is None else (identity, place)

    def _may_follow(self, link: os.DirEntry[str]) -> bool:
        if is_junk_file(link.name) or self._is_excluded(link):
            return False
        if not self._rules.follow_symlinks:
            self._report(link.path, "symbolic link: not followed", ProblemCode.LINK)
            return False
        os.stat(link.path)  # a dangling link raises here and is reported by the caller
        if not self._is_haystack:
            return True
        real = os.path.realpath(link.path)
        if self._is_among_needles(real):
            self._leave_out(link.path, "left out: the link leads into the needles")
            return False
        if why := self._why_target_not_trusted(real):
            self._leave_out_untrusted(link.path, why)
            return False
        return True

    def _why_target_not_trusted(self, real: str) -> str | None:
        """Tell why what a link of the haystack leads to can prove nothing.

        Hidden folders are no reason here: git-annex keeps every photo behind a link into one.
        """
        is_inside = is_below(real, self._root.real)
        *folders, name = real[len(self._root.real) if is_inside else 0 :].split(os.sep)
        reasons = (*map(why_folder_fleeting, (*folders, name)), why_file_not_trusted(name))
        reason = next((reason for reason in reasons if reason), None) or self._behind_links.why_not_trusted(real)
        return reason or self._managers.why_not_trusted(real, is_file=not os.path.isdir(real))

    def _is_among_needles(self, real: str) -> bool:
        """Return True for what lies below a needles root by its path, or by device
        and inode of the folder around it.
        """
        if any(is_below(real, root) for root in self._needle_roots):
            return True
        folder = os.path.dirname(real)
        around = os.stat(folder)
        return not self._foreign.isdisjoint(self._ids(folder, (around.st_dev, around.st_ino)))

    def _is_excluded(self, item: os.DirEntry[str] | Subfolder) -> bool:
        below_root = item.path[len(self._root.real) :]
        pattern = self._rules.excludes.matching(below_root, item.name)
        if pattern is None:
            return False
        self._leave_out(item.path, f"{EXCLUDED} {pattern}", ProblemCode.EXCLUDED)
        return True

    def _report(self, path: str, reason: str, code: ProblemCode | None = None, *, is_note: bool = False) -> None:
        self.problems.append(Problem(self._root.shown(path), self._root.side, "walk", reason, is_note, code))

    def _report_library(self, folder: str, reason: str, code: ProblemCode | None = None) -> None:
        self._report(max(folder, self._root.real, key=len), reason, code)  # it may lie above the root

    def _leave_out_untrusted(self, path: str, reason: str) -> None:
        self._leave_out(path, reason, ProblemCode.NOT_TRUSTED)

    def _leave_out(self, path: str, reason: str, code: ProblemCode | None = None) -> None:
        self._report(path, reason, code, is_note=self._is_haystack)


def _as_before(folder: str, before: Sequence[FileEntry], start: int) -> tuple[int, FolderId, int] | None:
    """Look at a folder whose files were listed before, from the position ``start`` on.

    Returns that, who the folder is and where its files end; None where it does not hold these as they were and nothing
    else. Raises ``OSError``.
    """
    own = os.path.join(folder, "")
    handle = open_folder(folder)
    try:
        state = os.fstat(handle)
        names = sorted(os.listdir(handle))
        end = start + len(names)
        entries = before[start:end]
        # The last one first: where there are subfolders too, it lies in the next folder.
        if names and len(entries) == len(names) and entries[-1].path == own + names[-1]:
            paths = [own + name for name in names]
            if paths == list(map(_PATH, entries)) and not not_as_listed(entries, names, handle):
                return start, (state.st_dev, state.st_ino), end
    finally:
        os.close(handle)
    return None


def look_again(before: Sequence[FileEntry], ahead: LookAhead) -> None:
    """Let a second process look at the folders of an earlier walk."""
    ahead.begin(partial(_looks_again, before), len(before))


def _looks_again(before: Sequence[FileEntry]) -> Iterator[tuple[str, tuple[int, FolderId, int]]]:
    """Look at the folders of an earlier walk, the last one first; yields what :func:`_as_before` says of each."""
    for folder, start, _ in from_the_end(before):
        with suppress(OSError):
            met = _as_before(folder, before, start)
            if met is not None:
                yield folder, met
