"""The tasks: a file is read as the walk saw it, or it is a failure with its reason."""

from __future__ import annotations

import errno
import faulthandler
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from dupfind.errors import NoMemoryError, UndecodableError
from dupfind.evidence.fingerprint import pixels, search_hashes
from dupfind.pictures import decode
from dupfind.pool import tasks
from dupfind.sources import entries
from dupfind.values import Failure, FileEntry, Thumbnail
from fixtures import pictures

CHANGED = "changed while it was read"


def entry_of(path: Path) -> FileEntry:
    """What the walk would see."""
    found = path.stat()
    return FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def thumbnail(entry: FileEntry, timeout_seconds: float = 20, max_pixels: int = 10**8) -> Any:
    """What decoding one file gives."""
    (outcome,) = tasks.read_thumbnails([entry], max_pixels, timeout_seconds)
    return outcome.result


def digest(entry: FileEntry) -> Any:
    """What digesting one file gives."""
    (outcome,) = tasks.read_digests([entry])
    return outcome.result


READERS = pytest.mark.parametrize("read", [thumbnail, digest])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG."""
    path = tmp_path / "a.jpg"
    pictures.save(pictures.photo(1, (160, 120)), path)
    return path


def test_results_come_in_order_with_the_time_of_reading(tmp_path: Path, photo: Path) -> None:
    """A list in, a list out; the time is that before the file was opened."""
    other = tmp_path / "b.txt"
    other.write_bytes(b"text")
    before_ns = time.time_ns()
    one, two, three = tasks.read_digests([entry_of(photo), entry_of(other), entry_of(photo)])
    assert (blake3(photo.read_bytes()).digest(), blake3(b"text").digest()) == (one.result, two.result)
    assert one.result == three.result
    assert before_ns <= one.read_ns <= two.read_ns <= three.read_ns <= time.time_ns()
    picture, no_picture = tasks.read_thumbnails([entry_of(photo), entry_of(other)], 10**8, 20)
    assert (160, "not a picture in a known format") == (picture.result.width, no_picture.result.reason)


@READERS
@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns", "ctime_ns", "inode"])
def test_changed_since_the_walk(photo: Path, read: Callable[[FileEntry], Any], field: str) -> None:
    """Size, times and inode are those of the walk, or nothing is said of the file."""
    entry = entry_of(photo)
    failure = read(entry._replace(**{field: getattr(entry, field) + 1}))
    assert (CHANGED, False, False) == (failure.reason, failure.is_image, failure.lasting)
    assert not isinstance(read(entry._replace(inode=0)), Failure)


@READERS
def test_changed_while_it_is_read(
    photo: Path, read: Callable[[FileEntry], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a file that is being written is worth nothing."""
    true = entries._is_as_listed

    def touch(*arguments: Any) -> bool:
        result = true(*arguments)
        with photo.open("ab") as file:
            file.write(b"more")
        return result

    monkeypatch.setattr(entries, "_is_as_listed", touch)
    assert CHANGED == read(entry_of(photo)).reason


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 3_000_000])
def test_written_over_while_it_is_digested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Other bytes, as many: seen by the times of the file after the last of them was read."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a" * size)
    os.utime(path, ns=(10**18, 10**18))
    entry = entry_of(path)
    assert blake3(b"a" * size).digest() == digest(entry)
    true = entries._is_as_listed

    def write(*arguments: Any) -> bool:
        result = true(*arguments)
        path.write_bytes(b"b" * size)
        return result

    monkeypatch.setattr(entries, "_is_as_listed", write)
    assert CHANGED == digest(entry).reason


def test_a_reading_that_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer bytes than the file has are not its digest, whatever the system says of its size."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a" * 100_000)
    monkeypatch.setattr("dupfind.digest.digest", lambda *_: (bytes(32), 99_999))
    assert CHANGED == digest(entry_of(path)).reason


@READERS
def test_vanished(photo: Path, read: Callable[[FileEntry], Any]) -> None:
    """A file that is gone is a failure of this moment."""
    entry = entry_of(photo)
    photo.unlink()
    assert ("cannot be read: no such file or directory", False) == (read(entry).reason, read(entry).lasting)


@READERS
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["named pipe", "directory"])
def test_replaced_by_what_is_no_file(
    photo: Path, read: Callable[[FileEntry], Any], make: Callable[[Path], None]
) -> None:
    """A pipe is not waited for, a folder not read."""
    entry = entry_of(photo)
    photo.unlink()
    make(photo)
    result = read(entry._replace(inode=photo.stat().st_ino))
    assert isinstance(result, Failure)
    assert not result.lasting


@READERS
def test_a_named_pipe_is_no_empty_file(tmp_path: Path, read: Callable[[FileEntry], Any]) -> None:
    """Not even where a walk took it for a file."""
    os.mkfifo(tmp_path / "a.jpg")
    assert isinstance(read(entry_of(tmp_path / "a.jpg")), Failure)


@READERS
@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ENXIO])
def test_may_not_be_opened(photo: Path, read: Any, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Permissions and broken drives are failures of this moment, in the system's words."""

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(entries, "_open_without_blocking", refuse)
    failure = read(entry_of(photo))
    assert (f"cannot be read: {os.strerror(number).lower()}", False) == (failure.reason, failure.lasting)
    assert failure.stage == ("digest" if read is digest else "thumbnail")


def test_empty_file(tmp_path: Path) -> None:
    """No picture, but bytes to compare like any others."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    assert Failure("empty file", is_image=False) == thumbnail(entry_of(path))
    assert blake3(b"").digest() == digest(entry_of(path))


@pytest.mark.parametrize("size_bytes", [20, 1000, -2])
def test_truncated(photo: Path, size_bytes: int) -> None:
    """Half a picture is no picture, and stays so."""
    photo.write_bytes(photo.read_bytes()[:size_bytes])
    failure = thumbnail(entry_of(photo))
    assert isinstance(failure, Failure)
    assert failure.lasting


def test_a_name_that_lies(tmp_path: Path) -> None:
    """A PNG named .jpg is a picture; a text named .jpg is none."""
    path = tmp_path / "a.jpg"
    pictures.photo(1, (160, 120)).save(path, "PNG")
    assert thumbnail(entry_of(path)).format == "PNG"
    path.write_bytes(b"Dear Josie, " * 100)
    failure = thumbnail(entry_of(path))
    assert (False, True) == (failure.is_image, failure.lasting)


def test_too_large(photo: Path) -> None:
    """Not for ever: the option may be raised."""
    failure = thumbnail(entry_of(photo), max_pixels=100)
    assert ("19,200 pixels are more than --max-pixels allows", False) == (failure.reason, failure.lasting)


def swallow() -> None:
    """Go on after whatever happens, as Pillow does in places."""
    with suppress(Exception):
        loop()


def mistake() -> None:
    """Make another error of whatever happens."""
    try:
        loop()
    except OSError as error:
        raise UndecodableError("broken data stream") from error


def loop() -> None:
    """Go on for longer than any test waits."""
    until = time.monotonic() + 600
    while time.monotonic() < until:
        pass


@pytest.mark.parametrize("decoder", [loop, swallow, mistake])
def test_soft_time_limit(photo: Path, monkeypatch: pytest.MonkeyPatch, decoder: Callable[[], None]) -> None:
    """A decoder that takes too long is stopped, and what it made of that is neither trusted nor remembered."""

    def slow(*_: object, **__: object) -> Thumbnail:
        decoder()
        return Thumbnail(bytes(4096), 1, 1, "JPEG", 1, None)

    monkeypatch.setattr(decode, "read_thumbnail", slow)
    began = time.monotonic()
    assert tasks.timed_out(0.1) == thumbnail(entry_of(photo), timeout_seconds=0.1)
    assert time.monotonic() - began < 300  # stopped, and not waited for, however busy the machine is
    assert not tasks.timed_out(0.1).lasting


def test_the_time_limit_leaves_nothing_behind(photo: Path) -> None:
    """Neither the alarm nor its handler outlives the picture."""
    before = signal.getsignal(signal.SIGALRM)
    assert isinstance(thumbnail(entry_of(photo), timeout_seconds=5), Thumbnail)
    assert ((0.0, 0.0), before) == (signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM))


@pytest.mark.parametrize("error", [NoMemoryError("not enough memory to decode it"), MemoryError("elsewhere")])
def test_want_of_memory_is_for_the_pool(photo: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """It is no outcome of the file: who runs the task may have more."""

    def short(*_: object, **__: object) -> Thumbnail:
        raise error

    monkeypatch.setattr(decode, "read_thumbnail", short)
    with pytest.raises(MemoryError, match=str(error)):
        thumbnail(entry_of(photo))


def test_no_memory_for_the_watchdog(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs a thread, which needs a stack: where there is no room for it, memory is short and nothing is broken."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("unable to start watchdog thread")

    monkeypatch.setattr(multiprocessing, "parent_process", object)
    monkeypatch.setattr(faulthandler, "dump_traceback_later", refuse)
    with pytest.raises(MemoryError, match="not enough memory to watch the time"):
        thumbnail(entry_of(photo))


def test_in_a_thread(photo: Path) -> None:
    """Where there are no alarms the task works without."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(thumbnail(entry_of(photo))))
    thread.start()
    thread.join(20)
    assert 160 == found[0].width


def test_hashes_are_packed(photo: Path) -> None:
    """Eight bytes an orientation, the highest first."""
    picture = thumbnail(entry_of(photo))
    for orientations in (1, 8):
        (packed,) = tasks.hash_thumbnails([(7, picture.pixels)], "dhash", orientations)
        expected = search_hashes(pixels(picture.pixels), "dhash", orientations)
        assert expected == tuple(int.from_bytes(packed[i : i + 8], "big") for i in range(0, len(packed), 8))


def test_what_is_decoded_is_hashed_where_it_is_asked_for(photo: Path, tmp_path: Path) -> None:
    """Each by itself, though they are hashed together; what cannot be decoded has none."""
    pictures.save(pictures.photo(9, (96, 72)), tmp_path / "other.png")
    (tmp_path / "text").write_bytes(b"no picture")
    entries = [entry_of(path) for path in (photo, tmp_path / "text", tmp_path / "other.png")]
    for hashing in (tasks.Hashing("phash", 8), tasks.Hashing("dhash", 1)):
        one, none, other = tasks.read_thumbnails(entries, 10**6, 60, hashing=hashing)
        assert none.hashes is None
        for number, outcome in enumerate((one, other)):
            assert isinstance(outcome.result, Thumbnail)
            assert [outcome.hashes] == tasks.hash_thumbnails([(number, outcome.result.pixels)], *hashing)
        assert one.hashes != other.hashes
    assert [None] * 3 == [outcome.hashes for outcome in tasks.read_thumbnails(entries, 10**6, 60)]


def test_everything_travels(photo: Path) -> None:
    """Tasks, entries and outcomes can be sent to another process."""
    entry = entry_of(photo)
    for task in (tasks.read_digests, tasks.read_thumbnails, tasks.hash_thumbnails):
        assert task is pickle.loads(pickle.dumps(task))  # noqa: S301 - our own
    for outcome in (*tasks.read_digests([entry]), *tasks.read_thumbnails([entry], 1, 1)):
        assert (entry, outcome) == pickle.loads(pickle.dumps((entry, outcome)))  # noqa: S301 - our own
