"""Scripts that scan without ``if __name__ == "__main__"``, wherever Python takes them from: the command's answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures import pictures
from tests.helpers.places import ROOT

_SCRIPT = """
from dupfind import scan
report = scan("hay", "needles", no_cache=True, workers=2)
print(sorted((file.path[-5:], str(file.state)) for file in report.files), len(report.problems), __name__)
"""
_IN_A_THREAD = f"""
import threading
thread = threading.Thread(target=exec, args=({_SCRIPT!r}, globals()))
thread.start()
thread.join()
"""
_AS_A_POOL = """
import multiprocessing
from dupfind import scan
def work(_):
    report = scan("hay", "needles", no_cache=True, workers=2)
    return sorted((file.path[-5:], str(file.state)) for file in report.files), len(report.problems), __name__
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(*pool.map(work, [0])[0])
"""
_EXPECTED = "[('0.jpg', 'present'), ('1.jpg', 'present'), ('2.jpg', 'missing')] 0 {name}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A haystack, needles, and scripts."""
    for side in ("hay", "needles"):
        (tmp_path / side).mkdir()
        for seed in range(3):
            picture = pictures.photo(9 if side == "hay" and seed == 2 else seed, (160, 120))
            picture.save(tmp_path / side / f"{seed}.jpg", quality=90 if side == "hay" else 80)
    (tmp_path / "script.py").write_text(_SCRIPT)
    (tmp_path / "threaded.py").write_text(_IN_A_THREAD)
    (tmp_path / "pooled.py").write_text(_AS_A_POOL)
    (tmp_path / "importing.py").write_text("import script\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(_SCRIPT)
    return tmp_path


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(
    ("arguments", "given", "name"),
    [
        pytest.param(["script.py"], "", "__main__", id="a script"),
        pytest.param(["-"], _SCRIPT, "__main__", id="standard input"),
        pytest.param(["-i"], _SCRIPT, "__main__", id="an interactive session"),
        pytest.param(["-c", _SCRIPT], "", "__main__", id="-c"),
        pytest.param(["-c", "exec(open('script.py').read())"], "", "__main__", id="exec"),
        pytest.param(["-m", "script"], "", "__main__", id="-m"),
        pytest.param(["package"], "", "__main__", id="a folder"),
        pytest.param(["importing.py"], "", "script", id="while it is imported"),
        pytest.param(["threaded.py"], "", "__main__", id="in a thread"),
        pytest.param(["pooled.py"], "", "__main__", id="in a process of a pool"),
        pytest.param(["-I", "-c", f"import sys; sys.path.append({str(ROOT)!r})\n{_SCRIPT}"], "", "__main__", id="-I"),
    ],
)
def test_the_answer_of_the_command(folder: Path, arguments: Sequence[str], given: str, name: str) -> None:
    """No worker imports what the program has as its main module, so that it may be whatever it is."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=given,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (0, _EXPECTED.format(name=name)) == (done.returncode, done.stdout), done.stderr
    assert "Traceback" not in done.stderr
