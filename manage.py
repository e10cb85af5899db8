#!/usr/bin/env python
"""The command line of the service: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line

from skg_site.cli.arguments import with_dashes_kept
from skg_site.env import SettingsError
from skg_site.host.files import keep_files_private
from skg_site.host.unfit_database import UnfitDatabase


def main() -> None:
    keep_files_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skg_site.settings")
    try:
        execute_from_command_line(with_dashes_kept(sys.argv))
    except (SettingsError, UnfitDatabase) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
