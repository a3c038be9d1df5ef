"""The answer after each decision is the one that a scan gives by the same decisions, whatever was decided before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dupfind import pipeline
from dupfind.answers.decisions import as_row
from dupfind.reviewing.review import RefusedError
from dupfind.scanning import decisions_file
from fixtures import pictures
from tests.helpers import scans
from tests.helpers.decisions import file, word
from tests.helpers.reviews import Desk, told, with_desk
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO, OTHER, THIRD = (pictures.photo(number, (480, 360)) for number in (1, 2, 3))
SMALL, SMALLER = PHOTO.resize((360, 270)), PHOTO.resize((240, 180))
BROKEN = b"\xff\xd8\xff\xe0 broken"
HAYSTACK = {
    "small.png": SMALL, "smaller.png": SMALLER, "copy/small.png": SMALL, "third.jpg": THIRD.resize((360, 270)),
    "t.txt": b"t", "broken.jpg": BROKEN,
}  # fmt: skip
NEEDLES = {
    "in/a.png": PHOTO, "in/b.jpg": PHOTO, "in/twin.png": PHOTO, "in/c.png": OTHER, "other/d.txt": b"other",
    "other/e.jpg": BROKEN + b"!", "other/f.png": THIRD, "other/t.txt": b"t", "g.txt": b"",
}  # fmt: skip
NAMES = ("a.png", "b.jpg", "twin.png", "c.png", "d.txt", "e.jpg", "f.png")
RULINGS = ("same", "different", "not-wanted", None, "undo")


def fresh(haystack: Path, needles: Path, decisions: Path, **options: Any) -> Any:
    """What a scan says by the decisions that are kept."""
    given = decisions_file.read(str(decisions)) if decisions.exists() else ()
    return told(pipeline.scan_trees(scans.settings(haystack, needles, **options), None, scans.one_thread, given).report)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Haystack, needles, and a cache for both."""
    folder = tmp_path_factory.mktemp("live")
    build_tree(folder / "hay", HAYSTACK)
    build_tree(folder / "n", NEEDLES)
    return folder / "hay", folder / "n", str(folder / "cache.sqlite")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(steps=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(RULINGS)), min_size=1, max_size=6))
def test_it_is_what_a_scan_says(trees: tuple[Path, Path, str], steps: list[tuple[str, str | None]]) -> None:
    """After any decisions, some of them taken back, and none where the page would not offer one."""
    haystack, needles, cache = trees
    with tempfile.TemporaryDirectory() as folder:
        decisions = Path(folder) / "decisions.json"

        def work(desk: Desk) -> None:
            for name, ruling in steps:
                try:
                    if ruling == "undo":
                        desk.review.undo(0, desk.reading)
                    else:
                        desk.say(name, ruling)
                except RefusedError:
                    continue
            assert told(desk.report) == fresh(haystack, needles, decisions, cache=cache)

        with_desk(haystack, needles, decisions, work, cache=cache)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"accept": "identical"}, {"paranoid": True}, {"sidecars": "ignore"}], ids=str)
def test_the_next_best_witness_comes(tree: TreeBuilder, tmp_path: Path, options: dict[str, Any]) -> None:
    """A needle that is split again and again goes from witness to witness, as in scans, down to none."""
    haystack, needles = tree("hay", HAYSTACK), tree("n", NEEDLES)
    decisions = tmp_path / "decisions.json"

    def work(desk: Desk) -> None:
        met = []
        for _ in range(2):
            met.append(desk.report.files[desk.number("a.png")].witness)
            desk.say("a.png", "different")
            assert told(desk.report) == fresh(haystack, needles, decisions, **options)
        assert [str(haystack / "copy/small.png"), str(haystack / "smaller.png")] == met
        verdict = desk.report.files[desk.number("a.png")]
        assert ("missing", None) == (verdict.state, verdict.witness)
        assert desk.report.files[desk.number("twin.png")].state == "missing"  # the same bytes
        assert desk.report.files[desk.number("b.jpg")].state == "similar"
        desk.say("a.png", None)
        assert desk.report.files[desk.number("a.png")].witness == str(haystack / "smaller.png")
        desk.review.undo(0, desk.reading)
        assert desk.report.files[desk.number("a.png")].witness is None
        assert told(desk.report) == fresh(haystack, needles, decisions, **options)

    with_desk(haystack, needles, decisions, work, **options)


def test_the_next_best_film_comes(tree: TreeBuilder, tmp_path: Path) -> None:
    """A film that is split from one witness has the next one, as in scans, and then none."""
    pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")
    from tests.helpers.films import film, remuxed

    original = film("mov")
    copies = {f"{name}.mp4": remuxed(original, "mp4", tags={"title": name}) for name in ("a", "b")}
    haystack, needles = tree("hay", copies), tree("n", {"n.mov": original})
    decisions = tmp_path / "decisions.json"
    pairs = [word("different", needles / "n.mov", haystack / f"{name}.mp4", "same") for name in ("a", "b")]
    for number, witness in ((1, str(haystack / "b.mp4")), (2, None)):
        decisions.write_bytes(file(*map(as_row, pairs[:number])))

        def work(desk: Desk, witness: str | None = witness) -> None:
            assert witness == desk.report.files[desk.number("n.mov")].witness
            assert told(desk.report) == fresh(haystack, needles, decisions)

        with_desk(haystack, needles, decisions, work)
