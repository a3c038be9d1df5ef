"""An Immich server as haystack: what it has by its checksums is present, and nothing that it is about to lose is."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.answers.page import PageContents
from dupfind.errors import DupfindError, ServerError, SettingsError
from dupfind.immich import client as clients
from dupfind.immich import immich_source
from dupfind.immich.assets import duplicates_in, way_of, why_not
from dupfind.immich.client import KEY as VARIABLE
from dupfind.immich.client import Client
from dupfind.report import Screen, html, render
from dupfind.settings import Settings, make_report_settings, make_settings
from dupfind.sources.servers import server_roots
from dupfind.values import Report
from tests.helpers.archives import zipped
from tests.helpers.immich import KEY, Immich, answer
from tests.helpers.scans import one_thread
from tests.helpers.shelf import cataloged
from tests.helpers.trees import build_tree

Dupfind = Callable[..., Any]
Tree = Callable[..., Path]


def settings(immich: Immich, needles: Path, *more: Path, **options: Any) -> Settings:
    """Settings of a scan with the server as haystack."""
    haystack = [immich.url, *map(str, more)]
    return make_settings(
        haystack=haystack, needles=[str(needles)], may_be_servers=True, no_cache=True, workers=1, **options
    )


def scan(immich: Immich, needles: Path, *more: Path, **options: Any) -> Report:
    """Scan in this process."""
    return pipeline.scan(settings(immich, needles, *more, **options), make_executor=one_thread)


def present(report: Report) -> dict[str, bool]:
    """Whether each file is present, by its name."""
    return {os.path.basename(one.path): one.state.value == "present" for one in report.files}


def notes(report: Report) -> list[str]:
    """Why assets prove nothing."""
    return [one.reason.partition(": not trusted")[0] for one in report.problems if one.is_note]


def test_is_it_there_already(immich: Immich, tree: Tree) -> None:
    """What was uploaded is present, whatever it is called here; everything else is not."""
    asset = immich.upload(b"one", "IMG_1.jpg")
    immich.upload(b"film", "a b.mov")
    needles = tree("n", {"x/1.dat": b"one", "x/again.dat": b"one", "y/f.dat": b"film", "z/new.dat": b"two", "e": b""})
    report = scan(immich, needles)
    assert {"1.dat": True, "again.dat": True, "f.dat": True, "new.dat": False, "e": False} == present(report)
    assert {"x": "contained", "y": "contained", "z": "missing"} == {
        os.path.basename(one.path): one.state.value for one in report.folders if one.path != str(needles)
    }
    witness = {one.witness for one in report.files if one.path.endswith("1.dat")}
    assert {f"{immich.url}/photos/{asset}/IMG_1.jpg"} == witness
    assert {"identical", None} == {one.evidence and one.evidence.value for one in report.files}
    assert 1 == immich.asked.count("POST /api/assets/bulk-upload-check")
    assert 6 == len(immich.asked)  # the version, the check, and each of two assets twice
    assert not any("original" in request or "thumbnail" in request for request in immich.asked)


def test_many_needles_are_asked_about_in_batches(immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a few connections that stay open: one, four for assets, and four for the last look."""
    monkeypatch.setattr(immich_source, "_BATCH", 2)
    for number in range(0, 15, 2):
        immich.upload(b"%d" % number, f"{number}.jpg")
    report = scan(immich, tree("n", {f"{number}.dat": b"%d" % number for number in range(15)}))
    assert {f"{number}.dat": number % 2 == 0 for number in range(15)} == present(report)
    assert 8 == immich.asked.count("POST /api/assets/bulk-upload-check")
    assert len(immich.lines) <= 9


def test_beside_folders_and_in_archives(immich: Immich, tree: Tree) -> None:
    """Members of an archive are asked about; what a folder has too is found there or here."""
    immich.upload(b"one", "IMG_1.jpg")
    needles = tree("n", {"x.zip": zipped({"in/1.dat": b"one", "in/2.dat": b"two"}), "3.dat": b"three"})
    report = scan(immich, needles, tree("h", {"t": b"three", "u": b"two"}), archives="needles")
    assert {"1.dat": True, "2.dat": True, "3.dat": True} == present(report)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"isTrashed": True}, "in the trash of Immich"),
        ({"isTrashed": None}, "in the trash of Immich"),
        ({"isOffline": True}, "its original is not there (offline)"),
        ({"libraryId": "0a1b2c3d-0000-4000-8000-000000000001"}, "of an external library, whose files Immich"),
        ({"exifInfo": None}, "the server does not tell its size, or another"),
        ({"exifInfo": {"fileSizeInByte": 4}}, "the server does not tell its size, or another"),
        ({"exifInfo": {"fileSizeInByte": None}}, "the server does not tell its size, or another"),
        ({"id": "0a1b2c3d-0000-4000-8000-000000000001"}, "the server does not tell of it"),
        ({"visibility": None}, "the server does not tell who sees it (Immich before 1.133)"),
        ({"visibility": "hidden"}, "the film of a picture that is not among the needles"),
        ({"originalPath": None}, "it may be a needle itself"),
    ],
)
def test_what_the_server_may_lose_proves_nothing(immich: Immich, tree: Tree, facts: dict[str, Any], why: str) -> None:
    """Nor does what it says too little of."""
    immich.upload(b"one", **facts)
    report = scan(immich, tree("n", {"1.dat": b"one"}))
    assert {"1.dat": False} == present(report)
    (note,) = notes(report)
    assert note.startswith(why)


def test_an_answer_of_another_checksum_proves_nothing(immich: Immich) -> None:
    """The check is by checksum, and so is what is said of the asset."""
    from dupfind.immich.assets import Sums

    asset = immich.upload(b"one")
    sums = Sums(3, b"x" * 20, b"d")
    assert "its checksum is another: not trusted as haystack" == why_not(immich.assets[asset], asset, sums)
    with pytest.raises(ServerError, match="bulk upload check"):
        list(duplicates_in({"results": [{"id": "1"}]}, [sums]))
    with pytest.raises(ServerError, match="bulk upload check"):
        list(duplicates_in({"results": []}, [sums]))
    assert [] == list(
        duplicates_in({"results": [{"id": "0", "action": "reject", "reason": "duplicate", "assetId": "../x"}]}, [sums])
    )
    assert [] == list(
        duplicates_in({"results": [{"id": "0", "action": "accept", "reason": "duplicate", "assetId": asset}]}, [sums])
    )


@pytest.mark.parametrize(
    ("path", "original", "is_itself"),
    [
        ("library/admin/2024/05/IMG_1.jpg", "/data/library/admin/2024/05/IMG_1.jpg", True),
        ("mounted/ADMIN/2024/05/img_1.jpg", "/usr/src/app/upload/library/admin/2024/05/IMG_1.jpg", True),
        ("u/0a/1b/x.jpg", "upload/upload/u/0a/1b/x.jpg", True),
        ("mounted as anything/2024/05/IMG_1.jpg", "/data/library/admin/2024/05/IMG_1.jpg", True),
        ("Pictures/2024-05/IMG_1.jpg", "/data/library/admin/2024/05/IMG_1.jpg", False),
        ("Pictures/admin/IMG_1.jpg", "/data/library/admin/IMG_1.jpg", True),
        ("Pictures/IMG_1.jpg", "/data/library/admin/IMG_1.jpg", False),
        ("immich/other/.immich", "/data/library/admin/2024/05/IMG_1.jpg", True),
    ],
)
def test_the_files_of_the_server_itself_are_not_in_it(
    immich: Immich, tmp_path: Path, path: str, original: str, is_itself: bool
) -> None:
    """Needles in the server's own folders are its originals; deleting them deletes what proves them."""
    immich.upload(b"one", originalPath=original)
    needle = path.replace(".immich", "1.jpg")
    build_tree(tmp_path / "n", {needle: b"one", **({path: b"1"} if needle != path else {})})
    report = scan(immich, tmp_path / "n")
    assert is_itself is not present(report)[os.path.basename(needle)]
    assert is_itself is bool(notes(report))


def test_the_original_is_compared_with_paranoid(immich: Immich, tree: Tree) -> None:
    """Where the server holds other bytes than it says, or less of them, nothing is proved."""
    good, short, other = (immich.upload(content) for content in (b"good", b"short", b"other"))
    immich.originals |= {short: b"shor", other: b"OTHER"}
    needles = tree("n", {"g.dat": b"good", "s.dat": b"short", "o.dat": b"other"})
    assert {"g.dat": True, "s.dat": True, "o.dat": True} == present(scan(immich, needles))
    report = scan(immich, needles, paranoid=True)
    assert {"g.dat": True, "s.dat": False, "o.dat": False} == present(report)
    assert {f"GET /api/assets/{asset}/original" for asset in (good, short, other)} <= set(immich.asked)


def test_what_is_deleted_meanwhile_proves_nothing(immich: Immich, tree: Tree) -> None:
    """Each witness is asked about once more before the verdicts."""
    trashed, gone, _ = (immich.upload(content) for content in (b"trashed", b"gone", b"kept"))
    needles = tree("n", {"t.dat": b"trashed", "g.dat": b"gone", "k.dat": b"kept"})
    scanned = settings(immich, needles)
    real = pipeline.final_check

    def late(*arguments: Any) -> Any:
        immich.assets[trashed]["isTrashed"] = True
        del immich.assets[gone]
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "final_check", late)
        report = pipeline.scan(scanned, make_executor=one_thread)
    assert {"t.dat": False, "g.dat": False, "k.dat": True} == present(report)
    assert any("in the trash of Immich" in one.reason for one in report.problems)


@pytest.mark.parametrize("facts", [{}, {"isTrashed": True}, {"livePhotoVideoId": None}])
@pytest.mark.parametrize("is_late", [False, True])
def test_the_film_of_a_live_photo_goes_with_its_picture(
    immich: Immich, tree: Tree, facts: dict[str, Any], is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no trash itself where its picture is, and is deleted with it all the same."""
    film = immich.upload(b"film", "IMG_1.mov", visibility="hidden")
    picture = immich.upload(b"picture", "IMG_1.heic", livePhotoVideoId=film)
    real = pipeline.final_check

    def late(*arguments: Any) -> Any:
        immich.assets[picture] |= facts
        return real(*arguments)

    if is_late:
        monkeypatch.setattr(pipeline, "final_check", late)
    else:
        immich.assets[picture] |= facts
    report = scan(immich, tree("n", {"x.heic": b"picture", "x.mov": b"film"}))
    is_there = "isTrashed" not in facts
    has_owner = not facts or (is_late and is_there)
    assert {"x.heic": is_there, "x.mov": has_owner} == present(report)


def test_the_film_of_a_picture_that_may_be_a_needle_itself(immich: Immich, tree: Tree) -> None:
    """Whoever deletes the needle deletes the original of the picture, and the server its film."""
    film = immich.upload(b"film", "IMG_1.mov", visibility="hidden")
    immich.upload(b"picture", "IMG_1.heic", livePhotoVideoId=film)
    report = scan(immich, tree("n", {"2024/05/IMG_1.heic": b"picture", "other/x.mov": b"film"}))
    assert {"IMG_1.heic": False, "x.mov": False} == present(report)


def test_a_needle_that_changed_since_it_was_asked_about(immich: Immich, tree: Tree) -> None:
    """The asset has the bytes that the needle had then, and no others."""
    immich.upload(b"one")
    needles = tree("n", {"1.dat": b"one"})

    def trick(_: BaseHTTPRequestHandler) -> bool:
        (needles / "1.dat").write_bytes(b"eno")
        return False

    immich.trick = trick
    assert {"1.dat": False} == present(scan(immich, needles))


def _says(status: int, content: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], bool]:
    return lambda handler: answer(handler, status, content, **headers)


@pytest.mark.parametrize(
    ("trick", "said"),
    [
        (_says(302, b"", Location="http://127.0.0.1:1/"), "it sends us elsewhere (302), where no key goes"),
        (_says(307, b"", Location="/api/other"), "it sends us elsewhere (307)"),
        (_says(404, b""), "it answers 404 to /api/server/version: is it an Immich server?"),
        (_says(403, b"{}"), "it refuses the key in IMMICH_API_KEY (403)"),
        (_says(503, b""), "it answers 503"),
        (_says(200, b"<html>"), "what it answers to /api/server/version is no answer of Immich"),
        (_says(200, b"[" * 100_000), "what it answers to /api/server/version is no answer of Immich"),
        (_says(200, b"{}"), "it does not tell its version"),
        (_says(200, b'{"major": "2"}'), "it does not tell its version"),
        (_says(200, b" " * (17 << 20)), "what it answers to /api/server/version is no answer of Immich"),
    ],
)
def test_a_server_that_does_not_answer_as_it_should(
    immich: Immich, tree: Tree, trick: Callable[[BaseHTTPRequestHandler], bool], said: str
) -> None:
    """One line, no verdict, and the key in none of it."""
    immich.trick = trick
    with pytest.raises(ServerError) as error:
        scan(immich, tree("n", {"1.dat": b"one"}))
    assert said in str(error.value)
    assert str(error.value).startswith(f"http://127.0.0.1:{immich.port}: ")
    assert KEY not in str(error.value)


def test_a_moment_of_trouble_is_survived(immich: Immich, tree: Tree) -> None:
    """A server that is busy, or hangs up, is asked again, a few times."""
    immich.upload(b"one")
    left = [3]

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.endswith("check") and left[0]:
            left[0] -= 1
            if left[0] == 1:
                handler.close_connection = True
                return True  # nothing at all
            return answer(handler, 429, b"", Retry_After="0")
        return False

    immich.trick = trick
    assert {"1.dat": True} == present(scan(immich, tree("n", {"1.dat": b"one"})))
    assert 4 == immich.asked.count("POST /api/assets/bulk-upload-check")


def test_a_server_that_says_nothing(immich: Immich, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that goes on for ever holds anybody up; one that is not there is named."""
    monkeypatch.setattr(clients, "_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(clients, "_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(clients, "_TRIES", 2)

    def silent(_: BaseHTTPRequestHandler) -> bool:
        time.sleep(0.5)
        return True

    def endless(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(10):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
        handler.close_connection = True
        return True

    for trick, said in ((silent, "timed out"), (endless, "takes longer")):
        immich.trick = trick
        client = Client(f"http://127.0.0.1:{immich.port}")
        with pytest.raises(ServerError, match=said):
            client.json("GET", "/api/server/version")
        client.close()
    with pytest.raises(ServerError, match=r"http://127\.0\.0\.1:1: connection refused"):
        Client("http://127.0.0.1:1").json("GET", "/")


def test_certificates_are_verified(immich: Immich, monkeypatch: pytest.MonkeyPatch) -> None:
    """``immich://`` is HTTPS, with a context that checks names and certificates; a wrong one is not tried again."""
    made: list[ssl.SSLContext] = []
    real = clients.ssl.create_default_context
    monkeypatch.setattr(clients.ssl, "create_default_context", lambda: made.append(real()) or made[0])
    with pytest.raises(ServerError):
        Client(f"https://127.0.0.1:{immich.port}").json("GET", "/")
    assert made
    assert (True, ssl.CERT_REQUIRED) == (made[0].check_hostname, made[0].verify_mode)
    tries = []

    def refuse(*_: object) -> None:
        tries.append(1)
        error = ssl.SSLCertVerificationError("no")
        error.verify_message = "Self-signed certificate"
        raise error

    monkeypatch.setattr(clients.http.client.HTTPSConnection, "request", refuse)
    with pytest.raises(ServerError, match="its certificate is not to be trusted: self-signed certificate"):
        Client("https://nas").json("GET", "/")
    assert [1] == tries


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("immich://nas", "https://nas"),
        ("IMMICH://NAS:2283/", "https://nas:2283"),
        ("immich+https://nas/photos/", "https://nas/photos"),
        ("immich+http://127.0.0.1:2283", "http://127.0.0.1:2283"),
        ("immich://[::1]:1/", "https://[::1]:1"),
    ],
)
def test_names_of_servers(given: str, url: str) -> None:
    """Plain HTTP has to be asked for."""
    (root,) = server_roots([given])
    assert url == root.url  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "given",
    [
        "immich://",
        "immich://me:secret@nas/",
        "immich://nas/?key=secret",
        "immich://nas/#secret",
        "immich://nas:x/",
        "immich:nas",
        "immich+ftp://nas/",
        "immich://nas/../x",
        "immich://na s/",
    ],
)
def test_what_is_no_server(given: str, tmp_path: Path) -> None:
    """Keys and passwords in a name are refused, and not repeated; what looks like another scheme is a folder."""
    with pytest.raises(SettingsError) as error:
        make_settings(haystack=[given], needles=[str(tmp_path)], may_be_servers=True, no_cache=True)
    assert "secret" not in str(error.value)


def test_only_a_scan_asks_a_server(immich: Immich, tmp_path: Path) -> None:
    """Other commands say so."""
    with pytest.raises(SettingsError, match="a server is asked by dupfind scan only"):
        make_settings(haystack=[immich.url], needles=[str(tmp_path)], no_cache=True)


@pytest.mark.parametrize("key", [None, "", " ", "a\nb", "ü"])
def test_without_a_key(key: str | None, immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked, and what the variable holds is not told."""
    monkeypatch.delenv(VARIABLE) if key is None else monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(DupfindError, match="IMMICH_API_KEY") as error:
        scan(immich, tree("n", {"1.dat": b"one"}))
    assert key is None or not key.strip() or key not in str(error.value)
    assert [] == immich.asked


def test_needles_of_a_catalog_are_not_asked_about(immich: Immich, tree: Tree, tmp_path: Path) -> None:
    """Nobody can read them for the checksum that Immich goes by."""
    immich.upload(b"one")
    cataloged(tree("drive", {"1.dat": b"one"}), tmp_path / "c")
    report = scan(immich, tmp_path / "c")
    assert {"1.dat": False} == present(report)
    assert "POST /api/assets/bulk-upload-check" not in immich.asked


def test_reports_say_what_they_rest_on(immich: Immich, tree: Tree) -> None:
    """And never the key."""
    immich.upload(b"one")
    report = scan(immich, tree("n", {"1.dat": b"one", "2.dat": b"two"}))
    line = f"{immich.url} is Immich 2.3.1 and has 1 of 2 needles by its checksums (SHA-1)."
    table = render(report, make_report_settings(everything=True), Screen()).decode()
    whole = render(report, make_report_settings(format_="json"), Screen()).decode()
    page = html.render(report, PageContents()).decode()
    assert line in table
    assert line in page
    looked = {"previews": 0, "originals": 0, "original_bytes": 0}
    assert [{"url": immich.url, "version": "2.3.1", "asked": 2, "there": 1, **looked}] == json.loads(whole)["servers"]
    assert not any(KEY in text for text in (table, whole, page))


@pytest.mark.slow
def test_the_command(immich: Immich, tree: Tree, tmp_path: Path, dupfind: Dupfind) -> None:
    """As a person calls it, with a cache, workers of its own and the original downloaded; the key is nowhere."""
    immich.upload(b"one", "IMG 1.jpg")
    needles, cache = tree("n", {"x/1.jpg": b"one"}), tmp_path / "cache.sqlite"
    scan = "scan", "--haystack", immich.url, "--needles", str(needles), "--cache", str(cache), "-v"
    for more in ((), ("--paranoid",), ("--html", str(tmp_path / "page.html"))):
        # Workers download, so they need the key of this run.
        is_started = "--paranoid" in more
        done = dupfind(*scan, "--format", "csv", "--files", "--all", *more, is_started=is_started)
        assert (0, b"") == (done.returncode, b"" if not done.returncode else done.stderr)
        assert f"{immich.url}/photos/".encode() in done.stdout
        assert b"by its checksums (SHA-1)" in done.stderr
        assert KEY.encode() not in done.stdout + done.stderr
    for path in (cache, tmp_path / "page.html"):
        assert KEY.encode() not in path.read_bytes()
    done = dupfind(*scan, "--only", "contained", "-0")
    assert f"{needles}\0".encode() == done.stdout


def test_ways_to_originals() -> None:
    """Without a folder of Immich's own, the last three names have to do."""
    assert ("c", "d", "x.jpg") == way_of("/a/b/c/d/x.jpg")
    assert () == way_of("")
