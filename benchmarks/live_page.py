"""How long the page of ``dupfind review`` takes: to be opened, to be searched, and to show what a decision changes.

``python -m benchmarks.live_page --files 100000`` makes as many files, of which a thousand are pictures and the others
only promise to be, tells a review that each looks like one picture of the haystack, and opens it in Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from dupfind import pipeline
from dupfind.answers.findings import Findings
from dupfind.events import Silence
from dupfind.pipeline import Scanned
from dupfind.reviewing.acts import NOTHING, Acts
from dupfind.reviewing.decisions_store import DecisionsStore
from dupfind.reviewing.jobs import Jobs
from dupfind.reviewing.review import Review
from dupfind.reviewing.server import Serving
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.settings import make_settings
from dupfind.values import Evidence, HaystackSummary, Match, Report
from fixtures import pictures

_FOLDER = 500
_PATIENCE_SECONDS = 60
_DRAWN = "return document.querySelectorAll('.card').length"
_SEEN = (
    "const seen = [...document.images].filter((one) => {const box = one.getBoundingClientRect();"
    " return box.bottom > 0 && box.top < innerHeight});"
    "return seen.length > 0 && seen.every((one) => one.complete && one.naturalWidth > 0)"
)


def make_trees(folder: Path, files: int) -> None:
    """A haystack of one picture, and needles of different bytes, those first and in the middle real pictures."""
    photo = pictures.photo(1, (640, 480))
    pictures.save(photo.resize((480, 360)), folder / "hay" / "small.png")
    pictures.save(photo, folder / "one.png")
    content = (folder / "one.png").read_bytes()
    real = {0, files // _FOLDER // 2}
    for number in range(files // _FOLDER):
        roll = folder / "n" / f"roll {number:04}"
        roll.mkdir(parents=True)
        for place in range(_FOLDER):
            unlike = b"%d" % (number * _FOLDER + place)
            (roll / f"IMG_{place:04}.png").write_bytes((content if number in real else b"") + unlike)


def made(run: Run, witness: str) -> Scanned:
    """What a scan would give that finds each needle like that one picture."""
    needles, haystack = pipeline.walk(run)
    paths = [entry.path for tree in needles for entry in tree.entries]
    findings = Findings({path: Match(witness, Evidence.SIMILAR, 4) for path in paths}, {}, frozenset(paths), 1)
    judged = pipeline.judge(run, needles, haystack, findings, {})
    summary = HaystackSummary(1, 1, 0)
    report = Report("0", "2026-11-30T00:00:00+00:00", 0.0, run.settings.scan, judged.folders, judged.files, [], summary)
    return Scanned(report, needles, haystack, {}, findings, {})


def until(driver: webdriver.Chrome, script: str, wanted: Callable[[Any], bool] = bool) -> float:
    """Seconds until what a script gives is as wanted."""
    began = time.monotonic()
    while not wanted(driver.execute_script(script)):
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise TimeoutError(script)
        time.sleep(0.01)
    return time.monotonic() - began


def measure(driver: webdriver.Chrome, address: str) -> None:
    """Open, open again, search, go to the middle, decide, take back; a line each."""
    for what in ("opened", "opened again"):
        began = time.monotonic()
        driver.get(address)
        until(driver, _DRAWN)
        drawn = time.monotonic() - began
        until(driver, _SEEN)
        print(f"{what}: first files {drawn:.2f} s, their pictures {time.monotonic() - began:.2f} s")
    script = "const t = performance.now(); byId('search').value = arguments[0]; refresh(); return performance.now() - t"
    print(f"search: {driver.execute_script(script, 'roll 0077'):.0f} ms")
    driver.execute_script(script, "")
    driver.execute_script("scrollTo(0, document.body.scrollHeight / 2)")
    print(f"pictures in the middle: {until(driver, _SEEN):.2f} s")
    driver.execute_script("scrollTo(0, 0)")
    until(driver, "return document.querySelectorAll('.card [data-what=not-wanted]').length")
    decided = "return document.getElementById('decided').textContent"
    before = driver.execute_script(decided)
    driver.execute_script("document.querySelector('[data-what=not-wanted]').click()")
    print(f"a decision is shown: {until(driver, decided, lambda text: text != before):.2f} s")
    driver.execute_script("document.getElementById('undo').click()")
    print(f"and taken back: {until(driver, decided, lambda text: text == before):.2f} s")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="dupfind-live-") as name:
        folder = Path(name)
        make_trees(folder, files)
        hay, needles = [str(folder / "hay")], [str(folder / "n")]
        run = Run(make_settings(haystack=hay, needles=needles, cache=str(folder / "cache.sqlite")))
        review = Review(made(run, str(folder / "hay" / "small.png")), run, DecisionsStore(str(folder / "d.json")))
        jobs, is_made = Jobs(review.draw), threading.Event()

        def work(reading: Reading) -> bool:
            review.begin(reading)
            began = time.monotonic()
            served = review.page(reading)
            print(f"{files:,} files: page of {len(served.page) / 1e6:.0f} MB made in {time.monotonic() - began:.1f} s")
            is_made.set()
            return jobs.work(reading, 10 * _PATIENCE_SECONDS)

        reader = threading.Thread(target=with_reader, args=(run, work), daemon=True)
        reader.start()
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,1200",
        ):
            options.add_argument(argument)
        is_made.wait()  # the command prints its address only then
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            with Serving(review, jobs, Acts(NOTHING, Silence())) as serving:
                measure(driver, serving.door.address)
        finally:
            driver.quit()
            jobs.end()
            reader.join()


if __name__ == "__main__":
    main()
