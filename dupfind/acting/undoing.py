"""Take back what a run has done, by its journal: the last step first, each only where the disk still is as it left it.

What was moved is moved back where its old name is free. What was copied goes to the trash, never further. Nothing is
replaced. What cannot be taken back is left, with the reason, and may be tried again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from dupfind.acting import transfer
from dupfind.acting.drives import Drives
from dupfind.acting.journal import (
    Journal,
    Record,
    Recorded,
    forget_pointer,
    is_running,
    journals,
    lost_cleans,
    state_of,
)
from dupfind.acting.marks import from_record, give_marks
from dupfind.acting.places import Folder, rename
from dupfind.acting.stopping import ShouldStop, never
from dupfind.acting.trash import Trash, forget
from dupfind.answers.undo import Back, JournalLine, Undone
from dupfind.digest import digest
from dupfind.errors import ActingError, reason_of
from dupfind.events import Listener, Silence
from dupfind.sources.entries import entry_of
from dupfind.sources.mounts import read_mounts
from dupfind.sources.same_file import SameFile
from dupfind.values import is_below
from dupfind.version import __version__

STAGE = "undoing"
_NO_TIME = "9999-01-01T00:00:00+00:00"
FILE_STEPS = ("copy", "move", transfer.DO)


class _LeftError(Exception):
    """Something is left as it is; the text says why."""


class _GoneError(_LeftError):
    """What a step has made is not there any more, and nothing of it can be taken back."""


class _NeverMadeError(Exception):
    """A step was noted down and not made: the run was cut off between the two."""


def undo(
    recorded: Recorded, listener: Listener | None = None, should_stop: ShouldStop = never, *, is_dry: bool = False
) -> Undone:
    """Take back what a run has done; where it ``is_dry``, say what would be taken back, and change nothing.

    Raises :class:`~dupfind.errors.ActingError` where nothing can be tried.
    """
    needed = _witnesses(recorded) if recorded.command == "import" else _Witnesses()
    if is_dry and is_running(recorded):
        raise ActingError(f"{recorded.path}: the run that writes it is still going on")
    journal = None if is_dry else Journal.resume(recorded)
    steps = [number for number in recorded.made if number not in recorded.undone]
    backs: list[Back] = []
    try:
        run = _Undo(recorded, journal, needed)
        run.notes += [f"{path}: the journal of a clean, which cannot be read" for _, path in lost_cleans()]
        with (listener or Silence()).stage(STAGE, len(steps)) as advance:
            for number in reversed(steps):
                if should_stop() is not None:
                    break
                back = run.step(number, recorded.steps[number])
                backs += [] if back is None else [back]
                advance(1)
        run.finish()
        if not run.left and not is_dry:
            forget_pointer(recorded)
    finally:
        if journal is not None:
            journal.close(undo=True)
    before = sum(
        recorded.steps[number].get("do") in FILE_STEPS for number in recorded.undone if number in recorded.steps
    )
    return Undone(
        __version__,
        recorded.path,
        recorded.id,
        recorded.command,
        str(recorded.head.get("started", "")),
        backs[::-1],
        before,
        should_stop(),
        run.notes,
        is_plan=is_dry,
    )


class _Undo:
    """One undo that is going on; without a journal it only looks at what could be taken back."""

    def __init__(self, recorded: Recorded, journal: Journal | None, needed: _Witnesses) -> None:
        self._recorded = recorded
        self._journal = journal
        self._needed = needed
        self._drives = Drives(recorded.head.get("drives", ()))
        self._trashes: dict[int, Trash] = {}
        self.left = {
            number
            for number, step in recorded.made.items()
            if step.get("do") in FILE_STEPS and number not in recorded.undone
        }
        """Files that are not taken back."""
        self._gone = set(recorded.gone)
        """Files that never can be."""
        self._folders: dict[int, Record] = {}
        """Folders that were made again, which get their mode, owner and times when they are full; by step."""
        self.notes: list[str] = []
        """What of them could not be had as it was, and which journals cannot be read."""

    def step(self, number: int, step: Record) -> Back | None:
        """Take back one step; returns what became of a file, None for what is no file or was never made."""
        is_file = step.get("do") in FILE_STEPS
        path = ""
        try:
            if is_file:
                path = str(step["target"]) if "target" in step else self._path_of_copy(step)
            to = self._take_back(number, step)
        except _NeverMadeError:
            is_file = False
        except _GoneError as error:
            self._gone.add(number)
            if self._journal is not None:
                with suppress(OSError):
                    self._journal.gone([number])
            return Back(path, is_undone=False, reason=str(error)) if is_file else None
        except KeyError as error:
            return Back(path, is_undone=False, reason=f"the journal does not name its {error}") if is_file else None
        except (_LeftError, ActingError) as error:
            return Back(path, is_undone=False, reason=str(error)) if is_file else None
        except OSError as error:
            return Back(path, is_undone=False, reason=reason_of(error)) if is_file else None
        if self._journal is not None and number not in self._folders:
            with suppress(OSError):
                self._journal.undone([number])
                self.left.discard(number)
        return Back(path, is_undone=True, to=to) if is_file else None

    def _take_back(self, number: int, step: Record) -> str | None:
        """Take back one step; returns where a file lies now. Raises what :meth:`step` answers."""
        self._check_drives(step)
        match step.get("do"):
            case "copy" if "name" not in step:  # it never got its name
                raise _NeverMadeError
            case "copy":
                return self._copy(number, step)
            case "move":
                self._move(str(step["target"]), str(step["source"]), step)
                return str(step["source"])
            case transfer.DO:
                self._transfer(number, step)
                return str(step["source"])
            case _ if self._journal is None:
                return None
            case "rmdir":
                self._make_folder(number, step)
            case "mkdir":
                self._remove_folder(self._path_of_folder(step))
            case "claim":
                forget(str(step["info"]))
        return None

    def _check_drives(self, step: Record) -> None:
        """Raise where another drive than the run's is mounted at what a step is about, or none.

        A journal of an older version tells of folders only which device their files lay on.
        """
        places = [str(step[name]) for name in ("source", "target", "info") if name in step and step["do"] != "copy"]
        if step.get("do") in ("mkdir", "rmdir"):
            places.append(self._path_of_folder(step))
        elif step.get("do") == "copy" and "name" in step:
            places.append(self._path_of_copy(step))
        for place in places:
            if (reason := self._drives.why_not(place)) is not None:
                raise _LeftError(reason)
        if step.get("do") == "rmdir" and self._drives.of(str(step["path"])) is None:
            self._check_device(str(step["path"]))

    def _check_device(self, path: str) -> None:
        """Raise where a folder would be made again on another device than its files lay on."""
        noted = {
            int(moved["state"][0])
            for moved in self._recorded.made.values()
            if "state" in moved and is_below(str(moved.get("source", "")), path)
        }
        near = os.path.dirname(path)
        while not os.path.lexists(near):
            near = os.path.dirname(near)
        # On an empty mount point the folder would be hidden as soon as the drive is back.
        if noted and os.lstat(near).st_dev not in noted:
            raise _LeftError(f"{path} would lie on another drive than it did")

    def finish(self) -> None:
        """Give folders that were made again what they had, the innermost first: files come into them before.

        Noted as done only then, and where no file is missing: till then another undo has to make them, or to end this.
        """
        for number, step in reversed(self._folders.items()):
            path = str(step["path"])
            try:
                with Folder.open(path) as folder:
                    lost = give_marks(from_record(step, folder.handle), folder.handle)
            except (OSError, KeyError) as error:
                lost = (reason_of(error) if isinstance(error, OSError) else f"the journal does not name its {error}",)
            self.notes += [f"the folder {path}: {text}" for text in lost]
            missing = (str(self._recorded.steps[left].get("source", "")) for left in self.left - self._gone)
            if self._journal is not None and not any(is_below(source, path) for source in missing):
                with suppress(OSError):
                    self._journal.undone([number])

    def _path_of_copy(self, step: Record) -> str:
        return os.path.join(str(self._recorded.head["real"]), *step["folder"], str(step.get("name", "")))

    def _path_of_folder(self, step: Record) -> str:
        if isinstance(step["path"], str):
            return step["path"]
        return os.path.join(str(self._recorded.head["real"]), *step["path"])

    def _copy(self, number: int, step: Record) -> str | None:
        """Throw away an imported copy that is what it was when it was made; returns where it lies now, None if dry."""
        path = self._path_of_copy(step)
        folder_path, name = os.path.split(path)
        is_drive_there = os.path.isdir(str(self._recorded.head["real"])) or self._drives.of(path) is not None
        if is_drive_there and _is_missing(folder_path):
            thrown = step.get("undo_to")
            if thrown is not None and _is_there(str(thrown), step["state"]):
                return str(thrown)
            raise _gone(step)
        with Folder.open(folder_path) as folder:
            if not folder.has(name):
                thrown = step.get("undo_to")
                if thrown is not None and _is_there(str(thrown), step["state"]):
                    return str(thrown)
                raise _gone(step)
            self._needed.check(path, folder.look(name))
            self._check_copy(folder, name, step)
            if not _is_origin_there(step, path):
                raise _LeftError("what it was copied from is not there any more: this may be the only copy")
            if self._journal is None:
                return None
            device = os.fstat(folder.handle).st_dev
            if device not in self._trashes:
                self._trashes[device] = Trash(folder_path)
            trash = self._trashes[device]
            claim = trash.claim(path)
            try:
                with trash.open() as files:
                    self._journal.add(number, undo_to=os.path.join(claim.files, claim.name))
                    rename(folder, name, files, claim.name)
            finally:
                trash.give_back(claim)
        return os.path.join(claim.files, claim.name)

    @staticmethod
    def _check_copy(folder: Folder, name: str, step: Record) -> None:
        """Raise where a copy was changed since it was made: its size, its time or its bytes."""
        handle = folder.open_file(name)
        with open(handle, "rb", buffering=0) as file:
            if not _is_unchanged(os.fstat(handle), step["state"]):
                raise _LeftError("it was changed since")
            value, _ = digest(file)
            # An edit that kept size and time shows in the bytes only.
            if value.hex() != step["digest"] or not _is_unchanged(os.fstat(handle), step["state"]):
                raise _LeftError("it was changed since")

    def _move(self, path: str, to: str, step: Record) -> None:
        """Move a file back to where it was, where that name is free and the file is what was moved."""
        state: Sequence[int] = step["state"]
        folder, name = os.path.split(path)
        try:
            source = Folder.open(folder)
        except OSError as error:
            if _is_there(to, state):
                return
            if "done" not in step and isinstance(error, FileNotFoundError):
                raise _NeverMadeError from None
            is_drive_there = self._is_trash_there(path) or self._drives.of(path) is not None
            if isinstance(error, FileNotFoundError) and is_drive_there:
                raise _gone(step) from None
            raise _LeftError(f"{folder}: {reason_of(error)}") from None
        with source:
            if not source.has(name):
                if _is_there(to, state):  # an undo that was killed has moved it
                    return
                raise _gone(step)
            if not _is_unchanged(source.look(name), state):
                raise _LeftError("it was changed since")
            self._rename_back(source, name, to)

    def _rename_back(self, source: Folder, name: str, to: str) -> None:
        """Give a file its old place, which has to be free; look only whether it is where nothing is to be changed."""
        self._check_folder(os.path.dirname(to))
        if self._journal is None:
            if os.path.lexists(to):
                raise _LeftError("its old name is taken")
            return
        to_folder, to_name = os.path.split(to)
        with Folder.open(to_folder) as target:
            try:
                rename(source, name, target, to_name)
            except FileExistsError:
                raise _LeftError("its old name is taken") from None

    def _transfer(self, number: int, step: Record) -> None:
        """Bring a file back that was copied to another file system and given up."""
        source, parked = str(step["source"]), os.path.join(os.path.dirname(step["source"]), str(step.get("parked", "")))
        is_away = _is_missing(source) and ("parked" not in step or _is_missing(parked))
        if "copy" in step and is_away:
            if self._drives.of(str(step["target"])) is not None and _is_missing(os.path.dirname(step["target"])):
                raise _gone(step)
            self._check_folder(os.path.dirname(source))
        try:
            if self._journal is None:
                transfer.foresee(step)
            else:
                transfer.take_back(self._journal, number, step)
        except transfer.NotThereError:
            raise _gone(step) from None
        except transfer.NotBackError as error:
            raise _LeftError(str(error)) from None

    def _check_folder(self, folder: str) -> None:
        """Raise where a folder is not there into which a file is to come back, and no step makes it again."""
        again = {str(step.get("path")) for step in self._recorded.made.values() if step.get("do") == "rmdir"}
        missing = ""
        while _is_missing(folder):
            missing = missing if folder in again else folder
            folder = os.path.dirname(folder)
        if missing:
            raise _LeftError(f"the folder {missing} in which it was is not there any more: make it, then undo again")

    def _is_trash_there(self, path: str) -> bool:
        """Tell whether a path lies in a trash that is there, so that nobody has unplugged its drive."""
        infos = {str(step["info"]) for step in self._recorded.steps.values() if step.get("do") == "claim"}
        trashes = {os.path.join(os.path.dirname(os.path.dirname(info)), "files") for info in infos}
        return any(path.startswith(trash + os.sep) and os.path.isdir(trash) for trash in trashes)

    def _make_folder(self, number: int, step: Record) -> None:
        """Make a folder again that was removed when it was empty; one of an undo that was cut off is filled up."""
        assert self._journal is not None
        above, name = os.path.split(str(step["path"]))
        is_made_again = step.get("is_made_again") is True
        if is_made_again and not os.path.lexists(above) and not self.left - self._gone:  # somebody needs it no more
            return
        with Folder.open(above) as folder:
            if not folder.has(name):
                self._journal.add(number, is_made_again=True)
                folder.make(name, 0o700)
            elif not is_made_again:
                return
        self._folders[number] = step

    @staticmethod
    def _remove_folder(path: str) -> None:
        """Remove a folder that the run has made, where it is empty."""
        above, name = os.path.split(path)
        with Folder.open(above) as folder:
            if folder.has(name):
                folder.remove_folder(name)


class _Witnesses:
    """The files by which cleans have moved away others that are not back."""

    def __init__(self, paths: Collection[str] = (), later: Collection[str] = ()) -> None:
        self._paths = paths
        self._files: list[tuple[str, os.stat_result]] = []
        self._unseen: str | None = None
        for path in paths:
            try:
                self._files.append((path, os.lstat(path)))
            except OSError:
                if path in later:  # a clean before an import cannot rest on what that has copied
                    self._unseen = path

    def check(self, path: str, state: os.stat_result) -> None:
        """Raise where a copy is one of them, by its path or by any other way, or where that cannot be told."""
        # That clean has left no other copy of its files.
        if path in self._paths or any(self._is_one(path, state, *witness) for witness in self._files):
            raise _LeftError("what a later clean moved away rests on it: undo that first")
        if self._unseen is not None:
            raise _LeftError(
                f"what a later clean moved away may rest on it, since {self._unseen} cannot be looked at: "
                f"undo that clean first"
            )

    @staticmethod
    def _is_one(path: str, state: os.stat_result, way: str, witness: os.stat_result) -> bool:
        if os.path.samestat(state, witness):
            return True
        if state.st_size != witness.st_size:
            return False
        return SameFile(read_mounts()).is_itself(entry_of(way, witness), entry_of(path, state))


def _witnesses(of: Recorded) -> _Witnesses:
    """Return all files by which a clean has moved away others that are not back, for the undo of an import.

    Raises :class:`~dupfind.errors.ActingError` where nobody can tell.
    """
    for pointer, path in lost_cleans():
        raise ActingError(
            f"the journal {path} of a clean cannot be read, and what it moved may rest on this import: put it "
            f"back, or remove {pointer}; nothing was done"
        )
    paths: set[str] = set()
    later: set[str] = set()
    for recorded in journals():
        if recorded.command == "clean":
            steps = (step for number, step in recorded.made.items() if number not in recorded.undone)
            rested_on = {str(witness) for step in steps for witness in step.get("witnesses", ())}
            paths |= rested_on
            later |= set() if _is_before(recorded, of) else rested_on
    return _Witnesses(paths, later)


def _is_before(recorded: Recorded, of: Recorded) -> bool:
    """Tell whether a run began before another one; when in doubt, it did not."""
    started, of_started = (datetime.fromisoformat(str(run.head.get("started", _NO_TIME))) for run in (recorded, of))
    try:
        return started < of_started
    except TypeError:  # of one the zone is not known
        return False


def _is_origin_there(step: Record, path: str) -> bool:
    """Tell whether what a copy at ``path`` was made from is still there, and is another file; when in doubt, it is not.

    Of a file by its bytes, of an archive by its size and its time. A journal of an older version does not say where an
    archive ends in a path: what came out of one stays.
    """
    origin = os.path.realpath(str(step.get("origin", step["source"])))
    folder_path, name = os.path.split(origin)
    try:
        with Folder.open(folder_path) as folder, open(folder.open_file(name), "rb", buffering=0) as file:
            state, copied = os.fstat(file.fileno()), os.lstat(path)
            if "archive" in step:
                return [state.st_size, state.st_mtime_ns] == list(step["archive"])
            pair = entry_of(origin, state), entry_of(path, copied)
            if os.path.samestat(state, copied) or SameFile(read_mounts()).is_itself(*pair):
                return False
            return state.st_size == copied.st_size and digest(file)[0].hex() == step["digest"]
    except OSError:
        return False


def _is_missing(path: str) -> bool:
    """Tell whether there certainly is nothing of this name."""
    try:
        os.lstat(path)
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return False


def _gone(step: Record) -> Exception:
    """Return what is to be said of a file that does not lie where a step would have put it."""
    return _GoneError("it is not there any more") if "done" in step else _NeverMadeError()


def _is_unchanged(file: os.stat_result, state: Sequence[int]) -> bool:
    """Tell whether a file has the size and the time that it had; the number of its device may be another by now."""
    return stat.S_IFMT(file.st_mode) != stat.S_IFDIR and state_of(file)[2:] == list(state[2:])


def _is_there(path: str, state: Sequence[int]) -> bool:
    try:
        with Folder.open(os.path.dirname(path)) as folder:
            return _is_unchanged(folder.look(os.path.basename(path)), state)
    except OSError:
        return False


def line_of(recorded: Recorded, *, is_running: bool) -> JournalLine:
    """Describe a journal for a list."""
    made = recorded.made
    files = [number for number, step in made.items() if step.get("do") == "move" or step.keys() & {"name", "copy"}]
    state = "running" if is_running else "ended" if recorded.has_ended else "cut off"
    head = recorded.head
    to = head.get("to")
    places = [str(place) for place in head.get("needles", [])] if recorded.command == "clean" else [str(to or "")]
    undone = sum(number in recorded.undone for number in files)
    settled = recorded.undone | recorded.gone
    half_made = [number for number, step in made.items() if step.get("is_made_again") is True]
    return JournalLine(
        recorded.path,
        recorded.id,
        recorded.command,
        str(head.get("started", "")),
        len(files),
        undone,
        state,
        places,
        settled.issuperset([*files, *half_made]),
        None if to is None else str(to),
    )
