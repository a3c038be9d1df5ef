"""Without the extra for parts of pictures: they are compared as wholes, and what is missing says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from dupfind import libraries
from dupfind.report import Screen, render
from dupfind.settings import make_report_settings
from dupfind.values import Report
from tests.helpers.fragments import jpeg, part, photo
from tests.helpers.scans import scan, settings

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
PICTURE = photo(1)


@pytest.fixture(name="sides")
def _sides(tree: TreeBuilder) -> tuple[Path, Path]:
    """A crop, another picture and a file that is no picture, of which the haystack has none."""
    needles = {"crop.jpg": jpeg(part(PICTURE, 0, 0, 0.5, 0.5)), "other.jpg": jpeg(photo(2)), "a.txt": b"a"}
    return tree("hay", {"a.jpg": jpeg(PICTURE)}), tree("needles", needles)


@pytest.fixture(name="_no_opencv")
def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take OpenCV away."""
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "cv2" else find_spec(name))
    monkeypatch.setitem(sys.modules, "cv2", None)


def _shown(report: Report, **options: object) -> str:
    """All that is on a terminal of 80 columns, in one line."""
    made = make_report_settings(**options)  # type: ignore[arg-type]
    return " ".join(render(report, made, Screen(width=80)).decode().split())


@pytest.mark.usefixtures("_no_opencv")
def test_what_is_missing_was_compared_as_a_whole(sides: tuple[Path, Path]) -> None:
    """Of pictures only, and on the page too; a list of chosen files ends without it."""
    answer = scan(*sides, fragments=None)
    words = (
        "2 missing pictures were compared as wholes only: with dupfind's extra fragments (docs/fragments.md) crops and "
        "screenshots are found too."
    )
    assert words in _shown(answer)
    assert "extra fragments" not in _shown(answer, only=["missing"], files=True)


@pytest.mark.usefixtures("_no_opencv")
def test_nothing_is_said_where_the_extra_would_change_nothing(sides: tuple[Path, Path]) -> None:
    """Where no picture is missing, where nobody wants parts, and in a quick scan."""
    haystack, needles = sides
    nothing = haystack.parent / "nothing"
    nothing.mkdir()
    for answer in (
        scan(haystack, nothing, fragments=None),
        scan(haystack, needles, fragments=False),
        scan(haystack, needles, fragments=None, quick=True),
    ):
        assert "extra fragments" not in _shown(answer)


def test_nothing_is_said_with_the_extra(sides: tuple[Path, Path]) -> None:
    """Parts are looked for."""
    assert not settings(*sides, fragments=None).scan.lacks_fragments
