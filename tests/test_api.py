"""From Python: the functions that the package hands out, and that they are what the commands do."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import dupfind
from dupfind import api
from dupfind.errors import ActingError, SettingsError
from dupfind.events import Silence
from dupfind.values import Evidence
from fixtures import pictures
from tests.helpers.places import ROOT

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


class Ears(Silence):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warn(self, text: str) -> None:
        """Keep it."""
        self.heard.append(text)


@pytest.fixture
def photos(tree: TreeBuilder) -> Path:
    """A photo, a copy of it, another."""
    photo = pictures.photo(0, (160, 120))
    return tree("p", {"a.png": photo, "copy.jpg": photo, "other.png": pictures.photo(1, (160, 120))})


def test_what_the_package_hands_out() -> None:
    """Nothing else, and nothing before it is asked for."""
    functions = {name for name, value in vars(api).items() if isfunction(value) and value.__module__ == api.__name__}
    public = {name for name in functions if not name.startswith("_")}
    for name in public:
        assert getattr(api, name) is getattr(dupfind, name)
    assert {"__version__", *public} == set(dupfind.__all__)
    with pytest.raises(AttributeError, match="module 'dupfind' has no attribute 'nonsense'"):
        dupfind.nonsense  # type: ignore[attr-defined]  # noqa: B018
    code = "import sys, dupfind; sys.exit('numpy' in sys.modules or 'dupfind.api' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_the_page_names_every_function() -> None:
    """Those that `mkdocstrings` is told to show, and the table in front of it."""
    public = {name for name in dupfind.__all__ if not name.startswith("_")}
    (members,) = re.findall(r"members: \[(.*)\]", (ROOT / "docs" / "api-reference.md").read_text())
    assert public == set(members.split(", "))
    table = (ROOT / "docs" / "api.md").read_text()
    assert public == {name for name in public if f"`{name}(" in table}


@pytest.mark.slow
def test_compare_is_the_command(photos: Path, dupfind: Run) -> None:
    """The same pairs, grades and distances, for any kind of path."""
    names = [photos / name for name in ("a.png", "copy.jpg", "other.png")]
    done = dupfind("compare", *names, "--format", "json", "--algorithm", "dhash")
    answer = api.compare(names[0], str(names[1]), os.fsencode(names[2]), algorithm="dhash", no_cache=True)
    assert (1, False, True) == (done.returncode, answer.are_accepted, answer.is_answered)
    for shown, pair in zip(json.loads(done.stdout)["pairs"], answer.pairs, strict=True):
        assert (shown["first"], shown["other"], shown["evidence"], shown["score"]) == (
            pair.first.path,
            pair.other.path,
            pair.evidence,
            pair.score("dhash"),
        )
    assert [Evidence.SAME, None] == [pair.evidence for pair in answer.pairs]


def test_scan_is_the_command(photos: Path, tree: TreeBuilder, dupfind: Run) -> None:
    """One folder or several, and the options by their names."""
    needles = tree("n", {"a.jpg": pictures.photo(0, (160, 120)), "notes.txt": b"notes"})
    done = dupfind("scan", "--haystack", photos, "--needles", needles, "--format", "json", "--exclude", "*.txt")
    report = api.scan([photos], needles, exclude=["*.txt"], no_cache=True)
    shown = {one["path"]: (one["verdict"], one["evidence"]) for one in json.loads(done.stdout)["files"]}
    assert shown == {one.path: (one.state, one.evidence) for one in report.files}
    assert (1, False) == (done.returncode, report.is_complete)
    assert report.files == api.scan(photos, [needles], exclude="*.txt", no_cache=True).files  # not letter by letter


def test_find_is_the_command(photos: Path, tree: TreeBuilder, dupfind: Run) -> None:
    """The same files in the same order, for one image or several."""
    images = tree("n", {"a.jpg": pictures.photo(0, (160, 120)), "b.png": pictures.photo(7, (160, 120))})
    names = [images / "a.jpg", images / "b.png"]
    done = dupfind("find", *names, "--haystack", photos, "--format", "json", "--algorithm", "dhash", "-k", "2")
    answer = api.find(names, photos, algorithm="dhash", nearest=2, no_cache=True)
    for shown, sought in zip(json.loads(done.stdout)["images"], answer.sought, strict=True):
        assert (shown["image"], shown["seen"]) == (sought.path, sought.is_seen)
        assert [(one["path"], one["evidence"], one["score"]) for one in shown["nearest"]] == [
            (one.path, one.evidence, one.score) for one in sought.nearest
        ]
    assert (1, False, 2) == (done.returncode, answer.are_all_seen, len(answer.sought[1].nearest))
    (alone,) = api.find(os.fsencode(names[0]), [photos], threshold_bits=1, rescan=True, no_cache=True).sought
    assert ["copy.jpg", "a.png"] == [os.path.basename(one.path) for one in alone.nearest]  # the first byte by byte


def test_groups_is_the_command(photos: Path, dupfind: Run) -> None:
    """The same groups with the same members."""
    done = dupfind("groups", photos, "--format", "json", "--exclude", "nothing")
    answer = api.groups(photos, exclude=["nothing"], no_cache=True)
    (shown,), (group,) = json.loads(done.stdout)["groups"], answer.groups
    assert [one["path"] for one in shown["members"]] == [one.path for one in group.members]
    assert (1, False, 3) == (done.returncode, answer.is_clean, answer.files)
    assert [] == api.groups([photos], accept="identical", no_cache=True).groups
    assert [] == api.groups([photos], level="identical", no_cache=True).groups, "its old name"


def test_mistakes_and_warnings(photos: Path) -> None:
    """An error with the command's own words; a listener hears what the command would warn of."""
    with pytest.raises(SettingsError, match="no such file or directory"):
        api.compare(photos / "a.png", photos / "nope.jpg")
    with pytest.raises(SettingsError, match="two files are needed at least"):
        api.compare(photos / "a.png")
    with pytest.raises(SettingsError, match="unknown grade of evidence: sure"):
        api.compare(photos / "a.png", photos / "copy.jpg", accept="sure")
    with pytest.raises(SettingsError, match="unknown grade of evidence: sure"):
        api.groups(photos, accept="sure")
    with pytest.raises(SettingsError, match="nearest takes a number above 0, not 0"):
        api.find(photos / "a.png", photos, nearest=0)
    with pytest.raises(SettingsError, match="no such file or directory"):
        api.find(photos / "nope.png", photos)
    ears = Ears()
    names = photos / "a.png", photos / "a.png", photos / "copy.jpg"
    assert 1 == len(api.compare(*names, listener=ears, no_cache=True).pairs)
    assert [f"{names[0]} is {names[0]} itself and proves nothing: left out"] == ears.heard


def test_arguments_that_are_none(photos: Path) -> None:
    """What is mistyped is named with what there is, and nothing of the inside gets through."""
    unknown: dict[str, Any] = {"treshold_bits": 3}
    inside: dict[str, Any] = {"may_be_catalogs": True}
    for given in (unknown, inside):
        (name,) = given
        said = f"unexpected keyword argument '{name}'; arguments that all take: cache, max_memory_mib, max_pixels"
        with pytest.raises(TypeError, match=said):
            api.scan(photos, photos, **given)
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            api.clean(photos, photos, trash=True, **given)


def test_a_script(photos: Path) -> None:
    """With the usual guard around what it does; nothing is printed but what it prints."""
    script = photos / "script.py"
    script.write_text(
        "import sys\n"
        "from dupfind import compare\n"
        "if __name__ == '__main__':\n"
        "    print(compare(*sys.argv[1:], no_cache=True).pairs[0].evidence)\n"
    )
    command = [sys.executable, script, photos / "a.png", photos / "copy.jpg"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert (b"same\n", b"") == (done.stdout, done.stderr)


WHEN = ("started", "elapsed_seconds", "updated", "age_seconds", "journal", "files_a_second")


def without_times(written: str | bytes) -> Any:
    """JSON without what differs from run to run."""
    whole = json.loads(written)
    whole.get("summary", {}).pop("free_bytes", None)
    return {key: value for key, value in whole.items() if key not in WHEN}


@pytest.mark.slow
def test_json_is_that_of_the_commands(photos: Path, tree: TreeBuilder, dupfind: Run) -> None:
    """Of each answer, to the letter; and a verdict has the same name in both."""
    needles = tree("n", {"a.jpg": pictures.photo(0, (160, 120)), "notes.txt": b"notes", "same/other.png": b"x"})
    trees = "--haystack", photos, "--needles", needles
    new = photos / "new"
    for answer, command in (
        (api.scan(photos, needles, no_cache=True), ["scan", *trees]),
        (
            api.compare(photos / "a.png", photos / "copy.jpg", no_cache=True),
            ["compare", photos / "a.png", photos / "copy.jpg"],
        ),
        (api.find(needles / "a.jpg", photos, no_cache=True), ["find", needles / "a.jpg", "--haystack", photos]),
        (api.groups(photos, no_cache=True), ["groups", photos]),
        (api.explain(needles / "a.jpg", photos, no_cache=True), ["explain", needles / "a.jpg", "--haystack", photos]),
        (api.import_(photos, needles, new, no_cache=True), ["import", *trees, "--to", new, "--dry-run"]),
        (api.clean(photos, needles, trash=True, files=True, no_cache=True), ["clean", *trees, "--trash", "--files"]),
    ):
        done = dupfind(*command, "--format", "json", "--no-cache")
        assert without_times(done.stdout) == without_times(api.to_json(answer)), command[0]
    report = api.scan(photos, needles, no_cache=True)
    whole = json.loads(api.to_json(report))
    assert [row["verdict"] for row in whole["files"]] == [file.verdict for file in report.files]
    assert [row["verdict"] for row in whole["folders"]] == [folder.verdict for folder in report.folders]
    with pytest.raises(TypeError, match="str is no answer of dupfind"):
        api.to_json("report")  # type: ignore[arg-type]


def test_parts_of_pictures_are_looked_for_as_by_the_commands(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is there, unless it is told not to."""
    asked = []
    monkeypatch.setattr("dupfind.libraries.can_find_fragments", lambda: True)
    monkeypatch.setattr(api.explaining, "explain", lambda settings, *_: asked.append(settings.scan.fragments))
    for options in ({}, {"fragments": False}, {"quick": True}):
        dupfind.explain(photos / "a.png", photos, no_cache=True, **options)  # type: ignore[arg-type]
    assert [True, False, False] == asked


def test_a_catalog_stands_for_its_folder(photos: Path, tree: TreeBuilder, tmp_path: Path) -> None:
    """What `index` makes is a haystack; nothing is written into the folder."""
    catalog = tmp_path / "photos.catalog"
    made = api.index(photos, catalog, no_cache=True)
    assert (True, 3, 3) == (made.is_new, made.files, made.read)
    assert "dupfind.index/1" == json.loads(api.to_json(made))["schema"]
    assert not Path(f"{catalog}.columns").exists()
    assert not api.index(photos, catalog, columns=True, no_cache=True).is_new
    assert Path(f"{catalog}.columns").is_dir()
    needles = tree("n", {"a.jpg": pictures.photo(0, (160, 120))})
    assert ["present"] == [file.verdict for file in api.scan(catalog, needles, no_cache=True).files]
    with pytest.raises(SettingsError, match="lies under"):
        api.index(photos, photos / "photos.catalog", no_cache=True)


@pytest.mark.usefixtures("homes")
def test_import_and_clean_act_where_they_are_told_to(tree: TreeBuilder) -> None:
    """A plan by itself changes nothing; with `apply` each is the command; `undo` takes the last of them back."""
    hay, needles, away = tree("h", {"a.txt": b"a"}), tree("n", {"old/a.txt": b"a", "new/b.txt": b"b"}), tree("away", {})
    plan = api.import_(hay, needles, hay / "in", no_cache=True)
    assert (1, False) == (len(plan.items), (hay / "in").exists())
    assert api.import_(hay, needles, hay / "in", apply=True, no_cache=True).is_complete
    assert b"b" == (hay / "in" / "new" / "b.txt").read_bytes()
    planned = api.clean(hay, needles, move_to=away, no_cache=True)
    assert (2, True) == (planned.files, (needles / "old" / "a.txt").exists())
    cleaned = api.clean([hay], [needles], move_to=away, apply=True, no_cache=True)
    assert (True, []) == (cleaned.is_complete, [path for path in needles.rglob("*") if path.is_file()])
    assert api.undo(dry_run=True).is_plan
    assert api.undo().is_complete
    assert b"a" == (needles / "old" / "a.txt").read_bytes()
    assert api.undo().is_complete
    assert not (hay / "in" / "new" / "b.txt").exists()
    with pytest.raises(ActingError, match="nothing to undo"):
        api.undo()


def test_mistakes_of_acting(tree: TreeBuilder) -> None:
    """Refused before anything is looked at."""
    hay, needles = tree("h", {"a.txt": b"a"}), tree("n", {"a.txt": b"a"})
    with pytest.raises(SettingsError, match="either trash or move_to is needed"):
        api.clean(hay, needles)
    with pytest.raises(SettingsError, match="either trash or move_to is needed"):
        api.clean(hay, needles, trash=True, move_to=hay)
    with pytest.raises(SettingsError, match="journal goes with apply"):
        api.clean(hay, needles, trash=True, journal="journal")
    with pytest.raises(SettingsError, match="1 to 16, not 17"):
        api.clean(hay, needles, trash=True, witnesses=17)
    with pytest.raises(SettingsError, match="accept similar is nothing to clean by"):
        api.clean(hay, needles, trash=True, apply=True, accept="similar")
    with pytest.raises(SettingsError, match="also takes similar, fragment, better, unreadable, not worse"):
        api.import_(hay, needles, hay / "in", also="worse")


@pytest.mark.usefixtures("homes")
def test_a_signal_ends_acting_after_the_file(tree: TreeBuilder) -> None:
    """The journal is whole, and Ctrl-C is heard by the script as well: a loop over drives does not go on."""
    hay, needles = tree("h", {}), tree("n", {f"{number}.txt": b"%d" % number for number in range(3)})

    class Interrupting(Silence):
        """Presses Ctrl-C while the first file is copied."""

        def stage(self, name: str, total: int | None) -> Any:
            """Press it."""
            if name == "importing":
                signal.raise_signal(signal.SIGINT)
            return super().stage(name, total)

    with pytest.raises(KeyboardInterrupt):
        api.import_(hay, needles, hay / "in", apply=True, listener=Interrupting(), no_cache=True)
    assert signal.default_int_handler is signal.getsignal(signal.SIGINT)
    there = len(list((hay / "in").rglob("*.txt")))
    assert there < 3
    if there:
        assert api.undo().is_complete


def test_decisions_are_made_kept_and_obeyed(tree: TreeBuilder, tmp_path: Path) -> None:
    """By bytes: for copies of the file too; from a value or from the file, which `--decisions` reads as well."""
    hay, needles = tree("h", {"a.txt": b"a"}), tree("n", {"b.txt": b"b", "copy of b.txt": b"b", "c.txt": b"c"})
    decision = api.decide("not-wanted", needles / "b.txt")
    path = tmp_path / "decisions.json"
    api.write_decisions(path, [decision])
    assert (decision,) == api.read_decisions(path)
    expected = {"b.txt": "unwanted", "copy of b.txt": "unwanted", "c.txt": "missing"}
    for decisions in (path, str(path), [decision]):
        report = api.scan(hay, needles, decisions=decisions, no_cache=True)
        assert expected == {os.path.basename(file.path): file.verdict for file in report.files}
    plan = api.import_(hay, needles, hay / "in", decisions=path, no_cache=True)
    assert ["c.txt"] == [os.path.basename(item.entry.path) for item in plan.items]
    word = api.decide("same", needles / "c.txt", hay / "a.txt")
    assert "same" == word.ruling
    for wrong in (("not-wanted", needles / "b.txt", hay), ("same", needles / "b.txt"), ("perhaps", needles)):
        with pytest.raises(SettingsError):
            api.decide(*wrong)
    with pytest.raises(SettingsError, match="the same bytes, which needs no decision"):
        api.decide("different", needles / "b.txt", needles / "copy of b.txt")
    with pytest.raises(SettingsError, match="not JSON"):
        api.scan(hay, needles, decisions=hay / "a.txt")


def test_threads_and_loops(photos: Path, tree: TreeBuilder) -> None:
    """The same answer in a thread, two at once, from `asyncio.to_thread`, and called in the loop itself."""
    needles = tree("n", {"a.jpg": pictures.photo(0, (160, 120))})

    def ask() -> list[str]:
        return [file.verdict.value for file in api.scan(photos, needles, no_cache=True, workers=1).files]

    async def loop() -> list[list[str]]:
        return [await asyncio.to_thread(ask), ask()]

    with ThreadPoolExecutor(2) as executor:
        answers = list(executor.map(lambda _: ask(), range(2)))
    assert [["present"]] * 4 == answers + asyncio.run(loop())


@pytest.mark.usefixtures("homes")
def test_acting_in_a_thread(tree: TreeBuilder) -> None:
    """Where no signal can be heard, nothing is changed about signals; the files arrive."""
    hay, needles = tree("h", {}), tree("n", {"b.txt": b"b"})
    done = []
    thread = threading.Thread(
        target=lambda: done.append(api.import_(hay, needles, hay / "in", apply=True, no_cache=True))
    )
    thread.start()
    thread.join(60)
    assert [True] == [answer.is_complete for answer in done]
    assert b"b" == (hay / "in" / "b.txt").read_bytes()
