"""Start-up: ``--version`` and ``--help`` against an empty Python, in turn.

python -m benchmarks.startup [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.common import DUPFIND, in_turn, machine, median


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    empty = "python -c pass"
    arguments = ["--version"], ["--help"], ["scan", "--help"], ["cache", "path"]
    commands: dict[str, Sequence[str]] = {empty: [sys.executable, "-c", "pass"]}
    commands |= {f"dupfind {' '.join(some)}": [*DUPFIND, *some] for some in arguments}
    runs = in_turn(commands, rounds)
    print(machine())
    print("| command | time | above the empty Python | processor time | above |")
    print("|---|---|---|---|---|")
    for name, found in runs.items():
        cells: list[str] = []
        for times in ([one.seconds for one in found], [one.cpu_seconds for one in found]):
            of_empty = [getattr(one, "seconds" if not cells else "cpu_seconds") for one in runs[empty]]
            above = median([one - other for one, other in zip(times, of_empty, strict=True)])
            cells += [f"{median(times) * 1000:.0f} ms", f"{above * 1000:.0f} ms"]
        print(f"| `{name}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
