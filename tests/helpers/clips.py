"""Small films in which something happens, and copies of them in other encodings; made the same way each time."""

from __future__ import annotations

from functools import cache

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from benchmarks.film_kinds import H264, Clip, Encoding, made, write

SMALL = H264._replace(options=(("crf", "20"), ("preset", "ultrafast")), gop=10)
COARSE = SMALL._replace(options=(("crf", "32"), ("preset", "ultrafast")), gop=50)


@cache
def clip(seed: int = 1, seconds: float = 3.0) -> Clip:
    """A film of two scenes with sound, 10 pictures a second."""
    return made(seed, seconds, (96, 64), 10)


@cache
def content(seed: int = 1, encoding: Encoding = SMALL) -> bytes:
    """The same, as a file."""
    return write(clip(seed), encoding)
