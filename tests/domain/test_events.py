"""Events as they are shown: each once, bounded, without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain import events

AT = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    at: datetime = AT
    type: str | None = None
    status: str | None = None
    message: str | None = None


def test_the_same_twice_is_one() -> None:
    assert len(events.shown([Told(message="a"), Told(message="a"), Told(message="b")])) == 2


def test_only_the_newest_are_shown() -> None:
    told = [Told(AT + timedelta(seconds=n)) for n in range(1000)]
    shown = events.shown(told)
    assert len(shown) == events.MOST
    assert shown[0].at == told[-1].at


def test_what_looks_like_a_credential_is_masked_also_where_a_text_is_cut() -> None:
    secret = "dapi" + "0123456789abcdef" * 2
    for before in ("", "x" * (events.LONGEST - 10)):
        [event] = events.shown([Told(message=f"{before} {secret}", type=secret)])
        assert "0123456789" not in event.message + event.type


texts = st.none() | st.text(max_size=2000)


@given(st.lists(st.builds(Told, st.just(AT), texts, texts, texts), max_size=5))
def test_whatever_is_told_can_be_kept_and_is_one_line(told: list[Told]) -> None:
    for event in events.shown(told):
        for text in (event.type, event.status, event.message):
            assert len(text) <= events.LONGEST
            assert "\n" not in text
            assert "\0" not in text
            text.encode()
