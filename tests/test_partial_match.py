"""Remains: what is left of a damaged picture, against the slow obvious answer and on halves of scenes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dupfind.evidence.differences import surface
from dupfind.evidence.partial_match import EDGES, intact, likeness
from tests.helpers.scenes import Field, grey, scene

Pixels = NDArray[np.uint8]


def half_lost(values: Field, share: float, edge: int = 0) -> Pixels:
    """``values`` of which the leading ``share`` from an edge is left, the rest grey; edges count as turns."""
    left = np.full((64, 64), 128.0)
    rows = round(64 * share)
    left[:rows] = np.rot90(values, edge)[:rows]
    return grey(np.rot90(left, -edge))


def slow_likeness(one: Pixels, other: Pixels) -> float:
    """The best of all correlations over leading parts of a quarter and more, from each edge."""
    best = -1.0
    halves = [pixels.reshape(32, 2, 32, 2).mean((1, 3)) for pixels in (one, other)]
    for edge in range(4):
        ours, theirs = (np.rot90(half, edge) for half in halves)
        for rows in range(8, 33):
            parts = ours[:rows].reshape(-1), theirs[:rows].reshape(-1)
            if min(part.std() for part in parts) > 8:
                best = max(best, float(np.corrcoef(*parts)[0, 1]))
    return best


noisy = st.integers(0, 999).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (64, 64), np.uint8))
scenes = st.integers(0, 99).map(lambda seed: grey(scene(seed)))
lost = st.builds(half_lost, st.integers(0, 99).map(scene), st.floats(0, 1), st.integers(0, 3))
flat = st.integers(0, 255).map(lambda level: np.full((64, 64), level, np.uint8))


@pytest.mark.slow
@settings(max_examples=25)
@given(
    st.lists(scenes | lost | noisy | flat, min_size=1, max_size=2),
    st.lists(scenes | noisy | flat, min_size=1, max_size=3),
)
def test_likeness_is_the_best_correlation(damaged: list[Pixels], others: list[Pixels]) -> None:
    """Every pair, in rows of the damaged and columns of the others."""
    found = likeness(np.stack(damaged), np.stack(others))
    assert (len(damaged), len(others)) == found.shape
    expected = [[slow_likeness(one, other) for other in others] for one in damaged]
    assert np.allclose(expected, found, atol=2e-3)


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("edge", range(EDGES))
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_what_is_left_is_found_again(edge: int, share: float) -> None:
    """Among a hundred scenes the one of which a part is left is the likeliest, from whichever edge it was decoded."""
    others = np.stack([grey(scene(seed)) for seed in range(100)])
    (found,) = likeness(half_lost(scene(7), share, edge)[None], others)
    assert 7 == int(found.argmax())
    assert found[7] > 0.99


@pytest.mark.parametrize("edge", range(EDGES))
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_intact_share(edge: int, share: float) -> None:
    """Counted in rows of the thumbnail; the smoothing takes or gives two."""
    found = intact(surface(half_lost(scene(7), share, edge)), surface(grey(scene(7))))
    assert share == pytest.approx(found, abs=2.5 / 64)


def test_another_picture_is_not_intact() -> None:
    """Two scenes share no leading part that shows something, and two skies share one that shows nothing."""
    assert intact(surface(grey(scene(1))), surface(grey(scene(2)))) < 0.1
    skies = []
    for seed in (1, 2):
        sky = scene(seed)
        sky[:32] = 200.0
        skies.append(surface(grey(sky)))
    assert 0 == intact(*skies)


def test_a_codec_s_noise_is_no_damage() -> None:
    """A re-encoded copy is intact as a whole."""
    noise = np.random.default_rng(1).normal(0, 1.5, (64, 64))
    assert 1 == intact(surface(grey(scene(3))), surface(grey(scene(3) + noise)))
