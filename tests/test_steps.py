"""Tones in steps: told of files as they are, and not of photos whose contrast was stretched."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import full_size, steps
from dupfind.pictures import color_modes
from fixtures import documents, pictures
from tests.helpers.details import grainy
from tests.helpers.pictures_again import again

BOUND = full_size.STEPS_BOUND


def excess(needle: Image.Image, witness: Image.Image) -> float:
    """How much more the tones of the witness lie in steps."""
    ours, theirs = color_modes.tones(needle), color_modes.tones(witness)
    assert ours is not None
    assert theirs is not None
    return steps.excess(ours, theirs)


def posterised(image: Image.Image, step: int) -> Image.Image:
    """Tones so many levels apart."""
    return image.point([min(255, level // step * step + step // 2) for level in range(256)] * len(image.getbands()))


@pytest.mark.parametrize("step", [16, 25])
def test_posterised_whatever_the_size(step: int) -> None:
    """As a JPEG, beside a needle of any size, in colour and in gray; the other way round it is no loss."""
    image = grainy(3, (480, 360))
    for photo in (image, image.convert("L")):
        witness = again(posterised(photo, step), quality=92)
        for needle in (photo, photo.resize((300, 225))):
            assert excess(needle, witness) > BOUND
            assert excess(witness, needle) < BOUND


@pytest.mark.parametrize("gain", [1.06, 1.1, 1.14, 1.2])
def test_stretched_contrast_is_no_step(gain: float) -> None:
    """A library's copy whose histogram has gaps, and a smaller one of it that has none."""
    image = pictures.photo(2, (480, 360)).point([min(255, round(level * gain)) for level in range(256)] * 3)
    for witness in (image, again(image, quality=95)):
        assert excess(again(image.resize((320, 240)), quality=80), witness) < BOUND


def test_gaps_and_clean_steps() -> None:
    """One tone of eight that is missing is a gap; tones that lie 16 apart and nowhere else are steps."""
    all_tones = np.full((3, 256), 100, np.int64)
    gaps, apart = all_tones.copy(), np.zeros_like(all_tones)
    gaps[:, ::8] = 0
    apart[:, ::16] = 1600
    assert steps.excess(all_tones, gaps) < BOUND
    assert steps.excess(all_tones, apart) > BOUND


def test_tones_of_every_mode() -> None:
    """Three colours, or gray; a large picture is sampled; values that are no levels have none."""
    photo = pictures.photo(2, (90, 60))
    for mode, bands in (("L", 1), ("RGB", 3), ("RGBX", 3), ("YCbCr", 3)):
        counts = color_modes.tones(photo.convert(mode))
        assert counts is not None
        assert counts.shape == (bands, 256)
        assert set(counts.sum(1)) == {90 * 60}
    large = color_modes.tones(Image.new("L", (2000, 1500), 7))
    assert large is not None
    assert large[0, 7] == large.sum() <= 100_000
    assert color_modes.tones(Image.fromarray(np.zeros((4, 4), np.float32))) is None


def test_what_was_drawn_is_not_asked() -> None:
    """The few tones of a form are not those of a posterised photo: its JPEG spreads them."""
    page = documents.form(1).convert("RGB")
    assert excess(again(page, quality=75), page) == 0
