"""The look at the way to the server, on a connection that is in a transaction from its first statement on."""

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from psycopg.pq import TransactionStatus

from triples.store.postgresql.poolers import Way, way_to_server

pytestmark = pytest.mark.both


@pytest.fixture(params=[False, True], ids=["transactions", "autocommit"])
def driver(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[tuple[int, ...]]]:
    if not settings.ENV.database_url:
        pytest.skip("only PostgreSQL has poolers")
    with psycopg.connect(settings.ENV.database_url, autocommit=request.param) as connection:
        yield connection


def test_it_leaves_nothing_behind(driver: psycopg.Connection[tuple[int, ...]]) -> None:
    assert way_to_server(driver, f"a database that is not known yet {driver.autocommit}") is Way.DIRECT
    assert driver.info.transaction_status == TransactionStatus.IDLE
    assert driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
