"""Somebody is on it: who says so, who sees it, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from endpoints_app.domain.acknowledging import LONGEST
from endpoints_app.models import Acknowledgement, AuditEntry, Endpoint, Fleet
from endpoints_app.services import acknowledging, live, readings
from tests.conftest import Lab
from tests.services.conftest import ALL, listed

HOUR = timedelta(hours=1)


@pytest.fixture
def seen(lab: Lab) -> Lab:
    listed(lab)
    return lab


def take(lab: Lab, name: str, by: User, **how: Any) -> Acknowledgement:
    given = {"role": "ML platform on-call", "note": "", "lasting": HOUR} | how
    return acknowledging.acknowledge(lab.endpoint(name), by=by, now=lab.clock(), **given)


def ended(acknowledgement: Acknowledgement) -> str:
    acknowledgement.refresh_from_db()
    return acknowledgement.cleared_because


def test_it_is_kept_with_its_person_and_open_pages_hear_of_it(seen: Lab, otto: User) -> None:
    before = Fleet.objects.get().revision
    made = take(seen, "fraud-scorer", otto, note="rolling back")

    assert (made.role, made.actor, made.until) == ("ML platform on-call", otto, seen.clock() + HOUR)
    assert seen.endpoint("fraud-scorer").revision == Fleet.objects.get().revision == before + 1
    entry = AuditEntry.objects.get(action="acknowledged")
    assert (entry.actor, entry.endpoint, entry.detail["reason"]) == (
        otto,
        "fraud-scorer",
        "rolling back",
    )


@pytest.mark.parametrize("name", ["basket-recommender", "card-ocr-v1"])
def test_what_is_well_or_stopped_on_purpose_needs_nobody(seen: Lab, otto: User, name: str) -> None:
    with pytest.raises(acknowledging.NotNeeded):
        take(seen, name, otto)
    assert not Acknowledgement.objects.exists()


def test_the_next_one_replaces_the_one_before(seen: Lab, otto: User, mika: User) -> None:
    first, second = take(seen, "fraud-scorer", otto), take(seen, "fraud-scorer", mika)

    assert ended(first) == "replaced"
    row = seen.endpoint("fraud-scorer")
    assert acknowledging.standing([row.pk], seen.clock()) == {row.pk: second}


def test_nobody_is_on_it_for_longer_than_is_allowed(seen: Lab, otto: User) -> None:
    assert take(seen, "fraud-scorer", otto, lasting=timedelta(days=99)).until == (
        seen.clock() + LONGEST
    )


def test_it_is_ended_by_hand_once(seen: Lab, otto: User) -> None:
    made, row = take(seen, "fraud-scorer", otto), seen.endpoint("fraud-scorer")

    assert acknowledging.clear(row, by=otto, now=seen.clock())
    assert ended(made) == "by_hand"
    assert not acknowledging.clear(row, by=otto, now=seen.clock())
    assert AuditEntry.objects.filter(action="acknowledgement cleared").count() == 1


def test_the_clock_ends_it_before_any_row_is_written_and_then_tells_open_pages(
    seen: Lab, otto: User
) -> None:
    made, row = take(seen, "fraud-scorer", otto), seen.endpoint("fraud-scorer")
    seen.clock.forward(3600)
    assert acknowledging.standing([row.pk], seen.clock()) == {}

    acknowledging.expire(now=seen.clock())
    assert ended(made) == "expired"
    assert seen.endpoint("fraud-scorer").revision == Fleet.objects.get().revision > row.revision
    before = Fleet.objects.get().revision
    acknowledging.expire(now=seen.clock())
    assert Fleet.objects.get().revision == before


def test_a_reading_that_shows_it_well_ends_it_in_the_same_transaction(
    seen: Lab, otto: User, behind_our_back: Callable[..., None]
) -> None:
    made, other = take(seen, "fraud-scorer", otto), take(seen, "checkout-ranker", otto)
    behind_our_back("fraud-scorer", state={"ready": "READY", "config_update": "NOT_UPDATING"})
    seen.sync()

    assert seen.endpoint("fraud-scorer").status == "ready"
    assert ended(made) == "recovered"
    assert made.cleared_at == seen.endpoint("fraud-scorer").status_since
    assert ended(other) == ""


def test_unknown_and_a_repair_under_way_end_nothing(seen: Lab, otto: User) -> None:
    made, row = take(seen, "fraud-scorer", otto), seen.endpoint("fraud-scorer")
    seen.clock.forward(1)
    with live.writing():
        change = readings.miss(row, seen.clock(), look_at=seen.clock())
        readings.save([row], [], [change])
    assert change is not None
    assert ended(made) == ""


def test_a_deleted_endpoint_has_nobody_on_it(seen: Lab, otto: User) -> None:
    made, row = take(seen, "fraud-scorer", otto), seen.endpoint("fraud-scorer")
    with live.writing():
        readings.save([row], [], [readings.bury(row, seen.clock())])
    assert ended(made) == "gone"


def test_a_workspace_that_answers_again_ends_it_for_what_was_well_all_along(
    seen: Lab, otto: User
) -> None:
    seen.emulator.fault("status", match=ALL, status=503)
    seen.sync(300)
    well, broken = take(seen, "basket-recommender", otto), take(seen, "fraud-scorer", otto)
    seen.emulator.clear_faults()
    seen.sync()

    assert ended(well) == "recovered"
    assert ended(broken) == ""


def test_what_one_said_before_is_offered_first(seen: Lab, otto: User, mika: User) -> None:
    take(seen, "fraud-scorer", otto, role="ML platform on-call")
    take(seen, "checkout-ranker", mika, role="Search on-call")
    assert acknowledging.roles_said(mika) == ["Search on-call", "ML platform on-call"]


def test_a_deleted_account_leaves_its_name(seen: Lab, otto: User) -> None:
    made = take(seen, "fraud-scorer", otto)
    otto.delete()
    made.refresh_from_db()
    assert (made.actor, made.actor_name) == (None, "Otto")
    assert Endpoint.objects.filter(acknowledged=made).exists()
