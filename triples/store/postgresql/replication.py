"""The replicas that the settings name, once for the process."""

from django.conf import settings

from triples.store.postgresql.connections import location
from triples.store.postgresql.replicas import Replica, Replicas


def _replicas() -> Replicas | None:
    aliases = [alias for alias in settings.DATABASES if alias.startswith("replica_")]
    if not aliases:
        return None
    return Replicas([Replica(alias, f"{alias} ({_place(alias)})") for alias in aliases])


def _place(alias: str) -> str:
    found = location(alias=alias)
    return ":".join(str(found[part]) for part in ("host", "port") if found.get(part)) or "local"


REPLICAS = _replicas()
