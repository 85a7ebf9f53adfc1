"""One headless Chromium for a module of tests, with the network cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.wait import WebDriverWait

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)

#: A script that looks at every element takes long where many processes share a core.
_PATIENCE_S = 100


@contextmanager
def opened(profile: Path) -> Iterator[Chrome]:
    """The browser, as wide as a phone; without one the test is skipped, but where one must be there, it fails."""
    program, driver_program = which("chromium"), which("chromedriver")
    if program is None or driver_program is None:
        assert os.environ.get("BROWSER_TESTS") != "required", "chromium and chromedriver must be there"
        pytest.skip("chromium or chromedriver is not installed")
    options = ChromeOptions()
    options.binary_location = program
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(driver_program))
    phone = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    driver.set_script_timeout(_PATIENCE_S)
    try:
        yield driver
    finally:
        driver.quit()


def visit(browser: Chrome, address: str) -> None:
    """Open a page, and wait until scripts speak to it, and to all of it.

    On a slow machine `get` may come back while the page before is still there: the driver looks whether something is
    being loaded, and the new page has not begun to.
    """
    browser.get(address)
    there = "return location.href === arguments[0] && document.readyState === 'complete'"
    WebDriverWait(browser, _PATIENCE_S).until(lambda each: each.execute_script(there, address), f"{address} opens")


def log(browser: Chrome, kind: str) -> list[str]:
    """What the browser noted since it was asked last."""
    entries: list[dict[str, str]] = browser.get_log(kind)  # type: ignore[no-untyped-call]  # selenium gives it no types
    return [entry["message"] for entry in entries]
