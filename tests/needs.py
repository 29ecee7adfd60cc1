"""What some tests need of the machine that no Python package brings."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Need:
    name: str
    path: Path | None
    how: str  # "installing …", as people do it on Debian

    @property
    def there(self) -> bool:
        return self.path is not None


def _program(*names: str) -> Path | None:
    found = (shutil.which(name) for name in names)
    return next((Path(path) for path in found if path), None)


def _postgresql() -> Path | None:
    """Debian keeps the server's programs off the PATH."""
    if (initdb := _program("initdb")) is not None:
        return initdb.parent
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return homes[-1].parent if homes else None


CHROMIUM = Need("Chromium", _program("chromium", "chromium-browser"), "installing `chromium`")
POSTGRESQL = Need("PostgreSQL", _postgresql(), "installing `postgresql`")
