"""Without the extra for films: they are compared by their bytes only, and every report says so."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from dupfind import libraries
from dupfind.report import Screen, render
from dupfind.settings import make_report_settings
from tests.helpers.scans import scan, states

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
WORDS = "2 missing films and sounds were compared by bytes only: install dupfind[video]"


@pytest.fixture(autouse=True)
def _no_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take PyAV away."""
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "av" else find_spec(name))
    monkeypatch.setitem(sys.modules, "av", None)


def test_every_report_says_how_many(tree: TreeBuilder) -> None:
    """Of the missing ones: those with equal bytes are proved, and what is no film needs no extra."""
    haystack = tree("hay", {"a.mp4": b"first", "b.mov": b"second"})
    needles = tree("needles", {"a.mp4": b"first", "b.mov": b"third", "c.mp3": b"fourth", "d.txt": b"fifth"})
    report = scan(haystack, needles)
    assert {"a.mp4": "present/identical", "b.mov": "missing", "c.mp3": "missing", "d.txt": "missing"} == states(report)
    assert 2 == report.films_by_bytes
    assert WORDS in render(report, make_report_settings(), Screen()).decode()
    assert 2 == json.loads(render(report, make_report_settings(format_="json"), Screen()))["summary"]["films_by_bytes"]


def test_nothing_is_said_where_nothing_is_missing(tree: TreeBuilder) -> None:
    """Whoever has every film there needs no extra."""
    report = scan(tree("hay", {"a.mp4": b"first"}), tree("needles", {"a.mp4": b"first"}))
    assert 0 == report.films_by_bytes
    assert "dupfind[video]" not in render(report, make_report_settings(), Screen()).decode()


def test_the_recipe_says_that_it_is_not_there() -> None:
    """So that what is remembered without it is not taken for what it would say."""
    assert "no PyAV" == libraries.film_libraries()
    assert ("av", None) == libraries.version_for_films()
