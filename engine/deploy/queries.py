"""Reading versions of diagrams: the list of processes, one version, and forms that an upload leaves to an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bpmn import diagram, extension, xml
from bpmn.xml import kind_of
from engine.deploy.definitions import Upload
from engine.deploy.model import ProcessDefinition
from engine.errors import NotFound
from engine.runtime.model import ProcessInstance


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version with the number of instances that still run on it."""

    definition: ProcessDefinition
    open_instances: int


def overview(session: Session) -> list[ListedVersion]:
    """By process, newest first: the active version, drafts newer than it, and every version that instances run on."""
    counts = _open_instances(session)
    rows = session.scalars(
        select(ProcessDefinition).order_by(ProcessDefinition.key, ProcessDefinition.version.desc())
    ).all()
    active = {row.key: row.version for row in rows if row.state == "active"}
    return [
        ListedVersion(row, counts.get(row.id, 0))
        for row in rows
        if row.version >= active.get(row.key, 0) or row.id in counts
    ]


def get_definition(session: Session, definition_id: int) -> ProcessDefinition:
    """One version with its deployment. Raises `NotFound`."""
    found = session.get(ProcessDefinition, definition_id)
    if found is None:
        raise NotFound(what="process definition", id=definition_id)
    return found


def with_known_forms(session: Session, upload: Upload) -> tuple[Upload, Sequence[str]]:
    """The upload with forms that its diagram names and does not bring, from the newest version of the same process.

    Returns the names of the forms taken. Raises `bpmn.problems.DiagramRefused` for a file that is no diagram.
    """
    drawing = diagram.load(xml.read(upload.xml))
    wanted = {key for scope in drawing.scopes() for key in map(_form_key, scope.nodes.values()) if key}
    taken: dict[str, Mapping[str, Any]] = {}
    for process in drawing.processes:
        known = _newest_forms(session, process.id)
        taken |= {key: known[key] for key in wanted - set(upload.forms) if key in known}
    return replace(upload, forms={**taken, **upload.forms}), sorted(taken)


def _form_key(element: Any) -> str | None:
    return extension.attributes(element).get("formKey") if kind_of(element) == "userTask" else None


def _newest_forms(session: Session, process: str) -> Mapping[str, Mapping[str, Any]]:
    query = select(ProcessDefinition).where(ProcessDefinition.key == process)
    newest = session.scalars(query.order_by(ProcessDefinition.version.desc()).limit(1)).first()
    return newest.deployment.forms if newest is not None else {}


def _open_instances(session: Session) -> dict[int, int]:
    query = select(ProcessInstance.definition_id, func.count()).where(ProcessInstance.state == "active")
    return dict(session.execute(query.group_by(ProcessInstance.definition_id)).all())


def versions(
    session: Session, *, key: str | None, state: str | None, after: int | None, limit: int
) -> tuple[Sequence[ProcessDefinition], str | None]:
    """A page of versions of all processes, newest upload first, and the cursor of the next."""
    query = select(ProcessDefinition)
    if key:
        query = query.where(ProcessDefinition.key == key)
    if state:
        query = query.where(ProcessDefinition.state == state)
    if after is not None:
        query = query.where(ProcessDefinition.id < after)
    found = session.scalars(query.order_by(ProcessDefinition.id.desc()).limit(limit + 1)).all()
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None
