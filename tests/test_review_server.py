"""The routes of the live page: what each gives, and every way in which one may ask for too much."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.answers import decisions
from dupfind.errors import OutputError
from fixtures import pictures
from tests.helpers.report_pages import block
from tests.helpers.trees import build_tree

pytest.importorskip("starlette", reason="the extra dupfind[review] is not installed")
from tests.helpers.reviews import Served

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO, OTHER, THIRD = (pictures.photo(number, (640, 480)) for number in (1, 2, 3))
BROKEN = b"\xff\xd8\xff\xe0 broken"


def trees(folder: Path) -> tuple[Path, Path]:
    """Haystack and needles: a doubtful pair, a missing picture, a broken one, a text, two that are there."""
    hay = build_tree(
        folder / "hay", {"small.png": PHOTO.resize((480, 360)), "there.png": OTHER.rotate(90, expand=True)}
    )
    needles = {"a.png": PHOTO, "b.png": THIRD, "c.jpg": BROKEN, "d.txt": b"text"}
    needles |= {"e.png": OTHER.rotate(90, expand=True), "turned.png": OTHER}
    return hay, build_tree(folder / "n", needles)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A review that no test decides in."""
    folder = tmp_path_factory.mktemp("served")
    with Served(*trees(folder), folder / "decisions.json") as served:
        yield served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A review of a test's own."""
    with Served(*trees(tmp_path), tmp_path / "kept" / "decisions.json") as own:
        yield own


def test_the_page(shared: Served) -> None:
    """Holds every file in doubt by its number, allows itself and this server only, and is kept by nobody."""
    answer = shared.get()
    assert (200, "text/html; charset=utf-8") == (answer.status, answer.headers["content-type"])
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'sha256-")
    assert policy.endswith("; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    for name, value in {
        "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
        "x-frame-options": "DENY", "cross-origin-resource-policy": "same-origin",
    }.items():  # fmt: skip
        assert answer.headers[name] == value
    data = block(answer.content, "data")
    rows = {os.path.basename(row["path"]): row for row in data["files"]}
    assert {"a.png": "similar", "b.png": "missing", "c.jpg": "unreadable", "d.txt": "missing"} == {
        name: row["verdict"] for name, row in rows.items()
    }
    assert rows["a.png"]["at"] == shared.number("a.png")
    assert shared.review.files.shown(rows["a.png"]["otherAt"]).endswith("small.png")
    assert [os.path.basename(row[0]) for row in data["present"]] == ["e.png", "turned.png"]
    assert data["sights"] == {}
    assert b'id="undo"' in answer.content


def test_a_wrong_door(shared: Served) -> None:
    """Without the token, by another name of this machine, or from another page there is nothing, whatever is asked."""
    token = shared.door.token
    for path in ("/", "/decisions.json", f"/{token[:-1]}x/", f"/{token}", "/favicon.ico"):
        answer = shared.ask("GET", path)
        assert (404, "Not Found") == (answer.status, answer.text), path
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert shared.get(Host=shared.door.host.replace("127.0.0.1", "localhost")).status == 421
    assert shared.get("decisions.json", Sec_Fetch_Site="cross-site").status == 403
    assert shared.ask("OPTIONS", f"/{token}/decide").status == 405
    assert not [name for name in shared.get().headers if name.startswith("access-control")]
    assert shared.decide(0, "not-wanted", Origin="http://127.0.0.1:9000").status == 403
    assert shared.decide(0, "not-wanted", Sec_Fetch_Site="cross-site").status == 403
    assert shared.decide(0, "not-wanted", Content_Type="text/plain").status == 403


@pytest.mark.parametrize(
    "path",
    ["picture/small/../../../../etc/passwd", "picture/small/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
     "picture/../decisions.json",
     "picture/small/99", "picture/small/-1", "picture/small/1e3", "picture/small/%D9%A1", "picture/huge/0",
     "picture/small/0/", "picture/small", "..", "static/", "live.js", "changes/",
     "picture/small/999999999999999999999"],
)  # fmt: skip
def test_there_is_no_other_way_to_a_file(shared: Served, path: str) -> None:
    """Numbers of this run, and nothing from the disk."""
    answer = shared.get(path)
    assert answer.status in (400, 404), answer.status
    assert answer.text in ("Not Found", "Bad Request")


def test_no_get_changes_anything(shared: Served) -> None:
    """What changes something has to be sent."""
    for path in ("decide", "undo", "end"):
        assert shared.get(path).status == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"{", 400), (b"[" * 50_000, 400), ({"needle": 0}, 400), ({"needle": "x"}, 400),
        ({"needle": -1, "version": 0}, 400), ({"needle": True, "version": 0}, 400),
        ({"needle": 1.5, "version": 0}, 400),
        ({"needle": 0, "version": 0, "ruling": "delete"}, 400), ({"needle": 0, "version": 0, "ruling": ["same"]}, 400),
        ({"needle": 99, "version": 0, "ruling": "not-wanted"}, 404),
        ({"needle": 6, "version": 0, "ruling": "not-wanted"}, 404),
        ({"needle": 0, "version": 0, "ruling": "same", "witness": 99}, 404),
        ({"needle": 0, "version": 0, "ruling": "same", "witness": 1}, 404),
        ({"needle": 0, "version": 0, "ruling": "same", "witness": None}, 404),
        ({"needle": 0, "version": 0, "ruling": None}, 409),
        (b" " * (64 << 10) + b"{}", 413), (b"x" * 10_000_000, 413),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_not_taken(shared: Served, body: object, status: int) -> None:
    """Bodies that are none or too large, numbers out of range, rulings that there are not; nothing is kept."""
    answer = shared.post("decide", body)
    assert status == answer.status, answer.text
    assert "/" not in answer.text
    assert json.loads(shared.get("decisions.json").content)["decisions"] == []


def test_pictures(shared: Served) -> None:
    """Made when they are asked for: small as WebP, at full size as JPEG; of what is none it is said why."""
    small = shared.get(f"picture/small/{shared.number('a.png')}")
    full = shared.get(f"picture/full/{shared.number('a.png')}")
    assert (200, "image/webp", "no-store") == (
        small.status,
        small.headers["content-type"],
        small.headers["cache-control"],
    )
    assert (200, "image/jpeg") == (full.status, full.headers["content-type"])
    assert (480, 360) == Image.open(io.BytesIO(small.content)).size
    assert (640, 480) == Image.open(io.BytesIO(full.content)).size
    broken = shared.get(f"picture/small/{shared.number('c.jpg')}")
    assert 409 == broken.status
    assert broken.text.startswith("cannot be decoded")


def test_details(shared: Served) -> None:
    """Facts of both pictures, the nearest one of a missing needle and why it is none, how they lie on each other."""
    numbers = [shared.number(name) for name in ("a.png", "b.png", "d.txt", "turned.png")]
    details = shared.get(f"details?numbers={','.join(map(str, numbers))}").json()
    a, b, d, turned = (details[str(number)] for number in numbers)
    assert (640, 480) == tuple(a["sights"][str(numbers[0])][key] for key in ("width", "height"))
    assert b["row"]["other"].endswith(".png")
    assert "turn" not in b["row"]
    assert b["row"]["why"]
    assert turned["row"]["turn"] in (5, 7)
    assert "picture" not in d["sights"][str(numbers[2])]
    assert shared.get(f"details?numbers={','.join(['0'] * 101)}").status == 400
    assert shared.get("details?numbers=99").status == 404
    assert shared.get("details").status == 400


def test_a_name_that_is_not_plain(tree: TreeBuilder, tmp_path: Path) -> None:
    """Is shown spelt out and copied as it is, before and after more is known of the file."""
    hay = tree("hay", {"b.png": THIRD})
    needles = tree("n", {os.fsdecode(b"caf\xe9\n.png"): PHOTO})
    with Served(hay, needles, tmp_path / "decisions.json") as served:
        (row,) = block(served.get().content, "data")["files"]
        sight = served.get("details?numbers=0").json()["0"]["sights"]["0"]
        assert row["copy"] == sight["copy"] == f"$'{needles}/caf\\xe9\\n.png'"
        assert served.get("picture/small/0").status == 200
        news = served.decide(0, "not-wanted").json()
        assert [one["verdict"] for one in news["rows"]] == ["unwanted"]
        assert served.get("decisions.json").json()["decisions"][0]["needle"]["path"].endswith("caf\ufffd\\n.png")


@pytest.mark.slow
def test_a_decision_is_kept_and_changes_the_answer(served: Served, tmp_path: Path) -> None:
    """At once, in the file and for every window; what is taken back is gone from both."""
    number = served.number("a.png")
    row = served.get(f"details?numbers={number}").json()[str(number)]["row"]
    news = served.decide(number, "same", row["otherAt"]).json()
    assert [("present", "same")] == [(one["verdict"], one["word"]) for one in news["rows"]]
    assert news["answer"]["decisions"] == {"same": 1}
    assert news["answer"]["headline"].startswith("3 of 6 files")
    assert [("partial", 3)] == [(folder[1], folder[2]) for folder in news["folders"]]
    kept = tmp_path / "kept" / "decisions.json"
    (decision,) = decisions.parse(kept.read_bytes())
    assert ("same", "similar") == (decision.ruling, decision.evidence)
    assert 0o700 == kept.parent.stat().st_mode & 0o777
    assert served.get("decisions.json").content == kept.read_bytes()
    other = served.get("changes?since=0").json()
    assert other["rows"] == news["rows"]
    assert served.get(f"changes?since={news['version']}").json() == {"version": news["version"]}
    assert block(served.get().content, "data")["decided"][0]["word"] == "same"
    assert served.post("undo", {"version": 0}).json()["answer"]["decisions"] == {}
    assert decisions.parse(kept.read_bytes()) == ()
    assert served.post("undo", {"version": 0}).status == 409
    assert block(served.get().content, "data")["decided"] == []


def test_a_pair_that_was_not_shown_is_not_decided_on(served: Served) -> None:
    """Only what stands beside a needle can be the same, or different: a stale window, or a made-up number, cannot."""
    number, first = served.number("a.png"), len(served.review.files.needles)
    places = range(first, len(served.review.files))
    wrong = next(at for at in places if served.review.files.shown(at).endswith("there.png"))
    for ruling in ("same", "different"):
        answer = served.decide(number, ruling, wrong)
        assert (409, "the two do not stand beside each other any more: look again") == (
            answer.status, answer.json()["error"],
        )  # fmt: skip
    for name in ("c.jpg", "d.txt"):
        answer = served.decide(served.number(name), "same", first)
        assert (409, "a file that nobody can look at is not wanted, or undecided") == (
            answer.status, answer.json()["error"],
        )  # fmt: skip
    assert served.decide(served.number("c.jpg"), "not-wanted").status == 200


@pytest.mark.slow
def test_a_file_that_has_changed(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is neither shown, from memory or anew, nor decided on; what was decided on it before holds no longer."""
    monkeypatch.setattr("dupfind.reviewing.live_answer.RACY_NS", 0)  # the files are seconds old, and known all the same
    number = served.number("b.png")
    assert served.get(f"picture/small/{number}").status == 200
    assert served.decide(number, "not-wanted").json()["rows"][0]["verdict"] == "unwanted"
    PHOTO.save(tmp_path / "n" / "b.png")
    answer = served.get(f"picture/small/{number}")
    assert (409, "changed while dupfind ran") == (answer.status, answer.text)
    assert served.get(f"picture/full/{number}").status == 409
    assert "changed" in served.get(f"details?numbers={number}").json()[str(number)]["sights"][str(number)]["why"]
    assert served.decide(number, "not-wanted").json()["error"].startswith("changed while dupfind ran")
    news = served.decide(served.number("d.txt"), "not-wanted").json()
    assert {"b.png": "missing", "d.txt": "unwanted"} == {
        os.path.basename(row["path"]): row["verdict"] for row in news["rows"]
    }


@pytest.mark.slow
def test_a_witness_that_has_changed(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proves nothing on anybody's word any more."""
    monkeypatch.setattr("dupfind.reviewing.live_answer.RACY_NS", 0)
    number = served.number("a.png")
    row = served.get(f"details?numbers={number}").json()[str(number)]["row"]
    assert served.decide(number, "same", row["otherAt"]).json()["rows"][0]["verdict"] == "present"
    OTHER.save(tmp_path / "hay" / "small.png")
    news = served.decide(served.number("d.txt"), "not-wanted").json()
    assert "similar" in [one["verdict"] for one in news["rows"] if one["path"].endswith("a.png")]
    assert served.decide(number, "same", row["otherAt"]).status == 409


def test_a_file_of_decisions_that_cannot_be_written(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is told, and shows what is kept: nothing was decided."""

    def fail(_: bytes, path: str) -> None:
        raise OutputError(f"{path}: no space left on device; the report was not written")

    monkeypatch.setattr("dupfind.output.write", fail)
    answer = served.decide(served.number("d.txt"), "not-wanted")
    assert 507 == answer.status
    assert answer.json() == {"error": "the decision could not be kept: see the terminal"}
    assert block(served.get().content, "data")["decisions"] == {}


def test_another_program_writes_the_file(served: Served, tmp_path: Path) -> None:
    """What it has decided is taken in, and nothing of it is lost; what is no such file is not written over."""
    kept = tmp_path / "kept" / "decisions.json"
    served.decide(served.number("d.txt"), "not-wanted")
    first = kept.read_bytes()
    served.decide(served.number("c.jpg"), "not-wanted")
    kept.write_bytes(first)
    news = served.get("changes?since=0").json()
    assert news["answer"]["decisions"] == {"not-wanted": 1}
    assert served.post("undo", {"version": 0}).status == 409  # not what this run has decided last
    served.decide(served.number("b.png"), "not-wanted")
    assert [os.path.basename(one.needle.path) for one in decisions.parse(kept.read_bytes())] == ["d.txt", "b.png"]
    kept.write_bytes(b"{}")
    assert served.decide(served.number("c.jpg"), "not-wanted").status == 409
    assert kept.read_bytes() == b"{}"


def test_the_end(served: Served) -> None:
    """Comes when the page asks for it."""
    assert served.post("end", {}).json() == {}
