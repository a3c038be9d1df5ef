"""Ways to break a file, each chosen and placed by a seed alone; pure."""

from __future__ import annotations

import random
from collections.abc import Callable

_HEADER_BYTES = 600
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers next to which code that counts goes wrong."""
_MOST_CHANGES = 8


def mutate(content: bytes, other: bytes, seed: int) -> tuple[str, bytes]:
    """``content``, broken in one way or two, and how; ``other`` is a file to splice from."""
    dice = random.Random(seed)  # noqa: S311 - chance for bytes, not for secrets
    names = dice.sample(sorted(WAYS), dice.choice((1, 1, 1, 2)))
    for name in names:
        if content:
            content = WAYS[name](content, other, dice)
    return ", ".join(names), content


def _flip_bits(content: bytes, _: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _number in range(dice.randint(1, _MOST_CHANGES)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _flip_in_header(content: bytes, other: bytes, dice: random.Random) -> bytes:
    return _flip_bits(content[:_HEADER_BYTES], other, dice) + content[_HEADER_BYTES:]


def _edge_number(content: bytes, _: bytes, dice: random.Random) -> bytes:
    """A number of the header becomes one at which code goes wrong."""
    changed = bytearray(content)
    size = dice.choice((1, 2, 4))
    place = dice.randrange(min(_HEADER_BYTES, len(content)))
    value = dice.choice(_EDGES) % (1 << 8 * size)
    changed[place : place + size] = value.to_bytes(size, dice.choice(("big", "little")))
    return bytes(changed[: len(content)])


def _cut_off(content: bytes, _: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def _cut_end(content: bytes, _: bytes, dice: random.Random) -> bytes:
    return content[: -dice.randint(1, 64)]


def _remove(content: bytes, _: bytes, dice: random.Random) -> bytes:
    start, length = _run(content, dice)
    return content[:start] + content[start + length :]


def _repeat(content: bytes, _: bytes, dice: random.Random) -> bytes:
    start, length = _run(content, dice)
    return content[: start + length] + content[start:]


def _zero(content: bytes, _: bytes, dice: random.Random) -> bytes:
    start, length = _run(content, dice)
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


def _noise(content: bytes, _: bytes, dice: random.Random) -> bytes:
    start, length = _run(content, dice)
    return content[:start] + dice.randbytes(len(content[start : start + length])) + content[start + length :]


def _splice(content: bytes, other: bytes, dice: random.Random) -> bytes:
    """As a disk does that gives a block of another file."""
    start, length = _run(content, dice)
    begin = dice.randrange(max(1, len(other) - length))
    return content[:start] + other[begin : begin + length] + content[start + length :]


def _graft(content: bytes, other: bytes, dice: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    share = dice.random()
    return content[: int(len(content) * share)] + other[int(len(other) * share) :]


def _run(content: bytes, dice: random.Random) -> tuple[int, int]:
    """Where, and how many bytes: mostly a few, up to a block of a disk."""
    return dice.randrange(len(content)), 1 << dice.randint(0, 12)


WAYS: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
    "bits flipped": _flip_bits,
    "bits of the header flipped": _flip_in_header,
    "number of the header": _edge_number,
    "cut off": _cut_off,
    "end cut off": _cut_end,
    "bytes lost": _remove,
    "bytes doubled": _repeat,
    "zeros": _zero,
    "noise": _noise,
    "spliced": _splice,
    "grafted": _graft,
}
