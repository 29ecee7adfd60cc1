"""Build and server logs: the page, its tail, the whole as a file, and what was kept of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from endpoints_app import sentences
from endpoints_app.domain.logs import Level, Log, blocks, lines_of, mark_of, read_line, time_of
from endpoints_app.domain.logtail import Place, Unseen, unseen
from endpoints_app.domain.roles import Action
from endpoints_app.models import Endpoint, LogSnapshot
from endpoints_app.services import access, logs
from endpoints_app.services.logs import Choice, NotRead, Text, Wanted
from endpoints_app.services.upstream import Busy, Copy
from endpoints_app.views import guards, heading
from endpoints_app.views.log_lines import Lines

SHOWN = 1000  # lines that a page begins with
MOST = 20_000  # lines that a page ever has
LEVELS = {"warn": (Level.WARN, Level.ERROR), "err": (Level.ERROR,)}  # what a filter leaves

_LINE = re.compile(r"(\d{1,12})-([0-9a-f]{8})")


@require_safe
def first(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """To the log that one wants to read first; `log` names another one of the same entity."""
    endpoint = guards.endpoint(request, workspace, name, Action.READ_LOGS)
    found = None if endpoint.gone_at else logs.first_choice(logs.choices(endpoint))
    if found is not None:
        choice, log = found
        wanted = next((it for it in Log if it.value == request.GET.get("log")), log)
        return redirect(_url("log", Wanted(endpoint, choice, wanted)))
    context = _around(request, endpoint, _("Logs"))
    return render(
        request, "logs/page.html", context | {"state": "gone" if endpoint.gone_at else "none"}
    )


@require_safe
def page(
    request: HttpRequest, workspace: str, name: str, config: str, entity: str, log: Log
) -> HttpResponse:
    """Where a script runs the page comes at once, with the copy at hand if there is one, and the
    script reads what is newer into it: a slow workspace or a long log keeps nobody waiting. Else
    it comes with the log, where there is a copy or the address asks for it."""
    wanted = _wanted(request, workspace, name, config, entity, log)
    context = _around(request, wanted.endpoint, sentences.logs.log(log), wanted)
    copy = logs.at_hand(wanted)
    if guards.runs_scripts(request) and "read" not in request.GET:
        context |= _shown(request, copy) if copy and copy.value else {"state": "loading"}
    elif copy is not None or _asked_for(request):
        context |= _read(request, wanted)
    else:
        context["state"] = "loading"
    return render(request, "logs/page.html", context)


@require_safe
def part(
    request: HttpRequest, workspace: str, name: str, config: str, entity: str, log: Log
) -> HttpResponse:
    wanted = _wanted(request, workspace, name, config, entity, log)
    context = {"endpoint": wanted.endpoint, "now": timezone.now()}
    context |= _tools(request, wanted.endpoint, wanted) | _read(request, wanted)
    return render(request, "logs/_log.html", context)


@require_safe
def tail(
    request: HttpRequest, workspace: str, name: str, config: str, entity: str, log: Log
) -> HttpResponse:
    """The lines since `after`, which is a place in the log; 204 without any. `state` is what the
    page says of the source, so that it is told when that changes."""
    wanted = _wanted(request, workspace, name, config, entity, log)
    place = Place.read(request.GET.get("after", ""))
    if place is None:
        return HttpResponse("after must be a place.", status=400, content_type="text/plain")
    try:
        copy = logs.tail(wanted, now=timezone.now())
    except Busy:
        return HttpResponse(status=204)
    text = copy.value or Text("")
    new = unseen(place, lines_of(text.text) if copy.value else ())
    state = copy.problem.kind if copy.problem else ""
    told = state == request.GET.get("state", "")
    if told and not new.lines:
        response = HttpResponse(status=204)
    else:
        context = {"endpoint": wanted.endpoint, "now": timezone.now(), "copy": copy}
        context |= _tools(request, wanted.endpoint, wanted)
        context |= _appended(new) | {"told": told}
        response = render(request, "logs/_tail.html", context)
    response.headers["Log-Cursor"] = str(new.place)
    response.headers["Log-State"] = state
    response.headers["Log-Read"] = str(int(copy.read_at.timestamp()))
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def download(
    request: HttpRequest, workspace: str, name: str, config: str, entity: str, log: Log
) -> HttpResponseBase:
    wanted = _wanted(request, workspace, name, config, entity, log)
    try:
        file = logs.whole(wanted)
    except (Busy, NotRead) as e:
        context = _around(request, wanted.endpoint, sentences.logs.log(log), wanted)
        if isinstance(e, NotRead):
            context |= _failure(Copy(None, timezone.now(), e.problem))
        else:
            context["state"] = "busy"
        context["page_url"] = request.path
        return render(request, "logs/page.html", context, status=503)
    version = wanted.choice.version
    parts = (wanted.endpoint.name, wanted.choice.entity, str(version or ""), f"{log.value}.log")
    return FileResponse(
        file,
        as_attachment=True,
        filename="-".join(part for part in parts if part),
        content_type="text/plain; charset=utf-8",
    )


# Kept ------------------------------------------------------------------------------------------


@require_safe
def kept(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name, Action.READ_LOGS)
    context = _around(request, endpoint, _("Kept logs")) | {"state": "kept"}
    return render(request, "logs/page.html", context)


@require_safe
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """Also of an endpoint that is gone."""
    found = access.log_snapshot_for(guards.access_of(request), pk)
    context = _around(request, found.endpoint, sentences.logs.log(Log(found.log)))
    context |= {"snapshot": found, "download_url": reverse("log-snapshot-download", args=[pk])}
    if found.problem:
        context["state"] = "not_kept"
    else:
        context |= _window(request, Text(found.text, found.skipped))
    return render(request, "logs/page.html", context)


@require_safe
def snapshot_download(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.log_snapshot_for(guards.access_of(request), pk)
    response = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    filename = (
        f"{found.endpoint.name}-{found.entity}-{found.log}-{found.taken_at:%Y%m%dT%H%M%S}.log"
    )
    filename = re.sub(r"[^\w.-]", "_", filename)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


# What is asked for -----------------------------------------------------------------------------


def _wanted(
    request: HttpRequest, workspace: str, name: str, config: str, entity: str, log: Log
) -> Wanted:
    """Raises NotVisible, Forbidden, and Http404 for what this endpoint does not serve. A version
    by its number may be an old one, which only Databricks knows."""
    endpoint = guards.endpoint(request, workspace, name, Action.READ_LOGS)
    if endpoint.gone_at is not None:
        raise Http404
    if config.isdigit():
        return Wanted(endpoint, Choice(config, int(config), entity), log)
    for choice in logs.choices(endpoint):
        if (choice.config, choice.entity) == (config, entity):
            return Wanted(endpoint, choice, log)
    raise Http404


def _asked_for(request: HttpRequest) -> bool:
    return bool({"read", "q", "line", "lines", "level"} & request.GET.keys())


def _url(route: str, wanted: Wanted) -> str:
    choice, endpoint = wanted.choice, wanted.endpoint
    place = [endpoint.workspace.name, endpoint.name, choice.config, choice.entity, wanted.log]
    return reverse(route, args=place)


# What is shown ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    current: bool
    choice: Choice | None = None


def _around(
    request: HttpRequest, endpoint: Endpoint, title: str, wanted: Wanted | None = None
) -> dict[str, Any]:
    context = heading.of(request, endpoint) | _tools(request, endpoint, wanted)
    return context | {"tab": "logs", "title": title}


def _tools(request: HttpRequest, endpoint: Endpoint, wanted: Wanted | None) -> dict[str, Any]:
    """What the bar above the log offers; every switch is in the address."""
    snapshots = LogSnapshot.objects.filter(endpoint=endpoint).select_related("operation")
    former = f"?id={endpoint.uid or endpoint.pk}" if endpoint.gone_at else ""
    kept_url = reverse("logs-kept", args=[endpoint.workspace.name, endpoint.name]) + former
    context: dict[str, Any] = {
        "wanted": wanted,
        "wrap": request.GET.get("wrap") != "off",
        "level": level if (level := request.GET.get("level", "")) in LEVELS else "",
        "q": request.GET.get("q", "")[:200],
        "snapshots": snapshots.defer("text"),
        "kept_url": kept_url,
        "target": "log-panel",
    }
    if wanted is None:
        found = [] if endpoint.gone_at else logs.choices(endpoint)
        start = logs.first_choice(found)
        wanted = Wanted(endpoint, start[0], Log.SERVER) if start else None
        current: Log | None = None
    else:
        current = wanted.log
        context |= {
            "entities": _entities(endpoint, wanted),
            "part_url": f"{_url('log-part', wanted)}?{request.GET.urlencode()}",
            "page_url": f"{_url('log', wanted)}?read=1",
            "tail_url": _url("log-tail", wanted),
            "download_url": _url("log-download", wanted),
        }
    if wanted is not None:
        context["logs"] = [
            Link(
                sentences.logs.log(log),
                _url("log", Wanted(endpoint, wanted.choice, log)),
                log is current,
            )
            for log in (Log.SERVER, Log.BUILD)
        ]
    return context


def _entities(endpoint: Endpoint, wanted: Wanted) -> list[Link]:
    return [
        Link(it.entity, _url("log", Wanted(endpoint, it, wanted.log)), it == wanted.choice, it)
        for it in logs.choices(endpoint)
    ]


def _read(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    try:
        copy = logs.tail(wanted, now=timezone.now())
    except Busy:
        return {"state": "busy"}
    return _shown(request, copy)


def _shown(request: HttpRequest, copy: Copy[Text]) -> dict[str, Any]:
    return _failure(copy) if copy.value is None else {"copy": copy} | _window(request, copy.value)


def _failure(copy: Copy[Any]) -> dict[str, Any]:
    kind = copy.problem.kind if copy.problem else ""
    refused = {"PermissionDenied": "forbidden", "Unauthenticated": "forbidden"}
    absent = {"DoesNotExist": "absent", "BadRequest": "absent", "InvalidState": "absent"}
    state = (refused | absent).get(kind, "error")
    return {"state": state, "copy": copy, "problem": copy.problem, "asked_at": copy.read_at}


def _window(request: HttpRequest, text: Text) -> dict[str, Any]:
    """The last lines of a text, or those around the one that the address names."""
    lines = lines_of(text.text)
    before = text.skipped
    shown = min(_number(request.GET.get("lines", "")) or SHOWN, MOST)
    named = request.GET.get("line", "")
    marked = _find_line(named, lines, before)
    if marked is not None:
        shown = min(max(shown, len(lines) - (marked - before) + 50), MOST)
    first = before + max(0, len(lines) - shown) + 1
    drawn = Lines(
        blocks(lines[-shown:], first),
        find=request.GET.get("q", "")[:200],
        at=_number(request.GET.get("at", "")) or 1,
        marked=marked,
        levels=LEVELS.get(request.GET.get("level", ""), ()),
    )
    html = drawn.draw()
    place = Place.after(lines, number=before + len(lines))
    cut = max(0, len(lines) - shown)
    return {
        "state": "" if lines else "empty",
        "html": html,
        "found": drawn.found,
        "at": min(drawn.at, drawn.found),
        "previous": _turn(request, (drawn.at - 2) % drawn.found + 1) if drawn.found else "",
        "next": _turn(request, drawn.at % drawn.found + 1) if drawn.found else "",
        "place": place,
        "shown": len(lines) - cut,
        "all": before + len(lines),
        "earlier": f"?{urlencode({'lines': min(MOST, shown * 4)})}" if cut and shown < MOST else "",
        "lost_line": named and marked is None,
    }


def _appended(new: Unseen) -> dict[str, Any]:
    """Of very many new lines the last ones, with a row that says so."""
    lines: Sequence[str] = new.lines[-MOST:]
    first = new.first + len(new.lines) - len(lines)
    grown = new.grown and len(lines) == len(new.lines)
    return {
        "gap": new.gap,
        "from_time": time_of(lines[0]) if lines else "",
        "left_out": len(new.lines) - len(lines),
        "grown": Lines([]).again(read_line(lines[0], first)) if grown else "",
        "html": Lines(blocks(lines[grown:], first + grown)).draw(),
    }


def _find_line(named: str, lines: Sequence[str], before: int) -> int | None:
    """The number that a line has now: the log may have moved on since the link was made."""
    found = _LINE.fullmatch(named)
    if found is None:
        return None
    number, mark = int(found[1]), found[2]
    same = [before + i for i, line in enumerate(lines, 1) if mark_of(line) == mark]
    return min(same, key=lambda it: abs(it - number), default=None)


def _turn(request: HttpRequest, at: int) -> str:
    query = request.GET.copy()
    query["at"] = str(at)
    return f"?{query.urlencode()}#match"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
