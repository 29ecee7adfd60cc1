"""Changing permissions: a form of all direct grants, a review of the differences, and the save.

Plain forms of one address: whatever the answer, nothing is kept on the server between two of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from endpoints_app import sentences
from endpoints_app.domain import permissions as rules
from endpoints_app.domain.permissions import (
    LEVELS,
    Access,
    Difference,
    Principal,
    PrincipalKind,
)
from endpoints_app.domain.roles import Action
from endpoints_app.forms.permissions import EditForm, NewLine
from endpoints_app.models import Endpoint
from endpoints_app.services import permissions, saving
from endpoints_app.services.upstream import Busy
from endpoints_app.views import guards, heading, notices
from endpoints_app.views.notices import Notice
from endpoints_app.views.permissions import has_list, matches

SHOWN = 200  # lines of the form; a search finds the others


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name, Action.PERMISSIONS)
    if not has_list(endpoint):
        return redirect("permissions", workspace, name)
    if request.method != "POST":
        return _begin(request, endpoint)
    form = EditForm.sent(request.POST)
    match _step(request.POST):
        case "review":
            return _review(request, endpoint, form)
        case "save":
            return _save(request, endpoint, form)
        case "add":
            form.new.append(NewLine())
    return _form(request, endpoint, form)


def _step(data: QueryDict) -> str:
    """Enter in the search field finds; in any other it goes on to the review."""
    step = data.get("step", "")
    if step != "enter":
        return step
    return "review" if data.get("q", "") == data.get("found", "") else "find"


# Answers ----------------------------------------------------------------------------------------


def _begin(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Without a list there is no form: the page says what keeps it away."""
    try:
        copy = permissions.read(endpoint, now=timezone.now())
    except Busy:
        return redirect("permissions", endpoint.workspace.name, endpoint.name)
    if copy.value is None:
        return redirect("permissions", endpoint.workspace.name, endpoint.name)
    form = EditForm.of(endpoint, copy.value)
    form.query = request.GET.get("q", "").strip()[:200]
    return _form(request, endpoint, form, access=copy.value)


@dataclass(slots=True)
class ListNotice(Notice):
    """With what somebody else changed in the list, and what this person wanted to."""

    moved: Collection[Difference] = ()
    wishes: Collection[Difference] = ()


def _form(
    request: HttpRequest,
    endpoint: Endpoint,
    form: EditForm,
    *,
    access: Access | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    if all(line.name for line in form.new):
        form.new.append(NewLine())
    lines = form.lines(access or _current(endpoint))
    found = [line for line in lines if line.edited or matches(line.entry, form.query)]
    context = heading.of(request, endpoint) | {
        "tab": "permissions",
        "title": _("Change permissions"),
        "form": form,
        "lines": found[:SHOWN],
        "all": len(lines),
        "levels": LEVELS,
        "kinds": list(PrincipalKind),
        "notice": notice,
        "now": timezone.now(),
    }
    return render(request, "permissions/edit.html", context, status=status)


def _review(
    request: HttpRequest,
    endpoint: Endpoint,
    form: EditForm,
    *,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    """The differences in words. Nothing is sent yet."""
    if not form.is_valid():
        title = _("Not sent: something is to be corrected.")
        return _form(request, endpoint, form, notice=Notice(title), status=400)
    if not form.wanted:
        return _form(request, endpoint, form, notice=Notice(_("Nothing is changed yet."), tone=""))
    access = _current(endpoint)
    if access is None:
        return _form(request, endpoint, form, notice=notices.silent(None), status=503)
    if form.uid != endpoint.uid:
        return _replaced(request, endpoint, form, access)
    if moved := rules.moved(form.seen, access):
        return _moved(request, endpoint, form, access, moved)
    try:
        change = rules.change(access, form.wanted)
    except rules.Unreadable:
        return _form(request, endpoint, form, notice=_unsendable(), status=409)
    us = permissions.ourselves(endpoint.workspace.name, now=timezone.now())
    dangers = sorted(rules.dangers(access, change, us))
    context = heading.of(request, endpoint) | {
        "tab": "permissions",
        "title": _("Review the change"),
        "form": form,
        "change": change,
        "dangers": dangers,
        "managers": _managers_after(access, form.wanted),
        "notice": notice,
        "now": timezone.now(),
    }
    return render(request, "permissions/review.html", context, status=status)


def _save(request: HttpRequest, endpoint: Endpoint, form: EditForm) -> HttpResponse:
    if not form.is_valid() or not form.wanted:
        return _review(request, endpoint, form)
    wishes = _wishes(form)
    try:
        change = permissions.save(
            endpoint,
            form.wanted,
            seen=permissions.Seen(form.uid, form.seen),
            confirmed=form.confirmed,
            reason=form.reason,
            by=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except Busy:
        return _review(request, endpoint, form, notice=notices.silent(None), status=503)
    except saving.NotSent as e:
        return _review(request, endpoint, form, notice=notices.silent(e.problem), status=503)
    except permissions.Moved as e:
        return _moved(request, endpoint, form, e.access, e.differences)
    except saving.Replaced:
        return _replaced(request, endpoint, form, _current(endpoint))
    except permissions.NeedsConfirmation:
        title = _("Not sent: confirm first what is marked below.")
        return _review(request, endpoint, form, notice=Notice(title), status=409)
    except permissions.Unsendable:
        return _form(request, endpoint, form, notice=_unsendable(), status=409)
    except saving.Refused as e:
        title = _("Nothing was changed.")
        text = sentences.permissions.refused(e.problem.message)
        return _form(request, endpoint, form, notice=Notice(title, text), status=422)
    except permissions.NotConfirmed as e:
        return _not_confirmed(request, endpoint, form, e, wishes)
    number = len(change.differences)
    said = ngettext(
        "%(n)s change of permissions is saved; a read afterwards shows it.",
        "%(n)s changes of permissions are saved; a read afterwards shows them.",
        number,
    )
    none = _("Nothing had to be changed: it was so already.")
    messages.success(request, said % {"n": number} if number else none)
    return redirect("permissions", endpoint.workspace.name, endpoint.name)


def _moved(
    request: HttpRequest,
    endpoint: Endpoint,
    form: EditForm,
    access: Access,
    moved: Collection[Difference],
) -> HttpResponse:
    notice = ListNotice(
        _("Somebody else changed these permissions meanwhile. Nothing was sent."),
        _("The form below shows the list as it is now, with your changes in it."),
        moved=moved,
        wishes=_wishes(form),
    )
    again = form.moved_to(endpoint, access)
    return _form(request, endpoint, again, access=access, notice=notice, status=409)


def _replaced(
    request: HttpRequest, endpoint: Endpoint, form: EditForm, access: Access | None
) -> HttpResponse:
    notice = ListNotice(
        _("Another endpoint has this name now. Nothing was sent."),
        _("The form below shows the permissions of the new one, with your changes in it."),
        wishes=_wishes(form),
    )
    again = form.moved_to(endpoint, access) if access else form
    return _form(request, endpoint, again, access=access, notice=notice, status=409)


def _not_confirmed(
    request: HttpRequest,
    endpoint: Endpoint,
    form: EditForm,
    outcome: permissions.NotConfirmed,
    wishes: list[Difference],
) -> HttpResponse:
    """It may have been carried out: the form shows what a read says, if there was one."""
    text = _("It was sent, and no read afterwards shows all of it.")
    if outcome.problem is not None:
        what = outcome.problem.message or sentences.troubles.error(outcome.problem.kind)
        text = _("It may or may not have been carried out: %(what)s") % {"what": what}
    notice = ListNotice(_("Not confirmed."), text, tone="unknown", wishes=wishes)
    again = form if outcome.found is None else form.moved_to(endpoint, outcome.found)
    return _form(request, endpoint, again, access=outcome.found, notice=notice, status=502)


def _unsendable() -> Notice:
    return Notice(
        _("Nothing was sent."),
        _(
            "To lower or remove somebody the whole list must be replaced, and Databricks lists "
            "something here that we cannot read and would lose. Raise and add here; do the rest "
            "in Databricks."
        ),
    )


def _wishes(form: EditForm) -> list[Difference]:
    return [Difference(who, form.seen.get(who), level) for who, level in form.wanted.items()]


def _managers_after(access: Access, wanted: Mapping[Principal, str | None]) -> int:
    after = {**access.direct, **wanted}
    return sum(level == rules.CAN_MANAGE for level in after.values())


def _current(endpoint: Endpoint) -> Access | None:
    try:
        return permissions.read(endpoint, now=timezone.now()).value
    except Busy:
        return None
