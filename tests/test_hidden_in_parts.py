"""Data in parts of a picture file that decoders know by name and take no more than a few bytes of, or none."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from dupfind.pictures import exif_extent, hidden_data, jxl
from tests.helpers.image_data import chunk, film, photo, with_chunks
from tests.helpers.stamped import APP0, APP2, APP14, digest, saved, with_segments

HIDDEN = random.Random(4).randbytes(6000)  # noqa: S311 - no secret
WORDS = HIDDEN.replace(b"\0", b"\1")
NOTE = 100
"""What is as small as this stays a note."""
MANY = 10**8


def hides(content: bytes) -> bool:
    """What is told of a file."""
    return hidden_data.hides_data(io.BytesIO(content), MANY)


def pixels(content: bytes) -> bytes:
    """The pixels of a file."""
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB").tobytes()


def png(mode: str = "RGB") -> bytes:
    """A PNG without frames."""
    return saved(photo().quantize(64) if mode == "P" else photo().convert(mode), "PNG")


def at_end(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with these chunks before its end mark."""
    return png[:-12] + b"".join(chunks) + png[-12:]


PROFILE = random.Random(5).randbytes(300)  # noqa: S311 - no secret
PACKED_PROFILE = b"own\0\0" + zlib.compress(PROFILE)
LENGTHS = {
    b"tIME": 7, b"sBIT": 3, b"hIST": 0, b"pHYs": 9, b"sRGB": 1, b"tRNS": 6, b"IEND": 0, b"iDOT": 28, b"bKGD": 6,
    b"oFFs": 9, b"vpAg": 9, b"gIFg": 4, b"cLLI": 8,
}  # fmt: skip


@pytest.mark.parametrize("kind", LENGTHS)
@pytest.mark.parametrize("is_behind", [False, True])
def test_a_chunk_longer_than_it_can_be(kind: bytes, *, is_behind: bool) -> None:
    """What follows behind all that such a chunk of a PNG can hold is looked at by no decoder."""
    change = at_end if is_behind else with_chunks
    known = bytes(LENGTHS[kind])
    for mode in ("RGB", "L"):
        plain = png(mode)
        content = plain[:-12] if kind == b"IEND" else plain
        hiding = content + chunk(kind, HIDDEN) if kind == b"IEND" else change(plain, chunk(kind, known + HIDDEN))
        assert hides(hiding)
        assert digest(hiding) is None
    assert not hides(change(png(), chunk(kind, known))) or kind == b"IEND"


@pytest.mark.parametrize("kind", [b"sPLT", b"gIFx", b"dSIG"])
def test_a_chunk_of_any_length(kind: bytes) -> None:
    """Of palettes that are only suggested, and of the like, every byte counts, of all of them together."""
    assert hides(with_chunks(png(), chunk(kind, HIDDEN[:2500]), chunk(kind, HIDDEN[2500:])))
    assert not hides(with_chunks(png(), chunk(kind, HIDDEN[:NOTE])))


def test_a_header_that_goes_on() -> None:
    """Of the header decoders take 13 bytes."""
    plain = png()
    hiding = plain[:8] + chunk(b"IHDR", plain[16:29] + HIDDEN) + plain[33:]
    assert pixels(hiding) == pixels(plain)
    assert hides(hiding)


def test_second_chunks() -> None:
    """Many chunks of which a file has one are as good as a long one."""
    times = [chunk(b"tIME", HIDDEN[at : at + 7]) for at in range(0, len(HIDDEN), 7)]
    assert hides(at_end(png(), *times))
    assert not hides(at_end(png(), *times[:10]))
    profile = chunk(b"iCCP", PACKED_PROFILE)
    assert hides(with_chunks(png(), chunk(b"iCCP", b"own\0\0" + zlib.compress(HIDDEN)), profile))
    assert not hides(with_chunks(png(), profile))


@pytest.mark.parametrize(
    "payload",
    [PACKED_PROFILE + HIDDEN, WORDS + b"\0\0" + zlib.compress(PROFILE), HIDDEN],
    ids=["behind", "name", "not packed"],
)
def test_beside_a_profile(payload: bytes) -> None:
    """The chunk of a profile has its name and what is packed, and nothing else."""
    assert hides(with_chunks(png(), chunk(b"iCCP", payload)))


TEXTS = {
    "zTXt, behind": (b"zTXt", b"Comment\0\0" + zlib.compress(b"a word") + HIDDEN),
    "iTXt, behind": (b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(b"a word") + HIDDEN),
    "iTXt, the language": (b"iTXt", b"Comment\0\0\0" + WORDS + b"\0\0a word"),
    "iTXt, the keyword in it": (b"iTXt", b"Comment\0\0\0en\0" + WORDS + b"\0a word"),
    "iTXt, of XMP": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>") + HIDDEN),
    "tEXt, the keyword": (b"tEXt", b"exif:" + WORDS + b"\0a word"),
    "tEXt, nothing else": (b"tEXt", b"exif:" + WORDS),
}


@pytest.mark.parametrize(("kind", "payload"), TEXTS.values(), ids=TEXTS)
def test_beside_a_text(kind: bytes, payload: bytes) -> None:
    """What is neither the text nor a keyword of its length is looked at by nobody."""
    hiding = with_chunks(png(), chunk(kind, payload))
    assert hides(hiding)
    assert digest(hiding) is None


def test_texts_that_hide_nothing() -> None:
    """Words in another language are words, however they are packed; what unpacks to very much, too."""
    for payload in (b"Comment\0\0\0de\0Anmerkung\0Wort", b"Comment\0\1\0de\0\0" + zlib.compress(WORDS * 100)):
        assert not hides(with_chunks(png(), chunk(b"iTXt", payload)))
    assert not hides(with_chunks(png(), chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * (3 << 20)))))


def frame(number: int) -> bytes:
    """The control chunk of a frame of the size of a photo."""
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *photo().size, 0, 0, 1, 10, 0, 0))


def of_frame(number: int) -> bytes:
    """The pixels of another photo, as those of a frame."""
    other = saved(photo(2), "PNG")
    start = other.index(b"IDAT")
    length = struct.unpack(">I", other[start - 4 : start])[0]
    return chunk(b"fdAT", struct.pack(">I", number) + other[start + 4 : start + 4 + length])


def said(frames: int) -> bytes:
    """The chunk by which a PNG is an animation."""
    return chunk(b"acTL", struct.pack(">II", frames, 0))


FRAMES: dict[str, Callable[[], bytes]] = {
    "not said": lambda: at_end(png(), frame(0), of_frame(1)),
    "one said": lambda: at_end(with_chunks(png(), said(1), frame(0)), frame(1), of_frame(2)),
    "none said": lambda: at_end(with_chunks(png(), said(0), frame(0)), frame(1), of_frame(2)),
    "said twice": lambda: at_end(with_chunks(png(), said(2), said(2), frame(0)), frame(1), of_frame(2)),
    "said behind the pixels": lambda: at_end(png(), said(1), frame(0), of_frame(1)),
    "beside those of the picture": lambda: at_end(with_chunks(png(), said(1), frame(0)), of_frame(1)),
}


@pytest.mark.filterwarnings("ignore:Invalid APNG")
@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_frames_that_no_viewer_shows(make: Callable[[], bytes]) -> None:
    """Frames of a PNG that is shown without them are pictures that a copy of what is shown would lose."""
    hiding = make()
    assert pixels(hiding) == pixels(png())
    assert hides(hiding)
    assert digest(hiding) is None


def test_frames_that_are_shown() -> None:
    """A film hides nothing, with or without a picture that is none of its frames."""
    assert not hides(film("PNG"))
    assert not hides(at_end(with_chunks(png(), said(2), frame(0)), frame(1), of_frame(2)))
    assert not hides(at_end(with_chunks(png(), said(1)), frame(0), of_frame(1)))


def of_webp(content: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a WebP."""
    chunks, place = [], 12
    while place < len(content):
        length = struct.unpack("<I", content[place + 4 : place + 8])[0]
        chunks.append((content[place : place + 4], content[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return chunks


def webp(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2) for kind, payload in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


EXIF = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"
OTHER = of_webp(saved(photo(2), "WEBP", lossless=True))[0][1]
assert len(OTHER) > 4096
FRAME = bytes(6) + b"".join(struct.pack("<I", side - 1)[:3] for side in photo().size) + b"\x64\0\0\0"
FRAME += b"VP8L" + struct.pack("<I", len(OTHER)) + OTHER + bytes(len(OTHER) % 2)


def see_through() -> Image.Image:
    """A picture with an alpha channel of many tones."""
    image = photo().copy()
    image.putalpha(photo(2).convert("L"))
    return image


WEBPS: dict[str, Callable[[], bytes]] = {
    "lossy": lambda: saved(photo(), "WEBP", quality=80),
    "lossless": lambda: saved(photo(), "WEBP", lossless=True),
    "lossy, extended": lambda: saved(photo(), "WEBP", quality=80, exif=EXIF),
    "lossless, extended": lambda: saved(photo(), "WEBP", lossless=True, exif=EXIF),
    "alpha": lambda: saved(see_through(), "WEBP", quality=80),
    "film": lambda: saved(photo(), "WEBP", save_all=True, append_images=[photo(3)], quality=80),
}
PASSED_OVER = {
    "lossy": (b"VP8X", b"ICCP", b"ANMF", b"ALPH", b"VP8 ", b"ANIM"),
    "lossless": (b"VP8X", b"ICCP", b"ANMF", b"ALPH", b"VP8L", b"ANIM"),
    "lossy, extended": (b"VP8X", b"ICCP", b"ALPH", b"ANMF", b"ANIM"),
    "lossless, extended": (b"VP8X", b"ICCP", b"ALPH", b"ANMF", b"ANIM"),
    "alpha": (b"VP8X", b"ICCP", b"ANMF", b"ANIM"),
    "film": (b"VP8X", b"ICCP", b"VP8 ", b"ALPH"),
}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, known in PASSED_OVER.items() for kind in known])
def test_chunks_of_a_webp_that_are_passed_over(name: str, kind: bytes) -> None:
    """Whatever a WebP has of a known kind, where decoders do not look for it, is hidden, and a small note is not."""
    plain = WEBPS[name]()
    chunks = of_webp(plain)
    assert not hides(plain)
    payload = FRAME if kind == b"ANMF" else HIDDEN
    for place in range(1, len(chunks) + 1):
        hiding = webp([*chunks[:place], (kind, payload), *chunks[place:]])
        if name != "film" or place == len(chunks):  # between the frames decoders refuse it
            assert hides(hiding)
            assert not hides(webp([*chunks[:place], (kind, HIDDEN[:NOTE]), *chunks[place:]]))


@pytest.mark.parametrize("name", ["lossy, extended", "alpha", "film"])
def test_a_head_and_a_second_profile_of_a_webp(name: str) -> None:
    """Of the head ten bytes are taken, and of two profiles the first."""
    chunks = of_webp(WEBPS[name]())
    head = chunks[0][1]
    assert hides(webp([(b"VP8X", head + HIDDEN), *chunks[1:]]))
    with_profile = [(b"VP8X", bytes([head[0] | 0x20]) + head[1:]), (b"ICCP", PROFILE), *chunks[1:]]
    assert not hides(webp(with_profile))
    assert hides(webp([*with_profile, (b"ICCP", HIDDEN)]))


def blocks(content: bytes) -> bytes:
    """Blocks of a GIF that hold this, and their end."""
    cut = (content[place : place + 255] for place in range(0, len(content), 255))
    return b"".join(bytes([len(block)]) + block for block in cut) + b"\0"


GIF_EXTENSIONS = {
    "control": b"\xf9\x04\0\0\0\0" + blocks(HIDDEN),
    "a long control": b"\xf9" + blocks(bytes(4) + HIDDEN),
    "text": b"\x01" + blocks(HIDDEN),
    "a comment": b"\xfe" + blocks(HIDDEN),
    "comments": b"\xfe" + blocks(HIDDEN[:3000]) + b"!\xfe" + blocks(HIDDEN[3000:]),
    "unknown": b"\x99" + blocks(HIDDEN),
    "loops": b"\xff\x0bNETSCAPE2.0\x03\x01\0\0" + blocks(HIDDEN),
}


@pytest.mark.parametrize("extension", GIF_EXTENSIONS.values(), ids=GIF_EXTENSIONS)
def test_extensions_of_a_gif(extension: bytes) -> None:
    """Extensions that tell nothing of the picture, and what known ones have behind what they tell."""
    for plain in (saved(photo().quantize(64), "GIF"), film("GIF")):
        hiding = plain[:-1] + b"!" + extension + b";"
        assert hides(hiding)
        assert digest(hiding) is None
        assert not hides(plain)


def test_small_extensions_of_a_gif() -> None:
    """Comments, loops and controls as programs write them hide nothing."""
    plain = saved(photo().quantize(64), "GIF", comment=b"a word" * 100)
    loops = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\x05\x02\0\0\0\x10\0"
    assert not hides(plain[:-1] + loops + b"!\xf9\x04\0\0\0\0\0" * 2000 + b";")


SHORT, LONG, UNDEFINED = 3, 4, 7


def of_tiff(content: bytes) -> tuple[int, list[tuple[int, int, int, int]]]:
    """The place of the first directory of a TIFF, and its entries."""
    place = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[place : place + 2])[0]
    return place, [struct.unpack_from("<HHII", content, place + 2 + 12 * number) for number in range(count)]


def with_entries(content: bytes, *entries: tuple[int, int, int, int]) -> bytes:
    """A TIFF with these entries more, in a new directory behind all else."""
    known = sorted([*of_tiff(content)[1], *entries])
    content += bytes(len(content) % 2)
    directory = struct.pack("<H", len(known)) + b"".join(struct.pack("<HHII", *entry) for entry in known) + bytes(4)
    return content[:4] + struct.pack("<I", len(content)) + content[8:] + directory


def page_twice(content: bytes) -> bytes:
    """A TIFF with a second page that shows the strips of the first."""
    place, entries = of_tiff(content)
    content += bytes(len(content) % 2)
    following = place + 2 + 12 * len(entries)
    page = content[place : following + 4]
    return content[:following] + struct.pack("<I", len(content)) + content[following + 4 :] + page


TIFFS = {
    "raw": lambda: saved(photo(), "TIFF"),
    "LZW": lambda: saved(photo(), "TIFF", compression="tiff_lzw"),
    "16 bits": lambda: saved(photo().convert("I;16"), "TIFF"),
}


@pytest.mark.parametrize("make", TIFFS.values(), ids=TIFFS)
def test_what_two_directories_point_to_accounts_for_nothing_else(make: Callable[[], bytes]) -> None:
    """A TIFF of which some bytes are pointed to twice hides others of the same number."""
    plain = make()
    assert digest(page_twice(plain)) is not None
    assert digest(page_twice(plain + HIDDEN)) is None
    artists = [(315, 2, 3000, 8)] * 3
    assert digest(with_entries(plain, *artists)) is not None
    assert digest(with_entries(plain + HIDDEN, *artists)) is None


@pytest.mark.parametrize("tag", [347, 320, 338, 273])
def test_tags_of_a_tiff_that_nothing_is_decoded_by(tag: int) -> None:
    """Tables of a packing that it has not, colours of no palette, places of no strip."""
    plain = TIFFS["raw"]()
    assert not hides(plain)
    entry = (tag, UNDEFINED if tag == 347 else SHORT, len(HIDDEN) // (1 if tag == 347 else 2), len(plain))
    hiding = with_entries(plain + HIDDEN, entry)
    assert hides(hiding)


def test_many_pages_of_a_tiff() -> None:
    """A long stack has a digest, and hides nothing."""
    small = photo().resize((4, 4))
    stack = saved(small, "TIFF", save_all=True, append_images=[small] * 300)
    assert digest(stack) is not None
    assert digest(stack + HIDDEN) is None
    colours = saved(photo().quantize(200), "TIFF")
    assert not hides(colours)


def box(kind: bytes, content: bytes) -> bytes:
    """A box of ISO media."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def moved(heif: bytes, more: int) -> bytes:
    """An AVIF whose only item lies so many bytes further on."""
    place = heif.index(b"iloc") + 4
    assert heif[place] == 0
    assert heif[place + 4 : place + 6] == b"\x44\x00", "places and lengths of four bytes each, from none"
    start = place + 14
    return heif[:start] + struct.pack(">I", struct.unpack_from(">I", heif, start)[0] + more) + heif[start + 4 :]


def grown(heif: bytes, end: int, content: bytes, *boxes: bytes) -> bytes:
    """An AVIF with this content at ``end``, by which these boxes, each told by its kind, are longer."""
    changed = bytearray(moved(heif, len(content)))
    for kind in boxes:
        place = heif.index(kind) - 4
        changed[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", heif, place)[0] + len(content))
    return bytes(changed[:end]) + content + bytes(changed[end:])


def end_of(heif: bytes, kind: bytes) -> int:
    """Where the first box of this kind ends."""
    place = heif.index(kind) - 4
    return place + int(struct.unpack_from(">I", heif, place)[0])


DESCRIPTIONS = {
    "a box that is free": (b"meta", box(b"free", HIDDEN), b""),
    "a box of items that none lies in": (b"meta", box(b"idat", HIDDEN), b""),
    "a box that is not known": (b"meta", box(b"more", HIDDEN), b""),
    "references that refer to nothing": (b"meta", box(b"iref", bytes(4) + HIDDEN), b""),
    "groups": (b"meta", box(b"grpl", HIDDEN), b""),
    "behind the places": (b"iloc", HIDDEN, b"iloc"),
    "behind the items": (b"iinf", HIDDEN, b"iinf"),
    "behind the name of the reader": (b"hdlr", HIDDEN, b"hdlr"),
    "behind the number of the main item": (b"pitm", HIDDEN, b"pitm"),
    "behind the name of an item": (b"infe", WORDS, b"infe"),
    "a property that is not known": (b"ipco", box(b"more", HIDDEN), b"ipco"),
    "behind a property": (b"pixi", HIDDEN, b"pixi"),
    "behind the code points of colours": (b"colr", HIDDEN, b"colr"),
    "colours of no kind": (b"ipco", box(b"colr", HIDDEN), b"ipco"),
    "behind the properties of items": (b"ipma", HIDDEN, b"ipma"),
    "kinds of files": (b"ftyp", HIDDEN, b"ftyp"),
}
AROUND = {
    b"infe": (b"iinf",),
    b"ipco": (b"iprp",),
    b"pixi": (b"ipco", b"iprp"),
    b"colr": (b"ipco", b"iprp"),
    b"ipma": (b"iprp",),
}


@pytest.mark.parametrize(("where", "content", "itself"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_in_what_describes_the_items_of_a_heif(where: bytes, content: bytes, itself: bytes) -> None:
    """What stands among the descriptions of items and describes none is shown by no decoder."""
    plain = saved(photo(), "AVIF")
    assert not hides(plain)
    around = () if where == b"ftyp" else (*AROUND.get(where, ()), b"meta")
    longer = dict.fromkeys(kind for kind in (itself, *around) if kind)
    hiding = grown(plain, end_of(plain, where), content, *longer)
    assert hides(hiding)
    assert digest(hiding) is None


def test_a_long_profile_of_a_heif() -> None:
    """A profile is as long as it likes."""
    plain = saved(photo(), "AVIF")
    place = end_of(plain, b"ipco")
    assert not hides(grown(plain, place, box(b"colr", b"prof" + HIDDEN), b"ipco", b"iprp", b"meta"))


def test_items_of_a_heif_that_cannot_be_followed() -> None:
    """Where it is not known what lies where, what describes it may not be long, either."""
    plain = bytearray(saved(photo(), "AVIF"))
    place = plain.index(b"iloc") + 4
    plain[place] = 9  # no version that there is
    plain[place + 6 : place + 8] = b"\xff\xff"  # more items than there are places
    assert not hides(bytes(plain))
    end = end_of(bytes(plain), b"iloc")
    for kind in (b"iloc", b"meta"):
        at = plain.index(kind) - 4
        plain[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", plain, at)[0] + len(HIDDEN))
    assert hides(bytes(plain[:end]) + HIDDEN + bytes(plain[end:]))


def test_what_exif_of_a_heif_does_not_point_to() -> None:
    """The item of Exif begins with how far off the block is: what lies between is nothing that a decoder looks at."""
    plain = saved(photo(), "AVIF", exif=EXIF)
    assert not hides(plain)
    assert exif_extent.before_block(struct.pack(">I", 6) + EXIF) == 0
    assert exif_extent.before_block(bytes(4) + EXIF) == 0
    assert exif_extent.before_block(struct.pack(">I", len(HIDDEN)) + HIDDEN + EXIF[6:]) == len(HIDDEN)
    assert exif_extent.before_block(struct.pack(">I", 1 << 30) + HIDDEN) == len(HIDDEN)


def test_before_the_exif_of_a_jxl() -> None:
    """The same of a box of JPEG XL."""
    pillow_jxl = pytest.importorskip("pillow_jxl")
    assert pillow_jxl
    start = jxl.CONTAINER + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    stream = box(b"jxlc", saved(photo(), "JXL", use_container=False))
    assert not hides(start + box(b"Exif", bytes(4) + EXIF[6:]) + stream)
    assert hides(start + box(b"Exif", struct.pack(">I", len(HIDDEN)) + HIDDEN + EXIF[6:]) + stream)


MPF = b"MPF\0II*\0\x08\0\0\0\x01\0\0\xb0\x07\0\x04\0\0\x000100\0\0\0\0"


def test_behind_the_index_of_a_jpeg() -> None:
    """What lies behind the index of further pictures, in its segment, counts as it is stored."""
    plain = with_segments(saved(photo(), "JPEG"), (APP2, MPF))
    hiding = with_segments(saved(photo(), "JPEG"), (APP2, MPF + HIDDEN))
    assert digest(plain) is not None
    assert digest(hiding) != digest(plain)


def test_between_the_segments_of_a_jpeg() -> None:
    """Decoders look for the next marker where one is missing."""
    plain = saved(photo(), "JPEG")
    junk = HIDDEN.replace(b"\xff", b"\1")
    for marker in (b"\xff\xdb", b"\xff\xc4", b"\xff\xda"):
        place = plain.index(marker)
        hiding = plain[:place] + junk + plain[place:]
        assert pixels(hiding) == pixels(plain)
        assert hides(hiding)
        assert not hides(plain[:place] + bytes(NOTE) + b"\xff" * 6000 + plain[place:])


@pytest.mark.parametrize(
    ("marker", "payload"),
    [
        (APP2, MPF + bytes(4000)),
        (APP14, b"Adobe\0\x64\0\0\0\0\1"),
        (APP0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (APP0, b"JFIF\0\1\1\0\0\1\0\1\x20\x30" + HIDDEN[: 3 * 0x20 * 0x30]),
    ],
)
def test_segments_that_go_on(marker: int, payload: bytes) -> None:
    """A segment of a known structure is more than words where it goes on behind that."""
    plain = saved(photo(), "JPEG")
    assert not hides(with_segments(plain, (marker, payload)))
    assert hides(with_segments(plain, (marker, payload + HIDDEN)))
