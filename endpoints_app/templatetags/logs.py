"""The words of logs."""

from __future__ import annotations

from django import template

from endpoints_app import sentences
from endpoints_app.domain.logs import Log
from endpoints_app.models import LogSnapshot

register = template.Library()


@register.filter
def log_label(log: Log | str) -> str:
    return sentences.logs.log(Log(log))


@register.filter
def kept_because(snapshot: LogSnapshot) -> str:
    return sentences.logs.kept_because(snapshot)
