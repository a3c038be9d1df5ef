"""The live page in a real browser: what is decided is kept, the answer follows, and every window shows the same.

One browser for all of it. Skipped, with the reason, where there is no Chromium with its driver, or no Selenium.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dupfind.answers import decisions
from fixtures import pictures
from tests.helpers import live_process as process

pytest.importorskip("selenium", reason="Selenium is not installed")
from selenium.webdriver.common.keys import Keys

pytest.importorskip("starlette", reason="the extra dupfind[review] is not installed")
from tests.helpers.browser import AXE, CHROMIUM, DRIVER, Browser, started, violations
from tests.helpers.reviews import Served

WIDTHS, SCHEMES = (1280, 360), ("light", "dark")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="there is no Chromium with its driver"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # what Selenium leaves to the garbage collector
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, started once."""
    with started(tmp_path_factory.mktemp("profile"), tmp_path_factory.mktemp("downloads")) as one:
        yield one


@pytest.fixture
def served(demo_trees: Path, demo_cache: str, tmp_path: Path) -> Iterator[Served]:
    """The demo under review."""
    haystack, needles = demo_trees / "Masters", demo_trees / "Josie_Backup"
    with Served(haystack, needles, tmp_path / "decisions.json", cache=demo_cache) as one:
        yield one


def opened(browser: Browser, served: Served, width: int = 1280, scheme: str = "light") -> None:
    """Open the page, and wait until what it shows has come from the server."""
    browser.driver.get("about:blank")
    browser.complaints()  # those of the page before, whose server has ended
    browser.open(served.door.address, width, scheme)
    browser.wait(lambda: browser.texts("[data-what=full]"))


def kept(folder: Path) -> list[str]:
    """What is in the file of decisions."""
    return [one.ruling.value for one in decisions.parse((folder / "decisions.json").read_bytes())]


def complaints(browser: Browser) -> list[str]:
    """What the console says, but for the icon that browsers ask for, and for pictures that there are not."""
    return [one for one in browser.complaints() if "favicon" not in one and "409" not in one]


def card(browser: Browser, name: str, rest: str = "") -> str:
    """A selector of the card of a file, which is brought into sight; it holds when the card is drawn again."""
    label = browser.run(
        "const cards = [...document.querySelectorAll('.card')];"
        "const card = cards.find((one) => one.querySelector('h3').textContent === arguments[0]);"
        "card.scrollIntoView({block: 'center'});"
        "return card.getAttribute('aria-labelledby')",
        name,
    )
    return f'[aria-labelledby="{label}"] {rest}'.strip()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens(browser: Browser, served: Served, width: int, scheme: str) -> None:
    """Every file in doubt is listed, pictures and facts come from the server, nothing is too wide."""
    opened(browser, served, width, scheme)
    assert browser.texts("h1") == ["13 of 56 files (598 kB) are not in the haystack"]
    assert len(browser.texts(".card h3")) == 13
    browser.run("document.getElementById('list').scrollIntoView()")
    browser.wait(lambda: all(" x " in text for text in browser.texts(".facts-of")[:4]))
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 100)"))
    assert browser.run("return document.images.length") > 15
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    if AXE.is_file():
        browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
        assert violations(browser) == []
    assert complaints(browser) == []


def test_it_is_accessible(browser: Browser, served: Served) -> None:
    """By axe-core, with a decision and both pictures at full size."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install --prefix build/axe axe-core")
    opened(browser, served)
    browser.click(card(browser, "IMG_0415.JPG", "[data-what=same]"))
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 same"])
    assert violations(browser) == []
    browser.click(card(browser, "IMG_0415.JPG", "[data-what=full]"))
    assert violations(browser) == []


def test_what_is_decided_is_kept(browser: Browser, served: Served, tmp_path: Path) -> None:
    """In the file at once; the answer, the tree and what can go follow; a reload and a second window show the same."""
    opened(browser, served)
    tree = browser.texts("#tree .counts")
    assert browser.run("return document.getElementById('undo').disabled")
    browser.press("j")
    browser.press("s")
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 same"])
    assert kept(tmp_path) == ["same"]
    assert browser.texts("h1") == ["12 of 56 files (551 kB) are not in the haystack"]
    assert browser.texts("#tree .counts") != tree
    assert "1 on your word" in browser.texts("#tree .counts")[0]
    sentence = "Of 1 decision that you have made, verdicts rest on your word for 1 file as the same picture"
    assert sentence in browser.texts("#on-word")[0]
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(served.door.address)
    assert browser.texts("h1") == ["12 of 56 files (551 kB) are not in the haystack"]
    assert "decided: the same picture" in " ".join(browser.texts(".card .badge"))
    browser.wait(lambda: browser.texts("[data-what=full]"))
    browser.click(card(browser, "IMG_0416.JPG", "[data-what=different]"))
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 same, 1 different"])
    assert kept(tmp_path) == ["same", "different"]
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 same, 1 different"])  # it asks by itself
    badges = card(browser, "IMG_0416.JPG", ".badge")
    browser.wait(lambda: "decided: different from another" in " ".join(browser.texts(badges)))
    assert complaints(browser) == []


def test_the_next_best_witness_comes(browser: Browser, served: Served, tmp_path: Path) -> None:
    """And the split one stays to be seen; the decision can be taken back where it was made."""
    opened(browser, served)
    path = browser.texts(card(browser, "IMG_0415.JPG", ".path"))[1]
    browser.click(card(browser, "IMG_0415.JPG", "[data-what=different]"))
    browser.wait(lambda: path not in browser.texts(card(browser, "IMG_0415.JPG", ".path"))[1:2])
    browser.wait(lambda: path in browser.texts(card(browser, "IMG_0415.JPG", ".apart .path")))
    assert browser.texts(card(browser, "IMG_0415.JPG", "h3")) == ["IMG_0415.JPG"]  # it stays where it is
    browser.click(card(browser, "IMG_0415.JPG", "[data-what=split]"))
    browser.wait(lambda: path in browser.texts(card(browser, "IMG_0415.JPG", ".path"))[1:2])
    assert kept(tmp_path) == []
    assert complaints(browser) == []


def test_the_last_decision_is_taken_back(browser: Browser, served: Served, tmp_path: Path) -> None:
    """By one button, as often as there were decisions."""
    opened(browser, served)
    headline = browser.texts("h1")
    browser.press("j")
    browser.press("x")
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 not wanted"])
    browser.press("j")
    browser.press("s")
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 same, 1 not wanted"])
    browser.click("#undo")
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 not wanted"])
    browser.click("#undo")
    browser.wait(lambda: browser.texts("#decided") == ["No decisions"])
    assert browser.texts("h1") == headline
    assert kept(tmp_path) == []
    assert browser.run("return document.getElementById('undo').disabled")


def test_pictures_at_full_size(browser: Browser, served: Served) -> None:
    """Both, on top of each other, in a window of their own that no key of the list reaches."""
    opened(browser, served)
    browser.press("j")
    browser.press("f")
    loaded = "return [...document.querySelectorAll('#full img')].map((image) => image.naturalWidth)"
    browser.wait(lambda: browser.run(loaded) == [640, 320])
    browser.press("x")
    browser.press("j")
    assert browser.texts("#decided") == ["No decisions"]
    wide = browser.run("return document.querySelector('#full .stage').offsetWidth")
    browser.click("#full-tools button")
    assert browser.run("return document.querySelector('#full .compare').offsetWidth") == 640 != wide
    browser.click("#full-close")
    assert not browser.run("return document.getElementById('full').open")
    assert complaints(browser) == []


def test_what_there_is_no_picture_of(browser: Browser, served: Served) -> None:
    """The server's words stand in its place."""
    opened(browser, served)
    selector = card(browser, "IMG_0422.JPG")
    browser.wait(lambda: any("cannot be decoded" in text for text in browser.texts(f"{selector} .frame")))


def test_the_decisions_are_exported(browser: Browser, served: Served, tmp_path: Path) -> None:
    """As the file that is kept."""
    opened(browser, served)
    browser.press("j")
    browser.press("x")
    browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 not wanted"])
    browser.click("#export")
    path = browser.downloads / "decisions.json"
    browser.wait(path.exists)
    browser.wait(lambda: path.read_bytes() == (tmp_path / "decisions.json").read_bytes())
    path.unlink()


def test_the_server_has_gone(browser: Browser, served: Served) -> None:
    """The page says so, once, and keeps what it shows."""
    opened(browser, served)
    browser.click("#end")
    browser.wait(lambda: "this page can be closed" in " ".join(browser.texts("#over")))
    browser.run("document.getElementById('over').hidden = true")
    assert len(browser.texts(".card h3")) == 13


def test_names_can_do_no_harm(browser: Browser, tmp_path: Path) -> None:
    """Whatever a file is called, the page shows it as text, also in what comes later; no digest leaves the server."""
    evil = "<img src=x onerror=document.title='pwned'> \u202egnp.jpg"
    folder = tmp_path / "<script>alert(1)<"
    folder.mkdir()
    pictures.save(pictures.photo(1, (320, 240)), folder / "n" / f"{evil}.png")
    pictures.save(pictures.photo(1, (160, 120)), folder / "hay" / f"h {evil}.png")
    with Served(folder / "hay", folder / "n", tmp_path / "decisions.json") as served:
        opened(browser, served)
        browser.press("j")
        browser.press("d")
        browser.wait(lambda: browser.texts("#decided") == ["Decided and kept: 1 different"])
        browser.wait(lambda: "\\u202e" in browser.texts(".card h3")[0])
        assert browser.run("return document.title").startswith("dupfind: ")
        assert browser.run("return document.querySelectorAll('img[src=x]').length") == 0
        assert complaints(browser) == []
        digest = json.loads((tmp_path / "decisions.json").read_bytes())["decisions"][0]["needle"]["digest"]
        assert digest not in browser.driver.page_source


def test_import_and_clean(browser: Browser, tmp_path: Path) -> None:
    """The plan is shown, a click does what it says, the result names the journal, and a click takes it back."""
    hay, needles = tmp_path / "hay", tmp_path / "n"
    photo, other = (pictures.photo(number, (320, 240)) for number in (1, 2))
    for path, picture in ((hay / "a.png", photo), (needles / "x" / "a.png", photo), (needles / "b.png", other)):
        pictures.save(picture, path)
    (tmp_path / "away").mkdir()
    with process.started(tmp_path, "--to", "hay/new", "--move-to", "away") as (_, address):
        browser.driver.get("about:blank")
        browser.complaints()
        browser.open(address)
        browser.wait(lambda: browser.texts("[data-what=full]"))
        browser.click("#act-import")
        browser.wait(lambda: browser.texts("#act-buttons button"))
        assert "hay/new" in browser.texts("#act-text")[0]
        if AXE.is_file():
            assert violations(browser) == []
        browser.click("#act-buttons button")
        browser.wait(lambda: browser.texts("#act-buttons button") == ["Take it back"])
        assert ".journal" in browser.texts("#act-text")[0]
        assert (hay / "new").is_dir()
        browser.click("#act-close")
        browser.wait(lambda: browser.texts("h1") == ["All 2 files are in the haystack"])
        browser.click("#act-clean")
        browser.wait(lambda: browser.texts("#act-buttons button"))
        browser.click("#act-buttons button")
        browser.wait(lambda: browser.texts("#act-buttons button") == ["Take it back"])
        assert not (needles / "x").exists()
        browser.click("#act-buttons button")
        browser.wait((needles / "x" / "a.png").exists)
        browser.wait(lambda: browser.texts("#act-buttons button") == ["Take back what was before"])
        browser.press(Keys.ESCAPE)
        browser.wait(lambda: browser.texts("h1") == ["All 2 files are in the haystack"])
        assert complaints(browser) == []


def test_a_plan_on_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    """All of it can be read without scrolling to the side; what was decided meanwhile is told there, too."""
    long = tmp_path / "away" / ("a-long-name-without-any-space-" * 4)
    long.mkdir(parents=True)
    pictures.save(pictures.photo(1, (320, 240)), tmp_path / "hay" / "a.png")
    pictures.save(pictures.photo(1, (320, 240)), tmp_path / "n" / "x" / "a.png")
    pictures.save(pictures.photo(2, (320, 240)), tmp_path / "n" / "b.png")
    with process.started(tmp_path, "--move-to", str(long)) as (_, address):
        browser.driver.get("about:blank")
        browser.complaints()
        browser.open(address, 360)
        browser.wait(lambda: browser.texts("[data-what=full]"))
        browser.click("#act-clean")
        browser.wait(lambda: browser.texts("#act-buttons button"))
        for selector in ("#act-text", "#act"):
            wide, room = browser.run(
                "const e = document.querySelector(arguments[0]); return [e.scrollWidth, e.clientWidth]", selector
            )
            assert wide <= room, selector
        (row,) = process.data_of(address)["files"]
        process.sent(address, "decide", {"needle": row["at"], "ruling": "not-wanted", "version": 0})
        browser.click("#act-buttons button")
        browser.wait(lambda: "decisions have changed since this plan was shown" in browser.texts("#act-text")[0])
        assert browser.texts("#act-buttons button") == []
        assert (tmp_path / "n" / "x" / "a.png").is_file()
