"""Feeds broken bytes to everything that reads a file's outline, guided by the lines that they reach.

    python -m fuzz.parsers [--seconds N] [--seed N] [--only TEXT]

An input that takes code to a step from one line to another which none took before is kept and broken further. What must
hold: no exception but the ones that are meant, nothing slow, and answers that lie within the file. Ends with 1 where
one does not.
"""

from __future__ import annotations

import argparse
import io
import math
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from PIL import Image, JpegImagePlugin

from dupfind.errors import UndecodableError
from dupfind.pictures import (
    container_format,
    containers,
    embedded,
    exif,
    formats,
    jpeg_stream,
    jxl,
    kinds,
    png_texts,
    raw,
    segments,
    tiff,
    trailers,
)
from fuzz import mutations, samples

MOST_SECONDS = 20.0
"""Following every line takes twenty times as long as running."""
MOST_BYTES = 60_000
"""Of an input: what is looked for are outlines, not pixels."""
_SHOWN = embedded.Shown(Image.new("RGB", (64, 48)), None, 64, 48)
_TRACED = tuple(
    str(module.__file__)
    for module in (
        containers,
        embedded,
        exif,
        jpeg_stream,
        jxl,
        kinds,
        container_format,
        png_texts,
        raw,
        segments,
        tiff,
        trailers,
    )
)


def _check(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def try_jpeg_stream(content: bytes) -> None:
    """The outline of a JPEG, its first scan, and the file without what its decoder complains of."""
    stream = jpeg_stream.inspect(content)
    _check(0 <= stream.scan_start <= len(content), "the scan starts outside")
    _check(stream.end is None or 2 <= stream.end <= len(content), "the end is outside")
    _check((stream.end is None) <= (stream.damage is not None), "an end is missing, and nothing said")
    _check(stream == jpeg_stream.inspect(content), "two answers")
    for length in (len(content), len(content) // 2, len(content) // 8):
        found = jpeg_stream.coarse(content[:length])
        _check(not found or (found.endswith(jpeg_stream.END) and len(found) <= length + 2), "an odd first scan")
        _check(not found or jpeg_stream.inspect(found).scans > 0, "a first scan without a scan")
    kept = jpeg_stream.without_extras(content)
    _check(len(kept) <= len(content), "longer without extras")


def try_parts(content: bytes) -> None:
    """The boxes, chunks and segments of every container, whatever the file is."""
    reader = container_format.Reader(io.BytesIO(content))
    for part in (
        *container_format.boxes(reader, 0, reader.length),
        *container_format.png_chunks(reader),
        *container_format.riff_chunks(reader),
    ):
        _check(0 <= part.start <= part.stop <= reader.length, f"part outside: {part}")
    _check(
        all(part.start <= part.stop <= reader.length for part in container_format.gif_parts(reader)),
        "a GIF ends outside",
    )
    for _ in zip(range(1 << 14), container_format.jpeg_segments(reader), strict=False):
        pass
    list(container_format.heif_auxiliaries(reader))
    container_format.mpo_base(reader), container_format.heif_has_item(reader, b"tmap")
    trailers.outline(content)
    trailers.of_bytes(content, _SHOWN)
    container_format.jpeg_2000_bits(reader), container_format.webp_size(content[:32])
    container_format.is_reduced_ifd(reader, 8, "little")
    container_format.is_reduced_ifd(reader, 8, "big")


def try_headers(content: bytes) -> None:
    """What is asked of a file before it is known to be sound."""
    file = io.BytesIO(content)
    raw.is_raw(file, "a.bin")
    _check(file.tell() == 0, "not put back")
    exif.captured_of_tiff(file)
    with suppress(UndecodableError):
        header = jxl.read_header(file)
        _check(header.width > 0 and header.height >= 0, "no size")


def try_containers(content: bytes) -> None:
    """Whether a file holds more than its picture, and what EXIF says, of all that Pillow opens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = io.BytesIO(content)
        try:
            image = Image.open(file, formats=formats.DECODED)
        except Exception:  # noqa: BLE001 - then there is nothing to be asked
            return
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            end = jpeg_stream.inspect(content).end
            containers.more_in_jpeg(image, file, len(content) if end is None else end, _SHOWN)
        else:
            try:
                containers.more(image, file)
            except Exception:
                if not _raises_alone(content):  # frames are counted on the way, by Pillow
                    raise
        exif.facts(image)


def _raises_alone(content: bytes) -> bool:
    """Whether Pillow itself cannot say how many frames there are."""
    try:
        _ = getattr(Image.open(io.BytesIO(content), formats=formats.DECODED), "n_frames", 1)
    except Exception:  # noqa: BLE001 - nearly every class there is
        return True
    return False


TARGETS: dict[str, Callable[[bytes], None]] = {
    "jpeg stream": try_jpeg_stream,
    "parts": try_parts,
    "headers": try_headers,
    "containers": try_containers,
}


@dataclass
class Search:
    """One target, the inputs that led somewhere new, and the steps that they took."""

    target: Callable[[bytes], None]
    corpus: list[bytes]
    steps: set[tuple[str, int, int]] = field(default_factory=set)
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def run(self, content: bytes) -> None:
        """Try one input, and keep it where it leads somewhere new."""
        before, began = len(self.steps), time.monotonic()
        self.runs += 1
        last = 0

        def step(frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 - as the interpreter wants it
            nonlocal last
            if event == "line":
                self.steps.add((frame.f_code.co_filename, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        def call(frame: FrameType, _: str, __: Any) -> Any:  # noqa: ANN401 - likewise
            return step if frame.f_code.co_filename in _TRACED else None

        sys.settrace(call)
        try:
            self.target(content)
        except Exception:  # noqa: BLE001 - that is what is looked for
            self.wrong.append(f"{traceback.format_exc()}\n{content[:200].hex()}")
        finally:
            sys.settrace(None)
        if time.monotonic() - began > MOST_SECONDS:
            self.slow.append(f"took {time.monotonic() - began:.1f} s\n{content[:200].hex()}")
        if len(self.steps) > before:
            self.corpus.append(content)


def search(name: str, seed: int, seconds: float = math.inf, most_runs: float = math.inf) -> Search:
    """Break inputs for so long, or so often."""
    dice = random.Random(f"{name} {seed}")  # noqa: S311 - chance for bytes, not for secrets
    found = Search(TARGETS[name], [])
    for sample in samples.names():
        content = samples.make(sample)
        found.run(content if len(content) <= MOST_BYTES else content[: MOST_BYTES // 2] + content[-MOST_BYTES // 2 :])
    until = time.monotonic() + seconds
    while time.monotonic() < until and found.runs < most_runs:
        _, content = mutations.mutate(dice.choice(found.corpus), dice.choice(found.corpus), dice.getrandbits(64))
        found.run(content[:MOST_BYTES])
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="for each of the targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    options = parser.parse_args()
    wrong = 0
    for name in TARGETS:
        if options.only in name:
            found = search(name, options.seed, options.seconds)
            wrong += len(found.wrong) + len(found.slow)
            for text in [*found.wrong[:5], *found.slow[:5]]:
                print(text)
            kept = f"{len(found.corpus)} inputs kept, {len(found.steps)} steps"
            print(f"{name}: {found.runs:,} inputs, {kept}, {len(found.wrong)} wrong, {len(found.slow)} slow")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
