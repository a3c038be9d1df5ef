"""How many facts the metadata of a file holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dupfind.pool.tasks import count_tags
from dupfind.sources.entries import entry_of
from dupfind.values import FileEntry
from fixtures import pictures

GONE = FileEntry("/gone.jpg", 1, 0, 0, 0)


def count(*paths: Path) -> list[int]:
    """Of these files, in this process."""
    return count_tags([entry_of(str(path), path.stat()) if path.exists() else GONE for path in paths], 60)


def test_more_metadata_more_facts(tmp_path: Path) -> None:
    """None, one tag, one more inside the EXIF block, the coordinates, and a profile of colours."""
    image = pictures.photo(1, (64, 48))
    gps = Image.Exif()
    gps[0x010F] = "Maker"
    gps.get_ifd(0x8769)[0x9003] = "2017:07:18 15:31:30"
    gps.get_ifd(0x8825)[1] = "N"
    files = {
        "none.jpg": {},
        "one.jpg": {"exif": pictures.exif()},
        "time.jpg": {"exif": pictures.exif(captured="2017:07:18 15:31:30")},
        "place.jpg": {"exif": gps},
        "profile.jpg": {"exif": gps, "icc_profile": b"profile"},
        "place.webp": {"exif": gps.tobytes()},
        "place.heic": {"exif": gps.tobytes()},
    }
    for name, options in files.items():
        pictures.save(image, tmp_path / name, **options)
    found = dict(zip(files, count(*(tmp_path / name for name in files)), strict=True))
    assert 0 == found["none.jpg"] < found["one.jpg"] < found["time.jpg"] < found["place.jpg"] < found["profile.jpg"]
    assert found["place.jpg"] == found["place.webp"]
    assert found["place.heic"] > found["one.jpg"]


def test_what_cannot_be_read_holds_none(tmp_path: Path) -> None:
    """No picture, half a picture, nothing at all: no reason to stop."""
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    (tmp_path / "exif.jpg").write_bytes(b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II*\0\xff\xff\xff\xff")
    pictures.save(pictures.photo(1, (64, 48)), tmp_path / "good.jpg", exif=pictures.exif())
    assert [0, 0, 0, 1] == count(*(tmp_path / name for name in ("text.jpg", "exif.jpg", "gone.jpg", "good.jpg")))


def test_a_file_that_changes_meanwhile_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted of the next file is not taken for this one's."""
    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in paths:
        pictures.save(pictures.photo(1, (64, 48)), path, exif=pictures.exif())
    entries = [entry_of(str(path), path.stat()) for path in paths]
    real = Image.Exif.get_ifd

    def get_ifd(exif: Image.Exif, block: int) -> object:
        if paths[0].stat().st_size == entries[0].size_bytes:
            paths[0].write_bytes(b"another")
        return real(exif, block)

    monkeypatch.setattr(Image.Exif, "get_ifd", get_ifd)
    counts = count_tags(entries, 60)
    assert 2 == len(counts)
    assert 0 == counts[0] < counts[1]
