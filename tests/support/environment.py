"""The SKG_* variables that tests run with: all of them, so that nothing of the developer's own is read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skg_site.env import PREFIX, Settings
from skg_site.host.metrics_folder import VARIABLE

# Its SHA-256 is SKG_API_KEY_HASH in the processes that tests start.
SECRET_KEY = "tests-sign-with-this-key-that-is-long-enough-for-anybody"


def setting_text(value: Any) -> str:
    """A setting's value as it is written in the environment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return str(value)


def default_texts() -> dict[str, str]:
    """Every variable with its default, as text; empty where the default is nothing."""
    return {
        PREFIX + name.upper(): setting_text(field.get_default(call_default_factory=True, validated_data={}))
        for name, field in Settings.model_fields.items()
    }


def service_variables(folder: Path, **overrides: Any) -> dict[str, str]:
    """The variables of a service that keeps its data in `folder`; overrides by field name."""
    chosen = {
        "db_path": folder / "skg.db",
        "secret_key": SECRET_KEY,
        "allowed_hosts": ["testserver", "localhost", "127.0.0.1", "[::1]"],
        "rate_limit": 0,
        "workers": 1,
    } | overrides
    variables = default_texts() | {PREFIX + name.upper(): setting_text(value) for name, value in chosen.items()}
    # The one setting whose "nothing" is not an empty text; the same port means the same thing.
    variables["SKG_METRICS_PORT"] = variables["SKG_METRICS_PORT"] or variables["SKG_PORT"]
    return variables


def process_environment(variables: Mapping[str, str], *, measured: bool = False) -> dict[str, str]:
    """This process's environment with these SKG_* variables instead of its own, and metrics beside the database.

    `measured` counts the process in the coverage, for code that no test runs in its own process. Measuring takes as
    long again as what is measured; and where a signal handler raises, it can do so while the coverage's own lock is
    taken, and wait for it for ever.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name != VARIABLE and (measured or not name.startswith("COVERAGE_"))
    }
    if database := variables.get("SKG_DB_PATH"):
        kept[VARIABLE] = str(Path(database).parent / "metrics")
    return kept | dict(variables)
