"""The migration to the index that has the subjects of a predicate in order."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import fact, store
from triples.models import Triple

pytestmark = pytest.mark.both


def columns_of_indexes() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Triple._meta.db_table)
    return {name: found[name]["columns"] for name in ("triple_sp", "triple_ps") if name in found}


@pytest.fixture
def before(database: None) -> Iterator[None]:
    """A database of the version before, with a fact."""
    in_orm(store, fact("a", "p", "b"))
    in_orm(call_command, "migrate", "triples", "0012", verbosity=0)
    yield
    in_orm(call_command, "migrate", verbosity=0)


@pytest.mark.usefixtures("before")
def test_the_index_is_replaced_and_the_former_comes_back() -> None:
    end = ["id"] if connection.vendor == "postgresql" else []
    assert in_orm(columns_of_indexes) == {"triple_sp": ["subject_id", "predicate_id", "weight", *end]}
    in_orm(call_command, "migrate", verbosity=0)
    assert in_orm(columns_of_indexes) == {"triple_ps": ["predicate_id", "subject_id", "weight", *end]}
    assert in_orm(Triple.objects.count) == 1
