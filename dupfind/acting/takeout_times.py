"""When pictures and films were taken by the JSON that a Takeout puts beside each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from dupfind.acting.import_plan import Needle
from dupfind.sidecars.contents import MOST_BYTES, described, taken_seconds
from dupfind.sidecars.kinds import Kind, kind_of, owners_of
from dupfind.sources.entries import ChangedError, open_entry


def takeout_times(needles: Iterable[Needle], undated: Collection[Needle]) -> dict[str, str]:
    """Return when those of the ``undated`` were taken that a Takeout says it of: EXIF's text, by the path of the entry.

    Only what lies in the same folder is read, of ``needles``, and only where its name and its title fit.
    """
    by_folder: dict[str, dict[str, Needle]] = {}
    for needle in undated:
        by_folder.setdefault(needle.folder, {})[needle.name] = needle
    times: dict[str, str] = {}
    for needle in needles:
        beside = by_folder.get(needle.folder)
        if beside is None or kind_of(needle.name) is not Kind.TAKEOUT:
            continue
        owners = owners_of(Kind.TAKEOUT, needle.name, beside)
        for owner, text in _described(needle, owners):
            times[beside[owner].entry.path] = text
    return times


def _described(needle: Needle, owners: list[str]) -> Iterator[tuple[str, str]]:
    """Yield those of the owners that a JSON is about, with when they were taken by the clock of this machine."""
    if not owners or needle.entry.size_bytes > MOST_BYTES or not needle.entry.can_be_read:
        return
    try:
        with open_entry(needle.entry) as file:
            content = file.read(MOST_BYTES + 1)
        seconds = taken_seconds(content)
        if seconds is None:
            return
        moment = datetime.fromtimestamp(seconds)  # noqa: DTZ006 - folders are named after local days
    except (OSError, ChangedError, ValueError, OverflowError):
        return
    for owner in described(Kind.TAKEOUT, content, owners):
        yield owner, f"{moment:%Y:%m:%d %H:%M:%S}"
