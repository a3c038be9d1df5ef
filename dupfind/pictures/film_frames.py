"""Pictures, sound and subtitles of a film, decoded small; by the extra `dupfind[video]`.

What PyAV gives is taken from :mod:`dupfind.pictures.film_packets`, its only door. Knows one film and compares nothing.
A film is decoded on one thread, as pictures are: there is a process a core.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import film_bars, film_packets, formats
from dupfind.pictures.film_bars import Bars
from dupfind.pictures.film_packets import BrokenError
from dupfind.values import THUMBNAIL_SIDE

RECIPE = 2
"""Version of what is taken of a film. Raise it with every change that can alter it."""

GRAY_SIDE, CHROMA_SIDE = 32, 8
"""Sides of the small pictures that films are compared by, in pixels, whatever the shape of the film."""
SOUND_STEP_SECONDS = 0.1
"""How often the sound is measured."""
BANDS_HZ = (60, 150, 300, 500, 750, 1100, 1600, 2300, 3400)
"""Bounds of the bands of the sound: up to what a telephone lets through, which every compression keeps."""
MOST_FRAMES = 1 << 16
"""Frames of a film that are held to be compared: 36 minutes of 30 a second, 75 MiB."""
MOST_HASHED = 1 << 18
"""Frames of a film that are hashed: two hours and a half of 30 a second, 3 MiB."""
_SOUND_RATE = 8_000
_STEP = int(SOUND_STEP_SECONDS * _SOUND_RATE)
_WINDOW = 1024
_MOST_SOUND_STEPS = 1 << 18
"""Seven hours of sound."""
_MOST_SUBTITLES = 1 << 14
_MOST_LINE = 400
"""Characters of one subtitle that count."""
_LATE_SECONDS = 0.06
"""A gap in the sound that is filled with silence; less is how programs round."""
_MOST_SECONDS = 1 << 17
"""A day and a half: what says it is longer is broken."""
_MOST_KEYS = 256
_KEY_SECONDS = 1.0
"""Key frames that are taken of a film: no more than so many, and at least so far apart."""
_MOST_FOLLOWED = 300
"""Frames that are decoded behind a key frame until the one comes that a person is shown."""
_MOST_SKIPPED = 64
"""Packets that are read behind a jump until a key frame comes."""

_ALIGNED_PIXELS = 64 << 16
"""By how much FFmpeg counts a frame larger than it is, at most: it fills each of its rows up to 64 pixels."""

_CONTAINERS = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\x30\x26\xb2\x75": "asf",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x06\x0e\x2b\x34": "mxf",
    b"OggS": "ogg",
}
_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid"})
_TS_PACKET, _M2TS_PACKET, _TS_SYNC = 188, 192, 0x47

Gray = NDArray[np.uint8]


class Look(NamedTuple):
    """What a film is, as its header says it."""

    width: int
    height: int
    """Upright, in pixels."""
    codec: str
    rate: float
    """Frames a second; 0 where it is not said."""
    sounds: int
    """How many sound tracks there are."""
    subtitles: int
    seconds: float
    """How long it takes by its header; 0 where that is not said."""
    bits: int = 8
    """Bits of each value of a pixel."""


class KeyFrames(NamedTuple):
    """Thumbnails of some key frames."""

    look: Look
    seconds: NDArray[np.float64]
    """When each is shown, counted from the first frame of the film, rising."""
    thumbnails: list[bytes]
    """64 x 64 grey values each, upright."""
    inner: list[bytes]
    """The same without black bars; empty where the film has none."""


class Track(NamedTuple):
    """A film, decoded whole and small."""

    look: Look
    seconds: NDArray[np.float64]
    """When each frame is shown, counted from the first, rising."""
    gray: Gray
    """Shape (frames, 32, 32), upright."""
    chroma: Gray
    """Shape (frames, 2, 8, 8): Cb and Cr, 128 is grey."""
    sound: NDArray[np.float32] | None
    """Shape (steps, bands): decibels from the first frame on, a tenth of a second each; None without sound."""
    subtitles: tuple[tuple[float, str], ...]
    """When each begins, and its words; only those of formats that are text."""
    broken: int = 0
    """Packets that could not be decoded."""
    bars: Bars | None = None
    """Black bars that were left out of the pictures."""
    shown_in_bars: NDArray[np.bool_] | None = None
    """Of which frames something is shown where the others have black bars; None where none were left out."""


class Strip(NamedTuple):
    """Some frames of a film, for a person to look at."""

    look: Look
    pictures: list[NDArray[np.uint8]]
    """Shape (height, width, 3), red, green and blue, upright; evenly spread over the film, in its order."""


class TooLongError(ValueError):
    """A film of more frames than can be held to be compared."""


def container_of(file: IO[bytes]) -> str | None:
    """Name the container of a film by its content, as FFmpeg calls it; None where none is known.

    FFmpeg is never left to guess: among what it would try are formats that open other files.

    >>> import io
    >>> container_of(io.BytesIO(b"RIFF    AVI LIST")), container_of(io.BytesIO(b"#EXTM3U"))
    ('avi', None)
    """
    file.seek(0)
    head = file.read(2 * _M2TS_PACKET)
    if head[4:8] in _ISO_BOXES:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    for start, step in ((0, _TS_PACKET), (4, _M2TS_PACKET)):
        if len(head) > start + step and head[start] == head[start + step] == _TS_SYNC:
            return "mpegts"
    return _CONTAINERS.get(head[:4])


@contextmanager
def _opened(file: IO[bytes], max_pixels: int) -> Iterator[tuple[Any, Any]]:
    """Open a film to decode it: the film and its pictures; None for both where it is none, or has no pictures.

    Larger frames than ``max_pixels`` are refused before there is memory for one: by the header, and by FFmpeg where one
    is larger than the header says.
    """
    container = container_of(file)
    if container is None:
        yield None, None
        return
    with film_packets.opened_to_decode(file, container) as film:
        stream = _video(film)
        if stream is not None:
            _refuse_too_large(stream.codec_context, max_pixels)
            stream.codec_context.options = {"max_pixels": str(max_pixels + _ALIGNED_PIXELS)}
        yield film, stream


def read_key_frames(file: IO[bytes], max_pixels: int) -> KeyFrames | None:
    """Decode key frames of a film, spread evenly; None where it is no film with pictures.

    Reads the places of these frames only, where the container tells them. Raises
    :class:`~dupfind.pictures.film_packets.BrokenError` for a broken one.
    """
    with _opened(file, max_pixels) as (film, stream):
        if stream is None:
            return None
        seconds, thumbnails, squares, turns = array("d"), [], [], []
        borders = film_bars.Borders()
        for at, frame in _key_frames(film, stream):
            seconds.append(at)
            thumbnails.append(_thumbnail(_small(frame, max_pixels)).tobytes())
            if not borders.is_none_likely:  # held only as long as there may be bars
                squares.append(film_packets.reduced(frame, film_bars.SIDE))
                borders.add(squares[-1])
                turns.append(_turns(frame))
        bars = borders.bars
        inner = [] if bars is None else [
            _thumbnail(np.rot90(film_bars.without(square, bars, THUMBNAIL_SIDE), turn)).tobytes()
            for square, turn in zip(squares, turns, strict=True)
        ]  # fmt: skip
        return KeyFrames(_look(film, stream), np.array(seconds), thumbnails, inner)


def read_bars(file: IO[bytes], max_pixels: int) -> Bars | None:
    """Find the black bars of a film by its key frames; None where it has none.

    Raises :class:`~dupfind.pictures.film_packets.BrokenError` for a broken one.
    """
    with _opened(file, max_pixels) as (film, stream):
        if stream is None:
            return None
        borders = film_bars.Borders()
        for _, frame in _key_frames(film, stream):
            _refuse_too_large(frame, max_pixels)
            borders.add(film_packets.reduced(frame, film_bars.SIDE))
            if borders.is_none_likely:
                break
        return borders.bars


def read_thumbnails(file: IO[bytes], max_pixels: int, bars: Bars | None = None) -> Iterator[tuple[float, bytes]]:
    """Yield when each frame of a film is shown and its thumbnail, 64 x 64 grey values, upright; without its ``bars``.

    Raises :class:`~dupfind.pictures.film_packets.BrokenError` for a broken one, and for what has no frame.
    """
    with _opened(file, max_pixels) as (film, stream):
        if stream is None:
            raise BrokenError
        clock = _Clock(stream)
        count = 0
        for packet in film.demux(stream):
            for frame in _decoded(packet, []):
                count += 1
                if count > MOST_HASHED:
                    return
                yield clock.seconds(frame), _thumbnail(_small(frame, max_pixels, bars)).tobytes()
        if not count:
            raise BrokenError


def read_track(file: IO[bytes], max_pixels: int, bars: Bars | None = None) -> Track | None:
    """Decode a film whole, without its ``bars``; None where it is no film with pictures.

    Raises :class:`TooLongError` for one of more than :data:`MOST_FRAMES` frames, and
    :class:`~dupfind.pictures.film_packets.BrokenError` for a broken one.
    """
    with _opened(file, max_pixels) as (film, stream):
        if stream is None:
            return None
        return _Taking(film, stream, max_pixels, bars).track()


def read_strip(file: IO[bytes], max_pixels: int, count: int, side: int) -> Strip | None:
    """Decode ``count`` frames of a film, ``side`` pixels on the longer side; None where it is no film with pictures."""
    with _opened(file, max_pixels) as (film, stream):
        if stream is None:
            return None
        look = _look(film, stream)
        frames = (_frame_at(film, stream, (index + 0.5) / count * look.seconds) for index in range(count))
        pictures = [_fitting(frame, max_pixels, side) for frame in frames if frame is not None]
        return Strip(look, pictures) if pictures else None


def _frame_at(film: Any, stream: Any, seconds: float) -> Any:  # noqa: ANN401 - of PyAV
    """Return the frame that is shown at a time from the beginning on, or the last of those that follow a key frame."""
    start = float((stream.start_time or 0) * stream.time_base)
    last = None
    try:
        film.seek(round((start + seconds) / stream.time_base), stream=stream, backward=True)
        for count, frame in enumerate(film.decode(stream)):
            last = frame
            if count >= _MOST_FOLLOWED or frame.pts is None or float(frame.pts * stream.time_base) >= start + seconds:
                break
    except MemoryError:
        raise
    except film_packets.errors():
        return last
    return last


def _fitting(frame: Any, max_pixels: int, side: int) -> NDArray[np.uint8]:  # noqa: ANN401 - of PyAV
    """Reduce a frame to a picture whose longer side is ``side`` pixels, upright."""
    _refuse_too_large(frame, max_pixels)
    scale = min(1.0, side / max(frame.width, frame.height))
    size = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    return np.rot90(film_packets.resized(frame, *size), _turns(frame))


class _Taking:
    """One film while it is decoded."""

    def __init__(self, film: Any, stream: Any, max_pixels: int, bars: Bars | None) -> None:  # noqa: ANN401 - of PyAV
        self._film, self._stream, self._max_pixels, self._bars = film, stream, max_pixels, bars
        self._shown_in_bars = bytearray()
        self._clock = _Clock(stream)
        self._broken: list[None] = []
        self._seconds = array("d")
        self._gray, self._chroma = bytearray(), bytearray()
        self._texts: list[tuple[float, str]] = []
        sounds = list(film.streams.audio)
        self._sound = _Sound(sounds[0]) if sounds else None

    def track(self) -> Track:
        """Decode everything."""
        streams = [self._stream, *self._film.streams.audio[:1], *self._film.streams.subtitles]
        for packet in self._film.demux(streams):
            kind = packet.stream.type
            if kind == "video":
                self._take_pictures(packet)
            elif kind == "audio" and self._sound is not None:
                self._sound.take(packet, self._broken)
            elif kind == "subtitle":
                self._take_text(packet)
        if not self._seconds:
            raise BrokenError
        start = self._clock.start
        return Track(
            look=_look(self._film, self._stream),
            seconds=np.maximum.accumulate(np.array(self._seconds)),
            gray=np.frombuffer(self._gray, np.uint8).reshape(-1, GRAY_SIDE, GRAY_SIDE),
            chroma=np.frombuffer(self._chroma, np.uint8).reshape(-1, 2, CHROMA_SIDE, CHROMA_SIDE),
            sound=None if self._sound is None else self._sound.levels(start),
            subtitles=tuple((round(at - start, 3), text) for at, text in sorted(self._texts)),
            broken=len(self._broken),
            bars=self._bars,
            shown_in_bars=None if self._bars is None else np.frombuffer(self._shown_in_bars, np.bool_),
        )

    def _take_pictures(self, packet: Any) -> None:  # noqa: ANN401 - of PyAV
        for frame in _decoded(packet, self._broken):
            if len(self._seconds) >= MOST_FRAMES:
                raise TooLongError
            picture = _small(frame, self._max_pixels, self._bars)
            if self._bars is not None:
                square = film_packets.reduced(frame, film_bars.SIDE)
                self._shown_in_bars.append(film_bars.is_shown_in(square, self._bars))
            self._seconds.append(self._clock.seconds(frame))
            gray = _gray(picture)
            self._gray += _reduced(gray, GRAY_SIDE).astype(np.uint8).tobytes()
            self._chroma += _chroma(picture).tobytes()

    def _take_text(self, packet: Any) -> None:  # noqa: ANN401 - of PyAV
        if packet.pts is None or len(self._texts) >= _MOST_SUBTITLES:
            return
        at = float(packet.pts * packet.time_base)
        words: list[str] = []
        try:
            words = [_words(part) for part in packet.decode()]
        except MemoryError:
            raise
        except film_packets.errors():
            words = []  # it counts by its bytes
        text = " ".join(filter(None, words)) or bytes(packet).hex()
        if bytes(packet).strip(b"\0"):
            self._texts.append((at, text[:_MOST_LINE]))


class _Clock:
    """When frames of a stream are shown, counted from the first one."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - of PyAV
        self._unit = stream.time_base or Fraction(1, 1000)
        self._step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        self._last: float | None = None
        self.start = 0.0
        """When the first frame is shown, by the clock of the container."""

    def seconds(self, frame: Any) -> float:  # noqa: ANN401 - of PyAV
        """Return when a frame is shown; one that does not say so comes a frame's time behind the last."""
        at = None if frame.pts is None else float(frame.pts * (frame.time_base or self._unit))
        if at is None or abs(at) > _MOST_SECONDS:
            at = self.start if self._last is None else self._last + self._step
        if self._last is None:
            self.start = at
        self._last = at
        return at - self.start


class _Sound:
    """The sound of a film, measured as it comes."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - of PyAV
        self._stream = stream
        self._resampler = film_packets.resampler(_SOUND_RATE)
        self._begins: float | None = None
        self._waiting: list[NDArray[np.int16]] = []
        self._count = 0
        self._levels: list[NDArray[np.float32]] = []
        self._steps = 0

    def take(self, packet: Any, broken: list[None]) -> None:  # noqa: ANN401 - of PyAV
        """Measure a packet."""
        for frame in _decoded(packet, broken):
            at = None if frame.pts is None else float(frame.pts * (frame.time_base or self._stream.time_base))
            if at is not None and abs(at) > _MOST_SECONDS:
                at = None
            if self._begins is None:
                self._begins = at or 0.0
            self._fill(at)
            frame.pts = None
            for part in self._resampler.resample(frame):
                self._add(part.to_ndarray().reshape(-1))

    def _fill(self, at: float | None) -> None:
        """Put silence where the container says that there is a gap."""
        if at is None or self._begins is None:
            return
        gap = at - self._begins - self._samples / _SOUND_RATE
        if gap > _LATE_SECONDS and self._steps < _MOST_SOUND_STEPS:
            count = min(int(gap * _SOUND_RATE), _MOST_SOUND_STEPS * _STEP - self._samples)
            while count > 0:
                part = np.zeros(min(count, 1 << 16), np.int16)
                self._add(part)
                count -= len(part)

    @property
    def _samples(self) -> int:
        return self._steps * _STEP + self._count

    def _add(self, samples: NDArray[np.int16]) -> None:
        self._waiting.append(samples)
        self._count += len(samples)
        if self._count >= 32 * _STEP + _WINDOW:
            self._measure()

    def _measure(self) -> None:
        """Turn what waits into levels, but for what the next window needs."""
        samples = np.concatenate(self._waiting) if self._waiting else np.empty(0, np.int16)
        steps = max(0, (len(samples) - _WINDOW) // _STEP + 1)
        if steps and self._steps < _MOST_SOUND_STEPS:
            windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_STEP][:steps]
            self._levels.append(_band_levels(windows))
        self._steps += steps
        self._waiting = [samples[steps * _STEP :]]
        self._count = len(self._waiting[0])

    def levels(self, start: float) -> NDArray[np.float32]:
        """Return the levels from ``start`` on, a row a tenth of a second."""
        self._waiting.append(np.zeros(_WINDOW, np.int16))
        self._count += _WINDOW
        self._measure()
        levels = np.concatenate(self._levels) if self._levels else np.empty((0, len(BANDS_HZ) - 1), np.float32)
        ahead = round(((self._begins or 0.0) - start) / SOUND_STEP_SECONDS)
        if ahead < 0:
            return levels[-ahead:]
        silence = np.full((min(ahead, _MOST_SOUND_STEPS), levels.shape[1]), _SILENCE_DB, np.float32)
        return np.concatenate([silence, levels])


_SILENCE_DB = 0.0
_BINS = [round(bound * _WINDOW / _SOUND_RATE) for bound in BANDS_HZ]
_HANNING = np.hanning(_WINDOW).astype(np.float32)


def _band_levels(windows: NDArray[np.int16]) -> NDArray[np.float32]:
    """Measure windows of sound, shape (steps, 1024), in decibels for each band; 0 is silence."""
    power = np.abs(np.fft.rfft(windows * _HANNING, axis=1)) ** 2
    sums = np.add.reduceat(power, _BINS, axis=1)[:, : len(_BINS) - 1]
    level = 10 * np.log10(sums + 1) - 40  # what rounding to 16 bits leaves lies below
    levels: NDArray[np.float32] = np.maximum(level, _SILENCE_DB).astype(np.float32)
    return levels


def _video(film: Any) -> Any:  # noqa: ANN401 - of PyAV
    """Return the first stream of pictures that is no cover; None without one."""
    for stream in film.streams.video:
        if not film_packets.is_cover(stream) and stream.codec_context is not None:
            stream.codec_context.thread_count = 1
            return stream
    return None


def _look(film: Any, stream: Any) -> Look:  # noqa: ANN401 - of PyAV
    codec = stream.codec_context
    seconds = 0.0 if film.duration is None else film.duration / film_packets.SECOND
    bits = max((part.bits for part in codec.format.components), default=8) if codec.format is not None else 8
    return Look(
        codec.width, codec.height, codec.name, round(float(stream.average_rate or 0), 3),
        len(film.streams.audio), len(film.streams.subtitles), max(0.0, min(seconds, _MOST_SECONDS)), bits,
    )  # fmt: skip


def _key_frames(film: Any, stream: Any) -> Iterator[tuple[float, Any]]:  # noqa: ANN401 - of PyAV
    """Yield key frames, and when they are shown."""
    look = _look(film, stream)
    unit = stream.time_base
    start = None
    last = None
    step = max(_KEY_SECONDS, look.seconds / _MOST_KEYS)
    targets = [index * step for index in range(max(1, min(_MOST_KEYS, int(look.seconds / step) + 1)))]
    for target in targets:
        packet = _key_packet(film, stream, None if start is None else start + target)
        if packet is None:
            break
        if last is not None and packet.pts is not None and packet.pts <= last:
            continue  # the key frame before it serves for all of this time
        last = packet.pts
        stream.codec_context.flush_buffers()
        for frame in _first_frame(stream, packet):
            at = float((frame.pts or 0) * unit)
            start = at if start is None else start
            yield at - start, frame


def _key_packet(film: Any, stream: Any, seconds: float | None) -> Any:  # noqa: ANN401 - of PyAV
    """Return the packet of the last key frame at that time or before; the first one for None."""
    try:
        if seconds is not None:
            film.seek(round(seconds / stream.time_base), stream=stream, backward=True)
        for count, packet in enumerate(film.demux(stream)):
            if packet.size and packet.is_keyframe and not packet.is_corrupt:
                return packet
            if count > _MOST_SKIPPED:
                return None
    except MemoryError:
        raise
    except film_packets.errors():
        return None
    return None


def _first_frame(stream: Any, packet: Any) -> Iterator[Any]:  # noqa: ANN401 - of PyAV
    """Decode one packet and what the decoder holds back of it."""
    try:
        frames = [*stream.codec_context.decode(packet), *stream.codec_context.decode(None)]
    except MemoryError:
        raise
    except film_packets.errors():
        frames = []
    yield from frames[:1]


def _decoded(packet: Any, broken: list[None]) -> Iterator[Any]:  # noqa: ANN401 - of PyAV
    """Yield the frames of a packet; counts it where it cannot be decoded, as players leave it out."""
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except film_packets.errors():
        broken.append(None)
        frames = []
    if packet.is_corrupt:
        broken.append(None)
    yield from frames


def _small(frame: Any, max_pixels: int, bars: Bars | None = None) -> NDArray[np.uint8]:  # noqa: ANN401 - of PyAV
    """Reduce a frame to 64 x 64 pixels of red, green and blue, upright, without bars; refuses one that is too large."""
    _refuse_too_large(frame, max_pixels)
    if bars is None:
        small = film_packets.reduced(frame, THUMBNAIL_SIDE)
    else:
        small = film_bars.without(film_packets.reduced(frame, film_bars.SIDE), bars, THUMBNAIL_SIDE)
    return np.rot90(small, _turns(frame))


def _turns(frame: Any) -> int:  # noqa: ANN401 - of PyAV
    """Return by how many quarters a frame is turned to be upright."""
    return int(round(frame.rotation / 90) % 4)


def _refuse_too_large(shape: Any, max_pixels: int) -> None:  # noqa: ANN401 - a frame or a decoder, of PyAV
    refusal = formats.too_large(shape.width * shape.height, max_pixels)
    if refusal:
        raise BrokenError(refusal)


def _gray(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _thumbnail(picture: NDArray[np.uint8]) -> Gray:
    return np.rint(_gray(picture)).astype(np.uint8)


def _reduced(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    part = values.shape[0] // side
    means: NDArray[np.float32] = values.reshape(side, part, side, part).mean(axis=(1, 3))
    return np.rint(means)


def _chroma(picture: NDArray[np.uint8]) -> Gray:
    """Return 8 x 8 values of Cb, then of Cr (ITU-R BT.601)."""
    part = THUMBNAIL_SIDE // CHROMA_SIDE
    small = picture.reshape(CHROMA_SIDE, part, CHROMA_SIDE, part, 3).mean(axis=(1, 3))
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = np.stack([128 + 0.564 * (blue - luma), 128 + 0.713 * (red - luma)])
    chroma: Gray = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    return chroma


def _words(part: Any) -> str:  # noqa: ANN401 - of PyAV
    """Return the words of one part of a subtitle, without how they are shown."""
    text = getattr(part, "dialogue", None) or getattr(part, "text", None) or b""
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).split())
