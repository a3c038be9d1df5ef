"""Small films and sounds, made by PyAV the same way each time, and copies of them in other containers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

av: Any = pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

SAMPLE_RATE = 48_000


def film(
    name: str = "mov",
    *,
    frames: int = 12,
    codec: str = "libx264",
    rate: int = 25,
    size: tuple[int, int] = (64, 48),
    sounds: Iterable[float] = (440.0,),
    seed: int = 1,
    b_frames: int = 2,
    options: Mapping[str, str] | None = None,
    channels: str = "mono",
    audio: str = "aac",
    codec_options: Mapping[str, str] | None = None,
) -> bytes:
    """Make a film of ``frames`` pictures, with a tone of each of these frequencies as a sound track."""
    file = io.BytesIO()
    with av.open(file, "w", format=name, options={"fflags": "+bitexact", **(options or {})}) as out:
        video = out.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.options = dict(codec_options or {})
        video.codec_context.max_b_frames = b_frames
        video.codec_context.gop_size = 6
        video.codec_context.flags |= 1 << 23  # bit exact
        tracks = []
        for _ in sounds:
            track = out.add_stream(audio, rate=SAMPLE_RATE, layout=channels)
            track.codec_context.flags |= 1 << 23
            tracks.append(track)
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(_picture(index, size, seed), format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, rate)
            out.mux(video.encode(picture))
        out.mux(video.encode())
        for frequency, track in zip(sounds, tracks, strict=True):
            for part in _tone(frequency, frames / rate, channels):
                out.mux(track.encode(part))
            out.mux(track.encode())
    return file.getvalue()


def sound(name: str, codec: str, *, seconds: float = 0.5, frequency: float = 440.0, channels: str = "mono") -> bytes:
    """Make a sound file with one tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=name, options={"fflags": "+bitexact"}) as out:
        track = out.add_stream(codec, rate=SAMPLE_RATE, layout=channels)
        track.codec_context.flags |= 1 << 23
        for part in _tone(frequency, seconds, channels):
            out.mux(track.encode(part))
        out.mux(track.encode())
    return file.getvalue()


def remuxed(
    content: bytes,
    name: str,
    *,
    options: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    order: Iterable[int] | None = None,
) -> bytes:
    """Copy the packets of a film into another container, as a player's or a camera maker's program does."""
    with (
        tempfile.NamedTemporaryFile(suffix=f".{name}") as file,  # by its name: a fast start reads what it has written
        av.open(io.BytesIO(content)) as source,
    ):
        _copy(source, file.name, name, options or {}, tags or {}, order)
        file.seek(0)
        return file.read()


@cache
def original() -> bytes:
    """A film as a camera writes it."""
    return film("mov")


@cache
def copy(title: str = "Lake") -> bytes:
    """The same one in another container, with its header in front and a title."""
    return remuxed(original(), "mp4", options={"movflags": "+faststart"}, tags={"title": title})


@cache
def other(seed: int = 7) -> bytes:
    """Another film."""
    return film("mov", seed=seed)


def _copy(
    source: Any, path: str, name: str, options: Mapping[str, str], tags: Mapping[str, str], order: Iterable[int] | None
) -> None:
    with av.open(path, "w", format=name, options=dict(options)) as out:
        streams = list(source.streams)
        chosen = [streams[index] for index in (range(len(streams)) if order is None else order)]
        copies = {stream.index: out.add_stream_from_template(stream) for stream in chosen}
        out.metadata.update(tags)
        for packet in source.demux(chosen):
            if packet.size:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)


def _picture(index: int, size: tuple[int, int], seed: int) -> np.ndarray[Any, Any]:
    width, height = size
    rng = np.random.default_rng(seed)
    ground = rng.integers(0, 255, (height, width, 3), np.uint8)
    return np.roll(ground, 2 * index, axis=1)


def _tone(frequency: float, seconds: float, layout: str) -> Iterable[Any]:
    count, step = int(seconds * SAMPLE_RATE), 1024
    times = np.arange(count) / SAMPLE_RATE
    samples = (np.sin(2 * np.pi * frequency * times) * 12_000).astype(np.int16)
    channels = 2 if layout == "stereo" else 1
    for start in range(0, count, step):
        part = np.repeat(samples[start : start + step], channels)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame
