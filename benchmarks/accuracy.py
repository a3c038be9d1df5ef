"""How often dupfind is right: edited photos, look-alikes, documents, side by side with plain perceptual hashes.

    python -m benchmarks.accuracy [FOLDER OF DISTINCT PHOTOS] [--photos N] [--failures FILE]
                                  [--write docs/accuracy.md] [--kinds docs/accuracy-kinds.md]

Without a folder the real pictures beside the project are used: ``photos``, ``kodak`` and ``camera`` are edited, all of
them are compared with each other, and the folders with known truth are graded. With a folder, the pictures in it are
edited and compared; documents are made up in either case.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from benchmarks import accuracy_report, measuring
from benchmarks.agreement import check_agreement
from benchmarks.changes import EDITS
from benchmarks.common import SHARED_DATA
from benchmarks.edits import TINY
from benchmarks.measuring import FolderJob, MeasuringError, PairsJob, PhotoJob
from benchmarks.results import Kind, Outcome, Results
from fixtures import documents

SECTIONS = ("edits", "unrelated", "siblings", "groups", "orientation", "formats", "documents")
_SUFFIXES = frozenset(".jpg .jpeg .png .webp .tif .tiff .heic .heif .avif .bmp".split())
_LARGE_PIXELS = 4_000_000
"""A set whose first photo has more pixels goes without the edits that take seconds on each."""
_FOLDERS = {
    "siblings": measuring.siblings,
    "groups": measuring.groups,
    "orientation": measuring.orientations,
    "formats": measuring.odd_formats,
}
_NEEDLES_A_TASK = 24


class PhotoSet(NamedTuple):
    """Photos of which no two show the same."""

    name: str
    paths: list[Path]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; gives the exit code: 0 when measured, 2 when nothing could be."""
    options = _options(arguments)
    began = time.monotonic()
    try:
        for page in (options.write, options.kinds):
            if page is not None:
                accuracy_report.check_markers(page)
        sets = _sets(options.folder, options.photos)
        results = Results()
        with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
            for section in options.only or SECTIONS:
                _measure(section, sets, options, results, pool)
        checked = _agreement(sets, options)
    except (MeasuringError, OSError) as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 2
    command = "python -m benchmarks.accuracy " + " ".join(sys.argv[1:] if arguments is None else arguments)
    about = accuracy_report.About(command.strip(), time.monotonic() - began, checked, options.documents)
    accuracy_report.show(results, about)
    if options.failures is not None:
        options.failures.parent.mkdir(parents=True, exist_ok=True)
        results.write_failures(options.failures)
    if options.write is not None:
        accuracy_report.write(options.write, results, about, options.kinds)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="distinct photos (default: the shared data)")
    parser.add_argument("--photos", type=int, metavar="N", help="only N of each set, evenly spread")
    parser.add_argument(
        "--edit", action="append", metavar="NAME", help="only edits whose name contains this; repeatable"
    )
    parser.add_argument("--only", action="append", choices=SECTIONS, help="only this section; repeatable")
    parser.add_argument("--documents", type=int, default=200, metavar="N", help="pictures of each class (default: 200)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--failures", type=Path, metavar="FILE", help="write each failure with its tests as CSV")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables between the marks of this page")
    parser.add_argument(
        "--kinds", type=Path, metavar="PAGE", help="with --write: put the tables of every kind into this page instead"
    )
    options = parser.parse_args(arguments)
    if options.kinds is not None and options.write is None:
        parser.error("--kinds goes with --write")
    return options


def _sets(folder: Path | None, most: int | None) -> list[PhotoSet]:
    """The sets of photos, at most ``most`` of each; raises :class:`MeasuringError` where there are none."""
    if folder is None:
        found = [PhotoSet(name, _pictures(SHARED_DATA / name)) for name in ("photos", "kodak", "camera")]
    else:
        found = [PhotoSet(folder.resolve().name, _pictures(folder))]
    for name, paths in found:
        if not paths:
            raise MeasuringError(f"no photos in {folder or SHARED_DATA / name}")
    if most is None:
        return found
    return [PhotoSet(name, paths[:: max(1, len(paths) // most)][:most]) for name, paths in found]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)


def _measure(
    section: str, sets: list[PhotoSet], options: argparse.Namespace, results: Results, pool: ProcessPoolExecutor
) -> None:
    if section == "edits":
        _measure_edits(sets, options.edit, results, pool)
    elif section == "unrelated":
        _measure_unrelated(sets, results, pool)
    elif section == "documents":
        jobs = [(name, options.documents) for name in documents.CLASSES]
        for outcomes in _run(pool, section, measuring.grade_documents, jobs):
            results.add(outcomes)
    elif options.folder is None:
        job = FolderJob(SHARED_DATA / section, _FOLDERS[section])
        for outcomes in _run(pool, section, measuring.grade_folder, [job]):
            results.add(outcomes)


def _measure_edits(sets: list[PhotoSet], wanted: list[str] | None, results: Results, pool: ProcessPoolExecutor) -> None:
    jobs = list(_photo_jobs(sets, wanted))
    # The large ones begin, so that no core is left alone with them at the end.
    slow_first = sorted(range(len(jobs)), key=lambda number: -jobs[number].path.stat().st_size)
    done = _run(pool, "edits", measuring.grade_photo, [jobs[number] for number in slow_first])
    outcomes: dict[int, list[Outcome]] = dict(zip(slow_first, done, strict=True))
    for number in range(len(jobs)):
        results.add(outcomes[number])
    if not results.tallies:
        raise MeasuringError("not one photo could be used")


def _photo_jobs(sets: list[PhotoSet], wanted: list[str] | None) -> Iterator[PhotoJob]:
    for name, paths in sets:
        is_large = measuring.pixels_of(paths[0]) > _LARGE_PIXELS
        edits = tuple(
            edit.name
            for edit in EDITS
            if (edit.is_for_large or not is_large) and (not wanted or any(part in edit.name for part in wanted))
        )
        if not edits:
            raise MeasuringError(f"no edit is named so: {', '.join(wanted or ())}")
        for number, path in enumerate(paths):
            yield PhotoJob(name, path, paths[(number * 7 + 11) % len(paths)], edits)


def _measure_unrelated(sets: list[PhotoSet], results: Results, pool: ProcessPoolExecutor) -> None:
    """Every photo of every set against every other."""
    kind = Kind("all", "unrelated", "unrelated")
    paths = [path for one in sets for path in one.paths]
    looked = [one for one in _run(pool, "reading", measuring.look_at, paths) if not isinstance(one[1], str)]
    looked = [one for one in looked if min(one[1].width, one[1].height) >= TINY]
    thumbnails = tuple(one[1] for one in looked)
    names = tuple(str(one[0]) for one in looked)
    starts = range(0, len(looked), _NEEDLES_A_TASK)
    jobs = [PairsJob(kind, names, thumbnails, start, min(start + _NEEDLES_A_TASK, len(looked))) for start in starts]
    for outcomes in _run(pool, "unrelated", measuring.grade_pairs, jobs):
        results.add(outcomes)
    results.add([measuring.plain_pairs(kind, [one[2] for one in looked])])


def _agreement(sets: list[PhotoSet], options: argparse.Namespace) -> int:
    """Compare with real scans; gives the number of cases."""
    if options.only and "edits" not in options.only:
        return 0
    first = next(_photo_jobs(sets[:1], options.edit))
    usable = [path for path in sets[0].paths if not isinstance(measuring.usable(path), str)]
    return check_agreement(usable[: len(EDITS)], first.edits)


def _run(pool: ProcessPoolExecutor, title: str, task: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Any]:
    """The results in the order of the jobs, with a bar on standard error while they come."""
    waiting = [pool.submit(task, job) for job in jobs]
    began = time.monotonic()
    try:
        for done in tqdm(as_completed(waiting), title, len(jobs), disable=None, leave=False):
            done.result()  # what is amiss ends the run at once
        print(f"accuracy: {title}: {len(jobs)} tasks in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        for future in waiting:
            yield future.result()
    finally:
        for future in waiting:
            future.cancel()


if __name__ == "__main__":
    sys.exit(main())
