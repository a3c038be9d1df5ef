"""The pixels of a JPEG: as Pillow gives them, with the complaints that Pillow keeps to itself."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image, JpegImagePlugin

from dupfind.pictures import jpeg, jpeg_stream, trailers
from fixtures import pictures
from tests.helpers.encodings import ENCODINGS, with_zeros
from tests.helpers.encodings import jpeg as encode
from tests.helpers.places import SHARED_DATA, needs_shared_data

SIZES = [
    (1, 1),
    (7, 7),
    (7, 300),
    (255, 255),
    (511, 600),
    (512, 512),
    (513, 1023),
    (1024, 1025),
    (2047, 2048),
    (2049, 2060),
]


def opened(content: bytes) -> JpegImagePlugin.JpegImageFile:
    """The picture with nothing but its header read."""
    image = Image.open(io.BytesIO(content))
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    return image


def decode(content: bytes) -> jpeg.Decoded:
    """The pixels."""
    return jpeg.decode(opened(content), content, jpeg_stream.inspect(content))


@pytest.mark.mostly_slow(fast=10)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_as_pillow_reduces_it(size: tuple[int, int], mode: str) -> None:
    """The same size and the same box as Pillow's draft, and the same pixels."""
    content = encode(pictures.photo(1, (64, 48)).resize(size).convert(mode))
    found = decode(content)
    expected = opened(content)
    drafted = expected.draft("RGB", (256, 256))
    assert drafted is not None
    assert (expected.size, expected.mode, drafted[1], None) == (
        found.image.size,
        found.image.mode,
        found.box,
        found.warning,
    )
    assert np.abs(np.asarray(expected).astype(int) - np.asarray(found.image)).max() <= 1


def padded(content: bytes, *, is_passing: bool = True) -> Image.Image:
    """As it is compared at full size, or in a thumbnail."""
    stream = jpeg_stream.inspect(content)
    return jpeg.decode(opened(content), content, stream, 10**6, is_padded=True, is_passing=is_passing).image


def test_passing_pictures_follow_each_other_in_the_same_memory() -> None:
    """Each is as it is alone, whether the one before was larger or smaller; others stay."""
    contents = [encode(pictures.photo(number, size)) for number, size in enumerate([(64, 48), (97, 50), (33, 20)])]
    alone = [padded(content, is_passing=False) for content in contents]
    expected = [np.asarray(image) for image in alone]
    for _ in range(2):
        for content, pixels in zip(contents, expected, strict=True):
            assert np.array_equal(pixels, np.asarray(padded(content)))
    assert jpeg._memory.pixels is not None
    assert all(np.array_equal(pixels, np.asarray(image)) for pixels, image in zip(expected, alone, strict=True))


def test_passing_pictures_of_two_threads_do_not_meet() -> None:
    """Each has memory of its own."""
    contents = [encode(pictures.photo(number, (64, 48))) for number in range(2)]
    own = padded(contents[0])
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(padded, contents[1]).result()
    assert [np.array_equal(decode(contents[0]).image, image.convert("RGB")) for image in (own, other)] == [True, False]


def test_memory_for_passing_pictures_is_bounded() -> None:
    """A large one gets memory of its own, and what was kept goes."""
    memory = jpeg._Memory()
    assert memory.of((10, 10)) is memory.of((5, 5))
    assert memory.of((4096, 4097)) is None
    assert memory.pixels is None


def test_a_picture_that_is_larger_than_its_memory() -> None:
    """It gets memory of its own."""
    content = encode(pictures.photo(1, (64, 48)))
    small, _ = jpeg._values(content, "RGBX", (64, 48), 1, np.empty(10, np.uint8))
    whole, _ = jpeg._values(content, "RGBX", (64, 48), 1)
    assert np.array_equal(small, whole)


def test_grey_stays_grey() -> None:
    """A black-and-white photo saved in colour has no colour at all, at every level."""
    ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None], 256, axis=0)).resize((2048, 2048))
    red, green, blue = (np.asarray(plane) for plane in decode(encode(ramp.convert("RGB"), quality=60)).image.split())
    assert (red == green).all()
    assert (green == blue).all()
    assert len(np.unique(red)) > 100


@pytest.mark.mostly_slow(fast=15)
@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("quality", [1, 40, 75, 96, 100])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_sound_files_are_not_complained_of(options: dict[str, Any], quality: int, mode: str) -> None:
    """Whatever the encoding."""
    assert decode(encode(pictures.photo(3, (320, 240)).convert(mode), quality=quality, **options)).warning is None


DAMAGES = {
    "cut off": lambda content, place: content[:place],
    "cut off and filled": lambda content, place: with_zeros(content, place, len(content) - place),
    "a sector lost": lambda content, place: with_zeros(content, place, 512),
    "a sector erased": lambda content, place: content[:place] + b"\xff" * 512 + content[place + 512 :],
    "another file's data": lambda content, place: content[:place] + OTHER[2000:4000] + content[place + 2000 :],
}
OTHER = encode(pictures.photo(9, (640, 480)), quality=90)


@pytest.mark.mostly_slow(fast=20)
@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_damage_is_heard_of(damage: Any, options: dict[str, Any], mode: str) -> None:
    """What decodes without an error has a warning, and what gives an error gives it from Pillow.

    Zeros in a progressive file are an even area to most of its scans, so no promise is made of them.
    """
    if damage is DAMAGES["a sector lost"] and "progressive" in options:
        return
    content = encode(pictures.photo(4, (640, 480)).convert(mode), quality=90, **options)
    start = jpeg_stream.inspect(content).scan_start
    for share in (0.3, 0.6):
        damaged = damage(content, int(start + share * (len(content) - start)))
        try:
            found = decode(damaged)
        except OSError:
            continue
        assert found.warning or jpeg_stream.inspect(damaged).damage
        assert found.image.size == (640, 480)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Corrupt JPEG data: premature end of data segment", "premature end of data segment"),
        ("Premature end of JPEG file", "premature end of JPEG file"),
        ("Corrupt JPEG data: 67 extraneous bytes before marker 0xd9", "67 extraneous bytes before marker 0xd9"),
        ("Corrupt JPEG data: 2 extraneous bytes before marker 0xe1", "2 extraneous bytes before marker 0xe1"),
        ("Corrupt JPEG data: found marker 0xd4 instead of RST2", "found marker 0xd4 instead of RST2"),
        ("Warning: unknown JFIF revision number 3.09", "unknown JFIF revision number 3.09"),
        ("tjDecompressHeader3(): Could not determine subsampling level of JPEG image", None),
        ("Unsupported color conversion request", None),
    ],
)
def test_what_the_decoder_says(said: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Complaints are passed on, those of the header too where they outlast it; Pillow decodes what the other decoder is
    not made for, unchecked.
    """

    def complain(*_: object, **__: object) -> None:
        raise ValueError(said)

    content = encode()
    sound = decode(content)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", complain)
    found = decode(content)
    assert (expected, expected is not None) == (found.warning, found.is_checked)
    assert np.abs(np.asarray(sound.image).astype(int) - np.asarray(found.image)).max() <= 1


def test_thousands_of_scans_are_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """It heeds the time limit."""
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    content = encode(progressive=True)
    scan = content[jpeg_stream.inspect(content).scan_start :][:-2]
    many = content[:-2] + scan * (jpeg.MOST_SCANS // 5) + content[-2:]
    stream = jpeg_stream.inspect(many)
    assert stream.scans > jpeg.MOST_SCANS
    found = jpeg.decode(opened(many), many, stream)
    assert ((320, 240), False) == (found.image.size, found.is_checked)


def test_no_more_is_read_than_a_picture_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """A video of ten gigabytes under the name of a picture."""
    monkeypatch.setattr(jpeg, "_HEADER_BYTES", 1000)
    assert (b"x" * 1600, 5000) == jpeg.read_bytes(io.BytesIO(b"x" * 5000), 100)
    assert (b"x" * 500, 500) == jpeg.read_bytes(io.BytesIO(b"x" * 500), 100)


def test_noise_fits_into_what_is_read() -> None:
    """Nothing takes more bytes a pixel than noise at the highest quality without subsampling."""
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    content = encode(Image.fromarray(noise), quality=100, subsampling=0)
    assert len(content) < jpeg._MOST_BYTES_A_PIXEL * 300 * 300


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_quality(mode: str) -> None:
    """The quality that Pillow was asked for, within one, at each of the hundred."""
    image = pictures.photo(1, (16, 16)).convert(mode)
    found = [jpeg.quality(opened(encode(image, quality=quality))) for quality in range(1, 101)]
    assert [] == [pair for pair in enumerate(found, 1) if pair[1] is None or abs(pair[0] - pair[1]) > 1]


def test_quality_falls_with_coarser_tables() -> None:
    """Tables of another make: never a better quality for larger steps."""
    found = []
    for step in range(1, 255, 7):
        table = [max(1, min(255, step + place // 3)) for place in range(64)]
        found.append(jpeg.quality(opened(encode(qtables=[table, table]))))
    assert sorted(found, reverse=True) == found  # type: ignore[type-var]
    assert found[0] is not None
    assert found[-1] is not None
    assert found[0] >= 90
    assert found[-1] < 10


@pytest.mark.skipif(not shutil.which("cjpeg"), reason="cjpeg is not installed (Debian: libjpeg-turbo-progs)")
@pytest.mark.parametrize(
    "options",
    [["-arithmetic"], ["-rgb"], ["-sample", "4x1"], ["-sample", "3x1"], ["-sample", "2x2,1x2"], ["-restart", "1B"]],
    ids=" ".join,
)
def test_rare_encodings(options: list[str]) -> None:
    """They are decoded, by one decoder or the other, and not complained of."""
    image = pictures.photo(5, (320, 240))
    file = io.BytesIO()
    image.save(file, "PPM")
    content = subprocess.run(
        ["cjpeg", "-quality", "95", *options], input=file.getvalue(), capture_output=True, check=True
    )
    found = decode(content.stdout)
    is_odd = {"3x1", "2x2,1x2"} & set(options)
    assert (None, not is_odd) == (found.warning, found.is_checked)
    assert np.abs(np.asarray(image).astype(int) - np.asarray(found.image)).mean() < 6


@needs_shared_data("photos")
@pytest.mark.parametrize("folder", ["photos", "camera", "groups", "siblings", "orientation", "formats"])
def test_real_files_are_sound(folder: str) -> None:
    """Not one is called damaged."""
    found = {}
    for path in sorted((SHARED_DATA / folder).iterdir())[::4]:
        content = path.read_bytes()
        if content.startswith(b"\xff\xd8"):
            found[path.name] = decode(content).warning or jpeg_stream.inspect(content).damage
    assert {} == {name: damage for name, damage in found.items() if damage}


FILM = b"\0\0\0\x18ftypmp42" + b"x" * 5000


@cache
def large(*, size: tuple[int, int] = (2560, 2048), progressive: bool = True, **options: Any) -> bytes:
    """A file of which the decoder wants an eighth."""
    return encode(pictures.photo(1, (640, 512)).resize(size), progressive=progressive, **options)


class Counting(io.BytesIO):
    """Counts the bytes read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file."""
        found = super().read(size)
        self.count += len(found)
        return found


def coarsely(content: bytes) -> bytes | None:
    """What is read of a file."""
    return jpeg.read_coarse(io.BytesIO(content), opened(content), trailers.outline)


def test_a_large_progressive_file_is_read_at_its_beginning() -> None:
    """The pixels are those of the whole within a level, and most of the file is left alone."""
    content = large(quality=98)
    file = Counting(content)
    beginning = jpeg.read_coarse(file, opened(content), trailers.outline)
    assert beginning
    assert file.count < len(content) / 2
    found, whole = jpeg.decode_coarse(opened(content), beginning), decode(content)
    assert found
    assert (whole.box, whole.image.size) == (found.box, found.image.size)
    apart = np.abs(np.asarray(found.image.convert("L"), int) - np.asarray(whole.image.convert("L"), int))
    assert apart.mean() < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: large(progressive=False),
        lambda: large(size=(2560, 2047)),
        lambda: large()[:-1],
        lambda: large()[:9000],
        lambda: large()[:9000] + b"\xff\xd9",
        lambda: large()[:9000] + bytes(4096),
        lambda: large()[:9000] + b"\xff\xd9" + FILM,
        lambda: large()[:9000] + large() + b"\0",
        lambda: large().replace(b"\xff\xc2", b"\xff\xca", 1),
    ],
    ids=[
        "baseline",
        "smaller",
        "no end",
        "cut",
        "cut and closed",
        "cut and filled",
        "cut before a film",
        "cut before a picture",
        "arithmetic",
    ],
)
def test_files_that_are_read_whole(make: Callable[[], bytes]) -> None:
    """Whatever is not the usual: the careful way is always open."""
    assert coarsely(make()) is None


@pytest.mark.parametrize(
    "behind",
    [b"\0", bytes(5000), FILM, large(size=(640, 480)), b"more", b"\xff\xd9", FILM + b"\xff\xd9"],
    ids=["a zero", "slack", "film", "picture", "text", "another end", "film that ends so"],
)
def test_what_lies_behind_is_left_alone(behind: bytes) -> None:
    """The beginning is the same as without it."""
    assert coarsely(large() + behind) == coarsely(large())
    if behind == FILM:  # as in Samsung's panoramas
        assert coarsely(large()[:-2] + behind) == coarsely(large())


@pytest.mark.slow
def test_of_several_pictures_the_first() -> None:
    """Whether an MPO holds another view is looked at where something rests on it; that the first is whole, always."""
    file = io.BytesIO()
    first, second = (Image.open(io.BytesIO(large(quality=quality))) for quality in (70, 60))
    first.save(file, "MPO", save_all=True, append_images=[second], progressive=True)
    content = file.getvalue()
    assert "MPO" == opened(content).format
    beginning = coarsely(content)
    assert beginning
    assert jpeg.decode_coarse(opened(content), beginning)
    start = content.rindex(b"\xff\xd8\xff", 1000)
    assert coarsely(content[: start - 3000] + content[start:]) is None


def test_what_the_decoder_complains_of_is_no_beginning() -> None:
    """Damage within the first scan: the whole is looked at."""
    content = large()
    beginning = coarsely(content)
    assert beginning
    middle = len(beginning) - 4000
    broken = beginning[:middle] + b"\xa5" * 2000 + beginning[middle + 2000 :]
    assert jpeg.decode_coarse(opened(content), beginning)
    assert jpeg.decode_coarse(opened(content), broken) is None


def with_segment(content: bytes, marker: int, payload: bytes) -> bytes:
    """Another segment in the header, behind the first."""
    place = 4 + int.from_bytes(content[4:6], "big")
    return content[:place] + bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload + content[place:]


ODD_HEADERS = {
    "broken profile": lambda content: with_segment(content, 0xE2, b"ICC_PROFILE\0\x02\x03" + bytes(40)),
    "stray byte": lambda content: content.replace(b"\xff\xdb", b"\x01\xff\xdb", 1),
    "JFIF 2": lambda content: content.replace(b"JFIF\0\x01", b"JFIF\0\x02", 1),
    "transform 7": lambda content: with_segment(content[:2] + content[20:], 0xEE, b"Adobe" + bytes(6) + b"\x07"),
}
"""Each a complaint of the decoder about the header."""


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD_HEADERS.values(), ids=ODD_HEADERS)
@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_an_odd_header_hides_no_damage(odd: Any, options: dict[str, Any]) -> None:
    """The decoder tells the first thing that is wrong only: what is wrong with the picture is heard of all the same."""
    plain = encode(pictures.photo(4, (640, 480)), quality=90, **options)
    content = odd(plain)
    assert plain != content
    with pytest.raises(ValueError, match=r"\w"):
        simplejpeg.decode_jpeg(content, strict=True)
    found = decode(content)
    assert (None, True) == (found.warning, found.is_checked)
    assert np.array_equal(np.asarray(decode(plain).image), np.asarray(found.image))
    start = jpeg_stream.inspect(content).scan_start
    middle = (start + len(content)) // 2
    damaged = content[:middle] + b"\xff\xd9"
    assert decode(damaged).warning
    behind = content[:-2] + b"\x01" * 40 + b"\xff\xfe\x00\x04hi" + content[-2:]  # a comment where only headers have one
    assert decode(behind).warning or jpeg_stream.inspect(behind).damage


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["sequential", "progressive"])
@pytest.mark.skipif(not shutil.which("cjpeg"), reason="cjpeg is not installed (Debian: libjpeg-turbo-progs)")
def test_arithmetic_coding_is_no_damage(options: dict[str, bool]) -> None:
    """Its tables stand between the scans."""
    file = io.BytesIO()
    pictures.photo(5, (320, 240)).save(file, "PPM")
    command = ["cjpeg", "-arithmetic", *(["-progressive"] if options else [])]
    content = subprocess.run(command, input=file.getvalue(), capture_output=True, check=True).stdout
    assert (None, None) == (decode(content).warning, jpeg_stream.inspect(content).damage)


def test_what_a_sequential_scan_says_of_its_band_means_nothing() -> None:
    """Some write zeros there."""
    content = bytearray(encode())
    scan = content.index(b"\xff\xda")
    end = scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big")
    content[end - 3 : end] = bytes(3)
    found = decode(bytes(content))
    assert (None, None) == (found.warning, jpeg_stream.inspect(bytes(content)).damage)
    assert np.array_equal(np.asarray(decode(encode()).image), np.asarray(found.image))
