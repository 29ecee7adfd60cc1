"""The filters of the list."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain.kind import Kind
from endpoints_app.domain.status import Status, worst_first
from endpoints_app.forms.address import AddressForm
from endpoints_app.services.listing import ORDERS, Filters


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
