"""``--profile-stages`` for people: where the time of a run went."""

from __future__ import annotations

from dupfind.report import Screen
from dupfind.report.look import Page
from dupfind.report.text import count
from dupfind.stopwatch import TimedPart, Times

_LEAST_SECONDS = 0.0005
"""Below this a rate says nothing: the seconds are shown with three digits."""


def render(times: Times, workers: int, screen: Screen) -> bytes:
    """Render a row a stage, in the order in which they began, and what the processors did meanwhile."""
    page = Page(screen)
    table = page.table()
    table.add_column("Stage", no_wrap=True)
    for name in ("Seconds", "Share", "Items", "Items/s", "Workers busy"):
        table.add_column(name, justify="right", no_wrap=True)
    elapsed_seconds = times.elapsed_seconds
    for name, part in times.parts.items():
        table.add_row(name, *_numbers(part, elapsed_seconds, workers))
    table.add_row("the rest", *_numbers(TimedPart(times.rest_seconds), elapsed_seconds, workers))
    table.add_row("all", *_numbers(TimedPart(elapsed_seconds), elapsed_seconds, workers))
    page.add(table)
    page.add("")
    for line in _processors(times, workers):
        page.add(line, wrap=True)
    return b"\n" + page.encoded()


def _numbers(part: TimedPart, elapsed_seconds: float, workers: int) -> list[str]:
    """Write the cells of a row, without its name."""
    share = part.seconds / elapsed_seconds if elapsed_seconds else 0.0
    rate = part.items / part.seconds if part.items and part.seconds >= _LEAST_SECONDS else None
    return [
        f"{part.seconds:,.3f}",
        f"{share:.0%}",
        f"{part.items:,}" if part.items else "",
        f"{rate:,.0f}" if rate is not None else "",
        f"{part.worker_seconds / part.seconds / workers:.0%}" if part.worker_seconds and part.seconds else "",
    ]


def _processors(times: Times, workers: int) -> list[str]:
    """Say how much of the time something was computed, so that an idle core shows."""
    worker_seconds = sum(part.worker_seconds for part in times.parts.values())
    elapsed_seconds = times.elapsed_seconds
    own = f"Processor time: {times.own_seconds:.2f} s here"
    if not worker_seconds:
        return [f"{own}, none in workers, in {elapsed_seconds:.2f} s."]
    many = count(workers, "worker")
    busy = worker_seconds / elapsed_seconds / workers
    return [f"{own}, {worker_seconds:.2f} s in {many} ({busy:.0%} busy), in {elapsed_seconds:.2f} s."]
