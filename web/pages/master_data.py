"""Master data: the tables, the rows of one, and a row in a form that is made from its columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import KaitongError, NotFound
from engine.masterdata.editing import BadRow, columns_of, save_row
from engine.masterdata.loading import MasterTable
from engine.masterdata.queries import rows_of
from web.auth import allow
from web.master_data import TABLES
from web.pages.blueprint import pages
from web.pages.refusals import flash_error
from web.services import services

_SHORT = 60


def _named() -> Mapping[str, str]:
    return {
        "area": gettext("Areas"),
        "partner": gettext("Partners"),
        "network_node": gettext("Devices"),
        "resource_kind": gettext("Kinds of resources"),
        "reason_code": gettext("Reason codes"),
        "role": gettext("Roles and rights"),
        "tier": gettext("Tiers"),
        "product": gettext("Products"),
        "process_binding": gettext("Process bindings"),
        "crew": gettext("Crews"),
        "sla_policy": gettext("Limits"),
        "work_calendar": gettext("Calendars"),
        "special_day": gettext("Holidays and make-up days"),
    }


@pages.get("/master-data")
@allow("manage_master_data")
def master_data() -> ResponseReturnValue:
    """The tables with their numbers of rows."""
    with services().store.read() as db:
        counts = {name: len(rows_of(db, table)) for name, table in TABLES.items()}
    tables = [
        {
            "name": name,
            "label": _named().get(name, name),
            "count": counts[name],
            "url": url_for("pages.master_table", table=name),
        }
        for name in TABLES
    ]
    return render_template("master_data.html", tables=tables)


@pages.get("/master-data/<table>")
@allow("manage_master_data")
def master_table(table: str) -> ResponseReturnValue:
    """The rows of a table."""
    found = _table(table)
    with services().store.read() as db:
        rows = rows_of(db, found)
    names = [column.name for column in columns_of(found)]
    shown = [
        {
            "cells": [_short(row[name]) for name in names],
            "url": url_for(
                "pages.master_row", table=table, **{k: row[k] for k in found.key if row[k] is not None}
            ),
        }
        for row in rows
    ]
    return render_template(
        "master_table.html",
        label=_named().get(table, table),
        names=names,
        rows=shown,
        new_url=url_for("pages.master_row", table=table),
    )


@pages.get("/master-data/<table>/row")
@allow("manage_master_data")
def master_row(table: str) -> ResponseReturnValue:
    """The form of one row; of a new one where the address names none."""
    found = _table(table)
    row: Mapping[str, Any] = {}
    if request.args:
        with services().store.read() as db:
            wanted = {key: request.args.get(key) for key in found.key}
            same = [r for r in rows_of(db, found) if all(_text(r[k]) == (wanted[k] or "") for k in found.key)]
        if not same:
            raise NotFound(what="row", id=" ".join(filter(None, wanted.values())))
        row = same[-1]
    return _form(table, found, {name: _text(value) for name, value in row.items()}, None)


@pages.post("/master-data/<table>/row")
@allow("manage_master_data")
def save_master_row(table: str) -> ResponseReturnValue:
    """Saves the row; a mistake is shown at its column, with all that was typed."""
    found = _table(table)
    typed = {column.name: request.form.get(column.name, "") for column in columns_of(found)}
    me = services()
    try:
        values = {
            column.name: _read(table, column, text)
            for column in columns_of(found)
            if _is_said(column, text := typed[column.name].strip())
        }
        with me.store.write() as db:
            save_row(db, table, found, values, at=me.clock.now(), actor=g.actor.login)
    except BadRow as mistake:
        return _form(table, found, typed, mistake), 400
    except KaitongError as refusal:
        flash_error(refusal)
        return _form(table, found, typed, None), 400
    flash(gettext("Saved. It holds from now on."), "success")
    return redirect(url_for("pages.master_table", table=table), 303)


def _form(table: str, found: MasterTable, typed: Mapping[str, str], mistake: BadRow | None) -> str:
    fields = [
        {
            "name": column.name,
            "key": column.name in found.key,
            "value": typed.get(column.name, ""),
            "kind": _kind(column),
            "needed": not column.nullable and column.default is None,
            "error": str(mistake.facts["detail"])
            if mistake and mistake.facts["field"] == column.name
            else "",
        }
        for column in columns_of(found)
    ]
    return render_template(
        "master_row.html",
        label=_named().get(table, table),
        fields=fields,
        table=table,
        back_url=url_for("pages.master_table", table=table),
    )


def _table(name: str) -> MasterTable:
    if name not in TABLES:
        raise NotFound(what="table", id=name)
    return TABLES[name]


def _kind(column: Any) -> str:
    return {"JSON": "list", "Boolean": "bool", "Integer": "number", "BigInteger": "number"}.get(
        type(column.type).__name__, "text"
    )


def _is_said(column: Any, text: str) -> bool:
    """An empty field of a column that has a default leaves it as it is."""
    return bool(text) or column.default is None or _kind(column) == "text"


def _read(table: str, column: Any, text: str) -> Any:
    """What somebody typed, as the column wants it; lists and mappings are written as YAML."""
    kind = _kind(column)
    if not text:
        return None if column.nullable or kind != "text" else ""
    if kind == "text":
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise BadRow(table=table, field=column.name, detail=gettext("this is not YAML")) from e


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return str(yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10_000)).strip()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"
