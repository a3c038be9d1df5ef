"""When a collection is remembered, and what is told of the files in it that could not be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from dupfind.cache import result_cache
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe
from dupfind.cache.cache_snapshots import SnapshotShelf
from dupfind.finding import snapshot_store
from dupfind.finding.snapshot_store import SnapshotStore
from dupfind.run import Reading, Run
from dupfind.settings import Settings, make_settings
from dupfind.values import Failure
from tests.helpers.cache_rows import fill


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A sound cache."""
    (tmp_path / "hay").mkdir()
    fill(tmp_path / "cache.sqlite", 1)
    return str(tmp_path / "cache.sqlite")


def settings(path: str, **options: Any) -> Settings:
    """Of a haystack beside the cache."""
    hay = os.path.join(os.path.dirname(path), "hay")
    return make_settings(haystack=[hay], cache=path, **options)


def key(given: Settings, path: str, recipe: Recipe = Recipe("thumbnails", "phash", "rules")) -> bytes:  # noqa: B008
    """What the collection would be kept under."""
    with Cache(path, lambda: recipe) as cache:
        return snapshot_store._make_key(given, cache)


@pytest.mark.parametrize(
    ("options", "is_another"),
    [
        ({}, False),
        ({"exclude": ["*.tmp"]}, True),
        ({"max_pixels": 1000}, True),
        ({"threshold_bits": 3, "accept": "similar", "rotations": False, "workers": 7, "timeout_seconds": 5.0}, False),
    ],
)
def test_what_decides_is_in_the_key(path: str, options: dict[str, Any], is_another: bool) -> None:
    """And what decides the verdict only is not."""
    assert is_another == (key(settings(path), path) != key(settings(path, **options), path))


@pytest.mark.parametrize(
    ("recipe", "is_another"),
    [
        (Recipe("others", "phash", "rules"), True),
        (Recipe("thumbnails", "dhash", "rules"), True),
        (Recipe("thumbnails", "phash", "others"), False),
    ],
)
def test_the_recipe_is_in_the_key(path: str, recipe: Recipe, is_another: bool) -> None:
    """Of thumbnails and of hashes; pairs are judged anew."""
    assert is_another == (key(settings(path), path) != key(settings(path), path, recipe))


def test_the_root_itself_is_in_the_key(path: str, tmp_path: Path) -> None:
    """Another folder in its place is another collection."""
    first = key(settings(path), path)
    (tmp_path / "hay").rename(tmp_path / "old")
    (tmp_path / "hay").mkdir()
    assert first != key(settings(path), path)


def test_the_program_is_in_the_key(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules may have changed without its version."""
    first = key(settings(path), path)
    monkeypatch.setattr(snapshot_store, "program", lambda: result_cache.program()[1:])
    assert first != key(settings(path), path)


def reading(options: Settings, cache: Cache) -> Reading:
    """A run that reads nothing."""
    return Reading(Run(options), cast("Any", None), cache)


def test_nothing_is_remembered_of_followed_links(path: str) -> None:
    """What they lead to changes without their folder."""
    with Cache(path, lambda: Recipe("", "", "")) as cache:
        shelf = SnapshotShelf(path)
        one = SnapshotStore(reading(settings(path, follow_symlinks=True), cache), shelf)
        assert one._shelf is None
        assert SnapshotStore(reading(settings(path), cache), shelf)._shelf is shelf


def test_which_failures_are_told(path: str) -> None:
    """Those of pictures, by content or by name, and those that may pass."""
    with Cache(path, lambda: Recipe("", "", "")) as cache:
        problems = SnapshotStore(reading(settings(path), cache), None).problems_of(
            {
                "h/d.txt": Failure("not a picture", is_image=False),
                "h/c.txt": Failure("permission denied", is_image=False, lasting=False, stage="walk"),
                "h/b.jpg": Failure("not a picture", is_image=False),
                "h/a.txt": Failure("broken", is_image=True),
            }
        )
    assert [("h/a.txt", "broken"), ("h/b.jpg", "not a picture"), ("h/c.txt", "permission denied")] == [
        (one.path, one.reason) for one in problems
    ]
