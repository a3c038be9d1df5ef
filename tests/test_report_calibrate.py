"""What dupfind calibrate prints and draws."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.answers.calibrate import Calibration, Spread
from dupfind.report import Screen, plot
from dupfind.report.calibrate import render, render_json
from dupfind.settings import DEFAULT_THRESHOLD_BITS
from dupfind.values import Problem, Side

NAMES = tuple(DEFAULT_THRESHOLD_BITS)


def calibration(**facts: Any) -> Calibration:
    """A hundred pictures; the n-th algorithm has 10 pairs at 2 + 2n bits, the others lie around 30 bits."""
    spreads = []
    for index, name in enumerate(NAMES):
        counts = [0] * 65
        counts[2 + 2 * index] = 10
        for bits, pairs in ((26, 300), (28, 1240), (30, 2000), (32, 1000), (34, 400)):
            counts[bits] += pairs
        spreads.append(Spread(name, counts, 100))
    values: dict[str, Any] = {
        "version": "1.0",
        "folders": ("c",),
        "rotations": True,
        "pictures": 100,
        "needles": 100,
        "left_out": 0,
        "spreads": spreads,
        "problems": (),
        **facts,
    }
    return Calibration(**values)


def text(
    algorithm: str = "phash", *, verbose: bool = False, width: int = 80, encoding: str = "utf-8", **facts: Any
) -> str:
    """The page as text."""
    screen = Screen(width, is_terminal=False, encoding=encoding)
    return render(calibration(**facts), algorithm, screen, verbose=verbose).decode(encoding)


def test_the_page() -> None:
    """What was compared, the table, the suggestion, the distances."""
    assert text().splitlines() == [
        "100 pictures, each compared with all others in 8 orientations",
        "4,950 pairs",
        "",
        "False candidates that 1,000 needles meet in a haystack of 100 pictures:",
        "",
        "--threshold        phash            dhash            ahash            whash",
        "───────────────────────────────────────────────────────────────────────────────",
        "          0            0                0                0                0",
        "          1            0                0                0                0",
        "          2          202                0                0                0",
        "          3          202                0                0                0",
        "          4          202              202                0                0",
        "          5          202              202                0                0",
        "          6          202              202              202  *             0",
        "          7          202              202              202                0",
        "          8          202              202              202              202  *",
        "          9          202              202              202              202",
        "         10          202  *           202  *           202              202",
        "         11          202              202              202              202",
        "         12          202              202              202              202",
        "         13          202              202              202              202",
        "         14          202  <           202              202              202",
        "         15          202              202              202              202",
        "         16          202              202              202              202",
        "* default  < suggested",
        "",
        "Suggested: --algorithm phash --threshold 14 (202 false candidates)",
        "The smallest number above 0 that these pairs can show is 20.",
        "",
        "Pairs by distance in bits, phash, logarithmic:",
        "2,000 |                            ▄▄██▂▂",
        "      |                            ██████▃▃",
        "      |                          ██████████",
        "      |                          ██████████",
        "      |                          ██████████",
        "      |  ▄▄                      ██████████",
        "      |  ██                      ██████████",
        "    1 |  ██                      ██████████",
        "       0       8       16      24      32      40      48      56      64",
        "                     ^ suggested threshold",
    ]


def test_verbose_goes_to_the_largest_threshold() -> None:
    """Every threshold that a scan takes."""
    rows = [line.split()[0] for line in text(verbose=True).splitlines()[7:40]]
    assert [str(bits) for bits in range(33)] == rows


def test_it_fits_80_columns() -> None:
    """Also with the numbers of a million pictures and of all the pairs that are ever compared."""
    huge = [Spread(one.algorithm, [count * 40_404 for count in one.counts], 10**6) for one in calibration().spreads]
    for needles in (200, 10**6):
        page = text("whash", verbose=True, pictures=10**6, needles=needles, left_out=10**8, spreads=huge)
        assert max(map(len, page.splitlines())) <= 80


def test_samples_and_left_out_pairs_are_told() -> None:
    """What the numbers rest on."""
    lines = text(needles=7, left_out=1, rotations=False).splitlines()
    assert lines[:2] == [
        "100 pictures; a sample of 7 compared with all",
        "4,950 pairs, and 1 left out: likely the same picture twice",
    ]


def test_an_algorithm_that_does_not_suit() -> None:
    """Where even the smallest threshold meets more than one a needle, it says so."""
    counts = [2000, *[0] * 29, 2950, *[0] * 34]
    found = text(spreads=[Spread(name, counts, 100) for name in NAMES])
    assert "--threshold 4 (40,404 false candidates)" in found
    assert "That is more than one a needle, but lower would lose copies: try another algorithm." in found
    assert "more than one a needle" not in text()


def test_one_pair_alone() -> None:
    """The smallest collection has a bar too."""
    counts = [0] * 65
    counts[20] = 1
    found = text(pictures=2, needles=2, spreads=[Spread(name, counts, 2) for name in NAMES])
    assert "each compared with all others in 8 orientations\n1 pair\n" in found
    assert "1 |                    ██\n" in found
    assert "The smallest number above 0 that these pairs can show is 2,000." in found


def test_a_screen_without_unicode() -> None:
    """Bars and lines in ASCII, and nothing that had to be replaced."""
    page = text(encoding="ascii")
    assert "----------" in page
    assert "2,000 |                            ::##..\n" in page
    assert "?" not in page


def test_json_is_the_schema_to_the_letter() -> None:
    """Every key; a number for each threshold, and the pairs at each distance."""
    problem = Problem("c/x.jpg", Side.HAYSTACK, "thumbnail", "cut")
    whole = json.loads(render_json(calibration(left_out=3, problems=(problem,)), "dhash"))
    algorithms = whole.pop("algorithms")
    assert whole == {
        "schema": "dupfind.calibrate/1",
        "dupfind": "1.0",
        "settings": {"folders": ["c"], "algorithm": "dhash", "rotations": True},
        "pictures": 100,
        "needles": 100,
        "pairs": 4950,
        "pairs_left_out": 3,
        "problems": [{"path": "c/x.jpg", "stage": "thumbnail", "reason": "cut"}],
    }
    assert list(NAMES) == list(algorithms)
    phash = algorithms["phash"]
    assert (10, 14, 33, 65) == (
        phash["default_bits"],
        phash["suggested_bits"],
        len(phash["false_candidates"]),
        len(phash["pairs_at_distance"]),
    )
    assert [0.0, 0.0, 202.020202] == phash["false_candidates"][:3]
    assert 4950 == sum(phash["pairs_at_distance"])


def drawn(found: Calibration) -> Image.Image:
    """The plot, opened."""
    with Image.open(io.BytesIO(plot.render(found))) as image:
        image.load()
        return image


def test_the_plot_is_a_picture_with_four_curves() -> None:
    """A PNG of 960 x 640 pixels that shows each algorithm's colour in the legend and right of it."""
    image = drawn(calibration())
    assert ("PNG", (960, 640)) == (image.format, image.size)
    pixels = np.asarray(image.convert("RGB"))
    for colour in plot._COLOURS.values():
        across = np.nonzero((pixels == colour).all(2))[1]
        assert (across < 170).any()
        assert (across > 450).any()


def test_the_plot_puts_values_where_they_belong() -> None:
    """A curve passes through the place of its value: higher numbers higher up, on a logarithmic scale."""
    counts = [1, *[0] * 15, 98, *[0] * 15, 9900 + 1, *[0] * 32]
    only = [Spread("phash", counts, 100)]
    pixels = np.asarray(drawn(calibration(spreads=only)).convert("RGB"))
    blue = (pixels == plot._COLOURS["phash"]).all(2)
    blue[:200, :430] = False  # the legend
    # From 10 (one of 10,000 pairs) over 990 to 100,000: decades of equal height from 10 to 1,000,000.
    heights = [float(np.nonzero(blue[:, column])[0].mean()) for column in (230, 620, 928)]
    bottom, top = plot._BOTTOM, plot._TOP
    expected = [bottom, bottom - (bottom - top) * np.log10(990 / 10) / 5, bottom - (bottom - top) * 4 / 5]
    assert expected == pytest.approx(heights, abs=12)


def test_the_plot_of_nothing_near() -> None:
    """Without any pair within 32 bits there are axes and a legend, and no error."""
    counts = [0] * 65
    counts[64] = 5
    assert (960, 640) == drawn(calibration(spreads=[Spread(name, counts, 4) for name in NAMES])).size
