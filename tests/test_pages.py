"""Pages and screenshots: what a thumbnail is too small for is left to the comparison at full size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dupfind.evidence import evidence
from dupfind.pipeline import scan
from dupfind.pool import judge_pool
from dupfind.reasons import Reason, ReasonCode
from dupfind.settings import make_settings
from dupfind.values import Evidence, FileState, FileVerdict, Thumbnail
from fixtures import documents, pictures


def result(folder: Path, needle: Image.Image, witness: Image.Image, **options: Any) -> FileVerdict:
    """What a scan says of ``needle``, a JPEG, beside ``witness``, a PNG; with a cache that lasts."""
    for name in ("n", "h"):
        (folder / name).mkdir(exist_ok=True)
    needle.save(folder / "n" / "page.jpg", quality=92, subsampling=0)
    witness.save(folder / "h" / "page.png")
    return again(folder, **options)


def again(folder: Path, **options: Any) -> FileVerdict:
    """The same scan once more."""
    settings = make_settings(
        haystack=[str(folder / "h")],
        needles=[str(folder / "n")],
        cache=str(folder / "cache.db"),
        **{"workers": 1, **options},
    )
    (file,) = scan(settings).files
    return file


def test_a_copy_is_present(tmp_path: Path) -> None:
    """Not by its thumbnail, which --quick rests on, whatever was asked first and is remembered."""
    page = documents.form(1).convert("RGB")
    default, quick = result(tmp_path, page, page), again(tmp_path, quick=True)
    assert (FileState.PRESENT, FileState.SIMILAR) == (default.state, quick.state)
    assert default == again(tmp_path)
    assert (Reason(ReasonCode.TEXT),) == quick.reasons


@pytest.mark.parametrize("tones", [(5, 240), (118, 130)])
def test_what_else_shows_too_little(tmp_path: Path, tones: tuple[int, int]) -> None:
    """Two tones and low contrast are no pages: the stars of a night are lost at full size too."""
    plain = Image.new("L", (640, 480), tones[0])
    ImageDraw.Draw(plain).ellipse((200, 100, 500, 400), fill=tones[1])
    plain = plain.convert("RGB")
    assert FileState.SIMILAR is result(tmp_path, plain, plain).state


def test_many_pairs_are_judged_by_the_same_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the processes, where there are so many that it is worth it."""
    monkeypatch.setattr(judge_pool, "_FEWEST", 1)
    monkeypatch.setattr(judge_pool, "_WORTH_STARTING", 0)
    page = documents.form(1).convert("RGB")
    quick = result(tmp_path, page, page, quick=True, workers=2)
    assert FileState.SIMILAR is quick.state


def test_one_figure_of_a_page(tmp_path: Path) -> None:
    """One box of a form is filled in otherwise."""
    needle, witness = (documents.form(seed).convert("RGB") for seed in (2, 3))
    assert FileState.PRESENT != result(tmp_path, needle, witness).state


def test_tiny_pictures_have_no_more_than_their_thumbnail_shows() -> None:
    """So they are proved by their bytes only, at full size too."""
    pixels = np.asarray(pictures.photo(1, (64, 64)).convert("L")).tobytes()
    tiny = evidence.prepare(Thumbnail(pixels, 26, 19, "PNG", 1, None, text=0.5))
    assert Evidence.SIMILAR is evidence.judge(tiny, tiny, with_full_size=True).evidence
    large = evidence.prepare(Thumbnail(pixels, 640, 640, "PNG", 1, None, text=0.5))
    assert [Evidence.SAME, Evidence.SIMILAR] == [
        evidence.judge(large, large, with_full_size=with_full_size).evidence for with_full_size in (True, False)
    ]
