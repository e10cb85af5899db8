"""The documentation in a browser: it works under its policy and needs no other host."""

from playwright.sync_api import Page, expect

from tests.support.service import KEY


def test_every_operation_is_shown_to_try_out(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="SKG API")).to_be_visible()
    for path in ("/triples/add", "/triples/batch", "/query", "/stats", "/health"):
        expect(page.get_by_text(path, exact=True).first).to_be_visible()


def authorize(page: Page) -> None:
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(KEY)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()


def test_an_operation_is_tried_out_with_a_key(page: Page) -> None:
    authorize(page)
    operation = page.locator("#operations-stats-stats_stats")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    live = operation.locator(".live-responses-table .response")
    expect(live.locator(".response-col_status")).to_contain_text("200")
    expect(live).to_contain_text('"total_triples": 2')


def test_the_key_is_kept_for_the_life_of_the_tab(page: Page) -> None:
    authorize(page)
    page.reload()
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    expect(dialog).to_contain_text("Authorized")
    assert KEY not in str(page.context.storage_state())
    other = page.context.new_page()
    other.goto("/docs")
    expect(other.get_by_role("button", name="Authorize")).to_be_visible()
    assert other.evaluate("Object.keys(sessionStorage)") == []
    dialog.get_by_role("button", name="Remove authorization").click()
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_the_scheme_is_the_one_that_was_chosen(page: Page) -> None:
    """Swagger UI and ReDoc have their own ways to be dark; the choice also holds in the admin."""
    page.emulate_media(color_scheme="light")
    page.goto("/docs")
    page.get_by_role("button", name="Toggle theme").click()
    expect(page.locator("html.dark-mode")).to_be_attached()
    page.goto("/redoc")
    expect(page.locator("#redoc[data-scheme=dark] h1")).to_be_visible()
    page.get_by_role("button", name="Toggle theme").click()
    expect(page.locator("#redoc[data-scheme=light] h1")).to_be_visible()
    page.goto("/admin/")
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_the_reference_is_drawn(page: Page) -> None:
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="Explain a fact")).to_be_visible()
    expect(page.get_by_role("link", name="API docs by Redocly")).to_be_visible()


def test_the_pages_lead_to_each_other(page: Page) -> None:
    page.goto("/")
    navigation = page.get_by_role("navigation", name="Pages")
    navigation.get_by_role("link", name="Reference").click()
    page.wait_for_url("/redoc")
    navigation.get_by_role("link", name="Try it out").click()
    page.wait_for_url("/docs")
    expect(page.get_by_role("heading", name="SKG API")).to_be_visible()
