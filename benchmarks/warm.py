r"""Warm runs: 100,000 small files on each side, against ``find ROOT -printf '%s %T@ %p\n'`` over both trees, in turn.

    python -m benchmarks.warm [--files N] [--rounds N] [--keep FOLDER]

Half of the files are haystack, half needles, in folders of 100. Three backups are measured: a plain copy, one whose
pictures were all re-encoded, and one of other pictures; each with nothing changed since the run before, with one
file of the haystack touched, and with 1% of all files new, half of them on each side; a run over these alone is
measured beside that.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.common import DUPFIND, Run, in_turn, machine, median, run

_IN_A_FOLDER = 100
_RACY_SECONDS = 2.1
"""Answers over files that are younger are not remembered."""
_NEW = 100_000_000
"""Number of the first picture that is new."""
_BACKUPS = {"copy": (0, 80), "re-encoded": (0, 60), "other pictures": (10_000_000, 80)}


def _picture(seed: int, quality: int) -> bytes:
    """A small JPEG, 128 x 96, with detail at every scale as photos have it: noise that falls with its size."""
    dice = np.random.Generator(np.random.PCG64(seed))
    picture = np.zeros((96, 128))
    for octave in range(6):
        coarse = dice.integers(0, 256, (3 << octave, 4 << octave), np.uint8)
        picture += np.asarray(Image.fromarray(coarse).resize((128, 96), Image.Resampling.BICUBIC), float) / 1.8**octave
    out = io.BytesIO()
    Image.fromarray((picture * (255 / picture.max())).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _folder(job: tuple[Path, int, int, int]) -> None:
    path, first, count, quality = job
    path.mkdir(parents=True)
    for number in range(first, first + count):
        (path / f"IMG_{number:08d}.jpg").write_bytes(_picture(number, quality))


def _build(root: Path, count: int, first: int, quality: int) -> None:
    jobs = [
        (root / f"folder {start:06d}", first + start, min(_IN_A_FOLDER, count - start), quality)
        for start in range(0, count, _IN_A_FOLDER)
    ]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_folder, jobs, chunksize=8))


def _measure(name: str, trees: list[Path], work: Path, rounds: int, files: int) -> None:
    cache = str(work / f"{name}.sqlite")
    scan = [*DUPFIND, "scan", "--haystack", str(trees[0]), "--needles", str(trees[1]), "--cache", cache, "-q"]
    find = ["find", *map(str, trees), "-printf", "%s %T@ %p\n"]
    cold = run(scan)
    print(f"| {name} | cold | | {cold.seconds:.1f} s | | | {cold.peak_mib:.0f} MiB | |", flush=True)
    touched = next(path for path in sorted(trees[0].rglob("*")) if path.is_file())
    for state in ("nothing changed", "one file touched"):
        time.sleep(_RACY_SECONDS)
        run(scan)
        runs: dict[str, list[Run]] = {"find": [], "dupfind": []}
        for _ in range(rounds):
            if state != "nothing changed":
                os.utime(touched)
            for tool, found in in_turn({"find": find, "dupfind": scan}, 1).items():
                runs[tool] += found
        ratio = median([b.seconds / a.seconds for a, b in zip(runs["find"], runs["dupfind"], strict=True)])
        cpu = median([b.cpu_seconds / a.cpu_seconds for a, b in zip(runs["find"], runs["dupfind"], strict=True)])
        seconds = {tool: median([one.seconds for one in found]) for tool, found in runs.items()}
        peak = max(one.peak_mib for one in runs["dupfind"])
        size = Path(cache).stat().st_size / files
        times = f"{seconds['find']:.2f} s | {seconds['dupfind']:.2f} s | {ratio:.1f} | {cpu:.1f}"
        print(f"| {name} | {state} | {times} | {peak:.0f} MiB | {size:.0f} B |", flush=True)


def _measure_new(name: str, trees: list[Path], work: Path, rounds: int, files: int) -> None:
    """Add 1% of new files, half of them on each side, and the same as trees of their own; takes them away again."""
    cache, alone = work / f"{name}.sqlite", work / "alone"
    first, quality = _BACKUPS[name]
    try:
        for side, start, saved in zip(("haystack", "needles"), (0, first), (80, quality), strict=True):
            _build(alone / side, max(1, files // 200), _NEW + start, saved)
            shutil.copytree(alone / side, trees[side == "needles"] / "new")
        time.sleep(_RACY_SECONDS)
        find = ["find", *map(str, trees), "-printf", "%s %T@ %p\n"]
        runs: dict[str, list[Run]] = {"find": [], "alone": [], "dupfind": []}
        for _ in range(rounds):
            again = work / "again.sqlite"
            for roots, tool in (((alone / "haystack", alone / "needles"), "alone"), (trees, "dupfind")):
                again.unlink(missing_ok=True)
                if tool == "dupfind":
                    runs["find"].append(run(find))
                    shutil.copy(cache, again)
                    os.sync()  # or a gigabyte is still being written while the run is timed
                haystack, needles = map(str, roots)
                scan = [*DUPFIND, "scan", "--haystack", haystack, "--needles", needles, "--cache", str(again), "-q"]
                runs[tool].append(run(scan))
            again.unlink()
        less = [b.seconds - a.seconds for a, b in zip(runs["alone"], runs["dupfind"], strict=True)]
        ratio = median([b / a.seconds for a, b in zip(runs["find"], less, strict=True)])
        seconds = {tool: median([one.seconds for one in found]) for tool, found in runs.items()}
        times = f"{seconds['find']:.2f} s | {seconds['dupfind']:.2f} s, {seconds['alone']:.2f} s alone"
        peak = max(one.peak_mib for one in runs["dupfind"])
        print(f"| {name} | 1% new | {times} | {ratio:.1f}, less that | | {peak:.0f} MiB | |", flush=True)
    finally:
        shutil.rmtree(alone, ignore_errors=True)
        for tree in trees:
            shutil.rmtree(tree / "new", ignore_errors=True)


def main() -> None:
    """Build the trees, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200_000, help="in both trees together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="build there, or use what was built there")
    options = parser.parse_args()
    half = options.files // 2
    with tempfile.TemporaryDirectory() as name:
        work = options.keep or Path(name)
        if not (work / "haystack").exists():
            _build(work / "haystack", half, 0, 80)
        print(machine())
        print(
            "| backup | since then | find | dupfind | dupfind : find | by processor time | peak memory | cache a file |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for backup, (first, quality) in _BACKUPS.items():
            if not (work / backup).exists():
                _build(work / backup, half, first, quality)
            trees = [work / "haystack", work / backup]
            _measure(backup, trees, work, options.rounds, options.files)
            _measure_new(backup, trees, work, options.rounds, options.files)


if __name__ == "__main__":
    main()
