"""``dupfind calibrate`` for people, and as JSON with the schema ``dupfind.calibrate/1``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

from dupfind.answers.calibrate import MOST_FALSE_CANDIDATES, NEEDLES, THRESHOLDS, Calibration, Spread
from dupfind.report import Screen
from dupfind.report.json import catalogs, encoded, problem_facts
from dupfind.report.look import Page
from dupfind.report.text import catalog_line, count, valid_text
from dupfind.values import HASH_BITS, ORIENTATIONS

SCHEMA = "dupfind.calibrate/1"
_USUAL_THRESHOLDS = range(17)
_PLOT_ROWS = 8
_BITS_A_BAR = 2
"""pHash distances are always even, so that bars of one bit would look like a comb."""
_BLOCKS, _ASCII_BLOCKS = " ▁▂▃▄▅▆▇█", " ..::##"
_SMALL = 9.95


def render(calibration: Calibration, algorithm: str, screen: Screen, *, verbose: bool = False) -> bytes:
    """Render what was compared, the false candidates by threshold, the suggestion,
    and the distances by ``algorithm``.
    """
    page = Page(screen)
    for line in _compared(calibration):
        page.add(line, wrap=True)
    page.add("")
    page.add(
        f"False candidates that {NEEDLES:,} needles meet in a haystack of {count(calibration.pictures, 'picture')}:"
    )
    page.add("")
    _table(page, calibration, THRESHOLDS if verbose else _USUAL_THRESHOLDS)
    page.add("")
    for line in _advice(calibration, algorithm):
        page.add(line, wrap=True)
    page.add("")
    for line in _plot(page, calibration.spread(algorithm)):
        page.add(line)
    return page.encoded()


def render_json(calibration: Calibration, algorithm: str) -> bytes:
    """Render one object; ``false_candidates`` has a number for each threshold from 0 to 32."""
    whole = {
        "schema": SCHEMA,
        "dupfind": calibration.version,
        "settings": {
            "folders": [valid_text(folder) for folder in calibration.folders],
            "algorithm": algorithm,
            "rotations": calibration.rotations,
        },
        "pictures": calibration.pictures,
        "needles": calibration.needles,
        "pairs": calibration.spreads[0].pairs,
        "pairs_left_out": calibration.left_out,
        "algorithms": {
            spread.algorithm: {
                "default_bits": spread.default_bits,
                "suggested_bits": spread.suggested_bits,
                "false_candidates": [round(spread.false_candidates(bits), 6) for bits in THRESHOLDS],
                "pairs_at_distance": list(spread.counts),
            }
            for spread in calibration.spreads
        },
        **catalogs(calibration.catalogs),
        "problems": list(map(problem_facts, calibration.problems)),
    }
    return encoded(whole)


def _compared(calibration: Calibration) -> list[str]:
    """Say what the numbers rest on."""
    from_catalogs = list(map(catalog_line, calibration.catalogs))
    pictures = count(calibration.pictures, "picture")
    turned = f" in {ORIENTATIONS} orientations" if calibration.rotations else ""
    pairs = count(calibration.spreads[0].pairs, "pair")
    if calibration.left_out:
        pairs += f", and {calibration.left_out:,} left out: likely the same picture twice"
    if calibration.is_sample:
        return [*from_catalogs, f"{pictures}; a sample of {calibration.needles:,} compared with all{turned}", pairs]
    return [*from_catalogs, f"{pictures}, each compared with all others{turned}", pairs]


def _table(page: Page, calibration: Calibration, thresholds: Sequence[int]) -> None:
    table = page.table()
    table.add_column("--threshold", justify="right", no_wrap=True)
    for spread in calibration.spreads:
        table.add_column(spread.algorithm, justify="right", no_wrap=True, min_width=11)
        table.add_column("", no_wrap=True, min_width=2)
    for bits in thresholds:
        cells = (cell for spread in calibration.spreads for cell in _cells(spread, bits))
        table.add_row(str(bits), *cells)
    page.add(table)
    page.add("* default  < suggested")


def _cells(spread: Spread, bits: int) -> tuple[Text, str]:
    marks = ("*" if bits == spread.default_bits else "") + ("<" if bits == spread.suggested_bits else "")
    return Text(_number(spread.false_candidates(bits)), style="bold" if marks else ""), marks


def _number(value: float) -> str:
    """Write a number of candidates with at least two digits that count.

    >>> _number(0.0), _number(0.034), _number(5.0125), _number(12345.6)
    ('0', '0.034', '5.0', '12,346')
    """
    if value == 0:
        return "0"
    return f"{value:,.0f}" if value >= _SMALL else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _advice(calibration: Calibration, algorithm: str) -> list[str]:
    spread = calibration.spread(algorithm)
    bits = spread.suggested_bits
    expected = _number(spread.false_candidates(bits))
    lines = [f"Suggested: --algorithm {algorithm} --threshold {bits} ({expected} false candidates)"]
    if spread.false_candidates(bits) > MOST_FALSE_CANDIDATES:
        lines.append("That is more than one a needle, but lower would lose copies: try another algorithm.")
    return [
        *lines,
        f"The smallest number above 0 that these pairs can show is {_number(calibration.least)}.",
    ]


def _plot(page: Page, spread: Spread) -> list[str]:
    """Draw how many pairs lie how far apart, on a logarithmic scale; a bar for every two bits."""
    blocks = _BLOCKS if page.can_print(_BLOCKS) else _ASCII_BLOCKS
    bars = [sum(spread.counts[bits : bits + _BITS_A_BAR]) for bits in range(0, HASH_BITS + 1, _BITS_A_BAR)]
    most = max(bars)
    steps = len(blocks) - 1
    # One pair is the lowest step, the longest bar fills all rows.
    heights = [
        round(1 + (_PLOT_ROWS * steps - 1) * (math.log(bar) / math.log(most) if most > 1 else 1)) if bar else 0
        for bar in bars
    ]
    margin = len(f"{most:,}")
    lines = [f"Pairs by distance in bits, {spread.algorithm}, logarithmic:"]
    for row in reversed(range(_PLOT_ROWS)):
        label = f"{most:,}" if row == _PLOT_ROWS - 1 else "1" if row == 0 else ""
        cells = "".join(blocks[min(max(height - row * steps, 0), steps)] * _BITS_A_BAR for height in heights)
        lines.append(f"{label:>{margin}} |{cells}".rstrip())
    axis = "".join(f"{bits:<8}" for bits in range(0, HASH_BITS + 1, 8)).rstrip()
    mark = " " * (spread.suggested_bits // _BITS_A_BAR * _BITS_A_BAR) + "^ suggested threshold"
    return [*lines, f"{'':>{margin}}  {axis}", f"{'':>{margin}}  {mark}"]
