"""``dupfind doctor``: what it says of this machine, what it advises, and that no path or name of a file is in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import libraries, memory_limit
from dupfind.answers.doctor import Diagnosed, Fact
from dupfind.answers.hash import AskedHashes, Given
from dupfind.cache import cache_upkeep
from dupfind.commands import doctor
from dupfind.commands.hashing import hash_files
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from fixtures import pictures
from tests.helpers.races import RACY_SECONDS
from tests.helpers.scans import one_thread

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


def facts(answer: Diagnosed) -> dict[str, Fact]:
    """All facts by their names."""
    return {fact.name: fact for section in answer.sections for fact in section.facts}


def diagnosed(cache: Path, **options: Any) -> dict[str, Fact]:
    """Look at everything, with a cache at this place."""
    return facts(doctor.diagnose(make_settings(no_cache=True, **options), str(cache), None, "utf-8"))


@pytest.mark.slow
def test_nothing_that_names_anybody(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """No path, no file, no user, no machine and no value, whatever is set and whatever is wrong with the cache."""
    tree("Secret holiday", {"private.png": pictures.photo(1, (96, 72))})
    config = tmp_path / "config.toml"
    config.write_text(
        'haystack = "/home/jane/Secret holiday"\n[scan]\nexclude = "private*"\n[profile.jane]\nworkers = 2\n'
    )
    config.chmod(0o600)
    environment = {"DUPFIND_CONFIG": str(config), "DUPFIND_NEEDLES": "/home/jane/private", "DUPFIND_COLOR": "never"}
    assert 0 == dupfind("hash", "Secret holiday/private.png").returncode
    cache = tmp_path / "cache" / "cache.sqlite"
    assert cache.exists()
    for change in ("none", "others may write", "no cache at all", "its folder is everybody's"):
        if change == "others may write":
            cache.chmod(0o666)
        if change == "its folder is everybody's":
            cache.chmod(0o600)
            cache.parent.chmod(0o777)
        if change == "no cache at all":
            cache.chmod(0o600)
            content = cache.read_bytes()
            cache.write_bytes(b"no SQLite at all")
        for form in ("table", "json"):
            done = dupfind("doctor", "--format", form, env=environment)
            said = (done.stdout + done.stderr).decode().lower()
            assert (0 if change == "none" else 1) == done.returncode, said
            names = (
                "/home",
                "secret",
                "private",
                "jane",
                "cache.sqlite",
                str(tmp_path).lower(),
                os.uname().nodename.lower(),
            )
            assert [] == [name for name in names if name and name in said], said
            assert "haystack" in said
            assert "scan.exclude" in said
            assert "dupfind_needles" in said
        if change == "no cache at all":
            cache.write_bytes(content)


def test_what_it_looks_at(dupfind: Run) -> None:
    """Versions as ``--version`` has them, and the sections of the page."""
    found = json.loads(dupfind("doctor", "--format", "json").stdout)
    assert ["schema", "dupfind", "healthy", "versions", "limits", "cache", "settings"] == list(found)
    versions = {fact["name"]: fact["value"] for fact in found["versions"]}
    installed = {name: version for name, version in libraries.versions() if version is not None}
    assert installed.items() <= versions.items()
    assert "none yet" == found["cache"][0]["value"]
    assert (True, "dupfind.doctor/1") == (found["healthy"], found["schema"])


@pytest.mark.usefixtures("short_races")
def test_a_cache_that_is_whole(tree: TreeBuilder, tmp_path: Path) -> None:
    """Its content, and how much of it was made by the decoders of today."""
    folder = tree("hay", {"a.png": pictures.photo(1, (96, 72))})
    time.sleep(RACY_SECONDS)
    cache = tmp_path / "cache.sqlite"
    given = Given("a", named_file(str(folder / "a.png")))
    settings = make_settings(haystack=[str(folder)], cache=str(cache))
    assert hash_files(settings, [given], AskedHashes(("phash",), 8, is_exact=False), lambda _: None, None, one_thread)
    found = diagnosed(cache)
    assert "whole" == found["state"].value
    assert "1 of 1" == found["pictures read by these decoders"].value
    assert "yes" == found["trusted"].value
    other = cache_upkeep.check(str(cache), "another recipe")
    assert cache_upkeep.CacheCheck(is_whole=True, decoded=1, current=0) == other


@pytest.mark.slow
def test_a_cache_that_is_damaged(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """By what SQLite says of its pages; it is named, and left as it is."""
    tree("hay", {f"{number}.png": pictures.photo(number, (96, 72)) for number in range(12)})
    cache = tmp_path / "cache" / "cache.sqlite"
    dupfind("sort", "hay")
    content = bytearray(cache.read_bytes())
    content[4096 * 3 :] = b"\x55" * (len(content) - 4096 * 3)
    cache.write_bytes(content)
    found = diagnosed(cache)
    assert found["state"].value in ("damaged", "cannot be used")
    assert "dupfind cache clear" in (found["state"].advice or "")
    assert bytes(content) == cache.read_bytes()


@pytest.mark.slow
def test_a_cache_that_is_named_without_a_folder(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """It is looked at like every other one."""
    tree("hay", {"a.png": pictures.photo(1, (96, 72))})
    assert 0 == dupfind("sort", "hay", "--cache", "mine.sqlite").returncode
    assert b"whole" in dupfind("doctor", "--cache", "mine.sqlite").stdout
    (tmp_path / "notes.txt").write_bytes(b"words " * 99)
    assert b"! not a cache of dupfind; dupfind cache clear" in dupfind("doctor", "--cache", "notes.txt").stdout


def test_what_extras_bring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of them, there or not: what a bug report on parts of pictures or on buckets needs."""
    monkeypatch.setattr(
        libraries, "versions_of_extras", lambda: [("OpenCV", "fragments", None), ("botocore", "s3", "1.4")]
    )
    found = diagnosed(tmp_path / "none")
    assert "not installed (extra fragments)" == found["OpenCV"].value
    assert "1.4" == found["botocore"].value
    monkeypatch.undo()
    found = diagnosed(tmp_path / "none")
    names = {"OpenCV", "botocore", "asyncssh", "httpx", "starlette", "distributed"}
    assert names <= set(found)
    assert all(
        re.fullmatch(r"[\d.a-z]+|the system's own|not installed \(extra \w+\)", found[name].value) for name in names
    )


def test_too_little_of_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each with what helps."""
    import resource

    limits = {resource.RLIMIT_NOFILE: (64, 64), resource.RLIMIT_FSIZE: (1 << 20, 1 << 20)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(memory_limit, "machine_bytes", lambda: 512 << 20)
    monkeypatch.setattr(doctor, "_free_bytes", lambda _: 1 << 20)
    monkeypatch.setattr(libraries, "versions", lambda: [("Pillow", None), ("rawpy", None)])
    found = diagnosed(tmp_path / "none", workers=8)
    assert {"memory for decoding", "open files", "size of a file", "room for temporary files", "Pillow"} == {
        name for name, fact in found.items() if fact.advice is not None
    }
    assert "not installed (extra raw)" == found["rawpy"].value


def test_without_what_posix_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says what stands in for it."""
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.delattr(os, "fork")
    monkeypatch.delattr(os, "statvfs")
    monkeypatch.delattr("signal.setitimer")
    found = diagnosed(tmp_path / "none")
    assert "a fresh interpreter each" == found["workers start by"].value
    assert "ends the worker" == found["time limit of a picture"].value
    assert "not known" == found["room for temporary files"].value
    assert "none to be seen on this system" == found["limits of the system"].value


@pytest.mark.parametrize(("name", "code"), [("none/r.txt", 2), ("r.txt", 0)])
def test_where_it_goes(dupfind: Run, tmp_path: Path, name: str, code: int) -> None:
    """To a file, whole or not at all."""
    done = dupfind("doctor", "--output", name)
    assert (code, b"") == (done.returncode, done.stdout)
    assert (code == 0) == (tmp_path / name).exists()


def test_the_cache_is_not_written_over(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """A slip of the command line."""
    tree("hay", {"a.png": pictures.photo(1, (96, 72))})
    dupfind("sort", "hay")
    cache = tmp_path / "cache" / "cache.sqlite"
    before = cache.read_bytes()
    assert 2 == dupfind("doctor", "--output", str(cache)).returncode
    assert before == cache.read_bytes()
