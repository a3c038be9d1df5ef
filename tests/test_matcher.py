"""Matching: which candidate becomes the witness, and that many look-alikes stay affordable."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import evidence, fingerprint
from dupfind.matching import candidates, judge, matcher
from dupfind.pictures import decode
from dupfind.reasons import AT_THUMBNAIL, Reason, ReasonCode
from dupfind.values import BACK, Evidence, Match, Thumbnail
from fixtures import pictures
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot
from tests.helpers.thumbnails import DARKER, LIGHTER, PLAIN, grades, marked, thumbnail


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
    monkeypatch.setattr(judge.evidence, "judge", lambda *args, **named: judged.append(1) or real(*args, **named))
    haystack = {f"/{number}": thumbnail(number, flat=True) for number in range(60)}
    found = desk.match({f"n{number}": thumbnail(number, flat=True) for number in range(30)}, haystack)
    assert {Evidence.SIMILAR} == {match.evidence for match in found.values()}
    assert len(judged) <= 2 * 30


def test_candidates_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound a needle stays `similar`, the safe side, and the run goes on."""
    monkeypatch.setattr(candidates, "MOST_CANDIDATES", 5)
    haystack = {f"/{number:03d}": thumbnail(1, 100 + number, 75 + number) for number in range(20)} | {
        "/z": thumbnail(1)
    }
    assert Evidence.SIMILAR is desk.match({"n": thumbnail(1)}, haystack)["n"].evidence


def test_batches_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One needle at a time or all at once: the same witnesses."""
    needles = {f"n{seed}": thumbnail(seed, turned=seed % 8) for seed in range(12)}
    haystack = {f"/h{seed}-{copy}": thumbnail(seed) for seed in range(6) for copy in range(2)}
    whole = desk.match(needles, haystack)
    monkeypatch.setattr(matcher, "_BATCH_NEEDLES", 1)
    monkeypatch.setattr(matcher, "_SEARCHED_NEEDLES", 1)
    monkeypatch.setattr(matcher, "_BATCH_CANDIDATES", 1)
    monkeypatch.setattr(judge, "_MOST_PREPARED", 1)
    assert whole == desk.match(needles, haystack)
    assert 6 == len(whole)


DIFFERS = Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.PLACE, (AT_THUMBNAIL, "near the right edge")),))


def test_two_frames_are_not_one_picture(desk: Desk) -> None:
    """Each alone is the same as the witness; together only the closest keeps it, and the other says why it does not."""
    haystack = {"/h": PLAIN}
    assert {"a": "same /h"} == grades(desk.match({"a": LIGHTER}, haystack))
    assert {"b": "same /h"} == grades(desk.match({"b": DARKER}, haystack))
    for names in ("ab", "ba"):
        needles = {name: {"a": LIGHTER, "b": DARKER}[name] for name in names}
        found = desk.match(needles, haystack)
        assert {"a": "same /h", "b": "similar /h"} == grades(found)
    assert DIFFERS == found["b"].reason


def test_another_copy_of_the_witness_is_no_way_out(desk: Desk) -> None:
    """The haystack has the one picture twice, re-encoded: that is no second picture for the second needle."""
    noise = np.random.default_rng(2).normal(0, 0.3, (64, 64))
    haystack = {"/h": PLAIN, "/h2": shot(scene() + noise, 1000, 750), "/h3": shot(scene(), 1200, 900)}
    found = desk.match({"a": LIGHTER, "b": DARKER}, haystack)
    assert [Evidence.SAME, Evidence.SIMILAR] == sorted(match.evidence for match in found.values())


def test_what_loses_its_witness_finds_its_own(desk: Desk) -> None:
    """A frame that is darker still has a copy of its own in the haystack, and is proved by that."""
    haystack = {"/h": shot(scene(), 1200, 900), "/z": shot(marked(-4.4), 1000, 750)}
    assert {"b": "same /h"} == grades(desk.match({"b": DARKER}, haystack))
    found = desk.match({"a": LIGHTER, "b": DARKER}, haystack)
    assert {"a": "same /h", "b": "same /z"} == grades(found)


def test_another_witness_may_lie_the_other_way_round(desk: Desk) -> None:
    """The search goes on, turned as well, as if the witness that was lost had not been found."""
    haystack = {"/h": shot(scene(), 1200, 900), "/z": shot(marked(-4.4)[::-1, ::-1], 1000, 750)}
    found = desk.match({"a": LIGHTER, "b": DARKER}, haystack)
    assert {"a": "same /h", "b": "same /z"} == grades(found)


def test_two_copies_of_the_witness_are_one(desk: Desk) -> None:
    """The haystack has the one picture twice, with other hashes: each frame is nearer to another of the two copies."""
    for name, haystack, needles in rival_files():
        alone = [desk.match({path: one}, haystack)[path].evidence for path, one in needles.items()]
        assert [Evidence.SAME] * 2 == alone, name
        found = desk.match(needles, haystack)
        assert [Evidence.SAME, Evidence.SIMILAR] == sorted(match.evidence for match in found.values()), name


def rival_files() -> Iterator[tuple[str, dict[str, Thumbnail], dict[str, Thumbnail]]]:
    """Photos saved at two qualities, and two frames of each with a place that is lighter and darker, all as JPEG."""

    def read(image: Image.Image, quality: int) -> Thumbnail:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        file.seek(0)
        return decode.read_thumbnail(file, "a.jpg", 10**9)

    for seed, down, right in ((9, 177, 249), (20, 57, 433), (28, 42, 104), (35, 366, 478)):
        image = pictures.photo(seed, (640, 480))
        values = np.asarray(image).astype(np.float32)
        place = np.zeros_like(values)
        place[down : down + 30, right : right + 40] = 3
        light, dark = (Image.fromarray((values + sign * place).clip(0, 255).astype(np.uint8)) for sign in (1, -1))
        haystack = {"/h": read(image, 95), "/h2": read(image, 75)}
        yield f"photo {seed}", haystack, {"a": read(light, 92), "b": read(dark, 85)}


@pytest.mark.parametrize("orientation", range(8))
def test_every_turn_can_be_undone(orientation: int) -> None:
    """Two turns in a row leave the picture as it was."""
    picture = np.arange(4096).reshape(64, 64)
    there_and_back = fingerprint.turn(fingerprint.turn(picture, orientation), BACK[orientation])
    assert np.array_equal(picture, there_and_back)


@pytest.mark.parametrize("turn", [2, 5, 7])
def test_a_turned_copy_of_the_witness_is_no_way_out(desk: Desk, turn: int) -> None:
    """The haystack has the one picture twice, once turned: that is no second picture for the second needle."""
    sides = (750, 1000) if turn >= 4 else (1000, 750)
    haystack = {"/h": PLAIN, "/turned": shot(fingerprint.turn(fingerprint.pixels(PLAIN.pixels), turn), *sides)}
    for needle_turn in (0, 2, 5, 7):
        needle_sides = (750, 1000) if needle_turn >= 4 else (1000, 750)
        frames = {
            name: shot(fingerprint.turn(fingerprint.pixels(one.pixels), needle_turn), *needle_sides)
            for name, one in (("a", LIGHTER), ("b", DARKER))
        }
        found = desk.match(frames, haystack)
        assert [Evidence.SAME, Evidence.SIMILAR] == sorted(match.evidence for match in found.values())


def test_the_first_of_those_that_are_only_similar(desk: Desk) -> None:
    """Where none is the same, the nearest and largest is named, not the one that was looked at last."""
    haystack = {f"/{width}": thumbnail(1, width, width * 3 // 4) for width in (160, 320, 240)}
    assert {"n": "similar /320"} == grades(desk.match({"n": thumbnail(1)}, haystack))


def test_copies_of_one_picture_share_their_witness(desk: Desk) -> None:
    """Ten backups of one photo, each encoded anew and of another size, are all present."""
    dice = np.random.default_rng(3)
    needles = {
        f"n{number}": shot(scene() + dice.normal(0, 0.3, (64, 64)), 1000 - number, 750 - number) for number in range(10)
    }
    assert {Evidence.SAME} == {match.evidence for match in desk.match(needles, {"/h": PLAIN}).values()}


def test_two_times_are_not_one_picture(desk: Desk) -> None:
    """Needles with equal pixels and other capture times; the witness has lost its own."""
    times = ("2017:07:18 15:31:30", "2017:07:18 15:31:31")
    needles = {time[-2:]: shot(scene(), 1000, 750, captured=time) for time in times}
    found = desk.match(needles, {"/h": PLAIN})
    assert {"30": "same /h", "31": "similar /h"} == grades(found)
    assert Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.CAPTURE_TIME, times),)) == found["31"].reason


def test_the_turned_frame_is_turned_before_it_is_compared(desk: Desk) -> None:
    """Two copies of one picture, one of them turned, are one picture; two frames of which one is turned are two."""
    upside_down = shot(marked(-2.5)[::-1, ::-1], 1000, 750)
    copies = desk.match({"a": PLAIN, "b": shot(scene()[::-1, ::-1], 1000, 750)}, {"/h": PLAIN})
    assert {"a": "same /h", "b": "same /h"} == grades(copies)
    frames = desk.match({"a": LIGHTER, "b": upside_down}, {"/h": PLAIN})
    assert {"a": "same /h", "b": "similar /h"} == grades(frames)


def test_no_claim_outlasts_the_rounds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search for other witnesses is given up, what is left of the claims falls all the same."""
    monkeypatch.setattr(matcher, "_MOST_CONFLICT_ROUNDS", 0)
    haystack = {"/h": shot(scene(), 1200, 900), "/z": shot(marked(-4.4), 1000, 750)}
    found = desk.match({"a": LIGHTER, "b": DARKER}, haystack)
    assert {"a": "same /h", "b": "similar /h"} == grades(found)
    assert DIFFERS == found["b"].reason
