"""Every command asks one comparison core: one witness, one list of the nearest pictures, one grade of a pair.

`scan`, `find` and `explain` are asked for every file; `scan --paranoid` has to confirm it, `compare` to say the same of
each needle and its witness, and `groups` to put the two together.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from fixtures import demo, pictures

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]

DAMAGED = "partly-intact"
FOUND_OTHERWISE = {DAMAGED, "frame-added", "witness-frame-added", "frames-differ"}
CONFLICT = "conflict"
SAME_DATA = "same-image-data"


class Asker:
    """Asks commands about the needles in one folder and the haystack in another, and gives their JSON."""

    def __init__(self, dupfind: Run, haystack: str, needles: str, **options: Any) -> None:
        self._dupfind = dupfind
        self._options = options
        self.haystack = haystack
        self.needles = needles
        self.scanned = self.scan()
        self.files = list(self.scanned)  # junk is none

    def ask(self, *arguments: str) -> Any:
        """Run a command."""
        done = self._dupfind(*arguments, "--format", "json", "-q", **self._options)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    def scan(self, *options: str) -> dict[str, Any]:
        """By file, what a scan says."""
        answer = self.ask("scan", "--haystack", self.haystack, "--needles", self.needles, *options)
        return {verdict["path"]: verdict for verdict in answer["files"]}

    def nearest(self, command: str, key: str, name: str) -> dict[str, Any]:
        """By file, what ``find`` or ``explain`` say."""
        answer = self.ask(command, "--haystack", self.haystack, "-k", "6", *self.files)
        return {entry[name]: entry for entry in answer[key]}

    def groups(self, level: str) -> list[dict[str, int]]:
        """Of each group the stack of each member."""
        answer = self.ask("groups", self.haystack, self.needles, "--accept", level)
        return [{member["path"]: member["stack"] for member in group["members"]} for group in answer["groups"]]


def told(nearest: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What is the same whoever asks."""
    return [(near["path"], near["evidence"], near["distance_bits"], near["reason_code"]) for near in nearest]


def assert_one_witness(asker: Asker) -> None:
    """One witness of each file, in the same words, and where there is none one list."""
    found = asker.nearest("find", "images", "image")
    explained = asker.nearest("explain", "needles", "needle")
    assert set(asker.files) == set(found) == set(explained)
    for path, verdict in asker.scanned.items():
        first = found[path]["nearest"][0] if found[path]["nearest"] else {}
        for key in ("witness", "evidence", "reason", "reason_code"):
            assert verdict[key] == explained[path][key], path
        if verdict["witness"] is not None:
            assert (verdict["witness"], verdict["evidence"]) == (first["path"], first["evidence"]), path
            assert verdict["reason"] == first["reason"], path
        if explained[path]["nearest"]:
            assert told(explained[path]["nearest"]) == told(found[path]["nearest"]), path


def assert_confirmed(asker: Asker) -> None:
    """Read again, past the cache, nothing comes out otherwise; what was found without frames is not confirmed."""
    again = asker.scan("--paranoid", "--accept", "similar")
    for path, verdict in asker.scanned.items():
        if verdict["reason_code"] in FOUND_OTHERWISE and again[path]["witness"] is None:
            assert again[path]["verdict"] != "present", path  # the safe side, on purpose
            continue
        for key in ("witness", "evidence", "distance_bits", "reason_code"):
            assert verdict[key] == again[path][key], path


def assert_one_grade_of_a_pair(asker: Asker) -> int:
    """`compare` says of each needle and its witness what the scan said, unless other needles had a part in that."""
    compared = 0
    for path, verdict in asker.scanned.items():
        is_film = verdict["reason_code"] == SAME_DATA
        if (
            verdict["witness"] is None
            or (verdict["kind"] != "image" and not is_film)
            or verdict["reason_code"] == CONFLICT
        ):
            continue
        (pair,) = asker.ask("compare", path, verdict["witness"])["pairs"]
        proof = pair["first_by_other"]
        for key in ("evidence", "reason_code"):  # the words differ: here "the other one", there "the haystack's copy"
            assert verdict[key] == proof[key], path
        compared += 1
    return compared


def assert_grouped(asker: Asker) -> None:
    """What a witness proves is in its stack; what it resembles is in its group; what is missing is with no proof."""
    by_level = {level: asker.groups(level) for level in ("same", "similar")}

    def together(level: str, path: str) -> dict[str, int]:
        return next((group for group in by_level[level] if path in group), {})

    for path, verdict in asker.scanned.items():
        witness, stacks = verdict["witness"], together("same", path)
        if verdict["evidence"] in ("identical", "same"):
            assert witness in stacks, path
        elif verdict["evidence"] == "similar" and verdict["reason_code"] != DAMAGED:
            assert witness in together("similar", path) or witness in stacks, path
        elif witness is None:
            assert not any(member.startswith(f"{asker.haystack}/") for member in stacks), path


@pytest.mark.slow
def test_the_demo(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """Every file of the backup: copies, look-alikes, what is new, what is no picture."""
    options = {"cwd": demo_trees, "env": {"DUPFIND_CACHE": demo_cache}}
    asker = Asker(dupfind, demo.HAYSTACK, demo.NEEDLES, **options)
    assert_one_witness(asker)
    assert_confirmed(asker)
    assert assert_one_grade_of_a_pair(asker) > 20
    assert_grouped(asker)


@pytest.fixture
def kinds(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> Asker:
    """Copies of two sizes, turned, framed, mirrored, damaged; what only look-alikes are near to, and what is new."""
    photo, other, third = (pictures.photo(seed, (320, 240)) for seed in (1, 2, 3))
    half = photo.resize((160, 120), Image.Resampling.LANCZOS)
    tree(
        "hay",
        {"a small.png": half, "b large.png": photo, "c.jpg": other, "d.jpg": third, "e turned.png": third.rotate(180)},
    )
    whole = (tmp_path / "hay" / "d.jpg").read_bytes()
    tree(
        "n",
        {
            "small.png": photo.resize((144, 108), Image.Resampling.LANCZOS),
            "same bytes.jpg": (tmp_path / "hay" / "c.jpg").read_bytes(),
            "framed.png": ImageOps.expand(other, 20, "white"),
            "mirrored.png": ImageOps.mirror(photo),
            "patched.png": pictures.with_patch(photo, 5, 0.05),
            "larger.png": photo.resize((640, 480), Image.Resampling.LANCZOS),
            "cut.jpg": whole[: len(whole) * 3 // 4],
            "new.png": pictures.photo(9, (320, 240)),
            "notes.txt": b"notes",
        },
    )  # fmt: skip
    return Asker(dupfind, "hay", "n", cwd=tmp_path)


def test_copies_of_one_picture(kinds: Asker) -> None:
    """Scan, find and explain."""
    assert_one_witness(kinds)
    assert "hay/b large.png" == kinds.scanned["n/small.png"]["witness"]  # of equals the larger one
    assert {"identical", "same", "similar", None} == {verdict["evidence"] for verdict in kinds.scanned.values()}


@pytest.mark.slow
def test_copies_of_one_picture_read_again(kinds: Asker) -> None:
    """The second look has the views of a scan."""
    assert_confirmed(kinds)


@pytest.mark.slow
def test_copies_of_one_picture_in_pairs(kinds: Asker) -> None:
    """Compared one by one, and gathered into groups."""
    assert assert_one_grade_of_a_pair(kinds) > 4
    assert_grouped(kinds)


@pytest.mark.slow
def test_films(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """In another container, with other tags, equal to the byte, shorter, and new."""
    pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")
    from tests.helpers.films import film, remuxed

    original = film("mov")
    faststart = {"movflags": "+faststart"}
    hay = {title: remuxed(original, "mp4", options=faststart, tags={"title": title}) for title in ("Lake", "Sea")}
    tree("hay", {"b.mp4": hay["Lake"], "a.mp4": hay["Sea"], "other.mov": film("mov", seed=3)})
    needles = {"n.mov": original, "same bytes.mp4": hay["Lake"], "short.mov": film("mov", frames=11)}
    tree("n", {**needles, "new.mov": film("mov", seed=5), "notes.txt": b"notes"})
    asker = Asker(dupfind, "hay", "n", cwd=tmp_path)
    assert_one_witness(asker)
    assert_confirmed(asker)
    assert 1 == assert_one_grade_of_a_pair(asker)
    assert_grouped(asker)
    assert ("hay/a.mp4", SAME_DATA) == tuple(asker.scanned["n/n.mov"][key] for key in ("witness", "reason_code"))
