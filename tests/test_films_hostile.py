"""Broken films of every kind: an answer or none, and never anything else; see docs/hostile.md."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind.pictures import film_data
from dupfind.pool.processes import Death
from dupfind.reading import _lost_film
from dupfind.values import Failure, FileEntry
from tests.helpers.films import film, sound

KINDS: dict[str, Callable[[], bytes]] = {
    "mov": lambda: film("mov", frames=4, size=(16, 16)),
    "mp4 with PCM": lambda: film("mov", frames=4, size=(16, 16), codec="mpeg4", b_frames=0, audio="pcm_s16le"),
    "mkv": lambda: film("matroska", frames=4, size=(16, 16), codec="mpeg4", b_frames=0),
    "avi": lambda: film("avi", frames=4, size=(16, 16), codec="mpeg4", b_frames=0, audio="mp3"),
    "mp3": lambda: sound("mp3", "mp3", seconds=0.2),
    "flac": lambda: sound("flac", "flac", seconds=0.1),
    "ogg": lambda: sound("ogg", "libopus", seconds=0.2),
    "wav": lambda: sound("wav", "pcm_s16le", seconds=0.05),
}


def broken(content: bytes, rng: random.Random) -> bytes:
    """The content with some bytes changed, cut out, put in twice or cut off."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(changed))
        length = rng.choice((1, 2, 4, 8, 64))
        way = rng.randrange(4)
        if way == 0:
            changed[start : start + length] = rng.randbytes(len(changed[start : start + length]))
        elif way == 1:
            del changed[start : start + length]
        elif way == 2:
            changed[start:start] = changed[start : start + length]
        else:
            changed[start : start + length] = rng.choice((b"\0", b"\xff")) * len(changed[start : start + length])
        if len(changed) < 16:
            break
    if rng.randrange(6) == 0:
        del changed[rng.randrange(len(changed)) :]
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_broken_films(kind: str) -> None:
    """Of each some hundred: a digest or none, within seconds, and with a digest facts."""
    content, rng = KINDS[kind](), random.Random(18)  # noqa: S311 - what is broken is no secret
    for _ in range(400):
        file = io.BytesIO(broken(content, rng))
        began = time.monotonic()
        try:
            facts, digest = film_data.read_facts(file), film_data.read_digest(file)
        except MemoryError:  # who runs it knows whether more can be had
            continue
        assert digest is None or facts is not None
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (Death(9.0, -11), "its decoder crashed (SIGSEGV)"),
        (Death(99.0, 1), "decoding took longer than 61 s (--timeout)"),
        (Death(9.0, 1), "the process that read it died"),
    ],
)
def test_a_film_whose_reader_dies(death: Death, words: str) -> None:
    """Is told of in words, and read again in the next run."""
    outcome = _lost_film(FileEntry("film.mov", 1 << 20, 0, 0, 0), death, 60.0)
    assert isinstance(outcome.result, Failure)
    assert (words, False) == (outcome.result.reason, outcome.result.lasting)


FRAMED = ("mov", "mkv", "avi")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FRAMED)
def test_frames_of_broken_films(kind: str) -> None:
    """Of each some hundred: frames or none, within seconds, and nothing but what says that a film is broken."""
    from dupfind.evidence.film_likeness import liken
    from dupfind.pictures import film_frames
    from dupfind.pool.film_prints import BROKEN

    content, rng = KINDS[kind](), random.Random(22)  # noqa: S311 - likewise
    whole = film_frames.read_track(io.BytesIO(content), 10**6)
    assert whole is not None
    for _ in range(120):
        file = io.BytesIO(broken(content, rng))
        began = time.monotonic()
        for read in (
            lambda file: film_frames.read_key_frames(file, 10**6),
            lambda file: list(film_frames.read_thumbnails(file, 10**6)),
            lambda file: film_frames.read_strip(file, 10**6, 6, 160),
            lambda file: film_frames.read_track(file, 10**6),
        ):
            try:
                read(file)
            except BROKEN:
                continue
        try:
            track = film_frames.read_track(file, 10**6)
        except BROKEN:
            continue
        if track is not None:
            liken(track, whole, 0, 0.0)
            liken(whole, track, 0, 0.0)
        assert time.monotonic() - began < 20
