"""Names of status pages, and the tokens of their links."""

import pytest

from endpoints_app.domain import status_views


@pytest.mark.parametrize("name", ["risk", "team-risk-2", "a", "9"])
def test_words_with_hyphens_are_names(name):
    assert status_views.is_slug(name)


@pytest.mark.parametrize(
    "name", ["", "Risk", "a--b", "-a", "a-", "a_b", "a/b", "..", "a b", "é", "a\n", "a" * 51]
)
def test_what_an_address_or_a_file_name_could_not_carry_is_none(name):
    assert not status_views.is_slug(name)


def test_reserved_words_are_names_so_that_their_refusal_can_be_told_apart():
    assert all(status_views.is_slug(word) for word in status_views.RESERVED)


def test_a_token_opens_what_keeps_its_digest():
    kept = status_views.digest("secret")
    assert status_views.opens("secret", kept)
    assert not status_views.opens("Secret", kept)
    assert "secret" not in kept


@pytest.mark.parametrize("token", ["", "secret", status_views.digest("")])
def test_no_token_opens_a_view_without_a_link(token):
    assert not status_views.opens(token, "")
