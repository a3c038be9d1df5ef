"""Data among the pixels of a picture that no decoder shows: found wherever they lie, and nowhere else."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from dupfind.pictures import hidden_data, jxl
from tests.helpers.image_data import film, photo
from tests.helpers.stamped import digest, saved

HIDDEN = random.Random(1).randbytes(6000)  # noqa: S311 - no secret
NOISE = random.Random(2).randbytes(40 * 40 * 3)  # noqa: S311 - likewise
MANY = 10**8


def hides(content: bytes, max_pixels: int = MANY) -> bool:
    """What is told of a file."""
    return hidden_data.hides_data(io.BytesIO(content), max_pixels)


def see_through() -> Image.Image:
    """A picture with an alpha channel of many tones."""
    image = photo().copy()
    image.putalpha(photo(2).convert("L"))
    return image


def blocks(content: bytes) -> bytes:
    """Blocks of a GIF that hold this."""
    cut = (content[place : place + 255] for place in range(0, len(content), 255))
    return b"".join(bytes([len(block)]) + block for block in cut)


def in_gif(gif: bytes) -> bytes:
    """Blocks more, behind those of the last frame."""
    return gif[:-2] + blocks(HIDDEN) + gif[-2:]


def in_first_frame(gif: bytes) -> bytes:
    """The same behind those of the first frame, which ends where the next one is told of."""
    end = gif.index(b"\0!\xf9\x04", gif.index(b"!\xf9\x04") + 8)
    return gif[:end] + blocks(HIDDEN) + gif[end:]


def before_pixels(bmp: bytes) -> bytes:
    """A gap before the pixels of a BMP."""
    start = struct.unpack("<I", bmp[10:14])[0]
    return bmp[:10] + struct.pack("<I", start + len(HIDDEN)) + bmp[14:start] + HIDDEN + bmp[start:]


def as_colours(bmp: bytes) -> bytes:
    """The same, said to be colours, of which a picture without a palette has none."""
    return before_pixels(bmp[:46] + struct.pack("<I", len(HIDDEN) // 4) + bmp[50:])


def in_chunk(kind: bytes) -> Callable[[bytes], bytes]:
    """Behind what the last chunk of this kind of a WebP holds, at any depth."""

    def grow(webp: bytes) -> bytes:
        place = webp.rindex(kind)
        frame = -1 if kind == b"ANIM" else webp.rfind(b"ANMF", 0, place)
        length = struct.unpack("<I", webp[place + 4 : place + 8])[0]
        end = place + 8 + length
        filling = HIDDEN + b"x" * (length % 2)
        grown = webp[: place + 4] + struct.pack("<I", length + len(filling)) + webp[place + 8 : end] + filling
        grown += webp[end + length % 2 :]
        return framed(grown, frame, len(grown) - len(webp))

    return grow


def framed(webp: bytes, frame: int, more: int) -> bytes:
    """A WebP with the lengths of its frame at this place, if there is one, and of itself set right."""
    if frame >= 0:
        length = struct.unpack("<I", webp[frame + 4 : frame + 8])[0] + more
        webp = webp[: frame + 4] + struct.pack("<I", length) + webp[frame + 8 :]
    return webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]


def another_chunk(kind: bytes, *, head: int = 0) -> Callable[[bytes], bytes]:
    """A further chunk behind the last one, of a frame where there are any."""

    def grow(webp: bytes) -> bytes:
        chunk = kind + struct.pack("<I", head + len(HIDDEN)) + bytes(head) + HIDDEN
        return framed(webp + chunk, webp.rfind(b"ANMF"), len(chunk))

    return grow


def in_strip(tiff: bytes) -> bytes:
    """Behind the only strip of a TIFF, which lies at the end of the file then."""
    order = "<" if tiff[:2] == b"II" else ">"
    place = struct.unpack(order + "I", tiff[4:8])[0]
    entries = {}
    for at in range(place + 2, place + 2 + 12 * struct.unpack(order + "H", tiff[place : place + 2])[0], 12):
        number, kind, count, value = struct.unpack(order + "HHII", tiff[at : at + 12])
        short = struct.unpack(order + "H", tiff[at + 8 : at + 10])[0]
        entries[number] = at, count, short if kind == 3 else value
    (_, count, start), (_, _, length) = entries[273], entries[279]
    assert count == 1
    grown = bytearray(tiff + tiff[start : start + length] + HIDDEN)
    for number, value in ((273, len(tiff)), (279, length + len(HIDDEN))):
        at = entries[number][0]
        grown[at : at + 12] = struct.pack(order + "HHII", number, 4, 1, value)
    return bytes(grown)


def in_data_box(heif: bytes) -> bytes:
    """Behind the items of a HEIF, in the box of their data, which is the last."""
    place = heif.rindex(b"mdat") - 4
    assert place + struct.unpack(">I", heif[place : place + 4])[0] == len(heif)
    return heif[:place] + struct.pack(">I", len(heif) - place + len(HIDDEN)) + heif[place + 4 :] + HIDDEN


def tiff(**options: object) -> Callable[[], bytes]:
    """A TIFF, packed somehow."""
    return lambda: saved(photo(), "TIFF", **options)


WEBP_FILM = {"save_all": True, "append_images": [photo(2)], "quality": 80}
CASES: dict[str, tuple[Callable[[], bytes], Callable[[bytes], bytes]]] = {
    "GIF": (lambda: saved(photo().quantize(256), "GIF", interlace=0), in_gif),
    "GIF, interlaced": (lambda: saved(photo().quantize(64), "GIF", interlace=1), in_gif),
    "GIF, the first frame": (lambda: film("GIF"), in_first_frame),
    "GIF, the last frame": (lambda: film("GIF"), in_gif),
    "BMP": (lambda: saved(photo(), "BMP"), before_pixels),
    "BMP, a palette": (lambda: saved(photo().quantize(256), "BMP"), before_pixels),
    "BMP, colours of none": (lambda: saved(photo(), "BMP"), as_colours),
    "WebP": (lambda: saved(photo(), "WEBP", quality=80), in_chunk(b"VP8 ")),
    "WebP, lossless": (lambda: saved(photo(), "WEBP", lossless=True), in_chunk(b"VP8L")),
    "WebP, alpha": (lambda: saved(see_through(), "WEBP", quality=80), in_chunk(b"ALPH")),
    "WebP, pixels beside alpha": (lambda: saved(see_through(), "WEBP", quality=80), in_chunk(b"VP8 ")),
    "WebP, how a film is shown": (lambda: film("WEBP"), in_chunk(b"ANIM")),
    "WebP, second pixels": (lambda: saved(photo(), "WEBP", lossless=True), another_chunk(b"VP8L")),
    "WebP, a frame": (lambda: saved(photo(), "WEBP", **WEBP_FILM), in_chunk(b"VP8 ")),
    "WebP, a chunk of a frame": (lambda: saved(photo(), "WEBP", **WEBP_FILM), another_chunk(b"more")),
    "TIFF": (tiff(), in_strip),
    "TIFF, LZW": (tiff(compression="tiff_lzw"), in_strip),
    "TIFF, Deflate": (tiff(compression="tiff_adobe_deflate"), in_strip),
    "TIFF, PackBits": (tiff(compression="packbits"), in_strip),
    "TIFF, predicted": (tiff(compression="tiff_lzw", tiffinfo={317: 2}), in_strip),
    "TIFF, 16 bits": (lambda: saved(photo().convert("I;16"), "TIFF", compression="tiff_lzw"), in_strip),
    "TIFF, a palette": (lambda: saved(photo().quantize(256), "TIFF", compression="tiff_lzw"), in_strip),
    "TIFF, black and white": (lambda: saved(photo().convert("1"), "TIFF"), in_strip),
    "AVIF": (lambda: saved(photo(), "AVIF"), in_data_box),
}


@pytest.mark.parametrize(("make", "hide"), CASES.values(), ids=CASES)
def test_data_among_pixels(make: Callable[[], bytes], hide: Callable[[bytes], bytes]) -> None:
    """The pixels are the same, and a copy of them would lose what is hidden: there is no digest."""
    plain = make()
    hiding = hide(plain)
    with Image.open(io.BytesIO(plain)) as first, Image.open(io.BytesIO(hiding)) as second:
        assert first.tobytes() == second.tobytes()
    assert not hides(plain)
    assert hides(hiding)
    assert digest(plain) is not None
    assert digest(hiding) is None


def strips(packed: list[bytes], *, height: int, rows: int, packing: int, samples: int, planar: int) -> bytes:
    """A TIFF of 40 pixels' width with these strips, in an order of the bytes that Pillow does not write."""
    tags = [(256, 3, 40), (257, 3, height), (258, 3, 8), (259, 3, packing), (262, 3, 2), (273, 4, None)]
    tags += [(277, 3, samples), (278, 3, rows), (279, 4, None), (284, 3, planar)]
    place = 8 + 2 + 12 * len(tags) + 4
    outside = {258: struct.pack(f">{samples}H", *(8,) * samples)}
    starts = place + len(outside[258]) + 8 * len(packed)
    outside[273] = struct.pack(
        f">{len(packed)}I", *(starts + sum(map(len, packed[:number])) for number in range(len(packed)))
    )
    outside[279] = struct.pack(f">{len(packed)}I", *map(len, packed))
    directory, values = struct.pack(">H", len(tags)), b""
    for number, kind, value in tags:
        if number in outside:
            count = len(outside[number]) // {3: 2, 4: 4}[kind]
            directory += struct.pack(">HHII", number, kind, count, place + len(values))
            values += outside[number]
        else:
            directory += struct.pack(">HHIHH", number, kind, 1, value or 0, 0)
    return b"MM\0*" + struct.pack(">I", 8) + directory + bytes(4) + values + b"".join(packed)


@pytest.mark.parametrize("place", [0, 1, 2, 5])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("packing", [1, 8])
def test_strips_and_planes(packing: int, planar: int, place: int) -> None:
    """The last strip of each plane has fewer rows; the data may lie behind any strip."""
    rows = 40 * (3 if planar == 1 else 1)
    counts = [16, 16, 8] if planar == 1 else [16, 16, 8] * 3
    plain = []
    for number, count in enumerate(counts):
        before = sum(counts[:number])
        plain.append(NOISE[before * rows : (before + count) * rows])
    pack = zlib.compress if packing == 8 else bytes
    place %= len(plain)

    def saved_with(more: bytes) -> bytes:
        packed = [pack(strip) + (more if number == place else b"") for number, strip in enumerate(plain)]
        return strips(packed, height=40, rows=16, packing=packing, samples=3, planar=planar)

    assert Image.open(io.BytesIO(saved_with(HIDDEN))).tobytes() == Image.open(io.BytesIO(saved_with(b""))).tobytes()
    assert not hides(saved_with(b""))
    assert hides(saved_with(HIDDEN))


def test_a_last_strip_that_is_filled_up() -> None:
    """Some programs write all rows of the last strip, the further ones empty."""
    last = NOISE[:120] + bytes(39 * 120)
    content = strips([NOISE, last], height=41, rows=40, packing=1, samples=3, planar=1)
    assert not hides(content)


@pytest.mark.parametrize(
    "make",
    [
        lambda: saved(Image.new("P", (300, 200)), "GIF"),
        lambda: saved(Image.new("RGB", (300, 200)), "WEBP", lossless=True),
        lambda: saved(Image.new("RGBA", (300, 200)), "WEBP", quality=80),
        lambda: saved(Image.new("RGB", (300, 200)), "TIFF", compression="tiff_lzw"),
        lambda: saved(Image.new("RGB", (300, 200)), "TIFF", compression="packbits"),
        lambda: saved(photo(), "TIFF", compression="jpeg"),
        lambda: saved(photo().convert("1"), "TIFF", compression="group4"),
        lambda: saved(photo(), "JPEG"),
        lambda: film("WEBP"),
        lambda: film("PNG"),
        lambda: saved(photo(3, (320, 240)), "WEBP", quality=100),
        lambda: saved(photo(3, (320, 240)).quantize(256), "GIF"),
        lambda: b"GIF89a",
        lambda: b"RIFF\0\0\0\0WEBP",
        lambda: b"BM",
        lambda: b"\0\0\0\x20ftypheic",
        lambda: b"",
    ],
)
def test_files_that_hide_nothing(make: Callable[[], bytes]) -> None:
    """What is even packs into few bytes, and broken files are none of this module's."""
    assert not hides(make())


def test_what_is_behind_broken_chunks_of_a_frame() -> None:
    """The rest of the frame is one part then, and no pixel is made of it."""
    webp = saved(photo(), "WEBP", **WEBP_FILM)
    broken = b"more" + struct.pack("<I", 1 << 30) + HIDDEN
    assert hides(framed(webp + broken, webp.rfind(b"ANMF"), len(broken)))


def test_slack_in_a_heif_is_nothing() -> None:
    """Zeros where the items lie, and in a box that says that it is free."""
    avif = saved(photo(), "AVIF")
    assert not hides(in_data_box(avif)[: -len(HIDDEN)] + bytes(len(HIDDEN)))
    for content, expected in ((bytes(9000), False), (HIDDEN, True)):
        assert hides(avif + struct.pack(">I", 8 + len(content)) + b"free" + content) is expected


def test_large_frames_are_not_decoded() -> None:
    """The limit of the run holds for what is decoded here too."""
    assert not hides(in_gif(saved(photo().quantize(64), "GIF")), max_pixels=100)


@pytest.mark.skipif(not jxl.version(), reason="the extra dupfind[jxl] is not installed")
@pytest.mark.parametrize("hold", ["nothing", "one box", "parts"])
def test_data_behind_the_stream_of_a_jxl(hold: str) -> None:
    """A stream that lies in no box has no end that could be read; one in boxes may be shorter than they are."""
    import pillow_jxl  # noqa: F401 - registers it

    start = jxl.CONTAINER + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    def held(stream: bytes) -> bytes:
        parts = box(b"jxlp", bytes(4) + stream[:99]) + box(b"jxlp", b"\x80\0\0\1" + stream[99:])
        return {"nothing": stream, "one box": start + box(b"jxlc", stream), "parts": start + parts}[hold]

    stream = saved(photo(), "JXL", use_container=False)
    assert not hides(held(stream))
    assert digest(held(stream)) is not None
    assert hides(held(stream + HIDDEN))
    assert digest(held(stream + HIDDEN)) is None


def jpeg_2000(*, is_bare: bool, **options: object) -> bytes:
    """A picture as JPEG 2000, in boxes or as the codestream alone."""
    return saved(photo(), "JPEG2000", no_jp2=is_bare, **options)


def in_codestream(content: bytes) -> bytes:
    """Behind the codestream's end, within its box where there is one."""
    box = content.find(b"jp2c") - 4
    return content + HIDDEN if box < 0 else content[:box] + bytes(4) + content[box + 4 :] + HIDDEN


def in_free_box(content: bytes) -> bytes:
    """In a box that is said to be free, behind all others."""
    box = content.index(b"jp2c") - 4
    sized = content[:box] + struct.pack(">I", len(content) - box) + content[box + 4 :]
    return sized + struct.pack(">I4s", len(HIDDEN) + 8, b"free") + HIDDEN


JPEG_2000 = {
    "in its box": (False, in_codestream),
    "bare": (True, in_codestream),
    "in a free box": (False, in_free_box),
}


@pytest.mark.parametrize(("is_bare", "hide"), JPEG_2000.values(), ids=JPEG_2000)
@pytest.mark.parametrize("options", [{}, {"tile_size": (64, 64)}, {"quality_layers": [40, 20]}], ids=str)
def test_jpeg_2000(hide: Callable[[bytes], bytes], options: dict[str, object], *, is_bare: bool) -> None:
    """It has no digest, and is asked where pictures are compared at full size."""
    plain = jpeg_2000(is_bare=is_bare, **options)
    hiding = hide(plain)
    with Image.open(io.BytesIO(plain)) as first, Image.open(io.BytesIO(hiding)) as second:
        assert first.tobytes() == second.tobytes()
    assert not hides(plain)
    assert hides(hiding)


def test_jpeg_2000_without_a_length() -> None:
    """The last part of a picture need not say where it ends; with more behind it, it cannot be decoded."""
    content = jpeg_2000(is_bare=True)
    place = content.rindex(b"\xff\x90\0\x0a") + 6
    plain = content[:place] + bytes(4) + content[place + 4 :]
    assert not hides(plain)
    with pytest.raises(OSError, match="broken data stream"):
        Image.open(io.BytesIO(in_codestream(plain))).load()


def test_jpeg_2000_that_cannot_be_followed() -> None:
    """What comes then is more."""
    content = jpeg_2000(is_bare=True)
    place = content.index(b"\xff\x52") + 2
    assert hides(content[:place] + b"\xff\xff" + content[place + 2 :] + HIDDEN)
