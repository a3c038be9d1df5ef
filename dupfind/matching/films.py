"""The match of each needle that is a film: by equal packets, and where that gives none by what its frames show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dupfind.matching.same_film import find_same_films
from dupfind.run import Reading
from dupfind.values import Failure, FileEntry, Match


def match_films(
    films: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Return by path the matches of needles that are films, and why films could not be read.

    ``split`` are, by the path of a needle, files that prove nothing of it.
    """
    matches, failures = find_same_films(films, haystack, run, split)
    # What crashed its reader, or took too long, would do so again.
    unproved = [film for film in films if film.path not in matches and film.path not in failures]
    readable = [film for film in haystack if film.path not in failures]
    if not unproved:
        return matches, failures
    from dupfind.matching.like_film import find_like_films  # brings numpy

    alike, undecoded = find_like_films(unproved, readable, run, split)
    return matches | alike, failures | undecoded
