"""The exact search within a radius: beside faiss, against comparing every pair, on skewed hashes, and on very many.

    python -m benchmarks.search [--only SECTION]... [--faiss-needles N] [--radius BITS] [--most N]

All hashes are synthetic and 64 bits long. Every number is of one core; a new dictionary is made for each search, so
that building the index counts. Where comparing every pair, or faiss, would take minutes, it is given fewer needles, and
its time, which grows as they do, is multiplied; the tables say so. Answers are checked by the number of pairs found.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import machine
from dupfind.search import hamming
from dupfind.search.hamming import HashDictionary
from dupfind.search.search_plan import plan

Hashes = NDArray[np.uint64]

_NEEDLES, _HAYSTACK = 100_000, 1_000_000
_RADII = 0, 2, 4, 6, 8, 10, 12
_BRUTE_PAIRS = 5e8
"""Where there are more pairs than this, comparing every pair is measured on so many and the time multiplied."""


def uniform(dice: np.random.Generator, count: int) -> Hashes:
    """The kindest case: nothing is near anything."""
    return dice.integers(0, 2**64, count, dtype=np.uint64)


def flipped(dice: np.random.Generator, hashes: Hashes, most: int) -> Hashes:
    """Each with up to ``most`` bits turned over."""
    result = hashes.copy()
    flips = dice.integers(0, most + 1, len(hashes))
    for number in range(most):
        bit = np.uint64(1) << dice.integers(0, 64, len(hashes), dtype=np.uint64)
        result ^= np.where(number < flips, bit, np.uint64(0))
    return result


def clusters(of: int) -> Callable[[np.random.Generator, int], Hashes]:
    """Series of ``of`` hashes up to 10 bits from a centre; the centres are the same for needles and haystack."""

    def draw(dice: np.random.Generator, count: int) -> Hashes:
        centres = uniform(np.random.Generator(np.random.PCG64(7)), _HAYSTACK // of)
        return flipped(dice, dice.choice(centres, count), 10)

    return draw


def balanced(dice: np.random.Generator, count: int) -> Hashes:
    """As pHash: exactly half of the bits are set, so that all distances are even."""
    places = np.argsort(dice.random((count, 64), dtype=np.float32), axis=1)[:, :32].astype(np.uint64)
    masks: Hashes = np.bitwise_or.reduce(np.uint64(1) << places, axis=1)
    return masks


def mixed(share: float) -> Callable[[np.random.Generator, int], Hashes]:
    """Uniform, with one value for this share of all."""
    return lambda dice, count: np.where(dice.random(count) < share, np.uint64(0), uniform(dice, count))


SETS: dict[str, Callable[[np.random.Generator, int], Hashes]] = {
    "uniform": uniform,
    "half of the bits set, as pHash": balanced,
    "clusters of 10": clusters(10),
    "clusters of 1,000": clusters(1000),
    "1% blank": mixed(0.01),
    "30% one value": mixed(0.3),
}


@contextmanager
def every_pair() -> Iterator[None]:
    """Let the search compare every pair, whatever that costs."""
    with patch.object(hamming, "plan", lambda *_: ()):
        yield


def search(haystack: Hashes, needles: Hashes, radius_bits: int) -> tuple[float, int]:
    """Seconds that a search takes in a new dictionary, and the number of pairs of different hashes that it finds."""
    dictionary = HashDictionary(haystack)
    began = time.perf_counter()
    found = sum(len(keys) for _, keys, _ in dictionary.within(needles, radius_bits))
    return time.perf_counter() - began, found


def compare_all(haystack: Hashes, needles: Hashes, radius_bits: int) -> tuple[float, int]:
    """The same by comparing every pair: the seconds that it would take for all needles, and how many were measured."""
    some = needles[: max(1, int(_BRUTE_PAIRS // len(haystack)))]
    with every_pair():
        seconds, found = search(haystack, some, radius_bits)
    _, wanted = search(haystack, some, radius_bits)
    assert wanted == found
    return seconds * len(needles) / len(some), len(some)


def beside_faiss(options: argparse.Namespace) -> None:
    """100,000 needles among 1,000,000 hashes at each radius."""
    try:
        import faiss  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        print("Skipped: faiss is not installed (pip install faiss-cpu).")
        return
    faiss.omp_set_num_threads(1)
    dice = np.random.Generator(np.random.PCG64(1))
    haystack, needles = uniform(dice, _HAYSTACK), uniform(dice, _NEEDLES)
    some = needles[: options.faiss_needles]
    index = faiss.IndexBinaryFlat(64)
    index.add(haystack.view(np.uint8).reshape(-1, 8))
    print(f"faiss {faiss.__version__}, one thread, {len(some)} of the needles and its time multiplied\n")
    print("| radius | faiss `IndexBinaryFlat.range_search` | dupfind | faiss : dupfind | pairs |")
    print("|---|---|---|---|---|")
    for radius_bits in _RADII:
        began = time.perf_counter()
        bounds, *_ = index.range_search(some.view(np.uint8).reshape(-1, 8), radius_bits + 1)
        theirs = (time.perf_counter() - began) * len(needles) / len(some)
        ours, found = search(haystack, needles, radius_bits)
        assert int(bounds[-1]) == search(haystack, some, radius_bits)[1]
        print(f"| {radius_bits} | {theirs:.1f} s | {ours:.2f} s | {theirs / ours:.0f} | {found} |", flush=True)


def sizes(options: argparse.Namespace) -> None:
    """Small and large on either side, against comparing every pair."""
    dice = np.random.Generator(np.random.PCG64(2))
    counts = 1, 10, 100, 1000, 10_000, 100_000
    print("Seconds, and what share that is of comparing every pair; `=` where comparing every pair was chosen.\n")
    print(f"| hashes | {' | '.join(f'{count:,} needles' for count in counts)} |")
    print("|---|" + "---|" * len(counts))
    for count in (*counts, 1_000_000):
        haystack = uniform(dice, count)
        cells = []
        for needle_count in counts:
            needles = uniform(dice, needle_count)
            rounds = range(9 if count * needle_count < 1e7 else 2)
            each = haystack, needles, options.radius
            runs = [(compare_all(*each)[0], search(*each)[0]) for _ in rounds]  # in turn: the machine may drift
            every, ours = (min(one) for one in zip(*runs, strict=True))
            is_every = not plan(needles, HashDictionary(haystack).keys, options.radius)
            cells.append(f"{ours:.4f}, {'=' if is_every else f'{ours / every:.2f}'}")
        print(f"| {count:,} | {' | '.join(cells)} |", flush=True)


def skewed(options: argparse.Namespace) -> None:
    """20,000 needles among 1,000,000 hashes that are not random."""
    print("| hashes | different | every pair | dupfind | every pair : dupfind | probes (bits, radius) | pairs |")
    print("|---|---|---|---|---|---|---|")
    for name, draw in SETS.items():
        dice = np.random.Generator(np.random.PCG64(3))
        haystack, needles = draw(dice, _HAYSTACK), draw(dice, _NEEDLES // 5)
        every, _ = compare_all(haystack, needles, options.radius)
        ours, found = search(haystack, needles, options.radius)
        keys = HashDictionary(haystack).keys
        probes = " ".join(f"{one.bits}/{one.radius_bits}" for one in plan(needles, keys, options.radius))
        line = (
            f"{name} | {len(keys)} | {every:.1f} s | {ours:.2f} s | {every / ours:.1f} | {probes or 'none'} | {found}"
        )
        print(f"| {line} |", flush=True)


def very_many(options: argparse.Namespace) -> None:
    """10 and 100 million hashes: time and memory."""
    print(
        "| hashes | dictionary | needles | first search, index included | the same again | bytes a hash | peak memory |"
    )
    print("|---|---|---|---|---|---|---|")
    for count, needle_counts in ((10_000_000, (1000, 100_000)), (100_000_000, (1000, 10_000))):
        if count > options.most or _available_bytes() < 80 * count:
            print(f"| {count} | skipped: {_available_bytes() / 2**30:.1f} GiB of memory are free | | | | | |")
            continue
        dice = np.random.Generator(np.random.PCG64(4))
        haystack = uniform(dice, count)
        began = time.perf_counter()
        dictionary = HashDictionary(haystack)
        made = time.perf_counter() - began
        del haystack
        for needle_count in needle_counts:
            needles = uniform(dice, needle_count)
            seconds = []
            for _ in range(2):
                began = time.perf_counter()
                list(dictionary.within(needles, options.radius))
                seconds.append(time.perf_counter() - began)
            times = f"{made:.1f} s | {needle_count} | {seconds[0]:.1f} s | {seconds[1]:.1f} s"
            print(f"| {count} | {times} | {dictionary.nbytes / count:.0f} | {_peak_gib():.1f} GiB |", flush=True)
        del dictionary
        gc.collect()


def _available_bytes() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _peak_gib() -> float:
    """Of this process so far, by Linux's account."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


_SECTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "faiss": beside_faiss,
    "sizes": sizes,
    "skewed": skewed,
    "many": very_many,
}


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=_SECTIONS, action="append", help="this section; repeatable")
    parser.add_argument("--faiss-needles", type=int, default=_NEEDLES, help="how many of the needles faiss is given")
    parser.add_argument("--radius", type=int, default=10, metavar="BITS", help="of all sections but faiss")
    parser.add_argument("--most", type=int, default=100_000_000, help="the most hashes of section many")
    options = parser.parse_args()
    print(machine())
    for name, section in _SECTIONS.items():
        if not options.only or name in options.only:
            print(f"\n## {name}\n")
            section(options)


if __name__ == "__main__":
    main()
