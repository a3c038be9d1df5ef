"""What a MOV or MP4 film holds beside its packets: its boxes, each told apart as known words, as known, or as counting.

Structures are those of ISO/IEC 14496-12 and 14496-14 and of Apple's QuickTime File Format Specification; what a
camera, a phone or a program adds to them counts as it is stored. What cannot be followed, what is encrypted, what
comes in fragments and what lies in another file raises :class:`~dupfind.pictures.film_packets.BrokenError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from struct import Struct
from typing import NamedTuple

from dupfind.pictures import container_format, iso_words
from dupfind.pictures.container_format import BEHIND, Part
from dupfind.pictures.film_packets import BrokenError
from dupfind.pictures.film_pieces import FilmReader, Piece, Span

FACT_SAMPLES = 64
"""How many sizes of samples are among the facts of a film."""

_HEAD_BYTES = 8
_FULL_HEAD_BYTES = 12
_MOST_TRACKS = 64
_MOST_SMALL_BYTES = 1 << 24
"""Tables and entries that are read whole are no larger."""
_TOP_IGNORED = frozenset({b"mdat", b"moov"})
_FREE = frozenset({b"free", b"skip", b"wide"})
_REFUSED = frozenset({b"moof", b"mvex", b"pssh", b"sinf", b"saiz", b"saio", b"senc", b"stz2", b"cmov", b"rmra"})
"""Fragments, encryption, packed headers, films that lie elsewhere, and small tables that nobody writes."""
_ENTRY_BYTES = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stps": 4, b"stsc": 12, b"stco": 4, b"co64": 8}
_TABLES = frozenset({*_ENTRY_BYTES, b"stsd", b"stsz", b"cslg", b"sdtp"})
"""What says which samples there are, where, and when they are shown: the packets themselves are compared. The last
says which of them no other needs, as their own bytes do."""
_USUAL_BYTES = {b"ftyp": 4096, b"hdlr": 4096, b"iods": 64, b"vmhd": 12, b"smhd": 8, b"nmhd": 4, b"sthd": 4,
                b"url ": 4, b"urn ": 4, b"alis": 4}  # fmt: skip
"""How long the content is of boxes of which nothing counts: what lies beyond does."""
_MOST_GROUP_BYTES = 1 << 16
_GROUPS = frozenset({b"sgpd", b"sbgp", b"csgp"})
_GROUPS_IGNORED = frozenset({b"roll", b"prol", b"rap ", b"sync", b"tele", b"tsas", b"stsa", b"tscl", b"sap "})
"""Groups of samples that help a player to begin somewhere, clause 10 of ISO/IEC 14496-12."""
_CONFIGURATIONS = frozenset({b"avcC", b"hvcC", b"av1C", b"vvcC", b"esds", b"glbl"})
_VIDEO, _SOUND = b"vide", b"soun"
_VIDEO_FIELDS, _SOUND_FIELDS = Struct(">16xHHIIIH32xHh"), Struct(">H6xHHhHI")
_SOUND_MORE_BYTES = {0: 0, 1: 16}
_COPY, _DITHER_COPY = 0, 0x40
_NO_COLOR_TABLE = -1
_RATES, _RATES_BYTES = b"\0\0\0\x14btrt", 20
_MOST_DESCRIPTOR_BYTES = 64
"""What MPEG-4 says around the settings of a decoder: numbers, buffers, bit rates."""
_COLOR_BYTES = {b"nclc": 10, b"nclx": 11}
_PROGRESSIVE = b"fiel", b"\1\0"
PLAIN_LAYOUTS = {1: 0x640001, 2: 0x650002}
"""What QuickTime calls one channel, and left and right."""
_PCM = frozenset(
    {
        b"sowt",
        b"twos",
        b"lpcm",
        b"raw ",
        b"NONE",
        b"in24",
        b"in32",
        b"fl32",
        b"fl64",
        b"ipcm",
        b"fpcm",
        b"ulaw",
        b"alaw",
    }
)


class Edit(NamedTuple):
    """An entry of an edit list."""

    duration: int
    """In units of the film; 0 up to the end."""
    starts_at: int
    """In units of the track; -1 for a time in which nothing is shown."""
    rate: int
    """16.16 fixed point."""


class Entry(NamedTuple):
    """How the samples of a track are to be read."""

    format: bytes
    pieces: list[Piece]
    configurations: list[tuple[bytes, bytes]]
    """Kind and content of the boxes that set up a decoder."""
    color: tuple[int, int, int, bool] | None
    aspect: Fraction | None
    layout: int | None = None
    """What QuickTime calls the channels, where it is mono or stereo."""


class TrackBox(NamedTuple):
    """A track as its boxes describe it."""

    id: int
    handler: bytes
    timescale: int
    film_timescale: int
    edits: tuple[Edit, ...]
    entry: Entry
    samples: int
    sample_bytes: int
    """Of all samples together."""
    first_sizes: tuple[int, ...]
    key_samples: bytes
    """The numbers of those that a player may begin at, as they are stored; empty where it may begin at any."""
    pieces: list[Piece]

    @property
    def is_entry_whole(self) -> bool:
        """Tell whether the description counts as it is stored, with what sets up the decoder in it."""
        return self.handler not in {_VIDEO, _SOUND}

    @property
    def is_pcm(self) -> bool:
        """Tell whether samples have no bounds of their own, so that nobody keeps how many go together."""
        return self.handler == _SOUND and self.entry.format in _PCM


class Movie(NamedTuple):
    """A film as its boxes describe it."""

    tracks: list[TrackBox]
    pieces: list[Piece]
    """What counts beside the tracks."""
    data: list[Span]
    """Where packets may lie: no byte there may be anything else."""


def read_movie(reader: FilmReader) -> Movie:
    """Follow the boxes of a film; raises :class:`~dupfind.pictures.film_packets.BrokenError`."""
    tops = _boxes(reader, 0, reader.length, may_go_on=True)
    movies = [box for box in tops if box.kind == b"moov"]
    if len(movies) != 1:
        raise BrokenError
    data = [Span(box.start + _head_bytes(reader, box), box.stop) for box in tops if box.kind == b"mdat"]
    pieces = [piece for box in tops if box.kind not in _TOP_IGNORED for piece in _loose(reader, box)]
    inside = _boxes(reader, movies[0].start + _head_bytes(reader, movies[0]), movies[0].stop)
    heads, tracks = _of_kind(inside, b"mvhd"), _of_kind(inside, b"trak")
    if len(heads) != 1 or not 0 < len(tracks) <= _MOST_TRACKS:
        raise BrokenError
    timescale, head = _movie_head(reader, heads[0])
    pieces.append(head)
    for box in inside:
        if box.kind not in {b"mvhd", b"trak"}:
            pieces += _loose(reader, box)
    told = [_track(reader, box, timescale) for box in tracks]
    numbers = {track.id: position for position, (track, _) in enumerate(told)}
    if len(numbers) != len(told):
        raise BrokenError
    for track, references in told:
        for kind, ids in references:
            track.pieces.append(b"tref" + kind + repr([numbers.get(id_) for id_ in ids]).encode())
    return Movie([track for track, _ in told], pieces, data)


def _boxes(reader: FilmReader, start: int, stop: int, *, may_go_on: bool = False) -> list[Part]:
    """Return the boxes of a stretch; what is no box is one of kind ``BEHIND``, and left out where it is all zero.

    Only at the top of a file may anything else follow.
    """
    boxes = [
        box
        for box in container_format.boxes(reader, start, stop)
        if box.kind not in {BEHIND, bytes(4)} or any(map(bool, _nonzero(reader, Span(box.start, box.stop))))
    ]
    if any(box.kind in _REFUSED or (box.kind == BEHIND and not may_go_on) for box in boxes):
        raise BrokenError
    return boxes


def _nonzero(reader: FilmReader, span: Span) -> Iterator[bytes]:
    return (content for content in span.blocks(reader) if content.strip(b"\0"))


def _of_kind(boxes: list[Part], kind: bytes) -> list[Part]:
    return [box for box in boxes if box.kind == kind]


def _only(boxes: list[Part], kind: bytes) -> Part:
    of_kind = _of_kind(boxes, kind)
    if len(of_kind) != 1:
        raise BrokenError
    return of_kind[0]


def _head_bytes(reader: FilmReader, box: Part) -> int:
    return 16 if reader.number(box.start, 4) == 1 else _HEAD_BYTES


def _payload(reader: FilmReader, box: Part) -> bytes:
    start = box.start + _head_bytes(reader, box)
    if box.stop - start > _MOST_SMALL_BYTES:
        raise BrokenError
    return reader.at(start, box.stop - start)


def _inside(reader: FilmReader, box: Part) -> list[Part]:
    return _boxes(reader, box.start + _head_bytes(reader, box), box.stop)


def _loose(reader: FilmReader, box: Part) -> list[Piece]:
    """Return what counts of a box that no table needs: nothing of empty space and of words."""
    if box.kind in _USUAL_BYTES:
        content = _payload(reader, box)
        reader.leave_out(min(len(content.rstrip(b"\0")), _USUAL_BYTES[box.kind]))
        return _beyond(box.kind, content, _USUAL_BYTES[box.kind])
    if box.kind in _FREE:
        return _free(reader, box)
    if box.kind == b"udta":
        return iso_words.counting_of_user_data(reader, _inside(reader, box))
    if box.kind == b"meta":
        return iso_words.counting_of_meta(reader, box)
    if box.kind == b"uuid":
        return iso_words.counting_of_uuid(reader, box)
    return [box.kind, Span(box.start, box.stop)]


def _free(reader: FilmReader, box: Part) -> list[Piece]:
    """Return what counts of space: all but zeros and a line that says which program wrote the file."""
    span = Span(box.start + _head_bytes(reader, box), box.stop)
    is_words = box.stop - box.start <= iso_words.MOST_FREE_BYTES and iso_words.is_printable(_payload(reader, box))
    if not any(map(bool, _nonzero(reader, span))):
        return []
    reader.leave_out(box.stop - box.start if is_words else 0)
    return [] if is_words else [b"free", span]


def _movie_head(reader: FilmReader, box: Part) -> tuple[int, bytes]:
    """Return the time scale of the film, and what counts of its header: rate, volume, matrix, times of QuickTime."""
    content = _payload(reader, box)
    times = _times(content)
    fields = content[32 if content[0] else 20 :]
    if len(fields) < 80:  # noqa: PLR2004 - 8.2.2
        raise BrokenError
    return times, b"mvhd" + fields[:76] + fields[80:]


def _times(content: bytes) -> int:
    """Return the time scale that a header of a film or a track gives."""
    place = 20 if content[:1] == b"\1" else 12
    timescale = int.from_bytes(content[place : place + 4], "big")
    if len(content) < place + 8 or content[0] > 1 or not timescale:
        raise BrokenError
    return timescale


def _track(reader: FilmReader, box: Part, film_timescale: int) -> tuple[TrackBox, list[tuple[bytes, list[int]]]]:
    """Return a track, and which tracks it refers to, by kind and by their numbers."""
    inside = _inside(reader, box)
    head = _payload(reader, _only(inside, b"tkhd"))
    media = _inside(reader, _only(inside, b"mdia"))
    handler = _payload(reader, _only(media, b"hdlr"))[8:12]
    timescale = _times(_payload(reader, _only(media, b"mdhd")))
    number, pieces = _track_head(head)
    references: list[tuple[bytes, list[int]]] = []
    edits: list[Edit] = []
    for part in inside:
        if part.kind == b"edts":
            edits += _edits(reader, part, pieces)
        elif part.kind == b"tref":
            references += [(ref.kind, _numbers(_payload(reader, ref))) for ref in _inside(reader, part)]
        elif part.kind not in {b"tkhd", b"mdia"}:
            pieces += _loose(reader, part)
    pieces.append(b"mdia")  # so that nothing moves from one level to another unseen
    for part in media:
        if part.kind == b"mdhd":
            content = _payload(reader, part)
            pieces += _beyond(part.kind, content, 36 if content[0] else 24)
        elif part.kind != b"minf":
            pieces += _loose(reader, part)
    tables = _information(reader, _only(media, b"minf"), pieces)
    entry = _entry(_payload(reader, _only(tables, b"stsd")), handler)
    samples, sample_bytes, first_sizes = _sizes(_payload(reader, _only(tables, b"stsz")))
    for table in tables:
        if table.kind in _ENTRY_BYTES and reader.number(table.start + _FULL_HEAD_BYTES, 4) > max(samples, 1):
            raise BrokenError  # places and times of nothing
        pieces += _beyond(b"sdtp", _payload(reader, table), 4 + samples) if table.kind == b"sdtp" else []
    keys = b"".join(_payload(reader, table)[4:] for table in tables if table.kind == b"stss")
    track = TrackBox(
        number,
        handler,
        timescale,
        film_timescale,
        tuple(edits),
        entry,
        samples,
        sample_bytes,
        first_sizes,
        keys,
        pieces,
    )
    return track, sorted(references)


def _track_head(content: bytes) -> tuple[int, list[Piece]]:
    """Return the number of a track, and whether it is on, its layer, volume, matrix and size."""
    is_long = content[:1] == b"\1"
    fields = content[36 if is_long else 24 :]
    if len(fields) < 60:  # noqa: PLR2004 - 8.3.2
        raise BrokenError
    number = int.from_bytes(content[20:24] if is_long else content[12:16], "big")
    return number, [b"tkhd", bytes([content[3] & 1]), fields[8:10], fields[12:14], fields[16:]]


def _edits(reader: FilmReader, box: Part, pieces: list[Piece]) -> list[Edit]:
    """Return the edits, and add to ``pieces`` what else lies beside them."""
    inside = _inside(reader, box)
    for part in inside:
        pieces += [] if part.kind == b"elst" else _loose(reader, part)
    content = _payload(reader, _only(inside, b"elst"))
    form = Struct(">Qqi" if content[:1] == b"\1" else ">Iii")
    count = int.from_bytes(content[4:8], "big")
    if len(content) < _HEAD_BYTES + count * form.size:
        raise BrokenError
    pieces += _beyond(b"elst", content, _HEAD_BYTES + count * form.size)
    return [Edit(*form.unpack_from(content, _HEAD_BYTES + index * form.size)) for index in range(count)]


def _beyond(kind: bytes, content: bytes, used_bytes: int) -> list[Piece]:
    """Return what a box holds behind what it needs to hold."""
    return [kind, content[used_bytes:]] if content[used_bytes:].strip(b"\0") else []


def _numbers(content: bytes) -> list[int]:
    return [int.from_bytes(content[place : place + 4], "big") for place in range(0, len(content), 4)]


def _information(reader: FilmReader, box: Part, pieces: list[Piece]) -> list[Part]:
    """Return the tables of samples, and add to ``pieces`` what counts beside them."""
    inside = _inside(reader, box)
    pieces.append(b"minf")
    for part in inside:
        if part.kind == b"vmhd":
            mode = int.from_bytes(_payload(reader, part)[4:6], "big")
            pieces += [] if mode in {_COPY, _DITHER_COPY} else [b"vmhd", _payload(reader, part)]
        elif part.kind == b"smhd":
            balance = _payload(reader, part)[4:6]
            pieces += [b"smhd", balance] if balance.strip(b"\0") else []
        if part.kind not in {b"dinf", b"stbl"}:
            pieces += _loose(reader, part)
    _must_lie_here(reader, _only(inside, b"dinf"), pieces)
    tables = _inside(reader, _only(inside, b"stbl"))
    pieces.append(b"stbl")
    kinds = [part.kind for part in tables if part.kind in _TABLES]
    if len(set(kinds)) != len(kinds) or {b"stco", b"co64"} <= set(kinds):  # one of the two is looked at
        raise BrokenError
    for part in tables:
        if part.kind in _TABLES:
            pieces += _behind_table(part.kind, _payload(reader, part))
            reader.leave_out(part.stop - part.start if part.kind == b"stps" else 0)
        elif part.kind not in _GROUPS or _group_counts(_payload(reader, part)):
            pieces += _loose(reader, part)
        else:
            reader.leave_out(part.stop - part.start)
    return tables


def _group_counts(content: bytes) -> bool:
    return content[4:8] not in _GROUPS_IGNORED or len(content) > _MOST_GROUP_BYTES


def _behind_table(kind: bytes, content: bytes) -> list[Piece]:
    """Return what lies in the box of a table behind the table."""
    count = int.from_bytes(content[4:8], "big")
    if kind in _ENTRY_BYTES:
        return _beyond(kind, content, _HEAD_BYTES + count * _ENTRY_BYTES[kind])
    if kind == b"stsz":
        samples = 0 if count else int.from_bytes(content[8:12], "big")  # of one size all: no table follows
        return _beyond(kind, content, _FULL_HEAD_BYTES + 4 * samples)
    if kind == b"stsd":
        return _beyond(kind, content, _HEAD_BYTES + int.from_bytes(content[8:12], "big"))
    return _beyond(kind, content, 44 if content[:1] == b"\1" else 24) if kind == b"cslg" else []


def _must_lie_here(reader: FilmReader, box: Part, pieces: list[Piece]) -> None:
    """Raise unless all samples lie in this file, and add to ``pieces`` what lies beside that."""
    inside = _inside(reader, box)
    for part in inside:
        pieces += [] if part.kind == b"dref" else _loose(reader, part)
    references = _only(inside, b"dref")
    start = references.start + _head_bytes(reader, references) + _HEAD_BYTES
    for part in _boxes(reader, start, references.stop):
        pieces += _loose(reader, part)
        if part.kind not in {b"url ", b"urn ", b"alis"} or not _payload(reader, part)[3:4] == b"\1":
            raise BrokenError


def _sizes(content: bytes) -> tuple[int, int, tuple[int, ...]]:
    """Return how many samples a track has, their bytes together, and the sizes of the first ones."""
    same, count = int.from_bytes(content[4:8], "big"), int.from_bytes(content[8:12], "big")
    if same:
        return count, count * same, (same,) * min(count, FACT_SAMPLES)
    if len(content) < _FULL_HEAD_BYTES + 4 * count:
        raise BrokenError
    import numpy as np

    sizes = np.frombuffer(content, ">u4", count, _FULL_HEAD_BYTES)
    return count, int(sizes.sum(dtype=np.int64)), tuple(sizes[:FACT_SAMPLES].tolist())


def _entry(content: bytes, handler: bytes) -> Entry:
    """Return the description of the samples, of which there may be no more than one."""
    count, length = int.from_bytes(content[4:8], "big"), int.from_bytes(content[8:12], "big")
    kind, fields = content[12:16], content[24 : 8 + length]
    if count != 1 or length < 16 or 8 + length > len(content):  # noqa: PLR2004 - 8.5.2
        raise BrokenError
    if kind.startswith((b"enc", b"drm", b"resv")):
        raise BrokenError
    if handler == _VIDEO:
        return _video_entry(kind, fields)
    if handler == _SOUND:
        return _sound_entry(kind, fields)
    while fields[-_RATES_BYTES:].startswith(_RATES):
        fields = fields[:-_RATES_BYTES]
    return Entry(kind, [fields], [], None, None)


def _video_entry(kind: bytes, content: bytes) -> Entry:
    if len(content) < _VIDEO_FIELDS.size:
        raise BrokenError
    width, height, _, _, _, frames, depth, table = _VIDEO_FIELDS.unpack_from(content)
    if table != _NO_COLOR_TABLE:
        raise BrokenError
    pieces: list[Piece] = [b"video %d %d %d %d" % (width, height, frames, depth)]
    configurations, color, aspect = [], None, None
    for child, value in _children(content[_VIDEO_FIELDS.size :]):
        if child in _CONFIGURATIONS:
            configurations.append((child, value))
        elif child == b"pasp" and len(value) == 8 and all((value[:4].strip(b"\0"), value[4:].strip(b"\0"))):  # noqa: PLR2004
            aspect = Fraction(int.from_bytes(value[:4], "big"), int.from_bytes(value[4:], "big"))
        elif child == b"colr" and _COLOR_BYTES.get(value[:4]) == len(value) and color is None:
            primaries, transfer, matrix = (int.from_bytes(value[place : place + 2], "big") for place in (4, 6, 8))
            color = primaries, transfer, matrix, value[:4] == b"nclx" and value[10:11] >= b"\x80"
        elif not _is_bit_rates(child, value) and (child, value) != _PROGRESSIVE:
            pieces += [child, value]
    return Entry(kind, pieces, configurations, color, aspect)


def _sound_entry(kind: bytes, content: bytes) -> Entry:
    if len(content) < _SOUND_FIELDS.size:
        raise BrokenError
    version, channels, bits, _, _, rate = _SOUND_FIELDS.unpack_from(content)
    more_bytes = _SOUND_MORE_BYTES.get(version)
    if more_bytes is None:
        return Entry(kind, [content], [], None, None)
    pieces: list[Piece] = []
    configurations, layout = [], None
    for child, value in _sound_children(content[_SOUND_FIELDS.size + more_bytes :]):
        if child in _CONFIGURATIONS:
            configurations.append((child, value))
        elif child == b"chan" and _is_plain_layout(value):
            layout = int.from_bytes(value[4:8], "big")
        elif not _is_bit_rates(child, value):
            pieces += [child, value]
    # Where the settings of the decoder say them, programs write any number of channels and bits (14496-12, 12.2.3.1).
    said = (0, 0) if any(child == b"esds" for child, _ in configurations) else (channels, bits)
    return Entry(kind, [b"sound %d %d %d" % (*said, rate), *pieces], configurations, None, None, layout)


def _sound_children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes of a description of sound, those that QuickTime packs into ``wave`` among them."""
    for child, value in _children(content):
        if child != b"wave":
            yield child, value
            continue
        for inner, inside in _children(value):
            is_kind = inner == b"frma" and len(inside) == 4  # noqa: PLR2004 - said again
            if not is_kind and inside.strip(b"\0"):  # nor an end mark, nor an empty box
                yield inner, inside


def _is_bit_rates(child: bytes, value: bytes) -> bool:
    return child == b"btrt" and len(value) == _RATES_BYTES - _HEAD_BYTES


def _is_plain_layout(value: bytes) -> bool:
    return int.from_bytes(value[4:8], "big") in PLAIN_LAYOUTS.values() and not value[8:].strip(b"\0")


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of the boxes within a description of samples."""
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if not content[place:].strip(b"\0"):
            return
        if length < _HEAD_BYTES or place + length > len(content):
            raise BrokenError
        kind = content[place + 4 : place + 8]
        if kind in _REFUSED:
            raise BrokenError
        yield kind, content[place + 8 : place + length]
        place += length


def counts_as_settings(kind: bytes, content: bytes, settings: bytes) -> bool:
    """Tell whether the box that sets up a decoder says more than the ``settings`` that FFmpeg has read in it."""
    if kind == b"esds":  # bit rates and numbers of streams are written anew by whoever writes it
        if len(content) > len(settings) + _MOST_DESCRIPTOR_BYTES:
            return True
        return settings not in content if settings else b"\5" in content[4:]
    return content != settings
