"""Every page of the site can be read and used: at a desk and on a telephone, in light and in dark."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.accessibility import serious
from tests.browser.conftest import REPORT_VIOLATIONS, Complaints
from tests.support.service import Service

ADMIN = "/admin/triples"
FIRST_ROW = "#result_list tbody th a"
# All that another scheme changes.
COLOURS = ("color-contrast",)
WIDE, NARROW = 1280, 400


class Visit(NamedTuple):
    """A page: its address, what is clicked there to come to it, and how it answers."""

    path: str
    click: str = ""
    # What is there once a page is drawn that draws itself.
    drawn: str = "#content"
    status: int = 200
    anonymous: bool = False
    # What is taken away before the page is looked at.
    cut: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.click}".rstrip()


VISITS = [
    Visit("/admin/"),
    Visit(f"{ADMIN}/triple/add/"),
    Visit(f"{ADMIN}/triple/add/", click="[name=_save]"),
    Visit(f"{ADMIN}/triple/ask/"),
    Visit(f"{ADMIN}/triple/ask/?question=%3Fx+%3Fp+hub&k=3"),
    Visit(f"{ADMIN}/triple/ask/?question=%3Fx+%3Fp"),
    Visit(f"{ADMIN}/inferredtriple/", click=FIRST_ROW),
    Visit(f"{ADMIN}/term/", click=FIRST_ROW),
    Visit(f"{ADMIN}/rule/1/delete/"),
    Visit(f"{ADMIN}/rule/add/"),
    Visit(f"{ADMIN}/rule/add/", click="[name=_save]"),
    Visit(f"{ADMIN}/recursionrun/", click=FIRST_ROW),
    Visit(f"{ADMIN}/recursionrun/run/"),
    Visit("/admin/auth/user/"),
    Visit("/admin/auth/user/add/"),
    # Django's picker of permissions gives its help sign a label, which a plain span may not have.
    Visit("/admin/auth/group/add/", cut=".help-tooltip"),
    Visit("/admin/auth/group/"),
    Visit("/admin/login/", anonymous=True),
    Visit("/admin/nothing/", status=404),
    Visit("/"),
    Visit("/docs", drawn=".opblock"),
    # Its sections are alike, and too many to look at each of them.
    Visit("/redoc", drawn="#redoc h1", cut="[data-section-id]:nth-of-type(n+4)"),
]


class Tab(NamedTuple):
    page: Page
    complaints: Complaints


@pytest.fixture(scope="module")
def tabs(chromium: Browser, site: Service, session_cookies: StorageState) -> Iterator[dict[bool, Tab]]:
    """A tab that is logged in, and one that is not (True), before a service that has derived something."""
    with site.client(timeout=60) as client:
        _derive(client)
    opened = {False: _tab(chromium, site, session_cookies), True: _tab(chromium, site, None)}
    yield opened
    for tab in opened.values():
        tab.page.context.close()


def _tab(chromium: Browser, site: Service, cookies: StorageState | None) -> Tab:
    context = chromium.new_context(base_url=site.url, storage_state=cookies)
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    return Tab(page, Complaints(page, site.url))


def _derive(client: httpx.Client) -> None:
    facts = [
        {"subject": "Ann", "predicate": "parent_of", "object": "Bob", "weight": 0.9},
        {"subject": "Bob", "predicate": "parent_of", "object": "Cid", "weight": 0.81},
        {
            "subject": "Cid",
            "predicate": "parent_of",
            "object": "a_name_much_longer_than_a_narrow_screen_is_wide",
        },
    ]
    rule = {
        "name": "grandparent",
        "head": ["?x", "grandparent_of", "?z"],
        "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    }
    client.post("/triples/batch", json={"triples": facts}).raise_for_status()
    client.post("/rules", json=rule).raise_for_status()
    client.post("/keys", json={"name": "nightly import", "scopes": ["read"]}).raise_for_status()
    run = client.post("/recurse", headers={"Prefer": "wait=60"})
    assert run.json()["status"] == "succeeded"


@pytest.mark.parametrize("visit", VISITS, ids=Visit.__str__)
def test_a_page_is_readable_at_every_width_in_light_and_dark(tabs: dict[bool, Tab], visit: Visit) -> None:
    page, complaints = tabs[visit.anonymous]
    complaints.clear()
    faults = {fault for look in _looks(page, visit) for fault in look}
    refused = (
        f"{visit.status}: {page.url}",
        f"error: Failed to load resource: the server responded with a status of {visit.status}",
    )
    faults |= {one for one in complaints if visit.status == 200 or not one.startswith(refused)}
    assert faults == set()


def _looks(page: Page, visit: Visit) -> Iterator[list[str]]:
    """What is wrong at each width and in each scheme."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 900})
    answer = page.goto(visit.path)
    assert answer is not None
    assert answer.status == visit.status
    if visit.click:
        with page.expect_navigation():
            page.locator(visit.click).first.click()
    yield _look(page, visit)
    page.emulate_media(color_scheme="dark")
    yield _look(page, visit, *COLOURS)
    page.set_viewport_size({"width": NARROW, "height": 800})
    yield _look(page, visit)
    page.emulate_media(color_scheme="light")
    yield _look(page, visit, *COLOURS)
    width = page.evaluate("document.documentElement.scrollWidth")
    yield [] if width <= NARROW else [f"is {width} px wide"]


def _look(page: Page, visit: Visit, *rules: str) -> list[str]:
    page.locator(visit.drawn).first.wait_for()
    if visit.cut:
        page.locator(visit.cut).evaluate_all("elements => elements.forEach((one) => one.remove())")
    return serious(page, only=rules)
