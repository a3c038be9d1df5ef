"""The journal of a run that acts: JSON lines, each written and synced before the step that it tells of.

The first line says which command ran, when and where. Then come the steps, by their numbers; a step that was done has a
second line. A run that was killed leaves at most one step without, and a last line that may be cut off: both are what
``undo`` and the next run look at the disk for. While a run goes on it holds a lock on its journal, so that everybody
can tell a run that has ended from one that has not.

Names are written as :func:`os.fsdecode` gives them; bytes that are no UTF-8 survive as JSON's escapes of surrogates.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from dupfind.cache import permissions
from dupfind.errors import ActingError, CutOffError, DupfindError, StoppedError, reason_of
from dupfind.version import __version__

SCHEMA = "dupfind.journal/2"
_SCHEMAS = ("dupfind.journal/1", SCHEMA)
"""Those that are read; 2 has files that were copied to another file system and given up then."""
SUFFIX = ".journal"
POINTER = ".pointer"
"""A file in the state folder that says where a journal lies that somebody wanted elsewhere."""
COMMANDS = ("import", "clean")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OLD = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_LOCK = "acting.lock"
_STATE_NUMBERS = 4
"""That :func:`state_of` gives."""

Record = dict[str, Any]


def state_folder() -> str:
    """Return where journals are kept when nobody says otherwise."""
    from platformdirs import user_state_dir

    return os.path.join(user_state_dir("dupfind", appauthor=False), "journals")


class Journal:
    """A journal that is being written; held open, and locked, as long as its run."""

    def __init__(self, path: str, handle: int, identity: str) -> None:
        self.path = path
        self.id = identity
        self._handle = handle
        self._steps = 0
        self._failed: set[int] = set()
        self._had_name = os.fstat(handle).st_nlink > 0
        """Whether the file system tells how many names a file has."""

    @classmethod
    def create(cls, command: str, about: Mapping[str, Any], path: str | None = None) -> Self:
        """Begin the journal of a run of ``command``, at ``path`` or in the state folder.

        Raises :class:`~dupfind.errors.ActingError`: where nothing can be noted down, nothing is done.
        """
        started = datetime.now().astimezone()
        identity = f"{started:%Y%m%d-%H%M%S-%f}-{command}-{secrets.token_hex(3)}"
        folder = _made(state_folder())
        own = os.path.join(folder, identity + SUFFIX)
        path = own if path is None else os.path.abspath(path)
        with ExitStack() as made:
            try:
                if path != own:
                    _point(os.path.join(folder, identity + POINTER), path, command, made)
                handle = _new_file(path, made)
                journal = cls(path, handle, identity)
                _lock(handle)
                head = {
                    "schema": SCHEMA,
                    "id": identity,
                    "command": command,
                    "dupfind": __version__,
                    "started": started.isoformat(timespec="seconds"),
                }
                journal._write({**head, **about})
                sync_folder(os.path.dirname(path))
            except OSError as error:
                reason = f"the journal {path} cannot be written: {reason_of(error)}; nothing was done"
                raise ActingError(reason) from error
            made.pop_all()
        return journal

    @classmethod
    def resume(cls, recorded: Recorded) -> Self:
        """Go on writing to a journal that was read, such as ``undo`` does. Raises :class:`ActingError`."""
        try:
            handle = os.open(recorded.path, _OLD)
            with ExitStack() as failing:
                failing.callback(os.close, handle)
                if not _lock(handle):
                    raise ActingError(f"{recorded.path}: the run that writes it is still going on")
                failing.pop_all()
        except OSError as error:
            raise ActingError(f"{recorded.path}: {reason_of(error)}") from error
        journal = cls(recorded.path, handle, recorded.id)
        journal._steps = max((step for step in recorded.steps), default=0)
        if recorded.is_torn:
            journal._append(b"\n")
        return journal

    @property
    def kept(self) -> str | None:
        """Return its path; None where it was deleted since, so that nothing can be taken back by it."""
        return self.path if not self._had_name or os.fstat(self._handle).st_nlink else None

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Name the journal to whoever is told that a run ended in the midst, once a step may have been made.

        Raises :class:`~dupfind.errors.CutOffError` for what is no end by the user.
        """
        try:
            yield
        except (OSError, DupfindError) as error:
            if len(self._failed) == self._steps or isinstance(error, StoppedError):
                raise
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise CutOffError(reason, self.path) from error

    def begin(self, do: str, **facts: Any) -> int:  # noqa: ANN401 - what JSON has a form for
        """Note a step down before it is made; returns its number. Raises ``OSError``: it must not be made then."""
        self._steps += 1
        self._write({"step": self._steps, "do": do, **facts})
        return self._steps

    def add(self, step: int, **facts: Any) -> None:  # noqa: ANN401 - likewise
        """Note down more of a step before it is made. Raises ``OSError``."""
        self._write({"step": step, **facts})

    def done(self, step: int, **facts: Any) -> None:  # noqa: ANN401 - likewise
        """Note down that a step was made. Not synced: whoever reads the journal looks at the disk as well."""
        with suppress(OSError):
            self._write({"step": step, "done": True, **facts}, is_synced=False)

    def failed(self, step: int, reason: str) -> None:
        """Note down that a step was not made, and has left nothing. A full disk is no reason to fail once more."""
        self._failed.add(step)
        with suppress(OSError):
            self._write({"step": step, "failed": reason}, is_synced=False)

    def undone(self, steps: Sequence[int]) -> None:
        """Note down that steps were taken back. Raises ``OSError``."""
        self._write({"undone": list(steps)})

    def gone(self, steps: Sequence[int]) -> None:
        """Note down that what steps have made is not there any more. Raises ``OSError``."""
        self._write({"gone": list(steps)})

    def close(self, **facts: Any) -> None:  # noqa: ANN401 - likewise
        """Note down how the run ended, and let go of the file."""
        with suppress(OSError):
            self._write({"end": datetime.now().astimezone().isoformat(timespec="seconds"), **facts})
        os.close(self._handle)

    def _write(self, record: Record, *, is_synced: bool = True) -> None:
        self._append(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n")
        if is_synced:
            os.fsync(self._handle)

    def _append(self, data: bytes) -> None:
        state = os.fstat(self._handle)
        if self._had_name and not state.st_nlink:  # nobody could take back what is noted there
            raise OSError(errno.ENOENT, "the journal was deleted")
        size_bytes = state.st_size
        try:
            unwritten = memoryview(data)
            while unwritten:
                unwritten = unwritten[os.write(self._handle, unwritten) :]
        except OSError:  # half a line would swallow the next one
            with suppress(OSError):
                os.ftruncate(self._handle, size_bytes)
            raise


@dataclass
class Recorded:
    """A journal that was read."""

    path: str
    head: Record
    steps: dict[int, Record] = field(default_factory=dict)
    """By number, all that was noted down of each step, in one record; in the order in which they were begun."""
    undone: set[int] = field(default_factory=set)
    """Steps that were taken back."""
    gone: set[int] = field(default_factory=set)
    """Steps of which an undo found nothing that it could take back."""
    is_torn: bool = False
    """Whether the last line was cut off: the step that it was to tell of was not made."""
    has_ended: bool = False
    """Whether its run came to an end in order."""

    @property
    def id(self) -> str:
        """The name of the run."""
        return str(self.head["id"])

    @property
    def command(self) -> str:
        """What ran: ``import`` or ``clean``."""
        return str(self.head["command"])

    @property
    def made(self) -> dict[int, Record]:
        """The steps that were made, or may have been: not those that failed."""
        return {number: step for number, step in self.steps.items() if "failed" not in step}


def read(path: str) -> Recorded:
    """Read a journal. Raises :class:`~dupfind.errors.ActingError` where it is none, or others may write it."""
    path = os.path.abspath(path)
    *lines, torn = _content(path).split(b"\n")
    records = [record for line in lines if (record := _parsed(line)) is not None]
    if not records or not _is_head(records[0]):
        raise ActingError(f"{path}: not a journal of dupfind")
    recorded = Recorded(path, records[0], is_torn=bool(torn))
    for record in records[1:]:
        if not _is_sound(record):
            raise ActingError(f"{path}: not a journal of dupfind: it has a line that no run writes")
        if "undone" in record:
            recorded.undone.update(record["undone"])
        elif "gone" in record:
            recorded.gone.update(record["gone"])
        elif isinstance(number := record.get("step"), int):
            recorded.steps.setdefault(number, {}).update(record)
        elif "end" in record:
            recorded.has_ended = True
    return recorded


def _content(path: str) -> bytes:
    """Return what is in a file of ours. Raises :class:`ActingError` where others may have written it."""
    try:
        if reason := permissions.distrust_of_place(path, "move it to a folder of your own"):
            raise ActingError(f"{path}: {reason}")
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            # A journal says which files are moved where: only the user's own is obeyed.
            if reason := permissions.distrust_of_file(os.fstat(file.fileno())):
                raise ActingError(f"{path}: it {reason}")
            return file.read()
    except (OSError, ValueError) as error:
        raise ActingError(f"{path}: {reason_of(error)}") from error


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_numbers(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _is_name(value: object) -> bool:
    """Tell whether a value is text that a system takes for a name or a path."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeError:
        return False
    return True


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_name, value))


def _is_drives(value: object) -> bool:
    """Tell whether a value is what :mod:`dupfind.acting.drives` notes."""
    return isinstance(value, list) and all(
        isinstance(drive, dict)
        and all(_is_name(drive.get(name)) for name in ("place", "point", "inner", "kind", "source", "uuid"))
        and all(_is_number(drive.get(name)) for name in ("fsid", "inode"))
        for drive in value
    )


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_state(value: object) -> bool:
    return isinstance(value, list) and _is_numbers(value) and len(value) == _STATE_NUMBERS


def _is_attributes(value: object) -> bool:
    return isinstance(value, dict) and all(_is_name(name) and _is_base64(kept) for name, kept in value.items())


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and b64decode(value, validate=True) is not None
    except ValueError:
        return False


def _is_marks(value: object) -> bool:
    return isinstance(value, dict) and {"mode", "mtime_ns"} <= value.keys() and _is_sound(value)


_FORMS: Mapping[str, Callable[[object], bool]] = {
    "step": _is_number,
    "undone": _is_numbers,
    "gone": _is_numbers,
    "state": _is_state,
    "copy": _is_state,
    "mode": _is_number,
    "uid": _is_number,
    "gid": _is_number,
    "mtime_ns": _is_number,
    "attributes": _is_attributes,
    "marks": _is_marks,
    "witnesses": _is_names,
    "folder": _is_names,
    "path": lambda value: _is_name(value) or _is_names(value),
    "source": _is_name,
    "origin": _is_name,
    "archive": _is_numbers,
    "target": _is_name,
    "name": _is_name,
    "temporary": _is_name,
    "digest": _is_name,
    "info": _is_name,
    "parked": _is_name,
    "undo_to": _is_name,
    "undo_temporary": _is_name,
    "undo_parked": _is_name,
    "started": _is_moment,
    "real": _is_name,
    "to": lambda value: value is None or _is_name(value),
    "needles": _is_names,
    "drives": _is_drives,
}
"""What the values of a journal have to be; what is not there is missed only where it is needed."""


def _is_sound(record: Record) -> bool:
    return all(is_so(record[name]) for name, is_so in _FORMS.items() if name in record)


def _is_head(record: Record) -> bool:
    return (
        record.get("schema") in _SCHEMAS
        and isinstance(record.get("id"), str)
        and record.get("command") in COMMANDS
        and _is_sound(record)
    )


def _parsed(line: bytes) -> Record | None:
    """Return the record of a line; None for one that is none: half a line of a run that went on after a full disk."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def journals(folder: str | None = None) -> Iterator[Recorded]:
    """Yield the journals in the state folder, and those that lie elsewhere by a pointer there, the newest first.

    What cannot be read is left out.
    """
    folder = state_folder() if folder is None else folder
    seen = set()
    for name in sorted(_names(folder, (SUFFIX, POINTER)), reverse=True):
        path = os.path.join(folder, name)
        with suppress(ActingError):
            recorded = read(path) if name.endswith(SUFFIX) else _pointed(path)
            if recorded.id not in seen:
                seen.add(recorded.id)
                yield recorded


def lost_cleans() -> Iterator[tuple[str, str]]:
    """Yield the journals of cleans that cannot be read: what would have to go, and the path of the journal.

    The one is the pointer to a journal that should lie elsewhere, or the journal itself where it lies in the state
    folder.
    """
    folder = state_folder()
    for name in sorted(_names(folder, (SUFFIX,))):
        if "-clean-" in name:
            path = os.path.join(folder, name)
            try:
                read(path)
            except ActingError:
                yield path, path
    for name in _names(folder, (POINTER,)):
        pointer = os.path.join(folder, name)
        try:
            target, command = _parsed_pointer(pointer)
        except ActingError:  # cut off: nothing was done yet when it was written
            continue
        if command == "clean":
            try:
                _pointed(pointer)
            except ActingError:
                yield pointer, target


def forget_pointer(recorded: Recorded) -> None:
    """Remove the pointer to a journal of which nothing is left to be undone."""
    with suppress(OSError):
        os.unlink(os.path.join(state_folder(), os.path.basename(recorded.id) + POINTER))


def _names(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(suffixes)]
    except OSError:
        return []


def _pointed(pointer: str) -> Recorded:
    """Read the journal that a pointer is for. Raises :class:`ActingError`."""
    recorded = read(_parsed_pointer(pointer)[0])
    if recorded.id + POINTER != os.path.basename(pointer):
        raise ActingError(f"{recorded.path}: another journal")
    return recorded


def _parsed_pointer(pointer: str) -> tuple[str, str]:
    record = _parsed(_content(pointer)) or {}
    path, command = record.get("journal"), record.get("command")
    if not isinstance(path, str) or not _is_name(path) or not isinstance(command, str):
        raise ActingError(f"{pointer}: not a pointer of dupfind")
    return path, command


def _new_file(path: str, made: ExitStack) -> int:
    """Make a file, which ``made`` closes and removes again."""
    handle = os.open(path, _NEW, 0o600)
    made.callback(_remove, path)
    made.callback(os.close, handle)
    return handle


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _point(pointer: str, path: str, command: str, made: ExitStack) -> None:
    """Say in the state folder where a journal lies: a later undo must know what a clean rests on."""
    with ExitStack() as writing:
        handle = os.open(pointer, _NEW, 0o600)
        writing.callback(os.close, handle)
        made.callback(_remove, pointer)
        os.write(handle, json.dumps({"journal": path, "command": command}).encode("ascii") + b"\n")
        os.fsync(handle)
    sync_folder(os.path.dirname(pointer))


def is_running(recorded: Recorded) -> bool:
    """Tell whether the run that writes a journal is still going on; when in doubt, it is."""
    try:
        handle = os.open(recorded.path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return True
    try:
        return not _lock(handle)
    except OSError:  # a file system that knows no locks
        return True
    finally:
        os.close(handle)


@contextmanager
def alone() -> Iterator[None]:
    """Be the only run of this user that acts on this machine, as long as the block.

    One lock for all, and not one for each root: of two runs the one may take away what the other goes by, also where
    neither's roots are the other's. Raises :class:`~dupfind.errors.ActingError`.
    """
    path = os.path.join(_made(state_folder()), _LOCK)
    try:
        handle = os.open(
            path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o600
        )
    except OSError as error:
        raise ActingError(f"the lock {path} cannot be taken: {reason_of(error)}; nothing was done") from error
    try:
        try:
            is_alone = _lock(handle)
        except OSError as error:
            raise ActingError(f"the lock {path} cannot be taken: {reason_of(error)}; nothing was done") from error
        if not is_alone:
            raise ActingError("another run of import, clean or undo is going on; nothing was done")
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Take the lock on an open file; returns whether it was to be had."""
    try:
        import fcntl
    except ImportError:  # Windows, where nothing acts
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _made(folder: str) -> str:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if reason := permissions.distrust_of_place(
            os.path.join(folder, _LOCK), "set XDG_STATE_HOME to one of your own"
        ):
            raise ActingError(f"{folder}: {reason}")
    except OSError as error:
        raise ActingError(f"the journal's folder {folder}: {reason_of(error)}; nothing was done") from error
    return folder


def sync_folder(folder: str | int) -> None:
    """Make the names in a folder last; some file systems cannot, and need not."""
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)) if isinstance(folder, str) else folder
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        if isinstance(folder, str):
            os.close(handle)


def state_of(file: os.stat_result) -> list[int]:
    """Return what tells a file from every other, and from itself at another time, for a journal."""
    return [file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns]
