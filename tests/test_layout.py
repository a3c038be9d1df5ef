"""Where imported files are to lie: names and folders, whatever a template or a stranger's name holds."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.acting.layout import (
    MOST_NAME_BYTES,
    Layout,
    Origin,
    day_in_name,
    day_of_capture,
    day_of_mtime,
    is_trusted_folder,
    key,
    shortened,
)
from dupfind.errors import SettingsError
from dupfind.sources.ignore import why_file_not_trusted

TODAY = date(2026, 11, 30)
DAY = date(2017, 7, 18)


def place(layout: str, name: str = "a.jpg", folder: tuple[str, ...] = ("x", "y"), day: date | None = DAY) -> str:
    """The path below the destination."""
    folders, name = Layout(layout).place(Origin(folder, name, "Backup", day))
    return "/".join((*folders, name))


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        ("keep", "x/y/a.jpg"),
        ("date", "2017/2017-07/a.jpg"),
        ("{year}/{month}/{day}", "2017/07/18/a.jpg"),
        ("{root}/{folder}/{year} {name}", "Backup/x/y/2017 a.jpg"),
        ("of {folder}/{stem}-1{suffix}", "of x y/a-1.jpg"),
    ],
)
def test_templates(layout: str, path: str) -> None:
    """Fields are filled in; a folder may be several."""
    assert path == place(layout)


def test_without_a_day() -> None:
    """A file without one goes to a folder of its own, where the template asks for it."""
    assert "undated/a.jpg" == place("date", day=None)
    assert "x/y/a.jpg" == place("keep", day=None)


@pytest.mark.parametrize(
    "layout",
    ["", "folder", "/{name}", "../{name}", "{year}/../{name}", "{nobody}/{name}", "{name", "{name!r}", "{name}/{year}",
     "{year:>99}/{name}", "{name}\0", "{}"],
)  # fmt: skip
def test_what_is_no_template(layout: str) -> None:
    """Is refused before any work."""
    with pytest.raises(SettingsError):
        Layout(layout)


def test_names_that_lead_elsewhere() -> None:
    """Are names like any other afterwards."""
    assert "_/_/_" == place("keep", "..", (".", ".."))
    assert "a_b/_etc_x" == place("keep", "/etc/x", ("a/b",))


def test_names_of_devices_and_ends() -> None:
    """What Windows takes for a device, or cuts off, is stored so that every system gives it back."""
    assert "x/_CON.jpg" == place("keep", "CON.jpg", ("x",))
    assert "_nul/com1_.tar.gz" == place("keep", "com1_.tar.gz", ("nul",))
    assert "a_/b_" == place("keep", "b.", ("a ",))
    assert "a_b" == Layout("keep", is_windows=True).safe_name("a:b")
    assert "a:b" == Layout("keep").safe_name("a:b")


def test_what_no_scan_trusts() -> None:
    """Hidden folders, trash, libraries and what Android marks get names by which a scan finds the copies again."""
    assert "_hidden/a.jpg" == place("keep", folder=(".hidden",))
    assert "Trash files/a.jpg" == place("keep", folder=("Trash",))
    assert "A_photoslibrary/a.jpg" == place("keep", folder=("A.photoslibrary",))
    assert "x/_trashed-1-a.jpg" == place("keep", ".trashed-1-a.jpg", ("x",))


@given(
    st.lists(st.text(max_size=300), max_size=4),
    st.text(min_size=1, max_size=300),
    st.sampled_from(["keep", "date", "{root}/{folder}/{stem}", "{folder} {name}"]),
    st.booleans(),
)
def test_nothing_climbs_out(folders: list[str], name: str, layout: str, is_windows: bool) -> None:
    """Whatever the names are, what comes of them are plain, short, trusted names."""
    origin = Origin(tuple(folders), name, "..", None if len(folders) == 1 else DAY)
    names, last = Layout(layout, is_windows=is_windows).place(origin)
    for part in (*names, last):
        assert part not in ("", ".", "..")
        assert not set("/\0") & set(part)
        assert len(part.encode("utf-8", "surrogatepass")) < MOST_NAME_BYTES
    assert all(map(is_trusted_folder, names))
    assert why_file_not_trusted(last) is None


def test_long_names_keep_their_suffix() -> None:
    """And leave room for a number."""
    short = shortened("é" * 200 + ".jpeg")
    assert short.endswith("é.jpeg")
    assert len(short.encode()) + len(" (9999)") <= MOST_NAME_BYTES


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("IMG_20170718_153130.jpg", DAY),
        ("PXL_20170718_153130123.jpg", DAY),
        ("VID-20170718-WA0001.mp4", DAY),
        ("2017-07-18 15.31.30.png", DAY),
        ("Screenshot_2017-07-18-15-31-30.png", DAY),
        ("20170718.jpg", DAY),
        ("IMG_20171318.jpg", None),
        ("DSC20170718999.jpg", None),
        ("01234567.jpg", None),
        ("99991231.jpg", None),
        ("IMG_2017.jpg", None),
    ],
)
def test_days_in_names(name: str, day: date | None) -> None:
    """As cameras and phones write them, and no other number."""
    assert day == day_in_name(name, TODAY)


def test_moments() -> None:
    """A clock that was never set tells nothing."""
    assert DAY == day_of_capture("2017:07:18 15:31:30", TODAY)
    assert day_of_capture("0000:00:00 00:00:00", TODAY) is None
    assert day_of_capture(None, TODAY) is None
    assert date(2001, 9, 9) == day_of_mtime(10**18 + 12 * 3600 * 10**9, TODAY)
    assert day_of_mtime(0, TODAY) is None
    assert day_of_mtime(10**19, TODAY) is None
    assert day_of_mtime(10**40, TODAY) is None


def test_names_that_some_file_system_takes_for_one() -> None:
    """Case and Unicode form do not count."""
    assert key("Cafe\u0301.JPG") == key("caf\xe9.jpg")
