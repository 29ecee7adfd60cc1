"""What the address says."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext


def asked(params: QueryDict, *besides: str) -> str:
    """What the address says, without the poller's own part and without `besides`."""
    kept = params.copy()
    for name in ("since", *besides):
        kept.pop(name, None)
    return kept.urlencode()


def not_understood(names: Iterable[str]) -> str:
    """The sentence that names these parts of the address, or nothing for none."""
    if not (named := ", ".join(names)):
        return ""
    return gettext("Not understood in the address, so it filters nothing: %(names)s.") % {
        "names": named
    }


class AddressForm(forms.Form):
    """The address is the only state: this reads it, and an invalid part filters nothing."""

    def __init__(self, data: QueryDict) -> None:
        given = data.copy()
        for name, values in data.lists():
            given.setlist(name, [value for value in values if value])  # "any" sends its name alone
        super().__init__(given)

    def ignored(self) -> str:
        """A sentence that names what was not understood, or nothing."""
        return not_understood(str(self.fields[name].label or name) for name in self.errors)
