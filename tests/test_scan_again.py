"""Only what has changed is scanned again, and the answer is to the byte that of a scan of everything."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from PIL import Image, ImageOps

import dupfind.cache.cache
import dupfind.cache.last_run_store
import dupfind.cache.result_cache
from dupfind.scanning import scan_again
from dupfind.values import Report
from fixtures import pictures
from tests.helpers.archives import zipped
from tests.helpers.scans import answer, scan
from tests.helpers.sidecar_contents import xmp

SIZE = (96, 72)
OPTIONS: list[dict[str, Any]] = [
    {},
    {},
    {"rotations": False},
    {"quick": True},
    {"algorithm": "dhash", "threshold_bits": 14},
    {"accept": "similar", "sidecars": "ignore"},
    {"accept": "identical"},
    {"archives": "both"},
    {"archives": "needles", "threshold_bits": 24},
]


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """The picture as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 88, **options})
    return out.getvalue()


@cache
def _contents() -> dict[str, bytes]:
    """Files of every kind that have to do with each other: copies in all sizes and shapes, and what is none."""
    made: dict[str, bytes] = {"text": b"words", "text of that size": b"sword", "empty": b"", "sidecar": xmp()}
    for seed in range(1, 4):
        picture = pictures.photo(seed, SIZE)
        made |= {
            f"{seed} large": jpeg(pictures.photo(seed, (480, 360)), quality=92),
            f"{seed}": jpeg(picture),
            f"{seed} again": jpeg(picture, quality=60),
            f"{seed} at noon": jpeg(picture, quality=86, exif=pictures.exif(1, "2006:12:25 12:00:00")),
            f"{seed} later": jpeg(picture, quality=87, exif=pictures.exif(1, "2006:12:25 12:00:09")),
            f"{seed} turned": jpeg(picture.transpose(Image.Transpose.ROTATE_90)),
            f"{seed} framed": jpeg(ImageOps.expand(picture, 9, "white")),
            f"{seed} framed otherwise": jpeg(ImageOps.expand(picture, 14, "black")),
            f"{seed} lighter": jpeg(picture.point(lambda value: min(255, int(value * 1.15)))),
            f"{seed} patched": jpeg(pictures.with_patch(picture, seed, 0.05)),
            f"{seed} progressive": jpeg(pictures.photo(seed, (480, 360)), progressive=True),
            f"{seed} framed, progressive": jpeg(
                ImageOps.expand(pictures.photo(seed, (480, 360)), 40), progressive=True
            ),
            f"{seed} cut": jpeg(pictures.photo(seed, (480, 360)), progressive=True)[:-1500],
        }
    made["damaged"] = jpeg(pictures.photo(1, (480, 360)))[:-6000]
    made["no picture"] = b"\xff\xd8\xff\xe0 no picture"
    made["gray"] = jpeg(Image.new("RGB", SIZE, "gray"))
    made["archive"] = zipped({"a.jpg": made["1"], "b/c.txt": b"words", "b/d.jpg": made["2 again"]})
    made["film"] = b"\0\0\0\x18ftypqt  " + bytes(400)
    return made


ENDINGS = {"text": "txt", "text of that size": "txt", "sidecar": "jpg.xmp", "archive": "zip", "film": "mov"}
"""Of files that are called like no picture."""
NAMES = sorted(_contents())
SIDES = ("hay", "old")
FOLDERS = ("", "x", "x/y")
STEMS = ("a", "b", "c", "d")


class Nights(RuleBasedStateMachine):
    """Two small trees to which anything happens, and a scan after each of these things."""

    short = whole = 0
    """How many scans have gone the short way, and how many were of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="dupfind-nights-")).resolve()
        for side in SIDES:
            (self.top / side).mkdir()
        self.options: dict[str, Any] = {}
        for place in ("hay/keep.txt", "old/keep.txt"):
            (self.top / place).write_bytes(b"kept")

    def teardown(self) -> None:
        """Take the trees away."""
        shutil.rmtree(self.top)

    @initialize(
        options=st.sampled_from(OPTIONS),
        files=st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(NAMES)), min_size=2, max_size=12),
    )
    def begin(self, options: dict[str, Any], files: list[tuple[str, str]]) -> None:
        """Some files, and a first scan."""
        self.options = options
        for number, (side, name) in enumerate(files):
            self._put(self.top / side / f"first {number}.{ENDINGS.get(name, 'jpg')}", name)
        self.scan()

    def _put(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_contents()[name])

    def _files(self) -> list[Path]:
        return sorted(path for path in self.top.rglob("*") if path.is_file() and "cache" not in path.name)

    def _chosen(self, number: int) -> Path:
        files = self._files()
        return files[number % len(files)]

    def _new(self, side: str, folder: str, stem: str, suffix: str) -> Path:
        path = self.top / side / folder / f"{stem}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @rule(
        side=st.sampled_from(SIDES), folder=st.sampled_from(FOLDERS), stem=st.sampled_from(STEMS),
        name=st.sampled_from(NAMES),
    )  # fmt: skip
    def write(self, side: str, folder: str, stem: str, name: str) -> None:
        """A new file, or other bytes in one that is there."""
        self._put(self._new(side, folder, stem, f".{ENDINGS.get(name, 'jpg')}"), name)
        self.scan()

    @rule(number=st.integers(0, 999), name=st.sampled_from(NAMES))
    def replace(self, number: int, name: str) -> None:
        """Other content in the place of a file, with its times put back."""
        path = self._chosen(number)
        times = path.stat()
        self._put(path, name)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.scan()

    @rule(number=st.integers(0, 999))
    def delete(self, number: int) -> None:
        """One file less."""
        path = self._chosen(number)
        if path.name != "keep.txt":
            path.unlink()
        self.scan()

    @rule(number=st.integers(0, 999))
    def touch(self, number: int) -> None:
        """The same bytes at another time."""
        os.utime(self._chosen(number))
        self.scan()

    @rule(
        number=st.integers(0, 999), side=st.sampled_from(SIDES), folder=st.sampled_from(FOLDERS),
        stem=st.sampled_from(STEMS), way=st.sampled_from(["move", "link", "copy"]),
    )  # fmt: skip
    def again(self, number: int, side: str, folder: str, stem: str, way: str) -> None:
        """A file under another name: moved there, or linked, or copied."""
        path = self._chosen(number)
        to = self._new(side, folder, stem, path.suffix)
        if path.name != "keep.txt" and not to.exists():
            {"move": os.rename, "link": os.link, "copy": shutil.copy2}[way](path, to)
        self.scan()

    @rule(side=st.sampled_from(SIDES), new=st.sampled_from(["x", "z"]))
    def rename(self, side: str, new: str) -> None:
        """A folder gets another name."""
        for folder in ("x", "z"):
            if (self.top / side / folder).is_dir() and not (self.top / side / new).exists():
                (self.top / side / folder).rename(self.top / side / new)
        self.scan()

    @rule()
    def forget(self) -> None:
        """A scan of everything, by which the next ones go."""
        with patch.object(scan_again, "LEAST_NEWS", -1):
            self._warm()

    def scan(self) -> None:
        """What is known of before gives the answer of a scan that knows nothing."""
        for _ in range(1 + (Nights.short % 3 == 0)):
            warm = self._warm()
            fresh = scan(self.top / "hay", self.top / "old", **self.options)
            assert answer(fresh) == answer(warm)

    def _warm(self) -> Report:
        with counting() as counts:
            report = scan(self.top / "hay", self.top / "old", cache=str(self.top / "cache.sqlite"), **self.options)
        Nights.short += counts == [True]
        Nights.whole += counts == [False]
        return report


@contextmanager
def counting() -> Iterator[list[bool]]:
    """Count which scans have gone the short way; files of milliseconds ago are believed."""
    counts: list[bool] = []
    real = scan_again.scan_again

    def counted(*values: Any) -> Any:
        findings = real(*values)
        counts.append(findings is not None)
        return findings

    with (
        patch.object(scan_again, "scan_again", counted),
        patch.object(dupfind.cache.cache, "_RACY_NS", 0),
        patch.object(dupfind.cache.result_cache, "_RACY_NS", 0),
        patch.object(dupfind.cache.last_run_store, "_RACY_NS", 0),
    ):
        yield counts


@pytest.mark.slow
def test_nights() -> None:
    """Whatever happens between two scans; most of them go the short way."""
    Nights.short = Nights.whole = 0
    examples = int(os.environ.get("DUPFIND_NIGHTS", "60"))
    run_state_machine_as_test(
        Nights,
        settings=settings(
            max_examples=examples, stateful_step_count=12, deadline=None, phases=[Phase.explicit, Phase.generate]
        ),
    )
    assert Nights.short > Nights.whole
