"""Which objects may be files of the other side themselves, met by another protocol; pure.

A server shows files of a disk, and a mount shows objects of a bucket. Nothing that both sides say is the number of a
file, so what may be one is taken for one: a copy that is not recognised as one costs a second look, a file that proves
itself is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from dupfind.sources.file_systems import TICK_NS, is_one_time, keys_near, time_key
from dupfind.sources.normal_form import folded
from dupfind.values import FileEntry


def may_be_one(entry: FileEntry, other: FileEntry, *, times_may_differ: bool) -> bool:
    """Tell whether an object and something of the other side may be one file.

    One file has one size and, by two protocols, one time to two seconds. ``times_may_differ`` is for what shows other
    times than the server does, as mounts of buckets: equal names are enough then.
    """
    if entry.size_bytes != other.size_bytes:
        return False
    if not entry.mtime_ns or not other.mtime_ns or is_one_time(entry.mtime_ns, other.mtime_ns, TICK_NS + 1):
        return True
    return times_may_differ and _name(entry) == _name(other)


def themselves(
    entries: Sequence[FileEntry],
    others: Iterable[FileEntry],
    relation: Callable[[FileEntry, FileEntry], bool | None],
) -> set[str]:
    """Return the paths of those of ``entries`` that may be one of ``others``.

    ``relation`` tells of two of one size whether their times may differ, and None where they certainly are two.
    """
    rivals = _Rivals(others, {entry.size_bytes for entry in entries})
    paths = set()
    for entry in entries:
        for rival in rivals.of(entry):
            differ = relation(entry, rival)
            if differ is not None and may_be_one(entry, rival, times_may_differ=differ):
                paths.add(entry.path)
                break
    return paths


class _Rivals:
    """Files by what :func:`may_be_one` goes by: cameras make ten thousand raw files of one size."""

    def __init__(self, files: Iterable[FileEntry], sizes: Container[int]) -> None:
        self._by_size: dict[int, list[FileEntry]] = defaultdict(list)
        self._by_key: dict[object, list[FileEntry]] = defaultdict(list)
        for file in files:
            size_bytes = file.size_bytes
            if size_bytes in sizes:
                self._by_size[size_bytes].append(file)
                self._by_key[size_bytes, time_key(file.mtime_ns) if file.mtime_ns else None].append(file)
                self._by_key[size_bytes, _name(file)].append(file)

    def of(self, entry: FileEntry) -> Iterator[FileEntry]:
        """Yield, perhaps more than once, all files of the size of this one but those of other times and names."""
        if not entry.mtime_ns:
            yield from self._by_size.get(entry.size_bytes, ())
            return
        for key in (None, _name(entry), *keys_near(entry.mtime_ns)):
            yield from self._by_key.get((entry.size_bytes, key), ())


def _name(entry: FileEntry) -> str:
    return folded(entry.path.rpartition("/")[2])
