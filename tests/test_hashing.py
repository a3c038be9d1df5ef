"""dupfind hash: answers in the order of the questions, each as soon as it can be, whatever comes between."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dupfind.answers.hash import AskedHashes, Given, Hashed
from dupfind.commands import hashing
from dupfind.commands.hashing import hash_files
from dupfind.errors import CacheLostError
from dupfind.evidence import fingerprint
from dupfind.pictures import decode
from dupfind.pool import tasks
from dupfind.reading import Reader
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from fixtures import pictures
from tests.helpers.executors import Counting
from tests.helpers.scans import one_thread

PHASH = AskedHashes(("phash",), 8, is_exact=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos, one no picture."""
    for seed in range(5):
        pictures.save(pictures.photo(seed, (160, 120)), tmp_path / f"{seed}.jpg")
    (tmp_path / "no.jpg").write_bytes(b"no picture")
    return tmp_path


def given(folder: Path, *names: str) -> list[Given]:
    """These files; what is not there says so."""
    return [
        Given(name, named_file(str(folder / name))) if (folder / name).exists() else Given(name, None, "no such file")
        for name in names
    ]


def told(files: list[Given], asked: AskedHashes = PHASH, **options: Any) -> tuple[list[Hashed], bool]:
    """All answers in the order in which they were told, and whether they are complete."""
    found: list[Hashed] = []
    make = options.pop("make_executor", one_thread)
    settings = make_settings(no_cache="cache" not in options, **options)
    return found, hash_files(settings, files, asked, found.append, make_executor=make)


def expected(path: Path, asked: AskedHashes) -> tuple[str, ...]:
    """The hashes of the thumbnail."""
    with open(path, "rb") as file:
        thumbnail = decode.read_thumbnail(file, str(path), 10**9)
    pixels = fingerprint.pixels(thumbnail.pixels)
    return tuple(
        fingerprint.as_hex(fingerprint.hash_of(pixels, one, asked.size), asked.size) for one in asked.algorithms
    )


@pytest.mark.parametrize("asked", [PHASH, AskedHashes(("whash", "dhash", "ahash"), 16, is_exact=False)])
def test_hashes_of_the_thumbnails(photos: Path, asked: AskedHashes) -> None:
    """In the order of the files and of the algorithms."""
    names = [f"{seed}.jpg" for seed in (3, 1, 4, 0)]
    found, are_complete = told(given(photos, *names), asked)
    assert [Hashed(name, expected(photos / name, asked)) for name in names] == found
    assert are_complete


@pytest.mark.parametrize("is_exact", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 256])
def test_order_and_failures(photos: Path, monkeypatch: pytest.MonkeyPatch, batch: int, is_exact: bool) -> None:
    """A file that is named twice, one that is not there, one that is no picture: each has its line in its place."""
    monkeypatch.setattr(hashing, "_BATCH", batch)
    names = ["gone.jpg", "3.jpg", "no.jpg", "1.jpg", "3.jpg", "gone.jpg", "0.jpg"]
    found, are_complete = told(given(photos, *names), PHASH._replace(is_exact=is_exact))
    assert (names, False) == ([one.path for one in found], are_complete)
    errors = [one.error for one in found]
    assert ["no such file", None, "not a picture in a known format", None, None, "no such file", None] == errors
    assert found[1] == found[4]
    assert [bool(one.hashes) for one in found] == [error is None for error in errors]


def test_nothing_but_failures(photos: Path) -> None:
    """No file to be read at all."""
    for is_exact in (False, True):
        found, are_complete = told(given(photos, "gone.jpg"), PHASH._replace(is_exact=is_exact))
        assert ([Hashed("gone.jpg", (), "no such file")], False) == (found, are_complete)


class Late(Executor):
    """A thread; of three, the first is late with everything."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self._thread = ThreadPoolExecutor(1)
        self._seconds = 0.2 if type(self).made % 3 == 1 else 0

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        """Wait a little before the work of every third executor."""
        self._thread.submit(time.sleep, self._seconds)
        return self._thread.submit(fn, *args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the thread."""
        self._thread.shutdown(wait, cancel_futures=cancel_futures)


def test_exact_hashes_come_in_order_from_several_lanes(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever lane is done first."""
    monkeypatch.setattr("dupfind.pool.workers._CHUNK_ITEMS", 1)
    names = [f"{seed}.jpg" for seed in (4, 2, 0, 1, 3)]
    asked = AskedHashes(("dhash",), 16, is_exact=True)
    alone = told(given(photos, *names), asked, workers=1)
    assert alone == told(given(photos, *names), asked, workers=3, make_executor=Late)
    assert (names, True) == ([one.path for one in alone[0]], alone[1])


def test_a_process_that_dies(photos: Path) -> None:
    """Costs its own file only."""
    names = ["0.jpg", "1.jpg", "2.jpg"]
    for is_exact in (False, True):
        found, are_complete = told(
            given(photos, *names), PHASH._replace(is_exact=is_exact), make_executor=lambda: Counting("1.jpg")
        )
        assert ([None, "the process that read it died", None], False) == ([one.error for one in found], are_complete)


def test_answers_are_told_before_the_end(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch is out before the second is read."""
    monkeypatch.setattr(hashing, "_BATCH", 2)
    seen: list[tuple[int, int]] = []
    counting = Counting()
    settings = make_settings(no_cache=True)

    def tell(_: Hashed) -> None:
        seen.append((len(seen) + 1, len(counting.done["read_thumbnails"])))

    names = [f"{seed}.jpg" for seed in range(5)]
    hash_files(settings, given(photos, *names), PHASH, tell, make_executor=lambda: counting)
    assert [(1, 2), (2, 2), (3, 4), (4, 4), (5, 5)] == seen


def test_a_second_run_decodes_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever algorithm and size it asks for."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    files = given(photos, "0.jpg", "1.jpg", "no.jpg")
    cache = str(photos / "cache" / "c.sqlite")
    told(files, cache=cache)
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    asked = AskedHashes(("whash",), 16, is_exact=False)
    found, _ = told(files, asked, cache=cache)
    assert expected(photos / "1.jpg", asked) == found[1].hashes


def test_a_cache_that_fails_on_the_way_repeats_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run begins anew, the answers do not."""
    monkeypatch.setattr(hashing, "_BATCH", 2)
    real, calls = Reader.pictures, []

    def fails_once(self: Reader, *args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise CacheLostError("gone", is_gone=True)
        return real(self, *args)

    monkeypatch.setattr(Reader, "pictures", fails_once)
    names = [f"{seed}.jpg" for seed in range(5)]
    found, are_complete = told(given(photos, *names))
    assert (names, True, 4) == ([one.path for one in found], are_complete, len(calls))


def test_exact_hashes_differ_where_the_picture_is_turned(photos: Path) -> None:
    """The thumbnail is upright; the picture as imagehash sees it is not."""
    image = pictures.photo(7, (160, 120))
    image.save(photos / "plain.png")
    image.save(photos / "turned.png", exif=pictures.exif(6))
    files = given(photos, "plain.png", "turned.png")
    (plain, turned), _ = told(files, PHASH._replace(is_exact=True))
    assert plain.hashes == turned.hashes
    (plain, turned), _ = told(files)
    assert plain.hashes != turned.hashes
