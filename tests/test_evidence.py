"""Evidence: each rule that keeps a look-alike from being called the same picture, and the figures on real pictures."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.evidence import differences, evidence, fingerprint
from dupfind.pictures import decode
from dupfind.reasons import AT_THUMBNAIL, Reason, ReasonCode
from dupfind.report.reasons import sentence
from dupfind.values import BACK, MIRRORED, NEUTRAL_CHROMA, ORIENTATIONS, Evidence, Thumbnail
from tests.helpers.scenes import Field, grey, scene, shot, waves
from tests.helpers.thumbnails import thumbnail

UNLIKE, SHIFTED = Reason(ReasonCode.UNLIKE), Reason(ReasonCode.SHIFTED)
EDITED = Reason(ReasonCode.BRIGHTNESS, (AT_THUMBNAIL,))
COLOR = Reason(ReasonCode.COLOR, (AT_THUMBNAIL,))
DATA = Path(__file__).parents[2] / "shared" / "data"


def compare(needle: Thumbnail, witness: Thumbnail, orientation: int = 0) -> evidence.Judgement:
    """Judge two thumbnails."""
    return evidence.judge(evidence.prepare(needle), evidence.prepare(witness), orientation, with_full_size=False)


def verdict(needle: Thumbnail, witness: Thumbnail) -> tuple[Evidence | None, Reason | None, list[str]]:
    """Grade, reason and the names of the tests that fail."""
    found = compare(needle, witness)
    return found.evidence, found.reason, [test.name for test in found.tests if not test.passed]


def differs(where: str) -> Reason:
    """Something differs at this place, in the thumbnails."""
    return Reason(ReasonCode.PLACE, (AT_THUMBNAIL, where))


def test_a_re_encoded_copy_is_the_same() -> None:
    """The noise of a codec and a smaller needle leave a copy the same picture, with nothing to say about it."""
    noise = np.random.default_rng(5).normal(0, 0.4, (64, 64))
    assert (Evidence.SAME, None, []) == verdict(shot(scene() + noise, 2000, 1500), shot(scene()))


@pytest.mark.parametrize(("seed", "begin"), [(0, 48), (3, 44)])
def test_a_bar_across_is_no_edit_of_the_whole(seed: int, begin: int) -> None:
    """It moves the tone, and seems to move the picture: what is said is where it lies."""
    barred = scene(seed).copy()
    barred[begin : begin + 12] = 226
    grade, reason, failed = verdict(shot(barred), shot(scene(seed)))
    assert (Evidence.SIMILAR, differs("near the bottom left")) == (grade, reason)
    assert {"shift", "tone", "patch"} <= set(failed)


def test_a_gif_may_differ_more_in_a_place_where_full_size_follows() -> None:
    """There the colours of its palette are known; a GIF as witness, and --quick, keep to the bounds."""
    spotted = scene().copy()
    spotted[30:32, 30:32] += 5
    gif, plain = (shot(picture, format="GIF") for picture in (spotted, scene())), (shot(spotted), shot(scene()))
    dotted, other = (evidence.prepare(thumbnail) for thumbnail in gif)
    needle, witness = (evidence.prepare(thumbnail) for thumbnail in plain)
    assert evidence.judge(dotted, witness, with_full_size=True).evidence is Evidence.SAME
    assert evidence.judge(dotted, witness, with_full_size=False).evidence is Evidence.SIMILAR
    for pair in ((needle, other), (needle, witness)):
        assert evidence.judge(*pair, with_full_size=True).evidence is Evidence.SIMILAR


def test_unlike_pictures_are_no_evidence() -> None:
    """Beyond the bound of the check hash there is nothing, whatever else the two have in common."""
    assert (None, UNLIKE, ["check hash"]) == verdict(shot(scene(1)), shot(scene(2)))


def test_check_bound_lies_below_unrelated_photos() -> None:
    """Unrelated photos start at 84 bits, copies end at 10, and both bounds keep their distance."""
    assert 10 < evidence.STRUCTURE_BOUND[0] < evidence.CHECK_BOUND_BITS <= 76


@given(st.integers(0, 5), st.integers(0, 5), st.sampled_from(sorted(MIRRORED)), st.sampled_from(sorted(MIRRORED)))
def test_what_is_mirrored_is_judged_by_its_pixels(seed: int, other: int, shown: int, asked: int) -> None:
    """As by everything that is known: `similar` for one reason, or nothing."""
    needle = dataclasses.replace(thumbnail(seed, turned=shown), more="a film", captured="2020:01:02 03:04:05", frames=2)
    witness = dataclasses.replace(thumbnail(other), damage="cut", captured="2021:01:02 03:04:05")
    turned = evidence.turned(evidence.prepare(needle), asked)
    judged = evidence.judge(turned, evidence.prepare(witness), asked)
    pixels = fingerprint.pixels(needle.pixels), fingerprint.pixels(witness.pixels)
    (is_mirrored,) = evidence.are_mirrored([(*pixels, asked)])
    expected = (Evidence.SIMILAR, evidence.MIRRORED_ONLY) if is_mirrored else (None, UNLIKE)
    assert expected == (judged.evidence, judged.reason)
    assert (expected[0] is not None) == (seed == other and BACK[shown] == asked)


def test_a_small_shift_is_seen() -> None:
    """Half a thumbnail pixel, 0.8% of the width, shows nowhere in a soft picture except in the motion."""
    soft = [shot(scene(texture=3.0, right=right)) for right in (0.0, 0.5)]
    assert (Evidence.SIMILAR, SHIFTED, ["shift"]) == verdict(*soft)


def test_a_small_crop_is_seen() -> None:
    """A crop by 2% moves the corners by two thirds of a thumbnail pixel and more."""
    found = compare(shot(scene(scale=0.98)), shot(scene()))
    assert (Evidence.SIMILAR, SHIFTED) == (found.evidence, found.reason)


def test_a_faint_local_difference_is_seen() -> None:
    """Three grey levels in one tile are within what a codec does to a small picture, but a codec does it everywhere."""
    values = np.rint(scene(texture=3.0))
    lighter = values.copy()
    lighter[20:24, 48:52] += 3
    expected = (Evidence.SIMILAR, differs("near the right edge"), ["local"])
    assert expected == verdict(shot(lighter, 2400, 1800), shot(values, 2400, 1800))


def test_a_small_outlier_is_seen() -> None:
    """A pixel that is off by less than a codec may do, in a copy that is clean everywhere else."""
    noisy = scene() + np.random.default_rng(5).normal(0, 0.4, (64, 64))
    noisy[10, 8] += 8
    expected = (Evidence.SIMILAR, differs("near the top left"), ["outlier"])
    assert expected == verdict(shot(noisy, 1500, 1000), shot(scene(), 1500, 1000))


def test_a_strong_spot_is_seen() -> None:
    """One pixel of the thumbnail, 0.02% of the area, among noise so strong that it hardly stands out."""
    noisy = scene() + np.random.default_rng(5).normal(0, 2.0, (64, 64))
    noisy[10, 8] += 14
    expected = (Evidence.SIMILAR, differs("near the top left"), ["spot"])
    assert expected == verdict(shot(noisy, 1500, 1000), shot(scene(), 1500, 1000))


def test_wide_faint_differences_are_seen() -> None:
    """Faint shades all over the picture are neither local nor strong anywhere, but too much for a large copy."""
    row, column = np.indices((16, 16))
    is_shaded = np.isin(row % 4, (1, 2)) & np.isin(column % 4, (1, 2))
    tiles = np.where(is_shaded, np.where((row // 4 + column // 4) % 2, 1.6, -1.6), 0.0)
    found = verdict(shot(scene() + np.kron(tiles, np.ones((4, 4)))), shot(scene()))
    assert (Evidence.SIMILAR, ["patch"]) == (found[0], found[2])


def test_changed_tones_are_seen() -> None:
    """A tenth darker is an edit, and an edit is worth keeping."""
    assert (Evidence.SIMILAR, EDITED, ["tone"]) == verdict(shot(scene() * 0.9), shot(scene()))


def test_other_fine_structure_is_seen() -> None:
    """Two small pictures of one soft scene with other faint textures differ in the check hash and in nothing else."""
    one, other = (shot(scene(texture=5.0) + waves(seed), 260, 195) for seed in (1, 2))
    assert (Evidence.SIMILAR, Reason(ReasonCode.STRUCTURE), ["structure"]) == verdict(one, other)


def test_another_shape_is_seen() -> None:
    """The same pixels in a picture of another aspect ratio were stretched or cut."""
    found = verdict(shot(scene(), 4000, 2900), shot(scene(), 4000, 3000))
    assert (Evidence.SIMILAR, Reason(ReasonCode.SHAPE), ["aspect ratio"]) == found


def test_rounded_sizes_are_no_other_shape() -> None:
    """Small sizes are whole pixels: 97 x 64 is 1500 x 1005 made smaller, though its ratio is 1.5% off."""
    assert (Evidence.SAME, None, []) == verdict(shot(scene(), 97, 64), shot(scene(), 1500, 1005))


@pytest.mark.parametrize(
    ("needle", "witness", "expected"),
    [
        ((4000, 3000), (4000, 3000), Evidence.SAME),
        ((1024, 768), (4000, 3000), Evidence.SAME),
        ((4000, 3000), (3800, 2850), Evidence.SAME),
        ((4000, 3000), (3400, 2550), Evidence.SIMILAR),
        ((4000, 3000), (1024, 768), Evidence.SIMILAR),
    ],
)
def test_a_smaller_witness_proves_no_larger_needle(
    needle: tuple[int, int], witness: tuple[int, int], expected: Evidence
) -> None:
    """A smaller needle is a copy of a larger witness and not the reverse; a twentieth less is nothing."""
    assert expected is compare(shot(scene(), *needle), shot(scene(), *witness)).evidence


def test_the_reason_names_both_sizes() -> None:
    """Someone who is about to delete the better copy sees how much better it is."""
    reason = compare(shot(scene(), 4032, 3024), shot(scene(), 1024, 768)).reason
    assert Reason(ReasonCode.SMALLER, (1024, 768, 4032, 3024)) == reason
    assert "the haystack's copy is smaller: 1024 x 768 against 4032 x 3024" == sentence(reason)


@pytest.mark.parametrize(("needle_frames", "witness_frames"), [(2, 1), (1, 2), (3, 3)])
def test_animations_are_at_most_similar(needle_frames: int, witness_frames: int) -> None:
    """The first frame proves nothing of the rest, on whichever side they are."""
    found = verdict(shot(scene(), frames=needle_frames), shot(scene(), frames=witness_frames))
    assert (Evidence.SIMILAR, Reason(ReasonCode.FRAMES), ["frames"]) == found


def test_another_capture_time_is_another_shot() -> None:
    """Equal pixels two seconds apart are a burst; the reason names both times."""
    one, other = "2017:07:18 15:31:30", "2017:07:18 15:31:32"
    found = verdict(shot(scene(), captured=one), shot(scene(), captured=other))
    assert (Evidence.SIMILAR, Reason(ReasonCode.CAPTURE_TIME, (one, other)), ["capture time"]) == found


def test_a_corrected_time_zone_is_the_same_shot() -> None:
    """Whole hours apart is what a camera's clock set right looks like."""
    one, other = "2017:07:18 15:31:30.25+02:00", "2017:07:18 17:31:30.250"
    assert (Evidence.SAME, None, []) == verdict(shot(scene(), captured=one), shot(scene(), captured=other))


def two_tone() -> Field:
    """A black disc on white."""
    down, across = np.mgrid[0:64, 0:64]
    return np.where(np.hypot(down - 30, across - 34) > 20, 255.0, 0.0)


def text_page() -> Field:
    """Lines of small print on white, as the thumbnail averages them."""
    down, across = np.mgrid[0:64, 0:64]
    words = np.random.default_rng(2).uniform(0, 60, (64, 64))
    return np.where((down % 3 == 1) & (across > 6) & (across < 58), 255.0 - words, 255.0)


@pytest.mark.parametrize(
    ("values", "size", "expected"),
    [
        (scene() / 12, (4000, 3000), ReasonCode.LOW_CONTRAST),
        (np.full((64, 64), 200.0), (4000, 3000), ReasonCode.LOW_CONTRAST),
        (np.where(two_tone() > 0, 3.0, 60.0), (4000, 3000), ReasonCode.TWO_TONES),
        (two_tone(), (4000, 3000), ReasonCode.TWO_TONES),
        (text_page(), (2480, 3508), ReasonCode.TEXT),
        (scene(), (26, 19), ReasonCode.TOO_SMALL),
    ],
)
def test_low_information_is_at_most_similar(values: Field, size: tuple[int, int], expected: ReasonCode) -> None:
    """Nearly black, flat, two-tone, text and tiny pictures are proved by equal bytes and by nothing else."""
    found = verdict(shot(values, *size), shot(values, *size))
    assert (Evidence.SIMILAR, Reason(expected), ["low information"]) == found


def test_one_weak_side_is_enough() -> None:
    """A tiny needle is not proved by a large witness either."""
    found = compare(shot(scene(), 26, 19), shot(scene()))
    assert (Evidence.SIMILAR, Reason(ReasonCode.TOO_SMALL)) == (found.evidence, found.reason)


def test_what_no_thumbnail_shows_counts_as_well() -> None:
    """Equal thumbnails of a sharp needle and a blurred witness, or of one that has a quarter of the bytes."""
    sharp, blurred = (shot(scene(), detail=detail) for detail in (8.0, 3.0))
    assert (Evidence.SIMILAR, ["detail"]) == verdict(sharp, blurred)[::2]
    assert Evidence.SAME is verdict(blurred, sharp)[0]
    rich, poor = (shot(scene(), quality=90, data_bytes=length) for length in (4_000_000, 1_000_000))
    assert (Evidence.SIMILAR, ["bits", "data"]) == verdict(rich, poor)[::2]
    assert Evidence.SAME is verdict(poor, rich)[0]


def test_a_weak_witness_is_enough() -> None:
    """A page of text in the haystack proves no needle, whatever the needle shows."""
    found = verdict(shot(scene()), shot(scene(), text=0.3))
    assert (Evidence.SIMILAR, Reason(ReasonCode.TEXT), ["low information"]) == found


@pytest.mark.parametrize(("text", "expected"), [(0.0, Evidence.SAME), (0.21, Evidence.SAME), (0.22, Evidence.SIMILAR)])
def test_text_is_at_most_similar(text: float, expected: Evidence) -> None:
    """The share of fine marks on an even ground counts, which no thumbnail shows."""
    assert expected is verdict(shot(scene(), text=text), shot(scene(), text=text))[0]


@pytest.mark.parametrize(("deviation", "reason"), [(8.4, None), (7.6, Reason(ReasonCode.LOW_CONTRAST))])
def test_contrast_below_which_nothing_is_proved(deviation: float, reason: Reason | None) -> None:
    """The standard deviation of the thumbnail, in grey levels."""
    flat = (scene() - scene().mean()) / scene().std() * deviation + 136
    assert reason == verdict(shot(flat), shot(flat))[1]


@pytest.mark.parametrize(
    ("needle", "witness", "noise"),
    [
        ({"quality": 90}, {"quality": 90}, 0.7 * 2**0.5 / 1000),
        ({"quality": 79}, {"quality": 64}, math.hypot(0.85, 1.0) / 1000),
        ({"quality": 44}, {"quality": 27}, math.hypot(1.5, 2.5) / 1000),
        ({"quality": 28}, {"quality": 45}, math.hypot(1.5, 1.0) / 1000),
        ({"format": "PNG"}, {"format": "PNG"}, 0.15 * 2**0.5 / 1000),
        ({"format": "PNG"}, {"format": "WEBP"}, math.hypot(0.15, 1.0) / 1000),
        ({"format": "HEIF"}, {"format": "TIFF"}, math.hypot(0.15, 1.0) / 1000),
        ({"format": "GIF"}, {"format": "PNG"}, math.hypot(1.5, 0.15) / 1000),
        ({"quality": 90, "width": 100, "height": 100}, {"quality": 90}, math.hypot(0.007, 0.0007)),
        ({"quality": 20, "width": 30, "height": 30}, {"quality": 90}, 0.04),
    ],
)
def test_bounds_grow_with_the_noise_of_both(needle: dict[str, Any], witness: dict[str, Any], noise: float) -> None:
    """By what each codec leaves at its quality, less in large pictures; up to a limit.

    The figures were measured: whoever moves one measures again, and this test is where it shows.
    """
    expected = {
        "shift": 0.3 + 4 * noise,
        "tone": 4.0,
        "local": 2.95 + 300 * noise,
        "outlier": 2.35 + 200 * noise,
        "spot": 2.2 + 480 * noise,
        "patch": 0.9 + 450 * noise,
        "colour": 7.5 + 200 * noise,
        "structure": 14 + 500 * noise,
    }
    sides = (shot(scene(), **{"width": 1000, "height": 1000, **facts}) for facts in (needle, witness))
    bounds = {test.name: test.bound for test in compare(*sides).tests}
    assert pytest.approx(expected) == {name: bounds[name] for name in expected}


def test_a_small_copy_is_compared_at_its_own_detail() -> None:
    """Of a picture reduced to 24 x 20 pixels the fine texture is gone, on whichever side it lies."""
    large = Image.fromarray(grey(scene(2, texture=14.0)))
    for width, height in ((24, 20), (64, 20), (24, 64)):
        small = large.resize((width, height), Image.Resampling.LANCZOS).resize((64, 64), Image.Resampling.LANCZOS)
        one = evidence.prepare(shot(np.asarray(large).astype(float)))
        other = evidence.prepare(shot(np.asarray(small).astype(float), width, height))
        judged = evidence.judge(one, other), evidence.judge(other, one)
        spots = [test.value for judgement in judged for test in judgement.tests if test.name == "spot"]
        assert spots[0] == pytest.approx(spots[1])
        assert spots[0] < min(2.0, differences.compare(one.surface, other.surface).spot / 2)


@pytest.mark.parametrize("pixel", [(0, 30), (63, 40), (30, 0), (40, 63)])
def test_a_change_at_the_rim_is_seen(pixel: tuple[int, int]) -> None:
    """It counts less, because encoders pad there, but nobody's face at the edge of a picture goes unseen."""
    changed = scene(texture=3.0)
    down, right = pixel
    changed[max(0, down - 1) : down + 2, max(0, right - 1) : right + 2] += 12
    found = compare(shot(changed), shot(scene(texture=3.0)))
    assert Evidence.SIMILAR is found.evidence


@pytest.mark.parametrize(
    ("needles", "expected"),
    [
        ((scene(), scene()), None),
        ((scene(), scene(2)), UNLIKE),
        ((scene(texture=3.0), scene(texture=3.0, right=0.4)), None),
        ((scene(texture=3.0), scene(texture=3.0, right=0.55)), SHIFTED),
        ((scene(), scene() * 0.8), EDITED),
    ],
)
def test_needles_differ_by_wider_bounds(needles: tuple[Field, Field], expected: Reason | None) -> None:
    """By one and a half of the bound of a copy: 0.45 pixels of motion, where 0.3 is no copy any more."""
    one, other = (evidence.prepare(shot(values)) for values in needles)
    assert expected == evidence.differ(one, other) == evidence.differ(other, one)


@pytest.mark.parametrize(("share", "expected"), [(0.95, None), (1.05, EDITED)])
def test_slack_between_needles(share: float, expected: Reason | None) -> None:
    """One and a half, to the point."""
    one, other = (evidence.prepare(shot(scene() + level)) for level in (0.0, 6.0 * share))
    assert expected == evidence.differ(one, other)


def test_what_a_needle_lacks_does_not_make_it_another() -> None:
    """Size, quality, detail, shape, damage and frames are no signs of another picture; time and colour are."""
    plain = evidence.prepare(shot(scene(), captured="2017:07:18 15:31:30"))
    lacking = {"quality": 20, "detail": 9.0, "damage": "broken", "frames": 2, "more": "a video", "text": 0.9}
    assert evidence.differ(plain, evidence.prepare(shot(scene(), 400, 290, **lacking))) is None
    later = evidence.prepare(shot(scene(), captured="2017:07:18 15:31:31"))
    times = "2017:07:18 15:31:30", "2017:07:18 15:31:31"
    assert Reason(ReasonCode.CAPTURE_TIME, times) == evidence.differ(plain, later)
    red = evidence.prepare(shot(scene(), chroma=bytes([100] * 64 + [170] * 64)))
    assert COLOR == evidence.differ(plain, red) == evidence.differ(red, plain)


def test_closeness_is_the_worst_share_of_a_bound() -> None:
    """Of the tests on pixels: 1 is where a copy ends."""
    found = compare(shot(scene() + 2.0), shot(scene()))
    assert 0.5 == pytest.approx(found.closeness, abs=0.01)
    assert compare(shot(scene()), shot(scene())).closeness < 0.01
    assert compare(shot(scene() + 6.0), shot(scene())).closeness > 1


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_turned_copies(orientation: int) -> None:
    """A copy turned by quarter turns is the same, which it says; a mirrored one is at most similar."""
    upright = evidence.prepare(shot(scene()))
    turned = evidence.turned(upright, orientation)
    found = evidence.judge(turned, turned, orientation)
    turns = {index: Reason(ReasonCode.TURNED, (degrees,)) for index, degrees in ((2, 180), (5, 90), (7, 90))}
    reasons = {0: None, **turns}
    grade = Evidence.SIMILAR if orientation in MIRRORED else Evidence.SAME
    assert (grade, reasons.get(orientation, Reason(ReasonCode.MIRRORED))) == (found.evidence, found.reason)
    assert ((3000, 4000) if orientation >= 4 else (4000, 3000)) == (turned.thumbnail.width, turned.thumbnail.height)
    assert fingerprint.turn(upright.surface.pixels, orientation).tolist() == turned.surface.pixels.tolist()


def test_facts_come_before_pixels() -> None:
    """Of several reasons the one that a person can check comes first."""
    needle, witness = shot(scene(scale=0.95), captured="2017:07:18 15:31:30"), shot(scene(), 1000, 800)
    later = dataclasses.replace(witness, captured="2017:07:18 15:31:44")
    assert Reason(ReasonCode.SHAPE) == compare(needle, witness).reason
    times = "2017:07:18 15:31:30", "2017:07:18 15:31:44"
    assert Reason(ReasonCode.CAPTURE_TIME, times) == compare(needle, later).reason


def test_reasons_fit_a_line() -> None:
    """No reason is longer than a table's line, with the largest sizes and times."""
    times = "2017:07:18 15:31:30.123456+02:00", "2017:07:18 15:31:32.123456+02:00"
    apart = compare(shot(scene(), captured=times[0]), shot(scene(), captured=times[1])).reason
    smaller = compare(shot(scene(), 40000, 30000), shot(scene(), 16000, 12000)).reason
    for reason in (apart, smaller):
        assert reason is not None
        assert len(sentence(reason)) <= 70


def test_colour_lost_or_changed_is_not_the_same() -> None:
    """A black-and-white witness and another colour are `similar`, each with its reason, whatever the greys say."""
    red = bytes([100] * 64 + [170] * 64)
    colourful, grey = (dataclasses.replace(shot(scene()), chroma=chroma) for chroma in (red, NEUTRAL_CHROMA))
    assert (Evidence.SIMILAR, Reason(ReasonCode.NO_COLOR), ["colour"]) == verdict(colourful, grey)
    assert (Evidence.SIMILAR, COLOR, ["colour"]) == verdict(grey, colourful)
    assert (Evidence.SAME, None, []) == verdict(colourful, colourful)


def test_colour_is_compared_tile_by_tile() -> None:
    """One tile of another colour is enough, up to the bound it is noise, and the tiles turn with the picture."""
    near, far = (bytes([128] * 9 + [128 + step] + [128] * 118) for step in (7, 9))
    plain = shot(scene())
    assert Evidence.SAME is verdict(plain, dataclasses.replace(plain, chroma=near))[0]
    assert ["colour"] == verdict(plain, dataclasses.replace(plain, chroma=far))[2]
    turned = evidence.turned(evidence.prepare(dataclasses.replace(plain, chroma=far)), 2)
    assert 137 == turned.colour[0, 6, 6]


patterns = st.binary(min_size=1, max_size=64).map(lambda pattern: (pattern * 4096)[:4096])
noise = st.integers(0, 999).map(lambda seed: np.random.default_rng(seed).bytes(4096))
scenes = st.integers(0, 999).map(lambda seed: shot(scene(seed)).pixels)
thumbnails = st.builds(
    Thumbnail,
    pixels=patterns | noise | scenes,
    width=st.integers(1, 20000),
    height=st.integers(1, 20000),
    format=st.just("PNG"),
    frames=st.just(1),
    captured=st.none() | st.just("2017:07:18 15:31:30") | st.text(max_size=30),
)


@pytest.mark.slow
@given(thumbnails)
def test_a_picture_is_itself(thumbnail: Thumbnail) -> None:
    """Against itself every picture is the same, unless it shows too little; then it is similar and says so."""
    picture = evidence.prepare(thumbnail)
    expected = (Evidence.SAME, None) if picture.weakness is None else (Evidence.SIMILAR, Reason(picture.weakness))
    found = evidence.judge(picture, picture, with_full_size=False)
    assert expected == (found.evidence, found.reason)


@pytest.mark.slow
@given(thumbnails, thumbnails, st.integers(0, ORIENTATIONS - 1))
def test_judgement_is_deterministic(needle: Thumbnail, witness: Thumbnail, orientation: int) -> None:
    """Two preparations of two thumbnails give one answer, and `same` only when every test passed."""
    first, second = (compare(needle, witness, orientation) for _ in range(2))
    assert first == second
    assert (first.evidence is Evidence.SAME) == all(test.passed for test in first.tests)


def pictures(folder: str) -> Callable[[str], evidence.Picture]:
    """What prepares the pictures of a folder of real data, each once, or a skip with its reason."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real pictures in {DATA / folder}")
    known: dict[str, evidence.Picture] = {}

    def picture(name: str) -> evidence.Picture:
        if name not in known:
            with (DATA / folder / name).open("rb") as file:
                known[name] = evidence.prepare(decode.read_thumbnail(file, name, 10**9))
        return known[name]

    return picture


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table of tab-separated values."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.slow
def test_siblings_that_moved_are_never_the_same() -> None:
    """Frames of a static camera in which something moved: 149 pairs, none of them the same picture."""
    picture = pictures("siblings")
    moved = [row for row in rows(DATA / "siblings" / "moved.tsv") if float(row["moved_fraction"]) >= 0.005]
    found = [evidence.judge(picture(row["frame_a"]), picture(row["frame_b"])).evidence for row in moved]
    assert (149, 0) == (len(found), found.count(Evidence.SAME))


@pytest.mark.slow
def test_resized_copies_are_the_same_within_their_group() -> None:
    """Copies resized by 0.95 to 1.05: a pair of a group is the same, in both directions; a pair across is nothing."""
    picture = pictures("groups")
    listed = [(row["group"], picture(row["file"])) for row in rows(DATA / "groups" / "groups.tsv")]
    within: list[Evidence | None] = []
    across: list[Evidence | None] = []
    for group, needle in listed:
        for other, witness in listed:
            (within if group == other else across).append(evidence.judge(needle, witness).evidence)
    assert ({Evidence.SAME}, {None}) == (set(within), set(across))
