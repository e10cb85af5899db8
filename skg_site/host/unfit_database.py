"""A database that the service must not work with, whatever asks for it."""

from django.db import OperationalError


class UnfitDatabase(OperationalError):
    """The message is a sentence that says what is wrong and what to do; it names no path, since clients read it too."""

    # After which a client may try again.
    retry_after_seconds = 1
