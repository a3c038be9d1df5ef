"""The program, with a decoder of films that does harm in the middle of one: ``python film_harm.py scan ...``.

A program of its own, as ``harm`` is for pictures: the name of a film says what its decoder does, and where.
"""

from __future__ import annotations

import importlib
import itertools
import os
from typing import Any

from dupfind.pictures import film_frames
from dupfind.pool import film_pairs, film_prints, time_limit
from dupfind.pool.film_pairs import FilmPair, Likened
from dupfind.pool.tasks import Outcome
from dupfind.values import FileEntry

AFTER_FRAMES = 8


def _arm(entry: FileEntry) -> None:
    """Let the decoder do harm with one of the next frames of this film."""
    from harm import harm

    frames = itertools.count()

    def small(*args: Any) -> Any:
        if next(frames) == AFTER_FRAMES:
            if os.path.basename(entry.path).startswith("hang-"):
                sum(range(10**13))  # one call that does not return to Python, until the time limit of the film
            harm(entry)
        return _small(*args)

    film_frames._small = small


def read_frames(entries: list[FileEntry], max_pixels: int, timeout_seconds: float) -> list[Outcome]:
    """As :func:`dupfind.pool.film_prints.read_frames`; runs in a worker."""
    time_limit.HARD_LIMIT_SECONDS = 0.2
    outcomes = []
    for entry in entries:
        _arm(entry)
        outcomes += _read_frames([entry], max_pixels, timeout_seconds)
    return outcomes


def compare_films(pairs: list[FilmPair], max_pixels: int, timeout_seconds: float) -> list[Likened]:
    """As :func:`dupfind.pool.film_pairs.compare_films`, with harm to films called ``pair-...``; runs in a worker."""
    likened = []
    for pair in pairs:
        _arm(pair.needle._replace(path=os.path.basename(pair.needle.path).removeprefix("pair-")))
        likened += _compare_films([pair], max_pixels, timeout_seconds)
    return likened


_read_frames, _compare_films, _small = film_prints.read_frames, film_pairs.compare_films, film_frames._small

if __name__ == "__main__":
    own = importlib.import_module("film_harm")  # the workers load it by its name: none loads a main module
    film_prints.read_frames, film_pairs.compare_films = own.read_frames, own.compare_films
    from dupfind.__main__ import main

    main()
