"""A headless Chromium, and how to look at its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.support import browser

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1200,900",
)

# Seconds until what a script does must be seen.
DEADLINE = 20


@contextmanager
def started(profile: Path, *more: str) -> Iterator[Chrome]:
    """Run a browser with this profile directory and more options; where there is no browser, skip the test."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    found = browser()
    if found is None:
        pytest.skip("there is no chromium with chromedriver on this machine")
    chromium, driver = found
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    running.set_page_load_timeout(30)
    try:
        yield running
    finally:
        running.quit()


def console_errors(chrome: Any) -> list[str]:
    """Return the errors that the browser's console has noted since the last call."""
    return [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]


def find(chrome: Chrome, selector: str) -> WebElement:
    return chrome.find_element("css selector", selector)


def until(chrome: Chrome, question: Any) -> Any:
    """Ask until the answer is true; a page that is left meanwhile takes its elements with it, so ask again then."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.wait import WebDriverWait

    ignored = [StaleElementReferenceException]
    return WebDriverWait(chrome, DEADLINE, poll_frequency=0.05, ignored_exceptions=ignored).until(question)
