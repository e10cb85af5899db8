"""Whether a PostgreSQL database can hold any text: its encoding must be UTF8."""

from typing import Any

from skg_site.host.unfit_database import UnfitDatabase

_NEEDED = "UTF8"


def require_utf8(driver: Any) -> None:
    """Raise UnfitDatabase if the database of a connection is in another encoding; the server has told it already."""
    found = driver.info.parameter_status("server_encoding")
    if found != _NEEDED:
        raise UnfitDatabase(
            f"The PostgreSQL database is encoded in {found}, which cannot hold every text; the service needs UTF8. "
            "Make another database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it in "
            "SKG_DATABASE_URL."
        )
