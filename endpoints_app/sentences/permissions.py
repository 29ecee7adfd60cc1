"""Who may do what in Databricks, and what a change of it means."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from endpoints_app.domain.permissions import (
    CAN_MANAGE,
    CAN_QUERY,
    CAN_VIEW,
    Danger,
    Difference,
    Entry,
    PrincipalKind,
    is_raise,
)

PRINCIPALS: dict[PrincipalKind, Promise] = {
    PrincipalKind.USER: gettext_lazy("User"),
    PrincipalKind.GROUP: gettext_lazy("Group"),
    PrincipalKind.SERVICE_PRINCIPAL: gettext_lazy("Service principal"),
}


DANGERS: dict[Danger, Promise] = {
    Danger.LAST_MANAGER: gettext_lazy(
        "Nobody is left who holds CAN MANAGE on this endpoint itself. Afterwards only those who "
        "inherit it, as the workspace’s admins do, can change its permissions."
    ),
    Danger.OURSELVES: gettext_lazy(
        "Serving Desk itself loses access. It may no longer see, stop or change this endpoint, and "
        "you could not take this back here."
    ),
    Danger.OURSELVES_UNKNOWN: gettext_lazy(
        "The workspace did not say which principal Serving Desk is. If it is among those who lose "
        "something here, you could not take this back here."
    ),
}


CONFIRMATIONS: dict[Danger, Promise] = {
    Danger.LAST_MANAGER: gettext_lazy("Leave it without a direct manager"),
    Danger.OURSELVES: gettext_lazy("Take it from Serving Desk itself"),
    Danger.OURSELVES_UNKNOWN: gettext_lazy("Go on without knowing it"),
}


def level(permission: str | None) -> str:
    """`CAN_MANAGE` as Databricks' own pages write it."""
    return permission.replace("_", " ") if permission else "–"


def principals(kind: PrincipalKind, number: int) -> str:
    """ "2 groups"."""
    said = {
        PrincipalKind.USER: ngettext("%(n)s user", "%(n)s users", number),
        PrincipalKind.GROUP: ngettext("%(n)s group", "%(n)s groups", number),
        PrincipalKind.SERVICE_PRINCIPAL: ngettext(
            "%(n)s service principal", "%(n)s service principals", number
        ),
    }
    return said[kind] % {"n": number}


def inherited_from(path: str) -> str:
    """Where an inherited level comes from; Databricks gives a path, in our reading (unpublished)
    `/serving-endpoints/` for what is granted on all of them."""
    if path.strip("/") == "serving-endpoints":
        return _("all endpoints of the workspace")
    if path.strip("/") == "":
        return _("the workspace")
    return path


def origin(entry: Entry) -> str:
    """Where the level comes from that counts in the end."""
    above = [
        _("%(level)s from %(where)s") % {"level": level(grant.level), "where": where}
        for grant in entry.inherited
        for where in ([inherited_from(path) for path in grant.sources] or [_("above")])
    ]
    if entry.level is None:
        return _("Inherited: %(what)s") % {"what": _(", ").join(above)} if above else "–"
    if not above:
        return _("Direct")
    return _("Direct %(level)s; inherited: %(what)s") % {
        "level": level(entry.level),
        "what": _(", ").join(above),
    }


def difference(before: str | None, after: str | None) -> str:
    """ "CAN QUERY → CAN MANAGE"."""
    nothing = _("no direct grant")
    return f"{level(before) if before else nothing} → {level(after) if after else nothing}"


def consequence(change: Difference) -> str:
    """What the principal may then do that it might not before, or the other way round."""
    before, after = change.effective_before, change.effective_after
    if before == after:
        return _("Keeps %(level)s by inheritance") % {"level": level(after)} if after else ""
    if after is None:
        return _("May no longer see it, unless a group allows it")
    if is_raise(before, after):
        return {
            CAN_VIEW: _("May now see it"),
            CAN_QUERY: _("May now send it requests"),
            CAN_MANAGE: _("May now stop, change and delete it, and change its permissions"),
        }.get(after, "")
    if change.after is None and change.keeps:
        return _("Keeps %(level)s by inheritance") % {"level": level(after)}
    if after == CAN_QUERY:
        return _("May no longer stop, change or delete it, unless a group allows it")
    if after == CAN_VIEW:
        return _("May no longer send it requests, unless a group allows it")
    return ""


def refused(message: str) -> str:
    """Databricks' no, in words where we know what it means, and always with its own."""
    said = _("Databricks refused it: %(answer)s") % {"answer": message or _("without a reason")}
    if "group 'admins'" in message:
        return _("The admins group always manages every endpoint, and that cannot be lowered.") + (
            " " + said
        )
    if "does not exist" in message:
        return _("Databricks does not know one of these names.") + " " + said
    return said


STEPS: dict[str, Promise] = {
    "permissions saved": gettext_lazy("saved"),
    "permissions refused": gettext_lazy("refused by Databricks"),
    "permissions not confirmed": gettext_lazy("not confirmed"),
}


def step(action: str) -> str:
    return str(STEPS.get(action, action))
