"""Values: the little that they say of themselves."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from dupfind import values
from dupfind.values import (
    Evidence,
    FileEntry,
    FileState,
    FileVerdict,
    FolderState,
    FolderVerdict,
    HaystackSummary,
    Kind,
    Match,
    Problem,
    Report,
    Root,
    ScanSettings,
    Side,
    Thumbnail,
)

GAP = Problem("n/link", Side.NEEDLES, "walk", "symbolic link: not followed")


def verdict(state: FileState, **changes: object) -> FileVerdict:
    """The verdict on a file that was found unless changed."""
    present = FileVerdict("n/a", Kind.IMAGE, state, 10, Evidence.SAME, "hay/a", 4)
    return present._replace(**changes)  # type: ignore[arg-type]


def report(*states: FileState, problems: tuple[Problem, ...] = ()) -> Report:
    """A report on files with these verdicts."""
    settings = ScanSettings(("hay",), ("n",), "phash", 8, Evidence.SAME, rotations=True)
    files = [verdict(state) for state in states]
    return Report("1", "2024-01-01T00:00:00+00:00", 1.0, settings, [], files, list(problems), HaystackSummary(0, 0, 0))


def test_evidence_is_ranked_from_the_strongest() -> None:
    """``identical`` > ``same`` > ``similar``: a lower rank is stronger."""
    assert [Evidence.IDENTICAL, Evidence.SAME, Evidence.SIMILAR] == sorted(Evidence, key=lambda one: one.rank)
    assert [0, 1, 2] == [Evidence(name).rank for name in ("identical", "same", "similar")]


def test_words_are_those_of_the_report() -> None:
    """The values of the enumerations are the words of the contract."""
    assert ["present", "similar", "missing", "unreadable", "unwanted", "empty"] == list(FileState)
    assert {"contained", "review", "partial", "missing"} == set(FolderState)
    assert (["haystack", "needles"], ["image", "other"]) == (list(Side), list(Kind))


@pytest.mark.parametrize(
    ("distance_bits", "score"), [(0, 1.0), (None, 1.0), (1, 0.984375), (4, 0.9375), (32, 0.5), (64, 0.0)]
)
def test_score(distance_bits: int | None, score: float) -> None:
    """``1 - distance / 64``; identical bytes have no distance and the score 1."""
    assert score == verdict(FileState.PRESENT, distance_bits=distance_bits).score


def test_no_witness_has_no_score() -> None:
    """A missing file has no score, not even 0."""
    assert verdict(FileState.MISSING, witness=None, distance_bits=None).score is None


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (GAP, True),
        (GAP._replace(is_note=True), False),
        (GAP._replace(side=Side.HAYSTACK), False),
        (GAP._replace(side=Side.HAYSTACK, is_note=True), False),
        (GAP._replace(stage="thumbnail"), False),
        (GAP._replace(stage="digest"), False),
    ],
)
def test_a_gap_is_what_was_passed_over_among_needles(problem: Problem, expected: bool) -> None:
    """Problems of later stages belong to a file with a verdict; the haystack's gaps merely prove nothing."""
    assert expected is problem.is_gap


def test_a_report_is_complete_when_every_file_is_present() -> None:
    """One file that is not present makes it incomplete, unless nobody wants it; no files at all are complete."""
    assert report().is_complete
    assert report(FileState.PRESENT, FileState.PRESENT).is_complete
    assert report(FileState.PRESENT, FileState.UNWANTED).is_complete
    for state in (FileState.SIMILAR, FileState.MISSING, FileState.UNREADABLE):
        assert not report(FileState.PRESENT, state, FileState.PRESENT).is_complete


def test_a_gap_makes_a_report_incomplete() -> None:
    """What was not looked at may be missing; notes and the haystack's problems change nothing."""
    harmless = [GAP._replace(side=Side.HAYSTACK), GAP._replace(is_note=True), GAP._replace(stage="thumbnail")]
    assert report(FileState.PRESENT, problems=tuple(harmless)).is_complete
    assert not report(FileState.PRESENT, problems=(*harmless, GAP)).is_complete
    assert not report(problems=(GAP,)).is_complete


@pytest.mark.parametrize(
    ("given", "real", "path", "expected"),
    [
        (".", "/home/me", "/home/me/a/b", "./a/b"),
        (".", "/home/me", "/home/me", "."),
        ("dir", "/home/me/dir", "/home/me/dir/a", "dir/a"),
        ("/", "/", "/a/b", "/a/b"),
        ("/", "/", "/", "/"),
        ("/mnt/a", "/mnt/a", "/mnt/a", "/mnt/a"),
        ("link", "/", "/a", "link/a"),
        ("..", "/home", "/home/x", "../x"),
        ("a/../b", "/home/b", "/home/b/b/b", "a/../b/b/b"),
        ("n", "/n", "/n/\udcff\n", "n/\udcff\n"),
        ("-n", "/x/-n", "/x/-n/-f", "-n/-f"),
    ],
)
def test_shown_is_the_root_as_given_joined_with_the_rest(given: str, real: str, path: str, expected: str) -> None:
    """Whatever the root is really called, reports spell it as the user did."""
    assert expected == Root(Side.NEEDLES, given, real, (1, 2)).shown(path)


def test_a_folder_counts_its_files() -> None:
    """Every file has one verdict; what was skipped is no file."""
    assert 10 == FolderVerdict("n", FolderState.PARTIAL, 1, 2, 3, 4, 5, 0, is_shown=True).files


def test_size_in_pixels() -> None:
    """The number of pixels is that of the whole picture, not of the thumbnail."""
    assert 12_000_000 == Thumbnail(bytes(64 * 64), 4000, 3000, "JPEG", 1, None).size_pixels


def test_orientations() -> None:
    """Half of the eight orientations mirror, the upright one does not, half exchange width and height."""
    assert (8, 4, 4) == (values.ORIENTATIONS, len(values.MIRRORED), values.FIRST_TRANSPOSED)
    assert {1, 3, 4, 6} == {exif - 1 for exif in (2, 4, 5, 7)} == set(values.MIRRORED)


def test_values_travel_between_processes_and_cannot_be_changed() -> None:
    """Values are plain: they survive pickling, carry no dictionary and refuse new contents."""
    for value in (
        FileEntry("/n/\udcff", 1, 2, 3, 4),
        Match("/hay/a", Evidence.SAME, 3),
        Thumbnail(b"", 1, 1, "PNG", 1, None),
        verdict(FileState.SIMILAR),
        GAP,
        report(FileState.MISSING),
    ):
        assert value == pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes
        assert not hasattr(value, "__dict__")
        name = dataclasses.fields(value)[0].name if dataclasses.is_dataclass(value) else value._fields[0]
        with pytest.raises(AttributeError):
            setattr(value, name, None)
