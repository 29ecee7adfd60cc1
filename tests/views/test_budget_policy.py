"""The panel of an endpoint's budget policy, and changing it with plain forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from endpoints_app.domain.budget import Call
from endpoints_app.models import AuditEntry
from endpoints_app.services import live, readings
from tests.conftest import Lab
from tests.policies import NEW, OLD, ROUTE, THEIRS, attach
from tests.views.pages import inline, one, soup, text

NAME = "basket-recommender"
PAGE = f"/w/lab/e/{NAME}/budget/"
EDIT = f"{PAGE}edit/"
PART = f"{PAGE}changes/"
GET = "/api/2.0/serving-endpoints/{name}"
EXTERNAL = "/w/lab/e/gpt-4o-proxy/budget/"
PAY_PER_TOKEN = "/w/lab/e/databricks-meta-llama-3-3-70b-instruct/budget/"

Behind = Callable[[str], None]


@pytest.fixture
def somebody_else(lab: Lab) -> Behind:
    """Attaches a policy in the workspace itself."""

    def change(policy: str) -> None:
        attach(lab, NAME, policy)
        cache.clear()

    return change


@pytest.fixture(autouse=True)
def _workspace(
    lab: Lab,
    cached: None,
    somebody_else: Behind,
    settings: Any,
    patient: None,
) -> None:
    settings.BUDGET_POLICY_NAMES = {OLD: "shop-search", NEW: "risk"}
    settings.BUDGET_POLICY_CALLS = {"lab": Call("PATCH", ROUTE)}
    somebody_else(OLD)
    lab.sync()


def fault(lab: Lab, kind: str = "status", *, route: str = GET, **options: Any) -> None:
    lab.emulator.fault(kind, match={"route": route}, **options)
    cache.clear()


def page(client: Client, url: str = PAGE) -> BeautifulSoup:
    response = client.get(url)
    assert response.status_code == 200
    return soup(response)


def facts(found: BeautifulSoup) -> list[str]:
    return [" ".join(it.get_text(" ").split()) for it in found.select("dl.policy dd")]


def sent(lab: Lab) -> list[str]:
    return [write.method for write in lab.emulator.calls.writes]


def recorded() -> list[str]:
    return [entry.action for entry in AuditEntry.objects.order_by("pk")]


class Form:
    """A person and the form in front of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.response: Any = client.get(EDIT)

    @property
    def page(self) -> BeautifulSoup:
        return soup(self.response)

    def press(self, step: str, **typed: str) -> Any:
        """As a browser without scripts would send it."""
        form = one(self.page, "main form[method=post].more")
        sent: dict[str, str] = {}
        for tag in form.select("input, select, textarea"):
            chosen = tag.select("option[selected]") or tag.select("option")[:1]
            value = tag.get_text() if tag.name == "textarea" else tag.get("value", "")
            sent[str(tag["name"])] = str(chosen[0]["value"] if chosen else value)
        self.response = self.client.post(EDIT, sent | typed | {"step": step})
        return self.response


# Reading ----------------------------------------------------------------------------------------


def test_a_viewer_sees_which_it_has_and_that_it_is_set_here(viewer: Client) -> None:
    found = page(viewer)
    assert facts(found) == ["shop-search", "Set on this endpoint", OLD, OLD]
    assert "does not tag an endpoint that exists already" in text(found, "#policy")
    assert "this is a preview" in text(found, "#policy")
    assert text(found, ".tabs [aria-current]") == "Budget policy"
    assert not inline(found)


@pytest.mark.parametrize(
    ("url", "why"),
    [(EXTERNAL, "Nothing of it runs at Databricks"), (PAY_PER_TOKEN, "billed by use")],
)
def test_what_cannot_have_one_says_so_and_why(url: str, why: str, manager: Client) -> None:
    found = page(manager, url)
    assert "This endpoint cannot have one" in text(found, "#policy")
    assert why in text(found, "#policy")
    assert not found.select("a#edit")
    assert manager.get(f"{url}edit/")["Location"] == url


def test_none_is_none_only_when_it_was_read(
    viewer: Client, somebody_else: Behind, lab: Lab
) -> None:
    somebody_else("")
    lab.sync()
    assert "It has no budget policy" in text(page(viewer), "#policy")
    fault(lab, status=503)
    row = lab.endpoint(NAME)
    type(row).objects.filter(pk=row.pk).update(
        budget_known=False, budget_policy="", effective_budget_policy="", document_at=None
    )
    found = text(page(viewer), "#policy")
    assert "It has no budget policy" not in found
    assert "Databricks did not give the budget policy" in found


def test_without_a_call_in_the_settings_the_way_leads_to_databricks(
    manager: Client, settings: Any, lab: Lab
) -> None:
    settings.BUDGET_POLICY_CALLS = {}
    found = page(manager)
    assert "publishes no call" in text(found, "section[aria-labelledby=bc-h]")
    link = one(found, "section[aria-labelledby=bc-h] a")
    assert link["href"] == f"{lab.emulator.url}/ml/endpoints/{NAME}"
    assert manager.get(EDIT)["Location"] == PAGE
    assert manager.post(EDIT, {"step": "save", "policy": NEW, "seen": OLD})["Location"] == PAGE
    assert sent(lab) == []


def test_a_viewer_is_told_why_they_cannot_change_it(viewer: Client, manager: Client) -> None:
    assert "role manager" in text(page(viewer), "#edit-not")
    assert one(page(manager), "a#edit")["href"] == EDIT


def test_the_workspace_refuses_to_show_it(viewer: Client, lab: Lab) -> None:
    fault(lab, status=403, body={"error_code": "PERMISSION_DENIED", "message": "Not you."})
    found = text(page(viewer), "[data-state=forbidden]")
    assert "CAN VIEW" in found
    assert "Not you." in found


def test_while_the_workspace_fails_what_was_read_last_is_shown_with_its_age(
    viewer: Client, lab: Lab
) -> None:
    lab.settle()
    fault(lab, status=500)
    found = page(viewer)
    assert "As read at" in text(found, "[data-state=stale]")
    assert facts(found)[0] == "shop-search"


def test_with_a_script_the_page_waits_for_nobody(viewer: Client, lab: Lab) -> None:
    viewer.cookies["script"] = "1"
    lab.emulator.calls.clear()
    found = page(viewer)
    assert lab.emulator.calls.counts.get(f"GET {GET}", 0) == 0
    assert str(one(found, "#policy")["hx-trigger"]).startswith("load")


def test_the_part_is_silent_while_nothing_changes(viewer: Client, somebody_else: Behind) -> None:
    first = one(soup(viewer.get(PART)), "#policy")
    again = viewer.get(PART, {"since": str(first["data-version"])})
    assert again.status_code == 204
    assert again["Desk-Read"]
    somebody_else(THEIRS)
    told = viewer.get(PART, {"since": str(first["data-version"])})
    assert THEIRS in told.content.decode()


def unread(lab: Lab) -> None:
    """Nothing but a list has told of it."""
    lab.workspace.endpoints.filter(name=NAME).update(
        budget_policy="", effective_budget_policy="", budget_known=False, document_at=None
    )
    lab.emulator.calls.clear()
    cache.clear()


def test_it_is_loading_only_where_nothing_is_known(viewer: Client, lab: Lab) -> None:
    unread(lab)
    viewer.cookies["script"] = "on"
    loading = page(viewer)
    assert loading.select("#policy .loading")
    assert not lab.emulator.calls.counts
    part = soup(viewer.get(str(one(loading, "#policy")["hx-get"])))
    assert facts(part)[0] == "shop-search"
    assert not page(viewer).select("#policy .loading")


@pytest.mark.parametrize("kind", ["drop", "half", "status"])
def test_with_nothing_read_before_a_failure_is_an_error_of_the_panel_alone(
    kind: str, viewer: Client, lab: Lab
) -> None:
    unread(lab)
    fault(lab, kind, **({"status": 500} if kind == "status" else {}))
    found = page(viewer)
    assert one(found, "#policy [data-state=error] a.btn")
    assert one(found, "#title")


def test_an_inherited_one_is_told_from_one_that_is_set(viewer: Client, lab: Lab) -> None:
    names = {"effective_budget_policy_id": NEW}
    fault(lab, "lie", set=names, remove=["budget_policy_id", "usage_policy_id"])
    found = page(viewer)
    assert one(found, "dl.policy")["data-standing"] == "inherited"
    assert facts(found) == ["risk", "Inherited", NEW, "nothing"]


def test_a_deleted_endpoint_shows_what_was_read_last(viewer: Client, lab: Lab) -> None:
    lab.settle()
    row = lab.endpoint(NAME)
    with live.writing():
        readings.save([row], [], [readings.bury(row, lab.clock())])
    lab.emulator.calls.clear()
    found = page(viewer, f"{PAGE}?id={row.uid}")
    assert facts(found)[0] == "shop-search"
    assert not found.select("#policy[hx-get], #policy #edit")
    assert not lab.emulator.calls.counts


def test_what_databricks_says_is_text(viewer: Client, lab: Lab) -> None:
    evil = '"><script>alert(1)</script>'
    fault(lab, "lie", set={"budget_policy_id": evil, "effective_budget_policy_id": evil})
    found = page(viewer)
    assert not inline(found)
    assert facts(found)[0] == evil


# Changing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_change_it_gets_no_form_and_sends_none(
    method: str, lab: Lab, vera: User, otto: User, oscar: User, browser: Callable[[User], Client]
) -> None:
    for user, status in ((vera, 403), (otto, 403), (oscar, 404)):
        response = getattr(browser(user), method)(EDIT, {"step": "save", "policy": NEW})
        assert response.status_code == status
        assert not soup(response).select("main form")
    assert sent(lab) == []


def test_a_save_needs_the_token_of_the_form(lab: Lab, mika: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mika)
    assert strict.post(EDIT, {"step": "save", "policy": NEW, "seen": OLD}).status_code == 403
    assert sent(lab) == []


def test_it_is_reviewed_in_words_and_then_changed(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.press("review", policy=NEW)
    assert "shop-search → risk" in text(form.page, "#diff")
    assert "PATCH" in text(form.page, "#review")
    assert not inline(form.page)
    assert sent(lab) == []

    assert form.press("save", reason="moved").status_code == 302
    found = page(manager)
    assert "The budget policy is risk" in text(found, "main > .notice")
    assert one(found, "main > .notice .i.good")
    assert facts(found)[0] == "risk"
    assert sent(lab) == ["PATCH"]
    assert "shop-search → risk" in text(found, "section[aria-labelledby=br-h]")
    assert "moved" in text(found, "section[aria-labelledby=br-h]")
    line = text(page(manager, f"/w/lab/e/{NAME}/activity/"), "#timeline")
    assert "Budget policy changed" in line
    assert "shop-search → risk" in line
    assert "moved" in line


def test_another_can_be_typed(manager: Client) -> None:
    form = Form(manager)
    form.press("review", other="; drop")
    assert form.response.status_code == 400
    assert "cannot be the ID" in text(form.page, "#other-error")
    form.press("review", other=THEIRS)
    assert f"shop-search → {THEIRS}" in text(form.page, "#diff")
    form.press("back")
    assert one(form.page, "input[name=other]")["value"] == THEIRS


@pytest.mark.parametrize("policy", ["", "made-up"])
def test_only_policies_that_are_known_can_be_chosen(policy: str, manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.press("save", policy=policy)
    assert form.response.status_code == 400
    assert one(form.page, "#policy-error")
    assert sent(lab) == []


def test_a_form_without_a_change_stays_where_it_is(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.press("review")
    assert "Nothing is changed yet" in text(form.page, "#notice")
    assert sent(lab) == []


def test_somebody_elses_change_gives_the_form_again(
    manager: Client, lab: Lab, somebody_else: Behind
) -> None:
    form = Form(manager)
    form.press("review", policy=NEW)
    somebody_else(THEIRS)
    form.press("save")
    assert form.response.status_code == 409
    assert THEIRS in text(form.page, "#notice")
    assert "you wanted risk" in text(form.page, "#notice")
    assert sent(lab) == []
    form.press("review")
    assert f"{THEIRS} → risk" in text(form.page, "#diff")


def test_a_refusal_comes_in_words_with_databricks_own(manager: Client, lab: Lab) -> None:
    body = {"error_code": "PERMISSION_DENIED", "message": "No <b>way</b>."}
    fault(lab, route=ROUTE, status=403, body=body)
    form = Form(manager)
    form.press("review", policy=NEW)
    form.press("save")
    assert form.response.status_code == 422
    assert "Our credentials need CAN MANAGE" in text(form.page, "#notice")
    assert "No <b>way</b>." in text(form.page, "#notice")
    assert recorded() == ["budget policy asked", "budget policy refused"]


def test_what_no_read_shows_is_said_not_to_be_confirmed(manager: Client, lab: Lab) -> None:
    fault(lab, "ignore", route=ROUTE)
    form = Form(manager)
    form.press("review", policy=NEW)
    form.press("save")
    assert form.response.status_code == 502
    assert "Not confirmed." in text(form.page, "#notice")
    assert sent(lab) == ["PATCH"]
    assert recorded() == ["budget policy asked", "budget policy not confirmed"]


def test_an_outage_loses_nothing_that_was_typed(manager: Client, lab: Lab) -> None:
    form = Form(manager)
    form.press("review", policy=NEW)
    fault(lab, status=500)
    form.press("save", reason="moved")
    assert form.response.status_code == 503
    assert "Nothing was sent" in text(form.page, "#notice")
    assert text(form.page, "textarea[name=reason]") == "moved"
    assert sent(lab) == []
