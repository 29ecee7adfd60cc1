"""A table as a file: for spreadsheet programs, row by row, however long it is."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

from endpoints_app.domain.spreadsheet import cell


class _Echo:
    """What a writer writes comes back."""

    def write(self, line: str) -> str:
        return line


def of(rows: Iterable[Iterable[object]], name: str) -> StreamingHttpResponse:
    """`name` may have text from outside in it, and so may every cell."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{_plain(name)}.csv"'
    return response


def _lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # by which spreadsheet programs know UTF-8
    for row in rows:
        yield writer.writerow([cell(it) if isinstance(it, str) else it for it in row])


def _plain(name: str) -> str:
    return "".join(it if it.isascii() and (it.isalnum() or it in "-_.") else "_" for it in name)
