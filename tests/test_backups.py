"""Small backups as people have them: what is all in the library is closed, and what holds one thing more is not.

Each kind is built once with nothing to lose and once with one thing that only the backup has, put where that kind
hides it: a folder that is never closed helps nobody, and one that is closed wrongly loses a photo.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image, PngImagePlugin

from dupfind.values import FolderState
from fixtures import pictures
from fixtures.dng import dng
from tests.helpers import archives, sidecar_contents
from tests.helpers.encodings import jpeg
from tests.helpers.scans import scan
from tests.helpers.stamped import saved

Files = Mapping[str, bytes]
SIZE = (480, 360)
SHOT = "2019:08:04 10:11:12"


class Backup(NamedTuple):
    """What lies where; names are paths below the root."""

    haystack: Files
    needles: Files
    more: Files
    """What only the backup has, in the worst place: with it the folder must not be closed."""
    options: Mapping[str, Any] = {}


def photo(seed: int, **options: Any) -> bytes:
    """A photo as a camera writes it."""
    return jpeg(pictures.photo(seed, SIZE), quality=92, **options)


def library(*seeds: int) -> dict[str, bytes]:
    """The collection: each photo once, with its capture time."""
    return {f"2019/{seed}.jpg": photo(seed, exif=pictures.exif(captured=SHOT)) for seed in seeds}


def plain() -> Backup:
    """Copies under other names in other folders."""
    kept = library(1, 2, 3)
    return Backup(kept, {f"old/{n}/IMG.jpg": data for n, data in enumerate(kept.values())}, {"old/1/b.jpg": photo(4)})


def re_encoded() -> Backup:
    """What a web album gave back."""
    kept = library(1, 2)
    return Backup(
        kept, {f"w/{s}.jpg": jpeg(pictures.photo(s, SIZE), quality=70) for s in (1, 2)}, {"w/3.jpg": photo(3)}
    )


def reduced() -> Backup:
    """What a messenger sent."""
    small = {
        f"m/{s}.jpg": jpeg(pictures.photo(s, SIZE).resize((320, 240), Image.Resampling.LANCZOS), quality=75)
        for s in (1, 2)
    }
    another = jpeg(pictures.photo(5, SIZE).resize((320, 240)), quality=75)
    return Backup(library(1, 2), small, {"m/IMG-WA0003.jpg": another})


def turned() -> Backup:
    """A viewer has turned the pixels."""
    upright = pictures.photo(1, SIZE)
    needle = jpeg(upright.transpose(Image.Transpose.ROTATE_90), quality=92)
    changed = pictures.with_patch(upright, 9, 0.02).transpose(Image.Transpose.ROTATE_90)
    return Backup(library(1), {"t/1.jpg": needle}, {"t/2.jpg": jpeg(changed, quality=92)})


def other_format() -> Backup:
    """A phone's HEIC beside the JPEG that was exported of it, and a lossless PNG of it."""
    picture = pictures.photo(1, SIZE)
    return Backup(
        {"a.png": saved(picture, "PNG")},
        {"h/a.heic": saved(picture, "HEIF", quality=80), "h/a.webp": saved(picture, "WEBP", quality=85)},
        {"h/b.heic": saved(pictures.photo(2, SIZE), "HEIF", quality=80)},
    )


def tagged() -> Backup:
    """Scans that were given dates and titles since."""
    kept = photo(1, exif=pictures.exif(captured=SHOT))
    return Backup({"a.jpg": kept}, {"s/a.jpg": photo(1)}, {"s/b.jpg": photo(2)})


def optimised() -> Backup:
    """Screenshots that a program has packed better."""
    page = pictures.photo(3, SIZE).quantize(64).convert("RGB")
    note = PngImagePlugin.PngInfo()
    note.add_text("Software", "optimiser")
    other = page.copy()
    other.putpixel((100, 100), (1, 2, 3))
    return Backup(
        {"a.png": saved(page, "PNG", compress_level=9)},
        {"s/a.png": saved(page, "PNG", compress_level=1, pnginfo=note)},
        {"s/b.png": saved(other, "PNG", compress_level=1)},
    )


def takeout() -> Backup:
    """A Takeout with the JSON of each photo and of its album."""
    kept = library(1, 2)
    needles = {f"Takeout/Photos from 2019/{s}.jpg": kept[f"2019/{s}.jpg"] for s in (1, 2)}
    needles |= {
        f"Takeout/Photos from 2019/{s}.jpg.supplemental-metadata.json": sidecar_contents.takeout(f"{s}.jpg")
        for s in (1, 2)
    }
    needles["Takeout/Photos from 2019/metadata.json"] = sidecar_contents.ALBUM
    alone = {"Takeout/Photos from 2019/9.jpg.json": sidecar_contents.takeout("9.jpg")}
    return Backup(kept, needles, alone, {"sidecars": "ignore"})


def with_xmp() -> Backup:
    """What a raw converter writes beside its photos."""
    kept = library(1)
    needles = {"x/1.jpg": kept["2019/1.jpg"], "x/1.xmp": sidecar_contents.xmp(), "x/1.jpg.pp3": sidecar_contents.PP3}
    drawn = sidecar_contents.xmp(f'xmp:Label="{sidecar_contents.CODED_JPEG}"')
    return Backup(kept, needles, {"x/1.jpg.xmp": drawn}, {"sidecars": "ignore"})


def with_aae() -> Backup:
    """What an iPhone writes beside an edited photo."""
    kept = library(1)
    needles = {"a/IMG_1.JPG": kept["2019/1.jpg"], "a/IMG_1.AAE": sidecar_contents.aae()}
    return Backup(kept, needles, {"a/IMG_2.AAE": sidecar_contents.aae()}, {"sidecars": "ignore"})


def packed(name: str) -> Callable[[], Backup]:
    """An archive whose members are in the library."""

    def build() -> Backup:
        kept = library(1, 2)
        pack = archives.PACKERS[name]
        inside = {f"d/{os.path.basename(path)}": data for path, data in kept.items()}
        return Backup(kept, {f"z/b.{name}": pack(inside)}, {f"z/c.{name}": pack({**inside, "d/x.jpg": photo(7)})})

    return build


def nested() -> Backup:
    """A ZIP in a TAR."""
    kept = library(1)
    inner = archives.zipped({"1.jpg": kept["2019/1.jpg"]})
    fuller = archives.zipped({"1.jpg": kept["2019/1.jpg"], "notes.txt": b"where we went"})
    return Backup(kept, {"n/a.tar": archives.tarred({"i.zip": inner})}, {"n/b.tar": archives.tarred({"i.zip": fuller})})


def of_phone() -> Backup:
    """Left-overs of a telephone, and an empty file."""
    kept = library(1)
    needles = {
        "DCIM/1.jpg": kept["2019/1.jpg"],
        "DCIM/.nomedia": b"",
        "DCIM/.thumbnails/1.jpg": b"",
        "DCIM/.stfolder/.keep": b"",
        "DCIM/.trashed-empty": b"",
    }
    return Backup(kept, needles, {"DCIM/.nomedia": b"a diary that somebody hid"})


def of_nas() -> Backup:
    """Left-overs of a network drive and of three systems."""
    kept = library(1)
    needles = {
        "n/1.jpg": kept["2019/1.jpg"],
        "n/desktop.ini": b"[.ShellClassInfo]\r\nIconResource=x\r\n",
        "n/.directory": b"[Dolphin]\nTimestamp=2019,1,1\n",
        "n/.localized": b"",
    }
    return Backup(kept, needles, {"n/@eaDir/1.jpg": photo(6)})


def raw_and_jpeg() -> Backup:
    """A raw file and the camera's JPEG of it; each half needs its own proof."""
    raw, kept = dng(pictures.photo(1, SIZE)), library(1)
    needles = {"r/P1.DNG": raw, "r/P1.JPG": kept["2019/1.jpg"]}
    return Backup({**kept, "P1.DNG": raw}, needles, {"r/P2.DNG": dng(pictures.photo(2, SIZE))})


def set_aside() -> Backup:
    """Logs of programs that the person does not want."""
    kept = library(1)
    needles = {"b/1.jpg": kept["2019/1.jpg"], "b/sync.log": b"12:00 done", ".dupfindignore": b"*.log\n"}
    return Backup(kept, needles, {"b/letter.txt": b"Dear all"})


def animated() -> Backup:
    """An animation and pages, byte for byte."""
    frames = [pictures.photo(seed, (160, 120)) for seed in (1, 2, 3)]
    whole = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    longer = saved(frames[0], "WEBP", save_all=True, append_images=[*frames[1:], frames[0]], lossless=True)
    return Backup({"a.webp": whole}, {"v/b.webp": whole}, {"v/c.webp": longer})


def documents() -> Backup:
    """What is no picture, under other names."""
    text = b"A recipe\n" * 50
    return Backup({"r.txt": text}, {"d/recipe (1).txt": text, "d/empty.txt": b""}, {"d/recipe 2.txt": text + b"!"})


def deep() -> Backup:
    """One photo far down."""
    kept = library(1)
    place = "/".join("abcdefgh")
    return Backup(kept, {f"{place}/1.jpg": kept["2019/1.jpg"]}, {f"{place}/i/j/2.jpg": photo(2)})


BACKUPS: dict[str, Callable[[], Backup]] = {
    "plain copies": plain,
    "re-encoded": re_encoded,
    "reduced": reduced,
    "turned": turned,
    "another format": other_format,
    "tagged scans": tagged,
    "optimised screenshots": optimised,
    "Takeout": takeout,
    "XMP": with_xmp,
    "AAE": with_aae,
    "ZIP": packed("zip"),
    "deflated ZIP": packed("deflated.zip"),
    "ZIP64": packed("64.zip"),
    "TAR": packed("tar"),
    "tar.gz": packed("tar.gz"),
    "ZIP in a TAR": nested,
    "phone": of_phone,
    "NAS": of_nas,
    "RAW+JPEG": raw_and_jpeg,
    "set aside": set_aside,
    "animation": animated,
    "documents": documents,
    "deep": deep,
}


def lay(root: Path, files: Files) -> Path:
    """Write the files below ``root``."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def verdict(tmp_path: Path, backup: Backup, needles: Files) -> FolderState:
    """The verdict on the whole backup."""
    hay, drawer = lay(tmp_path / "hay", backup.haystack), lay(tmp_path / "drawer", needles)
    report = scan(hay, drawer, archives="needles", **backup.options)
    return next(folder.state for folder in report.folders if folder.path == str(drawer))


@pytest.mark.mostly_slow(fast=8)
@pytest.mark.parametrize("kind", BACKUPS)
def test_what_the_library_has_is_closed(tmp_path: Path, kind: str) -> None:
    """Everything worth keeping is there, so the whole backup can go."""
    backup = BACKUPS[kind]()
    assert verdict(tmp_path, backup, backup.needles) is FolderState.CONTAINED


@pytest.mark.mostly_slow(fast=8)
@pytest.mark.parametrize("kind", BACKUPS)
def test_one_thing_more_keeps_it_open(tmp_path: Path, kind: str) -> None:
    """The same backup with one thing that only it has."""
    backup = BACKUPS[kind]()
    assert verdict(tmp_path, backup, {**backup.needles, **backup.more}) is not FolderState.CONTAINED
