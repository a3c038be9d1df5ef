"""The memory of answers: found again only where nothing has changed, and never another answer than reading gives."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import libraries, pipeline, session
from dupfind.answers.findings import Findings
from dupfind.cache import cache_tables, cache_upkeep, result_cache
from dupfind.cache.cache_file import CacheFile
from dupfind.cache.cache_tables import Answer
from dupfind.cache.file_columns import sides_in_columns
from dupfind.cache.packing import PackingError
from dupfind.cache.result_cache import ResultCache, make_key
from dupfind.events import Silence
from dupfind.evidence import evidence, fingerprint
from dupfind.pictures import decode
from dupfind.settings import Settings
from dupfind.values import Evidence, Failure, FileEntry, Match, Report, ScanSettings, Side
from fixtures import pictures
from tests.helpers.scans import answer, scan, settings

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]

NEEDLES = [FileEntry("/n/a", 1, 20, 30, 40), FileEntry("/n/b", 2, 21, 31, 41)]
HAYSTACK = [FileEntry("/h/a", 1, 22, 32, 42), FileEntry("/h/b", 2, 23, 33, 43)]
SCAN = ScanSettings(("h",), ("n",), "phash", 10, Evidence.SAME, rotations=True)
SETTINGS = Settings((), SCAN)
FOUND = Findings({"/n/a": Match("/h/a", Evidence.IDENTICAL, None)}, {}, frozenset(), 2)
LATER_NS = 10**18


def key(
    needles: list[FileEntry] = NEEDLES, haystack: list[FileEntry] = HAYSTACK, settings: Settings = SETTINGS
) -> bytes | None:
    """The key of a run over these."""
    sides = sides_in_columns(needles, haystack)
    return None if sides is None else make_key(settings, sides)


@pytest.mark.parametrize("field", FileEntry._fields)
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("is_needle", [True, False])
def test_everything_known_of_each_file_is_in_the_key(field: str, position: int, is_needle: bool) -> None:
    """Path, size, both times and inode, on either side."""
    entries = list(NEEDLES if is_needle else HAYSTACK)
    old = getattr(entries[position], field)
    entries[position] = entries[position]._replace(**{field: old + ("x" if field == "path" else 1)})
    assert key() != (key(needles=entries) if is_needle else key(haystack=entries))


def test_order_and_side_are_in_the_key() -> None:
    """A file is no needle when it was haystack, and findings go by position."""
    one, two = NEEDLES
    keys = [
        key(),
        key(needles=[two, one]),
        key(needles=HAYSTACK, haystack=NEEDLES),
        key(needles=[*NEEDLES, *HAYSTACK], haystack=[]),
        key(needles=[], haystack=[*NEEDLES, *HAYSTACK]),
        key(needles=[*NEEDLES, HAYSTACK[0]], haystack=HAYSTACK[1:]),
        key(needles=NEEDLES[:1]),
        key(haystack=HAYSTACK[:1]),
    ]
    assert len(keys) == len(set(keys))


def test_many_files_are_taken_by_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also then each file counts, and where it stands."""
    monkeypatch.setattr(result_cache, "_BATCH", 1)
    one, two = NEEDLES
    others = [[two, one], [one, two._replace(inode=0)], [one], [one._replace(path="/n/a\x01"), two]]
    assert 5 == len({key(), *(key(needles=needles) for needles in others)})


def test_names_do_not_run_into_each_other() -> None:
    """What ends one path begins no other."""
    one, two = NEEDLES
    assert key([one._replace(path="/n/ab"), two._replace(path="c")]) != key(
        [one._replace(path="/n/a"), two._replace(path="bc")]
    )


DECISIVE = [
    *(
        field.name
        for field in dataclasses.fields(Settings)
        if field.name not in result_cache.INDIFFERENT | result_cache._SHOWN_BY_FILES
    ),
    *(
        field.name
        for field in dataclasses.fields(ScanSettings)
        if field.name not in result_cache.INDIFFERENT | result_cache._SHOWN_BY_FILES
    ),
]


def with_setting(name: str, value: object) -> Settings:
    """The settings with another value of one field."""
    if hasattr(SETTINGS, name):
        return dataclasses.replace(SETTINGS, **{name: value})  # type: ignore[arg-type]
    return dataclasses.replace(SETTINGS, scan=dataclasses.replace(SCAN, **{name: value}))  # type: ignore[arg-type]


def test_the_settings_that_decide_are_all_there() -> None:
    """Whoever lists one more as indifferent has to say so here as well."""
    own = {"algorithm", "threshold_bits", "accept", "rotations", "paranoid", "quick", "previews"}
    assert {"max_pixels", "fragments", "fragments_of_any", *own} == set(DECISIVE)


@pytest.mark.parametrize("name", DECISIVE)
def test_what_decides_findings_is_in_the_key(name: str) -> None:
    """Each setting by its value."""
    assert key() != key(settings=with_setting(name, "another"))


@pytest.mark.parametrize(
    "name", ["workers", "timeout_seconds", "max_memory_bytes", "cache", "warnings", "haystack", "needles"]
)
def test_what_decides_nothing_is_not_in_the_key(name: str) -> None:
    """The same answer for any number of workers, from any working directory."""
    assert key() == key(settings=with_setting(name, "another"))


def test_the_program_is_in_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its version, its files and the interpreter."""
    first = key()
    with monkeypatch.context() as patch:
        patch.setattr(result_cache, "__version__", "0.0.1")
        assert first != key()
    with monkeypatch.context() as patch:
        patch.setattr("dupfind.cache.result_cache.sys.version", "4")
        assert first != key()
    package = tmp_path / "dupfind"
    shutil.copytree(Path(result_cache.__file__).parents[1], package, copy_function=shutil.copy2)
    monkeypatch.setattr(result_cache, "__file__", str(package / "cache" / "memory.py"))
    assert "report/table.py" in {os.path.relpath(path, package) for path, *_ in result_cache.program()}
    first = key()
    os.utime(package / "report" / "table.py", ns=(0, 0))
    assert first != key()
    assert key() == key()


def test_what_cannot_be_told_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times beyond 64 bits, and a program in an archive."""
    assert key([NEEDLES[0]._replace(mtime_ns=1 << 63)]) is None
    assert key([NEEDLES[0]._replace(inode=(1 << 64) - 1)]) is not None
    monkeypatch.setattr(result_cache, "__file__", "/no/such/dupfind.zip/cache/memory.py")
    assert key() is None


class Desk:
    """A cache, and memories over it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        CacheFile.open(self.path)[0].close()
        self.settings = dataclasses.replace(SETTINGS, cache=self.path)
        self.recipes: list[str] = []

    def memory(
        self, recipe: str = "recipe", *, paranoid: bool = False, needles: list[FileEntry] = NEEDLES
    ) -> ResultCache:
        """As a run would make it, a day after the files were changed."""
        settings = dataclasses.replace(self.settings, scan=dataclasses.replace(SCAN, paranoid=paranoid))

        def tell() -> str:
            self.recipes.append(recipe)
            return recipe

        columns = sides_in_columns(needles, HAYSTACK)
        return ResultCache(settings, needles, HAYSTACK, columns, tell, LATER_NS)

    def keep(self, findings: Findings = FOUND, **options: Any) -> None:
        """Keep what a run of a minute has found."""
        self.memory(**options).keep(findings, LATER_NS + 60 * 10**9)

    def count(self) -> int:
        """How many answers there are."""
        found = cache_upkeep.info(self.path)
        assert found is not None
        return found.answers


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A new cache."""
    return Desk(tmp_path / "cache.sqlite")


def test_what_was_kept_is_recalled(desk: Desk) -> None:
    """By the same files and settings, and by no others."""
    assert desk.memory().recall() is None
    desk.keep()
    assert FOUND == desk.memory().recall()
    assert desk.memory(needles=NEEDLES[:1]).recall() is None


def test_another_recipe_is_another_answer(desk: Desk) -> None:
    """Where pictures were looked at; the answer of before is replaced."""
    desk.keep()
    assert desk.memory("other").recall() is None
    desk.keep(recipe="other")
    assert FOUND == desk.memory("other").recall()
    assert 1 == desk.count()


def test_a_plain_copy_needs_no_recipe(desk: Desk) -> None:
    """What is decided by bytes alone never asks for it, since that loads the decoders."""
    matches = {f"/n/{name}": Match(f"/h/{name}", Evidence.IDENTICAL, None) for name in "ab"}
    copies = Findings(matches, {}, frozenset(), None)
    desk.keep(copies)
    assert copies == desk.memory("other").recall()
    assert [] == desk.recipes
    for match in (None, Match("/h/b", Evidence.SAME, 0)):
        others = dict(matches)
        if match is None:
            del others["/n/b"]
        else:
            others["/n/b"] = match
        desk.keep(Findings(others, {}, frozenset(), None))
        assert desk.memory("other").recall() is None


def test_paranoid_runs_neither_keep_nor_recall(desk: Desk) -> None:
    """They are there to read again."""
    desk.keep(paranoid=True)
    assert 0 == desk.count()
    desk.keep()
    assert desk.memory(paranoid=True).recall() is None


@pytest.mark.parametrize("path", ["/n/b", "/h/b"])
def test_what_may_not_last_is_not_kept(desk: Desk, path: str) -> None:
    """A failure on either side that another try may not meet; one that the same bytes will meet again is kept."""
    desk.keep(Findings({}, {path: Failure("took too long", lasting=False)}, frozenset(), None))
    assert 0 == desk.count()
    desk.keep(Findings({}, {path: Failure("broken")}, frozenset(), None))
    assert 1 == desk.count()


SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("field", "time_ns", "expected"),
    [
        ("ctime_ns", LATER_NS - 3 * SECOND_NS, 1),
        ("ctime_ns", LATER_NS - SECOND_NS, 0),
        ("ctime_ns", LATER_NS + 30 * SECOND_NS, 0),
        ("ctime_ns", LATER_NS + 3600 * SECOND_NS, 0),
        ("mtime_ns", LATER_NS - 3 * SECOND_NS, 1),
        ("mtime_ns", LATER_NS - SECOND_NS, 0),
        ("mtime_ns", LATER_NS + 30 * SECOND_NS, 0),
        ("mtime_ns", LATER_NS + 3600 * SECOND_NS, 1),  # set by hand: no change gives it again
    ],
)
def test_racy_files_are_not_kept(desk: Desk, field: str, time_ns: int, expected: int) -> None:
    """A file changed just before or during the run may change again and carry the same times."""
    needles = [NEEDLES[0], NEEDLES[1]._replace(**{field: time_ns})]
    desk.keep(needles=needles)
    assert expected == desk.count()


def test_the_newest_answers_are_kept(desk: Desk) -> None:
    """The oldest goes first, and what was kept again is new."""
    all_needles = [[NEEDLES[0]._replace(size_bytes=size)] for size in range(cache_tables.MOST_ANSWERS + 1)]
    for needles in [*all_needles[:-1], all_needles[0], all_needles[-1]]:
        desk.keep(Findings({}, {}, frozenset(), None), needles=needles)
    known = [desk.memory(needles=needles).recall() is not None for needles in all_needles]
    assert [True, False, *([True] * (cache_tables.MOST_ANSWERS - 1))] == known


def test_an_answer_that_is_too_large_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is there for pictures."""
    monkeypatch.setattr(cache_tables, "MOST_ANSWER_BYTES", 20)
    desk.keep()
    assert 0 == desk.count()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:40],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda _: b"",
        lambda data: bytes([data[0] ^ 1]) + data[1:],  # the digest itself, and all that it is of sound
    ],
)
def test_a_spoilt_answer_is_none(desk: Desk, spoil: Callable[[bytes], bytes]) -> None:
    """Whatever became of it, and the next run replaces it."""
    desk.keep()
    with sqlite3.connect(desk.path) as connection:
        (data,) = connection.execute("SELECT data FROM answer").fetchone()
        connection.execute("UPDATE answer SET data = ?", (spoil(data),))
    connection.close()
    assert desk.memory().recall() is None
    desk.keep()
    assert FOUND == desk.memory().recall()


@pytest.mark.parametrize("is_same", [True, False])
def test_what_was_prepared_counts_for_the_same_findings_alone(desk: Desk, *, is_same: bool) -> None:
    """What the final check has changed is kept as it is then."""
    memory = desk.memory()
    memory.prepare(FOUND)
    kept = FOUND if is_same else dataclasses.replace(FOUND, matches={})
    memory.keep(kept, LATER_NS + 60 * 10**9)
    assert kept == desk.memory().recall()


def test_an_answer_of_another_kind_is_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound, but not what is packed today."""
    file = CacheFile.open_existing(desk.path)
    made = key(settings=desk.settings)
    assert made is not None
    unpacked: list[bytes] = []

    def unpack(data: bytes, *_: object) -> Findings:
        unpacked.append(data)
        raise PackingError

    monkeypatch.setattr(result_cache, "unpack", unpack)
    sealed = desk.memory()._seal(None, b"what?") + b"what?"
    cache_tables.keep_answer(file, made, Answer(None, sealed))
    file.close()
    assert desk.memory().recall() is None
    assert [b"what?"] == unpacked


@pytest.mark.parametrize("column", ["key", "recipe"])
def test_the_answer_of_another_row_is_none(desk: Desk, column: str) -> None:
    """A damaged index leads to the wrong row, a damaged row names another recipe: neither is taken for this run's."""
    desk.keep()
    desk.keep(needles=NEEDLES[:1])
    with sqlite3.connect(desk.path) as connection:
        if column == "key":
            first, second = connection.execute("SELECT data FROM answer ORDER BY id").fetchall()
            connection.execute("UPDATE answer SET data = iif(data = ?, ?, ?)", (*first, *second, *first))
        else:
            connection.execute("UPDATE answer SET recipe = iif(recipe IS NULL, 'recipe', NULL)")
    connection.close()
    assert desk.memory().recall() is None
    assert desk.memory(needles=NEEDLES[:1]).recall() is None


@pytest.mark.parametrize("content", [b"no database", None])
def test_without_a_sound_cache_nothing_is_kept(desk: Desk, content: bytes | None) -> None:
    """A file that is none of ours stays as it is, and one that has gone is not made again."""
    if content is None:
        os.unlink(desk.path)
    else:
        Path(desk.path).write_bytes(content)
    desk.keep()
    assert desk.memory().recall() is None
    assert content == (Path(desk.path).read_bytes() if os.path.exists(desk.path) else None)


def test_a_cache_that_may_only_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is found, and nothing is added."""
    desk.keep()
    real = CacheFile.open_existing

    def read_only(path: str) -> CacheFile:
        file = real(path)
        file.is_writable = False
        return file

    monkeypatch.setattr(CacheFile, "open_existing", read_only)
    assert FOUND == desk.memory().recall()
    desk.keep(needles=NEEDLES[:1])
    assert 1 == desk.count()


def test_pruning_forgets_answers(desk: Desk) -> None:
    """And a cache that never had one is pruned all the same."""
    cache_upkeep.prune(desk.path, with_absent_folders=False)
    desk.keep()
    cache_upkeep.prune(desk.path, with_absent_folders=False)
    assert 0 == desk.count()


def test_the_whole_recipe_names_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own numbers, the decoders, the hashes, the rules, and numpy."""
    first = session.whole_recipe("phash", Silence())
    others = {first, session.whole_recipe("dhash", Silence())}
    for module in (decode, fingerprint, evidence):
        with monkeypatch.context() as patch:
            patch.setattr(module, "RECIPE", "another")
            others.add(session.whole_recipe("phash", Silence()))
    with monkeypatch.context() as patch:
        patch.setattr(decode, "versions", lambda: "pillow 99")
        others.add(session.whole_recipe("phash", Silence()))
    with monkeypatch.context() as patch:
        patch.setattr("numpy.__version__", "99")
        others.add(session.whole_recipe("phash", Silence()))
    assert 7 == len(others)


# From here on: real scans.


@pytest.fixture
def trees(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, str]:
    """A haystack, needles of every kind, and a cache that takes files that are milliseconds old."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    monkeypatch.setattr("dupfind.cache.result_cache._RACY_NS", 0)
    photo = pictures.photo(1, (160, 120))
    haystack = tree(
        "hay", {"a.png": photo, "b.jpg": pictures.photo(2, (160, 120)), "t.txt": b"text", "broken.jpg": b"\xff\xd8\xff"}
    )
    needles = tree(
        "needles",
        {
            "same/a.jpg": photo,
            "turned/a.png": photo.transpose(Image.Transpose.ROTATE_90),
            "copy/b.jpg": (haystack / "b.jpg").read_bytes(),
            "copy/t.txt": b"text",
            "other/c.jpg": pictures.photo(3, (160, 120)),
            "other/broken.png": b"\x89PNG\r\n\x1a\n",
            "other/u.txt": b"something else",
        },
    )
    time.sleep(0.02)  # the kernel's clock for files ticks every 4 ms
    return haystack, needles, str(tmp_path / "cache.sqlite")


def is_remembered(monkeypatch: pytest.MonkeyPatch, *trees: Path, **options: object) -> tuple[bool, Report]:
    """Whether a scan goes by the memory, and what it gives."""
    opened = []
    real = session.with_reader

    def spy(*arguments: Any, **more: Any) -> Any:
        opened.append(True)
        return real(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(session, "with_reader", spy)
        report = scan(*trees, **options)
    return not opened, report


def test_a_remembered_answer_is_the_answer(trees: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte that of a cold run, and nothing is read; so is what another --accept makes of the same trees."""
    haystack, needles, cache = trees
    cold = scan(haystack, needles)
    first = is_remembered(monkeypatch, haystack, needles, cache=cache)
    second = is_remembered(monkeypatch, haystack, needles, cache=cache, workers=7, timeout_seconds=5.0)
    assert (False, True) == (first[0], second[0])
    assert answer(cold) == answer(first[1]) == answer(second[1])
    assert {"identical", "same", None} == {one.evidence for one in cold.files}
    assert {Side.NEEDLES, Side.HAYSTACK} == {one.side for one in cold.problems}


def rewrite(path: Path, content: bytes) -> None:
    """Other bytes of the same number under the same mtime, which is what a careful tool leaves."""
    state = path.stat()
    assert state.st_size == len(content)
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "a needle is other bytes": lambda _, needles: rewrite(needles / "copy/t.txt", b"TEXT"),
    "a witness is other bytes": lambda haystack, _: rewrite(haystack / "t.txt", b"TEXT"),
    "a needle has gone": lambda _, needles: (needles / "other/u.txt").unlink(),
    "a witness has gone": lambda haystack, _: (haystack / "b.jpg").unlink(),
    "a witness has another name": lambda haystack, _: (haystack / "a.png").rename(haystack / "z.png"),
    "a needle is in another folder": lambda _, needles: (needles / "other/c.jpg").rename(needles / "copy/c.jpg"),
    "a folder has another name": lambda _, needles: (needles / "copy").rename(needles / "copies"),
    "a needle has come": lambda _, needles: (needles / "copy/new.txt").write_bytes(b"new"),
    "a witness has come": lambda haystack, needles: shutil.copy(needles / "other/c.jpg", haystack / "c.jpg"),
    "a needle was touched": lambda _, needles: os.utime(needles / "other/c.jpg"),
    "a needle is another file of the same times": lambda _, needles: replace(needles / "copy/t.txt", b"TEXT"),
}


def replace(path: Path, content: bytes) -> None:
    """Another file in its place."""
    other = path.with_name("other file")
    other.write_bytes(content)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


@pytest.mark.mostly_slow(fast=6)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_seen(
    trees: tuple[Path, Path, str], change: Callable[[Path, Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after a change reads what has changed, and gives the answer of a cold one; the run after that recalls."""
    haystack, needles, cache = trees
    scan(haystack, needles, cache=cache)
    change(haystack, needles)
    time.sleep(0.02)
    hit, report = is_remembered(monkeypatch, haystack, needles, cache=cache)
    assert not hit
    assert answer(scan(haystack, needles)) == answer(report)
    hit, again = is_remembered(monkeypatch, haystack, needles, cache=cache)
    assert hit
    assert answer(report) == answer(again)


@pytest.mark.slow
def test_other_settings_are_another_answer(trees: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that decides; and --max-pixels, which makes a failure of a picture, is never remembered."""
    haystack, needles, cache = trees
    scan(haystack, needles, cache=cache)
    others: list[dict[str, Any]] = [
        {"rotations": False},
        {"threshold_bits": 0},
        {"algorithm": "dhash"},
        {"accept": "identical"},
        {"max_pixels": 100},
        {"exclude": ["a.png"]},
    ]
    for options in others:
        hit, report = is_remembered(monkeypatch, haystack, needles, cache=cache, **options)
        assert not hit
        assert answer(scan(haystack, needles, **options)) == answer(report)
        hit, again = is_remembered(monkeypatch, haystack, needles, cache=cache, **options)
        assert hit == ("max_pixels" not in options)
        assert answer(report) == answer(again)


def test_walks_are_never_remembered(trees: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with something that is skipped is not contained, also when all files are as they were."""
    haystack, needles, cache = trees
    before = scan(haystack, needles, cache=cache)
    os.symlink("nowhere", needles / "copy" / "link")
    hit, report = is_remembered(monkeypatch, haystack, needles, cache=cache)
    assert hit
    folder = str(needles / "copy")
    assert ["contained", "partial"] == [
        one.state.value for found in (before, report) for one in found.folders if one.path == folder
    ]


def test_paranoid_scans_read_again(trees: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a scan that has left its answer."""
    haystack, needles, cache = trees
    scan(haystack, needles, cache=cache)
    for _ in range(2):
        hit, report = is_remembered(monkeypatch, haystack, needles, cache=cache, paranoid=True)
        assert not hit
        assert report.settings.paranoid


def test_fresh_files_are_not_remembered(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago are racy."""
    haystack, needles = tree("hay", {"a": b"1"}), tree("needles", {"a": b"1"})
    cache = str(tmp_path / "cache.sqlite")
    hits = [is_remembered(monkeypatch, haystack, needles, cache=cache)[0] for _ in range(2)]
    assert [False, False] == hits


@pytest.mark.parametrize("is_bundled", [False, True])
def test_another_decoder_looks_again(
    trees: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch, is_bundled: bool
) -> None:
    """A new version of Pillow may see something else, whether its version is told by what is installed or by itself."""
    haystack, needles, cache = trees
    monkeypatch.setattr(libraries, "installed", lambda: "pillow 98" if is_bundled else None)
    scan(haystack, needles, cache=cache)
    if is_bundled:
        monkeypatch.setattr(libraries, "installed", lambda: "pillow 99")
    else:
        monkeypatch.setattr(decode, "versions", lambda: "pillow 99")
    assert [False, True] == [is_remembered(monkeypatch, haystack, needles, cache=cache)[0] for _ in range(2)]


class Ear(Silence):
    """Hears of stages, and of how many files each took."""

    def __init__(self) -> None:
        self.heard: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Count."""
        counts: list[int] = []
        yield counts.append
        self.heard[name] = sum(counts)

    def warn(self, text: str) -> None:
        """Nothing is wrong."""
        pytest.fail(text)


def test_a_run_says_that_nothing_has_changed(trees: tuple[Path, Path, str]) -> None:
    """One stage instead of all others, which ``-v`` shows as a line."""
    haystack, needles, cache = trees
    scan(haystack, needles, cache=cache)
    ear = Ear()
    pipeline.scan(settings(haystack, needles, cache=cache), ear)
    assert {"walking": 11, "nothing has changed since an earlier run": 11, "looking again": 7} == ear.heard


@pytest.mark.slow
def test_a_remembered_copy_loads_nothing_heavy(tree: TreeBuilder, tmp_path: Path) -> None:
    """No decoder, no numpy, no processes: starting them takes longer than a look at ten thousand files."""
    photo = b"\xff\xd8\xff and so on"
    haystack, needles = tree("hay", {"a.jpg": photo, "b.jpg": b"\xff"}), tree("needles", {"a.jpg": photo})
    code = (
        "import sys; from dupfind.cache import cache, result_cache; cache._RACY_NS = result_cache._RACY_NS = 0; "
        "from dupfind.cli.main import run; code = run(sys.argv[1:]); "
        "heavy = {'numpy', 'PIL', 'imagehash', 'scipy', 'multiprocessing', 'tqdm', 'rich'}; "
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    roots = ["--haystack", str(haystack), "--needles", str(needles), "--cache", str(tmp_path / "cache.sqlite")]
    time.sleep(0.02)
    for is_first in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", code, "scan", *roots, "--format", "json", "-v"], capture_output=True, check=True
        )
        lines = done.stderr.decode().splitlines()
        assert is_first == (not any("nothing has changed" in line for line in lines))
    assert "0 []" == lines[-1]
