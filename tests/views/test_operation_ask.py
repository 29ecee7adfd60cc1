"""Asking for a stop, start or delete: the dialog, its page without JavaScript, and the click."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from endpoints_app.models import AuditEntry, MetricSample, Operation
from tests.views.conftest import Fleet
from tests.views.pages import news, one, soup, text

URL = "/w/lab/e/customer-ltv/operations/"
STOPPED = "/w/lab/e/card-ocr-v1/operations/"
HTMX = {"HX-Request": "true"}


def post(client: Client, url: str = URL, *, script: bool = False, **fields: str) -> Any:
    return client.post(url, fields, headers=HTMX if script else {})


# The dialog and its page -----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["vera", "otto", "mika"])
@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("customer-ltv", "stop", "otto"),
        ("card-ocr-v1", "start", "otto"),
        ("customer-ltv", "delete", "mika"),
    ],
)
def test_dialog_and_page_offer_the_same_to_who_may(
    who: str, name: str, kind: str, least: str, fleet: Fleet, request: Any
) -> None:
    client = request.getfixturevalue(f"as_{who}")
    may = who == "mika" or who == least

    for url in (f"/w/lab/e/{name}/{kind}/", f"/w/lab/e/{name}/{kind}/dialog/"):
        ask = one(soup(client.get(url)), "#ask")
        assert bool(ask.select("form")) is may
        if may:
            form = one(ask, "form")
            assert (form["method"], form["action"]) == ("post", f"/w/lab/e/{name}/operations/")
            assert form.get("hx-post", form["action"]) == form["action"]
            assert one(form, "button[name=kind]")["value"] == kind
            assert form.select("input[name=csrfmiddlewaretoken][value]")
        else:
            assert "you need the role" in text(ask, ".notice")


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("gpt-4o-proxy", "stop", "only endpoints of custom models"),
        ("databricks-gte-large-en", "delete", "belong to Databricks"),
        ("churn", "stop", "An update is running"),
        ("kyc-face-match", "stop", "not one we know"),
    ],
)
def test_what_databricks_would_refuse_is_said_before_it_is_asked(
    name: str, kind: str, why: str, as_mika: Client
) -> None:
    ask = one(soup(as_mika.get(f"/w/lab/e/{name}/{kind}/")), "#ask")

    assert not ask.select("form")
    assert why in text(ask, ".notice")


def test_the_stop_dialog_says_what_a_stop_means(as_otto: Client) -> None:
    said = text(soup(as_otto.get("/w/lab/e/customer-ltv/stop/")), "#ask")

    for fact in ("400", "quota", "new config version", "Released"):
        assert fact in said


def test_the_start_dialog_says_which_configuration_comes(fleet: Fleet, as_otto: Client) -> None:
    version = fleet.endpoint("card-ocr-v1").config_version or 0

    said = text(soup(as_otto.get("/w/lab/e/card-ocr-v1/start/")), "#ask")

    assert f"{version} → {version + 1}" in said


def test_the_delete_dialog_says_that_nobody_can_undo_it(as_mika: Client) -> None:
    ask = one(soup(as_mika.get("/w/lab/e/customer-ltv/delete/")), "#ask")

    assert "Nobody can undo this" in ask.get_text(" ")
    assert one(ask, "input[name=confirm]")["autocomplete"] == "off"
    assert not one(ask, "input[name=confirm]").get("value")


def test_cancel_has_the_focus_and_leads_back(as_mika: Client) -> None:
    for kind in ("stop", "delete"):
        focused = one(soup(as_mika.get(f"/w/lab/e/customer-ltv/{kind}/")), "#ask [autofocus]")
        assert focused.name == "a"
        assert focused["href"] == "/w/lab/e/customer-ltv/"


def test_looking_at_a_dialog_asks_for_nothing(as_mika: Client) -> None:
    for kind in ("stop", "start", "delete"):
        as_mika.get(f"/w/lab/e/customer-ltv/{kind}/")
        as_mika.get(f"/w/lab/e/customer-ltv/{kind}/dialog/")

    assert not Operation.objects.exists()
    assert not AuditEntry.objects.exists()


# The click -------------------------------------------------------------------------------------


def test_the_click_becomes_an_operation_with_its_record(
    fleet: Fleet, as_otto: Client, otto: User
) -> None:
    response = post(as_otto, kind="stop", reason="  idle at night  ")

    assert response.status_code == 302
    assert response["Location"] == "/w/lab/e/customer-ltv/"
    operation = Operation.objects.get()
    assert (operation.kind, operation.state, operation.endpoint.name) == (
        "stop",
        "queued",
        "customer-ltv",
    )
    assert (operation.actor, operation.actor_name, operation.reason) == (
        otto,
        "Otto",
        "idle at night",
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.operation) == (otto, "stop asked", operation)
    assert (entry.workspace, entry.endpoint) == ("lab", "customer-ltv")
    assert entry.detail["reason"] == "idle at night"


def test_the_page_after_the_click_shows_the_operation(fleet: Fleet, as_otto: Client) -> None:
    response = as_otto.post(URL, {"kind": "stop"}, follow=True)

    steps = one(soup(response), "#strip [data-operation]")
    assert (steps["data-operation"], steps["data-state"]) == ("stop", "queued")


def test_a_script_is_answered_with_the_row_that_shows_it(fleet: Fleet, as_otto: Client) -> None:
    response = post(as_otto, script=True, kind="stop")

    assert response.status_code == 200
    found = news(response)
    assert found.select("#ask[data-done]"), "the dialog closes"
    row = one(found, "wrapped > tr")
    assert row["data-endpoint"] == "lab/customer-ltv"
    shown = one(row, "[data-operation]")
    assert (shown["data-operation"], shown["data-state"]) == ("stop", "queued")
    assert not found.select("html")


@pytest.mark.parametrize("script", [False, True])
def test_a_second_click_is_the_same_operation(script: bool, as_otto: Client) -> None:
    first = post(as_otto, script=script, kind="stop")
    second = post(as_otto, script=script, kind="stop")

    assert first.status_code == second.status_code
    assert Operation.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_two_people_who_click_meet_in_one_operation(
    as_otto: Client, as_mika: Client, otto: User
) -> None:
    post(as_otto, kind="stop")

    assert post(as_mika, kind="stop").status_code == 302
    assert Operation.objects.get().actor == otto


def test_another_operation_meanwhile_is_refused_with_a_sentence(as_mika: Client) -> None:
    post(as_mika, kind="stop")

    response = post(as_mika, kind="delete", confirm="customer-ltv", reason="unused")

    assert response.status_code == 409
    assert "Another operation on it is under way" in text(soup(response), "#ask [role=alert]")
    assert Operation.objects.get().kind == "stop"


def test_a_delete_wants_the_name_typed(as_mika: Client) -> None:
    for typed in ("", "customer", "Customer-LTV", "customer-ltv ", "churn"):
        response = post(as_mika, kind="delete", confirm=typed, reason="not used since May")

        assert response.status_code == 400
        ask = one(soup(response), "#ask")
        assert "Type it exactly" in ask.get_text(" ")
        assert one(ask, "input[name=confirm]")["aria-invalid"] == "true"
        assert text(ask, "textarea[name=reason]") == "not used since May", "nothing typed is lost"
    assert not Operation.objects.exists()

    assert post(as_mika, kind="delete", confirm="customer-ltv").status_code == 302
    assert Operation.objects.get().kind == "delete"


@pytest.mark.parametrize("script", [False, True])
def test_a_reason_that_is_too_long_comes_back_to_be_shortened(
    script: bool, as_otto: Client
) -> None:
    response = post(as_otto, script=script, kind="stop", reason="x" * 501)

    assert response.status_code == 400
    found = soup(response)
    area = one(found, "#ask textarea[name=reason]")
    assert area.get_text() == "x" * 501
    assert area["aria-invalid"] == "true"
    assert bool(found.select("html")) is not script
    assert not Operation.objects.exists()


def test_a_reason_of_the_full_length_is_taken_however_lines_end(as_otto: Client) -> None:
    lines = "\r\n".join(["x" * 99] * 5)

    assert post(as_otto, kind="stop", reason=lines).status_code == 302
    assert Operation.objects.get().reason == "\n".join(["x" * 99] * 5)


@pytest.mark.parametrize("reason", ["a\0b", "<script>alert(1)</script>", "\ud83d", "日本語 🔥"])
def test_an_odd_reason_breaks_nothing(reason: str, fleet: Fleet, as_otto: Client) -> None:
    data = {
        "kind": "stop",
        "reason": reason.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    }

    response = as_otto.post(URL, data)

    assert response.status_code in (302, 400)
    page = as_otto.get("/w/lab/e/customer-ltv/")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize("kind", ["", "explode", "STOP", "stop\0", "permissions"])
@pytest.mark.parametrize("script", [False, True])
def test_a_kind_that_is_none_is_refused(kind: str, script: bool, as_mika: Client) -> None:
    response = post(as_mika, script=script, kind=kind)

    assert response.status_code == 400
    assert b"stop, start or delete" in response.content
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("name", "kind"), [("gpt-4o-proxy", "stop"), ("churn", "stop"), ("kyc-face-match", "start")]
)
@pytest.mark.parametrize("script", [False, True])
def test_what_the_rules_forbid_is_refused_whatever_the_page_offered(
    name: str, kind: str, script: bool, as_mika: Client
) -> None:
    response = post(as_mika, f"/w/lab/e/{name}/operations/", script=script, kind=kind)

    assert response.status_code == 409
    assert "Nothing was sent" in text(soup(response), "#ask [role=alert]")
    assert not Operation.objects.exists()


def test_stopping_what_is_stopped_is_no_refusal(as_otto: Client) -> None:
    """The live state is read first: it succeeds without effect, and is recorded so."""
    assert post(as_otto, STOPPED, kind="stop").status_code == 302
    assert Operation.objects.get().kind == "stop"


def test_a_gone_endpoint_takes_no_operation(fleet: Fleet, as_mika: Client) -> None:
    row = fleet.bury("customer-ltv")

    assert post(as_mika, kind="stop").status_code == 404
    response = post(as_mika, f"{URL}?id={row.uid}", kind="delete", confirm="customer-ltv")
    assert response.status_code == 409
    assert "no longer exists" in text(soup(response), "#ask [role=alert]")
    assert not Operation.objects.exists()


def test_where_the_click_leads_is_not_the_senders_to_say(as_otto: Client) -> None:
    fields = {"kind": "stop", "next": "https://evil.example/", "redirect": "//evil.example"}

    assert (
        as_otto.post(f"{URL}?next=//evil.example", fields)["Location"] == "/w/lab/e/customer-ltv/"
    )


# Cross-site requests ---------------------------------------------------------------------------


@pytest.fixture
def strict(fleet: Fleet, otto: User) -> Client:
    """otto's browser, with the check that tests usually skip."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(otto)
    return client


@pytest.mark.parametrize("token", ["", "x" * 64])
@pytest.mark.parametrize("script", [False, True])
def test_a_form_of_another_site_is_refused_with_a_sentence(
    token: str, script: bool, strict: Client
) -> None:
    strict.get("/endpoints/")

    response = post(strict, script=script, kind="stop", csrfmiddlewaretoken=token)

    assert response.status_code == 403
    assert "nothing was sent" in soup(response).get_text(" ")
    assert bool(soup(response).select("html")) is not script
    assert not Operation.objects.exists()


def test_the_token_of_the_page_is_taken(strict: Client) -> None:
    form = one(soup(strict.get("/w/lab/e/customer-ltv/stop/")), "#ask form")
    token = str(one(form, "input[name=csrfmiddlewaretoken]")["value"])

    assert post(strict, kind="stop", csrfmiddlewaretoken=token).status_code == 302


# Without Redis ---------------------------------------------------------------------------------


def test_with_the_broker_gone_the_click_is_recorded_within_a_second(
    as_otto: Client, django_capture_on_commit_callbacks: Any
) -> None:
    started = time.perf_counter()

    with django_capture_on_commit_callbacks(execute=True):
        response = post(as_otto, kind="stop")

    assert time.perf_counter() - started < 1
    assert response.status_code == 302
    assert Operation.objects.get().state == "queued"


# Withdrawing -----------------------------------------------------------------------------------


def test_what_was_not_sent_can_be_withdrawn(fleet: Fleet, as_mika: Client, otto: User) -> None:
    operation = fleet.ask("customer-ltv", "stop", otto)
    page = soup(as_mika.get(f"/operations/{operation.pk}/"))
    action = str(one(page, 'form[action$="/withdraw/"]')["action"])

    response = as_mika.post(action)

    assert response["Location"] == f"/operations/{operation.pk}/"
    operation.refresh_from_db()
    assert (operation.state, operation.settled_by) == ("cancelled", "Mika")
    latest = AuditEntry.objects.order_by("pk").last()
    assert latest is not None
    assert (latest.action, latest.actor_name) == ("stop withdrawn", "Mika")
    assert not soup(as_mika.get(f"/operations/{operation.pk}/")).select(
        'form[action$="/withdraw/"]'
    )


def test_too_late_to_withdraw_is_shown_and_changes_nothing(
    fleet: Fleet, as_otto: Client, otto: User
) -> None:
    operation = fleet.ask("customer-ltv", "stop", otto)
    Operation.objects.update(state="sent", sending_at=fleet.clock.now, sent_at=fleet.clock.now)

    response = as_otto.post(f"/operations/{operation.pk}/withdraw/", follow=True)

    assert response.status_code == 200
    assert one(soup(response), "#operation-live [data-operation]")["data-state"] == "sent"
    assert AuditEntry.objects.count() == 1


def test_an_operator_cannot_withdraw_a_managers_delete(
    fleet: Fleet, as_otto: Client, mika: User
) -> None:
    operation = fleet.ask("customer-ltv", "delete", mika, confirm="customer-ltv")

    assert as_otto.post(f"/operations/{operation.pk}/withdraw/").status_code == 403
    operation.refresh_from_db()
    assert operation.state == "queued"
    page = soup(as_otto.get(f"/operations/{operation.pk}/"))
    assert not page.select('form[action$="/withdraw/"]')


# Roles of a single workspace -------------------------------------------------------------------


def test_a_role_in_one_workspace_is_none_in_another(
    fleet: Fleet, vera: User, browser: Callable[[User], Client]
) -> None:
    fleet.other(fleet.document("customer-ltv") | {"id": "of-other"})
    vera.groups.add(Group.objects.get(name="operator in other"))
    client = browser(vera)

    assert post(client, kind="stop").status_code == 403
    assert post(client, "/w/other/e/customer-ltv/operations/", kind="stop").status_code == 302


# After a while ---------------------------------------------------------------------------------


def test_the_usual_time_of_a_start_is_said_where_it_is_known(
    fleet: Fleet, as_otto: Client, otto: User
) -> None:
    done = fleet.ask("card-ocr-v1", "start", otto)
    sent = fleet.clock.now - timedelta(minutes=30)
    Operation.objects.filter(pk=done.pk).update(
        state="confirmed",
        outcome="read",
        sending_at=sent,
        sent_at=sent,
        settled_at=sent + timedelta(minutes=7),
    )

    assert "7 min" in text(soup(as_otto.get("/w/lab/e/card-ocr-v1/start/")), "#ask")


def test_the_moment_of_the_click_is_the_servers(fleet: Fleet, as_otto: Client) -> None:
    post(as_otto, kind="stop")

    operation = Operation.objects.get()
    assert operation.requested_at == timezone.now() == fleet.clock.now
    assert operation.send_by - operation.requested_at == timedelta(minutes=2)


# Traffic ---------------------------------------------------------------------------------------


def sampled(fleet: Fleet, minutes: int, requests: float) -> None:
    """The last so many minutes of it were, each with so many requests."""
    MetricSample.objects.bulk_create(
        MetricSample(
            endpoint=fleet.endpoint("customer-ltv"),
            at=fleet.clock.now - timedelta(minutes=ago),
            requests=requests,
        )
        for ago in range(1, minutes + 1)
    )


@pytest.mark.parametrize("kind", ["stop", "delete"])
def test_the_traffic_of_the_last_hour_is_among_the_facts(
    kind: str, fleet: Fleet, as_mika: Client
) -> None:
    sampled(fleet, 90, 20)
    facts = text(soup(as_mika.get(f"/w/lab/e/customer-ltv/{kind}/dialog/")), ".facts")
    assert "Traffic, last hour 1,200 requests (known until 0 s ago )" in facts


def test_of_an_hour_that_is_known_in_part_that_is_said(fleet: Fleet, as_mika: Client) -> None:
    sampled(fleet, 12, 3)
    MetricSample.objects.create(
        endpoint=fleet.endpoint("customer-ltv"),
        at=fleet.clock.now - timedelta(minutes=30),
        answer="TimedOut",
    )
    facts = text(soup(as_mika.get("/w/lab/e/customer-ltv/stop/dialog/")), ".facts")
    assert "36 requests in the 12 minutes that are known" in facts


def test_traffic_that_nobody_knows_is_not_none(fleet: Fleet, as_mika: Client) -> None:
    facts = text(soup(as_mika.get("/w/lab/e/customer-ltv/stop/dialog/")), ".facts")
    assert "Not known: nobody watches its metrics" in facts
    stopped = text(soup(as_mika.get("/w/lab/e/card-ocr-v1/delete/dialog/")), ".facts")
    assert "Traffic" not in stopped
