"""The report on budget policies: who has none, and who has which. A page and a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoints_app.domain.budget import Standing
from endpoints_app.forms.budget import ReportForm
from endpoints_app.services import budget
from endpoints_app.services.budget import Line
from endpoints_app.services.live import Source
from endpoints_app.views import csv_file, guards, partial

OWNERS_SHOWN = 12


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = _context(request, timezone.now())
    if ignored := context["form"].ignored():
        messages.warning(request, ignored)
    return render(request, "budget/report.html", context)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    return partial.changes(request, "budget/_changes.html", _context)


@require_safe
def table(request: HttpRequest) -> HttpResponseBase:
    """Every living endpoint with what is known of its policy. Its words are the same in every
    language: it is read by programs."""
    now, head = timezone.now(), guards.head(request)
    sources = guards.sources(request, head)
    _form, chosen = _chosen(request, sources)
    lines = budget.every([source.pk for source in chosen], head, now)
    return csv_file.of(_rows(lines), f"budget-policies-{now:%Y-%m-%d}")


COLUMNS = (
    "workspace",
    "endpoint",
    "kind",
    "status",
    "owner",
    "budget_policy",
    "policy_name",
    "policy_id",
    "policy_id_set_on_endpoint",
    "hours_running_per_day",
)


def _rows(lines: Iterable[Line]) -> Iterator[Iterable[str]]:
    yield COLUMNS
    for line in lines:
        endpoint = line.endpoint
        policy, standing = endpoint.policy, endpoint.budget_standing
        name = budget.name_of(policy.id)
        yield (
            endpoint.workspace.name,
            endpoint.name,
            endpoint.kind,
            line.status.label,
            endpoint.owner,
            "cannot have one" if standing is Standing.IMPOSSIBLE else standing.value,
            name if name != policy.id else "",
            policy.id,
            policy.own,
            "" if line.hours_a_day is None else f"{line.hours_a_day:.1f}",
        )


def _chosen(request: HttpRequest, sources: list[Source]) -> tuple[ReportForm, list[Source]]:
    form = ReportForm(request.GET, workspaces=[source.name for source in sources])
    names = form.workspaces()
    return form, [source for source in sources if not names or source.name in names]


def _context(request: HttpRequest, now: datetime) -> dict[str, Any]:
    head = guards.head(request)
    sources = guards.sources(request, head)
    form, chosen = _chosen(request, sources)
    visible = [source.pk for source in chosen]
    tally = budget.tally(visible, head)
    owners = tally.owners
    shown = [owner for owner in owners if owner.without][:OWNERS_SHOWN]
    others = owners[len(shown) :]
    poll_url = partial.poll_url(request, "budget-changes")
    return partial.frame(poll_url, head, sources, now) | {
        "form": form,
        "tally": tally,
        "most": max((line.number for line in tally.policies), default=1),
        "without": budget.without(visible, head, now, page=form.page_number()),
        "owners": shown,
        "others": len(others),
        "others_without": sum(owner.without for owner in others),
        "others_all": sum(owner.all for owner in others),
        "chosen": chosen,
    }
