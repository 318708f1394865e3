"""Uploading diagrams, their versions, and the parsed form that instances run on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from bpmn.forms import Form, load_form
from bpmn.lint import Catalogue
from bpmn.parse import Executable, parse, rebuild
from engine.deploy.model import Deployment, ProcessDefinition
from engine.errors import NotFound, RuleViolation
from engine.events import record
from engine.store.base import table_of
from engine.store.prepared import Prepared

KEPT = 200


class NothingChanged(RuleViolation):
    """Version {version} of {process} is exactly this diagram; nothing was uploaded."""

    code = "definition.unchanged"


@dataclass(frozen=True)
class Upload:
    """What a designer sends: the diagram and the forms that belong to it."""

    filename: str
    xml: bytes
    forms: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Parsed:
    """A version in memory."""

    executable: Executable
    forms: Mapping[str, Form]


class Definitions:
    """Versions in the database and their parsed form in memory. A version never changes, so the cache cannot be stale."""

    def __init__(self, catalogue: Callable[[Session], Catalogue]) -> None:
        self._catalogue = catalogue
        self._parsed: OrderedDict[int, _Parsed] = OrderedDict()
        self._lock = threading.Lock()

    def executable(self, session: Session, definition_id: int) -> Executable:
        """The parsed process of a version."""
        return self._version(session, definition_id).executable

    def form(self, session: Session, definition_id: int, key: str) -> Form:
        """A form of a version."""
        return self._version(session, definition_id).forms[key]

    def _version(self, session: Session, definition_id: int) -> _Parsed:
        with self._lock:
            if definition_id in self._parsed:
                self._parsed.move_to_end(definition_id)
                return self._parsed[definition_id]
        row = session.get(ProcessDefinition, definition_id)
        if row is None:
            raise NotFound(what="process definition", id=definition_id)
        forms = {key: load_form(document) for key, document in row.deployment.forms.items()}
        found = _Parsed(rebuild(row.deployment.xml)[row.key], forms)
        with self._lock:
            self._parsed[definition_id] = found
            while len(self._parsed) > KEPT:
                self._parsed.popitem(last=False)
        return found

    def upload(
        self, session: Session, upload: Upload, *, at: datetime, actor: str
    ) -> list[ProcessDefinition]:
        """New draft versions of the processes in the file. Raises `bpmn.problems.DiagramRefused`, `NothingChanged`."""
        catalogue = self._catalogue(session)
        known = Catalogue(catalogue.operations, catalogue.roles, upload.forms)
        bundle = parse(upload.xml, known)
        deployment = Deployment(
            filename=upload.filename[:200],
            sha256=bundle.sha256,
            xml=upload.xml,
            forms={k: dict(v) for k, v in upload.forms.items()},
            problems=[
                p.as_dict("en") | {"message_zh": p.message("zh"), "remedy_zh": p.remedy("zh")}
                for p in bundle.problems
            ],
            created_at=at,
            created_by=actor,
        )
        versions = [_next_version(session, e, deployment, at) for e in bundle.processes.values()]
        session.add(deployment)
        session.add_all(versions)
        session.flush()
        for version in versions:
            record(
                session,
                "DefinitionUploaded",
                at=at,
                actor=actor,
                process=version.key,
                version=version.version,
            )
        return versions

    def deploy(self, session: Session, definition_id: int, *, at: datetime, actor: str) -> ProcessDefinition:
        """New orders run on this version from now on; open instances stay where they are."""
        row = session.get(ProcessDefinition, definition_id)
        if row is None:
            raise NotFound(what="process definition", id=definition_id)
        session.execute(
            update(ProcessDefinition)
            .where(ProcessDefinition.key == row.key, ProcessDefinition.state == "active")
            .values(state="retired")
        )
        row.state, row.deployed_at, row.deployed_by = "active", at, actor
        record(session, "DefinitionDeployed", at=at, actor=actor, process=row.key, version=row.version)
        return row


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """The version of a process that new instances run on."""

    id: int
    key: str
    version: int


_definition = table_of(ProcessDefinition).c
_ACTIVE = Prepared(
    select(_definition.id, _definition.key, _definition.version)
    .where(_definition.key == bindparam("of"), _definition.state == "active")
    .order_by(_definition.version.desc())
    .limit(1)
)


def active_version(session: Session, key: str) -> ActiveVersion:
    """The version that new instances of a process run on. Raises `NotFound`."""
    found = _ACTIVE.first(session, of=key)
    if found is None:
        raise NotFound(what="deployed process", id=key)
    return ActiveVersion(*found)


def versions_of(session: Session, key: str) -> Sequence[ProcessDefinition]:
    """All versions of a process, newest first."""
    query = select(ProcessDefinition).where(ProcessDefinition.key == key)
    return session.scalars(query.order_by(ProcessDefinition.version.desc())).all()


def _next_version(
    session: Session, executable: Executable, deployment: Deployment, at: datetime
) -> ProcessDefinition:
    key = executable.process
    last = (
        session.scalar(select(func.max(ProcessDefinition.version)).where(ProcessDefinition.key == key)) or 0
    )
    newest = session.scalars(
        select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.version == last)
    ).first()
    if (
        newest is not None
        and newest.deployment.sha256 == deployment.sha256
        and newest.deployment.forms == deployment.forms
    ):
        raise NothingChanged(version=last, process=key)
    return ProcessDefinition(
        key=key,
        version=last + 1,
        name=executable.name[:200],
        name_en=executable.name_en[:200],
        state="draft",
        deployment=deployment,
        created_at=at,
    )
