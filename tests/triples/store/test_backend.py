"""The one backend: it is that of the database in use."""

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import fact, store
from triples.store.backend import backend

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def test_it_is_that_of_the_connection_and_chosen_once() -> None:
    assert backend().name == connection.vendor
    assert backend() is backend()


def test_its_collation_orders_by_code_points() -> None:
    def ordered() -> list[str]:
        store(fact("b", "B", "\u00e4"), fact("a", "_", "Z"))
        with connection.cursor() as cursor:
            collation = backend().binary_collation
            cursor.execute(f'SELECT text FROM triples_term ORDER BY text COLLATE "{collation}"')
            return [text for (text,) in cursor.fetchall()]

    assert in_orm(ordered) == ["B", "Z", "_", "a", "b", "\u00e4"]


def test_what_it_takes_to_disk_is_told() -> None:
    def sizes() -> tuple[int, int]:
        def fetch(sql: str, _parameters: object) -> list[tuple[object, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())

        return backend().upkeep.size(fetch), backend().upkeep.bytes_of_tables()

    whole, tables = in_orm(sizes)
    assert whole > 10_000
    # New rows may stand in a log yet.
    assert whole >= tables > 0
