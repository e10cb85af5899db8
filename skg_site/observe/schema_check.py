"""A check that the tables of the database are those of this code, neither older nor newer."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


def schema_fault() -> str | None:
    """A sentence for the operator if migrations are missing, or unknown ones are applied; otherwise None."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        first = missing[0][0]
        text = f"{len(missing)} are not applied, the first of them {first.app_label} {first.name}."
        return f"Of the migrations, {text} manage.py migrate applies them."
    return newer_schema(executor.loader)


def newer_schema(loader: MigrationLoader) -> str | None:
    """A sentence for the operator if newer code has migrated the database; otherwise None."""
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    unknown = sorted(set(loader.applied_migrations).difference(known))
    if not unknown:
        return None
    app, name = unknown[0]
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return (
        f"The database was migrated by a newer version of this code ({app} {name}{more}). Run that version, or restore "
        "a backup from before it."
    )
