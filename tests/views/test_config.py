"""The configuration page: two versions side by side, and no secret anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints_app.models import ConfigVersion, Endpoint
from endpoints_app.views import config
from tests.views.conftest import SHOWN, START, Fleet, recorded
from tests.views.pages import inline, kept_or_not, soup, text

NAME = "customer-ltv"
URL = f"/w/lab/e/{NAME}/config/"


def page(client: Client, query: str = "", url: str = URL) -> BeautifulSoup:
    response = client.get(f"{url}{query}")
    assert response.status_code == 200
    return soup(response)


def updated(fleet: Fleet, version: int, **entity: Any) -> Endpoint:
    """Its config is another one now."""
    document = fleet.document(NAME)
    document["config"]["config_version"] = version
    for key in ("served_entities", "served_models"):
        for item in document["config"].get(key, ()):
            item.update(entity)
    fleet.forward(60)
    return fleet.read(document)


def rows(found: BeautifulSoup) -> dict[str, list[str]]:
    """Setting → what its cells say."""
    return {
        " ".join(tr.th.get_text(" ").split()): [
            " ".join(td.get_text(" ").split()) for td in tr.find_all("td")
        ]
        for tr in found.select("table.diff tbody tr:not(.group):not(.entity)")
        if tr.th is not None
    }


@pytest.fixture
def three(fleet: Fleet) -> list[int]:
    first = fleet.endpoint(NAME).config_version or 0
    updated(fleet, first + 1, workload_size="Large")
    updated(fleet, first + 2, workload_size="Large", environment_vars={"API_TOKEN": "hunter2"})
    return [first, first + 1, first + 2]


def test_every_endpoint_of_the_fleet_has_its_page(fleet: Fleet, as_vera: Client) -> None:
    fleet.add(*(d for d in recorded(START) if d["name"] not in SHOWN))
    for document in recorded(START):
        found = page(as_vera, url=f"/w/lab/e/{document['name']}/config/")
        assert not inline(found)
        assert found.select("table.diff") or not document.get("config", {}).get("served_entities")


def test_the_pending_one_stands_beside_the_active_one(as_vera: Client, fleet: Fleet) -> None:
    found = page(as_vera, url="/w/lab/e/credit-limit/config/")
    head = [th.get_text(" ", strip=True) for th in found.select("table.diff thead th")]
    assert head[1:] == ["Config 17 · active", "Config 18 · pending"]
    assert found.select("table.diff td.new")
    assert found.select("pre.raw ins")
    assert found.select("pre.raw del")
    assert text(found, "nav.tabs:not(.in) [aria-current]") == "Overview"


def test_any_two_versions_are_compared_at_their_own_address(
    as_vera: Client, three: list[int]
) -> None:
    first, second, third = three
    found = page(as_vera, f"?from={first}&to={second}")
    assert rows(found)["Size"][1].startswith("Large")
    assert "changed" in rows(found)["Size"][1]
    assert rows(found)["Model"][1] == "same"

    back = page(as_vera, f"?from={second}&to={first}")
    assert rows(back)["Size"][0] == "Large"

    found = page(as_vera, f"?from={second}&to={third}")
    assert rows(found)["Size"][1] == "same"
    assert rows(found)["API_TOKEN"] == ["–", "masked (changed)"]
    assert "hunter2" not in found.get_text()

    only = page(as_vera, f"?from={second}&to={third}&only=1")
    assert set(rows(only)) == {"API_TOKEN"}


def test_the_versions_say_who_made_them_and_what_became_of_them(
    as_vera: Client, three: list[int]
) -> None:
    listed = [li.get_text(" ", strip=True) for li in page(as_vera).select("ol.vers li")]
    assert len(listed) == 3
    assert listed[0].startswith(str(three[2]))
    assert "Active since" in listed[0]
    assert "Done outside Serving Desk" in listed[0]
    assert "Served" in listed[1]
    assert "When first seen" in listed[2]


def test_a_changed_value_behind_a_mask_is_said_to_be_another(
    as_vera: Client, fleet: Fleet, three: list[int]
) -> None:
    last = three[-1]
    updated(fleet, last + 1, workload_size="Large", environment_vars={"API_TOKEN": "hunter3"})
    found = page(as_vera)
    assert rows(found)["API_TOKEN"] == ["masked", "masked, another value (changed)"]
    assert "hunter" not in found.get_text()


@pytest.mark.parametrize(
    "query",
    ["?from=999", "?to=999", "?from=x", "?to=-1", "?to=٣", "?to=" + "9" * 40, "?to=%00"],
)
def test_a_version_that_is_not_kept_is_not_found(
    query: str, as_vera: Client, three: list[int]
) -> None:
    assert as_vera.get(URL + query).status_code == 404


def test_the_raw_document_can_be_read_and_downloaded(as_vera: Client, three: list[int]) -> None:
    whole = as_vera.get(f"{URL}raw/?download")
    assert whole["Content-Type"] == "application/json"
    assert "attachment" in whole["Content-Disposition"]
    assert whole["X-Content-Type-Options"] == "nosniff"
    assert whole.json()["name"] == NAME
    assert "hunter2" not in whole.content.decode()

    kept = as_vera.get(f"{URL}raw/?version={three[0]}")
    assert "Content-Disposition" not in kept
    assert kept.json()["config"]["config_version"] == three[0]
    for query in ("?version=999", "?version=x"):
        assert as_vera.get(f"{URL}raw/{query}").status_code == 404


SECRET = "hunter2hunter2hunter2"
TOKEN = "dapi" + "0123456789abcdef" * 2


def test_a_secret_planted_in_any_field_is_on_no_page(fleet: Fleet, as_vera: Client) -> None:
    """In each place in turn where a workspace could let one slip."""
    document = fleet.document(NAME)
    entity = document["config"]["served_entities"][0]
    entity["environment_vars"] = {"PASSWORD": SECRET, "URL": f"postgres://u:{SECRET}@db/x"}
    entity["external_model"] = {
        "openai_config": {"openai_api_key": SECRET, "openai_api_key_plaintext": SECRET},
        "amazon_bedrock_config": {"aws_secret_access_key": SECRET, "aws_access_key_id": SECRET},
        "custom_provider_config": {"bearer_token_auth": {"token": SECRET}},
    }
    entity["unknown"] = {"token": SECRET, "deep": [{"note": f"Bearer {TOKEN}"}]}
    document["config"]["config_version"] += 1
    document["config"]["extra"] = f"password={SECRET}"
    document["description"] = f"token: {TOKEN}"
    document["tags"] = [{"key": "note", "value": f"api_key={SECRET}"}]
    document["ai_gateway"] = {"custom": {"client_secret": SECRET}}
    document["email_notifications"] = {"on_update_failure": [f"https://u:{SECRET}@h/x"]}
    fleet.forward(60)
    fleet.read(document)

    for url in ("", "?only=1", "raw/", "raw/?download", "../activity/", "../activity/csv/"):
        response = as_vera.get(f"{URL}{url}" if ".." not in url else f"/w/lab/e/{NAME}/{url[3:]}")
        body = b"".join(response).decode()
        assert response.status_code == 200
        assert SECRET not in body, url
        assert TOKEN not in body, url
    kept = json.dumps(list(ConfigVersion.objects.values_list("content", "secrets", "changes")))
    assert SECRET not in kept
    assert TOKEN not in kept


def test_what_a_workspace_writes_is_text(fleet: Fleet, as_vera: Client) -> None:
    bad = '"><script>alert(1)</script>{{ 7*7 }}'
    document = fleet.document(NAME)
    document["config"]["config_version"] += 1
    entity = document["config"]["served_entities"][0]
    entity |= {"name": bad, bad: bad, "environment_vars": {bad: bad}}
    document["tags"] = [{"key": bad, "value": bad}]
    document["ai_gateway"] = {bad: {bad: [bad, {bad: bad}]}}
    fleet.forward(60)
    fleet.read(document)

    for url in (URL, f"{URL}?only=1", f"/w/lab/e/{NAME}/activity/"):
        found = page(as_vera, url=url)
        assert not [tag for tag in found.find_all("script") if not tag.get("src")]
        assert not inline(found)
    assert bad in page(as_vera).get_text()


def test_a_huge_one_is_shown_in_part_and_says_so(fleet: Fleet, as_vera: Client) -> None:
    document = fleet.document(NAME)
    document["config"]["config_version"] += 1
    document["config"]["served_entities"] *= 3000
    fleet.forward(60)
    fleet.read(document)
    response = as_vera.get(URL)
    assert "kept only in part" in soup(response).get_text()
    assert len(response.content) < 3_000_000


def test_one_without_a_number_is_shown_without_a_history(fleet: Fleet, as_vera: Client) -> None:
    document = fleet.document("databricks-gte-large-en")
    document["config"].pop("config_version", None)
    ConfigVersion.objects.filter(endpoint__name=document["name"]).delete()
    fleet.forward(60)
    fleet.read(document)
    found = page(as_vera, url=f"/w/lab/e/{document['name']}/config/")
    assert "no history" in found.get_text()
    assert rows(found)


def test_one_that_was_not_read_yet_says_so(fleet: Fleet, as_vera: Client) -> None:
    ConfigVersion.objects.all().delete()
    Endpoint.objects.update(document=None)
    assert "not been read yet" in page(as_vera).get_text()
    assert as_vera.get(f"{URL}raw/").status_code == 404


def test_a_deleted_one_keeps_its_history_under_its_id(
    fleet: Fleet, as_vera: Client, three: list[int]
) -> None:
    row = fleet.bury(NAME)
    assert as_vera.get(URL).status_code == 404
    found = page(as_vera, f"?id={row.uid}&from={three[0]}&to={three[1]}")
    assert "Large" in found.get_text()
    for link in found.select("ol.vers a, header .end a"):
        assert row.uid in str(link["href"])
    assert as_vera.get(f"{URL}raw/?id={row.uid}&version={three[0]}").status_code == 200


# Panels that were drawn before ------------------------------------------------------------------


def test_a_panel_is_the_same_whether_it_was_kept_or_not(
    three: list[int], as_vera: Client, as_mika: Client
) -> None:
    """Two readers in two languages, each address as if it were the first."""

    def told(client: Client, query: str, language: str) -> tuple[str, str]:
        response = client.get(f"{URL}{query}", headers={"accept-language": language})
        found = soup(response)
        panel = "".join(map(str, found.select("main form[method=get], main .cols.wide")))
        return text(found, "title"), panel

    first = kept_or_not(
        told,
        ("", f"?to={three[1]}", "?only=1", f"?from={three[2]}&to={three[0]}"),
        [as_vera, as_mika],
        config.forget,
    )
    assert len(set(first)) == 8


def test_what_is_kept_is_what_was_read_last(
    fleet: Fleet, three: list[int], as_vera: Client
) -> None:
    assert "Huge" not in text(page(as_vera), "table.diff")
    updated(fleet, three[2], workload_size="Huge")  # the same version, told otherwise
    assert "Huge" in text(page(as_vera), "table.diff")
    updated(fleet, three[2] + 1, workload_size="Tiny")
    found = page(as_vera)
    assert f"Config {three[2]} and {three[2] + 1}" in text(found, "title")
    assert "Tiny" in text(found, "table.diff")

    ConfigVersion.objects.filter(version=three[0]).delete()  # as pruning does
    assert len(page(as_vera).select("ol.vers li")) == 3
    assert as_vera.get(f"{URL}?to={three[0]}").status_code == 404


def test_another_endpoint_of_that_name_has_a_panel_of_its_own(
    fleet: Fleet, three: list[int], as_vera: Client
) -> None:
    page(as_vera)
    document = fleet.document(NAME)
    gone = fleet.bury(NAME)
    fleet.add(document | {"id": "another-id"})

    assert len(page(as_vera).select("ol.vers li")) == 1
    assert len(page(as_vera, f"?id={gone.uid}").select("ol.vers li")) == 3


def test_no_panel_holds_anything_of_its_reader(
    three: list[int], as_mika: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(as_mika)

    (kept,) = config._kept
    assert "csrf" not in kept.html
    assert "Mika" not in kept.html

    monkeypatch.setattr(config, "LARGE", 100)
    page(as_mika, "?only=1")
    assert len(config._kept) == 1


def test_a_panel_that_is_kept_costs_three_queries(
    three: list[int],
    as_vera: Client,
    cached: None,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Account, endpoint and its versions; the first reader asks for two contents too."""
    page(as_vera)
    with django_assert_num_queries(4):
        page(as_vera, "?only=1")
    with django_assert_num_queries(3):
        page(as_vera, "?only=1")


def test_the_page_costs_few_queries_however_many_versions_there_are(
    fleet: Fleet, as_vera: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for version in range(200, 240):
        updated(fleet, version)
    with django_assert_max_num_queries(12):
        found = page(as_vera)
    assert len(found.select("ol.vers li")) == 12
    assert len(page(as_vera, "?all=1").select("ol.vers li")) == 41
