"""Counts of a database's contents, which must be the same before a backup and after its restore."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.migrations.loader import MigrationLoader

from triples.store.backups.failures import Damaged

# Executes a statement on a connection and returns the rows.
Fetch = Callable[[str], list[tuple[Any, ...]]]

_COUNTS = (
    "SELECT (SELECT count(*) FROM triples_triple), (SELECT count(*) FROM triples_term),"
    " (SELECT count(*) FROM apikeys_apikey), (SELECT count(*) FROM triples_rule)"
)
_TALLIED = "SELECT coalesce(sum(triples), 0), coalesce(sum(subjects), 0) FROM triples_tally"
_TALLIED_BY_PREDICATE = "SELECT coalesce(sum(facts), 0) FROM triples_predicatetally"
_MISCOUNTED = (
    "SELECT count(*) FROM (SELECT predicate_id, count(*) AS facts FROM triples_triple GROUP BY predicate_id"
    " EXCEPT SELECT predicate_id, sum(facts) FROM triples_predicatetally GROUP BY predicate_id) AS miscounted"
)
_SUBJECTS = "SELECT count(DISTINCT subject_id) FROM triples_triple"
_MIGRATIONS = "SELECT app, name FROM django_migrations"


class Contents(NamedTuple):
    facts: int
    terms: int
    keys: int
    rules: int

    def __str__(self) -> str:
        return f"{self.facts:,} facts, {self.terms:,} terms, {self.keys:,} keys and {self.rules:,} rules"


def count_contents(fetch: Fetch) -> Contents:
    """Count everything. Call it within one transaction, so that all numbers are of one moment."""
    [counts] = fetch(_COUNTS)
    return Contents(*counts)


def require_sound(fetch: Fetch) -> Contents:
    """Count a restored database. Raises Damaged when it contradicts itself or is of a newer version."""
    contents = count_contents(fetch)
    [tallied] = fetch(_TALLIED)
    [(subjects,)] = fetch(_SUBJECTS)
    if tuple(map(int, tallied)) != (contents.facts, subjects):
        raise Damaged(
            f"The backup contradicts itself: {contents.facts:,} facts of {subjects:,} subjects, but its totals say "
            f"{tallied[0]:,} of {tallied[1]:,}."
        )
    migrations = fetch(_MIGRATIONS)
    if any(app == "triples" and name.endswith("_predicatetally") for app, name in migrations):
        _require_counts_by_predicate(fetch, contents.facts)
    loader = MigrationLoader(None)
    unknown = [f"{app}.{name}" for app, name in migrations if _is_unknown(loader, app, name)]
    if unknown:
        raise Damaged(f"The backup is of a newer version of the service: this one knows no {', '.join(unknown)}.")
    return contents


def _require_counts_by_predicate(fetch: Fetch, facts: int) -> None:
    [(tallied,)] = fetch(_TALLIED_BY_PREDICATE)
    [(miscounted,)] = fetch(_MISCOUNTED)
    if int(tallied) != facts or miscounted:
        raise Damaged(
            f"The backup contradicts itself: its totals say {int(tallied):,} facts by predicate, of {facts:,}, and are "
            f"wrong of {miscounted:,} predicates."
        )


def _is_unknown(loader: MigrationLoader, app: str, name: str) -> bool:
    """Migrations of an app that was removed do not count: the service does not use their tables."""
    assert loader.disk_migrations is not None
    return app in loader.migrated_apps and (app, name) not in loader.disk_migrations
