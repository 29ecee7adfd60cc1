"""What the status page shows to anybody is held to more than its length."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from endpoints_app import sentences
from endpoints_app.domain.public_text import is_public_link, unfit
from endpoints_app.forms.lines import Lines


class Public(forms.CharField):
    """A line that the status page shows."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        if why := unfit(text):
            raise forms.ValidationError(str(sentences.acknowledging.UNFIT[why]), code=why.value)
        return text


class PublicLines(Public, Lines):
    """Several of them."""


class Link(forms.CharField):
    """An address that may stand on a public page."""

    def clean(self, value: Any) -> str:
        url = str(super().clean(value))
        if url and not is_public_link(url):
            raise forms.ValidationError(
                _("A page (https://…) or a telephone (tel:…), without password or mail address.")
            )
        return url
