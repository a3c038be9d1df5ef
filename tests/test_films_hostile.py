"""Broken films of every kind: an answer or none, and never anything else; see docs/hostile.md."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

import av

from benchmarks.film_kinds import Clip, Encoding, made, write
from dupfind.pictures import film_data, film_frames
from dupfind.pictures.film_packets import BrokenError
from dupfind.pool.film_prints import UNDECODED
from dupfind.pool.processes import Death
from dupfind.reading import _lost_film
from dupfind.values import Failure, FileEntry
from faults.common import processes_of_session
from tests.helpers import clips as films
from tests.helpers.films import film, sound

needs_ceiling = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the limit on memory holds on Linux only"
)
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]

KINDS: dict[str, Callable[[], bytes]] = {
    "mov": lambda: film("mov", frames=4, size=(16, 16)),
    "mp4 with PCM": lambda: film("mov", frames=4, size=(16, 16), codec="mpeg4", b_frames=0, audio="pcm_s16le"),
    "mkv": lambda: film("matroska", frames=4, size=(16, 16), codec="mpeg4", b_frames=0),
    "avi": lambda: film("avi", frames=4, size=(16, 16), codec="mpeg4", b_frames=0, audio="mp3"),
    "mp3": lambda: sound("mp3", "mp3", seconds=0.2),
    "flac": lambda: sound("flac", "flac", seconds=0.1),
    "ogg": lambda: sound("ogg", "libopus", seconds=0.2),
    "wav": lambda: sound("wav", "pcm_s16le", seconds=0.05),
}


def broken(content: bytes, rng: random.Random) -> bytes:
    """The content with some bytes changed, cut out, put in twice or cut off."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(changed))
        length = rng.choice((1, 2, 4, 8, 64))
        way = rng.randrange(4)
        if way == 0:
            changed[start : start + length] = rng.randbytes(len(changed[start : start + length]))
        elif way == 1:
            del changed[start : start + length]
        elif way == 2:
            changed[start:start] = changed[start : start + length]
        else:
            changed[start : start + length] = rng.choice((b"\0", b"\xff")) * len(changed[start : start + length])
        if len(changed) < 16:
            break
    if rng.randrange(6) == 0:
        del changed[rng.randrange(len(changed)) :]
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_broken_films(kind: str) -> None:
    """Of each some hundred: a digest or none, within seconds, and with a digest facts."""
    content, rng = KINDS[kind](), random.Random(18)  # noqa: S311 - what is broken is no secret
    for _ in range(400):
        file = io.BytesIO(broken(content, rng))
        began = time.monotonic()
        try:
            facts, digest = film_data.read_facts(file), film_data.read_digest(file)
        except MemoryError:  # who runs it knows whether more can be had
            continue
        assert digest is None or facts is not None
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (Death(9.0, -11), "its decoder crashed (SIGSEGV)"),
        (Death(99.0, 1), "decoding took longer than 61 s (--timeout)"),
        (Death(9.0, 1), "the process that read it died"),
    ],
)
def test_a_film_whose_reader_dies(death: Death, words: str) -> None:
    """Is told of in words, and read again in the next run."""
    outcome = _lost_film(FileEntry("film.mov", 1 << 20, 0, 0, 0), death, 60.0)
    assert isinstance(outcome.result, Failure)
    assert (words, False) == (outcome.result.reason, outcome.result.lasting)


FRAMED = ("mov", "mkv", "avi")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FRAMED)
def test_frames_of_broken_films(kind: str) -> None:
    """Of each some hundred: frames or none, within seconds, and nothing but what says that a film is broken."""
    from dupfind.evidence.film_likeness import liken
    from dupfind.pictures import film_frames
    from dupfind.pool.film_prints import BROKEN

    content, rng = KINDS[kind](), random.Random(22)  # noqa: S311 - likewise
    whole = film_frames.read_track(io.BytesIO(content), 10**6)
    assert whole is not None
    for _ in range(120):
        file = io.BytesIO(broken(content, rng))
        began = time.monotonic()
        for read in (
            lambda file: film_frames.read_key_frames(file, 10**6),
            lambda file: list(film_frames.read_thumbnails(file, 10**6)),
            lambda file: film_frames.read_strip(file, 10**6, 6, 160),
            lambda file: film_frames.read_track(file, 10**6),
        ):
            try:
                read(file)
            except BROKEN:
                continue
        try:
            track = film_frames.read_track(file, 10**6)
        except BROKEN:
            continue
        if track is not None:
            liken(track, whole, 0, 0.0)
            liken(whole, track, 0, 0.0)
        assert time.monotonic() - began < 20


def patched(content: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """The film with some bytes of a box replaced, counted from behind its name."""
    place = content.index(box) + 4 + offset
    return content[:place] + value + content[place + len(value) :]


def jpegs(*sides: int) -> bytes:
    """A film of square JPEGs with sides of so many pixels, of which the header knows the first."""
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as out:
        video: Any = out.add_stream("mjpeg", rate=25)
        video.width, video.height, video.pix_fmt = sides[0], sides[0], "yuvj420p"
        for number, side in enumerate(sides):
            encoder: Any = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = side, side, "yuvj420p", Fraction(1, 25)
            frame = av.VideoFrame(side, side, "yuvj420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            for packet in [*encoder.encode(frame), *encoder.encode()]:
                packet.stream, packet.pts, packet.dts = video, number, number
                out.mux(packet)
    return file.getvalue()


def larger_than_its_header() -> bytes:
    """A film of a JPEG that says that it has 16,384 x 16,384 pixels."""
    content = jpegs(64)
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", 16_384, 16_384) + content[place + 4 :]


def hostile_films() -> dict[str, bytes]:
    """By name: the film that the haystack has, with something wrong in each."""
    good = films.content()
    return {
        "endless.mp4": patched(patched(good, b"mvhd", 16, b"\xff\xff\xff\xfe"), b"mdhd", 16, b"\xff\xff\xff\xfe"),
        "no duration.mp4": patched(patched(good, b"mvhd", 16, bytes(4)), b"mdhd", 16, bytes(4)),
        "no time between.mp4": patched(good, b"stts", 12, bytes(4)),
        "years between.mp4": patched(good, b"stts", 12, b"\x7f\xff\xff\xff"),
        "broken sizes.mp4": patched(good, b"stsz", 12, b"\xff" * 100),
        "broken index.mp4": patched(good, b"stco", 8, b"\xff\xff\xff\x00"),
        "two billion frames.mp4": patched(good, b"stsz", 8, b"\x7f\xff\xff\xff"),
        "cut off.mp4": good[: len(good) // 2],
        "cut off.mkv": (whole := films.content(encoding=films.SMALL._replace(container="matroska")))[: len(whole) // 2],
        "10,000 a second.mkv": film("matroska", frames=1000, codec="mpeg4", rate=10_000, size=(16, 16), b_frames=0),
        "large frames.avi": larger_than_its_header(),
        "no film.mp4": b"no film " * 100,
    }


@pytest.mark.slow
def test_hostile_films_in_a_real_run(dupfind: Run, tree: TreeBuilder) -> None:
    """None ends the run, none is present but by all of its packets, and of each that is broken it is said."""
    tree("hay", {"good.mp4": films.content()})
    tree("bak", hostile_films() | {"copy.mp4": films.content(encoding=films.COARSE)})
    done = dupfind(
        "scan", "--haystack", "hay", "--needles", "bak", "--files", "--all", "--format", "json", has_workers=True
    )
    assert (1, b"") == (done.returncode, done.stderr)
    told = {file["path"].removeprefix("bak/"): file for file in json.loads(done.stdout)["files"]}
    assert "re-encoded-film" == told.pop("copy.mp4")["reason_code"]
    by_packets = {name for name, file in told.items() if file["verdict"] == "present"}
    assert {"endless.mp4", "no duration.mp4"} == by_packets  # what a header says of the whole is no packet
    broken_ones = {name for name, file in told.items() if file["reason"] == UNDECODED}
    assert {
        "broken sizes.mp4", "cut off.mp4", "large frames.avi", "no film.mp4", "two billion frames.mp4",
    } == broken_ones  # fmt: skip
    assert "film-part" == told["cut off.mkv"]["reason_code"]


@pytest.mark.slow
def test_frames_that_are_too_large(dupfind: Run, tree: TreeBuilder) -> None:
    """Are refused before there is memory for one, and it is said why, by ``compare`` too."""
    tree("hay", {"good.mp4": films.content()})
    tree("bak", {"large.mp4": write(made(1, 1.0, (192, 128), 10))})
    reason = "24,576 pixels are more than --max-pixels allows"
    done = dupfind(
        "scan", "--haystack", "hay", "--needles", "bak", "--max-pixels", "7000", "--files", "--format", "json",
        has_workers=True,
    )  # fmt: skip
    (file,) = json.loads(done.stdout)["files"]
    assert ("missing", reason) == (file["verdict"], file["reason"])
    done = dupfind("compare", "bak/large.mp4", "hay/good.mp4", "--max-pixels", "7000", has_workers=True)
    assert f"bak/large.mp4: {reason}" in " ".join(done.stdout.decode().split())


def test_ffmpeg_refuses_frames_that_grow() -> None:
    """One that is larger than its header says is a broken packet, before there is memory for it."""
    track = film_frames.read_track(io.BytesIO(jpegs(64, 2200, 64)), 100_000)
    assert track is not None
    assert (2, 1) == (len(track.seconds), track.broken)


def test_frames_as_large_as_is_allowed() -> None:
    """Are decoded, though FFmpeg fills each of their rows up."""
    assert film_frames.read_track(io.BytesIO(films.content()), 96 * 64) is not None
    with pytest.raises(BrokenError, match=r"6,144 pixels are more than --max-pixels allows"):
        film_frames.read_track(io.BytesIO(films.content()), 96 * 64 - 1)


@pytest.fixture(scope="module")
def long_film() -> bytes:
    """A film that takes seconds to decode, and is small."""
    picture = films.clip().pictures[0].repeat(4, axis=0).repeat(4, axis=1)
    pictures = np.broadcast_to(picture, (12_000, *picture.shape))
    return write(Clip(pictures, Fraction(25), None), Encoding("matroska", "mpeg4", None, (), gop=600))


@pytest.mark.slow
def test_a_film_that_takes_too_long(dupfind: Run, tree: TreeBuilder, long_film: bytes) -> None:
    """Is named with the limit, and the run goes on."""
    tree("hay", {"good.mp4": films.content(), "long.mkv": long_film + b"\0"})
    tree("bak", {"long.mkv": long_film, "copy.mp4": films.content(encoding=films.COARSE)})
    arguments = "scan", "--haystack", "hay", "--needles", "bak", "--files", "--format", "json", "--timeout", "1"
    done = dupfind(*arguments, is_started=True)
    assert 1 == done.returncode
    reasons = {file["path"]: file["reason"] for file in json.loads(done.stdout)["files"]}
    limit = 1 + len(long_film) // (1 << 18)
    assert f"dupfind: bak/long.mkv: decoding took longer than {limit} s (--timeout)\n" in done.stderr.decode()
    assert f"decoding took longer than {limit} s (--timeout)" == reasons["bak/long.mkv"]
    assert "the same film, encoded anew" == reasons["bak/copy.mp4"]


HARM = {
    "crash-a.mp4": "its decoder crashed (SIGSEGV)",
    "kill-a.mp4": "the process that read it was killed, as systems do that run out of memory (SIGKILL)",
    "greedy-a.mp4": "not enough memory to decode it",
    "hang-a.mp4": "decoding took longer than 3 s (--timeout)",
    "pair-crash-a.mp4": "its decoder crashed (SIGSEGV)",
    "pair-greedy-a.mp4": "not enough memory to decode it",
}


@pytest.mark.slow
@needs_ceiling
def test_films_whose_decoder_does_harm_in_the_middle(tree: TreeBuilder, tmp_path: Path) -> None:
    """Each is named in one line and missing, whatever its decoder did to the process; the run goes on to the end."""
    copy = films.content(encoding=films.COARSE)
    tree("hay", {"good.mp4": films.content()})
    tree("bak", dict.fromkeys((*HARM, "copy.mp4"), copy))
    program = Path(__file__).parent / "helpers" / "film_harm.py"
    done = subprocess.run(
        [sys.executable, program, "scan", "--haystack", "hay", "--needles", "bak", "--no-cache", "--timeout", "3",
         "--max-memory", "1024", "--files", "--all", "--format", "json", "--workers", "2"],
        cwd=tmp_path, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    lines = sorted(f"dupfind: bak/{name}: {reason}" for name, reason in HARM.items())
    assert (1, lines) == (done.returncode, sorted(done.stderr.decode().splitlines()))
    told = {Path(file["path"]).name: file for file in json.loads(done.stdout)["files"]}
    assert ("similar", "re-encoded-film") == (told["copy.mp4"]["verdict"], told["copy.mp4"]["reason_code"])
    assert dict.fromkeys(HARM, "missing") == {name: told[name]["verdict"] for name in HARM}


@pytest.mark.slow
def test_stopped_while_a_film_is_decoded(tree: TreeBuilder, tmp_path: Path, long_film: bytes) -> None:
    """130, no traceback, and no process is left behind."""
    tree("hay", {"good.mp4": films.content(), "long.mkv": long_film + b"\0"})
    tree("bak", {"long.mkv": long_film})
    process = subprocess.Popen(
        [sys.executable, "-m", "dupfind", "scan", "--haystack", "hay", "--needles", "bak", "--no-cache", "-v"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if b"looking at films" in line:  # key frames of the haystack are known, and the needle is being decoded
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    out, err = process.communicate(timeout=60)
    assert (130, b"") == (process.returncode, out)
    assert b"Traceback" not in err
    deadline = time.monotonic() + 60
    while processes_of_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == processes_of_session(process.pid)
