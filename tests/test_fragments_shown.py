"""Parts of pictures in reports: their places in JSON, and drawn in the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.answers.page import PageContents
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen, html, render
from dupfind.report.places import box_of, parts_of
from dupfind.settings import make_report_settings
from dupfind.values import Evidence, FileState
from tests.helpers.browser import CHROMIUM, DRIVER, started
from tests.helpers.fragments import jpeg, page, photo
from tests.helpers.reports import file, report
from tests.helpers.scans import one_thread, settings

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
ALSO = Reason(ReasonCode.ALSO_SHOWS, ("h/b.jpg", 50, 50, 100, 100))
PART = Reason(ReasonCode.FRAGMENT, (0, 0, 50, 50, 25, 0, 75, 100, 88, -90, ALSO))


def test_json() -> None:
    """As numbers beside the sentence; files with another reason have no such key."""
    part = file(
        "n/page.jpg", FileState.SIMILAR, evidence=Evidence.SIMILAR, witness="h/a.jpg", distance_bits=30, reasons=(PART,)
    )
    whole = json.loads(
        render(report([part, file("n/c.jpg", FileState.MISSING)]), make_report_settings(format_="json"), Screen())
    )
    first, second = whole["files"]
    assert "fragment" == first["reason_code"]
    assert {
        "needle": [0, 0, 50, 50],
        "witness": [25, 0, 75, 100],
        "alike_percent": 88,
        "degrees": -90,
        "also": [{"path": "h/b.jpg", "needle": [50, 50, 100, 100]}],
    } == first["fragment"]
    assert "fragment" not in second


class _Nowhere:
    """No file is in the page."""

    def place(self, _: str, __: str | None) -> dict[str, int]:
        return {}


def test_page() -> None:
    """The places are there to be drawn; how the whole pictures would be turned is not."""
    seen = PageContents(turns={("n/page.jpg", "h/a.jpg"): 5})
    part = file(
        "n/page.jpg", FileState.SIMILAR, evidence=Evidence.SIMILAR, witness="h/a.jpg", distance_bits=30, reasons=(PART,)
    )
    facts = html.file_facts(part, seen, _Nowhere())
    assert {"ours": (0, 0, 50, 50), "theirs": (25, 0, 75, 100), "more": [["h/b.jpg", 50, 50, 100, 100]],
            "whole": False} == facts["parts"]  # fmt: skip
    assert "turn" not in facts
    other = file(
        "n/page.jpg",
        FileState.SIMILAR,
        evidence=Evidence.SIMILAR,
        witness="h/a.jpg",
        distance_bits=30,
        reasons=(Reason(ReasonCode.UNLIKE),),
    )
    facts = html.file_facts(other, seen, _Nowhere())
    assert "parts" not in facts
    assert 5 == facts["turn"]


def test_other_facts_are_an_error() -> None:
    """Of one kind."""
    with pytest.raises(ValueError, match="unpack"):
        parts_of(())
    with pytest.raises(ValueError, match="unpack"):
        box_of((1, "a", 2, 3))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="there is no Chromium with its driver")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_drawn_in_a_browser(tree: TreeBuilder, tmp_path: Path) -> None:
    """A box on the needle for each picture that it shows, and none on a picture that is shown whole."""
    pytest.importorskip("selenium", reason="Selenium is not installed")
    pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")
    from dupfind import pipeline
    from dupfind.commands.showing import show
    from dupfind.events import Silence

    hay = tree("hay", {f"{number}.jpg": jpeg(photo(number)) for number in range(1, 5)})
    old = tree("old", {"page.jpg": jpeg(page(*map(photo, (1, 2, 3, 4))))})
    chosen = settings(hay, old, fragments=True)
    scanned = pipeline.scan_trees(chosen, make_executor=one_thread)
    seen = show(chosen, scanned.report, (scanned.needles, scanned.haystack), 100, Silence())
    written = tmp_path / "page.html"
    written.write_bytes(html.render(scanned.report, seen, scanned.words, ()))
    profile, downloads = tmp_path / "profile", tmp_path / "downloads"
    for folder in (profile, downloads):
        folder.mkdir()
    with started(profile, downloads) as browser:
        browser.open(written)
        boxes = browser.run(
            "return [...document.querySelectorAll('.part')].map((box) => {"
            " const mine = box.getBoundingClientRect();"
            " const all = box.parentNode.querySelector('img').getBoundingClientRect();"
            " return [box.title.slice(-5), Math.round(10 * (mine.left - all.left) / all.width),"
            " Math.round(10 * (mine.top - all.top) / all.height)]; })"
        )
        why = browser.run("return document.querySelector('.why').textContent")
    assert [["1.jpg", 0, 0], ["2.jpg", 5, 0], ["3.jpg", 0, 5], ["4.jpg", 5, 5]] == sorted(boxes)
    assert why.startswith("Looks like the haystack's. ")
