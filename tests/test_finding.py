"""dupfind find: the nearest, exactly; the verdict of a scan; warm the same answer as cold, whatever has happened."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind.answers.find import FindResult, Sought
from dupfind.answers.hash import Given
from dupfind.cache import cache
from dupfind.errors import SettingsError
from dupfind.events import Silence
from dupfind.evidence import fingerprint
from dupfind.finding import collection, finding, incremental_walk, snapshot_store
from dupfind.finding.finding import find_images, wanted
from dupfind.matching import candidates
from dupfind.pool import tasks
from dupfind.pool.full_size import LISTED
from dupfind.reasons import Reason, ReasonCode
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.sources.same_file import SameFile
from dupfind.values import Evidence, FileState
from fixtures import demo, pictures
from tests.helpers.scans import one_thread, scan
from tests.helpers.shelf import cataloged
from tests.helpers.trees import build_tree
from tests.helpers.walks import TICK_SECONDS

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


def ask(
    haystack: Path | Sequence[Path], *images: Path, nearest: int = 5, rescan: bool = False, **options: Any
) -> FindResult:
    """Find in this process, without a cache where none is given."""
    roots = [haystack] if isinstance(haystack, Path) else haystack
    settings = make_settings(haystack=[str(one) for one in roots], no_cache="cache" not in options, **options)
    given = [Given(str(one), named_file(str(one))) for one in images]
    want = wanted(nearest, options.get("threshold_bits"), is_anew=rescan)
    return find_images(settings, given, want, make_executor=one_thread)


def ask_one(haystack: Path, image: Path, **options: Any) -> Sought:
    """The answer for a single picture."""
    (found,) = ask(haystack, image, **options).sought
    return found


def names(sought: Sought) -> list[str]:
    """What was found."""
    return [os.path.basename(one.path) for one in sought.nearest]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is remembered, however young it is."""
    for module in (cache, snapshot_store, incremental_walk):
        monkeypatch.setattr(module, "_RACY_NS", 0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A haystack of photos in folders, and what else lies in one; no test works there."""
    contents: dict[str, bytes | Image.Image | None] = {
        f"{number % 3}/{number:02}.png": pictures.photo(number, (160, 120)) for number in range(12)
    }
    others = {"0/notes.txt": b"notes", "1/broken.jpg": b"\xff\xd8\xff\xe0" + bytes(50)}
    return build_tree(tmp_path_factory.mktemp("drawn") / "hay", {**contents, **others})


@pytest.fixture
def hay(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(drawn, tmp_path / "hay")
    time.sleep(TICK_SECONDS)
    return tmp_path / "hay"


@pytest.fixture
def image(tree: TreeBuilder) -> Path:
    """A copy of one of them in another format."""
    return tree("images", {"copy.jpg": pictures.photo(4, (160, 120))}) / "copy.jpg"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A cache."""
    return str(tmp_path / "cache" / "cache.sqlite")


def test_a_copy_is_found_and_the_nearest_are_told(hay: Path, image: Path) -> None:
    """The witness first, then by distance, then by path."""
    answer = ask(hay, image)
    (sought,) = answer.sought
    assert (True, True, None) == (answer.are_all_seen, sought.is_seen, sought.error)
    assert (14, 12, 5) == (answer.files, answer.pictures, len(sought.nearest))
    first, *others = sought.nearest
    assert (f"{hay}/1/04.png", Evidence.SAME, True) == (first.path, first.evidence, first.is_witness)
    assert [None] * 4 == [one.evidence for one in others]
    ranks = [(one.distance_bits, one.path) for one in others]
    assert sorted(ranks) == ranks  # type: ignore[type-var]
    assert all(one.score == 1 - (one.distance_bits or 0) / 64 for one in sought.nearest)
    assert [f"{hay}/1/broken.jpg"] == [one.path for one in answer.problems]


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("algorithm", ["phash", "dhash", "ahash", "whash"])
@pytest.mark.parametrize("rotations", [True, False])
def test_the_nearest_are_exact(hay: Path, tree: TreeBuilder, algorithm: str, rotations: bool) -> None:
    """Against comparing every hash with every other, in all orientations or upright."""
    others = tree("others", {f"{number}.png": pictures.photo(number, (120, 160)) for number in (20, 21, 22)})
    turned = pictures.photo(7, (160, 120)).transpose(Image.Transpose.ROTATE_270)
    pictures.save(turned, others / "turned.png")
    upright = {path: hash_of(path, algorithm, 1)[0] for path in sorted(hay.rglob("*.png"))}
    for path in sorted(others.iterdir()):
        ours = hash_of(path, algorithm, 8 if rotations else 1)
        distances = sorted(
            (min((one ^ hash_).bit_count() for one in ours), str(other)) for other, hash_ in upright.items()
        )
        sought = ask_one(hay, path, algorithm=algorithm, rotations=rotations, nearest=6)
        unlike = [(one.distance_bits, one.path) for one in sought.nearest if one.evidence is None]
        graded = {one.path for one in sought.nearest if one.evidence is not None}
        assert [one for one in distances if one[1] not in graded][: len(unlike)] == unlike
        assert (6, rotations and path.stem == "turned") == (len(sought.nearest), sought.is_seen)


def hash_of(path: Path, algorithm: str, orientations: int) -> tuple[int, ...]:
    """The hashes of a picture, straight from its file."""
    (outcome,) = tasks.read_thumbnails([named_file(str(path)).entry], 10**9, 60.0, may_be_coarse=True)
    return fingerprint.search_hashes(fingerprint.pixels(outcome.result.pixels), algorithm, orientations)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"accept": "similar", "threshold_bits": 16}, {"rotations": False}])
def test_the_verdict_is_that_of_a_scan(demo_trees: Path, demo_cache: str, options: dict[str, Any]) -> None:
    """Every file of the demo that is not damaged: seen where it is present, by the same grade and reason."""
    haystack, needles = demo_trees / demo.HAYSTACK, demo_trees / demo.NEEDLES
    options = {**options, "cache": demo_cache}
    scanned = scan(haystack, needles, **options).files
    answer = ask(haystack, *[Path(one.path) for one in scanned], nearest=8, **options)
    for verdict, sought in zip(scanned, answer.sought, strict=True):
        if verdict.evidence is Evidence.SIMILAR and verdict.reasons[0].code is ReasonCode.PARTLY_INTACT:
            continue  # by what damage left of it: a search by hashes has no way to it
        assert (verdict.path, verdict.state is FileState.PRESENT) == (sought.path, sought.is_seen)
        best = sought.nearest[0] if sought.nearest else None
        if verdict.evidence is not None:
            assert best is not None
            assert (verdict.evidence, verdict.witness) == (best.evidence, best.path)
            assert verdict.distance_bits == best.distance_bits
            assert verdict.reasons == (() if best.reason is None else (best.reason,))
        elif best is not None:
            assert not best.is_witness
    assert not answer.are_all_seen


def test_a_witness_is_not_hidden_by_nearer_pictures(tree: TreeBuilder) -> None:
    """The grade counts before the distance: an edit lies nearer than the copy here."""
    photo = pictures.photo(3, (320, 240))
    noisy = photo.resize((32, 24)).resize((320, 240))
    hay = tree("hay", {f"edit{number}.png": pictures.with_patch(photo, number, 0.3) for number in range(6)})
    pictures.save(
        photo.transpose(Image.Transpose.FLIP_TOP_BOTTOM).transpose(Image.Transpose.FLIP_LEFT_RIGHT), hay / "z.png"
    )
    image = tree("images", {"a.jpg": photo, "b.jpg": noisy}) / "a.jpg"
    sought = ask_one(hay, image, nearest=1)
    assert ["z.png"] == names(sought)
    assert (Evidence.SAME, Reason(ReasonCode.TURNED, (180,))) == (sought.nearest[0].evidence, sought.nearest[0].reason)


def test_a_threshold_is_the_end_of_what_is_told(hay: Path, image: Path) -> None:
    """And nothing is a witness beyond it."""
    assert ["04.png"] == names(ask_one(hay, image, threshold_bits=2))
    far = ask_one(hay, image, threshold_bits=32, nearest=20)
    assert all((one.distance_bits or 0) <= 32 for one in far.nearest)
    assert 12 == len(names(ask_one(hay, image, nearest=20)))


def test_no_file_is_its_own_witness(hay: Path, tmp_path: Path) -> None:
    """By its name, through a link, or below another root; a hard link under another name is a file of its own."""
    image = hay / "1" / "04.png"
    sought = ask_one(hay, image)
    assert (False, [str(image)]) == (sought.is_seen, sought.itself)
    assert "04.png" not in names(sought)
    assert 5 == len(sought.nearest)
    (tmp_path / "link.png").symlink_to(image)
    assert [str(image)] == list(ask_one(hay, tmp_path / "link.png").itself)
    (hay / "2" / "hard.png").hardlink_to(image)
    again = ask_one(hay, image)
    assert (True, Evidence.IDENTICAL, "hard.png") == (again.is_seen, again.nearest[0].evidence, names(again)[0])


def test_equal_bytes_need_no_picture(hay: Path, tree: TreeBuilder) -> None:
    """Also of what cannot be decoded; all of them come first."""
    broken = (hay / "1" / "broken.jpg").read_bytes()
    (hay / "2" / "again.jpg").write_bytes(broken)
    images = tree("images", {"b.jpg": broken, "n.txt": b"notes", "other.txt": b"other"})
    answer = ask(hay, *(images / name for name in ("b.jpg", "n.txt", "other.txt")))
    assert [True, True, False] == [one.is_seen for one in answer.sought]
    assert ["broken.jpg", "again.jpg"] == names(answer.sought[0])
    assert [None, None] == [one.distance_bits for one in answer.sought[0].nearest]
    assert (None, ["notes.txt"]) == (answer.pictures, names(answer.sought[1]))
    assert answer.sought[2].error is not None


def test_one_witness_proves_no_two_pictures(tree: TreeBuilder) -> None:
    """As in a scan: what two claim that differ is proved for the nearer one only, and no other copy stands in."""
    photo = pictures.photo(9, (320, 240))
    hay = tree("hay", {"a.jpg": photo, "b.png": photo})
    images = tree("images", {"copy.png": photo, "next.png": pictures.with_patch(photo, 3, 0.04)})
    paths = images / "copy.png", images / "next.png"
    alone = [ask_one(hay, path).is_seen for path in paths]
    together = [one.is_seen for one in ask(hay, *paths).sought]
    scanned = [one.state is FileState.PRESENT for one in scan(hay, images).files]
    assert scanned == together
    assert alone[0]


@pytest.mark.usefixtures("settled")
class TestWarm:
    """With what is remembered of the haystack."""

    @pytest.fixture(autouse=True)
    def _watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count the folders and the files that are read."""
        self.folders: list[str] = []
        self.files: list[str] = []
        read_folder, entry_now = incremental_walk.IncrementalWalk._read_folder, collection.Collection._entry_now
        reads = tasks.read_thumbnails

        def folder(walk: Any, path: str, identity: Any) -> Any:
            self.folders.append(path)
            return read_folder(walk, path, identity)

        def decode(entries: Any, *arguments: Any, **options: Any) -> Any:
            self.files += [os.path.basename(entry.path) for entry in entries]
            return reads(entries, *arguments, **options)

        monkeypatch.setattr(incremental_walk.IncrementalWalk, "_read_folder", folder)
        monkeypatch.setattr(collection.Collection, "_entry_now", entry_now)
        monkeypatch.setattr(tasks, "read_thumbnails", decode)

    def again(self, hay: Path, *images: Path, store: str, **options: Any) -> FindResult:
        """The warm answer, which is the one without any cache."""
        self.folders.clear()
        self.files.clear()
        warm = ask(hay, *images, cache=store, **options)
        read = self.folders.copy(), self.files.copy()
        assert ask(hay, *images, **options) == warm
        self.folders, self.files = read
        return warm

    def test_nothing_is_read_again(self, hay: Path, image: Path, store: str) -> None:
        """No folder, no file; the same answer."""
        first = ask(hay, image, cache=store)
        assert first == self.again(hay, image, store=store)
        assert ([], []) == (self.folders, self.files)

    @pytest.mark.slow
    @pytest.mark.parametrize("change", ["made", "removed", "replaced", "moved", "folder removed", "renamed folder"])
    def test_what_changed_is_seen(self, hay: Path, image: Path, store: str, change: str) -> None:
        """Whatever happens to names: another witness, none any more, a better one."""
        ask(hay, image, cache=store)
        witness = hay / "1" / "04.png"
        match change:
            case "made":
                shutil.copy(witness, hay / "0" / "aa.png")
            case "removed":
                witness.unlink()
            case "replaced":
                pictures.save(pictures.photo(30, (160, 120)), hay / "t.png")
                (hay / "t.png").rename(witness)
            case "moved":
                witness.rename(hay / "2" / "moved.png")
            case "folder removed":
                shutil.rmtree(hay / "1")
            case _:
                (hay / "1").rename(hay / "uno")
        (sought,) = self.again(hay, image, store=store).sought
        assert (change in ("made", "moved", "renamed folder")) == sought.is_seen
        assert self.folders
        assert len(self.folders) < 4

    def test_a_witness_that_was_rewritten_in_place_is_none(self, hay: Path, image: Path, store: str) -> None:
        """No folder shows it; each file that is found is looked at."""
        ask(hay, image, cache=store)
        time.sleep(TICK_SECONDS)
        other = hay / "1" / "04.png"
        pictures.save(pictures.photo(31, (160, 120)), other)
        (sought,) = self.again(hay, image, store=store).sought
        assert not sought.is_seen
        assert ([], ["04.png"]) == (self.folders, self.files)

    def test_what_was_rewritten_into_the_picture(
        self, hay: Path, image: Path, store: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is not seen without a look at every file, which is the safe side, and with one it is."""
        monkeypatch.setattr(candidates, "LEAST_COMPARED", 1)  # else every file of this small haystack is looked at
        image.write_bytes((hay / "1" / "04.png").read_bytes())
        (hay / "1" / "04.png").unlink()
        assert not ask(hay, image, cache=store).are_all_seen
        time.sleep(TICK_SECONDS)
        with (hay / "0" / "00.png").open("r+b") as file:
            file.truncate(0)
            file.write(image.read_bytes())
        assert not ask(hay, image, cache=store).are_all_seen
        assert ask(hay, image, cache=store, rescan=True).are_all_seen
        assert ask(hay, image, cache=store).are_all_seen

    def test_what_vanishes_after_the_walk(
        self, hay: Path, image: Path, store: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next best is looked at."""
        ask(hay, image, cache=store)
        near_rows = finding.near_rows

        def after(*arguments: Any) -> Any:
            (hay / "1" / "04.png").unlink(missing_ok=True)
            return near_rows(*arguments)

        monkeypatch.setattr(finding, "near_rows", after)
        (sought,) = ask(hay, image, cache=store).sought
        assert (False, 5) == (sought.is_seen, len(sought.nearest))
        assert "04.png" not in names(sought)

    @pytest.mark.slow
    def test_small_changes_are_read_again_and_large_ones_remembered(self, hay: Path, image: Path, store: str) -> None:
        """A new file is decoded once; its folder is read until there is enough news."""
        ask(hay, image, cache=store)
        shutil.copy(hay / "0" / "00.png", hay / "0" / "new.png")
        self.again(hay, image, store=store)
        assert ([str(hay / "0")], []) == (self.folders, [one for one in self.files if one != "new.png"])
        self.again(hay, image, store=store)
        assert ([str(hay / "0")], []) == (self.folders, self.files)
        for number in range(25):
            pictures.save(pictures.photo(number % 12, (32 + number, 24)), hay / "2" / f"more{number:02}.png")
        self.again(hay, image, store=store)
        assert {str(hay / "0"), str(hay / "2")} == set(self.folders)
        self.again(hay, image, store=store)
        assert ([], []) == (self.folders, self.files)

    def test_frames_are_remembered(self, tree: TreeBuilder, store: str) -> None:
        """A picture is found by its inner part, cold and warm."""
        photo = pictures.photo(6, (320, 240))
        framed = Image.new("RGB", (400, 320), (250, 250, 250))
        framed.paste(photo, (40, 40))
        hay = tree("hay", {"framed.png": framed, "other.png": pictures.photo(8, (320, 240))})
        image = tree("images", {"a.png": photo}) / "a.png"
        time.sleep(TICK_SECONDS)
        first = ask(hay, image, cache=store)
        near = first.sought[0].nearest[0]
        assert ("framed.png", Evidence.SIMILAR) == (os.path.basename(near.path), near.evidence)
        assert Reason(ReasonCode.WITNESS_FRAMED) == near.reason
        assert first == self.again(hay, image, store=store)
        assert [] == self.folders

    @pytest.mark.slow
    def test_a_damaged_snapshot_leads_to_a_walk(self, hay: Path, image: Path, store: str) -> None:
        """And to the same answer, and to a sound one."""
        first = ask(hay, image, cache=store)
        for name in ("head", "hashes", "details"):
            with sqlite3.connect(store) as connection:
                connection.execute("UPDATE snapshot_part SET data = x'00' || substr(data, 2) WHERE name = ?", (name,))
            connection.close()
            assert first == self.again(hay, image, store=store)
            assert 4 == len(self.folders)
            assert first == self.again(hay, image, store=store)
            assert [] == self.folders

    @pytest.mark.slow
    def test_one_for_each_haystack_and_each_way_to_look(self, hay: Path, image: Path, store: str) -> None:
        """Other roots, excludes, algorithms and bounds do not share one."""
        variants: list[dict[str, Any]] = [{}, {"exclude": ["0*"]}, {"algorithm": "dhash"}, {"max_pixels": 10**5}]
        for options in variants:
            self.again(hay, image, store=store, **options)
            assert 4 - (1 if "exclude" in options else 0) == len(self.folders)
            self.again(hay, image, store=store, **options)
            assert [] == self.folders
        self.again(hay / "1", image, store=store)
        assert 1 == len(self.folders)

    def test_links_that_are_followed_are_looked_at_each_time(self, hay: Path, image: Path, store: str) -> None:
        """What they lead to changes without their folder."""
        for _ in range(2):
            self.again(hay, image, store=store, follow_symlinks=True)
            assert 4 == len(self.folders)

    def test_a_cache_that_is_gone_meanwhile(self, hay: Path, image: Path, store: str) -> None:
        """Its snapshot goes with it."""
        ask(hay, image, cache=store)
        os.unlink(store)
        assert ask(hay, image, cache=store).are_all_seen


def test_what_is_young_is_looked_at_each_time(hay: Path, image: Path, store: str) -> None:
    """A second change could carry the same times: nothing of it is taken from a snapshot."""
    ask(hay, image, cache=store)
    with sqlite3.connect(store) as connection:
        (data,) = connection.execute("SELECT data FROM snapshot_part WHERE name = 'kinds'").fetchone()
    connection.close()
    assert {2} == set(data[32:])
    pictures.save(pictures.photo(33, (160, 120)), hay / "1" / "04.png")
    assert not ask(hay, image, cache=store).are_all_seen


@pytest.mark.usefixtures("settled")
def test_times_of_another_age(hay: Path, image: Path, store: str) -> None:
    """Files and folders may carry any; the answer is the same, warm and cold."""
    for path in (hay / "0" / "00.png", hay / "1" / "04.png", hay / "2"):
        os.utime(path, ns=(2**63 + 10**18, 2**63 + 10**18))
    first = ask(hay, image, cache=store)
    assert first.are_all_seen
    assert first == ask(hay, image, cache=store) == ask(hay, image)


def test_several_haystacks(tree: TreeBuilder, image: Path, store: str) -> None:
    """Each path as its root was spelt; one inside the other counts once."""
    one = tree("one", {"a.png": pictures.photo(4, (160, 120)), "in/b.png": pictures.photo(4, (160, 120))})
    two = tree("two", {"c.png": pictures.photo(4, (160, 120))})
    for _ in range(2):
        (sought,) = ask([one, two, one / "in"], image, cache=store).sought
        found = [f"{one}/a.png", f"{one}/in/b.png", f"{two}/c.png"]
        assert found == [near.path for near in sought.nearest]
        assert 3 == len(sought.witnesses)


def test_an_empty_haystack(tree: TreeBuilder, image: Path) -> None:
    """Nothing was seen, and nothing is near."""
    answer = ask(tree("hay", {"in": None}), image)
    assert (0, 0, ()) == (answer.files, answer.pictures, tuple(answer.sought[0].nearest))
    assert not answer.are_all_seen


def test_files_that_are_not_there_cost_no_walk(hay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to look for."""
    monkeypatch.setattr(incremental_walk.IncrementalWalk, "visit", lambda *_: pytest.fail("walked"))
    settings = make_settings(haystack=[str(hay)], no_cache=True)
    answer = find_images(settings, [Given("nope", None, "no such file")], wanted(5, None), Silence())
    assert ("no such file", None, False) == (answer.sought[0].error, answer.files, answer.are_all_seen)
    with pytest.raises(SettingsError, match="--haystack is needed"):
        make_settings(haystack=[])


@pytest.mark.usefixtures("unplugged")
def test_a_catalog_answers_as_its_folder(hay: Path, image: Path, tmp_path: Path) -> None:
    """Also where the drive is gone, which nobody looks for; the answer names what it rests on."""
    folder = ask_one(hay, image)
    cataloged(hay, tmp_path / "c")
    hay.rename(tmp_path / "unplugged")
    answer = ask(tmp_path / "c", image)
    (listed,) = answer.sought
    told = {near.path.replace(str(hay), str(tmp_path / "c")): near[1:-1] for near in folder.nearest}
    same = [path for path, (evidence, *_) in told.items() if evidence is Evidence.SAME]
    assert len(same) > 0
    assert {path: near for path, near in told.items() if path not in same} == {
        near.path: near[1:-1] for near in listed.nearest if near.path not in same
    }
    # What would be the same could not be compared at full size.
    assert {(Evidence.SIMILAR, LISTED, False)} == {
        (near.evidence, near.reason, near.is_witness) for near in listed.nearest if near.path in same
    }
    assert all(near.entry is not None for near in (*folder.nearest, *listed.nearest))
    assert [str(tmp_path / "c")] == [catalog.path for catalog in answer.catalogs]
    assert (14, 12) == (answer.files, answer.pictures)


def test_a_picture_of_the_drive_is_not_found_in_its_catalog(hay: Path, tmp_path: Path) -> None:
    """By bytes neither, under another name neither; a copy elsewhere is found."""
    cataloged(hay, tmp_path / "c")
    assert not ask_one(tmp_path / "c", hay / "1/04.png").is_seen  # where it is listed, and seen to be
    (hay / "1/04.png").rename(tmp_path / "moved.png")
    shutil.copy(hay / "0/03.png", tmp_path / "copy.png")
    moved, copy = ask(tmp_path / "c", tmp_path / "moved.png", tmp_path / "copy.png").sought
    assert (False, True) == (moved.is_seen, copy.is_seen)


def test_a_catalog_of_nobody_knows_which_drive(hay: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pictures prove nothing, nor are they near; equal bytes are found."""
    monkeypatch.setattr("dupfind.catalog.volumes._text", lambda _: "")
    for told in ("mounted", "_uuids"):
        monkeypatch.setattr(f"dupfind.catalog.volumes.{told}", lambda *_: {})
    catalog = hay.parent / "c"
    cataloged(hay, catalog)
    assert 5 == len(ask_one(catalog, image).nearest)
    shutil.copy(hay / "0/03.png", hay.parent / "copy.png")
    hay.rename(hay.parent / "unplugged")
    by_picture, by_bytes = ask(catalog, image, hay.parent / "copy.png").sought
    assert () == tuple(by_picture.nearest)
    assert [Evidence.IDENTICAL] == [near.evidence for near in by_bytes.nearest]


def test_a_catalog_beside_a_folder(hay: Path, image: Path, tree: TreeBuilder, tmp_path: Path) -> None:
    """Both are searched, and nothing is remembered of them; what is only listed is no witness, and near."""
    cataloged(hay, tmp_path / "c")
    beside = tree("beside", {"twin.png": pictures.photo(4, (160, 120))})
    for _ in range(2):
        (sought,) = ask([tmp_path / "c", beside], image, cache=str(tmp_path / "cache" / "c.sqlite")).sought
        assert {str(beside / "twin.png")} == {near.path for near in sought.witnesses}
        assert (Evidence.SIMILAR, LISTED) in [
            (near.evidence, near.reason) for near in sought.nearest if near.path == str(tmp_path / "c/1/04.png")
        ]


def test_itself_by_another_mount_after_an_edit(hay: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked of every file that is shown, not only of those that had its size when they were remembered."""
    assert ask_one(hay, image).is_seen
    monkeypatch.setattr(SameFile, "is_itself", lambda _, entry, needle: entry.path.endswith("04.png") and needle)
    assert not ask_one(hay, image).is_seen
