"""Which assets of a server may be pictures of needles, by when they were taken and how they are called; pure.

A library may have a hundred thousand assets, and a list of it all in each run is more than a card is worth. So the
server is asked for the days on which needles were taken, and for the names of those that do not say when. An asset is a
candidate of a needle where its clock shows the same second, or two to either side, or where its name is the same, but
for the ending.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dupfind.errors import ServerError
from dupfind.evidence import capture_times
from dupfind.sources.source import Look

PAGE_SIZE = 1000
"""Assets in one answer: the most that the API allows."""
_SPAN_SECONDS = 14 * 3600
"""How far the clock of a camera may be from UTC, by which the server searches."""
_TOLERANCE_SECONDS = 2
_LEAST_STEM = 4
"""Letters of a name that is worth a question."""
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LATEST_SECONDS = 3_000 * 366 * 86400
_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z?", re.ASCII)


class Sought(NamedTuple):
    """What the server is to be asked for."""

    moments: dict[str, int]
    """By the path of each needle that says when it was taken, the seconds of its clock since the year 1."""
    stems: dict[str, list[str]]
    """By a name without its ending, in small letters, the paths of needles that say no time and are called so."""


def sought(looks: Mapping[str, Look]) -> Sought:
    """Sort needles by what is known of them, by their paths."""
    moments: dict[str, int] = {}
    stems: dict[str, list[str]] = {}
    for path, look in looks.items():
        moment = capture_times.parse(look.captured)
        if moment is not None and _SPAN_SECONDS < moment.seconds < _LATEST_SECONDS:
            moments[path] = moment.seconds
        elif len(stem := stem_of(os.path.basename(path))) >= _LEAST_STEM:
            stems.setdefault(stem, []).append(path)
    return Sought(moments, stems)


def stem_of(name: str) -> str:
    """Return a name without its ending, to be compared.

    >>> stem_of("IMG_1.JPEG"), stem_of("a.b.heic")
    ('img_1', 'a.b')
    """
    return os.path.splitext(name)[0].casefold()


def spans(moments: Iterable[int]) -> list[tuple[int, int]]:
    """Return the stretches of time, in seconds of UTC since the year 1, in which these moments may lie.

    >>> day = 86400
    >>> spans([10 * day, 10 * day + 60, 100 * day]) == [(813600, 914460), (8589600, 8690400)]
    True
    """
    stretches: list[tuple[int, int]] = []
    for moment in sorted(moments):
        start, end = moment - _SPAN_SECONDS, moment + _SPAN_SECONDS
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], end
        else:
            stretches.append((start, end))
    return stretches


def question_of_span(span: tuple[int, int], page: int) -> dict[str, Any]:
    """Return the body of a search for what was taken in a stretch of time."""
    after, before = ((_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="milliseconds") for seconds in span)
    times = {"takenAfter": after.replace("+00:00", "Z"), "takenBefore": before.replace("+00:00", "Z")}
    return {"type": "IMAGE", **times, "page": page, "size": PAGE_SIZE}


def question_of_stem(stem: str) -> dict[str, Any]:
    """Return the body of a search for a name; one page is enough, since the name may stand in many others."""
    return {"type": "IMAGE", "originalFileName": stem, "page": 1, "size": PAGE_SIZE}


def page_in(answer: Any) -> tuple[list[Mapping[str, Any]], bool]:  # noqa: ANN401 - whatever the server says
    """Return the assets of an answer, and whether there are more; raises :class:`~dupfind.errors.ServerError`."""
    assets = answer.get("assets") if isinstance(answer, dict) else None
    items = assets.get("items") if isinstance(assets, dict) else None
    if not isinstance(items, list) or not isinstance(assets, dict):
        raise ServerError("it does not answer a search as it is documented")
    return [item for item in items if isinstance(item, dict)], assets.get("nextPage") is not None


def by_time(
    items: Iterable[Mapping[str, Any]], moments: Mapping[str, int]
) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Yield those assets that were taken when needles were, with the paths of these."""
    paths: dict[int, list[str]] = {}
    for path, moment in moments.items():
        paths.setdefault(moment, []).append(path)
    for item in items:
        seconds = _seconds(item.get("localDateTime"))
        if seconds is not None:
            near = range(seconds - _TOLERANCE_SECONDS, seconds + _TOLERANCE_SECONDS + 1)
            taken = [path for moment in near for path in paths.get(moment, ())]
            if taken:
                yield item, taken


def by_stem(items: Iterable[Mapping[str, Any]], stem: str) -> Iterator[Mapping[str, Any]]:
    """Yield those assets that have exactly this name, whatever its ending."""
    return (item for item in items if stem_of(str(item.get("originalFileName") or "")) == stem)


def _seconds(text: object) -> int | None:
    """Return the seconds of a local clock since the year 1, as the server writes it; None for anything else."""
    match = _LOCAL.fullmatch(text) if isinstance(text, str) else None
    try:
        moment = datetime(*map(int, match.groups()), tzinfo=UTC) if match else None  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    return None if moment is None else int((moment - _EPOCH).total_seconds())
