"""The signals that end a worker."""

import signal

# SIGTERM lets the requests under way finish; the others give them a second.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
