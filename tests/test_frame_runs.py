"""Films that share a run of frames, against the slow obvious answer."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dupfind.search.frame_runs import MOST_FILMS, RADIUS_BITS, FrameIndex, FrameRun, Frames


def film(seed: int, count: int = 20, orientations: int = 8) -> Frames:
    """A film of frames that have nothing to do with each other, two a second."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 1 << 63, (count, orientations), np.uint64) * np.uint64(2)
    return Frames(np.arange(count) * 0.5, hashes)


def shown(of: Frames, begin: int, end: int, orientation: int = 0, flips: int = 0) -> Frames:
    """What a needle shows that has these frames of a film, with some bits of each hash changed."""
    hashes = of.hashes[begin:end, orientation : orientation + 1].copy()
    for bit in range(flips):
        hashes ^= np.uint64(1 << (5 * bit))
    return Frames(of.seconds[begin:end] - of.seconds[begin], hashes)


def test_a_part_of_a_film() -> None:
    """Its place is told, and how it is turned."""
    films = [film(seed) for seed in range(5)]
    run = FrameRun(film=3, orientation=5, offset_seconds=4.0, keys=9, distance_bits=4)
    assert [run] == FrameIndex(films).runs(shown(films[3], 8, 17, orientation=5, flips=4))


def test_a_film_that_is_left_out() -> None:
    """Is not found, and no other in its place."""
    films = [film(1), film(2), film(1)]
    index, needle = FrameIndex(films), shown(films[0], 0, 20)
    assert [0, 2] == [run.film for run in index.runs(needle)]
    assert [2] == [run.film for run in index.runs(needle, frozenset({0}))]


@pytest.mark.parametrize("speed", [1.25, 25 / 24, 0.6])
def test_a_film_that_is_played_at_another_speed(speed: float) -> None:
    """Its frames lie on a line with those of the needle, at whichever offset it begins."""
    of = film(1, 60)
    needle = shown(of, 10, 60, orientation=3, flips=4)
    (run,) = FrameIndex([film(2, 60), of]).runs(needle._replace(seconds=needle.seconds / speed))
    assert (1, 3) == (run.film, run.orientation)
    mixed = needle._replace(seconds=np.random.default_rng(1).permutation(needle.seconds))
    assert [] == FrameIndex([of]).runs(mixed)


def test_frames_in_another_order_are_no_run() -> None:
    """Nor are a few frames of many."""
    of = film(1)
    needle = Frames(of.seconds, of.hashes[::-1, :1].copy())
    assert [] == FrameIndex([of]).runs(needle)
    few = film(2)
    few.hashes[3, 0] = of.hashes[3, 0]
    assert [] == FrameIndex([of]).runs(Frames(few.seconds, few.hashes[:, :1]))


def test_beyond_the_radius() -> None:
    """A frame that differs in more bits is another one."""
    of = film(1)
    assert FrameIndex([of]).runs(shown(of, 0, 20, flips=RADIUS_BITS))
    assert not FrameIndex([of]).runs(shown(of, 0, 20, flips=RADIUS_BITS + 1))


def test_a_film_in_which_nothing_moves() -> None:
    """Meets itself at any offset: the one nearest to none is taken."""
    still = Frames(np.arange(10) * 1.0, np.full((10, 8), 77, np.uint64))
    (run,) = FrameIndex([still]).runs(Frames(np.arange(100) * 0.1, np.full((100, 1), 77, np.uint64)))
    assert 0.0 == run.offset_seconds


def test_no_more_than_so_many_films() -> None:
    """Those first of which most frames are shared."""
    of = film(1)
    films = [Frames(of.seconds[: 20 - cut], of.hashes[: 20 - cut]) for cut in range(MOST_FILMS + 2)]
    assert list(range(MOST_FILMS)) == [run.film for run in FrameIndex(films).runs(shown(of, 0, 20))]


def test_nothing_to_search() -> None:
    """Neither films nor frames."""
    nothing = Frames(np.empty(0), np.empty((0, 8), np.uint64))
    assert [] == FrameIndex([]).runs(shown(film(1), 0, 5))
    assert [] == FrameIndex([nothing]).runs(shown(film(1), 0, 5))
    assert [] == FrameIndex([film(1)]).runs(Frames(np.empty(0), np.empty((0, 1), np.uint64)))


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True),
    cut=st.tuples(st.integers(0, 10), st.integers(14, 20)),
    flips=st.integers(0, 12),
    data=st.data(),
)
def test_what_is_found_is_what_comparing_all_finds(
    seeds: list[int], cut: tuple[int, int], flips: int, data: st.DataObject
) -> None:
    """For films that have nothing to do with each other: the one that the needle is of, where its hashes are near."""
    films = [film(seed) for seed in seeds]
    chosen, orientation = data.draw(st.integers(0, len(films) - 1)), data.draw(st.integers(0, 7))
    needle = shown(films[chosen], *cut, orientation=orientation, flips=flips)
    near = [
        (place, way)
        for place, of in enumerate(films)
        for way in range(8)
        if all(
            int(ours ^ theirs).bit_count() <= RADIUS_BITS
            for ours, theirs in zip(needle.hashes[:, 0].tolist(), of.hashes[cut[0] : cut[1], way].tolist(), strict=True)
        )
    ]
    assert near == [(run.film, run.orientation) for run in FrameIndex(films).runs(needle)]


@pytest.mark.slow
def test_long_films_in_which_nothing_moves() -> None:
    """An hour of a camera that stands still, among many such: within seconds, found or not."""
    rng = np.random.default_rng(4)

    def still(count: int, seconds: float, orientations: int) -> Frames:
        flips = np.uint64(1) << rng.integers(0, 64, (count, orientations), np.uint64)
        return Frames(np.linspace(0, seconds, count), np.uint64(0x123456789ABCDEF0) ^ flips)

    index = FrameIndex([still(256, 3600, 8) for _ in range(10)])
    began = time.monotonic()
    assert len(index.runs(still(90_000, 3600, 1))) <= MOST_FILMS
    assert time.monotonic() - began < 60
