"""Sentences for reasons, the only place that makes them; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from dupfind.reasons import AT_FULL_SIZE, Fact, Reason, ReasonCode
from dupfind.report.places import box_of, parts_of, place
from dupfind.report.text import valid_text

_MEGABYTE = 10**6
_ALL_PERCENT = 100
"""Below this the share of a part that is alike is told; of a sibling shot by a standing camera it is nearly all."""
_STRAIGHT_DEGREES = 5
"""A part that is turned by no more than this is not called turned."""
_WITHOUT_STRUCTURE = "it has too little structure to be searched for: each compression gives it another hash"


class Roles(NamedTuple):
    """How the two files of a pair are called."""

    needle: str
    witness: str
    is_named: bool = False
    """Whether "something differs" says from what."""


IN_A_SCAN = Roles("the needle", "the haystack's copy")
IN_A_PAIR = Roles("this one", "the other one")
IN_A_GROUP = Roles("it", "the best one", is_named=True)


def as_json(reasons: Iterable[Reason], roles: Roles = IN_A_SCAN) -> dict[str, str | None]:
    """Give ``reason`` and ``reason_code`` as all our JSON has them; the code is that of the first."""
    listed = tuple(reasons)
    words = sentences(listed, roles)
    return {
        "reason": None if words is None else valid_text(words),
        "reason_code": listed[0].code.value if listed else None,
    }


def sentences(reasons: Iterable[Reason], roles: Roles = IN_A_SCAN) -> str | None:
    """Say all of ``reasons``; None where there are none.

    >>> sentences([Reason(ReasonCode.TURNED, (90,)), Reason(ReasonCode.SAME_BYTES, ("a.jpg",))])
    'turned by 90 degrees; the same bytes as a.jpg'
    """
    return "; ".join(sentence(reason, roles) for reason in reasons) or None


def sentence(reason: Reason, roles: Roles = IN_A_SCAN) -> str:
    """Say a reason in words.

    >>> sentence(Reason(ReasonCode.SMALLER, (160, 120, 320, 240)), IN_A_PAIR)
    'the other one is smaller: 160 x 120 against 320 x 240'
    """
    template = _TEMPLATES[reason.code]
    if isinstance(template, str):
        return template.format(*reason.facts, needle=roles.needle, witness=roles.witness)
    return template(roles, *reason.facts)


def _place(roles: Roles, at: str, where: str) -> str:
    what = f"something differs from {roles.witness}" if roles.is_named else "something differs"
    return f"{_at(at)}{what} {where}"


def _color(_: Roles, at: str, where: str = "") -> str:
    return f"{_at(at)}the colours differ {where}".rstrip()


def _at(at: str) -> str:
    return "at full size " if at == AT_FULL_SIZE else ""


def _brightness(_: Roles, at: str) -> str:
    return "at full size brightness or contrast differs" if at == AT_FULL_SIZE else "brightness or contrast edited"


def _detail(roles: Roles, at: str) -> str:
    if at == AT_FULL_SIZE:
        return f"{roles.witness} shows less detail at full size: compressed, blurred or enlarged"
    return f"{roles.witness} shows less detail: enlarged or blurred"


def _quality(roles: Roles, theirs: int, ours: int) -> str:
    against = f"about {ours}" if ours else "nothing lost"
    return f"{roles.witness} is compressed much more: JPEG quality about {theirs} against {against}"


def _bytes(roles: Roles, theirs: int, ours: int) -> str:
    return f"{roles.witness} is compressed much more: {_data(theirs)} against {_data(ours)}"


def _better(roles: Roles, ours: int, theirs: int) -> str:
    return f"{roles.needle} is the better copy: {_data(ours)} of image data against {_data(theirs)}"


def _data(size_bytes: int) -> str:
    is_small = size_bytes < _MEGABYTE
    return f"{size_bytes / 1e3:.0f} kB" if is_small else f"{size_bytes / _MEGABYTE:.1f} MB"


def _times(_: Roles, first: str, second: str) -> str:
    earlier, later = first[:19].replace(":", "-", 2), second[:19].replace(":", "-", 2)
    return f"taken at another time: {f'within the second {earlier}' if earlier == later else f'{earlier} and {later}'}"


def _conflict(roles: Roles, why: Reason) -> str:
    return f"another needle with the same witness is not this picture: {sentence(why, roles)}"


def _intact(_: Roles, damage: str, share: float) -> str:
    return f"{damage or _WITHOUT_STRUCTURE}; of the picture, {share:.0%} from one edge on is the same"


def _film(words: str) -> Callable[..., str]:
    """Make the sentence of a film that looks alike: ``words``, and whatever differs."""

    def said(roles: Roles, *differences: Reason) -> str:
        return "; ".join([words, *(sentence(difference, roles) for difference in differences)])

    return said


def _lasting(words: str) -> Callable[..., str]:
    """Make the sentence of what lasts from one time to another."""

    def said(roles: Roles, begin: float, end: float) -> str:
        return f"{words.format(needle=roles.needle, witness=roles.witness)} from {clock(begin)} to {clock(end)}"

    return said


def _shifted(roles: Roles, at: float, seconds: float) -> str:
    return (
        f"from {clock(at)} on {roles.witness} is {abs(seconds):.1f} s {'later' if seconds > 0 else 'sooner'}: "
        "something was put in or taken out"
    )


def _speed(roles: Roles, speed: float) -> str:
    return f"it is played {speed:.3g} times as fast as {roles.witness}"


def _tone(roles: Roles, levels: int, percent: int) -> str:
    """Say how brightness and contrast differ, whichever does."""
    words = []
    if abs(levels) >= _TOLD_LEVELS:
        words.append(f"it is {'brighter' if levels > 0 else 'darker'} than {roles.witness} by {abs(levels)} of 255")
    if not words or abs(percent - 100) >= _TOLD_PERCENT:
        words.append(f"it has {percent}% of the contrast of {roles.witness}")
    return "; ".join(words)


_TOLD_LEVELS, _TOLD_PERCENT = 4, 5


def clock(seconds: float) -> str:
    """Write a time of a film.

    >>> clock(72.44), clock(3661)
    ('1:12.4', '1:01:01.0')
    """
    tenths = max(0, round(seconds * 10))
    minutes, tenths_left = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{tenths_left / 10:04.1f}" if hours else f"{minutes}:{tenths_left / 10:04.1f}"


def _fragment(roles: Roles, *facts: Fact) -> str:
    """Say which part of which picture the other shows, and what else; of a picture that is named where facts do."""
    parts = parts_of(facts)
    roles = roles._replace(witness=next((fact for fact in facts if isinstance(fact, str)), roles.witness))
    ours, theirs = place(parts.ours), place(parts.theirs)
    if parts.is_whole:
        words = f"it shows what {roles.witness} shows"
    elif ours == "all":
        words = f"it shows {theirs} of {roles.witness}"
    else:
        words = f"{ours} of it shows {theirs} of {roles.witness}"
    if parts.alike_percent < _ALL_PERCENT:
        words += f"; {parts.alike_percent}% of that looks the same"
    if abs(parts.degrees) > _STRAIGHT_DEGREES:
        words += f"; turned by about {abs(parts.degrees)} degrees"
    return "; ".join([words, *(_also_shows(roles, path, *box) for path, box in parts.more)])


def _also_shows(_: Roles, path: str, *box: int) -> str:
    return f"{place(box_of(box))} of it shows {path}"


def _most_like(_: Roles, damage: str, path: str) -> str:
    return f"{damage or _WITHOUT_STRUCTURE}; it looks most like {path}"


def _like_nothing(_: Roles, damage: str) -> str:
    return (
        f"{damage or _WITHOUT_STRUCTURE}; nothing in the haystack looks like {'what is left of it' if damage else 'it'}"
    )


def _different(_: Roles, path: str = "", more_files: int = 0, day: str = "") -> str:
    more = f" and {more_files:,} other file{'' if more_files == 1 else 's'}" if more_files else ""
    return "you have said that it differs" + (f" from {path}{more}, {day}" if path else "")


def _disregarded(_: Roles, source: str = "", line: str = "") -> str:
    if not source:
        return "it lists what is set aside"
    return f"set aside by {source}" + (f", {line}" if line else "")


_TEMPLATES: dict[ReasonCode, str | Callable[..., str]] = {
    ReasonCode.SAME_IMAGE_DATA: "the image data are the same",
    ReasonCode.MORE_COMPRESSED: _better,
    ReasonCode.TURNED: "turned by {} degrees",
    ReasonCode.SAME_BYTES: "the same bytes as {}",
    ReasonCode.UNLIKE: "unlike each other",
    ReasonCode.MIRRORED: "mirrored",
    ReasonCode.CAPTURE_TIME: _times,
    ReasonCode.MORE_IN_FILE: "it also holds {}",
    ReasonCode.FRAMES: "animation or pages: only the first was compared",
    ReasonCode.DAMAGED: "{}",
    ReasonCode.WITNESS_DAMAGED: "{witness}: {}",
    ReasonCode.SHAPE: "another shape: cropped or stretched",
    ReasonCode.SMALLER: "{witness} is smaller: {} x {} against {} x {}",
    ReasonCode.LOWER_QUALITY: _quality,
    ReasonCode.FEWER_BYTES: _bytes,
    ReasonCode.FEWER_COLORS: "{witness} has 256 colours at most",
    ReasonCode.TOO_SMALL: "tiny picture: too few pixels to be sure",
    ReasonCode.TEXT: "text or drawing: a small change would not show",
    ReasonCode.LOW_CONTRAST: "low contrast: too little to see to be sure",
    ReasonCode.TWO_TONES: "nearly two-tone: too little to see to be sure",
    ReasonCode.PLAIN: "too little to see at full size to be sure",
    ReasonCode.SHIFTED: "shifted, cropped or turned a little",
    ReasonCode.STRUCTURE: "the structure differs",
    ReasonCode.BRIGHTNESS: _brightness,
    ReasonCode.PLACE: _place,
    ReasonCode.COLOR: _color,
    ReasonCode.COLOR_STRENGTH: "at full size the colours differ in strength",
    ReasonCode.LESS_COLOR: "{witness} has less colour",
    ReasonCode.NO_COLOR: "{witness} is black and white",
    ReasonCode.COLOR_PROFILE: "its colours are shown otherwise: another colour profile or gamma",
    ReasonCode.LESS_DETAIL: _detail,
    ReasonCode.DETAIL: "at full size the fine detail differs: one was edited, or reduced in an unusual way",
    ReasonCode.LESS_DETAIL_FOR_SIZE: "{witness} holds much less detail for its size: enlarged or blurred",
    ReasonCode.LESS_COLOR_DETAIL: "{witness} shows less detail of colour at full size",
    ReasonCode.LESS_SHARP_PART: "a part of {witness} is less sharp or smoothed {}",
    ReasonCode.GRAIN: "at full size the fine grain is another: two shots, or noise added or removed",
    ReasonCode.FEWER_TONES: "{witness} has fewer tones on even ground: posterised",
    ReasonCode.FRAMED: "it has a frame around it that {witness} has not",
    ReasonCode.WITNESS_FRAMED: "{witness} has a frame around it",
    ReasonCode.FRAMED_OTHERWISE: "the two have different frames around them",
    ReasonCode.PARTLY_INTACT: _intact,
    ReasonCode.RE_ENCODED_FILM: _film("the same film, encoded anew"),
    ReasonCode.FILM_PART: _film("a part of the same film"),
    ReasonCode.FILM_CHANGED: _film("a changed copy of the same film"),
    ReasonCode.FILM_LACKS: _lasting("{witness} lacks it"),
    ReasonCode.FILM_WITHIN: _lasting("it is what {witness}, which is longer, shows"),
    ReasonCode.FILM_SCENE: _lasting("the pictures differ"),
    ReasonCode.FILM_COLORS: _lasting("the colours differ"),
    ReasonCode.FILM_SHIFTED: _shifted,
    ReasonCode.FILM_SPEED: _speed,
    ReasonCode.FILM_TONE: _tone,
    ReasonCode.FILM_BARS: "{needle} has black bars at its borders",
    ReasonCode.WITNESS_FILM_BARS: "{witness} has black bars at its borders",
    ReasonCode.FILM_SOUND: _lasting("the sound differs"),
    ReasonCode.FILM_SOUNDLESS: "{needle} has no sound",
    ReasonCode.WITNESS_SOUNDLESS: "{witness} has no sound",
    ReasonCode.FILM_SOUND_TRACKS: "{witness} has {} sound tracks against {}, of which the first were compared",
    ReasonCode.FILM_SUBTITLES: "the subtitles differ",
    ReasonCode.FILM_DAMAGED: "{} parts of {needle} could not be decoded",
    ReasonCode.WITNESS_FILM_DAMAGED: "{} parts of {witness} could not be decoded",
    ReasonCode.FILM_STILL: "hardly anything moves in it: another film of the same place may look the same",
    ReasonCode.FILM_SMALLER: "{witness} is smaller: {} x {} against {} x {}",
    ReasonCode.FILM_RATE: "{witness} shows {:.4g} frames a second against {:.4g}",
    ReasonCode.FILM_BITS: "{witness} is compressed more: {} kbit/s against {}",
    ReasonCode.FILM_DEPTH: "{witness} has {} bits a value against {}",
    ReasonCode.FRAGMENT: _fragment,
    ReasonCode.ALSO_SHOWS: _also_shows,
    ReasonCode.CONFLICT: _conflict,
    ReasonCode.OF_ANOTHER: "it passes for the same picture, but not for the same as another copy of it",
    ReasonCode.NOT_COMPARED: "could not be compared at full size: {}",
    ReasonCode.LISTED: (
        "its witness is known from a catalog only, so it could not be compared at full size "
        "(a scan with --quick goes by thumbnails)"
    ),
    ReasonCode.TOO_MANY: "{} witnesses that look alike differ from it at full size",
    ReasonCode.ONLY_THUMBNAILS: "alike by its thumbnail; not compared at full size",
    ReasonCode.BEYOND_THRESHOLD: "{} bits apart: nothing is proved beyond the threshold",
    ReasonCode.PASSED_OVER: "a scan would not have come to it",
    ReasonCode.THRESHOLD_ENDS: "--threshold ends at {}, and they are {} bits apart",
    ReasonCode.OTHERS_FIRST: "the scan looked at too many others before this one",
    ReasonCode.WITH_OPTIONS: "a scan would have found it with {}",
    ReasonCode.NO_PICTURE: "it is no picture, and no file has the same bytes",
    ReasonCode.NO_FILM: "no film or sound has the same bytes, or the same packets and what else counts, or looks alike",
    ReasonCode.FILM_NEVER_SAME: "films that look alike are proved by equal packets only: look at both",
    ReasonCode.FILM_BY_BYTES: (
        "compared by its bytes only, and no file has them: the extra dupfind[video] compares packets too"
    ),
    ReasonCode.NO_PICTURES: "the haystack holds no picture",
    ReasonCode.NO_OTHER_PICTURES: "the haystack holds no other picture",
    ReasonCode.LOOKS_MOST_LIKE: _most_like,
    ReasonCode.LOOKS_LIKE_NOTHING: _like_nothing,
    ReasonCode.UNREADABLE: "{}",
    ReasonCode.NOT_READ: "{}",
    ReasonCode.SIDECAR: "a sidecar ({}) of {}, which is present",
    ReasonCode.DISREGARDED: _disregarded,
    ReasonCode.EMPTY: "an empty file: it holds nothing",
    ReasonCode.SAME_ON_YOUR_WORD: "the same picture as {} on your word, {}",
    ReasonCode.DIFFERENT_ON_YOUR_WORD: _different,
    ReasonCode.DOUBTED_ON_YOUR_WORD: (
        "by your word another file that passed for the same picture is not: look at this one too"
    ),
    ReasonCode.UNWANTED_ON_YOUR_WORD: "not wanted on your word, {}",
    ReasonCode.GONE: "gone since it was looked at",
    ReasonCode.SYMBOLIC_LINK: "a symbolic link: frees nothing",
    ReasonCode.HARD_LINK: "a hard link to {}: frees nothing",
    ReasonCode.HARD_LINK_COUNTED: "a hard link to {}: counted there",
    ReasonCode.HARD_LINK_ELSEWHERE: "has a hard link elsewhere: frees nothing",
}
