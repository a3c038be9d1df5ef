"""Films that were encoded anew, cut or changed: found, said to be `similar` at most, and remembered."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

import av

from benchmarks.film_kinds import Clip, Encoding, part_of, turned, write
from dupfind import libraries
from dupfind.pictures import film_frames
from dupfind.pictures.film_packets import BrokenError
from dupfind.pool import film_pairs, film_prints
from dupfind.pool.processes import Death
from dupfind.reasons import Reason
from dupfind.reasons import ReasonCode as Code
from dupfind.report.reasons import sentences
from dupfind.values import FileEntry, FileVerdict
from tests.helpers.clips import COARSE, SMALL, clip, content
from tests.helpers.decisions import word
from tests.helpers.jpegs import jpeg
from tests.helpers.scans import scan, states

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]


def verdict(haystack: Path, needles: Path, **options: Any) -> FileVerdict:
    """The only one."""
    (found,) = scan(haystack, needles, **options).files
    return found


def codes(found: FileVerdict) -> list[str]:
    """All that is said."""
    return [reason.code.value for reason in found.reasons]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is decoded, by the name of the function that does it."""
    calls: list[str] = []

    def watched(name: str) -> Callable[..., Any]:
        real = getattr(film_frames, name)

        def call(*args: Any) -> Any:
            calls.append(name)
            return real(*args)

        return call

    for name in ("read_key_frames", "read_thumbnails", "read_track"):
        monkeypatch.setattr(film_frames, name, watched(name))
    return calls


@pytest.fixture
def hay(tree: TreeBuilder) -> Path:
    """Two films."""
    return tree("hay", {"a.mp4": content(), "b.mp4": content(2)})


def changed(of: Clip) -> Clip:
    """With a box for 0.4 s."""
    pictures = of.pictures.copy()
    pictures[12:16, 20:36, 40:56] = np.where(pictures[12:16, 20:36, 40:56].mean() > 128, 10, 245)
    return of._replace(pictures=pictures)


@pytest.mark.slow
def test_a_film_that_was_encoded_anew(tree: TreeBuilder, hay: Path) -> None:
    """It is similar, says so, and keeps its folder from being contained, whatever is accepted."""
    needles = tree("needles", {"n.mov": content(1, COARSE._replace(container="mov"))})
    for accept in ("same", "similar"):
        report = scan(hay, needles, accept=accept)
        (found,) = report.files
        assert ("similar", "similar", "re-encoded-film") == (found.state, found.evidence, codes(found)[0])
        assert str(found.witness).endswith("hay/a.mp4")
        assert 0.8 < (found.score or 0) <= 1
        assert "review" == report.folders[0].state
        assert str(sentences(found.reasons)).startswith("the same film, encoded anew")


def test_a_smaller_film_in_the_haystack_is_the_worse_copy(tree: TreeBuilder) -> None:
    """What is worse about the witness is said, and the needle counts as the better one."""
    hay = tree("hay", {"a.mp4": content(1, COARSE._replace(size=(64, 42), options=SMALL.options, bit_rate=0))})
    found = verdict(hay, tree("needles", {"n.mov": content()}))
    assert ["re-encoded-film", "film-smaller"] == codes(found)
    assert (64, 42, 96, 64) == found.reasons[1].facts


@pytest.mark.slow
def test_a_part_and_a_change(tree: TreeBuilder, hay: Path) -> None:
    """Each with its times."""
    needles = tree("needles", {
        "part.mp4": write(part_of(clip(), 0.5, 2.5), SMALL),
        "box.mp4": write(changed(clip()), COARSE),
        "silent.mp4": write(clip()._replace(sound=None), COARSE),
        "other.mp4": content(3),
    })  # fmt: skip
    found = {os.path.basename(one.path): one for one in scan(hay, needles).files}
    assert Reason(Code.FILM_WITHIN, (0.5, 2.5)) == found["part.mp4"].reasons[1]
    assert (Reason(Code.FILM_CHANGED), Reason(Code.FILM_SCENE, (1.2, 1.6))) == found["box.mp4"].reasons[:2]
    assert ["film-changed", "needle-without-sound"] == codes(found["silent.mp4"])[:2]
    assert ("missing", ()) == (found["other.mp4"].state, found["other.mp4"].reasons)


def test_a_film_that_lies_on_its_side(tree: TreeBuilder, hay: Path) -> None:
    """It is found as pictures are, and not by who does not want turned ones."""
    needles = tree("needles", {"n.mp4": write(turned(clip()), SMALL)})
    assert ["re-encoded-film", "turned"] == codes(verdict(hay, needles))
    assert "missing" == verdict(hay, needles, rotations=False).state


def barred(of: Clip, above: int, below: int, left: int = 0, right: int = 0) -> Clip:
    """With black bars, in pixels."""
    return of._replace(pictures=np.pad(of.pictures, ((0, 0), (above, below), (left, right), (0, 0))))


@pytest.mark.slow
def test_black_bars(tree: TreeBuilder, hay: Path) -> None:
    """Above and below, of two sizes, at the sides, in a film that lies on its side; and of the haystack's copy."""
    of = clip()
    titled = barred(of, 10, 14)
    titled.pictures[12:16, 2:8, 20:60] = 255
    needles = tree(
        "needles",
        {
            "above.mp4": write(barred(of, 12, 12), SMALL),
            "sides.mp4": write(barred(of, 0, 0, 20, 12), SMALL),
            "turned.mp4": write(turned(barred(of, 10, 14)), SMALL),
            "titled.mp4": write(titled, SMALL),
            "box.mp4": write(barred(changed(of), 12, 12), SMALL),
        },
    )
    found = {os.path.basename(file.path): codes(file) for file in scan(hay, needles).files}
    assert ["re-encoded-film", "film-bars"] == found["above.mp4"] == found["sides.mp4"]
    assert ["re-encoded-film", "turned", "film-bars"] == found["turned.mp4"]
    assert ["film-changed", "scene-differs", "film-bars"] == found["titled.mp4"] == found["box.mp4"]
    with_bars = tree("barred", {"a.mp4": write(barred(of, 12, 12), SMALL)})
    assert ["re-encoded-film", "witness-film-bars"] == codes(
        verdict(with_bars, tree("n", {"a.mp4": content(1, COARSE)}))
    )


@pytest.mark.slow
def test_another_brightness_and_another_speed(tree: TreeBuilder, hay: Path) -> None:
    """Are found, and said to be changed."""
    of = clip()
    bright = of._replace(pictures=(of.pictures * 0.8 + 50).astype(np.uint8))
    fast = of._replace(rate=of.rate * 2 / 3, sound=None)
    found = codes(verdict(hay, tree("bright", {"n.mp4": write(bright, SMALL)})))
    assert ["film-changed", "film-tone"] == found
    assert ["film-changed", "film-speed"] == codes(verdict(hay, tree("fast", {"n.mp4": write(fast, SMALL)})))[:2]


@pytest.mark.slow
def test_other_subtitles(tree: TreeBuilder) -> None:
    """They are said to differ; equal ones are not told of."""
    hay = tree("hay", {"a.mkv": subtitled("Hello")})
    assert ["film-changed", "subtitles-differ"] == codes(verdict(hay, tree("n1", {"n.mkv": subtitled("You", COARSE)})))[
        :2
    ]
    assert ["film-changed", "subtitles-differ"] == codes(verdict(hay, tree("n2", {"n.mp4": content(1, COARSE)})))[:2]
    assert "re-encoded-film" == codes(verdict(hay, tree("n3", {"n.mkv": subtitled("Hello", COARSE)})))[0]


def subtitled(text: str, encoding: Encoding = SMALL) -> bytes:
    """The film with one subtitle."""
    srt = f"1\n00:00:00,500 --> 00:00:01,500\n{text}\n\n".encode()
    file = io.BytesIO()
    sources: list[Any] = [av.open(io.BytesIO(content(1, encoding))), av.open(io.BytesIO(srt), format="srt")]
    out: Any = av.open(file, "w", format="matroska")
    packets = []
    for source in sources:
        copies = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        packets += [(copies[packet.stream_index], packet) for packet in source.demux() if packet.size]
    for copy, packet in sorted(packets, key=lambda part: float(part[1].dts * part[1].time_base)):
        packet.stream = copy
        out.mux(packet)
    for container in (out, *sources):
        container.close()
    return file.getvalue()


def test_what_is_proved_is_not_decoded(tree: TreeBuilder, hay: Path, decoded: list[str]) -> None:
    """Neither where the bytes are equal, nor the packets, nor where there is no film to be compared with."""
    assert "present" == verdict(hay, tree("n1", {"n.mp4": content()})).state
    assert "missing" == verdict(tree("h2", {"a.txt": b"1"}), tree("n2", {"n.mp4": content()})).state
    assert "missing" == verdict(hay, tree("n3", {"n.mp3": b"ID3"})).state
    assert "missing" == verdict(hay, tree("n4", {"n.mov": content(1, COARSE)}), quick=True).state
    assert [] == decoded


def test_without_the_extra(tree: TreeBuilder, hay: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Films are compared by their bytes, and the summary says so."""
    monkeypatch.setattr(libraries, "can_read_films", lambda: False)
    report = scan(hay, tree("needles", {"n.mov": content(1, COARSE)}))
    assert (["missing"], 1, []) == ([one.state for one in report.files], report.films_by_bytes, decoded)


@pytest.mark.slow
def test_what_a_person_has_split(tree: TreeBuilder, hay: Path) -> None:
    """A film that is said to differ is no witness, and another one may be."""
    needles = tree("needles", {"n.mov": content(1, COARSE)})
    (hay / "c.mp4").write_bytes(content(1, SMALL._replace(gop=5)))
    from dupfind import pipeline
    from tests.helpers.scans import one_thread, settings

    first = verdict(hay, needles)
    decision = word("different", needles / "n.mov", Path(str(first.witness)))
    scanned = pipeline.scan_trees(settings(hay, needles), make_executor=one_thread, decisions=[decision])
    (found,) = scanned.report.files
    assert found.witness not in (None, first.witness)


@pytest.mark.slow
def test_a_warm_run_decodes_nothing(tree: TreeBuilder, hay: Path, tmp_path: Path, decoded: list[str]) -> None:
    """Neither where nothing has changed, nor where another film has come, of which alone something is decoded."""
    needles = tree("needles", {"n.mov": content(1, COARSE), "o.mov": content(3)})
    for path in (*hay.iterdir(), *needles.iterdir()):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    chosen = {"cache": str(tmp_path / "cache.sqlite")}
    wait_until_old(needles)
    cold = states(scan(hay, needles, **chosen))
    assert {"read_key_frames": 2, "read_thumbnails": 2, "read_track": 2} == {
        name: decoded.count(name) for name in decoded
    }
    decoded.clear()
    assert cold == states(scan(hay, needles, **chosen))
    assert [] == decoded
    (needles / "p.mov").write_bytes(content(4))
    assert {**cold, "p.mov": "missing"} == states(scan(hay, needles, **chosen))
    assert ["read_thumbnails"] == decoded


def wait_until_old(folder: Path) -> None:
    """What was just written is not remembered."""
    import time

    from dupfind.cache.racy import RACY_NS

    newest = max(os.stat(path).st_ctime_ns for path in folder.iterdir())
    time.sleep(max(0.0, (newest + RACY_NS - time.time_ns()) / 1e9 + 0.05))


@pytest.mark.slow
def test_a_scan_without_films_loads_nothing(tree: TreeBuilder) -> None:
    """Neither PyAV nor what compares films, with pictures that all are there or none of them."""
    pictures = [jpeg(1), jpeg(2)]
    hay, needles = tree("hay", {"a.mp4": content(), "a.jpg": pictures[0]}), tree("n", {"n.jpg": pictures[1]})
    program = (
        "import sys; from pathlib import Path; from tests.helpers.scans import scan; "
        f"scan(Path({str(hay)!r}), Path({str(needles)!r})); "
        "print([name for name in sys.modules if name == 'av' or 'like_film' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


def test_what_is_not_decoded() -> None:
    """A list of other files, however it is called; a film whose frames are larger than allowed."""
    for text in (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n", b""):
        assert film_frames.read_track(io.BytesIO(text), 10**9) is None
        assert film_frames.read_key_frames(io.BytesIO(text), 10**9) is None
        with pytest.raises(BrokenError):
            list(film_frames.read_thumbnails(io.BytesIO(text), 10**9))
    entry = FileEntry("/n/a.mp4", 1, 1, 1, 1)
    with pytest.raises(BrokenError, match="6,144 pixels are more than --max-pixels allows"):
        list(film_frames.read_thumbnails(io.BytesIO(content()), 96 * 64 - 1))
    assert 30 == len(prints(entry, content(), 96 * 64).frames.seconds)  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [-2, 3, -(1 << 31)])
def test_bytes_that_are_no_print(count: int) -> None:
    """Are an error, never frames that are read from anywhere."""
    with pytest.raises(ValueError, match=r"no print of a film|buffer"):
        film_prints.unpacked(struct.pack("<iiii", -1, count, -1, -1) + bytes(24))


def prints(entry: FileEntry, film: bytes, max_pixels: int) -> film_prints.FilmPrint:
    """Every frame of a film, hashed."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(film)
        file.flush()
        status = os.stat(file.name)
        there = FileEntry(file.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        (outcome,) = film_prints.read_frames([there], max_pixels, 60)
    assert isinstance(outcome.result, bytes)
    return film_prints.unpacked(outcome.result)


def test_a_film_of_too_many_frames(tree: TreeBuilder, hay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and nobody says that it was compared."""
    monkeypatch.setattr(film_frames, "MOST_FRAMES", 20)
    report = scan(hay, tree("needles", {"n.mov": content(1, COARSE)}))
    assert ["missing"] == [one.state for one in report.files]
    assert ["a film of too many frames"] == [problem.reason for problem in report.problems]


def test_a_film_whose_decoder_dies(tree: TreeBuilder, hay: Path) -> None:
    """It took too long for its size, or crashed: that is said of it."""
    entry = FileEntry("/n/a.mp4", 1 << 20, 1, 1, 1)
    assert 64 == film_prints.seconds_for(entry, 60)
    assert 128 == film_pairs.pair_seconds(film_pairs.FilmPair(entry, entry, 0, 0.0), 60)
    from dupfind.matching.film_reading import _lost, _not_likened

    death = Death(1.0, shortage="not enough memory")
    outcome, likened = _lost(60, entry, death), _not_likened(60, film_pairs.FilmPair(entry, entry, 0, 0.0), death)
    assert "not enough memory" == outcome.result.reason  # type: ignore[union-attr]
    assert (("not enough memory",), False) == (likened.reason.facts, likened.is_lasting)


def test_a_film_that_breaks_off(tree: TreeBuilder) -> None:
    """What is left of it is found."""
    whole = content(
        1, SMALL._replace(container="mpegts", codec="mpeg2video", audio="mp2", options=(), bit_rate=400_000)
    )
    hay = tree("hay", {"a.ts.mpg": whole})
    found = verdict(hay, tree("needles", {"n.mpg": whole[: len(whole) * 3 // 4]}))
    assert "similar" == found.state


@pytest.mark.slow
def test_every_command_says_the_same(tree: TreeBuilder, hay: Path) -> None:
    """`find`, `explain`, `compare` and `groups` know what the scan found, and none takes it for a proof."""
    from dupfind.answers.hash import Given
    from dupfind.commands.comparing import compare_files
    from dupfind.commands.explain import explain
    from dupfind.finding.finding import find_images, wanted
    from dupfind.grouping.grouping import groups
    from dupfind.settings import make_settings
    from dupfind.sources.roots import named_file
    from dupfind.values import Evidence
    from tests.helpers.scans import one_thread

    needles = tree("n", {"n.mov": content(1, COARSE), "o.mov": content(3)})
    files = [named_file(str(needles / name)) for name in ("n.mov", "o.mov")]
    scanned = {os.path.basename(one.path): one for one in scan(hay, needles).files}
    chosen = make_settings(haystack=[str(hay)], no_cache=True, accept="similar")
    sought = find_images(
        chosen, [Given(file.given, file) for file in files], wanted(5, None), make_executor=one_thread
    ).sought
    (near,) = sought[0].nearest
    assert (near.path, near.evidence, near.is_witness) == (scanned["n.mov"].witness, Evidence.SIMILAR, False)
    assert ((), False) == (tuple(sought[1].nearest), sought[0].is_seen)
    explained = explain(chosen, files, 5, make_executor=one_thread).explanations
    assert scanned["n.mov"] == explained[0].verdict
    assert explained[0].advice is not None
    assert Reason(Code.FILM_NEVER_SAME) == explained[0].advice.obstacle
    pair = compare_files(chosen, [files[0], named_file(str(hay / "a.mp4"))], make_executor=one_thread).pairs[0]
    assert (Evidence.SIMILAR, near.reason) == (pair.first_by_other.evidence, pair.first_by_other.reason)
    together = make_settings(haystack=[str(hay), str(needles)], called="", no_cache=True)
    assert [] == groups(together, Evidence.SAME, make_executor=one_thread).groups
    (group,) = groups(together, Evidence.SIMILAR, make_executor=one_thread).groups
    assert [("a.mp4", None), ("n.mov", Evidence.SIMILAR)] == [
        (os.path.basename(member.path), member.evidence) for member in group.members
    ]


@pytest.mark.slow
def test_a_group_of_films(tree: TreeBuilder) -> None:
    """With those of equal packets and bytes beside each, and none in two groups."""
    from dupfind.grouping.grouping import groups
    from dupfind.settings import make_settings
    from dupfind.values import Evidence
    from tests.helpers.films import remuxed
    from tests.helpers.scans import one_thread

    small = content(1, COARSE)
    folder = tree("f", {
        "a.mp4": content(), "b.mov": remuxed(content(), "mov"), "c.mp4": small, "d.mp4": small, "e.mp4": content(2),
        "f.mp4": write(part_of(clip(), 0.5, 2.5), COARSE), "g.mp4": content(3), "h.mp4": content(2, COARSE),
    })  # fmt: skip
    chosen = make_settings(haystack=[str(folder)], called="", no_cache=True)
    answer = groups(chosen, Evidence.SIMILAR, make_executor=one_thread)
    assert sorted([["a.mp4", "b.mov", "c.mp4", "d.mp4", "f.mp4"], ["e.mp4", "h.mp4"]]) == sorted(
        sorted(os.path.basename(member.path) for member in group.members) for group in answer.groups
    )


def test_a_page_shows_frames_of_both(tree: TreeBuilder, hay: Path) -> None:
    """Six of each film, upright, in two rows; a broken film has none, and a picture by content is a picture."""
    from PIL import Image

    from dupfind.commands.showing import show
    from dupfind.events import Silence
    from dupfind.pipeline import scan_trees
    from dupfind.pool.previews import read_preview
    from tests.helpers.scans import one_thread, settings

    needles = tree("n", {"n.mov": content(1, COARSE), "o.mov": content(3)})
    chosen = settings(hay, needles)
    scanned = scan_trees(chosen, make_executor=one_thread)
    trees = scanned.needles, scanned.haystack
    shown = show(chosen, scanned.report, trees, 9, Silence(), one_thread)
    for path in (str(needles / "n.mov"), str(hay / "a.mp4")):
        preview = shown.sights[path].preview
        assert preview is not None
        assert (96, 64) == (preview.width, preview.height)
        assert (3 * 97 - 1, 2 * 65 - 1) == Image.open(io.BytesIO(preview.data)).size
    assert shown.sights[str(needles / "o.mov")].preview is None
    named_otherwise = read_preview(io.BytesIO(jpeg(1)), "a.mov", 10**8)
    assert 0 < named_otherwise.width


def test_the_words_of_subtitles() -> None:
    """They are decoded, so that another container, which stores them otherwise, has the same."""
    track = film_frames.read_track(io.BytesIO(subtitled("You")), 10**9)
    assert track is not None
    assert ((0.5, "You"),) == track.subtitles


@pytest.mark.slow
def test_a_group_lets_no_film_go_that_only_looks_alike(
    tree: TreeBuilder, dupfind: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    """The best, the largest file, may be a part of what another one shows; an equal film beside it can go."""
    whole = content(1, COARSE)
    folder = tree("f", {"a.mp4": content(), "b.mp4": content(), "c.mp4": whole, "d.mp4": whole})
    listed = dupfind("groups", str(folder), "--accept", "similar", "--format", "paths").stdout.split()
    assert [b"b.mp4", b"d.mp4"] == sorted(os.path.basename(path) for path in listed)
    assert (
        b"but for 1 file that may hold what the best does not"
        in dupfind("groups", str(folder), "--accept", "similar").stdout
    )
