"""Master data as it is: codes, tiers, policies, calendars, products, crews, partners, devices."""

from __future__ import annotations

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from engine.masterdata.editing import save_row
from engine.masterdata.queries import rows_of
from web.api.reading import loaded, only_parameters
from web.api.v1 import shapes
from web.api.v1.route import Route, listing
from web.auth import allow
from web.master_data import TABLES
from web.services import services

_ROW = shapes.MasterRow()


@allow("view_tasks")
def show_master_data(table: str) -> ResponseReturnValue:
    """All rows of a table of master data."""
    only_parameters()
    if table not in TABLES:
        raise NotFound(what="table", id=table)
    with services().store.read() as session:
        return jsonify(listing(list(rows_of(session, TABLES[table])), None))


@allow("manage_master_data")
def save_master_data(table: str) -> ResponseReturnValue:
    """Adds a row of master data, or changes the one with its key."""
    only_parameters()
    if table not in TABLES:
        raise NotFound(what="table", id=table)
    me, row = services(), loaded(_ROW)["row"]
    with me.store.write() as session:
        saved = save_row(session, table, TABLES[table], row, at=me.clock.now(), actor=g.actor.login)
    return jsonify({"row": saved})


ROUTES = (
    Route("GET", "/master-data/<table>", show_master_data, shapes.MasterRows),
    Route("PUT", "/master-data/<table>", save_master_data, shapes.MasterRow, body=shapes.MasterRow),
)
