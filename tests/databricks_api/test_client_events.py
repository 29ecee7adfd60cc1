"""Events, which are in no reference: read as they are used by Databricks' own packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from endpoints_app.databricks_api.errors import Nonsense
from endpoints_app.databricks_api.wire_events import Event

AT = 1_779_139_587_000


def messages(*events: Any) -> list[str | None]:
    return [event.message for event in Event.parse_all({"events": list(events)})]


def test_the_newest_comes_first_however_they_are_sent() -> None:
    told = [{"timestamp": AT + n, "message": str(n)} for n in (1000, 3000, 2000)]
    assert messages(*told) == ["3000", "2000", "1000"]


@pytest.mark.parametrize("answer", [{}, {"events": None}, {"events": []}, {"other": 1}])
def test_none_are_none(answer: Mapping[str, Any]) -> None:
    assert Event.parse_all(answer) == ()


@pytest.mark.parametrize("events", [5, "x", {"a": 1}, True])
def test_what_is_no_list_is_nonsense(events: Any) -> None:
    with pytest.raises(Nonsense):
        Event.parse_all({"events": events})


@pytest.mark.parametrize("timestamp", [None, "x", -1, 0, 1e300, True, [], AT // 1000])
def test_an_event_without_a_time_has_no_place(timestamp: Any) -> None:
    assert messages({"timestamp": timestamp, "message": "lost"}, {"timestamp": AT}) == [None]


def test_what_is_of_another_type_is_left_out() -> None:
    [event] = Event.parse_all(
        {"events": [7, None, {"timestamp": str(AT), "event_type": ["x"], "status": 5}]}
    )
    assert (event.type, event.status, event.message) == (None, "5", None)
