"""Names that somebody chose to do harm: in every place that prints one, nothing is forged, coloured, broken or run."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dupfind.answers.changes import Baseline, changes
from dupfind.answers.explain import Advice, Explanation
from dupfind.answers.explain import ExplainResult as Explained
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen, render
from dupfind.report import explain as explain_report
from dupfind.report.csv import _FORMULA_STARTS
from dupfind.settings import make_report_settings
from dupfind.values import Evidence, FileState, FolderState, Problem, Report, Side
from fixtures import pictures
from tests.helpers.reports import file, folder, report

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, Any]], Path]

NAMES = [
    b"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b"\xc2\x9b31mred",  # a control sequence in one character beyond ASCII
    b"\x08\x08\x08\x7f",
    b"new\nline",
    b"carriage\rreturn",
    b"tab\ttab",
    "\u202egnp.exe".encode(),
    "\u2066a\u2069\u200f\u061c".encode(),
    "line\u2028separator\u2029paragraph\u0085next".encode(),
    "\ufeffmark \u200bnothing \U000e0041tag".encode(),
    b"bad\xff\xfe\x80",
    b"\xed\xa0\x80",  # half of a pair, as it may not be in UTF-8
    b"=1+1",
    b"-2+3|cmd",
    b"@SUM(1)",
    b"+1",
    b"a;=1+1",
    b"a\t=1+1",
    b'quoted ",=1+1',
    b"'; DROP TABLE file; --",
    b"--only",
    b"-rf",
    b"%s %n {0} \\n $(id) `id`",
    "✓ contained  7 of 7         n".encode(),
    b"[bold red]markup[reverse]",
    b":smile:",
    b"<b>&amp;<script>",
    "e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467 写真".encode(),
    b" leading and trailing ",
    b"x" * 255,
]
"""Each is a name that Linux allows."""

_names = st.one_of(
    st.binary(min_size=1, max_size=24),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(str.encode),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).map(b"".join),
)
names = _names.map(lambda name: os.fsdecode(name.replace(b"\0", b"?").replace(b"/", b"?")))


def harmful(text: str) -> set[str]:
    """Characters that a terminal obeys, that end a line for somebody, or that turn the direction of writing."""
    return {
        one for one in text if one not in "\n\u200d" and unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp", "Cs"}
    }


def answer_on(name: str) -> Report:
    """A report in which the name stands wherever one may stand."""
    path = f"n/{name}"
    return report(
        [
            file(path, FileState.MISSING, reasons=(Reason(ReasonCode.LOOKS_MOST_LIKE, ("cut", f"hay/{name}")),)),
            file(f"{path}/2", FileState.SIMILAR, evidence=Evidence.SIMILAR, witness=f"hay/{name}", distance_bits=4),
        ],
        [folder(path, FolderState.MISSING, 0, 2)],
        [Problem(path, Side.NEEDLES, "walk", f"cannot be read: {name}")],
    )


def rendered(answer: Report, *, is_terminal: bool = False, since: Any = None, **options: Any) -> str:
    """A report, as text."""
    return render(answer, make_report_settings(**options), Screen(80, is_terminal), since).decode()


def original(found: dict[str, Any], key: str) -> str:
    """The path that JSON stands for."""
    packed = found.get(f"{key}_bytes")
    return os.fsdecode(base64.b64decode(packed)) if packed else found[key]


@given(names)
def test_json_gives_the_name_back(name: str) -> None:
    """To the byte, with nothing in it that a terminal obeys, one line a file in JSON lines."""
    answer = answer_on(name)
    whole = rendered(answer, format_="json")
    assert set() == harmful(whole)
    first, second = json.loads(whole)["files"]
    assert (f"n/{name}", f"hay/{name}") == (original(first, "path"), original(second, "witness"))
    assert f"n/{name}" == original(json.loads(whole)["problems"][0], "path")
    lines = rendered(answer, format_="jsonl")
    assert ["file", "file", "folder", "summary"] == [json.loads(line)["type"] for line in lines.splitlines()]
    assert set() == harmful(lines)


@given(names, st.booleans())
def test_csv_gives_the_name_back(name: str, files: bool) -> None:
    """One row a file or folder; but for bytes that are no text, and for formulas, the name as it is."""
    answer = answer_on(name)
    text = rendered(answer, format_="csv", files=files)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert (2 if files else 1) == len(rows)
    expected = f"n/{name}".encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    assert expected == rows[0]["path"]
    assert not any(cell.startswith(_FORMULA_STARTS) for row in rows for cell in row.values() if isinstance(cell, str))
    on_terminal = rendered(answer, format_="csv", files=files, is_terminal=True)
    assert set() == harmful(on_terminal)
    assert (3 if files else 2) == on_terminal.count("\n")


@pytest.mark.parametrize("name", ["=cmd", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_a_root_that_is_a_formula(name: str) -> None:
    """The path begins as the user spelt the root."""
    answer = report([file(f"{name}/a", FileState.MISSING, evidence=None, witness=f"{name}/b")])
    (row,) = csv.DictReader(io.StringIO(rendered(answer, format_="csv", files=True), newline=""))
    assert (f"'{name}/a", f"'{name}/b") == (row["path"], row["witness"])


@pytest.mark.slow
@settings(max_examples=30)
@given(names, st.booleans(), st.booleans())
def test_tables_and_paths(name: str, files: bool, is_terminal: bool) -> None:
    """No harm in a table; off a terminal its lines are as many as for a harmless name; one path a line."""
    answer, plain = answer_on(name), answer_on("name")
    table = rendered(answer, files=files)
    assert set() == harmful(table)
    assert table.count("\n") == rendered(plain, files=files).count("\n")
    gone = f"n/{name}/gone"
    before = Baseline("2026-11-20T03:00:00+01:00", {}, {gone: FolderState.PARTIAL}, {gone: FileState.PRESENT})
    since = changes(answer, before)
    news = rendered(answer, files=files, since=since)
    assert set() == harmful(news)
    paths_alone = make_report_settings(format_="paths", files=files)
    paths = render(answer, paths_alone, Screen(is_terminal=is_terminal))
    assert (2 if files else 1) == paths.count(b"\n")
    assert not is_terminal or set() == harmful(paths.decode())


@settings(max_examples=50)
@given(names)
def test_explanations(name: str) -> None:
    """Likewise in what ``explain`` prints."""
    path = f"n/{name}"
    verdict = file(path, FileState.MISSING, reasons=(Reason(ReasonCode.LOOKS_MOST_LIKE, ("cut", f"hay/{name}")),))
    one = Explanation(verdict, None, (), (), Advice(()), (path,))
    answer = Explained("1.0", report([]).settings, [one], [Problem(path, Side.HAYSTACK, "walk", name)])
    page = explain_report.render(answer, Screen()).decode()
    assert set() == harmful(page)
    whole = explain_report.render_json(answer).decode()
    assert set() == harmful(whole)
    assert path == original(json.loads(whole)["needles"][0], "needle")


@pytest.fixture(scope="module")
def folder_of_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real files with these names, on both sides, as needles that are missing, unreadable and present."""
    root = tmp_path_factory.mktemp("names")
    for side in ("hay", "needles"):
        (root / side).mkdir()
        for number, name in enumerate(NAMES):
            below = os.fsencode(root / side) + b"/" + name
            os.mkdir(below)
            for kind, data in (("there.txt", b"%d"), ("not.txt", f"{side} %d".encode()), ("cut.jpg", b"\xff\xd8 %d")):
                with open(below + b"/" + kind.encode(), "wb") as made:
                    made.write(data % number)
    return root


ENVIRONMENTS = {
    "as it is": {},
    "LANG=C": {"LANG": "C", "LC_ALL": ""},
    "LC_ALL=POSIX": {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}


FORMATS = [("--files", "--all"), ("--format", "json"), ("--format", "csv", "--all"), ("--format", "paths", "--files")]


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.parametrize(
    ("options", "environment"),
    [(options, {}) for options in FORMATS] + [((), environment) for environment in ENVIRONMENTS.values()],
    ids=[*map(" ".join, FORMATS), *ENVIRONMENTS],
)
def test_the_whole_program(
    dupfind: Run, folder_of_names: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    """Real files, every format, in poor environments: an answer, and nothing harmful on standard error."""
    done = dupfind(
        "scan",
        "--haystack",
        "hay",
        "--needles",
        "needles",
        "--no-cache",
        *options,
        cwd=folder_of_names,
        env=environment,
        has_workers=True,
    )
    assert 1 == done.returncode
    said = done.stderr.decode("latin-1" if environment.get("PYTHONIOENCODING") == "latin-1" else "utf-8")
    assert set() == harmful(said)
    assert all(line.startswith("dupfind: ") for line in said.splitlines())
    if options[:2] == ("--format", "json"):
        found = {os.fsencode(original(one, "path")) for one in json.loads(done.stdout)["folders"]}
        assert {b"needles", *(b"needles/" + name for name in NAMES)} == found
    elif "--format" not in options:
        assert not {b"\x1b", b"\r", b"\x7f", b"\x08"} & {bytes([one]) for one in done.stdout}


MISTAKES: list[tuple[str, ...]] = [
    ("scan", "--haystack", "hay", "--needles=NAME"),
    ("scan", "--haystack", "hay", "--needles", "needles", "--output=NAME/none/r"),
    ("scan", "--haystack", "hay", "--needles", "needles", "--baseline=NAME/none"),
    ("scan", "--haystack", "hay", "--needles", "needles", "--format=NAME"),
    ("explain", "--haystack", "hay", "--", "NAME/none"),
    ("cache", "info", "--cache=NAME/none/none"),
    ("NAME",),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "name"),
    [(mistake, NAMES[0]) for mistake in MISTAKES]
    + [(MISTAKES[number % len(MISTAKES)], name) for number, name in enumerate(NAMES[1:13])],
    ids=ascii,
)
def test_mistakes_that_name_files(dupfind: Run, tmp_path: Path, mistake: tuple[str, ...], name: bytes) -> None:
    """Errors on roots, outputs, caches, baselines and unknown arguments: 2, in words that do no harm."""
    (tmp_path / "hay").mkdir()
    (tmp_path / "needles").mkdir()
    done = dupfind(*(os.fsencode(part).replace(b"NAME", name) for part in mistake))
    assert done.returncode == (0 if mistake[0] == "cache" else 2)
    assert set() == harmful(done.stderr.decode() + done.stdout.decode())
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_warnings_and_cache_commands(dupfind: Run, tmp_path: Path) -> None:
    """A cache whose folder has a hostile name."""
    for side in ("hay", "needles"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.txt").write_bytes(side.encode())
    folder = os.fsencode(tmp_path) + b"/" + NAMES[0] + b"\n" + NAMES[2]
    os.mkdir(folder, 0o700)
    cache = folder + b"/c.sqlite"
    with open(cache, "wb") as made:
        made.write(b"no cache")
    done = dupfind("scan", "--haystack", "hay", "--needles", "needles", "--cache", cache, has_workers=True)
    assert b"set aside as" in done.stderr
    assert set() == harmful(done.stderr.decode())
    assert 1 == done.stderr.count(b"\n")
    for command in ("info", "prune", "clear", "info"):
        done = dupfind("cache", command, "--cache", cache, env={"PYTHONIOENCODING": "ascii"})
        assert (0, b"") == (done.returncode, done.stderr)
        assert set() == harmful(done.stdout.decode("ascii"))
    assert cache + b"\n" == dupfind("cache", "path", "--cache", cache).stdout


@pytest.mark.slow
@pytest.mark.parametrize("handle", [0, 2], ids=["standard input", "standard error"])
def test_closed_streams(dupfind: Run, tree: TreeBuilder, handle: int) -> None:
    """Nowhere to complain to, and nothing to read from: the answer and its exit code are the same."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"a.txt": b"1", "cut.jpg": b"\xff\xd8"})
    scan = ("scan", "--haystack", "hay", "--needles", "needles")
    expected = dupfind(*scan).stdout
    for extra in (("-v",), ("--progress",)):
        done = dupfind(*scan, *extra, preexec_fn=lambda: os.close(handle))
        assert (1, expected) == (done.returncode, done.stdout)
    done = dupfind("scan", "--nope", preexec_fn=lambda: os.close(handle))
    assert (2, b"") == (done.returncode, done.stdout)


@contextmanager
def lost_stderr(kind: str) -> Iterator[int]:
    """Open a standard error to which nothing can be written; gives its handle."""
    reading, writing = os.pipe()
    if kind == "full disk":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    elif kind == "reader gone":
        os.close(reading)
        reading = os.open(os.devnull, os.O_RDONLY)
    elif kind == "open for reading only":
        os.close(writing)
        writing = os.open(os.devnull, os.O_RDONLY)
    else:  # a pipe that is full, and does not wait for its reader
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(4096))
    try:
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("kind", ["full disk", "reader gone", "open for reading only", "full pipe"])
def test_a_full_standard_error(dupfind: Run, tree: TreeBuilder, kind: str, unbuffered: str) -> None:
    """It costs the complaints and not the answer; a mistake stays 2 and never becomes a verdict."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"a.txt": b"1", "cut.jpg": b"\xff\xd8"})
    scan = ("scan", "--haystack", "hay", "--needles", "needles")
    expected = dupfind(*scan).stdout
    with lost_stderr(kind) as lost:
        streams: dict[str, Any] = {"capture_output": False, "stdout": subprocess.PIPE, "stderr": lost}
        streams["env"] = {"PYTHONUNBUFFERED": unbuffered}
        for extra in (("-v", "--profile-stages", "--progress"), ("--workers", "1")):
            done = dupfind(*scan, *extra, **streams)
            assert (1, expected) == (done.returncode, done.stdout)
        assert 2 == dupfind("scan", "--nope", **streams).returncode


@pytest.mark.slow
def test_no_command_needs_standard_error(dupfind: Run, tree: TreeBuilder) -> None:
    """Each gives the answer and the code that it gives to somebody who listens."""
    tree("hay", {"a.png": pictures.photo(1, (64, 48)), "b.png": pictures.photo(2, (64, 48)), "cut.jpg": b"\xff\xd8"})
    commands = (
        ("find", "none.png", "hay/a.png", "--haystack", "hay", "-v"),
        ("hash", "none.png", "hay/a.png", "hay/cut.jpg", "--exact", "-v"),
        ("compare", "hay/a.png", "hay/../hay/a.png", "hay/b.png", "none.png", "-v"),
        ("explain", "hay/a.png", "--haystack", "hay", "-v"),
        ("groups", "hay", "-v"),
        ("sort", "hay", "-v"),
        ("scan", "--haystack", "hay", "--needles", "none"),
    )
    with lost_stderr("full disk") as lost:
        for command in commands:
            heard = dupfind(*command)
            assert heard.stderr
            done = dupfind(
                *command, capture_output=False, stdout=subprocess.PIPE, stderr=lost, env={"PYTHONUNBUFFERED": ""}
            )
            assert (command, heard.returncode, heard.stdout) == (command, done.returncode, done.stdout)


COMMANDS = [
    ("scan", "--haystack", "hay", "--needles", "needles"),
    ("scan", "--haystack", "hay", "--needles", "needles", "--format", "json"),
    ("explain", "--haystack", "hay", "needles/a.txt"),
    ("cache", "path"),
    ("cache", "info"),
    ("scan", "--help"),
    ("--version",),
]


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_answer_that_nobody_got_is_no_success(dupfind: Run, tree: TreeBuilder, command: tuple[str, ...]) -> None:
    """Standard output full, closed, or its reader gone: 2, 2 and 141, and never 0 or 1."""
    for side in ("hay", "needles"):
        tree(side, {"a.txt": b"1"})
    with Path("/dev/full").open("wb") as full:
        done = dupfind(*command, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert 2 == done.returncode
    assert b"no space left on device" in done.stderr
    done = dupfind(*command, capture_output=False, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert 2 == done.returncode
    assert b"Traceback" not in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = dupfind(*command, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (141, b"") == (done.returncode, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("unset", [(), ("HOME",)], ids=["with HOME", "without HOME"])
def test_an_empty_environment(tmp_path: Path, tree: TreeBuilder, unset: tuple[str, ...]) -> None:
    """As ``env -i``, with nothing at all, and with HOME alone: an answer and no complaint."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"a.txt": b"1"})
    environment = {name: str(tmp_path) for name in ("HOME",) if name not in unset}
    command = [sys.executable, "-m", "dupfind", "scan", "--haystack", "hay", "--needles", "needles"]
    options = [] if environment else ["--cache", "own/cache.sqlite"]
    done = subprocess.run([*command, *options], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (0, b"") == (done.returncode, done.stderr)
    assert b"every needle folder is contained" in done.stdout


@pytest.mark.slow
def test_a_working_directory_that_is_gone(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing that was named by its whole path is lost; what was named from there is a mistake in one line."""
    hay, needles = tree("hay", {"a.txt": b"1"}), tree("needles", {"a.txt": b"1", "cut.jpg": b"\xff\xd8"})

    def leave() -> None:
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")

    roots = ("--haystack", hay, "--needles", needles)
    done = dupfind("scan", *roots, "--cache", tmp_path / "c.sqlite", preexec_fn=leave)
    assert 1 == done.returncode
    assert b"1 of 2 files" in done.stdout
    for arguments in (("scan", *roots, "--cache", "c.sqlite"), ("scan", "--haystack", "hay", "--needles", needles)):
        done = dupfind(*arguments, preexec_fn=leave)
        assert (2, b"") == (done.returncode, done.stdout)
        assert 1 == done.stderr.count(b"\n")
        assert b"no such file or directory" in done.stderr


def test_hints(dupfind: Run, tree: TreeBuilder) -> None:
    """Folders without their option, and a format in capitals."""
    for side in ("hay", "needles"):
        tree(side, {"a.txt": b"1"})
    done = dupfind("clean", "hay", "needles", "--trash")
    assert 2 == done.returncode
    assert b"folders are named with --haystack DIR and --needles DIR" in done.stderr
    done = dupfind("scan", "--haystack", "hay", "--needles", "needles", "--format", "JSON")
    assert 0 == done.returncode
    assert json.loads(done.stdout)["files"]
