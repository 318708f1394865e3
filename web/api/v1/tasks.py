"""Tasks: the worklist, and what people do with a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from bpmn.forms import FormInvalid
from engine.errors import BadInput
from tasks import queries, worklist
from tasks.model import TaskFacts
from tasks.worklist import CompleteTask
from web.api import masking
from web.api.reading import choice, loaded, number, only_parameters, text, time_cursor
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

VIEWS = ("mine", "crew", "open", "late", "all")
_COMPLETION = shapes.Completion()
_EXPAND = Parameter("expand", "`form` adds the form-js document", one_of=("form",))


class FormRejected(BadInput):
    """The form has answers that need correction: {fields}."""

    code = "form.invalid"


@allow("view_tasks")
def list_tasks() -> ResponseReturnValue:
    """Open tasks within sight, soonest due first."""
    only_parameters("view", "order", "q", "after", "limit", "expand")
    me = services()
    with me.store.read() as session:
        found, following = queries.worklist(
            session,
            g.actor,
            choice("view", VIEWS, "all"),  # type: ignore[arg-type]
            now=me.clock.now(),
            text=text("q"),
            order=text("order"),
            after=time_cursor(),
            limit=number("limit", 50, least=1, most=200),
        )
        return jsonify(listing(_tasks(session, found), following))


@allow("view_tasks")
def show_task(task_id: str) -> ResponseReturnValue:
    """One task."""
    only_parameters("expand")
    with services().store.read() as session:
        return jsonify(_tasks(session, [worklist.get_task(session, g.actor, task_id)])[0])


@allow("complete_task")
def claim_task(task_id: str) -> ResponseReturnValue:
    """Takes a task; taking what one has changes nothing."""
    me = services()

    def work(session: Any) -> list[dict[str, Any]]:
        return _tasks(session, [worklist.claim(session, g.actor, task_id, at=me.clock.now())])

    return jsonify(me.store.run(work)[0])


@allow("complete_task")
def release_task(task_id: str) -> ResponseReturnValue:
    """Gives a task back to its crew."""
    me = services()
    with me.store.write() as session:
        task = worklist.release(session, g.actor, task_id, at=me.clock.now())
        return jsonify(_tasks(session, [task])[0])


@allow("complete_task")
def complete_task(task_id: str) -> ResponseReturnValue:
    """Completes a task with the answers to its form, and tells what comes next."""
    me = services()
    wish = loaded(_COMPLETION)
    command = CompleteTask(task_id, wish["values"], wish["request_id"])

    def work(session: Any) -> list[dict[str, Any]]:
        task = worklist.complete(session, me.kernel, g.actor, command, at=me.clock.now())
        return _tasks(session, [task, *worklist.next_tasks(session, g.actor, task)])

    try:
        done, *after = me.store.run(work)
    except FormInvalid as e:
        raise _rejected(e) from e
    return jsonify(task=done, next_tasks=after)


def _rejected(error: FormInvalid) -> FormRejected:
    locale = get_locale()
    language = locale.language if locale else "en"
    errors = {key: {"code": one.code, "message": one.message(language)} for key, one in error.errors.items()}
    return FormRejected(fields=", ".join(errors), errors=errors)


def _tasks(session: Any, found: Sequence[TaskFacts]) -> list[dict[str, Any]]:
    """Tasks with the names of their holders and crews, and with their forms if they were asked for."""
    anybody = any(t.assignee_id is not None or t.crew_id is not None for t in found)
    people, crews = queries.names(session, found) if anybody else ({}, {})
    with_form = request.args.get("expand") == "form"
    return [task_json(t, people, crews, _form(session, t) if with_form else None) for t in found]


def _form(session: Any, task: TaskFacts) -> Mapping[str, Any] | None:
    form = worklist.form_of(session, services().definitions, task)
    return None if form is None else form.document


def task_json(
    task: TaskFacts,
    people: Mapping[int, str],
    crews: Mapping[str, tuple[str, str]],
    form: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A task as this interface shows it."""
    holder, crew = task.assignee_id, task.crew_id
    zh, en = crews.get(crew, ("", "")) if crew is not None else ("", "")
    return {
        "id": task.id,
        "name": task.name,
        "name_en": task.name_en,
        "element": task.element,
        "order": task.business_key.partition(".")[0],
        "instance": task.instance_id,
        "state": task.state,
        "role": task.role,
        "area": task.area,
        "customer": masking.customer(task.customer, g.actor),
        "crew": None if crew is None else {"id": crew, "name": zh, "name_en": en},
        "assignee": None if holder is None else {"id": holder, "name": people.get(holder, "")},
        "due_at": stamp(task.due_at),
        "created_at": stamp(task.created_at),
        "closed_at": stamp(task.closed_at),
        "form_key": task.form_key,
        "form": form,
    }


ROUTES = (
    Route(
        "GET",
        "/tasks",
        list_tasks,
        shapes.TaskList,
        parameters=page_parameters(
            Parameter("view", "whose tasks; all if left out", one_of=VIEWS),
            Parameter("order", "the number of an order"),
            Parameter("q", "the beginning of an order number, a customer's name or a task's name"),
            _EXPAND,
        ),
    ),
    Route("GET", "/tasks/<task_id>", show_task, shapes.Task, parameters=(_EXPAND,)),
    Route("POST", "/tasks/<task_id>/claim", claim_task, shapes.Task),
    Route("POST", "/tasks/<task_id>/release", release_task, shapes.Task),
    Route("POST", "/tasks/<task_id>/complete", complete_task, shapes.Completed, body=shapes.Completion),
)
