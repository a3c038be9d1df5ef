"""A file of decisions: what is read from it, and every way in which it can be none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dupfind.answers.decisions import Decision, MalformedError, Mark, Ruling, as_row, parse
from dupfind.values import Evidence
from tests.helpers.decisions import NEEDLE, WHEN, WITNESS, file, row

NO_SIZE = 'decision 1: the witness\'s "size_bytes" is not a number of bytes'
NO_DIGEST = 'decision 1: the needle\'s "digest" is not 64 hexadecimal digits'


def test_what_is_read() -> None:
    """Each kind, with its files; what is not known is left out; what is written can be read."""
    found = parse(file(row(evidence="similar", distance_bits=4, more="is skipped"), row("not-wanted", needle=WITNESS)))
    one, other = Mark(bytes.fromhex("ab" * 32), 5, "n/a.jpg"), Mark(bytes.fromhex("cd" * 32), 6, "hay/b.jpg")
    assert found == (
        Decision(Ruling.SAME, one, other, Evidence.SIMILAR, 4, WHEN),
        Decision(Ruling.NOT_WANTED, other, None, None, None, WHEN),
    )
    assert found[0].day == "2026-11-21"
    assert parse(file(*map(as_row, found))) == found
    assert parse(file(row(), row())) == parse(file(row()))
    assert parse(file()) == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "its schema is not dupfind.decisions/1"),
        (file(schema="dupfind.scan/1"), "its schema is not dupfind.decisions/1"),
        (file(digest="md5"), "its digests are not blake3"),
        (file(decisions={}), '"decisions" is not a list'),
        (file(row(), 7), "decision 2: not an object"),
        (file(row("SAME")), 'decision 1: "decision" is not one of same, different, not-wanted'),
        (file(row(decision=["same"])), "decision 1: not as dupfind writes it"),
        (file(row(needle=None)), "decision 1: no needle"),
        (file(row(witness=None)), "decision 1: no witness"),
        (file(row("different", witness=None)), "decision 1: no witness"),
        (file(row("not-wanted", witness=WITNESS)), 'decision 1: "not-wanted" takes no witness'),
        (file(row(witness=NEEDLE)), "decision 1: needle and witness are the same bytes, which needs no decision"),
        (file(row(decided=7)), 'decision 1: "decided" is not a time'),
        (file(row(decided="yesterday")), "decision 1: not as dupfind writes it"),
        (file(row(evidence="certain")), "decision 1: not as dupfind writes it"),
        (file(row(evidence=[])), "decision 1: not as dupfind writes it"),
        (file(row(distance_bits=65)), 'decision 1: "distance_bits" is not a number from 0 to 64'),
        (file(row(distance_bits=True)), 'decision 1: "distance_bits" is not a number from 0 to 64'),
        (file(row(needle={**NEEDLE, "digest": "ab"})), NO_DIGEST),
        (file(row(needle={**NEEDLE, "digest": "xy" * 32})), "decision 1: not as dupfind writes it"),
        (file(row(witness={**WITNESS, "size_bytes": -1})), NO_SIZE),
        (file(row(witness={**WITNESS, "size_bytes": True})), NO_SIZE),
        (file(row(needle={**NEEDLE, "path": None})), "decision 1: the needle's \"path\" is not a text"),
        (file(row("not-wanted"), row()), "decision 2: the needle is not wanted by another decision"),
        (file(row(), row("different")), "decision 1: the two are different by another decision"),
    ],
)  # fmt: skip
def test_what_is_none(data: bytes, why: str) -> None:
    """It is said what is wrong, and with which decision; of a contradiction none of the two is taken."""
    with pytest.raises(MalformedError) as caught:
        parse(data)
    assert str(caught.value) == why


def test_what_is_no_contradiction() -> None:
    """One needle may be split from several, be the same as several, and not be wanted either."""
    other = {**WITNESS, "digest": "ef" * 32}
    makers: list[Callable[[], bytes]] = [
        lambda: file(row("different"), row("different", witness=other)),
        lambda: file(row("different"), row(witness=other)),
        lambda: file(row(), row(witness=other)),
        lambda: file(row("different"), row("not-wanted")),
    ]
    assert [2] * 4 == [len(parse(make())) for make in makers]
