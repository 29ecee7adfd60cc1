"""The status page for machines: an allow-list of fields, and none of the workspace's own text but
names."""

from __future__ import annotations

import json
from typing import Any

from endpoints_app.domain.status_page import Item, Page


def text(page: Page) -> str:
    return json.dumps(as_json(page), ensure_ascii=False, separators=(",", ":"))


def as_json(page: Page) -> dict[str, Any]:
    return {
        **age(page),
        "verdict": page.verdict.word,
        "counts": {status.value: number for status, number in page.counts.items()},
        "endpoints": [_endpoint(item) for item in page.items],
    }


def age(page: Page) -> dict[str, Any]:
    return {
        "observed_at": page.observed_at.isoformat() if page.observed_at else None,
        "max_age": int(page.max_age.total_seconds()),
    }


def _endpoint(item: Item) -> dict[str, Any]:
    return {
        "workspace": item.workspace,
        "name": item.name,
        "status": item.status.value,
        "label": item.status.label,
        "serving": item.serving,
        "since": item.since.isoformat(),
    }
