"""A real Chromium before the real service. Every test ends by asserting that the browser had nothing to complain of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    StorageState,
    expect,
    sync_playwright,
)

from tests.browser.explored import Explorer, fill_graph
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
    # Without windows it takes half of the processor time, but not every system has it apart.
    path = shutil.which("chromium-headless-shell") or require_tool("chromium")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs privileges that containers do not give.
        # The others draw without a graphics card, pages too, for which the flags of Debian are a quarter slower.
        arguments = [
            "--no-sandbox",
            "--use-gl=angle",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--disable-gpu-rasterization",
            "--disable-gpu-compositing",
        ]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        # A busy machine without a graphics card takes seconds for what takes milliseconds elsewhere.
        expect.set_options(timeout=20_000)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(
    chromium: Browser, fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A running service with a user, and with a graph of more than one page."""
    with started_site(tmp_path_factory.mktemp("browser"), fresh_database) as one:
        facts = [
            {
                "subject": f"thing {number}",
                "predicate": f"relation {number % 5}",
                "object": "hub",
                "weight": number / 200,
            }
            for number in range(200)
        ]
        with one.client() as client:
            client.post("/triples/batch", json={"triples": facts}).raise_for_status()
            # An import that brings nothing new, and has a line refused.
            client.post("/import?format=tsv", content="thing 1\trelation 1\thub\nbad\n").raise_for_status()
        yield one


@contextmanager
def started_site(folder: Path, fresh_database: FreshDatabase) -> Iterator[Service]:
    """A running service with a user, and without facts."""
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
    try:
        yield one
    finally:
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
        # How fast WebGL is without a graphics card is not the page's doing.
        if message.type in {"error", "warning"} and "GL Driver Message (OpenGL, Performance" not in message.text:
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
def fresh_page(
    chromium: Browser,
    site: Service,
    cookies: StorageState | None = None,
    *,
    expected: tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Page]:
    """A page of a fresh browser, of which nothing must complain; paths are the service's.

    `expected` are beginnings of complaints that a test provokes, and `options` those of the browser's context.
    """
    given = {"base_url": site.url, "viewport": {"width": 1360, "height": 900}, "storage_state": cookies}
    context = chromium.new_context(**given | options)
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    complaints = Complaints(page, site.url)
    yield page
    context.close()
    assert [one for one in complaints if not one.startswith(expected or ("-",))] == []


@pytest.fixture
def page(chromium: Browser, site: Service) -> Iterator[Page]:
    with fresh_page(chromium, site) as page:
        yield page


@pytest.fixture(scope="package")
def session_cookies(chromium: Browser, site: Service) -> StorageState:
    """What a browser holds that has logged in to the admin; once, since attempts are limited."""
    return logged_in(chromium, site)


def logged_in(chromium: Browser, site: Service) -> StorageState:
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


@pytest.fixture(scope="package")
def explored(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the graph that the explorer's tests look at."""
    with started_site(tmp_path_factory.mktemp("explored"), fresh_database) as one:
        fill_graph(one)
        yield one


@pytest.fixture(scope="package")
def explorer_cookies(chromium: Browser, explored: Service) -> StorageState:
    return logged_in(chromium, explored)


@pytest.fixture
def explorer(chromium: Browser, explored: Service, explorer_cookies: StorageState) -> Iterator[Explorer]:
    """The explorer with the session of the admin."""
    with fresh_page(chromium, explored, explorer_cookies) as page:
        yield Explorer(page)
