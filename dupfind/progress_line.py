"""The one line that shows how far a run is, as text: step n of m, files, bytes, rate, remaining time; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dupfind.report.text import count, size

Step = frozenset[str]
"""The names of the stages that make up a step."""

_LIST = Step(
    {
        "walking",
        "looking into archives",
        "reading needles for Immich",
        "asking Immich",
        "searching Immich",
        "previews from Immich",
        "originals from Immich",
    }
)
_BYTES = Step({"comparing bytes"})
_DECODE = Step({"decoding", "decoding the needle"})
_NEEDLES = Step({"decoding needles"})
_HAYSTACK = Step({"decoding haystack"})
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
        "describing haystack",
        "describing needles",
        "hashing",
        "looking at damaged needles",
        "looking at films",
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
    in_bytes: bool = False
    """Whether the items are bytes."""
    done: int = 0
    total_bytes: int = 0
    """Bytes to go through; 0 where that is not known."""
    done_bytes: int = 0

    def fraction(self) -> float | None:
        """Tell how much is done, by bytes where they are known: large files take longer. None where nothing is known.

        >>> Going("decoding", 4, 0.0, done=1, total_bytes=100, done_bytes=90).fraction()
        0.9
        """
        if self.total_bytes:
            return min(1.0, self.done_bytes / self.total_bytes)
        return min(1.0, self.done / self.total) if self.total else None


_WIDE, _NARROW = 100, 60
"""From so many columns on words are written out; below so many, only the share and the remaining time are told."""
_SOON_SECONDS = 1.0
"""Before that, no rate and no remaining time is told: it would be a guess."""


def line(going: Going, place: tuple[int, int], now_seconds: float, columns: int) -> str:
    """Write the line for a screen of so many columns; ``place`` is the step, from 1, and how many there are.

    What fits the line is on it, in this order of worth: the step, its name, how much of it is done and how long it will
    still take, files, bytes, the rate.

    >>> going = Going("decoding needles", 5678, 0.0, done=1234, total_bytes=10**10, done_bytes=23 * 10**8)
    >>> for columns in (100, 80, 40, 24):
    ...     print(line(going, (3, 6), 24.2, columns))
    step 3 of 6, decoding needles: 23%, 1,234 of 5,678 files, 2.3 of 10 GB, 51/s, 1:21 left
    3/6 decoding needles: 1,234 of 5,678 files, 2.3 of 10 GB, 51/s, 1:21 left
    3/6 decoding needles: 23%, 1:21 left
    3/6 decoding needles
    """
    number, steps = place
    head = f"step {number} of {steps}, {going.name}" if columns >= _WIDE else f"{number}/{steps} {going.name}"
    if steps <= 1:
        head = going.name
    fraction = going.fraction()
    percent = "" if fraction is None else f"{fraction:.0%}"
    files, amount = _files(going), _amount(going)
    rate, left = _rate(going, now_seconds), _left(fraction, now_seconds - going.began_seconds)
    ways = [(head, files, amount, rate, left), (head, files, amount, left), (head, files, left)]
    if columns >= _WIDE:
        ways.insert(0, (head, percent, files, amount, rate, left))
    # What comes and goes with the first numbers must not make the line jump from one form to another.
    ways = [*(ways if columns >= _NARROW else []), (head, percent or files or amount, left), (head, percent), (head,)]
    written = [_joined(*way) for way in ways]
    return next((text for text in written if len(text) < columns), written[-1][: max(0, columns - 1)])


def _joined(head: str, *rest: str) -> str:
    told = ", ".join(part for part in rest if part)
    return f"{head}: {told}" if told else head


def _files(going: Going) -> str:
    """Say how many files are done, of how many."""
    if going.in_bytes or not (going.done or going.total):
        return ""
    return count(going.done, "file") if going.total is None else f"{going.done:,} of {count(going.total, 'file')}"


def _amount(going: Going) -> str:
    """Say how many bytes are done, of how many: the unit once where it is the same."""
    done, total = (going.done, going.total or 0) if going.in_bytes else (going.done_bytes, going.total_bytes)
    if not total:
        return ""
    value, unit = size(done).split(" ")
    return f"{value if size(total).endswith(f' {unit}') else f'{value} {unit}'} of {size(total)}"


def _rate(going: Going, now_seconds: float) -> str:
    """Say how many files are done in a second, or bytes."""
    seconds = now_seconds - going.began_seconds
    if seconds < _SOON_SECONDS or not going.done:
        return ""
    a_second = going.done / seconds
    if going.in_bytes:
        return f"{size(round(a_second))}/s"
    return f"{a_second:,.0f}/s" if a_second >= 9.95 else f"{a_second:.1f}/s"  # noqa: PLR2004 - two digits


def _left(fraction: float | None, seconds: float) -> str:
    """Say how long the step will still take, if it goes on as it went."""
    if not fraction or seconds < _SOON_SECONDS:
        return ""
    minutes, rest = divmod(round(seconds / fraction - seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"
