"""Who is on it, and for how long."""

from __future__ import annotations

from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from endpoints_app.domain.public_text import Unfit

LASTING: dict[timedelta, Promise] = {
    timedelta(minutes=30): gettext_lazy("30 min"),
    timedelta(hours=1): gettext_lazy("1 h"),
    timedelta(hours=4): gettext_lazy("4 h"),
    timedelta(hours=12): gettext_lazy("12 h"),
    timedelta(days=1): gettext_lazy("1 day"),
    timedelta(days=3): gettext_lazy("3 days"),
}

UNFIT: dict[Unfit, Promise] = {
    Unfit.MAIL: gettext_lazy("The status page shows this to anybody: no mail addresses."),
    Unfit.ADDRESS: gettext_lazy("The status page shows this to anybody: no addresses."),
    Unfit.SECRET: gettext_lazy(
        "This looks like a password or token, and would be shown to anybody."
    ),
    Unfit.UNPRINTABLE: gettext_lazy("It contains signs that cannot be shown."),
}
