"""The real process on what people delete by: each way in which a look-alike could pass for a copy, in one scan.

Every folder of the needles is one case. What decides it is tested by itself in the tests of its module; here the files,
the codecs and all stages take part.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from dupfind import pipeline
from dupfind.reasons import ReasonCode
from dupfind.report.reasons import sentences
from dupfind.settings import make_settings
from dupfind.values import FileState
from fixtures import documents, pictures
from tests.helpers.trees import build_tree

SIZE = (640, 480)
STORED = dict(zip(range(2, 9), [Image.Transpose(number) for number in (0, 3, 1, 5, 2, 6, 4)], strict=True))
"""How a picture lies in a file that says with this EXIF orientation how to put it upright."""
TEXTS = {
    "text": "text, black on white",
    "form": "one form, filled differently",
    "chat": "chat, dark",
    "receipt": "receipt",
}
SEEDS = (2, 4)
Trees = dict[str, dict[str, bytes]]


class Answer(NamedTuple):
    """What one scan said."""

    files: dict[str, dict[str, Any]]
    """By path below the needles."""
    folders: dict[str, str]
    """The verdict of each, likewise."""
    code: int


@cache
def photo(seed: int) -> Image.Image:
    """A made-up photo."""
    return pictures.photo(seed, SIZE)


def jpeg(image: Image.Image, quality: int = 88, **options: Any) -> bytes:
    """The bytes of a JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def lighter(image: Image.Image, level: float) -> Image.Image:
    """A frame taken a moment later: in one place the light is another."""
    values = np.asarray(image).astype(np.float32)
    values[150:180, 480:520] += level
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def damaged(data: bytes, share: float) -> bytes:
    """64 bytes lost at this share of the file."""
    place = int(len(data) * share)
    return data[:place] + bytes(64) + data[place + 64 :]


def with_total(total: str) -> Image.Image:
    """A page of text with an amount in its last line."""
    page = documents.text_page(0)
    ImageDraw.Draw(page).text((900, 1500), f"Total {total}", (20, 20, 20), ImageFont.load_default(26))
    return page


def bursts() -> Trees:
    """Two frames of which the haystack has a third, or one, or both."""
    plain = photo(70)
    frames = [jpeg(lighter(plain, level), quality=94) for level in (3, -3)]
    stamped = [pictures.exif(captured=f"2017:07:18 15:31:3{second}") for second in (0, 1)]
    return {
        "hay": {
            "burst.jpg": jpeg(plain, quality=95),
            "again.jpg": jpeg(plain, quality=91),
            "stamped.jpg": jpeg(photo(71)),
            "copied.jpg": jpeg(photo(72)),
        },
        "needles": {
            "burst/1.jpg": frames[0],
            "burst/2.jpg": frames[1],
            "stamped/1.jpg": jpeg(photo(71), quality=85, exif=stamped[0]),
            "stamped/2.jpg": jpeg(photo(71), quality=84, exif=stamped[1]),
            "copied/1.jpg": jpeg(photo(72), quality=85),
            "copied/2.jpg": jpeg(photo(72), quality=80),
            "copied/small.jpg": jpeg(photo(72).resize((320, 240))),
        },
    }


def broken() -> Trees:
    """Damage on either side; what is intact of each is known."""
    return {
        "hay": {
            "witness.jpg": damaged(jpeg(photo(1)), 0.6),
            "half.jpg": jpeg(photo(2)),
            "most.jpg": jpeg(photo(3)),
        },
        "needles": {
            "broken witness/n.jpg": jpeg(photo(1), quality=85),
            "broken/half.jpg": damaged(jpeg(photo(2), quality=85), 0.6),
            "broken/most.jpg": damaged(jpeg(photo(3), quality=85), 0.97),
            "broken/gone.jpg": damaged(jpeg(photo(200), quality=85), 0.5),
        },
    }


def papers() -> Trees:
    """What people keep for its words: twins that differ in one thing, and true copies."""
    hay = {"total.png": png(with_total("1437.50"))}
    needles = {"papers/total.png": png(with_total("1482.50")), "papers/total.jpg": jpeg(with_total("1437.50"))}
    for name, kind in TEXTS.items():
        for seed in SEEDS:
            hay[f"{name}{seed}.png"] = png(documents.CLASSES[kind](seed))
            needles[f"papers/{name}{seed}.png"] = png(documents.CLASSES[kind](seed + 1))
    return {"hay": hay, "needles": needles}


def worse() -> Trees:
    """The haystack's copy has lost something."""
    small = photo(5).resize((160, 120), Image.Resampling.LANCZOS)
    return {
        "hay": {
            "enlarged.jpg": jpeg(small.resize(SIZE, Image.Resampling.BICUBIC)),
            "blurred.jpg": jpeg(photo(6).filter(ImageFilter.GaussianBlur(2))),
            "poor.jpg": jpeg(photo(7), quality=25),
            "small.jpg": jpeg(photo(8).resize((320, 240))),
            "grey.jpg": jpeg(photo(9).convert("L")),
        },
        "needles": {f"worse/{seed}.jpg": jpeg(photo(seed)) for seed in range(5, 10)},
    }


def turned() -> Trees:
    """Every way to turn and mirror, in the pixels and by EXIF."""
    hay, needles = {}, {}
    for number, turn in enumerate(Image.Transpose):
        hay[f"turn{number}.jpg"] = jpeg(photo(10 + number), quality=92)
        needles[f"turned/{turn.name}.jpg"] = jpeg(photo(10 + number).transpose(turn))
    for orientation, turn in STORED.items():
        hay[f"exif{orientation}.jpg"] = jpeg(photo(20 + orientation), quality=92)
        stored = photo(20 + orientation).transpose(turn)
        needles[f"exif/{orientation}.jpg"] = jpeg(stored, exif=pictures.exif(orientation))
    return {"hay": hay, "needles": needles}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """One scan of everything."""
    folder = tmp_path_factory.mktemp("promises")
    for trees in (bursts(), broken(), papers(), worse(), turned()):
        for root, contents in trees.items():
            build_tree(folder / root, contents)
    command = "scan --haystack hay --needles needles --no-cache --format json"
    done = subprocess.run(
        [sys.executable, "-m", "dupfind", *command.split()], cwd=folder, capture_output=True, check=False, timeout=120
    )
    assert b"" == done.stderr
    whole = json.loads(done.stdout)
    below = len("needles" + os.sep)
    return Answer(
        {Path(one["path"][below:]).as_posix(): one for one in whole["files"]},
        {Path(one["path"][below:]).as_posix(): one["verdict"] for one in whole["folders"]},
        done.returncode,
    )


def verdicts(answer: Answer, folder: str) -> dict[str, str]:
    """The verdict on each needle of a folder, with its witness."""
    return {
        path.removeprefix(folder + "/"): f"{one['verdict']} {Path(one['witness'] or '').name}".rstrip()
        for path, one in answer.files.items()
        if path.startswith(folder + "/")
    }


def test_the_exit_code_says_that_something_is_not_there(answer: Answer) -> None:
    """1, whatever else was found."""
    assert (1, "partial") == (answer.code, answer.folders["."])


def test_two_frames_of_a_burst_have_no_witness(answer: Answer) -> None:
    """The haystack has a third frame: at full size it is neither of the two, and the folder is not contained."""
    states = sorted(answer.files[f"burst/{number}.jpg"]["verdict"] for number in (1, 2))
    assert ["similar", "similar"] == states
    assert "review" == answer.folders["burst"]
    for number in (1, 2):
        file = answer.files[f"burst/{number}.jpg"]
        assert file["reason"].startswith("at full size something differs near the ")
        assert "something-differs" == file["reason_code"]


def test_two_frames_of_a_burst_share_no_witness_by_thumbnails(tmp_path: Path) -> None:
    """With --quick at most one is present, though the haystack has the witness twice."""
    for root, contents in bursts().items():
        build_tree(tmp_path / root, contents)
    roots: dict[str, Any] = {"haystack": [str(tmp_path / "hay")], "needles": [str(tmp_path / "needles")]}
    settings = make_settings(**roots, quick=True, no_cache=True)
    report = pipeline.scan(settings, make_executor=partial(ThreadPoolExecutor, 1))
    burst = [one for one in report.files if "needles/burst/" in one.path]
    assert ["present", "similar"] == sorted(one.state.value for one in burst)
    (reasons,) = (one.reasons for one in burst if one.reasons)
    words = "another needle with the same witness is not this picture: something differs near the "
    assert (sentences(reasons) or "").startswith(words)
    assert [ReasonCode.CONFLICT] == [reason.code for reason in reasons]


def test_two_capture_times_have_one_witness(answer: Answer) -> None:
    """The haystack's copy has lost its time: it is one of the two, and it is open which."""
    found = verdicts(answer, "stamped")
    assert ["present stamped.jpg", "similar stamped.jpg"] == sorted(found.values())
    (refused,) = (name for name, verdict in found.items() if verdict.startswith("similar"))
    assert "not this picture: taken at another time: 2017-07-18" in answer.files[f"stamped/{refused}"]["reason"]


def test_copies_of_one_photo_share_their_witness(answer: Answer) -> None:
    """Encoded anew and made smaller: all are present, and the folder is contained."""
    expected = dict.fromkeys(("1.jpg", "2.jpg", "small.jpg"), "present copied.jpg")
    assert expected == verdicts(answer, "copied")
    assert "contained" == answer.folders["copied"]


def test_a_damaged_witness_proves_nothing(answer: Answer) -> None:
    """It is similar, and the reason says that the haystack's copy is the broken one."""
    found = answer.files["broken witness/n.jpg"]
    assert ("similar", "witness.jpg") == (found["verdict"], Path(found["witness"]).name)
    assert found["reason"].startswith("the haystack's copy: its JPEG data is damaged: ")


def test_a_damaged_needle_names_what_it_was(answer: Answer) -> None:
    """Of half a picture the right witness; of a picture that is nowhere the sentence on what it resembles."""
    found = verdicts(answer, "broken")
    assert {"half.jpg": "similar half.jpg", "most.jpg": "similar most.jpg", "gone.jpg": "missing"} == found
    half, most, gone = (answer.files[f"broken/{name}.jpg"]["reason"] for name in ("half", "most", "gone"))
    assert half.endswith("% from one edge on is the same")
    assert "% from one edge on is the same" not in most
    assert "; it looks most like " in gone or gone.endswith("; nothing in the haystack looks like what is left of it")
    assert all(reason.startswith("its JPEG data is damaged: ") for reason in (half, most, gone))


def test_no_page_is_the_same_as_another(answer: Answer) -> None:
    """Two digits, a line, a message, a price: not one is present, and a true copy is."""
    found = verdicts(answer, "papers")
    assert len(found) == 2 + len(TEXTS) * len(SEEDS)
    present = {name for name, verdict in found.items() if not verdict.startswith("similar")}
    assert {"total.jpg"} == {Path(name).name for name in present}
    assert "review" == answer.folders["papers"]


@pytest.mark.parametrize(
    ("name", "witness", "reason"),
    [
        ("5.jpg", "enlarged.jpg", "the haystack's copy shows less detail: enlarged or blurred"),
        ("6.jpg", "blurred.jpg", "the haystack's copy shows less detail: enlarged or blurred"),
        ("7.jpg", "poor.jpg", "the haystack's copy is compressed much more: JPEG quality about 25 against about 88"),
        ("8.jpg", "small.jpg", "the haystack's copy is smaller: 320 x 240 against 640 x 480"),
        ("9.jpg", "grey.jpg", "the haystack's copy is black and white"),
    ],
)
def test_a_worse_witness_says_what_it_lacks(answer: Answer, name: str, witness: str, reason: str) -> None:
    """Someone who is about to delete the better copy reads why not to."""
    found = answer.files[f"worse/{name}"]
    assert ("similar", witness, reason) == (found["verdict"], Path(found["witness"]).name, found["reason"])


def test_turned_is_present_and_mirrored_is_not(answer: Answer) -> None:
    """With its turn told; a mirror image is another picture to whoever keeps it."""
    reasons = {Path(path).stem: one["reason"] for path, one in answer.files.items() if path.startswith("turned/")}
    flips = dict.fromkeys(("FLIP_LEFT_RIGHT", "FLIP_TOP_BOTTOM", "TRANSPOSE", "TRANSVERSE"), "mirrored")
    quarters = dict.fromkeys(("ROTATE_90", "ROTATE_270"), "turned by 90 degrees")
    assert {**flips, **quarters, "ROTATE_180": "turned by 180 degrees"} == reasons
    states = {path: one["verdict"] for path, one in answer.files.items() if path.startswith("turned/")}
    assert {"present": 3, "similar": 4} == {state: list(states.values()).count(state) for state in states.values()}
    assert all((state == "similar") == (reasons[Path(path).stem] == "mirrored") for path, state in states.items())


def test_exif_turns_are_no_turns(answer: Answer) -> None:
    """A file that says how to hold it shows the same picture, mirrored ones too: nothing to say about it."""
    found = {path: (one["verdict"], one["reason"]) for path, one in answer.files.items() if path.startswith("exif/")}
    assert dict.fromkeys((f"exif/{number}.jpg" for number in STORED), ("present", None)) == found
    assert "contained" == answer.folders["exif"]


def test_a_warm_run_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of pairs, of rivals and of damage gives the answer that was worked out."""
    for trees in (bursts(), broken()):
        for root, contents in trees.items():
            build_tree(tmp_path / root, contents)
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    roots: dict[str, Any] = {"haystack": [str(tmp_path / "hay")], "needles": [str(tmp_path / "needles")]}
    settings = make_settings(**roots, cache=str(tmp_path / "cache.sqlite"))
    cold, warm = (pipeline.scan(settings, make_executor=partial(ThreadPoolExecutor, 1)) for _ in range(2))
    assert (cold.files, cold.folders) == (warm.files, warm.folders)
    assert 3 == sum(one.state is FileState.PRESENT for one in warm.files if "copied" in one.path or "burst" in one.path)
