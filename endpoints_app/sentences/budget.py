"""Budget policies: where one comes from, and why there is none."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from endpoints_app.domain import budget as rules
from endpoints_app.services import budget

ASKED: dict[str, Promise] = {
    rules.NONE: gettext_lazy("without one"),
    rules.UNKNOWN: gettext_lazy("not known yet"),
}
"""What a filter may ask for besides a policy."""


def choices(in_use: Collection[str]) -> list[tuple[str, str]]:
    """What the list can be filtered by, policies by their names."""
    named = sorted(((policy, budget.name_of(policy)) for policy in in_use), key=lambda it: it[1])
    return [(asked, str(said)) for asked, said in ASKED.items()] + named
