"""What is known about signing in to a workspace; how it is done is in signing.py."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


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
        for name in _texts():
            # What comes out of a file ends in a newline, and an empty variable means an unset one.
            object.__setattr__(self, name, (getattr(self, name) or "").strip() or None)

    def given(self) -> dict[str, str]:
        """The fields that are set, as arguments of the SDK's configuration."""
        return {name: value for name in _texts() if (value := getattr(self, name))}


def _texts() -> list[str]:
    return [item.name for item in fields(Credentials) if item.name != "ambient"]
