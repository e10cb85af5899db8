"""Whether the service would start with the settings that a deployment gives it."""

from collections.abc import Mapping
from pathlib import Path

from skg_site import env
from skg_site.env import PREFIX, Settings, load

# What stands in the files of a deployment's secrets.
CONTENTS = {
    "api_key_hash": "sha256:" + "0" * 64,
    "database_direct_url": "postgresql://skg:secret@postgres:5432/skg",
    "database_replica_urls": "postgresql://skg:secret@replica:5432/skg",
    "database_url": "postgresql://skg:secret@postgres:5432/skg",
    "redis_url": "redis://valkey:6379/0",
    "secret_key": "a-signing-key-of-more-than-32-characters",
}
SECRET_FILES = {f"{PREFIX}{name.upper()}_FILE": name for name in env.SECRETS}
# A deployment has these only with a replica or a pooler.
OF_LARGE_ONES = {"SKG_DATABASE_DIRECT_URL_FILE", "SKG_DATABASE_REPLICA_URLS_FILE"}


def settings_from(variables: Mapping[str, str], folder: Path) -> Settings:
    """The settings of a container with these variables; its secrets are files in `folder`."""
    environ = {name: value for name, value in variables.items() if name.startswith(PREFIX)}
    for name in environ.keys() & SECRET_FILES.keys():
        path = folder / name
        path.write_text(CONTENTS[SECRET_FILES[name]] + "\n", encoding="utf-8")
        environ[name] = str(path)
    return load(environ)


def secrets_in(variables: Mapping[str, str]) -> set[str]:
    """Secrets that stand in the environment itself, where every process and every inspection shows them."""
    return {name.removesuffix("_FILE") for name in SECRET_FILES} & variables.keys()
