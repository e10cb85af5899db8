"""The service keeps to its own documentation, as schemathesis sees it: all checks, over the wire.

For a longer run, against a service that has KEY and no limits:
PYTHONPATH=. schemathesis --config-file tests/service/schemathesis.toml run http://127.0.0.1:7777/openapi.json ...
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from skg_site.env import BASE_DIR
from tests.conftest import StartService
from tests.support.environment import process_environment
from tests.support.service import KEY

# What it draws at random takes a third of the time for a thirtieth of the requests.
WITHOUT_CHANCE = ("--phases", "examples,coverage,stateful", "--max-examples", "2")


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        pytest.param(WITHOUT_CHANCE, 840, marks=pytest.mark.timeout(900), id="without chance"),
        pytest.param(("--max-examples", "25"), 3600, marks=pytest.mark.long, id="whole"),
    ],
)
def test_schemathesis_finds_nothing(service: StartService, options: Sequence[str], seconds: int) -> None:
    # One worker: schemathesis fails to authenticate on purpose until its address is over the limit for that, and
    # a key that a worker has seen to be good before is not held up by it.
    one = service(workers=1)
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", BASE_DIR / "tests/service/schemathesis.toml"),
        *("run", f"{one.url}/openapi.json", "--header", f"Authorization: Bearer {KEY}"),
        *("--checks", "all", "--seed", "1", "--generation-deterministic", "--no-color"),
        *options,
    ]
    result = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=process_environment({"PYTHONPATH": str(BASE_DIR)}),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "37 selected" in result.stdout
    assert not [line for line in one.log_lines if line["level"] in {"error", "critical"}]
