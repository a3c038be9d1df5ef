"""Needles that are films of which the haystack has another encoding, a part, or a changed copy: `similar` at most.

Only for films that nothing else proves. Key frames of the haystack's films and every frame of such a needle are hashed;
those that share a run of frames are compared whole, frame by frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dupfind.matching.film_reading import compare_films, film_frames, film_keys
from dupfind.pictures import formats
from dupfind.pool.film_pairs import UNLIKE, FilmPair
from dupfind.reasons import FILM_LIKENESS, Reason, ReasonCode
from dupfind.run import Reading
from dupfind.search.frame_runs import FrameIndex, FrameRun, Frames
from dupfind.values import FILM_FRAMES, Evidence, Failure, FileEntry, Match

_RANKS = {ReasonCode.RE_ENCODED_FILM: 0, ReasonCode.FILM_PART: 1, ReasonCode.FILM_CHANGED: 2}


class LikeFilm(NamedTuple):
    """A film of the haystack that looks like a needle."""

    entry: FileEntry
    reason: Reason
    run: FrameRun
    """The run of frames that both share."""

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Return the rank, the lowest for the film that is most like the needle."""
        return _RANKS[self.reason.code], len(self.reason.facts), -self.run.keys, self.entry.path

    def match(self) -> Match:
        """Make the match of the needle."""
        return Match(self.entry.path, Evidence.SIMILAR, self.run.distance_bits, self.reason)


def find_like_films(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Return by path the matches of needles that are films, and why films could not be decoded.

    ``split`` are, by the path of a needle, files that prove nothing of it.
    """
    alike, failures = like_films(needles, haystack, run, split)
    return {path: films[0].match() for path, films in alike.items()}, failures


def like_films(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, list[LikeFilm]], dict[str, Failure]]:
    """Return by the path of each needle all films of the haystack that look like it, the best first."""
    films, candidates = _readable(needles), _readable(haystack)
    if not films or not candidates:
        return {}, {}
    keys, failures = film_keys(candidates, run)
    is_any = any(len(part.seconds) for part in keys.values())
    frames, unread = film_frames(films if is_any else [], run)
    failures |= unread
    places = [entry for entry in candidates if entry.path in keys and len(keys[entry.path].seconds)]
    orientations = None if run.settings.scan.rotations else 1
    with run.listener.part("search", len(films)):
        of_places = (keys[entry.path] for entry in places)
        index = FrameIndex([Frames(of.seconds, of.hashes[:, :orientations]) for of in of_places])
        runs = _runs(index, films, places, frames, split or {})
    pairs = {
        FilmPair(needle, places[shared.film], shared.orientation, shared.offset_seconds): shared
        for needle, shared in runs
    }
    alike: dict[str, list[LikeFilm]] = {}
    for pair, reason in compare_films(list(pairs), run).items():
        if reason.code in FILM_LIKENESS:
            alike.setdefault(pair.needle.path, []).append(LikeFilm(pair.witness, reason, pairs[pair]))
        elif reason != UNLIKE:
            failures[pair.needle.path] = Failure(str(reason.facts[0]), is_image=False, lasting=False, stage=FILM_FRAMES)
    for like_needle in alike.values():
        like_needle.sort(key=lambda film: film.rank)
    return alike, {path: failure for path, failure in failures.items() if path not in alike}


def _runs(
    index: FrameIndex,
    films: Sequence[FileEntry],
    places: Sequence[FileEntry],
    frames: Mapping[str, Frames],
    split: Mapping[str, frozenset[str]],
) -> list[tuple[FileEntry, FrameRun]]:
    """Return each film with the runs that it shares with others."""
    runs = []
    for film in films:
        own = frames.get(film.path)
        if own is None or not len(own.seconds):
            continue
        refused = split.get(film.path, frozenset())
        left_out = frozenset(
            place for place, entry in enumerate(places) if entry.path in refused or entry.path == film.path
        )
        runs += [(film, run) for run in index.runs(own, left_out)]
    return runs


def _readable(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Return the films among these that can be decoded; sounds are none."""
    return [entry for entry in entries if entry.can_be_read and formats.suffix(entry.path) in formats.FILM_SUFFIXES]
