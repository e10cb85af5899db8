"""What the overlays of deploy/k8s build, against Kubernetes' own schemas and against the service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from skg_site.observe.probes import PATIENCE
from tests.deploy.gunicorn import gunicorn_setting
from tests.deploy.programs import DEPLOY, run
from tests.deploy.settings import OF_LARGE_ONES, SECRET_FILES, secrets_in, settings_from

Resource = dict[str, Any]
OVERLAYS = ("sqlite", "postgres")


def build(overlay: str) -> str:
    built = run("kubectl", "kustomize", str(DEPLOY / "k8s" / overlay))
    assert built.returncode == 0, built.stderr
    return built.stdout


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def built(overlay: str) -> list[Resource]:
    return list(yaml.safe_load_all(build(overlay)))


@pytest.fixture(scope="module")
def postgres() -> list[Resource]:
    return list(yaml.safe_load_all(build("postgres")))


def one(resources: list[Resource], kind: str, name: str = "") -> Resource:
    found = [item for item in resources if item["kind"] == kind and (not name or item["metadata"]["name"] == name)]
    assert len(found) == 1, f"{len(found)} {kind}"
    return found[0]


def pod_templates(resources: list[Resource]) -> dict[str, Resource]:
    """The templates of all pods, by kind of what makes them."""
    found = {}
    for item in resources:
        spec = item.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if template:
            found[item["kind"]] = template
    return found


def containers(resources: list[Resource]) -> Iterator[Resource]:
    for template in pod_templates(resources).values():
        yield from template["spec"].get("initContainers", [])
        yield from template["spec"]["containers"]


def api_pod(resources: list[Resource]) -> Resource:
    templates = pod_templates(resources)
    pod: Resource = (templates.get("Deployment") or templates["StatefulSet"])["spec"]
    return pod


def api_container(resources: list[Resource]) -> Resource:
    found: Resource = next(item for item in api_pod(resources)["containers"] if item["name"] == "skg-api")
    return found


@pytest.mark.parametrize("version", ["1.32", "1.37"])
def test_every_resource_is_valid_and_has_no_unknown_field(overlay: str, version: str, tmp_path: Path) -> None:
    path = tmp_path / "built.yaml"
    # Of the operator's own kind Kubernetes has no schema.
    resources = [item for item in yaml.safe_load_all(build(overlay)) if item["kind"] != "ServiceMonitor"]
    path.write_text(yaml.safe_dump_all(resources), encoding="utf-8")
    checked = run("kubernetes-validate", "--strict", "--kubernetes-version", version, str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (checked.stdout + checked.stderr).count(" passed for resource ") == len(resources)


def test_sqlite_is_one_pod_with_a_volume_of_its_own() -> None:
    resources = list(yaml.safe_load_all(build("sqlite")))
    workload = one(resources, "StatefulSet")
    assert workload["spec"]["replicas"] == 1
    assert [claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]] == ["data"]
    assert {item["kind"] for item in resources}.isdisjoint({"Deployment", "HorizontalPodAutoscaler", "CronJob", "Job"})


def test_postgresql_is_three_pods_that_keep_nothing(postgres: list[Resource]) -> None:
    deployment, scaler = one(postgres, "Deployment"), one(postgres, "HorizontalPodAutoscaler")
    assert "replicas" not in deployment["spec"]
    assert scaler["spec"]["minReplicas"] == 3
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert one(postgres, "PodDisruptionBudget")["spec"]["minAvailable"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "PersistentVolumeClaim" not in {item["kind"] for item in postgres}
    assert all("persistentVolumeClaim" not in volume for volume in api_pod(postgres)["volumes"])


def test_as_many_pods_as_there_may_be_leave_postgresql_connections_to_spare(
    postgres: list[Resource], tmp_path: Path
) -> None:
    settings = settings_from(one(postgres, "ConfigMap")["data"], tmp_path)
    pods = one(postgres, "HorizontalPodAutoscaler")["spec"]["maxReplicas"]
    assert pods * settings.workers * settings.pool_size <= 100 - 20


def test_the_service_would_start_with_its_settings(built: list[Resource], overlay: str, tmp_path: Path) -> None:
    variables = one(built, "ConfigMap")["data"]
    settings = settings_from(variables, tmp_path)
    assert secrets_in(variables) == set()
    assert settings.metrics_port != settings.port
    assert bool(settings.database_url) == (overlay == "postgres")
    mounts = {mount["name"]: mount["mountPath"] for mount in api_container(built)["volumeMounts"]}
    assert {str(Path(variables[name]).parent) for name in variables.keys() & SECRET_FILES.keys()} == {mounts["secrets"]}
    assert Path(variables["SKG_DB_PATH"]).parent == Path(mounts["data"])


def test_several_pods_are_given_every_secret_that_they_share(postgres: list[Resource]) -> None:
    given = one(postgres, "ConfigMap")["data"].keys() & SECRET_FILES.keys()
    assert given == SECRET_FILES.keys() - OF_LARGE_ONES


def test_no_variable_of_kubernetes_own_looks_like_a_setting(built: list[Resource]) -> None:
    # A service named skg-… would become SKG_…_PORT, at which the service does not start.
    assert all(template["spec"]["enableServiceLinks"] is False for template in pod_templates(built).values())


def test_every_container_is_confined_and_has_its_limits(built: list[Resource]) -> None:
    found = list(containers(built))
    assert found
    for container in found:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
        assert container["image"] == "ghcr.io/yourorg/skg-api:2.0.0"
    for template in pod_templates(built).values():
        context = template["spec"]["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 1000)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert template["spec"]["automountServiceAccountToken"] is False


def test_a_pod_that_ends_has_time_for_its_proxies_and_its_requests(built: list[Resource]) -> None:
    graceful = gunicorn_setting("graceful_timeout")
    command = api_container(built)["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert api_pod(built)["terminationGracePeriodSeconds"] > int(command[1]) + graceful


def test_probes_ask_for_what_they_are_there_to_know(built: list[Resource]) -> None:
    container = api_container(built)
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    # A database that is gone is no reason to kill what waits for it.
    assert paths == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert container["readinessProbe"]["timeoutSeconds"] > PATIENCE
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 60


def test_only_pods_of_the_api_get_its_requests(built: list[Resource]) -> None:
    selector = one(built, "Service")["spec"]["selector"].items()
    chosen = [
        kind for kind, template in pod_templates(built).items() if selector <= template["metadata"]["labels"].items()
    ]
    assert len(chosen) == 1
    assert chosen[0] in {"Deployment", "StatefulSet"}


def test_the_service_the_ingress_and_the_policies_lead_to_ports_that_are_there(built: list[Resource]) -> None:
    ports = {port["name"]: port["containerPort"] for port in api_container(built)["ports"]}
    service = one(built, "Service")
    assert {port["targetPort"] for port in service["spec"]["ports"]} == ports.keys()
    path = one(built, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": "http"}}
    rules = one(built, "NetworkPolicy", "skg-api")["spec"]["ingress"]
    assert {port["port"] for rule in rules for port in rule["ports"]} == set(ports.values())


def test_prometheus_finds_the_metrics(postgres: list[Resource]) -> None:
    monitor, service = one(postgres, "ServiceMonitor"), one(postgres, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_new_pods_wait_for_the_migrations_which_run_once(postgres: list[Resource]) -> None:
    assert "migrate --check" in str(api_pod(postgres)["initContainers"])
    job = one(postgres, "Job")["spec"]["template"]["spec"]["containers"][0]
    assert job["command"] == ["python", "manage.py", "migrate", "--no-input"]


def test_one_run_at_a_time_and_another_s_is_no_failure(postgres: list[Resource]) -> None:
    cron = one(postgres, "CronJob")
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    command = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command == ["sh", "-c", "python manage.py recurse --json || test $? -eq 75"]
