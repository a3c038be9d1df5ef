"""Columns beside catalogs: scans that go by them give, byte for byte, the answer of the whole catalogs."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from dupfind import pipeline
from dupfind.catalog import columns
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.catalog.columns import Columns
from dupfind.catalog.same_file import Relation
from dupfind.catalog.shards import Shard
from dupfind.catalog.shortlist import Shortlist
from dupfind.commands.indexing import index
from dupfind.commands.merging import merge
from dupfind.errors import CatalogError, SettingsError
from dupfind.scanning import shortlist
from dupfind.settings import make_settings
from dupfind.sources.source import Elsewhere
from dupfind.values import Report
from fixtures import pictures
from tests.helpers.frames import framed
from tests.helpers.scans import answer, one_thread
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, settle

Run = Callable[..., Any]
SIZE = (240, 180)


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """A file of this picture."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def kept() -> dict[str, bytes]:
    """A collection in which every stage has something to do."""
    photos = {seed: pictures.photo(seed, SIZE) for seed in range(12)}
    files = {f"{seed % 4}/{seed}.jpg": saved(image, quality=90) for seed, image in photos.items()}
    return files | {
        "0/progressive.jpg": saved(pictures.photo(20, (1400, 1050)), progressive=True, quality=88),
        "1/framed.jpg": saved(framed(photos[3], 0.12), quality=90),
        "1/framed.png": saved(framed(pictures.photo(21, SIZE), 0.1, "black"), "PNG"),
        "2/framed and progressive.jpg": saved(framed(pictures.photo(22, (1400, 1050)), 0.1), progressive=True),
        "2/smooth.png": saved(Image.linear_gradient("L").resize(SIZE), "PNG"),
        "3/blank.png": saved(Image.new("RGB", SIZE, "white"), "PNG"),
        "3/blank 2.png": saved(Image.new("RGB", (200, 150), "white"), "PNG"),
        "3/broken.jpg": b"\xff\xd8\xff\xe0 broken",
        "3/text.txt": b"a text",
        "3/other.txt": b"another text",
        os.fsdecode(b"caf\xe9.txt"): b"cafe",
        "empty.txt": b"",
        "top.gif": saved(photos[5].convert("P"), "GIF"),
        "Lightroom Catalog Previews.lrdata/a/1.jpg": saved(photos[2]),
        "Lightroom Catalog.lrcat": b"catalog",
    }


@cache
def sought() -> dict[str, bytes]:
    """Copies, edits and strangers of these, and what cannot be read."""
    photos = {seed: pictures.photo(seed, SIZE) for seed in range(12)}
    whole = saved(pictures.photo(4, (800, 600)), quality=90)
    return {
        "same/0.jpg": saved(photos[0], quality=60),
        "same/1.png": saved(photos[1], "PNG"),
        "same/turned.jpg": saved(photos[2].rotate(90, expand=True), quality=80),
        "same/mirrored.jpg": saved(photos[6].transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=80),
        "same/identical.jpg": kept()["3/7.jpg"],
        "like/without frame.jpg": saved(pictures.photo(21, SIZE), quality=85),
        "like/framed.jpg": saved(framed(photos[8], 0.15), quality=85),
        "like/framed otherwise.jpg": saved(framed(photos[3], 0.05, "black"), quality=85),
        "like/patched.jpg": saved(pictures.with_patch(photos[9], 1, 0.2), quality=85),
        "like/progressive.jpg": saved(pictures.photo(20, (1400, 1050)), progressive=True, quality=70),
        "like/framed progressive.jpg": saved(framed(pictures.photo(23, (1400, 1050)), 0.1), progressive=True),
        "odd/cut off.jpg": whole[: len(whole) * 2 // 5] + b"\xff\xd9",
        "odd/cut off progressive.jpg": saved(pictures.photo(20, (1400, 1050)), progressive=True, quality=80)[:-9000],
        "odd/smooth.jpg": saved(Image.linear_gradient("L").resize(SIZE), quality=70),
        "odd/soft.jpg": saved(photos[10].filter(ImageFilter.GaussianBlur(40)), quality=70),
        "odd/broken.jpg": b"\xff\xd8\xff\xe0 broken as well",
        "odd/blank.jpg": saved(Image.new("RGB", SIZE, "white")),
        "new/a.jpg": saved(pictures.photo(40, SIZE)),
        "new/text.txt": b"a new text",
        "text.txt": b"a text",
        "empty.txt": b"",
    }


def related(monkeypatch: pytest.MonkeyPatch, how: Relation) -> None:
    """Have the drives of catalogs and needles be this to each other: in a test all of them are one."""
    for module in ("catalog_source", "catalogs"):
        monkeypatch.setattr(f"dupfind.catalog.{module}.relation", lambda *_: how)


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive of every catalog is certainly another one than that of the needles."""
    related(monkeypatch, Relation.OTHER)


def report_of(catalogs: list[Path], needles: Path, ears: Ears | None = None, **options: Any) -> Report:
    """Scan with these catalogs."""
    raw = {"no_cache": "cache" not in options, "haystack": list(map(str, catalogs)), **options}
    return pipeline.scan(make_settings(needles=[str(needles)], **raw), ears, one_thread)


def told(report: Report) -> bytes:
    """The report as JSON without what is of the clock."""
    return answer(replace(report, catalogs=tuple(one._replace(age_seconds=0.0, updated="") for one in report.catalogs)))


def with_columns(catalogs: list[Path], *, are_there: bool) -> None:
    """Put the columns beside these catalogs, or take them away."""
    for catalog in catalogs:
        here, aside = Path(f"{catalog}.columns"), Path(f"{catalog}.aside")
        (aside if are_there else here).rename(here if are_there else aside)


def made(drive: Path, catalog: Path, shard: Shard | None = None) -> None:
    """Make a catalog with columns."""
    options = make_settings(haystack=[str(drive)], called="", no_cache=True)
    index(options, str(catalog), None, one_thread, shard=shard, with_columns=True)


def sharded(tree: TreeBuilder, tmp_path: Path, parts: int) -> list[Path]:
    """Catalogs of a drive in so many shards, with columns; the drive is gone then."""
    drive = tree("drive", kept())
    settle(drive)
    names = [tmp_path / f"{number}.catalog" for number in range(1, parts + 1)]
    for number, name in enumerate(names, 1):
        part = Shard(number, parts) if parts > 1 else None
        made(drive, name, part)
    shutil.rmtree(drive)
    return names


def both(catalogs: list[Path], needles: Path, **options: Any) -> tuple[Report, Report]:
    """What is said with columns and without; the warnings are the same."""
    ears = Ears(), Ears()
    by_columns = report_of(catalogs, needles, ears[0], **options)
    with_columns(catalogs, are_there=False)
    by_all = report_of(catalogs, needles, ears[1], **options)
    with_columns(catalogs, are_there=True)
    assert ears[0].warnings == ears[1].warnings
    return by_columns, by_all


@pytest.mark.slow
@pytest.mark.parametrize("parts", [2, 1, 3, 8])
def test_columns_give_the_answer_of_the_whole(
    tree: TreeBuilder, tmp_path: Path, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number of catalogs and of rows that are worked on together."""
    catalogs, needles = sharded(tree, tmp_path, parts), tree("needles", sought())
    for rows, options in (
        (columns.SHARD_ROWS, {}),
        (3, {"quick": True}),
        (1, {"rotations": False, "threshold_bits": 4}),
    ):
        monkeypatch.setattr(columns, "SHARD_ROWS", rows)
        by_columns, by_all = both(catalogs, needles, **options)
        assert told(by_all) == told(by_columns)
        if parts > 1:
            break
    assert {"identical", "similar"} <= {one.evidence for one in by_columns.files}


@pytest.mark.slow
def test_a_cluster_searches_in_columns(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nodes; the answer is that of one machine, also where they do not see the catalogs."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    from dupfind.pool.cluster import Cluster
    from dupfind.scheduler import Scheduler
    from tests.helpers.clusters import cluster

    catalogs, needles = sharded(tree, tmp_path, 2), tree("needles", sought())
    chosen = {"no_cache": True, "haystack": list(map(str, catalogs)), "needles": [str(needles)]}
    expected = told(pipeline.scan(make_settings(**chosen), None, one_thread))
    here, near, search = [], Columns._near, Columns.near
    monkeypatch.setattr(Columns, "_near", lambda *words: here.append(words) or near(*words))

    def search_unseen(those: Columns, hashes: Any, radius_bits: int, elsewhere: Any) -> Any:
        def run(task: Any, parts: Any, size_bytes: Any) -> Any:
            return elsewhere.run(task, [part._replace(folder=f"{part.folder} gone") for part in parts], size_bytes)

        return search(those, hashes, radius_bits, elsewhere._replace(run=run))

    monkeypatch.setattr(columns, "SHARD_ROWS", 5)
    with cluster(tmp_path / "c") as nodes:
        chosen["scheduler"] = nodes.address
        Cluster(Scheduler(nodes.address), [], pytest.fail)._client.wait_for_workers(2, timeout=90)
        assert expected == told(pipeline.scan(make_settings(**chosen)))
        assert [] == here
        monkeypatch.setattr(Columns, "near", search_unseen)
        assert expected == told(pipeline.scan(make_settings(**chosen)))
        assert len(here) > len(catalogs)


@pytest.mark.slow
def test_each_kind_of_needle_alone(tree: TreeBuilder, tmp_path: Path) -> None:
    """Together, what is listed for the sake of one would do for the other."""
    catalogs = sharded(tree, tmp_path, 1)
    for number, (name, state) in enumerate(
        [
            ("like/framed.jpg", "similar"),
            ("like/without frame.jpg", "similar"),
            ("same/turned.jpg", "similar"),
            ("odd/cut off.jpg", "similar"),
        ]
    ):
        needles = tree(f"needles {number}", {name: sought()[name]})
        by_columns, by_all = both(catalogs, needles)
        assert (name, state) == (name, by_all.files[0].state.value)
        assert told(by_all) == told(by_columns)


@pytest.mark.slow
def test_few_files_are_listed(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no needle can meet is counted only; else this would be no gain."""
    listed = []
    find = pipeline.find_matches
    monkeypatch.setattr(pipeline, "find_matches", lambda *all_, **more: listed.append(all_[1]) or find(*all_, **more))
    catalogs = sharded(tree, tmp_path, 1)
    needles = tree("needles", {"0.jpg": sought()["same/0.jpg"], "text.txt": b"a text"})
    report = report_of(catalogs, needles)
    (entries,) = listed
    assert {"0.jpg", "broken.jpg", "text.txt"} <= {os.path.basename(entry.path) for entry in entries}
    assert len(entries) < 12
    assert len(kept()) - 1 == report.haystack.files, "but for a preview of Lightroom"


def opened(catalog: Path) -> Columns | str | None:
    """Open the columns of a catalog."""
    file = CatalogFile.for_reading(str(catalog))
    try:
        return Columns.opened(str(catalog), file)
    finally:
        file.close()


@pytest.mark.slow
def test_columns_of_another_state_are_not_used(tree: TreeBuilder, tmp_path: Path) -> None:
    """A catalog that was updated without them proves all that it lists; a warning tells why it takes long."""
    (catalog,), needles = sharded(tree, tmp_path, 1), tree("needles", {"new.txt": b"a new text"})
    aside = tmp_path / "aside"
    shutil.copytree(f"{catalog}.columns", aside)
    drive = tree("drive", {**kept(), "new.txt": b"a new text"})
    settle(drive)
    cataloged(drive, catalog)
    shutil.rmtree(drive)
    assert isinstance(opened(catalog), Columns), "they are made anew where there are some"
    ears = Ears()
    assert ["present"] == [one.state.value for one in report_of([catalog], needles, ears).files]
    shutil.rmtree(f"{catalog}.columns")
    aside.rename(f"{catalog}.columns")
    assert ["present"] == [one.state.value for one in report_of([catalog], needles, ears).files]
    (warning,) = ears.warnings
    assert warning.startswith(f"{catalog}: its columns are not used: they are of another state of the catalog")


def test_files_without_inodes_are_listed_whole(tree: TreeBuilder, tmp_path: Path) -> None:
    """More than a size and an inode tells a needle among them, and what is left out is counted."""
    drive, catalog = tree("drive", {"a.txt": b"a", "b.txt": b"b"}), tmp_path / "c.catalog"
    made(drive, catalog)
    chosen = make_settings(haystack=[str(catalog)], needles=[str(tree("needles", {}))])
    (root,) = (root for root in chosen.roots if root.is_catalog)
    assert Shortlist.opened(root, pytest.fail) is not None
    file = CatalogFile.for_writing(str(catalog))
    file.connection.execute("UPDATE file SET inode = 0 WHERE name = CAST('a.txt' AS BLOB)")
    columns.write(str(catalog), file, "phash", "")
    file.close()
    assert Shortlist.opened(root, pytest.fail) is None


@pytest.mark.parametrize("harm", ["", "gone", "of another state", "no head", "cut off", "another type"])
def test_a_machine_that_does_not_see_these_columns_says_so(tmp_path: Path, harm: str) -> None:
    """Then they are searched in here: what it sees may lack what a needle meets."""
    head = columns.Head("stamp", "1", "phash", [], 2, 0, {}, 0, 0)
    for name in ("kind", "hash", "inner"):
        rows = {"cut off": 1}.get(harm, 2) if name == "inner" else 2
        np.save(tmp_path / f"{name}.npy", np.ones(rows, np.int16 if harm == "another type" else columns._TYPES[name]))
    there = replace(head, stamp="another") if harm == "of another state" else head
    (tmp_path / "head.json").write_text("[1]" if harm == "no head" else json.dumps(asdict(there)))
    part = columns.Part(str(tmp_path) + ("x" if harm == "gone" else ""), head, 1, 2)
    (packed,) = columns.near_in([part], np.array([3], "<u8").tobytes(), 1)
    assert (None if harm else np.array([1], "<i8").tobytes()) == packed


HARMS = "no head", "no column", "cut off", "another type", "no head's form", "no array"
HEADERS = {
    "a header without its end": b"{'d" + b" " * 12,
    "a header in deep brackets": b"(" * 6000,
    "more rows than a number counts": b"{'descr': '<i8', 'fortran_order': False, 'shape': (%d,), }" % 10**30,
    "a wrong header": b"{'descr': [[[]]], 'fortran_order': False, 'shape': (2,), }",
    "no Python": b"{'descr': '<i8', 'shape': 09 }",
}
"""Found by `fuzz.guided`, and what is like it: of the file behind its mark and the length of the header."""
HEADS: dict[str, Any] = {"rows that are a list": [2], "rows that are a text": "2"}


@pytest.mark.parametrize("harm", [*HARMS, *HEADERS, *HEADS, "folders of another form", "no folders"])
def test_what_is_no_column_is_not_used(tree: TreeBuilder, tmp_path: Path, harm: str) -> None:
    """Whatever became of the files; the answer is that of the catalog."""
    drive, catalog = tree("drive", {"a.txt": b"a", "b.txt": b"b"}), tmp_path / "c"
    made(drive, catalog)
    folder = Path(f"{catalog}.columns")
    match harm:
        case "no head":
            (folder / "head.json").unlink()
        case "no column":
            (folder / "size.npy").unlink()
        case "cut off":
            np.save(folder / "hash.npy", np.zeros(1, np.uint64))
        case "another type":
            np.save(folder / "size.npy", np.zeros(2, np.float32))
        case "no head's form":
            (folder / "head.json").write_text("[]")
        case "no array":
            (folder / "inode.npy").write_bytes(b"\x93NUMPY")
        case "folders of another form":
            np.save(folder / "folders.npy", np.zeros((1, 3), np.int64))
        case "no folders":
            np.save(folder / "folders.npy", np.zeros((0, 2), np.int64))
        case _ if harm in HEADERS:
            header = HEADERS[harm] + b"\n"
            content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(16)
            (folder / "size.npy").write_bytes(content)
        case _:
            head = json.loads((folder / "head.json").read_text())
            (folder / "head.json").write_text(json.dumps(head | {"rows": HEADS[harm]}))
    shutil.rmtree(drive)
    ears = Ears()
    report = report_of([catalog], tree("needles", {"n.txt": b"a"}), ears)
    assert ["present"] == [one.state.value for one in report.files]
    assert 1 == sum("its columns are not used" in warning for warning in ears.warnings)


@pytest.mark.parametrize("what", ["a folder with files", "a file", "a link"])
def test_what_is_somebody_elses_is_left_as_it_is(tree: TreeBuilder, tmp_path: Path, what: str) -> None:
    """Columns replace columns and nothing else; the catalog is made all the same."""
    drive, catalog = tree("drive", {"a.txt": b"a"}), tmp_path / "c"
    place = tmp_path / "c.columns"
    photos = tree("photos", {"holiday.jpg": b"a photo"})
    if what == "a folder with files":
        photos.rename(place)
    elif what == "a file":
        place.write_bytes(b"a file")
    else:
        place.symlink_to(photos)
    before = sorted((path.relative_to(tmp_path), path.is_dir() or path.read_bytes()) for path in place.rglob("*"))
    with pytest.raises(CatalogError, match="not columns of dupfind: it is left as it is"):
        made(drive, catalog)
    assert before == sorted(
        (path.relative_to(tmp_path), path.is_dir() or path.read_bytes()) for path in place.rglob("*")
    )
    assert what != "a file" or b"a file" == place.read_bytes()
    file = CatalogFile.for_reading(str(catalog))
    assert 1 == file.count_files()
    file.close()


def test_stopped_on_the_way(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that were not finished are not used, nothing half made is left, and the next time makes them."""
    drive, catalog = tree("drive", {"a.txt": b"a"}), tmp_path / "c"
    made(drive, catalog)
    with monkeypatch.context() as patched:
        patched.setattr(columns, "_fill_inner", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            made(drive, catalog)
    assert isinstance(opened(catalog), str)
    assert not [name for name in os.listdir(tmp_path / "c.columns") if name.endswith(".part")]
    made(drive, catalog)
    assert isinstance(opened(catalog), Columns)


def test_wrong_columns_hide_and_never_make_up(tree: TreeBuilder, tmp_path: Path) -> None:
    """They choose rows; what is known of a file is from the catalog."""
    drive, catalog = tree("drive", {"a.txt": b"a", "b.txt": b"bb"}), tmp_path / "c"
    made(drive, catalog)
    shutil.rmtree(drive)
    needles = tree("needles", {"n.txt": b"x", "m.txt": b"bb"})
    np.save(tmp_path / "c.columns" / "size.npy", np.array([1, 1]))
    np.save(tmp_path / "c.columns" / "inode.npy", np.array([1, 1]))  # else they may be those of the needles now
    assert {"n.txt": "missing", "m.txt": "present"} == {
        os.path.basename(one.path): one.state.value for one in report_of([catalog], needles).files
    }, "the row of m was listed for its size in the columns, and is what the catalog says"
    np.save(tmp_path / "c.columns" / "size.npy", np.array([7, 7]))
    assert {"missing"} == {one.state.value for one in report_of([catalog], needles).files}


@pytest.mark.slow
@pytest.mark.parametrize("how", Relation)
@pytest.mark.parametrize(("is_elsewhere", "is_here"), [(False, False), (False, True), (True, False)])
def test_needles_are_left_out_as_ever(
    tree: TreeBuilder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: Relation,
    *,
    is_elsewhere: bool,
    is_here: bool,
) -> None:
    """What may be a needle is no witness, whichever way it was listed; a drive that may be here is looked at whole."""
    related(monkeypatch, how)
    drive, catalog = tree("drive", {"a.txt": b"a", "b/p.png": kept()["3/blank.png"], "c.txt": b"c"}), tmp_path / "c"
    (drive / "gone.txt").write_bytes(b"of a size that no needle has")
    settle(drive)
    made(drive, catalog)
    needles = tmp_path / "needles"
    needles.mkdir()
    drive.rename(needles / "old")
    (needles / "old" / "a.txt").rename(needles / "z.txt")
    (needles / "old" / "gone.txt").unlink()
    (needles / "copy.txt").write_bytes(b"c")
    if is_here:
        tree("drive", {"new.txt": b"new"})
    named = {"elsewhere": [str(catalog)], "haystack": []} if is_elsewhere else {}
    if is_elsewhere and how is Relation.SAME:
        with pytest.raises(SettingsError, match="needles lie on the drive"):
            report_of([catalog], needles, **named)
        return
    by_columns, by_all = both([catalog], needles, **named)
    assert told(by_all) == told(by_columns)
    states = {os.path.basename(one.path): one.state.value for one in by_columns.files}
    renamed = "present" if how is Relation.OTHER else "missing"  # its times are others, so it is another file there
    assert {"z.txt": renamed, "p.png": "missing", "c.txt": "missing"} == {
        name: states[name] for name in ("z.txt", "p.png", "c.txt")
    }


@pytest.mark.slow
@pytest.mark.parametrize("how", Relation)
def test_a_member_of_its_size_brings_no_needle_back(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Relation
) -> None:
    """What is listed for the sake of a member of an archive may be a needle beside it, and proves nothing then."""
    related(monkeypatch, how)
    drive, catalog = tree("drive", {"b/p.png": kept()["3/blank.png"], "c.txt": b"c"}), tmp_path / "c"
    settle(drive)
    made(drive, catalog)
    needles = tmp_path / "needles"
    needles.mkdir()
    drive.rename(needles / "old")
    (needles / "z.zip").write_bytes(_zipped({"m.txt": b"m"}))
    by_columns, by_all = both([catalog], needles, archives="needles")
    assert told(by_all) == told(by_columns)
    states = {os.path.basename(each.path): each.state.value for each in by_columns.files}
    assert {"c.txt": "missing", "m.txt": "missing", "p.png": "missing"} == states


@pytest.mark.slow
def test_a_drive_that_may_be_here_is_listed_whole(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files have to be looked at, each."""
    listed = []
    whole = Shortlist.tree

    def tree_of(shortlist: Shortlist, *words: Any) -> Any:
        listed.append(1)
        return whole(shortlist, *words)

    monkeypatch.setattr(Shortlist, "tree", tree_of)
    drive, catalog = tree("drive", {"a.txt": b"a"}), tmp_path / "c"
    settle(drive)
    made(drive, catalog)
    related(monkeypatch, Relation.UNKNOWN)
    report_of([catalog], tree("needles", {"b.txt": b"b"}))
    assert [] == listed
    drive.rename(tmp_path / "away")
    related(monkeypatch, Relation.OTHER)
    report_of([catalog], tmp_path / "needles")
    assert [1] == listed


@pytest.mark.slow
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_pictures_of_a_doubtful_drive_prove_nothing(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_elsewhere: bool
) -> None:
    """Neither what is listed at first nor what comes for the sake of a member of an archive."""
    related(monkeypatch, Relation.UNKNOWN)
    catalogs = sharded(tree, tmp_path, 1)
    needles = tree("needles", {"a.jpg": sought()["same/0.jpg"], "b.jpg": kept()["1/1.jpg"] + b"more"})
    (needles / "z.zip").write_bytes(_zipped({"0.jpg": kept()["0/0.jpg"]}))
    named = {"elsewhere": [str(catalogs[0])], "haystack": []} if is_elsewhere else {}
    by_columns, by_all = both(catalogs, needles, archives="needles", **named)
    assert told(by_all) == told(by_columns)
    states = {os.path.basename(one.path): one.state.value for one in by_columns.files}
    like = "similar" if is_elsewhere else "missing"
    assert {"a.jpg": like, "b.jpg": like, "0.jpg": "present"} == states


@pytest.mark.slow
def test_shards_are_looked_at_one_by_one(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For needles without a hash, too: the ids of ten million thumbnails would take 400 MB."""
    order = []
    pictures_of, likeliest = Columns.pictures, shortlist.likeliest

    def mapped(self: Columns, without: columns.Rows) -> Iterator[tuple[columns.Rows, list[int]]]:
        for shard in pictures_of(self, without):
            order.append("mapped")
            yield shard

    def looked(*given: Any, **named: Any) -> set[int]:
        order.append("looked at")
        return likeliest(*given, **named)

    monkeypatch.setattr(columns, "SHARD_ROWS", 8)
    monkeypatch.setattr(Columns, "pictures", mapped)
    monkeypatch.setattr(shortlist, "likeliest", looked)
    made(tree("drive", kept()), tmp_path / "a.catalog")
    report_of([tmp_path / "a.catalog"], tree("needles", {"smooth.jpg": sought()["odd/smooth.jpg"]}))
    assert ["mapped", "looked at"] * (len(order) // 2) == order
    assert len(order) > 2


@pytest.mark.slow
def test_too_many_needles_without_a_hash(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then everything is listed, and the answer is the same."""
    monkeypatch.setattr(shortlist, "_MOST_WITHOUT_HASH", 0)
    catalogs = sharded(tree, tmp_path, 1)
    needles = tree("needles", {name: data for name, data in sought().items() if name.startswith("odd/")})
    by_columns, by_all = both(catalogs, needles)
    assert told(by_all) == told(by_columns)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"max_pixels": 100_000},
        {"exclude": ["*.png"]},
        {"algorithm": "dhash"},
        {"archives": "both"},
        {"paranoid": True},
        {"accept": "similar", "quick": True},
    ],
    ids=str,
)
def test_options_that_columns_may_not_know(tree: TreeBuilder, tmp_path: Path, options: dict[str, Any]) -> None:
    """They are used or not, and the answer is the same: of what is too large to be compared a report tells."""
    small = {name: data for name, data in sought().items() if name.startswith(("same/", "text"))}  # none is smooth
    catalogs, needles = sharded(tree, tmp_path, 1), tree("needles", small)
    members = {"in zip.jpg": sought()["same/0.jpg"], "t.txt": b"another text"}
    (needles / "z.zip").write_bytes(_zipped(members))
    by_columns, by_all = both(catalogs, needles, **options)
    assert told(by_all) == told(by_columns)


def _zipped(files: dict[str, bytes]) -> bytes:
    from zipfile import ZipFile

    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.slow
def test_index_writes_columns_where_it_is_told(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """And nowhere else; merged shards have their own."""
    tree("drive", {"a/a.txt": b"a", "b/b.txt": b"b", "c.txt": b"c"})
    for number in (1, 2):
        assert 0 == dupfind("index", "drive", "--shard", f"{number}/2", "--catalog", f"{number}.cat").returncode
    assert not list(tmp_path.glob("*.columns*"))
    merge(str(tmp_path / "all.cat"), [str(tmp_path / "1.cat"), str(tmp_path / "2.cat")], with_columns=True)
    there = opened(tmp_path / "all.cat")
    assert isinstance(there, Columns)
    assert 3 == there.head.rows
    done = dupfind("index", "--check", "all.cat", "--columns")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"--columns goes with --catalog and --merge" in done.stderr
    assert ["all.cat.columns"] == [path.name for path in tmp_path.glob("*.columns*")]


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 31), st.integers(0, 5)), max_size=40),
    st.lists(st.integers(0, 2**64 - 1), max_size=5),
    st.integers(0, 12),
    st.sampled_from([1, 2, 3, 8, 100]),
    st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_against_the_obvious_way(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[int, int, int]],
    hashes: list[int],
    radius_bits: int,
    shard_rows: int,
    data: st.DataObject,
) -> None:
    """Sizes, inodes and hashes, in shards of any number of rows."""
    monkeypatch.setattr(columns, "SHARD_ROWS", shard_rows)
    flips = [data.draw(st.integers(0, 2**64 - 1)) & data.draw(st.integers(0, 2**64 - 1)) for _ in rows]
    inner = [data.draw(st.sampled_from(hashes or [0])) ^ (1 << row[2]) for row in rows]
    folder = tmp_path_factory.mktemp("c") / "x.columns"
    folder.mkdir()
    near = [(data.draw(st.sampled_from(hashes)) if hashes else 0) ^ flip % 4096 for flip in flips]
    kinds = [row[1] for row in rows]
    values = {
        "size": [row[2] for row in rows],
        "inode": [row[2] + 10 for row in rows],
        "hash": near,
        "inner": inner,
        "picture": list(range(len(rows))),
        "kind": kinds,
    }
    for name, of_rows in values.items():
        np.save(folder / f"{name}.npy", np.array(of_rows, columns._TYPES[name]))
    head = columns.Head("", "", "", [], len(rows), 0, {}, 0, 0)
    those = Columns(str(folder), head)
    listed = [place for place, kind in enumerate(kinds) if not kind & 16]
    assert [place for place in listed if kinds[place] & 4] == those.told().tolist()
    assert [place for place in listed if rows[place][2] in (1, 3)] == those.twins([1], [13]).tolist()

    def is_near(place: int) -> bool:
        views = [near[place]] * bool(kinds[place] & 1) + [inner[place]] * bool(kinds[place] & 2)
        return any((view ^ one).bit_count() <= radius_bits for view in views for one in hashes)

    expected = [place for place in listed if is_near(place)]
    found = those.near(np.unique(np.array(hashes, np.uint64)), radius_bits)
    assert expected == found.tolist()
    (folder / "head.json").write_text(json.dumps(asdict(head)))
    seen = data.draw(st.sets(st.integers(0, 9)))

    def run(task: Any, parts: Any, size_bytes: Any) -> list[Any]:
        assert all(size_bytes(part) == 17 * (part.end - part.start) > 0 for part in parts)
        return [task([part])[0] if number in seen else None for number, part in enumerate(parts)]

    sought_hashes = np.unique(np.array(hashes, np.uint64))
    lanes = data.draw(st.integers(1, 5))
    assert expected == those.near(sought_hashes, radius_bits, Elsewhere(lanes, run)).tolist()
    rest = [place for place in listed if place not in expected]
    pictured = [place for place in rest if kinds[place] & 1]
    assert (len(rest), sum(bool(kinds[place] & 8) for place in rest), len(pictured)) == those.counts(found)
    assert pictured == [id_ for _, ids in those.pictures(found) for id_ in ids]
