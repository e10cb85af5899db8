"""The API key of a command that calls a service."""

import os
import sys
from pathlib import Path

from django.core.management import CommandError

from skg_site.cli.exit_codes import FAILED, MISUSED

KEY_VARIABLE = "API_KEY"
STANDARD_INPUT = Path("-")
KEY_FILE_HELP = f"a file that holds the key, - for standard input (default: the variable {KEY_VARIABLE})"


def read_key(file: Path | None) -> str | None:
    """The key in the file or, without one, in the variable; None where the variable is empty. Raises CommandError."""
    if file is None:
        text, source = os.environ.get(KEY_VARIABLE, ""), f"The variable {KEY_VARIABLE}"
        if not text:
            return None
    else:
        source = str(file) if str(file).isprintable() else ascii(str(file))
        text = _read(file, source)
    # Editors on Windows begin a file with a byte order mark.
    text = text.removeprefix("\ufeff").strip()
    if not (text and text.isprintable() and text.isascii()):
        raise CommandError(f"{source} does not hold a key.", returncode=MISUSED)
    return text


def require_key(file: Path | None) -> str:
    """The same for a service that takes nothing without a key."""
    key = read_key(file)
    if key is None:
        raise CommandError(f"The variable {KEY_VARIABLE} does not hold a key.", returncode=MISUSED)
    return key


def _read(file: Path, source: str) -> str:
    try:
        return sys.stdin.read() if file == STANDARD_INPUT else file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror}.", returncode=FAILED) from None
