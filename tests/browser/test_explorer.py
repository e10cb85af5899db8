"""The explorer in a browser, with the session of the admin: what is searched, opened, asked, moved and saved."""

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

from tests.browser.explored import HUB, Explorer

LISTS = ("/triples", "/triples")
NEIGHBOURS = "/query/neighbours"


def test_a_search_completes_and_opens_a_term_with_one_request_for_its_graph(explorer: Explorer) -> None:
    page = explorer.open().page
    expect(page.get_by_text("Search for a term to see what is around it")).to_be_visible()
    with explorer.asks(NEIGHBOURS, *LISTS):
        page.keyboard.press("/")
        page.keyboard.type("bicy")
        option = page.get_by_role("option", name="bicycle 4 as subject, 2 as object")
        expect(option).to_be_visible()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("combobox", name="Find a term")).to_have_attribute(
            "aria-activedescendant", "search-list-0"
        )
        page.keyboard.press("Enter")
        expect(page.locator("#details h2")).to_have_text("bicycle")
        explorer.settled()
    assert set(explorer.terms()) >= {"bicycle", "wheel", "Köln", "自行车", "spoke"}
    expect(page.locator("#details .actions")).to_have_text("Path from hereTake out")
    expect(page).to_have_url("/explorer?open=bicycle&node=bicycle")
    legend = page.get_by_role("region", name="Legend")
    expect(legend.get_by_role("listitem")).to_have_text(["known_as3", "part_of2", "made_in1"])
    expect(legend).to_contain_text("6 of 6 loaded facts are drawn, between 7 terms.")


def test_a_hub_is_opened_by_one_request_and_shows_more_when_asked(explorer: Explorer) -> None:
    page = explorer.open().page
    with explorer.asks(NEIGHBOURS, *LISTS):
        page.get_by_label("Find a term").fill("hub")
        page.get_by_label("Find a term").press("Enter")
        expect(page.locator("#details")).to_contain_text("of 400 or more")
        explorer.settled()
    explorer.show("Table")
    expect(explorer.rows).to_have_count(25)
    with explorer.asks(NEIGHBOURS):
        explorer.button("Show 25 more facts").click()
        expect(explorer.rows).to_have_count(50)
    assert HUB > 1000
    with explorer.asks():
        explorer.button("Undo").click()
        expect(explorer.rows).to_have_count(25)
        explorer.button("Redo").click()
        expect(explorer.rows).to_have_count(50)
        page.go_back()
        expect(explorer.rows).to_have_count(25)
    expect(explorer.button("Redo")).to_be_enabled()


def test_a_click_on_a_term_shows_all_about_it(explorer: Explorer) -> None:
    page = explorer.open("?open=bicycle").page
    page.mouse.click(*explorer.place("wheel"))
    details = page.get_by_role("region", name="Details")
    expect(details.get_by_role("heading", level=2)).to_have_text("wheel")
    expect(details.get_by_role("region", name="What it says")).to_contain_text("part_of 1")
    said = details.get_by_role("region", name="What is said of it")
    expect(said.get_by_role("listitem")).to_contain_text(["spoke"])
    expect(said).to_contain_text("from batch")
    expect(said.locator("dl")).to_have_text("count36")
    said.get_by_role("button", name="spoke").click()
    expect(details.get_by_role("heading", level=2)).to_have_text("spoke")
    expect(details).to_contain_text("inferred by parts of parts")


def test_a_label_belongs_to_its_term_and_a_double_click_on_an_open_one_shows_more(explorer: Explorer) -> None:
    page = explorer.open("?open=hub").page
    x, y = explorer.label("hub")
    page.mouse.click(x, y)
    expect(page.locator("#details h2")).to_have_text("hub")
    page.mouse.dblclick(x, y)
    expect(page.get_by_role("region", name="Legend")).to_contain_text("50 of 50 loaded facts are drawn")


def test_every_fact_of_a_hub_can_be_reached(explorer: Explorer) -> None:
    page = explorer.open("?open=hub&node=hub").page
    group = page.get_by_role("region", name="What is said of it").locator("details").filter(has_text="kind 11")
    expect(group).to_contain_text("of 400 or more")
    with explorer.asks("/triples"):
        group.get_by_role("button", name="Show more").click()
        expect(group.get_by_role("listitem")).to_have_count(100)
    group.get_by_role("button", name="Show more").click()
    expect(group.get_by_role("listitem")).to_have_count(200)


def test_a_click_on_an_inferred_fact_shows_its_proof(explorer: Explorer) -> None:
    page = explorer.open("?open=bicycle").page
    page.mouse.click(*explorer.place(explorer.fact("spoke", "bicycle")))
    details = page.get_by_role("region", name="Details")
    proof = details.get_by_role("region", name="Proof")
    expect(proof).to_contain_text("by the rule parts of parts, weight 0.9")
    expect(proof).to_contain_text("?x part_of ?z <- ?x part_of ?y, ?y part_of ?z")
    expect(proof.locator("li.asserted")).to_have_count(2)
    proof.get_by_role("button", name="spoke part_of wheel").click()
    expect(details).to_contain_text("Asserted, weight 0.5. It came from batch")
    expect(details.locator("dl")).to_have_text("count36")
    page.go_back()
    expect(proof).to_be_visible()


def test_a_double_click_opens_a_term_and_taking_out_removes_it(explorer: Explorer) -> None:
    page = explorer.open("?open=bicycle").page
    legend = page.get_by_role("region", name="Legend")
    page.mouse.dblclick(*explorer.place("Köln"))
    expect(legend).to_contain_text("7 of 7 loaded facts are drawn, between 8 terms.")
    explorer.button("Take out").click()
    expect(legend).to_contain_text("5 of 5 loaded facts are drawn, between 6 terms.")
    assert "Köln" not in explorer.terms()


def test_the_legend_filters_and_the_address_keeps_it(explorer: Explorer) -> None:
    page = explorer.open("?open=bicycle&tab=table").page
    legend = page.get_by_role("region", name="Legend")
    legend.get_by_role("checkbox", name="known_as").uncheck()
    expect(explorer.rows).to_have_count(3)
    legend.get_by_role("checkbox", name="Asserted facts only").check()
    expect(explorer.rows).to_have_count(2)
    legend.get_by_role("slider", name="Least weight").fill("0.5")
    expect(explorer.rows).to_have_count(1)
    expect(legend.get_by_role("listitem")).to_have_text(["known_as0 of 3", "part_of1 of 2", "made_in0 of 1"])
    expect(page).to_have_url("/explorer?open=bicycle&hide=known_as&min=0.5&asserted=1&tab=table")
    page.reload()
    explorer.settled()
    expect(explorer.rows).to_have_count(1)
    assert set(explorer.terms()) == {"wheel", "bicycle"}
    for rows in (2, 3, 6):
        page.go_back()
        expect(explorer.rows).to_have_count(rows)


def test_a_term_that_was_placed_by_hand_stays(explorer: Explorer) -> None:
    page = explorer.open("?open=bicycle").page
    x, y = explorer.place("自行车")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("pin="))
    read = "document.getElementById('graph').view.graph.getNodeAttributes('自行车')"
    placed = page.evaluate(f"(({{x, y}}) => [Math.round(x), Math.round(y)])({read})")
    page.mouse.dblclick(*explorer.place("Köln"))
    expect(page.get_by_role("region", name="Legend")).to_contain_text("between 8 terms")
    page.reload()
    explorer.settled()
    assert page.evaluate(f"(({{x, y}}) => [Math.round(x), Math.round(y)])({read})") == placed
    page.mouse.click(*explorer.place("自行车"))
    explorer.button("Let it move").click()
    expect(page).not_to_have_url(re.compile("pin="))


def test_patterns_are_asked_drawn_and_shown_as_calls(explorer: Explorer) -> None:
    page = explorer.open().page
    explorer.show("Ask")
    page.get_by_label("Patterns").fill("?part part_of ?whole\n?whole made_in ?place")
    with explorer.asks("/query/patterns"):
        explorer.button("Ask and draw").click()
        answers = page.get_by_role("region", name="Answers").get_by_role("row")
        expect(answers).to_have_text(["?part?whole?placeWeight", "wheelbicycleKöln0.2", "spokebicycleKöln0.09"])
        explorer.settled()
    assert set(explorer.terms()) == {"wheel", "spoke", "bicycle", "Köln"}
    page.get_by_text("The same with curl").click()
    expect(page.get_by_label("Call with curl", exact=True)).to_contain_text('{"patterns":[["?part","part_of","?whole"]')
    page.get_by_text("The same with Python").click()
    expect(page.get_by_label("Call with Python", exact=True)).to_contain_text("urllib.request.Request(")
    page.go_back()
    expect(page.get_by_text("Search for a term to see what is around it")).to_be_visible()


def test_the_best_path_between_two_terms_is_drawn(explorer: Explorer) -> None:
    page = explorer.open("?open=spoke&node=spoke").page
    explorer.button("Path from here").click()
    expect(page.get_by_text("Now choose the other end")).to_be_visible()
    with explorer.asks("/query/paths"):
        page.get_by_label("To", exact=True).fill("köl")
        page.get_by_role("option", name="Köln").click()
        expect(page.locator("#paths li")).to_have_count(3)
        explorer.settled()
    expect(page.locator("#paths")).to_contain_text("3 facts, together of weight 0.1.")
    page.get_by_label("From").fill("thing 7")
    page.get_by_label("From").press("Enter")
    expect(page.locator("#paths")).to_have_text("No path of up to 6 facts connects them.")


def test_a_term_that_begins_with_a_question_mark_is_no_variable(explorer: Explorer) -> None:
    explorer.open("?open=%3Fwhy&from=%3Fwhy&to=%3Fhow")
    assert set(explorer.terms()) == {"?why", "?how"}
    explorer.show("Path")
    expect(explorer.page.locator("#paths")).to_contain_text("1 fact, together of weight 1.")


@pytest.mark.parametrize("kind", ["png", "svg", "csv", "json"])
def test_what_is_drawn_can_be_saved(explorer: Explorer, kind: str) -> None:
    page = explorer.open("?open=bicycle").page
    with page.expect_download() as started:
        page.get_by_label("Save what is drawn").select_option(kind)
    assert started.value.suggested_filename == f"graph.{kind}"
    content = Path(started.value.path()).read_bytes()
    if kind == "png":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5_000
    elif kind == "svg":
        texts = [(one.text or "").strip() for one in ET.fromstring(content).iter("{http://www.w3.org/2000/svg}text")]
        assert {"bicycle", "自行车", "\\u202eelcycib"} <= set(texts)
    elif kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == 6
        assert {
            "subject": "wheel",
            "predicate": "part_of",
            "object": "bicycle",
            "weight": "0.8",
            "inferred": "false",
        } in rows
    else:
        saved = json.loads(content)
        assert len(saved["facts"]) == 6
        assert {"term": "bicycle", "open": True, "more": 0} in saved["terms"]
