"""What is remembered of parts of pictures: nothing is looked for twice, and nothing holds for other files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.cache.cache_schema import identity
from dupfind.evidence.fragments import Overlap, Pose
from dupfind.matching import part_memory
from dupfind.matching.part_memory import Memory, Sighting, blocks, remembered, seen_of, sightings_in
from dupfind.scanning import parts
from dupfind.values import FileEntry
from tests.helpers.fragments import jpeg, page, part, photo

WHOLE = st.floats(allow_nan=False, allow_infinity=False)
POSES = st.builds(Pose, WHOLE, WHOLE, WHOLE, WHOLE)
DIGESTS = st.binary(min_size=16, max_size=16)
SIGHTINGS = st.lists(st.builds(Sighting, st.integers(0, 4095), st.integers(3, 400), POSES), max_size=4)
PERCENTS = st.tuples(*[st.integers(0, 100)] * 4)
OVERLAPS = st.builds(Overlap, PERCENTS, PERCENTS, st.integers(0, 100), st.integers(-180, 180))
SIDES = st.dictionaries(DIGESTS, SIGHTINGS.map(seen_of), max_size=3)
MEMORIES = st.builds(
    Memory,
    SIDES,
    SIDES,
    st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    st.dictionaries(st.tuples(DIGESTS, POSES), st.none() | OVERLAPS, max_size=3),
)


def entry(number: int, mtime_ns: int = 1) -> FileEntry:
    """A picture of the haystack."""
    return FileEntry(f"{os.sep}hay{os.sep}{number:05}.jpg", 100, mtime_ns, 1, number + 1)


@given(MEMORIES)
def test_memory_comes_back(memory: Memory) -> None:
    """To the last bit of each pose, whatever was seen; empty blocks too, since nothing was seen there."""
    back = remembered(memory.packed({*memory.whole, *memory.page}))
    assert (back.whole, back.page, back.overlaps) == (memory.whole, memory.page, memory.overlaps)
    assert back.page_size == (memory.page_size if memory.page else None)


@given(SIGHTINGS)
def test_sightings_come_back(sightings: list[Sighting]) -> None:
    """To the last bit of each pose, in their order."""
    assert sightings == list(sightings_in(seen_of(sightings)))


@given(MEMORIES, st.data())
def test_blocks_that_are_gone_are_forgotten(memory: Memory, data: st.DataObject) -> None:
    """Else a row would grow with each change of the haystack."""
    there = data.draw(st.sets(st.sampled_from(sorted({*memory.whole, *memory.page, b"none"}))))
    back = remembered(memory.packed(there))
    assert back.whole == {key: seen for key, seen in memory.whole.items() if key in there}
    assert back.page == {key: seen for key, seen in memory.page.items() if key in there}


@given(MEMORIES, st.integers(0), st.integers(0, 255))
def test_damaged_memory_is_none(memory: Memory, place: int, value: int) -> None:
    """Whatever a row holds, it is read as something or as nothing, and nothing is raised."""
    packed = bytearray(memory.packed({*memory.whole, *memory.page}))
    packed[place % len(packed)] = value
    remembered(bytes(packed))
    assert remembered(bytes(packed[: place % len(packed)])) is not None
    assert remembered(None) == Memory()


@given(st.lists(st.integers(0, 500), unique=True, max_size=60))
def test_blocks_hold_each_picture_once(numbers: Sequence[int]) -> None:
    """In their order; none is longer than the most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_memory, "_USUAL_PICTURES", 6)
        patch.setattr(part_memory, "_SPARE_PICTURES", 3)
        patch.setattr(part_memory, "MOST_PICTURES", 7)
        entries = [entry(number) for number in numbers]
        cut = blocks(entries, range(0, len(entries), 2))
    assert [place for block in cut for place in block.places] == list(range(0, len(entries), 2))
    assert all(len(block.places) <= 7 for block in cut)
    assert len({block.digest for block in cut}) == len(cut)


@pytest.mark.parametrize("usual", [16, 10**9])
def test_a_new_picture_alters_one_block(monkeypatch: pytest.MonkeyPatch, usual: int) -> None:
    """Of many; it is the same with one that has changed or gone, and where no path is one behind which a block ends."""
    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", usual)
    monkeypatch.setattr(part_memory, "_SPARE_PICTURES", 4)
    monkeypatch.setattr(part_memory, "MOST_PICTURES", 40)
    before = [entry(number) for number in range(0, 1000, 2)]
    known = {block.digest for block in blocks(before, range(500))}
    assert len(known) > 10
    for after in (
        sorted([*before, entry(501)]),
        [entry(one, 2 if one == 500 else 1) for one in range(0, 1000, 2)],
        [one for one in before if one != entry(500)],
    ):
        digests = {block.digest for block in blocks(after, range(len(after)))}
        assert 1 <= len(digests - known) <= 3  # two where it was the last of its block, three where one got too long


def test_a_block_ends_behind_each_usual_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nowhere else, as long as no block gets too long: whatever paths may end one then."""
    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", 16)
    for spare in (4, 7):
        monkeypatch.setattr(part_memory, "_SPARE_PICTURES", spare)
        entries = [entry(number) for number in range(500)]
        ends = [place for place, one in enumerate(entries) if crc32(os.fsencode(one.path)) % 16 == 0]
        assert [block.places[-1] for block in blocks(entries, range(500))] == sorted({*ends, 499})


def test_each_state_of_a_file_has_its_own_block() -> None:
    """Size, times, inode and path all count."""
    file = entry(1)
    others = [file._replace(**{name: 7}) for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode")]
    others.append(file._replace(path=file.path + "x"))
    digests = {blocks([one], [0])[0].digest for one in [file, *others]}
    assert len(digests) == len({identity(one) for one in [file, *others]}) == 6


class Searched:
    """Counts in how many blocks needles are looked for, and how many pairs are compared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from dupfind.matching.fragments import Index
        from dupfind.reading import Reader

        self.needles: list[int] = []
        self.pairs: list[int] = []
        sightings, compare = Index.sightings, Reader.compare_fragments

        def counted_sightings(index: Index, needles: Sequence[Any]) -> Any:
            self.needles.append(len(needles))
            return sightings(index, needles)

        def counted_pairs(reader: Reader, pairs: Sequence[Any]) -> Any:
            self.pairs.append(len(pairs))
            return compare(reader, pairs)

        monkeypatch.setattr(Index, "sightings", counted_sightings)
        monkeypatch.setattr(Reader, "compare_fragments", counted_pairs)

    def taken(self) -> tuple[int, int]:
        """How many since it was last asked."""
        counts = sum(self.needles), sum(self.pairs)
        self.needles.clear()
        self.pairs.clear()
        return counts


Trees = tuple[Path, Path]


def built(top: Path, hay: Mapping[str, Image.Image], old: Mapping[str, Image.Image]) -> Trees:
    """A haystack and needles of these pictures, by the stems of their names; skips where parts are not looked for."""
    pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")
    for side, pictures in (("hay", hay), ("old", old)):
        (top / side).mkdir()
        for stem, picture in pictures.items():
            (top / side / f"{stem}.jpg").write_bytes(jpeg(picture))
    return top / "hay", top / "old"


def photos(seeds: Iterable[int]) -> dict[str, Image.Image]:
    """Whole pictures, called by their seeds."""
    return {str(seed): photo(seed) for seed in seeds}


def test_only_what_is_new_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of the haystack comes: needles are looked for in its block; a needle comes: it is, in all."""
    from tests.helpers.races import short_scans
    from tests.helpers.scans import answer, scan

    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", 1)  # each picture is a block
    searched = Searched(monkeypatch)
    crop = part(photo(1), 0, 0, 0.6, 0.7)
    hay, old = built(tmp_path, photos(range(4)), {**photos(range(50, 54)), "crop": crop})

    def night() -> tuple[tuple[int, int], bool]:
        with short_scans() as short:
            report = scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)
        counts = searched.taken()
        assert answer(report) == answer(scan(hay, old, fragments=True))
        searched.taken()
        return counts, short[-1:] == [True]

    (needles, pairs), _ = night()
    assert needles >= 4 * 5
    assert pairs
    (hay / "new.jpg").write_bytes(jpeg(photo(7)))
    (needles, pairs), is_short = night()
    assert (needles, is_short) == (5, True)
    (old / "new.jpg").write_bytes(jpeg(part(photo(7), 0.2, 0.2, 1, 1)))
    (needles, pairs), is_short = night()
    assert (needles, is_short) == (5, True)
    assert pairs >= 1
    (hay / "new.jpg").unlink()
    (needles, pairs), is_short = night()
    assert (needles, pairs, is_short) == (4, 0, True)  # the needle that has lost its picture might be a page of others
    (hay / "3.jpg").unlink()
    (needles, pairs), is_short = night()
    assert (needles, pairs, is_short) == (0, 0, True)


def test_what_was_just_written_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of the haystack may change once more without its times showing it."""
    from dupfind.cache import cache
    from tests.helpers.scans import scan

    searched = Searched(monkeypatch)
    crop = part(photo(1), 0, 0, 0.6, 0.7)
    hay, old = built(tmp_path, photos(range(3)), {**photos(range(50, 53)), "crop": crop})
    for path in (*hay.iterdir(), *old.iterdir()):
        os.utime(path, ns=(10**18, 10**18))
    is_racy = cache.is_racy

    def only_of_haystack(ctime_ns: int, mtime_ns: int, inode: int, *bounds: int) -> bool:
        return inode in of_haystack or is_racy(0, mtime_ns, inode, *bounds)

    of_haystack = {(hay / "1.jpg").stat().st_ino}  # one of the block is enough
    monkeypatch.setattr(cache, "is_racy", only_of_haystack)
    for _ in range(2):
        scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)
        needles, pairs = searched.taken()
        assert needles >= 4
        assert pairs >= 1  # with a picture of which nothing that was compared may hold
    of_haystack.clear()
    scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)
    needles, pairs = searched.taken()
    assert needles >= 4
    assert pairs >= 1
    (old / "50.jpg").unlink()
    scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)
    assert searched.taken() == (0, 0)


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trees:
    """A haystack of four pictures, each a block, and needles: a part of each, a page of two, and what is in none."""
    monkeypatch.setattr(part_memory, "_USUAL_PICTURES", 1)
    parts_of_all = {str(number): part(photo(number), 0.1, 0, 0.8, 0.8) for number in range(4)}
    return built(tmp_path, photos(range(4)), {**parts_of_all, "page": page(photo(1), photo(2)), "other": photo(50)})


def sought(trees: Trees, **options: Any) -> Any:
    """Scan them; what was just written is remembered."""
    from tests.helpers.races import believed_at_once
    from tests.helpers.scans import scan

    with believed_at_once():
        return scan(*trees, fragments=True, **options)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("stage", ["search", "compare"])
def test_a_run_that_is_stopped_has_remembered(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException], stage: str
) -> None:
    """What it had looked for and compared until then; the next run does the rest, and answers as any other."""
    from dupfind.matching import fragments
    from dupfind.matching.fragments import Index
    from dupfind.reading import Reader
    from tests.helpers.scans import answer

    cache = str(tmp_path / "cache.sqlite")
    searched = Searched(monkeypatch)
    fresh = sought(trees)
    needles, pairs = searched.taken()
    monkeypatch.setattr(fragments, "KEEP_SECONDS", 0)
    sightings, compare = Index.sightings, Reader.compare_fragments
    done = [0, 0]

    def stopped_search(index: Index, marks: Sequence[Any]) -> Any:
        if done[0] >= 12:
            raise stop
        done[0] += len(marks)
        return sightings(index, marks)

    def stopped_comparison(reader: Reader, wanted: Sequence[Any]) -> Any:
        for outcome in compare(reader, wanted):
            yield outcome
            done[1] += 1
            if done[1] == 3:
                raise stop

    with monkeypatch.context() as patch:
        if stage == "search":
            patch.setattr(Index, "sightings", stopped_search)
        else:
            patch.setattr(Reader, "compare_fragments", stopped_comparison)
        with pytest.raises(stop):
            sought(trees, cache=cache)
    searched.taken()
    warm = sought(trees, cache=cache)
    assert answer(fresh) == answer(warm)
    if stage == "search":
        assert (needles - 12, pairs) == searched.taken()
    else:
        again, compared = searched.taken()
        assert again < needles - 4 * 5  # of the whole needles nothing is looked for again
        assert compared in (pairs - 2, pairs - 3)  # the last may not have been kept when the run stopped


@pytest.mark.parametrize("has_cache", [False, True])
def test_needles_are_put_off_where_too_much_was_seen(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_cache: bool
) -> None:
    """They come later, by fewer at once; what was seen of others is let go, and the answer is the same."""
    from dupfind.matching import fragments
    from dupfind.matching.part_memory import Seen, size_bytes
    from tests.helpers.scans import answer

    searched = Searched(monkeypatch)
    fresh = sought(trees)
    once = searched.taken()
    together: list[int] = []
    parts_of, look = fragments._Search.parts_of, fragments._Search._look
    most = 3 * (size_bytes(b"") + 100)

    def counted(search: Any, places: Sequence[int]) -> Any:
        together.append(len(places))
        return parts_of(search, places)

    def within(search: Any, marks: Any, seen: dict[int, dict[bytes, Seen]], step: int) -> None:
        look(search, marks, seen, step)
        memories = search._memories
        known = sum(memory.size_bytes for memory in memories.values())
        assert known == search._known_bytes
        assert len(memories) == 1 or known <= most
        assert all(not of for place, of in seen.items() if place not in memories)

    monkeypatch.setattr(fragments._Search, "parts_of", counted)
    monkeypatch.setattr(fragments._Search, "_look", within)
    monkeypatch.setattr(fragments, "MOST_KNOWN_BYTES", most)
    options = {"cache": str(tmp_path / "cache.sqlite")} if has_cache else {}
    assert answer(fresh) == answer(sought(trees, **options))
    assert together[0] == 6
    assert 1 in together
    if has_cache:
        assert once == searched.taken()  # nothing twice
        (trees[1] / "note.txt").write_bytes(b"words")
        warm = sought(trees, **options)
        assert searched.taken() == (0, 0)
        assert [file for file in warm.files if not file.path.endswith("note.txt")] == list(fresh.files)


def test_nothing_is_packed_that_is_not_kept(trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cache, that is."""
    packed: list[int] = []
    pack = Memory.packed

    def counted(memory: Memory, digests: Any) -> bytes:
        packed.append(len(digests))
        return pack(memory, digests)

    monkeypatch.setattr(Memory, "packed", counted)
    sought(trees)
    assert packed == []
    sought(trees, cache=str(tmp_path / "cache.sqlite"))
    assert len(packed) == 6


def test_sizes_are_asked_for_where_parts_were_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, in a run after a change: not where nothing was found, which is nearly every night."""
    from dupfind.matching import fragments
    from tests.helpers.races import believed_at_once
    from tests.helpers.scans import scan

    asked: list[int] = []
    match = fragments.match_fragments

    def match_fragments(run: Any, needles: Any, haystack: Any, sizes_of: Any, split: Any = None) -> Any:
        def counted(places: Any) -> Any:
            asked.append(len(places))
            return sizes_of(places)

        return match(run, needles, haystack, counted, split)

    monkeypatch.setattr(fragments, "match_fragments", match_fragments)
    hay, old = built(tmp_path, photos([0]), photos([50]))
    with believed_at_once():
        for news, sizes in ((photo(51), []), (photo(52), []), (part(photo(0), 0, 0, 0.6, 0.7), [1])):
            (old / f"{len(list(old.iterdir()))}.jpg").write_bytes(jpeg(news))
            scan(hay, old, cache=str(tmp_path / "cache.sqlite"), fragments=True)
            assert sizes == asked


def test_a_block_that_was_not_read_whole_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of the haystack that could not be described once is found by the next run, in the same block."""
    from dupfind.pool import fragments as of_pool
    from dupfind.pool.tasks import Outcome
    from dupfind.values import Failure
    from tests.helpers.scans import states

    hay, old = built(tmp_path, photos(range(3)), {"crop": part(photo(1), 0, 0, 0.6, 0.7)})
    real = of_pool.read_marks

    def failing(entries: Sequence[FileEntry], *values: Any, **named: Any) -> list[Outcome]:
        late = Outcome(Failure("took longer than 30 s", lasting=False), 0)
        made = real(entries, *values, **named)
        return [late if one.path == str(hay / "1.jpg") else own for one, own in zip(entries, made, strict=True)]

    cache = str(tmp_path / "cache.sqlite")
    with monkeypatch.context() as patch:
        patch.setattr(of_pool, "read_marks", failing)
        assert {"crop.jpg": "missing"} == states(sought((hay, old), cache=cache))
    assert {"crop.jpg": "similar/similar"} == states(sought((hay, old), cache=cache))


@pytest.mark.parametrize(
    "module",
    ["matching.part_memory", "evidence.fragments", "pool.fragments", "pictures.keypoints"],
)
def test_another_recipe_looks_for_all_again(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """What another version found is nothing to this one."""
    searched = Searched(monkeypatch)
    cache = str(tmp_path / "cache.sqlite")
    sought(trees, cache=cache)
    once = searched.taken()
    (trees[1] / "note.txt").write_bytes(b"words")
    sought(trees, cache=cache)
    assert searched.taken() == (0, 0)
    monkeypatch.setattr(f"dupfind.{module}.RECIPE", "another")
    (trees[1] / "note.txt").write_bytes(b"other words")
    sought(trees, cache=cache)
    assert once == searched.taken()


def test_too_many_are_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody asks for parts; the summary says so, as long as pictures are missing."""
    from dupfind.report import ending
    from tests.helpers.races import believed_at_once
    from tests.helpers.scans import scan

    of_all = {str(number): part(photo(number), 0.3, 0.3, 1, 1) for number in range(3)}
    hay, old = built(tmp_path, photos(range(3)), of_all)

    def said(**options: Any) -> tuple[set[str], list[str]]:
        with believed_at_once():
            report = scan(hay, old, cache=str(tmp_path / "cache.sqlite"), **options)
        return {file.state.value for file in report.files}, ending.pictures_as_wholes(report)

    monkeypatch.setattr(parts, "MOST_PAIRS", 8)
    found = "with --fragments crops and screenshots are found too, which may take hours for so many"
    for _ in range(2):  # the second time the whole answer is taken again
        assert said(fragments=None) == ({"missing"}, [f"3 missing pictures were compared as wholes only: {found}."])
    assert said(fragments=True) == ({"similar"}, [])
    for name, bound in (("MOST_PAIRS", 9), ("MOST_NEEDLES", 3)):
        monkeypatch.setattr(parts, name, bound)
        (old / "more.txt").write_bytes(name.encode())  # or the answer would be taken again
        assert said(fragments=None) == ({"similar", "missing"}, [])
    monkeypatch.setattr(parts, "MOST_NEEDLES", 2)
    (old / "more.txt").write_bytes(b"more")
    assert said(fragments=None) == ({"missing"}, [f"3 missing pictures were compared as wholes only: {found}."])
