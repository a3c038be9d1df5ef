"""The highest frequencies: gone where a picture was enlarged by little, kept by what compresses it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import full_size, spectrum
from dupfind.evidence.pixels import Pixels
from tests.helpers.details import grainy
from tests.helpers.pictures_again import again

BOUND = full_size.SPECTRUM_BOUND
KERNELS = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC


def ratio(needle: Image.Image, witness: Image.Image) -> float | None:
    """What is repeated of the highest frequencies, to what is of those a little lower."""
    ours, theirs = (Pixels(np.asarray(image.convert("L")), None) for image in (needle, witness))
    return spectrum.highest_to_high(ours, theirs)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("factor", [0.8, 0.85, 0.9])
def test_enlarged_by_little(factor: float, kernel: Image.Resampling) -> None:
    """Reduced to so much of its size and enlarged again, saved well."""
    image = grainy(5, (480, 360))
    small = image.resize((round(480 * factor), round(360 * factor)), Image.Resampling.LANCZOS)
    share = ratio(image, again(small.resize(image.size, kernel), quality=95))
    assert share is not None
    assert share < BOUND


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize(("kind", "quality"), [("JPEG", 75), ("JPEG", 90), ("WEBP", 85), ("AVIF", 80)])
def test_compressed(kind: str, quality: int) -> None:
    """A copy in either direction."""
    image = grainy(5, (480, 360))
    copy = again(image, kind, quality=quality)
    for share in (ratio(image, copy), ratio(copy, image)):
        assert share is None or share > BOUND


def test_too_little_to_ask_for() -> None:
    """A tiny picture, a smooth one; a large one is sampled."""
    image = grainy(5, (480, 360))
    assert ratio(image.crop((0, 0, 31, 31)), image.crop((0, 0, 31, 31))) is None
    smooth = image.resize((60, 45)).resize((480, 360))
    assert ratio(smooth, smooth) is None
    smooth.paste(image.crop((40, 40, 72, 72)), (64, 64))
    assert ratio(smooth, smooth) is None
    large = grainy(6, (1600, 1200))
    assert ratio(large, large) == pytest.approx(1)


def test_it_is_what_whole_transforms_give() -> None:
    """Products with a few waves give the shares of the coefficients of a real Fourier transform of each window."""
    rng = np.random.default_rng(7)
    ours = rng.integers(0, 256, (200, 330), np.uint8)
    theirs = np.clip(ours + rng.normal(0, 20, ours.shape), 0, 255).astype(np.uint8)
    cycles = np.maximum.outer(np.abs(np.fft.fftfreq(32)), np.fft.rfftfreq(32))
    bands = cycles >= 1 / 2.3, (cycles >= 1 / 2.9) & (cycles <= 1 / 2.5)
    sums = np.zeros((2, 2))
    for top, left in np.ndindex(6, 10):
        windows = (side[32 * top :, 32 * left :][:32, :32].astype(np.float64) for side in (ours, theirs))
        asked, answers = (
            np.fft.rfft2((window - window.mean()) * np.outer(np.hanning(32), np.hanning(32))) for window in windows
        )
        is_strong = np.abs(asked) ** 2 >= 4600
        for number, band in enumerate(bands):
            sums[number] += np.sum((asked.conj() * np.stack([answers, asked])).real[:, band & is_strong], axis=1)
    shares = sums[:, 0] / sums[:, 1]
    for lies in (np.ascontiguousarray, np.asfortranarray):
        pair = (Pixels(lies(side), None) for side in (ours, theirs))
        assert spectrum.highest_to_high(*pair) == pytest.approx(shares[0] / shares[1], rel=1e-5)
