"""Import and clean from the page: the plan first, then what it says and nothing else, and taken back by the journal."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind.cli.main import run
from fixtures import pictures
from tests.helpers.decisions import word
from tests.helpers.live_process import data_of, got, sent, started

pytest.importorskip("starlette", reason="the extra dupfind[review] is not installed")
from dupfind.acting.cleaning import Cleaner
from dupfind.acting.importing import Importer
from dupfind.commands import cleaning, importing
from dupfind.events import Silence
from dupfind.reviewing.acts import Acts, Means
from dupfind.reviewing.decisions_store import as_file
from tests.helpers.reviews import Served

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO, OTHER, THIRD = (pictures.photo(number, (320, 240)) for number in (1, 2, 3))


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def anew(address: str, version: int) -> dict[str, Any]:
    """The page once the files were looked at again."""
    end = time.monotonic() + 60
    while True:
        data = data_of(address)
        if data["era"] > version:
            return data
        assert time.monotonic() < end
        time.sleep(0.05)


def png(image: Image.Image, **options: int) -> bytes:
    """A picture as a PNG."""
    content = io.BytesIO()
    image.save(content, "PNG", **options)
    return content.getvalue()


def number_of(data: dict[str, Any], name: str) -> int:
    """The number of a file in doubt."""
    (number,) = [row["at"] for row in data["files"] if row["path"].endswith(name)]
    return int(number)


@pytest.mark.slow
def test_import(tree: TreeBuilder, tmp_path: Path) -> None:
    """What is missing comes, but for what is not wanted; then it is there for the page too; it can be taken back."""
    hay = tree("hay", {"a.png": PHOTO})
    needles = tree("n", {"a.png": PHOTO, "in/b.png": OTHER, "c.png": THIRD, "d.png": b"none"})
    before = everything(needles)
    with started(tmp_path, "--to", "hay/new") as (process, address):
        data = data_of(address)
        sent(address, "decide", {"needle": number_of(data, "c.png"), "ruling": "not-wanted", "version": 0})
        old = sent(address, "plan", {"what": "import"})
        planned = sent(address, "plan", {"what": "import"})
        assert sent(address, "carry-out", {"plan": old["plan"]})["status"] == 409  # another was shown since
        assert planned["button"].startswith("Import 1 file (")
        assert "hay/new" in planned["text"]
        assert "unreadable" in planned["text"]
        assert "--" not in planned["text"]  # this command has no --also
        page = got(address).decode()
        assert "over by “Import what is missing”" in page
        assert "--only missing" not in page
        news = json.loads(got(address, "changes?since=0"))
        assert "--only missing --files" not in [option for _, option in news["answer"]["steps"]]
        assert not (hay / "new").exists()
        done = sent(address, "carry-out", {"plan": planned["plan"]})
        assert done["mayTakeBack"]
        assert "state/dupfind/journals" in done["text"]  # the journal is named
        assert list(everything(hay / "new").values()) == [before["in/b.png"]]
        data = anew(address, 0)
        assert [row["path"] for row in data["files"]] == ["n/d.png"]
        assert [row["word"] for row in data["decided"]] == ["not-wanted"]
        assert sent(address, "carry-out", {"plan": planned["plan"]})["status"] == 409  # once
        assert (
            sent(address, "decide", {"needle": 0, "ruling": "not-wanted", "version": 0})["status"] == 410
        )  # an old page
        assert sent(address, "take-back", {})["mayTakeBack"] is False
        assert everything(hay / "new") == {}
        assert {row["path"] for row in anew(address, data["era"])["files"]} == {"n/d.png", "n/in/b.png"}
        sent(address, "end", {})
        assert process.wait(30) == 1
    assert everything(needles) == before


@pytest.mark.slow
@pytest.mark.parametrize("to", ["hay/new", "beside"])
def test_decisions_are_there_after_an_import(tree: TreeBuilder, tmp_path: Path, to: str) -> None:
    """The folder that they were imported to is a haystack by then, and the decisions are still about these folders."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"b.png": OTHER, "c.png": THIRD})
    with started(tmp_path, "--to", to) as (process, address):
        sent(address, "decide", {"needle": number_of(data_of(address), "c.png"), "ruling": "not-wanted", "version": 0})
        sent(address, "carry-out", {"plan": sent(address, "plan", {"what": "import"})["plan"]})
        sent(address, "end", {})
        assert process.wait(30) == 0
    for again in (["--to", to], []):
        with started(tmp_path, *again) as (_, address):
            assert [row["word"] for row in data_of(address)["decided"]] == ["not-wanted"]


@pytest.mark.slow
def test_clean(tree: TreeBuilder, tmp_path: Path) -> None:
    """What is contained goes where the command line says; no word makes up for a proof, and a doubt counts."""
    tree("hay", {"a.png": PHOTO, "b.png": OTHER, "small.png": THIRD.resize((240, 180))})
    needles = tree("n", {"gone/a.png": PHOTO, "stays/b.png": OTHER, "stays/c.png": THIRD})
    before = everything(needles)
    (tmp_path / "away").mkdir()
    with started(tmp_path, "--move-to", "away") as (process, address):
        data = data_of(address)
        (row,) = data["files"]
        sent(address, "decide", {"needle": row["at"], "ruling": "same", "witness": row["otherAt"], "version": 0})
        assert [folder[1] for folder in data_of(address)["folders"]] == ["contained"]
        planned = sent(address, "plan", {"what": "clean"})
        assert planned["button"].startswith("Move 1 file to away (")
        assert "--apply" not in planned["text"]
        assert everything(needles) == before
        done = sent(address, "carry-out", {"plan": planned["plan"]})
        assert "state/dupfind/journals" in done["text"]
        assert set(everything(needles)) == {"stays/b.png", "stays/c.png"}
        assert [before["gone/a.png"]] == list(everything(tmp_path / "away").values())
        anew(address, 1)
        assert sent(address, "take-back", {})["mayTakeBack"] is False
        assert everything(needles) == before
        sent(address, "end", {})
        assert process.wait(30) == 0


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("who", ["this page", "another program"])
@pytest.mark.parametrize("what", ["clean", "import"])
def test_a_plan_by_other_decisions(tree: TreeBuilder, tmp_path: Path, what: str, who: str) -> None:
    """What is decided after a plan was shown counts: it is not carried out, and the next one goes by the decisions."""
    hay, needles = tree("hay", {"a.png": PHOTO}), tree("n", {"a.png": png(PHOTO, compress_level=9)})
    kept, before = tmp_path / "own.json", (everything(hay), everything(needles))
    (tmp_path / "away").mkdir()
    option = ("--move-to", "away") if what == "clean" else ("--to", "hay/new")
    with started(tmp_path, "--decisions", str(kept), *option) as (_, address):
        different = {"needle": 0, "ruling": "different", "witness": 1, "version": 0}
        if what == "import":
            assert "rows" in sent(address, "decide", different)
        planned = sent(address, "plan", {"what": what})
        assert " 1 file " in planned["button"]
        if who == "this page":
            news = sent(address, "decide" if what == "clean" else "undo", different)
            assert "rows" in news
        else:
            said = [word("different", needles / "a.png", hay / "a.png")] if what == "clean" else []
            kept.write_bytes(as_file(said))
        refused = sent(address, "carry-out", {"plan": planned["plan"]})
        assert refused.get("status") == 409
        assert "decisions have changed since this plan was shown" in refused["error"]
        assert sent(address, "carry-out", {"plan": planned["plan"]})["status"] == 409
        assert (everything(hay), everything(needles)) == before
        assert sent(address, "plan", {"what": what})["button"] is None


def test_what_the_system_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system while a plan is made is said on the page, whatever the file is called."""
    pictures.save(PHOTO, tmp_path / "hay" / "a.png")
    pictures.save(OTHER, tmp_path / "n" / "b.png")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error", "n/b\udcff.png")

    monkeypatch.setattr(Acts, "offered", ["import"])
    monkeypatch.setattr(Acts, "plan", fail)
    with Served(tmp_path / "hay", tmp_path / "n", tmp_path / "decisions.json") as served:
        worker = threading.Thread(target=lambda: (served._thread.join(60), served.jobs.work_alone()))
        worker.start()
        answer = served.post("plan", {"what": "import"})
        worker.join(60)
    assert (answer.status, answer.json()) == (409, {"error": r"n/b\xff.png: input/output error"})


@pytest.mark.parametrize("what", ["import", "clean"])
def test_what_ends_in_the_midst_can_be_taken_back(
    tree: TreeBuilder, homes: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """An error of the system that nobody expects: the page names the journal, and offers the way back."""
    hay, needles = tree("hay", {"a.txt": b"one"}), tree("n", {"x/a.txt": b"one", "y/b.txt": b"two"})
    (homes / "away").mkdir()
    before = everything(homes)
    options: dict[str, Any] = {"needles": [str(needles)], "no_cache": True, "workers": 1}
    means = Means(
        lambda: importing.import_settings(str(hay / "in"), [str(hay)], **options),
        "keep",
        lambda: cleaning.clean_settings(str(homes / "away"), haystack=[str(hay)], **options),
    )
    acts = Acts(means, Silence())
    plan = acts.plan(what, ())
    runner, name = (Importer, "run") if what == "import" else (Cleaner, "run")
    usual = getattr(runner, name)

    def fail(self: Any, *arguments: Any) -> None:
        usual(self, *arguments)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(runner, name, fail)
    done = acts.carry_out(plan["plan"], ())
    assert done["text"].startswith("It ended in the midst: input/output error; dupfind undo /")
    assert (True, True) == (done["mayTakeBack"], acts.has_changed)
    assert before != everything(homes)
    assert not acts.take_back()["mayTakeBack"]
    there = {path: data for path, data in everything(homes).items() if not path.startswith(("state", "data"))}
    assert before == there


@pytest.mark.slow
def test_a_plan_ends_no_review(tree: TreeBuilder, tmp_path: Path) -> None:
    """What reads files begins anew after it: the page goes on, with what is nearest and with the next best witness."""
    small = {"s.png": PHOTO.resize((240, 180)), "t.png": PHOTO.resize((200, 150))}
    tree("hay", small)
    tree("n", {"a.png": PHOTO, "b.png": OTHER, "c.png": THIRD})
    with started(tmp_path, "--to", "hay/new") as (_, address):
        data = data_of(address)
        numbers = {row["path"][2:]: row["at"] for row in data["files"]}
        assert json.loads(got(address, f"details?numbers={numbers['b.png']}"))
        (row,) = [row for row in data["files"] if row["path"] == "n/a.png"]
        said = {"needle": row["at"], "ruling": "different", "witness": row["otherAt"], "version": 0}
        assert sent(address, "decide", said)["rows"][0]["other"] == "hay/t.png"
        assert sent(address, "plan", {"what": "import"})["button"].startswith("Import 2 files")
        details = json.loads(got(address, f"details?numbers={numbers['c.png']}"))
        assert details[str(numbers["c.png"])]["row"]["why"]
        news = sent(address, "decide", {**said, "witness": row["otherAt"] + 1})
        assert [one["verdict"] for one in news["rows"]] == ["missing"]
        assert len(got(address, f"picture/small/{numbers['a.png']}")) > 1000


@pytest.mark.slow
def test_nothing_is_left(tree: TreeBuilder, tmp_path: Path) -> None:
    """All needles may go: then there is nothing to look at or to decide on, and it can still be taken back."""
    tree("hay", {"a.png": PHOTO})
    needles = tree("n", {"a.png": PHOTO, "in/a.png": PHOTO})
    before = everything(needles)
    (tmp_path / "away").mkdir()
    with started(tmp_path, "--move-to", "away") as (process, address):
        planned = sent(address, "plan", {"what": "clean"})
        done = sent(address, "carry-out", {"plan": planned["plan"]})
        assert done["mayTakeBack"]
        assert not needles.exists()
        assert "no such" in json.loads(got(address, "changes?since=0"))["gone"]
        assert sent(address, "decide", {"needle": 0, "ruling": "not-wanted", "version": 0})["status"] == 410
        sent(address, "take-back", {})
        assert everything(needles) == before
        assert anew(address, 0)["files"] == []
        sent(address, "end", {})
        assert process.wait(30) == 0


@pytest.mark.slow
def test_the_other_needles_are_left(tree: TreeBuilder, tmp_path: Path) -> None:
    """A root that went as a whole is looked for no more."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"a.png": PHOTO})
    tree("m", {"b.png": OTHER})
    (tmp_path / "away").mkdir()
    with started(tmp_path, "--needles", "m", "--move-to", "away") as (_, address):
        sent(address, "carry-out", {"plan": sent(address, "plan", {"what": "clean"})["plan"]})
        assert [row["path"] for row in anew(address, 0)["files"]] == ["m/b.png"]


@pytest.mark.slow
def test_what_is_not_offered(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing acts without the option that says where to; no request can name a place."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"b.png": OTHER})
    with started(tmp_path) as (_, address):
        for what in ("import", "clean", "undo", None, ["import"]):
            assert sent(address, "plan", {"what": what, "to": str(tmp_path / "hay")})["status"] == 400
        for body in ({}, {"plan": 7}, {"plan": None}):
            assert sent(address, "carry-out", body)["status"] == 400
        assert sent(address, "carry-out", {"plan": "ab" * 8})["status"] == 409
        assert sent(address, "take-back", {})["status"] == 409
    assert {"a.png"} == set(everything(tmp_path / "hay"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--layout", "date"], "--layout goes with --to"),
        (["--trash", "--move-to", "away"], "--trash and --move-to contradict each other"),
        (["--trash", "--follow-symlinks"], "--follow-symlinks does not go with --to, --trash and --move-to"),
        (["--trash", "--quick"], "--quick is nothing to clean by"),
        (["--to", "n/new"], "--to n/new lies in the needles n"),
        (["--move-to", "away"], "--move-to away: there is no such folder"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_at_once(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], why: str,
) -> None:  # fmt: skip
    """One line, and 2."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"b.png": OTHER})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert run(["review", "--haystack", "hay", "--needles", "n", *arguments]) == 2
    assert capsys.readouterr().err == f"dupfind: {why}\n"
