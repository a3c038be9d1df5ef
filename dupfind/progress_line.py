"""What the line of progress says that tqdm does not know: step n of m, the stage, files and bytes; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dupfind.report.text import count, printable, size

Step = frozenset[str]
"""The names of the stages that make up a step."""

_LIST = Step(
    {
        "walking",
        "looking into archives",
        "reading needles for Immich",
        "asking Immich",
        "searching Immich",
        "searching catalogs",
        "previews from Immich",
        "originals from Immich",
    }
)
_BYTES = Step({"comparing bytes"})
_DECODE = Step({"decoding", "decoding the needle"})
_NEEDLES = Step({"decoding a sample", "decoding needles"})
_HAYSTACK = Step({"decoding haystack", "reading previews"})
_MATCH = Step(
    {
        "matching",
        "comparing",
        "comparing at full size",
        "comparing films",
        "comparing films frame by frame",
        "comparing image data",
        "comparing metadata",
        "comparing parts",
        "comparing what looks alike",
        "decoding films",
        "describing",
        "describing haystack",
        "describing needles",
        "hashing",
        "looking at damaged needles",
        "looking at films",
        "looking for more parts",
        "looking into films",
        "reading whole",
        "reading witnesses again",
        "nothing has changed since an earlier run",
        "the rest has not changed since an earlier run",
    }
)
_CHECK = Step({"looking again"})
_PAGE = Step({"looking for the nearest", "making previews"})
_SCAN = (_LIST, _BYTES, _NEEDLES, _HAYSTACK, _MATCH, _CHECK)

_STEPS: Mapping[str, tuple[Step, ...]] = {
    "calibrate": (_LIST, _DECODE, _MATCH),
    "clean": _SCAN,
    "compare": (_BYTES, _DECODE, _MATCH),
    "explain": (_LIST, _DECODE | _NEEDLES, _BYTES, _HAYSTACK, _MATCH),
    "find": (_LIST, _DECODE | _NEEDLES, _BYTES, _HAYSTACK, _MATCH),
    "groups": (_LIST, _BYTES, _DECODE, _MATCH),
    "hash": (_LIST, _MATCH),
    "import": _SCAN,
    "index": (_LIST, Step({"indexing"})),
    "review": _SCAN,
    "scan": _SCAN,
    "selftest": (Step({"testing"}),),
    "sort": (_LIST, _DECODE, Step({"sorting"})),
    "undo": (Step({"undoing"}),),
}
"""By command, what it does one after the other. A step in which nothing is left to do is passed over."""
_MORE: Mapping[str, Step] = {
    "copies": Step({"importing"}),
    "moves": Step({"moving"}),
    "page": _PAGE,
}
"""By name, what some commands do at their end where they are asked for it."""


def steps_of(command: str, more: Collection[str] = ()) -> tuple[Step, ...]:
    """Return the steps of a command; ``more`` are the names of those that it takes at its end: copies, moves, page."""
    return (*_STEPS.get(command, ()), *(_MORE[name] for name in _MORE if name in more))


def step_at(steps: tuple[Step, ...], now: int, stage: str) -> int:
    """Return the number of the step, from 0, that a stage belongs to: never one before the one of ``now``.

    >>> steps = steps_of("scan")
    >>> step_at(steps, 0, "matching"), step_at(steps, 4, "decoding haystack"), step_at(steps, 1, "of another program")
    (4, 4, 1)
    """
    return next((number for number in range(now, len(steps)) if stage in steps[number]), now)


@dataclass(slots=True)
class Going:
    """How far one stage is."""

    name: str
    total: int | None
    """Items to do; None where that is not known."""
    began_seconds: float
    step: tuple[int, int] = (1, 1)
    """The step that it belongs to, from 1, and how many there are."""
    in_bytes: bool = False
    """Whether the items are bytes."""
    done: int = 0
    total_bytes: int = 0
    """Bytes to go through; 0 where that is not known."""
    done_bytes: int = 0

    def amount(self) -> tuple[int, int]:
        """Return how much is done, of how much (0: not known), by bytes where they are known: large files take longer.

        >>> Going("decoding", 4, 0.0, done=1, total_bytes=100, done_bytes=90).amount()
        (90, 100)
        """
        done, total = (self.done_bytes, self.total_bytes) if self.total_bytes else (self.done, self.total or 0)
        return min(done, total) if total else done, total

    def unit(self) -> str:
        """Return the unit of that amount: B for bytes, nothing for files."""
        return "B" if self.in_bytes or self.total_bytes else ""


_WIDE, _NARROW = 95, 55
"""From so many columns on words are written out; below so many, only the share and the remaining time are told."""
_SOON_SECONDS = 1.0
"""Before that, no rate and no remaining time is told: it would be a guess."""


def head(going: Going, columns: int) -> str:
    """Say which step it is, and what is done in it."""
    number, steps = going.step
    name = printable(going.name)
    if steps <= 1:
        return name
    return f"step {number} of {steps}, {name}" if columns >= _WIDE else f"{number}/{steps} {name}"


def forms(going: Going, seconds: float, columns: int) -> Iterator[str]:
    """Yield how the line may be written after so many seconds, the fullest first; in braces, what tqdm knows of it.

    >>> going = Going("decoding needles", 5678, 0.0, (3, 6), done=1234, total_bytes=10**10, done_bytes=23 * 10**8)
    >>> for form in forms(going, 24.2, 80):
    ...     print(form)
    {desc}: 1,234 of 5,678 files, 2.3 of 10 GB, {rate_noinv_fmt}, {remaining} left
    {desc}: 1,234 of 5,678 files, 2.3 of 10 GB, {remaining} left
    {desc}: 1,234 of 5,678 files, {remaining} left
    {desc}: {percentage:.0f}%, {remaining} left
    {desc}: {percentage:.0f}%
    {desc}
    """
    done, total = going.amount()
    percent = "{percentage:.0f}%" if total else ""
    rate = "{rate_noinv_fmt}" if done and seconds >= _SOON_SECONDS else ""
    left = "{remaining} left" if rate and total else ""
    files, size_ = _files(going), _bytes(going)
    if columns >= _WIDE:
        yield _joined(percent, files, size_, rate, left)
    if columns >= _NARROW:  # what comes and goes with the first numbers must not make it jump from one to another
        yield _joined(files, size_, rate, left)
        yield _joined(files, size_, left)
        yield _joined(files, left)
    yield _joined(percent or files or size_, left)
    yield _joined(percent)
    yield _joined()


def _joined(*parts: str) -> str:
    told = ", ".join(part for part in parts if part)
    return f"{{desc}}: {told}" if told else "{desc}"


def _files(going: Going) -> str:
    """Say how many files are done, of how many."""
    if going.in_bytes or not (going.done or going.total):
        return ""
    return count(going.done, "file") if going.total is None else f"{going.done:,} of {count(going.total, 'file')}"


def _bytes(going: Going) -> str:
    """Say how many bytes are done, of how many: the unit once where it is the same."""
    done, total = going.amount()
    if not (going.unit() and total):
        return ""
    value, unit = size(done).split(" ")
    return f"{value if size(total).endswith(f' {unit}') else f'{value} {unit}'} of {size(total)}"
