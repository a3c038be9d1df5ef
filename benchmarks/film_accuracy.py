"""How many copies and changes of films are found, with the right film and the right reason, and how many others are.

    python -m benchmarks.film_accuracy [--films N] [--seconds S] [--write docs/accuracy.md]

Makes N films of two scenes with sound, 12 copies and 8 changes of each, as many films that are in no haystack and as
many takes of one place by a camera that stands still, and scans them as a person would. Needs the extra
`dupfind[video]`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.common import machine
from benchmarks.film_kinds import CHANGES, COPIES, H264, Clip, made, write
from dupfind import libraries, pipeline
from dupfind.reasons import FILM_LIKENESS, ReasonCode
from dupfind.settings import make_settings
from dupfind.values import FileVerdict

_MARKS = re.compile(r"(<!-- measured: films -->\n).*?(<!-- end -->)", re.DOTALL)
_CODES = {
    **dict.fromkeys(COPIES, ReasonCode.RE_ENCODED_FILM),
    "both ends cut off": ReasonCode.FILM_PART,
    "a short part, smaller": ReasonCode.FILM_PART,
    **dict.fromkeys(CHANGES, ReasonCode.FILM_CHANGED),
}
OTHERS, STILL = "another film", "another take by a camera that stands still"


class Row(NamedTuple):
    """What was found of one kind."""

    kind: str
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
    return {**COPIES, **{name: _changed(change) for name, change in CHANGES.items()}}


def _changed(change: Callable[[Clip], Clip]) -> Callable[[Clip], bytes]:
    return lambda clip: write(change(clip), H264)


def build(folder: Path, films: int, seconds: float) -> None:
    """Write the haystack and the needles; names tell what each is."""
    (folder / "hay").mkdir()
    (folder / "needles").mkdir()
    makers = kinds()
    for seed in range(films):
        clip = made(seed, seconds)
        (folder / "hay" / f"{seed}.mp4").write_bytes(write(clip))
        for number, make in enumerate(makers.values()):
            (folder / "needles" / f"{number}-{seed}.mp4").write_bytes(make(clip))
        (folder / "needles" / f"other-{seed}.mp4").write_bytes(write(made(seed + 5_000, seconds)))
        (folder / "hay" / f"still {seed}.mp4").write_bytes(write(still_take(seed, 0, seconds)))
        (folder / "needles" / f"still-{seed}.mp4").write_bytes(write(still_take(seed, 1, seconds)))


def rows(verdicts: list[FileVerdict]) -> Iterator[Row]:
    """Count what was found of each kind."""
    names = list(kinds())
    for kind in [*names, OTHERS, STILL]:
        prefix = {OTHERS: "other", STILL: "still"}.get(kind) or str(names.index(kind))
        of_kind = [one for one in verdicts if Path(one.path).stem.split("-")[0] == prefix]
        named = [one for one in of_kind if one.reasons and one.reasons[0].code in FILM_LIKENESS]
        right = [] if kind in (OTHERS, STILL) else [one for one in named if _is_of(one)]
        told = sum(one.reasons[0].code is _CODES[kind] for one in right)
        yield Row(kind, len(of_kind), len(right), told, len(named) - len(right))


def _is_of(verdict: FileVerdict) -> bool:
    return Path(str(verdict.witness)).stem == Path(verdict.path).stem.split("-")[1]


def markdown(counted: list[Row], films: int, seconds: float, took: float) -> str:
    """Set out the rows."""
    needles = sum(row.films for row in counted)
    how = f"{machine()}; {libraries.film_libraries().split(',')[0]}."
    lines = [
        f"{films} films of {seconds:g} s, 320 x 180, made; {needles} needles; {took:.0f} s. {how}",
        "",
        "| kind | films | found | with the right reason | wrongly found |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {row.kind} | {row.films} | {row.found} | {row.told} | {row.wrong} |" for row in counted),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Make films, scan, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, chosen.films, chosen.seconds)
        settings = make_settings(haystack=[str(folder / "hay")], needles=[str(folder / "needles")], no_cache=True)
        began = time.monotonic()
        verdicts = pipeline.scan(settings).files
        took = time.monotonic() - began
    text = markdown(list(rows(verdicts)), chosen.films, chosen.seconds, took)
    print(text)
    if chosen.write is not None:
        page = chosen.write.read_text("utf-8")
        chosen.write.write_text(_MARKS.sub(lambda part: part[1] + text + part[2], page), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
