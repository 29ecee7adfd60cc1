"""The budget policy of one endpoint: the page, the part that reads itself again, and the change."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from endpoints_app import sentences
from endpoints_app.domain.budget import Policy
from endpoints_app.domain.roles import Action
from endpoints_app.forms.budget import BudgetForm
from endpoints_app.models import Endpoint
from endpoints_app.services import audit, budget, budget_policy, saving
from endpoints_app.services.budget_policy import Seen
from endpoints_app.services.upstream import Busy, Copy
from endpoints_app.views import guards, heading, notices
from endpoints_app.views.notices import Notice

CHANGES_SHOWN = 5


@require_safe
def page(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    endpoint = guards.endpoint(request, workspace, name)
    at_hand = budget_policy.at_hand(endpoint)
    if endpoint.gone_at is None and "script" in request.COOKIES and "wait" not in request.GET:
        # What the sync has read is shown at once; the script has it read again.
        context: dict[str, Any] = {"state": "loading"}
        if at_hand is not None:
            context = _shown(endpoint, at_hand)
        context["again"] = True
    else:
        context = _read(endpoint)
    context |= {"tab": "budget", "title": _("Budget policy")} | _addresses(request, endpoint)
    context |= heading.of(request, endpoint)
    return render(request, "budget/page.html", context | _way_to_change(request, endpoint))


@require_safe
def changes(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """204 while it says what the page shows; the time of the reading travels all the same."""
    endpoint = guards.endpoint(request, workspace, name)
    context = _read(endpoint)
    since = request.GET.get("since", "")
    if since and (context["version"] == since or context["state"] == "busy"):
        response = HttpResponse(status=204)
    else:
        context |= {"endpoint": endpoint, "now": timezone.now()}
        context |= {"databricks_url": heading.databricks_url(endpoint)}
        context |= _addresses(request, endpoint) | _way_to_change(request, endpoint)
        response = render(request, "budget/_policy.html", context)
    if copy := context.get("copy"):
        response.headers["Desk-Read"] = str(int(copy.read_at.timestamp()))
    return response


def _read(endpoint: Endpoint) -> dict[str, Any]:
    """What the panel's template shows; `state` is empty where there is a policy, or none, to
    show. While the workspace does not answer that is what was read of it last."""
    now, known = timezone.now(), budget_policy.at_hand(endpoint)
    if endpoint.gone_at is not None:
        return _shown(endpoint, known or Copy(endpoint.policy, endpoint.observed_at))
    try:
        copy = budget_policy.read(endpoint, now=now)
    except Busy:
        if known is not None:
            return _shown(endpoint, known)
        return {"state": "busy", "version": ""}
    if copy.value is not None:
        return _shown(endpoint, copy)
    kind = copy.problem.kind if copy.problem else ""
    state = {"PermissionDenied": "forbidden", "DoesNotExist": "gone"}.get(kind, "error")
    if state == "error" and known is not None:
        return _shown(endpoint, Copy(known.value, known.read_at, copy.problem))
    return {"state": state, "copy": copy, "version": _version(state, copy.problem)}


def _shown(endpoint: Endpoint, copy: Copy[Policy]) -> dict[str, Any]:
    policy = copy.value or Policy(known=False)
    recorded = list(audit.changed_here(endpoint, "budget policy")[:CHANGES_SHOWN])
    return {
        "state": "",
        "copy": copy,
        "policy": policy,
        "standing": policy.standing(endpoint.known_kind),
        "recorded": recorded,
        "version": _version(policy, copy.problem, recorded[0].pk if recorded else 0),
    }


def _way_to_change(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """Whether it can be changed here at all, and why this reader may not."""
    access = guards.access_of(request)
    may = access.may(Action.BUDGET, endpoint.workspace_id)
    role = access.best_role(endpoint.workspace_id)
    return {
        "call": budget_policy.call_for(endpoint),
        "may_edit": may,
        "why_not": "" if may else sentences.roles.lacking(Action.BUDGET, role),
    }


def _version(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _addresses(request: HttpRequest, endpoint: Endpoint) -> dict[str, str]:
    """Where to read it again: the page without a script, the part with one."""
    given = {"id": uid} if (uid := request.GET.get("id", "")) else {}
    place = (endpoint.workspace.name, endpoint.name)
    return {
        "page_url": f"{reverse('endpoint-budget', args=place)}?{urlencode({'wait': '1'} | given)}",
        "part_url": f"{reverse('endpoint-budget-changes', args=place)}?{urlencode(given)}",
        "target": "policy",
    }


# Changing it ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """A form, the change in words, and the save: plain forms of one address, which carry what
    they were made of. Nothing is kept on the server between them."""
    endpoint = guards.endpoint(request, workspace, name, Action.BUDGET)
    if budget_policy.call_for(endpoint) is None:
        return redirect("endpoint-budget", workspace, name)
    if request.method != "POST":
        return _begin(request, endpoint)
    form = BudgetForm(request.POST, policies=_policies(request, endpoint))
    if form.errors.keys() & {"seen", "uid"}:
        raise BadRequest("Not a form of budget policies.")
    step = request.POST.get("step", "")
    if not form.is_valid():
        return _form(request, endpoint, form, status=400)
    if step == "save":
        return _save(request, endpoint, form)
    if step == "back":
        return _form(request, endpoint, form)
    return _review(request, endpoint, form)


def _policies(request: HttpRequest, endpoint: Endpoint) -> list[tuple[str, str]]:
    """Those the settings name, and those in use where this person sees; by their names."""
    head = guards.head(request)
    sources = guards.sources(request, head)
    in_use = {line.id for line in budget.tally([it.pk for it in sources], head).policies}
    named = {policy: budget.name_of(policy) for policy in {*settings.BUDGET_POLICY_NAMES, *in_use}}
    return sorted(named.items(), key=lambda it: it[1].casefold())


def _begin(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Without a reading there is no form: the page says what keeps it away."""
    try:
        copy = budget_policy.read(endpoint, now=timezone.now())
    except Busy:
        return redirect("endpoint-budget", endpoint.workspace.name, endpoint.name)
    if copy.value is None:
        return redirect("endpoint-budget", endpoint.workspace.name, endpoint.name)
    made_of = {"seen": copy.value.own, "uid": endpoint.uid, "policy": copy.value.own}
    return _form(request, endpoint, BudgetForm(made_of, policies=_policies(request, endpoint)))


def _form(
    request: HttpRequest,
    endpoint: Endpoint,
    form: BudgetForm,
    *,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    first = request.method != "POST"
    context = heading.of(request, endpoint) | {
        "tab": "budget",
        "title": _("Change the budget policy"),
        "form": form,
        "errors": {} if first else form.errors,
        "policies": _policies(request, endpoint),
        "notice": notice,
    }
    return render(request, "budget/edit.html", context, status=status)


def _review(
    request: HttpRequest,
    endpoint: Endpoint,
    form: BudgetForm,
    *,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    """Before and after in words. Nothing is sent yet."""
    seen = form.cleaned_data["seen"]
    if form.wanted == seen:
        return _form(request, endpoint, form, notice=Notice(_("Nothing is changed yet."), tone=""))
    context = heading.of(request, endpoint) | {
        "tab": "budget",
        "title": _("Review the change"),
        "form": form,
        "before": seen,
        "wanted": form.wanted,
        "call": budget_policy.call_for(endpoint),
        "notice": notice,
    }
    return render(request, "budget/review.html", context, status=status)


def _save(request: HttpRequest, endpoint: Endpoint, form: BudgetForm) -> HttpResponse:
    asked = form.cleaned_data
    try:
        sent = budget_policy.save(
            endpoint,
            form.wanted,
            seen=Seen(asked["uid"], asked["seen"]),
            reason=asked["reason"].replace("\0", "").strip(),
            by=request.user,  # type: ignore[arg-type]
            clock=timezone.now,
        )
    except Busy:
        return _review(request, endpoint, form, notice=notices.silent(None), status=503)
    except saving.NotSent as e:
        return _review(request, endpoint, form, notice=notices.silent(e.problem), status=503)
    except budget_policy.NotPossible:
        return redirect("endpoint-budget", endpoint.workspace.name, endpoint.name)
    except budget_policy.Moved as e:
        return _moved(request, endpoint, form, e.policy)
    except saving.Replaced:
        title = _("Another endpoint has this name now. Nothing was sent.")
        return _again(request, endpoint, form, endpoint.budget_policy, Notice(title), status=409)
    except saving.Refused as e:
        text = sentences.budget.refused(e.problem)
        notice = Notice(_("Nothing was changed."), text)
        return _form(request, endpoint, form, notice=notice, status=422)
    except budget_policy.NotConfirmed as e:
        return _not_confirmed(request, endpoint, form, e)
    if sent:
        said = _("The budget policy is %(name)s; a read afterwards shows it.")
        messages.success(request, said % {"name": budget.name_of(form.wanted)})
    else:
        messages.success(request, _("Nothing had to be changed: it was so already."))
    return redirect("endpoint-budget", endpoint.workspace.name, endpoint.name)


def _again(
    request: HttpRequest,
    endpoint: Endpoint,
    form: BudgetForm,
    own: str,
    notice: Notice,
    *,
    status: int,
) -> HttpResponse:
    """The same wish, on the endpoint as it is now."""
    data = {"seen": own, "uid": endpoint.uid, "policy": form.cleaned_data["policy"]}
    data |= {key: form.cleaned_data[key] for key in ("other", "reason")}
    again = BudgetForm(data, policies=_policies(request, endpoint))
    again.is_valid()
    return _form(request, endpoint, again, notice=notice, status=status)


def _moved(
    request: HttpRequest, endpoint: Endpoint, form: BudgetForm, policy: Policy
) -> HttpResponse:
    title = _("Somebody else changed the budget policy meanwhile. Nothing was sent.")
    text = _("It is %(now)s now; you wanted %(wanted)s.") % {
        "now": budget.name_of(policy.own) or _("none"),
        "wanted": budget.name_of(form.wanted),
    }
    return _again(request, endpoint, form, policy.own, Notice(title, text), status=409)


def _not_confirmed(
    request: HttpRequest,
    endpoint: Endpoint,
    form: BudgetForm,
    outcome: budget_policy.NotConfirmed,
) -> HttpResponse:
    """It may have been carried out: the form shows what a read says, if there was one."""
    text = _("It was sent, and no read afterwards shows it.")
    if outcome.problem is not None:
        what = outcome.problem.message or sentences.troubles.error(outcome.problem.kind)
        text = _("It may or may not have been carried out: %(what)s") % {"what": what}
    own = form.cleaned_data["seen"] if outcome.found is None else outcome.found.own
    notice = Notice(_("Not confirmed."), text, tone="unknown")
    return _again(request, endpoint, form, own, notice, status=502)
