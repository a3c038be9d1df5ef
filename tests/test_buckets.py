"""Buckets on both sides: the answer is that of folders, and whatever a server does, nothing is contained wrongly."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("moto.server", reason="moto (the group dev) is not installed")
pytest.importorskip("botocore", reason="the extra s3 is not installed")

from dupfind import pipeline
from dupfind.archives import members as archive_members
from dupfind.buckets import s3 as s3_store
from dupfind.buckets import stores
from dupfind.buckets.objects import ObjectEntry, Place
from dupfind.buckets.store import State
from dupfind.buckets.traffic import Counts
from dupfind.errors import ServerError, SettingsError
from dupfind.report import Screen, render
from dupfind.settings import Format, Settings, make_report_settings, make_settings
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import ChangedError
from dupfind.sources.mounts import Mount, Mounts
from dupfind.values import Report
from faults.common import processes_of_session
from tests.helpers import photo_sides
from tests.helpers.archives import tarred, zipped
from tests.helpers.photo_sides import DISK, HAY, build
from tests.helpers.s3 import (
    KEY,
    S3,
    SECRET,
    TOKEN,
    dripping,
    edited,
    endless,
    is_get,
    is_list,
    refused,
    with_headers,
)
from tests.helpers.scans import one_thread

WHOLE = make_report_settings(everything=True)


NEEDLES = photo_sides.NEEDLES | {"part/broken.jpg": HAY["c.jpg"][:300]}
CONTAINED = {"all/notes.txt": b"words"}


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    """One server for all tests of this file."""
    with S3() as server:
        yield server


@pytest.fixture
def s3(server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A server with both sides in buckets; nobody waits between requests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("dupfind.buckets.store.PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("dupfind.run.read_mounts", lambda: DISK)  # whatever tests run on, a container's layers as well
    server.clear()
    server.put("hay", HAY)
    server.put("needles", NEEDLES)
    yield server
    for place in list(stores._stores):
        stores.forget_store(*place[1:])


def settings(haystack: str = "s3://hay", needles: str = "s3://needles", **options: Any) -> Settings:
    """Settings of a scan of these."""
    options = {"no_cache": True, "workers": 1, **options}
    return make_settings(haystack=[haystack], needles=[needles], may_be_servers=True, **options)


def scan(*sides: str, **options: Any) -> Report:
    """Scan in this process."""
    return pipeline.scan(settings(*sides, **options), make_executor=one_thread)


def states(report: Report) -> dict[str, str]:
    """The verdict on each file, by its path below its root."""
    return {re.sub(r"^s3://\w+/|^.*/needles/", "", file.path): file.state.value for file in report.files}


def folders(report: Report) -> dict[str, str]:
    """The verdict on each folder, by its last name."""
    return {folder.path.rpartition("/")[2]: folder.state.value for folder in report.folders}


def problems(report: Report) -> set[tuple[str, str]]:
    """What went wrong, by the last name."""
    return {(problem.path.rpartition("/")[2], problem.reason) for problem in report.problems}


def in_words(report: Report) -> dict[str, Any]:
    """The report but for times, the settings and what went over the network."""
    chosen = make_report_settings(format_=Format.JSON, everything=True)
    told: dict[str, Any] = json.loads(render(report, chosen, Screen(80, is_terminal=False)))
    return {name: told[name] for name in ("summary", "folders", "files", "problems")}


def test_the_report_is_that_of_folders(s3: S3, tmp_path: Path) -> None:
    """To the word but for the names of the roots, whichever side is a bucket; what went over the network is told."""
    hay, needles = str(build(tmp_path / "hay", HAY)), str(build(tmp_path / "needles", NEEDLES))
    expected = json.dumps(in_words(scan(hay, needles))).replace(f"{tmp_path}/", "s3://")
    for sides in (("s3://hay", "s3://needles"), (hay, "s3://needles"), ("s3://hay", needles)):
        report = scan(*sides)
        assert expected == json.dumps(in_words(report)).replace(f"{tmp_path}/", "s3://")
        assert "contained" == folders(report)["all"]
        assert len(report.buckets) == sum(side.startswith("s3:") for side in sides)
        assert all(bucket.objects and bucket.requests and bucket.bytes_read for bucket in report.buckets)


@pytest.mark.slow
def test_what_was_read_is_not_read_again(s3: S3, tmp_path: Path) -> None:
    """Neither with the memory of answers nor without; an object that was replaced is, by its tag."""
    options: dict[str, Any] = {"no_cache": False, "cache": str(tmp_path / "cache.sqlite")}
    s3.fault = old
    first = scan(**options)
    s3.asked.clear()
    assert in_words(first) == in_words(scan(**options))
    assert [] == [asked for asked in s3.asked if "list-type" not in asked and asked.startswith("GET")]
    s3.put("needles", {"part/other.txt": b"words"})
    s3.asked.clear()
    assert "present" == states(scan(**options))["part/other.txt"]
    assert ["GET /needles/part/other.txt"] == [
        asked for asked in s3.asked if asked.startswith("GET") and "list-type" not in asked
    ]


def old(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
    """Give everything a time long ago: what was stored just now is not remembered."""
    if is_list(environ):
        when = b"<LastModified>2020-02-02T02:02:02.000Z</LastModified>"
        return edited(environ, server, start, lambda body: re.sub(rb"<LastModified>[^<]*</LastModified>", when, body))
    return with_headers(environ, server, start, Last_Modified="Sun, 02 Feb 2020 02:02:02 GMT")


def test_an_object_that_changes_after_the_listing(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not what was listed: named, and no proof of anything."""
    s3.put("needles", CONTAINED)
    real = pipeline.find_matches

    def change_and_find(*values: Any, **options: Any) -> Any:
        s3.put("hay", {"2007/notes.txt": b"sdrow"})
        return real(*values, **options)

    monkeypatch.setattr(pipeline, "find_matches", change_and_find)
    report = scan()
    assert "missing" == states(report)["all/notes.txt"]
    assert ("notes.txt", "changed while it was read") in problems(report)
    assert "contained" not in folders(report).values()


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("change", ["deleted", "replaced", "needle", "came"])
def test_the_final_check(s3: S3, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """What is not any more what was listed is neither present nor a proof; what came is told of."""
    real = pipeline.find_matches

    def find_and_change(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        s3.asked.clear()
        match change:
            case "deleted":
                s3.delete("hay", "2007/notes.txt")
            case "replaced":
                s3.put("hay", {"2007/notes.txt": b"sdrow"})
            case "needle":
                s3.put("needles", {"all/notes.txt": b"sdrow"})
            case _:
                s3.put("needles", {"all/late.txt": b"late"})
        return findings

    monkeypatch.setattr(pipeline, "find_matches", find_and_change)
    report = scan()
    assert "partial" == folders(report)["all"]
    assert ("missing" if change != "came" else "present") == states(report)["all/notes.txt"]
    assert "HEAD /hay/2007/notes.txt" in s3.asked


def test_an_equal_tag_is_no_proof(s3: S3) -> None:
    """Nor with an equal size and an equal time: only bytes that were read are."""

    def lie(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes]:
        if is_list(environ):
            tag = b"<ETag>&quot;same&quot;</ETag>"
            return edited(environ, server, start, lambda body: re.sub(rb"<ETag>.*?</ETag>", tag, body, flags=re.DOTALL))
        environ.pop("HTTP_IF_MATCH", None)
        return with_headers(environ, server, start, ETag='"same"')

    s3.fault = lie
    found = states(scan())
    assert ("present", "missing") == (found["all/notes.txt"], found["part/other.txt"])


def test_nothing_proves_itself(s3: S3) -> None:
    """A bucket on both sides is refused, and what lies in both of two roots is left out of the outer one."""
    with pytest.raises(SettingsError, match="are the same folder"):
        settings("s3://hay/", "s3://hay")
    s3.put("hay", {"old/notes.txt": b"words", "old/alone.txt": b"alone"})
    report = scan("s3://hay", "s3://hay/old")
    assert {"notes.txt": "present", "alone.txt": "missing"} == {
        path.rpartition("/")[2]: state for path, state in states(report).items()
    }
    report = scan("s3://hay/2007", "s3://hay")
    assert "contained" not in folders(report).values()
    assert "left out: it is a root of its own" in {problem.reason for problem in report.problems if problem.is_gap}


def test_one_bucket_of_two_names_proves_nothing(s3: S3) -> None:
    """Garage gives a bucket as many names as one likes; the copy in another bucket is one."""

    def named_twice(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
        for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
            environ[name] = environ.get(name, "").replace("/alias", "/needles", 1)
        return None

    s3.fault = named_twice
    assert {"present"}.isdisjoint(states(scan("s3://alias", "s3://needles")).values())
    assert "present" == states(scan("s3://hay", "s3://needles"))["all/notes.txt"]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://[::1]:9000", True),
        ("http://photos.home:9000", True),
        ("http://key:word@photos.home:9000/s3", True),
        ("http://nas.home:9000", False),
        ("http://gone.home", False),
    ],
)
def test_this_machine_by_any_name(monkeypatch: pytest.MonkeyPatch, s3: S3, endpoint: str, expected: bool) -> None:
    """Its server may show its own disk, whatever the table of hosts calls it."""
    table = {"photos.home": "127.0.0.1", "nas.home": "192.0.2.7"}

    def looked_up(host: str, *_: Any) -> list[Any]:
        if host not in table:
            raise OSError("no such name")
        return [(0, 0, 0, "", (table[host], 0))]

    monkeypatch.setattr("socket.getaddrinfo", looked_up)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert expected == stores.store_of(Address("s3", "hay", None, None, ""), "").is_here


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("kind", ["fuse.rclone", "nfs4"])
@pytest.mark.parametrize("turned", [False, True])
def test_what_a_mount_shows_may_be_the_bucket(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, turned: bool
) -> None:
    """The only copy, met as a file and as an object, is not taken for two; on a person's word it is."""
    here = build(tmp_path / "here", CONTAINED)
    shown = Mounts((*DISK.lines, Mount(2, "/", str(tmp_path), kind, "bucket")))
    monkeypatch.setattr("dupfind.run.read_mounts", lambda: shown)
    s3.put("only", CONTAINED)
    sides = (str(here), "s3://only") if turned else ("s3://only", str(here))
    assert {"missing"} == set(states(scan(*sides)).values())
    report = scan(*sides, elsewhere=["s3://only"])
    assert {"present"} == set(states(report).values())
    assert [True] == [bucket.is_elsewhere for bucket in report.buckets]
    assert (
        "By your word it holds no file of the other side"
        in render(report, WHOLE, Screen(80, is_terminal=False)).decode()
    )


@pytest.mark.parametrize("turned", [False, True])
def test_what_a_server_of_this_machine_shows_may_be_on_its_disk(s3: S3, tmp_path: Path, turned: bool) -> None:
    """Where the times are equal, the object may be that very file."""
    here = build(tmp_path / "here", CONTAINED)
    s3.put("only", CONTAINED)
    s3.fault = old
    sides = (str(here), "s3://only") if turned else ("s3://only", str(here))
    assert {"present"} == set(states(scan(*sides)).values())
    when = 1580608922  # as the server has it
    os.utime(here / "all/notes.txt", (when, when))
    assert {"missing"} == set(states(scan(*sides)).values())


_NAMELESS = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Size>5</Size></Contents></ListBucketResult>"""


class TestListing:
    """A listing is whole, or there is no answer."""

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            (lambda body: body.replace(b">false<", b">true<"), "there is more, and not how to get it"),
            (lambda body: re.sub(rb"<KeyCount>\d+", b"<KeyCount>9", body), "not as many names as it says"),
            (lambda body: body.replace(b"<Key>all/", b"<Key>elsewhere/"), "it lists what was not asked for"),
            (
                lambda body: re.sub(rb"(<Contents>.*?</Contents>)", rb"\1\1", body, count=1, flags=re.DOTALL).replace(
                    b"<KeyCount>3", b"<KeyCount>4"
                ),
                "it lists copy of a.jpg twice",
            ),
            (lambda body: re.sub(rb"<Size>\d+", b"<Size>1" + b"0" * 30, body), "it lists what was not asked for"),
            pytest.param(lambda body: body[: len(body) // 2], "the server answers 500", marks=pytest.mark.slow),
            pytest.param(lambda _: b"hello", "the server answers 500", marks=pytest.mark.slow),  # as botocore has it
        ],
        ids=["no token", "count", "prefix", "twice", "too large", "cut", "no XML"],
    )
    def test_what_is_not_whole(self, s3: S3, fault: Callable[[bytes], bytes], reason: str) -> None:
        """It ends the run, with one line that names the bucket."""
        s3.fault = lambda environ, server, start: (
            edited(environ, server, start, fault) if "prefix=all" in environ["QUERY_STRING"] else None
        )
        with pytest.raises(ServerError, match=f"s3://needles/all.*{reason}"):
            scan(needles="s3://needles/all")

    def test_a_page_that_comes_again_and_again(self, s3: S3) -> None:
        """Its token was given before; a name that was given before is seen as well."""

        def again(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
            token = b"<NextContinuationToken>1</NextContinuationToken><Name>"
            environ["QUERY_STRING"] = re.sub("continuation-token=[^&]*&?", "", environ["QUERY_STRING"])
            return edited(
                environ, server, start, lambda body: body.replace(b">false<", b">true<").replace(b"<Name>", token)
            )

        s3.fault = again
        with pytest.raises(ServerError, match=r"s3://needles.*not whole"):
            scan()

    @pytest.mark.mostly_slow(fast=1)
    @pytest.mark.parametrize("limit", ["MOST_LISTED", "MOST_LISTING_SECONDS"])
    def test_a_listing_without_an_end(
        self, s3: S3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: str
    ) -> None:
        """Always a new token, always new names: there is a limit, one line that tells of it, and no verdict."""
        from dupfind.cli.main import run as command

        pages = itertools.count(1)

        def go_on(environ: dict[str, Any], _: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
            if not is_list(environ) or "/needles" not in environ["PATH_INFO"] or len(s3.asked) > 500:
                return None
            body = _NAMELESS.replace(b"false", b"true").replace(b"<KeyCount>1</KeyCount>", b"")
            body = body.replace(b"<Size>", b"<Key>%09d</Key><Size>" % (number := next(pages)))
            body = body.replace(b"<Contents>", b"<NextContinuationToken>%d</NextContinuationToken><Contents>" % number)
            start("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]

        s3.fault = go_on
        monkeypatch.setattr(f"dupfind.buckets.store.{limit}", 20 if limit == "MOST_LISTED" else 0.05)
        assert 2 == command(["scan", "--haystack", "s3://hay", "--needles", "s3://needles", "--no-cache"])
        (line,) = capsys.readouterr().err.splitlines()
        why = "it has more than 20 objects and folders" if limit == "MOST_LISTED" else "that takes more than .* hours"
        assert re.fullmatch(
            f"dupfind: s3://needles cannot be listed: {why}, or has no end: name folders of it instead", line
        )
        assert next(pages) > (20 if limit == "MOST_LISTED" else 1)

    @pytest.mark.mostly_slow(fast=2)
    @pytest.mark.parametrize("what", ["list", "denied list", "slow list", "denied object", "look"])
    def test_an_answer_without_an_end(self, s3: S3, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
        """Of what is no content of an object, so much is read and no more, whatever the server says first."""
        if what == "slow list":
            monkeypatch.setattr("dupfind.buckets.store.ANSWER_SECONDS", 0.2)
        else:
            monkeypatch.setattr("dupfind.buckets.store.MOST_ANSWER_BYTES", 1 << 20)

        def go_on(environ: dict[str, Any], _: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
            is_meant = is_list(environ) if what.endswith("list") else "/hay/2007/notes" in environ["PATH_INFO"]
            if not is_meant or (environ["REQUEST_METHOD"] == "HEAD") is not (what == "look"):
                return None
            start("403 Forbidden" if "denied" in what else "200 OK", [("Content-Type", "application/xml")])
            return itertools.islice(dripping() if "slow" in what else endless(), 200)

        s3.fault = go_on
        if what.endswith("list"):
            with pytest.raises(ServerError, match="cannot be listed: an answer that is too long, or takes too long"):
                scan()
            return
        report = scan(needles="s3://needles/all")
        assert "missing" == states(report)["all/notes.txt"]
        reason = (
            "an answer that is too long, or takes too long" if what == "denied object" else "does not tell its size"
        )
        assert any(reason in problem.reason for problem in report.problems)

    @pytest.mark.slow
    def test_an_end_that_comes_too_early(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever says that this was all is asked once more for what comes after the last name."""
        monkeypatch.setattr(s3_store, "_PAGE", 2)
        s3.fault = lambda environ, server, start: (
            edited(environ, server, start, lambda body: body.replace(b">true<", b">false<"))
            if is_list(environ)
            else None
        )
        report = scan()
        assert len(NEEDLES) == len(report.files)
        assert len(HAY) == report.haystack.files

    @pytest.mark.slow
    def test_a_page_without_a_name(self, s3: S3) -> None:
        """Also where it is the one that is asked for once more."""
        s3.fault = lambda environ, server, start: (
            edited(environ, server, start, lambda _: _NAMELESS) if "start-after" in environ["QUERY_STRING"] else None
        )
        with pytest.raises(ServerError, match="it lists what was not asked for"):
            scan()

    @pytest.mark.slow
    def test_pages(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each is asked for once."""
        monkeypatch.setattr(s3_store, "_PAGE", 2)
        assert len(NEEDLES) == len(scan().files)
        assert 2 * (3 + 1) == sum("needles" in asked and "list-type" in asked for asked in s3.asked)

    @pytest.mark.parametrize("side", ["haystack", "needles"])
    def test_a_folder_that_is_not_there(self, s3: S3, side: str) -> None:
        """As on disk: a name that was mistyped is no empty folder, all of which is there; one with a marker is."""
        sides = {"haystack": "s3://hay", "needles": "s3://needles", side: "s3://needles/nope"}
        with pytest.raises(ServerError, match="s3://needles/nope cannot be listed: there is no such folder"):
            scan(sides["haystack"], sides["needles"])
        s3.put("needles", {"nope/": b""})
        assert side == "haystack" or not scan(sides["haystack"], sides["needles"]).files

    def test_refused(self, s3: S3) -> None:
        """A bucket that is not there or denied ends the run; no word of the server is passed on."""
        with pytest.raises(ServerError, match=r"^s3://nobody cannot be listed: there is no such bucket$"):
            scan("s3://nobody")
        s3.fault = lambda _, __, start: refused(start, "403 Forbidden", "AccessDenied", f"not {KEY} {SECRET}")
        with pytest.raises(ServerError, match=r"^s3://needles cannot be listed: access denied$"):
            scan()

    def test_names_that_are_no_paths(self, s3: S3) -> None:
        """They are told of, and no folder around them is contained; markers of folders are nothing."""
        names = "a/notes.txt", "b/notes.txt", "b/x//y", "c/x", "c/x/notes.txt", "d/", "d/notes.txt"
        s3.put("odd", {"a/": b"", **dict.fromkeys(names, b"words")})
        report = scan(needles="s3://odd")
        assert {"odd": "partial", "a": "contained", **dict.fromkeys("bcdx", "partial")} == folders(report)
        assert {"a/notes.txt", "b/notes.txt", "c/x/notes.txt", "d/notes.txt"} == set(states(report))

    @pytest.mark.slow
    def test_what_a_walk_leaves_out(self, s3: S3) -> None:
        """Junk on both sides, the trash of a haystack, what is excluded; junk by its content is looked into."""
        apple_double = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(60)
        s3.put("odd", {"a/._b.jpg": apple_double, "a/._note": b"note", "a/notes.txt": b"words"})
        report = scan(needles="s3://odd")
        assert {"a/notes.txt": "present", "a/._note": "missing"} == states(report)
        s3.put("trash", {".Trash-1000/files/notes.txt": b"words"})
        assert "missing" == states(scan("s3://trash", "s3://odd"))["a/notes.txt"]
        report = scan(needles="s3://needles/all", exclude=["notes.txt"])
        assert ("notes.txt", "excluded by --exclude notes.txt") in problems(report)
        assert "partial" == folders(report)["all"]


STATE = State(5, 0, "")


@pytest.fixture
def entry(s3: S3) -> ObjectEntry:
    """An object of 300,000 bytes, as it is listed."""
    s3.put("hay", {"large": bytes(range(250)) * 1200})
    counts = Counts()
    place = Place(Address("s3", "hay", None, None, ""), counts.folder)
    (listed,) = (item for item in place.store().list() if item.key == "large")
    assert isinstance(listed.state, State)
    entry = ObjectEntry.of("s3://hay/large", "large", listed.state, place)
    entry.counts = counts  # type: ignore[attr-defined]
    return entry


class TestReading:
    """Every byte is of the state that was listed, or there is none."""

    def test_ranges(self, s3: S3, entry: ObjectEntry) -> None:
        """What a preview needs is asked for, and more only as somebody reads on; all is counted."""
        content = bytes(range(250)) * 1200
        with entry.open() as file:
            assert content[:16] == file.read(16)
            assert content[:16_000] == content[:16] + file.read(15_984)
            assert 1 << 15 == entry.counts.total().bytes_read  # type: ignore[attr-defined]
            file.seek(-10, os.SEEK_END)
            assert content[-10:] == file.read()
            file.seek(1000)
            assert content[1000:] == file.read()
        assert content == b"".join(entry.blocks())
        assert len(s3.asked) == entry.counts.total().requests  # type: ignore[attr-defined]

    @pytest.mark.parametrize("part", ["ETag", "Last_Modified", "Content_Range"])
    def test_a_server_that_does_not_heed_conditions(self, s3: S3, entry: ObjectEntry, part: str) -> None:
        """Its answer is looked at: another tag, another time, another size are another state."""
        told = {"ETag": '"other"', "Last_Modified": "Sun, 02 Feb 2020 02:02:02 GMT",
                "Content_Range": "bytes 0-299999/300001"}  # fmt: skip
        s3.fault = lambda environ, server, start: with_headers(environ, server, start, **{part: told[part]})
        with pytest.raises(ChangedError):
            list(entry.blocks())

    def test_another_state(self, s3: S3, entry: ObjectEntry) -> None:
        """A condition that does not hold, or a range that is not there any more."""
        s3.put("hay", {"large": b"other"})
        with pytest.raises(ChangedError), entry.open() as file:
            file.read(1)
        assert entry != entry.now()
        s3.fault = lambda environ, server, start: with_headers(environ, server, start, Content_Length=None)
        with pytest.raises(OSError, match="does not tell its size"):
            entry.now()
        s3.fault = None
        s3.delete("hay", "large")
        assert entry.now() is None
        with pytest.raises(FileNotFoundError), entry.open() as file:
            file.read(1)

    def test_no_parts(self, s3: S3, entry: ObjectEntry) -> None:
        """From a server that always gives the whole, what comes before the range is passed over."""

        def whole(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes]:
            environ.pop("HTTP_RANGE", None)
            return server.real(environ, start)

        s3.fault = whole
        with entry.open() as file:
            file.seek(299_990)
            assert bytes(range(240, 250)) == file.read()

    def test_another_part(self, s3: S3, entry: ObjectEntry) -> None:
        """It is not taken for the one that was asked for."""

        def other(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes]:
            environ["HTTP_RANGE"] = "bytes=1-299999"
            return server.real(environ, start)

        s3.fault = other
        with pytest.raises(OSError, match="another part"):
            list(entry.blocks())

    def test_endless(self, s3: S3, entry: ObjectEntry) -> None:
        """Not a byte beyond the listed size is taken."""

        def without_end(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes]:
            with_headers(environ, server, start, Content_Length=None)
            return endless()

        s3.fault = without_end
        assert entry.size_bytes == len(b"".join(entry.blocks()))

    @pytest.mark.parametrize("times", [3, 99])
    def test_connections_that_break(self, s3: S3, entry: ObjectEntry, times: int) -> None:
        """What is there is kept, and the rest asked for again; five times in vain, and it cannot be read."""
        left = [times]

        def cut(environ: dict[str, Any], server: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
            if not left[0]:
                return None
            left[0] -= 1
            body = b"".join(server.real(environ, start))
            return [body[: 1000 if times == 3 else 0]]  # werkzeug ends the connection before the length it promised

        s3.fault = cut
        s3.asked.clear()
        if times == 3:
            assert bytes(range(250)) * 1200 == b"".join(entry.blocks())
        else:
            with pytest.raises(OSError, match=r"ended before its end|broke off"):
                list(entry.blocks())
        assert len(s3.asked) <= 5

    @pytest.mark.slow
    def test_denied(self, s3: S3) -> None:
        """One object fails, with one line; the others are judged."""
        s3.fault = lambda environ, _, start: (
            refused(start, "403 Forbidden", "AccessDenied", f"not {KEY}") if is_get(environ, "all/notes.txt") else None
        )
        report = scan()
        assert "missing" == states(report)["all/notes.txt"]
        assert "present" == states(report)["all/copy of a.jpg"]
        assert ("notes.txt", "cannot be read: access denied") in problems(report)
        assert "partial" == folders(report)["all"]

    @pytest.mark.slow
    def test_a_last_look_that_is_denied(self, s3: S3) -> None:
        """Whoever may not be asked whether the witness is there does not say that it is."""
        s3.fault = lambda environ, _, start: (
            refused(start, "403 Forbidden", "AccessDenied") if environ["REQUEST_METHOD"] == "HEAD" else None
        )
        assert {"missing", "unreadable"} == set(states(scan()).values())


def _refused(*command: str) -> str:
    with pytest.raises(SettingsError) as error:
        settings(*command)
    return str(error.value)


def test_where_a_password_goes() -> None:
    """It is said what is wrong with such an address."""
    said = _refused("s3://hay", "https://me:s3cret@nas/x")
    assert "an address holds no password, no ?, no # and, but with sftp, no user; docs/buckets.md says" in said


@pytest.mark.parametrize("given", ["ftp://nas/x", "s3:/photos", "smb://nas/x", "webdav://nas/x"])
def test_what_is_nearly_an_address(given: str) -> None:
    """It is told which ones there are; a file with a colon in its name is no address."""
    how = "; an address begins with s3://, sftp://, https:// or immich://"
    assert f"--needles {given}: no such file or directory{how}" == _refused("s3://hay", given)
    assert "--needles old: disk/x: no such file or directory" == _refused("s3://hay", "old: disk/x")


def test_an_empty_bucket_is_told_of(s3: S3, capsys: pytest.CaptureFixture[str]) -> None:
    """No drive has to be mounted."""
    from dupfind.cli.main import run as command

    s3.put("bare", {"x": b"", "y/": b""})
    s3.delete("bare", "x")
    command(["scan", "--haystack", "s3://bare", "--needles", "s3://needles", "--no-cache"])
    assert "there are no files in the haystack; is its name right?" in capsys.readouterr().err


def test_addresses_that_are_none() -> None:
    """One line each, that holds no password."""
    for given in (
        "s3://",
        "s3://UPPER",
        "s3://bucket-alias-s3alias",
        "s3://bucket/a/../b",
        "s3://bucket//b",
        "s3://user:s3cret@bucket/x",
        "s3://bucket/x?s3cret",
        "https://nas/x#s3cret",
        "https://me:s3cret@nas/x",
        "sftp://me:s3cret@nas/x",
        "sftp:///x",
        "sftp://nas:s3cret/x",
    ):
        said = _refused("s3://hay", given)
        assert "s3cret" not in said
        assert "\n" not in said


@pytest.mark.slow
def test_no_secret_is_told(s3: S3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in a report, a page or an error nor in what a worker is sent, whatever the server says."""
    from dupfind.cli.main import run as command

    secrets = re.compile("|".join(map(re.escape, (KEY, SECRET, TOKEN))))
    command(["scan", "--haystack", "s3://hay", "--needles", "s3://needles", "--format", "json", "--no-cache", "-v"])
    s3.fault = lambda _, __, start: refused(start, "400 Bad Request", f"Code {KEY}", f"{SECRET} {TOKEN}")
    command(["scan", "--haystack", "s3://hay", "--needles", "s3://needles", "--no-cache", "-v"])
    told = capsys.readouterr()
    assert "s3://hay" in told.out
    assert "cannot be listed" in told.err
    assert not secrets.search(told.out + told.err)


@pytest.mark.slow
def test_what_the_environment_has_wrong(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, in words of our own; and without any key requests are not signed."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ServerError, match=r"^s3://needles: there is no such profile of AWS$"):
        scan()
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    asked: list[dict[str, Any]] = []

    def watch(environ: dict[str, Any], *_: Any) -> None:
        asked.append(environ)

    s3.fault = watch
    scan()
    assert asked
    assert not any("HTTP_AUTHORIZATION" in environ for environ in asked)


@pytest.mark.parametrize("given", ["127.0.0.1:9000", "nas", "http:/nas"])
def test_an_endpoint_that_is_none(s3: S3, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """It is said which variable that is, and not what it holds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", given)
    with pytest.raises(ServerError) as error:
        scan()
    assert (
        "s3://needles: AWS_ENDPOINT_URL (or endpoint_url in ~/.aws/config) is no address: "
        "write http://HOST:PORT or https://HOST"
    ) == str(error.value)


def test_without_the_extra(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    monkeypatch.setitem(__import__("sys").modules, "dupfind.buckets.s3", None)
    with pytest.raises(SettingsError, match=r"is read with the extra s3: pip install 'dupfind\[s3\]'"):
        scan()


@pytest.mark.parametrize(
    "command",
    ["import --to /tmp/x --dry-run", "clean --trash", "review", "find x.jpg", "explain x.jpg", "groups", "index"],
)
def test_other_commands_refuse(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clearly, with exit code 2, and without asking anybody."""
    from dupfind.cli.main import run as call

    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"x")
    name, *rest = command.split()
    sides = {
        "find": ["--haystack", "s3://hay"],
        "explain": ["--haystack", "s3://hay"],
        "groups": ["s3://hay"],
        "index": ["s3://hay", "--catalog", "x.catalog"],
    }.get(name, ["--haystack", str(tmp_path), "--needles", "s3://needles"])
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(call([name, *rest, *sides]))
    assert 2 == ended.value.code
    assert "is read by dupfind scan only" in capsys.readouterr().err


def test_what_could_not_be_told_from_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server or a catalog on the other side is refused."""
    monkeypatch.setenv("IMMICH_API_KEY", "key")
    with pytest.raises(SettingsError, match=r"immich://nas does not go with needles in a bucket"):
        settings("immich://nas", "s3://needles")


PACKED = {"x/a.jpg": HAY["2006/a.jpg"], "x/notes.txt": b"words"}


class TestArchives:
    """Archives among the needles in a bucket are looked into, as on disk; those of the haystack are files."""

    @pytest.mark.slow
    def test_the_report_is_that_of_folders(self, s3: S3, tmp_path: Path) -> None:
        """Packed or stored, ZIP or compressed TAR, one that is damaged, one with something that is nowhere else."""
        packed = {
            "all.zip": zipped(PACKED, zipfile.ZIP_DEFLATED),
            "stored.zip": zipped(PACKED),
            "part.zip": zipped({**PACKED, "new.txt": b"a new text"}),
            "again.zip": zipped({"old/saved again.jpg": NEEDLES["all/saved again.jpg"]}),
            "cut.zip": zipped(PACKED)[:-40],
            "all.tar.gz": tarred(PACKED, "gz"),
        }
        s3.put("packed", packed)
        here = str(build(tmp_path / "packed", packed))
        expected = json.dumps(in_words(scan("s3://hay", here, archives="needles"))).replace(f"{tmp_path}/", "s3://")
        report = scan("s3://hay", "s3://packed", archives="needles")
        assert expected == json.dumps(in_words(report)).replace(f"{tmp_path}/", "s3://")
        assert {
            "all.zip": "contained",
            "stored.zip": "contained",
            "all.tar.gz": "contained",
            "part.zip": "partial",
        } == {name: state for name, state in folders(report).items() if name.startswith(("all", "stored", "part"))}

    def test_one_that_changes(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was proved of its members is proved of another archive."""
        s3.put("packed", {"a.zip": zipped(PACKED), "b.txt": b"words"})
        real = pipeline.find_matches

        def find_and_change(*values: Any, **options: Any) -> Any:
            findings = real(*values, **options)
            s3.put("packed", {"a.zip": zipped({**PACKED, "x/notes.txt": b"sdrow"})})
            return findings

        monkeypatch.setattr(pipeline, "find_matches", find_and_change)
        report = scan(needles="s3://packed", archives="needles")
        assert "contained" not in folders(report).values()
        assert {"a.zip/x/a.jpg": "missing", "a.zip/x/notes.txt": "missing", "b.txt": "present"} == states(report)

    @pytest.mark.slow
    def test_what_was_read_is_not_read_again(self, s3: S3, tmp_path: Path) -> None:
        """Neither to list an archive nor to compare its members."""
        options: dict[str, Any] = {"no_cache": False, "cache": str(tmp_path / "cache.sqlite"), "archives": "needles"}
        s3.put("packed", {"a.zip": zipped(PACKED, zipfile.ZIP_DEFLATED), "b.tar.gz": tarred(PACKED, "gz")})
        s3.fault = old
        first = scan(needles="s3://packed", **options)
        s3.asked.clear()
        assert in_words(first) == in_words(scan(needles="s3://packed", **options))
        assert [] == [asked for asked in s3.asked if "list-type" not in asked and asked.startswith("GET")]

    @pytest.mark.slow
    def test_processes(self, s3: S3) -> None:
        """The real program, whose workers decode members from ranges of the archive."""
        s3.put("packed", {"a.zip": zipped({"x/saved again.jpg": NEEDLES["all/saved again.jpg"]}, zipfile.ZIP_DEFLATED)})
        command = [sys.executable, "-m", "dupfind", "scan", "--haystack", "s3://hay", "s3://packed", "--no-cache"]
        done = subprocess.run([*command, "--format", "json"], capture_output=True, check=False)
        assert (0, b"") == (done.returncode, done.stderr)
        assert {"contained"} == {folder["verdict"] for folder in json.loads(done.stdout)["folders"]}

    def test_those_of_the_haystack(self, s3: S3) -> None:
        """They are files, also where archives of both sides are asked for: no final check could look at them."""
        s3.put("packed", {"a.zip": zipped(PACKED)})
        s3.put("words", {"notes.txt": b"words"})
        report = scan("s3://packed", "s3://words", archives="both")
        assert ({"notes.txt": "missing"}, 1) == (states(report), report.haystack.files)
        assert [] == report.problems

    def test_a_member_is_read_by_this_machine(self, s3: S3) -> None:
        """As its archive is: the keys are here."""
        s3.put("packed", {"a.zip": zipped(PACKED)})
        counts = Counts()
        place = Place(Address("s3", "packed", None, None, ""), counts.folder)
        (listed,) = place.store().list()
        assert isinstance(listed.state, State)
        archive = ObjectEntry.of("s3://packed/a.zip", "a.zip", listed.state, place)
        at = archive_members.Place(archive, None, 0, 5, is_deflated=False, crc=None, folder=None)
        assert archive_members.MemberEntry.of("s3://packed/a.zip/x", 5, at, None, 0).is_only_here


class TestMany:
    """What takes long."""

    pytestmark = pytest.mark.slow

    def test_ten_thousand_objects(self, s3: S3) -> None:
        """Ten pages a side; of what is not of one size, nothing is read."""
        s3.put("many", {f"{number // 100:03}/{number}.txt": b"x" * (number % 7 + 1) for number in range(10_000)})
        s3.put("more", {f"{number}.txt": b"y" * 9 for number in range(20)})
        report = scan("s3://many", "s3://more")
        assert 10_000 == report.haystack.files
        (needles, hay) = report.buckets
        assert (20, 10_000, 0) == (needles.objects, hay.objects, hay.bytes_read)
        assert hay.requests <= 11

    @pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
    def test_throttling(self, s3: S3, code: str) -> None:
        """Everything is refused twice, and asked again a while later; each request counts."""
        seen: dict[str, int] = {}

        def slow_down(environ: dict[str, Any], _: S3, start: Callable[..., Any]) -> Iterable[bytes] | None:
            asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ.get('HTTP_RANGE')}"
            seen[asked] = seen.get(asked, 0) + 1
            return refused(start, "503 Slow Down", code) if seen[asked] < 2 else None

        s3.fault = slow_down
        report = scan(needles="s3://needles/all")
        assert {"present"} == set(states(report).values())
        assert len(s3.asked) == sum(bucket.requests for bucket in report.buckets)

    def test_processes(self, s3: S3, tmp_path: Path) -> None:
        """The real program: workers read for themselves and count, whatever is killed in between."""
        command = [sys.executable, "-m", "dupfind", "scan", "--haystack", "s3://hay", "s3://needles", "--no-cache"]
        done = subprocess.run([*command, "--format", "json"], capture_output=True, check=False)
        assert 1 == done.returncode
        told = json.loads(done.stdout)
        assert {"needles": 6, "haystack": 4} == {bucket["side"]: bucket["objects"] for bucket in told["buckets"]}
        assert sum(bucket["requests"] for bucket in told["buckets"]) == len(s3.asked)
        assert "contained" in {folder["verdict"] for folder in told["folders"]}
        table = subprocess.run(command, capture_output=True, check=False, text=True).stdout
        assert re.search(r"^s3://hay: 4 objects listed; \d+ requests made, [\d.]+ kB read\.$", table, re.MULTILINE)

    @pytest.mark.parametrize("asked", ["GET .jpg", "GET .txt", "HEAD "])
    def test_ctrl_c_while_the_server_says_nothing(self, s3: S3, asked: str) -> None:
        """The run ends at once and in order, whoever waits for an answer: a worker, a thread, all threads at once."""
        method, end = asked.split(" ")
        is_waited_for, is_over = threading.Event(), threading.Event()

        def say_nothing(environ: dict[str, Any], *_: Any) -> None:
            if environ["REQUEST_METHOD"] == method and environ["PATH_INFO"].endswith(end) and not is_list(environ):
                is_waited_for.set()
                is_over.wait(60)

        s3.fault = say_nothing
        command = [sys.executable, "-m", "dupfind", "scan", "--haystack", "s3://hay", "s3://needles", "--no-cache"]
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        try:
            assert is_waited_for.wait(60)
            run.send_signal(signal.SIGINT)
            _, told = run.communicate(timeout=9)  # after ten seconds it would end in any case, without a word
        finally:
            is_over.set()
            run.kill()
            run.communicate()
        assert (130, b"dupfind: stopped; there is no verdict\n") == (run.returncode, told)
        deadline = time.monotonic() + 30
        while processes_of_session(run.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [] == processes_of_session(run.pid)
