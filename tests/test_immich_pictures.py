"""Pictures on an Immich server that are no copies byte by byte: found by previews, proved by originals."""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Callable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.errors import ServerError
from dupfind.immich import candidates
from dupfind.immich import pictures as searching
from dupfind.immich.client import Client
from dupfind.pool import full_size
from dupfind.settings import make_settings
from dupfind.sources.source import Look
from dupfind.values import Report
from fixtures import pictures
from tests.helpers.immich import KEY, Immich, answer
from tests.helpers.scans import one_thread

Dupfind = Callable[..., Any]
Tree = Callable[[str, Mapping[str, bytes]], Path]
Trick = Callable[[BaseHTTPRequestHandler], bool]
TAKEN, LOCAL = "2024:05:01 10:00:00", "2024-05-01T10:00:00.000Z"
SIZE = (640, 480)


@cache
def jpeg(seed: int, quality: int = 92, size: tuple[int, int] = SIZE, captured: str | None = TAKEN) -> bytes:
    """A photo as a file, with the time at which it was taken."""
    out = io.BytesIO()
    picture = pictures.photo(seed, SIZE).resize(size, Image.Resampling.LANCZOS)
    picture.save(out, "JPEG", quality=quality, exif=pictures.exif(captured=captured))
    return out.getvalue()


def preview(seed: int) -> bytes:
    """What the server makes of it."""
    return jpeg(seed, 80, (480, 360), None)


def scan(immich: Immich, needles: Path, *more: Path, **options: Any) -> Report:
    """Scan in this process."""
    haystack = [immich.url, *map(str, more)]
    options.setdefault("no_cache", "cache" not in options)
    chosen = make_settings(haystack=haystack, needles=[str(needles)], may_be_servers=True, workers=1, **options)
    return pipeline.scan(chosen, make_executor=one_thread)


def said(report: Report) -> dict[str, tuple[str, str | None]]:
    """Verdict and grade of each file, by its name."""
    return {
        os.path.basename(file.path): (file.state.value, file.evidence and file.evidence.value) for file in report.files
    }


def notes(report: Report) -> list[str]:
    """Why assets prove nothing."""
    return [problem.reason.partition(": not trusted")[0] for problem in report.problems if problem.is_note]


def asked(immich: Immich, end: str) -> int:
    """How many requests had this end."""
    return sum(request.endswith(end) for request in immich.asked)


def test_a_picture_that_was_encoded_again(immich: Immich, tree: Tree) -> None:
    """It is on the server, taken at the same second: proved by the original, at full size, and by no preview."""
    asset = immich.picture(jpeg(1), preview(1), "DSC_0001.JPG")
    immich.picture(jpeg(2), preview(2), "DSC_0002.JPG")
    needles = tree("n", {"whatever.jpg": jpeg(1, 70), "new.jpg": jpeg(3)})
    report = scan(immich, needles)
    assert {"whatever.jpg": ("present", "same"), "new.jpg": ("missing", None)} == said(report)
    (witness,) = {file.witness for file in report.files if file.witness}
    assert f"{immich.url}/photos/{asset}/DSC_0001.JPG" == witness
    (server,) = report.servers
    assert (0, 2, 1, len(jpeg(1))) == (server.there, server.previews, server.originals, server.original_bytes)
    assert 1 == asked(immich, f"{asset}/original")
    assert 1 == asked(immich, "/original")
    assert "contained" not in {folder.state.value for folder in report.folders}


def test_a_larger_needle_is_no_copy(immich: Immich, tree: Tree) -> None:
    """What the server has is the smaller one: similar, as in a folder."""
    immich.picture(jpeg(1, size=(320, 240)), preview(1))
    assert {"n.jpg": ("similar", "similar")} == said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)})))


def test_by_name_where_there_is_no_time(immich: Immich, tree: Tree) -> None:
    """The whole name but for its ending; one that is in other names is not enough."""
    immich.picture(jpeg(1, captured=None), preview(1), "Summer.JPEG", localDateTime="2020-01-01T00:00:00.000Z")
    immich.picture(jpeg(2, captured=None), preview(2), "Summer 2.jpg")
    needles = tree("n", {"summer.jpg": jpeg(1, 70, captured=None), "mmer.jpg": jpeg(2, 70, captured=None)})
    assert {"summer.jpg": ("present", "same"), "mmer.jpg": ("missing", None)} == said(scan(immich, needles))
    short = tree("short", {"x.jpg": jpeg(1, 70, captured=None)})
    immich.asked.clear()
    assert {"x.jpg": ("missing", None)} == said(scan(immich, short))
    assert 0 == asked(immich, "/search/metadata")


def test_at_another_time_nothing_is_looked_at(immich: Immich, tree: Tree) -> None:
    """Two seconds are enough to be told apart: no preview is downloaded."""
    immich.picture(jpeg(1), preview(1), localDateTime="2024-05-01T10:00:03.000Z")
    immich.picture(jpeg(1, 93), preview(1), localDateTime=None)
    assert {"n.jpg": ("missing", None)} == said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)})))
    assert 0 == asked(immich, "size=preview")


def test_nothing_is_searched_where_checksums_prove_all(immich: Immich, tree: Tree) -> None:
    """Nor for what is no picture by its name."""
    immich.picture(jpeg(1), preview(1))
    report = scan(immich, tree("n", {"n.jpg": jpeg(1), "f.mov": b"film"}))
    assert {"n.jpg": ("present", "identical"), "f.mov": ("missing", None)} == said(report)
    assert 0 == asked(immich, "/search/metadata")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"isOffline": True}, "its original is not there (offline)"),
        ({"libraryId": "0a1b2c3d-0000-4000-8000-000000000001"}, "of an external library, whose files Immich"),
        ({"exifInfo": None}, "the server does not tell its checksum and size"),
        ({"visibility": "hidden"}, "hidden"),
        ({"visibility": None}, "the server does not tell who sees it"),
        ({"originalPath": "/data/library/admin/n/whatever.jpg"}, "it may be a needle itself"),
    ],
)
def test_what_the_server_may_lose_proves_nothing(immich: Immich, tree: Tree, facts: dict[str, Any], why: str) -> None:
    """As where a checksum is equal; and none of it is downloaded."""
    immich.picture(jpeg(1), preview(1), **facts)
    report = scan(immich, tree("n", {"n/whatever.jpg": jpeg(1, 70)}))
    assert {"whatever.jpg": ("missing", None)} == said(report)
    (note,) = notes(report)
    assert note.startswith(why)
    assert 0 == asked(immich, "/original")


def test_a_partners_picture_proves_nothing(immich: Immich, tree: Tree) -> None:
    """A search gives it; by its checksum it is not the user's own."""
    asset = immich.picture(jpeg(1), preview(1))
    immich.others[asset] = immich.assets.pop(asset)
    report = scan(immich, tree("n", {"n.jpg": jpeg(1, 70)}))
    assert {"n.jpg": ("missing", None)} == said(report)
    assert ["of another user"] == notes(report)


def test_a_warning_counts_what_may_be_a_needle_itself(immich: Immich, tree: Tree) -> None:
    """One by its checksum, and one whose preview comes near."""
    immich.picture(jpeg(1), preview(1), originalPath="/data/library/admin/n/a.jpg")
    immich.picture(jpeg(2), preview(2), originalPath="/data/library/admin/n/b.jpg")
    needles = tree("n", {"a.jpg": jpeg(1), "b.jpg": jpeg(2, 70)})
    warned: list[str] = []
    chosen = make_settings(haystack=[immich.url], needles=[str(needles)], may_be_servers=True, workers=1, no_cache=True)
    report = pipeline.scan(chosen, _hearing(warned), make_executor=one_thread)
    assert {"a.jpg": ("missing", None), "b.jpg": ("missing", None)} == said(report)
    assert any("2 of its assets prove nothing: they may be needles themselves" in text for text in warned), warned


def test_an_asset_that_is_among_the_needles_proves_no_other(immich: Immich, tree: Tree) -> None:
    """Its original may be that needle: who deletes both has neither."""
    immich.picture(jpeg(1), preview(1), originalPath="/data/library/admin/lib/a.jpg")
    report = scan(immich, tree("n", {"lib/a.jpg": jpeg(1), "copy/b.jpg": jpeg(1, 70)}))
    assert {"a.jpg": ("missing", None), "b.jpg": ("missing", None)} == said(report)
    assert 0 == asked(immich, "size=preview")


def test_needles_in_folders_of_immich_are_not_looked_for(immich: Immich, tree: Tree) -> None:
    """They may be originals of the server themselves."""
    immich.picture(jpeg(1), preview(1))
    report = scan(immich, tree("n", {"library/.immich": b"1", "library/x/a.jpg": jpeg(1, 70)}))
    assert ("missing", None) == said(report)["a.jpg"]
    assert 0 == asked(immich, "/search/metadata")


@pytest.mark.parametrize("content", [jpeg(1)[:-9], jpeg(1)[:-1] + b"?", b""])
def test_an_original_of_other_bytes_proves_nothing(immich: Immich, tree: Tree, content: bytes) -> None:
    """It has to have the checksum that the server says."""
    asset = immich.picture(jpeg(1), preview(1))
    immich.originals[asset] = content
    report = scan(immich, tree("n", {"n.jpg": jpeg(1, 70)}))
    assert {"n.jpg": ("missing", None)} == said(report)
    assert ["its original has other bytes than the server says"] == notes(report)


def test_what_is_deleted_meanwhile_proves_nothing(immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """The witness is asked about once more before the verdicts."""
    asset = immich.picture(jpeg(1), preview(1))
    real = pipeline.final_check

    def late(*arguments: Any) -> Any:
        immich.assets[asset]["isTrashed"] = True
        return real(*arguments)

    monkeypatch.setattr(pipeline, "final_check", late)
    assert "present" != said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)})))["n.jpg"][0]


def test_paranoid(immich: Immich, tree: Tree) -> None:
    """The original that was downloaded in this run is read again."""
    immich.picture(jpeg(1), preview(1))
    assert {"n.jpg": ("present", "same")} == said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)}), paranoid=True))


def _says(status: int, content: bytes = b"", **headers: str) -> Trick:
    return lambda handler: answer(handler, status, content, **headers)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "trick", "why"),
    [
        ("/search/metadata", _says(403), "it refuses the key in IMMICH_API_KEY (403)"),
        ("/search/metadata", _says(404), "it answers 404 to /api/search/metadata"),
        ("/search/metadata", _says(503), "it answers 503"),
        ("/search/metadata", _says(302, Location="http://127.0.0.1:1/"), "it sends us elsewhere (302)"),
        ("/search/metadata", _says(200, b"{}"), "it does not answer a search as it is documented"),
        (
            "/search/metadata",
            _says(200, b'{"assets": {"items": 1}}'),
            "it does not answer a search as it is documented",
        ),
        ("size=preview", _says(401), "it refuses the key in IMMICH_API_KEY (401)"),
        ("/original", _says(403), "no original could be had from the server"),
    ],
)
def test_a_server_that_does_not_let_us(immich: Immich, tree: Tree, end: str, trick: Trick, why: str) -> None:
    """A warning says so, checksums prove all the same, and the key is in nothing."""
    immich.picture(jpeg(1), preview(1))
    immich.upload(b"one", "1.dat")
    immich.trick = lambda handler: handler.path.endswith(end) and trick(handler)
    warned: list[str] = []

    chosen = make_settings(
        haystack=[immich.url], needles=[str(tree("n", {"n.jpg": jpeg(1, 70), "1.dat": b"one"}))],
        may_be_servers=True, workers=1, no_cache=True,
    )  # fmt: skip
    report = pipeline.scan(chosen, _hearing(warned), make_executor=one_thread)
    assert {"n.jpg": ("missing", None), "1.dat": ("present", "identical")} == said(report)
    assert any(why in text for text in warned), warned
    assert not any(KEY in text for text in (*warned, *(problem.reason for problem in report.problems)))


def _hearing(warned: list[str]) -> Any:
    from dupfind.events import Silence

    class Ears(Silence):
        """Hears warnings."""

        def warn(self, text: str) -> None:
            """Keep it."""
            warned.append(text)

    return Ears()


@pytest.mark.slow
@pytest.mark.parametrize(
    "trick",
    [
        _says(404),
        _says(302, Location="/api/other"),
        _says(200, b"<html>", Content_Type="text/html"),
        _says(200, b"no picture", Content_Type="image/jpeg"),
        _says(200, b"x" * (9 << 20), Content_Type="image/jpeg"),
        _says(500),
    ],
)
def test_a_preview_that_is_none(immich: Immich, tree: Tree, trick: Trick) -> None:
    """Nothing is downloaded for it, and nothing proved; the other picture is found."""
    broken = immich.picture(jpeg(1), preview(1))
    immich.picture(jpeg(2), preview(2), "2.jpg")
    immich.trick = lambda handler: f"{broken}/thumbnail" in handler.path and trick(handler)
    report = scan(immich, tree("n", {"n.jpg": jpeg(1, 70), "m.jpg": jpeg(2, 70)}))
    assert {"n.jpg": ("missing", None), "m.jpg": ("present", "same")} == said(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bound", "value", "present"),
    [
        ("MOST_LISTED", 20_000, 3),
        ("MOST_LISTED", 2, 2),
        ("MOST_PREVIEWS", 1, 1),
        ("MOST_BYTES", len(jpeg(1)) + 10, 1),
        ("MOST_ORIGINAL_BYTES", 10, 0),
    ],
)
def test_bounds(
    immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, present: int
) -> None:
    """What is beyond one is missing, and told of; answers come in pages."""
    for seed in (1, 2, 3):
        immich.picture(jpeg(seed), preview(seed), f"{seed}.jpg")
    immich.page_size = 2
    monkeypatch.setattr(searching, bound, value)
    report = scan(immich, tree("n", {f"{seed}.jpg": jpeg(seed, 70) for seed in (1, 2, 3)}))
    assert present == sum(state == "present" for state, _ in said(report).values())
    if bound in ("MOST_BYTES", "MOST_ORIGINAL_BYTES"):
        assert 3 - present == sum("is too much to be downloaded" in note for note in notes(report))


def test_a_search_without_an_end(immich: Immich, tree: Tree) -> None:
    """A server that always has a next page, and nothing on it, holds nobody up."""
    endless = b'{"assets": {"items": [], "nextPage": "2"}}'
    immich.trick = lambda handler: handler.path.endswith("/search/metadata") and answer(handler, 200, endless)
    assert {"n.jpg": ("missing", None)} == said(scan(immich, tree("n", {"n.jpg": jpeg(1)})))
    assert 1 == asked(immich, "/search/metadata")


def test_a_search_that_brings_the_same_again(immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers each page alike is not asked on; the next stretch of time is."""
    immich.picture(jpeg(1), preview(1))
    search = immich.search

    def alike(question: dict[str, Any]) -> dict[str, Any]:
        answer = search({**question, "page": 1})
        answer["assets"]["nextPage"] = "2"
        return answer

    monkeypatch.setattr(immich, "search", alike)
    assert {"n.jpg": ("present", "same")} == said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)})))
    assert 2 == asked(immich, "/search/metadata")


@pytest.mark.slow
def test_nothing_is_left_behind(immich: Immich, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies go with the run, and none is made below what is compared."""
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr("tempfile.tempdir", None)
    immich.picture(jpeg(1), preview(1))
    needles = tree("n", {"n.jpg": jpeg(1, 70)})
    assert {"n.jpg": ("present", "same")} == said(scan(immich, needles))
    full_size._last_witness.clear()  # kept by who decodes, which is another process in a real run
    gc.collect()
    assert [] == list(room.iterdir())
    monkeypatch.setenv("TMPDIR", str(needles))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert {"n.jpg": ("missing", None)} == said(scan(immich, needles))
    assert ["n.jpg"] == os.listdir(needles)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_copy_that_was_changed(immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch, *, is_cut: bool) -> None:
    """It is not the original any more, and proves nothing, also where it shows the same."""
    immich.picture(jpeg(1), preview(1))
    real = pipeline.find_matches

    def change(needles: Any, haystack: Any, *more: Any, **options: Any) -> Any:
        for entry in haystack:
            with open(entry.place.copy, "ab") as file:
                file.write(b"behind the picture")
                if is_cut:
                    file.truncate(100)
        return real(needles, haystack, *more, **options)

    monkeypatch.setattr(pipeline, "find_matches", change)
    assert {"n.jpg": ("missing", None)} == said(scan(immich, tree("n", {"n.jpg": jpeg(1, 70)})))


def test_a_server_without_previews(immich: Immich, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked for thousands of them in vain."""
    monkeypatch.setattr(searching, "_MOST_FAILURES", 2)
    for number in range(9):
        immich.picture(jpeg(1, 80 + number), b"", f"{number}.jpg")
    immich.trick = lambda handler: "thumbnail" in handler.path and answer(handler, 404, b"")
    warned: list[str] = []
    folder = str(tree("n", {"n.jpg": jpeg(1, 70)}))
    chosen = make_settings(haystack=[immich.url], needles=[folder], may_be_servers=True, workers=1, no_cache=True)
    report = pipeline.scan(chosen, _hearing(warned), make_executor=one_thread)
    assert {"n.jpg": ("missing", None)} == said(report)
    assert any("it gives no previews" in text for text in warned)


def test_previews_of_a_client(immich: Immich) -> None:
    """A busy server is asked again, one that refuses the key is an error."""
    asset = immich.picture(jpeg(1), preview(1))
    busy = [2]

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if busy[0]:
            busy[0] -= 1
            return answer(handler, 429, b"", Retry_After="0")
        return False

    immich.trick = trick
    client = Client(f"http://127.0.0.1:{immich.port}")
    assert preview(1) == client.preview(asset)
    assert client.preview("0a1b2c3d-0000-4000-8000-000000000001") is None
    immich.trick = _says(403)
    with pytest.raises(ServerError, match="refuses the key"):
        client.preview(asset)
    client.close()


def test_what_is_asked_for() -> None:
    """Whole days around each time, joined where they meet; names where there is no time."""
    looks = {
        "/n/a.jpg": Look((0,), "2024:05:01 10:00:00.25+02:00"),
        "/n/b.jpg": Look((0,), "2024:05:02 10:00:00"),
        "/n/c.jpg": Look((0,), "2024:07:02 10:00:00"),
        "/n/IMG_5.jpg": Look((0,), None),
        "/m/img_5.HEIC": Look((0,), "0000:00:00 00:00:00"),
        "/m/x.jpg": Look((0,), "0001:01:01 00:00:00"),
    }
    sought = candidates.sought(looks)
    assert {"img_5": ["/n/IMG_5.jpg", "/m/img_5.HEIC"]} == sought.stems
    first, second = candidates.spans(sought.moments.values())
    question = candidates.question_of_span(first, 3)
    assert ("2024-04-30T20:00:00.000Z", "2024-05-03T00:00:00.000Z", 3, "IMAGE") == tuple(
        question[name] for name in ("takenAfter", "takenBefore", "page", "type")
    )
    assert "2024-07-01T20:00:00.000Z" == candidates.question_of_span(second, 1)["takenAfter"]
    near = [{"localDateTime": text} for text in (LOCAL, "2024-05-01T10:00:02Z", "2024-05-01T10:00:03Z", "x", 7, None)]
    assert [["/n/a.jpg"]] * 2 == [paths for _, paths in candidates.by_time(near, sought.moments)]
    assert [] == list(candidates.by_time([{"localDateTime": "2024-13-01T10:00:02Z"}], sought.moments))


@pytest.mark.slow
def test_the_command(immich: Immich, tree: Tree, tmp_path: Path, dupfind: Dupfind) -> None:
    """As a person calls it: with a cache, twice, with a page; the key is nowhere."""
    immich.picture(jpeg(1), preview(1))
    needles, page, kept = tree("n", {"x/n.jpg": jpeg(1, 70)}), tmp_path / "page.html", tmp_path / "cache.sqlite"
    roots = "--haystack", immich.url, "--needles", str(needles), "--cache", str(kept)
    room = tmp_path / "room"
    room.mkdir()
    for more in ((), ("--html", str(page)), ("--paranoid",)):
        done = dupfind("scan", *roots, "--all", *more, is_started=True, env={"TMPDIR": str(room)})
        assert [] == [path for path in room.iterdir() if path.is_dir() and path.name.startswith("dupfind-")]
        assert 0 == done.returncode, done.stderr
        assert b"1 preview looked at, 1 original downloaded and compared." in done.stdout
        assert KEY.encode() not in done.stdout + done.stderr
    for path in (kept, page):
        assert KEY.encode() not in path.read_bytes()
