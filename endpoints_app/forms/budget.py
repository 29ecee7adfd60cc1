"""A budget policy to attach, and the filters of the report."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from endpoints_app.domain import budget
from endpoints_app.forms.address import AddressForm
from endpoints_app.forms.lines import Lines


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
