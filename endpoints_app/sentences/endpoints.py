"""What an endpoint is and how it fares."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import Reason, Status
from endpoints_app.models import Endpoint

KINDS: dict[Kind, Promise] = {
    Kind.CUSTOM: gettext_lazy("Custom model"),
    Kind.AGENT: gettext_lazy("Agent"),
    Kind.PLATFORM_AGENT: gettext_lazy("Platform agent"),
    Kind.PROVISIONED: gettext_lazy("Provisioned throughput"),
    Kind.FOUNDATION: gettext_lazy("Pay-per-token"),
    Kind.EXTERNAL: gettext_lazy("External model"),
    Kind.FEATURE_SPEC: gettext_lazy("Feature spec"),
    Kind.UNKNOWN: gettext_lazy("Unknown kind"),
}


REASONS: dict[Reason, Promise] = {
    Reason.UPDATE_CANCELED: gettext_lazy("The last update was canceled"),
    Reason.NO_CONFIGURATION: gettext_lazy("It has no configuration"),
    Reason.NOT_SERVING: gettext_lazy("It has a configuration, but does not serve"),
    Reason.UNRECOGNISED: gettext_lazy("A state we have not met"),
    Reason.MISSING_FROM_LIST: gettext_lazy("Missing from the list"),
}


UPDATES: dict[str, Promise] = {
    "NOT_UPDATING": gettext_lazy("Done"),
    "IN_PROGRESS": gettext_lazy("Running"),
    "UPDATE_FAILED": gettext_lazy("Failed"),
    "UPDATE_CANCELED": gettext_lazy("Canceled"),
}


DEPLOYMENTS: dict[str, Promise] = {
    "DEPLOYMENT_CREATING": gettext_lazy("Creating"),
    "DEPLOYMENT_RECOVERING": gettext_lazy("Recovering"),
    "DEPLOYMENT_READY": pgettext_lazy("deployment", "Ready"),
    "DEPLOYMENT_FAILED": gettext_lazy("Failed"),
    "DEPLOYMENT_ABORTED": gettext_lazy("Aborted"),
}


DEPLOYMENT_TONES = {
    "DEPLOYMENT_CREATING": "busy",
    "DEPLOYMENT_RECOVERING": "but",
    "DEPLOYMENT_READY": "good",
    "DEPLOYMENT_FAILED": "bad",
    "DEPLOYMENT_ABORTED": "bad",
}


SETTINGS: dict[str, Promise] = {
    "entity_name": gettext_lazy("Model"),
    "entity_version": gettext_lazy("Version"),
    "external_model": gettext_lazy("External model"),
    "foundation_model": gettext_lazy("Foundation model"),
    "workload_size": gettext_lazy("Size"),
    "workload_type": gettext_lazy("Compute"),
    "scale_to_zero_enabled": gettext_lazy("Scale to zero"),
    "min_provisioned_concurrency": gettext_lazy("Concurrency, at least"),
    "max_provisioned_concurrency": gettext_lazy("Concurrency, at most"),
    "min_provisioned_throughput": gettext_lazy("Throughput, at least"),
    "max_provisioned_throughput": gettext_lazy("Throughput, at most"),
    "provisioned_model_units": gettext_lazy("Model units"),
}


def update(config_update: str) -> str:
    """`config_update` in words; what we have not met is shown as it came."""
    return str(UPDATES.get(config_update, config_update or "–"))


def deployment(state: str) -> str:
    return str(DEPLOYMENTS.get(state, state))


def setting(name: str) -> str:
    return str(SETTINGS.get(name, name))


def why(endpoint: Endpoint, status: Status, *, stale: bool) -> str:
    """The second line under a status: what its label leaves open, or nothing."""
    known = _("last known: %(label)s") % {"label": endpoint.known_status.label}
    if stale:
        return known if endpoint.known_status is not Status.UNKNOWN else _("No recent answer")
    reason = endpoint.known_reason
    if status is Status.UNKNOWN:
        said = str(REASONS.get(reason, _("No recent answer")))
        if not endpoint.last_known:
            return said
        label = Status(endpoint.last_known).label
        return f"{said} · " + _("last known: %(label)s") % {"label": label}
    if status is Status.READY_UPDATE_FAILED:
        return _two_versions(endpoint) or endpoint.message
    if status in (Status.UPDATE_FAILED, Status.NOT_READY, Status.UPDATING) and endpoint.message:
        return endpoint.message
    if status is Status.STOPPED:
        return _who_stopped(endpoint)
    return str(REASONS.get(reason, ""))


def _two_versions(endpoint: Endpoint) -> str:
    if endpoint.config_version is None or endpoint.pending_version is None:
        return ""
    return _("Config %(failed)s failed; config %(active)s still serves") % {
        "failed": endpoint.pending_version,
        "active": endpoint.config_version,
    }


def _who_stopped(endpoint: Endpoint) -> str:
    operation = endpoint.cause
    if operation is None:
        return _("Stopped outside this dashboard")
    said = _("By %(name)s") % {"name": operation.actor_name}
    return f"{said}: {operation.reason}" if operation.reason else said
