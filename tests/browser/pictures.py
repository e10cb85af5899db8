"""The pictures of README.md, taken from a fresh service with a small graph: `make screenshots`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.conftest import fresh_page, logged_in, started_site
from tests.browser.explored import Explorer
from tests.conftest import FreshDatabase
from tests.support.service import Service

PICTURES = Path(__file__).parents[2] / "deploy/pictures"
SIZE: ViewportSize = {"width": 1200, "height": 720}
PEOPLE = {
    "Ada": ["Bob", "Cleo"],
    "Bob": ["Dora", "Emil"],
    "Cleo": ["Finn"],
    "Dora": ["Gus", "Hanna"],
    "Emil": ["Ida"],
}
PLACES = {
    "Ada": "Ulm",
    "Bob": "Ulm",
    "Cleo": "Köln",
    "Dora": "東京",
    "Ulm": "Germany",
    "Köln": "Germany",
    "東京": "Japan",
}
RULES = [
    {
        "name": "grandparent",
        "weight": 0.95,
        "head": ["?x", "grandparent_of", "?z"],
        "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    },
    {
        "name": "lives within",
        "weight": 0.9,
        "head": ["?x", "lives_in", "?z"],
        "body": [["?x", "lives_in", "?y"], ["?y", "lies_in", "?z"]],
    },
]


def fill(site: Service) -> None:
    children = [(parent, "parent_of", child, 0.9) for parent, names in PEOPLE.items() for child in names]
    places = [(one, "lives_in" if one in PEOPLE else "lies_in", place, 1.0) for one, place in PLACES.items()]
    facts = [dict(zip(("subject", "predicate", "object", "weight"), fact, strict=True)) for fact in children + places]
    with site.client() as client:
        client.post("/triples/batch", json={"triples": facts}).raise_for_status()
        client.post("/rules", json=RULES).raise_for_status()
        for _ in range(2):
            # Waiting for the answer would make the slowest of the requests that are plotted.
            run = client.post("/recurse", json={"force": True}).raise_for_status().json()
            while client.get(run["status_url"]).json()["finished_at"] is None:
                sleep(0.5)


def ask(site: Service) -> None:
    with site.client() as client:
        for term in PEOPLE:
            client.post("/query", json={"pattern": [term, None, None]}).raise_for_status()
        client.post("/query/neighbours", json={"term": "Ada"}).raise_for_status()


@pytest.mark.timeout(600)
def test_take(chromium: Browser, fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """No test: only named so that pytest starts it, with the fixtures of the tests."""
    PICTURES.mkdir(exist_ok=True)
    end = datetime.now(UTC) + timedelta(minutes=4)
    with started_site(tmp_path, fresh_database) as site:
        fill(site)
        with fresh_page(chromium, site, logged_in(chromium, site), viewport=SIZE, color_scheme="light") as page:
            explorer = Explorer(page).open("?open=Ada&open=Bob&node=Ada")
            expect(page.locator("#details h2")).to_have_text("Ada")
            expect(page.locator("#details[aria-busy]")).to_have_count(0)
            explorer.settled()
            page.screenshot(path=PICTURES / "explorer.png")
            page.set_viewport_size({"width": SIZE["width"], "height": 930})
            page.goto("/admin/")
            # They are counted minute by minute, so it takes a few.
            while page.get_by_role("img", name="Requests").count() == 0 or datetime.now(UTC) < end:
                ask(site)
                page.wait_for_timeout(3000)
                page.reload()
            page.screenshot(path=PICTURES / "overview.png")
