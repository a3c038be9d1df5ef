"""Groups of films that look alike: the largest file, and what was made of it, or it of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dupfind.matching.like_film import like_films
from dupfind.reasons import Reason
from dupfind.run import Reading
from dupfind.values import Failure, FileEntry


class LikeStack(NamedTuple):
    """Films of a group that are one by their packets."""

    films: Sequence[FileEntry]
    """The best first, which was compared."""
    reason: Reason | None = None
    """How it differs from the best of the group; None for that one."""
    distance_bits: int | None = None


def group_like_films(
    entries: Sequence[FileEntry], equal: Sequence[Sequence[FileEntry]], run: Reading
) -> tuple[list[list[LikeStack]], dict[str, Failure]]:
    """Return every group of films that look alike, those first that are in the largest; and why some were not decoded.

    ``equal`` are the sets of films that are one by their packets, the best of each first: it stands for them.
    """
    later = {film.path for films in equal for film in films[1:]}
    stacks = {films[0].path: films for films in equal}
    asked = sorted(
        (entry for entry in entries if entry.path not in later), key=lambda entry: (-entry.size_bytes, entry.path)
    )
    alike, failures = like_films(asked, asked, run)
    neighbours: dict[str, set[str]] = {}
    for path, films in alike.items():
        for film in films:
            neighbours.setdefault(path, set()).add(film.entry.path)
            neighbours.setdefault(film.entry.path, set()).add(path)
    groups: list[list[LikeStack]] = []
    grouped: set[str] = set()
    for best in asked:
        if best.path in grouped or best.path not in neighbours:
            continue
        linked = _linked(best.path, neighbours) - grouped - {best.path}
        near = [film for film in asked if film.path in linked]
        # Each as a needle of the best, whichever of the two was one before.
        members, _ = like_films(near, [best], run)
        if not members:
            continue
        found = [film for film in near if film.path in members]
        grouped |= {best.path, *members}
        groups.append([LikeStack(stacks.get(best.path, (best,)))])
        groups[-1] += [
            LikeStack(stacks.get(film.path, (film,)), like.reason, like.run.distance_bits)
            for film in found
            for like in members[film.path]
        ]
    return groups, failures


def _linked(path: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    """Return all that are linked with a film over any others: each was compared with a few only."""
    linked, fresh = {path}, {path}
    while fresh:
        fresh = {other for film in fresh for other in neighbours[film]} - linked
        linked |= fresh
    return linked
