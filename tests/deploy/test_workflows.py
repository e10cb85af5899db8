"""The GitHub Actions: their syntax, their permissions, and what they are pinned to."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from skg_site.env import BASE_DIR
from tests.deploy.programs import run
from tests.support.tools import require_tool

FILES = sorted((BASE_DIR / ".github/workflows").glob("*.yml"))


def workflow(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def test_actionlint_finds_nothing() -> None:
    checked = run("actionlint", "-no-color", *FILES)
    assert checked.returncode == 0, checked.stdout


def test_zizmor_finds_nothing() -> None:
    checked = run("zizmor", "--offline", "--persona=pedantic", "--no-progress", ".github")
    assert checked.returncode == 0, checked.stdout
    assert "No findings" in checked.stdout + checked.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_action_is_pinned_to_a_commit_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    pinned = re.compile(r"(\$/\.github/workflows/[\w.]+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
    assert used
    assert [line for line in used if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_may_do_nothing_and_a_job_what_it_says(path: Path) -> None:
    content = workflow(path)
    assert content["permissions"] == {}
    written = {
        (name, right)
        for name, job in content["jobs"].items()
        for right, level in job["permissions"].items()
        if level != "read"
    }
    assert written <= {("image", "packages")}


def test_nothing_is_rolled_out_that_was_not_tested_and_scanned_and_production_comes_last() -> None:
    jobs = workflow(BASE_DIR / ".github/workflows/deploy.yml")["jobs"]
    assert jobs["image"]["needs"] == "ci"
    assert jobs["staging"]["needs"] == "image"
    assert jobs["production"]["needs"] == ["image", "staging"]
    uses = [step.get("uses", "") for step in jobs["image"]["steps"]]
    steps = [
        next(i for i, use in enumerate(uses) if use.startswith(name)) for name in ("aquasecurity/", "docker/login")
    ]
    assert steps == sorted(steps), "the image is pushed before it is scanned"


def test_tests_run_on_the_base_of_the_image() -> None:
    base = re.search(r"^ARG PYTHON=(.*)$", (BASE_DIR / "deploy/Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert base is not None
    for file, job in (("ci", "test"), ("nightly", "properties")):
        container = workflow(BASE_DIR / f".github/workflows/{file}.yml")["jobs"][job]["container"]
        assert container["image"] == base[1]


def test_the_properties_of_the_engine_are_tried_on_apache_spark_every_night() -> None:
    steps = workflow(BASE_DIR / ".github/workflows/nightly.yml")["jobs"]["properties"]["steps"]
    assert steps[-1]["run"] == ".ci/run test-long"
    # Without a Java, they would be skipped.
    assert "java:" in (BASE_DIR / ".ci/run").read_text(encoding="utf-8")
    make = [require_tool("make"), "--dry-run", "test-long"]
    planned = subprocess.run(make, cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout
    assert "spark-server" in planned
    assert re.search(r'pytest .*-m "hypothesis or long" tests/triples/recursion/spark ', planned, re.MULTILINE)
