"""Prepared statements are part of the session's transaction, and of its savepoints."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Conflict
from engine.orders.model import NumberSeries
from engine.store import Store
from engine.store.base import table_of
from engine.store.prepared import inserting

INSERT = inserting(table_of(NumberSeries))


def add(session: Session, prefix: str) -> None:
    INSERT.run(session, prefix=prefix, day="20261122", last=1)


def stored(store: Store) -> dict[str, int]:
    with store.read() as session:
        return {row.prefix: row.last for row in session.scalars(select(NumberSeries))}


def refused(session: Session, prefix: str) -> None:
    with session.begin_nested():
        add(session, prefix)
        raise Conflict()


def test_a_savepoint_takes_back_its_part_alone(store: Store) -> None:
    with store.write() as session:
        add(session, "A")
        with pytest.raises(Conflict):
            refused(session, "B")
        add(session, "C")
    assert stored(store) == {"A": 1, "C": 1}


def test_a_savepoint_that_comes_first_takes_back_its_part_alone(store: Store) -> None:
    with store.write() as session:
        with pytest.raises(Conflict):
            refused(session, "B")
        add(session, "C")
    assert stored(store) == {"C": 1}
