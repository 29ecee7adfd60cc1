"""Changing permissions: all direct grants, each with the level that is chosen, and who is added.

The form carries the list that it was made of, so that every answer can be given from what was
sent, with nothing typed lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext as _

from endpoints_app.domain import permissions as rules
from endpoints_app.domain.permissions import (
    LEVELS,
    Access,
    Danger,
    Entry,
    Principal,
    PrincipalKind,
    Wanted,
)
from endpoints_app.models import Endpoint

REMOVE = "remove"
APPLICATION_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(slots=True)
class Line:
    """One direct grant: the level it has, and the one that is chosen; None removes it."""

    index: int
    entry: Entry
    was: str
    level: str | None

    @property
    def edited(self) -> bool:
        return self.level != self.was

    @property
    def choices(self) -> list[str]:
        return [*LEVELS] if self.was in LEVELS else [self.was, *LEVELS]


@dataclass(slots=True)
class NewLine:
    """Somebody to add."""

    kind: str = PrincipalKind.USER.value
    name: str = ""
    level: str = rules.CAN_QUERY
    error: str = ""

    @property
    def principal(self) -> Principal:
        return Principal(PrincipalKind(self.kind), self.name)


@dataclass(slots=True)
class EditForm:
    """`seen` is the list it was made of; `chosen` what differs from it."""

    uid: str
    seen: dict[Principal, str]
    chosen: dict[Principal, str | None] = field(default_factory=dict)
    new: list[NewLine] = field(default_factory=list)
    reason: str = ""
    query: str = ""
    confirmed: frozenset[Danger] = frozenset()

    @classmethod
    def of(cls, endpoint: Endpoint, access: Access) -> EditForm:
        return cls(endpoint.uid, access.direct)

    @classmethod
    def sent(cls, data: QueryDict) -> EditForm:
        """Raises BadRequest for what no form of ours sends."""
        try:
            seen = {
                Principal(PrincipalKind(kind), str(name)): str(level)
                for kind, name, level in json.loads(data.get("seen", ""))
            }
            form = cls(
                data.get("uid", ""),
                seen,
                reason=_text(data.get("reason", "")),
                query=data.get("q", "").strip()[:200],
                confirmed=frozenset(Danger(name) for name in data.getlist("confirm")),
            )
            for index, (who, was) in enumerate(seen.items()):
                level = data.get(f"level-{index}", was)
                if level not in (was, REMOVE, *LEVELS):
                    raise ValueError(level)
                if level != was:
                    form.chosen[who] = None if level == REMOVE else level
            for kind, name, level in zip(
                data.getlist("new-kind"),
                data.getlist("new-name"),
                data.getlist("new-level"),
                strict=True,
            ):
                if level not in LEVELS:
                    raise ValueError(level)
                form.new.append(NewLine(PrincipalKind(kind).value, name.strip(), level))
        except (ValueError, TypeError, RecursionError) as e:
            raise BadRequest("Not a form of permissions.") from e
        return form

    def is_valid(self) -> bool:
        """Says at each new line what is wrong with it; an empty one adds nobody."""
        listed = {(who.kind, who.name.casefold()) for who in self.seen}
        for line in self.new:
            who = (PrincipalKind(line.kind), line.name.casefold())
            line.error = _wrong(line, listed)
            if line.name:
                listed.add(who)
        return not any(line.error for line in self.new)

    @property
    def wanted(self) -> Wanted:
        return self.chosen | {line.principal: line.level for line in self.new if line.name}

    @property
    def seen_json(self) -> str:
        return json.dumps([[who.kind, who.name, level] for who, level in self.seen.items()])

    def lines(self, access: Access | None) -> list[Line]:
        """With what `access` tells of each principal besides its direct level."""
        known = {entry.principal: entry for entry in access.entries} if access else {}
        return [
            Line(index, known.get(who, Entry(who, (was,))), was, self.chosen.get(who, was))
            for index, (who, was) in enumerate(self.seen.items())
        ]

    @property
    def edited(self) -> list[Line]:
        return [line for line in self.lines(None) if line.edited]

    def moved_to(self, endpoint: Endpoint, access: Access) -> EditForm:
        """The same wishes on the list as it is now."""
        form = EditForm(endpoint.uid, access.direct, reason=self.reason, query=self.query)
        for who, level in self.wanted.items():
            if who in form.seen:
                form.chosen[who] = level
            elif level is not None:
                form.new.append(NewLine(who.kind.value, who.name, level))
        return form


def _text(typed: str) -> str:
    """Without what PostgreSQL cannot keep."""
    return typed.replace("\r\n", "\n").replace("\0", "").strip()[:500]


def _wrong(line: NewLine, listed: Collection[tuple[PrincipalKind, str]]) -> str:
    kind = PrincipalKind(line.kind)
    if not line.name:
        return ""
    if len(line.name) > 255 or not line.name.isprintable():
        return _("This cannot be a name.")
    if kind is PrincipalKind.SERVICE_PRINCIPAL and not APPLICATION_ID.fullmatch(line.name):
        return _("A service principal goes by its application ID, such as 2f6c3b0e-….")
    if kind is PrincipalKind.USER and "@" not in line.name:
        return _("A user goes by the mail address they sign in to Databricks with.")
    if (kind, line.name.casefold()) in listed:
        return _("Already in the list: choose the level there.")
    return ""
