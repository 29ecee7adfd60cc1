"""Which runbook and contact an endpoint gets."""

import pytest

from endpoints_app.domain.status_links import Links, Rule, links_of

DEFAULT = Rule(Links("https://wiki/default", "Platform on-call", "https://chat/platform"))
TEAM = Rule(Links("https://wiki/team", "Team", ""), tag="team")
RISK = Rule(Links("", "Risk on-call", "https://chat/risk"), tag="team=risk")
OWN = Rule(Links("https://wiki/fraud", "", ""), endpoint=7)


def test_the_default_is_for_what_nobody_named():
    assert links_of(1, {}, [RISK, DEFAULT, OWN]) == DEFAULT.links


def test_nothing_set_is_nothing_shown():
    assert links_of(1, {"team": "risk"}, []) == Links()


def test_a_value_is_narrower_than_a_key_and_an_own_link_narrower_than_both():
    rules = [DEFAULT, TEAM, RISK, OWN]
    assert links_of(1, {"team": "ads"}, rules) == TEAM.links
    assert links_of(1, {"team": "risk"}, rules).contact_name == "Risk on-call"
    assert links_of(7, {"team": "risk"}, rules).runbook_url == "https://wiki/fraud"


def test_what_the_narrow_one_leaves_empty_the_wider_one_fills():
    assert links_of(7, {"team": "risk"}, [DEFAULT, TEAM, RISK, OWN]) == Links(
        "https://wiki/fraud", "Risk on-call", "https://chat/risk"
    )


def test_a_contact_never_gets_the_address_of_another():
    assert links_of(1, {"team": "ads"}, [DEFAULT, TEAM]).contact_url == ""


@pytest.mark.parametrize("order", [1, -1])
def test_two_tags_of_equal_rank_are_told_apart_the_same_way_everywhere(order):
    rules = [Rule(Links("https://a"), tag="a"), Rule(Links("https://b"), tag="b")]
    assert links_of(1, {"b": "", "a": ""}, rules[::order]).runbook_url == "https://a"
