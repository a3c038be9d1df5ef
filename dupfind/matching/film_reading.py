"""What is wanted of films' frames: from the cache where it is known, from the pool where it is not.

Apart from :mod:`dupfind.reading`, since it loads numpy, which a plain copy of the haystack never needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from dupfind.cache.cache_schema import Compared, FilePair
from dupfind.pool import film_pairs, film_prints, tasks
from dupfind.pool.film_pairs import FilmPair, Likened
from dupfind.pool.film_prints import FilmPrint
from dupfind.pool.processes import Death
from dupfind.reasons import Reason
from dupfind.run import Reading
from dupfind.search.frame_runs import Frames
from dupfind.values import FILM_FRAMES, ORIENTATIONS, Failure, FileEntry


class Views(NamedTuple):
    """The frames of a film, hashed as they are and without black bars."""

    whole: Frames
    inner: Frames
    """Without a frame where there are no bars."""


def film_keys(entries: Sequence[FileEntry], run: Reading) -> tuple[dict[str, Views], dict[str, Failure]]:
    """Return by path the key frames of films, and why some could not be decoded this time."""
    return _prints(run, "looking at films", film_prints.read_keys, entries, attrgetter("keys", "inner_keys"))


def film_frames(entries: Sequence[FileEntry], run: Reading) -> tuple[dict[str, Views], dict[str, Failure]]:
    """Return by path every frame of films, likewise."""
    return _prints(run, "decoding films", film_prints.read_frames, entries, attrgetter("frames", "inner_frames"))


def _prints(
    run: Reading,
    what: str,
    task: Callable[..., list[tasks.Outcome]],
    entries: Sequence[FileEntry],
    views: Callable[[FilmPrint], tuple[Frames | None, Frames | None]],
) -> tuple[dict[str, Views], dict[str, Failure]]:
    prints: dict[str, FilmPrint] = {}
    failures: dict[str, Failure] = {}
    with run.listener.part("look up", len(entries)):
        for entry, packed in zip(entries, run.cache.recall_film_prints(entries), strict=True):
            prints[entry.path] = FilmPrint() if packed is None else film_prints.unpacked(packed)
    unread = [entry for entry in entries if any(view is None for view in views(prints[entry.path]))]
    timeout_seconds = run.settings.timeout_seconds
    read = partial(task, max_pixels=run.settings.max_pixels, timeout_seconds=timeout_seconds)
    for entry, outcome in run.reader.map(what, read, unread, partial(_lost, timeout_seconds), attrgetter("size_bytes")):
        result = outcome.result
        if isinstance(result, Failure):
            # What is broken is so in every run; all else is a problem of this one.
            is_broken = result.lasting and result.stage == FILM_FRAMES
            failures[entry.path] = replace(result, is_image=False, lasting=is_broken, stage=FILM_FRAMES)
        elif isinstance(result, bytes):
            merged = film_prints.unpacked(result).merged(prints[entry.path])
            prints[entry.path] = merged
            run.cache.keep_film_print(entry, merged.packed(), outcome.read_ns)
    read_views = {path: views(film) for path, film in prints.items()}
    return {path: Views(whole, inner) for path, (whole, inner) in read_views.items() if whole and inner}, failures


def compare_films(pairs: Sequence[FilmPair], run: Reading) -> dict[FilmPair, Reason]:
    """Compare each pair of films frame by frame: how they differ; remembered for the two files."""
    by_files = {_files(pair): pair for pair in pairs}
    with run.listener.part("look up", len(pairs)):
        kept = run.cache.film_comparisons(list(by_files))
    outcomes = {
        by_files[files]: compared.objection for files, compared in kept.items() if compared.objection is not None
    }
    unread = [pair for pair in pairs if pair not in outcomes]
    timeout_seconds = run.settings.timeout_seconds
    task = partial(film_pairs.compare_films, max_pixels=run.settings.max_pixels, timeout_seconds=timeout_seconds)
    lost = partial(_not_likened, timeout_seconds)
    for pair, likened in run.reader.map("comparing films frame by frame", task, unread, lost, _bytes_of_pair):
        outcomes[pair] = likened.reason
        if likened.is_lasting:
            run.cache.keep_film_comparison(_files(pair), Compared(likened.reason), likened.read_ns)
    return outcomes


def _files(pair: FilmPair) -> FilePair:
    """Return two files as the cache knows them: how they were turned and cropped in one number."""
    cropped = sum(crops << place for place, crops in enumerate(pair.is_cropped))
    return FilePair(pair.needle, pair.witness, pair.orientation + ORIENTATIONS * cropped)


def _lost(timeout_seconds: float, entry: FileEntry, death: Death) -> tasks.Outcome:
    """Make the outcome for a film whose decoder died."""
    return tasks.Outcome(tasks.lost(death, film_prints.seconds_for(entry, timeout_seconds)), 0)


def _not_likened(timeout_seconds: float, pair: FilmPair, death: Death) -> Likened:
    return film_pairs.not_compared(tasks.lost(death, film_pairs.pair_seconds(pair, timeout_seconds)).reason)


def _bytes_of_pair(pair: FilmPair) -> int:
    return pair.needle.size_bytes + pair.witness.size_bytes
