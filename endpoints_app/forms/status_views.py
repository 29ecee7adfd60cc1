"""A named page: its title, its name, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain import status_views
from endpoints_app.domain.public_text import unfit
from endpoints_app.forms.public import Public
from endpoints_app.forms.scope import ScopeForm
from endpoints_app.models import StatusView
from endpoints_app.services import status_views as service
from endpoints_app.services.scopes import Choices


class ViewForm(ScopeForm):
    title = Public(label=_("Title"), max_length=100)
    slug = forms.CharField(label=_("Name in the address"), max_length=50)

    def __init__(self, data: QueryDict | None = None, *, choices: Choices, **options: Any) -> None:
        super().__init__(data, choices=choices, **options)
        self.lines = _lines(data) if data is not None else []

    @classmethod
    def of(cls, view: StatusView, choices: Choices) -> ViewForm:
        scope = "tag" if view.tag else "workspace" if view.workspace_id else cls.LIST
        initial = {
            "title": view.title,
            "slug": view.slug,
            "scope": scope,
            "workspace": view.workspace.name if view.workspace else "",
            "tag": view.tag,
        }
        form = cls(choices=choices, initial=initial)
        form.lines = [
            Line(f"{member.workspace.name}/{member.name}", member.alias)
            for member in view.members.all()
        ]
        return form

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if not status_views.is_slug(slug):
            raise forms.ValidationError(_("Lower case letters, digits and single hyphens only."))
        if slug in status_views.RESERVED or slug in self.choices.workspaces:
            raise forms.ValidationError(_("This name is taken by another page."))
        return slug

    def clean(self) -> dict[str, Any]:
        self.cleaned_data |= self.clean_scoped()
        if self.cleaned_data.get("scope") == self.LIST:
            self._clean_lines()
        return self.cleaned_data

    def _clean_lines(self) -> None:
        listed: set[str] = set()
        called: set[str] = set()
        for line in self.lines:
            line.error = self._wrong(line, listed, called)
            listed.add(line.endpoint)
            called.add(line.shown)
        given = [line for line in self.lines if line.endpoint or line.alias]
        if not given or any(line.error for line in given):
            self.add_error(None, _("Name at least one endpoint, and mend what is marked."))

    def _wrong(self, line: Line, listed: set[str], called: set[str]) -> str:
        if not line.endpoint:
            return gettext("Which endpoint is that?") if line.alias else ""
        if line.endpoint in listed:
            return gettext("Already in the list.")
        workspace, _slash, name = line.endpoint.partition("/")
        if workspace not in self.choices.workspaces or not name:
            return gettext("Write it as workspace/name, as the list offers it.")
        if line.endpoint not in self.choices.endpoints and line.endpoint not in self.initial_lines:
            return gettext("There is no such endpoint.")
        if why := unfit(line.alias):
            return str(sentences.acknowledging.UNFIT[why])
        if "/" in line.alias or line.alias.strip(".") != line.alias or len(line.alias) > 100:
            return gettext("At most 100 letters, without / and without dots around it.")
        return gettext("Another line is called so already.") if line.shown in called else ""

    initial_lines: frozenset[str] = frozenset()
    """What the page lists already: it may stay listed, also when it has been deleted."""

    def wanted(self) -> service.Wanted:
        data = self.cleaned_data
        given = [line for line in self.lines if line.endpoint] if data["scope"] == self.LIST else []
        members = []
        for line in sorted(given, key=lambda line: line.position):
            workspace, _slash, name = line.endpoint.partition("/")
            members.append(service.Member(self.choices.workspaces[workspace], name, line.alias))
        return service.Wanted(data["title"], data["slug"], data["workspace"], data["tag"], members)


@dataclass(slots=True)
class Line:
    """An endpoint of a page, as it is typed; `position` orders them."""

    endpoint: str = ""
    alias: str = ""
    position: int = 0
    error: str = ""

    @property
    def shown(self) -> str:
        return self.alias or self.endpoint.partition("/")[2]


MOST_LINES = 500


def _lines(data: QueryDict) -> list[Line]:
    """As sent: three lists of one length, else what no form of ours sends."""
    endpoints, aliases = data.getlist("member"), data.getlist("alias")
    positions = data.getlist("position")
    if len({len(endpoints), len(aliases), len(positions)}) != 1 or len(endpoints) > MOST_LINES:
        raise BadRequest("Not a form of a status page.")
    return [
        Line(endpoint.strip(), alias.strip(), int(at) if at.isascii() and at.isdigit() else 9999)
        for endpoint, alias, at in zip(endpoints, aliases, positions, strict=True)
    ]
