"""Who we are to a workspace, by the SDK's unified authentication: headers and their refresh."""

from __future__ import annotations

import configparser
import logging
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from . import background
from .causes import chain, why
from .errors import (
    DatabricksError,
    NeverOpened,
    NotConfigured,
    Sent,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from .masking import MaskFilter, one_line

if TYPE_CHECKING:
    from databricks.sdk.config import Config

PRODUCT: Final = "serving-desk"

# Seconds. Host discovery obeys them; the SDK's token requests have no timeout of their own, so
# that everything it does runs in the background and is waited for until the caller's deadline.
HTTP_TIMEOUT: Final = 5
RETRY_TIMEOUT: Final = 1  # zero would mean the SDK's own five minutes
# What hangs for longer is left behind and started anew; each time we wait twice as long, so that
# a token service that never answers does not collect a thread per minute.
PATIENCE: Final = 60.0
MAX_PATIENCE: Final = 600.0
# A 401 makes us sign in anew, but not at every look of a workspace that refuses us for good.
DISTRUST_PAUSE: Final = 60.0

log_filter: Final = MaskFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to sign in to one workspace; the fields are those of the SDK's configuration.

    Nothing else is looked at: neither the environment nor the default profile, which may be
    another workspace's. `ambient=True` lets the SDK fill in what is missing from both, for the one
    workspace of a process that is configured by the usual variables (DATABRICKS_HOST …).

    `config_file` is only read for a `profile` (default: ~/.databrickscfg).
    """

    host: str | None = None
    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    azure_tenant_id: str | None = None
    azure_client_id: str | None = None
    azure_client_secret: str | None = field(default=None, repr=False)
    azure_workspace_resource_id: str | None = None
    azure_environment: str | None = None
    account_id: str | None = None
    workspace_id: str | None = None
    discovery_url: str | None = None
    profile: str | None = None
    config_file: str | None = None
    auth_type: str | None = None
    ambient: bool = False

    def __post_init__(self) -> None:
        for name in _attributes():
            value = getattr(self, name)
            # What comes out of a file ends in a newline, and an empty variable means an unset one.
            object.__setattr__(self, name, (value or "").strip() or None)

    def given(self) -> dict[str, str]:
        """The fields that are set, as arguments of the SDK's configuration."""
        return {name: getattr(self, name) for name in _attributes() if getattr(self, name)}


def _attributes() -> list[str]:
    return [item.name for item in fields(Credentials) if item.name != "ambient"]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request needs to be ours: where it goes and what it carries."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    attempt: int


class Signer:
    """Headers for one workspace, from an SDK configuration that is built on first use and kept.

    Safe to use from several threads. Not to be taken through a fork: make a new one there.
    """

    def __init__(self, credentials: Credentials, *, version: str) -> None:
        self._credentials = credentials
        self._version = version
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._work: Future[Signed] | None = None
        self._attempt = 0
        self._patience = PATIENCE
        self._abandon_at = 0.0
        self._trusted_from = float("-inf")

    def sign(self, *, seconds: float) -> Signed:
        """Headers, within the given time; a token is fetched or refreshed where that is due.

        Raises NotConfigured, Unauthenticated, or, with nothing sent to the workspace, NeverOpened,
        Unavailable or TimedOut.
        """
        work = self._current()
        try:
            return work.result(timeout=max(0.0, seconds))
        except TimeoutError as failure:
            error = (
                _explain(failure, self._credentials)
                if work.done()
                else TimedOut("The sign-in did not finish in time.", sent=Sent.NO)
            )
        except DatabricksError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  # the SDK raises whatever it met
            error = _explain(failure, self._credentials)
        # Outside the handler: the original quotes requests and answers, and must not come along.
        raise error

    def distrust(self, signed: Signed) -> bool:
        """Forget a sign-in that the workspace refused; False when that was done a moment ago."""
        with self._lock:
            if signed.attempt != self._attempt:
                return True  # somebody else was refused as well and was quicker
            now = time.monotonic()
            if now < self._trusted_from + DISTRUST_PAUSE:
                return False
            self._trusted_from = now
            self._start_over()
            return True

    def _start_over(self) -> None:
        self._attempt += 1
        self._config = None
        self._work = None

    def _current(self) -> Future[Signed]:
        """The work in hand, which all callers share, or new work."""
        with self._lock:
            now = time.monotonic()
            if self._work is not None and not self._work.done():
                if now < self._abandon_at:
                    return self._work
                self._start_over()
                self._patience = min(self._patience * 2, MAX_PATIENCE)
            elif self._work is not None:
                self._patience = PATIENCE
            self._abandon_at = now + self._patience
            attempt, config = self._attempt, self._config
            self._work = background.start(
                lambda: self._sign(attempt, config), name="databricks-sign-in"
            )
            return self._work

    def _sign(self, attempt: int, config: Config | None) -> Signed:
        if config is None:
            log_filter.hide(self._credentials, _given_secrets(self._credentials))
            config = _build(self._credentials, version=self._version)
            with self._lock:
                if attempt == self._attempt:
                    self._config = config
        headers = config.authenticate()
        secrets = _secrets(config, headers)
        base_url = _base_url(config.host)
        log_filter.hide(self._credentials, (*secrets, urlsplit(base_url).netloc))
        if any(not re.fullmatch("[ -~]*", value) for value in headers.values()):
            # http.client would refuse it as well, and quote it.
            raise NotConfigured("The credential holds characters that no header can carry.")
        extra = {"User-Agent": config.user_agent}
        if config.workspace_id:
            extra["X-Databricks-Workspace-Id"] = config.workspace_id
        return Signed(base_url, {**extra, **headers}, secrets, attempt)


def _base_url(host: str) -> str:
    """Scheme, host and port alone: people paste what their browser shows, with path and query."""
    parts = urlsplit(host if "://" in host else f"https://{host}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _given_secrets(credentials: Credentials) -> tuple[str, ...]:
    given = credentials.given()
    secrets = [value for name, value in given.items() if name in _KINDS]
    return (*secrets, urlsplit(_base_url(given["host"])).netloc) if "host" in given else (*secrets,)


def _secrets(config: Config, headers: Mapping[str, str]) -> tuple[str, ...]:
    configured = [getattr(config, item.name) for item in config.attributes() if item.sensitive]
    sent = [value.rpartition(" ")[2] for value in headers.values()]
    return tuple({text for text in (*configured, *sent) if text})


# ── building the SDK's configuration ────────────────────────────────────────────────────────────

# What a credential of our own is called in the SDK, by the attribute that gives it away.
_KINDS: Final = {
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


def _build(credentials: Credentials, *, version: str) -> Config:
    given = credentials.given()
    if "host" in given:
        given["host"] = _base_url(given["host"])
    kinds = {name: kind for name, kind in _KINDS.items() if name in given}
    if not credentials.ambient:
        if not given.keys() & {"host", "profile", "azure_workspace_resource_id"}:
            raise NotConfigured("Neither a host nor a profile is configured for this workspace.")
        if not kinds.keys() and not given.keys() & {"profile", "auth_type"}:
            raise NotConfigured(_NOTHING)
        if len(kinds) > 1 and "auth_type" not in given:
            raise NotConfigured(_several({_SDK_METHODS[name] for name in kinds}))

    # Imported here because it costs 1.4 s and 53 MB, which no process should pay that never talks
    # to a workspace, and none before it forks.
    from databricks.sdk.config import Config
    from databricks.sdk.credentials_provider import DefaultCredentials

    _quieten_libraries()
    # Found by the class itself on first use, and only among its own attributes: a subclass that
    # came first would find none.
    Config.attributes()

    class OwnConfig(Config):
        def _load_from_env(self) -> None:
            """The environment may speak of another workspace."""

    class OwnCredentials(DefaultCredentials):
        """Without a name for it, the SDK tries whatever this machine offers anybody."""

        def __call__(self, cfg: Config):  # type: ignore[no-untyped-def]
            if not cfg.auth_type:
                cfg.auth_type = next(
                    (kind for name, kind in _KINDS.items() if getattr(cfg, name)), "unnamed"
                )
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


def _quieten_libraries() -> None:
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("databricks", "requests", "urllib3"):
            logging.getLogger(name).addFilter(log_filter)


# ── naming what went wrong ──────────────────────────────────────────────────────────────────────

_NOTHING: Final = (
    "No credentials are configured: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID with "
    "DATABRICKS_CLIENT_SECRET, or ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, or name a "
    "profile that holds some."
)
_SDK_METHODS: Final = {
    "token": "pat",
    "client_secret": "oauth",
    "azure_client_secret": "azure",
}
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


def _several(methods: set[str]) -> str:
    named = "; ".join(_VARIABLES.get(method, method) for method in sorted(methods))
    return (
        f"More than one way to sign in is configured: {named}. "
        "Keep one, or name the one to use in DATABRICKS_AUTH_TYPE."
    )


def _explain(failure: BaseException, credentials: Credentials) -> DatabricksError:
    """Our error for what the SDK raised while it signed in; its own text may hold credentials."""
    text = str(failure)
    links = chain(failure)
    if found := re.search(r"more than one authorization method configured: ([\w -]+)", text):
        return NotConfigured(_several(set(found[1].split(" and "))))
    if "profile configured" in text:
        return NotConfigured(f"The profile {credentials.profile!r} is not in the profiles file.")
    if "cannot configure default credentials" in text:
        return NotConfigured(_NOTHING)
    if any(isinstance(item, configparser.Error | UnicodeDecodeError) for item in links):
        return NotConfigured("The file of Databricks profiles cannot be read.")
    if any(isinstance(item, PermissionError | FileNotFoundError) for item in links):
        return NotConfigured("A file or program that the sign-in needs cannot be read.")
    for item in links:
        # requests and the SDK derive their errors from OSError.
        if isinstance(item, ValueError) and isinstance(item, OSError):
            return NeverOpened("The workspace did not tell where its tokens are issued.")
        if isinstance(item, OSError):
            return NeverOpened(f"The sign-in could not be reached: {why(failure)}.")
    # The code of an OAuth error and its description; "unknown" stands for an answer without one.
    found = re.match(r"([a-z_]{3,60}): (.*)", text, re.DOTALL)
    if found and found[1] not in ("unknown", "server_error", "temporarily_unavailable"):
        words = one_line(found[2], _given_secrets(credentials))
        return Unauthenticated(words, code=found[1], sent=Sent.NO)
    return Unavailable(f"The sign-in failed ({type(failure).__name__}).", sent=Sent.NO)
