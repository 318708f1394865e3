"""The metadata that all tables share, and the column types that hold on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class UtcMillis(TypeDecorator[datetime]):
    """An aware datetime, stored as integer milliseconds since 1970 UTC: exact, sortable, the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a zone")
        return (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(milliseconds=value)


BigKey = BigInteger().with_variant(Integer, "sqlite")

serial = Annotated[int, mapped_column(BigKey, primary_key=True, autoincrement=True)]
number = Annotated[str, mapped_column(String(40))]
name = Annotated[str, mapped_column(String(200))]
word = Annotated[str, mapped_column(String(64))]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcMillis,
        dict[str, Any]: JSON(none_as_null=True),  # nothing is NULL, not four letters
        list[str]: JSON,
        list[Any]: JSON,
        list[int]: JSON,
        bytes: LargeBinary,
    }


def table_of(model: type[Base]) -> Table:
    """The table of a mapped class."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  (our classes are not mapped to anything else)
    return table
