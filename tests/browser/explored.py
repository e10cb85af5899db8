"""The explorer as tests use it: its graph, and where things stand in the picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.service import Service

HUB = 20_000
RULE = {
    "name": "parts of parts",
    "weight": 0.9,
    "head": ["?x", "part_of", "?z"],
    "body": [["?x", "part_of", "?y"], ["?y", "part_of", "?z"]],
}
FACTS: list[dict[str, Any]] = [
    {"subject": "wheel", "predicate": "part_of", "object": "bicycle", "weight": 0.8},
    {"subject": "spoke", "predicate": "part_of", "object": "wheel", "weight": 0.5, "metadata": {"count": 36}},
    {"subject": "bicycle", "predicate": "made_in", "object": "Köln", "weight": 0.25},
    {"subject": "bicycle", "predicate": "known_as", "object": "自行车"},
    {"subject": "bicycle", "predicate": "known_as", "object": "دراجة هوائية"},
    {"subject": "bicycle", "predicate": "known_as", "object": "\u202eelcycib"},
    {"subject": "?why", "predicate": "asks", "object": "?how"},
    {"subject": "Köln", "predicate": "lies_in", "object": "a " + "very " * 20 + "long name"},
]


def fill_graph(site: Service) -> None:
    """A few facts with one that follows from them, and a hub of very many."""
    hub = [
        {"subject": f"thing {number}", "predicate": f"kind {number % 12}", "object": "hub", "weight": number / HUB}
        for number in range(HUB)
    ]
    with site.client() as client:
        for start in range(0, HUB, 1000):
            client.post("/triples/batch", json={"triples": hub[start : start + 1000]}).raise_for_status()
        client.post("/triples/batch", json={"triples": FACTS}).raise_for_status()
        client.post("/rules", json=RULE).raise_for_status()
        run = client.post("/recurse", headers={"Prefer": "wait=60"}).raise_for_status().json()
        assert run["status"] == "succeeded", run


class Explorer:
    """A page of the explorer."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # The requests for data, without those that look terms up.
        self.asked: list[str] = []
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        path = url.rsplit("/explorer/data", maxsplit=1)[-1] if "/explorer/data" in url else ""
        if path and not path.startswith("/terms"):
            self.asked.append(path.split("?")[0])

    def open(self, query: str = "") -> "Explorer":
        self.page.goto(f"/explorer{query}")
        expect(self.page.locator("body")).not_to_have_class("locked")
        if query:
            self.settled()
        return self

    def settled(self) -> None:
        """Wait until everything stands in its place."""
        expect(self.page.locator("#busy")).to_have_attribute("hidden", "")
        expect(self.page.locator("#graph")).to_have_attribute("data-settled", "true")

    def show(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Panels").get_by_role("button", name=name, exact=True).click()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def rows(self) -> Any:
        return self.page.locator("#table tbody tr")

    def place(self, key: str) -> tuple[float, float]:
        """Where the term, or the middle of the fact with this id, stands on the screen."""
        script = """([key]) => {
          const { view } = document.getElementById("graph");
          const { graph, sigma } = view;
          const ends = graph.hasNode(key) ? [key] : graph.extremities(key);
          const points = ends.map((end) => sigma.graphToViewport(graph.getNodeAttributes(end)));
          const { x, y } = view.container.getBoundingClientRect();
          const middle = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
          return [x + middle("x"), y + middle("y")];
        }"""
        x, y = self.page.evaluate(script, [key])
        return float(x), float(y)

    def label(self, term: str) -> tuple[float, float]:
        """Where the middle of a term's label stands on the screen."""
        script = """([term]) => {
          const { view } = document.getElementById("graph");
          const { box } = view.labels.boxes.find((one) => one.key === term);
          const { x, y } = view.container.getBoundingClientRect();
          return [x + (box[0] + box[2]) / 2, y + (box[1] + box[3]) / 2];
        }"""
        x, y = self.page.evaluate(script, [term])
        return float(x), float(y)

    def terms(self) -> list[str]:
        found: list[str] = self.page.evaluate("document.getElementById('graph').view.graph.nodes()")
        return found

    def fact(self, subject: str, object_: str) -> str:
        """The id of the only fact that is drawn between these."""
        script = "(ends) => document.getElementById('graph').view.graph.directedEdges(...ends)"
        [found] = self.page.evaluate(script, [subject, object_])
        return str(found)

    @contextmanager
    def asks(self, *paths: str) -> Iterator[None]:
        """Asserts which data is asked for, in any order."""
        self.asked.clear()
        yield
        expect(self.page.locator("#busy")).to_have_attribute("hidden", "")
        expect(self.page.locator("#details[aria-busy]")).to_have_count(0)
        assert sorted(self.asked) == sorted(paths)
