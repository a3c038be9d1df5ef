"""The answer to the byte, by real runs: for 1, 2 and 32 workers, in any order of the directories, cold and warm."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from fixtures import pictures

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]

# Directories are listed by the numbers of a seed; files may be milliseconds old; the memory of answers may be left out;
# a single pair is worth a process, where there is more than one worker.
_RUN = """
import os, random, sys
import dupfind.cache.cache, dupfind.cache.result_cache, dupfind.pool.judge_pool, dupfind.sources.walk
from dupfind.cli.main import run
seed, with_memory = int(sys.argv[1]), sys.argv[2] == "memory"
dupfind.cache.cache._RACY_NS = dupfind.cache.result_cache._RACY_NS = 0
dupfind.pool.judge_pool._FEWEST = dupfind.pool.judge_pool._WORTH_STARTING = 1
if not with_memory:
    dupfind.cache.result_cache.make_key = lambda *_: None
real = os.scandir
class Shuffled:
    def __init__(self, path):
        with real(path) as items:
            self._items = sorted(items, key=lambda item: item.name)
        random.Random(f"{seed} {path}").shuffle(self._items)
    def __enter__(self):
        return iter(self._items)
    def __exit__(self, *_):
        pass
    close = __exit__
dupfind.sources.walk.os.scandir = Shuffled
sys.exit(run(sys.argv[3:]))
"""


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """The picture as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture
def trees(tree: TreeBuilder) -> tuple[Path, Path]:
    """Two trees with needles of every kind: copies, re-encoded, resized, turned, framed, damaged ones, and others."""
    one, two, three, four, five = (pictures.photo(seed) for seed in range(1, 6))
    haystack = {
        "2006/a.jpg": jpeg(one, 92),
        "2006/b.jpg": jpeg(two, 92),
        "2006/b again.jpg": jpeg(two, 92),
        "2007/c.png": three,
        "2007/d.jpg": jpeg(four, 90),
        "2007/e.jpg": jpeg(five, 90)[:-2000],
        "notes.txt": b"text",
        "broken.jpg": b"\xff\xd8\xff\xe0 no picture",
    }
    needles: dict[str, bytes | Image.Image | None] = {
        "copies/a.jpg": haystack["2006/a.jpg"],  # type: ignore[dict-item]
        "copies/b.jpg": haystack["2006/b.jpg"],  # type: ignore[dict-item]
        "copies/notes.txt": b"text",
        "saved/a.jpg": jpeg(one, 70),
        "saved/b.jpg": jpeg(two.resize((240, 180)), 80),
        "saved/b 2.jpg": jpeg(two, 60),
        "saved/c.jpg": jpeg(three, 85),
        "turned/c.png": three.transpose(Image.Transpose.ROTATE_90),
        "turned/d.jpg": jpeg(four.transpose(Image.Transpose.ROTATE_180), 88),
        "turned/mirrored.jpg": jpeg(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 88),
        "edited/framed.png": ImageOps.expand(three, 24, "white"),
        "edited/light.jpg": jpeg(four.point(lambda value: min(255, int(value * 1.1))), 88),
        "damaged/cut.jpg": jpeg(four, 90)[:-4000],
        "damaged/e.jpg": jpeg(five, 80),
        "damaged/broken.jpg": b"\xff\xd8\xff\xe0 no picture either",
        "others/f.jpg": jpeg(pictures.photo(9), 85),
        "others/empty.jpg": b"",
        "others/film.mov": b"film" * 50,
    }
    return tree("haystack", haystack), tree("needles", needles)


def answer(trees: tuple[Path, Path], *options: str, seed: int = 0, memory: bool = True) -> bytes:
    """The JSON of a run but for what depends on the clock."""
    roots = ["--haystack", str(trees[0]), "--needles", str(trees[1])]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _RUN,
            str(seed),
            "memory" if memory else "-",
            "scan",
            *roots,
            "--format",
            "json",
            *options,
        ],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert 1 == done.returncode, done.stderr
    said = done.stderr.decode()
    assert ("nothing has changed" in said) == (seed < 0), said  # a seed below 0 says that this is a run from memory
    whole = json.loads(done.stdout)
    del whole["started"], whole["elapsed_seconds"]
    return json.dumps(whole, indent=1).encode()


@pytest.mark.slow
def test_the_answer_is_the_same_to_the_byte(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """However many workers there are, however the disk lists its folders, whatever was known before."""
    caches = [str(tmp_path / f"{number}.sqlite") for number in range(2)]
    first = answer(trees, "--workers", "1", "--no-cache")
    found = {(one["verdict"], one["evidence"]) for one in json.loads(first)["files"]}
    kinds = {
        ("present", "identical"),
        ("present", "same"),
        ("similar", "similar"),
        ("missing", None),
        ("empty", None),
        ("unreadable", None),
    }
    assert kinds == found
    assert first == answer(trees, "--workers", "2", "--cache", caches[0], "-v", seed=1)
    assert first == answer(trees, "--workers", "32", "--cache", caches[1], "-v", seed=2, memory=False)
    assert first == answer(trees, "--workers", "32", "--cache", caches[0], "-v", seed=3, memory=False)
    assert first == answer(trees, "--workers", "1", "--cache", caches[0], "-v", seed=-4)
    assert first == answer(trees, "--workers", "2", "--cache", caches[1], "-v", seed=5)
    assert first == answer(trees, "--workers", "32", "--cache", caches[1], "-v", seed=-6)
