"""The pages in a headless Chromium: they show the document, under their policy, and send requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from asterism.openapi._pages import PAGES
from tests.asterism.openapi.pages_application import FILES
from tests.servers.public_host import browser_options, serve_as_public
from tests.servers.support import Server, serve, uvicorn
from tests.showcase.chromium import console_errors, find, started, until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.skipif(
        not all((FILES / asset.name).is_file() for page in PAGES.values() for asset in page.assets),
        reason="`python -m scripts._docs_files .docs-files` has not fetched the files of the pages",
    ),
]

RESPONSE = ".live-responses-table .response"
APPLICATION = "tests.asterism.openapi.pages_application"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(uvicorn(f"{APPLICATION}:app")) as running:
        yield running


@pytest.fixture(scope="module")
def public_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What the browser takes for the public host of the files."""
    folder = tmp_path_factory.mktemp("certificate")
    with serve_as_public(f"{APPLICATION}:public_host", folder) as running:
        yield running


@pytest.fixture(scope="module")
def chrome(public_host: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with started(tmp_path_factory.mktemp("profile"), *browser_options(public_host)) as running:
        console_errors(running)
        yield running


def shown(chrome: Chrome, selector: str, text: str = "") -> WebElement:
    """Wait for an element that can be seen and has this text, and return it."""

    def look(driver: Chrome) -> WebElement | None:
        found = driver.find_elements("css selector", selector)
        return next((element for element in found if element.is_displayed() and text in element.text), None)

    element: WebElement = until(chrome, look)
    return element


def press(chrome: Chrome, selector: str, text: str = "") -> None:
    """Press a button, wherever it is on the page."""
    element = shown(chrome, selector, text)
    chrome.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)


def test_swagger_ui_sends_a_request(chrome: Chrome, server: Server) -> None:
    from selenium.webdriver import Keys

    chrome.get(f"{server.url}/shop/swagger")
    assert "Shop <1>" in shown(chrome, ".info .title").text
    assert chrome.title == "Shop <1>"
    press(chrome, "#operations-default-get_shop_items_by_name .opblock-summary-control")

    def sent(driver: Chrome) -> bool:
        press(driver, ".opblock-get .execute")
        return bool(driver.find_elements("css selector", RESPONSE))

    shown(chrome, 'tr[data-param-name="name"] input').send_keys("a & ü", Keys.TAB)
    # The page takes over what was typed a moment later; until then it says that a value is missing.
    until(chrome, sent)
    shown(chrome, RESPONSE, '"name": "a & ü"')
    assert console_errors(chrome) == []


def test_swagger_ui_sends_what_the_security_scheme_asks_for(chrome: Chrome, server: Server) -> None:
    chrome.get(f"{server.url}/shop/swagger")
    press(chrome, ".auth-wrapper .authorize")
    shown(chrome, ".auth-container input").send_keys("secret")
    press(chrome, ".modal-ux .authorize")
    press(chrome, ".modal-ux .btn-done")
    press(chrome, "#operations-default-post_shop_items .opblock-summary-control")
    press(chrome, ".opblock-post .execute")
    shown(chrome, RESPONSE, "string of Bearer secret")
    assert console_errors(chrome) == []


def test_oauth_2_leads_back_to_the_page(chrome: Chrome, server: Server) -> None:
    chrome.get(f"{server.url}/shop/oauth")
    press(chrome, ".auth-wrapper .authorize")
    shown(chrome, ".auth-container #client_id_authorizationCode").send_keys("page")
    press(chrome, ".modal-ux .authorize")
    # A window opens, asks, hands over the answer and closes.
    shown(chrome, ".modal-ux button", "Logout")
    until(chrome, lambda driver: len(driver.window_handles) == 1)
    assert console_errors(chrome) == []


def test_scalar_sends_a_request(chrome: Chrome, server: Server) -> None:
    chrome.get(f"{server.url}/shop/scalar")
    shown(chrome, "h1", "Shop <1>")
    press(chrome, "button.show-api-client-button", "/shop/greeting")
    press(chrome, "button", "Send get request to")
    shown(chrome, ".scalar-client, [role=dialog]", "hello from the page")
    assert console_errors(chrome) == []


@pytest.mark.parametrize(
    ("ui", "path", "shows"), [("swagger", "/public", ".info .title"), ("scalar", "/public-scalar", "h1")]
)
def test_files_of_the_public_host_run_when_they_are_what_their_hashes_say(
    chrome: Chrome, server: Server, public_host: Server, ui: str, path: str, shows: str
) -> None:
    chrome.get(f"{server.url}/shop{path}")
    shown(chrome, shows, "Shop <1>")
    assert console_errors(chrome) == []
    address = public_host.url.replace("http:", "https:")
    name = PAGES[ui].scripts[0].name
    assert httpx.post(f"{address}/change/{name}", verify=False, timeout=20).status_code == 204
    chrome.get(f"{server.url}/shop{path}")
    until(chrome, lambda driver: find(driver, "#docs").text.endswith("could not be loaded."))
    assert any("integrity" in error for error in console_errors(chrome))
