"""The state of the inferred facts on PostgreSQL."""

from django.db import connection

from triples.store.inferred.state import SELECT_STATE, State, state_of


def read_state() -> State | None:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_STATE)
        return state_of(cursor.fetchall())
