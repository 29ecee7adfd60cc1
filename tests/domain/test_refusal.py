"""What is offered on which kind of endpoint, in which state; and what is not, with the reason."""

from itertools import product

import pytest

from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OperationKind, Refusal, refusal
from endpoints_app.domain.status import Status

STOP, START, DELETE = OperationKind.STOP, OperationKind.START, OperationKind.DELETE

# Databricks decides about a kind that we cannot tell.
CUSTOM_MODELS = [Kind.CUSTOM, Kind.AGENT, Kind.PROVISIONED, Kind.UNKNOWN]
OTHERS = [Kind.PLATFORM_AGENT, Kind.FOUNDATION, Kind.EXTERNAL, Kind.FEATURE_SPEC]

OF_CUSTOM_MODELS = {
    # (status, an update runs): (stop, start)
    (Status.READY, False): (None, None),
    (Status.READY, True): (Refusal.UPDATING, None),
    (Status.READY_UPDATE_FAILED, False): (None, None),
    (Status.READY_UPDATE_FAILED, True): (Refusal.UPDATING, None),
    (Status.UPDATING, True): (Refusal.UPDATING, Refusal.UPDATING),
    (Status.UPDATING, False): (Refusal.UPDATING, Refusal.UPDATING),
    (Status.UPDATE_FAILED, False): (None, None),
    (Status.UPDATE_FAILED, True): (Refusal.UPDATING, None),
    (Status.STOPPED, False): (None, None),
    (Status.STOPPED, True): (Refusal.UPDATING, None),
    (Status.NOT_READY, False): (None, None),
    (Status.NOT_READY, True): (Refusal.UPDATING, None),
    (Status.UNKNOWN, False): (Refusal.UNKNOWN_STATE, Refusal.UNKNOWN_STATE),
    (Status.UNKNOWN, True): (Refusal.UPDATING, Refusal.UNKNOWN_STATE),
}
STATES = list(product(Status, [False, True]))


def test_the_tables_leave_nothing_out():
    assert set(OF_CUSTOM_MODELS) == set(STATES)
    assert {*CUSTOM_MODELS, *OTHERS} == set(Kind)


@pytest.mark.parametrize("kind", CUSTOM_MODELS)
@pytest.mark.parametrize(("state", "refusals"), OF_CUSTOM_MODELS.items())
def test_custom_models_stop_and_start_unless_an_update_runs_or_the_state_is_unknown(
    kind, state, refusals
):
    status, updating = state
    assert (
        refusal(STOP, kind, status, updating=updating),
        refusal(START, kind, status, updating=updating),
    ) == refusals


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("operation", [STOP, START])
def test_nothing_else_is_stopped_or_started_whatever_its_state(operation, kind):
    for status, updating in STATES:
        assert refusal(operation, kind, status, updating=updating) is Refusal.KIND


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FOUNDATION])
def test_anything_of_ones_own_can_be_deleted_in_any_state(kind):
    for status, updating in STATES:
        assert refusal(DELETE, kind, status, updating=updating) is None


def test_what_belongs_to_the_platform_cannot_be_deleted():
    for status, updating in STATES:
        assert refusal(DELETE, Kind.FOUNDATION, status, updating=updating) is Refusal.KIND
