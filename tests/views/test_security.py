"""Headers, and what no page may contain: every page is crawled, none is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import resolve

from endpoints_app.middleware import CONTENT_SECURITY_POLICY
from tests.views.conftest import Fleet
from tests.views.pages import inline, soup


def foreign(found: BeautifulSoup) -> list[str]:
    """Scripts, styles and pictures of other hosts."""
    tags = found.select("script[src], link[href], img[src], iframe, object, embed")
    sources = [str(tag.get("src") or tag.get("href") or tag.name) for tag in tags]
    return [source for source in sources if not source.startswith(("/", "data:"))]


def crawl(client: Client, start: str) -> dict[str, Any]:
    """What links lead to from `start`: of each view one page for each kind of query."""
    found: dict[str, Any] = {}
    kinds: set[tuple[str, str, frozenset[str]]] = set()
    todo = [start]
    while todo:
        url = todo.pop()
        response = found[url] = client.get(url)
        if response.status_code in (301, 302):
            links = [response["Location"]]
        elif response["Content-Type"].startswith("text/html"):
            links = [str(a["href"]) for a in soup(response).select("a[href]")]
        else:
            continue
        for link in links:
            address = urlsplit(urldefrag(urljoin(url, link)).url)
            if address.netloc or "/static/" in address.path:
                continue
            match = resolve(address.path)
            names = frozenset(part.partition("=")[0] for part in address.query.split("&"))
            if match.namespace == "admin":
                names = frozenset()
            kind = (match.view_name, str(match.kwargs.get("kind")), names)
            if kind not in kinds:
                kinds.add(kind)
                todo.append(address.geturl())
    return found


@pytest.fixture
def busy(fleet: Fleet, otto: User) -> Fleet:
    """With an operation and a deleted endpoint, so that their pages are led to."""
    fleet.ask("customer-ltv", "stop", otto, reason="it's <b>idle</b>")
    fleet.bury("churn")
    return fleet


def test_no_page_contains_what_its_policy_forbids(busy: Fleet, as_mika: Client) -> None:
    """Nor does a link lead nowhere; 503 is a panel's, since no workspace stands behind the rows."""
    pages = crawl(as_mika, "/endpoints/")

    assert len(pages) > 20
    for url, response in pages.items():
        assert response.status_code in (200, 302, 503), f"{url} answered {response.status_code}"
        if response["Content-Type"].startswith("text/html") and response.status_code == 200:
            assert not inline(soup(response)), url
            assert not foreign(soup(response)), url
            policy = response["Content-Security-Policy"]
            script = next(p for p in policy.split("; ") if p.startswith("script-src"))
            assert script == "script-src 'self'", url
            if not url.endswith("/schema/viewer/"):
                assert policy == CONTENT_SECURITY_POLICY, url


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


def test_no_page_of_the_admin_contains_what_its_policy_forbids(
    busy: Fleet, root: User, browser: Callable[[User], Client]
) -> None:
    pages = {
        url: response
        for url, response in crawl(browser(root), "/admin/").items()
        if url.startswith("/admin/")
    }

    assert len(pages) > 20
    for url, response in pages.items():
        assert response.status_code in (200, 302, 503), f"{url} answered {response.status_code}"
        if response["Content-Type"].startswith("text/html") and response.status_code == 200:
            assert not inline(soup(response)), url
            assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


ANSWERS = [
    "/endpoints/",
    "/endpoints/changes/",
    "/w/lab/e/customer-ltv/",
    "/w/lab/e/nobody/",
    "/healthz",
    "/account/sign-in/",
    "/admin/login/",
    "/nowhere/",
]


@pytest.mark.parametrize("url", ANSWERS)
@pytest.mark.parametrize("who", ["nobody", "vera"])
def test_every_answer_forbids_to_guess_its_type_and_to_keep_it(
    url: str, who: str, fleet: Fleet, vera: User, browser: Callable[[User], Client]
) -> None:
    response = (browser(vera) if who == "vera" else Client()).get(url)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    if response["Content-Type"].startswith("text/html"):
        assert response["X-Frame-Options"] == "DENY"
        assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert "camera=()" in response["Permissions-Policy"]


def test_an_error_of_ours_is_a_page_under_the_policy_too(
    fleet: Fleet, as_vera: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("endpoints_app.services.listing.page", broken)
    as_vera.raise_request_exception = False

    response = as_vera.get("/endpoints/")

    assert response.status_code == 500
    assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert not inline(soup(response))
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content


def test_with_debugging_on_pages_keep_the_policy(
    fleet: Fleet, as_vera: Client, settings: Any
) -> None:
    settings.DEBUG = True

    response = as_vera.get("/endpoints/")

    assert not inline(soup(response))
    assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_over_https_cookies_are_kept_from_plain_http_and_scripts(
    fleet: Fleet, vera: User, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600
    client = Client()

    plain = client.get("/account/sign-in/")
    assert plain.status_code == 301
    assert plain["Location"].startswith("https://")
    response = client.get("/account/sign-in/", secure=True)
    assert response["Strict-Transport-Security"].startswith("max-age=3600")
    sent = {"username": "vera", "password": "correct horse battery"}
    client.post("/account/sign-in/", sent, secure=True)
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert cookie["secure"], name
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name


def test_a_host_that_is_not_ours_is_refused(db: None, client: Client) -> None:
    response = client.get("/account/sign-in/", headers={"Host": "evil.example"})

    assert response.status_code == 400


# Sessions --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cached")
def test_nobody_is_signed_out_by_an_empty_cache(fleet: Fleet, as_vera: Client) -> None:
    assert as_vera.get("/endpoints/").status_code == 200

    cache.clear()

    assert as_vera.get("/endpoints/").status_code == 200


def test_a_session_cookie_that_is_none_is_no_session(db: None, client: Client) -> None:
    for value in ("x", "x" * 5000, "'; drop table", "ünïcode"):
        client.cookies["sessionid"] = value
        assert client.get("/endpoints/").status_code == 302


def test_looking_around_sets_no_cookie_but_the_forms_token(fleet: Fleet, as_vera: Client) -> None:
    for url in ("/endpoints/", "/w/lab/e/customer-ltv/", "/operations/", "/endpoints/changes/"):
        assert set(as_vera.get(url).cookies) <= {"csrftoken"}
