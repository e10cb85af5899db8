"""The service keeps to its own documentation, as schemathesis sees it: all checks, over the wire.

For a longer run, against a service that has KEY and no limits:
PYTHONPATH=. schemathesis --config-file tests/service/schemathesis.toml run http://127.0.0.1:7777/openapi.json ...
"""

import subprocess
import sys
from pathlib import Path

import pytest

from skg_site.env import BASE_DIR
from tests.conftest import StartService
from tests.support.environment import process_environment
from tests.support.service import KEY


@pytest.mark.parametrize("examples", ["2", pytest.param("25", marks=pytest.mark.long)])
def test_schemathesis_finds_nothing(service: StartService, examples: str) -> None:
    # One worker: schemathesis fails to authenticate on purpose until its address is over the limit for that, and
    # a key that a worker has seen to be good before is not held up by it.
    one = service(workers=1)
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", BASE_DIR / "tests/service/schemathesis.toml"),
        *("run", f"{one.url}/openapi.json", "--header", f"Authorization: Bearer {KEY}"),
        *("--checks", "all", "--max-examples", examples, "--seed", "1", "--generation-deterministic", "--no-color"),
    ]
    result = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=process_environment({"PYTHONPATH": str(BASE_DIR)}),
        capture_output=True,
        text=True,
        timeout=270 if examples == "2" else 3600,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "37 selected" in result.stdout
    assert not [line for line in one.log_lines if line["level"] in {"error", "critical"}]
