"""Who waits for this host's turn to write, as the kernel tells it.

Asking the kernel costs those who wait nothing, and sees everybody: keys are written in the same queue.
"""

from pathlib import Path

from triples.store.turns import lock_file

_LOCKS = Path("/proc/locks")


def others_wait() -> bool:
    """Whether somebody waits for the write lock, which the caller holds; True where the kernel does not tell."""
    try:
        inode = lock_file().stat().st_ino
        found = [line.split() for line in _LOCKS.read_text().splitlines() if f":{inode} " in line]
    except OSError:
        return True
    # Behind each lock stand those who wait for it, marked by an arrow. Where not even the caller's own is in the
    # list, it is not the list of this system's locks.
    return not found or any("->" in words for words in found)
