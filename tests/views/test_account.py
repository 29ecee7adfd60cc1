"""Signing in and out, the password, the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.conftest import PASSWORD
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

SIGN_IN = "/account/sign-in/"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "///evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "\x01https://evil.example",
    "https:/evil.example",
]


def sign_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": "vera", "password": password, **more})


# In --------------------------------------------------------------------------------------------


def test_the_right_password_leads_to_the_list(fleet: Fleet, vera: User, client: Client) -> None:
    assert sign_in(client)["Location"] == "/endpoints/"
    assert client.get("/endpoints/").status_code == 200


def test_the_way_back_is_kept_over_a_mistake(fleet: Fleet, vera: User, client: Client) -> None:
    way = "/endpoints/?status=stopped&q=card"
    form = one(soup(client.get(SIGN_IN, {"next": way})), "main form")
    assert one(form, "input[name=next]")["value"] == way

    failed = soup(sign_in(client, "wrong", next=way))
    assert one(failed, "main form input[name=next]")["value"] == way

    assert sign_in(client, next=way)["Location"] == way


@pytest.mark.parametrize("next", ELSEWHERE)
def test_the_sign_in_leads_to_no_other_site(
    next: str, fleet: Fleet, vera: User, client: Client
) -> None:
    assert sign_in(client, next=next)["Location"] == "/endpoints/"
    assert client.get(SIGN_IN, {"next": next})["Location"] == "/endpoints/"


def test_a_wrong_password_says_no_more_than_that(fleet: Fleet, vera: User, client: Client) -> None:
    wrong = soup(sign_in(client, "wrong"))
    unknown = soup(client.post(SIGN_IN, {"username": "nobody", "password": "wrong"}))

    errors = [text(found, "#sign-in-error") for found in (wrong, unknown)]
    assert errors[0] == errors[1]
    assert one(wrong, "input[name=username]")["value"] == "vera"
    assert not one(wrong, "input[name=password]").get("value")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "vera"},
        {"username": "vera\0", "password": PASSWORD},
        {"username": "x" * 5000, "password": "y" * 5000},
        {"username": "vera", "password": "\0"},
    ],
)
def test_nonsense_signs_nobody_in(
    fields: dict[str, str], fleet: Fleet, vera: User, client: Client
) -> None:
    response = client.post(SIGN_IN, fields)

    assert response.status_code == 200
    assert text(soup(response), "#sign-in-error")
    assert "sessionid" not in client.cookies


def test_a_closed_account_does_not_open(fleet: Fleet, vera: User, client: Client) -> None:
    User.objects.update(is_active=False)

    assert sign_in(client).status_code == 200


def test_a_session_is_a_new_one_after_the_sign_in(fleet: Fleet, vera: User, client: Client) -> None:
    sign_in(client)
    before = client.cookies["sessionid"].value

    client.post("/account/sign-out/")
    sign_in(client)

    assert client.cookies["sessionid"].value != before


# Out -------------------------------------------------------------------------------------------


PAGES = [
    "/endpoints/",
    "/endpoints/?q=nothing+matches+this",
    "/w/lab/e/customer-ltv/",
    "/w/lab/e/customer-ltv/stop/",
    "/operations/",
    "/account/password/",
    "/w/lab/e/nobody/",
]


def test_the_way_out_is_on_every_page_as_a_form_with_its_token(
    fleet: Fleet, as_vera: Client
) -> None:
    for url in PAGES:
        form = one(soup(as_vera.get(url)), 'form[action="/account/sign-out/"]')
        assert form["method"] == "post", url
        assert one(form, "input[name=csrfmiddlewaretoken]")["value"], url


def test_signing_out_ends_the_session(fleet: Fleet, as_vera: Client) -> None:
    assert as_vera.post("/account/sign-out/")["Location"] == SIGN_IN

    assert as_vera.get("/endpoints/").status_code == 302


def test_signing_out_wants_the_token(fleet: Fleet, vera: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(vera)

    assert client.post("/account/sign-out/").status_code == 403
    assert client.get("/endpoints/").status_code == 200


# The password ----------------------------------------------------------------------------------


def change(client: Client, old: str, new: str) -> Any:
    fields = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/account/password/", fields, follow=True)


def test_a_changed_password_keeps_this_session_and_ends_the_others(
    fleet: Fleet, vera: User, browser: Callable[[User], Client]
) -> None:
    here, elsewhere = browser(vera), browser(vera)

    response = change(here, PASSWORD, "a new and longer one")

    assert "password was changed" in text(soup(response), "main > .notice")
    assert here.get("/endpoints/").status_code == 200
    assert elsewhere.get("/endpoints/").status_code == 302
    assert sign_in(Client(), "a new and longer one").status_code == 302
    assert sign_in(Client()).status_code == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [("wrong", "a new and longer one"), (PASSWORD, "short"), (PASSWORD, "12345678901")],
)
def test_a_refused_password_says_why_and_changes_nothing(
    old: str, new: str, fleet: Fleet, vera: User, as_vera: Client
) -> None:
    response = change(as_vera, old, new)

    assert soup(response).select("main form .err-m")
    vera.refresh_from_db()
    assert vera.check_password(PASSWORD)


# The language ----------------------------------------------------------------------------------


def spoken(response: Any) -> str:
    language = str(one(soup(response), "html")["lang"])
    assert response["Content-Language"] == language
    return language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB", "en"),
        ("fr, de;q=0.9", "en"),
        ("fr, ja;q=0.3", "ja"),
        ("*", "en"),
        ("ja;q=nonsense,,;", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_pages_speak_the_browsers_language_where_they_can(
    accepted: str, language: str, db: None, client: Client
) -> None:
    response = client.get(SIGN_IN, headers={"Accept-Language": accepted})

    assert spoken(response) == language
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))


def test_a_chosen_language_wins_and_stays(fleet: Fleet, as_vera: Client) -> None:
    response = as_vera.post(
        "/account/language/", {"language": "ja", "next": "/operations/?kind=stop"}
    )

    assert response["Location"] == "/operations/?kind=stop"
    for url in ("/endpoints/", "/operations/", SIGN_IN + "?next=/x"):
        page = as_vera.get(url, headers={"Accept-Language": "en"}, follow=True)
        assert spoken(page) == "ja"


def test_its_cookie_is_kept_for_a_year_and_from_scripts(
    db: None, client: Client, settings: Any
) -> None:
    settings.SESSION_COOKIE_SECURE = True

    cookie = client.post("/account/language/", {"language": "ja"}).cookies["django_language"]

    assert cookie["max-age"] == 365 * 24 * 3600
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    "language", ["", "fr", "JA", "../../etc", "ja\r\nSet-Cookie: a=b", "en" * 999]
)
def test_a_language_that_there_is_not_changes_nothing(
    language: str, db: None, client: Client
) -> None:
    response = client.post("/account/language/", {"language": language})

    assert response.status_code == 302
    assert "django_language" not in response.cookies


@pytest.mark.parametrize("cookie", ["", "fr", "xx-yy", "<script>", "ja" * 500])
def test_a_cookie_that_names_no_language_is_ignored(cookie: str, db: None, client: Client) -> None:
    client.cookies["django_language"] = cookie

    assert spoken(client.get(SIGN_IN, headers={"Accept-Language": "ja"})) == "ja"


@pytest.mark.parametrize("next", ["", *ELSEWHERE])
def test_choosing_a_language_leads_to_no_other_site(next: str, db: None, client: Client) -> None:
    response = client.post("/account/language/", {"language": "ja", "next": next})

    assert response["Location"] == "/endpoints/"


def test_the_choice_is_on_every_page_and_comes_back_to_it(fleet: Fleet, as_vera: Client) -> None:
    for url in [*PAGES, "/endpoints/?status=stopped"]:
        form = one(soup(as_vera.get(url)), 'form[action="/account/language/"]')
        assert one(form, "input[name=next]")["value"] == url
        assert one(form, "button[name=language]")["value"] == "ja"


def test_no_language_stays_behind_for_the_next_reader(db: None, client: Client) -> None:
    """Threads are used again."""
    assert spoken(client.get(SIGN_IN, headers={"Accept-Language": "ja"})) == "ja"
    assert spoken(client.get(SIGN_IN)) == "en"
