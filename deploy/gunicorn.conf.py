"""gunicorn's configuration; everything comes from the SKG_* variables.

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

from skg_site.env import SettingsError, current  # noqa: E402  # the line above makes it importable
from skg_site.host.files import keep_files_private  # noqa: E402
from skg_site.host.metrics_folder import VARIABLE, prepare_metrics_folder  # noqa: E402
from skg_site.observe.logging import configure  # noqa: E402
from skg_site.state_folder import state_opened  # noqa: E402

# For the master, and for the workers that it forks.
keep_files_private()
try:
    env = current()
    with state_opened(env):
        prepare_metrics_folder(env.state_dir)
except SettingsError as error:
    sys.exit(str(error))

# The master logs in the workers' format, to the same place.
configure({"level": env.log_level, "format": env.log_format})
logger_class = "skg_site.server.worker.Log"
loglevel = env.log_level.lower()
errorlog = None
# The service itself logs each request.
accesslog = None

chdir = str(ROOT)
_ports = [env.port] if env.metrics_port is None else sorted({env.port, env.metrics_port})
bind = [f"[{env.host}]:{port}" if ":" in env.host else f"{env.host}:{port}" for port in _ports]
# Longer than a proxy keeps its idle connections (60 s in nginx), so that a proxy never reuses a closed one.
keepalive = 75

worker_class = "skg_site.server.worker.Worker"
workers = env.workers
reload = env.reload
# Each worker loads the application, because it needs its own database connections, threads and event loop.
preload_app = False
max_requests = env.max_requests
# Spreads the replacement of workers over time.
max_requests_jitter = env.max_requests // 10
# A worker whose event loop hangs this long is replaced.
timeout = 30
# Shorter than the 30 s after which Kubernetes and systemd kill, longer than a request may take.
graceful_timeout = 25
# Workers touch a heartbeat file once a second, which must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # gunicorn makes its files there safely
# gunicornc's socket would be in the user's home.
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Removes the counts of an earlier start, before the first worker starts."""
    from skg_site.server.worker import guard_forks  # noqa: PLC0415  # loads the server, which reads the settings above

    guard_forks()
    # After USR2, the workers of the old master go on counting.
    if "GUNICORN_PID" not in os.environ:
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)
        prepare_metrics_folder(env.state_dir)


def on_exit(server: Any) -> None:
    """Frees the shared memory, unless the workers of another master use it (USR2)."""
    if not server.reexec_pid:
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)


def worker_int(_worker: Any) -> None:
    """Ends the worker; the reloader's thread calls this when the code has changed."""
    os.kill(os.getpid(), signal.SIGTERM)


def child_exit(_server: Any, worker: Any) -> None:
    """Removes the gauges of a worker that has ended."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415  # needs the variable above

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library has no types here
