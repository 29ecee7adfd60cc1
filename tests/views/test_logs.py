"""The Logs tab: who may read, what each state says, and that the tail goes on where one was."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from endpoints_app.databricks_api import errors
from endpoints_app.domain.logs import mark_of
from endpoints_app.domain.roles import ACTIONS, Action, Role
from endpoints_app.models import Endpoint, LogSnapshot
from endpoints_app.services import logs, upstream
from tests.views.conftest import Fleet

Text = str | Exception


class Workspace:
    """What it answers when it is asked for a log."""

    def __init__(self) -> None:
        self.text: Text = "one\ntwo\n"
        self.skipped = 0
        self.asked: list[logs.Wanted] = []

    def read(self, wanted: logs.Wanted, *, keep: int, deadline: float) -> logs.Text:
        self.asked.append(wanted)
        if isinstance(self.text, Exception):
            raise self.text
        return logs.Text(self.text, self.skipped)


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Workspace:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    found = Workspace()
    monkeypatch.setattr(logs, "_read", found.read)
    monkeypatch.setattr(logs, "FRESH_SECONDS", 0.0)
    return found


@pytest.fixture
def endpoint(fleet: Fleet) -> Endpoint:
    rows = Endpoint.objects.filter(kind="custom", status="ready", pending_version=None)
    return rows.select_related("workspace").order_by("name")[0]


@pytest.fixture
def url(endpoint: Endpoint) -> str:
    entity = logs.choices(endpoint)[0].entity
    return f"/w/lab/e/{endpoint.name}/logs/active/{quote(entity)}/server/"


@pytest.fixture
def reader(browser: Any, vera: User) -> Client:
    return browser(vera)


def page(client: Client, url: str) -> BeautifulSoup:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return BeautifulSoup(response.content, "html.parser")


def texts(soup: BeautifulSoup) -> list[str]:
    return [line.select("span")[-1].get_text() for line in soup.select(".ln")]


def tail(client: Client, url: str, shown: BeautifulSoup) -> Any:
    cursor = shown.select_one("#lines")["data-cursor"]  # type: ignore[index]
    return client.get(f"{url}tail/", {"after": cursor}, headers={"HX-Request": "true"})


# Who -------------------------------------------------------------------------------------------


def test_a_viewer_reads_logs_and_an_outsider_sees_nothing(
    workspace: Workspace, url: str, reader: Client, browser: Any, oscar: User, ada: User
) -> None:
    assert texts(page(reader, f"{url}?read=1")) == ["one", "two"]
    for address in (url, f"{url}part/", f"{url}tail/?after=0.0.", f"{url}download/"):
        assert browser(oscar).get(address).status_code == 404
        assert browser(ada).get(address).status_code == 404


def test_seeing_an_endpoint_is_not_reading_its_logs(
    workspace: Workspace, url: str, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIONS, Role.VIEWER, frozenset({Action.SEE}))
    for address in (url, f"{url}part/", f"{url}tail/?after=0.0.", f"{url}download/"):
        assert reader.get(address).status_code == 403
    assert not workspace.asked


def test_what_an_endpoint_does_not_serve_has_no_log(
    workspace: Workspace, endpoint: Endpoint, reader: Client
) -> None:
    for rest in ("active/nothing/server/", "pending/x/build/", "active/x/other/", "x/y/server/"):
        assert reader.get(f"/w/lab/e/{endpoint.name}/logs/{rest}").status_code == 404
    assert not workspace.asked


# Which -----------------------------------------------------------------------------------------


def test_the_tab_leads_to_the_log_one_wants_to_read(
    workspace: Workspace, fleet: Fleet, endpoint: Endpoint, reader: Client
) -> None:
    response = reader.get(f"/w/lab/e/{endpoint.name}/logs/")
    assert re.search(r"/logs/active/[^/]+/server/$", response.headers["Location"])
    failed = Endpoint.objects.filter(kind="custom", config_update="UPDATE_FAILED")[0]
    response = reader.get(f"/w/lab/e/{failed.name}/logs/")
    assert re.search(r"/logs/pending/[^/]+/build/$", response.headers["Location"])


def test_entity_log_and_configuration_are_links(
    workspace: Workspace, fleet: Fleet, reader: Client
) -> None:
    failed = Endpoint.objects.filter(
        kind="custom", config_update="UPDATE_FAILED", config_version__isnull=False
    )[0]
    shown = page(reader, reader.get(f"/w/lab/e/{failed.name}/logs/").headers["Location"])
    links = [str(link["href"]) for link in shown.select("#entity a")]
    assert any("/pending/" in link for link in links)
    assert any("/active/" in link for link in links)
    for link in (*links, *(a["href"] for a in shown.select(".tools .tabs a"))):
        assert reader.get(link).status_code == 200


def test_a_version_by_its_number_is_asked_for(
    workspace: Workspace, url: str, reader: Client
) -> None:
    page(reader, url.replace("/active/", "/7/") + "?read=1")
    assert workspace.asked[-1].asked_version == 7
    page(reader, f"{url}?read=1")
    assert workspace.asked[-1].asked_version is None


# States ----------------------------------------------------------------------------------------


def test_without_a_copy_at_hand_the_page_comes_before_the_log(
    workspace: Workspace, url: str, reader: Client
) -> None:
    shown = page(reader, url)
    assert not workspace.asked
    assert shown.select_one("#log-panel .skel")
    part = shown.select_one("#log-panel[hx-get]")
    assert part is not None
    assert texts(page(reader, str(part["hx-get"]))) == ["one", "two"]
    assert texts(page(reader, url)) == ["one", "two"], "now there is one"
    link = shown.select_one(".no-js a[href]")
    assert link is not None
    assert texts(page(reader, str(link["href"]))) == ["one", "two"]


def test_where_scripts_run_no_page_waits_for_the_workspace(
    workspace: Workspace, url: str, reader: Client
) -> None:
    reader.cookies["script"] = "on"
    for query in ("", "?q=one", "?lines=20000", "?level=err"):
        part = page(reader, url + query).select_one("#log-panel[hx-get]")
        assert part is not None
        assert part["hx-get"] == f"{url}part/{query or '?'}"
    assert not workspace.asked
    assert texts(page(reader, f"{url}part/")) == ["one", "two"]
    workspace.text = "one\ntwo\nthree\n"
    shown = page(reader, url)
    assert texts(shown) == ["one", "two"], "the copy at hand"
    assert len(workspace.asked) == 1
    assert b"three" in tail(reader, url, shown).content, "what is newer follows"


def test_an_empty_log_says_so_and_is_followed(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = ""
    shown = page(reader, f"{url}?read=1")
    assert shown.select_one("#log-nothing")
    workspace.text = "first\n"
    assert b"first" in tail(reader, url, shown).content


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.PermissionDenied("no", status=403), "forbidden"),
        (errors.DoesNotExist("gone", status=404), "empty"),
        (errors.BadRequest("stopped", status=400), "empty"),
        (errors.NotKnown("proxy", status=404), "error"),
        (errors.Internal("oh", status=500), "error"),
        (upstream.Busy("busy"), "busy"),
    ],
)
def test_every_refusal_has_its_state(
    error: Exception, state: str, workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = error
    shown = page(reader, f"{url}?read=1")
    assert shown.select_one(f'#log-panel [data-state="{state}"]'), shown.select_one("#log-panel")
    assert shown.select_one("h1"), "the rest of the page lives"


def test_a_source_that_falls_silent_is_said_over_the_old_lines_and_taken_back(
    workspace: Workspace, url: str, reader: Client
) -> None:
    shown = page(reader, f"{url}?read=1")
    workspace.text = errors.TimedOut("slow")
    upstream.forget()
    answer = tail(reader, url, shown)
    assert answer.headers["Log-State"] == "TimedOut"
    assert BeautifulSoup(answer.content, "html.parser").select_one(
        '#log-source [data-state="stale"]'
    )
    upstream.forget()
    cursor = shown.select_one("#lines")["data-cursor"]  # type: ignore[index]
    again = reader.get(f"{url}tail/", {"after": cursor, "state": "TimedOut"})
    assert again.status_code == 204, "said once"
    workspace.text = "one\ntwo\n"
    upstream.forget()
    well = reader.get(f"{url}tail/", {"after": cursor, "state": "TimedOut"})
    assert well.status_code == 200
    assert not BeautifulSoup(well.content, "html.parser").select("[data-state=stale]")


def test_what_has_no_logs_says_why(workspace: Workspace, fleet: Fleet, reader: Client) -> None:
    external = Endpoint.objects.filter(kind__in=["external", "foundation"])[0]
    shown = page(reader, f"/w/lab/e/{external.name}/logs/")
    assert shown.select_one('#log-panel [data-state="empty"]')
    assert not workspace.asked


# Tail ------------------------------------------------------------------------------------------


def test_new_lines_are_appended_once_with_their_numbers(
    workspace: Workspace, url: str, reader: Client
) -> None:
    shown = page(reader, f"{url}?read=1")
    assert tail(reader, url, shown).status_code == 204
    workspace.text = "one\ntwo\nthree\n"
    answer = tail(reader, url, shown)
    soup = BeautifulSoup(answer.content, "html.parser")
    assert texts(soup) == ["three"]
    assert soup.select_one("#L3")
    assert not soup.select(".gap")
    after = {"after": answer.headers["Log-Cursor"]}
    assert reader.get(f"{url}tail/", after).status_code == 204


def test_a_gap_is_said(workspace: Workspace, url: str, reader: Client) -> None:
    shown = page(reader, f"{url}?read=1")
    workspace.text = "2026-11-22T02:32:51Z INFO eight\nnine\n"
    soup = BeautifulSoup(tail(reader, url, shown).content, "html.parser")
    gap = soup.select_one(".gap")
    assert gap is not None
    assert "2026-11-22T02:32:51Z" in gap.get_text()
    assert len(soup.select(".ln")) == 2


def test_a_line_that_was_still_being_written_is_replaced(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = "one\ntwo\nLoad"
    shown = page(reader, f"{url}?read=1")
    workspace.text = "one\ntwo\nLoading\nfour\n"
    soup = BeautifulSoup(tail(reader, url, shown).content, "html.parser")
    (grown,) = soup.select("[hx-swap-oob]")
    assert (grown["id"], grown.get_text()) == ("L3", "3Loading")
    assert texts(soup) == ["Loading", "four"]


@pytest.mark.parametrize("after", ["", "x", "1.1.zz", "9" * 400])
def test_a_place_that_is_none_is_refused(
    after: str, workspace: Workspace, url: str, reader: Client
) -> None:
    assert reader.get(f"{url}tail/", {"after": after}).status_code == 400


# Reading ---------------------------------------------------------------------------------------


def test_only_the_last_lines_are_shown_and_it_says_so(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = "".join(f"line {i}\n" for i in range(1, 5001))
    workspace.skipped = 100
    shown = page(reader, f"{url}?read=1")
    assert len(shown.select(".ln")) == 1000
    assert shown.select(".ln")[-1]["id"] == "L5100"
    cap = shown.select_one("#log-cap")
    assert cap is not None
    assert "last 1000 of 5100 lines" in cap.get_text().replace(",", "")
    assert len(page(reader, url + str(cap.select_one("a")["href"])).select(".ln")) == 4000  # type: ignore[index]


@pytest.mark.parametrize("find", ["", "&q=<", "&q=script"])
def test_hostile_lines_are_text(find: str, workspace: Workspace, url: str, reader: Client) -> None:
    hostile = "<script>alert(1)</script> \x1b[31m<b onclick=x>&\x1b[0m \x00 \u202e"
    workspace.text = (
        f'{hostile}\n{{"msg": "<u>", "a": "<u>", "<u>": 1}}\nhx-swap-oob="true" id="title"\n'
        "<script>alert(1)</script>\n2026-11-22T02:30:00Z INFO <script>alert(1)</script>\n"
        'Traceback (most recent call last):\n  File "<u>", line 1\nKeyError: <script>\n'
    )
    shown = page(reader, f"{url}?read=1{find}")
    lines = shown.select_one("#lines")
    assert lines is not None
    assert not lines.select("script, [onclick], u, [hx-swap-oob]")
    assert "<script>alert(1)</script>" in lines.get_text()
    assert "style" not in str(lines)


def test_find_counts_and_marks_and_leads_to_the_next(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = "CUDA one\nnothing\ncuda two, Cuda three\n"
    shown = page(reader, f"{url}?q=cuda&at=2")
    assert shown.select_one("#log-found").get_text() == "2 / 3"  # type: ignore[union-attr]
    assert [mark.get_text() for mark in shown.select("mark")] == ["CUDA", "cuda", "Cuda"]
    assert shown.select_one("mark.cur#match").get_text() == "cuda"  # type: ignore[union-attr]
    turns = [str(link["href"]) for link in shown.select("[data-turn]")]
    assert ["at=1" in turns[0], "at=3" in turns[1]] == [True, True]


def test_find_passes_by_what_the_level_hides(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = 'INFO cuda\nERROR cuda\n{"level": "info", "msg": "cuda"}\nWARN cuda\n'
    for level, found in (("", 4), ("warn", 2), ("err", 1)):
        shown = page(reader, f"{url}?q=cuda&level={level}")
        assert shown.select_one("#log-found").get_text() == f"1 / {found}"  # type: ignore[union-attr]
        lines = shown.select_one("#lines")
        assert lines is not None
        assert lines["data-level"] == level


def test_a_link_to_a_line_finds_it_where_it_is_now(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = "".join(f"line {i}\n" for i in range(3000))
    link = f"{url}?line=17-{mark_of('line 1200')}"
    shown = page(reader, link)
    assert shown.select_one(".here")["id"] == "L1201"  # type: ignore[index]
    lost = page(reader, f"{url}?line=17-{mark_of('no such line')}")
    assert not lost.select(".here")
    assert "no longer" in lost.select_one("#log-panel .notice").get_text()  # type: ignore[union-attr]


def test_a_traceback_is_folded_under_its_exception(
    workspace: Workspace, url: str, reader: Client
) -> None:
    workspace.text = (
        'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    g()\nKeyError: 1\n'
    )
    shown = page(reader, f"{url}?read=1")
    fold = shown.select_one("details.fold:not([open]) > summary")
    assert fold is not None
    assert "KeyError: 1" in fold.get_text()
    assert page(reader, f"{url}?q=KeyError").select_one("details.fold[open]")


def test_the_whole_comes_as_a_file(
    workspace: Workspace, url: str, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(logs, "whole", lambda wanted: io.BytesIO(b"all of it\n"))
    response = reader.get(f"{url}download/")
    assert b"".join(response.streaming_content) == b"all of it\n"  # type: ignore[attr-defined]
    assert response.headers["Content-Disposition"].startswith("attachment")

    def refuse(wanted: object) -> None:
        raise logs.NotRead(upstream.Problem("Internal", "oh", 500))

    monkeypatch.setattr(logs, "whole", refuse)
    response = reader.get(f"{url}download/")
    assert response.status_code == 503
    assert b'data-state="error"' in response.content


# Kept ------------------------------------------------------------------------------------------


@pytest.fixture
def kept(endpoint: Endpoint) -> LogSnapshot:
    return LogSnapshot.objects.create(
        endpoint=endpoint,
        log="server",
        entity="churn-3",
        config_version=3,
        text="last words\n",
        taken_at=timezone.now(),
    )


def test_a_kept_log_is_read_like_any_other_also_when_its_endpoint_is_gone(
    kept: LogSnapshot, endpoint: Endpoint, reader: Client, browser: Any, oscar: User
) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(gone_at=timezone.now())
    shown = page(reader, kept.get_absolute_url())
    assert texts(shown) == ["last words"]
    assert not shown.select("#log-tail")
    response = reader.get(f"{kept.get_absolute_url()}download/")
    assert response.content == b"last words\n"
    former = f"?id={endpoint.uid or endpoint.pk}"
    gone = page(reader, f"/w/lab/e/{endpoint.name}/logs/{former}")
    listed = page(reader, str(gone.select_one("#log-panel .state a")["href"]))  # type: ignore[index]
    assert listed.select_one(f'#log-panel a[href="{kept.get_absolute_url()}"]')
    assert browser(oscar).get(kept.get_absolute_url()).status_code == 404
    assert browser(oscar).get(f"{kept.get_absolute_url()}download/").status_code == 404


def test_kept_logs_are_logs(
    kept: LogSnapshot, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIONS, Role.VIEWER, frozenset({Action.SEE}))
    assert reader.get(kept.get_absolute_url()).status_code == 403


def test_the_timeline_leads_to_what_was_kept(
    kept: LogSnapshot, endpoint: Endpoint, reader: Client
) -> None:
    shown = page(reader, f"/w/lab/e/{endpoint.name}/")
    assert shown.select_one(f'.tl a[href="{kept.get_absolute_url()}"]')


# From the list and the overview ----------------------------------------------------------------


def test_a_failed_update_is_one_click_from_its_build_log(
    workspace: Workspace, fleet: Fleet, reader: Client
) -> None:
    listed = page(reader, "/endpoints/")
    rows = listed.select("tr:has([data-status=update_failed])")
    assert rows
    for row in rows:
        link = row.select_one(".c-act a")
        assert link is not None
        assert str(link["href"]).endswith("/logs/"), row
    for row in listed.select("tr:has([data-status=ready_update_failed])"):
        assert row.select_one('.c-status a.why[href$="/logs/"]')
    overview = page(reader, str(rows[0].select_one("a.name")["href"]))  # type: ignore[index]
    assert overview.select_one('#failing a[href$="/logs/"]')
