"""The pages and .env.example are complete: a missing setting, route, command or metric fails the build."""

import html
import io
import pkgutil
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import prometheus_client
import pytest
from django.apps import apps
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver
from dotenv import dotenv_values

import skg_site.server.gauge_sampling  # noqa: F401  # makes the metrics that no view needs
from skg_site.api.door import _template
from skg_site.env import BASE_DIR, PREFIX, SECRETS, Settings, load
from tests.support.environment import default_texts
from tests.support.pages import TEXTS

PAGES = "\n".join(TEXTS.values())
ENV_EXAMPLE = (BASE_DIR / ".env.example").read_text(encoding="utf-8")

# The two whose default is not a fixed text: how it is told, and what stands in the example.
TOLD_DEFAULTS = {
    "SKG_WORKERS": ("4, or the number of processors if that is less", "4"),
    "SKG_METRICS_PORT": ("as SKG_PORT", "7777"),
}
# Paths of the site door, whose URLconf is for the most part Django's.
SITE_ROUTES = {"GET /", "GET /docs", "GET /redoc", "GET /openapi.json", "GET /explorer", "GET /admin"}
# Names that begin like a setting: compose reads one, and Kubernetes makes the other.
OTHER_NAMES = {"SKG_TAG", "SKG_API_SERVICE_PORT"}


def meaning(variable: str) -> str:
    return Settings.model_fields[variable.removeprefix(PREFIX).lower()].description or ""


@pytest.mark.parametrize(("variable", "default"), default_texts().items())
def test_the_pages_have_each_setting_with_its_default_and_meaning(variable: str, default: str) -> None:
    told = TOLD_DEFAULTS[variable][0] if variable in TOLD_DEFAULTS else f"`{default}`" if default else "empty"
    assert f"| `{variable}` | {told} | {html.escape(meaning(variable), quote=False)} |" in PAGES.splitlines()


def test_the_pages_have_no_setting_that_is_not_there() -> None:
    known = {*default_texts(), *(f"{PREFIX}{name.upper()}_FILE" for name in SECRETS)}
    assert set(re.findall(r"\bSKG_[A-Z_]+\b", PAGES + ENV_EXAMPLE)) <= known | OTHER_NAMES


def test_the_example_has_every_setting_with_its_default_below_its_meaning() -> None:
    lines = ENV_EXAMPLE.splitlines()
    shown = {}
    for above, line in pairwise(lines):
        if match := re.fullmatch(r"#(SKG_\w+)=(.*)", line):
            shown[match[1]] = match[2]
            told = f" (default: {TOLD_DEFAULTS[match[1]][0]})" if match[1] in TOLD_DEFAULTS else ""
            assert above == f"# {meaning(match[1])}{told}"
    assert shown == default_texts() | {variable: example for variable, (_, example) in TOLD_DEFAULTS.items()}


def test_the_example_can_be_loaded_with_every_line_in_use() -> None:
    in_use = re.sub(r"^#(?=SKG_)", "", ENV_EXAMPLE, flags=re.MULTILINE)
    values = {name: value or "" for name, value in dotenv_values(stream=io.StringIO(in_use)).items()}
    told = {variable.removeprefix(PREFIX).lower() for variable in TOLD_DEFAULTS}
    assert load(values).model_dump(exclude=told) == load({}).model_dump(exclude=told)


def api_routes(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Every route as `METHOD /path/{variable}`."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from api_routes(pattern.url_patterns, path)
        else:
            # DRF adds HEAD to the methods of a view when it is first used.
            methods = vars(pattern.callback)["actions"].keys() - {"head"}
            yield from (f"{method.upper()} {_template(path)}" for method in methods)


def documented_routes() -> set[str]:
    rows = [line.split("|")[1] for line in PAGES.splitlines() if re.match(r"\| `[A-Z]+ /", line)]
    return {route for row in rows for route in re.findall(r"`([A-Z]+ /[^`]*)`", row)}


def test_the_pages_have_every_route_and_no_other() -> None:
    assert documented_routes() == {*api_routes(get_resolver("skg_site.api_urls").url_patterns)} | SITE_ROUTES


def commands() -> list[str]:
    folders = [
        str(Path(apps.get_app_config(app).path) / "management/commands") for app in ("apikeys", "skg_site", "triples")
    ]
    return [module.name for module in pkgutil.iter_modules(folders)]


@pytest.mark.parametrize("command", commands())
def test_the_pages_have_each_command(command: str) -> None:
    assert f"manage.py {command}" in PAGES


def test_the_pages_have_every_metric_of_the_service_and_no_other() -> None:
    assert get_resolver("skg_site.api_urls").url_patterns  # the metrics are made when the views are imported
    metrics = [metric for metric in prometheus_client.REGISTRY.collect() if metric.name.startswith("skg_")]
    names = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in metrics}
    assert set(re.findall(r"`(skg_[a-z_]+[a-z])`", PAGES)) == names


def test_the_pages_name_no_command_that_is_not_there() -> None:
    # "manage.py" alone is also said to stand for what it is called elsewhere.
    assert set(re.findall(r"\bmanage\.py ([a-z_]+)", PAGES)) <= get_commands().keys()


def headings(page: str) -> set[str]:
    """The anchors of a page."""
    titles = re.findall(r"^#+ (.*)$", TEXTS[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_within_the_project_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^):]+)\)", TEXTS[page])
    assert links
    for link in links:
        name, _, anchor = link.partition("#")
        target = (BASE_DIR / page).parent / name if name else BASE_DIR / page
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target.resolve().relative_to(BASE_DIR).as_posix()), link


def test_every_goal_that_is_named_can_be_made() -> None:
    goals = set(re.findall(r"^([a-z-]+):", (BASE_DIR / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)$", PAGES, re.MULTILINE)) <= goals
