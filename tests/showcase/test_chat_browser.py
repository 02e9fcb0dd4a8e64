"""The chat's page in a headless Chromium: two pages that talk to each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.servers import support
from tests.servers.support import Server, serve, uvicorn
from tests.showcase.chromium import find, until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.server, pytest.mark.browser]

MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


class Page:
    """A visitor's page of the chat, in a window of its own."""

    def __init__(self, chrome: Chrome, window: str) -> None:
        self.chrome = chrome
        self.window = window

    def look(self) -> Chrome:
        """Bring the window to the front."""
        self.chrome.switch_to.window(self.window)
        return self.chrome

    def enter(self, name: str, room: str) -> None:
        chrome = self.look()
        find(chrome, "#name").clear()
        find(chrome, "#name").send_keys(name)
        find(chrome, "#room").clear()
        find(chrome, "#room").send_keys(room)
        find(chrome, "#join button").click()
        until(chrome, lambda driver: find(driver, "#status").text.startswith(f"You are in {room} as "))

    def say(self, text: str) -> None:
        find(self.look(), "#text").send_keys(text + "\ue007")  # Enter

    def shows(self, selector: str, lines: list[str]) -> None:
        """Wait until the elements have these texts."""

        def same(driver: Chrome) -> bool:
            return [item.text for item in driver.find_elements("css selector", selector)] == lines

        until(self.look(), same)


@contextmanager
def pages(chrome: Chrome, server: Server) -> Iterator[tuple[Page, Page]]:
    """Open the chat twice, and close the second window afterwards."""
    first = Page(chrome, chrome.current_window_handle)
    chrome.get(f"{server.url}/chat")
    chrome.switch_to.new_window("tab")
    second = Page(chrome, chrome.current_window_handle)
    try:
        chrome.get(f"{server.url}/chat")
        yield first, second
    finally:
        second.look().close()
        first.look().get("about:blank")


@pytest.mark.usefixtures("quiet")
def test_two_pages_talk_to_each_other(chrome: Chrome, showcase: Server) -> None:
    with pages(chrome, showcase) as (ada, bob):
        ada.enter("Ada", "windows")
        bob.enter("Bob", "windows")
        ada.shows("#people li", ["Ada", "Bob"])
        ada.shows("#log p", ["Bob came in."])
        ada.say("hello")
        bob.shows("#log p", ["Ada hello"])
        bob.say("and hello to you")
        ada.shows("#log p", ["Bob came in.", "Ada hello", "Bob and hello to you"])
        find(bob.look(), "#leave").click()
        bob.shows("#status", ["You have left."])
        ada.shows("#people li", ["Ada"])
        bob.enter("Bob", "another")
        bob.shows("#people li", ["Bob"])
        bob.shows("#log p", [])


@pytest.mark.usefixtures("quiet")
def test_what_is_said_and_who_says_it_is_text(chrome: Chrome, showcase: Server) -> None:
    with pages(chrome, showcase) as (ada, bob):
        ada.enter("<b>Ada</b>", "markup")
        bob.enter("Bob", "markup")
        ada.say(MARKUP)
        bob.shows("#log p", [f"<b>Ada</b> {MARKUP}"])
        bob.shows("#people li", ["<b>Ada</b>", "Bob"])
        ada.shows("#log p", ["Bob came in.", f"<b>Ada</b> {MARKUP}"])
        for page in (ada, bob):
            assert page.look().title == "Chat · Asterism showcase"
            assert page.chrome.find_elements("css selector", "#log img, #log script, #log b, #people b") == []


@pytest.mark.usefixtures("quiet")
def test_a_lost_connection_comes_back_with_what_was_said(chrome: Chrome, showcase: Server) -> None:
    with pages(chrome, showcase) as (ada, bob):
        ada.enter("Ada", "again")
        bob.enter("Bob", "again")
        ada.say("before")
        bob.shows("#log p", ["Ada before"])
        chrome.execute_script("socket.close()")  # as the network would, without the page asking for it
        ada.shows("#log p", ["Bob came in.", "Ada before", "Bob left.", "Bob came in."])
        bob.shows("#status", ["You are in again as Bob."])
        bob.say("after")
        bob.shows("#log p", ["Ada before", "Bob after"])
        ada.shows("#people li", ["Ada", "Bob"])


@pytest.mark.usefixtures("quiet")
def test_who_is_shown_out_is_told_why_and_does_not_try_again(chrome: Chrome, showcase: Server) -> None:
    with pages(chrome, showcase) as (ada, _):
        ada.enter("Ada", "shown-out")
        chrome.execute_script("for (let number = 0; number < 50; number += 1) socket.send('spam')")
        ada.shows("#status", ["Too many messages at once."])
        assert find(chrome, "#join").is_displayed()
        assert not find(chrome, "#chat").is_displayed()
        assert chrome.execute_script("return [socket, wanted]") == [None, None]


def test_the_page_waits_for_a_server_that_is_restarted(chrome: Chrome, monkeypatch: pytest.MonkeyPatch) -> None:
    application = uvicorn("examples.showcase.app:app")
    with serve(application) as server, pages(chrome, server) as (ada, _):
        ada.enter("Ada", "lounge")
        ada.say("before")
        ada.shows("#log p", ["Ada before"])
        assert server.stop() == 0, server.log
        ada.shows("#status", ["The connection is lost. Trying again …"])
        find(chrome, "#text").send_keys("typed meanwhile")
        assert find(chrome, "#say button").is_enabled() is False
        monkeypatch.setattr(support, "free_port", lambda: server.port)
        with serve(application) as restarted:
            ada.shows("#status", ["You are in lounge as Ada."])
            ada.say(" and sent")
            ada.shows("#log p", ["Ada typed meanwhile and sent"])
            assert restarted.stop() == 0, restarted.log
        find(chrome, "#leave").click()
        ada.shows("#status", ["You have left."])


@pytest.mark.usefixtures("quiet")
def test_controls_of_the_open_chat_have_names_and_fit_a_phone(chrome: Chrome, showcase: Server) -> None:
    size = {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": True}
    with pages(chrome, showcase) as (ada, _):
        ada.enter("x" * 24, "y" * 32)
        ada.say("z" * 500)
        ada.shows("#log p", ["x" * 24 + " " + "z" * 500])
        for control in chrome.find_elements("css selector", "input, button, [role=log], #people"):
            if control.is_displayed():
                assert control.accessible_name, control.get_attribute("outerHTML")
        assert find(chrome, "#status").aria_role == "status"
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            assert chrome.execute_script("return document.documentElement.scrollWidth") <= 360
        finally:
            chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
