"""The page in a real browser: headless Chromium opens, filters, searches, flips, decides, exports and reloads it.

One browser for all of it. Skipped, with the reason, where there is no Chromium with its driver, or no Selenium.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from dupfind import libraries, pipeline
from dupfind.answers.decisions import Decision, parse
from dupfind.answers.hash import Given
from dupfind.answers.page import PageContents, Preview, Sight, most_doubtful_members
from dupfind.commands.showing import look_at, look_at_found, show
from dupfind.events import Silence
from dupfind.finding.finding import find_images, wanted
from dupfind.grouping.grouping import groups
from dupfind.report import html, html_find, html_groups
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Evidence, FileState, FileVerdict, FolderState, FolderVerdict, Kind, Problem, Side
from fixtures import pictures
from tests.helpers.reports import file, folder, report

pytest.importorskip("selenium", reason="Selenium is not installed")
from selenium.webdriver.common.keys import Keys

from tests.helpers.browser import AXE, CHROMIUM, DRIVER, Browser, started, violations

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
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


def write(page: Path, haystack: Path, needles: Path, cache: str, given: tuple[Decision, ...] | None = None) -> Path:
    """The page of a scan."""
    settings = make_settings(haystack=[str(haystack)], needles=[str(needles)], cache=cache)
    scanned = pipeline.scan_trees(settings, decisions=given)
    trees = scanned.needles, scanned.haystack
    seen = show(settings, scanned.report, trees, 100, Silence(), None, scanned.split, scanned.words)
    page.write_bytes(html.render(scanned.report, seen, scanned.words, given or ()))
    return page


@pytest.fixture(scope="module")
def page(demo_trees: Path, demo_cache: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the demo."""
    folder = tmp_path_factory.mktemp("page")
    return write(folder / "demo.html", demo_trees / "Masters", demo_trees / "Josie_Backup", demo_cache)


def names(browser: Browser) -> list[str]:
    """The files that are listed."""
    return browser.texts(".card h3")


def tree_names(browser: Browser) -> list[str]:
    """The folders that the tree shows."""
    return [os.path.basename(text) for text in browser.texts("#tree .node a")]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens(browser: Browser, page: Path, width: int, scheme: str) -> None:
    """The answer on top, every doubtful file below, each picture drawn, nothing to complain of, nothing too wide."""
    browser.open(page, width, scheme)
    assert browser.texts("h1") == ["13 of 56 files (598 kB) are not in the haystack"]
    assert len(names(browser)) == 13
    assert names(browser)[:2] == ["IMG_0415.JPG", "IMG_0416.JPG"]
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 100)"))
    assert browser.run("return document.images.length") == 24
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")
    assert browser.complaints() == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_accessible(browser: Browser, page: Path, width: int, scheme: str) -> None:
    """By axe-core, with everything open and decided that can be: WCAG 2.2 A and AA, and its best practices."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install --prefix build/axe axe-core")
    browser.open(page, width, scheme)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.run("for (const one of document.querySelectorAll('#chips input')) if (!one.checked) one.click()")
    browser.run("document.getElementById('list').scrollIntoView()")
    browser.wait(lambda: browser.texts("[data-what=compare]"))
    browser.run("document.querySelector('[data-what=compare]').click()")
    browser.run("document.querySelector('[data-what=same]').click()")
    assert violations(browser) == []
    browser.run("localStorage.clear()")


def test_it_filters_and_searches(browser: Browser, page: Path) -> None:
    """By verdict, by a part of either path, by folder, and in another order; the address names the folder."""
    browser.open(page)
    browser.click("#chips input[value=missing]")
    assert len(names(browser)) == 3
    browser.click("#chips input[value=present]")
    assert browser.texts("#found") == ["46 files listed"]
    assert "identical to" in browser.texts(".line")[0]
    browser.click("#chips input[value=present]")
    browser.click("#chips input[value=missing]")
    browser.keys("/", "my_pix")
    browser.wait(lambda: browser.texts("#found") == ["7 files listed"])
    assert tree_names(browser) == ["Josie_Backup", "MY_PIX"]
    browser.keys(Keys.CONTROL + "a", "small/tree 05")  # the witness's path
    browser.wait(lambda: names(browser) == ["IMG_0415.JPG"])
    browser.keys(Keys.CONTROL + "a", "nothing like it")
    browser.wait(lambda: browser.texts(".nothing") == ["No such file is listed here"])
    browser.open(page, fragment="#folder=" + "".join(f"%{byte:02X}" for byte in folder_of(page, "MY_PIX").encode()))
    assert len(names(browser)) == 7
    assert browser.texts("#folder") == [folder_of(page, "MY_PIX")]
    browser.click("#everywhere")
    browser.wait(lambda: len(names(browser)) == 13)
    browser.run("const o = document.getElementById('order'); o.value = 'path'; o.dispatchEvent(new Event('change'))")
    paths = browser.texts(".card .path:first-of-type")
    assert paths[0].endswith("IMG_0415.JPG")
    browser.run(
        "const o = document.getElementById('tree-order'); o.value = 'missing'; o.dispatchEvent(new Event('change'))"
    )
    assert tree_names(browser)[1] == "MY_PIX"
    browser.run(
        "const o = document.getElementById('tree-verdict'); o.value = 'partial'; o.dispatchEvent(new Event('change'))"
    )
    assert tree_names(browser) == ["Josie_Backup", "12-25-2006 part 1"]
    assert browser.complaints() == []


def folder_of(page: Path, name: str) -> str:
    """A folder of the demo as the page names it."""
    embedded = page.read_text().partition('id="data">')[2].partition("</script>")[0]
    return next(row[0] for row in json.loads(embedded)["folders"] if row[0].endswith(name))


def test_it_flips(browser: Browser, page: Path) -> None:
    """Space lays the two on top of each other and flips them; the slider wipes; the button ends it."""
    browser.open(page)
    browser.keys("j", " ")
    assert browser.run("return document.activeElement.querySelector('h3').textContent") == "IMG_0415.JPG"
    clip = "return document.querySelector('.stage .layer:last-child').style.clipPath"
    assert browser.run(clip) == "inset(0px 100% 0px 0px)"
    browser.keys(" ")
    assert browser.run(clip) == "inset(0px 0% 0px 0px)"
    slider = browser.driver.find_element("css selector", "input[type=range]")
    slider.send_keys(Keys.ARROW_LEFT)
    assert browser.run(clip) == "inset(0px 1% 0px 0px)"
    browser.click(".stage")
    assert browser.run(clip) == "inset(0px 100% 0px 0px)"
    browser.click("[data-what=compare]")
    assert browser.texts(".stage") == []
    assert browser.complaints() == []


def test_it_decides_exports_and_remembers(
    browser: Browser, page: Path, demo_trees: Path, demo_cache: str, tmp_path: Path
) -> None:
    """Keys and buttons decide, a reload loses nothing, and the next scan goes by what was exported."""
    browser.open(page)
    browser.keys("j", "s", "j", "d", "j", "x", "j", "x", "u")
    assert browser.texts("#decided") == ["Decided: 1 same, 1 different, 1 not wanted"]
    pressed = browser.texts("[aria-pressed=true]")
    assert pressed == ["Same", "Different", "Not wanted"]
    browser.driver.refresh()
    assert browser.texts("[aria-pressed=true]") == pressed
    browser.click("#export")
    file = browser.downloads / "decisions.json"
    browser.wait(file.is_file)
    given = parse(file.read_bytes())
    assert [one.ruling.value for one in given] == ["same", "different", "not-wanted"]
    after = write(tmp_path / "after.html", demo_trees / "Masters", demo_trees / "Josie_Backup", demo_cache, given)
    browser.open(after)
    assert browser.texts("h1") == ["11 of 56 files (504 kB) are not in the haystack"]
    assert browser.texts("#decided") == ["Decided: 1 same, 1 different, 1 not wanted"]
    browser.run("for (const one of document.querySelectorAll('#chips input')) if (one.value !== 'decided') one.click()")
    browser.wait(lambda: len(browser.texts(".card")) == 2)
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 100)"))
    assert browser.texts(".card .who") == ["Needle", "Haystack", "Needle"]
    assert browser.texts(".card [data-what=compare]") == ["Compare"]
    browser.click(".card [data-what=same]")
    assert browser.texts(".card .decided")[0].endswith("taken back")
    browser.run("for (const one of document.querySelectorAll('#chips input')) one.click()")
    split = "[...document.querySelectorAll('.card')].find((e) => e.querySelector('h3').textContent === 'IMG_0416.JPG')"
    text = browser.run(f"return {split}.textContent")
    assert "ou have said that it differs from" in text
    assert "--accept" not in text
    assert "decided: different from another" in text
    assert browser.run(f"return {split}.querySelector('.apart .path').textContent").endswith("tree 06.jpg")
    assert browser.run(f"return {split}.querySelector('.apart img').naturalWidth") > 100
    assert browser.run(f"return {split}.querySelectorAll('.apart button.frame').length") == 0
    browser.run(f"{split}.focus()")
    browser.run(f"{split}.scrollIntoView()")
    browser.keys("u")
    assert browser.texts("#decided") == ["Decided: 1 not wanted"]
    assert "taken back" in browser.run(f"return {split}.textContent")
    browser.run(f"{split}.querySelector('[data-what=split]').click()")
    assert browser.texts("#decided") == ["Decided: 1 different, 1 not wanted"]
    assert browser.complaints() == []


PRESS = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"


def test_nothing_is_decided_unseen(browser: Browser, page: Path) -> None:
    """A key decides about the file that is highlighted and on the screen, and says why it does nothing otherwise."""
    browser.open(page)
    browser.run("localStorage.clear()")  # what other tests have decided on this page
    browser.open(page)
    for key in "sdxu ":
        browser.run(PRESS, key)
        assert browser.texts("#status.refused") == ["No file is selected: j or k, or a click, selects one"]
    browser.run(PRESS, "j")
    assert browser.texts("#status.refused") == []
    browser.run("window.scrollTo(0, 3000)")
    for key in "sdxu ":
        browser.run(PRESS, key)
        (told,) = browser.texts("#status.refused")
        assert told == "IMG_0415.JPG is selected, but not on the screen: j or k goes on from there"
    browser.run("document.activeElement.blur()")
    browser.run(PRESS, "x")
    assert browser.texts("#status.refused") == ["No file is selected: j or k, or a click, selects one"]
    assert browser.texts("#decided") == ["No decisions"]
    assert browser.texts(".stage") == []
    browser.run("window.scrollTo(0, 0)")
    browser.click(".card .why")
    browser.run(PRESS, "s")
    assert browser.texts("#decided") == ["Decided: 1 same"]
    browser.run("for (const one of document.querySelectorAll('#chips input')) one.click()")
    browser.run(PRESS, "j")
    browser.run(PRESS, "j")
    assert browser.run("return list.placeOf(document.activeElement)") == 1
    browser.run(PRESS, "x")
    assert browser.texts("#status.refused")[0].endswith("is present: there is nothing to decide")
    assert browser.texts("#decided") == ["Decided: 1 same"]
    assert browser.complaints() == []
    browser.run("localStorage.clear()")


def test_where_all_is_there(browser: Browser, tmp_path: Path) -> None:
    """The list says so, and how the files are to be had."""
    there = file("n/1", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/1")
    (tmp_path / "all.html").write_bytes(
        html.render(report([there], [folder("n", FolderState.CONTAINED, 1)]), PageContents())
    )
    browser.open(tmp_path / "all.html")
    assert browser.texts(".nothing") == ["The only file is in the haystack. Tick “present” for a list."]
    browser.click("#chips input")
    assert len(browser.texts(".line")) == 1
    browser.keys("/", "none")
    browser.wait(lambda: browser.texts(".nothing") == ["No such file is listed here"])


def test_two_files_of_one_shot_are_one_sheet(browser: Browser, tree: TreeBuilder, tmp_path: Path) -> None:
    """Both halves on it, each with its own decision; where one half is filtered out, the other has a sheet."""
    hay = tree("hay", {"x.png": pictures.photo(9)})
    needles = tree("n", {"a.jpg": pictures.photo(1), "a.mov": b"film", "c.mov": b"c"})
    settings = make_settings(haystack=[str(hay)], needles=[str(needles)], cache=str(tmp_path / "cache.sqlite"))
    scanned = pipeline.scan_trees(settings)
    seen = show(settings, scanned.report, (scanned.needles, scanned.haystack), 9, Silence())
    path = tmp_path / "pairs.html"
    path.write_bytes(html.render(scanned.report, seen))
    browser.open(path)
    assert ["a.jpg", "a.mov", "c.mov"] == browser.texts("h3")
    assert 2 == browser.run("return document.querySelectorAll('#list article:not(.half)').length")
    assert ["a.mov"] == browser.texts("article.half h3")
    browser.click("article.half [data-what=not-wanted]")
    assert ["✎ decided: not wanted"] == browser.texts("article.half .badge.decided")
    assert "Decided: 1 not wanted" == browser.texts("#decided")[0]
    browser.keys("u")  # the key acts on the half that has the focus
    assert "No decisions" == browser.texts("#decided")[0]
    browser.keys("x")
    assert ["✎ decided: not wanted"] == browser.texts(".badge.decided") == browser.texts("article.half .badge.decided")
    assert ["true"] == browser.run(
        "return [...document.querySelectorAll('[data-what=not-wanted][aria-pressed=true]')].map((e) => e.ariaPressed)"
    )
    assert [] == browser.complaints()


@pytest.mark.skipif(not libraries.can_read_films(), reason="PyAV (dupfind[video]) is not installed")
def test_a_film_is_played_where_the_browser_can(browser: Browser, tree: TreeBuilder, tmp_path: Path) -> None:
    """A click on its frames plays it in their place; where it cannot, they come back, and the page says so."""
    from benchmarks.film_kinds import COPIES
    from tests.helpers.clips import clip, content

    hay = tree("hay", {"a.mp4": content(1), "b.mp4": content(2)})
    needles = tree("n", {"a.webm": COPIES["VP9 in WebM"](clip(1)), "b.avi": COPIES["MPEG-4 in AVI"](clip(2))})
    browser.open(write(tmp_path / "films.html", hay, needles, str(tmp_path / "cache")))
    assert ["a.webm", "b.avi"] == sorted(names(browser))
    assert not browser.run("return document.querySelector('video')")
    frames = "[aria-label='Play. Needle: {}']"
    browser.click(frames.format("a.webm"))
    browser.wait(lambda: browser.run("return document.querySelector('video')?.currentTime > 0.2"))
    assert [] == browser.texts(".unplayed")
    browser.click(frames.format("b.avi"))
    browser.wait(lambda: browser.texts(".unplayed"))
    assert ["This browser cannot play it: open the file in a player"] == browser.texts(".unplayed")
    assert 1 == browser.run("return document.querySelectorAll('video').length")
    browser.click(frames.format("b.avi"))  # the frames are back
    browser.wait(lambda: browser.run("return document.querySelectorAll('video').length") == 1)


def test_long_lists_are_drawn_when_they_are_scrolled_to(browser: Browser, tmp_path: Path) -> None:
    """Of 5,000 files some dozens are drawn, wherever one looks; keys go on where the pictures are not drawn yet."""
    files = [
        FileVerdict(f"n/{number:04}.jpg", Kind.IMAGE, FileState.MISSING, number, None, None, None)
        for number in range(5_000)
    ]
    folders = [FolderVerdict("n", FolderState.MISSING, 0, 0, 5_000, 0, 0, 1, is_shown=True)]
    (tmp_path / "long.html").write_bytes(html.render(report(files, folders), PageContents()))
    browser.open(tmp_path / "long.html")
    assert browser.texts("#found") == ["5,000 files listed"]
    assert len(names(browser)) < 100
    browser.run("window.scrollTo(0, document.documentElement.scrollHeight)")
    browser.wait(lambda: "4999.jpg" in names(browser))
    assert len(names(browser)) < 100
    assert "0000.jpg" not in names(browser)
    browser.run("list.goTo(2000)")
    browser.keys("j", "j")
    assert browser.run("return document.activeElement.querySelector('h3').textContent") == "2002.jpg"
    box = browser.run("const box = document.activeElement.getBoundingClientRect(); return [box.top, box.bottom]")
    assert 0 < box[0] < 900
    browser.keys("s", "x", " ")  # nothing of it can be decided or compared: there is no digest and no picture
    assert browser.texts("#decided") == ["No decisions"]
    assert browser.complaints() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_groups(browser: Browser, demo_trees: Path, demo_cache: str, tmp_path: Path, width: int) -> None:
    """It opens, searches and is accessible, too."""
    settings = make_settings(haystack=[str(demo_trees / "Masters"), str(demo_trees / "Josie_Backup")], cache=demo_cache)
    answer = groups(settings, Evidence.SIMILAR)
    seen = look_at(settings, most_doubtful_members(answer.groups, 40), Silence())
    (tmp_path / "groups.html").write_bytes(html_groups.render(answer, seen))
    browser.open(tmp_path / "groups.html", width, "dark")
    assert browser.texts("h1") == ["93 of 110 files are in 45 groups"]
    assert browser.texts(".badge")[0] == "★ best"
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 100)"))
    browser.keys("j", "/", "lake")
    browser.wait(lambda: browser.texts("#found") == ["1 group listed"])
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    if AXE.is_file():
        assert violations(browser) == []
    assert browser.complaints() == []


TURNS = [one.value for one in (
    Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90,
)]  # fmt: skip


def drawn(element: Any) -> Image.Image:
    """What is to be seen of an element."""
    with Image.open(io.BytesIO(element.screenshot_as_png)) as image:
        return image.convert("L").resize((64, 64))


def test_a_turned_copy_lies_on_the_other(browser: Browser, tree: TreeBuilder, tmp_path: Path) -> None:
    """Flipped to, a witness is turned as the needle is, in every way; what is upright stays so."""
    photo = pictures.photo(1, (640, 400))
    haystack = tree("hay", {"a.png": photo.resize((320, 200)), "b.png": pictures.photo(2, (300, 500))})
    names_of = {f"{number}.png": photo.transpose(Image.Transpose(way)) for number, way in enumerate(TURNS, start=1)}
    needles = tree("n", {**names_of, "0.png": photo, "b.png": pictures.photo(2, (600, 1000))})
    browser.open(write(tmp_path / "p.html", haystack, needles, str(tmp_path / "cache.sqlite")))
    browser.run("for (const one of document.querySelectorAll('[data-what=compare]')) one.click()")
    stages = browser.driver.find_elements("css selector", ".stage")
    assert len(stages) == 9
    said = browser.texts(".ends span:last-child")
    assert [text for text in said if text == "haystack"] == ["haystack"] * 2
    assert sum("turned by 90 degrees here" in text for text in said) == 4
    for element in stages:
        browser.run("arguments[0].scrollIntoView()", element)
        browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete)"))
        needle = drawn(element)
        element.click()
        witness = drawn(element)
        difference = ImageStat.Stat(ImageChops.difference(needle, witness)).mean[0]
        contrast = ImageStat.Stat(needle).stddev[0]
        assert difference < contrast / 4, browser.run("return arguments[0].innerHTML.slice(0, 200)", element)
    assert browser.complaints() == []


@pytest.fixture(scope="module")
def found(demo_trees: Path, demo_cache: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of some pictures: seen, not seen, not there."""
    settings = make_settings(haystack=[str(demo_trees / "Masters")], cache=demo_cache)
    folder = demo_trees / "Josie_Backup"
    paths = [folder / "Summer 2007" / "beach 2.jpg", folder / "12-25-2006 part 1" / "IMG_0416.JPG"]
    given = [Given(str(path), named_file(str(path))) for path in paths] + [Given("gone.jpg", None, "no such file")]
    answer = find_images(settings, given, wanted(3, None))
    seen = look_at_found(settings, answer, given, 100, Silence())
    page = tmp_path_factory.mktemp("found") / "found.html"
    page.write_bytes(html_find.render(answer, seen))
    return page


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_single_pictures(browser: Browser, found: Path, width: int, scheme: str) -> None:
    """It opens and is accessible: each picture, whether it was seen, and its nearest, the best first."""
    browser.open(found, width, scheme)
    assert browser.texts("h1") == ["1 of 3 pictures was seen before"]
    assert browser.texts(".card > header .badge") == ["✓ seen", "✗ not seen", "✗ not seen"]
    assert browser.texts(".card h2") == ["beach 2.jpg", "IMG_0416.JPG", "gone.jpg"]
    assert browser.texts(".card .badge")[1:4] == ["✓ same", "≈ similar", "✗ unlike"]
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 100)"))
    assert browser.run("return document.images.length") == 8
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    if AXE.is_file():
        browser.keys("j", " ")
        assert violations(browser) == []
    assert browser.complaints() == []


def test_single_pictures_are_compared(browser: Browser, found: Path) -> None:
    """By keys and by clicks, each of the nearest with what was asked for."""
    browser.open(found)
    clip = "return document.querySelector('.stage .layer:last-child').style.clipPath"
    other = "return document.querySelector('.stage .layer:last-child img').alt"
    browser.keys(" ")
    assert browser.texts("#status.refused") == ["No picture is selected: j or k, or a click, selects one"]
    browser.keys("j", " ")
    assert "1: IMG_1181.JPG" in browser.run(other)
    assert browser.run(clip) == "inset(0px 100% 0px 0px)"
    browser.keys(" ")
    assert browser.run(clip) == "inset(0px 0% 0px 0px)"
    browser.keys("n")
    assert "2: IMG_1182.JPG" in browser.run(other)
    browser.keys("p", "p")
    assert "1: IMG_1181.JPG" in browser.run(other)
    assert browser.texts("#status.refused") == ["There is no nearer one here"]
    browser.run("document.querySelectorAll('.sought .frame')[2].click()")
    assert "2: IMG_1182.JPG" in browser.run(other)
    browser.run("document.querySelectorAll('.sought .frame')[2].click()")
    assert browser.texts(".stage") == []
    browser.keys("j", "j", " ")
    assert browser.texts("#status.refused") == ["gone.jpg: there are no two pictures to compare"]
    browser.run("const o = document.getElementById('order'); o.value = 'unseen'; o.dispatchEvent(new Event('change'))")
    assert browser.texts(".card h2")[-1] == "beach 2.jpg"
    browser.keys("/", "img_1182")
    browser.wait(lambda: browser.texts("#found") == ["1 picture listed"])
    assert browser.complaints() == []


def printed(browser: Browser) -> bytes:
    """The page on paper."""
    given = browser.driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    return base64.b64decode(given["data"])


def test_it_prints_everything(browser: Browser, tmp_path: Path) -> None:
    """Also the rows that nobody has scrolled to, with their pictures; what is folded; and what is listed of what."""
    names_of = [f"n/{number:03}.jpg" for number in range(150)]
    files = [FileVerdict(name, Kind.IMAGE, FileState.MISSING, 1, None, None, None) for name in names_of]
    files.append(FileVerdict("n/there.jpg", Kind.IMAGE, FileState.PRESENT, 1, Evidence.IDENTICAL, "h", None))
    folders = [FolderVerdict("n", FolderState.PARTIAL, 1, 0, 150, 0, 0, 150, is_shown=True)]
    problems = [Problem(f"h/{number}", Side.HAYSTACK, "thumbnail", "truncated") for number in range(200)]
    data = io.BytesIO()
    pictures.photo(1, (240, 180)).save(data, "WEBP")
    seen = PageContents(
        {name: Sight(1, Preview(data.getvalue(), 240, 180, None), None, b"1" * 32) for name in names_of}
    )
    (tmp_path / "long.html").write_bytes(html.render(report(files, folders, problems), seen))
    browser.open(tmp_path / "long.html")
    assert len(names(browser)) < 100
    # What there is at the moment at which the page goes to paper.
    browser.run(
        "addEventListener('beforeprint', () => { window.isOpen = document.getElementById('problems').open; });"
        "addEventListener('afterprint', () => { window.printed = [isOpen, document.querySelectorAll('.card').length,"
        "[...document.images].filter((i) => i.complete && i.naturalWidth > 100).length]; })"
    )
    paper = printed(browser)
    assert browser.run("return window.printed") == [True, 150, 150]
    assert not browser.run("return document.getElementById('problems').open")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) > 150 // 4
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    try:
        assert browser.texts("#note") == ["Listed here: 150 of 151 files (missing)."]
        assert browser.texts(".bar, .actions, .copy, dialog, .side select") == []
        assert browser.run("return getComputedStyle(document.querySelector('.problems')).maxHeight") == "none"
        assert browser.run("return getComputedStyle(document.querySelector('.card')).breakInside") == "avoid"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.keys("/", "n/00")
    browser.wait(lambda: "10 of 151 files (missing; paths with “n/00”)" in browser.run(
        "return document.getElementById('note').textContent"))  # fmt: skip
    assert browser.complaints() == []


def test_hostile_names_run_nothing(browser: Browser, tree: TreeBuilder, tmp_path: Path) -> None:
    """Markup, scripts and the ends of blocks in names of files and folders are text on the page."""
    evil = "<img src=x onerror=\"document.title='run'\">"
    photo = pictures.photo(1)
    ended = "end<"  # a name holds no slash, a path does: .../end</script><script>...
    haystack = tree("hay</", {f"{evil}.jpg": photo.resize((320, 240)), "{{ 7 * 7 }}.jpg": pictures.photo(4)})
    needles = tree(
        f"needles {evil}",
        {
            f"{evil}/a.jpg": photo.resize((640, 480)),
            f"{ended}/script><script>document.title='run'<!--.jpg": pictures.photo(2),
            "javascript:document.title='run'.txt": b"1",
            "\u202egpj.exe.jpg": pictures.photo(5),
            "line\nbreak.jpg": pictures.photo(6),
        },
    )
    (needles / os.fsdecode(b"\xff\xfe.jpg")).write_bytes((needles / "\u202egpj.exe.jpg").read_bytes())
    made = write(tmp_path / "evil.html", haystack, needles, str(tmp_path / "cache.sqlite"))
    browser.open(made)
    assert len(browser.texts(".card")) == 6
    browser.wait(lambda: browser.run("return [...document.images].every((i) => i.complete && i.naturalWidth > 0)"))
    assert not browser.run("return document.title").startswith("run")
    assert browser.run("return document.querySelectorAll('script').length") == 2  # the data, and the page's own
    assert browser.run("return [...document.images].every((i) => i.src.startsWith('data:image/webp;base64,'))")
    for place in range(len(browser.texts("#tree a"))):
        browser.run("document.querySelectorAll('#tree a')[arguments[0]].click()", place)
    browser.run("location.hash = ''")
    assert not browser.run("return document.title").startswith("run")
    shown = browser.run("return document.body.innerText")
    assert "\u202e" not in shown
    assert "\\u202egpj.exe.jpg" in shown
    assert "\ufffd\ufffd.jpg" in shown
    assert evil in shown
    assert browser.complaints() == []
