"""The nearest haystack pictures: exact against the slow obvious answer; which options would make one a witness."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from dupfind.answers.explain import Advice
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef
from dupfind.commands import explain
from dupfind.commands.explain import advise
from dupfind.evidence import evidence, fingerprint
from dupfind.matching import candidates, nearest
from dupfind.matching.nearest import Nearest, Needle, Seen
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, FileEntry, Match, ScanSettings, Thumbnail
from fixtures import pictures

SETTINGS = ScanSettings(("hay",), (), "phash", 8, Evidence.SAME, rotations=True)
WIDE = dataclasses.replace(SETTINGS, threshold_bits=32)


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


class Around:
    """A needle before a haystack whose paths are its positions."""

    def __init__(
        self,
        needle: Thumbnail,
        haystack: Sequence[Thumbnail],
        settings: ScanSettings = SETTINGS,
        hashes: Sequence[int] = (),
    ) -> None:
        theirs = [[fingerprint.search_hash(fingerprint.pixels(one.pixels), settings.algorithm)] for one in haystack]
        found = Pictures(
            [FileEntry(f"{index:02}", 1, 1, 1, 1) for index in range(len(haystack))],
            [PictureRef(index, 256 * 256) for index in range(len(haystack))],
            np.array(theirs, np.uint64).reshape(-1, 1),
            {},
        )
        cache = cast("Cache", Memory(haystack))
        self.settings = settings
        self.needle = Needle(FileEntry("n", 1, 1, 1, 1), needle, hashes)
        self.search = Nearest(settings, found, cache, dict.fromkeys, None, 8)

    def nearest(self, count: int, match: Match | None = None) -> list[Seen]:
        """What is told of it; by itself a scan finds what is the same."""
        positions = self.search.candidates(self.needle, count)
        return self.search.best(self.needle, positions, match or Match("?", Evidence.SAME, 0), count)

    def advice(self) -> Advice:
        """What is advised of the best."""
        return advise(self.settings, self.nearest(1)[0])


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
            views.append((3 if grade is None else grade.rank, distance, check, orientation, f"{index:02}"))
        found.append(min(views))
    return sorted(found, key=lambda one: (*one[:2], one[4]))


@pytest.mark.slow
def test_the_nearest_are_exact() -> None:
    """Thirty pictures, with a turned copy and a look-alike among them, in the order of the slow answer."""
    haystack = [thumbnail(seed) for seed in range(30)]
    haystack[7], haystack[9] = thumbnail(40, quarter_turns=1), thumbnail(40, patch=0.02)
    found = Around(thumbnail(40), haystack, WIDE).nearest(30)
    expected = slow(thumbnail(40), haystack)
    assert expected == [
        (
            3 if one.evidence is None else one.evidence.rank,
            one.distance_bits,
            one.check_bits,
            one.orientation,
            one.entry.path,
        )
        for one in found
    ]
    assert ["07", "09"] == [one.entry.path for one in found[:2]]
    assert (Evidence.SAME, Evidence.SIMILAR) == (found[0].evidence, found[1].evidence)
    assert [False] == [test.passed for test in found[1].tests if not test.passed][:1]
    assert all(one.tests[-1].name == "check hash" for one in found[2:])


@pytest.mark.slow
def test_the_better_grade_comes_first_however_few_are_wanted() -> None:
    """Grades are told of more pictures than are shown."""
    haystack = [*[thumbnail(seed) for seed in range(20)], thumbnail(40, patch=0.02)]
    assert ["20"] == [one.entry.path for one in Around(thumbnail(40), haystack).nearest(1)]


def test_equal_pictures_are_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies share a thumbnail and are files of their own; where too many lie equally near, the first ones count."""
    haystack = [thumbnail(1)] * 20
    monkeypatch.setattr(candidates, "LEAST_COMPARED", 2)
    found = Around(thumbnail(2), haystack).nearest(20)
    assert [f"{index:02}" for index in range(20)] == [one.entry.path for one in found]
    monkeypatch.setattr(nearest, "MOST_TIED", 0)
    assert ["00", "01", "02"] == [one.entry.path for one in Around(thumbnail(2), haystack).nearest(3)]


def test_the_scan_s_own_words_count() -> None:
    """Where the scan gave less than the pair alone would have, its grade, its reason and its advice are shown."""
    conflict = Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.STRUCTURE),))
    asked = Around(thumbnail(1), [thumbnail(2), thumbnail(1)])
    match = Match("01", Evidence.SIMILAR, 0, conflict)
    witness = asked.search.witness(asked.needle, match)
    assert (Evidence.SIMILAR, conflict, 0) == (witness.evidence, witness.reason, witness.orientation)
    assert Advice(("--accept similar",)) == advise(SETTINGS, witness)
    assert [witness] == asked.nearest(1, match)


def test_what_a_scan_found_without_a_frame() -> None:
    """At its own distance, with no tests of the whole pictures, and with no advice on how these lie."""
    asked = Around(thumbnail(1), [thumbnail(2)], dataclasses.replace(SETTINGS, threshold_bits=0, rotations=False))
    witness = asked.search.witness(asked.needle, Match("00", Evidence.SIMILAR, 3, Reason(ReasonCode.FRAMED)))
    assert (3, (), True) == (witness.distance_bits, witness.tests, witness.is_found_otherwise)
    assert Advice(("--accept similar",)) == advise(asked.settings, witness)


def test_the_witness_is_shown_in_the_scan_s_orientation() -> None:
    """The view that has the grade and the distance of the match."""
    for quarter_turns, orientation in ((0, 0), (1, 7), (2, 2), (3, 5)):
        asked = Around(thumbnail(3), [thumbnail(3, quarter_turns)])
        best = asked.nearest(1)[0]
        witness = asked.search.witness(asked.needle, Match("00", Evidence.SAME, best.distance_bits))
        assert (orientation, Evidence.SAME) == (witness.orientation, witness.evidence)


@pytest.mark.parametrize(
    ("threshold_bits", "accept", "rotations"),
    list(itertools.product((0, 16), list(Evidence), (True, False))),
)
def test_advice_names_what_is_missing_and_nothing_else(threshold_bits: int, accept: Evidence, rotations: bool) -> None:
    """A turned look-alike at a distance takes up to three options, of which those already given are not named."""
    settings = ScanSettings(("hay",), (), "phash", threshold_bits, accept, rotations)
    asked = Around(thumbnail(40), [thumbnail(40, quarter_turns=2, patch=0.02)], settings)
    (near,), told = asked.nearest(1), asked.advice()
    assert (2, Evidence.SIMILAR) == (near.orientation, near.evidence)
    assert 0 < near.distance_bits <= 16
    expected = [] if rotations else ["--rotations"]
    expected += [f"--threshold {near.distance_bits}"] if threshold_bits == 0 else []
    expected += ["--accept similar"] if accept is not Evidence.SIMILAR else []
    assert expected == list(told.options)
    assert (None if expected else Reason(ReasonCode.OTHERS_FIRST)) == told.obstacle


def test_no_option_helps_what_is_unlike_or_too_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another picture, and one beyond the largest threshold."""
    assert Advice(obstacle=Reason(ReasonCode.UNLIKE)) == Around(thumbnail(1), [thumbnail(2)]).advice()
    monkeypatch.setattr(explain, "MOST_THRESHOLD_BITS", 1)
    far = Around(thumbnail(40), [thumbnail(40, patch=0.02)])
    distance_bits = far.nearest(1)[0].distance_bits
    assert Advice(obstacle=Reason(ReasonCode.THRESHOLD_ENDS, (1, distance_bits))) == far.advice()


def test_the_hashes_of_the_search_count() -> None:
    """Those that the needle was searched by, as far as they are given; the others are made of its picture."""
    needle = thumbnail(1)
    plain = Around(needle, [thumbnail(1)])
    own = fingerprint.search_hash(fingerprint.pixels(needle.pixels), "phash")
    found = Around(needle, [thumbnail(1)], hashes=[own ^ 0b101])
    assert [0, 2] == [one.nearest(1)[0].distance_bits for one in (plain, found)]
