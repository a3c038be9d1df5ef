"""Folders as photo managers lay them out, with files that are told apart by their bytes."""

from __future__ import annotations

from pathlib import Path

USER, ASSET = "3f0c1a52-0000-4000-8000-0000000000aa", "0a1b2c3d-0000-4000-8000-000000000001"
SHA = "5e0f" + "0" * 36


def write(path: Path, content: bytes = b"") -> Path:
    """Write a file, and the folders around it; it holds its own name unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or path.name.encode())
    return path


def immich(base: Path, *, is_marked: bool = True) -> dict[str, Path]:
    """A library of Immich: originals of both kinds, and what it makes of them; without marks as before 1.106."""
    if is_marked:
        for folder in ("upload", "library", "thumbs", "encoded-video", "profile", "backups"):
            write(base / folder / ".immich", b"1718000000000")
    return {
        "upload": write(base / "upload" / USER / "0a" / "1b" / f"{ASSET}.jpg"),
        "library": write(base / "library" / "admin" / "2024" / "IMG_1.jpg"),
        "preview": write(base / "thumbs" / USER / "0a" / "1b" / f"{ASSET}-preview.jpeg"),
        "face": write(base / "thumbs" / USER / "0a" / "1b" / f"{ASSET}.jpeg"),
        "film": write(base / "encoded-video" / USER / "0a" / "1b" / f"{ASSET}.mp4"),
        "profile": write(base / "profile" / USER / f"{ASSET}.jpg", b"cropped"),
    }


def photoprism(base: Path, *, is_marked: bool = True) -> dict[str, Path]:
    """PhotoPrism: originals beside its storage folder; without the mark by which it knows that."""
    storage = base / "storage"
    write(storage / ".ppstorage" if is_marked else storage / "config" / "settings.yml")
    return {
        "original": write(base / "originals" / "2024" / "IMG_1.HEIC"),
        "sidecar": write(storage / "sidecar" / "2024" / "IMG_1.HEIC.jpg"),
        "thumb": write(storage / "cache" / "thumbnails" / "5" / "e" / "0" / f"{SHA}_720x720_fit.jpg"),
    }


def lightroom(base: Path) -> dict[str, Path]:
    """A catalog of Lightroom Classic with its previews, and the originals that came from a telephone."""
    mobile = base / "Mobile Downloads.lrdata"
    return {
        "original": write(base / "2024" / "IMG_1.dng"),
        "mobile": write(mobile / "f" / "IMG_2.jpg"),
        "preview": write(base / "Katalog Previews.lrdata" / "A" / "A1B2" / "A1B2-1.lrprev"),
        "smart": write(base / "Katalog-v13 Smart Previews.lrdata" / "A" / "A1B2" / "A1B2.dng"),
        "mobile preview": write(mobile / "downloaded-smart-previews" / "IMG_3.NEF"),
    }


def photos(base: Path, database: str = "database/Photos.sqlite") -> dict[str, Path]:
    """A library of Photos by its folders alone: its database is no database."""
    write(base / database)
    return {
        "original": write(base / "originals" / "0" / "A.heic"),
        "old original": write(base / "Masters" / "2014" / "B.jpg"),
        "edited": write(base / "resources" / "renders" / "0" / "A_1_201_a.jpeg"),
        "derivative": write(base / "resources" / "derivatives" / "0" / "A_1_105_c.jpeg"),
        "shared": write(base / "resources" / "cloudsharing" / "data" / "C.jpg"),
        "shared later": write(base / "scopes" / "cloudsharing" / "data" / "D.jpg"),
        "old preview": write(base / "resources" / "proxies" / "derivatives" / "00" / "E.jpg"),
        "thumbnail": write(base / "Thumbnails" / "2014" / "F.jpg"),
    }
