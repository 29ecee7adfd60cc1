"""What keeps a workspace from answering, and what to do about it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ERRORS: dict[str, Promise] = {
    "NotConfigured": gettext_lazy("its credentials are not configured"),
    "NeverOpened": gettext_lazy("it cannot be reached"),
    "Lost": gettext_lazy("the connection broke"),
    "TimedOut": gettext_lazy("it did not answer in time"),
    "RedirectRefused": gettext_lazy("it answered with a redirect, not with its API"),
    "Nonsense": gettext_lazy("it answered with something that is not its API"),
    "Unauthenticated": gettext_lazy("it refuses our credentials"),
    "PermissionDenied": gettext_lazy("our credentials may not list its endpoints"),
    "Throttled": gettext_lazy("it asks us to slow down"),
}


ADVICE: dict[str, Promise] = {
    "NotConfigured": gettext_lazy(
        "Name its host and its credentials in the environment of web and workers, then restart."
    ),
    "NeverOpened": gettext_lazy("Compare its host, and the proxy if there is one."),
    "TimedOut": gettext_lazy("If it lasts, ask whoever keeps the network or Databricks up."),
    "RedirectRefused": gettext_lazy("Its host is likely not that of a workspace."),
    "Nonsense": gettext_lazy("Its host is likely not that of a workspace."),
    "Unauthenticated": gettext_lazy(
        "The secret has likely expired or was rotated: put the new one in place and restart."
    ),
    "PermissionDenied": gettext_lazy(
        "Give our service principal CAN VIEW on what should be seen, CAN MANAGE on what should be "
        "operated."
    ),
}


def error(code: str) -> str:
    """What keeps a workspace from answering, as the end of a sentence."""
    return str(ERRORS.get(code) or _("it answers with errors"))


def advice(code: str) -> str:
    """What to do about it."""
    return str(ADVICE.get(code) or _("It is asked again by itself."))
