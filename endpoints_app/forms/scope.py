"""What a window or a page covers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain.public_text import Unfit
from endpoints_app.services.scopes import Choices


class ScopeForm(forms.Form):
    """A workspace, a tag, or a list of endpoints: only what this person may choose."""

    scope = forms.ChoiceField(label=_("Covers"), widget=forms.RadioSelect)
    workspace = forms.ChoiceField(label=_("Workspace"), required=False)
    tag = forms.CharField(label=_("Tag"), required=False, max_length=500)

    LIST = "endpoints"

    def __init__(self, *args: Any, choices: Choices, **options: Any) -> None:
        super().__init__(*args, **options)
        self.choices = choices
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            ("workspace", _("All of a workspace")),
            ("tag", _("What carries a tag")),
            (self.LIST, _("Endpoints one by one")),
        ]
        every = [("", _("all workspaces"))] if choices.everywhere else []
        self.fields["workspace"].choices = [  # type: ignore[attr-defined]
            *every,
            *((name, name) for name in choices.workspaces),
        ]

    def clean_scoped(self) -> dict[str, Any]:
        """`workspace` and `tag` as rows keep them; says what is missing."""
        data = self.cleaned_data
        scope, workspace = data.get("scope"), self.choices.workspaces.get(data.get("workspace", ""))
        if scope == "workspace" and workspace is None:
            self.add_error("workspace", _("Choose one workspace."))
        if scope == "tag":
            if not data.get("tag"):
                self.add_error("tag", _("Give a tag, as key or key=value."))
            if workspace is None and not self.choices.everywhere:
                self.add_error("workspace", _("Choose one workspace."))
        return {
            "workspace": workspace if scope in ("workspace", "tag") else None,
            "tag": data.get("tag", "") if scope == "tag" else "",
        }

    def clean_tag(self) -> str:
        tag = str(self.cleaned_data["tag"])
        if any(not char.isprintable() for char in tag):
            raise forms.ValidationError(str(sentences.acknowledging.UNFIT[Unfit.UNPRINTABLE]))
        return tag
