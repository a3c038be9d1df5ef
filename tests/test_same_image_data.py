"""The stage of equal image data: what it proves, against which doubts, at what cost, and what it leaves to others."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.answers.findings import Findings
from dupfind.cache import cache_upkeep
from dupfind.matching.matcher import Matcher
from dupfind.matching.same_image_data import REASON
from dupfind.pool import tasks
from dupfind.reading import Reader
from dupfind.report import Screen, render
from dupfind.report.reasons import sentences
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.settings import make_report_settings
from dupfind.values import FileEntry, FileVerdict, Report
from fixtures import pictures
from tests.helpers.image_data import film, pages, png48, with_packet
from tests.helpers.scans import one_thread, scan, settings, states
from tests.helpers.stamped import ASCII, EXIF, digest, saved, short, with_exif, xmp

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
Dupfind = Callable[..., "subprocess.CompletedProcess[bytes]"]
SIZE = (320, 240)
CODE = "same-image-data"


def dated(jpeg: bytes, day: int) -> bytes:
    """The JPEG with a capture time."""
    return with_exif(jpeg, {EXIF: {0x9003: (ASCII, f"2006:12:{day:02} 10:11:12".encode() + b"\0")}})


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG."""
    return saved(image or pictures.photo(1, SIZE), "JPEG", **options)


def blank(shade: int = 255) -> Image.Image:
    """A page with nothing on it, which no test on pixels lets pass."""
    return Image.new("RGB", SIZE, (shade, shade, shade))


def page_of_text(seed: int = 1) -> Image.Image:
    """Fine marks on an even ground."""
    pixels = np.full((*SIZE[::-1], 3), 255, np.uint8)
    pixels[40:200:8, 40:280] = np.where(np.random.default_rng(seed).random((20, 240, 1)) < 0.5, 0, 255)
    return Image.fromarray(pixels)


def verdicts(report: Report) -> dict[str, FileVerdict]:
    """By name."""
    return {os.path.basename(one.path): one for one in report.files}


@cache
def large() -> bytes:
    """A progressive JPEG so large that only its first scan is read at first."""
    return jpeg(pictures.photo(1, (2800, 2100)), progressive=True, quality=95)


PAIRS: dict[str, Callable[[], tuple[bytes, bytes | None]]] = {
    "a corrected clock": lambda: (dated(jpeg(), 1), dated(jpeg(), 2)),
    "a page of text": lambda: (dated(jpeg(page_of_text()), 1), dated(jpeg(page_of_text()), 2)),
    "a blank page": lambda: (dated(jpeg(blank()), 1), dated(jpeg(blank()), 2)),
    "a tiny one": lambda: (dated(jpeg(pictures.photo(1, (12, 9))), 1), jpeg(pictures.photo(1, (12, 9)))),
    "with more behind it": lambda: (dated(jpeg() + b"film" * 2000, 1), jpeg() + b"film" * 2000),
    "of 48 bits": lambda: (png48(), with_packet(png48(), xmp("dc:title='lake'"))),
    "pages": lambda: (pages(1, 2), pages(1, 2, compression="tiff_deflate")),
    "frames": lambda: (film("GIF"), film("GIF")[:-1] + b"\x21\xfe\4lake\0;"),
    "an optimised screenshot": lambda: (saved(page_of_text(), "PNG"), saved(page_of_text().convert("L"), "PNG")),
    "another format": lambda: (saved(page_of_text(), "PNG"), saved(page_of_text(), "TIFF")),
    "progressive": lambda: (large(), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAIRS)
def test_equal_image_data_prove(tree: TreeBuilder, kind: str) -> None:
    """Whatever else speaks against it."""
    needle, witness = PAIRS[kind]()
    witness = dated(needle, 2) if witness is None else witness
    assert needle != witness
    found = verdicts(scan(tree("hay", {"w": witness}), tree("needles", {"n": needle})))["n"]
    assert ("present", "same", (REASON,), 0) == (found.state, found.evidence, found.reasons, found.distance_bits)
    assert str(found.witness).endswith("hay/w")


OTHERS: dict[str, Callable[[], tuple[bytes, bytes | None]]] = {
    "another frame": lambda: (film("GIF"), film("GIF", (100, 50, 80))),
    "something behind it": lambda: (jpeg() + b"film" * 2000, jpeg()),
    "another text": lambda: (saved(page_of_text(), "PNG"), saved(page_of_text(2), "PNG")),
    "one bit of sixteen": lambda: (png48(1000), png48(1001)),
    "a spot on a blank page": lambda: (saved(blank(), "PNG"), None),
    "cut": lambda: (dated(jpeg(), 1)[:-600], dated(jpeg(), 2)[:-600]),
    "cut, and progressive": lambda: (
        large()[:-60_000] + b"\xff\xd9",
        dated(large()[:-60_000] + b"\xff\xd9", 2),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_equal_or_not_sound_is_not_proved(tree: TreeBuilder, kind: str) -> None:
    """A wrong `contained` destroys photos."""
    needle, witness = OTHERS[kind]()
    if witness is None:
        spoilt = blank()
        spoilt.putpixel((100, 100), (254, 255, 255))
        witness = saved(spoilt, "PNG")
    found = verdicts(scan(tree("hay", {"w": witness}), tree("needles", {"n": needle})))["n"]
    assert found.state != "present"
    assert REASON not in found.reasons


def test_several_needles_may_have_one_witness(tree: TreeBuilder) -> None:
    """And the lowest path is the witness of each."""
    content = jpeg(blank())
    haystack = tree("hay", {"b.jpg": dated(content, 1), "a.jpg": dated(content, 2), "c.jpg": dated(content, 3)})
    needles = tree("needles", {f"{day}.jpg": dated(content, day) for day in (4, 5, 6)})
    found = verdicts(scan(haystack, needles))
    assert [str(haystack / "a.jpg")] * 3 == [one.witness for one in found.values()]


def test_what_is_proved_keeps_its_claim(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on to the thumbnails, where one witness proves no two needles that differ."""
    asked: list[str] = []
    real = Matcher.match

    def match(self: Matcher, *arguments: Any) -> Any:
        asked.extend(os.path.basename(entry.path) for entry in self._needles.entries)
        return real(self, *arguments)

    monkeypatch.setattr(Matcher, "match", match)
    needles = tree("needles", {"burst.jpg": pictures.photo(2, SIZE), "same.jpg": dated(jpeg(), 2)})
    scan(tree("hay", {"w.jpg": jpeg()}), needles)
    assert ["burst.jpg", "same.jpg"] == asked


def test_only_what_may_be_equal_is_read(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that was saved anew has other facts; what has no picture on the other side is not looked at."""
    asked: list[str] = []
    real = Reader.image_data

    def image_data(self: Reader, entries: list[FileEntry]) -> dict[str, bytes]:
        asked.extend(os.path.basename(entry.path) for entry in entries)
        return real(self, entries)

    monkeypatch.setattr(Reader, "image_data", image_data)
    haystack = {
        "w.jpg": dated(jpeg(), 1), "saved.jpg": jpeg(quality=60), "png.png": pictures.photo(1, SIZE),
        "x.jpg": pictures.photo(9),
    }  # fmt: skip
    scan(tree("hay", haystack), tree("needles", {"n.jpg": jpeg(), "m.jpg": pictures.photo(8)}))
    assert ["n.jpg", "w.jpg"] == asked


def test_digests_are_remembered(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is read again, and what rotted is not believed."""
    haystack = tree("hay", {"w.jpg": dated(jpeg(), 1), "x.bmp": saved(blank(), "BMP") + b"tail"})
    needles = tree("needles", {"n.jpg": jpeg(), "m.png": blank()})
    for path in (*haystack.iterdir(), *needles.iterdir()):
        os.utime(path, (1e9, 1e9))
    read: list[str] = []
    real = tasks.read_image_data

    def read_image_data(entries: list[FileEntry], *limits: Any, **named: Any) -> list[Any]:
        read.extend(os.path.basename(entry.path) for entry in entries)
        return real(entries, *limits, **named)

    monkeypatch.setattr(tasks, "read_image_data", read_image_data)
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    path = str(tmp_path / "cache.sqlite")
    first = states(scan(haystack, needles, cache=path))
    assert "present/same" == first["n.jpg"]
    assert "present/same" != first["m.png"]
    assert {"n.jpg", "w.jpg", "m.png", "x.bmp"} == set(read)
    read.clear()
    assert first == states(scan(haystack, needles, cache=path))
    assert [] == read
    os.utime(needles / "n.jpg", (1.1e9, 1.1e9))
    scan(haystack, needles, cache=path)
    assert ["n.jpg"] == read
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE image_data SET digest = (SELECT digest FROM image_data LIMIT 1)")
    read.clear()
    assert first == states(scan(haystack, needles, cache=path))
    assert {"n.jpg", "w.jpg"} <= set(read)


def test_digests_of_files_that_are_gone_are_pruned(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only those."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    haystack, needles = tree("hay", {"w.jpg": dated(jpeg(), 1)}), tree("needles", {"n.jpg": jpeg(), "m.jpg": jpeg()})
    path = str(tmp_path / "cache.sqlite")
    for file in (*haystack.iterdir(), *needles.iterdir()):
        os.utime(file, (1e9, 1e9))
    scan(haystack, needles, cache=path)
    (needles / "m.jpg").unlink()
    cache_upkeep.prune(path, with_absent_folders=False)
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM image_data ORDER BY name")]
    assert [b"n.jpg", b"w.jpg"] == names


def test_paranoid_digests_again(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files, past the cache; a claim whose files have changed in between falls."""
    haystack, needles = tree("hay", {"w.jpg": dated(jpeg(blank()), 1)}), tree("needles", {"n.jpg": jpeg(blank())})
    assert {"n.jpg": "present/same"} == states(scan(haystack, needles, paranoid=True))
    real = tasks.read_image_data
    calls: list[int] = []

    def read_image_data(entries: list[FileEntry], *limits: Any, **named: Any) -> list[Any]:
        calls.append(len(entries))
        outcomes = real(entries, *limits, **named)
        is_first = "prepare" not in named and len(limits) < 3
        return outcomes if is_first else [outcomes[0], outcomes[1]._replace(result=bytes(32))]

    monkeypatch.setattr(tasks, "read_image_data", read_image_data)
    found = verdicts(scan(haystack, needles, paranoid=True))["n.jpg"]
    assert [2, 2] == calls
    assert "missing" == found.state
    assert "read again, it and its witness have other image data" == sentences(found.reasons)


@pytest.mark.parametrize("is_split", [False, True])
def test_a_person_has_the_last_word(tree: TreeBuilder, *, is_split: bool) -> None:
    """A file that a person has split from a needle proves nothing of it."""
    haystack, needles = tree("hay", {"w.jpg": dated(jpeg(), 1)}), tree("needles", {"n.jpg": jpeg()})
    chosen = settings(haystack, needles)
    split = {str(needles / "n.jpg"): frozenset({str(haystack / "w.jpg")})} if is_split else {}
    trees = [[entry for one in side for entry in one.entries] for side in pipeline.walk(Run(chosen))]

    def find(run: Reading) -> Findings:
        return pipeline.find_matches(*trees, run, split)[0]

    matches = with_reader(Run(chosen, make_executor=one_thread), find).matches
    assert ([] if is_split else [REASON]) == [match.reason for match in matches.values()]


def test_reports_name_the_reason(tree: TreeBuilder) -> None:
    """In words and as a code, in JSON, JSON lines and CSV."""
    words = "the image data are the same"
    report = scan(tree("hay", {"w.jpg": dated(jpeg(), 1)}), tree("needles", {"n.jpg": jpeg(), "x": b"words"}))
    whole = json.loads(render(report, make_report_settings(format_="json", everything=True), Screen()))
    assert [(words, CODE), (None, None)] == [(one["reason"], one["reason_code"]) for one in whole["files"]]
    first, *_ = render(report, make_report_settings(format_="jsonl", everything=True), Screen()).splitlines()
    assert (words, CODE) == tuple(json.loads(first)[key] for key in ("reason", "reason_code"))
    chosen = make_report_settings(format_="csv", files=True, everything=True)
    table = render(report, chosen, Screen()).decode().splitlines()
    assert ["reason_code", CODE, ""] == [line.rpartition(",")[2] for line in table]
    assert f",{words}," in table[1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_a_folder_whose_clock_was_corrected(tree: TreeBuilder) -> None:
    """The way of people who set their cameras right years later."""
    names = [f"{number}.jpg" for number in range(4)]
    contents = {name: dated(jpeg(pictures.photo(number, SIZE)), 1 + number) for number, name in enumerate(names)}
    haystack, needles = tree("hay", contents), tree("needles", contents)
    edits = "-AllDates+=1:0:0 0:0:0", "-XMP:Title=corrected"
    subprocess.run(["exiftool", "-q", "-m", "-overwrite_original", *edits, haystack], check=True, capture_output=True)
    report = scan(haystack, needles)
    assert {(REASON,)} == {one.reasons for one in report.files}
    assert ["contained"] == [one.state for one in report.folders]


def test_a_turned_flag_is_another_picture() -> None:
    """The stage leaves it to the tests on pixels, which know turned copies."""
    assert digest(jpeg()) != digest(with_exif(jpeg(), {0x0112: short(6)}))
    assert digest(jpeg()) == digest(with_exif(jpeg(), {0x0112: short(1)}))


@pytest.mark.slow
def test_compare_and_explain_say_it(tree: TreeBuilder, dupfind: Dupfind) -> None:
    """With the reason, in words and as a code."""
    haystack = tree("hay", {"w.jpg": dated(jpeg(blank()), 1)})
    needles = tree("needles", {"n.jpg": dated(jpeg(blank()), 2), "m.jpg": jpeg(blank(254))})
    one, other = str(needles / "n.jpg"), str(haystack / "w.jpg")
    assert b"each proves the other: the image data are the same" in dupfind("compare", one, other).stdout
    compared = json.loads(dupfind("compare", "--format", "json", one, other).stdout)["pairs"][0]
    assert ("same", CODE, True) == (compared["evidence"], compared["reason_code"], compared["accepted"])
    differs = json.loads(dupfind("compare", "--format", "json", one, str(needles / "m.jpg")).stdout)["pairs"][0]
    assert "same-image-data" != differs["reason_code"]
    command = "explain", "--haystack", str(haystack), one
    assert b"the image data are the same, whatever the metadata say" in dupfind(*command).stdout
    explained = json.loads(dupfind(*command, "--format", "json").stdout)["needles"][0]
    assert ("present", CODE) == (explained["verdict"], explained["reason_code"])
