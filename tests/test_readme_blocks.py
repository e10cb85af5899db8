"""The blocks of shell and Python of a page run in order, from an empty database, against the real service."""

import html
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from skg_site.env import BASE_DIR
from tests.conftest import FreshDatabase
from tests.support.environment import process_environment
from tests.support.pages import TEXTS
from tests.support.python_program import python_program
from tests.support.service import KEY, Service
from tests.support.tools import require_tool
from tests.triples.exchange.from_flask.old import TABLE, add

# The shell of the other pages is for hosts of their own; tests.deploy checks it.
PAGES = [
    "README.md",
    "triples/README.md",
    "apikeys/README.md",
    "deploy/README.md",
    "deploy/client/README.md",
    "tests/README.md",
]

# Blocks that begin so need what a test cannot have.
LEFT_OUT = {
    "pip install ": "installs, from an index that a test cannot reach",
    "make run\n": "installs into a new .venv, and serves until it is stopped",
    "make install\n": "installs into a new .venv, and serves until it is stopped",
    "make test\n": "this is what runs",
    ".venv/bin/pytest ": "this is what runs",
    "make bench\n": "takes many minutes, and peers that are checked out elsewhere",
    ".venv/bin/pip install boto3\n": "installs, and needs AWS",
    "export SKG_DATABASE_URL=": "needs the PostgreSQL server that it names",
}
# Blocks that begin so are for a stopped service.
WITHOUT_SERVICE = (".venv/bin/python manage.py restore ",)
# What stands for something of the reader's own, and what is there instead.
STAND_INS = {
    # As the wheel calls the package; tests.skg_site.client.test_wheel installs it.
    r"\bskg_client\b": "skg_site.client",
    r"https?://(localhost:7777|api\.example\.com|staging\.example\.org)": "{url}",
    r"/var/backups/skg": "{folder}/backups",
    r"/var/log/skg-api\.log": "{folder}/data/service.log",
    r"API_KEY=… ": "",
    r"--key-file -": "--key-file key.txt",
    # A load as long as the example's would show no more.
    r"--duration 30s": "--duration 1s",
    # What a busy machine can answer in time.
    r"--rate 500": "--rate 50",
    r"load_test(?! --duration)": "load_test --duration 1s",
}
TIMEOUT = 300


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str

    @property
    def reason(self) -> str | None:
        """Why it is left out, if it is."""
        return next((reason for begin, reason in LEFT_OUT.items() if self.text.startswith(begin)), None)


BLOCKS = [
    Block(page, TEXTS[page][: found.start()].count("\n") + 1, found[1], found[2])
    for page in PAGES
    for found in re.finditer(r"^```(sh|python)\n(.*?)^```", TEXTS[page], re.DOTALL | re.MULTILINE)
]


class Checkout:
    """A folder that looks like the checkout to who works in it, and keeps what they write."""

    def __init__(self, folder: Path, service: Service, python: Path) -> None:
        self._folder = folder
        self._service = service
        for path in BASE_DIR.iterdir():
            if path.name not in {".env", ".git", ".venv"}:
                (folder / path.name).symlink_to(path)
        # Each command is a process of its own all the same.
        (folder / ".venv/bin").mkdir(parents=True)
        (folder / ".venv/bin/python").symlink_to(python)
        (folder / "key.txt").write_text(KEY)
        with closing(sqlite3.connect(folder / "old_ucm_skg.db")) as old:
            old.execute(TABLE)
        add(folder / "old_ucm_skg.db", ("Newton", "discovered", "Gravity", 0.9, "{}"))
        # Without it curl takes any answer for a good one.
        programs = folder / "programs"
        programs.mkdir()
        curl = programs / "curl"
        curl.write_text(f'#!/bin/sh\nexec {require_tool("curl")} --silent --show-error --fail-with-body "$@"\n')
        curl.chmod(0o755)
        self._environment = process_environment(service.variables) | {
            "API_KEY": KEY,
            "MY_KEY": "a-key-of-the-readers-own",
            "PATH": f"{programs}:{os.environ['PATH']}",
        }

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        text = block.text
        for pattern, stand_in in STAND_INS.items():
            text = re.sub(pattern, stand_in.format(url=self._service.url, folder=self._folder), text)
        command = [sys.executable, "-"] if block.language == "python" else ["bash", "-eo", "pipefail"]
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )


@pytest.fixture
def service(fresh_database: FreshDatabase, tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "data"
    folder.mkdir()
    one = Service(folder, **fresh_database(folder))
    for file in folder.iterdir():
        # Only the service's user reads the data of a service, which `system_check` checks.
        file.chmod(0o600)
    one.start()
    yield one
    one.end()


@pytest.fixture
def checkout(service: Service, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with python_program(tmp_path_factory.mktemp("python")) as python:
        yield Checkout(tmp_path, service, python)


# Some forty commands, each a process of its own: half a minute, and more where others work too.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if not block.reason}))
def test_every_block_works_when_they_are_pasted_one_after_the_other(
    page: str, service: Service, checkout: Checkout
) -> None:
    faults = []
    for block in BLOCKS:
        if block.reason or block.page != page:
            continue
        stopped = block.text.startswith(WITHOUT_SERVICE)
        if stopped:
            service.stop()
        done = checkout.run(block)
        if done.returncode:
            faults.append(
                f"{block.page}:{block.line} ended with {done.returncode}\n{block.text}{done.stdout}{done.stderr}"
            )
        if stopped:
            service.start()
    assert faults == [], "\n\n".join(faults)


def test_the_start_page_leads_to_the_answers_that_it_tells(service: Service, checkout: Checkout) -> None:
    page = httpx.get(f"{service.url}/").text
    commands = [html.unescape(found) for found in re.findall(r'<pre class="shell"><code>(.*?)</code>', page, re.DOTALL)]
    # The second is the reader's own key; the first makes one, and the rest use that of the tests.
    assert commands[1].startswith("export API_KEY=")
    answers = ""
    for command in (commands[0], *commands[2:]):
        done = checkout.run(Block("/", 0, "sh", command))
        assert done.returncode == 0, command + done.stdout + done.stderr
        answers += done.stdout
    told = re.findall(r'<code>("[^<]*)</code>', page)
    assert told == ['"accepted": 2', '"object": "Bob", "weight": 0.9']
    for part in (*told, '"object": "Cleo", "weight": 0.855'):
        assert part.replace(": ", ":").replace(", ", ",") in answers


@pytest.mark.parametrize("beginning", LEFT_OUT)
def test_what_is_left_out_is_there_and_said(beginning: str) -> None:
    assert any(block.text.startswith(beginning) for block in BLOCKS)
    pytest.skip(f"not run: {LEFT_OUT[beginning]}")


def test_the_stand_ins_are_all_of_use() -> None:
    text = "".join(block.text for block in BLOCKS if not block.reason)
    assert [pattern for pattern in STAND_INS if not re.search(pattern, text)] == []
