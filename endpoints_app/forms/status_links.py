"""Runbooks and contacts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from endpoints_app.domain.status_links import Links
from endpoints_app.forms.public import Link, Public
from endpoints_app.models import StatusLink
from endpoints_app.services import status_links
from endpoints_app.services.scopes import Choices


class LinkForm(forms.Form):
    """For everything, for a tag, or for one endpoint."""

    whose = forms.ChoiceField(label=_("For"), widget=forms.RadioSelect)
    tag = forms.CharField(label=_("Tag"), required=False, max_length=500)
    endpoint = forms.CharField(label=_("Endpoint"), required=False, max_length=320)
    runbook_url = Link(label=_("Runbook"), required=False, max_length=500)
    contact_name = Public(label=_("Contact"), required=False, max_length=100)
    contact_url = Link(label=_("Where they are reached"), required=False, max_length=500)

    def __init__(
        self, *args: Any, choices: Choices, was: StatusLink | None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.choices, self.was = choices, was
        wide = [("default", _("Everything else")), ("tag", _("What carries a tag"))]
        self.fields["whose"].choices = [  # type: ignore[attr-defined]
            *(wide if choices.everywhere else []),
            ("endpoint", _("One endpoint")),
        ]

    @staticmethod
    def initial_of(link: StatusLink) -> dict[str, Any]:
        return {
            "whose": "endpoint" if link.endpoint else "tag" if link.tag else "default",
            "tag": link.tag,
            "endpoint": str(link.endpoint or ""),
            "runbook_url": link.runbook_url,
            "contact_name": link.contact_name,
            "contact_url": link.contact_url,
        }

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        known = dict(self.choices.endpoints)
        if self.was is not None and self.was.endpoint is not None:
            known[str(self.was.endpoint)] = self.was.endpoint.pk
        if data.get("whose") == "tag" and not data.get("tag"):
            self.add_error("tag", _("Give a tag, as key or key=value."))
        if data.get("whose") == "endpoint" and data.get("endpoint") not in known:
            self.add_error("endpoint", _("Write it as workspace/name, as the list offers it."))
        if data.get("contact_url") and not data.get("contact_name"):
            self.add_error("contact_name", _("Say who is reached there."))
        if not self.errors and not (data.get("runbook_url") or data.get("contact_name")):
            self.add_error("runbook_url", _("Give a runbook or a contact."))
        data["row"] = known.get(data.get("endpoint", ""))
        return data

    def wanted(self) -> status_links.Wanted:
        data = self.cleaned_data
        links = Links(data["runbook_url"], data["contact_name"], data["contact_url"])
        return status_links.Wanted(
            links,
            endpoint=data["row"] if data["whose"] == "endpoint" else None,
            tag=data["tag"] if data["whose"] == "tag" else "",
        )
