"""The image data of MOV and MP4 films: which copies have the same, and which changes give another, or none."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind.pictures import film_data
from tests.helpers.boxes import added, at, box, boxes, changed, in_front, joined, poked, without
from tests.helpers.films import film, remuxed

Make = Callable[[], bytes]
TRACK = "moov/trak"
TABLES = "moov/trak/mdia/minf/stbl"
ENTRY = f"{TABLES}/stsd"
QUARTER = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
"""A matrix that turns."""
SPHERE = box(b"svhd", bytes(5)) + box(b"proj", box(b"prhd", bytes(16)) + box(b"equi", bytes(20)))
TEXT = box(b"hdlr", bytes(24)) + box(b"xml ", b"<x/>")
XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")


def digest(content: bytes) -> bytes | None:
    """The digest of image data."""
    return film_data.read_digest(io.BytesIO(content))


def facts(content: bytes) -> bytes | None:
    """What films of equal image data have in common."""
    return film_data.read_facts(io.BytesIO(content))


@cache
def original() -> bytes:
    """A film with B-frames and a sound track, as a camera writes it: header behind the data."""
    return film("mov")


@cache
def mp4() -> bytes:
    """The same packets, header behind the data."""
    return remuxed(original(), "mp4")


@cache
def plain() -> bytes:
    """A film of MPEG-4 pictures with uncompressed sound."""
    return film("mov", codec="mpeg4", b_frames=0, audio="pcm_s16le")


def tag(kind: bytes, value: bytes, number: int = 1) -> bytes:
    """An item of iTunes' tags."""
    return box(kind, box(b"data", struct.pack(">II", number, 0) + value))


def tagged(*items: bytes, content: bytes | None = None) -> bytes:
    """A film with these tags."""
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    meta = box(b"meta", bytes(4) + handler + box(b"ilst", b"".join(items)))
    return changed(content or original(), "moov", added(box(b"udta", meta)))


def with_keys(values: dict[bytes, bytes], number: int = 1) -> bytes:
    """A film with tags as an iPhone writes them."""
    keys = b"".join(box(b"mdta", key) for key in values)
    handler = box(b"hdlr", bytes(8) + b"mdta" + bytes(12))
    items = b"".join(tag(struct.pack(">I", index), value, number) for index, value in enumerate(values.values(), 1))
    meta = handler + box(b"keys", struct.pack(">II", 0, len(values)) + keys) + box(b"ilst", items)
    return changed(original(), "moov", added(box(b"meta", meta)))


def with_user_data(kind: bytes, value: bytes) -> bytes:
    """A film with a box of user data."""
    return changed(original(), "moov", added(box(b"udta", box(kind, value))))


def beside(kind: bytes, value: bytes, content: bytes | None = None) -> bytes:
    """A film with one more box at its end."""
    return (content or original()) + box(kind, value)


def in_data(extra: bytes) -> bytes:
    """A film with more in its data than packets."""
    return changed(original(), "mdat", added(extra))


def sampled(value: bytes) -> Callable[[bytes], bytes]:
    """Add a box to the description of the samples."""

    def change(entry: bytes) -> bytes:
        ((kind, content),) = boxes(entry[8:])
        return entry[:8] + box(kind, content + value)

    return change


def flagged(track: int = 0, **places: bytes) -> bytes:
    """A film with other bytes in the header of a track."""
    content = original()
    for place, value in places.items():
        content = changed(content, f"{TRACK}/tkhd", poked(int(place[2:]), value), track=track)
    return content


def edited(*edits: tuple[int, int, int], track: int = 0, content: bytes | None = None) -> bytes:
    """A film with this edit list: duration, start and rate of each edit."""
    packed = b"".join(struct.pack(">Iii", *edit) for edit in edits)
    value = struct.pack(">II", 0, len(edits)) + packed
    return changed(content or original(), f"{TRACK}/edts/elst", lambda _: value, track=track)


def without_reference() -> bytes:
    """A film whose samples lie in another file, as its header says."""
    return changed(original(), f"{TRACK}/mdia/minf/dinf/dref/url ", poked(0, bytes(4)))


def rescaled() -> bytes:
    """A film whose header counts in another unit, as other programs do."""
    return remuxed(original(), "mp4", options={"video_track_timescale": "90000", "movie_timescale": "600"})


def long_places() -> bytes:
    """A film whose places take 64 bits."""

    def change(value: bytes) -> bytes:
        parts = []
        for kind, content in boxes(value):
            if kind == b"stco":
                count = struct.unpack_from(">I", content, 4)[0]
                places = struct.unpack_from(f">{count}I", content, 8)
                parts.append((b"co64", content[:8] + struct.pack(f">{count}Q", *places)))
            else:
                parts.append((kind, content))
        return joined(parts)

    return changed(original(), TABLES, change)


def same_size(change: Callable[[bytes], bytes], path: str, track: int = 0) -> bytes:
    """A film in which a box was changed."""
    return changed(original(), path, change, track=track)


COPIES: dict[str, Make] = {
    "in an MP4": mp4,
    "in an MP4 and back": lambda: remuxed(mp4(), "mov"),
    "in a 3GP": lambda: remuxed(original(), "3gp"),
    "fast start": lambda: remuxed(original(), "mp4", options={"movflags": "+faststart"}),
    "header moved": lambda: in_front(original()),
    "tagged MP4": lambda: remuxed(original(), "mp4", tags={"title": "Lake", "comment": "x", "date": "2021-01-02"}),
    "tagged MOV": lambda: remuxed(original(), "mov", tags={"title": "Lake", "artist": "Josie"}),
    "keys": lambda: remuxed(
        original(), "mov", options={"movflags": "use_metadata_tags"}, tags={"title": "Lake", "make": "Apple"}
    ),
    "keys of an iPhone": lambda: with_keys({b"com.apple.quicktime.location.ISO6709": b"+48.1+011.5/"}),
    "tags of iTunes": lambda: tagged(tag(b"\xa9nam", b"Lake"), tag(b"trkn", bytes(8), 0)),
    "QuickTime text": lambda: with_user_data(b"\xa9day", b"\0\x0a\x15\xc72021-01-02"),
    "Windows tags": lambda: with_user_data(b"Xtra", b"rating"),
    "XMP": lambda: beside(b"uuid", XMP_UUID + b"<x:xmpmeta>lake</x:xmpmeta>"),
    "XMP of QuickTime": lambda: with_user_data(b"XMP_", b"<x:xmpmeta>lake</x:xmpmeta>"),
    "another unit of time": rescaled,
    "empty space": lambda: beside(b"free", bytes(5000)),
    "a line in empty space": lambda: beside(b"free", b"IsoMedia File Produced with a program\0"),
    "zeros in the data": lambda: in_data(bytes(300)),
    "zeros at the end": lambda: original() + bytes(64),
    "long places": long_places,
    "another day": lambda: same_size(poked(4, b"\1\2\3\4\5\6\7\x08"), "moov/mvhd"),
    "another language": lambda: same_size(poked(20, b"\x15\xc7"), f"{TRACK}/mdia/mdhd"),
    "another name of the handler": lambda: same_size(lambda value: value[:24] + b"\5Video", f"{TRACK}/mdia/hdlr"),
    "another brand": lambda: same_size(poked(0, b"mp42"), "ftyp"),
    "bit rates": lambda: same_size(sampled(box(b"btrt", b"\0\1\2\3" * 3)), ENTRY),
    "square pixels, said": lambda: same_size(sampled(box(b"pasp", struct.pack(">II", 1, 1))), ENTRY),
    "progressive, said": lambda: same_size(sampled(box(b"fiel", b"\1\0")), ENTRY),
    "no hints for players": lambda: same_size(lambda v: without(b"sbgp")(without(b"sgpd")(v)), TABLES, 1),
    "which samples are needed": lambda: same_size(added(box(b"sdtp", bytes(4 + 12))), TABLES),
    "channels as older programs write them": lambda: same_size(poked(8 + 8 + 16, struct.pack(">H", 2)), ENTRY, 1),
    "the last sound played whole": lambda: same_size(
        poked(16, struct.pack(">II", 1, 1024)), f"{TABLES}/stts", 1),
    "an edit that says nothing": lambda: edited((480, 1024, 1 << 16), content=original()),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", COPIES)
def test_copies_have_one_digest(kind: str) -> None:
    """Re-muxed, moved, tagged: the same film."""
    copy = COPIES[kind]()
    assert digest(original()) is not None
    assert (digest(original()), facts(original())) == (digest(copy), facts(copy))


def test_uncompressed_sound_has_no_bounds() -> None:
    """Each program puts as many samples together as it likes."""
    content = plain()
    copy = remuxed(content, "mov", options={"max_chunk": "1"})
    shuffled = remuxed(content, "mov", tags={"title": "x"})
    assert digest(content) is not None
    assert digest(content) == digest(copy) == digest(shuffled)
    cut = [edited((duration, 0, 1 << 16), track=1, content=content) for duration in (479, 440, 400)]
    assert digest(content) == digest(cut[0])  # another program's rounding
    assert 3 == len({digest(content), *map(digest, cut)})
    longer = changed(content, f"{TABLES}/stts", poked(12, struct.pack(">I", 2)), track=1)
    assert digest(content) != digest(longer)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed")
def test_exiftool_only_describes(tmp_path: Path) -> None:
    """What people tag films with: dates, places, captions, in every group that it writes."""
    path = tmp_path / "film.mov"
    path.write_bytes(original())
    words = [
        "-QuickTime:CreateDate=2021:01:02 03:04:05", "-Keys:GPSCoordinates=48.1, 11.5, 500", "-Keys:Title=Lake",
        "-ItemList:Comment=x", "-UserData:Author=Josie", "-XMP:Rating=5", "-XMP:Description=lake",
    ]  # fmt: skip
    subprocess.run(["exiftool", "-q", "-overwrite_original", *words, str(path)], check=True, capture_output=True)
    copy = path.read_bytes()
    assert copy != original()
    assert digest(original()) == digest(copy)


def inserted(extra: bytes) -> Callable[[bytes], bytes]:
    """Put a box before those that are there."""
    return lambda value: extra + value


def chapters() -> bytes:
    """A film with chapters in Nero's way."""
    return with_user_data(b"chpl", b"\1" + bytes(7) + b"\1" + bytes(8) + b"\5Start")


def other_byte(place: int = 3000) -> bytes:
    """A film with another byte in a packet."""
    content = bytearray(original())
    content[place] ^= 1
    return bytes(content)


def swapped(value: bytes) -> bytes:
    """Exchange the two tracks."""
    parts = list(boxes(value))
    tracks = [part for part in parts if part[0] == b"trak"]
    return joined([part for part in parts if part[0] != b"trak"] + tracks[::-1])


def slower(value: bytes) -> bytes:
    """Show each picture for a little longer."""
    count, ticks = struct.unpack_from(">II", value, 8)
    return value[:8] + struct.pack(">II", count, ticks + 21)


CHANGES: dict[str, Make] = {
    "a byte of a packet": other_byte,
    "a frame less at the end": lambda: film("mov", frames=11),
    "another picture": lambda: film("mov", seed=2),
    "another sound as long": lambda: film("mov", sounds=[441.0]),
    "no sound": lambda: film("mov", sounds=[]),
    "one more sound": lambda: film("mov", sounds=[440.0, 880.0]),
    "another rate": lambda: film("mov", rate=24),
    "rotated": lambda: flagged(at40=QUARTER),
    "switched off": lambda: flagged(at3=b"\2"),
    "another track switched off": lambda: flagged(1, at3=b"\2"),
    "another layer": lambda: flagged(at32=b"\0\1"),
    "silent": lambda: flagged(1, at36=b"\0\0"),
    "shown smaller": lambda: flagged(at76=struct.pack(">II", 32 << 16, 24 << 16)),
    "the whole film rotated": lambda: same_size(poked(36, QUARTER), "moov/mvhd"),
    "played faster": lambda: same_size(poked(20, struct.pack(">I", 2 << 16)), "moov/mvhd"),
    "cut at the beginning": lambda: edited((400, 1024 + 1024, 1 << 16)),
    "cut at the end": lambda: edited((400, 1024, 1 << 16)),
    "waits": lambda: edited((40, -1, 1 << 16), (480, 1024, 1 << 16)),
    "sound waits": lambda: edited((40, -1, 1 << 16), (480, 1024, 1 << 16), track=1),
    "sound begins later": lambda: edited((480, 1025, 1 << 16), track=1),
    "slow motion": lambda: edited((480, 1024, 1 << 15)),
    "two edits": lambda: edited((240, 1024, 1 << 16), (240, 1024, 1 << 16)),
    "times in another order": lambda: same_size(poked(8, struct.pack(">IIII", 1, 1536, 1, 1024)), f"{TABLES}/ctts"),
    "the last picture longer": lambda: same_size(
        lambda value: value[:4] + struct.pack(">IIIII", 2, 11, 512, 1, 600), f"{TABLES}/stts"),
    "the last sound but one later": lambda: same_size(
        lambda value: value[:4] + struct.pack(">IIIIIII", 3, 22, 1024, 1, 1025, 1, 512), f"{TABLES}/stts", 1),
    "each picture longer": lambda: same_size(slower, f"{TABLES}/stts"),
    "another key frame": lambda: same_size(poked(8, struct.pack(">II", 1, 6)), f"{TABLES}/stss"),
    "another unit of time alone": lambda: same_size(poked(12, struct.pack(">I", 12288)), f"{TRACK}/mdia/mdhd"),
    "tracks exchanged": lambda: same_size(swapped, "moov"),
    "colours": lambda: same_size(sampled(box(b"colr", b"nclx\0\1\0\1\0\1\0")), ENTRY),
    "full range": lambda: same_size(sampled(box(b"colr", b"nclx\0\2\0\2\0\2\x80")), ENTRY),
    "a profile": lambda: same_size(sampled(box(b"colr", b"prof" + bytes(64))), ENTRY),
    "wide pixels": lambda: same_size(sampled(box(b"pasp", struct.pack(">II", 4, 3))), ENTRY),
    "interlaced": lambda: same_size(sampled(box(b"fiel", b"\2\6")), ENTRY),
    "cropped": lambda: same_size(sampled(box(b"clap", bytes(32))), ENTRY),
    "HDR": lambda: same_size(sampled(box(b"clli", b"\3\xe8\1\x90")), ENTRY),
    "stereo": lambda: same_size(sampled(box(b"st3d", bytes(5))), ENTRY),
    "spherical": lambda: same_size(sampled(box(b"sv3d", SPHERE)), ENTRY),
    "another width": lambda: same_size(poked(8 + 8 + 24, struct.pack(">H", 60)), ENTRY),
    "another rate of samples": lambda: same_size(poked(8 + 8 + 24, struct.pack(">I", 44100 << 16)), ENTRY, 1),
    "balance": lambda: same_size(poked(4, b"\1\0"), f"{TRACK}/mdia/minf/smhd", 1),
    "blended": lambda: same_size(poked(4, b"\0\x24"), f"{TRACK}/mdia/minf/vmhd"),
    "stereo sound": lambda: film("mov", channels="stereo"),
    "called otherwise": lambda: same_size(lambda value: value.replace(b"avc1", b"avc3"), ENTRY),
    "a sound of another kind": lambda: same_size(poked(8, b"meta"), f"{TRACK}/mdia/hdlr", 1),
    "a track leads to another": lambda: same_size(added(box(b"tref", box(b"chap", b"\0\0\0\2"))), TRACK),
    "an unknown box": lambda: beside(b"abcd", b"hello"),
    "an unknown box in the header": lambda: same_size(added(box(b"abcd", b"hello")), "moov"),
    "an unknown box in a track": lambda: same_size(added(box(b"abcd", b"hello")), TRACK),
    "an unknown box in the tables": lambda: same_size(added(box(b"abcd", b"hello")), TABLES),
    "an unknown box of samples": lambda: same_size(sampled(box(b"abcd", b"hello")), ENTRY),
    "samples in groups": lambda: same_size(added(box(b"sgpd", b"\1\0\0\0abcd" + bytes(12))), TABLES),
    "another uuid": lambda: beside(b"uuid", bytes(16) + b"hello"),
    "XMP with a picture": lambda: beside(b"uuid", XMP_UUID + b"<x GImage:Data='" + b"A" * 600 + b"'/>"),
    "something in empty space": lambda: beside(b"free", b"\xff\xd8\xff\xe0" + bytes(100)),
    "a text too long in empty space": lambda: beside(b"skip", b"x" * 300),
    "something in the data": lambda: in_data(b"\xff\xd8\xff\xe0hello"),
    "something behind the end": lambda: original() + b"hello there, behind the end",
    "a second film behind it": lambda: original() + joined(boxes(film("mov", seed=4)[20:])),
    "a cover": lambda: tagged(tag(b"covr", b"\xff\xd8\xff\xe0" + bytes(100), 13)),
    "a cover called a title": lambda: tagged(tag(b"\xa9nam", b"\xff\xd8\xff\xe0" + bytes(100), 13)),
    "a title too long": lambda: tagged(tag(b"\xa9nam", b"x" * 5000)),
    "an unknown tag": lambda: tagged(tag(b"abcd", b"hello")),
    "how much is played": lambda: tagged(
        box(b"----", box(b"mean", bytes(4) + b"com.apple.iTunes") + box(b"name", bytes(4) + b"iTunSMPB")
            + box(b"data", bytes(8) + b"00000840"))),
    "the number of a Live Photo": lambda: with_keys({b"com.apple.quicktime.content.identifier": b"A-B"}),
    "an unknown key": lambda: with_keys({b"com.example.lake": b"A-B"}),
    "a picture in a key": lambda: with_keys({b"com.apple.quicktime.title": b"\xff\xd8\xff"}, 13),
    "a large number in a key": lambda: with_keys({b"com.apple.quicktime.title": b"\1" * 100}, 21),
    "chapters": chapters,
    "user data of a camera": lambda: with_user_data(b"GPMF", b"DEVC" + bytes(20)),
    "QuickTime text too long": lambda: with_user_data(b"\xa9day", b"x" * 5000),
    "items beside tags": lambda: same_size(added(box(b"meta", TEXT)), "moov"),
}  # fmt: skip

BROKEN: dict[str, Make] = {
    "cut in the data": lambda: original()[:5000],
    "cut in the header": lambda: original()[:-1],
    "cut in the data behind the header": lambda: in_front(original())[:-500],
    "no header": lambda: joined(part for part in boxes(original()) if part[0] != b"moov"),
    "a second header": lambda: beside(b"moov", dict(boxes(film("mov", seed=4)))[b"moov"]),
    "fragments": lambda: remuxed(original(), "mp4", options={"movflags": "frag_keyframe+empty_moov"}),
    "samples in another file": without_reference,
    "encrypted": lambda: same_size(poked(8 + 4, b"encv"), ENTRY),
    "encrypted, it says within": lambda: same_size(sampled(box(b"sinf", bytes(20))), ENTRY),
    "a film of films": lambda: same_size(added(box(b"rmra", bytes(20))), "moov"),
    "no box in the header": lambda: same_size(added(b"\xff\xff\xff\xffabcdefgh"), "moov"),
    "a key of a shop": lambda: same_size(added(box(b"pssh", bytes(20))), "moov"),
    "two descriptions": lambda: same_size(lambda value: value[:7] + b"\2" + value[8:] + value[8:], ENTRY),
    "no samples are told": lambda: same_size(without(b"stsz"), TABLES),
    "tables too short": lambda: same_size(lambda value: value[:-4], f"{TABLES}/stsz"),
    "fewer places than samples": lambda: same_size(poked(4, b"\0\0\0\2"), f"{TABLES}/stco"),
    "samples beyond the end": lambda: same_size(poked(8, b"\x7f\0\0\0"), f"{TABLES}/stco"),
    "two tracks of one number": lambda: flagged(1, at12=b"\0\0\0\1"),
    "no unit of time": lambda: same_size(poked(12, bytes(4)), f"{TRACK}/mdia/mdhd"),
    "a box larger than its own": lambda: same_size(poked(0, b"\0\0\xff\xff"), f"{TRACK}/mdia/minf"),
    "empty": lambda: b"",
    "a head alone": lambda: box(b"ftyp", b"qt  "),
    "no film": lambda: b"\xff\xd8\xff\xe0" + bytes(100),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_changes_have_other_digests(kind: str) -> None:
    """Whatever is no word about the film makes it another one."""
    content = CHANGES[kind]()
    assert content != original()
    assert digest(content) != digest(original())


@pytest.mark.slow
def test_what_is_more_in_a_film_has_a_digest_all_the_same() -> None:
    """Two films with the same strange box are one film: it counts, and does not refuse."""
    made = {kind: digest(CHANGES[kind]()) for kind in CHANGES}
    without_digest = {kind for kind, value in made.items() if value is None}
    assert without_digest <= {"a sound of another kind", "a second film behind it"}
    values = [value for value in made.values() if value is not None]
    assert len(set(values)) == len(values)


def test_colours_of_the_container_go_first() -> None:
    """Where the codec says others: players go by the container. Said or left unsaid, equal ones are equal."""
    options = {"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709"}
    unsaid = film("mov", codec_options=options)
    said = remuxed(unsaid, "mov", options={"movflags": "write_colr"})
    assert (False, True) == (b"colr" in unsaid, b"colr" in said)
    assert digest(unsaid) == digest(said)
    others = changed(said, f"{ENTRY}/avc1/colr", poked(4, b"\0\x09\0\x10\0\x09"))
    assert len({digest(said), digest(others), None}) == 3


def test_uncompressed_sound_has_its_channels_in_the_container() -> None:
    """There they are all that says how the samples are to be read."""
    content = plain()
    other = changed(content, ENTRY, poked(8 + 8 + 16, struct.pack(">H", 2)), track=1)
    assert digest(content) != digest(other)


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_followed_has_no_digest(kind: str) -> None:
    """Neither of what is broken, encrypted or in fragments, nor of what lies elsewhere."""
    assert digest(BROKEN[kind]()) is None


WORDS = [b"QUJD" * 1000] * 17
"""Each as small as words, and all together as large as a picture."""
WORDY: dict[str, Callable[[list[bytes]], bytes]] = {
    "items": lambda texts: tagged(*(tag(b"\xa9cmt", text) for text in texts)),
    "user data": lambda texts: changed(
        original(), "moov", added(box(b"udta", b"".join(box(b"\xa9xyz", text) for text in texts)))),
    "names of kinds of tags": lambda texts: changed(
        original(), "moov", added(b"".join(box(b"meta", box(b"hdlr", text)) for text in texts))
    ),
    "handlers": lambda texts: changed(original(), "moov", added(b"".join(box(b"hdlr", text) for text in texts))),
    "programs": lambda texts: original() + b"".join(box(b"free", text[:200]) * 20 for text in texts),
    "brands": lambda texts: original() + b"".join(box(b"ftyp", text) for text in texts),
    "groups": lambda texts: changed(
        original(), TABLES, added(b"".join(box(b"sgpd", bytes(4) + b"roll" + text) for text in texts))),
}  # fmt: skip


@pytest.mark.parametrize("kind", WORDY)
def test_many_words_are_no_words(kind: str) -> None:
    """A picture may be hidden in texts each of which is small."""
    assert digest(WORDY[kind](WORDS[:10])) == digest(original())
    assert digest(WORDY[kind](WORDS)) is None


HOLDERS = [
    "ftyp", "wide", "moov/mvhd", "moov/trak/tkhd", "moov/trak/edts", "moov/trak/edts/elst", "moov/trak/mdia",
    "moov/trak/mdia/mdhd", "moov/trak/mdia/hdlr", "moov/trak/mdia/minf", "moov/trak/mdia/minf/vmhd",
    "moov/trak/mdia/minf/hdlr", "moov/trak/mdia/minf/dinf", "moov/trak/mdia/minf/dinf/dref",
    "moov/trak/mdia/minf/dinf/dref/url ",
    *(f"{TABLES}/{kind}" for kind in ("stsd", "stts", "stss", "ctts", "stsc", "stsz", "stco")),
    f"{ENTRY}/avc1", f"{ENTRY}/avc1/avcC",
]  # fmt: skip


@pytest.mark.parametrize("path", HOLDERS)
def test_nothing_hides_behind_what_is_known(path: str) -> None:
    """Whatever box is made longer than it needs to be, what it holds then counts, or the film cannot be followed."""
    hidden = box(b"hide", b"\xff\xd8\xff\xe0" * 1200)  # more than any name or word may be
    assert digest(changed(original(), path, added(hidden))) != digest(original())


@pytest.mark.parametrize("path", [f"{TABLES}/sgpd", f"{TABLES}/sbgp"])
def test_nothing_hides_in_the_sound(path: str) -> None:
    """Likewise."""
    hidden = box(b"hide", b"\xff\xd8\xff\xe0" * (1 << 15))
    assert digest(changed(original(), path, added(hidden), track=1)) != digest(original())


def test_a_table_is_there_once() -> None:
    """Of two, one would be looked at."""
    times = box(b"stts", at(original(), f"{TABLES}/stts"))
    assert digest(same_size(added(times), TABLES)) is None
    longer = box(b"sdtp", bytes(4 + 12) + b"\xff\xd8")
    assert digest(same_size(added(longer), TABLES)) != digest(original())


@pytest.mark.parametrize(("kind", "size_bytes"), [("stco", 4), ("stts", 8), ("ctts", 8), ("stsc", 12), ("stss", 4)])
def test_nothing_hides_in_tables(kind: str, size_bytes: int) -> None:
    """Not in places and times of samples that there are none of."""

    def more(table: bytes) -> bytes:
        (count,) = struct.unpack_from(">I", table, 4)
        return table[:4] + struct.pack(">I", count + 50) + table[8:] + b"\x7f" * (50 * size_bytes)

    assert digest(same_size(more, f"{TABLES}/{kind}")) != digest(original())


def test_places_are_said_once() -> None:
    """Not in 32 bits and in 64, nor do many samples hide that are said to need some others only."""
    places = box(b"co64", bytes(4) + struct.pack(">IQ", 1, 1))
    assert digest(same_size(added(places), TABLES)) is None
    partial = box(b"stps", bytes(4) + struct.pack(">I", 1 << 15) + bytes(4 << 15))
    assert digest(same_size(added(partial), TABLES)) is None


UNSEEN = {
    "ftyp": [(8, 99)],
    "moov/mvhd": [(8, 20), (22, 28), (104, 108)],
    "moov/trak/tkhd": [(8, 40), (42, 44), (46, 48)],
    "moov/trak/edts/elst": [(8, 12), (16, 20)],
    "moov/trak/mdia/mdhd": [(8, 20), (24, 32)],
    "moov/trak/mdia/hdlr": [(8, 16), (20, 99)],
    "moov/trak/mdia/minf/vmhd": [(8, 12), (14, 20)],
    "moov/trak/mdia/minf/hdlr": [(8, 99)],
    "moov/trak/mdia/minf/dinf/dref": [(8, 12), (24, 27)],
    "moov/trak/mdia/minf/stbl/stsd": [(8, 12), (24, 48), (52, 64), (66, 98)],
    "moov/trak/mdia/minf/stbl/stts": [(8, 12), (16, 20)],
    "moov/trak/mdia/minf/stbl/stss": [(8, 12)],
    "moov/trak/mdia/minf/stbl/ctts": [(8, 99)],
    "moov/trak/mdia/minf/stbl/stsc": [(8, 99)],
    "moov/trak/mdia/minf/stbl/stsz": [(8, 12)],
    "moov/trak/mdia/minf/stbl/stco": [(8, 16)],
}
"""Where another bit makes no other film: versions, days, languages, names, counts of tables beyond what is used."""


def place_of(content: bytes, place: int) -> tuple[str, int]:
    """Which box a byte lies in, and where in it."""
    path, start, stop = [], 0, len(content)
    while True:
        for kind, value in boxes(content[start:stop]):
            if start <= place < start + 8 + len(value):
                path.append(kind.decode("latin-1"))
                break
            start += 8 + len(value)
        if place < start + 8 or kind not in {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"}:
            return "/".join(path), place - start
        start, stop = start + 8, start + 8 + len(value)


@pytest.mark.slow
def test_every_byte_counts_but_those_that_are_known_not_to() -> None:
    """Whichever bit of the film is another one: no packet, no box and no length goes unseen."""
    content = film("mov", frames=3, size=(16, 16), b_frames=1, sounds=[])
    first = digest(content)
    assert first is not None
    header = content.index(b"moov") - 4
    for place in (*range(0, header, 5), *range(header, len(content))):
        changed_ = bytearray(content)
        changed_[place] ^= 1
        path, at_ = place_of(content, place)
        is_known = any(start <= at_ < stop for start, stop in UNSEEN.get(path, ()))
        try:
            is_same = digest(bytes(changed_)) == first
        except MemoryError:  # a length that nothing could hold
            is_same = False
        assert not is_same or is_known, (path, at_)
