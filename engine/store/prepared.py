"""Statements for the hot path: compiled once per database, then run on the driver's cursor in the session's transaction.

The ORM's way costs some 100 µs a statement, the driver's some 10 (docs/explanation/costs.md). What is written this way is
not seen by ORM objects that the session already holds, and what such objects hold back is not seen here: a command
uses one way for one row.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    Dialect,
    Insert,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]
_DRIVER = "kaitong_driver"


class _Form:
    """The statement as one database wants it: its text, its parameters in order, how values are converted."""

    def __init__(self, statement: ClauseElement, dialect: Dialect, keys: Sequence[str] | None) -> None:
        compiled: Any = statement.compile(
            dialect=dialect, column_keys=list(keys) if keys is not None else None
        )
        self.text = str(compiled)
        self.positional = bool(compiled.positional)
        self.names = list(compiled.positiontup) if self.positional else list(compiled.binds)
        self.fixed: dict[str, Any] = {}
        self.binds: list[tuple[Any, Convert]] = []
        for n, name in enumerate(self.names):
            bind = compiled.binds[name]
            if not bind.required and name not in (keys or ()):
                self.fixed[name] = bind.effective_value
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self.binds.append((n if self.positional else name, convert))
        columns = list(compiled._result_columns or ())
        self.row: Any = namedtuple("Row", [c.keyname for c in columns], rename=True) if columns else None
        results = [c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns]
        self.results = [(n, c) for n, c in enumerate(results) if c is not None]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The driver's parameters. A value that is missing is a `KeyError`."""
        if self.fixed:
            values = {**values, **self.fixed}
        names = self.names
        bound: Any = [values[n] for n in names] if self.positional else {n: values[n] for n in names}
        for place, convert in self.binds:
            bound[place] = convert(bound[place])
        return bound

    def unpack(self, record: Sequence[Any]) -> Any:
        """A row with named fields, converted."""
        if not self.results:
            return self.row._make(record)
        values = list(record)
        for n, convert in self.results:
            values[n] = convert(values[n])
        return self.row._make(values)


class Prepared:
    """One statement with named parameters; safe to share between threads."""

    def __init__(self, statement: ClauseElement, keys: Sequence[str] | None = None) -> None:
        self.statement, self.keys = statement, keys
        self._forms: dict[str, _Form] = {}

    def form(self, dialect: Dialect) -> _Form:
        """How one kind of database wants it; made when it is first asked for."""
        found = self._forms.get(dialect.name)
        if found is None:
            found = self._forms[dialect.name] = _Form(self.statement, dialect, self.keys)
        return found

    def run(self, session: Session, **values: Any) -> int:
        """For a statement that gives no rows. Returns how many rows it changed; inside a `batch` that is not yet known."""
        return int(self.execute(session, values)[0].rowcount)

    def many(self, session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
        """The same statement for several rows."""
        driver, form = self._on(session)
        try:
            driver.cursor().executemany(form.text, [form.bind(row) for row in rows])
        except driver.error as e:
            raise driver.wrapped(form.text, e) from e

    def rows(self, session: Session, **values: Any) -> list[Any]:
        """Rows with named fields."""
        cursor, form = self.execute(session, values)
        return [form.unpack(record) for record in cursor.fetchall()]

    def first(self, session: Session, **values: Any) -> Any | None:
        """The first row, or None."""
        cursor, form = self.execute(session, values)
        found = cursor.fetchone()
        return None if found is None else form.unpack(found)

    def value(self, session: Session, **values: Any) -> Any | None:
        """The first column of the first row, or None."""
        found = self.first(session, **values)
        return None if found is None else found[0]

    def execute(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, _Form]:
        """The driver's cursor, with the answer. Errors are SQLAlchemy's; they do not show the values."""
        driver, form = self._on(session)
        cursor = driver.cursor()
        try:
            cursor.execute(form.text, form.bind(values))
        except driver.error as e:
            raise driver.wrapped(form.text, e) from e
        return cursor, form

    def _on(self, session: Session) -> tuple[_Driver, _Form]:
        if session.in_transaction() and not session._is_clean():
            session.flush()  # what objects hold back comes first
        if session.in_nested_transaction():
            session.connection()  # a savepoint is made when the session is first asked for its connection
        driver: _Driver = session.info[_DRIVER]
        return driver, self.form(driver.dialect)


class _Driver:
    """The connection below a session, for as long as its transaction lasts."""

    def __init__(self, connection: Connection) -> None:
        self.dialect, self.name = connection.dialect, connection.dialect.name
        pooled: Any = connection.connection
        self.raw = pooled.driver_connection
        self.cursor: Callable[[], Any] = self.raw.cursor
        module: Any = self.dialect.dbapi
        self.error: type[Exception] = module.Error

    def wrapped(self, text: str, error: Exception) -> BaseException:
        """An error of the driver as SQLAlchemy would have raised it."""
        return DBAPIError.instance(text, None, error, self.error, hide_parameters=True, dialect=self.dialect)


def attach(session: Session, connection: Connection) -> None:
    """Prepared statements of the session run on this connection, which it keeps for all its life."""
    session.info[_DRIVER] = _Driver(connection)


def inserting(table: Table, *, returning: str | None = None, without: Sequence[str] = ()) -> Prepared:
    """An insert with a parameter for each column, but those that the database makes itself."""
    keys = [c.key for c in table.columns if c.key not in without]
    statement: Insert = insert(table)
    if returning is not None:
        statement = statement.returning(table.c[returning])
    return Prepared(statement, keys)


def updating(table: Table, where: Mapping[str, str], *columns: str) -> Prepared:
    """An update of some columns; `where` names a parameter for each column of the condition."""
    statement: Update = update(table)
    for column, parameter in where.items():
        statement = statement.where(table.c[column] == bindparam(parameter))
    return Prepared(statement, columns)


def deleting(table: Table, *columns: str) -> Prepared:
    """A delete by the values of some columns."""
    statement = delete(table)
    for column in columns:
        statement = statement.where(table.c[column] == bindparam(column))
    return Prepared(statement)


class Batch:
    """Statements that are sent together; on PostgreSQL their counts are known only when the batch has ended."""

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._one: list[tuple[Any, type[Exception]]] = []

    def exactly_one(
        self, session: Session, statement: Prepared, error: type[Exception], **values: Any
    ) -> None:
        """Runs an update that must find its row; otherwise `error` is raised, here or when the batch ends."""
        cursor, _ = statement.execute(session, values)
        self._one.append((cursor, error))
        if not self._waits:
            self.check()

    def check(self) -> None:
        """Raises what has been asked for."""
        for cursor, error in self._one:
            if cursor.rowcount != 1:
                raise error()


@contextmanager
def batch(session: Session) -> Iterator[Batch]:
    """On PostgreSQL the statements inside are sent without waiting for each answer; SQLite has no wait to save.

    Only for prepared statements: the ORM asks for counts at once, which are not known yet.
    """
    session.flush()
    driver: _Driver = session.info[_DRIVER]
    if driver.name != "postgresql":
        yield Batch(waits=False)
        return
    sent = Batch(waits=True)
    try:
        with driver.raw.pipeline():
            yield sent
    except Exception:
        sent.check()  # a row that was not there is the better reason
        raise
    sent.check()
