"""``dupfind selftest``: it passes here, and each thing that it is there to see is seen where it is made to go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dupfind import libraries
from dupfind.answers.selftest import Check, OtherVersion, Outcome, SelftestResult
from dupfind.cli.main import run
from dupfind.errors import ExitCode
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool
from dupfind.report import Screen
from dupfind.report.selftest import render
from dupfind.selftest import known_pictures, runs, selftest
from dupfind.selftest.known_pictures import SEED, SIZE, Known, Sample, read_known
from dupfind.selftest.runs import scene
from dupfind.settings import Format
from tests.helpers.places import ROOT
from tests.helpers.scans import one_thread

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]

SCENE_SUM = 4386537
KNOWN = read_known()
INSTALLED = dict(libraries.versions())
BY_NAME = {sample.name: sample for sample in KNOWN.samples}
has_all = pytest.mark.skipif(None in INSTALLED.values(), reason="the extras jxl and raw are not installed")


def checked(*samples: Sample, installed: dict[str, str | None] | None = None) -> tuple[list[Check], list[Check]]:
    """Check these samples in this process."""
    with Pool(1, one_thread) as pool:
        return known_pictures.check(Known(KNOWN.versions, samples), installed or INSTALLED, pool)


@has_all
def test_every_format_gives_its_known_thumbnail() -> None:
    """Where the libraries are those that the values were made with, to the last grey level; else nearly."""
    whole, half = checked(*KNOWN.samples)
    allowed = {Outcome.OK} if INSTALLED == KNOWN.versions else {Outcome.OK, Outcome.DIFFERS}
    assert {check.outcome for check in whole} <= allowed, whole
    assert {Outcome.OK} == {check.outcome for check in half}, half
    assert [sample.format for sample in KNOWN.samples] == [check.name for check in whole]


def test_every_format_that_is_decoded_has_a_sample() -> None:
    """But DIB, which is a BMP without its header."""
    from dupfind.pictures import formats

    names = {"JPEG2000": "JPEG 2000", "HEIF": "HEIC", "WEBP": "WebP"}
    shown = {names.get(kind, kind) for kind in formats.DECODED} - {"DIB"}
    assert shown | {"JPEG XL", "camera RAW"} <= {sample.format for sample in KNOWN.samples}


def test_another_picture_fails() -> None:
    """A decoder that gives something else: more bits of the hash than a grey level here and there can change."""
    sample = BY_NAME["plain.png"]
    far = sample._replace(thumbnail="00", hash=f"{int(sample.hash, 16) ^ 0x7F:016x}")
    near = sample._replace(thumbnail="00", hash=f"{int(sample.hash, 16) ^ 0x3F:016x}")
    (failed, differs), _ = checked(far, near)
    assert (Outcome.FAILED, "another picture: 7 of 64 bits of its hash differ") == failed[1:]
    assert (Outcome.DIFFERS, "other pixels, 6 of 64 bits of the hash") == differs[1:]


def test_bits_that_a_grey_level_may_change() -> None:
    """As what is good to search by."""
    from dupfind.evidence.fingerprint import STEADY_BITS

    assert STEADY_BITS == known_pictures.NEAR_BITS


def test_broken_pictures_fail() -> None:
    """One that cannot be decoded, one that is called damaged, and a half that passes for a whole."""
    good = BY_NAME["baseline.jpg"]
    (refused, damaged), _ = checked(
        good._replace(name="a", content=b"\xff\xd8\xff\xe0 nothing"),
        good._replace(name="b", content=good.content[:-300] + b"\xff\xd9"),
    )
    assert Outcome.FAILED is refused.outcome
    assert damaged.outcome is Outcome.FAILED
    assert "called damaged" in damaged.note
    twice = good._replace(content=good.content + bytes(len(good.content)))  # the first half is all of it
    _, (passed,) = checked(twice)
    assert (Outcome.FAILED, "half of the file passes for a whole picture") == passed[1:]


def test_a_decoder_that_dies_fails() -> None:
    """As its signal says."""
    sample = BY_NAME["plain.png"]
    seen = known_pictures._lost(known_pictures.Probe(sample, is_broken=False), Death(0.1, -11))
    assert Check("PNG", Outcome.FAILED, "the decoder's process died: its decoder crashed (SIGSEGV)") == (
        known_pictures._of_whole(sample, seen)
    )


def test_an_extra_that_is_not_there_is_no_fault() -> None:
    """A library that has to be there is."""
    samples = BY_NAME["plain.jxl"], BY_NAME["plain.heic"]
    (extra, needed), half = checked(*samples, installed={"pillow-jxl-plugin": None, "pillow-heif": None})
    assert extra.outcome is Outcome.ABSENT
    assert "dupfind[jxl]" in extra.note
    assert (Outcome.FAILED, "not installed: pillow-heif") == needed[1:]
    assert [] == half


def test_scenes_are_the_same_everywhere() -> None:
    """They are made of whole numbers alone: the sum of one of them is what it was."""
    picture = scene(SEED, *SIZE)
    assert (SIZE[1], SIZE[0], 3) == picture.shape
    assert np.array_equal(picture, scene(SEED, *SIZE))
    assert SCENE_SUM == int(picture.astype(np.int64).sum())


def answer(code: int = 1, **changes: tuple[str, str | None]) -> runs._Answer:
    """What a scan says that is right but for these."""
    return runs._Answer(code, {**runs.VERDICTS, **changes}, dict(runs.FOLDERS), "")


def test_what_is_wrong_with_an_answer() -> None:
    """The exit code, a file, a folder that must not be contained."""
    assert answer().fault is None
    assert "exit code 0, not 1" in (answer(0).fault or "")
    wrong = answer(**{"needles/new/other.png": ("present", "same")})
    assert "needles/new/other.png is present (same), not missing (none)" == wrong.fault
    contained = answer()._replace(folders={**runs.FOLDERS, "needles/new": "contained"})
    assert "needles/new is contained, not missing" == contained.fault
    assert runs.MISSING == ExitCode.NOT_ALL_PRESENT
    assert runs._NO_ANSWER == ExitCode.NO_VERDICT


def _answers(monkeypatch: pytest.MonkeyPatch, *answers: runs._Answer, output: bytes | None = None) -> None:
    """Let runs answer so, one after the other; the last one may write ``output`` in place of a report."""
    left = iter(answers)

    def scan(folder: str, *options: str, is_without_room: bool = False) -> runs._Answer:
        if output is not None and "--output" in options:
            Path(options[-1]).write_bytes(output)
        return next(left)

    monkeypatch.setattr(runs, "_scan", scan)


def test_what_a_full_disk_must_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cost the answer, go unsaid, or leave half a report."""
    warned, none = answer()._replace(said="warning: the cache"), answer(2)
    _answers(monkeypatch, warned, none)
    assert Outcome.OK is runs.check_full_disk(str(tmp_path)).outcome
    for first, second, output in (
        (answer(), none, None),
        (answer(2), none, None),
        (warned, answer(1), None),
        (warned, none, b"the repo"),
    ):
        _answers(monkeypatch, first, second, output=output)
        assert Outcome.FAILED is runs.check_full_disk(str(tmp_path)).outcome


def test_without_limits_a_full_disk_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.setattr(runs, "find_spec", lambda _: None)
    assert Outcome.NOT_TRIED is runs.check_full_disk(str(tmp_path)).outcome


def test_a_run_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and has failed; one that ends at once was not killed."""
    monkeypatch.setattr(runs, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(runs, "_command", lambda *_, **__: [sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    check = runs.check_scan(str(tmp_path))
    assert (Outcome.FAILED, "exit code 2, not 1; it did not end within 0.05 s") == check[1:]
    monkeypatch.setattr(runs, "_PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(runs, "_command", lambda *_, **__: [sys.executable, "-S", "-c", ""])
    assert Outcome.NOT_TRIED is runs.check_kill(str(tmp_path)).outcome


@pytest.mark.slow
def test_all_of_it(dupfind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real command: everything passes, the kill was one, nothing is left, and no setting of the user has a part."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "config.toml").write_text('accept = "similar"\nworkers = 1\n')
    (tmp_path / "config.toml").chmod(0o600)
    environment = {"TMPDIR": str(scratch), "DUPFIND_CONFIG": str(tmp_path / "config.toml"), "DUPFIND_QUICK": "1"}
    done = dupfind("selftest", "--format", "json", env=environment, is_started=True)
    found = json.loads(done.stdout)
    assert (0, True, "dupfind.selftest/1") == (done.returncode, found["passed"], found["schema"]), found
    assert ["ok", "ok", "ok"] == [each["outcome"] for each in found["runs"]], found["runs"]
    assert [] == list(scratch.iterdir())
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
def test_the_kill_is_one(tmp_path: Path) -> None:
    """The run is ended in its midst, where its cache is."""
    runs.make_trees(str(tmp_path))
    assert Check("a scan that is killed and begun again", Outcome.OK) == runs.check_kill(str(tmp_path))
    assert (tmp_path / "killed.sqlite").exists()
    assert b"" == (tmp_path / "killed.json").read_bytes()


def made(**changes: Any) -> SelftestResult:
    """An answer in which everything is well."""
    fine = [Check("PNG", Outcome.OK), Check("JPEG XL", Outcome.ABSENT, "not installed")]
    return SelftestResult(fine, fine[:1], [Check("a small scan", Outcome.OK)], [], 4.2)._replace(**changes)


GOLDEN = """\
Known pictures give known hashes
  PNG      ok
  JPEG XL  absent: not installed

Half of a file is refused, or called damaged
  all 1 formats  ok

Whole runs
  a small scan  ok

All 3 checks passed in 4.2 s.
"""


def test_what_is_printed() -> None:
    """And what another version means, and a failure."""
    assert GOLDEN == render(made(), Format.TABLE, Screen(), "1").decode()
    other = made(libraries=[OtherVersion("Pillow", "14.0", "13.0")])
    lines = render(other, Format.TABLE, Screen(), "1").decode().splitlines()[-3:]
    assert "Pillow is 14.0; tested with 13.0" == lines[0]
    assert "Known pictures give the tested pixels with these versions, too." == lines[1]
    near = other._replace(pictures=[Check("PNG", Outcome.DIFFERS, "other pixels")])
    assert "Pictures are found and judged as before." in render(near, Format.TABLE, Screen(), "1").decode()
    bad = other._replace(runs=[Check("a small scan", Outcome.FAILED, "exit code 0")])
    said = render(bad, Format.TABLE, Screen(), "1").decode()
    assert "  a small scan  FAILED: exit code 0\n" in said
    assert "1 check of 3 failed.\nDo not delete by what dupfind says here" in said


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """0 where all is well, 1 where something failed."""
    for outcome, code in ((Outcome.OK, 0), (Outcome.FAILED, 1)):
        found = made(runs=[Check("a small scan", outcome)])
        monkeypatch.setattr(selftest, "run_selftest", lambda *_, found=found: found)
        assert code == run(["selftest", "-q"])
    assert b"FAILED" in capsysbinary.readouterr().out


def test_the_story_names_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is installed, and says nothing of what is not."""
    versions = {**KNOWN.versions, "Pillow": "0.1", "rawpy": "0.1"}
    monkeypatch.setattr(selftest, "read_known", lambda: Known(versions, ()))
    monkeypatch.setattr(selftest, "_RUNS", ())
    monkeypatch.setattr(runs, "make_trees", lambda _: None)
    installed = [("Pillow", "13.0"), ("rawpy", None), ("numpy", KNOWN.versions["numpy"])]
    monkeypatch.setattr(libraries, "versions", lambda: installed)
    from dupfind.events import Silence
    from dupfind.settings import make_settings

    found = selftest.run_selftest(make_settings(no_cache=True, workers=1), Silence())
    assert [OtherVersion("Pillow", "13.0", "0.1")] == list(found.libraries)


@pytest.mark.parametrize(
    ("changed_bits", "code", "says"),
    [
        (0, 0, "Known pictures give the tested pixels with these versions, too."),
        (0x3F, 0, "other pixels, 6 of 64 bits of the hash"),
        (0x7F, 1, "FAILED: another picture: 7 of 64 bits of its hash differ"),
    ],
)
def test_the_command_with_another_version_of_a_decoder(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], changed_bits: int, code: int, says: str
) -> None:
    """From the decoder to the printed line: its version is named, and what became of the pixels decides."""
    sample = BY_NAME["plain.png"]
    here = known_pictures.decode_one(sample.content, sample.name)
    thumbnail, value = "00" if changed_bits else here.thumbnail, int(here.hash, 16) ^ changed_bits
    sample = sample._replace(thumbnail=thumbnail, hash=f"{value:016x}")
    known = Known({**KNOWN.versions, "Pillow": "0.1"}, (sample,))
    monkeypatch.setattr(selftest, "read_known", lambda: known)
    monkeypatch.setattr(selftest, "pool_of", lambda *_: Pool(1, one_thread))
    monkeypatch.setattr(selftest, "_RUNS", ())
    monkeypatch.setattr(runs, "make_trees", lambda _: None)
    assert code == run(["selftest", "-q"])
    said = " ".join(capsysbinary.readouterr().out.decode().split())
    assert f"Pillow is {INSTALLED['Pillow']}; tested with 0.1" in said
    assert says in said
    assert (code == 1) == ("Do not delete by what dupfind says here" in said)


def test_no_scratch_folder_is_no_answer(dupfind: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and 2."""
    from dupfind.errors import OutputError
    from dupfind.events import Silence
    from dupfind.settings import make_settings

    def refuse(_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(selftest, "read_known", lambda: Known(KNOWN.versions, ()))
    monkeypatch.setattr(runs, "make_trees", refuse)
    with pytest.raises(OutputError, match="the scratch folder for the test: no space left on device"):
        selftest.run_selftest(make_settings(no_cache=True, workers=1), Silence())


def test_the_samples_are_small() -> None:
    """They are in every wheel."""
    folder = ROOT / "dupfind" / "selftest"
    assert 200_000 > sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
