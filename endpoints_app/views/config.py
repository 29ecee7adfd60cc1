"""The configuration of an endpoint: what is active, what is pending, what was, and what differs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app.domain import config_content, config_diff
from endpoints_app.domain.config_version import Stage
from endpoints_app.domain.json_text import pretty
from endpoints_app.forms.address import asked
from endpoints_app.models import ConfigVersion, Endpoint
from endpoints_app.services import config_history
from endpoints_app.services.shelf import Shelf
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
    context = kept_heading.of(request, known, "overview", lambda: endpoint)
    context |= {"title": _("Configuration"), "panel": _panel(request, endpoint, versions)}
    return render(request, "config/page.html", context)


@dataclass(frozen=True, slots=True)
class Panel:
    html: SafeString
    before: int | None
    after: int | None


_kept: Shelf[Hashable, Panel] = Shelf(most=500)
"""Of some ten kilobytes each."""
LARGE = 50_000  # characters, which are not kept


def _panel(request: HttpRequest, endpoint: Endpoint, versions: Sequence[ConfigVersion]) -> Panel:
    """Drawn once for all who ask the same of the same revision of an endpoint. Whatever is read of
    its versions gives it another one; those that are forgotten do not, and are told apart."""
    there = tuple((each.version, each.stage, each.operation_id) for each in versions)
    epoch = guards.head(request).epoch
    key = (epoch, endpoint.pk, endpoint.revision, there, get_language(), asked(request.GET))
    found = _kept.get(key)
    if found is None:
        found = _drawn(request, endpoint, versions)
        if len(found.html) <= LARGE:
            _kept.put(key, found)
    return found


def forget() -> None:
    _kept.clear()


def _drawn(request: HttpRequest, endpoint: Endpoint, versions: Sequence[ConfigVersion]) -> Panel:
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "former": (endpoint.uid or str(endpoint.pk)) if endpoint.gone_at else "",
        "versions": versions if "all" in request.GET else versions[:SHOWN],
        "kept": versions,
        "only": request.GET.get("only") == "1",
        # The address and no more of the request, so that no token can get into what others see.
        "request": SimpleNamespace(GET=request.GET),
    }
    context |= _compared(request, endpoint, versions) if versions else _alone(endpoint)
    html = SafeString(render_to_string("config/_panel.html", context))
    before, after = context.get("before"), context.get("after")
    return Panel(html, before.version if before else None, after.version if after else None)


@require_safe
def raw(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """One kept version as JSON, or without `?version=` the endpoint's whole document as the last
    reading had it; what is secret is masked in both."""
    endpoint = guards.endpoint(request, workspace, name)
    wanted = request.GET.get("version")
    if wanted is None:
        if endpoint.document is None:
            raise Http404
        document, label = config_content.shown(endpoint.document), "endpoint"
    else:
        number = _number(wanted)
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
    found = config_history.contents(endpoint, after.version, before.version if before else None)
    if after.version not in found or (before and before.version not in found):
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
