"""What comparing two files at full size gave, remembered for the two files as they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Compared, FilePair, Recipe
from dupfind.cache.cache_upkeep import prune
from dupfind.errors import CacheLostError
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.values import FileEntry

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
OLD = NOW - 60 * SECOND
NEEDLE, WITNESS = FileEntry("/n/a.jpg", 1000, OLD, OLD, 1), FileEntry("/h/a.jpg", 2000, OLD, OLD, 2)
PAIR = FilePair(NEEDLE, WITNESS, 0)
LESS = Compared(Reason(ReasonCode.LESS_DETAIL, (AT_FULL_SIZE,)))


def opened(path: Path, comparison: str = "1") -> Cache:
    """One run's view of the cache."""
    recipe = Recipe("recipe", "phash", "rules", comparison=comparison)
    return Cache(str(path / "cache.sqlite"), lambda: recipe)


def keep(path: Path, pair: FilePair = PAIR, compared: Compared = LESS, read_ns: int = NOW) -> None:
    """Remember a comparison in a run of its own."""
    with opened(path) as cache:
        cache.keep_comparison(pair, compared, read_ns)


def recalled(path: Path, pair: FilePair = PAIR, comparison: str = "1") -> Compared | None:
    """What a later run is told."""
    with opened(path, comparison) as cache:
        return cache.comparisons([pair]).get(pair)


@pytest.mark.parametrize("compared", [LESS, Compared(None)])
def test_a_comparison_is_remembered(tmp_path: Path, compared: Compared) -> None:
    """With what spoke against the pair, or that nothing did."""
    assert recalled(tmp_path) is None
    keep(tmp_path, compared=compared)
    assert compared == recalled(tmp_path)


OTHERS = [
    PAIR._replace(orientation=1),
    FilePair(WITNESS, NEEDLE, 0),
    *(
        PAIR._replace(**{side: getattr(PAIR, side)._replace(**{name: value})})
        for side in ("needle", "witness")
        for name, value in (("path", "/other"), ("size_bytes", 3), ("mtime_ns", 3), ("ctime_ns", 3), ("inode", 3))
    ),
]


@pytest.mark.parametrize("pair", OTHERS, ids=range(len(OTHERS)))
def test_another_file_or_state_is_not_found(tmp_path: Path, pair: FilePair) -> None:
    """Each of path, size, times and inode counts, on either side, and how the needle lies."""
    keep(tmp_path)
    assert recalled(tmp_path, pair) is None


def test_another_recipe_is_not_found(tmp_path: Path) -> None:
    """What another version of the comparison found says nothing."""
    keep(tmp_path)
    assert recalled(tmp_path, comparison="2") is None
    with opened(tmp_path, "2") as cache:
        cache.keep_comparison(PAIR._replace(orientation=1), LESS, NOW)
    assert recalled(tmp_path, comparison="2") is None


@pytest.mark.parametrize("side", ["needle", "witness"])
def test_racy_files_are_not_kept(tmp_path: Path, side: str) -> None:
    """A file that was changed less than two seconds before may have changed again under the same times."""
    racy = getattr(PAIR, side)._replace(mtime_ns=NOW - SECOND, ctime_ns=NOW - SECOND)
    pair = PAIR._replace(**{side: racy})
    keep(tmp_path, pair)
    assert recalled(tmp_path, pair) is None
    keep(tmp_path, pair, read_ns=NOW + 5 * SECOND)
    assert recalled(tmp_path, pair) == LESS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE comparison SET code = NULL, reason = NULL",
        "UPDATE comparison SET reason = 'nothing'",
        "UPDATE comparison SET seal = seal + 1",
        "UPDATE comparison SET orientation = 3",
    ],
)
def test_a_damaged_row_sets_the_cache_aside(tmp_path: Path, statement: str) -> None:
    """A comparison that is not what was stored is never believed."""
    keep(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection, connection:
        connection.execute(statement)
    pair = PAIR._replace(orientation=3) if "orientation" in statement else PAIR
    with pytest.raises(CacheLostError, match="set aside"), opened(tmp_path) as cache:
        cache.comparisons([pair])
    assert recalled(tmp_path, pair) is None


def test_prune_drops_those_of_files_that_are_gone(tmp_path: Path) -> None:
    """Of either side; the others stay."""
    entries = []
    for name in ("a", "b", "c"):
        file = tmp_path / name
        file.write_bytes(name.encode())
        state = file.stat()
        entries.append(FileEntry(str(file), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    later_ns = max(entry.ctime_ns for entry in entries) + 10**15
    a, b, c = entries
    pairs = [FilePair(*both, 0) for both in ((a, b), (a, c), (c, b))]
    with opened(tmp_path) as cache:
        for entry in entries:
            cache.keep_digest(entry, b"d" * 32, later_ns)
        for pair in pairs:
            cache.keep_comparison(pair, LESS, later_ns)
    (tmp_path / "c").unlink()
    prune(str(tmp_path / "cache.sqlite"), with_absent_folders=False)
    with opened(tmp_path) as cache:
        assert {pairs[0]: LESS} == cache.comparisons(pairs)
