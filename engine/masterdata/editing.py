"""Changing master data: one row at a time, checked column by column, with its event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.errors import BadInput
from engine.events import record
from engine.masterdata.loading import MasterTable
from engine.masterdata.queries import plain
from engine.store.base import UtcMillis, table_of

OF_ITS_OWN = ("id", "valid_from")
"""Columns that we fill in ourselves where they are not the key."""


class BadRow(BadInput):
    """{field} of {table}: {detail}."""

    code = "master_data.row"


def columns_of(table: MasterTable) -> list[Column[Any]]:
    """The columns that somebody may fill in, the key first."""
    mine = [c for c in table_of(table.model).columns if c.name not in OF_ITS_OWN or c.name in table.key]
    return sorted(mine, key=lambda column: column.name not in table.key)


def save_row(
    session: Session, name: str, table: MasterTable, values: Mapping[str, Any], *, at: datetime, actor: str
) -> dict[str, Any]:
    """The row as it is now: a new one, or the one with this key, changed.

    What holds from a date on (policies, bindings) is never changed: the new row holds from now on, the old one stays for
    what began with it. Raises `BadRow` with the column.
    """
    known = {column.name: column for column in columns_of(table)}
    if odd := sorted(set(values) - known.keys()):
        raise BadRow(table=name, field=odd[0], detail="there is no such column")
    row = {
        key: _value(name, column, values.get(key)) for key, column in known.items() if _said(column, values)
    }
    if table.check is not None:
        table.check(session, row)
    before = None if _holds_from_a_date(table) else _find(session, table, row)
    old = None if before is None else _facts(before, known)
    if before is None:
        before = table.model(**row, **({"valid_from": at} if _holds_from_a_date(table) else {}))
        session.add(before)
    else:
        for key, value in row.items():
            setattr(before, key, value)
    try:
        session.flush()
    except IntegrityError as e:
        raise BadRow(
            table=name, field="|".join(table.key), detail="it names something that is not there"
        ) from e
    now = _facts(before, known)
    record(session, "MasterDataChanged", at=at, actor=actor, table=name, before=old, after=now)
    return now


def _holds_from_a_date(table: MasterTable) -> bool:
    return "valid_from" in table_of(table.model).columns


def _find(session: Session, table: MasterTable, row: Mapping[str, Any]) -> Any | None:
    where = [getattr(table.model, key) == row.get(key) for key in table.key]
    return session.scalars(select(table.model).where(*where)).one_or_none()


def _facts(row: Any, known: Mapping[str, Column[Any]]) -> dict[str, Any]:
    return {key: plain(getattr(row, key)) for key in known}


def _said(column: Column[Any], values: Mapping[str, Any]) -> bool:
    """What is left out keeps its default, or is missing."""
    return column.name in values or (column.default is None and not column.nullable)


def _value(table: str, column: Column[Any], value: Any) -> Any:
    """The value for a column. Empty is nothing."""
    if value is None or value == "":
        if column.nullable:
            return None
        if value == "" and _may_be_blank(column):
            return ""
        raise BadRow(table=table, field=column.name, detail="it must be given")
    fits, wanted = _FITS[_kind(column)]
    if not fits(value):
        raise BadRow(table=table, field=column.name, detail=wanted)
    if isinstance(value, str) and isinstance(column.type, String) and len(value) > (column.type.length or 0):
        raise BadRow(table=table, field=column.name, detail=f"at most {column.type.length} characters")
    return datetime.fromisoformat(value) if isinstance(column.type, UtcMillis) else value


def _may_be_blank(column: Column[Any]) -> bool:
    return column.default is not None and getattr(column.default, "arg", None) == ""


def _kind(column: Column[Any]) -> type:
    for kind in (Boolean, Integer, JSON, UtcMillis):
        if isinstance(column.type, kind):
            return kind
    return String


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_FITS: Mapping[type, tuple[Any, str]] = {
    Boolean: (lambda value: isinstance(value, bool), "true or false is wanted"),
    Integer: (
        lambda value: isinstance(value, int) and not isinstance(value, bool),
        "a whole number is wanted",
    ),
    JSON: (lambda value: isinstance(value, list | dict), "a list or a mapping is wanted"),
    UtcMillis: (_is_moment, "a time with its zone is wanted, as 2026-11-22T09:12:00+08:00"),
    String: (lambda value: isinstance(value, str), "a text is wanted"),
}
