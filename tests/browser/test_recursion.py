"""An afternoon with rules in a browser: one is written, looked at before it is saved, run, and its outcome proved."""

from playwright.sync_api import Page, expect

from tests.support.service import Service

RULES = "/admin/triples/rule/"
FACTS = [
    {"subject": "Lyon", "predicate": "lies_in", "object": "France"},
    {"subject": "France", "predicate": "lies_in", "object": "Europe", "weight": 0.9},
]


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
    expect(admin.locator(".field-body .errorlist")).to_contain_text("Line 2: must be a list of three places")
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
    for _ in range(120):
        if admin.locator(".run-succeeded").count():
            break
        admin.wait_for_timeout(250)
        admin.reload()
    expect(admin.locator(".run-succeeded")).to_be_visible()
    expect(admin.get_by_role("img", name="New and improved facts of each round")).to_be_visible()


def see_proof(admin: Page) -> None:
    admin.goto("/admin/triples/inferredtriple/?subject=Lyon")
    admin.get_by_role("link", name="Proof of Lyon lies_in Europe").click()
    proof = admin.locator(".proof")
    expect(proof.locator(".proof-asserted")).to_have_count(2)
    expect(proof.get_by_role("link", name="France lies_in Europe")).to_be_visible()
    proof.get_by_role("link", name="lies in", exact=True).click()
    expect(admin.get_by_label("Then:")).to_have_value("?x lies_in ?z")
