"""Only what has changed is scanned again, and the answer is to the byte that of a scan of everything."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dupfind import pipeline
from dupfind.answers.findings import Findings
from dupfind.cache import last_run
from dupfind.cache.cache_schema import Part
from dupfind.cache.last_run import LastRun, LastRunStore
from dupfind.cache.result_cache import ResultCache
from dupfind.errors import CacheLostError
from dupfind.matching import matcher
from dupfind.pictures import jpeg as jpegs
from dupfind.pool import full_size, tasks
from dupfind.pool.full_size import not_compared
from dupfind.run import Run
from dupfind.scanning import first_decodes, scan_again
from dupfind.settings import make_settings
from dupfind.values import Failure, FileEntry, Report
from tests.helpers.ahead import looking_ahead
from tests.helpers.races import believed_at_once, short_scans
from tests.helpers.related_files import ENDINGS, contents
from tests.helpers.scans import answer, scan, states

OPTIONS: list[dict[str, Any]] = [
    {},
    {},
    {"rotations": False},
    {"quick": True},
    {"threshold_bits": 0},
    {"threshold_bits": 2},
    {"algorithm": "dhash", "threshold_bits": 14},
    {"accept": "similar", "sidecars": "ignore"},
    {"accept": "identical"},
    {"archives": "both"},
    {"archives": "needles", "threshold_bits": 24},
]


NAMES = sorted(contents())
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
        self.is_gray = False
        """Whether all pictures are decoded gray at first, as where most can have no candidate."""
        self.is_learning = False
        """Whether each scan of what has changed is kept for the next one, as where much has."""
        self.is_ahead = True
        for place in ("hay/keep.txt", "old/keep.txt"):
            (self.top / place).write_bytes(b"kept")

    def teardown(self) -> None:
        """Take the trees away."""
        shutil.rmtree(self.top)

    @initialize(
        options=st.sampled_from(OPTIONS),
        is_gray=st.booleans(),
        is_learning=st.booleans(),
        files=st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(NAMES)), min_size=2, max_size=12),
    )
    def begin(self, options: dict[str, Any], files: list[tuple[str, str]], *, is_gray: bool, is_learning: bool) -> None:
        """Some files, and a first scan."""
        self.options, self.is_gray, self.is_learning = options, is_gray, is_learning
        for number, (side, name) in enumerate(files):
            self._put(self.top / side / f"first {number}.{ENDINGS.get(name, 'jpg')}", name)
        self.scan()

    def _put(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents()[name])

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

    @rule(side=st.sampled_from(SIDES), stem=st.sampled_from(STEMS), name=st.sampled_from(NAMES))
    def write_under_the_name_of_a_film(self, side: str, stem: str, name: str) -> None:
        """What is no film is called one."""
        self._put(self._new(side, "", stem, ".mov"), name)
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
            with small(), self._decoding():
                fresh = scan(self.top / "hay", self.top / "old", **self.options)
            assert answer(fresh) == answer(warm)

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        few = 0 if self.is_gray else first_decodes.FEW_NEEDLES
        many = 0 if self.is_gray else first_decodes.MANY_NEEDLES
        least = -1 if self.is_learning else scan_again.LEAST_TO_LEARN
        with (
            patch.object(first_decodes, "FEW_NEEDLES", few),
            patch.object(first_decodes, "MANY_NEEDLES", many),
            patch.object(scan_again, "LEAST_TO_LEARN", least),
        ):
            yield

    def _warm(self) -> Report:
        with counting() as counts, self._decoding(), looking_ahead() if self.is_ahead else nullcontext():
            report = scan(self.top / "hay", self.top / "old", cache=str(self.top / "cache.sqlite"), **self.options)
        self.is_ahead = not self.is_ahead  # so that each meets what the other has kept
        Nights.short += counts == [True]
        Nights.whole += counts == [False]
        return report


@contextmanager
def small() -> Iterator[None]:
    """Small progressive pictures are read coarsely, too."""
    with patch.object(jpegs, "_COARSE_FACTOR", 2), patch.object(jpegs, "_COARSE_BYTES", 1 << 12):
        yield


@contextmanager
def counting() -> Iterator[list[bool]]:
    """Count which scans have gone the short way; files of milliseconds ago are believed."""
    with small(), short_scans() as counts:
        yield counts


class Night(NamedTuple):
    """Two trees, what happens to them after a first scan, and whether the next one goes the short way."""

    hay: dict[str, str]
    """The names of contents, by path."""
    old: dict[str, str]
    change: Callable[[Path], object]
    is_short: bool = True
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed
    before: dict[str, str] = {}  # noqa: RUF012 - likewise
    """Verdicts on some needles after the first scan, which show that the night is about what it is to be about."""
    after: dict[str, str] = {}  # noqa: RUF012 - likewise


def gone(*names: str) -> Callable[[Path], object]:
    """These files are deleted."""
    return lambda top: [(top / name).unlink() for name in names]


def came(**files: str) -> Callable[[Path], object]:
    """These files come: the side, and what it gets."""
    return lambda top: [
        (top / side / f"0 new.{ENDINGS.get(name, 'jpg')}").write_bytes(contents()[name]) for side, name in files.items()
    ]


def rewritten(top: Path) -> None:
    """The witness gets other bytes of the same size, and its time back."""
    path = top / "hay/a.txt"
    times = path.stat()
    path.write_bytes(b"sword")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


NIGHTS = {
    "nothing": Night({"a.jpg": "1"}, {"b.jpg": "1 again"}, lambda _: None),
    "a witness by bytes goes": Night(
        {"a.txt": "text", "b.jpg": "1"}, {"a.txt": "text", "b.jpg": "1"}, gone("hay/a.txt"),
        before={"a.txt": "present/identical"}, after={"a.txt": "missing", "b.jpg": "present/identical"},
    ),
    "a witness by bytes changes": Night(
        {"a.txt": "text"}, {"a.txt": "text"}, rewritten,
        before={"a.txt": "present/identical"}, after={"a.txt": "missing"},
    ),
    "a witness that comes first": Night({"a.txt": "text"}, {"a.txt": "text"}, came(hay="text")),
    "the first file of its size": Night(
        {"a.jpg": "1"}, {"a.txt": "text", "b.txt": "text"}, came(hay="text"),
        before={"a.txt": "missing"}, after={"a.txt": "present/identical", "b.txt": "present/identical"}, is_short=True,
    ),
    "a needle of a size that nobody asked for": Night(
        {"a.txt": "text", "b.jpg": "1"}, {"b.jpg": "1"}, came(old="text"), after={"0 new.txt": "present/identical"},
    ),
    "a witness by its picture goes": Night(
        {"a.jpg": "1", "b.jpg": "2"}, {"a.jpg": "1 again", "b.jpg": "2 again"}, gone("hay/a.jpg"),
        before={"a.jpg": "present/same"}, after={"a.jpg": "missing", "b.jpg": "present/same"},
    ),
    "a better witness comes": Night(
        {"a.jpg": "1"}, {"a.jpg": "1 again", "b.jpg": "2"}, came(hay="1 large"), before={"a.jpg": "present/same"},
    ),
    "a witness comes that lies further away, but as the needle does": Night(
        {"a.jpg": "1"}, {"a.jpg": "1 small turned", "b.jpg": "2"}, came(hay="1 turned"),
        before={"a.jpg": "present/same"}, after={"a.jpg": "present/same"},
    ),
    "the nearer of two witnesses goes": Night(
        {"a.jpg": "1 large", "b.jpg": "1 turned"}, {"a.jpg": "1 small turned", "b.jpg": "2"}, gone("hay/b.jpg"),
        before={"a.jpg": "present/same"}, after={"a.jpg": "present/same"},
    ),
    "a needle comes": Night(
        {"a.jpg": "1", "b.jpg": "2"}, {"b.jpg": "2 again"}, came(old="1 turned"), after={"0 new.jpg": "present/same"},
    ),
    "a rival goes": Night(
        {"a.jpg": "1"}, {"a.jpg": "1 at noon", "b.jpg": "1 later"}, gone("old/a.jpg"),
        before={"a.jpg": "present/same", "b.jpg": "similar/similar"}, after={"b.jpg": "present/same"},
    ),
    "a rival comes": Night(
        {"a.jpg": "1"}, {"b.jpg": "1 later"}, came(old="1 at noon"), before={"b.jpg": "present/same"},
    ),
    "a rival comes that its image data prove": Night(
        {"a.jpg": "1 turned", "z.jpg": "1 by another clock"}, {"b.jpg": "1 later, again"}, came(old="1 at noon"),
        before={"b.jpg": "present/same"}, after={"0 new.jpg": "present/same", "b.jpg": "similar/similar"},
    ),
    "a rival goes that was proved by its image data": Night(
        {"a.jpg": "1 turned", "z.jpg": "1 by another clock"}, {"a.jpg": "1 at noon", "b.jpg": "1 later, again"},
        gone("old/a.jpg"),
        before={"a.jpg": "present/same", "b.jpg": "similar/similar"}, after={"b.jpg": "present/same"},
    ),
    "a film comes, beside pictures that are called films": Night(
        {"a.mov": "1", "b.jpg": "2"}, {"a.jpg": "1 at noon", "b.mov": "1 later"}, came(hay="film"),
        before={"a.jpg": "present/same", "b.mov": "similar/similar"},
        after={"a.jpg": "present/same", "b.mov": "similar/similar"},
    ),
    "a film goes, beside pictures that are called films": Night(
        {"a.mov": "1", "b.jpg": "2", "c.mov": "film"}, {"a.jpg": "1 at noon", "b.mov": "1 later"}, gone("hay/c.mov"),
        before={"b.mov": "similar/similar"}, after={"a.jpg": "present/same", "b.mov": "similar/similar"},
    ),
    "a needle becomes a rival": Night(
        {"a.jpg": "1", "b.jpg": "1 at noon"}, {"a.jpg": "1 at noon", "b.jpg": "1 later"}, gone("hay/b.jpg"),
        before={"a.jpg": "present/identical", "b.jpg": "present/same"},
    ),
    "a frame goes": Night(
        {"a.jpg": "1 framed", "b.jpg": "2"}, {"a.jpg": "1", "b.jpg": "2 again"}, gone("hay/a.jpg"),
        before={"a.jpg": "similar/similar"}, after={"a.jpg": "missing"},
    ),
    "a frame comes": Night(
        {"b.jpg": "2"}, {"a.jpg": "1", "b.jpg": "2 again"}, came(hay="1 framed"),
        before={"a.jpg": "missing"}, after={"a.jpg": "similar/similar"},
    ),
    "a broken file comes": Night({"b.jpg": "2"}, {"b.jpg": "2 again"}, came(hay="no picture")),
    "a broken file goes": Night(
        {"a.jpg": "no picture", "b.jpg": "2", "c.jpg": "no picture"}, {"b.jpg": "2 again"}, gone("hay/a.jpg")
    ),
    "a broken needle comes": Night({"b.jpg": "2"}, {"b.jpg": "2 again"}, came(old="no picture")),
    "an owner goes": Night(
        {"a.jpg": "1", "b.jpg": "2"}, {"a.jpg": "1 again", "a.jpg.xmp": "sidecar"}, gone("hay/a.jpg"),
        options={"sidecars": "ignore"}, before={"a.jpg.xmp": "unwanted"}, after={"a.jpg.xmp": "missing"},
    ),
    "an archive comes": Night(
        {"a.jpg": "1", "b.jpg": "2"}, {"b.jpg": "2 again"}, came(old="archive"), options={"archives": "needles"},
        after={"a.jpg": "present/identical", "d.jpg": "present/same"},
    ),
    "too large": Night(
        {"a.jpg": "1 large", "b.jpg": "2"}, {"b.jpg": "2 again"}, came(hay="3"), options={"max_pixels": 40_000}
    ),
    "a picture comes that may be what is left of a needle": Night(
        {"b.jpg": "2"}, {"a.jpg": "1 damaged", "b.jpg": "2 again"}, came(hay="3"), is_short=False,
    ),
    "a picture goes that may be what is left of a needle": Night(
        {"a.jpg": "3", "b.jpg": "2"}, {"a.jpg": "1 damaged", "b.jpg": "2 again"}, gone("hay/a.jpg"), is_short=False,
    ),
    "the picture comes that a damaged needle is of": Night(
        {"b.jpg": "2"}, {"a.jpg": "1 damaged", "b.jpg": "2 again"}, came(hay="1 large"),
    ),
    "a text comes beside a damaged needle": Night(
        {"b.jpg": "2"}, {"a.jpg": "1 damaged", "b.jpg": "2 again"}, came(hay="text")
    ),
    "a damaged needle comes": Night(
        {"a.jpg": "2", "b.jpg": "1 large"}, {"b.jpg": "2 again"}, came(old="3 damaged"), is_short=False,
    ),
    "the first picture that nothing proves": Night(
        {"a.jpg": "1", "b.jpg": "no picture"}, {"a.jpg": "1"}, came(old="2"), is_short=False
    ),
    "the last picture that nothing proved": Night(
        {"a.jpg": "1", "b.jpg": "no picture"}, {"a.jpg": "1", "b.jpg": "2"}, gone("old/b.jpg"), is_short=False
    ),
    "a frame that only a full decode shows": Night(
        {"a.jpg": "2"}, {"a.jpg": "2 again", "b.jpg": "1 framed"}, came(hay="1 framed, progressive"), is_short=False,
    ),
}  # fmt: skip


def put(top: Path, night: Night) -> None:
    """Build the trees of a night."""
    for side, files in (("hay", night.hay), ("old", night.old)):
        (top / side).mkdir()
        for path, name in files.items():
            (top / side / path).write_bytes(contents()[name])


@pytest.mark.parametrize("name", NIGHTS)
def test_a_night(tmp_path: Path, name: str) -> None:
    """Each rule of what is scanned again."""
    night = NIGHTS[name]
    put(tmp_path, night)
    given = {"cache": str(tmp_path / "cache.sqlite"), **night.options}
    with counting() as counts:
        before = scan(tmp_path / "hay", tmp_path / "old", **given)
        with patch.object(ResultCache, "recall", lambda _: None):
            night.change(tmp_path)
            warm = scan(tmp_path / "hay", tmp_path / "old", **given)
            again = scan(tmp_path / "hay", tmp_path / "old", **given)
    with small():
        fresh = scan(tmp_path / "hay", tmp_path / "old", **night.options)
    assert answer(fresh) == answer(warm)
    assert answer(fresh) == answer(again)
    assert night.is_short == counts[0]
    assert counts[-1]  # what was scanned whole is what the next one goes by
    for expected, report in ((night.before, before), (night.after, warm)):
        assert expected == {needle: states(report)[needle] for needle in expected}


def two_nights(top: Path, change: Callable[[], object]) -> list[bool]:
    """Scan, let something happen, scan again and compare; gives which scans have gone the short way."""
    cache = str(top / "cache.sqlite")
    with counting() as counts, patch.object(ResultCache, "recall", lambda _: None):
        scan(top / "hay", top / "old", cache=cache)
        change()
        warm = scan(top / "hay", top / "old", cache=cache)
    with small():
        assert answer(scan(top / "hay", top / "old")) == answer(warm)
    return counts


ONE_AFTER_ANOTHER: dict[str, tuple[Night, list[Callable[[Path], object]], dict[str, str]]] = {
    "a witness whose digest nobody had asked for goes": (
        Night({"a.txt": "text", "b.jpg": "2"}, {"b.jpg": "2"}, lambda _: None),
        [came(old="text"), gone("hay/a.txt")],
        {"0 new.txt": "missing"},
    ),
    "a picture that no needle was compared with": (
        Night({"a.jpg": "1", "b.jpg": "2"}, {"a.jpg": "1 again"}, lambda _: None),
        [came(hay="3"), came(old="3 again")],
        {"0 new.jpg": "present/same"},
    ),
    "a needle of before": (
        Night({"a.jpg": "1"}, {"a.jpg": "1 again"}, lambda _: None),
        [came(old="2 again"), came(hay="2")],
        {"0 new.jpg": "present/same", "a.jpg": "present/same"},
    ),
    "a frame of before": (
        Night({"b.jpg": "2"}, {"b.jpg": "2 again"}, lambda _: None),
        [came(hay="1 framed"), came(old="1")],
        {"0 new.jpg": "similar/similar"},
    ),
    "a needle that its bytes prove no longer": (
        Night({"a.jpg": "1"}, {"a.jpg": "1 again", "b.jpg": "2"}, lambda _: None),
        [came(hay="2"), gone("hay/0 new.jpg"), came(hay="2 large")],
        {"a.jpg": "present/same", "b.jpg": "present/same"},
    ),
    "a witness that was lost before": (
        Night({"a.jpg": "1"}, {"a.jpg": "1 at noon", "b.jpg": "1 later"}, lambda _: None),
        [came(old="2"), gone("old/a.jpg")],
        {"b.jpg": "present/same"},
    ),
    "a witness that was lost meanwhile": (
        Night({"a.jpg": "1"}, {"b.jpg": "1 later"}, lambda _: None),
        [came(old="1 at noon"), gone("old/0 new.jpg")],
        {"b.jpg": "present/same"},
    ),
    "files that were only touched": (
        Night({"a.jpg": "1", "b.jpg": "2"}, {"a.jpg": "1", "b.jpg": "2 again"}, lambda _: None),
        [lambda top: os.utime(top / "hay/a.jpg", (1, 1)), gone("hay/a.jpg")],
        {"a.jpg": "missing", "b.jpg": "present/same"},
    ),
    "a needle goes, and the places of all others move": (
        Night({"a.jpg": "1", "b.jpg": "2"}, {"a.jpg": "1 again", "b.jpg": "2 again"}, lambda _: None),
        [gone("old/a.jpg"), came(hay="2 large"), gone("hay/0 new.jpg", "hay/b.jpg")],
        {"b.jpg": "missing"},
    ),
}


@pytest.mark.parametrize("name", ONE_AFTER_ANOTHER)
def test_nights_one_after_another(tmp_path: Path, name: str) -> None:
    """Each goes by the one before it, which had scanned only what had changed."""
    night, changes, after = ONE_AFTER_ANOTHER[name]
    put(tmp_path, night)
    cache = str(tmp_path / "cache.sqlite")
    with (
        counting() as counts,
        patch.object(scan_again, "LEAST_TO_LEARN", -1),
        patch.object(ResultCache, "recall", lambda _: None),
    ):
        scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        for change in changes:
            change(tmp_path)
            warm = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    with small():
        assert answer(scan(tmp_path / "hay", tmp_path / "old")) == answer(warm)
    assert counts == [True] * len(changes)
    assert after.items() <= states(warm).items()


def test_what_was_just_written_is_scanned_once_more(tmp_path: Path) -> None:
    """And is known from then on: a run right after a copy has files of the last two seconds among its files."""
    put(tmp_path, NIGHTS["a witness by its picture goes"])
    options = {"cache": str(tmp_path / "cache.sqlite")}
    asked: list[int] = []
    real = scan_again.scan_again

    def counted(news: scan_again.News, *values: Any, **named: Any) -> Findings | None:
        asked.append(news.files)
        return real(news, *values, **named)

    with small(), patch.object(scan_again, "scan_again", counted), patch.object(scan_again, "LEAST_TO_LEARN", 1):
        scan(tmp_path / "hay", tmp_path / "old", **options)  # by the clock of the cache all is of just now
        with believed_at_once():
            for stem in ("c", "d"):
                (tmp_path / f"old/{stem}.txt").write_bytes(b"words")
                scan(tmp_path / "hay", tmp_path / "old", **options)
    assert [5, 1] == asked


@pytest.mark.parametrize(("side", "name"), [("hay", "a.txt"), ("old", "a.txt"), ("hay", "b.jpg"), ("old", "b.jpg")])
def test_a_touched_file(tmp_path: Path, side: str, name: str) -> None:
    """Where it has the bytes that it had nothing is looked for; only where these are not known it has changed."""
    put(tmp_path, Night({"a.txt": "text", "b.jpg": "1"}, {"a.txt": "text", "b.jpg": "1 again"}, lambda _: None))
    with patch.object(pipeline, "find_matches", wraps=pipeline.find_matches) as find:
        assert [True] == two_nights(tmp_path, lambda: os.utime(tmp_path / side / name, (1, 1)))
    assert find.call_count == (3 if name == "b.jpg" else 2)  # with those of two scans of everything


def test_a_touched_file_with_other_bytes(tmp_path: Path) -> None:
    """Of the same length: it has changed."""
    put(tmp_path, Night({"a.txt": "text"}, {"a.txt": "text"}, lambda _: None))
    assert [True] == two_nights(tmp_path, lambda: rewritten(tmp_path))
    assert {"a.txt": "missing"} == states(scan(tmp_path / "hay", tmp_path / "old"))


def test_films(tmp_path: Path) -> None:
    """A film that comes or goes is compared with all films, and its packets are all that proves it."""
    from tests.helpers.films import film, remuxed

    reel = film(frames=4, sounds=())
    for side, content in (("hay", reel), ("old", remuxed(reel, "mov", tags={"title": "other words"}))):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.mov").write_bytes(content)
        (tmp_path / side / "b.jpg").write_bytes(contents()["2" if side == "hay" else "2 again"])

    def copied() -> None:
        (tmp_path / "old/c.mov").write_bytes(remuxed(reel, "mov", tags={"title": "more words"}))

    assert [True] == two_nights(tmp_path, copied)
    report = scan(tmp_path / "hay", tmp_path / "old")
    assert {"a.mov": "present/same", "b.jpg": "present/same", "c.mov": "present/same"} == states(report)
    assert [True, True] == two_nights(tmp_path, (tmp_path / "hay/a.mov").unlink)
    report = scan(tmp_path / "hay", tmp_path / "old")
    assert {"a.mov": "missing", "b.jpg": "present/same", "c.mov": "missing"} == states(report)


def test_a_witness_that_was_forgotten(tmp_path: Path) -> None:
    """Whatever else goes wrong, nothing rests on a file that has gone."""
    put(tmp_path, NIGHTS["a witness by bytes goes"])
    with patch.object(scan_again._Again, "_by_bytes", lambda _: set()):
        assert [False] == two_nights(tmp_path, (tmp_path / "hay/a.txt").unlink)


def test_the_last_look_is_taken(tmp_path: Path) -> None:
    """Also where only what has changed was scanned: files were read, and may have gone since."""
    asked: list[bool] = []
    put(tmp_path, NIGHTS["a needle comes"])
    cache = str(tmp_path / "cache.sqlite")

    def note(*_: object, is_remembered: bool, **__: object) -> bool:
        asked.append(is_remembered)
        return False

    with counting() as counts, patch.object(pipeline, "is_due", note):
        scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        NIGHTS["a needle comes"].change(tmp_path)
        scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    assert [True] == counts
    assert [False, False] == asked


def test_what_acts_goes_by_no_earlier_run(tmp_path: Path) -> None:
    """Its proofs are of this very run."""
    put(tmp_path, NIGHTS["a needle comes"])
    cache = str(tmp_path / "cache.sqlite")
    scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    NIGHTS["a needle comes"].change(tmp_path)
    given = make_settings(haystack=[str(tmp_path / "hay")], needles=[str(tmp_path / "old")], cache=cache)
    with counting() as counts, patch.object(pipeline, "find_matches", wraps=pipeline.find_matches) as find:
        for _ in range(2):
            run = Run(given)
            run.recalls_findings = False
            pipeline.scan_run(run)
    assert [] == counts
    assert 2 == find.call_count


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("a rival comes", [["0 new.jpg"], ["0 new.jpg", "b.jpg"]]),
        ("a better witness comes", [["a.jpg"]]),
        ("a needle comes", [["0 new.jpg"]]),
        ("a rival goes", [[], ["b.jpg"]]),
    ],
)
def test_a_rival_is_followed_to_its_end(tmp_path: Path, name: str, asked: list[list[str]]) -> None:
    """Who may want what a needle has claimed is matched once more together with it, and nobody else is."""
    put(tmp_path, NIGHTS[name])
    real, needles = pipeline.find_matches, list[list[str]]()

    def noted(entries: list[FileEntry], *values: Any, **options: Any) -> Any:
        needles.append([os.path.basename(entry.path) for entry in entries])
        return real(entries, *values, **options)

    with patch.object(pipeline, "find_matches", noted):
        assert [True] == two_nights(tmp_path, lambda: NIGHTS[name].change(tmp_path))
    assert asked == needles[1:-1]  # between two scans of everything


@pytest.mark.parametrize("name", ["old/a.jpg", "hay/a.jpg"])
def test_a_claim_that_fell_at_the_last_look(tmp_path: Path, name: str) -> None:
    """A file changes after all was matched: the next run knows whose witness it was, or whose claim."""
    put(tmp_path, NIGHTS["a rival goes"])
    real = pipeline.begin_final_check

    def changed(*values: Any) -> None:
        (tmp_path / name).write_bytes(contents()["2"])
        real(*values)

    cache = str(tmp_path / "cache.sqlite")
    with counting() as counts:
        with patch.object(pipeline, "begin_final_check", changed):
            first = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        warm = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    with small():
        fresh = scan(tmp_path / "hay", tmp_path / "old")
    assert "missing" == states(first)["a.jpg"]
    assert answer(fresh) == answer(warm)
    assert {"b.jpg": "present/same" if name == "old/a.jpg" else "missing"}.items() <= states(fresh).items()
    assert [True] == counts


def test_rivals_without_an_end(tmp_path: Path) -> None:
    """Then everything is scanned."""
    put(tmp_path, NIGHTS["a rival comes"])
    with patch.object(scan_again, "MOST_ROUNDS", 1):
        assert [False] == two_nights(tmp_path, lambda: NIGHTS["a rival comes"].change(tmp_path))


def test_a_bound_is_met(tmp_path: Path) -> None:
    """What is found of one needle may then rest on all others."""
    put(tmp_path, NIGHTS["a rival comes"])
    with patch.object(matcher, "_MOST_CONFLICT_ROUNDS", 0):
        assert [] == two_nights(tmp_path, lambda: None)  # it is not kept

    def change() -> None:
        NIGHTS["a rival comes"].change(tmp_path)
        patch.object(matcher, "_MOST_CONFLICT_ROUNDS", 0).start()

    try:
        assert [False] == two_nights(tmp_path, change)
    finally:
        patch.stopall()


PASSING: dict[str, tuple[object, str, Callable[[Any], object]]] = {
    "a pair at full size": (full_size, "compare_pairs", lambda _: not_compared("no memory")),
    "image data": (tasks, "read_image_data", lambda _: tasks.Outcome(Failure("no memory", lasting=False), 0)),
}


@pytest.mark.parametrize("is_recalled", [True, False])
@pytest.mark.parametrize("name", PASSING)
def test_what_could_not_be_compared(tmp_path: Path, name: str, *, is_recalled: bool) -> None:
    """The next run compares it although nothing has changed, be it by the answer of before or by the last run."""
    (tmp_path / "hay").mkdir()
    (tmp_path / "old").mkdir()
    content = contents()["1"]
    (tmp_path / "hay/a.jpg").write_bytes(content)
    tagged = content[:2] + b"\xff\xfe\x00\x07words" + content[2:]
    (tmp_path / "old/b.jpg").write_bytes(tagged if name == "image data" else contents()["1 again"])
    module, task, fail = PASSING[name]
    cache = str(tmp_path / "cache.sqlite")
    failing = patch.object(module, task, lambda items, *_, **__: [fail(item) for item in items])
    recalling = nullcontext() if is_recalled else patch.object(ResultCache, "recall", lambda _: None)
    with counting(), recalling:
        with failing:
            first = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        second = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        fresh = scan(tmp_path / "hay", tmp_path / "old")
    assert answer(first) != answer(fresh)
    assert answer(second) == answer(fresh)


def test_what_is_new_is_read_once(tmp_path: Path) -> None:
    """Its bytes where they matter, and its picture, on either side."""
    put(tmp_path, NIGHTS["nothing"])
    read: list[str] = []

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        def note(entries: Sequence[FileEntry], *values: Any, **options: Any) -> Any:
            read.extend(f"{real.__name__} {os.path.basename(entry.path)}" for entry in entries)
            return real(entries, *values, **options)

        return note

    def change() -> None:
        came(old="2", hay="3")(tmp_path)
        (tmp_path / "old/twin.jpg").write_bytes(contents()["3"])
        for name in ("read_digests", "read_thumbnails"):
            patch.object(tasks, name, noting(getattr(tasks, name))).start()

    with counting():
        scan(tmp_path / "hay", tmp_path / "old", cache=str(tmp_path / "cache.sqlite"))
        try:
            change()
            scan(tmp_path / "hay", tmp_path / "old", cache=str(tmp_path / "cache.sqlite"))
        finally:
            patch.stopall()
    assert [
        "read_digests 0 new.jpg", "read_digests twin.jpg", "read_thumbnails 0 new.jpg", "read_thumbnails 0 new.jpg",
    ] == sorted(read)  # fmt: skip


def test_too_much_has_changed(tmp_path: Path) -> None:
    """Everything is scanned, and the next run goes by that."""
    put(tmp_path, NIGHTS["nothing"])
    with patch.object(scan_again, "LEAST_NEWS", 0):
        assert [] == two_nights(tmp_path, lambda: came(old="2")(tmp_path))
        assert [True, True] == two_nights(tmp_path, lambda: None)


def test_the_cache_is_damaged_meanwhile(tmp_path: Path) -> None:
    """The run that starts again goes by nothing that came from it."""
    put(tmp_path, NIGHTS["nothing"])
    real, asked = scan_again.scan_again, []

    def lose(*values: Any, **options: Any) -> Findings | None:
        asked.append(True)
        findings = real(*values, **options)
        if len(asked) == 1:
            raise CacheLostError("damaged", is_gone=False)
        return findings

    def change() -> None:
        came(old="2")(tmp_path)
        patch.object(scan_again, "scan_again", lose).start()

    try:
        two_nights(tmp_path, change)
    finally:
        patch.stopall()
    assert [True] == asked


def test_two_scans_at_once(tmp_path: Path) -> None:
    """Each goes by what it has loaded, whatever the other keeps meanwhile."""
    put(tmp_path, NIGHTS["a witness by its picture goes"])
    cache, real = str(tmp_path / "cache.sqlite"), LastRunStore.load

    def load_and_wait(store: LastRunStore) -> LastRun | None:
        last = real(store)
        with patch.object(LastRunStore, "load", lambda _: None):
            scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        return last

    def change() -> None:
        (tmp_path / "hay/a.jpg").unlink()
        patch.object(LastRunStore, "load", load_and_wait).start()

    try:
        assert [True] == two_nights(tmp_path, change)
    finally:
        patch.stopall()


def test_a_kill_while_it_is_kept(tmp_path: Path) -> None:
    """The last run that was kept whole serves on."""
    put(tmp_path, NIGHTS["nothing"])
    cache, real = str(tmp_path / "cache.sqlite"), last_run.pack_run

    def broken(*values: Any) -> Iterator[tuple[Part, bytes]]:
        for number, part in enumerate(real(*values)):
            if number == 3:
                raise KeyboardInterrupt
            yield part

    with counting():
        scan(tmp_path / "hay", tmp_path / "old", cache=cache)
        (tmp_path / "old/c.txt").write_bytes(b"words")
        with (
            patch.object(last_run, "pack_run", broken),
            patch.object(scan_again, "LEAST_NEWS", -1),
            pytest.raises(KeyboardInterrupt),
        ):
            scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    with counting() as counts, patch.object(ResultCache, "recall", lambda _: None):
        warm = scan(tmp_path / "hay", tmp_path / "old", cache=cache)
    with small():
        assert ([True], answer(scan(tmp_path / "hay", tmp_path / "old"))) == (counts, answer(warm))


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
