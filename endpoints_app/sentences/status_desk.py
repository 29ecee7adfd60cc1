"""What people enter for the status page, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from endpoints_app.domain import zoned
from endpoints_app.models import Maintenance, StatusLink, StatusView


def skipped(wall: datetime, zone: ZoneInfo, instead: datetime) -> str:
    return _(
        "Clocks in %(zone)s skip %(time)s on %(day)s: they go forward. %(instead)s is the same "
        "wait later."
    ) % {
        "zone": zone.key,
        "time": wall.strftime("%H:%M"),
        "day": wall.strftime("%Y-%m-%d"),
        "instead": instead.strftime("%H:%M"),
    }


def repeated(wall: datetime, zone: ZoneInfo) -> str:
    return _(
        "Clocks in %(zone)s show %(time)s twice on %(day)s: they are set back. Choose which one."
    ) % {"zone": zone.key, "time": wall.strftime("%H:%M"), "day": wall.strftime("%Y-%m-%d")}


def which(instants: tuple[datetime, ...], zone: ZoneInfo) -> list[tuple[str, str]]:
    """The choices between two instants of one time of day."""
    first, second = instants
    return [
        ("first", _("the first time, %(offset)s") % {"offset": zoned.offset(first, zone)}),
        ("second", _("the second time, %(offset)s") % {"offset": zoned.offset(second, zone)}),
    ]


def covers(scope: Maintenance | StatusView) -> str:
    """A workspace or a tag in words; nothing for what names its endpoints one by one."""
    workspace = scope.workspace.name if scope.workspace else ""
    if workspace and scope.tag:
        return _("Tag %(tag)s in %(workspace)s") % {"tag": scope.tag, "workspace": workspace}
    if workspace:
        return _("All of %(workspace)s") % {"workspace": workspace}
    return _("Tag %(tag)s in all workspaces") % {"tag": scope.tag} if scope.tag else ""


def whose(link: StatusLink) -> str:
    """Whom links are for."""
    if link.endpoint is not None:
        return str(link.endpoint)
    return _("Tag %(tag)s") % {"tag": link.tag} if link.tag else _("Everything else")
