"""Tables of people and their ways in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, name, serial, word
from engine.store.base import name as title


class Role(Base):
    """A post in the operator's organisation, a partner, or a machine; `rights`: names with blanks between them."""

    __tablename__ = "role"

    code: Mapped[word] = mapped_column(primary_key=True)  # FC
    name: Mapped[title]
    name_en: Mapped[title]
    rights: Mapped[str] = mapped_column(String(2000), default="")


class Person(Base):
    """Somebody, or a machine, that may log in. Roles are the codes of docs/reference/roles.md: FC, DP, SV, OP …"""

    __tablename__ = "person"

    id: Mapped[serial]
    login: Mapped[word] = mapped_column(unique=True)
    name: Mapped[name]
    password_hash: Mapped[str | None] = mapped_column(String(200))  # machines have none
    roles: Mapped[list[str]]
    areas: Mapped[list[str]]  # empty: all areas
    crew_id: Mapped[word | None] = mapped_column(index=True)
    employer: Mapped[word | None]  # partner company; empty: our own people
    locale: Mapped[str] = mapped_column(String(8), default="zh_CN")
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebSession(Base):
    """A login in a browser; ends by logout, idling, age, or a new password."""

    __tablename__ = "web_session"

    id_hash: Mapped[word] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(String(200))


class ApiToken(Base):
    """A bearer token of a person or machine; only its hash is kept."""

    __tablename__ = "api_token"

    id: Mapped[serial]
    token_hash: Mapped[word] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[name]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class InboxMessage(Base):
    """A message to a person inside the application. `kind` and `facts` are put into words by the screen."""

    __tablename__ = "inbox_message"
    __table_args__ = (Index("ix_inbox_message_person_id_id", "person_id", "id"),)

    id: Mapped[serial]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    key: Mapped[str] = mapped_column(String(200), unique=True)  # the same news is told once
    kind: Mapped[word]
    level: Mapped[str] = mapped_column(String(8))
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
