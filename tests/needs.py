"""What some tests need of the machine that no Python package brings.

`python -m tests.needs` is the last line of `make test`: what was not run, and how to run it.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dashboard import programs


@dataclass(frozen=True, slots=True)
class Need:
    name: str
    path: Path | None
    how: str  # "installing …", as people do it on Debian

    @property
    def there(self) -> bool:
        return self.path is not None

    def required(self) -> Path:
        """Where it is. What this machine lacks is skipped, unless all is required (REQUIRE_ALL)."""
        if self.path is not None:
            return self.path
        reason = f"{self.name} was not found; it comes by {self.how}"
        if os.environ.get("REQUIRE_ALL", "").strip() in ("", "0"):
            pytest.skip(reason)
        pytest.fail(f"REQUIRE_ALL is set, but {reason}", pytrace=False)


def _program(*names: str) -> Path | None:
    found = (shutil.which(name) for name in names)
    return next((Path(path) for path in found if path), None)


def _redis() -> Path | None:
    found = programs.redis_server()
    return Path(found) if found else None


def _postgresql() -> Path | None:
    """Debian keeps the server's programs off the PATH."""
    if (initdb := _program("initdb")) is not None:
        return initdb.parent
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return homes[-1].parent if homes else None


CHROMIUM = Need("Chromium", _program("chromium", "chromium-browser"), "installing `chromium`")
NGINX = Need("nginx", _program("nginx", "/usr/sbin/nginx"), "installing `nginx-light`")
POSTGRESQL = Need("PostgreSQL", _postgresql(), "installing `postgresql`")
REDIS = Need("Redis", _redis(), "installing `redis-server`")
SETPRIV = Need("setpriv", _program("setpriv"), "installing `util-linux`")


def main() -> None:
    lacking = [need.how for need in (CHROMIUM, NGINX, POSTGRESQL) if not need.there]
    sys.stdout.write(
        "Left out: faults, fuzzing, browser journeys, accessibility and PostgreSQL; "
        f"`make test-all` adds them{', after ' + ' and '.join(lacking) if lacking else ''}.\n"
    )


if __name__ == "__main__":
    main()
