"""The SKG_* variables that tests run with: all of them, so that nothing of the developer's own is read."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skg_site.env import PREFIX, Settings
from skg_site.host.metrics_folder import VARIABLE

# The settings that the code reads where it uses them, not where its modules are loaded: a process that has the project
# loaded can take on others.
READ_WHEN_USED = frozenset(
    f"{PREFIX}{name.upper()}"
    for name in (
        *("db_path", "database_url", "redis_url", "cache_ttl", "pool_timeout", "query_timeout", "backup_dir"),
        *("host", "port", "metrics_port", "workers", "max_requests", "body_timeout", "trusted_proxies"),
        *("api_key_hash", "rate_limit", "secret_key", "allowed_hosts", "certificates"),
        *("import_disk", "export_timeout", "max_inferred"),
        *("recursion_memory", "recursion_disk", "recursion_timeout", "recursion_threads"),
    )
)

# What a process takes on after it was forked.
OF_ONE_PROCESS = {*READ_WHEN_USED, VARIABLE, "PYTEST_CURRENT_TEST"}

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


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that is not counted in the coverage."""
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}


def process_environment(variables: Mapping[str, str], *, measured: bool = False) -> dict[str, str]:
    """This process's environment with these SKG_* variables instead of its own, and metrics beside the database.

    `measured` counts the process in the coverage, for code that no test runs in its own process. Measuring takes as
    long again as what is measured; and where a signal handler raises, it can do so while the coverage's own lock is
    taken, and wait for it for ever.
    """
    given = os.environ if measured else unmeasured(os.environ)
    kept = {name: value for name, value in given.items() if not name.startswith(PREFIX) and name != VARIABLE}
    if database := variables.get("SKG_DB_PATH"):
        kept[VARIABLE] = str(Path(database).parent / "metrics")
    return kept | dict(variables)


def loads_as_usual(environment: Mapping[str, str]) -> bool:
    """True if the project's modules, once loaded, are the same as with every setting at its default."""
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    usual = default_texts()
    return (
        given.keys() == usual.keys()
        and given["SKG_PORT"] == given["SKG_METRICS_PORT"]
        and re.match("postgresql://|$", given["SKG_DATABASE_URL"]) is not None
        and all(given[name] == usual[name] for name in usual.keys() - READ_WHEN_USED)
    )


def loading_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the modules are loaded in for processes of this environment: nothing that may differ among them is its."""
    usual = service_variables(folder)
    own_metrics_port = environment.get("SKG_METRICS_PORT") != environment.get("SKG_PORT")
    usual["SKG_METRICS_PORT"] = "1" if own_metrics_port else usual["SKG_PORT"]
    usual["SKG_DATABASE_URL"] = "postgresql://localhost/none" if environment.get("SKG_DATABASE_URL") else ""
    return (
        {name: value for name, value in environment.items() if name not in OF_ONE_PROCESS}
        | {name: usual[name] for name in READ_WHEN_USED}
        | {VARIABLE: str(folder / "metrics")}
    )
