"""The overlays with PgBouncer, a replica and Spark Connect, for compose and for Kubernetes."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.programs import DEPLOY, run
from tests.deploy.settings import settings_from
from tests.deploy.test_compose import SCALED, compose
from tests.deploy.test_kubernetes import Resource, build, one, pod_templates

FILES = [*SCALED, DEPLOY / "compose.scaled.yaml"]
CONFINED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose("--profile", "*", files=FILES)["services"]
    return found


@pytest.fixture(scope="module")
def resources() -> list[Resource]:
    return list(yaml.safe_load_all(build("scaled")))


@pytest.mark.parametrize("name", ["skg-api", "migrate", "recurse"])
def test_the_service_keeps_its_settings_and_learns_where_the_others_are(
    services: dict[str, Any], name: str, tmp_path: Path
) -> None:
    service = services[name]
    variables = service["environment"]
    # Spark's client and the folder of the exchange are in the container alone.
    elsewhere = {"SKG_RECURSION_ENGINE", "SKG_RECURSION_EXCHANGE"}
    assert settings_from({key: variables[key] for key in variables.keys() - elsewhere}, tmp_path).trusted_proxies
    mounted = {f"/run/secrets/{secret['source']}" for secret in service["secrets"]}
    assert {value for key, value in variables.items() if key.endswith("_FILE")} == mounted
    assert {"SKG_DATABASE_DIRECT_URL_FILE", "SKG_DATABASE_REPLICA_URLS_FILE"} <= variables.keys()
    assert not any("_URL" in key and not key.endswith("_FILE") for key in variables)


def test_a_run_and_spark_share_the_exchange_and_their_user(services: dict[str, Any]) -> None:
    recurse, spark = services["recurse"], services["spark"]
    assert recurse["environment"]["SKG_SPARK_REMOTE"] == "sc://spark:15002"
    assert recurse["environment"]["SKG_RECURSION_EXCHANGE"] == "/exchange"
    for service in (recurse, spark):
        assert [volume["source"] for volume in service["volumes"]] == ["exchange"]
    assert recurse["build"]["dockerfile"] == "deploy/spark/Dockerfile"


@pytest.mark.parametrize("name", ["pgbouncer", "postgres-replica", "spark"])
def test_what_is_added_is_reached_by_the_containers_alone(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["networks"].keys() == {"back"}
    assert not service.get("ports")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user", "1000:1000") != "0"
    assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["pgbouncer/Dockerfile", "spark/Dockerfile", "spark/server.Dockerfile"])
def test_images_run_as_the_service_s_user_and_hadolint_finds_little(name: str) -> None:
    file = DEPLOY / name
    # Debian keeps one version of a package, and the pin would fail with the next; the client's file has its pins.
    checked = run("hadolint", "--no-color", "--ignore", "DL3008", "--failure-threshold", "style", str(file))
    assert checked.returncode == 0, checked.stdout
    assert "\nUSER 1000:1000\n" in file.read_text(encoding="utf-8").rpartition("\nFROM ")[2]


def test_spark_s_image_has_the_service_s_base() -> None:
    [service, server] = [
        [line for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines() if line.startswith("ARG PYTHON=")]
        for name in ("Dockerfile", "spark/server.Dockerfile")
    ]
    assert server == service


@pytest.mark.parametrize("script", ["pgbouncer/start", "postgres/allow-replica", "postgres/replicate"])
def test_the_scripts_are_shell(script: str) -> None:
    assert subprocess.run(["sh", "-n", DEPLOY / script], timeout=20, check=False).returncode == 0


def test_the_replica_starts_from_the_slot_and_the_role_that_the_primary_has(services: dict[str, Any]) -> None:
    assert services["postgres-replica"]["command"][1:] == ["/replicate", "replica_1"]
    assert "user=replica " in (DEPLOY / "postgres/replicate").read_text(encoding="utf-8")
    assert "CREATE ROLE replica " in (DEPLOY / "postgres/allow-replica").read_text(encoding="utf-8")
    assert services["postgres"]["image"] == services["postgres-replica"]["image"]


@pytest.mark.parametrize("version", ["1.32", "1.37"])
def test_every_resource_is_valid_and_has_no_unknown_field(
    resources: list[Resource], version: str, tmp_path: Path
) -> None:
    path = tmp_path / "built.yaml"
    checked_ones = [item for item in resources if item["kind"] != "ServiceMonitor"]
    path.write_text(yaml.safe_dump_all(checked_ones), encoding="utf-8")
    checked = run("kubernetes-validate", "--strict", "--kubernetes-version", version, str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (checked.stdout + checked.stderr).count(" passed for resource ") == len(checked_ones)


def test_every_container_is_confined_and_has_its_limits(resources: list[Resource]) -> None:
    templates = [item["spec"]["template"] for item in resources if item["kind"] in {"Deployment", "Job"}]
    templates.append(pod_templates(resources)["CronJob"])
    for template in templates:
        assert template["spec"]["securityContext"]["runAsUser"] == 1000
        assert template["spec"]["enableServiceLinks"] is False
        assert template["spec"]["automountServiceAccountToken"] is False
        for container in template["spec"]["containers"]:
            assert container["securityContext"] == CONFINED
            assert container["resources"].keys() == {"requests", "limits"}


def test_names_and_ports_lead_from_one_part_to_the_next(resources: list[Resource]) -> None:
    [container] = pod_templates(resources)["CronJob"]["spec"]["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    spark, pooler = one(resources, "Service", "skg-spark"), one(resources, "Service", "skg-pgbouncer")
    [port] = spark["spec"]["ports"]
    assert variables["SKG_SPARK_REMOTE"] == f"sc://{spark['metadata']['name']}:{port['port']}"
    assert {"name": "exchange", "mountPath": variables["SKG_RECURSION_EXCHANGE"]} in container["volumeMounts"]
    allowed = one(resources, "NetworkPolicy", "skg-api-scaled")["spec"]["egress"]
    assert {rule["ports"][0]["port"] for rule in allowed} == {port["port"], pooler["spec"]["ports"][0]["port"]}
    for name in ("skg-spark", "skg-pgbouncer"):
        workload = one(resources, "Deployment", name)["spec"]["template"]
        assert one(resources, "Service", name)["spec"]["selector"].items() <= workload["metadata"]["labels"].items()


def test_the_pooler_s_own_settings_are_mounted_where_its_image_has_them(resources: list[Resource]) -> None:
    [container] = one(resources, "Deployment", "skg-pgbouncer")["spec"]["template"]["spec"]["containers"]
    [path] = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "config"]
    assert f"pgbouncer {path}" in (DEPLOY / "pgbouncer/start").read_text(encoding="utf-8")
    settings = [DEPLOY / "pgbouncer/pgbouncer.ini", DEPLOY / "k8s/scaled/pgbouncer.ini"]
    for file in settings:
        assert "pool_mode = transaction" in file.read_text(encoding="utf-8")
