"""The pages in a real browser: nothing of the data runs, nothing is loaded, and everybody can read and use them."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fakes.browser import log, opened, visit
from fakes.long_night import night_story
from fakes.recorded import make_plan, make_targets
from fakes.reported import make_story
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from orchestrator.planner.preview.page.preview_page import preview_chunks
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.targets.resolve import Resolved
from orchestrator.tracker.report.compare.compare import compare
from orchestrator.tracker.report.compare.comparison_page import comparison_chunks
from orchestrator.tracker.report.compare.witness import witness_of
from orchestrator.tracker.report.page.render import report_chunks

WILL_BE_SENT = '"Network.requestWillBeSent"'
IDS = [target.proxy_id for target in make_targets(6)]
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with opened(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def address(tmp_path: Path) -> str:
    path = tmp_path / "night.html"
    path.write_bytes(b"".join(report_chunks(make_story(6, 2))))
    return path.as_uri()


def shown(browser: Chrome) -> list[str]:
    rows = browser.find_elements(By.CSS_SELECTOR, "#targets tbody tr")
    return [row.get_attribute("id") or "" for row in rows if row.is_displayed()]


def fits(browser: Chrome) -> bool:
    return bool(
        browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    )


def cut_tables(browser: Chrome) -> list[str]:
    """Tables of which a reader has to move a part into sight."""
    script = "return [...document.querySelectorAll('.wide')].filter(each => each.scrollWidth > each.clientWidth)"
    return [each.get_attribute("aria-label") or "" for each in browser.execute_script(script)]


def faults(browser: Chrome) -> list[str]:
    """What axe-core has found, with the elements."""
    browser.execute_script(AXE)
    found: dict[str, Any] = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")
    return [f"{each['id']}: {[node['html'] for node in each['nodes']][:3]}" for each in found["violations"]]


def test_the_page_loads_nothing_and_runs_nothing_of_its_data(browser: Chrome, address: str) -> None:
    log(browser, "performance")
    visit(browser, address)
    sent = [json.loads(each)["message"]["params"] for each in log(browser, "performance") if WILL_BE_SENT in each]
    assert [each["request"]["url"] for each in sent if each["documentURL"] == address] == [address]
    assert log(browser, "browser") == []
    assert "owned" not in browser.title
    assert fits(browser), "the page is wider than a phone"


def stories(browser: Chrome) -> list[str]:
    return [each.text for each in browser.find_elements(By.CSS_SELECTOR, "tr.story") if each.is_displayed()]


def test_filter_sort_and_story_work_by_keyboard(browser: Chrome, address: str) -> None:
    visit(browser, address)
    assert shown(browser) == [IDS[2], *(each for each in IDS if each != IDS[2])]
    words = browser.find_element(By.ID, "words")
    words.send_keys("canary rejected")
    assert shown(browser) == [IDS[2]]
    browser.find_element(By.CSS_SELECTOR, f'[id="{IDS[2]}"] button').send_keys(Keys.ENTER)
    assert "attempt 1 at 2026-03-01 22:00:02Z: HTTP 200" in stories(browser)[0]
    words.clear()
    words.send_keys(f"label a{IDS.index(IDS[1])}")
    assert shown(browser) == [IDS[1]]
    words.send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    browser.find_element(By.CSS_SELECTOR, "#targets th:nth-child(1) button").send_keys(Keys.SPACE)
    proxies = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "#targets tbody td:nth-child(1)")]
    assert len(proxies) == len(IDS)
    assert proxies == sorted(proxies)
    assert browser.find_element(By.CSS_SELECTOR, "[aria-sort=ascending]").text.startswith("Proxy")


def test_a_link_unfolds_its_row_also_when_the_page_opens(browser: Chrome, address: str) -> None:
    visit(browser, f"{address}#{IDS[5]}")
    assert "22:00:05Z: HTTP 200" in stories(browser)[0]
    browser.find_element(By.ID, "words").send_keys("rejected")
    browser.execute_script(f"location.hash = '#{IDS[4]}'; dispatchEvent(new HashChangeEvent('hashchange'))")
    assert len(shown(browser)) == len(IDS) + len(stories(browser))
    assert any("22:00:04Z: HTTP 200" in each for each in stories(browser))


def test_paper_has_the_stories_of_those_that_did_not_succeed(browser: Chrome, address: str) -> None:
    visit(browser, address)
    assert stories(browser) == []
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert [each.partition(" at ")[0] for each in stories(browser)] == ["attempt 1"]


def test_a_phone_says_what_each_cell_of_a_row_is(browser: Chrome, address: str, tmp_path: Path) -> None:
    script = "return getComputedStyle(document.querySelector(arguments[0]), '::before').content"
    visit(browser, address)
    assert browser.execute_script(script, "#targets td:nth-child(2)") == '"Wave: "'
    path = tmp_path / "preview.html"
    path.write_bytes(b"".join(preview()))
    visit(browser, path.as_uri())
    assert browser.execute_script(script, ".proxies td:nth-child(3)") == '"Instance: "'


def report() -> Iterator[bytes]:
    return report_chunks(night_story(50))


def preview() -> Iterator[bytes]:
    targets = make_targets(3)
    plan = make_plan(targets)
    return preview_chunks(make_preview(plan, Resolved(targets, [])), plan)


def comparison() -> Iterator[bytes]:
    runs = witness_of(make_story(9, 2), frozenset()), witness_of(night_story(50), frozenset())
    return comparison_chunks(compare(*runs), "night.yaml")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", [report, preview, comparison])
def test_everybody_can_read_the_pages(
    browser: Chrome, tmp_path: Path, page: Callable[[], Iterator[bytes]], scheme: str
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"".join(page()))
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    visit(browser, path.as_uri())
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert faults(browser) == []
    assert fits(browser)
    assert cut_tables(browser) == []
