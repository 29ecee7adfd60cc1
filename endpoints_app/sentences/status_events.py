"""What happened and what will, as the status page says it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_page import Event, PastTrouble, Window
from endpoints_app.sentences.status_times import clock, lasting

FLIPS: dict[str, Promise] = {
    "ready": gettext_lazy("Ready again"),
    "ready:ours": gettext_lazy("started on purpose by an operator"),
    "updating": gettext_lazy("not ready, an update is running"),
    "updating:ours": gettext_lazy("starting, asked for by an operator"),
    "stopped": gettext_lazy("stopped on purpose, outside Serving Desk"),
    "stopped:ours": gettext_lazy("stopped on purpose by an operator"),
    "unknown": gettext_lazy("unknown: its state cannot be read"),
    "gone": gettext_lazy("deleted outside Serving Desk"),
    "gone:ours": gettext_lazy("deleted on purpose by an operator"),
    "new": gettext_lazy("seen for the first time"),
    "silent": gettext_lazy("stopped answering"),
    "not_ready": gettext_lazy("Not ready, no change asked for"),
    "not_ready:ours": gettext_lazy("Not ready, after what an operator asked for"),
    "stop:open": gettext_lazy("is being stopped by an operator"),
    "start:open": gettext_lazy("is being started by an operator"),
    "delete:open": gettext_lazy("is being deleted by an operator"),
    "stop:failed": gettext_lazy("stop by an operator failed"),
    "start:failed": gettext_lazy("start by an operator failed"),
    "delete:failed": gettext_lazy("deletion by an operator failed"),
    "stop:not_confirmed": gettext_lazy("stop by an operator is not confirmed"),
    "start:not_confirmed": gettext_lazy("start by an operator is not confirmed"),
    "delete:not_confirmed": gettext_lazy("deletion by an operator is not confirmed"),
}

EVENT_TONES = {
    "gone": "off",
    "new": "none",
    "many": "none",
    "silent": "unknown",
    "answered": "good",
    "config": "good",
}


def event(found: Event) -> str:
    match found.what:
        case "answered":
            return _("answers again, after %s of silence") % lasting(found.lasted)
        case "config":
            return _("now on config %s, served throughout") % found.config
        case "many":
            return _("%s endpoints seen for the first time") % found.config
        case "update_failed":
            if found.config is None:
                return _("Not ready, an update failed")
            return _("Not ready, after config %s") % found.config
        case "ready_update_failed":
            if found.config is None:
                return _("an update failed, still serves")
            return _("update to config %s failed") % found.config
    ours = f"{found.what}:ours"
    return str(FLIPS[ours] if found.ours and ours in FLIPS else FLIPS.get(found.what, found.what))


def event_tone(found: Event) -> str:
    if found.what in EVENT_TONES:
        return EVENT_TONES[found.what]
    kind, colon, state = found.what.partition(":")
    if colon:
        return {"open": "busy", "failed": "bad"}.get(state, "unknown")
    return Status(kind).tone


def window(found: Window, now: datetime) -> str:
    """ "06:00–06:30 UTC", with the day where it is not today, and as it was entered elsewhere."""
    until = found.end.astimezone(UTC)
    same = until.date() == found.start.astimezone(UTC).date()
    end = until.strftime("%H:%M") if same else clock(until, now)
    said = f"{clock(found.start, now)}–{end} UTC"
    if found.zone in ("", "UTC", "Etc/UTC"):
        return said
    try:
        zone = ZoneInfo(found.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return said
    local = [at.astimezone(zone).strftime("%H:%M") for at in (found.start, found.end)]
    return f"{said} ({'–'.join(local)} {found.zone})"


def covered(found: Window) -> str:
    names = ", ".join(found.names)
    if found.number > len(found.names):
        return _("%(names)s and %(n)s more") % {
            "names": names,
            "n": found.number - len(found.names),
        }
    return names


def trouble(found: PastTrouble, now: datetime) -> str:
    start = clock(found.start, now)
    down = _("down for %s") % lasting(found.down)
    if found.end is None:
        return _("since %(start)s, %(down)s, not over") % {"start": start, "down": down}
    return f"{start}–{clock(found.end, now)}, {down}"
