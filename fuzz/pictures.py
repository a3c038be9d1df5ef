"""Breaks good pictures of every kind and reads them in the pool that a scan has.

    python -m fuzz.pictures [--count N] [--seed N] [--seconds N] [--only TEXT] [--keep FOLDER]

What must hold for each broken file: a thumbnail or one of the errors for users; no death and no hang; what is read is
what a full decode shows; the first scan alone is like the whole, or the whole is known to be broken; and it is
``same`` as the original, on either side, only where the two look alike at a glance. Ends with 1 where one does not.
How much differs at full size is told, too: a picture may be full of fine noise that no thumbnail shows.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dupfind import memory_limit
from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.evidence import evidence
from dupfind.evidence.fingerprint import pixels
from dupfind.pictures import decode, formats, raw
from dupfind.pool.processes import Death
from dupfind.pool.time_limit import TimeLimit
from dupfind.pool.workers import Pool
from dupfind.values import THUMBNAIL_SIDE, Evidence, Thumbnail
from fuzz import mutations, samples

MAX_PIXELS = 20_000_000
TIMEOUT_SECONDS = 10.0
MOST_BYTES = 1 << 30
"""Of memory, for each process."""
VISIBLE_LEVELS = 32
GLANCE_SIDE = 80
"""At a glance a picture is reduced to about as many points along its longer side."""
MOST_VISIBLE, MOST_OF_NEEDLE = 0.01, 0.05
"""Share of it that may then differ by so many levels before ``same`` is wrong: where the original is to be deleted, and
where its broken copy is, with which nothing goes that is not kept."""
LIKE_WHOLE_LEVELS = 6.0
"""Mean difference of two ways to one thumbnail."""


class Job(NamedTuple):
    """One broken file to be made and read."""

    sample: str
    seed: int


class Finding(NamedTuple):
    """What became of it."""

    outcome: str
    """``decoded``, ``damaged``, ``refused``, ``no picture``, or ``died``."""
    wrong: str | None = None
    """What must not be."""
    how: str = ""
    visible: float | None = None
    """Of what was found ``same``: the share of the pixels that visibly differ."""


def broken(job: Job) -> tuple[str, bytes]:
    """How it is broken, and the file."""
    names = samples.names()
    other = names[(names.index(job.sample) + 1 + job.seed) % len(names)]
    spliced = job.sample if job.seed % 3 else other  # mostly of its own kind
    return mutations.mutate(samples.make(job.sample), samples.make(spliced), job.seed)


def try_jobs(jobs: list[Job]) -> list[Finding]:
    """Make and read each, in a worker."""
    return [_try_one(job) for job in jobs]


def _try_one(job: Job) -> Finding:
    how, content = broken(job)
    if content == samples.make(job.sample):
        return Finding("decoded", None, how, 0.0)
    try:
        with TimeLimit(TIMEOUT_SECONDS) as limit, limit.each():
            finding = _look(job, content)
    except NotAPictureError:
        finding = Finding("no picture", _is_wrongly_refused(content, _name(job)))
    except UndecodableError as error:
        is_of_ours = "fault of dupfind" in str(error)
        finding = Finding("refused", str(error) if is_of_ours else _is_wrongly_refused(content, _name(job)))
    except TimeoutError:
        finding = Finding("refused", "took too long")
    except Exception as error:  # noqa: BLE001 - to be told of
        finding = Finding("refused", f"raised {type(error).__name__}: {error}")
    return finding._replace(how=how)


def _look(job: Job, content: bytes) -> Finding:
    """Read it three times: twice whole, in between another, and once coarsely."""
    found = _read(content, job)
    _read(samples.make(job.sample), job)  # leaves a whole picture in memory that is free
    if found != _read(content, job):
        return Finding("decoded", "read again, it is another picture")
    if wrong := _coarse_is_wrong(job, content, found):
        return Finding("decoded", wrong)
    if found.damage is not None:
        return Finding("damaged")
    try:
        return _compare(job, content, found)
    except UndecodableError as error:
        return Finding("decoded", f"full decode: {error}")


def _is_wrongly_refused(content: bytes, name: str) -> str | None:
    """What has to be said of a file that was refused, where Pillow alone would read it, all pages that it promises.

    Camera RAW is not for Pillow to read, nor is a TIFF that says that it begins with a preview.
    """
    is_readable = _pillow_reads(content) and not raw.is_raw(io.BytesIO(content), name)
    return "was refused, and Pillow reads it" if is_readable else None


def _pillow_reads(content: bytes) -> bool:
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=formats.DECODED) as image:
            if image.width * image.height <= MAX_PIXELS and int(getattr(image, "n_frames", 1)):
                image.load()
                return True
    return False


def _name(job: Job) -> str:
    return "a.dng" if job.sample.startswith("raw") else "a.bin"


def _read(content: bytes, job: Job, *, may_be_coarse: bool = False) -> Thumbnail:
    return decode.read_thumbnail(io.BytesIO(content), _name(job), MAX_PIXELS, may_be_coarse=may_be_coarse)


@cache
def _original(sample: str) -> Thumbnail:
    return _read(samples.make(sample), Job(sample, 0))


def _compare(job: Job, content: bytes, found: Thumbnail) -> Finding:
    """A broken file that gives a picture nothing is said against, held against what it was."""
    if found.format == "JPEG" and not _pillow_reads(content):
        return Finding("decoded", "is read, and Pillow refuses it")
    size = found.width, found.height
    whole = decode.read_full_size(io.BytesIO(content), _name(job), MAX_PIXELS, size).gray
    small = Image.fromarray(whole).resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    apart = float(np.abs(np.asarray(small, float) - pixels(found.pixels)).mean())
    if apart > LIKE_WHOLE_LEVELS:
        return Finding("decoded", f"its thumbnail is {apart:.1f} levels from its full decode")
    original = _original(job.sample)
    sides = evidence.prepare(original), evidence.prepare(found)
    grades = [evidence.judge(one, other, 0).evidence for one, other in (sides, sides[::-1])]
    if Evidence.SAME not in grades:
        return Finding("decoded")
    true = decode.read_full_size(io.BytesIO(samples.make(job.sample)), _name(job), MAX_PIXELS, size).gray
    visible = _visible(true, whole)
    factor = max(1, max(size) // GLANCE_SIDE)
    glance = _visible(*(np.asarray(Image.fromarray(one).reduce(factor)) for one in (true, whole)))
    is_proved = grades[0] is Evidence.SAME
    which = "it is proved by its broken copy" if is_proved else "its broken copy is proved by it"
    wrong = (
        f"same, though {glance:.1%} differs at a glance: {which}"
        if glance > (MOST_VISIBLE if is_proved else MOST_OF_NEEDLE)
        else None
    )
    return Finding("decoded", wrong, visible=visible)


def _visible(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float((np.abs(one.astype(int) - other) > VISIBLE_LEVELS).mean())


def _coarse_is_wrong(job: Job, content: bytes, found: Thumbnail) -> str | None:
    """What the first scan alone says that the whole does not; a whole that is known to be broken proves nothing."""
    try:
        coarse = _read(content, job, may_be_coarse=True)
    except (NotAPictureError, UndecodableError) as error:
        return f"is read whole and not coarsely: {error}"
    if not coarse.is_coarse:
        return None if coarse == found else "is read in two ways"
    facts = ("width", "height", "format", "frames", "captured", "quality")
    if any(getattr(coarse, fact) != getattr(found, fact) for fact in facts):
        return "the first scan has other facts than the whole"
    apart = float(np.abs(pixels(coarse.pixels).astype(int) - pixels(found.pixels)).mean())
    is_known = found.damage is not None
    return (
        f"its first scan is {apart:.1f} levels from the whole" if apart > LIKE_WHOLE_LEVELS and not is_known else None
    )


def run(jobs: Iterable[Job], workers: int) -> Iterator[tuple[Job, Finding]]:
    """What becomes of each."""
    with Pool(workers, most_bytes=workers * MOST_BYTES) as pool:
        yield from pool.map(try_jobs, jobs, size_bytes=lambda _: 1, lost=_died)


def _died(_: Job, death: Death) -> Finding:
    return Finding("died", f"{death.reason}, after {death.seconds:.1f} s")


def jobs(count: int, seed: int, only: str, seconds: float | None = None) -> Iterator[Job]:
    """So many files, all kinds in turn, for no longer than ``seconds``."""
    names = [name for name in samples.names() if only in name]
    until = None if seconds is None else time.monotonic() + seconds
    for number in range(count):
        if until is not None and time.monotonic() > until:
            return
        yield Job(names[number % len(names)], seed + number)


def _report(found: dict[str, Counter[str]], visible: dict[str, list[float]]) -> None:
    columns = ("decoded", "damaged", "refused", "no picture", "died")
    print(f"{'kind':26}" + "".join(f"{column:>12}" for column in columns) + "    same  most visible")
    for name, counts in found.items():
        shares = visible[name]
        row = "".join(f"{counts[column]:12}" for column in columns)
        print(f"{name:26}{row}{len(shares):8}{max(shares, default=0):14.2%}")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="where files that went wrong are written")
    options: Any = parser.parse_args()
    found: dict[str, Counter[str]] = {name: Counter() for name in samples.names() if options.only in name}
    visible: dict[str, list[float]] = defaultdict(list)
    wrong, began = 0, time.monotonic()
    for job, finding in run(jobs(options.count, options.seed, options.only, options.seconds), options.workers):
        found[job.sample][finding.outcome] += 1
        if finding.visible is not None:
            visible[job.sample].append(finding.visible)
        if finding.wrong is not None:
            wrong += 1
            print(f"{job.sample} {job.seed} ({finding.how or broken(job)[0]}): {finding.wrong}")
            if options.keep is not None:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{job.sample} {job.seed}").write_bytes(broken(job)[1])
    _report(found, visible)
    total = sum(map(Counter.total, found.values()))
    held = "" if memory_limit.IS_HELD else ", without a memory ceiling"
    print(f"{total:,} broken files in {time.monotonic() - began:.0f} s, {wrong} wrong{held}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
