"""Tables of service orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.store.base import Base, number, serial, word
from engine.store.base import name as title


class ServiceOrder(Base):
    """An order as a CRM sent it. `document` keeps every attribute that came; the columns are what we work with.

    States are TMF641's: acknowledged, inProgress, pending, held, assessingCancellation, pendingCancellation, cancelled,
    completed, failed, partial, rejected. They follow the items' states.
    """

    __tablename__ = "service_order"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_service_order_state_id", "state", "id"),
        Index("ix_service_order_placed_at_id", "placed_at", "id"),
    )

    id: Mapped[number] = mapped_column(primary_key=True)  # BB-20261122-000123
    source: Mapped[word]  # the client that sent it
    external_id: Mapped[str | None] = mapped_column(String(100))
    order_type: Mapped[word]  # BB, DL, …
    state: Mapped[str] = mapped_column(String(24))
    state_before_cancel: Mapped[str | None] = mapped_column(String(24))
    product: Mapped[word]
    tier: Mapped[word]
    area: Mapped[word]
    customer: Mapped[title]
    phone: Mapped[word]
    address: Mapped[str] = mapped_column(String(300))
    document: Mapped[dict[str, Any]]
    error_code: Mapped[word | None]
    error_message: Mapped[str | None] = mapped_column(String(500))
    placed_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]  # the promise: when the order's clock ends
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(
        default=1, server_default="1"
    )  # of its sender's document; amending raises it
    urges: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # how often it was urged; above 0 it goes first

    items: Mapped[list[OrderItem]] = relationship(back_populates="order", order_by="OrderItem.position")
    notes: Mapped[list[OrderNote]] = relationship(order_by="OrderNote.id")
    milestones: Mapped[list[OrderMilestone]] = relationship(order_by="OrderMilestone.id")
    alerts: Mapped[list[JeopardyAlert]] = relationship(order_by="JeopardyAlert.id")
    questions: Mapped[list[OrderQuestion]] = relationship(order_by="OrderQuestion.id")


class OrderItem(Base):
    """One item. Its state is derived from its process instance."""

    __tablename__ = "order_item"

    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), primary_key=True)
    item_id: Mapped[word] = mapped_column(primary_key=True)
    position: Mapped[int]
    action: Mapped[str] = mapped_column(String(12))
    product: Mapped[word]
    state: Mapped[str] = mapped_column(String(24))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"), index=True)
    redo: Mapped[dict[str, Any] | None]  # with what it begins again as soon as its instance is undone

    order: Mapped[ServiceOrder] = relationship(back_populates="items")


class OrderNote(Base):
    """A remark on an order; never changed, never removed."""

    __tablename__ = "order_note"

    id: Mapped[serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), index=True)
    author: Mapped[title]
    text: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime]


class OrderMilestone(Base):
    """Progress that the customer is told: a marked element of an item's process is done. Reached again, it is a new row."""

    __tablename__ = "order_milestone"

    id: Mapped[serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), index=True)
    item_id: Mapped[word]
    name: Mapped[word]  # as the diagram names it: accepted, onSite …
    at: Mapped[datetime]


class JeopardyAlert(Base):
    """The promised date is in danger (Hazard) or past (Critical); once for each rung of the order's clock."""

    __tablename__ = "jeopardy_alert"

    id: Mapped[serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    percent: Mapped[int]
    name: Mapped[title]  # of the policy
    due_at: Mapped[datetime]
    at: Mapped[datetime]


class OrderQuestion(Base):
    """Something that an item waits for and only its sender or customer can say; open until its task is closed."""

    __tablename__ = "order_question"

    id: Mapped[serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), index=True)
    item_id: Mapped[word]
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), index=True)
    token_id: Mapped[int]
    field: Mapped[str] = mapped_column(String(200))  # where it belongs in the order
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CancelRequest(Base):
    """A CRM's wish to cancel an order. States: acknowledged, inProgress, done, terminatedWithError."""

    __tablename__ = "cancel_request"

    id: Mapped[number] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), index=True)
    state: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str | None] = mapped_column(String(500))
    message: Mapped[str | None] = mapped_column(String(500))
    document: Mapped[dict[str, Any]]
    requested_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OrderVersion(Base):
    """An order as it came each time: at first, and with each amendment (改单), with what became of its items then."""

    __tablename__ = "order_version"

    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]
    came_at: Mapped[datetime]
    came_from: Mapped[title]
    items: Mapped[list[Any]]


class OrderUrge(Base):
    """Somebody urges an order (催单); what comes within ten minutes counts into the same row.

    `due_at`: when somebody has to look again: the answer is due, afterwards what was promised; empty when all is said.
    """

    __tablename__ = "order_urge"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        Index("ix_order_urge_due_at", "due_at"),
    )

    id: Mapped[serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("service_order.id"))
    number: Mapped[int]  # of this order's urges
    times: Mapped[int] = mapped_column(default=1)  # how many were merged into it
    text: Mapped[str | None] = mapped_column(String(500))
    urged_by: Mapped[title]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    told: Mapped[list[int]]  # people who had the ball
    tasks: Mapped[list[str]]  # tasks that were open
    due_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[title | None]
    promised_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(500))
    escalated_at: Mapped[
        datetime | None
    ]  # the supervisor knows that nobody has answered, or that it is the third
    broken_at: Mapped[datetime | None]  # what was promised has not come


class Product(Base):
    """What can be ordered, alone or as a bundle of others. `order_type` is that of a new installation: BB, DL …

    `parts` of a bundle, the line first: `product`, and `optional` for one that may fail alone.
    `defaults`: characteristics that an order of this product may leave out, and what is taken instead.
    """

    __tablename__ = "product"

    code: Mapped[word] = mapped_column(primary_key=True)  # BB-1000
    name: Mapped[title]
    name_en: Mapped[title]
    order_type: Mapped[word]
    speed_mbps: Mapped[int]
    parts: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    active: Mapped[bool] = mapped_column(default=True)
    defaults: Mapped[dict[str, Any] | None]

    @property
    def services(self) -> list[str]:
        """Its products one by one, the line first; itself where it is no bundle."""
        return [part["product"] for part in self.parts] or [self.code]


class NumberSeries(Base):
    """The last serial given for a prefix and a day."""

    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int]


class HubSubscription(Base):
    """A listener that wants to be told of state changes. `api`: serviceOrdering or troubleTicket."""

    __tablename__ = "hub_subscription"

    id: Mapped[number] = mapped_column(primary_key=True)
    callback: Mapped[str] = mapped_column(String(500))
    query: Mapped[str | None] = mapped_column(String(500))
    api: Mapped[word] = mapped_column(default="serviceOrdering", server_default="serviceOrdering")
    owner: Mapped[word]
    created_at: Mapped[datetime]


class ReplayedRequest(Base):
    """A request with an Idempotency-Key, and its answer, which a repeat gets again. `status` 0: not answered yet."""

    __tablename__ = "replayed_request"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: Mapped[serial]
    source: Mapped[word]
    key: Mapped[str] = mapped_column(String(200))
    body_sha256: Mapped[word]
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
