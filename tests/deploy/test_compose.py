"""The containers of deploy/compose.yaml, as `docker compose config` reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.gunicorn import gunicorn_setting
from tests.deploy.programs import DEPLOY, run
from tests.deploy.settings import OF_LARGE_ONES, SECRET_FILES, secrets_in, settings_from

ALONE = [DEPLOY / "compose.yaml"]
SCALED = [DEPLOY / "compose.yaml", DEPLOY / "compose.postgres.yaml"]


def compose(*arguments: str, files: list[Path] = ALONE) -> dict[str, Any]:
    chosen = [argument for file in files for argument in ("--file", str(file))]
    shown = run("docker-compose", *chosen, *arguments, "config", "--format", "json", NGINX_DOMAIN="api.example.com")
    assert shown.returncode == 0, shown.stderr
    content: dict[str, Any] = json.loads(shown.stdout)
    return content


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """All services, whatever their profile."""
    found: dict[str, Any] = compose("--profile", "*")["services"]
    return found


def test_without_a_profile_there_is_the_service_and_its_proxy() -> None:
    assert compose()["services"].keys() == {"skg-api", "migrate", "nginx"}


def test_a_profile_adds_what_it_is_named_for() -> None:
    profiles = ("postgres", "valkey", "monitoring")
    added = {name: compose("--profile", name)["services"].keys() - {"skg-api", "migrate", "nginx"} for name in profiles}
    assert added == {"postgres": {"postgres"}, "valkey": {"valkey"}, "monitoring": {"prometheus", "grafana"}}


def test_nothing_starts_without_a_domain() -> None:
    refused = run("docker-compose", "--file", str(ALONE[0]), "config", "--quiet")
    assert refused.returncode != 0
    assert "NGINX_DOMAIN" in refused.stderr


@pytest.mark.parametrize("name", ["skg-api", "migrate"])
def test_the_service_would_start_with_its_settings(services: dict[str, Any], name: str, tmp_path: Path) -> None:
    variables = services[name]["environment"]
    settings = settings_from(variables, tmp_path)
    assert secrets_in(variables) == set()
    # Whom the service believes is nginx, and nobody else.
    assert settings.trusted_proxies == [services["nginx"]["networks"]["front"]["ipv4_address"]]
    assert settings.metrics_port != settings.port
    assert "api.example.com" in settings.allowed_hosts


def test_every_secret_of_the_service_is_mounted_where_the_settings_look_for_it(services: dict[str, Any]) -> None:
    files = {name for name in services["skg-api"]["environment"] if name.endswith("_FILE")}
    assert files == SECRET_FILES.keys() - OF_LARGE_ONES
    mounted = {f"/run/secrets/{secret['source']}" for secret in services["skg-api"]["secrets"]}
    named = {value for name, value in services["skg-api"]["environment"].items() if name.endswith("_FILE")}
    assert named == mounted


def test_only_the_proxy_is_reached_from_other_machines(services: dict[str, Any]) -> None:
    open_ports = {
        name: [port["published"] for port in service.get("ports", []) if port.get("host_ip") != "127.0.0.1"]
        for name, service in services.items()
    }
    assert {name: ports for name, ports in open_ports.items() if ports} == {"nginx": ["80", "443"]}


def test_databases_are_on_a_network_with_no_way_out() -> None:
    content = compose("--profile", "*")
    for name in ("postgres", "valkey"):
        assert all(content["networks"][network]["internal"] for network in content["services"][name]["networks"])


@pytest.mark.parametrize("name", ["skg-api", "migrate", "nginx", "prometheus"])
def test_what_the_world_may_reach_can_write_nothing_and_gain_nothing(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user") != "0"


def test_images_have_an_exact_version(services: dict[str, Any]) -> None:
    images = [service["image"] for service in services.values()]
    assert [image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?(-alpine)?$", image)] == []


def test_health_is_asked_without_curl(services: dict[str, Any]) -> None:
    assert "curl" not in json.dumps([service.get("healthcheck") for service in services.values()])


def test_a_container_has_the_time_that_gunicorn_gives_its_requests(services: dict[str, Any]) -> None:
    assert int(services["skg-api"]["stop_grace_period"].rstrip("s")) > gunicorn_setting("graceful_timeout")


def test_several_containers_share_no_folder() -> None:
    service = compose(files=SCALED)["services"]["skg-api"]
    assert service["deploy"]["replicas"] == 3
    assert "volumes" not in service or service["volumes"] in (None, [])
