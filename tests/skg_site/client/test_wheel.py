"""The wheel: built from deploy/client, and installed where nothing else of this checkout is."""

import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from skg_site.env import BASE_DIR
from tests.support.service import KEY, Service

pytestmark = pytest.mark.process

FOLDER = BASE_DIR / "deploy/client"
SOURCE = BASE_DIR / "skg_site/client"


def run(*command: str | Path, folder: Path = FOLDER, **variables: str) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    [built] = folder.glob("*.whl")
    return built


def test_it_holds_the_package_its_types_and_its_changelogs_version(wheel: Path) -> None:
    version = re.search(r"^## (\d+\.\d+\.\d+)", (FOLDER / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert version is not None
    assert wheel.name == f"skg_client-{version[1]}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = archive.read(f"skg_client-{version[1]}.dist-info/METADATA").decode()
    modules = {f"skg_client/{path.name}" for path in SOURCE.glob("*.py")}
    assert held == modules | {"skg_client/py.typed"}
    needed = re.findall(r"^Requires-Dist: (\w+)(?!.*extra ==)", metadata, re.MULTILINE)
    assert sorted(needed) == ["httpx2", "tenacity"]


def test_it_works_in_a_fresh_environment(wheel: Path, one_service: Service, tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    run(sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--no-cache", "--python", python, wheel)
    # What it needs is here already; this reaches no index.
    [packages] = (tmp_path / "venv/lib").glob("python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    code = (
        "import sys, skg_client\n"
        f"with skg_client.Client({one_service.url!r}) as client:\n"
        "    print(client.add('a', 'p', 'b')['status'], client.stats()['total_triples'])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'django', 'pydantic', 'skg_site'}))\n"
    )
    assert run(python, "-c", code, folder=tmp_path, API_KEY=KEY) == "inserted 1\n[]\n"
