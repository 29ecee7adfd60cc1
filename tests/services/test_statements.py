"""A statement that was written once answers as the query it was written from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from endpoints_app.models import Acknowledgement, Endpoint, Operation, StatusPayload
from endpoints_app.services.statements import Statement
from tests.conftest import Lab, make_user

A_PERSON = 2**31 - 1
COLUMNS = ("username", "is_active", "date_joined", "groups__name")


def test_it_answers_with_the_same_rows_in_the_same_types(db: None) -> None:
    people = [make_user("anna", "viewer"), make_user("ben", "manager", "operator")]
    statement = Statement(lambda pk: User.objects.filter(pk=pk).values(*COLUMNS), A_PERSON)

    for person in [*people, *people]:
        with CaptureQueriesContext(connection) as captured:
            found = statement.rows(person.pk)
        wanted = list(User.objects.filter(pk=person.pk).values(*COLUMNS))
        assert sorted(found, key=str) == sorted(wanted, key=str)
        assert len(captured) == 1
    assert statement.rows(0) == []


def test_a_document_and_a_time_are_what_they_were(db: None) -> None:
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    StatusPayload.objects.create(pk=1, sources={"1": [2.5, 0]}, seen_at=at)
    statement = Statement(
        lambda version: StatusPayload.objects.filter(pk=1).values(**StatusPayload.columns(version)),
        2**62,
    )

    (row,) = statement.rows(5)

    assert (row["payload_sources"], row["payload_seen_at"]) == ({"1": [2.5, 0]}, at)
    assert row["payload_document"] is None


def test_a_sample_that_the_query_does_not_take_is_an_error(db: None) -> None:
    statement = Statement(lambda pk: User.objects.values("username"), A_PERSON)

    with pytest.raises(ValueError, match="sample"):
        statement.rows(1)


def test_a_query_with_values_has_rows_and_no_objects(db: None) -> None:
    statement = Statement(lambda pk: User.objects.filter(pk=pk).values("username"), A_PERSON)

    with pytest.raises(TypeError, match="values"):
        statement.objects(1)


# Objects ---------------------------------------------------------------------------------------

UNDER_WAY = ("workspace", "cause", "open_operation", "acknowledgement")


@pytest.fixture
def stopping(lab: Lab, otto: User) -> Lab:
    """One endpoint was stopped by us, is being started, and somebody is on it; others have nothing
    of the kind."""
    lab.sync()
    endpoint, now = Endpoint.objects.order_by("pk")[0], lab.clock.now
    of_ours = {"endpoint": endpoint, "requested_at": now, "send_by": now, "next_look_at": now}
    endpoint.cause = Operation.objects.create(kind="stop", state="confirmed", **of_ours)
    endpoint.save()
    Operation.objects.create(kind="start", **of_ours)
    Acknowledgement.objects.create(endpoint=endpoint, role="ops", at=now, until=now.replace(day=28))
    return lab


def told(thing: models.Model | None) -> dict[str, object] | None:
    return thing and {k: v for k, v in thing.__dict__.items() if k != "_state"}


def test_it_makes_the_objects_that_the_query_makes(stopping: Lab) -> None:
    def build(workspace: int) -> models.QuerySet[Endpoint]:
        found = Endpoint.objects.with_what_is_under_way().annotate(flips=Count("changes"))
        return found.filter(workspace=workspace).defer("document", "cause__reason").order_by("pk")

    statement = Statement(build, 2**62)

    for _ in range(2):
        wanted = list(build(stopping.workspace.pk))
        with CaptureQueriesContext(connection) as captured:
            found = statement.objects(stopping.workspace.pk)
            assert len(found) > 10
            for one, other in zip(found, wanted, strict=True):
                assert one == other
                assert told(one) == told(other)
                assert (one._state.adding, one._state.db) == (False, "default")
                assert one.get_deferred_fields() == {"document"}
                for name in UNDER_WAY:
                    assert told(getattr(one, name, None)) == told(getattr(other, name, None))
        assert len(captured) == 1
    assert found[0].cause.get_deferred_fields() == {"reason"}
    assert found[0].open_operation.kind == "start"
    assert found[0].acknowledgement.role == "ops"
    assert found[0].acknowledgement.endpoint is found[0]
    assert statement.objects(0) == []


def prepared() -> int:
    """Plans of ours that PostgreSQL keeps for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0] or 0)


@pytest.mark.parametrize("wanted", [True, False])
def test_postgresql_plans_it_once_for_a_connection_where_it_may(
    db: None, settings: Any, wanted: bool
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps its plans by itself")
    statement = Statement(lambda pk: User.objects.filter(pk=pk).values("email"), A_PERSON)
    before = connection.connection.prepare_threshold
    settings.DATABASE_PREPARE = wanted
    connection.connection.prepare_threshold = connection.get_connection_params()[
        "prepare_threshold"
    ]
    try:
        known = prepared()
        for _ in range(7):
            statement.rows(A_PERSON - 1)
        User.objects.filter(pk=1).exists()  # what is not asked over and over is not kept
        assert prepared() - known == (7 if wanted else 0)
    finally:
        connection.connection.prepare_threshold = before
