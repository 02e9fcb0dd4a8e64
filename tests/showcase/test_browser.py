"""The showcase's pages in a headless Chromium, with their style sheets and scripts."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.showcase.pages import TOPICS, Topic
from tests.servers.support import Server
from tests.showcase.chromium import console_errors, find, until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.server, pytest.mark.browser]


def try_button(chrome: Chrome, label: str) -> str:
    """Press the button that sends a request, and return what the page then shows."""
    output = find(chrome, "output.result")
    (button,) = [item for item in chrome.find_elements("css selector", "[data-try]") if item.text == label]
    button.click()
    until(chrome, lambda _: button.is_enabled() and output.is_displayed())
    return output.text


@pytest.mark.usefixtures("quiet")
def test_home_page_is_styled_and_leads_to_each_topic(chrome: Chrome, showcase: Server) -> None:
    chrome.get(showcase.url)
    assert chrome.title == "Showcase · Asterism showcase"
    assert find(chrome, ".cards").value_of_css_property("display") == "grid"
    for topic in TOPICS:
        chrome.get(showcase.url)
        find(chrome, f'.card a[href="{topic.path}"]').click()
        until(chrome, lambda driver, path=topic.path: driver.current_url == showcase.url + path)
        assert find(chrome, "h1").text == topic.title


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.title)
def test_no_page_is_wider_than_a_phone(chrome: Chrome, showcase: Server, topic: Topic) -> None:
    size = {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        chrome.get(showcase.url + topic.path)
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.title)
def test_controls_have_names_and_pages_one_heading(chrome: Chrome, showcase: Server, topic: Topic) -> None:
    chrome.get(showcase.url + topic.path)
    assert len(chrome.find_elements("css selector", "h1")) == 1
    assert len(chrome.find_elements("css selector", "main")) == 1
    for control in chrome.find_elements("css selector", "input, textarea, button, a, summary"):
        if control.is_displayed():
            assert control.accessible_name, control.get_attribute("outerHTML")


@pytest.mark.usefixtures("quiet")
def test_keyboard_users_can_skip_to_the_content(chrome: Chrome, showcase: Server) -> None:
    chrome.get(showcase.url)
    find(chrome, "body").send_keys("\ue004")  # Tab
    focused = chrome.switch_to.active_element
    assert (focused.text, focused.get_attribute("href")) == ("Skip to the content", f"{showcase.url}/#content")


@pytest.mark.usefixtures("quiet")
def test_posted_markup_is_shown_and_not_run(chrome: Chrome, showcase: Server) -> None:
    markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    chrome.get(f"{showcase.url}/form")
    find(chrome, "#name").send_keys(markup)
    find(chrome, 'input[value="speed"]').click()
    find(chrome, "main form button").click()
    until(chrome, lambda driver: driver.find_elements("css selector", ".notice"))
    assert [cell.text for cell in chrome.find_elements("css selector", ".notice td")] == [markup, "", "speed"]
    assert chrome.title == "Forms · Asterism showcase"


@pytest.mark.usefixtures("quiet")
def test_upload_shows_progress_and_the_digest(chrome: Chrome, showcase: Server, tmp_path: Path) -> None:
    content = os.urandom(1024) * 8 * 1024
    file = tmp_path / "eight megabytes.bin"
    file.write_bytes(content)
    chrome.get(f"{showcase.url}/upload")
    # Keep what the bar goes through, since the upload may be over before anybody looks.
    chrome.execute_script(
        "window.seen = []; const bar = document.getElementById('bar');"
        "new MutationObserver(() => window.seen.push(bar.value)).observe(bar, {attributes: true});"
    )
    find(chrome, "#files").send_keys(str(file))
    find(chrome, "#upload button").click()
    until(chrome, lambda _: find(chrome, "#message").text == "Received 1 file.")
    cells = [cell.text for cell in chrome.find_elements("css selector", "#uploaded td")]
    assert cells == [file.name, str(len(content)), hashlib.sha256(content).hexdigest()]
    assert find(chrome, "#bar").is_displayed()
    seen = chrome.execute_script("return window.seen")
    assert seen == sorted(seen)
    assert seen[-1] == 100


@pytest.mark.usefixtures("quiet")
def test_ranges_and_conditional_requests_can_be_tried(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/download")
    shown = try_button(chrome, "First three lines")
    assert "206 Partial Content" in shown
    assert shown.splitlines()[-3:] == [f"{number:015d}" for number in range(3)]
    chrome.get(f"{showcase.url}/assets")
    assert "200 OK" in try_button(chrome, "Ask for the headers")
    assert "304 Not Modified" in try_button(chrome, "Ask with the tag")


@pytest.mark.usefixtures("quiet")
def test_json_can_be_posted(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/json")
    assert '{"received":{"city":"Zürich","rivers":["Limmat","Sihl"]}}' in try_button(chrome, "Post a document")


@pytest.mark.usefixtures("quiet")
def test_rows_are_shown_while_the_page_arrives(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/stream")
    # The page is still being sent when its first rows can be read.
    chrome.execute_script("window.location = '/stream/rows'")
    counts: list[int] = []

    def all_rows(driver: Chrome) -> bool:
        counts.append(len(driver.find_elements("css selector", "ol li")))
        return counts[-1] == 10

    until(chrome, all_rows)
    assert counts == sorted(counts)


@pytest.mark.usefixtures("quiet")
def test_background_job_is_shown_when_it_has_finished(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/background")
    find(chrome, "main form button").click()
    # The page asks for itself again while a job runs.
    latest = "return document.querySelector('#jobs li')?.innerText ?? ''"
    until(chrome, lambda driver: driver.execute_script(latest).endswith("finished"))


@pytest.mark.usefixtures("quiet")
def test_cookie_is_kept_and_deleted_by_the_browser(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/cookies")
    find(chrome, "#value").clear()
    find(chrome, "#value").send_keys("α Cygni")
    find(chrome, 'form[action="/cookies/set"] button').click()
    until(chrome, lambda driver: "α Cygni" in find(driver, "#cookies").text)
    assert chrome.execute_script("return document.cookie") == ""
    find(chrome, 'form[action="/cookies/delete"] button').click()
    until(chrome, lambda driver: "nothing" in find(driver, "#cookies").text)


def test_error_pages_are_shown(chrome: Chrome, showcase: Server) -> None:
    chrome.get(f"{showcase.url}/errors/broken")
    assert find(chrome, "h1").text == "Something went wrong"
    find(chrome, ".error .button").click()
    until(chrome, lambda driver: driver.current_url == f"{showcase.url}/")
    (noted,) = console_errors(chrome)
    assert "500" in noted
