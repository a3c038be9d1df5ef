"""Real bombs of 700 megapixels, not refused by their header, read in the pool that a scan has.

    python -m fuzz.bombs [--megapixels N] [--max-memory MIB] [--workers N]

Small files that ask a decoder for gigabytes. Told of each: what became of it, and the most memory that any worker held
(``VmHWM``, so only where there is ``/proc``). Ends with 1 where a worker held more than the ceiling.
"""

from __future__ import annotations

import argparse
import io
import os
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from dupfind.pool import tasks
from dupfind.pool.processes import Death
from dupfind.pool.tasks import Outcome
from dupfind.pool.workers import Pool
from dupfind.values import Failure, FileEntry, Thumbnail

MAX_PIXELS = 2_000_000_000
TIMEOUT_SECONDS = 120.0
_BLOCK = 1 << 20


def _zeros(count: int) -> bytes:
    """So many zeros as a zlib stream, a thousandth of their length."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(min(_BLOCK, count - place))) for place in range(0, count, _BLOCK)]
    return b"".join([*parts, packer.flush()])


def _png(side: int, channels: int, kind: int, depth: int = 8) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, 0))
    data = _zeros(side * (1 + side * channels * depth // 8))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _tiff(side: int) -> bytes:
    """One strip of deflated RGB."""
    data = _zeros(3 * side * side)
    bits_place, data_place = 8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 6
    entries = [
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, bits_place), (259, 3, 1, 8), (262, 3, 1, 2),
        (273, 4, 1, data_place), (277, 3, 1, 3), (278, 4, 1, side), (279, 4, 1, len(data)), (284, 3, 1, 1),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, 10) + table + bytes(4) + struct.pack("<HHH", 8, 8, 8) + data


def _bmp(side: int) -> bytes:
    """Runs of one colour."""
    runs, rest = divmod(side, 255)
    data = (b"\xff\0" * runs + bytes([rest, 0]) * (rest > 0) + b"\0\0") * side + b"\0\1"
    start = 54 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<III", start + len(data), 0, start) + header + bytes(1024) + data


def _saved(kind: str, mode: str, most_side: int, side: int, **options: Any) -> bytes:  # noqa: ANN401 - to Pillow
    side = min(side, most_side)
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, kind, **options)
    return file.getvalue()


BOMBS: dict[str, Callable[[int], bytes]] = {
    "png grey": lambda side: _png(side, 1, 0),
    "png colour": lambda side: _png(side, 3, 2),
    "png alpha": lambda side: _png(side, 4, 6),
    "png 16 bits": lambda side: _png(side, 1, 0, 16),
    "tiff deflate": _tiff,
    "bmp runs": _bmp,
    "gif": partial(_saved, "GIF", "L", 65535),
    "jpeg": partial(_saved, "JPEG", "L", 65500),
    "jpeg progressive": partial(_saved, "JPEG", "RGB", 65500, progressive=True),
    "webp": partial(_saved, "WEBP", "RGB", 16383, lossless=True, method=0, quality=0),
}


class Row(NamedTuple):
    """What became of one bomb."""

    name: str
    size_bytes: int
    peak_bytes: int
    seconds: float
    text: str


def _entry(path: Path, content: bytes) -> FileEntry:
    path.write_bytes(content)
    found = path.stat()
    return FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _peak_bytes() -> int:
    """The most memory that any process started by the fork server of this one has held so far."""
    parents, peaks = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            lines = Path(f"/proc/{name}/status").read_text().splitlines()
        except OSError:
            continue
        values = dict(line.split(":", 1) for line in lines)
        if "VmHWM" in values:
            parents[int(name)], peaks[int(name)] = int(values["PPid"]), int(values["VmHWM"].split()[0]) << 10
    children = {one for one, parent in parents.items() if parent == os.getpid()}
    return max((peak for one, peak in peaks.items() if parents[one] in children), default=0)


def _lost(_: FileEntry, death: Death) -> Outcome:
    return Outcome(Failure(death.reason, lasting=False), 0)


def measure(folder: Path, names: Iterable[str], side: int, most_bytes: int, workers: int) -> Iterator[Row]:
    """Read bombs of ``side`` times ``side`` pixels, one after the other, each in a pool of its own."""
    task = partial(tasks.read_thumbnails, max_pixels=MAX_PIXELS, timeout_seconds=TIMEOUT_SECONDS)
    for name in names:
        entry = _entry(folder / name, BOMBS[name](side))
        most, is_over, began = [0], threading.Event(), time.monotonic()

        def watch(most: list[int] = most, is_over: threading.Event = is_over) -> None:
            while not is_over.wait(0.01):
                most[0] = max(most[0], _peak_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            with Pool(workers, most_bytes=most_bytes) as pool:
                ((_, outcome),) = pool.map(task, [entry], size_bytes=lambda _: 1, lost=_lost)
                most[0] = max(most[0], _peak_bytes())  # of one that was done before the first look
        finally:
            is_over.set()
            watcher.join()
        found = outcome.result
        text = f"{found.width} x {found.height}" if isinstance(found, Thumbnail) else getattr(found, "reason", "")
        yield Row(name, entry.size_bytes, most[0], time.monotonic() - began, text)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=int, default=700)
    parser.add_argument("--max-memory", type=int, default=1024)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    side, most_bytes, over = int((options.megapixels * 1e6) ** 0.5), options.max_memory << 20, 0
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(Path(folder), BOMBS, side, most_bytes, options.workers):
            peak = f"{row.peak_bytes >> 20:6} MiB {row.seconds:6.1f} s"
            print(f"{row.name:18}{row.size_bytes:11,} B {peak}  {row.text}", flush=True)
            over += row.peak_bytes > most_bytes
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
