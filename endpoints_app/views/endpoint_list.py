"""The list of all endpoints, and what changed in it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from endpoints_app import sentences
from endpoints_app.forms.address import asked
from endpoints_app.forms.endpoints import FilterForm
from endpoints_app.services import budget, listing
from endpoints_app.services.live import Since
from endpoints_app.views import guards, kept_rows, partial

WHOLE_TABLE = 100
"""Past so many changed rows the table is sent whole."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("endpoints")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = _context(request, timezone.now())
    if context["nothing_yet"]:
        return render(request, "endpoints/first_run.html", context)
    context["rows"] = kept_rows.drawn(context["page"].versions, context["head"], context["now"])
    context["owners"], context["tags"] = listing.choices(context["visible"], context["head"])
    context["budget"] = budget.tally(context["visible"], context["head"])
    context["budgets"] = sentences.budget.choices(context["budget"])
    context["offered"] = (
        tuple(source.name for source in context["sources"]),
        *(tuple(context[name]) for name in ("owners", "tags", "budgets")),
    )
    if context["ignored"]:
        messages.warning(request, context["ignored"])
    return render(request, "endpoints/list.html", context)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """204 when nothing changed since `since`; else the changed rows, or the table whole."""
    now, head = timezone.now(), guards.head(request)
    sources = guards.sources(request, head)
    since = request.GET.get("since", "")
    if since == head.cursor(now):
        return partial.unchanged(head, sources, now)
    context = _context(request, now)
    if context["nothing_yet"]:
        response = render(request, "endpoints/_first_run.html", context | {"oob": True})
        return partial.with_head(response, head, sources, now)
    known = Since.read(since, head, now).revision
    changed = (
        listing.changed_since(known, context["visible"], head, limit=WHOLE_TABLE)
        if known is not None
        else None
    )
    if changed is None:
        context["rows"] = kept_rows.drawn(context["page"].versions, head, now)
        response = render(request, "endpoints/_table_whole.html", context)
    else:
        context["changed"] = kept_rows.drawn(changed, head, now, oob=True)
        response = render(request, "endpoints/_changes.html", context)
    return partial.with_head(response, head, sources, now)


@lru_cache(maxsize=200)
def _parsed(
    address: str, workspaces: tuple[str, ...], language: str
) -> tuple[FilterForm, listing.Filters, str]:
    """The address, read once for all who ask the same; what is in it was in the URL already."""
    form = FilterForm(QueryDict(address), workspaces=list(workspaces))
    return form, form.filters(), form.ignored()


def _context(request: HttpRequest, now: datetime) -> dict[str, Any]:
    head = guards.head(request)
    sources = guards.sources(request, head)
    visible = [source.pk for source in sources]
    names = tuple(source.name for source in sources)
    address = asked(request.GET)
    form, filters, ignored = _parsed(address, names, get_language())
    found = listing.page(visible, filters, head, now)
    return {
        "address": address,
        "narrowing": asked(request.GET, "page"),  # the same on each page of what it leaves
        "form": form,
        "ignored": ignored,
        "filters": found.filters,
        "page": found,
        "visible": visible,
        "sources": sources,
        "poll_url": partial.poll_url(request, "endpoints-changes"),
        "cursor": head.cursor(now),
        "observed": partial.observed(sources),
        "nothing_yet": not any(source.observed_at for source in sources),
        "now": now,
        "head": head,
    }
