"""Carry out the plan of an import: copy after copy, each with the journal ahead of it.

Nothing below the destination is ever replaced, changed or removed but temporary files of our own: those of this run,
and those that the journal of a run names that is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from dupfind.acting import journal as journals
from dupfind.acting.copying import Copied, NotCopiedError, copy
from dupfind.acting.journal import Journal, state_of
from dupfind.acting.layout import key
from dupfind.acting.places import Folder, NoSafeRenameError, Temporary, remove_left_over, temporary_name
from dupfind.acting.stopping import ShouldStop, never
from dupfind.answers.import_ import Done, Fate, ImportPlan, Item, numbered
from dupfind.archives.members import MemberEntry
from dupfind.errors import ActingError, reason_of
from dupfind.events import Listener, Silence
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import FileEntry

_BLOCK_BYTES = 1 << 20
_MOST_NUMBER = 9999
STAGE = "importing"


class Importer:
    """One import that is going on, into the folder ``root``, which is held open."""

    def __init__(
        self, root: Folder, journal: Journal, listener: Listener | None = None, should_stop: ShouldStop = never
    ) -> None:
        self._root = root
        self._journal = journal
        self._listener = listener or Silence()
        self._should_stop = should_stop
        self._names: dict[tuple[str, ...], dict[str, list[str]]] = {}
        """By folder, the names in it by what some file systems take them for: listed once, then kept up to date."""

    def run(self, items: Sequence[Item]) -> list[Done]:
        """Copy one after the other; returns what became of each. Survives what goes wrong with a single file."""
        done: list[Done] = []
        with self._listener.stage(STAGE, sum(item.entry.size_bytes for item in items)) as advance:
            for item in items:
                reason = self._why_over()
                outcome = (
                    self._import_item(item, advance) if reason is None else Done(item, Fate.NOT_DONE, reason=reason)
                )
                if outcome.fate is Fate.NOT_DONE:  # and so are all that follow
                    break
                done.append(outcome)
            else:
                return done
        return done + [outcome._replace(item=left) for left in items[len(done) :]]

    def _why_over(self) -> str | None:
        """Tell why no further file is to be begun; None where one may."""
        if self._should_stop() is not None:
            return "stopped before it was begun"
        # A drive may have been unplugged, and the empty mount point would be filled instead.
        if not self._root.is_where_it_was():
            return "the destination is not what it was: it was moved, replaced or unplugged"
        return None

    def _import_item(self, item: Item, advance: Callable[[int], None]) -> Done:
        """Bring over one file; :attr:`Fate.NOT_DONE` means that no other one can be brought over either."""
        try:
            with self._open_folder(item.folder) as folder:
                taken = self._taken_names(item.folder, folder)
                there = self._already_there(item, folder, taken)
                if there is not None:
                    advance(item.entry.size_bytes)
                    return Done(item, Fate.THERE, "/".join((*item.folder, there)))
                done = self._copy_item(item, folder, taken, advance)
                if done.target is not None:
                    name = done.target.rpartition("/")[2]
                    taken.setdefault(key(name), []).append(name)
                return done
        except NotCopiedError as error:
            return Done(item, Fate.NOT_DONE if error.is_final else Fate.FAILED, reason=str(error))
        except NoSafeRenameError as error:
            return Done(item, Fate.NOT_DONE, reason=reason_of(error))
        except OSError as error:
            return Done(item, Fate.FAILED, reason=f"{'/'.join(item.folder) or os.curdir}: {reason_of(error)}")

    @contextmanager
    def _open_folder(self, parts: Sequence[str]) -> Iterator[Folder]:
        """Return the folder that a file is to lie in; made where it is not there,
        from the root on, and never by a link.
        """
        folder = self._root.below(())
        try:
            for depth, part in enumerate(parts, 1):
                with suppress(FileExistsError):
                    if not folder.has(part):
                        step = self._begin("mkdir", path=list(parts[:depth]))
                        folder.make(part)
                        self._journal.done(step)
                inner = folder.inside(part)
                folder.close()
                folder = inner
            yield folder
        finally:
            folder.close()

    def _taken_names(self, parts: tuple[str, ...], folder: Folder) -> dict[str, list[str]]:
        """Return the names that are taken in a folder. What came since is met when a name is given."""
        if parts not in self._names:
            names: dict[str, list[str]] = {}
            for name in folder.names():
                names.setdefault(key(name), []).append(name)
            self._names[parts] = names
        return self._names[parts]

    def _already_there(self, item: Item, folder: Folder, taken: Mapping[str, Sequence[str]]) -> str | None:
        """Return under which of the names that it may get the same bytes lie in the folder already."""
        for number in range(1, item.number + 1):
            for name in taken.get(key(numbered(item.plain, number, item.shift)), ()):
                if self._is_equal(item.entry, folder, name):
                    return name
        return None

    @staticmethod
    def _is_equal(entry: FileEntry, folder: Folder, name: str) -> bool:
        try:
            handle = folder.open_file(name)
            with open(handle, "rb") as there:
                if os.fstat(handle).st_size != entry.size_bytes:
                    return False
                with open_entry(entry) as file:
                    while block := file.read(_BLOCK_BYTES):
                        if block != there.read(len(block)):
                            return False
                    return not there.read(1)
        except (OSError, ChangedError):
            return False

    def _copy_item(
        self, item: Item, folder: Folder, taken: Mapping[str, object], advance: Callable[[int], None]
    ) -> Done:
        temporary = temporary_name()
        facts = {"source": item.path, **_origin(item.entry), "folder": list(item.folder), "temporary": temporary}
        step = self._begin("copy", **facts)
        is_noted = False
        try:
            target = Temporary(folder, temporary)
            try:
                copied = copy(item.entry, target, folder, advance)
                is_noted = True
                name = self._publish(step, item, target, copied, taken)
            finally:
                target.close()
        except Exception as error:
            if not is_noted:  # from then on the disk tells what came of it
                self._journal.failed(step, str(error))
            raise
        self._journal.done(step)
        return Done(item, Fate.IMPORTED, "/".join((*item.folder, name)), notes=copied.notes)

    def _publish(self, step: int, item: Item, target: Temporary, copied: Copied, taken: Collection[str]) -> str:
        """Give a copy its final name: the planned one, or the next that is free. Noted down before it is given."""
        for number in range(item.number, _MOST_NUMBER):
            name = numbered(item.plain, number, item.shift)
            if key(name) not in taken:
                try:
                    self._journal.add(step, name=name, state=state_of(copied.state), digest=copied.digest.hex())
                except OSError as error:
                    raise _cannot_note(error) from error
                with suppress(FileExistsError):  # it was taken meanwhile
                    target.publish(name)
                    return name
        raise NotCopiedError("no name is free for it")

    def _begin(self, do: str, **facts: object) -> int:
        try:
            return self._journal.begin(do, **facts)
        except OSError as error:
            raise _cannot_note(error) from error


def _origin(entry: FileEntry) -> dict[str, object]:
    """Return for the journal which file on the disk holds what is copied; of an archive also its size and its time."""
    if isinstance(entry, MemberEntry):
        archive = entry.place.archive
        return {"origin": archive.path, "archive": [archive.size_bytes, archive.mtime_ns]}
    return {"origin": entry.path} if entry.is_on_disk else {}


def _cannot_note(error: OSError) -> NotCopiedError:
    return NotCopiedError(f"the journal cannot be written: {reason_of(error)}", is_final=True)


@contextmanager
def open_destination(plan: ImportPlan, journal: Journal) -> Iterator[Folder]:
    """Open the destination; make it where it is not there. Raises :class:`~dupfind.errors.ActingError`."""
    try:
        if not os.path.lexists(plan.real):
            step = journal.begin("mkdir", path=plan.real)
            try:
                with suppress(FileExistsError):
                    above, name = os.path.split(plan.real)
                    with Folder.open(above) as around:
                        around.make(name)
            except OSError as error:
                journal.failed(step, reason_of(error))
                raise
            journal.done(step)
        folder = Folder.open(plan.real)
    except OSError as error:
        raise ActingError(f"--to {plan.destination}: {reason_of(error)}; nothing was imported") from error
    with folder:
        yield folder


def remove_left_overs(root: Folder, own: Journal) -> int:
    """Remove temporary files that earlier imports have left in a destination, by their journals; returns how many.

    Only what the journal names of a run that is over, and that did not finish that copy.
    """
    removed = 0
    for recorded in journals.journals():
        if recorded.command != "import" or recorded.id == own.id or recorded.head.get("real") != root.path:
            continue
        unfinished = [step for step in recorded.steps.values() if step.get("do") == "copy" and "done" not in step]
        # A run that is going on still writes to its temporary files.
        if not unfinished or journals.is_running(recorded):
            continue
        for step in unfinished:
            with suppress(OSError, KeyError), root.below(step["folder"]) as folder:
                removed += remove_left_over(folder, step["temporary"])
    return removed


def names_below(root: str, folders: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], list[str]]:
    """List those of the ``folders`` below a destination that are there; of what cannot be listed nothing is known."""
    names: dict[tuple[str, ...], list[str]] = {}
    with suppress(OSError), Folder.open(root) as top:
        for parts in folders:
            with suppress(OSError), top.below(parts) as folder:
                names[parts] = folder.names()
    return names
