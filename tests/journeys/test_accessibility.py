"""axe finds nothing to complain about, in either theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.looks import complaints
from tests.journeys.pages import path_of, row

pytestmark = pytest.mark.journey

ENDPOINT = "lab/fraud-scorer"


def sign_in(page: Page) -> None:
    page.goto("/account/sign-in/")


def fleet(page: Page) -> None:
    page.goto("/endpoints/")
    expect(row(page, ENDPOINT)).to_be_visible()


def dialog(page: Page) -> None:
    page.goto("/endpoints/")
    row(page, "lab/lead-scoring").get_by_role("link", name="Stop").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def delete(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}delete/")


def detail(page: Page) -> None:
    page.goto(path_of(ENDPOINT))


def metrics(page: Page) -> None:
    """Charts, and a table of numbers."""
    page.goto(f"{path_of('lab/basket-recommender')}metrics/?range=1h")
    expect(page.locator("figure.chart").first).to_be_visible(timeout=90_000)
    page.locator("figure.chart summary").first.click()


def operations(page: Page) -> None:
    page.goto("/operations/")


def status(page: Page) -> None:
    page.goto("/status/")
    expect(page.locator(".verdict.now h1")).to_be_visible()
    page.locator("summary").click()


def status_of_one(page: Page) -> None:
    page.goto("/status/lab/fraud-scorer/")


def logs(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}logs/")
    expect(page.locator("#lines")).to_be_visible()


def permissions(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}permissions/")
    expect(page.locator("tr[data-principal]").first).to_be_visible()


def change_of_permissions(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}permissions/edit/")


def schema(page: Page) -> None:
    page.goto(f"{path_of('lab/lead-scoring')}schema/")
    expect(page.get_by_role("heading", name="lead_scoring-19")).to_be_visible()


def try_it(page: Page) -> None:
    page.goto(f"{path_of('lab/lead-scoring')}schema/try/")


def activity(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}activity/")


def budget_report(page: Page) -> None:
    page.goto("/budget/")


def budget_policy(page: Page) -> None:
    page.goto(f"{path_of(ENDPOINT)}budget/")
    expect(page.locator("dl.policy")).to_be_visible()


def password(page: Page) -> None:
    page.goto("/account/password/")


def not_found(page: Page) -> None:
    page.goto("/w/lab/e/never-there/")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "go"),
    [
        pytest.param(None, sign_in, id="sign-in"),
        pytest.param("otto", fleet, id="list"),
        pytest.param("otto", dialog, id="dialog"),
        pytest.param("mika", delete, id="delete"),
        pytest.param("vera", detail, id="detail"),
        pytest.param("otto", metrics, id="metrics"),
        pytest.param("otto", operations, id="operations"),
        pytest.param("otto", logs, id="logs"),
        pytest.param("vera", permissions, id="permissions"),
        pytest.param("mika", change_of_permissions, id="permissions-edit"),
        pytest.param("vera", schema, id="schema"),
        pytest.param("otto", try_it, id="try-it"),
        pytest.param("vera", activity, id="activity"),
        pytest.param("vera", budget_report, id="budget-report"),
        pytest.param("vera", budget_policy, id="budget-policy"),
        pytest.param("vera", status, id="status"),
        pytest.param("vera", status_of_one, id="status-of-one"),
        pytest.param("otto", password, id="password"),
        pytest.param("vera", not_found, id="not-found"),
    ],
)
def test_axe_finds_nothing(
    desk: Desk, visit: Visitors, name: str | None, go: Callable[[Page], None], theme: Any
) -> None:
    visit.tolerated = "404"
    page = visit(name, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    go(page)
    assert complaints(page) == []
