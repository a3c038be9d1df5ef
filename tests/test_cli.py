"""The real process: exit codes, streams, signals, and what a person reads after a mistake."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import libraries
from faults.common import has_begun, processes_of_session
from fixtures import pictures
from tests.helpers.trees import build_tree

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SCAN = ("scan", "--haystack", "hay", "--needles", "needles")


@pytest.fixture
def trees(tree: TreeBuilder) -> Path:
    """A haystack, and needles of which one folder is contained, one is missing and one is partly there."""
    photos = [pictures.photo(seed, (160, 120)) for seed in range(5)]
    tree("hay", {"2006/a.png": photos[0], "2006/b.jpg": photos[1], "notes.txt": b"notes"})
    return tree(
        "needles",
        {
            "all/a.jpg": photos[0],
            "all/notes.txt": b"notes",
            "none/deep/c.jpg": photos[2],
            "some/b.jpg": photos[1],
            "some/d.jpg": photos[3],
        },
    )


def test_help_is_for_people(dupfind: Run) -> None:
    """Help goes to standard output with examples and exit codes, and asks for nothing."""
    for arguments in (["--help"], ["-h"], ["scan", "--help"], ["cache", "prune", "-h"]):
        done = dupfind(*arguments)
        assert (0, b"") == (done.returncode, done.stderr)
        assert done.stdout.startswith(b"Usage: dupfind")
        assert max(map(len, done.stdout.decode().splitlines())) <= 80
    assert b"dupfind import --haystack" in dupfind("scan", "-h").stdout


@pytest.mark.mostly_slow(fast=12)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Commands:\n  scan "),
        ((*SCAN, "--html", "--files"), "--files looks like an option; write ./--files where a file is meant"),
        ((*SCAN, "--cache", "c.sqlite", "--output", "c.sqlite"), "would replace what --cache reads"),
        (("scna",), "No such command 'scna'"),
        (("scan",), "--haystack is needed: the folder to search in"),
        (("scan", "--haystack", "hay"), "--needles is needed: the folder to look for"),
        (("scan", "--haystack", "hay", "--needles", "nope"), "--needles nope: no such file or directory"),
        (("scan", "--haystack", "hay/notes.txt", "--needles", "hay"), "--haystack hay/notes.txt: not a folder"),
        (("scan", "--haystack", "hay", "--needles", "hay/."), "are the same folder"),
        ((*SCAN, "--treshold", "4"), "--threshold"),
        ((*SCAN, "--threshold", "33"), "--threshold takes 0 to 32 bits, not 33"),
        ((*SCAN, "--only", "present"), "--only present is a verdict on files: add --files"),
        ((*SCAN, "--only", "contained", "--files"), "--only contained is a verdict on folders"),
        ((*SCAN, "-0", "--format", "json"), "-0 prints paths"),
        ((*SCAN, "--output", "hay/report.txt"), "lies under hay, where dupfind never writes"),
        ((*SCAN, "--cache", "needles/c.sqlite"), "lies under needles, where dupfind never writes"),
        ((*SCAN, "--output", "no/such/folder.txt"), "no/such/folder.txt: there is no such folder"),
        ((*SCAN, "--output", "."), "--output .: not a file"),
        ((*SCAN, "--save", "needles/r.json"), "--save needles/r.json lies under needles"),
        ((*SCAN, "--save", "r.json", "--output", "./r.json"), "--output and --save name the same file"),
        ((*SCAN, "--baseline", "r.json"), "--baseline r.json: no such file or directory"),
        ((*SCAN, "--baseline", "hay/notes.txt"), "--baseline hay/notes.txt: not a report"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("trees")
def test_a_mistake_is_one_clear_message_and_2(dupfind: Run, arguments: tuple[str, ...], message: str) -> None:
    """Wrong usage: nothing on standard output, the reason on standard error, no traceback, exit code 2."""
    done = dupfind(*arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("trees")
def test_the_table(dupfind: Run) -> None:
    """What is not contained, collapsed, without colour or trailing spaces when piped; then one sentence and a hint."""
    done = dupfind(*SCAN, has_workers=True)
    lines = done.stdout.decode().splitlines()
    assert (1, b"") == (done.returncode, done.stderr)
    assert ["✗ missing", "± partial"] == [line[:9] for line in lines[2:4]]
    assert ["needles/none", "needles/some"] == [line.split()[-1] for line in lines[2:4]]
    assert lines[5].startswith("2 of 5 files (")
    assert lines[5].endswith("are not in the haystack: 2 missing.")
    assert "Missing: 2 pictures." == lines[6]
    assert lines[7].startswith("1 folder can go, which frees ")
    assert lines[8:] == [
        "",
        "Next, the missing files:",
        "  dupfind scan --haystack hay --needles needles --only missing --files",
        "",
        "Next, to bring them over:",
        "  dupfind import --haystack hay --needles needles --to hay/Import",
        "",
        "Next, the folders that can go:",
        "  dupfind clean --haystack hay --needles needles --trash",
    ]
    assert b"\x1b" not in done.stdout
    assert lines == [line.rstrip() for line in lines]


@pytest.mark.usefixtures("trees")
def test_all_is_zero(dupfind: Run) -> None:
    """Every needle present: 0, and the answer says so in one line."""
    done = dupfind("scan", "--haystack", "hay", "--needles", "needles/all")
    lines = done.stdout.decode().splitlines()
    assert (0, b"") == (done.returncode, done.stderr)
    assert "All 2 files are in the haystack: every needle folder is contained." == lines[0]
    assert lines[1].startswith("1 folder can go, which frees ")
    assert "  dupfind clean --haystack hay --needles needles/all --trash" == lines[-1]


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_paths_folders_and_files(dupfind: Run) -> None:
    """`paths` prints the top-most folders, files with --files, raw and NUL-ended with -0."""
    assert b"needles/none\nneedles/some\n" == dupfind(*SCAN, "--format", "paths").stdout
    assert b"needles/all\0" == dupfind(*SCAN, "--only", "contained", "-0").stdout
    expected = b"needles/none/deep/c.jpg\0needles/some/d.jpg\0"
    assert expected == dupfind(*SCAN, "--only", "missing", "--files", "-0").stdout


@pytest.mark.usefixtures("trees")
def test_json_is_the_schema_to_the_letter(dupfind: Run) -> None:
    """Every key of the contract with its type; files, folders and summary agree; present things are listed too."""
    done = dupfind(*SCAN, "--format", "json", has_workers=True)
    report: dict[str, Any] = json.loads(done.stdout)
    assert "dupfind.scan/1" == report["schema"]
    assert {
        "haystack": ["hay"],
        "needles": ["needles"],
        "algorithm": "phash",
        "threshold_bits": 10,
        "accept": "same",
        "rotations": True,
        "paranoid": False,
        "quick": False,
        "disregard": [],
        "sidecars": "require",
    } == report["settings"]
    assert {
        "folders": {"contained": 1, "review": 0, "partial": 2, "missing": 2},
        "files": {"present": 3, "similar": 0, "missing": 2, "unreadable": 0, "unwanted": 0, "empty": 0},
        "sidecars": {"not_present": 0, "unwanted": 0},
        "films_by_bytes": 0,
        "haystack": {"files": 3, "images": 2, "unreadable": 0},
    } == report["summary"]
    assert ["needles", "needles/all", "needles/none", "needles/none/deep", "needles/some"] == [
        one["path"] for one in report["folders"]
    ]
    first, second = report["files"][:2]
    assert ("needles/all/a.jpg", "image", "present", "same", "hay/2006/a.png", None) == tuple(
        first[key] for key in ("path", "kind", "verdict", "evidence", "witness", "reason")
    )
    assert 1 - first["distance_bits"] / 64 == first["score"]
    assert ("needles/all/notes.txt", "other", "present", "identical", "hay/notes.txt", None, 1.0, None) == tuple(
        second[key] for key in ("path", "kind", "verdict", "evidence", "witness", "distance_bits", "score", "reason")
    )
    assert [] == report["problems"]


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_jsonl_and_csv(dupfind: Run) -> None:
    """A line a file, a line a folder, then the summary; and a table that a spreadsheet reads."""
    lines = [json.loads(line) for line in dupfind(*SCAN, "--format", "jsonl").stdout.splitlines()]
    assert ["file"] * 5 + ["folder"] * 5 + ["summary"] == [line["type"] for line in lines]
    rows = list(csv.DictReader(io.StringIO(dupfind(*SCAN, "--format", "csv", "--all").stdout.decode())))
    assert [("needles/all", "contained"), ("needles/none", "missing"), ("needles/some", "partial")] == [
        (row["path"], row["verdict"]) for row in rows
    ]
    rows = list(csv.DictReader(io.StringIO(dupfind(*SCAN, "--format", "csv", "--files").stdout.decode())))
    assert ["needles/none/deep/c.jpg", "needles/some/d.jpg"] == [row["path"] for row in rows]


@pytest.mark.slow
def test_strange_names(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """Spaces, quotes, newlines, dashes, CJK, emoji, escapes, invalid UTF-8: right in every format, forging nothing."""
    tree("hay", {"x.txt": b"x"})
    names = [
        b" a b.txt",
        b"'q\".txt",
        b"-rf.txt",
        b"new\nline.txt",
        "写真 🎂.txt".encode(),
        b"\x1b[31mred",
        b"bad\xff\xfe.txt",
    ]
    (tmp_path / "needles").mkdir()
    for name in names:
        (tmp_path / "needles" / os.fsdecode(name)).write_bytes(b"content of " + name)
    expected = sorted(b"needles/" + name for name in names)
    assert expected == sorted(dupfind(*SCAN, "--files", "-0").stdout.rstrip(b"\0").split(b"\0"))
    for arguments in (["--files"], ["--files", "--format", "paths"], ["--files", "--format", "csv"]):
        done = dupfind(*SCAN, *arguments)
        assert 1 == done.returncode
        if "csv" not in arguments:
            assert b"new\nline" not in done.stdout
    assert b"\x1b" not in dupfind(*SCAN, "--files").stdout + dupfind(*SCAN).stderr
    files = json.loads(dupfind(*SCAN, "--format", "json").stdout)["files"]
    (bad,) = [one for one in files if "path_bytes" in one]
    assert ("needles/bad\ufffd\ufffd.txt", b"needles/bad\xff\xfe.txt") == (
        bad["path"],
        base64.b64decode(bad["path_bytes"]),
    )


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_output_is_whole_or_not_at_all(dupfind: Run, tmp_path: Path) -> None:
    """A file is replaced by the whole report; a disk without space leaves the old one and no rubbish, and exits 2."""
    report = tmp_path / "report.json"
    report.write_text("old")
    done = dupfind(*SCAN, "--format", "json", "--output", "report.json")
    assert (1, b"") == (done.returncode, done.stdout)
    assert "dupfind.scan/1" == json.loads(report.read_bytes())["schema"]
    assert [] == list(tmp_path.glob(".dupfind-*"))
    full = os.open("/dev/full", os.O_WRONLY)
    done = dupfind(*SCAN, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    os.close(full)
    assert 2 == done.returncode
    assert b"standard output: no space left on device; the report was not written whole" in done.stderr


@pytest.mark.slow
def test_what_has_changed_since_a_baseline(dupfind: Run, trees: Path, tmp_path: Path) -> None:
    """Exit code 0 only where nothing has changed and all is contained; standard output is empty where nothing has."""
    save, compare = ("--save", "last.json"), ("--baseline", "last.json")
    (tmp_path / "more").mkdir()
    assert dupfind(*SCAN, *save).returncode == 1
    assert json.loads((tmp_path / "last.json").read_bytes())["files"]
    done = dupfind(*SCAN, *compare)
    assert (1, b"") == (done.returncode, done.stdout)
    assert b"nothing has changed since the report of 20" in done.stderr
    done = dupfind(*SCAN, *compare, "-q")
    assert (1, b"", b"") == (done.returncode, done.stdout, done.stderr)
    line = b"aseline was made with other settings, which may change verdicts: accept"
    done = dupfind(*SCAN, *compare, "--accept", "identical")
    assert b"contained" in done.stdout
    assert (1, 0) == (done.stdout.count(line), done.stderr.count(line))
    done = dupfind(*SCAN, *compare, "--accept", "identical", "--format", "paths")
    assert (0, 1) == (done.stdout.count(line), done.stderr.count(line))
    done = dupfind("scan", "--haystack", "hay", "--haystack", "more", "--needles", "needles", *compare)
    assert b"made with other settings, which may change verdicts: haystack\n" in done.stderr
    for folder in ("some", "none"):
        shutil.rmtree(trees / folder)
    done = dupfind(*SCAN, *compare, *save)
    assert done.returncode == 1
    assert b"Gone: needles/none\nGone: needles/some\n" in done.stdout
    assert b"contained  partial" in done.stdout
    assert dupfind(*SCAN, *compare, "-q").returncode == 0


@pytest.mark.slow
def test_a_baseline_outlives_a_report_that_could_not_be_written(dupfind: Run, trees: Path, tmp_path: Path) -> None:
    """What nobody was told of has not been told."""
    assert dupfind(*SCAN, "--save", "last.json").returncode == 1
    before = (tmp_path / "last.json").read_bytes()
    shutil.rmtree(trees / "some")
    with Path("/dev/full").open("wb") as full:
        done = dupfind(*SCAN, "--save", "last.json", "--baseline", "last.json", capture_output=False, stdout=full)
    assert done.returncode == 2
    assert before == (tmp_path / "last.json").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_output_to_what_is_a_pipe(dupfind: Run, tmp_path: Path) -> None:
    """By the system's name for it, which leads to no file."""
    assert dupfind(*SCAN).stdout == dupfind(*SCAN, "--output", "/dev/stdout").stdout
    with (tmp_path / "r.txt").open("wb") as file:
        assert dupfind(*SCAN, "--output", "/dev/stdout", capture_output=False, stdout=file).returncode == 1
    assert dupfind(*SCAN).stdout == (tmp_path / "r.txt").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_temporary_folder_with_a_long_name(dupfind: Run, tmp_path: Path) -> None:
    """A socket's name may have some hundred bytes only; without one the processes start otherwise."""
    long = tmp_path / ("temporary " * 12)
    long.mkdir()
    done = dupfind(*SCAN, env={"TMPDIR": str(long)})
    assert (1, b"") == (done.returncode, done.stderr)
    assert dupfind(*SCAN).stdout == done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_reader_that_goes_away(dupfind: Run) -> None:
    """Standard output closed early, as by `| head -1`: 141, no message, no traceback; closed at the start: 2."""
    for arguments in ([*SCAN, "--format", "json"], ["--help"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = dupfind(*arguments, stdout=writing, stderr=subprocess.PIPE, capture_output=False)
        os.close(writing)
        assert 141 == done.returncode
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr
    closed = dupfind(*SCAN, preexec_fn=lambda: os.close(1), capture_output=False, stderr=subprocess.PIPE)
    assert 2 == closed.returncode
    assert b"standard output is closed" in closed.stderr


@pytest.fixture(scope="module")
def long_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trees that take a while to decode, older than two seconds, so that the cache keeps what was read of them."""
    folder = tmp_path_factory.mktemp("long")
    pictures.save(pictures.photo(1, (1600, 1200)), folder / "one.png")
    data = (folder / "one.png").read_bytes()
    build_tree(folder / "hay", {f"{number}.png": data + bytes([number]) for number in range(60)})
    build_tree(folder / "needles", {"n.jpg": pictures.photo(2, (160, 120))})
    time.sleep(2.1)
    return folder


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(long_work: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Interrupted while decoding: 130 or 143, no traceback, no process left behind, work so far kept."""
    cache = str(tmp_path / "c.sqlite")
    command = [sys.executable, "-m", "dupfind", *SCAN, "--cache", cache, "-v"]
    process = subprocess.Popen(
        command, cwd=long_work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"decoding needles" in line:  # the needles are done, the haystack is being decoded
            break
    time.sleep(0.5)
    os.killpg(process.pid, number)  # as a terminal does: to the workers as well
    out, err = process.communicate(timeout=60)
    assert (128 + number, b"") == (process.returncode, out)
    assert b"Traceback" not in err
    deadline = time.monotonic() + 60
    while processes_of_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == processes_of_session(process.pid)
    info = subprocess.run(
        [sys.executable, "-m", "dupfind", "cache", "info", "--cache", cache],
        capture_output=True,
        check=True,
    )
    assert b" 0 thumbnails" not in info.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_stopped_at_any_moment(tmp_path: Path) -> None:
    """From the program's beginning to the report: no traceback, and the exit code says that it was stopped, or not."""
    for step in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "dupfind", *SCAN, "--no-cache"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        while not has_begun(process.pid):  # however long it takes on a busy machine
            time.sleep(0.002)
        time.sleep(step * 0.05)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert b"Traceback" not in err
        # Stopped while it writes, it has written some or all of it: the exit code counts.
        assert process.returncode == 130 or (process.returncode, bool(out)) == (1, True)


@pytest.mark.usefixtures("trees")
def test_an_unbuffered_reader_that_goes_away(dupfind: Run) -> None:
    """PYTHONUNBUFFERED changes nothing in the exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {"PYTHONUNBUFFERED": "1"}
    done = dupfind(*SCAN, env=environment, stdout=writing, stderr=subprocess.PIPE, capture_output=False)
    os.close(writing)
    assert 141 == done.returncode


def test_problems_are_named_on_standard_error(dupfind: Run, tree: TreeBuilder) -> None:
    """One line with the file and the cause; links by the dozen are counted; -q is silent."""
    tree("hay", {"a.txt": b"1"})
    needles = tree("needles", {"cut.jpg": b"\xff\xd8\xff\xe0"})
    for number in range(15):
        (needles / f"link{number:02d}").symlink_to("nowhere")
    lines = dupfind(*SCAN).stderr.decode().splitlines()
    assert "dupfind: needles/link00: symbolic link: not followed" == lines[0]
    assert "dupfind: needles/cut.jpg: not a picture in a known format" == lines[10]
    assert "dupfind: 5 more among the needles: symbolic link: not followed (-v lists them all)" == lines[11]
    assert 12 == len(lines)
    assert b"" == dupfind(*SCAN, "-q").stderr


def test_nothing_among_the_needles(dupfind: Run, tree: TreeBuilder) -> None:
    """An empty folder holds nothing that could be missing."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"empty/": None})
    done = dupfind(*SCAN)
    assert (0, b"There are no files among the needles.\n") == (done.returncode, done.stdout)


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_cron_job_s_empty_environment(tmp_path: Path) -> None:
    """No HOME, no LANG, no terminal: the same answer, in ASCII where the locale has nothing else."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "LC_ALL": "C"}
    environment |= {"DUPFIND_CACHE": "cache.sqlite", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "dupfind", *SCAN], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (1, b"") == (done.returncode, done.stderr)
    assert b"x missing" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_cache_commands(dupfind: Run, tmp_path: Path) -> None:
    """path, info, prune and clear say what they found and did."""
    path = tmp_path / "cache" / "cache.sqlite"
    assert os.fsencode(path) + b"\n" == dupfind("cache", "path").stdout
    assert b"no cache yet" in dupfind("cache", "info").stdout
    dupfind(*SCAN)
    assert str(path).encode() in dupfind("cache", "info").stdout
    assert b"0 files forgotten" in dupfind("cache", "prune").stdout
    assert b"freed" in dupfind("cache", "clear").stdout
    assert not path.exists()
    path.write_bytes(b"somebody's letter")
    done = dupfind("cache", "clear")
    assert (2, True) == (done.returncode, path.exists())


_ROW = re.compile(r"(\S.*?) {2,}([\d,]+\.\d{3}) +(\d+)%(?: +([\d,]+)(?: +([\d,]+))?)?(?: +(\d+)%)?")
COMMANDS = [
    SCAN,
    ("explain", "--haystack", "hay", "needles/none/deep/c.jpg"),
    ("calibrate", "hay"),
]


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.usefixtures("trees")
def test_where_the_time_went(dupfind: Run, command: tuple[str, ...]) -> None:
    """A table on standard error, also with -q, whose seconds add up to what the run took; the answer is the same."""
    began = time.monotonic()
    done = dupfind(*command, "-q", "--profile-stages", "--workers", "1", has_workers=True)
    seconds = time.monotonic() - began
    assert dupfind(*command, "-q").stdout == done.stdout
    assert b"" == dupfind(*command, "-q").stderr
    lines = done.stderr.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert ["", "Stage"] == [lines[0], lines[1].split()[0]]
    rows = {row[1]: float(row[2]) for line in lines[3:] if (row := _ROW.fullmatch(line))}
    expected = {
        "scan": [
            "digest",
            "decode needles",
            "decode haystack",
            "evidence",
            "search",
            "full size",
            "last look",
            "verdict",
            *(["parts"] if libraries.can_find_fragments() else []),
        ],
        "explain": [
            *("decode needles", "decode haystack", "evidence", "search"),
            *(["parts"] if libraries.can_find_fragments() else []),
        ],
        "calibrate": ["decode", "hash", "compare"],
    }[command[0]]
    names = ["start-up", "walk", "look up", *expected, "report", "the rest", "all"]
    assert sorted(names) == sorted(rows)
    assert ["start-up", "walk"] == list(rows)[:2]
    assert all(value >= 0 for value in rows.values())
    assert rows["all"] == pytest.approx(sum(rows.values()) - rows["all"], abs=0.01)
    assert 0.2 * seconds < rows["all"] <= seconds + 0.05
    assert re.fullmatch(
        r"Processor time: \d+\.\d\d s here, \d+\.\d\d s in 1 worker \(\d+% busy\), in \d+\.\d\d s\.", lines[-1]
    )


def test_where_the_time_went_of_a_plain_copy(dupfind: Run, tree: TreeBuilder) -> None:
    """Only what was done is named: equal bytes prove it, and no picture is decoded."""
    for name in ("hay", "needles"):
        tree(name, {"a.png": pictures.photo(1, (160, 120))})
    done = dupfind(*SCAN, "-q", "--profile-stages")
    assert 0 == done.returncode
    stages = [line.partition("  ")[0] for line in done.stderr.decode().splitlines()[3:-2]]
    assert ["start-up", "walk", "look up", "digest", "last look", "verdict", "report", "the rest", "all"] == stages
