"""What `make install` installs: what the locks name, with checksums, and once even where two begin together."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from skg_site.env import BASE_DIR

LOCKS = {
    "deploy/requirements.lock": ["requirements.txt"],
    ".ci/requirements.lock": ["requirements.txt", "requirements-dev.txt"],
    ".ci/requirements-spark.lock": ["requirements-spark.txt", ".ci/requirements-spark.txt"],
    ".ci/requirements-spark-server.lock": [".ci/requirements-spark-server.txt"],
    ".ci/requirements-uv.lock": [".ci/requirements-uv.txt"],
}
# What the Makefile calls them.
VARIABLES = dict(zip(("LOCK", "LOCK_DEV", "LOCK_SPARK", "LOCK_SPARK_SERVER", "LOCK_UV"), LOCKS, strict=True))
MAKEFILE = (BASE_DIR / "Makefile").read_text(encoding="utf-8")
each_lock = pytest.mark.parametrize("lock", LOCKS)


def text(lock: str) -> str:
    return (BASE_DIR / lock).read_text(encoding="utf-8")


def locked(lock: str) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text(lock), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


@each_lock
def test_each_lock_has_every_pin_and_is_made_by_make_lock(lock: str) -> None:
    wanted: dict[str, str] = {}
    for file in LOCKS[lock]:
        lines = [line.partition("#")[0].strip() for line in (BASE_DIR / file).read_text(encoding="utf-8").splitlines()]
        pins = [Requirement(line) for line in lines if line and not line.startswith("-r")]
        wanted |= {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    assert wanted
    assert {name: locked(lock).get(name) for name in wanted} == wanted, "run make lock"
    recipe = MAKEFILE.replace("\\\n", " ")
    for name, file in VARIABLES.items():
        recipe = recipe.replace(f"$({name})", file)
    command = text(lock).splitlines()[1].strip("# ")
    assert command in " ".join(recipe.split())


@each_lock
def test_each_entry_of_a_lock_has_checksums(lock: str) -> None:
    entries = re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", text(lock), flags=re.MULTILINE)[1:]
    assert {canonicalize_name(re.split(r"[\[=]", entry)[0]) for entry in entries} == set(locked(lock))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@each_lock
def test_nothing_that_a_locked_package_needs_is_missing_from_the_lock(lock: str) -> None:
    """As far as the packages that are installed here say what they need."""
    names = locked(lock)
    missing = [
        f"{package.name} needs {requirement}"
        for package in distributions()
        if canonicalize_name(package.name) in names
        for requirement in map(Requirement, package.requires or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if canonicalize_name(requirement.name) not in names
    ]
    assert missing == [], "run make lock"


def test_locks_name_the_same_versions() -> None:
    service, all_ = locked("deploy/requirements.lock"), locked(".ci/requirements.lock")
    assert {name: all_.get(name) for name in service} == service
    with_spark = locked(".ci/requirements-spark.lock")
    assert {name: all_.get(name, version) for name, version in with_spark.items()} == with_spark
    assert locked(".ci/requirements-uv.lock").items() <= all_.items()


@pytest.mark.process
def test_two_that_install_at_once_do_it_once(tmp_path: Path) -> None:
    shutil.copy(BASE_DIR / "Makefile", tmp_path)
    for lock in LOCKS:
        (tmp_path / lock).parent.mkdir(exist_ok=True)
        # Nothing is to be installed: this is about who does it, and reaches no other machine.
        (tmp_path / lock).write_text("# empty\n", encoding="utf-8")
    command = ["make", f"PYTHON={sys.executable}", ".venv/installed-dev"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    for lock in ("deploy/requirements.lock", ".ci/requirements.lock"):
        assert "".join(told).count(f"Installing {lock} into .venv") == 1, told
    assert "--no-deps --require-hashes" in MAKEFILE
