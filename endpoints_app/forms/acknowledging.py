"""Who is on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from endpoints_app import sentences
from endpoints_app.forms.lines import Lines
from endpoints_app.forms.public import Public


class AcknowledgeForm(forms.Form):
    role = Public(max_length=100)
    note = Lines(required=False, max_length=500)
    lasting = forms.ChoiceField(initial="3600")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["lasting"].choices = [  # type: ignore[attr-defined]
            (str(int(lasting.total_seconds())), label)
            for lasting, label in sentences.acknowledging.LASTING.items()
        ]

    def clean_lasting(self) -> timedelta:
        return timedelta(seconds=int(self.cleaned_data["lasting"]))
