"""The nearest haystack pictures: exact against the slow obvious answer, the scan's witness always among them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pytest

from dupfind.answers.explanation import Advice
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef
from dupfind.commands import neighbours
from dupfind.commands.neighbours import Neighbours
from dupfind.evidence import evidence, fingerprint
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, FileEntry, Match, ScanSettings, Thumbnail
from fixtures import pictures

SETTINGS = ScanSettings(("hay",), (), "phash", 8, Evidence.SAME, rotations=True)


def thumbnail(seed: int, quarter_turns: int = 0, patch: float = 0) -> Thumbnail:
    """The thumbnail of a made-up scene."""
    image = pictures.photo(seed, (256, 256))
    if patch:
        image = pictures.with_patch(image, 5, patch)
    pixels = np.rot90(np.asarray(image.convert("L").resize((64, 64))), quarter_turns)
    return Thumbnail(pixels.tobytes(), 256, 256, "JPEG", 1, None)


class Memory:
    """A cache that knows a list of thumbnails by their position."""

    def __init__(self, known: Sequence[Thumbnail]) -> None:
        self.known = known

    def thumbnails(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """The thumbnails asked for."""
        return {id_: self.known[id_] for id_ in ids}


def around(
    needle: Thumbnail,
    haystack: Sequence[Thumbnail],
    settings: ScanSettings = SETTINGS,
    read_whole: Callable[[FileEntry], Thumbnail | None] = lambda _: None,
    hashes: Sequence[int] = (),
) -> Neighbours:
    """A needle before a haystack whose paths are its positions."""
    theirs = [[fingerprint.search_hash(fingerprint.pixels(one.pixels), settings.algorithm)] for one in haystack]
    found = Pictures(
        [FileEntry(str(index), 1, 1, 1, 1) for index in range(len(haystack))],
        [PictureRef(index, 256 * 256) for index in range(len(haystack))],
        np.array(theirs, np.uint64).reshape(-1, 1),
        {},
    )
    cache = cast("Cache", Memory(haystack))
    return Neighbours(settings, needle, hashes, found, cache, read_whole, lambda path: path, lambda *_: None)


def slow(needle: Thumbnail, haystack: Sequence[Thumbnail]) -> list[tuple[int, int, int, int, str]]:
    """Every picture in every orientation, the best of each: grade, distance, check hash, orientation, path."""
    upright = evidence.prepare(needle)
    found = []
    for index, one in enumerate(haystack):
        views = []
        for orientation in range(8):
            turned, other = evidence.turned(upright, orientation), evidence.prepare(one)
            grade = evidence.judge(turned, other, orientation).evidence
            hashes = [
                fingerprint.search_hash(np.ascontiguousarray(picture.surface.pixels), "phash")
                for picture in (turned, other)
            ]
            distance, check = (hashes[0] ^ hashes[1]).bit_count(), (turned.check ^ other.check).bit_count()
            views.append((3 if grade is None else grade.rank, distance, check, orientation, str(index)))
        found.append(min(views))
    return sorted(found, key=lambda one: one[:4])


@pytest.mark.slow
def test_the_nearest_are_exact() -> None:
    """Thirty pictures, with a turned copy and a look-alike among them, in the order of the slow answer."""
    haystack = [thumbnail(seed) for seed in range(30)]
    haystack[7], haystack[9] = thumbnail(40, quarter_turns=1), thumbnail(40, patch=0.02)
    found = around(thumbnail(40), haystack).nearest(30, None)
    expected = slow(thumbnail(40), haystack)
    assert expected == [
        (3 if one.evidence is None else one.evidence.rank, one.distance_bits, one.check_bits, one.orientation, one.path)
        for one in found
    ]
    assert ["7", "9"] == [one.path for one in found[:2]]
    assert (Evidence.SAME, Evidence.SIMILAR) == (found[0].evidence, found[1].evidence)
    assert found[1].failed is not None
    assert all(one.failed is not None and one.failed.name == "check hash" for one in found[2:])


def test_the_better_grade_comes_first_however_few_are_wanted() -> None:
    """Grades are told of more pictures than are shown."""
    haystack = [*[thumbnail(seed) for seed in range(20)], thumbnail(40, patch=0.02)]
    assert ["20"] == [one.path for one in around(thumbnail(40), haystack).nearest(1, None)]


def test_equal_pictures_are_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies share a thumbnail and are files of their own; where too many lie equally near, the first ones count."""
    haystack = [thumbnail(1)] * 20
    monkeypatch.setattr(neighbours, "LEAST_COMPARED", 2)
    found = around(thumbnail(2), haystack).nearest(20, None)
    assert [str(index) for index in range(20)] == [one.path for one in found]
    monkeypatch.setattr(neighbours, "_MOST_TIED", 3)
    assert ["0", "1", "2"] == [one.path for one in around(thumbnail(2), haystack).nearest(3, None)]


def test_the_scan_s_own_words_count() -> None:
    """Where the scan gave less than the pair alone would have, its grade, its reason and its advice are shown."""
    conflict = Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.STRUCTURE),))
    asked = around(thumbnail(1), [thumbnail(2), thumbnail(1)])
    witness = asked.witness(Match("1", Evidence.SIMILAR, 0, conflict))
    assert (Evidence.SIMILAR, conflict, 0) == (witness.evidence, witness.reason, witness.orientation)
    assert Advice(("--accept similar",)) == witness.advice
    assert [witness] == asked.nearest(1, witness)


def test_the_witness_is_shown_in_the_scan_s_orientation() -> None:
    """The view that has the grade and the distance of the match."""
    for quarter_turns, orientation in ((0, 0), (1, 7), (2, 2), (3, 5)):
        asked = around(thumbnail(3), [thumbnail(3, quarter_turns)])
        nearest = asked.nearest(1, None)[0]
        witness = asked.witness(Match("0", Evidence.SAME, nearest.distance_bits))
        assert (orientation, Evidence.SAME) == (witness.orientation, witness.evidence)


@pytest.mark.parametrize(
    ("threshold_bits", "accept", "rotations"),
    list(itertools.product((0, 16), list(Evidence), (True, False))),
)
def test_advice_names_what_is_missing_and_nothing_else(threshold_bits: int, accept: Evidence, rotations: bool) -> None:
    """A turned look-alike at a distance takes up to three options, of which those already given are not named."""
    settings = ScanSettings(("hay",), (), "phash", threshold_bits, accept, rotations)
    (near,) = around(thumbnail(40), [thumbnail(40, quarter_turns=2, patch=0.02)], settings).nearest(1, None)
    assert (2, Evidence.SIMILAR) == (near.orientation, near.evidence)
    assert 0 < near.distance_bits <= 16
    expected = [] if rotations else ["--rotations"]
    expected += [f"--threshold {near.distance_bits}"] if threshold_bits == 0 else []
    expected += ["--accept similar"] if accept is not Evidence.SIMILAR else []
    assert expected == list(near.advice.options)
    assert (None if expected else Reason(ReasonCode.OTHERS_FIRST)) == near.advice.obstacle


def test_no_option_helps_what_is_unlike_or_too_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another picture, and one beyond the largest threshold."""
    (unlike,) = around(thumbnail(1), [thumbnail(2)]).nearest(1, None)
    assert Advice(obstacle=Reason(ReasonCode.UNLIKE)) == unlike.advice
    monkeypatch.setattr(neighbours, "MOST_THRESHOLD_BITS", 1)
    (far,) = around(thumbnail(40), [thumbnail(40, patch=0.02)]).nearest(1, None)
    assert Advice(obstacle=Reason(ReasonCode.THRESHOLD_ENDS, (1, far.distance_bits))) == far.advice


def test_what_is_shown_as_alike_was_read_whole() -> None:
    """A coarse picture that looks alike is read whole, one that does not is not; hashes stay those of the search."""
    needle, other = thumbnail(1), dataclasses.replace(thumbnail(2), is_coarse=True)
    damaged = dataclasses.replace(thumbnail(1), damage="no end marker")
    read: list[str] = []

    def read_whole(entry: FileEntry) -> Thumbnail | None:
        read.append(entry.path)
        return damaged

    coarse = dataclasses.replace(thumbnail(1), is_coarse=True)
    first, second = around(needle, [other, coarse], read_whole=read_whole).nearest(2, None)
    assert ("1", Evidence.SIMILAR, 0) == (first.path, first.evidence, first.distance_bits)
    assert Reason(ReasonCode.WITNESS_DAMAGED, ("no end marker",)) == first.reason
    assert ("0", None, ["1"]) == (second.path, second.evidence, read)


def test_the_hashes_of_the_search_count() -> None:
    """Those that the needle was searched by, as far as they are given; the others are made of its picture."""
    needle = thumbnail(1)
    plain = around(needle, [thumbnail(1)])
    found = around(needle, [thumbnail(1)], hashes=[int(plain._hashes[0]) ^ 0b101])
    assert [0, 2] == [one.nearest(1, None)[0].distance_bits for one in (plain, found)]
