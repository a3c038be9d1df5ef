"""The image data of a film or a sound file as one digest: equal digests mean one film, whatever its tags say.

Two things count: the packets of every stream, in order, with the times at which they are shown, and everything else
that the file holds and that is not known to be words about it. So no byte of a file goes unseen: what is neither a
packet nor words nor empty is a part of the digest as it is stored. Films that cannot be read to their end, packet by
packet, have none.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import IO

from dupfind.digest import Piece, RunningDigest, digest_of
from dupfind.pictures import film_packets, film_pieces, iso_film, matroska_data, ogg_data, sound_data
from dupfind.pictures.film_packets import BrokenError, Packet, Track
from dupfind.pictures.film_pieces import FilmReader, Span
from dupfind.pictures.iso_film import Edit, TrackBox

RECIPE = 7
"""Version of what counts. Raise it with every change that can alter a digest or the facts."""

_BROKEN = (BrokenError, ValueError, LookupError, ArithmeticError, struct.error)
"""What following a broken or hostile file may raise: each of these says that it cannot be followed."""
_ISO_BEGINNINGS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid"})
_MOST_PACKETS = 1 << 24
_LARGEST_TIME = 1 << 60
_UNIT_RATE = 1 << 16
_PCM = "pcm_"
_ROUNDED_SECONDS = Fraction(1, 50)
"""As long as a packet of compressed sound is."""


def read_facts(file: IO[bytes]) -> bytes | None:
    """Return 32 bytes that two films of equal image data have in common, read from a few places of ``file``.

    None where the file has no digest for sure.
    """
    reader = FilmReader(file)
    try:
        facts = _facts(reader)
    except _BROKEN:
        return None
    return None if facts is None else digest_of([repr(facts).encode()])


def read_digest(file: IO[bytes]) -> bytes | None:
    """Return the 32-byte digest of the image data of ``file``; None where it has none that could be relied on."""
    reader = FilmReader(file)
    try:
        counting = _counting(file, reader)
        return None if counting is None else digest_of(counting)
    except _BROKEN:
        return None


def _facts(reader: FilmReader) -> Sequence[object] | None:
    head = reader.at(0, 8)
    if head[4:] in _ISO_BEGINNINGS:
        return _iso_facts(reader)
    if head.startswith(matroska_data.HEAD):
        return matroska_data.facts(reader)
    if head.startswith(ogg_data.CAPTURE):
        return ogg_data.facts(reader)
    stored = sound_data.read(reader)
    return None if stored is None else stored.facts


def _counting(file: IO[bytes], reader: FilmReader) -> Iterator[Piece] | None:
    head = reader.at(0, 8)
    if head[4:] in _ISO_BEGINNINGS:
        return _iso_counting(file, reader)
    if head.startswith(matroska_data.HEAD):
        return _matroska_counting(file, reader)
    if head.startswith(ogg_data.CAPTURE):
        return _stored_counting(file, reader, "ogg", ogg_data.pieces(reader))
    stored = sound_data.read(reader)
    return None if stored is None else _stored_counting(file, reader, stored.container, stored.pieces)


def _stored_counting(
    file: IO[bytes], reader: FilmReader, container: str, pieces: Sequence[film_pieces.Piece]
) -> Iterator[Piece]:
    if not film_packets.is_sound(file, container):
        raise BrokenError
    yield b"%s of %d pieces " % (container.encode(), len(pieces))
    yield from film_pieces.marked(reader, pieces)


def _iso_facts(reader: FilmReader) -> Sequence[object]:
    """Return how many samples each track has, and the sizes of the first ones."""
    movie = iso_film.read_movie(reader)
    return ["iso", *((track.handler, 0 if track.is_pcm else (track.samples, track.first_sizes))
                     for track in movie.tracks)]  # fmt: skip


def _iso_counting(file: IO[bytes], reader: FilmReader) -> Iterator[Piece]:
    movie = iso_film.read_movie(reader)
    with film_packets.opened(file, "mov") as film:
        shown = [position for position, track in enumerate(film.tracks) if not track.is_picture]
        if [film.tracks[position].id for position in shown] != [box.id for box in movie.tracks]:
            raise BrokenError  # a track that FFmpeg leaves out, or makes up
        contents = _contents(
            film, shown, may_be_even=True
        )  # covers are among the tags, which are read as they are stored
        tracks = [film.tracks[position] for position in shown]
    yield b"iso film of %d pieces and %d tracks " % (len(movie.pieces), len(movie.tracks))
    yield from film_pieces.marked(reader, movie.pieces)
    for track, box, content in zip(tracks, movie.tracks, contents.values(), strict=True):
        yield digest_of(_iso_track(reader, track, box, content))
    covered = sorted(span for content in contents.values() for span in content.spans())
    for gap in film_pieces.gaps(sorted(movie.data), covered):
        if any(content.strip(b"\0") for content in gap.blocks(reader)):
            yield from film_pieces.marked(reader, [b"in no packet", gap])


def _contents(film: film_packets.Film, positions: Sequence[int], *, may_be_even: bool) -> dict[int, _Content]:
    """Return the packets of the tracks at these positions; of uncompressed sound the bounds ``may_be_even``."""
    contents = {
        position: _Content(
            film.tracks[position].kind, is_even=may_be_even and film.tracks[position].codec.startswith(_PCM)
        )
        for position in positions
    }
    for packet in film.packets:
        if packet.track in contents:
            contents[packet.track].add(packet)
    return contents


def _matroska_counting(file: IO[bytes], reader: FilmReader) -> Iterator[Piece]:
    film_of_elements = matroska_data.read_matroska(reader)
    with film_packets.opened(file, "matroska") as film:
        shown = [
            position
            for position, track in enumerate(film.tracks)
            if not track.is_picture and track.kind != "attachment"
        ]
        contents = _contents(film, shown, may_be_even=False)
        tracks = [film.tracks[position] for position in shown]
    frames = [film_of_elements.frames.get(number, matroska_data.Frames()) for number, _ in film_of_elements.tracks]
    counted = [(of_track.count, of_track.total_bytes) for of_track in frames]
    if [(content.count, content.total_bytes) for content in contents.values()] != counted:
        raise BrokenError  # a block that FFmpeg leaves out, or a packet that is not as it is stored
    yield b"matroska film of %d pieces and %d tracks " % (len(film_of_elements.pieces), len(tracks))
    yield from film_pieces.marked(reader, film_of_elements.pieces)
    of_tracks = zip(tracks, film_of_elements.tracks, contents.values(), frames, strict=True)
    for track, (_, described), content, of_track in of_tracks:
        words = repr((track.kind, track.codec, track.sound)).encode()
        times = content.times(Fraction(0), track.time_base)
        pieces = [words, track.settings, *described, times, of_track.marks(), content.value(None, 1)]
        yield digest_of(film_pieces.marked(reader, pieces))


def _iso_track(reader: FilmReader, track: Track, box: TrackBox, content: _Content) -> Iterator[Piece]:
    """Yield what counts of a track: how it is described, and its packets."""
    if track.time_base != Fraction(1, box.timescale) or (content.is_even is not box.is_pcm):
        raise BrokenError
    if not content.is_even and (content.count, content.total_bytes) != (box.samples, box.sample_bytes):
        raise BrokenError
    entry = box.entry
    settings: list[film_pieces.Piece] = []
    for kind, value in entry.configurations:
        if iso_film.counts_as_settings(kind, value, track.settings):
            settings += [kind, value]
    color = track.color if entry.color is None else entry.color
    aspect = (track.aspect if entry.aspect is None else entry.aspect) or Fraction(1)
    edits, offset = _edits(box)
    layout = None if entry.layout == iso_film.PLAIN_LAYOUTS.get(track.sound[1]) else entry.layout
    shown = (color, aspect) if track.kind == "video" else (track.sound, layout)
    words = box.handler, track.kind, track.codec, entry.format, shown, edits
    yield from film_pieces.marked(
        reader,
        [repr(words).encode(), b"" if box.is_entry_whole else track.settings, box.key_samples, *entry.pieces,
         *settings, *box.pieces, content.times(offset, track.time_base), content.value(_end(box), box.timescale)],
    )  # fmt: skip


def _edits(box: TrackBox) -> tuple[object, Fraction]:
    """Return the edit list as far as it does more than move the track, and by how many seconds it moves it."""
    wait, edits = Fraction(0), list(box.edits)
    if edits and edits[0].starts_at == -1:
        wait = Fraction(edits.pop(0).duration, box.film_timescale)
    if not edits:
        return (), wait
    if len(edits) == 1 and edits[0].rate == _UNIT_RATE and edits[0].starts_at >= 0:
        return (), wait - Fraction(edits[0].starts_at, box.timescale)
    return tuple(_edit(edit, box) for edit in edits), wait


def _edit(edit: Edit, box: TrackBox) -> tuple[Fraction, Fraction | None, int]:
    starts_at = None if edit.starts_at < 0 else Fraction(edit.starts_at, box.timescale)
    return Fraction(edit.duration, box.film_timescale), starts_at, edit.rate


def _end(box: TrackBox) -> Fraction | None:
    """Return from which time on packets are not shown, in units of the track; None where all are."""
    edits = [edit for edit in box.edits if edit.starts_at >= 0]
    if len(edits) != 1 or not edits[0].duration:
        return None
    return edits[0].starts_at + Fraction(edits[0].duration * box.timescale, box.film_timescale)


class _Content:
    """The packets of one stream, as far as they have come."""

    def __init__(self, kind: str, *, is_even: bool) -> None:
        self._kind = kind
        self._durations = array("q") if kind == "subtitle" else None
        """How long each subtitle stays."""
        self.is_even = is_even
        """True for samples of one length without bounds, which each container puts together as it likes."""
        self.total_bytes = 0
        self._digest = RunningDigest()
        self._shown_at, self._sizes, self._places = array("q"), array("q"), array("q")
        self._keys = bytearray()
        self._beside: list[bytes] = []
        self._last_duration = 0

    @property
    def count(self) -> int:
        """How many packets there are."""
        return len(self._sizes)

    def add(self, packet: Packet) -> None:
        """Take the next packet in."""
        size_bytes = len(packet.content)
        if packet.place < 0 or self.count >= _MOST_PACKETS or abs(packet.shown_at) > _LARGEST_TIME:
            raise BrokenError
        if self.is_even and self.count and packet.shown_at != self._shown_at[-1] + self._last_duration:
            raise BrokenError  # silence, which nobody keeps in one way
        self._digest.add(packet.content)
        self._shown_at.append(packet.shown_at)
        self._sizes.append(size_bytes)
        self._places.append(packet.place)
        self._keys.append(packet.is_key)
        self._last_duration = packet.duration
        if self._durations is not None:
            self._durations.append(packet.duration)
        self.total_bytes += size_bytes
        if packet.beside:
            self._beside += [self.count.to_bytes(8, "big"), packet.beside]

    def spans(self) -> Iterator[Span]:
        """Yield where in the file the packets lie."""
        return (Span(place, place + size) for place, size in zip(self._places, self._sizes, strict=True))

    def times(self, offset: Fraction, time_base: Fraction) -> bytes:
        """Return when each packet is shown, and when the last one ends, the same for whatever time scale.

        ``offset`` is by how many seconds the container moves the stream. When the last packet of compressed sound ends
        says only how much of it is to be played, which programs lose.
        """
        if not self.count:
            return b""
        whole = lcm(time_base.denominator, offset.denominator)
        factor, move = whole // time_base.denominator * time_base.numerator, int(offset * whole)
        is_open = self._kind == "audio" and not self.is_even
        ends = self._shown_at[-1] + (0 if is_open else self._last_duration)
        shown_at = (self._shown_at[:1] if self.is_even else self._shown_at) + array("q", [ends])
        times = _in_lowest_terms(shown_at, factor, move, whole)
        return times + (_in_lowest_terms(self._durations, factor, 0, whole) if self._durations else b"")

    def value(self, end: Fraction | None, timescale: int) -> bytes:
        """Return the digest of the packets, with their bounds and key frames, and what ``end`` leaves of them."""
        parts: list[Piece] = [self._digest.value(), repr(self._hidden(end, timescale)).encode(), *self._beside]
        if not self.is_even:
            import numpy as np

            parts += [bytes(self._keys), np.array(self._sizes, ">i8").tobytes()]
        return digest_of(piece for part in parts for piece in (b"%d " % len(part), part))

    def _hidden(self, end: Fraction | None, timescale: int) -> int | Fraction:
        """Return how many packets come at ``end`` or later; of samples without bounds the end, where it cuts some off.

        Programs round it to their own unit, so that a part of the last packet may be on either side.
        """
        if end is None or not self.count:
            return 0
        if not self.is_even:
            return sum(time >= end for time in self._shown_at)
        left = self._shown_at[-1] + self._last_duration - end
        return Fraction(end, timescale) if left > timescale * _ROUNDED_SECONDS else 0


def _in_lowest_terms(ticks: array[int], factor: int, move: int, whole: int) -> bytes:
    """Return ``(ticks * factor + move) / whole`` as fractions of one denominator, the least that does."""
    if max(max(map(abs, (min(ticks), max(ticks)))) * factor, abs(move)) >= _LARGEST_TIME:
        raise BrokenError
    import numpy as np

    moved = np.array(ticks, np.int64) * factor + move
    shared = gcd(int(np.gcd.reduce(moved)), whole)
    return f"{whole // shared} {len(moved)} ".encode() + (moved // shared).astype(">i8").tobytes()
