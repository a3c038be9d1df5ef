"""Detail of two pictures, against the obvious way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence import detail


def test_the_transform_is_that_of_jpeg() -> None:
    """Each coefficient is its sum of cosines (ITU-T T.81, A.3.3), however the picture lies in the memory."""
    grey = np.random.Generator(np.random.PCG64(3)).integers(0, 256, (27, 45), np.uint8)
    places = np.array([0, 3, 7, 14])
    order = np.arange(8)
    obvious = [
        [
            np.einsum(
                "dr,d,r",
                grey[place // 5 * 8 :, place % 5 * 8 :][:8, :8].astype(float),
                np.cos((2 * order + 1) * down * np.pi / 16) * (math.sqrt(1 / 2) if down == 0 else 1) / 2,
                np.cos((2 * order + 1) * across * np.pi / 16) * (math.sqrt(1 / 2) if across == 0 else 1) / 2,
            )
            for across, down in np.concatenate([detail._FINE, detail._COARSE, detail._HIGHEST])
        ]
        for place in places
    ]
    for lying in (grey, np.asfortranarray(grey), np.flip(np.flip(grey).copy())):
        assert np.hstack(detail._coefficients(lying, places)) == pytest.approx(np.array(obvious), abs=1e-3)
    assert {(3, 3), (0, 6), (0, 4)} <= {tuple(pair) for pair in detail._FINE.tolist()}
    assert {(0, 1), (1, 0), (1, 2)} <= {tuple(pair) for pair in detail._COARSE.tolist()}
    assert {(7, 0), (0, 7), (4, 7)} <= {tuple(pair) for pair in detail._HIGHEST.tolist()}


def test_strengths_are_looked_up_as_they_are_searched_for() -> None:
    """To the last bit: at each bound, just below and just above it, and everywhere between."""
    bounds = detail._STRENGTHS
    beside = [np.nextafter(bounds, np.float32(end)) for end in (0, np.inf)]
    sizes = np.concatenate([bounds, *beside, np.linspace(6, 90, 100_000, dtype=np.float32)])
    sizes = sizes[(sizes > bounds[0]) & (sizes <= bounds[-1])]
    assert np.array_equal(np.searchsorted(bounds, sizes) - 1, detail._kinds(sizes))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 500), (378, 504), (500, 500), (7, 4000)])
def test_blocks_are_spread_over_the_picture(rows: int, columns: int) -> None:
    """Every region that has blocks is looked at, and no more blocks than are wanted."""
    places, firsts = detail._sampled_blocks(rows, columns)
    assert places.size <= 2 * detail._MOST_BLOCKS
    everywhere = {row * 8 // rows * 8 + column * 8 // columns for row in range(rows) for column in range(columns)}
    assert everywhere == set(np.flatnonzero(np.diff(firsts)).tolist())
    for region in everywhere:
        of_region = places[firsts[region] : firsts[region + 1]]
        assert set((of_region // columns * 8 // rows * 8 + of_region % columns * 8 // columns).tolist()) == {region}
    assert np.array_equal(np.sort(places), np.unique(places))


@given(st.integers(0, 10**6), st.integers(0, 30_000))
def test_windows_agree_with_the_obvious_way(seed: int, count: int) -> None:
    """Evenness window by window, each summed by itself."""
    random = np.random.Generator(np.random.PCG64(seed))
    ours = random.laplace(0, 14, (count // 18, 18)).astype(np.float32)
    theirs = (ours * random.uniform(0.3, 1.1) + random.normal(0, 3, ours.shape)).astype(np.float32)
    firsts = np.sort(np.concatenate([[0], random.integers(0, len(ours) + 1, 63), [len(ours)]]))
    sizes = np.abs(ours).astype(float) + 2**-10
    bounds = detail._STRENGTHS
    is_asked = (sizes > bounds[0]) & (sizes <= bounds[-1])
    kinds = np.searchsorted(bounds, sizes) - 1
    products, energies = ours.astype(float) * theirs, ours.astype(float) ** 2
    expected = np.zeros(ours.shape)
    for kind in range(bounds.size):
        of_kind = is_asked & (kinds == kind)
        share = products[of_kind].sum() / max(1, energies[of_kind].sum())
        expected[of_kind] = energies[of_kind] * max(detail._LEAST_EXPECTED, share)
    region_of_each = np.repeat(np.arange(64), np.diff(firsts))
    (measured_shares,) = detail._evenness([detail._clear(ours, theirs, firsts)])
    for (rows, columns), least in measured_shares.items():
        shares = {}
        for top, left in np.ndindex(9 - rows, 9 - columns):
            down, right = np.divmod(region_of_each, 8)
            inside = (down >= top) & (down < top + rows) & (right >= left) & (right < left + columns)
            of_window = is_asked & inside[:, None]
            if np.count_nonzero(of_window) >= detail._FEWEST_COEFFICIENTS:
                asked, repeated = expected[of_window], products[of_window]
                at_best = repeated.sum() + 3 * math.sqrt(((repeated - asked) ** 2).sum())
                shares[(top + rows / 2) / 8, (left + columns / 2) / 8] = at_best / asked.sum()
        assert least.share == pytest.approx(min(shares.values(), default=1.0), rel=1e-3, abs=1e-4)
        assert shares.get(least.where, 1.0) == pytest.approx(least.share, rel=1e-3, abs=1e-4)
