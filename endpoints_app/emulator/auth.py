"""Credentials: a personal access token, and OAuth tokens for one service principal.

OAuth tokens carry their own expiry and a signature, so that they outlive a restart as real ones
do and nothing has to be kept.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from endpoints_app.emulator.errors import unauthenticated
from endpoints_app.emulator.routing import Call, Route, as_response
from endpoints_app.emulator.world import Caller

DEMO_TOKEN = "dapi-demo"  # noqa: S105 - opens nothing but this emulator
DEMO_CLIENT_ID = "5f3c1a52-0d0e-4b6e-9a44-6d1f0b7c2e10"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEMO_CLIENT_SECRET = "dose-demo"  # noqa: S105 - opens nothing but this emulator


@dataclass
class Credentials:
    """What opens this workspace. `token_life` is how many seconds an OAuth token is valid."""

    token: str = DEMO_TOKEN
    client_id: str = DEMO_CLIENT_ID
    client_secret: str = DEMO_CLIENT_SECRET
    token_life: int = 3600

    def issue(self, now: float) -> str:
        return self._signed(int(now) + self.token_life)

    def caller(self, request: Request, now: float) -> Caller:
        """Who sends this request; a missing, unknown or expired credential is refused."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise unauthenticated()
        if hmac.compare_digest(token.encode(), self.token.encode()):
            return USER
        if not self.issued(token, now):
            raise unauthenticated()
        return Caller("7052418893217", self.client_id, "serving-desk", "ServicePrincipal")

    def issued(self, token: str, now: float) -> bool:
        """Whether it is an OAuth token of ours that is still valid."""
        expiry = token.partition("-")[2].partition("-")[0]
        return (
            expiry.isdecimal()
            and hmac.compare_digest(token.encode(), self._signed(int(expiry)).encode())
            and int(expiry) > now
        )

    def _signed(self, expiry: int) -> str:
        key, text = self.client_secret.encode(), f"{self.client_id}/{expiry}".encode()
        return f"oauth-{expiry}-{hmac.new(key, text, hashlib.sha256).hexdigest()[:40]}"


USER = Caller("4181627793042", "ops@example.com", "Ops Demo", "User")


def host_discovery(call: Call) -> dict[str, Any]:
    """Asked for by the SDK whenever it builds a configuration."""
    return {
        "oidc_endpoint": f"{_host(call)}/oidc",
        "workspace_id": call.emulator.workspace_id,
        "cloud": "AWS",
    }


def oidc_discovery(call: Call) -> dict[str, Any]:
    oidc = f"{_host(call)}/oidc"
    return {
        "issuer": oidc,
        "authorization_endpoint": f"{oidc}/v1/authorize",
        "token_endpoint": f"{oidc}/v1/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def token(call: Call) -> dict[str, Any] | Response:
    """Client credentials, by HTTP Basic or in the form; or the exchange of a token that is still
    valid for one that opens the data plane of a route-optimized endpoint."""
    form, basic = call.request.form, call.request.authorization
    credentials, now = call.emulator.credentials, call.emulator.world.now()
    if form.get("grant_type") == JWT_BEARER:
        if not credentials.issued(form.get("assertion", ""), now):
            return _oauth_error(401, "invalid_grant")
        return _token(credentials, now)
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(400, "unsupported_grant_type")
    client_id = form.get("client_id") or (basic.username if basic else None)
    secret = form.get("client_secret") or (basic.password if basic else None)
    if (client_id, secret) != (credentials.client_id, credentials.client_secret):
        return _oauth_error(401, "invalid_client")
    return _token(credentials, now)


def _token(credentials: Credentials, now: float) -> dict[str, Any]:
    return {
        "access_token": credentials.issue(now),
        "token_type": "Bearer",
        "expires_in": credentials.token_life,
        "scope": "all-apis",
    }


def me(call: Call) -> Response:
    caller = call.caller
    response = as_response(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": caller.id,
            "userName": caller.name,
            "displayName": caller.display_name,
            "active": True,
            "emails": (
                [{"value": caller.name, "type": "work", "primary": True}]
                if caller.kind == "User"
                else []
            ),
            "groups": [
                {"display": name, "value": str(number), "type": "direct"}
                for number, name in enumerate(("users", "ml-platform"), start=300)
            ],
            "entitlements": [{"value": "workspace-access"}],
            "roles": [],
        }
    )
    response.headers["X-Databricks-Org-Id"] = call.emulator.workspace_id
    return response


def _host(call: Call) -> str:
    return call.request.host_url.rstrip("/")


def _oauth_error(status: int, error: str) -> Response:
    response = as_response({"error": error, "error_description": "Client authentication failed"})
    response.status_code = status
    return response


ROUTES = [
    Route("GET", "/.well-known/databricks-config", host_discovery, open=True),
    Route("GET", "/oidc/.well-known/oauth-authorization-server", oidc_discovery, open=True),
    Route("POST", "/oidc/v1/token", token, open=True),
    Route("GET", "/api/2.0/preview/scim/v2/Me", me),
]
