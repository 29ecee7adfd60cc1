"""`make run`: everything on this machine, from nothing to a dashboard in a browser.

Prepares the database, static files and accounts under VAR_DIR, then keeps the processes up until
Ctrl-C. Without a configured workspace two emulated ones stand in.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import re
import secrets
import socket
import sys
from pathlib import Path

from dashboard import programs
from dashboard.hello import Hello
from dashboard.keeper import keep, say
from dashboard.programs import BASE_DIR, Programs

VAR_DIR = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").expanduser().resolve()
DEMO_WORKSPACES = {"prod-eu": 1, "ml-lab": 2}  # name → seed
CONFIGURES_A_WORKSPACE = ("WORKSPACES", "DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE")


def main() -> None:
    try:
        VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        sys.exit("VAR_DIR must be a directory that can be written to.")
    _only_one_here()
    env = os.environ
    bind = env.get("BIND", "").strip() or "127.0.0.1"
    port = _port(bind)
    env |= {"VAR_DIR": str(VAR_DIR), "EMBEDDED": "on", "PYTHONUNBUFFERED": "1"}

    ground: Programs = {}
    demo = not any(env.get(name, "").strip() for name in CONFIGURES_A_WORKSPACE)
    if demo:
        ground |= _emulators()
    if not env.get("REDIS_URL", "").strip():
        ground["redis"] = _redis()
    desk = programs.dashboard(bind=bind, port=port, var_dir=VAR_DIR)

    _prepare()
    if demo:
        _name_policies()
    hello = Hello(port=port, var_dir=VAR_DIR, demo=demo, say=say)
    keep([ground, desk], directory=BASE_DIR, logs=VAR_DIR / "log", pulse=hello)


def _only_one_here() -> None:
    """Two copies may run side by side, but not on the same files."""
    lock = os.open(VAR_DIR / "lock", os.O_CREAT | os.O_RDWR, 0o600)  # held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"Another copy runs on {VAR_DIR}. Set VAR_DIR and PORT to run a second one.")


def _port(bind: str) -> int:
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        sys.exit("PORT must be a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, int(text)))
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                sys.exit(f"Port {text} is taken. Set PORT to another one.")
            sys.exit(
                "BIND must be an address of this machine, and PORT one that you may listen on."
            )
    return int(text)


def _emulators() -> Programs:
    """Two local workspaces, and the variables that point the dashboard at them."""
    scale = os.environ.get("EMULATOR_TIME_SCALE", "").strip() or "0.2"
    if not re.fullmatch(r"\d+(\.\d+)?", scale):
        sys.exit("EMULATOR_TIME_SCALE must be a number such as 0.2.")
    token = secrets.token_hex(16)
    os.environ |= {
        "DEMO": "on",
        "WORKSPACES": " ".join(DEMO_WORKSPACES),
        "EMULATOR_TOKEN": token,
        # Nothing here is anybody's: its status page may be looked at without an account.
        "STATUS_PAGE_ACCESS": os.environ.get("STATUS_PAGE_ACCESS", "").strip() or "public",
    }
    emulators = {}
    for name, seed in DEMO_WORKSPACES.items():
        port = programs.free_port()
        prefix = f"WORKSPACE_{name.upper().replace('-', '_')}"
        os.environ |= {f"{prefix}_HOST": f"http://127.0.0.1:{port}", f"{prefix}_TOKEN": token}
        # Databricks publishes none; the emulator has one, so that it can be tried.
        os.environ.setdefault(
            f"{prefix}_BUDGET_POLICY_CALL",
            "PATCH /api/2.0/serving-endpoints/{name}/budget-policy",
        )
        state = VAR_DIR / f"emulator-{name}.json"
        emulators[f"emulator-{name}"] = programs.emulator(
            port=port, seed=seed, time_scale=scale, state=state
        )
    return emulators


def _name_policies() -> None:
    """Databricks tells their names to account admins only: a setting has them."""
    from django.core.management import call_command

    said = io.StringIO()
    for seed in DEMO_WORKSPACES.values():
        call_command("run_emulator", seed=seed, policies=True, stdout=said)
    os.environ.setdefault("BUDGET_POLICY_NAMES", said.getvalue())


def _redis() -> list[str]:
    server = programs.redis_server()
    if server is None:
        sys.exit(
            "No Redis was found. Install your system's redis-server package, or set REDIS_URL."
        )
    port, password = programs.free_port(), secrets.token_hex(16)
    os.environ["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port}/0"
    return programs.redis(server, port=port, password=password, directory=VAR_DIR)


def _prepare() -> None:
    """Database, static files, accounts. A bad setting ends the start here, with its sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        call_command("migrate", verbosity=0)
        _collect_static()
        call_command("make_accounts")
    except (ImproperlyConfigured, CommandError) as e:
        sys.exit(str(e))


def _collect_static() -> None:
    """Compressing them takes longer than all else, so it is done when they have changed."""
    from django.core.management import call_command

    digest = hashlib.sha256((BASE_DIR / "requirements" / "run.txt").read_bytes())
    for path in sorted((BASE_DIR / "static").rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(BASE_DIR)}\n".encode() + path.read_bytes())
    stamp = VAR_DIR / "static.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
