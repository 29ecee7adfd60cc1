"""Who is asking, with their roles, in one query.

Every page and every poll begins with it. It is asked of the database each time, never kept, so
that a right that was withdrawn is gone with the next request.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import DateTimeField

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
