"""Moving a log aside that does not belong to the database, which can then be opened without it."""

from datetime import UTC, datetime
from pathlib import Path

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.sqlite.file_guard import is_served, why_not
from triples.store.sqlite.file_identity import index_of, log_of


def set_log_aside(database: Path) -> Path | None:
    """Move the log aside and return its new path. None if it belongs to the database; then nothing is changed."""
    if is_served():
        raise UnfitDatabase("The service runs. Stop it, then try again.")
    if why_not(str(database)) is None:
        return None
    kept = database.with_name(f"{database.name}.log-aside-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    log, index = Path(log_of(database)), Path(index_of(database))
    if log.exists():
        log.replace(kept)
    index.unlink(missing_ok=True)
    return kept
