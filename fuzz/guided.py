"""Feeds broken bytes to our parsers, guided by coverage: libFuzzer through atheris, a process for each target.

    python -m fuzz.guided [--seconds N] [--only TEXT] [--keep DIR]
    python -m fuzz.guided --list
    python -m fuzz.guided --only TEXT --seed-only

What leads somewhere new is kept in DIR and goes on from there in the next run. An input that something is wrong with is
written to DIR/TARGET-crash-..., and the run ends with 1. `make fuzz-guided` installs atheris first. OSS-Fuzz
makes one program of a target: a copy of this file that has the target's name, see oss_fuzz/.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

_MOST_BYTES = 60_000
_MOST_MEBIBYTES = 2048
_SLOW_SECONDS = 20
_CHOSEN = "DUPFIND_FUZZ_TARGET"


def _names() -> list[str]:
    from fuzz import parsers, texts

    return [*parsers.TARGETS, *texts.TARGETS]


def _label(name: str) -> str:
    """Return the name of a target as that of a file."""
    return name.replace(" ", "_")


def _chosen() -> str | None:
    """Return the target that this process is for: by the environment, or by the name of the program."""
    own = Path(sys.argv[0]).stem.removeprefix("fuzz_")
    return os.environ.get(_CHOSEN) or next((name for name in _names() if _label(name) == own), None)


def _fuzz(name: str, options: list[str]) -> None:
    """Run one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["dupfind"]):
        from fuzz import parsers, texts

    check = parsers.TARGETS.get(name) or texts.TARGETS[name].check

    def run(content: bytes) -> None:
        check(content[:_MOST_BYTES])

    atheris.Setup([sys.argv[0], *options], run)
    atheris.Fuzz()


def _seed(name: str, folder: Path) -> None:
    """Write good inputs to begin with."""
    from fuzz import parsers, samples, texts

    folder.mkdir(parents=True, exist_ok=True)
    is_of_pictures = name in parsers.TARGETS
    contents = map(samples.make, samples.names()) if is_of_pictures else texts.TARGETS[name].seeds()
    for number, content in enumerate(contents):
        if len(content) <= _MOST_BYTES:
            (folder / f"seed-{number}").write_bytes(content)


def run(name: str, seconds: int, keep: Path) -> bool:
    """Run one target in a process of its own; tells whether nothing was wrong."""
    label = _label(name)
    corpus = keep / label
    _seed(name, corpus)
    options = [
        f"-max_total_time={seconds}", f"-timeout={_SLOW_SECONDS}", f"-rss_limit_mb={_MOST_MEBIBYTES}",
        f"-max_len={_MOST_BYTES}", "-print_final_stats=1", "-verbosity=0",
        f"-artifact_prefix={keep}/{label}-", str(corpus),
    ]  # fmt: skip
    environment = {**os.environ, _CHOSEN: name}
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.guided", *options], env=environment, check=False, capture_output=True, text=True
    )
    inputs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    kept = len(list(corpus.iterdir()))
    is_right = done.returncode == 0
    print(f"{name}: {inputs[0] if inputs else '?'} inputs, {kept} kept, {'nothing' if is_right else 'SOMETHING'} wrong")
    if not is_right:
        print(done.stdout[-3000:] + done.stderr[-3000:])
    return is_right


def main() -> int:
    """Run from the command line."""
    if (name := _chosen()) is not None:
        _fuzz(name, sys.argv[1:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each of the targets")
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz-guided"), help="where inputs are kept")
    parser.add_argument("--list", action="store_true", help="print the names of the targets, as those of files")
    parser.add_argument("--seed-only", action="store_true", help="write what the targets begin with, and run nothing")
    options = parser.parse_args()
    names = [name for name in _names() if options.only in name]
    if not names:
        parser.error(f"no target has {options.only} in its name; there are {', '.join(_names())}")
    if options.list:
        print("\n".join(map(_label, names)))
        return 0
    if options.seed_only:
        for name in names:
            _seed(name, options.keep / _label(name))
        return 0
    results = [run(name, options.seconds, options.keep) for name in names]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
