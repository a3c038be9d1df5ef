"""The last run: kept and found again as it was, or not at all."""

from __future__ import annotations

import dataclasses
import sqlite3
import zlib
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dupfind.answers.findings import Findings, Remains
from dupfind.cache import cache_upkeep, last_run
from dupfind.cache.cache_file import CacheFile
from dupfind.cache.cache_schema import Part, SnapshotError
from dupfind.cache.file_columns import paths_of
from dupfind.cache.last_run import (
    Claim,
    Hashes,
    LastRun,
    LastRunStore,
    Learned,
    Links,
    Rows,
    make_key,
    mark,
    marks_of,
    pack_run,
    unpack_run,
)
from dupfind.cache.packing import Packer, pack
from dupfind.settings import Settings
from dupfind.values import Evidence, Failure, FileEntry, Match, Root, ScanSettings, Side
from tests.helpers.snapshots import packed

NEEDLES = [FileEntry("/n/a\udcff", 1, 20, 30, 40), FileEntry("/n/b", 2, -21, 31, 2**64 - 1)]
HAYSTACK = [FileEntry("/h/a", 1, 22, 32, 42), FileEntry("/h/b", 2, 23, 33, 43), FileEntry("/h/c", 3, 24, 34, 44)]
FOUND = Findings({"/n/a\udcff": Match("/h/a", Evidence.IDENTICAL, None)}, {}, frozenset(), None)
SEEN = dataclasses.replace(
    FOUND,
    failures={"/h/c": Failure("broken")},
    pictures=frozenset({"/n/b"}),
    haystack_pictures=2,
    remains={"/n/b": Remains("damage", "/h/b")},
)
LINKS = Links(Hashes(array("q", [1, 1]), array("Q", range(16))), Hashes(array("q", [0, 1]), array("Q", [7, 2**64 - 1])))
SCAN = ScanSettings(("h",), ("n",), "phash", 10, Evidence.SAME, rotations=True)
SETTINGS = Settings((Root(Side.NEEDLES, "n", "/n", (1, 1)), Root(Side.HAYSTACK, "h", "/h", (1, 2))), SCAN)
LATER_NS = 10**18


def learned(*, links: Links | None = None) -> Learned:
    """What a run over these has learned."""
    made = Learned(is_kept=True)
    made.marks, made.links = (array("Q", [5, 0]), array("Q", [5, 0, 0])), links
    return made


class Desk:
    """A cache, and what runs over it remember."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        CacheFile.open(self.path)[0].close()

    def store(self, recipe: str = "recipe", settings: Settings = SETTINGS, **options: Any) -> LastRunStore:
        """As a run would make it, a day after the files were changed."""
        values = {"began_ns": LATER_NS, "may_keep": True, **options}
        return LastRunStore(dataclasses.replace(settings, cache=self.path), lambda: recipe, **values)

    def keep(self, findings: Findings = FOUND, made: Learned | None = None, **options: Any) -> None:
        """Keep what a run of a minute has found."""
        self.store(**options).keep(findings, made or learned(), Packer(NEEDLES, HAYSTACK), LATER_NS + 60 * 10**9)

    def load(self, **options: Any) -> LastRun | None:
        """What the next run finds."""
        return self.store(**options).load()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A cache of its own for each test."""
    return Desk(tmp_path / "cache.sqlite")


def test_it_is_found_again(desk: Desk) -> None:
    """Files, marks, links, claims and findings."""
    made = learned(links=LINKS)
    made.claims = [(NEEDLES[1].path, HAYSTACK[2].path)]
    desk.keep(SEEN, made)
    last = desk.load()
    assert last is not None
    columns = tuple(array(code, [getattr(entry, name) for entry in NEEDLES]) for name, code in (
        ("size_bytes", "q"), ("mtime_ns", "q"), ("ctime_ns", "q"), ("inode", "Q")
    ))  # fmt: skip
    assert Rows(b"/n/a\xff\0/n/b", columns, array("Q", [5, 0])) == last.needles
    assert [entry.path for entry in HAYSTACK] == paths_of(last.haystack.text)
    assert (LINKS, 8, 1) == (last.links, LINKS.needles.width, LINKS.haystack.width)
    assert SEEN == last.findings(NEEDLES, HAYSTACK)
    assert [Claim(1, 2)] == last.claims


def test_nothing_at_all(desk: Desk) -> None:
    """A run without files leaves something, too."""
    made = Learned(is_kept=True)
    made.links = Links(Hashes(array("q"), array("Q")), Hashes(array("q"), array("Q")))
    desk.store().keep(Findings({}, {}, frozenset(), 0), made, Packer([], []), LATER_NS)
    last = desk.load()
    assert last is not None
    assert ([], [], made.links) == (paths_of(last.needles.text), paths_of(last.haystack.text), last.links)


@pytest.mark.parametrize(
    "change",
    [
        {"max_pixels": 5}, {"excludes": ("x",)}, {"follow_symlinks": True},
        {"scan": dataclasses.replace(SCAN, threshold_bits=9)}, {"scan": dataclasses.replace(SCAN, algorithm="dhash")},
        {"scan": dataclasses.replace(SCAN, rotations=False)}, {"scan": dataclasses.replace(SCAN, quick=True)},
        {"scan": dataclasses.replace(SCAN, accept=Evidence.SIMILAR)},
        {"roots": SETTINGS.roots[:1]},
        {"roots": (SETTINGS.roots[0], dataclasses.replace(SETTINGS.roots[1], real="/x"))},
    ],
)  # fmt: skip
def test_it_is_of_its_settings(desk: Desk, change: dict[str, Any]) -> None:
    """Of those that decide what is found, and of its roots."""
    desk.keep()
    assert desk.load() is not None
    assert desk.load(settings=dataclasses.replace(SETTINGS, **change)) is None


def test_what_decides_nothing() -> None:
    """Fewer workers find the same, and so does who spells a root otherwise."""
    spelt = dataclasses.replace(SCAN, haystack=("./h",), disregard=("*.txt",), sidecars="ignore")
    assert make_key(SETTINGS) == make_key(dataclasses.replace(SETTINGS, workers=9, timeout_seconds=1.0, scan=spelt))


def test_another_recipe(desk: Desk) -> None:
    """Where pictures had a part in it, the decoders have to be the same; bytes are bytes."""
    desk.keep()
    assert desk.load(recipe="another") is not None
    for findings, made in ((SEEN, learned()), (FOUND, learned(links=LINKS))):
        desk.keep(findings, made)
        assert (True, False) == (desk.load() is not None, desk.load(recipe="another") is not None)
    similar = dataclasses.replace(FOUND, matches={"/n/b": Match("/h/a", Evidence.SAME, 3)})
    desk.keep(similar)
    assert desk.load(recipe="another") is None


@pytest.mark.parametrize(
    "options",
    [{"may_keep": False}, {"settings": dataclasses.replace(SETTINGS, scan=dataclasses.replace(SCAN, paranoid=True))}],
)
def test_who_remembers_nothing(desk: Desk, options: dict[str, Any]) -> None:
    """A source that may change while its files do not, and who wants everything to be read again."""
    desk.keep(**options)
    assert (None, False) == (desk.load(), desk.store(**options).is_kept)
    desk.keep()
    assert desk.load(**options) is None


def test_without_a_cache(tmp_path: Path) -> None:
    """Nothing is kept, and nothing is made."""
    desk = Desk(tmp_path / "cache.sqlite")
    (tmp_path / "cache.sqlite").unlink()
    desk.keep()
    assert (None, []) == (desk.load(), list(tmp_path.iterdir()))


def test_a_bound_was_met(desk: Desk) -> None:
    """What is found of one needle may then rest on all others."""
    made = learned()
    made.is_bounded = True
    desk.keep(made=made)
    assert desk.load() is None


def unsettled(desk: Desk) -> list[str]:
    """The files that count as changed whatever they are."""
    last = desk.load()
    assert last is not None
    return [
        path
        for rows in (last.needles, last.haystack)
        for path, ctime_ns in zip(paths_of(rows.text), rows.columns[2], strict=True)
        if ctime_ns == -(2**63)
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, False), ({"ctime_ns": LATER_NS - 2 * 10**9 + 1}, True), ({"ctime_ns": LATER_NS - 2 * 10**9}, False),
        ({"mtime_ns": LATER_NS}, True), ({"inode": 0}, True),
    ],
)  # fmt: skip
def test_a_file_that_was_just_written(desk: Desk, change: dict[str, int], *, expected: bool) -> None:
    """It is scanned again next time: a second change may carry the same times."""
    haystack = [HAYSTACK[0], HAYSTACK[1]._replace(**change), HAYSTACK[2]]
    desk.store().keep(FOUND, learned(), Packer(NEEDLES, haystack), LATER_NS + 10**9)
    assert (["/h/b"] if expected else []) == unsettled(desk)


def test_what_may_pass(desk: Desk) -> None:
    """A file that could not be read this time, and a needle that could not be compared, are scanned again."""
    failures = {"/h/a": Failure("no permission", lasting=False), "/h/b": Failure("broken")}
    desk.keep(dataclasses.replace(FOUND, failures=failures, passing=frozenset({"/n/b"})), learned())
    assert ["/n/b", "/h/a"] == unsettled(desk)


def test_times_beyond_all_bounds(desk: Desk) -> None:
    """Nothing is kept where they do not fit."""
    haystack = [entry._replace(mtime_ns=2**63) for entry in HAYSTACK]
    desk.store().keep(FOUND, learned(), Packer(NEEDLES, haystack), LATER_NS)
    assert desk.load() is None


def test_marks() -> None:
    """A digest has one that is not 0, and what is none has 0."""
    digests = [b"\0" * 32, b"\0" * 7 + b"\2" + b"x" * 24, Failure("x"), None]
    assert [1, 2, 0, 0] == [mark(digest) for digest in digests] == list(marks_of(digests))


def parts() -> dict[Part, bytes]:
    """The parts of a run."""
    made = learned(links=LINKS)
    rows = [last_run.pack_rows(last_run.make_rows(entries, marks, [False] * len(entries))) for entries, marks in zip(
        (NEEDLES, HAYSTACK), made.marks, strict=True
    )]  # fmt: skip
    return dict(pack_run("recipe", rows, LINKS, [Claim(1, 2)], pack(SEEN, NEEDLES, HAYSTACK)))


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (("run", 0), b""), (("run", 0), b"[]"), (("run", 0), b'{"recipe": null}'), (("paths", 0), b"x"),
        *((("run", 0), b'{"recipe": null, "has_links": false, "claims": [%s]}' % claim) for claim in (
            b"0", b"[0]", b"[-1, 0]", b"[2, 0]", b"[0, 3]", b'["0", 0]'
        )),
        (("paths", 1), zlib.compress(b"/h/a")), (("states", 0), b""), (("states", 1), bytes(119)),
        (("places", 0), b""), (("places", 1), bytes(7)), (("places", 1), b"\xff" * 16), (("values", 0), b""),
        (("values", 1), bytes(8)),
    ],
)  # fmt: skip
def test_parts_that_went_bad(part: Part, data: bytes) -> None:
    """What does not fit together is no run."""
    with pytest.raises(SnapshotError):
        unpack_run((parts() | {part: data}).__getitem__)


def test_findings_that_went_bad() -> None:
    """They are unpacked when the files are known."""
    last = unpack_run((parts() | {("findings", 0): b"x"}).__getitem__)
    with pytest.raises(SnapshotError):
        last.findings(NEEDLES, HAYSTACK)


@pytest.mark.parametrize("name", ["run", "paths", "states", "places", "values", "findings"])
def test_bits_that_were_lost(desk: Desk, name: str) -> None:
    """The seal of each part tells."""
    desk.keep(SEEN, learned(links=LINKS))
    with closing(sqlite3.connect(desk.path)) as file, file:
        (data,) = file.execute("SELECT data FROM snapshot_part WHERE name = ? AND number = 0", (name,)).fetchone()
        changed = data[:40] + bytes([data[40] ^ 1]) + data[41:]
        file.execute("UPDATE snapshot_part SET data = ? WHERE name = ? AND number = 0", (changed, name))
    assert desk.load() is None


def test_another_run_in_its_place(desk: Desk) -> None:
    """The newest counts, and only one is kept of the same roots; a haystack of find is another thing."""
    for witness in ("/h/b", "/h/a"):
        desk.keep(dataclasses.replace(FOUND, matches={"/n/b": Match(witness, Evidence.IDENTICAL, None)}))
    last = desk.load()
    assert last is not None
    assert "/h/a" == last.findings(NEEDLES, HAYSTACK).matches["/n/b"].witness
    found = cache_upkeep.info(desk.path)
    assert found is not None
    assert 1 == found.snapshots
    with pytest.raises(SnapshotError):
        unpack_run(packed().__getitem__)


def test_the_cache_is_pruned(desk: Desk) -> None:
    """The last run goes with what it names."""
    desk.keep()
    cache_upkeep.prune(desk.path, with_absent_folders=False)
    assert desk.load() is None
