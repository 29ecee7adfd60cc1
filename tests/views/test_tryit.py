"""A request that was sent: what its sender sees, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.domain.snippets import Language, snippet
from endpoints_app.emulator import Running
from endpoints_app.models import AuditEntry
from tests.conftest import Lab
from tests.views.pages import one, soup, text

ROW = {"customer_id": "a", "sessions_30d": 3, "category": "shoes", "recent_prices": [9.5]}
BODY = {"dataframe_records": [ROW]}


@pytest.fixture
def as_otto(lab: Lab, otto: User, browser: Callable[[User], Client]) -> Client:
    lab.sync()
    return browser(otto)


def url(name: str) -> str:
    return f"/w/lab/e/{name}/schema/try/"


def test_the_answer_is_shown_with_status_time_and_who_answered(as_otto: Client) -> None:
    page = soup(as_otto.post(url("basket-recommender"), {"body": json.dumps(BODY)}))
    answer = one(page, "[data-outcome=answered]")
    assert "200" in answer.text
    assert "ms" in answer.text
    assert one(answer, ".mono").text.startswith("basket")
    assert '"predictions"' in text(page, "pre[aria-label='the answer']")
    assert [entry.action for entry in AuditEntry.objects.all()] == [
        "request answered",
        "request sent",
    ]


def test_without_a_schema_json_is_sent_as_it_is(as_otto: Client) -> None:
    page = soup(as_otto.get(url("basket-recommender")))
    assert "nothing is checked" in page.text
    assert json.loads(one(page, "textarea[name=body]").text)


def test_a_stopped_endpoint_says_how_to_start_it(as_otto: Client) -> None:
    page = soup(as_otto.post(url("card-ocr-v1"), {"body": json.dumps(BODY)}))
    assert one(page, "#answer a[href='/w/lab/e/card-ocr-v1/start/']")
    assert "400" in one(page, "[data-outcome]").text


def test_what_databricks_refuses_is_shown_in_its_words(as_otto: Client) -> None:
    page = soup(as_otto.post(url("basket-recommender"), {"body": "{}"}))
    assert one(page, "[data-outcome=BadRequest]")
    assert "exactly one of" in text(page, "#answer .facts")


def test_a_hostile_answer_is_text(as_otto: Client, lab: Lab) -> None:
    """Of a model, or of a proxy: it need not be JSON."""
    evil = "<script>alert(1)</script> \"<b>\" 1<i>2 {'x': '</pre>'}"
    match = {"path": "/invocations$"}
    lab.emulator.fault("status", status=200, body=evil, match=match)
    page = soup(as_otto.post(url("basket-recommender"), {"body": json.dumps(BODY)}))
    answer = one(page, "pre[aria-label='the answer']")
    assert answer.get_text() == evil
    assert {tag.name for tag in answer.find_all()} <= {"span"}


def test_more_than_is_sent_is_refused_in_words(as_otto: Client, lab: Lab) -> None:
    body = json.dumps({"inputs": "x" * 1_000_001})
    response = as_otto.post(url("basket-recommender"), {"body": body})
    assert response.status_code == 409
    assert "at most 1 MB" in text(soup(response), "#verdict")
    assert not AuditEntry.objects.exists()


def test_a_megabyte_of_quotes_is_taken_and_what_no_form_should_bring_is_refused_in_words(
    as_otto: Client, lab: Lab
) -> None:
    """A browser writes each quote as three characters."""
    fits = urlencode({"body": json.dumps({"inputs": '"' * 490_000})})
    assert 2_500_000 < len(fits) < 4_000_000
    where, form = url("basket-recommender"), "application/x-www-form-urlencoded"
    assert as_otto.post(where, fits, content_type=form).status_code == 200
    response = as_otto.post(where, fits * 2, content_type=form)
    assert response.status_code == 400
    assert "too large" in soup(response).select_one("main").get_text()  # type: ignore[union-attr]


@pytest.mark.clients
@pytest.mark.parametrize("language", [Language.PYTHON, Language.MLFLOW, Language.SDK])
def test_a_snippet_runs_as_it_is_pasted(emulator: Running, language: Language) -> None:
    program = snippet(
        language, host=emulator.url, endpoint="basket-recommender", entity="", body=BODY
    )
    place = {"DATABRICKS_HOST": emulator.url, "DATABRICKS_TOKEN": emulator.token}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | place,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "predictions" in done.stdout, done.stderr
