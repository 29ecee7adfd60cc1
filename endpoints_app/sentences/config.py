"""Configurations: settings, their values, what became of a version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from endpoints_app.domain.config_diff import Section
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.masking import MASK
from endpoints_app.models import ConfigVersion
from endpoints_app.sentences import endpoints

SECTIONS: dict[Section, Promise] = {
    Section.ENTITIES: gettext_lazy("Served entities"),
    Section.TRAFFIC: gettext_lazy("Traffic split"),
    Section.ENVIRONMENT: gettext_lazy("Environment"),
    Section.GATEWAY: gettext_lazy("AI Gateway"),
    Section.LIMITS: gettext_lazy("Rate limits"),
    Section.GUARDRAILS: gettext_lazy("Guardrails"),
    Section.TABLES: gettext_lazy("Inference tables"),
    Section.TELEMETRY: gettext_lazy("Telemetry"),
    Section.NOTIFICATIONS: gettext_lazy("Notifications"),
    Section.TAGS: gettext_lazy("Tags"),
    Section.OTHER: gettext_lazy("Other"),
}

SETTINGS: dict[str, Promise] = {
    "name": gettext_lazy("Name"),
    "type": gettext_lazy("Type"),
    "external_model.name": gettext_lazy("External model"),
    "external_model.provider": gettext_lazy("Provider"),
    "external_model.task": gettext_lazy("Task"),
    "foundation_model.name": gettext_lazy("Foundation model"),
    "foundation_model.display_name": gettext_lazy("Display name"),
    "instance_profile_arn": gettext_lazy("Instance profile"),
    "burst_scaling_enabled": gettext_lazy("Burst scaling"),
    "description": gettext_lazy("Description"),
    "task": gettext_lazy("Task"),
    "route_optimized": gettext_lazy("Route optimized"),
    "budget_policy_id": gettext_lazy("Budget policy"),
    "effective_budget_policy_id": gettext_lazy("Budget policy in effect"),
    "usage_tracking_config.enabled": gettext_lazy("Usage tracking"),
    "fallback_config.enabled": gettext_lazy("Fallback"),
    "inference_table_config.enabled": gettext_lazy("Inference table"),
    "inference_table_config.catalog_name": gettext_lazy("Catalog"),
    "inference_table_config.schema_name": gettext_lazy("Schema"),
    "inference_table_config.table_name_prefix": gettext_lazy("Table prefix"),
    "auto_capture_config.enabled": gettext_lazy("Inference table (legacy)"),
    "auto_capture_config.catalog_name": gettext_lazy("Catalog (legacy)"),
    "auto_capture_config.schema_name": gettext_lazy("Schema (legacy)"),
    "auto_capture_config.table_name_prefix": gettext_lazy("Table prefix (legacy)"),
    "guardrails.input.safety": gettext_lazy("Safety, input"),
    "guardrails.input.pii.behavior": gettext_lazy("Personal data, input"),
    "guardrails.input.invalid_keywords": gettext_lazy("Invalid keywords, input"),
    "guardrails.input.valid_topics": gettext_lazy("Valid topics, input"),
    "guardrails.output.safety": gettext_lazy("Safety, output"),
    "guardrails.output.pii.behavior": gettext_lazy("Personal data, output"),
    "guardrails.output.invalid_keywords": gettext_lazy("Invalid keywords, output"),
    "guardrails.output.valid_topics": gettext_lazy("Valid topics, output"),
    "email_notifications.on_update_success": gettext_lazy("Update succeeded"),
    "email_notifications.on_update_failure": gettext_lazy("Update failed"),
}

WHOM: dict[str, Promise] = {
    "user": gettext_lazy("per user"),
    "endpoint": gettext_lazy("the whole endpoint"),
    "user_group": gettext_lazy("group"),
    "service_principal": gettext_lazy("service principal"),
}
COUNTED: dict[str, Promise] = {
    "calls": gettext_lazy("Calls"),
    "tokens": gettext_lazy("Tokens"),
}


def label(section: Section, name: str) -> str:
    """A setting by its name for people, else by Databricks' own."""
    if section is Section.LIMITS:
        return _limit(name)
    if section in (Section.ENVIRONMENT, Section.TAGS, Section.TRAFFIC):
        return name
    return str(SETTINGS.get(name) or endpoints.setting(name))


def _limit(name: str) -> str:
    """ "calls.user_group.analysts": calls, group analysts."""
    what, _dot, rest = name.partition(".")
    per, _dot, whose = rest.partition(".")
    whom = " ".join(part for part in (str(WHOM.get(per, per)), whose) if part)
    return f"{COUNTED.get(what, what)}, {whom}"


def value(section: Section, given: Any) -> str:
    """What is set, in words; None is "not set"."""
    match given:
        case None:
            return "–"
        case bool():
            return _("Yes") if given else _("No")
        case str() if given == MASK:
            return _("masked")
        case str() if section is Section.LIMITS and " / " in given:
            number, period = given.split(" / ", 1)
            words = {"minute": _("%(n)s a minute")}
            return words.get(period, "%(n)s / " + period.replace("%", "%%")) % {"n": number}
        case int() if section is Section.TRAFFIC:
            return f"{given} %"
        case list():
            return ", ".join(value(section, item) for item in given)
        case dict():
            return ", ".join(f"{key}: {value(section, item)}" for key, item in given.items())
    return str(given)


def brief(version: ConfigVersion) -> str:
    """What it changes, in one line: "Size Small → Medium, Version 41 → 42 and 2 more changes"."""
    if version.compared_with is None:
        return ""
    if not version.changed:
        number = {"version": version.compared_with}
        if version.operation_id:
            return _("the same as %(version)s, since a start makes a new one") % number
        return _("the same as %(version)s") % number
    said = [_change(change) for change in version.changes]
    text = _(", ").join(said)
    if more := version.changed - len(said):
        rest = ngettext("and %(n)s more change", "and %(n)s more changes", more) % {"n": more}
        return f"{text} {rest}"
    return text


def _change(change: Sequence[Any]) -> str:
    place, _entity, name, before, now = change
    section = Section(place)
    said = label(section, name)
    if section is Section.TRAFFIC:
        said = _("traffic of %(name)s") % {"name": name}
    if before == now:  # both are masked
        return _("%(setting)s: another value") % {"setting": said}
    return f"{said} {value(section, before)} → {value(section, now)}"


STAGES: dict[Stage, Promise] = {
    Stage.PENDING: gettext_lazy("pending"),
    Stage.ACTIVE: gettext_lazy("active"),
    Stage.FAILED: gettext_lazy("failed"),
    Stage.CANCELED: gettext_lazy("canceled"),
    Stage.SERVED: gettext_lazy("served before"),
    Stage.REPLACED: gettext_lazy("never served"),
}


def stage_said(version: ConfigVersion) -> str:
    """What became of it, by the day."""
    seen, end = _day(version.active_at or version.first_seen_at), _day(version.ended_at)
    span = {"start": seen, "end": end}
    match version.known_stage:
        case Stage.PENDING:
            return _("Pending since %(start)s") % {"start": _day(version.first_seen_at)}
        case Stage.ACTIVE:
            return _("Active since %(start)s") % span
        case Stage.FAILED:
            return _("Failed on %(end)s, never served") % span
        case Stage.CANCELED:
            return _("Canceled on %(end)s, never served") % span
        case Stage.SERVED:
            return _("Served %(start)s – %(end)s") % span
    return _("Never served, followed by another on %(end)s") % span


def _day(at: datetime | None) -> str:
    return format_date(at.astimezone(UTC), "DATE_FORMAT") if at else "–"
