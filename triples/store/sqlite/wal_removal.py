"""Moving a log aside that is not the database's, so that the database can be opened without it."""

from datetime import UTC, datetime
from pathlib import Path

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.sqlite.file_guard import is_served, why_not
from triples.store.sqlite.file_identity import index_of, log_of


def set_log_aside(database: Path) -> Path | None:
    """Where the log is kept now; None, with nothing changed, where the log and the database belong together."""
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
