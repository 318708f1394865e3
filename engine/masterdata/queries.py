"""Reading master data: any table of it, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.masterdata.loading import MasterTable
from engine.masterdata.model import ReasonCode
from engine.store.base import table_of


def rows_of(session: Session, table: MasterTable) -> Sequence[dict[str, Any]]:
    """All rows, in the order of their keys, of one key the newest last; times are ISO texts."""
    columns = table_of(table.model).columns
    order = [columns[name] for name in (*table.key, "valid_from", "id") if name in columns]
    found = session.execute(select(*columns).order_by(*order))
    return [{name: plain(value) for name, value in row._mapping.items()} for row in found]


def reasons(session: Session, family: str) -> dict[str, tuple[str, str]]:
    """Names (zh, en) of the reason codes of a family that are in use, by code."""
    query = select(ReasonCode).where(ReasonCode.family == family, ReasonCode.active.is_(True))
    return {row.code: (row.name, row.name_en) for row in session.scalars(query.order_by(ReasonCode.code))}


def plain(value: Any) -> Any:
    """A value of a column as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value
