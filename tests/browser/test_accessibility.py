"""Every page of the site can be read and used: at a desk and on a telephone, in light and in dark."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.accessibility import faults, ready
from tests.browser.conftest import REPORT_VIOLATIONS, Complaints
from tests.support.service import Service

ADMIN = "/admin/triples"
KEYS = "/admin/apikeys/apikey"
# Django's picker of permissions and groups gives its help sign a label, which a plain span may not have.
PICKER = ".help-tooltip"
FIRST_ROW = "#result_list tbody th a"


class Visit(NamedTuple):
    """A page: its address, what is clicked there to come to it, and how it answers."""

    path: str
    click: str = ""
    # A field that is filled before that.
    fill: str = ""
    # As `faults` has them.
    drawn: str = "#content"
    status: int = 200
    anonymous: bool = False
    cut: str = ""
    # Of the same template as others, and nothing of its own on it: looked at in the long run alone.
    alike: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, (self.path, self.click, self.anonymous * "anonymous")))


VISITS = [
    Visit("/admin/"),
    Visit(f"{ADMIN}/triple/?q=thing&p=2"),
    Visit(f"{ADMIN}/triple/?q=nothing", alike=True),
    Visit(f"{ADMIN}/triple/?weight=0.5&source=batch&metadata=no", click=FIRST_ROW),
    Visit(f"{ADMIN}/triple/add/", alike=True),
    Visit(f"{ADMIN}/triple/add/", click="[name=_save]"),
    Visit(f"{ADMIN}/triple/ask/"),
    Visit(f"{ADMIN}/triple/ask/?question=%3Fx+%3Fp+hub&k=3"),
    Visit(f"{ADMIN}/triple/ask/?question=%3Fx+%3Fp"),
    Visit(f"{ADMIN}/inferredtriple/"),
    Visit(f"{ADMIN}/inferredtriple/?kinds=both&subject=Ann"),
    Visit(f"{ADMIN}/inferredtriple/", click="#result_list td:last-child a"),
    Visit(f"{ADMIN}/term/", alike=True),
    Visit(f"{ADMIN}/term/?q=hub", click=FIRST_ROW),
    Visit(f"{ADMIN}/rule/", alike=True),
    Visit(f"{ADMIN}/rule/1/delete/"),
    Visit(f"{ADMIN}/rule/add/", alike=True),
    Visit(f"{ADMIN}/rule/add/", click="[name=_save]"),
    Visit(f"{ADMIN}/rule/1/change/", click="[name=_preview]"),
    Visit(f"{ADMIN}/recursionrun/", alike=True),
    Visit(f"{ADMIN}/recursionrun/", click=FIRST_ROW),
    Visit(f"{ADMIN}/recursionrun/run/"),
    Visit(f"{ADMIN}/importrun/", alike=True),
    Visit(f"{ADMIN}/importrun/", click=FIRST_ROW),
    Visit(f"{ADMIN}/importrun/1/undo/"),
    Visit(f"{ADMIN}/importrun/import/"),
    Visit(f"{ADMIN}/importrun/export/?format=docx"),
    Visit(f"{KEYS}/", alike=True),
    Visit(f"{KEYS}/", click=FIRST_ROW),
    Visit(f"{KEYS}/add/", alike=True),
    Visit(f"{KEYS}/add/", fill="#id_name", click="[type=submit].default"),
    Visit(f"{KEYS}/2/rotate/"),
    Visit(f"{KEYS}/2/revoke/", alike=True),
    Visit("/admin/apikeys/keyevent/", alike=True),
    Visit("/admin/password_change/"),
    Visit("/admin/auth/user/", alike=True),
    Visit("/admin/auth/user/add/"),
    Visit("/admin/auth/user/1/change/", cut=PICKER),
    Visit("/admin/auth/group/add/", cut=PICKER, alike=True),
    Visit("/admin/auth/group/", alike=True),
    Visit("/admin/login/", anonymous=True),
    Visit("/admin/nothing/", status=404),
    Visit("/", anonymous=True),
    Visit("/explorer", drawn="#details p"),
    Visit("/explorer", drawn="#key-form", anonymous=True),
    Visit("/explorer?open=Ann&node=Ann", drawn="#details h2"),
    Visit("/explorer?open=Ann&tab=table", drawn="#table td"),
    Visit("/explorer?tab=ask", drawn="#ask-form"),
    Visit("/explorer?from=Ann&to=Cid&tab=path", drawn="#paths li"),
    Visit("/docs", drawn="#swagger-ui[data-scheme={scheme}] .opblock"),
    # Its sections are alike, and too many to look at each of them.
    Visit("/redoc", drawn="#redoc[data-scheme={scheme}] h1", cut="[data-section-id]:nth-of-type(n+4)"),
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


@pytest.mark.parametrize(
    "visit", [pytest.param(one, marks=pytest.mark.long if one.alike else ()) for one in VISITS], ids=Visit.__str__
)
def test_a_page_is_readable_at_every_width_in_light_and_dark(tabs: dict[bool, Tab], visit: Visit) -> None:
    page, complaints = tabs[visit.anonymous]
    complaints.clear()
    _open(page, visit)
    found = set(faults(page, drawn=visit.drawn, cut=visit.cut))
    refused = (
        f"{visit.status}: {page.url}",
        f"error: Failed to load resource: the server responded with a status of {visit.status}",
    )
    found |= {one for one in complaints if visit.status == 200 or not one.startswith(refused)}
    assert found == set()


def _open(page: Page, visit: Visit) -> None:
    ready(page)
    answer = page.goto(visit.path)
    assert answer is not None
    assert answer.status == visit.status
    if visit.fill:
        page.locator(visit.fill).fill("something")
    if visit.click:
        with page.expect_navigation():
            page.locator(visit.click).first.click()
