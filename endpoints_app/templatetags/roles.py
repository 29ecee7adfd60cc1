"""What somebody may do, in a word."""

from __future__ import annotations

from django import template

from endpoints_app import sentences
from endpoints_app.services.access import Access

register = template.Library()


@register.filter
def role_label(access: Access, workspace_id: int | None = None) -> str:
    role = access.best_role(workspace_id)
    return str(sentences.roles.ROLES[role]) if role else ""
