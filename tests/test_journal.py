"""The journal: what is read is what was written, whatever was cut off, and who may write it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dupfind.acting import journal as journals
from dupfind.acting.journal import Journal
from dupfind.commands.undoing import list_journals, undo
from dupfind.errors import ActingError


def test_what_is_read_is_what_was_written(homes: Path) -> None:
    """Steps by their numbers, with all that was added; names that are no text, too."""
    name = os.fsdecode(b"caf\xe9")
    own = Journal.create("import", {"to": name})
    first = own.begin("copy", source=name)
    own.add(first, name="b")
    own.done(first)
    second = own.begin("copy", source="c")
    own.failed(second, "no room")
    own.undone([first])
    own.close()
    recorded = journals.read(own.path)
    assert ("import", name, {first}, True, False) == (
        recorded.command, recorded.head["to"], recorded.undone, recorded.has_ended, recorded.is_torn,
    )  # fmt: skip
    assert {first: {"step": 1, "do": "copy", "source": name, "name": "b", "done": True}} == recorded.made
    assert [recorded.id] == [one.id for one in journals.journals()]
    assert 0o600 == os.stat(own.path).st_mode & 0o777
    assert 0o700 == os.stat(os.path.dirname(own.path)).st_mode & 0o777


@pytest.mark.parametrize("cut", range(1, 34, 3))
def test_a_line_that_is_cut_off_counts_for_nothing(homes: Path, cut: int) -> None:
    """And whoever goes on writing begins a new one."""
    own = Journal.create("import", {})
    own.begin("copy", source="a")
    own.begin("copy", source="b")
    os.close(own._handle)
    path = Path(own.path)
    path.write_bytes(path.read_bytes()[:-cut])
    recorded = journals.read(own.path)
    assert [1] == [number for number, step in recorded.steps.items() if step["source"] == "a"]
    assert (recorded.is_torn, 1) == (True, len(recorded.steps)) or cut == 1
    again = Journal.resume(recorded)
    again.undone([1])
    again.close()
    assert {1} == journals.read(own.path).undone


def test_each_step_is_on_the_disk_before_it_is_made(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and synced; only the word that it was done may come late."""
    own = Journal.create("import", {})
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    step = own.begin("copy")
    own.add(step, name="a")
    assert 2 == len(synced)
    assert synced[-1] == os.stat(own.path).st_size
    own.done(step)
    assert 2 == len(synced)
    own.close()


def test_what_cannot_be_written_leaves_no_half_line(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full takes a part of a line; what is written when there is room again is read."""
    own = Journal.create("import", {})
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if len(data) < 10:
            raise OSError(28, "No space left on device")
        return write(handle, data[: len(data) // 2])

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", full)
        with pytest.raises(OSError, match="space"):
            own.begin("copy", source="lost")
    own.begin("copy", source="kept")
    own.close()
    assert ["kept"] == [step["source"] for step in journals.read(own.path).steps.values()]


def test_one_run_at_a_time(homes: Path) -> None:
    """The second one does nothing; after the first has ended, or was killed, the next one may."""
    with journals.alone(), pytest.raises(ActingError, match="another run"), journals.alone():
        pass
    code = "import time; from dupfind.acting import journal; c = journal.alone(); c.__enter__(); print(1, flush=True)"
    code += "; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"1\n" == process.stdout.readline()
        with pytest.raises(ActingError, match="another run"), journals.alone():
            pass
        process.kill()
    with journals.alone():
        pass


def test_a_run_that_goes_on_is_told_from_one_that_is_over(homes: Path) -> None:
    """By the lock on its journal, and nobody takes back what is not over."""
    own = Journal.create("import", {})
    recorded = journals.read(own.path)
    assert journals.is_running(recorded)
    with pytest.raises(ActingError, match="still going on"):
        Journal.resume(recorded)
    own.close()
    assert not journals.is_running(recorded)


def test_what_others_may_write_is_not_obeyed(homes: Path) -> None:
    """Whoever writes a journal could have anything moved."""
    own = Journal.create("clean", {})
    own.close()
    Path(own.path).chmod(0o666)
    with pytest.raises(ActingError, match="may be written by others"):
        journals.read(own.path)
    Path(own.path).chmod(0o600)
    link = homes / "link.journal"
    link.symlink_to(own.path)
    with pytest.raises(ActingError):
        journals.read(str(link))
    Path(own.path).parent.chmod(0o777)
    with pytest.raises(ActingError, match="others may write"):
        journals.read(own.path)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"text\n", b'{"schema": "dupfind.scan/1", "id": "x"}\n', b"[1]\n"])
def test_what_is_no_journal(homes: Path, content: bytes) -> None:
    """Is refused."""
    path = homes / "x.journal"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ActingError, match="not a journal"):
        journals.read(str(path))


ODD = [
    [],
    [{"undone": 3}],
    [{"step": 1, "do": "copy", "folder": 1, "name": "x"}],
    [{"step": 1, "do": "move", "source": "a", "target": "b\0", "state": [1, 2, 3, 4]}],
    [{"step": 1, "do": "move", "source": "a", "target": "b", "state": [1]}],
]


@pytest.mark.parametrize("lines", ODD)
def test_an_odd_journal_keeps_nobody_from_the_others(homes: Path, lines: list[dict[str, object]]) -> None:
    """It is refused by name, and left out where all are looked through."""
    own = Journal.create("import", {})
    own.close()
    head = {"schema": "dupfind.journal/1", "id": "x", **({"command": "import"} if lines else {})}
    odd = Path(own.path).with_name("9.journal")
    odd.write_text("".join(json.dumps(line) + "\n" for line in [head, *lines]))
    odd.chmod(0o600)
    with pytest.raises(ActingError, match="not a journal"):
        journals.read(str(odd))
    assert [own.path] == [recorded.path for recorded in journals.journals()]
    assert 1 == len(list_journals().journals)
    with pytest.raises(ActingError, match="nothing to undo"):
        undo()


def test_a_journal_that_does_not_say_enough(homes: Path) -> None:
    """Has steps that are left, with the reason."""
    own = Journal.create("import", {"real": str(homes)})
    own.done(own.begin("move"))
    own.begin("copy", name="x")
    own.close()
    reasons = [file.reason or "" for file in undo(own.path).files]
    assert [True, True] == [reason.startswith("the journal does not name its ") for reason in reasons]


def test_a_file_system_without_locks(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done there, and a run whose lock cannot be asked for may be going on."""
    own = Journal.create("import", {})
    own.close()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(ActingError, match="nothing was done"), journals.alone():
        pass
    assert journals.is_running(journals.read(own.path))
    with pytest.raises(ActingError):
        Journal.resume(journals.read(own.path))


@pytest.mark.parametrize("place", ["own", None])
def test_a_journal_that_cannot_be_begun_leaves_nothing(
    homes: Path, monkeypatch: pytest.MonkeyPatch, place: str | None
) -> None:
    """Neither a file nor an open one: the same command can be run again."""
    with journals.alone():
        pass

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before, opened = sorted(homes.rglob("*")), len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ActingError, match="nothing was done"):
        Journal.create("import", {}, place and str(homes / place))
    assert (before, opened) == (sorted(homes.rglob("*")), len(os.listdir("/proc/self/fd")))


def test_nothing_is_written_over(homes: Path) -> None:
    """A journal at a path of the user's is a new file."""
    path = homes / "own.journal"
    path.write_bytes(b"a photo")
    with pytest.raises(ActingError, match="exists"):
        Journal.create("import", {}, str(path))
    assert b"a photo" == path.read_bytes()
