"""The admin in a browser: its scripts run under the policy, and a fact can be found, changed and deleted."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import fresh_page
from tests.support.service import Service

FACTS = "/admin/triples/triple/"


@pytest.fixture(scope="module")
def tab(chromium: Browser, site: Service, session_cookies: StorageState) -> Iterator[Page]:
    """A page in which one address is opened after the other."""
    with fresh_page(chromium, site, session_cookies) as page:
        yield page


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        FACTS,
        f"{FACTS}?q=thing&p=2",
        f"{FACTS}?weight=0.5&source=batch&metadata=no",
        f"{FACTS}add/",
        f"{FACTS}ask/?question=%3Fx+%3Fp+hub&k=3",
        f"{FACTS}ask/?question=%3Fx+%3Fp",
        "/admin/triples/term/",
        "/admin/triples/term/?q=hub",
        "/admin/triples/term/1/change/",
        "/admin/apikeys/apikey/",
        "/admin/apikeys/apikey/add/",
        "/admin/apikeys/keyevent/",
        "/admin/auth/user/",
        "/admin/auth/user/1/change/",
        "/admin/auth/group/add/",
        "/admin/password_change/",
    ],
)
def test_a_page_opens_without_a_complaint(tab: Page, path: str) -> None:
    answer = tab.goto(path)
    assert answer is not None
    assert answer.status == 200
    tab.wait_for_load_state("networkidle")
    expect(tab.get_by_role("link", name="SKG API")).to_be_visible()


def test_the_scripts_run(admin: Page) -> None:
    admin.get_by_role("button", name="Toggle theme").first.click()
    assert admin.locator("html").get_attribute("data-theme") in {"light", "dark"}
    admin.goto(FACTS)
    admin.get_by_label("Select all objects on this page").check()
    expect(admin.locator(".action-counter")).to_have_text("50 of 50 selected")


def test_a_fact_is_found_and_its_weight_changed(admin: Page) -> None:
    admin.goto(FACTS)
    admin.locator("#searchbar").fill('s:"thing 7"')
    admin.get_by_role("button", name="Search").click()
    admin.get_by_role("link", name="thing 7", exact=True).click()
    admin.get_by_label("Weight:").fill("0.75")
    admin.get_by_label("Metadata:").fill('{"checked": true}')
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was changed successfully")
    expect(admin.locator("#result_list .field-weight")).to_have_text("0.75")


def test_a_fact_is_added_and_deleted(admin: Page) -> None:
    admin.goto(f"{FACTS}add/")
    for label, text in (("Subject:", "passing"), ("Predicate:", "is"), ("Object:", "fancy")):
        admin.get_by_label(label).fill(text)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was added successfully")
    admin.goto(f"{FACTS}?q=passing")
    admin.locator(".action-select").check()
    admin.get_by_label("Action:").select_option("delete_selected")
    admin.get_by_role("button", name="Go").click()
    admin.get_by_role("button", name="Yes, I’m sure").click()
    expect(admin.locator(".messagelist")).to_contain_text("Successfully deleted 1 triple.")


def test_what_is_wrong_stands_at_its_field(admin: Page) -> None:
    admin.goto(f"{FACTS}add/")
    admin.get_by_label("Weight:").fill("7")
    admin.get_by_label("Metadata:").fill("[")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".field-weight .errorlist")).to_contain_text("less than or equal to 1")
    expect(admin.locator(".field-metadata .errorlist")).to_contain_text("This is not JSON")
