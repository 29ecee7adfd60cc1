"""Absent from a list is not deleted, and a late answer is not a newer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from endpoints_app.domain.roles import Role
from endpoints_app.domain.status import Reason, Status
from endpoints_app.models import Endpoint, StatusChange
from endpoints_app.services import access, live, looks, sync
from endpoints_app.services.access import Access
from tests.conftest import Lab
from tests.services.conftest import ALL, GET, ONE, Tell, listed

EVERYWHERE = Access(frozenset(Role), {})


def missing(lab: Lab) -> list[Endpoint]:
    return list(lab.workspace.endpoints.living().filter(missing_since__isnull=False))


# Half of them at once --------------------------------------------------------------------------


def test_half_a_list_makes_the_other_half_unknown_with_what_was_known(lab: Lab) -> None:
    listed(lab)
    before = {row.name: row.status for row in lab.workspace.endpoints.all()}
    lab.emulator.fault("half_list", times=1)

    lab.sync()

    absent = missing(lab)
    assert len(absent) == 12
    for row in absent:
        assert row.known_status is Status.UNKNOWN
        assert row.known_reason is Reason.MISSING_FROM_LIST
        assert row.last_known in (before[row.name], ""), row.name
    change = StatusChange.objects.filter(endpoint=absent[0], now="unknown").latest("at")
    assert change.reason == "missing_from_list"


def test_after_half_a_list_nothing_is_gone_and_all_are_back(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("half_list", times=1)

    lab.sync()
    lab.sync()

    assert missing(lab) == []
    assert not lab.workspace.endpoints.exclude(gone_at=None).exists()
    assert lab.endpoint("customer-ltv").known_status is Status.READY


def test_for_three_cycles_of_half_lists_nobody_is_even_asked(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("half_list")

    lab.sync()
    names = {row.name for row in missing(lab)}
    one_of_them = f"/({'|'.join(names)})$"  # answers RESOURCE_DOES_NOT_EXIST
    lab.emulator.fault("status", match={"path": one_of_them}, status=404)
    for _ in range(2):
        lab.sync()
    assert {row.name for row in missing(lab)} == names

    lab.sync()
    gone = set(lab.workspace.endpoints.exclude(gone_at=None).values_list("name", flat=True))
    assert gone
    assert gone < names


def test_one_that_is_listed_is_not_gone_whatever_a_look_says(lab: Lab) -> None:
    """A workspace that contradicts itself would otherwise make a new row each cycle."""
    listed(lab)
    rows = lab.workspace.endpoints.count()
    lab.emulator.fault("lie", match=ALL, set={"description": "new"}, of="credit-limit")
    lab.emulator.fault("status", match=ONE | {"name": "credit-limit"}, status=404)

    for _ in range(3):
        lab.sync()
    assert lab.emulator.calls.counts[GET] > 1

    assert lab.endpoint("credit-limit").known_status is Status.READY
    assert lab.workspace.endpoints.count() == rows


def test_an_empty_list_ends_nothing(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("status", match=ALL, status=200, body={})

    lab.sync()
    lab.sync()

    assert len(missing(lab)) == 24


# One of them -----------------------------------------------------------------------------------


def test_one_that_does_not_exist_is_gone_in_the_same_cycle(lab: Lab, behind_our_back: Tell) -> None:
    listed(lab)
    row = lab.endpoint("customer-ltv")
    behind_our_back("customer-ltv", remove=True)

    lab.sync()

    row.refresh_from_db()
    assert row.gone_at == lab.clock.now
    last = StatusChange.objects.filter(endpoint=row).latest("pk")
    assert (last.was, last.now, last.at) == ("unknown", "", lab.clock.now)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403},
        {"status": 404, "body": "<html><title>404 Not Found</title></html>"},
        {"status": 404, "body": {"error_code": "ENDPOINT_NOT_FOUND", "message": "No API found."}},
        {"status": 404, "body": ""},
        {"status": 500},
        {"status": 200, "body": {"endpoints": []}},
    ],
    ids=["403", "a proxy's 404", "ENDPOINT_NOT_FOUND", "an empty 404", "500", "nonsense"],
)
def test_what_proves_nothing_leaves_it_unknown(lab: Lab, answer: dict[str, Any]) -> None:
    listed(lab)
    lab.emulator.fault("half_list", missing=["customer-ltv"])
    lab.emulator.fault("status", match=ONE | {"name": "customer-ltv"}, **answer)

    for _ in range(4):
        lab.sync()

    row = lab.endpoint("customer-ltv")
    assert row.known_status is Status.UNKNOWN
    assert row.known_reason is Reason.MISSING_FROM_LIST
    assert row.last_known == Status.READY.value
    assert row.gone_at is None


def test_the_second_unanswered_look_is_no_news(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("half_list", missing=["customer-ltv"])
    lab.emulator.fault("status", match=ONE | {"name": "customer-ltv"}, status=403)
    lab.sync()
    seen = lab.endpoint("customer-ltv").revision

    lab.sync()

    assert lab.endpoint("customer-ltv").revision == seen


def test_what_stays_out_of_reach_is_asked_about_ever_less_often(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("half_list", missing=["customer-ltv"])
    lab.emulator.fault("status", match=ONE | {"name": "customer-ltv"}, status=403)
    lab.sync()
    waits = []

    for _ in range(8):
        due = lab.endpoint("customer-ltv").next_look_at
        waits.append((due - lab.clock.now).total_seconds())
        lab.sync(seconds=waits[-1])

    assert waits == [15, 15, 30, 60, 120, 240, 480, 600]


def test_one_that_only_the_list_lacks_is_shown_as_the_look_found_it(
    lab: Lab, behind_our_back: Tell
) -> None:
    listed(lab)
    lab.emulator.fault("half_list", missing=["customer-ltv"])
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})

    lab.sync()
    assert lab.endpoint("customer-ltv").known_status is Status.NOT_READY

    lab.emulator.fault("status", match=ONE | {"name": "customer-ltv"}, status=403)
    lab.sync()
    assert lab.endpoint("customer-ltv").known_status is Status.UNKNOWN
    assert lab.endpoint("customer-ltv").last_known == Status.NOT_READY.value


def test_one_that_is_back_in_the_list_is_missing_no_more(lab: Lab) -> None:
    listed(lab)
    lab.emulator.fault("half_list", missing=["customer-ltv"], times=1)
    lab.emulator.fault("status", match=ONE | {"name": "customer-ltv"}, status=403, times=1)
    lab.sync()
    assert missing(lab)

    lab.sync()

    row = lab.endpoint("customer-ltv")
    assert (row.missing_since, row.known_status) == (None, Status.READY)
    assert row.revision > live.read_head().revision - 5


# The same name, another id ---------------------------------------------------------------------


@pytest.mark.parametrize("seen_by", ["list", "look"])
def test_a_new_id_under_the_same_name_is_a_new_row(
    lab: Lab, behind_our_back: Tell, seen_by: str
) -> None:
    listed(lab)
    old = lab.endpoint("customer-ltv")
    behind_our_back("customer-ltv", replace=True)
    Endpoint.objects.filter(pk=old.pk).update(next_look_at=lab.clock.now)

    lab.sync(seconds=15 if seen_by == "list" else 2)

    new = lab.endpoint("customer-ltv")
    old.refresh_from_db()
    assert new.pk != old.pk
    assert new.uid != old.uid
    assert old.gone_at == lab.clock.now
    assert new.document is not None
    assert list(StatusChange.objects.filter(endpoint=new).values_list("was", "now")) == [
        ("", "ready")
    ]


def test_the_address_means_the_living_one_and_with_its_id_the_former(
    lab: Lab, behind_our_back: Tell
) -> None:
    listed(lab)
    old = lab.endpoint("customer-ltv")
    behind_our_back("customer-ltv", replace=True)
    lab.sync()

    living = access.endpoint_for(EVERYWHERE, "lab", "customer-ltv")
    former = access.endpoint_for(EVERYWHERE, "lab", "customer-ltv", uid=old.uid)

    assert living.gone_at is None
    assert former.pk == old.pk
    assert f"?id={old.uid}" in former.get_absolute_url()
    assert "?" not in living.get_absolute_url()


# Late answers ----------------------------------------------------------------------------------


def late_list(lab: Lab, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """A cycle whose list is answered, and then `meanwhile` happens before it is written."""
    list_endpoints = sync.WorkspaceClient.list_endpoints

    def slowly(self: sync.WorkspaceClient, *, deadline: float) -> Any:
        answer = list_endpoints(self, deadline=deadline)
        lab.clock.forward(5)
        meanwhile()
        return answer

    with monkeypatch.context() as m:
        m.setattr(sync.WorkspaceClient, "list_endpoints", slowly)
        m.setattr(sync, "LOOKS_PER_CYCLE", 0)
        lab.sync()


def test_a_list_asked_for_before_a_stop_was_read_does_not_bring_ready_back(
    lab: Lab, behind_our_back: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(lab)
    row = lab.endpoint("customer-ltv")
    stopped_at: list[int] = []

    def stop() -> None:
        behind_our_back("customer-ltv", state={"ready": "NOT_READY", "suspend": "STOPPED"})
        document = sync.clients.client_for("lab").get_endpoint("customer-ltv")
        with live.writing():
            looks.write_look(row.pk, document, lab.clock())
        stopped_at.append(live.read_head().revision)

    # Only a list that differs from the last one is looked at closely.
    lab.emulator.fault("lie", match=ALL, set={"description": "new"}, of="customer-ltv", times=1)
    late_list(lab, monkeypatch, meanwhile=stop)
    assert lab.endpoint("customer-ltv").known_status is Status.STOPPED
    assert lab.endpoint("customer-ltv").revision == stopped_at[0], "nor is it news again"

    lab.sync()
    assert lab.endpoint("customer-ltv").known_status is Status.STOPPED
    shown = StatusChange.objects.filter(endpoint=row).order_by("pk").values_list("now", flat=True)
    assert list(shown) == ["ready", "stopped"]


def test_a_list_asked_for_before_a_deletion_was_read_does_not_bring_it_back(
    lab: Lab, behind_our_back: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(lab)
    row = lab.endpoint("customer-ltv")

    def delete() -> None:
        behind_our_back("customer-ltv", remove=True)
        with live.writing():
            looks.write_look(row.pk, None, lab.clock())

    lab.emulator.fault("lie", match=ALL, set={"description": "new"}, of="customer-ltv", times=1)
    late_list(lab, monkeypatch, meanwhile=delete)

    assert not lab.workspace.endpoints.living().filter(name="customer-ltv").exists()


def test_a_late_list_does_not_call_missing_what_was_read_since(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(lab)
    row = lab.endpoint("customer-ltv")

    def read() -> None:
        document = sync.clients.client_for("lab").get_endpoint("customer-ltv")
        with live.writing():
            looks.write_look(row.pk, document, lab.clock())

    lab.emulator.fault("half_list", missing=["customer-ltv"], times=1)
    late_list(lab, monkeypatch, meanwhile=read)

    assert missing(lab) == []


def test_a_look_asked_for_before_a_newer_list_changes_nothing(
    lab: Lab, behind_our_back: Tell
) -> None:
    listed(lab)
    row = lab.endpoint("customer-ltv")
    early = lab.clock.forward(1)
    document = sync.clients.client_for("lab").get_endpoint("customer-ltv")
    behind_our_back("customer-ltv", state={"ready": "NOT_READY"})
    lab.sync()

    with live.writing():
        told = looks.write_look(row.pk, document, early)
        also_told = looks.write_look(row.pk, None, early)

    assert lab.endpoint("customer-ltv").known_status is Status.NOT_READY
    assert told.known_status is Status.NOT_READY, "the caller decides on the newer reading"
    assert also_told.gone_at is None
