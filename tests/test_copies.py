"""Exact copies by size and digest."""

from __future__ import annotations

from collections.abc import Sequence

from dupfind.grouping.grouping import find_copies
from dupfind.values import Failure, FileEntry


class FakeReader:
    """Digests from a table; remembers what it was asked."""

    def __init__(self, digests: dict[str, bytes | Failure]) -> None:
        self._digests = digests
        self.asked: list[str] = []

    def digests(self, entries: Sequence[FileEntry]) -> dict[str, bytes | Failure]:
        """As the real one."""
        self.asked += [entry.path for entry in entries]
        return {entry.path: self._digests[entry.path] for entry in entries}


def entries(sizes: dict[str, int]) -> list[FileEntry]:
    """Files of these sizes."""
    return [FileEntry(path, size, 0, 0, number) for number, (path, size) in enumerate(sizes.items(), start=1)]


def test_equal_size_and_digest() -> None:
    """Only files of which another has the same size are read; sets come in the order of the files."""
    reader = FakeReader({"a": b"1", "b": b"2", "c": b"1", "e": b"2"})
    copies, failures = find_copies(entries({"a": 9, "b": 9, "c": 9, "d": 8, "e": 9}), reader)  # type: ignore[arg-type]
    assert [["a", "c"], ["b", "e"]] == [[entry.path for entry in some] for some in copies]
    assert (["a", "b", "c", "e"], {}) == (reader.asked, failures)


def test_empty_files_are_no_copies() -> None:
    """They are not even read."""
    reader = FakeReader({})
    assert ([], {}) == find_copies(entries({"a": 0, "b": 0}), reader)  # type: ignore[arg-type]
    assert [] == reader.asked


def test_a_file_that_cannot_be_read() -> None:
    """It is told, and the others are found without it."""
    failure = Failure("permission denied")
    reader = FakeReader({"a": b"1", "b": failure, "c": b"1"})
    copies, failures = find_copies(entries({"a": 9, "b": 9, "c": 9}), reader)  # type: ignore[arg-type]
    assert [["a", "c"]] == [[entry.path for entry in some] for some in copies]
    assert {"b": failure} == failures
