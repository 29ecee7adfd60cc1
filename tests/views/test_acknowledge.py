"""Saying who is on it: from the endpoint's page, seen on the list and there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import Acknowledgement
from tests.views.conftest import Fleet
from tests.views.pages import inline, news, one, soup, text

URL = "/w/lab/e/fraud-scorer/acknowledge/"
WORDS = {"role": "ML platform on-call", "lasting": "3600", "note": "rolling back"}
HTMX = {"HX-Request": "true"}


def line(client: Client, name: str = "fraud-scorer") -> str:
    return text(soup(client.get(f"/w/lab/e/{name}/")), "#on-it")


def test_the_click_is_seen_on_the_endpoints_page_and_in_the_list(
    fleet: Fleet, as_otto: Client, as_vera: Client
) -> None:
    assert "Nobody has taken it yet" in line(as_vera)
    assert as_otto.post(URL, WORDS)["Location"] == "/w/lab/e/fraud-scorer/"

    said = "ML platform on-call, until 04:00 UTC"
    assert f"On it: {said}" in line(as_vera)
    assert "said by Otto" in line(as_vera)
    assert "rolling back" in line(as_vera)
    row = one(soup(as_vera.get("/endpoints/")), f"#row-{fleet.endpoint('fraud-scorer').pk}")
    assert said in text(row, "[data-taken]")


def test_open_pages_hear_of_it(fleet: Fleet, as_otto: Client, as_vera: Client) -> None:
    for url, place in [("/endpoints/", "[data-taken]"), ("/w/lab/e/fraud-scorer/", "#on-it")]:
        cursor = one(soup(as_vera.get(url)), "#poll")["data-cursor"]
        as_otto.post(URL, WORDS)
        found = news(as_vera.get(f"{url}changes/", {"since": cursor}))
        assert "ML platform on-call" in str(one(found, place))


def test_the_dialogs_answer_closes_it_and_brings_the_row(fleet: Fleet, as_otto: Client) -> None:
    assert one(soup(as_otto.get(f"{URL}dialog/")), "form")["hx-post"] == URL
    found = news(as_otto.post(URL, WORDS, headers=HTMX))
    assert (
        one(found, "#ask[data-done]")["data-said"] == "fraud-scorer: ML platform on-call is on it."
    )
    assert "04:00 UTC" in str(one(found, "wrapped [data-taken]"))


def test_presets_say_until_when(fleet: Fleet, as_otto: Client) -> None:
    options = [option.get_text() for option in soup(as_otto.get(URL)).select("option")]
    assert "1 h, until 04:00 UTC" in options
    assert "3 days, until 2026-11-25 03:00 UTC" in options


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"role": ""}, "required"),
        ({"role": "otto@example.com"}, "no mail addresses"),
        ({"role": "x" * 101}, "at most 100"),
        ({"lasting": "99999999"}, "not one of the available choices"),
        ({"note": "x" * 501}, "at most 500"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    fleet: Fleet, as_otto: Client, wrong: dict[str, str], said: str
) -> None:
    response = as_otto.post(URL, WORDS | wrong)
    assert response.status_code == 400
    assert said in text(soup(response), ".err-m")
    assert soup(response).select("textarea")[0].get_text() == (WORDS | wrong)["note"]
    assert not Acknowledgement.objects.exists()


def test_a_reader_without_the_right_is_told_and_may_not(fleet: Fleet, as_vera: Client) -> None:
    page = soup(as_vera.get(URL))
    assert "you need the role operator. You are viewer here." in text(page, "[role=alert]")
    assert not page.select("main form")
    assert not soup(as_vera.get("/w/lab/e/fraud-scorer/")).select("#act-acknowledge")
    assert as_vera.post(URL, WORDS).status_code == 403
    assert as_vera.post(f"{URL}clear/").status_code == 403


@pytest.mark.parametrize("name", ["basket-recommender", "card-ocr-v1"])
def test_what_is_well_or_stopped_asks_for_nobody(fleet: Fleet, as_otto: Client, name: str) -> None:
    assert line(as_otto, name) == ""
    url = f"/w/lab/e/{name}/acknowledge/"
    assert not soup(as_otto.get(url)).select("main form")
    assert as_otto.post(url, WORDS).status_code == 409
    assert not Acknowledgement.objects.exists()


def test_what_is_unknown_because_it_is_stale_may_be_taken(fleet: Fleet, as_otto: Client) -> None:
    fleet.forward(600)
    as_otto.post("/w/lab/e/basket-recommender/acknowledge/", WORDS)
    assert "On it: ML platform on-call" in line(as_otto, "basket-recommender")


def test_nobody_is_on_it_any_more_and_the_second_time_changes_nothing(
    fleet: Fleet, as_otto: Client
) -> None:
    as_otto.post(URL, WORDS)
    for _ in range(2):
        assert as_otto.post(f"{URL}clear/")["Location"] == "/w/lab/e/fraud-scorer/"
        assert "Nobody has taken it yet" in line(as_otto)
    assert Acknowledgement.objects.count() == 1


def test_it_is_over_when_its_time_is(fleet: Fleet, as_otto: Client) -> None:
    as_otto.post(URL, WORDS)
    fleet.forward(3600)
    fleet.answered()
    assert "Nobody has taken it yet" in line(as_otto)


def test_words_of_others_are_words(fleet: Fleet, as_otto: Client, otto: User) -> None:
    as_otto.post(URL, WORDS | {"role": "<b onclick=x>", "note": "<script>alert(1)</script>"})
    for url in ("/endpoints/", "/w/lab/e/fraud-scorer/", URL):
        page: Any = soup(as_otto.get(url))
        assert not inline(page)
        assert "<b onclick" in page.get_text() or url == URL
