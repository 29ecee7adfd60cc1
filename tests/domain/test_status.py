"""What Databricks reports becomes one status, and what we have not met stays Unknown."""

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from endpoints_app.databricks_api import wire
from endpoints_app.domain.status import (
    NEEDS_ATTENTION,
    Reading,
    Reason,
    Reported,
    Status,
    derive,
    worst_first,
)
from tests.databricks_api.documents import DOCUMENTED, FIRST_DEPLOYMENT, LISTED, spoiled

ACTIVE, PENDING, BOTH, NEITHER = (True, False), (False, True), (True, True), (False, False)

ROWS = {
    # name: (ready, config_update, suspend, configurations) → (status, reason, updating)
    #
    # Ready, and the latest change failed
    "ready, update failed": (
        ("READY", "UPDATE_FAILED", "NOT_SUSPENDED", BOTH),
        (Status.READY_UPDATE_FAILED, Reason.NONE, False),
    ),
    "ready, update failed, suspend absent": (
        ("READY", "UPDATE_FAILED", None, BOTH),
        (Status.READY_UPDATE_FAILED, Reason.NONE, False),
    ),
    # Ready, whatever else
    "ready and idle": (
        ("READY", "NOT_UPDATING", "NOT_SUSPENDED", ACTIVE),
        (Status.READY, Reason.NONE, False),
    ),
    "ready, suspend absent": (
        ("READY", "NOT_UPDATING", None, ACTIVE),
        (Status.READY, Reason.NONE, False),
    ),
    "ready while an update runs": (
        ("READY", "IN_PROGRESS", "NOT_SUSPENDED", BOTH),
        (Status.READY, Reason.NONE, True),
    ),
    "ready, update canceled": (
        ("READY", "UPDATE_CANCELED", "NOT_SUSPENDED", ACTIVE),
        (Status.READY, Reason.UPDATE_CANCELED, False),
    ),
    "ready, update absent": (
        ("READY", None, None, ACTIVE),
        (Status.READY, Reason.NONE, False),
    ),
    "ready, update never met": (
        ("READY", "ROLLING_BACK", "NOT_SUSPENDED", ACTIVE),
        (Status.READY, Reason.NONE, False),
    ),
    "ready, update unspecified": (
        ("READY", "CONFIG_UPDATE_STATE_UNSPECIFIED", "NOT_SUSPENDED", ACTIVE),
        (Status.READY, Reason.NONE, False),
    ),
    "ready without any configuration, as platform agents are": (
        ("READY", "NOT_UPDATING", None, NEITHER),
        (Status.READY, Reason.NONE, False),
    ),
    # Updating, whatever suspend says
    "first deployment": (
        ("NOT_READY", "IN_PROGRESS", "NOT_SUSPENDED", PENDING),
        (Status.UPDATING, Reason.NONE, True),
    ),
    "starting, still marked stopped": (
        ("NOT_READY", "IN_PROGRESS", "STOPPED", BOTH),
        (Status.UPDATING, Reason.NONE, True),
    ),
    "updating, suspend absent": (
        ("NOT_READY", "IN_PROGRESS", None, BOTH),
        (Status.UPDATING, Reason.NONE, True),
    ),
    "updating, suspend never met": (
        ("NOT_READY", "IN_PROGRESS", "RESUMING", BOTH),
        (Status.UPDATING, Reason.NONE, True),
    ),
    # Stopped, before an old failure
    "stopped": (
        ("NOT_READY", "NOT_UPDATING", "STOPPED", ACTIVE),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "stopped with an old failure": (
        ("NOT_READY", "UPDATE_FAILED", "STOPPED", BOTH),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "stopped with an old cancel": (
        ("NOT_READY", "UPDATE_CANCELED", "STOPPED", BOTH),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "stopped, update absent": (
        ("NOT_READY", None, "STOPPED", ACTIVE),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "stopped, update never met": (
        ("NOT_READY", "ROLLING_BACK", "STOPPED", ACTIVE),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "stopped without configuration": (
        ("NOT_READY", "NOT_UPDATING", "STOPPED", NEITHER),
        (Status.STOPPED, Reason.NONE, False),
    ),
    # Update failed, and nothing serves
    "first deployment failed": (
        ("NOT_READY", "UPDATE_FAILED", "NOT_SUSPENDED", PENDING),
        (Status.UPDATE_FAILED, Reason.NONE, False),
    ),
    "update failed, suspend absent": (
        ("NOT_READY", "UPDATE_FAILED", None, BOTH),
        (Status.UPDATE_FAILED, Reason.NONE, False),
    ),
    "update canceled": (
        ("NOT_READY", "UPDATE_CANCELED", "NOT_SUSPENDED", BOTH),
        (Status.UPDATE_FAILED, Reason.UPDATE_CANCELED, False),
    ),
    "update canceled, suspend absent": (
        ("NOT_READY", "UPDATE_CANCELED", None, BOTH),
        (Status.UPDATE_FAILED, Reason.UPDATE_CANCELED, False),
    ),
    # Neither ready nor updating
    "idle with a configuration, suspend absent": (
        ("NOT_READY", "NOT_UPDATING", None, ACTIVE),
        (Status.STOPPED, Reason.NONE, False),
    ),
    "idle with a configuration, not suspended": (
        ("NOT_READY", "NOT_UPDATING", "NOT_SUSPENDED", ACTIVE),
        (Status.NOT_READY, Reason.NOT_SERVING, False),
    ),
    "idle, suspend never met": (
        ("NOT_READY", "NOT_UPDATING", "STOPPING", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "idle, never deployed, not suspended": (
        ("NOT_READY", "NOT_UPDATING", "NOT_SUSPENDED", PENDING),
        (Status.NOT_READY, Reason.NOT_SERVING, False),
    ),
    "idle, never deployed, suspend absent: nobody can have stopped it": (
        ("NOT_READY", "NOT_UPDATING", None, PENDING),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "no configuration": (
        ("NOT_READY", "NOT_UPDATING", "NOT_SUSPENDED", NEITHER),
        (Status.NOT_READY, Reason.NO_CONFIGURATION, False),
    ),
    "no configuration, suspend absent": (
        ("NOT_READY", "NOT_UPDATING", None, NEITHER),
        (Status.NOT_READY, Reason.NO_CONFIGURATION, False),
    ),
    # What we have not met
    "not ready, update absent": (
        ("NOT_READY", None, "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "not ready, all else absent": (
        ("NOT_READY", None, None, ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "not ready, update never met": (
        ("NOT_READY", "ROLLING_BACK", "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "not ready, update unspecified": (
        ("NOT_READY", "CONFIG_UPDATE_STATE_UNSPECIFIED", "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "readiness absent": (
        (None, "NOT_UPDATING", "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "readiness absent while an update runs": (
        (None, "IN_PROGRESS", "NOT_SUSPENDED", BOTH),
        (Status.UNKNOWN, Reason.UNRECOGNISED, True),
    ),
    "readiness unspecified": (
        ("READY_STATE_UNSPECIFIED", "NOT_UPDATING", "STOPPED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "readiness never met": (
        ("MOSTLY_READY", "NOT_UPDATING", "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "readiness in other letters": (
        ("ready", "NOT_UPDATING", "NOT_SUSPENDED", ACTIVE),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
    "nothing reported at all": (
        (None, None, None, NEITHER),
        (Status.UNKNOWN, Reason.UNRECOGNISED, False),
    ),
}


@pytest.mark.parametrize(("reported", "expected"), ROWS.values(), ids=ROWS.keys())
def test_every_reported_state_has_its_status(reported, expected):
    ready, config_update, suspend, (active, pending) = reported
    reading = derive(
        Reported(ready, config_update, suspend, has_config=active, has_pending_config=pending)
    )
    assert (reading.status, reading.reason, reading.updating) == expected


EVERY = [
    Reported(ready, config_update, suspend, has_config=active, has_pending_config=pending)
    for ready, config_update, suspend, (active, pending) in product(
        ["READY", "NOT_READY", "READY_STATE_UNSPECIFIED", None],
        ["NOT_UPDATING", "IN_PROGRESS", "UPDATE_FAILED", "UPDATE_CANCELED", "NEVER_MET", None],
        ["NOT_SUSPENDED", "STOPPED", "NEVER_MET", None],
        [ACTIVE, PENDING, BOTH, NEITHER],
    )
]
words = st.none() | st.text() | st.sampled_from(["READY", "NOT_READY", "IN_PROGRESS", "STOPPED"])


@given(st.builds(Reported, words, words, words, st.booleans(), st.booleans()))
def test_any_words_at_all_have_a_status_and_only_ready_is_ever_called_serving(reported):
    reading = derive(reported)
    assert isinstance(reading, Reading)
    assert (reading.status.serving is True) == (reported.ready == "READY")


def test_a_running_update_is_always_told():
    for reported in EVERY:
        reading = derive(reported)
        assert reading.updating == (reported.config_update == "IN_PROGRESS"), reported
        assert reading.updating or reading.status is not Status.UPDATING, reported


def test_stopped_is_reported_or_follows_from_a_deployed_endpoint_that_names_no_suspend():
    for reported in EVERY:
        if derive(reported).status is Status.STOPPED:
            assert reported.ready == "NOT_READY"
            assert reported.config_update != "IN_PROGRESS"
            assert reported.suspend == "STOPPED" or (
                reported.suspend is None
                and reported.config_update == "NOT_UPDATING"
                and reported.has_config
            ), reported


def test_unknown_has_one_reason_and_no_other_status_has_it():
    for reported in EVERY:
        reading = derive(reported)
        unrecognised = reading.reason is Reason.UNRECOGNISED
        assert (reading.status is Status.UNKNOWN) == unrecognised, reported


def read(document):
    """As the sync reads a full document."""
    endpoint = wire.Endpoint.parse(document)
    return derive(
        Reported(
            ready=endpoint.state.ready,
            config_update=endpoint.state.config_update,
            suspend=endpoint.state.suspend,
            has_config=endpoint.config is not None,
            has_pending_config=endpoint.pending_config is not None,
        )
    )


def test_the_documented_example_and_recorded_answers_have_the_status_people_expect():
    assert read(DOCUMENTED) == Reading(Status.READY)
    assert read(LISTED) == Reading(Status.READY)
    assert read(FIRST_DEPLOYMENT) == Reading(Status.UPDATING, updating=True)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"update_state": "UPDATE_FAILED"}, Status.READY_UPDATE_FAILED),
        ({"config_update": None, "update_state": "UPDATE_FAILED"}, Status.READY_UPDATE_FAILED),
        ({"config_update": "", "update_state": "UPDATE_FAILED"}, Status.READY_UPDATE_FAILED),
        ({"config_update": "NOT_UPDATING", "update_state": "UPDATE_FAILED"}, Status.READY),
        ({"config_update": "UPDATE_FAILED", "update_state": "NOT_UPDATING"},
         Status.READY_UPDATE_FAILED),
        ({}, Status.READY),
    ],
)  # fmt: skip
def test_the_older_name_of_config_update_counts_where_the_newer_is_absent(update, expected):
    assert read({"name": "churn", "state": {"ready": "READY", **update}}).status is expected


@given(spoiled())
@example(None)
@example({"state": []})
@example({"state": {"ready": True}})
def test_a_spoiled_document_still_has_a_status_and_is_ready_only_if_it_says_so(document):
    state = document.get("state") if isinstance(document, dict) else None
    says_ready = isinstance(state, dict) and state.get("ready") == "READY"
    assert (read(document).status.serving is True) == says_ready


def test_the_labels_are_the_five_of_databricks_and_two_of_ours():
    assert {status.value: status.label for status in Status} == {
        "ready": "Ready",
        "ready_update_failed": "Ready (Update failed)",
        "updating": "Not ready (Updating)",
        "update_failed": "Not ready (Update failed)",
        "stopped": "Not ready (Stopped)",
        "not_ready": "Not ready",
        "unknown": "Unknown",
    }


def test_broken_comes_before_unknown_before_busy_before_healthy_before_stopped():
    assert worst_first() == [
        Status.UPDATE_FAILED,
        Status.NOT_READY,
        Status.UNKNOWN,
        Status.UPDATING,
        Status.READY_UPDATE_FAILED,
        Status.READY,
        Status.STOPPED,
    ]


def test_a_status_is_found_by_its_stored_value():
    assert all(Status(status.value) is status for status in Status)
    assert all(Reason(reason.value) is reason for reason in Reason)


def test_whether_it_serves_is_yes_no_or_not_known():
    assert {status for status in Status if status.serving} == {
        Status.READY,
        Status.READY_UPDATE_FAILED,
    }
    assert {status for status in Status if status.serving is None} == {Status.UNKNOWN}


def test_only_what_serves_unhurt_is_good_and_unknown_looks_like_nothing_else():
    assert [status for status in Status if status.tone == "good"] == [Status.READY]
    assert [status for status in Status if status.tone == "unknown"] == [Status.UNKNOWN]
    assert {status.tone for status in Status} == {"good", "but", "busy", "bad", "off", "unknown"}


def test_what_is_deliberate_or_passing_needs_no_attention():
    assert set(Status) - NEEDS_ATTENTION == {Status.READY, Status.STOPPED, Status.UPDATING}
