"""Roles, and what they do not allow."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints_app.domain.roles import Action, Role

ROLES: dict[Role, Promise] = {
    Role.VIEWER: gettext_lazy("viewer"),
    Role.OPERATOR: gettext_lazy("operator"),
    Role.MANAGER: gettext_lazy("manager"),
}


LACKING: dict[Action, Promise] = {
    Action.STOP: gettext_lazy("To stop an endpoint you need the role operator."),
    Action.START: gettext_lazy("To start an endpoint you need the role operator."),
    Action.DELETE: gettext_lazy("To delete an endpoint you need the role manager."),
    Action.KEEP_METRICS: gettext_lazy("To have its metrics kept you need the role operator."),
    Action.TRY: gettext_lazy("To send a request to an endpoint you need the role operator."),
    Action.BUDGET: gettext_lazy("To change a budget policy you need the role manager."),
    Action.PERMISSIONS: gettext_lazy("To change permissions you need the role manager."),
    Action.ACKNOWLEDGE: gettext_lazy("To say who is on it you need the role operator."),
    Action.MAINTAIN: gettext_lazy("To plan work you need the role operator."),
    Action.STATUS_VIEWS: gettext_lazy("To change status pages you need the role manager."),
}


def lacking(action: Action, role: Role | None) -> str:
    """The sentence of a 403."""
    wanted = str(LACKING[action]) if action in LACKING else _("Your role does not allow this.")
    if role is None:
        return wanted
    return _("%(wanted)s You are %(role)s here.") % {"wanted": wanted, "role": ROLES[role]}
