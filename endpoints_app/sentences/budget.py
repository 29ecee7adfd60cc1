"""Budget policies: where one comes from, and why there is none."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from endpoints_app.domain import budget as rules
from endpoints_app.domain.budget import Standing
from endpoints_app.domain.kind import Kind
from endpoints_app.services import budget
from endpoints_app.services.budget import Tally
from endpoints_app.services.upstream import Problem

ASKED: dict[str, Promise] = {
    rules.NONE: gettext_lazy("without one"),
    rules.UNKNOWN: gettext_lazy("not known yet"),
}
"""What a filter may ask for besides a policy."""

STANDINGS: dict[Standing, Promise] = {
    Standing.SET: gettext_lazy("Set on this endpoint"),
    Standing.INHERITED: gettext_lazy("Inherited"),
    Standing.NONE: gettext_lazy("None"),
    Standing.UNKNOWN: gettext_lazy("Not known yet"),
    Standing.IMPOSSIBLE: gettext_lazy("It cannot have one"),
}

WHY_IMPOSSIBLE: dict[Kind, Promise] = {
    Kind.FOUNDATION: gettext_lazy("billed by use"),
    Kind.EXTERNAL: gettext_lazy("nothing runs at Databricks"),
}


def choices(tally: Tally) -> list[tuple[str, str]]:
    """What the list can be filtered by, policies by their names."""
    named = [(line.id, budget.name_of(line.id)) for line in tally.policies]
    asked = [(asked, str(said)) for asked, said in ASKED.items()]
    return asked + sorted(named, key=lambda it: it[1].casefold())


WHERE_FROM: dict[Standing, Promise] = {
    Standing.SET: gettext_lazy("Its usage is tagged by the policy that is set on the endpoint."),
    Standing.INHERITED: gettext_lazy(
        "Its usage is tagged by a policy that is not set on the endpoint itself: Databricks "
        "applies the one that its creator has."
    ),
    Standing.NONE: gettext_lazy("Its usage carries no tag of a policy."),
    Standing.UNKNOWN: gettext_lazy(
        "So far it has only been listed, and lists leave out what is inherited."
    ),
    Standing.IMPOSSIBLE: gettext_lazy("Databricks has no budget policies for it."),
}


def impossible(kind: Kind) -> str:
    """Why this kind cannot have one."""
    if kind is Kind.EXTERNAL:
        return _(
            "It passes requests on to an external model. Nothing of it runs at Databricks, so that "
            "there is no usage to tag."
        )
    return _(
        "Pay-per-token endpoints belong to Databricks and are billed by use. Nobody creates them, "
        "and so nobody attaches a policy."
    )


def refused(problem: Problem) -> str:
    """Databricks' no, in words where we know what it means, and always with its own."""
    said = _("Databricks refused it: %(answer)s") % {
        "answer": problem.message or _("without a reason")
    }
    known = {
        "PermissionDenied": _("Our credentials need CAN MANAGE on it, and the use of the policy."),
        "NotKnown": _("This workspace does not know the call that our settings name."),
    }.get(problem.kind)
    return f"{known} {said}" if known else said


STEPS: dict[str, Promise] = {
    "budget policy changed": gettext_lazy("changed"),
    "budget policy refused": gettext_lazy("refused by Databricks"),
    "budget policy not confirmed": gettext_lazy("not confirmed"),
}


def step(action: str) -> str:
    return str(STEPS.get(action, action))


def difference(before: str, after: str) -> str:
    """ "none → shop-search"."""
    names = [budget.name_of(policy) or _("none") for policy in (before, after)]
    return " → ".join(names)


def hours(share: float | None) -> str:
    """ "19 h a day"; less than an hour a day is not nothing, and what is unknown is not stopped."""
    if share is None:
        return _("not known")
    hours = 24 * share
    if hours == 0:
        return _("stopped")
    if hours < 0.95:
        return _("under 1 h a day")
    return _("%(n)s h a day") % {"n": round(hours)}


MOST_NAMES = 100


def note(names: dict[str, list[str]]) -> str:
    """A line for each owner, to be sent to them."""
    lines = []
    for owner, theirs in names.items():
        said = ", ".join(theirs[:MOST_NAMES])
        if more := len(theirs) - MOST_NAMES:
            said += " " + _("and %(n)s more") % {"n": more} if more > 0 else ""
        many = ngettext(
            "%(owner)s: %(n)s endpoint without a budget policy, so that its usage carries no tag: "
            "%(names)s",
            "%(owner)s: %(n)s endpoints without a budget policy, so that their usage carries no "
            "tag: %(names)s",
            len(theirs),
        )
        lines.append(many % {"owner": owner or "–", "n": len(theirs), "names": said})
    return "\n".join(lines)
