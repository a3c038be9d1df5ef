"""Imports by date of what has no capture time of its own: a Takeout's JSON, then the times of archives."""

from __future__ import annotations

import json
import os
import tarfile
import time
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from dupfind.acting.import_plan import Needle
from dupfind.commands.importing import takeout_times
from dupfind.sidecars.contents import taken_seconds
from dupfind.sources.entries import entry_of
from dupfind.values import FileState, FileVerdict, Kind
from fixtures import pictures
from tests.helpers.acting import import_
from tests.helpers.archives import MOMENT, zipped
from tests.helpers.shelf import TreeBuilder

SECONDS = 1_308_139_200
"""15 June 2011, at noon in London."""


def sidecar(title: str, seconds: object = SECONDS) -> bytes:
    """The JSON of a picture, as a Takeout writes it."""
    return json.dumps(
        {"title": title, "photoTakenTime": {"timestamp": str(seconds), "formatted": "15.06.2011"}, "url": "https://x"}
    ).encode()


def imported(to: Path) -> set[str]:
    """What lies at the destination."""
    return {str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()}


def test_a_takeout_dates_its_pictures_and_films(tree: TreeBuilder, homes: Path) -> None:
    """Before the name and the time of the file; what belongs to them goes with them."""
    hay = tree("hay", {"x.txt": b"x"})
    old = tree(
        "old",
        {
            "a.txt": b"a", "a.txt.json": sidecar("a.txt"),
            "VID_20150101.mp4": b"film", "VID_20150101.mp4.supplemental-metadata.json": sidecar("VID_20150101.mp4"),
            "b.txt": b"b", "b.txt.json": sidecar("another.txt"),
        },
    )  # fmt: skip
    os.utime(old / "b.txt", (1_500_000_000, 1_500_000_000))
    assert import_(hay, old, hay / "in", layout="date").is_complete
    assert {
        "2011/2011-06/a.txt", "2011/2011-06/a.txt.json", "2011/2011-06/VID_20150101.mp4",
        "2011/2011-06/VID_20150101.mp4.supplemental-metadata.json", "2017/2017-07/b.txt",
    } <= imported(hay / "in")  # fmt: skip


def test_the_camera_knows_better(tree: TreeBuilder, homes: Path) -> None:
    """Its capture time comes first; a Takeout has what somebody has entered, or the time of an upload."""
    hay, old = (
        tree("hay", {"x.txt": b"x"}),
        tree("old", {"a.jpg.json": sidecar("a.jpg"), "b.jpg.json": sidecar("b.jpg")}),
    )
    photo = pictures.photo(5, (480, 360))
    photo.save(old / "a.jpg", exif=pictures.exif(captured="2013:05:06 10:11:12"))
    pictures.photo(6, (480, 360)).save(old / "b.jpg", exif=pictures.exif(captured="0000:00:00 00:00:00"))
    assert import_(hay, old, hay / "in", layout="date").is_complete
    assert {"2013/2013-05/a.jpg", "2011/2011-06/b.jpg"} <= imported(hay / "in")


def test_in_an_archive(tree: TreeBuilder, homes: Path) -> None:
    """A Takeout comes as one: its JSON dates members too, else the time that the archive says, which files then get."""
    hay = tree("hay", {"x.txt": b"x"})
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, seconds in (("t.txt", 1_300_000_000), ("none.txt", 0)):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(name), seconds
            packed.addfile(info, BytesIO(name.encode()))
    old = tree(
        "old",
        {
            "a.zip": zipped({"in/a.txt": b"a", "in/a.txt.json": sidecar("a.txt"), "in/b.txt": b"b"}),
            "a.tar": out.getvalue(),
        },
    )
    assert import_(hay, old, hay / "in", layout="date").is_complete
    at = date(*MOMENT[:3])
    assert {
        "2011/2011-06/a.txt", "2011/2011-06/a.txt.json", f"{at:%Y/%Y-%m}/b.txt", "2011/2011-03/t.txt",
        "undated/none.txt",
    } == imported(hay / "in")  # fmt: skip
    assert time.mktime((*MOMENT, 0, 0, -1)) == (hay / f"in/{at:%Y/%Y-%m}/b.txt").stat().st_mtime
    assert 1_300_000_000 == (hay / "in/2011/2011-03/t.txt").stat().st_mtime


def test_a_zip_without_times(tree: TreeBuilder, homes: Path) -> None:
    """1980 is what is written for none."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(zipfile.ZipInfo("a.txt", (1980, 1, 1, 0, 0, 0)), b"a")
    hay, old = tree("hay", {"x.txt": b"x"}), tree("old", {"a.zip": out.getvalue()})
    import_(hay, old, hay / "in", layout="date")
    assert {"undated/a.txt"} == imported(hay / "in")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", sidecar("a.txt", "0"), sidecar("a.txt", "soon"), sidecar("a.txt", "9" * 30),
        b'{"title": "a.txt", "photoTakenTime": []}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_says_nothing(tmp_path: Path, content: bytes) -> None:
    """Dates nothing, and ends no run."""
    taken_seconds(content)
    needles = []
    for name, data in (("a.txt", b"a"), ("a.txt.json", content)):
        (tmp_path / name).write_bytes(data)
        verdict = FileVerdict(f"n/{name}", Kind.OTHER, FileState.MISSING, 5, None, None, None, ())
        needles.append(Needle(entry_of(str(tmp_path / name), (tmp_path / name).stat()), verdict, name, "n"))
    assert {} == takeout_times(needles, needles[:1])
