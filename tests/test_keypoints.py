"""Keypoints: spread over a picture, the same in every run, and laid over each other by what they agree on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")

from dupfind.evidence import fragments
from dupfind.pictures import keypoints
from tests.helpers.fragments import part, photo


def gray(image: Image.Image) -> NDArray[np.uint8]:
    """Its grey levels."""
    return np.asarray(image.convert("L"))


def test_spread() -> None:
    """Every corner of a picture has some, though one is full of the strongest; and fewer are the first of more."""
    picture = gray(photo(1)).copy()
    picture[:90, :120] = np.random.default_rng(1).integers(0, 2, (90, 120), np.uint8) * 255
    described = keypoints.describe(picture, 200)
    assert 200 == len(described.points)
    cells = {(int(x * 4 / 480), int(y * 4 / 360)) for x, y in described.points}
    assert 14 <= len(cells)
    assert 8 >= len(set(described.levels.tolist())) >= 6
    more = keypoints.describe(picture, 400)
    first = {tuple(point) for point in more.points.round(2).tolist()}
    assert {tuple(point) for point in described.points.round(2).tolist()} <= first


def test_first_of_a_needle_are_those_of_the_haystack() -> None:
    """So that one row of the cache serves both."""
    packed = fragments.pack(*keypoints.describe(gray(photo(2)), 400))
    assert fragments.pack(*keypoints.describe(gray(photo(2)), 200)) == fragments.first(packed, 200)


@pytest.mark.parametrize(
    "picture", [np.zeros((300, 200), np.uint8), np.zeros((3, 5), np.uint8), np.zeros((1, 1), np.uint8)]
)
def test_nothing_to_see(picture: NDArray[np.uint8]) -> None:
    """No keypoints, and no error."""
    described = keypoints.describe(picture, 200)
    assert ((0, 2), (0, 4), 0, 0) == (
        described.points.shape, described.descriptors.shape, len(described.degrees), len(described.levels),
    )  # fmt: skip
    assert keypoints.fit(described.points, described.points) is None


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_fit_and_laid_over(factor: float) -> None:
    """A part of a picture, reduced or enlarged and turned, lies on the picture where it came from."""
    whole = photo(3)
    cut = part(whole, 0.25, 0.25, 0.75, 0.75).transpose(Image.Transpose.ROTATE_90)
    cut = cut.resize((round(cut.width * factor), round(cut.height * factor)), Image.Resampling.LANCZOS)
    ours, theirs = keypoints.describe(gray(cut), 500), keypoints.describe(gray(whole), 500)
    first, second = fragments.pairs(ours.descriptors, theirs.descriptors)
    fit = keypoints.fit(ours.points[first], theirs.points[second])
    assert fit is not None
    assert math.isclose(1 / factor, fragments.scale(fit.matrix), rel_tol=0.03)
    laid, is_there = keypoints.laid_over(gray(cut), fit.matrix, whole.size)
    rows, columns = np.nonzero(is_there)
    assert [90, 120, 270, 360] == pytest.approx([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1], abs=4)
    inside = np.zeros_like(is_there)
    inside[100:260, 130:350] = True
    off = np.abs(laid.astype(float) - gray(whole))[inside].mean()
    assert off < (14 if factor < 1 else 9)
