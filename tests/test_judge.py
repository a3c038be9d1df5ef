"""Judging: pairs by their ids, what is remembered of them, and that nothing remembered is taken for another pair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dupfind.cache.cache_schema import Pair, PictureRef
from dupfind.evidence.conflicts import Claim
from dupfind.matching import judge as judging
from dupfind.matching.judge import Judge
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import ORIENTATIONS, Evidence, FileEntry, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot

PLAIN, PREVIEW, TINY = (shot(scene(), *size) for size in ((1000, 750), (500, 375), (26, 19)))
UNLIKE = Reason(ReasonCode.UNLIKE)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty one, with a cache file that remembers."""
    empty = Desk(str(tmp_path / "cache.sqlite"))
    with empty.cache:
        yield empty


def ids(desk: Desk, *thumbnails: Thumbnail) -> list[int]:
    """The ids of these in the cache of the desk."""
    refs = [desk.cache.keep_content(FileEntry(f"/{one.width}", 1, 0, 0, 0), one, 0) for one in thumbnails]
    return [ref.id for ref in refs if isinstance(ref, PictureRef)]


@pytest.mark.parametrize(
    ("needle", "witness", "grade", "is_last"),
    [
        (PREVIEW, PLAIN, Evidence.SAME, True),
        (PLAIN, PREVIEW, Evidence.SIMILAR, False),
        (PLAIN, shot(scene(2)), None, False),
        (TINY, PLAIN, Evidence.SIMILAR, True),
        (PLAIN, TINY, Evidence.SIMILAR, False),
    ],
)
def test_whether_another_candidate_may_be_better(
    desk: Desk, needle: Thumbnail, witness: Thumbnail, grade: Evidence | None, is_last: bool
) -> None:
    """After `same` none is; for a needle that shows too little all are alike; a weak witness says nothing of others."""
    one, other = ids(desk, needle, witness)
    found = Judge(desk.cache).judge(Pair(one, other, 0), [other])
    assert (grade, is_last) == (found.evidence, found.is_last)


def test_closeness_is_passed_on(desk: Desk) -> None:
    """The one who gives out the witness goes by it."""
    plain, preview, noisy = ids(desk, PLAIN, PREVIEW, shot(scene() + 2, 900, 675))
    judge = Judge(desk.cache)
    exact, tinted = (judge.judge(Pair(needle, plain, 0), [plain]) for needle in (preview, noisy))
    assert 0 == pytest.approx(exact.closeness, abs=1e-3)
    assert 0.1 < tinted.closeness < 1


def test_a_pair_is_judged_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another judge, of another run, takes it from the cache; one that does not know it judges it again."""
    needle, witness = ids(desk, PREVIEW, PLAIN)
    pair = Pair(needle, witness, 0)
    claims = Claim(0.1, 0, needle, 0), Claim(0.2, 1, witness, 0)
    judge = Judge(desk.cache)
    first = judge.judge(pair, [witness]), judge.differ(*claims)
    desk.cache.flush()
    monkeypatch.setattr(judging.evidence, "judge", lambda *_, **__: pytest.fail("judged again"))
    monkeypatch.setattr(judging.evidence, "differ", lambda *_: pytest.fail("compared again"))
    later = Judge(desk.cache)
    later.know([needle])
    assert first == (later.judge(pair, [witness]), later.differ(*claims))
    later.know([witness])
    with pytest.raises(pytest.fail.Exception, match="judged again"):
        later.judge(pair, [witness])


def test_two_needles_are_another_pair_than_needle_and_witness(desk: Desk) -> None:
    """Whether two differ and whether one proves the other are remembered apart, for every way of turning them."""
    larger, smaller = ids(desk, PLAIN, PREVIEW)
    smaller_reason = Reason(ReasonCode.SMALLER, (500, 375, 1000, 750))
    turned = {(one, other): None if one == other else UNLIKE for one in (0, 2) for other in (0, 2)}

    def differ(judge: Judge, one: int, other: int) -> Reason | None:
        return judge.differ(Claim(0.1, 0, larger, one), Claim(0.2, 1, smaller, other))

    for judge in (Judge(desk.cache), Judge(desk.cache)):  # the second finds in the cache what the first has kept
        judge.know([larger])
        assert turned == {turns: differ(judge, *turns) for turns in turned}
        for orientation in range(ORIENTATIONS):
            found = judge.judge(Pair(larger, smaller, orientation), [smaller])
            grade = (Evidence.SIMILAR, smaller_reason) if orientation == 0 else (None, UNLIKE)
            assert grade == found[:2]
        desk.cache.flush()


def test_needles_are_turned_as_they_meet_their_witness(desk: Desk) -> None:
    """One picture and its upside-down copy are one, where the second is turned; as they lie they are two."""
    one, other = ids(desk, PLAIN, shot(scene()[::-1, ::-1], 999, 750))
    judge = Judge(desk.cache)
    assert judge.differ(Claim(0.1, 0, one, 0), Claim(0.2, 1, other, 2)) is None
    assert UNLIKE == judge.differ(Claim(0.1, 0, one, 0), Claim(0.2, 1, other, 0))
    assert Evidence.SAME is judge.judge(Pair(other, one, 2), [one]).evidence
    assert judge.judge(Pair(other, one, 0), [one]).evidence is None


def test_few_pictures_are_kept_ready(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A series of any length takes bounded memory, and the answers stay."""
    monkeypatch.setattr(judging, "_MOST_PREPARED", 10)
    needle, *witnesses = ids(desk, PREVIEW, *(shot(scene(seed), 1000 + seed, 750) for seed in range(40)))
    judge = Judge(desk.cache)
    grades = [judge.judge(Pair(needle, one, 0), witnesses).evidence for one in witnesses]
    assert [1] == [seed for seed, grade in enumerate(grades) if grade]
    assert len(judge._prepared) <= 10
