"""Elements of Matroska, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Change = Callable[[bytes], bytes]
SEGMENT, INFO, TRACKS, TRACK, CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0x1F43B675
VIDEO, TAGS, TAG, SIMPLE, VOID = 0xE0, 0x1254C367, 0x7373, 0x67C8, 0xEC


def element(id_: int, content: bytes) -> bytes:
    """Make an element, its length in eight bytes."""
    return id_.to_bytes((id_.bit_length() + 7) // 8, "big") + (1 << 56 | len(content)).to_bytes(8, "big") + content


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield id and content of the elements in a row."""
    place = 0
    while place < len(content):
        length = 9 - content[place].bit_length()
        size = 9 - content[place + length].bit_length()
        start = place + length + size
        count = int.from_bytes(content[place + length : start], "big") - (1 << 7 * size)
        yield int.from_bytes(content[place : place + length], "big"), content[start : start + count]
        place = start + count


def joined(*parts: tuple[int, bytes]) -> bytes:
    """Put elements in a row."""
    return b"".join(element(*part) for part in parts)


def changed(content: bytes, path: tuple[int, ...], change: Change) -> bytes:
    """Change the content of the first element at ``path``."""
    parts, done = [], False
    for id_, value in elements(content):
        if id_ == path[0] and not done:
            done = True
            parts.append((id_, changed(value, path[1:], change) if path[1:] else change(value)))
        else:
            parts.append((id_, value))
    assert done, path
    return joined(*parts)


def added(extra: bytes) -> Change:
    """Add elements behind those that are there."""
    return lambda content: content + extra


def without(id_: int) -> Change:
    """Leave out elements of an id."""
    return lambda content: joined(*(part for part in elements(content) if part[0] != id_))


def replaced(id_: int, value: bytes) -> Change:
    """Give an element another content."""
    return lambda content: joined(*((one, value if one == id_ else old) for one, old in elements(content)))
