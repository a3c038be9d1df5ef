"""Checks of what reads texts, archives, films and image data of strangers: fed broken bytes, what must hold.

Each is a :class:`Target`: the check, and good inputs to begin with.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import numpy as np
from botocore.parsers import ResponseParserError, create_parser

from dupfind import baseline, libraries
from dupfind.acting import journal
from dupfind.answers import decisions
from dupfind.archives import contents, opening, tar_file, zip_file
from dupfind.archives.contents import BrokenArchiveError, Contents
from dupfind.buckets import names, s3, webdav
from dupfind.buckets.store import AgainError, State
from dupfind.cache import packing
from dupfind.catalog import columns
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.cli import config_file
from dupfind.commands import indexing
from dupfind.errors import ActingError, CatalogError, NotAPictureError, SettingsError, UndecodableError
from dupfind.evidence import fragments
from dupfind.pictures import decode, descriptive, exif_extent, film_data, film_frames, image_data, png_texts
from dupfind.pictures.film_bars import Bars
from dupfind.pool import film_prints
from dupfind.settings import make_settings
from dupfind.sidecars import contents as sidecars
from dupfind.sidecars import kinds as sidecar_kinds
from dupfind.sidecars.kinds import Kind
from dupfind.sources import disregarded, mounts
from dupfind.values import THUMBNAIL_SIDE
from fuzz import samples
from tests.helpers.ebml import element
from tests.helpers.sidecar_contents import xmp

_MOST_PIXELS = 1_000_000


class Target(NamedTuple):
    """What is fed broken bytes."""

    check: Callable[[bytes], None]
    """Raises where something is not as it must be."""
    seeds: Callable[[], list[bytes]]
    """Good inputs."""


def _expect(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def try_image_data(content: bytes) -> None:
    """The digest of what a picture shows and holds: the same twice, or refused by one of two errors."""
    digests = []
    for _ in range(2):
        file = io.BytesIO(content)
        digest = None
        with suppress(NotAPictureError, UndecodableError), decode.in_plain_words(file):
            digest = image_data.read_digest(file, _MOST_PIXELS)
        digests.append(digest)
    _expect(digests[0] == digests[1], "two digests of one file")


def try_films(content: bytes) -> None:
    """What films have in common, read from a few places, and the digest: None where a file cannot be followed."""
    facts = film_data.read_facts(io.BytesIO(content))
    _expect(facts == film_data.read_facts(io.BytesIO(content)), "two answers")
    digest = film_data.read_digest(io.BytesIO(content))
    _expect(digest is None or len(digest) == 32, "an odd digest")


def _read_inner(file: io.BytesIO, max_pixels: int) -> film_frames.Track | None:
    """Decode what is between bars, wherever they are said to be."""
    bars = film_frames.read_bars(file, max_pixels)
    return film_frames.read_track(file, max_pixels, bars or Bars(32, 224, 0, 256))


def try_frames(content: bytes) -> None:
    """The key frames, all frames, and the whole of a film: something of one length, or what says that it is broken."""
    for read in (film_frames.read_key_frames, film_frames.read_track, _read_inner):
        with suppress(MemoryError, UndecodableError, *film_prints.BROKEN):
            film = read(io.BytesIO(content), _MOST_PIXELS)
            _expect(film is None or len(film[1]) == len(film[2]), "frames without a time")
    with suppress(MemoryError, UndecodableError, *film_prints.BROKEN):
        for _, thumbnail in film_frames.read_thumbnails(io.BytesIO(content), _MOST_PIXELS):
            _expect(len(thumbnail) == THUMBNAIL_SIDE**2, "an odd thumbnail")


def try_prints(content: bytes) -> None:
    """Prints of films and marks of pictures from a cache: what they were made of, or what says that they are none."""
    with suppress(ValueError):
        marks = fragments.unpack(content)
        _expect(20 * len(marks.words) == 20 * len(marks.places) == len(content), "marks that are not there")
    with suppress(*film_prints.BROKEN), np.errstate(invalid="ignore"):
        known = film_prints.unpacked(content)
        _expect(len(known.packed()) <= len(content), "a print that is not there")


def try_archives(content: bytes) -> None:
    """The members of a ZIP and of a TAR lie within the file, and no byte belongs to two of them."""
    for listed in (zip_file.list_zip, tar_file.list_tar):
        with suppress(BrokenArchiveError, *opening._BROKEN):  # noqa: SLF001 - what is meant to be raised stands there
            _check_members(listed(io.BytesIO(content), 0, len(content)), len(content))


def _check_members(contents: Contents, size_bytes: int) -> None:
    for member in contents.members:
        _expect(0 <= member.offset <= size_bytes, f"begins outside: {member}")
        _expect(0 <= member.stored_bytes <= size_bytes - member.offset, f"ends outside: {member}")
        _expect(member.is_deflated or member.stored_bytes == member.size_bytes, f"of two sizes: {member}")


def try_sidecars(content: bytes) -> None:
    """Whom a sidecar describes: some of those who were asked about, whatever it says."""
    owners = ["a.jpg", "IMG_0001.HEIC"]
    for kind in Kind:
        _expect(set(sidecars.described(kind, content, owners)) <= set(owners), "another owner")
    seconds = sidecars.taken_seconds(content)
    _expect(seconds is None or isinstance(seconds, int), "no number")


def try_descriptive(content: bytes) -> None:
    """What Exif, XMP, IPTC and Photoshop's resources hold beside descriptions: refused by one error."""
    for read in (
        descriptive.read_exif, descriptive.xmp_counts, descriptive.is_to_be_developed, descriptive.xmp_orientation,
        descriptive.counting_resources, descriptive.iptc_counts, descriptive.text_counts,
    ):  # fmt: skip
        with suppress(descriptive.BrokenError):
            read(content)
    for kind in (b"tEXt", b"zTXt", b"iTXt"):
        with suppress(ValueError, zlib.error):
            png_texts.read(kind, content)


def try_decisions(content: bytes) -> None:
    """Decisions that are read are written as they are, and read as the same again."""
    with suppress(decisions.MalformedError):
        read = decisions.parse(content)
        rows = [decisions.as_row(decision) for decision in read]
        whole = {"schema": decisions.SCHEMA, "digest": decisions.ALGORITHM, "decisions": rows}
        _expect(decisions.parse(json.dumps(whole).encode()) == read, "read otherwise again")


def try_ignore_files(content: bytes) -> None:
    """A `.dupfindignore` is obeyed or refused as a whole."""
    with suppress(disregarded.PatternError):
        file = disregarded.IgnoreFile(".dupfindignore", content[:2000])
        for path in ("a.jpg", "x/y/b.txt", "\udcff/c"):
            file.why(path)
        file.warnings()


def try_mounts(content: bytes) -> None:
    """A table of mounts is read line by line; what is no line of one is skipped."""
    for line in mounts.parse(content.decode("utf-8", "surrogateescape")):
        _expect(isinstance(line.device, int), "no device")


def try_findings(content: bytes) -> None:
    """Findings of an earlier run, should their seal ever be right and they be wrong."""
    with suppress(packing.PackingError):
        packing.unpack(content, [], [])
    with suppress(packing.PackingError):
        packing.unpack(zlib.compress(content, 0), [], [])


@cache
def _catalog() -> str:
    """Index a few files; gives the path of the catalog, beside which it has columns."""
    top = Path(tempfile.mkdtemp(prefix="dupfind-fuzz-"))
    (top / "drive").mkdir()
    for number in range(3):
        (top / "drive" / f"{number}.txt").write_bytes(b"words" * number)
    given = make_settings(haystack=[str(top / "drive")], called="", may_be_catalogs=False, no_cache=True)
    indexing.index(given, str(top / "drive.catalog"), make_executor=lambda: ThreadPoolExecutor(1), with_columns=True)
    return str(top / "drive.catalog")


_COLUMNS = ("head.json", "folders.npy", "kind.npy", "hash.npy", "size.npy")


def _columns() -> list[bytes]:
    folder = Path(_catalog() + columns.SUFFIX)
    return [bytes([number]) + (folder / name).read_bytes() for number, name in enumerate(_COLUMNS)]


def try_columns(content: bytes) -> None:
    """Columns of which one file is another are used or not; what they lead to is in the catalog, or one error."""
    catalog, none = _catalog(), np.empty(0, np.int64)
    broken = Path(catalog + columns.SUFFIX, _COLUMNS[content[0] % len(_COLUMNS)] if content else "head.json")
    sound = broken.read_bytes()
    broken.write_bytes(content[1:])
    try:
        with closing(CatalogFile.for_reading(catalog)) as file, suppress(CatalogError):
            opened = columns.Columns.opened(catalog, file)
            if isinstance(opened, columns.Columns):
                rows = [opened.told(), opened.twins([5], [1]), opened.near(np.zeros(1, np.uint64), 10)]
                opened.counts(none)
                for path, _ in opened.states(np.unique(np.concatenate(rows)), file):
                    _expect(path.endswith(".txt"), f"no file of the catalog: {path}")
    finally:
        broken.write_bytes(sound)


def try_listings(content: bytes) -> None:
    """What a WebDAV server says of a folder, and an S3 one of its objects: names and sizes that files can have."""
    with suppress(OSError, AgainError):
        for element in webdav._responses([content[:99], content[99:]], time.monotonic() + 9):  # noqa: SLF001
            key, _, state = webdav._member(element)  # noqa: SLF001
            _check_stored(key, state)
    with suppress(ResponseParserError, ValueError):  # told of as what they are, see dupfind/buckets/s3.py
        answer = _s3_parser().parse({"body": content, "headers": {}, "status_code": 200}, _s3_shape())
        for item in answer.get("Contents") or []:
            listed = s3._listed(item)  # noqa: SLF001
            if listed is not None:
                _check_stored(listed.key, listed.state)


def _check_stored(key: str, state: State | None) -> None:
    names.why_no_path(key)
    names.in_order(names.folder_around(key))
    if state is not None:
        _expect(0 <= state.size_bytes < 1 << 63, "a size that no file has")
        _expect(-(1 << 63) <= state.mtime_ns < 1 << 63, "a time that no file has")


@cache
def _s3_shape() -> Any:  # noqa: ANN401 - of botocore
    return botocore.session.get_session().get_service_model("s3").operation_model("ListObjectsV2").output_shape


@cache
def _s3_parser() -> Any:  # noqa: ANN401 - likewise
    return create_parser("rest-xml")


def try_sidecar_names(content: bytes) -> None:
    """Names of a folder: those that a sidecar may describe are there, and are no sidecars themselves."""
    listed = sorted({os.fsdecode(name) for name in content[:4000].split(b"\n")[:20] if name.strip(b"/\0")})
    for name in listed:
        sidecar_kinds.numbered(name)
        kind = sidecar_kinds.kind_of(name)
        if kind is not None:
            _expect(sidecar_kinds.may_be_sidecars([name])[0], f"not asked about: {name!r}")
            owners = sidecar_kinds.owners_of(kind, name, listed)
            _expect(set(owners) <= set(listed) - {name}, "an owner that is not there, or itself")
            sidecars.is_titled(name, listed[0])


def try_exif_extent(content: bytes) -> None:
    """What no tag of an Exif block accounts for is a part of it."""
    rest = exif_extent.loose(content)
    block = content.removeprefix(exif_extent.HEAD)
    _expect(rest is None or all(piece in block for piece in rest.pieces), "not of the block")
    _expect(exif_extent.counting(content) == ([] if rest is None else [b"loose", *rest.pieces]), "told otherwise")
    exif_extent.joined([content[:200], content[200:]])


def try_archive_listings(content: bytes) -> None:
    """What an archive held in an earlier run is packed and unpacked as it was."""
    for listed in (zip_file.list_zip, tar_file.list_tar):
        with suppress(BrokenArchiveError, *opening._BROKEN):  # noqa: SLF001 - as above
            found = contents.Listed(listed(io.BytesIO(content), 0, len(content)), None, {})
            packed = contents.pack_listed(found)
            _expect(packed is not None and contents.unpack_listed(packed) == found, "recalled otherwise")


def _exif() -> list[bytes]:
    maker = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    return [maker, maker + b"\xff\xd8\xff\xe0" + bytes(range(1, 200)), b"MM\0*\0\0\0\x08" + bytes(40)]


_WEBDAV = b"""<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/x/a%20b.jpg</D:href>
<D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>
<D:getlastmodified>Mon, 30 Nov 2026 12:00:00 GMT</D:getlastmodified>
<D:getetag>"1"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"""
_S3 = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>1</KeyCount>
<IsTruncated>false</IsTruncated><Contents><Key>x/a.jpg</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified>
<ETag>"1"</ETag><Size>5</Size></Contents></ListBucketResult>"""
_NAMES = (
    b"IMG_1.JPG\nIMG_1.JPG.json\nIMG_1(1).JPG\nIMG_1.JPG(1).json\nIMG_1.JPG.supplemental-metadata.json\nmetadata.json",
    b"a.xmp\na.CR2\na.jpg.xmp\na.aae\n.picasa.ini\nb.jpg.pp3\nc.dop\nMetadatos.json",
)


def _of_a_file(read: Callable[[str], object], *meant: type[Exception]) -> Callable[[bytes], None]:
    """Make a check of what is read by its path, and may raise what is ``meant``."""

    def check(content: bytes) -> None:
        handle, path = tempfile.mkstemp()
        try:
            with open(handle, "wb") as file:
                file.write(content)
            with suppress(*meant):
                read(path)
        finally:
            os.unlink(path)

    return check


def _read_config(path: str) -> None:
    os.environ[config_file.FILE_VARIABLE] = path
    try:
        read = config_file.read_config(None)
        for value in () if read is None else read.values("scan").values():
            assert read is not None
            read.place(value)
    finally:
        del os.environ[config_file.FILE_VARIABLE]


def _zips() -> list[bytes]:
    archives = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr(zipfile.ZipInfo("a.jpg", (2006, 12, 25, 12, 0, 0)), b"a photo" * 9)
            archive.writestr(zipfile.ZipInfo("x/ü.txt", (2006, 12, 25, 12, 0, 0)), b"words")
        archives.append(file.getvalue())
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
            info = tarfile.TarInfo("x" * 90 + "/a.jpg")
            info.size, info.mtime = 7, 1166443200
            tar.addfile(info, io.BytesIO(b"a photo"))
        archives.append(file.getvalue())
    return archives


def _films() -> list[bytes]:
    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    track = box(b"trak", box(b"tkhd", bytes(84)) + box(b"mdia", box(b"mdhd", bytes(24)) + box(b"hdlr", bytes(25))))
    movie = box(b"moov", box(b"mvhd", bytes(100)) + track + box(b"udta", box(b"\xa9nam", b"\0\x04\0\0Lake")))
    head = element(0x1A45DFA3, element(0x4282, b"matroska"))
    segment = element(0x18538067, element(0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40")) + element(0x1654AE6B, b""))
    wave = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0\x88\x58\1\0\2\0\x10\0data\x08\0\0\0" + bytes(8)
    ogg = b"OggS\0\2" + bytes(20) + b"\1\x13" + b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0"
    return [box(b"ftyp", b"isom\0\0\0\0isom") + movie + box(b"mdat", bytes(64)), head + segment, wave, ogg,
            b"ID3\4\0\0\0\0\0\x0bTIT2\0\0\0\1\0\0a" + wave, b"fLaC\0\0\0\x22" + bytes(34) + b"\x84\0\0\0"]  # fmt: skip


def _real_films() -> list[bytes]:
    """Films of three frames; none without PyAV."""
    if not libraries.can_read_films():
        return _films()
    from tests.helpers.films import film

    kinds = ("avi", "matroska", "mov")
    return [film(kind, frames=3, codec="mpeg4", size=(32, 32), b_frames=0, sounds=()) for kind in kinds]


_DIGEST = "ab" * 32
_MARK = {"digest": _DIGEST, "size_bytes": 5, "path": "n/a.jpg"}
_DECISION = {
    "decision": "same", "needle": _MARK, "witness": {**_MARK, "digest": "cd" * 32}, "evidence": "similar",
    "distance_bits": 3, "decided": "2026-11-21T12:00:00Z",
}  # fmt: skip
_REPORT = {
    "schema": "dupfind.scan/1", "started": "2026-11-21T12:00:00Z", "settings": {},
    "summary": {"folders": {"contained": 1}, "files": {"present": 1}},
    "folders": [{"path": "n", "verdict": "contained"}], "files": [{"path": "n/a", "verdict": "present"}],
}  # fmt: skip
_TAKEOUT = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1500000000"}, "url": "x"}
_HEAD = {
    "schema": "dupfind.journal/2",
    "id": "1",
    "command": "import",
    "dupfind": "1",
    "started": "2026-11-30T09:48:25",
}
_STEPS = [{"step": 1, "do": "copy", "source": "/a", "target": "/b"}, {"step": 1, "done": True}, {"undone": [1]},
          {"end": "2026-11-30T09:48:25", "stopped": None}]  # fmt: skip


def _json(*values: object) -> list[bytes]:
    return ["".join(json.dumps(value) + "\n" for value in values).encode()]


def _pictures() -> list[bytes]:
    return [content for content in map(samples.make, samples.names()) if len(content) < 60_000]


TARGETS: dict[str, Target] = {
    "image data": Target(try_image_data, _pictures),
    "films": Target(try_films, _films),
    "frames of films": Target(try_frames, _real_films),
    "prints": Target(try_prints, lambda: [bytes(20 * 3), film_prints.FilmPrint().packed(), b"\1\0\0\0\1" + bytes(200)]),
    "archives": Target(try_archives, _zips),
    "sidecars": Target(try_sidecars, lambda: [xmp(), *_json(_TAKEOUT), b"[Picasa]\nname=x\n", b"bplist00\xd0\x08"]),
    "descriptive": Target(try_descriptive, lambda: [xmp(), b"Exif\0\0II*\0\x08\0\0\0" + bytes(20), b"\x1c\2\5\0\1a"]),
    "decisions": Target(
        try_decisions,
        partial(_json, {"schema": decisions.SCHEMA, "digest": decisions.ALGORITHM, "decisions": [_DECISION]}),
    ),
    "ignore files": Target(try_ignore_files, lambda: [b"*.tmp\n!keep.tmp\n/x/**/y\n[a-z]?\\ \n# words\n"]),
    "mounts": Target(try_mounts, lambda: [b"36 35 8:17 / /media/a\\040b rw,noatime shared:1 - exfat /dev/sdb1 rw\n"]),
    "findings": Target(try_findings, lambda: [b"\0\0\0\2{}", b'{"lengths": [0, 0, 0, 0, 0, 0]}']),
    "baseline": Target(_of_a_file(baseline.read, SettingsError), partial(_json, _REPORT)),
    "journal": Target(_of_a_file(journal.read, ActingError), partial(_json, _HEAD, *_STEPS)),
    "columns": Target(try_columns, _columns),
    "listings": Target(try_listings, lambda: [_WEBDAV, _S3]),
    "sidecar names": Target(try_sidecar_names, lambda: list(_NAMES)),
    "exif extent": Target(try_exif_extent, _exif),
    "archive listings": Target(try_archive_listings, _zips),
    "config": Target(_of_a_file(_read_config, SettingsError), lambda: [b'workers = 2\n[scan]\nformat = "json"\n']),
}
