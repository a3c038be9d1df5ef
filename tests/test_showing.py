"""What a page shows beside the answer: files that are in doubt, their witnesses and the nearest, and no others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline, previews
from dupfind.digest import digest_of
from dupfind.events import Silence
from dupfind.grouped import Member
from dupfind.session import kept_for_the_run
from dupfind.settings import Settings
from dupfind.showing import look_at, show
from dupfind.shown import Shown
from fixtures import pictures
from tests.test_pipeline import one_thread, settings

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO = pictures.photo(1, (640, 480))


def shown(options: Settings, count: int = 100) -> Shown:
    """What the page of a scan would show."""
    scanned = pipeline.scan_trees(options, make_executor=one_thread)
    return show(options, scanned.report, (scanned.needles, scanned.haystack), count, Silence(), one_thread)


def names(paths: Mapping[str, object]) -> set[str]:
    """Their names."""
    return {os.path.basename(path) for path in paths}


@pytest.fixture
def trees(tree: TreeBuilder) -> tuple[Path, Path]:
    """A haystack and needles of every kind."""
    haystack = tree("hay", {
        "small.png": PHOTO.resize((320, 240)), "same.txt": b"text", "other.jpg": pictures.photo(9),
        "same.png": pictures.photo(2),
    })  # fmt: skip
    needles = tree("n", {
        "large.png": PHOTO, "missing.png": pictures.photo(3), "broken.jpg": b"\xff\xd8\xff\xe0 broken",
        "same.txt": b"text", "other.txt": b"other", "same.webp": pictures.photo(2),
    })  # fmt: skip
    return haystack, needles


def test_what_is_in_doubt(trees: tuple[Path, Path]) -> None:
    """Every file that is not present has its digest, every picture its preview or why not; the others nothing."""
    haystack, needles = trees
    found = shown(settings(*trees))
    nearest = found.nearest[str(needles / "missing.png")]
    assert names(found.nearest) == {"missing.png"}
    assert names({nearest.path: 0}) <= {"small.png", "other.jpg", "same.png"}
    assert nearest.reason
    assert 0 <= nearest.distance_bits <= 64
    expected = {"large.png", "missing.png", "broken.jpg", "other.txt", "small.png", os.path.basename(nearest.path)}
    assert names(found.sights) == expected
    for path, sight in found.sights.items():
        content = Path(path).read_bytes()
        assert (sight.size_bytes, sight.digest) == (len(content), digest_of([content]))
    large, broken = found.sights[str(needles / "large.png")], found.sights[str(needles / "broken.jpg")]
    text, small = found.sights[str(needles / "other.txt")], found.sights[str(haystack / "small.png")]
    assert large.preview is not None
    assert small.preview is not None
    assert (large.preview.width, small.preview.width) == (640, 320)
    assert broken.preview is None
    assert (broken.obstacle or "").startswith("cannot be decoded")
    assert (text.preview, text.obstacle) == (None, None)


def test_no_more_than_was_asked_for(trees: tuple[Path, Path]) -> None:
    """The most doubtful first; nothing is read for a page without pictures."""
    assert names(shown(settings(*trees), 1).sights) == {"large.png", "small.png"}
    assert shown(settings(*trees), 0) == Shown()


def test_where_all_is_there(tree: TreeBuilder) -> None:
    """Nothing is read."""
    assert shown(settings(tree("hay", {"a.txt": b"1"}), tree("n", {"a.txt": b"1"}))) == Shown()


def test_where_the_haystack_has_no_picture(tree: TreeBuilder) -> None:
    """Nothing is near."""
    found = shown(settings(tree("hay", {"a.txt": b"1"}), tree("n", {"a.png": PHOTO})))
    assert (names(found.sights), found.nearest) == ({"a.png"}, {})


def test_why_the_nearest_is_refused(tree: TreeBuilder) -> None:
    """What would have found it is told where anything would."""
    trees = tree("hay", {"a.png": PHOTO.transpose(Image.Transpose.ROTATE_90)}), tree("n", {"a.jpg": PHOTO})
    (near,) = shown(settings(*trees, rotations=False)).nearest.values()
    assert near.reason == "turned by 90 degrees; a scan would have found it with --rotations"
    assert near.distance_bits < 8
    trees = tree("hay", {"a.png": pictures.photo(5)}), trees[1]
    (near,) = shown(settings(*trees)).nearest.values()
    assert "--" not in near.reason


def test_without_a_cache_nothing_is_decoded_twice(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As long as the page is being made there is one, which then is gone; not among the user's files."""
    monkeypatch.setattr("dupfind.cache._RACY_NS", 0)
    decoded: list[str] = []
    from dupfind import decode

    real = decode.read_thumbnail

    def counting(file: Any, name: str, *arguments: Any, **options: Any) -> Any:
        decoded.append(name)
        return real(file, name, *arguments, **options)

    monkeypatch.setattr(decode, "read_thumbnail", counting)
    with kept_for_the_run(settings(*trees)) as kept:
        assert kept.cache is not None
        folder = os.path.dirname(kept.cache)
        shown(kept)
    assert not os.path.exists(folder)
    assert len(decoded) == len(set(decoded)) == 9
    monkeypatch.setattr("tempfile.tempdir", str(trees[1]))
    with kept_for_the_run(settings(*trees)) as kept:
        assert kept.cache is None
    with kept_for_the_run(settings(*trees, cache=str(tmp_path / "c.sqlite"))) as kept:
        assert kept.cache == str(tmp_path / "c.sqlite")


def member(path: Path) -> Member:
    """A file of a group, as it is now."""
    state = path.stat()
    return Member(str(path), 0, None, None, None, state.st_size, 0, state.st_mtime_ns, None, None, None, None)


def test_members_of_groups(trees: tuple[Path, Path]) -> None:
    """Previews, and no digests; what is not as the groups found it has none, and it is said why."""
    members = [member(trees[1] / name) for name in ("large.png", "broken.jpg", "missing.png", "other.txt")]
    (trees[1] / "other.txt").unlink()
    os.utime(trees[1] / "missing.png", (1, 1))
    found = look_at(settings(*trees), members, Silence(), one_thread)
    sights = {os.path.basename(path): sight for path, sight in found.sights.items()}
    assert {name: sight.preview is not None for name, sight in sights.items()} == {
        "large.png": True, "broken.jpg": False, "missing.png": False, "other.txt": False,
    }  # fmt: skip
    assert {sights[name].obstacle for name in ("missing.png", "other.txt")} == {"changed while dupfind ran"}
    assert {sight.digest for sight in sights.values()} == {None}
    assert look_at(settings(*trees), [], Silence(), one_thread) == Shown()


def test_a_preview_that_kills_its_process(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is made without it; the others are there."""
    real = previews.read_preview

    def failing(file: Any, name: str, *arguments: Any) -> Any:
        if name.endswith("large.png"):
            raise MemoryError
        return real(file, name, *arguments)

    monkeypatch.setattr(previews, "read_preview", failing)
    found = shown(settings(*trees))
    large = found.sights[str(trees[1] / "large.png")]
    assert large.preview is None
    assert "memory" in (large.obstacle or "")
    assert found.sights[str(trees[1] / "missing.png")].preview is not None
