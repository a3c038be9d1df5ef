"""dupfind sort rendered."""

from __future__ import annotations

import csv
import json
from io import StringIO

from dupfind.answers.sort import Placed, SortResult
from dupfind.report import Screen
from dupfind.report import sort as report
from dupfind.settings import Format
from dupfind.values import Problem, Side

PICTURES = [Placed("a.jpg", None), Placed("=b\n.jpg", 0.0), Placed("c\udcff.jpg", 12.3456)]
PROBLEM = Problem("c/x", Side.HAYSTACK, "thumbnail", "cannot be decoded")
ANSWER = SortResult("1.0", ["c"], None, PICTURES, [PROBLEM])


def text(format_: Format, given: SortResult = ANSWER, *, print0: bool = False) -> str:
    """What is printed."""
    return report.render(given, format_, Screen(), print0=print0).decode("utf-8", "surrogateescape")


def test_paths() -> None:
    """One a line, a line break in a name escaped; or as they are, ended by NUL."""
    assert "a.jpg\n=b\\n.jpg\nc\udcff.jpg\n" == text(Format.PATHS)
    assert "a.jpg\0=b\n.jpg\0c\udcff.jpg\0" == text(Format.PATHS, print0=True)


def test_the_table() -> None:
    """With the distance from the one before, and the mean of all."""
    expected = ["Distance  File", "", "          a.jpg", "       0  =b\\n.jpg", "      12  c\\xff.jpg", ""]
    shown = text(Format.TABLE).splitlines()
    assert [*expected[:1], *expected[2:], "3 pictures, 6 from the picture before on average."] == [shown[0], *shown[2:]]
    like = SortResult("1.0", ["c"], "x\x1b.jpg", [Placed("a.jpg", 3.0)], [])
    assert "1 picture, 3 from x\\x1b.jpg on average." == text(Format.TABLE, like).splitlines()[-1]
    assert "0 pictures.\n" == text(Format.TABLE, SortResult("1.0", ["c"], None, [], []))


def test_json_and_its_lines() -> None:
    """A schema of its own; the lines are the same things one by one."""
    whole = json.loads(text(Format.JSON))
    assert {"schema": "dupfind.sort/1", "dupfind": "1.0", "settings": {"folders": ["c"], "like": None}} == {
        key: whole[key] for key in ("schema", "dupfind", "settings")
    }
    assert {"pictures": 3, "mean_distance": 6.17} == whole["summary"]
    assert [None, 0.0, 12.35] == [one["distance"] for one in whole["pictures"]]
    assert "c\ufffd.jpg" == whole["pictures"][2]["path"]
    assert "path_bytes" in whole["pictures"][2]
    assert [{"path": "c/x", "stage": "thumbnail", "reason": "cannot be decoded"}] == whole["problems"]
    *lines, summary = [json.loads(line) for line in text(Format.JSONL).splitlines()]
    assert [{"type": "picture", **one} for one in whole.pop("pictures")] == lines
    assert {"type": "summary", **whole} == summary


def test_csv() -> None:
    """No formula for a spreadsheet."""
    rows = list(csv.reader(StringIO(text(Format.CSV))))
    assert [["path", "distance"], ["a.jpg", ""], ["'=b\n.jpg", "0.0"]] == rows[:3]
