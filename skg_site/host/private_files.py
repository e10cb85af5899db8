"""Files that nobody else may read: facts, keys' digests, the signing key, and what is kept beside them."""

import os

# 0600 for files and 0700 for folders, also for those that libraries make: SQLite, DuckDB, prometheus_client.
PRIVATE_UMASK = 0o077


def keep_files_private() -> None:
    """Close what this process and its children make to everybody but its user, whatever the umask was."""
    os.umask(PRIVATE_UMASK)
