"""Thumbnails of files that were named: whole ones, and from the cache where they are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dupfind.matching.decodes import Full, full_thumbnails
from dupfind.pool import tasks
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Failure
from fixtures import pictures
from tests.helpers.encodings import large
from tests.helpers.scans import one_thread


def read(folder: Path, *names: str, **options: Any) -> dict[str, Full | Failure]:
    """The thumbnails of these files, by name."""
    settings = make_settings(cache=str(folder / "cache" / "c.sqlite"), **options)
    entries = [named_file(str(folder / name)).entry for name in names]

    def work(run: Reading) -> dict[str, Full | Failure]:
        return full_thumbnails(entries, "decoding", run)

    found = with_reader(Run(settings, make_executor=one_thread), work)
    return {Path(path).name: one for path, one in found.items()}


@pytest.mark.slow
def test_a_coarse_picture_is_read_to_its_end(tmp_path: Path) -> None:
    """And gives what it would give had it never been read coarsely."""
    (tmp_path / "a.jpg").write_bytes(large(1))
    (tmp_path / "b.jpg").write_bytes(large(1, progressive=False))
    (tmp_path / "cut.jpg").write_bytes(large(2)[:-2000])
    pictures.save(pictures.photo(3, (160, 120)), tmp_path / "c.png")
    found = read(tmp_path, "a.jpg", "b.jpg", "cut.jpg", "c.png")
    thumbnails = {name: one.thumbnail for name, one in found.items() if isinstance(one, Full)}
    assert {"a.jpg", "b.jpg", "c.png"} <= thumbnails.keys()
    assert not any(one.is_coarse for one in thumbnails.values())
    with open(tmp_path / "a.jpg", "rb") as file:
        from dupfind.pictures import decode

        assert decode.read_thumbnail(file, "a.jpg", 10**9) == thumbnails["a.jpg"]
    cut = found["cut.jpg"]
    assert isinstance(cut, Failure) or cut.thumbnail.damage


def test_a_second_run_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was read coarsely first."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    (tmp_path / "a.jpg").write_bytes(large(1))
    pictures.save(pictures.photo(3, (160, 120)), tmp_path / "c.png")
    (tmp_path / "no.jpg").write_bytes(b"no picture")
    first = read(tmp_path, "a.jpg", "c.png", "no.jpg")
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    assert first == read(tmp_path, "a.jpg", "c.png", "no.jpg")
    assert isinstance(first["no.jpg"], Failure)


def test_the_bound_on_pixels_holds_for_what_is_known(tmp_path: Path) -> None:
    """A warm run refuses what a cold one would."""
    pictures.save(pictures.photo(3, (160, 120)), tmp_path / "c.png")
    read(tmp_path, "c.png")
    (found,) = read(tmp_path, "c.png", max_pixels=100).values()
    assert isinstance(found, Failure)
