"""Packages: built twice they are the same, also without git and without a network; what they say of themselves."""

from __future__ import annotations

import hashlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest

from tests.helpers.packages import PROJECT, build, copy_of_the_tree, needs_build
from tests.helpers.places import ROOT

# By no name of the program's: those are taken away before the tests begin.
CONTAINER_BASE = os.environ.get("CONTAINER_BASE", "localhost/dupfind-base:bookworm")
WHEELS = os.environ.get("CONTAINER_WHEELS")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is built of the tree as it would be at the tag of 1.0.0."""
    needs_build()
    folder = tmp_path_factory.mktemp("packages")
    return build(copy_of_the_tree(folder / "a"), folder / "out", SETUPTOOLS_SCM_PRETEND_VERSION="1.0.0")


@pytest.mark.slow
def test_built_twice_they_are_the_same(packages: Mapping[str, bytes], tmp_path: Path) -> None:
    """To the last byte: elsewhere, later, with another umask and in another zone."""
    assert {"dupfind-1.0.0.tar.gz", "dupfind-1.0.0-py3-none-any.whl"} == packages.keys()
    other = copy_of_the_tree(tmp_path / "another folder")
    for path in other.rglob("*"):
        os.utime(path, (10**9, 10**9))
    old = os.umask(0o077)
    try:
        again = build(other, tmp_path / "out", SETUPTOOLS_SCM_PRETEND_VERSION="1.0.0", TZ="Asia/Tokyo", LC_ALL="C")
    finally:
        os.umask(old)
    assert {name: hashlib.sha256(data).hexdigest() for name, data in packages.items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in again.items()
    }


@pytest.mark.slow
def test_an_sdist_builds_and_passes_tests(packages: Mapping[str, bytes], tmp_path: Path) -> None:
    """Offline and without git: its wheel is the one that was built beside it, and its fast tests can be run."""
    with tarfile.open(fileobj=io.BytesIO(packages["dupfind-1.0.0.tar.gz"])) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "dupfind-1.0.0"
    again = build(folder, tmp_path / "out")
    assert packages["dupfind-1.0.0-py3-none-any.whl"] == again["dupfind-1.0.0-py3-none-any.whl"]
    chosen = ["tests/test_formats.py", "tests/test_hamming.py", "tests/test_verdict.py", "tests/test_doctests.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *chosen]
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=alone)
    assert 0 == done.returncode, done.stdout
    assert (ROOT / "tests").is_dir()


@pytest.mark.slow
def test_what_the_packages_have(packages: Mapping[str, bytes]) -> None:
    """The version, URLs, extras for users and none for developers; what tests and builds need is in the sdist."""
    wheel = zipfile.ZipFile(io.BytesIO(packages["dupfind-1.0.0-py3-none-any.whl"]))
    assert b'version = "1.0.0"' in wheel.read("dupfind/_version.py")
    said = message_from_bytes(wheel.read("dupfind-1.0.0.dist-info/METADATA"))
    assert "1.0.0" == said["Version"]
    extras = set(said.get_all("Provides-Extra") or ())
    assert set(PROJECT["project"]["optional-dependencies"]) == extras
    assert {"dev", "docs"}.isdisjoint(extras)
    assert len(PROJECT["project"]["urls"]) == len(said.get_all("Project-URL") or ())
    with tarfile.open(fileobj=io.BytesIO(packages["dupfind-1.0.0.tar.gz"])) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/conftest.py", "Makefile", ".ci/install", "faults/rules.toml", "docs/man/dupfind.1"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_the_version_of_a_checkout(tmp_path: Path) -> None:
    """By tag; after it, without a tag, and without git it is a version that comes before the next, or before 1.0."""
    needs_build()
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "dupfind").mkdir()
    (folder / "dupfind" / "__init__.py").write_text("")

    def version() -> str:
        command = [sys.executable, "-m", "hatchling", "version"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True)
        return done.stdout.strip()

    def git(*words: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)

    assert "1.0.0.dev0" == version()
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "Begin")
    assert re.fullmatch(r"1\.0\.0\.dev1|0\.1\.dev1", version())
    git("tag", "v1.0.0")
    assert "1.0.0" == version()
    (folder / "new").write_text("")
    git("add", "-A")
    git("commit", "-qm", "Go on")
    assert "1.0.1.dev1" == version()


def test_the_version_without_a_build(tmp_path: Path) -> None:
    """A checkout that was never installed has a version, and says that it is none of a release."""
    package = tmp_path / "dupfind"
    package.mkdir()
    for name in ("__init__.py", "version.py"):
        shutil.copy(ROOT / "dupfind" / name, package / name)
    code = "import dupfind; print(dupfind.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."}
    )
    assert "1.0.0.dev0\n" == done.stdout


def test_classifiers_are_such() -> None:
    """As the index knows them, or it would refuse the upload."""
    known = pytest.importorskip("trove_classifiers", reason="trove-classifiers is not installed").classifiers
    given = PROJECT["project"]["classifiers"]
    assert set(given) <= set(known)
    assert len(given) == len(set(given))
    assert "Development Status :: 5 - Production/Stable" in given


@pytest.mark.parametrize("version", ["23.2.1", "25.1"])
def test_groups_with_an_old_pip_and_a_new_one(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 25.1 pip knows no groups: their requirements are named one by one."""
    installer = runpy.run_path(str(ROOT / ".ci" / "install"))
    monkeypatch.setattr(metadata, "version", lambda _: version)
    command: Callable[[list[str]], list[str]] = installer["command"]
    words = command(["dev", "docs"])
    assert f"{ROOT}[{','.join(sorted(PROJECT['project']['optional-dependencies']))}]" in words
    dev, docs = (PROJECT["dependency-groups"][name] for name in ("dev", "docs"))
    if version == "25.1":
        assert ["--group", f"{ROOT / 'pyproject.toml'}:dev"] == words[-4:-2]
    else:
        assert [*dev, *docs] == words[-len(dev) - len(docs) :]


def test_groups_that_include_others() -> None:
    """And one that is not there is an error before pip is asked."""
    installer = runpy.run_path(str(ROOT / ".ci" / "install"))
    groups = installer["PROJECT"]["dependency-groups"]
    groups |= {"one": ["a>=1", {"include-group": "two"}], "two": ["b"]}
    assert ["a>=1", "b"] == installer["requirements"]("one")
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "install"), "none"], capture_output=True, check=False, text=True
    )
    assert (1, "pyproject.toml has no dependency group none\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", ["lock.sh", "try-container.sh", "try-tools.sh"])
def test_scripts_are_shell(name: str) -> None:
    """Any shell of POSIX reads them to their end, and they can be run; CI runs them, with a network."""
    script = ROOT / "packaging" / name
    assert os.access(script, os.X_OK)
    done = subprocess.run(["sh", "-n", str(script)], capture_output=True, check=False, text=True)
    assert (0, "") == (done.returncode, done.stderr)


def has_container_base() -> bool:
    """Tell whether podman is here, and has what the container is made on; PODMAN may bring options."""
    command = [*os.environ.get("PODMAN", "podman").split(), "image", "exists", CONTAINER_BASE]
    return shutil.which(command[0]) is not None and subprocess.run(command, check=False, timeout=60).returncode == 0


@pytest.mark.slow
def test_the_container_is_as_it_should_be() -> None:
    """Nobody, read-only, no network, no rights; CONTAINER_WHEELS names a folder of wheels where no index is asked."""
    if not has_container_base():
        pytest.skip(f"podman or {CONTAINER_BASE} is not here: packaging/try-container.sh makes it")
    command = ["packaging/try-container.sh", *([WHEELS] if WHEELS else [])]
    environment = {**os.environ, "BASE": CONTAINER_BASE, "PYTHON": sys.executable}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert done.stdout.endswith("The container is as it should be.\n")
