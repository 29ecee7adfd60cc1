"""A statement that was written once answers as the query it was written from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints_app.models import StatusPayload
from endpoints_app.services.statements import Statement
from tests.conftest import make_user

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
