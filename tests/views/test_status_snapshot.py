"""The status page as files: whole, apart from everything, and never more than was known."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client

from endpoints_app.models import StatusView, StatusViewMember
from endpoints_app.services import status_snapshot
from tests.views.conftest import Fleet
from tests.views.pages import text
from tests.views.test_status_leaks import assert_clean
from tests.views.test_status_leaks import poisoned as poisoned


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.STATUS_SNAPSHOT_DIR = str(tmp_path / "status")
    status_snapshot.forget()
    yield tmp_path / "status"
    status_snapshot.forget()


def write(fleet: Fleet) -> bool:
    status_snapshot.forget()
    fleet.publish()
    return status_snapshot.write(now=fleet.clock.now)


def read(folder: Path, name: str = "index.html") -> BeautifulSoup:
    return BeautifulSoup((folder / name).read_text(), "html.parser")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def view(fleet: Fleet) -> StatusView:
    made = StatusView.objects.create(slug="risk", title="Risk")
    StatusViewMember.objects.create(
        view=made, workspace=fleet.workspace, name="fraud-scorer", alias="Fraud", position=0
    )
    return made


def test_it_is_off_unless_asked_for(fleet: Fleet, settings: Any, tmp_path: Path) -> None:
    settings.STATUS_SNAPSHOT_DIR = ""
    assert not write(fleet)


def test_the_page_is_there_in_both_languages_and_for_machines(fleet: Fleet, folder: Path) -> None:
    assert write(fleet)
    assert names(folder) == {"index.html", "index.ja.html", "status.json", ".lock"}
    page = read(folder)
    assert "2 of 14 endpoints cannot serve" in text(page, ".now h1")
    assert "fraud-scorer" in page.get_text()
    assert read(folder, "index.ja.html").html["lang"] == "ja"  # type: ignore[index]
    document = json.loads((folder / "status.json").read_text())
    assert document["verdict"] == "down"
    assert document["observed_at"] == fleet.clock.now.isoformat()


def test_it_says_until_when_it_may_be_believed(fleet: Fleet, folder: Path) -> None:
    write(fleet)
    assert "Valid until 2026-11-22 03:00:45 UTC" in read(folder).get_text()


def test_it_stands_alone_and_is_neutral_to_begin_with(fleet: Fleet, folder: Path) -> None:
    write(fleet)
    page = read(folder)
    assert page.html["class"] == ["still"]  # type: ignore[index]
    assert page.select("style")
    for tag in page.select("[href], [src], [action]"):
        for name in ("href", "src", "action"):
            address = str(tag.get(name, ""))
            assert address in {"", "index.html", "index.ja.html", "status.json"} or (
                address.startswith(("#", "data:image/svg+xml"))
            ), f"{name}={address}"
    assert not page.select("form, input, [hx-get]")


def test_each_view_has_its_own_and_shows_only_what_it_shows(
    fleet: Fleet, folder: Path, view: StatusView
) -> None:
    write(fleet)
    page = read(folder / "risk")
    assert "Fraud" in page.get_text()
    for name in ("fraud-scorer", "checkout-ranker", ">lab<"):
        assert name not in (folder / "risk" / "index.html").read_text()
    assert len(json.loads((folder / "risk" / "status.json").read_text())["endpoints"]) == 1


def test_a_removed_view_is_removed_and_what_is_not_ours_stays(
    fleet: Fleet, folder: Path, view: StatusView
) -> None:
    (folder / "elsewhere").mkdir(parents=True)
    (folder / "elsewhere" / "kept.txt").write_text("somebody's")
    write(fleet)
    view.delete()
    fleet.change("churn")
    fleet.forward(61)
    write(fleet)
    assert not (folder / "risk").exists()
    assert (folder / "elsewhere" / "kept.txt").exists()


def test_a_silent_source_is_written_as_unknown(fleet: Fleet, folder: Path) -> None:
    write(fleet)
    fleet.forward(600)
    write(fleet)
    assert json.loads((folder / "status.json").read_text())["verdict"] == "unknown"
    assert "Unknown" in text(read(folder), ".now h1")


def test_no_reader_meets_half_a_file(
    fleet: Fleet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(fleet)
    before = (folder / "index.html").read_text()

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    fleet.forward(10)
    monkeypatch.setattr(Path, "replace", full)
    assert not write(fleet)
    assert (folder / "index.html").read_text() == before
    assert names(folder) == {"index.html", "index.ja.html", "status.json", ".lock"}


def test_a_place_that_cannot_be_written_is_said_and_stops_nothing(
    fleet: Fleet, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    settings.STATUS_SNAPSHOT_DIR = str(tmp_path / "file" / "below")
    with caplog.at_level(logging.ERROR):
        assert not write(fleet)
    assert "was not written" in caplog.text


def test_of_two_writers_one_writes(fleet: Fleet, folder: Path) -> None:
    write(fleet)
    descriptor = os.open(folder / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert not write(fleet)
    os.close(descriptor)
    assert write(fleet)


def test_nothing_that_the_page_must_not_tell_is_in_a_file(
    poisoned: Fleet, folder: Path, otto: User, client: Client
) -> None:
    write(poisoned)
    for path in folder.rglob("*.*"):
        assert_clean(path.read_text(), str(path))
