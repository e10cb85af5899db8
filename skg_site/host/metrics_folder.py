"""The folder of the metrics files, which all processes of one service share: in memory, not on disk.

The files are mapped into memory. When the disk has no room for a new page of such a file, the process that writes to
it is killed (SIGBUS): a full disk would kill every worker, again and again, instead of only failing writes.
"""

import os
from hashlib import blake2b
from pathlib import Path
from stat import S_ISDIR

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder that others made there is not used
# prometheus_client reads this when it is first imported.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def prepare_metrics_folder(state_dir: Path) -> None:
    """Set the folder in the environment of this process and its children, unless the operator has set one."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(_own_folder(state_dir) or state_dir / "metrics")
    Path(os.environ[VARIABLE]).mkdir(mode=0o700, parents=True, exist_ok=True)


def _own_folder(state_dir: Path) -> Path | None:
    """The folder of this user and this state folder; None where there is no shared memory."""
    name = blake2b(str(state_dir.resolve()).encode(), digest_size=8).hexdigest()
    folder = SHARED_MEMORY / f"skg-{os.getuid()}-{name}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    return folder if S_ISDIR(found.st_mode) and found.st_uid == os.getuid() else None
