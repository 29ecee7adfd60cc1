"""What an endpoint has beside its configuration: gateway, limits, notifications, policy, events."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints_app.emulator import Running, serving
from tests.emulator.conftest import Api, Clock

B = "/api/2.0/serving-endpoints"
RUNNING = "basket-recommender"
FOUNDATION = "databricks-meta-llama-3-3-70b-instruct"
LIMITS = [{"calls": 10, "key": "user", "renewal_period": "minute"}]


def put(api: Api, name: str, aspect: str, body: Any) -> Any:
    method = "PATCH" if aspect in ("notifications", "telemetry-config") else "PUT"
    answer = api.request(method, f"{B}/{name}/{aspect}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def events(api: Api, name: str, **params: Any) -> list[dict[str, Any]]:
    answer = api.get(f"{B}/{name}/events", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def test_a_gateway_is_stored_echoed_replaced_and_cleared(api: Api) -> None:
    sent = {
        "usage_tracking_config": {"enabled": True},
        "rate_limits": LIMITS,
        "guardrails": {"input": {"safety": True, "pii": {"behavior": "MASK"}}},
        "inference_table_config": {},
    }
    stored = {key: value for key, value in sent.items() if value}
    assert put(api, RUNNING, "ai-gateway", sent) == stored
    assert api.endpoint(RUNNING)["ai_gateway"] == stored
    assert api.listed()[RUNNING]["ai_gateway"] == stored
    only = {"fallback_config": {"enabled": True}}
    assert put(api, RUNNING, "ai-gateway", only) == only
    assert put(api, RUNNING, "ai-gateway", {}) == {}
    assert "ai_gateway" not in api.endpoint(RUNNING)


def test_rate_limits_are_for_foundation_models_and_not_echoed(api: Api) -> None:
    assert put(api, FOUNDATION, "rate-limits", {"rate_limits": LIMITS}) == {"rate_limits": LIMITS}
    assert "rate_limits" not in api.endpoint(FOUNDATION)
    assert put(api, "embed-multilingual", "rate-limits", {}) == {"rate_limits": []}
    answer = api.put(f"{B}/{RUNNING}/rate-limits", json={"rate_limits": LIMITS})
    assert answer.status_code == 400


def test_notifications_are_echoed_by_name_only(api: Api) -> None:
    mails = {"on_update_failure": ["ops@shop.example"]}
    answer = put(api, RUNNING, "notifications", {"email_notifications": mails})
    assert answer == {"name": RUNNING, "email_notifications": mails}
    assert api.endpoint(RUNNING)["email_notifications"] == mails
    assert "email_notifications" not in api.listed()[RUNNING]


def test_telemetry_can_be_set_and_removed(api: Api) -> None:
    config = {"telemetry_profile_id": "p1"}
    answer = put(api, RUNNING, "telemetry-config", {"telemetry_config": config})
    assert answer["telemetry_config"] == config
    assert api.listed()[RUNNING]["telemetry_config"] == config
    assert "telemetry_config" not in put(api, RUNNING, "telemetry-config", {})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", f"{RUNNING}/ai-gateway", {"unknown": 1}, 400, "INVALID_PARAMETER_VALUE"),
        (
            "PUT",
            f"{RUNNING}/ai-gateway",
            {"rate_limits": [{"renewal_period": "hour", "calls": 1}]},
            400,
            "INVALID_PARAMETER_VALUE",
        ),
        (
            "PATCH",
            f"{RUNNING}/notifications",
            {"email_notifications": {"on_update_success": ["nobody"]}},
            400,
            "INVALID_PARAMETER_VALUE",
        ),
        ("PATCH", "churn/telemetry-config", {}, 409, "RESOURCE_CONFLICT"),
        ("PATCH", "gpt-4o-proxy/telemetry-config", {}, 400, "BAD_REQUEST"),
        ("PATCH", "pricing-sandbox/telemetry-config", {}, 400, "BAD_REQUEST"),
        ("PUT", "kyc-face-match/ai-gateway", {}, 403, "PERMISSION_DENIED"),
        ("PUT", "nobody/ai-gateway", {}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "pt", {"name": "x", "config": {"served_entities": [{"entity_name": "a"}]}}, 400,
         "INVALID_PARAMETER_VALUE"),
        ("PATCH", "gpt-4o-proxy/budget-policy", {"budget_policy_id": ""}, 400, "BAD_REQUEST"),
        ("PATCH", f"{RUNNING}/budget-policy", {"budget_policy_id": "x"}, 400,
         "INVALID_PARAMETER_VALUE"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_refused(
    api: Api, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = api.request(method, f"{B}/{path}", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text


def test_provisioned_throughput_has_paths_of_its_own(api: Api, clock: Clock) -> None:
    entity = {"entity_name": "system.ai.llama", "provisioned_model_units": 50, "name": "llama"}
    config = {"served_entities": [entity | {"burst_scaling_enabled": True}]}
    made = api.post(f"{B}/pt", json={"name": "units", "config": config}).json()
    (pending,) = made["pending_config"]["served_entities"]
    assert pending["provisioned_model_units"] == 50
    assert "burst_scaling_enabled" not in pending
    assert "workload_size" not in pending
    clock.seconds += 3600
    entity["provisioned_model_units"] = 100
    body = {"config": {"served_entities": [entity]}}
    assert api.put(f"{B}/pt/units/config", json=body).status_code == 200
    clock.seconds += 3600
    served = api.endpoint("units")["config"]["served_entities"]
    assert served[0]["provisioned_model_units"] == 100


def test_all_of_it_can_be_given_at_the_beginning(api: Api) -> None:
    aspects = {
        "ai_gateway": {"usage_tracking_config": {"enabled": True}},
        "email_notifications": {"on_update_success": ["ops@shop.example"]},
        "telemetry_config": {"telemetry_profile_id": "p1"},
        "tags": [{"key": "team", "value": "growth"}],
        "budget_policy_id": "2e4d4a4c-93c8-4a51-9a2d-0c5f4c0b7a10",
    }
    assert api.create("new", **aspects).json().items() >= aspects.items()


# Budget policies -------------------------------------------------------------------------------


def test_a_policy_is_set_inherited_or_missing(clock: Clock) -> None:
    with serving(endpoints=100, clock=clock) as workspace, Api(workspace) as api:
        listed = api.listed()
        documents = {name: api.endpoint(name) for name in listed}
        page = api.get("/api/2.1/accounts/acc/budget-policies", params={"page_size": 3}).json()
        policies = page["policies"]
        while token := page.get("next_page_token"):
            params = {"page_size": 3, "page_token": token}
            page = api.get("/api/2.1/accounts/acc/budget-policies", params=params).json()
            policies += page["policies"]
    own = {n: it["budget_policy_id"] for n, it in documents.items() if "budget_policy_id" in it}
    effective = {
        name: it["effective_budget_policy_id"]
        for name, it in documents.items()
        if "effective_budget_policy_id" in it
    }
    assert own.items() <= effective.items()
    assert 0 < len(effective.keys() - own.keys()) < len(documents) - len(own), "some inherit"
    assert {n: it["usage_policy_id"] for n, it in listed.items() if "usage_policy_id" in it} == own
    for name, document in documents.items():
        if document.get("endpoint_type"):
            assert name not in effective, "the compute of others is not ours to pay for"
    known = {policy["policy_id"]: policy["policy_name"] for policy in policies}
    assert set(effective.values()) <= known.keys()
    assert len(known) == len(policies) > 3


def test_a_policy_can_be_changed_and_taken_away(api: Api) -> None:
    policy = "2e4d4a4c-93c8-4a51-9a2d-0c5f4c0b7a10"
    for sent, told in ((policy, policy), ("", None)):
        body = {"budget_policy_id": sent}
        answer = api.patch(f"{B}/{RUNNING}/budget-policy", json=body)
        assert answer.status_code == 200
        assert api.endpoint(RUNNING).get("budget_policy_id") == told


def test_an_external_model_cannot_have_one(api: Api) -> None:
    model = {"provider": "openai", "name": "gpt", "task": "llm/v1/chat"}
    config = {"served_entities": [{"external_model": model}]}
    assert api.create("new", config=config, budget_policy_id="x").status_code == 400


# Events ----------------------------------------------------------------------------------------


def test_what_happens_to_an_endpoint_can_be_read(api: Api, clock: Clock) -> None:
    api.create("new")
    clock.seconds += 600
    api.operate("new", "stop")
    clock.seconds += 60
    assert [(it["event_type"], it["status"]) for it in events(api, "new")] == [
        ("ENDPOINT_STOP", "SUCCESS"),
        ("ENDPOINT_STOP", "IN_PROGRESS"),
        ("ENDPOINT_CREATE", "SUCCESS"),
        ("ENDPOINT_CREATE", "IN_PROGRESS"),
        ("ENDPOINT_CREATE", "SUCCESS"),
    ]
    newest = events(api, "new", limit=1)
    assert len(newest) == 1
    assert newest[0]["timestamp"] % 1000 == 0


def test_the_fleet_has_a_past(api: Api, clock: Clock) -> None:
    failed = events(api, "demand-forecast")
    assert failed[0]["status"] == "FAILED"
    assert "holidays" in failed[0]["message"]
    versions = [it["message"] for it in failed if "is serving" in it["message"]]
    assert versions[0] == "Config version 22 is serving."
    assert len(versions) > 3
    for name in api.listed():
        stamps = [event["timestamp"] for event in events(api, name)]
        assert stamps == sorted(stamps, reverse=True)
        assert not stamps or stamps[0] <= clock.seconds * 1000


def test_only_the_last_events_are_kept(workspace: Running, api: Api, clock: Clock) -> None:
    for _ in range(20):
        api.operate(RUNNING, "stop")
        clock.seconds += 60
        api.operate(RUNNING, "start")
        clock.seconds += 600
    assert len(events(api, RUNNING, limit=1000)) == 50


def test_some_workspaces_have_no_events() -> None:
    with serving(seed=2, endpoints=1) as workspace, Api(workspace) as api:
        name = next(iter(api.listed()))
        answer = api.get(f"{B}/{name}/events")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
