"""What a user would run instead, each as a server that takes turns with the service."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.benchmarks.report import LeftOut, Settings
from tests.benchmarks.servers import Server, fill_by_batches, terms
from tests.benchmarks.shape_questions import iri
from tests.support.service import KEY_HASH, free_port

# The longest that Oxigraph's server works at a question.
QUERY_SECONDS = 8


def fastapi(settings: Settings) -> Server:
    """The guide's service by hand, on FastAPI and aiosqlite; it has the guide's `synchronous=NORMAL`."""
    program, python = _program(settings, "fastapi_skg"), python_with(settings, "fastapi")
    folder, port = _folder(settings, "fastapi"), free_port()
    command = [str(python), "-m", "uvicorn", "app:app", "--port", str(port), "--no-access-log"]
    environment = os.environ | {"SKG_DB_PATH": str(folder / "peer.db"), "SKG_API_KEY_HASH": KEY_HASH}
    return Server("FastAPI", command, environment, program, folder, port, fill_by_batches)


def asyncpg(settings: Settings, database_url: str) -> Server:
    """The same by hand on FastAPI and asyncpg, on the same PostgreSQL; it stores, indexes and holds the same."""
    python = python_with(settings, "asyncpg, fastapi")
    folder, port = _folder(settings, "asyncpg"), free_port()
    command = [str(python), "-m", "uvicorn", "app:app", "--port", str(port), "--no-access-log"]
    environment = os.environ | {"PEER_DATABASE_URL": database_url, "SKG_API_KEY_HASH": KEY_HASH}
    program = Path(__file__).parent / "asyncpg_peer"
    return Server("FastAPI and asyncpg", command, environment, program, folder, port, fill_by_batches)


def flask(settings: Settings) -> Server:
    """The service that the guide replaces: no keys, no checks, a connection to the database for each request."""
    program, python = _program(settings, "flask_legacy"), python_with(settings, "flask")
    folder, port = _folder(settings, "flask"), free_port()
    environment = os.environ | {"SKG_DB_PATH": str(folder / "peer.db"), "PORT": str(port)}
    return Server("Flask", [str(python), "app.py"], environment, program, folder, port, fill_by_batches)


def oxigraph(settings: Settings) -> Server:
    """A graph database's own server, in Rust: no keys, no limits, no log, no weights, and writes are not synced."""
    program = _python(settings).parent / "oxigraph"
    if not program.exists():
        raise LeftOut(f"{program} is not there: pip install oxigraph into that environment.")
    folder, port = _folder(settings, "oxigraph"), free_port()
    # As the service has one; a question that takes longer would keep the processor from those that follow.
    limit = ["--timeout-s", str(QUERY_SECONDS)]
    command = [str(program), "serve", "--location", str(folder / "store"), "--bind", f"127.0.0.1:{port}", *limit]
    return Server("Oxigraph", command, os.environ, folder, folder, port, _fill_with_triples, dialect="sparql")


def _program(settings: Settings, name: str) -> Path:
    if settings.peers is None:
        raise LeftOut("The folder of the peers was not given: make bench PEERS=FOLDER PEER_PYTHON=PYTHON.")
    program = settings.peers / name
    if not program.is_dir():
        raise LeftOut(f"There is no {program}.")
    return program


def python_with(settings: Settings, module: str) -> Path:
    """The peers' interpreter, if it has this module."""
    python = _python(settings)
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
        raise LeftOut(f"{python} has no {module}.")
    return python


def _python(settings: Settings) -> Path:
    if settings.peer_python is None:
        raise LeftOut("No interpreter was given that has what the peer needs: make bench PEER_PYTHON=PYTHON.")
    if not settings.peer_python.exists():
        raise LeftOut(f"There is no {settings.peer_python}.")
    return settings.peer_python


def _folder(settings: Settings, name: str) -> Path:
    folder = settings.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fill_with_triples(url: str, facts: int) -> None:
    store_triples(url, [terms(number) for number in range(facts)])


def store_triples(url: str, facts: Sequence[Sequence[str]]) -> None:
    """Store facts in Oxigraph's server, their terms as IRIs."""
    with httpx.Client(base_url=url, timeout=60, headers={"Content-Type": "application/n-triples"}) as client:
        for first in range(0, len(facts), 5000):
            lines = [" ".join(f"<{iri(term)}>" for term in fact) for fact in facts[first : first + 5000]]
            client.post("/store?default", content="".join(f"{line} .\n" for line in lines)).raise_for_status()
