"""What a Matroska or WebM film holds beside its packets: its elements (RFC 9559), told apart like the boxes of MP4."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from dupfind.pictures import descriptive
from dupfind.pictures.film_packets import BrokenError
from dupfind.pictures.film_pieces import FilmReader, Piece, Span

HEAD = b"\x1a\x45\xdf\xa3"
_SEGMENT, _CLUSTER, _INFO, _TRACKS, _TRACK = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B, 0xAE
_ATTACHMENTS, _TAGS, _TAG, _SIMPLE_TAG = 0x1941A469, 0x1254C367, 0x7373, 0x67C8
_SEEK_HEAD, _CUES, _VOID, _CHECKSUM = 0x114D9B74, 0x1C53BB6B, 0xEC, 0xBF
_CHECKSUM_BYTES = 4
_SIMPLE_BLOCK, _GROUP, _BLOCK, _ENCRYPTED_BLOCK = 0xA3, 0xA0, 0xA1, 0xAF
_TRACK_NUMBER, _ENCODINGS = 0xD7, 0x6D80
_VIDEO, _AUDIO = 0xE0, 0xE1
_INFO_IGNORED = frozenset({0x4489, 0x4461, 0x7BA9, 0x4D80, 0x5741, 0x73A4, 0x7384})
"""Length, date, title, programs, number, name of the file."""
_TIME_UNIT, _USUAL_UNIT = 0x2AD7B1, (1_000_000).to_bytes(3, "big")
_TRACK_IGNORED = frozenset({_TRACK_NUMBER, 0x73C5, 0x536E, 0x22B59C, 0x22B59D, 0x258688, 0xAA, 0x9C, 0x6DE7, 0x6DF8})
"""Numbers, name, language, name of the codec, and what helps a player to hold enough."""
_DEFAULTS = {0xB9: b"\1", 0x88: b"\1", 0x55AA: b"", 0x9A: b"\2", 0x56AA: b"", 0x56BB: b"", 0x55EE: b"", 0x53B8: b""}
"""Whether a track is on, the usual one, always shown; not interlaced, no delays, no additions, no stereo."""
_COLOR = 0x55B0
_PLAIN_COLOR = {0x55B1: b"\2", 0x55BA: b"\2", 0x55BB: b"\2", 0x55B9: b"\1", 0x55B7: b"\1", 0x55B8: b"\2"}
"""Nothing said of matrix, transfer and primaries, the usual range, and colours that lie where they do in MPEG."""
_CLUSTER_TIME = 0xE7
_CLUSTER_IGNORED = frozenset({0xAB, 0xA7})
"""Size of the one before, place."""
_GROUP_IGNORED = frozenset({0x9B, 0xFB})
"""Numbers that FFmpeg gives with the packet: duration, what it rests on."""
_FILE_IGNORED = frozenset({0x46AE, 0x467E})
_ATTACHED_FILE = 0x61A7
_TAG_WORDS = frozenset({0x63C0, 0x45A3, 0x4487, 0x447A, 0x447B, 0x4484, 0x45A4})
"""What a tag is about, its name, its text, its language."""
_INDEX_PARTS = frozenset({0x4DBB, 0xBB, 0xB7, 0xDB})
_INDEX_NUMBERS = frozenset({0x53AB, 0x53AC, 0xB3, 0xF7, 0xF1, 0xF0, 0xB2, 0x5378, 0xEA, 0x96})
_MOST_SMALL_BYTES = 1 << 24
_MOST_ELEMENTS = 1 << 23
_MOST_DEPTH = 8
_FACT_FRAMES, _FACT_BLOCKS = 16, 4096
_KEY, _INVISIBLE, _REFERENCE = 0x80, 0x08, 0xFB
_LACING, _XIPH, _FIXED = 0x06, 0x02, 0x04


class Element(NamedTuple):
    """An element, by the places of its content."""

    id: int
    start: int
    stop: int


class Block(NamedTuple):
    """A block, with one frame or several."""

    track: int
    time: int
    """In units of the film."""
    flags: int
    """Whether a player may begin here, and whether it is not to be shown."""
    lengths: list[int]
    """Of its frames."""


class Frames:
    """The frames of a track, as far as they were counted."""

    def __init__(self) -> None:
        self.count = 0
        self.total_bytes = 0
        self._times = array("q")
        self._flags = bytearray()

    def add(self, block: Block) -> None:
        """Count the frames of a block."""
        self.count += len(block.lengths)
        self.total_bytes += sum(block.lengths)
        self._times.append(block.time)
        self._flags.append(block.flags)

    def marks(self) -> bytes:
        """Return the times and flags of all blocks: FFmpeg makes up times where it finds none that make sense."""
        import numpy as np

        return np.array(self._times, ">i8").tobytes() + bytes(self._flags)


class Matroska(NamedTuple):
    """A film as its elements describe it."""

    tracks: list[tuple[int, list[Piece]]]
    """The number of each track, and what counts of how it is described."""
    frames: dict[int, Frames]
    """By the number of a track."""
    pieces: list[Piece]
    """What counts beside the tracks."""


def read_matroska(reader: FilmReader) -> Matroska:
    """Follow all elements of a film; raises :class:`~dupfind.pictures.film_packets.BrokenError`."""
    segment, pieces = _segment(reader)
    tracks: list[tuple[int, list[Piece]]] = []
    frames: dict[int, Frames] = {}
    for element in _elements(reader, segment):
        if element.id == _CLUSTER:
            for block in _blocks(reader, element, pieces):
                frames.setdefault(block.track, Frames()).add(block)
        elif element.id == _TRACKS:
            tracks += _tracks(reader, element)
        else:
            pieces += _beside(reader, element)
    numbers = [number for number, _ in tracks]
    if not numbers or len(set(numbers)) != len(numbers) or not frames.keys() <= set(numbers):
        raise BrokenError
    return Matroska(tracks, frames, pieces)


def facts(reader: FilmReader) -> list[object]:
    """Return how the tracks are described, and the sizes of the first frames of the first one."""
    segment, _ = _segment(reader)
    tracks: list[tuple[int, list[Piece]]] = []
    sizes: list[int] = []
    blocks = 0
    for element in _elements(reader, segment):
        if element.id == _TRACKS:
            tracks += _tracks(reader, element)
        elif element.id == _CLUSTER and tracks:
            for block in _blocks(reader, element, []):
                blocks += 1
                sizes += block.lengths if block.track == tracks[0][0] else []
                if len(sizes) >= _FACT_FRAMES or blocks >= _FACT_BLOCKS:
                    break
            if len(sizes) >= _FACT_FRAMES or blocks >= _FACT_BLOCKS:
                break
    # Stretches of the file lie elsewhere in a copy: they are among what is read whole.
    described = [[piece for piece in pieces if isinstance(piece, bytes)] for _, pieces in tracks]
    return ["matroska", described, sizes[:_FACT_FRAMES]]


def _segment(reader: FilmReader) -> tuple[Element, list[Piece]]:
    """Return the only segment of a file, and what lies behind it."""
    tops = list(_elements(reader, Element(0, 0, reader.length)))
    segments = [element for element in tops if element.id == _SEGMENT]
    if len(tops) < 2 or tops[1].id != _SEGMENT or len(segments) != 1:  # noqa: PLR2004 - a head, a segment
        raise BrokenError
    pieces: list[Piece] = [b"head", _content(reader, tops[0])]
    for element in tops[2:]:
        pieces += [b"behind", *beside] if (beside := _loose(reader, element)) else []
    return segments[0], pieces


def _elements(reader: FilmReader, around: Element) -> Iterator[Element]:
    """Yield the elements within another; raises where one has no known length, or does not fit."""
    place = around.start
    for _ in range(_MOST_ELEMENTS):
        if place >= around.stop:
            return
        head = reader.at(place, 12)
        id_bytes = _length_of_number(head, 4)
        size_bytes = _length_of_number(head[id_bytes:], 8)
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") - (1 << 7 * size_bytes)
        start = place + id_bytes + size_bytes
        if size == (1 << 7 * size_bytes) - 1 or start + size > around.stop:
            raise BrokenError
        yield Element(int.from_bytes(head[:id_bytes], "big"), start, start + size)
        place = start + size
    raise BrokenError


def _length_of_number(head: bytes, most: int) -> int:
    """Return how many bytes a number of variable length takes."""
    length = 9 - head[0].bit_length() if head else 9
    if length > min(most, len(head)):
        raise BrokenError
    return length


def _content(reader: FilmReader, element: Element) -> bytes:
    if element.stop - element.start > _MOST_SMALL_BYTES:
        raise BrokenError
    return reader.at(element.start, element.stop - element.start)


def _loose(reader: FilmReader, element: Element) -> list[Piece]:
    """Return an element as it is stored, nothing of empty space and of checksums."""
    span = Span(element.start, element.stop)
    if element.id == _VOID and not any(content.strip(b"\0") for content in span.blocks(reader)):
        return []
    is_checksum = element.id == _CHECKSUM and element.stop - element.start == _CHECKSUM_BYTES
    return [] if is_checksum else [b"%x" % element.id, span]


def _beside(reader: FilmReader, element: Element) -> list[Piece]:
    """Return what counts of a part of a segment that is neither tracks nor packets."""
    pieces: list[Piece] = []
    if element.id == _INFO:
        for part in _elements(reader, element):
            is_words = part.id in _INFO_IGNORED and part.stop - part.start <= descriptive.SMALL_BYTES
            is_words |= part.id == _TIME_UNIT and _content(reader, part).lstrip(b"\0") == _USUAL_UNIT
            pieces += _words(reader, part) if is_words else _loose(reader, part)
    elif element.id == _TAGS:
        pieces += _tags(reader, element)
    elif element.id == _ATTACHMENTS:
        for file in _elements(reader, element):
            for part in _elements(reader, file) if file.id == _ATTACHED_FILE else [file]:
                is_words = part.id in _FILE_IGNORED and part.stop - part.start <= descriptive.SMALL_BYTES
                pieces += _words(reader, part) if is_words else _loose(reader, part)
    elif element.id not in {_SEEK_HEAD, _CUES} or not _is_index(reader, element):
        pieces += _loose(reader, element)
    return pieces


def _is_index(reader: FilmReader, element: Element, depth: int = 0) -> bool:
    """Tell whether an element holds nothing but places and times, each in a number."""
    for part in _elements(reader, element):
        if part.id in _INDEX_PARTS:
            is_plain = depth < _MOST_DEPTH and _is_index(reader, part, depth + 1)
        else:
            is_plain = (part.id in _INDEX_NUMBERS and _is_number(part)) or not _loose(reader, part)
        if not is_plain:
            return False
    return True


def _is_number(element: Element) -> bool:
    return element.stop - element.start <= 8  # noqa: PLR2004 - the longest


def _tags(reader: FilmReader, element: Element, depth: int = 0) -> list[Piece]:
    """Return what counts of tags: all but texts that are as short as words."""
    if depth > _MOST_DEPTH:
        raise BrokenError
    pieces: list[Piece] = []
    for part in _elements(reader, element):
        if part.id in {_TAG, _SIMPLE_TAG}:
            pieces += _tags(reader, part, depth + 1)
        elif part.id not in _TAG_WORDS or part.stop - part.start > descriptive.SMALL_BYTES:
            pieces += _loose(reader, part)
        else:
            pieces += _words(reader, part)
    return pieces


def _words(reader: FilmReader, element: Element) -> list[Piece]:
    """Return nothing of words, and count them."""
    reader.leave_out(element.stop - element.start)
    return []


def _tracks(reader: FilmReader, element: Element) -> list[tuple[int, list[Piece]]]:
    tracks = []
    for entry in _elements(reader, element):
        if entry.id in {_VOID, _CHECKSUM} and not _loose(reader, entry):
            continue
        parts = {part.id: part for part in _elements(reader, entry)}
        if entry.id != _TRACK or _TRACK_NUMBER not in parts or _ENCODINGS in parts:
            raise BrokenError
        number = int.from_bytes(_content(reader, parts[_TRACK_NUMBER]), "big")
        tracks.append((number, _described(reader, entry)))
    return tracks


def _described(reader: FilmReader, entry: Element) -> list[Piece]:
    """Return what counts of the description of a track, in an order that no program chooses."""
    values: list[tuple[int, bytes]] = []
    for part in _elements(reader, entry):
        content = _content(reader, part)
        if part.id in {_VIDEO, _AUDIO, _COLOR}:
            inner = _described(reader, part)
            packed = b"".join(b"%d " % len(piece) + piece for piece in inner if isinstance(piece, bytes))
            values += [(part.id, packed)] if packed else []
        elif not _is_left_out(part.id, content):
            values.append((part.id, content))
        elif part.id in _TRACK_IGNORED:
            reader.leave_out(len(content))
    return [piece for id_, content in sorted(values) for piece in (b"%x" % id_, content)]


def _is_left_out(id_: int, content: bytes) -> bool:
    """Tell whether a part of the description of a track says nothing of what is shown."""
    if id_ in {_VOID, _CHECKSUM}:
        return (id_ == _CHECKSUM and len(content) == _CHECKSUM_BYTES) or not content.strip(b"\0")
    is_words = id_ in _TRACK_IGNORED and not descriptive.text_counts(content)
    return is_words or content.lstrip(b"\0") == (_DEFAULTS | _PLAIN_COLOR).get(id_)


def _blocks(reader: FilmReader, cluster: Element, pieces: list[Piece]) -> Iterator[Block]:
    """Yield the blocks of a cluster, and add what lies in it beside them to ``pieces``."""
    began = 0
    for element in _elements(reader, cluster):
        if element.id == _SIMPLE_BLOCK:
            yield _block(reader, element, began, _KEY)
        elif element.id == _GROUP:
            parts = list(_elements(reader, element))
            key = 0 if any(part.id == _REFERENCE for part in parts) else _KEY
            blocks = [part for part in parts if part.id == _BLOCK]
            loose = [
                part for part in parts if part.id != _BLOCK and not (part.id in _GROUP_IGNORED and _is_number(part))
            ]
            beside = [piece for part in loose for piece in _loose(reader, part)]
            if len(blocks) != 1:  # players show one of them
                raise BrokenError
            block = _block(reader, blocks[0], began, 0)
            yield block._replace(flags=block.flags | key)
            pieces += [b"beside a block of %d at %d" % (block.track, block.time), *beside] if beside else []
        elif element.id == _CLUSTER_TIME:
            began = int.from_bytes(_content(reader, element), "big")
            if not _is_number(element):
                raise BrokenError
        elif element.id == _ENCRYPTED_BLOCK:
            raise BrokenError
        elif element.id not in _CLUSTER_IGNORED or not _is_number(element):
            beside = _loose(reader, element)
            pieces += [b"in a cluster at %d" % began, *beside] if beside else []


def _block(reader: FilmReader, element: Element, began: int, mask: int) -> Block:
    """Return a block of a cluster that ``began`` at this time; ``mask`` is what its flags say beside invisibility."""
    head = reader.at(element.start, min(12, element.stop - element.start))
    number_bytes = _length_of_number(head, 8)
    if len(head) < number_bytes + 3:
        raise BrokenError
    number = int.from_bytes(head[:number_bytes], "big") - (1 << 7 * number_bytes)
    time = began + int.from_bytes(head[number_bytes : number_bytes + 2], "big", signed=True)
    flags, start = head[number_bytes + 2], element.start + number_bytes + 3
    size_bytes = element.stop - start
    lengths = _laced(reader.at(start, size_bytes), flags & _LACING) if flags & _LACING else [size_bytes]
    return Block(number, time, flags & (mask | _INVISIBLE), lengths)


def _laced(content: bytes, lacing: int) -> list[int]:
    """Return the lengths of frames that share a block (RFC 9559, 10.3)."""
    if not content:
        raise BrokenError
    count, place = content[0] + 1, 1
    lengths: list[int] = []
    if lacing == _FIXED:
        length, remainder = divmod(len(content) - 1, count)
        if remainder:
            raise BrokenError
        return [length] * count
    for number in range(count - 1):
        if lacing == _XIPH:
            length = 0
            while content[place : place + 1] == b"\xff":
                length, place = length + 255, place + 1
            length, place = length + int.from_bytes(content[place : place + 1], "big"), place + 1
        else:
            size = _length_of_number(content[place:], 8)
            length = int.from_bytes(content[place : place + size], "big") - (1 << 7 * size)
            if number:  # the difference from the one before
                length += lengths[-1] - ((1 << 7 * size - 1) - 1)
            place += size
        lengths.append(length)
    last = len(content) - place - sum(lengths)
    if last < 0 or min(lengths, default=0) < 0:
        raise BrokenError
    return [*lengths, last]
