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


def lacking(action: Action, role: Role | None) -> str:
    """The sentence of a 403."""
    wanted = {
        Action.STOP: _("To stop an endpoint you need the role operator."),
        Action.START: _("To start an endpoint you need the role operator."),
        Action.DELETE: _("To delete an endpoint you need the role manager."),
        Action.KEEP_METRICS: _("To have its metrics kept you need the role operator."),
        Action.TRY: _("To send a request to an endpoint you need the role operator."),
        Action.BUDGET: _("To change a budget policy you need the role manager."),
        Action.PERMISSIONS: _("To change permissions you need the role manager."),
        Action.ACKNOWLEDGE: _("To say who is on it you need the role operator."),
        Action.MAINTAIN: _("To plan work you need the role operator."),
        Action.STATUS_VIEWS: _("To change status pages you need the role manager."),
    }.get(action, _("Your role does not allow this."))
    if role is None:
        return wanted
    return _("%(wanted)s You are %(role)s here.") % {"wanted": wanted, "role": ROLES[role]}
