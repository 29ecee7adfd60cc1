"""The status page as files, for a file server to show while everything else is down.

Each page stands alone: style and script are within it, its links are relative, and it says until
when it may be believed. Without its script, or past that time, nothing on it is green.
"""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings

from endpoints_app.domain.status_page import Page
from endpoints_app.domain.status_views import is_slug
from endpoints_app.services import status_document, status_page, status_render
from endpoints_app.services.status_page import Payload
from endpoints_app.services.status_render import Addresses

log = logging.getLogger(__name__)

LANGUAGES = {"en": "index.html", "ja": "index.ja.html"}
DOCUMENT = "status.json"
FILES = {*LANGUAGES.values(), DOCUMENT}
SHARE = 9
"""Of a fleet so large that writing takes long, at most a tenth of the time goes into it."""

_rests_until = 0.0


def write(*, now: datetime) -> bool:
    """One cycle: the fleet's page and each view's; returns whether it wrote. A folder that cannot
    be written is a line in the log: the age of what is in it tells readers the rest."""
    global _rests_until
    if not settings.STATUS_SNAPSHOT_DIR or time.monotonic() < _rests_until:
        return False
    folder = Path(settings.STATUS_SNAPSHOT_DIR)
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder) as alone:
            if alone:
                _write_all(folder, status_page.read_public(), now)
    except OSError as e:
        log.error("The snapshot of the status page was not written to %s: %s", folder, e)
        alone = False
    _rests_until = time.monotonic() + SHARE * (time.monotonic() - started)
    return alone


def forget() -> None:
    global _rests_until
    _rests_until = 0.0


def _write_all(folder: Path, payload: Payload, now: datetime) -> None:
    written = set()
    for slug in ("", *payload.facts.views):
        page = status_page.build(payload, slug, now)
        if page is not None and (not slug or is_slug(slug)):
            _write_page(folder / slug, page)
            written.add(slug)
    for former in folder.iterdir():
        if former.is_dir() and is_slug(former.name) and former.name not in written:
            _remove(former)


def _write_page(folder: Path, page: Page) -> None:
    folder.mkdir(exist_ok=True)
    for language, name in LANGUAGES.items():
        other = next(file for code, file in LANGUAGES.items() if code != language)
        addresses = Addresses(root=name, json=DOCUMENT, other_language=other, pages=False)
        _put(folder / name, status_render.page(page, language, addresses, static=True))
    _put(folder / DOCUMENT, status_document.text(page))


def _put(path: Path, text: str) -> None:
    """Whoever reads meanwhile gets the old file or the new one, whole."""
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).chmod(0o644)  # the file server is another user
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _remove(folder: Path) -> None:
    """A view that is no longer there: its own files, and the folder if nothing else is in it."""
    for path in folder.iterdir():
        if path.name in FILES:
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """One writer at a time, so that an older page never replaces a newer one. The lock ends with
    its process."""
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
