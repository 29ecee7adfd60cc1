"""Lines of a log as a person reads them: levels, times, colours, tracebacks, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final
from zlib import crc32

from rich.ansi import AnsiDecoder
from rich.color import ColorSystem
from rich.style import Style


class Log(StrEnum):
    """Databricks keeps two for each served entity."""

    BUILD = "build"
    SERVER = "server"


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "err"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one colour: `colour` is one of the 16 of a terminal."""

    text: str
    colour: int | None = None
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`time` and `word`, the level as it is written, are where in `text` they stand. `mark` tells
    this line from others of the same number, in a log that has moved on."""

    number: int
    text: str
    mark: str
    level: Level | None = None
    time: tuple[int, int] | None = None
    word: tuple[int, int] | None = None
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that belong together and are shown as one until opened: a traceback ends with the line
    that names the exception, if it has come."""

    head: Line
    lines: Sequence[Line]

    @property
    def last(self) -> Line | None:
        named = [line for line in self.lines[-1:] if not _indented(line.text)]
        return named[0] if named else None


@dataclass(frozen=True, slots=True)
class Record:
    """A line that is a JSON object: what it says first, then its other fields."""

    line: Line
    time: str
    level: str
    logger: str
    message: str
    fields: Sequence[tuple[str, str]]


Block = Line | Fold | Record

LONGEST: Final = 20_000
"""Characters of a line that are shown; the download has all."""

_TIME: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:[ ]?(?:Z|UTC|[+-]\d\d:?\d\d))?"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\d:])"
)
_LEVELS: Final = {
    "TRACE": Level.DEBUG,
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARN,
    "WARNING": Level.WARN,
    "ERR": Level.ERROR,
    "ERROR": Level.ERROR,
    "CRITICAL": Level.ERROR,
    "FATAL": Level.ERROR,
    "SEVERE": Level.ERROR,
    "PANIC": Level.ERROR,
    "I": Level.INFO,
    "W": Level.WARN,
    "E": Level.ERROR,
    "F": Level.ERROR,
}
_WORDS: Final = "TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRITICAL|FATAL|SEVERE|PANIC"
_LEVEL: Final = re.compile(
    rf"(?<![\w/.\-])(?P<upper>{_WORDS})(?![\w/\-])"
    rf"|(?i:\blevel=[\"']?(?P<field>{_WORDS})\b|\[(?P<boxed>{_WORDS})\s*\]|^(?P<first>{_WORDS}):)"
    r"|^(?P<klog>[IWEF])(?=\d{4} \d\d:\d\d)"
    r"|(?<=: )(?P<native>[IWEF])(?= \w+/)"
)
_EARLY: Final = 160
"""A level stands near the beginning; further on the word is only a word."""

_TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\):\s*$")
_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]*(?::(?:\s|$)|$)")
_FRAME: Final = re.compile(r'\s+File ".+", line \d+')
# Servers put the replica that wrote a line before it: "[5cb7p] ".
_REPLICA: Final = re.compile(r"\[[a-z0-9]{4,10}\] ")

_ESCAPES: Final = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles and links
    r"|\x1b\[[0-9;?]*[A-Za-ln-z]"  # everything but colours
    r"|\x1b[^\[\]]"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def lines_of(text: str) -> list[str]:
    """Lines end with a newline only; the last one needs none."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def mark_of(line: str) -> str:
    return f"{crc32(line.encode('utf-8', 'replace')):08x}"


def read_line(raw: str, number: int) -> Line:
    shown = raw if len(raw) <= LONGEST else raw[:LONGEST] + " …"
    pieces: Sequence[Piece] = ()
    if "\x1b" in shown:
        pieces = _coloured(shown)
        shown = "".join(piece.text for piece in pieces)
        if not any(piece.bold or piece.colour is not None for piece in pieces):
            pieces = ()
    elif not shown.isprintable():
        shown = _plain(shown)
    early = shown[:_EARLY]
    time = _TIME.search(early[:80])
    level = _LEVEL.search(early)
    return Line(
        number,
        shown,
        mark_of(raw),
        level=_LEVELS[level[level.lastgroup or 0].upper()] if level else None,
        time=time.span() if time else None,
        word=level.span(level.lastgroup or 0) if level else None,
        pieces=pieces,
    )


def blocks(raw: Sequence[str], first: int) -> list[Block]:
    """The lines, numbered from `first`, with tracebacks folded and JSON taken apart."""
    found: list[Block] = []
    level: Level | None = None
    at = 0
    while at < len(raw):
        line = read_line(raw[at], first + at)
        if _TRACEBACK.search(line.text):
            end = _end_of_traceback(raw, at + 1)
            inner = [_as_error(read_line(raw[i], first + i)) for i in range(at + 1, end)]
            found.append(Fold(_as_error(line), inner) if inner else _as_error(line))
            at, level = end, Level.ERROR
            continue
        at += 1
        if record := _record(line):
            found.append(record)
            level = record.line.level
            continue
        if _FRAME.match(line.text):
            line = _as_error(line)
        elif line.level is None and _indented(line.text):
            line = _with_level(line, level)
        else:
            level = line.level
        found.append(line)
    return found


def time_of(raw: str) -> str:
    """The time a line carries, as it is written there, or nothing."""
    found = _TIME.search(raw[:80])
    return found[0] if found else ""


# Tracebacks ------------------------------------------------------------------------------------


def _end_of_traceback(raw: Sequence[str], at: int) -> int:
    """Behind its frames and the line that names the exception."""
    while at < len(raw) and _indented(raw[at]):
        at += 1
    if at < len(raw) and _EXCEPTION.match(_bare(raw[at])) and not _LEVEL.match(_bare(raw[at])):
        at += 1
    return at


def _indented(text: str) -> bool:
    return _bare(text)[:1] in (" ", "\t")


def _bare(text: str) -> str:
    found = _REPLICA.match(text)
    return text[found.end() :] if found else text


def _as_error(line: Line) -> Line:
    return _with_level(line, Level.ERROR)


def _with_level(line: Line, level: Level | None) -> Line:
    return Line(line.number, line.text, line.mark, level, line.time, line.word, line.pieces)


# JSON ------------------------------------------------------------------------------------------

_TIMES: Final = ("timestamp", "time", "ts", "@timestamp", "asctime", "datetime")
_LEVEL_KEYS: Final = ("level", "levelname", "severity", "log_level", "loglevel")
_LOGGERS: Final = ("logger", "name", "logger_name", "module")
_MESSAGES: Final = ("message", "msg", "event", "text")


def _record(line: Line) -> Record | None:
    """None for what is no JSON object or says nothing that we know."""
    text = _bare(line.text).strip()
    if not (text.startswith("{") and text.endswith("}")) or line.pieces:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rest: dict[str, Any] = dict(document)

    def take(names: Sequence[str]) -> str:
        found = next((n for n in names if isinstance(rest.get(n), str | int | float)), "")
        return str(rest.pop(found)) if found else ""

    message = take(_MESSAGES)
    if not message:
        return None
    time, word, logger = take(_TIMES), take(_LEVEL_KEYS), take(_LOGGERS)
    level = _LEVELS.get(word.upper())
    fields = [(key, _value(value)) for key, value in rest.items()]
    return Record(_with_level(line, level), time, word.upper(), logger, message, fields)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# Colours ---------------------------------------------------------------------------------------


def _coloured(text: str) -> list[Piece]:
    decoded = AnsiDecoder().decode_line(_plain(text))
    edges = sorted({0, len(decoded.plain), *(e for s in decoded.spans for e in (s.start, s.end))})
    pieces = []
    for start, end in pairwise(edges):
        over = [s.style for s in decoded.spans if s.start <= start and end <= s.end]
        style = Style.combine([Style.null(), *(s for s in over if isinstance(s, Style))])
        text = _CONTROLS.sub("", decoded.plain[start:end])
        pieces.append(Piece(text, _colour(style), bool(style.bold)))
    return pieces


def _colour(style: Style) -> int | None:
    if style.color is None or style.color.is_default:
        return None
    return style.color.downgrade(ColorSystem.STANDARD).number


def _plain(text: str) -> str:
    """Without what moves a cursor; of a line written over and over, what it said last."""
    text = _ESCAPES.sub("", text).rstrip("\r")
    text = text.rpartition("\r")[2]
    return text if "\x1b" in text else _CONTROLS.sub("", text)
