"""What is read is written down."""

from __future__ import annotations

import re
from pathlib import Path

from tests.dashboard.variables import read_variables

SETTINGS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_variable_that_is_read_is_in_the_settings_document() -> None:
    written = set(re.findall(r"`([^`]+)`", SETTINGS.read_text()))

    missing = {name for name in read_variables() if not {name, _short(name)} & written}

    assert not missing, f"docs/settings.md does not name {', '.join(sorted(missing))}"


def test_every_variable_that_the_settings_document_lists_is_read() -> None:
    rows = [line for line in SETTINGS.read_text().splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    read = read_variables()
    by_databricks = {name for name in listed if name.startswith(("DATABRICKS_", "ARM_"))}

    idle = listed - by_databricks - read - {_short(name) for name in read}

    assert listed
    assert not idle, f"docs/settings.md lists {', '.join(sorted(idle))}, which nothing reads"


def test_the_search_finds_each_way_of_reading() -> None:
    assert {
        "SECRET_KEY",  # by a reader of the settings
        "PORT",  # from the environment under another name, or itself
        "DJANGO_SUPERUSER_PASSWORD",
        "WORKSPACE_<NAME>_AZURE_CLIENT_SECRET",
        "WORKSPACE_<NAME>_BUDGET_POLICY_CALL",
    } <= read_variables()


def _short(name: str) -> str:
    """How the further variables of a row are written: `…_CLIENT_SECRET`."""
    return name.replace("WORKSPACE_<NAME>", "…")
