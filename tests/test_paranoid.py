"""``--paranoid``: what counts as present was read again in this run, and what could not be is not present."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.cache import checksum
from dupfind.cache.cache_schema import PictureRef, identity
from dupfind.digest import DIGEST_BYTES
from dupfind.matching import reverify
from dupfind.matching.reverify import Claim, Look
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.report.reasons import sentences
from dupfind.run import Reading
from dupfind.scanning import paranoid
from dupfind.scanning.paranoid import read_again
from dupfind.sources.entries import entry_of
from dupfind.values import Evidence, Failure, FileEntry, Match, ScanSettings
from fixtures import pictures
from tests.helpers.details import enlarged, grainy, with_letters
from tests.helpers.scans import scan, settings, states

IDENTICAL, SAME, SIMILAR = Evidence
SCAN = ScanSettings(("h",), ("n",), "phash", 8, SAME, rotations=True)
SMALLER = Reason(ReasonCode.SMALLER, (160, 120, 320, 240))
DIFFERS = Reason(ReasonCode.PLACE, (AT_FULL_SIZE, "near the top left"))
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def entry(path: str, size_bytes: int = 1) -> FileEntry:
    """A file that nobody opens."""
    return FileEntry(path, size_bytes, 0, 0, 0)


class Eyes:
    """A reader whose looks are given."""

    def __init__(self, looks: Mapping[str, Look]) -> None:
        self.looks = looks
        self.claims: list[Claim] = []

    def map(self, _: str, __: object, claims: Sequence[Claim], *___: object) -> Iterator[tuple[Claim, Look]]:
        """In another order than they were asked for."""
        self.claims = list(claims)
        for claim in reversed(claims):
            yield claim, self.looks[claim.needle.path]


def again(
    matches: Mapping[str, Match], looks: Mapping[str, Look], accept: Evidence = SAME, haystack: Sequence[str] = ("w",)
) -> tuple[dict[str, Match], dict[str, Failure], Eyes]:
    """The stage with these looks, and what it asked for."""
    eyes = Eyes(looks)
    needles = [entry(path) for path in sorted(matches)]
    asked = SimpleNamespace(
        settings=SimpleNamespace(max_pixels=1, timeout_seconds=1, scan=replace(SCAN, accept=accept)), reader=eyes
    )
    found = read_again(cast("Reading", asked), matches, needles, [entry(path) for path in haystack])
    return *found, eyes


@pytest.mark.parametrize(("accept", "asked"), [(IDENTICAL, "i"), (SAME, "is"), (SIMILAR, "isz")])
def test_what_counts_as_present_is_read_again(accept: Evidence, asked: str) -> None:
    """And nothing else; what is not asked for stays as it is."""
    matches = {"i": Match("w", IDENTICAL, None), "s": Match("w", SAME, 2), "z": Match("w", SIMILAR, 4, SMALLER)}
    looks = {path: Look("w", match.evidence) for path, match in matches.items()}
    left, failures, eyes = again(matches, looks, accept)
    assert (matches, {}, list(asked)) == (left, failures, [claim.needle.path for claim in eyes.claims])


def test_a_claim_can_fall_or_be_weakened_and_never_gains() -> None:
    """A fallen one is no match any more; a stronger one may have been weakened by another stage for its reasons."""
    matches = {path: Match("w", grade, 2, SMALLER) for path, grade in zip("abc", (SAME, SAME, SIMILAR), strict=True)}
    looks = {"a": Look(None, None, failure="gone"), "b": Look("w", SIMILAR, DIFFERS), "c": Look("w", SAME)}
    left, failures, _ = again(matches, looks, SIMILAR)
    assert {"b": Match("w", SIMILAR, 2, DIFFERS), "c": Match("w", SIMILAR, 2, SMALLER)} == left
    assert {"a": Failure("gone", is_image=False, lasting=False, stage="second look")} == failures


def test_twins_of_the_same_size_are_offered() -> None:
    """For identical bytes only, the witness first, and not without end."""
    haystack = [f"{number:02}" for number in range(40)]
    matches = {"i": Match("30", IDENTICAL, None), "s": Match("30", SAME, 0)}
    looks = {"i": Look("07", IDENTICAL), "s": Look("30", SAME)}
    left, _, eyes = again(matches, looks, haystack=haystack)
    of_bytes, of_picture = (tuple(one.path for one in claim.witnesses) for claim in eyes.claims)
    assert (("30", *haystack[:16]), ("30",)) == (of_bytes, of_picture)
    assert Match("07", IDENTICAL, None) == left["i"]


def test_nothing_to_ask(tree: TreeBuilder) -> None:
    """No claim, no stage."""
    report = scan(
        tree("hay", {"a.jpg": pictures.photo(1)}), tree("needles", {"b.jpg": pictures.photo(2)}), paranoid=True
    )
    assert {"b.jpg": "missing"} == states(report)


def test_unchanged_copies_stay_present(tree: TreeBuilder) -> None:
    """By bytes and by picture, with the words of a plain scan; the report says that it was asked for."""
    image = grainy(1, (400, 300))
    haystack = tree("hay", {"a.png": image, "b.png": pictures.photo(2, (640, 480)), "c.mov": b"film" * 99})
    needles = tree("needles", {"a.jpg": image.rotate(90, expand=True), "b.jpg": pictures.photo(2, (320, 240)),
                               "c.mov": b"film" * 99})  # fmt: skip
    report = scan(haystack, needles, paranoid=True)
    assert scan(haystack, needles).files == report.files
    assert report.is_complete
    assert report.settings.paranoid


@pytest.mark.parametrize("name", ["a.mov", "a.png"])
def test_bytes_that_change_after_they_were_digested(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Between two stages of one run, with the times put back: missing, with a problem that says why."""
    photo = pictures.photo(1)
    haystack, needles = tree("hay", {name: photo if name == "a.png" else b"film"}), tree("needles", {})
    (needles / name).write_bytes((haystack / name).read_bytes())
    victim = haystack / name
    real = paranoid.read_again

    def rot_first(*arguments: Any) -> Any:
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        times = victim.stat()
        victim.write_bytes(content)
        os.utime(victim, ns=(times.st_atime_ns, times.st_mtime_ns))
        return real(*arguments)

    assert {name: "present/identical"} == states(scan(haystack, needles, paranoid=True))
    monkeypatch.setattr(paranoid, "read_again", rot_first)
    report = scan(haystack, needles, paranoid=True)
    reason = "its witness could not be read again: changed while it was read"
    assert [("missing", reason)] == [(one.state.value, sentences(one.reasons)) for one in report.files]
    assert [(str(needles / name), "second look", reason)] == [
        (one.path, one.stage, one.reason) for one in report.problems
    ]
    assert not report.is_complete
    assert ["missing"] == [one.state.value for one in report.folders]


class Dying(Executor):
    """Runs everything at once, and dies of one claim."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Run ``fn``, or break at the culprit."""
        future: Future[Any] = Future()
        task = fn.args[0]  # type: ignore[attr-defined]  # within what takes the time of it
        is_look = isinstance(task, partial) and task.func is reverify.reverify
        if is_look and any(claim.needle.path.endswith("1.jpg") for claim in args[0]):
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(fn(*args))
        return future


def test_a_worker_that_dies_costs_only_its_pair(tree: TreeBuilder) -> None:
    """The pairs that waited with it are looked at all the same."""
    photos = {f"{seed}": pictures.photo(seed, (160, 120)) for seed in range(4)}
    haystack = tree("hay", {f"{name}.png": photo for name, photo in photos.items()})
    needles = tree("needles", {f"{name}.jpg": photo for name, photo in photos.items()})
    report = pipeline.scan(settings(haystack, needles, paranoid=True), make_executor=Dying)
    assert {"0.jpg": "present/same", "1.jpg": "missing", "2.jpg": "present/same", "3.jpg": "present/same"} == states(
        report
    )
    (problem,) = report.problems
    assert "its witness could not be read again: the process that read it died" == problem.reason


def rot(victim: Path, content: bytes, cache: Path) -> None:
    """Change what the file holds and make the cache believe that it did not, as a disk does that rots."""
    times = victim.stat()
    assert len(content) == times.st_size
    before = entry_of(str(victim), times)
    victim.write_bytes(content)
    os.utime(victim, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = victim.stat()
    entry = FileEntry(str(victim), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    with sqlite3.connect(cache) as connection:
        row = os.fsencode(victim.name), os.fsencode(victim.parent)
        where = "WHERE name = ? AND folder = (SELECT id FROM folder WHERE path = ?)"
        ((digest, picture, size_pixels, failure, is_image, recipe),) = connection.execute(
            "SELECT digest, picture, size_pixels, failure, is_image, text FROM file "
            f"LEFT JOIN label ON label.id = recipe {where}",
            row,
        ).fetchall()
        connection.execute(f"UPDATE file SET ctime_ns = ? {where}", (entry.ctime_ns, *row))
        if digest is not None:
            sealed = checksum.sealed_digest(entry, digest[:DIGEST_BYTES])
            connection.execute(f"UPDATE file SET digest = ? {where}", (sealed, *row))
        if recipe is not None:
            content = PictureRef(picture, size_pixels) if failure is None else Failure(failure, is_image=bool(is_image))
            seal = checksum.of_content(entry, content, checksum.of_text(recipe))
            connection.execute(f"UPDATE file SET seal = ? {where}", (seal, *row))
        rekey_comparisons(connection, before, entry)
    connection.close()


def rekey_comparisons(connection: sqlite3.Connection, before: FileEntry, now: FileEntry) -> None:
    """Let what is remembered of comparisons with a witness be of the file as it is now."""
    rows = connection.execute(
        "SELECT needle, orientation, code, reason, text FROM comparison JOIN label ON label.id = recipe "
        "WHERE witness = ?",
        (identity(before),),
    ).fetchall()
    for needle, orientation, code, reason, recipe in rows:
        mark = checksum.of_text(recipe)
        seal = checksum.of_comparison(needle, identity(now), orientation, (code, reason), mark)
        connection.execute(
            "UPDATE comparison SET witness = ?, seal = ? WHERE needle = ? AND witness = ?",
            (identity(now), seal, needle, identity(before)),
        )


@pytest.mark.slow
def test_a_witness_that_rots_behind_the_cache(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """The real process: believed without the option, found out with it."""
    photo, cache = pictures.photo(1, (320, 240)), tmp_path / "cache" / "cache.sqlite"
    hay = tree("hay", {"picture.png": photo, "film.mov": b"film" * 99, "sound.wav": b"la" * 99})
    tree("needles", {"p/needle.jpg": photo, "f/film.mov": b"film" * 99, "s/sound.wav": b"la" * 99})
    arguments = ("scan", "--haystack", "hay", "--needles", "needles", "--all", "--format", "csv", "--files")
    time.sleep(2.1)  # what was written just now is not kept in the cache
    assert 0 == dupfind(*arguments).returncode
    rotten = bytearray((hay / "picture.png").read_bytes())
    rotten[len(rotten) // 2] ^= 255
    rot(hay / "picture.png", bytes(rotten), cache)
    rot(hay / "film.mov", b"film" * 98 + b"tilm", cache)
    assert 0 == dupfind(*arguments).returncode
    done = dupfind(*arguments, "--paranoid", has_workers=True)
    assert 1 == done.returncode
    lines = done.stdout.decode()
    assert 1 == lines.count("present")
    assert "its witness no longer has the same bytes" in lines
    assert "its witness could not be read again: cannot be decoded" in lines
    done = dupfind("scan", "--haystack", "hay", "--needles", "needles", "--paranoid", "--only", "contained", "-0")
    assert b"needles/s\0" == done.stdout
    assert 2 == done.stderr.count(b"its witness")


@pytest.mark.slow
def test_what_thumbnails_cannot_see(dupfind: Run, tree: TreeBuilder) -> None:
    """The real process: an enlarged preview and a small change pass for the same picture with --quick only."""
    one, other = grainy(1), grainy(3)
    tree("hay", {"one.png": enlarged(one, 2), "other.png": with_letters(other, (40, 30), 4)})
    tree("needles", {"one.png": one, "other.png": other})
    arguments = ("scan", "--haystack", "hay", "--needles", "needles", "--all", "--files")
    done = dupfind(*arguments, "--quick")
    assert (0, 2) == (done.returncode, done.stdout.count(b"the same picture"))
    assert b"do not delete by this answer" in done.stdout
    for options in ((), ("--paranoid",)):
        done = dupfind(*arguments, *options)
        assert 1 == done.returncode
        words = " ".join(done.stdout.decode().split())
        assert "the haystack's copy shows less detail at full size" in words
        assert "at full size something differs near the top left" in words
        assert 0 == words.count("the same picture")
