"""Films, and copies and changes of them, as messengers, editors and other programs make them; made the same each time.

A film is a list of pictures with a rate, a sound, and subtitles; ``write`` encodes it. Knows nothing of what is found.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

SOUND_RATE = 48_000
Pictures = NDArray[np.uint8]
"""Shape (frames, height, width, 3)."""
Sound = NDArray[np.int16]
Stream = Any
"""Of PyAV."""


class Clip(NamedTuple):
    """A film before it is encoded."""

    pictures: Pictures
    rate: Fraction
    sound: Sound | None
    """One channel, 48,000 samples a second."""
    subtitles: tuple[tuple[float, str], ...] = ()

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.pictures) / float(self.rate)


class Encoding(NamedTuple):
    """How a clip is written."""

    container: str = "mp4"
    codec: str = "libx264"
    audio: str | None = "aac"
    options: tuple[tuple[str, str], ...] = (("crf", "18"), ("preset", "veryfast"))
    size: tuple[int, int] | None = None
    bit_rate: int = 0
    gop: int = 25
    audio_bit_rate: int = 128_000


def made(seed: int, seconds: float = 8.0, size: tuple[int, int] = (320, 180), rate: int = 25) -> Clip:
    """Make a film of two scenes: a wide picture that the camera moves over, with things that move in it, and a tune."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate)
    cut = int(count * (0.4 + 0.2 * rng.random()))
    scenes = [_scene(rng, size, cut, rate), _scene(rng, size, count - cut, rate)]
    return Clip(np.concatenate(scenes), Fraction(rate), _tune(rng, seconds))


def _scene(rng: np.random.Generator, size: tuple[int, int], count: int, rate: int) -> Pictures:
    width, height = size
    ground = _landscape(rng, (height + 40, 2 * width))
    path = np.cumsum(rng.normal(0, 0.6, (count, 2)), axis=0)  # a hand that is not quite still
    speed = rng.uniform(5, 30) / rate * 2
    blobs = [
        (
            rng.uniform(0, width),
            rng.uniform(0, height),
            rng.normal(0, 2, 2),
            rng.integers(12, 40),
            rng.integers(0, 255, 3),
        )
        for _ in range(3)
    ]
    frames = np.empty((count, height, width, 3), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    for index in range(count):
        left = int(min(width - 1, index * speed + abs(path[index, 0])))
        top = int(min(39, 20 + path[index, 1] % 20))
        frame = ground[top : top + height, left : left + width].copy()
        for x, y, move, radius, color in blobs:
            at_x, at_y = (x + move[0] * index) % width, (y + move[1] * index) % height
            frame[(columns - at_x) ** 2 + (rows - at_y) ** 2 < radius**2] = color
        frames[index] = frame
    return frames


def _landscape(rng: np.random.Generator, shape: tuple[int, int]) -> Pictures:
    """Make a picture that has what photos have: large forms, fine grain, edges."""
    height, width = shape
    picture = np.zeros((height, width, 3), np.float32)
    for step in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, 1, (height // step + 2, width // step + 2, 3)).astype(np.float32)
        rows = np.linspace(0, coarse.shape[0] - 1.001, height)
        columns = np.linspace(0, coarse.shape[1] - 1.001, width)
        top, left = rows.astype(int), columns.astype(int)
        part = (rows - top)[:, None, None].astype(np.float32), (columns - left)[None, :, None].astype(np.float32)
        upper = coarse[top][:, left] * (1 - part[1]) + coarse[top][:, left + 1] * part[1]
        lower = coarse[top + 1][:, left] * (1 - part[1]) + coarse[top + 1][:, left + 1] * part[1]
        picture += (upper * (1 - part[0]) + lower * part[0]) * step**0.7
    for _ in range(6):
        y, x, h, w = rng.integers(0, height), rng.integers(0, width), rng.integers(10, 80), rng.integers(10, 120)
        picture[y : y + h, x : x + w] = rng.normal(0, 20, 3)
    grain = rng.normal(0, 4, picture.shape).astype(np.float32)
    picture = 110 + picture * (45 / max(1e-3, float(picture.std()))) + grain
    pixels: Pictures = picture.clip(0, 255).astype(np.uint8)
    return pixels


def _tune(rng: np.random.Generator, seconds: float) -> Sound:
    """Make notes of a fifth of a second to one, with overtones, and some noise, as speech and music change."""
    count = int(seconds * SOUND_RATE)
    sound = np.zeros(count)
    at = 0
    while at < count:
        length = int(rng.uniform(0.2, 1.0) * SOUND_RATE)
        times = np.arange(min(length, count - at)) / SOUND_RATE
        note = 110 * 2 ** (rng.integers(0, 48) / 12)
        tone = sum(np.sin(2 * np.pi * note * k * times) / k for k in range(1, 5)) + rng.normal(0, 0.1, len(times))
        sound[at : at + len(times)] = tone * rng.choice([0.05, 0.4, 1.0]) * np.exp(-2 * times)
        at += length
    samples: Sound = (sound / np.abs(sound).max() * 20_000).astype(np.int16)
    return samples


H264 = Encoding()


def write(clip: Clip, encoding: Encoding = H264) -> bytes:
    """Encode a clip."""
    file = io.BytesIO()
    with av.open(file, "w", format=encoding.container) as out:
        video: Any = out.add_stream(encoding.codec, rate=clip.rate)
        width, height = encoding.size or clip.pictures.shape[2:0:-1]
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.gop_size = encoding.gop
        video.codec_context.options = dict(encoding.options)
        if encoding.bit_rate:
            video.codec_context.bit_rate = encoding.bit_rate
        track: Any = None
        if clip.sound is not None and encoding.audio:
            rate = 48_000
            track = out.add_stream(encoding.audio, rate=rate, layout="mono")
            track.codec_context.bit_rate = encoding.audio_bit_rate
        _encode_pictures(out, video, clip)
        if track is not None and clip.sound is not None:
            _encode_sound(out, track, clip.sound)
    return file.getvalue()


def _encode_pictures(out: Stream, video: Stream, clip: Clip) -> None:
    for index, picture in enumerate(clip.pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts, frame.time_base = index, 1 / clip.rate
        out.mux(video.encode(frame))
    out.mux(video.encode())


def _encode_sound(out: Stream, track: Stream, sound: Sound) -> None:
    resampler = av.AudioResampler(
        format=track.codec_context.format, layout="mono", rate=track.codec_context.sample_rate
    )
    fifo = av.AudioFifo()
    for start in range(0, len(sound), 1024):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound[None, start : start + 1024]), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        for resampled in resampler.resample(frame):
            fifo.write(resampled)
    size = track.codec_context.frame_size or 1024
    for part in [*fifo.read_many(size), fifo.read()]:
        if part is not None:
            out.mux(track.encode(part))
    out.mux(track.encode())


_WIDEST = 480
_LEAST_SECONDS = 3.0


def real_clips(folder: Path, seconds: float) -> Iterator[Clip]:
    """Yield the films of a folder, decoded, at most 480 pixels wide: the first seconds of each, and up to two further
    parts of a long one, each as far from the one before as it is long.

    One without sound is given one that is made; what is shorter than 3 s is left out.
    """
    for number, path in enumerate(sorted(folder.iterdir())):
        whole = _decoded(path, number)
        for begin in (0.0, 2 * seconds, 4 * seconds):
            part = part_of(whole, begin, begin + seconds)
            if part.seconds >= _LEAST_SECONDS:
                yield part


def _decoded(path: Path, seed: int) -> Clip:
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        rate = Fraction(round(video.average_rate or 25))
        width = min(_WIDEST, video.width) // 2 * 2
        height = round(video.height * width / video.width) // 2 * 2
        pictures = np.stack(
            [frame.reformat(width, height, "rgb24").to_ndarray() for frame in film.decode(video)], dtype=np.uint8
        )
    seconds = len(pictures) / float(rate)
    sound = _sound_of(path, seconds)
    return Clip(pictures, rate, _tune(np.random.default_rng(seed), seconds) if sound is None else sound)


def _sound_of(path: Path, seconds: float) -> Sound | None:
    """Decode the sound of a film, as long as its pictures are shown; None where it has none."""
    with av.open(str(path)) as film:
        if not film.streams.audio:
            return None
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
        parts = [part.to_ndarray()[0] for frame in film.decode(audio=0) for part in resampler.resample(frame)]
    sound = np.zeros(int(seconds * SOUND_RATE), np.int16)
    heard = np.concatenate(parts)[: len(sound)]
    sound[: len(heard)] = heard
    return sound


def part_of(clip: Clip, begin: float, end: float) -> Clip:
    """Cut a part out."""
    rate = float(clip.rate)
    sound = None if clip.sound is None else clip.sound[int(begin * SOUND_RATE) : int(end * SOUND_RATE)]
    return clip._replace(pictures=clip.pictures[round(begin * rate) : round(end * rate)], sound=sound)


def at_rate(clip: Clip, rate: int) -> Clip:
    """Leave frames out, or repeat some."""
    count = round(clip.seconds * rate)
    chosen = np.minimum((np.arange(count) * float(clip.rate) / rate).astype(int), len(clip.pictures) - 1)
    return clip._replace(pictures=clip.pictures[chosen], rate=Fraction(rate))


def turned(clip: Clip) -> Clip:
    """Turn by a quarter."""
    return clip._replace(pictures=np.ascontiguousarray(np.rot90(clip.pictures, axes=(1, 2))))


COPIES: dict[str, Callable[[Clip], bytes]] = {
    "encoded anew, H.264": lambda clip: write(
        clip, H264._replace(options=(("crf", "30"), ("preset", "veryfast")), gop=250)
    ),
    "HEVC in MOV": lambda clip: write(
        clip,
        Encoding(
            "mov",
            "libx265",
            options=(("crf", "30"), ("preset", "ultrafast"), ("x265-params", "log-level=none:pools=1")),
        ),
    ),
    "VP9 in WebM": lambda clip: write(
        clip,
        Encoding(
            "webm",
            "libvpx-vp9",
            "libopus",
            (("crf", "36"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "8")),
            gop=100,
        ),
    ),
    "MPEG-2 in TS": lambda clip: write(clip, Encoding("mpegts", "mpeg2video", "mp2", (), bit_rate=1_500_000, gop=12)),
    "MPEG-4 in AVI": lambda clip: write(clip, Encoding("avi", "mpeg4", "libmp3lame", (), bit_rate=700_000, gop=50)),
    "half the size": lambda clip: write(
        clip, H264._replace(size=_size(clip, 2), options=(("crf", "28"), ("preset", "veryfast")), gop=250)
    ),
    "a messenger's": lambda clip: write(
        at_rate(clip, 15),
        H264._replace(
            size=_size(clip, 2), options=(("preset", "veryfast"),), bit_rate=90_000, gop=150, audio_bit_rate=24_000
        ),
    ),
    "half the rate": lambda clip: write(at_rate(clip, 12), H264._replace(gop=60)),
    "a higher rate": lambda clip: write(at_rate(clip, 30), H264._replace(gop=60)),
    "turned by a quarter": lambda clip: write(turned(clip), H264),
    "both ends cut off": lambda clip: write(part_of(clip, 0.25 * clip.seconds, 0.8 * clip.seconds), H264),
    "a short part, smaller": lambda clip: write(
        part_of(clip, 0.5 * clip.seconds, 0.85 * clip.seconds), H264._replace(size=_size(clip, 2))
    ),
}
"""Copies: what each shows is in the film it was made of."""


def _size(clip: Clip, divisor: int) -> tuple[int, int]:
    height, width = clip.pictures.shape[1:3]
    return width // divisor // 2 * 2, height // divisor // 2 * 2


def _with_box(clip: Clip) -> Clip:
    pictures = clip.pictures.copy()
    height, width = pictures.shape[1:3]
    begin, count = int(len(pictures) * 0.3), int(float(clip.rate) * 0.4)
    box = pictures[begin : begin + count, height // 4 : height // 4 + height // 8, width // 3 : width // 3 + width // 8]
    box[:] = np.where(box.mean() > 128, 20, 230)
    return clip._replace(pictures=pictures)


def _with_second(clip: Clip) -> Clip:
    more = made(99_991, 1.0, tuple(clip.pictures.shape[2:0:-1]), int(clip.rate))
    at = int(len(clip.pictures) * 0.4)
    pictures = np.concatenate([clip.pictures[:at], more.pictures, clip.pictures[at:]])
    sound_at = int(at / float(clip.rate) * SOUND_RATE)
    assert clip.sound is not None
    assert more.sound is not None
    return clip._replace(
        pictures=pictures, sound=np.concatenate([clip.sound[:sound_at], more.sound, clip.sound[sound_at:]])
    )


def _without_second(clip: Clip) -> Clip:
    begin = 0.4 * clip.seconds
    first, last = part_of(clip, 0, begin), part_of(clip, begin + 1, clip.seconds)
    assert first.sound is not None
    assert last.sound is not None
    return clip._replace(
        pictures=np.concatenate([first.pictures, last.pictures]), sound=np.concatenate([first.sound, last.sound])
    )


def _other_scene(clip: Clip) -> Clip:
    begin, count = int(len(clip.pictures) * 0.6), 2 * int(clip.rate)
    more = made(99_993, 2.0, tuple(clip.pictures.shape[2:0:-1]), int(clip.rate))
    pictures = clip.pictures.copy()
    pictures[begin : begin + count] = more.pictures[: len(pictures[begin : begin + count])]
    return clip._replace(pictures=pictures)


def _other_sound(clip: Clip) -> Clip:
    return clip._replace(sound=made(99_995, clip.seconds, (16, 16)).sound)


def _part_of_sound(clip: Clip) -> Clip:
    assert clip.sound is not None
    sound = clip.sound.copy()
    begin = int(len(sound) * 0.5)
    more = made(99_997, 1.0, (16, 16)).sound
    assert more is not None
    sound[begin : begin + SOUND_RATE] = more
    return clip._replace(sound=sound)


def _gray_for_a_while(clip: Clip) -> Clip:
    pictures = clip.pictures.copy()
    begin = len(pictures) // 3
    part = pictures[begin : begin + int(clip.rate)]
    part[:] = part.mean(axis=-1, keepdims=True).astype(np.uint8)
    return clip._replace(pictures=pictures)


def _with_logo(clip: Clip) -> Clip:
    pictures = clip.pictures.copy()
    height, width = pictures.shape[1:3]
    logo = pictures[:, height - height // 6 : height - height // 16, width - width // 6 : width - width // 16]
    logo[:] = (logo.astype(np.uint16) // 4 + 190).astype(np.uint8)
    return clip._replace(pictures=pictures)


CHANGES: dict[str, Callable[[Clip], Clip]] = {
    "a box for 0.4 s": _with_box,
    "a second put in": _with_second,
    "a second taken out": _without_second,
    "another scene for 2 s": _other_scene,
    "another sound": _other_sound,
    "another sound for 1 s": _part_of_sound,
    "no colour for 1 s": _gray_for_a_while,
    "a mark in the corner": _with_logo,
}
"""Changes: each has to be said."""


def _letterboxed(clip: Clip) -> Clip:
    """Put black bars above and below, a sixth of the height each."""
    height = clip.pictures.shape[1]
    pictures = np.pad(clip.pictures, ((0, 0), (height // 6, height // 6), (0, 0), (0, 0)))
    return clip._replace(pictures=np.ascontiguousarray(pictures[:, : pictures.shape[1] // 2 * 2]))


def _brighter(clip: Clip) -> Clip:
    return clip._replace(pictures=(clip.pictures * 0.8 + 50).astype(np.uint8))


def _faster(clip: Clip) -> Clip:
    """Play it a quarter faster: the same pictures and the same samples, at another rate."""
    assert clip.sound is not None
    places = np.arange(0, len(clip.sound) - 1, 1.25)
    sound = np.interp(places, np.arange(len(clip.sound)), clip.sound).astype(np.int16)
    return clip._replace(rate=clip.rate * Fraction(5, 4), sound=sound)


SHOWN_OTHERWISE: dict[str, Callable[[Clip], Clip]] = {
    "black bars above and below": _letterboxed,
    "another brightness": _brighter,
    "a quarter faster": _faster,
}
"""Copies that show the same in other frames: with bars, in another tone, at other times."""
