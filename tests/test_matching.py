"""Matching: which candidate becomes the witness, and that many look-alikes stay affordable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np
import pytest
from PIL import Image

from dupfind import evidence, fingerprint, judging, matching
from dupfind.cache import Cache, Recipe
from dupfind.cache_schema import PictureRef
from dupfind.matching import Matcher
from dupfind.reading import Pictures
from dupfind.values import Evidence, FileEntry, Match, Thumbnail
from fixtures import pictures


def thumbnail(seed: int, width: int = 640, height: int = 480, *, turned: int = 0, flat: bool = False) -> Thumbnail:
    """The thumbnail of a photo, turned as index ``turned`` says."""
    array = np.full((64, 64), seed, np.uint8) if flat else fingerprint.turn(np.asarray(_grey(seed)), turned)
    sides = (height, width) if turned >= 4 else (width, height)
    return Thumbnail(array.tobytes(), *sides, "JPEG", 1, None)


@cache
def _grey(seed: int) -> Image.Image:
    return pictures.photo(seed, (128, 96)).convert("L").resize((64, 64))


class Desk:
    """Puts thumbnails into a scratch cache and matches them."""

    def __init__(self) -> None:
        self.cache = Cache(None, partial(Recipe, "recipe", "phash", "rules"))

    def pictures(self, thumbnails: dict[str, Thumbnail], orientations: int) -> Pictures:
        """As the reader gives them."""
        entries = [FileEntry(path, 1, 0, 0, 0) for path in thumbnails]
        refs = [self.cache.keep_content(one, thumbnails[one.path], 0) for one in entries]
        hashes = [
            fingerprint.search_hashes(fingerprint.pixels(one.pixels), "phash", orientations)
            for one in thumbnails.values()
        ]
        array = np.array(hashes, np.uint64).reshape(len(entries), orientations)
        return Pictures(entries, [one for one in refs if isinstance(one, PictureRef)], array, {})

    def match(
        self, needles: dict[str, Thumbnail], haystack: dict[str, Thumbnail], threshold_bits: int = 8, turns: int = 8
    ) -> dict[str, Match]:
        """The best match of each needle."""
        done: list[int] = []
        matcher = Matcher(self.pictures(needles, turns), self.pictures(haystack, 1), threshold_bits, self.cache)
        found = matcher.match(done.append)
        assert len(needles) == sum(done)
        return found


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def test_nothing_in_the_haystack(desk: Desk) -> None:
    """No pictures, no matches."""
    assert {} == desk.match({"n": thumbnail(1)}, {})


def test_a_copy_is_found_by_its_hash(desk: Desk) -> None:
    """At distance 0, in the dictionary."""
    haystack = {"/h/other": thumbnail(2), "/h/copy": thumbnail(1)}
    assert {"n": Match("/h/copy", Evidence.SAME, 0)} == desk.match({"n": thumbnail(1)}, haystack, threshold_bits=0)


def test_resolution_before_path(desk: Desk) -> None:
    """Of equals the larger is the witness, then the lowest path."""
    haystack = {"/a": thumbnail(1), "/c": thumbnail(1, 1280, 960), "/b": thumbnail(1, 1280, 960)}
    assert "/b" == desk.match({"n": thumbnail(1)}, haystack)["n"].witness


def test_grade_before_distance(desk: Desk) -> None:
    """A nearer look-alike that is only `similar` does not hide a `same` that is further off in bits."""
    dice = np.random.default_rng(1)
    for seed in range(100):
        needle = thumbnail(seed)
        grey = fingerprint.pixels(needle.pixels)
        noisy = (grey + dice.integers(-2, 3, grey.shape)).clip(0, 255).astype(np.uint8)
        if fingerprint.search_hash(noisy, "phash") != fingerprint.search_hash(grey, "phash"):
            break
    else:
        pytest.fail("no noise moved any hash")
    copy = Thumbnail(noisy.tobytes(), 640, 480, "JPEG", 1, None)
    found = desk.match({"n": needle}, {"/preview": thumbnail(seed, 160, 120), "/copy": copy})["n"]
    assert ("/copy", Evidence.SAME) == (found.witness, found.evidence)
    assert found.distance_bits is not None
    assert found.distance_bits > 0


@pytest.mark.parametrize(
    ("turned", "grade"),
    [(2, Evidence.SAME), (5, Evidence.SAME), (7, Evidence.SAME), (1, Evidence.SIMILAR), (6, Evidence.SIMILAR)],
)
def test_turned_and_mirrored(desk: Desk, turned: int, grade: Evidence) -> None:
    """A turned copy is the same picture, a mirrored one is similar, and neither is found without the turns."""
    needles, haystack = {"n": thumbnail(1, turned=turned)}, {"/h": thumbnail(1)}
    assert grade is desk.match(needles, haystack)["n"].evidence
    assert {} == desk.match(needles, haystack, turns=1)


def test_every_candidate_is_looked_at(desk: Desk) -> None:
    """A needle is `similar` only after the last of its candidates was no better."""
    haystack = {f"/{number:03d}": thumbnail(1, 100 + number, 75 + number) for number in range(300)}
    haystack["/zzz"] = thumbnail(1)
    assert Match("/zzz", Evidence.SAME, 0) == desk.match({"n": thumbnail(1)}, haystack)["n"]


def test_blank_pictures_cost_one_comparison_each(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What shows too little is never proved by pixels, so a thousand look-alikes are not gone through."""
    judged = []
    real = evidence.judge
    monkeypatch.setattr(judging.evidence, "judge", lambda *args: judged.append(1) or real(*args))
    haystack = {f"/{number}": thumbnail(number, flat=True) for number in range(60)}
    found = desk.match({f"n{number}": thumbnail(number, flat=True) for number in range(30)}, haystack)
    assert {Evidence.SIMILAR} == {match.evidence for match in found.values()}
    assert len(judged) <= 2 * 30


def test_candidates_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound a needle stays `similar`, the safe side, and the run goes on."""
    monkeypatch.setattr(matching, "_MOST_CANDIDATES", 5)
    haystack = {f"/{number:03d}": thumbnail(1, 100 + number, 75 + number) for number in range(20)} | {
        "/z": thumbnail(1)
    }
    assert Evidence.SIMILAR is desk.match({"n": thumbnail(1)}, haystack)["n"].evidence


def test_batches_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One needle at a time or all at once: the same witnesses."""
    needles = {f"n{seed}": thumbnail(seed, turned=seed % 8) for seed in range(12)}
    haystack = {f"/h{seed}-{copy}": thumbnail(seed) for seed in range(6) for copy in range(2)}
    whole = desk.match(needles, haystack)
    monkeypatch.setattr(matching, "_BATCH_NEEDLES", 1)
    monkeypatch.setattr(matching, "_BATCH_CANDIDATES", 1)
    monkeypatch.setattr(judging, "_MOST_PREPARED", 1)
    assert whole == desk.match(needles, haystack)
    assert 6 == len(whole)
