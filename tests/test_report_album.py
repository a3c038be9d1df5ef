"""The pictures of a page, and what it is told of their files."""

from __future__ import annotations

import base64

from dupfind.answers.page import Preview, Sight
from dupfind.report.document import SIGNS, Album
from dupfind.values import FileState, FolderState


def test_every_verdict_has_a_sign() -> None:
    """So that colour is not all that tells them apart."""
    assert {*(one.value for one in FileState), *(one.value for one in FolderState)} <= SIGNS.keys()


def test_a_picture_is_held_once() -> None:
    """However many files show it; names that are spelt out have another form for the shell."""
    preview = Preview(b"one", 4, 3, None)
    album = Album()
    album.add({"a": Sight(1, preview, None, None), "b\n": Sight(2, preview, None, b"\xab")})
    album.add({"c": Sight(3, Preview(b"two", 4, 3, "x"), None, None), "d": Sight(4, None, None, None)})
    assert album.pictures == [base64.b64encode(data).decode() for data in (b"one", b"two")]
    facts = {"picture": 0, "width": 4, "height": 3}
    assert album.sights == [
        {"bytes": "1 B", "size": 1, **facts},
        {"bytes": "2 B", "size": 2, "copy": "$'b\\n'", "digest": "ab", **facts},
        {"bytes": "3 B", "size": 3, **facts, "picture": 1, "taken": "x"},
        {"bytes": "4 B", "size": 4},
    ]


def test_names_that_look_alike_are_kept_apart() -> None:
    """A name with a line break and one that spells it out are shown alike; each has its own picture and digest."""
    album = Album()
    album.add({"a\n": Sight(1, None, None, b"1"), "a\\n": Sight(2, None, None, b"2")})
    places = [album.place("at", path)["at"] for path in ("a\n", "a\\n")]
    assert [album.sights[place]["digest"] for place in places] == [b"1".hex(), b"2".hex()]
    assert album.place("at", "b") == album.place("at", None) == {}


def test_a_name_that_is_spelt_out_can_be_copied_without_a_picture() -> None:
    """It has the shell's form all the same, and no digest that a decision could name."""
    album = Album()
    assert [album.place("at", "e\n"), album.place("otherAt", "e\n")] == [{"at": 0}, {"otherAt": 0}]
    assert album.sights == [{"copy": "$'e\\n'"}]
