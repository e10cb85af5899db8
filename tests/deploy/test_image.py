"""The image: what deploy/Dockerfile puts into it, and whether the service starts from no more than that."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from skg_site.env import BASE_DIR
from tests.deploy.programs import DEPLOY, run
from tests.support.environment import process_environment
from tests.support.service import Service

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (BASE_DIR / ".dockerignore").read_text(encoding="utf-8")
LOCK = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
HOME = "/opt/skg-api"


def copied() -> Iterator[tuple[str, str]]:
    """What is copied from the project, and where to."""
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            yield source, target + Path(source).name if target.endswith("/") else target


def test_hadolint_finds_nothing() -> None:
    checked = run("hadolint", "--no-color", "--failure-threshold", "style", str(DEPLOY / "Dockerfile"))
    assert checked.returncode == 0, checked.stdout


def test_the_base_is_pinned_by_digest_and_is_the_only_one() -> None:
    assert re.search(r"^ARG PYTHON=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON}"] * 2


def test_it_runs_as_nobody_in_particular_and_writes_to_its_volume_alone() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 1000:1000$", last, re.MULTILINE)
    assert re.search(r"^VOLUME /data$", last, re.MULTILINE)
    assert "SKG_DB_PATH=/data/" in last
    assert "curl" not in DOCKERFILE


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    allowed = {line.removeprefix("!") for line in IGNORED.splitlines() if line.startswith("!")}
    assert IGNORED.splitlines()[1] == "*"
    assert allowed == {source for source, _ in copied()}


def test_the_lock_has_what_the_requirements_name_with_checksums() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
    lines = (BASE_DIR / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [Requirement(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]
    wanted = {canonicalize_name(item.name): str(item.specifier).removeprefix("==") for item in named}
    command = LOCK.splitlines()[1].strip("# ")
    assert {name: locked.get(name) for name in wanted} == wanted, f"make the lock anew: {command}"
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


class Installed(Service):
    """The service from the files of the image, in a folder that holds nothing else."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.home = folder / "image"
        for source, target in copied():
            place = self.home / Path(target).relative_to(HOME) if target.startswith(HOME) else None
            if place is None:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if (BASE_DIR / source).is_dir():
                shutil.copytree(BASE_DIR / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(BASE_DIR / source, place)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python as a command of the container would."""
        # The copy's coverage would be that of files which are gone afterwards.
        environment = process_environment(self.variables | {"PYTHONDONTWRITEBYTECODE": "1"})
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def launch(self) -> None:
        words = re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("\nCMD ")[2])
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.home,
                env=process_environment(self.variables),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@pytest.fixture
def installed(fresh_database: Callable[[Path], dict[str, Any]], tmp_path: Path) -> Iterator[Installed]:
    one = Installed(tmp_path, **fresh_database(tmp_path))
    yield one
    one.end()


HEALTHCHECK = ("-I", "deploy/healthcheck.py")


def test_the_service_starts_from_the_files_of_the_image(installed: Installed) -> None:
    assert (installed.command(*HEALTHCHECK)).returncode == 1
    migrated = installed.command("manage.py", "migrate", "--check")
    assert migrated.returncode == 0, migrated.stderr
    installed.start()
    healthy = installed.command(*HEALTHCHECK)
    assert (healthy.returncode, healthy.stderr) == (0, "/ready answers 200\n")
    with installed.client() as client:
        assert client.get("/docs").status_code == 200
        assert client.get("/admin/login/").status_code == 200
        fact = {"subject": "a", "predicate": "is_a", "object": "b"}
        assert client.post("/triples/add", json=fact).status_code == 201
        rule = {"transitive": "is_a"}
        assert client.post("/rules", json=rule).status_code == 201
    derived = installed.command("manage.py", "recurse", "--json")
    assert derived.returncode == 0, derived.stderr
    assert installed.stop() == 0
    assert "Traceback" not in installed.log_text


def test_a_service_that_is_not_ready_is_unhealthy(installed: Installed) -> None:
    (installed.folder / "skg.db").unlink()
    installed.launch()
    while (unhealthy := installed.command(*HEALTHCHECK)).stderr != "/ready answers 503\n":
        assert installed.process is not None
        assert installed.process.poll() is None, installed.log_text
    assert unhealthy.returncode == 1
    assert installed.stop(signal.SIGTERM) == 0
