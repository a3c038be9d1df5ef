"""Which files a page shows first."""

from __future__ import annotations

from dupfind.answers.find import NearFile, Sought
from dupfind.answers.page import most_doubtful, most_doubtful_sought
from dupfind.values import Evidence, FileState, FileVerdict, Kind


def file(name: str, state: FileState, bits: int | None = None, kind: Kind = Kind.IMAGE) -> FileVerdict:
    """One verdict."""
    witness = None if bits is None else "h"
    return FileVerdict(name, kind, state, 1, None if bits is None else Evidence.SIMILAR, witness, bits)


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


def test_what_was_decided_comes_last() -> None:
    """What is present or unwanted on a person's word; what was split is in doubt, and where it was."""
    decided = {"present", "unwanted", "missing"}
    order = ["near", "far", "also far", "missing", "also missing", "broken", "document", "present", "unwanted"]
    assert [one.path for one in most_doubtful(FILES, 99, decided)] == order
    assert [one.path for one in most_doubtful(FILES, 8, decided)] == order[:8]


def test_no_picture_that_was_sought_has_some_of_its_pictures() -> None:
    """First what was not seen and looks like something; a file that several are near to counts once."""

    def sought(name: str, evidence: Evidence | None, *paths: str) -> Sought:
        return Sought(name, [NearFile(path, evidence, 1, None, evidence is Evidence.SAME) for path in paths])

    whole = [sought("seen", Evidence.SAME, "a", "b"), sought("unlike", None, "b", "c"),
             sought("similar", Evidence.SIMILAR, "a", "d"), sought("nothing", None)]  # fmt: skip
    chosen = {count: [one.path for one in most_doubtful_sought(whole, count)] for count in range(9)}
    assert chosen[0] == []
    assert chosen[1] == ["nothing"]
    assert chosen[3] == ["similar"]
    assert chosen[4] == ["similar", "nothing"]
    assert chosen[6] == ["similar", "unlike"]
    assert chosen[7] == ["similar", "unlike", "nothing"]
    assert chosen[8] == ["similar", "unlike", "nothing", "seen"]
