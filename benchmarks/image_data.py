"""Digests of image data: JPEG files in a second against a loop that reads and BLAKE3-hashes the same files whole.

    python -m benchmarks.image_data [--files N] [--rounds N] [--photos FOLDER]

The files are camera files, each with a comment of its own. Both loops run in this process on one core, in turn, with
the files in the system's memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from blake3 import blake3

from benchmarks.common import SHARED_DATA, machine, median
from dupfind.pool.tasks import read_image_data
from dupfind.sources.entries import entry_of
from dupfind.values import FileEntry

_BLOCK_BYTES = 1 << 20
_MAX_PIXELS, _TIMEOUT_SECONDS = 500_000_000, 60.0
_COMMENT = 0xFE


def _build(folder: Path, photos: Path, count: int) -> list[Path]:
    """Write ``count`` JPEG files, copies of the photos with a comment each."""
    contents = [path.read_bytes() for path in sorted(photos.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]
    written = []
    for number in range(count):
        content = contents[number % len(contents)]
        comment = b"%d" % number
        path = folder / f"IMG_{number:04}.jpg"
        head = b"\xff" + bytes([_COMMENT]) + (2 + len(comment)).to_bytes(2, "big") + comment
        path.write_bytes(content[:2] + head + content[2:])
        written.append(path)
    return written


def _plainly(entries: Sequence[FileEntry]) -> None:
    buffer = bytearray(_BLOCK_BYTES)
    view = memoryview(buffer)
    for entry in entries:
        hasher = blake3()
        with open(entry.path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hasher.update(view[:count])
        hasher.digest()


def _by_image_data(entries: Sequence[FileEntry]) -> None:
    outcomes = read_image_data(entries, _MAX_PIXELS, _TIMEOUT_SECONDS)
    assert all(isinstance(outcome.result, bytes) and outcome.result for outcome in outcomes)


def _seconds(work: Callable[[Sequence[FileEntry]], None], entries: Sequence[FileEntry]) -> tuple[float, float]:
    """Return the time by the clock and the processor time of this process."""
    began = time.perf_counter(), time.process_time()
    work(entries)
    return time.perf_counter() - began[0], time.process_time() - began[1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=Path, default=SHARED_DATA / "camera")
    options = parser.parse_args()
    if not options.photos.is_dir():
        print(f"skipped: {options.photos} is not there")
        return 0
    with tempfile.TemporaryDirectory(prefix="dupfind-") as folder:
        paths = _build(Path(folder), options.photos, options.files)
        entries = [entry_of(str(path), path.stat()) for path in paths]
        size_bytes = sum(entry.size_bytes for entry in entries)
        plain, ours = [], []
        for _ in range(options.rounds):
            plain.append(_seconds(_plainly, entries))
            ours.append(_seconds(_by_image_data, entries))
    print(machine())
    print(f"{len(entries)} files, {size_bytes / 1e6:.0f} MB, median of {options.rounds} rounds")
    for number, clock in enumerate(("by the clock", "by processor time")):
        rates = [len(entries) / median([times[number] for times in of_loop]) for of_loop in (plain, ours)]
        print(f"{clock}: loop {rates[0]:.0f} files/s, image data {rates[1]:.0f}, {rates[1] / rates[0]:.2f} of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
