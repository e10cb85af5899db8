"""The runbooks' commands that read the log, run on a log in which other programs have lines too."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_readme import BLOCKS
from tests.support.tools import require_tool

KEY_ID = "3kT9cVx1"
LINES: list[dict[str, Any]] = [
    {
        "event": "request", "level": "info", "timestamp": "2026-01-15T10:30:00Z", "key_id": KEY_ID, "ip": "10.0.0.1",
        "endpoint": "/query", "status": 200, "duration_ms": 4.5,
    },
    {
        "event": "request", "level": "info", "timestamp": "2026-01-15T10:30:01Z", "key_id": "other", "ip": "10.0.0.2",
        "endpoint": "/query", "status": 200, "duration_ms": 1.5,
    },
    {
        "event": "auth_failure", "level": "warning", "timestamp": "2026-01-15T10:30:02Z", "ip": "10.0.0.3",
        "endpoint": "/stats", "reason": "unknown", "key_id": None,
    },
]  # fmt: skip
# What systemd, gunicorn before its log is set up, an interpreter that ends badly, and others write.
FOREIGN = [
    b"Started SKG API.",
    b"",
    b"Traceback (most recent call last):",
    b'  File "x.py", line 1, in <module>',
    b"[2026-01-15 10:30:00 +0000] [1] [INFO] Starting gunicorn",
    b'{"event": "request", "cut',
    b"5",
    b"null",
    b'"a text"',
    b"[1, 2]",
    b'{"event": 5, "level": ["info"], "key_id": {}}',
    b"\xff\xfe",
]
# What each command that begins so gives.
EXPECTED: dict[str, list[Any]] = {
    'jq -R \'fromjson? | objects | select(.event == "request")\'': [
        [{"endpoint": "/query", "requests": 2, "seconds": 0.006, "slowest_ms": 4.5}]
    ],
    'jq -Rc \'fromjson? | objects | select(.event == "auth_failure")': [
        {
            "timestamp": "2026-01-15T10:30:02Z", "ip": "10.0.0.3", "endpoint": "/stats", "reason": "unknown",
            "key_id": None,
        }
    ],
    'jq -Rc \'fromjson? | objects | select(.level != "info")': [
        LINES[2], {"event": 5, "level": ["info"], "key_id": {}},
    ],
    "jq -Rc 'fromjson? | objects | select(.key_id ==": [
        {"timestamp": "2026-01-15T10:30:00Z", "ip": "10.0.0.1", "endpoint": "/query"}
    ],
}  # fmt: skip

# A command ends with its line, unless a quotation goes on.
COMMANDS = re.findall(r"^journalctl (?:'[^']*'|[^\n'#])*?\| (jq (?:'[^']*'|[^\n'#])*)", "".join(BLOCKS), re.MULTILINE)


def contents(text: str) -> list[Any]:
    """The JSON documents in a text, one after the other."""
    found = []
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        content, end = decoder.raw_decode(text)
        found.append(content)
        text = text[end:]
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log"
    own = [json.dumps(line).encode() for line in LINES]
    # Foreign lines before, between and after.
    lines = [*FOREIGN[:4], own[0], *FOREIGN[4:8], own[1], *FOREIGN[8:10], own[2], *FOREIGN[10:]]
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def test_every_command_that_reads_the_log_is_known() -> None:
    assert len(COMMANDS) == len(EXPECTED) == "".join(BLOCKS).count("-o cat | jq")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_passes_over_lines_of_others(command: str, log: Path) -> None:
    require_tool("jq")
    [expected] = [given for beginning, given in EXPECTED.items() if command.startswith(beginning)]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", f"cat {shlex.quote(str(log))} | {command.replace('KEY_ID', KEY_ID)}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(done.stdout) == expected
