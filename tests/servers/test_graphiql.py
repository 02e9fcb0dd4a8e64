"""The page with GraphiQL in a headless Chromium: questions are typed, sent and answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from starlette._graphql.page import SCRIPTS, STYLE
from tests.servers.graphiql_application import FILES
from tests.servers.public_host import browser_options, serve_as_public
from tests.servers.support import Server, serve, uvicorn
from tests.showcase.chromium import console_errors, find, started, until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.skipif(
        not all((FILES / asset.name).is_file() for asset in (STYLE, *SCRIPTS)),
        reason="`scripts/_graphiql.py .graphiql` has not fetched the files of GraphiQL",
    ),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(uvicorn("tests.servers.graphiql_application:app")) as running:
        yield running


@pytest.fixture(scope="module")
def public_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What the browser takes for the public host of the files."""
    folder = tmp_path_factory.mktemp("certificate")
    with serve_as_public("tests.servers.graphiql_application:public_host", folder) as running:
        yield running


@pytest.fixture(scope="module")
def chrome(public_host: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with started(tmp_path_factory.mktemp("profile"), *browser_options(public_host)) as running:
        yield running


@pytest.fixture(autouse=True)
def without_memory(chrome: Chrome, server: Server) -> None:
    """Let the page know nothing of what was asked in another test."""
    chrome.get("about:blank")
    chrome.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "local_storage"})


def ask(chrome: Chrome, query: str) -> None:
    """Type a query in the place of what is in the editor, and press the button that sends it."""
    from selenium.webdriver import ActionChains, Keys

    def is_there(driver: Chrome) -> bool:
        lines = driver.find_elements("css selector", ".graphiql-query-editor .CodeMirror-line")
        return " ".join(line.text.strip() for line in lines) == query

    def typed(driver: Chrome) -> bool:
        find(driver, ".graphiql-query-editor .CodeMirror").click()
        ActionChains(driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(query).perform()
        return is_there(driver)

    def sent(driver: Chrome) -> bool:
        # The page puts its first query there when it is ready for one, over what was typed before: was that sent?
        until(driver, typed)
        find(driver, ".graphiql-execute-button").click()
        return is_there(driver)

    until(chrome, lambda driver: driver.find_elements("css selector", ".graphiql-query-editor .CodeMirror"))
    until(chrome, sent)


def shows(chrome: Chrome, *lines: str) -> None:
    """Wait until the answer in the page has these lines."""

    def answered(driver: Chrome) -> bool:
        found = [line.text.strip() for line in driver.find_elements("css selector", ".result-window .CodeMirror-line")]
        return [line for line in found if line not in ("{", "}", '"data": {')] == list(lines)

    until(chrome, answered)


def test_a_query_is_typed_sent_and_answered(chrome: Chrome, server: Server) -> None:
    console_errors(chrome)
    chrome.get(f"{server.url}/graphql")
    ask(chrome, "{ hello }")
    shows(chrome, '"hello": "Hello from /graphql"')
    # The schema was asked for: the page explains its types.
    find(chrome, 'button[aria-label="Show Documentation Explorer"]').click()
    until(chrome, lambda driver: "countdown" in driver.page_source or "Subscription" in driver.page_source)
    assert console_errors(chrome) == []


def test_an_error_is_shown(chrome: Chrome, server: Server) -> None:
    chrome.get(f"{server.url}/graphql")
    ask(chrome, "{ bye }")
    until(chrome, lambda driver: "Cannot query field 'bye'" in find(driver, ".result-window").text)


def test_events_of_a_subscription_arrive_in_the_page(chrome: Chrome, server: Server) -> None:
    console_errors(chrome)
    chrome.get(f"{server.url}/graphql")
    ask(chrome, "subscription { countdown(start: 3) }")
    shows(chrome, '"countdown": 1')
    assert console_errors(chrome) == []


def test_files_of_the_public_host_run_when_they_are_what_their_hashes_say(
    chrome: Chrome, server: Server, public_host: Server
) -> None:
    console_errors(chrome)
    chrome.get(f"{server.url}/public")
    ask(chrome, "{ hello }")
    shows(chrome, '"hello": "Hello from /public"')
    assert console_errors(chrome) == []
    address = public_host.url.replace("http:", "https:")
    assert httpx.post(f"{address}/change/graphiql.min.js", verify=False, timeout=20).status_code == 204
    chrome.get(f"{server.url}/public")
    until(chrome, lambda driver: find(driver, "#graphiql").text == "The files of GraphiQL could not be loaded.")
    assert any("integrity" in error for error in console_errors(chrome))
