"""A check of a PostgreSQL database's encoding: only UTF8 can hold any text."""

from typing import Any

from skg_site.host.unfit_database import UnfitDatabase

_NEEDED = "UTF8"


def require_utf8(driver: Any) -> None:
    """Raise UnfitDatabase if a connection's database has another encoding, which the server reports unasked."""
    found = driver.info.parameter_status("server_encoding")
    if found != _NEEDED:
        raise UnfitDatabase(
            f"The PostgreSQL database is encoded in {found}, which cannot hold every text; the service needs UTF8. "
            "Make another database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it in "
            "SKG_DATABASE_URL."
        )
