"""Temporary folders in memory: most of a test's time on disk would be spent in fsync, which few tests are about."""

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
# What a whole run needs at most at once; a container may have been given less.
NEEDED_BYTES = 3 * 2**30
# The temporary folder that is on a disk, for tests whose subject is one.
DISK = Path("/var/tmp")


def use_memory() -> None:
    """Let this process and those that it starts make their temporary folders in memory, where there is enough."""
    if "TMPDIR" in os.environ or not os.access(SHARED_MEMORY, os.W_OK):
        return
    if shutil.disk_usage(SHARED_MEMORY).free >= NEEDED_BYTES:
        os.environ["TMPDIR"] = str(SHARED_MEMORY)
        # It may have been looked up already.
        tempfile.tempdir = None
