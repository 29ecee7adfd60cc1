"""What the status page says. Numbers and times come from `domain/status_page.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from endpoints_app.domain.status import Status
from endpoints_app.domain.status_page import (
    Hint,
    Item,
    Kind,
    Pace,
    Page,
    Pattern,
    Poller,
    Quiet,
    Silent,
    SourceLine,
    Verdict,
)
from endpoints_app.sentences.status_times import ago, clock, lasting


def name() -> str:
    return _("Serving status")


# The verdict -----------------------------------------------------------------------------------


def verdict(page: Page) -> str:
    """The first sentence: a number, and a time where nothing is known."""
    v = page.verdict
    match v.kind:
        case Kind.UNKNOWN if v.since:
            return _("Unknown since %(time)s UTC") % {"time": clock(v.since, page.now)}
        case Kind.UNKNOWN if not v.total:
            return _("Unknown: nothing has been read yet")
        case Kind.UNKNOWN:
            return ngettext(
                "%(n)s endpoint, and its state is unknown",
                "All %(n)s endpoints are unknown",
                v.total,
            ) % {"n": v.total}
        case Kind.DOWN if v.unknown:
            return ngettext(
                "%(down)s of %(known)s endpoints cannot serve, %(unknown)s more is unknown",
                "%(down)s of %(known)s endpoints cannot serve, %(unknown)s more are unknown",
                v.unknown,
            ) % {"down": v.down, "known": v.known, "unknown": v.unknown}
        case Kind.DOWN:
            return _("%(down)s of %(known)s endpoints cannot serve") % {
                "down": v.down,
                "known": v.known,
            }
        case Kind.PARTLY_UNKNOWN if not v.unknown:
            return _("%(names)s does not answer") % {"names": ", ".join(n for n, _at in v.silent)}
        case Kind.PARTLY_UNKNOWN:
            return ngettext(
                "%(unknown)s of %(total)s endpoints is unknown",
                "%(unknown)s of %(total)s endpoints are unknown",
                v.unknown,
            ) % {"unknown": v.unknown, "total": v.total}
        case Kind.UPDATING:
            return ngettext(
                "%(n)s endpoint is updating and does not serve yet",
                "%(n)s endpoints are updating and do not serve yet",
                v.updating,
            ) % {"n": v.updating}
        case Kind.PLANNED:
            return ngettext(
                "Planned work: %(n)s endpoint does not serve",
                "Planned work: %(n)s endpoints do not serve",
                v.planned,
            ) % {"n": v.planned}
        case Kind.EMPTY:
            return _("There is no endpoint here")
    return _all_serve(v)


def _all_serve(v: Verdict) -> str:
    if not v.serving:
        return _("Nothing should serve, and nothing is wrong")
    return ngettext(
        "The %(n)s endpoint that should serve can serve",
        "All %(n)s endpoints that should serve can serve",
        v.serving,
    ) % {"n": v.serving}


def more(page: Page) -> list[str]:
    """The sentences under it: the rest of the numbers, when Databricks answered, who is silent."""
    v, said = page.verdict, []
    if v.kind is Kind.DOWN and v.planned:
        said.append(
            ngettext(
                "%(n)s more does not serve during planned work.",
                "%(n)s more do not serve during planned work.",
                v.planned,
            )
            % {"n": v.planned}
        )
    if v.kind in (Kind.UPDATING, Kind.PLANNED) and v.serving:
        said.append(ngettext("%(n)s can serve.", "%(n)s can serve.", v.serving) % {"n": v.serving})
    if v.kind is Kind.UPDATE_FAILED:
        said.append(
            ngettext(
                "Of %(n)s the last update failed.",
                "Of %(n)s the last update failed.",
                v.update_failed,
            )
            % {"n": v.update_failed}
        )
    if v.stopped and v.kind in (Kind.GOOD, Kind.UPDATE_FAILED, Kind.PLANNED, Kind.UPDATING):
        said.append(
            ngettext(
                "%(n)s more is stopped on purpose.",
                "%(n)s more are stopped on purpose.",
                v.stopped,
            )
            % {"n": v.stopped}
        )
    if v.observed_at is None:
        said.append(_("Databricks has not answered yet."))
    else:
        said.append(
            _("Databricks last answered %(ago)s (%(time)s UTC).")
            % {
                "ago": ago(v.observed_at, page.now),
                "time": clock(v.observed_at, page.now),
            }
        )
    if v.kind is not Kind.UNKNOWN:
        said += [silence(name, at, page.now) for name, at in v.silent[:3]]
        if len(v.silent) > 3:
            said.append(_("%(n)s more workspaces are silent.") % {"n": len(v.silent) - 3})
    if pattern := hint(page.hint):
        said.append(pattern)
    return said


def silence(name: str, at: datetime | None, now: datetime) -> str:
    if at is None:
        return _("%(name)s has never answered.") % {"name": name}
    return _("%(name)s has been silent since %(time)s UTC.") % {
        "name": name,
        "time": clock(at, now),
    }


def hint(found: Hint) -> str:
    """Where to look first."""
    match found.pattern:
        case Pattern.ENDPOINT:
            return _("It is this one endpoint: %(name)s.") % {"name": found.name}
        case Pattern.ENDPOINTS:
            return _("Single endpoints are affected; their workspaces answer.")
        case Pattern.WORKSPACE:
            return _("It is %(name)s as a whole.") % {"name": found.name}
        case Pattern.WORKSPACES:
            return _("Several workspaces do not answer: the way to Databricks may be broken.")
        case Pattern.POLLER:
            return _("Our own poller has stopped reading; Databricks may well be fine.")
    return ""


def tab(page: Page) -> str:
    """The title: the count comes first, for a tab shows little else."""
    v, counts = page.verdict, []
    where = f"{page.title} · {name()}" if page.title else name()
    if v.kind is Kind.UNKNOWN:
        return f"{Status.UNKNOWN.label} · {where}"
    if v.down:
        counts.append(_("%s down") % v.down)
    if v.unknown:
        counts.append(_("%s unknown") % v.unknown)
    elif v.silent:
        counts.append(_("%s silent") % len(v.silent))
    return f"{_(', ').join(counts)} · {where}" if counts else where


# Sources ---------------------------------------------------------------------------------------


def source(line: SourceLine, now: datetime) -> str:
    many = ngettext("%(n)s endpoint", "%(n)s endpoints", line.number) % {"n": line.number}
    return f"{answered(line, now)} · {many}"


def answered(line: SourceLine, now: datetime) -> str:
    if line.observed_at is None:
        return _("never answered")
    if line.stale:
        return _("unknown since %s") % clock(line.observed_at, now)
    return _("answered %s") % ago(line.observed_at, now)


def poller(found: Poller, now: datetime) -> str:
    match found.pace:
        case Pace.ON_TIME:
            return _("on time, none waiting")
        case Pace.LATE:
            return ngettext(
                "late, %(n)s workspace waiting", "late, %(n)s workspaces waiting", found.waiting
            ) % {"n": found.waiting}
    if found.seen_at.timestamp() == 0:
        return _("has not begun")
    return _("silent since %s") % clock(found.seen_at, now)


# Endpoints -------------------------------------------------------------------------------------


def serves(item: Item) -> tuple[str, str]:
    """Whether it serves, loud, and what that means, softly."""
    if item.absent:
        return "", _("Databricks shows no endpoint of this name.")
    if item.planned:
        return _("Does not serve,"), _("planned work.")
    match item.status:
        case Status.READY_UPDATE_FAILED:
            return _("Serves,"), _("on the configuration before.")
        case Status.READY if item.updating:
            return _("Serves,"), _("while it updates.")
        case Status.READY:
            return _("Serves."), ""
        case Status.STOPPED:
            return _("Does not serve,"), _("stopped on purpose.")
        case Status.UPDATING:
            return _("Does not serve yet,"), _("an update is running.")
        case Status.UNKNOWN:
            return "", _known(item.last_known)
    return _("Does not serve,"), _("callers get errors.")


def _known(last: Status | None) -> str:
    if last is None:
        return _("Nobody can say whether it serves.")
    return _("Nobody can say whether it serves. Last known: %s.") % _label(last)


def _label(status: Status) -> str:
    return _("stopped on purpose") if status is Status.STOPPED else status.label


def since(found: Item | Silent, now: datetime) -> str:
    """Since when it is so, and how long that is; nothing where nobody knows."""
    if found.since is None:
        return ""
    lasted = lasting(now - found.since)
    if isinstance(found, Item) and found.longer:
        return _("for %(lasted)s or longer") % {"lasted": lasted}
    return _("since %(time)s, %(lasting)s") % {"time": clock(found.since, now), "lasting": lasted}


def on_it(item: Item, now: datetime) -> str:
    if item.until is None:
        return ""
    return _("%(role)s, until %(time)s") % {"role": item.role, "time": clock(item.until, now)}


def silent(group: Silent) -> str:
    return ngettext("%(n)s endpoint of %(name)s", "%(n)s endpoints of %(name)s", group.number) % {
        "n": group.number,
        "name": group.workspace,
    }


def last_known(group: Silent) -> str:
    said = [counted(status, number) for status, number in _in_order(group.known)]
    if not said:
        return _("The workspace does not answer.")
    return _("The workspace does not answer. Last known: %s.") % _(", ").join(said)


def counted(status: Status, number: int) -> str:
    match status:
        case Status.STOPPED:
            return ngettext("%(n)s stopped on purpose", "%(n)s stopped on purpose", number) % {
                "n": number
            }
        case Status.UPDATING:
            return ngettext("%(n)s updating", "%(n)s updating", number) % {"n": number}
        case Status.NOT_READY | Status.UPDATE_FAILED:
            return f"{number} {status.label}"
    return f"{number} {status.label}"


def _in_order(counts: Mapping[Status, int]) -> list[tuple[Status, int]]:
    order = [Status.READY, Status.READY_UPDATE_FAILED, Status.UPDATING, Status.STOPPED]
    order += [status for status in Status if status not in order]
    return [(status, counts[status]) for status in order if counts.get(status)]


def quiet(found: Quiet, page: Page) -> str:
    """ "66 Ready, 2 updating and 1 stopped on purpose in prod-eu": the healthy as one line."""
    said = [counted(status, number) for status, number in found.counts.items()]
    places = {item.workspace for item in found.items}
    text = _and(said)
    if len(places) == 1 and len(page.sources) > 1:
        return _("%(counts)s in %(name)s") % {"counts": text, "name": next(iter(places))}
    return text


def _and(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(parts)s and %(last)s") % {"parts": _(", ").join(parts[:-1]), "last": parts[-1]}


def nothing(page: Page) -> str:
    """In the place of the list of what is abnormal, when nothing is."""
    last = page.last_trouble
    if last is None or last.end is None:
        return _("Nothing. No trouble in the last 14 days.")
    return _("Nothing. The last trouble ended %(ago)s: %(name)s, down for %(lasting)s.") % {
        "ago": ago(last.end, page.now),
        "name": last.name,
        "lasting": lasting(last.down),
    }
