"""Digests of films: processor time a MB against BLAKE3 of the whole file, and the time of the facts alone.

    python -m benchmarks.films [--rounds N] FILM ...

Without films two are made: one of large packets, as cameras write them, and one of small ones. Everything runs in this
process on one core, with the files in the system's memory. Needs the extra `dupfind[video]`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.common import machine, median
from dupfind.digest import digest
from dupfind.pictures import film_data


def _made(path: Path, size: tuple[int, int], codec: str, frames: int) -> Path:
    """Make a film with a sound track; ``frames`` pictures of ``size``, 30 a second."""
    import av

    rng = np.random.default_rng(1)
    silence = np.zeros((1, 1024), np.int16)
    file: Any = av
    with file.open(str(path), "w") as out:
        video, audio = out.add_stream(codec, rate=30), out.add_stream("aac", rate=48_000, layout="mono")
        video.width, video.height, video.pix_fmt = *size, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        ground = rng.integers(0, 255, (size[1], size[0], 3), np.uint8)
        for index in range(frames):
            frame = file.VideoFrame.from_ndarray(np.roll(ground, index, axis=1), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        for index in range(frames * 1600 // 1024):
            part = file.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            part.sample_rate, part.pts, part.time_base = 48_000, index * 1024, Fraction(1, 48_000)
            out.mux(audio.encode(part))
        out.mux(audio.encode())
    return path


def _plainly(file: IO[bytes]) -> None:
    digest(file)


def _as_film(file: IO[bytes]) -> None:
    assert film_data.read_digest(file)


def _facts(file: IO[bytes]) -> None:
    assert film_data.read_facts(file)


def _seconds(work: Callable[[IO[bytes]], None], path: Path) -> float:
    with open(path, "rb") as file:
        began = time.process_time()
        work(file)
        return time.process_time() - began


def main() -> int:
    """Make, measure, print; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        films = options.films or [
            _made(Path(folder) / "large.mov", (640, 480), "mjpeg", 900),
            _made(Path(folder) / "small.mp4", (64, 48), "mpeg4", 1800),
        ]
        for path in films:
            megabytes = path.stat().st_size / 1e6
            plain, whole, facts = (
                median([_seconds(work, path) for _ in range(options.rounds)]) for work in (_plainly, _as_film, _facts)
            )
            print(
                f"{path.name}: {megabytes:.1f} MB, BLAKE3 {1e3 * plain / megabytes:.2f} ms/MB, "
                f"film {1e3 * whole / megabytes:.2f} ms/MB, facts {1e3 * facts:.2f} ms"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
