"""The page of a review is told of changes since it last asked, of files by number, and given pictures kept for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dupfind.reviewing.page_state import PictureCache, WantedPicture


def test_what_is_kept() -> None:
    """What was used last; nothing that alone would push out the others; a new one takes the old one's place."""
    cache = PictureCache(40)
    for number in range(4):
        cache.keep(WantedPicture(number, is_full=False), bytes([number]) * 10)
    assert cache.get(WantedPicture(0, is_full=False)) == b"\0" * 10
    cache.keep(WantedPicture(4, is_full=False), b"new")
    assert cache.get(WantedPicture(1, is_full=False)) is None
    assert cache.get(WantedPicture(0, is_full=False)) is not None
    cache.keep(WantedPicture(9, is_full=True), b"x" * 11)
    assert cache.get(WantedPicture(9, is_full=True)) is None
    cache.keep(WantedPicture(0, is_full=False), b"other")
    assert (cache.get(WantedPicture(0, is_full=False)), cache.size_bytes) == (b"other", 5 + 10 + 10 + 3)
    assert cache.get(WantedPicture(0, is_full=True)) is None  # another picture


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30))))
def test_it_never_grows_beyond(kept: list[tuple[int, int]]) -> None:
    """Whatever is put into it."""
    cache = PictureCache(50)
    for number, size in kept:
        cache.keep(WantedPicture(number, is_full=False), bytes(size))
        pictures = [cache.get(WantedPicture(one, is_full=False)) for one in range(6)]
        assert cache.size_bytes == sum(len(picture) for picture in pictures if picture is not None) <= 50
