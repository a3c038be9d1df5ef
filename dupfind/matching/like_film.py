"""Needles that are films of which the haystack has another encoding, a part, or a changed copy: `similar` at most.

Only for films that nothing else proves. Key frames of the haystack's films and every frame of such a needle are hashed;
those that share a run of frames are compared whole, frame by frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dupfind.matching.film_reading import Views, compare_films, film_frames, film_keys
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
    is_any = any(len(views.whole.seconds) or len(views.inner.seconds) for views in keys.values())
    frames, unread = film_frames(films if is_any else [], run)
    failures |= unread
    with run.listener.part("search", len(films)):
        pairs = _pairs(films, [entry for entry in candidates if entry.path in keys], (frames, keys), run, split or {})
    alike: dict[str, dict[str, LikeFilm]] = {}
    for pair, reason in compare_films(list(pairs), run).items():
        if reason.code in FILM_LIKENESS:
            of_needle = alike.setdefault(pair.needle.path, {})
            like = LikeFilm(pair.witness, reason, pairs[pair])
            best = of_needle.get(pair.witness.path)
            if best is None or like.rank < best.rank:  # with bars, and without
                of_needle[pair.witness.path] = like
        elif reason != UNLIKE:
            failures[pair.needle.path] = Failure(str(reason.facts[0]), is_image=False, lasting=False, stage=FILM_FRAMES)
    ranked = {path: sorted(films.values(), key=lambda film: film.rank) for path, films in alike.items()}
    run.reader.passing.update(failures)
    return ranked, {path: failure for path, failure in failures.items() if path not in ranked}


def _pairs(
    films: Sequence[FileEntry],
    candidates: Sequence[FileEntry],
    views: tuple[Mapping[str, Views], Mapping[str, Views]],
    run: Reading,
    split: Mapping[str, frozenset[str]],
) -> dict[FilmPair, FrameRun]:
    """Return the films to be compared, with and without black bars, and the run of frames that both share.

    ``views`` are those of the needles, and of the haystack.
    """
    orientations = None if run.settings.scan.rotations else 1
    places = [
        (entry, is_inner, view)
        for entry in candidates
        for is_inner, view in enumerate(views[1][entry.path])
        if len(view.seconds)
    ]
    index = FrameIndex([Frames(view.seconds, view.hashes[:, :orientations]) for _, _, view in places])
    pairs: dict[FilmPair, FrameRun] = {}
    for film in films:
        refused = split.get(film.path, frozenset())
        left_out = frozenset(
            place for place, (entry, _, _) in enumerate(places) if entry.path in refused or entry.path == film.path
        )
        seen_whole: set[str] = set()
        for is_inner, own in enumerate(views[0].get(film.path, ())):
            for shared in index.runs(own, left_out) if len(own.seconds) else ():
                entry, is_inner_there, _ = places[shared.film]
                if is_inner and is_inner_there and entry.path in seen_whole:
                    continue  # both have bars, and are alike with them
                if not is_inner and not is_inner_there:
                    seen_whole.add(entry.path)
                is_cropped = bool(is_inner), bool(is_inner_there)
                pairs[FilmPair(film, entry, shared.orientation, shared.offset_seconds, is_cropped)] = shared
    return pairs


def _readable(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Return the films among these that can be decoded; sounds are none."""
    return [entry for entry in entries if entry.can_be_read and formats.suffix(entry.path) in formats.FILM_SUFFIXES]
