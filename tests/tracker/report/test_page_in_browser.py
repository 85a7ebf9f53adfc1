"""The page in a real browser: nothing of the data runs, nothing is loaded, and filter, sort, stories and links work."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from fakes.recorded import make_targets
from fakes.reported import make_story
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

from orchestrator.tracker.report.page.render import report_chunks

BROWSER, DRIVER = which("chromium"), which("chromedriver")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=360,800",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
WILL_BE_SENT = '"Network.requestWillBeSent"'
IDS = [target.proxy_id for target in make_targets(6)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    if BROWSER is None or DRIVER is None:
        assert os.environ.get("BROWSER_TESTS") != "required", "chromium and chromedriver must be there"
        pytest.skip("chromium or chromedriver is not installed")
    options = ChromeOptions()
    options.binary_location = BROWSER
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def address(tmp_path: Path) -> str:
    path = tmp_path / "night.html"
    path.write_bytes(b"".join(report_chunks(make_story(6, 2))))
    return path.as_uri()


def log(browser: Chrome, kind: str) -> list[str]:
    entries: list[dict[str, str]] = browser.get_log(kind)  # type: ignore[no-untyped-call]  # selenium gives it no types
    return [entry["message"] for entry in entries]


def shown(browser: Chrome) -> list[str]:
    rows = browser.find_elements(By.CSS_SELECTOR, "#targets tbody tr")
    return [row.get_attribute("id") or "" for row in rows if row.is_displayed()]


@pytest.mark.timeout(120)
def test_the_page_loads_nothing_and_runs_nothing_of_its_data(browser: Chrome, address: str) -> None:
    log(browser, "performance")
    browser.get(address)
    sent = [json.loads(each)["message"]["params"] for each in log(browser, "performance") if WILL_BE_SENT in each]
    assert [each["request"]["url"] for each in sent if each["documentURL"] == address] == [address]
    assert log(browser, "browser") == []
    assert "owned" not in browser.title
    wide = browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert wide, "the page is wider than a phone"


@pytest.mark.timeout(120)
def test_filter_sort_story_and_link_work(browser: Chrome, address: str) -> None:
    browser.get(address)
    assert shown(browser) == IDS
    browser.find_element(By.ID, "words").send_keys("canary rejected")
    assert shown(browser) == [IDS[2]]
    story = browser.find_element(By.CSS_SELECTOR, f'[id="{IDS[2]}"] button')
    browser.execute_script("arguments[0].click()", story)
    assert "attempt 1: HTTP 200" in browser.find_element(By.CSS_SELECTOR, "tr.story").text
    browser.get(f"{address}#{IDS[5]}")
    browser.execute_script("dispatchEvent(new HashChangeEvent('hashchange'))")
    assert shown(browser) == IDS
    head = browser.find_element(By.CSS_SELECTOR, "#targets th:nth-child(3) button")
    browser.execute_script("arguments[0].click()", head)
    assert shown(browser)[0] == IDS[2]
    assert browser.find_element(By.CSS_SELECTOR, "[aria-sort=ascending]").text.startswith("Outcome")
