"""Facts: what two files say of themselves, each rule alone and at its bound."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from dupfind.evidence import capture_times, evidence, facts
from dupfind.reasons import AT_THUMBNAIL, Reason, ReasonCode
from dupfind.report.reasons import sentence
from dupfind.values import MIRRORED, ORIENTATIONS, Evidence, Thumbnail
from tests.helpers.scenes import scene, shot

PLAIN = Thumbnail(bytes(4096), 4000, 3000, "JPEG", 1, None)
BLURRED = Reason(ReasonCode.LESS_DETAIL, (AT_THUMBNAIL,))
STARVED = Reason(ReasonCode.LESS_DETAIL_FOR_SIZE)


def failed(needle: dict[str, Any], witness: dict[str, Any], orientation: int = 0) -> list[tuple[str, Reason]]:
    """The facts that speak against the pair, each with its reason; both are a plain JPEG of 12 megapixels otherwise."""
    one, other = (dataclasses.replace(PLAIN, **changes) for changes in (needle, witness))
    moments = capture_times.parse(one.captured), capture_times.parse(other.captured)
    found = (*facts.findings(one, other, orientation, moments), *facts.losses(one, other))
    return [(test.name, reason) for test, reason in found if not test.passed]


def test_two_plain_files_have_nothing_against_each_other() -> None:
    """Every fact passes, each by another name."""
    found = (*facts.findings(PLAIN, PLAIN, 0, (None, None)), *facts.losses(PLAIN, PLAIN))
    assert [] == failed({}, {})
    assert len(found) == len({test.name for test, _ in found}) == 12


def test_a_bound_is_kept_by_its_own_value() -> None:
    """Equal passes, more does not, and what is no number is no proof."""
    assert facts.at_most("x", 1, 1).passed
    assert not facts.at_most("x", 1.0001, 1).passed
    assert not facts.at_most("x", math.nan, 1).passed


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_mirror_images(orientation: int) -> None:
    """The four that mirror, and not the four that turn."""
    expected = [("mirrored", Reason(ReasonCode.MIRRORED))] if orientation in MIRRORED else []
    assert expected == failed({}, {}, orientation)


def test_another_moment() -> None:
    """Two times are two shots; one time alone tells nothing, and a whole hour is a time zone."""
    early, late, zone = (f"2017:07:18 {clock}" for clock in ("15:31:30", "15:31:32", "16:31:30"))
    reason = Reason(ReasonCode.CAPTURE_TIME, (early, late))
    assert [("capture time", reason)] == failed({"captured": early}, {"captured": late})
    assert [] == failed({"captured": early}, {})
    assert [] == failed({}, {"captured": late})
    assert [] == failed({"captured": early}, {"captured": zone})


def test_a_witness_of_256_colours() -> None:
    """A GIF proves GIFs only."""
    reason = Reason(ReasonCode.FEWER_COLORS)
    assert [("palette", reason)] == failed({}, {"format": "GIF"})
    assert [] == failed({"format": "GIF"}, {"format": "GIF"})
    assert [] == failed({"format": "GIF"}, {})


def test_more_in_the_needle() -> None:
    """A video behind the needle's picture would be lost; one behind the witness's is kept."""
    reason = Reason(ReasonCode.MORE_IN_FILE, ("a video",))
    assert [("more in the file", reason)] == failed({"more": "a video"}, {})
    assert [("more in the file", reason)] == failed({"more": "a video"}, {"more": "a video"})
    assert [] == failed({}, {"more": "a video"})


@pytest.mark.parametrize(("needle", "witness"), [(2, 1), (1, 2), (3, 3)])
def test_more_frames_than_were_compared(needle: int, witness: int) -> None:
    """On whichever side they are."""
    reason = Reason(ReasonCode.FRAMES)
    assert [("frames", reason)] == failed({"frames": needle}, {"frames": witness})


def test_damage_on_either_side() -> None:
    """A damaged needle is not proved, a damaged witness proves nothing, and the reason says which it is."""
    broken = "its JPEG data is damaged: no end marker"
    own, others = (Reason(code, (broken,)) for code in (ReasonCode.DAMAGED, ReasonCode.WITNESS_DAMAGED))
    assert [("damage", own)] == failed({"damage": broken}, {})
    assert [("damage", others)] == failed({}, {"damage": broken})
    assert [("damage", own)] == failed({"damage": broken}, {"damage": "another"})
    assert [broken, f"the haystack's copy: {broken}"] == [sentence(own), sentence(others)]


@pytest.mark.parametrize(
    ("needle", "witness", "fails"),
    [
        ((4000, 3000), (2000, 1500), False),
        ((4000, 2950), (4000, 3000), True),
        ((3950, 3000), (4000, 3000), False),
        ((3900, 3000), (4000, 3000), True),
        ((3000, 4000), (4000, 3000), True),
        ((97, 64), (1500, 1005), False),
        ((97, 63), (1500, 1005), True),
    ],
)
def test_another_shape(needle: tuple[int, int], witness: tuple[int, int], fails: bool) -> None:
    """Stretched or cut by more than 1.5%, and what rounding a small size to whole pixels can do besides."""
    sides = [dict(zip(("width", "height"), size, strict=True)) for size in (needle, witness)]
    assert fails == ("aspect ratio" in dict(failed(sides[0] | {"detail": 0}, sides[1] | {"detail": 0})))


@pytest.mark.parametrize(
    ("witness", "fails"), [((4000, 3000), False), ((3600, 2700), False), ((3599, 2700), True), ((3600, 2699), True)]
)
def test_a_smaller_witness(witness: tuple[int, int], fails: bool) -> None:
    """A tenth less in width or in height cannot be seen, more can; the reason names both sizes."""
    width, height = witness
    reason = Reason(ReasonCode.SMALLER, (width, height, 4000, 3000))
    assert ([("size", reason)] if fails else []) == failed({}, {"width": width, "height": height})


def test_a_smaller_needle() -> None:
    """A preview of what the haystack holds whole."""
    assert [] == failed({"width": 400, "height": 300}, {})


@pytest.mark.parametrize(
    ("needle", "witness", "against"),
    [
        ({"quality": 95}, {"quality": 25}, 95),
        ({"quality": 70}, {"quality": 49}, 70),
        ({"quality": 69}, {"quality": 49}, None),
        ({"quality": 95}, {"quality": 50}, None),
        ({"quality": 25}, {"quality": 25}, None),
        ({"quality": 25}, {"quality": 95}, None),
        ({"format": "PNG"}, {"quality": 49}, 0),
        ({"format": "TIFF"}, {"quality": 30}, 0),
        ({"format": "HEIF"}, {"quality": 30}, 0),
        ({"quality": 95}, {"format": "PNG"}, None),
    ],
)
def test_a_witness_compressed_much_more(needle: dict[str, Any], witness: dict[str, Any], against: int | None) -> None:
    """By more than 20 steps of quality, down to below 50; what has lost nothing counts as 100."""
    found = failed(needle, witness)
    if against is None:
        assert [] == found
        return
    assert [("compression", Reason(ReasonCode.LOWER_QUALITY, (witness["quality"], against)))] == found
    said = f"JPEG quality about {witness['quality']} against {f'about {against}' if against else 'nothing lost'}"
    assert f"the haystack's copy is compressed much more: {said}" == sentence(found[0][1])


@pytest.mark.parametrize(
    ("needle", "witness", "fails"),
    [
        ((90, 3_200_000), (90, 1_000_000), False),
        ((90, 3_210_000), (90, 1_000_000), True),
        ((90, 1_000_000), (90, 3_210_000), False),
        ((None, 3_210_000), (90, 1_000_000), False),
        ((90, 3_210_000), (None, 1_000_000), False),
        ((45, 3_210_000), (55, 1_000_000), False),
        ((90, 0), (90, 1_000_000), False),
        ((90, 3_210_000), (90, 0), False),
    ],
)
def test_less_data_at_one_quality(needle: tuple[int | None, int], witness: tuple[int | None, int], fails: bool) -> None:
    """A third of the bytes at one size and quality is a picture with less to see; both have to be JPEG, and known."""
    sides = [dict(zip(("quality", "data_bytes"), side, strict=True)) for side in (needle, witness)]
    assert ([("data", STARVED)] if fails else []) == [finding for finding in failed(*sides) if finding[0] != "bits"]


@pytest.mark.parametrize(
    ("needle", "witness", "fails"),
    [
        ((98, 6_700_000), (75, 1_300_000), True),
        ((98, 3_000_000), (75, 1_000_000), False),
        ((98, 3_010_000), (75, 1_000_000), True),
        ((98, 1_000_000), (75, 3_010_000), False),
        ((None, 9_000_000), (75, 1_000_000), False),
        ((98, 9_000_000), (None, 1_000_000), False),
        ((98, 0), (75, 1_000_000), False),
        ((98, 9_000_000), (75, 0), False),
    ],
)
def test_a_third_of_the_bits(needle: tuple[int | None, int], witness: tuple[int | None, int], fails: bool) -> None:
    """Two JPEGs of one size, of which one was compressed much more, whatever their tables say; the sizes are told."""
    sides = [dict(zip(("quality", "data_bytes"), side, strict=True)) for side in (needle, witness)]
    bits = [reason for name, reason in failed(*sides) if name == "bits"]
    assert fails == bool(bits)
    if needle == (98, 6_700_000):
        assert [Reason(ReasonCode.FEWER_BYTES, (1_300_000, 6_700_000))] == bits
        assert "the haystack's copy is compressed much more: 1.3 MB against 6.7 MB" == sentence(bits[0])
    larger = sides[1] | {"width": 8000, "height": 6000}
    assert [] == [reason for name, reason in failed(sides[0], larger) if name == "bits"]


@pytest.mark.parametrize(("quality", "scale"), [(100, 0.04), (98, 0.04), (75, 0.5), (50, 1.0)])
def test_bytes_are_compared_at_one_quality(quality: int, scale: float) -> None:
    """A picture of a high quality has more bytes than one of quality 50: by libjpeg's scale, to the power of -0.7."""
    at_bound = 1_000_000 * scale**-0.7 * facts.DATA_BOUND
    for length, expected in ((int(at_bound), []), (int(at_bound * 1.01), [("data", STARVED)])):
        needle, witness = {"quality": quality, "data_bytes": length}, {"quality": 50, "data_bytes": 1_000_000}
        assert expected == [finding for finding in failed(needle, witness) if finding[0] != "bits"]


@pytest.mark.parametrize(
    ("needle_bytes", "witness_bytes", "said"),
    [
        (6_700_000, 3_000_000, "the needle is the better copy: 6.7 MB of image data against 3.0 MB"),
        (1_500_000, 1_000_000, "the needle is the better copy: 1.5 MB of image data against 1.0 MB"),
        (1_490_000, 1_000_000, None),
        (1_000_000, 3_000_000, None),
    ],
)
def test_the_needle_is_the_better_copy(needle_bytes: int, witness_bytes: int, said: str | None) -> None:
    """Told from one and a half times the bits on, of two JPEGs of one size."""
    needle = dataclasses.replace(PLAIN, quality=97, data_bytes=needle_bytes)
    witness = dataclasses.replace(PLAIN, quality=90, data_bytes=witness_bytes)
    found = facts.better_copy(needle, witness)
    assert said == (None if found is None else sentence(found))
    assert found in (None, Reason(ReasonCode.MORE_COMPRESSED, (needle_bytes, witness_bytes)))
    assert facts.better_copy(needle, dataclasses.replace(witness, quality=None)) is None
    assert facts.better_copy(needle, dataclasses.replace(witness, width=8000)) is None


def test_a_reduced_copy_may_be_sharper() -> None:
    """Programs that make pictures smaller sharpen them; twice as much detail is too much even so."""
    small = {"width": 1600, "height": 1200}
    assert [] == failed(small | {"detail": 5.5}, {"detail": 3.5})
    assert ["detail"] == [name for name, _ in failed(small | {"detail": 7.5}, {"detail": 3.5})]
    assert ["detail"] == [name for name, _ in failed({"width": 3600, "height": 2700, "detail": 5.5}, {"detail": 3.5})]


@pytest.mark.parametrize(
    ("needle", "witness", "fails"),
    [
        ({"detail": 4.1}, {"detail": 3.5}, False),
        ({"detail": 4.11}, {"detail": 3.5}, True),
        ({"detail": 3.5}, {"detail": 9.0}, False),
        ({"detail": 4.11, "quality": 80}, {"detail": 3.5}, True),
        ({"detail": 4.5, "quality": 79}, {"detail": 3.5}, False),
        ({"detail": 4.51, "quality": 60}, {"detail": 3.5}, True),
        ({"detail": 4.9, "quality": 59}, {"detail": 3.5}, False),
        ({"detail": 4.91, "quality": 59}, {"detail": 3.5}, True),
        ({"detail": 0.5}, {"detail": 0.4}, False),
        ({"detail": 0.5}, {"detail": 0.0}, True),
    ],
)
def test_less_detail(needle: dict[str, Any], witness: dict[str, Any], fails: bool) -> None:
    """What a blurred or enlarged witness lacks; blocks of a poor needle are no detail, nor is a little noise."""
    assert ([("detail", BLURRED)] if fails else []) == failed(needle, witness)


def test_losses_are_said_last() -> None:
    """That something was added says more than that it is sharper: what the pixels show comes before what is lost."""
    plain, added = scene(1), scene(1)
    added[20:28, 20:28] += 60
    facts_of_the_needle = {"detail": 9.0, "data_bytes": 9_000_000, "quality": 90}
    blurred = evidence.prepare(shot(plain, detail=1.0, data_bytes=100_000, quality=90))
    for values, code in ((added, ReasonCode.PLACE), (plain, ReasonCode.FEWER_BYTES)):
        judgement = evidence.judge(evidence.prepare(shot(values, **facts_of_the_needle)), blurred)
        assert Evidence.SIMILAR is judgement.evidence
        assert judgement.reason is not None
        assert code is judgement.reason.code
        assert {"data", "detail"} == {test.name for test in judgement.tests[-2:] if not test.passed}
