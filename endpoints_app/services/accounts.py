"""Who is asking, with their roles, in one query.

Every page begins with it. It is asked of the database each time, never kept, so that a right that
was withdrawn is gone with the next request. Polls that bring no news remember it (views/quiet.py);
therefore a change of an account or of its roles counts as news.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import DateTimeField
from django.db.models.signals import m2m_changed, post_delete, post_save

from endpoints_app.models import RoleGroup
from endpoints_app.services import live
from endpoints_app.services.statements import Statement

COLUMNS = [f.name for f in User._meta.concrete_fields if not isinstance(f, DateTimeField)]
"""What requests read of an account; whoever wants the two dates gets them by a query of its own."""
ROLE, WORKSPACE = "groups__desk_role__role", "groups__desk_role__workspace_id"

_ACCOUNT = Statement(
    lambda pk: User.objects.filter(pk=pk).values(*COLUMNS, ROLE, WORKSPACE), 2**31 - 1
)


class Backend(ModelBackend):
    def get_user(self, user_id: Any) -> User | None:
        found = _ACCOUNT.rows(user_id)
        if not found:
            return None
        user = User.from_db(connection.alias, COLUMNS, [found[0][name] for name in COLUMNS])
        held = [(row[ROLE], row[WORKSPACE]) for row in found if row[ROLE] is not None]
        user.desk_roles = held  # type: ignore[attr-defined]
        return user if self.user_can_authenticate(user) else None


def watch() -> None:
    """From now on changes of accounts and roles are news."""
    for signal, sender in (
        (post_save, User),
        (post_delete, User),
        (m2m_changed, User.groups.through),
        (post_save, RoleGroup),
        (post_delete, RoleGroup),
    ):
        signal.connect(_changed, sender=sender)


SIGNED_IN = frozenset({"last_login"})
"""All that is saved of an account by a sign-in, which takes nothing from anybody."""


def _changed(
    created: bool = False, update_fields: frozenset[str] | None = None, **_: object
) -> None:
    if created or update_fields == SIGNED_IN:  # a new account has no session yet
        return
    # In a transaction of its own: the fleet's row is locked before all others (live.writing).
    transaction.on_commit(_tell, robust=True)


def _tell() -> None:
    with live.writing():
        live.next_revision()
