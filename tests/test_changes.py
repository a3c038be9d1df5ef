"""Changes against the obvious: two answers side by side."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.changes import Baseline, Changes, changes
from dupfind.values import Evidence, FileState, FolderState
from tests.helpers.reports import SETTINGS, file, folder, report

FOLDERS = ["n", "n/a", "n/a/x", "n/a/x/y", "n/a/z", "n/b", "n/b/x"]
STATES = st.dictionaries(st.sampled_from(FOLDERS), st.sampled_from(FolderState))
FILES = st.dictionaries(st.sampled_from([f"{one}/1.jpg" for one in FOLDERS]), st.sampled_from(FileState))


def compare(
    folders: dict[str, FolderState],
    files: dict[str, FileState],
    was: dict[str, FolderState],
    were: dict[str, FileState],
) -> Changes:
    """What changed from one answer to the other."""
    now = report([file(*one) for one in sorted(files.items())], [folder(*one) for one in sorted(folders.items())])
    return changes(now, Baseline("2026-11-20T03:00:00+00:00", {}, was, were))


@given(STATES, FILES, STATES, FILES)
def test_everything_that_is_otherwise_and_nothing_else(
    folders: dict[str, FolderState],
    files: dict[str, FileState],
    was: dict[str, FolderState],
    were: dict[str, FileState],
) -> None:
    """Of another verdict, new or gone."""
    found = compare(folders, files, was, were)
    for path in FOLDERS:
        is_new_or_other = path in folders and folders[path] != was.get(path)
        assert is_new_or_other == (path in found.folders)
    for path, state in files.items():
        assert (state != were.get(path)) == (path in found.files)
        assert found.files.get(path, were.get(path)) == were.get(path)
    assert sorted(set(were) - set(files)) == found.gone_files
    assert bool(found) == (folders != was or files != were)


@given(STATES, STATES)
def test_each_change_of_a_folder_is_shown(folders: dict[str, FolderState], was: dict[str, FolderState]) -> None:
    """Itself, or in a folder around it that went from the same to the same, as all between them did."""
    found = compare(folders, {}, was, {})
    for path, before in found.folders.items():
        around = path
        while around not in found.shown:
            around = os.path.dirname(around)
            assert (before, folders[path]) == (found.folders[around], folders[around])
    for path in set(was) - set(folders):
        assert any(path == gone or path.startswith(gone + "/") for gone in found.gone_folders)


def test_nothing_is_otherwise() -> None:
    """The same answer again."""
    same = {"n": FolderState.PARTIAL}, {"n/1.jpg": FileState.MISSING}
    assert not compare(*same, *same)


@given(STATES, FILES, STATES, FILES)
def test_each_change_of_a_file_is_told_by_its_folder_or_by_itself(
    folders: dict[str, FolderState],
    files: dict[str, FileState],
    was: dict[str, FolderState],
    were: dict[str, FileState],
) -> None:
    """Where the verdict of its own folder stays, nothing else would name it."""
    difference = compare(folders, files, was, were)
    for path in FOLDERS:
        is_same = path in folders and folders[path] is was.get(path)
        is_below_one_that_is_gone = any(
            path.startswith(f"{gone}/") for gone in difference.gone_folders
        )  # of no real tree
        if is_same and not is_below_one_that_is_gone and files.get(f"{path}/1.jpg") != were.get(f"{path}/1.jpg"):
            assert f"{path}/1.jpg" in {*difference.untold_files, *difference.untold_gone_files}
        if path in difference.folders:
            assert f"{path}/1.jpg" not in {*difference.untold_files, *difference.untold_gone_files}
    assert set(difference.untold_files) <= set(difference.files)
    assert set(difference.untold_gone_files) <= set(difference.gone_files)


def test_what_is_gone_with_its_folder_is_told_by_that() -> None:
    """However deep it lay."""
    state, missing = FolderState.MISSING, FileState.MISSING
    difference = compare(
        {"n": state}, {}, {"n": state, "n/a": state, "n/a/x": state}, {"n/a/x/1.jpg": missing, "n/1.jpg": missing}
    )
    assert (["n/a"], ["n/1.jpg"]) == (difference.gone_folders, difference.untold_gone_files)


def test_other_settings() -> None:
    """What decides verdicts; a setting that an older report did not know is taken to have been the same."""
    settings = replace(SETTINGS, accept=Evidence.SIMILAR, threshold_bits=4, haystack=("h", "i"), needles=("n\udcff",))
    answer = replace(report([]), settings=settings)
    known = {
        "accept": "same",
        "algorithm": "phash",
        "threshold_bits": 4,
        "haystack": ["i", "h"],
        "needles": ["n\ufffd"],
    }
    assert ("accept",) == changes(answer, Baseline("", known, {}, {})).other_settings
    known |= {"haystack": ["h"], "accept": "similar", "paranoid": True, "needles": ["m"]}
    assert ("haystack", "needles", "paranoid") == changes(answer, Baseline("", known, {}, {})).other_settings
    assert () == changes(answer, Baseline("", {}, {}, {})).other_settings
    assert ("haystack",) == changes(answer, Baseline("", {"haystack": 3}, {}, {})).other_settings
