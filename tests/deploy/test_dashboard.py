"""The Grafana dashboard: what it shows, and that it fits the provisioning beside it."""

import json
import re
from typing import Any

import yaml

from tests.deploy.programs import DEPLOY

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/skg-api.json").read_text())
METRIC = re.compile(r"\b(?:skg|django)_[a-z_]+[a-z]\b")
# What Grafana fills in.
FILLED_IN = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*"}


def filled_in(expression: str) -> str:
    for variable, value in FILLED_IN.items():
        expression = expression.replace(variable, value)
    return expression


# The queries of each panel, as Prometheus is asked them.
PANELS = {
    panel["title"]: [filled_in(target["expr"]) for target in panel["targets"]]
    for panel in DASHBOARD["panels"]
    if panel["type"] != "row"
}
GUIDE = {
    "Request Rate": "skg_requests_total",
    "Latency": "skg_request_duration_seconds_bucket",
    "Errors": "skg_requests_total",
    "Triples Ingestion Rate": "skg_triples_added_total",
    "Query Performance": "skg_queries_executed_total",
    "Database Size": "skg_db_size_bytes",
}


def test_it_has_the_guides_panels() -> None:
    for title, metric in GUIDE.items():
        assert metric in METRIC.findall(PANELS[title][0])


def test_no_query_leaves_a_variable_that_nothing_fills_in() -> None:
    assert [query for queries in PANELS.values() for query in queries if "$" in query] == []


def test_panels_have_ids_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_latency_heat_map_is_drawn_from_the_buckets() -> None:
    [panel] = [panel for panel in DASHBOARD["panels"] if panel["type"] == "heatmap"]
    assert panel["options"]["calculate"] is False
    assert panel["targets"][0]["format"] == "heatmap"


def test_it_stands_where_grafana_is_told_to_look() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/skg-api.yaml").read_text())["providers"][0]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in compose["services"]["grafana"]["volumes"]
