"""The folder of the state beside the database, which every process of the service opens at its start."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skg_site.env import Settings, SettingsError
from skg_site.host.files import denial, owned, user_of

ROOT = 0


@contextmanager
def state_opened(env: Settings) -> Iterator[None]:
    """For the block that makes the folder, or what is in it. Raises SettingsError if that is not possible.

    It is not for root if the database is another user's: the service, which runs as that user, could not read what root
    makes there, such as inferred facts.
    """
    try:
        if os.geteuid() == ROOT:
            _require_root_owns(env.db_path, env.state_dir)
        env.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        told = f"{error.filename}: {error.strerror}.{denial(error)}"
        raise SettingsError(f"SKG_DB_PATH needs a folder for the state beside it. {told}") from error


def _require_root_owns(*paths: Path) -> None:
    for path in paths:
        owner = path.stat().st_uid if path.exists() else ROOT
        if owner != ROOT:
            name = user_of(owner)
            sudo = f"#{owner}" if name == str(owner) else name
            raise SettingsError(
                f"{owned(path)}. What root makes there, {name} could not read. Run this as {name}: sudo -u '{sudo}' …"
            )
