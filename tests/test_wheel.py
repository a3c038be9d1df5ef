"""What is installed: everything that the program needs, and the mark by which type checkers believe its types."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.helpers.packages import copy_of_the_tree
from tests.helpers.places import ROOT

for _name in ("hatchling", "hatch_vcs"):
    pytest.importorskip(_name, reason=f"{_name}, which builds the wheel, is not installed")

USE = """
from dupfind import compare, find, groups, scan

report = scan("hay", ["needles"], accept="same")
reveal_type(report)
reveal_type(report.folders[0].state)
reveal_type(compare("a.jpg", "b.jpg").pairs)
reveal_type(find(["a.jpg"], "hay").are_all_seen)
reveal_type(groups("hay").frees_bytes)
scan("hay")
scan("hay", ["needles"], accept=3)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what is installed: no network is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, check=True, cwd=copy_of_the_tree(folder / "tree"), capture_output=True)
    (path,) = folder.glob("dupfind-*.whl")
    return path


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """Code, pages, the mark of typed packages, and nothing that is no part of the program."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name and ".data/" not in name}
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "dupfind").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package | {"dupfind/_version.py"} == names, "the version is written where it is built"
    assert "dupfind/py.typed" in names


def test_the_wheel_brings_the_command_and_its_manual(wheel: Path) -> None:
    """The entry point, the license, and the page for ``man``."""
    content = zipfile.ZipFile(wheel)
    names = {name.partition("/")[2] for name in content.namelist() if not name.startswith("dupfind/")}
    assert {"entry_points.txt", "licenses/LICENSE", "data/share/man/man1/dupfind.1"} <= names
    (entry,) = (name for name in content.namelist() if name.endswith("/entry_points.txt"))
    assert b"dupfind = dupfind.__main__:main" in content.read(entry)


@pytest.mark.slow
def test_type_checkers_see_the_types_of_the_installed_package(wheel: Path, tmp_path: Path) -> None:
    """A use of the interface is checked against the signatures that it has, wrong calls included."""
    venv.create(tmp_path / "venv", symlinks=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)  # its dependencies are not there: what they give is Any
    (tmp_path / "use.py").write_text(USE)
    python = str(tmp_path / "venv" / "bin" / "python")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "use.py"]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # which has the project
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, env=alone)
    shown = re.sub(r"builtins\.|typing\.|collections\.abc\.", "", done.stdout)  # said by some versions of mypy
    lines = [line.partition(": ")[2] for line in shown.splitlines()]
    assert [
        'note: Revealed type is "dupfind.values.Report"',
        'note: Revealed type is "dupfind.values.FolderState"',
        'note: Revealed type is "Sequence[dupfind.answers.comparison.Comparison]"',
        'note: Revealed type is "bool"',
        'note: Revealed type is "int"',
        'error: Missing positional argument "needles" in call to "scan"  [call-arg]',
        'error: Argument "accept" to "scan" has incompatible type "int"; expected "str"  [arg-type]',
    ] == lines[:-1]
