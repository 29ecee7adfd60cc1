"""The sentences behind the codes of what went wrong."""

from __future__ import annotations

from django import template

from endpoints_app import sentences

register = template.Library()

register.filter("error_sentence", sentences.troubles.error)
register.filter("error_advice", sentences.troubles.advice)
