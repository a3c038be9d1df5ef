"""Needles that are films whose image data equal those of a haystack film: one film, whatever their tags say.

A needle is read whole, and of the haystack only the films that have the same facts, which stand at a few places of a
file: so a library is not read for one new film.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dupfind.matching.same_image_data import REASON
from dupfind.pictures import formats
from dupfind.run import Reading
from dupfind.values import Evidence, Failure, FileEntry, Match


def find_same_films(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    run: Reading,
    parted: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Return by path the matches of needles that are films, and why films could not be read; the lowest path wins.

    ``parted`` are, by the path of a needle, files that prove nothing of it.
    """
    films = [entry for entry in needles if entry.can_be_read and formats.is_film_name(entry.path)]
    candidates = [entry for entry in haystack if entry.can_be_read and formats.is_film_name(entry.path)]
    digests, failures = film_digests(films, candidates, run)
    witnesses: dict[bytes, list[str]] = defaultdict(list)
    for path in sorted(entry.path for entry in candidates):
        if digest := digests.get(path):
            witnesses[digest].append(path)
    matches = {}
    for film in films:
        refused = (parted or {}).get(film.path, ())
        chosen = next((path for path in witnesses.get(digests.get(film.path, b""), ()) if path not in refused), None)
        if chosen is not None:
            matches[film.path] = Match(chosen, Evidence.SAME, None, REASON)
    return matches, failures


def film_digests(
    films: Sequence[FileEntry], candidates: Sequence[FileEntry], run: Reading
) -> tuple[dict[str, bytes], dict[str, Failure]]:
    """Return by path the digests of those films that may be one with some of the other side, and why some have none."""
    facts, failures = run.reader.film_facts(films) if candidates else ({}, {})
    if not facts:
        return {}, failures
    of_candidates, failed = run.reader.film_facts(candidates)
    facts |= of_candidates
    sides = [{facts[entry.path] for entry in side if entry.path in facts} for side in (films, candidates)]
    common = sides[0] & sides[1]
    both = {entry.path: entry for entry in (*films, *candidates) if facts.get(entry.path) in common}
    digests, unread = run.reader.film_data(list(both.values()))
    return digests, failures | failed | unread
