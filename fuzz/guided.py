"""Feeds broken bytes to what reads a file's outline, guided by coverage (atheris, which is libFuzzer for Python).

    python -m fuzz.guided TARGET [CORPUS] [-max_total_time=SECONDS] [other options of libFuzzer]

The targets are those of :mod:`fuzz.parsers`, by their names with hyphens: jpeg-stream, parts, headers, containers. An
input that raises anything but what is meant ends the run with 77 and is written to a file. The samples of
:mod:`fuzz.samples` are what it begins with. OSS-Fuzz builds this file once for each target, see oss_fuzz/.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dupfind"]):
    from fuzz import parsers, samples


def names() -> dict[str, Callable[[bytes], None]]:
    """Return the targets by the names that they have here."""
    return {name.replace(" ", "-"): target for name, target in parsers.TARGETS.items()}


def write_corpus(folder: Path) -> None:
    """Write the samples into a folder, for a first run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in samples.names():
        content = samples.make(name)
        if len(content) <= parsers.MOST_BYTES:
            (folder / name.replace("/", "-").replace(" ", "-")).write_bytes(content)


def main(arguments: list[str]) -> None:
    """Run one target until libFuzzer ends it; does not return."""
    # OSS-Fuzz gives each program the name of its target, and no other argument than libFuzzer's.
    own = Path(arguments[0]).name.removeprefix("fuzz_").replace("_", "-")
    rest = arguments[1:]
    target = own if own in names() else rest.pop(0) if rest else ""
    if target not in names():
        sys.exit(f"fuzz.guided: no target {target or 'was named'}; there are {', '.join(names())}")
    for folder in rest:
        if not folder.startswith("-") and not os.path.isdir(folder):
            write_corpus(Path(folder))
    atheris.Setup([arguments[0], *rest, f"-max_len={parsers.MOST_BYTES}"], names()[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
