"""Coarse pictures: enough to find by, and that nothing rests on them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import evidence, fingerprint
from dupfind.matching import matcher
from dupfind.matching.decodes import Decodes
from dupfind.pool import tasks
from dupfind.report.reasons import sentences
from dupfind.values import Evidence, Failure, FileEntry, Match
from fixtures import pictures
from tests.helpers.desk import Desk
from tests.helpers.encodings import large
from tests.helpers.scans import answer, scan, states
from tests.helpers.scenes import scene, shot
from tests.helpers.thumbnails import DARKER, LIGHTER, coarse, grades, marked, thumbnail

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
BROKEN = Failure("cannot be decoded: broken data stream")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def test_whole_pictures_are_not_read_again(desk: Desk) -> None:
    """Neither is what is coarse and has no match."""
    read = desk.decodes({})
    haystack = {"/h/1": thumbnail(1), "/h/2": coarse(2), "/h/3": coarse(3)}
    found = desk.match({"a": thumbnail(1), "b": coarse(4), "c": thumbnail(5)}, haystack)
    assert ({"a": Match("/h/1", Evidence.SAME, 0)}, []) == (found, read)


@pytest.mark.parametrize("which", ["n", "/h", "both"])
def test_what_proves_is_read_whole(desk: Desk, which: str) -> None:
    """On either side, once."""
    needle, witness = (coarse(1) if which in (side, "both") else thumbnail(1) for side in ("n", "/h"))
    read = desk.decodes({"n": thumbnail(1), "/h": thumbnail(1)})
    assert {"n": Match("/h", Evidence.SAME, 0)} == desk.match({"n": needle}, {"/h": witness})
    assert ({"n", "/h"} if which == "both" else {which}) == set(read)
    assert len(set(read)) == len(read)


@pytest.mark.parametrize("which", ["n", "/h"])
def test_what_the_whole_shows_counts(desk: Desk, which: str) -> None:
    """Damage behind the beginning, in the needle or in its witness."""
    damaged = dataclasses.replace(thumbnail(1), damage="its JPEG data is damaged: bad Huffman code")
    pair = {"n": thumbnail(1), "/h": thumbnail(1)} | {which: coarse(1)}
    desk.decodes({which: damaged})
    found = desk.match({"n": pair["n"]}, {"/h": pair["/h"]})["n"]
    expected = evidence.judge(*(evidence.prepare(damaged if side == which else thumbnail(1)) for side in ("n", "/h")))
    assert (Evidence.SIMILAR, Evidence.SIMILAR) == (expected.evidence, found.evidence)
    assert expected.reason == found.reason


def test_another_picture_behind_the_same_beginning(desk: Desk) -> None:
    """It is no match at all."""
    desk.decodes({"/h": thumbnail(2)})
    assert {} == desk.match({"n": thumbnail(1)}, {"/h": coarse(1)})


def test_a_needle_that_cannot_be_read_whole(desk: Desk) -> None:
    """It has no match, and the witness is still there for others."""
    desk.decodes({"b": BROKEN})
    found = desk.match({"a": thumbnail(1), "b": coarse(1)}, {"/h": thumbnail(1)})
    assert {"a": Match("/h", Evidence.SAME, 0)} == found


def test_the_next_witness_takes_over(desk: Desk) -> None:
    """Where the best cannot be read whole, or proves to be damaged; however many."""
    damaged = dataclasses.replace(thumbnail(1), damage="no end marker")
    haystack = {"/a": coarse(1), "/b": coarse(1), "/c": coarse(1)}
    read = desk.decodes({"/a": BROKEN, "/b": damaged, "/c": thumbnail(1)})
    assert {"n": Match("/c", Evidence.SAME, 0)} == desk.match({"n": thumbnail(1)}, haystack)
    assert ["/a", "/b", "/c"] == read


def test_the_next_witness_may_be_farther_off(desk: Desk) -> None:
    """What the first promised is forgotten: the search goes on beyond equal hashes."""
    dice = np.random.default_rng(1)
    for seed in range(100):
        plain = fingerprint.pixels(thumbnail(seed).pixels)
        noisy = (plain + dice.integers(-2, 3, plain.shape)).clip(0, 255).astype(np.uint8)
        if fingerprint.search_hash(noisy, "phash") != fingerprint.search_hash(plain, "phash"):
            break
    else:
        pytest.fail("no noise moved any hash")
    copy = dataclasses.replace(thumbnail(seed), pixels=noisy.tobytes())
    desk.decodes({"/a": dataclasses.replace(thumbnail(seed), damage="no end marker")})
    found = desk.match({"n": thumbnail(seed)}, {"/a": coarse(seed), "/b": copy})["n"]
    assert ("/b", Evidence.SAME) == (found.witness, found.evidence)


def test_which_of_two_is_coarse(desk: Desk) -> None:
    """Needle or witness or both, by their positions, of those that have a match."""
    needles = {"a": coarse(1), "b": thumbnail(2), "c": thumbnail(3), "d": coarse(4)}
    haystack = {"/h": thumbnail(5), "/i": coarse(6)}
    wholes = Decodes(desk.pictures(needles, 1), desk.pictures(haystack, 1), desk.read_full)
    pairs = {"a": "/h", "b": "/i", "c": "/h"}
    found = wholes.previews({needle: Match(witness, Evidence.SIMILAR, 0) for needle, witness in pairs.items()})
    assert [(0, 0), (1, 1)] == sorted(found)
    assert [] == wholes.previews({})


def test_an_end_to_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A needle that a long row of witnesses has disappointed has no match, unread as the next one is."""
    monkeypatch.setattr(matcher, "MOST_ROUNDS", 2)
    haystack = {path: coarse(1) for path in ("/a", "/b", "/c", "/d")}
    read = desk.decodes(dict.fromkeys(haystack, BROKEN) | {"/c": thumbnail(1)})
    assert {} == desk.match({"n": thumbnail(1)}, haystack)
    assert ["/a", "/b"] == read


def test_who_lost_a_witness_to_another_rests_on_no_coarse_one(desk: Desk) -> None:
    """One photo cannot be two: the needle that falls finds its own picture, and that is read whole as well."""
    wholes = {"/h": shot(scene(), 1200, 900), "/z": shot(marked(-4.4), 1000, 750)}
    haystack = {path: dataclasses.replace(one, is_coarse=True) for path, one in wholes.items()}
    needles = {"a": LIGHTER, "b": DARKER}
    read = desk.decodes(wholes)
    assert {"a": "same /h", "b": "same /z"} == grades(desk.match(needles, haystack))
    assert ["/h", "/z"] == sorted(read)
    desk.decodes(wholes | {"/z": BROKEN})
    assert {"a": "same /h", "b": "similar /h"} == grades(desk.match(needles, haystack))


def damaged_late(content: bytes) -> bytes:
    """The last scan half overwritten with what no picture has."""
    last = content.rfind(b"\xff\xda")
    middle = (last + len(content)) // 2
    return content[:middle] + b"\x55" * 400 + content[middle + 400 :]


@pytest.mark.slow
def test_a_copy_that_is_progressive(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Present on either side; pictures without a match are never read whole."""
    read: list[tuple[str, bool]] = []
    real = tasks.read_thumbnails

    def watched(entries: Sequence[FileEntry], *rest: Any, may_be_coarse: bool, **options: Any) -> list[tasks.Outcome]:
        outcomes = real(entries, *rest, may_be_coarse=may_be_coarse, **options)
        read.extend((Path(entry.path).name, may_be_coarse) for entry in entries)
        return outcomes

    monkeypatch.setattr(tasks, "read_thumbnails", watched)
    haystack = tree("hay", {"1.jpg": large(1, progressive=False), "2.jpg": large(2), "3.jpg": large(3)})
    needles = tree("needles", {"a.jpg": large(1), "b.jpg": large(2, progressive=False), "c.jpg": large(4)})
    assert {"a.jpg": "present/same", "b.jpg": "present/same", "c.jpg": "missing"} == states(scan(haystack, needles))
    assert ["2.jpg", "a.jpg"] == sorted(name for name, may_be_coarse in read if not may_be_coarse)
    assert 6 == sum(may_be_coarse for _, may_be_coarse in read)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["needles", "haystack"])
def test_damage_behind_the_first_scan(tree: TreeBuilder, side: str) -> None:
    """Such a needle is never present, and such a witness proves nothing; by any grade that is safe."""
    broken = damaged_late(large(1))
    sound = large(1, progressive=False)
    trees = (
        tree("hay", {"1.jpg": sound if side == "needles" else broken}),
        tree("needles", {"a.jpg": broken if side == "needles" else sound}),
    )
    report = scan(*trees)
    assert {"a.jpg": "similar/similar"} == states(report)
    assert "damaged" in (sentences(report.files[0].reasons) or "")


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_cut_short(tree: TreeBuilder, share: float) -> None:
    """Within the first scan or behind it, also with an end marker put there: never present; without one, unreadable."""
    content = large(1)
    cut = content[: int(share * len(content))]
    haystack = tree("hay", {"1.jpg": large(1, progressive=False)})
    found = states(scan(haystack, tree("needles", {"cut.jpg": cut, "ended.jpg": cut + b"\xff\xd9"})))
    assert found["cut.jpg"].partition("/")[0] in ("unreadable", "similar")
    assert not found["ended.jpg"].startswith("present")


@pytest.mark.slow
def test_cold_and_warm(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte the same, and a warm run reads nothing, neither the beginnings nor the whole."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    haystack = tree("hay", {"1.jpg": large(1), "2.jpg": large(2), "3.jpg": damaged_late(large(3))})
    content = {"a.jpg": large(1, quality=70), "b.jpg": large(2, progressive=False), "c.jpg": large(3, quality=75)}
    needles = tree("needles", content | {"d.jpg": large(4), "e.jpg": damaged_late(large(2, quality=80))})
    cache = str(tmp_path / "cache.sqlite")
    cold = answer(scan(haystack, needles, cache=cache))
    assert cold == answer(scan(haystack, needles))
    for name in ("read_digests", "read_thumbnails", "hash_thumbnails"):
        monkeypatch.setattr(tasks, name, lambda *_, **__: pytest.fail("read"))
    assert cold == answer(scan(haystack, needles, cache=cache))


@pytest.mark.slow
def test_what_cannot_be_read_whole_is_unreadable(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A needle or a witness that is found by its beginning and then fails counts as any other that fails."""
    real = tasks.read_thumbnails

    def failing(entries: Sequence[FileEntry], *rest: Any, may_be_coarse: bool, **options: Any) -> list[tasks.Outcome]:
        outcomes = real(entries, *rest, may_be_coarse=may_be_coarse, **options)
        return outcomes if may_be_coarse else [tasks.Outcome(BROKEN, 0) for _ in outcomes]

    monkeypatch.setattr(tasks, "read_thumbnails", failing)
    haystack = tree("hay", {"1.jpg": large(1, progressive=False), "2.jpg": large(2)})
    needles = tree("needles", {"a.jpg": large(1), "b.jpg": large(2, progressive=False)})
    report = scan(haystack, needles)
    assert {"a.jpg": "unreadable", "b.jpg": "missing"} == states(report)
    assert {"a.jpg", "2.jpg"} == {Path(one.path).name for one in report.problems}
    assert (2, 2, 1) == (report.haystack.files, report.haystack.images, report.haystack.unreadable)


def framed(photo: Image.Image) -> Image.Image:
    """With a white border."""
    whole = Image.new("RGB", (photo.width + 600, photo.height + 600), "white")
    whole.paste(photo, (300, 300))
    return whole


def progressive(image: Image.Image) -> bytes:
    """A progressive JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", progressive=True)
    return file.getvalue()


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("side", ["needles", "haystack"])
def test_frames_are_looked_for_in_whole_pictures(tree: TreeBuilder, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A match without the frame is found by the beginnings, and looked at again with the whole."""
    photo = pictures.photo(1, (640, 512)).resize((2560, 2048))
    plain_side, framed_side = {"x.jpg": progressive(photo)}, {"x.jpg": progressive(framed(photo))}
    trees = (framed_side, plain_side) if side == "haystack" else (plain_side, framed_side)
    haystack, needles = tree("hay", trees[0]), tree("needles", trees[1])
    assert {"x.jpg": "similar/similar"} == states(scan(haystack, needles))
    real = tasks.read_thumbnails
    wholes: list[tasks.Outcome] = [tasks.Outcome(BROKEN, 0), tasks.Outcome(thumbnail(7, 2560, 2048), 0)]
    for whole, expected in zip(wholes, ("unreadable", "missing"), strict=True):

        def other(
            entries: Sequence[FileEntry], *rest: Any, may_be_coarse: bool, whole: tasks.Outcome = whole, **options: Any
        ) -> list[tasks.Outcome]:
            outcomes = real(entries, *rest, may_be_coarse=may_be_coarse, **options)
            return outcomes if may_be_coarse else [whole for _ in outcomes]

        monkeypatch.setattr(tasks, "read_thumbnails", other)
        assert {"x.jpg": expected} == states(scan(haystack, needles, accept="similar"))


@pytest.mark.slow
def test_an_end_to_looking_without_frames(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still coarse when that is given up is no match."""
    photo = pictures.photo(1, (640, 512)).resize((2560, 2048))
    haystack, needles = (
        tree("hay", {"x.jpg": progressive(photo)}),
        tree("needles", {"x.jpg": progressive(framed(photo))}),
    )
    monkeypatch.setattr("dupfind.matching.match.MOST_ROUNDS", 1)
    assert {"x.jpg": "missing"} == states(scan(haystack, needles))
    monkeypatch.setattr("dupfind.matching.match.MOST_ROUNDS", 2)
    assert {"x.jpg": "similar/similar"} == states(scan(haystack, needles))
