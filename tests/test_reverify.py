"""The second look: both files are read again as the walk saw them, and a claim that is in doubt falls."""

from __future__ import annotations

import io
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.matching import reverify as reverify_module
from dupfind.matching.reverify import Claim, Look, Views, reverify
from dupfind.pictures import decode
from dupfind.pool import full_size as pool_full_size
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.report.reasons import sentence
from dupfind.values import ORIENTATIONS, Evidence, FileEntry
from fixtures import pictures
from tests.helpers.details import enlarged, grainy, with_letters

IDENTICAL, SAME, SIMILAR = Evidence
CHANGED = "changed while it was read"
BLOCK = 1 << 20


def entry_of(path: Path) -> FileEntry:
    """What the walk would see."""
    found = path.stat()
    return FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def look(claim: Claim, *, rotations: bool = True, timeout_seconds: float = 20, max_pixels: int = 10**8) -> Look:
    """What one claim gives; a claim and its look travel between processes."""
    claim = pickle.loads(pickle.dumps(claim))  # noqa: S301 - our own
    (found,) = reverify([claim], max_pixels, timeout_seconds, views=Views(ORIENTATIONS if rotations else 1))
    return pickle.loads(pickle.dumps(found))  # type: ignore[no-any-return] # noqa: S301 - our own


Maker = Callable[..., Claim]


@pytest.fixture
def claimed(tmp_path: Path) -> Maker:
    """A claim about two files or more, from their contents, the needle first."""

    def make(*contents: bytes | Image.Image, evidence: Evidence = SAME, **options: Any) -> Claim:
        entries = []
        for number, content in enumerate(contents):
            path = tmp_path / f"{number}.{'bin' if isinstance(content, bytes) else 'jpg'}"
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content.save(path, **{"quality": 92, **options})
            entries.append(entry_of(path))
        return Claim(entries[0], tuple(entries[1:]), evidence)

    return make


@pytest.mark.parametrize("length_bytes", [1, 1000, BLOCK, BLOCK + 1, 3 * BLOCK - 1])
def test_identical_files(claimed: Maker, length_bytes: int) -> None:
    """Every byte is the same: the claim stands."""
    content = np.random.Generator(np.random.PCG64(1)).bytes(length_bytes)
    claim = claimed(content, content, evidence=IDENTICAL)
    assert Look(claim.witnesses[0].path, IDENTICAL) == look(claim)


@pytest.mark.parametrize("place", [0, 17, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 9])
def test_one_byte_differs(claimed: Maker, place: int) -> None:
    """Wherever it is, in the first block, at its end or in the last one."""
    content = bytearray(2 * BLOCK + 10)
    other = content.copy()
    other[place] = 1
    found = look(claimed(bytes(content), bytes(other), evidence=IDENTICAL))
    assert Look(None, None, failure="its witness no longer has the same bytes") == found


def test_another_twin_does_as_well(claimed: Maker) -> None:
    """The first witness has rotted, the second is gone, the third is sound."""
    claim = claimed(b"same", b"rots", b"gone", b"same", evidence=IDENTICAL)
    os.unlink(claim.witnesses[1].path)
    assert Look(claim.witnesses[2].path, IDENTICAL) == look(claim)


@pytest.mark.parametrize("evidence", [IDENTICAL, SAME])
@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns", "ctime_ns", "inode"])
@pytest.mark.parametrize("whose", ["needle", "witness"])
def test_changed_since_the_walk(claimed: Maker, evidence: Evidence, field: str, whose: str) -> None:
    """Either file is no longer the one that was walked, although it would do."""
    photo = pictures.photo(1, (160, 120))
    claim = claimed(photo, photo, evidence=evidence)
    victim = claim.needle if whose == "needle" else claim.witnesses[0]
    changed = victim._replace(**{field: getattr(victim, field) + 1})
    claim = claim._replace(**{"needle": changed} if whose == "needle" else {"witnesses": (changed,)})
    subject = "it" if whose == "needle" else "its witness"
    assert Look(None, None, failure=f"{subject} could not be read again: {CHANGED}") == look(claim)


@pytest.mark.parametrize("evidence", [IDENTICAL, SAME])
@pytest.mark.parametrize("victim", [0, 1])
def test_changed_while_it_is_read(
    claimed: Maker, evidence: Evidence, victim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen when the file is closed."""
    photo = pictures.photo(1, (160, 120))
    claim = claimed(photo, photo, evidence=evidence)
    entry = (claim.needle, *claim.witnesses)[victim]
    real = reverify_module._forget
    monkeypatch.setattr(reverify_module, "_forget", lambda file: (os.utime(entry.path, ns=(1, 1)), real(file)))
    found = look(claim)
    assert (None, None) == found[:2]
    assert found.reason is None
    assert CHANGED in str(found.failure)


@pytest.mark.parametrize("evidence", [IDENTICAL, SAME])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_file_that_is_gone(claimed: Maker, evidence: Evidence, victim: int) -> None:
    """The reason says whose fault it is."""
    photo = pictures.photo(1, (160, 120))
    claim = claimed(photo, photo, evidence=evidence)
    os.unlink((claim.needle, *claim.witnesses)[victim].path)
    reason = ("it", "its witness")[victim] + " could not be read again: cannot be read: no such file or directory"
    assert Look(None, None, failure=reason) == look(claim)


@pytest.mark.parametrize("victim", ["0.jpg", "1.jpg"])
def test_a_failing_disk(claimed: Maker, victim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails in the middle is told of the file that failed."""
    photo = pictures.photo(1, (160, 120))
    claim = claimed(photo, photo, evidence=IDENTICAL)

    class Failing(io.FileIO):
        def readinto(self, *_: Any) -> int:
            raise OSError(5, "Input/output error")

        def read(self, *_: Any) -> bytes:
            raise OSError(5, "Input/output error")

    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *rest, **more: Failing(path) if str(path).endswith(victim) else real(path, *rest, **more),
    )
    found = look(claim)
    subject = "it" if victim == "0.jpg" else "its witness"
    assert Look(None, None, failure=f"{subject} could not be read again: cannot be read: input/output error") == found


def test_a_disk_that_gives_too_little(claimed: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that both end before their time are not compared."""
    claim = claimed(b"x" * 1000, b"x" * 999 + b"y", evidence=IDENTICAL)

    class Short(io.FileIO):
        def read(self, *_: Any) -> bytes:
            return b"" if self.tell() >= 500 else super().read(500)

    real = open
    is_ours = {claim.needle.path, claim.witnesses[0].path}
    monkeypatch.setattr(
        "builtins.open", lambda path, *rest, **more: Short(path) if path in is_ours else real(path, *rest, **more)
    )
    assert Look(None, None, failure="its witness no longer has the same bytes") == look(claim)


def test_the_disk_is_asked(claimed: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system is told to forget what it remembers of both files, and does without where it cannot be told."""
    told: list[int] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda number, *_: told.append(number), raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    photo = pictures.photo(1, (160, 120))
    for evidence in (IDENTICAL, SAME):
        assert evidence is look(claimed(photo, photo, evidence=evidence)).evidence
    assert 4 == len(told)

    def refuse(*_: Any) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    assert SAME is look(claimed(photo, photo)).evidence
    monkeypatch.delattr(os, "posix_fadvise")
    assert SAME is look(claimed(photo, photo)).evidence


def test_a_copy_stays_the_same(claimed: Maker) -> None:
    """Without a word."""
    image = pictures.photo(1, (640, 480))
    claim = claimed(image.resize((320, 240), Image.Resampling.LANCZOS), image)
    assert Look(claim.witnesses[0].path, SAME) == look(claim)


@pytest.mark.slow
def test_a_turned_copy(claimed: Maker) -> None:
    """The orientation is found again, and only where it was looked for."""
    image = grainy(1, (400, 300))
    for turn, degrees in (
        (Image.Transpose.ROTATE_90, 90),
        (Image.Transpose.ROTATE_270, 90),
        (Image.Transpose.ROTATE_180, 180),
    ):
        claim = claimed(image.transpose(turn), image, quality=95)
        assert (SAME, Reason(ReasonCode.TURNED, (degrees,)), None) == look(claim)[1:]
        assert look(claim, rotations=False).evidence is not SAME


def test_mirrored_is_no_more_than_similar(claimed: Maker) -> None:
    """As in a scan."""
    image = grainy(1, (400, 300))
    found = look(claimed(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image))
    assert (SIMILAR, Reason(ReasonCode.MIRRORED), None) == found[1:]


def test_what_only_full_size_shows(claimed: Maker) -> None:
    """A small change and lost detail, also where the needle lies on its side; what was similar is not asked."""
    image = grainy(1)
    place, detail = (ReasonCode.PLACE, "near the top left"), (ReasonCode.LESS_DETAIL,)
    for poor, (code, *where) in ((with_letters(image, (40, 30), 4), place), (enlarged(image, 2), detail)):
        for needle in (image, image.transpose(Image.Transpose.ROTATE_90)):
            found = look(claimed(needle, poor, quality=95))
            assert SIMILAR is found.evidence
            assert Reason(code, (AT_FULL_SIZE, *where)) == found.reason
        assert SAME is look(claimed(image, poor, evidence=SIMILAR)).evidence


@pytest.mark.slow
def test_a_larger_or_a_little_smaller_witness(claimed: Maker) -> None:
    """Compared at the size that both have."""
    image = grainy(3, (1200, 900))
    for size in ((600, 450), (400, 300)):
        assert SAME is look(claimed(image.resize(size, Image.Resampling.LANCZOS), image)).evidence
    claim = claimed(image, image.resize((1100, 825), Image.Resampling.LANCZOS), quality=95)
    assert SAME is look(claim).evidence


def test_very_large_pictures_are_compared_smaller(claimed: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory for a pair is bounded."""
    asked: list[tuple[int, int]] = []
    real = decode.read_full_size

    def spy(file: Any, name: str, max_pixels: int, size: tuple[int, int], *pick: Any) -> Any:
        asked.append(size)
        return real(file, name, max_pixels, size, *pick)

    monkeypatch.setattr(decode, "read_full_size", spy)
    monkeypatch.setattr(pool_full_size, "MOST_PIXELS", 30_000)
    image = pictures.photo(1, (640, 480))
    assert SAME is look(claimed(image, image.transpose(Image.Transpose.ROTATE_90))).evidence
    assert [(200, 150), (150, 200)] == asked


def test_a_witness_that_is_something_else_now(claimed: Maker) -> None:
    """Another picture, no picture, and a damaged one."""
    photo = pictures.photo(1, (320, 240))
    unlike = Look(None, None, failure="decoded again, it and its witness are unlike each other")
    assert unlike == look(claimed(photo, pictures.photo(2, (320, 240))))
    lost = Look(None, None, failure="its witness could not be read again: not a picture in a known format")
    assert lost == look(claimed(photo, b"x"))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=92)
    content = bytearray(file.getvalue())
    late = len(content) - 300
    content[late : late + 40] = bytes(40)
    found = look(claimed(photo, bytes(content)))
    assert SIMILAR is found.evidence
    assert found.reason is not None
    assert ReasonCode.WITNESS_DAMAGED is found.reason.code
    assert sentence(found.reason).startswith("the haystack's copy: its JPEG data is damaged")


def test_the_limits_hold(claimed: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for each decode, and pixels."""
    photo = pictures.photo(1, (320, 240))
    claim = claimed(photo, photo)
    found = look(claim, max_pixels=1000)
    assert "it could not be read again: 76,800 pixels are more than --max-pixels allows" == found.failure
    monkeypatch.setattr(decode, "read_full_size", lambda *_, **__: time.sleep(600))
    found = look(claim, timeout_seconds=1)
    assert (None, None) == found[:2]
    assert "decoding took longer than 1 s (--timeout)" in str(found.failure)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("broken", ["needle", "witness"])
def test_a_file_is_read_to_its_end(claimed: Maker, broken: str) -> None:
    """A progressive JPEG too, of which a scan may look at the first scan only: what is damaged behind it is seen."""
    file = io.BytesIO()
    pictures.photo(1, (640, 512)).resize((2560, 2048)).save(file, "JPEG", progressive=True)
    sound = file.getvalue()
    middle = (sound.rfind(b"\xff\xda") + len(sound)) // 2
    damaged = sound[:middle] + b"\x55" * 400 + sound[middle + 400 :]
    assert look(claimed(sound, sound)).evidence is SAME
    found = look(claimed(damaged, sound) if broken == "needle" else claimed(sound, damaged))
    assert found.evidence is not SAME
    assert "damaged" in (sentence(found.reason) if found.reason else found.failure or "")
