"""The words of logs."""

from __future__ import annotations

from django import template

from endpoints_app import sentences
from endpoints_app.domain.logs import Log

register = template.Library()

register.filter("kept_because", sentences.logs.kept_because)


@register.filter
def log_label(log: Log | str) -> str:
    return sentences.logs.log(Log(log))
