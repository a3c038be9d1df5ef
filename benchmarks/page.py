"""The page of a scan in Chromium: its size, how long it takes to be made, to open, to be searched and scrolled.

python -m benchmarks.page [--pairs N] [--files N]

Every pair has two previews of its own. They are made of the photos of ``../shared/data/photos`` where those are, or of
drawn ones, which take a third of the bytes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.common import SHARED_DATA, machine, median
from dupfind.answers.page import PageContents, Preview, Sight
from dupfind.pool.previews import read_previews
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import html
from dupfind.settings import DEFAULT_MAX_PIXELS
from dupfind.sources.roots import named_file
from dupfind.values import (
    Evidence,
    FileState,
    FileVerdict,
    FolderState,
    FolderVerdict,
    HaystackSummary,
    Kind,
    Report,
    ScanSettings,
)
from fixtures import pictures

_ROUNDS = 5
_FILES_A_FOLDER = 50
_SEARCH = """
const began = performance.now();
document.getElementById('search').value = 'folder 0007';
refresh();
return performance.now() - began;
"""
_DRAWN = """
const done = arguments[0], began = performance.now();
window.scrollTo(0, document.documentElement.scrollHeight / 2);
const look = () => {
  const isSeen = (one) => { const box = one.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
  const isDone = [...document.images].filter(isSeen).every((one) => one.complete && one.naturalWidth);
  if (isDone && [...document.querySelectorAll('.card')].some(isSeen)) done(performance.now() - began);
  else requestAnimationFrame(look);
};
look();
"""


def _previews(folder: Path, count: int) -> list[Preview]:
    paths = sorted((SHARED_DATA / "photos").glob("*.jpg"))
    if not paths:
        for seed in range(100):
            pictures.save(pictures.photo(seed, (640, 480)), folder / f"{seed}.jpg")
        paths = sorted(folder.glob("*.jpg"))
    entries = [named_file(str(path)).entry for path in paths]
    found = [one for one in read_previews(entries, DEFAULT_MAX_PIXELS, 60.0) if isinstance(one, Preview)]
    return [found[number % len(found)]._replace(captured=None) for number in range(count)]


def _page(pairs: int, files: int, folder: Path) -> bytes:
    """The page of a scan that found so many similar ``files``, with pictures of so many pairs."""
    names = [f"needles/folder {number // _FILES_A_FOLDER:04}/IMG_{number:05}.JPG" for number in range(files)]
    others = [f"hay/2006/2006-{number % 12 + 1:02}/IMG_{number:05}.JPG" for number in range(files)]
    previews = _previews(folder, 2 * pairs)
    reasons = (Reason(ReasonCode.SMALLER, (320, 240, 640, 480)),)
    verdicts = [
        FileVerdict(name, Kind.IMAGE, FileState.SIMILAR, 3_000_000, Evidence.SIMILAR, other, number % 10, reasons)
        for number, (name, other) in enumerate(zip(names, others, strict=True))
    ]
    folders = [FolderVerdict("needles", FolderState.REVIEW, 0, files, 0, 0, 0, 3_000_000 * files, is_shown=True)]
    folders += [
        FolderVerdict(path, FolderState.REVIEW, 0, _FILES_A_FOLDER, 0, 0, 0, 150_000_000, is_shown=False)
        for path in sorted({name.rpartition("/")[0] for name in names})
    ]
    sights = {}
    for number in range(pairs):
        for place, path in enumerate((names[number], others[number])):
            digest = (2 * number + place).to_bytes(32, "big")
            sights[path] = Sight(3_000_000, previews[2 * number + place]._replace(), None, digest)
    settings = ScanSettings(("hay",), ("needles",), "phash", 10, Evidence.SAME, rotations=True)
    report = Report("1", "2026-11-21T12:00:00Z", 1.0, settings, folders, verdicts, [], HaystackSummary(files, files, 0))
    return html.render(report, PageContents(sights))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    print(machine())
    print("| page | size | made in | first files drawn | pictures drawn | all loaded | search | jump to the middle |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for pairs, files in ((options.pairs, options.pairs), (options.pairs, options.files)):
            began = time.perf_counter()
            page = folder / "page.html"
            page.write_bytes(_page(pairs, files, folder))
            made_seconds = time.perf_counter() - began
            cells = [f"{one:.0f} ms" for one in _opened(page)]
            size = f"{page.stat().st_size / 1e6:.0f} MB"
            print(f"| {pairs:,} pairs, {files:,} files | {size} | {made_seconds:.1f} s | {' | '.join(cells)} |")


def _opened(page: Path) -> list[float]:
    """Milliseconds, the median of some rounds: first contentful paint, DOM with pictures, load, search, jump."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    rounds = []
    try:
        for _ in range(_ROUNDS):
            driver.get("about:blank")
            driver.get(page.as_uri())
            timing = driver.execute_script(
                "const one = performance.getEntriesByType('navigation')[0];"
                "return [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
                " one.domContentLoadedEventEnd, one.loadEventEnd]"
            )
            jump = driver.execute_async_script(_DRAWN)
            rounds.append([*timing, driver.execute_script(_SEARCH), jump])
    finally:
        driver.quit()
    return [median(list(column)) for column in zip(*rounds, strict=True)]


if __name__ == "__main__":
    main()
