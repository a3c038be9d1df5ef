"""The tables of the accuracy benchmark, for the terminal and for the page in the docs.

Counts are in :mod:`benchmarks.results`; here they are only put into words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.common import machine
from benchmarks.judging import ALGORITHMS, MISSING, PLAIN, PLAIN_THRESHOLD_BITS, SAME, SIMILAR, UNREADABLE
from benchmarks.measuring import MeasuringError
from benchmarks.results import Kind, Results, least_threshold
from benchmarks.targets import EDIT_ROWS, PAIR_ROWS, ROWS, Row, Tally, meets, outcome
from dupfind.settings import DEFAULT_THRESHOLD_BITS

_MARKS = re.compile(r"(<!-- measured: accuracy -->\n).*?(<!-- end -->)", re.DOTALL)
_MOST_REASONS = 4
_NOT_UPRIGHT = "turned"
_NUMBERS = frozenset({"photos", "cases", "kinds"})


class Part(NamedTuple):
    """A heading, some words and a table; each may be empty."""

    title: str
    text: str
    header: list[str] = []  # noqa: RUF012 - never changed
    rows: list[list[str]] = []  # noqa: RUF012
    narrow: int | None = None
    """How many of its columns a terminal shows."""
    is_detail: bool = False
    """Whether it is for the page of every kind, where there is one."""


class About(NamedTuple):
    """What a page must say of the run that made its tables."""

    command: str
    seconds: float
    agreed: int
    """Cases in which real scans said the same; 0 where none were run."""
    documents: int


def check_markers(page: Path) -> None:
    """Raise :class:`~benchmarks.measuring.MeasuringError` where there is no place for the tables in ``page``."""
    if len(_MARKS.findall(page.read_text("utf-8"))) != 1:
        raise MeasuringError(f"{page} has no single place between <!-- measured: accuracy --> and <!-- end -->")


def write(page: Path, results: Results, about: About, kinds: Path | None = None) -> None:
    """Replace what stands between the marks of ``page``; the tables of every kind go to the page ``kinds``."""
    made = parts(results, about)
    if kinds is not None:
        _replace(kinds, [part for part in made if part.is_detail])
        made = [part for part in made if not part.is_detail]
    _replace(page, made)


def _replace(page: Path, made: Sequence[Part]) -> None:
    new = _MARKS.sub(lambda marks: marks[1] + markdown(made) + marks[2], page.read_text("utf-8"))
    page.write_text(new, "utf-8")


def show(results: Results, about: About) -> None:
    """Print everything on standard output, as wide as the terminal allows."""
    console = Console(highlight=False)
    for part in parts(results, about):
        console.print(f"\n[bold]{part.title}[/]" if part.title else "", part.text, sep="\n")
        if part.rows:
            table = Table(box=box.SIMPLE)
            for name in part.header[: part.narrow]:
                table.add_column(name, justify="right" if name.endswith("%") or name in _NUMBERS else "left")
            for row in part.rows:
                table.add_row(*(escape(cell.replace("`", "").replace("*", "")) for cell in row[: part.narrow]))
            console.print(table)


def markdown(made: Sequence[Part]) -> str:
    """Return tables with what has to be said of them, for a page in the docs."""
    pieces = []
    for part in made:
        pieces += [f"### {part.title}" if part.title else "", part.text]
        if part.rows:
            lines = [part.header, ["---"] * len(part.header), *part.rows]
            pieces.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def parts(results: Results, about: About) -> list[Part]:
    """Everything that is to be said, in order."""
    thresholds, sets = _equal_recall(results), results.sets()
    made = [Part("", _preamble(results, about))]
    made += [_targets(results, f"Targets: {set_}", set_, EDIT_ROWS) for set_ in sets]
    made.append(_targets(results, "Targets: pairs and documents", None, PAIR_ROWS))
    if sets:
        made.append(_algorithms(results, sets[0]))
    made += [_reasons(results), _false(results, thresholds)]
    made += [_edits(results, set_, thresholds) for set_ in sets]
    return [part for part in made if part.text or part.rows]


def percent(share: float) -> str:
    """A share in percent; only what is exactly none or all is written as 0 or 100."""
    if share in (0, 1):
        return f"{100 * share:.0f}"
    return f"{min(99.9, max(0.1, 100 * share)):.1f}" if share >= 0.001 else "<0.1"


def _preamble(results: Results, about: About) -> str:
    day = datetime.now(UTC).date().isoformat()
    cases = sum(results.tally([kind]).cases for kind in results.tallies)
    lines = [
        f"Measured {day} in {about.seconds / 60:.0f} minutes with `{about.command}` on {machine()}.",
        f"{cases:,} cases were graded with each algorithm, {_thresholds()}.",
    ]
    if about.agreed:
        lines.append(f"Of them {about.agreed} were also scanned with every algorithm: the scans said the same.")
    if unrelated := results.kinds("unrelated"):
        pairs = results.tally(unrelated).cases
        lines.append(f"{pairs:,} ordered pairs of unrelated photos in eight orientations: {8 * pairs:,} comparisons.")
    for set_ in results.sets():
        photos = max(results.tally([kind]).cases for kind in results.tallies if kind.set == set_)
        lines.append(f"{set_}: {photos} photos used.")
    lines += [f"{note.set}: {note.text}." for note in results.notes]
    return "\n".join(f"- {line}" for line in lines)


def _thresholds() -> str:
    return ", ".join(f"{name} within {bits} bits" for name, bits in DEFAULT_THRESHOLD_BITS.items())


def _shares(tally: Tally) -> list[str]:
    return [percent(tally.share(SAME)), percent(tally.share(SIMILAR)), percent(tally.share(MISSING, UNREADABLE))]


def _targets(results: Results, title: str, set_: str | None, rows: Sequence[Row]) -> Part:
    header = ["row", "same %", "similar %", "missing %", "result", "target", "kinds", "cases", "worst kind"]
    lines = []
    for row in rows:
        kinds = [kind for kind in results.kinds(row.key, set_) if results.tally([kind]).cases]
        if not kinds:
            continue
        tally, worst = results.tally(kinds), _worst(results, row, kinds)
        result = outcome(row, [results.tally([kind]) for kind in kinds])
        lines.append(
            [row.title, *_shares(tally), f"**{result}**", row.target, str(len(kinds)), f"{tally.cases:,}", worst]
        )
    return Part(title, "", header, lines)


def _worst(results: Results, row: Row, kinds: Sequence[Kind]) -> str:
    """The kind furthest from the target, with what was asked of it."""
    if len(kinds) == 1:
        return ""

    def badness(kind: Kind) -> float:
        tally = results.tally([kind])
        if row.least_same is not None:
            return -tally.share(SAME)
        return tally.share(SAME) if row.least_found is None or row.most_same else -tally.share(SAME, SIMILAR)

    worst = max(kinds, key=badness)
    tally = results.tally([worst])
    if row.least_found is not None and row.least_same is None:
        return f"{worst.name}: found {percent(tally.share(SAME, SIMILAR))}"
    return f"{worst.name}: same {percent(tally.share(SAME))}"


def _algorithms(results: Results, set_: str) -> Part:
    others = ALGORITHMS[1:]
    lines = []
    for row in (*EDIT_ROWS, *PAIR_ROWS):
        kinds = results.kinds(row.key, set_ if row in EDIT_ROWS else None)
        if kinds and results.tally(kinds).cases:
            tallies = [results.tally(kinds, name) for name in others]
            results_ = [outcome(row, [results.tally([kind], name) for kind in kinds]) for name in others]
            cells = (f"{' / '.join(_shares(tally))}: {met}" for tally, met in zip(tallies, results_, strict=True))
            lines.append([row.title, *cells])
    return Part(f"The other algorithms: {set_}", "", ["same / similar / missing, %", *others], lines, is_detail=True)


def _reasons(results: Results) -> Part:
    lines = []
    for kind in results.tallies:
        row, reasons = ROWS[kind.row], results.reasons[kind]
        if row.has_target and not meets(row, results.tally([kind])) and reasons and row.least_found is not None:
            common = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(_MOST_REASONS))
            lines.append([kind.set, kind.name, common])
    header = ["set", "kind that does not meet its target", "what was said instead of `same`"]
    return Part("Why not", "", header, lines) if lines else Part("", "")


def _equal_recall(results: Results) -> dict[str, int]:
    """For each plain hash the threshold at which it finds as many upright copies as dupfind calls `same`."""
    kinds = _upright_copies(results)
    if not kinds:
        return {}
    recall = results.tally(kinds).share(SAME)
    together: dict[str, Counter[int]] = {name: Counter() for name in PLAIN}
    for kind in kinds:
        for name in PLAIN:
            together[name].update(results.plain[kind][name])
    return {name: least_threshold(together[name], recall) for name in PLAIN}


def _upright_copies(results: Results) -> list[Kind]:
    kinds = results.kinds("copies", results.sets()[0]) if results.sets() else []
    return [kind for kind in kinds if not kind.name.startswith(_NOT_UPRIGHT)]


def _plain_words(results: Results, thresholds: dict[str, int]) -> str:
    words = (
        "Cases that are no copies, and how many of them are called one. dupfind: `same` + `similar`. imagehash: pairs "
        f"within {PLAIN_THRESHOLD_BITS} of 64 bits, upright, in full size; pairs of unrelated photos and of documents "
        "are counted once for imagehash, and both ways for dupfind."
    )
    if not thresholds:
        return words
    named = ", ".join(f"{name} {bits}" for name, bits in thresholds.items())
    recall = percent(results.tally(_upright_copies(results)).share(SAME))
    return (
        f"{words} At equal recall, the threshold at which each finds as many of the upright copies as dupfind calls "
        f"`same` ({recall}%): {named}."
    )


_FALSE_ROWS = (
    "half a percent", "two percent", "shift", "damage", "small changes",
    "unrelated", "moved", "across groups", "across orientations", "across formats", "documents",
)  # fmt: skip


def _false(results: Results, thresholds: dict[str, int]) -> Part:
    header = ["not a copy", "cases", *(f"dupfind {name}" for name in ALGORITHMS)]
    header += [f"imagehash {name} at {PLAIN_THRESHOLD_BITS}" for name in PLAIN]
    header += [f"{name} at {bits}" for name, bits in thresholds.items()]
    lines = []
    for key in _FALSE_ROWS:
        for kind in results.kinds(key):
            tallies = [results.tally([kind], name) for name in ALGORITHMS]
            if tallies[0].cases:
                counts = (f"{tally.grades[SAME]:,} + {tally.grades[SIMILAR]:,}" for tally in tallies)
                title = ROWS[key].title if kind.name == key else f"{kind.set}: {kind.name}"
                lines.append([title, f"{tallies[0].cases:,}", *counts, *_plain_counts(results, kind, thresholds)])
    return Part("False results, side by side", _plain_words(results, thresholds), header, lines, 5, is_detail=True)


def _plain_counts(results: Results, kind: Kind, thresholds: dict[str, int]) -> list[str]:
    wanted = [(name, PLAIN_THRESHOLD_BITS) for name in PLAIN] + list(thresholds.items())
    counts = [results.plain_within([kind], name, bits) for name, bits in wanted]
    return [f"{found:,}" if cases else "" for found, cases in counts]


def _edits(results: Results, set_: str, thresholds: dict[str, int]) -> Part:
    header = ["edit", "photos", "same %", "similar %", "missing %", *(f"{name}: same %" for name in ALGORITHMS[1:])]
    header += [f"imagehash {name} at {PLAIN_THRESHOLD_BITS}: found %" for name in PLAIN]
    header += [f"{name} at {bits}" for name, bits in thresholds.items()]
    lines = []
    for row in EDIT_ROWS:
        for kind in results.kinds(row.key, set_):
            tally = results.tally([kind])
            others = (percent(results.tally([kind], name).share(SAME)) for name in ALGORITHMS[1:])
            line = [kind.name, str(tally.cases), *_shares(tally), *others]
            for name, bits in [(name, PLAIN_THRESHOLD_BITS) for name in PLAIN] + list(thresholds.items()):
                found, cases = results.plain_within([kind], name, bits)
                line.append(percent(found / cases) if cases else "")
            lines.append(line)
    return Part(f"Every edit: {set_}", "", header, lines, 8, is_detail=True)
