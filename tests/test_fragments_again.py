"""Parts of pictures from night to night: whatever comes and goes, the answer is that of a scan that knows nothing."""

from __future__ import annotations

import os
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")

from dupfind.matching import fragments as matching
from dupfind.matching import part_memory
from dupfind.pool import fragments as of_pool
from dupfind.pool.tasks import Outcome
from dupfind.reading import Pictures, Reader
from dupfind.values import Failure, Report
from tests.helpers.fragments import jpeg, page, part, photo, screenshot
from tests.helpers.races import believed_at_once
from tests.helpers.scans import answer, scan, states

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
    """To the byte, after each of these nights; several things may happen in one. Blocks are of few pictures, and there
    may be room for few needles, or none.
    """
    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", 1 + seed % 3)
    monkeypatch.setattr(matching, "MOST_KNOWN_BYTES", [128 << 20, 3000, 0][seed % 3])
    monkeypatch.setattr(matching, "KEEP_SECONDS", 10 * (seed % 2))
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


@pytest.mark.parametrize("task", ["read_marks", "compare_fragments"])
def test_parts_that_could_not_be_looked_for(tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run looks for them although nothing has changed."""
    hay, old = tmp_path / "hay", tmp_path / "old"
    for folder, data in ((hay, jpeg(photo(0, SIZE))), (old, jpeg(part(photo(0, SIZE), 0.1, 0, 0.8, 0.7)))):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(data)
    of_pair = of_pool.Unread(str(old / "a.jpg"), "no memory")
    made = Outcome(Failure("no memory", lasting=False), 0) if task == "read_marks" else of_pair

    def night() -> Report:
        with believed_at_once():
            return scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)

    with monkeypatch.context() as patched:
        patched.setattr(of_pool, task, lambda items, *_, **__: [made for _ in items])
        first = night()
    fresh = scan(hay, old, fragments=True)
    assert answer(first) != answer(fresh)
    assert answer(night()) == answer(fresh)


def test_a_picture_that_cannot_be_read_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its parts are found nothing but its size is asked for, and without that the run goes on."""
    hay, old = tmp_path / "hay", tmp_path / "old"
    for folder, data in ((hay, jpeg(photo(0, SIZE))), (old, jpeg(part(photo(0, SIZE), 0.1, 0, 0.8, 0.7)))):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(data)
    cache = str(tmp_path / "cache.sqlite")
    real, asked = Reader.pictures, []

    def failing(reader: Reader, entries: Any, what: str, *values: Any, **options: Any) -> Pictures:
        found = real(reader, entries, what, *values, **options)
        if not asked or what != "decoding haystack" or not entries:
            return found
        asked.append(what)
        return found.__class__(
            [], [], found.hashes[:0], {entry.path: Failure("gone", lasting=False) for entry in entries}
        )

    with believed_at_once():
        scan(hay, old, cache=cache, fragments=True)
        (old / "note.txt").write_bytes(b"words")
        asked.append("from now on")
        monkeypatch.setattr(Reader, "pictures", failing)
        monkeypatch.setattr("dupfind.scanning.scan_again._Again.read_pictures", lambda _: None)
        warm = scan(hay, old, cache=cache, fragments=True)
    assert {"a.jpg": "similar/similar", "note.txt": "missing"} == states(warm)
    assert len(asked) > 1
