"""How many copies and changes of films are found, with the right film and the right reason, and how many others are.

    python -m benchmarks.film_accuracy [--films N] [--seconds S] [--clips DIR] [--write docs/accuracy.md]

Makes N films of two scenes with sound, 12 copies and 8 changes of each and 3 copies that are shown otherwise, as many
films that are in no haystack and as many takes of one place by a camera that stands still, and scans them as a person
would. DIR has real films, of which the same is made. Needs the extra `dupfind[video]`.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.common import machine
from benchmarks.film_kinds import CHANGES, COPIES, H264, SHOWN_OTHERWISE, Clip, made, real_clips, write
from dupfind import libraries, pipeline
from dupfind.pictures import film_frames
from dupfind.reasons import FILM_LIKENESS, ReasonCode
from dupfind.settings import make_settings
from dupfind.values import FileVerdict

_MARKS = re.compile(r"(<!-- measured: films -->\n).*?(<!-- end -->)", re.DOTALL)
_CODES = {
    **dict.fromkeys(COPIES, ReasonCode.RE_ENCODED_FILM),
    "both ends cut off": ReasonCode.FILM_PART,
    "a short part, smaller": ReasonCode.FILM_PART,
    **dict.fromkeys({**CHANGES, **SHOWN_OTHERWISE}, ReasonCode.FILM_CHANGED),
    "black bars above and below": ReasonCode.RE_ENCODED_FILM,
}
OTHERS, STILL = "another film", "another take by a camera that stands still"
_MADE, _REAL = "made", "real"
_TIMED = 40
"""Films whose decoding is timed."""


class Row(NamedTuple):
    """What was found of one kind, of the films that were made or of the real ones."""

    films: int
    found: int
    """As the film that it was made of."""
    told: int
    """With the right reason code."""
    wrong: int
    """As another film."""


def still_take(seed: int, take: int, seconds: float) -> Clip:
    """Make a film of one place, in which something else moves in each take."""
    place, moving = made(seed + 500, 1.0), made(10_000 + 100 * seed + take, seconds)
    ground = place.pictures[:1].repeat(len(moving.pictures), axis=0)
    rng = np.random.default_rng(take)
    left, top = rng.integers(0, 200), rng.integers(0, 100)
    for index in range(len(ground)):
        at = int(left + 40 * np.sin(index / 15 + take)), int(top)
        ground[index, at[1] : at[1] + 60, max(0, at[0]) : max(0, at[0]) + 40] = (take * 67) % 255
    return moving._replace(pictures=ground)


def kinds() -> dict[str, Callable[[Clip], bytes]]:
    """Return all that is made of a film, by name."""
    return {**COPIES, **{name: _changed(change) for name, change in {**CHANGES, **SHOWN_OTHERWISE}.items()}}


def _changed(change: Callable[[Clip], Clip]) -> Callable[[Clip], bytes]:
    return lambda clip: write(change(clip), H264)


def build(folder: Path, films: int, seconds: float, clips: Path | None) -> int:
    """Write the haystack and the needles; names tell what each is. Returns how many real films there are."""
    (folder / "hay").mkdir()
    (folder / "needles").mkdir()
    for seed in range(films):
        _build_one(folder, f"{_MADE}{seed}", made(seed, seconds))
        (folder / "needles" / f"other-{_MADE}{seed}.mp4").write_bytes(write(made(seed + 5_000, seconds)))
        (folder / "hay" / f"still {seed}.mp4").write_bytes(write(still_take(seed, 0, seconds)))
        (folder / "needles" / f"still-{_MADE}{seed}.mp4").write_bytes(write(still_take(seed, 1, seconds)))
    count = 0
    for clip in () if clips is None else real_clips(clips, seconds):
        _build_one(folder, f"{_REAL}{count}", clip)
        count += 1
    return count


def _build_one(folder: Path, name: str, clip: Clip) -> None:
    (folder / "hay" / f"{name}.mp4").write_bytes(write(clip))
    for number, make in enumerate(kinds().values()):
        (folder / "needles" / f"{number}-{name}.mp4").write_bytes(make(clip))


def count(verdicts: Sequence[FileVerdict], kind: str, origin: str) -> Row:
    """Count what was found of one kind."""
    prefix = {OTHERS: "other", STILL: "still"}.get(kind) or str(list(kinds()).index(kind))
    of_kind = [file for file in verdicts if Path(file.path).stem.startswith(f"{prefix}-{origin}")]
    named = [file for file in of_kind if file.reasons and file.reasons[0].code in FILM_LIKENESS]
    right = [] if kind in (OTHERS, STILL) else [file for file in named if _is_of(file)]
    told = sum(file.reasons[0].code is _CODES.get(kind) for file in right)
    return Row(len(of_kind), len(right), told, len(named) - len(right))


def _is_of(verdict: FileVerdict) -> bool:
    return Path(str(verdict.witness)).stem == Path(verdict.path).stem.split("-")[1]


def markdown(verdicts: Sequence[FileVerdict], how: str) -> str:
    """Set out a row a kind: of the films that were made, then of the real ones, where there are any."""
    first = next(iter(kinds()))
    origins = [origin for origin in (_MADE, _REAL) if count(verdicts, first, origin).films]
    heads = ["kind", *(head for origin in origins for head in (origin, "found", "with the right reason"))]
    lines = [how, "", f"| {' | '.join(heads)} | wrongly found |", f"|{' --- |' * (len(heads) + 1)}"]
    for kind in [*kinds(), OTHERS, STILL]:
        rows = [count(verdicts, kind, origin) for origin in origins]
        cells = [kind, *(cell for row in rows for cell in _cells(kind, row)), sum(row.wrong for row in rows)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _cells(kind: str, row: Row) -> tuple[int | str, ...]:
    return (row.films, row.found, row.told if kind in _CODES else "") if row.films else ("", "", "")


def main() -> int:
    """Make films, scan, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--clips", type=Path, metavar="DIR", help="a folder of real films")
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        real = build(folder, chosen.films, chosen.seconds, chosen.clips)
        settings = make_settings(haystack=[str(folder / "hay")], needles=[str(folder / "needles")], no_cache=True)
        verdicts = pipeline.scan(settings).files
        milliseconds = 1000 * _decode_seconds(sorted((folder / "hay").iterdir())[:_TIMED])
    how = (
        f"{chosen.films} films of {chosen.seconds:g} s, 320 x 180, made, and {real} real ones; {len(verdicts)} "
        "needles. "
        f"To decode a film whole takes {milliseconds:.0f} ms of processor time. "
        f"{machine()}; {libraries.film_libraries().split(',')[0]}."
    )
    text = markdown(verdicts, how)
    print(text)
    if chosen.write is not None:
        page = chosen.write.read_text("utf-8")
        chosen.write.write_text(_MARKS.sub(lambda part: part[1] + text + part[2], page), "utf-8")
    return 0


def _decode_seconds(films: Sequence[Path]) -> float:
    """Return the median of the processor time that decoding a film whole takes, in this process."""
    seconds = []
    for film in films:
        with film.open("rb") as file:
            began = time.process_time()
            film_frames.read_track(file, 10**9)
            seconds.append(time.process_time() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
