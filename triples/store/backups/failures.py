"""Failures of a backup or a restore."""

from skg_site.cli.exit_codes import DAMAGED
from skg_site.cli.failures import Failure


class BackupFailure(Failure):
    """The backup or the restore cannot be done."""


class Damaged(BackupFailure):
    """The backup is not what was saved, or cannot be restored."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, DAMAGED)
