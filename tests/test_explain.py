"""dupfind explain: the verdict of a scan, with what led to it, and advice that holds what it promises."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind.answers.explain import Advice, ExplainResult, Explanation
from dupfind.commands.explain import explain
from dupfind.matching.nearest import Nearest
from dupfind.pictures import formats
from dupfind.pool import tasks
from dupfind.reading import Reader
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentence
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Evidence, Failure, FileState
from fixtures import demo, pictures
from tests.helpers.scans import one_thread, scan

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


def ask(haystack: Path, *needles: Path, nearest: int = 5, **options: Any) -> ExplainResult:
    """Explain in this process, without a cache where none is given."""
    settings = make_settings(haystack=[str(haystack)], no_cache="cache" not in options, **options)
    return explain(settings, [named_file(str(one)) for one in needles], nearest, make_executor=one_thread)


def ask_one(haystack: Path, needle: Path, **options: Any) -> Explanation:
    """The explanation of a single needle."""
    (found,) = ask(haystack, needle, **options).explanations
    return found


@pytest.fixture
def trio(tree: TreeBuilder) -> Path:
    """A haystack of one picture, its turned copy and another picture."""
    one = pictures.photo(1, (320, 240))
    turned = one.transpose(Image.Transpose.ROTATE_90)
    return tree("hay", {"one.png": one, "sub/turned.png": turned, "two.png": pictures.photo(2, (320, 240))})


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"accept": "identical", "rotations": False}, {"algorithm": "ahash"}])
def test_the_verdict_is_that_of_a_scan(demo_trees: Path, demo_cache: str, options: dict[str, Any]) -> None:
    """Every needle of the demo: the same state, evidence, witness, distance and reason, and the same order."""
    haystack, needles = demo_trees / demo.HAYSTACK, demo_trees / demo.NEEDLES
    options = {**options, "cache": demo_cache}
    scanned = scan(haystack, needles, **options).files
    answer = ask(haystack, *[Path(one.path) for one in scanned], **options)
    assert scanned == [one.verdict for one in answer.explanations]
    assert not answer.is_complete
    for one in answer.explanations:
        is_present = one.verdict.state is FileState.PRESENT
        assert is_present == (one.advice is None)
        assert not (is_present and one.nearest)
        compared = one.verdict.evidence in (Evidence.SAME, Evidence.SIMILAR)
        assert compared == bool(one.tests) == (one.orientation is not None)
        if one.verdict.evidence is Evidence.SAME:
            assert all(test.passed for test in one.tests)


@pytest.mark.slow
def test_the_options_advised_make_the_needle_present(demo_trees: Path, demo_cache: str, tree: TreeBuilder) -> None:
    """Whatever one nearest picture is said to take, a scan with that and no other haystack accepts it."""
    haystack, needles = demo_trees / demo.HAYSTACK, demo_trees / demo.NEEDLES
    options: dict[str, Any] = {"accept": "identical", "rotations": False, "threshold_bits": 0}
    found = scan(haystack, needles, cache=demo_cache, **options).files
    missing = [Path(one.path) for one in found if one.state is not FileState.PRESENT]
    answer = ask(haystack, *missing, cache=demo_cache, **options)
    tried = set()
    for number, one in enumerate(answer.explanations):
        if one.advice is None or not one.advice.options:
            continue
        tried.add(tuple(option.split()[0] for option in one.advice.options))
        near = one.nearest[0]
        assert near.advice == one.advice
        hay, needle = Path(near.path), Path(one.verdict.path)
        alone = (
            tree(f"hay{number}", {hay.name: hay.read_bytes()}),
            tree(f"n{number}", {needle.name: needle.read_bytes()}),
        )
        (before,) = scan(*alone, **options).files
        given = dict(option.split() if " " in option else (option, "") for option in near.advice.options)
        assert {"--threshold", "--accept", "--rotations"} >= set(given)
        (after,) = scan(
            *alone,
            accept=given.get("--accept", "identical"),
            rotations="--rotations" in given,
            threshold_bits=int(given.get("--threshold", 0)),
        ).files
        assert FileState.PRESENT is not before.state
        assert FileState.PRESENT is after.state
    assert {("--accept",), ("--threshold", "--accept"), ("--rotations", "--accept")} <= tried


def test_a_present_needle_has_its_tests(trio: Path, tree: TreeBuilder) -> None:
    """Grade, distance, orientation and the value of each test of the pair."""
    turned = pictures.photo(2, (320, 240)).transpose(Image.Transpose.ROTATE_180)
    found = ask_one(trio, tree("n", {"a.png": turned}) / "a.png")
    assert (Evidence.SAME, str(trio / "two.png"), 2) == (
        found.verdict.evidence,
        found.verdict.witness,
        found.orientation,
    )
    by_name = {test.name: test for test in found.tests}
    assert {"check hash", "size", "spot", "colour"} <= set(by_name)
    assert (1.0, True) == (by_name["size"].value, by_name["size"].passed)


def test_identical_bytes_compare_no_pictures(trio: Path, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal bytes are the whole explanation, and nothing is decoded for it."""
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    found = ask_one(trio, tree("n", {"a.png": (trio / "one.png").read_bytes()}) / "a.png")
    assert (Evidence.IDENTICAL, (), (), None) == (found.verdict.evidence, found.tests, found.nearest, found.advice)


def test_a_needle_is_never_its_own_witness(trio: Path) -> None:
    """A file of the haystack: it says so, and another copy there may prove it."""
    one, two = ask(trio, trio / "one.png", trio / "two.png").explanations
    assert (FileState.PRESENT, str(trio / "sub" / "turned.png")) == (one.verdict.state, one.verdict.witness)
    assert ((str(trio / "one.png"),), (str(trio / "two.png"),)) == (one.itself, two.itself)
    assert FileState.MISSING is two.verdict.state
    assert str(trio / "two.png") not in [near.path for near in two.nearest]


def test_a_link_to_the_needle_is_the_needle(trio: Path, tmp_path: Path) -> None:
    """Neither a link into the haystack nor a link in it to the needle makes a second file."""
    os.symlink(trio / "two.png", tmp_path / "link.png")
    assert FileState.MISSING is ask_one(trio, tmp_path / "link.png").verdict.state
    os.symlink(trio / "two.png", trio / "other name.png")
    found = ask_one(trio, trio / "two.png", follow_symlinks=True)
    assert (FileState.MISSING, 2) == (found.verdict.state, len(found.itself))


def test_a_hard_link_is_a_file_of_its_own(trio: Path, tmp_path: Path) -> None:
    """As in a scan: deleting the needle leaves the other name with the bytes."""
    os.link(trio / "two.png", trio / "second name.png")
    found = ask_one(trio, trio / "two.png")
    assert (Evidence.IDENTICAL, str(trio / "second name.png")) == (found.verdict.evidence, found.verdict.witness)
    os.link(trio / "one.png", tmp_path / "outside.png")
    found = ask_one(trio, tmp_path / "outside.png")
    assert (Evidence.IDENTICAL, ()) == (found.verdict.evidence, found.itself)


def test_another_mount_of_the_needle_is_the_needle(trio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same inode, size and times under another path: the safe side is that it is one file."""
    needle = trio / "two.png"
    os.link(needle, trio / "mounted.png")  # stands for the same file reached by a second mount, with one link each
    real = os.stat

    class OneLink:
        """What the system says of a file, but for its count of links."""

        st_nlink = 1

        def __init__(self, path: Any, **options: Any) -> None:
            self._found = real(path, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._found, name)

    monkeypatch.setattr("dupfind.sources.same_file.os.stat", OneLink)
    found = ask_one(trio, needle)
    assert (FileState.MISSING, 2) == (found.verdict.state, len(found.itself))


def test_another_mount_on_another_device_is_the_needle(trio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounts may show one file under two device numbers."""
    needle = trio / "two.png"
    os.link(needle, trio / "mounted.png")
    monkeypatch.setattr("dupfind.sources.same_file.os.path.samestat", lambda *_: False)
    assert 2 == len(ask_one(trio, needle).itself)


def test_an_unreadable_needle_and_no_picture(trio: Path, tree: TreeBuilder) -> None:
    """The reason, no neighbours, and nothing that would help."""
    needles = tree("n", {"cut.png": (trio / "one.png").read_bytes()[:400], "note.txt": b"note", "empty.jpg": b""})
    cut, note, empty = ask(trio, needles / "cut.png", needles / "note.txt", needles / "empty.jpg").explanations
    assert [FileState.UNREADABLE, FileState.MISSING, FileState.EMPTY] == [
        one.verdict.state for one in (cut, note, empty)
    ]
    (obstacle,) = cut.verdict.reasons
    assert ReasonCode.UNREADABLE is obstacle.code
    assert sentence(obstacle).startswith("cannot be decoded")
    assert Advice(obstacle=obstacle) == cut.advice
    assert Advice(obstacle=Reason(ReasonCode.NO_PICTURE)) == note.advice
    assert () == cut.nearest == note.nearest == empty.nearest


def test_one_search_for_all_needles(trio: Path, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making it takes a look at every picture of the haystack."""
    made: list[Nearest] = []

    class Counted(Nearest):
        def __init__(self, *values: Any) -> None:
            super().__init__(*values)
            made.append(self)

    monkeypatch.setattr("dupfind.commands.explain.Nearest", Counted)
    needles = tree("n", {f"{seed}.png": pictures.photo(seed, (320, 240)) for seed in (3, 4, 5)})
    assert 3 == len(ask(trio, *sorted(needles.iterdir())).explanations)
    assert 1 == len(made)


@pytest.mark.slow
def test_a_needle_whose_end_cannot_be_read(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning resembles something, on which nothing may rest; the haystack is not said to be empty."""
    buffer = io.BytesIO()
    photo = pictures.photo(1, (800, 600)).resize((4000, 3000))
    photo = Image.blend(photo, Image.effect_noise(photo.size, 80).convert("RGB"), 0.2)
    photo.save(buffer, "JPEG", progressive=True, quality=95)
    turned = photo.transpose(Image.Transpose.ROTATE_90).resize((900, 1200))
    hay, needles = tree("hay", {"a.png": turned}), tree("n", {"a.jpg": buffer.getvalue()})
    failure = Failure("cannot be decoded: took too long", lasting=False)
    monkeypatch.setattr(Reader, "full_decodes", lambda _, entries: {entry.path: failure for entry in entries})
    found = ask_one(hay, needles / "a.jpg", rotations=False)
    assert () == found.nearest
    assert Advice(obstacle=Reason(ReasonCode.NOT_READ, (failure.reason,))) == found.advice


def test_a_haystack_without_pictures(tree: TreeBuilder) -> None:
    """Nothing is near, and it says why; a haystack's broken picture is a problem of the answer."""
    hay = tree("hay", {"a.txt": b"text", "b.jpg": b"\xff\xd8\xff"})
    answer = ask(hay, tree("n", {"a.png": pictures.photo(1)}) / "a.png")
    (found,) = answer.explanations
    assert ((), Advice(obstacle=Reason(ReasonCode.NO_PICTURES))) == (found.nearest, found.advice)
    assert [str(hay / "b.jpg")] == [problem.path for problem in answer.problems]
    alone = tree("alone", {"a.png": pictures.photo(1)})
    assert Advice(obstacle=Reason(ReasonCode.NO_OTHER_PICTURES)) == ask_one(alone, alone / "a.png").advice


def test_what_was_not_trusted_is_counted(tree: TreeBuilder) -> None:
    """Hidden folders and trash; not what the user left out."""
    photo = pictures.photo(1)
    hay = tree("hay", {".git/a.png": photo, "Trash/a.png": photo, ".trashed-1-a.png": photo, "x/a.png": photo})
    answer = ask(hay, tree("n", {"a.png": photo}) / "a.png", exclude=["x"])
    assert (3, 4, False) == (answer.not_trusted, len(answer.problems), answer.is_complete)


@pytest.mark.slow
def test_no_more_neighbours_than_asked_for(demo_trees: Path) -> None:
    """-k bounds what is shown, and a haystack of fewer pictures shows them all."""
    needle = demo_trees / demo.NEEDLES / "MY_PIX" / "me and Rex.jpg"
    haystack = demo_trees / demo.HAYSTACK
    three = ask_one(haystack, needle, nearest=3).nearest
    everything = ask_one(haystack, needle, nearest=1000).nearest
    assert three == everything[:3]
    assert sorted({one.path for one in everything}) == sorted(one.path for one in everything)
    assert len([path for path in haystack.rglob("*.*") if formats.is_image_name(path.name)]) - 1 == len(everything)
