"""Any source goes through a whole scan as a folder does: here, objects in memory, fetched over HTTP by the workers."""

from __future__ import annotations

import errno
import io
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.report import Screen, render
from dupfind.report.reasons import sentences
from dupfind.run import Run
from dupfind.settings import Format, Settings, make_report_settings, make_settings
from dupfind.sources import entries
from dupfind.sources.entries import ChangedError, StoredEntry, entry_now, open_entry, open_unfollowed
from dupfind.sources.same_file import SameFile
from dupfind.sources.source import Sources, in_order
from dupfind.values import Evidence, FileEntry, Report, Root, ScanSettings, Side
from fixtures import pictures
from tests.helpers.bucket import OLD_NS, Bucket, Store
from tests.helpers.trees import build_tree

Change = Callable[[Store], None]
CHANGED = "changed while dupfind ran"


def saved(seed: int, quality: int = 92, size: tuple[int, int] = (640, 480)) -> bytes:
    """A photo as a JPEG."""
    out = io.BytesIO()
    pictures.photo(seed, (640, 480)).resize(size).save(out, "JPEG", quality=quality)
    return out.getvalue()


HAY = {"2006/a.jpg": saved(1), "2006/b.jpg": saved(2, 98), "2007/notes.txt": b"words", "c.jpg": saved(3)}
NEEDLES = {
    "all/copy of a.jpg": HAY["2006/a.jpg"],
    "all/notes.txt": b"words",
    "all/saved again.jpg": saved(2, 85),
    "some/broken.jpg": HAY["c.jpg"][:300],
    "some/new.jpg": saved(4),
    "some/other.txt": b"sword",
}


@pytest.fixture
def store() -> Iterator[Store]:
    """Both sides, each in a bucket."""
    with Store() as store:
        store.put("hay", HAY)
        store.put("needles", NEEDLES)
        yield store


def settings(cache: Path | None = None, **options: Any) -> Settings:
    """Settings that name no folder."""
    scan = ScanSettings(("mem:hay",), ("mem:needles",), "phash", 10, Evidence.SAME, rotations=True, **options)
    return Settings((), scan, workers=2, cache=None if cache is None else str(cache))


def run(store: Store, options: Settings, *sides: Side) -> Report:
    """The report of a scan with these sides in buckets."""
    names = {Side.HAYSTACK: "hay", Side.NEEDLES: "needles"}
    more = [Bucket(store, names[side], side, number) for number, side in enumerate(sides, 1)]
    return pipeline.scan_run(Run(options, more=more)).report


def in_words(report: Report) -> str:
    """The whole report but for times, with the paths of either kind spelt alike."""
    plain = replace(report, started="", elapsed_seconds=0.0, settings=settings().scan)
    chosen = make_report_settings(format_=Format.JSON, everything=True)
    return render(plain, chosen, Screen(80, is_terminal=False)).decode()


@pytest.mark.slow
@pytest.mark.parametrize("kept", [(), (Side.NEEDLES,), (Side.HAYSTACK,)], ids=["both", "haystack", "needles"])
def test_the_report_is_that_of_folders(store: Store, tmp_path: Path, kept: tuple[Side, ...]) -> None:
    """To the byte but for the names of the roots, whichever side lies in memory; each object was asked for."""
    hay, needles = build_tree(tmp_path / "hay", HAY), build_tree(tmp_path / "needles", NEEDLES)
    on_disk = make_settings(haystack=[str(hay)], needles=[str(needles)], no_cache=True, workers=2)
    expected = in_words(pipeline.scan(on_disk)).replace(f"{tmp_path}/", "mem:")
    roots = tuple(root for root in on_disk.roots if root.side in kept)
    found = run(store, replace(on_disk, roots=roots), *(side for side in Side if side not in kept))
    assert expected == in_words(found).replace(f"{tmp_path}/", "mem:")
    states = {file.path.rpartition("/")[2]: (file.state.value, file.evidence) for file in found.files}
    assert states["copy of a.jpg"] == ("present", "identical")
    assert states["saved again.jpg"] == ("present", "same")
    assert (states["new.jpg"][0], states["broken.jpg"][0]) == ("missing", "unreadable")
    assert {folder.path.rpartition("/")[2]: folder.state.value for folder in found.folders}["all"] == "contained"
    assert store.asked


def test_paranoid_reads_again(store: Store) -> None:
    """Past every cache, in whatever process."""
    report = run(store, settings(paranoid=True), Side.HAYSTACK, Side.NEEDLES)
    assert ["present"] * 3 == [file.state.value for file in report.files if "/all/" in file.path]


@pytest.mark.slow
def test_what_was_read_is_remembered(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched again, with an answer that is remembered or without; what has another tag is."""
    options = settings(tmp_path / "cache.sqlite")
    sides = Side.HAYSTACK, Side.NEEDLES
    first = run(store, options, *sides)
    store.asked.clear()
    assert in_words(first) == in_words(run(store, options, *sides))
    monkeypatch.setattr("dupfind.cache.result_cache.ResultCache.recall", lambda _: None)
    assert in_words(first) == in_words(run(store, options, *sides))
    assert [] == store.asked
    store.put("needles", {"some/new.jpg": saved(3, 80)}, OLD_NS + 1)
    report = run(store, options, *sides)
    assert {"/needles/some/new.jpg"} == {path for path in store.asked if "needles" in path}
    assert {"present"} == {file.state.value for file in report.files if file.path.endswith("new.jpg")}


FINAL_CHECKS: Mapping[str, tuple[Change, dict[str, str], list[str]]] = {
    "nothing": (lambda _: None, {}, []),
    "a needle has changed": (
        lambda store: store.put("needles", {"all/notes.txt": b"other words"}, OLD_NS + 1),
        {"notes.txt": CHANGED},
        [],
    ),
    "a needle has gone": (
        lambda store: store.buckets["needles"].pop("all/notes.txt") and None,
        {"notes.txt": f"{CHANGED}: it is no longer found there"},
        [],
    ),
    "a needle came": (
        lambda store: store.put("needles", {"all/late.txt": b"more"}),
        {},
        ["came while dupfind ran: not looked at"],
    ),
    "a witness has changed": (
        lambda store: store.put("hay", {"2006/b.jpg": saved(5)}),
        {"saved again.jpg": f"its witness {CHANGED}"},
        [CHANGED],
    ),
    "a witness has gone": (
        lambda store: store.buckets["hay"].pop("2006/a.jpg") and None,
        {"copy of a.jpg": f"its witness {CHANGED}"},
        [CHANGED],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FINAL_CHECKS)
def test_the_final_check(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is not any more what was listed neither is present nor proves anything, and nothing around it is whole."""
    change, lost, told = FINAL_CHECKS[name]
    real = pipeline.find_matches

    def find_and_change(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        change(store)
        return findings

    monkeypatch.setattr(pipeline, "find_matches", find_and_change)
    report = run(store, settings(), Side.HAYSTACK, Side.NEEDLES)
    reasons = {
        file.path.rpartition("/")[2]: sentences(file.reasons)
        for file in report.files
        if "/all/" in file.path and file.state.value != "present"
    }
    assert lost == reasons
    assert told == [problem.reason for problem in report.problems if problem.reason in told]
    verdicts = {folder.path: folder.state.value for folder in report.folders}
    assert (verdicts["mem:needles/all"] == "contained") == (name == "nothing")


def test_what_changes_before_it_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not what was listed: the worker sees it by the tag."""
    real = pipeline.find_matches

    def change_and_find(*values: Any, **options: Any) -> Any:
        store.put("hay", {"2007/notes.txt": b"sdrow"})
        return real(*values, **options)

    monkeypatch.setattr(pipeline, "find_matches", change_and_find)
    report = run(store, settings(), Side.HAYSTACK, Side.NEEDLES)
    assert {"missing"} == {file.state.value for file in report.files if file.path.endswith("all/notes.txt")}
    assert ("mem:hay/2007/notes.txt", "changed while it was read") in {
        (one.path, one.reason) for one in report.problems
    }


def test_nothing_proves_itself(store: Store) -> None:
    """The same bucket on both sides: by its paths, whatever else is alike."""
    more = [Bucket(store, "needles", Side.NEEDLES, 1), Bucket(store, "needles", Side.HAYSTACK, 2)]
    report = pipeline.scan_run(Run(settings(), more=more)).report
    assert "present" not in {file.state.value for file in report.files}
    assert len(NEEDLES) == sum(problem.reason == "left out: it is among the needles" for problem in report.problems)


def test_a_stored_entry_is_no_file_on_disk(store: Store, tmp_path: Path) -> None:
    """Equal names, sizes and times say nothing where the system knows only one of the two."""
    path = build_tree(tmp_path / "d", {"notes.txt": b"words"}) / "notes.txt"
    on_disk = FileEntry(str(path), 5, OLD_NS, OLD_NS, 3)
    stored, same = entry(store, "hay", "2007/notes.txt")._replace(inode=3), SameFile()
    assert not same.is_itself(stored, on_disk)
    assert not same.is_itself(on_disk, stored)
    assert not same.is_disguised(stored, on_disk)
    assert not same.is_disguised(on_disk, stored)
    assert same.is_itself(stored, stored)
    report = run(store, make_settings(haystack=[str(tmp_path / "d")], needles=None, no_cache=True), Side.NEEDLES)
    assert {"present"} == {file.state.value for file in report.files if file.path.endswith("notes.txt")}


def entry(store: Store, bucket: str, name: str) -> StoredEntry:
    """The entry of one object."""
    listing = Run(settings()).listing(pipeline.Excludes(()))
    entries = Bucket(store, bucket, Side.HAYSTACK).list_tree(listing).entries
    (found,) = (one for one in entries if one.path.endswith(name))
    assert isinstance(found, StoredEntry)
    return found


def test_an_entry_travels_with_what_it_needs(store: Store) -> None:
    """To another process, and under another name; it opens itself, and tells whether it still is what it was."""
    first = entry(store, "hay", "c.jpg")
    for other in (pickle.loads(pickle.dumps(first)), first._replace(path="elsewhere")):  # noqa: S301 - our own
        with open_entry(other) as file:
            assert HAY["c.jpg"] == file.read()
    assert len(pickle.dumps(first)) < 400
    assert first == entry_now(first, follow_symlinks=False)
    with pytest.raises(ChangedError), open_entry(first):
        store.put("hay", {"c.jpg": HAY["c.jpg"]}, OLD_NS + 1)
    assert first != entry_now(first, follow_symlinks=False)
    del store.buckets["hay"]["c.jpg"]
    assert entry_now(first, follow_symlinks=False) is None


def test_what_is_excluded_is_a_gap(store: Store) -> None:
    """As in any folder."""
    report = run(store, replace(settings(), excludes=("notes.txt",)), Side.HAYSTACK, Side.NEEDLES)
    assert ("mem:needles/all/notes.txt", True) in {(one.path, one.is_gap) for one in report.problems}
    assert "contained" not in {folder.state.value for folder in report.folders}


def test_the_order_of_sources(store: Store) -> None:
    """What is walked comes first, on each side in the order given."""
    folder = Root(Side.NEEDLES, "n", "/n", (1, 1))
    more = [Bucket(store, "hay", Side.HAYSTACK), Bucket(store, "needles", Side.NEEDLES)]
    sources = Run(replace(settings(), roots=(folder,)), more=more).sources
    assert [folder, more[1].root] == [source.root for source in sources.needles]
    assert Sources((), ()) == in_order([])
    assert [more[0]] == list(sources.walked(are_walked=False).haystack)


def test_what_may_change_alone_is_not_remembered(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is kept for entries that say when they change; files are read through the cache all the same."""
    options = settings(tmp_path / "cache.sqlite")
    run(store, options, Side.HAYSTACK, Side.NEEDLES)
    found: list[bool] = []
    real = pipeline.find_matches
    monkeypatch.setattr(
        pipeline, "find_matches", lambda *values, **options: found.append(True) or real(*values, **options)
    )
    run(store, options, Side.HAYSTACK, Side.NEEDLES)
    assert [] == found
    monkeypatch.setattr(Bucket, "is_remembered", False)
    run(store, options, Side.HAYSTACK, Side.NEEDLES)
    assert [True] == found


@pytest.fixture
def no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that has no flags for links and for pipes."""
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):
        monkeypatch.delattr(entries.os, name, raising=False)


@pytest.mark.usefixtures("no_flags")
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT])
def test_links_and_pipes_are_not_opened(tmp_path: Path, flags: int) -> None:
    """Nor is anything made where a link leads; a file is opened, and made where that is asked for."""
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, number in (("link", errno.ELOOP), ("dangling", errno.ELOOP), ("pipe", errno.EINVAL)):
        with pytest.raises(OSError, match=r".") as caught:
            open_unfollowed(str(tmp_path / name), flags)
        assert number == caught.value.errno
    assert not (tmp_path / "nowhere").exists()
    handle = open_unfollowed(str(tmp_path / "file"), flags)
    assert b"kept" == os.read(handle, 9)
    os.close(handle)
    if flags & os.O_CREAT:
        os.close(open_unfollowed(str(tmp_path / "new"), flags))
        assert (tmp_path / "new").exists()
    else:
        with pytest.raises(FileNotFoundError):
            open_unfollowed(str(tmp_path / "new"), flags)


@pytest.mark.usefixtures("no_flags")
@pytest.mark.parametrize("before", ["nothing", "file"])
@pytest.mark.parametrize("after", ["link", "dangling", "file"])
def test_what_comes_between_a_look_and_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    """A link that is put there then is not followed; a file that another run has made there is taken."""
    path = tmp_path / "cache"
    (tmp_path / "letter").write_bytes(b"my only copy")
    if before == "file":
        path.write_bytes(b"old")
    true_open = os.open
    has_swapped = False

    def swap() -> None:
        path.unlink(missing_ok=True)
        if after == "file":
            path.write_bytes(b"of another run")
        else:
            path.symlink_to("letter" if after == "link" else "nowhere")

    def swap_and_open(*words: Any, **options: Any) -> int:
        nonlocal has_swapped
        if not has_swapped:
            has_swapped = True
            swap()
        return true_open(*words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(entries.os, "open", swap_and_open)
        if after == "file":
            os.close(open_unfollowed(str(path), os.O_RDWR | os.O_CREAT))
        else:
            with pytest.raises(OSError, match=r"."):
                open_unfollowed(str(path), os.O_RDWR | os.O_CREAT)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("no_flags")
def test_a_link_that_is_gone_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened through it is not what lies there, and is closed."""
    path = tmp_path / "cache"
    path.write_bytes(b"old")
    (tmp_path / "letter").write_bytes(b"my only copy")
    true_open = os.open
    opened: list[int] = []

    def open_another(name: str, *words: Any, **options: Any) -> int:
        opened.append(true_open(name.replace("cache", "letter"), *words, **options))
        return opened[-1]

    with monkeypatch.context() as patch:
        patch.setattr(entries.os, "open", open_another)
        with pytest.raises(OSError, match="it was replaced as it was opened"):
            open_unfollowed(str(path), os.O_RDONLY)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(opened[0])
