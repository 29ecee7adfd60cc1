"""Lines of logs as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.logs import (
    LONGEST,
    Fold,
    Level,
    Line,
    Record,
    blocks,
    lines_of,
    read_line,
    time_of,
)


@pytest.mark.parametrize(
    ("text", "level", "time"),
    [
        ("2026-11-22T02:21:40.002Z INFO  gunicorn  up", Level.INFO, "2026-11-22T02:21:40.002Z"),
        ("[2026-11-22 02:33:58 +0000] [11] [ERROR] x", Level.ERROR, "2026-11-22 02:33:58 +0000"),
        ("[5cb7p] 2026/11/22 02:33:58 WARNING x", Level.WARN, "2026/11/22 02:33:58"),
        ("ERROR: Could not find a version", Level.ERROR, ""),
        ("error: subprocess-exited-with-error", Level.ERROR, ""),
        ("E1122 02:30:06.100 1 x.go:1] y", Level.ERROR, "02:30:06.100"),
        ("2026-11-22 02:30:11.123: W tensorflow/core x", Level.WARN, "2026-11-22 02:30:11.123"),
        ("time=02:30:11 level=debug msg=x", Level.DEBUG, "02:30:11"),
        ("2026-11-22 02:30:11 [warning  ] retry", Level.WARN, "2026-11-22 02:30:11"),
        ("CRITICAL out of memory", Level.ERROR, ""),
        ("INFO Retrying after ERROR", Level.INFO, ""),
        ("Collecting torch==2.7.1", None, ""),
        ("copying /model/INFO/x", None, ""),
        ("no ERRORS here", None, ""),
        ("x" * 200 + " ERROR", None, ""),
    ],
)
def test_levels_and_times_are_recognised(text: str, level: Level | None, time: str) -> None:
    line = read_line(text, 1)
    assert line.level is level
    assert (line.text[slice(*line.time)] if line.time else "") == time
    assert time_of(text) == time


TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/model/code/ranker/weights.py", line 88, in from_shards',
    "    state[name] = tensor.to(device)",
    "torch.OutOfMemoryError: CUDA out of memory.",
]


def test_a_traceback_folds_with_the_line_that_names_the_exception() -> None:
    before, fold, after = blocks(["INFO a", *TRACEBACK, "INFO b"], 10)
    assert isinstance(fold, Fold)
    assert fold.head.number == 11
    assert fold.last is not None
    assert fold.last.text.startswith("torch.OutOfMemoryError")
    assert {line.level for line in fold.lines} == {Level.ERROR}
    assert isinstance(before, Line)
    assert isinstance(after, Line)
    assert after.number == 15


def test_a_traceback_without_its_end_swallows_nothing() -> None:
    fold, after = blocks([*TRACEBACK[:-1], "2026-11-22T02:30:06Z INFO going on"], 1)
    assert isinstance(fold, Fold)
    assert fold.last is None
    assert isinstance(after, Line)


def test_chained_tracebacks_are_two() -> None:
    between = "During handling of the above exception, another exception occurred:"
    found = blocks([*TRACEBACK, "", between, "", *TRACEBACK], 1)
    assert [type(block) for block in found] == [Fold, Line, Line, Line, Fold]


def test_a_replica_before_every_line_does_not_hide_a_traceback() -> None:
    (fold,) = blocks([f"[5cb7p] {line}" for line in TRACEBACK], 1)
    assert isinstance(fold, Fold)
    assert len(fold.lines) == 3


def test_what_is_indented_under_an_error_belongs_to_it() -> None:
    _, line = blocks(["ERROR failed", "   because of this"], 1)
    assert isinstance(line, Line)
    assert line.level is Level.ERROR


def test_a_json_line_says_first_what_matters() -> None:
    text = '{"ts": "02:30:06", "level": "warning", "logger": "a.b", "msg": "slow", "n": {"x": 1}}'
    (record,) = blocks([text], 1)
    assert isinstance(record, Record)
    assert (record.time, record.level, record.logger) == ("02:30:06", "WARNING", "a.b")
    assert (record.message, record.line.level) == ("slow", Level.WARN)
    assert record.fields == [("n", '{"x": 1}')]


@pytest.mark.parametrize("text", ["{}", '{"a": 1}', '{"msg": ', "{'msg': 1}", '{"msg": ["x"]}'])
def test_what_is_not_such_a_line_stays_a_line(text: str) -> None:
    (line,) = blocks([text], 1)
    assert isinstance(line, Line)


def test_colours_come_as_pieces_and_everything_else_of_a_terminal_goes() -> None:
    line = read_line(
        "\x1b]0;title\x07\x1b[1;31mERROR\x1b[0m plain \x1b[38;5;46mok\x1b[0m\x1b[2K", 1
    )
    assert line.text == "ERROR plain ok"
    assert line.level is Level.ERROR
    assert [(p.text, p.colour, p.bold) for p in line.pieces] == [
        ("ERROR", 1, True),
        (" plain ", None, False),
        ("ok", 2, False),
    ]


def test_of_a_progress_bar_the_last_state_is_shown() -> None:
    assert read_line("10%\r50%\r100%\r", 1).text == "100%"


def test_the_same_line_has_the_same_mark_and_another_has_another() -> None:
    assert read_line("a", 1).mark == read_line("a", 9).mark != read_line("b", 1).mark


def test_lines_end_with_newlines_only() -> None:
    assert lines_of("a\r\nb\u2028c\n\nd") == ["a", "b\u2028c", "", "d"]
    assert lines_of("") == []


def test_an_endless_line_is_cut_for_the_eye() -> None:
    assert len(read_line("x" * 10**6, 1).text) < LONGEST + 10


anything = st.text(st.characters(exclude_characters="\n"), max_size=40) | st.sampled_from(
    [*TRACEBACK, "", "  x", '{"msg": "x"}', "\x1b[31", "\x1b[31mx", "\x1b]8;;", "[5cb7p] "]
)


@given(st.lists(anything, max_size=20), st.integers(1, 10**6))
def test_every_line_comes_once_with_its_number(lines: list[str], first: int) -> None:
    numbers = []
    for block in blocks(lines, first):
        match block:
            case Fold(head, inner):
                numbers += [head.number, *(line.number for line in inner)]
            case Record(line):
                numbers.append(line.number)
            case Line(number):
                numbers.append(number)
    assert numbers == list(range(first, first + len(lines)))
    assert not any(ch in block_text(b) for b in blocks(lines, 1) for ch in "\x00\x1b\x7f\x07")


def block_text(block: object) -> str:
    match block:
        case Fold(head, inner):
            return head.text + "".join(line.text for line in inner)
        case Record(line):
            return line.text
        case Line():
            return block.text
    raise AssertionError(block)
