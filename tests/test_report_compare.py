"""What dupfind compare prints, on every kind of screen and in every format."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest

from dupfind.answers.compare import Comparison, Proof
from dupfind.evidence import facts as facts_
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen
from dupfind.report.compare import SCHEMA, letter, render
from dupfind.settings import Format
from dupfind.values import Evidence
from tests.helpers.comparisons import (
    BROKEN,
    CHECK,
    DISTANCES,
    LOST,
    PIXELS,
    SAME,
    answer,
    compared,
    printed,
    proof,
)

SIZE = facts_.Test("size", 2.0, 10 / 9, passed=False)


IS_SMALLER = Reason(ReasonCode.SMALLER, (320, 240, 640, 480))
APART, EDITED, TURNED = (
    Reason(ReasonCode.UNLIKE), Reason(ReasonCode.BRIGHTNESS, ("thumbnail",)), Reason(ReasonCode.TURNED, (90,)),
)  # fmt: skip
SMALLER = Comparison(
    compared(), compared("c.jpg"), proof(Evidence.SIMILAR, IS_SMALLER, tests=(CHECK, SIZE)), proof(Evidence.SAME),
    (PIXELS, PIXELS),
)  # fmt: skip
LARGER = Comparison(
    compared(), compared("c.jpg"), proof(Evidence.SAME), proof(Evidence.SIMILAR, IS_SMALLER), (PIXELS, PIXELS)
)
FILMS = Comparison(
    compared("a.mov"),
    compared("b.mov"),
    Proof(None, Reason(ReasonCode.NO_FILM)),
    Proof(None, Reason(ReasonCode.NO_FILM)),
)
UNLIKE = Comparison(compared(), compared("d.jpg"), proof(None, APART), proof(None, APART))
IDENTICAL = Comparison(compared(), compared("e.jpg"), Proof(Evidence.IDENTICAL, None), Proof(Evidence.IDENTICAL, None))


def test_a_pair_each_way() -> None:
    """Facts, sentences, hashes and tests, side by side; where one way has more tests the other is blank."""
    expected = """\
✓ same, score 0.75 by phash
  A  a.jpg
     JPEG of quality 88, 640 x 480, 48 kB
  B  c.jpg
     JPEG of quality 88, 640 x 480, 48 kB
  the same picture, A is the better copy
  B is smaller: 320 x 240 against 640 x 480

  Hash   A     B       Apart
  ──────────────────────────
  phash  00ff  00ff  16 bits
  dhash  1234  1234    1 bit

  Test        A by B  At most        B by A  At most
  ────────────────────────────────────────────────────────
  check hash       2       68  pass       2       68  pass
  size             2     1.11  fail
"""
    assert expected == printed(SMALLER)


@pytest.mark.parametrize(
    ("pair", "head", "sentence"),
    [
        (SAME, "✓ same, score 0.75 by phash", "  each proves the other: the same picture"),
        (LARGER, "✓ same, score 0.75 by phash", "  the same picture, B is the better copy"),
        (
            FILMS,
            "✗ unlike",
            (
                "  not the same film or sound: their bytes differ, and so do their packets or what else counts; "
                "nothing in them was found to look alike"
            ),
        ),
        (UNLIKE, "✗ unlike, score 0.75 by phash", "  A and B are unlike each other"),
        (IDENTICAL, "✓ identical, score 1.00 by phash", "  every byte is the same"),
        (LOST, "! unknown", "  no answer: they could not be compared"),
        (
            Comparison(compared(), compared("f"), proof(Evidence.SIMILAR, EDITED), proof(Evidence.SIMILAR, EDITED)),
            "≈ similar, score 0.75 by phash",
            "  neither proves the other: brightness or contrast edited",
        ),
        (
            Comparison(
                compared(), compared("f"), proof(Evidence.SAME, TURNED, orientation=5), proof(Evidence.SAME, TURNED)
            ),
            "✓ same, score 0.75 by phash",
            "  each proves the other: the same picture, turned by 90 degrees",
        ),
    ],
)
def test_what_is_said_of_a_pair(pair: Comparison, head: str, sentence: str) -> None:
    """A sign and a grade, and a sentence."""
    lines = printed(pair).splitlines()
    assert (head, sentence) == (lines[0], lines[5])
    is_turned = any(line.startswith("  The distances are those of A turned by 90 degrees") for line in lines)
    assert bool(pair.first_by_other.orientation) == is_turned


def test_several_pairs_have_letters() -> None:
    """A and B, A and C."""
    lines = printed(SAME, UNLIKE).splitlines()
    assert ["  A  a.jpg", "  B  b.jpg", "  A  a.jpg", "  C  d.jpg"] == [line for line in lines if line.endswith(".jpg")]
    assert ["A", "Z", "AA", "AB", "ZZ", "AAA"] == [letter(number) for number in (0, 25, 26, 27, 701, 702)]


def test_a_terminal() -> None:
    """Colours, and nothing wider than it."""
    shown = printed(SMALLER, screen=Screen(80, is_terminal=True))
    assert "✓ same" in shown
    hostile = Comparison(compared("a\x1b[31m\n.jpg"), BROKEN, Proof(None, None), Proof(None, None), error="x")
    assert r"A  a\x1b[31m\n.jpg" in printed(hostile, screen=Screen(80, is_terminal=True))
    edited = Comparison(compared(), compared("f"), proof(Evidence.SIMILAR, EDITED), proof(Evidence.SIMILAR, EDITED))
    assert "~ similar" in printed(edited, screen=Screen(encoding="ascii"))


def test_sentences_on_a_terminal() -> None:
    """Are broken between words, and go on below where they begin."""
    lines = printed(FILMS, screen=Screen(60, is_terminal=True)).splitlines()
    assert [
        "  not the same film or sound: their bytes differ, and so do",
        "  their packets or what else counts; nothing in them was",
        "  found to look alike",
    ] == lines[5:]


def test_json() -> None:
    """Both proofs with their tests, the files with their hashes."""
    whole = json.loads(printed(SMALLER, LOST, IDENTICAL, format_=Format.JSON))
    assert (SCHEMA, "1.0", False) == (whole["schema"], whole["dupfind"], whole["accepted"])
    assert {"algorithm": "phash", "accept": "same", "rotations": True} == whole["settings"]
    assert ["a.jpg", "c.jpg", "no.jpg", "e.jpg"] == [one["path"] for one in whole["files"]]
    assert {"phash": "00ff", "dhash": "1234"} == whole["files"][0]["hashes"]
    assert (None, "not a picture") == (whole["files"][2]["hashes"], whole["files"][2]["error"])
    pair, lost, identical = whole["pairs"]
    assert ["first", None, None] == [each["better"] for each in whole["pairs"]]
    assert "other" == json.loads(printed(LARGER, format_=Format.JSON))["pairs"][0]["better"]
    values = {key: pair[key] for key in ("first", "other", "evidence", "accepted", "distance_bits", "score", "reason")}
    said = {"reason": "the other one is smaller: 320 x 240 against 640 x 480", "reason_code": "witness-smaller"}
    assert values | {"reason_code": pair["reason_code"]} == {
        "first": "a.jpg",
        "other": "c.jpg",
        "evidence": "similar",
        "accepted": True,
        "distance_bits": 16,
        "score": 0.75,
        **said,
    }
    assert {
        "evidence": "similar",
        **said,
        "orientation": 1,
        "distances_bits": DISTANCES,
        "check_bits": 2,
        "tests": [
            {"name": "check hash", "value": 2.0, "bound": 68.0, "passed": True},
            {"name": "size", "value": 2.0, "bound": 1.1111, "passed": False},
        ],
    } == pair["first_by_other"]
    assert (None, None, "no.jpg: not a picture") == (lost["evidence"], lost["score"], lost["error"])
    assert (None, None) == (lost["reason"], lost["reason_code"])
    assert (1.0, None) == (identical["score"], identical["first_by_other"]["orientation"])


def test_json_lines() -> None:
    """The same, a line each."""
    lines = [json.loads(line) for line in printed(SMALLER, format_=Format.JSONL).splitlines()]
    whole = json.loads(printed(SMALLER, format_=Format.JSON))
    assert ["file", "file", "pair", "summary"] == [line.pop("type") for line in lines]
    assert whole["files"] == lines[:2]
    assert whole["pairs"] == lines[2:3]
    assert {key: value for key, value in whole.items() if key not in ("files", "pairs")} == lines[3]


def test_csv() -> None:
    """A line a pair; no cell is a formula."""
    formula = Comparison(compared("=a"), compared("b"), proof(Evidence.SAME), proof(Evidence.SAME))
    damaged = proof(Evidence.SIMILAR, Reason(ReasonCode.DAMAGED, ("=1+1",)))
    (row,) = csv.DictReader(
        io.StringIO(printed(Comparison(compared(), compared("b"), damaged, damaged), format_=Format.CSV))
    )
    assert "'=1+1" == row["reason"]
    rows = list(csv.DictReader(io.StringIO(printed(SMALLER, UNLIKE, LOST, formula, format_=Format.CSV))))
    assert ["similar", "", "", "same"] == [row["evidence"] for row in rows]
    assert ["yes", "no", "no", "yes"] == [row["accepted"] for row in rows]
    assert ("similar", "same", "16", "0.75", "1") == tuple(
        rows[0][key] for key in ("first_by_other", "other_by_first", "distance_bits", "score", "orientation")
    )
    assert ["the other one is smaller: 320 x 240 against 640 x 480", "unlike each other", "", ""] == [
        row["reason"] for row in rows
    ]
    assert ("no.jpg: not a picture", "", "'=a") == (rows[2]["error"], rows[2]["score"], rows[3]["first"])


def test_paths() -> None:
    """The others that can go while the first one stays: not the better copy of it."""
    raw = Comparison(compared(), compared(os.fsdecode(b"\xff\n")), proof(Evidence.SAME), proof(Evidence.SAME))
    assert "b.jpg\nc.jpg\ne.jpg\n" == printed(SAME, SMALLER, UNLIKE, LOST, IDENTICAL, format_=Format.PATHS)
    assert "" == printed(LARGER, FILMS, format_=Format.PATHS)
    found = render(answer(SAME, raw), Format.PATHS, Screen(), visual=False, print0=True)
    assert b"b.jpg\0\xff\n\0" == found
