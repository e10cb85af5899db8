"""Where the processes of one service count together: in memory.

A file that is mapped into memory and for a new page of which the disk has no room left ends the process that writes
there (SIGBUS): a full disk would end every worker, again and again, where all that is wrong is that nothing can be
stored.
"""

import os
from hashlib import blake2b
from pathlib import Path
from stat import S_ISDIR

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # what others have made there is not used
# prometheus_client reads this when it is first imported.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def prepare_metrics_folder(state_dir: Path) -> None:
    """Name the folder in the environment, for this process and those that it starts, unless the operator has."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(_own_folder(state_dir) or state_dir / "metrics")
    Path(os.environ[VARIABLE]).mkdir(mode=0o700, parents=True, exist_ok=True)


def _own_folder(state_dir: Path) -> Path | None:
    """The folder of this user's processes of the service with this state, if there is such memory."""
    name = blake2b(str(state_dir.resolve()).encode(), digest_size=8).hexdigest()
    folder = SHARED_MEMORY / f"skg-{os.getuid()}-{name}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    return folder if S_ISDIR(found.st_mode) and found.st_uid == os.getuid() else None
