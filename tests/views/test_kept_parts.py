"""Parts of pages that are kept tell every reader what they themselves asked for."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from endpoints_app.templatetags import kept
from endpoints_app.views import endpoint_detail, packing
from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

ADDRESSES = ["", "?status=stopped", "?q=churn", "?sort=-name", "?kind=external&sort=name", "?q=nix"]


def html(client: Client, path: str, language: str = "en") -> str:
    return client.get(path, headers={"accept-language": language}).content.decode()


def without_tokens(page: str) -> str:
    found = soup(HttpResponse(page))
    for token in found.select("[name=csrfmiddlewaretoken]"):
        token.decompose()
    return str(found)


@pytest.mark.parametrize("path", ["/endpoints/", "/endpoints/changes/"])
def test_a_page_is_the_same_whether_its_parts_were_kept_or_not(
    fleet: Fleet, as_vera: Client, as_mika: Client, path: str
) -> None:
    """Asked in turn by two readers in two languages, each address comes as if it were the first."""
    asked = [
        (client, f"{path}{address}", language)
        for address in ADDRESSES
        for client in (as_vera, as_mika)
        for language in ("en", "ja")
    ]
    first = []
    for client, url, language in asked:
        kept.forget()
        first.append(without_tokens(html(client, url, language)))

    assert [without_tokens(html(*each)) for each in asked] == first
    assert [without_tokens(html(*each)) for each in reversed(asked)] == first[::-1]


def test_the_pages_of_one_list_share_all_but_what_tells_them_apart(
    fleet: Fleet, as_vera: Client
) -> None:
    """Who leafs through a fleet has nothing but the links to other pages drawn anew."""
    churn = fleet.document("lead-scoring")
    fleet.add(*(churn | {"name": f"more-{n:03}", "id": f"id-{n}"} for n in range(250)))
    asked = [f"/endpoints/?q=more&sort=-name&page={number}" for number in (1, 2, 3)]
    first = []
    for url in asked:
        kept.forget()
        first.append(without_tokens(html(as_vera, url)))
    kept.forget()

    found, sizes = [], []
    for url in asked:
        found.append(without_tokens(html(as_vera, url)))
        sizes.append(len(kept._kept))

    assert found == first
    assert [after - before for before, after in pairwise(sizes)] == [1, 1]


def test_an_overview_that_is_kept_is_told_apart_by_role(
    fleet: Fleet, as_vera: Client, as_otto: Client, as_mika: Client
) -> None:
    """Each role gets the one with what it may do, whoever came before."""
    readers, path = [as_vera, as_otto, as_mika], "/w/lab/e/churn/"
    first = []
    for client in readers:
        kept.forget()
        endpoint_detail.forget()
        first.append(without_tokens(html(client, path)))

    assert len(set(first)) == len(readers)
    assert [without_tokens(html(client, path)) for client in readers] == first


def test_no_part_that_is_kept_names_a_person_or_holds_a_token(
    fleet: Fleet, as_mika: Client
) -> None:
    for url in ("/endpoints/", "/operations/", "/w/lab/e/churn/"):
        as_mika.get(url)

    parts = [*kept._kept, *(it.before + it.after for it in endpoint_detail._kept)]
    assert len(endpoint_detail._kept) == 1
    for part in parts:
        assert "Mika" not in part
        assert "csrfmiddlewaretoken" not in part


def test_the_counts_that_are_kept_follow_the_fleet(fleet: Fleet, as_vera: Client) -> None:
    before = text(soup(as_vera.get("/endpoints/")), "#counts a:first-child b")
    fleet.bury("fraud-scorer")

    assert (before, text(soup(as_vera.get("/endpoints/")), "#counts a:first-child b")) == ("2", "1")


def test_parts_are_told_apart_by_place_language_and_key() -> None:
    def shown(source: str, **context: Any) -> str:
        return Template("{% load kept i18n %}" + source).render(Context(context))

    template = Template("{% load kept %}{% kept a %}{{ a }}{{ b }}{% endkept %}")
    assert template.render(Context({"a": 1, "b": 1})) == "11"
    assert template.render(Context({"a": 1, "b": 2})) == "11", "it was not told to depend on b"
    assert template.render(Context({"a": 2, "b": 2})) == "22"
    with translation.override("ja"):
        assert template.render(Context({"a": 1, "b": 3})) == "13"
    assert shown("{% kept %}x{% endkept %}{% kept %}y{% endkept %}") == "xy"
    assert shown("{% kept %}{{ a }}{% endkept %}", a="<b>") == "&lt;b&gt;"


def test_old_parts_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept._kept, "most", 10)
    template = Template("{% load kept %}{% kept a %}{{ a }}{% endkept %}")

    for number in range(50):
        assert template.render(Context({"a": number})) == str(number)
        assert len(kept._kept) <= 10


# On the wire -----------------------------------------------------------------------------------


def test_pages_travel_compressed_to_who_takes_it(fleet: Fleet, as_vera: Client) -> None:
    plain = as_vera.get("/endpoints/")
    packed = as_vera.get("/endpoints/", headers={"accept-encoding": "gzip, br"})

    assert "Content-Encoding" not in plain.headers
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 3
    assert without_tokens(gzip.decompress(packed.content).decode()) == without_tokens(
        plain.content.decode()
    )
    for response in (plain, packed):
        assert "Accept-Encoding" in response["Vary"]


PAGES = [b"", b"x", b"<tbody id='other'>" * 2000, bytes(range(256)) * 500]


@pytest.mark.parametrize("before", PAGES)
@pytest.mark.parametrize("after", PAGES)
@pytest.mark.parametrize("rows", [b"", b"<tr></tr>" * 10, b"<tr>row</tr>" * 5000])
def test_what_is_packed_in_parts_is_whole_again(before: bytes, rows: bytes, after: bytes) -> None:
    page = before + b'<tbody id="fleet-body">' + rows + b"</tbody>" + after

    for _ in range(2):
        assert gzip.decompress(packing.gzipped(page)) == page
        assert zlib.decompress(packing.gzipped(page), 31) == page


def test_packed_rows_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing._kept, "most", 8)

    for number in range(40):
        page = b'<tbody id="fleet-body">' + f"{number:05}".encode() * 5000 + b"</tbody>"
        assert gzip.decompress(packing.gzipped(page)) == page
        assert len(packing._kept) <= 8


def test_the_length_of_an_answer_tells_nothing_of_what_is_in_it(rf: RequestFactory) -> None:
    """Or a page that repeats what was asked would tell its token letter by letter (BREACH)."""
    answer = packing.compressed(lambda request: HttpResponse(b"x" * 5000))
    request = rf.get("/", headers={"accept-encoding": "gzip"})

    assert len({len(answer(request).content) for _ in range(50)}) > 10


@pytest.mark.parametrize("size", [0, 10, 400])
def test_what_is_small_travels_as_it_is(rf: RequestFactory, size: int) -> None:
    response = packing.compressed(lambda request: HttpResponse(b"x" * size))(
        rf.get("/", headers={"accept-encoding": "gzip"})
    )

    assert "Content-Encoding" not in response.headers


def test_a_page_of_a_hundred_rows_is_small(fleet: Fleet, as_vera: Client, otto: User) -> None:
    churn = fleet.document("lead-scoring")
    fleet.add(*(churn | {"name": f"more-{n:03}", "id": f"id-{n}"} for n in range(100)))

    page = as_vera.get("/endpoints/", headers={"accept-encoding": "gzip"})

    assert len(soup(as_vera.get("/endpoints/")).select("tr[data-endpoint]")) == 100
    assert len(page.content) <= 15_000


def test_a_row_gives_a_browser_little_to_lay_out(fleet: Fleet, as_vera: Client) -> None:
    """A hundred of them are laid out at once, which must not hold the page up: a row has few
    elements, its icon no tree of its own (`<use>`), and no text is only there to be hidden."""
    for row in soup(as_vera.get("/endpoints/")).select("tr[data-endpoint]"):
        badge = one(row, ".badge[data-status] svg")
        assert not badge.select("use")
        assert badge.select("path, rect, circle")
        assert not row.select(".c-act .vh")

    plain = one(soup(as_vera.get("/endpoints/")), 'tr[data-endpoint="lab/customer-ltv"]')
    assert plain.select_one('[data-status="ready"]')
    assert len(plain.find_all(True)) <= 19


def test_the_search_box_of_other_pages_is_empty(fleet: Fleet, as_vera: Client) -> None:
    as_vera.get("/endpoints/?q=churn")

    for url in ("/operations/?q=churn", "/w/lab/e/churn/"):
        assert one(soup(as_vera.get(url)), "form.find input[name=q]")["value"] == ""
