"""Failures of a copy from one database to another."""

from skg_site.cli.failures import Failure


class CopyFailure(Failure):
    """The copy cannot be made, or not be finished. The source is as it was."""


class StoppedTooLong(Exception):
    """Writers have waited for as long as they may; the copy has to catch up more before they are stopped again."""
