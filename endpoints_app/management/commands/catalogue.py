"""Catalogues of translations without the gettext tools: Babel reads code and templates alike."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation.template import templatize

KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
SOURCES = ("endpoints_app", "dashboard", "templates")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z%]", re.ASCII | re.IGNORECASE)


class Command(BaseCommand):
    help = "update: take new strings over. check: every string is there and translated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=["update", "check"])

    def handle(self, *, task: str, **options: Any) -> None:
        template = _extract()
        problems = []
        for code, _name in settings.LANGUAGES:
            if code == settings.LANGUAGE_CODE:
                continue
            path = settings.BASE_DIR / "locale" / code / "LC_MESSAGES" / "django.po"
            if task == "update":
                _update(path, code, template)
            problems += [f"{code}: {problem}" for problem in _problems(path, code, template)]
        if problems and task == "check":
            raise CommandError("\n".join(problems) + "\nSee `make messages`.")
        self.stdout.write("\n".join(problems) or "Every string is translated.")


def _extract() -> Catalog:
    catalog = Catalog(project="Serving Desk", charset="utf-8")
    for path, text in _texts():
        method = "python"
        if path.suffix == ".html":
            # Django's own reduction of a template to calls of gettext, without its layout: as
            # Python source its indentation would not hold.
            text = "\n".join(line.strip() for line in templatize(text).splitlines())
        found = extract(
            method, io.BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=["Translators:"]
        )
        for _line, message, comments, context in found:
            catalog.add(
                message,
                locations=[(str(path.relative_to(settings.BASE_DIR)), 0)],
                auto_comments=comments,
                context=context,
            )
    return catalog


def _texts() -> Iterator[tuple[Path, str]]:
    for folder in SOURCES:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            inside = path.relative_to(settings.BASE_DIR)
            if path.suffix in (".py", ".html") and "emulator" not in inside.parts:
                yield path, path.read_text()


def _read(path: Path, code: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=code, project="Serving Desk", charset="utf-8")
    with path.open("rb") as file:
        return pofile.read_po(file, locale=code)


def _update(path: Path, code: str, template: Catalog) -> None:
    catalog = _read(path, code)
    # Only strings make a difference between two versions of the file, not when it was made.
    template.creation_date = catalog.creation_date
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = "# What Serving Desk says. Made by `make messages`."
    catalog.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        pofile.write_po(
            file, catalog, width=100, sort_output=True, omit_header=False, include_lineno=False
        )


def _problems(path: Path, code: str, template: Catalog) -> Iterator[str]:
    catalog = _read(path, code)
    for wanted in template:
        if not wanted.id:
            continue
        found = catalog.get(_key(wanted), wanted.context)
        if found is None or not found.string or not all(_strings(found)):
            yield f"not translated: {_key(wanted)!r}"
        elif found.fuzzy:
            yield f"fuzzy: {_key(wanted)!r}"
        else:
            for string in _strings(found):
                # A language with one form for all numbers follows the plural.
                message = Message(_last_key(found), string, flags=found.flags)
                for error in message.check(catalog):
                    yield f"{error}: {_key(wanted)!r}"
                # Babel overlooks "%(at)に", at which Django falls back to English.
                if _placeholders(string) != _placeholders(_last_key(found)):
                    yield f"other placeholders: {_key(wanted)!r}"
    for message in catalog:
        if message.id and template.get(_key(message), message.context) is None:
            yield f"no longer used: {_key(message)!r}"


def _placeholders(string: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(string))


def _key(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (tuple, list)) else message.id


def _last_key(message: Message) -> str:
    return message.id[-1] if isinstance(message.id, (tuple, list)) else message.id


def _strings(message: Message) -> list[str]:
    string = message.string
    return list(string) if isinstance(string, (tuple, list)) else [string or ""]
