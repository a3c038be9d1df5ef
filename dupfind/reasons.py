"""Why a verdict is what it is, as a value: a code and its facts; knows no sentences.

:mod:`dupfind.report.reasons` makes sentences of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, Union


class ReasonCode(StrEnum):
    """Codes for programs, which stay what they are; docs/report.md lists them. In brackets the facts of each."""

    # The picture is there
    SAME_IMAGE_DATA = "same-image-data"
    """the image data of the two are equal, whatever the metadata say"""
    MORE_COMPRESSED = "more-compressed"
    """the needle is the better copy (bytes of the needle, of the witness)"""
    TURNED = "turned"
    """the needle is turned by quarter turns (degrees)"""
    SAME_BYTES = "same-bytes"
    """it has the same bytes as another member of the group (its path)"""

    # What the two files say
    MIRRORED = "mirrored"
    """one is the mirror image of the other"""
    CAPTURE_TIME = "capture-time-differs"
    """they were taken at two times (both, as the files have them)"""
    MORE_IN_FILE = "more-in-file"
    """the needle's file also holds something else (what)"""
    FRAMES = "several-frames"
    """an animation or pages, of which only the first was compared"""
    DAMAGED = "damaged"
    """the needle is damaged (what its decoder says)"""
    WITNESS_DAMAGED = "witness-damaged"
    """the witness is damaged (what its decoder says)"""
    SHAPE = "shape-differs"
    """the shapes differ: cropped or stretched"""
    SMALLER = "witness-smaller"
    """the witness has fewer pixels (width and height of the witness, of the needle)"""
    LOWER_QUALITY = "lower-quality"
    """the witness is a JPEG of much lower quality (quality of the witness, of the needle: 0 for a lossless one)"""
    FEWER_BYTES = "fewer-bytes"
    """the witness was compressed much more (bytes of the witness, of the needle)"""
    FEWER_COLORS = "fewer-colors"
    """the witness has 256 colours at most"""

    # What the pictures show, in their thumbnails or at full size, which is a fact ("at")
    UNLIKE = "unlike"
    """they are unlike each other"""
    TOO_SMALL = "too-small"
    """a tiny picture: too few pixels to be sure"""
    TEXT = "text-or-drawing"
    """text or a drawing, of which a thumbnail would not show a small change"""
    LOW_CONTRAST = "low-contrast"
    """too little contrast to be sure"""
    TWO_TONES = "two-tones"
    """nearly two tones only: too little to be sure"""
    PLAIN = "too-little-to-see"
    """at full size there is too little to compare"""
    SHIFTED = "shifted"
    """shifted, cropped or turned a little"""
    STRUCTURE = "structure-differs"
    """the fine structure of the thumbnails differs"""
    BRIGHTNESS = "brightness-differs"
    """brightness or contrast differs (at)"""
    PLACE = "something-differs"
    """something differs in one place (at, where)"""
    COLOR = "colors-differ"
    """the colours differ (at, where or nothing)"""
    COLOR_STRENGTH = "color-strength-differs"
    """the colours are stronger or weaker"""
    LESS_COLOR = "less-color"
    """the witness has less colour"""
    NO_COLOR = "black-and-white"
    """the witness is black and white"""
    COLOR_PROFILE = "color-profile-differs"
    """equal numbers are shown in other colours: another profile or gamma"""
    LESS_DETAIL = "less-detail"
    """the witness shows less detail (at)"""
    DETAIL = "detail-differs"
    """the larger witness shows other detail: one was edited, or reduced in an unusual way (at)"""
    LESS_DETAIL_FOR_SIZE = "less-detail-for-size"
    """the witness holds much less detail for its size"""
    LESS_COLOR_DETAIL = "less-color-detail"
    """the witness shows less detail of colour"""
    LESS_SHARP_PART = "part-less-sharp"
    """a part of the witness is less sharp (where)"""
    GRAIN = "grain-differs"
    """the fine grain differs: two shots, or noise added or removed"""
    FEWER_TONES = "fewer-tones"
    """the witness has fewer tones on even ground: posterised"""
    FRAMED = "frame-added"
    """the needle has a frame around it that the witness has not"""
    WITNESS_FRAMED = "witness-frame-added"
    """the witness has a frame around it"""
    FRAMED_OTHERWISE = "frames-differ"
    """the two have different frames around them"""
    PARTLY_INTACT = "partly-intact"
    """the needle is damaged, and what is intact is the same (what its decoder says, the intact share)"""
    FRAGMENT = "fragment"
    """the two have a part in common: a crop, a screenshot, a page of an album (left, top, right, bottom of it in the \
needle, then in the witness, how much of it is alike, all in percent; degrees of a turn; then further pictures)"""
    ALSO_SHOWS = "also-shows"
    """within that reason: a further picture that the needle shows (its path; left, top, right, bottom, in percent)"""

    # Films that look alike
    RE_ENCODED_FILM = "re-encoded-film"
    """the same film, encoded anew: every frame and the sound are alike (what is worse or turned)"""
    FILM_PART = "film-part"
    """the same film, of which one of the two is a part (from when to when, and what is worse)"""
    FILM_CHANGED = "film-changed"
    """a film that was made of the other: something differs for some time (what, from when to when)"""
    FILM_LACKS = "film-lacks-part"
    """the witness lacks a part of the needle (from, to: seconds of the needle)"""
    FILM_WITHIN = "film-within-longer"
    """the needle is a part of the witness, which is longer (from, to: seconds of the witness)"""
    FILM_SCENE = "scene-differs"
    """other pictures are shown for some time (from, to: seconds of the needle)"""
    FILM_COLORS = "film-colors-differ"
    """other colours are shown for some time (from, to)"""
    FILM_SHIFTED = "film-shifted"
    """something was put in or taken out (from when on, by how many seconds the witness is later)"""
    FILM_SPEED = "film-speed"
    """the needle is played faster or slower (seconds of the witness in a second of the needle)"""
    FILM_TONE = "film-tone"
    """the needle has another brightness or contrast (brighter by levels of 255, contrast in percent)"""
    FILM_BARS = "film-bars"
    """the needle has black bars at its borders, which were left out of the comparison"""
    WITNESS_FILM_BARS = "witness-film-bars"
    """the witness has black bars at its borders, likewise"""
    FILM_SOUND = "sound-differs"
    """other sound is heard for some time (from, to)"""
    FILM_SOUNDLESS = "needle-without-sound"
    """the needle has no sound, and the witness has"""
    WITNESS_SOUNDLESS = "witness-without-sound"
    """the witness has no sound, and the needle has"""
    FILM_SOUND_TRACKS = "sound-tracks-differ"
    """the two have other numbers of sound tracks, of which the first were compared (of the witness, of the needle)"""
    FILM_SUBTITLES = "subtitles-differ"
    """the two have other subtitles"""
    FILM_DAMAGED = "film-damaged"
    """parts of the needle could not be decoded (how many)"""
    WITNESS_FILM_DAMAGED = "witness-film-damaged"
    """parts of the witness could not be decoded (how many)"""
    FILM_STILL = "film-still"
    """hardly anything moves: another film of the same place may look the same"""
    FILM_SMALLER = "film-smaller"
    """the witness has fewer pixels (width and height of the witness, of the needle)"""
    FILM_RATE = "fewer-frames"
    """the witness shows fewer frames a second (of the witness, of the needle)"""
    FILM_BITS = "lower-bit-rate"
    """the witness has fewer bits a second (kilobits of the witness, of the needle)"""
    FILM_DEPTH = "fewer-bits-a-pixel"
    """the witness has fewer bits a value (of the witness, of the needle)"""

    # Other pictures, and what could not be done
    CONFLICT = "conflict"
    """the witness is that of another needle, which shows another picture (the reason why the two differ)"""
    OF_ANOTHER = "same-as-another-only"
    """it passes for one copy of a picture and not for another"""
    NOT_COMPARED = "not-compared"
    """the two could not be compared at full size (why)"""
    LISTED = "witness-listed-only"
    """the witness is known from a catalog only, so it could not be compared at full size"""
    TOO_MANY = "too-many-look-alikes"
    """so many look-alikes differ at full size that no more were compared (how many)"""
    ONLY_THUMBNAILS = "compared-by-thumbnails-only"
    """alike by its thumbnail, and not compared at full size"""
    BEYOND_THRESHOLD = "beyond-threshold"
    """farther than the threshold, where nothing is proved (bits)"""
    PASSED_OVER = "passed-over"
    """a scan would not have come to it"""
    THRESHOLD_ENDS = "threshold-ends"
    """farther than any threshold may be (highest threshold, bits)"""
    OTHERS_FIRST = "others-first"
    """the scan looked at too many others before this one"""
    WITH_OPTIONS = "with-options"
    """a scan would have found it with other options (which)"""
    NO_PICTURE = "no-picture"
    """it is no picture, and no file has the same bytes"""
    NO_FILM = "no-same-film"
    """it is a film or a sound, and no other has the same packets"""
    FILM_NEVER_SAME = "film-not-proved"
    """films that look alike are never the same without equal packets, whatever is accepted"""
    FILM_BY_BYTES = "film-by-bytes-only"
    """it is a film or a sound, compared by its bytes only without the extra that reads films"""
    NO_PICTURES = "no-pictures-in-haystack"
    """the haystack holds no picture"""
    NO_OTHER_PICTURES = "no-other-pictures-in-haystack"
    """the haystack holds no other picture"""
    LOOKS_MOST_LIKE = "looks-most-like"
    """damaged or of too little structure to be searched for, with what it resembles (what its decoder says, or \
nothing without damage; a path)"""
    LOOKS_LIKE_NOTHING = "looks-like-nothing"
    """damaged or of too little structure to be searched for, and it resembles nothing (what its decoder says, or \
nothing without damage)"""
    UNREADABLE = "unreadable"
    """the picture cannot be read (why)"""
    NOT_READ = "not-read"
    """the file, or its witness when it was read again, could not be read this time (why)"""

    # What keeps no folder back
    EMPTY = "empty"
    """an empty file: it holds nothing"""
    SIDECAR = "sidecar"
    """it describes a file of its folder that is present (what it is, path of that file)"""
    DISREGARDED = "disregarded"
    """set aside by a pattern of yours (--disregard and the pattern, or a file and its line; or nothing for the file)"""

    # The word of a person
    SAME_ON_YOUR_WORD = "same-on-your-word"
    """the same picture on your word (path of the witness, day)"""
    DIFFERENT_ON_YOUR_WORD = "different-on-your-word"
    """you have said that it differs (path of the witness, number of further witnesses, day; or nothing of these)"""
    DOUBTED_ON_YOUR_WORD = "doubted-on-your-word"
    """by your word another file that passed for the same picture is not"""
    UNWANTED_ON_YOUR_WORD = "unwanted-on-your-word"
    """not wanted on your word (day)"""

    # What deleting a member of a group would free
    GONE = "gone"
    """gone since it was looked at"""
    SYMBOLIC_LINK = "symbolic-link"
    """a symbolic link: frees nothing"""
    HARD_LINK = "hard-link"
    """a hard link to the best: frees nothing (its path)"""
    HARD_LINK_COUNTED = "hard-link-counted"
    """a hard link to another member, which counts (its path)"""
    HARD_LINK_ELSEWHERE = "hard-link-elsewhere"
    """a hard link of it is elsewhere: frees nothing"""


BETTER_NEEDLE = frozenset({
    ReasonCode.MORE_COMPRESSED, ReasonCode.SMALLER, ReasonCode.LOWER_QUALITY, ReasonCode.FEWER_BYTES,
    ReasonCode.FEWER_COLORS, ReasonCode.LESS_DETAIL, ReasonCode.LESS_DETAIL_FOR_SIZE, ReasonCode.LESS_COLOR_DETAIL,
    ReasonCode.FILM_SMALLER, ReasonCode.FILM_RATE, ReasonCode.FILM_BITS, ReasonCode.FILM_DEPTH,
})  # fmt: skip
"""Codes by which the needle is the better copy of the two."""
FILM_LIKENESS = frozenset({ReasonCode.RE_ENCODED_FILM, ReasonCode.FILM_PART, ReasonCode.FILM_CHANGED})
"""Codes of films that look alike, which never are the same: their facts are reasons of their own."""
AT_THUMBNAIL, AT_FULL_SIZE = "thumbnail", "full size"
"""The fact that tells what was compared."""

Fact = Union[str, int, float, "Reason"]


class Reason(NamedTuple):
    """Why a verdict, a grade or a witness is what it is."""

    code: ReasonCode
    facts: tuple[Fact, ...] = ()
    """In the order that the code names; paths are spelt as reported."""


def listed(reason: Reason) -> tuple[Reason, ...]:
    """List a reason as a verdict has it: of films that look alike, what differs each by itself."""
    if reason.code not in FILM_LIKENESS:
        return (reason,)
    return Reason(reason.code), *(fact for fact in reason.facts if isinstance(fact, Reason))


def spelled(reason: Reason, spell: Callable[[str], str]) -> Reason:
    """Give the reason of a fragment with the paths of further pictures as ``spell`` reports them."""

    def shown(fact: Fact) -> Fact:
        if not isinstance(fact, Reason):
            return fact
        path, *place = fact.facts
        return Reason(fact.code, (spell(str(path)), *place))

    return reason._replace(facts=tuple(map(shown, reason.facts)))


def is_fragment(reason: Reason | None) -> bool:
    """Tell whether a reason is that two pictures have a part in common: such a needle is never present."""
    return reason is not None and reason.code is ReasonCode.FRAGMENT


def never_proves(reason: Reason | None) -> bool:
    """Tell whether a match for this reason makes nothing present, whatever grade is accepted: a part, or a film."""
    return is_fragment(reason) or (reason is not None and reason.code in FILM_LIKENESS)


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
