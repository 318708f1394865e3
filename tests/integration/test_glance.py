"""Looks at one row without a transaction, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, literal_column, select

from engine.errors import NotFound
from engine.identity.model import Person
from engine.identity.people import create_person, set_active
from engine.store import Store
from engine.store.glance import glance
from engine.store.prepared import Prepared
from engine.testing import FakeClock
from tests.actors import add_roles

_BY_LOGIN = Prepared(select(Person.login, Person.roles).where(Person.login == bindparam("login")))
_BROKEN = Prepared(select(literal_column("no_such_column")).select_from(Person.__table__))
AT = FakeClock().now()


def test_a_look_sees_what_is_committed_and_nothing_else(store: Store) -> None:
    with store.write() as session:
        add_roles(session)
        create_person(session, "lin", "林", ["FC"], at=AT)
        session.flush()
        assert glance(store, _BY_LOGIN, login="lin") is None
    found = glance(store, _BY_LOGIN, login="lin")
    assert found is not None
    assert (found.login, found.roles) == ("lin", ["FC"])


def test_transactions_are_whole_after_looks_that_worked_and_looks_that_failed(store: Store) -> None:
    for _ in range(3):
        assert glance(store, _BY_LOGIN, login="lin") is None
        with pytest.raises(Exception, match="no_such_column"):
            glance(store, _BROKEN)

    with pytest.raises(NotFound):
        _create_and_fail(store)
    assert glance(store, _BY_LOGIN, login="lin") is None


def _create_and_fail(store: Store) -> None:
    with store.write() as session:
        add_roles(session)
        create_person(session, "lin", "林", ["FC"], at=AT)
        session.flush()
        set_active(session, 999, False, at=AT, by="admin")
