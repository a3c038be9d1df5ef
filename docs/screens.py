"""Pictures of what a person sees: the table as a terminal shows it, and the page in a browser.

``python -m docs.screens`` writes them into ``docs/images``. The table is the real output, drawn by rich; that it is
still what the program prints, :mod:`docs.generate` checks. The page needs Chromium with its driver and Selenium; where
there are none, its pictures stay as they are.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from PIL import Image
from rich.console import Console
from rich.text import Text

from dupfind import pipeline
from dupfind.cli import main as cli
from dupfind.report import Screen, render
from dupfind.settings import make_report_settings, make_settings
from fixtures import demo

FOLDER = Path(__file__).parent / "images"
TABLE = FOLDER / "table.svg"
COLUMNS = 80
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_SIZES = {
    "page.webp": ("page.html", 1280, 1000, "light", 0),
    "page-narrow.webp": ("page.html", 360, 780, "dark", 2),
    "page-find.webp": ("find.html", 1280, 800, "light", 0),
}
"""Of each picture the page, its width, height and scheme, and to which file it is scrolled."""
_ROOTS = "--haystack", demo.HAYSTACK, "--needles", demo.NEEDLES
_IMAGES = "Josie_Backup/12-25-2006 part 1/IMG_0416.JPG", "Josie_Backup/Summer 2007/beach 2.jpg"


def table() -> str:
    """The table of the demo on a terminal of 80 columns, as SVG; no font is fetched from elsewhere."""
    with tempfile.TemporaryDirectory() as name:
        demo.build(Path(name))
        with chdir(name), patch.dict(os.environ, {"TERM": "xterm-256color", "COLORTERM": ""}):
            os.environ.pop("NO_COLOR", None)  # whatever the terminal of who draws it can do
            report = pipeline.scan(make_settings(haystack=[demo.HAYSTACK], needles=[demo.NEEDLES], no_cache=True))
            printed = render(report, make_report_settings(everything=True), Screen(COLUMNS, is_terminal=True)).decode()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ dupfind scan {' '.join(_ROOTS)} --all", style="bold"), end="\n\n")
    console.print(Text.from_ansi(printed))
    drawn = _FONT.sub("", console.export_svg(title="dupfind", unique_id="dupfind"))
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def pages() -> dict[str, bytes]:
    """The pictures of the pages of the demo, by the names of their files; none where there is no browser."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        return {}
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"):
        options.add_argument(argument)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = _pages(Path(name))
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            for file, (page, width, height, scheme, place) in _SIZES.items():
                metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
                browser.get((folder / page).as_uri())
                if place:
                    browser.execute_script("list.at(arguments[0] - 1).scrollIntoView()", place)
                browser.execute_script("return Promise.all([...document.images].map((one) => one.decode()))")
                with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as image:
                    data = io.BytesIO()
                    image.convert("RGB").save(data, "WEBP", quality=82, method=6)
                found[file] = data.getvalue()
        finally:
            browser.quit()
    return found


def _pages(folder: Path) -> Path:
    """The pages of the demo, in this folder."""
    demo.build(folder / "demo")
    quietly = "--no-cache", "-q", "--output", os.devnull
    with chdir(folder / "demo"):
        cli.run(["scan", *_ROOTS, *quietly, "--html", "../page.html"])
        cli.run(["find", *_IMAGES, "--haystack", demo.HAYSTACK, *quietly, "--html", "../find.html"])
    return folder


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    TABLE.write_text(table())
    drawn = pages()
    for name, data in drawn.items():
        (FOLDER / name).write_bytes(data)
    if not drawn:
        print("no Chromium with its driver: the pictures of the page stay as they are", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
