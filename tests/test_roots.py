"""What the user named: files to entries, folders of commands without needles, and how paths are spelt back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.errors import SettingsError
from dupfind.overwriting import check_output
from dupfind.settings import make_settings
from dupfind.sources.roots import haystack_roots, named_file, spelling
from dupfind.values import Side

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]


@pytest.fixture(autouse=True)
def trees(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A haystack with a folder in it, a file beside it; the test's own folder is the working directory."""
    top = tree(".", {"hay/sub/a": b"12", "f": b"123"})
    monkeypatch.chdir(top)
    return top


def test_a_named_file_is_entered_as_a_walk_would(trees: Path) -> None:
    """Absolute path, size, times and inode; a link stands for what it leads to."""
    os.symlink("f", "link")
    found = os.stat("f")
    for given in ("f", "./f", "hay/../f", "link"):
        one = named_file(given)
        assert given == one.given
        assert (str(trees / "f"), 3, found.st_mtime_ns, found.st_ctime_ns, found.st_ino) == one.entry


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none", "none: no such file or directory"),
        ("f/x", "f/x: not a directory"),
        ("", "an empty path is no file"),
        ("hay", "hay is a folder: name its files here, or ask dupfind scan about the whole of it"),
        ("pipe", "pipe: not a regular file"),
        ("loop", "loop: too many levels of symbolic links"),
        ("a\0b", "embedded null"),
    ],
)
def test_what_is_no_file_is_refused(given: str, message: str) -> None:
    """Each with one line that says what is wrong with it."""
    os.mkfifo("pipe")
    os.symlink("loop", "loop")
    with pytest.raises(SettingsError) as caught:
        named_file(given)
    assert message in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_roots_of_a_command_without_needles() -> None:
    """Each once, all of the haystack's side; errors begin with what the command calls them."""
    roots = haystack_roots(["hay", "hay/", "hay/sub"], "")
    assert [("hay", Side.HAYSTACK), ("hay/sub", Side.HAYSTACK)] == [(root.given, root.side) for root in roots]
    with pytest.raises(SettingsError, match=r"^f: not a folder$"):
        haystack_roots(["f"], "")
    with pytest.raises(SettingsError, match=r"^an empty path is no folder$"):
        haystack_roots([""], "")
    with pytest.raises(SettingsError, match=r"^--haystack f: not a folder$"):
        haystack_roots(["f"])


def test_settings_without_needles() -> None:
    """No needles are asked for where the command has none."""
    found = make_settings(haystack=["hay"], no_cache=True)
    assert ([Side.HAYSTACK], ()) == ([root.side for root in found.roots], found.scan.needles)
    with pytest.raises(SettingsError, match=r"^--plot hay/p\.png lies under hay, where dupfind never writes$"):
        check_output("hay/p.png", found.roots, "--plot")


def test_paths_are_spelt_as_the_user_would(trees: Path) -> None:
    """By the innermost root around them."""
    roots = haystack_roots(["./hay", "hay/sub"])
    shown = spelling(roots)
    assert ["./hay/b", "hay/sub/a"] == [shown(str(trees / path)) for path in ("hay/b", "hay/sub/a")]
    assert "./hay/sub/a" == spelling(roots[:1])(str(trees / "hay" / "sub" / "a"))
