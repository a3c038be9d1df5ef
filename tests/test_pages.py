"""Pages and screenshots: what a thumbnail is too small for is left to the comparison at full size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import evidence
from dupfind.pipeline import scan
from dupfind.settings import make_settings
from dupfind.values import Evidence, FileState, FileVerdict, Thumbnail
from fixtures import documents, pictures


def result(folder: Path, needle: Image.Image, witness: Image.Image, **options: bool) -> FileVerdict:
    """What a scan says of ``needle``, a JPEG, beside ``witness``, a PNG; with a cache that lasts."""
    for name in ("n", "h"):
        (folder / name).mkdir(exist_ok=True)
    needle.save(folder / "n" / "page.jpg", quality=92, subsampling=0)
    witness.save(folder / "h" / "page.png")
    return again(folder, **options)


def again(folder: Path, **options: bool) -> FileVerdict:
    """The same scan once more."""
    settings = make_settings(
        haystack=[str(folder / "h")], needles=[str(folder / "n")], cache=str(folder / "cache.db"), workers=1, **options
    )
    (file,) = scan(settings).files
    return file


def dim(image: Image.Image) -> Image.Image:
    """The picture at a fifteenth of its contrast."""
    return image.point([round(120 + level / 15) for level in range(256)] * 3)


PAGES: dict[str, Callable[[], Image.Image]] = {
    "form": lambda: documents.form(1).convert("RGB"),
    "low contrast": lambda: dim(pictures.photo(3, (640, 480))),
}
"""What thumbnails show too little of."""


@pytest.mark.parametrize("name", PAGES)
def test_a_copy_is_present(tmp_path: Path, name: str) -> None:
    """Not by its thumbnail, which --quick rests on, whatever was asked first and is remembered."""
    page = PAGES[name]()
    default, quick = result(tmp_path, page, page), again(tmp_path, quick=True)
    assert (FileState.PRESENT, FileState.SIMILAR) == (default.state, quick.state)
    assert default == again(tmp_path)
    assert "small change would not show" in str(quick.reason) or "too little to see" in str(quick.reason)


def test_one_figure_of_a_page(tmp_path: Path) -> None:
    """One box of a form is filled in otherwise."""
    needle, witness = (documents.form(seed).convert("RGB") for seed in (2, 3))
    assert FileState.PRESENT != result(tmp_path, needle, witness).state


def test_tiny_pictures_have_no_more_than_their_thumbnail_shows() -> None:
    """So they are proved by their bytes only, at full size too."""
    pixels = np.asarray(pictures.photo(1, (64, 64)).convert("L")).tobytes()
    tiny = evidence.prepare(Thumbnail(pixels, 26, 19, "PNG", 1, None))
    assert Evidence.SIMILAR is evidence.judge(tiny, tiny, with_full_size=True).evidence
    large = evidence.prepare(Thumbnail(pixels, 640, 640, "PNG", 1, None, text=0.5))
    assert [Evidence.SAME, Evidence.SIMILAR] == [
        evidence.judge(large, large, with_full_size=with_full_size).evidence for with_full_size in (True, False)
    ]
