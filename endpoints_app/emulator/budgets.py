"""Budget policies (serverless usage policies): which there are, and which an endpoint has.

Databricks publishes no call that changes the policy of an endpoint. The one here is the twin of
the one of its Vector Search, so that a console can be shown to change it.
"""

from __future__ import annotations

import uuid
from typing import Any

from endpoints_app.emulator import documents, fleet, identity
from endpoints_app.emulator.companies import load
from endpoints_app.emulator.errors import bad_request, invalid
from endpoints_app.emulator.routing import BASE, Call, Route

PAGE = 100


def policies(call: Call) -> dict[str, Any]:
    """The account's: each team has one, and there is one for whoever has none."""
    call_args = call.request.args
    size, begin = call_args.get("page_size", str(PAGE)), call_args.get("page_token", "0")
    if not (size.isdecimal() and begin.isdecimal()):
        raise invalid("page_size and page_token must be numbers.")
    company = call.emulator.options.company or fleet.company_for(call.emulator.world.seed)
    listed = [
        {
            "policy_id": policy,
            "policy_name": team,
            "custom_tags": [{"key": "team", "value": team}],
            "binding_workspace_ids": [int(call.emulator.workspace_id)],
        }
        for policy, team in names(company).items()
    ]
    end = int(begin) + max(1, min(int(size), PAGE))
    document: dict[str, Any] = {"policies": listed[int(begin) : end]}
    if end < len(listed):
        document["next_page_token"] = str(end)
    if int(begin):
        document["previous_page_token"] = str(max(0, int(begin) - int(size)))
    return document


def names(company: str) -> dict[str, str]:
    """The ids of a company's policies, each with its name, which is its team's."""
    found = load(company)
    teams = {"default", *found.teams, *(part.team for part in found.parts)} - {""}
    return {identity.budget_policy(found.domain, team): team for team in sorted(teams)}


def change(call: Call) -> dict[str, Any]:
    """A new policy for an endpoint, or none. Unpublished: see above."""
    world = call.emulator.world
    endpoint = world.managed(call.name)
    sent = call.body().get("budget_policy_id")
    if sent is not None and not is_id(sent):
        raise invalid("budget_policy_id must be a UUID.")
    if endpoint.endpoint_type:
        raise bad_request("Only endpoints whose compute Databricks runs can have a budget policy.")
    endpoint.budget_policy_id = sent or None
    endpoint.updated = world.now()
    world.put(endpoint)
    return documents.detailed(endpoint)


def is_id(sent: Any) -> bool:
    try:
        uuid.UUID(sent)
    except (ValueError, TypeError, AttributeError):
        return sent == ""
    return True


ROUTES = [
    Route("GET", "/api/2.1/accounts/{account}/budget-policies", policies),
    Route("PATCH", f"{BASE}/{{name}}/budget-policy", change),
]
