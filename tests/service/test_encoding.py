"""A PostgreSQL database that is not in UTF8 is refused wherever it turns up, in a sentence that names its encoding."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.service.conftest import NewDatabase
from tests.support.environment import service_variables
from tests.support.postgresql import create_database, database_url
from tests.support.service import Service, manage

FACT = {"subject": "学点", "predicate": "near", "object": "b"}


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def other(postgresql: str, encoding: str) -> str:
    """The URL of an empty database in this encoding."""
    name = sql.Identifier(f"other_{encoding.lower()}")
    with psycopg.connect(postgresql, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        made = "CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0"
        server.execute(sql.SQL(made).format(name, sql.Literal(encoding)))
    return database_url(postgresql, f"other_{encoding.lower()}")


def test_migrate_the_commands_and_the_start_refuse_it(other: str, encoding: str, tmp_path: Path) -> None:
    variables = service_variables(tmp_path, database_url=other)
    for command in (["migrate", "--no-input"], ["import_triples", "--format", "tsv", "-"], ["recurse"], ["backup"]):
        done = manage(*command, variables=variables, input_text="a\tp\tb\n", set_up=True)
        assert done.returncode == 1, command
        assert f"is encoded in {encoding}" in done.stderr, command
        assert "ENCODING 'UTF8'" in done.stderr, command
        assert "Traceback" not in done.stderr, command
    checked = manage("system_check", "--only", "database", "--only", "migrations", variables=variables, set_up=True)
    assert checked.stdout.count(f"is encoded in {encoding}") == 2
    one = Service(tmp_path, database_url=other)
    one.launch()
    assert one.process is not None
    assert one.process.wait(60) == 3
    assert f"is encoded in {encoding}" in one.log_text


def test_no_request_fails_where_it_takes_the_place_of_another_under_the_service(
    postgresql: str, migrated: str, new_database: NewDatabase, other: str, encoding: str, tmp_path: Path
) -> None:
    one = Service(tmp_path, database_url=create_database(postgresql, "place", migrated))
    one.start()
    try:
        with one.client() as client:
            assert client.post("/triples/add", json=FACT).status_code == 201
            with psycopg.connect(postgresql, autocommit=True) as server:
                server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'place'")
                server.execute("DROP DATABASE place WITH (FORCE)")
                server.execute(f"ALTER DATABASE other_{encoding.lower()} RENAME TO place")
            ready = client.get("/ready")
            answers = [
                client.post("/triples/add", json=FACT | {"object": "c"}),
                client.post("/query", json={"pattern": [FACT["subject"], None, None]}),
                client.post("/rules", json={"transitive": "学"}),
                client.get("/triples"),
                client.get("/stats"),
                client.post("/keys", json={"name": "test", "scopes": ["read"]}),
                client.get("/admin/login/"),
                client.post("/recurse", json={}),
            ]
    finally:
        one.end()
    assert ready.status_code == 503
    assert f"is encoded in {encoding}" in ready.json()["reason"]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 503}, statuses
    assert statuses.count(503) >= len(answers) - 1
    assert "Traceback" not in one.log_text
