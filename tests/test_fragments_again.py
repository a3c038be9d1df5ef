"""Parts of pictures from night to night: whatever comes and goes, the answer is that of a scan that knows nothing."""

from __future__ import annotations

import os
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")

from dupfind.matching import part_memory
from tests.helpers.fragments import jpeg, page, part, photo, screenshot
from tests.helpers.races import believed_at_once
from tests.helpers.scans import answer, scan

SIZE = (240, 180)
PHOTOS = range(5)


@cache
def contents() -> dict[str, list[bytes]]:
    """Photos for the haystack, and for the needles what shows parts of them, copies, and what is in none of them."""
    photos = [photo(number, SIZE) for number in PHOTOS]
    whole = [jpeg(image) for image in photos]
    crops = [jpeg(part(image, 0.1, 0, 0.8, 0.7)) for image in photos]
    turned = [jpeg(part(image, 0.2, 0.2, 1, 1).rotate(7, expand=True)) for image in photos[:2]]
    screens = [jpeg(screenshot(image)) for image in photos[:2]]
    pages = [jpeg(page(*photos[:4])), jpeg(page(*photos[2:]))]
    new = [jpeg(photo(90 + number, SIZE)) for number in range(2)]
    broken = [whole[0][:900]]
    return {"hay": whole + new[:1] + broken + crops[:1], "old": crops + turned + screens + pages + new + whole[:2]}


def change(top: Path, chance: random.Random) -> None:
    """Do one thing to one of the two trees: a file comes, goes, gets another name, other bytes or another time."""
    side = chance.choice(["hay", "old"])
    files = sorted(path for path in (top / side).iterdir() if path.suffix == ".jpg")
    what = chance.choice(["come", "come", "go", "rename", "replace", "touch"]) if files else "come"
    data = chance.choice(contents()[side])
    if what == "come":
        (top / side / f"{chance.randrange(10**6)}.jpg").write_bytes(data)
        return
    path = chance.choice(files)
    if what == "go":
        path.unlink()
    elif what == "rename":
        path.rename(path.with_name(f"{chance.randrange(10**6)}.jpg"))
    elif what == "replace":
        state = path.stat()
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    else:
        os.utime(path)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rotations": False, "accept": "similar"}], ids=["usual", "similar"])
@pytest.mark.parametrize("seed", range(int(os.environ.get("DUPFIND_PART_NIGHTS", "3"))))
def test_nights(tmp_path: Path, seed: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte, after each of these nights; several things may happen in one. Blocks are of few pictures."""
    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", 1 + seed % 3)
    chance = random.Random(seed)  # noqa: S311 - chance for trees
    for side in ("hay", "old"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "keep.txt").write_bytes(b"kept")
        for number, data in enumerate(chance.sample(contents()[side], 4)):
            (tmp_path / side / f"first {number}.jpg").write_bytes(data)
    seen = set()
    for _ in range(8):
        with believed_at_once():
            warm = scan(
                tmp_path / "hay", tmp_path / "old", cache=str(tmp_path / "cache.sqlite"), fragments=True, **options
            )
        fresh = scan(tmp_path / "hay", tmp_path / "old", fragments=True, **options)
        assert answer(fresh) == answer(warm)
        seen |= {file.reasons[0].code.value for file in fresh.files if file.reasons}
        for _ in range(chance.choice([1, 1, 1, 3])):
            change(tmp_path, chance)
    assert "fragment" in seen
