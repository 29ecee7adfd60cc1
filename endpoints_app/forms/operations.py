"""An operation to begin, and the filters of their list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain.lifecycle import OperationKind
from endpoints_app.forms.address import AddressForm
from endpoints_app.forms.lines import Lines
from endpoints_app.services import operation_list


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
