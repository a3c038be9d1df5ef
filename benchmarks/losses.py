"""How often the program takes for a copy what lacks something, kind by kind, and how often it misses true copies.

    python -m benchmarks.losses [--kinds A,B] [--pictures N] [--size 500,768,12mp] [--quick] [--held-out] [--jobs N]
                                [--seed N] [--repeat N] [--out FILE.csv] [--keep FOLDER [--wrong]] [--list]
                                [--write docs/accuracy-kinds.md]

Every pair is asked for directly, by :func:`benchmarks.asking.ask`, without the search of a scan. The photos are those
beside the project; where they are absent, made-up ones of 640 pixels are used and the output says so.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from PIL import Image, ImageOps
from tqdm import tqdm

from benchmarks import losses_report
from benchmarks.asking import ask
from benchmarks.common import SHARED_DATA
from benchmarks.edits import LANCZOS, Case, Source, encode
from benchmarks.kinds import PairKind
from benchmarks.loss_kinds import held_out_kinds, tuned_kinds
from benchmarks.losses_report import Answer, Job
from benchmarks.measuring import MeasuringError
from fixtures import pictures

SIZES = {"500": "photos", "768": "kodak", "12mp": "camera"}
MADE_UP = "made-up"
_LEAST_SIDE = 200
_START_OF_SCAN = 0xDA
"""Photos with a shorter side make no pairs: what is lost would be too small to be seen."""
_SUFFIXES = {
    b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp", b"II": ".tif", b"BM": ".bmp", b"GI": ".gif"
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table; gives 0, or 2 where nothing can be measured."""
    options = _options(arguments)
    began = time.monotonic()
    try:
        kinds = _wanted(options)
        if options.list:
            print("\n".join(f"{kind.group.title}: {kind.name}" for kind in kinds))
            return 0
        if options.write is not None:
            losses_report.check_markers(options.write)
        answers = list(_run(_jobs(kinds, options), options.jobs))
    except (MeasuringError, OSError) as error:
        print(f"losses: {error}", file=sys.stderr)
        return 2
    losses_report.show(kinds, answers)
    if options.out is not None:
        _write(options.out, answers)
    if options.write is not None:
        command = "python -m benchmarks.losses " + " ".join(sys.argv[1:] if arguments is None else arguments)
        about = losses_report.preamble(command.strip(), time.monotonic() - began, answers)
        losses_report.write(options.write, about, kinds, answers)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", metavar="A,B", help="only kinds or groups whose name contains one of these")
    parser.add_argument("--pictures", type=int, default=12, metavar="N", help="photos of a set, evenly spread (12)")
    parser.add_argument("--size", default="500", metavar="500,768,12mp", help="which photos; several, or all (500)")
    parser.add_argument("--quick", action="store_true", help="ask with --quick too")
    parser.add_argument("--held-out", action="store_true", help="only the kinds that nothing was tuned on")
    parser.add_argument("--every", action="store_true", help="the kinds that nothing was tuned on, too")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other seeds, other pairs (1)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="pairs of each photo (1)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a line for each pair as CSV")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the pairs, to look at them")
    parser.add_argument("--wrong", action="store_true", help="with --keep: only pairs that were answered wrongly")
    parser.add_argument("--list", action="store_true", help="show the kinds and stop")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables between the marks of this page")
    return parser.parse_args(arguments)


def _wanted(options: argparse.Namespace) -> list[PairKind]:
    kinds = () if options.held_out else tuned_kinds()
    if options.held_out or options.every:
        kinds += held_out_kinds()
    if options.kinds is None:
        return list(kinds)
    parts = [part.strip() for part in options.kinds.split(",")]
    wanted = [kind for kind in kinds if any(part in kind.name or part in kind.group.title for part in parts)]
    if not wanted:
        raise MeasuringError(f"no kind is named so: {options.kinds}; --list shows them")
    return wanted


def _jobs(kinds: Sequence[PairKind], options: argparse.Namespace) -> list[Job]:
    sizes = list(SIZES) if options.size == "all" else options.size.split(",")
    jobs = []
    for size in sizes:
        photos = _photos(size, options.pictures)
        jobs += [
            Job(kind.name, size, photo, photos[(number * 7 + 11) % len(photos)], seed, options)
            for number, photo in enumerate(photos)
            for kind in kinds
            if size == sizes[0] or not kind.has_own_size
            for seed in range(options.seed, options.seed + options.repeat)
        ]
    return jobs


def _photos(size: str, most: int) -> list[str]:
    """Return the paths of at most so many photos of a set, or names of made-up ones."""
    if size not in SIZES:
        raise MeasuringError(f"no set of photos is called {size}; there are {', '.join(SIZES)}")
    folder = SHARED_DATA / SIZES[size]
    paths = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not paths:
        print(f"losses: {folder} is absent: made-up photos instead", file=sys.stderr)
        return [f"{MADE_UP} {number}" for number in range(most)]
    large = [path for path in paths if min(_size_of(path)) >= _LEAST_SIDE]
    return large[:: max(1, len(large) // most)][:most]


def _size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _run(jobs: Sequence[Job], workers: int) -> Iterator[Answer]:
    """Answer in the order of the jobs, with a bar on standard error while the answers come."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting = [pool.submit(answer, job) for job in jobs]
        for done in tqdm(as_completed(waiting), "pairs", len(jobs), disable=None, leave=False):
            done.result()  # what is amiss ends the run at once
        yield from (future.result() for future in waiting)


def answer(job: Job) -> Answer:
    """Make one pair and ask for it."""
    kind = _kind(job.kind)
    try:
        case = kind.pair(_source(job.photo, job.other), job.seed)
    except OSError as error:  # an encoder that fails on a picture, such as Pillow's progressive JPEG of a noisy one
        return Answer(job, None, f"cannot be made: {error}")
    if case is None:
        return Answer(job, None, "nothing would show")
    if case.needle == case.witness:
        return Answer(job, None, "the needle is its witness, byte for byte")
    with tempfile.TemporaryDirectory() as folder:
        needle, witness = stored(case, Path(folder))
        began = time.process_time()
        grade, reason = ask(needle, witness)
        seconds = time.process_time() - began
        quick = ask(needle, witness, is_quick=True) if job.options.quick else None
    answer = Answer(job, grade, reason, quick, seconds)
    if job.options.keep is not None and not (job.options.wrong and answer.is_right(kind.group)):
        place = job.options.keep / kind.name.replace("/", "-")
        place.mkdir(parents=True, exist_ok=True)
        stored(case, place, f"{job.size} {Path(job.photo).stem} {job.seed} ")
    return answer


@lru_cache(maxsize=1)
def _all_kinds() -> dict[str, PairKind]:
    return {kind.name: kind for kind in (*tuned_kinds(), *held_out_kinds())}


def _kind(name: str) -> PairKind:
    return _all_kinds()[name]


@lru_cache(maxsize=2)
def _source(photo: str, other: str) -> Source:
    """Read a photo, upright, with another of the same size beside it."""
    image = _read(photo)
    return Source(Path(photo).name, _data(photo, image), image, _read(other).resize(image.size, LANCZOS))


@lru_cache(maxsize=4)
def _read(photo: str) -> Image.Image:
    if photo.startswith(MADE_UP):
        return pictures.photo(int(photo.split()[1]), (640, 480))
    with Image.open(photo) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.info.pop("icc_profile", None)  # Pillow would write it into some formats and not into others
    return upright


def _data(photo: str, image: Image.Image) -> bytes:
    """Return the file, without its profile: what is made of the numbers says nothing of it either."""
    if photo.startswith(MADE_UP):
        return encode(image, quality=98)
    data = Path(photo).read_bytes()
    return _without_profile(data) if data.startswith(b"\xff\xd8") else data


def _without_profile(data: bytes) -> bytes:
    """Return a JPEG without the segments of its ICC profile, and otherwise as it is."""
    kept, place = data[:2], 2
    while data[place + 1] != _START_OF_SCAN:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if not data[place + 4 : end].startswith(b"ICC_PROFILE\0"):
            kept += data[place:end]
        place = end
    return kept + data[place:]


def stored(case: Case, folder: Path, stem: str = "") -> tuple[Path, Path]:
    """Write both sides into ``folder`` under names that say their format; gives the paths, the needle first."""
    paths = []
    for side, data in zip(("needle", "witness"), case, strict=True):
        box = ".avif" if b"avif" in data[:32] else ".heic" if data[4:8] == b"ftyp" else ".jp2"
        path = folder / f"{stem}{side}{_SUFFIXES.get(data[:2], box)}"
        path.write_bytes(data)
        paths.append(path)
    return paths[0], paths[1]


def _write(path: Path, answers: Sequence[Answer]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["kind", "size", "photo", "seed", "grade", "reason", "quick grade", "quick reason", "seconds"])
        for answer in answers:
            job = answer.job
            about = answer.grade or "no pair", answer.reason, *(answer.quick or ("", ""))
            table.writerow([job.kind, job.size, Path(job.photo).name, job.seed, *about, f"{answer.seconds:.3f}"])


if __name__ == "__main__":
    sys.exit(main())
