"""The admin in a browser: its scripts run under the policy, and a fact can be found, changed and deleted."""

import re

from playwright.sync_api import Page, expect

FACTS = "/admin/triples/triple/"


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
    admin.get_by_role("link", name="Open thing 7 relation 2 hub").click()
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
    expect(admin.get_by_label("Subject:")).to_be_focused()
    for label in ("Subject:", "Predicate:", "Object:"):
        admin.get_by_label(label).fill("something")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_label("Weight:")).to_be_focused()
    expect(admin.get_by_label("Weight:")).to_have_accessible_description(re.compile("less than or equal to 1"))


def test_existing_terms_are_offered_while_somebody_types(admin: Page) -> None:
    admin.goto(f"{FACTS}add/")
    subject = admin.get_by_role("combobox", name="Subject:")
    expect(subject).to_be_focused()
    subject.press_sequentially("thnig 17")
    offered = admin.get_by_role("option")
    expect(offered.first).to_contain_text("thing 17")
    # Nothing cuts off or covers what is offered.
    assert offered.last.evaluate(
        "one => { const box = one.getBoundingClientRect();"
        " return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }"
    )
    subject.press("ArrowDown")
    expect(offered.first).to_have_attribute("aria-selected", "true")
    subject.press("Enter")
    expect(subject).to_have_value("thing 17")
    expect(subject).to_have_attribute("aria-expanded", "false")
    predicate = admin.get_by_role("combobox", name="Predicate:")
    predicate.press_sequentially("rel")
    offered.filter(has_text="relation 3").click()
    expect(predicate).to_have_value("relation 3")
    # A term that is not there yet may stay, and Escape closes what is offered.
    object_ = admin.get_by_role("combobox", name="Object:")
    object_.press_sequentially("hub")
    expect(offered.first).to_contain_text("hub")
    object_.press("Escape")
    expect(offered).to_have_count(0)
    object_.fill("hub of another kind")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("“thing 17 relation 3 hub of another kind” was added")


def test_the_facts_are_filtered_by_a_predicate_that_is_typed(admin: Page) -> None:
    admin.goto(FACTS)
    typed = admin.get_by_role("combobox", name=re.compile("One of . predicates"))
    typed.press_sequentially("relation 4")
    admin.get_by_role("option", name="relation 4").click()
    admin.get_by_role("button", name="Filter").click()
    admin.wait_for_url("**/?predicate=relation+4")
    expect(admin.locator("#result_list .field-linked_predicate").first).to_have_text("relation 4")


def test_a_term_leads_to_its_neighbours(admin: Page) -> None:
    admin.goto("/admin/triples/term/?q=%22hub%22")
    admin.get_by_role("link", name="hub", exact=True).click()
    picture = admin.get_by_role("group", name="The heaviest facts around hub")
    expect(picture.get_by_role("link")).to_have_count(12)
    picture.get_by_role("link", name=re.compile("^thing 199")).click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("thing 199")
    admin.go_back()
    admin.get_by_role("link", name="show all facts with relation 4").click()
    expect(admin.locator("#result_list tbody tr")).to_have_count(40)
