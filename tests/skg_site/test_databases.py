"""How the service reaches PostgreSQL: what its settings make of a URL, and a server that is away for a while."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from django.conf import settings
from psycopg_pool import ConnectionPool

from skg_site.databases import databases
from tests.support.postgresql import create_database, database_url


def test_parameters_of_the_url_replace_the_usual_ones() -> None:
    url = "postgresql://somewhere/skg?connect_timeout=20&keepalives_idle=60"
    env = settings.ENV.model_copy(update={"database_url": url})
    options = databases(env)["default"]["OPTIONS"]
    assert (options["connect_timeout"], options["keepalives_idle"]) == (20, 60)
    assert options["tcp_user_timeout"] == 10_000


@pytest.mark.process
def test_who_waits_has_a_connection_soon_after_the_server_can_be_reached(postgresql: str) -> None:
    env = settings.ENV.model_copy(update={"database_url": database_url(postgresql, "comes_later")})
    configured = databases(env)["default"]["OPTIONS"]["pool"]
    with (
        ConnectionPool(env.database_url, **configured, open=True) as pool,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(pool.getconn)
        # By now, a pool that waits twice as long after each attempt would wait for four seconds.
        while pool.get_stats().get("connections_errors", 0) < 6:
            sleep(0.05)
        create_database(postgresql, "comes_later")
        pool.putconn(waiting.result(timeout=2.5))
