"""Carry out the plan of a clean: each file is proved again while it and its witness are held open, and then moved.

A folder goes as the sum of its files, or stays whole: where one of them fails, those that went before it are moved
back. A witness that has been moved never counts, and neither does one that is the needle itself.

On one file system a file is renamed. To another one all files of a folder are copied first, each read back, and only
then given up where they lay (:mod:`dupfind.acting.transfer`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from dupfind.acting.copying import NotCopiedError
from dupfind.acting.held import HeldEntry
from dupfind.acting.journal import Journal
from dupfind.acting.listing import Listed, NotListedError, list_folder, state_of
from dupfind.acting.marks import give_marks, record_of
from dupfind.acting.places import Folder, rename
from dupfind.acting.stopping import ShouldStop, never
from dupfind.acting.targets import Spot, Target, make_folders, remove_folders
from dupfind.acting.transfer import Carried, NotBackError, carry, drop_copy, let_go, take_back
from dupfind.answers.clean import Claimed, CleanPlan, Fate, Gone, Thing, Unit
from dupfind.errors import DupfindError, reason_of
from dupfind.events import Listener, Silence
from dupfind.matching.reverify import Claim, Look
from dupfind.sources.entries import entry_of
from dupfind.sources.mounts import read_mounts
from dupfind.sources.same_file import SameFile
from dupfind.values import Evidence, FileEntry, FolderId

STAGE = "moving"
Prove = Callable[[Claim], Look]
"""Reads a needle and its witness again, both held open, and says what is left of the claim."""
Relist = Callable[[Unit], Collection[str] | None]
"""Walks a folder again as a scan does; returns the paths of its files without junk, None where anything was skipped."""


class _RefusedError(Exception):
    """A unit stays; the text says why. ``is_final`` where nothing else may go, ``is_torn`` where a part went."""

    def __init__(self, reason: str, *, is_final: bool = False, is_torn: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.is_torn = is_torn


class _Held(NamedTuple):
    """A file that is held open."""

    entry: FileEntry
    handle: int
    folder: Folder
    name: str
    state: tuple[int, ...]

    @property
    def identity(self) -> FolderId:
        """Return its device and inode."""
        return self.state[0], self.state[1]

    def why_changed(self) -> str | None:
        """Tell why it is not any more what it was when it was opened, or not where it was; None where it is."""
        try:
            if state_of(os.fstat(self.handle)) != self.state:
                return "changed"
            if state_of(self.folder.look(self.name)) != self.state:
                return "was replaced"
        except OSError as error:
            return reason_of(error)
        return None


class _Step(NamedTuple):
    """A file that was moved, or copied, so that it can be moved back."""

    number: int
    below: tuple[str, ...]
    state: tuple[int, ...]
    carried: Carried | None = None
    """Where it went to another file system."""
    witnesses: tuple[str, ...] = ()
    """Paths of the files that it rests on then."""


class Cleaner:
    """One clean that is going on."""

    def __init__(
        self,
        plan: CleanPlan,
        target: Target,
        journal: Journal,
        prove: Prove,
        relist: Relist,
        roots: Collection[FolderId],
        listener: Listener | None = None,
        should_stop: ShouldStop = never,
    ) -> None:
        self._plan = plan
        self._target = target
        self._journal = journal
        self._prove = prove
        self._relist = relist
        self._roots = roots
        self._listener = listener or Silence()
        self._should_stop = should_stop
        self._same_file = SameFile(read_mounts())
        self._going = {unit.real for unit in plan.units}
        self._rested_on: dict[str, tuple[int, ...]] = {}
        """Of the unit that is going, by path, the states of the witnesses that its files rest on."""
        self._moved: dict[FolderId, int] = {}
        """By device and inode of what was moved, its time of change since: a move sets it, also for other links."""

    def run(self) -> list[Gone]:
        """Move one unit after the other; returns what became of each."""
        gone: list[Gone] = []
        units = self._plan.units
        with self._listener.stage(STAGE, self._plan.size_bytes) as advance:
            for unit in units:
                if self._should_stop() is not None:
                    break
                try:
                    gone.append(self._clean(unit, advance))
                except _RefusedError as error:
                    fate = Fate.NOT_DONE if self._should_stop() is not None else Fate.REFUSED
                    gone.append(Gone(unit, fate, reason=str(error), is_torn=error.is_torn))
                    if error.is_final:
                        break
                except DupfindError as error:  # whatever it is, what has gone is told, and nothing is begun anew
                    gone.append(Gone(unit, Fate.REFUSED, reason=str(error)))
                except OSError as error:
                    gone.append(Gone(unit, Fate.REFUSED, reason=reason_of(error)))
        return gone + [Gone(unit, Fate.NOT_DONE, reason="not begun") for unit in units[len(gone) :]]

    def _clean(self, unit: Unit, advance: Callable[[int], None]) -> Gone:
        """Move one unit; raises where it stays, after what was moved of it was moved back."""
        self._check_listing(unit)
        if unit.real in _around(os.path.realpath(self._journal.path)):
            raise _RefusedError("the journal of this run lies in it (--journal FILE helps)")
        spot = self._target.spot(unit, self._journal)
        belows = [inner.below for inner in unit.folders]
        made: list[int] = []
        moved: list[_Step] = []
        self._rested_on.clear()
        try:
            made += make_folders(spot, belows, self._journal)
            # What is proved goes first: where a proof fails, nothing else has moved.
            for thing in sorted(unit.things, key=lambda thing: not thing.claims):
                self._check_going_on()
                moved.append(self._move_proved(unit, thing, spot))
                advance(thing.size_bytes)
            self._check_witnesses()
            self._let_go(unit, spot, moved)
            notes = [*_lost(moved), *self._remove_folders(unit)]
            notes += self._finish_folders(unit, spot)
        except BaseException as error:
            if not self._move_back(unit, spot, moved):
                where = os.path.join(spot.folder.path, spot.name)
                is_whole = all(_lies_there(unit, step) for step in moved)
                reason = reason_of(error) if isinstance(error, OSError) else str(error)
                if not is_whole:
                    what = f"not all of it could be moved back from {where}"
                elif any(step.carried is not None for step in moved):
                    what = f"copies of it are left in {where}"
                else:
                    what = "all of it lies where it was, which could not be noted down"
                text = f"{reason}; {what}: dupfind undo {self._journal.path}"
                raise _RefusedError(text, is_final=True, is_torn=not is_whole) from error
            remove_folders(spot, belows)
            self._target.give_back(unit, spot)
            with suppress(OSError):
                self._journal.undone(made)
            raise
        finally:
            spot.folder.close()
        return Gone(unit, Fate.MOVED, os.path.join(spot.folder.path, spot.name), notes=tuple(notes))

    def _check_witnesses(self, paths: Iterable[str] | None = None) -> None:
        """Raise where a witness of a unit is not any more what its file went by: with many files, hours lie between.

        Of all its files, or those at these ``paths``.
        """
        for path in self._rested_on if paths is None else paths:
            try:
                is_there = state_of(os.lstat(path)) == self._rested_on[path]
            except OSError:
                is_there = False
            if not is_there:
                raise _RefusedError(f"its witness {path} changed or went before all of it had gone")

    def _let_go(self, unit: Unit, spot: Spot, steps: Sequence[_Step]) -> None:
        """Give up the files of a unit that were all copied to another file system; raises where one must stay."""
        for step in steps:
            carried = step.carried
            if carried is None:
                continue
            shown = os.path.join(unit.path, *step.below)
            self._check_witnesses(step.witnesses)
            with _opened_places(unit, step.below, spot) as places:
                state = carried.state
                since = self._moved.get((state[0], state[1]))
                if since is not None:  # another link of it was given up in this run, which shows in this one
                    carried = carried._replace(state=(*state[:4], since, state[5]))
                try:
                    self._moved[state[0], state[1]] = let_go(self._journal, carried, places)
                except OSError as error:
                    raise _RefusedError(f"{shown} was copied, and stays: {reason_of(error)}") from error

    def _check_going_on(self) -> None:
        """Raise where the run is to end."""
        if self._should_stop() is not None:
            raise _RefusedError("stopped before all of it was moved: what was moved of it was moved back")

    def _check_listing(self, unit: Unit) -> None:
        """Raise where a folder does not hold what was planned, and nothing else."""
        if not unit.folders:
            return
        try:
            listed: Listed = list_folder(unit.real, self._roots)
        except NotListedError as error:
            raise _RefusedError(str(error)) from None
        planned = {thing.below: thing.state for thing in unit.things}
        # What came since the scan was proved by nobody, and would go with the folder.
        if listed.states.keys() != planned.keys():
            raise _RefusedError("files came or went since it was looked at")
        if {inner.below for inner in listed.folders} != {inner.below for inner in unit.folders}:
            raise _RefusedError("folders came or went since it was looked at")
        expected = {os.path.join(unit.real, *thing.below) for thing in unit.things if thing.is_listed}
        seen = self._relist(unit)
        if seen is None or set(seen) != expected:
            raise _RefusedError("walked again, it holds something that was not looked at")

    def _move_proved(self, unit: Unit, thing: Thing, spot: Spot) -> _Step:
        """Prove a file again, and move it."""
        parts = (*unit.real.split(os.sep)[1:], *thing.below)
        with ExitStack() as stack:
            around = stack.enter_context(_opened_folder(parts[:-1]))
            target = stack.enter_context(spot.folder.below((spot.name, *thing.below)[:-1]))
            name, new_name = parts[-1], (spot.name, *thing.below)[-1]
            if thing.claims:
                held = stack.enter_context(self._hold(around, name, thing, unit))
                witnesses = self._prove_again(held, thing, stack)
            else:
                held, witnesses = None, []
                self._check_unproved(around, name, thing)
            now = around.look(name)
            if held is not None and state_of(now) != held.state:
                raise _RefusedError(f"{_shown(unit, thing)}: it changed while it was proved")
            if os.fstat(spot.folder.handle).st_dev != unit.device:  # it goes to another file system
                held = held or stack.enter_context(self._hold(around, name, thing, unit))
                return self._copy_away(unit, thing, held, witnesses, spot, (target, new_name))
            number = self._move(around, name, target, new_name, thing, [witness.entry.path for witness in witnesses])
            step = _Step(number, thing.below, state_of(target.look(new_name)))
            self._moved[step.state[0], step.state[1]] = step.state[4]
            self._check_moved(unit, thing, held, step, spot)
            for witness in witnesses:
                if (why := witness.why_changed()) is not None:
                    self._move_back(unit, spot, [step])
                    raise _RefusedError(f"{_shown(unit, thing)}: its witness {witness.entry.path} {why}")
                self._rested_on[witness.entry.path] = witness.state
            self._journal.done(number)
            return step

    def _copy_away(
        self, unit: Unit, thing: Thing, held: _Held, witnesses: Sequence[_Held], spot: Spot, to: tuple[Folder, str]
    ) -> _Step:
        """Copy a file to another file system, and see that it and its witnesses are what they were."""
        paths = tuple(witness.entry.path for witness in witnesses)
        places = (held.folder, held.name, *to)
        try:
            carried = carry(self._journal, places, held.handle, held.state, paths)
        except NotCopiedError as error:
            raise _RefusedError(f"{_shown(unit, thing)}: {error}", is_final=error.is_final) from error
        step = _Step(carried.number, thing.below, carried.copied, carried, paths)
        for file, whose in ((held, "it"), *((witness, f"its witness {witness.entry.path}") for witness in witnesses)):
            if (why := file.why_changed()) is not None:
                left = "" if self._bring_back(unit, step, spot) else f"; its copy stays in {places[2].path}"
                raise _RefusedError(f"{_shown(unit, thing)}: {whose} {why} while it was copied{left}")
        for witness in witnesses:
            self._rested_on[witness.entry.path] = witness.state
        return step

    def _move(
        self, around: Folder, name: str, target: Folder, new_name: str, thing: Thing, witnesses: Sequence[str]
    ) -> int:
        """Note a move down, with what it rests on, and make it."""
        paths = os.path.join(around.path, name), os.path.join(target.path, new_name)
        state = [*thing.state[:4]]
        try:
            number = self._journal.begin(
                "move", source=paths[0], target=paths[1], state=state, witnesses=list(witnesses)
            )
        except OSError as error:
            raise _RefusedError(f"the journal cannot be written: {reason_of(error)}", is_final=True) from error
        try:
            rename(around, name, target, new_name)
        except OSError as error:
            self._journal.failed(number, reason_of(error))
            raise _RefusedError(f"{paths[0]}: cannot be moved: {reason_of(error)}") from error
        return number

    def _check_moved(self, unit: Unit, thing: Thing, held: _Held | None, step: _Step, spot: Spot) -> None:
        """Raise where what lies at the new place is not the file that was held open, or listed."""
        identity = held.identity if held is not None else thing.state[:2]
        # Between the last look and the rename another program may have put its file there.
        if step.state[:2] != tuple(identity):
            self._move_back(unit, spot, [step])
            raise _RefusedError(f"{_shown(unit, thing)}: another file came in its place", is_final=True)

    @contextmanager
    def _hold(self, around: Folder, name: str, thing: Thing, unit: Unit) -> Iterator[_Held]:
        """Hold a needle open, which has to be what was listed."""
        handle = self._open(around, name, _shown(unit, thing))
        try:
            state = state_of(os.fstat(handle))
            if not self._is_as_planned(state, thing.state):
                raise _RefusedError(f"{_shown(unit, thing)}: it changed since it was looked at")
            entry = entry_of(os.path.join(around.path, name), os.fstat(handle))
            yield _Held(entry, handle, around, name, state)
        finally:
            os.close(handle)

    @staticmethod
    def _open(around: Folder, name: str, shown: str) -> int:
        try:
            return around.open_file(name)
        except OSError as error:
            raise _RefusedError(f"{shown}: {reason_of(error)}") from None

    def _is_as_planned(self, state: Sequence[int], planned: Sequence[int]) -> bool:
        """Tell whether a file is in the state that was planned; a move of another link of it set its time of change."""
        since = self._moved.get((state[0], state[1]))
        is_unchanged = state[4] == planned[4] or (since is not None and state[4] == since)
        return is_unchanged and (*state[:4], state[5]) == (*planned[:4], planned[5])

    def _check_unproved(self, around: Folder, name: str, thing: Thing) -> None:
        """Raise where what needs no proof is not what was listed; it may be a link, which is moved as one."""
        if not self._is_as_planned(state_of(around.look(name)), thing.state):
            raise _RefusedError(f"{os.path.join(around.path, name)}: it changed since it was looked at")

    def _prove_again(self, held: _Held, thing: Thing, stack: ExitStack) -> list[_Held]:
        """Prove a needle by each of its witnesses, all held open; returns these. Raises where one does not prove it."""
        witnesses: dict[str, _Held] = {}
        for claim in thing.claims:
            for entry in claim.witnesses:
                if entry.path not in witnesses:
                    witnesses[entry.path] = stack.enter_context(self._hold_witness(entry, held))
                self._prove_by(claim, held, witnesses[entry.path])
            number = self._count_apart([witnesses[entry.path] for entry in claim.witnesses])
            if number < self._plan.witnesses:
                raise _RefusedError(f"{claim.needle.path}: its witnesses lie on {number} devices")
        for file, whose in ((held, "it"), *((witness, "its witness") for witness in witnesses.values())):
            if (why := file.why_changed()) is not None:
                raise _RefusedError(f"{held.entry.path}: {whose} {why} while it was proved")
        return list(witnesses.values())

    def _count_apart(self, witnesses: Sequence[_Held]) -> int:
        """Count the devices of witnesses; one file that two mounts show is one witness, whatever their devices say."""
        apart: dict[int, _Held] = {}
        for witness in witnesses:
            if not any(self._same_file.is_itself(witness.entry, counted.entry) for counted in apart.values()):
                apart.setdefault(witness.state[0], witness)
        return len(apart)

    @contextmanager
    def _hold_witness(self, entry: FileEntry, needle: _Held) -> Iterator[_Held]:
        """Hold a witness open: a file of its own that was listed in the haystack, and has not moved."""
        shown = f"{needle.entry.path}: its witness {entry.path}"
        if not (entry.is_on_disk and entry.can_be_read):
            raise _RefusedError(f"{shown} cannot be held open")
        # Else two folders that prove each other would both go.
        if not self._going.isdisjoint(_around(entry.path)):
            raise _RefusedError(f"{shown} is about to go itself")
        with ExitStack() as stack:
            try:
                around = stack.enter_context(Folder.open(os.path.dirname(entry.path)))
            except OSError as error:
                raise _RefusedError(f"{shown}: {reason_of(error)}") from None
            name = os.path.basename(entry.path)
            handle = self._open(around, name, shown)
            stack.callback(os.close, handle)
            opened = os.fstat(handle)
            state = state_of(opened)
            # Two links are one file: with the needle the only copy would go.
            if state[:2] == needle.state[:2]:
                raise _RefusedError(f"{shown} is the same file: a hard link, which frees nothing and saves nothing")
            # By its number, since another path may lead to a file that has gone.
            if state[:2] in self._moved:
                raise _RefusedError(f"{shown} has been moved in this run")
            now = entry_of(entry.path, opened)
            if now[:4] != entry[:4] or entry.inode not in (0, now.inode):
                raise _RefusedError(f"{shown} changed since it was looked at")
            if self._same_file.is_itself(entry, needle.entry):
                raise _RefusedError(f"{shown} may be the same file, reached by another way")
            yield _Held(entry, handle, around, name, state)

    def _prove_by(self, claimed: Claimed, held: _Held, witness: _Held) -> None:
        """Prove a needle, or what lies in it, by a witness, both read from what is held open."""
        needle: FileEntry = claimed.needle
        if needle.is_on_disk:
            needle = HeldEntry.of(held.entry, held.handle)
        # A further witness is a copy of the first, byte for byte, which proves by what the first one does.
        proof = HeldEntry.of(witness.entry, witness.handle)
        look = self._prove(Claim(needle, (proof,), claimed.evidence, None, claimed.is_same_data))
        if look.failure is not None or look.witness != witness.entry.path or look.evidence is None:
            raise _RefusedError(f"{claimed.needle.path}: {look.failure or 'it was not proved again'}")
        # A likeness is enough for no move, whatever the scan was asked to accept.
        if look.evidence.rank > Evidence.SAME.rank:
            raise _RefusedError(f"{claimed.needle.path}: read again, it and its witness only look alike")

    def _move_back(self, unit: Unit, spot: Spot, steps: Sequence[_Step]) -> bool:
        """Move back what was moved of a unit, the last first; returns whether all of it could be."""
        is_whole = True
        for step in reversed(steps):
            if step.carried is not None:
                is_whole = self._bring_back(unit, step, spot) and is_whole
                continue
            parts = (*unit.real.split(os.sep)[1:], *step.below)
            try:
                inner = (spot.name, *step.below)
                with _opened_folder(parts[:-1]) as around, spot.folder.below(inner[:-1]) as target:
                    rename(target, inner[-1], around, parts[-1])
                    self._moved[step.state[0], step.state[1]] = around.look(parts[-1]).st_ctime_ns
                self._journal.undone([step.number])
            except OSError:  # undo finds it by the journal
                is_whole = False
        return is_whole

    def _bring_back(self, unit: Unit, step: _Step, spot: Spot) -> bool:
        """Have a file that was copied to another file system lie where it lay, and only there; returns whether so."""
        carried = step.carried
        assert carried is not None
        try:
            with _opened_places(unit, step.below, spot) as places:
                if "parked" in carried.record or not drop_copy(carried, places):
                    take_back(self._journal, carried.number, carried.record)
            self._journal.undone([carried.number])
        except (NotBackError, OSError):  # undo finds it by the journal
            return False
        return True

    def _remove_folders(self, unit: Unit) -> list[str]:
        """Remove the folders that are empty now, the innermost first; returns a note for each that stays."""
        notes = []
        for inner in reversed(unit.folders):
            path = os.path.join(unit.real, *inner.below)
            parts = path.split(os.sep)[1:]
            try:
                number = self._journal.begin("rmdir", path=path, **record_of(inner.marks))
                try:
                    with _opened_folder(parts[:-1]) as around:
                        around.remove_folder(parts[-1])
                    self._journal.done(number)
                except OSError as error:
                    self._journal.failed(number, reason_of(error))
                    raise
            except OSError as error:
                notes.append(f"the folder {path} itself stays: {reason_of(error)}")
        return notes

    @staticmethod
    def _finish_folders(unit: Unit, spot: Spot) -> list[str]:
        """Give the folders at the new place what the old ones had, the innermost first; notes what was not kept."""
        lost: Counter[str] = Counter()
        for inner in reversed(unit.folders):
            with suppress(OSError), spot.folder.below((spot.name, *inner.below)) as folder:
                lost.update(give_marks(inner.marks, folder.handle))
        return [f"{_count(number, 'folder')}: {text}" for text, number in lost.items()]


def _around(path: str) -> list[str]:
    """Return a path and those of the folders around it."""
    parts = path.split(os.sep)
    return [os.sep.join(parts[:end]) or os.sep for end in range(1, len(parts) + 1)]


def _lies_there(unit: Unit, step: _Step) -> bool:
    """Tell whether a file of a unit lies where it was listed."""
    try:
        state = os.lstat(os.path.join(unit.real, *step.below))
    except OSError:
        return False
    return (state.st_dev, state.st_ino) == tuple(step.state[:2])


def _lost(steps: Iterable[_Step]) -> list[str]:
    """Say what was not kept of files on another file system."""
    lost = Counter(note for step in steps if step.carried is not None for note in step.carried.notes)
    return [f"{_count(number, 'file')}: {text}" for text, number in lost.items()]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


@contextmanager
def _opened_places(unit: Unit, below: tuple[str, ...], spot: Spot) -> Iterator[tuple[Folder, str, Folder, str]]:
    """Open the folders in which a file of a unit lies, and is to lie; each with its name there."""
    parts, inner = (*unit.real.split(os.sep)[1:], *below), (spot.name, *below)
    with _opened_folder(parts[:-1]) as around, spot.folder.below(inner[:-1]) as target:
        yield around, parts[-1], target, inner[-1]


def _opened_folder(parts: Sequence[str]) -> Folder:
    return Folder.open(os.sep + os.sep.join(parts))


def _shown(unit: Unit, thing: Thing) -> str:
    return os.path.join(unit.path, *thing.below)
