"""A log read again and again: no line twice, none lost without a word."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.logtail import ENDING, KEPT, Place, unseen

LINES = [f"2026-11-22T02:30:{i:02}Z INFO serving.gunicorn line {i}" for i in range(60)]


def test_the_first_look_shows_everything() -> None:
    found = unseen(Place(), LINES[:3])
    assert (list(found.lines), found.first, found.gap) == (LINES[:3], 1, False)


def test_an_unchanged_log_has_nothing_new() -> None:
    found = unseen(Place.after(LINES), LINES)
    assert not found.lines
    assert not found.gap
    assert found.place == Place.after(LINES)


def test_only_what_was_added_is_new_and_numbers_go_on() -> None:
    found = unseen(Place.after(LINES[:40]), LINES[:43])
    assert (list(found.lines), found.first) == (LINES[40:43], 41)
    assert found.place.number == 43


def test_a_window_that_moved_on_is_followed() -> None:
    found = unseen(Place.after(LINES[:40]), LINES[20:50])
    assert (list(found.lines), found.first) == (LINES[40:50], 41)


def test_windows_without_a_common_line_are_a_gap() -> None:
    found = unseen(Place.after(LINES[:20]), LINES[30:35])
    assert (found.gap, list(found.lines), found.first) == (True, LINES[30:35], 21)


def test_a_log_that_begins_anew_is_a_gap() -> None:
    found = unseen(Place.after(LINES[20:40]), LINES[:2])
    assert (found.gap, list(found.lines)) == (True, LINES[:2])


def test_a_log_that_is_empty_for_a_moment_loses_nobody_their_place() -> None:
    place = Place.after(LINES[:20])
    assert unseen(place, []).place == place
    assert list(unseen(unseen(place, []).place, LINES[:21]).lines) == LINES[20:21]


def test_repeated_lines_in_a_growing_log_are_counted_right() -> None:
    found = unseen(Place.after(["tick"] * 5), ["tick"] * 8)
    assert len(found.lines) == 3


def test_a_line_still_being_written_is_replaced_when_it_is_whole() -> None:
    found = unseen(Place.after([*LINES[:5], "Loading sha"]), [*LINES[:5], "Loading shard 1", "ok"])
    assert found.grown
    assert (list(found.lines), found.first) == (["Loading shard 1", "ok"], 6)


def test_a_first_line_cut_in_its_middle_is_known_again() -> None:
    window = [LINES[30][-ENDING:], *LINES[31:45]]
    found = unseen(Place.after(LINES[:40]), window)
    assert (found.gap, list(found.lines)) == (False, LINES[40:45])


def test_another_line_in_front_of_a_common_one_is_no_overlap() -> None:
    shown, window = ["a", "same words in every line"], ["b", "same words in every line", "c"]
    assert unseen(Place.after(shown), window).gap


def test_a_place_survives_as_text() -> None:
    for window in ([], LINES[:1], LINES, LINES * 99, ["", "ü" * 1000, "🙂"]):
        place = Place.after(window, number=99)
        assert Place.read(str(place)) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.2", "x.1.", "1.1.0-0-0", "1.1.~0", f"1.1.~{'0' * 168}"),
        f"1.1.{'.'.join(['1-00000000-00000000'] * 13)}",
    ],
)
def test_what_is_not_a_place_is_refused(text: str) -> None:
    assert Place.read(text) is None


def test_a_cursor_fits_into_an_address() -> None:
    assert len(str(Place.after(["x" * 10**4] * 50_000, number=10**9))) < 600


def test_lines_that_repeat_at_the_end_of_a_window_that_moved_on_are_not_taken_for_old_ones() -> (
    None
):
    """A beating heart for a while: the last lines alone fit everywhere."""
    stream = [f"line {i}" for i in range(3000)]
    stream[980:1040] = ["tick"] * 60
    found = unseen(Place.after(stream[:1000]), stream[20:1020])
    assert (list(found.lines), found.first, found.gap) == (stream[1000:1020], 1001, False)


def test_a_window_that_begins_earlier_repeats_nothing() -> None:
    found = unseen(Place.after(LINES[20:40]), LINES[5:43])
    assert (list(found.lines), found.gap) == (LINES[40:43], False)


def test_a_window_that_ends_earlier_repeats_nothing_and_moves_nobody() -> None:
    place = Place.after(LINES[:40])
    for end in (39, 36, 34):
        found = unseen(place, LINES[:end])
        assert (list(found.lines), found.gap, found.place) == ([], False, place)
    assert unseen(place, LINES[:20]).gap, "too far back to be sure"


def test_few_lines_in_common_do_not_hide_a_log_that_began_anew() -> None:
    boot = ["loading", "ready"]
    found = unseen(Place.after(boot), ["migrating", *boot, "GET /"])
    assert (found.gap, len(found.lines)) == (True, 4)
    assert unseen(Place.after(["tick"] * 20 + ["boot"]), ["tick"] * 20).gap


def test_a_long_log_of_equal_lines_is_compared_in_a_moment() -> None:
    lines = [*["tick"] * 20_000, "tock"]
    began = time.monotonic()
    assert unseen(Place.after(lines), ["tick"] * 30_000).gap
    assert time.monotonic() - began < 5


# Any two windows of one stream -----------------------------------------------------------------

few_words = st.sampled_from(["", "tick", "tock", "GET /health 200", "a rather long line, repeated"])


@st.composite
def two_windows(draw: Any, *, unique: bool) -> tuple[list[str], int, int, int, int]:
    length = draw(st.integers(1, 40))
    if unique:
        stream = [f"{i:04} {'x' * draw(st.integers(0, 40))}" for i in range(length)]
    else:
        stream = draw(st.lists(few_words, min_size=length, max_size=length))
    b, d = sorted(draw(st.tuples(st.integers(0, length), st.integers(0, length))))
    a = draw(st.integers(0, b))
    c = draw(st.integers(a, d))
    return stream, a, b, c, d


@given(two_windows(unique=True))
def test_with_lines_that_differ_the_answer_is_exact(windows: Any) -> None:
    stream, a, b, c, d = windows
    found = unseen(Place.after(stream[a:b]), stream[c:d])
    if a == b or c < b or c == d:
        assert list(found.lines) == stream[max(b, c) : d] or a == b
        assert not found.gap
    else:
        assert found.gap
        assert list(found.lines) == stream[c:d]


@given(two_windows(unique=False))
def test_with_repeated_lines_what_is_shown_always_ends_with_what_came(windows: Any) -> None:
    stream, a, b, c, d = windows
    shown, fetched = stream[a:b], stream[c:d]
    found = unseen(Place.after(shown), fetched)
    if fetched and not found.grown:
        known = min(KEPT, len(shown)) + len(found.lines)
        together = [*shown, *found.lines]
        assert together[-min(known, len(fetched)) :] == fetched[-known:]
    if found.gap:
        assert list(found.lines) == fetched
    elif not found.grown:
        assert len(found.lines) <= max(0, d - b) or not shown


@given(st.data())
def test_a_run_of_equal_lines_hides_none_where_the_windows_tell_it_apart(data: Any) -> None:
    """Anywhere in the stream, also at either end of either window, while less than two thirds of
    what the windows have in common are in it."""
    size = data.draw(st.integers(20, 300))
    moved = data.draw(st.integers(0, size - 20))
    common = size - moved
    run = data.draw(st.integers(0, max(0, int((common - 2) / 1.5) - 1)))
    at = data.draw(st.integers(0, size + moved - run))
    stream = [f"{i:05}" for i in range(size + moved)]
    stream[at : at + run] = ["tick"] * run
    found = unseen(Place.after(stream[:size]), stream[moved:])
    assert not found.gap
    assert list(found.lines) == stream[size:]


@given(two_windows(unique=True), st.integers(0, 40))
def test_windows_that_begin_earlier_repeat_nothing(windows: Any, earlier: int) -> None:
    stream, a, b, c, d = windows
    c = max(0, min(c, a) - earlier)
    found = unseen(Place.after(stream[a:b]), stream[c:d])
    if b - a >= KEPT:
        assert (list(found.lines), found.gap) == (stream[b:d], False)


@given(two_windows(unique=False))
def test_a_growing_log_is_exact_however_it_repeats(windows: Any) -> None:
    stream, _, b, _, d = windows
    found = unseen(Place.after(stream[:b]), stream[:d])
    assert list(found.lines)[int(found.grown) :] == stream[b:d]
    assert not found.gap


@given(two_windows(unique=True), st.integers(0, 60), st.integers(0, 60))
def test_cut_lines_neither_repeat_nor_hide_anything(windows: Any, front: int, back: int) -> None:
    """The first line of what came lost its beginning, the last one shown was not yet whole."""
    stream, a, b, c, d = windows
    shown, fetched = stream[a:b], stream[c:d]
    if shown:
        shown[-1] = shown[-1][: len(shown[-1]) - back % len(shown[-1])]
    if fetched and c > 0:
        fetched[0] = fetched[0][front % len(fetched[0]) :]
    found = unseen(Place.after(shown), fetched)
    if found.gap:
        assert list(found.lines) == fetched
    elif shown and fetched:
        whole = [*shown[: len(shown) - found.grown], *found.lines]
        assert whole[1:] == stream[a + 1 : d] or c >= b - 1


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.integers(1, 30))
def test_a_reader_who_keeps_up_reads_the_stream(steps: list[int], size: int) -> None:
    """A window of `size` lines that slides by less each time gives the whole stream, once."""
    stream = [f"{i:04} line of a rotating log" for i in range(sum(steps) + size)]
    place, read, end = Place(), [], size
    for step in [0, *steps]:
        end += min(step, size - 1) if size > 1 else 0
        found = unseen(place, stream[end - size : end])
        assert not found.gap
        read += found.lines
        place = found.place
    assert read == stream[: len(read)]
    assert place.number == len(read)
