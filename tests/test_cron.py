"""The recipe of docs/cron.md, as it stands there, through some nights in cron's environment."""

from __future__ import annotations

import configparser
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import pictures
from tests.helpers.places import ROOT
from tests.helpers.trees import build_tree

pytestmark = pytest.mark.skipif(shutil.which("flock") is None, reason="flock of util-linux is not there")


PAGE = (ROOT / "docs" / "cron.md").read_text()


class Nights:
    """A home with the script, a collection and a backup."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (script,) = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", PAGE, re.DOTALL)
        tools = home / ".local" / "bin"
        tools.mkdir(parents=True)
        (tools / "dupfind").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dupfind "$@"\n')
        (tools / "dupfind").chmod(0o755)
        self.script = tools / "dupfind-nightly"
        self.script.write_text(script)
        self.script.chmod(0o755)
        photos = [pictures.photo(seed, (160, 120)) for seed in range(3)]
        build_tree(home / "Photos", {"a.jpg": photos[0]})
        build_tree(home / "backup", {"there/a.jpg": photos[0], "not there/b.jpg": photos[1]})

    def run(self, needles: str = "backup") -> tuple[int, str, str]:
        """One night: exit code, standard output, standard error."""
        path = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["/bin/sh", str(self.script)],
            env={**path, "HOME": str(self.home), "NEEDLES": str(self.home / needles), "SHELL": "/bin/sh"},
            capture_output=True,
            check=False,
            cwd="/",
            timeout=120,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """As it is before the first night."""
    return Nights(tmp_path / "home")


@pytest.mark.slow
def test_mail_comes_when_something_has_changed(nights: Nights) -> None:
    """The first table, silence, what changed, silence again: nothing on standard error in all of them."""
    code, out, err = nights.run()
    assert (1, "") == (code, err)
    assert "not there" in out
    assert (1, "", "") == nights.run()
    shutil.copy(nights.home / "backup" / "not there" / "b.jpg", nights.home / "Photos")
    code, out, err = nights.run()
    assert (1, "") == (code, err)
    assert re.search(r"contained\s+missing\s.*not there", out)
    assert (0, "", "") == nights.run()
    shutil.rmtree(nights.home / "backup" / "there")
    code, out, err = nights.run()
    assert (1, "") == (code, err)
    assert "Gone: " in out
    assert (0, "", "") == nights.run()


@pytest.mark.slow
def test_what_changes_within_a_folder_whose_verdict_stays(nights: Nights) -> None:
    """It is named, and the report that the mail compares with is kept until the next mail."""
    state = nights.home / ".local" / "state" / "dupfind"
    nights.run()
    first = (state / "last.json").read_bytes()
    assert ["last.json", "lock"] == sorted(path.name for path in state.iterdir())
    folder = nights.home / "backup" / "not there"
    build_tree(folder, {"c.jpg": pictures.photo(7, (160, 120))})
    code, out, err = nights.run()
    assert (1, "") == (code, err)
    assert re.search(r"missing\s+new\s.*not there/c\.jpg", out)
    assert ["before.json", "last.json", "lock"] == sorted(path.name for path in state.iterdir())
    assert first == (state / "before.json").read_bytes()
    assert (1, "", "") == nights.run()
    assert first == (state / "before.json").read_bytes()
    (folder / "c.jpg").unlink()
    code, out, err = nights.run()
    assert (1, "") == (code, err)
    assert f"Gone: {folder}/c.jpg\n" in out


@pytest.mark.slow
def test_another_folder_than_the_night_before(nights: Nights) -> None:
    """All is new and all is gone, and the mail says why."""
    nights.run()
    os.rename(nights.home / "backup", nights.home / "moved")
    code, out, err = nights.run(needles="moved")
    assert (1, "") == (code, err)
    assert "made with other settings, which may change verdicts: needles.\n" in out


@pytest.mark.slow
def test_a_night_without_a_verdict_changes_nothing(nights: Nights) -> None:
    """The report of the last good night stays, and the mail names the cause."""
    nights.run()
    last = nights.home / ".local" / "state" / "dupfind" / "last.json"
    before = last.read_bytes()
    os.rename(nights.home / "backup", nights.home / "elsewhere")
    code, out, err = nights.run()
    assert (2, "") == (code, out)
    assert "no such file or directory" in err
    assert "no verdict (exit code 2)" in err
    assert before == last.read_bytes()
    os.rename(nights.home / "elsewhere", nights.home / "backup")
    assert (1, "", "") == nights.run()
    assert json.loads(last.read_bytes())["summary"]["files"]["missing"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("root", ["Photos", "backup"])
def test_a_drive_that_is_not_mounted(nights: Nights, root: str) -> None:
    """Its mount point is empty: one line says so, and the next night compares with the last good one."""
    nights.run()
    last = nights.home / ".local" / "state" / "dupfind" / "last.json"
    before = last.read_bytes()
    os.rename(nights.home / root, nights.home / "drive")
    (nights.home / root).mkdir()
    expected = f"dupfind-nightly: no verdict: {nights.home / root} is empty; is its drive mounted?\n"
    assert (2, "", expected) == nights.run()
    assert before == last.read_bytes()
    (nights.home / root).rmdir()
    os.rename(nights.home / "drive", nights.home / root)
    assert (1, "", "") == nights.run()


@pytest.mark.slow
def test_one_run_at_a_time(nights: Nights) -> None:
    """The second leaves at once, and silently."""
    state = nights.home / ".local" / "state" / "dupfind"
    state.mkdir(parents=True)
    with (state / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert (0, "", "") == nights.run()
        assert not (state / "last.json").exists()
    assert nights.run()[0] == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
def test_the_units_are_sound(tmp_path: Path, nights: Nights) -> None:
    """As systemd reads them, in their folder; with the script at its place."""
    units = re.findall(r"```ini\n# (dupfind-nightly\.\w+)\n(.*?)```", PAGE, re.DOTALL)
    assert ["dupfind-nightly.service", "dupfind-nightly.timer"] == [name for name, _ in units]
    for name, text in units:
        (tmp_path / name).write_text(text.replace("%h", str(nights.home)))
    paths = [str(tmp_path / name) for name, _ in units]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", *paths],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.slow
def test_the_service_runs_the_script_as_cron_does(nights: Nights) -> None:
    """Its command, its environment, and the exit codes that it takes for success: as they stand in the unit."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    text = re.findall(r"```ini\n(# dupfind-nightly\.service\n.*?)```", PAGE, re.DOTALL)[0]
    unit.read_string(text.replace("%h", str(nights.home)))
    service = unit["Service"]
    environment = dict(word.split("=", 1) for word in service["Environment"].split())
    environment["NEEDLES"] = str(nights.home / "backup")  # the one path that is not below the home
    done = subprocess.run(
        service["ExecStart"].split(),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(nights.home), **environment},
        capture_output=True,
        check=False,
        cwd="/",
        timeout=120,
    )
    assert str(done.returncode) == service["SuccessExitStatus"], done.stderr
    assert b"not there" in done.stdout
    timer = re.findall(r"```ini\n(# dupfind-nightly\.timer\n.*?)```", PAGE, re.DOTALL)[0]
    assert "OnCalendar=*-*-* 03:00:00" in timer
