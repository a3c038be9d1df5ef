"""A real browser: headless Chromium by Selenium, where both are there."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from tests.helpers.places import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
AXE = Path(os.environ.get("AXE", ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"))
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_PATIENCE_SECONDS = 60


class Browser:
    """A window with a page."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def open(self, page: Path | str, width: int = 1280, scheme: str = "light", fragment: str = "") -> None:
        """Open the page, a file or an address, at this width in this scheme, as for the first time."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get("about:blank")  # the same address with another fragment would load nothing
        self.driver.get((page.as_uri() if isinstance(page, Path) else page) + fragment)

    def run(self, script: str, *arguments: object) -> Any:
        """What a script gives."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """The texts of all that is there and visible."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"
            ".map((e) => e.textContent.trim())",
            selector,
        )

    def click(self, selector: str) -> None:
        """Click as a person does: on what can be seen."""
        self.driver.find_element("css selector", selector).click()

    def keys(self, *keys: str) -> None:
        """Type, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def press(self, key: str) -> None:
        """Press a key, whatever is drawn anew meanwhile."""
        ActionChains(self.driver).send_keys(key).perform()

    def wait(self, what: Callable[[], object]) -> None:
        """Until it is so."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while not what():
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.02)

    def complaints(self) -> list[str]:
        """What the console says."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def started(profile: Path, downloads: Path) -> Iterator[Browser]:
    """Chromium, as long as the block."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        yield Browser(driver, downloads)
    finally:
        driver.quit()


def violations(browser: Browser) -> list[object]:
    """What axe-core finds, each with the first elements that it is about."""
    browser.run(AXE.read_text())  # it comes by the driver, which no policy of the page keeps out
    return browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', "
        "'best-practice']}).then((all) => done(all.violations.map((one) => "
        "[one.id, one.nodes.slice(0, 3).map((node) => node.html)])))"
    )
