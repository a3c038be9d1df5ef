"""How two films that look alike differ, as a reason for people and programs; pure."""

from __future__ import annotations

from collections.abc import Iterator

from dupfind.evidence.film_likeness import Likeness
from dupfind.pictures.film_frames import Track
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import BACK, FIRST_TRANSPOSED, MIRRORED

SUBTITLE_SECONDS = 0.6
"""How far apart one subtitle may begin in the two: containers round, and some programs begin at zero."""
_RATE_BOUND, _SIZE_BOUND, _BITS_BOUND = 0.9, 0.95, 0.8
"""Shares of the needle's below which the witness is told to have fewer frames, pixels, bits."""
_MOST_SPANS = 4
"""Times that are told of each kind; the last one goes on to the end of the last difference."""


def reason_of(
    likeness: Likeness, needle: Track, witness: Track, orientation: int, sizes_bytes: tuple[int, int]
) -> Reason:
    """Tell how the needle differs from the witness; ``orientation`` is how the witness is turned to meet it.

    ``sizes_bytes`` are those of the needle's file and of the witness's.
    """
    changed = list(_changes(likeness, needle, witness))
    parts = list(_parts(likeness))
    findings = [
        *_turn(orientation),
        *_bars(needle, witness),
        *_worse(needle, witness, orientation, sizes_bytes, likeness.speed),
        *_doubts(likeness, needle, witness),
    ]
    code = ReasonCode.FILM_CHANGED if changed else ReasonCode.FILM_PART if parts else ReasonCode.RE_ENCODED_FILM
    return Reason(code, (*changed, *parts, *findings))


def _changes(likeness: Likeness, needle: Track, witness: Track) -> Iterator[Reason]:
    """Yield what is shown or heard in one of the two only."""
    if likeness.speed != 1.0:
        yield Reason(ReasonCode.FILM_SPEED, (likeness.speed,))
    if likeness.tone is not None:
        yield Reason(ReasonCode.FILM_TONE, (likeness.tone.levels, round(100 * likeness.tone.gain)))
    kinds = (
        (ReasonCode.FILM_SCENE, likeness.scenes),
        (ReasonCode.FILM_SHIFTED, likeness.shifts),
        (ReasonCode.FILM_COLORS, likeness.colors),
        (ReasonCode.FILM_SOUND, likeness.sounds),
    )
    for code, spans in kinds:
        told = list(spans[:_MOST_SPANS])
        if len(spans) > _MOST_SPANS and code is not ReasonCode.FILM_SHIFTED:
            told[-1] = (told[-1][0], spans[-1][1])
        yield from (Reason(code, (round(first, 3), round(second, 3))) for first, second in told)
    if needle.sound is None and witness.sound is not None:
        yield Reason(ReasonCode.FILM_SOUNDLESS)
    elif witness.sound is None and needle.sound is not None:
        yield Reason(ReasonCode.WITNESS_SOUNDLESS)
    elif needle.look.sounds != witness.look.sounds:
        yield Reason(ReasonCode.FILM_SOUND_TRACKS, (witness.look.sounds, needle.look.sounds))
    if _are_subtitles_others(likeness, needle, witness):
        yield Reason(ReasonCode.FILM_SUBTITLES)


def _are_subtitles_others(likeness: Likeness, needle: Track, witness: Track) -> bool:
    """Tell whether the two do not show the same words at the same times, as far as both show anything."""
    if needle.look.subtitles != witness.look.subtitles:
        return True
    begin, end = -likeness.offset_seconds, float(witness.seconds[-1]) - likeness.offset_seconds
    length = float(needle.seconds[-1]) * likeness.speed
    ours = [(at * likeness.speed, text) for at, text in needle.subtitles]
    ours = [(at, text) for at, text in ours if begin - 1 <= at <= end + 1]
    theirs = [(at - likeness.offset_seconds, text) for at, text in witness.subtitles]
    theirs = [(at, text) for at, text in theirs if -1 <= at <= length + 1]
    shifts = [0.0, *(seconds for _, seconds in likeness.shifts)]
    if len(ours) != len(theirs):
        return True
    return any(
        text != their_text or not any(abs(later - at - shift) <= SUBTITLE_SECONDS for shift in shifts)
        for (at, text), (later, their_text) in zip(ours, theirs, strict=True)
    )


def _parts(likeness: Likeness) -> Iterator[Reason]:
    """Yield what is at the ends of one of the two only."""
    for begin, end in likeness.needle_only:
        yield Reason(ReasonCode.FILM_LACKS, (round(begin, 3), round(end, 3)))
    if likeness.part is not None:
        yield Reason(ReasonCode.FILM_WITHIN, (round(likeness.part.begin, 3), round(likeness.part.end, 3)))


def _turn(orientation: int) -> Iterator[Reason]:
    back = BACK[orientation]
    if back in MIRRORED:
        yield Reason(ReasonCode.MIRRORED)
    elif back:
        yield Reason(ReasonCode.TURNED, (180 if back < FIRST_TRANSPOSED else 90,))


def _bars(needle: Track, witness: Track) -> Iterator[Reason]:
    if needle.bars is not None:
        yield Reason(ReasonCode.FILM_BARS)
    if witness.bars is not None:
        yield Reason(ReasonCode.WITNESS_FILM_BARS)


def _worse(
    needle: Track, witness: Track, orientation: int, sizes_bytes: tuple[int, int], speed: float
) -> Iterator[Reason]:
    """Yield in what the witness is the worse copy: as it would be at the speed of the needle."""
    ours, theirs = needle.look, witness.look
    our_width, our_height = _size(needle)
    width, height = _size(witness)
    if orientation >= FIRST_TRANSPOSED:
        width, height = height, width
    if width * height < _SIZE_BOUND**2 * our_width * our_height:
        yield Reason(ReasonCode.FILM_SMALLER, (width, height, our_width, our_height))
    their_rate = round(theirs.rate * speed, 3)
    if 0 < their_rate < _RATE_BOUND * ours.rate:
        yield Reason(ReasonCode.FILM_RATE, (their_rate, ours.rate))
    if theirs.bits < ours.bits:
        yield Reason(ReasonCode.FILM_DEPTH, (theirs.bits, ours.bits))
    our_bits, their_bits = (
        round(size_bytes * 8 / 1000 / max(0.1, float(track.seconds[-1]) / at_speed))
        for size_bytes, track, at_speed in zip(sizes_bytes, (needle, witness), (1.0, speed), strict=True)
    )
    if their_bits < _BITS_BOUND * our_bits:
        yield Reason(ReasonCode.FILM_BITS, (their_bits, our_bits))


def _size(track: Track) -> tuple[int, int]:
    """Return width and height of a film, without the bars that were left out."""
    look = track.look
    return (look.width, look.height) if track.bars is None else track.bars.size(look.width, look.height)


def _doubts(likeness: Likeness, needle: Track, witness: Track) -> Iterator[Reason]:
    if needle.broken:
        yield Reason(ReasonCode.FILM_DAMAGED, (needle.broken,))
    if witness.broken:
        yield Reason(ReasonCode.WITNESS_FILM_DAMAGED, (witness.broken,))
    if likeness.is_still:
        yield Reason(ReasonCode.FILM_STILL)
