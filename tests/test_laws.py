"""The laws that neither import-linter nor ruff can say; `pyproject.toml` has theirs (`tool.importlinter`)."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path

import pytest

from dupfind.acting import journal, trash
from dupfind.cli import config_file
from dupfind.reviewing import decisions_store
from dupfind.settings import default_cache
from tests.helpers.places import ROOT

PACKAGE = ROOT / "dupfind"
MODULES = sorted(PACKAGE.rglob("*.py"))
TITLES = [
    path for path in MODULES if path.name == "__init__.py" and path.parent.name not in {"dupfind", "cli", "report"}
]
TALKERS = {"dupfind.__main__", "dupfind.output", "dupfind.progress"}
"""Modules outside `cli` that may write to the standard streams, or exit."""


def dotted(path: Path) -> str:
    """Return the name by which the module is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def pure_modules() -> list[Path]:
    """Return the modules that the contract of import-linter names as pure, alone or by their package."""
    (contract,) = (
        contract
        for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        if contract["name"] == "Pure modules do no input or output"
    )
    names = contract["source_modules"]
    return [path for path in MODULES if any(f"{dotted(path)}.".startswith(f"{name}.") for name in names)]


@cache
def parsed(path: Path) -> ast.Module:
    """The file as a tree, parsed once for all laws."""
    return ast.parse(path.read_text())


@cache
def attributes(path: Path) -> frozenset[str]:
    """Return every attribute of a plain name that the file mentions: ``os.sep``, ``sys.exit``."""
    return frozenset(
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )


def test_no_test_reaches_the_homes_of_who_runs_it() -> None:
    """Journals, decisions, the trash, the cache and the configuration lie in a folder of this run."""
    homes = {
        journal.state_folder(),
        decisions_store.usual_path([], []),
        trash._data_folder(),
        default_cache(),
        config_file.config_path(),
    }
    assert {"dupfind-tests"} == {Path(os.path.relpath(home, tempfile.gettempdir())).parts[0][:13] for home in homes}


@pytest.mark.parametrize("path", TITLES, ids=lambda path: path.parent.name)
def test_sub_packages_hold_modules_only(path: Path) -> None:
    """What one of their modules needs is loaded, and no more: a title, no code."""
    (title,) = ast.parse(path.read_text()).body
    assert isinstance(title, ast.Expr)


@pytest.mark.slow
def test_pure_modules_do_no_input_or_output() -> None:
    """No file, no printing, no question to the system: values in, values out."""
    assert pure_modules()
    for path in pure_modules():
        calls = {
            node.func.id
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert set() == calls & {"open", "print", "input", "exec", "eval"}, dotted(path)
        assert {name for name in attributes(path) if name.startswith("os.")} <= {"os.sep"}, dotted(path)


def test_the_core_never_prints_or_exits() -> None:
    """Only the command line talks and leaves; `output` and `progress` are its hands."""
    for path in MODULES:
        if dotted(path).startswith("dupfind.cli") or dotted(path) in TALKERS:
            continue
        if not re.search(r"\b(print|sys)\b", path.read_text()):  # most need not be parsed
            continue
        names = {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}
        talking = (names | attributes(path)) & {"print", "sys.exit", "sys.stdout", "sys.stderr"}
        assert set() == talking, dotted(path)


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["scan", "--help"],
        ["explain", "--help"],
        ["calibrate", "--help"],
        ["groups", "--help"],
        ["sort", "--help"],
        ["hash", "--help"],
        ["find", "--help"],
        ["compare", "--help"],
        ["index", "--help"],
        ["review", "--help"],
        ["import", "--help"],
        ["clean", "--help"],
        ["undo", "--help"],
        ["selftest", "--help"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_start_up_is_light(arguments: list[str]) -> None:
    """Version and help load nothing heavy."""
    code = (
        "import sys; from dupfind.cli.main import run; run(sys.argv[1:]); "
        "heavy = {'numpy', 'PIL', 'imagehash', 'scipy', 'rich', 'tqdm', 'sqlite3', 'multiprocessing', 'blake3'}; "
        "heavy |= {'hashlib', 'ipaddress', 'plistlib'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True, cwd=PACKAGE.parent)
    assert b"[]" == done.stderr.strip()


def test_no_test_file_imports_another() -> None:
    """Pytest would load it twice, by two names; what tests share is in `tests/helpers`, and fixtures need no import."""
    shared = re.compile(
        r"^ *(from|import) +(tests\.)?(test_\w+|conftest)\b|^ *from tests import .*\btest_", re.MULTILINE
    )
    assert [] == [path.name for path in (ROOT / "tests").rglob("*.py") if shared.search(path.read_text())]


IMPORT_EACH_ALONE = """
import gc, importlib, os, sys
# Others' modules, which take long, once for all.
import blake3, click, imagehash, jinja2, numpy, pillow_heif, rich.console, rich.table, simplejpeg, sqlite3, tqdm
gc.freeze()
for name in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.wait()[1] != 0:
        print(name)
"""


@pytest.mark.slow
def test_each_module_imports_alone() -> None:
    """Every module can be imported first, and warns of nothing."""
    names = [dotted(path) for path in MODULES if path.name != "__main__.py"]
    command = [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE, *names]
    done = subprocess.run(command, check=True, cwd=PACKAGE.parent, capture_output=True)
    assert (b"", b"") == (done.stdout, done.stderr)


CHANGING = frozenset(
    f"{module}.{name}"
    for module, names in {
        "os": "rename renames replace remove unlink rmdir removedirs link symlink truncate ftruncate",
        "shutil": "move rmtree copy copy2 copyfile copytree copymode",
        "Path": "rename replace unlink rmdir",
    }.items()
    for name in names.split()
)
"""Functions that give a file another name, or take one away."""
MAY_CHANGE = {
    "dupfind.acting.journal": {"os.ftruncate", "os.unlink"},
    "dupfind.acting.places": {"os.link", "os.rmdir", "os.unlink"},
    "dupfind.acting.trash": {"os.unlink"},
    "dupfind.archives.scratch": {"os.ftruncate", "os.unlink"},
    "dupfind.cache.cache": {"os.unlink"},
    "dupfind.cache.cache_file": {"os.rename"},
    "dupfind.cache.cache_upkeep": {"os.unlink"},
    "dupfind.catalog.catalog_file": {"os.replace", "os.unlink"},
    "dupfind.catalog.columns": {"os.replace", "os.unlink"},
    "dupfind.output": {"os.replace", "os.unlink"},
    "dupfind.private_folder": {"os.rename", "os.unlink", "shutil.rmtree"},
    "dupfind.sources.trashed_photos": {"shutil.copyfile"},
}
"""Who may, and by which: own temporary files, the cache, catalogs, and what acts."""


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_only_what_acts_renames_or_removes(path: Path) -> None:
    """Nothing is moved by ``shutil``, nor replaced; in what acts, each such call stands in one of three modules."""
    used = attributes(path) & CHANGING
    assert used == MAY_CHANGE.get(dotted(path), set())
    is_acting = dotted(path).startswith("dupfind.acting")
    assert not is_acting or not used & {"os.replace", "os.rename"}
    methods = {
        node.func.attr
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not methods & {"unlink", "rmdir", "rmtree", "renames", "removedirs"} - {
        name.partition(".")[2] for name in MAY_CHANGE.get(dotted(path), set())
    }
