"""Two films frame by frame, on arrays that nobody encoded: what is alike, and what is said of what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dupfind.evidence.film_likeness import GRAY_BOUND, Likeness, Span, liken
from dupfind.evidence.film_reasons import reason_of
from dupfind.pictures.film_frames import Look, Track
from dupfind.reasons import ReasonCode as Code

RATE = 10
LOOK = Look(640, 480, "h264", float(RATE), 1, 0, 6.0)


def track(seed: int = 1, seconds: float = 6.0, rate: int = RATE, **changes: Any) -> Track:
    """A film in which a wide picture moves by, with a sound that changes."""
    count = round(seconds * rate)
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (9, 60))
    wide = np.kron(coarse, np.ones((4, 8), int))[:32]
    at = (np.arange(count) / rate * 12).astype(int)
    gray = np.stack([wide[:, start : start + 32] for start in at]).astype(np.uint8)
    chroma = (128 + rng.normal(0, 20, (1, 2, 8, 8)).repeat(count, axis=0)).astype(np.uint8)
    sound = rng.uniform(20, 80, (round(seconds * 10), 8)).astype(np.float32)
    return Track(LOOK, np.arange(count) / rate, gray, chroma, sound, ())._replace(**changes)


def cut(of: Track, begin: float, end: float) -> Track:
    """A part of a film."""
    first, last = round(begin * RATE), round(end * RATE)
    return of._replace(
        seconds=of.seconds[first:last] - of.seconds[first], gray=of.gray[first:last], chroma=of.chroma[first:last],
        sound=None if of.sound is None else of.sound[round(begin * 10) : round(end * 10)],
    )  # fmt: skip


def alike(needle: Track, witness: Track, offset: float = 0.0, orientation: int = 0) -> Likeness:
    """What differs, of films that are alike."""
    likeness = liken(needle, witness, orientation, offset)
    assert likeness is not None
    return likeness


def codes(needle: Track, witness: Track, offset: float = 0.0, orientation: int = 0) -> list[Code]:
    """The codes of all that is said."""
    likeness = alike(needle, witness, offset, orientation)
    reason = reason_of(likeness, needle, witness, orientation, (len(needle.seconds), len(witness.seconds)))
    return [reason.code, *(fact.code for fact in reason.facts if isinstance(fact, tuple))]


def noisy(of: Track, levels: int = 6) -> Track:
    """The film as a hard compression leaves it."""
    rng = np.random.default_rng(9)
    noise = rng.integers(-levels, levels + 1, of.gray.shape)
    return of._replace(gray=(of.gray.astype(int) + noise).clip(0, 255).astype(np.uint8))


def test_a_copy() -> None:
    """Nothing is said of noise, nor of the film itself."""
    of = track()
    for copy in (of, noisy(of)):
        assert alike(copy, of).is_whole
        assert [Code.RE_ENCODED_FILM] == codes(copy, of)


def test_another_film() -> None:
    """Is none, whatever the offset."""
    assert liken(track(1), track(2), 0, 0.0) is None
    assert liken(track(1), track(2), 0, 1.0) is None


@pytest.mark.parametrize("frames", [1, 4])
def test_something_that_is_shown_for_a_moment(frames: int) -> None:
    """A box in one of the two, on either side, however short: told with its times."""
    of = track()
    gray = of.gray.copy()
    gray[20 : 20 + frames, 8:12, 16:20] = np.where(gray[20 : 20 + frames, 8:12, 16:20] > 128, 0, 255)
    boxed = of._replace(gray=gray)
    for needle, witness in ((boxed, of), (of, boxed)):
        assert (Span(2.0, 2.0 + frames / 10),) == alike(needle, witness).scenes
        assert [Code.FILM_CHANGED, Code.FILM_SCENE] == codes(needle, witness)


def test_a_small_difference_in_one_cell() -> None:
    """It counts from the bound on."""
    of = track(gray=np.full((60, 32, 32), 100, np.uint8) + track().gray // 4)
    for levels, is_told in ((GRAY_BOUND + 2, True), (GRAY_BOUND - 4, False)):
        gray = of.gray.copy()
        gray[30:34, 4:6, 4:6] = (gray[30:34, 4:6, 4:6].astype(int) + int(levels)).clip(0, 255)
        assert is_told is bool(alike(of._replace(gray=gray), of).scenes)


def test_other_colors() -> None:
    """For some time."""
    of = track()
    chroma = of.chroma.copy()
    chroma[10:20, 0, 2:4] = (chroma[10:20, 0, 2:4].astype(int) + 40).clip(0, 255)
    for needle, witness in ((of._replace(chroma=chroma), of), (of, of._replace(chroma=chroma))):
        assert ((Span(1.0, 2.0),), ()) == (alike(needle, witness).colors, alike(needle, witness).scenes)
        assert [Code.FILM_CHANGED, Code.FILM_COLORS] == codes(needle, witness)


def test_other_colors_in_one_place() -> None:
    """Are told: the mean of the frame is hardly moved by them."""
    of = track()
    of.chroma[:, 1, 2, 3] = 128
    chroma = of.chroma.copy()
    chroma[10:20, 1, 2, 3] = 128 + 40
    assert (Span(1.0, 2.0),) == alike(of._replace(chroma=chroma), of).colors


def test_faint_colors_that_are_taken_out_for_a_second() -> None:
    """Are told, though no part of a frame is beyond the bound for parts; what all frames have is of the encoding."""
    rng = np.random.default_rng(3)
    faint = (128 + rng.normal(0, 4, (1, 2, 8, 8)).repeat(60, axis=0)).astype(np.uint8)
    film, gray, cast = track(chroma=faint), faint.copy(), faint + 4
    gray[20:30] = 128
    assert (Span(2.0, 3.0),) == alike(track(chroma=gray), film).colors
    assert (Span(2.0, 3.0),) == alike(film, track(chroma=gray)).colors
    assert () == alike(track(chroma=cast), film).colors
    gray[20:30] = faint[20:30] + 1
    assert () == alike(track(chroma=gray), film).colors


def test_a_part() -> None:
    """Its place in the longer film, whichever of the two it is."""
    of = track()
    part = cut(of, 1.5, 4.5)
    likeness = alike(part, of, 1.4)
    assert (Span(1.5, 4.5), (), ()) == (likeness.part, likeness.needle_only, likeness.scenes)
    assert [Code.FILM_PART, Code.FILM_WITHIN] == codes(part, of, 1.5)
    assert (Span(0.0, 1.5), Span(4.5, 6.0)) == alike(of, part, -1.5).needle_only
    assert [Code.FILM_PART, Code.FILM_LACKS, Code.FILM_LACKS] == codes(of, part, -1.5)


def joined(*parts: Track) -> Track:
    """Films one after the other."""
    gray, chroma = np.concatenate([part.gray for part in parts]), np.concatenate([part.chroma for part in parts])
    sound = np.concatenate([part.sound for part in parts if part.sound is not None])
    return parts[0]._replace(seconds=np.arange(len(gray)) / RATE, gray=gray, chroma=chroma, sound=sound)


@pytest.mark.parametrize("offset", [0.0, -1.0])
def test_a_second_that_was_put_in(offset: float) -> None:
    """Or taken out: told, with its time, by whichever part the two were found."""
    of = track()
    longer = joined(cut(of, 0, 2.5), track(5, 1.0), cut(of, 2.5, 6))
    likeness = alike(longer, of, offset)
    assert ((3.5, -1.0),) == likeness.shifts
    assert [Span(2.5, 3.5)] == list(likeness.scenes)
    assert Code.FILM_SHIFTED in codes(longer, of, offset)
    taken = alike(of, longer, -offset)
    assert ((2.5, 1.0),) == taken.shifts
    assert Code.FILM_SHIFTED in codes(of, longer, -offset)


def test_a_second_of_the_film_that_was_taken_out() -> None:
    """Of which no frame is another one."""
    of = track()
    shorter = joined(cut(of, 0, 2.5), cut(of, 3.5, 6))
    assert ((2.5, 1.0),) == alike(shorter, of).shifts
    assert Code.FILM_CHANGED == codes(shorter, of)[0]


def test_other_sound() -> None:
    """From when to when; moved by a tenth of a second it is the same."""
    of = track()
    assert of.sound is not None
    other = of.sound.copy()
    other[20:30] = track(7).sound[20:30]  # type: ignore[index]
    (span,) = alike(of._replace(sound=other), of).sounds
    assert 1.7 < span.begin < 2.3
    assert 2.7 < span.end < 3.3
    assert [Code.FILM_CHANGED, Code.FILM_SOUND] == codes(of._replace(sound=other), of)
    late = np.concatenate([of.sound[:1], of.sound[:-1]])
    assert () == alike(of._replace(sound=late), of).sounds


def test_sound_and_subtitles_that_one_of_the_two_lacks() -> None:
    """Are told, and so is another number of tracks."""
    of = track()
    silent, two = of._replace(sound=None), of._replace(look=LOOK._replace(sounds=2))
    assert [Code.FILM_CHANGED, Code.FILM_SOUNDLESS] == codes(silent, of)
    assert [Code.FILM_CHANGED, Code.WITNESS_SOUNDLESS] == codes(of, silent)
    assert [Code.FILM_CHANGED, Code.FILM_SOUND_TRACKS] == codes(two, of)
    said = of._replace(look=LOOK._replace(subtitles=1), subtitles=((1.0, "Hello"), (2.0, "there")))
    other = said._replace(subtitles=((1.0, "Hello"), (2.0, "you")))
    late = said._replace(subtitles=((1.0, "Hello"), (3.0, "there")))
    for needle, witness in ((said, of), (of, said), (other, said), (late, said), (said._replace(subtitles=()), said)):
        assert [Code.FILM_CHANGED, Code.FILM_SUBTITLES] == codes(needle, witness)
    assert [Code.RE_ENCODED_FILM] == codes(said, said)
    assert [Code.FILM_PART, Code.FILM_WITHIN] == codes(cut(said, 0, 4), said)


def test_turned() -> None:
    """However it lies, with what it takes to set it upright."""
    of = track()
    turned = of._replace(gray=np.rot90(of.gray, axes=(1, 2)).copy(), chroma=np.rot90(of.chroma, axes=(2, 3)).copy())
    assert liken(turned, of, 0, 0.0) is None
    assert [Code.RE_ENCODED_FILM, Code.TURNED] == codes(turned, of, orientation=7)
    mirrored = of._replace(gray=of.gray[..., ::-1].copy(), chroma=of.chroma[..., ::-1].copy())
    assert [Code.RE_ENCODED_FILM, Code.MIRRORED] == codes(mirrored, of, orientation=1)


def test_what_is_worse() -> None:
    """Of the witness, never of the needle."""
    of = track()
    small = of._replace(look=Look(320, 240, "h264", RATE / 2, 1, 0, 6.0, 8))
    deep = of._replace(look=LOOK._replace(bits=10))
    assert [Code.RE_ENCODED_FILM, Code.FILM_SMALLER, Code.FILM_RATE, Code.FILM_DEPTH] == codes(deep, small)
    assert [Code.RE_ENCODED_FILM] == codes(small, deep)
    likeness = alike(of, of)
    reason = reason_of(likeness, of, of, 0, (900_000, 300_000))
    assert [Code.FILM_BITS] == [fact.code for fact in reason.facts if isinstance(fact, tuple)]
    assert () == reason_of(likeness, of, of, 0, (300_000, 900_000)).facts


def test_fewer_frames() -> None:
    """What lies between the frames of a film that has fewer is no difference; what lasts longer is."""
    of = track(rate=20)
    half = of._replace(seconds=of.seconds[::2], gray=of.gray[::2], chroma=of.chroma[::2])
    for needle, witness in ((half, of), (of, half)):
        assert () == alike(needle, witness).scenes
    gray = of.gray.copy()
    gray[41, 8:12, 16:20] ^= 255
    assert () == alike(half, of._replace(gray=gray)).scenes
    gray[41:46, 8:12, 16:20] = 255 - of.gray[41:46, 8:12, 16:20]
    assert alike(half, of._replace(gray=gray)).scenes


def test_frames_between_those_of_a_film_with_fewer() -> None:
    """Are no difference, however many there are and however near each other: something moves fast."""
    of = track(rate=20)
    half = of._replace(seconds=of.seconds[::2], gray=of.gray[::2], chroma=of.chroma[::2])
    gray = of.gray.copy()
    gray[41:56:2, 8:12, 16:20] = 255 - of.gray[41:56:2, 8:12, 16:20]
    assert () == alike(half, of._replace(gray=gray)).scenes
    assert [Code.RE_ENCODED_FILM] == codes(half, of._replace(gray=gray))


def test_a_tone_that_begins_all_at_once() -> None:
    """Is the same where one of the two films begins a hundredth of a second later."""
    of = track()
    assert of.sound is not None
    sound = np.full((61, of.sound.shape[1]), 20.0, np.float32)
    sound[59], sound[60] = 90.0, 0.0  # a tenth of a second on either side is no substitute
    assert () == alike(of._replace(sound=sound, seconds=of.seconds + 0.013), of._replace(sound=sound)).sounds


def test_a_film_in_which_nothing_moves() -> None:
    """Is told as such; where a person walks through it for most of the time it is another film."""
    gray = np.repeat(track().gray[:1], 60, axis=0)
    still = track(gray=gray)
    assert [Code.RE_ENCODED_FILM, Code.FILM_STILL] == codes(still, still)
    walked = gray.copy()
    for index in range(60):
        walked[index, 10:20, index % 20 : index % 20 + 6] = 255 - walked[index, 10:20, index % 20 : index % 20 + 6]
    assert liken(still._replace(gray=walked), still, 0, 0.0) is None


def test_a_mark_in_the_corner_of_every_frame() -> None:
    """Where the rest moves as in the other film it is a changed copy."""
    of = track()
    gray = of.gray.copy()
    gray[:, 26:30, 26:30] = 255 - gray[:, 26:30, 26:30]
    assert (Span(0.0, 6.0),) == alike(of._replace(gray=gray), of).scenes


@settings(max_examples=30, deadline=None)
@given(begin=st.integers(0, 30), length=st.integers(12, 30), error=st.floats(-0.3, 0.3))
def test_any_part_is_found_at_its_place(begin: int, length: int, error: float) -> None:
    """Whatever the offset was rounded to by which it was found."""
    of = track()
    likeness = alike(cut(of, begin / 10, (begin + length) / 10), of, begin / 10 + error)
    assert (begin / 10, (), ()) == (round(likeness.offset_seconds, 2), likeness.scenes, likeness.shifts)


def test_a_part_that_was_found_by_frames_of_another_time() -> None:
    """As of a film whose key frames look alike: the offset at which all fits is the one."""
    of = track()
    likeness = alike(cut(of, 3.0, 6.0), of, 0.4)
    assert (3.0, (), ()) == (round(likeness.offset_seconds, 2), likeness.scenes, likeness.shifts)


def test_the_tone_of_a_film_that_is_even_but_for_a_word() -> None:
    """Is found: a logo that grows on one colour."""
    count = 60
    gray = np.full((count, 32, 32), 57, np.uint8)
    for index in range(count):
        gray[index, 12:18, 4 : 8 + index // 4] = 150
    of = track(gray=gray)
    likeness = alike(toned(of, 0.8, 50), of)
    assert (True, ()) == (likeness.tone is not None, likeness.scenes)


def test_the_sound_of_a_short_film() -> None:
    """It is compared from its beginning to its end."""
    of = track(seconds=0.4)
    assert of.sound is not None
    assert () == alike(of, of).sounds
    assert [Code.FILM_CHANGED, Code.FILM_SOUND] == codes(of._replace(sound=of.sound[::-1] / 3), of)[:2]


def toned(of: Track, gain: float, levels: float) -> Track:
    """The film with another contrast and brightness."""
    gray = (of.gray.astype(float) * gain + levels).clip(0, 255).astype(np.uint8)
    chroma = ((of.chroma.astype(float) - 128) * gain + 128).clip(0, 255).astype(np.uint8)
    return of._replace(gray=gray, chroma=chroma)


@pytest.mark.parametrize(("gain", "levels"), [(0.8, 40), (0.6, 0), (1.3, -30), (1.0, 25)])
def test_another_brightness_or_contrast(gain: float, levels: int) -> None:
    """Is told as that, whichever of the two is brighter, and nothing else differs."""
    of = track()
    other = toned(of, gain, levels)
    for needle, witness in ((other, of), (of, other)):
        assert [Code.FILM_CHANGED, Code.FILM_TONE] == codes(noisy(needle, 2), witness)
    tone = alike(other, of).tone
    assert tone is not None
    assert (gain, True) == (pytest.approx(tone.gain, abs=0.05), abs(tone.levels - (110 * (gain - 1) + levels)) < 20)


def test_something_that_is_shown_for_a_moment_in_a_brighter_film() -> None:
    """Is told as in any other, with less contrast by less."""
    of = track()
    gray = of.gray.copy()
    gray[20:24, 8:12, 16:20] = np.where(gray[20:24, 8:12, 16:20] > 128, 80, 180)
    boxed = of._replace(gray=gray)
    for needle, witness in ((toned(boxed, 0.5, 60), of), (of, toned(boxed, 0.5, 60)), (toned(of, 0.5, 60), boxed)):
        assert (Span(2.0, 2.4),) == alike(needle, witness).scenes
    faint = of.gray.copy()
    faint[30:34, 4:8, 4:8] = (faint[30:34, 4:8, 4:8].astype(int) + 30).clip(0, 255)
    assert (Span(3.0, 3.4),) == alike(toned(of._replace(gray=faint), 0.5, 60), of).scenes


def test_a_film_that_is_brighter_for_a_while() -> None:
    """Shows other pictures for that time: one tone is for the whole film."""
    of = track()
    gray = of.gray.copy()
    gray[20:30] = toned(of, 1.0, 40).gray[20:30]
    assert (Span(2.0, 3.0),) == alike(of._replace(gray=gray), of).scenes


def test_hardly_any_contrast_is_another_film() -> None:
    """What is shown in it could hide in the bounds."""
    of = track()
    assert liken(toned(of, 0.2, 100), of, 0, 0.0) is None


def played(of: Track, speed: float) -> Track:
    """The film at another speed, as programs do it that keep every frame and the pitch of the sound."""
    assert of.sound is not None
    steps = np.minimum((np.arange(round(len(of.sound) / speed)) * speed).astype(int), len(of.sound) - 1)
    return of._replace(seconds=of.seconds / speed, sound=of.sound[steps])


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("speed", [1.25, 0.8, 25 / 24])
def test_another_speed(speed: float) -> None:
    """Is told with how fast it is, and so is what differs besides."""
    of = track(seconds=12.0, rate=25)
    fast = played(of, speed)
    likeness = alike(fast, of)
    assert (pytest.approx(speed, abs=0.01), (), ()) == (likeness.speed, likeness.scenes, likeness.shifts)
    assert [Code.FILM_CHANGED, Code.FILM_SPEED] == codes(fast, of)[:2]
    gray = fast.gray.copy()
    gray[200:210, 8:12, 16:20] = np.where(gray[200:210, 8:12, 16:20] > 128, 0, 255)
    (scene,) = alike(fast._replace(gray=gray), of).scenes
    assert (pytest.approx(8.0 / speed, abs=0.1), pytest.approx(8.4 / speed, abs=0.1)) == scene


def test_bars_that_were_left_out() -> None:
    """Are told of whichever film has them; what is shown in them differs from all that the other shows."""
    from dupfind.pictures.film_bars import Bars

    of = track()
    barred = of._replace(bars=Bars(32, 224, 0, 256), shown_in_bars=np.zeros(60, np.bool_))
    assert [Code.RE_ENCODED_FILM, Code.FILM_BARS] == codes(barred, of)
    assert Code.WITNESS_FILM_BARS in codes(of, barred)
    shown = np.zeros(60, np.bool_)
    shown[20:24] = True
    told = barred._replace(shown_in_bars=shown)
    assert (Span(2.0, 2.4),) == alike(told, of).scenes == alike(of, told).scenes
    small = barred._replace(look=LOOK._replace(height=640))
    assert [Code.RE_ENCODED_FILM, Code.WITNESS_FILM_BARS] == codes(of, small)
