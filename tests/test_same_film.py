"""The stage of films: what equal packets prove, at what cost, and what the commands say of it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind import pipeline
from dupfind.answers.findings import Findings
from dupfind.cache import cache_upkeep
from dupfind.matching.same_film import find_same_films
from dupfind.matching.same_image_data import REASON
from dupfind.pool import film_digests
from dupfind.report import Screen, render
from dupfind.report.reasons import sentences
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.settings import make_report_settings
from dupfind.values import FileEntry, FileVerdict, Report
from tests.helpers.decisions import word
from tests.helpers.films import copy, film, original, other
from tests.helpers.scans import one_thread, scan, settings, states

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
Dupfind = Callable[..., "subprocess.CompletedProcess[bytes]"]
CODE = "same-image-data"


def verdicts(report: Report) -> dict[str, FileVerdict]:
    """By name."""
    return {os.path.basename(one.path): one for one in report.files}


def test_equal_packets_prove(tree: TreeBuilder) -> None:
    """A film of another container and with other tags is the same one, and the folder is contained."""
    report = scan(tree("hay", {"w.mp4": copy(), "x.mov": other()}), tree("needles", {"n.mov": original()}))
    found = verdicts(report)["n.mov"]
    assert ("present", "same", (REASON,), None) == (found.state, found.evidence, found.reasons, found.distance_bits)
    assert str(found.witness).endswith("hay/w.mp4")
    assert ("contained", "other", 0) == (report.folders[0].state, found.kind, report.films_by_bytes)


@pytest.mark.parametrize("witness", ["frame", "broken", "named otherwise"])
def test_what_is_not_equal_is_not_present(tree: TreeBuilder, witness: str) -> None:
    """A frame less, a witness that was cut, and a name that promises no film: what looks alike is similar at most."""
    content = {"frame": film("mov", frames=11), "broken": copy()[:-900], "named otherwise": copy()}[witness]
    haystack = tree("hay", {"w.dat" if witness == "named otherwise" else "w.mov": content})
    found = verdicts(scan(haystack, tree("needles", {"n.mov": original()})))["n.mov"]
    assert ("missing" if witness == "named otherwise" else "similar") == found.state


def test_films_are_not_read_by_who_is_in_a_hurry(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --quick films are compared by their bytes."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    watch = Watch(monkeypatch)
    assert {"n.mov": "missing"} == states(scan(haystack, needles, quick=True))
    assert not watch.whole


def test_equal_packets_are_no_equal_bytes(tree: TreeBuilder) -> None:
    """Who accepts equal bytes only is told of the film all the same, as of a picture."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    assert {"n.mov": "similar/same"} == states(scan(haystack, needles, accept="identical"))


def test_films_that_only_a_catalog_lists_are_not_read(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to read: they are compared by their bytes, and nothing has gone wrong."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    chosen = settings(haystack, needles)
    sides = [[entry for one in side for entry in one.entries] for side in pipeline.walk(Run(chosen))]

    class Listed(FileEntry):
        """As a catalog gives it."""

        can_be_read = False

    watch = Watch(monkeypatch)
    listed = [Listed(*entry) for entry in sides[0]]
    found = with_reader(Run(chosen, make_executor=one_thread), lambda run: find_same_films(listed, sides[1], run))
    assert (({}, {}), []) == (found, watch.facts)


def test_several_needles_may_have_one_witness(tree: TreeBuilder) -> None:
    """And the lowest path is the witness of each."""
    haystack = tree("hay", {"b.mp4": copy(), "a.mp4": copy("Sea")})
    needles = tree("needles", {"1.mov": original(), "2.mp4": copy("Hill")})
    assert [str(haystack / "a.mp4")] * 2 == [one.witness for one in verdicts(scan(haystack, needles)).values()]


class Watch:
    """Which files are read, for their facts and whole."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.facts: list[str] = []
        self.whole: list[str] = []
        for name, names in (("read_film_facts", self.facts), ("read_film_data", self.whole)):
            monkeypatch.setattr(film_digests, name, self._told(getattr(film_digests, name), names))

    @staticmethod
    def _told(real: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
        def read(entries: list[FileEntry], *limits: Any, **named: Any) -> Any:
            names.extend(os.path.basename(entry.path) for entry in entries)
            return real(entries, *limits, **named)

        return read


def test_only_what_may_be_equal_is_read_whole(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a library of films only the one with the same number and sizes of samples; nothing without a needle."""
    watch = Watch(monkeypatch)
    haystack = tree("hay", {"w.mp4": copy(), **{f"{seed}.mov": other(seed) for seed in (7, 8)}, "note.txt": b"x"})
    scan(haystack, tree("needles", {"n.mov": original(), "new.mov": film("mov", seed=9, frames=3)}))
    assert {"n.mov", "w.mp4"} == set(watch.whole)
    assert {"n.mov", "new.mov", "w.mp4", "7.mov", "8.mov"} == set(watch.facts)
    watch.facts.clear()
    scan(haystack, tree("others", {"copy.mp4": copy(), "words.txt": b"y"}))
    assert [] == watch.facts


def test_digests_are_remembered(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm run reads nothing; what has changed is read again, and what rotted is not believed."""
    haystack = tree("hay", {"w.mp4": copy(), "x.mov": other(), "broken.mp4": copy()[:-900], "none.avi": b"no film"})
    needles = tree("needles", {"n.mov": original()})
    for path in (*haystack.iterdir(), *needles.iterdir()):
        os.utime(path, (1e9, 1e9))
    watch = Watch(monkeypatch)
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    monkeypatch.setattr("dupfind.pipeline._recall", lambda *_: None)  # the whole answer is remembered too
    path = str(tmp_path / "cache.sqlite")
    first = states(scan(haystack, needles, cache=path))
    assert {"n.mov": "present/same"} == first
    assert {"n.mov", "w.mp4", "broken.mp4"} == set(watch.whole)  # what is cut behind its header looks like a whole one
    watch.whole.clear()
    watch.facts.clear()
    assert first == states(scan(haystack, needles, cache=path))
    assert ([], []) == (watch.whole, watch.facts)
    cache_upkeep.prune(path, with_absent_folders=False)
    assert first == states(scan(haystack, needles, cache=path))
    assert ([], []) == (watch.whole, watch.facts)
    os.utime(needles / "n.mov", (1.1e9, 1.1e9))
    assert first == states(scan(haystack, needles, cache=path))
    assert (["n.mov"], ["n.mov"]) == (watch.whole, watch.facts)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE image_data SET digest = (SELECT digest FROM image_data WHERE name = ?)", (b"x.mov",))
    watch.whole.clear()
    assert first == states(scan(haystack, needles, cache=path))
    assert {"n.mov", "w.mp4"} <= set(watch.whole)


def test_another_pyav_reads_again(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions of PyAV and FFmpeg are a part of what is remembered."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    for path in (*haystack.iterdir(), *needles.iterdir()):
        os.utime(path, (1e9, 1e9))
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    monkeypatch.setattr("dupfind.pipeline._recall", lambda *_: None)
    path = str(tmp_path / "cache.sqlite")
    scan(haystack, needles, cache=path)
    watch = Watch(monkeypatch)
    monkeypatch.setattr("dupfind.libraries.film_libraries", lambda: "PyAV 99")
    scan(haystack, needles, cache=path)
    assert {"n.mov", "w.mp4"} == set(watch.whole)


def test_paranoid_reads_again(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files, past the cache; a claim whose files have changed in between falls."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    assert {"n.mov": "present/same"} == states(scan(haystack, needles, paranoid=True))
    real = film_digests.read_film_data

    def read_film_data(entries: list[FileEntry], *limits: Any, **named: Any) -> list[Any]:
        outcomes = real(entries, *limits, **named)
        is_first = len(limits) < 2
        return outcomes if is_first else [outcomes[0], outcomes[1]._replace(result=outcomes[1].result[:32] + bytes(32))]

    monkeypatch.setattr(film_digests, "read_film_data", read_film_data)
    found = verdicts(scan(haystack, needles, paranoid=True))["n.mov"]
    assert "missing" == found.state
    assert "read again, it and its witness have other image data" == sentences(found.reasons)


@pytest.mark.parametrize("is_split", [False, True])
def test_a_person_has_the_last_word(tree: TreeBuilder, *, is_split: bool) -> None:
    """A file that a person has split from a needle proves nothing of it."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    chosen = settings(haystack, needles)
    split = {str(needles / "n.mov"): frozenset({str(haystack / "w.mp4")})} if is_split else {}
    trees = [[entry for one in side for entry in one.entries] for side in pipeline.walk(Run(chosen))]

    def find(run: Reading) -> Findings:
        return pipeline.find_matches(*trees, run, split)[0]

    matches = with_reader(Run(chosen, make_executor=one_thread), find).matches
    assert ([] if is_split else [REASON]) == [match.reason for match in matches.values()]


def test_films_that_a_person_has_split_are_told_of(tree: TreeBuilder) -> None:
    """The report counts the word, and names it; what no scan had proved has lost nothing by it."""
    haystack, needles = tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()})
    pair = needles / "n.mov", haystack / "w.mp4"
    for evidence, is_told in (("same", True), (None, False)):
        said = [word("different", *pair, evidence)]
        report = pipeline.scan_trees(settings(haystack, needles), None, one_thread, said).report
        found = verdicts(report)["n.mov"]
        assert ("missing", None) == (found.state, found.witness)
        assert ("you have said that it differs from" in str(sentences(found.reasons))) is is_told
        table = render(report, make_report_settings(), Screen()).decode()
        assert ("On your word: 1 different" in table) is is_told


def test_a_film_that_crashes_its_reader_is_named(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read in a process of its own, and is missing; the others have their answer."""
    from dupfind.errors import UndecodableError
    from dupfind.pictures import film_data

    real = film_data.read_digest

    def read_digest(file: Any) -> bytes | None:
        file.seek(8)
        if file.read(4) == b"qt  ":
            raise UndecodableError("it broke", lasting=False)
        return real(file)

    monkeypatch.setattr(film_data, "read_digest", read_digest)
    report = scan(tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()}))
    assert {"n.mov": "missing"} == states(report)
    assert [("film data", "it broke")] == [(problem.stage, problem.reason) for problem in report.problems]
    assert "it broke" == sentences(report.files[0].reasons)


@pytest.mark.parametrize(("error", "lasting"), [(OSError(5, "a disk that fails"), False), (KeyError("x"), True)])
def test_whatever_goes_wrong_is_told_of(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, error: Exception, *, lasting: bool
) -> None:
    """Nothing that is raised while a film is read ends the run; what may go better next time is not remembered."""
    from dupfind.pictures import film_data

    def read_digest(_: Any) -> bytes | None:
        raise error

    monkeypatch.setattr(film_data, "read_digest", read_digest)
    report = scan(tree("hay", {"w.mp4": copy()}), tree("needles", {"n.mov": original()}))
    assert {"n.mov": "similar/similar" if lasting else "missing"} == states(report)
    assert lasting == (not report.problems)


def test_a_film_may_take_longer_the_longer_it_is() -> None:
    """The limit of a picture is for a picture: 60 GiB of film take more than a minute."""
    short, long = (FileEntry("film.mov", size, 0, 0, 0) for size in (1 << 10, 60 << 30))
    assert film_digests.seconds_for(short, 60) < 61
    assert film_digests.seconds_for(long, 60) > 60_000


@pytest.mark.slow
def test_compare_and_explain_say_it(tree: TreeBuilder, dupfind: Dupfind) -> None:
    """What a scan says, with the reason, in words and as a code."""
    haystack = tree("hay", {"w.mp4": copy()})
    needles = tree("needles", {"n.mov": original(), "m.mov": other()})
    one, witness, missing = str(needles / "n.mov"), str(haystack / "w.mp4"), str(needles / "m.mov")
    assert b"each proves the other: the image data are the same" in dupfind("compare", one, witness).stdout
    compared = json.loads(dupfind("compare", "--format", "json", one, witness).stdout)["pairs"][0]
    assert ("same", CODE, True) == (compared["evidence"], compared["reason_code"], compared["accepted"])
    seen = dupfind("compare", one, witness)
    assert b"not a picture" not in seen.stdout + seen.stderr
    assert 1 == dupfind("compare", one, missing).returncode
    found = dupfind("find", "--haystack", str(haystack), one)
    assert 0 == found.returncode
    assert b"seen" in found.stdout
    assert b"- the image data are the same" in found.stdout
    lost = dupfind("find", "--haystack", str(haystack), missing)
    assert 1 == lost.returncode
    assert b"no other film or sound has its bytes or its packets" in lost.stdout
    for told in (found, lost):
        assert b"a picture" not in told.stderr
    command = "explain", "--haystack", str(haystack), one, missing
    assert b"the image data are the same, whatever the metadata say" in dupfind(*command).stdout
    assert b"no film or sound has the same bytes, or the same packets" in dupfind(*command).stdout
    assert b"or the same packets" not in dupfind(*command, "--quick").stdout
    explained = json.loads(dupfind(*command, "--format", "json").stdout)["needles"]
    assert [("present", CODE), ("missing", None)] == [(one["verdict"], one["reason_code"]) for one in explained]
    roots = "--haystack", str(haystack), "--needles", str(needles)
    scanned = json.loads(dupfind("scan", *roots, "--format", "json").stdout)
    assert 0 == scanned["summary"]["films_by_bytes"]
    assert {"present", "missing"} == {file["verdict"] for file in scanned["files"]}
