"""The person at the terminal: asked before anything is destroyed, and named in the records."""

import getpass
import os
import sys

from django.core.management import CommandError

from skg_site.cli.exit_codes import FAILED


def confirm(question: str, *, refusal: str, yes_means: str = "does it") -> None:
    """Return if the answer is yes. Otherwise raise CommandError: with `refusal`, or because there is no terminal."""
    if not sys.stdin.isatty():
        raise CommandError(f"Nobody is there to be asked; --yes {yes_means} without asking.", returncode=FAILED)
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError(refusal, returncode=FAILED)


def user_name() -> str:
    """The name of the user who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user id that has no name.
        return str(os.getuid())
