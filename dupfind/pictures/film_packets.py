"""Packets of films and sounds, by the extra `dupfind[video]`; the only module that knows PyAV.

For equal packets nothing is decoded. FFmpeg looks into the first packets to name the streams, and runs in the processes
that decode pictures only. :mod:`dupfind.pictures.film_frames` decodes what is opened here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import IO, Any, NamedTuple

from dupfind.errors import UndecodableError

_BUFFER_BYTES = 1 << 18
_ISO_OPTIONS = {"ignore_editlist": "1", "ignore_chapters": "1", "enable_drefs": "0"}
"""Every packet as it is stored: edit lists are compared as such, and no other file is opened."""
_OPTIONS = {"mov": _ISO_OPTIONS}
_PLAYER_OPTIONS = {"mov": {"ignore_chapters": "1", "enable_drefs": "0"}}
"""As a player shows it: edit lists are followed; no other file is opened."""
SECOND = 1_000_000
"""Units of a film's duration."""
_MOST_STREAMS = 64
_ENCRYPTED = frozenset({"encryption_init_info", "encryption_info"})
_TIMES = frozenset({"skip_samples"})
"""Side data that FFmpeg makes of the times that a container gives, which are compared as such."""


class BrokenError(ValueError):
    """A film that cannot be read to its end, packet by packet."""


class Track(NamedTuple):
    """A stream as FFmpeg describes it."""

    id: int
    """As the container numbers it."""
    kind: str
    """``video``, ``audio``, ``subtitle``, ``data`` or ``attachment``."""
    codec: str
    """FFmpeg's name of it; empty where it has none."""
    settings: bytes
    """What a decoder is set up by: the extradata."""
    time_base: Fraction
    color: tuple[int, int, int, bool]
    """Primaries, transfer and matrix (ITU-T H.273), and whether the whole range is used."""
    sound: tuple[int, int]
    """Samples a second and channels, as the decoder has them; 0 where it is no sound."""
    aspect: Fraction
    """Width to height of a pixel; 0 where that is not said."""
    is_picture: bool
    """True for a cover or a thumbnail that FFmpeg shows as a stream."""


class Packet(NamedTuple):
    """One packet of a stream."""

    track: int
    """Position of its stream."""
    shown_at: int
    """In units of the stream's time base."""
    duration: int
    place: int
    """Offset in the file; -1 where that is not known."""
    is_key: bool
    content: memoryview
    beside: bytes
    """Data that go with it and belong to it, such as a palette; mostly empty."""


class Film(NamedTuple):
    """A film that is open."""

    tracks: list[Track]
    packets: Iterator[Packet]
    """In the order of the file, without covers; raises :class:`BrokenError` where one is damaged or missing."""


def is_sound(file: IO[bytes], container: str) -> bool:
    """Tell whether FFmpeg reads packets from ``file`` as this ``container``, and finds none of them damaged."""
    try:
        with _open(file, container) as film:
            return _count_sound(film) > 0
    except BrokenError:
        return False


def _count_sound(film: Any) -> int:  # noqa: ANN401 - of PyAV
    count = 0
    for packet in film.demux():
        if packet.is_corrupt:
            raise BrokenError
        count += bool(packet.size)
    return count


@contextmanager
def opened(file: IO[bytes], container: str) -> Iterator[Film]:
    """Open a film as the ``container`` that FFmpeg calls so, for the block.

    Raises :class:`BrokenError` where it is none, within the block too; what reading the file raises passes through.
    """
    with _open(file, container) as film:
        tracks = [_track(stream) for stream in film.streams]
        yield Film(tracks, _packets(film, {index for index, track in enumerate(tracks) if track.is_picture}))


@contextmanager
def opened_to_decode(file: IO[bytes], container: str) -> Iterator[Any]:
    """Open a film as PyAV gives it, likewise, for who decodes it."""
    with _open(file, container, _PLAYER_OPTIONS) as film:
        yield film


def errors() -> tuple[type[Exception], ...]:
    """Return what FFmpeg raises for a packet that cannot be decoded; who catches it lets ``MemoryError`` pass first."""
    return (_load().FFmpegError,)


def resampler(rate: int) -> Any:  # noqa: ANN401 - of PyAV
    """Return what turns any sound into one channel of 16 bits, ``rate`` samples a second."""
    return _load().AudioResampler(format="s16", layout="mono", rate=rate)


def reduced(frame: Any, side: int) -> Any:  # noqa: ANN401 - of PyAV
    """Return a frame as an array of shape (side, side, 3), uint8: red, green and blue, each the mean of an area."""
    return resized(frame, side, side)


def resized(frame: Any, width: int, height: int) -> Any:  # noqa: ANN401 - of PyAV
    """Return a frame as an array of shape (height, width, 3), likewise."""
    return frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")


def is_cover(stream: Any) -> bool:  # noqa: ANN401 - of PyAV
    """Tell whether FFmpeg shows a cover or a thumbnail as this stream."""
    attached = type(stream.disposition).attached_pic | type(stream.disposition).timed_thumbnails
    return bool(stream.disposition & attached)


@contextmanager
def _open(file: IO[bytes], container: str, options: Mapping[str, dict[str, str]] = _OPTIONS) -> Iterator[Any]:
    av = _load()
    file.seek(0)
    try:
        with av.open(
            file, format=container, buffer_size=_BUFFER_BYTES, container_options=options.get(container, {}),
            metadata_errors="replace",
        ) as film:  # fmt: skip
            if not 0 < len(film.streams) <= _MOST_STREAMS:
                raise BrokenError
            yield film
    except MemoryError:
        raise
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno == 12:  # noqa: PLR2004 - ENOMEM, as FFmpeg says it
            raise MemoryError(str(error)) from None
        raise BrokenError from None


def _load() -> Any:  # noqa: ANN401 - a module, which brings its own types where it is installed
    try:
        import av
    except ImportError as error:
        raise UndecodableError(f"PyAV cannot be loaded ({error})", lasting=False) from None
    av.logging.set_level(None)  # it would write to standard error
    return av


def _track(stream: Any) -> Track:  # noqa: ANN401 - of PyAV
    codec = stream.codec_context
    color, aspect, sound = (2, 2, 2, False), Fraction(0), (0, 0)
    if stream.type == "audio" and codec is not None:
        sound = codec.sample_rate or 0, codec.channels or 0
    if stream.type == "video" and codec is not None:
        full = int(codec.color_range) == 2  # noqa: PLR2004 - AVCOL_RANGE_JPEG
        color = int(codec.color_primaries), int(codec.color_trc), int(codec.colorspace), full
        aspect = Fraction(codec.sample_aspect_ratio or 0)
    return Track(
        id=stream.id,
        kind=stream.type or "",
        codec="" if codec is None else codec.codec.canonical_name,
        settings=b"" if codec is None else bytes(codec.extradata or b""),
        time_base=Fraction(stream.time_base or 0),
        color=color,
        sound=sound,
        aspect=aspect,
        is_picture=is_cover(stream),
    )


def _packets(film: Any, left_out: set[int]) -> Iterator[Packet]:  # noqa: ANN401 - of PyAV
    for packet in film.demux():
        size_bytes = packet.size
        if packet.stream_index in left_out or (not size_bytes and packet.pos is None):
            continue  # with the latter PyAV says that a stream has ended
        if packet.is_corrupt or packet.pts is None:
            raise BrokenError
        yield Packet(
            track=packet.stream_index,
            shown_at=packet.pts,
            duration=packet.duration or 0,
            place=-1 if packet.pos is None else packet.pos,
            is_key=packet.is_keyframe,
            content=memoryview(packet),
            beside=b"".join(_beside(packet)),
        )


def _beside(packet: Any) -> Iterator[bytes]:  # noqa: ANN401 - of PyAV
    for data in packet.iter_sidedata():
        kind = data.data_type
        if kind in _ENCRYPTED:
            raise BrokenError
        if kind not in _TIMES:
            content = bytes(data)
            yield f"{kind} {len(content)} ".encode()
            yield content
