"""Puts shipped YAML files into the database, each once. Afterwards the rows are the truth and the files are history.

A file is a mapping from a table's name to a list of rows. A row whose key is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import KaitongError
from engine.events import record
from engine.masterdata.model import MasterFile
from engine.store.base import Base, table_of


class BadMasterData(KaitongError):
    """The file of master data {file} is not valid: {detail}."""

    code = "master_data"


@dataclass(frozen=True, slots=True)
class MasterTable:
    """A table that files may fill; `key` are the columns that tell whether a row is there already.

    `check` looks at a row that somebody wants to save, and raises what is wrong with it.
    """

    model: type[Base]
    key: tuple[str, ...]
    check: Callable[[Session, Mapping[str, Any]], None] | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file of a package."""

    name: str
    text: str


def shipped(package: str) -> list[Shipped]:
    """The YAML files of a package, by name."""
    files = [f for f in resources.files(package).iterdir() if f.name.endswith(".yaml")]
    found = [Shipped(f"{package}/{f.name}", f.read_text(encoding="utf-8")) for f in files]
    return sorted(found, key=lambda one: one.name)


def shipped_rows(package: str, table: str) -> list[dict[str, Any]]:
    """What the files of a package say about one table."""
    return [row for file in shipped(package) for row in _read(file).get(table, [])]


def load(
    session: Session, files: Iterable[Shipped], tables: Mapping[str, MasterTable], at: datetime
) -> dict[str, int]:
    """The files that were new to this database, with the number of rows that each brought."""
    known = set(session.scalars(select(MasterFile.name)))
    loaded = {}
    for file in files:
        if file.name in known:
            continue
        count = sum(_rows(session, file.name, tables, part, rows, at) for part, rows in _read(file).items())
        session.add(MasterFile(name=file.name, loaded_at=at, rows=count))
        record(session, "MasterDataLoaded", at=at, actor="system", file=file.name, rows=count)
        loaded[file.name] = count
    session.flush()
    return loaded


@cache
def _read(file: Shipped) -> Mapping[str, list[dict[str, Any]]]:
    try:
        found = yaml.safe_load(file.text) or {}
    except yaml.YAMLError as e:
        raise BadMasterData(file=file.name, detail=" ".join(str(e).split())) from e
    if not isinstance(found, dict) or not all(isinstance(rows, list) for rows in found.values()):
        raise BadMasterData(file=file.name, detail="it must map tables to lists of rows")
    return found


def _rows(
    session: Session,
    file: str,
    tables: Mapping[str, MasterTable],
    name: str,
    rows: list[dict[str, Any]],
    at: datetime,
) -> int:
    if name not in tables:
        raise BadMasterData(file=file, detail=f"{name} is no table of master data")
    model, key = tables[name].model, tables[name].key
    columns = {c.key for c in table_of(model).columns}
    there = {tuple(row) for row in session.execute(select(*(getattr(model, k) for k in key)))}
    before = len(there)
    for number, row in enumerate(rows, 1):
        odd = sorted(set(row) - columns)
        if odd:
            raise BadMasterData(file=file, detail=f"{name}, row {number}: {', '.join(odd)}")
        mine = tuple(row.get(k) for k in key)
        if mine not in there:
            there.add(mine)
            session.add(model(**({"valid_from": at} if "valid_from" in columns else {}) | row))
    session.flush()
    return len(there) - before
