"""Messages: whole or none, in whatever pieces they come."""

from __future__ import annotations

import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.pool import worker
from dupfind.pool.worker import Inbox, packed

VALUES = st.lists(st.one_of(st.integers(), st.binary(max_size=300), st.text(max_size=20)), max_size=6)


@given(VALUES, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_in_any_pieces(values: list[object], lengths: list[int]) -> None:
    """Each message comes once, whole and in order, however the bytes are cut."""
    data = b"".join(map(packed, values))
    inbox, taken, start = Inbox(), [], 0
    while start < len(data):
        length = lengths[len(taken) % len(lengths)] if start else lengths[0]
        taken += list(inbox.take(data[start : start + length]))
        start += length
    assert values == taken


@given(VALUES, st.binary(min_size=1, max_size=300), st.data())
def test_a_part_is_none(values: list[object], last: bytes, data: st.DataObject) -> None:
    """What is cut off anywhere is no message, for either end."""
    message = packed(last)
    cut = b"".join(map(packed, values)) + message[: data.draw(st.integers(0, len(message) - 1))]
    assert values == list(Inbox().take(cut))
    stream = io.BytesIO(cut)
    read = [worker.read_message(stream) for _ in range(len(values) + 1)]
    assert [*values, None] == [None if one is None else pickle.loads(one) for one in read]  # noqa: S301 - our own


def test_nonsense_is_an_error() -> None:
    """A process gone mad is not taken for one that answers."""
    with pytest.raises(pickle.UnpicklingError):
        list(Inbox().take(bytes(7) + b"\x03\xff\xff\xff"))
