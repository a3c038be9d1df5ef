"""Capture times as EXIF spells them: text to a moment, and whether two moments are of two shots; pure.

Reads what :mod:`dupfind.pictures.decode` writes, ``YYYY:MM:DD HH:MM:SS[.frac][+hh:mm]``, and takes anything else for no
time at all: a wrong clock costs a proof, a text that nobody understands must not. Knows nothing of pictures.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

_SPELLING = re.compile(r"(\d{4}:\d\d:\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:([+-])(\d\d):(\d\d)|(Z))?", re.ASCII)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_ZONE_STEP_SECONDS = 15 * 60
_ZONE_SPAN_SECONDS = 26 * 3600
"""From UTC-12 to UTC+14: no correction of the time zone moves a clock further."""


class Moment(NamedTuple):
    """When a picture was taken, as far as its file tells."""

    seconds: int
    """Seconds of the local clock since the year 1."""
    fraction: str | None
    """Digits of the second's fraction without their trailing zeros; None when the file gives none."""
    offset_seconds: int | None
    """Local clock minus UTC; None when the file gives none."""


def parse(text: str | None) -> Moment | None:
    """Parse the moment that ``text`` names; None when there is no text or it is malformed. Never raises.

    >>> parse("2017:07:18 15:31:30.250+02:00").fraction
    '25'
    >>> parse("yesterday") is None
    True
    """
    match = _SPELLING.fullmatch(text) if text is not None else None
    if match is None:
        return None
    clock, fraction, sign, hours, minutes, zulu = match.groups()
    try:
        moment = datetime.strptime(f"{clock}Z", "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return None
    offset = None
    if zulu:
        offset = 0
    elif sign:
        offset = (int(hours) * 60 + int(minutes)) * (-60 if sign == "-" else 60)
    since = moment - _EPOCH
    return Moment(since.days * 86400 + since.seconds, None if fraction is None else fraction.rstrip("0"), offset)


def are_two_shots(first: Moment | None, second: Moment | None) -> bool:
    """Tell whether both moments are known and no spelling or time zone makes one of the other.

    Whole multiples of 15 minutes with the same fraction are a corrected time zone, unless both files name theirs. A
    fraction that only one file gives was dropped by a program, and is no difference.
    """
    if first is None or second is None:
        return False
    if first.fraction is not None and second.fraction is not None and first.fraction != second.fraction:
        return True
    apart = first.seconds - second.seconds
    if apart and first.offset_seconds is not None and second.offset_seconds is not None:
        return apart != first.offset_seconds - second.offset_seconds  # with both zones known there is none to correct
    return abs(apart) > _ZONE_SPAN_SECONDS or apart % _ZONE_STEP_SECONDS != 0


def are_zones_apart(first: str | None, second: str | None) -> bool:
    """Tell whether two capture times differ by what only a corrected time zone makes one of the other.

    Interval timers and daily pictures of one scene are as far apart: that the two are one shot has to be said by
    something else, such as the names of their files.

    >>> are_zones_apart("2017:07:18 15:31:30", "2017:07:18 16:31:30")
    True
    >>> are_zones_apart("2017:07:18 15:31:30+02:00", "2017:07:18 16:31:30+03:00")
    False
    """
    moments = parse(first), parse(second)
    if moments[0] is None or moments[1] is None or are_two_shots(*moments):
        return False
    have_zones = moments[0].offset_seconds is not None and moments[1].offset_seconds is not None
    return moments[0].seconds != moments[1].seconds and not have_zones
