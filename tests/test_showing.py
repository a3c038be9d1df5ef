"""What a page shows beside the answer: files that are in doubt, their witnesses and the nearest, and no others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.answers.decisions import Decision
from dupfind.answers.groups import Member
from dupfind.answers.hash import Given
from dupfind.answers.page import PageContents
from dupfind.commands.showing import look_at, look_at_found, show
from dupfind.digest import digest_of
from dupfind.events import Silence
from dupfind.finding import finding
from dupfind.finding.finding import find_images, wanted
from dupfind.pool import previews
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentences
from dupfind.session import kept_for_the_run
from dupfind.settings import Settings, make_settings
from dupfind.sources.entries import entry_of
from dupfind.sources.roots import named_file
from fixtures import pictures
from tests.helpers.decisions import word
from tests.helpers.scans import one_thread, settings
from tests.helpers.shelf import cataloged

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO = pictures.photo(1, (640, 480))


def shown(options: Settings, count: int = 100) -> PageContents:
    """What the page of a scan would show."""
    scanned = pipeline.scan_trees(options, make_executor=one_thread, may_be_bare=False)
    return show(options, scanned.report, (scanned.needles, scanned.haystack), count, Silence(), one_thread)


def names(paths: Mapping[str, object]) -> set[str]:
    """Their names."""
    return {os.path.basename(path) for path in paths}


@pytest.fixture
def trees(tree: TreeBuilder) -> tuple[Path, Path]:
    """A haystack and needles of every kind."""
    haystack = tree("hay", {
        "small.png": PHOTO.resize((320, 240)), "same.txt": b"text", "other.jpg": pictures.photo(9, (160, 120)),
        "same.png": pictures.photo(2, (160, 120)),
    })  # fmt: skip
    needles = tree("n", {
        "large.png": PHOTO, "missing.png": pictures.photo(3, (160, 120)), "broken.jpg": b"\xff\xd8\xff\xe0 broken",
        "same.txt": b"text", "other.txt": b"other", "same.webp": pictures.photo(2, (160, 120)),
    })  # fmt: skip
    return haystack, needles


def test_what_is_in_doubt(trees: tuple[Path, Path]) -> None:
    """Every file that is not present has its digest, every picture its preview or why not; the others nothing."""
    haystack, needles = trees
    found = shown(settings(*trees))
    nearest = found.nearest[str(needles / "missing.png")]
    assert names(found.nearest) == {"missing.png"}
    assert names({nearest.path: 0}) <= {"small.png", "other.jpg", "same.png"}
    assert sentences(nearest.reasons)
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
    assert shown(settings(*trees), 0) == PageContents()


def test_where_all_is_there(tree: TreeBuilder) -> None:
    """Nothing is read."""
    assert shown(settings(tree("hay", {"a.txt": b"1"}), tree("n", {"a.txt": b"1"}))) == PageContents()


def test_where_the_haystack_has_no_picture(tree: TreeBuilder) -> None:
    """Nothing is near."""
    found = shown(settings(tree("hay", {"a.txt": b"1"}), tree("n", {"a.png": PHOTO})))
    assert (names(found.sights), found.nearest) == ({"a.png"}, {})


def test_why_the_nearest_is_refused(tree: TreeBuilder) -> None:
    """What would have found it is told where anything would."""
    trees = tree("hay", {"a.png": PHOTO.transpose(Image.Transpose.ROTATE_90)}), tree("n", {"a.jpg": PHOTO})
    (near,) = shown(settings(*trees, rotations=False)).nearest.values()
    assert sentences(near.reasons) == (
        "alike by its thumbnail; not compared at full size; "
        "a scan would have found it with --rotations --accept similar"
    )
    assert near.distance_bits < 8
    trees = tree("hay", {"a.png": pictures.photo(5, (160, 120))}), trees[1]
    (near,) = shown(settings(*trees)).nearest.values()
    assert (Reason(ReasonCode.UNLIKE),) == near.reasons


def test_without_a_cache_nothing_is_decoded_twice(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As long as the page is being made there is one, which then is gone; not among the user's files."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    decoded: list[str] = []
    from dupfind.pictures import decode

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
    entry = entry_of(str(path), state)
    return Member(str(path), 0, None, None, (), state.st_size, 0, state.st_mtime_ns, None, None, None, None, entry)


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
    assert look_at(settings(*trees), [], Silence(), one_thread) == PageContents()


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


def decided(options: Settings, words: list[Decision], count: int = 100) -> PageContents:
    """What the page of a scan would show that goes by these decisions."""
    scanned = pipeline.scan_trees(options, make_executor=one_thread, decisions=words, may_be_bare=False)
    trees = scanned.needles, scanned.haystack
    return show(options, scanned.report, trees, count, Silence(), one_thread, scanned.split, scanned.words)


def test_what_was_decided_has_pictures_too(trees: tuple[Path, Path]) -> None:
    """After the doubtful ones, and with its witness; the other files that are present have none."""
    haystack, needles = trees
    words = [
        word("same", needles / "large.png", haystack / "small.png"),
        word("not-wanted", needles / "missing.png"),
    ]
    found = decided(settings(*trees), words)
    assert names(found.sights) == {"broken.jpg", "other.txt", "large.png", "small.png", "missing.png"}
    for name in ("large.png", "missing.png"):
        sight = found.sights[str(needles / name)]
        assert sight.preview is not None
        assert sight.digest == digest_of([(needles / name).read_bytes()])
    assert found.nearest == {}
    assert names(decided(settings(*trees), words, 3).sights) == {"broken.jpg", "other.txt", "large.png", "small.png"}
    assert names(decided(settings(*trees), words, 2).sights) == {"broken.jpg", "other.txt"}


def test_what_was_split_has_both_pictures(trees: tuple[Path, Path]) -> None:
    """That of the nearest other, and that of the file that it was split from."""
    haystack, needles = trees
    large = str(needles / "large.png")
    found = decided(settings(*trees), [word("different", needles / "large.png", haystack / "small.png")])
    assert found.split == {large: str(haystack / "small.png")}
    other = found.nearest[large].path
    assert other != str(haystack / "small.png")
    assert all(found.sights[path].preview is not None for path in (large, other, str(haystack / "small.png")))


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("orientation", range(1, 8))
def test_how_a_witness_is_turned(tree: TreeBuilder, orientation: int) -> None:
    """To lie on the needle, by the index of the orientation that brings it there."""
    ways = [one.value for one in (
        Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90,
    )]  # fmt: skip
    haystack = tree("hay", {"small.png": PHOTO.resize((320, 240)), "up.png": pictures.photo(7, (160, 120))})
    turned = PHOTO.transpose(Image.Transpose(ways[orientation - 1]))
    needles = tree("n", {"turned.png": turned, "up.jpg": pictures.photo(7, (160, 120)).resize((1280, 960))})
    (pair, turn), = shown(settings(haystack, needles)).turns.items()  # fmt: skip
    assert pair == (str(needles / "turned.png"), str(haystack / "small.png"))
    assert turn == orientation


def sought(trees: tuple[Path, Path], images: list[Path], count: int = 100, **options: Any) -> PageContents:
    """What the page of single pictures would show."""
    kept = make_settings(haystack=[str(trees[0])], no_cache=True, **options)
    given = [Given(str(one), named_file(str(one))) for one in images]
    given.append(Given("gone.jpg", None, "no such file or directory"))
    answer = find_images(kept, given, wanted(2, None), make_executor=one_thread)
    return look_at_found(kept, answer, given, count, Silence(), one_thread)


@pytest.mark.slow
def test_what_was_sought(trees: tuple[Path, Path]) -> None:
    """Each picture and its nearest, whatever they are; no digests; how a copy is turned, and what is unlike is not."""
    haystack, needles = trees
    turned = needles / "turned.jpg"
    PHOTO.resize((300, 225)).transpose(Image.Transpose.ROTATE_180).save(turned, quality=95)
    found = sought(trees, [turned, needles / "same.txt"])
    small, text = str(haystack / "small.png"), str(haystack / "same.txt")
    assert {str(turned), small, str(needles / "same.txt"), text} <= found.sights.keys()
    assert "gone.jpg" not in found.sights
    assert len(found.sights) == 5
    assert found.turns == {(str(turned), small): 2}
    assert {sight.digest for sight in found.sights.values()} == {None}
    assert found.sights[str(turned)].preview is not None
    assert "picture" in (found.sights[text].obstacle or "")
    assert names(sought(trees, [turned, needles / "same.txt"], 4).sights) <= {"turned.jpg", "small.png", "other.jpg",
                                                                             "same.png"}  # fmt: skip
    assert sought(trees, [turned], 2) == PageContents()


def test_what_was_sought_and_has_changed_since(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No other picture is shown than the one that was compared."""
    haystack, needles = trees
    real = finding.find_images

    def then_changed(*arguments: Any, **options: Any) -> Any:
        answer = real(*arguments, **options)
        pictures.save(pictures.photo(8, (320, 240)), haystack / "small.png")
        return answer

    monkeypatch.setitem(globals(), "find_images", then_changed)
    sight = sought(trees, [needles / "large.png"]).sights[str(haystack / "small.png")]
    assert (sight.preview, sight.obstacle) == (None, "changed while it was read")


@pytest.mark.usefixtures("unplugged")
def test_what_a_catalog_lists_has_no_picture(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """It is not looked for on disk, and the page says why."""
    cataloged(trees[0], tmp_path / "c")
    place = str(tmp_path / "c" / "small.png")
    found = shown(settings(tmp_path / "c", trees[1]))
    assert (found.sights[place].preview, found.sights[place].obstacle) == (None, "its catalog holds none")
    found = sought((tmp_path / "c", trees[1]), [trees[1] / "large.png"])
    assert (found.sights[place].preview, found.sights[place].obstacle) == (None, "its catalog holds none")
