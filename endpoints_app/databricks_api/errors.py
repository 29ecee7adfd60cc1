"""What can go wrong between us and a workspace.

DatabricksError
├── NotConfigured            no usable credentials, or more than one kind of them
├── Unreachable              no answer
│   ├── NeverOpened          refused, unknown host, TLS failure, no connection in time
│   ├── Lost                 the connection broke before the answer was complete
│   └── TimedOut             the deadline of the call passed
├── RedirectRefused          an answer that points elsewhere: a login page, a portal
├── Nonsense                 a success whose body is not what the call promises, or too large
├── Refused                  a definite no: what was asked for did not happen
│   ├── BadRequest
│   │   └── InvalidState
│   ├── Unauthenticated
│   ├── PermissionDenied
│   ├── DoesNotExist         RESOURCE_DOES_NOT_EXIST, and nothing else
│   ├── NotKnown             any other 404: an unknown path, a proxy's page, the data plane's
│   ├── Conflict
│   └── Throttled
└── ServerError              the platform failed; what was asked for may have happened
    ├── Internal
    ├── Unavailable
    └── Gateway              somebody in between gave up waiting
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Sent(StrEnum):
    """Whether the workspace may have acted on the request."""

    NO = "no"  # no connection was opened, or the request was turned away by a 429
    MAYBE = "maybe"  # it left and nobody told us what became of it
    YES = "yes"  # it was answered, definitely


class DatabricksError(Exception):
    """A call that did not bring what was asked for.

    `message` is for people and comes from outside: one line of at most 500 characters, without
    control characters and with credentials masked. `code` is Databricks' own where it sent one
    (numbers as their digits), else empty. `retry_after` is in seconds. `retryable` says that the
    same request may succeed later although nobody changes anything.
    """

    sent_by_default: ClassVar[Sent] = Sent.MAYBE
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        sent: Sent | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.sent = sent or self.sent_by_default

    def __str__(self) -> str:
        head = " ".join(part for part in (str(self.status or ""), self.code) if part)
        return ": ".join(part for part in (head, self.message) if part) or type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class NotConfigured(DatabricksError):
    sent_by_default = Sent.NO


class Unreachable(DatabricksError):
    retryable = True


class NeverOpened(Unreachable):
    sent_by_default = Sent.NO


class Lost(Unreachable):
    pass


class TimedOut(Unreachable):
    pass


class RedirectRefused(DatabricksError):
    pass


class Nonsense(DatabricksError):
    retryable = True


class Refused(DatabricksError):
    sent_by_default = Sent.YES


class BadRequest(Refused):
    pass


class InvalidState(BadRequest):
    pass


class Unauthenticated(Refused):
    pass


class PermissionDenied(Refused):
    pass


class DoesNotExist(Refused):
    pass


class NotKnown(Refused):
    pass


class Conflict(Refused):
    pass


class Throttled(Refused):
    retryable = True


class ServerError(DatabricksError):
    retryable = True


class Internal(ServerError):
    pass


class Unavailable(ServerError):
    pass


class Gateway(ServerError):
    pass
