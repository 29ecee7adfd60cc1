"""Queries that are asked over and over: written by the models once per process, then filled in.

For the database they are small; writing one anew each time would cost a multiple of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import RelatedPopulator, get_related_populators

M = TypeVar("M", bound=Model)


class Objects(NamedTuple):
    """How Django makes an object of a row."""

    model: type[Model]
    columns: slice
    names: Sequence[str]
    related: Sequence[RelatedPopulator]
    annotations: Mapping[str, int]


class Written(NamedTuple):
    sql: str
    params: Sequence[Any]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]
    """By column, what makes a value of the field of what the database's driver brings."""
    names: Sequence[str]
    objects: Objects | None


class Statement(Generic[M]):
    """`build(*samples)` is a query. What `rows()` or `objects()` is given goes where the samples
    stand among its parameters; each of them must be unlike every other parameter."""

    def __init__(self, build: Callable[..., QuerySet[M, Any]], *samples: Any) -> None:
        self._build = build
        self._samples = samples

    def rows(self, *values: Any) -> list[dict[str, Any]]:
        """Of a query with `values()`. One query."""
        names = self._written.names
        return [dict(zip(names, row, strict=True)) for row in self._asked(values)]

    def objects(self, *values: Any) -> list[M]:
        """With what the query selects of related ones and without what it defers, but nothing
        that it would prefetch. One query."""
        made = self._written.objects
        if made is None:
            raise TypeError("A query with values() has rows and no objects.")
        found: list[Any] = []
        for row in self._asked(values):
            thing = made.model.from_db(connection.alias, made.names, row[made.columns])
            for related in made.related:
                related.populate(row, thing)
            for name, column in made.annotations.items():
                setattr(thing, name, row[column])
            found.append(thing)
        return found

    def _asked(self, values: Sequence[Any]) -> Iterator[list[Any]]:
        sql, params, converters, *_ = self._written
        given = dict(zip(self._slots, map(_adapted, values), strict=True))
        # PostgreSQL plans it once per connection (dashboard/postgresql/); SQLite does so anyway.
        with getattr(connection, "preparing_cursor", connection.cursor)() as cursor:
            cursor.execute(sql, [given.get(param, param) for param in params])
            found = cursor.fetchall()
        for row in map(list, found):
            for column, (convert, expression) in converters.items():
                value = row[column]
                if value is None:  # which every field has as None, and most of a wide row is
                    continue
                for converter in convert:
                    value = converter(value, expression, connection)
                row[column] = value
            yield row

    @cached_property
    def _slots(self) -> list[Any]:
        return list(map(_adapted, self._samples))

    @cached_property
    def _written(self) -> Written:
        query = self._build(*self._samples).query
        compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if not set(self._slots) <= set(params):
            raise ValueError(f"A sample is no parameter of {sql}")
        columns = [expression for expression, *_ in compiler.select]
        converters = compiler.get_converters(columns)
        if query.selected is not None:
            return Written(sql, params, converters, list(query.selected), None)
        return Written(sql, params, converters, (), _objects(compiler))


def _adapted(value: Any) -> Any:
    """As the database takes it: SQLite has times as text."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _objects(compiler: Any) -> Objects:
    """As a query set's own iteration does it for each answer."""
    fields = compiler.klass_info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    return Objects(
        model=compiler.klass_info["model"],
        columns=columns,
        names=[expression.target.attname for expression, *_ in compiler.select[columns]],
        related=get_related_populators(  # type: ignore[call-arg]  # typed as in Django 6
            compiler.klass_info, compiler.select, connection.alias
        ),
        annotations=compiler.annotation_col_map,
    )
