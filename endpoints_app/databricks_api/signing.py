"""Headers for the requests to one workspace, in the time that the caller has."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from . import background, unified_auth
from .credentials import Credentials
from .errors import DatabricksError, NotConfigured, Sent, TimedOut

if TYPE_CHECKING:
    from databricks.sdk.config import Config

# Seconds. A sign-in that hangs for longer is left behind and started anew; each time we wait twice
# as long, so that a token service that never answers does not collect a thread per minute.
PATIENCE: Final = 60.0
MAX_PATIENCE: Final = 600.0
# A 401 makes us sign in anew, but not at every look at a workspace that refuses us for good.
DISTRUST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request needs to be ours: where it goes and what it carries."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    attempt: int


class Signer:
    """Signs for one workspace with an SDK configuration that is built on first use and kept.

    The SDK may block for as long as a token service does, so that it works in the background, and
    all who need headers meanwhile wait for the same work, each until a deadline of its own.

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
        self._distrusted_at = float("-inf")

    def sign(self, *, seconds: float) -> Signed:
        """Headers, within the given time; a token is fetched or refreshed where that is due.

        Raises NotConfigured, Unauthenticated, NeverOpened, Unavailable or TimedOut, all of them
        with nothing sent to the workspace itself.
        """
        work = self._current()
        try:
            return work.result(timeout=max(0.0, seconds))
        except TimeoutError:
            error: DatabricksError = TimedOut("The sign-in did not finish in time.", sent=Sent.NO)
        except DatabricksError as failure:
            # A copy for each who waited, without the way it came, where variables hold secrets.
            error = copy.copy(failure)
        raise error

    def distrust(self, signed: Signed) -> bool:
        """Forget a sign-in that the workspace refused; False when that was done a moment ago."""
        with self._lock:
            if signed.attempt != self._attempt:
                return True  # somebody else was refused as well and was quicker
            now = time.monotonic()
            if now < self._distrusted_at + DISTRUST_PAUSE:
                return False
            self._distrusted_at = now
            self._start_over()
            return True

    def _start_over(self) -> None:
        self._attempt += 1
        self._config = None
        self._work = None

    def _current(self) -> Future[Signed]:
        """The work in hand, or new work."""
        with self._lock:
            now = time.monotonic()
            if self._work is not None and self._work.done():
                self._patience = PATIENCE
            elif self._work is not None:
                if now < self._abandon_at:
                    return self._work
                self._start_over()
                self._patience = min(self._patience * 2, MAX_PATIENCE)
            self._abandon_at = now + self._patience
            attempt, config = self._attempt, self._config
            self._work = background.start(
                lambda: self._sign(attempt, config), name="databricks-sign-in"
            )
            return self._work

    def _sign(self, attempt: int, config: Config | None) -> Signed:
        """Raises nothing but DatabricksError."""
        secrets = unified_auth.given_secrets(self._credentials)
        try:
            if config is None:
                unified_auth.log_filter.hide(self._credentials, (*secrets, *self._host()))
                config = unified_auth.build(self._credentials, version=self._version)
                with self._lock:
                    if attempt == self._attempt:
                        self._config = config
            secrets = unified_auth.configured_secrets(config)
            headers = config.authenticate()
        except Exception as failure:  # noqa: BLE001  # the SDK raises whatever it met
            error = unified_auth.explain(failure, self._credentials, secrets=secrets)
        else:
            return self._signed(config, headers, attempt)
        # Outside the handler: the original quotes requests and answers, and must not come along.
        raise error

    def _signed(self, config: Config, headers: Mapping[str, str], attempt: int) -> Signed:
        tokens = (value.rpartition(" ")[2] for value in headers.values())
        secrets = (*unified_auth.configured_secrets(config), *tokens)
        base_url = unified_auth.base_url(config.host)
        unified_auth.log_filter.hide(self._credentials, (*secrets, urlsplit(base_url).netloc))
        if any(not re.fullmatch("[ -~]*", value) for value in headers.values()):
            # http.client would refuse it as well, and quote it.
            raise NotConfigured("The credential holds characters that no header can carry.")
        extra = {"User-Agent": config.user_agent}
        if config.workspace_id:
            extra["X-Databricks-Workspace-Id"] = config.workspace_id
        return Signed(base_url, {**extra, **headers}, secrets, attempt)

    def _host(self) -> list[str]:
        host = self._credentials.host
        return [urlsplit(unified_auth.base_url(host)).netloc] if host else []
