"""The overview in a browser: what it shows leads on, and its pictures can be read on a narrow screen."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect


def test_what_needs_attention_leads_to_what_mends_it(admin: Page) -> None:
    attention = admin.get_by_role("region", name="What needs attention")
    expect(attention).to_contain_text("There is no backup from this host. Run manage.py backup.")


def test_a_number_leads_to_what_it_counts(admin: Page) -> None:
    numbers = admin.get_by_role("region", name="In numbers")
    expect(numbers.get_by_role("listitem").first).to_contain_text("Facts")
    numbers.get_by_role("listitem").first.get_by_role("link").click()
    expect(admin.get_by_role("heading", level=1)).to_be_visible()
    expect(admin).to_have_url("/admin/triples/triple/")


@pytest.mark.parametrize("width", [1280, 400])
def test_a_picture_is_as_wide_as_there_is_room_and_its_text_as_large_as_ever(admin: Page, width: int) -> None:
    admin.set_viewport_size({"width": width, "height": 900})
    picture = admin.get_by_role("img", name="Facts over time")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 250
    heights = picture.locator("text").evaluate_all("texts => texts.map((text) => text.getBoundingClientRect().height)")
    assert min(heights) > 11
    # Labels do not run into each other.
    edges = picture.locator("text").evaluate_all(
        "texts => texts.map((text) => text.getBoundingClientRect()).map((box) => [box.left, box.right])"
    )
    assert all(before[1] < after[0] for before, after in pairwise(edges))
    assert admin.evaluate("document.documentElement.scrollWidth") == width


def test_the_numbers_of_a_picture_are_there_as_a_table(admin: Page) -> None:
    picture = admin.locator(".overview-picture", has_text="Facts over time")
    picture.get_by_text("As a table").click()
    expect(picture.get_by_role("row").last).to_contain_text("now")
    expect(picture.get_by_role("columnheader")).to_have_text(["At (UTC)", "Facts"])
