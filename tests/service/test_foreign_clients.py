"""Programs in other languages add a fact and ask for it, with the HTTP clients that these languages come with."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.support.service import KEY, Service
from tests.support.tools import require_tool

pytestmark = pytest.mark.process

PROGRAMS = Path(__file__).parent / "foreign_clients"


def java() -> list[str]:
    # For one short program, the first compiler is enough.
    return [require_tool("java"), "-XX:TieredStopAtLevel=1", str(PROGRAMS / "Client.java")]


def node() -> list[str]:
    return [require_tool("node"), str(PROGRAMS / "client.mjs")]


def curl() -> list[str]:
    require_tool("curl")
    return ["sh", str(PROGRAMS / "client.sh")]


def go() -> list[str]:
    # CI does not install it, since it takes 330 MB.
    path = shutil.which("go")
    if path is None:
        pytest.skip("go is not installed, so this was not tested")
    return [path, "run", str(PROGRAMS / "client.go")]


@pytest.mark.parametrize("program", [java, node, curl, go])
def test_it_adds_a_fact_and_asks_for_it(wired: Service, program: Callable[[], list[str]], tmp_path: Path) -> None:
    subject = f"Zürich 東京 😀 {program.__name__}"
    fact = {"subject": subject, "predicate": "greets", "object": 'the "world"\\', "weight": 0.3}
    query = {"pattern": [subject, None, None], "include_inferred": False}
    done = subprocess.run(
        [*program(), wired.url, KEY, orjson.dumps(fact).decode(), orjson.dumps(query).decode()],
        env=os.environ | {"LC_ALL": "C.UTF-8", "GOCACHE": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    [found] = orjson.loads(done.stdout)["results"]
    assert fact.items() <= found.items()
