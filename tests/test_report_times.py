"""The table of where the time went."""

from __future__ import annotations

from dupfind.report import Screen
from dupfind.report.times import render
from dupfind.stopwatch import TimedPart, Times

TIMES = Times(
    {
        "start-up": TimedPart(0.25),
        "walk": TimedPart(0.0001, 60),
        "decode haystack": TimedPart(1234.5, 100_000, 1851.75),
        "search": TimedPart(10.0, 2500),
    },
    rest_seconds=5.2499,
    own_seconds=20.125,
)


def test_the_table() -> None:
    """Seconds, share, items and their rate, how busy the workers were, and the sum; no rate of next to nothing."""
    expected = """
Stage              Seconds  Share    Items  Items/s  Workers busy
─────────────────────────────────────────────────────────────────
start-up             0.250     0%
walk                 0.000     0%       60
decode haystack  1,234.500    99%  100,000       81           75%
search              10.000     1%    2,500      250
the rest             5.250     0%
all              1,250.000   100%

Processor time: 20.12 s here, 1851.75 s in 2 workers (74% busy), in 1250.00 s.
"""
    assert expected == render(TIMES, 2, Screen()).decode()


def test_it_fits_a_terminal_of_80_columns() -> None:
    """Without colours lost or lines wrapped, and in ASCII where there is nothing else."""
    shown = render(TIMES, 1, Screen(80, is_terminal=False, encoding="ascii")).decode("ascii")
    assert "-----" in shown
    assert "1 worker (148% busy)" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert len(shown.splitlines()) == len(render(TIMES, 1, Screen(80, is_terminal=True)).decode().splitlines())


def test_nothing_was_done() -> None:
    """No division by nothing."""
    shown = render(Times({}, 0.0, 0.0), 4, Screen()).decode()
    assert "Processor time: 0.00 s here, none in workers, in 0.00 s." in shown
