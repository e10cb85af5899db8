"""A real Chromium before the real service. Every test ends by asserting that the browser had nothing to complain of."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Response, StorageState, sync_playwright

from tests.conftest import FreshDatabase
from tests.support.service import Service, manage
from tests.support.tools import require_tool

USER = "somebody"
PASSWORD = "a-password-for-the-tests"

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


# Not for the whole run: while Playwright is there, an event loop runs in this thread, where Django's ORM then
# refuses to work.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = require_tool("chromium")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs privileges that containers do not give.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(
    chromium: Browser, fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A running service with a user, and with a graph of more than one page."""
    folder = tmp_path_factory.mktemp("browser")
    one = Service(folder, **fresh_database(folder), max_batch_size=1000)
    made = manage(
        "createsuperuser",
        "--no-input",
        f"--username={USER}",
        "--email=",
        variables=one.variables | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
    )
    assert made.returncode == 0, made.stderr
    one.start()
    facts = [
        {"subject": f"thing {number}", "predicate": f"relation {number % 5}", "object": "hub", "weight": number / 200}
        for number in range(200)
    ]
    with one.client() as client:
        client.post("/triples/batch", json={"triples": facts}).raise_for_status()
    yield one
    one.end()


class Complaints(list[str]):
    """What the browser reports as wrong with a page, and every request that leaves the service."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__()
        self._url = url
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.append(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.append(f"uncaught: {error}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._url}/", "data:", "blob:")):
            self.append(f"asks another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.append(f"{response.status}: {response.url}")


@contextmanager
def fresh_page(chromium: Browser, site: Service, cookies: StorageState | None = None) -> Iterator[Page]:
    """A page of a fresh browser, of which nothing must complain; paths are the service's."""
    context = chromium.new_context(base_url=site.url, viewport={"width": 1360, "height": 900}, storage_state=cookies)
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    complaints = Complaints(page, site.url)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, site: Service) -> Iterator[Page]:
    with fresh_page(chromium, site) as page:
        yield page


@pytest.fixture(scope="package")
def session_cookies(chromium: Browser, site: Service) -> StorageState:
    """What a browser holds that has logged in to the admin; once, since attempts are limited."""
    with fresh_page(chromium, site) as page:
        page.goto("/admin/")
        page.get_by_label("Username").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("/admin/")
        return page.context.storage_state()


@pytest.fixture
def admin(chromium: Browser, site: Service, session_cookies: StorageState) -> Iterator[Page]:
    """A page that is logged in to the admin and shows its overview."""
    with fresh_page(chromium, site, session_cookies) as page:
        page.goto("/admin/")
        yield page
