"""Lines of a log as HTML: made by hand, because there are twenty thousand of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from endpoints_app.domain.logs import Block, Fold, Level, Line, Record

OPENS = '<svg class="i" aria-hidden="true"><use href="#right"/></svg>'
RUN = 100
"""So many blocks are one box, which the browser skips while it is out of sight."""


@dataclass
class Lines:
    """The lines of a window, drawn when the template asks. `found` counts what `find` matched in
    lines of one of the `levels`, or in all; `at` is the number of the current match; `marked` is
    the line that the address names."""

    blocks: Sequence[Block]
    find: str = ""
    at: int = 0
    marked: int | None = None
    levels: Collection[Level] = ()
    found: int = 0
    _pattern: re.Pattern[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.find:
            self._pattern = re.compile(re.escape(self.find), re.IGNORECASE)

    def draw(self) -> SafeString:
        self.found = 0
        runs = []
        for start in range(0, len(self.blocks), RUN):
            some = self.blocks[start : start + RUN]
            full = " full" if len(some) == RUN else ""
            html = "".join(self._block(block) for block in some)
            runs.append(f'<div class="run{full}">{html}</div>')
        return SafeString("".join(runs))

    def again(self, line: Line) -> SafeString:
        """In the place of the line that it was until now."""
        return SafeString(self._line(line).replace("<div ", '<div hx-swap-oob="true" ', 1))

    def _block(self, block: Block) -> str:
        match block:
            case Line():
                return self._line(block)
            case Fold():
                return self._fold(block)
            case Record():
                return self._record(block)

    def _line(self, line: Line, *, last: bool = False) -> str:
        html = self._text(line)
        return self._row(line, f"<b>{html}</b>" if last else html)

    def _row(self, line: Line, html: str, *, named: bool = True) -> str:
        n = line.number
        name = f' id="L{n}"' if named else ""
        return (
            f'<div class="{self._classes(line)}"{name}><a href="?line={n}-{line.mark}#L{n}">{n}</a>'
            f"<span>{html}</span></div>"
        )

    def _fold(self, fold: Fold) -> str:
        before, last = self.found, fold.last
        said = ngettext("%s line", "%s lines", len(fold.lines)) % len(fold.lines)
        head = f'{self._text(fold.head)} <span class="soft">{escape(said)}</span>'
        inner = "".join(self._line(line, last=line is last) for line in fold.lines)
        if last is not None:
            head += f" <b>{escape(last.text)}</b>"
        wanted = self.found > before or any(line.number == self.marked for line in fold.lines)
        return self._details(fold.head, head, inner, wanted=wanted)

    def _record(self, record: Record) -> str:
        if self._finds(record.line):
            return self._line(record.line)
        head = "".join(
            [
                f"<time>{escape(record.time)}</time> " if record.time else "",
                f"<b>{escape(record.level)}</b> " if record.level else "",
                f'<span class="soft">{escape(record.logger)}</span> ' if record.logger else "",
                escape(record.message),
            ]
        )
        if not record.fields:
            return self._row(record.line, head)
        facts = "\n".join(f"{escape(key)}: {escape(value)}" for key, value in record.fields)
        inner = self._row(record.line, facts, named=False)
        return self._details(record.line, head, inner, wanted=record.line.number == self.marked)

    def _details(self, line: Line, head: str, inner: str, *, wanted: bool) -> str:
        n, is_open = line.number, " open" if wanted else ""
        return (
            f'<details class="fold"{is_open}><summary class="{self._classes(line)}" id="L{n}">'
            f"<span>{n}</span><span>{OPENS} {head}</span></summary>{inner}</details>"
        )

    def _classes(self, line: Line) -> str:
        here = " here" if line.number == self.marked else ""
        return f"ln {line.level.value}{here}" if line.level else f"ln{here}"

    def _finds(self, line: Line) -> bool:
        if self._pattern is None or (self.levels and line.level not in self.levels):
            return False
        return self._pattern.search(line.text) is not None

    def _text(self, line: Line) -> str:
        if self._pattern and self._finds(line):
            return "".join(self._marked(line.text, self._pattern))
        if line.pieces:
            return "".join(
                f'<i class="{colour_classes(piece.colour, piece.bold)}">{escape(piece.text)}</i>'
                for piece in line.pieces
            )
        if line.time is None and line.word is None:
            return escape(line.text)
        return "".join(_parts(line))

    def _marked(self, text: str, pattern: re.Pattern[str]) -> Iterator[str]:
        end = 0
        for match in pattern.finditer(text):
            self.found += 1
            current = ' class="cur" id="match"' if self.found == self.at else ""
            yield f"{escape(text[end : match.start()])}<mark{current}>{escape(match[0])}</mark>"
            end = match.end()
        yield escape(text[end:])


def _parts(line: Line) -> Iterator[str]:
    """The text with its time and its level marked, in whichever order they stand."""
    spans = sorted((s, tag) for s, tag in ((line.time, "time"), (line.word, "b")) if s is not None)
    end = 0
    for (start, stop), tag in spans:
        if start < end:
            continue
        yield f"{escape(line.text[end:start])}<{tag}>{escape(line.text[start:stop])}</{tag}>"
        end = stop
    yield escape(line.text[end:])


def colour_classes(colour: int | None, bold: bool) -> str:
    named = f"c{colour}" if colour is not None else ""
    return f"{named} w" if bold and named else named or ("w" if bold else "")
