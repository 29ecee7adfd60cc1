"""The one place that reads credentials, from variables, files or profiles, and makes clients.

Each workspace named in WORKSPACES has its own variables, WORKSPACE_<NAME>_HOST, _TOKEN and so on;
a value can be in a file instead, named by the same variable with _FILE behind it. The one
workspace that DATABRICKS_HOST or a profile configures signs in by Databricks' usual variables.
"""

import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from endpoints_app.databricks_api import Credentials, Transport, WorkspaceClient, errors

log = logging.getLogger(__name__)

VERSION = "0.1.0"

VARIABLES = {
    "HOST": "host",
    "TOKEN": "token",
    "CLIENT_ID": "client_id",
    "CLIENT_SECRET": "client_secret",
    "PROFILE": "profile",
    "CONFIG_FILE": "config_file",
    "AZURE_TENANT_ID": "azure_tenant_id",
    "AZURE_CLIENT_ID": "azure_client_id",
    "AZURE_CLIENT_SECRET": "azure_client_secret",
    "AZURE_RESOURCE_ID": "azure_workspace_resource_id",
    "AUTH_TYPE": "auth_type",
}
"""WORKSPACE_<NAME>_<key> → field of Credentials."""

_lock = threading.Lock()
_clients: dict[str, WorkspaceClient] = {}


def client_for(workspace: str) -> WorkspaceClient:
    """The client of a configured workspace, made on first use and kept for the process.

    Raises NotConfigured, also for a workspace that the settings no longer name: its credentials
    would be those of another one.
    """
    if workspace not in settings.WORKSPACES:
        raise errors.NotConfigured(f"{workspace} is not among the configured workspaces.")
    with _lock:
        if workspace not in _clients:
            try:
                credentials = credentials_for(workspace)
            except ImproperlyConfigured as e:
                raise errors.NotConfigured(str(e)) from None
            _clients[workspace] = WorkspaceClient(Transport(credentials, version=VERSION))
        return _clients[workspace]


def warm() -> None:
    """Sign in to every workspace in the background: the first call of a process would otherwise
    wait for seconds. What goes wrong here goes wrong again, and is told, where it matters."""
    for workspace in settings.WORKSPACES:
        threading.Thread(target=_sign_in, args=(workspace,), name="warm-up", daemon=True).start()


def _sign_in(workspace: str) -> None:
    try:
        client_for(workspace).sign_in()
    except errors.DatabricksError as e:
        log.info("%s: no sign-in ahead of time: %s", workspace, e)


def forget() -> None:
    """Make clients anew, with what the environment says now."""
    with _lock:
        for client in _clients.values():
            client.close()
        _clients.clear()


def credentials_for(workspace: str) -> Credentials:
    """Raises ImproperlyConfigured with a sentence that names the variable, never its value."""
    if _ambient():
        return Credentials(ambient=True)
    prefix = _prefix(workspace)
    given = {field: text for key, field in VARIABLES.items() if (text := _value(prefix + key))}
    if not {"host", "profile"} & given.keys():
        raise ImproperlyConfigured(
            f"{prefix}HOST or {prefix}PROFILE must be set: WORKSPACES names {workspace}."
        )
    ways = [way for way in ("token", "client_secret", "azure_client_secret") if way in given]
    if not ways and "profile" not in given and "auth_type" not in given:
        raise ImproperlyConfigured(
            f"{prefix}TOKEN, {prefix}CLIENT_ID with {prefix}CLIENT_SECRET, or {prefix}PROFILE "
            f"must be set: without one nobody can sign in to {workspace}."
        )
    if len(ways) > 1 and "auth_type" not in given:
        named = " and ".join(prefix + way.upper() for way in ways)
        raise ImproperlyConfigured(f"{named} are two ways to sign in to {workspace}; keep one.")
    return Credentials(ambient=False, **given)


def read_configuration() -> None:
    """Read every workspace's variables, so that a mistake stops the start. Raises
    ImproperlyConfigured, also where two workspaces would read the same variable."""
    owners: dict[str, str] = {}
    for workspace in settings.WORKSPACES:
        if not _ambient():
            for variable in _variables(workspace):
                if (owner := owners.setdefault(variable, workspace)) != workspace:
                    raise ImproperlyConfigured(
                        f"WORKSPACES names {owner} and {workspace}, which would both read "
                        f"{variable}. Rename one of them."
                    )
        credentials_for(workspace)


def host_for(workspace: str) -> str:
    """The workspace's address for links into Databricks' own pages, or "" where only a profile
    or a file knows it."""
    variable = "DATABRICKS_HOST" if _ambient() else f"{_prefix(workspace)}HOST"
    host = os.environ.get(variable, "").strip()
    if host and "://" not in host:
        host = f"https://{host}"
    return host.rstrip("/")


def _ambient() -> bool:
    """Whether the one workspace there is signs in by Databricks' usual variables."""
    return not os.environ.get("WORKSPACES", "").strip()


def _prefix(workspace: str) -> str:
    return f"WORKSPACE_{re.sub('[^A-Z0-9]', '_', workspace.upper())}_"


def _variables(workspace: str) -> Iterator[str]:
    for key in VARIABLES:
        yield f"{_prefix(workspace)}{key}"
        yield f"{_prefix(workspace)}{key}_FILE"


def _value(variable: str) -> str:
    text = os.environ.get(variable, "").strip()
    if text:
        return text
    path = os.environ.get(f"{variable}_FILE", "").strip()
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ImproperlyConfigured(f"{variable}_FILE names a file that cannot be read.") from e
