"""Probes: answered under any host name, over plain http, for next to nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.views.conftest import Fleet
from tests.views.status_pages import TOKEN, open_with

BY_ADDRESS = {"Host": "10.1.2.3:8000"}
HOSTS = ["10.1.2.3:8000", "[fd00::7]:8000", "desk-7d9f:8000", "evil.example", "no host<at>all"]


@pytest.fixture
def guarded(settings: LazySettings) -> LazySettings:
    """As in production: one name, and https."""
    settings.ALLOWED_HOSTS = ["desk.example"]
    settings.SECURE_SSL_REDIRECT = True
    return settings


def test_it_costs_neither_session_nor_query(
    fleet: Fleet, as_vera: Client, django_assert_num_queries: Any
) -> None:
    for client in (Client(), as_vera):
        with django_assert_num_queries(0):
            response = client.get("/healthz")
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert not response.cookies
        assert client.head("/healthz").status_code == 200


@pytest.mark.parametrize("host", HOSTS)
def test_it_answers_under_any_host_name_and_repeats_none(host: str, guarded: LazySettings) -> None:
    response = Client().get("/healthz", headers={"Host": host})

    assert (response.status_code, response.content) == (200, b"ok\n")
    assert host not in str(response.headers)
    assert Client().post("/healthz", headers={"Host": host}).status_code == 405


@pytest.mark.parametrize(
    ("mode", "url", "code"),
    [
        ("public", "/status/health", 503),
        ("public", "/status/lab/health", 503),
        ("public", "/status/nobody/health", 404),
        ("token", f"/status/t/{TOKEN}/health", 503),
        ("token", "/status/t/x/health", 404),
        ("token", "/status/health", 404),
        ("login", "/status/health", 401),
        ("off", "/status/health", 404),
    ],
)
@pytest.mark.parametrize("host", HOSTS)
def test_so_does_the_health_of_a_status_page_to_whom_it_is_open(
    host: str, mode: str, url: str, code: int, fleet: Fleet, guarded: LazySettings
) -> None:
    open_with(mode, guarded, fleet)

    response = Client().get(url, headers={"Host": host})

    assert response.status_code == code
    assert host not in str(response.headers) + response.content.decode()
    assert not response.cookies


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/status/",
        "/status.json",
        "/status/badge.svg",
        "/status/lab/",
        "/endpoints/",
        "/healthz/",
        "/health",
        "/nowhere/healthz",
        "/w/lab/e/health",
        "/static/healthz",
        "/account/sign-in/?next=/healthz",
    ],
)
def test_everything_else_is_refused_under_another_name(
    url: str, fleet: Fleet, guarded: LazySettings
) -> None:
    open_with("public", guarded, fleet)

    assert Client().get(url, headers=BY_ADDRESS, secure=True).status_code == 400
