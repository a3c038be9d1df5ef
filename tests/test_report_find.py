"""How find's answer is printed: for people, for programs, and whatever stands in a path."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dupfind.answers.find import FindResult, Sought
from dupfind.report import Screen
from dupfind.report.find import SCHEMA, render
from dupfind.settings import Format
from tests.helpers.found import ANSWER, HOSTILE, ITSELF, SEEN, SETTINGS


def shown(
    answer: FindResult,
    format_: Format = Format.TABLE,
    screen: Screen = Screen(),  # noqa: B008
    *,
    print0: bool = False,
) -> str:
    """The answer as text."""
    return render(answer, format_, screen, print0=print0).decode("utf-8", "surrogateescape")


def test_the_table() -> None:
    """A head for each image, a row for each file, reasons below."""
    assert (
        "✓ seen  up.jpg\n"
        "               Bits  Score  File\n"
        "  ──────────────────────────────────────────────────────────\n"
        "  ✓ identical         1.00  h/a.jpg\n"
        "  ✓ same          2   0.97  h/b.jpg\n"
        "                            - turned by 90 degrees\n"
        "  ≈ similar       8   0.88  h/=c.jpg\n"
        "                            - something differs near the top\n"
        "  ✗ unlike       16   0.75  h/d.jpg\n"
        "\n"
        "✗ not seen  h/e.jpg\n"
        "  is itself in the haystack, as h/e.jpg: not taken for its own witness\n"
        "  nothing in the haystack is as near as that\n"
        "\n"
        "✗ not seen  no\\x1b[31m.jpg\n"
        "  could not be looked at: no such file or directory\n"
        "\n"
        "A similar picture is another picture: look at both.\n"
    ) == shown(ANSWER)


def test_without_pictures_and_in_ascii() -> None:
    """What there is to say of an empty haystack; signs that any screen has."""
    answer = FindResult("1.0", SETTINGS, 5, [Sought("a.jpg")], 0, 0, [])
    screen = Screen(80, is_terminal=False, encoding="ascii")
    assert "x not seen  a.jpg\n  the haystack holds no picture\n" == shown(answer, screen=screen)


def test_json() -> None:
    """Everything, by its schema."""
    whole = json.loads(shown(ANSWER, Format.JSON))
    assert (SCHEMA, "1.0") == (whole["schema"], whole["dupfind"])
    assert {
        "haystack": ["h"],
        "algorithm": "phash",
        "threshold_bits": 10,
        "accept": "same",
        "rotations": True,
        "nearest": 5,
    } == whole["settings"]
    assert {"images": {"seen": 1, "all": 3}, "haystack": {"files": 9, "images": 8}} == whole["summary"]
    first, second, third = whole["images"]
    assert ("up.jpg", True, None) == (first["image"], first["seen"], first["error"])
    assert {
        "path": "h/b.jpg",
        "evidence": "same",
        "witness": True,
        "distance_bits": 2,
        "score": 0.96875,
        "reason": "turned by 90 degrees",
        "reason_code": "turned",
    } == first["nearest"][1]
    assert [None, "turned", "something-differs", "unlike"] == [one["reason_code"] for one in first["nearest"]]
    assert [None, "turned by 90 degrees", "something differs near the top", "unlike each other"] == [
        one["reason"] for one in first["nearest"]
    ]
    assert (None, 1.0) == (first["nearest"][0]["distance_bits"], first["nearest"][0]["score"])
    assert (["h/e.jpg"], [], False) == (second["itself"], second["nearest"], second["seen"])
    assert "no such file or directory" == third["error"]
    assert [{"path": "h/x.jpg", "stage": "thumbnail", "reason": "cannot be decoded"}] == whole["problems"]


def test_json_lines() -> None:
    """An image a line, the summary last, with the same in them."""
    *images, summary = map(json.loads, shown(ANSWER, Format.JSONL).splitlines())
    whole = json.loads(shown(ANSWER, Format.JSON))
    assert [{"type": "image", **one} for one in whole.pop("images")] == images
    assert {"type": "summary", **whole} == summary


def test_csv() -> None:
    """A line for each file that was found, one for an image without any."""
    rows = list(csv.DictReader(io.StringIO(shown(ANSWER, Format.CSV))))
    assert ["up.jpg"] * 4 + ["h/e.jpg", "no\x1b[31m.jpg"] == [one["image"] for one in rows]
    assert ["yes", "yes", "no", "no", "", ""] == [one["witness"] for one in rows]
    assert ["yes"] * 4 + ["no"] * 2 == [one["seen"] for one in rows]
    assert ["", "2", "8", "16", "", ""] == [one["distance_bits"] for one in rows]
    reasons = ["", "turned by 90 degrees", "something differs near the top", "unlike each other", "", ""]
    assert reasons == [one["reason"] for one in rows]
    assert "no such file or directory" == rows[-1]["error"]


@pytest.mark.parametrize(("print0", "end"), [(False, "\n"), (True, "\0")])
def test_paths(print0: bool, end: str) -> None:
    """The witnesses, each once, however many images they are of."""
    answer = FindResult("1.0", SETTINGS, 5, [SEEN, SEEN, ITSELF], 9, 8, [])
    assert f"h/a.jpg{end}h/b.jpg{end}" == shown(answer, Format.PATHS, print0=print0)


def test_hostile_names() -> None:
    """Nothing in a name reaches a terminal, and the bytes of a name are not lost to programs."""
    answer = FindResult("1.0", SETTINGS, 5, [HOSTILE], 1, 1, [])
    table = shown(answer, screen=Screen(80, is_terminal=True))
    assert "a\\nb\\xff" in table
    assert "h/\\r\\x9b\\xfe" in table
    (image,) = json.loads(shown(answer, Format.JSON))["images"]
    assert {"image_bytes", "image"} <= set(image)
    assert "path_bytes" in image["nearest"][0]
    assert "h/\r\x9b\udcfe\0" == shown(answer, Format.PATHS, print0=True)
    assert 1 == len(shown(answer, Format.PATHS).splitlines())
