"""The explorer on a narrow screen, in the dark, without motion and without a mouse."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import fresh_page
from tests.browser.explored import Explorer
from tests.support.service import Service

PHONE = {"width": 400, "height": 800}


@pytest.fixture
def with_options(chromium: Browser, explored: Service, explorer_cookies: StorageState) -> Any:
    @contextmanager
    def made(**options: Any) -> Iterator[Explorer]:
        with fresh_page(chromium, explored, explorer_cookies, **options) as page:
            yield Explorer(page)

    return made


def drawn_colours(page: Page) -> list[str]:
    colours: list[str] = page.evaluate(
        "document.getElementById('graph').view.graph.mapEdges((id, attributes) => attributes.color)"
    )
    return sorted(set(colours))


def test_a_narrow_screen_shows_one_panel_at_a_time(with_options: Any) -> None:
    with with_options(viewport=PHONE, has_touch=True) as explorer:
        page = explorer.open("?open=bicycle&tab=graph").page
        page.touchscreen.tap(*explorer.place("wheel"))
        picked = page.locator("#picked")
        expect(picked).to_contain_text("wheel")
        picked.get_by_role("button", name="Open").click()
        expect(page).to_have_url("/explorer?open=bicycle&open=wheel&node=wheel&tab=graph")
        picked.get_by_role("button", name="All about it").click()
        expect(page.locator("#details h2")).to_have_text("wheel")
        for name in ("Graph", "Legend", "Details", "Table", "Ask", "Path"):
            explorer.show(name)
            expect(page.locator(f"#panel-{name.lower()}")).to_be_visible()
            expect(page.locator("#graph")).to_be_visible(visible=name == "Graph")
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_table_fits_a_narrow_screen(with_options: Any) -> None:
    with with_options(viewport=PHONE) as explorer:
        page = explorer.open("?open=K%C3%B6ln&tab=table").page
        expect(explorer.rows).to_have_count(2)
        assert page.evaluate("document.querySelector('#table .scroll').scrollWidth") <= PHONE["width"] - 32


def test_long_names_leave_room_for_others(with_options: Any, explored: Service) -> None:
    long = {"subject": "字" * 40, "predicate": "p" * 500, "object": "b" * 40}
    with explored.client() as client, with_options() as explorer:
        fact = client.post("/triples/add", json=long).raise_for_status().json()
        page = explorer.open(f"?open={long['subject']}").page
        with page.expect_download() as saved:
            page.get_by_label("Save what is drawn").select_option("svg")
        picture = Path(saved.value.path()).read_text(encoding="utf-8")
        # A letter of Chinese is as wide as two of Latin.
        assert re.findall(r">(字+…|b+…)<", picture) == ["字" * 12 + "…", "b" * 25 + "…"]
        row = page.locator("#predicates label")
        expect(row).to_have_attribute("title", long["predicate"])
        box = row.bounding_box()
        assert box is not None
        assert box["height"] < 100
        client.delete(f"/triples/{fact['id']}").raise_for_status()


def test_the_theme_is_that_of_the_admin(with_options: Any) -> None:
    with with_options(color_scheme="light") as explorer:
        page = explorer.open("?open=bicycle").page
        light = drawn_colours(page)
        page.get_by_role("button", name="Switch theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert drawn_colours(page) != light
        page.goto("/admin/")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_without_motion_everything_stands_at_once(with_options: Any) -> None:
    with with_options(reduced_motion="reduce") as explorer:
        page = explorer.open("?open=bicycle").page
        page.evaluate(
            """() => {
              const { view } = document.getElementById("graph");
              window.moved = 0;
              view.graph.on("eachNodeAttributesUpdated", () => (window.moved += 1));
              view.sigma.getCamera().on("animationStart", () => (window.moved += 1));
            }"""
        )
        page.get_by_label("Find a term").fill("hub")
        page.get_by_label("Find a term").press("Enter")
        expect(page.locator("#details h2")).to_have_text("hub")
        explorer.settled()
        assert page.evaluate("window.moved") == 0
        assert "hub" in explorer.terms()


def test_everything_can_be_done_without_a_mouse(explorer: Explorer) -> None:
    page = explorer.open().page
    page.keyboard.press("/")
    page.keyboard.type("bicycle")
    page.keyboard.press("Enter")
    expect(page.locator("#details h2")).to_have_text("bicycle")
    explorer.button("Table").focus()
    page.keyboard.press("Enter")
    explorer.rows.first.get_by_role("button").last.focus()
    sorted_by = page.get_by_role("columnheader", name="Subject")
    sorted_by.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(sorted_by).to_have_attribute("aria-sort", "ascending")
    expect(sorted_by.get_by_role("button")).to_be_focused()
    page.get_by_role("button", name="Why? spoke part_of bicycle").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Proof")).to_be_visible()
    page.get_by_role("button", name="spoke", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#details h2")).to_have_text("spoke")
    explorer.button("Open").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Legend")).to_contain_text("7 of 7 loaded facts")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("region", name="Legend")).to_contain_text("6 of 6 loaded facts")
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_role("region", name="Legend")).to_contain_text("7 of 7 loaded facts")


def test_the_picture_is_moved_and_zoomed_with_keys(with_options: Any) -> None:
    # Without motion, it is there at once.
    with with_options(reduced_motion="reduce") as explorer:
        move_and_zoom(explorer.open("?open=bicycle"))


def move_and_zoom(explorer: Explorer) -> None:
    page = explorer.page
    before = explorer.place("bicycle")
    page.locator("#graph").focus()
    page.keyboard.press("ArrowRight")
    after = explorer.place("bicycle")
    assert after[0] < before[0]
    page.keyboard.press("0")
    assert explorer.place("bicycle") == before
    apart = explorer.place("wheel")[0] - before[0]
    page.keyboard.press("+")
    after = explorer.place("bicycle")
    assert abs(explorer.place("wheel")[0] - after[0]) > abs(apart)


def test_without_webgl_the_table_shows_the_same(explorer: Explorer) -> None:
    page = explorer.page
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto("/explorer?open=bicycle&tab=table")
    expect(page.get_by_text("This browser draws no pictures with WebGL.")).to_be_visible()
    expect(explorer.rows).to_have_count(6)


def test_the_address_keeps_every_term(explorer: Explorer) -> None:
    script = """async (terms) => {
      const { EMPTY, fromAddress, toAddress } = await import("/static/explorer/state.js");
      return fromAddress(toAddress({ ...EMPTY, open: terms.map((term) => [term, 25]) }), 1000).open;
    }"""
    terms = ["5~odd", "a&b=c", "+", "50~", "自行车", "25~25~x"]
    assert explorer.open().page.evaluate(script, terms) == [[term, 25] for term in terms]
