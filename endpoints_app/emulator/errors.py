"""What the workspace refuses, and how it says so on the wire."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer other than 200, in the shape of the platform: `{"error_code", "message"}`.

    Clients of the platform rebuild the HTTP status from `error_code`, so it is always one of its
    known strings. The missing credential is the one exception: recorded as the number 401.
    """

    def __init__(self, status: int, error_code: str | int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message

    def document(self) -> dict[str, Any]:
        return {"error_code": self.error_code, "message": self.message}


def invalid(message: str) -> Refusal:
    return Refusal(400, "INVALID_PARAMETER_VALUE", message)


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BAD_REQUEST", message)


def unauthenticated() -> Refusal:
    return Refusal(401, 401, "Credential was not sent or was of an unsupported type for this API.")


def forbidden(message: str) -> Refusal:
    return Refusal(403, "PERMISSION_DENIED", message)


def no_such_endpoint(name: str) -> Refusal:
    return Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")


def no_such_route(method: str, path: str) -> Refusal:
    return Refusal(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'.")


def name_taken(name: str) -> Refusal:
    return Refusal(409, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{name}' already exists.")


def too_many(message: str) -> Refusal:
    return Refusal(429, "REQUEST_LIMIT_EXCEEDED", message)


def busy(name: str) -> Refusal:
    return Refusal(
        409,
        "RESOURCE_CONFLICT",
        "Endpoint served entities are currently being updated. "
        f"Please wait for the update of '{name}' to complete and try again.",
    )
