"""Files that are listed by their paths: what a walk would leave out of them is left out, and nothing else."""

from __future__ import annotations

import pytest

from dupfind.sources.ignore import Excludes
from dupfind.sources.listed_paths import is_junk_path, is_left_behind, why_path_excluded, why_path_not_trusted

APPLEDOUBLE = bytes.fromhex("0005160700020000") + bytes(16) + bytes(2)


@pytest.mark.parametrize("below", [".BridgeCache", "a/.bridgecachet", ".fseventsd/a.jpg", "a/b/.AppleDouble/c/d.jpg"])
def test_junk_by_any_name_on_the_way(below: str) -> None:
    """A folder that is junk takes what is in it along."""
    assert is_junk_path(below, is_haystack=False)
    assert is_junk_path(below, is_haystack=True)
    assert not is_junk_path(f"{below}/c.jpg".replace(".", "_"), is_haystack=True)


@pytest.mark.parametrize("below", ["x.photoslibrary/originals/a.jpg", ".hidden/a.jpg", "a/.Trash-1000/files/b.jpg"])
def test_nothing_on_the_way_to_what_proves_something_is_on_its_way_out(below: str) -> None:
    """Nobody reads the trash of a library that is packed, and hidden names are not trusted."""
    assert why_path_not_trusted(below)
    assert why_path_not_trusted(f"2019/{below}")
    assert why_path_not_trusted("2019/x/a.jpg") is None


def test_patterns_know_the_path_below_the_root() -> None:
    """A pattern with a slash is about the whole way, one without about any name on it."""
    excludes = Excludes(["raw", "/old/*.zip/b"])
    assert "excluded by --exclude raw" in (why_path_excluded("a/raw/c.jpg", excludes) or "")
    assert why_path_excluded("b/c.jpg", excludes, "old/x.zip") is not None
    assert why_path_excluded("b/c.jpg", excludes) is None
    assert why_path_excluded("a/raw/c.jpg", Excludes([])) is None


def test_left_behind_by_content() -> None:
    """A name alone is not enough, and what cannot be read is not overlooked."""
    read: list[int] = []

    def head(size_bytes: int) -> bytes:
        read.append(size_bytes)
        return APPLEDOUBLE

    assert is_left_behind("a/._b.jpg", len(APPLEDOUBLE), set(), head)
    assert not is_left_behind("a/._b.jpg", 5_000_000, set(), head)
    assert not is_left_behind("a/._b.jpg", len(APPLEDOUBLE), set(), lambda _: b"")
    read.clear()
    assert not is_left_behind("a/b.jpg", len(APPLEDOUBLE), set(), head)
    assert [] == read


@pytest.mark.parametrize("folder", ["", "2019/"])
def test_a_companion_has_to_lie_beside_and_hold_something(folder: str) -> None:
    """A camera's still of a film is left behind only beside the film."""
    jpeg = b"\xff\xd8\xff\xe1" + bytes(100)
    assert is_left_behind(f"{folder}MVI_1.THM", len(jpeg), {f"{folder}mvi_1.avi"}, lambda count: jpeg[:count])
    assert not is_left_behind(f"{folder}MVI_1.THM", len(jpeg), {"elsewhere/mvi_1.avi"}, lambda count: jpeg[:count])
    assert not is_left_behind(f"{folder}MVI_1.THM", len(jpeg), set(), lambda count: jpeg[:count])
