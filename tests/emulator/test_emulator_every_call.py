"""Every call that Databricks' SDK and MLflow's client have for serving succeeds here.

Also over the command as a process of its own, in which changes take their time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from endpoints_app.emulator import serving
from endpoints_app.emulator.auth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Credentials
from tests.emulator.conftest import command
from tests.emulator.official import mlflow, sdk

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("nothing_of_this_machine")]

B = "/api/2.0/serving-endpoints"
TOKEN = "T"
M2M = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
ROW = {"country": "DE", "age_days": 41, "sessions_30d": 3, "category": "shoes"}
CHAT = "databricks-meta-llama-3-3-70b-instruct"
EMBEDDINGS = "embed-multilingual"
LIMIT = {"calls": 1000, "key": "endpoint", "renewal_period": "minute"}


@pytest.fixture(params=["in a thread", "as a process"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "as a process":
        options = ("--endpoints", "24", "--time-scale", "0.02", "--token", TOKEN)
        with command(*options) as (_process, address):
            yield address
    else:
        with serving(time_scale=0, credentials=Credentials(TOKEN)) as workspace:
            yield workspace.url


class Recorder:
    """Passes calls on and remembers their names."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.called.add(name)
        return partial(getattr(self.target, name))

    def never_called(self) -> set[str]:
        public = {name for name in dir(type(self.target)) if not name.startswith("_")}
        return {name for name in public - self.called if callable(getattr(self.target, name))}


# Made of others that are called, or for clients of the OpenAI API that are not installed.
NOT_OURS = {"get_open_ai_client", "get_langchain_chat_open_ai_client"}


def test_every_call_of_the_sdk(url: str) -> None:
    from databricks.sdk.service import serving as kinds

    client = sdk(url, {"token": TOKEN})
    api = Recorder(client.serving_endpoints)
    assert len(list(api.list())) == 24

    # Made at once, so that they become ready side by side.
    entity = kinds.ServedEntityInput(entity_name="ml.prod.model", entity_version="2")
    config = kinds.EndpointCoreConfigInput("new", served_entities=[entity])
    units = kinds.PtServedModel(entity_name="system.ai.llama", provisioned_model_units=50)
    throughput = kinds.PtEndpointCoreConfig(served_entities=[units])
    made = api.create("new", config=config, route_optimized=False)
    api.create_provisioned_throughput_endpoint("units", config=throughput)
    fast = kinds.EndpointCoreConfigInput("fast", served_entities=[entity])
    api.create("fast", config=fast, route_optimized=True)
    model = kinds.ExternalModel(
        provider=kinds.ExternalModelProvider.OPENAI,
        name="gpt",
        task="llm/v1/chat",
        openai_config=kinds.OpenAiConfig(openai_api_key="{{secrets/llm/key}}"),
    )
    elsewhere = [kinds.ServedEntityInput(external_model=model)]
    proxy = kinds.EndpointCoreConfigInput("other", served_entities=elsewhere)
    api.create_and_wait("other", config=proxy)
    api.create_provisioned_throughput_endpoint_and_wait("more-units", config=throughput)
    assert made.response.pending_config.config_version == 1
    for name in ("new", "units", "fast"):
        api.wait_get_serving_endpoint_not_updating(name)

    api.update_config("other", served_entities=elsewhere)
    api.update_provisioned_throughput_endpoint_config("more-units", config=throughput)
    assert api.update_config_and_wait("new", served_entities=[entity]).config.config_version == 2
    api.update_provisioned_throughput_endpoint_config_and_wait("units", config=throughput)
    detailed = api.get("new")
    (served,) = detailed.config.served_entities

    assert "Successfully installed" in api.build_logs("new", served.name).logs
    assert api.logs("new", served.name).logs is not None
    document = json.loads(api.get_open_api("new").contents.read())
    assert document["openapi"] == "3.1.0"
    assert b"request_count_total" in api.export_metrics("basket-recommender").contents.read()

    tags = api.patch("new", add_tags=[kinds.EndpointTag("team", "growth")])
    assert tags.tags[0].value == "growth"
    limit = kinds.AiGatewayRateLimit(kinds.AiGatewayRateLimitRenewalPeriod.MINUTE, calls=1000)
    tracking = kinds.AiGatewayUsageTrackingConfig(enabled=True)
    gateway = api.put_ai_gateway("new", rate_limits=[limit], usage_tracking_config=tracking)
    assert gateway.rate_limits == [limit]
    assert api.get("new").ai_gateway.usage_tracking_config.enabled
    old = kinds.RateLimit(calls=1000, renewal_period=kinds.RateLimitRenewalPeriod.MINUTE)
    assert api.put(CHAT, rate_limits=[old]).rate_limits == [old]
    mails = kinds.EmailNotifications(on_update_failure=["ops@shop.example"])
    told = api.update_notifications("new", email_notifications=mails)
    assert told.email_notifications == mails
    telemetry = kinds.TelemetryConfig(telemetry_profile_id="p1")
    patched = api.patch_telemetry_config("new", telemetry_config=telemetry)
    assert patched.telemetry_config == telemetry

    method = kinds.ExternalFunctionRequestHttpMethod.POST
    echoed = api.http_request("echo", method, "/hello", json={"a": 1})
    assert echoed.json()["path"] == "/hello"

    levels = api.get_permission_levels(detailed.id).permission_levels
    assert {level.permission_level.value for level in levels} >= {"CAN_VIEW", "CAN_MANAGE"}
    anna = kinds.ServingEndpointAccessControlRequest(
        user_name="ann@shop.example",
        permission_level=kinds.ServingEndpointPermissionLevel.CAN_QUERY,
    )
    changed = api.update_permissions(detailed.id, access_control_list=[anna])
    assert "ann@shop.example" in {it.user_name for it in changed.access_control_list}
    api.set_permissions(detailed.id, access_control_list=[anna])
    direct = api.get_permissions(detailed.id).access_control_list
    assert {it.user_name for it in direct} == {"ann@shop.example", None}

    query = partial(api.query, "new")
    split = kinds.DataframeSplitInput(columns=list(ROW), data=[list(ROW.values())])
    answers = [
        query(dataframe_records=[ROW]),
        query(dataframe_split=split),
        query(instances=[ROW]),
        query(inputs={name: [value] for name, value in ROW.items()}),
    ]
    assert len({tuple(answer.predictions) for answer in answers}) == 1
    assert answers[0].served_model_name == served.name
    message = kinds.ChatMessage(role=kinds.ChatMessageRole.USER, content="Hello")
    said = api.query(CHAT, messages=[message], max_tokens=9)
    assert said.choices[0].message.content
    assert said.usage.total_tokens
    assert api.query(EMBEDDINGS, input="Hello").data[0].embedding

    # The data plane of a route-optimized endpoint takes OAuth tokens only.
    principal = sdk(url, M2M)
    optimized = principal.serving_endpoints_data_plane.query("fast", dataframe_records=[ROW])
    assert optimized.predictions == answers[0].predictions

    for step, state in (("stop", "STOPPED"), ("start", "NOT_SUSPENDED")):
        client.api_client.do("POST", f"{B}/new/config:{step}")
        ends = time.monotonic() + 30
        while True:
            raw = client.api_client.do("GET", f"{B}/new")["state"]
            if (raw["suspend"], raw["config_update"]) == (state, "NOT_UPDATING"):
                break
            assert time.monotonic() < ends, raw
            time.sleep(0.1)
    for name in ("new", "other", "units", "more-units", "fast"):
        api.delete(name)
    assert len(list(api.list())) == 24
    assert api.never_called() - NOT_OURS == set()


def test_every_call_of_mlflow(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow(url, {"token": TOKEN}, monkeypatch)
    raw = sdk(url, {"token": TOKEN}).serving_endpoints
    api = Recorder(client)
    assert len(api.list_endpoints()) == 24
    config = {"served_entities": [{"entity_name": "ml.prod.model", "entity_version": "2"}]}
    created = api.create_endpoint(config={"name": "new", "config": config})
    assert created["name"] == "new"
    raw.wait_get_serving_endpoint_not_updating("new")
    assert api.get_endpoint("new")["config"]["config_version"] == 1
    api.update_endpoint_config("new", config=config)
    with pytest.warns((UserWarning, FutureWarning)):
        assert api.update_endpoint(CHAT, {"rate_limits": [LIMIT]}) == {"rate_limits": [LIMIT]}
    tags = api.update_endpoint_tags("new", {"add_tags": [{"key": "team", "value": "growth"}]})
    assert tags["tags"] == [{"key": "team", "value": "growth"}]
    limits = {"rate_limits": [LIMIT]}
    assert api.update_endpoint_rate_limits(CHAT, limits) == limits
    gateway = {"usage_tracking_config": {"enabled": True}}
    assert api.update_endpoint_ai_gateway("new", gateway) == gateway
    answer = api.predict(endpoint="new", inputs={"dataframe_records": [ROW, ROW]})
    assert len(answer["predictions"]) == 2
    messages = {"messages": [{"role": "user", "content": "Hello"}]}
    whole = api.predict(endpoint=CHAT, inputs=messages)["choices"][0]["message"]["content"]
    chunks = list(api.predict_stream(endpoint=CHAT, inputs=messages))
    said = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert "".join(said) == whole
    assert api.delete_endpoint("new") == {}
    assert api.never_called() - NOT_IMPLEMENTED == set()


# Of other kinds of deployment: for Databricks they raise NotImplementedError.
NOT_IMPLEMENTED = {
    "create_deployment",
    "delete_deployment",
    "explain",
    "get_deployment",
    "list_deployments",
    "update_deployment",
}
