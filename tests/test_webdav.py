"""WebDAV on both sides: the answer is that of folders, and whatever a server does, nothing is contained wrongly."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx", reason="the extra webdav is not installed")
pytest.importorskip("wsgidav", reason="WsgiDAV (the group dev) is not installed")

from dupfind import pipeline
from dupfind.errors import ServerError
from dupfind.settings import Settings, make_settings
from dupfind.values import Report
from tests.helpers import photo_sides
from tests.helpers.photo_sides import DISK, HAY, OLD, build
from tests.helpers.scans import one_thread
from tests.helpers.webdav import NAME, PASSWORD, Start, Webdav

NEEDLES = {name.replace("of a", "of ä & b"): content for name, content in photo_sides.NEEDLES.items()}


@pytest.fixture
def webdav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webdav]:
    """A server that shows both sides, of another time each, to who has the password."""
    path = tmp_path / "netrc"
    path.write_text(f"machine 127.0.0.1 login {NAME} password {PASSWORD}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("dupfind.buckets.store.PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("dupfind.run.read_mounts", lambda: DISK)
    build(tmp_path / "shown" / "hay", HAY)
    build(tmp_path / "shown" / "needles", NEEDLES, OLD + 10**7)
    with Webdav(tmp_path / "shown") as server:
        yield server


def settings(haystack: str, needles: str, **options: Any) -> Settings:
    """Settings of a scan of these."""
    options = {"no_cache": True, "workers": 1, **options}
    return make_settings(haystack=[haystack], needles=[needles], may_be_servers=True, **options)


def scan(webdav: Webdav, haystack: str = "hay", needles: str = "needles", **options: Any) -> Report:
    """Scan in this process; what is not absolute is a folder of the server."""
    sides = [side if side.startswith("/") else f"{webdav.url}/{side}" for side in (haystack, needles)]
    return pipeline.scan(settings(*sides, **options), make_executor=one_thread)


def states(report: Report) -> dict[str, str]:
    """The verdict on each file, by its last names."""
    return {"/".join(file.path.split("/")[-2:]): file.state.value for file in report.files}


def folders(report: Report) -> dict[str, str]:
    """The verdict on each folder, by its last name."""
    return {folder.path.rpartition("/")[2]: folder.state.value for folder in report.folders}


def reasons(report: Report) -> dict[str, str]:
    """What went wrong, by the last name."""
    return {problem.path.rpartition("/")[2]: problem.reason for problem in report.problems}


def refused(start: Start, status: str) -> list[bytes]:
    """Answer with an error."""
    start(status, [("Content-Length", "0")])
    return [b""]


def test_the_verdicts_are_those_of_folders(webdav: Webdav, tmp_path: Path) -> None:
    """Whichever side is a server; what went over the network is told, and the password is not."""
    hay, needles = str(build(tmp_path / "h", HAY, OLD + 10**6)), str(build(tmp_path / "n", NEEDLES, OLD + 2 * 10**6))
    expected = states(scan(webdav, hay, needles))
    assert "contained" == folders(scan(webdav, hay, needles))["all"]
    for sides in (("hay", "needles"), (hay, "needles"), ("hay", needles)):
        report = scan(webdav, *sides)
        assert expected == states(report)
        assert "contained" == folders(report)["all"]
        assert all(one.requests and one.bytes_read and one.objects in (4, 5) for one in report.buckets)
        assert PASSWORD not in repr(report)


KIND = rb"<\w+:resourcetype ?/>|<\w+:resourcetype>.*?</\w+:resourcetype>"
LISTINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda body: body[: len(body) * 2 // 3], "ended before its end"),
    "elsewhere": (lambda body: body.replace(b"/needles/part", b"/needle/part"), "it lists what was not asked for"),
    "too many": (
        lambda body: re.sub(
            rb"(<(\w+):href>/needles/part.*?</\2:href>)", rb"\1<\2:status>HTTP/1.1 507 Full</\2:status>", body
        ),
        "it leaves out what it cannot tell of",
    ),
    "no kind": (lambda body: re.sub(KIND, b"", body), "folders from files"),
    "its own rules": (lambda body: body.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1), "brings its own rules"),
    "no XML": (lambda _: b"hello", "ended before its end"),
    "no address": (
        lambda body: re.sub(rb"(<ns0:href>)[^<]*part[^<]*", rb"\1http://[bad/", body),
        "lists what was not asked for",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_that_is_not_whole(webdav: Webdav, name: str) -> None:
    """It ends the run, with one line that names the folder."""
    edit, reason = LISTINGS[name]

    def fault(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] == "PROPFIND" and "HTTP_AUTHORIZATION" in environ:
            return server.edited(environ, start, edit)
        return None

    webdav.fault = fault
    with pytest.raises(ServerError, match=f"/needles cannot be listed: .*{reason}"):
        scan(webdav)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("folders_in_each", [1, 2])
def test_a_folder_in_itself(webdav: Webdav, monkeypatch: pytest.MonkeyPatch, folders_in_each: int) -> None:
    """By ever longer paths: somewhere it ends, and nothing around that is contained; of two in each there is no end."""
    monkeypatch.setattr("dupfind.buckets.names.MOST_DEPTH", 6 if folders_in_each == 1 else 128)
    monkeypatch.setattr("dupfind.buckets.store.MOST_LISTED", 300)
    when = "Sun, 02 Feb 2020 02:02:02 GMT"

    def show(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        path = environ["PATH_INFO"].rstrip("/").encode()
        if not path.startswith(b"/needles") or "HTTP_AUTHORIZATION" not in environ:
            return None
        body, kind = b"words", b"<D:resourcetype><D:collection/></D:resourcetype>"
        if environ["REQUEST_METHOD"] == "PROPFIND":
            again = range(folders_in_each if len(server.asked) < 1000 else 0)
            inner = [(b"/", kind)] + [(b"/again%d/" % number, kind) for number in again]
            told = (
                b"<D:resourcetype/><D:getcontentlength>5</D:getcontentlength><D:getlastmodified>%s</D:getlastmodified>"
            )
            inner.append((b"/notes.txt", told % when.encode()))
            body = b'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">%s</D:multistatus>' % b"".join(
                b"<D:response><D:href>%s%s</D:href><D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 200 OK</D:status>"
                b"</D:propstat></D:response>" % (path, name, what)
                for name, what in inner
            )
        is_list = environ["REQUEST_METHOD"] == "PROPFIND"
        headers = [("Content-Length", str(len(body))), ("Last-Modified", when)]
        start("207 Multi-Status" if is_list else "200 OK", headers)
        return [body]

    webdav.fault = show
    if folders_in_each == 2:
        with pytest.raises(ServerError, match="needles cannot be listed: it has more than 300 objects and folders"):
            scan(webdav)
        return
    report = scan(webdav)
    assert "a folder in itself, or too deep: not looked into" == reasons(report)["again0"]
    assert {"present"} == set(states(report).values())
    assert "contained" not in folders(report).values()


def test_a_question_for_the_password_without_an_end(webdav: Webdav, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our library reads all of it before it answers: so much, and no more."""
    monkeypatch.setattr("dupfind.buckets.store.MOST_ANSWER_BYTES", 1 << 20)

    def ask(environ: dict[str, Any], _: Webdav, start: Start) -> Iterable[bytes] | None:
        if "HTTP_AUTHORIZATION" in environ:
            return None
        start("401 Unauthorized", [("WWW-Authenticate", 'Digest realm="x", nonce="y"')])
        return itertools.repeat(b"x" * 65536, 999)

    webdav.fault = ask
    with pytest.raises(ServerError, match="cannot be listed: an answer that is too long, or takes too long"):
        scan(webdav)


@pytest.mark.slow
@pytest.mark.parametrize("length", [b"1" * 5000, b"9" * 19])
def test_a_size_that_no_file_has(webdav: Webdav, length: bytes) -> None:
    """It is not told, as far as anybody can say; the other files are judged."""

    def fault(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] == "PROPFIND" and environ["PATH_INFO"].endswith("part/"):
            edit = partial(re.sub, rb"(getcontentlength>)\d+", rb"\g<1>" + length)
            return server.edited(environ, start, edit)
        return None

    webdav.fault = fault
    report = scan(webdav)
    assert "the server does not tell its size" == reasons(report)["new.jpg"]
    assert "contained" == folders(report)["all"]


@pytest.mark.slow
def test_a_folder_that_is_denied(webdav: Webdav) -> None:
    """It is a gap; the others are judged. A root that is denied, or not there, ends the run."""
    webdav.fault = lambda environ, _, start: (
        refused(start, "403 Forbidden")
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("PROPFIND", "/needles/part/")
        else None
    )
    report = scan(webdav)
    assert "cannot read the folder: access denied" == reasons(report)["part"]
    assert {"all": "contained", "needles": "partial"} == folders(report)
    with pytest.raises(ServerError, match="/nothing cannot be listed: it is no longer there"):
        scan(webdav, "nothing")


def test_a_file_that_changes_after_the_listing(webdav: Webdav, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another state, by its tag."""
    real = pipeline.find_matches

    def change_and_find(*values: Any, **options: Any) -> Any:
        build(webdav.folder / "hay", {"2007/notes.txt": b"sdrow"}, OLD + 5)
        return real(*values, **options)

    monkeypatch.setattr(pipeline, "find_matches", change_and_find)
    report = scan(webdav)
    assert ("missing", "changed while it was read") == (states(report)["all/notes.txt"], reasons(report)["notes.txt"])


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("lie", ["ETag", "Last-Modified", "Content-Range"])
def test_a_server_that_does_not_heed_conditions(webdav: Webdav, lie: str) -> None:
    """Its answer is looked at: another tag, another time, another size or part are another state."""
    told = {"ETag": '"other"', "Last-Modified": "Sun, 02 Feb 2020 02:02:02 GMT", "Content-Range": "bytes 0-4/6"}

    def fault(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] != "GET" or "notes" not in environ["PATH_INFO"]:
            return None

        def start_otherwise(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() != lie.lower()]
            return start(status, [*kept, (lie, told[lie])], *rest)

        return server.real(environ, start_otherwise)

    webdav.fault = fault
    report = scan(webdav)
    assert "missing" == states(report)["all/notes.txt"]
    assert "changed while it was read" == reasons(report)["notes.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["gone", "changed"])
def test_the_final_check(webdav: Webdav, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """A witness that is not any more what was listed proves nothing."""
    real = pipeline.find_matches

    def find_and_change(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        if change == "gone":
            (webdav.folder / "hay/2007/notes.txt").unlink()
        else:
            build(webdav.folder / "hay", {"2007/notes.txt": b"words"}, OLD + 5)
        return findings

    monkeypatch.setattr(pipeline, "find_matches", find_and_change)
    report = scan(webdav)
    assert "missing" == states(report)["all/notes.txt"]
    assert "partial" == folders(report)["all"]


@pytest.mark.slow
def test_without_tags(webdav: Webdav) -> None:
    """Size and time are looked at after each read; where they are others then, what was read is worth nothing."""
    changed = []

    def fault(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] == "PROPFIND":
            return server.edited(environ, start, lambda body: re.sub(rb"<\w+:getetag>.*?</\w+:getetag>", b"", body))
        if environ["REQUEST_METHOD"] == "HEAD" and environ["PATH_INFO"].endswith("hay/2007/notes.txt") and changed:
            build(server.folder / "hay", {"2007/notes.txt": b"words"}, OLD + 5)

        def start_without(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [(name, value) for name, value in headers if name.lower() != "etag"], *rest)

        return server.real(environ, start_without)

    webdav.fault = fault
    assert "present" == states(scan(webdav))["all/notes.txt"]
    changed.append(True)
    report = scan(webdav)
    assert ("missing", "changed while it was read") == (states(report)["all/notes.txt"], reasons(report)["notes.txt"])


@pytest.mark.slow
def test_busy_and_broken(webdav: Webdav) -> None:
    """What fails once is asked for again; what fails each time is a problem."""
    left = {"status": 2, "cut": 2}

    def fault(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] != "GET" or "notes" not in environ["PATH_INFO"]:
            return None
        if left["status"]:
            left["status"] -= 1
            return refused(start, "503 Service Unavailable")
        if left["cut"] and "HTTP_AUTHORIZATION" in environ:
            left["cut"] -= 1
            return [b"".join(server.real(environ, start))[:2]]
        return None

    webdav.fault = fault
    assert "present" == states(scan(webdav))["all/notes.txt"]
    left["status"] = 10**6
    report = scan(webdav)
    assert ("missing", "cannot be read: the server answers 503, also after waiting") == (
        states(report)["all/notes.txt"],
        reasons(report)["notes.txt"],
    )


@pytest.mark.parametrize("turned", [False, True])
def test_nothing_proves_itself(webdav: Webdav, turned: bool) -> None:
    """The folder that this machine shows, on its disk and by the server."""
    here = str(webdav.folder / "needles")
    sides = ("needles", here) if turned else (here, "needles")
    assert "present" not in states(scan(webdav, *sides)).values()
    said = f"{webdav.url}/needles"
    assert {"present"} == set(states(scan(webdav, *sides, elsewhere=[said])).values())


@pytest.mark.slow
@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("has_tags", [True, False])
def test_one_folder_below_two_paths_proves_nothing(webdav: Webdav, has_tags: bool) -> None:
    """As Nextcloud shows all files below two paths; a copy with another tag is one, with another time as well."""

    def without_tags(environ: dict[str, Any], server: Webdav, start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PROPFIND":
            return server.edited(environ, start, lambda body: re.sub(rb"getetag>[^<]*</", b"getetag></", body))
        return server.real(
            environ, lambda status, headers, *_: start(status, [one for one in headers if one[0].lower() != "etag"])
        )

    if not has_tags:
        webdav.fault = without_tags
    report = scan(webdav, "again/needles", "needles")
    assert {"missing"} == set(states(report).values())
    report = scan(webdav, "again/hay", "needles")  # of another time
    assert "present" == states(report)["all/notes.txt"]
    build(webdav.folder / "needles", NEEDLES)  # now of the same time, and other files
    assert ("present" if has_tags else "missing") == states(scan(webdav))["all/notes.txt"]


def test_passwords(webdav: Webdav, tmp_path: Path) -> None:
    """Only what netrc has for the host goes there, not in the clear, and nowhere else."""
    seen: list[str] = []

    def watch(environ: dict[str, Any], *_: Any) -> None:
        seen.append(environ.get("HTTP_AUTHORIZATION", ""))

    webdav.fault = watch
    scan(webdav)
    assert {"Digest", ""} == {told.partition(" ")[0] for told in seen}
    webdav.fault = lambda _, __, start: (
        (start("302 Found", [("Location", "http://elsewhere.example/"), ("Content-Length", "0")]) and None) or [b""]
    )
    with pytest.raises(ServerError, match="it sends us elsewhere"):
        scan(webdav)
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 logn {PASSWORD}\n")
    with pytest.raises(ServerError, match="netrc cannot be read") as error:
        scan(webdav)
    assert PASSWORD not in str(error.value)
    (tmp_path / "netrc").write_bytes(b"machine 127.0.0.1 login \xff")
    with pytest.raises(ServerError, match="netrc cannot be read"):
        scan(webdav)
    (tmp_path / "netrc").write_text("")
    webdav.fault = lambda *_: None
    with pytest.raises(ServerError, match="cannot be listed: access denied"):
        scan(webdav)
