"""The configuration of an endpoint: what is active, what is pending, what was, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app.domain import config_content, config_diff
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.json_text import pretty
from endpoints_app.models import ConfigVersion, Endpoint
from endpoints_app.services import config_history
from endpoints_app.views import guards, kept_heading

SHOWN = 12  # versions beside the comparison, until all are asked for
LONGEST = 200_000  # characters of a document on the page; the download has all


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Two versions side by side: the pending one against the active one, else the active one
    against the one before; `?from=` and `?to=` name others. Nobody is asked for it."""
    endpoint = guards.endpoint(request, workspace, name)
    versions = config_history.versions(endpoint)
    known = guards.known(request, workspace, name)
    context = kept_heading.of(request, known, "overview", lambda: endpoint) | {
        "endpoint": endpoint,
        "title": _("Configuration"),
        "now": timezone.now(),
        "former": (endpoint.uid or str(endpoint.pk)) if endpoint.gone_at else "",
        "versions": versions if "all" in request.GET else versions[:SHOWN],
        "kept": versions,
        "only": request.GET.get("only") == "1",
    }
    if versions:
        context |= _compared(request, endpoint, versions)
    else:
        context |= _alone(endpoint)
    return render(request, "config/page.html", context)


@require_safe
def raw(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """One kept version as JSON, or without `?version=` the endpoint's whole document as the last
    reading had it; what is secret is masked in both."""
    endpoint = guards.endpoint(request, workspace, name)
    asked = request.GET.get("version")
    if asked is None:
        if endpoint.document is None:
            raise Http404
        document, label = config_content.shown(endpoint.document), "endpoint"
    else:
        number = _number(asked)
        kept = config_history.contents(endpoint, number) if number is not None else {}
        if number is None or number not in kept:
            raise Http404
        document, label = kept[number].content, f"config-{number}"
    response = HttpResponse(pretty(document), content_type="application/json")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "download" in request.GET:
        filename = f"{endpoint.name}-{label}.json"
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _compared(
    request: HttpRequest, endpoint: Endpoint, versions: Sequence[ConfigVersion]
) -> dict[str, Any]:
    after = _chosen(request, "to", versions) or versions[0]
    before = _chosen(request, "from", versions) or _before(after, versions)
    numbers = [after.version] if before is None else [before.version, after.version]
    found = config_history.contents(endpoint, *numbers)
    if len(found) < len(set(numbers)):
        raise Http404  # forgotten between two statements
    new = found[after.version]
    old = found[before.version] if before else None
    comparison = config_diff.compare(
        old.content if old else {},
        new.content,
        secrets_before=old.secrets if old else None,
        secrets_after=new.secrets,
    )
    context = {"before": old, "after": new, "comparison": comparison}
    if old is None:
        return context | {"sections": comparison.sections} | _text(new.content)
    lines = comparison.changed if request.GET.get("only") == "1" else comparison.lines
    return context | {
        "sections": config_diff.by_section(lines),
        "diff": config_diff.raw(old.content, new.content),
    }


def _alone(endpoint: Endpoint) -> dict[str, Any]:
    content = config_history.unnumbered(endpoint)
    if content is None:
        return {}
    comparison = config_diff.compare({}, content)
    return {"comparison": comparison, "sections": comparison.sections} | _text(content)


def _text(content: Any) -> dict[str, Any]:
    text = pretty(content)
    return {"text": text[:LONGEST], "text_cut": len(text) > LONGEST}


def _before(after: ConfigVersion, versions: Sequence[ConfigVersion]) -> ConfigVersion | None:
    """For what is pending or failed the one that serves; else the one before."""
    earlier = [each for each in versions if each.version < after.version]
    serving = [each for each in earlier if each.known_stage is Stage.ACTIVE]
    return next(iter(serving or earlier), None)


def _chosen(
    request: HttpRequest, name: str, versions: Sequence[ConfigVersion]
) -> ConfigVersion | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    number = _number(text)
    found = next((each for each in versions if each.version == number), None)
    if found is None:
        raise Http404
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
