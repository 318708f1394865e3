"""A look at one row without a session and without a transaction: for what every request asks, at the driver's price.

It sees what is committed at this moment. A session around the same statement costs five times as much.
"""

from __future__ import annotations

from typing import Any

from engine.store.prepared import Prepared
from engine.store.session import Store


def glance(store: Store, statement: Prepared, **values: Any) -> Any | None:
    """The first row that a reading statement gives, or None."""
    form = statement.form(store.engine.dialect)
    connection = store.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if not store.is_sqlite:  # PostgreSQL's driver would begin and end a transaction: two more journeys
            driver.autocommit = True
        found = driver.execute(form.text, form.bind(values)).fetchone()
        if not store.is_sqlite:
            driver.autocommit = False
    except Exception:
        connection.invalidate()  # nobody knows in which state it is
        raise
    finally:
        connection.close()
    return None if found is None else form.unpack(found)
