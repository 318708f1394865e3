"""Files of ports, ONUs, telephone numbers, and whatever else is in stock. What an order holds is never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.resources import holdings
from engine.resources.importing.report import Report
from engine.resources.importing.sheet import Column, Refusal, any_text, one_of, whole, word
from engine.resources.model import NetworkNode, Resource, ResourceKind

_STATES = one_of("free", "faulty", "retired")
_NAME = word(r"[A-Za-z0-9][A-Za-z0-9 ./:_-]{0,63}", "格式不正确", "has not the right form")
_SERIAL = word(
    r"[A-Z]{4}[0-9A-Z]{8}",
    "应为 4 个大写字母加 8 位大写字母或数字",
    "must be 4 capitals and 8 capitals or digits",
)

_NUMBER = word(r"\+?[0-9]{3,15}", "应为 3 到 15 位数字", "must be 3 to 15 digits")


class ThingFile:
    """Resources of one kind."""

    kind = ""
    name = ""
    columns: tuple[Column, ...] = ()

    def __init__(self, session: Session) -> None:
        """Reads the masters that rows name."""

    def refuse(self, number: int, row: Mapping[str, Any]) -> Refusal | None:
        """What is wrong with the row beside the form of its cells."""
        return None

    def kind_of(self, row: Mapping[str, Any]) -> str:
        """What kind of thing it is."""
        return self.kind

    def place_of(self, row: Mapping[str, Any]) -> str:
        """Where the thing is."""
        raise NotImplementedError

    def finds(self, row: Resource) -> tuple[str, ...]:
        """By what a row of a file is recognised."""
        raise NotImplementedError

    def write(
        self, session: Session, rows: Sequence[tuple[int, Mapping[str, Any]]], report: Report, at: datetime
    ) -> None:
        """A batch; of rows that mean the same the last one stays."""
        names = {row[self.name] for _, row in rows}
        kinds = {self.kind_of(row) for _, row in rows}
        query = select(Resource).where(Resource.kind.in_(kinds), Resource.name.in_(names))
        known = {self.finds(r): r for r in session.scalars(query.with_for_update())}
        for number, row in rows:
            wanted = Resource(
                kind=self.kind_of(row),
                place=self.place_of(row),
                name=row[self.name],
                state="free",
                slot="",
                vlan=row.get("vlan"),
                changed_at=at,
            )
            found = known.get(self.finds(wanted))
            if found is None:
                session.add(wanted)
                known[self.finds(wanted)] = wanted
                _state(session, wanted, row["state"], at)
                report.count("added")
            else:
                self._change(session, number, found, wanted, row["state"], report, at)
        session.flush()

    def _change(
        self,
        session: Session,
        number: int,
        found: Resource,
        wanted: Resource,
        state: str,
        report: Report,
        at: datetime,
    ) -> None:
        if (found.place, found.vlan, found.state) == (wanted.place, wanted.vlan, state):
            report.count("unchanged")
            return
        if found.state not in ("free", "faulty", "retired"):
            if (found.place, found.vlan) == (wanted.place, wanted.vlan) and state == "free":
                report.count("unchanged")  # the file need not know what orders do
                return
            zh, en = f"正被 {found.holder} 使用", f"is held by {found.holder}"
            report.refuse(Refusal(number, self.name, zh, en))
            return
        found.place, found.vlan, found.changed_at = wanted.place, wanted.vlan, at
        session.flush()
        _state(session, found, state, at)
        report.count("changed")


class PortFile(ThingFile):
    """Ports of our access nodes."""

    kind, name = "port", "port"
    columns = (
        Column("node", "接入节点", any_text),
        Column("port", "端口", _NAME),
        Column("vlan", "VLAN", whole(1, 4094), needed=False),
        Column("state", "状态", _STATES, empty="free", needed=False),
    )

    def __init__(self, session: Session) -> None:
        self._nodes = set(session.scalars(select(NetworkNode.id)))

    def refuse(self, number: int, row: Mapping[str, Any]) -> Refusal | None:
        if row["node"] not in self._nodes:
            return Refusal(number, "node", f"没有节点 {row['node']}", f"there is no node {row['node']}")
        return None

    def place_of(self, row: Mapping[str, Any]) -> str:
        return str(row["node"])

    def finds(self, row: Resource) -> tuple[str, ...]:
        return row.place, row.name


class OnuFile(ThingFile):
    """ONUs in our stores; a serial number is known once, wherever it is."""

    kind, name = "onu", "serial"
    columns = (
        Column("serial", "序列号", _SERIAL),
        Column("store", "仓库", _NAME),
        Column("state", "状态", _STATES, empty="free", needed=False),
    )

    def place_of(self, row: Mapping[str, Any]) -> str:
        return str(row["store"])

    def finds(self, row: Resource) -> tuple[str, ...]:
        return (row.name,)


class NumberFile(ThingFile):
    """Telephone numbers of our exchanges; a number is known once, wherever it is."""

    kind, name = "number", "number"
    columns = (
        Column("number", "号码", _NUMBER),
        Column("exchange", "交换局", _NAME),
        Column("state", "状态", _STATES, empty="free", needed=False),
    )

    def place_of(self, row: Mapping[str, Any]) -> str:
        return str(row["exchange"])

    def finds(self, row: Resource) -> tuple[str, ...]:
        return (row.name,)


class StockFile(ThingFile):
    """Whatever else is taken from stock: VLANs and addresses of a device, cores of a cable."""

    name = "name"
    columns = (
        Column("kind", "种类", any_text),
        Column("place", "所在", _NAME),
        Column("name", "名称", _NAME),
        Column("state", "状态", _STATES, empty="free", needed=False),
    )

    def __init__(self, session: Session) -> None:
        self._kinds = set(session.scalars(select(ResourceKind.code).where(ResourceKind.prefix == "")))

    def refuse(self, number: int, row: Mapping[str, Any]) -> Refusal | None:
        kind = row["kind"]
        if kind in self._kinds:
            return None
        return Refusal(number, "kind", f"{kind} 不是库存资源种类", f"{kind} is no kind that is kept in stock")

    def kind_of(self, row: Mapping[str, Any]) -> str:
        return str(row["kind"])

    def place_of(self, row: Mapping[str, Any]) -> str:
        return str(row["place"])

    def finds(self, row: Resource) -> tuple[str, ...]:
        return row.kind, row.place, row.name


def _state(session: Session, row: Resource, state: str, at: datetime) -> None:
    if row.state != state:
        session.flush()
        holdings.move(session, row, state, None, None, at)
        session.refresh(row)
