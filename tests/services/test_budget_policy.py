"""A policy is read once for all, and changed with a read before and after, on record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from endpoints_app.domain.budget import Call, Standing
from endpoints_app.models import AuditEntry, Endpoint
from endpoints_app.services import audit, budget_policy, saving, upstream
from endpoints_app.services.budget_policy import Seen
from endpoints_app.services.upstream import Busy
from tests.conftest import Lab
from tests.policies import NEW, OLD, ROUTE, THEIRS, attach

NAME = "basket-recommender"
GET = "/api/2.0/serving-endpoints/{name}"


@pytest.fixture(autouse=True)
def _cached(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that answers, as Redis does when it is there; and a busy machine is no failure."""
    monkeypatch.setattr(upstream, "page_call", partial(upstream.page_call, seconds=20))
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.BUDGET_POLICY_CALLS = {"lab": Call("PATCH", ROUTE)}
    cache.clear()


Behind = Callable[[str], None]


@pytest.fixture
def somebody_else(lab: Lab) -> Behind:
    """Attaches a policy in the workspace itself."""
    return partial(attach, lab, NAME)


@pytest.fixture
def endpoint(lab: Lab, somebody_else: Behind) -> Endpoint:
    somebody_else(OLD)
    lab.settle()
    lab.emulator.calls.clear()
    return lab.endpoint(NAME)


class Editor:
    """A manager in front of the form."""

    def __init__(self, lab: Lab, endpoint: Endpoint, user: User) -> None:
        self.lab, self.endpoint, self.user = lab, endpoint, user
        self.seen = Seen(endpoint.uid, OLD)

    def save(self, wanted: str = NEW, *, reason: str = "") -> bool:
        return budget_policy.save(
            self.endpoint,
            wanted,
            seen=self.seen,
            reason=reason,
            by=self.user,
            clock=lambda: self.lab.clock.forward(1),
        )

    def sent(self) -> list[str]:
        return [write.method for write in self.lab.emulator.calls.writes]

    def recorded(self) -> list[str]:
        return [entry.action for entry in AuditEntry.objects.order_by("pk")]

    def row(self) -> tuple[str, Standing]:
        row = self.lab.endpoint(NAME)
        return row.policy.id, row.budget_standing


@pytest.fixture
def editor(lab: Lab, endpoint: Endpoint, mika: User) -> Editor:
    return Editor(lab, endpoint, mika)


# Reading ----------------------------------------------------------------------------------------


def test_fifty_readers_cost_one_call(lab: Lab, endpoint: Endpoint) -> None:
    for _ in range(50):
        copy = budget_policy.read(endpoint, now=lab.clock())
    assert copy.value is not None
    assert (copy.value.own, copy.value.effective) == (OLD, OLD)
    assert lab.emulator.calls.counts[f"GET {GET}"] == 1


def test_the_newer_of_what_was_read_is_at_hand(lab: Lab, endpoint: Endpoint) -> None:
    listed = budget_policy.at_hand(endpoint)
    assert listed is not None
    assert listed.value is not None
    assert listed.value.id == OLD
    lab.clock.forward(20)
    budget_policy.read(endpoint, now=lab.clock())
    newer = budget_policy.at_hand(endpoint)
    assert newer is not None
    assert newer.read_at == lab.clock()


def test_another_endpoint_of_that_name_is_not_this_one(lab: Lab, endpoint: Endpoint) -> None:
    endpoint.uid = "0" * 32
    copy = budget_policy.read(endpoint, now=lab.clock())
    assert copy.value is None
    assert copy.problem is not None
    assert copy.problem.kind == "DoesNotExist"


# Saving -----------------------------------------------------------------------------------------


def test_it_is_sent_once_and_confirmed_by_a_read(editor: Editor) -> None:
    assert editor.save(reason="moved to another team") is True

    assert editor.sent() == ["PATCH"]
    assert editor.lab.emulator.calls.counts[f"GET {GET}"] == 2, "before and after"
    assert editor.row() == (NEW, Standing.SET), "list and report know at once"
    copy = budget_policy.at_hand(editor.endpoint)
    assert copy is not None
    assert copy.value is not None
    assert copy.value.own == NEW, "and so does the panel"


def test_who_when_why_and_what_is_on_record_before_it_is_sent(editor: Editor, mika: User) -> None:
    editor.save(reason="moved to another team")

    asked, changed = AuditEntry.objects.order_by("pk")
    assert (asked.action, changed.action) == ("budget policy asked", "budget policy changed")
    for entry in (asked, changed):
        assert (entry.actor, entry.workspace, entry.endpoint) == (mika, "lab", NAME)
        assert entry.detail["reason"] == "moved to another team"
        assert (entry.detail["before"], entry.detail["wanted"]) == (OLD, NEW)
    assert "after" not in asked.detail
    assert changed.detail["after"] == NEW
    assert list(audit.changed_here(editor.endpoint, "budget policy")) == [changed]


def test_the_second_time_sends_nothing(editor: Editor) -> None:
    editor.save()
    editor.seen = Seen(editor.endpoint.uid, NEW)
    assert editor.save() is False
    assert editor.sent() == ["PATCH"]
    assert editor.recorded() == ["budget policy asked", "budget policy changed"]


def test_what_somebody_else_changed_meanwhile_stops_it(
    editor: Editor, somebody_else: Behind
) -> None:
    somebody_else(THEIRS)
    with pytest.raises(budget_policy.Moved) as raised:
        editor.save()
    assert raised.value.policy.own == THEIRS
    assert editor.sent() == []
    assert editor.recorded() == []


def test_another_endpoint_under_the_name_is_left_alone(
    editor: Editor, behind_our_back: Callable[..., None]
) -> None:
    editor.seen = Seen("another", OLD)
    with pytest.raises(saving.Replaced):
        editor.save()
    editor.seen = Seen(editor.endpoint.uid, OLD)
    behind_our_back(NAME, replace=True)
    with pytest.raises(saving.NotSent):
        editor.save()
    assert editor.sent() == []


@pytest.mark.parametrize("name", ["gpt-4o-proxy", "databricks-meta-llama-3-3-70b-instruct"])
def test_what_cannot_have_one_is_not_asked_for_one(editor: Editor, name: str) -> None:
    editor.endpoint = editor.lab.endpoint(name)
    editor.seen = Seen(editor.endpoint.uid, "")
    with pytest.raises(budget_policy.NotPossible):
        editor.save()
    assert editor.sent() == []


def test_without_a_call_in_the_settings_nothing_can_be_changed(
    editor: Editor, settings: Any
) -> None:
    settings.BUDGET_POLICY_CALLS = {"other": Call("PATCH", ROUTE)}
    with pytest.raises(budget_policy.NotPossible):
        editor.save()
    assert editor.sent() == []


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_no_is_a_no_and_on_record(editor: Editor, status: int) -> None:
    body = {"error_code": "SOMETHING", "message": "No way."}
    fault = {"status": status, "body": body}
    editor.lab.emulator.fault("status", match={"route": ROUTE}, **fault)
    with pytest.raises(saving.Refused) as raised:
        editor.save()
    assert "No way." in raised.value.problem.message
    assert editor.recorded() == ["budget policy asked", "budget policy refused"]
    assert editor.row() == (OLD, Standing.SET)


@pytest.mark.parametrize(("kind", "how"), [("drop", {}), ("status", {"status": 504})])
def test_a_lost_answer_is_settled_by_the_read_and_never_sent_again(
    editor: Editor, kind: str, how: dict[str, Any]
) -> None:
    """The change arrived, and its answer did not."""
    editor.lab.emulator.fault(kind, match={"route": ROUTE}, after=True, **how)
    assert editor.save() is True
    assert editor.sent() == ["PATCH"]
    assert editor.recorded()[-1] == "budget policy changed"


@pytest.mark.parametrize(("kind", "how"), [("ignore", {}), ("status", {"status": 500})])
def test_what_no_read_shows_is_not_confirmed(
    editor: Editor, kind: str, how: dict[str, Any]
) -> None:
    editor.lab.emulator.fault(kind, match={"route": ROUTE}, **how)
    with pytest.raises(budget_policy.NotConfirmed) as raised:
        editor.save()
    assert raised.value.found is not None
    assert raised.value.found.own == OLD
    assert editor.sent() == ["PATCH"], "once"
    assert editor.recorded()[-1] == "budget policy not confirmed"
    assert editor.row() == (OLD, Standing.SET)


def test_a_workspace_that_cannot_be_read_is_sent_nothing(editor: Editor) -> None:
    editor.lab.emulator.fault("status", match={"route": GET, "method": "GET"}, status=403)
    with pytest.raises(saving.NotSent):
        editor.save()
    assert editor.sent() == []
    assert editor.recorded() == []


def test_two_do_not_save_at_once(editor: Editor) -> None:
    cache.add(f"budget-policy:{editor.endpoint.pk}:{editor.endpoint.uid}:saving", "x")
    with pytest.raises(Busy):
        editor.save()
    assert editor.sent() == []
