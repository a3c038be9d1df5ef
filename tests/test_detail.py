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


def obvious_scale(
    ours: np.ndarray, theirs: np.ndarray, expected: np.ndarray, is_asked: np.ndarray, region_of_each: np.ndarray
) -> np.ndarray:
    """Return what the expectation of each region is multiplied by, since what a codec rounds up is more where little
    lies: the formula of Tweedie with one noise for all regions, region by region.
    """
    rows = []
    for region in range(64):
        of_region = is_asked & (region_of_each == region)[:, None]
        asked, answers, hoped = (values[of_region].astype(float) for values in (ours, theirs, expected))
        fall = math.log(18 * np.count_nonzero(region_of_each == region) / asked.size) / 6 if asked.size else 0.0
        errors = asked * answers - hoped
        noise = ((asked - answers) ** 2).mean() if asked.size >= 20 else math.nan
        rows.append(
            (asked.size, (np.abs(asked) + 2**-10).sum(), fall, hoped.sum(), -errors.sum(), (errors**2).sum(), noise)
        )
    counts, strengths, falls, hoped, missing, variances, noises = np.array(rows).T
    if np.isnan(noises).all():
        return np.ones(64)
    less = strengths * (falls - strengths @ falls / strengths.sum())
    weights = np.where(counts >= 5, less / np.maximum(1, variances), 0)
    most = np.nanmedian(noises)
    slope = min(most, max(0.0, weights @ missing / max(1e-12, weights @ less)))
    return np.maximum(0.05, 1 - np.divide(slope * less, hoped, out=np.zeros(64), where=hoped > 0))


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
    strays = (products - expected) ** 2
    region_of_each = np.repeat(np.arange(64), np.diff(firsts))
    expected *= obvious_scale(ours, theirs, expected, is_asked, region_of_each)[region_of_each][:, None]
    (measured_shares,) = detail._evenness([detail._clear(ours, theirs, firsts)])
    for (rows, columns), least in measured_shares.items():
        shares = {}
        for top, left in np.ndindex(9 - rows, 9 - columns):
            down, right = np.divmod(region_of_each, 8)
            inside = (down >= top) & (down < top + rows) & (right >= left) & (right < left + columns)
            of_window = is_asked & inside[:, None]
            if np.count_nonzero(of_window) >= detail._FEWEST_COEFFICIENTS * math.sqrt(rows * columns):
                asked, repeated = expected[of_window], products[of_window]
                at_best = repeated.sum() + 3 * math.sqrt(strays[of_window].sum())
                shares[(top + rows / 2) / 8, (left + columns / 2) / 8] = at_best / asked.sum()
        assert least.share == pytest.approx(min(shares.values(), default=1.0), rel=1e-3, abs=1e-4)
        assert shares.get(least.where, 1.0) == pytest.approx(least.share, rel=1e-3, abs=1e-4)


def test_no_more_is_put_down_to_rounding_than_the_two_differ_by() -> None:
    """A faint part that lost half of itself is not explained by a codec that moved everything by a level."""
    random = np.random.Generator(np.random.PCG64(5))
    ours = random.laplace(0, np.repeat([14, 5], [800, 160])[:, None], (960, 18)).astype(np.float32)
    theirs = ours + random.normal(0, 1, ours.shape).astype(np.float32)
    firsts = np.arange(0, 961, 15)
    faint = theirs.copy()
    faint[800:] *= 0.5
    (of_copy,), (of_faint,) = (detail._evenness([detail._clear(ours, side, firsts)]) for side in (theirs, faint))
    assert of_copy[1, 1].share > 0.99
    assert of_faint[1, 1].share < 0.85


@pytest.mark.parametrize(("count", "is_told"), [(10, False), (14, True)])
def test_a_window_with_little_in_it_tells_nothing(count: int, is_told: bool) -> None:
    """The larger a window, the less is left to chance in it, but where it is nearly empty."""
    ours = np.zeros((64, count, 18), np.float32)
    ours[..., 0] = 20
    theirs = ours.copy()
    theirs.reshape(8, 8, -1)[:, :3] *= 0.5
    flat = [side.reshape(-1, 18) for side in (ours, theirs)]
    (evenness,) = detail._evenness([detail._clear(flat[0], flat[1], np.arange(65) * count)])
    assert (evenness[8, 3].share < 1) is is_told
