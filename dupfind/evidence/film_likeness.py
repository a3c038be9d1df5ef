"""Two films, frame by frame: whether one was made of the other, and what differs, where; pure.

Every frame of each is compared with what the other shows at that time, small, in grey and in colour, and the sound with
the sound. What is alike is never called the same film: that takes equal packets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.film_speed import line_of, played_at
from dupfind.evidence.film_tone import Tone, tone_of
from dupfind.evidence.fingerprint import turn
from dupfind.pictures.film_frames import SOUND_STEP_SECONDS, Track

RECIPE = 3
"""Version of the rules. Raise it with every change that can alter an outcome."""

GRAY_BOUND = 20.0
"""How many grey levels of 255 a sixty-fourth of the side of a frame may differ; see docs/decisions/films.md."""
CHROMA_BOUND = 16.0
"""How far an eighth of the frame may differ in Cb or Cr."""
CAST_BOUND = 1.5
"""How far Cb or Cr of the whole frame may differ on average, beyond what is usual in the two films. Of 56 copies of
real films none was beyond 0.8; films with little colour that were grey for a second were at 2.6 to 3."""
SOUND_BOUND_DB = 5.0
"""How many decibels the bands of the sound may differ by, on average, in the half of a second."""
QUIET_DB = 30.0
"""What is as quiet as this in every band is silence: what compression makes of it is anything."""
LEAST_SHARE, LEAST_SECONDS = 0.5, 0.9
"""Share of the shorter film that has to be alike, and how long at least, unless all of a shorter one is."""
SHORTEST_SECONDS = 0.25
"""Of ends that are missing, what is reported; less is how programs round."""
STILL_LEVELS = 1.5
"""Grey levels by which frames half a second apart differ, on average, in a film in which hardly anything moves."""
_LITTLE, _MUCH = 0.1, 0.25
"""Shares of the needle that have to differ before another offset is tried, and another speed."""
_REACH_SECONDS = 30.0
"""How far from where it should be a part that does not fit is looked for."""
_LEAST_OF_ALL_SECONDS = 0.3
"""A few frames are found in many films."""
_LEAST_PART_SECONDS = 0.6
_GAP_SECONDS = 0.5
_CUT_SECONDS = 0.2
_SAMPLES = 16
_NEAR_LEVELS = 8.0
_ROUNDS = 4
_BATCH = 512
_SIDE_CELLS = 16
_MOST_OVER = 0.3
"""Share of a frame that may be another in a frame that is told to be changed, and not to be of another film."""
_MOST_AROUND = 8
"""Frames of the other film around a time."""
_FEWER = 0.9
_LEAST_SAME = 0.2
_MOVES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""By how many steps the sound may be moved against the pictures: what programs put before it, and round."""
_SOUND_STEPS = 5
"""Steps of the sound over which it is compared."""
_EDGE_SECONDS = 0.3
"""Of the sound at either end of a part that was cut out: the codec begins and fades there."""

Seconds = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


class Span(NamedTuple):
    """A time of the needle, from and to, in seconds."""

    begin: float
    end: float


class Likeness(NamedTuple):
    """How a film differs from another one that it was made of, or that was made of it."""

    offset_seconds: float
    """Add it to a time of the needle for the time of the witness, at the beginning."""
    needle_only: tuple[Span, ...]
    """What of the needle's ends the witness has not."""
    part: Span | None
    """Where in the witness the needle lies, in the witness's times; None where it has nothing more at its ends."""
    scenes: tuple[Span, ...]
    """Where other pictures are shown, in the needle's times."""
    colors: tuple[Span, ...]
    """Where only the colours are others."""
    shifts: tuple[tuple[float, float], ...]
    """From when of the needle on the witness is by how many seconds later than before (sooner: below 0)."""
    sounds: tuple[Span, ...]
    """Where other sound is heard."""
    is_still: bool
    """True where hardly anything moves, so that another film of the same place would look alike."""
    tone: Tone | None = None
    """How brightness and contrast of the needle differ; None where they hardly do."""
    speed: float = 1.0
    """Seconds of the witness that are shown in a second of the needle."""

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing differs in what is shown and heard from the first frame to the last."""
        is_as_it_was = self.tone is None and self.speed == 1.0
        differences = self.needle_only, self.part, self.scenes, self.colors, self.shifts, self.sounds
        return is_as_it_was and not any(differences)

    @property
    def differing_seconds(self) -> float:
        """For how long other pictures or colours are shown, and by how much something was put in or taken out."""
        spans = (*self.scenes, *self.colors)
        return sum(span.end - span.begin for span in spans) + sum(abs(seconds) for _, seconds in self.shifts)


class _Piece(NamedTuple):
    """From when of the needle on which offset holds."""

    begin: float
    offset: float


def liken(needle: Track, witness: Track, orientation: int, offset_seconds: float) -> Likeness | None:
    """Compare two films of which frames are alike at an offset; None where they are not one.

    ``orientation`` is how the witness is turned to meet the needle.
    """
    turned = witness._replace(gray=_turned(witness.gray, orientation), chroma=_turned(witness.chroma, orientation))
    tone = tone_of(needle, turned, offset_seconds)
    if tone is not None and tone.is_told:
        toned = _compared(needle, tone.applied(turned), offset_seconds, min(1.0, tone.gain))
        likeness = None if toned is None else toned._replace(tone=tone)
    else:
        likeness = _compared(needle, turned, offset_seconds)
    if likeness is not None and likeness.differing_seconds <= _MUCH * float(needle.seconds[-1]):
        return likeness
    return _better(likeness, _at_another_speed(needle, turned))


def _better(likeness: Likeness | None, rival: Likeness | None) -> Likeness | None:
    """Return the other one where by it no more than half as much differs."""
    if likeness is None or (rival is not None and 2 * rival.differing_seconds <= likeness.differing_seconds):
        return rival
    return likeness


def _compared(needle: Track, witness: Track, offset_seconds: float, gain: float = 1.0) -> Likeness | None:
    """Compare two films as they are; ``gain`` is the share of the contrast that both have.

    Where much differs at the offset they are compared at the best one within half a minute as well: of a film whose key
    frames look much alike, those that met may be others.
    """
    pair = _Pair(needle, witness, gain)
    likeness = pair.likeness(pair.pieces(offset_seconds))
    if likeness is not None and likeness.differing_seconds <= _LITTLE * float(needle.seconds[-1]):
        return likeness
    return _better(likeness, pair.likeness(pair.pieces(offset_seconds, _REACH_SECONDS)))


def _at_another_speed(needle: Track, witness: Track) -> Likeness | None:
    """Compare the needle as it would be at the speed of the witness; None where it is played at no other."""
    line = line_of(needle, witness)
    if line is None:
        return None
    likeness = _compared(played_at(needle, line.speed), witness, line.offset_seconds)
    if likeness is None or likeness.is_still:  # where nothing moves, any speed fits
        return None
    speed = line.speed
    return likeness._replace(
        speed=round(speed, 4),
        needle_only=_slower(likeness.needle_only, speed),
        scenes=_slower(likeness.scenes, speed),
        colors=_slower(likeness.colors, speed),
        sounds=_slower(likeness.sounds, speed),
        shifts=tuple((round(at / speed, 3), seconds) for at, seconds in likeness.shifts),
    )


def _slower(spans: Sequence[Span], speed: float) -> tuple[Span, ...]:
    """Return the needle's times for those that it has at the speed of the witness."""
    return tuple(Span(round(begin / speed, 3), round(end / speed, 3)) for begin, end in spans)


def _turned(pictures: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(turn(pictures, orientation))


class _Pair:
    """Two films on one scale of time."""

    def __init__(self, needle: Track, witness: Track, gain: float) -> None:
        self.needle, self.witness = needle, witness
        self._gray_bound = GRAY_BOUND * gain
        self.steps = _step(needle.seconds), _step(witness.seconds)

    def pieces(self, offset: float, reach: float = 1.0) -> list[_Piece]:
        """Find which offset holds from when of the needle on: one, but where something was put in or taken out."""
        refined = self._offset_near(np.arange(len(self.needle.seconds)), offset, reach)
        pieces = [_Piece(0.0, offset if refined is None else refined)]
        for _ in range(_ROUNDS):
            better = self._with_ends(pieces)
            if better is None:
                break
            pieces = better
        return pieces

    def _with_ends(self, pieces: list[_Piece]) -> list[_Piece] | None:
        """Look elsewhere for what does not fit from the beginning, or up to the end; None where all does."""
        excess = self._excess(pieces)
        seconds = self.needle.seconds
        good = np.flatnonzero(excess.fits)
        if not len(good):
            return None
        tail, head = np.arange(good[-1] + 1, len(seconds)), np.arange(good[0])
        if len(tail) and seconds[-1] - seconds[tail[0]] >= _LEAST_PART_SECONDS:
            offset = self._offset_near(tail, pieces[-1].offset, _REACH_SECONDS)
            if offset is not None and abs(offset - pieces[-1].offset) > 2 * max(self.steps):
                begin = self._first_fitting(tail, offset)
                if begin is not None:
                    return [*pieces, _Piece(float(seconds[begin]), offset)]
        if len(head) and seconds[head[-1]] >= _LEAST_PART_SECONDS:
            offset = self._offset_near(head, pieces[0].offset, _REACH_SECONDS)
            if offset is not None and abs(offset - pieces[0].offset) > 2 * max(self.steps):
                return [_Piece(0.0, offset), pieces[0]._replace(begin=float(seconds[good[0]])), *pieces[1:]]
        return None

    def _first_fitting(self, frames: NDArray[np.int64], offset: float) -> int | None:
        """Return the first of these frames from which on an offset holds."""
        excess = self._excess([_Piece(0.0, offset)])
        fitting = frames[excess.fits[frames]]
        return int(fitting[0]) if len(fitting) else None

    def _offset_near(self, frames: NDArray[np.int64], offset: float, reach: float) -> float | None:
        """Return the offset at which samples of these frames meet frames of the witness best; None where none do."""
        seconds, witness_seconds = self.needle.seconds, self.witness.seconds
        samples = frames[np.linspace(0, len(frames) - 1, min(_SAMPLES, len(frames))).astype(int)]
        offsets, levels, owners = [], [], []
        for sample in samples.tolist():
            low, high = np.searchsorted(witness_seconds, seconds[sample] + offset + np.array([-reach, reach]))
            if low >= high:
                continue
            picture = self.needle.gray[sample].astype(np.int16)
            unlike = np.abs(self.witness.gray[low:high].astype(np.int16) - picture).mean(axis=(1, 2))
            near = np.flatnonzero(unlike <= min(_NEAR_LEVELS, unlike.min() + 0.5))
            offsets.append(witness_seconds[low:high][near] - seconds[sample])
            levels.append(unlike[near])
            owners.append(np.full(len(near), sample))
        if not offsets or not sum(map(len, offsets)):
            return None
        all_offsets, all_owners = np.concatenate(offsets), np.concatenate(owners)
        all_levels = np.concatenate(levels)
        width = max(0.05, *self.steps)
        best: tuple[int, float, float] | None = None
        for candidate in np.unique(np.round(all_offsets / width)) * width:
            is_in = np.abs(all_offsets - candidate) <= width
            count = len(np.unique(all_owners[is_in]))
            rank = count, -round(float(all_levels[is_in].mean()), 1), -abs(candidate - offset)
            if best is None or rank > best:
                best, chosen = rank, is_in
        if best is None or best[0] * 2 < len(samples):
            return None
        weights = all_levels[chosen]
        return float(np.median(all_offsets[chosen][weights <= np.median(weights)]))

    def _excess(self, pieces: Sequence[_Piece]) -> _Excess:
        """Compare each frame of the needle with what the witness shows then."""
        times = self.needle.seconds + _offsets(pieces, self.needle.seconds)
        return _excess(self.needle, self.witness, times, max(self.steps), self._gray_bound)

    def _excess_of_witness(self, pieces: Sequence[_Piece]) -> tuple[_Excess, Seconds]:
        """Compare each frame of the witness with what the needle shows then; gives the needle's times too."""
        times = _back(pieces, self.witness.seconds)
        return _excess(self.witness, self.needle, times, max(self.steps), self._gray_bound), times

    def likeness(self, pieces: Sequence[_Piece]) -> Likeness | None:
        """Tell what differs; None where too little is alike."""
        ours = self._excess(pieces)
        theirs, their_times = self._excess_of_witness(pieces)
        seconds = self.needle.seconds
        is_alike = ours.is_over & ours.is_related
        alike = np.count_nonzero(is_alike) * self.steps[0]
        shorter = min(self._length(0), self._length(1))
        if alike < LEAST_SHARE * shorter or alike < max(_LEAST_OF_ALL_SECONDS, min(LEAST_SECONDS, 0.8 * shorter)):
            return None
        is_sound = ours.is_over & ~ours.differs
        is_still = _movement(self.needle, ours.is_cell_over) < STILL_LEVELS
        if is_still and np.count_nonzero(is_sound) * 2 < np.count_nonzero(is_alike):
            return None  # only what never moves is alike: another film of one place
        scenes = _joined(
            self._shown_by_both(seconds, ours.is_over & ours.differs, 0),
            self._shown_by_both(their_times, theirs.is_over & theirs.differs, 1),
        )
        colors = _joined(
            self._shown_by_both(seconds, is_sound & ours.is_colored, 0),
            self._shown_by_both(their_times, theirs.is_over & theirs.is_colored & ~theirs.differs, 1),
        )
        shifts = tuple(
            (round(later.begin, 3), round(later.offset - earlier.offset, 3)) for earlier, later in pairwise(pieces)
        )
        return Likeness(
            offset_seconds=round(pieces[0].offset, 3),
            needle_only=self._needle_only(pieces),
            part=self._part(pieces),
            scenes=_without(scenes, shifts),
            colors=colors,
            shifts=shifts,
            sounds=tuple(self._sounds(pieces)),
            is_still=is_still,
        )

    def _shown_by_both(self, times: Seconds, differs: Flags, side: int) -> list[Span]:
        """Return when frames of one of the two differ; without those that fall between two frames of the other.

        A film of fewer frames cannot show them. Frames that follow one another without a break for longer than that
        are told: only what is asked of each run by itself, before runs are joined, tells the two apart.
        """
        own, facing = self.steps[side], self.steps[1 - side]
        if own <= _FEWER * facing:
            for first, end in _runs(differs):
                if times[end - 1] - times[first] + own <= facing + own / 2:
                    differs[first:end] = False
        return _spans(times, differs, own)

    def _length(self, side: int) -> float:
        track = (self.needle, self.witness)[side]
        return float(track.seconds[-1]) + self.steps[side]

    def _needle_only(self, pieces: Sequence[_Piece]) -> tuple[Span, ...]:
        length = self._length(0)
        begin, end = -pieces[0].offset, self._length(1) - pieces[-1].offset
        spans = []
        if begin > self._least:
            spans.append(Span(0.0, min(begin, length)))
        if length - end > self._least:
            spans.append(Span(max(0.0, end), length))
        return tuple(spans)

    def _part(self, pieces: Sequence[_Piece]) -> Span | None:
        length = self._length(1)
        begin, end = pieces[0].offset, self._length(0) + pieces[-1].offset
        if begin <= self._least and length - end <= self._least:
            return None
        return Span(max(0.0, begin), min(length, end))

    @property
    def _least(self) -> float:
        return max(SHORTEST_SECONDS, 2.5 * max(self.steps))

    def _sounds(self, pieces: Sequence[_Piece]) -> Iterator[Span]:
        """Yield where the sounds differ, as far as both films have some, in the needle's times."""
        ours, theirs = self.needle.sound, self.witness.sound
        if ours is None or theirs is None or not len(ours) or not len(theirs):
            return
        begin, end = max(0.0, -pieces[0].offset), min(self._length(0), self._length(1) - pieces[-1].offset)
        begin += _EDGE_SECONDS if abs(pieces[0].offset) > self._least else 0.0
        end -= _EDGE_SECONDS if abs(self._length(1) - pieces[-1].offset - self._length(0)) > self._least else 0.0
        steps = np.arange(round(begin / SOUND_STEP_SECONDS), round(end / SOUND_STEP_SECONDS))
        if not len(steps):
            return
        times = np.asarray(steps * SOUND_STEP_SECONDS, np.float64)
        at = (times + _offsets(pieces, times)) / SOUND_STEP_SECONDS
        places = [*(at + move for move in _MOVES), np.floor(at), np.ceil(at)]
        differs = _sound_differs(_at(ours, steps.astype(float)), [_at(theirs, there) for there in places])
        yield from _spans(times, differs, SOUND_STEP_SECONDS)


def _at(levels: NDArray[np.float32], places: Seconds) -> NDArray[np.float32]:
    """Return the levels at these places, between two steps in a straight line; before and behind those at the ends."""
    inside = np.clip(places, 0, len(levels) - 1)
    below = np.floor(inside).astype(int)
    share = (inside - below)[:, None].astype(np.float32)
    levels_there: NDArray[np.float32] = levels[below] * (1 - share) + levels[np.ceil(inside).astype(int)] * share
    return levels_there


def _sound_differs(ours: NDArray[np.float32], theirs: Sequence[NDArray[np.float32]]) -> Flags:
    """Tell of each tenth of a second whether other sound is heard, whatever its volume is."""
    bounded = np.maximum(ours, QUIET_DB)
    apart = np.stack([np.abs(bounded - np.maximum(levels, QUIET_DB)) for levels in theirs]).mean(axis=2).min(axis=0)
    window = np.ones(min(_SOUND_STEPS, len(apart))) / min(_SOUND_STEPS, len(apart))
    return np.convolve(apart, window, mode="same") > SOUND_BOUND_DB


def _step(seconds: Seconds) -> float:
    """Return the usual distance of frames."""
    steps = np.diff(seconds)
    return float(np.median(steps[steps > 0])) if np.any(steps > 0) else 0.04


def _offsets(pieces: Sequence[_Piece], times: Seconds) -> Seconds:
    begins = np.array([piece.begin for piece in pieces])
    offsets = np.array([piece.offset for piece in pieces])
    return offsets[np.maximum(np.searchsorted(begins, times, "right") - 1, 0)]


def _back(pieces: Sequence[_Piece], times: Seconds) -> Seconds:
    """Return the needle's times for times of the witness; what was put into the witness lies where it was put in."""
    own = times - pieces[0].offset
    for piece in pieces[1:]:
        later = times - piece.offset
        own = np.where(later >= piece.begin, later, np.minimum(own, piece.begin))
    return own


class _Excess(NamedTuple):
    """How far each frame of a film lies outside of what another film shows around then."""

    is_cell_over: Flags
    """Shape (frames, 16, 16): where the grey levels are beyond the bound."""
    is_colored: Flags
    """Of which frames a part has other colours."""
    is_over: Flags
    """Of which frames the other film shows anything then."""

    @property
    def differs(self) -> Flags:
        """Tell of each frame whether a part of it is another."""
        flags: Flags = np.any(self.is_cell_over, axis=(1, 2))
        return flags

    @property
    def is_related(self) -> Flags:
        """Tell of each frame whether most of it is the same."""
        flags: Flags = np.mean(self.is_cell_over, axis=(1, 2)) <= _MOST_OVER
        return flags

    @property
    def fits(self) -> Flags:
        """Tell of each frame whether it is what the other film shows then: as a whole, or most of it where hardly any
        frame is the same as a whole, as in a film with a mark in its corner.
        """
        is_same = self.is_over & ~self.differs & ~self.is_colored
        is_marked = bool(np.count_nonzero(is_same) < _LEAST_SAME * int(np.count_nonzero(self.is_over)) + 0.1)
        return self.is_over & self.is_related if is_marked else is_same


def _excess(track: Track, shown: Track, times: Seconds, reach: float, gray_bound: float) -> _Excess:
    """Compare each frame of ``track``, shown at ``times`` of ``shown``, with all frames around then."""
    count = len(times)
    is_cell_over = np.zeros((count, _SIDE_CELLS, _SIDE_CELLS), np.bool_)
    is_colored, casts = np.zeros(count, np.bool_), np.zeros(count)
    low = np.searchsorted(shown.seconds, times - 1.01 * reach)
    high = np.searchsorted(shown.seconds, times + 1.01 * reach, "right")
    rounding = 0.3 * reach
    is_over = (high > low) & (times >= -rounding) & (times <= shown.seconds[-1] + reach - rounding)
    for start in range(0, count, _BATCH):
        part = np.flatnonzero(is_over[start : start + _BATCH]) + start
        if len(part):
            bounds = low[part], high[part]
            is_cell_over[part] = _cells(_outside(track.gray[part], shown.gray, *bounds)) > gray_bound
            colors = _outside(track.chroma[part], shown.chroma, *bounds)
            is_colored[part] = colors.max(axis=(1, 2, 3)) > CHROMA_BOUND
            casts[part] = colors.mean(axis=(2, 3)).max(axis=1)
    if is_over.any():
        # What all frames have is how the two were encoded; what some have was done to them.
        is_colored |= is_over & (casts - np.median(casts[is_over]) > CAST_BOUND)
    if track.shown_in_bars is not None:
        # What is shown in the bars of one film is in no other: as if the frame had another corner.
        is_cell_over[:, 0, 0] |= track.shown_in_bars
    return _Excess(is_cell_over, is_colored, is_over)


def _outside(own: Bytes, theirs: Bytes, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return how far each value lies outside of those of the frames of the other film from ``low`` to ``high``."""
    least, highest = theirs[low].copy(), theirs[low].copy()
    for step in range(1, min(int((high - low).max()), _MOST_AROUND)):
        frames = theirs[np.minimum(low + step, high - 1)]
        np.minimum(least, frames, out=least)
        np.maximum(highest, frames, out=highest)
    values = own.astype(np.int16)
    excess: NDArray[np.int16] = np.maximum(least - values, values - highest).clip(0)
    return excess


def _cells(excess: NDArray[np.int16]) -> NDArray[np.float64]:
    count, side = excess.shape[0], excess.shape[1] // _SIDE_CELLS
    means: NDArray[np.float64] = excess.reshape(count, _SIDE_CELLS, side, _SIDE_CELLS, side).mean(axis=(2, 4))
    return means


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """Return where flags are set without a break: from which position up to which.

    >>> _runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _spans(seconds: Seconds, flags: Flags, step: float) -> list[Span]:
    """Return the times at which flags are set, those near each other as one."""
    spans: list[Span] = []
    for at in seconds[flags].tolist():
        if spans and at - spans[-1].end <= _GAP_SECONDS:
            spans[-1] = Span(spans[-1].begin, max(spans[-1].end, at + step))
        else:
            spans.append(Span(at, at + step))
    return spans


def _joined(*groups: Sequence[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in sorted(span for group in groups for span in group):
        if joined and span.begin - joined[-1].end <= _GAP_SECONDS:
            joined[-1] = Span(joined[-1].begin, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(Span(round(span.begin, 3), round(span.end, 3)) for span in joined)


def _without(spans: Sequence[Span], shifts: Sequence[tuple[float, float]]) -> tuple[Span, ...]:
    """Leave out frames where something was put in or taken out, which is told as such."""
    return tuple(
        span for span in spans
        if span.end - span.begin > _CUT_SECONDS
        or not any(span.begin - _GAP_SECONDS <= at <= span.end + _GAP_SECONDS for at, _ in shifts)
    )  # fmt: skip


def _movement(track: Track, is_cell_over: Flags) -> float:
    """Return by how many grey levels frames half a second apart differ, on average, where they are alike."""
    later = np.minimum(np.searchsorted(track.seconds, track.seconds + 0.5), len(track.seconds) - 1)
    chosen = np.linspace(0, len(later) - 1, min(len(later), 256)).astype(int)
    first, second = track.gray[chosen].astype(np.int16), track.gray[later[chosen]].astype(np.int16)
    cells = _cells(np.abs(first - second))[~(is_cell_over[chosen] | is_cell_over[later[chosen]])]
    return float(cells.mean()) if cells.size else 0.0
