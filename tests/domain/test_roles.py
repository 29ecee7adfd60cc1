"""Three roles, each with all the actions of the one before."""

import pytest

from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.domain.roles import Action, Role, least_role

MAY = {
    # action: who may
    Action.SEE: {Role.VIEWER, Role.OPERATOR, Role.MANAGER},
    Action.READ_LOGS: {Role.VIEWER, Role.OPERATOR, Role.MANAGER},
    Action.STOP: {Role.OPERATOR, Role.MANAGER},
    Action.START: {Role.OPERATOR, Role.MANAGER},
    Action.KEEP_METRICS: {Role.OPERATOR, Role.MANAGER},
    Action.TRY: {Role.OPERATOR, Role.MANAGER},
    Action.DELETE: {Role.MANAGER},
    Action.PERMISSIONS: {Role.MANAGER},
    Action.BUDGET: {Role.MANAGER},
    Action.ACKNOWLEDGE: {Role.OPERATOR, Role.MANAGER},
    Action.MAINTAIN: {Role.OPERATOR, Role.MANAGER},
    Action.STATUS_VIEWS: {Role.MANAGER},
}


@pytest.mark.parametrize("action", Action)
def test_each_action_belongs_to_exactly_these_roles(action):
    assert {role for role in Role if action in role.actions} == MAY[action]


def test_each_role_may_all_that_the_one_before_may_and_more():
    viewer, operator, manager = Role
    assert viewer.actions < operator.actions < manager.actions
    assert manager.actions == set(Action)


@pytest.mark.parametrize("action", Action)
def test_a_reader_is_told_the_least_role_that_would_do(action):
    role = least_role(action)
    weaker = list(Role)[: list(Role).index(role)]
    assert action in role.actions
    assert not any(action in other.actions for other in weaker)


@pytest.mark.parametrize("kind", OperationKind)
def test_every_operation_asks_for_a_right_of_its_own_that_a_viewer_lacks(kind):
    assert kind.action.value == kind.value
    assert kind.action not in Role.VIEWER.actions
