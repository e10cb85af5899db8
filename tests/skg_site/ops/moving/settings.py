"""How the service is started on the database that its graph has moved to."""

from typing import Any

_SQLITE = "sqlite:///"


def settings_for(url: str) -> dict[str, Any]:
    """By field name."""
    if url.startswith(_SQLITE):
        return {"db_path": url.removeprefix(_SQLITE), "database_url": ""}
    return {"database_url": url}
