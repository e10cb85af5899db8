"""A rule's editor: what the rule would derive is shown while it is written, and saving it can lead on to a run."""

from playwright.sync_api import Page, Request, expect

from tests.browser.accessibility import serious
from tests.support.service import Service

RULES = "/admin/triples/rule/"


def test_the_preview_follows_what_is_written(admin: Page) -> None:
    previews: list[Request] = []
    admin.on("request", lambda request: previews.append(request) if request.method == "POST" else None)
    admin.goto(f"{RULES}add/")
    preview = admin.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("shown here, before you save it")
    admin.get_by_label("If:").press_sequentially('?x "relation 1" ?y', delay=20)
    admin.get_by_label("Then:").press_sequentially("?y turned ?x", delay=20)
    expect(preview).to_contain_text("Now this would derive 40 facts by itself", timeout=20_000)
    expect(preview.get_by_role("row").nth(1)).to_contain_text("hub turned thing 196", use_inner_text=True)
    assert len(previews) == 1
    admin.get_by_label("If:").fill('?x "relation1" ?y')
    expect(preview).to_contain_text("There is no predicate relation1 yet; did you mean relation 1", timeout=20_000)
    admin.get_by_label("If:").fill("?x relation")
    expect(preview).to_contain_text("If: Line 1: must have three places", timeout=20_000)
    assert serious(admin) == []


def test_a_keystroke_ends_the_preview_before_it(admin: Page, site: Service) -> None:
    """Which of them the service works on is its own test's matter: `tests/triples/admin/test_previews.py`."""
    admin.goto(f"{RULES}add/")
    admin.get_by_label("Then:").fill("?x turned ?z")
    with admin.expect_request(lambda request: request.method == "POST") as first:
        admin.get_by_label("If:").fill('?x "relation 1" ?y\n?u "relation 2" ?v\n?w "relation 3" ?z')
    with admin.expect_event("requestfailed") as failed:
        admin.get_by_label("If:").fill("?x nothing ?z")
    assert failed.value == first.value
    expect(admin.get_by_role("region", name="Preview")).to_contain_text("0 facts", timeout=30_000)


def test_an_example_is_saved_and_run(admin: Page) -> None:
    admin.goto(f"{RULES}add/")
    admin.get_by_role("link", name="Insert an example").click()
    expect(admin.get_by_label("If:")).to_have_value("?x parent_of ?y\n?y parent_of ?z")
    admin.get_by_label("Name:").fill("an example")
    admin.get_by_role("button", name="Save and run").click()
    expect(admin.locator(".messagelist")).to_contain_text("is on its way")
    expect(admin.get_by_text("finished", exact=False).first).to_be_visible()


def test_a_long_name_leaves_room_for_the_rule_on_a_narrow_screen(admin: Page, site: Service) -> None:
    name = "r" * 60
    rule = {"name": name, "head": ["?y", "turned", "?x"], "body": [["?x", "relation 1", "?y"]], "enabled": False}
    with site.client() as client:
        client.post("/rules", json=rule).raise_for_status()
        admin.set_viewport_size({"width": 400, "height": 800})
        admin.goto(RULES)
        box = admin.locator("#result_list .field-shown_name", has_text=name).bounding_box()
        assert box is not None
        assert box["width"] < 200
        client.delete(f"/rules/{name}").raise_for_status()
