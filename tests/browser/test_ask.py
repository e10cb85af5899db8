"""A question in a browser: it is written, corrected, answered, and goes on on the next page."""

from playwright.sync_api import Page, expect

QUESTION = '?x "relation 1" hub\n?x ?p hub\nfilter ?x starts_with "thing 19"'


def test_a_question_is_asked_and_answered(admin: Page) -> None:
    admin.get_by_role("link", name="Ask the graph").click()
    admin.get_by_label("Question").fill(QUESTION.replace('"relation 1"', "relation 1"))
    admin.get_by_role("button", name="Ask").click()
    expect(admin.locator(".errorlist")).to_have_text(
        "Line 1: must have three places: subject, predicate and object; here are 4."
    )
    admin.get_by_label("Question").fill(QUESTION)
    admin.get_by_label("Answers on a page").fill("1")
    admin.get_by_role("button", name="Ask").click()
    answers = admin.locator("#result_list tbody tr")
    expect(answers).to_have_count(1)
    expect(answers.get_by_role("link", name="thing 196", exact=True)).to_be_visible()
    expect(admin.get_by_role("region", name="The same over HTTP")).to_contain_text("$API_KEY")
    admin.get_by_role("link", name="Next page").click()
    answers.get_by_role("link", name="thing 191", exact=True).click()
    expect(admin.get_by_role("heading", name="thing 191")).to_be_visible()
