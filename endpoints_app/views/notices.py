"""What stands above a form that comes back."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from endpoints_app import sentences
from endpoints_app.services.upstream import Problem


@dataclass(slots=True)
class Notice:
    title: str
    text: str = ""
    tone: str = "bad"


def silent(problem: Problem | None) -> Notice:
    """The workspace was not asked to change anything."""
    title = _("Nothing was sent, and nothing you typed is lost.")
    if problem is None:
        return Notice(title, _("Databricks is slow at the moment. Try again in a few seconds."))
    what = sentences.troubles.error(problem.kind)
    return Notice(title, _("The workspace cannot be asked: %(what)s.") % {"what": what})
