"""Documents as Databricks sends them, and ways to spoil them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

# How long an example takes says more about what else the machine does than about us.
unhurried = settings(deadline=None)

FIXTURES = Path(__file__).parent.parent / "fixtures"

DOCUMENTED = json.loads((FIXTURES / "get-endpoint.json").read_text())

LISTED = {
    "name": "churn",
    "id": "28d5152d0be2477c8c871f1998585b19",
    "creator": "ann@example.com",
    "creator_display_name": "Ann",
    "creator_kind": "User",
    "creation_timestamp": 1779139587000,
    "last_updated_timestamp": 1780454744000,
    "description": "",
    "route_optimized": False,
    "permission_level": "CAN_MANAGE",
    "usage_policy_id": "0d1c7b3a-5b7e-4f0a-9d6e-1f2a3b4c5d6e",
    "tags": [{"key": "team", "value": "growth"}, {"key": "tier-1"}],
    "state": {
        "ready": "READY",
        "config_update": "NOT_UPDATING",
        "suspend": "NOT_SUSPENDED",
        "system_update_failure": False,
    },
    "config": {
        "served_entities": [
            {
                "name": "churn-3",
                "entity_name": "ml.prod.churn",
                "entity_version": "3",
                "type": "UC_MODEL",
            }
        ],
        "served_models": [
            {
                "name": "churn-3",
                "model_name": "ml.prod.churn",
                "model_version": "3",
                "type": "UC_MODEL",
            }
        ],
    },
}

FIRST_DEPLOYMENT = {
    "name": "churn",
    "id": "2938319d953c40f5919f2f3bf944a68a",
    "creator": "ann@example.com",
    "creator_kind": "User",
    "creator_display_name": "Ann",
    "creation_timestamp": 1738743336000,
    "last_updated_timestamp": 1738743336000,
    "permission_level": "CAN_MANAGE",
    "route_optimized": False,
    "resource_credential_strategy": "EMBEDDED_CREDENTIALS",
    "description": "",
    "state": {"ready": "NOT_READY", "config_update": "IN_PROGRESS", "suspend": "NOT_SUSPENDED"},
    "pending_config": {
        "config_version": 1,
        "start_time": 1738743336000,
        "served_entities": [
            {
                "name": "churn-3",
                "entity_name": "ml.prod.churn",
                "entity_version": "3",
                "workload_size": "Small",
                "workload_type": "CPU",
                "scale_to_zero_enabled": True,
                "type": "UC_MODEL",
                "creator": "ann@example.com",
                "creation_timestamp": 1738743336000,
                "environment_vars": {"KEY": "{{secrets/scope/key}}", "MODE": "fast"},
                "state": {
                    "deployment": "DEPLOYMENT_CREATING",
                    "deployment_state_message": "Creating resources for served entity.",
                },
            }
        ],
        "traffic_config": {
            "routes": [
                {
                    "served_model_name": "churn-3",
                    "served_entity_name": "churn-3",
                    "traffic_percentage": 100,
                }
            ]
        },
    },
}

EXTERNAL = {
    "name": "gpt-proxy",
    "id": "aa38319d953c40f5919f2f3bf944a68a",
    "endpoint_type": "EXTERNAL_MODEL",
    "task": "llm/v1/chat",
    "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
    "config": {
        "config_version": 2,
        "served_entities": [
            {
                "name": "gpt-4o",
                "type": "EXTERNAL_MODEL",
                "external_model": {
                    "provider": "openai",
                    "name": "gpt-4o",
                    "task": "llm/v1/chat",
                    "openai_config": {"openai_api_key": "{{secrets/llm/openai}}"},
                },
            }
        ],
    },
}

FOUNDATION = {
    "name": "databricks-meta-llama",
    "endpoint_type": "FOUNDATION_MODEL_API",
    "task": "llm/v1/chat",
    "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
    "config": {
        "served_entities": [
            {
                "name": "databricks-meta-llama",
                "type": "FOUNDATION_MODEL",
                "foundation_model": {
                    "name": "system.ai.llama",
                    "display_name": "Meta Llama",
                    "price": "0.5",
                },
            }
        ]
    },
}

SAMPLES = [DOCUMENTED, LISTED, FIRST_DEPLOYMENT, EXTERNAL, FOUNDATION]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["true", "100", "READY", "NaN", "9" * 30, 10**400, -1, float("inf")]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or an index into it."""
    found: list[tuple[Any, Any]] = []
    entries = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in entries:
        found.append((document, key))
        found.extend(places(value))
    return found


@st.composite
def spoiled(draw: st.DrawFn, samples: list[Any] | None = None) -> Any:
    """A sample after one to four injuries: dropped, null, retyped, nested or stringified values."""
    document = copy.deepcopy(draw(st.sampled_from(samples or SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        spots = places(document)
        if not spots:
            break
        container, key = draw(st.sampled_from(spots))
        match draw(st.sampled_from(["drop", "null", "retype", "nest", "list", "text", "add"])):
            case "drop":
                del container[key]
            case "null":
                container[key] = None
            case "retype":
                container[key] = draw(json_values)
            case "nest":
                container[key] = {"value": container[key]}
            case "list":
                container[key] = [container[key], None]
            case "text":
                container[key] = json.dumps(container[key], default=str)
            case "add" if isinstance(container, dict):
                container[draw(st.text())] = draw(json_values)
    return document
