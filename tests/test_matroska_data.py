"""The image data of Matroska films: which copies have the same, and which changes give another, or none."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind.pictures import film_data, matroska_data
from dupfind.pictures.film_packets import BrokenError
from tests.helpers.ebml import (
    CLUSTER,
    INFO,
    SEGMENT,
    SIMPLE,
    TAG,
    TAGS,
    TRACK,
    TRACKS,
    VIDEO,
    VOID,
    added,
    changed,
    element,
    elements,
    joined,
    replaced,
    without,
)  # fmt: skip
from tests.helpers.films import film, remuxed

Make = Callable[[], bytes]
TITLE, DATE, WRITER, SEEK_HEAD, CUES = 0x7BA9, 0x4461, 0x5741, 0x114D9B74, 0x1C53BB6B
ATTACHMENTS, FILE, CHAPTERS, NAME, LANGUAGE, UID = 0x1941A469, 0x61A7, 0x1043A770, 0x536E, 0x22B59C, 0x73C5
SIMPLE_BLOCK, GROUP, BLOCK = 0xA3, 0xA0, 0xA1


CHECKSUM = 0xBF
PACKED = element(0x6240, joined((0x5031, b"\0"), (0x5032, b"\1"), (0x5033, b"\0"), (0x5034, joined((0x4254, b"\3")))))
"""Each frame begins with nothing that is left out of it."""
BUTTONS = joined((0xD7, b"\7"), (UID, b"\7"), (0x83, b"\x12"), (0x86, b"B_VOBBTN"))
"""The description of a track of buttons, of which FFmpeg makes no stream."""
GERMAN = element(LANGUAGE, b"ger")


def digest(content: bytes) -> bytes | None:
    """The digest of image data."""
    return film_data.read_digest(io.BytesIO(content))


def facts(content: bytes) -> bytes | None:
    """What films of equal image data have in common."""
    return film_data.read_facts(io.BytesIO(content))


@cache
def original() -> bytes:
    """A film with sound."""
    return film("matroska", codec="mpeg4", audio="pcm_s16le", b_frames=0)


def same(path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """A film in which one element was changed, somewhere in its segment."""
    return changed(original(), (SEGMENT, *path), change)


def tag(*parts: tuple[int, bytes]) -> bytes:
    """Tags with one of these parts."""
    return element(TAGS, element(TAG, joined((0x63C0, b""), (SIMPLE, joined((0x45A3, b"TITLE"), *parts)))))


def attached(*parts: tuple[int, bytes]) -> bytes:
    """A film with an attachment."""
    usual = (0x466E, b"font.ttf"), (0x4660, b"font/ttf"), (0x46AE, b"\1"), (0x465C, b"font" * 10)
    return same((), added(element(ATTACHMENTS, element(FILE, joined(*usual, *parts)))))


def grouped() -> bytes:
    """A film whose first simple block is a block in a group."""

    def change(cluster: bytes) -> bytes:
        parts, done = [], False
        for id_, value in elements(cluster):
            if id_ == SIMPLE_BLOCK and not done:
                done = True
                number, times, rest = value[:1], value[1:3], value[4:]
                parts.append((GROUP, joined((BLOCK, number + times + b"\0" + rest))))
            else:
                parts.append((id_, value))
        return joined(*parts)

    return same((CLUSTER,), change)


def frames(cluster: bytes, *, drop: int | None = None, track: int | None = None) -> bytes:
    """A cluster without one of its blocks, or with the first one in another track."""
    parts, number = [], 0
    for id_, value in elements(cluster):
        if id_ == SIMPLE_BLOCK:
            number += 1
            if number == drop:
                continue
            if number == 1 and track is not None:
                value = bytes([0x80 | track]) + value[1:]  # noqa: PLW2901
        parts.append((id_, value))
    return joined(*parts)


def marked(cluster: bytes, place: int, bit: int) -> bytes:
    """A cluster whose first block says something else in one of the bytes before its frame."""
    ((_, block), *_) = (part for part in elements(cluster) if part[0] == SIMPLE_BLOCK)
    other = block[:place] + bytes([block[place] ^ bit]) + block[place + 1 :]
    return cluster.replace(block, other, 1)


COPIES: dict[str, Make] = {
    "written anew": lambda: remuxed(original(), "matroska", tags={"title": "Lake"}),
    "lengths in eight bytes": lambda: joined(*elements(original())),
    "a title": lambda: same((INFO,), added(element(TITLE, b"Lake"))),
    "another program": lambda: same((INFO,), replaced(WRITER, b"mkvpropedit")),
    "a date": lambda: same((INFO,), added(element(DATE, bytes(8)))),
    "a tag": lambda: same((), added(tag((0x4487, b"Lake")))),
    "no tags": lambda: same((), without(TAGS)),
    "empty space": lambda: same((), added(element(VOID, bytes(500)))),
    "empty space among the tracks": lambda: same((TRACKS,), added(element(VOID, bytes(500)))),
    "checksums": lambda: same((TRACKS, TRACK), added(element(CHECKSUM, b"1234"))),
    "empty space behind it": lambda: original() + element(VOID, bytes(500)),
    "no index": lambda: same((), lambda value: without(CUES)(without(SEEK_HEAD)(value))),
    "the name of a track": lambda: same((TRACKS, TRACK), added(element(NAME, b"Camera"))),
    "the language of a track": lambda: same((TRACKS, TRACK), lambda v: without(LANGUAGE)(v) + GERMAN),
    "the number of a track": lambda: same((TRACKS, TRACK), replaced(UID, b"\7")),
    "on, said": lambda: same((TRACKS, TRACK), added(element(0xB9, b"\1"))),
    "not forced, said": lambda: same((TRACKS, TRACK), added(element(0x55AA, b"\0"))),
    "not interlaced, said": lambda: same((TRACKS, TRACK, VIDEO), lambda v: without(0x9A)(v) + element(0x9A, b"\2")),
}  # fmt: skip


@pytest.mark.parametrize("kind", COPIES)
def test_copies_have_one_digest(kind: str) -> None:
    """Written anew, tagged: the same film."""
    copy = COPIES[kind]()
    assert copy != original()
    assert digest(original()) is not None
    assert (digest(original()), facts(original())) == (digest(copy), facts(copy))


CHANGES: dict[str, Make] = {
    "another sound": lambda: film("matroska", codec="mpeg4", audio="pcm_s16le", b_frames=0, sounds=[441.0]),
    "no sound": lambda: film("matroska", codec="mpeg4", b_frames=0, sounds=[]),
    "a frame less": lambda: film("matroska", codec="mpeg4", audio="pcm_s16le", b_frames=0, frames=11),
    "another rate": lambda: film("matroska", codec="mpeg4", audio="pcm_s16le", b_frames=0, rate=20),
    "a block less": lambda: same((CLUSTER,), lambda value: frames(value, drop=1)),
    "the first block of sound less": lambda: same((CLUSTER,), lambda value: frames(value, drop=2)),
    "the whole later": lambda: same((CLUSTER,), replaced(0xE7, b"\7")),
    "a time that makes no sense": lambda: same((CLUSTER,), lambda value: marked(value, 1, 0x80)),
    "a block that is not shown": lambda: same((CLUSTER,), lambda value: marked(value, 3, 0x08)),
    "where a player may not begin": lambda: same((CLUSTER,), lambda value: marked(value, 3, 0x80)),
    "the unit of time": lambda: same((INFO,), replaced(0x2AD7B1, (2_000_000).to_bytes(3, "big"))),
    "off": lambda: same((TRACKS, TRACK), added(element(0xB9, b"\0"))),
    "forced": lambda: same((TRACKS, TRACK), added(element(0x55AA, b"\1"))),
    "not the usual one": lambda: same((TRACKS, TRACK), lambda v: without(0x88)(v) + element(0x88, b"\1")),
    "delayed": lambda: same((TRACKS, TRACK), added(element(0x56AA, b"\x0f\x42\x40"))),
    "stereo": lambda: same((TRACKS, TRACK, VIDEO), added(element(0x53B8, b"\1"))),
    "interlaced": lambda: same((TRACKS, TRACK, VIDEO), lambda v: without(0x9A)(v) + element(0x9A, b"\1")),
    "cropped": lambda: same((TRACKS, TRACK, VIDEO), added(element(0x54BB, b"\4"))),
    "shown wider": lambda: same((TRACKS, TRACK, VIDEO), lambda v: without(0x54B0)(v) + element(0x54B0, b"\x60")),
    "turned": lambda: same((TRACKS, TRACK, VIDEO), added(element(0x7670, element(0x7675, bytes(4))))),
    "colours": lambda: same((TRACKS, TRACK, VIDEO), added(element(0x55B0, element(0x55BB, b"\x09")))),
    "a usual range of a picture with colours": lambda: same(
        (TRACKS, TRACK, VIDEO), added(element(0x55B0, joined((0x55BB, b"\1"), (0x55B9, b"\1"))))),
    "full range": lambda: same((TRACKS, TRACK, VIDEO), added(element(0x55B0, element(0x55B9, b"\2")))),
    "an unknown part of a track": lambda: same((TRACKS, TRACK), added(element(0x7FFE, b"hello"))),
    "an unknown part": lambda: same((), added(element(0x7FFE, b"hello"))),
    "an unknown part of a cluster": lambda: same((CLUSTER,), added(element(0x7FFE, b"hello"))),
    "part of a series": lambda: same((INFO,), added(element(0x3EB923, bytes(16)))),
    "chapters": lambda: same((), added(element(CHAPTERS, b"one"))),
    "a font": attached,
    "another font": lambda: attached((0x465C, b"more")),
    "a cover in a tag": lambda: same((), added(tag((0x4485, b"\xff\xd8\xff\xe0" + bytes(50))))),
    "a long tag": lambda: same((), added(tag((0x4487, b"x" * 5000)))),
    "a long title": lambda: same((INFO,), added(element(TITLE, b"x" * 5000))),
    "a long name of a track": lambda: same((TRACKS, TRACK), added(element(NAME, b"x" * 5000))),
    "something in the index": lambda: same((CUES,), added(element(0xBB, element(0xB3, b"hidden places")))),
    "something in the list of parts": lambda: same((SEEK_HEAD,), added(element(VOID, b"hidden"))),
    "something in the sizes of clusters": lambda: same((CLUSTER,), added(element(0xAB, b"hidden sizes"))),
    "something in empty space among the tracks": lambda: same((TRACKS,), added(element(VOID, b"hidden"))),
    "something in a checksum of the tracks": lambda: same((TRACKS,), added(element(CHECKSUM, b"hidden"))),
    "something in empty space of a track": lambda: same((TRACKS, TRACK), added(element(VOID, b"hidden"))),
    "something in a checksum of a track": lambda: same((TRACKS, TRACK), added(element(CHECKSUM, b"hidden"))),
    "something in a checksum of a picture": lambda: same((TRACKS, TRACK, VIDEO), added(element(CHECKSUM, b"hides"))),
    "something in the head": lambda: changed(original(), (0x1A45DFA3,), added(element(VOID, b"hidden" * 90))),
    "what is beside a block": lambda: changed(grouped(), (SEGMENT, CLUSTER, GROUP), added(element(0x75A1, b"hid"))),
    "something in a duration": lambda: changed(grouped(), (SEGMENT, CLUSTER, GROUP), added(element(0x9B, b"hide" * 9))),
    "something in empty space": lambda: same((), added(element(VOID, b"hello"))),
    "something behind it": lambda: original() + element(VOID, b"hello"),
    "what is left out of a block": lambda: changed(grouped(), (SEGMENT, CLUSTER, GROUP), added(element(0x75A2, b"\7"))),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_changes_have_other_digests(kind: str) -> None:
    """Whatever is no word about the film makes it another one."""
    content = CHANGES[kind]()
    assert content != original()
    assert digest(content) != digest(original())


def test_no_two_changes_are_one() -> None:
    """Each has a digest of its own, so that two films with the same strange part are one."""
    made = {kind: digest(make()) for kind, make in CHANGES.items()}
    known = [value for value in made.values() if value is not None]
    assert len(set(known)) == len(known) > 25


@pytest.mark.slow
@pytest.mark.parametrize("id_", [0x54AA, 0x54BB, 0x54CC, 0x54DD, 0x54B0, 0x54BA, 0x54B2, 0x53C0, 0x7FFE])
def test_no_value_is_left_out_of_an_element_that_has_none_by_default(id_: int) -> None:
    """255 of a byte counts: cropped by that much, shown that wide."""
    large = film("matroska", codec="mpeg4", b_frames=0, sounds=[], size=(640, 480))
    bare = changed(large, (SEGMENT, TRACKS, TRACK, VIDEO), without(id_))
    content = changed(bare, (SEGMENT, TRACKS, TRACK, VIDEO), added(element(id_, b"\xff")))
    assert digest(content) not in {None, digest(bare)}


WORDS = [b"QUJD" * 1000] * 17
"""Each as small as words, and all together as large as a picture."""
WORDY: dict[str, Callable[[list[bytes]], bytes]] = {
    "tags": lambda texts: same((), added(b"".join(tag((0x4487, text)) for text in texts))),
    "titles": lambda texts: same((INFO,), added(b"".join(element(TITLE, text) for text in texts))),
    "names": lambda texts: same((TRACKS, TRACK), added(b"".join(element(NAME, text) for text in texts))),
}


@pytest.mark.parametrize("kind", WORDY)
def test_many_words_are_no_words(kind: str) -> None:
    """A picture may be hidden in texts each of which is small."""
    assert digest(WORDY[kind](WORDS[:10])) == digest(original())
    assert digest(WORDY[kind](WORDS)) is None


BROKEN: dict[str, Make] = {
    "cut": lambda: original()[:-100],
    "cut early": lambda: original()[:600],
    "two segments": lambda: original() + original(),
    "a block of no track": lambda: same((CLUSTER,), lambda value: frames(value, track=9)),
    "packed": lambda: same((TRACKS, TRACK), added(element(0x6D80, PACKED))),
    "two blocks in a group": lambda: changed(
        grouped(), (SEGMENT, CLUSTER, GROUP), lambda group: group[:20] + bytes(len(group) - 20) + group),
    "an empty block, which players leave out": lambda: same(
        (CLUSTER,), added(element(SIMPLE_BLOCK, b"\x81\0\0\x80"))),
    "a track that players leave out": lambda: same((TRACKS,), added(element(TRACK, BUTTONS))),
    "an encrypted block": lambda: same((CLUSTER,), added(element(0xAF, bytes(20)))),
    "tags in tags in tags": lambda: same((), added(element(TAGS, nested(20)))),
    "no length": lambda: original().replace(original()[: original().index(b"\x18\x53\x80\x67") + 12],
        original()[: original().index(b"\x18\x53\x80\x67") + 4] + b"\x01\xff\xff\xff\xff\xff\xff\xff"),
    "a head alone": lambda: original()[:40],
    "behind it no element": lambda: original() + b"\0hello",
}  # fmt: skip


def nested(depth: int) -> bytes:
    """Tags within tags."""
    return element(TAG, nested(depth - 1)) if depth else b""


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_followed_has_no_digest(kind: str) -> None:
    """Neither of what is broken or packed nor of what has packets that FFmpeg leaves out."""
    assert digest(BROKEN[kind]()) is None


def test_a_group_is_a_block() -> None:
    """One is as good as the other; whether a player may begin at a group is told by what it refers to."""
    assert digest(grouped()) == digest(original())


@pytest.mark.parametrize(
    ("lacing", "content", "lengths"),
    [
        (0x02, b"\2" + b"\xff\1" + b"\3" + bytes(256 + 3 + 5), [256, 3, 5]),
        (0x04, b"\2" + bytes(12), [4, 4, 4]),
        (0x06, b"\3" + b"\x85" + b"\xc1" + b"\xbd" + bytes(5 + 7 + 5 + 9), [5, 7, 5, 9]),
    ],
)
def test_frames_that_share_a_block(lacing: int, content: bytes, lengths: list[int]) -> None:
    """Three ways to tell their lengths (RFC 9559, 10.3)."""
    assert lengths == matroska_data._laced(content, lacing)


@pytest.mark.parametrize(
    ("lacing", "content"), [(2, b""), (2, b"\1\5abc"), (4, b"\2abcd"), (6, b"\1"), (6, b"\1\x85abc")]
)
def test_frames_that_do_not_fit(lacing: int, content: bytes) -> None:
    """Whoever says so lies."""
    with pytest.raises(BrokenError):
        matroska_data._laced(content, lacing)
