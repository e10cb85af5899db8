#!/usr/bin/env python
"""The command line of the service: `python manage.py help` lists what it can do."""

import gc
import os
import sys

from django.core.management import execute_from_command_line

from skg_site.cli.arguments import with_dashes_kept
from skg_site.cli.departed_readers import quiet_end
from skg_site.env import SettingsError
from skg_site.host.files import keep_files_private
from skg_site.host.unfit_database import UnfitDatabase


def main() -> None:
    # What a command loads at its start stays to its end. To look through it for garbage again and again, and once more
    # at the end, takes a third as long as to load it.
    gc.set_threshold(50_000, 20, 50)
    keep_files_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skg_site.settings")
    try:
        with quiet_end():
            execute_from_command_line(with_dashes_kept(sys.argv))
    except (SettingsError, UnfitDatabase) as error:
        sys.exit(str(error))
    finally:
        # DuckDB would report what is left of it at the end.
        if "_duckdb" not in sys.modules:
            gc.freeze()


if __name__ == "__main__":
    main()
