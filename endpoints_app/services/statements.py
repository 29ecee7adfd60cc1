"""Queries that are asked over and over: written by the models once per process, then filled in.

For the database they are small; writing one anew each time would cost a multiple of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet


class Written(NamedTuple):
    sql: str
    params: Sequence[Any]
    names: Sequence[str]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]
    """By column, what makes a value of the field of what the database's driver brings."""


class Statement:
    """`build(*samples)` is a query with `values()`. What `rows()` is given goes where the samples
    stand among its parameters; each of them must be unlike every other parameter."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *samples: Any) -> None:
        self._build = build
        self._samples = samples

    def rows(self, *values: Any) -> list[dict[str, Any]]:
        """One query."""
        sql, params, names, converters = self._written
        given = dict(zip(self._samples, values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [given.get(param, param) for param in params])
            found = [list(row) for row in cursor.fetchall()]
        for row in found:
            for column, (convert, expression) in converters.items():
                for converter in convert:
                    row[column] = converter(row[column], expression, connection)
        return [dict(zip(names, row, strict=True)) for row in found]

    @cached_property
    def _written(self) -> Written:
        query = self._build(*self._samples).query
        compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if not set(self._samples) <= set(params):
            raise ValueError(f"A sample is no parameter of {sql}")
        names = list(query.selected or ())
        columns = [expression for expression, *_ in compiler.select]
        return Written(sql, params, names, compiler.get_converters(columns))
