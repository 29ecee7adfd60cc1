"""The calls we make to a workspace, one method each.

A `deadline` is in seconds and covers the whole call. Every method raises DatabricksError, whose
subclasses are drawn in errors.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from .errors import BadRequest, Nonsense, Sent
from .transport import Transport
from .wire import Endpoint, objects
from .wire_permissions import Me, PermissionLevel, Permissions

ENDPOINTS: Final = "/api/2.0/serving-endpoints"
PERMISSIONS: Final = "/api/2.0/permissions/serving-endpoints"
ME: Final = "/api/2.0/preview/scim/v2/Me"


class WorkspaceClient:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        self._transport.close()

    def sign_in(self, *, deadline: float = 30.0) -> None:
        """Sign in ahead of the first call, which then need not wait for it."""
        self._transport.sign_in(deadline=deadline)

    def list_endpoints(self, *, deadline: float = 20.0) -> tuple[Endpoint, ...]:
        """All endpoints that we may see, with the few fields that a list carries.

        An item without a name cannot be addressed and is left out.
        """
        answer = self._transport.read(ENDPOINTS, deadline=deadline)
        items = _items(answer, "endpoints")
        parsed = (Endpoint.parse(item) for item in objects(items))
        return tuple(endpoint for endpoint in parsed if endpoint.name)

    def get_endpoint(self, name: str, *, deadline: float = 10.0) -> Endpoint:
        """Raises DoesNotExist only where the workspace itself says RESOURCE_DOES_NOT_EXIST."""
        endpoint = Endpoint.parse(self._transport.read(_path(name), deadline=deadline))
        if not endpoint.name:
            raise Nonsense("The answer is not an endpoint.", status=200)
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
        _items(answer, "access_control_list")
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

    def _write_permissions(
        self, method: str, endpoint_id: str, grants: Iterable[Mapping[str, str]], deadline: float
    ) -> None:
        body = {"access_control_list": [dict(grant) for grant in grants]}
        path = _path(endpoint_id, under=PERMISSIONS)
        self._transport.write(method, path, deadline=deadline, body=body)


def _path(name: str, under: str = ENDPOINTS) -> str:
    """The address of an endpoint; a name or id is somebody else's text and stays one segment."""
    # A dot segment would be resolved on the way, whatever its encoding.
    if name in ("", ".", ".."):
        raise BadRequest("This name cannot be addressed.", sent=Sent.NO)
    try:
        return f"{under}/{quote(name, safe='')}"
    except UnicodeEncodeError:
        raise BadRequest("This name cannot be addressed.", sent=Sent.NO) from None


def _items(answer: Mapping[str, Any], key: str) -> list[Any]:
    """The list under `key`, which may be absent when it is empty."""
    items = answer.get(key)
    if items is None:
        return []
    if not isinstance(items, list):
        # Read as an empty list it would say that everything is gone.
        raise Nonsense(f"{key!r} in the answer is not a list.", status=200)
    return items
