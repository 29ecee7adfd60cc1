"""The calls we make to a workspace, one method each.

A `deadline` is in seconds and covers the whole call. Every method raises DatabricksError, whose
subclasses are drawn in errors.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

from .answers import Reply, items_of
from .errors import BadRequest, Nonsense, Sent
from .transport import Transport
from .wire import Endpoint
from .wire_events import Event
from .wire_list import Listing
from .wire_logs import LogText, parts_of, tail_of
from .wire_metrics import Sample, samples_of
from .wire_permissions import Me, PermissionLevel, Permissions

T = TypeVar("T")

ENDPOINTS: Final = "/api/2.0/serving-endpoints"
PERMISSIONS: Final = "/api/2.0/permissions/serving-endpoints"
INVOCATIONS: Final = "/serving-endpoints"
ME: Final = "/api/2.0/preview/scim/v2/Me"

LogName = Literal["build-logs", "logs"]
"""What building an entity's environment said; what its server process said lately."""

CONFIG_VERSION_IN: Final[Literal["query", "body"]] = "query"
"""Where a log's `config_version` goes: in the query in public code that calls it; the documentation
shows the body of a GET."""


class WorkspaceClient:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        self._transport.close()

    def sign_in(self, *, deadline: float = 30.0) -> None:
        """Sign in ahead of the first call, which then need not wait for it."""
        self._transport.sign_in(deadline=deadline)

    def list_endpoints(self, *, deadline: float = 20.0) -> Listing:
        """All endpoints that we may see, with the few fields that a list carries."""
        return Listing(self._transport.read_whole(ENDPOINTS, deadline=deadline))

    def get_endpoint(self, name: str, *, deadline: float = 10.0) -> Endpoint:
        """Raises DoesNotExist only where the workspace itself says RESOURCE_DOES_NOT_EXIST."""
        endpoint = Endpoint.parse(self._transport.read(_path(name), deadline=deadline))
        if endpoint.name != name:
            raise Nonsense("The answer is not that endpoint.", status=200)
        return endpoint

    def stop_endpoint(self, name: str, *, deadline: float = 30.0) -> None:
        """Ask for a stop, in one request; that it was accepted is all that a return means."""
        self._transport.write("POST", _path(name) + "/config:stop", deadline=deadline)

    def start_endpoint(self, name: str, *, deadline: float = 30.0) -> None:
        """Ask for a start, in one request; that it was accepted is all that a return means."""
        self._transport.write("POST", _path(name) + "/config:start", deadline=deadline)

    def delete_endpoint(self, name: str, *, deadline: float = 30.0) -> None:
        """Ask for the deletion, in one request; that it was accepted is all that a return means."""
        self._transport.write("DELETE", _path(name), deadline=deadline)

    # ── permissions, by endpoint id ─────────────────────────────────────────────────────────────

    def get_permissions(self, endpoint_id: str, *, deadline: float = 10.0) -> Permissions:
        """The live access control list, inherited entries included."""
        answer = self._transport.read(_path(endpoint_id, under=PERMISSIONS), deadline=deadline)
        if "access_control_list" not in answer and "object_id" not in answer:
            # Read as an empty list it would say that nobody holds anything.
            raise Nonsense("The answer is not an access control list.", status=200)
        items_of(answer, "access_control_list")
        return Permissions.parse(answer)

    def get_permission_levels(
        self, endpoint_id: str, *, deadline: float = 10.0
    ) -> tuple[PermissionLevel, ...]:
        """The levels that can be granted, with Databricks' own description of each."""
        path = _path(endpoint_id, under=PERMISSIONS) + "/permissionLevels"
        return PermissionLevel.parse_all(self._transport.read(path, deadline=deadline))

    def patch_permissions(
        self, endpoint_id: str, grants: Iterable[Mapping[str, str]], *, deadline: float = 30.0
    ) -> None:
        """Grant what is listed, in one request; who is not listed keeps what they hold.

        A grant is `permission_level` with one of `user_name`, `group_name` and
        `service_principal_name`.
        """
        self._write_permissions("PATCH", endpoint_id, grants, deadline)

    def put_permissions(
        self, endpoint_id: str, grants: Iterable[Mapping[str, str]], *, deadline: float = 30.0
    ) -> None:
        """Replace all direct grants, in one request; who is not listed loses theirs."""
        self._write_permissions("PUT", endpoint_id, grants, deadline)

    def get_me(self, *, deadline: float = 10.0) -> Me:
        """The principal that our credentials belong to."""
        me = Me.parse(self._transport.read(ME, deadline=deadline))
        if not me.user_name:
            raise Nonsense("The answer does not say who we are.", status=200)
        return me

    # The budget policy --------------------------------------------------------------------------

    def set_budget_policy(
        self, method: str, path: str, name: str, policy_id: str, *, deadline: float = 30.0
    ) -> None:
        """Attach a policy to an endpoint, in one request, by a call that Databricks does not
        publish: `path` has {name} in it. The body is that of the published twin for Vector Search
        (SDK)."""
        path = path.replace("{name}", _segment(name))
        self._transport.write(method, path, deadline=deadline, body={"budget_policy_id": policy_id})

    # Logs of one served entity; without a config version of the active one ----------------------

    def logs(
        self,
        name: str,
        served: str,
        which: LogName,
        *,
        keep: int,
        config_version: int | None = None,
        deadline: float = 10.0,
    ) -> LogText:
        """The last `keep` characters. However much the workspace sends, little more is held."""
        path = _log_path(name, served, which)
        return self._logs(path, lambda it: tail_of(it, keep=keep), config_version, deadline)

    def save_logs(
        self,
        name: str,
        served: str,
        which: LogName,
        write: Callable[[Iterator[str]], T],
        *,
        config_version: int | None = None,
        deadline: float = 60.0,
    ) -> T:
        """`write` gets the whole text part by part; where an attempt broke off, from the beginning
        again."""
        path = _log_path(name, served, which)
        return self._logs(path, lambda it: write(parts_of(it)), config_version, deadline)

    # The query schema ---------------------------------------------------------------------------

    def get_openapi(self, name: str, *, deadline: float = 10.0, most: int = 8_000_000) -> bytes:
        """The OpenAPI document of an endpoint, as it comes: the SDK asks for plain text and reads
        it unparsed. More than `most` bytes are Nonsense."""
        path = f"{_path(name)}/openapi"
        return self._transport.read_raw(path, deadline=deadline, accept="text/plain", most=most)

    # Metrics ------------------------------------------------------------------------------------

    def export_metrics(
        self, name: str, *, deadline: float = 10.0, most: int = 4_000_000
    ) -> tuple[Sample, ...]:
        """What the endpoint exported of the last minute; nothing is an answer too. More than
        `most` bytes, and text that is none of Prometheus', are Nonsense. Asked once: where the
        workspace wants to be left alone, the minute is better missed."""
        path = f"{_path(name)}/metrics"
        body = self._transport.read_raw(
            path, deadline=deadline, accept="text/plain", most=most, insist=False
        )
        return samples_of(body)

    # Events -------------------------------------------------------------------------------------

    def get_events(self, name: str, *, deadline: float = 10.0) -> tuple[Event, ...]:
        """What the workspace noted of an endpoint, the newest first. In no reference, but used by
        Databricks' feature engineering package; a 404 or 403 means that there are none for us."""
        return Event.parse_all(self._transport.read(f"{_path(name)}/events", deadline=deadline))

    # Requests to a model ------------------------------------------------------------------------

    def query(
        self,
        name: str,
        body: Mapping[str, Any],
        *,
        served: str = "",
        deadline: float = 60.0,
        most: int = 1_000_000,
    ) -> Reply:
        """Ask the endpoint, or one served entity of it, once. The header `served-model-name` of
        the answer says who answered (SDK)."""
        path = _path(name, under=INVOCATIONS)
        if served:
            path += _path(served, under="/served-models")
        return self._transport.post(f"{path}/invocations", deadline=deadline, body=body, most=most)

    def _logs(
        self,
        path: str,
        take: Callable[[Iterator[bytes]], T],
        config_version: int | None,
        deadline: float,
    ) -> T:
        body = None
        if config_version is not None:
            if CONFIG_VERSION_IN == "query":
                path += f"?config_version={config_version}"
            else:
                body = {"config_version": config_version}
        return self._transport.read_through(path, take, deadline=deadline, body=body)

    def _write_permissions(
        self, method: str, endpoint_id: str, grants: Iterable[Mapping[str, str]], deadline: float
    ) -> None:
        body = {"access_control_list": [dict(grant) for grant in grants]}
        path = _path(endpoint_id, under=PERMISSIONS)
        self._transport.write(method, path, deadline=deadline, body=body)


def _path(name: str, under: str = ENDPOINTS) -> str:
    """The address of an endpoint."""
    return f"{under}/{_segment(name)}"


def _segment(name: str) -> str:
    """A name or id is somebody else's text and stays one segment of an address."""
    # A dot segment would be resolved on the way, whatever its encoding.
    if name in ("", ".", ".."):
        raise BadRequest("This name cannot be addressed.", sent=Sent.NO)
    try:
        return quote(name, safe="")
    except UnicodeEncodeError:
        raise BadRequest("This name cannot be addressed.", sent=Sent.NO) from None


def _log_path(name: str, served: str, which: LogName) -> str:
    return f"{_path(served, under=_path(name) + '/served-models')}/{which}"
