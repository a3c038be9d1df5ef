"""Capture times: what counts as the same moment, and that no text is too odd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence import capture_times

NOON = "2017:07:18 12:00:00"


def two_shots(one: str | None, other: str | None) -> bool:
    """Whether two spelled times are of two shots."""
    return capture_times.are_two_shots(capture_times.parse(one), capture_times.parse(other))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "2017-07-18 12:00:00",
        "2017:02:30 12:00:00",
        "2017:07:18 24:00:00",
        "0000:00:00 00:00:00",
        "2017:07:18 12:00:00.",
        "2017:07:18 12:00:00+2:00",
        "\u0662\u0660\u0661\u0667:07:18 12:00:00",  # digits, but not those of EXIF
    ],
)
def test_malformed_times_are_no_times(text: str | None) -> None:
    """What is not spelled as EXIF spells it, or is no date, is ignored: it neither proves nor denies."""
    assert (None, False) == (capture_times.parse(text), two_shots(text, NOON))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NOON, NOON),
        (NOON, None),
        (NOON, f"{NOON}.25"),
        (f"{NOON}.5", f"{NOON}.500"),
        (f"{NOON}+02:00", "2017:07:18 10:00:00+00:00"),
        (f"{NOON}+02:00", "2017:07:18 10:00:00Z"),
        (f"{NOON}-05:30", "2017:07:18 17:30:00Z"),
        (f"{NOON}+02:00", NOON),
        (f"{NOON}+02:00", f"{NOON}+01:00"),
        (NOON, "2017:07:18 14:00:00"),
        (NOON, "2017:07:18 17:45:00"),
        (NOON, "2017:07:17 22:00:00"),
        (f"{NOON}.25", "2017:07:18 13:00:00.25"),
    ],
)
def test_spellings_and_time_zones_are_no_other_shot(one: str, other: str | None) -> None:
    """One instant spelled in two ways and a corrected time zone are the same shot, in both directions."""
    assert (False, False) == (two_shots(one, other), two_shots(other, one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NOON, "2017:07:18 12:00:01"),
        (NOON, "2017:07:18 12:10:00"),
        (NOON, "2017:07:20 12:00:00"),
        (f"{NOON}.25", f"{NOON}.75"),
        (f"{NOON}.25", "2017:07:18 13:00:00.75"),
        (f"{NOON}+02:00", "2017:07:18 10:00:01+00:00"),
        (f"{NOON}+02:00", "2017:07:18 12:00:07"),
        (f"{NOON}+14:00", "2017:07:19 08:00:00-12:00"),
    ],
)
def test_other_moments_are_other_shots(one: str, other: str) -> None:
    """Seconds, minutes, fractions of a second and days apart are two shots, in both directions."""
    assert (True, True) == (two_shots(one, other), two_shots(other, one))


@given(st.text() | st.from_regex(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d(\.\d*)?([+-]\d\d:\d\d|Z)?", fullmatch=True))
def test_no_text_raises(text: str) -> None:
    """Whatever stands in the file, parsing gives a moment or None, and a moment is never another shot than itself."""
    assert two_shots(text, text) is False


def test_known_zones_leave_nothing_to_correct() -> None:
    """With both zones known a shot a quarter of an hour later is another shot; the same instant or clock is not."""
    first = "2017:07:18 15:31:30+02:00"
    assert two_shots(first, "2017:07:18 15:46:30+02:00")
    assert two_shots(first, "2017:07:18 16:31:30+02:00")
    assert not two_shots(first, "2017:07:18 14:31:30+01:00")
    assert not two_shots(first, "2017:07:18 15:31:30+01:00")
    assert not two_shots(first, "2017:07:18 16:31:30")
