"""Why a verdict is what it is, as a value: a code and its facts; knows no sentences.

:mod:`dupfind.report.reasons` makes sentences of them.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, NamedTuple, Union


class ReasonCode(StrEnum):
    """Codes for programs, which stay what they are; docs/report.md lists them. In brackets the facts of each."""

    # The picture is there.
    SAME_IMAGE_DATA = "same-image-data"
    MORE_COMPRESSED = "more-compressed"
    """The needle is the better copy (bytes of the needle, of the witness)."""
    TURNED = "turned"
    """(degrees)"""
    SAME_BYTES = "same-bytes"
    """As another member of a group (its path)."""

    # What the two files say.
    UNLIKE = "unlike"
    MIRRORED = "mirrored"
    CAPTURE_TIME = "capture-time-differs"
    """(both times, as files have them)"""
    MORE_IN_FILE = "more-in-file"
    """(what)"""
    FRAMES = "several-frames"
    DAMAGED = "damaged"
    """(what its decoder says)"""
    WITNESS_DAMAGED = "witness-damaged"
    """(what its decoder says)"""
    SHAPE = "shape-differs"
    SMALLER = "witness-smaller"
    """(width and height of the witness, of the needle)"""
    LOWER_QUALITY = "lower-quality"
    """(JPEG quality of the witness, of the needle: 0 for a lossless one)"""
    FEWER_BYTES = "fewer-bytes"
    """(bytes of the witness, of the needle)"""
    FEWER_COLORS = "fewer-colors"

    # What the pictures show. At thumbnails or at full size, which is a fact.
    TOO_SMALL = "too-small"
    TEXT = "text-or-drawing"
    LOW_CONTRAST = "low-contrast"
    TWO_TONES = "two-tones"
    PLAIN = "too-little-to-see"
    SHIFTED = "shifted"
    STRUCTURE = "structure-differs"
    BRIGHTNESS = "brightness-differs"
    """(at)"""
    PLACE = "something-differs"
    """(at, where)"""
    COLOR = "colors-differ"
    """(at, where or nothing)"""
    COLOR_STRENGTH = "color-strength-differs"
    LESS_COLOR = "less-color"
    NO_COLOR = "black-and-white"
    COLOR_PROFILE = "color-profile-differs"
    LESS_DETAIL = "less-detail"
    """(at)"""
    LESS_DETAIL_FOR_SIZE = "less-detail-for-size"
    LESS_COLOR_DETAIL = "less-color-detail"
    LESS_SHARP_PART = "part-less-sharp"
    """(where)"""
    GRAIN = "grain-differs"
    FEWER_TONES = "fewer-tones"
    FRAMED = "frame-added"
    WITNESS_FRAMED = "witness-frame-added"
    FRAMED_OTHERWISE = "frames-differ"
    PARTLY_INTACT = "partly-intact"
    """(what its decoder says, or nothing where the picture is too smooth; the intact share)"""

    # Other pictures, and what could not be done.
    CONFLICT = "conflict"
    """The witness is that of another needle, which shows another picture (the reason why the two differ)."""
    OF_ANOTHER = "same-as-another-only"
    NOT_COMPARED = "not-compared"
    """At full size (why)."""
    LISTED = "witness-listed-only"
    TOO_MANY = "too-many-look-alikes"
    """(how many were compared)"""
    ONLY_THUMBNAILS = "compared-by-thumbnails-only"
    BEYOND_THRESHOLD = "beyond-threshold"
    """(bits)"""
    PASSED_OVER = "passed-over"
    THRESHOLD_ENDS = "threshold-ends"
    """(highest threshold, bits)"""
    OTHERS_FIRST = "others-first"
    WITH_OPTIONS = "with-options"
    """(options)"""
    NO_PICTURE = "no-picture"
    NO_PICTURES = "no-pictures-in-haystack"
    NO_OTHER_PICTURES = "no-other-pictures-in-haystack"
    LOOKS_MOST_LIKE = "looks-most-like"
    """(what its decoder says, or nothing where the picture is too smooth; a path)"""
    LOOKS_LIKE_NOTHING = "looks-like-nothing"
    """(what its decoder says, or nothing where the picture is too smooth)"""
    UNREADABLE = "unreadable"
    """(why)"""
    NOT_READ = "not-read"
    """(why)"""

    # The word of a person.
    SAME_ON_YOUR_WORD = "same-on-your-word"
    """(path of the witness, day)"""
    DIFFERENT_ON_YOUR_WORD = "different-on-your-word"
    """(path of the witness, number of further witnesses, day or nothing)"""
    DOUBTED_ON_YOUR_WORD = "doubted-on-your-word"
    UNWANTED_ON_YOUR_WORD = "unwanted-on-your-word"
    """(day)"""

    # What deleting a member of a group would free.
    GONE = "gone"
    SYMBOLIC_LINK = "symbolic-link"
    HARD_LINK = "hard-link"
    """(path of the best)"""
    HARD_LINK_COUNTED = "hard-link-counted"
    """(path of the member that counts)"""
    HARD_LINK_ELSEWHERE = "hard-link-elsewhere"


AT_THUMBNAIL, AT_FULL_SIZE = "thumbnail", "full size"
"""The fact that tells what was compared."""

Fact = Union[str, int, float, "Reason"]


class Reason(NamedTuple):
    """Why a verdict, a grade or a witness is what it is."""

    code: ReasonCode
    facts: tuple[Fact, ...] = ()
    """In the order that the code names; paths are spelt as reported."""


def encode(reason: Reason | None) -> str | None:
    """Make text of a reason, for a cache."""
    return None if reason is None else json.dumps(reason)


def decode(text: str | None) -> Reason | None:
    """Make a reason of what :func:`encode` gave.

    Raises ``ValueError`` or ``TypeError`` for other text.

    >>> decode(encode(Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.PLACE, (AT_THUMBNAIL, "near the top")),))))
    Reason(code=<ReasonCode.CONFLICT: 'conflict'>, facts=(Reason(code=<ReasonCode.PLACE: 'something-differs'>, \
facts=('thumbnail', 'near the top')),))
    """
    try:
        return None if text is None else from_json(json.loads(text))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def from_json(parts: Any) -> Reason:  # noqa: ANN401 - what JSON gave
    """Make a reason of what JSON makes of one. Raises ``ValueError`` or ``TypeError``, ``RecursionError`` too."""
    code, facts = _listed(parts)
    return Reason(ReasonCode(code), tuple(map(_fact, _listed(facts))))


def _fact(value: Any) -> Fact:  # noqa: ANN401 - likewise
    if isinstance(value, str | int | float):
        return value
    return from_json(value)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - likewise
    if not isinstance(value, list):  # text is a sequence too, and an object one of its keys
        raise TypeError("it is no list")
    return value
