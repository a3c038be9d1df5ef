"""Which files a page shows first."""

from __future__ import annotations

from dupfind.shown import most_doubtful
from dupfind.values import Evidence, FileState, FileVerdict, Kind


def file(name: str, state: FileState, bits: int | None = None, kind: Kind = Kind.IMAGE) -> FileVerdict:
    """One verdict."""
    witness = None if bits is None else "h"
    return FileVerdict(name, kind, state, 1, None if bits is None else Evidence.SIMILAR, witness, bits, None)


FILES = [
    file("document", FileState.MISSING, kind=Kind.OTHER),
    file("present", FileState.PRESENT, 0),
    file("broken", FileState.UNREADABLE),
    file("missing", FileState.MISSING),
    file("far", FileState.SIMILAR, 9),
    file("unwanted", FileState.UNWANTED, 3),
    file("also missing", FileState.MISSING),
    file("near", FileState.SIMILAR, 0),
    file("also far", FileState.SIMILAR, 9),
]


def test_the_most_doubtful_come_first() -> None:
    """Where a look is worth most; what is settled is not among them."""
    order = ["near", "far", "also far", "missing", "also missing", "broken", "document"]
    assert [one.path for one in most_doubtful(FILES, 99)] == order
    assert [one.path for one in most_doubtful(FILES, 4)] == order[:4]
    assert most_doubtful(FILES, 0) == []
