r"""A backup in archives against the same files in a folder, in turn, each run cold (``--no-cache``), or warm.

    python -m benchmarks.archives [--files N] [--rounds N] [--keep FOLDER] [--only BACKUP] [--warm]

Three backups of photos of 2 megapixels: a plain copy of the haystack, one of which every picture was encoded again, and
one of other pictures. Each as a folder, a ZIP that only stores, a ZIP that compresses, a TAR and a solid ``tar.gz``.
``--warm`` measures runs with a cache that an earlier run has filled, over files that nobody has touched.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.common import DUPFIND, machine, median
from fixtures import pictures

_SIZE = 1632, 1224
_BACKUPS = "copy", "encoded again", "other pictures"
_QUALITIES = {"haystack": 92, "copy folder": 92, "encoded again folder": 85, "other pictures folder": 92}
_OTHERS = 1_000_000
_FORMS = {
    "folder": "",
    "ZIP, stored": "stored.zip",
    "ZIP, deflated": "deflated.zip",
    "TAR": "b.tar",
    "TAR, gzip": "b.tar.gz",
}


def _picture(job: tuple[Path, int, tuple[str, ...]]) -> None:
    """One scene as a JPEG of each quality, in a folder each."""
    work, seed, folders = job
    scene = pictures.photo(seed, _SIZE)
    for folder in folders:
        scene.save(work / folder / f"IMG_{seed:07d}.jpg", "JPEG", quality=_QUALITIES[folder])


def _build(work: Path, first: int, count: int, *folders: str) -> None:
    for folder in folders:
        (work / folder).mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(_picture, [(work, seed, folders) for seed in range(first, first + count)], chunksize=8))


def _pack(folder: Path, target: Path) -> None:
    target.parent.mkdir()
    paths = sorted(folder.iterdir())
    if target.suffix == ".zip":
        method = zipfile.ZIP_STORED if "stored" in target.name else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(target, "w", method) as archive:
            for path in paths:
                archive.write(path, path.name)
        return
    with tarfile.open(target, "w:gz" if target.suffix == ".gz" else "w:") as tar:
        for path in paths:
            tar.add(path, path.name)


def _timed(command: Sequence[str]) -> tuple[float, float, int]:
    """Run a scan; gives the seconds by the clock, those of all processors, and the exit code.

    What threads of the program hash is counted twice among the second: it compares runs that decode.
    """
    began = time.perf_counter()
    done = subprocess.run([*command, "--profile-stages"], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    told = re.search(r"Processor time: ([\d.,]+) s here(?:, ([\d.,]+) s in)?", done.stderr)
    spent = sum(float(part.replace(",", "")) for part in told.groups() if part) if told else math.nan
    return seconds, spent, done.returncode


def _measure(name: str, work: Path, rounds: int, caches: Path | None) -> None:
    """Measure one backup; ``caches`` is where a cache for each form lies, or None."""
    scan = [*DUPFIND, "scan", "--haystack", str(work / "haystack"), "-q"]
    commands = {}
    for form in _FORMS:
        cache = ["--no-cache"] if caches is None else ["--cache", str(caches / f"{form}.sqlite")]
        commands[form] = [*scan, *cache, "--needles", str(work / f"{name} {form}")]
        if caches is not None:
            _timed(commands[form])
    runs: dict[str, list[tuple[float, float, int]]] = {form: [] for form in _FORMS}
    for _ in range(rounds):
        for form, timed in runs.items():
            timed.append(_timed(commands[form]))
    for form, timed in runs.items():
        by_clock, by_processor = (
            median([run[which] / base[which] for run, base in zip(timed, runs["folder"], strict=True)])
            for which in (0, 1)
        )
        seconds, spent = median([run[0] for run in timed]), median([run[1] for run in timed])
        codes = ", ".join(map(str, sorted({run[2] for run in timed})))
        row = f"| {name} | {form} | {seconds:.2f} s | {spent:.2f} s | {by_clock:.2f} | {by_processor:.2f} | {codes} |"
        print(row, flush=True)


def main() -> None:
    """Build, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=_BACKUPS)
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        if not (work / "haystack").is_dir():
            _build(work, 0, options.files, "haystack", "copy folder", "encoded again folder")
            _build(work, _OTHERS, options.files, "other pictures folder")
            for name in _BACKUPS:
                for form, file in _FORMS.items():
                    if file:
                        _pack(work / f"{name} folder", work / f"{name} {form}" / file)
        print(machine())
        print("| backup | as | by the clock | of processors | clock : folder | processors : folder | exit |")
        print("|---|---|---|---|---|---|---|")
        for name in [options.only] if options.only else _BACKUPS:
            with tempfile.TemporaryDirectory() as caches:
                _measure(name, work, options.rounds, Path(caches) if options.warm else None)


if __name__ == "__main__":
    main()
