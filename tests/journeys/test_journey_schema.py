"""Learn how an endpoint is called, and call it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.harness import Desk
from tests.journeys.conftest import Visitors
from tests.journeys.pages import expect_never_reloaded, mark, path_of

pytestmark = pytest.mark.journey

ENDPOINT = "lab/lead-scoring"


def test_from_the_fields_to_an_answer(desk: Desk, visit: Visitors) -> None:
    visit.tolerated = "status of 422"  # a request that does not fit is answered so
    page = visit("otto")
    page.goto(path_of(ENDPOINT))
    page.get_by_role("link", name="Schema", exact=True).click()
    expect(page.get_by_role("heading", name="lead_scoring-19")).to_be_visible()
    page.get_by_role("link", name="dataframe_records").click()
    expect(page.get_by_role("row", name="age_days")).to_contain_text("required")
    expect(page.get_by_label("the example request", exact=True)).to_contain_text('"age_days"')
    page.get_by_role("link", name="Databricks SDK").click()
    expect(page.get_by_label("the snippet", exact=True)).to_contain_text("WorkspaceClient")

    page.get_by_role("link", name="Try it").first.click()
    page.get_by_role("link", name="dataframe_records").click()
    page.get_by_label("age_days").fill("many")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent.")
    expect(page.get_by_label("age_days")).to_have_value("many")

    page.get_by_label("age_days").fill("12")
    answered = page.locator("[data-outcome=answered]")
    for _ in range(5):
        page.get_by_role("button", name="Send request").click()
        page.wait_for_load_state()
        if not page.get_by_text("There is no time to check it just now").is_visible():
            break  # a busy machine may say so, and nothing is sent then
    expect(answered).to_contain_text("200")
    expect(page.get_by_label("the answer", exact=True)).to_contain_text('"predictions"')
    assert desk.lab.calls()["POST /serving-endpoints/{name}/invocations"] == 1


def test_all_of_it_in_swagger_ui(visit: Visitors) -> None:
    """What its console says of the policy would fail the test."""
    page = visit("vera", color_scheme="dark")
    page.goto(f"{path_of(ENDPOINT)}schema/?read=1")
    page.get_by_role("link", name="All of it in Swagger UI").click()
    expect(page.locator("html")).to_have_class(re.compile("dark-mode"))
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class(re.compile("dark-mode"))
    page.get_by_role("button", name="POST").first.click()
    expect(page.locator(".opblock-body")).to_contain_text("Successful operation")
    expect(page.get_by_role("button", name="Try it out")).to_have_count(0)


def test_without_a_script_a_link_reads_the_schema(visit: Visitors) -> None:
    page = visit("vera", java_script_enabled=False)
    page.goto(f"{path_of('lab/geo-features')}schema/")
    page.get_by_role("link", name="Read the schema").click()
    expect(page.get_by_role("heading", name="geo_features")).to_be_visible()
    expect(page.get_by_role("link", name="Try it")).to_have_count(0)


def test_a_schema_that_is_not_there_says_why_and_what_to_do(visit: Visitors) -> None:
    page = visit("vera")
    page.goto(f"{path_of('lab/customer-ltv')}schema/")
    mark(page)
    expect(page.locator("[data-absence=no_signature]")).to_contain_text("infer_signature")
    expect(page.locator("[data-absence]")).to_contain_text("no model signature")
    expect_never_reloaded(page)
