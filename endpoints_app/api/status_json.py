"""The fleet's state for machines: an allow-list of fields, and none of the workspace's own text
but names."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoints_app.domain.status import Status
from endpoints_app.models import Endpoint
from endpoints_app.services import access, live


@login_not_required
@require_safe
def fleet(request: HttpRequest) -> JsonResponse:
    """For whoever is signed in, what they may see; in the demo for all, everything."""
    now, head = timezone.now(), live.head()
    if settings.DEMO:
        sources = list(head.sources)
    elif request.user.is_authenticated:
        sources = access.sources_for(request.desk_access, head)  # type: ignore[attr-defined]
    else:
        return JsonResponse({"error": "sign_in_required"}, status=401)
    visible = [source.pk for source in sources]
    unknown_since = {source.pk: source.observed_at for source in sources if source.is_stale(now)}
    found = (
        Endpoint.objects.living()
        .in_workspaces(visible)
        .order_by("workspace__name", "name")
        .values_list("workspace_id", "workspace__name", "name", "status", "status_since")
    )
    endpoints = []
    counts = {status.value: 0 for status in Status}
    for workspace_id, workspace, name, value, since in found:
        status = Status(value)
        if workspace_id in unknown_since and status is not Status.UNKNOWN:
            status, since = Status.UNKNOWN, unknown_since[workspace_id] or since
        counts[status.value] += 1
        endpoints.append(_endpoint(workspace, name, status, since))
    observed = [source.observed_at for source in sources]
    oldest = min((at for at in observed if at), default=None) if all(observed) else None
    return JsonResponse(
        {
            "observed_at": oldest.isoformat() if oldest else None,
            "max_age": int(settings.STALE_SECONDS),
            "verdict": _verdict(counts, stale=not sources or bool(unknown_since)),
            "counts": counts,
            "endpoints": endpoints,
        }
    )


def _endpoint(workspace: str, name: str, status: Status, since: Any) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "name": name,
        "status": status.value,
        "label": status.label,
        "serving": status.serving,
        "since": since.isoformat(),
    }


def _verdict(counts: dict[str, int], *, stale: bool) -> str:
    """`down` when something cannot serve, `unknown` when we cannot tell of something, else `ok`."""
    if counts[Status.NOT_READY.value] or counts[Status.UPDATE_FAILED.value]:
        return "down"
    if stale or counts[Status.UNKNOWN.value]:
        return "unknown"
    return "ok"
