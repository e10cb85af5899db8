"""Processes of this machine."""

import os
import signal

# For commands that run next to the service: answering its clients is more urgent.
_NICENESS = 10


# The signals that stop a worker. SIGTERM lets the requests under way finish; the others give them a second.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It belongs to another user.
        return True
    return True


def lower_priority() -> None:
    os.nice(_NICENESS)
