"""The ways between the parts of the site, and through its forms without a mouse."""

from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import fresh_page
from tests.support.service import Service


def test_start_explorer_overview_and_terms_lead_to_each_other(
    chromium: Browser, explored: Service, explorer_cookies: StorageState
) -> None:
    with fresh_page(chromium, explored, explorer_cookies) as page:
        page.goto("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Explorer").click()
        page.get_by_role("navigation", name="Site").get_by_role("link", name="Admin").click()
        page.get_by_role("link", name="Explore the graph").click()
        expect(page.get_by_text("Search for a term to see what is around it")).to_be_visible()
        page.goto("/admin/triples/term/?q=%22bicycle%22")
        page.get_by_role("link", name="bicycle", exact=True).click()
        page.get_by_role("link", name="Open in the explorer").click()
        expect(page).to_have_url("/explorer?open=bicycle&node=bicycle")
        expect(page.locator("#details h2")).to_have_text("bicycle")
        expect(page.get_by_role("region", name="Legend")).to_contain_text("6 of 6 loaded facts are drawn")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("bicycle")


def test_a_fact_is_added_without_a_mouse(admin: Page) -> None:
    admin.emulate_media(reduced_motion="reduce")
    admin.goto("/admin/triples/triple/add/")
    for text in ("a keyboard", "writes", "a fact", "0.5"):
        admin.keyboard.press("Control+a")
        admin.keyboard.type(text)
        admin.keyboard.press("Tab")
    admin.keyboard.type('{"by": "hand"}')
    admin.keyboard.press("Tab")
    expect(admin.get_by_role("button", name="Save", exact=True)).to_be_focused()
    admin.keyboard.press("Enter")
    expect(admin.locator(".messagelist")).to_contain_text("“a keyboard writes a fact” was added")
