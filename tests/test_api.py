"""From Python: the functions that the package hands out, and that they are what the commands do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

import dupfind
from dupfind import api
from dupfind.errors import SettingsError
from dupfind.events import Silence
from dupfind.values import Evidence
from fixtures import pictures

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
    for name in ("compare", "describe", "find", "groups", "scan"):
        assert getattr(api, name) is getattr(dupfind, name)
    assert {"__version__", "compare", "describe", "find", "groups", "scan"} == set(dupfind.__all__)
    with pytest.raises(AttributeError, match="module 'dupfind' has no attribute 'nonsense'"):
        dupfind.nonsense  # type: ignore[attr-defined]  # noqa: B018
    code = "import sys, dupfind; sys.exit('numpy' in sys.modules or 'dupfind.api' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


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
