"""The image data of MP3, AAC, FLAC, Ogg, WAV and AVI: the file as it is stored, but for words about it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind.pictures import film_data
from tests.helpers.films import film, remuxed, sound

Make = Callable[[], bytes]
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
CONTAINERS = {"mp3": "mp3", "aac": "adts", "flac": "flac", "ogg": "ogg", "wav": "wav"}
CODECS = {"mp3": "mp3", "aac": "aac", "flac": "flac", "ogg": "libopus", "wav": "pcm_s16le"}


def digest(content: bytes) -> bytes | None:
    """The digest of image data."""
    return film_data.read_digest(io.BytesIO(content))


def facts(content: bytes) -> bytes | None:
    """What sounds of equal image data have in common."""
    return film_data.read_facts(io.BytesIO(content))


@cache
def tone(kind: str, frequency: float = 440.0, channels: str = "mono") -> bytes:
    """A sound file."""
    return sound(CONTAINERS[kind], CODECS[kind], frequency=frequency, channels=channels)


@cache
def bare(kind: str) -> bytes:
    """An MP3 or AAC without tags."""
    content = tone(kind)
    return content[content.index(b"\xff") :] if kind == "mp3" else content


def synchsafe(number: int) -> bytes:
    """A number as ID3 writes it."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: bytes, value: bytes, version: int = 3) -> bytes:
    """A frame of ID3v2.2, 2.3 or 2.4."""
    size = synchsafe(len(value)) if version == 4 else struct.pack(">I", len(value))
    return name + size[1:] + value if version == 2 else name + size + b"\0\0" + value


def id3(*frames: bytes, version: int = 3, flags: int = 0, padding: int = 0) -> bytes:
    """A tag in front of a sound."""
    content = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(content)) + content


def ape(*items: tuple[bytes, bytes, int]) -> bytes:
    """A tag behind a sound."""
    packed = b"".join(struct.pack("<II", len(value), kind << 1) + key + b"\0" + value for key, value, kind in items)
    end = struct.pack("<II", len(packed) + 32, len(items))
    head, foot = (
        b"APETAGEX" + struct.pack("<I", 2000) + end + struct.pack("<I", f) + bytes(8) for f in (5 << 29, 4 << 29)
    )
    return head + packed + foot


GAIN_AT = 16
"""Where the gain stands in the first packet of Opus."""
ID3V1 = b"TAG" + b"Lake".ljust(125, b"\0")


def comments(*texts: bytes) -> bytes:
    """Vorbis comments."""
    return struct.pack("<I", 4) + b"prog" + struct.pack("<I", len(texts)) + b"".join(
        struct.pack("<I", len(text)) + text for text in texts)  # fmt: skip


def flac(*blocks: tuple[int, bytes]) -> bytes:
    """A FLAC with these blocks beside its first one."""
    content, place, last = tone("flac"), 4, 0
    while not last:
        last, length = content[place] & 0x80, int.from_bytes(content[place + 1 : place + 4], "big")
        place += 4 + length
    parts = [(0, content[8:42]), *blocks]
    head = b"".join(bytes([kind | (0x80 if index == len(parts) - 1 else 0)]) + struct.pack(">I", len(value))[1:] + value
                    for index, (kind, value) in enumerate(parts))  # fmt: skip
    return b"fLaC" + head + content[place:]


def riff(content: bytes, *chunks: tuple[bytes, bytes], front: bool = False) -> bytes:
    """A WAV or AVI with more chunks."""
    extra = b"".join(kind + struct.pack("<I", len(value)) + value + bytes(len(value) % 2) for kind, value in chunks)
    inside = content[12:]
    return (
        content[:4]
        + struct.pack("<I", 4 + len(inside + extra))
        + content[8:12]
        + (extra + inside if front else inside + extra)
    )


def info(*texts: tuple[bytes, bytes]) -> bytes:
    """A list of texts for RIFF."""
    return b"INFO" + b"".join(kind + struct.pack("<I", len(text)) + text + bytes(len(text) % 2) for kind, text in texts)


def poked(content: bytes, place: int) -> bytes:
    """Another byte at a place."""
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def summed(content: bytes) -> bytes:
    """An Ogg file whose pages have the right checksums."""
    parts = []
    for page in content.split(b"OggS")[1:]:
        blank = b"OggS" + page[:18] + bytes(4) + page[22:]
        value = 0
        for byte in blank:
            value ^= byte << 24
            for _ in range(8):
                value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
        parts.append(blank[:22] + struct.pack("<I", value) + blank[26:])
    return b"".join(parts)


@cache
def avi() -> bytes:
    """A film in an AVI."""
    return film("avi", codec="mpeg4", audio="pcm_s16le", b_frames=0)


TEXT = frame(b"TIT2", b"\0Lake"), frame(b"COMM", b"\0eng\0calm")
SPREAD = frame(b"TIT2", b"\1\xff\0\xfe").replace(b"\4", b"\3")
"""A text with a byte put in where it would look like a frame of sound."""
OLD, COVER, LAKE = frame(b"TT2", b"\0Lake", 2), frame(b"APIC", JPEG), info((b"INAM", b"Lake"))
COPIES: dict[str, tuple[Make, Make]] = {
    "MP3 tagged": (lambda: bare("mp3"), lambda: id3(*TEXT) + bare("mp3") + ID3V1),
    "MP3 tagged in the old way": (lambda: bare("mp3"), lambda: id3(OLD, version=2) + bare("mp3")),
    "MP3 tagged in the new way": (
        lambda: bare("mp3"), lambda: id3(frame(b"TIT2", b"\3Lake", 4), version=4, padding=500) + bare("mp3")),
    "MP3 tagged twice": (lambda: id3(*TEXT) + bare("mp3"), lambda: id3(*TEXT) + id3(*TEXT) + bare("mp3")),
    "MP3 tagged with bits put in": (
        lambda: bare("mp3"), lambda: id3(SPREAD, flags=0x80) + bare("mp3"),
    ),
    "MP3 with APE": (lambda: bare("mp3"), lambda: bare("mp3") + ape((b"Title", b"Lake", 0)) + ID3V1),
    "MP3 with one cover": (
        lambda: id3(COVER) + bare("mp3"), lambda: id3(*TEXT, COVER, padding=9) + bare("mp3")),
    "MP3 by FFmpeg": (lambda: tone("mp3"), lambda: remuxed(tone("mp3"), "mp3", tags={"title": "Lake"})),
    "AAC tagged": (lambda: bare("aac"), lambda: id3(*TEXT) + bare("aac")),
    "FLAC tagged": (lambda: tone("flac"), lambda: flac((4, comments(b"TITLE=Lake")), (1, bytes(1000)))),
    "FLAC without seek table": (lambda: flac((3, bytes(18))), flac),
    "FLAC with ID3": (lambda: tone("flac"), lambda: id3(*TEXT) + tone("flac") + ID3V1),
    "FLAC by FFmpeg": (lambda: tone("flac"), lambda: remuxed(tone("flac"), "flac", tags={"title": "Lake"})),
    "Ogg by FFmpeg": (lambda: tone("ogg"), lambda: remuxed(tone("ogg"), "ogg", tags={"title": "Lake" * 200})),
    "WAV tagged": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"LIST", info((b"INAM", b"Lake"))))),
    "WAV tagged in front": (
        lambda: tone("wav"), lambda: riff(tone("wav"), (b"LIST", LAKE), (b"JUNK", bytes(9)), front=True)),
    "WAV with ID3": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"id3 ", id3(*TEXT)))),
    "AVI tagged": (avi, lambda: riff(avi(), (b"LIST", info((b"INAM", b"Lake"))), (b"JUNK", bytes(100)))),
}  # fmt: skip


@pytest.mark.parametrize("kind", COPIES)
def test_tags_leave_the_digest(kind: str) -> None:
    """Whatever words are written to a file, in whichever of its tags."""
    first, second = (make() for make in COPIES[kind])
    assert first != second
    assert digest(first) is not None
    assert (digest(first), facts(first)) == (digest(second), facts(second))


CHANGES: dict[str, tuple[Make, Make]] = {
    "MP3: a byte": (lambda: bare("mp3"), lambda: poked(bare("mp3"), 2000)),
    "MP3: a frame less": (lambda: bare("mp3"), lambda: bare("mp3")[:-300]),
    "MP3: another sound": (lambda: tone("mp3"), lambda: tone("mp3", 441.0)),
    "MP3: stereo": (lambda: tone("mp3"), lambda: tone("mp3", channels="stereo")),
    "MP3: a cover": (lambda: bare("mp3"), lambda: id3(frame(b"APIC", JPEG)) + bare("mp3")),
    "MP3: an old cover": (lambda: bare("mp3"), lambda: id3(frame(b"PIC", JPEG, 2), version=2) + bare("mp3")),
    "MP3: another cover": (
        lambda: id3(frame(b"APIC", JPEG)) + bare("mp3"), lambda: id3(frame(b"APIC", JPEG + b"x")) + bare("mp3")),
    "MP3: a file": (lambda: bare("mp3"), lambda: id3(frame(b"GEOB", b"file")) + bare("mp3")),
    "MP3: volume": (lambda: bare("mp3"), lambda: id3(frame(b"RVA2", b"\0\1\2")) + bare("mp3")),
    "MP3: chapters": (lambda: bare("mp3"), lambda: id3(frame(b"CHAP", b"one")) + bare("mp3")),
    "MP3: what is private": (lambda: bare("mp3"), lambda: id3(frame(b"PRIV", b"one")) + bare("mp3")),
    "MP3: a long text": (lambda: bare("mp3"), lambda: id3(frame(b"TIT2", b"x" * 5000)) + bare("mp3")),
    "MP3: what is played": (lambda: bare("mp3"), lambda: id3(frame(b"COMM", b"\0engiTunSMPB\0 0840")) + bare("mp3")),
    "MP3: a tag that breaks off": (lambda: bare("mp3"), lambda: id3(b"TIT2\0\0\xff\xff\0\0") + bare("mp3")),
    "MP3: a strange head": (lambda: bare("mp3"), lambda: id3(b"\0\0\0\6\0\0x", *TEXT, flags=0x40) + bare("mp3")),
    "MP3: a cover in APE": (lambda: bare("mp3"), lambda: bare("mp3") + ape((b"Cover Art (Front)", JPEG, 1))),
    "MP3: a long text in APE": (lambda: bare("mp3"), lambda: bare("mp3") + ape((b"Title", b"x" * 5000, 0))),
    "MP3: something behind": (lambda: bare("mp3"), lambda: bare("mp3") + b"hello"),
    "FLAC: a byte": (lambda: tone("flac"), lambda: poked(tone("flac"), 12_000)),
    "FLAC: another sum": (flac, lambda: poked(flac(), 30)),
    "FLAC: a cover": (lambda: tone("flac"), lambda: flac((6, JPEG))),
    "FLAC: a cover in a comment": (lambda: tone("flac"), lambda: flac((4, comments(b"metadata_block_picture=abc")))),
    "FLAC: speakers": (lambda: tone("flac"), lambda: flac((4, comments(b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x3")))),
    "FLAC: a long comment": (lambda: tone("flac"), lambda: flac((4, comments(b"TITLE=" + b"x" * 5000)))),
    "FLAC: something in the padding": (lambda: tone("flac"), lambda: flac((1, b"hello"))),
    "FLAC: something in the seek table": (lambda: tone("flac"), lambda: flac((3, b"hello"))),
    "FLAC: of some program": (lambda: tone("flac"), lambda: flac((2, b"riffhello"))),
    "FLAC: tracks of a CD": (lambda: tone("flac"), lambda: flac((5, bytes(396)))),
    "FLAC: comments that break off": (lambda: tone("flac"), lambda: flac((4, comments(b"TITLE=Lake")[:-2]))),
    "Ogg: a byte": (lambda: tone("ogg"), lambda: summed(poked(tone("ogg"), 3000))),
    "Ogg: when a page ends": (lambda: tone("ogg"), lambda: summed(poked(tone("ogg"), tone("ogg").rindex(b"OggS") + 6))),
    "Ogg: another sound": (lambda: tone("ogg"), lambda: tone("ogg", 441.0)),
    "Ogg: a cover": (
        lambda: tone("ogg"), lambda: remuxed(tone("ogg"), "ogg", tags={"METADATA_BLOCK_PICTURE": "abcd"})),
    "Ogg: the gain in its head": (lambda: tone("ogg"), lambda: summed(poked(tone("ogg"), GAIN_AT + 28))),
    "WAV: a sample": (lambda: tone("wav"), lambda: poked(tone("wav"), 5000)),
    "WAV: the rate": (lambda: tone("wav"), lambda: poked(tone("wav"), 24)),
    "WAV: when it was recorded": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"bext", bytes(602)))),
    "WAV: marks": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"cue ", bytes(4)))),
    "WAV: names of marks": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"LIST", b"adtl" + bytes(4)))),
    "WAV: something in the padding": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"JUNK", b"hello!"))),
    "WAV: a long text": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"LIST", info((b"INAM", b"x" * 5000))))),
    "WAV: a text of no name": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"LIST", info((b"data", b"hi"))))),
    "WAV: a cover": (lambda: tone("wav"), lambda: riff(tone("wav"), (b"id3 ", id3(frame(b"APIC", JPEG))))),
    "WAV: something behind": (lambda: tone("wav"), lambda: tone("wav") + b"hello!"),
    "MP3: a key of APE that is too long": (
        lambda: bare("mp3"), lambda: bare("mp3") + ape((b"k" * 256, b"Lake", 0))),
    "AVI: a byte": (avi, lambda: poked(avi(), 20_000)),
    "AVI: a frame less": (avi, lambda: film("avi", codec="mpeg4", audio="pcm_s16le", b_frames=0, frames=11)),
    "AVI: another rate": (avi, lambda: poked(avi(), 32)),
    "AVI: an unknown part": (avi, lambda: riff(avi(), (b"abcd", b"hello!"))),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_changes_have_other_digests(kind: str) -> None:
    """Whatever is no word about a sound makes it another one."""
    first, second = (make() for make in CHANGES[kind])
    assert first != second
    assert digest(first) is not None
    assert digest(first) != digest(second)


@cache
def long_ogg() -> bytes:
    """A sound of several pages."""
    return sound("ogg", "libopus", seconds=4)


def pages(*serials: int, flags: int = 2) -> bytes:
    """Ogg pages that begin streams."""
    return b"".join(
        b"OggS\0" + bytes([flags]) + bytes(8) + struct.pack("<III", serial, 0, 0) + b"\1\x08OpusHead"
        for serial in serials
    )


def silenced(content: bytes) -> bytes:
    """A WAV whose data are none."""
    head = content[: content.index(b"data")] + b"data" + bytes(4)
    return head[:4] + struct.pack("<I", len(head) - 8) + head[8:]


BROKEN: dict[str, Make] = {
    "empty": lambda: b"",
    "a tag alone": lambda: id3(*TEXT),
    "a tag longer than the file": lambda: id3(*TEXT, padding=9000)[:500],
    "FLAC without its head": lambda: b"fLaC" + bytes([0x84, 0, 0, 8]) + comments() + bytes(100),
    "FLAC cut in its head": lambda: tone("flac")[:60],
    "Ogg cut": lambda: tone("ogg")[:-100],
    "Ogg without its end": lambda: long_ogg()[: long_ogg().rindex(b"OggS")],
    "Ogg with a wrong checksum": lambda: poked(tone("ogg"), 3000),
    "Ogg and half a page": lambda: tone("ogg") + b"OggS\0\4",
    "Ogg and more": lambda: tone("ogg") + b"hello",
    "Ogg behind Ogg": lambda: tone("ogg") + remuxed(tone("ogg", 441.0), "ogg"),
    "Ogg with a hole": lambda: tone("ogg")[:28] + b"x" + tone("ogg")[28:],
    "Ogg that goes on with nothing": lambda: pages(1, flags=3),
    "WAV without a sample": lambda: silenced(tone("wav")),
    "FLAC without a frame": lambda: tone("flac")[: tone("flac").index(b"\xff\xf8")],
    "WAV cut": lambda: tone("wav")[:-100],
    "a chunk longer than its file": lambda: tone("wav")[:40] + struct.pack("<I", 1 << 30) + tone("wav")[44:],
    "AVI cut": lambda: avi()[:-100],
    "words": lambda: b"hello there" * 100,
    "a picture": lambda: JPEG,
}


WORDS = [b"QUJD" * 1000] * 17
"""Each as small as words, and all together as large as a picture."""
FEW = WORDS[:10]
WORDY: dict[str, tuple[str, Callable[[list[bytes]], bytes]]] = {
    "ID3": ("mp3", lambda texts: id3(*(frame(b"TXXX", text) for text in texts)) + bare("mp3")),
    "many of ID3": ("mp3", lambda texts: b"".join(id3(frame(b"TXXX", text)) for text in texts) + bare("mp3")),
    "APE": ("mp3", lambda texts: bare("mp3") + ape(*((b"Comment", text, 0) for text in texts))),
    "Vorbis": ("flac", lambda texts: flac((4, comments(*(b"COMMENT=" + text for text in texts))))),
    "many of Vorbis": ("flac", lambda texts: flac(*((4, comments(b"COMMENT=" + text)) for text in texts))),
    "seek tables": ("flac", lambda texts: flac(*((3, text[:3996]) for text in texts))),
    "INFO": ("wav", lambda texts: riff(tone("wav"), (b"LIST", info(*((b"ICMT", text) for text in texts))))),
    "dates": ("wav", lambda texts: riff(tone("wav"), *((b"IDIT", text) for text in texts))),
}


@pytest.mark.parametrize("kind", WORDY)
def test_many_words_are_no_words(kind: str) -> None:
    """A picture may be hidden in texts each of which is small."""
    container, make = WORDY[kind]
    plain = digest(bare("mp3") if container == "mp3" else tone(container))
    assert plain is not None
    assert digest(make(FEW)) == plain
    assert digest(make(WORDS)) is None


def test_nothing_hides_in_many_empty_pages() -> None:
    """Of a page without packets nothing counts but its place."""
    content = long_ogg()
    last = content.rindex(b"OggS")
    serial = content[last + 14 : last + 18]
    number = int.from_bytes(content[last + 18 : last + 22], "little")
    for count, is_small in ((9, True), (4000, False)):
        pages = [b"OggS\0\0" + b"hideaway" + serial + struct.pack("<II", number + index, 0) + b"\0"
                 for index in range(count)]  # fmt: skip
        end = content[last : last + 18] + struct.pack("<I", number + count) + content[last + 22 :]
        assert digest(summed(content[:last] + b"".join(pages) + end)) == (digest(content) if is_small else None)


@pytest.mark.parametrize("place", [6, 18, 22, 40, 400])
def test_a_damaged_page_proves_nothing(place: int) -> None:
    """Players leave it out: in its time, its number, its checksum or its packets; nor does one that is missing."""
    content = long_ogg()
    starts = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
    assert len(starts) > 4
    for start in starts[2:4]:
        assert digest(poked(content, start + place)) is None
    assert digest(content[: starts[2]] + content[starts[3] :]) is None
    assert digest(summed(content)) == digest(content)


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_followed_has_no_digest(kind: str) -> None:
    """Neither of what is broken nor of what FFmpeg finds no packet in."""
    assert digest(BROKEN[kind]()) is None
