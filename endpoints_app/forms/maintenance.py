"""Planned work, in the time of whoever plans it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain import zoned
from endpoints_app.forms.public import Public, PublicLines
from endpoints_app.forms.scope import ScopeForm
from endpoints_app.models import Maintenance
from endpoints_app.services import maintenance
from endpoints_app.services.scopes import Choices


class Wall(forms.CharField):
    """A time as it stands on the clocks of a zone, which another field names."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text.strip())
        except ValueError:
            wall = None
        if wall is None or wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
            raise forms.ValidationError(_("Write it as 2026-11-28 06:00."))
        return wall.replace(second=0, microsecond=0)


class MaintenanceForm(ScopeForm):
    title = Public(label=_("What is done"), max_length=100)
    note = PublicLines(label=_("Note"), required=False, max_length=500)
    zone = forms.CharField(label=_("Time zone"), max_length=64)
    start = Wall(label=_("Begins"))
    start_which = forms.ChoiceField(required=False)
    end = Wall(label=_("Ends"))
    end_which = forms.ChoiceField(required=False)
    endpoints = forms.MultipleChoiceField(label=_("Endpoints"), required=False)

    def __init__(
        self, *args: Any, choices: Choices, now: datetime, was: Maintenance | None, **options: Any
    ) -> None:
        super().__init__(*args, choices=choices, **options)
        self.now, self.was = now, was
        for name in ("start_which", "end_which"):
            self.fields[name].choices = [("first", ""), ("second", "")]  # type: ignore[attr-defined]
        # What a window covers already it may keep, also when it has been deleted.
        kept = {str(e): e.pk for e in was.endpoints.all()} if was else {}
        self.offered = choices.endpoints | kept
        self.fields["endpoints"].choices = [  # type: ignore[attr-defined]
            (str(pk), name) for name, pk in self.offered.items()
        ]
        self.twice: dict[str, list[tuple[str, str]]] = {}

    @staticmethod
    def initial_of(window: Maintenance) -> dict[str, Any]:
        zone = zoned.zone(window.zone) or UTC
        scope = "tag" if window.tag else "workspace" if window.workspace_id else ScopeForm.LIST
        return {
            "title": window.title,
            "note": window.note,
            "zone": window.zone,
            "start": window.start.astimezone(zone).strftime(WALL),
            "end": window.end.astimezone(zone).strftime(WALL),
            "start_which": _which(window.start, window.zone),
            "end_which": _which(window.end, window.zone),
            "scope": scope,
            "workspace": window.workspace.name if window.workspace else "",
            "tag": window.tag,
            "endpoints": [str(endpoint.pk) for endpoint in window.endpoints.all()],
        }

    def clean_zone(self) -> ZoneInfo:
        zone = zoned.zone(str(self.cleaned_data["zone"]))
        if zone is None:
            raise forms.ValidationError(_("Choose one of the list, such as Europe/Berlin."))
        return zone

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        start, end = self._instant("start"), self._instant("end")
        if start and end:
            self._check(start, end)
        data |= self.clean_scoped() | {"start": start, "end": end}
        if data.get("scope") == self.LIST and not data.get("endpoints"):
            self.add_error("endpoints", _("Choose at least one endpoint."))
        return data

    def _instant(self, name: str) -> datetime | None:
        """What the time means in its zone; says so where it means none, and asks where two."""
        wall, zone = self.cleaned_data.get(name), self.cleaned_data.get("zone")
        if wall is None or zone is None:
            return None
        found = zoned.read(wall, zone)
        if found.instead is not None:
            self.add_error(name, sentences.status_desk.skipped(wall, zone, found.instead))
            return None
        if len(found.instants) == 1:
            return found.instants[0]
        self.twice[name] = sentences.status_desk.which(found.instants, zone)
        chosen = self.cleaned_data.get(f"{name}_which")
        if not chosen:
            self.add_error(name, sentences.status_desk.repeated(wall, zone))
            return None
        return found.instants[chosen == "second"]

    def _check(self, start: datetime, end: datetime) -> None:
        if end <= start:
            self.add_error("end", _("It ends before it begins."))
        elif end <= self.now:
            self.add_error("end", _("That is past. Work can be planned, not entered afterwards."))
        elif end - start > maintenance.LONGEST:
            self.add_error("end", _("At most 31 days: a longer window would hide trouble."))
        unchanged = self.was is not None and start == self.was.start
        if not unchanged and start < self.now - maintenance.LATEST_ENTRY:
            self.add_error("start", _("That is more than a day ago."))

    def wanted(self) -> maintenance.Wanted:
        data = self.cleaned_data
        chosen = data["endpoints"] if data["scope"] == self.LIST else []
        return maintenance.Wanted(
            title=data["title"],
            note=data["note"],
            start=data["start"],
            end=data["end"],
            zone=data["zone"].key,
            workspace=data["workspace"],
            tag=data["tag"],
            endpoints=[int(pk) for pk in chosen],
        )


WALL = "%Y-%m-%dT%H:%M"
"""As a browser's own field for date and time has it."""


def _which(instant: datetime, name: str) -> str:
    """Which of two it is, where its time of day comes twice."""
    zone = zoned.zone(name)
    if zone is None:
        return ""
    wall = instant.astimezone(zone).replace(tzinfo=None)
    return "second" if zoned.read(wall, zone).instants[-1:] == (instant,) else "first"
