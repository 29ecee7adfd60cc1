"""The counter by which browsers learn that something changed never skips and never claims."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from endpoints_app.models import Endpoint, Fleet, Workspace
from endpoints_app.services import history, live, readings, workspaces
from endpoints_app.services.live import Head, Since, Source
from tests.services.conftest import Desk, at_once

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def head(revision: int = 7, *, epoch: str = "aaaa", ages: tuple[float, ...] = (0, 0)) -> Head:
    sources = tuple(
        Source(pk, f"w{pk}", NOW - timedelta(seconds=age), "") for pk, age in enumerate(ages)
    )
    return Head(epoch, revision, sources, moving=False)


# The cursor ------------------------------------------------------------------------------------


def test_a_cursor_of_an_earlier_revision_allows_a_partial_answer() -> None:
    cursor = head(5).cursor(NOW)

    assert Since.read(cursor, head(7), NOW).revision == 5


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        ".",
        "..",
        "nonsense",
        "aaaa.x.y",
        "aaaa.٣.y",
        "aaaa.9999999999999999999999.y",
        "aaaa.-1.y",
        "aaaa.5",
        "aaaa.5.wrong",
        "\0",
    ],
)
def test_a_cursor_that_tells_us_nothing_asks_for_the_whole(cursor: str) -> None:
    assert Since.read(cursor, head(7), NOW).revision is None


def test_a_cursor_of_another_database_asks_for_the_whole() -> None:
    assert Since.read(head(5, epoch="bbbb").cursor(NOW), head(7), NOW).revision is None


def test_a_cursor_from_the_future_asks_for_the_whole() -> None:
    """A database that was restored without its epoch being renewed."""
    assert Since.read(head(8).cursor(NOW), head(7), NOW).revision is None


def test_when_a_source_turns_stale_the_whole_is_sent_although_nobody_wrote_anything() -> None:
    fresh = head(7, ages=(0, 40))
    later = NOW + timedelta(seconds=10)

    assert fresh.stale(NOW) == frozenset()
    assert fresh.stale(later) == {1}
    assert fresh.cursor(later) != fresh.cursor(NOW)
    assert Since.read(fresh.cursor(NOW), fresh, later).revision is None


def test_so_it_is_when_it_answers_again_or_when_a_source_comes_or_goes() -> None:
    stale = head(7, ages=(0, 60)).cursor(NOW)
    fresh = head(7, ages=(0, 0))

    assert Since.read(stale, fresh, NOW).revision is None
    assert Since.read(fresh.cursor(NOW), head(7, ages=(0, 0, 0)), NOW).revision is None
    assert Since.read(fresh.cursor(NOW), head(7, ages=(0,)), NOW).revision is None


def test_a_source_that_never_answered_is_stale() -> None:
    assert Head("a", 1, (Source(1, "w", None, ""),), moving=False).stale(NOW) == {1}


def test_the_limit_is_three_cycles() -> None:
    assert head(ages=(45,)).stale(NOW) == frozenset()
    assert head(ages=(45.1,)).stale(NOW) == {0}


# The copy --------------------------------------------------------------------------------------


@pytest.fixture
def memory(settings: object) -> None:
    """A cache that answers; the tests' own Redis is one where nobody listens."""
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }
    cache.clear()


def test_the_head_is_read_once_for_all_who_ask(db: None, memory: None) -> None:
    live.head()

    with CaptureQueriesContext(connection) as captured:
        live.head()

    assert len(captured) == 0


def test_without_a_cache_the_head_comes_from_the_database_each_time(db: None) -> None:
    workspaces.ensure(["lab"])

    with CaptureQueriesContext(connection) as captured:
        found = live.head()

    assert [source.name for source in found.sources] == ["lab"]
    assert len(captured) == 2, "a third for outages, once a workspace has answered"


@pytest.mark.parametrize("garbage", ["a text", 7, None, {"revision": 9}])
def test_what_is_no_head_is_not_taken_for_one(db: None, memory: None, garbage: object) -> None:
    cache.set(live.CACHE_KEY, garbage)

    assert isinstance(live.head(), Head)


def test_the_copy_is_forgotten_when_a_revision_is_committed(
    db: None, memory: None, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    before = live.head().revision

    with django_capture_on_commit_callbacks(execute=True), live.writing():
        live.next_revision()

    assert live.head().revision == before + 1


# The counter -----------------------------------------------------------------------------------


def test_a_revision_is_taken_inside_a_transaction_only(shared_database: None) -> None:
    with pytest.raises(RuntimeError):
        Fleet.next_revision()


def test_a_revision_that_is_rolled_back_is_taken_again(shared_database: None) -> None:
    before = live.read_head().revision

    def fail() -> None:
        with live.writing():
            live.next_revision()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with live.writing():
        taken = live.next_revision()

    assert taken == before + 1


def test_an_emptied_database_begins_again_under_another_name(db: None) -> None:
    before = live.read_head()
    Fleet.objects.all().delete()

    after = live.read_head()

    assert after.epoch != before.epoch
    assert uuid.UUID(str(Fleet.objects.get().epoch))
    with live.writing():
        assert live.next_revision() == 1


# The order of locks ----------------------------------------------------------------------------


WRITES = re.compile(r'(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM) "([a-z_]+)"')


def transactions(captured: CaptureQueriesContext) -> list[list[str]]:
    """The statements of each outermost transaction that writes more than one table."""
    blocks: list[list[str]] = []
    depth = 0
    for query in captured:
        sql = query["sql"]
        if sql.startswith(("SAVEPOINT", "BEGIN")):
            depth += 1
            if depth == 1:
                blocks.append([])
        elif sql.startswith(("RELEASE", "ROLLBACK", "COMMIT")):
            depth -= 1
        elif depth:
            blocks[-1].append(sql)
    return [b for b in blocks if len({m[1] for sql in b if (m := WRITES.match(sql))}) > 1]


def test_every_transaction_locks_the_fleet_before_all_else(
    desk: Desk, otto: User, mika: User, behind_our_back: Callable[..., None]
) -> None:
    """Two transactions that lock the same rows in another order may wait for each other."""
    with CaptureQueriesContext(connection) as captured:
        workspaces.ensure(["lab", "other"])
        workspaces.ensure(["lab"])
        stop = desk.ask("stop", "customer-ltv", otto)
        desk.look(stop)
        desk.look_until_settled(stop)
        desk.look_until_settled(desk.ask("delete", "basket-recommender", mika))
        behind_our_back("gpt-4o-proxy", replace=True)
        desk.emulator.fault("half_list", times=1)
        desk.lab.sync()
        desk.lab.sync(seconds=3600)
        desk.emulator.fault("status", status=500, times=4)
        desk.lab.sync()
        desk.lab.sync()
        history.prune(now=desk.clock.now + timedelta(days=1000))

    blocks = transactions(captured)
    assert len(blocks) > 10
    for block in blocks:
        assert '"endpoints_app_fleet"' in block[0], block[0][:200]


def test_a_row_written_later_is_never_visible_under_an_earlier_revision(
    shared_database: None,
) -> None:
    """Two writers: the one who began later waits, and takes the higher number."""
    workspaces.ensure(["lab"])
    lab = Workspace.objects.get()
    answer = {"state": {"ready": "READY", "config_update": "NOT_UPDATING"}}

    def write(name: str) -> list[int]:
        seen = []
        for number in range(5):
            document = readings.wire.Endpoint.parse(answer | {"name": f"{name}-{number}"})
            row = readings.first_sight(lab, document.name, readings.Answer(document, NOW))
            with live.writing():
                readings.save([], [row], [])
            seen.append(row.revision)
        return seen

    first, second = at_once(lambda: write("a"), lambda: write("b"))

    assert sorted(first + second) == list(range(min(first + second), max(first + second) + 1))
    assert Endpoint.objects.count() == 10
    with transaction.atomic():
        assert live.read_head().revision == max(first + second)


@pytest.mark.django_db
def test_no_write_waits_for_ever_for_one_that_is_lost() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            assert cursor.cursor.patience == 10
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (0,), "SQLite's own waiting keeps the connection locked"
            return
        for setting, seconds in [("lock", "10s"), ("idle_in_transaction_session", "30s")]:
            cursor.execute(f"SHOW {setting}_timeout")
            assert cursor.fetchone() == (seconds,)
