"""How often the program takes for a copy what lacks something, kind by kind, and how often it misses true copies.

    python -m benchmarks.losses [--kinds A,B] [--pictures N] [--size 500|768|12mp] [--paranoid] [--held-out] [--jobs N]
                                [--seed N] [--repeat N] [--out FILE.csv] [--keep FOLDER] [--list]

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
from typing import NamedTuple

from PIL import Image, ImageOps
from tqdm import tqdm

from benchmarks.asking import ask
from benchmarks.common import SHARED_DATA
from benchmarks.edits import LANCZOS, Case, Source, encode
from benchmarks.judging import SAME
from benchmarks.kinds import GROUPS, PairKind
from benchmarks.loss_kinds import held_out_kinds, tuned_kinds
from fixtures import pictures

SIZES = {"500": "photos", "768": "kodak", "12mp": "camera"}
_MADE_UP = "made-up"
_LEAST_SIDE = 200
"""Photos with a shorter side make no pairs: what is lost would be too small to be seen."""
_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp", b"II": ".tif", b"BM": ".bmp", b"GI": ".gif"}


class Job(NamedTuple):
    """One kind of one photo."""

    kind: str
    photo: str
    other: str
    seed: int
    is_paranoid: bool
    keep: str | None


class Answer(NamedTuple):
    """What was said of one pair."""

    job: Job
    grade: str | None
    """None where no pair can be made of the photo."""
    reason: str
    paranoid_grade: str | None = None
    paranoid_reason: str = ""
    seconds: float = 0.0
    """Of asking, at most; making the pair not counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table; gives 0, or 2 where no kind is named so."""
    options = _options(arguments)
    kinds = _wanted(options)
    if not kinds:
        print("losses: no kind is named so; --list shows them", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{kind.group.title}: {kind.name}" for kind in kinds))
        return 0
    photos = _photos(options.size, options.pictures)
    answers = list(_run(kinds, photos, options))
    _show(kinds, answers, options)
    if options.out is not None:
        _write(options.out, answers)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", metavar="A,B", help="only kinds or groups whose name contains one of these")
    parser.add_argument("--pictures", type=int, default=12, metavar="N", help="photos of the set, evenly spread (12)")
    parser.add_argument("--size", choices=SIZES, default="500", help="which photos: 500 pixels, Kodak or 12 megapixels")
    parser.add_argument("--paranoid", action="store_true", help="ask with --paranoid too where a plain scan says same")
    parser.add_argument("--held-out", action="store_true", help="the kinds that nothing was tuned on")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other seeds, other pairs (1)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="pairs of each photo (1)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a line for each pair as CSV")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the pairs, to look at them")
    parser.add_argument("--wrong", action="store_true", help="keep only pairs that were answered wrongly")
    parser.add_argument("--list", action="store_true", help="show the kinds and stop")
    return parser.parse_args(arguments)


def _wanted(options: argparse.Namespace) -> list[PairKind]:
    kinds = held_out_kinds() if options.held_out else tuned_kinds()
    if options.kinds is None:
        return list(kinds)
    parts = [part.strip() for part in options.kinds.split(",")]
    return [kind for kind in kinds if any(part in kind.name or part in kind.group.title for part in parts)]


def _photos(size: str, most: int) -> list[str]:
    """Return the paths of at most so many photos of a set, or names of made-up ones."""
    folder = SHARED_DATA / SIZES[size]
    paths = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not paths:
        print(f"losses: {folder} is absent: made-up photos instead", file=sys.stderr)
        return [f"{_MADE_UP} {number}" for number in range(most)]
    large = [path for path in paths if min(_size_of(path)) >= _LEAST_SIDE]
    return large[:: max(1, len(large) // most)][:most]


def _size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _run(kinds: Sequence[PairKind], photos: Sequence[str], options: argparse.Namespace) -> Iterator[Answer]:
    keep = None if options.keep is None else ("wrong:" if options.wrong else "") + str(options.keep)
    jobs = [
        Job(kind.name, photo, photos[(number * 7 + 11) % len(photos)], seed, options.paranoid, keep)
        for number, photo in enumerate(photos)
        for kind in kinds
        for seed in range(options.seed, options.seed + options.repeat)
    ]
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(answer, job) for job in jobs]
        for done in tqdm(as_completed(waiting), "pairs", len(jobs), disable=None, leave=False):
            done.result()  # what is amiss ends the run at once
        yield from (future.result() for future in waiting)


def answer(job: Job) -> Answer:
    """Make one pair and ask for it."""
    kind = _kind(job.kind)
    case = kind.pair(_source(job.photo, job.other), job.seed)
    if case is None:
        return Answer(job, None, "nothing would show")
    with tempfile.TemporaryDirectory() as folder:
        needle, witness = _stored(case, Path(folder))
        began = time.process_time()
        grade, reason = ask(needle, witness)
        strict = ask(needle, witness, is_paranoid=True) if job.is_paranoid and grade == SAME else (grade, reason)
        seconds = time.process_time() - began
    found = Answer(job, grade, reason, strict[0] if job.is_paranoid else None, strict[1], seconds)
    _keep(kind, case, found)
    return found


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
    if photo.startswith(_MADE_UP):
        return pictures.photo(int(photo.split()[1]), (640, 480))
    with Image.open(photo) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _data(photo: str, image: Image.Image) -> bytes:
    return encode(image, quality=95) if photo.startswith(_MADE_UP) else Path(photo).read_bytes()


def _stored(case: Case, folder: Path, stem: str = "") -> tuple[Path, Path]:
    paths = []
    for side, data in zip(("needle", "witness"), case, strict=True):
        suffix = _SUFFIXES.get(data[:2]) or (
            ".jp2" if b"jP  " in data[:16] else ".avif" if b"avif" in data[:32] else ".heic"
        )
        path = folder / f"{stem}{side}{suffix}"
        path.write_bytes(data)
        paths.append(path)
    return paths[0], paths[1]


def _keep(kind: PairKind, case: Case, found: Answer) -> None:
    job = found.job
    if job.keep is None:
        return
    folder, is_same = Path(job.keep.removeprefix("wrong:")), SAME in (found.paranoid_grade or found.grade or "")
    if job.keep.startswith("wrong:") and kind.group.meets(float(is_same)):
        return
    place = folder / kind.name.replace("/", "-")
    place.mkdir(parents=True, exist_ok=True)
    _stored(case, place, f"{Path(job.photo).stem} {job.seed} ")


def _show(kinds: Sequence[PairKind], answers: Sequence[Answer], options: argparse.Namespace) -> None:
    """Print a line for each kind, group by group, and how many of them meet their target."""
    for group in GROUPS:
        members = [kind for kind in kinds if kind.group is group]
        if not members:
            continue
        print(f"\n{group.title}: {group.target} `same`")
        failing = 0
        for kind in members:
            made = [found for found in answers if found.job.kind == kind.name and found.grade is not None]
            failing += _show_kind(kind, made, is_paranoid=options.paranoid)
        print(f"  {len(members) - failing} of {len(members)} kinds meet the target")


def _show_kind(kind: PairKind, made: Sequence[Answer], *, is_paranoid: bool) -> bool:
    """Print one line; gives whether the kind fails its target by the strictest answer asked for."""
    if not made:
        print(f"  {kind.name:<58} no pairs")
        return False
    same = sum(found.grade == SAME for found in made)
    line = f"  {kind.name:<58} {len(made):>4} pairs   same {same / len(made):>6.1%}"
    if is_paranoid:
        same = sum(found.paranoid_grade == SAME for found in made)
        line += f"   paranoid {same / len(made):>6.1%}"
    slowest = max(found.seconds for found in made)
    is_failing = not kind.group.meets(same / len(made))
    print(f"{line}   {1000 * slowest:>5.0f} ms {'NOT MET' if is_failing else ''}")
    return is_failing


def _write(path: Path, answers: Sequence[Answer]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["kind", "photo", "seed", "grade", "reason", "paranoid grade", "paranoid reason", "seconds"])
        for found in answers:
            job = found.job
            about = found.grade or "no pair", found.reason, found.paranoid_grade, found.paranoid_reason
            table.writerow([job.kind, Path(job.photo).name, job.seed, *about, f"{found.seconds:.3f}"])


if __name__ == "__main__":
    sys.exit(main())
