"""The SHA-256 of a backup, in a file next to it that `sha256sum --check` can read."""

import hashlib
from pathlib import Path

from skg_site.cli.progress import Report
from triples.store.backups.failures import Damaged

_BYTES_AT_ONCE = 1 << 20


def sha256(file: Path, report: Report) -> str:
    digest = hashlib.sha256()
    total, done = file.stat().st_size, 0
    with file.open("rb") as source:
        while part := source.read(_BYTES_AT_ONCE):
            digest.update(part)
            done += len(part)
            report("checksum", done, total)
    return digest.hexdigest()


def checksum_line(digest: str, name: str) -> str:
    return f"{digest}  {name}\n"


def require_checksum(file: Path, name: str, line: str, report: Report) -> str:
    """Compute the digest of the file. Raises Damaged unless it is the one in the line of its checksum file."""
    digest = sha256(file, report)
    if line.split()[:1] != [digest]:
        raise Damaged(f"{name} is damaged: its SHA-256 is not the one that was recorded when it was made.")
    return digest
