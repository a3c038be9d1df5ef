"""Seals: what is not what was written is noticed, wherever it stands, and no answer comes of it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.cache import checksum
from dupfind.cache.cache_schema import Pair, PictureRef
from dupfind.reasons import Reason, ReasonCode, encode
from dupfind.values import Evidence, Failure, FileEntry
from faults import rot

ENTRY = FileEntry("/photos/a.jpg", 1000, 10**18, 10**18 + 1, 77)
DIGEST = bytes(range(32))
MIRRORED = encode(Reason(ReasonCode.MIRRORED))
PAIR, JUDGED = Pair(-5, 9, 3), (Evidence.SIMILAR, MIRRORED, False, 0.4)
bits = st.integers(0, 8 * 36 - 1)


def flipped(data: bytes, bit: int) -> bytes:
    """One bit of these bytes turned over."""
    return (int.from_bytes(data, "big") ^ 1 << bit % (8 * len(data))).to_bytes(len(data), "big")


def test_what_was_sealed_is_found() -> None:
    """All of it comes back as it was."""
    assert DIGEST == checksum.digest_in(ENTRY, checksum.sealed_digest(ENTRY, DIGEST))
    assert b"8 bytes." == checksum.hashes_in(-3, checksum.sealed_hashes(-3, b"8 bytes.", 5), 5)
    for content in (PictureRef(-8, 4711), Failure("caf\u00e9 \udcff"), Failure("cut", is_image=False)):
        assert checksum.is_of_content(ENTRY, content, 5, checksum.of_content(ENTRY, content, 5))
    assert checksum.is_of_whole(ENTRY, None, "cut", 5, checksum.of_whole(ENTRY, None, "cut", 5))
    assert checksum.is_of_judgement(PAIR, JUDGED, 5, checksum.of_judgement(PAIR, JUDGED, 5))


@given(bits)
def test_no_bit_may_change(bit: int) -> None:
    """Neither of a digest nor of hashes, nor of their seals."""
    assert checksum.digest_in(ENTRY, flipped(checksum.sealed_digest(ENTRY, DIGEST), bit)) is None
    assert checksum.hashes_in(7, flipped(checksum.sealed_hashes(7, b"8 bytes.", 5), bit), 5) is None


@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns", "ctime_ns", "inode"])
def test_what_is_of_another_file_is_not_of_this_one(field: str) -> None:
    """The rows of two files exchanged, as a damaged index would."""
    other = ENTRY._replace(**{field: getattr(ENTRY, field) ^ 1})
    ref = PictureRef(1, 2)
    assert checksum.digest_in(other, checksum.sealed_digest(ENTRY, DIGEST)) is None
    assert not checksum.is_of_content(other, ref, 5, checksum.of_content(ENTRY, ref, 5))
    assert not checksum.is_of_whole(other, 1, None, 5, checksum.of_whole(ENTRY, 1, None, 5))


@pytest.mark.parametrize(
    "row",
    [
        (Evidence.SAME, MIRRORED, False, 0.4),
        (None, MIRRORED, False, 0.4),
        (Evidence.SIMILAR, None, False, 0.4),
        (Evidence.SIMILAR, MIRRORED, True, 0.4),
        (Evidence.SIMILAR, MIRRORED, False, 0.5),
        (Evidence.SIMILAR, MIRRORED, None, "0.4"),
    ],
)
def test_another_judgement(row: tuple[Any, ...]) -> None:
    """Each of its parts counts, and so do the pair and the rules."""
    seal = checksum.of_judgement(PAIR, JUDGED, 5)
    assert not checksum.is_of_judgement(PAIR, row, 5, seal)
    assert not checksum.is_of_judgement(PAIR, JUDGED, 6, seal)
    for pair in (Pair(-4, 9, 3), Pair(-5, 8, 3), Pair(-5, 9, 2)):
        assert not checksum.is_of_judgement(pair, JUDGED, 5, seal)


@pytest.mark.parametrize("stored", [None, "text", 5, 0.5, b"", b"\0" * 36])
def test_values_of_other_kinds(stored: Any) -> None:
    """What SQLite gives where a row's head is damaged."""
    assert checksum.digest_in(ENTRY, stored) is None
    assert checksum.hashes_in(1, stored, 5) is None
    assert not checksum.is_of_content(ENTRY, PictureRef(stored, stored), 5, stored)
    assert not checksum.is_of_whole(ENTRY, stored, stored, 5, stored)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> rot.Victim:
    """Sound caches of trees with every kind of verdict."""
    return rot.Victim(tmp_path_factory.mktemp("rot"))


def columns() -> list[tuple[str, str]]:
    """Every column of every table."""
    from dupfind.cache.cache_schema import ANSWER_TABLE, SCHEMA

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA + ";" + ANSWER_TABLE)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]


def spoil_value(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case int():
            return value ^ 1
        case float():
            return value + 1
        case str():
            return chr(ord(value[0]) ^ 1) + value[1:] if value else "?"
        case bytes():
            return flipped(value, 9) if len(value) > 1 else b"?"
    return 1


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), columns(), ids=".".join)
def test_every_column_may_be_spoilt(victim: rot.Victim, table: str, column: str) -> None:
    """In all rows at once: the answer is the true one, and damage to what is not only looked up by is told."""
    is_answer = table == "answer"
    cache = victim.put(victim.sound["memory" if is_answer else "no memory"])
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.create_function("spoil", 1, spoil_value)
        connection.execute(f"UPDATE OR REPLACE {table} SET {column} = spoil({column})")
    outcome, warnings = victim.look(cache)
    assert "right" == outcome
    told = {
        "file": {"digest", "picture", "size_pixels", "failure", "is_image", "seal", "whole", "whole_failure"},
        "hash": {"hashes"},
        "judgement": {"evidence", "reason", "is_last", "closeness", "seal"},
    }
    if column in told.get(table, ()) or table == "picture":
        assert 1 == len(warnings)
        assert "set aside" in warnings[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", rot.KINDS)
def test_bits_and_pages_may_be_lost(victim: rot.Victim, kind: str) -> None:
    """A few of the rounds of ``python -m faults.rot``."""
    dice = random.Random(kind)  # noqa: S311 - chance for what is broken, not for secrets
    for sound in victim.sound.values():
        for _ in range(3):
            data = bytearray(sound)
            rot.KINDS[kind](data, dice)
            outcome, _ = victim.look(victim.put(bytes(data)))
            assert "right" == outcome
