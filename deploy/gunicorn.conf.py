"""gunicorn's configuration, all of it from the SKG_* variables.

gunicorn -c deploy/gunicorn.conf.py skg_site.asgi:application
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from skg_site.env import SettingsError, current  # noqa: E402  # found only by the line above
from skg_site.host.files import keep_files_private  # noqa: E402
from skg_site.host.shared_memory import VARIABLE, prepare_metrics_folder  # noqa: E402
from skg_site.observe.logging import configure  # noqa: E402

# Of the master, and of the workers that it forks.
keep_files_private()
try:
    env = current()
except SettingsError as error:
    sys.exit(str(error))

# The master's own lines have the shape of the workers', and go where theirs go.
configure({"level": env.log_level, "format": env.log_format})
logger_class = "skg_site.server.worker.Log"
loglevel = env.log_level.lower()
errorlog = None
# The service writes a line for each request itself.
accesslog = None

chdir = str(ROOT)
_ports = [env.port] if env.metrics_port is None else sorted({env.port, env.metrics_port})
bind = [f"[{env.host}]:{port}" if ":" in env.host else f"{env.host}:{port}" for port in _ports]
# Longer than a proxy keeps its idle connections (60 s in nginx), so that it never reuses one just closed.
keepalive = 75

worker_class = "skg_site.server.worker.Worker"
workers = env.workers
reload = env.reload
# A worker's database connections, threads and event loop must be its own, so each loads the application itself.
preload_app = False
max_requests = env.max_requests
# So that not all workers are replaced in the same moment.
max_requests_jitter = env.max_requests // 10
# A worker whose event loop stands still this long is replaced.
timeout = 30
# Shorter than the 30 s that Kubernetes and systemd give before they kill, longer than a request may take.
graceful_timeout = 25
# Workers touch a file once a second as a sign of life, which must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # gunicorn makes its files there safely
# gunicornc's socket would be made in the user's home.
control_socket_disable = True

prepare_metrics_folder(env.state_dir)


def on_starting(_server: Any) -> None:
    """Forget what the processes of an earlier start counted, before any worker is there."""
    from skg_site.server.worker import guard_forks  # noqa: PLC0415  # loads the server, which reads what stands above

    guard_forks()
    # After USR2 the workers of the old master still count.
    if "GUNICORN_PID" not in os.environ:
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)
        prepare_metrics_folder(env.state_dir)


def on_exit(server: Any) -> None:
    """Give the memory back, unless the workers of another master count there by now (USR2)."""
    if not server.reexec_pid:
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)


def worker_int(_worker: Any) -> None:
    """The reloader's thread calls this when the code has changed, and expects the worker to end."""
    os.kill(os.getpid(), signal.SIGTERM)


def child_exit(_server: Any, worker: Any) -> None:
    """A worker that is gone has nothing in flight."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415  # needs the variable above

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library has no types here
