"""The systemd units, by systemd's own tools, and what the service tells systemd when it starts."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

from tests.deploy.gunicorn import gunicorn_setting
from tests.deploy.programs import DEPLOY
from tests.deploy.settings import settings_from
from tests.support.service import Service
from tests.support.tools import require_tool

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [require_tool("systemd-analyze"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host's root folder with the units in place, and programs where they look for them."""
    shutil.copytree(UNITS, tmp_path / "etc/systemd/system")
    for line in "".join((UNITS / name).read_text(encoding="utf-8") for name in SERVICES).splitlines():
        if match := re.match(r"Exec\w+=(/\S+)", line):
            program = tmp_path / match[1].lstrip("/")
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("#!/bin/sh\n", encoding="utf-8")
            program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("unit", [*SERVICES, *TIMERS])
def test_systemd_understands_each_line(host: Path, unit: str) -> None:
    checked = analyze("verify", f"--root={host}", "--man=no", "--recursive-errors=no", unit)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_may_do_little_more_than_its_work(unit: str) -> None:
    judged = analyze("security", "--offline=true", "--threshold=20", str(UNITS / unit))
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("unit", TIMERS)
def test_a_timer_has_its_service_and_catches_up(unit: str) -> None:
    assert unit.replace(".timer", ".service") in SERVICES
    text = (UNITS / unit).read_text(encoding="utf-8")
    assert "Persistent=yes" in text
    calendar = re.search(r"^OnCalendar=(.*)$", text, re.MULTILINE)
    assert calendar is not None
    assert analyze("calendar", calendar[1]).returncode == 0


def directive(unit: str, name: str) -> str:
    found = re.findall(rf"^{name}=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == 1
    value: str = found[0]
    return value


def test_a_service_that_stops_has_the_time_that_gunicorn_gives_its_requests() -> None:
    graceful = gunicorn_setting("graceful_timeout")
    assert int(directive("skg-api.service", "TimeoutStopSec")) > graceful


def test_a_run_has_the_time_and_the_memory_that_its_settings_allow(tmp_path: Path) -> None:
    settings = settings_from({}, tmp_path)
    minutes = directive("skg-api-recurse.service", "TimeoutStartSec").removesuffix("min")
    gigabytes = directive("skg-api-recurse.service", "MemoryMax").removesuffix("G")
    assert int(minutes) * 60 > settings.recursion_timeout
    assert int(gigabytes) * 1024 >= 2 * settings.recursion_memory
    assert directive("skg-api-recurse.service", "SuccessExitStatus") == "75"


def test_the_service_would_start_with_its_settings(tmp_path: Path) -> None:
    variables = {name: value or "" for name, value in dotenv_values(UNITS / "environment").items()}
    settings = settings_from(variables, tmp_path)
    assert settings.db_path.parent == Path("/var/lib") / directive("skg-api.service", "StateDirectory")
    assert settings.metrics_port != settings.port


def test_systemd_is_told_when_the_service_can_be_asked(
    fresh_database: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    assert directive("skg-api.service", "Type") == "notify"
    one = Service(tmp_path, **fresh_database(tmp_path))
    address = f"skg-{os.getpid()}-{one.port}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{address}")
        systemd.settimeout(60)
        one.variables["NOTIFY_SOCKET"] = f"@{address}"
        one.launch()
        try:
            assert "READY=1" in systemd.recv(4096).decode().splitlines()
            # Asked once, at once: whoever starts after this unit finds it there.
            assert httpx.get(f"{one.url}/ready", timeout=60).status_code == 200
        finally:
            one.end()
