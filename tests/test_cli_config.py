"""config.toml, profiles and the environment: which value of an option holds, and what is said of a mistake."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from dupfind.cli.command import Command
from dupfind.cli.config_file import read_config
from dupfind.cli.main import dupfind as group
from dupfind.cli.options import Option
from dupfind.errors import SettingsError
from tests.helpers.trees import Content

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[..., Path]


@pytest.fixture
def configured(tmp_path: Path, tree: TreeBuilder, dupfind: Run) -> Callable[..., Any]:
    """Run a command with this text as config.toml, where ``{here}`` is the test's folder."""
    content: dict[str, Content] = {"a.txt": b"1"}
    tree("hay", content)
    tree("needles", {**content, "b.txt": b"2"})
    file = tmp_path / "config.toml"

    def run(text: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
        file.write_text(text.replace("{here}", str(tmp_path)))
        return dupfind(*arguments, env={"DUPFIND_CONFIG": str(file), **env})

    return run


def settings_of(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return what a JSON report says of its settings."""
    assert b"" == done.stderr
    return dict(json.loads(done.stdout)["settings"])


FILE = """\
haystack = "{here}/hay"
threshold = 3
format = "json"
[scan]
threshold = 4
[profile.small]
threshold = 5
[profile.small.scan]
threshold = 6
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "env", "bits"),
    [
        ((), {}, 4),
        (("--profile", "small"), {}, 6),
        ((), {"DUPFIND_PROFILE": "small"}, 6),
        ((), {"DUPFIND_THRESHOLD": "7"}, 7),
        (("--threshold", "8"), {"DUPFIND_THRESHOLD": "7"}, 8),
    ],
    ids=["command", "profile", "profile of the environment", "environment", "typed"],
)
def test_what_is_nearer_holds(
    configured: Callable[..., Any], arguments: tuple[str, ...], env: dict[str, str], bits: int
) -> None:
    """The command line, then the environment, then the file: profile before the rest, command before all commands."""
    done = configured(FILE, "scan", *arguments, "needles", **env)
    settings = settings_of(done)
    assert bits == settings["threshold_bits"]
    assert [str(Path(settings["haystack"][0]).name), settings["needles"]] == ["hay", ["needles"]]
    assert 1 == done.returncode


def test_needles_typed_take_the_place_of_those_configured(configured: Callable[..., Any]) -> None:
    """As for every option; typed in both ways they are all of them."""
    text = FILE.replace("threshold = 3", 'needles = "{here}/hay"')
    assert ["needles"] == settings_of(configured(text, "scan", "needles"))["needles"]
    both = configured(FILE, "scan", "needles", "--needles", "needles/../needles")
    assert ["needles/../needles", "needles"] == settings_of(both)["needles"]


def test_environment_lists_folders_as_path_does(configured: Callable[..., Any], tree: TreeBuilder) -> None:
    """With a colon between, so that blanks are part of a name."""
    tree("my needles", {"c.txt": b"1"})
    done = configured("", "scan", "--haystack", "hay", "--format", "json", DUPFIND_NEEDLES="my needles:needles")
    assert ["my needles", "needles"] == settings_of(done)["needles"]


def test_a_mistake_of_the_environment_names_its_variable(configured: Callable[..., Any]) -> None:
    """Nobody has typed the option that is wrong; where it was typed, no variable is named."""
    done = configured("", "scan", "--haystack", "hay", "needles", DUPFIND_WORKERS="two")
    assert 2 == done.returncode
    assert b"Invalid value for '--workers': 'two' is not a valid integer (from DUPFIND_WORKERS)." in done.stderr
    typed = configured("", "scan", "--haystack", "hay", "needles", "--workers", "two", DUPFIND_WORKERS="1")
    assert b"DUPFIND_WORKERS" not in typed.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("haystak = 1", "config.toml:1: no command has an option haystak; did you mean haystack?"),
        ("\n[scna]\nfiles = true", "config.toml:2: there is no command scna; did you mean scan?"),
        ("[scan]\nfils = true", "config.toml:2: scan has no option fils; did you mean files?"),
        ("[import]\nsort = 'size'", "config.toml:2: import has no option sort"),
        ("workers = 'two'", "config.toml:1: workers takes a whole number"),
        ("workers = true", "config.toml:1: workers takes a whole number"),
        ("timeout = '2'", "config.toml:1: timeout takes a number"),
        ("rotations = 1", "config.toml:1: rotations takes true or false"),
        ("exclude = [1]", "config.toml:1: exclude takes a text in quotes or a list of them"),
        ("haystack = 'Photos'", "config.toml:1: haystack takes a path that begins with / or ~, not Photos"),
        ("format = 'exe'", "config.toml:1: format: 'exe' is not one of"),
        ("# first\nfiles = = true", "config.toml: invalid value (at line 2, column 9)"),
        ("yes = true", "config.toml:1: yes is given on the command line only"),
        ("[profile.a.clean]\napply = true", "config.toml:2: apply is given on the command line only"),
        ("[profile.a]\nfils = true", "config.toml:2: no command has an option fils; did you mean files?"),
        ("profile = 'a'", "config.toml:1: [profile.NAME] is a table of values"),
        ("[profile]\na = 1", "config.toml:2: [profile.a] is a table of values"),
    ],
)
def test_a_mistake_names_its_line(configured: Callable[..., Any], text: str, message: str) -> None:
    """And what may have been meant; no verdict, and no traceback."""
    done = configured(text, "scan", "--haystack", "hay", "needles")
    assert (2, b"") == (done.returncode, done.stdout)
    lines = done.stderr.decode().splitlines()
    assert 1 == len(lines)
    assert message in lines[0]


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (("--profile", "smal"), {}, "has no profile smal; did you mean small?"),
        ((), {"DUPFIND_CONFIG": "no.toml"}, "no.toml does not exist; DUPFIND_CONFIG names it"),
        ((), {"DUPFIND_CONFIG": "."}, ".: is a directory"),
    ],
)
def test_what_is_asked_for_has_to_be_there(
    configured: Callable[..., Any], arguments: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    """A profile, or the file that a variable names: going on without would answer another question."""
    done = configured(FILE, "scan", *arguments, "needles", **env)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()


@pytest.mark.parametrize("key", ["workers", "max-pixels"])
def test_a_value_out_of_range_names_its_line(configured: Callable[..., Any], tmp_path: Path, key: str) -> None:
    """What no kind of value tells, too; what is typed is not blamed on the file."""
    text = f'haystack = "{{here}}/hay"\n[scan]\n{key} = 0\n'
    done = configured(text, "scan", str(tmp_path / "needles"))
    expected = f"dupfind: {tmp_path}/config.toml:3: --{key} takes a number above 0, not 0\n"
    assert (2, expected) == (done.returncode, done.stderr.decode())
    done = configured(text, "scan", str(tmp_path / "needles"), f"--{key}", "-1")
    assert f"dupfind: --{key} takes a number above 0, not -1\n" == done.stderr.decode()


def test_consent_is_typed(configured: Callable[..., Any], tmp_path: Path) -> None:
    """No variable and no file lets clean or import act."""
    env = {"DUPFIND_APPLY": "1", "DUPFIND_YES": "1", "DUPFIND_IS_APPLIED": "1"}
    done = configured("", "clean", "--haystack", "hay", "--needles", "needles", "--trash", "--files", **env)
    assert 0 == done.returncode
    assert b"--apply" in done.stdout
    assert (tmp_path / "needles" / "a.txt").exists()
    done = configured("", "import", "--haystack", "hay", "--needles", "needles", "--to", "hay/new", **env)
    assert 2 == done.returncode
    assert not (tmp_path / "hay" / "new").exists()


def test_what_is_set_aside_is_typed_where_it_goes(configured: Callable[..., Any], tree: TreeBuilder) -> None:
    """A variable or a file that sets aside what is nowhere else lets no clean take it; typed it is told in the plan."""
    tree("diary", {"a.txt": b"1", "diary.txt": b"nowhere else"})
    words = "clean", "--haystack", "hay", "--needles", "diary", "--trash"
    for text, env in (("disregard = '*'", {}), ("", {"DUPFIND_DISREGARD": "*"})):
        done = configured(text, *words, **env)
        assert b"Nothing can go." in done.stdout, (text, env)
    typed = configured("", *words, "--disregard", "diary*").stdout
    assert b"1 is set aside and not looked for in the haystack" in typed
    refused = configured("[clean]\ndisregard = '*'", *words)
    assert (2, b"") == (refused.returncode, refused.stdout)
    assert b"config.toml:2: disregard is given on the command line only" in refused.stderr


def test_a_pattern_with_blanks_is_one_pattern(configured: Callable[..., Any], tree: TreeBuilder) -> None:
    """Else "Copy of *" would be three, of which the last sets everything aside."""
    tree("diary", {"diary.txt": b"nowhere else", "Copy of a.txt": b"2"})
    done = configured("", "scan", "--haystack", "hay", "diary", "--format", "json", DUPFIND_DISREGARD="Copy of *\nx*")
    verdicts = {Path(file["path"]).name: file["verdict"] for file in json.loads(done.stdout)["files"]}
    assert {"diary.txt": "missing", "Copy of a.txt": "unwanted"} == verdicts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "env", "said"),
    [
        ("accept = 'similar'", {}, "--accept similar holds, by config.toml"),
        ("", {"DUPFIND_DISREGARD": "b*"}, "--disregard b* holds, by the environment"),
        ("", {"DUPFIND_SIDECARS": "ignore"}, "--sidecars ignore holds, by the environment"),
        ("quick = true", {}, "--quick holds, by config.toml"),
        ("quick = false", {}, ""),
        ("accept = 'identical'", {}, ""),
        ("sidecars = 'require'", {}, ""),
    ],
)
def test_what_makes_more_contained_is_told(
    configured: Callable[..., Any], text: str, env: dict[str, str], said: str
) -> None:
    """Whatever the format: a script that deletes reads none of the report's words."""
    done = configured(text, "scan", "--haystack", "hay", "needles", "-0", "--only", "contained", **env)
    assert said == done.stderr.decode().replace("dupfind: warning: ", "").strip()


def test_it_is_told_by_each_command_that_judges(configured: Callable[..., Any]) -> None:
    """By their exit codes things are deleted, too."""
    for words in (
        ("find", "needles/a.txt", "--haystack", "hay"),
        ("groups", "hay"),
        ("compare", "hay/a.txt", "needles/a.txt"),
    ):
        done = configured("accept = 'similar'", *words)
        assert b"--accept similar holds, by config.toml" in done.stderr


def test_nobody_else_may_write_the_file(configured: Callable[..., Any], tmp_path: Path) -> None:
    """Who writes it says what is set aside, and where code runs."""
    file = tmp_path / "config.toml"
    assert 1 == configured("", "scan", "--haystack", "hay", "needles").returncode
    file.chmod(0o666)
    done = configured("", "scan", "--haystack", "hay", "needles")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"config.toml may be written by others" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 100_000, "cannot be read"),
        ("workers = " + "9" * 5000, "cannot be read"),
        ("#" * (1 << 21), "bytes"),
    ],
    ids=["deep", "a long number", "long"],
)
def test_a_file_that_nobody_wrote(configured: Callable[..., Any], text: str, message: str) -> None:
    """No traceback, whatever it holds."""
    done = configured(text, "scan", "--haystack", "hay", "needles")
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.parametrize("path", ["/dev/zero", "pipe"])
def test_what_is_no_file_is_not_read(dupfind: Run, tmp_path: Path, path: str) -> None:
    """It would never end."""
    os.mkfifo(tmp_path / "pipe")
    done = dupfind("config", env={"DUPFIND_CONFIG": path})
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"is not a regular file" in done.stderr


def test_the_place_that_is_typed_holds(configured: Callable[..., Any], tree: TreeBuilder, tmp_path: Path) -> None:
    """For clean, --trash in the place of a configured --move-to, and the reverse."""
    tree("away", {})
    words = "clean", "--haystack", "hay", "--needles", "needles", "--files"
    away = f"move-to = '{tmp_path / 'away'}'"
    assert b"freed when the trash is emptied" in configured(away, *words, "--trash").stdout
    assert b"freed when the trash is emptied" not in configured("trash = true", *words, "--move-to", "away").stdout
    assert 2 == configured(f"{away}\ntrash = true", *words).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("quiet = true", ("-v",)),
        ("verbose = true", ("-q",)),
        ("format = 'json'", ("-0",)),
        ("print0 = true", ("--format", "csv")),
        ("no-cache = true", ("--cache", "own.sqlite")),
    ],
)
def test_what_is_typed_takes_the_place_of_its_opposite(
    configured: Callable[..., Any], tmp_path: Path, text: str, typed: tuple[str, ...]
) -> None:
    """The command line comes first, also where the two are options of their own."""
    done = configured(text, "scan", "--haystack", "hay", "needles", *typed)
    assert 1 == done.returncode, done.stderr
    assert ("-v" in typed) == (b"walking" in done.stderr)
    assert ("own.sqlite" in typed) == (tmp_path / "own.sqlite").exists()


def test_help_needs_no_file_that_is_right(configured: Callable[..., Any]) -> None:
    """Or nobody could look up what is wrong with it."""
    for arguments in (("scan", "--help"), ("scan", "-h"), ("help", "scan"), ("--version",)):
        done = configured("haystak = 1" if arguments[0] != "help" else "", *arguments)
        assert (0, b"") == (done.returncode, done.stderr)


def test_config_shows_what_holds_and_where_from(configured: Callable[..., Any], tmp_path: Path) -> None:
    """The file, then each option with its value, its line or variable, and the commands that it holds for."""
    done = configured(FILE, "config", "--profile", "small", DUPFIND_WORKERS="2")
    shown = done.stdout.decode().replace(str(tmp_path), "{here}").splitlines()
    assert "{here}/config.toml" == shown[0]
    rows = {line.split()[0]: line.split() for line in shown[1:] if not line.startswith("threshold")}
    assert ["haystack", "{here}/hay", "config.toml:1", "(scan,"] == rows["haystack"][:4]
    assert ["workers", "2", "DUPFIND_WORKERS"] == rows["workers"][:3]
    assert any(line.split()[:3] == ["threshold", "6", "config.toml:9"] for line in shown)
    assert any(line.split()[:3] == ["threshold", "5", "config.toml:7"] for line in shown)
    whole = configured(FILE, "config", "scan").stdout.decode().splitlines()
    assert ["sidecars", "require", "default"] in [line.split() for line in whole]
    only_cache = configured("", "config").stdout.splitlines()  # each run of a test has one of its own
    assert (2, b"cache") == (len(only_cache), only_cache[1].split()[0])


def test_config_names_a_variable_that_means_nothing(dupfind: Run) -> None:
    """It would be ignored in silence."""
    shown = dupfind("config", env={"DUPFIND_HAYSTAK": "/photos"}).stdout.decode()
    assert "DUPFIND_HAYSTAK means nothing to dupfind; did you mean DUPFIND_HAYSTACK?" in shown


def test_no_file_is_no_mistake(dupfind: Run) -> None:
    """It is nobody's duty to have one."""
    done = dupfind("config", env={"DUPFIND_CACHE": ""})
    assert (0, b"") == (done.returncode, done.stderr)
    assert b"(not there)" in done.stdout
    assert b"no option has a value but its default" in done.stdout


def test_the_next_command_tells_what_the_file_gave(configured: Callable[..., Any]) -> None:
    """It may have held for this command alone."""
    done = configured('[scan]\nhaystack = "{here}/hay"', "scan", "needles")
    assert b"import --haystack " in done.stdout
    assert b"/hay --needles needles" in done.stdout


def test_a_flag_that_is_off_is_no_word_of_the_next_command(configured: Callable[..., Any]) -> None:
    """--files has no opposite."""
    done = configured("[scan]\nfiles = false\nrotations = false", "scan", "--haystack", "hay", "needles")
    assert (1, b"") == (done.returncode, done.stderr)
    assert b"import --haystack hay --no-rotations --needles needles" in done.stdout


def test_every_option_has_a_variable_of_its_own_name() -> None:
    """But for those that are typed, and -h."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        for parameter in command.params if isinstance(command, Command) else ():
            if isinstance(parameter, Option) and not parameter.is_typed:
                expected = f"DUPFIND_{parameter.long_name.upper().replace('-', '_')}"
                assert expected == parameter.envvar, (name, parameter.name)


def test_a_file_that_is_not_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear line."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"# \xff")
    monkeypatch.setenv("DUPFIND_CONFIG", str(file))
    with pytest.raises(SettingsError, match=r"config\.toml is not UTF-8"):
        read_config(None)
