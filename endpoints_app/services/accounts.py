"""Who is asking, with their roles, in one query.

Every page and every poll begins with it. It is asked of the database each time, never kept, so
that a right that was withdrawn is gone with the next request.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import BooleanField, DateTimeField

COLUMNS = [f.name for f in User._meta.concrete_fields if not isinstance(f, DateTimeField)]
"""What requests read of an account; whoever wants the two dates gets them by a query of its own."""
FLAGS = {f.name for f in User._meta.concrete_fields if isinstance(f, BooleanField)}
ROLES = ("groups__desk_role__role", "groups__desk_role__workspace_id")


class Backend(ModelBackend):
    def get_user(self, user_id: Any) -> User | None:
        with connection.cursor() as cursor:
            cursor.execute(_sql(), [user_id])
            found = cursor.fetchall()
        if not found:
            return None
        named = zip(COLUMNS, found[0], strict=False)
        values = [bool(value) if name in FLAGS else value for name, value in named]
        user = User.from_db(connection.alias, COLUMNS, values)
        held = [(role, workspace) for *_, role, workspace in found if role is not None]
        user.desk_roles = held  # type: ignore[attr-defined]
        return user if self.user_can_authenticate(user) else None


@cache
def _sql() -> str:
    """Written by the models, once: to compile it anew would cost ten times the query."""
    asked = User.objects.filter(pk=0).values_list(*COLUMNS, *ROLES)
    sql, _ = asked.query.sql_with_params()
    return sql
