"""Other settings for a process that has the project loaded: after a fork, from its own environment."""

import sys
from importlib import import_module, reload
from typing import Any


def read_settings_anew() -> None:
    """Take on the settings of this process's environment, in place of those that the project was set up with."""
    from django.conf import Settings, settings
    from django.core.cache import caches
    from django.db import connections

    from skg_site.env import SettingsError, current

    current.cache_clear()
    try:
        reload(import_module("skg_site.settings"))
    except SettingsError as error:
        # As gunicorn's configuration and `manage.py` end with it.
        sys.exit(str(error))
    settings._wrapped = Settings("skg_site.settings")
    handlers: list[Any] = [connections, caches]
    for handler in handlers:
        handler.__dict__.clear()
        handler.__init__()
