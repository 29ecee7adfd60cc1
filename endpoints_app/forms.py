"""What may be asked for: filters in the address, and operations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain import budget
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.domain.status import Status, worst_first
from endpoints_app.services import operation_list
from endpoints_app.services.listing import ORDERS, Filters


def asked(params: QueryDict) -> str:
    """What the address says, without the poller's own part."""
    kept = params.copy()
    kept.pop("since", None)
    return kept.urlencode()


class AddressForm(forms.Form):
    """The address is the only state: this reads it, and an invalid part filters nothing."""

    def __init__(self, data: QueryDict) -> None:
        given = data.copy()
        for name, values in data.lists():
            given.setlist(name, [value for value in values if value])  # "any" sends its name alone
        super().__init__(given)

    def ignored(self) -> str:
        """A sentence that names what was not understood, or nothing."""
        names = [str(self.fields[name].label or name) for name in self.errors]
        if not names:
            return ""
        return gettext("Not understood in the address, so it filters nothing: %(names)s.") % {
            "names": ", ".join(names)
        }


class FilterForm(AddressForm):
    q = forms.CharField(required=False, max_length=200, label=_("Find an endpoint"))
    status = forms.MultipleChoiceField(required=False, label=_("Status"))
    workspace = forms.MultipleChoiceField(required=False, label=_("Workspace"))
    kind = forms.MultipleChoiceField(required=False, label=_("Kind"))
    owner = forms.CharField(required=False, max_length=255, label=_("Owner"))
    tag = forms.CharField(required=False, max_length=500, label=_("Tag"))
    budget = forms.CharField(required=False, max_length=255, label=_("Budget policy"))
    attention = forms.BooleanField(required=False, label=_("Needs attention"))
    sort = forms.ChoiceField(required=False, label=_("Order"))
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000, label=_("Page"))

    def __init__(self, data: QueryDict, *, workspaces: list[str]) -> None:
        super().__init__(data)
        self.fields["status"].choices = [(s.value, s.label) for s in worst_first()]  # type: ignore[attr-defined]
        self.fields["workspace"].choices = [(name, name) for name in workspaces]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [(k.value, sentences.endpoints.KINDS[k]) for k in Kind]  # type: ignore[attr-defined]
        self.fields["sort"].choices = [(s, s) for o in ORDERS for s in (o, f"-{o}")]  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        self.full_clean()
        asked = self.cleaned_data
        return Filters(
            text=asked.get("q", ""),
            statuses=frozenset(Status(value) for value in asked.get("status", ())),
            workspaces=frozenset(asked.get("workspace", ())),
            kinds=frozenset(Kind(value) for value in asked.get("kind", ())),
            owner=asked.get("owner", ""),
            tag=asked.get("tag", ""),
            budget=asked.get("budget", ""),
            attention=bool(asked.get("attention")),
            sort=asked.get("sort") or "status",
            page=asked.get("page") or 1,
        )


class ReportForm(AddressForm):
    workspace = forms.MultipleChoiceField(required=False, label=_("Workspace"))
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000, label=_("Page"))

    def __init__(self, data: QueryDict, *, workspaces: list[str]) -> None:
        super().__init__(data)
        self.fields["workspace"].choices = [(name, name) for name in workspaces]  # type: ignore[attr-defined]
        self.full_clean()

    def workspaces(self) -> frozenset[str]:
        """Empty means all."""
        return frozenset(self.cleaned_data.get("workspace", ()))

    def page_number(self) -> int:
        return self.cleaned_data.get("page") or 1


class Lines(forms.CharField):
    """Text of several lines. Browsers count a line's end as one character and send two."""

    def to_python(self, value: Any) -> str | None:
        return super().to_python(value.replace("\r\n", "\n") if value else value)


class BudgetForm(forms.Form):
    """A policy of those known, or one whose id is typed; `seen` is the one it was made of."""

    policy = forms.ChoiceField(required=False)
    other = forms.CharField(required=False, max_length=100)
    seen = forms.CharField(required=False, max_length=255)
    uid = forms.CharField(required=False, max_length=64)
    reason = Lines(required=False, max_length=500)

    def __init__(
        self, data: QueryDict | dict[str, str], *, policies: list[tuple[str, str]]
    ) -> None:
        super().__init__(data)
        self.fields["policy"].choices = [("", ""), *policies]  # type: ignore[attr-defined]

    def clean_other(self) -> str:
        other: str = self.cleaned_data["other"]
        if other and not budget.is_id(other):
            raise forms.ValidationError(_("This cannot be the ID of a policy."))
        return other

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not (cleaned.get("other") or cleaned.get("policy")):
            self.add_error("policy", _("Choose a policy, or give the ID of one."))
        return cleaned

    @property
    def wanted(self) -> str:
        return str(self.cleaned_data["other"] or self.cleaned_data["policy"])


class OperationForm(forms.Form):
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in OperationKind])
    reason = Lines(required=False, max_length=500)
    confirm = forms.CharField(required=False, max_length=255, strip=False)


class OperationFilterForm(AddressForm):
    outcome = forms.ChoiceField(required=False, label=_("Outcome"))
    kind = forms.ChoiceField(required=False, label=_("Kind"))
    workspace = forms.ChoiceField(required=False, label=_("Workspace"))
    who = forms.ChoiceField(required=False, label=_("Asked by"))
    # Not `since`, which is the poller's: it asks with the filters of its page.
    period = forms.ChoiceField(required=False, label=_("Since"), initial="24h")
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000, label=_("Page"))

    def __init__(self, data: QueryDict, *, workspaces: list[str], actors: list[str]) -> None:
        super().__init__(data)
        choices: dict[str, list[tuple[str, Any]]] = {
            "outcome": [
                ("open", _("Open")),
                ("not_confirmed", _("Not confirmed")),
                ("failed", _("Failed")),
                ("done", _("Done")),
                ("not_done", _("Not done")),
            ],
            "kind": [(kind.value, sentences.operations.VERBS[kind]) for kind in OperationKind],
            "workspace": [(name, name) for name in workspaces],
            "who": [(name, name) for name in actors],
            "period": [
                ("24h", _("24 h")),
                ("7d", _("7 d")),
                ("30d", _("30 d")),
                ("all", _("ever")),
            ],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def filters(self) -> operation_list.Filters:
        self.full_clean()
        asked = self.cleaned_data
        return operation_list.Filters(
            outcome=asked.get("outcome", ""),
            kind=OperationKind(asked["kind"]) if asked.get("kind") else None,
            workspace=asked.get("workspace", ""),
            actor=asked.get("who", ""),
            period=asked.get("period") or "24h",
            page=asked.get("page") or 1,
        )
