"""The heading of an endpoint's pages: drawn once for who may do the same, and for nobody else."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.views.conftest import Fleet
from tests.views.pages import one, soup, text

NAME = "basket-recommender"
OVERVIEW = f"/w/lab/e/{NAME}/"
METRICS = f"{OVERVIEW}metrics/"
ACTIVITY = f"{OVERVIEW}activity/"

EACH_PAGE = pytest.mark.parametrize("url", [OVERVIEW, METRICS, ACTIVITY, f"{OVERVIEW}config/"])


def stop(client: Client, url: str) -> bool:
    """Whether it may be clicked."""
    button = one(soup(client.get(url)), ".acts .btn:-soup-contains('Stop')")
    return button.get("aria-disabled") != "true"


@EACH_PAGE
def test_each_role_has_a_heading_of_its_own(
    url: str, as_vera: Client, as_otto: Client, headings_made: list[str]
) -> None:
    for _ in range(2):
        assert not stop(as_vera, url)
        assert stop(as_otto, url)
    assert len(headings_made) == 2


@EACH_PAGE
def test_it_tells_a_new_status_at_once_and_that_nobody_answers(
    url: str, fleet: Fleet, as_vera: Client, headings_made: list[str]
) -> None:
    assert "Ready" in text(soup(as_vera.get(url)), "#title .badge")
    document = fleet.document(NAME)
    document["state"]["ready"] = "NOT_READY"
    fleet.read(document)
    assert "Not ready" in text(soup(as_vera.get(url)), "#title .badge")
    fleet.forward(50)
    assert "Unknown" in text(soup(as_vera.get(url)), "#title .badge")


@EACH_PAGE
def test_it_is_kept_while_the_workspace_answers_that_nothing_is_new(
    url: str, fleet: Fleet, as_vera: Client, headings_made: list[str]
) -> None:
    fleet.forward(2 * 3600)  # what is younger tells minutes
    for _ in range(12):
        fleet.forward(15)
        fleet.answered()
        as_vera.get(url)
    assert len(headings_made) == 1


def test_each_tab_has_its_own(as_vera: Client) -> None:
    for url in (METRICS, ACTIVITY, METRICS, OVERVIEW):
        current = one(soup(as_vera.get(url)), ".tabs:not(.in) a[aria-current=page]")
        assert str(current["href"]).partition("?")[0] == url
