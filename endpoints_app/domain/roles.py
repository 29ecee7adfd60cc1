"""Who may do what: three roles, each with the actions of the one before."""

from enum import StrEnum


class Action(StrEnum):
    SEE = "see"
    READ_LOGS = "read_logs"
    STOP = "stop"
    START = "start"
    DELETE = "delete"
    PERMISSIONS = "permissions"
    BUDGET = "budget"
    TRY = "try"
    KEEP_METRICS = "keep_metrics"  # sample an endpoint whether or not anybody watches
    ACKNOWLEDGE = "acknowledge"  # say who is on it, and what happened
    MAINTAIN = "maintain"  # plan work
    STATUS_VIEWS = "status_views"  # named status pages, their links, runbooks and contacts


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"

    @property
    def actions(self) -> frozenset[Action]:
        return ACTIONS[self]


_VIEWER = frozenset({Action.SEE, Action.READ_LOGS})
_OPERATOR = _VIEWER | {
    Action.STOP,
    Action.START,
    Action.TRY,
    Action.KEEP_METRICS,
    Action.ACKNOWLEDGE,
    Action.MAINTAIN,
}
_MANAGER = _OPERATOR | {Action.DELETE, Action.PERMISSIONS, Action.BUDGET, Action.STATUS_VIEWS}

ACTIONS: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.MANAGER: _MANAGER,
}


def least_role(action: Action) -> Role:
    """The first role that may: what a reader without the right should ask for."""
    return next(role for role in Role if action in role.actions)
