"""Ids that are the same for the same parts."""

from __future__ import annotations

import hashlib
import uuid


def new_id(*parts: object) -> str:
    """32 hex digits."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]


def new_uuid(*parts: object) -> str:
    return str(uuid.UUID(new_id(*parts)))


def budget_policy(domain: str, team: str) -> str:
    return new_uuid("budget policy", domain, team)
