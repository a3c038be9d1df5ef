"""The file in which decisions are kept: read first, written whole, never over what is none, never below a root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dupfind.answers.decisions import parse
from dupfind.errors import OutputError, SettingsError
from dupfind.reviewing.decisions_store import DecisionsStore, as_file, open_store, usual_path
from dupfind.settings import make_settings
from dupfind.values import Root
from tests.helpers.decisions import file, row

ONE, TWO = parse(file(row(), row("not-wanted", needle=row()["witness"])))


def roots(folder: Path) -> tuple[Root, ...]:
    """Two roots."""
    for name in ("hay", "n"):
        (folder / name).mkdir(exist_ok=True)
    return make_settings(haystack=[str(folder / "hay")], needles=[str(folder / "n")], no_cache=True).roots


def test_what_is_kept_is_there_next_time(tmp_path: Path) -> None:
    """In a folder that is made for it, and with nothing left beside it."""
    path = tmp_path / "deep" / "er" / "decisions.json"
    store = DecisionsStore(str(path))
    assert store.decisions == ()
    assert not path.exists()
    store.keep([ONE])
    store.keep([ONE, TWO])
    assert DecisionsStore(str(path)).decisions == (ONE, TWO) == store.decisions
    assert [path] == list(path.parent.iterdir())
    assert parse(as_file([ONE])) == (ONE,)


def test_what_another_has_written(tmp_path: Path) -> None:
    """Is seen; what this store has written itself is no news."""
    path = tmp_path / "decisions.json"
    store, other = DecisionsStore(str(path)), DecisionsStore(str(path))
    store.keep([ONE])
    assert not store.read_again()
    assert other.read_again()
    assert other.decisions == (ONE,)
    other.keep([TWO])
    assert store.read_again()
    assert store.decisions == (TWO,)
    path.unlink()
    assert store.read_again()
    assert store.decisions == ()


def test_what_is_none_is_not_replaced(tmp_path: Path) -> None:
    """A file of something else, or a folder, is told of with its name."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"a picture")
    with pytest.raises(SettingsError, match=r"holiday.jpg: not JSON"):
        DecisionsStore(str(path))
    with pytest.raises(SettingsError, match="is a directory"):
        DecisionsStore(str(tmp_path))
    assert path.read_bytes() == b"a picture"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """Leaves the decisions as they were kept."""
    store = DecisionsStore(str(tmp_path / "a" / "decisions.json"))
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OutputError, match="was not kept"):
        store.keep([ONE])
    assert store.decisions == ()


def test_where_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file for each set of folders, however they are spelt, among the user's data; none below a root."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    both = roots(tmp_path)
    hay, needles = str(tmp_path / "hay"), str(tmp_path / "n")
    path = usual_path([hay], [needles])
    assert os.path.dirname(path) == str(tmp_path / "data" / "dupfind" / "decisions")
    (tmp_path / "link").symlink_to("hay")
    assert usual_path([f"{hay}/", str(tmp_path / "link")], [needles]) == path
    assert usual_path([hay, needles], []) == usual_path([needles, hay], []) != path
    assert path not in {usual_path([hay], []), usual_path([needles], [hay])}
    assert open_store(None, [hay], [needles], both).path == path
    assert open_store(str(tmp_path / "own.json"), [hay], [needles], both).path == str(tmp_path / "own.json")
    for below in ("hay/decisions.json", "n/decisions.json"):
        with pytest.raises(SettingsError, match="where dupfind never writes"):
            open_store(str(tmp_path / below), [hay], [needles], both)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "hay"))
    with pytest.raises(SettingsError, match="name another place with --decisions FILE"):
        open_store(None, [hay], [needles], both)
