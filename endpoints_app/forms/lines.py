"""Text of several lines."""

from __future__ import annotations

from typing import Any

from django import forms


class Lines(forms.CharField):
    """Text of several lines. Browsers count a line's end as one character and send two."""

    def to_python(self, value: Any) -> str | None:
        return super().to_python(value.replace("\r\n", "\n") if value else value)
