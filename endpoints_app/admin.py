"""Accounts and their groups are edited here; everything else can only be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from endpoints_app.models import AuditEntry, Operation, RoleGroup, StatusChange, Workspace


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RoleGroup)
class RoleGroupAdmin(admin.ModelAdmin):
    list_display = ["group", "role", "workspace"]


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnly):
    list_display = ["name", "configured", "observed_at", "error"]
    exclude = ["lease_token"]


@admin.register(Operation)
class OperationAdmin(ReadOnly):
    list_display = ["requested_at", "kind", "endpoint", "actor_name", "state", "outcome"]
    list_filter = ["kind", "state"]
    list_select_related = ["endpoint__workspace"]
    exclude = ["lease_token"]


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnly):
    list_display = ["at", "endpoint", "was", "now"]
    list_select_related = ["endpoint__workspace"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "actor_name", "action", "workspace", "endpoint"]
    list_filter = ["action"]
