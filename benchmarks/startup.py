"""Start-up: ``--version``, ``--help`` and a scan of one picture on each side against an empty Python, in turn.

python -m benchmarks.startup [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import DUPFIND, in_turn, machine, median
from fixtures import pictures


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    empty = "python -c pass"
    arguments = ["--version"], ["--help"], ["scan", "--help"], ["cache", "path"]
    commands: dict[str, Sequence[str]] = {empty: [sys.executable, "-c", "pass"]}
    commands |= {f"dupfind {' '.join(some)}": [*DUPFIND, *some] for some in arguments}
    with tempfile.TemporaryDirectory() as folder:
        sides = [Path(folder, side) for side in ("haystack", "needles")]
        for number, side in enumerate(sides):
            pictures.save(pictures.photo(number, (500, 375)), side / "one.jpg")
        scan = [word for side in sides for word in (f"--{side.name}", str(side))]
        commands["dupfind scan, one picture a side"] = [*DUPFIND, "scan", *scan, "--no-cache"]
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
