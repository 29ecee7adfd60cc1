"""All operations, with filters, and one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from endpoints_app.models import Operation
from endpoints_app.services import operation_list
from endpoints_app.templatetags import kept
from tests.views.conftest import Fleet
from tests.views.pages import kept_or_not, one, soup, text


@pytest.fixture
def several(fleet: Fleet, otto: User, mika: User) -> dict[str, Operation]:
    """One operation for each way they end."""

    def settled(name: str, kind: str, by: User, **fields: object) -> Operation:
        operation = fleet.ask(name, kind, by, confirm=name, reason=f"because of {name}")
        sent = {"sending_at": fleet.clock.now, "sent_at": fleet.clock.now}
        Operation.objects.filter(pk=operation.pk).update(**{**sent, **fields})
        return operation

    done = {"settled_at": fleet.clock.now + timedelta(seconds=90)}
    not_sent = {"sending_at": None, "sent_at": None}
    found = {
        "open": settled("lead-scoring", "stop", otto, state="sent"),
        "done": settled("customer-ltv", "stop", otto, state="confirmed", outcome="read", **done),
        "failed": settled(
            "card-ocr-v1",
            "start",
            mika,
            state="failed",
            outcome="refused_by_databricks",
            detail="Quota exceeded.",
            **done,
        ),
        "not_confirmed": settled(
            "price-elasticity", "stop", otto, state="not_confirmed", outcome="deadline", **done
        ),
        "not_done": settled(
            "vision-defects",
            "delete",
            mika,
            state="cancelled",
            outcome="withdrawn",
            settled_by="Mika",
            **not_sent,
            **done,
        ),
    }
    fleet.forward(120)
    fleet.answered()
    return found


def page(client: Client, query: str = "") -> BeautifulSoup:
    response = client.get(f"/operations/{query}")
    assert response.status_code == 200
    return soup(response)


def shown(found: BeautifulSoup) -> set[str]:
    return {text(row, "th a.name") for row in found.select("tr[data-operation]")}


@pytest.mark.parametrize("outcome", ["open", "done", "failed", "not_confirmed", "not_done"])
def test_each_outcome_is_counted_and_filtered(
    outcome: str, several: dict[str, Operation], as_vera: Client
) -> None:
    found = page(as_vera, f"?outcome={outcome}")

    assert shown(found) == {several[outcome].endpoint.name}
    assert [b.get_text() for b in found.select("#counts b")] == ["1"] * 5


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?kind=start", {"card-ocr-v1"}),
        ("?who=Mika", {"card-ocr-v1", "vision-defects"}),
        ("?workspace=lab&kind=delete", {"vision-defects"}),
        ("?who=Mika&outcome=failed", {"card-ocr-v1"}),
        ("?kind=&outcome=&who=&workspace=&period=24h", None),
    ],
)
def test_filters_leave_what_matches(
    query: str, names: set[str] | None, several: dict[str, Operation], as_vera: Client
) -> None:
    everything = {operation.endpoint.name for operation in several.values()}

    assert shown(page(as_vera, query)) == (everything if names is None else names)


def test_a_row_says_what_became_of_it_who_asked_and_why(
    several: dict[str, Operation], as_vera: Client
) -> None:
    row = one(page(as_vera), f"#operation-{several['failed'].pk}")

    assert (row["data-operation"], row["data-state"]) == ("start", "failed")
    said = row.get_text(" ")
    for words in ("Refused by Databricks", "Quota exceeded", "Mika", "because of card-ocr-v1"):
        assert words in said


def test_open_ones_come_first(several: dict[str, Operation], as_vera: Client) -> None:
    first = page(as_vera).select("tr[data-operation]")[0]

    assert first["data-state"] == "sent"


def test_old_ones_are_shown_when_asked_for_and_open_ones_always(
    several: dict[str, Operation], fleet: Fleet, as_vera: Client
) -> None:
    fleet.forward(8 * 24 * 3600)

    assert shown(page(as_vera)) == shown(page(as_vera, "?period=7d")) == {"lead-scoring"}
    assert len(shown(page(as_vera, "?period=30d"))) == len(shown(page(as_vera, "?period=all"))) == 5


NONSENSE = {
    "outcome=maybe": "Outcome",
    "kind=explode": "Kind",
    "who=nobody": "Asked by",
    "who=%00": "Asked by",
    "workspace=other": "Workspace",
    "period=yesterday": "Since",
    "page=0": "Page",
    "page=1e9": "Page",
}


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_in_the_address_filters_nothing_and_is_named(
    query: str, several: dict[str, Operation], as_vera: Client
) -> None:
    found = page(as_vera, f"?{query}")

    assert NONSENSE[query] in text(found, "main > .notice")
    assert len(shown(found)) == 5
    assert as_vera.get(f"/operations/changes/?{query}").status_code == 200


def test_a_page_beyond_the_last_is_the_last(several: dict[str, Operation], as_vera: Client) -> None:
    assert len(shown(page(as_vera, "?page=99"))) == 5


def test_without_any_it_says_what_will_be_here(fleet: Fleet, as_vera: Client) -> None:
    assert "listed here" in text(page(as_vera), "#operations")


def test_more_rows_cost_no_more_queries(
    fleet: Fleet,
    as_vera: Client,
    otto: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Session, account; the head; who asked; counts, rows."""
    number = 2 + 3 + 1 + 2
    with django_assert_num_queries(number):
        page(as_vera)
    for name in ("customer-ltv", "lead-scoring", "price-elasticity", "basket-recommender"):
        fleet.ask(name, "stop", otto)
    with django_assert_num_queries(number):
        page(as_vera)


def test_parts_that_are_kept_say_what_each_address_asks_in_each_language(
    several: dict[str, Operation], as_vera: Client, as_mika: Client
) -> None:
    """Two readers in turn get each address as if it were the first."""

    def told(client: Client, query: str, language: str) -> tuple[str, str]:
        response = client.get(f"/operations/{query}", headers={"accept-language": language})
        found = soup(response)
        return str(one(found, "#filters")), str(one(found, "#counts"))

    first = kept_or_not(
        told,
        ("", "?kind=stop", "?who=Mika&outcome=done", "?period=7d&kind=stop"),
        [as_vera, as_mika],
        kept.forget,
    )
    assert len(set(first)) == 8


def test_what_is_kept_follows_what_happens(
    several: dict[str, Operation], fleet: Fleet, as_vera: Client, otto: User
) -> None:
    before = page(as_vera)
    assert len(shown(before)) == 5
    Operation.objects.filter(state="sent").update(state="confirmed", outcome="read")
    fleet.ask("basket-recommender", "stop", otto)
    Operation.objects.filter(endpoint__name="card-ocr-v1").update(actor_name="Nina")

    after = page(as_vera)
    assert "basket-recommender" in shown(after)
    assert [b.get_text() for b in after.select("#counts b")] == ["1", "1", "1", "2", "1"]
    assert "Nina" in text(after, "#filters [name=who]")
    assert shown(page(as_vera, "?who=Nina")) == {"card-ocr-v1"}


def test_time_goes_on_for_statements_that_were_written(
    several: dict[str, Operation], fleet: Fleet, as_vera: Client
) -> None:
    assert len(shown(page(as_vera))) == 5
    fleet.forward(25 * 3600)
    assert shown(page(as_vera)) == {several["open"].endpoint.name}


def test_who_sees_a_workspace_is_asked_for_it_alone(
    several: dict[str, Operation], as_vera: Client
) -> None:
    """Also after somebody who sees others; and of none there is nothing."""
    seen = next(iter(several.values())).endpoint.workspace_id
    now = timezone.now()
    found = operation_list.page([seen], operation_list.Filters(period="all"), now)
    assert found.total == len(found.operations) == 5
    for visible in ([seen + 1], []):
        assert operation_list.page(visible, operation_list.Filters(period="all"), now).total == 0
        assert operation_list.actors(visible) == []
    assert operation_list.actors([seen]) == ["Mika", "Otto"]


# One of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["open", "done", "failed", "not_confirmed", "not_done"])
def test_each_has_its_page_with_its_steps_and_its_record(
    outcome: str, several: dict[str, Operation], as_vera: Client
) -> None:
    operation = several[outcome]
    operation.refresh_from_db()

    found = soup(as_vera.get(f"/operations/{operation.pk}/"))

    steps = one(found, "#operation-live [data-operation]")
    assert (steps["data-operation"], steps["data-state"]) == (operation.kind, operation.state)
    record = found.select("#operation-live table tbody tr")
    assert len(record) == 1
    assert operation.actor_name in record[0].get_text(" ")
    assert f"because of {operation.endpoint.name}" in found.get_text(" ")


def test_an_unconfirmed_one_is_never_called_done(
    several: dict[str, Operation], as_vera: Client
) -> None:
    found = soup(as_vera.get(f"/operations/{several['not_confirmed'].pk}/"))

    assert "Not confirmed" in text(found, ".steps")
    assert "Done" not in text(found, ".steps")


def test_the_operation_of_a_deleted_endpoint_is_still_there(
    several: dict[str, Operation], fleet: Fleet, as_vera: Client
) -> None:
    gone = fleet.bury("customer-ltv")

    found = soup(as_vera.get(f"/operations/{several['done'].pk}/"))

    assert found.select(f'a[href="{gone.get_absolute_url()}"]')
    assert as_vera.get(gone.get_absolute_url()).status_code == 200


def test_the_one_who_asked_is_named_after_the_account_is_gone(
    several: dict[str, Operation], as_vera: Client, mika: User
) -> None:
    mika.delete()

    assert "Mika" in one(page(as_vera), f"#operation-{several['failed'].pk}").get_text(" ")
    assert as_vera.get(f"/operations/{several['failed'].pk}/").status_code == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "No operation in the last 24 hours"),
        ("?page=3", "No operation in the last 24 hours"),
        ("?kind=stop", "No operation matches"),
        ("?period=7d", "No operation matches"),
    ],
)
def test_that_there_is_none_is_said_of_what_was_asked(
    query: str, said: str, fleet: Fleet, as_vera: Client
) -> None:
    assert text(page(as_vera, query), "#operations-empty h2") == said
