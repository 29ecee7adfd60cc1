"""What is told of an incident."""

from __future__ import annotations

from django import forms

from endpoints_app.forms.public import PublicLines


class NoteForm(forms.Form):
    """`incident` is a moment within it, in seconds."""

    incident = forms.IntegerField(min_value=0, max_value=2**33)
    text = PublicLines(max_length=1000)
