"""The documentation in a browser: it works under its policy and needs no other host."""

from playwright.sync_api import Page, expect

from tests.support.service import KEY


def test_every_operation_is_shown_to_try_out(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="SKG API")).to_be_visible()
    for path in ("/triples/add", "/triples/batch", "/query", "/stats", "/health"):
        expect(page.get_by_text(path, exact=True).first).to_be_visible()


def test_an_operation_is_tried_out_with_a_key(page: Page) -> None:
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(KEY)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()
    operation = page.locator("#operations-stats-stats_stats")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    live = operation.locator(".live-responses-table .response")
    expect(live.locator(".response-col_status")).to_contain_text("200")
    expect(live).to_contain_text('"total_triples": 2')


def test_the_reference_is_drawn(page: Page) -> None:
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="Explain a fact")).to_be_visible()
    expect(page.get_by_role("link", name="API docs by Redocly")).to_be_visible()


def test_the_pages_lead_to_each_other(page: Page) -> None:
    page.goto("/")
    page.wait_for_url("/docs")
    page.get_by_role("link", name="Reference").click()
    page.wait_for_url("/redoc")
    page.get_by_role("link", name="Try it out").click()
    page.wait_for_url("/docs")
    expect(page.get_by_role("heading", name="SKG API")).to_be_visible()
