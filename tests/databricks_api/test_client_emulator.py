"""The client against the emulator, which was written from the same documentation by other hands."""

import time

import pytest

from endpoints_app.databricks_api import Credentials, errors
from endpoints_app.databricks_api.errors import Sent
from endpoints_app.emulator import serving

B = "/api/2.0/serving-endpoints"
LIST = f"GET {B}"
GET = f"GET {B}/{{name}}"
STOP = f"POST {B}/{{name}}/config:stop"
START = f"POST {B}/{{name}}/config:start"
DELETE = f"DELETE {B}/{{name}}"


@pytest.fixture
def workspace():
    with serving(endpoints=40, seed=7) as running:
        yield running


@pytest.fixture
def client(workspace, connect):
    return connect("", Credentials(host=workspace.url, token=workspace.token))


def stoppable(client) -> str:
    """The name of a running endpoint that serves a custom model and that nobody is changing."""
    for listed in client.list_endpoints().read():
        endpoint = client.get_endpoint(listed.name)
        state = endpoint.state
        if (state.ready, state.config_update, state.suspend, endpoint.task) == (
            "READY",
            "NOT_UPDATING",
            "NOT_SUSPENDED",
            None,
        ) and endpoint.permission_level == "CAN_MANAGE":
            return endpoint.name
    raise AssertionError("the fleet has none")


def reported(client, name):
    state = client.get_endpoint(name).state
    return state.ready, state.config_update, state.suspend


def test_the_list_and_every_endpoint_of_it_are_read_alike(client):
    listed = client.list_endpoints().read()
    assert len(listed) == 40
    for item in (it.read() for it in listed):
        endpoint = client.get_endpoint(item.name)
        assert endpoint.id == item.id
        assert endpoint.state == item.state
        assert endpoint.created_at == item.created_at
        assert endpoint.endpoint_type == item.endpoint_type
        assert (endpoint.config is None) == (item.config is None)
        for config in (endpoint.config, endpoint.pending_config):
            if config is not None and config.routes:
                names = {entity.name for entity in config.entities}
                assert {route.served_entity_name for route in config.routes} <= names


def test_a_stop_a_start_and_a_delete_do_what_they_say(client, workspace):
    name = stoppable(client)
    version = client.get_endpoint(name).config.version
    client.stop_endpoint(name)
    workspace.advance(3600)
    assert reported(client, name) == ("NOT_READY", "NOT_UPDATING", "STOPPED")
    client.start_endpoint(name)
    assert client.get_endpoint(name).state.config_update == "IN_PROGRESS"
    workspace.advance(3600)
    assert reported(client, name)[0] == "READY"
    assert client.get_endpoint(name).config.version == version + 1
    client.delete_endpoint(name)
    workspace.advance(3600)
    with pytest.raises(errors.DoesNotExist) as caught:
        client.get_endpoint(name)
    assert caught.value.code == "RESOURCE_DOES_NOT_EXIST"
    assert name in caught.value.message
    counts = workspace.calls.counts
    assert (counts[STOP], counts[START], counts[DELETE]) == (1, 1, 1)


def test_an_unknown_path_is_not_known_rather_than_gone(client):
    with pytest.raises(errors.NotKnown):
        client._transport.read("/api/2.0/no-such-thing", deadline=5)


def test_a_wrong_token_is_unauthenticated(workspace, connect):
    client = connect("", Credentials(host=workspace.url, token="dapi-wrong"))
    with pytest.raises(errors.Unauthenticated) as caught:
        client.list_endpoints().read()
    assert caught.value.code == "401"


def test_a_service_principal_signs_in_once_for_many_calls(workspace, connect):
    held = workspace.emulator.credentials
    machine = Credentials(
        host=workspace.url, client_id=held.client_id, client_secret=held.client_secret
    )
    client = connect("", machine)
    for _ in range(5):
        assert len(client.list_endpoints().read()) == 40
    client.stop_endpoint(stoppable(client))
    assert workspace.calls.counts["POST /oidc/v1/token"] == 1


def test_an_expired_token_is_renewed_for_a_read(client, workspace):
    client.list_endpoints().read()
    workspace.fault("expire_token", times=1)
    assert len(client.list_endpoints().read()) == 40


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "retry_after": 1},
        {"kind": "status", "status": 429, "retry_after_date": 2},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 503},
        {"kind": "drop"},
        {"kind": "half"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_a_read_gets_over_a_passing_fault(fault, workspace, connect, fake_time):
    credentials = Credentials(host=workspace.url, token=workspace.token)
    client = connect("", credentials, clock=fake_time.clock(wall=time.time()))
    workspace.fault(**fault, times=1, match={"route": B})
    assert len(client.list_endpoints().read()) == 40
    assert workspace.calls.counts[LIST] == 2
    assert len(fake_time.slept) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "sent", "performed"),
    [
        ({"kind": "status", "status": 429}, errors.Throttled, Sent.NO, False),
        ({"kind": "status", "status": 500}, errors.Internal, Sent.MAYBE, False),
        ({"kind": "status", "status": 500, "after": True}, errors.Internal, Sent.MAYBE, True),
        ({"kind": "status", "status": 503}, errors.Unavailable, Sent.MAYBE, False),
        ({"kind": "status", "status": 504}, errors.Gateway, Sent.MAYBE, False),
        ({"kind": "status", "status": 504, "after": True}, errors.Gateway, Sent.MAYBE, True),
        ({"kind": "drop"}, errors.Lost, Sent.MAYBE, False),
        ({"kind": "drop", "after": True}, errors.Lost, Sent.MAYBE, True),
        ({"kind": "expire_token"}, errors.Unauthenticated, Sent.YES, False),
        ({"kind": "redirect", "to": "http://127.0.0.1:1/"}, errors.RedirectRefused, Sent.MAYBE, 0),
    ],
    ids=str,
)
def test_a_write_is_sent_once_and_says_whether_it_may_have_happened(
    fault, kind, sent, performed, client, workspace
):
    name = stoppable(client)
    workspace.fault(**fault, times=1, match={"method": "POST"})
    with pytest.raises(kind) as caught:
        client.stop_endpoint(name)
    assert caught.value.sent is sent
    assert workspace.calls.counts[STOP] == 1
    workspace.advance(3600)
    assert (reported(client, name)[2] == "STOPPED") == bool(performed)
    if performed:
        assert sent is not Sent.NO


def test_a_half_sent_answer_to_a_write_is_a_success_by_its_status(client, workspace):
    name = stoppable(client)
    workspace.fault("half", times=1, match={"method": "POST"})
    client.stop_endpoint(name)
    workspace.advance(3600)
    assert reported(client, name)[2] == "STOPPED"


@pytest.mark.parametrize("headers", [False, True])
def test_a_dripping_list_ends_at_its_deadline(headers, client, workspace):
    client.list_endpoints().read()
    workspace.fault("drip", bytes_per_second=20, headers=headers, match={"route": B})
    started = time.monotonic()
    with pytest.raises(errors.TimedOut):
        client.list_endpoints(deadline=0.5).read()
    assert time.monotonic() - started < 1


def test_unknown_values_fields_and_strings_for_numbers_are_read(client, workspace):
    name = stoppable(client)
    workspace.fault(
        "lie",
        of=name,
        set={
            "state.ready": "HALF_READY",
            "state.mood": "good",
            "config.config_version": "12",
            "config.served_entities.0.scale_to_zero_enabled": "false",
            "creation_timestamp": "yesterday",
            "tags": "none",
        },
        remove=["last_updated_timestamp"],
    )
    endpoint = client.get_endpoint(name)
    assert endpoint.state.ready == "HALF_READY"
    assert endpoint.raw["state"]["mood"] == "good"
    assert endpoint.config.version == 12
    assert endpoint.config.entities[0].scale_to_zero is False
    assert (endpoint.created_at, endpoint.updated_at, endpoint.tags) == (None, None, ())


def test_half_a_list_is_passed_on_as_it_is(client, workspace):
    workspace.fault("half_list", times=1, match={"route": B})
    assert len(client.list_endpoints().read()) == 20
    assert len(client.list_endpoints().read()) == 40
