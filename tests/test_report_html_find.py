"""The page of single pictures, without a browser."""

from __future__ import annotations

import dataclasses

import pytest

from dupfind.answers.find import FindResult, NearFile, Sought
from dupfind.answers.page import PageContents, Preview, Sight
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import html_find
from dupfind.report.text import catalog_line
from dupfind.values import Evidence, Problem, Side
from tests.helpers.found import ANSWER, HOSTILE, SETTINGS
from tests.helpers.found import SEEN as SOUGHT
from tests.helpers.report_pages import CATALOG, EVIL, block, words

INPUT = Sought("-", [SOUGHT.nearest[0]])
PATHS = ["up.jpg", *(near.path for near in SOUGHT.nearest)]
SEEN = PageContents(
    {path: Sight(1, Preview(path.encode(), 4, 3, None), None, None) for path in (*PATHS, "h/e.jpg")},
    turns={("up.jpg", "h/b.jpg"): 5},
)


def test_the_answer_on_top() -> None:
    """How many were seen, and by what."""
    shown = words(html_find.render(ANSWER, SEEN))
    for part in (
        "1 of 3 pictures was seen before",
        "A similar picture is another picture: look at both.",
        "Haystack h (9 files, 8 pictures)",
        "Shown the 5 nearest of each, none farther than 20 bits of 64",
        "Search phash; a witness is up to 10 bits of 64 apart",
        "Seen by evidence “same” or stronger",
        "h/x.jpg haystack, thumbnail: cannot be decoded",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("sought", "headline"),
    [
        ([SOUGHT], "The picture was seen before"),
        ([Sought("a.jpg")], "The picture was not seen before"),
        ([SOUGHT, SOUGHT], "2 of 2 pictures were seen before"),
        ([Sought("a.jpg"), Sought("b.jpg")], "0 of 2 pictures were seen before"),
    ],
)
def test_the_headline(sought: list[Sought], headline: str) -> None:
    """One sentence."""
    page = html_find.render(
        dataclasses.replace(ANSWER, sought=sought, files=None, pictures=None, nearest=1), PageContents()
    )
    assert f"<h1>{headline}</h1>" in page.decode()
    assert "Shown the nearest, none farther" in words(page)
    assert ("look at both" in words(page)) == (SOUGHT in sought)


def test_what_the_script_is_given() -> None:
    """Each picture with what is to be said of it, and its nearest in their order, with grade, distance and turn."""
    data = block(html_find.render(ANSWER, SEEN), "data")
    first, second, third = data["images"]
    assert {key: first[key] for key in ("path", "input", "seen", "remarks", "at")} == {
        "path": "up.jpg", "input": False, "seen": True, "remarks": [], "at": 0,
    }  # fmt: skip
    assert first["near"] == [
        {"path": "h/a.jpg", "grade": "identical", "witness": True, "bits": None, "score": 1.0, "at": 1},
        {"path": "h/b.jpg", "grade": "same", "witness": True, "bits": 2, "score": 0.96875, "at": 2,
         "reason": "turned by 90 degrees", "turn": 5},
        {"path": "h/=c.jpg", "grade": "similar", "witness": False, "bits": 8, "score": 0.875, "at": 3,
         "reason": "something differs near the top"},
        {"path": "h/d.jpg", "grade": "unlike", "witness": False, "bits": 16, "score": 0.75, "at": 4},
    ]  # fmt: skip
    assert second["remarks"] == [
        "Is itself in the haystack, as h/e.jpg: not taken for its own witness.",
        "Nothing in the haystack is as near as that.",
    ]
    assert (third["seen"], third["remarks"]) == (False, ["Could not be looked at: no such file or directory."])
    assert third["path"] == r"no\x1b[31m.jpg"
    assert all(near["grade"] in data["signs"] for near in first["near"])
    assert {"seen", "not seen"} <= data["signs"].keys()


def test_standard_input_has_no_path_to_copy() -> None:
    """It is called by what it is."""
    page = html_find.render(dataclasses.replace(ANSWER, sought=[INPUT]), PageContents({"-": SEEN.sights["up.jpg"]}))
    (image,) = block(page, "data")["images"]
    assert (image["path"], image["input"], image["at"]) == ("standard input", True, 0)
    assert "<title>dupfind find: standard input</title>" in page.decode()


def test_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that are not there, though not those of files that are not there; what is too many; catalogs."""
    assert "no picture here" not in words(html_find.render(ANSWER, SEEN))
    assert "6 files have no picture here: --html-pictures takes more." in words(
        html_find.render(ANSWER, PageContents())
    )
    monkeypatch.setattr(html_find, "MOST_IMAGES", 1)
    page = html_find.render(dataclasses.replace(ANSWER, catalogs=[CATALOG]), SEEN)
    assert "Of 3 pictures, 1 are listed; --format json has all." in words(page)
    assert catalog_line(CATALOG) in words(page)
    assert len(block(page, "data")["images"]) == 1


def test_no_name_becomes_markup() -> None:
    """As in the page of a scan."""
    near = NearFile(EVIL, Evidence.SIMILAR, 1, Reason(ReasonCode.WITNESS_DAMAGED, (EVIL,)), is_witness=False)
    sought = [Sought(f"{EVIL}1", [near], [EVIL]), Sought(EVIL, error=EVIL), HOSTILE]
    answer = FindResult("1.0", dataclasses.replace(SETTINGS, haystack=(EVIL,)), 5, sought, 1, 1,
                    [Problem(EVIL, Side.HAYSTACK, "walk", EVIL)])  # fmt: skip
    page = html_find.render(answer, PageContents({EVIL: Sight(1, None, EVIL, None)}))
    text = page.decode()
    assert text.count("<script") == text.count("</script>") == 3
    assert "<img" not in text
    assert "\u202e" not in text
    data = block(page, "data")
    hostile = data["images"][2]
    assert hostile["path"] == "a\\nb\ufffd"
    assert data["sights"][hostile["at"]]["copy"] == r"$'a\nb\xff'"
    assert data["sights"][hostile["near"][0]["at"]]["copy"] == r"$'h/\r\xc2\x9b\xfe'"
