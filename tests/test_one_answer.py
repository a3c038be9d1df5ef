"""`scan`, `find` and `explain` ask one comparison core: one witness, and one list of the nearest pictures."""

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


def answers(dupfind: Run, haystack: str, needles: str, **options: Any) -> tuple[dict[str, Any], ...]:
    """By file: what scan, find and explain say in JSON."""
    common = "--haystack", haystack, "--format", "json", "-q"

    def ask(*arguments: str) -> Any:
        done = dupfind(*arguments, *common, **options)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    scanned = {one["path"]: one for one in ask("scan", "--needles", needles)["files"]}
    files = list(scanned)  # junk is none
    found = {one["image"]: one for one in ask("find", "-k", "6", *files)["images"]}
    explained = {one["needle"]: one for one in ask("explain", "-k", "6", *files)["needles"]}
    assert set(files) == set(found) == set(explained)
    return scanned, found, explained


def told(nearest: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What is the same whoever asks."""
    return [(one["path"], one["evidence"], one["distance_bits"], one["reason_code"]) for one in nearest]


def assert_one_answer(scanned: dict[str, Any], found: dict[str, Any], explained: dict[str, Any]) -> None:
    """One witness of each file, in the same words, and where there is none one list."""
    for path, verdict in scanned.items():
        first = found[path]["nearest"][0] if found[path]["nearest"] else {}
        for key in ("witness", "evidence", "reason", "reason_code"):
            assert verdict[key] == explained[path][key], path
        if verdict["witness"] is not None:
            assert (verdict["witness"], verdict["evidence"]) == (first["path"], first["evidence"]), path
            assert verdict["reason"] == first["reason"], path
        if explained[path]["nearest"]:
            assert told(explained[path]["nearest"]) == told(found[path]["nearest"]), path


@pytest.mark.slow
def test_the_demo(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """Every file of the backup: copies, look-alikes, what is new, what is no picture."""
    options = {"cwd": demo_trees, "env": {"DUPFIND_CACHE": demo_cache}}
    assert_one_answer(*answers(dupfind, demo.HAYSTACK, demo.NEEDLES, **options))


def test_copies_of_one_picture(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """Of two sizes, turned, framed, mirrored, damaged; what only look-alikes are near to, and what is new."""
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
    scanned, found, explained = answers(dupfind, "hay", "n", cwd=tmp_path)
    assert_one_answer(scanned, found, explained)
    assert "hay/b large.png" == scanned["n/small.png"]["witness"]  # of equals the larger one
    assert {"identical", "same", "similar", None} == {verdict["evidence"] for verdict in scanned.values()}
