"""An afternoon with rules in a browser: one is written, looked at before it is saved, run, and its outcome proved."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import faults, ready
from tests.support.service import Service

RULES = "/admin/triples/rule/"
RUNS = "/admin/triples/recursionrun/"
FACTS = [
    {"subject": "Lyon", "predicate": "lies_in", "object": "France"},
    {"subject": "France", "predicate": "lies_in", "object": "Europe", "weight": 0.9},
]


# It joins all facts with each other, again and again.
ENDLESS = {
    "name": "all",
    "head": ["?a", "q", "?f"],
    "body": [["?a", "?x", "?b"], ["?c", "?y", "?d"], ["?e", "?z", "?f"]],
}


def test_a_rule_is_written_previewed_run_and_its_outcome_proved(admin: Page, site: Service) -> None:
    with site.client() as client:
        client.post("/triples/batch", json={"triples": FACTS}).raise_for_status()
    write_rule(admin)
    run_now(admin)
    see_proof(admin)


def write_rule(admin: Page) -> None:
    admin.goto(f"{RULES}add/")
    for label, text in (("Name:", "lies in"), ("If:", "?x lies_in ?y\n?y lies_in"), ("Then:", "?x lies_in ?z")):
        admin.get_by_label(label).fill(text)
    admin.get_by_role("button", name="Preview").click()
    expect(admin.locator(".field-body .errorlist")).to_contain_text("Line 2: must have three places")
    admin.get_by_label("If:").fill("?x lies_in ?y\n?y lies_in ?z")
    admin.get_by_role("button", name="Preview").click()
    preview = admin.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("Now this would derive 1 fact by itself")
    expect(preview.get_by_role("row").nth(1)).to_contain_text("Lyon lies_in Europe 0.9", use_inner_text=True)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was added successfully")


def run_now(admin: Page) -> None:
    admin.goto("/admin/triples/recursionrun/")
    admin.get_by_role("link", name="Run now").click()
    admin.get_by_role("button", name="Run now").click()
    expect(admin.locator(".messagelist")).to_contain_text("is on its way")
    # The page follows the run by itself.
    expect(admin.locator(".run-succeeded")).to_be_visible(timeout=30_000)
    expect(admin.get_by_role("img", name="New and improved facts of each round")).to_be_visible()
    expect(admin.get_by_role("status")).to_have_text("Succeeded")
    expect(admin.get_by_text("This page follows the run.")).to_have_count(0)


def see_proof(admin: Page) -> None:
    admin.goto("/admin/triples/inferredtriple/?subject=Lyon")
    admin.get_by_role("link", name="Proof of Lyon lies_in Europe").click()
    proof = admin.locator(".proof")
    expect(proof.locator(".proof-asserted")).to_have_count(2)
    expect(proof.get_by_role("link", name="France lies_in Europe")).to_be_visible()
    proof.get_by_role("link", name="lies in", exact=True).click()
    expect(admin.get_by_label("Then:")).to_have_value("?x lies_in ?z")


def test_a_run_at_work_is_followed_in_the_list_and_cancelled(admin: Page, site: Service) -> None:
    with site.client() as client:
        client.post("/rules", json=ENDLESS).raise_for_status()
        started = client.post("/recurse", json={"force": True}).raise_for_status().json()
        admin.goto(RUNS)
        expect(admin.locator(".run-running")).to_be_visible(timeout=30_000)
        admin.get_by_role("link", name="Cancel the run").click()
        ready(admin)
        assert list(faults(admin)) == []
        admin.get_by_role("button", name="Cancel the run").click()
        expect(admin.locator(".run-cancelled")).to_be_visible(timeout=30_000)
        assert client.get(started["status_url"]).json()["cancel_requested_by"] == "user somebody"
        client.delete("/rules/all").raise_for_status()


def test_a_page_that_follows_a_run_keeps_the_focus_and_waits_while_it_is_hidden(admin: Page, site: Service) -> None:
    with site.client() as client:
        client.post("/rules", json=ENDLESS).raise_for_status()
        started = client.post("/recurse", json={"force": True}).raise_for_status().json()
        admin.goto(RUNS)
        link = admin.get_by_role("link", name="Cancel the run")
        link.focus()
        # A refreshed list is another element.
        admin.evaluate("document.querySelector('[data-live]').dataset.seen = 'before'")
        expect(admin.locator(".run-running")).to_be_visible(timeout=30_000)
        expect(link).to_be_focused()
        asked: list[str] = []
        hide(admin, hidden=True)
        admin.on("request", lambda request: asked.append(request.url))
        client.post(f"{started['status_url']}/cancel").raise_for_status()
        with site.client() as other:
            while other.get(started["status_url"]).json()["finished_at"] is None:
                admin.wait_for_timeout(100)
        assert asked == []
        hide(admin, hidden=False)
        expect(admin.locator(".run-cancelled").first).to_be_visible(timeout=30_000)
        client.delete("/rules/all").raise_for_status()


def hide(page: Page, *, hidden: bool) -> None:
    """Hide the page, as if another tab were shown."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
