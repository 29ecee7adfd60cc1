"""The SDK's unified authentication, kept to one workspace's own credentials.

The SDK is used for headers and their refresh alone. It is imported when the first configuration is
built: that costs 1.4 s and 53 MB, which no process should pay that never talks to a workspace, and
none before it forks.
"""

from __future__ import annotations

import configparser
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .causes import chain, why
from .credentials import Credentials
from .errors import (
    DatabricksError,
    NeverOpened,
    NotConfigured,
    Sent,
    Unauthenticated,
    Unavailable,
)
from .masking import MaskFilter, one_line

if TYPE_CHECKING:
    from databricks.sdk.config import Config

PRODUCT: Final = "serving-desk"

# Seconds, for host discovery. The SDK's token requests know no timeout at all.
HTTP_TIMEOUT: Final = 5
RETRY_TIMEOUT: Final = 1  # zero would mean the SDK's own five minutes

log_filter: Final = MaskFilter()

# The attribute that gives away which kind of credentials somebody has, and the SDK's name for it.
_AUTH_TYPES: Final = {
    "token": "pat",
    "client_secret": "oauth-m2m",
    "azure_client_secret": "azure-client-secret",
    "password": "basic",
    "oidc_token_filepath": "file-oidc",
    "oidc_token_env": "env-oidc",
    "metadata_service_url": "metadata-service",
    "google_credentials": "google-credentials",
    "google_service_account": "google-id",
}


def build(credentials: Credentials, *, version: str) -> Config:
    """The SDK's configuration, which fetches and refreshes tokens when asked for headers.

    Asks the host where its tokens are issued, and may block for as long as that takes. Raises
    whatever the SDK raises: see `explain`.
    """
    given = credentials.given()
    if "host" in given:
        given["host"] = base_url(given["host"])
    if not credentials.ambient:
        if not given.keys() & {"host", "profile", "azure_workspace_resource_id"}:
            raise NotConfigured("Neither a host nor a profile is configured for this workspace.")
        if not given.keys() & {*_AUTH_TYPES, "profile", "auth_type"}:
            raise NotConfigured(_NOTHING)

    from databricks.sdk.config import Config
    from databricks.sdk.credentials_provider import DefaultCredentials

    _filter_logs()
    # Found by the class itself on first use, and only among its own attributes: a subclass that
    # came first would find none.
    Config.attributes()

    class OwnConfig(Config):
        def _load_from_env(self) -> None:
            """The environment may speak of another workspace."""

    class OwnCredentials(DefaultCredentials):
        """Left without a name, the SDK tries whatever this machine offers to anybody."""

        def __call__(self, cfg: Config):  # type: ignore[no-untyped-def]
            if not cfg.auth_type:
                held = (kind for name, kind in _AUTH_TYPES.items() if getattr(cfg, name))
                cfg.auth_type = next(held, "none")
            return super().__call__(cfg)

    settings: dict[str, Any] = {
        **given,
        "product": PRODUCT,
        "product_version": version,
        "http_timeout_seconds": HTTP_TIMEOUT,
        "retry_timeout_seconds": RETRY_TIMEOUT,
    }
    if credentials.ambient:
        return Config(**settings)
    settings["credentials_strategy"] = OwnCredentials()
    return OwnConfig(**settings)


def base_url(host: str) -> str:
    """Scheme, host and port alone: people paste what their browser shows, with path and query."""
    parts = urlsplit(host if "://" in host else f"https://{host}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def given_secrets(credentials: Credentials) -> tuple[str, ...]:
    return tuple(value for name, value in credentials.given().items() if name in _AUTH_TYPES)


def configured_secrets(config: Config) -> tuple[str, ...]:
    values = (getattr(config, item.name) for item in config.attributes() if item.sensitive)
    return tuple(value for value in values if value)


def _filter_logs() -> None:
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("databricks", "requests", "urllib3"):
            logging.getLogger(name).addFilter(log_filter)


# ── naming what went wrong ──────────────────────────────────────────────────────────────────────

_NOTHING: Final = (
    "No credentials are configured: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID with "
    "DATABRICKS_CLIENT_SECRET, or ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, or name a "
    "profile that holds some."
)

# By the names that the SDK has for them when there are several.
_VARIABLES: Final = {
    "pat": "DATABRICKS_TOKEN",
    "oauth": "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET",
    "azure": "ARM_CLIENT_ID and ARM_CLIENT_SECRET",
    "basic": "DATABRICKS_USERNAME and DATABRICKS_PASSWORD",
    "google": "DATABRICKS_GOOGLE_SERVICE_ACCOUNT or GOOGLE_CREDENTIALS",
    "env-oidc": "DATABRICKS_OIDC_TOKEN_ENV",
    "file-oidc": "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "metadata-service": "DATABRICKS_METADATA_SERVICE_URL",
}


def explain(
    failure: Exception, credentials: Credentials, *, secrets: Iterable[str]
) -> DatabricksError:
    """Our error for what the SDK raised; its own text quotes settings and answers as it likes."""
    if isinstance(failure, DatabricksError):
        return failure
    text = str(failure)
    links = chain(failure)
    if found := re.search(r"more than one authorization method configured: ([\w -]+)", text):
        ways = "; ".join(_VARIABLES.get(way, way) for way in found[1].split(" and "))
        return NotConfigured(
            f"More than one way to sign in is configured: {ways}. "
            "Keep one, or name the one to use in DATABRICKS_AUTH_TYPE."
        )
    if "profile configured" in text:
        return NotConfigured(f"The profile {credentials.profile!r} is not in the profiles file.")
    if "cannot configure default credentials" in text:
        if credentials.profile:
            return NotConfigured(
                f"No credentials are found for the profile {credentials.profile!r}."
            )
        return NotConfigured(_NOTHING)
    if any(isinstance(link, configparser.Error | UnicodeDecodeError) for link in links):
        return NotConfigured("The file of Databricks profiles cannot be read.")
    if any(isinstance(link, PermissionError | FileNotFoundError) for link in links):
        return NotConfigured("A file or program that the sign-in needs cannot be read.")
    # requests and the SDK derive their errors from OSError.
    for link in links:
        if isinstance(link, OSError) and isinstance(link, ValueError):
            return NeverOpened("The workspace did not tell where its tokens are issued.")
        if isinstance(link, OSError):
            return NeverOpened(f"The sign-in could not be reached: {why(failure)}.")
    # The code of an OAuth error and its description; "unknown" stands for an answer without one.
    found = re.match(r"([a-z_]{3,60}): (.*)", text, re.DOTALL)
    if found and found[1] not in ("unknown", "server_error", "temporarily_unavailable"):
        return Unauthenticated(one_line(found[2], secrets), code=found[1], sent=Sent.NO)
    return Unavailable(f"The sign-in failed ({type(failure).__name__}).", sent=Sent.NO)
