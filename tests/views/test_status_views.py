"""Named status pages, their links, runbooks and contacts: managers only."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain import status_views as rules
from endpoints_app.models import AuditEntry, StatusLink, StatusView
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

LIST, MAKE = "/status-desk/views/", "/status-desk/views/make/"
PAGE = {"title": "Risk", "slug": "risk", "scope": "endpoints"}


def lines(*given: tuple[str, str]) -> dict[str, list[str]]:
    return {
        "member": [endpoint for endpoint, _ in given],
        "alias": [alias for _, alias in given],
        "position": [str(i) for i in range(1, len(given) + 1)],
    }


TWO = lines(("lab/fraud-scorer", "Fraud"), ("lab/credit-limit", ""), ("", ""))


def made(client: Client, **how: Any) -> StatusView:
    response = client.post(MAKE, PAGE | TWO | how)
    assert response.status_code == 302, text(soup(response), "main")
    return StatusView.objects.latest("pk")


def wrong(client: Client, **how: Any) -> str:
    response = client.post(MAKE, PAGE | TWO | how)
    assert response.status_code == 400
    assert not StatusView.objects.exists()
    return " ".join(tag.get_text(" ", strip=True) for tag in soup(response).select(".err-m"))


def members(view: StatusView) -> list[tuple[str, str]]:
    return list(view.members.values_list("name", "alias"))


def test_a_page_lists_endpoints_by_the_names_that_the_public_knows(
    fleet: Fleet, as_mika: Client
) -> None:
    view = made(as_mika)
    assert members(view) == [("fraud-scorer", "Fraud"), ("credit-limit", "")]
    assert "2 endpoints, one by one" in text(soup(as_mika.get(LIST)), "#view-risk")
    assert AuditEntry.objects.get(action="status page made").detail["page"] == "risk"


def test_the_frame_says_where_one_is(fleet: Fleet, as_mika: Client) -> None:
    for address in ("views/", "views/make/", "links/", "maintenance/plan/"):
        page = soup(as_mika.get(f"/status-desk/{address}"))
        assert text(page, ".nav [aria-current]") == "Planned work", address


def test_or_shows_a_workspace_or_a_tag(fleet: Fleet, as_mika: Client) -> None:
    whole = made(as_mika, slug="whole", scope="workspace", workspace="lab")
    assert (whole.workspace, whole.tag, members(whole)) == (fleet.workspace, "", [])
    tagged = made(as_mika, slug="tagged", scope="tag", tag="team=risk-ml", workspace="")
    assert (tagged.workspace, tagged.tag) == (None, "team=risk-ml")


def test_its_members_are_changed_and_ordered_and_its_link_stays(
    fleet: Fleet, as_mika: Client
) -> None:
    view = made(as_mika)
    as_mika.post("/status-desk/view/risk/link/")
    digest = StatusView.objects.get().token_digest
    page = soup(as_mika.get("/status-desk/view/risk/"))
    assert [field["value"] for field in page.select("[name=member]")][:2] == [
        "lab/fraud-scorer",
        "lab/credit-limit",
    ]
    turned = TWO | {"position": ["2", "1", "3"]}
    assert as_mika.post("/status-desk/view/risk/", PAGE | turned).status_code == 302
    assert members(view) == [("credit-limit", ""), ("fraud-scorer", "Fraud")]
    assert StatusView.objects.get().token_digest == digest


def test_another_line_comes_without_a_script_and_keeps_what_is_typed(
    fleet: Fleet, as_mika: Client
) -> None:
    page = soup(as_mika.post(MAKE, PAGE | TWO | {"step": "add"}))
    assert len(page.select(".member")) == 4
    assert page.select("[name=alias]")[0]["value"] == "Fraud"
    assert not page.select(".err-m, main [role=alert]")


def test_a_deleted_endpoint_may_stay_listed(fleet: Fleet, as_mika: Client) -> None:
    view = made(as_mika)
    fleet.bury("credit-limit")
    assert as_mika.post("/status-desk/view/risk/", PAGE | TWO).status_code == 302
    assert len(members(view)) == 2


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "ada@example.com"}, "no mail addresses"),
        ({"slug": "Risk Team"}, "Lower case letters"),
        ({"slug": "health"}, "taken by another page"),
        ({"slug": "lab"}, "taken by another page"),
        (lines(("", "")), ""),
        (lines(("lab/nothing", "")), "no such endpoint"),
        (lines(("fraud-scorer", "")), "workspace/name"),
        (lines(("prod/fraud-scorer", "")), "workspace/name"),
        (lines(("", "Fraud")), "Which endpoint"),
        (lines(("lab/churn", ""), ("lab/churn", "x")), "Already in the list"),
        (lines(("lab/churn", "x"), ("lab/credit-limit", "x")), "called so already"),
        (lines(("lab/churn", "credit-limit"), ("lab/credit-limit", "")), "called so already"),
        (lines(("lab/churn", "a/b")), "without /"),
        (lines(("lab/churn", "see https://x")), "no addresses"),
        ({"scope": "workspace", "workspace": ""}, "Choose one workspace"),
        ({"scope": "tag", "tag": ""}, "Give a tag"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(
    fleet: Fleet, as_mika: Client, how: dict[str, Any], said: str
) -> None:
    assert said in wrong(as_mika, **how)


def test_a_name_is_given_once(fleet: Fleet, as_mika: Client) -> None:
    made(as_mika)
    response = as_mika.post(MAKE, PAGE | TWO)
    assert response.status_code == 400
    assert "taken by another page" in text(soup(response), ".err-m")


def test_what_no_form_of_ours_sends_is_refused(fleet: Fleet, as_mika: Client) -> None:
    assert as_mika.post(MAKE, PAGE | {"member": ["a", "b"], "alias": ["x"]}).status_code == 400


def test_it_is_removed_with_its_link(fleet: Fleet, as_mika: Client) -> None:
    made(as_mika)
    assert as_mika.post("/status-desk/view/risk/remove/")["Location"] == LIST
    assert not StatusView.objects.exists()
    assert as_mika.post("/status-desk/view/risk/remove/").status_code == 404


# Links -----------------------------------------------------------------------------------------


def link_of(client: Client, name: str) -> str:
    return str(one(soup(client.post(f"/status-desk/view/{name}/link/")), "#made-link")["value"])


def test_a_link_is_shown_once_and_only_its_hash_is_kept(fleet: Fleet, as_mika: Client) -> None:
    made(as_mika)
    response = as_mika.post("/status-desk/view/risk/link/")
    token = str(one(soup(response), "#made-link")["value"]).rstrip("/").rpartition("/")[2]

    assert response["Cache-Control"] == "no-store"
    assert len(token) >= 43
    view = StatusView.objects.get()
    assert rules.opens(token, view.token_digest)
    assert view.token_made_at == fleet.clock.now
    for url in (LIST, "/status-desk/view/risk/", "/status-desk/view/risk/link/"):
        assert token not in as_mika.get(url).content.decode()
    assert token not in str(list(AuditEntry.objects.values()))
    assert token not in str(list(StatusView.objects.values()))


def test_a_new_link_ends_the_old_one_and_a_revoked_one_opens_nothing(
    fleet: Fleet, as_mika: Client
) -> None:
    made(as_mika)
    old, new = (link_of(as_mika, "risk").rstrip("/").rpartition("/")[2] for _ in range(2))
    assert not rules.opens(old, StatusView.objects.get().token_digest)
    assert rules.opens(new, StatusView.objects.get().token_digest)
    for _ in range(2):
        assert as_mika.post("/status-desk/view/risk/revoke/")["Location"] == LIST
    view = StatusView.objects.get()
    assert (view.token_digest, view.token_made_at) == ("", None)
    assert AuditEntry.objects.filter(action="status page link revoked").count() == 1


def test_the_fleets_page_has_a_link_and_nothing_else_to_change(
    fleet: Fleet, as_mika: Client
) -> None:
    assert "All endpoints" in text(soup(as_mika.get(LIST)), "#view-fleet")
    assert not StatusView.objects.exists()
    link_of(as_mika, "fleet")
    link_of(as_mika, "fleet")
    assert StatusView.objects.get().is_fleet
    assert as_mika.get("/status-desk/view/fleet/").status_code == 404
    assert as_mika.post("/status-desk/view/fleet/remove/").status_code == 404


def test_who_manages_one_workspace_has_no_say_in_what_shows_others(
    fleet: Fleet, as_mika: Client, ada: User, browser: Any
) -> None:
    fleet.other(fleet.document("churn") | {"name": "theirs"})
    made(as_mika)
    elsewhere = browser(ada)
    page = soup(elsewhere.get(LIST))
    assert not page.select("#view-risk, #view-fleet")
    for name in ("risk", "fleet"):
        assert elsewhere.post(f"/status-desk/view/{name}/link/").status_code == 403
    assert elsewhere.get("/status-desk/view/risk/").status_code == 403
    assert wrong_for(elsewhere, scope="tag", tag="team", workspace="")
    assert wrong_for(elsewhere)
    assert made(elsewhere, slug="ours", **lines(("other/theirs", ""))).slug == "ours"


def wrong_for(client: Client, **how: Any) -> bool:
    return client.post(MAKE, PAGE | TWO | {"slug": "ours"} | how).status_code == 400


@pytest.mark.parametrize("role", ["vera", "otto"])
def test_others_find_no_way_there(fleet: Fleet, role: str, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue(f"as_{role}")
    assert not soup(client.get("/status-desk/maintenance/")).select(f"a[href='{LIST}']")
    assert "role manager" in client.get(LIST).content.decode()


# Runbooks and contacts -------------------------------------------------------------------------

LINKS, ADD = "/status-desk/links/", "/status-desk/links/make/"
GIVEN = {
    "whose": "default",
    "runbook_url": "https://wiki.example.com/serving",
    "contact_name": "ML platform on-call",
    "contact_url": "tel:+81312345678",
}


def test_links_are_given_for_all_for_a_tag_and_for_an_endpoint(
    fleet: Fleet, as_mika: Client
) -> None:
    for how in (
        {},
        {"whose": "tag", "tag": "team=risk-ml"},
        {"whose": "endpoint", "endpoint": "lab/churn"},
    ):
        assert as_mika.post(ADD, GIVEN | how).status_code == 302
    said = [text(row, "th") for row in soup(as_mika.get(LINKS)).select("#links tbody tr")]
    assert said == ["Everything else", "Tag team=risk-ml", "lab/churn"]
    assert as_mika.post(ADD, GIVEN).status_code == 400
    assert StatusLink.objects.count() == 3


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"runbook_url": "javascript:alert(1)"}, "A page (https://…)"),
        ({"contact_url": "mailto:ada@example.com"}, "A page (https://…)"),
        ({"contact_name": "ada@example.com"}, "no mail addresses"),
        ({"contact_name": ""}, "Say who is reached there."),
        ({"runbook_url": "", "contact_name": "", "contact_url": ""}, "Give a runbook or a contact"),
        ({"whose": "tag"}, "Give a tag"),
        ({"whose": "endpoint", "endpoint": "lab/nothing"}, "workspace/name"),
    ],
)
def test_a_link_that_may_not_be_public_is_refused(
    fleet: Fleet, as_mika: Client, how: dict[str, str], said: str
) -> None:
    response = as_mika.post(ADD, GIVEN | how)
    assert response.status_code == 400
    assert said in text(soup(response), ".err-m")
    assert not StatusLink.objects.exists()


def test_links_are_changed_and_removed(fleet: Fleet, as_mika: Client) -> None:
    as_mika.post(ADD, GIVEN)
    url = f"{LINKS}{StatusLink.objects.get().pk}/"
    as_mika.post(url, GIVEN | {"contact_name": "Somebody else"})
    assert StatusLink.objects.get().contact_name == "Somebody else"
    assert as_mika.post(f"{url}remove/")["Location"] == LINKS
    assert as_mika.post(f"{url}remove/").status_code == 404


def test_who_manages_one_workspace_gives_links_only_there(
    fleet: Fleet, as_mika: Client, ada: User, browser: Any
) -> None:
    fleet.other(fleet.document("churn") | {"name": "theirs"})
    as_mika.post(ADD, GIVEN)
    elsewhere = browser(ada)
    assert elsewhere.get(f"{LINKS}{StatusLink.objects.get().pk}/").status_code == 403
    assert elsewhere.post(ADD, GIVEN | {"whose": "tag", "tag": "x"}).status_code == 400
    ours = GIVEN | {"whose": "endpoint", "endpoint": "other/theirs"}
    assert elsewhere.post(ADD, ours).status_code == 302
