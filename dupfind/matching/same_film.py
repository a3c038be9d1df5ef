"""Needles that are films whose image data equal those of a haystack film: one film, whatever their tags say.

A needle is read whole, and of the haystack only the films that have the same facts, which stand at a few places of a
file: so a library is not read for one new film.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dupfind.matching.same_image_data import REASON
from dupfind.pictures import formats
from dupfind.run import Reading
from dupfind.values import Evidence, Failure, FileEntry, Match


def find_same_films(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Return by path the matches of needles that are films, and why films could not be read; the lowest path wins.

    ``split`` are, by the path of a needle, files that prove nothing of it.
    """
    witnesses, failures = same_films(needles, haystack, run)
    matches = {}
    for path, entries in witnesses.items():
        refused = (split or {}).get(path, ())
        chosen = next((entry.path for entry in entries if entry.path not in refused), None)
        if chosen is not None:
            matches[path] = Match(chosen, Evidence.SAME, None, REASON)
    return matches, failures


def same_films(
    needles: Sequence[FileEntry], haystack: Sequence[FileEntry], run: Reading
) -> tuple[dict[str, list[FileEntry]], dict[str, Failure]]:
    """Return by the path of each needle that is a film all of the haystack that are the same one, by their paths."""
    films, candidates = _readable(needles), _readable(haystack)
    digests, failures = film_digests(films, candidates, run)
    by_digest = _by_digest(candidates, digests)
    return {film.path: by_digest[digests[film.path]] for film in films if digests.get(film.path) in by_digest}, failures


def equal_films(entries: Sequence[FileEntry], run: Reading) -> tuple[list[list[FileEntry]], dict[str, Failure]]:
    """Return every set of two or more that are one film, by their paths, and by path why films could not be read.

    Only films of which another has the same facts are read whole.
    """
    films = _readable(entries)
    facts, failures = run.reader.film_facts(films) if len(films) > 1 else ({}, {})
    counts = Counter(facts.values())
    digests, unread = run.reader.film_data([film for film in films if counts[facts.get(film.path, b"")] > 1])
    return [equal for equal in _by_digest(films, digests).values() if len(equal) > 1], failures | unread


def _readable(entries: Sequence[FileEntry]) -> list[FileEntry]:
    return [entry for entry in entries if entry.can_be_read and formats.is_film_name(entry.path)]


def _by_digest(entries: Sequence[FileEntry], digests: Mapping[str, bytes]) -> dict[bytes, list[FileEntry]]:
    """Sort films by what they are, those that have a digest; of each the lowest path first."""
    by_digest: dict[bytes, list[FileEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        if digest := digests.get(entry.path):
            by_digest.setdefault(digest, []).append(entry)
    return by_digest


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
