"""A file that moves to another file system: copied, read back, only then given up where it lay; and all the way back.

The one law: a name is taken away only after a copy of the same bytes was read back from another file system in this
very run, under its final name. Each step is in the journal before it is made, so that whatever a kill, a full disk or
an unplugged drive leaves is found again: :func:`take_back` goes by the disk, and by the journal for where to look.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from dupfind.acting import journal as journals
from dupfind.acting.copying import NotCopiedError, copy
from dupfind.acting.held import HeldEntry
from dupfind.acting.journal import Journal, Record
from dupfind.acting.journal import state_of as journal_state_of
from dupfind.acting.listing import state_of
from dupfind.acting.marks import from_record, marks_of, record_of
from dupfind.acting.places import (
    Folder,
    NoSafeRenameError,
    Temporary,
    give_up,
    is_temporary_name,
    remove_left_over,
    rename,
    temporary_name,
)
from dupfind.answers.clean import Marks
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.digest import digest
from dupfind.errors import reason_of
from dupfind.sources.entries import entry_of
from dupfind.sources.mounts import read_mounts
from dupfind.sources.same_file import SameFile

DO = "transfer"
"""How a journal calls it."""


class Carried(NamedTuple):
    """A file whose copy lies at the new place, read back; the file itself is where it was."""

    number: int
    """Of the step in the journal."""
    record: Record
    """What the journal has of it."""
    state: tuple[int, ...]
    """Of the file, when it was copied."""
    copied: tuple[int, ...]
    """That of its copy."""
    is_doubtful: bool
    """Whether a change after it was read need not show in its times: it was written just before, or lies on FAT."""
    notes: tuple[str, ...]
    """What was not kept of it beside its bytes."""


class NotBackError(Exception):
    """A file is not back where it was, and nothing of it is lost; the text says why."""


class NotThereError(NotBackError):
    """There is nothing to be taken back: it was never copied, or its copy is not there any more."""


def carry(
    journal: Journal,
    places: tuple[Folder, str, Folder, str],
    handle: int,
    state: Sequence[int],
    witnesses: Sequence[str] = (),
) -> Carried:
    """Copy a file that is held open to another file system, under its final name there, and read it back.

    ``places`` are the folder and the name where it lies, and where it is to lie; ``state`` is its own. Raises
    :class:`~dupfind.acting.copying.NotCopiedError`: there is no copy then, or :func:`take_back` knows of it.
    """
    around, name, target, new_name = places
    marks = marks_of(handle)
    record: Record = {
        "source": os.path.join(around.path, name),
        "target": os.path.join(target.path, new_name),
        "temporary": temporary_name(),
        "state": list(state[:4]),
        "marks": record_of(marks),
        "witnesses": list(witnesses),
    }
    try:
        number = journal.begin(DO, **record)
    except OSError as error:
        raise NotCopiedError(f"the journal cannot be written: {reason_of(error)}", is_final=True) from error
    began_ns = time.time_ns()
    is_noted = False
    try:
        made = Temporary(target, record["temporary"])
        try:
            entry = entry_of(record["source"], os.fstat(handle))
            copied = copy(HeldEntry.of(entry, handle), made, target, _nobody, marks)
            more = {"copy": journal_state_of(copied.state), "digest": copied.digest.hex()}
            journal.add(number, **more)
            is_noted = True
            record.update(more)
            made.publish(new_name)
        finally:
            made.close()
        there = state_of(target.look(new_name))
    except NotCopiedError as error:
        journal.failed(number, str(error))
        raise
    except OSError as error:
        if not is_noted:
            journal.failed(number, reason_of(error))
        is_final = isinstance(error, NoSafeRenameError) or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        raise NotCopiedError(f"cannot be copied: {reason_of(error)}", is_final=is_final) from error
    doubtful = state[0] in read_mounts().forgetful or is_racy(
        state[4], state[3], state[1], began_ns - RACY_NS, time.time_ns()
    )
    return Carried(number, record, tuple(state), there, bool(doubtful), copied.notes)


def _nobody(_: int) -> None:
    """Tell nobody how far a copy is: progress counts files that went."""


def let_go(journal: Journal, carried: Carried, places: tuple[Folder, str, Folder, str]) -> int:
    """Give a file up where it lay, whose copy is as it was read back; returns its time of change then, for other links.

    Raises ``OSError``: it stays.
    """
    around, name, target, new_name = places
    if not target.has(new_name):
        raise OSError(errno.ESTALE, "its copy is gone")
    # The file is given up for this copy: it has to be the one that was read back.
    if state_of(target.look(new_name)) != carried.copied:
        raise OSError(errno.ESTALE, "its copy changed")
    parked = temporary_name()
    # Noted first: after a kill the parked name is known to nobody else.
    journal.add(carried.number, parked=parked)
    carried.record["parked"] = parked
    confirm = _has_digest(carried.record["digest"]) if carried.is_doubtful else None
    changed_ns = give_up(around, name, carried.state, parked, confirm)
    journal.done(carried.number)
    return changed_ns


def drop_copy(carried: Carried, places: tuple[Folder, str, Folder, str]) -> bool:
    """Remove a copy of this run whose file is still where and what it was; returns whether it did."""
    around, name, target, new_name = places
    try:
        if state_of(around.look(name)) != carried.state:
            return False
        give_up(target, new_name, carried.copied, carried.record["temporary"])
    except OSError:
        return False
    return True


def remove_left_overs(own: Journal) -> int:
    """Remove temporary files of copies that earlier runs did not finish, by their journals; returns how many.

    Where a copy was finished, :func:`take_back` looks after it.
    """
    removed = 0
    for recorded in journals.journals():
        unfinished = [step for step in recorded.steps.values() if step.get("do") == DO and "copy" not in step]
        if not unfinished or recorded.id == own.id or journals.is_running(recorded):
            continue
        for step in unfinished:
            with suppress(OSError, KeyError), Folder.open(os.path.dirname(step["target"])) as folder:
                removed += remove_left_over(folder, step["temporary"])
    return removed


def take_back(journal: Journal, number: int, step: Mapping[str, Any]) -> None:
    """Have a file lie where it was, and its copy gone, whatever of that is so already.

    Raises :class:`NotBackError` where that cannot be, and ``OSError``; nothing is lost then.
    """
    (folder, name), (away_folder, away_name) = map(os.path.split, (str(step["source"]), str(step["target"])))
    with Folder.open(folder) as around:
        try:
            away = Folder.open(away_folder)
        except OSError as error:
            _unpark(around, name, step)
            if "copy" not in step or ("done" not in step and _holds(around, name, step["digest"])):
                raise NotThereError("it was not copied") from None
            raise NotBackError(f"{away_folder}: {reason_of(error)}") from None
        with away:
            if "copy" not in step:
                with suppress(OSError):
                    remove_left_over(away, str(step["temporary"]))
                raise NotThereError("it was not copied")
            _Return(journal, number, step, (around, name, away, away_name)).run()


def foresee(step: Mapping[str, Any]) -> None:
    """Raise as :func:`take_back` would, as far as that can be seen without changing anything."""
    if "copy" not in step:
        raise NotThereError("it was not copied")
    (folder, name), (away_folder, away_name) = map(os.path.split, (str(step["source"]), str(step["target"])))
    if os.path.lexists(step["source"]):
        with Folder.open(folder) as around:
            if not _holds(around, name, str(step["digest"])):
                raise NotBackError("its old name is taken")
        return
    parked = str(step.get("parked", ""))
    if is_temporary_name(parked) and os.path.lexists(os.path.join(folder, parked)):
        return
    try:
        with Folder.open(away_folder) as away:
            if not away.has(away_name):
                raise NotThereError("it is not there any more")
            if journal_state_of(away.look(away_name))[2:] != list(step["copy"][2:]):
                raise NotBackError("it was changed since")
    except OSError as error:
        raise NotBackError(f"{away_folder}: {reason_of(error)}") from None


def _unpark(around: Folder, name: str, step: Mapping[str, Any]) -> None:
    """Give a file its name back that a kill has left parked; where a rename may replace, it stays so."""
    parked = str(step.get("parked", ""))
    if is_temporary_name(parked) and around.has(parked) and not around.has(name):
        with suppress(NoSafeRenameError, FileExistsError):
            rename(around, parked, around, name)


class _Return:
    """One file on its way back, with both folders open."""

    def __init__(
        self, journal: Journal, number: int, step: Mapping[str, Any], places: tuple[Folder, str, Folder, str]
    ) -> None:
        self._journal = journal
        self._number = number
        self._step = step
        self._digest = str(step["digest"])
        self._around, self._name, self._away, self._away_name = places
        self._stays: tuple[int, ...] = ()
        """The state of the file that is back, as its bytes were read."""

    def run(self) -> None:
        """Bring it back where it is not, and drop what is there twice then."""
        _unpark(self._around, self._name, self._step)
        with suppress(OSError):
            remove_left_over(self._around, str(self._step.get("undo_temporary", "")))
        self._drop_half()
        if not self._around.has(self._name):
            self._bring()
            self._stays = state_of(self._around.look(self._name))
        else:
            self._stays = state_of(self._around.look(self._name))
            self._check_there()
        with suppress(OSError):
            remove_left_over(self._away, str(self._step["temporary"]))
        self._drop(self._around, str(self._step.get("parked", "")))
        for name in (str(self._step.get("undo_parked", "")), self._away_name):
            self._drop(self._away, name)

    def _check_there(self) -> None:
        """Raise where the file that is there is not the one that was, or nobody can tell that it is not its copy."""
        if not _holds(self._around, self._name, self._digest):
            raise NotBackError("its old name is taken")
        # If both names lead to one file, dropping the copy drops the file.
        if self._away.has(self._away_name) and self._may_be_one():
            raise NotBackError("it and its copy may be the same file, reached by another way")

    def _bring(self) -> None:
        """Copy it back, with all that it had."""
        parked = str(self._step.get("parked", ""))
        if is_temporary_name(parked) and self._around.has(parked) and not self._away.has(self._away_name):
            raise NotBackError(f"it lies in {self._around.path} as {parked}, and cannot get its name back")
        if not self._away.has(self._away_name):
            raise NotThereError("it is not there any more")
        handle = self._away.open_file(self._away_name)
        try:
            if journal_state_of(os.fstat(handle))[2:] != list(self._step["copy"][2:]):
                raise NotBackError("it was changed since")
            entry = HeldEntry.of(entry_of(str(self._step["target"]), os.fstat(handle)), handle)
            marks = from_record(self._step["marks"], handle)
            temporary = temporary_name()
            self._journal.add(self._number, undo_temporary=temporary)
            try:
                self._copy(entry, marks, temporary)
            except NoSafeRenameError:  # a name can be taken there only by who makes the file under it
                self._journal.add(self._number, undo_in_place=True)
                self._copy(entry, marks, self._name)
        except NotCopiedError as error:
            raise NotBackError(str(error)) from error
        except FileExistsError:
            raise NotBackError("its old name is taken") from None
        finally:
            os.close(handle)

    def _copy(self, entry: HeldEntry, marks: Marks, name: str) -> None:
        made = Temporary(self._around, name)
        try:
            if copy(entry, made, self._around, _nobody, marks).digest.hex() != self._digest:
                raise NotBackError("it was changed since")
            if name == self._name:
                made.keep()
            else:
                made.publish(self._name)
        finally:
            made.close()

    def _drop_half(self) -> None:
        """Remove what an undo that was killed has begun to write under the final name: no byte but of the copy."""
        if not self._step.get("undo_in_place") or not self._around.has(self._name):
            return
        state = state_of(self._around.look(self._name))
        if state[2] >= int(self._step["copy"][2]) or not self._away.has(self._away_name):
            return
        with suppress(OSError):
            give_up(self._around, self._name, state, temporary_name(), self._check_prefix)

    def _check_prefix(self, handle: int) -> None:
        """Raise ``OSError`` where a file holds anything else than the copy has at its beginning."""
        whole = self._away.open_file(self._away_name)
        with open(whole, "rb") as copy_, open(os.dup(handle), "rb") as half:
            os.lseek(handle, 0, os.SEEK_SET)
            while block := half.read(1 << 20):
                if copy_.read(len(block)) != block:
                    raise OSError(errno.ESTALE, "not a part of the copy")

    def _drop(self, folder: Folder, name: str) -> None:
        """Give up what is there twice: its bytes are read once more, of it and of what stays."""
        if not name or not folder.has(name):
            return
        parked = name if is_temporary_name(name) else temporary_name()
        if parked != name:
            self._journal.add(self._number, undo_parked=parked)

        def check(handle: int) -> None:
            _has_digest(self._digest)(handle)
            if state_of(self._around.look(self._name)) != self._stays:
                raise OSError(errno.ESTALE, "it changed since it was brought back")

        give_up(folder, name, state_of(folder.look(name)), parked, check)

    def _may_be_one(self) -> bool:
        """Tell whether a file that was there before and its copy may be one, by another mount."""
        there, copied = self._around.look(self._name), self._away.look(self._away_name)
        entries = entry_of(str(self._step["source"]), there), entry_of(str(self._step["target"]), copied)
        return os.path.samestat(there, copied) or SameFile(read_mounts()).is_itself(*entries)


def _has_digest(expected: str) -> Callable[[int], None]:
    """Return what raises ``OSError`` where an open file has other bytes than these."""

    def check(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        with open(os.dup(handle), "rb", buffering=0) as file:
            if digest(file)[0].hex() != expected:
                raise OSError(errno.ESTALE, "it has other bytes than its copy")

    return check


def _holds(folder: Folder, name: str, expected: str) -> bool:
    """Tell whether a file is there that has these bytes."""
    try:
        handle = folder.open_file(name)
    except OSError:
        return False
    with open(handle, "rb", buffering=0) as file:
        return digest(file)[0].hex() == expected
